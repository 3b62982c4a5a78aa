"""The same bytes, cut in the same places, to a server with the express lane, one without, and plain Tornado: equal?

``python -m tests.server.lane.fuzz --cases 20000`` prints the seed and every difference, and exits 1 if there is one.
"""

from __future__ import annotations

import argparse
import asyncio
import operator
import random
import re
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple
from unittest import mock

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets

from accounts import Accounts, ApiKeys
from composition import BARE_ERRORS, UNBOUNDED, Service, compose
from runtime.configuration import load_settings
from server.bare_answers import BareAnswers
from server.connections import Connections
from server.handoff_stream import MALFORMED
from storage.redis_server import RedisServer
from tests.support.raw_http import BROWSER, document, new_task_id
from tests.support.storage import OpenStorage
from tests.support.whole_server import BASE

ORIGIN = "https://app.example"
AT_ONCE = 20
SILENT_S = (0.25, 3.0, 20.0)  # no answer for so long: none will come; where that makes a difference, look longer
UNREAD_BYTES = property(operator.attrgetter("_read_buffer_size"))
VARYING = re.compile(rb"Date: [^\r]+|(?<=X-Request-Id: )[0-9a-f]{16}|(?<=\"request_id\":\")[0-9a-f]{16}", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """What a client sends: pieces, in order; a patient client waits for something after each."""

    pieces: tuple[bytes, ...]
    patient: bool


class End(Enum):
    """How a conversation ended: the server closed it, having read everything or not, or nothing came any more."""

    CLOSED = "closed"
    RESET = "reset"
    SILENT = "silent"


class Conversation(NamedTuple):
    received: bytes
    end: End

    def agrees_with(self, other: Conversation) -> bool:
        """Say whether the same was answered as by ``other``, which is plain Tornado's.

        A reset may eat the refusal that was sent before it, and nothing else; and where Tornado closes without a word,
        as after the length of a chunk that does not end, ours may say why.
        """
        mine, theirs = (_as_tornado_says_it(each.received) for each in (self, other))
        if mine in (theirs, theirs + MALFORMED):
            return (self.end is End.SILENT) == (other.end is End.SILENT)
        return _refusal_eaten(mine, self.end, theirs) or _refusal_eaten(theirs, other.end, mine)


def _as_tornado_says_it(received: bytes) -> bytes:
    """Remove what varies, and from our answers to malformed requests everything that Tornado does not send."""
    answers = BareAnswers(BARE_ERRORS)
    malformed, head_too_large = (VARYING.sub(b"", each) for each in (answers.malformed(), answers.head_too_large()))
    said = VARYING.sub(b"", received)
    return said.replace(malformed, MALFORMED).replace(head_too_large, b"")


def _refusal_eaten(received: bytes, end: End, whole: bytes) -> bool:
    missing = whole.removeprefix(received)
    return (
        end is End.RESET
        and whole.startswith(received)
        and missing.startswith(b"HTTP/1.1 4")
        and missing.count(b"HTTP/1.1 ") == 1
    )


@dataclass
class Servers:
    """Three servers over one application, with its tokens and tasks. ``shipped``: with the lane and without."""

    service: Service
    shipped: list[tuple[str, int]]
    plain: tuple[str, int]
    tokens: list[str]
    tasks: list[str]

    @property
    def by_lane(self) -> int:
        return self.service.polls.counts["lane", "200"]


@asynccontextmanager
async def open_servers(redis_url: str) -> AsyncIterator[Servers]:
    """Serve one application three times.

    A body that came with its head is read even where its request is refused, so that the connection stays open. Plain
    Tornado's streams do not say what has come: here they do, as ours.
    """
    settings = load_settings(
        None,
        {
            "redis": {"url": redis_url, "key_prefix": f"fuzz{secrets.token_hex(4)}"},
            "server": {
                "cors_allowed_origins": [ORIGIN],
                "express_lane": True,
                "idle_timeout_s": 30,
                "refusals_in_a_row": 0,
            },
            "limits": {"polls_per_second_per_account": 0},
        },
    )
    async with AsyncExitStack() as stack:
        stack.enter_context(mock.patch.object(IOStream, "unread_bytes", UNREAD_BYTES, create=True))
        service = await compose(settings, stack)
        storage = OpenStorage(redis_url, prefix=settings.redis.key_prefix)
        stack.push_async_callback(storage.aclose)
        tokens, tasks = [], []
        for status in ("processing", "completed"):
            account = await Accounts(storage).create(tokens=10_000, subscription_days=30)
            tokens.append((await ApiKeys(storage).create(account.account_id)).key)
            tasks.append(new_task_id())
            await storage.redis.set(storage.key(account.account_id, "status", tasks[-1]), document(3, status, "Grüße"))
        without, plain = (
            HTTPServer(service.app, idle_connection_timeout=10, body_timeout=10, max_body_size=UNBOUNDED)
            for _ in range(2)
        )
        lane_off = await stack.enter_async_context(Connections(without, None, settings.server, BARE_ERRORS))
        addresses = []
        for add_sockets in (service.connections.add_sockets, lane_off.add_sockets, plain.add_sockets):
            sockets = bind_sockets(0, "127.0.0.1", backlog=1024)
            add_sockets(sockets)
            addresses.append(sockets[0].getsockname())
        yield Servers(service, addresses[:2], addresses[2], tokens, tasks)
        plain.stop()
        await plain.close_all_connections()


class Inventor:
    """Makes cases: mostly polls as browsers send them, each time with something that they would not do."""

    def __init__(self, seed: int, tokens: list[str], tasks: list[str]) -> None:
        self._chance = random.Random(seed)
        self._tokens = tokens
        self._tasks = tasks

    def case(self) -> Case:
        chance = self._chance
        requests = [self._request() for _ in range(chance.choice((1, 2, 3, 4, 6, 9)))]
        if chance.random() < 0.15:
            # 150 are more than is read at once, here and in Tornado
            requests = [requests[0]] * chance.choice((*(2, 3, 4, 5, 6, 7) * 4, 40, 150))
        last = self._plain_poll().replace(b"Connection: keep-alive", b"Connection: close")
        if chance.random() < 0.5:  # as a browser: one request after the other
            if chance.random() < 0.2:
                at = chance.randrange(len(requests))
                requests[at] = self._mutate(requests[at])
            return Case((*requests, last), patient=True)
        stream = b"".join(requests)
        if chance.random() < 0.3:
            stream = self._mutate(stream)
        stream += last
        cuts = sorted(chance.randrange(1, len(stream)) for _ in range(chance.choice((0, 1, 1, 2, 3, 8))))
        pieces = tuple(stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True))
        return Case(pieces, patient=False)

    def _plain_poll(self, *, which: int | None = None) -> bytes:
        which = self._chance.randrange(len(self._tasks)) if which is None else which
        lines = "".join(f"{name}: {value}\r\n" for name, value in BROWSER)
        path = f"{BASE}/generate-prompt-async/status/{self._tasks[which]}/"
        proxied = self._chance.random() < 0.3  # as a proxy sends them: never the same bytes twice
        lines = (f"X-Request-ID: {new_id(self._chance)}\r\n" if proxied else "") + lines
        return f"GET {path} HTTP/1.1\r\nHost: a\r\n{lines}Authorization: Bearer {self._tokens[which]}\r\n\r\n".encode()

    def _request(self) -> bytes:
        chance = self._chance
        if chance.random() < 0.6:
            return self._plain_poll()
        which = chance.randrange(len(self._tasks))
        headers = [("Host", "a"), *BROWSER, ("Authorization", f"Bearer {self._tokens[which]}")]
        body = b""
        for _ in range(chance.choice((0, 1, 1, 2))):
            body = self._spoil(headers) or body
        line = self._line(self._tasks[which])
        end = chance.choice(("\r\n",) * 12 + ("\n",))
        rendered = line + end + "".join(f"{name}{value}{end}" for name, value in self._colons(headers)) + end
        return rendered.encode("latin1") + body

    def _colons(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        odd = self._chance.random() < 0.1
        return [
            (name, (self._chance.choice((": ", ":", ":  ", " : ", ":\t")) if odd else ": ") + value)
            for name, value in headers
        ]

    def _line(self, task: str) -> str:
        chance = self._chance
        status = f"{BASE}/generate-prompt-async/status"
        path = chance.choice(
            (f"{status}/{task}/",) * 8
            + (
                f"{status}/{task}",
                f"{status}/{task}/?wait=0",
                f"{status}/{task}/?wait=x",
                f"{status}/{task}//",
                f"{status}//{task}/",
                f"{status}/{task.upper()}/",
                f"{status}/{task[:-1]}%{ord(task[-1]):02x}/",
                f"{status}/{new_id(chance)}/",
                f"{status}/{'x' * 36}/",
                f"http://a{status}/{task}/",
                f"{status.upper()}/{task}/",
                f"{BASE}/generate-prompt-async/cancel/{new_id(chance)}/",
                f"{BASE}/generate-prompt-async/",
                "/api/v1/account/",
                "/health/live",
                "/nothing",
                "*",
            )
        )
        method = chance.choice(("GET",) * 12 + ("HEAD", "POST", "OPTIONS", "get", "DELETE", "BREW"))
        version = chance.choice(("HTTP/1.1",) * 14 + ("HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", ""))
        gap = chance.choice((" ",) * 14 + ("  ", "\t"))
        return f"{method}{gap}{path} {version}"

    def _spoil(self, headers: list[tuple[str, str]]) -> bytes:
        """Add, change or take away a header; return the body that it announces."""
        chance = self._chance
        match chance.randrange(16):
            case 0:
                headers.append(("Content-Length", "5"))
                return b"12345"
            case 1:
                headers.append(("Content-Length", chance.choice(("0", "-1", "x", "5, 5", "3"))))
                return chance.choice((b"", b"abc", b"abcde"))
            case 2:
                headers.append(
                    ("Transfer-Encoding", chance.choice(("chunked", "Chunked", "gzip, chunked", "identity")))
                )
                return chance.choice((b"0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"zz\r\n", b""))
            case 3:
                headers.append(("Expect", "100-continue"))
            case 4:
                headers.append(("Upgrade", "websocket"))
            case 5:
                headers[:] = [(name, value) for name, value in headers if name != "Connection"]
            case 6:
                headers.append(("Connection", chance.choice(("close", "Close", "upgrade", "keep-alive, x"))))
            case 7:
                headers.append(("Origin", chance.choice((ORIGIN, "https://evil.example", "null"))))
            case 8:
                headers.append(("X-Request-ID", chance.choice(("abc-1", "a b", "x" * 65, ""))))
            case 9:
                headers[:] = [
                    (name, value) for name, value in headers if name != chance.choice(("Host", "Authorization"))
                ]
            case 10:
                headers.append(chance.choice(headers))
            case 11:
                chance.shuffle(headers)
            case 12:
                headers.append(("Cookie", "x" * chance.choice((10, 3_000, 16_000, 70_000))))
            case 13:
                headers.append((chance.choice(("If-None-Match", "If-Modified-Since", "Range")), "bytes=0-1"))
            case 14:
                at = chance.randrange(len(headers))
                headers[at] = (
                    chance.choice((headers[at][0].lower(), headers[at][0].upper(), " " + headers[at][0])),
                    headers[at][1],
                )
            case _:
                at = chance.randrange(len(headers))
                headers[at] = (
                    headers[at][0],
                    headers[at][1] + chance.choice((" ", "\t", "\r\n folded", "\x00", "\x7f", "é", "\r")),
                )
        return b""

    def _mutate(self, stream: bytes) -> bytes:
        chance = self._chance
        changed = bytearray(stream)
        for _ in range(chance.choice((1, 1, 2, 5))):
            at = chance.randrange(len(changed))
            match chance.randrange(5):
                case 0:
                    changed[at] = chance.choice(b"\r\n\t :/\x00aZ0\xff")
                case 1:
                    changed.insert(at, chance.choice(b"\r\n\t :/\x00aZ0\xff"))
                case 2:
                    del changed[at : at + chance.choice((1, 1, 2, 40))]
                case 3:
                    changed[at:at] = changed[at : at + chance.choice((1, 5, 300))]
                case _:
                    del changed[at:]
            if not changed:
                return b"\r\n"
        return bytes(changed)


def new_id(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


async def converse(address: tuple[str, int], case: Case, silent_s: float) -> Conversation:
    """Send a case and return all that came back."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:  # not a StreamReader: that forgets what it has read when a reset comes after it
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(client, address)
        received = b""
        try:
            for piece in case.pieces:
                with suppress(ConnectionError):  # what was answered before can still be read
                    await loop.sock_sendall(client, piece)
                if case.patient:
                    received += await _more(loop, client, silent_s)
                else:
                    await asyncio.sleep(0)
            while True:
                received += await _more(loop, client, silent_s)
        except EOFError:
            return Conversation(received, End.CLOSED)
        except ConnectionError:
            return Conversation(received, End.RESET)
        except TimeoutError:
            return Conversation(received, End.SILENT)


async def _more(loop: asyncio.AbstractEventLoop, client: socket.socket, silent_s: float) -> bytes:
    async with asyncio.timeout(silent_s):
        more = await loop.sock_recv(client, 65536)
    if not more:
        raise EOFError
    return more


async def differences(servers: Servers, *, cases: int, seed: int) -> list[tuple[Case, list[Conversation]]]:
    """Return every case that the servers answer differently, with all answers: the lane's, without it, Tornado's."""
    inventor = Inventor(seed, servers.tokens, servers.tasks)
    places = asyncio.Semaphore(AT_ONCE)
    different: list[tuple[Case, list[Conversation]]] = []
    addresses = [*servers.shipped, servers.plain]

    async def compare(case: Case) -> None:
        async with places:
            for silent_s in SILENT_S:
                conversations = await asyncio.gather(*(converse(address, case, silent_s) for address in addresses))
                if all(each.agrees_with(conversations[-1]) for each in conversations):
                    return
                if End.SILENT not in [each.end for each in conversations]:
                    break
        different.append((case, conversations))

    for begin in range(0, cases, 500):
        await asyncio.gather(*(compare(inventor.case()) for _ in range(min(500, cases - begin))))
    return different


async def run(cases: int, seed: int, redis_url: str) -> int:
    begun = time.monotonic()
    async with open_servers(redis_url) as servers:
        different = await differences(servers, cases=cases, seed=seed)
        for case, conversations in different[:10]:
            print(f"sent {case.pieces!r}", *conversations, sep="\n", end="\n\n")
        print(
            f"seed {seed}: {cases} cases, {servers.by_lane} polls answered by the lane, {len(different)} differences, "
            f"{time.monotonic() - begun:.0f} s"
        )
        return 1 if different else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    given = parser.parse_args()
    with RedisServer() as server:
        sys.exit(asyncio.run(run(given.cases, given.seed, server.url)))


if __name__ == "__main__":
    main()
