"""The city's days: today, the window of reads and bills, office calendars and cycle dates, the weather at the station."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.billing.rules.dates import CycleCalendar, CycleDates, dates_after_read, read_on
from portal.demo_city.draw import stream
from portal.shared.office import holidays_of

if TYPE_CHECKING:
    from collections.abc import Mapping

HEATING_BALANCE_F, COOLING_BALANCE_F = 60.0, 68.0


@dataclass(frozen=True)
class Cycle:
    """One read cycle with its dates, oldest first: `reads[i]` begins the period that `reads[i + 1]` ends."""

    code: str
    number: int
    past: tuple[CycleDates, ...]
    """Reads taken up to today."""
    coming: tuple[CycleDates, ...]
    """The next ones, published ahead."""
    before: tuple[CycleDates, ...]
    """One read earlier than the window, so that the first bill has a beginning."""
    months: tuple[str, ...]
    """The months of all dates in turn, “2026-11”: a read day at the month's end may slip into the next one."""

    def all_dates(self) -> tuple[CycleDates, ...]:
        return (*self.before, *self.past, *self.coming)


@dataclass
class Days:
    """Everything about time that the parts of the city share. Day numbers are ordinals."""

    today: dt.date
    zone: str
    months: int
    window_start: int
    cycles: list[Cycle]
    calendar: CycleCalendar
    holidays: frozenset[dt.date]
    temperature: np.ndarray
    """Tenths of a degree F, from `first_day` to today."""
    first_day: int
    text: list[str]
    """ISO text of each day from `first_day` to a year after today."""
    heating: np.ndarray
    """Heating degree days before each day, summed from `first_day`: the sum over [a, b) is heating[b] - heating[a]."""
    cooling: np.ndarray

    def iso(self, ordinal: int) -> str:
        return self.text[ordinal - self.first_day]


def make_days(
    seed: int,
    today: dt.date,
    zone: str,
    months: int,
    history_years: int,
    cycle_pack: CycleCalendar,
    office: Mapping[str, Any],
) -> Days:
    """`months` of reads and bills up to today, within `history_years` of requests and contacts."""
    first_year = today.year - history_years - 2
    holidays = frozenset(holidays_of(office, range(first_year, today.year + 3)))
    start = _months_before(today, months)
    cycles = []
    for number in range(1, cycle_pack.cycles + 1):
        span = _month_range(start, months + 4)
        dates = [
            dates_after_read(cycle_pack, number, read_on(cycle_pack, number, year, month, holidays), holidays)
            for year, month in span
        ]
        past = [each for each in dates if each.read_on <= today]
        names = tuple(f"{year}-{month:02d}" for year, month in span)
        coming = [each for each in dates if each.read_on > today][:3]
        cycles.append(Cycle(f"{number:02d}", number, tuple(past[1:]), tuple(coming), tuple(past[:1]), names))
    first_day = dt.date(first_year, 1, 1).toordinal()
    last_day = today.toordinal() + 366
    temperature = _temperatures(seed, first_day, today.toordinal())
    mean = temperature / 10.0
    zero = np.zeros(1)
    return Days(
        today=today,
        zone=zone,
        months=months,
        window_start=min(cycle.before[0].read_on.toordinal() for cycle in cycles),
        cycles=cycles,
        calendar=cycle_pack,
        holidays=holidays,
        temperature=temperature,
        first_day=first_day,
        text=[dt.date.fromordinal(day).isoformat() for day in range(first_day, last_day)],
        heating=np.concatenate((zero, np.cumsum(np.maximum(HEATING_BALANCE_F - mean, 0)))),
        cooling=np.concatenate((zero, np.cumsum(np.maximum(mean - COOLING_BALANCE_F, 0)))),
    )


def _temperatures(seed: int, first_day: int, last_day: int) -> np.ndarray:
    """Daily means of a warm, humid coast with short winters: about 52 F in January, 82 F in July; winters swing more.

    A day's noise is drawn per calendar day, so a city made as of a later day has the same past weather.
    """
    days = np.arange(first_day, last_day + 1)
    year = 2 * np.pi * (days % 365.2425 - 15) / 365.2425
    winter = np.cos(year)
    normal = 67.5 - 15.0 * winter
    # dt.date.min is Jan 1 of year 1, so an ordinal modulo the mean year is the day of the year to within a day.
    noise = np.concatenate(
        [
            stream(seed, "weather", day // 64).normal(0, 1, 64)
            for day in range(first_day - first_day % 64, last_day + 1, 64)
        ]
    )
    noise = noise[first_day % 64 :][: len(days)]
    swing = 4.4 + 2.6 * winter
    felt = np.empty(len(days))
    carried = 0.0
    for place, fresh in enumerate(noise.tolist()):
        carried = 0.72 * carried + 0.69 * fresh
        felt[place] = carried
    return np.round((normal + swing * felt) * 10).astype(np.int64)


def _months_before(today: dt.date, months: int) -> tuple[int, int]:
    """The month in which the read before the first of `months` bills was taken."""
    number = today.year * 12 + today.month - 1 - months
    return number // 12, number % 12 + 1


def _month_range(start: tuple[int, int], count: int) -> list[tuple[int, int]]:
    first = start[0] * 12 + start[1] - 1
    return [(number // 12, number % 12 + 1) for number in range(first, first + count)]
