"""The documents that the status copy holds: bounded, and never an older version over a newer one.

Refuses to know how documents are read, and when one that is no longer certain is read again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import ValuesView

from generation.document import Document
from storage.tracking import TrackingLink

MAX_BYTES = 1 << 27


class KnownDocuments:
    """Documents by the bytes of their key: ``entries`` of ``max_bytes`` in all, the least used go first."""

    def __init__(self, entries: int, max_bytes: int) -> None:
        self._max_entries = entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self._documents: OrderedDict[bytes, Document] = OrderedDict()
        self.get = self._documents.get  # bound once: every poll calls it

    def __len__(self) -> int:
        return len(self._documents)

    def values(self) -> ValuesView[Document]:
        return self._documents.values()

    def store(
        self, key: bytes, body: bytes, expires_at: float, good_until: float, link: TrackingLink | None
    ) -> Document:
        """Apply what was read or written, and return the version that counts: a higher one that is known stays.

        Without ``link`` nobody reports the next change: unless it is terminal, the document is good until
        ``good_until``.
        """
        fresh = Document(body, expires_at)
        document = self._documents.get(key)
        if document is None or document.version < fresh.version or document.expires_at <= time.monotonic():
            self._bytes += len(body) - (len(document.body) if document is not None else 0)
            document = self._documents[key] = fresh
        elif document.version == fresh.version:
            document.expires_at = expires_at
        if document.terminal or link is not None:
            document.link = None if document.terminal else link
            document.good_until = document.expires_at
        elif document.link is None:
            document.good_until = min(document.expires_at, good_until)
        self._evict()
        return document

    def trust_nothing_of(self, link: TrackingLink) -> None:
        """Read what ``link`` vouched for again before it is used.

        Kept all the same, so that no lower version comes after a higher one. Those that are untracked as well: when
        the link is back watchers look once more, and rely on being told of what comes after that.
        """
        for document in self._documents.values():
            if not document.terminal and document.link in (None, link):
                document.link = None
                document.good_until = 0.0

    def forget(self, key: bytes) -> None:
        document = self._documents.pop(key, None)
        if document is not None:
            self._bytes -= len(document.body)

    def forget_expired(self) -> None:
        now = time.monotonic()
        for key in [key for key, document in self._documents.items() if document.expires_at <= now]:
            self.forget(key)

    def clear(self) -> None:
        self._documents.clear()
        self._bytes = 0

    def _evict(self) -> None:
        while len(self._documents) > self._max_entries or self._bytes > self._max_bytes:
            key, document = self._documents.popitem(last=False)
            if document.used:
                document.used = False
                self._documents[key] = document  # a second chance: cheaper than moving it at every look
            else:
                self._bytes -= len(document.body)
