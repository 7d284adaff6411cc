"""The ground of the city: districts that tile it, streets inside them, premises with units and coordinates along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.demo_city import words
from portal.demo_city.draw import chosen, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUSE, APARTMENT, BUSINESS = 0, 1, 2
KIND_NAMES = ("house", "apartment", "business")

CENTRE_LATITUDE, CENTRE_LONGITUDE = 30.4400, -84.2800
HALF_HEIGHT, HALF_WIDTH = 0.062, 0.094
"""Degrees from the middle of the city to its edges: about 14 by 18 kilometers."""
COLUMNS, ROWS = 4, 2
PER_STREET = 42
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI")
COLOURS = ("RED", "BLUE")


@dataclass(frozen=True)
class District:
    code: str
    name: str
    corners: tuple[tuple[float, float], ...]
    """Four (longitude, latitude) corners, counter-clockwise from the south-west."""

    @property
    def polygon(self) -> dict[str, Any]:
        """GeoJSON, the ring closed."""
        return {"type": "Polygon", "coordinates": [[list(corner) for corner in (*self.corners, self.corners[0])]]}

    def place(self, across: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude of points given as shares (0 to 1) of the district's width and height."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.corners
        weights = ((1 - across) * (1 - up), across * (1 - up), across * up, (1 - across) * up)
        longitude = weights[0] * ax + weights[1] * bx + weights[2] * cx + weights[3] * dx
        latitude = weights[0] * ay + weights[1] * by + weights[2] * cy + weights[3] * dy
        return np.round(longitude, 6), np.round(latitude, 6)


def districts(seed: int) -> list[District]:
    """Eight tiles without gaps or overlaps: a grid whose inner corners are moved a little."""
    generator = stream(seed, "districts")
    corners = np.empty((ROWS + 1, COLUMNS + 1, 2))
    for row in range(ROWS + 1):
        for column in range(COLUMNS + 1):
            shift = generator.uniform(-0.12, 0.12, 2)
            inner_x, inner_y = 0 < column < COLUMNS, 0 < row < ROWS
            x = column + (shift[0] if inner_x else 0.0)
            y = row + (shift[1] if inner_y else 0.0)
            corners[row, column] = (
                round(CENTRE_LONGITUDE + HALF_WIDTH * (2 * x / COLUMNS - 1), 6),
                round(CENTRE_LATITUDE + HALF_HEIGHT * (2 * y / ROWS - 1), 6),
            )
    found = []
    for number, (code, name) in enumerate(words.DISTRICTS):
        row, column = ROWS - 1 - number // COLUMNS, number % COLUMNS
        ring = (
            corners[row, column], corners[row, column + 1], corners[row + 1, column + 1], corners[row + 1, column]
        )  # fmt: skip
        found.append(District(code, name, tuple((float(x), float(y)) for x, y in ring)))
    return found


@dataclass
class Premises:
    """All premises as columns; a row number is a premise, its id is the number plus one."""

    district: np.ndarray
    """Position in the list of districts."""
    street: list[str]
    house_number: np.ndarray
    unit: list[str]
    kind: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    inside_city: np.ndarray
    cycle: np.ndarray
    """0 is the first read cycle."""
    collection: list[str]
    route: list[str]
    zip: list[str]

    @property
    def count(self) -> int:
        return len(self.house_number)

    def address(self, row: int) -> str:
        """In one line: “77 Palmetto Ct, Unit 4”."""
        line = f"{self.house_number[row]} {self.street[row]}"
        return f"{line}, {self.unit[row]}" if self.unit[row] else line


def street_names(generator: np.random.Generator, count: int, taken: Sequence[str]) -> list[str]:
    """`count` different street names, none of them one of `taken`."""
    seen = set(taken)
    names: list[str] = []
    kinds = (0.16, 0.12, 0.2, 0.13, 0.13, 0.1, 0.05, 0.03, 0.03, 0.03, 0.01, 0.01)
    while len(names) < count:
        starts = generator.integers(0, len(words.STREET_STARTS), count)
        ends = generator.integers(0, len(words.STREET_ENDS), count)
        plain = generator.random(count) < 0.18
        for start, end, alone, kind in zip(starts, ends, plain, chosen(generator, kinds, count), strict=True):
            first, last = words.STREET_STARTS[start], words.STREET_ENDS[end]
            if first.lower() == last or first.lower().endswith(last):
                continue
            name = f"{first if alone else first + last} {words.STREET_KINDS[kind]}"
            if name not in seen and len(names) < count:
                seen.add(name)
                names.append(name)
    return names


def premises(seed: int, count: int, areas: Sequence[District], cycles: int, taken_streets: Sequence[str]) -> Premises:
    """Streets of about forty doors, one after the other through districts and read cycles, so that neighbours are read,
    billed and collected together; some doors are buildings with many units."""
    generator = stream(seed, "streets")
    # What stands at each street number: how many doors it has.
    doors: list[tuple[int, int]] = []
    total = 0
    while total < count:
        kinds = chosen(generator, (0.88, 0.026, 0.094), 512)
        sizes = generator.integers(2, 13, 512) * generator.choice((1, 2, 2, 4), 512)
        for kind, size in zip(kinds.tolist(), sizes.tolist(), strict=True):
            if total >= count:
                break
            if kind == APARTMENT:
                here = min(int(size), count - total)
            elif kind == BUSINESS and generator.random() < 0.25:
                here = min(int(size) // 3 + 1, count - total)
            else:
                here = 1
            doors.append((kind, here))
            total += here
    street_count = max(len(areas), len(doors) // PER_STREET + 1)
    names = street_names(generator, street_count, taken_streets)
    # Streets go district by district; a street lies along its district (east-west) or across it.
    street_district = np.minimum(np.arange(street_count) * len(areas) // street_count, len(areas) - 1)
    along = generator.random(street_count) < 0.5
    lane = generator.uniform(0.03, 0.97, street_count)
    begin = generator.uniform(0.03, 0.55, street_count)
    length = generator.uniform(0.18, 0.40, street_count)
    first_number = generator.integers(1, 30, street_count) * 100
    # Few outside the city limits: the last streets of the two outer districts on the right.
    outside_street = (generator.random(street_count) < 0.30) & np.isin(street_district, (3, 7))

    per_street = -(-len(doors) // street_count)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("district", "street", "house", "unit", "kind", "across", "up", "outside", "route")
    }
    steps = generator.integers(2, 7, len(doors)) * 2
    wobble = generator.uniform(-0.004, 0.004, (len(doors), 2))
    number = 0
    for place, (kind, here) in enumerate(doors):
        street = place // per_street
        position = place % per_street
        number = int(first_number[street]) if position == 0 else number + int(steps[place])
        shown = number + position % 2  # even numbers on one side, odd ones on the other
        share = position / max(per_street - 1, 1)
        forward, sideways = begin[street] + share * length[street], lane[street]
        side = 0.0035 if position % 2 else -0.0035
        across, up = (forward, sideways + side) if along[street] else (sideways + side, forward)
        across, up = across + wobble[place, 0], up + wobble[place, 1]
        for unit in range(here):
            columns["district"].append(street_district[street])
            columns["street"].append(names[street])
            columns["house"].append(shown)
            columns["unit"].append("" if here == 1 else _unit(kind, unit, here))
            columns["kind"].append(kind)
            columns["across"].append(across)
            columns["up"].append(up)
            columns["outside"].append(bool(outside_street[street]))
            columns["route"].append(street)
    district = np.asarray(columns["district"], dtype=np.int64)
    across = np.clip(np.asarray(columns["across"]), 0.005, 0.995)
    up = np.clip(np.asarray(columns["up"]), 0.005, 0.995)
    latitude, longitude = np.empty(count), np.empty(count)
    for which, area in enumerate(areas):
        rows = district == which
        longitude[rows], latitude[rows] = area.place(across[rows], up[rows])
    cycle = np.minimum(np.arange(count) * cycles // count, cycles - 1)
    # Collection goes by district and street, not by read cycle: a district's streets are shared out over two days.
    collection, route = [], []
    for which, street in zip(district.tolist(), columns["route"], strict=True):
        day = (which + street) % 2 + which // 2
        collection.append(f"{WEEKDAYS[day % 5]}-{COLOURS[(street // 2 + which) % 2]}")
        route.append(f"{WEEKDAYS[day % 5][0]}{which + 1}{street % 6 + 1:02d}")
    return Premises(
        district=district,
        street=columns["street"],
        house_number=np.asarray(columns["house"], dtype=np.int64),
        unit=columns["unit"],
        kind=np.asarray(columns["kind"], dtype=np.int64),
        latitude=latitude,
        longitude=longitude,
        inside_city=~np.asarray(columns["outside"], dtype=bool),
        cycle=cycle,
        collection=collection,
        route=route,
        zip=[f"3230{which + 1}" for which in district.tolist()],
    )


def _unit(kind: int, unit: int, here: int) -> str:
    """“Unit 4” in a small building, “Unit 204” in one with floors, “Unit B” in a row of shops."""
    if kind == BUSINESS:
        return f"Unit {chr(ord('A') + unit) if unit < 26 else unit + 1}"
    return f"Unit {unit + 1}" if here <= 12 else f"Unit {unit // 8 + 1}{unit % 8 + 1:02d}"
