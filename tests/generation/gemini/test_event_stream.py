"""Framing: whatever way the bytes are cut, the same values come out."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.gemini.errors import MalformedAnswer
from generation.gemini.event_stream import EventStream

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=3), max_size=5)
LINE_ENDS = st.sampled_from([b"\r\n", b"\n", b"\r"])
SPLITS = st.lists(st.integers(0, 10_000), max_size=20)


def read(body: bytes, splits: list[int] | None = None) -> list[Any]:
    """Feed the body cut at these places; return the values."""
    cuts = [0, *sorted(min(cut, len(body)) for cut in splits or []), len(body)]
    stream = EventStream()
    values = [value for at, to in itertools.pairwise(cuts) for value in stream.feed(body[at:to])]
    return values + list(stream.end())


def dumped(value: Any, *, indent: int | None = None) -> bytes:
    # json.dumps leaves lone surrogates to us; Google cannot send them raw.
    return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "replace")


def loaded(values: list[Any]) -> list[Any]:
    return [json.loads(dumped(value)) for value in values]


@given(values=OBJECTS, end=LINE_ENDS, space=st.sampled_from([b"", b" "]), splits=SPLITS)
def test_events_come_out_the_same_however_they_were_cut(
    values: list[Any], end: bytes, space: bytes, splits: list[int]
) -> None:
    body = b"".join(b"data:" + space + dumped(value) + end + end for value in values)
    assert read(body, splits) == loaded(values)


@given(values=OBJECTS, end=LINE_ENDS, splits=SPLITS)
def test_data_over_several_lines_is_one_value(values: list[Any], end: bytes, splits: list[int]) -> None:
    body = b""
    for value in values:
        body += end.join(b"data: " + line for line in dumped(value, indent=1).split(b"\n")) + end + end
    assert read(body, splits) == loaded(values)


@given(values=OBJECTS, splits=SPLITS, indent=st.sampled_from([None, 2]))
def test_a_bare_array_comes_out_as_its_members(values: list[Any], splits: list[int], indent: int | None) -> None:
    assert read(dumped(values, indent=indent), splits) == loaded(values)


@given(values=OBJECTS, splits=SPLITS)
def test_an_object_a_line_comes_out_as_objects(values: list[Any], splits: list[int]) -> None:
    assert read(b"\n".join(map(dumped, values)), splits) == loaded(values)


@given(body=st.binary(max_size=300), splits=SPLITS)
def test_any_bytes_give_values_or_a_named_failure_and_cuts_change_nothing(body: bytes, splits: list[int]) -> None:
    def outcome(splits: list[int]) -> Any:
        try:
            return json.dumps(read(body, splits))
        except MalformedAnswer as exc:
            return exc.facts

    assert outcome(splits) == outcome([])


@given(splits=SPLITS, data=st.booleans())
def test_an_error_in_the_middle_comes_after_the_values_before_it(splits: list[int], data: bool) -> None:
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    framed = b"data: " + dumped(error) + b"\r\n\r\n" if data else dumped(error, indent=2) + b"\n"
    assert read(b'data: {"a": 1}\r\n\r\n' + framed, splits) == [{"a": 1}, error]


def test_a_value_is_out_as_soon_as_its_empty_line_is_in() -> None:
    stream = EventStream()
    assert list(stream.feed(b'data: {"a": 1}\r\n')) == []
    assert list(stream.feed(b"\r")) == [{"a": 1}]
    assert list(stream.feed(b'\ndata: {"a": 2}\n')) == []
    assert list(stream.feed(b"\n")) == [{"a": 2}]
    assert list(stream.end()) == []


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\ufeff", "🙂", "e\u0301"])
def test_only_cr_and_lf_end_lines(character: str) -> None:
    value = {"text": f"a{character}b"}
    raw = b'data: {"text": "a' + character.encode() + b'b"}\n\n'
    if ord(character[0]) < 0x20:  # JSON wants these escaped
        raw = b"data: " + dumped(value) + b"\n\n"
    for cut in range(len(raw)):
        assert read(raw, [cut]) == [value]


def test_other_fields_comments_and_a_byte_order_mark_are_passed_over() -> None:
    body = b'\xef\xbb\xbfdata: {"a": 1}\n\n: keep-alive\nevent: message\nid: 7\nretry: 10\ndata: {"a": 2}\n\n'
    assert read(body) == [{"a": 1}, {"a": 2}]


def test_a_last_event_needs_no_empty_line() -> None:
    assert read(b'data: {"a": 1}') == [{"a": 1}]


def test_the_end_mark_of_another_protocol_is_passed_over() -> None:
    assert read(b'data: {"a": 1}\r\n\r\ndata: [DONE]\r\n\r\n') == [{"a": 1}]


@pytest.mark.parametrize("body", [b'data: {"a": 1}', b'data: {"a": 1}\n', b'{"a":\n1}', b'[{"a": 1}'])
def test_what_is_whole_can_be_had_before_the_end_and_half_of_it_cannot(body: bytes) -> None:
    stream = EventStream()
    assert list(stream.feed(body[:-3])) == list(stream.complete()) == []
    assert list(stream.feed(body[-3:])) == []
    assert stream.pending
    assert list(stream.complete()) == [{"a": 1}]
    assert list(stream.end()) == []


def test_nothing_gives_nothing() -> None:
    assert read(b"") == []
    assert read(b"\r\n\r\n\n") == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'data: {"a": \xff}\n\n', "not UTF-8"),
        (b'data: {"a": "\xc3"}\n\n', "not UTF-8"),
        (b"<!DOCTYPE html>\n<html></html>", "not JSON"),
        (b'data: {"a": 1\n\n', "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b"data: " + b"[" * 3 + b'{"a":' * 100_000 + b"\n\n", "not JSON"),
    ],
)
def test_what_is_not_json_has_a_name(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedAnswer) as failure:
        read(body)
    assert failure.value.facts == {"reason": reason}


def test_a_number_of_any_length_is_a_number() -> None:
    """Python refuses to read an int of more than 4,300 digits."""
    assert read(b'data: {"a": ' + b"9" * 5_000 + b', "b": "c"}\n\n') == [{"a": float("inf"), "b": "c"}]


def test_a_byte_order_mark_before_a_value_is_ignored() -> None:
    assert read(b'data: \xef\xbb\xbf{"a": 1}\n\n') == [{"a": 1}]


def test_a_long_line_in_small_pieces_takes_no_longer_than_its_bytes() -> None:
    """Quadratic reading would take minutes here; the bound leaves room for a slow machine."""
    body = b'data: {"text": "' + b"x" * 1_000_000 + b'"}\n\n'
    stream = EventStream()
    values: list[Any] = []
    began = time.process_time()
    for at in range(0, len(body), 10):
        values += stream.feed(body[at : at + 10])
    assert len(values[0]["text"]) == 1_000_000
    assert time.process_time() - began < 20
