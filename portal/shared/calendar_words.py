"""The reasons behind a due time, told as an American desk would say them: one sentence per step."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from portal.shared.text import clock_text, count_text, day_text, duration_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LISTED = 8
"""A list of days longer than this is told by its beginning and its end."""


def period_backwards(weekday: int, opens: time, closes: time) -> str:
    """The sentence for a period that ends before it starts."""
    return (
        f"{_WEEKDAYS[weekday]}'s hours from {opens:%H:%M} to {closes:%H:%M} end before they start. "
        "For hours past midnight give two periods: one until 24:00, and one from 00:00 on the next day."
    )


def periods_overlap(weekday: int, opens: time) -> str:
    """The sentence for two periods of a day that overlap."""
    return f"{_WEEKDAYS[weekday]}'s hours overlap at {opens:%H:%M}. Let each period end before the next one starts."


class Explanation:
    """Collects the sentences of one due time, in the office's zone; the year is told when it is not that of the opening."""

    def __init__(self, zone: ZoneInfo, opened_at: datetime) -> None:
        self.zone = zone
        self.opened_on = opened_at.astimezone(zone).date()
        self.opened = f"Opened {self.moment(opened_at)}"
        self.told: list[str] = []

    def lines(self) -> tuple[str, ...]:
        return tuple(self.told)

    def day(self, on: date) -> str:
        return day_text(on, today=self.opened_on)

    def moment(self, at: datetime) -> str:
        """`Tue, Nov 24 at 9:12 am`, with the zone's letters in the hour that comes twice."""
        local = at.astimezone(self.zone)
        twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
        return f"{self.day(local.date())} at {clock_text(local)}{f' {local.tzname()}' if twice else ''}"

    # ----- the start

    def started_open(self) -> None:
        self.told.append(f"{self.opened}, inside office hours: the clock starts then.")

    def started_closed(self, why: str, start: datetime) -> None:
        self.told.append(f"{self.opened}, {why}: the clock starts at the next opening, {self.moment(start)}.")

    def started_whole_days(self) -> None:
        self.told.append(f"{self.opened}: the clock starts that day, and working days count from the day after.")

    def started_around_the_clock(self) -> None:
        self.told.append(f"{self.opened}: the clock starts then, because calendar days count whether open or closed.")

    # ----- the counting

    def due_after_minutes(self, minutes: int) -> None:
        self.told.append(f"It is due after {duration_text(timedelta(minutes=minutes))} of office time.")

    def due_after_days(self, days: int, kind: str) -> None:
        self.told.append(f"It is due {count_text(days, kind)} later.")

    def counted(self, days: Sequence[tuple[date, timedelta]]) -> None:
        self.told.append(f"Counted: {_listing([f'{self.day(on)} ({duration_text(span)})' for on, span in days])}.")

    def counted_days(self, days: Sequence[date]) -> None:
        self.told.append(
            f"Counted: {_listing([f'{self.day(on)} (day {number})' for number, on in enumerate(days, 1)])}."
        )

    def not_counted(self, days: Sequence[tuple[date, str]]) -> None:
        if days:
            self.told.append(f"Not counted: {_listing([f'{self.day(on)} ({why})' for on, why in days])}.")

    def clock_change(self, on: date, clock: time, due: datetime) -> None:
        """Says so when a clock change skips the wanted clock time or makes it come twice; nothing otherwise."""
        local = due.astimezone(self.zone)
        if local.replace(tzinfo=None) != datetime.combine(on, clock.replace(fold=0)):
            self.told.append(
                f"Clocks go forward on {self.day(on)} and skip {clock_text(clock)}: "
                f"the first moment after it counts, {clock_text(local)}."
            )
        elif local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
            self.told.append(f"Clocks go back on {self.day(on)} and {clock_text(clock)} comes twice: the first counts.")

    def closed_then(self, at: datetime) -> None:
        self.told.append(f"The office is closed {self.moment(at)}, so the next opening counts.")

    def paused(self, start: datetime, end: datetime, lost: timedelta, *, office_time: bool) -> None:
        gone = f"{duration_text(lost)}{' of office time' if office_time else ''}"
        self.told.append(
            f"Paused {self.moment(start)} until {self.moment(end)}: {f'{gone} added' if lost else 'no office time lost'}."
        )

    # ----- the end

    def still_paused(self, since: datetime) -> None:
        self.told.append(f"Paused since {self.moment(since)}: there is no due time until the pause ends.")

    def due(self, at: datetime) -> None:
        self.told.append(f"Due {self.moment(at)}.")


def _listing(items: Sequence[str]) -> str:
    if len(items) <= _LISTED:
        return ", ".join(items)
    left_out = len(items) - 5
    return f"{', '.join(items[:3])}, {left_out:,} more days, {', '.join(items[-2:])}"
