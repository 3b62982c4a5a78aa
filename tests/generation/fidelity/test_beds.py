"""The figures on the beds: ../shared/beds, or the folder in PROMPT_BEDS; without them this is skipped.

``python -m tests.generation.fidelity.test_beds`` prints them.
"""
# ruff: noqa: RUF001  # texts in other scripts look like other letters to ruff, as they should

from __future__ import annotations

import json
import os
import random
import re
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from generation.answer_shape import clean_answer
from generation.fidelity import Guard, language
from generation.fidelity.restoring import restored
from generation.prompt_text import INSTRUCTION, PromptText
from standin.rewriting import rewrite
from tests.support.exchanged import exchanged

BEDS = Path(os.environ.get("PROMPT_BEDS", Path(__file__).parents[4] / "shared" / "beds"))
pytestmark = pytest.mark.skipif(not (BEDS / "prompts.json").exists(), reason="the beds are not on this machine")
GUARD = Guard(INSTRUCTION)
DIGITS = "0123456789٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९０１２３４５６７８９"


def rows(name: str) -> list[dict[str, Any]]:
    path = BEDS / f"{name}.json"
    read: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    return read


def rewritten(prompt: str) -> str:
    """Return the prompt as a faithful model may answer it: a role, and a line for each sentence."""
    lines = re.split(r"(?<=[.!?。])\s+|\n", prompt)
    return "# Role\n\n" + "\n".join(f"- {line}" for line in lines if line.strip())


def altered(fact: str, draw: random.Random) -> str:
    """Return the fact with one digit of it another one, or one letter where it has no digit."""
    places = [at for at, sign in enumerate(fact) if sign in DIGITS]
    if not places:
        at = draw.choice([at for at, sign in enumerate(fact) if sign.isalpha()])
        return fact[:at] + draw.choice([sign for sign in "bdfhk" if sign != fact[at].lower()]) + fact[at + 1 :]
    at = draw.choice(places)
    script = DIGITS.index(fact[at]) // 10 * 10
    return fact[:at] + draw.choice(DIGITS[script : script + 10].replace(fact[at], "")) + fact[at + 1 :]


def letter_changed(fact: str, draw: random.Random) -> str:
    at = draw.choice([at for at, sign in enumerate(fact) if sign.isalpha()])
    return fact[:at] + draw.choice([sign for sign in "abcdefgh" if sign != fact[at]]) + fact[at + 1 :]


def noticed(prompt: str, answer: str) -> bool:
    verdict = GUARD.judge(prompt, answer)
    return bool(verdict.lost or verdict.swapped or verdict.added)


def kind_of(fact: str) -> str:
    """Say roughly what a fact is: only facts of one kind can be taken for each other."""
    if "://" in fact or "@" in fact:
        return "link"
    if "{" in fact:
        return "placeholder"
    if ":" in fact:
        return "time"
    return "telephone" if sum(sign in DIGITS for sign in fact) >= 9 else "amount" if not fact.isdigit() else "number"


def figures() -> dict[str, tuple[int, int]]:
    """Return, by kind of change to a fact, how often the change was noticed and how often it was made."""
    counts: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    draw = random.Random(5)
    for row in rows("prompts"):
        prompt, facts = row["manual_prompt"], row["facts"]
        cases = [("unchanged", rewritten(prompt))]
        for fact in facts:
            cases.append(("lost", rewritten(prompt.replace(fact, ""))))
            cases += [("altered", rewritten(prompt.replace(fact, altered(fact, draw)))) for _ in range(3)]
            if "://" in fact or "@" in fact:
                cases += [("letters", rewritten(prompt.replace(fact, letter_changed(fact, draw)))) for _ in range(5)]
        for first, second in pairwise(facts):
            if (
                kind_of(first) == kind_of(second)
                and first not in second
                and second not in first
                and prompt.count(first) == 1
            ):
                swap = exchanged(prompt, first, second)
                cases.append(("swapped", rewritten(swap)))
        for kind, answer in cases:
            tried[kind] += 1
            counts[kind] += noticed(prompt, answer)
    return {kind: (counts[kind], tried[kind]) for kind in tried}


def test_lost_altered_and_swapped_facts_are_found_and_faithful_answers_raise_no_alarm() -> None:
    found = figures()
    harmed = [found[kind] for kind in ("lost", "altered", "swapped")]
    assert sum(count for count, _ in harmed) >= 0.95 * sum(tried for _, tried in harmed)
    assert found["swapped"][0] >= 0.95 * found["swapped"][1]
    assert found["letters"][0] >= 0.94 * found["letters"][1]
    assert found["unchanged"][0] == 0


def test_a_faithful_answer_that_tells_the_sentences_in_another_order_raises_no_alarm() -> None:
    draw = random.Random(3)
    for row in rows("prompts"):
        lines = [line for line in re.split(r"(?<=[.!?。])\s+|\n", row["manual_prompt"]) if line.strip()]
        draw.shuffle(lines)
        assert not noticed(row["manual_prompt"], "# Role\n\n" + "\n".join(f"- {line}" for line in lines)), row["id"]


def test_at_most_one_benign_respelling_in_eight_is_flagged() -> None:
    bed = rows("benign_respellings")
    flagged = [row for row in bed if not GUARD.judge(row["draft"], row["answer"]).faithful]
    assert len(flagged) * 8 <= len(bed), flagged


def test_the_language_of_every_prompt_is_told() -> None:
    wrong = [row["id"] for row in rows("prompts") if language(row["manual_prompt"]) not in row["language"].split("+")]
    assert not wrong


def test_the_stand_in_answers_every_prompt_in_its_language_and_faithfully() -> None:
    for row in rows("prompts"):
        answer = rewrite(row["manual_prompt"])
        assert language(answer) in row["language"].split("+"), row["id"]
        assert GUARD.judge(row["manual_prompt"], answer).faithful, row["id"]


def test_the_longest_prompt_costs_a_millisecond_per_thousand_characters() -> None:
    prompt = max((row["manual_prompt"] for row in rows("prompts")), key=len)
    costs_s = []
    for _ in range(5):
        begun = time.process_time()
        GUARD.judge(prompt, rewritten(prompt))
        costs_s.append(time.process_time() - begun)
    assert min(costs_s) * 1000 <= 20 * len(prompt) / 1000, costs_s  # a bound against kinds of growth, on any machine


def test_a_long_answer_of_other_sentences_costs_little_more_than_a_plain_loop_of_a_million_steps() -> None:
    prompt = max((row["manual_prompt"] for row in rows("prompts")), key=len)
    answer = "\n".join(f"- Note: {line}" for line in re.split(r"(?<=[.!?。])\s+|\n", prompt))
    costs = []
    for _ in range(7):
        begun = time.process_time()
        GUARD.judge(prompt, answer)
        judged = time.process_time()
        sum(number for number in range(1_000_000) if number)
        costs.append((judged - begun) / (time.process_time() - judged))
    assert min(costs) < 3, costs  # about one on any machine


def test_every_fallback_is_in_the_language_of_its_prompt_and_keeps_every_fact() -> None:
    texts = PromptText()
    for row in rows("prompts"):
        prompt = row["manual_prompt"]
        combined = texts.fallback(row["business_type"], prompt)
        assert texts.has_template(row["business_type"], prompt), row["id"]
        assert all(fact in combined for fact in row["facts"])
        assert language(combined.partition("~~~")[0]) in row["language"].split("+")


def test_wrappings_are_removed_and_innocent_prompts_left() -> None:
    bed = rows("wrapped_answers")
    for draft in ("", "expected"):
        removed = [clean_answer(row["answer"], row.get(draft, "")) == row["expected"] for row in bed]
        assert sum(removed) >= 0.95 * len(removed)
    for row in rows("innocent_prompts"):
        assert clean_answer(row["prompt"]) == clean_answer(row["prompt"], row["prompt"]) == row["prompt"]


def test_nearly_every_damaged_answer_is_noticed_or_mended_by_its_shape() -> None:
    prompts = {row["id"]: row["manual_prompt"] for row in rows("prompts")}
    bed = rows("damaged_answers")
    unnoticed = []
    for row in bed:
        draft = prompts[row["prompt"]]
        prompt = restored(draft, clean_answer(row["answer"], draft))
        if GUARD.judge(draft, prompt).faithful and prompt == row["answer"]:
            unnoticed.append(row["id"])
    assert len(unnoticed) * 57 <= 5 * len(bed), unnoticed


if __name__ == "__main__":
    for kind, (count, tried) in figures().items():
        print(f"{kind:10} {count:5} of {tried:5}  {count / tried:6.1%}")
