"""Answers a poll that needs no HTTP stack, at about the price of its two system calls.

A read is answered here when it is one request, to the byte: a strict request line for a status with the id of a task
that the copy knows, then a header block that the memo knows. So no second HTTP parser exists that could disagree with
the first: what is known of a block is that Tornado's parser and the ordinary identity accepted it, and what they
answered (``poll_memo.py``). The document comes from the local copy that the ordinary handler reads. Everything else is
lent to Tornado as it came.

Refuses to know sockets (``connections.py``) and who may see what (``accounts``).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from typing import TYPE_CHECKING

import structlog

from accounts import Identity
from generation import Document, StatusCopy
from generation.errors import TaskNotFound
from handlers.errors import TooManyPolls, answer_for
from handlers.paths import STATUS
from handlers.status_errors import ENDED, members_of_error
from server.handoff_stream import LaneStream
from server.lane.credential_refresh import Renewals
from server.lane.header_blocks import is_whole_head
from server.lane.header_cache import Remembered
from server.lane.polls import Polls
from server.lane.responses import Head, Refusal, document_lines
from storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from server.idle_connection import Connection

LINE_BEGINS = f"GET {STATUS}".encode()
LINE_ENDS = b"/ HTTP/1.1\r\n"
TASK_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ID_BEGINS = len(LINE_BEGINS)
ID_ENDS = ID_BEGINS + 36
MEMORABLE_BYTES = 4_096  # four times a browser's; with the number of entries it bounds the memo's memory
LEARNED_AT_ONCE = 100
LEARNED_WITHIN_S = 0.25  # who takes longer, because its credential does, holds up nobody behind it

log = structlog.get_logger("request")


class ExpressLane:
    """One for all connections of a process."""

    def __init__(self, copy: StatusCopy, polls: Polls, identity: Identity) -> None:
        self._copy = copy
        self._memo = polls.memo
        self._counts = polls.counts
        self._head = Head()
        self._too_many = answer_for(TooManyPolls(polls.limits.quota, polls.limits.window_s))
        self._too_many_at: dict[int, Refusal] = {}  # by the task's progress, -1 when it is not known
        self._not_found = Refusal(answer_for(TaskNotFound()), ENDED)
        self._learning: set[LaneStream] = set()
        self._queue: deque[tuple[Connection, bytes]] = deque()
        self._renewals = Renewals(identity, polls.memo)
        self._last_key = b""
        self._reported: tuple[int, ...] = (0, 0, 0)

    def answer(self, data: bytes, now: float) -> bytes | None:
        """Return the answer to what was read, if it can be given at once; ``now`` is time.monotonic()."""
        known, request_id = self._memo.find(data[ID_ENDS:])
        if known is None or not data.startswith(LINE_BEGINS):
            return None
        if now >= known.renew_at:
            if now >= known.valid_until:
                return None
            self._renewals.soon(known)
        key = known.key_prefix + data[ID_BEGINS:ID_ENDS]
        document = self._copy.peek_key(key)
        if document is None:
            return None
        if not known.bucket.take(now):
            return self._refuse(known, key, request_id)
        return self._render(known, key, document, now, request_id)

    def consider(self, connection: Connection, data: bytes, now: float) -> None:
        """Find out what it takes to answer what was read: a look at Redis, a look at the credential, or Tornado."""
        known, request_id = self._memo.find(data[ID_ENDS:])
        if known is None or memorable_block(data) is None:
            self._lend(connection, data)
        elif now >= known.valid_until:
            connection.pause()
            self._renewals.now(known, lambda: self._renewed(connection, data, known))
        elif not known.bucket.take(now):  # before Redis is asked
            connection.send(self._refuse(known, known.key_prefix + data[ID_BEGINS:ID_ENDS], request_id))
        else:
            connection.pause()
            key = known.key_prefix + data[ID_BEGINS:ID_ENDS]
            self._copy.look_up(key, lambda found: self._found(connection, data, known, key, found, request_id))

    def exchange_ended(self, stream: LaneStream) -> None:
        """Hear that a connection that was lent has come back or is closed."""
        self._no_longer_learning(stream)

    def _no_longer_learning(self, stream: LaneStream) -> None:
        if stream in self._learning:
            self._learning.discard(stream)
            while self._queue and len(self._learning) < LEARNED_AT_ONCE:
                connection, data = self._queue.popleft()
                if connection.resume():
                    connection.take(data)

    def report(self) -> None:
        """Log the polls since the last report as one line, with the last as a sample."""
        counts = tuple(self._counts["lane", status] for status in ("200", "404", "429"))
        found, unknown, refused = (count - before for count, before in zip(counts, self._reported, strict=True))
        self._reported = counts
        if found or unknown or refused:
            log.info("polls", found=found, unknown=unknown, refused=refused, sample=self._last_key.decode())

    async def aclose(self) -> None:
        """End what is under way."""
        await self._renewals.aclose()

    def _render(self, known: Remembered, key: bytes, document: Document | None, now: float, request_id: bytes) -> bytes:
        self._last_key = key
        if document is None:
            self._counts["lane", "404"] += 1
            return self._not_found.render(self._head, known.lines, request_id)
        if document.rendered is None:
            document.rendered = document_lines(document)
        self._counts["lane", "200"] += 1
        return b"".join((self._head.ok(now, request_id), known.lines, document.rendered, document.body))

    def _refuse(self, known: Remembered, key: bytes, request_id: bytes) -> bytes:
        self._last_key = key
        self._counts["lane", "429"] += 1
        return self._refusal(self._copy.last_known(key)).render(self._head, known.lines, request_id)

    def _refusal(self, document: Document | None) -> Refusal:
        extra = members_of_error(429, document)
        at = extra.get("progress", -1)
        if at not in self._too_many_at:
            self._too_many_at[at] = Refusal(self._too_many, extra)
        return self._too_many_at[at]

    def _renewed(self, connection: Connection, data: bytes, known: Remembered) -> None:
        if not connection.resume():
            return
        if time.monotonic() < known.valid_until:
            connection.take(data)
        else:
            connection.lend(data)

    def _found(
        self,
        connection: Connection,
        data: bytes,
        known: Remembered,
        key: bytes,
        found: Document | StorageUnavailable | None,
        request_id: bytes,
    ) -> None:
        if not connection.resume():
            return
        if isinstance(found, StorageUnavailable):
            connection.lend(data)  # the ordinary handler knows what to say
        else:
            connection.send(self._render(known, key, found, time.monotonic(), request_id))

    def _lend(self, connection: Connection, data: bytes) -> None:
        """Have Tornado answer, but only so many unknown polls at a time.

        After a restart every client comes with a block that is not known yet. One after the other each is learned soon;
        all at once they would wait for each other until their clients gave up.
        """
        if memorable_block(data) is None:
            connection.lend(data)
        elif len(self._learning) < LEARNED_AT_ONCE:
            if (stream := connection.lend(data)) is not None:
                self._learning.add(stream)
                asyncio.get_running_loop().call_later(LEARNED_WITHIN_S, self._no_longer_learning, stream)
        else:
            connection.pause()
            self._queue.append((connection, data))


def memorable_block(data: bytes) -> bytes | None:
    """Return what the memo may know this request by: what follows the id; None when it is not one whole poll."""
    strict = (
        len(data) <= MEMORABLE_BYTES
        and data.startswith(LINE_BEGINS)
        and TASK_ID.fullmatch(data, ID_BEGINS, ID_ENDS)
        and data.startswith(LINE_ENDS, ID_ENDS)
        and is_whole_head(data)
    )
    return data[ID_ENDS:] if strict else None
