"""The state of the whole service, for operators."""

from __future__ import annotations

from generation.overview import overview
from handlers.admin.base import AdminHandler


class OverviewHandler(AdminHandler):
    """GET overview/"""

    async def get(self) -> None:
        await self.services.processes.say()  # so that the answer shows this process as it is now
        self.write_json({"success": True, **await overview(self.services.processes)})
