"""The API reference and what it is made from, over real HTTP."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft202012Validator

from tests.support.whole_server import BASE, Client

ROOT = Path(__file__).parents[2]
FACES = (
    *("/docs/", "/docs/admin/", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/llms.txt"),
    *("/openapi.json", "/openapi.yaml", "/openapi-admin.json", "/openapi-admin.yaml"),
)
PAGES = {  # with what leads to the server's root
    "/docs/": ("../", "openapi"),
    "/docs": ("./", "openapi"),
    "/docs/admin/": ("../../", "openapi-admin"),
    "/docs/admin": ("../", "openapi-admin"),
}


@pytest.mark.gen_test
@pytest.mark.parametrize("page", ["/docs/", "/docs/admin/"])
async def test_the_reference_allows_nothing_foreign_and_no_inline_script(client: Client, page: str) -> None:
    answer = await client.ask("GET", page, headers={"Authorization": ""})
    assert answer.status == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["img-src"] == "'self' data:"
    text = answer.body.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|https?://", text)


@pytest.mark.gen_test
@pytest.mark.parametrize("page", PAGES)
async def test_everything_the_reference_asks_for_is_there(client: Client, page: str) -> None:
    root, name = PAGES[page]
    text = (await client.ask("GET", page)).body.decode()
    asked = re.findall(r'(?:href|src|data-description)="([^"]+)"', text)
    assert {f"{root}docs/swagger-ui-bundle.js", f"{root}docs/start.js", f"{root}{name}.json"} <= set(asked)
    [here] = re.findall(r'href="([^"]+)" aria-current="page"', text)
    assert f"/{here.removeprefix(root)}".startswith(page.rstrip("/"))
    assert "{" not in text
    for path in asked:
        assert path.startswith(root)
        assert (await client.ask("GET", "/" + path.removeprefix(root))).status == 200, path


@pytest.mark.gen_test
@pytest.mark.parametrize("path", FACES)
async def test_head_answers_as_get_does(client: Client, path: str) -> None:
    head, get = await client.ask("HEAD", path), await client.ask("GET", path)
    assert (head.status, head.body, get.status) == (200, b"", 200)
    assert head.headers["Content-Length"] == get.headers["Content-Length"]  # compressed or not
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    again = await client.ask("GET", path, headers={"If-None-Match": get.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["openapi", "openapi-admin"])
async def test_json_and_yaml_describe_the_same_with_this_server_as_theirs(client: Client, name: str) -> None:
    as_json = await client.ask("GET", f"/{name}.json")
    as_yaml = await client.ask("GET", f"/{name}.yaml")
    assert as_json.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert as_yaml.headers["Content-Type"] == "application/yaml; charset=UTF-8"
    described = yaml.safe_load((ROOT / "docs" / f"{name}.yaml").read_text("utf-8")) | {"servers": [{"url": "/"}]}
    assert as_json.json == yaml.safe_load(as_yaml.body) == described


def validator_of(description: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema | {"components": description["components"]})


@pytest.mark.parametrize("name", ["openapi", "openapi-admin"])
def test_every_body_has_an_example_that_may_be_sent_as_it_is(name: str) -> None:
    """The reference fills it in; without one it draws something out of the schema's patterns and limits."""
    description = yaml.safe_load((ROOT / "docs" / f"{name}.yaml").read_text("utf-8"))
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    bodies = [operation["requestBody"] for operation in operations if "requestBody" in operation]
    shared = description["components"].get("requestBodies", {})
    for body in [shared[body["$ref"].split("/")[-1]] if "$ref" in body else body for body in bodies]:
        content = body["content"]["application/json"]
        validator_of(description, content["schema"]).validate(content["example"])


def read_stream(description: dict[str, Any], stream: str) -> list[str]:
    """Return the kinds of a stream's events, each held to its description and its data to the content's schema."""
    events = [dict(line.split(": ", 1) for line in block.splitlines()) for block in stream.strip().split("\n\n")]
    assert events.pop(0) == {"retry": "2000"}
    ref = description["paths"][f"{BASE}/generate-prompt-async/events/{{task_id}}/"]["get"]["responses"]["200"]
    described = ref["content"]["text/event-stream"]["x-itemSchema"]
    for event in events:
        validator_of(description, described).validate(event)
        data = description["components"]["schemas"][f"{event['event'].capitalize()}Event"]["properties"]["data"]
        validator_of(description, data.get("contentSchema", {})).validate(json.loads(event["data"]))
    return [event["event"] for event in events]


@pytest.mark.gen_test
async def test_every_event_of_a_stream_and_of_the_example_is_as_described(client: Client) -> None:
    description = (await client.ask("GET", "/openapi.json")).json
    task_id = await client.start("Answer questions about our bakery.")
    stream = await client.ask("GET", f"{BASE}/generate-prompt-async/events/{task_id}/")
    kinds = read_stream(description, stream.body.decode())
    assert set(kinds) == {"status", "chunk", "end"}
    assert kinds[-2:] == ["status", "end"]
    operation = description["paths"][f"{BASE}/generate-prompt-async/events/{{task_id}}/"]["get"]
    example = operation["responses"]["200"]["content"]["text/event-stream"]["example"]
    assert read_stream(description, example) == ["status", "chunk", "status", "end"]


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["openapi", "openapi-admin"])
async def test_a_description_in_json_can_be_read_as_yaml_too(client: Client, name: str) -> None:
    """As openapi-spec-validator does, and other tools that take both."""
    described = await client.ask("GET", f"/{name}.json")
    assert yaml.safe_load(described.body.decode()) == described.json


@pytest.mark.gen_test
async def test_what_is_described_stands_below_the_path_that_a_proxy_adds(client: Client) -> None:
    behind = {"X-Forwarded-Prefix": "/prompts"}
    for name in ("openapi", "openapi-admin"):
        assert (await client.ask("GET", f"/{name}.json", headers=behind)).json["servers"] == [{"url": "/prompts"}]
    assert b"`/prompts/api/v1/web-knowledge`" in (await client.ask("GET", "/llms.txt", headers=behind)).body
    assert b"`/api/v1/web-knowledge`" in (await client.ask("GET", "/llms.txt")).body


@pytest.mark.gen_test
async def test_every_link_and_path_of_llms_txt_is_one_of_the_server(client: Client) -> None:
    text = (await client.ask("GET", "/llms.txt")).body.decode()
    links = re.findall(r"\]\((/[^)]*)\)", text)
    assert links == ["/openapi.yaml", "/openapi.json", "/docs/", "/openapi-admin.json"]
    for link in links:
        assert (await client.ask("GET", link)).status == 200
    described = (await client.ask("GET", "/openapi.json")).json["paths"]
    named = re.findall(r"`(GET|POST) (generate[^`?]*)`", text)
    assert len(named) == 6
    elsewhere = re.findall(r"`(GET|POST) (/api/[^`?]*)`", text)
    assert len(elsewhere) == 1
    for method, path in [*((method, f"/api/v1/web-knowledge/{path}") for method, path in named), *elsewhere]:
        assert method.lower() in described[path], path


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "name", ["swagger-ui-bundle.js.map", "index.html", "llms.txt", "..%2f..%2fconfig.yaml", "admin/start.js"]
)
async def test_nothing_else_is_below_docs(client: Client, name: str) -> None:
    answer = await client.ask("GET", f"/docs/{name}")
    assert (answer.status, answer.json["error_code"]) == (404, "not_found")


def test_django_is_not_needed() -> None:
    """The package that ships Swagger UI imports Django as soon as it is imported: reading its files must not."""
    code = (
        "import sys, json\nfrom handlers.reference_files import Reference\nReference()\n"
        "print(json.dumps([name for name in sys.modules if name.startswith(('django', 'drf_'))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert not re.search(r"^django==", (ROOT / lock).read_text("utf-8"), re.MULTILINE | re.IGNORECASE)
