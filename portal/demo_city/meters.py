"""Register reads: monthly by cycle, a final and a start read at each turnover, use driven by the weather between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.demo_city.draw import stream
from portal.demo_city.people import NAMED_AT_MOST
from portal.demo_city.services import DIALS

if TYPE_CHECKING:
    from portal.demo_city.days import Cycle, Days
    from portal.demo_city.named import Named
    from portal.demo_city.people import Holdings
    from portal.demo_city.services import Services

REGULAR, START, FINAL, CUSTOMER, ESTIMATED = range(5)
HOW = ("regular", "start", "final", "customer", "estimated")
NEVER = 10**7


@dataclass
class CycleReads:
    """The reads of some premises of one cycle: a row per premise, a column per read day (doubles left out by `real`)."""

    rows: np.ndarray
    """Premise rows."""
    day: np.ndarray
    """(premises, columns) ordinals, rising along a row."""
    real: np.ndarray
    """False where a column repeats the one before."""
    how: np.ndarray
    """(premises, columns)."""
    dial: np.ndarray
    """(3, premises, columns): what the dials showed; electric, gas, water."""
    use: np.ndarray
    """(3, premises, columns - 1): use from each read to the next, in the meter's unit."""
    account: np.ndarray
    """(premises, columns - 1): the account row that held the premise then, -1 for nobody."""


def read_cycle(
    seed: int,
    days: Days,
    cycle: Cycle,
    rows: np.ndarray,
    held: Holdings,
    served: Services,
    shapes: dict[str, np.ndarray],
    named: Named,
) -> CycleReads:
    """Reads of `rows` (all premises of the cycle, in order), drawn from the seed and the cycle alone."""
    generator = stream(seed, "reads", cycle.number)
    regular = np.array([dates.read_on.toordinal() for dates in (*cycle.before, *cycle.past)])
    count = len(rows)
    left, came = held.left_on[rows], held.came_on[rows]
    # A premise without a turnover gets two more columns that repeat its first read; they are no reads.
    day = np.empty((count, len(regular) + 2), dtype=np.int64)
    day[:, : len(regular)] = regular
    day[:, -2] = np.where(left > 0, left, regular[0])
    day[:, -1] = np.where(came > 0, came, regular[0])
    day.sort(axis=1)
    real = np.ones(day.shape, dtype=bool)
    real[:, 1:] = day[:, 1:] > day[:, :-1]
    how = np.zeros(day.shape, dtype=np.int64)
    how[(day == came[:, None]) & (came > 0)[:, None]] = START
    how[(day == left[:, None]) & (left > 0)[:, None]] = FINAL

    from_day, to_day = day[:, :-1], day[:, 1:]
    gone, back = np.where(left > 0, left, NEVER), np.where(left > 0, np.where(came > 0, came, NEVER), 0)
    account = np.where(
        from_day >= back[:, None],
        held.present[rows][:, None],
        np.where(to_day <= gone[:, None], held.former[rows][:, None], -1),
    )
    account = np.where(real[:, 1:], account, -1)

    use = _use(generator, days, rows, from_day, to_day, account, served, shapes)
    mine = [(at, which, meter) for (row, which), meter in named.meters.items() for at in np.flatnonzero(rows == row)]
    for at, which, meter in mine:
        taken = np.flatnonzero(real[at, 1:])[-len(meter.use) :]
        use[which, at, taken] = meter.use[-len(taken) :]
    total = np.zeros((3, *day.shape), dtype=np.int64)
    total[:, :, 1:] = np.cumsum(use, axis=2)
    _estimate(generator, day, real, how, total, rows >= NAMED_AT_MOST)
    use = np.diff(total, axis=2)
    capacity = np.array([10**dials for dials in DIALS])[:, None]
    first = generator.integers(0, capacity, (3, count))
    for at, which, meter in mine:
        first[which, at] = (meter.last - total[which, at, -1]) % capacity[which, 0]
    dial = (total + first[:, :, None]) % capacity[:, :, None]
    return CycleReads(rows, day, real, how, dial, use, account)


def _use(
    generator: np.random.Generator,
    days: Days,
    rows: np.ndarray,
    from_day: np.ndarray,
    to_day: np.ndarray,
    account: np.ndarray,
    served: Services,
    shapes: dict[str, np.ndarray],
) -> np.ndarray:
    length = to_day - from_day
    heat = days.heating[to_day - days.first_day] - days.heating[from_day - days.first_day]
    cool = days.cooling[to_day - days.first_day] - days.cooling[from_day - days.first_day]
    use = np.zeros((3, *length.shape), dtype=np.int64)
    lived_in = np.where(account >= 0, 1.0, 0.03)
    for which in range(3):
        mean = (
            shapes["base"][rows, which, None] * length
            + shapes["heating"][rows, which, None] * heat
            + shapes["cooling"][rows, which, None] * cool
        )
        noise = np.exp(generator.normal(-0.005, 0.1, length.shape))
        # Now and then something runs: a leak, guests, a pool.
        noise *= np.where(generator.random(length.shape) < 0.004, generator.uniform(1.8, 3.5, length.shape), 1.0)
        has = (served.meter_id[rows, which] > 0)[:, None]
        use[which] = np.where(has, np.rint(mean * noise * lived_in), 0)
    return use


def _estimate(
    generator: np.random.Generator,
    day: np.ndarray,
    real: np.ndarray,
    how: np.ndarray,
    total: np.ndarray,
    may: np.ndarray,
) -> None:
    """About one regular read in seventy was estimated, a few came from the customer; the next actual read makes up for it."""
    plain = (how == REGULAR) & real
    inner = np.zeros(plain.shape, dtype=bool)
    inner[:, 1:-1] = plain[:, 1:-1] & plain[:, :-2] & plain[:, 2:]
    inner &= may[:, None]
    drawn = generator.random(plain.shape)
    factor = generator.uniform(0.9, 1.1, plain.shape)
    how[inner & (drawn > 0.994)] = CUSTOMER
    guessed = inner & (drawn < 0.014)
    # Never two in a row: an estimate needs an actual read on both sides.
    guessed[:, 1:] &= ~guessed[:, :-1]
    how[guessed] = ESTIMATED
    premise, column = np.nonzero(guessed)
    share = (day[premise, column] - day[premise, column - 1]) / (day[premise, column + 1] - day[premise, column - 1])
    between = total[:, premise, column + 1] - total[:, premise, column - 1]
    guess = np.clip(np.rint(between * share * factor[premise, column]).astype(np.int64), 0, between)
    total[:, premise, column] = total[:, premise, column - 1] + guess
