"""What the city owes callers, as one list: open call-backs and open promises, the earliest due first."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db.contacts.conversations import PERSON, CallBack, Promise
from db.core import table_of
from db.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

CALL_BACK, PROMISE = "call_back", "promise"
_CALL_BACK, _PROMISE, _STAFF = table_of(CallBack), table_of(Promise), table_of(Staff)


def _owner(column: sa.ColumnElement[Any], of: str) -> list[sa.ColumnElement[bool]]:
    """Whose: one person's, those of a division, everybody's."""
    if of == "staff":
        return [column == sa.bindparam("staff_id", type_=sa.BigInteger())]
    if of == "division":
        here = _STAFF.c.division_code == sa.bindparam("division_code", type_=sa.String())
        return [column.in_(sa.select(_STAFF.c.id).where(here))]
    return []


@functools.cache
def _list(of: str) -> sa.Select[*tuple[Any, ...]]:
    text, back, promise, last = sa.String(), _CALL_BACK.c, _PROMISE.c, sa.bindparam("last", type_=sa.Integer())
    both = sa.union_all(
        sa.select(
            sa.select(
                sa.literal(CALL_BACK, text).label("what"), back.id, back.version, back.due_at, back.owner_id, back.person_id,
                back.account_id, back.why.label("words"), back.phone, back.attempts, sa.literal(None, sa.BigInteger()).label("amount_cents"),
            )
            .where(back.state_code == "open", *_owner(back.owner_id, of))
            .order_by(back.due_at, back.id)
            .limit(last)
            .subquery()
        ),
        sa.select(
            sa.select(
                sa.literal(PROMISE, text).label("what"), promise.id, promise.version, promise.due_at, promise.owner_id,
                promise.person_id, promise.account_id, promise.words, sa.literal("", text).label("phone"), sa.literal(0).label("attempts"),
                promise.amount_cents,
            )
            .where(promise.outcome == "open", *_owner(promise.owner_id, of))
            .order_by(promise.due_at, promise.id)
            .limit(last)
            .subquery()
        ),
    ).subquery("both")  # fmt: skip
    return (
        sa.select(*both.c, PERSON.c.name, _STAFF.c.name.label("owner_name"))
        .join(_STAFF, _STAFF.c.id == both.c.owner_id)
        .outerjoin(PERSON, PERSON.c.id == both.c.person_id)
        .order_by(both.c.due_at, both.c.what, both.c.id)
        .limit(sa.bindparam("most", type_=sa.Integer()))
        .offset(sa.bindparam("skip", type_=sa.Integer()))
    )


@functools.cache
def _counts(of: str) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(
        sa.select(sa.func.count())
        .where(_CALL_BACK.c.state_code == "open", *_owner(_CALL_BACK.c.owner_id, of))
        .scalar_subquery()
        .label("call_backs"),
        sa.select(sa.func.count())
        .where(_PROMISE.c.outcome == "open", *_owner(_PROMISE.c.owner_id, of))
        .scalar_subquery()
        .label("promises"),
    )


def _asked(staff_id: int | None, division_code: str | None) -> tuple[str, dict[str, Any]]:
    if staff_id is not None:
        return "staff", {"staff_id": staff_id}
    return ("", {}) if division_code is None else ("division", {"division_code": division_code})


def owed(
    session: Session, *, staff_id: int | None = None, division_code: str | None = None, most: int = 25, skip: int = 0
) -> Sequence[Any]:
    """Call-backs and promises of a person or a division (everybody's without either); `words` is why or what, the columns
    of the other kind are empty."""
    of, values = _asked(staff_id, division_code)
    return session.execute(_list(of), {**values, "most": most, "skip": skip, "last": most + skip}).all()


def owed_counts(session: Session, *, staff_id: int | None = None, division_code: str | None = None) -> tuple[int, int]:
    """How many call-backs and how many promises are open."""
    of, values = _asked(staff_id, division_code)
    row = session.execute(_counts(of), values).one()
    return row.call_backs, row.promises
