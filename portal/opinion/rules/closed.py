"""Which cells of a table may be shown. Fewer than ten answers could tell on somebody, so they stay closed, and so do enough other
cells of the same row that nobody can find the closed one by taking the shown ones from the total.

A row is one question split into groups that do not overlap (districts), with its total shown. "No district given" is a group too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALLEST: Final = 10
"""Answers a cell needs to be shown (practice of community surveys: domain rule of this house)."""
CAREFUL: Final = 30
"""Below this many answers a figure is shown in parentheses: read with care."""

Seen = Literal["shown", "few", "none", "closed", "held_back"]
"""shown · few: in parentheses · none: nobody answered · closed: fewer than ten · held_back: would give a closed one away."""
OPEN: Final = frozenset({"shown", "few"})


def size_seen(answers: int) -> Seen:
    """How a figure of so many answers may be seen by itself."""
    if answers == 0:
        return "none"
    if answers < SMALLEST:
        return "closed"
    return "few" if answers < CAREFUL else "shown"


def row_seen(answers: Mapping[str, int]) -> dict[str, Seen]:
    """How each group of a row may be seen when the row's total is shown.

    The closed and held-back groups together are what subtraction can find: there are at least two of them, with at least ten
    answers together, unless every answer of the row is among them.
    """
    seen = {group: size_seen(count) for group, count in answers.items()}
    away = [group for group, how in seen.items() if how == "closed"]
    if not away:
        return seen
    together = sum(answers[group] for group in away)
    others = sorted((group for group, how in seen.items() if how in OPEN), key=lambda group: (answers[group], group))
    for group in others:
        if len(away) >= 2 and together >= SMALLEST:
            break
        seen[group] = "held_back"
        away.append(group)
        together += answers[group]
    return seen
