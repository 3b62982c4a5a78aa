"""Improve a prompt: submit it, show each stage, print the result.

    python3 generate.py http://127.0.0.1:8000 API_KEY "Answer questions about our bakery. Open 7-18."

Standard library only. A submit whose answer was lost is repeated with the same Idempotency-Key: it starts and costs
nothing twice.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

PATH = "/api/v1/web-knowledge/generate-prompt-async/"
WAIT_S = 25  # for which the server may hold a poll until something has changed
TRIES = 5


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
        """Send a request; repeat it while the server is unreachable or says Retry-After."""
        request = urllib.request.Request(  # noqa: S310  # the URL is the caller's own
            self._url + path, body, self._headers | (headers or {}), method=method
        )
        for tries_left in reversed(range(TRIES)):
            try:
                with urllib.request.urlopen(request, timeout=WAIT_S + 10) as response:  # noqa: S310  # as above
                    document: dict[str, Any] = json.load(response)
                    return document
            except urllib.error.HTTPError as exc:
                retry_after = exc.headers.get("Retry-After")
                if not (tries_left and retry_after):
                    raise _refused(exc) from exc
                time.sleep(int(retry_after))
            except OSError:
                if not tries_left:
                    raise
                time.sleep(1)
        raise AssertionError("the last try returns or raises")


def _refused(exc: urllib.error.HTTPError) -> Refused:
    try:
        members = json.load(exc)
    except ValueError:  # a proxy's own page
        members = {}
    return Refused(exc.code, members.get("error_code", "unknown"), members.get("error", f"HTTP {exc.code}"))


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
