"""Renders the answers where there is no request: a connection beyond the limit, bytes that are not HTTP, a long head.

Each has the form of the handlers' errors, and ends the connection. Refuses to know when they are sent.
"""

from __future__ import annotations

from typing import NamedTuple

from server.lane.responses import ErrorAnswer, Head, Refusal

LINES = b"\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n"


class BareErrors(NamedTuple):
    """The error for each case."""

    too_many: ErrorAnswer
    malformed: ErrorAnswer
    head_too_large: ErrorAnswer


class BareAnswers:
    """Renders the errors, each time with a request id of its own."""

    def __init__(self, errors: BareErrors) -> None:
        self._head = Head()
        self._refusals = [Refusal(error) for error in errors]

    def too_many(self) -> bytes:
        """Answer a connection beyond the limit."""
        return self._render(0)

    def malformed(self) -> bytes:
        """Answer bytes that are not an HTTP/1 request."""
        return self._render(1)

    def head_too_large(self) -> bytes:
        """Answer a request whose head is longer than Tornado takes."""
        return self._render(2)

    def _render(self, number: int) -> bytes:
        return self._refusals[number].render(self._head, LINES, b"")
