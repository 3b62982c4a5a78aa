"""A process whose parent closed its standard streams logs to nowhere, and never into a connection."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import socket, structlog
from runtime.logs import configure_logging, flush_logs
from runtime.settings import LogSettings
from runtime.standard_streams import open_standard_streams
open_standard_streams()
ours, theirs = socket.socketpair()
configure_logging(LogSettings())
structlog.get_logger().info("listening")
print("an answer", flush=True)
flush_logs()
theirs.setblocking(False)
try:
    raise SystemExit(f"logged into a connection: {theirs.recv(100)}")
except BlockingIOError:
    raise SystemExit(0 if min(ours.fileno(), theirs.fileno()) > 2 else "a connection has a standard number")
"""
STREAMS = (0, 1, 2)


@pytest.mark.parametrize(
    "closed", [some for count in (1, 3) for some in itertools.combinations(STREAMS, count)], ids=str
)
def test_what_is_logged_and_printed_goes_into_no_connection(closed: tuple[int, ...]) -> None:
    # A shell closes them: Popen's own pipes and preexec_fn would stand in their places.
    closing = " ".join(f"{number}>&-" for number in closed)
    command = ["sh", "-c", f'exec "$0" -c "$1" {closing}', sys.executable, SCRIPT]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=False, timeout=120)
    assert done.returncode == 0
