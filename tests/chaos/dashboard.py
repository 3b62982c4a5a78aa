"""``python -m tests.chaos.dashboard OUT.svg``: the dashboard, drawn from what Prometheus saw of a run with faults.

Two servers for six minutes: load of every kind, Gemini that refuses and fails, a process killed, a Redis that stands
still, a receiver of webhooks that is down, a collector of traces that is away, a model that Google ends. Needs Debian's
package prometheus. Refuses to know how panels are drawn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.load import under_load
from tests.chaos.world import REAL_LEASES, World, a_world
from tests.support.otlp_collector import collector
from tests.support.panel_svg import Panel, draw
from tests.support.prometheus import Prometheus, prometheus
from tests.support.webhook_receiver import SECRET, Receiver, serve_receiver

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana-dashboard.json"
FIRST = "gemini-3.8-flash"
POINTS = 90
ACTIONS = "generate generate generate cancel replay wait watch leave try"
TITLE = (
    "Two processes: Gemini over its quota, then failing; one process killed; Redis still for 8 s; webhooks refused;"
    " collector and first model gone"
)


async def run(minute_s: float) -> str:
    """Return the SVG of six minutes; ``minute_s`` shortens them to try it."""
    traces = ExitStack()
    collected = traces.enter_context(collector())
    async with serve_receiver() as receiver, a_world(settings=settings(receiver, collected.url)) as world:
        with prometheus(world.folder) as watching, traces:
            servers = [await world.serve() for _ in range(2)]
            watching.watch(world.urls())
            began_s = time.time()
            async with under_load(world, Random(7), clients=24, gemini_s=4, pause_s=0.5, actions=ACTIONS):
                await faults(world, watching, receiver, traces, minute_s)
            ended_s = time.time()
            assert any(not server.alive for server in servers)
            return picture(watching, began_s, ended_s)


def settings(receiver: Receiver, traces_url: str) -> dict[str, Any]:
    webhooks = {"webhooks__url": receiver.url, "webhooks__secrets": SECRET}
    return {**REAL_LEASES, **webhooks, "gemini__breaker_open_s": 10, "traces__endpoint": traces_url}


async def faults(world: World, watching: Prometheus, receiver: Receiver, traces: ExitStack, minute_s: float) -> None:
    """Let each thing go wrong for a part of the time, with quiet between."""
    quiet = minute_s * 0.5
    await asyncio.sleep(minute_s)
    await world.standin.behave(fault="rate_limited", probability=0.4)
    await asyncio.sleep(quiet)
    await world.standin.behave(fault="overloaded")
    await asyncio.sleep(quiet)
    await world.standin.behave()
    await asyncio.sleep(quiet)
    await world.servers[1].kill()
    await asyncio.sleep(quiet)
    await world.serve()
    watching.watch(world.urls())
    await asyncio.sleep(quiet)
    os.kill(world.redis.pid, signal.SIGSTOP)
    await asyncio.sleep(min(8, quiet))
    os.kill(world.redis.pid, signal.SIGCONT)
    await asyncio.sleep(quiet)
    receiver.answers = [(503, {})] * 60
    await world.standin.behave(fault="fact_lost", probability=0.5)
    await asyncio.sleep(quiet)
    traces.close()
    await world.standin.behave(fault="not_found", model=FIRST)
    await asyncio.sleep(quiet)
    await world.standin.behave()
    await asyncio.sleep(quiet)


def picture(watching: Prometheus, began_s: float, ended_s: float) -> str:
    """Draw every panel. A query that finds nothing asks for what is not there, or for what did not happen."""
    panels = []
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        place, unit = panel["gridPos"], panel["fieldConfig"]["defaults"]["unit"]
        lines = []
        for target in panel["targets"]:
            found = watching.lines(target["expr"], target["legendFormat"], began_s, ended_s, POINTS)
            assert any(value is not None for line in found for value in line.values), (panel["title"], target["expr"])
            lines += found
        panels.append(Panel(panel["title"], unit, (place["x"], place["y"], place["w"], place["h"]), lines))
    return draw(panels, TITLE, (ended_s - began_s) / 60)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.dashboard", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minute-s", type=float, default=60.0, help="how long a minute is; fewer seconds to try it")
    options = parser.parse_args()
    options.out.write_text(asyncio.run(run(options.minute_s)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
