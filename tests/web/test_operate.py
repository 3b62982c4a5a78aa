"""The operator's page at /operate/ in a real browser: an account is found, granted to, and its tasks stopped."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.web.accessibility import violations
from tests.web.demo import Account, Demo

pytestmark = pytest.mark.browser
SLOW = "Write a menu. [[standin:delay=60]]"


def connect(page: Page, demo: Demo, path: str = "/operate/") -> None:
    page.goto(demo.url.rstrip("/") + path)
    page.get_by_role("textbox", name="Admin key").fill(demo.admin_key())
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", name="The process that answers")).to_be_visible()


def search(page: Page, account_id: str, task_id: str = "") -> None:
    page.get_by_role("textbox", name="Account").fill(account_id)
    page.get_by_label("Task (all when empty)").fill(task_id)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Grant tokens")).to_be_visible()


@pytest.mark.parametrize("path", ["/operate/", "/operate"])
def test_a_task_is_found_and_cancelled_tokens_are_granted_and_a_key_is_revoked(
    page: Page, demo: Demo, account: Account, path: str
) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    task_id = demo.submit(account, SLOW)
    demo.submit(account, "Write another one.")
    connect(page, demo, path)
    search(page, account.account_id, task_id)
    tasks = page.get_by_role("region", name="Tasks", exact=True).locator("tbody tr")
    expect(tasks).to_have_count(1)
    page.get_by_role("button", name=f"Cancel task {task_id}").click()
    page.get_by_role("button", name=f"Really: Cancel task {task_id}?").click()
    expect(tasks).to_contain_text("cancelled")
    expect(page.get_by_role("status")).to_contain_text("is cancelled")

    page.get_by_label("Tokens (negative takes back)").fill("1234")
    page.get_by_label("Reason, for the ledger").fill("goodwill")
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("1234 tokens are granted")
    expect(page.locator("#balance")).to_contain_text("1001234")

    page.get_by_role("button", name="Revoke key").click()
    page.get_by_role("button", name="Really: Revoke key").click()
    expect(page.get_by_role("region", name="API keys")).to_contain_text("revoked")
    assert {urlsplit(request.url).netloc for request in asked} == {urlsplit(demo.url).netloc}


def test_it_shows_what_runs_and_refuses_a_wrong_key_in_the_server_s_words(
    page: Page, demo: Demo, account: Account
) -> None:
    page.goto(f"{demo.url.rstrip('/')}/operate/")
    page.get_by_role("textbox", name="Admin key").fill("pa_" + "x" * 43)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("status")).to_contain_text("request")
    expect(page.get_by_role("heading", name="The process that answers")).to_be_hidden()
    demo.submit(account, SLOW)
    connect(page, demo)
    expect(page.locator("#service")).to_contain_text("Oldest unfinished task")
    expect(page.locator("#service")).to_contain_text("s old")
    expect(page.locator("#processes tr")).to_have_count(1)
    expect(page.locator("#figures")).to_contain_text("Tasks running")
    expect(page.locator("#figures")).to_contain_text("1 connected")
    expect(page.locator("#plots svg")).to_have_count(2)


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_a_telephone_and_a_desk_and_axe_has_nothing_to_say(
    page: Page, demo: Demo, account: Account, node_modules: Path, tmp_path: Path, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{demo.url.rstrip('/')}/operate/")
    assert violations(page, node_modules) == []
    demo.submit(account, SLOW)
    connect(page, demo)
    search(page, account.account_id)
    page.screenshot(path=tmp_path / f"operate-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page, node_modules) == []
