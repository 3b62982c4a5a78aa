"""How much a page loads, gzipped: the client alone, and client and component before there is a result."""

from __future__ import annotations

import gzip
import re

import pytest

from tests.web.project import Project

CONFIGURATION = """
export default {
  build: {
    target: 'es2022',
    lib: { entry: process.env.ENTRY, formats: ['es'], fileName: 'entry' },
    rolldownOptions: { external: ['react'], output: { minify: true, chunkFileNames: '[name].js' } },
  },
};
"""


def built(project: Project, name: str, code: str) -> dict[str, str]:
    """Bundle one module and return its files."""
    folder = project.folder / f"size-{name}"
    folder.mkdir()
    (folder / "entry.js").write_text(code)
    (folder / "vite.config.js").write_text(CONFIGURATION)
    project.run("vite/bin/vite.js", "build", str(folder), "--outDir", "dist", ENTRY=str(folder / "entry.js"))
    return {path.name: path.read_text("utf-8") for path in (folder / "dist").glob("*.js")}


def loaded_at_once(files: dict[str, str]) -> list[str]:
    """The entry, and the files that it imports before it runs."""
    names = ["entry.js"]
    for name in names:
        names += set(re.findall(r"""(?:from|import)\s*["'`]\./([^"'`]+)""", files[name])) - set(names)
    return names


def gzipped(files: dict[str, str], names: list[str]) -> int:
    return sum(len(gzip.compress(files[name].encode(), 9)) for name in names)


@pytest.mark.parametrize(
    ("name", "code", "first_bytes", "all_bytes"),
    [
        ("client", "export { PromptGeneratorAPI } from 'prompt-generation-client';", 6_500, 6_500),
        ("component", "export { PromptGenerator } from 'prompt-generation-react';", 10_300, 13_150),
    ],
)
def test_a_page_loads_little(project: Project, name: str, code: str, first_bytes: int, all_bytes: int) -> None:
    files = built(project, name, code)
    asked_for = [file for file in files if file == "notify-offer.js"]  # only where an application wants notifications
    first, whole = gzipped(files, loaded_at_once(files)), gzipped(files, [*files.keys() - set(asked_for)])
    assert first <= first_bytes
    assert whole <= all_bytes
    assert gzipped(files, asked_for) <= 1_600
