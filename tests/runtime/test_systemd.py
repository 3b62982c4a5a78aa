"""The datagrams of a process that systemd looks after, received as systemd would receive them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LOOP = """
import asyncio
from runtime.systemd import Systemd

async def main():
    with Systemd() as systemd:
        systemd.ready()
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(30)
        yield receiver


def started(manager: socket.socket, **environment: str) -> subprocess.Popen[bytes]:
    variables = os.environ | {"NOTIFY_SOCKET": manager.getsockname()} | environment
    return subprocess.Popen([sys.executable, "-c", LOOP], env=variables)


def received(manager: socket.socket) -> str:
    return manager.recv(100).decode()


def signs_until_silence(manager: socket.socket) -> int:
    signs = 0
    with contextlib.suppress(TimeoutError):
        while received(manager) == "WATCHDOG=1":
            signs += 1
    return signs


def test_a_loop_that_turns_gives_signs_of_life_and_one_that_stands_still_gives_none(manager: socket.socket) -> None:
    process = started(manager, WATCHDOG_USEC="300000")
    try:
        assert {received(manager), received(manager)} == {"READY=1", "WATCHDOG=1"}
        assert received(manager) == "WATCHDOG=1"
        process.send_signal(signal.SIGSTOP)
        manager.settimeout(1.5)
        assert signs_until_silence(manager) < 20  # those sent before it stood still
        process.send_signal(signal.SIGCONT)
        manager.settimeout(30)
        assert received(manager) == "WATCHDOG=1"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "environment", [{}, {"WATCHDOG_USEC": "nonsense"}, {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}]
)
def test_without_a_watchdog_of_its_own_a_process_only_says_that_it_is_ready(
    manager: socket.socket, environment: dict[str, str]
) -> None:
    process = started(manager, **environment)
    try:
        assert received(manager) == "READY=1"
        manager.settimeout(0.3)
        with pytest.raises(TimeoutError):
            received(manager)
    finally:
        process.kill()
        process.wait()
