"""Text as it is searched, the same on both databases: neither of them folds accents by itself, and SQLite folds A to Z only."""

from __future__ import annotations

import unicodedata

# Letters that Unicode does not take apart, as an American keyboard writes them.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_INSIDE_A_WORD = frozenset("'’‘ʼ`´.")


def folded(text: str) -> str:
    """Text as it is searched: no case, accents or punctuation, single spaces."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN)
    kept = []
    for character in plain:
        kind = unicodedata.category(character)
        if kind[0] in "LN" or kind == "Mc":
            kept.append(character)
        elif kind not in ("Mn", "Me", "Cf") and character not in _INSIDE_A_WORD:
            kept.append(" ")
    return " ".join("".join(kept).split())
