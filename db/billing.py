"""Cycle dates, bills and payments. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.accounts import Account, numbered
from db.core import Base, BigId, Cents, Id, Json, append_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class CycleDate(Base):
    """The days of one cycle in one month: read, bill, due, earliest cut, to collections."""

    __tablename__ = "cycle_date"
    cycle_code: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    month: Mapped[str] = mapped_column(sa.String(7), primary_key=True)
    read_on: Mapped[dt.date] = mapped_column(sa.Date)
    bill_on: Mapped[dt.date] = mapped_column(sa.Date)
    due_on: Mapped[dt.date] = mapped_column(sa.Date)
    notice_on: Mapped[dt.date] = mapped_column(sa.Date)
    cutoff_on: Mapped[dt.date] = mapped_column(sa.Date)
    collections_on: Mapped[dt.date] = mapped_column(sa.Date)


class Bill(Base):
    """A bill as it was issued. Never changed: a correction is a further entry."""

    __tablename__ = "bill"
    __table_args__ = (sa.Index(None, "account_id", "billed_on"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    from_on: Mapped[dt.date] = mapped_column(sa.Date)
    to_on: Mapped[dt.date] = mapped_column(sa.Date)
    billed_on: Mapped[dt.date] = mapped_column(sa.Date)
    due_on: Mapped[dt.date] = mapped_column(sa.Date)
    total_cents: Mapped[int] = mapped_column(Cents)
    lines: Mapped[list[Any]] = mapped_column(Json)
    """[service kind, item code, quantity, price, amount_cents] per line; quantity and price as exact decimal text."""


class Payment(Id, Base):
    """Money received on an account."""

    __tablename__ = "payment"
    __table_args__ = (sa.Index(None, "account_id", "paid_on"),)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    paid_on: Mapped[dt.date] = mapped_column(sa.Date)
    amount_cents: Mapped[int] = mapped_column(Cents)
    method: Mapped[str] = mapped_column(sa.String(16))


append_only(Bill)
append_only(Payment)


# --- queries ----------------------------------------------------------------------------------------------------------

# A bill is found by its number, and opens the customer it was sent to.
numbered(
    "BL", "bill", Bill.number,
    sa.select(
        Bill.number, Bill.id, Bill.account_id, Account.premise_id, Account.person_id,
        sa.literal("Bill").label("label"), sa.false().label("closed"),
    ).join(Account, Account.id == Bill.account_id),
)  # fmt: skip


def money_of(session: Session, account_id: int) -> Any:
    """What an account's money and dates depend on; None when there is no such account."""
    return session.execute(
        sa.select(
            Account.balance_cents, Account.past_due_cents, Account.past_due_since_on, Account.deposit_cents,
            Account.cutoff_on, Account.bill_by, Account.bill_cycle, Account.closed_on,
        ).where(Account.id == account_id)
    ).one_or_none()  # fmt: skip


def bills(session: Session, account_id: int, most: int = 14) -> Sequence[Any]:
    """The latest bills of an account, newest first."""
    return session.execute(
        sa.select(
            Bill.id, Bill.number, Bill.from_on, Bill.to_on, Bill.billed_on, Bill.due_on, Bill.total_cents, Bill.lines
        )
        .where(Bill.account_id == account_id)
        .order_by(Bill.billed_on.desc(), Bill.id.desc())
        .limit(most)
    ).all()


def bill_totals(session: Session, account_id: int, most: int = 14) -> Sequence[Any]:
    """The latest bills of an account without their lines, newest first."""
    return session.execute(
        sa.select(Bill.id, Bill.number, Bill.from_on, Bill.to_on, Bill.billed_on, Bill.due_on, Bill.total_cents)
        .where(Bill.account_id == account_id)
        .order_by(Bill.billed_on.desc(), Bill.id.desc())
        .limit(most)
    ).all()


def payments(session: Session, account_id: int, most: int = 14) -> Sequence[Any]:
    """The latest payments on an account, newest first."""
    return session.execute(
        sa.select(Payment.id, Payment.paid_on, Payment.amount_cents, Payment.method)
        .where(Payment.account_id == account_id)
        .order_by(Payment.paid_on.desc(), Payment.id.desc())
        .limit(most)
    ).all()


def cycle_dates(session: Session, cycle_code: str, from_month: str, to_month: str) -> Sequence[CycleDate]:
    """The dates of a cycle from one month (`2026-11`) to another, both included."""
    return session.scalars(
        sa.select(CycleDate)
        .where(CycleDate.cycle_code == cycle_code, CycleDate.month >= from_month, CycleDate.month <= to_month)
        .order_by(CycleDate.month)
    ).all()
