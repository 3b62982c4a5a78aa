"""``python -m tests.chaos.trace``: print one real trace as text: an answer that is repaired, a webhook tried twice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import Any

from tests.chaos.world import SHORT_LEASES, a_world
from tests.support.otlp_collector import CollectedSpan, collector
from tests.support.waiting import eventually
from tests.support.webhook_receiver import SECRET, serve_receiver

DRAFT = (
    "A menu for our café: 12 dishes, 1.250,00 EUR in all. Call 030 1234567. [[standin:fault=fact_lost,first=1,delay=1]]"
)
TOLD = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "prompt.outcome",
    "http.response.status_code",
    "error.type",
)
WIDTH, NAMES = 48, 46


async def collect() -> list[CollectedSpan]:
    """Return the spans of one generation."""
    async with serve_receiver() as receiver:
        receiver.answers = [(503, {"Retry-After": "0"})]
        settings: dict[str, Any] = {**SHORT_LEASES, "webhooks__url": receiver.url, "webhooks__secrets": SECRET}
        with collector() as collected:
            async with a_world(settings={**settings, "traces__endpoint": collected.url}) as world:
                await world.serve()
                client = await world.client()
                await client.finished(str((await client.submit_once(DRAFT)).json["task_id"]))
                assert await asyncio.to_thread(eventually, lambda: len(collected.named("webhook")) == 2)
            return collected.spans


def drawn(spans: Sequence[CollectedSpan]) -> Iterator[str]:
    """Draw each span under its parent, with its time as a bar, to scale."""
    began = min(span.began_s for span in spans)
    ended = max(span.began_s + span.seconds for span in spans)
    known = {span.span_id for span in spans}

    def below(parent: str, depth: int) -> Iterator[tuple[int, CollectedSpan]]:
        for span in sorted(spans, key=lambda each: each.began_s):
            if span.parent_id == parent or (not parent and span.parent_id not in known):
                yield depth, span
                yield from below(span.span_id, depth + 1)

    for depth, span in below("", 0):
        first = round(WIDTH * (span.began_s - began) / (ended - began))
        bar = "█" * max(1, round(WIDTH * span.seconds / (ended - began))) if span.seconds > 0.01 else "▏"
        facts = [f"{name.rpartition('.')[2]}={span.attributes[name]}" for name in TOLD if name in span.attributes]
        name, time = "  " * depth + span.name, f"{1000 * span.seconds:6.0f} ms"
        yield f"{name:{NAMES}}|{' ' * min(first, WIDTH - 1) + bar:{WIDTH}}| {time}  {' '.join(facts)}".rstrip()


if __name__ == "__main__":
    os.environ["OTEL_BSP_SCHEDULE_DELAY"] = "20"
    print("\n".join(drawn(asyncio.run(collect()))))
