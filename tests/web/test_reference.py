"""The API reference at /docs/ in a real browser: a request is tried against the server that shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.web.accessibility import violations
from tests.web.demo import Account, Demo

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/docs/", "/docs"])
def test_a_request_is_tried_and_nothing_foreign_is_asked(page: Page, demo: Demo, account: Account, path: str) -> None:
    """The tab's fixture fails on any error in the console, so on every breach of the Content-Security-Policy too."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(demo.url.rstrip("/") + path)

    authorize(page, account.api_key)

    operation = page.locator("#operations-account-showAccount")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    answered = operation.locator(".live-responses-table")
    expect(answered.locator(".response-col_status").last).to_contain_text("200")
    expect(answered).to_contain_text(account.account_id)

    ours = urlsplit(demo.url).netloc
    foreign = [request.url for request in asked if request.url[:5] != "data:" and urlsplit(request.url).netloc != ours]
    assert foreign == []
    assert [urlsplit(request.url).path for request in asked].count("/api/v1/account/") == 1


def authorize(page: Page, key: str) -> None:
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    dialog.get_by_role("textbox").fill(key)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()


def tried(page: Page, operation_id: str) -> Locator:
    """Open an operation; return its place."""
    operation = page.locator(f"[id$='-{operation_id}']")
    operation.locator(".opblock-summary-control").click()
    return operation


def executed(operation: Locator, status: str) -> dict[str, Any]:
    """Execute it, and return the answer's members as the page shows them."""
    operation.get_by_role("button", name="Execute").click()
    answered = operation.locator(".live-responses-table")
    expect(answered.locator(".response-col_status").last).to_contain_text(status)
    return dict(json.loads(str(answered.locator(".response-col_description pre").first.text_content())))


def test_a_generation_is_started_and_polled_from_the_page(page: Page, demo: Demo, account: Account) -> None:
    page.goto(f"{demo.url.rstrip('/')}/docs/")
    authorize(page, account.api_key)
    start = tried(page, "startGeneration")
    start.locator("textarea.body-param__text").fill(json.dumps({"manual_prompt": "Call the bakery: +49 30 1234567."}))
    task_id = executed(start, "202")["task_id"]
    status = tried(page, "readStatus")
    status.get_by_placeholder("task_id").fill(task_id)
    status.get_by_placeholder("wait").fill("25")
    document = executed(status, "200")
    while document["status"] not in ("completed", "failed"):
        status.get_by_role("button", name="Clear").click()
        document = executed(status, "200")
    assert (document["task_id"], document["status"]) == (task_id, "completed")
    assert "+49 30 1234567" in document["prompt"]


def test_the_admin_api_has_a_page_beside_it(page: Page, demo: Demo, account: Account) -> None:
    page.goto(f"{demo.url.rstrip('/')}/docs/")
    page.get_by_role("link", name="For the operator's backends").click()
    expect(page.locator(".info .title")).to_contain_text("admin API")
    expect(page.get_by_role("link", name="For the operator's backends")).to_have_attribute("aria-current", "page")
    authorize(page, demo.admin_key())
    shown = tried(page, "readAccount")
    shown.get_by_placeholder("account_id").fill(account.account_id)
    assert executed(shown, "200")["account"]["account_id"] == account.account_id
    page.get_by_role("link", name="For clients").click()
    expect(page.locator("#operations-generations-startGeneration")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_reference_fits_a_telephone_and_a_desk_and_can_be_read_in_both_schemes(
    page: Page, demo: Demo, node_modules: Path, width: int, tmp_path: Path
) -> None:
    """Also with operations opened. Names and nesting inside Swagger UI's own controls are its affair."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{demo.url.rstrip('/')}/docs/")
    expect(page.locator("#operations-generations-startGeneration")).to_be_visible()
    page.screenshot(path=tmp_path / f"docs-{width}.png")
    for operation_id in ("startGeneration", "readStatus", "removePushSubscription"):
        expect(tried(page, operation_id).get_by_role("button", name="Execute")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page, node_modules, "color-contrast", "landmark-no-duplicate-main") == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_class("dark-mode")
    page.evaluate("Promise.allSettled(document.getAnimations().map((colour) => colour.finished))")
    assert violations(page, node_modules, "color-contrast") == []


def test_the_reference_is_dark_where_the_reader_s_system_is(page: Page, demo: Demo) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{demo.url.rstrip('/')}/docs/")
    title = page.locator(".info .title")
    expect(title).to_be_visible()
    ground, letters = (
        page.evaluate("getComputedStyle(document.documentElement).backgroundColor"),
        title.evaluate("element => getComputedStyle(element).color"),
    )
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).not_to_have_class("dark-mode")
    assert brightness(ground) < 60 < 180 < brightness(letters), (ground, letters)


def brightness(colour: str) -> float:
    """Of ``rgb(…)``, 0 to 255."""
    parts = [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")]
    return sum(parts[:3]) / 3 if len(parts) == 3 or parts[3] else 255.0
