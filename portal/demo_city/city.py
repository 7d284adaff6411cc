"""The plan of a demo city: everything drawn that several tables speak about, held as columns (a few dozen bytes a premise)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from db.core import utc_text
from portal.demo_city import bills, people, services, streets
from portal.demo_city.draw import stream
from portal.demo_city.named import Named, put_first
from portal.shared.number import make_account_number

if TYPE_CHECKING:
    from portal.demo_city.days import Days
    from portal.demo_city.people import Holdings, People
    from portal.demo_city.services import Services
    from portal.demo_city.streets import District, Premises

FIRST_ACCOUNT = 1_000_001
OPENS = dt.time(8, 0)
"""The city stands at the morning of its day: nothing has happened yet today."""


@dataclass
class City:
    seed: int
    days: Days
    years: int
    named: Named
    areas: list[District]
    place: Premises
    held: Holdings
    people: People
    served: Services
    shapes: dict[str, np.ndarray]
    habit: np.ndarray
    account_seq: np.ndarray
    """Per account row: its place in the sequence of account numbers, by the day it was opened."""
    account_numbers: dict[int, str]
    """Those of the named accounts, by account row."""
    medical: set[int]
    """Account rows with somebody whose life depends on power or water."""

    @property
    def now(self) -> dt.datetime:
        """The instant the city is made for: 8:00 am of its day."""
        return dt.datetime.combine(self.days.today, OPENS, ZoneInfo(self.days.zone)).astimezone(dt.UTC)

    def account_number(self, row: int) -> str:
        return self.account_numbers.get(row) or make_account_number(int(self.account_seq[row]))

    def midday(self, ordinal: int) -> str:
        """A civil day as the stored text of its noon, for rows that say when they were made."""
        return utc_text(dt.datetime.combine(dt.date.fromordinal(ordinal), dt.time(17), dt.UTC))


def plan_city(seed: int, days: Days, years: int, accounts: int, named: Named) -> City:
    """Draws the plan. `accounts` are those open today; former occupants come on top."""
    areas = streets.districts(seed)
    # Some premises are vacant, so there are a few more of them than accounts.
    place = streets.premises(seed, round(accounts * 1.0225), areas, len(days.cycles), named.streets)
    put_first(named, place, areas)
    today = days.today.toordinal()
    held, rental = people.holdings(seed, place, named, days.window_start, today)
    folk = people.people(seed, place, named, held, rental)
    served = services.services(seed, place, named)
    habit = bills.habits(seed, held.count)
    numbers: dict[int, str] = {}
    medical: set[int] = set()
    for row, one in people.named_accounts(named, held):
        numbers[row] = one["number"]
        behind = bool(one.get("cutoff")) or "until" in one
        habit[row] = bills.STOPPED if behind else bills.PROMPT
        if any(flag["code"] == "medical" for flag in one.get("flags", ())):
            medical.add(row)
    generator = stream(seed, "medical")
    drawn = np.flatnonzero(
        (generator.random(held.count) < 0.009) & (held.closed == 0) & (held.premise >= len(named.premises))
    )
    medical.update(row for row in drawn.tolist() if place.kind[held.premise[row]] != streets.BUSINESS)
    return City(
        seed=seed, days=days, years=years, named=named, areas=areas, place=place, held=held, people=folk, served=served,
        shapes=services.use_shapes(seed, place, served.has), habit=habit,
        account_seq=_sequence(held.opened, set(numbers.values())), account_numbers=numbers, medical=medical,
    )  # fmt: skip


def _sequence(opened: np.ndarray, taken: set[str]) -> np.ndarray:
    """Account sequence numbers in the order of opening, leaving out those of the named accounts."""
    reserved = sorted(int(number.replace("-", "")[:-1]) for number in taken)
    order = np.argsort(opened, kind="stable")
    count = len(opened)
    free = np.setdiff1d(
        np.arange(FIRST_ACCOUNT, FIRST_ACCOUNT + count + len(reserved)), np.asarray(reserved, dtype=np.int64)
    )
    sequence = np.empty(count, dtype=np.int64)
    sequence[order] = free[:count]
    return sequence
