"""One version of a task's status document, as its bytes: what can be told of it without parsing JSON at every poll.

``documents.py`` makes them; this module reads them.
"""

from __future__ import annotations

import re
from typing import Any

from storage.tracking import TrackingLink

TERMINAL = (b'{"status":"completed"', b'{"status":"failed"')
VERSION = re.compile(rb'"version":(\d+)')  # a member's name: inside a string both quotes would be escaped
PROGRESS = re.compile(rb'"progress":(\d+)')  # the second member of every document


class Document:
    """One version of a task's status document.

    ``expires_at`` is in the seconds of ``time.monotonic()``. ``rendered`` is for the sender of the document, which
    keeps its rendered response there for as long as the version does not change.
    """

    __slots__ = ("body", "expires_at", "good_until", "link", "rendered", "terminal", "used", "version")

    def __init__(self, body: bytes, expires_at: float) -> None:
        self.body = body
        self.version = version_of(body)
        self.terminal = body.startswith(TERMINAL)
        self.expires_at = expires_at
        self.rendered: Any = None
        # For the copy: valid without a read until then; the link that reports a change; whether
        # it was looked at since it was last spared.
        self.good_until = 0.0
        self.link: TrackingLink | None = None
        self.used = True

    @property
    def progress(self) -> int | None:
        """The task's progress in percent."""
        found = PROGRESS.search(self.body)
        return int(found[1]) if found else None

    @property
    def tracked(self) -> bool:
        """Whether a change by another process would be reported."""
        return self.link is not None


def version_of(body: bytes) -> int:
    """Return the version in a document's bytes."""
    found = VERSION.search(body)
    return int(found[1]) if found else 0


def is_document(body: bytes) -> bool:
    """Say whether the bytes can be one of our documents: somebody else may have written there."""
    if not body.startswith(b'{"status":"') or not body.endswith(b"}"):
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
