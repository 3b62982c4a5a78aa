"""The kinds of keys of this room. A delivery that cannot be read is not sent; the next ones are."""

from __future__ import annotations

from collections.abc import Mapping

from storage.record_kinds import RecordKind

RECORDS: Mapping[str, RecordKind] = {
    "delivery": RecordKind("hash", replaceable=True),
    "deliveries": RecordKind("zset", replaceable=True),
    "deliveries_due": RecordKind("zset", replaceable=True),
    "failed_deliveries": RecordKind("zset", replaceable=True),
    "push_subscriptions": RecordKind("hash", replaceable=True),
}
