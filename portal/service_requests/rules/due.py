"""When a request is due and why: its type's target in its calendar, with the time it waited for the caller left out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules import clock
from portal.shared.calendar import BusinessCalendar, Due, Pause, due_at
from portal.shared.collection import HolidayRule
from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portal.service_requests.rules.request_type import Definition

YEARS_AHEAD = 3
"""So many years after the opening the calendar's holidays are worked out: no target reaches farther."""


def calendar_of(detail: Mapping[str, Any], zone: str, around: dt.date) -> BusinessCalendar:
    """A calendar row as business time reckons with it. Refused when the row says something impossible."""
    days = holidays_of(detail, range(around.year - 1, around.year + YEARS_AHEAD + 1))
    return BusinessCalendar(zone, clock.read_hours(dict(detail.get("hours", {}))), frozenset(days))


def holidays_of(detail: Mapping[str, Any], years: Iterable[int]) -> dict[dt.date, str]:
    """The closed days of a calendar in some years with their names: single days, and what its rules make.

    A rule's `observed` says what a weekend does: "nearest" keeps a Saturday on Friday and a Sunday on Monday, "sunday"
    moves only a Sunday, anything else moves nothing. `days_after` counts on from the day the rule finds.
    """
    asked = sorted(set(years))
    found: dict[dt.date, str] = {}
    for rule in detail.get("holiday_rule", ()):
        weekday = rule.get("weekday")
        almanac = HolidayRule(
            rule["name"],
            rule["month"],
            day=rule.get("day"),
            weekday=None if weekday is None else clock.WEEKDAYS.index(weekday),
            nth=rule.get("nth"),
        )
        # New Year's Day on a Saturday is kept on December 31 of the year before, so one year more is looked at.
        for year in [*asked, asked[-1] + 1] if asked else []:
            on = almanac.in_year(year) + dt.timedelta(days=rule.get("days_after", 0))
            found[_observed(on, rule.get("observed", ""))] = rule["name"]
    for single in detail.get("holiday", ()):
        found[dt.date.fromisoformat(str(single["on"]))] = single["name"]
    return {on: found[on] for on in sorted(found) if on.year in asked}


def _observed(on: dt.date, how: str) -> dt.date:
    if on.weekday() == 6 and how in ("nearest", "sunday"):
        return on + dt.timedelta(days=1)
    if on.weekday() == 5 and how == "nearest":
        return on - dt.timedelta(days=1)
    return on


def calendar_problems(detail: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a calendar row; none when due times can be counted in it."""
    from portal.shared.refusal import Refused

    try:
        calendar = calendar_of(detail, "UTC", dt.date(2026, 1, 1))
    except Refused as refused:
        return list(refused.problems)
    except (KeyError, ValueError, TypeError) as error:
        return [Problem("holiday_rule", f"{detail.get('code')}: a holiday cannot be worked out ({error}).")]
    if not any(calendar.hours.values()):
        return [Problem("hours", f"{detail.get('code')}: give at least one weekday its hours.")]
    return []


def due_of(
    definition: Definition, calendar: BusinessCalendar, opened_at: dt.datetime, pauses: Iterable[Pause] = ()
) -> Due | None:
    """When a request of this type is due; None when its type promises no time."""
    if definition.sla_target is None:
        return None
    return due_at(opened_at, calendar, clock.read_target(dict(definition.sla_target)), list(pauses))
