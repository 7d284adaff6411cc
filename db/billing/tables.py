"""Cycle dates, bills as issued, payments."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, BigId, Cents, Id, Json, append_only


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
