"""Bills from the reads, payments by habit, the ledger's entries for both, and what each account owes today.

Balances are bills less payments, exactly; what is past due is worked out by the ledger's own rule.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.billing.rules.dates import dates_after_read, earliest_cutoff
from portal.billing.rules.ledger import payment_moves, standing
from portal.demo_city.draw import chosen, stream
from portal.demo_city.meters import REGULAR
from portal.demo_city.services import ELECTRIC, GAS, RECYCLING, REFUSE, SEWER, STORMWATER, TRASH, WATER
from portal.demo_city.streets import BUSINESS
from portal.shared.number import make_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.billing.rules.ledger import Move
    from portal.demo_city.days import Cycle, Days
    from portal.demo_city.meters import CycleReads
    from portal.demo_city.people import Holdings
    from portal.demo_city.prices import Pricing, Segment
    from portal.demo_city.services import Services
    from portal.demo_city.streets import Premises

AUTOMATIC, PROMPT, LATE, STRUGGLING, STOPPED = range(5)
METHODS = ("autopay", "online", "mail", "counter", "phone")
STOPPED_DAYS = 50
"""Who stopped paying did so with the bills due in these last days (a closed account, with its last bill)."""
NOON = "T17:00:00.000000Z"
"""Entries of past days were posted at noon."""


@dataclass
class Owing:
    """What one account owes today."""

    balance_cents: int = 0
    past_due_cents: int = 0
    past_due_since: int = 0
    cutoff_on: int = 0


@dataclass
class CycleBills:
    """Rows ready to load, in the order of premises, and what is owed by account row."""

    bills: list[tuple[Any, ...]] = field(default_factory=list)
    payments: list[tuple[Any, ...]] = field(default_factory=list)
    owing: dict[int, Owing] = field(default_factory=dict)
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    moves: list[tuple[tuple[Move, ...], ...]] = field(default_factory=list)
    """For each entry what it moves, service by service."""

    def postings(self) -> Iterator[tuple[Any, ...]]:
        for entry, parts in zip(self.entries, self.moves, strict=True):
            position = 0
            for part in parts:
                for debit, credit, cents, kind in part:
                    position += 1
                    yield entry[0], position, debit, credit, kind, cents


BILL_COLUMNS = ("id", "number", "account_id", "from_on", "to_on", "billed_on", "due_on", "total_cents", "lines")
PAYMENT_COLUMNS = ("id", "account_id", "paid_on", "amount_cents", "method")
ENTRY_COLUMNS = (
    "id", "key", "kind_code", "account_id", "business_on", "posted_at", "staff_id", "bill_id", "payment_id", "reverses_id",
    "receivable_cents",
)  # fmt: skip
POSTING_COLUMNS = ("entry_id", "position", "debit_code", "credit_code", "service_kind", "amount_cents")


class Numbers:
    """Bill numbers in sequence, by year, and the ids of rows that others point at."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self.bills = self.payments = self.entries = 0

    def next(self, year: int) -> str:
        self.last[year] = self.last.get(year, 0) + 1
        return make_number("BL", year, self.last[year])

    def enter_bill(
        self, made: CycleBills, account_id: int, on: str, cents: int, moves: tuple[tuple[Move, ...], ...]
    ) -> int:
        """Notes the entry of the next bill, and returns the bill's id."""
        self.bills += 1
        self.entries += 1
        made.entries.append(
            (self.entries, f"bill:{self.bills}", "bill", account_id, on, on + NOON, None, self.bills, None, None, cents)
        )
        made.moves.append(moves)
        return self.bills

    def enter_payment(self, made: CycleBills, account_id: int, on: str, cents: int, method: str) -> int:
        """Notes the entry of the next payment, and returns the payment's id."""
        self.payments += 1
        self.entries += 1
        made.entries.append(
            (
                self.entries, f"payment:{self.payments}", "payment", account_id, on, on + NOON, None, None, self.payments,
                None, -cents,
            )
        )  # fmt: skip
        made.moves.append((payment_moves(cents, method),))
        return self.payments


def habits(seed: int, count: int) -> np.ndarray:
    """How each account holder pays: by itself on the due day, before it, late now and then, or as money allows."""
    return chosen(stream(seed, "habits"), (0.33, 0.41, 0.165, 0.095), count)


def bill_cycle(
    seed: int,
    days: Days,
    cycle: Cycle,
    place: Premises,
    held: Holdings,
    served: Services,
    reads: CycleReads,
    pricing: Pricing,
    habit: np.ndarray,
    numbers: Numbers,
    spared: set[int],
    least_cents: int,
    block: slice,
    generator: np.random.Generator,
) -> CycleBills:
    """Bills and payments of the premises `block` of a cycle. `spared` are account rows that are never cut (medical), and
    nobody is cut for less than `least_cents`."""
    made = CycleBills()
    billed: list[tuple[int, int, int, int]] = []  # account row, day billed, day due, cents; in order of account and day
    segment = pricing.segment
    today = days.today.toordinal()
    due_dates: dict[int, tuple[int, int]] = {}
    for each in (*cycle.before, *cycle.past):
        due_dates[each.read_on.toordinal()] = (each.bill_on.toordinal(), each.due_on.toordinal())
    accounts, day_rows, uses = reads.account[block].tolist(), reads.day[block].tolist(), reads.use[:, block].tolist()
    how_rows = reads.how[block].tolist()
    iso = days.iso
    for at, premise in enumerate(reads.rows[block].tolist()):
        has = served.has[premise].tolist()
        inside = bool(place.inside_city[premise])
        customer_class = "commercial" if place.kind[premise] == BUSINESS else "residential"
        runoff = int(served.units_of_runoff[premise])
        container = served.container_kind(premise)
        pickups = served.pickups(premise) if customer_class == "commercial" else 0
        day, account, how = day_rows[at], accounts[at], how_rows[at]
        kwh, ccf, cgal = uses[0][at], uses[1][at], uses[2][at]
        for column, row in enumerate(account):
            if row < 0:
                continue
            a, b = day[column], day[column + 1]
            dates = due_dates.get(b)
            if dates is None or how[column + 1] != REGULAR:
                dates = due_dates[b] = _after(days, cycle, b)
            billed_on, due_on = dates
            if billed_on > today:
                continue
            parts: list[Segment] = [segment("electric", customer_class, inside, a, b, kwh[column])]
            if has[GAS]:
                parts.append(segment("gas", customer_class, inside, a, b, ccf[column]))
            if has[WATER]:
                parts.append(segment("water", customer_class, inside, a, b, cgal[column]))
                if has[SEWER]:
                    parts.append(segment("sewer", customer_class, inside, a, b, cgal[column]))
            if has[STORMWATER]:
                parts.append(segment("stormwater", customer_class, inside, a, b, runoff))
            if has[REFUSE]:
                parts.append(segment("refuse", customer_class, inside, a, b, 1, container, pickups))
                if has[RECYCLING]:
                    parts.append(segment("recycling", customer_class, inside, a, b, 0))
                if has[TRASH]:
                    parts.append(segment("trash", customer_class, inside, a, b, 0))
            total = 0
            texts = []
            moves = []
            for cents, text, moved in parts:
                total += cents
                texts.append(text)
                if moved:
                    moves.append(moved)
            billed_text = iso(billed_on)
            number = numbers.next(int(billed_text[:4]))
            bill_id = numbers.enter_bill(made, row + 1, billed_text, total, tuple(moves))
            made.bills.append(
                (bill_id, number, row + 1, iso(a), iso(b), billed_text, iso(due_on), total, f"[{','.join(texts)}]")
            )
            billed.append((row, billed_on, due_on, total))
    _pay(days, billed, habit, held.closed, numbers, generator, made)
    _cut_list(days, cycle, made, spared, least_cents)
    return made


assert (ELECTRIC, GAS, WATER) == (0, 1, 2)  # the order of the use columns above


def _after(days: Days, cycle: Cycle, read: int) -> tuple[int, int]:
    """The days of a final bill, whose read stands outside the cycle."""
    dates = dates_after_read(days.calendar, cycle.number, dt.date.fromordinal(read), days.holidays)
    return dates.bill_on.toordinal(), dates.due_on.toordinal()


def _pay(
    days: Days,
    billed: list[tuple[int, int, int, int]],
    habit: np.ndarray,
    closed: np.ndarray,
    numbers: Numbers,
    generator: np.random.Generator,
    made: CycleBills,
) -> None:
    """Payments up to today, and what is owed: every bill of an account is known here, so the sums are whole."""
    today = days.today.toordinal()
    count = len(billed)
    early = generator.integers(1, 17, count).tolist()
    late = generator.integers(1, 27, count).tolist()
    drawn = generator.random((count, 2)).tolist()
    method = chosen(generator, (0.0, 0.52, 0.25, 0.13, 0.10), count).tolist()
    habit_of = habit.tolist()
    iso = days.iso
    place = 0
    while place < count:
        row = billed[place][0]
        owed_total = paid_total = carried = 0
        history: list[tuple[int, int]] = []
        while place < count and billed[place][0] == row:
            _, billed_on, due_on, cents = billed[place]
            owed_total += cents
            history.append((due_on, cents))
            pays = habit_of[row]
            amount, paid_on = cents + carried, due_on
            if pays == PROMPT or (pays == LATE and drawn[place][0] > 0.42):
                paid_on = max(billed_on + 1, due_on - early[place])
            elif pays == LATE:
                paid_on = due_on + late[place]
            elif pays == STRUGGLING:
                luck, share = drawn[place]
                paid_on = due_on + late[place] * 2 // 3 - 4
                if luck < 0.22:
                    amount = 0
                elif luck < 0.62:
                    amount = max(0, amount) * (35 + int(share * 55)) // 100 // 500 * 500
                elif luck < 0.85 and carried > 0:
                    amount = cents
            elif pays == STOPPED and (due_on > today - STOPPED_DAYS or closed[row]):
                last = place + 1 == count or billed[place + 1][0] != row
                amount = 0 if last or due_on > today - STOPPED_DAYS else amount
            amount = max(0, min(amount, cents + carried))
            if amount and paid_on <= today:
                kind = "autopay" if pays == AUTOMATIC else METHODS[method[place]]
                paid_text = iso(paid_on)
                payment_id = numbers.enter_payment(made, row + 1, paid_text, amount, kind)
                made.payments.append((payment_id, row + 1, paid_text, amount, kind))
                paid_total += amount
                carried += cents - amount
            elif paid_on <= today:
                carried += cents
            place += 1
        late_now = standing(history, paid_total, today)
        made.owing[row] = Owing(owed_total - paid_total, late_now.past_due_cents, late_now.since_on or 0)


def _cut_list(days: Days, cycle: Cycle, made: CycleBills, spared: set[int], least_cents: int) -> None:
    """Who is cut next if nothing is paid: notice given, arrears worth a trip, no reason to spare them."""
    today = days.today
    later: dict[int, int] = {}
    dates = {each.due_on.toordinal(): each for each in cycle.all_dates()}
    for row, owing in made.owing.items():
        if owing.past_due_cents < least_cents or row in spared:
            continue
        due = dates.get(owing.past_due_since)
        if due is None or due.notice_on > today:
            continue
        if due.cutoff_on > today:
            owing.cutoff_on = due.cutoff_on.toordinal()
            continue
        if row % 5 < 3:
            continue  # the day has passed and they were spared: an arrangement, a pledge, a truck too few
        ahead = 1 + row % 6
        if ahead not in later:
            later[ahead] = earliest_cutoff(days.calendar, today + dt.timedelta(days=ahead), days.holidays).toordinal()
        owing.cutoff_on = later[ahead]


def cycle_date_rows(days: Days) -> Iterator[tuple[Any, ...]]:
    for cycle in days.cycles:
        for month, each in zip(cycle.months, cycle.all_dates(), strict=False):
            yield (
                cycle.code, month, each.read_on.isoformat(), each.bill_on.isoformat(),
                each.due_on.isoformat(), each.notice_on.isoformat(), each.cutoff_on.isoformat(), each.collections_on.isoformat(),
            )  # fmt: skip


CYCLE_DATE_COLUMNS = ("cycle_code", "month", "read_on", "bill_on", "due_on", "notice_on", "cutoff_on", "collections_on")
