"""Improve a prompt: submit it, show each stage, print the result.

    python3 generate.py http://127.0.0.1:8000 API_KEY "Answer questions about our bakery. Open 7-18."

Standard library only. A submit whose answer was lost is repeated with the same Idempotency-Key: it starts and costs
nothing twice.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import IO, Any

PATH = "/api/v1/web-knowledge/generate-prompt-async/"
WAIT_S = 25  # for which the server may hold a poll until something has changed
TRIES = 5
LONGEST_PAUSE_S = 60
NOT_OURS = "unknown"  # the code of an answer that is not the server's


class Refused(Exception):
    """The server's answer to a request that it will not fulfil; the text is the sentence for the user."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class PromptClient:
    """Starts and follows generations of one account. ``url`` is the server's, without a path."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def submit(self, manual_prompt: str) -> str:
        """Start a generation and return its task id.

        Raises:
            Refused, OSError
        """
        body = json.dumps({"manual_prompt": manual_prompt}).encode()
        return str(self._request("POST", PATH, body, {"Idempotency-Key": str(uuid.uuid4())})["task_id"])

    def status(self, task_id: str, *, after_version: int = 0) -> dict[str, Any]:
        """Return the status document as soon as it is newer than ``after_version``, or after ``WAIT_S`` seconds.

        Raises:
            Refused, OSError
        """
        return self._request("GET", f"{PATH}status/{task_id}/?wait={WAIT_S}&after={after_version}")

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Send a request; repeat it while nothing or somebody else answers, or the server cannot now."""
        request = urllib.request.Request(  # noqa: S310  # the URL is the caller's own
            self._url + path, body, self._headers | (headers or {}), method=method
        )
        for tries_left in reversed(range(TRIES)):
            pause_s = 1
            try:
                with urllib.request.urlopen(request, timeout=WAIT_S + 10) as response:  # noqa: S310  # as above
                    return _document(response)
            except urllib.error.HTTPError as exc:
                refused, pause_s = _refused(exc), _retry_after_s(exc.headers["Retry-After"])
                if not (tries_left and _passes(refused) and pause_s <= LONGEST_PAUSE_S):
                    raise refused from exc
            except (OSError, http.client.HTTPException, ValueError) as exc:
                if not tries_left:
                    raise ConnectionError(f"No answer of the server's came: {exc!r}") from exc
            time.sleep(pause_s)
        raise AssertionError("the last try returns or raises")


def _document(response: IO[bytes]) -> dict[str, Any]:
    """Return an answer of the server's.

    Raises:
        ValueError: it is somebody else's, a proxy's or a portal's page.
        OSError, http.client.HTTPException: it was cut off.
    """
    document = json.load(response)
    if not isinstance(document, dict) or "task_id" not in document:
        raise ValueError("no document")
    return document


def _refused(exc: urllib.error.HTTPError) -> Refused:
    try:
        members = json.load(exc)
        return Refused(exc.code, members["error_code"], members["error"])
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):  # a proxy's own page
        return Refused(exc.code, NOT_OURS, f"HTTP {exc.code}")


def _passes(refused: Refused) -> bool:
    """Say whether the same request may be answered later. A proxy's 404 says nothing about the task."""
    return refused.code == NOT_OURS or refused.status in (408, 425, 429) or refused.status >= 500


def _retry_after_s(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 1


def main() -> int:
    url, api_key, manual_prompt = sys.argv[1:]
    client = PromptClient(url, api_key)
    try:
        document = client.status(client.submit(manual_prompt))
        while document["status"] not in ("completed", "failed"):
            print(f"{document['progress']:3} % {document['message']}", file=sys.stderr)
            document = client.status(document["task_id"], after_version=document["version"])
    except (Refused, OSError) as exc:
        print(exc, file=sys.stderr)
        return 1
    if document["status"] == "failed":
        print(document["error"], file=sys.stderr)
        return 1
    print(document["prompt"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
