"""The functions of ours that one poll and one submit run through, in their order.

``python -m tests.server.call_paths`` prints for each: calls, files, depth, and how often the way goes from one file to
another. ``--calls`` prints every call. Counted is what the connection and the handler call, directly or not; the first
calls, not resumptions of coroutines. The generation that a submit starts is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from tornado.netutil import bind_sockets

from accounts import Accounts, ApiKeys
from composition import compose
from runtime.configuration import load_settings
from standin import serve_standin
from storage.redis_server import RedisServer
from tests.support.raw_http import document, new_task_id, poll, request
from tests.support.storage import PATIENT_S, OpenStorage
from tests.support.whole_server import BASE, STANDIN_KEY

ROOT = Path(__file__).parents[2]
ROOMS = ("accounts", "generation", "handlers", "runtime", "server", "storage")
BEGIN = ("server", "handlers")  # of a request's calls one stands there
OTHER_WORK = {"generation/pipeline.py", "Connections._sweep"}
TURNS_AFTER = 10  # of the event loop, in which the connection is returned
RESUMABLE = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


@dataclass
class CallPath:
    """Calls of our functions, as (depth among ours, file, function)."""

    calls: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def files(self) -> int:
        return len({file for _, file, _ in self.calls})

    @property
    def depth(self) -> int:
        return max(depth for depth, _, _ in self.calls)

    @property
    def moves(self) -> int:
        """How many calls stand in another file than the call before."""
        return sum(one[1] != next_one[1] for one, next_one in zip(self.calls, self.calls[1:], strict=False))

    def __str__(self) -> str:
        return f"{len(self.calls)} calls in {self.files} files, depth {self.depth}, {self.moves} moves between files"


@contextmanager
def traced() -> Iterator[CallPath]:
    """Record what this thread calls while the block lasts."""
    path = CallPath()
    resumable: set[FrameType] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call" or (file := _our_file(frame)) is None or frame in resumable:
            return
        if frame.f_code.co_flags & RESUMABLE:
            resumable.add(frame)
        files, names = [file], {file, frame.f_code.co_qualname}
        outer = frame.f_back
        while outer is not None:
            if (outer_file := _our_file(outer)) is not None:
                files.append(outer_file)
                names |= {outer_file, outer.f_code.co_qualname}
            outer = outer.f_back
        if not OTHER_WORK & names and any(each.startswith(BEGIN) for each in files):
            path.calls.append((len(files), file, frame.f_code.co_qualname))

    sys.setprofile(note)
    try:
        yield path
    finally:
        sys.setprofile(None)


def _our_file(frame: FrameType) -> str | None:
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(ROOT) or frame.f_code.co_name.startswith("<"):
        return None
    path = path.relative_to(ROOT)
    return str(path) if path.parts[0] in ROOMS else None


@asynccontextmanager
async def open_server() -> AsyncIterator[tuple[tuple[str, int], bytes, bytes]]:
    """Serve with the express lane; yield the address, a poll and a submit."""
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        standin = await stack.enter_async_context(serve_standin(api_key=STANDIN_KEY))
        gemini = {"base_url": standin.url, "api_key": STANDIN_KEY}
        prefix = f"path{secrets.token_hex(4)}"
        settings = load_settings(
            None, {"redis": {"url": redis.url, "key_prefix": prefix, "timeout_s": PATIENT_S}, "gemini": gemini}
        )
        service = await compose(settings, stack)
        storage = OpenStorage(redis.url, prefix=prefix)
        stack.push_async_callback(storage.aclose)
        account = await Accounts(storage).create(tokens=100_000, subscription_days=30)
        authorization = f"Bearer {(await ApiKeys(storage).create(account.account_id)).key}"
        task_id = new_task_id()
        await storage.redis.set(storage.key(account.account_id, "status", task_id), document(3), ex=600)
        sockets = bind_sockets(0, "127.0.0.1")
        service.connections.add_sockets(sockets)
        body = json.dumps({"manual_prompt": "Answer questions about our bakery."}).encode()
        extra = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
        submit = request("POST", f"{BASE}/generate-prompt-async/", authorization, *extra) + body
        yield sockets[0].getsockname(), poll(task_id, authorization), submit


async def call_paths() -> dict[str, CallPath]:
    """Return the way of a poll that the lane knows, and that of a submit, each from a connection that idles."""
    paths = {}
    async with open_server() as (address, hot_poll, submit):
        with socket.create_connection(address) as client:
            for name, data in {"poll": hot_poll, "submit": submit}.items():
                for _ in range(3):
                    await asyncio.to_thread(_ask, client, data)
                    await asyncio.sleep(0.2)  # the connection idles, and what the request has left behind is done
                with traced() as paths[name]:
                    await asyncio.to_thread(_ask, client, data)
                    for _ in range(TURNS_AFTER):
                        await asyncio.sleep(0)
    return paths


def _ask(client: socket.socket, data: bytes) -> None:
    client.sendall(data)
    answer = client.recv(65536)
    if not answer.startswith(b"HTTP/1.1 20"):
        raise RuntimeError(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", action="store_true")
    given = parser.parse_args()
    for name, path in asyncio.run(call_paths()).items():
        print(f"{name}: {path}")
        for depth, file, function in path.calls if given.calls else ():
            print(f"  {'. ' * depth}{function}  {file}")


if __name__ == "__main__":
    main()
