"""The kinds of keys of this room. Owners write their tasks' records anew, and indexes are hints; what a key of an
Idempotency-Key says is nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from storage.record_kinds import RecordKind

RECORDS: Mapping[str, RecordKind] = {
    "tasks": RecordKind("zset", replaceable=True),
    "unfinished": RecordKind("zset", replaceable=True),
    "task": RecordKind("hash", replaceable=True),
    "status": RecordKind("string", replaceable=True),
    "events": RecordKind("stream", replaceable=True),
    "readers": RecordKind("string", replaceable=True),
    "submits": RecordKind("string", replaceable=True),
    "idempotency": RecordKind("hash"),
    "idempotency_keys": RecordKind("zset", replaceable=True),
    "leases": RecordKind("zset", replaceable=True),
    "unfinished_accounts": RecordKind("zset", replaceable=True),
    "task_account": RecordKind("string", replaceable=True),
    "rebuilt": RecordKind("string", replaceable=True),
    "handed_back": RecordKind("string", replaceable=True),
    "processes": RecordKind("hash", replaceable=True),
    "hours_of_processes": RecordKind("hash", replaceable=True),
}
