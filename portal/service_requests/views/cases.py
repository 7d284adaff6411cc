"""One case and one work order as their pages show them."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import core, directory, events
from db import service_requests as rows
from db.contacts import delivery as delivery_rows
from portal.contacts.rules import delivery
from portal.directory.views import today
from portal.service_requests.rules import case as case_rules
from portal.service_requests.rules import request_type
from portal.service_requests.rules.form import CHANNELS, TELL_BY
from portal.service_requests.views import in_force
from portal.shared.text import day_text, due_text, duration_text, format_phone, relative_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from portal.service_requests.rules.request_type import Disposition


@dataclass(frozen=True)
class Fact:
    """A label and what stands beside it; `data` marks what somebody typed."""

    label: str
    value: str
    data: bool = False


@dataclass(frozen=True)
class AnswerView:
    """A question as it was asked and its answer in words; `photo` names a kept picture."""

    label: str
    words: str
    photo: str = ""


@dataclass(frozen=True)
class TimelineStep:
    """One thing that happened, newest last."""

    when: str
    what: str
    who: str
    note: str = ""
    icon: str = "circle"


@dataclass(frozen=True)
class Choice:
    """A choice of a closed list."""

    code: str
    name: str
    requires_note: bool = False


@dataclass(frozen=True)
class OrderLine:
    """A work order of a case, in a line."""

    order_id: int
    number: str
    name: str
    division: str
    state: str
    closed: bool


@dataclass(frozen=True)
class CaseView:
    """Everything the page of one case shows."""

    request_id: int
    version: int
    number: str
    external_id: str
    source: str
    name: str
    kind: str
    group: str
    state_code: str
    state: str
    state_kind: str
    closed: bool
    due: str
    late: bool
    paused: bool
    due_steps: tuple[str, ...]
    address: str
    premise_id: int | None
    account_id: int | None
    account_number: str
    person_id: int | None
    person_name: str
    person_phone: str
    description: str
    facts: tuple[Fact, ...]
    answers: tuple[AnswerView, ...]
    timeline: tuple[TimelineStep, ...]
    callers: tuple[TimelineStep, ...]
    orders: tuple[OrderLine, ...]
    moves: tuple[Choice, ...]
    dispositions: tuple[Choice, ...]
    staff: tuple[tuple[int, str], ...]
    divisions: tuple[tuple[str, str], ...]
    division_code: str
    assigned_id: int | None
    assigned: str
    ending: str
    resolution: str
    tell_by: str
    text_caller: str
    flagged: bool


@dataclass(frozen=True)
class WorkOrderView:
    """Everything the page of one work order shows."""

    order_id: int
    version: int
    number: str
    name: str
    order_code: str
    state_code: str
    state: str
    closed: bool
    due: str
    late: bool
    address: str
    instructions: str
    facts: tuple[Fact, ...]
    timeline: tuple[TimelineStep, ...]
    moves: tuple[Choice, ...]
    dispositions: tuple[Choice, ...]
    staff: tuple[tuple[int, str], ...]
    divisions: tuple[tuple[str, str], ...]
    division_code: str
    assigned_id: int | None
    request_id: int | None
    request_number: str
    account_id: int | None
    premise_id: int | None
    ending: str
    resolution: str
    by_field_result: bool
    """Closed by recording the field result of a start or stop, not here."""


_ICONS = {
    "request.opened": "add_task",
    "request.closed": "check_circle",
    "request.reopened": "replay",
    "request.assigned": "person",
    "request.joined": "group_add",
    "request.handed_over": "swap_horiz",
}


def case(request_id: int) -> CaseView | None:
    """One case; None when there is none."""
    now, zone = core.now(), in_force.zone()
    with core.read() as session:
        row = rows.by_id(session, request_id)
        if row is None:
            return None
        definition = in_force.definition_of(session, row)
        table = in_force.states(session)
        steps = rows.history(session, row.id)
        joined = rows.callers(session, row.id)
        noted = events.events_of_subject(session, "service_request", row.id)
        told = delivery_rows.messages_about(session, "service_request", row.id)
        orders = rows.work_orders_of_request(session, row.id)
        person = None if row.person_id is None else rows.person_brief(session, row.person_id)
        account = None if row.account_id is None else rows.account_brief(session, row.account_id)
        divisions = rows.division_names(session)
        staff = rows.division_staff(session, None)
        names = {each.id: each.name for each in staff} | rows.staff_names(
            session,
            {step.staff_id for step in steps if step.staff_id} | {each.staff_id for each in noted if each.staff_id}
            | {each for each in (row.assigned_id, row.owner_id) if each},
        )  # fmt: skip
        joined_names = _person_names(session, joined)
        order_states = in_force.states(session, in_force.WORK_ORDER)
        known = None if row.known_event_id is None else session.get(rows.KnownEvent, row.known_event_id)
        areas = {area.code: area.name for area in rows.areas(session)}
        original = None if row.duplicate_of_id is None else rows.by_id(session, row.duplicate_of_id)
    kind = table.kind(row.state_code)
    endings = in_force.dispositions(table, definition)
    late = not row.closed and row.due_at is not None and row.due_at < now
    division = divisions.get(row.division_code or "", (row.division_code or "").replace("_", " "))
    facts = [
        Fact("With", names.get(row.assigned_id or 0, "nobody yet"), True),
        Fact("Division", division or "none", True),
        Fact("Follow-up", names.get(row.owner_id or 0, "nobody"), True),
        Fact("Opened", relative_text(row.opened_at, now, zone)),
        Fact("Channel", CHANNELS.get(row.channel, row.channel), True),
        Fact("Tell the caller", TELL_BY.get(row.tell_by, row.tell_by)),
        Fact("Priority", row.priority.capitalize()),
        Fact("District", areas.get(row.district, row.district) or "not known", True),
    ]
    if row.joined_count:
        facts.append(Fact("Callers", f"{row.joined_count + 1}"))
    if row.reopened_count:
        facts.append(Fact("Reopened", f"{row.reopened_count} time{'' if row.reopened_count == 1 else 's'}"))
    if known is not None:
        facts.append(Fact("Known event", known.title, True))
    if original is not None:
        facts.append(Fact("Same as", original.number))
    if row.source != "portal":
        facts.append(Fact("Comes from", f"{row.source}, number {row.external_id or '—'}", True))
    if row.minutes_to_close is not None and row.minutes_to_close >= 0:
        took = duration_text(dt.timedelta(minutes=row.minutes_to_close)) if row.minutes_to_close else "under a minute"
        facts.append(Fact("Took", took))
    if row.in_target is not None:
        facts.append(Fact("On time", "yes" if row.in_target else "no"))
    return CaseView(
        request_id=row.id,
        version=row.version,
        number=row.number,
        external_id=row.external_id or "",
        source=row.source,
        name=row.request_type_name,
        kind=request_type.KINDS.get(row.kind, row.kind),
        group=row.group_name,
        state_code=row.state_code,
        state=table.name(row.state_code),
        state_kind=kind,
        closed=row.closed,
        due=due_words(row, kind, now, zone),
        late=late,
        paused=kind == case_rules.WAITING and row.due_at is None,
        due_steps=tuple(row.due_explanation or ()),
        address=row.address,
        premise_id=row.premise_id,
        account_id=row.account_id,
        account_number="" if account is None else account.number,
        person_id=row.person_id,
        person_name="" if person is None else person.name,
        person_phone="" if person is None else format_phone(person.phone),
        description=row.description,
        facts=tuple(facts),
        answers=tuple(_answer(row.answers[code]) for code in _in_order(row.answers, definition)),
        timeline=tuple(_timeline(row, steps, noted, told, names, table, now, zone)),
        callers=tuple(
            TimelineStep(
                relative_text(each.joined_at, now, zone),
                joined_names.get(each.person_id or 0, "A caller without a name"),
                TELL_BY.get(each.tell_by, ""),
                each.words,
            )
            for each in joined
        ),
        orders=tuple(
            OrderLine(
                each.id,
                each.number,
                each.name,
                divisions.get(each.division_code, each.division_code),
                order_states.name(each.state_code),
                each.closed,
            )
            for each in orders
        ),
        moves=tuple(
            Choice(code, table.name(code))
            for code in table.after(row.state_code)
            if kind != case_rules.CLOSED
            and table.kind(code) != case_rules.CLOSED
            and not (code == "assigned" and row.assigned_id is None)
        ),
        dispositions=() if row.closed else tuple(choices(endings)),
        staff=tuple((each.id, each.name) for each in staff),
        divisions=tuple(divisions.items()),
        division_code=row.division_code or "",
        assigned_id=row.assigned_id,
        assigned=names.get(row.assigned_id or 0, ""),
        ending=next((each.name for each in endings if each.code == row.disposition_code), row.disposition_code or ""),
        resolution=row.resolution,
        tell_by=row.tell_by,
        text_caller="" if definition is None else definition.text_caller,
        flagged=row.flagged,
    )


def choices(endings: tuple[Disposition, ...]) -> list[Choice]:
    """Ways to end, to choose from."""
    return [Choice(each.code, each.name, each.requires_note) for each in endings]


def _person_names(session: Session, joined: Any) -> dict[int, str]:
    found = {}
    for each in joined:
        person = None if each.person_id is None else rows.person_brief(session, each.person_id)
        if person is not None:
            found[person.id] = person.name
    return found


def _in_order(answers: Mapping[str, Any], definition: request_type.Definition | None) -> list[str]:
    """The answered questions as the form asked them (a database may keep them in an order of its own)."""
    asked = [] if definition is None else [field.code for field in definition.fields]
    return sorted(answers, key=lambda code: (asked.index(code) if code in asked else len(asked), code))


def _answer(kept: dict[str, Any]) -> AnswerView:
    value = kept.get("value")
    words = kept.get("words")
    if words is None:
        words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if words == value:
        with contextlib.suppress(ValueError):  # a day of another system, kept as it was written
            words = day_text(dt.date.fromisoformat(words), in_force.local_day())
    return AnswerView(str(kept.get("label", "")), str(words), str(value) if kept.get("photo") else "")


def due_words(row: Any, kind: str, now: dt.datetime, zone: str) -> str:
    """When a request, or a row with its columns, is due or was closed."""
    if row.closed:
        return "" if row.closed_at is None else f"closed {relative_text(row.closed_at, now, zone)}"
    if row.due_at is None:
        return "clock stands" if kind == case_rules.WAITING else "no time promised"
    return due_text(row.due_at, now, zone)


def _timeline(
    row: rows.ServiceRequest,
    steps: Any,
    noted: Any,
    told: Any,
    names: dict[int, str],
    table: case_rules.StateTable,
    now: dt.datetime,
    zone: str,
) -> list[TimelineStep]:
    """Steps of the state, events beside them (given to somebody, joined) and messages, in the order they happened."""
    lines: list[tuple[dt.datetime, int, TimelineStep]] = []
    for step in steps:
        if step.from_code == "":
            what, icon = f"Opened as “{table.name(step.to_code)}”", "add_task"
        elif table.kind(step.to_code) == case_rules.CLOSED:
            what, icon = "Closed", "check_circle"
        elif table.kind(step.from_code) == case_rules.CLOSED:
            what, icon = f"Reopened, now “{table.name(step.to_code)}”", "replay"
        else:
            what, icon = f"“{table.name(step.from_code)}” to “{table.name(step.to_code)}”", "arrow_forward"
        lines.append(
            (
                step.at,
                0,
                TimelineStep(
                    relative_text(step.at, now, zone), what, names.get(step.staff_id or 0, ""), step.note, icon
                ),
            )
        )
    in_steps = {"request.opened", "request.moved", "request.closed", "request.reopened"}
    for event in noted:
        if event.name in in_steps and steps:
            continue
        what = case_rules.did(event.name).capitalize()
        if event.name == "request.assigned":
            to = names.get(event.detail.get("to") or 0, "")
            what = f"Given to {to}" if to else "Given back to the queue"
        lines.append(
            (
                event.at,
                1,
                TimelineStep(
                    relative_text(event.at, now, zone), what, names.get(event.staff_id or 0, ""), "",
                    _ICONS.get(event.name, "circle"),
                ),
            )
        )  # fmt: skip
    for message in told:
        at = message.delivered_at or message.created_at
        to = "to the customer" if message.recipient_kind == "person" else "to the division"
        state = delivery.STATES[message.delivery_state].lower()
        what = f"{delivery.way_words(message.route, message.channel)} {to}: {state}"
        icon = delivery.ICONS.get(message.route or message.channel, "mail")
        words = delivery.told_words(message.title, message.template)
        lines.append((at, 2, TimelineStep(relative_text(at, now, zone), what, "", words, icon)))
    if not (steps or noted):
        lines.append(
            (row.opened_at, 0, TimelineStep(relative_text(row.opened_at, now, zone), "Opened", "", "", "add_task"))
        )
        if row.closed_at is not None:
            lines.append(
                (
                    row.closed_at,
                    0,
                    TimelineStep(relative_text(row.closed_at, now, zone), "Closed", "", row.resolution, "check_circle"),
                )
            )
    return [line for _, _, line in sorted(lines, key=lambda each: each[:2])]


def order_due(order: Any, now: dt.datetime, zone: str) -> str:
    """When a work order, or a row with its columns, is due or was closed."""
    if order.closed:
        return "" if order.closed_at is None else f"closed {relative_text(order.closed_at, now, zone)}"
    return "" if order.due_at is None else due_text(order.due_at, now, zone)


def service_name(session: Session, code: str | None, now: dt.datetime) -> str:
    """A service kind as the desk names it: garbage, where its code says refuse."""
    row = None if code is None else directory.reference_row(session, "service_kind", code, today(now))
    return (code or "none").capitalize() if row is None else row.name


def order_facts(
    order: Any, division: str, with_whom: str, account: str, request: str, now: dt.datetime, zone: str, service: str
) -> list[Fact]:
    """What stands in the list of facts of a work order, or of a row with its columns."""
    facts = [
        Fact("Division", division, True),
        Fact("With", with_whom, True),
        Fact("Planned for", "no day yet" if order.planned_on is None else f"{order.planned_on:%m/%d/%Y}"),
        Fact("Written", relative_text(order.opened_at, now, zone)),
        Fact("Service", service),
    ]
    if order.order_code:
        facts.append(Fact("Order code", order.order_code, True))
    if account:
        facts.append(Fact("Account", account, True))
    if request:
        facts.append(Fact("For request", request))
    return facts


def _order_timeline(order: rows.WorkOrder, now: dt.datetime, zone: str) -> tuple[TimelineStep, ...]:
    """What the row itself says, for an order of another system, which brought no events."""
    steps = [TimelineStep(relative_text(order.opened_at, now, zone), "Written", "", "", "build")]
    if order.closed_at is not None:
        steps.append(
            TimelineStep(
                relative_text(order.closed_at, now, zone), "Closed", order.crew, order.resolution, "check_circle"
            )
        )
    return tuple(steps)


def work_order(order_id: int) -> WorkOrderView | None:
    """One work order; None when there is none."""
    now, zone = core.now(), in_force.zone()
    with core.read() as session:
        order = rows.order_by_id(session, order_id)
        if order is None:
            return None
        table = in_force.states(session, in_force.WORK_ORDER)
        noted = events.events_of_subject(session, "work_order", order.id)
        divisions = rows.division_names(session)
        staff = rows.division_staff(session, None)
        names = rows.staff_names(session, {each.staff_id for each in noted if each.staff_id}) | {
            each.id: each.name for each in staff
        }
        request = None if order.request_id is None else rows.by_id(session, order.request_id)
        service = service_name(session, order.service_kind, now)
        account = None if order.account_id is None else rows.account_brief(session, order.account_id)
    facts = order_facts(
        order,
        divisions.get(order.division_code, order.division_code),
        names.get(order.assigned_id or 0, order.crew or "nobody yet"),
        "" if account is None else account.number,
        "" if request is None else request.number,
        now,
        zone,
        service,
    )
    late = not order.closed and order.due_at is not None and order.due_at < now
    return WorkOrderView(
        order_id=order.id,
        version=order.version,
        number=order.number,
        name=order.name,
        order_code=order.order_code,
        state_code=order.state_code,
        state=table.name(order.state_code),
        closed=order.closed,
        due=order_due(order, now, zone),
        late=late,
        address=order.address,
        instructions=order.instructions,
        facts=tuple(facts),
        timeline=_order_timeline(order, now, zone)
        if not noted
        else tuple(
            TimelineStep(
                relative_text(each.at, now, zone),
                case_rules.did(each.name).capitalize(),
                names.get(each.staff_id or 0, ""),
                "",
                "build",
            )
            for each in noted
        ),
        moves=tuple(
            Choice(code, table.name(code))
            for code in table.after(order.state_code)
            if table.kind(code) != case_rules.CLOSED
        ),
        dispositions=() if order.closed else tuple(choices(table.dispositions)),
        staff=tuple((each.id, each.name) for each in staff),
        divisions=tuple(divisions.items()),
        division_code=order.division_code,
        assigned_id=order.assigned_id,
        request_id=order.request_id,
        request_number="" if request is None else request.number,
        account_id=order.account_id,
        premise_id=order.premise_id,
        ending=next(
            (each.name for each in table.dispositions if each.code == order.disposition_code),
            order.disposition_code or "",
        ),
        resolution=order.resolution,
        by_field_result=order.agreement_id is not None,
    )
