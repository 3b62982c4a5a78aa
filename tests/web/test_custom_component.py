"""The component in somebody else's words, with their classes, parts, draft and session."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.applications import open_application
from tests.web.demo import Account, Demo
from tests.web.project import WEB
from tests.web.the_page import BAKERY
from tests.web.words_shown import DRAFT, LATIN_DIGITS, SAID

pytestmark = pytest.mark.browser


@pytest.fixture
def persian_labels(node: str) -> str:
    """The page's words serve the component too: the names are the same."""
    code = f"import('{(WEB / 'page/words/fa.js').as_uri()}').then(({{ words }}) => console.log(JSON.stringify(words)))"
    done = subprocess.run([node, "--eval", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def generate(page: Page, draft: str, phase: str) -> None:
    page.locator("form textarea").first.fill(draft)
    page.locator("form button[type=submit]").first.click()
    expect(page.locator(".prompt-generator")).to_have_attribute("data-phase", phase)


def test_a_persian_component_has_no_english_in_any_state(
    page: Page, apps: Path, demo: Demo, account: Account, persian_labels: str
) -> None:
    page.add_init_script(f"sessionStorage.setItem('labels', {json.dumps(persian_labels)}); document.title = ''")
    page.add_init_script("sessionStorage.setItem('lang', 'fa')")
    open_application(page, apps, "custom.html", demo.url, account.api_key)
    page.evaluate("document.title = ''")
    latin: dict[str, list[str]] = {}

    def look(state: str) -> None:
        if found := page.evaluate(SAID) + page.evaluate(LATIN_DIGITS):
            latin[state] = found

    look("idle")
    generate(page, f"{DRAFT} [[standin:delay=0.3,tokens_per_second=2]]", "running")
    expect(page.get_by_role("progressbar")).to_have_attribute("data-progress", "70")
    look("running")
    page.get_by_role("button", name="لغو").click()
    expect(page.locator(".pg-error")).to_be_visible()
    look("cancelled")
    for fault in ("fact_lost", "invented", "blocked_prompt"):
        generate(page, f"{DRAFT} [[standin:fault={fault}]]", "completed")
        expect(page.locator(".pg-warning")).to_be_visible()
        look(fault)
    page.locator(".pg-result form textarea").fill("کوتاه‌ترش کن.")
    page.locator(".pg-result form button").click()
    expect(page.locator(".pg-versions")).to_be_visible()
    expect(page.locator(".prompt-generator")).to_have_attribute("data-phase", "completed")
    look("versions")
    generate(page, "نان " * 5_001, "failed")
    look("too long")
    page.route("**/generate-prompt-async/", lambda route: route.abort())
    generate(page, DRAFT, "running")
    expect(page.locator(".pg-trouble")).not_to_be_empty()
    look("retrying")
    expect(page.locator(".prompt-generator")).to_have_attribute("data-phase", "failed")
    look("unreachable")
    assert latin == {}
    page.locator("form textarea").first.fill("نان " * 40)
    expect(page.locator(".pg-count")).to_have_text("۱۶۰ / ۲۰٬۰۰۰")  # noqa: RUF001


def test_its_parts_and_its_state_are_the_applications(page: Page, apps: Path, demo: Demo, account: Account) -> None:
    open_application(page, apps, "custom.html", demo.url, account.api_key)
    root = page.get_by_test_id("generator")
    expect(root).to_have_class(re.compile(r"\bmine\b"))
    expect(root).to_have_attribute("data-theme", "dark")
    assert root.evaluate("e => [e.style.maxWidth, getComputedStyle(e).colorScheme]") == ["640px", "dark"]
    expect(page.locator(".my-title")).to_have_text("AI Prompt Generator")
    generate(page, f"{BAKERY} [[standin:delay=1.5]]", "running")
    expect(page.locator("#my-progress")).to_have_text(re.compile(r"^[357]0$"))
    expect(page.locator("#draft")).to_contain_text("Bakery Sonne")
    expect(root).to_have_attribute("data-phase", "completed")
    expect(page.locator("#bar")).to_have_text("100")
    expect(page.locator(".my-result")).to_contain_text("+49 30 1234567")
    told = page.evaluate("window.told")
    assert [value for kind, value in told if kind == "progress"][-1] == 100
    assert [kind for kind, _value in told if kind in ("complete", "text")][-1] == "complete"
    assert "text" in {kind for kind, _value in told}
    assert page.evaluate("sessionStorage.length") == 0
    generate(page, "word " * 4_001, "failed")
    assert page.evaluate("window.told.at(-1)") == ["error", "InvalidPrompt", "manual_prompt_too_long"]
