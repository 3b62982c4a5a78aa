"""The files of web/ that browsers get. They are read once; no other path can be served.

Refuses to know how they are sent.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import html
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from tornado.httputil import HTTPServerRequest

WEB = Path(__file__).parent.parent / "web"
FOLDERS = (
    "client/src",
    "page",
    "page/words",
    "operate",
)  # the modules import each other by relative paths, so URLs mirror the folders
INDEX = WEB / "page" / "index.html"
OPERATE = WEB / "operate" / "index.html"
ROOT_PLACE = "{root}"  # what leads from the operator's page to the server's root
DEMO_KEY_PLACE = "<!-- demo-api-key -->"
CONTENT_TYPES = {
    ".js": "text/javascript; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".svg": "image/svg+xml",
}
# What browsers send when somebody opens a page, beside Sec-…. Anything else may be a proxy's, and behind one the
# connection's other end says nothing about the client; proxies use too many header names to list.
OF_A_BROWSER = {
    *(
        "Host",
        "Connection",
        "Keep-Alive",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Accept-Charset",
    ),
    *("Cache-Control", "Pragma", "If-None-Match", "If-Modified-Since", "Range", "Te", "Upgrade-Insecure-Requests"),
    *("Cookie", "Referer", "Origin", "Dnt", "Priority", "Save-Data", "Authorization", "Content-Type", "Content-Length"),
}
RELEASE = re.compile(r"[0-9a-f]{16}")
LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent. ``gzipped``: the same for clients that accept gzip; empty where it would save nothing."""

    content_type: str
    body: bytes
    etag: str
    gzipped: bytes = b""


class Page:
    """Every file of the page, read when it is constructed.

    ``release`` is a hash over all of them: it is part of their URLs, so browsers may cache them for ever.
    ``demo_api_key`` is given to browsers on this very machine only; production has none.
    """

    def __init__(self, demo_api_key: str = "") -> None:
        self.files: Mapping[str, File] = MappingProxyType(
            {
                path.relative_to(WEB).as_posix(): compressed(file_of(CONTENT_TYPES[path.suffix], path.read_bytes()))
                for folder in FOLDERS
                for path in sorted((WEB / folder).iterdir())
                if path.suffix in CONTENT_TYPES
            }
        )
        self.release = hashlib.sha256("".join(file.etag for file in self.files.values()).encode()).hexdigest()[:16]
        index = INDEX.read_text("utf-8").replace('"static/', f'"static/{self.release}/')
        self._operate = OPERATE.read_text("utf-8").replace("static/", f"static/{self.release}/")
        meta = f'<meta name="demo-api-key" content="{html.escape(demo_api_key)}">' if demo_api_key else ""
        self._index = _html(index.replace(DEMO_KEY_PLACE, ""))
        self._local_index = _html(index.replace(DEMO_KEY_PLACE, meta))

    def operate(self, root: str) -> File:
        """Return the operator's page; ``root`` leads from its address to the server's root, like ``../``."""
        return _html(self._operate.replace(ROOT_PLACE, root))

    def file_at(self, path: str) -> tuple[File | None, bool]:
        """Return the file below /static/, and whether its path names this very release, so that it never changes.

        During an upgrade one process may serve the page of another: it sends the file that it has, not to be cached.
        """
        release, _, name = path.partition("/")
        return self.files.get(name if RELEASE.fullmatch(release) else path), release == self.release

    def index_for(self, request: HTTPServerRequest) -> File:
        """Return the page; with the demo's key only to this very machine, and not through a proxy.

        The Host header counts too: a page of a foreign name that was made to point here (DNS rebinding) learns nothing.
        """
        return self._local_index if _is_local(request) else self._index


def _html(text: str) -> File:
    return compressed(file_of("text/html; charset=UTF-8", text.encode("utf-8")))


def file_of(content_type: str, body: bytes) -> File:
    """Return the file with an ETag that follows its bytes."""
    return File(content_type, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def compressed(file: File) -> File:
    """Return the file with its gzipped bytes. That takes a millisecond: only for files that are made once."""
    gzipped = _gzipped(file.body)
    return replace(file, gzipped=gzipped) if len(gzipped) < len(file.body) else file


@functools.lru_cache(maxsize=128)  # more than there are files: each is compressed once in a process
def _gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def _is_local(request: HTTPServerRequest) -> bool:
    name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if any(header not in OF_A_BROWSER and not header.startswith("Sec-") for header in request.headers):
        return False
    try:
        return name.lower() in LOCAL_NAMES and ipaddress.ip_address(request.remote_ip or "").is_loopback
    except ValueError:  # a Unix socket has no address: the client behind its proxy may be anywhere
        return False
