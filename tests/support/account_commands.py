"""The accounts commands, run in the test's own process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from click.testing import CliRunner, Result

from accounts.command_line import accounts, admin_keys
from generation.prompt_text import PromptText
from notifications.commands import webhooks
from runtime.settings import Settings
from tests.support.storage import OpenStorage
from wiring.commands import AccountsAdministration, administration


class Commands:
    """Runs ``accounts …`` in this process, on a real Redis under one key prefix."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self.prefix = prefix
        self.logged: list[str] = []  # events of all commands, but for the audit trail's
        self.changes: list[dict[str, Any]] = []  # the audit trail's lines

    def run(self, *arguments: str, given: bytes | None = None) -> Result:
        command = {"admin-keys": admin_keys, "webhooks": webhooks}.get(arguments[0], accounts)
        words = arguments if command is accounts else arguments[1:]
        with structlog.testing.capture_logs() as lines:  # they go to standard error, beside the answers
            done = CliRunner().invoke(command, words, given, obj=lambda _config: self._opened())
        self.logged += [line["event"] for line in lines if line["event"] != "admin"]
        self.changes += [dict(line) for line in lines if line["event"] == "admin"]
        return done

    def json(self, *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.exit_code == 0, done.output
        members: dict[str, Any] = json.loads(done.stdout)
        return members

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AccountsAdministration]:
        storage = OpenStorage(self._url, prefix=self.prefix)
        try:
            yield administration(storage, Settings(), PromptText().advice)
        finally:
            await storage.aclose()
