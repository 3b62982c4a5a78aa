"""A corpus of real answers of Gemini, where it is there: ../shared/gemini-corpus, or in the folder PROMPT_CORPUS."""

from __future__ import annotations

import csv
import os
from pathlib import Path

CORPUS = Path(os.environ.get("PROMPT_CORPUS", Path(__file__).parents[3] / "shared")) / "gemini-corpus"
ROWS: dict[str, dict[str, str]] = {}
if (CORPUS / "INDEX.tsv").exists():
    with (CORPUS / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        ROWS = {row["file"]: row for row in csv.DictReader(index, delimiter="\t")}
