"""docs/openapi-admin.yaml against the server: requests drawn from it, right and wrong, and every answer held to it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection

from handlers.admin.routes import ADMIN_ROUTES
from tests.deploy.processes import ROOT, demo
from tests.support.described_api import EXAMPLES, Server
from tests.support.described_api import named_as_schemathesis_expects as named_as_schemathesis_expects
from tests.support.warm_start import run_main


@pytest.fixture(scope="module")
def admin_schema() -> BaseSchema:
    schema = schemathesis.openapi.from_path(ROOT / "docs" / "openapi-admin.yaml")
    # 422: a grant_id that was drawn twice, with two numbers of tokens, is right by itself and refused.
    schema.config.checks.positive_data_acceptance.expected_statuses.append("422")
    return schema


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with demo(tmp_path_factory.mktemp("openapi") / "demo", gemini_delay_s=0.01) as process:
        facts = process.start()
        environment = os.environ | {"PROMPT_REDIS__URL": facts["redis_url"]}
        made = run_main("admin-keys", "create", "--json", environment=environment)
        yield Server(facts["url"], {"Authorization": f"Bearer {json.loads(made.stdout)['admin_key']}"})


def is_wrong_by_a_narrower_pattern_alone(case: schemathesis.Case[Any]) -> bool:
    """Say whether only a pattern speaks against the body: no pattern can say "printable characters of any language"."""
    told = (case.meta.phase.data.description if case.meta else None) or ""
    body = case.body if isinstance(case.body, dict) else {}
    return "`pattern`" in told and all(each.isprintable() for each in body.values() if isinstance(each, str))


@pytest.mark.timeout(1_800)  # all operations are one test to pytest
@schemathesis.pytest.from_fixture("admin_schema").parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_as_documented(case: schemathesis.Case[Any], server: Server) -> None:
    wrong_by_what_is_not_sent = [] in (case.query or {}).values()  # an empty list is no part of a URL
    may_be_right = wrong_by_what_is_not_sent or is_wrong_by_a_narrower_pattern_alone(case)
    excluded: list[Any] = [negative_data_rejection] if may_be_right else []
    case.call_and_validate(base_url=server.url, headers=server.headers, excluded_checks=excluded)


def members_of(description: dict[str, Any], schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every member that the schema or one of its parts has."""
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].split("/")[-1]]
    found = dict(schema.get("properties", {}))
    for part in [*schema.get("allOf", []), *schema.get("oneOf", [])]:
        found |= members_of(description, part)
    return found


def test_a_task_has_the_members_of_the_account_s_own_status_document() -> None:
    described, own = (
        members_of(yaml.safe_load((ROOT / "docs" / f"{file}.yaml").read_text("utf-8")), {"$ref": name})
        for file, name in (("openapi-admin", "Task"), ("openapi", "StatusDocument"))
    )
    assert described.keys() == own.keys()
    types = {name: member["type"] for name, member in own.items() if "type" in member}
    assert {name: described[name].get("type") for name in types} == types
    assert (described["progress"]["type"], described["status"]["type"]) == ("integer", "string")


def test_every_route_is_documented(admin_schema: BaseSchema) -> None:
    paths = {re.sub(r"{[a-z_]+}", "([^/]+)", path) for path in admin_schema.raw_schema["paths"]}
    assert paths == {pattern.removesuffix("?") for pattern, _ in ADMIN_ROUTES.values()}
