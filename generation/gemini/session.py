"""Connections to Gemini: how many, through which proxy, and how far a request on one has come.

Refuses to know what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from runtime.settings import GeminiSettings


class Progress:
    """How far one try has come; every request on a session of ours has one as its ``trace_request_ctx``.

    ``phase``: queue (waiting for a connection of ours) | connecting | asking | answering. ``sent`` is set when the
    body goes out on a connection.
    """

    def __init__(self, sent: asyncio.Event) -> None:
        self.phase = "queue"
        self.sent = sent


@asynccontextmanager
async def open_session(settings: GeminiSettings) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session as Gemini's client wants it: bounded connections, the environment's proxy, no cookies.

    The environment is read here, once. With aiohttp's ``trust_env`` it would be read for every request in another
    thread, and a ~/.netrc with it, whose Authorization beside the key makes Google answer 401.
    """
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(_connecting)
    trace.on_request_chunk_sent.append(_sent)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=environment_proxy(settings.base_url),
        trace_configs=[trace],
    ) as session:
        yield session


def environment_proxy(address: str) -> URL | None:
    """Return the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for an address; its URL may hold a password."""
    url = URL(address)
    found = getproxies().get(url.scheme)
    if not found or not url.host or proxy_bypass(f"{url.host}:{url.port}"):
        return None
    return URL(found if "://" in found else f"http://{found}")


async def _connecting(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.phase = "connecting"


async def _sent(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    # aiohttp calls this just before it writes and waits for it: whoever waits for the event runs after the write.
    progress: Progress = context.trace_request_ctx
    progress.phase = "asking"
    progress.sent.set()
