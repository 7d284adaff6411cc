"""What the ledger says of an account: its charges and what pays for them, its history entry by entry; and the proofs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db import core, directory
from db.billing import ledger as rows
from portal.billing.rules import ledger as rules
from portal.shared.money import format_cents, parse_money

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session


def cut_policy(session: Session, on: dt.date) -> rules.CutPolicy:
    """What a cut for non-pay needs on a day."""
    row = directory.reference_row(session, "policy", "cut", on)
    return rules.CutPolicy.from_detail({} if row is None else row.detail)


def owed_by(session: Session, account_id: int, policy: rules.CutPolicy) -> rules.Owed:
    """An account's charges with the days they fall due, and what pays for them, out of the ledger."""
    return rules.owed(
        [
            rules.BillSum(each.id, each.due_on, each.total_cents, int(each.posted_cents), each.entries > 0)
            for each in rows.sums_of_bills(session, account_id)
        ],
        int(rows.paid_cents(session, account_id)),
        [
            rules.LooseEntry(each.id, each.kind_code, each.business_on, each.receivable_cents, each.reverses_id)
            for each in rows.loose_entries(session, account_id)
        ],
        policy.grace_days,
    )


def tax_accounts(session: Session, on: dt.date) -> dict[str, str]:
    """Bill items that are owed to somebody else, and the liability account each goes to."""
    return {
        str(item): row.code
        for row in directory.reference(session, "ledger_account", on)
        for item in row.detail.get("items", ())
    }


def payment_facts(session: Session, on: dt.date) -> rules.PaymentFacts:
    """How money may come in at the desk on a day: the cash accounts that say so."""
    methods = {
        row.code.removeprefix("cash."): str(row.detail["desk"])
        for row in directory.reference(session, "ledger_account", on)
        if row.code.startswith("cash.") and row.detail.get("desk")
    }
    row = directory.reference_row(session, "policy", "payment", on)
    limits = {} if row is None else row.detail.get("limits", {})
    return rules.PaymentFacts(
        methods, int(limits.get("days_back_most", 30)), parse_money(str(limits.get("above_balance_most", "1000.00")))
    )


# --- proofs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """Something of the ledger that does not agree with the rest."""

    what: str
    """account, entry."""
    number: str
    """The account's number, or the entry's key with the account it stands on."""
    kept_cents: int
    summed_cents: int

    def __str__(self) -> str:
        subject = (
            f"Account {self.number}: its balance" if self.what == "account" else f"Entry {self.number}: its amount"
        )
        return f"{subject} is {format_cents(self.kept_cents)}, its {PARTS[self.what]} add up to {format_cents(self.summed_cents)}."


PARTS = {"account": "entries", "entry": "postings"}


@dataclass(frozen=True)
class Proof:
    """The outcome of proving the whole ledger at one moment."""

    accounts: int
    entries: int
    postings: int
    differences: tuple[Difference, ...]

    @property
    def sentence(self) -> str:
        many = len(self.differences)
        outcome = "everything agrees" if not many else "1 difference" if many == 1 else f"{many:,} differences"
        return f"{self.accounts:,} accounts, {self.entries:,} entries, {self.postings:,} postings: {outcome}."


@dataclass(frozen=True)
class TrialLine:
    """A ledger account and what it holds; debits less credits is above zero where the debits are more."""

    code: str
    name: str
    kind: str
    gl_code: str
    debit_cents: int
    credit_cents: int

    @property
    def net_cents(self) -> int:
        return self.debit_cents - self.credit_cents


def prove() -> Proof:
    """Every account's balance against its entries, every entry against its postings."""
    with core.read() as session:
        found = [
            Difference("account", each.number, each.balance_cents, each.entries_cents)
            for each in rows.unequal_balances(session)
        ]
        found += [
            Difference("entry", f"{each.key} on account {each.number}", each.receivable_cents, each.postings_cents)
            for each in rows.unequal_entries(session)
        ]
        return Proof(*rows.counts(session), tuple(found))


def trial_balance(on: dt.date) -> tuple[TrialLine, ...]:
    """What each ledger account holds, under the name and general-ledger number in force on a day."""
    with core.read() as session:
        names = {row.code: row for row in directory.reference(session, "ledger_account", on)}
        return tuple(
            TrialLine(
                each.code,
                names[each.code].name if each.code in names else each.name,
                each.kind,
                str(names[each.code].detail.get("gl_code", "")) if each.code in names else each.gl_code,
                each.debit_cents,
                each.credit_cents,
            )
            for each in rows.trial_balance(session)
        )
