"""The ledger: accounts, journal entries and their postings. Nothing here is ever changed; a correction is a further entry."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, BigId, Cents, UtcTime, append_only


class LedgerAccount(Base):
    """A line of the city's chart of accounts: what customers owe, revenue by service kind, cash, each kind of adjustment."""

    __tablename__ = "ledger_account"
    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    """“receivable”, “revenue.water”, “cash.online”, “allowance.leak”."""
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(10))
    """asset, liability, income, expense: which side it grows on."""
    gl_code: Mapped[str] = mapped_column(sa.String(40), default="")
    """The number the city's general ledger knows it by."""


class JournalEntry(Base):
    """One thing that happened to a customer's money: a bill, a payment, an adjustment, the reversal of one of these."""

    __tablename__ = "journal_entry"
    __table_args__ = (sa.Index(None, "account_id", "business_on", "id"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(sa.String(60), unique=True)
    """What makes the entry happen once: “bill:412”, “payment:97”, “adjustment:15”, “reversal:1240”."""
    kind_code: Mapped[str] = mapped_column(sa.String(12))
    """bill, payment, adjustment, reversal, opening."""
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    business_on: Mapped[dt.date] = mapped_column(sa.Date)
    """The day it counts for."""
    posted_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    bill_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bill.id"))
    """The bill it is, or the bill it corrects."""
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment.id"))
    reverses_id: Mapped[int | None] = mapped_column(sa.ForeignKey("journal_entry.id"), unique=True)
    """The entry this one takes back, whole; an entry can be taken back once."""
    receivable_cents: Mapped[int] = mapped_column(Cents)
    """By how much the customer's balance moves: the postings to “receivable” less those from it."""


class Posting(Base):
    """An amount that moves from one ledger account to another.

    Each row debits one account and credits another by the same amount, so that an entry cannot be out of balance, in either
    database, whoever writes it.
    """

    __tablename__ = "posting"
    __table_args__ = (
        sa.CheckConstraint("amount_cents > 0", name="amount"),
        sa.CheckConstraint("debit_code <> credit_code", name="sides"),
        {"sqlite_with_rowid": False},
    )
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("journal_entry.id"), primary_key=True)
    position: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    debit_code: Mapped[str] = mapped_column(sa.ForeignKey("ledger_account.code"))
    credit_code: Mapped[str] = mapped_column(sa.ForeignKey("ledger_account.code"))
    service_kind: Mapped[str] = mapped_column(sa.String(20), default="")
    """The service the amount is for; empty: the account as a whole."""
    amount_cents: Mapped[int] = mapped_column(Cents)


append_only(LedgerAccount)
append_only(JournalEntry)
append_only(Posting)


# --- queries ----------------------------------------------------------------------------------------------------------
