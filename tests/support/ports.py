"""Ports for servers whose port must be known before they bind it."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import socket

BUS = 10_000  # a Redis cluster's node uses a second port, so much above its first
# The kernel hands out neither these nor those of the bus: a port that it gave to a probe may soon be anybody's.
FIXED_PORTS = range(20_000, 22_700)
WORKERS = 9  # of pytest that may run at once without ever trying the same port


def _of_this_worker() -> list[int]:
    worker = re.search(r"\d+$", os.environ.get("PYTEST_XDIST_WORKER", ""))
    ports = FIXED_PORTS[int(worker[0]) % WORKERS if worker else 0 :: WORKERS]
    return random.sample(ports, len(ports))


_in_turn = itertools.cycle(_of_this_worker())  # a port that was given a moment ago may not be bound yet


def free_ports(count: int) -> list[int]:
    """Return ports that nothing uses now, nor the bus above them, and that no other worker of this run is given."""
    found: list[int] = []
    for port in itertools.islice(_in_turn, len(FIXED_PORTS)):
        with socket.socket() as probe, socket.socket() as bus, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + BUS))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError(f"of {FIXED_PORTS} only {len(found)} of {count} are free")
