"""A conversation from greeting to wrap-up, and what becomes of it when its representative leaves."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from db import contacts as rows
from db import core
from db import directory as directory_rows
from portal import settings
from portal.contacts import rules
from portal.contacts.commands.identity import open_conversation, refuse_own_person
from portal.contacts.commands.promise import add_call_back, add_promise, call_back_event, owner_problems
from portal.directory.views import choices_in, today
from portal.shared.command import command
from portal.shared.number import make_number
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused
from portal.shared.text import relative_text

if TYPE_CHECKING:
    from db.core import Work
    from portal.shared.actor import Actor


@command("conversation.work")
def begin_conversation(actor: Actor, work: Work, channel: str) -> Receipt:
    """Opens a conversation; a person has one at a time."""
    if channel not in rules.CHANNELS:
        raise Refused([Problem("channel", f"Choose one of {', '.join(rules.CHANNELS.values())}.")])
    rows.lock_staff(work.session, actor.staff_id)
    if rows.has_open_conversation(work.session, actor.staff_id):
        raise Refused([Problem("", "You are on a call already. Wrap it up first.")], title="Already on a call")
    year = today(work.now).year
    number = make_number("CV", year, core.next_sequence(work.session, "CV", year))
    row = work.add(rows.Conversation(number=number, channel=channel, staff_id=actor.staff_id, started_at=work.now))
    _event(work, actor, row, "conversation.begun", {"channel": channel})
    return Receipt(title=f"On a call: {number}", number=number, subject_kind="conversation", subject_id=row.id)


@command("conversation.work")
def link_customer(
    actor: Actor,
    work: Work,
    conversation_id: int,
    *,
    account_id: int | None = None,
    person_id: int | None = None,
    premise_id: int | None = None,
) -> Receipt:
    """Makes the conversation one about this customer: an account brings its person and its main premise along."""
    found = open_conversation(work, actor, conversation_id)
    if account_id is not None:
        links = rows.account_links(work.session, account_id)
        if links is None:
            raise Refused([Problem("account", "There is no such account. Find the customer again.")])
        person_id = person_id or links[0]
        premise_id = premise_id or links[1]
    if person_id is not None and rows.person_name_and_phone(work.session, person_id) is None:
        raise Refused([Problem("person", "There is no such person. Find the customer again.")])
    if premise_id is not None and not rows.premise_exists(work.session, premise_id):
        raise Refused([Problem("premise", "There is no such address. Find it again.")])
    refuse_own_person(work, actor, person_id)
    receipt = Receipt(title="The call is about this customer", subject_kind="conversation", subject_id=found.id)
    if (found.account_id, found.person_id, found.premise_id) == (account_id, person_id, premise_id):
        return receipt
    found.account_id, found.person_id, found.premise_id = account_id, person_id, premise_id
    found.version += 1
    _event(work, actor, found, "conversation.linked", {})
    return receipt


def link_newcomer(
    work: Work,
    actor: Actor,
    conversation_id: int | None,
    *,
    person_id: int,
    account_id: int | None = None,
    premise_id: int | None = None,
) -> None:
    """Rooms above call this inside their own command when it made a record for the caller: the open conversation becomes one
    about the new person or account. A conversation that is about somebody else already stays as it is."""
    if conversation_id is None:
        return
    found = open_conversation(work, actor, conversation_id)
    if found.account_id is not None or found.person_id not in (None, person_id):
        return
    if (found.account_id, found.person_id) == (account_id, person_id):
        return
    found.account_id, found.person_id = account_id, person_id
    found.premise_id = premise_id or found.premise_id
    found.version += 1
    _event(work, actor, found, "conversation.linked", {"newcomer": True})


def keep_note(actor: Actor, conversation_id: int, note: str) -> Problem | None:
    """Keeps the note as far as it was typed; nothing happened yet, so nothing is audited. Returns why it was not kept."""
    problem = rules.note_problem(note)
    if problem is not None:
        return problem
    with core.work() as work:
        found = core.lock(work.session, rows.Conversation, conversation_id)
        if found is not None and found.staff_id == actor.staff_id and found.ended_at is None and found.note != note:
            found.note = note
    return None


@command("conversation.work")
def answer_from_article(actor: Actor, work: Work, conversation_id: int, code: str) -> Receipt:
    """Notes that a caller's question was answered from an article: an outcome without a case."""
    found = open_conversation(work, actor, conversation_id)
    article = directory_rows.article(work.session, code, today(work.now))
    if article is None:
        raise Refused([Problem("", "This article is no longer in force. Search again.")])
    _event(work, actor, found, "conversation.answered", {"article": code, "title": article.title})
    return Receipt(title=f"Answered: {article.title}", subject_kind="conversation", subject_id=found.id)


@command("conversation.work")
def wrap_up(actor: Actor, work: Work, form: rules.WrapUp) -> Receipt:
    """Closes a conversation: why it came, how it ended, what is owed, what the caller thought."""
    found = open_conversation(work, actor, form.conversation_id)
    refuse_own_person(work, actor, found.person_id)
    day = today(work.now)
    reasons, dispositions, subjects = (
        {choice.code: choice for choice in choices_in(work.session, kind, day) if not choice.detail.get("hidden")}
        for kind in ("wrap_up_reason", "disposition", "opinion_subject")
    )
    problems = rules.wrap_up_problems(form, frozenset(reasons), frozenset(dispositions), frozenset(subjects), work.now)
    owners = [form.call_back.owner_id if form.call_back else None, *(promise.owner_id for promise in form.promises)]
    for owner_id in owners:
        problems += owner_problems(work, owner_id)
    if problems:
        raise Refused(problems, title="The call is not wrapped up yet")
    assert form.disposition_code is not None
    zone = settings.current().zone
    steps: list[Step] = []
    if form.call_back is not None:
        call_back = add_call_back(work, actor, replace(form.call_back, conversation_id=found.id))
        steps.append(
            Step(relative_text(call_back.due_at, work.now, zone), f"Call back: {call_back.why}", "phone_callback")
        )
    for promise in form.promises:
        add_promise(work, actor, replace(promise, conversation_id=found.id))
        assert promise.due_at is not None
        steps.append(
            Step(relative_text(promise.due_at, work.now, zone), f"Promised: {promise.words.strip()}", "handshake")
        )
    for opinion in form.opinions:
        work.add(
            rows.OpinionHeard(
                conversation_id=found.id,
                subject_code=opinion.subject_code,
                stance=opinion.stance,
                words=opinion.words.strip(),
                heard_at=work.now,
            )
        )
        _event(work, actor, found, "opinion.heard", {"subject": opinion.subject_code, "stance": opinion.stance})
    found.note = form.note.strip()
    found.reason_code, found.disposition_code = form.reason_code, form.disposition_code
    found.ended_at = work.now
    found.version += 1
    minutes = int((work.now - found.started_at).total_seconds() // 60)
    detail: dict[str, Any] = {"reason": form.reason_code, "disposition": form.disposition_code, "minutes": minutes}
    _event(work, actor, found, "conversation.wrapped_up", detail)
    return Receipt(
        title=f"Wrapped up: {dispositions[form.disposition_code].name}",
        number=found.number,
        steps=tuple(steps),
        subject_kind="conversation",
        subject_id=found.id,
    )


def _event(work: Work, actor: Actor, row: rows.Conversation, name: str, detail: dict[str, Any]) -> None:
    work.event(
        name,
        staff_id=actor.staff_id,
        subject_kind="conversation",
        subject_id=row.id,
        account_id=row.account_id,
        premise_id=row.premise_id,
        person_id=row.person_id,
        conversation_id=row.id,
        detail=detail,
    )


# --- when a representative leaves -------------------------------------------------------------------------------------

CALL_BACK_WITHIN = dt.timedelta(hours=2)
"""A caller whose conversation broke off with its representative is called within so much."""


def hand_over_contacts(work: Work, actor: Actor, from_staff: int, to_staff: int) -> dict[str, int]:
    """Hands a person's open call-backs and promises to a colleague. Nobody can carry on another's telephone call: an open
    conversation is closed, and the colleague calls back where there is a number. Returns how many of each."""
    conversations, call_backs, promises = rows.open_work_of(work.session, from_staff)
    for found in conversations:
        found.ended_at, found.disposition_code = work.now, "handed_over"
        found.version += 1
        _event(work, actor, found, "conversation.handed_over", {"to": to_staff})
        person = None if found.person_id is None else rows.person_name_and_phone(work.session, found.person_id)
        if person is not None and person[1]:
            row = work.add(
                rows.CallBack(
                    conversation_id=found.id,
                    person_id=found.person_id,
                    account_id=found.account_id,
                    phone=person[1],
                    why=f"The call {found.number} broke off. " + found.note[:400],
                    due_at=work.now + CALL_BACK_WITHIN,
                    owner_id=to_staff,
                )
            )
            call_back_event(work, actor, row, "call_back.planned")
    for row in call_backs:
        row.owner_id = to_staff
        row.version += 1
        call_back_event(work, actor, row, "call_back.handed_over")
    for promise in promises:
        promise.owner_id = to_staff
        promise.version += 1
        work.event(
            "promise.handed_over",
            staff_id=actor.staff_id,
            subject_kind="promise",
            subject_id=promise.id,
            account_id=promise.account_id,
            person_id=promise.person_id,
            detail={"from": from_staff, "to": to_staff},
        )
    return {"conversations": len(conversations), "call_backs": len(call_backs), "promises": len(promises)}
