"""Decisions of the desk's look-up: which articles fit words typed, and whom an emergency is transferred to at an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from portal.shared.text import fold

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from portal.shared.calendar import BusinessCalendar

SHORTEST_WORD = 2
MOST_WORDS = 8
SMALL_WORDS = frozenset(
    {
        "an",
        "and",
        "are",
        "at",
        "be",
        "can",
        "do",
        "does",
        "for",
        "from",
        "how",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "the",
        "to",
        "we",
        "what",
        "when",
        "where",
        "who",
        "why",
        "will",
        "with",
        "you",
        "your",
    }
)


class Findable(Protocol):
    """What of an article is looked at when articles are put in order."""

    code: str
    title: str
    synonyms: str
    search_text: str


def words_of(text: str) -> list[str]:
    """The folded words that a search looks for: small words and single letters left out unless there are no others."""
    words = list(dict.fromkeys(fold(text[:200]).split()))
    telling = [word for word in words if len(word) >= SHORTEST_WORD and word not in SMALL_WORDS]
    return (telling or words)[:MOST_WORDS]


def fit(article: Findable, words: Sequence[str]) -> int:
    """How well an article answers words: a word of the title counts most, then one of the citizens' words, then one anywhere
    in it; a whole word more than the beginning of one."""
    title, synonyms = fold(article.title).split(), fold(article.synonyms).split()
    score = 0
    for word in words:
        if word in title:
            score += 10
        elif any(each.startswith(word) for each in title):
            score += 8
        elif word in synonyms:
            score += 7
        elif any(each.startswith(word) for each in synonyms):
            score += 5
        elif f" {word}" in f" {article.search_text}":
            score += 2
        elif word in article.search_text:
            score += 1
    return score


def transfer_at(
    transfers: Sequence[Mapping[str, Any]], at: dt.datetime, calendars: Mapping[str, BusinessCalendar]
) -> Mapping[str, Any] | None:
    """The transfer of an emergency that counts at an instant: the first row whose hours fit. A row without `calendar` always
    fits; `when = "closed"` fits outside the calendar's hours. None when none fits."""
    for row in transfers:
        calendar = calendars.get(row.get("calendar", ""))
        if "calendar" not in row:
            return row
        if calendar is not None and calendar.is_open(at) == (row.get("when", "open") == "open"):
            return row
    return None


def transfer_number(
    row: Mapping[str, Any] | None, settings: Mapping[str, str], departments: Mapping[str, str], fallback: str
) -> str:
    """The telephone number a transfer row means: its own, its department's, or that of a setting; the setting `fallback`
    names when the row has none (nobody may stand without a number in an emergency)."""
    row = row or {}
    return (
        row.get("phone")
        or departments.get(row.get("department", ""))
        or settings.get(row.get("setting", ""))
        or settings.get(fallback)
        or settings.get("emergency_phone", "")
    )
