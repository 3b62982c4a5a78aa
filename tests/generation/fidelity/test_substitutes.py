"""Answers that are no rewrite, in many languages, and rewrites of drafts that tempt a model to answer them."""

# ruff: noqa: RUF001  # texts in other scripts look like other letters to ruff, as they should

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generation.fidelity import Guard, languages
from generation.prompt_text import INSTRUCTION

FIXTURES = Path(__file__).parent / "fixtures"
GUARD = Guard(INSTRUCTION)


def pairs(name: str) -> list[tuple[str, str]]:
    return [(row["draft"], row["answer"]) for row in json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))]


@pytest.mark.parametrize(("draft", "answer"), pairs("substitutes"))
def test_an_answer_that_is_no_faithful_rewrite_is_noticed(draft: str, answer: str) -> None:
    assert not GUARD.judge(draft, answer).faithful


@pytest.mark.parametrize(("draft", "answer"), pairs("kept"))
def test_a_rewrite_of_a_question_a_task_or_an_injection_is_faithful(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful


def test_a_few_words_in_arabic_letters_are_told_apart_by_the_words() -> None:
    assert languages.language("مودب باش و {{نام}} را صدا بزن.") == "fa"
    assert languages.language("كن مهذبا مع الزبون.") == "ar"


@pytest.mark.parametrize(
    ("draft", "reply"),
    [
        ("Be warm and brief. We rent kayaks, $18 an hour.", "Kayaks are $18 an hour. Which day suits you?"),
        ("Kurz und höflich. Räder 12 € am Tag.", "Ein Rad kostet 12 € am Tag. Für wann darf ich reservieren?"),
        ("كن لطيفًا. الدراجة 12 درهمًا.", "الدراجة 12 درهمًا. متى تريدها؟"),
        ("Kurz und höflich. Räder 12 € am Tag.", "Guten Tag! Bei uns kostet ein Rad 12 € am Tag."),
        ("Sé breve. Bicis a 12 €.", "¡Hola! Las bicis cuestan 12 €."),
        ("लघु उत्तर। साइकिल ₹120।", "नमस्ते! साइकिल ₹120 में मिलती है।"),
        ("简短礼貌。单车每天30元。", "您好，单车每天30元。"),
        ("丁寧に。自転車は1日900円。", "こんにちは、自転車は1日900円です。"),
        ("Do you rent tandems? From $30, helmets $5.", "Yes, our tandems start at $30 and helmets are $5."),
        ("Louez-vous des tandems ? Dès 30 €.", "Oui, nous louons des tandems dès 30 €."),
        ("Есть тандемы? От 900 ₽.", "Да, у нас тандемы от 900 ₽."),
        ("有双人车吗？每天60元。", "可以的，双人车每天60元。"),
        ("Write a mail about bike no. 7.", "Subject: Your bike\n\nDear customer,\nbike no. 7 is ready."),
    ],
)
def test_a_reply_to_a_customer_is_no_rewrite(draft: str, reply: str) -> None:
    assert GUARD.judge(draft, reply).answered


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        ("Ask which day. Kayaks $18.", "Kayaks cost $18. Ask every guest: Which day suits you?"),
        ("Ask which day. Kayaks $18.", 'Kayaks cost $18.\nEnd each chat with "Which day suits you?"'),
        ("Kayaks $18.", "# Role\nYou are the guide of a kayak hire.\n- Kayaks: $18\n\nWhich day suits the guest?"),
        ("Hello is our greeting. Kayaks $18.", "Hello! That is our greeting. Kayaks: $18."),
        ("Kayaks $18.", "Welcome guests by name, be brief. Kayaks: $18."),
        ("Kajaks 18 €.", "Hallo! Du bist die Auskunft eines Verleihs. Kajaks: 18 €."),
        (
            "Do you rent kayaks? From $18.",
            "When a customer wants to know about kayaks, say that we rent them from $18.",
        ),
        ("Louez-vous des kayaks ? Dès 18 €.", "Si un client demande des kayaks, dis que nous en louons dès 18 €."),
        ("有皮划艇吗？每天60元。", "顾客问起皮划艇时，请说我们有，每天60元。"),
        ("Do you rent kayaks? From $18.", "Kayak hire: kayaks are rented from $18."),
    ],
)
def test_a_rewrite_that_greets_asks_or_says_we_is_no_reply(draft: str, answer: str) -> None:
    assert GUARD.judge(draft, answer).faithful
