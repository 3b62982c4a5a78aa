"""Which version the layout of the stored data has, and that this program knows it.

One key names the version. It grows only with a layout that older programs would misread; a program reads every version
up to its own. Refuses to know what the layout is: docs/architecture.md has it.
"""

from __future__ import annotations

import structlog

from storage.errors import StorageMisconfigured, StorageUnavailable
from storage.storage import Storage

SCHEMA_VERSION = 1

log = structlog.get_logger(__name__)


async def check_schema(storage: Storage, known: int = SCHEMA_VERSION) -> None:
    """Return when the data can be read; data without a version (new, or older than versions are) gets ``known``.

    Where only the version's own server is out of reach (a part of a cluster), nothing is checked: the rest is served.

    Raises:
        StorageMisconfigured: the data is newer than this program, or the version is none.
    """
    key = storage.shared_key("schema")
    try:
        await storage.command("SET", key, known, "NX")
        stored = await storage.command("GET", key)
        if stored is not None and stored.isdigit() and int(stored) < known:
            await storage.command("SET", key, known)
            stored = b"%d" % known
    except StorageUnavailable as exc:
        if isinstance(exc, StorageMisconfigured):
            raise
        log.warning("schema_not_checked", reason=exc.reason)
        return
    if stored is not None and stored != b"%d" % known:
        shown = stored[:20].decode("utf-8", "backslashreplace")
        raise StorageMisconfigured(
            f"the data in Redis has schema version {shown} ({key}), and this program knows {known} and older ones: "
            "start the version that wrote the data, or a newer one"
        )
