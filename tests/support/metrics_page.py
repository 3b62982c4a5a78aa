"""``/metrics`` as a test reads it."""

from __future__ import annotations

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from tests.support.whole_server import Client


async def page(client: Client) -> str:
    return (await client.ask("GET", "/metrics")).body.decode()


def value(text: str, name: str, **labels: str) -> float:
    """Sum the samples of that name that have these labels, and maybe others."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


async def until_it_says(client: Client, wanted: float, name: str, **labels: str) -> None:
    async with asyncio.timeout(180):
        while value(await page(client), name, **labels) != wanted:  # noqa: ASYNC110  # the page is asked, it tells nobody
            await asyncio.sleep(0.05)
