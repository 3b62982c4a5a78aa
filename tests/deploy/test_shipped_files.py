"""The shipped files fit the server's defaults and its layout."""

from __future__ import annotations

import configparser
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from handlers.bounded_bodies import bytes_for
from handlers.generations import LONGEST_WAIT_S
from runtime.settings import Settings
from tests.deploy.nginx import SHIPPED

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "prompt-server@.service"
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text("utf-8")
NOT_RUN = {"examples", "tests", "bench", "docs", "deploy", "build", "dist", "__pycache__"}
DEFAULTS = Settings()
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")


def seconds(directive: str, text: str) -> list[int]:
    return [int(found) for found in re.findall(rf"^\s*{directive} (\d+)s;", text, re.MULTILINE)]


def test_nginx_waits_longer_than_the_server_takes() -> None:
    shipped = SHIPPED.read_text("utf-8")
    ordinary, submits, polls, events, synchronous = seconds("proxy_read_timeout", shipped)
    assert ordinary > LONGEST_WAIT_S
    assert 2 * DEFAULTS.redis.timeout_s < submits == polls < 6
    assert events > 2 * 15, "two comments may be late"
    assert synchronous > DEFAULTS.tasks.deadline_s


def test_nginx_closes_idle_connections_before_the_server_does() -> None:
    upstream = SHIPPED.read_text("utf-8").split("\nserver {")[0]
    assert seconds("keepalive_timeout", upstream) == [60]
    assert DEFAULTS.server.idle_timeout_s > 60


def test_nginx_lets_the_longest_prompt_pass_and_little_more() -> None:
    assert "client_max_body_size 256k;" in SHIPPED.read_text("utf-8")
    escaped = 12 * DEFAULTS.limits.manual_prompt_characters
    assert max(escaped, bytes_for(DEFAULTS.limits.manual_prompt_characters)) <= 256 * 1024 < 1.2 * escaped


def unit_value(name: str) -> str:
    [value] = re.findall(rf"^{name}=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)
    return str(value)


def test_systemd_gives_the_drain_its_time_and_every_connection_its_descriptor() -> None:
    assert int(unit_value("TimeoutStopSec")) >= 2 * DEFAULTS.server.drain_timeout_s
    assert int(unit_value("LimitNOFILE")) > 2 * DEFAULTS.server.connections
    assert int(unit_value("TimeoutStartSec")) > DEFAULTS.redis.start_timeout_s


def test_systemd_bounds_the_process_and_keeps_its_secrets() -> None:
    assert int(unit_value("LimitCORE")) == 0
    assert unit_value("MemoryMax") == "2G"
    assert int(unit_value("TasksMax")) >= 64
    text = UNIT.read_text("utf-8")
    loaded = dict(re.findall(r"^LoadCredential=(\w+):(.*)$", text, re.MULTILINE))
    assert set(loaded) == {"PROMPT_REDIS__URL", "GEMINI_API_KEY"}
    assert not re.search(r"^Environment=", text, re.MULTILINE)


def test_systemd_hears_from_the_process_itself_that_it_is_ready_and_alive() -> None:
    assert unit_value("Type") == "notify"
    assert int(unit_value("WatchdogSec")) == 8, "longer than a busy loop stands still, and replaced within 15 s"
    assert int(unit_value("StartLimitIntervalSec")) == 0, "a start is tried again for ever"


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


def test_the_container_installs_the_packages_that_the_server_needs() -> None:
    """The locked ones, each checked against its hash; the tools of tests and linters are in the other lock."""
    assert "COPY requirements.lock ./" in CONTAINERFILE
    assert "--no-deps --require-hashes --requirement requirements.lock" in CONTAINERFILE


def test_the_container_runs_what_ci_tests_on_debian_13_and_not_as_root() -> None:
    assert "ARG BASE=docker.io/library/python:3.13-slim-trixie\n" in CONTAINERFILE
    assert set(re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)) == {"${BASE}"}
    last_stage = CONTAINERFILE.rpartition("\nFROM ")[2]
    user = re.findall(r"^USER (.*)$", last_stage, re.MULTILINE)
    assert user == ["10001"]
    assert "--uid 10001" in last_stage
    assert last_stage.index("\nUSER ") < last_stage.index("\nENTRYPOINT ")


def requirements_of(lock: Path) -> dict[str, tuple[Requirement, int]]:
    """By name: each locked requirement, and how many hashes it may have."""
    entries = [entry for entry in re.split(r"\n(?=\S)", lock.read_text("utf-8")) if not entry.startswith("#")]
    found: dict[str, tuple[Requirement, int]] = {}
    for entry in entries:
        requirement = Requirement(entry.partition(" \\\n")[0])
        found[canonicalize_name(requirement.name)] = (requirement, entry.count("--hash=sha256:"))
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.name))
def test_every_locked_package_has_one_version_and_hashes(lock: Path) -> None:
    for requirement, hashes in requirements_of(lock).values():
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert hashes, requirement


def test_the_locks_agree() -> None:
    for name, entry in requirements_of(LOCKS[0]).items():
        assert requirements_of(LOCKS[1])[name] == entry


def test_the_lock_is_complete_but_for_what_nobody_uses() -> None:
    locked = requirements_of(LOCKS[1])
    missing = set()
    for name, (requirement, _) in locked.items():
        if requirement.marker is None or requirement.marker.evaluate():
            for text in importlib.metadata.requires(name) or []:
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                    missing.add(canonicalize_name(needed.name))
    assert missing - set(locked) == {"valkey", "django"}


def test_it_is_an_application_and_no_wheel_can_be_made_of_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert not {"project", "build-system"} & set(project)
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert not {"metadata", "options"} & set(setup)


def test_ci_runs_what_the_readme_says_and_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    for name in ("run", "new-machines"):
        subprocess.run(["bash", "-n", str(ROOT / ".ci" / name)], check=True)


@pytest.mark.parametrize(
    ("lacks", "sentence"),
    [
        (
            "anything",
            r"is not here: install Python 3\.11 or later \(Debian and Ubuntu: apt install python3 python3-venv\)",
        ),
        ("version_info", r"Python 3\.11 or later is needed, .* is 3\.\d+\.\d+.*: install one and name it"),
        ("ensurepip", r"Python's venv module is not here: install it \(Debian and Ubuntu: apt install python3-venv\)"),
    ],
)
def test_what_a_new_machine_lacks_is_said_in_one_line(lacks: str, sentence: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    if lacks != "anything":
        python.write_text(f'#!/bin/sh\ncase "$*" in *{lacks}*) exit 1;; esac; exec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
    done = install_packages(tmp_path, PYTHON=str(python))
    assert done.returncode == 1
    assert re.search(sentence, done.stderr)
    assert done.stderr.count("\n") == 1


def test_a_package_index_that_cannot_be_reached_is_said_in_one_line(tmp_path: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull}
    done = install_packages(tmp_path, PYTHON=sys.executable, **nowhere)
    assert done.returncode == 1
    assert done.stderr.startswith("The package index cannot be reached: check the network")
    assert done.stderr.count("\n") == 1


def install_packages(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    lock = ROOT / "requirements.lock"
    return subprocess.run(
        ["sh", str(ROOT / "deploy" / "install-packages.sh"), str(lock)],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
