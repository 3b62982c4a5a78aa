"""One Redis as the rooms see it: key names, named Lua scripts, and one error when it is away.

Refuses to know what the keys hold. Every key of an account shares the hash tag
``{account_id}``, so that a script touches one slot and Redis Cluster stays possible.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from redis import asyncio as aioredis
from redis import exceptions as redis_errors

INCLUDE = re.compile(r'^--- @include "([a-z_]+)"\n', re.MULTILINE)
ROOT = Path(__file__).parent.parent
SCRIPT_FOLDERS = (ROOT / "accounts" / "lua", ROOT / "generation" / "lua")

Argument = str | bytes | int
T = TypeVar("T")


class StorageUnavailable(Exception):
    """Redis gave no usable answer; whether a write happened is unknown.

    ``reason``: unreachable | timeout | read_only | out_of_memory | loading | refused
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# Order matters: the first class that fits names the reason.
REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (redis_errors.TimeoutError, "timeout"),
    (TimeoutError, "timeout"),
    (redis_errors.BusyLoadingError, "loading"),
    (redis_errors.ConnectionError, "unreachable"),
    (OSError, "unreachable"),
    (redis_errors.ReadOnlyError, "read_only"),
    (redis_errors.OutOfMemoryError, "out_of_memory"),
)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn what redis-py raises into StorageUnavailable.

    An error that a script raises itself is a defect of ours and passes through, except those
    in which Redis refuses to write (OOM, READONLY, MISCONF, MASTERDOWN), which scripts report as plain text.
    """
    try:
        yield
    except (redis_errors.RedisError, OSError) as exc:
        for kind, reason in REASONS:
            if isinstance(exc, kind):
                raise StorageUnavailable(reason) from exc
        text = str(exc)
        if "OOM" in text:
            raise StorageUnavailable("out_of_memory") from exc
        if "READONLY" in text or "-read only replica" in text:
            raise StorageUnavailable("read_only") from exc
        if any(word in text for word in ("MISCONF", "MASTERDOWN", "LOADING", "CLUSTERDOWN", "NOREPLICAS", "BUSY ")):
            raise StorageUnavailable("refused") from exc
        raise


def load_scripts(folders: Sequence[Path] = SCRIPT_FOLDERS) -> Mapping[str, str]:
    """Return every script's text by name, includes put in place.

    Files in an ``include`` folder are fragments: other scripts name them with
    ``--- @include "name"`` and they are not scripts of their own.
    """
    fragments = {
        path.stem: path.read_text("utf-8") for folder in folders for path in sorted(folder.glob("include/*.lua"))
    }

    def expand(text: str) -> str:
        return INCLUDE.sub(lambda match: expand(fragments[match[1]]), text)

    return {path.stem: expand(path.read_text("utf-8")) for folder in folders for path in sorted(folder.glob("*.lua"))}


class Storage:
    """The shared Redis client with our key names and scripts.

    ``observe`` is told (operation, seconds) for each round trip.
    """

    def __init__(
        self,
        redis: aioredis.Redis,
        *,
        prefix: str = "pg",
        observe: Callable[[str, float], None] = lambda _operation, _seconds: None,
    ) -> None:
        self.redis = redis
        self.prefix = prefix
        self._observe = observe
        self._scripts = {name: redis.register_script(text) for name, text in load_scripts().items()}

    def key(self, account_id: str, *parts: str) -> str:
        """Name a key in the account's slot: ``pg:{account_id}:part:part``."""
        return f"{self.prefix}:{{{account_id}}}:{':'.join(parts)}"

    def shared_key(self, *parts: str) -> str:
        """Name a key outside any account's slot: a hint that may be stale or lost."""
        return f"{self.prefix}:{':'.join(parts)}"

    async def run(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one script atomically (EVALSHA, loaded when Redis does not have it).

        A cancelled or failed call has an unknown outcome: scripts are written to be repeated.

        Raises:
            StorageUnavailable: no usable answer.
        """
        return await self.read(script, lambda: self._scripts[script](keys=list(keys), args=list(args)))

    async def run_many(self, script: str, calls: Sequence[tuple[Sequence[str], Sequence[Argument]]]) -> list[Any]:
        """Run one script many times in one round trip; each run is atomic, the whole is not.

        Raises:
            StorageUnavailable: no usable answer; some of the runs may have happened.
        """
        if not calls:
            return []
        pipe = self.redis.pipeline(transaction=False)
        for keys, args in calls:
            await self._scripts[script](keys=list(keys), args=list(args), client=pipe)
        return await self.read(script, pipe.execute)

    async def read(self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        """Await ``call()`` with its time observed and its errors mapped.

        Raises:
            StorageUnavailable: no usable answer.
        """
        started = time.perf_counter()
        with storage_errors():
            try:
                return await call()
            finally:
                self._observe(operation, time.perf_counter() - started)
