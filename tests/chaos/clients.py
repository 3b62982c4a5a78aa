"""A client as the contract tells one to be: it repeats what may be repeated and believes what it reads.

Everything it is told goes to the witness. Refuses to know which faults are made.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from handlers.paths import BASE as BASE
from tests.chaos.witness import TERMINAL, Witness
from tests.support.http_reply import HttpReply

START = f"{BASE}/generate-prompt-async/"
PAUSE_S = 0.02
NETWORK = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)


class NoAnswer(Exception):
    """Nobody answered as hoped within the time; the text has the last observation."""


@dataclass(frozen=True)
class ServerReply(HttpReply):
    """The process that answered, and the time of the request (time.monotonic()), with its answer."""

    process: str
    asked_at: float


class Client:
    """Speaks for one account. ``urls`` are the servers that should be alive now; ``pause_s`` lies between two polls."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account_id: str,
        api_key: str,
        urls: Callable[[], list[str]],
        witness: Witness,
    ) -> None:
        self.account_id = account_id
        self.api_key = api_key
        self.pause_s = PAUSE_S
        self._session = session
        self._urls = urls
        self._witness = witness
        self._turn = itertools.count()
        witness.accounts.add(account_id)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        url: str = "",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> ServerReply:
        """Ask one server once.

        Raises:
            NoAnswer: no server is alive.
            aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError: as it is with networks.
        """
        if not url:
            urls = self._urls()
            if not urls:
                raise NoAnswer("no server is alive")
            url = urls[next(self._turn) % len(urls)]
        sent = {"Authorization": f"Bearer {self.api_key}"} | dict(headers or {})
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        asked_at = time.monotonic()
        self._witness.requests += 1
        async with self._session.request(method, url + path, data=data, headers=sent, timeout=timeout) as response:
            process = response.headers.get("X-Upstream", url).rpartition(", ")[2]
            answer = ServerReply(response.status, response.headers, await response.read(), process, asked_at)
        self._witness.answers += 1
        return answer

    async def submit(self, manual_prompt: str, *, key: str = "", url: str = "", within_s: float = 120.0) -> str:
        """Start a generation with an Idempotency-Key, repeating it until it is accepted; return the task's id.

        ``url`` is asked as long as it is alive, any other server after that.

        Raises:
            NoAnswer: not accepted within the time.
        """
        key = key or str(uuid.uuid4())
        last: Any = "nothing"
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                answer = await self.ask(
                    "POST",
                    START,
                    {"manual_prompt": manual_prompt},
                    url=url if url in self._urls() else "",
                    headers={"Idempotency-Key": key},
                )
            except (*NETWORK, NoAnswer) as exc:
                last = repr(exc)
            else:
                last = (answer.status, answer.body)
                if answer.status == 202:
                    task_id = str(answer.json["task_id"])
                    self.accepted(task_id, key)
                    return task_id
                self.refused(answer)
            await asyncio.sleep(PAUSE_S)
        raise NoAnswer(f"submit: {last}")

    async def submit_once(
        self, manual_prompt: str, *, url: str = "", headers: Mapping[str, str] | None = None
    ) -> ServerReply:
        """Start a generation, once."""
        answer = await self.ask("POST", START, {"manual_prompt": manual_prompt}, url=url, headers=headers)
        if answer.status == 202:
            self.accepted(str(answer.json["task_id"]))
        else:
            self.refused(answer)
        return answer

    def accepted(self, task_id: str, key: str = "") -> None:
        """Note a task that a request of ours made."""
        self._witness.accepted(self.account_id, task_id, key)

    def refused(self, answer: ServerReply) -> None:
        """Note an answer that is no success."""
        self._witness.refused(answer)

    async def poll(self, task_id: str, *, url: str = "", timeout_s: float = 10.0) -> dict[str, Any] | None:
        """Return the document, or None when a server could not say (503)."""
        answer = await self.ask("GET", f"{START}status/{task_id}/", url=url, timeout_s=timeout_s)
        return answer.json if self._shown(task_id, answer) else None

    async def finished(
        self, task_id: str, *, within_s: float = 180.0, until: Callable[[dict[str, Any]], bool] | None = None
    ) -> dict[str, Any]:
        """Poll until the task is terminal, or its document is as wanted; return the document.

        Raises:
            NoAnswer: it never was.
        """
        wanted = until or (lambda document: document["status"] in TERMINAL)
        last: Any = "nothing"
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                document = await self.poll(task_id, timeout_s=3)
            except (*NETWORK, NoAnswer) as exc:
                last = repr(exc)
            else:
                last = document or last
                if document is not None and wanted(document):
                    return document
            await asyncio.sleep(self.pause_s)
        raise NoAnswer(f"{task_id}: {last}")

    async def cancel(self, task_id: str, *, url: str = "") -> ServerReply:
        answer = await self.ask("POST", f"{START}cancel/{task_id}/", url=url)
        self._shown(task_id, answer)
        return answer

    def _shown(self, task_id: str, answer: ServerReply) -> bool:
        if answer.status == 200:
            self._witness.saw(task_id, answer.json, process=answer.process, asked_at=answer.asked_at)
            return True
        self._witness.refused(answer, task_id)
        return False
