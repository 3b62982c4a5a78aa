"""Connections: proxies of the environment, and nothing else of it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from generation.gemini import Gemini, ProxyUnusable, open_session
from generation.gemini.errors import ConnectionFailed, Misconfigured, TimedOut
from generation.gemini.session import environment_proxy
from standin import Standin
from tests.generation.gemini.conftest import ask, settings_for
from tests.generation.gemini.served import Recorded, serve

BODY = b'{"candidates":[{"content":{"parts":[{"text":"By proxy."}]},"finishReason":"STOP"}]}'


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.gen_test
async def test_the_proxy_of_the_environment_is_used(io_loop: object, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(Recorded(BODY)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//someone:secret@"))
        settings = settings_for("http://gemini.example:8080")
        async with open_session(settings) as session:
            assert (await ask(Gemini(session, settings))).text == "By proxy."
    lines = proxy.requests[0].split(b"\r\n")
    assert lines[0].startswith(b"POST http://gemini.example:8080/v1beta/models/")
    assert b"Proxy-Authorization: Basic c29tZW9uZTpzZWNyZXQ=" in lines


@pytest.mark.gen_test
async def test_hosts_that_need_no_proxy_get_none(
    io_loop: object, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    settings = settings_for(standin.url)
    async with open_session(settings) as session:
        await ask(Gemini(session, settings))
    assert standin.counters.requests == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("status", [403, 407])
async def test_a_proxy_that_refuses_is_a_failure_with_a_name(
    io_loop: object, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async with serve(Recorded(b"no", http_status=status)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        plain, tunnelled = settings_for("http://gemini.example"), settings_for("https://gemini.example", tries=1)
        async with open_session(plain) as session:
            with pytest.raises(Misconfigured):
                await ask(Gemini(session, plain))
        async with open_session(tunnelled) as session:
            with pytest.raises(ConnectionFailed):
                await ask(Gemini(session, tunnelled))
    assert proxy.requests[-1].startswith(b"CONNECT gemini.example:443")


@pytest.mark.gen_test
async def test_a_proxy_or_a_name_server_that_hangs_costs_one_connect_timeout_a_try(
    io_loop: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_arguments: object, **_options: object) -> None:
        await asyncio.Event().wait()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{silent.getsockname()[1]}")
        settings = settings_for("https://gemini.example", connect_timeout_s=0.1, tries=2)
        async with open_session(settings) as session:
            with pytest.raises(TimedOut) as by_proxy:
                await ask(Gemini(session, settings))
    monkeypatch.delenv("HTTPS_PROXY")
    async with open_session(settings) as session:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hangs)
        with pytest.raises(TimedOut) as by_name:
            await ask(Gemini(session, settings))
    assert by_proxy.value.facts == by_name.value.facts == {"limit": "connect", "phase": "connecting"}


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        ({"https_proxy": "http://p:3128"}, "http://p:3128"),
        ({"https_proxy": "p:3128"}, "http://p:3128"),
        ({"https_proxy": "http://me:pass@p:3128"}, "http://me:pass@p:3128"),
        ({"http_proxy": "http://p:3128"}, None),
        ({"https_proxy": "http://p:3128", "no_proxy": ".example"}, None),
        ({"https_proxy": "http://p:3128", "no_proxy": "g.example:443"}, None),
        ({"https_proxy": "http://p:3128", "no_proxy": "*"}, None),
        ({"all_proxy": "http://p:3128"}, "http://p:3128"),
        ({"all_proxy": "http://p:3128", "https_proxy": "http://q:1"}, "http://q:1"),
        ({"all_proxy": "socks5://p:1080", "no_proxy": "*"}, None),
        ({}, None),
    ],
)
def test_the_environment_names_a_proxy_by_scheme_and_host(
    monkeypatch: pytest.MonkeyPatch, proxies: dict[str, str], expected: str | None
) -> None:
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)
    proxy = environment_proxy("https://g.example")
    assert (str(proxy).rstrip("/") if proxy else None) == expected


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HTTPS_PROXY", "socks5://someone:secret@p:1080", "HTTPS_PROXY: only http:// and https:// proxies"),
        ("https_proxy", "socks5h://p:1080", "not socks5h://"),
        ("ALL_PROXY", "socks4://p:1080", "ALL_PROXY: only"),
        ("HTTPS_PROXY", "http://", "HTTPS_PROXY: expected http://"),
        ("HTTPS_PROXY", "http://someone:secret@p:port", "HTTPS_PROXY: expected http://"),
        ("HTTPS_PROXY", "http://someone:sec ret@p:3128", "HTTPS_PROXY: expected http://"),
        ("HTTPS_PROXY", "http://p:99999", "HTTPS_PROXY: expected http://"),
        ("HTTPS_PROXY", "http://a..b:3128", "HTTPS_PROXY: expected http://"),
        ("HTTPS_PROXY", "http://" + "a" * 64 + ":3128", "HTTPS_PROXY: expected http://"),
        ("HTTPS_PROXY", "http://${PROXY_HOST}:3128", "HTTPS_PROXY: expected http://"),
        ("HTTPS_PROXY", "http://someone:secret漢@p:3128", "HTTPS_PROXY: expected http://"),
        ("HTTPS_PROXY", "http://some%3aone:secret@p:3128", "HTTPS_PROXY: expected http://"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ProxyUnusable) as refused:
        environment_proxy("https://g.example")
    assert told in str(refused.value)
    assert "sec" not in str(refused.value)


@pytest.mark.gen_test
async def test_a_netrc_adds_no_authorization_beside_the_key(
    io_loop: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    async with serve(Recorded(BODY)) as recorded:
        settings = settings_for(recorded.url)
        async with open_session(settings) as session:
            await ask(Gemini(session, settings))
    assert b"authorization" not in recorded.requests[0].lower()


@pytest.mark.gen_test
async def test_cookies_are_not_kept(io_loop: object) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _request in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY))
            await writer.drain()
        writer.close()

    heads: list[bytes] = []
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        settings = settings_for(f"http://localhost:{server.sockets[0].getsockname()[1]}")
        async with open_session(settings) as session:
            gemini = Gemini(session, settings)
            await ask(gemini)
            await ask(gemini)
    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()
