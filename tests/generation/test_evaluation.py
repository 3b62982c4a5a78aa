"""`main.py evaluate` against the stand-in: a table by language and kind, and JSON per row."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from standin import serve_standin
from tests.support.warm_start import run_main

BED = [
    {"id": "a", "language": "en", "kind": "facts", "manual_prompt": "Sell bread for €4.80.", "facts": ["€4.80"]},
    {
        "id": "b",
        "language": "ru",
        "kind": "facts",
        "manual_prompt": "Мы продаём хлеб по 45 ₽. [[standin:fault=fact_lost]]",
        "facts": ["45 ₽"],
    },
]


@pytest.mark.gen_test
@pytest.mark.parametrize("options", [(), ("--json",)])
async def test_a_bed_is_evaluated(io_loop: object, tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "bed.json").write_text(json.dumps(BED), "utf-8")
    async with serve_standin() as standin:
        environment = os.environ | {"PROMPT_GEMINI__BASE_URL": standin.url, "GEMINI_API_KEY": "k"}
        arguments = ("evaluate", "--bed", str(tmp_path / "bed.json"), *options)
        done = await asyncio.to_thread(run_main, *arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        assert standin.counters.requests == len(BED)
    lines = done.stdout.splitlines()
    if options:
        kept = {row["id"]: (row["facts"], row["facts_kept"], row["in_shape"]) for row in map(json.loads, lines)}
        assert kept == {"a": (1, 1, True), "b": (1, 0, True)}
    else:
        assert [line.split()[:2] for line in lines if line.startswith("language")] == [
            ["language", "en"],
            ["language", "ru"],
        ]
        assert "100.0%" in next(line for line in lines if line.startswith("language en"))
        assert "0.0%" in next(line for line in lines if line.startswith("language ru"))


def test_a_bed_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bed.json").write_text('{"a": 1}', "utf-8")
    refused = run_main("evaluate", "--bed", str(tmp_path / "bed.json"))
    assert refused.returncode == 1
    assert "is not a list of objects" in refused.stderr
