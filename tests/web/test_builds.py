"""The packed packages, installed with npm and built as applications do it: Vite, Next.js (App Router), Expo."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.project import WEB, packed

EXAMPLES = WEB.parent / "examples"
APPLICATIONS = {
    "vite": (EXAMPLES / "react-vite", "dist/assets/*.js", "generate-prompt-async"),
    "next": (EXAMPLES / "nextjs", ".next/server/app/index.html", "Improve a prompt"),  # rendered when it was built
    "expo": (EXAMPLES / "react-native", "dist/_expo/static/js/ios/*.js", "generate-prompt-async"),
}
ENVIRONMENT = os.environ | {"CI": "1", "NEXT_TELEMETRY_DISABLED": "1", "EXPO_NO_TELEMETRY": "1", "EXPO_OFFLINE": "1"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1_500),
    pytest.mark.skipif(
        not os.environ.keys() & {"CI", "BUILDS"}, reason="BUILDS=1 runs it: Next and Expo are 700 MB to install"
    ),
]


@pytest.fixture(scope="module")
def tarballs(npm: str, node: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("packed")
    return [str(packed(npm, name, folder)[0]) for name in ("client", "react")]


def in_folder(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=700)


RENDERED = """
import { createElement, version } from 'react';
import { renderToString } from 'react-dom/server';
import { PromptGenerator } from 'prompt-generation-react';
const props = { apiBaseUrl: '/api/v1/web-knowledge', authToken: 'a token', businessTypes: { hotel: 'A hotel' } };
console.log(version, renderToString(createElement(PromptGenerator, props)));
"""


def test_a_server_renders_the_component_with_react_18(npm: str, node: str, tarballs: list[str], tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    (tmp_path / "server.js").write_text(RENDERED)
    installed = in_folder(tmp_path, npm, "install", "--no-audit", "--no-fund", "react@18", "react-dom@18", *tarballs)
    assert installed.returncode == 0, installed.stderr[-4000:]
    done = in_folder(tmp_path, node, "server.js")
    assert done.stdout.startswith("18.")
    assert "A hotel" in done.stdout
    assert done.stderr == "", "React warns of nothing"


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_builds_with_the_packages(npm: str, tarballs: list[str], name: str, tmp_path: Path) -> None:
    source, output, said = APPLICATIONS[name]
    folder = tmp_path / name
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "package-lock.json"))
    try:
        installed = in_folder(folder, npm, "install", "--prefer-offline", "--no-audit", "--no-fund", *tarballs)
    except subprocess.TimeoutExpired:
        pytest.skip("the registry of npm is too slow")
    if installed.returncode and any(code in installed.stderr for code in ("ENOTFOUND", "ETIMEDOUT", "ECONNRE", "E50")):
        pytest.skip("the registry of npm cannot be reached")
    assert installed.returncode == 0, installed.stderr[-4000:]
    assert (folder / "node_modules" / "prompt-generation-client" / "package.json").is_file()
    built = in_folder(folder, npm, "run", "build")
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    assert said in "".join(path.read_text("utf-8") for path in folder.glob(output))
