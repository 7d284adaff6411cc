"""Requests that may be about the same thing: at the same premise, or of the same type close by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.service_requests.rules.request_type import Definition

EARTH_METRES = 6_371_008.8
METRES_PER_DEGREE = EARTH_METRES * math.pi / 180
FEET_PER_METRE = 3.28084


@dataclass(frozen=True)
class Candidate:
    """An open request as duplicates are judged."""

    request_id: int
    request_type_code: str
    premise_id: int | None
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True)
class Match:
    """A candidate that stays, and how near it is: 0 at the premise itself."""

    request_id: int
    same_premise: bool
    same_type: bool
    metres: float


def distance_metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two (latitude, longitude) by the haversine formula."""
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (*a, *b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_METRES * math.asin(min(1.0, math.sqrt(half)))


def box(latitude: float, longitude: float, metres: float) -> tuple[float, float, float, float]:
    """(south, north, west, east) of a box that holds every point within `metres`."""
    lat = metres / METRES_PER_DEGREE
    lon = lat / max(0.01, math.cos(math.radians(latitude)))
    return latitude - lat, latitude + lat, longitude - lon, longitude + lon


def matches(
    definition: Definition, premise_id: int | None, at: tuple[float, float] | None, candidates: Iterable[Candidate]
) -> list[Match]:
    """The candidates to show, nearest first: everything open at the premise, then the same type within its metres."""
    found = []
    for each in candidates:
        same_type = each.request_type_code == definition.code
        if premise_id is not None and each.premise_id == premise_id:
            found.append(Match(each.request_id, True, same_type, 0.0))
        elif same_type and at is not None and each.latitude is not None and each.longitude is not None:
            metres = distance_metres(at, (each.latitude, each.longitude))
            if metres <= definition.duplicate_metres:
                found.append(Match(each.request_id, False, True, metres))
    return sorted(
        found, key=lambda match: (not match.same_premise, not match.same_type, match.metres, match.request_id)
    )


def distance_text(metres: float) -> str:
    """How far away, as Americans say it: `at this spot`, `120 feet away`, `0.4 miles away`."""
    feet = metres * FEET_PER_METRE
    if feet < 15:
        return "at this spot"
    if feet < 1000:
        return f"{round(feet / 10) * 10} feet away"
    return f"{feet / 5280:.1f} miles away"
