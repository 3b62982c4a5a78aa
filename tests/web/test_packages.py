"""What `npm publish` would publish, and that its types are true."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.web.project import WEB, Project, packed

EXPORTED = re.compile(r"^export (?:declare )?(?:class|function|const) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("folder", ["client", "react"])
def test_a_package_holds_what_a_user_needs_and_nothing_else(
    npm: str, node_modules: Path, folder: str, tmp_path: Path
) -> None:
    _tarball, files = packed(npm, folder, tmp_path)
    sources = {f"src/{path.name}" for path in (WEB / folder / "src").iterdir()}
    assert files == {"package.json", "README.md", "LICENSE"} | sources
    assert all(re.fullmatch(r"src/[a-z-]+\.(js|d\.ts|css|css\.d\.ts)", name) for name in sources)


@pytest.mark.parametrize("folder", ["client", "react"])
def test_a_package_says_where_it_comes_from(folder: str) -> None:
    address = json.loads((WEB / "package.json").read_text())["repository"]
    described = json.loads((WEB / folder / "package.json").read_text())
    assert described["repository"] == {"type": "git", "url": f"git+{address}.git", "directory": f"web/{folder}"}
    assert described["homepage"] == f"{address}/blob/main/docs/frontend.md"
    assert described["bugs"] == f"{address}/issues"


def test_the_guide_clones_the_repository_that_the_packages_name() -> None:
    address = json.loads((WEB / "package.json").read_text())["repository"]
    cloned = re.findall(r"git clone (\S+)", (WEB.parent / "docs" / "frontend.md").read_text("utf-8"))
    assert set(cloned) == {f"{address}.git"}


def test_the_client_depends_on_nothing() -> None:
    described = json.loads((WEB / "client" / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "optionalDependencies", "scripts"} & described.keys()
    assert described["sideEffects"] is False


PARTS = ("", "/react-native", "/clipboard", "/facts", "/versions", "/notifications")


@pytest.mark.parametrize("entry", [f"prompt-generation-client{part}" for part in PARTS])
def test_the_declared_names_are_the_exported_ones(project: Project, entry: str) -> None:
    code = f"console.log(JSON.stringify(Object.keys(await import('{entry}'))))"
    command = [project.node, "--input-type=module", "--eval", code]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=True)
    declarations = WEB / "client" / "src" / f"{entry.split('/')[1] if '/' in entry else 'index'}.d.ts"
    assert sorted(json.loads(done.stdout)) == sorted(EXPORTED.findall(declarations.read_text()))


def test_sources_and_page_pass_the_strict_type_checker(project: Project) -> None:
    project.run("typescript/bin/tsc", "--project", str(WEB))


def test_modules_of_the_react_package_are_for_the_client() -> None:
    for path in (WEB / "react" / "src").glob("*.js"):
        assert path.read_text().startswith("'use client';"), path.name


def test_the_types_serve_a_strict_application(project: Project) -> None:
    project.run("typescript/bin/tsc", "--project", "examples")


def test_the_lock_file_leaves_the_registry_to_each_machine() -> None:
    assert set(re.findall(r'"resolved": "([^"]+)"', (WEB / "package-lock.json").read_text())) == {"client", "react"}
