"""A master with replicas behind Sentinels, and a cluster: real servers on loopback, started from one binary."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from redis import asyncio as aioredis
from redis import exceptions as redis_errors

from storage.redis_server import RedisServer
from tests.support.ports import free_ports

PASSWORD = "the-same-for-all"
SLOTS = 16384
KEYS_AT_ONCE = 100  # redis-cli --cluster-pipeline
SLOTS_AT_ONCE = 2_000
SENTINEL = """\
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor mymaster 127.0.0.1 {master} 2
sentinel auth-pass mymaster {password}
sentinel down-after-milliseconds mymaster 600
sentinel failover-timeout mymaster 3000
"""


class Node(RedisServer):
    """A server with the password that all of a topology have, on a port that is known before it starts."""

    def __init__(self, binary: str, port: int, *options: str) -> None:
        super().__init__(binary=binary, options=("--masterauth", PASSWORD, *options))
        self._password = PASSWORD
        self._port = port

    def __enter__(self) -> Node:
        super().__enter__()
        return self

    @property
    def port(self) -> int:
        return self._port

    def client(self) -> aioredis.Redis:
        return aioredis.Redis.from_url(self.url)

    def stop_hard(self) -> None:
        """End it as kill -9 does."""
        os.kill(self.pid, signal.SIGKILL)

    def start_again(self, *options: str) -> None:
        """Start it after its end, empty, with these options added."""
        self.stop()
        for name in ("appendonlydir", "dump.rdb", "nodes.conf"):
            path = self._folder / name
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        self._options = (*self._options, *options)
        self.start()

    async def ask(self, *words: str | int) -> Any:
        async with self.client() as redis:
            return await redis.execute_command(*words)


async def until_true(condition: Any, within_s: float = 90.0) -> None:
    async with asyncio.timeout(within_s):
        while True:
            with contextlib.suppress(redis_errors.RedisError, OSError):
                if await condition():
                    return
            await asyncio.sleep(0.02)


class SentinelWorld:
    """One master and one replica (``nodes``) and three Sentinels; ``url`` is the value of redis.url."""

    def __init__(self, nodes: Sequence[Node], ports: Sequence[int]) -> None:
        self.nodes = nodes
        self.ports = ports
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        self.url = f"redis+sentinel://:{PASSWORD}@{hosts}/mymaster"

    async def sentinel(self, *words: str) -> Any:
        async with aioredis.Redis(port=self.ports[0]) as redis:
            return await redis.execute_command("SENTINEL", *words)

    async def master(self) -> Node:
        _, port = await self.sentinel("GET-MASTER-ADDR-BY-NAME", "mymaster")
        return next(node for node in self.nodes if node.port == int(port))

    async def switched(self, old: Node) -> Node:
        """Wait until another node than the old one is the master, and say which."""

        async def is_another() -> bool:
            return await self.master() is not old

        await until_true(is_another)
        return await self.master()

    async def whole_again(self) -> None:
        """Wait until the node that is not the master follows it, and every Sentinel knows."""
        master = await self.master()
        replica = next(node for node in self.nodes if node is not master)
        await until_true(lambda: _follows(replica), 60)
        await until_true(lambda: _sees_all(self), 60)

    async def revive(self, dead: Node) -> None:
        """Start a node that was killed as the replica of the master of now."""
        master = await self.master()
        await asyncio.to_thread(dead.start_again, "--replicaof", f"127.0.0.1 {master.port}")
        await self.whole_again()


@contextlib.asynccontextmanager
async def sentinels(binary: str) -> AsyncIterator[SentinelWorld]:
    ports = free_ports(5)
    folder = Path(tempfile.mkdtemp(prefix="prompt-sentinel-"))
    started = []
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(Node(binary, ports[0]))
        replica = stack.enter_context(Node(binary, ports[1], "--replicaof", f"127.0.0.1 {ports[0]}"))
        await until_true(lambda: _follows(replica))
        for port in ports[2:]:
            home = folder / str(port)
            home.mkdir()
            configuration = home / "sentinel.conf"
            configuration.write_text(SENTINEL.format(port=port, folder=home, master=ports[0], password=PASSWORD))
            command = [binary, str(configuration), "--sentinel", "--logfile", "log"]
            started.append(subprocess.Popen(command))  # noqa: ASYNC220  # a test's own
        world = SentinelWorld((master, replica), ports[2:])
        try:
            await until_true(lambda: _sees_all(world))
            yield world
        finally:
            for process in started:
                process.kill()
                process.wait()
            shutil.rmtree(folder, ignore_errors=True)


async def _follows(replica: Node) -> bool:
    async with replica.client() as redis:
        return bool((await redis.info("replication")).get("master_link_status") == "up")


async def _sees_all(world: SentinelWorld) -> bool:
    for port in world.ports:
        async with aioredis.Redis(port=port) as redis:
            masters: Any = await redis.sentinel_masters()
            facts = masters["mymaster"] if isinstance(masters, dict) else masters[0]
            if facts["num-other-sentinels"] != 2 or facts["num-slaves"] != 1:
                return False
    return True


class ClusterWorld:
    """Three masters, ``nodes[3:]`` their replicas; ``url`` is the value of redis.url."""

    def __init__(self, nodes: Sequence[Node], add: Callable[[], Node]) -> None:
        self.nodes = list(nodes)
        self._add = add
        self.url = f"redis+cluster://:{PASSWORD}@127.0.0.1:{nodes[0].port},127.0.0.1:{nodes[1].port}"

    async def id_of(self, node: Node) -> str:
        return str(await node.ask("CLUSTER", "MYID"), "ascii")

    async def owner(self, slot: int) -> Node:
        """Return the master of a slot."""
        for first, last, master, *_ in await self.nodes[0].ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == master[1])
        raise AssertionError(slot)

    async def move_slot(self, slot: int, source: Node, target: Node) -> None:
        """Move one slot as redis-cli does, by its keys."""
        await self.begin_move(slot, source, target)
        await self.move_keys(slot, source, target)
        await self.end_move(slot, source, target)

    async def add_node(self) -> Node:
        """Add a master without slots, and wait until every node knows it."""
        node = await asyncio.to_thread(self._add)
        await node.ask("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
        self.nodes.append(node)
        await until_true(lambda: _know_each_other(self.nodes))
        return node

    async def drain(self, source: Node, target: Node) -> None:
        """Move all slots of a node, some at a time."""
        owned = [
            slot
            for first, last, master, *_ in await source.ask("CLUSTER", "SLOTS")
            if master[1] == source.port
            for slot in range(first, last + 1)
        ]
        source_id, target_id = await self.id_of(source), await self.id_of(target)
        for some in [owned[begin : begin + SLOTS_AT_ONCE] for begin in range(0, len(owned), SLOTS_AT_ONCE)]:
            await _set_slots(target, some, "IMPORTING", source_id)
            await _set_slots(source, some, "MIGRATING", target_id)
            await self._move_all_keys(some, source, target)
            for node in dict.fromkeys((target, source, *self.nodes)):
                with contextlib.suppress(redis_errors.ResponseError):  # a master becomes a replica with its last slot
                    await _set_slots(node, some, "NODE", target_id)
        await until_true(lambda: self._owns_nothing(source))

    async def _owns_nothing(self, node: Node) -> bool:
        for asked in self.nodes:
            if any(master[1] == node.port for _first, _last, master, *_ in await asked.ask("CLUSTER", "SLOTS")):
                return False
        return True

    async def remove(self, node: Node) -> None:
        """End a node that has no slots, and have the others forget it."""
        node_id = await self.id_of(node)
        self.nodes.remove(node)
        for other in self.nodes:
            await other.ask("CLUSTER", "FORGET", node_id)
        node.stop_hard()

    async def begin_move(self, slot: int, source: Node, target: Node) -> None:
        await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", await self.id_of(source))
        await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", await self.id_of(target))

    async def move_keys(self, slot: int, source: Node, target: Node, *, most: int = 0) -> None:
        """Move the slot's keys, or the first ``most`` of them."""
        async with source.client() as redis:
            while keys := await redis.execute_command("CLUSTER", "GETKEYSINSLOT", slot, most or KEYS_AT_ONCE):
                await redis.execute_command(*_migrate(target, keys))
                if most:
                    return

    async def _move_all_keys(self, slots: Sequence[int], source: Node, target: Node) -> None:
        while slots:
            counts = await _pipelined(source, [("CLUSTER", "COUNTKEYSINSLOT", slot) for slot in slots])
            slots = [slot for slot, count in zip(slots, counts, strict=True) if count]
            some = await _pipelined(source, [("CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE) for slot in slots])
            await _pipelined(source, [_migrate(target, keys) for keys in some if keys])

    async def end_move(self, slot: int, source: Node, target: Node) -> None:
        target_id = await self.id_of(target)
        for node in (target, source, *self.nodes):
            with contextlib.suppress(redis_errors.ResponseError):  # a replica has no say
                await node.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)


def _migrate(target: Node, keys: Sequence[bytes]) -> tuple[str | int | bytes, ...]:
    """Return the command that moves keys of one slot."""
    return ("MIGRATE", "127.0.0.1", target.port, "", 0, 60_000, "AUTH", PASSWORD, "KEYS", *keys)


async def _set_slots(node: Node, slots: Sequence[int], *words: str) -> None:
    await _pipelined(node, [("CLUSTER", "SETSLOT", slot, *words) for slot in slots])


async def _pipelined(node: Node, commands: Sequence[tuple[str | int | bytes, ...]]) -> list[Any]:
    async with node.client() as redis:
        pipeline = redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        replies: list[Any] = await pipeline.execute()
        return replies


@contextlib.asynccontextmanager
async def cluster(binary: str, *, replicas: bool = False, node_timeout_ms: int = 1_000) -> AsyncIterator[ClusterWorld]:
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(node_timeout_ms))
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(Node(binary, port, *options)) for port in free_ports(6 if replicas else 3)]
        world = ClusterWorld(nodes, lambda: stack.enter_context(Node(binary, free_ports(1)[0], *options)))
        share = SLOTS // 3 + 1
        for number, node in enumerate(nodes[:3]):
            await node.ask("CLUSTER", "ADDSLOTSRANGE", number * share, min((number + 1) * share, SLOTS) - 1)
            await node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            await node.ask("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        await until_true(lambda: _knows(nodes, len(nodes)))
        for number, node in enumerate(nodes[3:]):
            await node.ask("CLUSTER", "REPLICATE", await world.id_of(nodes[number]))
        await until_true(lambda: _knows(nodes, len(nodes)))
        for node in nodes[3:]:
            await until_true(lambda node=node: _follows(node))
        yield world


async def _know_each_other(nodes: Sequence[Node]) -> bool:
    return await _knows(nodes, len(nodes))


async def _knows(nodes: Sequence[Node], count: int) -> bool:
    for node in nodes:
        facts = str(await node.ask("CLUSTER", "INFO"))
        if "cluster_state:ok" not in facts or f"cluster_known_nodes:{count}" not in facts:
            return False
    return True
