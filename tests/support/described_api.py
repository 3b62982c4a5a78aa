"""What the two tests of docs/openapi.yaml share."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

EXAMPLES = int(os.environ.get("API_EXAMPLES", "2"))  # of each operation


@dataclass(frozen=True)
class Server:
    url: str
    headers: dict[str, str]


@pytest.fixture(autouse=True)
def named_as_schemathesis_expects(request: pytest.FixtureRequest) -> None:
    """What `from_fixture` reads of a test and sets for each operation; newer pytest has no such attribute any more."""
    request.node._nodeid = request.node.nodeid
