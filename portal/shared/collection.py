"""Collection days: the week's colour, and how a holiday moves the days after it. What a city decides comes in as data.

Three calendars must not be confused: the offices' hours, the collection's holidays (fewer: crews work on many days when
offices are closed), and the calendar a due time is counted in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
_SATURDAY, _SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """When a holiday falls: on `day` of `month`, or on the `nth` `weekday` (0 = Monday) of it, -1 for the last.

    ValueError when it is neither or both.
    """

    name: str
    month: int
    day: int | None = None
    weekday: int | None = None
    nth: int | None = None

    def __post_init__(self) -> None:
        fixed, counted = self.day is not None, self.weekday is not None and self.nth is not None
        if fixed == counted or (fixed and (self.weekday is not None or self.nth is not None)):
            raise ValueError(
                f"{self.name} falls on a day of the month, or on the n-th weekday of it: give one of the two."
            )
        if self.nth is not None and self.nth not in (-1, 1, 2, 3, 4):
            raise ValueError(f"{self.name}: the n-th weekday is the 1st to the 4th, or -1 for the last.")

    def in_year(self, year: int) -> date:
        """The day it falls on, as the almanac has it: not moved for a weekend."""
        if self.day is not None:
            return date(year, self.month, self.day)
        weekday, nth = self.weekday or 0, self.nth or 1
        if nth > 0:
            first = date(year, self.month, 1)
            return first + ((weekday - first.weekday()) % 7) * DAY + (nth - 1) * WEEK
        last = date(year + self.month // 12, self.month % 12 + 1, 1) - DAY
        return last - ((last.weekday() - weekday) % 7) * DAY


@dataclass(frozen=True, slots=True)
class CollectionCalendar:
    """How one kind of collection runs through the year.

    - `anchor_on`: any day of a week whose colour is known, the first of `colours`; the colours take turns from there,
      before it as after it, without a break at the year's end (week numbers would repeat a colour every few years).
    - `holidays`: the days without collection, as the almanac has them.
    - `regular_weekdays`: 0 = Monday. `week_starts`: the first day of a colour's week, 6 = Sunday.
    - `sunday_moves`: a holiday on a Sunday closes the Monday after it. One on a Saturday closes no regular day.
    """

    anchor_on: date
    colours: tuple[str, ...] = ("red", "blue")
    holidays: frozenset[date] = frozenset()
    regular_weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    week_starts: int = _SUNDAY
    sunday_moves: bool = True

    def week_start(self, on: date) -> date:
        """The first day of the week that `on` lies in."""
        return on - ((on.weekday() - self.week_starts) % 7) * DAY


def holidays_in(years: Iterable[int], rules: Sequence[HolidayRule]) -> frozenset[date]:
    """The holidays of some years."""
    return frozenset(rule.in_year(year) for year in years for rule in rules)


def week_colour(on: date, calendar: CollectionCalendar) -> str:
    """The colour of the week `on` lies in."""
    weeks = (calendar.week_start(on) - calendar.week_start(calendar.anchor_on)) // WEEK
    return calendar.colours[weeks % len(calendar.colours)]


def closed_days(holidays: Collection[date], *, sunday_moves: bool = True) -> frozenset[date]:
    """The days on which no truck goes out because of the holidays."""
    moved = {on + DAY for on in holidays if sunday_moves and on.weekday() == _SUNDAY}
    return frozenset(holidays) | moved


def collection_week(on: date, calendar: CollectionCalendar) -> dict[int, date]:
    """For the week `on` lies in: the day on which each regular weekday's customers are collected.

    A closed day pushes its own customers and every later one of the week back by a day, into the weekend if need be; two
    days' customers are never put on one day.
    """
    start = calendar.week_start(on)
    closed = closed_days(calendar.holidays, sunday_moves=calendar.sunday_moves)
    week: dict[int, date] = {}
    earliest = start
    for regular_on in sorted(start + ((weekday - start.weekday()) % 7) * DAY for weekday in calendar.regular_weekdays):
        collected_on = max(regular_on, earliest)
        while collected_on in closed:
            collected_on += DAY
        week[regular_on.weekday()] = collected_on
        earliest = collected_on + DAY
    return week


def collection_on(regular_on: date, calendar: CollectionCalendar) -> date:
    """When the customers whose regular day is `regular_on` are collected. ValueError when it is no regular day."""
    week = collection_week(regular_on, calendar)
    if regular_on.weekday() not in week:
        raise ValueError("There is no regular collection on that day of the week. Choose one of the regular days.")
    return week[regular_on.weekday()]


def regular_weekday_of(on: date, calendar: CollectionCalendar) -> int | None:
    """Whose day it is: the regular weekday collected on `on`, or None when no truck goes out."""
    # A week's spill can reach into the next week.
    for start in (on - WEEK, on):
        for weekday, collected_on in collection_week(start, calendar).items():
            if collected_on == on:
                return weekday
    return None


def next_collections(
    after: date, weekday: int, calendar: CollectionCalendar, *, colour: str | None = None, count: int = 1
) -> list[date]:
    """The next `count` collections after a day for the customers of a regular weekday, in weeks of one colour or in all.

    ValueError when the weekday is no regular day or the colour none of the calendar's.
    """
    if weekday not in calendar.regular_weekdays:
        raise ValueError("There is no regular collection on that day of the week. Choose one of the regular days.")
    if colour is not None and colour not in calendar.colours:
        raise ValueError(f"{colour} is none of the calendar's colors. Choose {' or '.join(calendar.colours)}.")
    found: list[date] = []
    start = calendar.week_start(after) - WEEK
    while len(found) < count:
        if colour is None or week_colour(start, calendar) == colour:
            collected_on = collection_week(start, calendar)[weekday]
            if collected_on > after:
                found.append(collected_on)
        start += WEEK
    return found
