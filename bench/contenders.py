"""The servers that are measured: ours with its lane on and off, the peers, and the floors that bound them all.

Owns how each is started; refuses to know how it is measured.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bench.process import BenchmarkFailed, Process, free_port

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).parent / "peers"
PEERS_PYTHON = Path(os.environ.get("BENCH_PEERS", Path(__file__).parent / ".venv")) / "bin"

DISCARD_URL = "http://127.0.0.1:9"  # the port that discards
OURS, LANE_OFF = "ours", "ours, lane off"
HELLO, NAIVE, FASTAPI, CELERY, DJANGO = (
    "Tornado hello world",
    "Tornado, PyJWT + redis.asyncio",
    "FastAPI, redis.asyncio",
    "FastAPI, Celery AsyncResult",
    "Django + DRF + django-redis",
)
NGINX, ASYNCIO = "nginx `return 200`", "asyncio.Protocol + httptools"


@dataclass(frozen=True, slots=True)
class Place:
    """The core, folder and addresses that a contender is started with."""

    core: int
    folder: Path
    redis_url: str
    jwt_secret: str
    gemini_url: str  # empty when the contender is only polled


@dataclass(frozen=True, slots=True)
class Server:
    """A started contender."""

    process: Process
    url: str


@dataclass(frozen=True, slots=True)
class Contender:
    """``store`` names the store of its documents (task_feeder.py); '' when it reads none and all answers are alike."""

    name: str
    start: Callable[[ExitStack, Place], Server]
    store: str = ""


def start_ours(
    stack: ExitStack,
    place: Place,
    *,
    lane: bool = True,
    root: Path = ROOT,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Server:
    """Start the server as production does, except that accounts may poll and wait for Gemini as much as they like.

    ``root`` may be another version's folder; ``variables`` are more of the environment.
    """
    env = {
        "PROMPT_REDIS__URL": place.redis_url,
        "PROMPT_SERVER__EXPRESS_LANE": str(lane).lower(),
        "PROMPT_LIMITS__POLLS_PER_SECOND_PER_ACCOUNT": "1000000",  # counted, as in production, and never reached
        "PROMPT_LIMITS__STREAMS_PER_ACCOUNT": "0",
        "PROMPT_LIMITS__UNFINISHED_TASKS_PER_ACCOUNT": "100",
        "PROMPT_LIMITS__SUBMITS_PER_SECOND_PER_ACCOUNT": "0",
        "PROMPT_GEMINI__BASE_URL": place.gemini_url or DISCARD_URL,
        "PROMPT_GEMINI__API_KEY": "bench",
        "PROMPT_GEMINI__CONNECTIONS": "1000",
        "PROMPT_IDENTITY__JWT__ALGORITHM": "HS256",
        "PROMPT_IDENTITY__JWT__SECRET": place.jwt_secret,
        "PROMPT_LOGS__FORMAT": "json",
        **variables,
    }
    port = free_port()
    command = [sys.executable, root / "main.py", "serve", "--port", str(port)]
    return _started(stack, Process("ours", command, core=place.core, folder=place.folder, env=env), port)


def start_django(stack: ExitStack, place: Place, *, broker_url: str = "") -> Server:
    """Start gunicorn with threads, the worker that keeps connections alive; ``broker_url`` is Celery's."""
    port = free_port()
    command = [
        *(_peers_python("gunicorn"), "--bind", f"127.0.0.1:{port}", "--backlog", "4096", "--log-level", "warning"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", "4", "--worker-connections", "12000"),
        *("--keep-alive", "75", "--max-requests", "0", "django_app:application"),
    ]
    env = peer_env(place, port) | {"BENCH_BROKER_URL": broker_url}
    return _started(stack, Process("django", command, core=place.core, folder=place.folder, env=env), port)


def start_celery_worker(stack: ExitStack, place: Place, *, broker_url: str, pool: str, concurrency: int) -> Process:
    """Start the Django peer's worker and wait until it takes tasks."""
    command = [
        *(_peers_python("celery"), "-A", "celery_worker", "worker", "--loglevel", "INFO"),
        *("--pool", pool, "--concurrency", str(concurrency)),
    ]
    env = peer_env(place, 0) | {"BENCH_BROKER_URL": broker_url}
    worker = stack.enter_context(Process("celery", command, core=place.core, folder=place.folder, env=env))
    worker.wait_until(lambda: " ready." in worker.log_end(), "taking tasks")
    return worker


def start_standin(stack: ExitStack, folder: Path, *, core: int, delay_s: float) -> Server:
    """Start the stand-in for Gemini; its streams come in pieces as long as Gemini's own recorded ones (40 words)."""
    port = free_port()
    command = [sys.executable, ROOT / "main.py", "gemini-standin", "--port", str(port), "--delay-s", str(delay_s)]
    command += ["--words-per-chunk", "40"]
    return _started(stack, Process("standin", command, core=core, folder=folder), port)


def start_nginx(stack: ExitStack, place: Place, name: str, http: str, port: int, *, workers: int = 1) -> Server:
    """Start an nginx with this text inside its http block."""
    folder = place.folder / name
    folder.mkdir(exist_ok=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes {workers}; pid {folder}/nginx.pid; error_log {folder}/error.log warn;\n"
        "worker_rlimit_nofile 20000; events { worker_connections 19000; }\n"
        f"http {{ access_log off;\n{temporary}{http}\n}}\n"
    )
    command = [_nginx(), "-p", folder, "-c", config, "-e", folder / "error.log"]
    return _started(stack, Process(name, command, core=place.core, folder=place.folder), port)


def peer_env(place: Place, port: int) -> dict[str, str]:
    return {
        "BENCH_PORT": str(port),
        "BENCH_REDIS_URL": place.redis_url,
        "BENCH_JWT_SECRET": place.jwt_secret,
        "BENCH_GEMINI_URL": place.gemini_url,
        "PYTHONPATH": str(PEERS),
    }


def _start_lane_off(stack: ExitStack, place: Place) -> Server:
    return start_ours(stack, place, lane=False)


def _python(name: str) -> Callable[[ExitStack, Place], Server]:
    def start(stack: ExitStack, place: Place) -> Server:
        port = free_port()
        command = [_peers_python("python"), PEERS / f"{name}.py"]
        process = Process(name, command, core=place.core, folder=place.folder, env=peer_env(place, port))
        return _started(stack, process, port)

    return start


def _uvicorn(name: str) -> Callable[[ExitStack, Place], Server]:
    def start(stack: ExitStack, place: Place) -> Server:
        port = free_port()
        command = [
            *(_peers_python("uvicorn"), f"{name}:app", "--port", str(port), "--backlog", "4096"),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
            *("--timeout-keep-alive", "75"),
        ]
        process = Process(name, command, core=place.core, folder=place.folder, env=peer_env(place, port))
        return _started(stack, process, port)

    return start


def _start_nginx_floor(stack: ExitStack, place: Place) -> Server:
    port = free_port()
    body = '{"status":"processing","progress":50,"message":"Generating enhanced prompt with AI...",'
    body += (
        '"created_at":"2026-11-23T08:00:00Z","task_id":"00000000-0000-4000-8000-000000000000","attempt":1,"version":4}'
    )
    http = "keepalive_timeout 75s; keepalive_requests 1000000000; default_type application/json;\n"
    http += f"server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 '{body}'; }} }}"
    return start_nginx(stack, place, "nginx-floor", http, port)


def _started(stack: ExitStack, process: Process, port: int) -> Server:
    stack.enter_context(process).wait_for_port(port)
    return Server(process, f"http://127.0.0.1:{port}")


def _peers_python(program: str) -> Path:
    path = PEERS_PYTHON / program
    if not path.exists():
        raise BenchmarkFailed(f"{path} is missing: `make bench` installs what the peers need, bench/requirements.txt")
    return path


def _nginx() -> str:
    # Debian has it in a folder that is not on everybody's PATH.
    if path := shutil.which("nginx", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"):
        return path
    raise BenchmarkFailed("nginx is missing. It is a Debian package: apt install nginx-light")


OURS_AS_SHIPPED = Contender(OURS, start_ours, "ours")
CONTENDERS = (
    Contender(DJANGO, start_django, "django"),
    Contender(CELERY, _uvicorn("fastapi_celery"), "celery"),
    Contender(FASTAPI, _uvicorn("fastapi_redis"), "strings"),
    Contender(NAIVE, _python("tornado_naive"), "strings"),
    Contender(HELLO, _python("tornado_hello")),
    Contender(LANE_OFF, _start_lane_off, "ours"),
    OURS_AS_SHIPPED,
    Contender(ASYNCIO, _python("asyncio_floor")),
    Contender(NGINX, _start_nginx_floor),
)
