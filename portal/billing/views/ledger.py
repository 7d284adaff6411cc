"""What the ledger says of an account: its charges and what pays for them, its history entry by entry; and the proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db import directory
from db.billing import ledger as rows
from portal.billing.rules import ledger as rules
from portal.shared.money import parse_money

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
