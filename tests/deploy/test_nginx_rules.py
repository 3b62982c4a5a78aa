"""What the shipped nginx configuration does with a server's answers, and without one.

The servers here are a few lines each, told to do what a real one does only in bad moments.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tests.deploy.nginx import Nginx
from tests.support.ports import free_ports
from tests.support.rate_limit_fields import limit_of
from tests.support.redis_proxy import Proxy

START = "/api/v1/web-knowledge/generate-prompt-async/"
SYNCHRONOUS = "/api/v1/web-knowledge/generate-prompt/"


class Echo(RequestHandler):
    """Answers with what arrived, or as the test says."""

    seen: list[dict[str, str]]
    act: Callable[[RequestHandler], Awaitable[None]] | None

    def initialize(self, seen: list[dict[str, str]], act: Callable[[RequestHandler], Awaitable[None]] | None) -> None:
        self.seen, self.act = seen, act

    async def prepare(self) -> None:
        self.seen.append({"method": self.request.method or "", **dict(self.request.headers)})
        if self.act:
            await self.act(self)
        else:
            self.finish(self.seen[-1])


class Backend:
    """A server on a free port that remembers what arrived."""

    def __init__(self, act: Callable[[RequestHandler], Awaitable[None]] | None = None) -> None:
        self.seen: list[dict[str, str]] = []
        [bound] = bind_sockets(0, "127.0.0.1")
        self.port: int = bound.getsockname()[1]
        self._server = HTTPServer(Application([(".*", Echo, {"seen": self.seen, "act": act})]))
        self._server.add_socket(bound)

    async def close(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()


async def fetch(nginx: Nginx, path: str, *, method: str = "GET", **options: object) -> HTTPResponse:
    body = b"{}" if method == "POST" else None
    given: dict[str, object] = {"method": method, "body": body, **options}
    request = HTTPRequest(nginx.url + path, **given)  # type: ignore[arg-type]  # options are the caller's
    return await AsyncHTTPClient().fetch(request, raise_error=False)


async def dies(handler: RequestHandler) -> None:
    """End the connection after the request was read, without an answer, as a process does that is killed."""
    assert handler.request.connection is not None
    handler.request.connection.stream.close()  # type: ignore[attr-defined]  # HTTP/1 connections have a stream


async def drains(handler: RequestHandler) -> None:
    handler.set_status(503)
    handler.finish({"success": False, "error_code": "draining"})


async def fills_the_memory(handler: RequestHandler) -> None:
    handler.set_status(503)
    handler.set_header("Retry-After", "5")
    handler.finish({"success": False, "error_code": "server_busy"})


def test_nginx_accepts_the_shipped_file(tmp_path: Path) -> None:
    said = Nginx(tmp_path, [8000]).check()
    assert "test is successful" in said
    assert "[warn]" not in said


@pytest.mark.gen_test
async def test_the_server_learns_who_asks_and_nothing_that_a_client_only_claims(tmp_path: Path) -> None:
    backend = Backend()
    with Nginx(tmp_path, [backend.port]) as nginx:
        claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Request-ID": "mine-1"}
        claims |= {"X-Real-IP": "6.6.6.6", "X-Scheme": "https", "X-Forwarded-Prefix": "/evil"}
        await fetch(nginx, "/x", headers={**claims, "Authorization": "Bearer abc", "Last-Event-ID": "5-0"})
        await fetch(nginx, "/x", headers={"X-Request-ID": "not sane"})
    await backend.close()
    first, second = backend.seen
    assert first["X-Forwarded-For"] == "127.0.0.1"
    assert first["X-Forwarded-Proto"] == "http"
    assert first["X-Real-Ip"] == "127.0.0.1"
    assert first["X-Scheme"] == "http"
    assert "X-Forwarded-Prefix" not in first
    assert first["Host"] == "127.0.0.1"
    assert first["Authorization"] == "Bearer abc"
    assert first["Last-Event-Id"] == "5-0"
    assert first["X-Request-Id"] == "mine-1"
    assert len(second["X-Request-Id"]) == 32
    assert "Connection" not in first


@pytest.mark.gen_test
async def test_connections_to_the_server_are_kept(tmp_path: Path) -> None:
    backend = Backend()
    async with Proxy(backend.port) as counted:
        with Nginx(tmp_path, [counted.port]) as nginx:
            for _ in range(30):
                assert (await fetch(nginx, START)).code == 200
        assert counted.connections == 1
    await backend.close()


@pytest.mark.gen_test
async def test_every_submit_has_a_key_of_the_proxy_and_a_clients_own_is_kept_beside_it(tmp_path: Path) -> None:
    backend = Backend()
    with Nginx(tmp_path, [backend.port]) as nginx:
        await fetch(nginx, START, method="POST")
        await fetch(nginx, START, method="POST")
        await fetch(nginx, START, method="POST", headers={"Idempotency-Key": "mine", "X-Proxy-Submit-Key": "mine"})
        await fetch(nginx, START)
    await backend.close()
    assert [seen.get("Idempotency-Key") for seen in backend.seen] == [None, None, "mine", None]
    *submits, poll = [seen.get("X-Proxy-Submit-Key") for seen in backend.seen]
    assert len(set(submits) - {None, "mine"}) == 3
    assert poll is None, "what is new each time would keep polls off the express lane"


@pytest.mark.gen_test
async def test_a_process_that_refuses_connections_is_passed_over(tmp_path: Path) -> None:
    backend = Backend()
    with Nginx(tmp_path, [*free_ports(1), backend.port]) as nginx:
        for method in ("GET", "POST"):
            assert [(await fetch(nginx, START, method=method)).code for _ in range(10)] == [200] * 10
    await backend.close()


@pytest.mark.gen_test
async def test_a_submit_that_a_process_died_on_goes_to_the_next_one_with_the_same_key(tmp_path: Path) -> None:
    dying, living = Backend(dies), Backend()
    with Nginx(tmp_path, [dying.port, living.port]) as nginx:
        answers = [await fetch(nginx, path, method="POST") for path in (START, SYNCHRONOUS) * 3]
    assert [answer.code for answer in answers] == [200] * 6
    assert dying.seen, "the dying one was asked"
    keys = [seen["X-Proxy-Submit-Key"] for seen in living.seen]
    assert {seen["X-Proxy-Submit-Key"] for seen in dying.seen} <= set(keys)
    assert len(set(keys)) == 6
    for backend in (dying, living):
        await backend.close()


@pytest.mark.gen_test
async def test_what_a_process_stands_still_on_is_answered_by_the_next_one(tmp_path: Path) -> None:
    goes_on = asyncio.Event()

    async def stands_still(_handler: RequestHandler) -> None:
        await goes_on.wait()

    still, living = Backend(stands_still), Backend()
    with Nginx(tmp_path, [still.port, living.port]) as nginx:
        submits = [fetch(nginx, START, method="POST") for _ in range(2)]
        polls = [fetch(nginx, f"{START}status/1/") for _ in range(2)]
        answers = await asyncio.gather(*submits, *polls)
    assert [answer.code for answer in answers] == [200] * 4
    assert {"POST", "GET"} >= {seen["method"] for seen in still.seen} != set()
    keys = [seen["X-Proxy-Submit-Key"] for seen in living.seen if seen["method"] == "POST"]
    assert len(set(keys)) == 2
    goes_on.set()
    for backend in (still, living):
        await backend.close()


@pytest.mark.gen_test
async def test_a_poll_that_waits_arrives_as_it_was_sent(tmp_path: Path) -> None:
    asked: list[str] = []

    async def note(handler: RequestHandler) -> None:
        asked.append(handler.request.uri or "")
        handler.finish({})

    living = Backend(note)
    paths = [f"{START}status/1/{query}" for query in ("?wait=20&after=%36", "?wait=0", "")]
    with Nginx(tmp_path, [living.port]) as nginx:
        for path in paths:
            assert (await fetch(nginx, path)).code == 200
        assert (await fetch(nginx, "/waiting-poll")).code == 404
    assert asked == paths
    await living.close()


@pytest.mark.gen_test
async def test_a_process_that_drains_is_passed_over(tmp_path: Path) -> None:
    draining, living = Backend(drains), Backend()
    with Nginx(tmp_path, [draining.port, living.port]) as nginx:
        answers = [await fetch(nginx, START, method=method) for method in ("GET", "POST") * 4]
    assert [answer.code for answer in answers] == [200] * 8
    assert draining.seen
    for backend in (draining, living):
        await backend.close()


@pytest.mark.gen_test
async def test_when_all_are_busy_their_own_answer_is_passed_on(tmp_path: Path) -> None:
    busy = [Backend(fills_the_memory), Backend(fills_the_memory)]
    with Nginx(tmp_path, [backend.port for backend in busy]) as nginx:
        answer = await fetch(nginx, START, method="POST")
    assert (answer.code, answer.headers["Retry-After"]) == (503, "5")
    assert json.loads(answer.body)["error_code"] == "server_busy"
    for backend in busy:
        await backend.close()


@pytest.mark.gen_test
async def test_when_no_process_answers_the_error_has_the_shape_of_the_api(tmp_path: Path) -> None:
    with Nginx(tmp_path, free_ports(2)) as nginx:
        answer = await fetch(nginx, START, headers={"X-Request-ID": "mine-2"})
    assert (answer.code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-ID"] == "mine-2"
    members = json.loads(answer.body)
    assert list(members) == ["success", "message", "error", "error_code", "request_id"]
    assert (members["success"], members["error_code"], members["request_id"]) == (False, "server_busy", "mine-2")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("method", "headers", "tells_to_look"),
    [
        ("POST", {}, True),
        ("POST", {"Idempotency-Key": "mine"}, False),
        ("GET", {}, False),
    ],
)
async def test_a_submit_that_may_have_been_taken_is_not_told_to_try_again(
    tmp_path: Path, method: str, headers: dict[str, str], tells_to_look: bool
) -> None:
    dying = Backend(dies)
    with Nginx(tmp_path, [dying.port, *free_ports(1)]) as nginx:
        answer = await fetch(nginx, START, method=method, headers=headers)
    await dying.close()
    assert dying.seen
    assert answer.code == 503
    sentence = json.loads(answer.body)["error"]
    assert ("may have started" in sentence, "Try again" in sentence) == (tells_to_look, not tells_to_look)
    assert ("Retry-After" in answer.headers) is not tells_to_look


@pytest.mark.gen_test
async def test_a_submit_that_reached_no_process_may_be_sent_again(tmp_path: Path) -> None:
    with Nginx(tmp_path, free_ports(2)) as nginx:
        answer = await fetch(nginx, START, method="POST")
    assert (answer.code, answer.headers["Retry-After"]) == (503, "1")
    assert "Try again" in json.loads(answer.body)["error"]


@pytest.mark.gen_test
async def test_an_address_that_asks_far_too_often_is_refused_in_the_shape_of_the_api(tmp_path: Path) -> None:
    backend = Backend()
    nginx = Nginx(tmp_path, [backend.port])
    shipped = (tmp_path / "shipped.conf").read_text()
    (tmp_path / "shipped.conf").write_text(shipped.replace("rate=200r/s", "rate=1r/m").replace("burst=400", "burst=2"))
    with nginx:
        answers = [await fetch(nginx, START) for _ in range(5)]
    await backend.close()
    assert [answer.code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert limit_of(answers[-1].headers) == ("requests", {"q": 400, "w": 2, "r": 0, "t": 1})
    members = json.loads(answers[-1].body)
    assert (members["success"], members["error_code"]) == (False, "too_many_requests")
    assert members["request_id"] == answers[-1].headers["X-Request-ID"]
    assert len(backend.seen) == 3


@pytest.mark.gen_test
async def test_an_address_with_too_many_requests_at_once_is_told_so(tmp_path: Path) -> None:
    asked, answer_now = asyncio.Event(), asyncio.Event()

    async def late(handler: RequestHandler) -> None:
        asked.set()
        await answer_now.wait()
        handler.finish("late")

    backend = Backend(late)
    nginx = Nginx(tmp_path, [backend.port])
    shipped = (tmp_path / "shipped.conf").read_text()
    (tmp_path / "shipped.conf").write_text(shipped.replace("prompt_connections 1000", "prompt_connections 1"))
    with nginx:
        first = asyncio.ensure_future(fetch(nginx, START))
        await asked.wait()
        refused = await fetch(nginx, START)
        answer_now.set()
        assert (await first).code == 200
    await backend.close()
    assert (refused.code, refused.headers["Retry-After"]) == (429, "1")
    assert limit_of(refused.headers) == ("connections", {"q": 1000, "qu": "concurrent-requests", "r": 0})


@pytest.mark.gen_test
async def test_a_token_of_sixteen_kilobytes_comes_through(tmp_path: Path) -> None:
    backend = Backend()
    with Nginx(tmp_path, [backend.port]) as nginx:
        answer = await fetch(nginx, START, headers={"Authorization": "Bearer " + "x" * 16_384})
    await backend.close()
    assert answer.code == 200
    assert len(backend.seen[0]["Authorization"]) == len("Bearer ") + 16_384


@pytest.mark.gen_test
async def test_over_tls_it_speaks_http2_and_tells_browsers_to_stay_there(tmp_path: Path) -> None:
    backend = Backend()
    with Nginx(tmp_path, [backend.port], tls=True) as nginx:
        assert "[warn]" not in nginx.check()
        answer = await fetch(nginx, "/x", ca_certs=str(nginx.certificate))
        refused = await fetch(nginx, "/metrics", ca_certs=str(nginx.certificate))
        versions = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
        offered = [await asyncio.to_thread(handshake, nginx, version) for version in versions]
        plain = await AsyncHTTPClient().fetch(
            f"http://127.0.0.1:{nginx.redirecting_port}/a?b=c", follow_redirects=False, raise_error=False
        )
    await backend.close()
    assert (answer.code, refused.code) == (200, 404)
    for each in (answer, refused):
        assert each.headers["Strict-Transport-Security"] == "max-age=63072000"
    assert (backend.seen[0]["X-Forwarded-Proto"], backend.seen[0]["X-Scheme"]) == ("https", "https")
    assert offered == [None, "h2", "h2"]
    assert (plain.code, plain.headers["Location"]) == (301, "https://127.0.0.1/a?b=c")


def handshake(nginx: Nginx, version: ssl.TLSVersion) -> str | None:
    """Return the protocol that nginx chooses over this version of TLS, or None when it refuses the version."""
    context = ssl.create_default_context(cafile=str(nginx.certificate))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version = context.maximum_version = version
        plain = socket.create_connection(("127.0.0.1", nginx.port), 5)
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
            return secured.selected_alpn_protocol()
    except (ssl.SSLError, ValueError, ConnectionError):
        return None


@pytest.mark.gen_test
async def test_a_body_too_large_for_nginx_is_refused_in_the_shape_of_the_api(tmp_path: Path) -> None:
    backend = Backend()
    with Nginx(tmp_path, [backend.port]) as nginx:
        answer = await fetch(nginx, START, method="POST", body=b"x" * 2_000_000)
    await backend.close()
    assert answer.code == 413
    assert json.loads(answer.body)["error_code"] == "body_too_large"
    assert backend.seen == []


@pytest.mark.gen_test
async def test_metrics_are_not_for_the_public(tmp_path: Path) -> None:
    backend = Backend()
    with Nginx(tmp_path, [backend.port]) as nginx:
        assert (await fetch(nginx, "/metrics")).code == 404
        assert (await fetch(nginx, "/metrics/")).code == 404
    await backend.close()
    assert backend.seen == []
