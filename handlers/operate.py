"""The operator's page at /operate/: it asks for an admin key, and holds nothing itself."""

from __future__ import annotations

from handlers.page import FileHandler


class OperatePage(FileHandler):
    """GET /operate/: the page; the admin API and /metrics are what it asks."""

    async def get(self, *_path: str) -> None:
        root = "../" if self.request.path.endswith("/") else "./"
        self.write_file(self.services.page.operate(root), cache_control="no-cache")
