"""The CPU time of what tracing leaves in a generation while it is off: its calls alone, as one generation makes them.

A difference of two servers with and without them would drown in what else the machine does.
"""

from __future__ import annotations

import time

from runtime.tracing import NO_TRACING, Tracing

STAGES = ("initializing", "checking", "generating", "waiting", "finalizing")
ROUNDS, TURNS = 20_000, 5


def calls_of_a_generation(tracing: Tracing) -> None:
    """Do what handler, generations, runner, pipeline and Gemini client do with tracing for one generation."""
    facts = {"http.request.method": "POST", "http.route": "/submit", "url.path": "/submit"}
    span = tracing.begin(f"POST {facts['http.route']}", "server", "", facts, time.time_ns())
    tracing.note({"prompt.task_id": "id"})
    span.set({"http.response.status_code": 202, "prompt.request_id": "id"})
    span.end()
    facts = {"prompt.task_id": "id", "prompt.request_id": "id", "prompt.attempt": "1"}
    with tracing.span("generation", link=span.context, attributes=facts) as run:
        assert not run.trace_id
        for stage in STAGES:
            began_ns = time.time_ns()
            tracing.record(f"stage {stage}", began_ns)
        assert not tracing.active  # the Gemini client asks no more
        run.set({"prompt.outcome": "generated"})


def ms_of_a_generation() -> float:
    """Return ms of CPU, the least of several turns."""
    turns = []
    for _turn in range(TURNS):
        began_s = time.process_time()
        for _round in range(ROUNDS):
            calls_of_a_generation(NO_TRACING)
        turns.append((time.process_time() - began_s) * 1000 / ROUNDS)
    return min(turns)
