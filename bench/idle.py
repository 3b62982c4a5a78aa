"""The cost of an idle connection: many are opened, each polls once and then stays silent, as a browser does.

Measures the server's own memory; what the kernel keeps for a socket is the same for every server and is not included.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from bench.headers import STATUS_PATH, browser_headers
from bench.load_accounts import LoadAccount
from bench.process import BenchmarkFailed, Process
from bench.shared_slots import SharedSlots

SETTLE_S = 1.0


def bytes_per_connection(
    url: str, server: Process, slots: SharedSlots, accounts: Sequence[LoadAccount], connections: int
) -> float:
    """Return the bytes of resident memory that the server needs for each idle connection.

    Raises:
        BenchmarkFailed: the server closed connections.
    """
    address = urlsplit(url).netloc
    with ExitStack() as stack:

        def poll_on_new_connection(slot: int) -> http.client.HTTPConnection:
            connection = http.client.HTTPConnection(address, timeout=20)
            stack.callback(connection.close)
            headers = dict(browser_headers(accounts[slot].token))
            connection.request("GET", f"{STATUS_PATH}{slots.task(slot)}/", headers=headers)
            connection.getresponse().read()
            return connection

        # A server also caches accounts and tasks. One poll per account fills those caches before the first reading.
        for slot in range(len(accounts)):
            poll_on_new_connection(slot).close()
        time.sleep(SETTLE_S)
        before = server.resident_bytes
        opened = [poll_on_new_connection(number % len(accounts)) for number in range(connections)]
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
