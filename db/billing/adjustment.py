"""Bill adjustments: what was asked, who decided, which entry came of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Cents, Id, Json, UtcTime, Versioned


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


# --- queries ----------------------------------------------------------------------------------------------------------
