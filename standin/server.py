"""The stand-in's server: its paths, in both API versions and on Vertex AI, and the connections that it counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import Application

from standin.behaviour import Behaviour
from standin.counters import Counters
from standin.generating import GenerateHandler
from standin.handlers import ControlHandler, ModelsHandler, TokenHandler
from standin.state import Standin

GENERATE = r"/models/([\w.-]+):(generateContent|streamGenerateContent|countTokens)"
VERTEX = r"/(v1|v1beta1)(?:/projects/[\w.:-]+/locations/[\w-]+)?/publishers/google"
METADATA = r"/computeMetadata/v1/"
ACCOUNT = METADATA + r"instance/service-accounts/[^/]+"
TOKEN_PATHS = (r"/token", ACCOUNT + "/token", ACCOUNT + "/?", METADATA + r"project/project-id", METADATA + "?", r"/")
LARGEST_REQUEST_BYTES = 20 << 20


class CountingServer(HTTPServer):
    """An HTTPServer that counts its connections, those without a request included."""

    # Tornado's Configurable calls initialize() with the constructor's arguments.
    def initialize(self, app: Application, counters: Counters) -> None:  # type: ignore[override]  # that is its way
        super().initialize(app, max_body_size=LARGEST_REQUEST_BYTES)
        self._counters = counters

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        self._counters.accepted += 1
        self._counters.connections += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        self._counters.connections -= 1
        super().on_close(server_conn)


def make_app(standin: Standin) -> Application:
    """Build the stand-in's application."""
    given = {"standin": standin}
    return Application(
        [
            (r"/(v1|v1beta)" + GENERATE, GenerateHandler, given),
            (VERTEX + GENERATE, GenerateHandler, given),
            *((path, TokenHandler, given) for path in TOKEN_PATHS),
            (r"/(?:v1|v1beta)/models(?:/([\w.-]+))?", ModelsHandler, given),
            (r"/standin/?", ControlHandler, given),
        ],
        log_function=lambda _handler: None,
    )


@asynccontextmanager
async def serve_standin(
    *,
    api_key: str = "",
    behaviour: Behaviour | None = None,
    delay_s: float = 0.0,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
) -> AsyncIterator[Standin]:
    """Serve on this event loop and yield the Standin with its ``url``; ``delay_s`` is short for a behaviour's."""
    standin = Standin(api_key, behaviour or Behaviour(delay_s=delay_s), seed)
    server = CountingServer(make_app(standin), standin.counters)
    sockets = bind_sockets(port, host)
    standin.url = f"http://{host}:{sockets[0].getsockname()[1]}"
    server.add_sockets(sockets)
    try:
        yield standin
    finally:
        server.stop()
        await server.close_all_connections()
