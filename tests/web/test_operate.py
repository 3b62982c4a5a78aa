"""The operator's page at /operate/ in a real browser: an account is found, granted to, and its tasks stopped."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Request, Route, expect

from tests.support.webhook_receiver import SECRET
from tests.web.accessibility import violations
from tests.web.demo import Account, Demo, running_demo

pytestmark = pytest.mark.browser
REFRESHED_AFTER_MS = 5_000
SLOW = "Write a menu. [[standin:delay=60]]"


class Backend:
    """It takes webhooks: 204, and 410 for the accounts that it has ``closed``."""

    url = ""

    def __init__(self) -> None:
        self.closed: set[str] = set()


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    made = Backend()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(410 if event["data"]["account_id"] in made.closed else 204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/webhooks"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, backend: Backend) -> Iterator[Demo]:
    """A demo that sends webhooks."""
    settings = {"PROMPT_WEBHOOKS__URL": backend.url, "PROMPT_WEBHOOKS__SECRETS": SECRET}
    with running_demo(tmp_path_factory.mktemp("operate"), **settings) as demo:
        yield demo


def connect(page: Page, demo: Demo, path: str = "/operate/") -> str:
    """Connect with an admin key of its own; return the key."""
    key = demo.admin_key()
    page.goto(demo.url.rstrip("/") + path)
    page.get_by_role("textbox", name="Admin key").fill(key)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", name="The process that answers")).to_be_visible()
    return key


def search(page: Page, account_id: str, task_id: str = "") -> None:
    page.get_by_role("textbox", name="Account").fill(account_id)
    page.get_by_label("Task (all when empty)").fill(task_id)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Grant tokens")).to_be_visible()


@pytest.mark.parametrize("path", ["/operate/", "/operate"])
def test_a_task_is_found_and_cancelled_tokens_are_granted_and_a_key_is_revoked(
    page: Page, demo: Demo, account: Account, path: str
) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    task_id = demo.submit(account, SLOW)
    demo.submit(account, "Write another one.")
    connect(page, demo, path)
    search(page, account.account_id, task_id)
    tasks = page.get_by_role("region", name="Tasks", exact=True).locator("tbody tr")
    expect(tasks).to_have_count(1)
    cancel = page.get_by_role("button", name=f"Cancel task {task_id}", exact=True)
    really = page.get_by_role("button", name=f"Really: Cancel task {task_id}?")
    cancel.dblclick()
    expect(really).to_be_focused()
    page.keyboard.press("Escape")
    expect(cancel).to_be_focused()
    cancel.click()
    page.get_by_label("Reason, for the ledger").click()
    expect(really).to_have_count(0)
    expect(tasks).to_contain_text("processing")
    cancel.click()
    really.click()
    expect(tasks).to_contain_text("cancelled")
    expect(page.get_by_role("status")).to_contain_text("is cancelled")

    page.get_by_label("Tokens (negative takes back)").fill("1234")
    page.get_by_label("Reason, for the ledger").fill("goodwill")
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("1,234 tokens are granted")
    expect(page.locator("#balance")).to_contain_text("1,001,234")

    page.get_by_role("button", name="Revoke key").click()
    page.get_by_role("button", name="Really: Revoke key").click()
    expect(page.get_by_role("region", name="API keys")).to_contain_text("revoked")
    assert {urlsplit(request.url).netloc for request in asked} == {urlsplit(demo.url).netloc}


def test_a_task_s_id_alone_finds_its_account(page: Page, demo: Demo, account: Account) -> None:
    other = demo.account()
    task_id, others_task = demo.submit(account, SLOW), demo.submit(other, SLOW)
    connect(page, demo)
    search(page, "", task_id.upper())
    shown = page.locator("#balance dd").first
    expect(shown).to_have_text(account.account_id)
    expect(page.get_by_role("region", name="Tasks", exact=True).locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("button", name=f"Cancel task {task_id}")).to_be_visible()
    page.get_by_role("button", name=f"Show task {task_id}").click()
    expect(page.get_by_role("heading", name="An account and its tasks")).to_be_focused()
    page.get_by_label("Task (all when empty)").fill(others_task)
    page.get_by_role("button", name="Search").click()
    expect(shown).to_have_text(other.account_id)
    page.get_by_label("Task (all when empty)").fill("00000000-0000-4000-8000-000000000000")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_contain_text("no such task, or no longer")
    search(page, account.account_id, others_task)
    expect(page.get_by_role("status")).to_have_text(f"The task is of another account: {other.account_id}.")
    expect(shown).to_have_text(other.account_id)


def test_a_task_that_ended_before_it_was_cancelled_is_not_called_cancelled(
    page: Page, demo: Demo, account: Account
) -> None:
    task_id = demo.finished(account, "Write a menu.")
    connect(page, demo)
    page.route("**/tasks/?*", lambda route: route.fulfill(json=still_running(route.fetch().json())))
    search(page, account.account_id)
    page.get_by_role("button", name=f"Cancel task {task_id}").click()
    page.get_by_role("button", name=f"Really: Cancel task {task_id}?").click()
    expect(page.get_by_role("status")).to_have_text(f"Task {task_id} had ended before: completed.")


def still_running(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer of a second ago, as a page that was not refreshed since still shows it."""
    return answer | {"tasks": [task | {"status": "processing"} for task in answer["tasks"]]}


def test_the_oldest_unfinished_tasks_lead_to_their_accounts_and_end_before_the_operator_s_eyes(
    page: Page, demo: Demo, account: Account
) -> None:
    page.clock.install()
    task_id = demo.submit(account, SLOW)
    connect(page, demo)
    oldest = page.get_by_role("region", name="Oldest unfinished tasks").locator("tbody tr", has_text=task_id)
    expect(oldest).to_contain_text(account.account_id)
    expect(oldest).to_contain_text("running")
    page.get_by_role("button", name=f"Show task {task_id}").click()
    expect(page.get_by_role("heading", name="An account and its tasks")).to_be_focused()
    tasks = page.get_by_role("region", name="Tasks", exact=True).locator("tbody tr")
    expect(tasks).to_have_count(1)
    expect(tasks).to_contain_text("processing")
    page.get_by_label("Task (all when empty)").fill("the next that is searched")
    demo.cancel(account, task_id)
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    expect(tasks).to_contain_text("cancelled")
    expect(oldest).to_have_count(0)


def test_everything_can_be_done_with_the_keyboard_alone(page: Page, demo: Demo, account: Account) -> None:
    """A confirmation stays where it is while the page is refreshed; afterwards the focus is on the table."""
    page.clock.install()
    task_id = demo.submit(account, SLOW)
    page.goto(f"{demo.url.rstrip('/')}/operate/")
    page.get_by_role("textbox", name="Admin key").focus()
    page.keyboard.type(demo.admin_key())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The whole service")).to_be_focused()
    tab_to(page, "#account-id")
    page.keyboard.type(account.account_id)
    page.keyboard.press("Enter")
    cancel = f"Cancel task {task_id}"
    expect(page.get_by_role("button", name=cancel)).to_be_visible()
    tab_to(page, f"[aria-label='{cancel}']")
    for _ in range(3):
        page.keyboard.down("Enter")  # it is held
    page.keyboard.up("Enter")
    really = page.get_by_role("button", name=f"Really: {cancel}?")
    demo.grant(account.account_id, 5)
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    expect(page.locator("#balance")).to_contain_text("1,000,005")
    expect(really).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(f"Task {task_id} is cancelled.")
    expect(page.get_by_role("region", name="Tasks", exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Grant", exact=True)).to_be_focused()


def tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no tab stop at {selector}")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_account_id_of_any_characters_is_shown_as_it_is(page: Page, demo: Demo, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    account_id = f"Müller/Söhne & Co.? #%41 <b>{width}</b> ".ljust(255, "ä")
    task_id = demo.submit(demo.account_called(account_id), SLOW)
    connect(page, demo)
    search(page, account_id, task_id)
    expect(page.locator("#balance dd").first).to_have_text(account_id)
    page.get_by_label("Tokens (negative takes back)").fill("-5")
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(f"5 tokens are taken back from {account_id}.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    oldest = page.get_by_role("region", name="Oldest unfinished tasks")
    name = oldest.locator("tr", has_text=task_id).locator("span")
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth"), "it is whole without a mouse"
    assert width == 390 or oldest.evaluate("place => place.scrollWidth <= place.clientWidth"), "its button is in sight"
    page.get_by_role("button", name=f"Cancel task {task_id}").click()
    page.get_by_role("button", name=f"Really: Cancel task {task_id}?").click()
    expect(page.get_by_role("status")).to_have_text(f"Task {task_id} is cancelled.")


def test_wrong_input_is_refused_in_words_and_changes_nothing(page: Page, demo: Demo, account: Account) -> None:
    page.goto(f"{demo.url.rstrip('/')}/operate/")
    said = page.get_by_role("status")
    for key, words in (("   ", "no admin key"), ("pä_€", "no admin key"), (account.api_key, "Send an admin key")):
        page.get_by_role("textbox", name="Admin key").fill(key)
        page.get_by_role("button", name="Connect").click()
        expect(said).to_contain_text(words)
    connect(page, demo)
    for account_id, words in (("  ", "Write the id"), ("..", "No browser"), ("nobody", "no account with this id")):
        page.get_by_role("textbox", name="Account").fill(account_id)
        page.get_by_role("button", name="Search").click()
        expect(said).to_contain_text(words)
        expect(page.get_by_role("heading", name="Grant tokens")).to_be_hidden()
    search(page, account.account_id, "00000000-0000-4000-8000-000000000000")
    expect(said).to_contain_text("no such task")
    for tokens, words in (("0", "other than 0"), ("1e99", "less than or equal"), ("-9e9", "cannot be taken back")):
        page.get_by_label("Tokens (negative takes back)").fill(tokens)
        page.get_by_role("button", name="Grant", exact=True).click()
        expect(said).to_contain_text(words)
    expect(page.locator("#balance")).to_contain_text("Tokens remaining1,000,000", ignore_case=True)


def test_a_key_that_is_revoked_meanwhile_is_asked_for_again(page: Page, demo: Demo, account: Account) -> None:
    page.clock.install()
    key = connect(page, demo)
    search(page, account.account_id)
    demo.revoke_admin_key(key)
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    expect(page.get_by_role("textbox", name="Admin key")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("has been revoked")
    expect(page.get_by_role("heading", name="The whole service")).to_be_hidden()


def test_a_server_that_is_away_is_said_until_it_is_back(page: Page, demo: Demo) -> None:
    page.clock.install()
    connect(page, demo)
    page.route("**/overview/", lambda route: route.abort())
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    said = page.get_by_role("status")
    expect(said).to_have_text("The server does not answer.")
    page.unroute("**/overview/")
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    expect(said).to_have_text("")


def away(route: Route) -> None:
    """Answer as the server does while Redis does not."""
    route.fulfill(status=503, json={"success": False, "error": "Redis is away.", "error_code": "storage_unavailable"})


def test_while_redis_is_away_the_page_waits_for_it_and_marks_what_is_old(page: Page, demo: Demo) -> None:
    page.clock.install()
    page.route("**/api/v1/admin/**", away)
    page.goto(f"{demo.url.rstrip('/')}/operate/")
    page.get_by_role("textbox", name="Admin key").fill(demo.admin_key())
    page.get_by_role("button", name="Connect").click()
    said = page.get_by_role("status")
    expect(said).to_contain_text("The key cannot be checked now, and is tried again: Redis is away.")
    page.unroute("**/api/v1/admin/**")
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    expect(page.get_by_role("heading", name="The whole service")).to_be_focused()
    expect(said).to_have_text("")
    old = ", not refreshed since"
    service, failed, process = (page.locator(f"#{part}-as-of") for part in ("service", "failed", "process"))
    for part in (service, failed, process):
        expect(part).to_have_text(re.compile(r"^As of \d\d:\d\d:\d\d$"))

    page.route("**/api/v1/admin/**", away)
    page.route("**/metrics", lambda route: route.fulfill(body="prompt_http_connections 4321\n"))
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    expect(page.locator("#figures")).to_contain_text("4,321 of")
    for part in (service, failed):
        expect(part).to_contain_text(old)
    expect(process).not_to_contain_text(old)
    expect(said).to_contain_text("Redis is away.")
    page.unroute("**/api/v1/admin/**")
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    expect(said).to_have_text("")
    for part in (service, failed):
        expect(part).not_to_contain_text(old)


def test_redis_errors_stand_out_while_there_are_new_ones(page: Page, demo: Demo) -> None:
    page.clock.install()
    sample = "process_start_time_seconds {}\nprompt_redis_errors_total {}\n"
    counted = [5, 3]
    page.route("**/metrics", lambda route: route.fulfill(body=sample.format(*counted)))
    connect(page, demo)
    figure = page.locator("#figures div", has_text="Redis errors")
    expect(figure.locator("dd")).to_have_text("3")
    expect(figure).not_to_have_attribute("data-state", "bad")
    for now, told in (([5, 5], "5, 2 new"), ([5, 5], "5"), ([6, 7], "7")):
        counted[:] = now
        page.clock.fast_forward(REFRESHED_AFTER_MS)
        expect(figure.locator("dd")).to_have_text(told)
        assert (figure.get_attribute("data-state") == "bad") == ("new" in told)


def test_one_refresh_runs_at_a_time(page: Page, demo: Demo) -> None:
    page.clock.install()
    connect(page, demo)
    asked: list[bool] = []
    held: list[Route] = []
    page.on("request", lambda request: asked.append(request.url.endswith("/overview/")))
    page.route("**/overview/", lambda route: held.append(route), times=1)
    for _ in range(3):
        page.clock.fast_forward(REFRESHED_AFTER_MS)
        page.evaluate("fetch('../health/live').then(({ status }) => status)")  # what was sent before is seen before
    assert sum(asked) == 1
    held[0].continue_()
    while sum(asked) == 1:
        page.clock.fast_forward(REFRESHED_AFTER_MS)


def held_back(page: Page, path: str) -> list[Route]:
    """Hold the next request for this path; it is in the list once it was sent."""
    held: list[Route] = []
    page.route(path, lambda route: held.append(route), times=1)
    return held


def wait_for(page: Page, held: list[Route]) -> Route:
    while not held:
        page.wait_for_timeout(10)
    return held[0]


def test_an_answer_that_comes_late_is_of_the_account_that_was_asked_about(
    page: Page, demo: Demo, account: Account
) -> None:
    other = demo.account()
    task_id, others_task = demo.submit(account, SLOW), demo.submit(other, SLOW)
    connect(page, demo)
    search(page, account.account_id)
    shown = page.locator("#balance dd").first
    granting = held_back(page, "**/grants/")
    page.get_by_label("Tokens (negative takes back)").fill("1234")
    page.get_by_role("button", name="Grant", exact=True).click()
    wait_for(page, granting)
    page.get_by_role("button", name=f"Show task {others_task}").click()
    expect(shown).to_have_text(other.account_id)
    expect(page.get_by_label("Tokens (negative takes back)")).to_have_value("")
    granting[0].continue_()
    expect(page.get_by_role("status")).to_have_text(f"1,234 tokens are granted to {account.account_id}.")
    expect(shown).to_have_text(other.account_id)

    path = f"**/admin/tasks/{task_id}/"
    others_account = f"**/accounts/{other.account_id}/"
    page.route(others_account, away)
    page.get_by_label("Tokens (negative takes back)").fill("5")
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(
        f"5 tokens are granted to {other.account_id}. It cannot be shown now: Redis is away."
    )
    page.unroute(others_account)

    finding = held_back(page, path)
    page.get_by_role("textbox", name="Account").fill("")
    page.get_by_label("Task (all when empty)").fill(task_id)
    page.get_by_role("button", name="Search").click()
    wait_for(page, finding)
    page.get_by_role("button", name=f"Show task {others_task}").click()
    expect(shown).to_have_text(other.account_id)
    with page.expect_response(path):
        finding[0].continue_()
    expect(page.get_by_role("button", name="Search")).to_be_enabled()  # the late answer was passed over
    expect(shown).to_have_text(other.account_id)
    expect(page.get_by_role("button", name=f"Cancel task {others_task}")).to_be_visible()


def test_a_late_answer_never_takes_the_place_of_a_newer_one(page: Page, demo: Demo, account: Account) -> None:
    page.clock.install()
    demo.submit(account, SLOW)
    connect(page, demo)
    search(page, account.account_id)
    late: list[tuple[Route, APIResponse]] = []
    path = f"**/accounts/{account.account_id}/"
    page.route(path, lambda route: late.append((route, route.fetch())), times=1)
    with page.expect_request(path):
        page.clock.fast_forward(REFRESHED_AFTER_MS)
    while not late:
        page.wait_for_timeout(10)
    page.get_by_label("Tokens (negative takes back)").fill("1234")
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.locator("#balance")).to_contain_text("1,001,234")
    [(route, response)] = late
    with page.expect_response(path):
        route.fulfill(response=response)
    page.evaluate("fetch('../health/live').then(({ status }) => status)")  # the late answer was taken, or passed over
    assert "1,001,234" in page.locator("#balance").inner_text()

    keys = held_back(page, "**/keys/?*")
    page.get_by_role("button", name="Revoke key").click()
    page.get_by_role("button", name="Really: Revoke key").click()
    wait_for(page, keys)
    demo.grant(account.account_id, 1)
    page.clock.fast_forward(REFRESHED_AFTER_MS)
    expect(page.locator("#balance")).to_contain_text("1,001,235")
    keys[0].continue_()
    expect(page.get_by_role("region", name="API keys")).to_contain_text("revoked")


def test_a_webhook_that_its_backend_refused_is_sent_again(
    page: Page, demo: Demo, account: Account, backend: Backend
) -> None:
    backend.closed.add(account.account_id)
    task_id = demo.finished(account, "Write a menu.")
    connect(page, demo)
    search(page, account.account_id)
    delivery = page.get_by_role("region", name="Deliveries").locator("tbody tr")
    again = page.get_by_role("button", name=f"Send again: delivery {task_id}")
    expect(delivery.locator("td")).to_contain_text(["", "task.completed", "failed", "1", "410", "", "Send", task_id])

    backend.closed.clear()
    again.click()
    expect(page.get_by_role("status")).to_contain_text(f"Delivery {task_id} is sent again.")
    expect(again).to_be_focused()
    expect(delivery.locator("td")).to_contain_text(["", "task.completed", "delivered", "1", "204", "", "Send", task_id])


def test_webhooks_that_fail_are_listed_for_all_accounts_and_sent_again_from_there(
    page: Page, demo: Demo, account: Account, backend: Backend
) -> None:
    backend.closed.add(account.account_id)
    ids = [demo.finished(account, f"Write menu {number}.") for number in range(2)]
    page.clock.install()
    page.route("**/failed-deliveries/", lambda route: route.continue_(url=route.request.url + "?limit=1"))
    connect(page, demo)
    failed = page.get_by_role("region", name="Failed webhooks").locator("tbody tr")
    expect(failed).to_have_count(1)
    expect(failed.locator("td")).to_contain_text(
        ["", account.account_id, "task.completed", "1", "410", "no more", "Send", ids[1]]
    )
    older = held_back(page, "**/failed-deliveries/?before=*")
    page.get_by_role("button", name="Older failures").click()
    wait_for(page, older)
    with page.expect_response("**/overview/"):
        page.clock.fast_forward(REFRESHED_AFTER_MS)
    older[0].continue_()
    expect(failed.nth(1)).to_contain_text(ids[0])

    backend.closed.clear()
    for task_id in ids[::-1]:
        page.get_by_role("button", name=f"Send again: failed delivery {task_id}").click()
        expect(page.get_by_role("status")).to_contain_text(f"Delivery {task_id} is sent again.")
    expect(page.get_by_role("button", name=re.compile("failed delivery"))).to_have_count(0)


def test_older_deliveries_are_shown_when_they_are_asked_for(page: Page, demo: Demo, account: Account) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/deliveries/", lambda route: route.continue_(url=route.request.url + "?limit=1"))
    ids = [demo.finished(account, f"Write menu {number}.") for number in range(2)]
    connect(page, demo)
    search(page, account.account_id)
    deliveries = page.get_by_role("region", name="Deliveries").locator("tbody tr")
    expect(deliveries).to_have_count(1)
    expect(deliveries).to_contain_text(ids[1])
    older = held_back(page, "**/deliveries/?before=*")
    page.get_by_role("button", name="Older deliveries").click()
    wait_for(page, older)
    page.get_by_role("button", name=f"Send again: delivery {ids[1]}").click()
    expect(page.get_by_role("status")).to_have_text(f"Delivery {ids[1]} is sent again.")
    older[0].continue_()
    expect(page.get_by_role("status")).to_contain_text("were read anew meanwhile")
    expect(deliveries).to_have_count(1)
    page.get_by_role("button", name="Older deliveries").click()
    expect(deliveries).to_have_count(2)
    expect(deliveries.last).to_contain_text(ids[0])
    expect(page.get_by_role("button", name="Older deliveries")).to_be_hidden()


def test_it_shows_what_runs_and_refuses_a_wrong_key_in_the_server_s_words(
    page: Page, demo: Demo, account: Account
) -> None:
    page.goto(f"{demo.url.rstrip('/')}/operate/")
    page.get_by_role("textbox", name="Admin key").fill("pa_" + "x" * 43)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("status")).to_contain_text("request")
    expect(page.get_by_role("heading", name="The process that answers")).to_be_hidden()
    demo.submit(account, SLOW)
    connect(page, demo)
    expect(page.locator("#service")).to_contain_text("Oldest unfinished task")
    expect(page.locator("#service")).to_contain_text("s old")
    expect(page.locator("#processes tr")).to_have_count(1)
    expect(page.locator("#figures")).to_contain_text("Tasks running")
    expect(page.locator("#figures")).to_contain_text("1 connected")


def test_the_last_hour_is_drawn_and_told_in_words(page: Page, demo: Demo, account: Account) -> None:
    demo.finished(account, "Write a menu.")
    connect(page, demo)
    plots = page.locator("#plots")
    expect(plots.locator("svg")).to_have_count(4)
    expect(plots).to_contain_text(re.compile(r"[1-9]\d* completed"))
    expect(plots).to_contain_text(re.compile(r"Slowest: [\d.]+ s at "))
    expect(plots.locator("figure").nth(2)).to_contain_text(re.compile(r"to [\d.]+ s: [1-9]"))
    expect(plots.locator("figure").nth(0).locator("rect.completed").last).to_be_visible()
    begins = plots.locator("figure").nth(0).locator("time").evaluate_all("all => all.map(({ dateTime }) => dateTime)")
    first, last = (datetime.fromisoformat(begin) for begin in begins)
    assert last - first == timedelta(minutes=59)


def test_times_are_the_readers_own(browser: Browser, demo: Demo, account: Account) -> None:
    with browser.new_context(locale="de-DE", timezone_id="Asia/Kathmandu") as context:
        page = context.new_page()
        connect(page, demo)
        started = page.locator("#processes time")
        moment = datetime.fromisoformat(str(started.get_attribute("datetime")))
        there = moment.astimezone(timezone(timedelta(hours=5, minutes=45)))
        expect(started).to_have_text(f"{there:%d.%m.%Y, %H:%M:%S}")
        search(page, account.account_id)
        expect(page.locator("#balance")).to_contain_text("1.000.000")


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_a_telephone_and_a_desk_and_axe_has_nothing_to_say(
    page: Page, demo: Demo, account: Account, node_modules: Path, tmp_path: Path, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{demo.url.rstrip('/')}/operate/")
    assert violations(page, node_modules) == []
    heights = "[...document.querySelectorAll('#key-form input, #key-form button')].map((part) => part.offsetHeight)"
    assert len(set(page.evaluate(heights))) == 1  # a field is as high as the button beside it
    demo.finished(account, "Write a menu.")
    demo.submit(account, SLOW)
    connect(page, demo)
    search(page, account.account_id)
    page.screenshot(path=tmp_path / f"operate-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(color_scheme="dark")
    assert violations(page, node_modules, "color-contrast") == []
    page.emulate_media(color_scheme="light")
    expect(page.locator("#processes").locator("xpath=../../following-sibling::p[1]")).to_be_visible(visible=width < 600)
    assert violations(page, node_modules) == []
