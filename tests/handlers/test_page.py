"""How the page and its modules are sent: what a browser may have, and under which rules."""

from __future__ import annotations

import gzip
import re
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from composition import Service, compose
from handlers.page_files import WEB, Page
from runtime.settings import Settings
from tests.support.whole_server import Client

DEMO_KEY = "pg_the_key_of_the_demo"
META = f'<meta name="demo-api-key" content="{DEMO_KEY}">'


def with_demo_key(test: Any) -> Any:
    """Let the test's server be a demo's."""
    marked = pytest.mark.parametrize("demo_api_key", [DEMO_KEY], indirect=True)(test)
    return pytest.mark.usefixtures("demo_api_key")(marked)


@pytest.fixture
def demo_api_key(request: pytest.FixtureRequest) -> str:
    return getattr(request, "param", "")


@pytest.fixture
def service(io_loop: Any, stack: AsyncExitStack, settings: Settings, demo_api_key: str) -> Service:
    service: Service = io_loop.run_sync(lambda: compose(settings, stack, demo_api_key=demo_api_key))
    return service


@pytest.mark.gen_test
async def test_the_page_allows_nothing_but_this_server(client: Client) -> None:
    answer = await client.ask("GET", "/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.gen_test
async def test_the_service_worker_comes_from_beside_the_page_and_is_asked_for_anew(client: Client) -> None:
    answer = await client.ask("GET", "/service-worker.js")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/javascript; charset=UTF-8")
    assert answer.body == (WEB / "client" / "src" / "notifications-worker.js").read_bytes()
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.gen_test
async def test_everything_the_page_asks_for_is_there(client: Client) -> None:
    """Follow the page's links and the modules' imports to their ends."""
    waiting, seen = {"/"}, set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = await client.ask("GET", path)
        assert answer.status == 200, path
        text = answer.body.decode()
        found = re.findall(r'(?:href|src)="(static/[^"]+)"', text) if path == "/" else []
        folder = path.rsplit("/", 1)[0]
        found += [f"{folder}/{name}" for name in re.findall(r"from '(\.[^']+)'", text) if path.endswith(".js")]
        waiting |= {_resolved(name) for name in found} - seen
    below = f"/static/{Page().release}"
    assert {f"{below}/{path.relative_to(WEB).as_posix()}" for path in (WEB / "page").glob("*.js")} <= seen
    assert f"{below}/page/styles.css" in seen
    assert f"{below}/client/src/index.js" in seen


def _resolved(path: str) -> str:
    parts: list[str] = []
    for part in path.strip("/").split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/" + "/".join(parts)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "path",
    [
        *("", "page", "page/", "page/index.html", "client/package.json", "client/src/index.d.ts", "package-lock.json"),
        *(
            "../config.yaml",
            "page/../../config.yaml",
            "page/%2e%2e/%2e%2e/main.py",
            "page//main.js",
            "react/src/index.js",
        ),
    ],
)
async def test_nothing_else_is(client: Client, path: str) -> None:
    answer = await client.ask("GET", f"/static/{path}")
    assert (answer.status, answer.json["error_code"]) == (404, "not_found")


@pytest.mark.gen_test
async def test_a_browser_that_has_a_file_is_told_so(client: Client) -> None:
    first = await client.ask("GET", "/static/page/main.js")
    assert first.headers["Content-Type"] == "text/javascript; charset=UTF-8"
    assert first.headers["Cache-Control"] == "no-cache"
    second = await client.ask("GET", "/static/page/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status, second.body) == (304, b"")


@pytest.mark.gen_test
async def test_what_the_page_asks_for_is_kept_until_it_changes(client: Client) -> None:
    page = await client.ask("GET", "/")
    [script] = re.findall(r'src="(static/[0-9a-f]{16}/page/main.js)"', page.body.decode())
    answer = await client.ask("GET", f"/{script}")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.body == (WEB / "page" / "main.js").read_bytes()
    other = await client.ask("GET", "/static/0123456789abcdef/page/main.js")  # the page of a process of another release
    assert (other.status, other.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/static/page/styles.css", "/static/client/src/api.js", "/docs/swagger-ui.css"])
async def test_text_is_compressed_for_clients_that_accept_it(service: Service, client: Client, path: str) -> None:
    plain = await _raw(client, path, "identity")
    small = await _raw(client, path, "br;q=1, GZIP; q=0.5")
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in small.headers["Vary"]
    assert len(small.body) < 0.6 * len(plain.body)
    assert gzip.decompress(small.body) == plain.body
    assert small.headers["ETag"] != plain.headers["ETag"]
    again = await _raw(client, path, "gzip", small.headers["ETag"])
    assert (again.code, again.body) == (304, b"")


@pytest.mark.gen_test
@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000, br", "*;q=0"])
async def test_who_does_not_accept_gzip_gets_plain_text(service: Service, client: Client, accepted: str) -> None:
    answer = await _raw(client, "/static/page/main.js", accepted)
    assert "Content-Encoding" not in answer.headers
    assert answer.body == (WEB / "page" / "main.js").read_bytes()


async def _raw(client: Client, path: str, accepted: str, etag: str = "") -> HTTPResponse:
    headers = {"Accept-Encoding": accepted, "If-None-Match": etag}
    request = HTTPRequest(client.base_url + path, headers=headers, decompress_response=False)
    return await client.http.fetch(request, raise_error=False)


@pytest.mark.gen_test
async def test_head_answers_as_get_does_without_a_body(client: Client) -> None:
    for path in ("/", "/static/page/styles.css"):
        head, get = await client.ask("HEAD", path), await client.ask("GET", path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]  # compressed or not


@pytest.mark.gen_test
async def test_production_hands_no_key_out(client: Client) -> None:
    assert b"demo-api-key" not in (await client.ask("GET", "/")).body


@pytest.mark.gen_test
@with_demo_key
async def test_the_demo_hands_its_key_to_this_machine_and_keeps_it_out_of_caches(client: Client) -> None:
    answer = await client.ask("GET", "/")
    assert META in answer.body.decode()
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.gen_test
@with_demo_key
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "192.168.1.7:8000", "localhost.evil.example", ""]
)
async def test_the_demo_hands_its_key_to_no_other_name(client: Client, host: str) -> None:
    answer = await client.ask("GET", "/", headers={"Host": host or "[fe80::1]"})
    assert answer.status == 200
    assert DEMO_KEY not in answer.body.decode()


@pytest.mark.gen_test
@with_demo_key
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
async def test_this_machine_has_several_names(client: Client, host: str) -> None:
    assert META in (await client.ask("GET", "/", headers={"Host": host})).body.decode()


@pytest.mark.parametrize("remote_ip", ["203.0.113.9", "", "not an address"])
def test_who_comes_from_elsewhere_gets_no_key_under_a_local_name(remote_ip: str) -> None:
    start_line = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=start_line, headers=HTTPHeaders({"Host": "localhost"}))
    request.remote_ip = remote_ip  # what a trusted proxy reports, or a Unix socket, which has no address
    assert DEMO_KEY.encode() not in Page(DEMO_KEY).index_for(request).body
    request.remote_ip = "::1"
    assert DEMO_KEY.encode() in Page(DEMO_KEY).index_for(request).body


@pytest.mark.gen_test
@with_demo_key
@pytest.mark.parametrize(
    "header",
    [
        *("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP", "CF-Connecting-IP", "X-Scheme"),
        *("Forwarded-For", "Client-IP", "Fly-Client-IP", "X-Azure-ClientIP", "Tailscale-User-Login", "X-Request-ID"),
    ],
)
async def test_who_comes_through_a_proxy_on_this_machine_gets_no_key(client: Client, header: str) -> None:
    answer = await client.ask("GET", "/", headers={"Host": "localhost", header: "203.0.113.9"})
    assert answer.status == 200
    assert DEMO_KEY not in answer.body.decode()
