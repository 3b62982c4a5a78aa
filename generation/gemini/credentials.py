"""Google Cloud's Application Default Credentials, and tokens from them that are renewed before they expire.

google-auth finds and renews them, in threads: it blocks. It is an extra, so it is imported only where it is needed.
Refuses to know what a token is used for.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import structlog

from generation.gemini.backends import needs_tokens
from generation.gemini.errors import ConnectionFailed, GeminiError, Misconfigured
from generation.gemini.session import ProxyUnusable, environment_proxy
from runtime.settings import GeminiSettings

log = structlog.get_logger(__name__)

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# Source: google-auth, REFRESH_THRESHOLD: a metadata server gives the same token until some four minutes before its end.
AHEAD_S = 225.0
UNUSABLE_S = 10.0  # before its end, a token may not outlive the request that carries it
RENEWAL_TIMEOUT_S = 20.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LARGEST_ANSWER = 1_048_576  # bytes; a token has a few thousand


class CredentialsUnusable(Exception):
    """Google Cloud cannot be asked; the text says what is missing, and no secret."""


@asynccontextmanager
async def open_tokens(settings: GeminiSettings) -> AsyncIterator[GoogleTokens | None]:
    """Yield tokens that stay valid while the block lasts, or None where a key is enough.

    Raises:
        CredentialsUnusable: google-auth is not installed, or finds no credentials.
    """
    if not needs_tokens(settings):
        yield None
        return
    request = TokenRequests(settings.proxy == "environment")
    tokens = GoogleTokens(await asyncio.to_thread(_default_credentials, request), request)
    keeper = asyncio.create_task(tokens.keep())
    try:
        yield tokens
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


class GoogleTokens:
    """Tokens of google-auth's ``credentials``; ``keep`` must run meanwhile."""

    def __init__(self, credentials: Any, request: TokenRequests) -> None:
        self._request = request
        self._credentials = credentials
        self._token = ""
        self._valid_until = 0.0  # event loop seconds
        self._failure: GeminiError | None = None
        self._renewed = asyncio.Event()
        self._wanted = asyncio.Event()

    @property
    def quota_project(self) -> str:
        return str(getattr(self._credentials, "quota_project_id", None) or "")

    async def token(self) -> str:
        """Return a token that is valid now; callers wait only for the first, and for one after failures.

        Raises:
            Misconfigured, ConnectionFailed: Google gave none.
        """
        if not self._is_valid():
            self._renewed.clear()
            self._wanted.set()
            await self._renewed.wait()
        if not self._is_valid():
            failure = self._failure or Misconfigured(reason="no token for Google Cloud")
            raise failure.with_traceback(None)  # it may be raised to many, and each would add to its traceback
        return self._token

    async def keep(self) -> None:
        """Renew the token before it ends, or when one is wanted and there is none; never returns."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                remaining_s = await self._renew()
            except GeminiError as exc:
                self._failure = exc
                _report(exc)
                wait_s, pause_s = pause_s, min(LONGEST_PAUSE_S, 2 * pause_s)
            else:
                pause_s = FIRST_PAUSE_S
                wait_s = max(remaining_s - AHEAD_S, min(UNUSABLE_S, remaining_s / 2))
            self._wanted.clear()
            self._renewed.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wanted.wait()

    async def _renew(self) -> float:
        """Get another token; return for how many seconds it is valid."""
        from google.auth import exceptions  # an extra

        try:
            await asyncio.to_thread(self._credentials.refresh, self._request)
        except exceptions.TransportError as exc:
            raise ConnectionFailed(reason="no token for Google Cloud: its server cannot be reached") from exc
        except (exceptions.GoogleAuthError, ValueError) as exc:
            again = getattr(exc, "retryable", False)
            kind = ConnectionFailed if again else Misconfigured
            raise kind(reason=f"no token for Google Cloud: {type(exc).__name__}") from exc
        except Exception as exc:  # google-auth found no token in the answer; the next renewal may bring one
            raise ConnectionFailed(reason=f"no token for Google Cloud: {type(exc).__name__}") from exc
        if self._credentials.expiry is None:
            raise Misconfigured(reason="no token for Google Cloud: it was given one without an end")
        # google-auth gives the end of a token in UTC, without saying so.
        end = self._credentials.expiry.replace(tzinfo=UTC)
        remaining_s: float = max(0.0, (end - datetime.now(UTC)).total_seconds())
        self._token = str(self._credentials.token)
        self._valid_until = asyncio.get_running_loop().time() + remaining_s
        return remaining_s

    def _is_valid(self) -> bool:
        return bool(self._token) and asyncio.get_running_loop().time() < self._valid_until - UNUSABLE_S


def _default_credentials(request: Any) -> Any:
    try:
        import google.auth  # an extra
        from google.auth import exceptions
    except ImportError as exc:
        raise CredentialsUnusable(
            "gemini.backend vertex with a project needs google-auth:"
            " .venv/bin/pip install --require-hashes --no-deps -r requirements-vertex.lock"
        ) from exc
    try:
        credentials, _project = google.auth.default(scopes=[SCOPE], request=request)
    except exceptions.GoogleAuthError as exc:
        raise CredentialsUnusable(
            "gemini.backend vertex: no Application Default Credentials were found; give GOOGLE_APPLICATION_CREDENTIALS,"
            f" run on Google Cloud, or use an express key without a project ({type(exc).__name__})"
        ) from exc
    return credentials


def _report(failure: GeminiError) -> None:
    log.error("google_token_not_renewed", failure=type(failure).__name__, **failure.facts)


class _Response:
    """An answer as google-auth reads it (google.auth.transport.Response)."""

    def __init__(self, status: int, headers: Any, data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data


class TokenRequests:
    """The google.auth.transport.Request that google-auth calls; runs in a thread.

    The standard library's client: google-auth's own would bring another HTTP library along. It goes through the same
    proxies as Gemini's requests.
    """

    def __init__(self, through_proxies: bool) -> None:
        self._through_proxies = through_proxies

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_others: Any,
    ) -> _Response:
        from google.auth import exceptions  # an extra

        if not url.startswith(("http://", "https://")):
            raise exceptions.TransportError("not an address of HTTP")  # type: ignore[no-untyped-call]  # theirs
        asked = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310  # checked
        try:
            with self._opener(url).open(asked, timeout=timeout or RENEWAL_TIMEOUT_S) as answer:
                return _Response(answer.status, answer.headers, answer.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as exc:
            with exc:
                return _Response(exc.code, exc.headers, exc.read(LARGEST_ANSWER))
        except (OSError, ProxyUnusable) as exc:
            raise exceptions.TransportError(type(exc).__name__) from exc  # type: ignore[no-untyped-call]  # theirs

    def _opener(self, url: str) -> urllib.request.OpenerDirector:
        proxy = environment_proxy(url) if self._through_proxies else None
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({url.partition(":")[0]: str(proxy)} if proxy else {})
        )
