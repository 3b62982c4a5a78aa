"""Every module under web/ is JavaScript: one that cannot be parsed takes the whole page with it."""

from __future__ import annotations

import subprocess

from tests.web.project import WEB


def test_every_module_can_be_parsed(node: str) -> None:
    modules = [path for path in sorted(WEB.rglob("*.js")) if "node_modules" not in path.parts]
    assert len(modules) > 30
    for path in modules:
        done = subprocess.run([node, "--check", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
