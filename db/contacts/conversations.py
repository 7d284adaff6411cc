"""Conversations by phone, letter, e-mail and counter; identity checks, promises, call-backs, emergencies. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Id, UtcTime, Versioned, append_only, table_of, upsert
from db.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class Conversation(Id, Versioned, Base):
    """One contact with a citizen, from greeting to wrap-up; everything done meanwhile is linked to it."""

    __tablename__ = "conversation"
    __table_args__ = (
        sa.Index(None, "staff_id", "ended_at"),
        sa.Index(None, "person_id", "started_at"),
        sa.Index(None, "account_id", "started_at"),
    )
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    channel: Mapped[str] = mapped_column(sa.String(20))
    """phone, letter, email, counter."""
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    premise_id: Mapped[int | None] = mapped_column(sa.ForeignKey("premise.id"))
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    reason_code: Mapped[str | None] = mapped_column(sa.String(60))
    disposition_code: Mapped[str | None] = mapped_column(sa.String(60))


class IdentityVerifier(Base):
    """A person's PIN or passphrase, as a slow salted hash, and the count of wrong answers."""

    __tablename__ = "identity_verifier"
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(200))
    set_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    failures: Mapped[int] = mapped_column(sa.Integer, default=0)
    locked_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class IdentityCheck(Id, Base):
    """One check of who is speaking: how, and how it went. A fact, never changed."""

    __tablename__ = "identity_check"
    __table_args__ = (sa.Index(None, "conversation_id"), sa.Index(None, "person_id", "checked_at"))
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    method: Mapped[str] = mapped_column(sa.String(30))
    """pin, account_facts, call_back."""
    passed: Mapped[bool] = mapped_column(sa.Boolean)
    strength: Mapped[int] = mapped_column(sa.Integer)
    facts: Mapped[str] = mapped_column(sa.String(200), default="")
    """Codes of the account facts that were asked, never their values."""
    checked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))


class OpinionHeard(Id, Base):
    """What a caller thought of the city, heard at wrap-up: a series of its own, never mixed with a survey."""

    __tablename__ = "opinion_heard"
    __table_args__ = (sa.Index(None, "subject_code", "heard_at"),)
    conversation_id: Mapped[int] = mapped_column(sa.ForeignKey("conversation.id"))
    subject_code: Mapped[str] = mapped_column(sa.String(60))
    stance: Mapped[str] = mapped_column(sa.String(10))
    """for, against, mixed."""
    words: Mapped[str] = mapped_column(sa.Text, default="")
    heard_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class Promise(Id, Versioned, Base):
    """A date, credit or visit told to a caller: it has an owner and is kept or broken in the end."""

    __tablename__ = "promise"
    __table_args__ = (sa.Index(None, "owner_id", "outcome", "due_at"), sa.Index(None, "account_id"))
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    """date, credit, visit."""
    words: Mapped[str] = mapped_column(sa.Text)
    amount_cents: Mapped[int | None] = mapped_column(sa.BigInteger)
    due_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    subject_kind: Mapped[str] = mapped_column(sa.String(40), default="")
    subject_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    outcome: Mapped[str] = mapped_column(sa.String(10), default="open")
    """open, kept, broken."""
    settled_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    settled_words: Mapped[str] = mapped_column(sa.Text, default="")
    """Why it was broken, or what came of it."""


class CallBack(Id, Versioned, Base):
    """A call the city owes a citizen, with a due time."""

    __tablename__ = "call_back"
    __table_args__ = (sa.Index(None, "owner_id", "state_code", "due_at"),)
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    phone: Mapped[str] = mapped_column(sa.String(20))
    why: Mapped[str] = mapped_column(sa.Text)
    due_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    state_code: Mapped[str] = mapped_column(sa.String(16), default="open")
    """open, reached, gave_up."""
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    outcome: Mapped[str] = mapped_column(sa.Text, default="")
    done_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class EmergencyCall(Id, Base):
    """A danger told to the desk: stamped at once with place and call-back number, handed over by phone, never queued."""

    __tablename__ = "emergency_call"
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    kind_code: Mapped[str] = mapped_column(sa.String(40))
    place: Mapped[str] = mapped_column(sa.String(300))
    callback_phone: Mapped[str] = mapped_column(sa.String(40))
    transferred_to: Mapped[str] = mapped_column(sa.String(40))
    premise_id: Mapped[int | None] = mapped_column(sa.ForeignKey("premise.id"))
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    stamped_at: Mapped[dt.datetime] = mapped_column(UtcTime)


append_only(IdentityCheck)
append_only(OpinionHeard)
append_only(EmergencyCall)


# --- queries ----------------------------------------------------------------------------------------------------------

# The nouns of a higher room, known here by the foreign keys above only: a line about a conversation names its person.
PERSON = sa.table("person", sa.column("id", sa.BigInteger), sa.column("name", sa.String), sa.column("phone", sa.String))
ACCOUNT = sa.table(
    "account",
    sa.column("id", sa.BigInteger),
    sa.column("number", sa.String),
    sa.column("person_id", sa.BigInteger),
    sa.column("premise_id", sa.BigInteger),
)
PREMISE = sa.table("premise", sa.column("id", sa.BigInteger), sa.column("address", sa.String))


def open_call(session: Session, staff_id: int) -> Sequence[Any]:
    """The open conversation of a person at the desk, one row per identity check in it (one row without any); empty between
    calls. One statement: every page asks it on every run."""
    newest = (
        sa.select(sa.func.max(Conversation.id))
        .where(Conversation.staff_id == staff_id, Conversation.ended_at.is_(None))
        .scalar_subquery()
    )
    return session.execute(
        sa.select(
            Conversation.id,
            Conversation.number,
            Conversation.channel,
            Conversation.started_at,
            Conversation.note,
            Conversation.person_id,
            Conversation.account_id,
            Conversation.premise_id,
            PERSON.c.name,
            PERSON.c.phone,
            ACCOUNT.c.number.label("account_number"),
            PREMISE.c.address,
            IdentityVerifier.secret_hash,
            IdentityVerifier.failures,
            IdentityVerifier.locked_until,
            IdentityCheck.id.label("check_id"),
            IdentityCheck.method,
            IdentityCheck.passed,
            IdentityCheck.strength,
            IdentityCheck.checked_at,
            IdentityCheck.person_id.label("checked_person_id"),
        )
        .outerjoin(PERSON, PERSON.c.id == Conversation.person_id)
        .outerjoin(ACCOUNT, ACCOUNT.c.id == Conversation.account_id)
        .outerjoin(PREMISE, PREMISE.c.id == Conversation.premise_id)
        .outerjoin(IdentityVerifier, IdentityVerifier.person_id == Conversation.person_id)
        .outerjoin(IdentityCheck, IdentityCheck.conversation_id == Conversation.id)
        .where(Conversation.id == newest)
        .order_by(IdentityCheck.id)
    ).all()


def has_open_conversation(session: Session, staff_id: int) -> bool:
    return (
        session.scalar(
            sa.select(Conversation.id)
            .where(Conversation.staff_id == staff_id, Conversation.ended_at.is_(None))
            .limit(1)
        )
        is not None
    )


def lock_staff(session: Session, staff_id: int) -> None:
    """Holds a person's row, so that two pages of theirs cannot both take a call."""
    session.execute(sa.select(Staff.id).where(Staff.id == staff_id).with_for_update())


def account_links(session: Session, account_id: int) -> tuple[int, int | None] | None:
    """(person, main premise) of an account; None when there is no such account."""
    found = session.execute(
        sa.select(ACCOUNT.c.person_id, ACCOUNT.c.premise_id).where(ACCOUNT.c.id == account_id)
    ).first()
    return None if found is None else (found.person_id, found.premise_id)


def person_name_and_phone(session: Session, person_id: int) -> tuple[str, str] | None:
    """What a person is called and the number on file; None when there is no such person."""
    found = session.execute(sa.select(PERSON.c.name, PERSON.c.phone).where(PERSON.c.id == person_id)).first()
    return None if found is None else (found.name, found.phone)


def premise_exists(session: Session, premise_id: int) -> bool:
    return session.scalar(sa.select(PREMISE.c.id).where(PREMISE.c.id == premise_id)) is not None


def strength_reached(session: Session, conversation_id: int, person_id: int) -> int:
    """The strongest passed check of this person in this conversation; 0 without one."""
    return (
        session.scalar(
            sa.select(sa.func.max(IdentityCheck.strength)).where(
                IdentityCheck.conversation_id == conversation_id,
                IdentityCheck.person_id == person_id,
                IdentityCheck.passed,
            )
        )
        or 0
    )


def verifier(session: Session, person_id: int) -> IdentityVerifier | None:
    return session.get(IdentityVerifier, person_id)


def locked_verifier(session: Session, person_id: int, at: dt.datetime) -> IdentityVerifier:
    """The person's verifier, held until the end of the transaction; made without a secret where there was none."""
    upsert(
        session,
        table_of(IdentityVerifier),
        [{"person_id": person_id, "secret_hash": "", "set_at": at, "failures": 0}],
        ["person_id"],
        [],
    )
    row = session.get(IdentityVerifier, person_id, with_for_update=True, populate_existing=True)
    assert row is not None
    return row


def _call_back_lines(staff_id: int | None, division_code: str | None, states: Sequence[str]) -> Any:
    lines = (
        sa.select(
            CallBack.id,
            CallBack.version,
            CallBack.phone,
            CallBack.why,
            CallBack.due_at,
            CallBack.attempts,
            CallBack.state_code,
            CallBack.outcome,
            CallBack.done_at,
            CallBack.owner_id,
            CallBack.person_id,
            CallBack.account_id,
            CallBack.conversation_id,
            PERSON.c.name,
            Staff.name.label("owner_name"),
        )
        .join(Staff, Staff.id == CallBack.owner_id)
        .outerjoin(PERSON, PERSON.c.id == CallBack.person_id)
        .where(CallBack.state_code.in_(states))
    )
    if staff_id is not None:
        lines = lines.where(CallBack.owner_id == staff_id)
    if division_code is not None:
        lines = lines.where(Staff.division_code == division_code)
    return lines


def call_back_lines(
    session: Session,
    *,
    staff_id: int | None = None,
    division_code: str | None = None,
    states: Sequence[str] = ("open",),
    due_before: dt.datetime | None = None,
    most: int = 50,
    skip: int = 0,
) -> Sequence[Any]:
    """Call-backs of a person or a division (everybody's without either), the earliest due first."""
    lines = _call_back_lines(staff_id, division_code, states)
    if due_before is not None:
        lines = lines.where(CallBack.due_at < due_before)
    return session.execute(lines.order_by(CallBack.due_at, CallBack.id).limit(most).offset(skip)).all()


def call_back_count(session: Session, *, staff_id: int | None = None, division_code: str | None = None) -> int:
    """How many call-backs are open."""
    lines = _call_back_lines(staff_id, division_code, ("open",)).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(lines)) or 0


def promise_lines(
    session: Session,
    *,
    staff_id: int | None = None,
    division_code: str | None = None,
    account_id: int | None = None,
    outcomes: Sequence[str] = ("open",),
    most: int = 50,
    skip: int = 0,
) -> Sequence[Any]:
    """Promises of a person, a division or an account (everybody's without any): open ones the earliest due first, settled
    ones the last settled first."""
    lines = (
        sa.select(
            Promise.id,
            Promise.version,
            Promise.kind,
            Promise.words,
            Promise.amount_cents,
            Promise.due_at,
            Promise.outcome,
            Promise.made_at,
            Promise.settled_at,
            Promise.settled_words,
            Promise.owner_id,
            Promise.person_id,
            Promise.account_id,
            Promise.subject_kind,
            Promise.subject_id,
            PERSON.c.name,
            Staff.name.label("owner_name"),
        )
        .join(Staff, Staff.id == Promise.owner_id)
        .outerjoin(PERSON, PERSON.c.id == Promise.person_id)
        .where(Promise.outcome.in_(outcomes))
    )
    if staff_id is not None:
        lines = lines.where(Promise.owner_id == staff_id)
    if division_code is not None:
        lines = lines.where(Staff.division_code == division_code)
    if account_id is not None:
        lines = lines.where(Promise.account_id == account_id)
    in_order = (Promise.due_at, Promise.id) if "open" in outcomes else (Promise.settled_at.desc(), Promise.id.desc())
    return session.execute(lines.order_by(*in_order).limit(most).offset(skip)).all()


def open_promises_about(session: Session, subject_kind: str, subject_id: int) -> Sequence[Promise]:
    """Promises that hang on one thing (a request, a move), held for settling."""
    return session.scalars(
        sa.select(Promise)
        .where(Promise.subject_kind == subject_kind, Promise.subject_id == subject_id, Promise.outcome == "open")
        .order_by(Promise.id)
        .with_for_update()
    ).all()


def open_work_of(
    session: Session, staff_id: int
) -> tuple[Sequence[Conversation], Sequence[CallBack], Sequence[Promise]]:
    """What a person still has open, held for handing over."""
    return (
        session.scalars(
            sa.select(Conversation)
            .where(Conversation.staff_id == staff_id, Conversation.ended_at.is_(None))
            .order_by(Conversation.id)
            .with_for_update()
        ).all(),
        session.scalars(
            sa.select(CallBack)
            .where(CallBack.owner_id == staff_id, CallBack.state_code == "open")
            .order_by(CallBack.id)
            .with_for_update()
        ).all(),
        session.scalars(
            sa.select(Promise)
            .where(Promise.owner_id == staff_id, Promise.outcome == "open")
            .order_by(Promise.id)
            .with_for_update()
        ).all(),
    )


def conversation(session: Session, conversation_id: int) -> Conversation | None:
    return session.get(Conversation, conversation_id)


def conversation_by_number(session: Session, number: str) -> Conversation | None:
    return session.scalar(sa.select(Conversation).where(Conversation.number == number))


def conversations_of(
    session: Session, *, account_id: int | None = None, person_id: int | None = None, most: int = 20
) -> Sequence[Conversation]:
    """The latest conversations of an account or of a person, newest first."""
    found = sa.select(Conversation).order_by(Conversation.started_at.desc(), Conversation.id.desc()).limit(most)
    if account_id is not None:
        found = found.where(Conversation.account_id == account_id)
    if person_id is not None:
        found = found.where(Conversation.person_id == person_id)
    return session.scalars(found).all()


def last_emergencies(session: Session, since: dt.datetime, most: int = 5) -> Sequence[EmergencyCall]:
    """Emergencies stamped since an instant, newest first."""
    return session.scalars(
        sa.select(EmergencyCall).where(EmergencyCall.stamped_at >= since).order_by(EmergencyCall.id.desc()).limit(most)
    ).all()
