"""Connections of aiohttp's that lose no answer because of its size or of what follows it.

Refuses to know requests.
"""

from __future__ import annotations

import asyncio
import functools

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler

HEAD_BYTES = 65_536  # a line of an answer's head: proxies add cookies and policies of any length
END_OF_HEAD = b"\r\n\r\n"


class HeadFirst(ResponseHandler):
    """Parses the head of an answer alone.

    aiohttp drops a whole answer when it comes in one read with what is no HTTP: a broken chunk, bytes after its end,
    the body of a 204.
    """

    def data_received(self, data: bytes) -> None:
        start = 0
        while data.startswith(b"HTTP/", start) and (end := data.find(END_OF_HEAD, start)) >= 0:
            super().data_received(data[start : end + len(END_OF_HEAD)])
            start = end + len(END_OF_HEAD)
        if start < len(data) or not data:
            super().data_received(data[start:] if start else data)


class HeadFirstConnector(aiohttp.TCPConnector):
    def __init__(self, limit: int, resolver: AbstractResolver | None = None) -> None:
        super().__init__(limit=limit, resolver=resolver)
        self._factory = functools.partial(_head_first, loop=self._loop)


def _head_first(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return HeadFirst(loop)
