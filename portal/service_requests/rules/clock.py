"""`portal sla due`: when something is due by a calendar, a target and its pauses, and why. One object in, one out."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from portal.shared.calendar import (
    END_OF_DAY,
    BusinessCalendar,
    NeverOpen,
    Pause,
    Period,
    Target,
    due_at,
    instant_of,
    zone_named,
)
from portal.shared.jsonlines import instant_text, only_keys, refused, required, whole_number

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KEYS = ("opened_at", "zone", "hours", "holidays", "target", "pauses")
_KINDS = {
    "business_minutes": 10 * 366 * 24 * 60,
    "business_days": 3660,
    "calendar_days": 3660,
    "working_days": 3660,
}
"""The kinds of target and the most of each: about ten years."""

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})", re.ASCII)
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,12})?)?)([Zz]|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


def sla_due(line: dict[str, Any]) -> dict[str, Any]:
    """The answer to one line: `due_at` in UTC (null while paused) and the explanation. Refused names the key at fault."""
    only_keys(line, _KEYS)
    zone = read_zone(required(line, "zone"))
    opened_at = read_instant(required(line, "opened_at"), "opened_at", zone)
    target = read_target(required(line, "target"))
    if line.get("hours") is None and target.calendar_days is None:
        raise refused(
            "hours", "“hours” is missing. Give the office's hours: only a target in calendar_days needs none."
        )
    calendar = BusinessCalendar(
        zone.key,
        read_hours({} if line.get("hours") is None else line["hours"]),
        frozenset(read_holidays([] if line.get("holidays") is None else line["holidays"])),
    )
    pauses = read_pauses([] if line.get("pauses") is None else line["pauses"], zone)
    try:
        due = due_at(opened_at, calendar, target, pauses)
    except NeverOpen as never:
        raise refused("hours", str(never)) from None
    answer: dict[str, Any] = {"due_at": None if due.due_at is None else instant_text(due.due_at)}
    if due.paused:
        answer["paused"] = True
    return answer | {"explanation": list(due.explanation)}


def read_zone(value: object) -> ZoneInfo:
    """A time zone by name."""
    try:
        return zone_named(_text(value, "zone", "The zone", "America/New_York"))
    except ValueError as error:
        raise refused("zone", str(error)) from None


def read_hours(value: object, field: str = "hours") -> dict[int, list[Period]]:
    """`{"mon": [["08:00", "17:00"]], …}` as a calendar takes it; a weekday left out is closed."""
    if not isinstance(value, dict):
        raise refused(field, 'Hours are given by weekday, like {"mon": [["08:00", "17:00"]]}.')
    only_keys(value, WEEKDAYS, field)
    hours: dict[int, list[Period]] = {}
    for name, periods in value.items():
        if not isinstance(periods, list):
            raise refused(field, f'The hours of “{name}” are a list of periods, like [["08:00", "17:00"]].')
        for period in periods:
            if not isinstance(period, list) or len(period) != 2:
                raise refused(
                    field, f'Each period of “{name}” is an opening and a closing time, like ["08:00", "17:00"].'
                )
            opens, closes = read_clock(period[0], field), read_clock(period[1], field)
            if opens == END_OF_DAY or closes == time(0):
                raise refused(
                    field, f"A period of “{name}” opens before 24:00 and closes after 00:00, never the reverse."
                )
            hours.setdefault(WEEKDAYS.index(name), []).append((opens, closes))
    try:
        BusinessCalendar("UTC", hours)
    except ValueError as error:
        raise refused(field, str(error)) from None
    return hours


def read_holidays(value: object, field: str = "holidays") -> list[date]:
    """A list of days like `2026-11-26`."""
    if not isinstance(value, list):
        raise refused(field, 'Holidays are a list of days, like ["2026-11-26"].')
    return [_day(on, field) for on in value]


def read_target(value: object, field: str = "target") -> Target:
    """One of the four kinds, like `{"business_minutes": 60}` or `{"working_days": 1, "at": "15:00"}`."""
    if not isinstance(value, dict):
        raise refused(field, 'The target is an object, like {"business_minutes": 60}.')
    only_keys(value, (*_KINDS, "at"), field)
    kinds = [kind for kind in _KINDS if kind in value]
    if len(kinds) != 1:
        raise refused(field, f"The target is exactly one of {', '.join(_KINDS)}.")
    kind = kinds[0]
    count = whole_number(value[kind], field, f"The target's “{kind}”", 1, _KINDS[kind])
    if kind == "working_days" and "at" not in value:
        raise refused(field, 'A target in working_days names its time of day, like {"working_days": 1, "at": "15:00"}.')
    if kind != "working_days" and "at" in value:
        raise refused(field, f"“at” belongs to working_days. Leave it out of a target in {kind}.")
    return Target(**{kind: count}, at=read_clock(value["at"], field) if "at" in value else None)


def read_pauses(value: object, zone: ZoneInfo, field: str = "pauses") -> list[Pause]:
    """A list of `["from", "to"]`, `to` null while the pause lasts."""
    if not isinstance(value, list):
        raise refused(field, 'Pauses are a list of from and to, like [["2026-11-24T10:00:00Z", null]].')
    pauses = []
    for pause in value:
        if not isinstance(pause, list) or len(pause) != 2:
            raise refused(field, 'Each pause is its from and its to, like ["2026-11-24T10:00:00Z", null].')
        start = read_instant(pause[0], field, zone)
        end = None if pause[1] is None else read_instant(pause[1], field, zone)
        try:
            pauses.append(Pause(start, end))
        except ValueError:
            raise refused(
                field, f"The pause from {pause[0]} to {pause[1]} ends before it starts. Swap the two."
            ) from None
    return pauses


def read_instant(value: object, field: str, zone: ZoneInfo) -> datetime:
    """An instant, in UTC: RFC 3339 with an offset, or a local time in `zone`."""
    text = _text(value, field, "An instant", "2026-11-24T09:12:00-05:00")
    match = _INSTANT.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        clock, _, fraction = match[2].partition(".")
        offset = "+00:00" if match[3] in ("Z", "z") else match[3] or ""
        # Below a millionth of a second there is nothing to tell apart.
        at = datetime.fromisoformat(f"{match[1]}T{clock}{f'.{fraction[:6]:0<6}' if fraction else ''}{offset}")
    except ValueError:
        raise refused(
            field,
            f"“{text[:60]}” is not an instant. Write it like 2026-11-24T09:12:00-05:00, or without the offset.",
        ) from None
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise refused(field, f"“{text[:60]}” is outside the years {_FIRST_YEAR} to {_LAST_YEAR}. Check the year.")
    return at.astimezone(UTC) if at.tzinfo else instant_of(at.date(), at.time(), zone)


def read_clock(value: object, field: str) -> time:
    """A time of day from `00:00` to `24:00`, the latter as `END_OF_DAY`."""
    text = _text(value, field, "A time of day", "08:00")
    match = _CLOCK.fullmatch(text)
    hour, minute = (int(match[1]), int(match[2])) if match else (99, 99)
    if (hour, minute) == (24, 0):
        return END_OF_DAY
    if hour > 23 or minute > 59:
        raise refused(field, f"“{text[:60]}” is not a time of day. Write it like 08:00, from 00:00 to 24:00.")
    return time(hour, minute)


def _day(value: object, field: str) -> date:
    text = _text(value, field, "A day", "2026-11-26")
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII) is None:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise refused(field, f"“{text[:60]}” is not a day. Write it like 2026-11-26.") from None


def _text(value: object, field: str, name: str, example: str) -> str:
    if not isinstance(value, str):
        raise refused(field, f'{name} is written in quotes, like "{example}".')
    return value
