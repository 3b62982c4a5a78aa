"""The span of one try to deliver a webhook, with the names of OpenTelemetry's conventions for HTTP clients."""

from __future__ import annotations

from urllib.parse import urlsplit

from notifications.deliveries import DueDelivery
from runtime.tracing import Attributes, Span

NAME = "webhook"


def of_try(url: str, task_id: str, due: DueDelivery) -> Attributes:
    """Return the attributes known before the try; of the address neither path nor query, which may be secret."""
    address = urlsplit(url)
    known: dict[str, str | int] = {
        "http.request.method": "POST",
        "server.address": address.hostname or "",
        "server.port": address.port or (443 if address.scheme == "https" else 80),
        "prompt.task_id": task_id,
        "prompt.webhook_id": due.id,
    }
    if due.number > 1:
        known["http.request.resend_count"] = due.number - 1
    return known


def note_outcome(span: Span, state: str, last: str) -> None:
    """Add the outcome: ``last`` is the status of the answer, or the reason that there is none."""
    if last.isdecimal():
        span.set({"http.response.status_code": int(last)})
    if state != "delivered":
        span.fail(last)
