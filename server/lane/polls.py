"""Shared by the ordinary status handler and the express lane: poll limit, cache of header blocks, counts.

Does not know sockets. The lane reads from it what may be answered; the handler records what was answered.
"""

from __future__ import annotations

import time

from tornado.httputil import HTTPServerRequest

from accounts import Caller
from generation import Document, StatusCopy
from generation.errors import TooManyPolls
from server.lane.header_blocks import can_be_cached, lines_of_the_block
from server.lane.header_cache import CachedPoll, HeaderCache, RefusedPoll
from server.lane.poll_limits import PollLimits
from server.lane.poll_request import PollRequest

LANE_STATUSES = ("200", "401", "404", "429")
HANDLER_STATUSES = (*LANE_STATUSES, "400", "403", "500", "503")


class Polls:
    """``counts`` are polls by their answerer (lane, handler) and HTTP status."""

    def __init__(self, copy: StatusCopy, *, per_second: float, cache_entries: int) -> None:
        self._copy = copy
        self.limits = PollLimits(per_second)
        self.cache = HeaderCache(cache_entries)
        self.counts: dict[tuple[str, str], int] = {
            **{("lane", status): 0 for status in LANE_STATUSES},
            **{("handler", status): 0 for status in HANDLER_STATUSES},
        }

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

        Without a caller, because the credential cannot be checked at the moment, it is the last owner of the header
        block.
        """
        if caller is not None:
            if not caller.may_ask_about(task_id):
                return None
            prefix = self._copy.key(caller.account_id, "")
        else:
            poll, _ = _exchange(request)
            known = self.cache.find(poll.block)[0] if poll is not None else None
            if known is None or known.task_id not in (b"", task_id.encode()):
                return None
            prefix = known.key_prefix
        return self._copy.last_known(prefix + task_id.encode())

    def remember(self, request: HTTPServerRequest, caller: Caller) -> None:
        """Let the lane answer the next polls that have this very header block, as this one was answered."""
        poll, lines = _cacheable(request)
        if poll is not None and lines is not None:
            prefix = self._copy.key(caller.account_id, "")
            bucket = self.limits.bucket(caller.account_id)
            self.cache.add(poll.block, request.headers, CachedPoll(caller, prefix, lines, bucket))

    def remember_refused(self, request: HTTPServerRequest) -> None:
        """Let the lane refuse the next polls that have this very header block, while their credential is refused."""
        poll, lines = _cacheable(request)
        if poll is not None and lines is not None:
            refused = RefusedPoll(request.headers.get("Authorization"), lines)
            self.cache.add_refused(poll.block, request.headers, refused)


def _exchange(request: HTTPServerRequest) -> tuple[PollRequest | None, bytes]:
    """Return the poll that the request's connection was handed off with, and the head of its answer."""
    stream = getattr(request.connection, "stream", None)
    return getattr(stream, "poll", None), getattr(stream, "answer_head", b"")


def _cacheable(request: HTTPServerRequest) -> tuple[PollRequest | None, bytes | None]:
    poll, head = _exchange(request)
    if poll is None or not can_be_cached(request):
        return None, None
    return poll, lines_of_the_block(head)
