"""Reads RateLimit-Policy and RateLimit as a strict client does: Lists of Structured Fields (RFC 9651, 4.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]*)"')  # a String without escapes: names of limits need none
PARAMETER = re.compile(r'; *([a-z*][a-z0-9_.*-]*)=(?:(-?[0-9]{1,15})|"([\x20\x21\x23-\x5b\x5d-\x7e]*)")')
SEPARATOR = re.compile(r"[ \t]*,[ \t]*")
POLICY, LIMIT = {"q": int, "w": int, "qu": str}, {"r": int, "t": int}
UNITS = {"requests", "content-bytes", "concurrent-requests"}  # draft-ietf-httpapi-ratelimit-headers-11, 3.1.2


def items(field: str) -> dict[str, dict[str, int | str]]:
    """Return the Items of a List by their value, a String each, with their parameters.

    Raises:
        AssertionError: it is no such List
    """
    found: dict[str, dict[str, int | str]] = {}
    place = 0
    while True:
        name = NAME.match(field, place)
        assert name, f"no String at {place} of {field!r}"
        parameters: dict[str, int | str] = {}
        place = name.end()
        while parameter := PARAMETER.match(field, place):
            parameters[parameter[1]] = int(parameter[2]) if parameter[2] else parameter[3]
            place = parameter.end()
        found[name[1]] = parameters
        if place == len(field):
            return found
        separator = SEPARATOR.match(field, place)
        assert separator, f"neither a parameter nor a comma at {place} of {field!r}"
        place = separator.end()


def limit_of(headers: Mapping[str, str]) -> tuple[str, dict[str, int | str]]:
    """Return the one limit that an answer names and the parameters of both fields, checked against the draft."""
    [(name, policy)] = items(headers["RateLimit-Policy"]).items()
    [(same, left)] = items(headers["RateLimit"]).items()
    assert same == name
    for parameters, known, needed in ((policy, POLICY, "q"), (left, LIMIT, "r")):
        assert needed in parameters
        assert {key: type(value) for key, value in parameters.items()}.items() <= known.items()
        assert all(value >= 0 for value in parameters.values() if isinstance(value, int))
    assert policy.get("qu", "requests") in UNITS
    assert policy.get("w") != 0
    if "Retry-After" in headers and left["r"] == 0:
        assert int(headers["Retry-After"]) >= int(left.get("t", 0)), "no earlier than the end of the effective window"
    return name, policy | left
