"""The dates of a billing cycle: read, bill, due, late fee, notice, earliest cut for non-pay, to collections.

Each cycle has a nominal read day in the month. Reads and bills happen on working days; a cut happens only on a day
on which cuts are allowed: a working day that is no no-cut weekday, not the day before a closed day, and in no
no-cut stretch (a moratorium) or weather stop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from portal.billing.rules.pack import PackTable
from portal.shared.problem import Problem

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NO_DAYS: frozenset[date] = frozenset()
# A no-cut rule that leaves no day in a year is a mistake in the pack, not a schedule.
_LONGEST_SEARCH_DAYS = 366


@dataclass(frozen=True, slots=True)
class NoCutStretch:
    """Civil days of every year, both included, as (month, day); may run over New Year."""

    first: tuple[int, int]
    last: tuple[int, int]
    reason: str

    def holds(self, day: date) -> bool:
        here = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


@dataclass(frozen=True, slots=True)
class CycleCalendar:
    """The cycle pack. ``read_days[n - 1]`` is the nominal read day of cycle n; all spans are in days."""

    code: str
    name: str
    effective_from: date
    source: str
    read_days: tuple[int, ...]
    bill_after_read: int
    due_after_bill: int
    late_fee_after_due: int
    notice_after_due: int
    cutoff_after_notice: int
    collections_after_due: int
    closed_weekdays: tuple[str, ...]
    no_cut_weekdays: tuple[str, ...]
    no_cut_before_closed_day: bool
    no_cut: tuple[NoCutStretch, ...]

    @property
    def cycles(self) -> int:
        return len(self.read_days)

    @classmethod
    def from_pack(cls, pack: Mapping[str, Any]) -> tuple[CycleCalendar | None, list[Problem]]:
        """Read a cycle calendar from its TOML table: (calendar, []) or (None, every problem found)."""
        problems: list[Problem] = []
        table = PackTable(pack, "", problems)
        calendar = cls(
            code=table.text("code"),
            name=table.text("name"),
            effective_from=table.day("effective_from") or date.min,
            source=table.text("source"),
            read_days=table.wholes("read_days", low=1, high=28),
            bill_after_read=table.whole("bill_after_read", high=60) or 0,
            due_after_bill=table.whole("due_after_bill", low=1, high=120) or 0,
            late_fee_after_due=table.whole("late_fee_after_due", high=120) or 0,
            notice_after_due=table.whole("notice_after_due", high=120) or 0,
            cutoff_after_notice=table.whole("cutoff_after_notice", low=1, high=120) or 0,
            collections_after_due=table.whole("collections_after_due", low=1, high=720) or 0,
            closed_weekdays=table.texts("closed_weekdays", WEEKDAYS),
            no_cut_weekdays=table.texts("no_cut_weekdays", WEEKDAYS),
            no_cut_before_closed_day=table.truth("no_cut_before_closed_day"),
            no_cut=tuple(_stretch(row) for row in table.tables("no_cut", name_key="reason", required=False)),
        )
        if not calendar.read_days and not problems:
            table.refuse("read_days", "is missing; write one day of the month for each cycle")
        if len({*calendar.closed_weekdays, *calendar.no_cut_weekdays}) == 7:
            table.refuse("no_cut_weekdays", "leaves no weekday for a cut; take one out")
        table.close()
        return (None, problems) if problems else (calendar, [])


def _stretch(table: PackTable) -> NoCutStretch:
    stretch = NoCutStretch(_month_day(table, "first"), _month_day(table, "last"), table.text("reason"))
    table.close()
    return stretch


def _month_day(table: PackTable, key: str) -> tuple[int, int]:
    text = table.text(key)
    try:
        # 2000 has a Feb 29, so every day that exists in some year is accepted.
        day = date.fromisoformat(f"2000-{text}")
    except ValueError:
        table.refuse(key, 'must be a month and day such as "12-20"')
        return (1, 1)
    return (day.month, day.day)


@dataclass(frozen=True, slots=True)
class CycleDates:
    """The dates of one bill; ``cutoff_on`` and ``collections_on`` are the earliest possible, if nothing is paid."""

    cycle: int
    read_on: date
    bill_on: date
    due_on: date
    late_fee_on: date
    notice_on: date
    cutoff_on: date
    collections_on: date


def read_on(calendar: CycleCalendar, cycle: int, year: int, month: int, holidays: Collection[date] = _NO_DAYS) -> date:
    """The day cycle ``cycle`` (from 1) is read in a month: its nominal day, or the next working day."""
    if not 1 <= cycle <= calendar.cycles:
        raise ValueError(f"cycle must be from 1 to {calendar.cycles}, not {cycle}")
    return _working_day(calendar, date(year, month, calendar.read_days[cycle - 1]), holidays)


def cycle_dates(
    calendar: CycleCalendar,
    cycle: int,
    year: int,
    month: int,
    holidays: Collection[date] = _NO_DAYS,
    no_cut_on: Collection[date] = _NO_DAYS,
) -> CycleDates:
    """All dates of the bill whose read falls to that month; ``no_cut_on`` are single days such as weather stops."""
    return dates_after_read(calendar, cycle, read_on(calendar, cycle, year, month, holidays), holidays, no_cut_on)


def dates_after_read(
    calendar: CycleCalendar,
    cycle: int,
    read: date,
    holidays: Collection[date] = _NO_DAYS,
    no_cut_on: Collection[date] = _NO_DAYS,
) -> CycleDates:
    """The dates that follow from an actual read day."""
    bill = _working_day(calendar, read + timedelta(days=calendar.bill_after_read), holidays)
    due = _working_day(calendar, bill + timedelta(days=calendar.due_after_bill), holidays)
    notice = _working_day(calendar, due + timedelta(days=calendar.notice_after_due), holidays)
    return CycleDates(
        cycle=cycle,
        read_on=read,
        bill_on=bill,
        due_on=due,
        late_fee_on=due + timedelta(days=calendar.late_fee_after_due),
        notice_on=notice,
        cutoff_on=earliest_cutoff(calendar, notice + timedelta(days=calendar.cutoff_after_notice), holidays, no_cut_on),
        collections_on=_working_day(calendar, due + timedelta(days=calendar.collections_after_due), holidays),
    )


def next_dates(
    calendar: CycleCalendar,
    cycle: int,
    today: date,
    holidays: Collection[date] = _NO_DAYS,
    no_cut_on: Collection[date] = _NO_DAYS,
) -> CycleDates:
    """The dates of the next bill: its read is today or later."""
    for year, month in _months(today.year, today.month, back=1, count=3):
        read = read_on(calendar, cycle, year, month, holidays)
        if read >= today:
            return dates_after_read(calendar, cycle, read, holidays, no_cut_on)
    raise ValueError(f"no read day of cycle {cycle} within two months of {today}")


def read_periods(
    calendar: CycleCalendar, cycle: int, first_on: date, last_on: date, holidays: Collection[date] = _NO_DAYS
) -> Iterator[tuple[date, date]]:
    """The half-open periods between consecutive read days that lie within [first_on, last_on]."""
    count = (last_on.year - first_on.year) * 12 + last_on.month - first_on.month + 2
    previous = None
    for year, month in _months(first_on.year, first_on.month, back=1, count=count):
        read = read_on(calendar, cycle, year, month, holidays)
        if first_on <= read <= last_on:
            if previous is not None:
                yield previous, read
            previous = read


def why_no_cut(
    calendar: CycleCalendar,
    day: date,
    holidays: Collection[date] = _NO_DAYS,
    no_cut_on: Collection[date] = _NO_DAYS,
) -> str | None:
    """The reason why nobody is cut on that day, as a sentence, or None when cuts are allowed."""
    said = f"{day:%a, %b} {day.day}, {day.year}"
    if _closed(calendar, day, holidays):
        return f"{said}: the office is closed."
    if WEEKDAYS[day.weekday()] in calendar.no_cut_weekdays:
        return f"{said}: no cuts on a {day:%A}."
    if calendar.no_cut_before_closed_day and _closed(calendar, day + timedelta(days=1), holidays):
        return f"{said}: no cuts on the day before a closed day."
    for stretch in calendar.no_cut:
        if stretch.holds(day):
            return f"{said}: {stretch.reason}."
    if day in no_cut_on:
        return f"{said}: cuts are stopped for the day."
    return None


def earliest_cutoff(
    calendar: CycleCalendar,
    from_on: date,
    holidays: Collection[date] = _NO_DAYS,
    no_cut_on: Collection[date] = _NO_DAYS,
) -> date:
    """The first day from ``from_on`` on which a cut is allowed. ValueError when a whole year has none."""
    for ahead in range(_LONGEST_SEARCH_DAYS):
        day = from_on + timedelta(days=ahead)
        if why_no_cut(calendar, day, holidays, no_cut_on) is None:
            return day
    raise ValueError(f"the cycle calendar {calendar.code} allows no cut within a year of {from_on}")


def _closed(calendar: CycleCalendar, day: date, holidays: Collection[date]) -> bool:
    return WEEKDAYS[day.weekday()] in calendar.closed_weekdays or day in holidays


def _working_day(calendar: CycleCalendar, day: date, holidays: Collection[date]) -> date:
    for ahead in range(_LONGEST_SEARCH_DAYS):
        if not _closed(calendar, day + timedelta(days=ahead), holidays):
            return day + timedelta(days=ahead)
    raise ValueError(f"the cycle calendar {calendar.code} has no working day within a year of {day}")


def _months(year: int, month: int, *, back: int, count: int) -> Iterator[tuple[int, int]]:
    start = year * 12 + month - 1 - back
    for number in range(start, start + count + back):
        yield number // 12, number % 12 + 1
