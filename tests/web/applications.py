"""Applications on the server's own origin: their files come from a folder, everything else from the real server."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path

from playwright.sync_api import Page, Route


def serve_folder(page: Page, folder: Path, url: str) -> None:
    """Let /app/ of the server be this folder."""

    def serve(route: Route) -> None:
        path = folder / route.request.url.split("/app/")[1].split("?")[0].split("#")[0]
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        route.fulfill(body=path.read_bytes(), content_type=kind)

    page.route(f"{url}/app/**", serve)


def open_application(page: Page, folder: Path, name: str, url: str, token: str, *, fragment: str = "") -> None:
    """Open ``folder/name`` at /app/ of the server, with the token where applications of this kind keep it."""
    serve_folder(page, folder, url)
    page.add_init_script(f"localStorage.setItem('token', {json.dumps(token)})")
    page.goto(f"{url}/app/{name}{fragment}")
