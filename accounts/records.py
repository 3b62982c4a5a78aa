"""The kinds of keys of this room. What accounts own and owe is nowhere else: none of it is made anew.

Nor is the index of accounts, so that an audit says what is missing; a new account alone begins a new shard.
"""

from __future__ import annotations

from collections.abc import Mapping

from storage.record_kinds import RecordKind

RECORDS: Mapping[str, RecordKind] = {
    "account": RecordKind("hash"),
    "ledger": RecordKind("stream"),
    "ledger_archived": RecordKind("hash"),
    "ledger_blanked": RecordKind("stream"),
    "api_keys": RecordKind("hash"),
    "grants": RecordKind("hash"),
    "calls": RecordKind("hash"),
    "usage": RecordKind("hash", replaceable=True),
    "api_key": RecordKind("string"),
    "deleted_account": RecordKind("string"),
    "accounts": RecordKind("zset"),
    "admin_keys": RecordKind("hash"),
    "watch_token_secret": RecordKind("string", replaceable=True),
}
