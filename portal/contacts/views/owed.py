"""What the city owes callers: call-backs and promises in one list, the most urgent first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db import contacts as rows
from db import core
from portal.contacts.views.conversations import scope_terms

if TYPE_CHECKING:
    from portal.shared.actor import Actor

OWED_ROWS = 12
"""As many as stand on a desk's screen at once."""


@dataclass(frozen=True)
class OwedLine:
    """A call-back or a promise on the list."""

    what: str
    """call_back or promise."""
    id: int
    version: int
    due_at: dt.datetime
    late: bool
    name: str
    """Whom it is owed to; empty when nobody is named."""
    words: str
    """Why to call, or what was promised."""
    phone: str
    attempts: int
    amount_cents: int | None
    owner_name: str
    person_id: int | None
    account_id: int | None


@dataclass(frozen=True)
class Owed:
    """One page of the list, and how much there is of each kind."""

    call_backs: int
    promises: int
    page: int
    lines: tuple[OwedLine, ...]

    @property
    def total(self) -> int:
        return self.call_backs + self.promises


def owed(actor: Actor, scope: str = "mine", page: int = 1) -> Owed:
    """A page of the open call-backs and promises of a scope; the last one where there is no such page."""
    where, now = scope_terms(actor, scope), core.now()
    with core.read() as session:
        call_backs, promises = rows.owed_counts(session, **where)
        page = max(1, min(page, -(-(call_backs + promises) // OWED_ROWS)))
        found = rows.owed(session, **where, most=OWED_ROWS, skip=(page - 1) * OWED_ROWS)
    lines = tuple(
        OwedLine(
            what=row.what,
            id=row.id,
            version=row.version,
            due_at=row.due_at,
            late=row.due_at < now,
            name=row.name or "",
            words=row.words,
            phone=row.phone,
            attempts=row.attempts,
            amount_cents=row.amount_cents,
            owner_name=row.owner_name,
            person_id=row.person_id,
            account_id=row.account_id,
        )
        for row in found
    )
    return Owed(call_backs, promises, page, lines)
