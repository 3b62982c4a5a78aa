"""The file that says where a server accepts requests. It may hold an API key, so only its owner may read it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click


def write_ready_file(path: Path | None, facts: Mapping[str, object]) -> None:
    """Write one JSON object, atomically: no reader ever sees half of it.

    Raises:
        ClickException: it cannot be written.
    """
    if path is not None:
        try:
            _write(path, json.dumps(facts) + "\n")
        except OSError as exc:
            raise click.ClickException(f"--ready-file: {path} cannot be written: {exc.strerror}") from exc


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
