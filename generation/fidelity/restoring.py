"""Escapes taken back that Markdown or HTML put into what the draft has without them. Refuses to know facts."""

from __future__ import annotations

import html
import re
from operator import itemgetter

from generation.fidelity.folding import ENTITY, ESCAPED

WORD_WITH_ESCAPE = re.compile(r"[^\s\\&]{0,200}(?:\\[!-/:-@\[-`{-~]|&(?:#\d{1,7}|[a-zA-Z]{2,8});)\S{0,300}")
MOST_WORDS = 200


def restored(draft: str, answer: str) -> str:
    """Return the answer with each escaped word as the draft has it: ``Alpen2026\\!`` is ``Alpen2026!`` again."""
    if "\\" not in answer and "&" not in answer:
        return answer
    left = MOST_WORDS

    def plain(found: re.Match[str]) -> str:
        nonlocal left
        left -= 1
        word = found[0]
        bare = ESCAPED.sub(itemgetter(1), ENTITY.sub(lambda entity: html.unescape(entity[0]), word))
        return bare if left >= 0 and word not in draft and bare.strip(".,;:()[]*_") in draft else word

    return WORD_WITH_ESCAPE.sub(plain, answer)
