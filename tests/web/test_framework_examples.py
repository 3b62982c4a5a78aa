"""The examples for Next.js and React Native against the real server; ``test_builds.py`` builds them as applications."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.applications import open_application
from tests.web.demo import JWT_SECRET, Account, Demo
from tests.web.project import WEB, Project

EXAMPLES = WEB.parent / "examples"
BAKERY = "Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567."
LONG = f"{BAKERY} [[standin:delay=0.3,tokens_per_second=2]]"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>example</title></head>
<body><main id="root"></main><script type="module" src="./{name}-main.jsx"></script></body></html>"""
MAIN = """import {{ createRoot }} from 'react-dom/client';
{imports}
createRoot(document.getElementById('root')).render({element});"""
CLIENT = """import { PromptGeneratorAPI } from 'prompt-generation-client';
const client = new PromptGeneratorAPI('/api/v1/web-knowledge', () => localStorage.getItem('token'));
import { GeneratorScreen } from './generator-screen.jsx';"""


def built(project: Project, name: str, imports: str, element: str, component: Path) -> Path:
    """Build a page that shows one component of an example; return the folder with the result."""
    shutil.copy(component, project.folder)
    files = {f"{name}.html": PAGE.format(name=name), f"{name}-main.jsx": MAIN.format(imports=imports, element=element)}
    return project.build_files(name, files)


def signed_token(node: str, **variables: str) -> tuple[int, str]:
    """What Next.js would answer to GET /token: route handlers are functions of the web's own requests."""
    code = "const answer = (await import('./route.js')).GET(); console.log(answer.status, await answer.text())"
    folder = EXAMPLES / "nextjs" / "app" / "token"
    command = [node, "--input-type=module", "--eval", code]
    done = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    status, _, body = done.stdout.strip().partition(" ")
    return int(status), json.loads(body)["token"] if body else ""


def test_the_next_example_signs_a_token_for_the_signed_in_user(node: str, demo: Demo, account: Account) -> None:
    status, token = signed_token(node, JWT_SECRET=JWT_SECRET, ACCOUNT_ID=account.account_id)
    assert status == 200
    request = urllib.request.Request(f"{demo.url}/api/v1/account/", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=180) as answer:
        assert json.loads(answer.read())["account_id"] == account.account_id


def test_the_next_example_signs_nothing_for_others(node: str) -> None:
    assert signed_token(node, JWT_SECRET=JWT_SECRET, ACCOUNT_ID="") == (401, "")


@pytest.mark.browser
def test_the_next_examples_page_generates_with_such_a_token(
    page: Page, project: Project, node: str, demo: Demo, account: Account
) -> None:
    source = EXAMPLES / "nextjs" / "app" / "generator.tsx"
    folder = built(project, "next-page", "import { Generator } from './generator.tsx';", "<Generator />", source)
    _, token = signed_token(node, JWT_SECRET=JWT_SECRET, ACCOUNT_ID=account.account_id)
    asked: list[int] = []

    def answer_the_second(route: Route) -> None:
        asked.append(len(asked))
        route.fulfill(json={"token": token, "lasts_s": 300}) if len(asked) > 1 else route.fulfill(status=401)

    page.route("**/token", answer_the_second)
    page.route("**/sign-in", lambda route: route.fulfill(body="<h1>Sign in</h1>", content_type="text/html"))
    open_application(page, folder, "next-page.html", demo.url, "")
    page.get_by_label("Your prompt").fill(BAKERY)
    page.get_by_role("button", name="Generate AI Prompt").click()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading")).to_have_text("Sign in")
    page.go_back()
    page.get_by_role("button", name="Generate AI Prompt").click()
    expect(page.locator(".prompt-generator")).to_have_attribute("data-phase", "completed")
    expect(page.locator(".prompt-generator")).to_contain_text("+49 30 1234567")
    assert len(asked) == 2, "one token for all requests"


@pytest.mark.browser
def test_the_react_native_example_shows_stages_and_prompt_and_cancels(
    page: Page, project: Project, demo: Demo, account: Account
) -> None:
    source = EXAMPLES / "react-native" / "generator-screen.jsx"
    folder = built(project, "native-page", CLIENT, "<GeneratorScreen client={client} />", source)
    open_application(page, folder, "native-page.html", demo.url, account.api_key)
    page.get_by_label("Your prompt").fill(LONG)
    page.get_by_role("button", name="Improve").click()
    expect(page.locator("body")).to_contain_text("70% Waiting for AI response...")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("body")).to_contain_text("You cancelled")
    page.get_by_label("Your prompt").fill(BAKERY)
    page.get_by_role("button", name="Improve").click()
    expect(page.locator("body")).to_contain_text("+49 30 1234567")
