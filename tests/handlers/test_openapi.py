"""docs/openapi.yaml against the server: requests drawn from it, right and wrong, and every answer held to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from generation.prompt_text import PromptText
from generation.visible_text import UNSEEN
from tests.deploy.processes import ROOT, demo
from tests.support.described_api import EXAMPLES, Server
from tests.support.described_api import named_as_schemathesis_expects as named_as_schemathesis_expects

IGNORE_UNKNOWN_PARAMETERS = ("listGenerations", "readLedger")


def described() -> dict[str, Any]:
    """Return docs/openapi.yaml with this server's business types, which the file leaves to each server's templates."""
    description: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text("utf-8"))
    body = description["components"]["requestBodies"]["Prompt"]["content"]["application/json"]["schema"]
    types = PromptText().business_types()
    body["properties"]["business_type"]["enum"] = [*types, "", None]
    return description


# A fixture: drawing the cases takes seconds, and collecting happens in every process that runs any test.
@pytest.fixture(scope="module")
def public_schema() -> BaseSchema:
    schema = schemathesis.openapi.from_dict(described())
    # 422: an Idempotency-Key that was drawn twice, with two bodies, is right by itself and refused.
    schema.config.checks.positive_data_acceptance.expected_statuses.append("422")
    return schema


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with demo(tmp_path_factory.mktemp("openapi") / "demo", gemini_delay_s=0.01) as process:
        facts = process.start()
        yield Server(facts["url"], {"Authorization": f"Bearer {facts['api_key']}"})


@pytest.mark.timeout(1_800)  # all operations are one test to pytest
@schemathesis.pytest.from_fixture("public_schema").parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_as_documented(case: schemathesis.Case[Any], server: Server) -> None:
    draws_headers_past_their_pattern = case.operation.definition.raw["operationId"] == "followEvents"
    excluded: list[Any] = [positive_data_acceptance] if draws_headers_past_their_pattern else []
    if case.operation.definition.raw["operationId"] in IGNORE_UNKNOWN_PARAMETERS:
        excluded.append(negative_data_rejection)  # it draws parameters with unknown names, and those are ignored
    case.call_and_validate(base_url=server.url, headers=server.headers, excluded_checks=excluded)


def test_the_pattern_of_a_prompt_leaves_out_just_what_the_server_takes_for_nothing() -> None:
    body = described()["components"]["requestBodies"]["Prompt"]["content"]["application/json"]["schema"]
    pattern = body["properties"]["manual_prompt"]["pattern"]
    ranges = [first if first == last else f"{first}-{last}" for first, last in UNSEEN if first != "\ud800"]
    assert pattern == "^[^\0]*[^" + "".join(ranges) + "][^\0]*$"
