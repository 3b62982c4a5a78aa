"""Opens tracing as the settings say: none, or OpenTelemetry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.settings import TraceSettings
from runtime.tracing import NO_TRACING, Tracing


class TracesUnusable(Exception):
    """Traces are asked for and cannot be sent; the text says what is missing."""


@asynccontextmanager
async def open_tracing(settings: TraceSettings) -> AsyncIterator[Tracing]:
    """Yield a ``Tracing``; at the end the remaining spans are sent, within a few seconds at most.

    Raises:
        TracesUnusable: traces are asked for, and OpenTelemetry is not installed.
    """
    if not settings.endpoint:
        yield NO_TRACING
        return
    try:
        from runtime.otlp import open_otlp  # an extra, which takes half a second to import
    except ImportError as exc:
        raise TracesUnusable(
            "traces.endpoint needs OpenTelemetry:"
            " .venv/bin/pip install --require-hashes --no-deps -r requirements-otel.lock"
        ) from exc
    async with open_otlp(settings.endpoint) as tracing:
        yield tracing
