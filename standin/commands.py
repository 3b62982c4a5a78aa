"""The ``gemini-standin`` command."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import click

from standin.behaviour import Behaviour, InvalidBehaviour
from standin.faults import FAULTS
from standin.server import serve_standin


@click.command("gemini-standin")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; 0 takes any free one.")
@click.option("--api-key", default="", help="Key to ask for; without one any key is accepted.")
@click.option("--delay-s", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds an answer takes.")
@click.option(
    "--tokens-per-second", type=click.FloatRange(0), default=0.0, help="Pace of the text; 0 for the delay alone."
)
@click.option(
    "--words-per-chunk", type=click.IntRange(1), default=1, show_default=True, help="Words in a streamed piece."
)
@click.option("--fault", type=click.Choice(["", *sorted(FAULTS)]), default="", help="Fault to show.")
@click.option("--first", type=click.IntRange(0), default=0, help="Show it to the first N requests only; 0 for all.")
@click.option(
    "--probability", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How often to show it."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draws.")
@click.option(
    "--ready-file", type=click.Path(path_type=Path), help='Write {"url", "pid"} there when it accepts requests.'
)
def gemini_standin(
    host: str,
    port: int,
    api_key: str,
    delay_s: float,
    tokens_per_second: float,
    words_per_chunk: int,
    fault: str,
    first: int,
    probability: float,
    seed: int,
    ready_file: Path | None,
) -> None:
    """Run a server with Gemini's protocol on this machine, for trying things out without a key."""
    try:
        behaviour = Behaviour(delay_s, tokens_per_second, words_per_chunk, fault, first, probability)
    except InvalidBehaviour as exc:
        raise click.UsageError(str(exc)) from exc

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with serve_standin(api_key=api_key, behaviour=behaviour, host=host, port=port, seed=seed) as standin:
            click.echo(f"stand-in for Gemini on {standin.url}", err=True)
            if ready_file is not None:
                partial = ready_file.with_name(ready_file.name + ".partial")
                partial.write_text(json.dumps({"url": standin.url, "pid": os.getpid()}) + "\n", "utf-8")
                partial.replace(ready_file)
            await stop.wait()

    asyncio.run(run())
