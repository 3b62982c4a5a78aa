"""The stand-in's HTTP: Gemini's two methods in both API versions and on Vertex AI's paths, tokens, the list of models,
and ``/standin/`` for tests.

Sends plans; refuses to know their content.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from standin.behaviour import Behaviour, Chooser, InvalidBehaviour
from standin.counters import Counters
from standin.faults import API_KEY_INVALID, ERRORS, NO_KEY, NO_MINIMAL_THINKING, NO_STORE, NO_SUCH_TIER, GoogleError
from standin.plans import End, Method, Plan, error_plan, make_plan
from standin.protocol import InvalidArgument, read_request
from standin.rewriting import draft_in

# Any other name that could be a model's is taken too: names come and go.
MODELS = ("gemini-flash-latest", "gemini-standin-1.0", "gemini-3.8-flash", "gemini-3.6-flash")
BEHIND_ALIASES = "gemini-standin-1.0"
KNOWN_MODEL = ("gemini-", "gemma-")
NO_MINIMAL = ("gemini-3.7", "gemini-3.8", "gemini-4")
GENERATE = r"/models/([\w.-]+):(generateContent|streamGenerateContent)"
VERTEX = r"/(v1|v1beta1)(?:/projects/[\w.:-]+/locations/[\w-]+)?/publishers/google"
TRAFFIC = {"standard": "ON_DEMAND", "priority": "ON_DEMAND_PRIORITY", "flex": "ON_DEMAND_FLEX"}
METADATA = r"/computeMetadata/v1/"
ACCOUNT = METADATA + r"instance/service-accounts/[^/]+"
TOKEN_PATHS = (r"/token", ACCOUNT + "/token", ACCOUNT + "/?", METADATA + r"project/project-id", METADATA + "?", r"/")
TIERS = ("", "standard", "priority", "flex")
LARGEST_REQUEST_BYTES = 20 << 20
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Standin:
    """A running stand-in. An empty ``api_key`` accepts any, but not none."""

    def __init__(self, api_key: str = "", behaviour: Behaviour | None = None, seed: int = 0) -> None:
        self.api_key = api_key
        self.counters = Counters()
        self.chooser = Chooser(behaviour or Behaviour(), seed)
        self.url = ""
        self.last_bodies: deque[bytes] = deque(maxlen=4)  # as they came, for tests of what is sent
        self.tokens: dict[str, float] = {}
        self.token_lasts_s: float | None = 3_599  # None: the answer does not say

    def issue_token(self) -> str:
        """Return a new bearer token for the paths of Vertex AI."""
        token = f"ya29.standin-{len(self.tokens) + 1}"
        self.tokens[token] = time.monotonic() + (math.inf if self.token_lasts_s is None else self.token_lasts_s)
        return token

    def knows_token(self, token: str) -> bool:
        return self.tokens.get(token, 0.0) > time.monotonic()

    def behave(self, behaviour: Behaviour) -> None:
        """Behave like this from now on; the count of first requests and the random draws begin again."""
        self.chooser = Chooser(behaviour, self.chooser.seed)


class _Handler(RequestHandler):
    def initialize(self, standin: Standin) -> None:
        self.standin = standin

    def write_json(self, value: Any, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.write(json.dumps(value, ensure_ascii=False))


class GenerateHandler(_Handler):
    """POST /{version}/models/{model}:{method}"""

    def prepare(self) -> None:
        self._came_at = asyncio.get_running_loop().time()
        self._gone = asyncio.Event()

    def on_connection_close(self) -> None:
        self._gone.set()

    async def post(self, version: str, model: str, method: str) -> None:
        counters = self.standin.counters
        counters.requests += 1
        counters.running += 1
        try:
            with suppress(StreamClosedError):
                await self._play(self._plan(version, model, method))
        finally:
            counters.running -= 1
            if self._gone.is_set():
                counters.client_went()
            else:
                counters.finished += 1

    def _plan(self, version: str, model: str, method: str) -> Plan:
        if refusal := self._refusal(model):
            return error_plan(refusal, Behaviour())
        self.standin.last_bodies.append(self.request.body)
        try:
            asked = read_request(self.request.body, self.request.headers.get("X-Server-Timeout", ""))
            if asked.thinking_level == "minimal" and model.startswith(NO_MINIMAL):
                return error_plan(NO_MINIMAL_THINKING, Behaviour())
            if self._is_vertex:
                if asked.store is not None:
                    return error_plan(NO_STORE, Behaviour())
                wished = self.request.headers.get("X-Vertex-AI-LLM-Shared-Request-Type", "standard")
                asked = replace(asked, traffic_type=TRAFFIC.get(wished, "ON_DEMAND"))
            if asked.service_tier not in TIERS or (asked.service_tier and (version == "v1" or self._is_vertex)):
                return error_plan(NO_SUCH_TIER, Behaviour())
            behaviour = self.standin.chooser.choose(asked.text, self.request.headers, model, draft_in(asked.texts))
        except (InvalidArgument, InvalidBehaviour) as exc:
            return error_plan(GoogleError(400, "INVALID_ARGUMENT", str(exc)), Behaviour())
        if behaviour.fault:
            self.standin.counters.faults[behaviour.fault] += 1
        sse = self.get_query_argument("alt", "") == "sse"
        framing = Method.UNARY if method == "generateContent" else Method.SSE if sse else Method.ARRAY
        number = self.standin.counters.requests
        speaker = BEHIND_ALIASES if model.endswith("-latest") else model
        self.standin.counters.models[model] += 1
        self.standin.counters.methods[method] += 1
        plan = make_plan(asked, behaviour, framing, model=speaker, response_id=f"standin-{number}")
        if self._is_vertex:
            return plan
        tier = ("x-gemini-service-tier", asked.service_tier or "standard")
        return replace(plan, headers=(*plan.headers, tier))

    @property
    def _is_vertex(self) -> bool:
        return "/publishers/" in self.request.path

    def _refusal(self, model: str) -> GoogleError | None:
        key = self.request.headers.get("x-goog-api-key", "")
        bearer = self.request.headers.get("Authorization", "")
        if "/projects/" in self.request.path:
            # A project wants a token of its own, and no key beside it.
            known = not key and self.standin.knows_token(bearer.removeprefix("Bearer "))
            return self._unknown_model(model) if known else ERRORS["unauthenticated"]
        if bearer:
            return ERRORS["unauthenticated"]  # as Google does with a key and a bearer together
        if not key:
            return NO_KEY
        if self.standin.api_key and key != self.standin.api_key:
            return API_KEY_INVALID
        return self._unknown_model(model)

    def _unknown_model(self, model: str) -> GoogleError | None:
        return None if model.startswith(KNOWN_MODEL) else ERRORS["not_found"]

    async def _play(self, plan: Plan) -> None:
        self.set_status(plan.http_status)
        self.set_header("Content-Type", plan.content_type)
        for name, value in plan.headers:
            self.set_header(name, value)
        for step in plan.steps:
            if isinstance(step, bytes):
                self.write(step)
                if plan.streamed:
                    await self.flush()
            elif isinstance(step, End):
                await self._stop(step)
            else:
                await self._wait_until(self._came_at + step)

    async def _wait_until(self, moment: float) -> None:
        """Wait; a client that goes away ends it."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(moment):
                await self._client_has_gone()
                raise StreamClosedError

    async def _client_has_gone(self) -> None:
        # Tornado calls nothing back for a stream that has closed while the answer was begun.
        if not self._stream.closed():
            await self._gone.wait()

    @property
    def _stream(self) -> IOStream:
        stream: IOStream = self.request.connection.stream  # type: ignore[union-attr]  # an HTTP/1 connection has one
        return stream

    async def _stop(self, end: End) -> None:
        stream = self._stream
        if end is End.HANG:
            await self._client_has_gone()
            raise StreamClosedError
        if end is End.RESET:
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        stream.set_close_callback(None)  # we close it, not the client
        stream.close()
        raise StreamClosedError


class ModelsHandler(_Handler):
    """GET /{version}/models and /{version}/models/{model}"""

    def get(self, model: str = "") -> None:
        known = {name: self._describe(name) for name in MODELS}
        if not model:
            self.write_json({"models": list(known.values())})
        elif model in known:
            self.write_json(known[model])
        else:
            error = ERRORS["not_found"]
            self.write_json(error.body(0), error.http_status)

    def _describe(self, name: str) -> dict[str, Any]:
        return {
            "name": f"models/{name}",
            "version": "1.0",
            "displayName": "Stand-in for Gemini",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
        }


class TokenHandler(_Handler):
    """Google's two ways to a token: its OAuth server (POST /token), and the metadata server of a machine of its own.

    Source: google-auth, compute_engine._metadata and oauth2._client.
    """

    def prepare(self) -> None:
        self.set_header("Metadata-Flavor", "Google")
        self.standin.counters.token_requests += 1

    def get(self) -> None:
        path = self.request.path
        if self.request.headers.get("Metadata-Flavor") != "Google":
            self.write_json({}, 403)
        elif path.endswith("/token"):
            self._give_token()
        elif path.endswith("project-id"):
            self.finish("standin-project")
        else:
            scopes = ["https://www.googleapis.com/auth/cloud-platform"]
            self.write_json({"aliases": ["default"], "email": "standin@standin.example", "scopes": scopes})

    def post(self) -> None:
        self._give_token()

    def _give_token(self) -> None:
        lasts_s, token = self.standin.token_lasts_s, self.standin.issue_token()
        self.write_json({"access_token": token, "expires_in": lasts_s, "token_type": "Bearer"})


class ControlHandler(_Handler):
    """/standin/: GET counters and behaviour, POST another behaviour (JSON, ``{}`` is a good one), DELETE the counts."""

    def get(self) -> None:
        self.write_json(self.standin.counters.as_json() | {"behaviour": asdict(self.standin.chooser.behaviour)})

    def post(self) -> None:
        try:
            changes = json.loads(self.request.body)
            if not isinstance(changes, dict):
                raise InvalidBehaviour("expected a JSON object")
            self.standin.behave(Behaviour().changed(changes))
        except ValueError as exc:
            self.write_json({"error": str(exc)}, 400)
        else:
            self.get()

    def delete(self) -> None:
        self.standin.counters.reset()
        self.get()


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
