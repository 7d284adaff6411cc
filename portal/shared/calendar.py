"""Business time: when an office is open, when something is due, and why then.

Instants are aware datetimes, answers are in UTC; hours, holidays and clock times are the office's own, in its zone.
Opening hours and pauses are half-open: the minute of opening counts, the minute of closing does not.
A clock time that a clock change skips means the first instant after the gap; one that comes twice means the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portal.shared.calendar_words import Explanation, period_backwards, periods_overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

DAY = timedelta(days=1)
MIDNIGHT = time(0)
END_OF_DAY = time.max
"""24:00, which `time` cannot say: the midnight at the day's end, as a closing time or a time of day to be due."""

_NO_OPENING = "The office never opens in these hours, so nothing can be counted. Give at least one weekday its hours."

Period = tuple[time, time]
Span = tuple[datetime, datetime]


class NeverOpen(ValueError):
    """The calendar has no opening to count in."""


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """The opening hours of one office.

    `hours` maps a weekday (0 = Monday) to its periods; a weekday that is missing is closed, and so is each holiday.
    A period may close at `END_OF_DAY`. ValueError when a period ends before it starts, two overlap or the zone is
    unknown.
    """

    zone: str
    hours: Mapping[int, Sequence[Period]] = field(hash=False)
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        tidy: dict[int, tuple[Period, ...]] = {}
        for weekday, periods in self.hours.items():
            tidy[weekday] = tuple(sorted(periods))
            for opens, closes in tidy[weekday]:
                if closes <= opens:
                    raise ValueError(period_backwards(weekday, opens, closes))
            for (_, closes), (opens, _) in zip(tidy[weekday], tidy[weekday][1:], strict=False):
                if closes > opens:
                    raise ValueError(periods_overlap(weekday, opens))
        object.__setattr__(self, "hours", tidy)
        object.__setattr__(self, "holidays", frozenset(self.holidays))
        zone_named(self.zone)

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def periods(self, on: date) -> tuple[Period, ...]:
        """The opening periods of a day, none on a holiday."""
        return () if on in self.holidays else tuple(self.hours.get(on.weekday(), ()))

    def is_working_day(self, on: date) -> bool:
        """Whether the office opens at all that day."""
        return bool(self.periods(on))

    def local(self, at: datetime) -> datetime:
        """An instant on the office's own clock."""
        return at.astimezone(self.zone_info)

    def open_spans(self, on: date) -> list[Span]:
        """The day's opening periods as instants, oldest first; a period that a clock change swallows is left out."""
        spans = []
        for opens, closes in self.periods(on):
            span = (instant_of(on, opens, self.zone_info), instant_of(*_on_the_clock(on, closes), self.zone_info))
            if span[0] < span[1]:
                spans.append(span)
        return spans

    def spans_from(self, at: datetime) -> Iterator[Span]:
        """Every opening from `at` on, the first one cut at `at`. NeverOpen when no more is to come."""
        on = self.local(at).date()
        # In a row of closed days each is a holiday or a closed weekday, so an opening comes within this many or never.
        patience = 7 * (len(self.holidays) + 2) if any(self.hours.values()) else 0
        closed_days = 0
        while closed_days <= patience:
            for start, end in self.open_spans(on):
                if end > at:
                    closed_days = 0
                    yield max(start, at), end
            closed_days += 1
            if on >= date.max - DAY:
                break
            on += DAY
        raise NeverOpen(_NO_OPENING)

    def is_open(self, at: datetime) -> bool:
        """Whether the office is open at an instant."""
        on = self.local(at).date()
        # Where clocks go back over midnight, the next day's opening may come while the clock still shows this one.
        return any(start <= at < end for day in (on, on + DAY) for start, end in self.open_spans(day))

    def next_opening(self, at: datetime) -> datetime:
        """The first instant at or after `at` when the office is open."""
        return next(self.spans_from(at))[0].astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """A promise of time: exactly one of the four kinds, of 1 or more; `at` belongs to `working_days`.

    - `business_minutes`: so many minutes of opening time.
    - `business_days`: the same clock time on the n-th later working day.
    - `calendar_days`: the same clock time so many days later, open or not.
    - `working_days`: the n-th working day after the opening day, at the clock time `at` (or its `END_OF_DAY`).
    """

    business_minutes: int | None = None
    business_days: int | None = None
    calendar_days: int | None = None
    working_days: int | None = None
    at: time | None = None

    def __post_init__(self) -> None:
        counts = (self.business_minutes, self.business_days, self.calendar_days, self.working_days)
        given = [count for count in counts if count is not None]
        if len(given) != 1:
            raise ValueError("A target is one of business minutes, business days, calendar days or working days.")
        if given[0] < 1:
            raise ValueError("A target is 1 or more: nothing is due before it starts.")
        if (self.working_days is None) != (self.at is None):
            raise ValueError("A target in working days names its time of day, and no other target does.")


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which the clock stands: from `start` until just before `end`; no `end` while it lasts."""

    start: datetime
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError("A pause cannot end before it starts.")


@dataclass(frozen=True, slots=True)
class Due:
    """When something is due (None while paused) and why: sentences in order, from the clock's start to the due time."""

    due_at: datetime | None
    paused: bool
    explanation: tuple[str, ...]


def due_at(opened_at: datetime, calendar: BusinessCalendar, target: Target, pauses: Iterable[Pause] = ()) -> Due:
    """When what was opened at `opened_at` is due.

    Pauses that start before the due time push it on, by their opening time (for calendar days by their elapsed time),
    until none is left before it; one that still lasts leaves it open. NeverOpen when there is no opening to count in.
    """
    opened_at = opened_at.astimezone(UTC)
    tell = Explanation(calendar.zone_info, opened_at)
    start, due = _unpaused(opened_at, calendar, target, tell)
    around_the_clock = target.calendar_days is not None
    counted_pauses: list[tuple[Pause, timedelta]] = []
    still_paused: Pause | None = None
    for pause in merge_pauses(pauses, since=opened_at):
        if pause.start >= due:
            break
        if pause.end is None:
            still_paused = pause
            break
        lost = pause.end - pause.start if around_the_clock else open_time_between(pause.start, pause.end, calendar)
        due = due + lost if around_the_clock else advance(due, lost, calendar)
        counted_pauses.append((pause, lost))

    if target.business_minutes is not None and still_paused is None:
        _tell_minutes(start, due, calendar, [pause for pause, _ in counted_pauses], tell)
    for pause, lost in counted_pauses:
        tell.paused(pause.start, pause.end or due, lost, office_time=not around_the_clock)
    if still_paused is not None:
        tell.still_paused(still_paused.start)
        return Due(None, True, tell.lines())
    tell.due(due)
    return Due(due, False, tell.lines())


def _unpaused(
    opened_at: datetime, calendar: BusinessCalendar, target: Target, tell: Explanation
) -> tuple[datetime, datetime]:
    """When the clock starts, and the due time if nothing pauses it."""
    zone = calendar.zone_info
    if target.calendar_days is not None:
        tell.started_around_the_clock()
        tell.due_after_days(target.calendar_days, "calendar day")
        local = calendar.local(opened_at)
        on = local.date() + target.calendar_days * DAY
        due = instant_of(on, local.time(), zone)
        tell.clock_change(on, local.time(), due)
        return opened_at, due

    if target.working_days is not None and target.at is not None:
        tell.started_whole_days()
        on = _tell_working_days(calendar.local(opened_at).date(), target.working_days, calendar, tell)
        on, clock = _on_the_clock(on, target.at)
        due = instant_of(on, clock, zone)
        tell.clock_change(on, clock, due)
        return opened_at, due

    start = calendar.next_opening(opened_at)
    if start == opened_at:
        tell.started_open()
    else:
        tell.started_closed(_closed_because(opened_at, calendar), start)
    if target.business_minutes is not None:
        tell.due_after_minutes(target.business_minutes)
        return start, advance(start, timedelta(minutes=target.business_minutes), calendar)

    local = calendar.local(start)
    on = _tell_working_days(local.date(), target.business_days or 1, calendar, tell)
    due = instant_of(on, local.time(), zone)
    tell.clock_change(on, local.time(), due)
    if not calendar.is_open(due):
        tell.closed_then(due)
        due = calendar.next_opening(due)
    return start, due


def _closed_because(at: datetime, calendar: BusinessCalendar) -> str:
    """Why the office is closed at an instant, as the tail of a sentence about it."""
    local = calendar.local(at)
    usual = calendar.hours.get(local.weekday(), ())
    if usual and local.date() in calendar.holidays:
        return "on a holiday"
    spans = calendar.open_spans(local.date())
    if not spans:
        return "on a day when the office is closed"
    if at < spans[0][0]:
        return "before the office opens"
    return "after the office closes" if at >= spans[-1][1] else "between office hours"


def _closed_days(after: date, before: date, calendar: BusinessCalendar) -> list[tuple[date, str]]:
    """The days between two on which nothing counts, and why."""
    between = (after + at * DAY for at in range(1, (before - after).days))
    return [
        (on, "holiday" if calendar.hours.get(on.weekday()) else "closed")
        for on in between
        if not calendar.is_working_day(on)
    ]


def _tell_working_days(after: date, days: int, calendar: BusinessCalendar, tell: Explanation) -> date:
    """The n-th working day after a day, told with the days that do not count."""
    counted = [after]
    for _ in range(days):
        counted.append(add_working_days(counted[-1], 1, calendar))
    tell.due_after_days(days, "working day")
    tell.counted_days(counted[1:])
    tell.not_counted(_closed_days(after, counted[-1], calendar))
    return counted[-1]


def _tell_minutes(
    start: datetime, due: datetime, calendar: BusinessCalendar, pauses: list[Pause], tell: Explanation
) -> None:
    """Tells how much of a target in minutes fell on which day."""
    first, last = calendar.local(start).date(), calendar.local(due).date()
    days = []
    for at in range((last - first).days + 1):
        on = first + at * DAY
        day_start = max(instant_of(on, MIDNIGHT, calendar.zone_info), start)
        day_end = min(instant_of(on + DAY, MIDNIGHT, calendar.zone_info), due)
        if day_start < day_end:
            counted = running_time(day_start, day_end, calendar, pauses)
            if counted:
                days.append((on, counted))
    tell.counted(days)
    tell.not_counted(_closed_days(first, last, calendar))


def _on_the_clock(on: date, clock: time) -> tuple[date, time]:
    """A day and a time that a clock can show: 24:00 is the next day's midnight."""
    return (on + DAY, MIDNIGHT) if clock == END_OF_DAY else (on, clock)


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name in the time zone database. ValueError holds the sentence to show."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"“{name[:60]}” is not a time zone. Give its full name, like America/New_York.") from None


def instant_of(on: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, of a clock time in a zone: skipped by a clock change, the first after; twice, the first."""
    wall = datetime.combine(on, clock.replace(tzinfo=None, fold=0))
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # The clock never shows this time. Read with the offset before the change it lies after the change, and the other way
    # round; the change itself is between the two, on a whole second.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC).replace(microsecond=0)
    after = instant.replace(microsecond=0) + timedelta(seconds=1)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after


def advance(at: datetime, span: timedelta, calendar: BusinessCalendar) -> datetime:
    """The instant when so much opening time has passed since `at`; a span that ends at closing ends then, not next day."""
    if span <= timedelta(0):
        return at
    for start, end in calendar.spans_from(at):
        if end - start >= span:
            return start + span
        span -= end - start
    raise NeverOpen(_NO_OPENING)  # not reached: the spans end by raising it


def open_time_between(a: datetime, b: datetime, calendar: BusinessCalendar) -> timedelta:
    """How long the office is open from `a` until `b`. ValueError when `b` is before `a`."""
    if b < a:
        raise ValueError("Time is counted forward: the end cannot be before the start.")
    total = timedelta(0)
    # From the local day before, so that a clock that goes back over midnight hides no opening from either end.
    on, last = calendar.local(a).date(), calendar.local(b).date() + DAY
    while on <= last:
        for start, end in calendar.open_spans(on):
            total += max(min(end, b) - max(start, a), timedelta(0))
        on += DAY
    return total


def business_minutes_between(a: datetime, b: datetime, calendar: BusinessCalendar) -> int:
    """Whole minutes of opening time from `a` until `b`. ValueError when `b` is before `a`."""
    return open_time_between(a, b, calendar) // timedelta(minutes=1)


def elapsed(opened_at: datetime, at: datetime, calendar: BusinessCalendar, pauses: Iterable[Pause] = ()) -> int:
    """Whole minutes of opening time on the clock at `at`, pauses left out."""
    return running_time(opened_at, at, calendar, pauses) // timedelta(minutes=1)


def remaining(
    opened_at: datetime, at: datetime, calendar: BusinessCalendar, minutes: int, pauses: Iterable[Pause] = ()
) -> int:
    """Whole minutes of opening time left of a target in business minutes at `at`; below zero when it is late."""
    return minutes - elapsed(opened_at, at, calendar, pauses)


def running_time(
    opened_at: datetime, at: datetime, calendar: BusinessCalendar, pauses: Iterable[Pause] = ()
) -> timedelta:
    """Opening time on the clock from `opened_at` until `at`, pauses left out."""
    total = open_time_between(opened_at, at, calendar)
    for pause in merge_pauses(pauses, since=opened_at):
        if pause.start < at:
            total -= open_time_between(pause.start, min(pause.end or at, at), calendar)
    return total


def merge_pauses(pauses: Iterable[Pause], since: datetime) -> list[Pause]:
    """The pauses in order, touching and overlapping ones made one, nothing before `since`, empty ones gone."""
    merged: list[Pause] = []
    for pause in sorted(pauses, key=lambda pause: pause.start):
        start = max(pause.start, since).astimezone(UTC)
        end = None if pause.end is None else pause.end.astimezone(UTC)
        if end is not None and end <= start:
            continue
        if merged and (merged[-1].end is None or start <= merged[-1].end):
            last = merged[-1]
            merged[-1] = Pause(last.start, None if end is None or last.end is None else max(last.end, end))
        else:
            merged.append(Pause(start, end))
    return merged


def add_working_days(on: date, days: int, calendar: BusinessCalendar) -> date:
    """The n-th working day after `on` (before it when `days` is below zero); 0 is `on` itself, working day or not."""
    if not any(calendar.hours.values()):
        raise NeverOpen(_NO_OPENING)
    step = DAY if days > 0 else -DAY
    left = abs(days)
    while left:
        on += step
        left -= calendar.is_working_day(on)
    return on


def working_days_between(a: date, b: date, calendar: BusinessCalendar) -> int:
    """How many working days come after `a`, up to and with `b`. ValueError when `b` is before `a`."""
    if b < a:
        raise ValueError("Days are counted forward: the end cannot be before the start.")
    return sum(calendar.is_working_day(a + at * DAY) for at in range(1, (b - a).days + 1))
