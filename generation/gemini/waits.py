"""The delay that an error answer asks for before the next try.

Source: google.rpc.RetryInfo, RFC 9110 (Retry-After: seconds or a date), and recorded answers for what says it
elsewhere: ErrorInfo's metadata (``quotaResetDelay``) and the message ("Please retry in 34.07s."). Refuses to know who
waits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from generation.gemini.json_values import as_dict

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
NUMBER = r"\d{1,9}(?:\.\d{1,9})?"
UNIT = r"(?:ms|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?)(?![a-z])"
SPAN = re.compile(rf"(?:{NUMBER} ?{UNIT} ?){{1,3}}", re.IGNORECASE)
PIECE = re.compile(rf"({NUMBER}) ?(ms|s|m|h)", re.IGNORECASE)
SECONDS = re.compile(NUMBER, re.ASCII)
ASKED_IN_WORDS = re.compile(r"\b(?:retry|try again|reset|resets|wait)\b[ a-z]{0,20}? (?=\d)", re.IGNORECASE)
MESSAGE_CHARACTERS = 2_000  # read of a message that somebody else wrote
DELAY_NAMES = ("retrydelay", "retryafter", "quotaresetdelay", "retryafterseconds")


def asked_wait_s(details: Sequence[dict[str, Any]], message: object, headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an error asks to wait, by the first of RetryInfo, Retry-After, metadata, message."""
    return next(_asked(details, message, headers), None)


def _asked(details: Sequence[dict[str, Any]], message: object, headers: Mapping[str, str]) -> Iterator[float]:
    for detail in details:
        if (seconds := _duration_s(detail.get("retryDelay"))) is not None:
            yield seconds
    if (seconds := _retry_after_s(headers)) is not None:
        yield seconds
    for detail in details:
        for name, value in as_dict(detail.get("metadata")).items():
            if name.replace("_", "").casefold() in DELAY_NAMES and (seconds := _span_s(str(value))) is not None:
                yield seconds
    if isinstance(message, str):
        text = message[:MESSAGE_CHARACTERS]
        if (asked := ASKED_IN_WORDS.search(text)) and (found := SPAN.match(text, asked.end())):
            yield _sum_s(found[0])


def _duration_s(value: object) -> float | None:
    """Read a google.protobuf.Duration: ``1.5s``, or what gateways make of one: a number, or its two members."""
    if isinstance(value, dict):
        seconds, nanos = _span_s(str(value.get("seconds", ""))), _span_s(str(value.get("nanos", "")))
        return None if seconds is None else seconds + (nanos or 0) / 1e9
    return _span_s(str(value))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "").strip()
    if (seconds := _span_s(text)) is not None:
        return seconds
    moment = _moment(text)
    # The date is by the other side's clock, so it is compared with what that clock showed.
    now = _moment(headers.get("Date", "")) or datetime.now(UTC)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for a zone beyond all clocks
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _span_s(text: str) -> float | None:
    text = text[:MESSAGE_CHARACTERS]
    if SECONDS.fullmatch(text):
        return float(text)
    return _sum_s(text) if SPAN.fullmatch(text) else None


def _sum_s(span: str) -> float:
    return sum(float(number) * UNITS_S[unit.lower()] for number, unit in PIECE.findall(span))
