"""One connection: every command ends, whatever happens to the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import storage.wire
from runtime.redis_url import parse_redis_url
from storage.errors import StorageUnavailable
from storage.login import Address, Login
from storage.primary import Primary
from storage.redis_server import RedisServer
from storage.wire import Wire
from tests.storage.redis_clients import opened, port_of, reason_of, through, write
from tests.support.redis_proxy import Proxy


@asynccontextmanager
async def wire_to(server: RedisServer, timeout_s: float = 2.0) -> AsyncIterator[Wire]:
    wire = Wire(timeout_s, lambda _wire: None)
    login = Login(parse_redis_url(server.url), timeout_s)
    await login.enter(wire, Address("127.0.0.1", port_of(server.url)), "test")
    yield wire
    wire.abort()


@pytest.mark.gen_test
async def test_a_command_on_a_lost_wire_is_answered_at_once(server: RedisServer) -> None:
    async with wire_to(server) as wire:
        wire.abort()
        with pytest.raises(StorageUnavailable, match="unreachable"):  # a timeout would say so
            await wire.command("PING")


@pytest.mark.gen_test
async def test_commands_under_way_are_answered_when_the_wire_is_lost(server: RedisServer) -> None:
    async with wire_to(server) as wire:
        asked = [wire.ask(("PING",)) for _ in range(3)]
        wire.abort()
        assert [type(await answer) for answer in asked] == [StorageUnavailable] * 3


@pytest.mark.gen_test
async def test_more_commands_than_could_be_answered_are_refused(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.wire, "BACKLOG", 10)
    async with wire_to(server) as wire:
        asked = [wire.ask(("PING",)) for _ in range(11)]
        answers = [await answer for answer in asked]
        assert answers[:10] == [b"PONG"] * 10
        assert answers[10].reason == "backlog"


@pytest.mark.gen_test
async def test_a_reply_that_is_still_arriving_has_twice_the_time(server: RedisServer) -> None:
    """A large reply on a slow path is no dead server."""
    async with Proxy(port_of(server.url)) as proxy:
        login = Login(parse_redis_url(through(proxy, server)), 2.0)
        wire = Wire(2.0, lambda _wire: None)
        await login.enter(wire, Address("127.0.0.1", proxy.port), "test")
        await wire.command("SET", "large", "x" * 300_000)
        proxy.delay_s = 0.45  # five pieces of 64 KB: more than once the time
        assert len(await wire.command("GET", "large")) == 300_000
        wire.abort()


@pytest.mark.gen_test
async def test_a_server_that_ends_connections_right_after_the_login_costs_an_error_and_no_wait() -> None:
    hello = b"%3\r\n$2\r\nid\r\n:1\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$0\r\n\r\n"

    async def end_after_login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(hello)
        writer.close()

    stand_in = await asyncio.start_server(end_after_login, "127.0.0.1", 0)
    port = stand_in.sockets[0].getsockname()[1]
    async with opened(f"redis://127.0.0.1:{port}/0") as storage:
        for _ in range(50):
            assert await reason_of(storage) == "unreachable"
        assert await asyncio.gather(*(reason_of(storage) for _ in range(50))) == ["unreachable"] * 50
    stand_in.close()


@pytest.mark.gen_test
async def test_a_wire_that_dies_at_its_last_login_reply_is_not_kept(server: RedisServer) -> None:
    """The connection is lost after the reply is read and before its waiter is woken."""
    login = Login(parse_redis_url(server.url), 2.0)
    enter = login.enter

    async def enter_and_lose(wire: Wire, address: Address, name: str) -> object:
        entered = await enter(wire, address, name)
        wire.abort()
        return entered

    async def locate() -> Address:
        return Address("127.0.0.1", port_of(server.url))

    login.enter = enter_and_lose  # type: ignore[method-assign,assignment]  # the moment cannot be hit from outside
    primary = Primary(login, locate)
    with pytest.raises(StorageUnavailable, match="unreachable"):
        await primary.connected()
    assert primary.wire is None
    login.enter = enter  # type: ignore[method-assign]
    assert await (await primary.connected()).command("PING") == b"PONG"
    await primary.aclose()


@pytest.mark.gen_test
async def test_no_call_waits_for_ever_while_connections_are_cut_all_the_time(server: RedisServer) -> None:
    async with Proxy(port_of(server.url)) as proxy, opened(through(proxy, server), timeout_s=0.5) as storage:
        await write(storage)

        async def calls() -> int:
            answered = 0
            for _ in range(100):
                try:
                    async with asyncio.timeout(30):  # more than any call may take
                        await write(storage)
                except StorageUnavailable:
                    pass
                answered += 1
            return answered

        async def cuts() -> None:
            for _ in range(200):
                proxy.resets = 1
                await asyncio.sleep(0.003)

        *answered, _ = await asyncio.gather(*(calls() for _ in range(5)), cuts())
        assert answered == [100] * 5
