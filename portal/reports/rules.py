"""Figures of the service levels and how they are told: shares with intervals, exact quantiles, periods, sentences."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

SHARES = (0.5, 0.9)
"""Half, and nine in ten: the quantiles of the time to close."""
SECONDS_A_DAY = 86_400
FEWEST, CAREFUL = 10, 30
"""Below ten a share is not shown; below thirty it is shown in parentheses."""
Z95 = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""
AGES = ((2, "0–2 days"), (7, "3–7 days"), (30, "8–30 days"), (90, "31–90 days"), (None, "over 90 days"))
"""Backlog by age: the most days of a bucket, and its name."""
REPEAT_TIMES, REPEAT_DAYS = 3, 90
"""So many requests at one premise within so many days are a repeat."""


@dataclass(frozen=True)
class Counts:
    """What became of the requests opened in a span."""

    opened: int = 0
    closed: int = 0
    with_target: int = 0
    closed_with_target: int = 0
    on_time: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.opened + other.opened, self.closed + other.closed, self.with_target + other.with_target,
            self.closed_with_target + other.closed_with_target, self.on_time + other.on_time,
        )  # fmt: skip

    @property
    def share_of_closed(self) -> float | None:
        """Closed by their due time, of the closed ones with a due time."""
        return self.on_time / self.closed_with_target if self.closed_with_target else None

    @property
    def share_of_all(self) -> float | None:
        """Closed by their due time, of all with a due time: those still open count as not (yet) on time."""
        return self.on_time / self.with_target if self.with_target else None


@dataclass(frozen=True)
class Days:
    """How long the closed ones took, in days of 24 hours: half of them at most `half`, nine in ten at most `ninety`."""

    closed: int = 0
    half: float | None = None
    ninety: float | None = None


# --- exact quantiles --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where one value stands: among the requests that took this many whole minutes, the one at this position by time."""

    minutes: int
    at: int


def numbers(text: str | None) -> np.ndarray:
    """Whole numbers written with commas, sorted."""
    if not text:
        return np.empty(0, dtype=np.int64)
    found = np.fromstring(text, dtype=np.int64, sep=",")
    found.sort()
    return found


def places(ordered: np.ndarray, share: float) -> tuple[Place, Place, float]:
    """The two values a quantile lies between, and how far it is from the first to the second (linear interpolation).

    `ordered` holds whole minutes, which is what an index can sort; the exact times are asked for these two places only.
    """
    rank = share * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    found = []
    for at in (low, high):
        minutes = ordered[at]
        found.append(Place(int(minutes), at - int(np.searchsorted(ordered, minutes, side="left"))))
    return found[0], found[1], rank - low


def minutes_needed(ordered: np.ndarray) -> set[int]:
    """The whole minutes whose requests must be looked at to say `SHARES` exactly."""
    if not len(ordered):
        return set()
    return {place.minutes for share in SHARES for place in places(ordered, share)[:2]}


def merged(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Several sorted lists as one."""
    if not parts:
        return np.empty(0, dtype=np.int64)
    found = np.concatenate(parts)
    found.sort()
    return found


def days_to_the_minute(ordered: np.ndarray) -> Days:
    """Half and nine in ten from whole minutes alone: exact to a minute, enough for a line and for “was 1.2 days”."""
    if not len(ordered):
        return Days()
    found = []
    for share in SHARES:  # as numpy's quantile does, which takes a hundred times as long over a sorted list
        low, high, part = places(ordered, share)
        found.append((low.minutes + (high.minutes - low.minutes) * part) * 60 / SECONDS_A_DAY)
    return Days(len(ordered), *found)


def days_of(ordered: np.ndarray, seconds: Mapping[int, Sequence[float]]) -> Days:
    """Half and nine in ten, exact; `seconds` gives, for the minutes needed, the exact times of the requests that took them."""
    if not len(ordered):
        return Days()
    exact = {minutes: sorted(times) for minutes, times in seconds.items()}
    found = []
    for share in SHARES:
        low, high, part = places(ordered, share)
        first, second = exact[low.minutes][low.at], exact[high.minutes][high.at]
        found.append((first + (second - first) * part) / SECONDS_A_DAY)
    return Days(len(ordered), *found)


def repeated(ids: np.ndarray, at_least: int, most: int) -> tuple[int, list[tuple[int, int]]]:
    """How many numbers of a sorted list stand in it so often, and the first `most` of them with how often, most often first."""
    if not len(ids):
        return 0, []
    first = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
    values, many = ids[first], np.diff(np.append(first, len(ids)))
    often = many >= at_least
    values, many = values[often], many[often]
    order = np.lexsort((values, -many))[:most]
    return len(values), [(int(values[at]), int(many[at])) for at in order]


# --- shares -----------------------------------------------------------------------------------------------------------


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927); (0, 1) when nothing was counted."""
    if not whole:
        return 0.0, 1.0
    share, square = part / whole, Z95 * Z95
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = Z95 * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole)) / (1 + square / whole)
    return max(0.0, middle - half), min(1.0, middle + half)


def differ(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two shares (part, whole) differ by more than chance: two-sided test of equal shares at 5 %."""
    (a, m), (b, n) = one, other
    if not m or not n:
        return False
    pooled = (a + b) / (m + n)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / m + 1 / n))
    return spread > 0 and abs(a / m - b / n) / spread > Z95


def percent(share: float) -> str:
    """“74%”: half up, as people round."""
    return f"{math.floor(share * 100 + 0.5)}%"


def share_words(part: int, whole: int) -> str:
    """“74%”, “(67%)” for a few, or why there is none."""
    if whole < FEWEST:
        return "none with a due date" if not whole else f"not shown: fewer than {FEWEST}"
    shown = percent(part / whole)
    return f"({shown})" if whole < CAREFUL else shown


def days_words(days: float | None) -> str:
    """“5.2 days”, “14 days”, “3.1 hours”, “under a minute”; an en dash for none."""
    if days is None:
        return "–"
    if abs(days) >= 9.95:
        return f"{days:,.0f} days"
    if abs(days) >= 0.995:
        return f"{days:.1f} days"
    hours = days * 24
    if abs(hours) >= 0.995:
        return f"{hours:.1f} hours"
    return f"{hours * 60:.0f} min" if abs(hours) * 60 >= 1 else "under a minute"


def change_words(now: int, before: int | None) -> str:
    """“Up 6% from 11,196”, “About the same as before” (under 10 %), “No earlier period to compare”."""
    if not before:
        return (
            "None before"
            if before == 0 and now
            else "No earlier period to compare"
            if before is None
            else "None before either"
        )
    part = (now - before) / before
    if abs(part) < 0.10:
        return f"About the same: was {before:,}"
    return f"{'Up' if part > 0 else 'Down'} {abs(part) * 100:.0f}% from {before:,}"


def share_change_words(now: Counts, before: Counts | None) -> str:
    """“Up 8 points, more than chance”, or that it is not."""
    if before is None or now.share_of_closed is None or before.share_of_closed is None:
        return "No earlier period to compare"
    if min(now.closed_with_target, before.closed_with_target) < FEWEST:
        return "Too few to compare"
    points = round((now.share_of_closed - before.share_of_closed) * 100)
    clear = differ((now.on_time, now.closed_with_target), (before.on_time, before.closed_with_target))
    if not clear:
        return "No clear change" if not points else f"{_up(points)}: not distinguishable from chance"
    return f"{_up(points)}, more than chance" if points else "Under a point, more than chance"


def _up(points: int) -> str:
    return f"{'Up' if points > 0 else 'Down'} {abs(points)} point{'' if abs(points) == 1 else 's'}"


def days_change_words(now: float | None, before: float | None) -> str:
    """“Faster: was 1.2 days”."""
    if now is None or before is None:
        return "No earlier period to compare"
    if days_words(now) == days_words(before):
        return "The same as before"
    return f"{'Faster' if now < before else 'Slower'}: was {days_words(before)}"


# --- periods ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """A span of whole weeks or months, the one before it of the same length, and what it is called."""

    code: str
    name: str
    grain: str
    since: dt.date
    until: dt.date
    """The first day that is no longer in it."""
    before: dt.date | None
    """Where the period before begins; None when there is none to compare with."""

    @property
    def length(self) -> str:
        """How long it is: “13 weeks”, “year”."""
        return "year" if self.code.isdecimal() else self.name

    @property
    def words(self) -> str:
        return f"{day_words(self.since)} to {day_words(self.until - dt.timedelta(days=1))}"


def day_words(day: dt.date) -> str:
    """“Jun 3, 2026”."""
    return f"{day:%b} {day.day}, {day.year}"


def month_before(day: dt.date, months: int) -> dt.date:
    """The first of the month so many months before a first of a month."""
    count = day.year * 12 + day.month - 1 - months
    return dt.date(count // 12, count % 12 + 1, 1)


def periods(today: dt.date, first: dt.date | None) -> dict[str, Period]:
    """What can be chosen: whole weeks, whole months, each calendar year since the first request, and everything."""
    monday = today - dt.timedelta(days=today.weekday())
    month = today.replace(day=1)
    found = [
        _weeks(monday, 13), _weeks(monday, 4),
        Period("12m", "12 months", "month", month_before(month, 12), month, month_before(month, 24)),
    ]  # fmt: skip
    after = month_before(month, -1)
    start = min(first or month, month)
    for year in range(today.year, start.year - 1, -1):
        since, until = dt.date(year, 1, 1), min(dt.date(year + 1, 1, 1), after)
        whole = until.year > year
        before = dt.date(year - 1, 1, 1) if whole and year > start.year else None
        found.append(Period(str(year), str(year) if whole else f"{year} so far", "month", since, until, before))
    found.append(Period("all", "All years", "month", start.replace(day=1), after, None))
    return {each.code: each for each in found}


def _weeks(monday: dt.date, count: int) -> Period:
    length = dt.timedelta(weeks=count)
    return Period(f"{count}w", f"{count} weeks", "week", monday - length, monday, monday - 2 * length)


def floor(grain: str, day: dt.date) -> dt.date:
    """The first day of the week (Monday) or month a day lies in."""
    return day - dt.timedelta(days=day.weekday()) if grain == "week" else day.replace(day=1)


def next_start(grain: str, day: dt.date) -> dt.date:
    """The first day of the week or month after the one a day lies in."""
    first = floor(grain, day)
    return first + dt.timedelta(days=7) if grain == "week" else month_before(first, -1)


def starts(grain: str, since: dt.date, until: dt.date) -> list[dt.date]:
    """The first day of each week or month of a span; the first and the last may be cut off by it."""
    found = []
    while since < until:
        found.append(since)
        since = next_start(grain, since)
    return found


@dataclass(frozen=True)
class Pieces:
    """A span as what is counted already, whole weeks or months, and the days at its ends, which are not."""

    since: dt.date
    until: dt.date
    """The whole ones; none when they are equal."""
    edges: tuple[tuple[dt.date, dt.date], ...]


def pieces(grain: str, since: dt.date, until: dt.date) -> Pieces:
    """Whole weeks or months in the middle, at most two edges of days."""
    first = since if floor(grain, since) == since else next_start(grain, since)
    last = floor(grain, until)
    if first > last:  # all within one week or month
        return Pieces(since, since, ((since, until),) if since < until else ())
    ends = ((since, first), (last, until))
    return Pieces(first, last, tuple(end for end in ends if end[0] < end[1]))


WEEKLY_UP_TO = 26 * 7
"""Days of a span that is told week by week; a longer one is told by month."""


def span_period(since: dt.date, last: dt.date) -> Period:
    """From one day to another, both included; compared with as many days before."""
    until = last + dt.timedelta(days=1)
    days = (until - since).days
    return Period(
        f"{since}_{last}", f"{days:,} day{'' if days == 1 else 's'}", "week" if days <= WEEKLY_UP_TO else "month",
        since, until, since - (until - since),
    )  # fmt: skip


def period_of(code: str) -> Period | None:
    """The period of two days of an address, “2026-06-01_2026-08-15”; None for anything else."""
    first, _, last = code.partition("_")
    since, until = day_of(first), day_of(last)
    return span_period(since, until) if since and until and since <= until else None


# --- usual range ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Usual:
    """The usual range of a weekly count, from its base weeks; which weeks left it, and where a run on one side begins."""

    mean: float
    low: float
    high: float
    outside: tuple[int, ...]
    run_at: int | None


BASE_WEEKS, RECENT_WEEKS, RUN = 20, 8, 8
LEAST_A_WEEK = 5


def usual(counts: Sequence[int]) -> Usual | None:
    """The natural limits of a weekly count (Wheeler's XmR chart: mean plus and minus 2.66 mean moving ranges) from the weeks
    before the last eight; None when it is too few a week, or most base weeks have none (a season)."""
    base = counts[-(BASE_WEEKS + RECENT_WEEKS) : -RECENT_WEEKS]
    if len(base) < BASE_WEEKS or sorted(base)[len(base) // 2] < LEAST_A_WEEK:
        return None
    mean = sum(base) / len(base)
    moving = sum(abs(b - a) for a, b in zip(base, base[1:], strict=False)) / (len(base) - 1)
    low, high = max(0.0, mean - 2.66 * moving), mean + 2.66 * moving
    first = len(counts) - RECENT_WEEKS
    outside = tuple(at for at in range(first, len(counts)) if not low <= counts[at] <= high)
    recent = [count - mean for count in counts[-RUN:]]
    run = all(each > 0 for each in recent) or all(each < 0 for each in recent)
    return Usual(mean, low, high, outside, len(counts) - RUN if run else None)


def usual_words(counts: Sequence[int], found: Usual | None) -> str:
    """What a small chart says."""
    if found is None:
        return "Too few a week, or a season: no usual range"
    lately = sum(counts[-RECENT_WEEKS:]) / RECENT_WEEKS
    many = f"{lately:,.0f} a week lately, usually {found.mean:,.0f}"
    if found.outside:
        return f"{many}; {len(found.outside)} week{'' if len(found.outside) == 1 else 's'} outside the range"
    if found.run_at is not None:
        return f"{many}; {'above' if lately > found.mean else 'below'} average eight weeks running"
    return "Within its usual range"


# --- what was asked ---------------------------------------------------------------------------------------------------


def level_problems(by: str, since: str | None, until: str | None, known: Collection[str]) -> list[Problem]:
    """What is wrong with what a program asked for: each with its option, what is wrong, what would be right."""
    problems = []
    names = [name.strip() for name in by.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        problems.append(
            Problem("by", f"“{unknown[0]}” is nothing a report is split by. Choose from {', '.join(known)}.")
        )
    elif len(set(names)) < len(names):
        problems.append(Problem("by", "Name each only once."))
    days = {}
    for name, text in (("from", since), ("to", until)):
        if text is None:
            continue
        days[name] = day_of(text)
        if days[name] is None:
            problems.append(Problem(name, f"“{text}” is not a day. Write it as 2026-11-24."))
    first, last = days.get("from"), days.get("to")
    if first and last and first >= last:
        problems.append(
            Problem("to", "The day after --from at the earliest: cases are counted from --from until before --to.")
        )
    return problems


def day_of(text: str) -> dt.date | None:
    """A day written as 2026-11-24, of a year a calendar of requests can hold."""
    try:
        found = dt.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return found if found and EARLIEST <= found <= LATEST else None


EARLIEST, LATEST = dt.date(1970, 1, 1), dt.date(2199, 12, 31)


def chosen(value: str | None, options: Collection[str], otherwise: str = "") -> str:
    """A choice from an address that anyone can type: what is not offered is the default."""
    return value if value is not None and value in options else otherwise


def best_first(rows: Sequence[tuple[str, Counts]], name_of: Callable[[str], str]) -> list[tuple[str, Counts]]:
    """The best share first as in a ranking read from above; rows with too few closed come last, by name."""
    return sorted(
        rows,
        key=lambda row: (
            row[1].closed_with_target < FEWEST,
            -(row[1].share_of_closed or 0.0) if row[1].closed_with_target >= FEWEST else 0.0,
            name_of(row[0]).casefold(),
        ),
    )
