"""The ledger's arithmetic: which amounts move where for a bill, a payment, an adjustment, and what is past due after it.

An amount always moves from one ledger account to another, so that nothing can be out of balance. Money is whole cents.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from portal.shared.money import format_cents, parse_money
from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RECEIVABLE = "receivable"
"""What customers owe."""
WHOLE_ACCOUNT = "other"
"""Stands for the service kind where an amount is the account's as a whole."""
NO_TAXES: Mapping[str, str] = {}

Day = TypeVar("Day", dt.date, int)
"""A civil date, or its ordinal where very many accounts are worked out at once."""


class Move(NamedTuple):
    """An amount from one ledger account to another; always above zero."""

    debit_code: str
    credit_code: str
    amount_cents: int
    service_kind: str = ""


class Standing(NamedTuple, Generic[Day]):
    """What of a balance is late, since when, and what is billed and not yet due."""

    past_due_cents: int = 0
    since_on: Day | None = None
    """The due day of the oldest charge that is not paid in full; None when nothing is past due."""
    not_yet_due_cents: int = 0


# --- what moves ---------------------------------------------------------------------------------------------------------


def moved(debit_code: str, credit_code: str, cents: int, service_kind: str = "") -> tuple[Move, ...]:
    """One move; below zero it goes the other way, zero is none."""
    if not cents:
        return ()
    if cents < 0:
        debit_code, credit_code, cents = credit_code, debit_code, -cents
    return (Move(debit_code, credit_code, cents, service_kind),)


def bill_moves(lines: Iterable[Sequence[Any]], taxes: Mapping[str, str] = NO_TAXES) -> tuple[Move, ...]:
    """The moves of a bill's lines ([service kind, item code, quantity, price, cents]), one per service kind.

    `taxes` says which items are owed to somebody else and to which liability account they go ({"utility_tax":
    "tax.utility"}); they move apart, one per service kind and account.
    """
    sums: dict[tuple[str, str], int] = {}
    for kind, item, _, _, cents in lines:
        where = (str(kind), taxes.get(str(item)) or f"revenue.{kind}")
        sums[where] = sums.get(where, 0) + int(cents)
    return tuple(move for (kind, code), cents in sums.items() for move in moved(RECEIVABLE, code, cents, kind))


def payment_moves(amount_cents: int, method: str) -> tuple[Move, ...]:
    """Money in by a method; below zero it was given back."""
    return moved(f"cash.{method}", RECEIVABLE, amount_cents)


def adjustment_moves(parts: Iterable[tuple[str, int]], ledger_code: str) -> tuple[Move, ...]:
    """The moves of an adjustment; each part is (service kind, cents), below zero a credit to the customer.

    `ledger_code` is the other side: "allowance.goodwill", or with the service kind in it, "revenue.{service_kind}".
    """
    sums: dict[str, int] = {}
    for kind, cents in parts:
        sums[kind] = sums.get(kind, 0) + cents
    return tuple(
        move
        for kind, cents in sums.items()
        for move in moved(RECEIVABLE, ledger_code.replace("{service_kind}", kind or WHOLE_ACCOUNT), cents, kind)
    )


def reversed_moves(moves: Iterable[Move]) -> tuple[Move, ...]:
    """The moves that take these back."""
    return tuple(Move(move.credit_code, move.debit_code, move.amount_cents, move.service_kind) for move in moves)


def receivable_effect(moves: Iterable[Move]) -> int:
    """By how much these moves raise what the customer owes."""
    return sum(
        move.amount_cents * ((move.debit_code == RECEIVABLE) - (move.credit_code == RECEIVABLE)) for move in moves
    )


# --- what is owed when --------------------------------------------------------------------------------------------------


def standing(charges: Sequence[tuple[Day, int]], credits_cents: int, today: Day) -> Standing[Day]:
    """What is past due on a day. `charges` are (due day, cents); credits pay the oldest first, wherever they came from.

    A charge is late from the day after its due day on. One that was credited below zero pays for the others at once.
    """
    credits_cents -= sum(cents for _, cents in charges if cents < 0)
    due = total = 0
    since = None
    for due_on, cents in sorted(charges, key=lambda charge: charge[0]):
        if cents < 0:
            continue
        total += cents
        if due_on < today:
            due += cents
            if since is None and total > credits_cents:
                since = due_on
    past_due = max(0, due - credits_cents)
    return Standing(past_due, since if past_due else None, max(0, total - credits_cents) - past_due)


@dataclass(frozen=True)
class BillSum:
    """A bill and all that was posted on it: itself and what corrects it."""

    bill_id: int
    due_on: dt.date
    total_cents: int
    posted_cents: int
    in_ledger: bool
    """False for a bill from before there was a ledger: it came in with the opening balance."""


@dataclass(frozen=True)
class LooseEntry:
    """A posting on no bill: a fee, a credit on the account, the opening balance, or the reversal of one of these."""

    entry_id: int
    kind_code: str
    business_on: dt.date
    cents: int
    reverses_id: int | None = None


@dataclass(frozen=True)
class Owed:
    """An account's charges with the days they fall due, and everything that pays for them."""

    charges: tuple[tuple[dt.date, int], ...]
    credits_cents: int

    def on(self, today: dt.date) -> Standing[dt.date]:
        return standing(self.charges, self.credits_cents, today)


def owed(bills: Iterable[BillSum], paid_cents: int, loose: Iterable[LooseEntry], grace_days: int) -> Owed:
    """Charges and credits of an account out of what was posted; `paid_cents` is what payments brought, net.

    What is posted on a bill belongs to that bill's charge: a credit on a bill that is not due yet lowers what will be due,
    not what is late already. A charge on no bill falls due `grace_days` after its day.
    """
    charges: list[tuple[dt.date, int]] = []
    credits_cents, opened, before = paid_cents, 0, 0
    opened_on: dt.date | None = None
    for bill in bills:
        cents = bill.posted_cents + (0 if bill.in_ledger else bill.total_cents)
        before += 0 if bill.in_ledger else bill.total_cents
        charges.append((bill.due_on, cents))
    sums: dict[int, tuple[dt.date, int]] = {}
    for entry in sorted(loose, key=lambda entry: entry.entry_id):
        if entry.kind_code == "opening":
            opened, opened_on = opened + entry.cents, entry.business_on
            continue
        first = entry.reverses_id or entry.entry_id
        day, cents = sums.get(first, (entry.business_on, 0))
        sums[first] = (day, cents + entry.cents)
    # The opening balance is what was left of the bills before it: they are charges like the others, and what had been
    # paid on them by then is a credit. More than those bills is a charge of its own.
    credits_cents += max(0, before - opened)
    if opened > before and opened_on is not None:
        charges.append((opened_on, opened - before))
    for day, cents in sums.values():
        if cents > 0:
            charges.append((day + dt.timedelta(days=grace_days), cents))
        else:
            credits_cents -= cents
    return Owed(tuple(charges), credits_cents)


# --- refusals -----------------------------------------------------------------------------------------------------------


def reversal_problem(kind_code: str, reversed_on: dt.date | None, from_on: dt.date, on: dt.date) -> Problem | None:
    """Why an entry cannot be taken back on a day."""
    if kind_code == "reversal":
        return Problem(
            "entry", "This entry takes another one back; it cannot be taken back itself. Post it anew instead."
        )
    if reversed_on is not None:
        return Problem(
            "entry", f"This entry was taken back already, on {day_words(reversed_on)}. Post it anew instead."
        )
    if on < from_on:
        return Problem(
            "business_on",
            f"This entry counts from {day_words(from_on)}; it cannot be taken back before that day.",
        )
    return None


# --- policies and payments ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CutPolicy:
    """What a cut for non-pay needs, and when a charge on no bill falls due."""

    least_cents: int = 0
    """Smaller arrears wait for the next bill: nobody is cut for them."""
    grace_days: int = 0

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> CutPolicy:
        """The row `policy/cut` as its file says it; without one every arrears bears a cut and charges are due at once."""
        limits = detail.get("limits", {})
        return cls(parse_money(str(limits.get("past_due_least", "0"))), int(limits.get("charge_due_days", 0)))


@dataclass(frozen=True)
class PaymentForm:
    """Money that came in: on which account, how much, how, and on which day."""

    account_id: int
    amount_cents: int
    method: str
    paid_on: dt.date


@dataclass(frozen=True)
class PaymentFacts:
    """What the desk takes, and its limits."""

    methods: Mapping[str, str]
    """In words, by code: “in cash”, “by check”."""
    days_back_most: int = 30
    above_balance_most_cents: int = 100_000


def payment_problems(form: PaymentForm, facts: PaymentFacts, balance_cents: int, today: dt.date) -> list[Problem]:
    """What keeps this payment from being recorded."""
    found = []
    most = max(0, balance_cents) + facts.above_balance_most_cents
    if form.amount_cents <= 0:
        found.append(Problem("amount", "Enter the amount that came in, above zero, like 25.00."))
    elif form.amount_cents > most:
        owes = f"The account owes {format_cents(balance_cents)}" if balance_cents > 0 else "The account owes nothing"
        found.append(
            Problem(
                "amount",
                f"{owes}, and at most {format_cents(facts.above_balance_most_cents)} may be paid ahead. Check the amount "
                f"{format_cents(form.amount_cents)}, or send the payer to the cashier.",
            )
        )
    if form.method not in facts.methods:
        known = ", ".join(facts.methods.values()) or "in no way at all"
        found.append(Problem("method", f"The desk takes money {known}. Choose how this payment came."))
    earliest = today - dt.timedelta(days=facts.days_back_most)
    if form.paid_on > today:
        found.append(Problem("paid_on", "The day paid lies ahead. Choose today, or the day the money came in."))
    elif form.paid_on < earliest:
        found.append(
            Problem(
                "paid_on",
                f"The day paid is more than {facts.days_back_most} days ago. Choose {day_words(earliest)} or later, or "
                "ask the cashier to post it.",
            )
        )
    return found


def day_words(day: dt.date) -> str:
    """“November 4, 2026”."""
    return f"{day:%B} {day.day}, {day.year}"
