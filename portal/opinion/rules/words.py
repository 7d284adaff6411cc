"""The sentences of the page: written from the numbers, never saying more than they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.opinion.rules import estimate
from portal.opinion.rules.closed import OPEN, Seen, size_seen

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANCE = "not distinguishable from chance"
HIDDEN = {"closed": "not shown: fewer than 10", "held_back": "held back", "none": "no answers"}


@dataclass(frozen=True)
class Figure:
    """How many of those who had an opinion are satisfied. With fewer than ten of them, all but the size is closed."""

    answers: int = 0
    """With an opinion: “don't know” is apart."""
    satisfied: int = 0
    dont_know: int = 0
    points: float = 0.0
    """The sum of all points, for the mean."""
    seen: Seen = "none"

    @property
    def open(self) -> bool:
        return self.seen in OPEN

    @property
    def share(self) -> float:
        return self.satisfied / self.answers

    @property
    def interval(self) -> estimate.Interval:
        return estimate.wilson(self.satisfied, self.answers)

    @property
    def mean(self) -> float:
        return self.points / self.answers

    def in_words(self) -> str:
        """`55%`, in parentheses when it is to be read with care, or why it is not shown."""
        if not self.open:
            return HIDDEN[self.seen]
        return f"({percent(self.share)})" if self.seen == "few" else percent(self.share)

    def size_in_words(self) -> str:
        """`n 976`; a closed size stays closed."""
        return f"n {self.answers:,}" if self.open else ("n<10" if self.seen == "closed" else "")


def figure(counts: Mapping[float, int], item: Mapping[str, Any]) -> Figure:
    """How often each answer was given -> a figure. `item` is a question as a wave keeps it: satisfied values, don't-know codes."""
    unsure = set(item.get("dont_know", ()))
    satisfied = set(item["satisfied"])
    answers = sum(count for value, count in counts.items() if value not in unsure)
    return Figure(
        answers,
        sum(count for value, count in counts.items() if value in satisfied and value not in unsure),
        sum(count for value, count in counts.items() if value in unsure),
        sum(value * count for value, count in counts.items() if value not in unsure),
        size_seen(answers),
    )


def percent(share: float) -> str:
    """A whole percent: no figure here is surer than that."""
    return f"{_whole(share * 100)}%"


def _whole(value: float) -> int:
    """To the nearest whole number, halves up (as a reader would)."""
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)


def range_words(interval: estimate.Interval) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}"


@dataclass(frozen=True)
class Change:
    """From an earlier wave to this one, tested together with every other item of the two waves."""

    points: float
    """After minus before, in percentage points."""
    interval: estimate.Interval
    chance: float
    """Adjusted for all items tested together."""

    @property
    def clear(self) -> bool:
        return self.chance <= estimate.FALSE_ALARMS

    def in_words(self) -> str:
        """“Up 8 points, more than chance”; “Up 3 points: not distinguishable from chance”."""
        size = abs(_whole(self.points))
        if self.clear:
            moved = f"{'Up' if self.points > 0 else 'Down'} {points_words(size) if size else 'under 1 point'}"
            return f"{moved}, more than chance"
        if size == 0:
            return f"Unchanged: {CHANCE}"
        return f"{'Up' if self.points > 0 else 'Down'} {points_words(size)}: {CHANCE}"

    def short(self) -> str:
        """For the end of a row: “▲ 14 points”, “no clear change”."""
        if not self.clear:
            return "no clear change"
        return f"{'▲' if self.points > 0 else '▼'} {points_words(abs(_whole(self.points)))}"


def points_words(points: int) -> str:
    return f"{points} point{'' if points == 1 else 's'}"


def changes(pairs: Mapping[str, tuple[Figure, Figure]]) -> dict[str, Change]:
    """Every item's change from the first figure to the second, judged together; pairs that are not open on both sides are left
    out, and so cannot be read from a verdict."""
    tested = {code: pair for code, pair in pairs.items() if pair[0].open and pair[1].open}
    sides = {code: [(each.satisfied, each.answers) for each in pair] for code, pair in tested.items()}
    chances = estimate.adjusted([estimate.change_p(before, after) for before, after in sides.values()])
    return {
        code: Change((tested[code][1].share - tested[code][0].share) * 100, estimate.difference(before, after), chance)
        for (code, (before, after)), chance in zip(sides.items(), chances, strict=True)
    }


def why_not_comparable(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Why two waves must not be joined: "" when they may. Each has `comparable`, `mode` and `population`."""
    if before["comparable"] or after["comparable"]:
        if before["comparable"] == after["comparable"]:
            return ""
        return "the sample or the way of asking changed"
    changed = [
        word
        for word, key in (("the way of asking", "mode"), ("whom it was asked of", "population"))
        if before[key] != after[key]
    ]
    return f"{' and '.join(changed)} changed" if changed else ""


def same_question(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an item was asked in the same words, on the same scale, with the same answers counted as satisfied."""
    keys = ("wording", "scale", "satisfied")
    return all(before.get(key) == after.get(key) for key in keys)


def lead(name: str, figure: Figure, compared: int, clear: int, since: str) -> str:
    """The first sentence of the page."""
    if not figure.open:
        return f"Too few people answered “{name}” to say more: {figure.in_words()}."
    first = f"{percent(figure.share)} are satisfied with “{name}” (95% interval {range_words(figure.interval)}, n {figure.answers:,})."
    if not since:
        return first
    if not compared:
        return f"{first} No question can be compared with {since}."
    if not clear:
        return f"{first} Since {since}, none of the {compared} questions changed by more than chance explains."
    rest = compared - clear
    others = f"; the other {rest} are {CHANCE}" if rest > 1 else (f"; the other one is {CHANCE}" if rest else "")
    return f"{first} Since {since}, {clear} of {compared} questions changed by more than chance explains{others}."
