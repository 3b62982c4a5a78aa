"""The peers that need nothing outside the lock, and the verification that stands between a peer and its figures."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import asyncio as aioredis

from bench.contenders import PEERS, Place, peer_env
from bench.load_accounts import LoadAccount, sign
from bench.process import BenchmarkFailed, Process
from bench.shared_slots import SharedSlots
from bench.task_feeder import PEER_FORMATS, PeerStore
from bench.verification import verify
from bench.wrk import SUBMITS_ONLY, Wrk
from generation.stages import GENERATING
from storage.redis_server import RedisServer
from tests.support.ports import free_ports

SECRET = "s" * 64


@dataclass(frozen=True)
class Scene:
    """Two accounts with a task each, and a place for a peer."""

    place: Place
    slots: SharedSlots
    accounts: list[LoadAccount]

    def start(self, name: str) -> tuple[Process, str]:
        [port] = free_ports(1)
        command = [sys.executable, PEERS / f"{name}.py"]
        env = peer_env(self.place, port)
        process = Process(name, command, core=self.place.core, folder=self.place.folder, env=env)
        return process, f"http://127.0.0.1:{port}"


@pytest.fixture
def scene(io_loop: object, redis_server: RedisServer, tmp_path: Path) -> Scene:
    accounts = [LoadAccount(f"bench-{number}", sign(f"bench-{number}", SECRET)) for number in range(2)]
    slots = SharedSlots(tmp_path / "slots", len(accounts))

    async def begin() -> None:
        redis = aioredis.Redis.from_url(redis_server.url)
        store = PeerStore(redis, PEER_FORMATS["strings"])
        for slot, account in enumerate(accounts):
            task_id = await store.begin(account.account_id)
            await store.advance(task_id, GENERATING)
            slots.show(slot, task_id)
        await redis.aclose()

    io_loop.run_sync(begin)  # type: ignore[attr-defined]  # pytest-tornado's IOLoop has no stubs
    core = min(os.sched_getaffinity(0))
    return Scene(Place(core, tmp_path, redis_server.url, SECRET, gemini_url=""), slots, accounts)


def test_naive_tornado_does_all_that_it_is_compared_for(scene: Scene) -> None:
    peer, url = scene.start("tornado_naive")
    with peer:
        peer.wait_for_port(int(url.rpartition(":")[2]))
        verify(peer.name, url, scene.slots, scene.accounts, SECRET)


def test_verification_refuses_a_peer_that_lets_everybody_in(scene: Scene) -> None:
    peer, url = scene.start("tornado_hello")
    with peer:
        peer.wait_for_port(int(url.rpartition(":")[2]))
        with pytest.raises(BenchmarkFailed, match="not the document of task"):
            verify(peer.name, url, scene.slots, scene.accounts, SECRET)


def test_a_peer_that_ends_at_once_is_told_with_its_output(scene: Scene) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such peer')"]
    with (
        Process("broken", command, core=scene.place.core, folder=scene.place.folder) as peer,
        pytest.raises(BenchmarkFailed, match="no such peer"),
    ):
        peer.wait_for_port(free_ports(1)[0])


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk, a Debian package, is not installed")
@pytest.mark.parametrize("submit_every", [0, 20, SUBMITS_ONLY])
def test_wrk_sends_what_the_peer_takes(scene: Scene, submit_every: int) -> None:
    peer, url = scene.start("tornado_naive")
    wrk = Wrk(scene.slots, scene.accounts, scene.place.folder, core=scene.place.core)
    with peer:
        peer.wait_for_port(int(url.rpartition(":")[2]))
        load = wrk.run(url, peer, connections=2, seconds=0.5, submit_every=submit_every)
    assert load.requests > 0
    assert load.errors == 0
    share_refused = load.not_2xx / load.requests  # this peer has no endpoint for submits
    assert share_refused == pytest.approx({0: 0, 20: 1 / 21, SUBMITS_ONLY: 1}[submit_every], abs=0.02)
    assert load.cpu_us > 0
