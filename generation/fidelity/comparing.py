"""Draft against answer: which facts are lost, which are invented, which have changed places.

Pure; linear in the length of both texts.
"""
# ruff: noqa: E501  # patterns

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from operator import itemgetter

from generation.fidelity import figures, literals, phones, verbatim
from generation.fidelity.company import crossed, kept_company
from generation.fidelity.counting import at_another_time, short_of
from generation.fidelity.day_hours import exchanged_hours
from generation.fidelity.exchanges import beside_their_own, exchanged
from generation.fidelity.fact import Fact, Facts, Key
from generation.fidelity.languages import language
from generation.fidelity.lists import told_otherwise
from generation.fidelity.matching import apart, matched
from generation.fidelity.misplaced import Fits
from generation.fidelity.number_words import NumberWords
from generation.fidelity.places import swapped
from generation.fidelity.ranges import exchanged_ends

MOST_CODE = 50  # pieces of code in which other facts are looked for
MOST_INVENTED = 100  # of an answer; nobody reads the names of more
INVENTABLE = frozenset({"telephone", "link", "e-mail", "account", "date", "code"})
KNOWN_NAMES = re.compile(
    r"(?:COVID|UTF|ISO|RFC|GPT|SHA|MP|AES|HTTP|IPV|DIN|EN|VO|A|B)[-_ ]?\d{1,5}(?:[-:]\d{1,4})?", re.IGNORECASE
)
STRONG_CODE = re.compile(r"(?=[^\W\d]*[A-ZÀ-ÞА-Я])(?=(?:\D*\d){2})[\w/-]{5,}|[A-ZÀ-ÞА-Я]{5,20}\d")
GERMAN_MONTHS = r"Jan|J\u00e4n|Feb|M\u00e4r|Mrz|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez"  # 30. November
LIST_NUMBER = re.compile(rf"^([ #*>-]{{0,12}})\d{{1,2}}[.)] (?=\D)(?!{GERMAN_MONTHS})", re.MULTILINE)
DATE_IN_TWO_LINES = re.compile(rf"\.(?<=\d\.) ?\n[ *>-]{{0,12}}(?={GERMAN_MONTHS})")
SENTENCE_END = re.compile(
    rf"[\n.!?;](?:(?<=\n)|(?<=[^\d\s][.!?;]) (?<![\s.][^\W\d_]\. )(?!\d{{1,2}}[.)] )|(?<=[^\d\s]\.)(?=[\u3040-\u9fff])|(?<=\d\.) (?=[^\W\d_])(?!(?:{GERMAN_MONTHS}|oder |und |bis )))"
)
ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
CAPITAL = re.compile(r"[A-Z](?<![A-Za-z0-9].)(?![A-Za-z0-9])")
CAPITAL_FIRST = re.compile(r"^[ |*>-]{0,12}([A-Z])(?![A-Za-z0-9])", re.MULTILINE)
# What a draft says to the model rather than to its assistant: nothing in such a sentence has to stay.
INJECTION = re.compile(r"</\w{1,20}>|\bmanual_prompt\b|-{3} ?END", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``facts``: how many different ones the draft has; 0 where nothing was lost and nobody counted."""

    lost: list[Fact]
    swapped: list[Fact]
    invented: list[Fact]
    facts: int


def compare(draft: str, answer: str) -> Comparison:
    """Compare two folded texts. What both say in the same sentence is not looked at, unless something else is amiss."""
    if draft == answer:
        return Comparison([], [], [], 0)
    draft, answer = _without_list_numbers(draft), _without_list_numbers(answer)
    spoken = partial(language, draft)
    memo: figures.Memo = {}
    same, draft_rest, answer_rest = _apart(draft, answer)
    drafted, answered = read(draft_rest, memo), read(answer_rest, memo)
    ours, theirs = apart(drafted.found), apart(answered.found)
    nearly = verbatim.changed(drafted, ours, answered, theirs)
    moved = _moved(drafted, ours, answered, nearly.moved)
    lost = missing(drafted, draft_rest, answered, answer_rest, spoken)
    added = invented(drafted, draft_rest, answered)
    if not (nearly.altered or lost or added):
        return Comparison([], [fact.with_beside(draft_rest) for fact in moved], [], 0)
    different = {fact.ways for fact in drafted.found}
    if same:
        common = read(same, memo)
        different.update(fact.ways for fact in common.found)
        drafted.count_in(common)
        answered.count_in(common)
        lost = missing(drafted, draft, answered, answer, spoken)
        added = invented(drafted, draft, answered)
    lost += [fact for fact in nearly.altered if fact not in lost]
    moved = [fact for fact in moved if fact not in lost]
    return Comparison(
        [fact.with_beside(draft_rest) for fact in lost],
        [fact.with_beside(draft_rest) for fact in moved],
        added,
        len(different),
    )


def _without_list_numbers(text: str) -> str:
    """Return the text without the numbers of its lists; a date that was taken for a sentence's end is whole again."""
    return DATE_IN_TWO_LINES.sub(". ", LIST_NUMBER.sub(itemgetter(1), text))


def _moved(draft: Facts, ours: list[Fact], answer: Facts, known: list[Fact]) -> list[Fact]:
    """Return the draft's facts that are in others' places, however the answer spells them, with the known ones."""
    moved = swapped(draft, draft.text, answer, answer.text)
    traded = {fact.ways[0][0] for fact in known}
    traded |= exchanged(draft.found, draft.text, answer.found, answer.text)
    theirs = apart(matched(draft, answer))
    fits = Fits(ours, draft.text, theirs, answer.text)
    if moved:
        in_place = fits.in_place({fact.ways[0][0] for fact in moved})
        moved = [fact for fact in moved if fact.ways[0][0] not in in_place]
    traded |= fits.misplaced(partial(beside_their_own, ours, draft.text, theirs, answer.text))
    traded |= crossed(ours, draft.text, theirs, answer.text)
    traded |= exchanged_ends(ours, draft.text, theirs, answer.text)
    moved += [fact for fact in draft.found if fact.ways[0][0] in traded and fact not in moved]
    if moved:
        stayed = told_otherwise(ours, draft.text, theirs, answer.text)
        stayed |= kept_company(ours, draft.text, theirs, answer.text)
        stayed -= {fact.ways[0][0] for fact in known}
        moved = [fact for fact in moved if fact.ways[0][0] not in stayed]
    hours = exchanged_hours(draft, answer)
    return moved + [fact for fact in draft.found if fact.ways[0][0] in hours and fact not in moved]


def _apart(draft: str, answer: str) -> tuple[str, str, str]:
    """Return the sentences that both have, those of the draft alone, and those of the answer alone."""
    if "```" in draft or "~~~" in draft or ('"' in draft and "{" in draft):
        return "", draft, answer  # what goes over several lines must not be cut
    ours, theirs = _sentences(draft), _sentences(answer)
    same = set(ours) & set(theirs)
    return (
        "\n".join(sentence for sentence in ours if sentence in same),
        "\n".join(sentence for sentence in ours if sentence not in same),
        "\n".join(sentence for sentence in theirs if sentence not in same),
    )


def _sentences(text: str) -> list[str]:
    # A sentence may end with a placeholder: only what opens a line is taken from in front.
    return [sentence.lstrip(" -*#>.").rstrip(" *.") for sentence in SENTENCE_END.split(text)]


def read(text: str, memo: figures.Memo) -> Facts:
    """Return the facts of a folded text."""
    facts = Facts(text)
    rest, code = literals.read(text, facts)
    figures.read(rest, facts, memo)
    if code and len(code) < MOST_CODE:  # what stands in code is a fact by being part of it
        facts.found = [
            fact
            for fact in facts.found
            if fact.kind == "code" or not any(begin < fact.start < end for begin, end in code)
        ]
    return facts


def missing(draft: Facts, draft_text: str, answer: Facts, answer_text: str, spoken: Callable[[], str]) -> list[Fact]:
    """Return the draft's facts that the answer has not, each once; ``spoken`` tells the draft's language."""
    lost: list[Fact] = []
    seen: set[tuple[tuple[Key, ...], ...]] = set()
    in_words, written = NumberWords(answer_text, draft_text), _Codes(answer_text)
    for fact in draft.found:
        if answer.has(fact) and not (
            short_of(fact, draft, answer, in_words)
            or at_another_time(fact, draft, answer)
            or _is_foreign(fact, draft, answer, spoken)
        ):
            continue
        if fact.ways in seen:
            continue
        seen.add(fact.ways)
        if fact.kind == "code":
            if written.have(fact) or INJECTION.search(fact.text):
                continue
        elif fact.kind in ("number", "time") and not answer.has(fact) and in_words.have(fact):
            continue
        lost.append(fact)
    return lost


def _is_foreign(fact: Fact, draft: Facts, answer: Facts, spoken: Callable[[], str]) -> bool:
    """Say whether the answer has a telephone number with the code alone of a country that the draft speaks not of."""
    if fact.kind != "telephone":
        return False
    plain = tuple(way for way in fact.ways if way[0][0] != "from abroad")
    if len(plain) == len(fact.ways) or answer.has(fact._replace(ways=plain)):
        return False
    given = {
        phones.country_code(other.text)
        for way in fact.ways
        for part in (answer, *answer.others)
        for other in part.offering(way[0])
        if other.kind == "telephone"
    }
    own = {phones.country_code(other.text) for other in draft.found if phones.is_international(other.text)}
    known = phones.CODES_OF.get(spoken())
    return known is not None and bool(given) and given.isdisjoint(known | own)


def invented(draft: Facts, draft_text: str, answer: Facts) -> list[Fact]:
    """Return what a reader would act on and the draft does not say: telephones, links, e-mails, accounts, dates, codes."""
    found: list[Fact] = []
    seen: set[tuple[tuple[Key, ...], ...]] = set()
    for fact in answer.found:
        if len(found) == MOST_INVENTED:
            break
        if fact.kind not in INVENTABLE or fact.ways in seen or draft.has(fact):
            continue
        seen.add(fact.ways)
        if fact.kind == "code":
            sort, value = fact.ways[0][0]
            if (
                sort != "token"
                or not STRONG_CODE.fullmatch(value)
                or KNOWN_NAMES.fullmatch(value)
                or value in draft_text
            ):
                continue
        if fact.kind == "date" and not any(key[0] in ("date", "figures") for way in fact.ways for key in way):
            continue
        if fact.kind == "telephone" and fact.text.strip("+()") in draft_text:
            continue
        found.append(fact)
    return found


class _Codes:
    """A text in which codes are looked for as they are written; what many searches share is made once."""

    def __init__(self, text: str) -> None:
        self._text = text

    def have(self, fact: Fact) -> bool:
        sort, value = fact.ways[0][0]
        if sort == "code":
            return value in self._collapsed
        if not self._words.issuperset(ASCII_WORD.findall(value)):
            return False
        if sort == "labels":  # in whatever order: sizes S, M, L
            labels = set(value.split(","))
            return _stands_alone(value, self._unspaced) or any(labels <= line for line in self._labels)
        return _stands_alone(value, self._text)

    @cached_property
    def _collapsed(self) -> str:
        return literals.collapsed(self._text)

    @cached_property
    def _unspaced(self) -> str:
        return self._text.replace(", ", ",")

    @cached_property
    def _labels(self) -> list[set[str]]:
        """The single capitals of each line, and those that lines begin with."""
        lines = [set(CAPITAL.findall(line)) for line in self._text.split("\n")]
        return [*filter(None, lines), set(CAPITAL_FIRST.findall(self._text))]

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(ASCII_WORD.findall(self._text))


def _stands_alone(value: str, text: str) -> bool:
    """Say whether the value is in the text with neither an ASCII letter nor a figure directly beside it."""
    at = text.find(value)
    while at >= 0:
        beside = text[max(0, at - 1) : at] + text[at + len(value) : at + len(value) + 1]
        if not ASCII_WORD.search(beside):
            return True
        at = text.find(value, at + 1)
    return False
