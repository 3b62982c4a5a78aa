"""docs/http.md against docs/openapi.yaml and the code: members of answers and codes of errors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from handlers.answers import HTTP_STATUSES, Answer
from handlers.errors import ANSWERS, answer_for
from tests.deploy.processes import ROOT
from tests.support.error_facts import FACTS

PAGE = (ROOT / "docs" / "http.md").read_text("utf-8")
OPENAPI = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text("utf-8"))
MEMBERS_OF = {  # the table's row → operation and status in openapi.yaml
    "POST `generate-prompt-async/`": ("startGeneration", "202"),
    "GET `generate-prompt-async/?limit=N&before=ID`": ("listGenerations", "200"),
    "POST `generate-prompt/`": ("generate", "200"),
    "GET `/api/v1/account/`": ("showAccount", "200"),
    "GET `/api/v1/account/ledger/?limit=N&before=ID`": ("readLedger", "200"),
}
# Of the admin API, which docs/admin.md describes; and of the command line.
ADMINS = {"admin_key_required", "network_not_allowed"}
CONNECTIONS = '"connections";q=1000;qu="concurrent-requests"'  # as deploy/nginx.conf has it
NOT_IN_OPENAPI = {"origin_not_allowed", "head_too_large", "method_not_allowed"}  # of no single operation


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = OPENAPI
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        schema = found
    return schema


def members(schema: dict[str, Any]) -> set[str]:
    """Return the names of members that a document of this schema can have."""
    schema = resolved(schema)
    parts = [*schema.get("allOf", ()), *schema.get("oneOf", ())]
    return set(schema.get("properties", ())).union(*map(members, parts))


def schema_of(operation_id: str, status: str) -> dict[str, Any]:
    operations = [each for path in OPENAPI["paths"].values() for each in path.values() if isinstance(each, dict)]
    [operation] = [each for each in operations if each.get("operationId") == operation_id]
    answer = resolved(operation["responses"][status])
    return resolved(answer["content"]["application/json"]["schema"])


@pytest.mark.parametrize(("row", "operation"), MEMBERS_OF.items(), ids=MEMBERS_OF)
def test_the_table_names_each_member_of_an_answer(row: str, operation: tuple[str, str]) -> None:
    [told] = [line for line in PAGE.splitlines() if line.startswith(f"| {row} |")]
    found = re.search(r"\{(.*)\}", told)
    assert found
    inner = re.search(r"\{(.*?)\}", found[1])
    schema = schema_of(*operation)
    outer = found[1].replace(inner[0], "") if inner else found[1]
    assert set(re.findall(r"[a-z_]+", outer.replace("status document", ""))) == members(schema)
    if inner:
        [rows] = [each for each in schema["properties"].values() if each.get("type") == "array"]
        assert set(re.findall(r"[a-z_]+", inner[1])) == members(rows["items"])


def documented_codes() -> set[tuple[int, str]]:
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", PAGE, re.MULTILINE)
    return {(int(status), code) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)}


def codes_in_openapi() -> set[tuple[int, str]]:
    found = set()
    for path in OPENAPI["paths"].values():
        for operation in path.values():
            for status, answer in operation.get("responses", {}).items() if isinstance(operation, dict) else ():
                content = resolved(answer).get("content", {}).get("application/json")
                if content and int(status) >= 400:
                    found |= {(int(status), code) for code in _codes(resolved(content["schema"]))}
    return found


def _codes(schema: dict[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", {}).get("error_code", {}).get("enum", ())
    for part in schema.get("allOf", ()):
        yield from _codes(resolved(part))


def codes_in_the_code() -> set[tuple[int, str]]:
    answers = [answer_for(kind(*FACTS.get(kind.__name__, ()))) for kind in ANSWERS]
    answers += HTTP_STATUSES.values()
    written = [
        (call.args[0].value, call.args[1].value)
        for source in (ROOT / "handlers").glob("*.py")
        for call in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("BadRequest", Answer.__name__)
        if len(call.args) > 1 and isinstance(call.args[0], ast.Constant) and isinstance(call.args[1], ast.Constant)
    ]
    return {(answer.status, answer.error_code) for answer in answers} | {
        (int(str(one)), str(two)) for one, two in written
    }


def test_the_table_of_errors_names_each_code_that_openapi_has() -> None:
    known = {(status, code) for status, code in documented_codes() if code not in NOT_IN_OPENAPI}
    assert known == codes_in_openapi()


@pytest.mark.parametrize("name", ["openapi", "openapi-admin"])
def test_each_operation_has_the_429_with_which_nginx_answers_on_every_path(name: str) -> None:
    described = yaml.safe_load((ROOT / "docs" / f"{name}.yaml").read_text("utf-8"))
    headers = described["components"]["responses"]["TooMany"]["headers"]
    for policy, left in (('"requests";q=400;w=2', '"requests";r=0;t=1'), (CONNECTIONS, '"connections";r=0')):
        assert re.search(headers["RateLimit-Policy"]["schema"]["pattern"], policy)
        assert re.search(headers["RateLimit"]["schema"]["pattern"], left)
    operations = [each for path in described["paths"].values() for each in path.values() if "responses" in each]
    assert len(operations) > 20
    for operation in operations:
        assert operation["responses"]["429"] == {"$ref": "#/components/responses/TooMany"}, operation["operationId"]


def test_the_table_of_errors_names_each_code_that_the_code_has() -> None:
    missing = {(status, code) for status, code in codes_in_the_code() if code not in ADMINS} - documented_codes()
    assert not missing
