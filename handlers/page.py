"""The page at / and the modules it is made of, under a strict Content-Security-Policy."""

from __future__ import annotations

from tornado.web import HTTPError

from handlers.base import BaseHandler
from handlers.page_files import File

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Starting a service worker needs a trusted address, and the page makes that one.
PAGE_POLICY = SECURITY_HEADERS["Content-Security-Policy"].replace(
    "trusted-types 'none'", "trusted-types service-worker"
)
SERVICE_WORKER = "client/src/notifications-worker.js"
IMMUTABLE = "public, max-age=31536000, immutable"


class FileHandler(BaseHandler):
    """GET /static/…: one of the page's files."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)

    async def get(self, *path: str) -> None:
        file, unchanging = self.services.page.file_at("".join(path))
        if file is None:
            raise HTTPError(404)
        self.write_file(file, cache_control=IMMUTABLE if unchanging else "no-cache")

    def write_file(self, file: File, *, cache_control: str) -> None:
        """Send the file, or 304 when the browser has it already."""
        self.set_header("Content-Type", file.content_type)
        self.set_header("Cache-Control", cache_control)
        gzipped = bool(file.gzipped) and _accepts_gzip(self.request.headers.get("Accept-Encoding", ""))
        if file.gzipped:
            self.add_header("Vary", "Accept-Encoding")
        self.set_header("ETag", f'{file.etag[:-1]}-gzip"' if gzipped else file.etag)
        if self.check_etag_header():
            self.set_status(304)
            return
        if gzipped:
            self.set_header("Content-Encoding", "gzip")
        self.write(file.gzipped if gzipped else file.body)


class ServiceWorker(FileHandler):
    """GET /service-worker.js: shows notifications; it lies beside the page, so that its scope is the page."""

    async def get(self, *_path: str) -> None:
        self.write_file(self.services.page.files[SERVICE_WORKER], cache_control="no-cache")


class PageHandler(FileHandler):
    """GET /: the page itself."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", PAGE_POLICY)

    async def get(self, *_path: str) -> None:
        # no-store: the demo's copy holds a key, which has no place in a cache on disk
        self.write_file(self.services.page.index_for(self.request), cache_control="no-store")


def _accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip, and not with a weight of nothing (RFC 9110, 12.5.3)."""
    for coding in accepted.lower().split(","):
        name, _, weight = coding.replace(" ", "").partition(";q=")
        if name == "gzip":
            return weight == "" or weight.strip("0.") != ""
    return False
