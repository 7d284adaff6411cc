"""Conversations by phone, letter, e-mail and counter; identity checks, promises, call-backs, emergencies. Tables, then queries."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Id, UtcTime, Versioned, append_only


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


append_only(IdentityCheck.__table__)
append_only(OpinionHeard.__table__)
append_only(EmergencyCall.__table__)
