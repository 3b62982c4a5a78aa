"""From a clone to a React page of one's own: the commands of docs/frontend.md, as they stand there, in a browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.demo import Account, Demo
from tests.web.project import WEB

ROOT = WEB.parent
ADDRESS = re.compile(r"http://localhost:\d+/")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.keys() & {"CI", "BUILDS"}, reason="BUILDS=1 runs it: it installs from the registry"
    ),
]


def commands() -> list[str]:
    """Those of "Five commands", without clone and server, which the tests have."""
    text = (ROOT / "docs" / "frontend.md").read_text("utf-8")
    block = re.search(r"## Five commands\n.*?```sh\n(.*?)```", text, re.DOTALL)
    assert block
    return [line.split("#")[0].strip() for line in block[1].splitlines() if line.strip()]


@pytest.fixture
def address(node: str, npm: str, demo: Demo, tmp_path: Path) -> Iterator[str]:
    """Run the commands in a copy of the clone; return where the page is."""
    clone, server, *rest = commands()
    assert (clone.split()[:2], server) == (["git", "clone"], "make run")
    assert len(rest) == 3
    for part in ("examples/react-vite", "web/client", "web/react"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("node_modules", "dist"))
    script = " && ".join(rest) + " -- --port 0"
    environment = os.environ | {"SERVER": demo.url, "npm_config_prefer_offline": "true", "NO_COLOR": "1"}
    process = subprocess.Popen(
        ["sh", "-c", script],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    patience = threading.Timer(200, os.killpg, (process.pid, signal.SIGTERM))
    patience.start()
    try:
        said = ""
        for line in process.stdout:
            said += line
            if found := ADDRESS.search(line):
                yield found[0]
                return
        if "added" not in said:  # what npm says at its end
            pytest.skip(f"the packages were not installed: {said[-400:]}")
        pytest.fail(said)
    finally:
        patience.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate()


def test_five_commands_lead_to_a_page_of_ones_own(page: Page, address: str, account: Account) -> None:
    page.add_init_script(f"sessionStorage.setItem('token', '{account.api_key}')")
    page.goto(address)
    page.get_by_label("Your prompt").fill("Answer questions about our bakery. Open 7-18.")
    page.get_by_role("button", name="Generate AI Prompt").click()
    expect(page.locator(".prompt-generator")).to_have_attribute("data-phase", "completed")
    expect(page.get_by_role("button", name="Copy to clipboard")).to_be_visible()
