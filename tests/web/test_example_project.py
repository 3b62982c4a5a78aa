"""The example with React and Vite: its own configuration builds it from the packages as they would be published."""

from __future__ import annotations

import shutil

from tests.web.project import WEB, Project

EXAMPLE = WEB.parent / "examples" / "react-vite"


def test_the_react_and_vite_example_builds(project: Project) -> None:
    folder = project.folder / "react-vite"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    project.run("vite/bin/vite.js", "build", str(folder))
    built = "".join(path.read_text() for path in (folder / "dist" / "assets").glob("*.js"))
    assert "/api/v1/web-knowledge" in built
    assert list((folder / "dist" / "assets").glob("*.css")), "with the component's styles"
