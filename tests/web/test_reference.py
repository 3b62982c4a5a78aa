"""The API reference at /docs/ in a real browser: a request is tried against the server that shows it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.web.demo import Account, Demo

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/docs/", "/docs"])
def test_a_request_is_tried_and_nothing_foreign_is_asked(page: Page, demo: Demo, account: Account, path: str) -> None:
    """The tab's fixture fails on any error in the console, so on every breach of the Content-Security-Policy too."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(demo.url.rstrip("/") + path)

    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    dialog.get_by_role("textbox").fill(account.api_key)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()

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


@pytest.mark.parametrize("width", [390, 1280])
def test_the_reference_fits_a_telephone_and_a_desk(page: Page, demo: Demo, width: int, tmp_path: Path) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{demo.url.rstrip('/')}/docs/")
    expect(page.locator("#operations-generations-startGeneration")).to_be_visible()
    page.screenshot(path=tmp_path / f"docs-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


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
