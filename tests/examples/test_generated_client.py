"""A Python client that openapi-python-client generates from a running server's /openapi.json, used against it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.processes import demo

GENERATOR = "openapi-python-client==0.29.1"
LEFT_OUT = ["GET /openapi-admin.yaml", "GET /openapi.yaml"]  # the generator reads JSON and text only
DRAFT = "Answer questions about our bakery. Call +49 30 1234567."

PROGRAM = """
import json, sys
from httpx import Timeout
from prompt_client import AuthenticatedClient
from prompt_client.api.account import show_account
from prompt_client.api.generations import cancel_generation, generate, list_generations, read_status, start_generation
from prompt_client.models import GenerateBody, Started, StartGenerationBody, UnderWay

def start(client, draft):
    started = start_generation.sync(client=client, body=StartGenerationBody(manual_prompt=draft))
    assert isinstance(started, Started), started
    return started.task_id

def ended(client, task_id):
    version = 0
    while isinstance(document := read_status.sync(task_id, client=client, wait=20, after=version), UnderWay):
        version = document.version
    return document

url, key, action, text = sys.argv[1:]
with AuthenticatedClient(base_url=url, token=key, timeout=Timeout(120)) as client:
    if action == "start":
        answers = [ended(client, start(client, text))]
    elif action == "cancel":
        task_id = start(client, text)
        answers = [read_status.sync(task_id, client=client), cancel_generation.sync(task_id, client=client)]
    elif action == "wait":
        answers = [generate.sync(client=client, body=GenerateBody(manual_prompt=text))]
    elif action == "read":
        answers = [read_status.sync(text, client=client)]
    elif action == "list":
        answers = list_generations.sync(client=client).tasks
    else:
        answers = [show_account.sync(client=client)]
print(json.dumps([[type(answer).__name__, answer.to_dict()] for answer in answers]))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not os.environ.keys() & {"CI", "BUILDS"}, reason="BUILDS=1 runs it: it installs a generator of clients"
    ),
]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with demo(tmp_path_factory.mktemp("generated") / "demo", gemini_delay_s=0.2) as process:
        yield process.start()


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a virtual environment with the generator and its clients' imports."""
    folder = tmp_path_factory.mktemp("generator") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=300)
    command = [str(folder / "bin" / "pip"), "install", "--retries", "1", GENERATOR]
    try:
        installed = subprocess.run(command, capture_output=True, text=True, timeout=400)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index is too slow")
    if installed.returncode and "after connection broken by" in installed.stderr:
        pytest.skip("the package index cannot be reached")
    assert installed.returncode == 0, installed.stderr[-4000:]
    return folder / "bin"


@pytest.fixture(scope="module")
def generation(tools: Path, facts: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return in_tools(
        tools, "openapi-python-client", "generate", "--url", f"{facts['url']}/openapi.json",
        "--meta", "none", "--output-path", tools.parent / "prompt_client",
    )  # fmt: skip


def in_tools(tools: Path, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "NO_PROXY": "*", "COLUMNS": "200"}
    return subprocess.run(
        [tools / program, *arguments],
        cwd=tools.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


Use = Callable[..., list[tuple[str, dict[str, Any]]]]


@pytest.fixture
def use(tools: Path, generation: subprocess.CompletedProcess[str], facts: dict[str, Any]) -> Use:
    """Let the client do something, in a program of its own; it returns each answer's class and content."""

    def used(action: str, text: str = "", key: str = facts["api_key"]) -> list[tuple[str, dict[str, Any]]]:
        done = in_tools(tools, "python", "-c", PROGRAM, facts["url"], key, action, text)
        assert done.returncode == 0, done.stderr[-4000:]
        return [(name, content) for name, content in json.loads(done.stdout)]

    return used


def test_the_generator_understands_every_operation_answer_and_schema(
    generation: subprocess.CompletedProcess[str],
) -> None:
    said = generation.stdout + generation.stderr
    assert generation.returncode == 0, said
    assert re.findall(r"WARNING parsing (.*) within", said) == LEFT_OUT
    assert "Unable to" not in said, said


def test_it_starts_a_generation_waits_for_its_end_and_reads_the_typed_result(use: Use) -> None:
    [(name, document)] = use("start", DRAFT)
    assert name == "CompletedByGemini"
    assert document["status"] == "completed"
    assert "+49 30 1234567" in document["prompt"]


def test_a_result_without_gemini_has_a_type_of_its_own_that_says_why(use: Use) -> None:
    [(name, document)] = use("start", f"{DRAFT} [[standin:fault=blocked_prompt]]")
    assert (name, document["fallback_reason"]) == ("CompletedByFallback", "ai_blocked")


def test_what_is_under_way_and_what_was_cancelled_have_types_of_their_own(use: Use) -> None:
    [under_way, cancelled] = use("cancel", f"{DRAFT} [[standin:delay=60]]")
    assert under_way[0] == "UnderWay"
    assert (cancelled[0], cancelled[1]["error_code"]) == ("Failed", "cancelled")


def test_it_waits_in_one_request_as_well(use: Use) -> None:
    [(name, result)] = use("wait", DRAFT)
    assert name == "GeneratedByGemini"
    assert "+49 30 1234567" in result["prompt"]


def test_it_reads_the_list_of_tasks_and_the_account(use: Use) -> None:
    use("wait", DRAFT)
    assert "CompletedByGemini" in [name for name, _ in use("list")]
    [(name, account)] = use("account")
    assert name == "Account"
    assert account["tokens_charged"] > 0


def test_a_refused_key_and_an_unknown_task_are_typed_errors(use: Use) -> None:
    nobodys = "00000000-0000-4000-8000-000000000000"
    [(name, refused)] = use("read", nobodys, key="not-a-key")
    assert (name, refused["error_code"]) == ("Unauthorized", "unauthorized")
    [(name, unknown)] = use("read", nobodys)
    assert (name, unknown["error_code"]) == ("TaskNotFound", "task_not_found")
