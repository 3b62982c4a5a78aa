"""The example in plain JavaScript: its backend holds the API key, its page watches with a token for one task."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.waiting import eventually
from tests.web.demo import Account, Demo
from tests.web.project import WEB, Project

EXAMPLE = WEB.parent / "examples" / "plain-javascript"
BAKERY = "Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567."


@pytest.fixture(scope="module")
def account(demo: Demo) -> Account:
    return demo.account()


@pytest.fixture(scope="module")
def url(project: Project, demo: Demo, account: Account) -> Iterator[str]:
    """Run the example's server as its first comment says, in a project that has installed the client."""
    folder = project.folder / "plain-javascript"
    shutil.copytree(EXAMPLE, folder)
    environment = os.environ | {"SERVER": demo.url, "API_KEY": account.api_key, "PORT": "0"}
    with subprocess.Popen([project.node, "server.js"], cwd=folder, env=environment, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip().rstrip("/")
        server.terminate()


def ask(url: str, method: str, path: str, body: str = "", token: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=180)
    try:
        connection.request(method, path, body.encode(), {"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_its_backend_submits_and_hands_on_a_token_for_one_task_and_no_key(url: str, account: Account) -> None:
    status, body = ask(url, "POST", "/generations", BAKERY)
    started = json.loads(body)
    assert status == 202
    assert account.api_key not in body
    path = f"/api/v1/web-knowledge/generate-prompt-async/status/{started['task_id']}/"

    def ended() -> bool:
        status, document = ask(url, "GET", f"{path}?wait=5", token=started["watch_token"])
        return status == 200 and json.loads(document)["status"] == "completed"

    assert eventually(ended, within_s=60)
    assert "+49 30 1234567" in ask(url, "GET", path, token=started["watch_token"])[1]
    assert ask(url, "GET", path, token="another")[0] == 401


def test_it_says_why_a_prompt_is_refused(url: str) -> None:
    status, body = ask(url, "POST", "/generations", " ")
    assert status == 400
    assert json.loads(body)["error"]


def test_it_serves_its_own_files_and_no_others(url: str) -> None:
    assert "importmap" in ask(url, "GET", "/")[1]
    for module in re.findall(r"from '\./([a-z-]+\.js)'", ask(url, "GET", "/modules/index.js")[1]):
        assert ask(url, "GET", f"/modules/{module}")[0] == 200, module
    for path in ("/server.js", "/package.json", "/modules/../server.js", "/..%2fserver.js"):
        assert ask(url, "GET", path)[0] == 404, path


@pytest.mark.browser
def test_its_page_shows_the_stages_and_the_prompt(page: Page, url: str) -> None:
    page.goto(f"{url}/")
    page.get_by_label("Your prompt").fill(f"{BAKERY} [[standin:delay=0.3,tokens_per_second=2]]")
    page.get_by_role("button", name="Improve").click()
    expect(page.get_by_role("button", name="Improve")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("Waiting for AI response...")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_contain_text("cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.get_by_label("Your prompt").fill(BAKERY)
    page.get_by_role("button", name="Improve").click()
    expect(page.locator("#result")).to_contain_text("+49 30 1234567")


@pytest.mark.browser
def test_its_page_sends_again_what_was_lost_and_it_is_paid_once(page: Page, url: str) -> None:
    started: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        answer = route.fetch()
        started.append(answer.json()["task_id"])
        route.fulfill(response=answer) if len(started) > 1 else route.abort()

    page.route("**/generations", lose_the_first_answer)
    page.goto(f"{url}/")
    page.get_by_label("Your prompt").fill(BAKERY)
    page.get_by_role("button", name="Improve").click()
    expect(page.get_by_role("status")).not_to_be_empty()
    for count in (2, 3):  # the answer comes; then, after the end, it is another generation
        page.get_by_role("button", name="Improve").click()
        expect(page.locator("#result")).to_contain_text("+49 30 1234567")
        expect(page.get_by_role("button", name="Cancel")).to_be_disabled()
        assert len(started) == count
    assert started[0] == started[1] != started[2]
