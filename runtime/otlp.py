"""Spans by OpenTelemetry's SDK, sent to a collector with OTLP over HTTP from a thread of the SDK's own.

The one module that imports OpenTelemetry. The SDK's own variables set the rest: OTEL_SERVICE_NAME,
OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS, … Refuses to know what a span is about.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.tracing import Attributes, Kind, Span, Tracing, headers_of

SEND_WITHIN_S = 3.0  # one batch, repetitions included
ENDS_WITHIN_S = 5.0
SERVICE = "prompt-server"
QUEUE_SIZE = (
    2_048  # spans that wait for the collector. Source: OpenTelemetry SDK configuration, OTEL_BSP_MAX_QUEUE_SIZE
)
KINDS = {"internal": trace.SpanKind.INTERNAL, "server": trace.SpanKind.SERVER, "client": trace.SpanKind.CLIENT}
PROPAGATOR = TraceContextTextMapPropagator()


class _Span(Span):
    def __init__(self, span: trace.Span) -> None:
        self.span = span
        self.context = _written(trace.set_span_in_context(span, Context()))

    def set(self, attributes: Attributes) -> None:
        self.span.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        self.span.set_attribute("error.type", error_type)
        self.span.set_status(trace.StatusCode.ERROR)

    def end(self) -> None:
        if self.span.is_recording():
            self.span.end()


class _Exporter(OTLPSpanExporter):
    """Counts the spans that it is given, and those that the collector did not take, in the SDK's thread."""

    lost = taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.lost += len(spans)
        return result


class _Processor(BatchSpanProcessor):
    """Counts the spans that the SDK drops from its queue, because more end than the collector takes."""

    def __init__(self, exporter: _Exporter) -> None:
        super().__init__(exporter)
        self._size = _queue_size()
        self._exporter = exporter
        self._ended = self._dropped = 0

    def on_end(self, span: ReadableSpan) -> None:
        if span.context and span.context.trace_flags.sampled:
            self._dropped += self._ended - self._dropped - self._exporter.taken >= self._size
            self._ended += 1
        super().on_end(span)

    @property
    def lost(self) -> int:
        return self._dropped + self._exporter.lost


def _queue_size() -> int:
    try:
        return int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE, QUEUE_SIZE))
    except ValueError:  # the SDK has said so, and goes on with this
        return QUEUE_SIZE


class OtlpTracing(Tracing):
    """Makes spans of one tracer."""

    active = True

    def __init__(self, tracer: trace.Tracer, processor: _Processor) -> None:
        self._tracer = tracer
        self._processor = processor

    @property
    def lost_spans(self) -> int:
        return self._processor.lost

    def begin(self, name: str, kind: Kind, parent: str, attributes: Attributes, began_ns: int) -> Span:
        context = _context_of(parent) if parent else None
        span = self._tracer.start_span(name, context, KINDS[kind], attributes, start_time=began_ns)
        attach(trace.set_span_in_context(span))
        return _Span(span)

    @contextmanager
    def span(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        link: str = "",
        parent: str = "",
        attributes: Attributes | None = None,
    ) -> Iterator[Span]:
        linked = trace.get_current_span(_context_of(link)).get_span_context() if link else None
        links = [trace.Link(linked)] if linked and linked.trace_flags.sampled else []
        if linked and not links:
            parent = link  # whose sampling it has then: a trace that is not kept
        with self._tracer.start_as_current_span(
            name,
            context=_context_of(parent) if parent else None,
            kind=KINDS[kind],
            attributes=attributes,
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            span = _Span(made)
            try:
                yield span
            except asyncio.CancelledError:  # no error by itself; one that it becomes has a name of its own
                raise
            except BaseException as exc:
                span.fail(type(exc).__name__)
                raise

    def record(self, name: str, began_ns: int) -> None:
        self._tracer.start_span(name, start_time=began_ns).end()

    def note(self, attributes: Attributes) -> None:
        trace.get_current_span().set_attributes(attributes)

    def context(self) -> str:
        span = trace.get_current_span()
        return _written(trace.set_span_in_context(span)) if span.get_span_context().trace_flags.sampled else ""


def _context_of(context: str) -> Context:
    return PROPAGATOR.extract(headers_of(context), Context())


def _written(context: Context) -> str:
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier, context)
    return " ".join(carrier.values())  # traceparent, and tracestate where there is one


@asynccontextmanager
async def open_otlp(endpoint: str) -> AsyncIterator[Tracing]:
    """Yield a ``Tracing`` that sends its spans to ``endpoint``, a collector's URL with its path."""
    name = {} if "OTEL_SERVICE_NAME" in os.environ else {SERVICE_NAME: SERVICE}
    provider = TracerProvider(resource=Resource.create(name), shutdown_on_exit=False)
    processor = _Processor(_Exporter(endpoint, timeout=SEND_WITHIN_S))
    provider.add_span_processor(processor)
    try:
        yield OtlpTracing(provider.get_tracer(SERVICE), processor)
    finally:
        await _shut_down(provider)


async def _shut_down(provider: TracerProvider) -> None:
    """Send the remaining spans, in a thread that does not delay the end of the process when the collector hangs."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def shut_down() -> None:
        provider.shutdown()
        with contextlib.suppress(RuntimeError):  # the loop has not waited
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=shut_down, name="sends the last spans", daemon=True).start()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ENDS_WITHIN_S):
            await done.wait()
