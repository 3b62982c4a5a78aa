"""Whether a reader would see anything of a text."""

from __future__ import annotations

import unicodedata

# Letters and signs by their category that are drawn as nothing: Hangul fillers and the empty braille cell.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Spaces, line and paragraph separators, controls, format characters, marks without a letter before them, unassigned.
UNSEEN_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me", "Cn", "Cs"})


def is_visible(text: str) -> bool:
    """Say whether one character at least is drawn."""
    return any(
        character not in BLANK and unicodedata.category(character) not in UNSEEN_CATEGORIES for character in text
    )
