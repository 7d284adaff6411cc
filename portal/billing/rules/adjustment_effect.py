"""What an adjustment does to an account: balance, what is past due, the late fee to come, and the stage of the cut-off.

The same arithmetic as the ledger's own: what is shown before is what stands after. Pure: no database, no clock.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from portal.billing.rules.fee import Fee, fee_cents
from portal.billing.rules.ledger import BillSum, LooseEntry, Owed, owed
from portal.shared.money import format_cents
from portal.shared.text import day_text

if TYPE_CHECKING:
    from collections.abc import Sequence

CURRENT, PAST_DUE, NOTICE, CUT, CUT_HELD = "current", "past_due", "notice", "cut", "cut_held"
NEW_ENTRY: Final = 2**62
"""The id of an entry not written yet: after all others."""


@dataclass(frozen=True)
class AccountFacts:
    """An account's money as the ledger holds it, and the days of the city's collection policy."""

    balance_cents: int
    bills: tuple[BillSum, ...]
    paid_cents: int
    loose: tuple[LooseEntry, ...]
    charge_due_days: int
    """A charge on no bill falls due so many days after its day."""
    cut_least_cents: int
    """Less than this past due bears no cut."""
    cutoff_on: dt.date | None = None
    notice_after_due: int = 0
    late_fee: Fee | None = None
    late_fee_after_due: int = 0

    def owed(self) -> Owed:
        return owed(self.bills, self.paid_cents, self.loose, self.charge_due_days)

    def with_adjustment(self, amount_cents: int, bill_id: int | None, today: dt.date) -> AccountFacts:
        """The same account after an entry of this effect was posted today."""
        if bill_id is not None and any(bill.bill_id == bill_id for bill in self.bills):
            bills = tuple(
                replace(bill, posted_cents=bill.posted_cents + amount_cents) if bill.bill_id == bill_id else bill
                for bill in self.bills
            )
            return replace(self, balance_cents=self.balance_cents + amount_cents, bills=bills)
        entry = LooseEntry(NEW_ENTRY, "adjustment", today, amount_cents)
        return replace(self, balance_cents=self.balance_cents + amount_cents, loose=(*self.loose, entry))


@dataclass(frozen=True)
class Side:
    """An account at one moment."""

    balance_cents: int
    past_due_cents: int
    late_fee_cents: int
    """What is added on `late_fee_on` when nothing is paid until then."""
    late_fee_on: dt.date | None
    stage_code: str
    stage: str
    """In words: “Cut scheduled for Wed, Dec 2”."""


@dataclass(frozen=True)
class Effect:
    """An account before and after an adjustment."""

    before: Side
    after: Side
    holds_cut: bool
    """Whether the cut would be called off by it: while it waits for a decision, nobody is cut."""


def effect(
    facts: AccountFacts, amount_cents: int, bill_id: int | None, today: dt.date, *, already_held: bool = False
) -> Effect:
    """Before and after an adjustment of this effect on the balance. `already_held`: another credit holds the cut now."""
    before = side(facts, today, held=already_held)
    later = facts.with_adjustment(amount_cents, bill_id, today)
    if later.cutoff_on is not None and later.owed().on(today).past_due_cents < later.cut_least_cents:
        later = replace(later, cutoff_on=None)
    after = side(later, today, held=already_held)
    clears = facts.cutoff_on is not None and later.cutoff_on is None
    return Effect(before, after, amount_cents < 0 and clears)


def side(facts: AccountFacts, today: dt.date, *, held: bool = False) -> Side:
    """An account as it stands today."""
    owing = facts.owed()
    now = owing.on(today)
    fee_on, fee = _late_fee(facts, owing, today)
    code, words = stage(facts, now.past_due_cents, now.since_on, today, held=held)
    return Side(facts.balance_cents, now.past_due_cents, fee, fee_on, code, words)


def stage(
    facts: AccountFacts, past_due_cents: int, since_on: dt.date | None, today: dt.date, *, held: bool = False
) -> tuple[str, str]:
    """How far collection has come, as a code and in words."""
    if facts.cutoff_on is not None:
        when = day_text(facts.cutoff_on, today)
        return (CUT_HELD, f"Cut of {when} on hold") if held else (CUT, f"Cut scheduled for {when}")
    if past_due_cents <= 0 or since_on is None:
        return CURRENT, "Current"
    if since_on + dt.timedelta(days=facts.notice_after_due) <= today:
        return NOTICE, f"Past due since {day_text(since_on, today)}, notice sent"
    return PAST_DUE, f"Past due since {day_text(since_on, today)}"


def _late_fee(facts: AccountFacts, owing: Owed, today: dt.date) -> tuple[dt.date | None, int]:
    """The next day a late fee is added and how much, if nothing is paid until then; (None, 0) when none is to come."""
    if facts.late_fee is None:
        return None, 0
    days = sorted(
        {
            on
            for due_on, cents in owing.charges
            if cents > 0 and (on := due_on + dt.timedelta(days=facts.late_fee_after_due)) >= today
        }
    )
    for on in days:
        late = owing.on(on).past_due_cents
        if late > 0:
            return on, fee_cents(facts.late_fee, on, of_cents=late) or 0
    return None, 0


def late_fee_words(one: Side, today: dt.date) -> str:
    """“$7.24 on Wed, Dec 2 if nothing is paid”, or that none is to come."""
    if not one.late_fee_cents or one.late_fee_on is None:
        return "none to come"
    return f"{format_cents(one.late_fee_cents)} on {day_text(one.late_fee_on, today)}"


def holding(
    facts: AccountFacts, waiting: Sequence[tuple[str, int, int | None]], today: dt.date, *, by_policy: bool
) -> str:
    """The number of the credit that holds the cut while it waits: the first of `waiting` (number, effect, bill) that alone
    would call it off. Empty when none does, none is scheduled, or the city does not hold cuts."""
    if facts.cutoff_on is None or not by_policy:
        return ""
    return next((number for number, cents, bill in waiting if effect(facts, cents, bill, today).holds_cut), "")
