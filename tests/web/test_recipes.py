"""The recipes of docs/frontend.md with TanStack Query and the AI SDK themselves, in a browser, with a real server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.applications import open_application
from tests.web.demo import Account, Demo
from tests.web.project import Project

FILES = Path(__file__).parent / "recipes"
LIBRARIES = ("@tanstack/react-query@5", "@ai-sdk/react@3", "ai@6")
BAKERY = "Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567."

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.keys() & {"CI", "BUILDS"}, reason="BUILDS=1 runs it: the AI SDK is 50 MB to install"
    ),
]


@pytest.fixture(scope="module")
def recipes(project: Project, npm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the libraries beside the packed packages, and build a page that uses them as the guide says."""
    folder = tmp_path_factory.mktemp("libraries")
    command = [npm, "install", "--prefer-offline", "--no-audit", "--no-fund", *LIBRARIES]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("the registry of npm is too slow")
    if done.returncode and any(code in done.stderr for code in ("ENOTFOUND", "ETIMEDOUT", "ECONNRE", "E50")):
        pytest.skip("the registry of npm cannot be reached")
    assert done.returncode == 0, done.stderr[-4000:]
    for path in (folder / "node_modules").iterdir():
        if not (project.folder / "node_modules" / path.name).exists():
            path.rename(project.folder / "node_modules" / path.name)
    return project.build_files("recipes", {path.name: path.read_text("utf-8") for path in FILES.iterdir()})


def opened(page: Page, recipes: Path, demo: Demo, account: Account, draft: str) -> None:
    page.add_init_script(f"sessionStorage.setItem('draft', {json.dumps(draft)})")
    open_application(page, recipes, "recipes.html", demo.url, account.api_key)


def test_tanstack_query_starts_one_and_shows_it_again(page: Page, recipes: Path, demo: Demo, account: Account) -> None:
    opened(page, recipes, demo, account, BAKERY)
    page.get_by_role("button", name="Mutate").click()
    expect(page.locator("#query")).to_have_attribute("data-status", "success")
    made = page.locator("#mutation > output").inner_text()
    assert "+49 30 1234567" in made
    assert page.locator("#query output").inner_text() == made


def test_use_completion_shows_the_text_as_it_grows(page: Page, recipes: Path, demo: Demo, account: Account) -> None:
    opened(page, recipes, demo, account, f"{BAKERY} [[standin:delay=2]]")
    page.get_by_role("button", name="Complete").click()
    expect(page.locator("#completion p")).to_contain_text("+49 30 1234567")
    expect(page.locator("#completion")).to_have_attribute("data-loading", "false")
    grown = page.locator("#completion output").evaluate("e => e.textContent.trim()")
    assert grown == page.locator("#completion p").evaluate("e => e.textContent.trim()")
    assert page.evaluate("window.grown.size") > 1


def test_both_are_told_what_went_wrong(page: Page, recipes: Path, demo: Demo) -> None:
    opened(page, recipes, demo, demo.account(tokens=250), BAKERY)
    page.get_by_role("button", name="Mutate").click()
    expect(page.locator("#mutation output")).to_have_text("insufficient_tokens")
    page.get_by_role("button", name="Complete").click()
    expect(page.locator("#completion output")).to_have_text("insufficient_tokens")
