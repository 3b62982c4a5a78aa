"""What clients were told about tasks, and whether it was true together.

Owns the rules that hold between any two answers; refuses to know where the answers came from.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.clients import ServerReply

TERMINAL = ("completed", "failed")
NOT_FOUND, SERVICE_UNAVAILABLE = 404, 503
MEMBERS_THAT_NEVER_CHANGE = ("created_at", "task_id")
MEMBERS_THAT_NEVER_FALL = ("progress", "version", "attempt")


STALE_S = 1.0  # what a process may say although another knows better: it has not heard of the change yet


@dataclass(frozen=True, slots=True)
class Seen:
    """A document, and when its answer had arrived."""

    document: dict[str, Any]
    at: float


class Witness:
    """Remembers each accepted task and its highest document. ``untrue`` are the contradictions, as sentences.

    ``requests`` counts all that were sent, ``answers`` those of them that were answered whole.

    Two processes may differ for STALE_S; one process never goes back, and nobody does after that time. Where Redis is
    ``forgetful``, a task may be unknown for a moment, until its process puts it back.
    """

    def __init__(self) -> None:
        self.accounts: set[str] = set()
        self.tasks: dict[str, str] = {}
        self.keys: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.refusals: dict[tuple[int, str], int] = defaultdict(int)
        self.slowest_refusal_s = 0.0
        self.requests = 0
        self.answers = 0
        self.untrue: list[str] = []
        self.forgetful = False
        self._highest: dict[str, Seen] = {}
        self._by_process: dict[tuple[str, str], Seen] = {}

    def document(self, task_id: str) -> dict[str, Any] | None:
        """Return the highest version that anybody was shown."""
        seen = self._highest.get(task_id)
        return seen.document if seen else None

    def accepted(self, account_id: str, task_id: str, key: str = "") -> None:
        """Note a 202."""
        self.tasks[task_id] = account_id
        if key:
            self.keys[account_id, key].add(task_id)

    def refused(self, answer: ServerReply, task_id: str = "") -> None:
        """Note an answer that is no success: it must be in our shape, and no existing task is unknown."""
        try:
            members = answer.json
            code = str(members["error_code"])
            shaped = members["success"] is False and bool(members["error"]) and bool(members["request_id"])
        except (ValueError, KeyError):
            code, shaped = "?", False
        self.refusals[answer.status, code] += 1
        self.slowest_refusal_s = max(self.slowest_refusal_s, time.monotonic() - answer.asked_at)
        if not shaped:
            self.untrue.append(f"{answer.status} in no shape of ours: {answer.body[:200]!r}")
        if answer.status == SERVICE_UNAVAILABLE and "Retry-After" not in answer.headers:
            self.untrue.append("503 without Retry-After")
        if answer.status >= 500 and answer.status != SERVICE_UNAVAILABLE:
            self.untrue.append(f"{answer.status} {code}")
        if answer.status == NOT_FOUND and task_id in self.tasks and not self.forgetful:
            self.untrue.append(f"404 for the accepted task {task_id}")

    def saw(self, task_id: str, document: dict[str, Any], *, process: str, asked_at: float) -> None:
        """Compare a document with those before. ``asked_at``: time.monotonic() when its request was made."""
        seen = Seen(document, time.monotonic())
        highest = self._highest.get(task_id)
        if highest is not None:
            self._compare(task_id, highest.document, document)
            if document["version"] < highest.document["version"] and asked_at > highest.at + STALE_S:
                self.untrue.append(f"{task_id}: older than a second: {document}, then {highest.document}")
        if highest is None or document["version"] > highest.document["version"]:
            self._highest[task_id] = seen
        same = self._by_process.get((task_id, process))
        if same is not None and document["version"] < same.document["version"] and asked_at > same.at:
            self.untrue.append(f"{task_id}: one process went back: {same.document}, then {document}")
        if same is None or document["version"] >= same.document["version"]:
            self._by_process[task_id, process] = seen

    def _compare(self, task_id: str, one: dict[str, Any], other: dict[str, Any]) -> None:
        for name in MEMBERS_THAT_NEVER_CHANGE:
            if one[name] != other[name]:
                self.untrue.append(f"{task_id}: {name} was {one[name]}, then {other[name]}")
        earlier, later = sorted((one, other), key=lambda each: int(each["version"]))
        if earlier["version"] == later["version"] and earlier != later:
            self.untrue.append(f"{task_id}: two documents of version {earlier['version']}: {earlier}, {later}")
        if earlier["status"] in TERMINAL and earlier != later:
            self.untrue.append(f"{task_id}: changed after its end: {earlier}, {later}")
        for name in MEMBERS_THAT_NEVER_FALL:
            if earlier[name] > later[name]:
                self.untrue.append(f"{task_id}: {name} fell: {earlier}, {later}")
