"""Run the benchmarks: ``python -m bench``. ``make bench`` installs what they need first."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from bench import generations, mixed, polls, streams, submit, traces
from bench.process import BenchmarkFailed
from bench.report import Report, machine
from bench.testbed import Testbed, open_testbed

PARTS = ("submits", "generations", "traces", "polls", "mixed", "together", "streams")


def efforts(*, quick: bool, beside: Path | None) -> dict[str, Callable[[Testbed, Report], None]]:
    """Return each part, bounded in time: a quarter of an hour for all, or a minute and a half to see that it works."""
    if quick:
        submits = submit.Effort(per_s=50, seconds=5, peer_seconds=6, pools=1)
        whole = traced = generations.Effort(long_per_s=10, short_per_s=20, seconds=2)
        some = polls.Effort(seconds=1.5, connections=(100,), idle_connections=0)
        mix = mixed.Effort(seconds=1, connections=(100,))
        together_s = 4.0
        open_streams = streams.Effort(tasks=20, streams=200, quiet_s=2)
    else:
        submits = submit.Effort(per_s=150, seconds=30, peer_seconds=15)
        whole = generations.Effort(long_per_s=25, short_per_s=80, seconds=16, turns=3)
        traced = generations.Effort(long_per_s=8, short_per_s=20, seconds=10, turns=3)
        some = polls.Effort(seconds=5, connections=(1, 100, 1_000, 10_000), idle_connections=5_000)
        mix = mixed.Effort(seconds=5, connections=(1, 100, 1_000, 10_000))
        together_s = 10.0
        open_streams = streams.Effort(tasks=200, streams=5_000, quiet_s=streams.KEEP_ALIVE_S)
    return {
        "submits": lambda testbed, report: submit.measure_submits(testbed, report, submits),
        "generations": lambda testbed, report: generations.measure_generations(testbed, report, whole, beside),
        "traces": lambda testbed, report: traces.measure_traces(testbed, report, traced),
        "polls": lambda testbed, report: polls.measure_polls(testbed, report, some),
        "mixed": lambda testbed, report: mixed.measure_mixed(testbed, report, mix),
        "together": lambda testbed, report: mixed.measure_submits_among_polls(testbed, report, together_s),
        "streams": lambda testbed, report: streams.measure_streams(testbed, report, open_streams),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the server beside its peers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="few and short measurements, to see that all of it works")
    parser.add_argument("--out", type=Path, help="also write the report to this Markdown file")
    parser.add_argument("--beside", type=Path, help="the folder of another version, for the part 'generations'")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {unknown.pop()!r}: {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, _end)
    gc.disable()  # a full collection stops the load for 80 ms, which would be counted as the server's
    report = Report()
    report.text(f"# Benchmarks\n\n{machine()}")
    try:
        with open_testbed() as testbed:
            for name, measure in efforts(quick=options.quick, beside=options.beside).items():
                if not options.parts or name in options.parts:
                    measure(testbed, report)
    except BenchmarkFailed as exc:
        print(f"The benchmarks stopped: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.out is not None:
        report.save(options.out)
    for what in report.missed:
        print(f"MISSED: {what}", file=sys.stderr)
    return 1 if report.missed and not options.quick else 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
