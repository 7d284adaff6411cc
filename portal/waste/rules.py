"""Codes of cart orders by service kind and area, and the days an address is collected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.shared.collection import CollectionCalendar, next_collections

COLLECTED = ("refuse", "recycling", "trash")
"""The service kinds that have collection days."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class WasteCode:
    """The code of one kind of waste service for one class of customer."""

    service_kind: str
    customer_class: str
    code: str
    """RG96: residential garbage, 96 gallons."""
    by_color: bool
    """Whether the color of the address's week is part of the code: YW-R, YW-B."""
    container: str
    """What stands at the point: cart-96; empty: nothing."""


def read_codes(rows: Iterable[Mapping[str, Any]]) -> list[WasteCode]:
    """The `waste_code` rows."""
    return [
        WasteCode(
            service_kind=str(row.get("service_kind", "")),
            customer_class=str(row.get("customer_class", "")),
            code=str(row.get("code_text", "")),
            by_color=bool(row.get("by_color", False)),
            container=str(row.get("container", "")),
        )
        for row in rows
    ]


def code_row(service_kind: str, customer_class: str, codes: Iterable[WasteCode]) -> WasteCode | None:
    """The row of a service kind and class, else the residential one."""
    rows = [row for row in codes if row.service_kind == service_kind]
    exact = next((row for row in rows if row.customer_class == customer_class), None)
    return exact or next((row for row in rows if row.customer_class == "residential"), None)


def service_code(service_kind: str, customer_class: str, collection_code: str, codes: Iterable[WasteCode]) -> str:
    """The code of a point that has none of its own yet: by kind and class, with the color of its week where that counts."""
    row = code_row(service_kind, customer_class, codes)
    if row is None:
        return ""
    _, color = collection_days(collection_code)
    return f"{row.code}-{color[:1].upper()}" if row.by_color and color else row.code


def order_code(code: str, suffix: str) -> str:
    """`RG96` and `DEL` make `RG96-DEL`; without a code the suffix alone."""
    return f"{code}-{suffix}" if code else suffix


def collection_days(collection_code: str) -> tuple[tuple[int, ...], str]:
    """(weekdays, color in lower case): Thursdays and red of `THU-RED`, two days of `MON-FRI`; ((), "") when it is no such code."""
    days: list[int] = []
    color = ""
    for part in collection_code.strip().lower().split("-"):
        if part in WEEKDAYS and not color:
            days.append(WEEKDAYS.index(part))
        elif part.isalpha() and days and not color:
            color = part
        else:
            return (), ""
    return tuple(days), color


def first_collection_on(
    service_kind: str, collection_code: str, after: date, calendar: CollectionCalendar | None
) -> date | None:
    """The first collection after a day; yard and bulky only in weeks of the address's color. None when it is not known."""
    days, color = collection_days(collection_code)
    if calendar is None:
        return None
    days = tuple(day for day in days if day in calendar.regular_weekdays)
    if service_kind == "trash":
        if color not in calendar.colours:
            return None
        return min((next_collections(after, day, calendar, colour=color)[0] for day in days), default=None)
    return min((next_collections(after, day, calendar)[0] for day in days), default=None)
