"""Whether a reader would see anything of a text.

Unseen are Unicode's white space, controls, the characters that are to be drawn as nothing (its property
Default_Ignorable_Code_Point), and a few more of the kind. A mark without a letter is drawn, and so is a character that
no font knows. The same characters stand in docs/openapi.yaml, in the pattern of `manual_prompt`.

Source: Unicode 16, PropList.txt and DerivedCoreProperties.txt.
"""

from __future__ import annotations

import re

# In the order of code points, ends included; those outside of the named property: controls up to U+009F, white space,
# U+2800 (the empty braille cell), surrogates, U+FFF9 to U+FFFB (annotations).
UNSEEN = (
    ("\x00", " "),
    ("\x7f", "\xa0"),
    ("\xad", "\xad"),
    ("\u034f", "\u034f"),
    ("\u061c", "\u061c"),
    ("\u115f", "\u1160"),
    ("\u1680", "\u1680"),
    ("\u17b4", "\u17b5"),
    ("\u180b", "\u180f"),
    ("\u2000", "\u200f"),
    ("\u2028", "\u202f"),
    ("\u205f", "\u206f"),
    ("\u2800", "\u2800"),
    ("\u3000", "\u3000"),
    ("\u3164", "\u3164"),
    ("\ud800", "\udfff"),
    ("\ufe00", "\ufe0f"),
    ("\ufeff", "\ufeff"),
    ("\uffa0", "\uffa0"),
    ("\ufff0", "\ufffb"),
    ("\U0001bca0", "\U0001bca3"),
    ("\U0001d173", "\U0001d17a"),
    ("\U000e0000", "\U000e0fff"),
)
SEEN = re.compile("[^" + "".join(f"{first}-{last}" for first, last in UNSEEN) + "]")


def is_visible(text: str) -> bool:
    """Say whether one character at least is drawn."""
    return SEEN.search(text) is not None
