"""Facts that must survive to the letter: code, links, e-mail addresses, placeholders, accounts.

Refuses to know numbers. Every scan is bounded, and counted where a text could ask for many.
"""
# ruff: noqa: E501  # patterns are easier to read whole

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from urllib.parse import unquote

from generation.fidelity.fact import Facts

FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})([^\n`]{0,80})$", re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`\n]{1,300})`(?!`)")
URL = re.compile(
    r"[hw](?:(?<=h)ttps?://|(?<![\w@./-].)(?<=w)ww\.)[^\s<>\"|\\^`\0\[\]\u3001-\u30ff\u4e00-\u9fff\uac00-\ud7af]{1,2000}",
    re.IGNORECASE,
)
TOP_LEVEL = re.compile(
    r"\.(?:com|org|net|info|biz|io|app|dev|shop|store|online|site|example|test|eu|de|at|ch|fr|es|pt|br|mx|uk|ca|au|ru|tr|ir|il|cn"
    r"|jp|kr|sa|ae|nl|pl|ai|tv)(?![\w-])(?!\.[a-z])(?:/[^\s<>\"|\\^`\0\[\]\u3001-\u30ff\u4e00-\u9fff\uac00-\ud7af]{0,500})?",
    re.IGNORECASE,
)
HOST_BEFORE = re.compile(r"[A-Za-z0-9-][A-Za-z0-9.-]{0,99}")
MAIL_BEFORE = re.compile(r"[A-Za-z0-9\u00c0-\u04ff._+%-]{1,64}")
MAIL_AFTER = re.compile(r"[A-Za-z0-9\u00c0-\u04ff-]{1,63}(?:\.[A-Za-z0-9\u00c0-\u04ff-]{1,63}){1,5}")
PLACEHOLDERS = (
    ("{{", re.compile(r"\{\{[^{}\n]{1,80}\}\}")),
    ("{%", re.compile(r"\{%[^%\n]{1,80}%\}")),
    ("<%", re.compile(r"<%[^%\n]{1,80}%>")),
    ("${", re.compile(r"\$\{[^{}\n]{1,80}\}")),
    ("{", re.compile(r"\{(?<![{$].)[^{}\n\":%]{1,60}\}(?!\})")),
    ("$", re.compile(r"\$(?<![\w$].)[A-Za-z_]\w{0,40}")),
    ("%(", re.compile(r"%\([^\W\d]\w{0,40}\)[sdif]")),
    ("%", re.compile(r"%(?<![\d%].)(?<!\d .)[sdif](?!\w)")),
    ("%", re.compile(r"%(?<![\w%].)[A-Z_]{2,40}%(?!\w)")),
    ("<", re.compile(r"<[A-Za-z\u00c0-\uffff][\w:. -]{0,60}>")),
    ("@@", re.compile(r"@@\w{1,40}@@")),
    (":", re.compile(r":(?<![^\s\"'(\[`>].)[^\W\d_]{1,30}_\w{1,40}(?![\w:])")),
    ("__", re.compile(r"__(?<!\w__)[A-Z][A-Z0-9_]{1,40}__(?!\w)")),
    ("[[", re.compile(r"\[\[[^\[\]\n:=]{1,80}\]\]")),
    ("[", re.compile(r"\[(?<!\[.)[^\W\d_][\w .'-]{1,40}\](?![(\[\]])")),
)
DIRECTIVE = re.compile(r"\[\[\w{1,40}:[^\[\]\n]{0,200}\]\]")  # said to a program on the way, not to the assistant
# Tags that format text, and those with which a draft tries to close its own quotation: neither is the owner's.
NO_PLACEHOLDER = re.compile(
    r"</?(?:b|i|u|s|p|br|hr|ul|ol|li|em|strong|code|pre|h[1-6]|div|span|table|tr|td|th|system|user|assistant|model|prompt"
    r"|manual_prompt|draft|data|instructions?|context|answer|input|output|text)\b[^>]{0,60}>",
    re.IGNORECASE,
)
# A path from the root or a drive, or one with a name that has an ending: and/or is none.
PATH = re.compile(
    r"(?<![^\s\"'(\[`:,=])(?:(?:~|\.{1,2})?/(?:[\w.-]{1,60}/){1,12}|[A-Z]:\\(?:[\w .-]{1,60}\\){0,12}|(?:[\w-][\w.-]{0,60}/){1,12}"
    r"(?=[\w.-]{1,60}\.[A-Za-z]))(?=[\w.-]*[A-Za-z])[\w.-]{1,80}"
)
ACCOUNT = re.compile(r"[A-Z](?<![A-Za-z0-9].)[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,8}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
# Source: SWIFT, IBAN registry; where a country is not here, the number goes as far as its groups do.
ACCOUNT_LENGTHS = dict(
    pair.split(":")
    for pair in [
        "AD:24",
        "AE:23",
        "AT:20",
        "BE:16",
        "BG:22",
        "BR:29",
        "CH:21",
        "CY:28",
        "CZ:24",
        "DE:22",
        "DK:18",
        "EE:20",
        "ES:24",
        "FI:18",
        "FR:27",
        "GB:22",
        "GE:22",
        "GR:27",
        "HR:21",
        "HU:28",
        "IE:22",
        "IL:23",
        "IR:26",
        "IS:26",
        "IT:27",
        "JO:30",
        "KW:30",
        "KZ:20",
        "LT:20",
        "LU:20",
        "LV:21",
        "MC:27",
        "MT:31",
        "NL:18",
        "NO:15",
        "PK:24",
        "PL:28",
        "PT:25",
        "QA:29",
        "RO:24",
        "RS:22",
        "SA:24",
        "SE:24",
        "SI:19",
        "SK:24",
        "TN:24",
        "TR:26",
        "UA:29",
    ]
)
BRACES = re.compile(r"[{}]")
OBJECT = re.compile(r"\{\s{0,20}\"")
BLANKS = re.compile(r"\s+")
ENDINGS = ".,:;!?'*"
MOST_LITERALS = 500  # of each sort


def read(text: str, facts: Facts) -> tuple[str, list[tuple[int, int]]]:
    """Add the text's literals; return it with those blanked out whose digits mean nothing else, and where code stands."""
    code = _read_code(text, facts)
    blanks = [directive.span() for directive in DIRECTIVE.finditer(text)] if "[[" in text else []
    if "{" in text:
        _read_objects(text, facts)
    if "://" in text or "www." in text.lower():
        _read_each(URL, text, facts, blanks, _add_link)
    if "@" in text:
        _read_mails(text, facts, blanks)
    rest = _blanked(text, blanks)
    _read_hosts(rest, facts, blanks)
    if "/" in text or "\\" in text:
        _read_each(PATH, _blanked(text, blanks), facts, blanks, _add_path)
    _read_each(ACCOUNT, rest, facts, blanks, _add_account)
    for sign, pattern in PLACEHOLDERS:
        if sign in text:
            _read_each(pattern, text, facts, blanks, _add_placeholder)
    return _blanked(text, blanks), code


def collapsed(text: str) -> str:
    """Return the text without any blanks, as code is compared."""
    return BLANKS.sub("", text)


def _read_code(text: str, facts: Facts) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    if "```" in text or "~~~" in text:
        opened: tuple[str, int, int] | None = None
        for mark in FENCE.finditer(text):
            if opened is None:
                opened = (mark[1], mark.start(), mark.end())
            elif mark[1].startswith(opened[0]) and not mark[2].strip():
                spans.append((opened[1], mark.end()))
                _add_code(text[opened[2] + 1 : mark.start()].strip(), opened[1], facts)
                opened = None
    if "`" in text:
        for number, found in enumerate(INLINE.finditer(text)):
            if number < MOST_LITERALS:
                spans.append(found.span())
                _add_code(found[1].strip(), found.start(), facts)
    return spans


def _add_code(content: str, start: int, facts: Facts) -> None:
    if content:
        facts.add("code", content, start, ("code", collapsed(content)))


def _read_objects(text: str, facts: Facts) -> None:
    """Find what looks like JSON: the outermost braces around a quoted name, however deep they nest."""
    if OBJECT.search(text) is None:
        return
    depth, begin = 0, 0
    for brace in BRACES.finditer(text):
        if brace[0] == "{":
            if depth == 0:
                begin = brace.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0 and brace.end() - begin <= 4_000 and OBJECT.match(text, begin):
                _add_code(text[begin : brace.end()], begin, facts)


def _read_each(
    pattern: re.Pattern[str],
    text: str,
    facts: Facts,
    blanks: list[tuple[int, int]],
    add: Callable[[str, int, Facts], int],
) -> None:
    for found in islice(pattern.finditer(text), MOST_LITERALS):
        if facts.full:
            return
        if length := add(found[0], found.start(), facts):
            blanks.append((found.start(), found.start() + length))


def _add_link(text: str, start: int, facts: Facts) -> int:
    link = _trimmed(text)
    scheme, _, rest = link.rpartition("://") if "://" in link[:8] else ("", "", link)
    if len(rest) < 4:
        return 0
    host, slash, path = rest.partition("/")
    if "?" in host or "#" in host:
        at = min(host.index(sign) for sign in "?#" if sign in host)
        host, path, slash = host[:at], host[at:] + slash + path, ""
    if "%" in path:
        path = unquote(path)
    rest = host.lower() + (slash + path if path else "")
    if scheme:
        facts.add("link", link, start, ("link", f"{scheme.lower()}://{rest}"))
        facts.keys["link", rest] += 1
    else:
        facts.add("link", link, start, ("link", rest))
    return len(link)


def _trimmed(link: str) -> str:
    """Cut off what a sentence or Markdown has put behind a link, and a bracket that opens in it and does not close."""
    link = _without_ending(link)
    if link.count("(") > link.count(")"):
        link = _without_ending(link[: link.rindex("(")])
    return link


def _without_ending(link: str) -> str:
    before = None
    while link != before:
        before = link
        link = link.rstrip(ENDINGS)
        for opening, closing in ("()", "{}"):
            if link.endswith(closing) and link.count(closing) > link.count(opening):
                link = link[:-1]
        if "**" in link or "](" in link:
            link = link.partition("**")[0].partition("](")[0]
    return link


def _read_mails(text: str, facts: Facts, blanks: list[tuple[int, int]]) -> None:
    at = -1
    for _ in range(MOST_LITERALS):
        at = text.find("@", at + 1)
        if at < 0:
            return
        after = MAIL_AFTER.match(text, at + 1)
        before = MAIL_BEFORE.match(text[max(0, at - 64) : at][::-1]) if after else None
        if after and before:
            local, host = before[0][::-1].lstrip(".-%"), after[0].rstrip(".-")
            if not local or "." not in host:
                continue
            start = at - len(local)
            facts.add("e-mail", f"{local}@{host}", start, ("e-mail", f"{local}@{host.lower()}"))
            blanks.append((start, at + 1 + len(host)))


def _read_hosts(text: str, facts: Facts, blanks: list[tuple[int, int]]) -> None:
    """Find hosts that have no scheme before them: kornblume.example/menu."""
    for number, found in enumerate(TOP_LEVEL.finditer(text)):
        if number >= MOST_LITERALS:
            return
        before = HOST_BEFORE.match(text[max(0, found.start() - 100) : found.start()][::-1])
        if before is None:
            continue
        start = found.start() - len(before[0])
        if start and text[start - 1] in "@/_":
            continue
        host = text[start : found.end()].lstrip("-.")
        if length := _add_link(host, start, facts):
            blanks.append((start, start + length))


def _add_path(text: str, start: int, facts: Facts) -> int:
    path = text.rstrip(ENDINGS)
    facts.add("code", path, start, ("path", path))
    return len(path)


def _add_account(text: str, start: int, facts: Facts) -> int:
    compact = text.replace(" ", "")
    most = int(ACCOUNT_LENGTHS.get(text[:2], "34"))
    if len(compact) > most:
        kept = 0
        for at, sign in enumerate(text):
            kept += sign != " "
            if kept == most:
                text, compact = text[: at + 1], compact[:most]
                break
    if sum(map(str.isdigit, compact)) < 8:
        return 0
    facts.add("account", text, start, ("account", compact))
    return len(text)


def _add_placeholder(text: str, start: int, facts: Facts) -> int:
    if NO_PLACEHOLDER.fullmatch(text):
        return 0
    if text.startswith("__"):  # or a word in bold, which may be written with asterisks
        facts.add("code", text, start, ("label", text.strip("_")))
        return len(text)
    facts.add("placeholder", text, start, ("placeholder", collapsed(text)))
    return len(text)


def _blanked(text: str, spans: list[tuple[int, int]]) -> str:
    if not spans:
        return text
    spans.sort()
    parts, at = [], 0
    for begin, end in spans:
        if begin >= at:
            parts += [text[at:begin], "\0" * (end - begin)]
            at = end
        elif end > at:
            parts.append("\0" * (end - at))
            at = end
    parts.append(text[at:])
    return "".join(parts)
