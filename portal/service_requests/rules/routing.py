"""Who gets a request: the first row of an ordered table that fits, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.service_requests.rules.request_type import Definition


@dataclass(frozen=True)
class Route:
    """Where a request goes and the reason in one sentence."""

    department: str
    division: str | None
    why: str
    row: int | None = None
    """Which row decided, counted from 1; None when no row fitted."""


def route(definition: Definition, district: str, answers: Mapping[str, Any]) -> Route:
    """The division of the first routing row that fits the district and the answers; else the type's own."""
    for at, row in enumerate(definition.routes, start=1):
        if row.districts and district.casefold() not in {each.casefold() for each in row.districts}:
            continue
        if row.when is not None and not row.when.holds(answers):
            continue
        return Route(
            definition.department, row.division, row.why or _why(definition, row.districts, row.when is not None), at
        )
    return Route(definition.department, definition.division, "Every request of this type goes there.")


def _why(definition: Definition, districts: tuple[str, ...], by_answer: bool) -> str:
    if districts:
        return f"{definition.name} in {' or '.join(districts)} goes there."
    return f"{definition.name} with this answer goes there." if by_answer else "Every request of this type goes there."
