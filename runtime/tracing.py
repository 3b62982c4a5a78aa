"""Traces of generations as the rooms see them; without the setting ``traces.endpoint`` all of it does nothing.

Owns the names that the rooms use and the form of a trace context: the first four fields of a ``traceparent``, and
after a space the ``tracestate`` that came with it, if any. Refuses to know where traces go: that is
``runtime/otlp.py``, the one module that imports OpenTelemetry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, TypeAlias

# Source: W3C Trace Context, "traceparent Header": ids of zeros alone are invalid, and so are version ff and more in 00.
TRACEPARENT = re.compile(
    r"(?!ff|00-.{53})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
# Source: the same, "tracestate Header Field Values" and "Tracestate Limits": the least that has to be passed on.
MEMBER = re.compile(
    r"([a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})="
    r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
MAX_MEMBERS, MAX_TRACESTATE = 32, 512

Kind: TypeAlias = Literal["internal", "server", "client"]
Attributes: TypeAlias = Mapping[str, str | int | float | bool | Sequence[str]]


class Span:
    """A part of a trace that has not ended; this one belongs to no trace and records nothing.

    ``context``: its trace context, also of one that is not kept; '' for none.
    """

    context = ""

    @property
    def trace_id(self) -> str:
        """Return its trace's id, 32 hexadecimal digits, or ''."""
        return trace_id_of(self.context)

    def set(self, attributes: Attributes) -> None:
        """Add attributes."""

    def fail(self, error_type: str) -> None:
        """Mark it as failed, with a word for the kind of error."""

    def end(self) -> None:
        """End it; a second call changes nothing."""


NO_SPAN = Span()


class _NoSpan(AbstractContextManager[Span]):
    def __enter__(self) -> Span:
        return NO_SPAN

    def __exit__(self, *_exc: object) -> None:
        pass


_NO_SPAN_HERE = _NoSpan()


class Tracing:
    """Makes spans; this one makes none. Each is a child of the one that is current where it is made."""

    active = False

    @property
    def lost_spans(self) -> int:
        """How many spans the collector did not take, or not in time."""
        return 0

    def begin(self, name: str, kind: Kind, parent: str, attributes: Attributes, began_ns: int) -> Span:  # noqa: ARG002  # none is made
        """Begin a span that is current for the rest of this asyncio task.

        ``parent``: a trace context, or ''; ``began_ns``: since when it lasts, Unix time.
        """
        return NO_SPAN

    def span(
        self,
        name: str,  # noqa: ARG002  # none is made
        kind: Kind = "internal",  # noqa: ARG002
        *,
        link: str = "",  # noqa: ARG002
        parent: str = "",  # noqa: ARG002
        attributes: Attributes | None = None,  # noqa: ARG002
    ) -> AbstractContextManager[Span]:
        """Return a span that is current while the block lasts; ``link``: the context of a related span: it
        begins a trace of its own, which is kept where that one is.

        ``parent``: the context of the span it belongs to; '' for the current one.

        An exception that leaves the block marks it as failed, with the class's name; its text is not kept. A
        cancellation does not.
        """
        return _NO_SPAN_HERE

    def record(self, name: str, began_ns: int) -> None:
        """Make a span that ends now; ``began_ns``: Unix time."""

    def note(self, attributes: Attributes) -> None:
        """Add attributes to the current span."""

    def context(self) -> str:
        """Return the current span's trace context, or '' where there is none that is kept."""
        return ""


NO_TRACING = Tracing()


def trace_context(traceparent: str, tracestate: str) -> str:
    """Return the trace context of these two headers, or '' when the first is not valid; without a bad second one."""
    if not TRACEPARENT.fullmatch(traceparent):
        return ""
    return " ".join(filter(None, (traceparent[:55], _passed_on(tracestate))))


def headers_of(context: str) -> dict[str, str]:
    """Return the headers that carry a trace context to somebody else."""
    traceparent, _, tracestate = context.partition(" ")
    return {name: value for name, value in (("traceparent", traceparent), ("tracestate", tracestate)) if value}


def trace_id_of(context: str) -> str:
    """Return the trace id of a trace context, or '' when there is none."""
    return context[3:35]


def _passed_on(tracestate: str) -> str:
    members = [member for each in tracestate.split(",") if (member := each.strip(" \t"))]
    keys = {found[1] for member in members if (found := MEMBER.fullmatch(member))}
    if len(keys) < len(members) or len(members) > MAX_MEMBERS:
        return ""
    while len(text := ",".join(members)) > MAX_TRACESTATE:
        members.pop()
    return text
