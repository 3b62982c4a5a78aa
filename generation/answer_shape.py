"""Extracts the prompt from an answer: the text between the marks, or else the text without its wrapping.

Refuses to change the prompt itself: what may belong to it stays, and what the draft says too always may. Linear in the
answer's length.
"""

from __future__ import annotations

import json
import re
from functools import cached_property

from generation.announcements import is_announcement, is_changes_heading, is_offer, speaks_of_prompts
from generation.fidelity.folding import fold
from generation.fidelity.languages import SPOKEN_IN
from generation.marks import Marks
from generation.remarks import (
    is_about_the_text,
    is_bare_heading,
    is_courtesy,
    is_pointer,
    is_remark,
    is_report,
    names_others,
    sentences_of,
)

LONGEST_LINE = 300  # characters of an announcement
LONGEST_TAIL = 2_500  # characters that may be cut off at the end
FENCE = re.compile(r"(`{3,}|~{3,})([^`\n]{0,80})")
LIST_NUMBER = re.compile(r"^\s{0,8}\d{1,2}[.)] ", re.MULTILINE)
UNDERLINE = re.compile(r"={3,80}|-{3,80}")
QUOTES = {'"': '"', "\u201c": "\u201d", "\u201e": "\u201c", "\u00ab": "\u00bb", "\u300c": "\u300d"}
TITLE_AND_TEXT = re.compile(r"\s{0,3}([#*_]{1,4}[^:\uff1a\n]{2,60})[:\uff1a][*_]{0,3}\s+\S")
RULE = re.compile(r"-{3,20}|\*{3,20}|_{3,20}")
TAGGED = re.compile(r"<([A-Za-z][\w -]{0,40})>\s*")
TAG_NAMES = re.compile(r"prompt|answer|output|result|response|improved|rewrit", re.IGNORECASE)
MEMBER_NAMES = re.compile(r"prompt|result|output|answer|text|response", re.IGNORECASE)
HAS_FACT = re.compile(r"\d|://|@|\{\{|[`%$€£]")
UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[\u0900-\u0963]+|\w{2,}")
LOOKED_AT = 4_000  # characters at an answer's beginning in which its first mark is looked for before text is shown


def prompt_in(answer: str, marks: Marks, draft: str) -> str:
    """Return the prompt: between the marks where they are, else without what models put around one."""
    _, begun, rest = answer.partition(marks.begin)
    if not begun:
        return clean_answer(answer.replace(marks.end, ""), draft)
    inside, ended, _ = rest.rpartition(marks.end)
    prompt = (inside if ended else rest).replace(marks.begin, "").replace(marks.end, "").strip()
    return "\n".join(_without_fence(prompt.split("\n"))).strip() or clean_answer(answer, draft)


def clean_answer(text: str, draft: str = "") -> str:
    """Remove the wrapping that models put around a prompt; without a draft, only what is wrapping for certain."""
    whole = text.strip()
    known = _Known(draft)
    cleaned = _unpacked(whole, known)
    for _ in range(3):
        before = cleaned
        cleaned = _without_ends(cleaned, known)
        cleaned = _unpacked(cleaned, known)
        if cleaned == before:
            break
    return cleaned or whole


class _Known:
    """The draft's statements, which must not be cut away."""

    def __init__(self, draft: str) -> None:
        self._written = draft

    @cached_property
    def draft(self) -> str:
        return fold(self._written)

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(UNIT.findall(self.draft.casefold()))

    @cached_property
    def has_no_rule(self) -> bool:
        written = self._written
        return bool(written) and not any(RULE.fullmatch(line.strip()) for line in written.split("\n"))

    @cached_property
    def speaks_of_no_prompts(self) -> bool:
        return bool(self.draft) and not speaks_of_prompts(self.draft)

    def begins_with(self, line: str) -> bool:
        """Say whether the draft begins with a line."""
        return self.draft.lstrip().startswith(fold(line))

    def says(self, paragraph: str) -> bool:
        """Say whether the draft says this too: literally, or with half of its words that are not in every text."""
        if not self.draft:
            return False
        folded = fold(paragraph).strip("#*_>- \n:")
        if folded and folded in self.draft:
            return True
        words = set(UNIT.findall(folded.casefold())) - SPOKEN_IN.keys()
        return 2 * len(words & self.words) > len(words) > 0


def _unpacked(text: str, known: _Known) -> str:
    """Remove the wrapping of the whole answer: JSON, a tag, a fence."""
    if text.startswith("{") and text.endswith("}") and not known.draft.lstrip().startswith("{"):
        text = _from_json(text, known)
    tag = TAGGED.match(text)
    if tag and TAG_NAMES.search(tag[1]) and text.endswith(f"</{tag[1]}>") and text.count(f"</{tag[1]}>") == 1:
        text = text[tag.end() : -len(tag[1]) - 3].strip() or text
    if known.draft and not known.draft.lstrip().startswith(('"', "'")):
        text = _without_quotes(text)
    if not known.draft.lstrip().startswith(("```", "~~~")):
        text = "\n".join(_without_fence(text.split("\n"))).strip()
    return text


def _without_quotes(text: str) -> str:
    """Remove the quotation marks that go around everything."""
    if len(text) > 6 and text.startswith('"""') and text.endswith('"""') and text.count('"""') == 2:
        return text[3:-3].strip() or text
    closing = QUOTES.get(text[:1])
    if closing and len(text) > 2 and text.endswith(closing):
        inside = text[1:-1]
        if text[0] not in inside and closing not in inside:
            return inside.strip() or text
    return text


def _from_json(text: str, known: _Known) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(value, dict):
        return text
    texts = {name: member for name, member in value.items() if isinstance(member, str) and member.strip()}
    if not known.draft and len(texts) < len(value):
        return text
    named = [member for name, member in texts.items() if MEMBER_NAMES.search(name)]
    if len(named) == 1 and len(named[0]) >= sum(map(len, texts.values())) / 2:
        return named[0].strip()
    return text


def _without_ends(text: str, known: _Known) -> str:
    lines = text.split("\n")
    start = _opening(lines, known) if len(lines) > 1 else 0
    lines = lines[start:] if start else lines
    cut = _tail(lines, known)
    framed = len(lines) > 2 and RULE.fullmatch(lines[0].strip()) and RULE.fullmatch(lines[-1].strip())
    if start or cut is not None or (framed and known.has_no_rule):
        lines = _without_rules(lines[:cut])
    return "\n".join(lines).strip()


def _opening(lines: list[str], known: _Known) -> int:
    """Return how many lines at the beginning announce the prompt and nothing else."""
    line = lines[0].strip()
    if not line or len(line) > LONGEST_LINE:
        return 0
    underlined = UNDERLINE.fullmatch(lines[1].strip()) is not None
    if not (underlined or not lines[1].strip() or line.endswith((":", "\uff1a", ":**"))):
        return 0
    foreign = known.speaks_of_no_prompts
    if known.says(line):
        return 0
    if is_announcement(f"# {line}" if underlined else line, foreign=foreign):
        return 1 + underlined
    if underlined:
        return 0
    sentences = sentences_of(line)
    told = [sentence for sentence in sentences if not is_courtesy(sentence)]
    if not told:
        return int(line[-1] in ":!.\uff1a\uff01\u3002" and bool(known.draft) and not known.begins_with(line))
    apart = not lines[
        1
    ].strip()  # what a list follows at once may be the owner's: "Here is the new version of the menu:"
    announced = all(
        is_announcement(sentence, foreign=foreign) or is_report(sentence) or (apart and is_pointer(sentence))
        for sentence in told
    )
    return int(announced and HAS_FACT.search(line) is None)


def _tail(lines: list[str], known: _Known) -> int | None:
    """Return the line after which the answer only talks about the prompt; None when it does not."""
    length, at = 0, len(lines) - 1
    last_break: int | None = None
    while at > 0 and length <= LONGEST_TAIL:
        line = lines[at]
        length += len(line) + 1
        if not line.strip():
            if last_break is None:
                if _is_talk("\n".join(lines[at + 1 :]).strip(), lines[:at], known):
                    return at
                last_break = at
        elif not lines[at - 1].strip() and _heads_talk(lines[at:], known):
            return at
        at -= 1
    return None


def _is_talk(paragraph: str, before: list[str], known: _Known) -> bool:
    """Say whether a last paragraph is said to the owner, and is no sentence that the lines before it announce."""
    if not is_remark(paragraph) and (not is_offer(paragraph) or names_others(paragraph)):
        return False
    above = next((line.strip() for line in reversed(before) if line.strip()), "")
    if above.endswith((":", "\uff1a", ":**")) or above.startswith("#"):
        return False
    return not HAS_FACT.search(paragraph) and not known.says(paragraph)


def _heads_talk(lines: list[str], known: _Known) -> bool:
    """Say whether the lines are a section on what was changed in the prompt."""
    heading = lines[0]
    underlined = len(lines) > 1 and UNDERLINE.fullmatch(lines[1].strip()) is not None
    formatted = underlined or heading.lstrip().startswith(("#", "*", "_")) or heading.rstrip().endswith((":", "?"))
    inline = TITLE_AND_TEXT.match(heading)
    if inline:
        heading = inline[1]
    if is_bare_heading(heading):
        rest = "\n".join([lines[0].partition(":")[2], *lines[1:]])
        talks = formatted and is_about_the_text(LIST_NUMBER.sub("", rest))
    else:
        talks = formatted and is_changes_heading(heading)
    text = LIST_NUMBER.sub("", "\n".join(lines))
    return talks and not HAS_FACT.search(text) and not known.says(text)


def _without_rules(lines: list[str]) -> list[str]:
    """Remove the lines that were drawn between the prompt and what stood around it."""
    lines = "\n".join(lines).strip().split("\n")
    if lines and RULE.fullmatch(lines[0].strip()):
        lines = lines[1:]
    if lines and RULE.fullmatch(lines[-1].strip()):
        lines = lines[:-1]
    return lines


def _without_fence(lines: list[str]) -> list[str]:
    """Remove the fence when it goes around everything; a prompt may have fences of its own."""
    opening = FENCE.fullmatch(lines[0].strip()) if len(lines) > 2 else None
    if opening is None or lines[-1].strip() != opening[1]:
        return lines
    inner_open = False
    for line in lines[1:-1]:
        fence = FENCE.fullmatch(line.strip()) if opening[1][0] in line else None
        if fence is None or fence[1] != opening[1]:
            continue
        if not inner_open and not fence[2].strip():
            return lines  # this line closes the first of several blocks
        inner_open = not inner_open
    return lines if inner_open or not any(line.strip() for line in lines[1:-1]) else lines[1:-1]
