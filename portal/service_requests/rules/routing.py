"""Who gets a request: the first row of an ordered table that fits, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portal.service_requests.rules.request_type import Definition, RouteRow


@dataclass(frozen=True)
class Route:
    """Where a request goes and the reason in one sentence."""

    department: str
    division: str | None
    why: str
    row: int | None = None
    """Which row decided, counted from 1; None when no row fitted."""


def route(
    definition: Definition, district: str, answers: Mapping[str, Any], is_open: Callable[[str], bool] | None = None
) -> Route:
    """The division of the first routing row that fits the district, the answers and the hours; else the type's own.

    `is_open` answers whether a calendar is open at the moment; without it rows that ask for hours are passed over.
    """
    for at, row in enumerate(definition.routes, start=1):
        if row.districts and district.casefold() not in {each.casefold() for each in row.districts}:
            continue
        if row.when is not None and not row.when.holds(answers):
            continue
        if row.calendar is not None and (is_open is None or is_open(row.calendar) != (row.during == "open")):
            continue
        return Route(definition.department, row.division, row.why or _why(definition, row), at)
    return Route(definition.department, definition.division, "Every request of this type goes there.")


def _why(definition: Definition, row: RouteRow) -> str:
    if row.districts:
        return f"{definition.name} in {' or '.join(row.districts)} goes there."
    if row.when is not None:
        return f"{definition.name} with this answer goes there."
    if row.calendar is not None:
        return f"{definition.name} goes there while it is {row.during}."
    return "Every request of this type goes there."
