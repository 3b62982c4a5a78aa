"""The Redis and Valkey servers of this machine, as parameters of tests that must hold on every one of them."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest

from storage.redis_server import bundled_redis_server


def each_server() -> list[Any]:
    """The path of each server's binary: the bundled one and Debian's always, Valkey's own where PATH has it.

    Where one of the first two is missing its tests are left out; in CI they fail, because there is nothing to start.
    """
    found = {
        "bundled": bundled_redis_server(),
        "redis-server": shutil.which("redis-server"),
        "valkey-server": shutil.which("valkey-server"),
    }
    return [
        pytest.param(
            path or name, id=name, marks=() if path or os.environ.get("CI") else pytest.mark.skip(f"needs {name}")
        )
        for name, path in found.items()
        if path or name != "valkey-server"
    ]
