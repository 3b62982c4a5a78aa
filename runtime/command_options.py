"""Options that commands of several rooms have."""

from __future__ import annotations

from pathlib import Path

import click

CONFIG = click.option("--config", type=click.Path(path_type=Path), help="Settings file instead of config.yaml.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for scripts.")
