"""A calendar row of the packs as business time reckons with it: its hours, and the holidays its rules make.

A rule's `observed` says what a weekend does: "nearest" keeps a Saturday on Friday and a Sunday on Monday, "sunday" moves only
a Sunday, anything else moves nothing. `days_after` counts on from the day the rule finds.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any

from portal.shared.calendar import END_OF_DAY, BusinessCalendar
from portal.shared.collection import HolidayRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


YEARS_AHEAD = 3
"""So many years after a day its calendar's holidays are worked out: no target reaches farther."""


def office_calendar(detail: Mapping[str, Any], zone: str, around: date) -> BusinessCalendar:
    """The calendar of an office as its row says it, with the holidays of the years around a day."""
    hours = {
        WEEKDAYS.index(day): [(_clock(opens), _clock(closes)) for opens, closes in periods]
        for day, periods in detail.get("hours", {}).items()
    }
    return BusinessCalendar(zone, hours, frozenset(holidays_around(detail, around)))


def _clock(text: str) -> time:
    return END_OF_DAY if text == "24:00" else time.fromisoformat(text)


def holidays_around(detail: Mapping[str, Any], day: date) -> dict[date, str]:
    """The closed days of a calendar from the year before a day on, with their names."""
    return holidays_of(detail, range(day.year - 1, day.year + YEARS_AHEAD + 1))


def holidays_of(detail: Mapping[str, Any], years: Iterable[int]) -> dict[date, str]:
    """The closed days of a calendar in some years with their names: single days, and what its rules make."""
    asked = sorted(set(years))
    found: dict[date, str] = {}
    for rule in detail.get("holiday_rule", ()):
        weekday = rule.get("weekday")
        almanac = HolidayRule(
            rule["name"],
            rule["month"],
            day=rule.get("day"),
            weekday=None if weekday is None else WEEKDAYS.index(weekday),
            nth=rule.get("nth"),
        )
        # New Year's Day on a Saturday is kept on December 31 of the year before, so one year more is looked at.
        for year in [*asked, asked[-1] + 1] if asked else []:
            on = almanac.in_year(year) + timedelta(days=rule.get("days_after", 0))
            found[_observed(on, rule.get("observed", ""))] = rule["name"]
    for single in detail.get("holiday", ()):
        found[date.fromisoformat(str(single["on"]))] = single["name"]
    return {on: found[on] for on in sorted(found) if on.year in asked}


def _observed(on: date, how: str) -> date:
    if on.weekday() == 6 and how in ("nearest", "sunday"):
        return on + timedelta(days=1)
    if on.weekday() == 5 and how == "nearest":
        return on - timedelta(days=1)
    return on
