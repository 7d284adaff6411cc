"""What the work queue asks: how much each queue holds, one page of it, what its filter finds, the one beside the list.

These questions are asked with every click, so each is made once, in the database's own terms, and told its values.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db.core import UtcTime, table_of
from db.service_requests.tables import RequestType, ServiceRequest, WorkOrder
from db.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

_REQUEST, _ORDER, _STAFF = table_of(ServiceRequest), table_of(WorkOrder), table_of(Staff)
# Of rooms above this one, the few columns that are shown.
_PERSON = sa.table("person", sa.column("id"), sa.column("name"), sa.column("phone"))
_ACCOUNT = sa.table("account", sa.column("id"), sa.column("number"))


@dataclass(frozen=True)
class QueueFilter:
    """Which open work: each field narrows it; `late_at` keeps what was due before."""

    assigned_id: int | None = None
    owner_id: int | None = None
    division_code: str | None = None
    late_at: dt.datetime | None = None
    state_codes: tuple[str, ...] = ()
    unassigned: bool = False
    words: str = ""
    """Folded (`db.folding`); empty for all."""


def _terms(table: sa.Table, asked: QueueFilter) -> list[sa.ColumnElement[bool]]:
    row = table.c
    terms: list[sa.ColumnElement[bool]] = []
    if asked.assigned_id is not None:
        terms.append(row.assigned_id == asked.assigned_id)
    if asked.owner_id is not None:
        terms.append(row.owner_id == asked.owner_id)
    if asked.division_code is not None:
        terms.append(row.division_code == asked.division_code)
    if asked.late_at is not None:
        terms.append(row.due_at < asked.late_at)
    if asked.state_codes:
        terms.append(row.state_code.in_(asked.state_codes))
    if asked.unassigned:
        terms.append(row.assigned_id.is_(None))
    if asked.words:
        # Letters, digits and spaces only: the pattern needs no escape.
        terms.append(row.search_text.like(f"%{asked.words}%"))
    return terms


def _halves(asked: QueueFilter) -> tuple[tuple[str, sa.Table], ...]:
    """Requests and work orders; nobody follows up on an order."""
    return (("request", _REQUEST),) if asked.owner_id is not None else (("request", _REQUEST), ("work_order", _ORDER))


# --- how much ---------------------------------------------------------------------------------------------------------


def queue_counts(
    session: Session, *, staff_id: int, division_code: str | None, at: dt.datetime, waiting: Sequence[str]
) -> dict[str, int]:
    """How many requests and orders each queue of a person holds, in one question: a division's (or, without one, the
    city's) open work is read once, from its index alone."""
    asked = {"staff": staff_id, "division": division_code, "at": at, "waiting": list(waiting)}
    row = session.execute(_counts(division_code is not None), asked).mappings().one()
    return {name: int(count) for name, count in row.items()}


@functools.cache
def _counts(of_division: bool) -> sa.Select[*tuple[Any, ...]]:
    def of(table: sa.Table, name: str) -> sa.Subquery:
        open_ones = [table.c.closed == sa.false()]
        if of_division:
            open_ones.append(table.c.division_code == sa.bindparam("division", type_=sa.String()))

        def count_if(term: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
            return sa.func.coalesce(sa.func.sum(sa.case((term, 1), else_=0)), 0)

        return (
            sa.select(
                sa.func.count().label("division"),
                count_if(table.c.due_at < sa.bindparam("at", type_=UtcTime())).label("late"),
                count_if(table.c.state_code.in_(sa.bindparam("waiting", expanding=True))).label("waiting"),
                count_if(table.c.assigned_id.is_(None)).label("unassigned"),
            )
            .where(*open_ones)
            .subquery(name)
        )

    def held(column: sa.ColumnElement[Any], closed: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        staff = sa.bindparam("staff", type_=sa.BigInteger())
        return sa.select(sa.func.count()).where(column == staff, closed == sa.false()).scalar_subquery()

    requests, orders = of(_REQUEST, "requests"), of(_ORDER, "orders")
    return sa.select(
        *((requests.c[name] + orders.c[name]).label(name) for name in ("division", "late", "waiting", "unassigned")),
        (held(_REQUEST.c.assigned_id, _REQUEST.c.closed) + held(_ORDER.c.assigned_id, _ORDER.c.closed)).label("mine"),
        held(_REQUEST.c.owner_id, _REQUEST.c.closed).label("following"),
    ).select_from(requests.join(orders, sa.true()))


# --- one page ---------------------------------------------------------------------------------------------------------


def _columns(what: str, table: sa.Table) -> list[sa.ColumnElement[Any]]:
    row, text = table.c, sa.String()
    request = what == "request"
    return [
        sa.literal(what, text).label("what"), row.id, row.version, row.number,
        (row.request_type_name if request else row.name).label("name"), row.address, row.state_code, row.due_at, row.assigned_id,
        row.division_code, (sa.literal("", text) if request else row.crew).label("crew"),
        (row.source if request else sa.literal("portal", text)).label("source"),
    ]  # fmt: skip


def queue_statement(asked: QueueFilter, limit: int, offset: int) -> sa.Select[*tuple[Any, ...]]:
    """One page of a queue, the most overdue first; what has no due time comes last. Each half stops early on its index."""
    halves = [
        sa.select(
            sa.select(*_columns(what, table))
            .where(table.c.closed == sa.false(), *_terms(table, asked))
            .order_by(sa.nulls_last(table.c.due_at), table.c.id)
            .limit(offset + limit)
            .subquery()
        )
        for what, table in _halves(asked)
    ]
    both = (halves[0] if len(halves) == 1 else sa.union_all(*halves)).subquery("both")
    return (
        sa.select(*both.c, _STAFF.c.name.label("assigned_name"))
        .outerjoin(_STAFF, _STAFF.c.id == both.c.assigned_id)
        .order_by(sa.nulls_last(both.c.due_at), both.c.id, both.c.what)
        .limit(limit)
        .offset(offset)
    )


def queue_page(session: Session, asked: QueueFilter, limit: int, offset: int) -> Sequence[Any]:
    return session.execute(queue_statement(asked, limit, offset)).all()


def found_statement(asked: QueueFilter, most: int) -> sa.Select[*tuple[Any, ...]]:
    """(what, id) of the first `most` that hold words, in the order of the queue.

    “NOT closed” is spelt as the index of the words is: on SQLite nothing but that index is read."""
    halves = [
        sa.select(sa.literal(what, sa.String()).label("what"), table.c.id, table.c.due_at).where(
            sa.text(f"NOT {table.name}.closed"), *_terms(table, asked)
        )
        for what, table in _halves(asked)
    ]
    both = (halves[0] if len(halves) == 1 else sa.union_all(*halves)).subquery("both")
    return sa.select(both.c.what, both.c.id).order_by(sa.nulls_last(both.c.due_at), both.c.id, both.c.what).limit(most)


def queue_found(session: Session, asked: QueueFilter, most: int) -> list[tuple[str, int]]:
    """What the filter finds, without its columns: it is counted up to what can be paged through, and one page of it is shown."""
    return [(row.what, row.id) for row in session.execute(found_statement(asked, most))]


def rows_for_queue(session: Session, chosen: Sequence[tuple[str, int]]) -> list[Any]:
    """The columns of a page for chosen rows, open or not, in their order."""
    rows: dict[tuple[str, int], Any] = {}
    for what, table in (("request", _REQUEST), ("work_order", _ORDER)):
        if ids := [row_id for kind, row_id in chosen if kind == what]:
            asked = sa.select(*_columns(what, table), _STAFF.c.name.label("assigned_name")).outerjoin(
                _STAFF, _STAFF.c.id == table.c.assigned_id
            )
            rows |= {(what, row.id): row for row in session.execute(asked.where(table.c.id.in_(ids)))}
    return [rows[each] for each in chosen if each in rows]


# --- the one beside the list --------------------------------------------------------------------------------------------


@functools.cache
def _beside_request() -> sa.Select[*tuple[Any, ...]]:
    row, owner = _REQUEST.c, _STAFF.alias("owner")
    kind = table_of(RequestType)
    return (
        sa.select(
            row.id, row.version, row.number, row.external_id, row.source, row.request_type_name, row.state_code, row.closed,
            row.due_at, row.closed_at, row.address, row.description, row.tell_by, row.joined_count, row.reopened_count,
            row.assigned_id, _PERSON.c.name.label("person_name"), _PERSON.c.phone.label("person_phone"),
            _STAFF.c.name.label("assigned_name"), owner.c.name.label("owner_name"), kind.c.detail.label("definition"),
        )
        .outerjoin(_PERSON, _PERSON.c.id == row.person_id)
        .outerjoin(_STAFF, _STAFF.c.id == row.assigned_id)
        .outerjoin(owner, owner.c.id == row.owner_id)
        .outerjoin(kind, sa.and_(kind.c.code == row.request_type_code, kind.c.version_no == row.request_type_version))
        .where(row.id == sa.bindparam("id", type_=sa.BigInteger()))
    )  # fmt: skip


def request_beside(session: Session, request_id: int) -> Any:
    """A request with the names of its person, of who has it and of who owes the answer, and its type's definition."""
    return session.execute(_beside_request(), {"id": request_id}).first()


@functools.cache
def _beside_order() -> sa.Select[*tuple[Any, ...]]:
    row = _ORDER.c
    request = _REQUEST.alias("request")
    return (
        sa.select(
            row.id, row.version, row.number, row.name, row.order_code, row.service_kind, row.state_code, row.closed, row.due_at,
            row.closed_at, row.opened_at, row.planned_on, row.address, row.instructions, row.division_code, row.crew,
            _STAFF.c.name.label("assigned_name"), request.c.number.label("request_number"),
            _ACCOUNT.c.number.label("account_number"),
        )
        .outerjoin(_STAFF, _STAFF.c.id == row.assigned_id)
        .outerjoin(request, request.c.id == row.request_id)
        .outerjoin(_ACCOUNT, _ACCOUNT.c.id == row.account_id)
        .where(row.id == sa.bindparam("id", type_=sa.BigInteger()))
    )  # fmt: skip


def order_beside(session: Session, order_id: int) -> Any:
    """A work order with the name of who has it and the numbers of its request and account."""
    return session.execute(_beside_order(), {"id": order_id}).first()
