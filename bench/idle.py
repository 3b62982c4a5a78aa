"""What an idle connection costs: many are opened, each polls once and then keeps quiet as a browser's does.

Measures the server's own memory; what the kernel keeps for a socket is the same for everybody and is not in it.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from bench.board import Board
from bench.callers import Caller
from bench.headers import STATUS_PATH, browser_headers
from bench.process import BenchmarkFailed, Process

SETTLE_S = 1.0


def bytes_per_connection(url: str, server: Process, board: Board, callers: Sequence[Caller], connections: int) -> float:
    """Return by how much the server's resident memory grows with each idle connection.

    Raises:
        BenchmarkFailed: the server does not keep them.
    """
    address = urlsplit(url).netloc
    with ExitStack() as stack:

        def poll_on_new_connection(slot: int) -> http.client.HTTPConnection:
            connection = http.client.HTTPConnection(address, timeout=20)
            stack.callback(connection.close)
            headers = dict(browser_headers(callers[slot].token))
            connection.request("GET", f"{STATUS_PATH}{board.task(slot)}/", headers=headers)
            connection.getresponse().read()
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


def _closed(connection: http.client.HTTPConnection) -> bool:
    if connection.sock is None:
        return True
    connection.sock.setblocking(False)
    try:
        return connection.sock.recv(1) == b""
    except BlockingIOError:
        return False
