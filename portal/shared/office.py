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
    from collections.abc import Mapping

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def office_calendar(detail: Mapping[str, Any], zone: str, around: date) -> BusinessCalendar:
    """The calendar of an office as its row says it, with the holidays of the years around a day."""
    hours = {
        WEEKDAYS.index(day): [(_clock(opens), _clock(closes)) for opens, closes in periods]
        for day, periods in detail.get("hours", {}).items()
    }
    return BusinessCalendar(zone, hours, frozenset(_holidays(detail, around.year)))


def _clock(text: str) -> time:
    return END_OF_DAY if text == "24:00" else time.fromisoformat(text)


def _holidays(detail: Mapping[str, Any], year: int) -> set[date]:
    found = {date.fromisoformat(str(single["on"])) for single in detail.get("holiday", ())}
    for rule in detail.get("holiday_rule", ()):
        weekday = rule.get("weekday")
        almanac = HolidayRule(
            rule["name"],
            rule["month"],
            day=rule.get("day"),
            weekday=None if weekday is None else WEEKDAYS.index(weekday),
            nth=rule.get("nth"),
        )
        # New Year's Day on a Saturday is kept on December 31 of the year before, so the year after is looked at too.
        for each in (year - 1, year, year + 1, year + 2):
            on = almanac.in_year(each) + timedelta(days=rule.get("days_after", 0))
            found.add(_observed(on, rule.get("observed", "")))
    return found


def _observed(on: date, how: str) -> date:
    if on.weekday() == 6 and how in ("nearest", "sunday"):
        return on + timedelta(days=1)
    if on.weekday() == 5 and how == "nearest":
        return on - timedelta(days=1)
    return on
