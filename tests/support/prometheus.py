"""A Prometheus of our own that scrapes servers every second, and what it answers to the panels of a dashboard."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.ports import free_ports
from tests.support.waiting import eventually

JOB = "prompt-server"
RATE_S = 15


@dataclass(frozen=True, slots=True)
class Line:
    """One series by its legend: values at equal distances in time, None where there is none."""

    legend: str
    values: list[float | None]


class Prometheus:
    """``targets`` is the file that it reads targets from, so that servers can come and go."""

    def __init__(self, url: str, targets: Path) -> None:
        self._url = url
        self._targets = targets

    def watch(self, urls: Sequence[str]) -> None:
        """Scrape these servers from now on."""
        hosts = [urllib.parse.urlsplit(url).netloc for url in urls]
        new = self._targets.with_suffix(".new")
        new.write_text(json.dumps([{"targets": hosts, "labels": {"job": JOB}}]))
        new.replace(self._targets)

    def lines(self, expr: str, legend: str, began_s: float, ended_s: float, points: int) -> list[Line]:
        """Return what a panel's query shows of the time between two moments, in Unix seconds."""
        step_s = (ended_s - began_s) / (points - 1)
        expr = expr.replace("$__rate_interval", f"{RATE_S}s").replace("$job", JOB)
        asked = {"query": expr, "start": began_s, "end": ended_s + step_s / 2, "step": step_s}
        found = self._get(f"/api/v1/query_range?{urllib.parse.urlencode(asked)}")["data"]["result"]
        return [_line(each, legend, began_s, step_s, points) for each in found]

    def ready(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(urllib.request.urlopen(f"{self._url}/-/ready", timeout=5).status == 200)
        return False

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self._url + path, timeout=180) as answer:
            return json.load(answer)


@contextlib.contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    """Run one on a free port until the block ends; Debian's package prometheus has it."""
    program = shutil.which("prometheus")
    assert program, "needs prometheus, which Debian's package prometheus has"
    targets, config = folder / "targets.json", folder / "prometheus.yml"
    found_in = [{"files": [str(targets)], "refresh_interval": "1s"}]
    job = {"job_name": JOB, "scrape_interval": "1s", "scrape_timeout": "1s", "file_sd_configs": found_in}
    config.write_text(yaml.safe_dump({"scrape_configs": [job]}))
    [port] = free_ports(1)
    options = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([program, *options], stderr=log, stdout=log)
        running = Prometheus(f"http://127.0.0.1:{port}", targets)
        try:
            assert eventually(running.ready), (folder / "prometheus.log").read_text()
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _line(series: Any, legend: str, began_s: float, step_s: float, points: int) -> Line:
    values: list[float | None] = [None] * points
    for moment, text in series["values"]:
        value = float(text)
        values[min(points - 1, round((moment - began_s) / step_s))] = value if math.isfinite(value) else None
    for label, text in series["metric"].items():
        legend = legend.replace("{{" + label + "}}", text)
    return Line(legend, values)
