"""Gemini's framing undone: bytes in, JSON values out, whatever way they were cut.

Source: Google's own streams: ``data: {json}`` and an empty line; multi-line data; a bare ``{"error": …}`` in between;
a plain JSON body instead of a stream, in an array or not. The Content-Type says nothing reliable, so it is not asked.
Lines end at CR, LF or both and nowhere else: U+2028 is text. Refuses to know what the values mean.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from generation.gemini.errors import MalformedAnswer

LINE_END = re.compile(r"\r\n|\n|\r")
BETWEEN_VALUES = " \t\r\n,[]"  # a bare array of answers is read as its members
FIELDS = ("event:", "id:", "retry:", ":")


class EventStream:
    """One body being read."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._rest = ""
        self._data: list[str] = []
        self._bare: list[str] = []

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[Any]:
        """Yield the values that are complete now; with ``last`` also what stands outside ``data:`` lines.

        Raises:
            MalformedAnswer: wrong UTF-8, or what should be JSON and is not.
        """
        try:
            text = self._rest + self._decoder.decode(data, final=last)
        except UnicodeDecodeError as exc:
            raise MalformedAnswer(reason="not UTF-8") from exc
        # A CR at the very end may be half of CR LF: it waits for what follows.
        held_back = "" if last or not text.endswith("\r") else "\r"
        *lines, self._rest = LINE_END.split(text[: len(text) - len(held_back)])
        self._rest += held_back
        if last:
            lines += [self._rest, ""]
            self._rest = ""
        for line in lines:
            yield from self._take(line)
        if last:
            yield from self._values("\n".join(self._bare))

    def _take(self, line: str) -> Iterator[Any]:
        if line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))
        elif not line and self._data:
            data, self._data = "\n".join(self._data), []
            yield from self._values(data)
        elif line and not line.startswith(FIELDS):
            if self._data:  # a value whose JSON was printed over several lines, with ``data:`` before the first only
                self._data.append(line)
            else:
                self._bare.append(line)

    def _values(self, text: str) -> Iterator[Any]:
        decoder = json.JSONDecoder()
        position = _skip(text, 0)
        while position < len(text):
            try:
                value, position = decoder.raw_decode(text, position)
            except (ValueError, RecursionError) as exc:
                raise MalformedAnswer(reason="not JSON") from exc
            yield value
            position = _skip(text, position)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in BETWEEN_VALUES:
        position += 1
    return position
