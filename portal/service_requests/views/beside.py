"""The case or order beside the queue: what it is and what can be done at once, without the rest of its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from db import core
from db import service_requests as rows
from portal.service_requests.rules import request_type
from portal.service_requests.rules.form import TELL_BY
from portal.service_requests.views import in_force
from portal.service_requests.views.cases import Choice, Fact, choices, due_words, order_due, order_facts, service_name
from portal.shared.text import format_phone


@dataclass(frozen=True)
class Beside:
    """One line of the queue, looked at."""

    what: str
    """request or work_order."""
    row_id: int
    version: int
    number: str
    name: str
    state: str
    closed: bool
    due: str
    late: bool
    address: str
    person: str
    """Name and telephone of whom it is for; empty when nobody is named."""
    words: str
    """What the caller said, or what is to be done."""
    facts: tuple[Fact, ...]
    dispositions: tuple[Choice, ...] = ()
    tell_by: str = "none"
    assigned: bool = False


def beside(what: str, row_id: int) -> Beside | None:
    """The request or work order that is open beside the list; None when there is none."""
    return _order(row_id) if what == "work_order" else _request(row_id)


def _request(request_id: int) -> Beside | None:
    now = core.now()
    with core.read() as session:
        row = rows.request_beside(session, request_id)
        if row is None:
            return None
        table = in_force.states(session)
    definition = None if row.definition is None or row.closed else request_type.read_definition(row.definition)
    facts = [
        Fact("With", row.assigned_name or "nobody yet", True),
        Fact("Follow-up", row.owner_name or "nobody", True),
        Fact("Tell the caller", TELL_BY.get(row.tell_by, row.tell_by)),
    ]
    if row.joined_count:
        facts.append(Fact("Callers", f"{row.joined_count + 1}"))
    if row.reopened_count:
        facts.append(Fact("Reopened", f"{row.reopened_count} time{'' if row.reopened_count == 1 else 's'}"))
    if row.source != "portal":
        facts.append(Fact("Comes from", f"{row.source}, number {row.external_id or '—'}", True))
    return Beside(
        what="request",
        row_id=row.id,
        version=row.version,
        number=row.number,
        name=row.request_type_name,
        state=table.name(row.state_code),
        closed=row.closed,
        due=due_words(row, table.kind(row.state_code), now, in_force.zone()),
        late=_late(row, now),
        address=row.address,
        person=" · ".join(part for part in (row.person_name, format_phone(row.person_phone or "")) if part),
        words=row.description,
        facts=tuple(facts),
        dispositions=() if row.closed else tuple(choices(in_force.dispositions(table, definition))),
        tell_by=row.tell_by,
        assigned=row.assigned_id is not None,
    )


def _order(order_id: int) -> Beside | None:
    now = core.now()
    with core.read() as session:
        row = rows.order_beside(session, order_id)
        if row is None:
            return None
        table = in_force.states(session, in_force.WORK_ORDER)
        divisions = rows.division_names(session)
        service = service_name(session, row.service_kind, now)
    return Beside(
        what="work_order",
        row_id=row.id,
        version=row.version,
        number=row.number,
        name=row.name,
        state=table.name(row.state_code),
        closed=row.closed,
        due=order_due(row, now, in_force.zone()),
        late=_late(row, now),
        address=row.address,
        person="",
        words=row.instructions,
        facts=tuple(
            order_facts(
                row,
                divisions.get(row.division_code, row.division_code),
                row.assigned_name or row.crew or "nobody yet",
                row.account_number or "",
                row.request_number or "",
                now,
                in_force.zone(),
                service,
            )
        ),
    )


def _late(row: Any, now: Any) -> bool:
    return not row.closed and row.due_at is not None and row.due_at < now
