"""What is delivered where: service points of each premise, carts and containers, meters and their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.billing.rules.tariff import SERVICE_KINDS
from portal.demo_city.draw import chosen, stream
from portal.demo_city.named import put_services
from portal.demo_city.streets import APARTMENT, BUSINESS, HOUSE
from portal.shared.number import check_digit

if TYPE_CHECKING:
    from portal.demo_city.named import Named
    from portal.demo_city.streets import Premises

ELECTRIC, GAS, WATER, SEWER, STORMWATER, REFUSE, RECYCLING, TRASH = range(8)
METERED = (ELECTRIC, GAS, WATER)
UNITS = ("kWh", "ccf", "cgal")
DIALS = (5, 4, 5)
METER_LETTERS = ("E", "G", "W")
FIRST_METER_NUMBER = 100_000
METER_NUMBERS = 900_000
PICKUP_MASKS = ("T", "MR", "MWF", "MTWRF")
"""Weekdays of a container: T is Tuesday, R is Thursday."""
PICKUPS = (1, 2, 3, 5)
YARDS = (2, 4, 6, 8)

assert SERVICE_KINDS == ("electric", "gas", "water", "sewer", "stormwater", "refuse", "recycling", "trash")


@dataclass
class Services:
    """Service points and meters as matrices: a row per premise, a column per service kind (or metered kind)."""

    has: np.ndarray
    """Which of the eight kinds a premise has."""
    point_id: np.ndarray
    meter_id: np.ndarray
    """Electric, gas, water; 0 where there is none."""
    remote: np.ndarray
    """Per premise and metered kind."""
    units_of_runoff: np.ndarray
    container: np.ndarray
    """Per premise: 0 cart-96, 1 cart-64, then containers of 2, 4, 6 and 8 yards."""
    mask: np.ndarray
    """Per premise with a container: position in `PICKUP_MASKS`."""
    known_numbers: dict[int, str]
    """Numbers of the named meters, by meter id."""

    def meter_number(self, kind: int, meter: int) -> str:
        """`E-4481205`: the letter of the service, six digits and their check digit, as meters are stamped; the named
        people's are as they are (more digits in a city of more than 900,000 meters)."""
        if meter in self.known_numbers:
            return self.known_numbers[meter]
        # 7,919 shares no divisor with 900,000, so neighbours' numbers differ in more than one digit and none comes twice.
        digits = FIRST_METER_NUMBER + (meter * 7919 + 345_000) % METER_NUMBERS + (meter // METER_NUMBERS) * 1_000_000
        return f"{METER_LETTERS[kind]}-{digits}{check_digit(str(digits))}"

    def container_kind(self, premise: int) -> str:
        which = int(self.container[premise])
        return ("cart-96", "cart-64")[which] if which < 2 else f"fel-{YARDS[which - 2]}"

    def pickups(self, premise: int) -> int:
        """Collections a week of a commercial premise."""
        return PICKUPS[int(self.mask[premise])] if self.container[premise] >= 2 else 1

    def service_code(self, premise: int, kind: int, colour: str) -> str:
        """The code by kind and area: RG96, RR96, YW-R, FEL-4-MR-MSW; empty for what is not collected."""
        if kind == REFUSE:
            which = int(self.container[premise])
            if which < 2:
                return ("RG96", "RG64")[which]
            return f"FEL-{YARDS[which - 2]}-{PICKUP_MASKS[int(self.mask[premise])]}-MSW"
        if kind == RECYCLING:
            return "RR96"
        return f"YW-{colour[0]}" if kind == TRASH else ""


def services(seed: int, place: Premises, named: Named) -> Services:
    """Draws what each premise has; the named ones have what their file says."""
    generator = stream(seed, "services")
    count = place.count

    def share(house: float, apartment: float, business: float) -> np.ndarray:
        return generator.random(count) < np.choose(place.kind, (house, apartment, business))

    has = np.zeros((count, 8), dtype=bool)
    has[:, ELECTRIC] = True
    has[:, WATER] = share(0.97, 0.62, 0.95)
    inside = place.inside_city
    has[:, SEWER] = has[:, WATER] & inside & share(0.93, 1.0, 0.93)
    has[:, STORMWATER] = inside & share(0.99, 0.0, 0.97)
    # Gas mains follow streets: a whole street has gas or has none.
    streets = {name: number for number, name in enumerate(dict.fromkeys(place.street))}
    main = generator.random(len(streets)) < 0.62
    has[:, GAS] = main[[streets[name] for name in place.street]] & share(0.68, 0.08, 0.45)
    has[:, REFUSE] = share(0.985, 0.72, 0.86)
    has[:, RECYCLING] = has[:, REFUSE] & share(0.95, 0.6, 0.35)
    has[:, TRASH] = has[:, REFUSE] & inside & share(0.99, 0.0, 0.0)
    put_services(named, has)
    first = slice(0, len(named.premises))

    point_id = np.where(has, np.cumsum(has.ravel()).reshape(has.shape), 0)
    meters = has[:, METERED]
    meter_id = np.where(meters, np.cumsum(meters.ravel()).reshape(meters.shape), 0)
    remote = np.stack((share(0.88, 0.94, 0.8), share(0.0, 0.0, 0.0), share(0.35, 0.35, 0.3)), axis=1) & meters

    small = generator.random(count) < np.choose(place.kind, (0.12, 0.9, 0.0))
    container = np.where(small, 1, 0)
    fel = (place.kind == BUSINESS) & (generator.random(count) < 0.55)
    container[fel] = 2 + chosen(generator, (0.3, 0.35, 0.2, 0.15), int(fel.sum()))
    remote[first] = meters[first] & np.array((True, False, False))
    container[first] = 0
    mask = chosen(generator, (0.45, 0.3, 0.17, 0.08), count)
    runoff = np.ones(count, dtype=np.int64)
    business = place.kind == BUSINESS
    runoff[business] = 1 + np.floor(np.exp(generator.normal(1.1, 0.8, int(business.sum())))).astype(np.int64)
    numbers = {int(meter_id[where]): meter.number for where, meter in named.meters.items()}
    return Services(has, point_id, meter_id, remote, runoff, container, mask, numbers)


def use_shapes(seed: int, place: Premises, has: np.ndarray) -> dict[str, np.ndarray]:
    """What the use of each premise follows, per metered kind: units a day, per heating and per cooling degree day."""
    generator = stream(seed, "use")
    count = place.count
    size = np.exp(generator.normal(-0.05, 0.32, count)) * np.choose(place.kind, (1.0, 0.58, 1.0))
    business = place.kind == BUSINESS
    size[business] = np.exp(generator.normal(1.0, 0.9, int(business.sum())))
    own = np.exp(generator.normal(-0.02, 0.2, (count, 3)))
    electric_heat = ~has[:, GAS]
    lawn = (place.kind == HOUSE) & (generator.random(count) < 0.35)
    base = (
        np.stack((17.5 * size, 0.28 * size, 1.65 * np.where(place.kind == APARTMENT, size * 1.1, size)), axis=1) * own
    )
    heating = np.stack((np.where(electric_heat, 1.2, 0.2) * size, 0.135 * size, np.zeros(count)), axis=1)
    cooling = np.stack((2.15 * size, np.zeros(count), np.where(lawn, 0.11, 0.0) * size), axis=1)
    return {"base": base, "heating": heating, "cooling": cooling}
