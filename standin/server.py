"""The stand-in's HTTP: generateContent and streamGenerateContent of both API versions, faults, and its own counters.

Source of the protocol: Gemini API reference (GenerateContentResponse, errors), and recorded answers.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from standin.behaviour import Behaviour, Chooser, UnknownFault
from standin.rewrite import rewrite

MODEL = "gemini-standin-1.0"
THOUGHT_TOKENS = 40
HUGE_BYTES = 3_000_000
CHARACTERS_PER_TOKEN = 4

# Fault → (HTTP status, status, message, details)
ERRORS: dict[str, tuple[int, str, str, list[dict[str, Any]]]] = {
    "bad_request": (400, "INVALID_ARGUMENT", "Request contains an invalid argument.", []),
    "api_key_invalid": (
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
            }
        ],
    ),
    "failed_precondition": (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", []),
    "unauthenticated": (401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", []),
    "payment_required": (402, "RESOURCE_EXHAUSTED", "Prepaid credit is used up.", []),
    "permission_denied": (403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.", []),
    "not_found": (404, "NOT_FOUND", "The model is not found for this API version.", []),
    "rate_limited": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota.",
        [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.4s"},
        ],
    ),
    "rate_limited_bare": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.", []),
    "quota_per_day": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota.",
        [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"},
        ],
    ),
    "internal": (500, "INTERNAL", "An internal error has occurred.", []),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded. Please try again later.", []),
    "gateway_timeout": (504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.", []),
}
FINISH_REASONS = {
    "safety": "SAFETY",
    "recitation": "RECITATION",
    "max_tokens": "MAX_TOKENS",
    "max_tokens_empty": "MAX_TOKENS",
    "unknown_finish": "REASON_OF_THE_FUTURE",
}
WITHOUT_TEXT = frozenset({"safety", "max_tokens_empty", "empty"})
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


@dataclass
class Counters:
    """What has happened since the start, for tests of whoever asks."""

    requests: int = 0
    running: int = 0
    finished: int = 0
    disconnected: int = 0
    connections: int = 0


class Standin:
    """A running stand-in."""

    def __init__(self, api_key: str, behaviour: Behaviour, seed: int = 0) -> None:
        self.api_key = api_key
        self.chooser = Chooser(behaviour, seed)
        self.counters = Counters()
        self.url = ""

    def behave(self, behaviour: Behaviour) -> None:
        """Behave like this from now on; counting of the first requests begins again."""
        self.chooser = Chooser(behaviour, self.chooser.seed)


class GenerateHandler(RequestHandler):
    """POST /{version}/models/{model}:{method}"""

    def initialize(self, standin: Standin) -> None:
        self.standin = standin
        self.gone = asyncio.Event()

    def set_default_headers(self) -> None:
        self.clear_header("Server")

    def on_connection_close(self) -> None:
        self.gone.set()

    async def post(self, _model: str, method: str) -> None:
        counters = self.standin.counters
        counters.requests += 1
        counters.running += 1
        try:
            with suppress(StreamClosedError):
                await self._answer(streamed=method == "streamGenerateContent")
        finally:
            counters.running -= 1
            if self.gone.is_set():
                counters.disconnected += 1
            else:
                counters.finished += 1

    async def _answer(self, *, streamed: bool) -> None:
        key = self.request.headers.get("x-goog-api-key", "")
        if self.standin.api_key and key != self.standin.api_key:
            self._error("api_key_invalid" if key else "permission_denied")
            return
        try:
            text = _user_text(json.loads(self.request.body))
            behaviour = self.standin.chooser.choose(text, self.request.headers)
        except (ValueError, KeyError, TypeError, UnknownFault):
            self._error("bad_request")
            return
        fault = behaviour.fault
        if fault in ERRORS:
            await self._pass_time(behaviour.delay_s)
            self._error(fault)
        elif fault in MISBEHAVIOUR:
            await MISBEHAVIOUR[fault](self)
        elif streamed:
            await self._stream(text, behaviour)
        else:
            words = rewrite(text)
            await self._pass_time(behaviour.delay_s or len(words) / CHARACTERS_PER_TOKEN * _pace(behaviour))
            self._write_json(self._whole(text, words, fault))

    async def _stream(self, text: str, behaviour: Behaviour) -> None:
        fault = behaviour.fault
        as_array = self.get_query_argument("alt", "") != "sse"
        self.set_header("Content-Type", "application/json" if as_array else "text/event-stream")
        pieces = (
            [] if fault in WITHOUT_TEXT | {"blocked_prompt", "no_candidates"} else _pieces(rewrite(text), behaviour)
        )
        pauses_s = behaviour.delay_s / (len(pieces) + 1) or _pace(behaviour) * behaviour.words_per_chunk
        chunks = [_chunk(piece) for piece in pieces]
        if fault != "truncated":
            chunks.append(self._whole(text, "", fault, prompt_only=len(pieces) > 0))
        if fault in BREAKS_IN_THE_MIDDLE:
            chunks = chunks[: max(1, len(chunks) // 2)]
        for number, chunk in enumerate(chunks):
            await self._pass_time(pauses_s)
            opening = "[" if number == 0 else ","
            data = json.dumps(chunk, ensure_ascii=False)
            self.write(f"{opening}{data}" if as_array else f"data: {data}\r\n\r\n")
            await self.flush()
        if fault in BREAKS_IN_THE_MIDDLE:
            await BREAKS_IN_THE_MIDDLE[fault](self)
        elif as_array:
            self.write("]")

    def _whole(self, text: str, words: str, fault: str, *, prompt_only: bool = False) -> dict[str, Any]:
        """The last chunk of a stream, or all of a unary answer; ``prompt_only``: its text went out before."""
        prompt_tokens, thoughts = _tokens(text), THOUGHT_TOKENS
        answer_tokens = 0 if fault in WITHOUT_TEXT else _tokens(words if not prompt_only else rewrite(text))
        body: dict[str, Any] = {
            "usageMetadata": {
                "promptTokenCount": prompt_tokens,
                "candidatesTokenCount": answer_tokens,
                "thoughtsTokenCount": thoughts,
                "totalTokenCount": prompt_tokens + answer_tokens + thoughts,
            },
            "modelVersion": MODEL,
            "responseId": f"standin-{self.standin.counters.requests}",
        }
        if fault == "no_usage":
            del body["usageMetadata"]
        if fault == "blocked_prompt":
            return body | {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
        if fault == "no_candidates":
            return body
        parts = [] if fault in WITHOUT_TEXT else [{"text": words}]
        content: dict[str, Any] = {"role": "model"} | ({"parts": parts} if parts else {})
        candidate = {"content": content, "finishReason": FINISH_REASONS.get(fault, "STOP"), "index": 0}
        return {"candidates": [candidate]} | body

    def _error(self, fault: str) -> None:
        code, status, message, details = ERRORS[fault]
        self.set_status(code)
        self._write_json({"error": {"code": code, "message": message, "status": status, "details": details}})

    def _write_json(self, body: dict[str, Any]) -> None:
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.write(json.dumps(body, ensure_ascii=False))

    async def _pass_time(self, seconds: float) -> None:
        """Wait; a client that goes away ends it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()
        if self.gone.is_set():
            raise StreamClosedError

    async def hang(self) -> None:
        await self._pass_time(600)

    async def reset(self) -> None:
        stream = self.request.connection.stream  # type: ignore[union-attr]  # HTTP/1 connections have a stream
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
        raise StreamClosedError

    async def html(self) -> None:
        self.set_header("Content-Type", "text/html")
        self.write(HTML)

    async def html_error(self) -> None:
        self.set_status(502)
        await self.html()

    async def wrong_utf8(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.write(b'data: {"candidates": [{"content": {"parts": [{"text": "\xff\xfe"}]}}]}\r\n\r\n')

    async def huge(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.write(b"data: " + b"x" * HUGE_BYTES)

    async def byte_a_second(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        for byte in b"data: " + b" " * 600:
            self.write(bytes([byte]))
            await self.flush()
            await self._pass_time(1)

    async def error_mid_stream(self) -> None:
        code, status, message, _details = ERRORS["overloaded"]
        self.write(json.dumps({"error": {"code": code, "message": message, "status": status}}, indent=2) + "\n")

    async def error_mid_stream_data(self) -> None:
        code, status, message, _details = ERRORS["overloaded"]
        self.write("data: " + json.dumps({"error": {"code": code, "message": message, "status": status}}) + "\r\n\r\n")


Misbehave = Callable[[GenerateHandler], Any]
MISBEHAVIOUR: dict[str, Misbehave] = {
    "hang": GenerateHandler.hang,
    "reset": GenerateHandler.reset,
    "html": GenerateHandler.html,
    "html_error": GenerateHandler.html_error,
    "wrong_utf8": GenerateHandler.wrong_utf8,
    "huge": GenerateHandler.huge,
    "byte_a_second": GenerateHandler.byte_a_second,
}
BREAKS_IN_THE_MIDDLE: dict[str, Misbehave] = {
    "hang_mid_stream": GenerateHandler.hang,
    "reset_mid_stream": GenerateHandler.reset,
    "error_mid_stream": GenerateHandler.error_mid_stream,
    "error_mid_stream_data": GenerateHandler.error_mid_stream_data,
}


class ControlHandler(RequestHandler):
    """GET /standin/: counters; POST /standin/: behave as the JSON says, ``{}`` for well."""

    def initialize(self, standin: Standin) -> None:
        self.standin = standin

    def get(self) -> None:
        self.write(asdict(self.standin.counters))

    def post(self) -> None:
        try:
            self.standin.behave(Behaviour(**json.loads(self.request.body)))
        except (TypeError, ValueError) as exc:
            self.set_status(400)
            self.write({"error": str(exc)})
        else:
            self.write(asdict(self.standin.chooser.behaviour))


class _CountingServer(HTTPServer):
    """An HTTPServer that knows how many connections are open."""

    def initialize(self, app: Application, counters: Counters, **options: Any) -> None:  # type: ignore[override]  # Configurable's way
        super().initialize(app, **options)
        self._counters = counters
        self._known: set[object] = set()

    def start_request(self, server_conn: object, request_conn: Any) -> Any:
        self._known.add(server_conn)
        self._counters.connections = len(self._known)
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        self._known.discard(server_conn)
        self._counters.connections = len(self._known)
        super().on_close(server_conn)


def make_app(standin: Standin) -> Application:
    """Build the stand-in's application."""
    options = {"standin": standin}
    return Application(
        [
            (r"/(?:v1|v1beta)/models/([\w.-]+):(generateContent|streamGenerateContent)", GenerateHandler, options),
            (r"/standin/?", ControlHandler, options),
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
    """Serve on this event loop; an empty ``api_key`` accepts any. Yields the Standin with its ``url``."""
    standin = Standin(api_key, behaviour or Behaviour(delay_s=delay_s), seed)
    server = _CountingServer(make_app(standin), standin.counters)
    sockets = bind_sockets(port, host)
    standin.url = f"http://{host}:{sockets[0].getsockname()[1]}"
    server.add_sockets(sockets)
    try:
        yield standin
    finally:
        server.stop()
        await server.close_all_connections()


def _user_text(body: dict[str, Any]) -> str:
    parts = body["contents"][-1]["parts"]
    return "".join(str(part.get("text", "")) for part in parts)


def _chunk(piece: str) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": piece}]}
    return {"candidates": [{"content": content, "index": 0}], "modelVersion": MODEL}


def _pieces(text: str, behaviour: Behaviour) -> list[str]:
    words = re.findall(r"\S+\s*|\s+", text)
    size = behaviour.words_per_chunk
    return ["".join(words[start : start + size]) for start in range(0, len(words), size)]


def _pace(behaviour: Behaviour) -> float:
    return 1 / behaviour.tokens_per_second if behaviour.tokens_per_second else 0.0


def _tokens(text: str) -> int:
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)
