"""Bill adjustments: what was asked, who decided, which entry came of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column

from db import core
from db.accounts import Account, Person, Premise, numbered
from db.billing.tables import Bill
from db.core import Base, Cents, Id, Json, UtcTime, Versioned
from db.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


class Adjustment(Id, Versioned, Base):
    """A credit or charge on an account outside its bills: posted at once within a limit, or asked for and decided by another."""

    __tablename__ = "adjustment"
    __table_args__ = (
        sa.Index(None, "account_id", "requested_at"),
        sa.Index(None, "state_code", "requested_at"),
    )
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    bill_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bill.id"))
    adjustment_type: Mapped[str] = mapped_column(sa.String(40))
    limit_kind: Mapped[str] = mapped_column(sa.String(40))
    """Whose approval limit it counts against, as the type said then."""
    reason_code: Mapped[str] = mapped_column(sa.String(40))
    amount_cents: Mapped[int] = mapped_column(Cents)
    """The effect on the balance: negative is a credit."""
    lines: Mapped[list[Any]] = mapped_column(Json)
    """[service kind, bill line or null, words, amount_cents] for each part; they add up to `amount_cents`."""
    how: Mapped[list[Any]] = mapped_column(Json)
    """Sentences: how the amount was found."""
    note: Mapped[str] = mapped_column(sa.String(1000))
    state_code: Mapped[str] = mapped_column(sa.String(10))
    """pending, posted, refused, withdrawn, reversed."""
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    requested_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    requested_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    decided_for_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    """The absent approver whose limit the decision used."""
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    decided_why: Mapped[str] = mapped_column(sa.String(500), default="")
    entry_id: Mapped[int | None] = mapped_column(sa.ForeignKey("journal_entry.id"))
    reversed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    reversed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    reversed_why: Mapped[str] = mapped_column(sa.String(500), default="")


# --- queries ----------------------------------------------------------------------------------------------------------

PENDING = "pending"
_requester, _decider, _absent, _reverser = (aliased(Staff) for _ in range(4))

# An adjustment is found by the number its caller was given.
numbered(
    "AJ", "adjustment", Adjustment.number,
    sa.select(
        Adjustment.number, Adjustment.id, Adjustment.account_id, Account.premise_id, Account.person_id,
        sa.literal("Adjustment").label("label"), (Adjustment.state_code != PENDING).label("closed"),
    ).join(Account, Account.id == Adjustment.account_id),
)  # fmt: skip


@core.prepared
def _of_account(account_id: Any) -> Any:
    return (
        sa.select(
            Adjustment.id, Adjustment.number, Adjustment.adjustment_type, Adjustment.limit_kind, Adjustment.reason_code,
            Adjustment.amount_cents, Adjustment.lines, Adjustment.state_code, Adjustment.bill_id, Adjustment.note,
            Adjustment.requested_by_id, Adjustment.requested_at, Adjustment.decided_at, Adjustment.reversed_at,
            _requester.name.label("requester_name"),
        )
        .join(_requester, _requester.id == Adjustment.requested_by_id)
        .where(Adjustment.account_id == account_id)
        .order_by(Adjustment.requested_at.desc(), Adjustment.id.desc())
    )  # fmt: skip


def of_account(session: Session, account_id: int) -> Sequence[Any]:
    """Every adjustment of an account, newest first: what limits and bills are reckoned with."""
    return _of_account(session, account_id=account_id).all()


_LINE = (
    Adjustment.id, Adjustment.version, Adjustment.number, Adjustment.account_id, Adjustment.bill_id,
    Adjustment.adjustment_type, Adjustment.limit_kind, Adjustment.reason_code, Adjustment.amount_cents, Adjustment.lines,
    Adjustment.how, Adjustment.note, Adjustment.state_code, Adjustment.conversation_id, Adjustment.requested_by_id,
    Adjustment.requested_at, Adjustment.decided_by_id, Adjustment.decided_for_id, Adjustment.decided_at,
    Adjustment.decided_why, Adjustment.entry_id, Adjustment.reversed_at, Adjustment.reversed_why,
    Account.number.label("account_number"), Account.person_id, Account.premise_id,
    Person.name.label("person_name"), Person.exempt_from_public_records.label("exempt"), Premise.address,
    Bill.number.label("bill_number"), _requester.name.label("requester_name"), _decider.name.label("decider_name"),
    _absent.name.label("decided_for_name"), _reverser.name.label("reverser_name"),
)  # fmt: skip


def _lines() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(*_LINE)
        .join(Account, Account.id == Adjustment.account_id)
        .join(Person, Person.id == Account.person_id)
        .outerjoin(Premise, Premise.id == Account.premise_id)
        .outerjoin(Bill, Bill.id == Adjustment.bill_id)
        .join(_requester, _requester.id == Adjustment.requested_by_id)
        .outerjoin(_decider, _decider.id == Adjustment.decided_by_id)
        .outerjoin(_absent, _absent.id == Adjustment.decided_for_id)
        .outerjoin(_reverser, _reverser.id == Adjustment.reversed_by_id)
    )


def line(session: Session, adjustment_id: int) -> Any:
    """One adjustment with the names of all concerned; None when there is none."""
    return session.execute(_lines().where(Adjustment.id == adjustment_id)).one_or_none()


def _scope(scope: str, staff_id: int) -> sa.ColumnElement[bool]:
    if scope == "mine":
        return Adjustment.requested_by_id == staff_id
    if scope == "decided":
        return sa.and_(Adjustment.state_code != PENDING, Adjustment.decided_by_id == staff_id)
    return sa.and_(Adjustment.state_code == PENDING, Adjustment.requested_by_id != staff_id)


def page(session: Session, scope: str, staff_id: int, most: int, skip: int) -> Sequence[Any]:
    """Adjustments of a scope: "waiting" for somebody else's decision, the oldest first; "mine", asked for by this person, what
    waits first, then the newest; "decided" by this person, the newest first."""
    waits_first = sa.case((Adjustment.state_code == PENDING, 0), else_=1)
    order: tuple[Any, ...] = (Adjustment.requested_at, Adjustment.id)
    if scope == "mine":
        order = (waits_first, Adjustment.requested_at.desc(), Adjustment.id.desc())
    elif scope == "decided":
        order = (Adjustment.decided_at.desc(), Adjustment.id.desc())
    return session.execute(_lines().where(_scope(scope, staff_id)).order_by(*order).limit(most).offset(skip)).all()


def count(session: Session, scope: str, staff_id: int) -> int:
    """How many adjustments a scope has."""
    return session.scalar(sa.select(sa.func.count()).select_from(Adjustment).where(_scope(scope, staff_id))) or 0


@core.prepared
def _waiting_on(account_ids: Any) -> Any:
    return (
        sa.select(Adjustment.account_id, Adjustment.number, Adjustment.amount_cents, Adjustment.bill_id, Adjustment.id)
        .where(Adjustment.state_code == PENDING, Adjustment.account_id.in_(account_ids))
        .order_by(Adjustment.requested_at, Adjustment.id)
    )  # fmt: skip


def waiting_on(session: Session, account_ids: Collection[int]) -> Sequence[Any]:
    """(account_id, number, amount_cents, bill_id, id) of what waits on these accounts, the oldest first."""
    return _waiting_on(session, account_ids=sorted(account_ids)).all()


def bill_row(session: Session, bill_id: int, account_id: int) -> Any:
    """A bill of an account as issued; None when the account has no such bill."""
    return session.execute(
        sa.select(
            Bill.id, Bill.number, Bill.from_on, Bill.to_on, Bill.billed_on, Bill.due_on, Bill.total_cents, Bill.lines
        ).where(Bill.id == bill_id, Bill.account_id == account_id)
    ).one_or_none()
