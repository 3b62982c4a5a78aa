"""The version that ``main.py --version`` prints is the one of everything that names a version."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from main import cli

ROOT = Path(__file__).parents[1]
NAMED: dict[str, Callable[[str], str]] = {
    "docs/openapi.yaml": lambda text: str(yaml.safe_load(text)["info"]["version"]),
    "docs/openapi-admin.yaml": lambda text: str(yaml.safe_load(text)["info"]["version"]),
    "web/client/package.json": lambda text: str(json.loads(text)["version"]),
    "web/react/package.json": lambda text: str(json.loads(text)["version"]),
    "deploy/kubernetes/kustomization.yaml": lambda text: str(yaml.safe_load(text)["images"][0]["newTag"]),
    "CHANGELOG.md": lambda text: re.findall(r"^## (\d+\.\d+\.\d+)", text, re.MULTILINE)[0],
}


@pytest.mark.parametrize("name", NAMED)
def test_a_file_names_the_version_of_the_server(name: str) -> None:
    printed = CliRunner().invoke(cli, ["--version"]).output.split()[-1]
    assert NAMED[name]((ROOT / name).read_text("utf-8")) == printed
