"""Starts, stops and transfers of service. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.accounts import Account, Flag, Person, Premise, ServiceAgreement, ServicePoint, numbered
from db.billing import Bill, CycleDate, Payment
from db.contacts import Promise
from db.core import Base, Cents, Id, Json, UtcTime, Versioned, among_few, prepared
from db.metering import Meter, RegisterRead
from db.service_requests import WorkOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

OPEN_STATES = ("active", "pending_stop", "pending_start")
"""States of an agreement that is present at its point or waits to be."""


class Move(Id, Versioned, Base):
    """One start, stop or transfer as asked for: who, where, when, with what evidence; the agreements carry its state."""

    __tablename__ = "move"
    __table_args__ = (sa.Index(None, "account_id"), sa.Index(None, "premise_id", "state_code"))
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    """start, stop, transfer."""
    state_code: Mapped[str] = mapped_column(sa.String(16))
    """pending, held, done, cancelled."""
    premise_id: Mapped[int] = mapped_column(sa.ForeignKey("premise.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    on: Mapped[dt.date] = mapped_column("on_date", sa.Date)
    service_kinds: Mapped[list[str]] = mapped_column(Json)
    agreement_ids: Mapped[list[int]] = mapped_column(Json)
    other_move_id: Mapped[int | None] = mapped_column(sa.ForeignKey("move.id"))
    """The other half of a transfer, or the stop of the party who was still active."""
    evidence_code: Mapped[str | None] = mapped_column(sa.String(20))
    """lease, closing, owner_word; graded by policy rows."""
    hold_reason: Mapped[str] = mapped_column(sa.String(60), default="")
    deposit_cents: Mapped[int] = mapped_column(Cents, default=0)
    deposit_reason: Mapped[str] = mapped_column(sa.Text, default="")
    fee_cents: Mapped[int] = mapped_column(Cents, default=0)
    forwarding_address: Mapped[str] = mapped_column(sa.String(300), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))


# --- queries ----------------------------------------------------------------------------------------------------------

# A start, stop or transfer is found by its number, and opens the customer it is about.
numbered(
    "MV", "move", Move.number,
    sa.select(
        Move.number, Move.id, Move.account_id, Move.premise_id, Move.person_id, Move.kind.label("label"),
        Move.state_code.in_(("done", "cancelled")).label("closed"),
    ),
)  # fmt: skip


def premise(session: Session, premise_id: int) -> Premise | None:
    return session.get(Premise, premise_id)


def units_at(session: Session, row: Premise) -> list[str]:
    """The units at the street address of a premise that is itself no unit: whoever says only the number must say which."""
    if row.unit:
        return []
    return list(_units(session, street=row.street, house_number=row.house_number).scalars())


@prepared
def _units(street: Any, house_number: Any) -> Any:
    return (
        sa.select(Premise.unit)
        .where(Premise.street == street, Premise.house_number == house_number, Premise.unit != "")
        .order_by(Premise.unit)
        .limit(50)
    )


@prepared
def _points(one: Any) -> Any:
    return sa.select(ServicePoint).where(ServicePoint.premise_id == one).order_by(ServicePoint.id)


def points(session: Session, premise_id: int) -> Sequence[ServicePoint]:
    return _points.rows(session, one=premise_id).all()


@prepared
def _open_agreements(one: Any) -> Any:
    return (
        sa.select(ServiceAgreement)
        .join(ServicePoint, ServicePoint.id == ServiceAgreement.service_point_id)
        .where(ServicePoint.premise_id == one, ServiceAgreement.state_code.in_(OPEN_STATES))
        .order_by(ServiceAgreement.id)
    )


def open_agreements(session: Session, premise_id: int) -> Sequence[ServiceAgreement]:
    """All agreements at a premise that are present or wait to begin, oldest first."""
    return _open_agreements.rows(session, one=premise_id).all()


def open_agreements_of_account(session: Session, account_id: int) -> Sequence[ServiceAgreement]:
    return session.scalars(
        sa.select(ServiceAgreement)
        .where(ServiceAgreement.account_id == account_id, ServiceAgreement.state_code.in_(OPEN_STATES))
        .order_by(ServiceAgreement.id)
    ).all()


def premises_of_account(session: Session, account_id: int) -> Sequence[Premise]:
    """Where an account has agreements that are present or wait to begin; its main premise first."""
    main = sa.select(Account.premise_id).where(Account.id == account_id).scalar_subquery()
    held = (
        sa.select(ServicePoint.premise_id)
        .join(ServiceAgreement, ServiceAgreement.service_point_id == ServicePoint.id)
        .where(ServiceAgreement.account_id == account_id, ServiceAgreement.state_code.in_(OPEN_STATES))
    )
    return session.scalars(
        sa.select(Premise).where(Premise.id.in_(held)).order_by(sa.case((Premise.id == main, 0), else_=1), Premise.id)
    ).all()


def agreement(session: Session, agreement_id: int) -> ServiceAgreement | None:
    return session.get(ServiceAgreement, agreement_id)


def agreement_of_order(session: Session, order_id: int) -> ServiceAgreement | None:
    """The agreement a work order starts or ends."""
    return session.scalar(
        sa.select(ServiceAgreement)
        .join(WorkOrder, WorkOrder.agreement_id == ServiceAgreement.id)
        .where(WorkOrder.id == order_id)
    )


def point(session: Session, point_id: int) -> ServicePoint | None:
    return session.get(ServicePoint, point_id)


def account(session: Session, account_id: int) -> Account | None:
    return session.get(Account, account_id)


def person(session: Session, person_id: int) -> Person | None:
    return session.get(Person, person_id)


def begin_agreement(session: Session, row: ServiceAgreement, on: dt.date) -> None:
    """A pending start becomes active on the day of its first reading; whoever was there has been ended before."""
    row.state_code, row.start_on, row.stop_on = "active", on, None
    row.version += 1
    session.flush()


def end_agreement(session: Session, row: ServiceAgreement, on: dt.date) -> None:
    """The agreement is over with the reading of that day."""
    row.state_code, row.stop_on = "stopped", on
    row.version += 1
    session.flush()


def cancel_agreement(session: Session, row: ServiceAgreement) -> None:
    """A start that never came to be."""
    row.state_code = "cancelled"
    row.version += 1
    session.flush()


def set_end(session: Session, row: ServiceAgreement, ends_on: dt.date | None) -> bool:
    """Notes when a present agreement is to end (None: not at all). False when it already said so."""
    state_code = "active" if ends_on is None else "pending_stop"
    if (row.state_code, row.stop_on) == (state_code, ends_on):
        return False
    row.state_code, row.stop_on = state_code, ends_on
    row.version += 1
    session.flush()
    return True


# --- moves


def move(session: Session, move_id: int) -> Move | None:
    return session.get(Move, move_id)


def move_by_number(session: Session, number: str) -> Move | None:
    return session.scalar(sa.select(Move).where(Move.number == number))


@prepared
def _open_moves(one: Any) -> Any:
    return sa.select(Move).where(Move.premise_id == one, Move.state_code.in_(("pending", "held"))).order_by(Move.id)


def open_moves(session: Session, premise_id: int) -> Sequence[Move]:
    """Moves at a premise that are pending or held, oldest first."""
    return _open_moves.rows(session, one=premise_id).all()


def moves_of_account(session: Session, account_id: int, most: int = 20) -> Sequence[Move]:
    return session.scalars(
        sa.select(Move).where(Move.account_id == account_id).order_by(Move.id.desc()).limit(most)
    ).all()


def moves_tied_to(session: Session, move_id: int) -> Sequence[Move]:
    """Moves made because of another one: the other party's stop, the owner's start, the other half of a transfer."""
    return session.scalars(sa.select(Move).where(Move.other_move_id == move_id).order_by(Move.id)).all()


def premises_due(session: Session, on: dt.date, most: int = 500) -> list[int]:
    """Premises with a pending move whose day has come."""
    return list(
        session.scalars(
            sa.select(Move.premise_id).where(Move.state_code == "pending", Move.on <= on).distinct().limit(most)
        )
    )


def open_orders(session: Session, premise_id: int) -> Sequence[WorkOrder]:
    """Open work orders at a premise that belong to an agreement."""
    return session.scalars(
        sa.select(WorkOrder)
        .where(WorkOrder.premise_id == premise_id, among_few(WorkOrder.closed), WorkOrder.agreement_id.is_not(None))
        .order_by(WorkOrder.id)
    ).all()


# --- meters and reads


@prepared
def _meters(one: Any) -> Any:
    return (
        sa.select(Meter)
        .join(ServicePoint, ServicePoint.id == Meter.service_point_id)
        .where(ServicePoint.premise_id == one, Meter.removed_on.is_(None))
        .order_by(Meter.id)
    )


def meters(session: Session, premise_id: int) -> dict[int, Meter]:
    """The meter at each point of a premise, by point id."""
    found = _meters.rows(session, one=premise_id)
    return {row.service_point_id: row for row in found if row.service_point_id is not None}


def reads_around(session: Session, meter_id: int, on: dt.date) -> tuple[list[RegisterRead], RegisterRead | None]:
    """The last two days' reads up to and with a day (latest first, the last of each day), and the first one after it."""
    before = session.scalars(
        sa.select(RegisterRead)
        .where(RegisterRead.meter_id == meter_id, RegisterRead.read_on <= on)
        .order_by(RegisterRead.read_on.desc(), RegisterRead.seq.desc())
        .limit(8)
    ).all()
    last_of_day: dict[dt.date, RegisterRead] = {}
    for row in before:
        last_of_day.setdefault(row.read_on, row)
    after = session.scalar(
        sa.select(RegisterRead)
        .where(RegisterRead.meter_id == meter_id, RegisterRead.read_on > on)
        .order_by(RegisterRead.read_on, RegisterRead.seq.desc())
        .limit(1)
    )
    return list(last_of_day.values())[:2], after


def add_read(session: Session, meter_id: int, on: dt.date, read: int, how: str) -> None:
    """A further read of a meter; several on one day are told apart by their place."""
    last = session.scalar(
        sa.select(sa.func.max(RegisterRead.seq)).where(RegisterRead.meter_id == meter_id, RegisterRead.read_on == on)
    )
    session.add(RegisterRead(meter_id=meter_id, read_on=on, seq=0 if last is None else last + 1, read=read, how=how))
    session.flush()


# --- debts, flags, history


def closed_account_debts(session: Session, person_id: int) -> list[tuple[str, int, dt.date | None]]:
    """(account number, balance in cents, closed on) of a person's closed accounts that still owe."""
    return [(number, cents, closed_on) for number, cents, closed_on in _closed_account_debts(session, one=person_id)]


@prepared
def _closed_account_debts(one: Any) -> Any:
    return (
        sa.select(Account.number, Account.balance_cents, Account.closed_on)
        .where(Account.person_id == one, Account.closed_on.is_not(None), Account.balance_cents > 0)
        .order_by(Account.closed_on)
    )


def other_debt_cents(session: Session, premise_id: int, person_id: int | None) -> int:
    """What persons other than this one owe from this premise: closed accounts' balances, others' past due."""
    # No person has the number 0: whoever is new counts all.
    return int(_other_debt(session, one=premise_id, but=person_id or 0).scalar_one() or 0)


@prepared
def _other_debt(one: Any, but: Any) -> Any:
    owed = sa.case((Account.closed_on.is_not(None), Account.balance_cents), else_=Account.past_due_cents)
    return sa.select(sa.func.coalesce(sa.func.sum(owed), 0)).where(
        Account.premise_id == one, owed > 0, Account.person_id != but
    )


def flag_codes(session: Session, subjects: Sequence[tuple[str, int]], codes: Sequence[str], on: dt.date) -> set[str]:
    """Which of these flags stand on any of the subjects (kind, id) on a day."""
    if not subjects or not codes:
        return set()
    return set(
        session.scalars(
            sa.select(Flag.code).where(
                sa.tuple_(Flag.subject_kind, Flag.subject_id).in_(subjects),
                Flag.code.in_(codes),
                Flag.from_on <= on,
                sa.or_(Flag.until_on.is_(None), Flag.until_on >= on),
            )
        )
    )


def account_ids_of_person(session: Session, person_id: int) -> list[int]:
    return list(_account_ids_of_person(session, one=person_id).scalars())


@prepared
def _account_ids_of_person(one: Any) -> Any:
    return sa.select(Account.id).where(Account.person_id == one).order_by(Account.id)


def open_accounts_of_person(session: Session, person_id: int) -> Sequence[Account]:
    return session.scalars(
        sa.select(Account).where(Account.person_id == person_id, Account.closed_on.is_(None)).order_by(Account.id)
    ).all()


def account_ids_of_premise(session: Session, premise_id: int) -> list[int]:
    return list(_account_ids_of_premise(session, one=premise_id).scalars())


@prepared
def _account_ids_of_premise(one: Any) -> Any:
    return sa.select(Account.id).where(Account.premise_id == one)


def bills_since(session: Session, account_ids: Sequence[int], since: dt.date) -> Sequence[Bill]:
    """Bills of some accounts issued since a day, oldest first."""
    return _bills_since.rows(session, several=list(account_ids), since=since).all()


@prepared
def _bills_since(several: Any, since: Any) -> Any:
    return (
        sa.select(Bill).where(Bill.account_id.in_(several), Bill.billed_on >= since).order_by(Bill.billed_on, Bill.id)
    )


def billed_and_paid(session: Session, account_id: int) -> tuple[list[tuple[dt.date, int]], list[tuple[dt.date, int]]]:
    """(due on, cents) of an account's bills and (paid on, cents) of its payments, both oldest first."""
    bills = session.execute(
        sa.select(Bill.due_on, Bill.total_cents).where(Bill.account_id == account_id).order_by(Bill.billed_on, Bill.id)
    )
    payments = session.execute(
        sa.select(Payment.paid_on, Payment.amount_cents)
        .where(Payment.account_id == account_id)
        .order_by(Payment.paid_on, Payment.id)
    )
    return [(due, cents) for due, cents in bills], [(paid, cents) for paid, cents in payments]


def billed_until(session: Session, account_ids: Sequence[int]) -> dict[int, dt.date]:
    """Up to which day (excluded) each account is already billed."""
    rows = _billed_until(session, several=list(account_ids))
    return {account_id: until for account_id, until in rows if until is not None}


@prepared
def _billed_until(several: Any) -> Any:
    return (
        sa.select(Bill.account_id, sa.func.max(Bill.to_on))
        .where(Bill.account_id.in_(several))
        .group_by(Bill.account_id)
    )


def next_cycle_dates(session: Session, cycle_code: str, after: dt.date) -> CycleDate | None:
    """The first read, bill and due days of a cycle whose reading comes after a day."""
    return _next_cycle_dates.rows(session, one=cycle_code, after=after).first()


@prepared
def _next_cycle_dates(one: Any, after: Any) -> Any:
    return (
        sa.select(CycleDate)
        .where(CycleDate.cycle_code == one, CycleDate.read_on > after)
        .order_by(CycleDate.read_on)
        .limit(1)
    )


def first_bills_made(session: Session, subject_kind: str) -> list[tuple[int, dt.date]]:
    """(move, day of the bill) for open promises of a first bill whose account has been billed past the day of the move."""
    rows = session.execute(
        sa.select(Move.id, sa.func.min(Bill.billed_on))
        .join(Promise, (Promise.subject_id == Move.id) & (Promise.subject_kind == subject_kind))
        .join(Bill, (Bill.account_id == Move.account_id) & (Bill.to_on > Move.on))
        .where(Promise.outcome == "open")
        .group_by(Move.id)
        .order_by(Move.id)
    )
    return [(move_id, billed_on) for move_id, billed_on in rows]


def people_at(session: Session, premise: Premise) -> list[int]:
    """The persons who have service at a premise or wait for it, and its owner."""
    found = session.scalars(
        sa.select(Account.person_id)
        .join(ServiceAgreement, ServiceAgreement.account_id == Account.id)
        .join(ServicePoint, ServicePoint.id == ServiceAgreement.service_point_id)
        .where(ServicePoint.premise_id == premise.id, ServiceAgreement.state_code.in_(OPEN_STATES))
        .distinct()
        .order_by(Account.person_id)
    )
    return [*found, *([premise.owner_id] if premise.owner_id is not None else [])]
