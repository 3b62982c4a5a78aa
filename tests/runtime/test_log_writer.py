"""Standard error that nobody reads holds up nobody, and says afterwards what is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.log_writer import MAX_CHARACTERS, LogWriter

ROOT = Path(__file__).parents[2]
LINE = "x" * 999 + "\n"
LOGS_MUCH = """
import sys, time
import structlog
from runtime.logs import configure_logging, dropped_lines
from runtime.settings import LogSettings
configure_logging(LogSettings(format="json"))
began = time.monotonic()
for number in range(20_000):
    structlog.get_logger().info("said", number=number, text_of="y" * 500)
print(dropped_lines(), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_lines_come_out_whole_and_in_their_order(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    writer = LogWriter(writes, str)
    for number in range(100):
        writer.write(f"{number}\n")
    assert writer.flush(60)
    assert os.read(reads, 10_000).split() == [str(number).encode() for number in range(100)]


def test_an_unread_pipe_blocks_nobody_and_dropped_lines_are_reported(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    writer = LogWriter(writes, lambda count: f"dropped {count}\n")
    lines = 3 * MAX_CHARACTERS // len(LINE)
    for _ in range(lines):
        writer.write(LINE)
    assert writer.dropped > 0
    assert not writer.flush(0.05)
    text = bytearray()

    def said() -> int:
        return sum(int(count) for count in re.findall(rb"dropped (\d+)\n", text))

    def read_all() -> None:
        while b"and on\n" not in text or said() < writer.dropped:
            text.extend(os.read(reads, 65_536))

    reader = threading.Thread(target=read_all)
    reader.start()
    assert writer.flush(120)
    writer.write("and on\n")
    reader.join(120)
    written = text.count(LINE.encode())
    assert written + writer.dropped == lines
    assert said() == writer.dropped  # in one line or in several: the thread may take lines while we still write


def test_a_pipe_that_does_not_block_gets_every_line(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    os.set_blocking(writes, False)
    writer = LogWriter(writes, str)
    for _ in range(1_000):
        writer.write(LINE)
    left = 1_000 * len(LINE)
    while left:
        left -= len(os.read(reads, 65_536))
    assert writer.flush(60)


def test_a_process_whose_standard_error_nobody_reads_goes_on_and_ends_well() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LOGS_MUCH],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout  # noqa: PT018  # for mypy
        assert int(process.stdout.readline()) > 0
        process.stdin.write(b"end\n")
        process.stdin.flush()
        assert process.wait(120) == 0, "the end waits a second for the log, and not for ever"
