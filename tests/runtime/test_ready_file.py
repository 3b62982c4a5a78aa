"""The ready file holds a key in a demo: its owner alone may read it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from runtime.ready_file import write_ready_file


def test_a_ready_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    path, before = tmp_path / "ready.json", os.umask(0)
    try:
        write_ready_file(path, {"url": "http://127.0.0.1:1", "pid": 1})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["pid"] == 1
