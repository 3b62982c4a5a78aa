"""Give a new root the pip configuration of this machine: usage pip_settings.py ROOT.

What pip is told here (an index, certificates, folders of packages) it is told there, in /etc/pip.conf; the files are
copied and the folders mounted, read-only, at the same paths.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote


def settings_here() -> dict[str, str]:
    """Read `pip config list`: lines such as global.cert='…' and :env:.cert='…'; the environment's come last."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.*)$", listed, re.MULTILINE):
            found[name] = str(ast.literal_eval(value))
    return found


def provide(root: Path, value: str) -> None:
    """Make the files and folders that a setting names exist in the root."""
    for word in value.split():
        local = unquote(word.removeprefix("file://"))
        if not local.startswith("/") or not os.path.exists(local):
            continue
        target = root / local.lstrip("/")
        if os.path.isfile(local):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy(local, target)
            continue
        if word.startswith("file://"):  # an index: its pages name files beside it
            local, target = os.path.dirname(local.rstrip("/")), target.parent
        if not os.path.ismount(target):
            target.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", "-o", "ro", local, str(target)], check=True)


def main() -> None:
    root = Path(sys.argv[1])
    settings = settings_here()
    configuration = configparser.RawConfigParser()
    configuration["global"] = settings
    with (root / "etc" / "pip.conf").open("w") as file:
        configuration.write(file)
    for value in settings.values():
        provide(root, value)


main()
