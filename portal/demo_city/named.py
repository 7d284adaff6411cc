"""The dozen people and places that tests and documents speak about: they stand in every demo city, as its first premises.

`named.toml` is the tests' `city.toml`. People, addresses, account and meter numbers, flags, persons who may act and the use
of the last year are taken as written there; bills and payments are computed like everybody's.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from portal.billing.rules.tariff import SERVICE_KINDS
from portal.demo_city.streets import KIND_NAMES, District, Premises

CYCLE = 3
"""All of them are read in the fourth cycle."""
METERED_KINDS = ("electric", "gas", "water")


@dataclass(frozen=True)
class NamedMeter:
    number: str
    last: int
    use: tuple[int, ...]
    """Use of the last periods, newest last."""


@dataclass
class Named:
    """The file, with the position of each premise and person by key."""

    people: list[dict[str, Any]] = field(default_factory=list)
    premises: list[dict[str, Any]] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    staff: list[dict[str, Any]] = field(default_factory=list)
    meters: dict[tuple[int, int], NamedMeter] = field(default_factory=dict)
    """By premise row and metered kind."""
    today: dt.date = dt.date(2026, 11, 24)

    def premise_row(self, key: str) -> int:
        return next(at for at, one in enumerate(self.premises) if one["key"] == key)

    def person(self, key: str) -> dict[str, Any]:
        return next(one for one in self.people if one["key"] == key)

    @property
    def streets(self) -> list[str]:
        return list(dict.fromkeys(street_of(one["address"])[1] for one in self.premises))


def street_of(address: str) -> tuple[int, str, str]:
    """House number, street and unit of an address in one line."""
    line, _, unit = address.partition(", ")
    number, _, street = line.partition(" ")
    return int(number), street, unit


def read_named() -> Named:
    table = tomllib.loads((Path(__file__).parent / "named.toml").read_text("utf-8"))
    named = Named(table["person"], table["premise"], table["account"], table["staff"], today=table["today"])
    for one in table["meter"]:
        place = (named.premise_row(one["premise"]), METERED_KINDS.index(one["kind"]))
        named.meters[place] = NamedMeter(one["number"], one["last"], tuple(one["use"]))
    return named


def put_first(named: Named, place: Premises, areas: list[District]) -> None:
    """Makes the first premises those of the file."""
    for row, one in enumerate(named.premises):
        number, street, unit = street_of(one["address"])
        place.house_number[row], place.street[row], place.unit[row] = number, street, unit
        place.kind[row] = KIND_NAMES.index(one.get("kind", "house"))
        place.latitude[row], place.longitude[row] = one["latitude"], one["longitude"]
        place.district[row] = next(
            (at for at, area in enumerate(areas) if inside(one["longitude"], one["latitude"], area.corners)), 0
        )
        place.inside_city[row] = True
        place.cycle[row] = CYCLE
        place.collection[row] = one["collection"]
        place.zip[row] = f"3230{place.district[row] + 1}"


def put_services(named: Named, has: np.ndarray) -> None:
    """What the named premises have, as the file says it."""
    for row, one in enumerate(named.premises):
        has[row] = [kind in one["kinds"] for kind in SERVICE_KINDS]


def inside(x: float, y: float, corners: tuple[tuple[float, float], ...]) -> bool:
    """Whether a point lies in a polygon: a ray to the right crosses its edges an odd number of times."""
    found = False
    for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            found = not found
    return found
