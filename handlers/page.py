"""The page at / and the modules it is made of, under a strict Content-Security-Policy.

Owns which files of web/ a browser may have: they are read once, and nothing else can be asked for.
"""

from __future__ import annotations

import hashlib
import html
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

from handlers.api import HttpRules, JsonHandler

WEB = Path(__file__).parent.parent / "web"
FOLDERS = ("client/src", "page")  # the modules import each other by relative paths, so URLs mirror the folders
INDEX = WEB / "page" / "index.html"
DEMO_KEY_PLACE = "<!-- demo-api-key -->"
CONTENT_TYPES = {
    ".js": "text/javascript; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".svg": "image/svg+xml",
}
LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent."""

    content_type: str
    body: bytes
    etag: str


class Page:
    """Every file of the page, read when it is constructed.

    ``demo_api_key`` is handed to browsers on this very machine, and to nobody else; production gives none.
    """

    def __init__(self, demo_api_key: str = "") -> None:
        index = INDEX.read_text("utf-8")
        meta = f'<meta name="demo-api-key" content="{html.escape(demo_api_key)}">' if demo_api_key else ""
        self._index = _html(index.replace(DEMO_KEY_PLACE, ""))
        self._local_index = _html(index.replace(DEMO_KEY_PLACE, meta))
        self.files: Mapping[str, File] = MappingProxyType(
            {
                path.relative_to(WEB).as_posix(): _file(CONTENT_TYPES[path.suffix], path.read_bytes())
                for folder in FOLDERS
                for path in sorted((WEB / folder).iterdir())
                if path.suffix in CONTENT_TYPES
            }
        )

    def index_for(self, request: HTTPServerRequest) -> File:
        """Return the page; with the demo's key only when both ends of the connection are this machine.

        The Host header counts too: a page of a foreign name that was made to point here (DNS rebinding) learns nothing.
        """
        return self._local_index if _is_local(request) else self._index


def _html(text: str) -> File:
    return _file("text/html; charset=UTF-8", text.encode("utf-8"))


def _file(content_type: str, body: bytes) -> File:
    return File(content_type, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _is_local(request: HTTPServerRequest) -> bool:
    name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    try:
        return name.lower() in LOCAL_NAMES and ipaddress.ip_address(request.remote_ip or "").is_loopback
    except ValueError:  # a Unix socket has no address: whoever stands before it may be anywhere
        return False


class FileHandler(JsonHandler):
    """GET /static/…: one of the page's files."""

    def initialize(self, rules: HttpRules, page: Page) -> None:
        super().initialize(rules)
        self.page = page

    def set_default_headers(self) -> None:
        super().set_default_headers()
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)

    async def get(self, *path: str) -> None:
        file = self.page.files.get("".join(path))
        if file is None:
            raise HTTPError(404)
        self.write_file(file, cache_control="no-cache")

    async def head(self, *path: str) -> None:
        await self.get(*path)

    def write_file(self, file: File, *, cache_control: str) -> None:
        """Send the file; Tornado answers 304 when the request's If-None-Match names its ETag."""
        self.set_header("Content-Type", file.content_type)
        self.set_header("Cache-Control", cache_control)
        self.set_header("ETag", file.etag)
        self.write(file.body)


class PageHandler(FileHandler):
    """GET /: the page itself."""

    async def get(self, *_path: str) -> None:
        # no-store: the demo's copy holds a key, which has no place in a cache on disk
        self.write_file(self.page.index_for(self.request), cache_control="no-store")
