"""The ``gemini-standin`` command."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import click

from runtime.ready_file import write_ready_file
from standin.behaviour import Behaviour
from standin.faults import FAULTS
from standin.server import serve_standin

SECONDS = click.FloatRange(0, 86_400)


@click.command("gemini-standin")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; 0 takes any free one.")
@click.option("--api-key", default="", help="Key to ask for; without one any key is accepted.")
@click.option("--delay-s", type=SECONDS, default=0.0, show_default=True, help="Seconds an answer takes.")
@click.option(
    "--tokens-per-second",
    type=click.FloatRange(0, 1e6),
    default=0.0,
    help="Pace of the words after the delay; 0: within it.",
)
@click.option(
    "--words-per-chunk", type=click.IntRange(1), default=1, show_default=True, help="Words in a streamed piece."
)
@click.option("--fault", type=click.Choice(sorted(FAULTS)), default=None, help="Fault to show.")
@click.option("--first", type=click.IntRange(0), default=0, help="Show it to the first N requests only; 0 for all.")
@click.option(
    "--probability", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How often to show it."
)
@click.option("--retry-after-s", type=SECONDS, default=0.4, show_default=True, help="Wait that a rate limit asks for.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draws.")
@click.option(
    "--ready-file", type=click.Path(path_type=Path), help='Write {"url", "pid"} there when it accepts requests.'
)
def gemini_standin(
    host: str, port: int, api_key: str, fault: str | None, seed: int, ready_file: Path | None, **pace: Any
) -> None:
    """Run a server with Gemini's protocol on this machine, for trying things out without a key.

    Its answer is a tidied copy of the draft. A single request gets a fault of its own with a marker in its text,
    [[standin:fault=overloaded,delay=2]], or with the headers X-Standin-Fault and X-Standin-Delay-S. GET /standin/
    shows what has happened, POST /standin/ changes the behaviour.
    """
    behaviour = Behaviour(fault=fault or "", **pace)
    try:
        asyncio.run(_serve(host, port, api_key, behaviour, seed, ready_file))
    except OSError as exc:
        raise click.ClickException(f"cannot listen on {host}:{port}: {exc.strerror}") from exc


async def _serve(host: str, port: int, api_key: str, behaviour: Behaviour, seed: int, ready_file: Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve_standin(api_key=api_key, behaviour=behaviour, host=host, port=port, seed=seed) as standin:
        click.echo(f"stand-in for Gemini on {standin.url}", err=True)
        write_ready_file(ready_file, {"url": standin.url, "pid": os.getpid()})
        await stop.wait()
