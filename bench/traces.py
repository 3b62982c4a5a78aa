"""What traces cost per generation: off, every one kept, and one in ten kept, in turn; and what off leaves.

Refuses to know how load is made or processes are started.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack

from bench.contenders import ROOT, Server, start_ours, start_standin
from bench.generations import CASES, SHORT_S, Case, Effort, measure_case, median
from bench.process import Process, free_port
from bench.report import Report, number
from bench.submit import Cost
from bench.testbed import Testbed
from bench.untraced import ms_of_a_generation

OFF = "off"
COLUMNS = ("generations", "traces", "completed", "CPU ms each", "times off", "core %", "others %")
MEASURED = (CASES[0], CASES[3])
TENTH = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}


def measure_traces(testbed: Testbed, report: Report, effort: Effort) -> None:
    """Measure each case without and with traces, and print the table."""
    report.heading("Traces, off and on")
    costs: dict[tuple[Case, str], list[Cost]] = {}
    with ExitStack() as stack:
        endpoint = {"PROMPT_TRACES__ENDPOINT": _start_sink(stack, testbed)}
        ways: Mapping[str, Mapping[str, str]] = {OFF: {}, "on": endpoint, "on, one in ten": endpoint | TENTH}
        for _turn in range(effort.turns):
            for way, variables in ways.items():
                for case, cost in _measure(testbed, effort, variables):
                    costs.setdefault((case, way), []).append(cost)
                report.measured(f"traces {way}")
    report.table(COLUMNS, [_row(case, way, costs) for case in MEASURED for way in ways])
    _tell_off(report, costs)


def _tell_off(report: Report, costs: Mapping[tuple[Case, str], list[Cost]]) -> None:
    """Say what the calls that tracing leaves in a generation cost while it is off, beside whole ones of this run."""
    alone = ms_of_a_generation()
    report.text(f"Off, the calls that tracing leaves in a generation take {1000 * alone:.1f} µs of CPU:")
    for case in MEASURED:
        cost = median(costs[case, OFF])
        report.text(f"- {100 * alone / cost.ms_each(sum(cost.process_s)):.3f} % of one of {case.name}")


def _start_sink(stack: ExitStack, testbed: Testbed) -> str:
    port = free_port()
    command = [sys.executable, ROOT / "bench" / "peers" / "otlp_sink.py", str(port)]
    sink = stack.enter_context(Process("otlp-sink", command, core=testbed.core, folder=testbed.place.folder))
    sink.wait_for_port(port)
    return f"http://127.0.0.1:{port}/v1/traces"


def _measure(testbed: Testbed, effort: Effort, variables: Mapping[str, str]) -> list[tuple[Case, Cost]]:
    with ExitStack() as stack:
        standin: Server = start_standin(stack, testbed.place.folder, core=testbed.core, delay_s=SHORT_S)
        server = start_ours(stack, testbed.place_with(standin.url), variables=variables)
        testbed.warm_up(server)
        return [(case, measure_case(testbed, effort, server, standin, case)[0]) for case in MEASURED]


def _row(case: Case, way: str, costs: Mapping[tuple[Case, str], list[Cost]]) -> tuple[str, ...]:
    cost, off = median(costs[case, way]), median(costs[case, OFF])
    each = cost.ms_each(sum(cost.process_s))
    return (
        case.name,
        way,
        str(cost.seen.completed),
        number(each),
        number(each / off.ms_each(sum(off.process_s))),
        f"{100 * sum(cost.process_s) / cost.took_s:.0f}",
        f"{100 * (cost.core_s - sum(cost.process_s)) / cost.took_s:.0f}",
    )
