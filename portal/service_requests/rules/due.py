"""When a request is due and why: its type's target in its calendar, with the time it waited for the caller left out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules import clock
from portal.shared.calendar import BusinessCalendar, Due, Pause, due_at
from portal.shared.office import holidays_around
from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portal.service_requests.rules.request_type import Definition


def calendar_of(detail: Mapping[str, Any], zone: str, around: dt.date) -> BusinessCalendar:
    """A calendar row as business time reckons with it. Refused when the row says something impossible."""
    hours = clock.read_hours(dict(detail.get("hours", {})))
    return BusinessCalendar(zone, hours, frozenset(holidays_around(detail, around)))


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
