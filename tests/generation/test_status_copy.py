"""The local copy of status documents: coherent, bounded, and silent rather than wrong."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import random
import ssl
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from generation.document import Document
from generation.events import SILENCE, TaskEvents
from generation.readers import Readers
from generation.status_copy import StatusCopy
from storage.errors import StorageUnavailable
from storage.redis_server import RedisServer
from storage.tracking import STALE_S, TrackingLink
from tests.support.redis_proxy import Proxy as LazyProxy
from tests.support.servers import each_server
from tests.support.storage import PATIENT_S, OpenStorage


@pytest.fixture(params=each_server(), scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """The Redis servers of this machine: the bundled one and the system's."""
    with RedisServer(binary=request.param) as server:
        yield server


def body(version: int, status: str = "processing", text: str = "") -> bytes:
    return f'{{"status":"{status}","progress":10,"message":"…{text}","version":{version}}}'.encode()


class World:
    """A copy under test, and another process that writes the same documents."""

    def __init__(self, server: RedisServer, copy: StatusCopy, storage: OpenStorage, redis: aioredis.Redis) -> None:
        self.server = server
        self.copy = copy
        self.storage = storage
        self.redis = redis

    @property
    def link(self) -> TrackingLink:
        (link,) = self.copy._keys._links.values()
        return link

    async def write(self, task: str, document: bytes, ttl_ms: int = 600_000) -> None:
        await self.redis.set(self.storage.key("a", "status", task), document, px=ttl_ms)

    async def look(self) -> int:
        """The version of the document of task t."""
        document = await self.copy.document("a", "t")
        assert document
        return document.version

    async def cut_link(self) -> None:
        for client in await self.redis.client_list():
            if client["name"] == "prompt-tracking":
                await self.redis.execute_command("CLIENT", "KILL", "ID", client["id"])

    async def lose_link(self) -> None:
        """Cut the link and wait until the copy has noticed it."""
        losses = self.copy.link_losses
        await self.cut_link()
        await until(lambda: self.copy.link_losses > losses)


@contextlib.asynccontextmanager
async def world(
    server: RedisServer, *, entries: int = 1000, url: str = "", timeout_s: float = PATIENT_S, **bounds: int
) -> AsyncIterator[World]:
    """``url`` is for the copy's own connections; ``bounds`` are its other arguments."""
    redis = aioredis.Redis.from_url(server.url, retry=Retry(NoBackoff(), 2))  # for after a restart
    storage = OpenStorage(url or server.url, timeout_s=timeout_s)
    await redis.flushall()
    try:
        async with StatusCopy(storage, entries=entries, **bounds) as copy:
            yield World(server, copy, storage, redis)
    finally:
        await storage.aclose()
        await redis.aclose()


async def until(condition: Callable[[], object], within_s: float = 90.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # it may be any condition
            await asyncio.sleep(0.005)


async def seen_in_time(look: Callable[[], Awaitable[int]], version: int) -> None:
    """Look until the version is there that has just been written; no look may begin a second later and miss it."""
    written = time.monotonic()
    while True:
        asked = time.monotonic()
        if await look() == version:
            return
        assert asked - written < STALE_S
        await asyncio.sleep(0.002)


def known(copy: StatusCopy, task: str) -> int:
    """The version that is known without asking, or 0."""
    document = copy.peek_key(copy.key("a", task))
    return document.version if document else 0


@pytest.mark.gen_test
async def test_a_document_is_read_once_and_then_known(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(3))
        found = await asyncio.gather(*(w.copy.document("a", "t") for _ in range(100)))
        assert [document.version for document in found if document] == [3] * 100
        await until(lambda: known(w.copy, "t"))
        assert (await w.copy.document("a", "t")) is w.copy.peek_key(w.copy.key("a", "t")) is found[0]
        assert w.copy.reads == 1


@pytest.mark.gen_test
async def test_an_unknown_task_is_none_and_is_not_remembered(server: RedisServer) -> None:
    async with world(server) as w:
        assert await w.copy.document("a", "nobody") is None
        assert len(w.copy) == 0
        await w.write("nobody", body(1))
        document = await w.copy.document("a", "nobody")
        assert document
        assert document.version == 1


@pytest.mark.gen_test
async def test_what_another_process_writes_is_seen(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(1))
        await w.copy.document("a", "t")
        for version in range(2, 30):
            await w.write("t", body(version))
            await seen_in_time(w.look, version)


@pytest.mark.gen_test
async def test_own_writes_are_known_at_once_and_changes_by_others_follow(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(1))
        w.copy.put("a", "t", body(1), 600)
        assert known(w.copy, "t") == 1
        await until(lambda: w.copy.peek_key(w.copy.key("a", "t")).tracked)  # type: ignore[union-attr]  # the line above saw it
        await w.write("t", body(2, "failed"))
        await until(lambda: known(w.copy, "t") == 2)


@pytest.mark.gen_test
async def test_a_read_without_the_link_can_be_cancelled_at_whatever_moment(server: RedisServer) -> None:
    async with without_tracking(server) as url, world(server, url=url) as w:
        for moment in range(1_000):
            asked = asyncio.ensure_future(w.copy.read_tracked("GET", "a"))
            for _ in range(moment % 20):
                await asyncio.sleep(0)
            in_time = asked.cancel()
            await asyncio.wait([asked])
            assert asked.cancelled() or not in_time


@pytest.mark.gen_test
async def test_a_higher_version_is_never_replaced_by_a_lower_one(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(5))
        w.copy.put("a", "t", body(5), 600)
        w.copy.put("a", "t", body(4), 600)
        assert known(w.copy, "t") == 5
        await w.write("t", body(4))  # as after a failover that lost a write
        await asyncio.gather(*(w.copy.document("a", "t") for _ in range(10)))
        await until(lambda: w.copy.reads >= 1)
        document = await w.copy.document("a", "t")
        assert document
        assert document.version == 5


@pytest.mark.gen_test
async def test_no_caller_gets_an_answer_that_was_asked_for_long_before(server: RedisServer) -> None:
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    async with world(server) as w, LazyProxy(port) as proxy:
        slow_url = server.url.replace(f":{port}/", f":{proxy.port}/")
        storage = OpenStorage(slow_url, timeout_s=10)
        async with StatusCopy(storage, entries=10) as copy:
            await w.write("t", body(1))
            proxy.delay_s = 1.6
            early = asyncio.ensure_future(copy.document("a", "t"))
            await asyncio.sleep(0.1)
            await w.write("t", body(2))
            await asyncio.sleep(STALE_S)
            assert not early.done()
            late = await copy.document("a", "t")
            assert late
            assert late.version == 2
            proxy.delay_s = 0.0
            await early
        await storage.aclose()


@pytest.mark.gen_test
@pytest.mark.parametrize("status", ["processing", "completed"])
async def test_nothing_is_answered_after_its_expiry(server: RedisServer, status: str) -> None:
    async with world(server) as w:
        # A Redis that deletes late, as a busy one does, sends its invalidation late: only the clock is punctual.
        await w.redis.config_set("hz", 1)
        await w.write("t", body(1, status), ttl_ms=400)
        written = time.monotonic()
        await w.copy.document("a", "t")
        await until(lambda: known(w.copy, "t") or time.monotonic() - written > 0.4)
        asked = written
        while known(w.copy, "t"):
            assert asked - written < 0.41
            await asyncio.sleep(0.001)
            asked = time.monotonic()
        await until(lambda: time.monotonic() - written > 0.45)
        assert await w.copy.document("a", "t") is None


@pytest.mark.gen_test
async def test_without_redis_only_terminal_documents_are_known(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("running", body(2))
        await w.write("ended", body(7, "completed"))
        for task in ("running", "ended"):
            await w.copy.document("a", task)
        server.kill()
        await until(lambda: not w.link.up)
        await until(lambda: not known(w.copy, "running"))
        with pytest.raises(StorageUnavailable):
            await w.copy.document("a", "running")
        ended = await w.copy.document("a", "ended")
        assert ended
        assert ended.version == 7
        server.start()
        await until(lambda: w.link.up)
        await w.write("running", body(3))
        document = await w.copy.document("a", "running")
        assert document
        assert document.version == 3


@pytest.mark.gen_test
async def test_documents_are_coherent_while_the_link_is_cut_again_and_again(server: RedisServer) -> None:
    """No version after a higher one, and none that was replaced more than a second ago."""
    async with world(server) as w:
        replaced_at: dict[int, float] = {}
        chance = random.Random(4)
        ends = time.monotonic() + 4
        seen_enough = asyncio.Event()

        async def write() -> None:
            version = 0
            while not seen_enough.is_set():
                version += 1
                await w.write("t", body(version))
                replaced_at[version - 1] = time.monotonic()
                await asyncio.sleep(chance.uniform(0, 0.05))

        async def cut() -> None:
            while not seen_enough.is_set():
                await asyncio.sleep(chance.uniform(0, 0.3))
                await w.cut_link()

        async def read() -> int:
            highest = looks = 0
            while time.monotonic() < ends or highest <= 50 or w.copy.link_losses < 5:
                asked = time.monotonic()
                document = await w.copy.document("a", "t")
                looks += 1
                if document:
                    assert document.version >= highest
                    assert replaced_at.get(document.version, asked) > asked - STALE_S
                    highest = document.version
                await asyncio.sleep(chance.uniform(0, 0.01))
            seen_enough.set()
            return looks

        _, _, looks = await asyncio.gather(write(), cut(), read())
        assert w.copy.reads < looks


class Proxy:
    """Stands between the link and Redis, and can fall silent without closing anything."""

    def __init__(self, server: RedisServer, tls: ssl.SSLContext | None = None) -> None:
        self._target = aioredis.connection.parse_url(server.url)
        self._tls = tls
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        scheme = "rediss" if self._tls else "redis"
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{scheme}://:{self._target['password']}@localhost:{port}/0"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def fall_silent(self) -> None:
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(self._target["host"], self._target["port"])
        for source, sink in ((reader, up_writer), (up_reader, writer)):
            self._pumps.add(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()


@contextlib.asynccontextmanager
async def without_tracking(server: RedisServer) -> AsyncIterator[str]:
    """Yield the URL of a user whose reads cannot be tracked."""
    admin = aioredis.Redis.from_url(server.url)
    await admin.execute_command("ACL", "SETUSER", "narrow", "on", ">word", "~*", "+@all", "-client")
    yield server.url.replace("//:", "//narrow:").replace(_password(server), "word")
    await admin.aclose()


@pytest.mark.gen_test
async def test_silence_is_noticed_and_nothing_old_is_answered(server: RedisServer) -> None:
    async with Proxy(server) as proxy, world(server, url=proxy.url, timeout_s=0.5) as w:
        await w.write("t", body(1))
        await w.copy.document("a", "t")
        await until(lambda: known(w.copy, "t"))
        proxy.fall_silent()
        await w.write("t", body(2))
        written = time.monotonic()
        asked = time.monotonic()
        while known(w.copy, "t"):
            assert asked - written < STALE_S
            await asyncio.sleep(0.002)
            asked = time.monotonic()
        with pytest.raises(StorageUnavailable, match="timeout"):
            await w.copy.document("a", "t")
        proxy.flow()
        await until(lambda: w.link.up)
        await w.copy.document("a", "t")
        await until(lambda: known(w.copy, "t") == 2)


@pytest.mark.gen_test
async def test_without_tracking_a_document_is_read_twice_a_second_at_most(server: RedisServer) -> None:
    async with without_tracking(server) as url, world(server, url=url) as w:
        await w.write("t", body(1))
        started = time.monotonic()
        for _ in range(200):
            document = await w.copy.document("a", "t")
            assert document
            assert document.version == 1
        assert not w.link.up
        assert w.copy.reads <= 1 + (time.monotonic() - started) / 0.5
        await w.write("t", body(2))
        await seen_in_time(w.look, 2)


@pytest.mark.gen_test
async def test_a_change_between_a_read_and_its_reply_is_not_missed(server: RedisServer) -> None:
    """The reply travels on one connection, the news of the change on another, and the news may be faster."""
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    async with LazyProxy(port) as proxy, world(server, url=server.url.replace(f":{port}/", f":{proxy.port}/")) as w:
        for version in range(1, 40):
            await w.write("t", body(version))
            proxy.delay_s = 0.02 * (version % 3)
            look = asyncio.ensure_future(w.copy.document("a", "t"))
            await asyncio.sleep(0.005 * (version % 7))
            await w.write("t", body(version, text="later"))
            await look
            await w.write("t", body(version + 1))
            await seen_in_time(w.look, version + 1)


@pytest.mark.gen_test
async def test_a_process_that_was_stopped_answers_nothing_from_before(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(1))
        await w.copy.document("a", "t")
        await until(lambda: known(w.copy, "t"))
        time.sleep(STALE_S + 0.05)  # noqa: ASYNC251  # the whole process stands still, as under SIGSTOP
        assert known(w.copy, "t") == 0
        reads = w.copy.reads
        await asyncio.gather(*(w.copy.document("a", "t") for _ in range(50)))
        assert known(w.copy, "t") == 1
        assert w.copy.reads == reads  # the link vouched with one PING; nothing had to be read again


@pytest.mark.gen_test
async def test_a_wait_ends_when_the_version_is_higher(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(1))
        first = await w.copy.wait("a", "t", 0, 5)
        waiting = asyncio.create_task(w.copy.wait("a", "t", 1, 5))
        await w.copy.document("a", "t")
        await w.write("t", body(2))
        document = await waiting
        assert first
        assert document
        assert (first.version, document.version) == (1, 2)


@pytest.mark.gen_test
async def test_a_wait_ends_for_terminal_unknown_and_in_time(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("ended", body(9, "failed"))
        await w.write("t", body(1))
        started = time.monotonic()
        assert await w.copy.wait("a", "unknown", 0, 50) is None
        ended = await w.copy.wait("a", "ended", 9, 50)
        assert ended
        assert ended.terminal
        assert time.monotonic() - started < 50
        as_it_is = await w.copy.wait("a", "t", 1, 0.2)
        assert as_it_is
        assert as_it_is.version == 1


@pytest.mark.gen_test
async def test_thousands_wait_without_work(server: RedisServer) -> None:
    async with world(server) as w:
        for task in range(20):
            await w.write(f"t{task}", body(1))
        waiting = [asyncio.create_task(w.copy.wait("a", f"t{number % 20}", 1, 200)) for number in range(4000)]
        await until(lambda: len(w.copy) == 20 and all(d.tracked for d in w.copy._documents.values()))
        # One read serves all who ask in the same moment, which a busy machine may spread over several.
        assert w.copy.reads <= len(waiting) / 10
        reads, before = w.copy.reads, time.process_time()
        began = time.monotonic()
        await asyncio.sleep(1)
        assert time.process_time() - before < 0.8 * (time.monotonic() - began), "nobody asks again and again"
        assert w.copy.reads - reads <= 20 * w.copy.link_losses, "no more than one read of each task after each loss"
        for task in range(20):
            await w.write(f"t{task}", body(2))
        assert {document.version for document in await asyncio.gather(*waiting) if document} == {2}


@pytest.mark.gen_test
async def test_each_of_thousands_of_waiters_on_a_server_that_dies_gets_a_short_error(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(1))
        waiting = [asyncio.create_task(w.copy.wait("a", "t", 1, 50)) for _ in range(1000)]
        await until(lambda: len(w.copy) == 1)
        await asyncio.to_thread(server.stop)
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.to_thread(server.start)
    errors = [outcome for outcome in outcomes if isinstance(outcome, StorageUnavailable)]
    assert len(errors) == len(waiting)
    assert max(len(traceback.extract_tb(error.__traceback__)) for error in errors) < 10


@pytest.mark.gen_test
async def test_a_wait_survives_the_loss_of_the_link(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(1))
        waiting = asyncio.create_task(w.copy.wait("a", "t", 1, 15))
        for _ in range(3):
            await until(lambda: w.link.up)
            await w.lose_link()
        await until(lambda: w.link.up)
        await w.write("t", body(2, "failed"))
        document = await asyncio.wait_for(waiting, 60)
        assert document
        assert document.version == 2


def _ends_with(seen: list[Document], version: int) -> bool:
    return bool(seen) and seen[-1].version == version


@pytest.mark.gen_test
async def test_a_watcher_sees_each_end_whatever_happens_to_the_link(server: RedisServer) -> None:
    """What a runner does: it looks whenever it is told to, and never by itself."""
    async with world(server) as w:
        seen: list[Document] = []
        looks: set[asyncio.Task[None]] = set()

        async def look() -> None:
            if document := await w.copy.document("a", "t"):
                seen.append(document)

        def changed() -> None:
            looks.add(asyncio.create_task(look()))

        unwatch = w.copy.watch(w.storage.key("a", "status", "t"), changed)
        w.copy.put("a", "t", body(1), 600)
        for version in range(2, 8):
            await until(lambda: w.link.up)
            await w.lose_link()
            if version % 2:
                await until(lambda: w.link.up)
            await w.write("t", body(version))
            await until(partial(_ends_with, seen, version))
        unwatch()
        await asyncio.gather(*looks)
        count = len(looks)
        await w.write("t", body(9))
        await until(lambda: known(w.copy, "t") == 9)
        assert len(looks) == count


@pytest.mark.gen_test
async def test_other_keys_can_be_watched_on_the_same_link(server: RedisServer) -> None:
    async with world(server) as w:
        stream = w.storage.key("a", "events", "t")
        changed = asyncio.Event()
        unwatch = w.copy.watch(stream, changed.set)
        assert await w.copy.read_tracked("XRANGE", stream, "-", "+") == []
        await w.redis.xadd(stream, {"status": "{}"}, id="1-1")
        await changed.wait()
        assert await w.copy.read_tracked("XRANGE", stream, "-", "+") == [[b"1-1", [b"status", b"{}"]]]
        await w.cut_link()
        assert await w.copy.read_tracked("XRANGE", stream, "-", "+", "COUNT", 1) == [[b"1-1", [b"status", b"{}"]]]
        unwatch()


@pytest.mark.gen_test
async def test_the_copy_is_bounded_and_keeps_documents_in_use(server: RedisServer) -> None:
    async with world(server, entries=10) as w:
        for task in range(50):
            await w.write(f"t{task}", body(1, "completed"))
            await w.copy.document("a", f"t{task}")
            await w.copy.document("a", "t0")
        assert len(w.copy) == 10
        assert known(w.copy, "t0") == 1
        assert known(w.copy, "t49") == 1


@pytest.mark.gen_test
async def test_a_flushed_redis_leaves_nothing_behind(server: RedisServer) -> None:
    async with world(server) as w:
        await w.write("t", body(1, "completed"))
        await w.copy.document("a", "t")
        await w.redis.flushall()
        await until(lambda: not known(w.copy, "t"))
        assert await w.copy.document("a", "t") is None


@pytest.mark.gen_test
async def test_reads_of_one_tick_are_one_write(server: RedisServer) -> None:
    async with world(server) as w:
        before = (await w.redis.info("stats"))["total_reads_processed"]
        await asyncio.gather(*(w.copy.document("a", f"t{number}") for number in range(200)))
        after = (await w.redis.info("stats"))["total_reads_processed"]
        assert after - before < 20


@pytest.mark.gen_test
async def test_a_redis_user_without_a_needed_permission_gets_an_error(server: RedisServer) -> None:
    admin = aioredis.Redis.from_url(server.url)
    await admin.execute_command("ACL", "SETUSER", "narrower", "on", ">word", "~*", "+@all", "-pttl")
    url = server.url.replace("//:", "//narrower:").replace(_password(server), "word")
    async with world(server, url=url) as w:
        await w.write("t", body(1))
        for _ in range(2):
            with pytest.raises(StorageUnavailable, match="refused"):
                await w.copy.document("a", "t")
    await admin.aclose()


@pytest.mark.gen_test
async def test_reads_that_redis_will_not_track_are_not_taken_for_tracked(server: RedisServer) -> None:
    """The user may turn tracking on, but not ask for it read by read."""
    admin = aioredis.Redis.from_url(server.url)
    await admin.execute_command("ACL", "SETUSER", "half", "on", ">word", "~*", "+@all", "-client|caching")
    url = server.url.replace("//:", "//half:").replace(_password(server), "word")
    async with world(server, url=url) as w:
        for version in (1, 2, 3):
            await w.write("t", body(version))
            await seen_in_time(w.look, version)
    await admin.aclose()


@pytest.mark.gen_test
async def test_a_stream_gives_signs_of_life_while_the_link_is_down(server: RedisServer) -> None:
    async with without_tracking(server) as url, world(server, url=url) as w:
        await w.write("t", body(1))
        events = TaskEvents(w.storage, w.copy, Readers(w.storage, w.copy)).follow("a", "t", "", 0.7)
        assert [await anext(events) for _ in range(2)] == [SILENCE, SILENCE]
        await w.write("t", body(2, "completed"))
        assert [event async for event in events if event is not SILENCE] == []


@pytest.mark.gen_test
async def test_both_connections_log_in_as_the_url_says(server: RedisServer, tmp_path: Path) -> None:
    sock = tmp_path / "redis.sock"
    with RedisServer(options=("--unixsocket", str(sock))) as local:
        redis = aioredis.Redis.from_url(local.url)
        await redis.execute_command("ACL", "SETUSER", "ann", "on", ">p w/d", "~*", "+@all")
        for url in (
            f"unix://ann:p%20w%2Fd@{sock}?db=3",
            local.url.replace("//:", "//ann:").replace(_password(local), "p%20w%2Fd").replace("/0", "/3"),
        ):
            storage = OpenStorage(url)
            async with StatusCopy(storage, entries=1):
                clients = await redis.client_list()
                ours = [client for client in clients if client["name"] in ("prompt-commands", "prompt-tracking")]
                assert [(client["user"], client["db"]) for client in ours] == [("ann", "3")] * 2
            await storage.aclose()
        await redis.aclose()


@pytest.mark.gen_test
async def test_both_connections_speak_tls(server: RedisServer, tmp_path: Path) -> None:
    authority = _certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority)
    async with (
        Proxy(server, tls) as proxy,
        world(server, url=f"{proxy.url}?ssl_ca_certs={authority}") as w,
    ):
        await w.write("t", body(1))
        assert w.link.up
        await w.copy.document("a", "t")
        await w.write("t", body(2))
        await until(lambda: known(w.copy, "t") == 2)
    async with Proxy(server, tls) as proxy, world(server, url=proxy.url) as w:
        assert not w.link.up  # an unknown authority is refused


def _password(server: RedisServer) -> str:
    return str(aioredis.connection.parse_url(server.url)["password"])


def _certificate(folder: Path) -> str:
    """Make a self-signed certificate for localhost with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    os.chmod(path, 0o600)
    return str(path)


@pytest.mark.gen_test
async def test_the_copy_is_bounded_in_bytes(server: RedisServer) -> None:
    async with world(server, max_bytes=10_000) as w:
        for number in range(50):
            w.copy.put("a", f"t{number}", body(1, text="x" * 900), 600)
        assert 5 <= len(w.copy) <= 11


@pytest.mark.gen_test
async def test_what_has_expired_leaves_the_copy_also_when_its_link_was_lost(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.status_copy.SWEEP_EVERY_S", 0.05)
    async with world(server) as w:
        await w.write("t", body(1), ttl_ms=500)
        assert await w.look() == 1
        await w.cut_link()
        await until(lambda: len(w.copy) == 0)
