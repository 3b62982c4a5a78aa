"""After the first result: what is lost or made up is marked; the result is edited, changed, compared, taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.accessibility import violations
from tests.web.applications import open_application
from tests.web.demo import Account, Demo
from tests.web.the_page import BAKERY, WITH_PRICE, expect_phase, failing, generate, open_page

pytestmark = pytest.mark.browser

LOST = f"{WITH_PRICE} [[standin:fault=fact_lost]]"
INVENTED = f"{WITH_PRICE} [[standin:fault=invented]]"


@pytest.fixture
def opened(page: Page, demo: Demo, account: Account) -> Page:
    open_page(page, demo.url, account.api_key)
    return page


@pytest.fixture
def component(page: Page, apps: Path, demo: Demo, account: Account) -> Page:
    open_application(page, apps, "component.html", demo.url, account.api_key)
    return page


def improve(component: Page, draft: str) -> None:
    """Have the component generate a prompt, and wait for it."""
    component.get_by_label("Your prompt", exact=True).fill(draft)
    component.get_by_role("button", name="Generate AI Prompt").click()
    expect(component.locator(".prompt-generator")).to_have_attribute("data-phase", "completed")


def asked(page: Page, act: Callable[[], None]) -> dict[str, str]:
    """Return the body of the generation that ``act`` asks for."""
    with page.expect_request(lambda request: request.method == "POST") as sent:
        act()
    body: Any = sent.value.post_data_json
    assert isinstance(body, dict)
    return body


# The page


def test_what_the_ai_left_out_is_marked_in_the_draft_and_added_with_one_click(opened: Page) -> None:
    generate(opened, LOST)
    expect_phase(opened, "completed")
    expect(opened.locator("#draft-facts mark")).to_have_text(["€4.80"])
    expect(opened.locator("#draft-facts li")).to_have_text(["Bread costs €4.80."])
    expect(opened.locator("#add-facts")).to_be_hidden()  # the server has put the sentence at the end
    opened.get_by_role("button", name="Edit", exact=True).click()
    opened.locator("#editor").fill("A prompt without its price.")
    opened.get_by_role("button", name="Done", exact=True).click()
    opened.get_by_role("button", name="Add what is missing").click()
    expect(opened.locator("#text")).to_have_text("A prompt without its price.\n\n- Bread costs €4.80.")
    expect(opened.locator("#outcome-title")).to_be_focused()
    expect(opened.locator("#add-facts")).to_be_hidden()


def test_what_the_ai_made_up_is_marked_in_the_result_and_corrected_with_one_click(opened: Page) -> None:
    generate(opened, INVENTED)
    expect_phase(opened, "completed")
    expect(opened.locator("#text mark")).to_have_text(["+1 800 555 0199"])
    sent = asked(opened, lambda: opened.get_by_role("button", name="Have it corrected").click())
    expect(opened.locator("#outcome-title")).to_be_focused()
    assert sent["feedback"] == "Leave out what is not from me: +1 800 555 0199."
    assert sent["manual_prompt"].startswith("# ")
    expect(opened.locator("#version-list label")).to_have_count(2)
    expect(opened.locator("#notice")).to_be_hidden()
    expect(opened.locator("#text mark")).to_have_count(0)


def test_a_result_is_edited_and_what_changes_is_the_edited_text(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    opened.get_by_role("button", name="Edit", exact=True).click()
    expect(opened.locator("#editor")).to_be_focused()
    opened.locator("#editor").fill("# Role\nAnswer for Bakery Sonne. Call +49 30 1234567.")
    opened.get_by_role("button", name="Done", exact=True).click()
    opened.locator("#copy").click()
    expect(opened.locator("#copy")).to_have_text("Copied")
    assert opened.evaluate("navigator.clipboard.readText()").startswith("# Role\nAnswer for Bakery")
    opened.get_by_role("button", name="Make it shorter.").click()
    sent = asked(opened, lambda: opened.locator("#feedback").press("Control+Enter"))
    assert sent == {
        "manual_prompt": "# Role\nAnswer for Bakery Sonne. Call +49 30 1234567.",
        "feedback": "Make it shorter.",
    }
    expect(opened.locator("#version-list label")).to_have_count(2)
    expect(opened.locator("#feedback")).to_have_value("")
    expect(opened.get_by_role("textbox", name="Your prompt")).to_have_value(BAKERY)


def test_the_focus_stays_where_the_prompt_is_changed(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    opened.get_by_role("button", name="Make it shorter.").click()
    opened.locator("#feedback").press("Control+Enter")
    expect(opened.locator("#outcome-title")).to_be_focused()
    expect(opened.locator("#version-list label")).to_have_count(2)
    expect(opened.locator("#outcome-title")).to_be_focused()


def test_versions_stand_side_by_side_and_the_newest_is_kept_or_taken_back(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    first = opened.locator("#text").inner_text()
    change(opened, "Say that we deliver.")
    second = opened.locator("#text").inner_text()
    opened.get_by_role("radio", name="Compare").check()
    expect(opened.locator("#against option")).to_have_text(["Your prompt", "Version 1"])
    expect(opened.locator("#comparison h3").first).to_have_text("Version 1")
    opened.locator("#against").select_option(label="Your prompt")
    expect(opened.locator("#comparison .prompt-text").first).to_have_text(BAKERY)
    opened.get_by_role("radio", name="Result").check()
    opened.reload()
    assert opened.locator("#text").inner_text() == second
    opened.get_by_role("button", name="Take back").click()
    assert opened.locator("#text").inner_text() == first
    expect(opened.locator("#versions")).to_be_hidden()
    expect(opened.locator("#feedback")).to_be_focused()
    change(opened, "Say that we deliver.")
    opened.get_by_role("button", name="Keep", exact=True).click()
    expect(opened.locator("#decision")).to_be_hidden()
    opened.get_by_role("radio", name="Version 1").check()
    assert opened.locator("#text").inner_text() == first


def change(page: Page, feedback: str) -> None:
    page.get_by_label("What should change?").fill(feedback)
    page.get_by_role("button", name="Change it").click()
    expect(page.locator("#version-list label")).to_have_count(2)


def test_a_change_that_fails_leaves_the_version_and_can_be_tried_again(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    first = opened.locator("#text").inner_text()
    opened.route("**/generate-prompt-async/", lambda route: route.abort())
    opened.get_by_label("What should change?").fill("Keep it short.")
    opened.get_by_role("button", name="Change it").click()
    expect(opened.locator("#notice")).to_contain_text("The server cannot be reached.")
    assert opened.locator("#text").inner_text() == first
    expect(opened.get_by_label("What should change?")).to_have_value("Keep it short.")
    opened.get_by_role("textbox", name="Your prompt").fill("A draft for later.")
    opened.unroute("**/generate-prompt-async/")
    sent = asked(opened, lambda: opened.get_by_role("button", name="Try again").click())
    assert sent["feedback"] == "Keep it short."
    assert sent["manual_prompt"].startswith("# ")
    expect(opened.locator("#version-list label")).to_have_count(2)


def test_nothing_is_sent_without_a_wish(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    opened.get_by_role("button", name="Change it").click()
    expect(opened.locator("#feedback-error")).to_have_text("Say first what should change.")
    expect(opened.locator("#feedback")).to_be_focused()
    opened.keyboard.type("x")
    expect(opened.locator("#feedback-error")).to_be_empty()


def test_a_change_that_was_running_is_taken_up_after_a_reload(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    opened.get_by_label("What should change?").fill("Keep it short.")
    opened.get_by_role("button", name="Edit", exact=True).click()
    opened.locator("#editor").fill(f"{BAKERY} [[standin:delay=3]]")
    opened.get_by_role("button", name="Change it").click()
    expect_phase(opened, "running")
    opened.reload()
    expect_phase(opened, "completed")
    expect(opened.locator("#version-list label")).to_have_count(2)
    expect(opened.get_by_role("textbox", name="Your prompt")).to_have_value(BAKERY)


def test_a_kind_of_business_can_be_chosen(opened: Page) -> None:
    opened.get_by_label("Kind of business").select_option(label="Restaurant")
    opened.get_by_role("textbox", name="Your prompt").fill(failing("blocked_prompt"))
    sent = asked(opened, lambda: opened.get_by_role("button", name="Generate prompt").click())
    assert sent["business_type"] == "restaurant"
    expect_phase(opened, "completed")
    expect(opened.locator("#text")).to_contain_text(re.compile("restaurant", re.IGNORECASE))
    opened.reload()
    expect(opened.get_by_label("Kind of business")).to_have_value("restaurant")


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 390)])
def test_axe_finds_no_violation_while_refining(opened: Page, node_modules: Path, scheme: str, width: int) -> None:
    opened.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # a literal to the stubs
    opened.set_viewport_size({"width": width, "height": 900})
    generate(opened, LOST)
    expect_phase(opened, "completed")
    found = {"missing": violations(opened, node_modules)}
    opened.get_by_role("button", name="Edit", exact=True).click()
    found["edited"] = violations(opened, node_modules)
    opened.get_by_role("button", name="Have it corrected").click()
    expect(opened.locator("#version-list label")).to_have_count(2)
    opened.get_by_role("radio", name="Compare").check()
    found["versions"] = violations(opened, node_modules)
    generate(opened, INVENTED)
    expect(opened.locator("#notice")).to_contain_text("Not from you")
    found["invented"] = violations(opened, node_modules)
    assert {state: lines for state, lines in found.items() if lines} == {}
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


# The component


def test_the_component_marks_what_is_missing_and_adds_it(component: Page, node_modules: Path) -> None:
    improve(component, LOST)
    expect(component.locator(".pg-warning mark")).to_have_text(["€4.80"])
    component.get_by_role("button", name="Edit").click()
    component.get_by_label("Generated prompt").fill("A prompt without its price.")
    component.get_by_role("button", name="Add what is missing").click()
    expect(component.get_by_label("Generated prompt")).to_have_value(
        "A prompt without its price.\n\n- Bread costs €4.80."
    )
    component.get_by_role("button", name="Done", exact=True).click()
    improve(component, INVENTED)
    expect(component.locator(".pg-text mark")).to_have_text(["+1 800 555 0199"])
    sent = asked(component, lambda: component.get_by_role("button", name="Have it corrected").click())
    assert sent["feedback"] == "Leave out what is not from me: +1 800 555 0199."
    expect(component.get_by_role("button", name="Take back")).to_be_visible()
    component.get_by_role("button", name="Side by side").click()
    assert violations(component, node_modules) == []


def test_the_component_changes_a_result_keeps_it_or_takes_it_back(component: Page) -> None:
    improve(component, BAKERY)
    first = component.locator(".pg-text").inner_text()
    component.get_by_label("What should change?").fill("Say that we deliver.")
    sent = asked(component, lambda: component.get_by_role("button", name="Change it").click())
    assert (sent["manual_prompt"].strip(), sent["feedback"]) == (first.strip(), "Say that we deliver.")
    expect(component.get_by_role("button", name="Version 2")).to_have_attribute("aria-pressed", "true")
    expect(component.get_by_label("Your prompt", exact=True)).to_have_value(BAKERY)
    component.get_by_label("What should change?").fill("Say that we deliver.")
    component.get_by_role("button", name="Take back").click()
    expect(component.locator(".pg-text")).to_have_text(first)
    expect(component.get_by_role("heading", name="AI Prompt Generator")).to_be_focused()
    component.reload()
    expect(component.locator(".pg-text")).to_have_text(first)
    expect(component.get_by_label("What should change?")).to_have_value("Say that we deliver.")
    component.get_by_role("button", name="Change it").click()
    component.get_by_role("button", name="Keep").click()
    expect(component.get_by_label("What should change?")).to_be_empty()
    expect(component.get_by_role("button", name="Take back")).to_have_count(0)
    component.get_by_role("button", name="Version 1").click()
    expect(component.locator(".pg-text")).to_have_text(first)


def test_versions_and_edits_outlive_a_component_whose_session_goes_on(
    page: Page, apps: Path, demo: Demo, account: Account
) -> None:
    open_application(page, apps, "component.html", demo.url, account.api_key, fragment="#shared")
    improve(page, BAKERY)
    page.get_by_label("What should change?").fill("Say that we deliver.")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("button", name="Version 2")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Generated prompt").fill("An edited prompt.")
    page.get_by_role("button", name="Take away").click()
    page.get_by_role("button", name="Bring back").click()
    expect(page.locator(".pg-text")).to_have_text("An edited prompt.")
    expect(page.get_by_role("button", name="Version 1")).to_be_visible()


def test_what_is_being_edited_is_copied_on_plain_http(component: Page) -> None:
    component.evaluate(
        "window.there = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    improve(component, BAKERY)
    component.get_by_role("button", name="Edit").click()
    component.get_by_label("Generated prompt").fill("An edited prompt.")
    component.get_by_role("button", name="Copy to clipboard").click()
    expect(component.get_by_role("button", name="Copied")).to_be_focused()
    assert component.evaluate("there.readText()") == "An edited prompt."


def test_the_component_offers_kinds_of_business(component: Page) -> None:
    component.evaluate(f"sessionStorage.setItem('kinds', {json.dumps(json.dumps({'hotel': 'A hotel'}))})")
    component.reload()
    component.get_by_label("Kind of business").select_option(label="A hotel")
    sent = asked(component, lambda: improve(component, BAKERY))
    assert sent["business_type"] == "hotel"
