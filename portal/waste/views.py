"""What other rooms show of waste: the codes in force, the next collections of an address."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import core, directory
from portal import settings
from portal.shared.collection import CollectionCalendar, HolidayRule, collection_week, holidays_in
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
    return core.kept(
        session,
        ("waste.codes", on),
        lambda: rules.read_codes(row.detail for row in directory.reference(session, "waste_code", on)),
    )


def collection_calendar(session: Session, on: dt.date) -> CollectionCalendar | None:
    """The city's collection weeks and holidays around a day; None when no pack has a `calendar/collection` row."""
    return core.kept(session, ("waste.collection_calendar", on), lambda: _collection_calendar(session, on))


def _collection_calendar(session: Session, on: dt.date) -> CollectionCalendar | None:
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


def out_by(session: Session, on: dt.date) -> dt.time | None:
    """By when carts stand at the curb: when the trucks begin. None when no calendar says so."""
    row = directory.reference_row(session, "calendar", "collection", on)
    spans = [] if row is None else [span for day in row.detail.get("hours", {}).values() for span in day]
    return min((dt.time.fromisoformat(span[0]) for span in spans), default=None)


def first_collections(
    session: Session, service_kinds: tuple[str, ...], collection_code: str, after: dt.date
) -> list[Collection]:
    """The first collection of each kind after a day, for kinds that are collected and whose day is known."""
    calendar = collection_calendar(session, after)
    found = []
    for kind in service_kinds:
        if kind in rules.COLLECTED:
            on = rules.first_collection_on(kind, collection_code, after, calendar)
            if on is not None:
                found.append(Collection(kind, on))
    return found


# --- what the summary and the desk show -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class NextCollections:
    """The coming collections of an address, and why a day is not the usual one."""

    lines: tuple[tuple[str, dt.date], ...] = ()
    """(what, day), the earliest first: (“Garbage and recycling”, Friday)."""
    note: str = ""
    """“One day later than usual: Thanksgiving.”"""
    usual: str = ""
    """“Thursday, Red week”."""


def next_collections(
    collection_code: str, service_kinds: tuple[str, ...] = ("refuse", "recycling", "trash")
) -> NextCollections:
    """The next collection of each kind at an address, today's included; empty when its day is not known."""
    today = _today()
    with core.read() as session:
        calendar = collection_calendar(session, today)
        first = first_collections(session, service_kinds, collection_code, today - dt.timedelta(days=1))
        names = _holiday_names(session, today)
    if calendar is None or not first:
        return NextCollections()
    by_day: dict[dt.date, list[str]] = {}
    for each in first:
        by_day.setdefault(each.on, []).append(each.service_kind)
    lines = tuple((_together(kinds), on) for on, kinds in sorted(by_day.items()))
    days, color = rules.collection_days(collection_code)
    usual = " and ".join(_LONG_DAYS[day] for day in days)
    if color in calendar.colours:
        usual += f", {color.capitalize()} week"
    return NextCollections(lines, _why_late(min(by_day), days, calendar, names), usual)


def slides_this_week() -> str:
    """Which collections of this week come later than usual, and why; "" in an ordinary week."""
    today = _today()
    with core.read() as session:
        calendar = collection_calendar(session, today)
        names = _holiday_names(session, today)
    if calendar is None:
        return ""
    moved, start = [], calendar.week_start(today)
    for weekday, on in sorted(collection_week(today, calendar).items()):
        usual_on = start + dt.timedelta(days=(weekday - start.weekday()) % 7)
        if on != usual_on and on >= today:
            moved.append((usual_on, on))
    if not moved:
        return ""
    why = next((names[day] for day in sorted(names) if start <= day <= moved[0][1]), "the holiday")
    days = ", ".join(f"{_LONG_DAYS[usual_on.weekday()]} → {_LONG_DAYS[on.weekday()]}" for usual_on, on in moved)
    return f"Collection slides one day after {why}: {days}."


_LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SPOKEN = {"refuse": "garbage", "recycling": "recycling", "trash": "yard and bulky"}


def _together(kinds: list[str]) -> str:
    words = [_SPOKEN[kind] for kind in _SPOKEN if kind in kinds]
    text = " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
    return text[:1].upper() + text[1:]


def _why_late(on: dt.date, days: tuple[int, ...], calendar: CollectionCalendar, names: dict[dt.date, str]) -> str:
    for day in (on, on - dt.timedelta(days=7)):
        start = calendar.week_start(day)
        week = collection_week(day, calendar)
        for weekday in days:
            usual_on = start + dt.timedelta(days=(weekday - start.weekday()) % 7)
            if week.get(weekday) == on and usual_on != on:
                late = (on - usual_on).days
                why = next(
                    (names[each] for each in sorted(names, reverse=True) if start <= each <= usual_on), "a holiday"
                )
                return f"{'One day' if late == 1 else f'{late} days'} later than usual: {why}."
    return ""


def _holiday_names(session: Session, around: dt.date) -> dict[dt.date, str]:
    """The days without collection by their names, of the years around a day."""
    return core.kept(session, ("waste.holiday_names", around), lambda: _read_holiday_names(session, around))


def _read_holiday_names(session: Session, around: dt.date) -> dict[dt.date, str]:
    row = directory.reference_row(session, "calendar", "collection", around)
    if row is None:
        return {}
    return {
        HolidayRule(
            str(rule.get("name", "")), int(rule["month"]), day=rule.get("day"),
            weekday=rules.WEEKDAYS.index(rule["weekday"]) if "weekday" in rule else None, nth=rule.get("nth"),
        ).in_year(year): str(rule.get("name", "a holiday"))
        for rule in row.detail.get("holiday_rule", ())
        for year in range(around.year - 1, around.year + 2)
    }  # fmt: skip


def _today() -> dt.date:
    return core.now().astimezone(settings.current().time_zone).date()
