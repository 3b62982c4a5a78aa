"""A project that has installed the two packages as they would be published, and builds applications with them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
APPS = Path(__file__).parent / "apps"
EXAMPLES = Path(__file__).parent / "examples"
# What settings.js says to the examples: their server and the token, in a browser and in Node.
SETTINGS = """
const { location, process } = globalThis;
export const apiBaseUrl = `${location?.origin ?? process.env.SERVER}/api/v1/web-knowledge`;
export const getToken = () => (location ? localStorage.getItem('token') : process.env.TOKEN);
"""
PACKAGES = {"prompt-generation-client": "client", "prompt-generation-react": "react"}


def packed(npm: str, folder: str, destination: Path) -> tuple[Path, set[str]]:
    """Pack web/``folder`` as ``npm publish`` would; return the tarball and the names of the files in it."""
    command = [npm, "pack", "--json", "--silent", "--pack-destination", str(destination)]
    done = subprocess.run(command, cwd=WEB / folder, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    [report] = answer if isinstance(answer, list) else answer.values()
    return destination / report["filename"], {file["path"] for file in report["files"]}


@dataclass(frozen=True)
class Project:
    """``folder`` holds node_modules with the packed packages, and the tests' own files."""

    folder: Path
    node: str

    def run(self, tool: str, *arguments: str, **variables: str) -> str:
        """Run a tool of web/node_modules (``vite/bin/vite.js``) in the project; return what it printed."""
        command = [self.node, str(WEB / "node_modules" / tool), *arguments]
        environment = os.environ | {"NODE_ENV": "development"} | variables  # React's own checks, StrictMode among them
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-4000:]
        return done.stdout

    def build_apps(self) -> Path:
        """Build tests/web/apps and return the folder with the result."""
        for path in APPS.iterdir():
            shutil.copy(path, self.folder)
        self.run("vite/bin/vite.js", "build", "--mode", "development")
        return self.folder / "dist"

    def build_files(self, name: str, files: dict[str, str]) -> Path:
        """Build an application of these files, whose page is ``name``.html; return the folder with the result."""
        for path in APPS.iterdir():
            shutil.copy(path, self.folder)
        for path_name, text in files.items():
            (self.folder / path_name).write_text(text, "utf-8")
        output = f"dist-{name}"
        self.run("vite/bin/vite.js", "build", "--mode", "development", "--outDir", output, PAGES=f"{name}.html")
        return self.folder / output


def make_project(folder: Path, node: str, npm: str) -> Project:
    """Unpack both packages into a new project; everything else is linked from web/node_modules."""
    modules = folder / "node_modules"
    modules.mkdir(parents=True)
    for path in (WEB / "node_modules").iterdir():
        if path.name not in PACKAGES and not path.name.startswith("."):
            (modules / path.name).symlink_to(path)
    for name, source in PACKAGES.items():
        tarball, _files = packed(npm, source, folder)
        with tarfile.open(tarball) as archive:
            archive.extractall(folder / name, filter="data")
        (folder / name / "package").rename(modules / name)
    (folder / "package.json").write_text('{"name": "application", "private": true, "type": "module"}')
    shutil.copytree(EXAMPLES, folder / "examples")
    (folder / "examples" / "settings.js").write_text(SETTINGS)
    return Project(folder, node)
