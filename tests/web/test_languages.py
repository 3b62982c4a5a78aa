"""The page in six languages: chosen by the browser, switchable, right to left where that is how it is read."""

# ruff: noqa: RUF001  # words of many languages
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.accessibility import violations
from tests.web.conftest import PATIENCE_MS
from tests.web.demo import Account, Demo
from tests.web.project import WEB
from tests.web.the_page import expect_phase
from tests.web.words_shown import DRAFT, LATIN_DIGITS, SAID

pytestmark = pytest.mark.browser


class Persian:
    """A page in Persian, and what it said in Latin letters, by state."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.latin: dict[str, list[str]] = {}

    def look(self, state: str) -> None:
        if found := self.page.evaluate(SAID) + self.page.evaluate(LATIN_DIGITS):
            self.latin[state] = found

    def generate(self, draft: str, phase: str) -> None:
        self.page.locator("#manual-prompt").fill(draft)
        self.page.locator("#generate").click()
        expect_phase(self.page, phase)


def in_language(browser: Browser, locale: str) -> Page:
    context = browser.new_context(locale=locale)
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def use_key(page: Page, key: str) -> None:
    page.add_init_script(f"sessionStorage.setItem('prompt-generation:api-key', {json.dumps(key)})")


def test_a_persian_page_has_no_english_in_any_state(browser: Browser, demo: Demo, node_modules: Path) -> None:
    page = in_language(browser, "fa-IR")
    use_key(page, demo.accounts("نانوایی", tokens=30_000)["نانوایی"].api_key)
    page.goto(demo.url)
    expect(page.locator("#side")).to_be_visible()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["fa", "rtl"]
    persian = Persian(page)
    persian.look("idle")
    assert violations(page, node_modules) == []
    persian.generate(f"{DRAFT} [[standin:delay=0.3,tokens_per_second=2]]", "running")
    expect(page.locator("#progress")).to_have_attribute("data-progress", "70")
    persian.look("running")
    page.locator("#cancel").click()
    expect_phase(page, "failed")
    persian.look("cancelled")
    persian.generate(DRAFT, "completed")
    page.locator("#ledger summary").click()
    expect(page.locator("#ledger-entries li")).not_to_have_count(0)
    persian.look("completed")
    page.locator("input[value=compare]").check()
    persian.look("compared")
    assert violations(page, node_modules) == []
    page.locator("#change-it").click()
    persian.look("no wish")
    page.locator("#feedback").fill("کوتاه‌ترش کن.")
    page.locator("#change-it").click()
    expect(page.locator("#version-list label")).to_have_count(2)
    persian.look("versions")
    for fault in ("fact_lost", "invented", "blocked_prompt"):
        persian.generate(f"{DRAFT} [[standin:fault={fault}]]", "completed")
        expect(page.locator("#notice")).to_be_visible()
        persian.look(fault)
    persian.generate("نان " * 5_001, "failed")
    persian.look("too long")
    persian.generate(" ", "completed")  # the message is gone, the last version is there
    persian.look("empty")
    page.route("**/generate-prompt-async/", lambda route: route.abort())
    persian.generate(DRAFT, "running")
    expect(page.locator("#connection")).to_be_visible()
    persian.look("retrying")
    expect_phase(page, "failed")
    persian.look("unreachable")
    page.locator("#change-key").click()
    page.locator("#api-key").fill("pg_wrong")
    page.locator("#connect").click()
    expect(page.locator("#key-error")).not_to_be_empty()
    persian.look("wrong key")
    assert persian.latin == {}
    page.context.close()


def test_errors_of_the_account_are_persian_too(browser: Browser, demo: Demo) -> None:
    latin: dict[str, list[str]] = {}
    for name, account in {
        "tokens": demo.accounts("کم", tokens=250)["کم"],
        "subscription": demo.accounts("کهنه", subscription_days=0)["کهنه"],
    }.items():
        page = in_language(browser, "fa")
        use_key(page, account.api_key)
        page.goto(demo.url)
        persian = Persian(page)
        persian.generate(DRAFT, "failed")
        persian.look(name)
        latin |= persian.latin
        page.context.close()
    assert latin == {}


@pytest.mark.parametrize(
    ("locale", "headline"),
    [
        ("de-AT", "Aus einer Notiz wird ein Prompt, der funktioniert"),
        ("fr-CA", "D’une simple note à un prompt qui fonctionne"),
        ("es-MX", "De una nota a un prompt que funciona"),
        ("ar-EG", "من ملاحظة سريعة إلى تعليمات تعمل"),
        ("ja-JP", "Turn a rough note into a prompt that works"),
    ],
)
def test_the_browsers_language_is_taken(
    browser: Browser, demo: Demo, account: Account, locale: str, headline: str
) -> None:
    page = in_language(browser, locale)
    use_key(page, account.api_key)
    page.goto(demo.url)
    expect(page.get_by_role("heading", level=1)).to_have_text(headline)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()


def test_the_language_is_switched_and_nothing_is_lost(page: Page, demo: Demo, account: Account) -> None:
    use_key(page, account.api_key)
    page.goto(demo.url)
    page.locator("#manual-prompt").fill("My draft")
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("button", name="Prompt erzeugen")).to_be_visible()
    expect(page.locator("#manual-prompt")).to_have_value("My draft")
    page.reload()
    expect(page.get_by_label("Sprache")).to_have_value("de")


def test_a_language_that_does_not_come_leaves_english(browser: Browser, demo: Demo, account: Account) -> None:
    page = in_language(browser, "fa")
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })")
    page.route("**/words/fa.js", lambda route: route.abort())
    use_key(page, account.api_key)
    page.goto(demo.url)
    expect(page.locator("#balance")).not_to_be_empty()
    expect(page.get_by_role("button", name="Generate prompt")).to_be_visible()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["en", "ltr"]
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_label("Language")).to_have_value("en")  # without storage there is no other
    page.route("**/outcome.js", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.context.close()


def test_every_language_says_everything() -> None:
    folder = WEB / "page" / "words"
    texts = {path.stem: path.read_text("utf-8") for path in folder.iterdir()}
    names = {name: set(re.findall(r"^  (\w+):", text, re.MULTILINE)) for name, text in texts.items()}
    assert set(names) == {"en", "de", "fr", "es", "ar", "fa"}
    assert all(of_one == names["en"] for of_one in names.values())
    places = {name: set(re.findall(r"\{[a-z]+\}", text)) for name, text in texts.items()}
    assert all(of_one >= places["en"] for of_one in places.values())
