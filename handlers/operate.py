"""The operator's page at /operate/. The page asks for an admin key; its files hold no data."""

from __future__ import annotations

from handlers.page import FileHandler


class OperatePage(FileHandler):
    """GET /operate/: the page, which reads the admin API and /metrics."""

    async def get(self, *_path: str) -> None:
        root = "../" if self.request.path.endswith("/") else "./"
        self.write_file(self.services.page.operate(root), cache_control="no-cache")
