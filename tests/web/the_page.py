"""The page as a test uses it: opened with an account's key, and prompts that tell the stand-in how to answer."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

BAKERY = "Answer questions about Bakery Sonne. Open 7-18, closed on Mondays. Call +49 30 1234567."
WITH_PRICE = (
    "Answer for our bakery Sonne. Bread costs €4.80. Call 030 1234567 or mail info@sonne.example. Open 7:00-18:00."
)


def taking(seconds: float) -> str:
    return f"{BAKERY} [[standin:delay={seconds}]]"


# Its first word comes at once, its last after a minute, so that the slowest machine meets it running; such a test ends
# by cancelling.
LONG = f"{BAKERY} [[standin:delay=0.3,tokens_per_second=2]]"


def failing(fault: str) -> str:
    return f"{BAKERY} [[standin:fault={fault}]]"


def open_page(page: Page, url: str, api_key: str) -> None:
    """Open the page as somebody who pasted the key before."""
    page.add_init_script(f"sessionStorage.setItem('prompt-generation:api-key', {json.dumps(api_key)})")
    page.goto(url)
    expect(page.locator("#side")).to_be_visible()


def generate(page: Page, manual_prompt: str) -> None:
    page.get_by_role("textbox", name="Your prompt").fill(manual_prompt)
    page.get_by_role("button", name="Generate prompt").click()


def expect_phase(page: Page, phase: str) -> None:
    expect(page.locator("#outcome")).to_have_attribute("data-phase", phase)
