"""Connections: slow, idle, too many, and the end of all; each answer whole, nobody else disturbed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from pathlib import Path

import pytest
from tornado.netutil import bind_unix_socket

from server import batched_epoll as readers
from server import connections
from tests.deploy.nginx import Nginx
from tests.server.lane.conftest import House, lane, polled, until
from tests.support.raw_http import RawAnswer, RawConnection, connected, document, new_task_id, request
from tests.support.whole_server import BASE


@pytest.fixture(autouse=True, params=["epoll", "event loop"])
def idle_connections_wait_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds also on systems that have no epoll."""
    if request.param == "event loop":
        monkeypatch.setattr(connections, "open_readers", readers.LoopReaders)


@pytest.mark.gen_test
async def test_a_slow_reader_gets_every_byte(house: House) -> None:
    body = document(1, "completed", "x" * 9_000_000)  # more than a socket buffers
    task_id = await house.task(body)
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(reader, house.address)
    small, other = await house.task(), new_task_id()
    async with connected(house.address) as wire:
        for with_tornado in (False, False, True):
            if with_tornado:  # where an ordinary request leaves a connection for a while
                await loop.sock_sendall(reader, request("GET", "/health/live", house.authorization))
                assert await loop.sock_recv(reader, 65536)
            await loop.sock_sendall(reader, house.poll(task_id))
            received = bytearray(await loop.sock_recv(reader, 100))  # read by itself, not with the next
            await loop.sock_sendall(reader, house.poll(small))
            assert (await wire.ask(house.poll(small))).status == 200  # nobody else waits
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 500_000)  # in 4 KB at a time the rest takes long
            while not received.endswith(document()):
                received += await loop.sock_recv(reader, 65536)
            assert received.count(body) == 1
            assert received.count(b"HTTP/1.1 200 OK") == 2
        assert house.by_lane == (8 if lane(house) else 0)  # all but the first of each connection
        # One that goes away in the middle leaves nothing behind.
        await loop.sock_sendall(reader, house.poll(task_id))
        await loop.sock_recv(reader, 100)
        reader.close()
        assert (await wire.ask(house.poll(other))).status == 404
    await until(lambda: not len(house.service.connections))


@pytest.mark.gen_test
@pytest.mark.settings(server={"header_timeout_s": 0.7})
@pytest.mark.parametrize("draining", [False, True])
@pytest.mark.parametrize("after", ["poll", "other"])
async def test_an_answer_takes_the_time_that_its_reader_needs(
    house: House, draining: bool, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a head may take, and longer than the grace that idle connections get at the end."""
    monkeypatch.setattr(connections, "IDLE_GRACE_S", 0.5)
    body = document(1, "completed", "x" * 9_000_000)
    task_id = await house.task(body)
    async with connected(house.address) as wire:
        await polled(house, wire, house.poll(task_id), times=2)  # it is known, and so is the header block
        if after == "other":
            await wire.ask(request("GET", "/health/live", house.authorization))
        transport = wire.writer.transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
        wire.writer.write(house.poll(task_id))
        await wire.reader.read(1)
        if draining:
            ended = asyncio.create_task(house.service.connections.drain(30))
        received = 1
        for _ in range(12):
            received += len(await wire.reader.read(100_000))
            await asyncio.sleep(0.1)
        assert house.by_lane == (2 if lane(house) else 0)
        while received < len(body):
            received += len(data := await wire.reader.read(1_000_000))
            assert data, f"cut off after {received} bytes"
        if draining:
            assert await wire.ended() is not None
            assert await ended


@pytest.mark.gen_test
@pytest.mark.settings(server={"idle_timeout_s": 1.0, "connections": 4})
async def test_who_takes_no_answer_is_cut_off_and_makes_room(house: House) -> None:
    body = document(1, "completed", "x" * 9_000_000)
    task_id = await house.task(body)
    async with contextlib.AsyncExitStack() as stack:
        for number in range(4):
            wire = await stack.enter_async_context(connected(house.address))
            if number % 2:
                await polled(house, wire, house.poll(task_id), times=2)
            wire.writer.write(house.poll(task_id) * (1 if number < 2 else 50))
        await until(lambda: not len(house.service.connections), within_s=180)
    await until(lambda: not [task for task in asyncio.all_tasks() if "RequestHandler" in repr(task)])


@pytest.mark.gen_test
@pytest.mark.settings(server={"idle_timeout_s": 0.5})
async def test_an_idle_connection_is_closed(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as silent, connected(house.address) as wire:
        await polled(house, wire, house.poll(task_id))
        idle_since = time.monotonic()
        assert await silent.ended() == b""
        assert await wire.ended() == b""
        assert time.monotonic() - idle_since > 0.4


@pytest.mark.gen_test
@pytest.mark.settings(server={"header_timeout_s": 0.5, "idle_timeout_s": 60.0})
async def test_who_does_not_finish_a_head_is_cut_off(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as fresh, connected(house.address) as used:
        await polled(house, used, house.poll(task_id))

        async def drip(wire: RawConnection) -> None:
            wire.writer.write(house.poll(task_id)[:100])
            while True:
                await asyncio.sleep(0.02)
                wire.writer.write(b"x")  # every byte is another sign of life, and none counts

        for wire in (fresh, used):
            dripping = asyncio.create_task(drip(wire))
            await wire.ended()
            dripping.cancel()


@pytest.mark.gen_test
@pytest.mark.settings(server={"connections": 3})
async def test_a_connection_too_many_is_refused_and_the_others_go_on(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as one, connected(house.address) as two:
        async with connected(house.address) as three:
            for wire in (one, two, three):
                await polled(house, wire, house.poll(task_id))
            async with connected(house.address) as four:
                refusal = await four.answer()
                assert (refusal.status, refusal["Connection"], refusal["Retry-After"]) == (503, "close", "5")
                body = json.loads(refusal.body)
                assert (body["error_code"], body["request_id"]) == ("server_busy", refusal["X-Request-Id"])
                assert await four.ended() == b""
            for wire in (one, two, three):
                assert (await wire.ask(house.poll(task_id))).status == 200
        await until(lambda: len(house.service.connections) == 2)
        async with connected(house.address) as four:
            assert (await four.ask(house.poll(task_id))).status == 200


@pytest.mark.gen_test
# On a busy machine 400 at once may take longer than Redis usually gets, and than a key is believed.
@pytest.mark.settings(redis={"timeout_s": 60}, identity={"key_recheck_s": 60})
async def test_everybody_comes_at_once_after_a_restart(house: House) -> None:
    task_id = await house.task()

    async def browser(number: int) -> set[int]:
        async with connected(house.address) as wire:
            asked = house.poll(task_id, ("Cookie", f"browser={number}"))
            return {(await wire.ask(asked)).status for _ in range(3)}

    statuses = await asyncio.gather(*(browser(number) for number in range(400)))
    assert set().union(*statuses) == {200}
    if lane(house):
        assert house.by_lane >= 400  # of 800 whose block may be known


@pytest.mark.gen_test
async def test_draining_ends_every_connection_in_its_time(house: House) -> None:
    task_id = await house.task()
    async with connected(house.address) as idle, connected(house.address) as polling, connected(house.address) as long:
        await polled(house, idle, house.poll(task_id))
        await polled(house, polling, house.poll(task_id))
        wait = request("GET", f"{BASE}/generate-prompt-async/status/{task_id}/?wait=20&after=1", house.authorization)
        long.writer.write(wait)
        await until(lambda: house.service.open_requests.count == 1)
        drained = asyncio.gather(
            house.service.open_requests.drain(10), house.service.connections.drain(10), return_exceptions=True
        )
        assert (await long.answer()).status == 200
        last = await polling.ask(house.poll(task_id))
        assert (last.status, last["Connection"]) == (200, "close")
        assert await polling.ended() == b""
        assert await idle.ended() == b""
        with pytest.raises(OSError, match=r"Connect call failed|refused"):
            async with connected(house.address):
                pass
        assert tuple(await drained) == (True, True)
        assert not len(house.service.connections)


@pytest.mark.gen_test
async def test_what_has_come_before_the_end_is_answered_however_many_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "BATCH", 1)
    monkeypatch.setattr(connections, "IDLE_GRACE_S", 0.0)
    task_id = await house.task()
    async with contextlib.AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(connected(house.address)) for _ in range(30)]
        await until(lambda: len(house.service.connections) == len(wires))
        for wire in wires:
            wire.writer.write(house.poll(task_id))
        assert await house.service.connections.drain(10)
        assert [(await wire.answer()).status for wire in wires] == [200] * len(wires)


@pytest.mark.gen_test
async def test_a_unix_socket_is_served_as_well(house: House, tmp_path: Path) -> None:
    path = str(tmp_path / "server.sock")
    house.service.connections.add_sockets([bind_unix_socket(path)])
    task_id = await house.task()
    async with connected(path) as wire:
        answers = await polled(house, wire, house.poll(task_id))
        assert (await wire.ask(request("GET", "/health/live", "none"))).status == 200
        assert (await wire.ask(house.poll(task_id))).constant == answers[0].constant
    assert house.by_lane == (4 if lane(house) else 0)


@pytest.mark.gen_test
async def test_behind_nginx_everybodys_requests_come_on_the_same_connections(house: House, tmp_path: Path) -> None:
    tasks = [await house.task() for _ in range(20)]
    account = request("GET", "/api/v1/account/", house.authorization)

    async def browser(address: tuple[str, int], task_id: str) -> list[RawAnswer]:
        async with connected(address) as wire:
            return [await wire.ask(account if n == 10 else house.poll(task_id)) for n in range(20)]

    with Nginx(tmp_path, [house.address[1]]) as nginx:
        address = ("127.0.0.1", nginx.port)
        answers = [each for them in await asyncio.gather(*(browser(address, t) for t in tasks)) for each in them]
    assert {answer.status for answer in answers} == {200}
    assert len({answer["X-Request-Id"] for answer in answers}) == 400
    if lane(house):
        assert house.by_lane >= 350  # of 380 polls; those that came before the first was learned are Tornado's
