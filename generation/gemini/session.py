"""Connections to Gemini: their number, their proxy, and the progress of a request on one.
Refuses to know requests.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from generation.gemini.backends import base_url
from runtime.head_first import HEAD_BYTES, HeadFirstConnector
from runtime.hosts import check_host
from runtime.settings import GeminiSettings


class ProxyUnusable(Exception):
    """The environment names a proxy that cannot be used; the text says which variable, and no password."""


class Progress:
    """The progress of one try; every request on a session of ours has one as its ``trace_request_ctx``.

    ``phase``: queue (waiting for a connection of ours) | connecting | asking | answering. ``sent`` is set when the
    body goes out on a connection. ``began_at``, ``first_data_at`` (0 before it), ``last_data_at``: event loop seconds,
    when the try began and when the first and the last bytes of the answer came. ``tier``: the service tier that the
    answer's head named. ``reused``: the connection had answered a request before.
    """

    def __init__(self, sent: asyncio.Event) -> None:
        self.phase = "queue"
        self.sent = sent
        self.began_at = asyncio.get_running_loop().time()
        self.first_data_at = self.last_data_at = 0.0
        self.tier = ""
        self.reused = False

    @property
    def first_data_ms(self) -> int | None:
        return round(1000 * (self.first_data_at - self.began_at)) if self.first_data_at else None


@asynccontextmanager
async def open_session(settings: GeminiSettings) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session as Gemini's client wants it: bounded connections, the environment's proxy, no cookies.

    The environment is read here, once. With aiohttp's ``trust_env`` it would be read for every request in another
    thread, and a ~/.netrc with it, whose Authorization beside the key makes Google answer 401.
    """
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(_connecting)
    trace.on_connection_reuseconn.append(_reused)
    trace.on_request_chunk_sent.append(_sent)
    async with aiohttp.ClientSession(
        connector=HeadFirstConnector(settings.connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=environment_proxy(base_url(settings)) if settings.proxy == "environment" else None,
        trace_configs=[trace],
        max_line_size=HEAD_BYTES,
        max_field_size=HEAD_BYTES,
    ) as session:
        yield session


def environment_proxy(address: str) -> URL | None:
    """Return the proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for an address.

    Its URL may hold a password.

    Raises:
        ProxyUnusable: the variable does not name an HTTP proxy.
    """
    url, proxies = URL(address), getproxies()
    scheme = url.scheme if proxies.get(url.scheme) else "all"
    found = proxies.get(scheme)
    if not found or not url.host or proxy_bypass(f"{url.host}:{url.port}"):
        return None
    name = f"{scheme.upper()}_PROXY"
    kind, _separator, rest = found.rpartition("://")
    if kind.lower() not in ("", "http", "https"):
        shown = kind if re.fullmatch(r"[A-Za-z0-9+.-]{1,20}", kind) else "this"
        raise ProxyUnusable(f"{name}: only http:// and https:// proxies can be used for Gemini, not {shown}://")
    try:
        proxy = URL(f"{kind or 'http'}://{rest}")
        usable = proxy.host and proxy.port and not re.search(r"[\s\x00-\x1f]", found)
        if usable:
            check_host(proxy.host or "")
            usable = ":" not in (proxy.user or "")  # Source: RFC 7617, 2; aiohttp sends both in Latin-1
            f"{proxy.user}{proxy.password}".encode("latin-1")
    except ValueError:  # UnicodeError is one
        usable = False
    if not usable:
        raise ProxyUnusable(f"{name}: expected http://[user:password@]host:port")
    return proxy


async def _connecting(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.phase = "connecting"


async def _reused(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.reused = True


async def _sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    # aiohttp calls this just before it writes and waits for it: a waiter for the event runs after the write.
    progress: Progress = context.trace_request_ctx
    progress.phase = "asking"
    progress.sent.set()
