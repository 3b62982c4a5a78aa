"""The gallery in examples/: every state of page and component without a server, looked at as people and axe do."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.accessibility import violations
from tests.web.applications import serve_folder
from tests.web.conftest import PATIENCE_MS
from tests.web.project import WEB, Project
from tests.web.words_shown import LATIN_DIGITS, SAID

pytestmark = pytest.mark.browser

GALLERY = WEB.parent / "examples" / "gallery"
THOROUGH = "BUILDS" in os.environ  # each state of the page in both schemes, and not only in one
PICTURES = os.environ.get("PICTURES", "")  # a folder: every state is drawn there, to be looked at
NOWHERE = "http://127.0.0.1:9"  # nothing listens there: all files come from the folder
STATES = re.findall(
    r"^  '?(\w[^:'\n]*)'?[:,]", (GALLERY / "states.js").read_text("utf-8").split("export const STATES")[1], re.MULTILINE
)


@pytest.fixture(scope="module")
def gallery(project: Project) -> Path:
    """The folder with the built gallery."""
    folder = project.folder / "gallery"
    shutil.copytree(GALLERY, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    project.run("vite/bin/vite.js", "build", str(folder), WEB=str(WEB))
    return folder / "dist"


@pytest.fixture(scope="module")
def tab(browser: Browser, gallery: Path) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    serve_folder(page, gallery, NOWHERE)
    yield page
    context.close()


def phase_of(tab: Page, state: str) -> str:
    """In which phase both show a state; but a key that is no good is asked for beside the key."""
    expect(tab.locator("#outcome")).to_be_visible()
    expected = tab.locator("html").get_attribute("data-expected") or ""
    return "idle" if state in ("wrong key", "account closed") else expected


def expect_whole(shown: Page | Locator, state: str) -> None:
    """Wait for the parts that appear after the phase."""
    if state in ("retrying", "busy meanwhile"):
        expect(shown.locator("#stop, .pg-trouble + .pg-notify .pg-button")).to_be_visible()
    if state.startswith("notification"):
        expect(shown.locator(".notify .button:visible, .pg-notify .pg-button").first).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_page_in_every_state_is_accessible_and_fits(tab: Page, node_modules: Path) -> None:
    found: list[str] = []
    for index, state in enumerate(STATES):
        tab.set_viewport_size({"width": (390, 768, 1280)[index % 3], "height": 844})
        tab.goto(f"{NOWHERE}/app/page.html?state={quote(state)}")
        expect(tab.locator("#outcome")).to_have_attribute("data-phase", phase_of(tab, state))
        expect_whole(tab, state)
        tab.emulate_media(color_scheme="light" if index % 2 else "dark")
        found += [f"{state}: {line}" for line in violations(tab, node_modules)]
        if THOROUGH:
            tab.emulate_media(color_scheme="dark" if index % 2 else "light")
            found += [f"{state}, {line}" for line in violations(tab, node_modules, "color-contrast")]
        if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{state}: sticks out")
    assert found == []


@pytest.mark.parametrize("host", ["light", "dark"])
def test_the_component_in_every_state_is_accessible_and_fits(tab: Page, node_modules: Path, host: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{NOWHERE}/app/component.html?state=all&theme={host}")
    for index in range(len(STATES)):
        shown = tab.locator(f"#state-{index} > section")
        expect(shown).to_have_attribute("data-phase", shown.get_attribute("data-expected") or "")
    found: list[str] = []
    for system, rules in (("light", ()), ("dark", ("color-contrast",))):
        tab.emulate_media(color_scheme=system)  # type: ignore[arg-type]  # a literal to the stubs
        found += violations(tab, node_modules, *rules)
    assert found == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


# What people and the AI have written; and in which order the eye meets the halves of a telephone number.
WITHOUT_THEIR_TEXTS = """() => {
  document.title = '';
  document.querySelectorAll('h1, .pg-text, .pg-warning li').forEach((element) => element.remove());
  document.querySelectorAll('textarea').forEach((element) => { element.textContent = ''; });
  document.querySelectorAll('[title]').forEach((element) => element.removeAttribute('title'));
}"""
HALVES = """(fact) => ['030', '1234567'].map((half) => {
  const range = document.createRange();
  range.setStart(fact.firstChild, fact.textContent.indexOf(half));
  range.setEnd(fact.firstChild, fact.textContent.indexOf(half) + half.length);
  return range.getBoundingClientRect().left;
})"""


LINES = """(fact) => [8, 9, 10, 11, 12, 13, 14, 15, 16].map((width) => {
  fact.parentElement.style.cssText = `display: block; width: ${width}em`;
  const range = document.createRange();
  range.selectNodeContents(fact);
  return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
})"""


def test_a_persian_component_says_nothing_in_english_in_any_state(tab: Page) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{NOWHERE}/app/component.html?state=all&lang=fa")
    for index, state in enumerate(STATES):
        shown = tab.locator(f"#state-{index} > section")
        expect(shown).to_have_attribute("data-phase", shown.get_attribute("data-expected") or "")
        expect(shown).to_have_attribute("data-state", state)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    number = tab.locator(".pg-warning bdi", has_text="030 1234567").first
    before, after = number.evaluate(HALVES)
    assert before < after, "a telephone number is dialled as it is read"
    assert number.evaluate(LINES) == [1] * 9, "and stands in one line, wherever lines end"
    tab.evaluate(WITHOUT_THEIR_TEXTS)
    assert tab.evaluate(SAID) == []
    assert tab.evaluate(LATIN_DIGITS) == []


def test_forced_colours_show_which_version_of_the_component_is_shown(tab: Page) -> None:
    tab.emulate_media(forced_colors="active")
    tab.goto(f"{NOWHERE}/app/component.html?state=versions+side+by+side")
    expect(tab.locator(".pg-beside")).to_be_visible()
    look = "(buttons) => buttons.map((e) => [e.ariaPressed, getComputedStyle(e).backgroundColor])"
    colours = dict(tab.locator(".pg-versions [aria-pressed]").evaluate_all(look))
    tab.emulate_media(forced_colors="none")
    assert colours.keys() == {"true", "false"}
    assert colours["true"] != colours["false"]


def test_the_page_names_facts_in_persian_as_they_are_read(tab: Page) -> None:
    tab.goto(f"{NOWHERE}/app/page.html?state=facts+missing&lang=fa")
    fact = tab.locator("#notice-text bdi", has_text="030 1234567")
    before, after = fact.evaluate(HALVES)
    assert before < after


@pytest.mark.parametrize(("language", "side"), [("fa", "right"), ("en", "left")])
def test_the_current_generation_is_marked_where_a_line_begins(tab: Page, language: str, side: str) -> None:
    tab.goto(f"{NOWHERE}/app/page.html?state=completed&lang={language}")
    current = tab.locator("#recent button[aria-current]")
    expect(current).to_be_visible()
    width = "(button, side) => parseFloat(getComputedStyle(button)[`border-${side}-width`])"
    assert [edge for edge in ("left", "right") if current.evaluate(width, edge) > 2] == [side]


# At which widths of the line the sign after a fact stands below it.
STRAY_SIGNS = """(fact) => Array.from({ length: 40 }, (_, index) => {
  fact.closest('p, .pg-warning').style.cssText = `display: block; width: ${120 + 5 * index}px`;
  const range = document.createRange();
  range.setStart(fact.nextSibling, 0);
  range.setEnd(fact.nextSibling, 1);
  return range.getBoundingClientRect().top > fact.getBoundingClientRect().bottom - 4;
}).filter(Boolean)"""


@pytest.mark.parametrize(
    ("address", "facts"),
    [
        ("page.html?state=facts+missing", "#notice-text bdi"),
        ("component.html?state=facts+missing", ".pg-warning bdi"),
    ],
)
def test_no_full_stop_stands_alone_below_the_fact_that_it_ends(tab: Page, address: str, facts: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{NOWHERE}/app/{address}")
    fact = tab.locator(facts).last
    expect(fact).to_be_visible()
    assert fact.evaluate(STRAY_SIGNS) == []


def test_what_is_written_in_an_empty_field_begins_where_the_language_begins(tab: Page) -> None:
    directions = "(fields) => fields.map((field) => getComputedStyle(field).direction)"
    tab.goto(f"{NOWHERE}/app/page.html?state=no+key&lang=fa")
    expect(tab.locator("#api-key")).to_be_visible()
    assert tab.locator("#api-key, #manual-prompt").evaluate_all(directions) == ["ltr", "rtl"]  # keys are Latin
    tab.locator("#manual-prompt").fill("Answer our guests.")
    assert tab.locator("#manual-prompt").evaluate_all(directions) == ["ltr"]
    tab.goto(f"{NOWHERE}/app/component.html?state=nothing+yet&lang=fa")
    expect(tab.locator(".pg-input")).to_be_visible()
    assert tab.locator(".pg-input").evaluate_all(directions) == ["rtl"]


def test_the_gallery_offers_every_state(tab: Page) -> None:
    tab.goto(f"{NOWHERE}/app/index.html")
    expect(tab.locator("iframe")).to_have_count(len(STATES))


@pytest.mark.skipif(not PICTURES, reason="asked for with PICTURES=folder")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("language", os.environ.get("LANGUAGES", "en").split(","))
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_every_state_is_drawn_and_nothing_sticks_out(
    tab: Page, width: int, scheme: Literal["light", "dark"], language: str
) -> None:
    folder = Path(PICTURES) / f"{language}-{width}-{scheme}"
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=scheme)
    found: list[str] = []
    for number, state in enumerate(STATES):
        name = f"{number:02}-{re.sub(r'[^a-z]+', '-', state)}"
        tab.goto(f"{NOWHERE}/app/page.html?state={quote(state)}&lang={language}")
        expect(tab.locator("#outcome")).to_have_attribute("data-phase", phase_of(tab, state))
        expect_whole(tab, state)
        tab.screenshot(path=folder / f"page-{name}.png", full_page=True)
        if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(state)
    tab.goto(f"{NOWHERE}/app/component.html?state=all&theme={scheme}&lang={language}")
    for index, state in enumerate(STATES):
        shown = tab.locator(f"#state-{index} > section")
        expect(shown).to_have_attribute("data-phase", shown.get_attribute("data-expected") or "")
        expect_whole(shown, state)
        shown.screenshot(path=folder / f"component-{index:02}-{re.sub(r'[^a-z]+', '-', state)}.png")
    assert found == []
