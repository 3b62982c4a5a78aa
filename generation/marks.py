"""The marks between which the prompt is asked for, and the text between them while it streams.

Refuses to know what stands between them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Marks:
    """The two lines between which the prompt is asked for. ``word`` is random: no draft and no example can hold it."""

    word: str

    @classmethod
    def new(cls) -> Marks:
        return cls(secrets.token_hex(4))

    @cached_property
    def begin(self) -> str:
        return f"<prompt-{self.word}>"

    @cached_property
    def end(self) -> str:
        return f"</prompt-{self.word}>"


class MarkFilter:
    """Filters a stream of an answer's pieces: removes the marks, and the text before the first."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._held = ""
        self._inside = self._passing = self._over = False

    def feed(self, piece: str) -> str:
        """Return the part of the text so far that may be shown now."""
        if self._over:
            return ""
        self._held += piece
        if not self._inside and self._marks.begin in self._held:
            self._held = self._held.partition(self._marks.begin)[2]
            self._inside = self._passing = True
        if not self._passing:
            self._held = start = self._held.lstrip()  # not kept: it may come in many thousands of pieces
            if not start or self._marks.begin.startswith(start[: len(self._marks.begin)]):
                return ""
            self._passing = True  # an answer without marks, or with words before them: the final document is the truth
        if self._inside:
            self._held = self._held.lstrip("\n") if not self._shown else self._held
        return self._release()

    _shown = False

    def _release(self) -> str:
        if self._marks.end in self._held:
            shown, self._over = self._held.partition(self._marks.end)[0].rstrip(), True
            self._held = ""
        else:
            kept = self._beginning_of_mark()
            shown, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        self._shown = self._shown or bool(shown)
        return shown

    def _beginning_of_mark(self) -> int:
        """Return how many characters at the end may be the beginning of a mark."""
        if "<" not in self._held:
            return 0
        for mark in (self._marks.end, self._marks.begin):
            at = self._held.rfind("<", max(0, len(self._held) - len(mark)))
            if at >= 0 and mark.startswith(self._held[at:]):
                return len(self._held) - at
        return 0

    def end(self) -> str:
        """Return the text that was held back for a mark that never came."""
        rest, self._held = ("" if self._over else self._held), ""
        return rest
