"""Decodes Gemini's framing: bytes in, JSON values out, however the bytes were cut.

Source: recorded streams: ``data: {json}`` and an empty line; data over several lines; a bare ``{"error": …}`` in the
middle; a plain JSON body instead of a stream, in an array or not. The Content-Type is not reliable, so it is not
read. Lines end at CR, LF or both and nowhere else: U+2028 is text. Refuses to know what the values mean.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from generation.gemini.errors import MalformedAnswer

LINE_END = re.compile(rb"\r\n|\n|\r")
BETWEEN_VALUES = re.compile(r"[\s,\[\]\ufeff]*")  # a bare array of answers is read as its members
DONE = b"[DONE]"  # how gateways end a stream that know OpenAI's protocol
FIELDS = (b"event:", b"id:", b"retry:", b":")
MAX_VALUES = 1_000  # that are looked at while the end is not there yet
DECODER = json.JSONDecoder()
LONG_NUMBERS = json.JSONDecoder(parse_int=float)  # an int of more than 4,300 digits is an error in Python


class EventStream:
    """One body being read. Every byte is read once, however small the pieces are."""

    def __init__(self) -> None:
        self._line: list[bytes] = []  # the pieces of a line that has not ended
        self._after_cr = False
        self._data: list[bytes] = []
        self._bare: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield the values that are complete now.

        Raises:
            MalformedAnswer: wrong UTF-8 or wrong JSON.
        """
        if self._after_cr and data:  # the LF of a CR LF that was cut in two
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r") if data else self._after_cr
        *lines, rest = LINE_END.split(data)
        for line in lines:
            if self._line:
                self._line.append(line)
                line = b"".join(self._line)
                self._line.clear()
            if line.startswith(b"data:"):  # the way of nearly every line
                self._data.append(line[5:])
            elif line or self._data:
                yield from self._take(line)
        if rest:
            self._line.append(rest)

    @property
    def pending(self) -> bool:
        """Whether something has come that is not complete yet."""
        return bool(self._line or self._data or self._bare)

    def complete(self) -> Iterator[Any]:
        """Yield the value that lacks only its final empty line, and keep everything when it lacks more.

        For a body that stops without an end: often only a line break is missing.
        """
        lines = self._data or self._bare
        data = b"\n".join([*lines, b"".join(self._line).removeprefix(b"data:")])
        try:
            values = list(islice(_values(data), MAX_VALUES + 1))
        except MalformedAnswer:
            return
        if len(values) > MAX_VALUES:
            return
        lines.clear()
        self._line.clear()
        yield from values

    def end(self) -> Iterator[Any]:
        """Yield the values that need no empty line after them: the last event, and those outside ``data:`` lines.

        Raises:
            MalformedAnswer: as ``feed``.
        """
        yield from self.feed(b"\n\n")
        yield from _values(b"\n".join(self._bare))
        self._bare.clear()

    def _take(self, line: bytes) -> Iterator[Any]:
        line = line.removeprefix(codecs.BOM_UTF8)  # no JSON begins a line with one
        if line.startswith(b"data:"):
            self._data.append(line[5:])
        elif not line and self._data:
            data = b"\n".join(self._data)
            self._data.clear()
            yield from _values(data)
        elif line and not line.startswith(FIELDS):
            # Bare JSON, or the further lines of a value that has ``data:`` before its first only.
            (self._data or self._bare).append(line)


def _values(data: bytes) -> Iterator[Any]:
    if data.strip() == DONE:
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedAnswer(reason="not UTF-8") from exc
    position = _skip(text, 0)
    while position < len(text):
        value, position = _value(text, position)
        yield value
        position = _skip(text, position)


def _value(text: str, position: int) -> tuple[Any, int]:
    try:
        try:
            return DECODER.raw_decode(text, position)
        except json.JSONDecodeError:
            raise
        except ValueError:
            return LONG_NUMBERS.raw_decode(text, position)
    except (ValueError, RecursionError) as exc:
        raise MalformedAnswer(reason="not JSON") from exc


def _skip(text: str, position: int) -> int:
    match = BETWEEN_VALUES.match(text, position)
    return match.end() if match else position
