"""The React component and hook, built by Vite from the packed packages, in a real browser against the real server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.accessibility import violations
from tests.web.applications import open_application
from tests.web.demo import Account, Demo

pytestmark = pytest.mark.browser

BAKERY = "Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567."


@pytest.fixture
def component(page: Page, apps: Path, demo: Demo, account: Account) -> Page:
    open_application(page, apps, "component.html", demo.url, account.api_key)
    return page


def generate(page: Page, manual_prompt: str) -> None:
    page.get_by_label("Your prompt").fill(manual_prompt)
    page.get_by_role("button", name="Generate AI Prompt").click()


def expect_phase(page: Page, phase: str) -> None:
    expect(page.locator(".prompt-generator")).to_have_attribute("data-phase", phase)


# Its first word comes at once, its last after a minute: long enough to be met running on the slowest machine.
LONG = f"{BAKERY} [[standin:delay=0.3,tokens_per_second=2]]"


def test_the_component_shows_a_generation_from_end_to_end(component: Page) -> None:
    expect(component.get_by_role("button", name="Generate AI Prompt")).to_be_disabled()
    assert component.evaluate("window.effects") == 2, "StrictMode runs effects twice in a development build"
    generate(component, BAKERY)
    expect_phase(component, "completed")
    result = component.locator(".pg-result .pg-text")
    expect(result).to_contain_text("+49 30 1234567")
    component.get_by_role("button", name="Copy to clipboard").click()
    expect(component.get_by_role("button", name="Copied")).to_be_visible()
    shown = result.evaluate("e => e.textContent")
    assert component.evaluate("navigator.clipboard.readText()") == shown
    assert component.evaluate("window.told") == [["complete", shown]], "told once, also under StrictMode"


def test_the_component_shows_progress_and_cancels(component: Page) -> None:
    generate(component, LONG)
    expect(component.get_by_role("progressbar")).to_have_attribute("data-progress", "70")
    expect(component.locator(".pg-message")).to_contain_text("% - Waiting for AI response...")
    expect(component.get_by_label("Your prompt")).not_to_be_editable()
    expect(component.get_by_role("button", name="Generating...")).to_be_disabled()
    expect(component.locator(".pg-growing")).to_contain_text(re.compile(r"\w+"))
    component.get_by_role("button", name="Cancel").click()
    expect(component.get_by_role("alert")).to_contain_text("Generation cancelled")
    generate(component, BAKERY)
    expect_phase(component, "completed")
    expect(component.get_by_role("alert")).to_have_count(0)


def test_on_a_phone_the_last_line_of_the_growing_text_stays_in_sight(component: Page, node_modules: Path) -> None:
    component.set_viewport_size({"width": 390, "height": 844})
    generate(component, f"{BAKERY * 20} [[standin:delay=0.3,tokens_per_second=20]]")
    component.wait_for_function(
        "() => { const box = document.querySelector('.pg-growing[aria-label=Generation]');"
        " return box && box.scrollHeight > box.clientHeight + 24 && scrollY === 0"
        " && box.scrollTop + box.clientHeight >= box.scrollHeight - 8"
        " && box.getBoundingClientRect().bottom <= innerHeight; }"
    )
    assert violations(component, node_modules, "scrollable-region-focusable", "aria-allowed-attr") == []
    component.get_by_role("button", name="Cancel").click()
    expect_phase(component, "failed")


def test_the_focus_stays_in_the_component_when_the_focused_element_goes(component: Page) -> None:
    generate(component, f"{BAKERY} [[standin:delay=0.3,tokens_per_second=60]]")
    component.locator(".pg-growing").focus()  # to read it with the keyboard
    expect_phase(component, "completed")
    expect(component.locator(".pg-title")).to_be_focused()


def test_text_typed_into_a_servers_html_before_the_scripts_came_stays(page: Page, apps: Path, demo: Demo) -> None:
    open_application(page, apps, "server-rendered.html", demo.url, "")
    field = page.get_by_label("Your prompt")
    field.fill("Typed early")
    page.evaluate("sessionStorage.setItem('prompt-generation:draft', '\"An older draft\"'); takeOver()")
    expect(page.get_by_role("button", name="Generate AI Prompt")).to_be_enabled()
    expect(field).to_have_value("Typed early")
    assert page.evaluate("window.told") == "Typed early"
    field.press_sequentially("!")
    expect(field).to_have_value("Typed early!")
    expect(page.locator(".pg-count")).to_have_text("12 / 20,000")
    page.reload()
    page.evaluate("takeOver()")
    expect(field).to_have_value("Typed early!")
    assert page.evaluate("window.mismatch") is None


@pytest.mark.parametrize("edited", ["An offer for our guests", "", "A draft"])
def test_edits_to_a_servers_text_before_the_scripts_came_stay(page: Page, apps: Path, demo: Demo, edited: str) -> None:
    open_application(page, apps, "server-rendered.html", demo.url, "", fragment="?value=A+draft")
    field, button = page.get_by_label("Your prompt"), page.get_by_role("button", name="Generate AI Prompt")
    kind = page.get_by_label("Kind of business")
    expect(field).to_have_value("A draft")
    expect(button).to_be_disabled()  # a browser's own submit would load the page anew, without the text
    field.fill(edited)
    field.evaluate("e => e.setSelectionRange(1, 1)")
    kind.select_option("store")
    page.evaluate("takeOver()")
    expect(page.locator(".pg-count")).to_have_text(f"{len(edited)} / 20,000")
    expect(button).to_be_enabled() if edited else expect(button).to_be_disabled()
    field.press_sequentially("X")
    expect(field).to_have_value(f"{edited[:1]}X{edited[1:]}")
    with page.expect_request("**/generate-prompt-async/") as sent:
        button.click()
    assert sent.value.post_data_json == {"manual_prompt": field.input_value(), "business_type": kind.input_value()}
    assert kind.input_value() == "store"
    assert page.evaluate("window.mismatch") is None


def test_the_component_takes_a_generation_up_after_a_reload(component: Page) -> None:
    generate(component, LONG)
    expect(component.get_by_role("progressbar")).to_have_attribute("data-progress", "70")
    component.reload()
    expect(component.get_by_label("Your prompt")).to_have_value(LONG)
    expect(component.get_by_role("progressbar")).to_have_attribute("data-progress", "70")
    component.get_by_role("button", name="Cancel").click()
    expect(component.get_by_role("alert")).to_contain_text("Generation cancelled")


def test_the_component_goes_quietly_and_goes_on_when_it_is_back(component: Page) -> None:
    generate(component, LONG)
    expect(component.locator(".pg-growing")).to_contain_text(re.compile(r"\w+"))
    with component.expect_event("requestfailed", lambda request: "/events/" in request.url):
        component.get_by_role("button", name="Take away").click()
    with component.expect_request("**/events/**"):
        component.get_by_role("button", name="Bring back").click()
    expect(component.locator(".pg-growing")).to_contain_text(re.compile(r"\w+"))
    component.get_by_role("button", name="Cancel").click()
    expect_phase(component, "failed")


@pytest.mark.parametrize(
    ("tokens", "days", "button", "told"),
    [
        (250, 30, "Purchase more tokens", ["purchase", 700, 250]),
        (5_000, 0, "Upgrade subscription", ["upgrade", "SubscriptionInactive"]),
    ],
)
def test_errors_bring_the_button_that_helps(
    page: Page, apps: Path, demo: Demo, tokens: int, days: int, button: str, told: list[str | int]
) -> None:
    account = demo.account(tokens=tokens, subscription_days=days)
    open_application(page, apps, "component.html", demo.url, account.api_key)
    generate(page, BAKERY)
    page.get_by_role("alert").get_by_role("button", name=button).click()
    assert page.evaluate("window.told") == [told]
    with page.expect_response("**/generate-prompt-async/"):
        page.get_by_role("button", name="Try again").click()
    expect_phase(page, "failed")


def test_a_wrong_token_offers_to_sign_in(page: Page, apps: Path, demo: Demo) -> None:
    open_application(page, apps, "component.html", demo.url, "wrong")
    generate(page, BAKERY)
    alert = page.get_by_role("alert")
    alert.get_by_role("button", name="Sign in").click()
    assert page.evaluate("window.told") == [["sign in", "Unauthorized"]]
    expect(alert.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_new_token_resumes_the_running_generation_and_clears_the_message(
    page: Page, apps: Path, demo: Demo, account: Account
) -> None:
    known = json.dumps({"manualPrompt": LONG, "taskId": demo.submit(account, LONG)})
    page.add_init_script(f"sessionStorage.setItem('prompt-generation', {json.dumps(known)})")
    open_application(page, apps, "component.html", demo.url, "", fragment="#token")
    expect(page.get_by_role("alert")).to_contain_text("Please sign in again")
    page.evaluate("(token) => signIn(token)", account.api_key)
    expect(page.locator(".pg-growing")).to_contain_text(re.compile(r"\w+"))
    page.get_by_role("button", name="Cancel").click()
    expect_phase(page, "failed")
    page.evaluate("signIn('pg_another')")
    generate(page, BAKERY)
    expect(page.get_by_role("alert")).to_contain_text("Please sign in again")
    page.evaluate("(token) => signIn(token)", account.api_key)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Your prompt")).to_have_value(BAKERY)


def test_after_signing_in_what_ran_is_taken_up_by_trying_again(
    page: Page, apps: Path, demo: Demo, account: Account
) -> None:
    known = json.dumps({"manualPrompt": LONG, "taskId": demo.submit(account, LONG)})
    page.add_init_script(f"sessionStorage.setItem('prompt-generation', {json.dumps(known)})")
    open_application(page, apps, "component.html", demo.url, "")
    expect(page.get_by_role("alert").get_by_role("button", name="Sign in")).to_be_visible()
    page.evaluate("(token) => localStorage.setItem('token', token)", account.api_key)
    with page.expect_request("**/events/**"):
        page.get_by_role("button", name="Try again").click()
    expect(page.locator(".pg-growing")).to_contain_text(re.compile(r"\w+"))
    page.get_by_role("button", name="Cancel").click()
    expect_phase(page, "failed")


def test_what_a_server_says_to_programmers_stands_in_a_fold(page: Page, apps: Path, demo: Demo) -> None:
    open_application(page, apps, "component.html", demo.url, "")
    generate(page, BAKERY)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Please sign in again")
    theirs = alert.get_by_text("Authorization: Bearer")
    expect(theirs).to_be_hidden()
    alert.get_by_text("Details").click()
    expect(theirs).to_be_visible()
    expect(theirs).to_contain_text(re.compile("unauthorized [0-9a-f]+$"))  # and the request's id


def test_try_again_sends_the_edited_text(page: Page, apps: Path, demo: Demo) -> None:
    account = demo.account(tokens=250)
    open_application(page, apps, "component.html", demo.url, account.api_key)
    generate(page, BAKERY)
    expect_phase(page, "failed")
    page.get_by_label("Your prompt").fill("Answer for our hotel. Call 040 7654321.")
    with page.expect_request("**/generate-prompt-async/") as sent:
        page.get_by_role("button", name="Try again").click()
    assert sent.value.post_data_json == {"manual_prompt": "Answer for our hotel. Call 040 7654321."}
    expect(page.get_by_label("Your prompt")).to_have_value("Answer for our hotel. Call 040 7654321.")


def test_a_storage_of_ones_own_keeps_draft_and_generation(
    page: Page, apps: Path, demo: Demo, account: Account, context: BrowserContext
) -> None:
    open_application(page, apps, "component.html", demo.url, account.api_key, fragment="#own-storage")
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "/events/" in request.url else None)
    generate(page, LONG)
    expect(page.get_by_role("progressbar")).to_have_attribute("data-progress", "70")
    page.evaluate("renderAgain()")
    expect(page.locator(".pg-growing")).to_contain_text(re.compile(r"\w+ \w+"))
    assert len(streams) == 1, "it is watched on, also when the application renders anew"
    assert page.evaluate("sessionStorage.length") == 0
    another = context.new_page()  # this storage is not a tab's
    open_application(another, apps, "component.html", demo.url, account.api_key, fragment="#own-storage")
    expect(another.get_by_label("Your prompt")).to_have_value(LONG)
    expect(another.get_by_role("progressbar")).to_have_attribute("data-progress", "70")
    another.get_by_role("button", name="Cancel").click()
    expect_phase(another, "failed")
    kept = "Object.keys(localStorage).filter((name) => name.startsWith('mine:'))"
    assert another.evaluate(kept) == ["mine:prompt-generation:draft"], "what has ended is not taken up again"
    expect_phase(page, "failed")


BUSY = {"success": False, "message": "Server is busy", "error_code": "server_busy"}


def test_a_busy_server_is_said_to_be_busy_and_need_not_be_waited_for(component: Page) -> None:
    task = re.compile(r"/(events|status)/")
    component.route(task, lambda route: route.fulfill(status=503, json=BUSY, headers={"Retry-After": "90"}))
    generate(component, LONG)
    expect(component.locator(".pg-trouble")).to_have_text("The server is busy.")
    expect(component.get_by_text(re.compile(r"Next try in \d\d s\."))).to_be_visible()
    component.get_by_role("button", name="Stop waiting").click()
    expect(component.get_by_role("alert")).to_contain_text("The server cannot answer now")
    expect(component.locator(".pg-title")).to_be_focused()
    component.unroute(task)
    with component.expect_request("**/events/**"):
        component.get_by_role("button", name="Try again").click()
    expect(component.locator(".pg-growing")).to_contain_text(re.compile(r"\w+"))
    component.get_by_role("button", name="Cancel").click()
    expect(component.get_by_role("alert")).to_contain_text("Generation cancelled")


def test_what_was_not_sent_is_cancelled_offline_at_once(component: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    generate(component, BAKERY)
    expect(component.locator(".pg-trouble")).to_contain_text("Nothing has been sent yet")
    component.get_by_role("button", name="Cancel").click()
    expect(component.get_by_role("alert")).to_contain_text("Generation cancelled")
    context.set_offline(False)


def test_the_component_survives_a_lost_network(component: Page, context: BrowserContext) -> None:
    generate(component, LONG)
    expect(component.get_by_role("progressbar")).to_have_attribute("data-progress", "70")
    context.set_offline(True)
    expect(component.locator(".pg-trouble")).to_contain_text("You are offline.")
    with component.expect_request("**/events/**"):
        context.set_offline(False)
    expect(component.locator(".pg-trouble")).to_be_empty()
    component.get_by_role("button", name="Cancel").click()
    expect_phase(component, "failed")


def test_an_answer_without_ai_says_so(component: Page) -> None:
    generate(component, f"{BAKERY} [[standin:fault=blocked_prompt]]")
    expect_phase(component, "completed")
    expect(component.locator(".pg-warning")).to_contain_text("declined")


def test_lost_facts_are_named_and_the_limit_is_shown_while_writing(component: Page) -> None:
    draft = "Answer for our bakery Sonne. Bread costs €4.80. Call 030 1234567. Open 7:00-18:00."
    generate(component, f"{draft} [[standin:fault=fact_lost]]")
    expect_phase(component, "completed")
    expect(component.get_by_role("note")).to_contain_text("Left out by the AI: €4.80.")
    component.get_by_label("Your prompt").fill("word " * 4_001)
    expect(component.locator(".pg-count")).to_have_text("20,005 / 20,000")
    component.get_by_role("button", name="Generate AI Prompt").click()
    expect(component.get_by_role("alert")).to_contain_text("Please shorten it.")
    expect(component.get_by_role("alert").get_by_text("manual_prompt")).to_be_hidden()
    expect(component.get_by_role("note")).to_contain_text("€4.80")  # the earlier result is still there
    component.get_by_role("button", name="Dismiss").click()
    expect(component.get_by_role("alert")).to_have_count(0)
    expect(component.locator(".pg-title")).to_be_focused()
    expect(component.get_by_label("Your prompt")).to_have_value("word " * 4_001)
    expect(component.get_by_role("note")).to_contain_text("€4.80")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_the_component(component: Page, node_modules: Path, scheme: str) -> None:
    component.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # a literal to the stubs
    component.add_style_tag(content="body { background: Canvas }")
    found = violations(component, node_modules)
    generate(component, LONG)
    expect(component.locator(".pg-growing")).to_contain_text(re.compile(r"\w+"))
    found += violations(component, node_modules)
    component.get_by_role("button", name="Cancel").click()
    expect_phase(component, "failed")
    generate(component, BAKERY)
    expect_phase(component, "completed")
    found += violations(component, node_modules)
    generate(component, "word " * 4_001)
    expect(component.get_by_role("alert")).to_be_visible()
    assert found + violations(component, node_modules) == []


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("host", ["light", "dark"])
def test_the_component_takes_the_theme_of_its_page_and_not_the_systems(
    component: Page, node_modules: Path, host: str, system: str
) -> None:
    component.emulate_media(color_scheme=system)  # type: ignore[arg-type]  # a literal to the stubs
    component.add_style_tag(
        content=f":root {{ color-scheme: {host} }} body {{ background: Canvas; color: CanvasText }}"
    )
    ink = component.locator(".pg-title").evaluate("e => getComputedStyle(e).color")
    light, dark = "rgb(28, 35, 33)", "rgb(233, 238, 237)"
    assert ink == (light if host == "light" else dark)
    for outer, inner, expected in (("dark", "light", light), ("light", "dark", dark), ("dark", "cupcake", dark)):
        component.evaluate(f"document.documentElement.dataset.theme = '{outer}'")
        component.evaluate(f"document.querySelector('.prompt-generator').parentElement.dataset.theme = '{inner}'")
        assert component.locator(".pg-title").evaluate("e => getComputedStyle(e).color") == expected
    component.evaluate("document.querySelectorAll('[data-theme]').forEach((e) => e.removeAttribute('data-theme'))")
    assert violations(component, node_modules) == []


def test_the_hook_drops_news_of_an_earlier_generation(page: Page, apps: Path, demo: Demo, account: Account) -> None:
    open_application(page, apps, "hook.html", demo.url, account.api_key)
    page.get_by_role("button", name="Generate twice").click()
    expect(page.locator("#result")).to_contain_text("Second shop")
    expect(page.locator("#phase")).to_have_text("completed")
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.get_by_role("button", name="Generate", exact=True).click()
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#phase")).to_have_text("idle")
    expect(page.locator("#text")).to_be_empty()
