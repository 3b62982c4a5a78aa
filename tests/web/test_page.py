"""The page at / in a real browser, against the real server: every state a person can meet."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import jwt
import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, Error, Page, Route, expect

from tests.web.accessibility import violations
from tests.web.demo import JWT_SECRET, Account, Demo
from tests.web.the_page import BAKERY, LONG, WITH_PRICE, expect_phase, failing, generate, open_page, taking

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(page: Page, demo: Demo, account: Account) -> Page:
    open_page(page, demo.url, account.api_key)
    return page


def text_of_result(page: Page) -> str:
    return page.locator("#text").inner_text()


# The flow


RECORDER = """
window.recorded = {progress: [], texts: []};
const watch = (selector, options, note) =>
  new MutationObserver(note).observe(document.querySelector(selector), {subtree: true, ...options});
watch('#progress', {attributeFilter: ['data-progress'], attributeOldValue: true}, (changes) =>
  changes.forEach(({oldValue}) => recorded.progress.push(Number(oldValue))));
watch('#text', {characterData: true, characterDataOldValue: true}, (changes) =>
  changes.forEach(({oldValue}) => recorded.texts.push(oldValue)));
"""


def test_a_prompt_grows_before_the_eyes_and_is_charged(opened: Page) -> None:
    opened.evaluate(RECORDER)
    generate(opened, taking(2))
    expect_phase(opened, "completed")
    whole = opened.locator("#text").evaluate("e => e.textContent")
    recorded = opened.evaluate("window.recorded")
    stages = list(dict.fromkeys(recorded["progress"]))
    assert [percent for percent in stages if percent in (10, 30, 50, 70)] == [10, 30, 50, 70]
    assert recorded["texts"]
    assert all(whole.startswith(text.rstrip()) for text in recorded["texts"])
    assert "+49 30 1234567" in whole
    expect(opened.locator("#facts")).to_have_text(
        re.compile(r"^gemini-3\.8-flash · [\d,]+ tokens · \d+ s · all your facts are in it$")
    )
    expect(opened.locator("#balance")).not_to_have_text("1,000,000")
    expect(opened.locator("#recent .badge")).to_have_text("Done")
    expect(opened.locator("#announcement")).to_have_text("Prompt generated.")


def test_while_it_runs_the_stage_is_shown_and_the_field_is_locked(opened: Page) -> None:
    generate(opened, LONG)
    bar = opened.get_by_role("progressbar")
    expect(bar).to_have_attribute("data-progress", "70")
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d+%, Waiting for AI response\.\.\.$"))
    expect(opened.locator("#progress")).to_have_attribute("data-progress", "70")
    expect(opened.get_by_role("textbox", name="Your prompt")).not_to_be_editable()
    expect(opened.get_by_role("button", name="Generating…")).to_be_disabled()
    expect(opened.locator("#text")).to_contain_text(re.compile(r"\w+"))
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(opened, "failed")
    expect(opened.get_by_role("textbox", name="Your prompt")).to_be_editable()


def test_the_result_is_copied_without_a_dialog(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    opened.get_by_role("button", name="Copy").click()
    expect(opened.get_by_role("button", name="Copied")).to_be_visible()
    assert opened.evaluate("navigator.clipboard.readText()") == opened.locator("#text").evaluate("e => e.textContent")
    expect(opened.get_by_role("button", name="Copy", exact=True)).to_be_visible()


def test_on_plain_http_the_visible_text_is_copied(page: Page, demo: Demo, account: Account) -> None:
    page.add_init_script(
        "window.there = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    open_page(page, demo.url, account.api_key)
    generate(page, BAKERY)
    expect_phase(page, "completed")
    for view in ("Result", "Compare"):
        page.evaluate("there.writeText('something else')")
        page.get_by_role("radio", name=view).check()
        page.locator("#copy").click()
        expect(page.locator("#copy")).to_have_text("Copied")
        copied = page.evaluate("there.readText()")
        assert copied.split() == page.locator("#text").evaluate("e => e.textContent").split()
        expect(page.locator("#copy")).to_have_text("Copy")


def test_the_growing_text_is_followed_and_then_read_from_its_first_line(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 400})
    opened.evaluate(
        "() => { window.lowest = 0; const text = document.getElementById('text');"
        " text.addEventListener('scroll', () => { lowest = Math.max(lowest, text.scrollTop); }); }"
    )
    generate(opened, BAKERY * 6 + " [[standin:delay=4]]")
    expect_phase(opened, "completed")
    assert opened.evaluate("window.lowest") > 50
    assert opened.locator("#text").evaluate("e => e.scrollTop") == 0


def test_on_a_phone_the_last_line_stays_in_sight(opened: Page) -> None:
    opened.set_viewport_size({"width": 390, "height": 844})
    generate(opened, BAKERY * 8 + " [[standin:delay=0.3,tokens_per_second=20]]")
    text = opened.locator("#text")
    expect(text).to_have_text(re.compile(r"^[\s\S]{700,}"))  # more than the screen shows
    assert text.evaluate("e => e.getBoundingClientRect().bottom <= innerHeight + 1")
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(opened, "failed")


def test_drafts_and_results_survive_a_reload_and_an_example_can_be_undone(opened: Page) -> None:
    field = opened.get_by_role("textbox", name="Your prompt")
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    field.fill("My own words")
    opened.get_by_role("button", name="Online shop").click()
    expect(field).to_have_value(re.compile("online shop"))
    field.press("Control+z")
    expect(field).to_have_value("My own words")
    opened.reload()
    expect(field).to_have_value("My own words")
    expect_phase(opened, "completed")
    expect(opened.locator("#text")).to_contain_text("Bakery Sonne")


def test_text_that_is_typed_before_the_scripts_come_stays(page: Page, demo: Demo) -> None:
    held: list[Route] = []
    page.route("**/page/main.js", lambda route: held.append(route))
    page.goto(demo.url, wait_until="commit")
    field = page.get_by_role("textbox", name="Your prompt")
    field.fill("Typed early")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(page.locator("#prompt-count")).to_have_text("11 / 20,000")
    expect(field).to_have_value("Typed early")
    page.unroute("**/page/main.js")
    page.reload()
    expect(page.locator("#prompt-count")).to_have_text("11 / 20,000")
    expect(field).to_have_value("Typed early")


def test_trying_again_sends_the_edited_text(page: Page, demo: Demo) -> None:
    open_page(page, demo.url, demo.account(tokens=250).api_key)
    generate(page, BAKERY)
    expect_phase(page, "failed")
    page.get_by_role("textbox", name="Your prompt").fill(f"{BAKERY} Edited.")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.get_by_role("button", name="Try again").press("Enter")
    assert sent.value.post_data_json == {"manual_prompt": f"{BAKERY} Edited."}
    expect_phase(page, "failed")
    assert page.evaluate("document.activeElement !== document.body")


def test_offline_at_the_submit_nothing_was_sent(opened: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    generate(opened, BAKERY)
    expect(opened.locator("#connection")).to_contain_text("Nothing has been sent yet")
    context.set_offline(False)
    expect_phase(opened, "completed")


def test_what_was_not_sent_is_cancelled_offline_at_once(opened: Page, context: BrowserContext) -> None:
    context.set_offline(True)
    generate(opened, BAKERY)
    expect(opened.locator("#connection")).to_contain_text("Nothing has been sent yet")
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect(opened.locator("#notice")).to_contain_text("Generation cancelled")
    context.set_offline(False)


def test_a_running_generation_of_another_tab_is_cancelled_from_the_list(
    opened: Page, demo: Demo, account: Account
) -> None:
    elsewhere = opened.context.new_page()
    open_page(elsewhere, demo.url, account.api_key)
    generate(opened, LONG)
    expect(opened.locator("#progress")).to_have_attribute("data-progress", "70")
    expect(opened.locator("#recent button[aria-current]")).to_have_count(1)
    elsewhere.reload()
    expect(elsewhere.locator("#recent")).to_contain_text("From another tab or device")
    elsewhere.evaluate("sessionStorage.setItem('prompt-generation:started', Date.now() - 3_600_000)")  # another one's
    elsewhere.locator("#recent .open").click()
    expect(elsewhere.locator("#elapsed")).to_have_text(re.compile(r"^\d{1,3} s$"))
    elsewhere.locator("#recent .cancel-one").click()
    expect(elsewhere.locator("#recent .badge")).to_have_text("Cancelled")
    expect_phase(opened, "failed")


def test_the_list_lives_while_anything_runs(opened: Page, demo: Demo, account: Account) -> None:
    elsewhere = opened.context.new_page()
    open_page(elsewhere, demo.url, account.api_key)
    generate(elsewhere, taking(5))
    expect(elsewhere.locator("#recent .badge")).to_have_text("Running")
    opened.reload()
    expect(opened.locator("#recent .badge")).to_have_text("Running")
    expect(opened.locator("#recent .badge")).to_have_text("Done")


def test_manual_and_generated_prompt_are_compared(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    opened.get_by_role("radio", name="Compare").check()
    columns = opened.locator("#comparison .prompt-text")
    expect(columns.nth(0)).to_have_text(BAKERY)
    expect(columns.nth(1)).to_contain_text("+49 30 1234567")
    assert columns.nth(1).locator("ins").count() > 0
    assert "Bakery Sonne" not in " ".join(columns.nth(1).locator("ins").all_inner_texts())
    opened.get_by_role("radio", name="Result").check()
    expect(opened.locator("#comparison")).to_be_hidden()
    expect(opened.locator("#text")).to_be_visible()


def test_an_earlier_generation_is_opened_from_the_list(opened: Page) -> None:
    for name in ("First", "Second"):
        generate(opened, f"{name} shop. {BAKERY}")
        expect(opened.locator("#text")).to_contain_text(f"{name} shop")
        expect_phase(opened, "completed")
    opened.locator("#recent button", has_text="First shop").click()
    expect(opened.locator("#text")).to_contain_text("First shop")
    opened.get_by_role("radio", name="Compare").check()
    expect(opened.locator("#comparison")).to_contain_text("First shop")


def test_the_ledger_shows_what_was_charged(opened: Page) -> None:
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    opened.get_by_text("Ledger").click()
    expect(opened.locator("#ledger-entries li")).to_have_text(
        [re.compile("Charged"), re.compile("Set aside"), re.compile("Granted")]
    )


def test_a_ledger_that_cannot_be_read_says_so(opened: Page) -> None:
    problem = {"success": False, "message": "No", "error": "The ledger rests.", "error_code": "invalid_parameter"}
    opened.route("**/account/ledger/**", lambda route: route.fulfill(status=400, json=problem))
    opened.get_by_text("Ledger").click()
    expect(opened.locator("#ledger-entries")).to_have_text("The server does not accept this.")


def test_an_old_reply_does_not_replace_a_newer_one(opened: Page) -> None:
    held: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    opened.route("**/api/v1/account/", hold_the_first)
    generate(opened, BAKERY)
    expect_phase(opened, "completed")
    expect(opened.locator("#recent .badge")).to_have_text("Done")
    expect(opened.locator("#account-facts")).to_contain_text(re.compile(r"Set aside\s*0"))
    route, old = held[0]
    with contextlib.suppress(Error):  # the page has let go of it
        route.fulfill(response=old)
    opened.evaluate("new Promise((done) => setTimeout(done, 300))")  # what must not happen has no event
    expect(opened.locator("#account-facts")).to_contain_text(re.compile(r"Set aside\s*0"))
    expect(opened.locator("#balance")).not_to_have_text("1,000,000")


def test_a_generation_opened_without_its_prompt_is_not_tried_again(
    opened: Page, demo: Demo, account: Account, browser: Browser
) -> None:
    generate(opened, LONG)
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(opened, "failed")
    expect(opened.get_by_role("button", name="Try again")).to_be_visible()
    with browser.new_context() as elsewhere:
        page = elsewhere.new_page()
        open_page(page, demo.url, account.api_key)
        page.locator("#recent button").click()
        expect(page.get_by_role("button", name="Edit prompt")).to_be_visible()
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_the_keyboard_stays_where_it_was(opened: Page) -> None:
    field = opened.get_by_role("textbox", name="Your prompt")
    field.fill(BAKERY)
    field.press("Control+Enter")
    expect_phase(opened, "completed")
    expect(field).to_be_focused()
    expect(opened.locator("#recent .badge")).to_have_text("Done")
    opened.locator("#recent button").first.press("Enter")
    expect_phase(opened, "completed")
    expect(opened.locator("#recent button").first).to_be_focused()


def test_examples_fill_the_field(opened: Page) -> None:
    opened.get_by_role("button", name="Bakery").click()
    expect(opened.get_by_role("textbox", name="Your prompt")).to_have_value(re.compile("bakery"))
    expect(opened.locator("#prompt-count")).to_have_text(re.compile(r"^\d+ / 20,000$"))


# Errors


def test_too_few_tokens_offer_tokens(page: Page, demo: Demo) -> None:
    account = demo.account(tokens=250)
    open_page(page, demo.url, account.api_key)
    expect(page.locator("#account-warning")).to_have_text("A generation needs at least 700 tokens.")
    generate(page, BAKERY)
    alert = page.locator("#notice")
    expect(alert).to_have_attribute("role", "alert")
    expect(alert).to_contain_text("Insufficient tokens")
    expect(alert).to_contain_text("You need at least 700 tokens for prompt enhancement. Available: 250")
    expect(alert).to_contain_text("accounts grant")
    demo.grant(account.account_id, 5_000)
    page.get_by_role("button", name="Refresh balance").click()
    expect(page.locator("#balance")).to_have_text("5,250")
    expect(alert).to_be_hidden()  # its cause is gone
    page.get_by_role("button", name="Generate prompt").click()
    expect_phase(page, "completed")


def test_a_lapsed_subscription_offers_an_upgrade(page: Page, demo: Demo) -> None:
    open_page(page, demo.url, demo.account(subscription_days=0).api_key)
    expect(page.locator("#account-warning")).to_have_text("Your subscription is not active.")
    generate(page, BAKERY)
    expect(page.locator("#notice")).to_contain_text("Subscription is not active")
    expect(page.locator("#notice")).to_contain_text("accounts subscribe")


def test_an_empty_prompt_is_not_sent(opened: Page) -> None:
    sent: list[str] = []
    opened.on("request", lambda request: sent.append(request.method))
    generate(opened, "  ")
    expect(opened.locator("#prompt-error")).to_have_text("Write a prompt first.")
    field = opened.get_by_role("textbox", name="Your prompt")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert "POST" not in sent
    opened.keyboard.type("x")
    expect(opened.locator("#prompt-error")).to_be_empty()
    expect(field).to_have_attribute("aria-invalid", "false")


def test_a_prompt_that_is_too_long_is_explained(opened: Page) -> None:
    generate(opened, "word " * 4_001)
    expect(opened.locator("#prompt-count")).to_have_text("20,005 / 20,000")
    expect(opened.locator("#notice-text")).to_have_text("Your prompt is longer than it may be. Please shorten it.")
    expect(opened.locator("#notice-title")).to_have_text("Please check your prompt")
    opened.get_by_role("button", name="Edit prompt").click()
    expect(opened.get_by_role("textbox", name="Your prompt")).to_be_focused()


def test_an_answer_without_ai_says_so(opened: Page) -> None:
    generate(opened, failing("blocked_prompt"))
    expect_phase(opened, "completed")
    notice = opened.locator("#notice")
    expect(notice).to_have_attribute("role", "note")
    expect(notice).to_contain_text("Written without AI")
    expect(notice).to_contain_text("declined")
    expect(opened.locator("#text")).to_contain_text("Bakery Sonne")


@pytest.mark.parametrize(
    ("fault", "said"), [("fact_lost", "Left out by the AI: €4.80."), ("invented", "Not from you: +1 800 555 0199.")]
)
def test_an_answer_that_lost_or_invented_facts_names_them(opened: Page, fault: str, said: str) -> None:
    generate(opened, f"{WITH_PRICE} [[standin:fault={fault}]]")
    expect_phase(opened, "completed")
    expect(opened.locator("#notice")).to_contain_text("Please check")
    expect(opened.locator("#notice")).to_contain_text(said)
    expect(opened.locator("#facts")).to_contain_text("please check the facts")


def test_an_answer_that_kept_the_facts_says_so(opened: Page) -> None:
    generate(opened, WITH_PRICE)
    expect(opened.locator("#facts")).to_contain_text("all your facts are in it")
    expect(opened.locator("#notice")).to_be_hidden()


def test_too_many_generations_at_once(opened: Page, demo: Demo, account: Account) -> None:
    for number in range(5):
        page = opened if number == 0 else opened.context.new_page()
        if page is not opened:
            open_page(page, demo.url, account.api_key)
        generate(page, taking(30))
        expect(page.locator("#progress")).to_have_attribute("data-progress", "70")
    sixth = opened.context.new_page()
    open_page(sixth, demo.url, account.api_key)
    generate(sixth, BAKERY)
    expect(sixth.locator("#notice")).to_contain_text("Too many unfinished tasks")
    expect(sixth.locator("#recent .badge")).to_have_text(["Running"] * 5)
    cancel = sixth.locator("#recent .cancel-one").first
    cancel.focus()
    cancel.evaluate("button => button.dataset.old = 'yes'")
    expect(cancel).not_to_have_attribute("data-old", "yes")  # the list has been read anew
    expect(cancel).to_be_focused()
    cancel.press("Enter")
    expect(sixth.locator("#recent .open").first).to_be_focused()
    expect(sixth.locator("#notice")).to_be_hidden()


def test_a_busy_server_asks_to_try_again(opened: Page) -> None:
    busy = {"success": False, "message": "Server is busy", "error": "Try again shortly.", "error_code": "server_busy"}
    opened.route(
        "**/generate-prompt-async/",
        lambda route: route.fulfill(status=503, json=busy, headers={"Retry-After": "1"}),
    )
    generate(opened, BAKERY)
    expect(opened.locator("#connection")).to_have_text("The server is busy.")
    expect(opened.locator("#notice")).to_contain_text("The server cannot answer now")
    opened.unroute("**/generate-prompt-async/")
    opened.get_by_role("button", name="Try again").click()
    expect_phase(opened, "completed")


def test_a_busy_server_need_not_be_waited_for(opened: Page) -> None:
    busy = {"success": False, "message": "Server is busy", "error_code": "server_busy"}
    tasks = re.compile(r"/(events|status)/")
    opened.route(tasks, lambda route: route.fulfill(status=503, json=busy, headers={"Retry-After": "90"}))
    generate(opened, LONG)
    expect(opened.locator("#connection")).to_have_text("The server is busy.")
    expect(opened.locator("#next-try")).to_have_text(re.compile(r"Next try in \d\d s\."))
    opened.get_by_role("button", name="Stop waiting").click()
    expect(opened.locator("#notice")).to_contain_text("The server cannot answer now")
    expect(opened.locator("#outcome-title")).to_be_focused()
    opened.unroute(tasks)
    opened.get_by_role("button", name="Try again").click()
    expect(opened.locator("#waiting")).to_be_hidden()
    expect(opened.locator("#progress")).to_have_attribute("data-progress", "70")
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect(opened.locator("#recent .badge")).to_have_text("Cancelled")  # one generation, and no second one


def test_an_unreachable_server_is_said_to_be(opened: Page) -> None:
    opened.route("**/generate-prompt-async/", lambda route: route.abort())
    generate(opened, BAKERY)
    expect(opened.locator("#notice")).to_contain_text("The server cannot be reached.")
    opened.unroute("**/generate-prompt-async/")
    opened.get_by_role("button", name="Try again").click()
    expect_phase(opened, "completed")


# Cancel, reload, network


def test_cancel_ends_the_generation(opened: Page) -> None:
    generate(opened, LONG)
    expect(opened.locator("#progress")).to_have_attribute("data-progress", "70")
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect(opened.locator("#notice")).to_contain_text("Generation cancelled")
    expect(opened.locator("#recent .badge")).to_have_text("Cancelled")
    expect(opened.locator("#outcome-title")).to_be_focused()
    opened.get_by_role("textbox", name="Your prompt").fill(BAKERY)
    opened.get_by_role("button", name="Generate prompt").click()
    expect_phase(opened, "completed")


def test_a_reload_takes_the_running_generation_up(opened: Page) -> None:
    generate(opened, LONG)
    expect(opened.locator("#text")).to_contain_text(re.compile(r"\w+"))
    opened.reload()
    expect_phase(opened, "running")
    expect(opened.get_by_role("textbox", name="Your prompt")).to_have_value(LONG)
    expect(opened.locator("#progress")).to_have_attribute("data-progress", "70")
    expect(opened.locator("#text")).to_contain_text(re.compile(r"\w+"))
    expect(opened.locator("#recent li")).to_have_count(1)
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(opened, "failed")
    opened.reload()
    expect_phase(opened, "idle")


def test_offline_and_back(opened: Page, context: BrowserContext) -> None:
    generate(opened, LONG)
    expect(opened.locator("#progress")).to_have_attribute("data-progress", "70")
    context.set_offline(True)
    expect(opened.locator("#connection")).to_contain_text("You are offline.")
    expect(opened.locator("#announcement")).to_contain_text("You are offline.")
    with opened.expect_request("**/events/**"):
        context.set_offline(False)
    expect(opened.locator("#connection")).to_be_hidden()
    context.set_offline(True)
    expect(opened.locator("#connection")).to_contain_text("You are offline.")
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect(opened.locator("#progress-message")).to_have_text("Cancelling…")
    expect(opened.locator("#connection")).to_be_hidden()  # nobody waits for a result
    context.set_offline(False)
    expect(opened.locator("#notice")).to_be_visible()


def test_a_page_that_nobody_sees_is_quiet(opened: Page) -> None:
    generate(opened, LONG)
    expect(opened.locator("#progress")).to_have_attribute("data-progress", "70")
    expect(opened.locator("#recent li")).to_have_count(1)
    set_visibility(opened, "hidden")
    expect(opened.locator("#running")).to_have_attribute("data-connection", "background")
    sent: list[str] = []
    opened.on("request", lambda request: sent.append(request.url))
    opened.wait_for_timeout(1_500)  # longer than a poll's interval: the absence of requests cannot be waited for
    assert sent == []
    with opened.expect_request("**/events/**"):
        set_visibility(opened, "visible")
    expect(opened.locator("#running")).to_have_attribute("data-connection", "live")
    opened.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(opened, "failed")


def set_visibility(page: Page, state: str) -> None:
    """Headless Chromium hides no tab, so the event of a browser is imitated."""
    page.evaluate(
        "state => { Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        state,
    )


# The key


def test_the_demo_fills_its_key_in(page: Page, demo: Demo) -> None:
    page.goto(demo.url)
    expect(page.locator("#account-title")).to_have_text("Demo")
    expect(page.locator("#key-panel")).to_be_hidden()


def test_a_key_is_pasted_and_kept_for_this_tab(page: Page, demo: Demo, account: Account) -> None:
    page.goto(demo.url)
    page.get_by_role("button", name="Change key").click()
    page.get_by_role("button", name="Keep the key I have").click()
    expect(page.get_by_role("button", name="Change key")).to_be_focused()
    expect(page.locator("#account-title")).to_have_text("Demo")
    page.get_by_role("button", name="Change key").click()
    field = page.get_by_label("API key", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("type", "password")
    field.fill("pg_no_such_key")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#key-error")).to_contain_text("copied whole")
    page.get_by_role("button", name="Show").click()
    expect(field).to_have_attribute("type", "text")
    field.fill(f"  {account.api_key}\n")
    field.press("Enter")
    expect(page.locator("#key-panel")).to_be_hidden()
    expect(page.locator("#account-facts")).to_contain_text(account.account_id)
    page.reload()
    expect(page.locator("#account-facts")).to_contain_text(account.account_id)
    other_tab = page.context.new_page()
    other_tab.goto(demo.url)
    expect(other_tab.locator("#account-title")).to_have_text("Demo")


def test_a_key_that_is_no_good_is_asked_for_again(page: Page, demo: Demo) -> None:
    page.add_init_script("sessionStorage.setItem('prompt-generation:api-key', 'pg_revoked')")
    page.goto(demo.url)
    expect(page.locator("#key-error")).to_contain_text("copied whole")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    generate(page, BAKERY)
    expect(page.locator("#key-error")).to_have_text("Connect first: nothing has been sent.")
    expect(page.get_by_label("API key", exact=True)).to_be_focused()
    assert sent == []


def test_a_token_without_an_account_is_explained(page: Page, demo: Demo) -> None:
    token = jwt.encode({"sub": "somebody-else", "exp": 4_102_444_800}, JWT_SECRET, "HS256")
    page.add_init_script(f"sessionStorage.setItem('prompt-generation:api-key', {json.dumps(token)})")
    page.goto(demo.url)
    expect(page.locator("#key-error")).to_contain_text("no account")


# Everybody can use it


def test_everything_works_by_keyboard(opened: Page) -> None:
    field = opened.get_by_role("textbox", name="Your prompt")
    field.focus()
    opened.keyboard.type(LONG)
    opened.keyboard.press("Control+Enter")
    expect(opened.locator("#progress")).to_have_attribute("data-progress", "70")
    tab_to(opened, "#cancel")
    opened.keyboard.press("Enter")
    expect_phase(opened, "failed")
    expect(opened.locator("#outcome-title")).to_be_focused()
    field.fill(BAKERY)
    opened.keyboard.press("Control+Enter")
    expect_phase(opened, "completed")
    tab_to(opened, "input[value=result]")
    opened.keyboard.press("ArrowRight")
    expect(opened.locator("#comparison")).to_be_visible()
    opened.keyboard.press("Tab")
    expect(opened.locator("#copy")).to_be_focused()
    opened.keyboard.press("Enter")
    expect(opened.locator("#copy")).to_have_text("Copied")
    assert opened.locator("#copy").evaluate("e => getComputedStyle(e).outlineStyle") == "solid", "focus is visible"


def tab_to(page: Page, selector: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(selector).evaluate("e => e === document.activeElement"):
            return
    pytest.fail(f"{selector} cannot be reached with the Tab key")


def test_text_is_never_taken_for_html(opened: Page) -> None:
    attack = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script> {{name}}"
    generate(opened, attack)
    expect_phase(opened, "completed")
    expect(opened.locator("#text")).to_contain_text("<img src=x onerror=")
    opened.get_by_role("radio", name="Compare").check()
    expect(opened.locator("#comparison")).to_contain_text("<script>")
    assert opened.locator("#outcome img, #outcome script, #recent img").count() == 0
    assert opened.title() == "Prompt Generator"


def test_right_to_left_text_runs_from_right_to_left(opened: Page) -> None:
    generate(opened, "أجب عن أسئلة مرضى عيادة الأسنان. للحجز: 030 1234567.")
    expect_phase(opened, "completed")
    for selector in ("#manual-prompt", "#text", "#recent .excerpt"):
        assert opened.locator(selector).first.evaluate("e => getComputedStyle(e).direction") == "rtl", selector


def test_nothing_comes_from_another_host(page: Page, demo: Demo, account: Account) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, demo.url, account.api_key)
    generate(page, BAKERY)
    expect_phase(page, "completed")
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(f"{demo.url}/")] == []
    assert [url for url in asked if account.api_key in url] == [], "no credential in any URL"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_sticks_out_of_the_screen(opened: Page, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    generate(opened, f"{BAKERY} {'https://example.com/' + 'a' * 300}")
    expect_phase(opened, "completed")
    opened.get_by_role("radio", name="Compare").check()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_who_wants_no_motion_gets_none(opened: Page) -> None:
    opened.emulate_media(reduced_motion="reduce")
    generate(opened, f"{BAKERY} [[standin:fault=hang]]")
    expect(opened.locator("#skeleton span").first).to_be_visible()
    assert opened.locator("#skeleton span").first.evaluate("e => getComputedStyle(e).animationName") == "none"
    assert opened.locator(".progress-fill").evaluate("e => getComputedStyle(e).transitionDuration") == "0s"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_no_violation_in_any_state(
    page: Page, demo: Demo, account: Account, node_modules: Path, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # a literal to the stubs
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, demo.url, account.api_key)
    found = {"idle": violations(page, node_modules)}
    generate(page, LONG)
    expect(page.locator("#text")).to_contain_text(re.compile(r"\w+"))
    found["running"] = violations(page, node_modules)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(page, "failed")
    found["cancelled"] = violations(page, node_modules)
    generate(page, BAKERY)
    expect_phase(page, "completed")
    page.get_by_text("Ledger").click()
    expect(page.locator("#ledger-entries li")).not_to_have_count(0)
    found["completed"] = violations(page, node_modules)
    page.get_by_role("radio", name="Compare").check()
    found["compared"] = violations(page, node_modules)
    generate(page, failing("blocked_prompt"))
    expect(page.locator("#notice")).to_be_visible()
    found["fallback"] = violations(page, node_modules)
    generate(page, "word " * 4_001)
    expect(page.locator("#notice")).to_contain_text("Please shorten it")
    found["error"] = violations(page, node_modules)
    generate(page, " ")
    found["empty"] = violations(page, node_modules)
    page.get_by_role("button", name="Change key").click()
    page.get_by_label("API key", exact=True).fill("wrong")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#key-error")).not_to_be_empty()
    found["key"] = violations(page, node_modules)
    assert {state: lines for state, lines in found.items() if lines} == {}
