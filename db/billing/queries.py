"""What the room asks of bills, payments and cycle dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from db import core
from db.accounts import Account, numbered
from db.billing.adjustment import Adjustment
from db.billing.tables import Bill, CycleDate, Payment
from db.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

# A bill is found by its number, and opens the customer it was sent to.
numbered(
    "BL", "bill", Bill.number,
    sa.select(
        Bill.number, Bill.id, Bill.account_id, Account.premise_id, Account.person_id,
        sa.literal("Bill").label("label"), sa.false().label("closed"),
    ).join(Account, Account.id == Bill.account_id),
)  # fmt: skip


@core.prepared
def _money_of(account_id: Any) -> Any:
    return (
        sa.select(
            Account.balance_cents, Account.past_due_cents, Account.past_due_since_on, Account.deposit_cents,
            Account.cutoff_on, Account.bill_by, Account.bill_cycle, Account.closed_on,
        ).where(Account.id == account_id)
    )  # fmt: skip


def money_of(session: Session, account_id: int) -> Any:
    """What an account's money and dates depend on; None when there is no such account."""
    return _money_of(session, account_id=account_id).one_or_none()


@core.prepared
def _bills(account_id: Any, most: Any) -> Any:
    return (
        sa.select(
            Bill.id, Bill.number, Bill.from_on, Bill.to_on, Bill.billed_on, Bill.due_on, Bill.total_cents, Bill.lines
        )
        .where(Bill.account_id == account_id)
        .order_by(Bill.billed_on.desc(), Bill.id.desc())
        .limit(most)
    )  # fmt: skip


def bills(session: Session, account_id: int, most: int = 14) -> Sequence[Any]:
    """The latest bills of an account, newest first."""
    return _bills(session, account_id=account_id, most=most).all()


@core.prepared
def _bill_totals(account_id: Any, most: Any) -> Any:
    return (
        sa.select(Bill.id, Bill.number, Bill.from_on, Bill.to_on, Bill.billed_on, Bill.due_on, Bill.total_cents)
        .where(Bill.account_id == account_id)
        .order_by(Bill.billed_on.desc(), Bill.id.desc())
        .limit(most)
    )  # fmt: skip


def bill_totals(session: Session, account_id: int, most: int = 14) -> Sequence[Any]:
    """The latest bills of an account without their lines, newest first."""
    return _bill_totals(session, account_id=account_id, most=most).all()


@core.prepared
def _payments(account_id: Any, most: Any) -> Any:
    return (
        sa.select(Payment.id, Payment.paid_on, Payment.amount_cents, Payment.method)
        .where(Payment.account_id == account_id)
        .order_by(Payment.paid_on.desc(), Payment.id.desc())
        .limit(most)
    )  # fmt: skip


def payments(session: Session, account_id: int, most: int = 14) -> Sequence[Any]:
    """The latest payments on an account, newest first."""
    return _payments(session, account_id=account_id, most=most).all()


def cycle_dates(session: Session, cycle_code: str, from_month: str, to_month: str) -> Sequence[CycleDate]:
    """The dates of a cycle from one month (`2026-11`) to another, both included."""
    return session.scalars(
        sa.select(CycleDate)
        .where(CycleDate.cycle_code == cycle_code, CycleDate.month >= from_month, CycleDate.month <= to_month)
        .order_by(CycleDate.month)
    ).all()


def adjustments_behind(session: Session, account_id: int, entry_ids: Collection[int]) -> Sequence[Any]:
    """The adjustments of an account that these entries were posted for, with who asked and who decided."""
    decider, requester = aliased(Staff), aliased(Staff)
    return session.execute(
        sa.select(
            Adjustment.id, Adjustment.entry_id, Adjustment.number, Adjustment.adjustment_type, Adjustment.lines,
            Adjustment.requested_by_id, Adjustment.decided_by_id, requester.name.label("requester_name"),
            decider.name.label("decider_name"),
        )
        .join(requester, requester.id == Adjustment.requested_by_id)
        .outerjoin(decider, decider.id == Adjustment.decided_by_id)
        .where(Adjustment.account_id == account_id, Adjustment.entry_id.in_(sorted(entry_ids)))
    ).all()  # fmt: skip
