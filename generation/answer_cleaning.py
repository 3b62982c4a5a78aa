"""What models put around a prompt although they were asked for it alone, taken away.

Refuses to change the prompt itself: what may belong to it stays. All of it takes time in proportion to the text, and
there is an end to that: this runs on the event loop.
"""
# ruff: noqa: RUF001  # letters and colons of other scripts look like Latin ones to ruff

from __future__ import annotations

import re

# The words with which models announce a rewritten prompt, in the languages they are mostly asked in. A line must both
# say "prompt" and say that it was improved: "Here is the form of the prompts you get:" may well begin a prompt.
OPENER = re.compile(
    r"here|below|sure|certainly|of course|absolutely|great|okay|ok\b|i've|i have|this is"
    r"|hier|gerne|natürlich|aquí|claro|voici|bien sûr|ecco|certo|aqui|işte|tabii|вот|конечно"
    r"|در ادامه|در اینجا|اینجا|این|حتماً|البته|إليك|فيما يلي|هذا|بالتأكيد|הנה|להלן|בטח|以下|这是|這是|好的|当然",
    re.IGNORECASE,
)
IMPROVED = re.compile(
    r"improved|enhanced|rewritten|revised|refined|optimi[sz]ed|polished|reworked|better"
    r"|verbessert|überarbeitet|optimiert|mejorad|optimizad|amélioré|optimisé|migliorat|melhorad|otimizad"
    r"|geliştirilmiş|iyileştirilmiş|улучшенн|доработанн|بهبود|بازنویسی|بهینه|محسّن|محسن|المحسّ|משופר|משודרג|优化|改进|改善|優化",
    re.IGNORECASE,
)
PROMPT = re.compile(
    r"prompt|istem|промпт|подсказк|запрос|پرامپت|پرسش|دستور|موجّه|الموجه|برومبت|توجيه|פרומפט|הנחיה|提示|プロンプト",
    re.IGNORECASE,
)
TITLE_WORDS = 4  # "**Improved prompt**" announces; "# Improved prompts for nurses" is what a prompt is about
LONGEST_ANNOUNCEMENT = LONGEST_OFFER = 200
LONGEST_CLEANED = 300_000  # characters; more than 65,536 tokens of English are

OFFER = re.compile(
    r"(?:please )?(?:let me know|feel free|would you like|if you(?:'d| would) like|i hope|i can also)\b"
    r".*\b(?:prompt|version|adjust\w*|refine\w*|tweak\w*|revis\w+|changes)\b.*",
    re.IGNORECASE,
)
# Numbers, addresses and placeholders are the owner's: "If you'd like changes to an order, call 030 7654321."
OWNERS = re.compile(r"[\d@{}]|://")
RULE = re.compile(r"-{3,}|\*{3,}|_{3,}")
FENCE = re.compile(r"(`{3,}|~{3,})([^`]*)")
FENCE_LINE = re.compile(r"^[^\S\n]*+(`{3,}|~{3,})([^`\n]*)$", re.MULTILINE)


def clean_answer(text: str) -> str:
    """Remove a line that announces the prompt, a closing offer of help, and a fence around everything."""
    text = text.strip()
    if len(text) > LONGEST_CLEANED:
        return text
    lines, wrapped = text.split("\n"), False
    if len(lines) > 1 and _announces(lines[0]):
        lines, wrapped = _trimmed(lines[1:]), True
    if len(lines) > 2 and not lines[-2].strip() and _offers_help(lines[-1].strip()):
        lines, wrapped = _trimmed(lines[:-1]), True
    if wrapped:
        lines = _without_rules(lines)
    return "\n".join(_trimmed(_without_fence(lines))) or text


def _offers_help(line: str) -> bool:
    return len(line) <= LONGEST_OFFER and not OWNERS.search(line) and bool(OFFER.fullmatch(line))


def _announces(line: str) -> bool:
    title = line.strip().strip("*_# ") if len(line) <= 2 * LONGEST_ANNOUNCEMENT else ""
    if not 0 < len(title) <= LONGEST_ANNOUNCEMENT or not (IMPROVED.search(title) and PROMPT.search(title)):
        return False
    if title.endswith((":", "：")):
        return bool(OPENER.match(title)) or len(title.split()) <= TITLE_WORDS
    return line.lstrip().startswith(("#", "**", "__")) and len(title.split()) <= TITLE_WORDS


def _without_rules(lines: list[str]) -> list[str]:
    """Remove the lines that were drawn between the prompt and what stood around it."""
    if lines and RULE.fullmatch(lines[0].strip()):
        lines = lines[1:]
    if lines and RULE.fullmatch(lines[-1].strip()):
        lines = lines[:-1]
    return _trimmed(lines)


def _without_fence(lines: list[str]) -> list[str]:
    """Remove the fence when it goes around everything; a prompt may have fences of its own."""
    opening = FENCE.fullmatch(lines[0].strip()) if len(lines) > 2 else None
    if opening is None or lines[-1].strip() != opening[1]:
        return lines
    inner_open = False
    for fence in FENCE_LINE.finditer("\n".join(lines[1:-1])):
        if fence[1] != opening[1]:
            continue
        if not inner_open and not fence[2].strip():
            return lines  # this line closes the first of several blocks
        inner_open = not inner_open
    return lines if inner_open else lines[1:-1]


def _trimmed(lines: list[str]) -> list[str]:
    first, last = 0, len(lines)
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    return lines[first:last]
