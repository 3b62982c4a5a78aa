"""Every listing of the contract's document, as it stands there, against the real server."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Page, Request, Route, expect

from tests.web.applications import open_application
from tests.web.demo import Account, Demo
from tests.web.project import Project
from tests.web.seed_document import listing, plain_script, react_files

pytestmark = pytest.mark.browser

BAKERY = "Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567."
LONG = f"{BAKERY} [[standin:delay=0.3,tokens_per_second=2]]"
API = "/api/v1/web-knowledge"
STATUS = "**/generate-prompt-async/status/**"


@pytest.fixture(scope="module")
def seed_react(project: Project) -> Path:
    return project.build_files("seed-react", react_files())


@pytest.fixture(scope="module")
def seed_panel(project: Project) -> Path:
    return project.build_files("seed-panel", react_files())


@pytest.fixture(scope="module")
def seed_mobile(project: Project) -> Path:
    return project.build_files("seed-mobile", react_files())


def generate(page: Page, manual_prompt: str) -> None:
    page.get_by_role("textbox").fill(manual_prompt)
    page.get_by_role("button", name="Generate AI Prompt").click()


def ask_for_another_task(route: Route) -> None:
    """What an expired task is to the server: an id that it does not know."""
    before, _, _ = route.request.url.rpartition("/status/")
    route.continue_(url=f"{before}/status/{uuid.uuid4()}/")


def ask_with_a_revoked_key(route: Route) -> None:
    route.continue_(headers=route.request.headers | {"authorization": "Bearer pg_revoked"})


LOST = pytest.mark.parametrize(
    ("fault", "sentence"),
    [(ask_for_another_task, "unknown or has expired"), (ask_with_a_revoked_key, "API key")],
    ids=["404", "401"],
)


@contextmanager
def too_many_polls(demo: Demo, account: Account) -> Iterator[None]:
    """Poll for the account, from elsewhere, more often than it may."""
    stop = threading.Event()
    url = f"{demo.url}{API}/generate-prompt-async/status/{uuid.uuid4()}/"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {account.api_key}"})

    def poll() -> None:
        while not stop.is_set():
            with suppress(urllib.error.HTTPError):
                urllib.request.urlopen(request).close()

    threads = [threading.Thread(target=poll) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# The React component, its CSS, its error panel


def _box(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box


def test_the_react_component_shows_progress_and_the_prompt(
    page: Page, seed_react: Path, demo: Demo, account: Account
) -> None:
    open_application(page, seed_react, "seed-react.html", demo.url, account.api_key)
    generate(page, f"{BAKERY} [[standin:delay=4]]")
    expect(page.get_by_role("button", name="Generating...")).to_be_disabled()
    expect(page.locator(".progress-text")).to_contain_text("70%")
    fill, bar = (_box(page, name) for name in (".progress-fill", ".progress-bar"))
    assert bar["height"] == 8
    assert 0 < fill["width"] <= 0.71 * bar["width"]
    expect(page.locator("pre")).to_contain_text("+49 30 1234567")
    expect(page.locator(".error-message")).to_have_count(0)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Copy to Clipboard").click()
    assert "+49 30 1234567" in page.evaluate("navigator.clipboard.readText()")


@LOST
def test_the_react_component_ends_when_polling_cannot_help(
    page: Page, seed_react: Path, demo: Demo, account: Account, fault: Any, sentence: str
) -> None:
    open_application(page, seed_react, "seed-react.html", demo.url, account.api_key)
    generate(page, LONG)
    expect(page.locator(".progress-text")).to_contain_text("70%")
    page.route(STATUS, fault)
    expect(page.locator(".error-message")).to_contain_text(sentence)
    expect(page.get_by_role("textbox")).to_be_editable()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.wait_for_timeout(2_500)  # longer than two of its intervals: the absence of polls cannot be waited for
    assert asked == []


def test_the_react_component_polls_on_when_it_was_too_often(
    page: Page, seed_react: Path, demo: Demo, account: Account
) -> None:
    open_application(page, seed_react, "seed-react.html", demo.url, account.api_key)
    page.evaluate(
        "window.seen = []; new MutationObserver(() => {"
        " const text = document.querySelector('.progress-text')?.textContent; if (text) seen.push(parseInt(text)); })"
        ".observe(document.body, {subtree: true, childList: true, characterData: true})"
    )
    generate(page, f"{BAKERY} [[standin:delay=12]]")
    expect(page.locator(".progress-text")).to_contain_text("70%")
    with too_many_polls(demo, account), page.expect_response(lambda response: response.status == 429):
        pass
    expect(page.locator("pre")).to_contain_text("+49 30 1234567")
    seen = page.evaluate("window.seen")
    assert seen == sorted(seen), "the bar never falls"


@pytest.mark.parametrize(
    ("tokens", "days", "button", "pressed"),
    [(250, 30, "Purchase More Tokens", "purchase"), (5_000, 0, "Upgrade Subscription", "upgrade")],
)
def test_the_error_panel_finds_its_words(
    page: Page, seed_panel: Path, demo: Demo, tokens: int, days: int, button: str, pressed: str
) -> None:
    account = demo.account(tokens=tokens, subscription_days=days)
    open_application(page, seed_panel, "seed-panel.html", demo.url, account.api_key)
    generate(page, BAKERY)
    expect(page.locator(".error-content h4")).to_have_text("Generation Failed")
    page.get_by_role("button", name=button).click()
    assert page.evaluate("window.pressed") == pressed
    with page.expect_request(lambda request: request.method == "POST"):
        page.get_by_role("button", name="Try Again").click()


def test_the_error_panel_offers_nothing_that_does_not_help(
    page: Page, seed_panel: Path, demo: Demo, account: Account
) -> None:
    open_application(page, seed_panel, "seed-panel.html", demo.url, account.api_key)
    generate(page, LONG)
    expect(page.locator(".progress-text")).to_contain_text("70%")
    page.route(STATUS, ask_with_a_revoked_key)
    expect(page.locator(".error-content")).to_contain_text("API key")
    expect(page.locator(".error-content button")).to_have_text(["Try Again"])


# React Native


def test_the_react_native_part_pauses_resumes_and_ends(
    page: Page, seed_mobile: Path, demo: Demo, account: Account
) -> None:
    open_application(page, seed_mobile, "seed-mobile.html", demo.url, account.api_key)
    generate(page, f"{BAKERY} [[standin:delay=3]]")
    expect(page.locator(".progress-text")).to_contain_text("70%")
    page.evaluate("becomes('background')")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.wait_for_timeout(1_500)  # longer than its interval
    assert asked == []
    page.evaluate("becomes('active')")
    expect(page.locator("pre")).to_contain_text("+49 30 1234567")


@LOST
def test_the_react_native_part_ends_when_the_task_is_gone_meanwhile(
    page: Page, seed_mobile: Path, demo: Demo, account: Account, fault: Any, sentence: str
) -> None:
    open_application(page, seed_mobile, "seed-mobile.html", demo.url, account.api_key)
    generate(page, LONG)
    expect(page.locator(".progress-text")).to_contain_text("70%")
    page.evaluate("becomes('background')")
    page.route(STATUS, fault)
    page.evaluate("becomes('active')")
    expect(page.locator(".error-message")).to_contain_text(sentence)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.wait_for_timeout(2_500)
    assert asked == []


# The class and its usage example


def run_plain(page: Page, demo: Demo, token: str, manual_prompt: str) -> None:
    """Run it in a tab of the server's origin, as a script of a page there."""
    page.goto(f"{demo.url}/health/live")
    page.evaluate(plain_script(f"{demo.url}{API}", token, manual_prompt) + "\nundefined;")


def told(page: Page, name: str) -> Any:
    page.wait_for_function(f"told.{name}.length > 0")
    return page.evaluate(f"told.{name}")


def test_the_class_reports_progress_and_the_prompt(page: Page, demo: Demo, account: Account) -> None:
    run_plain(page, demo, account.api_key, f"{BAKERY} [[standin:delay=2.5]]")
    assert "+49 30 1234567" in told(page, "prompts")[0]
    bars = page.evaluate("told.bars")
    assert (bars, bars[-1]) == (sorted(bars), 100)
    assert "Waiting for AI response..." in page.evaluate("told.messages")
    assert page.evaluate("told.errors") == []


@LOST
def test_the_class_ends_when_polling_cannot_help(
    page: Page, demo: Demo, account: Account, fault: Any, sentence: str
) -> None:
    run_plain(page, demo, account.api_key, LONG)
    told(page, "bars")
    page.route(STATUS, fault)
    [error] = told(page, "errors")
    assert sentence in error
    page.wait_for_timeout(2_500)
    assert page.evaluate("told.errors.length") == 1


def test_the_class_polls_on_when_it_was_too_often(page: Page, demo: Demo, account: Account) -> None:
    run_plain(page, demo, account.api_key, f"{BAKERY} [[standin:delay=5]]")
    told(page, "bars")
    with too_many_polls(demo, account), page.expect_response(lambda response: response.status == 429):
        pass
    assert "+49 30 1234567" in told(page, "prompts")[0]
    bars = page.evaluate("told.bars")
    assert bars == sorted(bars)


def test_the_class_tells_why_nothing_was_started(page: Page, demo: Demo, account: Account) -> None:
    run_plain(page, demo, "wrong", BAKERY)
    assert told(page, "errors") == ["Authentication required"]
    run_plain(page, demo, account.api_key, " ")
    assert told(page, "errors") == ["manual_prompt is required"]
    run_plain(page, demo, demo.account(tokens=250).api_key, BAKERY)
    assert told(page, "errors") == ["You need at least 700 tokens for prompt enhancement. Available: 250"]


# The retry and migration snippets: their addresses are short and they send no key, so a user's own fetch adds both

FETCH = """
const { fetch: browsers } = window;
const fetch = (path, init = {}) =>
  browsers(BASE + path, { ...init, headers: { ...init.headers, Authorization: 'Bearer KEY' } });
"""


def with_fetch(demo: Demo, account: Account, base: str, code: str) -> str:
    """Wrap a snippet into an async function whose fetch knows the address and the key."""
    glue = FETCH.replace("BASE", json.dumps(f"{demo.url}{API}{base}")).replace("KEY", account.api_key)
    return f"async (given) => {{ {glue}\n{code} }}"


def started(page: Page, demo: Demo, account: Account, manual_prompt: str) -> str:
    code = (
        "return (await (await fetch('/generate-prompt-async/',"
        " {method: 'POST', body: JSON.stringify({manual_prompt: given})})).json()).task_id"
    )
    return str(page.evaluate(with_fetch(demo, account, "", code), manual_prompt))


def test_the_retry_snippet(page: Page, demo: Demo, account: Account) -> None:
    page.goto(f"{demo.url}/health/live")
    task_id = started(page, demo, account, LONG)
    snippet = listing("javascript", "checkStatusWithRetry") + "\nreturn checkStatusWithRetry(given);"
    program = with_fetch(demo, account, "/generate-prompt-async", snippet)
    assert page.evaluate(program, task_id)["status"] in ("queued", "processing")
    gone = page.evaluate(program, str(uuid.uuid4()))
    assert (gone["status"], gone["progress"], gone["message"]) == ("failed", 100, "Task not found")
    failures: list[str] = []

    def fail_twice(route: Route) -> None:
        failures.append(route.request.url)
        if len(failures) <= 2:
            route.abort()
        else:
            route.continue_()

    page.route(STATUS, fail_twice)
    assert page.evaluate(program, task_id)["status"] == "processing"
    assert len(failures) == 3


def test_the_migration_snippets(page: Page, demo: Demo, account: Account) -> None:
    page.goto(f"{demo.url}/health/live")
    before = listing("javascript", "// Use data.prompt")
    assert "+49 30 1234567" in page.evaluate(
        with_fetch(demo, account, "", f"const text = given;\n{before}\nreturn data.prompt;"), BAKERY
    )
    after = listing("javascript", "// Use status.prompt")
    whole = after.replace("// Use status.prompt", "resolve(status.prompt);")
    code = f"const text = given;\nreturn new Promise(async (resolve) => {{ {whole} }});"
    assert "+49 30 1234567" in page.evaluate(with_fetch(demo, account, "", code), BAKERY)


def test_the_progress_markup(page: Page) -> None:
    page.set_content(f"<style>{listing('css', '.spinner')}</style>{listing('html', 'prompt-generation-loader')}")
    fill, bar = (_box(page, name) for name in (".progress-fill", ".progress-bar"))
    assert fill["width"] == pytest.approx(bar["width"] / 2)
