"""A task's events as text/event-stream. Source: WHATWG HTML, section "Server-sent events"."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tornado.iostream import StreamClosedError

from accounts import AccountsError
from generation import Event
from handlers.errors import BadRequest
from handlers.generations import WaitingHandler
from storage.errors import StorageUnavailable

SILENCE_S = 15.0
SLOW_READER_S = 10.0
RECONNECT_MS = 2000
LINE_BREAKS = tuple((chr(code).encode(), b"\\u%04x" % code) for code in (0x85, 0x2028, 0x2029))


class EventsHandler(WaitingHandler):
    """GET generate-prompt-async/events/{task_id}/"""

    async def get(self, task_id: str) -> None:
        last_id = self.request.headers.get("Last-Event-ID", "")
        if last_id and not self.services.generations.is_event_id(last_id):
            raise BadRequest(
                400,
                "invalid_parameter",
                "Last-Event-ID is not valid",
                "Send the id of the last event, as it was received.",
            )
        account_id, generations = self.caller.account_id, self.services.generations
        await generations.status(account_id, task_id)
        if last_id and await generations.events_are_over(account_id, task_id, last_id):
            self.set_status(204)  # Source: HTML, 9.2.3: an EventSource does not reconnect after it
            return
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("X-Accel-Buffering", "no")
        if self.request.method == "HEAD":
            return
        with self.services.open_streams.place(account_id, "stream"):
            await self._stream(account_id, task_id, last_id)

    async def _stream(self, account_id: str, task_id: str, last_id: str) -> None:
        generations = self.services.generations
        self.write(f"retry: {RECONNECT_MS}\n\n".encode())
        # A stream whose credential ends stops as when Redis is lost: the client that resumes gets the reason.
        with suppress(TimeoutError, StreamClosedError, AccountsError, StorageUnavailable):
            await self._send()  # at once: a client that resumes may have to wait long for the next event
            async with self.wait_scope.entered():
                async for event in generations.events(account_id, task_id, last_id, SILENCE_S):
                    await self.authenticate()
                    self.write(render(event))
                    await self._send()
                    if event.kind == "end":
                        self.services.seen(account_id, task_id)

    async def _send(self) -> None:
        """Wait until the reader has taken what was written: a slow reader is disconnected, not buffered for."""
        try:
            async with asyncio.timeout(SLOW_READER_S):
                await self.flush()
        except TimeoutError:
            self.request.connection.stream.close()  # type: ignore[union-attr]  # HTTP/1 connections have a stream
            raise


def render(event: Event) -> bytes:
    """Render one event; its data is JSON without line breaks, so one data line is enough.

    What some clients take for line breaks as well (Python's splitlines does) is escaped, which JSON allows.
    """
    if event.kind == "silence":
        return b": still here\n\n"
    data = event.data
    for character, escape in LINE_BREAKS:
        data = data.replace(character, escape)
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event.id.encode(), event.kind.encode(), data)
