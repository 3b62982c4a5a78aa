"""Raw requests to the server's own connections: a listener beside the one that the test client uses."""

from __future__ import annotations

from tornado.netutil import bind_sockets

from composition import Service
from tests.support.whole_server import Client


def served(service: Service) -> tuple[str, int]:
    """Listen with the server's own connections."""
    sockets = bind_sockets(0, "127.0.0.1")
    service.connections.add_sockets(sockets)
    address: tuple[str, int] = sockets[0].getsockname()
    return address


def head(client: Client, path: str, *lines: str, method: str = "POST") -> bytes:
    authorization = f"Authorization: Bearer {client.api_key}"
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", authorization, *lines, "", ""]).encode()
