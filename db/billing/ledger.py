"""The ledger: accounts, journal entries and their postings. Nothing here is ever changed; a correction is a further entry."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column

from db import core
from db.accounts import Account
from db.billing.tables import Bill, Payment
from db.core import Base, BigId, Cents, UtcTime, append_only
from db.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session


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


def locked_account(session: Session, account_id: int) -> Account | None:
    """The account's row, held against other writers: its balance is about to move."""
    return core.lock(session, Account, account_id)


def entry_by_key(session: Session, key: str) -> Any:
    """(id, account_id) of the entry posted under a key; None when there is none."""
    return session.execute(
        sa.select(JournalEntry.id, JournalEntry.account_id).where(JournalEntry.key == key)
    ).one_or_none()


def entry_row(session: Session, entry_id: int) -> Any:
    """One entry, with the day of the entry that took it back (`reversed_on`); None when there is none."""
    back = aliased(JournalEntry)
    return session.execute(
        sa.select(
            JournalEntry.id, JournalEntry.kind_code, JournalEntry.account_id, JournalEntry.business_on,
            JournalEntry.bill_id, JournalEntry.payment_id, JournalEntry.receivable_cents, JournalEntry.reverses_id,
            back.business_on.label("reversed_on"),
        )
        .outerjoin(back, back.reverses_id == JournalEntry.id)
        .where(JournalEntry.id == entry_id)
    ).one_or_none()  # fmt: skip


def add_entry(session: Session, entry: JournalEntry, moves: Iterable[tuple[str, str, int, str]]) -> int:
    """Writes an entry with its postings (debit, credit, cents, service kind) and returns its id."""
    session.add(entry)
    session.flush()
    rows = [
        {
            "entry_id": entry.id,
            "position": position,
            "debit_code": debit,
            "credit_code": credit,
            "service_kind": kind,
            "amount_cents": cents,
        }
        for position, (debit, credit, cents, kind) in enumerate(moves, 1)
    ]
    if rows:
        session.execute(sa.insert(Posting), rows)
    return entry.id


def unknown_codes(session: Session, codes: Collection[str]) -> set[str]:
    """Which of these codes are not in the chart of accounts."""
    known = session.scalars(sa.select(LedgerAccount.code).where(LedgerAccount.code.in_(sorted(codes))))
    return set(codes) - set(known)


def postings(session: Session, entry_ids: Collection[int]) -> Sequence[Any]:
    """The postings of entries, in the order they were written."""
    return session.execute(
        sa.select(
            Posting.entry_id, Posting.position, Posting.debit_code, Posting.credit_code, Posting.service_kind,
            Posting.amount_cents,
        )
        .where(Posting.entry_id.in_(sorted(entry_ids)))
        .order_by(Posting.entry_id, Posting.position)
    ).all()  # fmt: skip


def sums_of_bills(session: Session, account_id: int) -> Sequence[Any]:
    """Every bill of an account (id, due_on, total_cents) with all that was posted on it; `entries` is 0 for a bill from before
    there was a ledger."""
    posted = (
        sa.select(
            JournalEntry.bill_id,
            sa.func.sum(JournalEntry.receivable_cents).label("cents"),
            sa.func.sum(sa.case((JournalEntry.kind_code == "bill", 1), else_=0)).label("entries"),
        )
        .where(JournalEntry.account_id == account_id, JournalEntry.bill_id.is_not(None))
        .group_by(JournalEntry.bill_id)
        .subquery()
    )
    return session.execute(
        sa.select(
            Bill.id, Bill.due_on, Bill.total_cents,
            _whole(sa.func.coalesce(posted.c.cents, 0)).label("posted_cents"), sa.func.coalesce(posted.c.entries, 0).label("entries"),
        )
        .outerjoin(posted, posted.c.bill_id == Bill.id)
        .where(Bill.account_id == account_id)
        .order_by(Bill.due_on, Bill.id)
    ).all()  # fmt: skip


def paid_cents(session: Session, account_id: int) -> int:
    """What payments brought, less what was taken back of them."""
    return -(
        session.scalar(
            sa.select(_whole(sa.func.sum(JournalEntry.receivable_cents))).where(
                JournalEntry.account_id == account_id,
                JournalEntry.bill_id.is_(None),
                JournalEntry.payment_id.is_not(None),
            )
        )
        or 0
    )


def loose_entries(session: Session, account_id: int) -> Sequence[Any]:
    """Entries on no bill that are no payment: fees and credits of the account as a whole, the opening balance, reversals."""
    return session.execute(
        sa.select(
            JournalEntry.id, JournalEntry.kind_code, JournalEntry.business_on, JournalEntry.receivable_cents,
            JournalEntry.reverses_id,
        )
        .where(
            JournalEntry.account_id == account_id,
            JournalEntry.bill_id.is_(None),
            JournalEntry.payment_id.is_(None),
        )
        .order_by(JournalEntry.id)
    ).all()  # fmt: skip


def entry_count(session: Session, account_id: int) -> int:
    """How many entries an account has."""
    return session.scalar(sa.select(sa.func.count()).where(JournalEntry.account_id == account_id)) or 0


def entries(session: Session, account_id: int, most: int = 25, skip: int = 0) -> Sequence[Any]:
    """Entries of an account with the balance after each, newest first: who posted it, which bill, payment or entry it is about,
    which entry took it back."""
    mine = (
        sa.select(
            JournalEntry.id,
            _whole(
                sa.func.sum(JournalEntry.receivable_cents).over(
                    order_by=(JournalEntry.business_on, JournalEntry.id), rows=(None, 0)
                )
            ).label("balance_cents"),
        )
        .where(JournalEntry.account_id == account_id)
        .order_by(JournalEntry.business_on.desc(), JournalEntry.id.desc())
        .limit(most)
        .offset(skip)
        .subquery()
    )
    back, taken = aliased(JournalEntry), aliased(JournalEntry)
    return session.execute(
        sa.select(
            JournalEntry.id, JournalEntry.kind_code, JournalEntry.business_on, JournalEntry.posted_at,
            JournalEntry.receivable_cents, mine.c.balance_cents, JournalEntry.staff_id, Staff.name.label("staff_name"),
            JournalEntry.bill_id, Bill.number.label("bill_number"), Bill.due_on, Payment.method, JournalEntry.reverses_id,
            taken.kind_code.label("reverses_kind"), taken.business_on.label("reverses_on"),
            back.id.label("reversed_by_id"), back.business_on.label("reversed_on"),
        )
        .join(mine, mine.c.id == JournalEntry.id)
        .outerjoin(Staff, Staff.id == JournalEntry.staff_id)
        .outerjoin(Bill, Bill.id == JournalEntry.bill_id)
        .outerjoin(Payment, Payment.id == JournalEntry.payment_id)
        .outerjoin(taken, taken.id == JournalEntry.reverses_id)
        .outerjoin(back, back.reverses_id == JournalEntry.id)
        .order_by(JournalEntry.business_on.desc(), JournalEntry.id.desc())
    ).all()  # fmt: skip


def entries_newer(session: Session, account_id: int, entry_id: int) -> int:
    """How many entries of an account stand above one of its entries; 0 for an entry of another account."""
    this = aliased(JournalEntry)
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(JournalEntry)
            .join(this, sa.and_(this.id == entry_id, this.account_id == JournalEntry.account_id))
            .where(
                JournalEntry.account_id == account_id,
                sa.or_(
                    JournalEntry.business_on > this.business_on,
                    sa.and_(JournalEntry.business_on == this.business_on, JournalEntry.id > this.id),
                ),
            )
        )
        or 0
    )


# --- proofs -------------------------------------------------------------------------------------------------------------


def trial_balance(session: Session) -> Sequence[Any]:
    """Every ledger account with what was debited and credited to it; both columns have the same sum."""
    sides = sa.union_all(
        sa.select(
            Posting.debit_code.label("code"),
            sa.func.sum(Posting.amount_cents).label("debit_cents"),
            sa.literal(0).label("credit_cents"),
        ).group_by(Posting.debit_code),
        sa.select(Posting.credit_code, sa.literal(0), sa.func.sum(Posting.amount_cents)).group_by(Posting.credit_code),
    ).subquery()
    return session.execute(
        sa.select(
            LedgerAccount.code, LedgerAccount.name, LedgerAccount.kind, LedgerAccount.gl_code,
            _whole(sa.func.coalesce(sa.func.sum(sides.c.debit_cents), 0)).label("debit_cents"),
            _whole(sa.func.coalesce(sa.func.sum(sides.c.credit_cents), 0)).label("credit_cents"),
        )
        .outerjoin(sides, sides.c.code == LedgerAccount.code)
        .group_by(LedgerAccount.code, LedgerAccount.name, LedgerAccount.kind, LedgerAccount.gl_code)
        .order_by(LedgerAccount.code)
    ).all()  # fmt: skip


def unequal_balances(session: Session) -> Iterator[Any]:
    """Accounts whose balance is not the sum of their entries: (id, number, balance_cents, entries_cents)."""
    sums = (
        sa.select(JournalEntry.account_id, sa.func.sum(JournalEntry.receivable_cents).label("cents"))
        .group_by(JournalEntry.account_id)
        .subquery()
    )
    summed = sa.func.coalesce(sums.c.cents, 0)
    yield from session.execute(
        sa.select(Account.id, Account.number, Account.balance_cents, _whole(summed).label("entries_cents"))
        .outerjoin(sums, sums.c.account_id == Account.id)
        .where(Account.balance_cents != summed)
        .order_by(Account.id)
    )


def unequal_entries(session: Session) -> Iterator[Any]:
    """Entries whose effect on the balance is not that of their postings: (id, key, number, receivable_cents, postings_cents)."""
    moved = sa.case((Posting.debit_code == "receivable", Posting.amount_cents), else_=0) - sa.case(
        (Posting.credit_code == "receivable", Posting.amount_cents), else_=0
    )
    sums = sa.select(Posting.entry_id, sa.func.sum(moved).label("cents")).group_by(Posting.entry_id).subquery()
    summed = sa.func.coalesce(sums.c.cents, 0)
    yield from session.execute(
        sa.select(
            JournalEntry.id, JournalEntry.key, Account.number, JournalEntry.receivable_cents,
            _whole(summed).label("postings_cents"),
        )
        .join(Account, Account.id == JournalEntry.account_id)
        .outerjoin(sums, sums.c.entry_id == JournalEntry.id)
        .where(JournalEntry.receivable_cents != summed)
        .order_by(JournalEntry.id)
    )  # fmt: skip


def _whole(sum_of_cents: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """A sum as a whole number: PostgreSQL adds big integers up to a decimal."""
    return sa.cast(sum_of_cents, sa.BigInteger)


def counts(session: Session) -> tuple[int, int, int]:
    """How many accounts, entries and postings there are."""
    one = [
        session.scalar(sa.select(sa.func.count()).select_from(model)) or 0 for model in (Account, JournalEntry, Posting)
    ]
    return one[0], one[1], one[2]


def accounts_with_bills_due(session: Session, from_on: dt.date, before: dt.date) -> Sequence[int]:
    """Accounts that owe something and have a bill that fell due in these days (`before` is not among them)."""
    return session.scalars(
        sa.select(Bill.account_id)
        .join(Account, Account.id == Bill.account_id)
        .where(Bill.due_on >= from_on, Bill.due_on < before, Account.balance_cents > 0)
        .group_by(Bill.account_id)
        .order_by(Bill.account_id)
    ).all()
