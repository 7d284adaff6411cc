"""The sentences of the page: written from the numbers, never saying more than they do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from portal.opinion.rules import estimate
from portal.opinion.rules.closed import CAREFUL, OPEN, Seen, size_seen

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANCE = "not distinguishable from chance"
HIDDEN = {"closed": "not shown: fewer than 10", "held_back": "held back", "none": "no answers"}


class Tally(NamedTuple):
    """How often an answer was given, and by what weight."""

    answers: int
    weight: float
    squares: float
    """The sum of the squares of the weights."""

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.answers + other.answers, self.weight + other.weight, self.squares + other.squares)


def unweighted(answers: int) -> Tally:
    """So many answers that each count as one."""
    return Tally(answers, answers, answers)


@dataclass(frozen=True)
class Weighing:
    """The same figure by weight: of those with an opinion, in all and satisfied."""

    total: float
    satisfied: float
    points: float
    squares: float


@dataclass(frozen=True)
class Figure:
    """How many of those who had an opinion are satisfied. With fewer than ten of them, all but the size is closed."""

    answers: int = 0
    """With an opinion: “don't know” is apart. People, never weights: what may be shown is decided by them."""
    satisfied: int = 0
    dont_know: int = 0
    points: float = 0.0
    """The sum of all points, for the mean."""
    seen: Seen = "none"
    weighing: Weighing | None = None
    """None: each answer counts as one."""

    @property
    def open(self) -> bool:
        return self.seen in OPEN

    @property
    def share(self) -> float:
        if self.weighing is None:
            return self.satisfied / self.answers
        return min(1.0, self.weighing.satisfied / self.weighing.total)

    @property
    def unweighted_share(self) -> float:
        return self.satisfied / self.answers

    @property
    def effective(self) -> float:
        """The number of answers the share is as sure as."""
        if self.weighing is None:
            return float(self.answers)
        return min(float(self.answers), estimate.effective(self.weighing.total, self.weighing.squares))

    @property
    def design_effect(self) -> float:
        """How many times more answers it took than unweighted ones would (Kish)."""
        return self.answers / self.effective

    @property
    def counted(self) -> tuple[float, float]:
        """(satisfied, answers) as intervals and tests take them: with weights, of the effective number."""
        if self.weighing is None:
            return self.satisfied, self.answers
        return self.share * self.effective, self.effective

    @property
    def interval(self) -> estimate.Interval:
        return estimate.wilson(*self.counted)

    @property
    def mean(self) -> float:
        return self.points / self.answers if self.weighing is None else self.weighing.points / self.weighing.total

    def in_words(self) -> str:
        """`55%`, in parentheses when it is to be read with care, or why it is not shown."""
        if not self.open:
            return HIDDEN[self.seen]
        return f"({percent(self.share)})" if self.seen == "few" else percent(self.share)

    def size_in_words(self) -> str:
        """`n 976`; a closed size stays closed."""
        return f"n {self.answers:,}" if self.open else ("n<10" if self.seen == "closed" else "")

    def sureness_in_words(self) -> str:
        """`n 976`, and with weights what that is worth: `n 976, effective 589`."""
        if self.weighing is None or not self.open:
            return self.size_in_words()
        return f"{self.size_in_words()}, effective {self.effective:,.0f}"


def figure(counts: Mapping[float, Tally], item: Mapping[str, Any], *, weighted: bool = False) -> Figure:
    """How often each answer was given -> a figure. `item` is a question as a wave keeps it: satisfied values, don't-know codes."""
    unsure = set(item.get("dont_know", ()))
    satisfied = set(item["satisfied"])
    told = {value: tally for value, tally in counts.items() if value not in unsure}
    answers = sum(tally.answers for tally in told.values())
    weighing, seen = None, size_seen(answers)
    if weighted and answers:
        weighing = Weighing(
            math.fsum(tally.weight for tally in told.values()),
            math.fsum(tally.weight for value, tally in told.items() if value in satisfied),
            math.fsum(value * tally.weight for value, tally in told.items()),
            math.fsum(tally.squares for tally in told.values()),
        )
        if seen == "shown" and estimate.effective(weighing.total, weighing.squares) < CAREFUL:
            seen = "few"
    return Figure(
        answers,
        sum(tally.answers for value, tally in told.items() if value in satisfied),
        sum(tally.answers for value, tally in counts.items() if value in unsure),
        sum(value * tally.answers for value, tally in told.items()),
        seen,
        weighing,
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
    sides = {code: [each.counted for each in pair] for code, pair in tested.items()}
    chances = estimate.adjusted([estimate.change_p(before, after) for before, after in sides.values()])
    return {
        code: Change((tested[code][1].share - tested[code][0].share) * 100, estimate.difference(before, after), chance)
        for (code, (before, after)), chance in zip(sides.items(), chances, strict=True)
    }


def why_not_comparable(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why two waves must not be joined: "" when they may. Each has `comparable`, `mode`, `population` and `weighted`."""
    if bool(before.get("weighted")) != bool(after.get("weighted")):
        return "only one of them is weighted"
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
    first = f"{percent(figure.share)} are satisfied with “{name}” (95% interval {range_words(figure.interval)}, {figure.sureness_in_words()})."
    if not since:
        return first
    if not compared:
        return f"{first} No question can be compared with {since}."
    if not clear:
        return f"{first} Since {since}, none of the {compared} questions changed by more than chance explains."
    rest = compared - clear
    others = f"; the other {rest} are {CHANCE}" if rest > 1 else (f"; the other one is {CHANCE}" if rest else "")
    return f"{first} Since {since}, {clear} of {compared} questions changed by more than chance explains{others}."
