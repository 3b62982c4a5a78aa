"""The shipped files fit the server's defaults and its layout."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from handlers.generations import LONGEST_WAIT_S
from runtime.settings import Settings
from tests.deploy.nginx import SHIPPED

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "prompt-server@.service"
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text("utf-8")
NOT_RUN = {"tests", "bench", "docs", "deploy", "build", "dist", "__pycache__"}
DEFAULTS = Settings()


def seconds(directive: str, text: str) -> list[int]:
    return [int(found) for found in re.findall(rf"^\s*{directive} (\d+)s;", text, re.MULTILINE)]


def test_nginx_waits_longer_than_the_server_takes() -> None:
    shipped = SHIPPED.read_text("utf-8")
    ordinary, events, synchronous = seconds("proxy_read_timeout", shipped)
    assert ordinary > LONGEST_WAIT_S
    assert events > 2 * 15, "two comments may be late"
    assert synchronous > DEFAULTS.tasks.deadline_s


def test_nginx_closes_idle_connections_before_the_server_does() -> None:
    upstream = SHIPPED.read_text("utf-8").split("\nserver {")[0]
    assert seconds("keepalive_timeout", upstream) == [60]
    assert DEFAULTS.server.idle_timeout_s > 60


def test_nginx_lets_bodies_pass_that_the_server_refuses_in_its_own_words() -> None:
    assert "client_max_body_size 1m;" in SHIPPED.read_text("utf-8")
    assert DEFAULTS.server.body_bytes < 1_048_576


def unit_value(name: str) -> str:
    [value] = re.findall(rf"^{name}=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)
    return str(value)


def test_systemd_gives_the_drain_its_time_and_every_connection_its_descriptor() -> None:
    assert int(unit_value("TimeoutStopSec")) >= 2 * DEFAULTS.server.drain_timeout_s
    assert int(unit_value("LimitNOFILE")) > 2 * DEFAULTS.server.connections
    assert int(unit_value("TimeoutStartSec")) > DEFAULTS.redis.start_timeout_s


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    text = UNIT.read_text("utf-8").replace("/opt/prompt-server/.venv/bin/python", sys.executable)
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/usr/bin/curl", shutil.which("true") or "/bin/true"))
    done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True)
    if "Failed to initialize manager" in done.stderr:
        pytest.skip("systemd-analyze does not work here")
    assert done.returncode == 0, done.stderr
    assert UNIT.name.split("@")[0] not in done.stderr


def test_the_container_gets_everything_that_runs() -> None:
    sources = [
        source for line in re.findall(r"^COPY (?!--)(.*) \S+$", CONTAINERFILE, re.MULTILINE) for source in line.split()
    ]
    copied = {source.split("/")[0] for source in sources}
    there = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and not path.name.endswith(".egg-info")
    }
    assert there - NOT_RUN <= copied
    for source in sources:
        if (ROOT / source.split("/")[0]).exists():
            assert (ROOT / source).exists(), source


def test_the_container_installs_the_packages_that_the_server_needs(tmp_path: Path) -> None:
    [program] = re.findall(r'python -c "([^"]+)" > needed.txt', CONTAINERFILE)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert done.stdout.split() == setup["options"]["install_requires"].split()


def test_ci_runs_what_the_readme_says_and_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text("utf-8").endswith("\nmake lint\nmake test\n")
    subprocess.run(["bash", "-n", str(script)], check=True)
