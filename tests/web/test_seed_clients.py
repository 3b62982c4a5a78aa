"""Two clients as users wrote them from the contract's document, long before our packages: they must go on working."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.applications import open_application
from tests.web.demo import Account, Demo
from tests.web.project import APPS

pytestmark = pytest.mark.browser

BAKERY = "Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567."


def test_the_react_component_of_the_document(page: Page, apps: Path, demo: Demo, account: Account) -> None:
    open_application(page, apps, "seed-react.html", demo.url, account.api_key)
    page.get_by_role("textbox").fill(f"{BAKERY} [[standin:delay=4]]")
    page.get_by_role("button", name="Generate AI Prompt").click()
    expect(page.get_by_role("button", name="Generating...")).to_be_disabled()
    expect(page.locator(".progress")).to_have_text("70% processing")
    expect(page.locator("pre")).to_contain_text("+49 30 1234567")
    expect(page.locator(".problem")).to_have_count(0)


def test_its_error_buttons(page: Page, apps: Path, demo: Demo) -> None:
    open_application(page, apps, "seed-react.html", demo.url, demo.account(tokens=250).api_key)
    page.get_by_role("textbox").fill(BAKERY)
    page.get_by_role("button", name="Generate AI Prompt").click()
    expect(page.locator(".problem")).to_contain_text("You need at least 700 tokens")
    expect(page.get_by_role("button", name="Purchase More Tokens")).to_be_visible()


def test_a_lapsed_subscription_in_the_react_component(page: Page, apps: Path, demo: Demo) -> None:
    open_application(page, apps, "seed-react.html", demo.url, demo.account(subscription_days=0).api_key)
    page.get_by_role("textbox").fill(BAKERY)
    page.get_by_role("button", name="Generate AI Prompt").click()
    expect(page.get_by_role("button", name="Upgrade Subscription")).to_be_visible()


def test_the_javascript_class_of_the_document(page: Page, demo: Demo, account: Account) -> None:
    open_application(page, APPS, "seed-plain.html", demo.url, account.api_key)
    page.get_by_role("textbox").fill(f"{BAKERY} [[standin:delay=4]]")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#complete")).to_contain_text(re.compile(r"^true: [\s\S]*\+49 30 1234567"))
    lines = page.locator("#progress").inner_text().splitlines()
    assert "70% processing: Waiting for AI response..." in lines
    assert lines[-1] == "100% completed: Prompt generated successfully"
    expect(page.locator("#error")).to_be_empty()


def test_its_failures(page: Page, demo: Demo) -> None:
    open_application(page, APPS, "seed-plain.html", demo.url, demo.account(tokens=250).api_key)
    page.get_by_role("textbox").fill(BAKERY)
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#error")).to_have_text(
        "You need at least 700 tokens for prompt enhancement. Available: 250\n", use_inner_text=False
    )
    page.evaluate("localStorage.setItem('token', 'wrong')")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#error")).to_contain_text("Authentication required")
    page.get_by_role("textbox").fill(" ")
    page.evaluate(f"localStorage.setItem('token', '{demo.api_key}')")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#error")).to_contain_text("manual_prompt is required")
