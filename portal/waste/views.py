"""What other rooms show of waste: the codes in force, the next collections of an address."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import directory
from portal.shared.collection import CollectionCalendar, HolidayRule, holidays_in
from portal.waste import rules

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Collection:
    """The first collection of one kind of waste at an address."""

    service_kind: str
    on: dt.date


def codes(session: Session, on: dt.date) -> list[rules.WasteCode]:
    """The waste codes in force on a day."""
    return rules.read_codes(row.detail for row in directory.reference(session, "waste_code", on))


def collection_calendar(session: Session, on: dt.date) -> CollectionCalendar | None:
    """The city's collection weeks and holidays around a day; None when no pack has a `calendar/collection` row."""
    row = directory.reference_row(session, "calendar", "collection", on)
    if row is None:
        return None
    detail: dict[str, Any] = row.detail
    week = directory.reference_row(session, "collection_week", "color", on)
    holiday_rules = [
        HolidayRule(
            name=str(rule.get("name", "")),
            month=int(rule["month"]),
            day=rule.get("day"),
            weekday=rules.WEEKDAYS.index(rule["weekday"]) if "weekday" in rule else None,
            nth=rule.get("nth"),
        )
        for rule in detail.get("holiday_rule", ())
    ]
    anchor = None if week is None else week.detail.get("anchor_on")
    return CollectionCalendar(
        anchor_on=dt.date.fromisoformat(str(anchor)) if anchor else dt.date(2020, 11, 22),
        # Without an anchor nobody knows the color of a week: then no color is offered at all.
        colours=tuple(week.detail.get("colors", ())) if week is not None and anchor else ("unknown",),
        holidays=holidays_in(range(on.year - 1, on.year + 3), holiday_rules),
        regular_weekdays=tuple(rules.WEEKDAYS.index(day) for day in detail.get("hours", {})) or (0, 1, 2, 3, 4),
    )


def first_collections(
    session: Session, service_kinds: tuple[str, ...], collection_code: str, after: dt.date
) -> list[Collection]:
    """The first collection of each kind after a day, for kinds that are collected and whose day is known."""
    calendar = collection_calendar(session, after)
    found = []
    for kind in service_kinds:
        if kind in ("refuse", "recycling", "trash"):
            on = rules.first_collection_on(kind, collection_code, after, calendar)
            if on is not None:
                found.append(Collection(kind, on))
    return found
