"""Starts, stops and transfers of service. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Cents, Id, Json, UtcTime, Versioned


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
