"""What the ordinary status handler and the express lane have in common: limits, memory, counts.

Refuses to know sockets; the lane asks it what may be answered, the handler tells it what was.
"""

from __future__ import annotations

import time

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from accounts import Caller
from generation import Document, StatusCopy
from handlers.errors import TooManyPolls
from server.handoff_stream import LaneStream
from server.lane.header_blocks import can_be_known, lines_of_the_block
from server.lane.header_cache import PollMemo, Remembered
from server.lane.poll_limits import PollLimits


class Polls:
    """``counts`` are polls by who answered (lane, handler) and HTTP status."""

    def __init__(self, copy: StatusCopy, *, per_second: float, memo_entries: int) -> None:
        self._copy = copy
        self.limits = PollLimits(per_second)
        self.memo = PollMemo(memo_entries)
        self.counts: dict[tuple[str, str], int] = {("lane", status): 0 for status in ("200", "404", "429")}

    def admit(self, account_id: str) -> None:
        """Count one poll against the account's limit.

        Raises:
            TooManyPolls
        """
        if not self.limits.bucket(account_id).take(time.monotonic()):
            raise TooManyPolls(self.limits.quota, self.limits.window_s)

    def answered(self, status: int) -> None:
        """Count a poll that the ordinary handler has answered."""
        key = ("handler", str(status))
        self.counts[key] = self.counts.get(key, 0) + 1

    def last_known(self, request: HTTPServerRequest, caller: Caller | None, task_id: str) -> Document | None:
        """Return what this process last knew of the caller's task, however long ago.

        Without a caller, because the credential cannot be checked at the moment, it is whoever it belonged to before.
        """
        if caller is not None:
            prefix = self._copy.key(caller.account_id, "")
        else:
            block = getattr(request.connection.stream, "block", None)  # type: ignore[union-attr]  # HTTP/1 has one
            known = self.memo.find(block)[0] if block is not None else None
            if known is None:
                return None
            prefix = known.key_prefix
        return self._copy.last_known(prefix + task_id.encode())

    def remember(self, request: HTTPServerRequest, caller: Caller, answer: HTTPHeaders) -> None:
        """Let the lane answer the next polls that have this very header block, as this one is answered."""
        stream = request.connection.stream  # type: ignore[union-attr]  # HTTP/1 connections have one
        if not isinstance(stream, LaneStream) or stream.block is None or not can_be_known(request):
            return
        if (lines := lines_of_the_block(answer)) is not None:
            prefix = self._copy.key(caller.account_id, "")
            bucket = self.limits.bucket(caller.account_id)
            authorization = request.headers["Authorization"]
            self.memo.add(stream.block, request.headers, Remembered(caller, authorization, prefix, lines, bucket))
