"""Answers a poll that needs no HTTP stack, for little more than the price of its two system calls.

Bytes in, bytes out. A poll is answered here when its header block is in the cache and its task is in the local copy. So
no second HTTP parser exists that could disagree with the first: what is known of a block is that Tornado's parser and
the ordinary identity accepted it, and what they answered (``header_cache.py``). The document comes from the local copy
that the ordinary handler reads. Tornado answers everything else.

Does not know connections (``idle_connection.py``) and which account may see what (``accounts``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import structlog

from accounts import Identity, Unauthorized
from generation import Document, StatusCopy
from generation.errors import TaskNotFound, TooManyPolls
from server.lane.credential_refresh import CredentialRefresh
from server.lane.header_cache import CachedPoll, RefusedPoll
from server.lane.learning_slots import LearningSlots
from server.lane.poll_request import PollRequest, whole_polls_of
from server.lane.polls import LANE_STATUSES, Polls
from server.lane.responses import ErrorAnswer, Head, Refusal, document_lines
from storage.errors import StorageUnavailable

Reply: TypeAlias = Callable[[bytes | None], None]  # None: let Tornado answer
ErrorAnswers: TypeAlias = Callable[[Exception, int | None], ErrorAnswer]  # of an error, and the progress last known

log = structlog.get_logger("request")


class ExpressLane:
    """One for all connections of a process.

    ``errors`` are what the ordinary handler answers; ``status_path`` is where it answers; ``retry_after_s`` is sent
    with documents that are not terminal; ``seen`` is told when a terminal one is first sent: account id, task id.
    """

    def __init__(
        self,
        copy: StatusCopy,
        polls: Polls,
        identity: Identity,
        *,
        errors: ErrorAnswers,
        status_path: str,
        retry_after_s: int,
        seen: Callable[[str, str], None] = lambda _account_id, _task_id: None,
    ) -> None:
        self.whole_poll = whole_polls_of(status_path)
        self._copy = copy
        self._cache = polls.cache
        self._identity = identity
        self._counts = polls.counts
        self._errors = errors
        self._retry_after_s = retry_after_s
        self._seen = seen
        self._head = Head()
        self._too_many_polls = TooManyPolls(polls.limits.quota, polls.limits.window_s)
        self._refusals: dict[int | None, Refusal] = {}  # by the task's progress, None when it is not known
        self._unauthorized: dict[str, Refusal] = {}  # by the reason
        self._not_found = Refusal(errors(TaskNotFound(), None))
        self._slots = LearningSlots()
        self._refresh = CredentialRefresh(identity, polls.cache)
        self._last_key = b""
        self._reported = (0,) * len(LANE_STATUSES)

    def look_up(self, poll: PollRequest, now: float, reply: Reply) -> None:
        """Call ``reply`` once, now or later; ``now`` is time.monotonic()."""
        known, request_id = self._cache.find(poll.block)
        if known is None:
            self._look_up_refused(poll, reply)
            return
        if known.task_id not in (b"", poll.task_id):
            reply(None)  # the ordinary handler knows what a watch token is not for
            return
        if now >= known.caller.renew_at:
            if now >= known.caller.fresh_until:
                self._refresh.now(known, partial(self._refreshed, poll, known, reply))
                return
            self._refresh.soon(known)
        key = known.key_prefix + poll.task_id
        if not known.bucket.take(now):  # before Redis is asked
            reply(self._refuse(known, key, request_id))
        elif (document := self._copy.peek_key(key)) is not None:
            reply(self._render(known, key, document, now, request_id))
        else:
            self._copy.look_up(key, partial(self._found, known, key, request_id, reply))

    def exchange_ended(self, poll: PollRequest) -> None:
        """Release the slot of a poll that Tornado has answered, or whose client left before."""
        self._slots.release(poll)

    def report(self) -> None:
        """Log the polls since the last report as one line, with the last as a sample."""
        counts = tuple(self._counts["lane", status] for status in LANE_STATUSES)
        new = [count - before for count, before in zip(counts, self._reported, strict=True)]
        self._reported = counts
        if any(new):
            found, unauthorized, unknown, refused = new
            sample = self._last_key.decode()
            log.info("polls", found=found, unauthorized=unauthorized, unknown=unknown, refused=refused, sample=sample)

    async def aclose(self) -> None:
        """End the work in progress."""
        await self._refresh.aclose()

    def _look_up_refused(self, poll: PollRequest, reply: Reply) -> None:
        """Refuse a poll whose credential is known to be wrong; let Tornado answer any other."""
        refused, request_id = self._cache.find_refused(poll.block)
        reason = self._identity.refused(refused.authorization) if refused is not None else ""
        if refused is not None and reason:
            reply(self._render_unauthorized(refused, reason, request_id))
        else:
            self._slots.admit(poll, partial(reply, None), partial(self._look_up_again, poll, reply))

    def _look_up_again(self, poll: PollRequest, reply: Reply) -> None:
        self.look_up(poll, time.monotonic(), reply)

    def _refreshed(self, poll: PollRequest, known: CachedPoll, reply: Reply) -> None:
        now = time.monotonic()
        if now < known.caller.fresh_until:
            self.look_up(poll, now, reply)
        else:
            reply(None)

    def _found(
        self,
        known: CachedPoll,
        key: bytes,
        request_id: bytes,
        reply: Reply,
        found: Document | StorageUnavailable | None,
    ) -> None:
        if isinstance(found, StorageUnavailable):
            reply(None)  # the ordinary handler has the answer for that
        else:
            reply(self._render(known, key, found, time.monotonic(), request_id))

    def _render(self, known: CachedPoll, key: bytes, document: Document | None, now: float, request_id: bytes) -> bytes:
        self._last_key = key
        if document is None:
            self._counts["lane", "404"] += 1
            return self._not_found.render(self._head, known.lines, request_id)
        if document.rendered is None:
            retry_after_s = None if document.terminal else self._retry_after_s
            document.rendered = document_lines(len(document.body), retry_after_s)
            if document.terminal:
                self._seen(known.caller.account_id, key[len(known.key_prefix) :].decode())
        self._counts["lane", "200"] += 1
        return b"".join((self._head.ok(now, request_id), known.lines, document.rendered, document.body))

    def _render_unauthorized(self, refused: RefusedPoll, reason: str, request_id: bytes) -> bytes:
        self._counts["lane", "401"] += 1
        if reason not in self._unauthorized:
            self._unauthorized[reason] = Refusal(self._errors(Unauthorized(reason), None))
        return self._unauthorized[reason].render(self._head, refused.lines, request_id)

    def _refuse(self, known: CachedPoll, key: bytes, request_id: bytes) -> bytes:
        self._last_key = key
        self._counts["lane", "429"] += 1
        last_known = self._copy.last_known(key)
        progress = None if last_known is None else last_known.progress
        if progress not in self._refusals:
            self._refusals[progress] = Refusal(self._errors(self._too_many_polls, progress))
        return self._refusals[progress].render(self._head, known.lines, request_id)
