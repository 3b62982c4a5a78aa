"""Every example of docs/frontend.md is a file of tests/web/examples, and each of them runs against the real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.applications import open_application
from tests.web.demo import Account, Demo
from tests.web.project import EXAMPLES, Project

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(?:<!-- (?P<path>\S+) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)```", re.DOTALL)
BAKERY = "Answer questions about Bakery Sonne. Open 7-18. Call +49 30 1234567."
# Its first word comes at once, its last after a minute: long enough to be met running on the slowest machine.
LONG = f"{BAKERY} [[standin:delay=0.3,tokens_per_second=2]]"


def run(project: Project, demo: Demo, token: str, code: str) -> Any:
    """Run a module beside the examples; return the arguments of its ``print`` calls."""
    program = f"const print = (value) => console.log(JSON.stringify(value));\n{code}"
    done = subprocess.run(
        [project.node, "--input-type=module", "--eval", program],
        cwd=project.folder / "examples",
        env=os.environ | {"SERVER": demo.url, "TOKEN": token},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_page_shows_the_files_that_run() -> None:
    shown = set()
    for block in BLOCK.finditer((ROOT / "docs" / "frontend.md").read_text("utf-8")):
        if block["language"] == "sh":
            continue  # test_own_page.py runs them
        assert block["path"], f"an example that no test runs:\n{block['code']}"
        assert (ROOT / block["path"]).read_text("utf-8") == block["code"], block["path"]
        shown.add(Path(block["path"]).name)
    assert {path.name for path in EXAMPLES.iterdir()} - shown == {"settings.js", "tsconfig.json", "typed-react.tsx"}


@pytest.mark.parametrize("module", ["synchronous.js", "asynchronous.js"])
def test_migrating(project: Project, demo: Demo, account: Account, module: str) -> None:
    code = f"""
    import {{ improve }} from './{module}';
    const progress = [];
    const prompt = await improve({json.dumps(BAKERY)}, {{ onProgress: (now) => progress.push(now.progress) }});
    print({{ prompt, progress }});
    """
    answer = run(project, demo, account.api_key, code)
    assert "+49 30 1234567" in answer["prompt"]
    assert answer["progress"][-1:] == ([100] if module == "asynchronous.js" else [])


def test_callbacks(project: Project, demo: Demo, account: Account) -> None:
    code = f"""
    import {{ leave, start }} from './callbacks.js';
    const shown = await new Promise((resolve) => {{
      const lines = [];
      const show = (line) => lines.push(line) > 1 && line.includes('Sonne') && resolve(lines);
      start({json.dumps(BAKERY)}, {{ show }});
    }});
    leave();
    print(shown);
    """
    lines = run(project, demo, account.api_key, code)
    assert "100%: Prompt generated successfully" in lines
    assert "+49 30 1234567" in lines[-1]


def test_a_generation_that_a_backend_started_is_watched(project: Project, demo: Demo, account: Account) -> None:
    code = f"""
    import {{ startForPage, watch }} from './watching.js';
    const started = await startForPage({json.dumps(BAKERY)}, 'form-1');
    const again = await startForPage({json.dumps(BAKERY)}, 'form-1');
    const {{ prompt }} = await watch(started);
    const foreign = await watch({{ ...started, taskId: crypto.randomUUID() }}).then(() => '', (error) => error.code);
    print({{ prompt, token: started.watchToken.slice(0, 3), same: again.taskId === started.taskId, foreign }});
    """
    answer = run(project, demo, account.api_key, code)
    assert "+49 30 1234567" in answer.pop("prompt")
    assert answer == {"token": "pw_", "same": True, "foreign": "task_not_found"}


def test_recipes_for_other_libraries(project: Project, demo: Demo, account: Account) -> None:
    """As TanStack Query and the AI SDK call them."""
    asked, nothing = json.dumps(json.dumps({"prompt": BAKERY})), json.dumps(json.dumps({"prompt": " "}))
    code = f"""
    import {{ PromptGeneratorAPI }} from 'prompt-generation-client';
    import {{ completionFetch }} from './completion.js';
    import {{ generating, generation }} from './query.js';
    import {{ apiBaseUrl, getToken }} from './settings.js';
    const prompts = new PromptGeneratorAPI(apiBaseUrl, getToken);
    const made = await generating(prompts).mutationFn({json.dumps(BAKERY)});
    const {{ signal }} = new AbortController();
    const shown = await generation(prompts, made.taskId).queryFn({{ signal }});
    let result;
    const answer = await completionFetch(prompts, (whole) => (result = whole))('', {{ body: {asked}, signal }});
    const grown = await answer.text();
    const empty = await completionFetch(prompts)('', {{ body: {nothing}, signal }});
    const refused = await empty.text().catch(({{ code }}) => code);
    print({{ same: made.prompt === shown.prompt, grown: grown.trim() === result.prompt.trim(), refused }});
    """
    assert run(project, demo, account.api_key, code) == {
        "same": True,
        "grown": True,
        "refused": "manual_prompt_required",
    }


def test_error_handling(project: Project, demo: Demo, account: Account) -> None:
    poor, lapsed = demo.account(tokens=250), demo.account(subscription_days=0)
    code = f"""
    import {{ advice, generateStubbornly }} from './errors.js';
    const failing = (text, token, options) => generateStubbornly(text, token, options).then(() => 'no error', advice);
    print([
      await failing('A bakery.', {json.dumps(poor.api_key)}),
      await failing('A bakery.', {json.dumps(lapsed.api_key)}),
      await failing('A bakery.', 'wrong'),
      await failing(' '),
      (await generateStubbornly('A bakery. [[standin:delay=1]]', undefined, {{ timeoutMs: 400 }})).generatedByAI,
    ]);
    """
    assert run(project, demo, account.api_key, code) == [
        ["450 tokens are missing.", "Buy tokens"],
        ["Your subscription has ended.", "Upgrade"],
        ["Please sign in again.", "Sign in"],
        ["Write a prompt first.", None],
        True,
    ]


@pytest.mark.browser
def test_plain_javascript(page: Page, demo: Demo, account: Account) -> None:
    open_application(page, EXAMPLES, "plain.html", demo.url, account.api_key)
    page.get_by_label("Your prompt").fill(LONG)
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", re.compile(r"^[789]\d"))
    expect(page.get_by_label("Your prompt")).not_to_be_editable()
    page.reload()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", re.compile(r"^[789]\d"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#status")).to_contain_text("You cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.get_by_label("Your prompt").fill(BAKERY)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#status")).to_have_text("Prompt generated successfully")
    expect(page.locator("#result")).to_contain_text("+49 30 1234567")


@pytest.mark.browser
def test_the_react_component(page: Page, apps: Path, demo: Demo) -> None:
    account = demo.account(tokens=250)
    open_application(page, apps, "examples.html", demo.url, account.api_key, fragment="#component")
    page.get_by_label("Your prompt").fill(BAKERY)
    page.get_by_role("button", name="Generate AI Prompt").click()
    page.get_by_role("button", name="Purchase more tokens").click()
    assert page.evaluate("window.told") == ["/tokens"]
    demo.grant(account.account_id, 5_000)
    with page.expect_console_message(lambda message: "tokens used" in message.text):
        page.get_by_role("button", name="Try again").click()


@pytest.mark.browser
def test_the_react_hook(page: Page, apps: Path, demo: Demo, account: Account) -> None:
    open_application(page, apps, "examples.html", demo.url, account.api_key, fragment="#hook")
    page.get_by_label("Draft").fill(LONG)
    page.get_by_role("button", name="Improve").click()
    expect(page.get_by_role("progressbar", name="Waiting for AI response...")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("You cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.get_by_label("Draft").fill(BAKERY)
    page.get_by_role("button", name="Improve").click()
    expect(page.locator("output")).to_contain_text("+49 30 1234567")


@pytest.mark.browser
def test_react_native(page: Page, apps: Path, demo: Demo, account: Account) -> None:
    open_application(page, apps, "examples.html", demo.url, account.api_key, fragment="#native")
    page.get_by_label("Draft").fill(LONG)
    page.get_by_role("button", name="Improve").click()
    expect(page.locator("body")).to_contain_text("70% Waiting for AI response...")
    page.evaluate("window.becomes('background')")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1_500)  # longer than a poll's interval: the absence of polls cannot be waited for
    assert asked == []
    with page.expect_request("**/status/**"):  # there are no streams, so it polls
        page.evaluate("window.becomes('active')")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("body")).to_contain_text("You cancelled")
    page.get_by_label("Draft").fill(BAKERY)
    page.get_by_role("button", name="Improve").click()
    expect(page.locator("body")).to_contain_text("+49 30 1234567")
