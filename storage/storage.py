"""Redis as the rooms see it: key names, named Lua scripts, plain commands, and one error when it is away.

Refuses to know what the keys hold. Every key of an account shares the hash tag ``{account_id}``, so that a script
touches one slot, and the same program runs on a cluster.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from redis import exceptions as redis_errors

from runtime.redis_url import parse_redis_url
from runtime.settings import RedisSettings
from storage.cluster import Cluster
from storage.errors import UNLIKE_OURS, RecordUnreadable, StorageMisconfigured, StorageUnavailable
from storage.login import Address, Login
from storage.primary import Primary
from storage.record_kinds import RecordKind, RecordKinds
from storage.scripts import Script
from storage.sentinel import SentinelMaster
from storage.spoilt_records import SpoiltRecords
from storage.topology import SingleServer, Topology
from storage.transport import Transport
from storage.wire import Argument, Command

Call = tuple[Sequence[str], Sequence[Argument]]  # keys, arguments
ESCAPES = (("%", "%25"), ("{", "%7B"), ("}", "%7D"))  # the percent sign first

T = TypeVar("T")


def connect(settings: RedisSettings) -> Topology:
    """Return the topology of ``redis.url``; it connects when it is first used, and ``aclose`` closes it.

    Raises:
        StorageMisconfigured
    """
    url = parse_redis_url(settings.url.get_secret_value())
    login = Login(url, settings.timeout_s)
    if url.kind == "sentinel":
        return SentinelMaster(login, url)
    if url.kind == "cluster":
        return Cluster(login, url)
    return SingleServer(login, Address(*(url.hosts[0] if url.hosts else ("", 0)), url.path))


class Storage:
    """Key names and calls. ``scripts`` are texts by name, ``kinds`` says what kinds of records there are.

    ``observe`` is told (operation, seconds) for each call, ``failed`` the reason of each StorageUnavailable, and
    ``spoilt`` is called for each record that is not what we write; one that can be made anew stops no call.
    """

    def __init__(
        self,
        topology: Topology,
        scripts: Mapping[str, str],
        *,
        prefix: str = "pg",
        kinds: Mapping[str, RecordKind] | None = None,
        observe: Callable[[str, float], None] = lambda _operation, _seconds: None,
        failed: Callable[[str], None] = lambda _reason: None,
        spoilt: Callable[[], None] = lambda: None,
    ) -> None:
        self.topology = topology
        self.prefix = prefix
        self._observe = observe
        self._failed = failed
        self._transport = Transport(topology)
        self.spoilt = SpoiltRecords(self._transport.call, RecordKinds(kinds or {}, prefix), spoilt)
        self._scripts = {name: Script.of(text) for name, text in scripts.items()}
        self._pinging: asyncio.Task[None] | None = None

    async def aclose(self) -> None:
        """Wait for the commands in flight, then close the connections."""
        await self.topology.aclose()

    def key(self, account_id: str, *parts: str) -> str:
        """Name a key in the account's slot: ``pg:{account_id}:part:part``."""
        return f"{self.prefix}:{{{hash_tag(account_id)}}}:{':'.join(parts)}"

    def shared_key(self, *parts: str) -> str:
        """Name a key outside any account's slot: a hint that may be stale or lost."""
        return f"{self.prefix}:{':'.join(parts)}"

    async def run(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run one script atomically (EVALSHA, loaded when Redis does not have it).

        A cancelled or failed call has an unknown outcome: scripts are written to be repeated.

        Raises:
            StorageUnavailable: no usable answer.
            RecordUnreadable
        """
        return await self._observed(script, self._evaluated(self._scripts[script], keys, args))

    async def run_many(self, script: str, calls: Sequence[Call]) -> list[Any]:
        """Run one script many times, few round trips; each run is atomic, the whole is not.

        A run that needs a record that is unreadable has RecordUnreadable for its result, and stops no other.

        Raises:
            StorageUnavailable: no usable answer; some of the runs may have happened.
        """
        known = self._scripts[script]
        runs = (_or_unreadable(self._evaluated, known, keys, args) for keys, args in calls)
        return await self._observed(script, _all(runs))

    async def _evaluated(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        for _ in range(2):  # strings make way after all others
            try:
                return await self._evaluate(script, keys, args)
            except redis_errors.ResponseError as exc:
                await self.spoilt.make_way(keys, exc)
        return await self._evaluate(script, keys, args)

    def _evaluate(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Awaitable[Any]:
        command: Command = ("EVALSHA", script.sha1, len(keys), *keys, *args)
        return self._transport.call(keys[0], command, load=("SCRIPT", "LOAD", script.text))

    async def command(self, name: str, key: str | bytes, *arguments: Argument) -> Any:
        """Run one plain command, by its name in capitals, on one key or on several in the same slot.

        The reply is as RESP3 has it: bytes, integers, None, lists, and a dict where Redis has a map (HGETALL).

        Raises:
            StorageUnavailable: no usable answer.
            RecordUnreadable
        """
        return await self._observed(name.lower(), self._called(key, (name, key, *arguments)))

    async def _called(self, key: str | bytes, command: Command) -> Any:
        try:
            return await self._transport.call(key, command)
        except redis_errors.ResponseError as exc:
            await self.spoilt.make_way([key if isinstance(key, str) else str(key, "utf-8", "replace")], exc)
        return await self._transport.call(key, command)

    async def commands(self, name: str, calls: Sequence[Command]) -> list[Any]:
        """Run one plain command with many keys and arguments, in one round trip; each stands alone.

        One that needs a record that is unreadable has RecordUnreadable for its reply.

        Raises:
            StorageUnavailable: no usable answer for at least one.
        """
        replies = (_or_unreadable(self._called, _key(c[0]), (name, *c)) for c in calls)
        return await self._observed(name.lower(), _all(replies))

    @contextmanager
    def reading(self, key: str) -> Iterator[None]:
        """Name the record that cannot be read, when what a call returned of it is not what we write.

        Raises:
            RecordUnreadable
        """
        try:
            yield
        except UNLIKE_OURS as exc:
            self.spoilt.note(key, exc)
            raise RecordUnreadable([key]) from exc

    async def load(self) -> None:
        """Load every script on every server that is up, so that the first calls find them.

        Raises:
            StorageUnavailable: no server is there.
            StorageMisconfigured: one of them says so.
        """
        await _any(self._load(primary) for primary in self.topology.all())

    async def _load(self, primary: Primary) -> None:
        wire = await primary.connected()
        await _all(wire.command("SCRIPT", "LOAD", script.text) for script in self._scripts.values())

    async def ping(self) -> None:
        """Return when a server answers; concurrent callers share one PING.

        Raises:
            StorageUnavailable: none does.
        """
        if self._pinging is None:
            self._pinging = asyncio.create_task(self._observed("ping", self._ping()), name="pings Redis")
            self._pinging.add_done_callback(self._pinged)
        pinging = self._pinging
        await asyncio.wait([pinging])
        await pinging

    async def _ping(self) -> None:
        await _any(_ping(primary) for primary in self.topology.all())

    def _pinged(self, pinging: asyncio.Task[None]) -> None:
        self._pinging = None
        if not pinging.cancelled():
            pinging.exception()  # the caller has it

    async def read_untracked(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands that only read, each with its key first after its name.

        Raises:
            StorageUnavailable
        """
        return await self._observed("read_untracked", _all(self._transport.call(_key(c[1]), c) for c in commands))

    async def _observed(self, operation: str, call: Awaitable[T]) -> T:
        started = time.perf_counter()
        try:
            return await call
        except StorageUnavailable as exc:
            self._failed(exc.reason)
            raise
        finally:
            self._observe(operation, time.perf_counter() - started)


def hash_tag(account_id: str) -> str:
    """Escape an account's id so that it may stand in a hash tag: braces and percent signs are percent-encoded."""
    for character, escaped in ESCAPES:
        account_id = account_id.replace(character, escaped)
    return account_id


def account_of(key: str) -> str:
    """Return the account whose slot the key is in."""
    account_id = key.split("{", 1)[1].split("}", 1)[0]
    for character, escaped in reversed(ESCAPES):
        account_id = account_id.replace(escaped, character)
    return account_id


async def _or_unreadable(call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    try:
        return await call(*arguments)
    except RecordUnreadable as exc:
        return exc


async def _all(calls: Iterable[Awaitable[T]]) -> list[T]:
    return list(await asyncio.gather(*calls))


async def _any(calls: Iterable[Awaitable[None]]) -> None:
    """Await all; raise when none succeeds, or when one says that the configuration is wrong."""
    replies = await asyncio.gather(*calls, return_exceptions=True)
    failures = [reply for reply in replies if isinstance(reply, BaseException)]
    if not replies:
        raise StorageUnavailable("unreachable")
    for failure in failures:
        if isinstance(failure, StorageMisconfigured) or _forbidden(failure) or len(failures) == len(replies):
            raise failure


def _forbidden(failure: BaseException) -> bool:
    return isinstance(failure.__cause__, redis_errors.NoPermissionError)


async def _ping(primary: Primary) -> None:
    await (await primary.connected()).command("PING")


def _key(argument: Argument) -> str | bytes:
    assert not isinstance(argument, int), "a key stands first"
    return argument
