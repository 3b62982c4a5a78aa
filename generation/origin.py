"""The request that made a task, as the lines and the traces of every process that works for the task name it.

It is kept in the task's record and in those of its webhooks. Refuses to know how a line is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.tracing import trace_id_of


@dataclass(frozen=True, slots=True)
class Origin:
    """``request_id`` as the client got it, '' when unknown; ``trace``: the trace context of the submit, or ''."""

    request_id: str = ""
    trace: str = ""

    @classmethod
    def read(cls, trace: bytes, request_id: bytes) -> Origin:
        """Return what scripts return of it; what somebody else wrote there spoils a line at most."""
        return cls(str(request_id, "ascii", "replace"), str(trace, "ascii", "replace"))

    @property
    def trace_id(self) -> str:
        return trace_id_of(self.trace)

    @property
    def log_fields(self) -> dict[str, str]:
        """Return the fields of a line of the log that lead back to the request."""
        known = {"request_id": self.request_id, "trace_id": self.trace_id}
        return {name: value for name, value in known.items() if value}


NO_ORIGIN = Origin()
