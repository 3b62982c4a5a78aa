"""What an idle connection costs: many are opened, each polls once and then keeps quiet as a browser's does.

Measures the server's own memory; what the kernel keeps for a socket is the same for everybody and is not in it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from bench.board import Board
from bench.callers import Caller
from bench.headers import STATUS_PATH, as_text, browser_headers
from bench.process import BenchmarkFailed, Process

SETTLE_S = 1.0


def bytes_per_connection(url: str, server: Process, board: Board, callers: Sequence[Caller], connections: int) -> float:
    """Return by how much the server's resident memory grows with each idle connection.

    Raises:
        BenchmarkFailed: the server does not keep them.
    """
    host, _, port = urlsplit(url).netloc.partition(":")
    with ExitStack() as stack:

        def poll_on_new_connection(slot: int) -> socket.socket:
            connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
            connection.sendall(
                f"GET {STATUS_PATH}{board.task(slot)}/ HTTP/1.1\r\n".encode()
                + as_text(browser_headers(callers[slot].token))
            )
            _read_answer(connection)
            return connection

        # What a server remembers of accounts and tasks is not the connections': let it have that before.
        for slot in range(len(callers)):
            poll_on_new_connection(slot).close()
        time.sleep(SETTLE_S)
        before = server.resident_bytes
        opened = [poll_on_new_connection(number % len(callers)) for number in range(connections)]
        time.sleep(SETTLE_S)
        after = server.resident_bytes
        if lost := sum(1 for connection in opened if _closed(connection)):
            raise BenchmarkFailed(f"{server.name} closed {lost} of {connections} idle connections")
        return (after - before) / connections


def _read_answer(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    left = length - len(body)
    while left > 0:
        left -= len(_received(connection))


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise BenchmarkFailed("the server closed a connection instead of answering")
    return data


def _closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
