"""A request from opening to closing: opened, joined, given to somebody, moved, closed, opened again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from db import core
from db import service_requests as rows
from db import staff as staff_rows
from portal.contacts import commands as contacts
from portal.service_requests.commands import photos
from portal.service_requests.commands.common import counted, hold, next_number, recount, refuse_own, when_text
from portal.service_requests.rules import answer, case, form, routing, stop
from portal.service_requests.views import in_force
from portal.shared.command import command
from portal.shared.number import parse_account_number
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.core import Work
    from portal.service_requests.rules.request_type import Definition
    from portal.shared.actor import Actor
    from portal.shared.calendar import Due

SUBJECT = "service_request"
_WRITTEN = ("text", "email", "letter")
"""Ways of telling that a message goes out by; a call is made by a person."""


@command("request.open")
def open_request(actor: Actor, work: Work, asked: form.RequestForm) -> Receipt:
    """Opens a request: checked, routed, timed, numbered; the caller's promise is the due time in the receipt."""
    session, today = work.session, in_force.local_day(work.now)
    found = in_force.type_in_force(session, asked.type_code, today)
    if found is None:
        raise Refused([Problem("type_code", "“What is it about?” has no answer yet. Choose a request type.")])
    definition = found.definition
    if not definition.may_open(in_force.roles_of(session, actor)):
        raise Refused([Problem("type_code", f"{definition.name} is opened by others. Ask a supervisor to open it.")])
    refuse_own(work, actor, person_id=asked.person_id, account_id=asked.account_id, premise_id=asked.premise_id)
    ends = stop.stop_of(definition, asked.answers)
    if ends is not None:
        raise Refused([Problem("", f"{ends.staff} Say to the caller: {ends.caller}")], title="No request is opened")
    kept, problems = answer.check_answers(definition, asked.answers, today)
    problems = form.place_problems(definition, asked) + problems
    problems += form.caller_problems(asked, asked.person_id is not None)
    if asked.channel not in form.CHANNELS:
        problems.append(Problem("channel", "“Channel” is one of those offered."))
    description = answer.tidy(asked.description)
    if (too_much := answer.text_problem("description", "In the caller’s words", description)) is not None:
        problems.append(too_much)
    problems += _account_problems(work, definition, kept)
    place = None if asked.premise_id is None else rows.premise_place(session, asked.premise_id)
    if asked.premise_id is not None and place is None:
        problems.append(Problem("address", "“Where” names a premise that is not there. Find the address again."))
    if asked.known_event_id is not None and session.get(rows.KnownEvent, asked.known_event_id) is None:
        problems.append(Problem("", "The known event is not there. Open the form again."))
    if problems:
        raise Refused(problems)

    district = place.district if place is not None else ""
    given = {code: each["value"] for code, each in kept.items()}
    goes_to = routing.route(definition, district, given, in_force.open_at(session, work.now))
    promised = in_force.due_of(session, definition, work.now)
    table = in_force.states(session)
    row = work.add(
        rows.ServiceRequest(
            number=next_number(work, "SR"),
            kind=definition.kind,
            request_type_code=definition.code,
            request_type_version=found.version_no,
            request_type_name=definition.name,
            group_name=definition.group,
            department_code=rows.division_departments(session).get(goes_to.division or "", goes_to.department),
            division_code=goes_to.division,
            priority=definition.priority,
            channel=asked.channel,
            conversation_id=asked.conversation_id,
            person_id=asked.person_id,
            account_id=asked.account_id,
            premise_id=asked.premise_id,
            address=place.address if place is not None else answer.tidy(asked.address),
            district=district,
            latitude=place.latitude if place is not None else asked.latitude,
            longitude=place.longitude if place is not None else asked.longitude,
            description=description,
            answers=photos.keep(kept),
            state_code=table.first,
            opened_at=work.now,
            due_at=None if promised is None else promised.due_at,
            due_explanation=_explanation(definition, promised),
            owner_id=actor.staff_id or None,
            known_event_id=asked.known_event_id,
            tell_by=asked.tell_by,
            opened_month=f"{today:%Y-%m}",
        )
    )
    recount(work, None, row)
    _step(work, row, "", table.first, actor)
    _note(work, actor, row, "request.opened", {"type": definition.code, "division": row.division_code or ""})
    _tell(work, row, row.tell_by, row.person_id, definition.letter("opened") or "request_opened")
    _promise(work, actor, row, row.conversation_id, row.person_id, row.account_id)
    return _opened_receipt(work, definition, row, goes_to.why)


@command("request.open")
def advise_caller(actor: Actor, work: Work, asked: stop.AdviceForm) -> Receipt:
    """Ends a call without a request, because of an answer: the caller was advised, or refused with the reason. The
    conversation keeps which answer ended it."""
    found = in_force.type_in_force(work.session, asked.type_code, in_force.local_day(work.now))
    if found is None:
        raise Refused([Problem("type_code", "“What is it about?” has no answer yet. Choose a request type.")])
    refuse_own(work, actor, person_id=asked.person_id, account_id=asked.account_id, premise_id=asked.premise_id)
    ends = stop.stop_of(found.definition, asked.answers)
    if ends is None:
        raise Refused([Problem("", "With these answers a request can be opened. Open it.")])
    in_call = asked.conversation_id is not None
    refused = ends.outcome == "refused"
    work.event(
        "request.turned_down" if refused else "request.advised",
        staff_id=actor.staff_id,
        subject_kind="conversation" if in_call else "request_type",
        subject_id=asked.conversation_id if in_call else found.row_id,
        account_id=asked.account_id,
        premise_id=asked.premise_id,
        person_id=asked.person_id,
        conversation_id=asked.conversation_id,
        detail={"type": found.definition.code, "version": found.version_no, "reason": ends.code},
    )
    return Receipt(
        title=f"{found.definition.name}: {'refused' if refused else 'advised'}, no request was opened",
        say=ends.caller,
        notes=(ends.staff,),
        subject_kind="conversation" if in_call else "request_type",
        subject_id=asked.conversation_id if asked.conversation_id is not None else found.row_id,
    )


def _account_problems(work: Work, definition: Definition, kept: Mapping[str, dict[str, Any]]) -> list[Problem]:
    """Each answer that names an account names one that exists; its number is kept as we write it."""
    problems = []
    for field in definition.fields:
        if field.datatype != "account" or field.code not in kept:
            continue
        typed = kept[field.code]["value"]
        spellings = [typed]
        with contextlib.suppress(ValueError):  # a number of an older system has no check digit; the row decides
            spellings.append(parse_account_number(typed))
        account = rows.account_by_number(work.session, spellings)
        if account is None:
            problems.append(
                Problem(
                    field.code,
                    f"“{field.description}”: there is no account {typed}. Read the number back to the caller.",
                )
            )
        else:
            kept[field.code].update(value=account.number, words=account.number)
    return problems


def _explanation(definition: Definition, promised: Due | None) -> list[str] | None:
    return None if promised is None else [f"Rule: {definition.sla_rule}.", *promised.explanation]


def _opened_receipt(work: Work, definition: Definition, row: rows.ServiceRequest, why: str) -> Receipt:
    due = "" if row.due_at is None else when_text(work, row.due_at)
    division = rows.division_names(work.session).get(row.division_code or "", "the department")
    steps = [Step("Now", f"{division}: {why}", "alt_route")]
    if due:
        steps.append(Step(f"Due {due}", definition.sla_rule, "event"))
    if row.tell_by != "none":
        steps.append(Step("When it is done", f"The caller is told {form.TELL_BY[row.tell_by].lower()}.", "sms"))
    words = definition.text_caller.replace("{due}", due or "the day we tell you")
    return Receipt(
        title=f"{definition.name} is taken" + (f", due {due}" if due else ""),
        number=row.number,
        say=f"{words} Your number is {row.number}.".strip(),
        steps=tuple(steps),
        subject_kind=SUBJECT,
        subject_id=row.id,
        go="case",
        go_query=(("id", str(row.id)),),
    )


@command("request.open")
def join_request(actor: Actor, work: Work, asked: form.JoinForm) -> Receipt:
    """Adds a further caller to an open request, so that one trouble stays one request."""
    row = core.lock(work.session, rows.ServiceRequest, asked.request_id)
    if row is None or row.closed:
        raise Refused([Problem("", "This request is closed by now. Open a new one.")])
    refuse_own(work, actor, person_id=asked.person_id, account_id=asked.account_id)
    problems = form.caller_problems(asked, asked.person_id is not None)
    words = answer.tidy(asked.words)
    if (too_much := answer.text_problem("words", "In the caller’s words", words)) is not None:
        problems.append(too_much)
    if asked.person_id is not None and (
        asked.person_id == row.person_id or rows.caller_joined(work.session, row.id, asked.person_id)
    ):
        problems.append(Problem("", f"This caller already belongs to {row.number}. Give them that number."))
    if problems:
        raise Refused(problems)
    work.add(
        rows.RequestCaller(
            request_id=row.id,
            person_id=asked.person_id,
            account_id=asked.account_id,
            conversation_id=asked.conversation_id,
            tell_by=asked.tell_by,
            words=words,
            joined_at=work.now,
        )
    )
    row.joined_count += 1
    work.event(
        "request.joined",
        staff_id=actor.staff_id,
        subject_kind=SUBJECT,
        subject_id=row.id,
        account_id=asked.account_id,
        person_id=asked.person_id,
        premise_id=row.premise_id,
        conversation_id=asked.conversation_id,
        detail={"tell_by": asked.tell_by},
    )
    _promise(work, actor, row, asked.conversation_id, asked.person_id, asked.account_id)
    due = "" if row.due_at is None else when_text(work, row.due_at)
    return Receipt(
        title=f"The caller joined {row.request_type_name}",
        number=row.number,
        say=f"We know of it already{f' and it is due {due}' if due else ''}. Your number is {row.number}.",
        steps=(Step(f"Due {due}", row.request_type_name, "event"),) if due else (),
        subject_kind=SUBJECT,
        subject_id=row.id,
        go="case",
        go_query=(("id", str(row.id)),),
    )


@command("request.work")
def move_request(actor: Actor, work: Work, asked: form.MoveForm) -> Receipt:
    """Takes a request to its next state; while it waits for the caller the clock stands, afterwards it runs on."""
    row = hold(work, rows.ServiceRequest, asked.row_id, asked.version)
    refuse_own(work, actor, person_id=row.person_id, account_id=row.account_id)
    table = in_force.states(work.session)
    problems = case.move_problems(table, row.state_code, asked.to_code)
    if not problems and asked.to_code == "assigned" and row.assigned_id is None:
        problems.append(Problem("to_code", "Nobody has it yet. Give it to somebody, then it is assigned."))
    note = answer.tidy(asked.note)
    if (too_much := answer.text_problem("note", "Note", note, case.NOTE_MOST)) is not None:
        problems.append(too_much)
    if problems:
        raise Refused(problems)
    before, was = row.state_code, counted(row)
    if asked.to_code == table.first:
        row.assigned_id = None
    _step(work, row, before, asked.to_code, actor, note)
    row.state_code = asked.to_code
    _set_due(work, row)
    row.version += 1
    recount(work, was, row)
    _note(work, actor, row, "request.moved", {"from": before, "to": asked.to_code})
    waits = table.kind(asked.to_code) == case.WAITING
    due = when_text(work, row.due_at) if row.due_at is not None else ""
    return Receipt(
        title=f"{row.number} is now “{table.name(asked.to_code)}”",
        number=row.number,
        notes=("The clock stands until the caller answers.",) if waits else (f"Due {due}.",) if due else (),
        subject_kind=SUBJECT,
        subject_id=row.id,
    )


@command("request.assign")
def assign_request(actor: Actor, work: Work, asked: form.AssignForm) -> Receipt:
    """Gives a request to a person, to another division, or back to the queue."""
    row = hold(work, rows.ServiceRequest, asked.row_id, asked.version)
    return _assign(actor, work, row, asked.staff_id, asked.division_code)


@command("request.work")
def take_request(actor: Actor, work: Work, request_id: int, version: int) -> Receipt:
    """Takes a request that nobody has."""
    row = hold(work, rows.ServiceRequest, request_id, version)
    if row.assigned_id not in (None, actor.staff_id):
        raise Refused([Problem("", "Somebody has it already. Ask a supervisor to give it to you.")])
    return _assign(actor, work, row, actor.staff_id, None)


def _assign(
    actor: Actor, work: Work, row: rows.ServiceRequest, staff_id: int | None, division_code: str | None
) -> Receipt:
    table = in_force.states(work.session)
    if table.kind(row.state_code) == case.CLOSED:
        raise Refused([Problem("staff_id", "It is closed. Reopen it with a reason first.")])
    if staff_id is not None and not staff_rows.is_active(work.session, staff_id):
        raise Refused(
            [Problem("staff_id", "“Give to” names somebody who does not work here any more. Choose another.")]
        )
    if division_code is not None and division_code not in rows.division_departments(work.session):
        raise Refused([Problem("division_code", "“Division” has no such choice. Choose one that is offered.")])
    if staff_id is not None:
        refuse_own_of(work, row, staff_id)
    before, was = row.state_code, counted(row)
    if division_code is not None and division_code != row.division_code:
        row.division_code = division_code
        row.department_code = rows.division_departments(work.session)[division_code]
        row.assigned_id = None
    row.assigned_id = staff_id
    if staff_id is not None and before == table.first:
        row.state_code = "assigned"
    elif staff_id is None and before == "assigned":
        row.state_code = table.first
    if row.state_code != before:
        _step(work, row, before, row.state_code, actor)
    row.version += 1
    recount(work, was, row)
    _note(work, actor, row, "request.assigned", {"to": staff_id, "division": row.division_code or ""})
    if staff_id is not None:
        who = rows.staff_names(work.session, {staff_id}).get(staff_id, "somebody")
        title = f"{row.number} is with {who}"
    else:
        title = f"{row.number} is in the queue of {rows.division_names(work.session).get(row.division_code or '', 'its division')}"
    return Receipt(title=title, number=row.number, subject_kind=SUBJECT, subject_id=row.id)


def refuse_own_of(work: Work, row: rows.ServiceRequest, staff_id: int) -> None:
    """Nobody is given a request about their own person: the same rule, seen from whoever gives it away."""
    person = staff_rows.by_id(work.session, staff_id)
    own = staff_rows.relatives(work.session, staff_id)
    if person is not None and person.person_id is not None:
        own |= rows.household_of(work.session, {person.person_id})
    concerned = rows.persons_behind(work.session, account_id=row.account_id, premise_id=row.premise_id)
    if row.person_id is not None:
        concerned.add(row.person_id)
    if own & concerned:
        raise Refused(
            [Problem("staff_id", "“Give to” names the customer, their household or a relative. Choose somebody else.")]
        )


@command("request.close")
def close_request(actor: Actor, work: Work, asked: form.CloseForm) -> Receipt:
    """Closes a request with how it ended; whoever wanted to hear is told."""
    row = hold(work, rows.ServiceRequest, asked.row_id, asked.version)
    refuse_own(work, actor, person_id=row.person_id, account_id=row.account_id)
    session, table = work.session, in_force.states(work.session)
    definition = in_force.definition_of(session, row)
    endings = in_force.dispositions(table, definition)
    problems = case.closing_problems(table, row.state_code, endings, asked.disposition_code, asked.note)
    orders = rows.work_orders_of_request(session, row.id)
    problems += case.evidence_problems(endings, asked.disposition_code, [order.state_code for order in orders])
    waiting = [order.number for order in orders if not order.closed]
    if waiting:
        problems.append(Problem("", f"{waiting[0]} is still open. Close or cancel the work order first."))
    if problems:
        raise Refused(problems)
    ending = next(each for each in endings if each.code == asked.disposition_code)
    before, was, closed_code = row.state_code, counted(row), table.of_kind(case.CLOSED)[0]
    if table.kind(before) == case.WAITING:
        # The caller has answered, or it is over without an answer: the pause ends here, so its due time is known again.
        _set_due(work, row, ends_now=True)
    _step(work, row, before, closed_code, actor, answer.tidy(asked.note))
    row.state_code, row.closed, row.closed_at = closed_code, True, work.now
    row.disposition_code, row.resolution = ending.code, answer.tidy(asked.note)
    row.minutes_to_close = case.minutes_between(row.opened_at, work.now)
    row.in_target = None if row.due_at is None else work.now <= row.due_at
    row.version += 1
    recount(work, was, row)
    _note(work, actor, row, "request.closed", {"disposition": ending.code, "in_target": row.in_target})
    contacts.settle_promises_about(work, actor, subject_kind=SUBJECT, subject_id=row.id)
    letter = (definition.letter("closed", ending.code) if definition is not None else "") or "request_closed"
    told = _tell(work, row, row.tell_by, row.person_id, letter)
    for joined in rows.callers(session, row.id):
        told += _tell(work, row, joined.tell_by, joined.person_id, letter)
    notes = [f"{told} told in writing." if told != 1 else "The caller is told in writing."] if told else []
    if row.tell_by == "call":
        notes.append("The caller wants a phone call: make it now, or plan a call-back.")
    if row.in_target is False:
        notes.append("It was past due: the report counts it as late.")
    return Receipt(
        title=f"{row.number} is closed: {ending.name}",
        number=row.number,
        notes=tuple(notes),
        subject_kind=SUBJECT,
        subject_id=row.id,
        go="case",
        go_query=(("id", str(row.id)),),
    )


@command("request.work")
def reopen_request(actor: Actor, work: Work, asked: form.ReopenForm) -> Receipt:
    """Opens a closed request again, with the reason; its clock runs on from where it stood, and it is counted."""
    row = hold(work, rows.ServiceRequest, asked.row_id, asked.version)
    refuse_own(work, actor, person_id=row.person_id, account_id=row.account_id)
    table = in_force.states(work.session)
    problems = case.reason_problems("reason", "Why is it not over?", asked.reason)
    if table.kind(row.state_code) != case.CLOSED:
        problems.append(Problem("", "It is open already. Work on it as it is."))
    onward = table.after(row.state_code)
    if not problems and not onward:
        problems.append(Problem("", f"From “{table.name(row.state_code)}” there is no way back. Open a new request."))
    if problems:
        raise Refused(problems)
    before, was = row.state_code, counted(row)
    _step(work, row, before, onward[0], actor, answer.tidy(asked.reason))
    row.state_code, row.closed, row.closed_at = onward[0], False, None
    row.disposition_code, row.resolution = None, ""
    row.minutes_to_close, row.in_target = None, None
    row.reopened_count += 1
    _set_due(work, row)
    row.version += 1
    recount(work, was, row)
    _note(work, actor, row, "request.reopened", {"times": row.reopened_count})
    due = "" if row.due_at is None else when_text(work, row.due_at)
    return Receipt(
        title=f"{row.number} is open again" + (f", due {due}" if due else ""),
        number=row.number,
        notes=("The time it was closed does not count; the rest of its clock does.",) if row.due_explanation else (),
        subject_kind=SUBJECT,
        subject_id=row.id,
    )


# --- parts ------------------------------------------------------------------------------------------------------------


def _step(work: Work, row: rows.ServiceRequest, before: str, after: str, actor: Actor, note: str = "") -> None:
    work.add(
        rows.RequestState(
            request_id=row.id, from_code=before, to_code=after, at=work.now, staff_id=actor.staff_id or None, note=note
        )
    )


def _set_due(work: Work, row: rows.ServiceRequest, *, ends_now: bool = False) -> None:
    """Works the due time out again from the steps so far; a case whose type promises no time keeps what it has."""
    definition = in_force.definition_of(work.session, row)
    if definition is None or definition.sla_target is None or row.source != "portal":
        return
    table = in_force.states(work.session)
    steps = [case.HistoryStep(step.to_code, step.at) for step in rows.history(work.session, row.id)]
    if ends_now:
        steps.append(case.HistoryStep(table.first, work.now))
    promised = in_force.due_of(work.session, definition, row.opened_at, case.pauses_of(table, steps))
    row.due_at = None if promised is None else promised.due_at
    row.due_explanation = _explanation(definition, promised)


def _promise(
    work: Work,
    actor: Actor,
    row: rows.ServiceRequest,
    conversation_id: int | None,
    person_id: int | None,
    account_id: int | None,
) -> None:
    """The due time was told to a caller: it is a promise from now on, kept when the request closes in time."""
    if row.due_at is None or (conversation_id is None and person_id is None) or not actor.staff_id:
        return
    contacts.record_promise(
        work,
        actor,
        kind="date",
        words=f"{row.request_type_name}, {row.number}, by {when_text(work, row.due_at)}",
        due_at=row.due_at,
        conversation_id=conversation_id,
        account_id=account_id,
        person_id=person_id,
        subject_kind=SUBJECT,
        subject_id=row.id,
    )


def _note(work: Work, actor: Actor, row: rows.ServiceRequest, name: str, detail: dict[str, Any]) -> None:
    work.event(
        name,
        staff_id=actor.staff_id,
        subject_kind=SUBJECT,
        subject_id=row.id,
        account_id=row.account_id,
        premise_id=row.premise_id,
        person_id=row.person_id,
        conversation_id=row.conversation_id,
        detail=detail,
    )


def _tell(work: Work, row: rows.ServiceRequest, tell_by: str, person_id: int | None, template: str) -> int:
    """Puts a message into the outbox when the caller wanted one in writing; 1 when one goes out."""
    if tell_by not in _WRITTEN or person_id is None:
        return 0
    work.message(
        tell_by,
        template=template,
        recipient_kind="person",
        recipient_id=person_id,
        subject_kind=SUBJECT,
        subject_id=row.id,
        detail={
            "number": row.number,
            "what": row.request_type_name,
            "request_type": row.request_type_code,
            "disposition": row.disposition_code or "",
            "otherwise": "request_closed" if row.closed else "request_opened",
        },
    )
    return 1
