"""Tells systemd that this process is ready, that it is stopping, and that its event loop still turns.

Speaks sd_notify's datagrams where ``NOTIFY_SOCKET`` is set, and does nothing elsewhere.
Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping
from types import TracebackType

SIGNS_PER_WATCHDOG = 3  # so that one sign of life may be late


class Systemd:
    """A context manager. While it is open the watchdog gets a sign of life from the running event loop.

    A loop that stands still sends none: systemd then ends the process (``WatchdogSec=``) and starts another.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._every_s = _watchdog_s(environment) / SIGNS_PER_WATCHDOG
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Systemd:
        if self._address and self._every_s:
            self._sign_of_life()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def ready(self) -> None:
        """Requests are accepted: ``systemctl start`` returns."""
        self._say("READY=1")

    def stopping(self) -> None:
        """The process drains."""
        self._say("STOPPING=1")

    def _sign_of_life(self) -> None:
        self._say("WATCHDOG=1")
        self._timer = asyncio.get_running_loop().call_later(self._every_s, self._sign_of_life)

    def _say(self, what: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # A full or absent socket delays nothing: the service manager's trouble is not the users'.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(what.encode(), address)


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """Return the watchdog's time in seconds, 0 where there is none or where it is meant for another process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    try:
        return max(0, int(environment.get("WATCHDOG_USEC", "0"))) / 1_000_000
    except ValueError:
        return 0.0
