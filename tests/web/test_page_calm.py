"""The page stays calm: nothing jumps, one message per trouble, and it is readable in every direction and colour."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.demo import Account, Demo
from tests.web.the_page import BAKERY, LONG, expect_phase, generate, open_page, taking

pytestmark = pytest.mark.browser

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const where = entry.sources.map(({node}) => node?.id || node?.className || node?.nodeName).join(' ');
    if (!entry.hadRecentInput) { shifts.push([entry.value, where]); }
  }
}).observe({type: 'layout-shift', buffered: true});
"""
MAX_SHIFT = 0.01


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_jumps(page: Page, demo: Demo, account: Account, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.add_init_script(SHIFTS)
    open_page(page, demo.url, account.api_key)
    generate(page, taking(2))
    expect_phase(page, "completed")
    expect(page.locator("#recent .badge")).to_have_text("Done")
    shifts = page.evaluate("shifts")
    assert sum(value for value, _where in shifts) <= MAX_SHIFT, shifts


def test_nothing_jumps_where_a_key_is_asked_for(page: Page, demo: Demo) -> None:
    page.add_init_script(SHIFTS)
    page.route(re.compile(f"{re.escape(demo.url)}/$"), without_demo_key)
    page.goto(demo.url)
    expect(page.get_by_label("API key", exact=True)).to_be_focused()
    shifts = page.evaluate("shifts")
    assert sum(value for value, _where in shifts) <= MAX_SHIFT, shifts


def without_demo_key(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(r'<meta name="demo-api-key"[^>]*>', "", answer.text()))


FIRST_ELAPSED = """
window.firstElapsed = null;
new MutationObserver(() => {
  firstElapsed ??= parseInt(document.getElementById('elapsed')?.textContent) || null;
}).observe(document, {childList: true, subtree: true, characterData: true});
"""


def test_the_time_goes_on_over_a_reload(page: Page, demo: Demo, account: Account) -> None:
    open_page(page, demo.url, account.api_key)
    generate(page, LONG)
    elapsed = page.locator("#elapsed")
    expect(elapsed).to_have_text(re.compile(r"^[3-9] s$|^\d\d+ s$"))
    before = int(elapsed.inner_text().removesuffix(" s"))
    page.evaluate("{ const {now} = Date; Date.now = () => now() + 3_600_000; }")  # somebody sets the clock
    expect(elapsed).not_to_have_text(f"{before} s")
    assert int(elapsed.inner_text().removesuffix(" s")) < 600
    page.add_init_script(FIRST_ELAPSED)
    page.reload()
    first = page.wait_for_function("window.firstElapsed").json_value()
    assert first >= before
    page.add_init_script("{ const {now} = Date; Date.now = () => now() + 3_600_000; }")
    page.reload()
    expect(elapsed).to_have_text(re.compile(r"^\d+ s$"))  # counted anew, and not an hour
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(page, "failed")


def test_a_key_that_was_revoked_is_said_once(page: Page, demo: Demo, account: Account) -> None:
    open_page(page, demo.url, account.api_key)
    page.route("**/api/**", lambda route: route.fulfill(status=401, json=UNAUTHORIZED))
    generate(page, BAKERY)
    expect(page.locator("#key-error")).to_have_text(re.compile(r"\w"))
    expect(page.locator("#notice")).to_be_hidden()
    page.unroute("**/api/**")
    page.get_by_label("API key", exact=True).fill(account.api_key)
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#key-panel")).to_be_hidden()
    expect(page.get_by_role("textbox", name="Your prompt")).to_have_value(BAKERY)


UNAUTHORIZED = {"success": False, "message": "No", "error": "This key is no more.", "error_code": "unauthorized"}
REFUSED = {"success": False, "message": "No", "error": "No.", "error_code": "invalid_parameter"}


def test_a_new_sign_in_of_the_same_account_keeps_what_runs_and_what_was_made(
    page: Page, demo: Demo, account: Account
) -> None:
    open_page(page, demo.url, account.api_key)
    generate(page, BAKERY)
    expect_phase(page, "completed")
    generate(page, LONG)
    expect(page.locator("#progress")).to_have_attribute("data-progress", "70")
    page.route("**/account/**", lambda route: route.fulfill(status=401, json=UNAUTHORIZED))
    expect(page.locator("#key-error")).not_to_be_empty()  # the list is read anew while something runs
    page.route("**/api/**", lambda route: route.fulfill(status=401, json=UNAUTHORIZED))
    page.reload()
    expect(page.locator("#key-error")).not_to_be_empty()
    page.unroute("**/api/**")
    page.unroute("**/account/**")
    page.get_by_label("API key", exact=True).fill(account.api_key)
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#progress")).to_have_attribute("data-progress", "70")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect_phase(page, "failed")
    page.reload()
    expect_phase(page, "completed")
    expect(page.locator("#text")).to_contain_text("Bakery Sonne")


def test_a_key_is_tried_before_it_is_taken(page: Page, demo: Demo, account: Account) -> None:
    demo.submit(account, LONG)
    open_page(page, demo.url, account.api_key)
    held: list[Route] = []

    def hold_the_wrong_one(route: Route) -> None:
        wrong = route.request.headers["authorization"].endswith("pg_wrong")
        held.append(route) if wrong else route.continue_()

    page.route("**/account/", hold_the_wrong_one)
    page.get_by_role("button", name="Change key").click()
    page.get_by_label("API key", exact=True).fill("pg_wrong")
    connect = page.get_by_role("button", name="Connect")
    with page.expect_response("**/account/") as read:  # the list's own timer goes on
        connect.click()
    assert read.value.ok
    expect(connect).to_be_focused()
    held[0].continue_()
    expect(page.locator("#key-error")).to_contain_text("copied whole")
    page.get_by_role("button", name="Keep the key I have").click()
    page.get_by_role("button", name="Cancel:").click()
    expect(page.locator("#recent .badge")).to_have_text("Cancelled")


def test_the_list_goes_on_after_a_failed_reading_and_says_why_a_cancel_failed(
    page: Page, demo: Demo, account: Account
) -> None:
    task_id = demo.submit(account, LONG)
    open_page(page, demo.url, account.api_key)
    expect(page.locator("#recent .badge")).to_have_text("Running")
    page.route("**/cancel/**", lambda route: route.fulfill(status=400, json=REFUSED))
    seen: list[Route] = []

    def hold_the_timers(route: Route) -> None:
        seen.append(route)
        if len(seen) > 1:
            route.fulfill(status=400, json=REFUSED)

    with page.expect_request("**/account/"):
        page.route("**/account/", hold_the_timers)
    page.locator("#recent .cancel-one").click()  # whose own reading ends the timer's, and fails
    expect(page.locator("#recent-error")).to_have_text("The server does not accept this.")
    while len(seen) < 2:
        page.wait_for_timeout(50)
    page.unroute("**/account/")
    demo.cancel(account, task_id)
    expect(page.locator("#recent .badge")).to_have_text("Cancelled")
    expect(page.locator("#recent-error")).to_be_empty()


def test_a_message_while_it_runs_is_said_once(page: Page, demo: Demo, account: Account) -> None:
    open_page(page, demo.url, account.api_key)
    generate(page, LONG)
    expect(page.locator("#progress")).to_have_attribute("data-progress", "70")
    page.route("**/cancel/**", lambda route: route.fulfill(status=400, json=REFUSED))
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#notice")).to_contain_text("The server does not accept this.")
    assert page.evaluate(CHANGES_OF_NOTICE) == 0
    page.unroute("**/cancel/**")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#notice")).to_contain_text("Generation cancelled")


# How often the notice changes while the text grows by three pieces.
CHANGES_OF_NOTICE = """() => new Promise((resolve) => {
  let changes = 0;
  let pieces = 0;
  const options = {subtree: true, childList: true, characterData: true};
  new MutationObserver((list) => { changes += list.length; }).observe(document.getElementById('notice'), options);
  const count = () => { if (++pieces === 3) resolve(changes); };
  new MutationObserver(count).observe(document.getElementById('text'), options);
})"""


def test_a_message_about_the_prompt_goes_when_the_prompt_is_mended(page: Page, demo: Demo, account: Account) -> None:
    open_page(page, demo.url, account.api_key)
    generate(page, "word " * 4_001)
    expect(page.locator("#notice")).to_be_visible()
    page.get_by_role("textbox", name="Your prompt").fill(BAKERY)
    expect(page.locator("#notice")).to_be_hidden()


def test_every_generation_of_the_list_can_be_reached(page: Page, demo: Demo, account: Account) -> None:
    open_page(page, demo.url, account.api_key)
    for number in range(12):
        done = page.request.post(
            f"{demo.url}/api/v1/web-knowledge/generate-prompt/",
            headers={"Authorization": f"Bearer {account.api_key}"},
            data={"manual_prompt": f"Shop number {number}."},
        )
        assert done.ok, done.text()
    page.reload()
    expect(page.locator("#recent > li")).to_have_count(10)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#recent > li")).to_have_count(12)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    expect(page.locator("#recent > li").nth(10).get_by_role("button")).to_be_focused()


def test_mixed_directions_read_the_same_in_the_editor_and_in_the_result(
    page: Page, demo: Demo, account: Account
) -> None:
    open_page(page, demo.url, account.api_key)
    generate(page, "Call 030 1234567.\nأجب عن أسئلة مرضى العيادة.")
    expect_phase(page, "completed")
    for selector in ("#manual-prompt", "#text", "#recent .excerpt", "#feedback"):
        style = page.locator(selector).first.evaluate(
            "e => [getComputedStyle(e).unicodeBidi, getComputedStyle(e).textAlign]"
        )
        assert style == ["plaintext", "start"], selector


def test_forced_colours_show_what_is_selected_and_how_far_it_is(page: Page, demo: Demo, account: Account) -> None:
    page.emulate_media(forced_colors="active")
    open_page(page, demo.url, account.api_key)
    generate(page, BAKERY)
    expect_phase(page, "completed")
    for chosen in (".switch input[value=result] + span", "#recent button[aria-current]"):
        assert page.locator(chosen).evaluate("e => getComputedStyle(e).outlineStyle") == "solid", chosen
    page.keyboard.press("Tab")
    for focused, ring in (
        (".switch input[value=result]", ".switch input[value=result] + span"),
        ("#recent .open",) * 2,
    ):
        page.locator(focused).focus()
        assert page.locator(ring).evaluate("e => getComputedStyle(e).outlineWidth") == "3px", "and the focus is another"
    other = page.locator(".switch input[value=compare] + span")
    assert other.evaluate("e => getComputedStyle(e).outlineStyle") == "none"
    assert page.locator(".progress").evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"


def test_a_comparison_marks_words_and_no_stray_signs(page: Page, demo: Demo, account: Account) -> None:
    open_page(page, demo.url, account.api_key)
    generate(page, "回答面包店的问题。营业时间7点到18点。电话030 1234567。")
    expect_phase(page, "completed")
    page.get_by_role("radio", name="Compare").check()
    marks = page.locator("#comparison .prompt-text :is(ins, del)").all_inner_texts()
    assert marks
    assert [mark for mark in marks if not re.search(r"\w", mark)] == []
    expect(page.locator("#comparison .legend")).to_have_text(re.compile(r"removed \d+ words?\s+added \d+ words?"))
