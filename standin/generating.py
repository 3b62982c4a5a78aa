"""Gemini's methods, as an HTTP handler: checks the request as Google does, and plays the plan that was made for it.

Refuses to know what a plan contains.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tornado.iostream import IOStream, StreamClosedError

from standin.behaviour import Behaviour, InvalidBehaviour
from standin.faults import API_KEY_INVALID, ERRORS, NO_KEY, NO_MINIMAL_THINKING, NO_STORE, NO_SUCH_TIER, GoogleError
from standin.handlers import StandinHandler
from standin.plans import End, Method, Plan, error_plan, make_plan
from standin.protocol import InvalidArgument, read_request
from standin.rewriting import draft_in

BEHIND_ALIASES = "gemini-standin-1.0"
KNOWN_MODEL = ("gemini-", "gemma-")
NO_MINIMAL = ("gemini-3.7", "gemini-3.8", "gemini-4")
TRAFFIC = {"standard": "ON_DEMAND", "priority": "ON_DEMAND_PRIORITY", "flex": "ON_DEMAND_FLEX"}
TIERS = ("", "standard", "priority", "flex")
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class GenerateHandler(StandinHandler):
    """POST /{version}/models/{model}:{method}"""

    def prepare(self) -> None:
        self._came_at = asyncio.get_running_loop().time()
        self._gone = asyncio.Event()

    def on_connection_close(self) -> None:
        self._gone.set()

    async def post(self, version: str, model: str, method: str) -> None:
        counters = self.standin.counters
        if method == "countTokens":
            counters.methods[method] += 1
            status, answer = self._count(model)
            self.write_json(answer, status)
            return
        counters.requests += 1
        counters.running += 1
        try:
            await self._play(self._plan(version, model, method))
        except StreamClosedError:  # Tornado does not call on_connection_close each time
            self._gone.set()
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

    def _count(self, model: str) -> tuple[int, Any]:
        """Return status and JSON of the answer to countTokens."""
        if refusal := self._refusal(model):
            return refusal.http_status, refusal.body(0)
        try:
            asked = read_request(self.request.body)
        except InvalidArgument as exc:
            return 400, GoogleError(400, "INVALID_ARGUMENT", str(exc)).body(0)
        asked = replace(asked, characters_per_token=self.standin.chooser.behaviour.characters_per_token)
        return 200, {"totalTokens": asked.prompt_tokens}

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
                return
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
        stream.set_close_callback(None)  # it is us who go, not the client
        stream.close()
