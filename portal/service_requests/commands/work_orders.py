"""Work orders: written for a division or contractor, moved, closed; and the handing over of everything a person has open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db import service_requests as rows
from db import staff as staff_rows
from portal.contacts import commands as contacts
from portal.service_requests.commands.common import hold, next_number, refuse_own
from portal.service_requests.rules import answer, case, form
from portal.service_requests.views import in_force
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.staff import commands as staff_commands

if TYPE_CHECKING:
    import datetime as dt

    from db.core import Work
    from portal.shared.actor import Actor

SUBJECT = "work_order"


def open_work_order(
    work: Work,
    actor: Actor,
    *,
    kind_code: str,
    name: str,
    division_code: str,
    order_code: str = "",
    service_kind: str | None = None,
    premise_id: int | None = None,
    account_id: int | None = None,
    agreement_id: int | None = None,
    service_point_id: int | None = None,
    planned_on: dt.date | None = None,
    due_at: dt.datetime | None = None,
    instructions: str = "",
    request_id: int | None = None,
) -> rows.WorkOrder:
    """Writes a work order inside the transaction of whoever needs it, with its event and its message to the division."""
    table = in_force.states(work.session, in_force.WORK_ORDER)
    place = None if premise_id is None else rows.premise_place(work.session, premise_id)
    order = work.add(
        rows.WorkOrder(
            number=next_number(work, "WO"),
            kind_code=kind_code,
            name=name,
            order_code=order_code,
            service_kind=service_kind,
            request_id=request_id,
            premise_id=premise_id,
            account_id=account_id,
            agreement_id=agreement_id,
            service_point_id=service_point_id,
            address=place.address if place is not None else "",
            division_code=division_code,
            state_code="scheduled" if planned_on is not None and "scheduled" in table.states else table.first,
            instructions=instructions,
            planned_on=planned_on,
            opened_at=work.now,
            due_at=due_at,
        )
    )
    _note(
        work, actor, order, "work_order.opened", {"kind": kind_code, "division": division_code, "request": request_id}
    )
    work.message(
        "field",
        template="work_order",
        recipient_kind="division",
        subject_kind=SUBJECT,
        subject_id=order.id,
        detail={
            "division": division_code,
            "number": order.number,
            "order": name,
            "place": order.address,
            "premise": premise_id,
            "planned": "" if planned_on is None else planned_on.isoformat(),
            "instructions": instructions,
        },
    )
    return order


def finish_work_order(
    work: Work, actor: Actor, order: rows.WorkOrder, disposition_code: str, note: str = "", *, state_code: str = "done"
) -> None:
    """Closes an order whose result a higher room has recorded in this transaction."""
    order.state_code, order.closed, order.closed_at = state_code, True, work.now
    order.disposition_code, order.resolution = disposition_code, note
    order.version += 1
    _note(work, actor, order, "work_order.closed", {"disposition": disposition_code})


@command("work_order.work")
def write_work_order(actor: Actor, work: Work, asked: form.WorkOrderForm) -> Receipt:
    """Writes a work order by hand, usually for a request, which names its place."""
    request = None if asked.request_id is None else rows.by_id(work.session, asked.request_id)
    problems = form.work_order_problems(asked, rows.division_departments(work.session), in_force.local_day(work.now))
    if asked.request_id is not None and (request is None or request.closed):
        problems.append(Problem("", "The request is closed. Reopen it before writing an order for it."))
    if problems:
        raise Refused(problems)
    account_id = asked.account_id if request is None else request.account_id
    premise_id = asked.premise_id if request is None else request.premise_id
    refuse_own(work, actor, account_id=account_id, person_id=None if request is None else request.person_id)
    order = open_work_order(
        work,
        actor,
        kind_code=asked.kind_code,
        name=answer.tidy(asked.name),
        division_code=asked.division_code,
        premise_id=premise_id,
        account_id=account_id,
        planned_on=asked.planned_on,
        due_at=None if request is None else request.due_at,
        instructions=answer.tidy(asked.instructions),
        request_id=asked.request_id,
    )
    if request is not None and not order.address:
        order.address = request.address
    division = rows.division_names(work.session)[asked.division_code]
    return Receipt(
        title=f"{order.number} is written for {division}",
        number=order.number,
        orders=((order.number, order.name),),
        subject_kind=SUBJECT,
        subject_id=order.id,
        go="work_order",
        go_query=(("id", str(order.id)),),
    )


@command("work_order.work")
def move_work_order(actor: Actor, work: Work, asked: form.MoveForm) -> Receipt:
    """Takes a work order to its next state: scheduled, dispatched, back to new."""
    order = hold(work, rows.WorkOrder, asked.row_id, asked.version)
    refuse_own(work, actor, account_id=order.account_id)
    table = in_force.states(work.session, in_force.WORK_ORDER)
    problems = case.move_problems(table, order.state_code, asked.to_code)
    if problems:
        raise Refused(problems)
    before, order.state_code = order.state_code, asked.to_code
    order.version += 1
    _note(work, actor, order, "work_order.moved", {"from": before, "to": asked.to_code})
    return Receipt(
        title=f"{order.number} is now “{table.name(asked.to_code)}”",
        number=order.number,
        subject_kind=SUBJECT,
        subject_id=order.id,
    )


@command("work_order.work")
def close_work_order(actor: Actor, work: Work, asked: form.CloseForm) -> Receipt:
    """Closes a work order with how it ended. One that starts or stops a service is closed by its field result instead."""
    order = hold(work, rows.WorkOrder, asked.row_id, asked.version)
    refuse_own(work, actor, account_id=order.account_id)
    table = in_force.states(work.session, in_force.WORK_ORDER)
    problems = case.closing_problems(table, order.state_code, table.dispositions, asked.disposition_code, asked.note)
    if order.agreement_id is not None and not order.closed:
        problems.append(Problem("", "This order starts or stops a service: record its field result, which closes it."))
    if problems:
        raise Refused(problems)
    ending = next(each for each in table.dispositions if each.code == asked.disposition_code)
    finish_work_order(work, actor, order, ending.code, answer.tidy(asked.note), state_code=ending.state or "done")
    return Receipt(
        title=f"{order.number} is closed: {ending.name}", number=order.number, subject_kind=SUBJECT, subject_id=order.id
    )


@command("work_order.work")
def assign_work_order(actor: Actor, work: Work, asked: form.AssignForm) -> Receipt:
    """Gives a work order to a person, to another division, or back to the division's queue."""
    order = hold(work, rows.WorkOrder, asked.row_id, asked.version)
    if order.closed:
        raise Refused([Problem("staff_id", "The order is closed. Write a new one.")])
    if asked.staff_id is not None and not staff_rows.is_active(work.session, asked.staff_id):
        raise Refused(
            [Problem("staff_id", "“Give to” names somebody who does not work here any more. Choose another.")]
        )
    if asked.division_code is not None:
        if asked.division_code not in rows.division_departments(work.session):
            raise Refused([Problem("division_code", "“Division” has no such choice. Choose one that is offered.")])
        order.division_code = asked.division_code
    order.assigned_id = asked.staff_id
    order.version += 1
    _note(work, actor, order, "work_order.assigned", {"to": asked.staff_id, "division": order.division_code})
    who = "" if asked.staff_id is None else rows.staff_names(work.session, {asked.staff_id}).get(asked.staff_id, "")
    where = who or f"the queue of {rows.division_names(work.session).get(order.division_code, 'its division')}"
    return Receipt(
        title=f"{order.number} is with {where}", number=order.number, subject_kind=SUBJECT, subject_id=order.id
    )


# --- handing over -----------------------------------------------------------------------------------------------------


def hand_over(work: Work, actor: Actor, from_staff_id: int, to_staff_id: int) -> int:
    """Gives everything a person has open to a colleague, call-backs and promises too, one event for each row; returns how
    many rows."""
    spoken = contacts.hand_over_contacts(work, actor, from_staff_id, to_staff_id)
    assigned, owned, orders = rows.open_of_staff(work.session, from_staff_id)
    touched: dict[int, rows.ServiceRequest] = {}
    for request in assigned:
        request.assigned_id = to_staff_id
        touched[request.id] = request
    for request in owned:
        request.owner_id = to_staff_id
        touched[request.id] = request
    moved = {"from": from_staff_id, "to": to_staff_id}
    for request in touched.values():
        request.version += 1
        work.event(
            "request.handed_over",
            staff_id=actor.staff_id,
            subject_kind="service_request",
            subject_id=request.id,
            account_id=request.account_id,
            premise_id=request.premise_id,
            detail=moved,
        )
    for order in orders:
        order.assigned_id = to_staff_id
        order.version += 1
        _note(work, actor, order, "work_order.handed_over", moved)
    return len(touched) + len(orders) + spoken["call_backs"] + spoken["promises"]


@command("request.assign")
def hand_over_work(actor: Actor, work: Work, from_staff_id: int, to_staff_id: int) -> Receipt:
    """Gives everything a person has open to a colleague (holiday, illness, leaving)."""
    if from_staff_id == to_staff_id or not staff_rows.is_active(work.session, to_staff_id):
        raise Refused([Problem("to_staff_id", "Choose an active colleague who takes the open work over.")])
    count = hand_over(work, actor, from_staff_id, to_staff_id)
    work.event(
        "request.work_handed_over",
        staff_id=actor.staff_id,
        subject_kind="staff",
        subject_id=from_staff_id,
        detail={"to": to_staff_id, "rows": count},
    )
    names = rows.staff_names(work.session, {from_staff_id, to_staff_id})
    what = f"{count:,} open case{'' if count == 1 else 's'}"
    return Receipt(
        title=f"{what} of {names.get(from_staff_id, 'this person')} went to {names.get(to_staff_id, 'the colleague')}",
        subject_kind="staff",
        subject_id=from_staff_id,
    )


@command("staff.edit")
def hand_over_and_end_access(actor: Actor, work: Work, staff_id: int, stand_in_id: int, version: int) -> Receipt:
    """Ends a person's access and gives their open work to a colleague, in one transaction."""
    ended = staff_commands.end_access(actor, staff_id, stand_in_id, version)
    count = hand_over(work, actor, staff_id, stand_in_id)
    stand_in = rows.staff_names(work.session, {stand_in_id}).get(stand_in_id, "the colleague")
    return Receipt(
        title=ended.title,
        notes=(f"{count:,} open case{'' if count == 1 else 's'} went to {stand_in}.",),
        subject_kind="staff",
        subject_id=staff_id,
    )


def _note(work: Work, actor: Actor, order: rows.WorkOrder, name: str, detail: dict[str, Any]) -> None:
    work.event(
        name,
        staff_id=actor.staff_id,
        subject_kind=SUBJECT,
        subject_id=order.id,
        account_id=order.account_id,
        premise_id=order.premise_id,
        detail=detail,
    )
