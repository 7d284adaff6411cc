"""What screens show of money: balance, last bill, the dates of the cycle; and the timeline of everything."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import billing as rows
from db import core
from db.billing import adjustment as adjustment_rows
from portal import settings
from portal.accounts.views.summary import service_kinds
from portal.accounts.views.timeline import Happening, happenings, newest
from portal.billing.rules.adjustment import POSTED
from portal.billing.views.adjustments import ADJUSTED, adjustment_happenings
from portal.shared.money import format_cents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

METHODS = {
    "card": "by card",
    "bank": "by bank draft",
    "cash": "in cash",
    "check": "by check",
    "online": "online",
    "mail": "by mail",
    "counter": "at the counter",
    "phone": "by phone",
    "autopay": "by autopay",
    "agency": "by an agency",
}
"""How money came, in words."""
# Services that stand together on a bill, as callers speak of them.
TOGETHER = {"sewer": "water", "recycling": "refuse", "trash": "refuse"}


@dataclass(frozen=True)
class BillLine:
    """A bill as a line of a list."""

    number: str
    billed_on: dt.date
    due_on: dt.date
    from_on: dt.date
    to_on: dt.date
    total_cents: int


@dataclass(frozen=True)
class Money:
    """The money of an account and the days that matter."""

    balance_cents: int = 0
    past_due_cents: int = 0
    past_due_days: int = 0
    not_yet_due_cents: int = 0
    deposit_cents: int = 0
    last_bill: BillLine | None = None
    change: float | None = None
    """The last bill against the one a year before, as a share."""
    compared_with: str = ""
    """“last November”."""
    bills: tuple[BillLine, ...] = ()
    """At most thirteen, newest first."""
    pays_by: str = ""
    bills_go_to: str = ""
    cycle: str = ""
    next_read_on: dt.date | None = None
    next_bill_on: dt.date | None = None
    next_due_on: dt.date | None = None
    """When what is billed and not yet due must be paid; else the next bill's due day."""
    cutoff_on: dt.date | None = None
    """The scheduled cut; else the earliest possible one for what is past due."""
    cutoff_scheduled: bool = False
    collections_on: dt.date | None = None
    """The earliest day a closed or unpaid balance goes to collections."""


@dataclass(frozen=True)
class Timeline:
    """The latest of everything that happened, newest first."""

    items: tuple[Happening, ...]
    more: bool


def money(account_id: int) -> Money:
    """Balance, bills and dates of an account."""
    with core.read() as session:
        row = rows.money_of(session, account_id)
        if row is None:
            return Money()
        today = _today()
        found = [
            BillLine(each.number, each.billed_on, each.due_on, each.from_on, each.to_on, each.total_cents)
            for each in rows.bill_totals(session, account_id)
        ]
        paid_by = Counter(each.method for each in rows.payments(session, account_id, 12))
        change, with_what = _against_last_year(found)
        next_read, next_bill, next_due, cutoff, collections = _dates(session, row, found, today)
    past_since = row.past_due_since_on
    return Money(
        balance_cents=row.balance_cents,
        past_due_cents=row.past_due_cents,
        past_due_days=0 if past_since is None else max(0, (today - past_since).days),
        not_yet_due_cents=max(0, row.balance_cents - row.past_due_cents),
        deposit_cents=row.deposit_cents,
        last_bill=found[0] if found else None,
        change=change,
        compared_with=with_what,
        bills=tuple(found[:13]),
        pays_by=_how_paid(paid_by.most_common(1)[0][0]) if paid_by else "",
        bills_go_to="e-mail" if row.bill_by == "email" else "mail",
        cycle=row.bill_cycle,
        next_read_on=next_read,
        next_bill_on=next_bill,
        next_due_on=next_due,
        cutoff_on=row.cutoff_on or cutoff,
        cutoff_scheduled=row.cutoff_on is not None,
        collections_on=collections,
    )


def _today() -> dt.date:
    return core.now().astimezone(settings.current().time_zone).date()


def _against_last_year(bills: Sequence[BillLine]) -> tuple[float | None, str]:
    if len(bills) < 2 or bills[0].total_cents <= 0:
        return None, ""
    year_before = bills[0].billed_on - dt.timedelta(days=365)
    before = min(bills[1:], key=lambda bill: abs((bill.billed_on - year_before).days))
    if abs((before.billed_on - year_before).days) > 20 or before.total_cents <= 0:
        return None, ""
    return bills[0].total_cents / before.total_cents - 1, f"last {before.billed_on:%B}"


def _dates(
    session: Session, row: Any, bills: Sequence[BillLine], today: dt.date
) -> tuple[dt.date | None, dt.date | None, dt.date | None, dt.date | None, dt.date | None]:
    """(next read, next bill, next due, earliest cut, earliest collections) by the dates of the account's cycle."""
    if not row.bill_cycle:
        return None, None, None, None, None
    first = (today - dt.timedelta(days=200)).strftime("%Y-%m")
    last = (today + dt.timedelta(days=75)).strftime("%Y-%m")
    cycles = rows.cycle_dates(session, row.bill_cycle, first, last)
    open_bill = next(
        (bill.due_on for bill in reversed(bills) if bill.due_on >= today and row.balance_cents > row.past_due_cents),
        None,
    )
    next_due = open_bill or next((cycle.due_on for cycle in cycles if cycle.due_on >= today), None)
    closed = row.closed_on is not None
    next_read = None if closed else next((cycle.read_on for cycle in cycles if cycle.read_on >= today), None)
    next_bill = None if closed else next((cycle.bill_on for cycle in cycles if cycle.bill_on >= today), None)
    cutoff = collections = None
    if row.past_due_cents > 0 and row.past_due_since_on is not None:
        # The cycle whose bill is past due: its due day is the first one not paid (a few days off where a bill was late).
        near = [cycle for cycle in cycles if abs((cycle.due_on - row.past_due_since_on).days) <= 7]
        missed = near[0] if near else None
        if missed is not None:
            cutoff = None if closed else missed.cutoff_on
            collections = missed.collections_on
    elif row.balance_cents > 0 and open_bill is not None:
        coming = next((cycle for cycle in cycles if cycle.due_on == open_bill), None)
        if coming is not None:
            cutoff = None if closed else coming.cutoff_on
            collections = coming.collections_on
    return next_read, next_bill, next_due, cutoff, collections


# --- what happened ------------------------------------------------------------------------------------------------------


def timeline(
    *, account_id: int | None = None, person_id: int | None = None, premise_id: int | None = None, most: int = 12
) -> Timeline:
    """Conversations, requests, events, bills and payments, newest first; ask again with a larger `most` for more."""
    with core.read() as session:
        found = happenings(session, account_id=account_id, person_id=person_id, premise_id=premise_id, most=most + 1)
        if account_id is not None:
            found = [each for each in found if each.icon != ADJUSTED]  # said with its amount below
            found += _money_happenings(session, account_id, most + 1)
            found += adjustment_happenings(session, account_id, most + 1)
    items = newest(found, most + 1)
    return Timeline(tuple(items[:most]), len(items) > most)


def _money_happenings(session: Session, account_id: int, most: int) -> list[Happening]:
    row = rows.money_of(session, account_id)
    if row is None:
        return []
    names = {code: name for code, (name, _) in service_kinds(session, _today()).items()}
    moves: list[tuple[dt.date, int, str, Any]] = [
        (bill.billed_on, bill.total_cents, "bill", bill) for bill in rows.bills(session, account_id, most)
    ]
    moves += [(paid.paid_on, -paid.amount_cents, "payment", paid) for paid in rows.payments(session, account_id, most)]
    moves += [
        (adjusted.requested_at.date(), adjusted.amount_cents, ADJUSTED, adjusted)
        for adjusted in adjustment_rows.of_account(session, account_id)
        if adjusted.state_code == POSTED
    ]
    moves.sort(key=lambda move: (move[0], move[3].id), reverse=True)
    balance, found = row.balance_cents, []
    for on, cents, kind, each in moves[:most]:
        if kind == ADJUSTED:  # told elsewhere; here it only moves the balance
            balance -= cents
            continue
        if kind == "bill":
            text = f"{_parts(each.lines, names)}. Due {each.due_on:%b} {each.due_on.day}."
            what = f"Bill {format_cents(cents)}"
        else:
            text = f"Paid {_how_paid(each.method)}. Balance after: {format_cents(balance)}."
            what = f"Payment {format_cents(-cents)}"
        at = dt.datetime.combine(on, dt.time(12), settings.current().time_zone).astimezone(dt.UTC)
        found.append(Happening(at, what, text, "request_quote" if kind == "bill" else "payments", whole_day=True))
        balance -= cents
    return found


def _how_paid(method: str) -> str:
    return METHODS.get(method, f"by {method.replace('_', ' ')}")


def _parts(lines: Sequence[Any], names: dict[str, str]) -> str:
    """“Electric $98.20, water $31.12, garbage $14.46” from the lines of a bill, largest first."""
    sums: dict[str, int] = {}
    for line in lines:
        kind = TOGETHER.get(str(line[0]), str(line[0]))
        sums[kind] = sums.get(kind, 0) + int(line[4])
    parts = [
        f"{names.get(kind, kind.replace('_', ' ').capitalize())} {format_cents(cents)}"
        for kind, cents in sorted(sums.items(), key=lambda each: (-each[1], each[0]))
        if cents
    ]
    shown = parts[:1] + [part[0].lower() + part[1:] for part in parts[1:]]
    return ", ".join(shown) or "Nothing charged"
