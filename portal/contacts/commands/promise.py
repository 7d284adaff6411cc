"""What the city owes after a conversation: promises, kept or broken in the end, and call-backs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import contacts as rows
from db import core
from db import directory as directory_rows
from db import staff as staff_rows
from portal import settings
from portal.contacts import rules
from portal.contacts.commands.identity import open_conversation, refuse_own_person
from portal.directory.views import today
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused
from portal.shared.text import parse_phone, relative_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from db.core import Work
    from portal.shared.actor import Actor


def record_promise(
    work: Work,
    actor: Actor,
    *,
    kind: str,
    words: str,
    due_at: dt.datetime,
    conversation_id: int | None = None,
    account_id: int | None = None,
    person_id: int | None = None,
    subject_kind: str = "",
    subject_id: int | None = None,
    amount_cents: int | None = None,
    owner_id: int | None = None,
) -> int:
    """Writes down a date, credit or visit told to a caller; whoever told it owns it. Rooms above call this inside their own
    command for every date they let a representative say. Returns the promise's id."""
    row = work.add(
        rows.Promise(
            conversation_id=conversation_id,
            kind=kind,
            words=words[: rules.WORDS_MOST],
            amount_cents=amount_cents,
            due_at=due_at,
            owner_id=owner_id or actor.staff_id,
            person_id=person_id,
            account_id=account_id,
            subject_kind=subject_kind,
            subject_id=subject_id,
            made_at=work.now,
        )
    )
    work.event(
        "promise.made",
        staff_id=actor.staff_id,
        subject_kind="promise",
        subject_id=row.id,
        account_id=account_id,
        person_id=person_id,
        conversation_id=conversation_id,
        detail={"kind": kind},
    )
    return row.id


def settle_promises_about(
    work: Work,
    actor: Actor,
    *,
    subject_kind: str,
    subject_id: int,
    kept: bool | None = None,
    settled_words: str = "",
    done_on: dt.date | None = None,
    only: Collection[int] | None = None,
) -> int:
    """Settles the open promises that hang on one thing (`only` these of them), when that thing is done: kept when it was done
    in time, unless `kept` says otherwise. In time: by now, or by the civil day `done_on` when the work was entered later.
    Returns how many."""
    found = [
        promise
        for promise in rows.open_promises_about(work.session, subject_kind, subject_id)
        if only is None or promise.id in only
    ]
    zone = settings.current().time_zone
    for promise in found:
        in_time = work.now <= promise.due_at
        if done_on is not None:
            in_time = done_on <= promise.due_at.astimezone(zone).date()
        _settle(work, actor, promise, kept=in_time if kept is None else kept, words=settled_words)
    return len(found)


def _settle(work: Work, actor: Actor, promise: rows.Promise, *, kept: bool, words: str = "") -> None:
    promise.outcome, promise.settled_at = ("kept" if kept else "broken"), work.now
    promise.settled_words = words.strip()[: rules.WORDS_MOST]
    promise.version += 1
    work.event(
        "promise.kept" if kept else "promise.broken",
        staff_id=actor.staff_id or None,
        subject_kind="promise",
        subject_id=promise.id,
        account_id=promise.account_id,
        person_id=promise.person_id,
        detail={"kind": promise.kind, "late": work.now > promise.due_at},
    )


@command("conversation.work")
def make_promise(actor: Actor, work: Work, plan: rules.PromisePlan) -> Receipt:
    """Records a promise a representative made in their own words."""
    problems = rules.promise_problems(plan, work.now) + owner_problems(work, plan.owner_id)
    if problems:
        raise Refused(problems)
    promise_id = add_promise(work, actor, plan)
    return Receipt(title="The promise is recorded", subject_kind="promise", subject_id=promise_id)


def add_promise(work: Work, actor: Actor, plan: rules.PromisePlan) -> int:
    """Writes a promise whose plan was found good; what the plan leaves open comes from its conversation."""
    assert plan.due_at is not None
    account_id, person_id = plan.account_id, plan.person_id
    if plan.conversation_id is not None:
        found = open_conversation(work, actor, plan.conversation_id)
        account_id, person_id = account_id or found.account_id, person_id or found.person_id
    refuse_own_person(work, actor, person_id)
    return record_promise(
        work,
        actor,
        kind=plan.kind,
        words=plan.words.strip(),
        due_at=plan.due_at,
        conversation_id=plan.conversation_id,
        account_id=account_id,
        person_id=person_id,
        amount_cents=plan.amount_cents if plan.kind == "credit" else None,
        owner_id=plan.owner_id,
    )


@command("promise.settle")
def settle_promise(actor: Actor, work: Work, promise_id: int, version: int, kept: bool, words: str = "") -> Receipt:
    """Records that a promise was kept, or broken and why; it stays so."""
    promise = core.lock(work.session, rows.Promise, promise_id)
    if promise is None:
        raise Refused([Problem("", "This promise is not on the list. Reload the page.")])
    if promise.outcome != "open" or promise.version != version:
        said = {"kept": "was recorded as kept", "broken": "was recorded as broken"}.get(
            promise.outcome, "was changed by somebody else"
        )
        raise Refused([Problem("", f"This promise {said} meanwhile. Reload the page.")])
    refuse_own_person(work, actor, promise.person_id)
    problem = rules.words_problem("words", "The reason", words, rules.WORDS_MOST, needed=not kept)
    if problem:
        raise Refused([problem], title="Not recorded")
    _settle(work, actor, promise, kept=kept, words=words)
    return Receipt(
        title="Recorded as kept" if kept else "Recorded as broken", subject_kind="promise", subject_id=promise.id
    )


# --- call-backs -------------------------------------------------------------------------------------------------------


def owner_problems(work: Work, owner_id: int | None) -> list[Problem]:
    """Refuses an owner who no longer works here."""
    if owner_id is None or staff_rows.is_active(work.session, owner_id):
        return []
    return [Problem("owner", "Choose an active colleague as the owner.")]


@command("conversation.work")
def plan_call_back(actor: Actor, work: Work, plan: rules.CallBackPlan) -> Receipt:
    """Writes down a call the city owes, with its due time and its owner."""
    problems = rules.call_back_problems(plan, work.now) + owner_problems(work, plan.owner_id)
    if problems:
        raise Refused(problems)
    row = add_call_back(work, actor, plan)
    when = relative_text(row.due_at, work.now, settings.current().zone)
    return Receipt(
        title=f"Call-back planned for {when}",
        steps=(Step(when, row.why, "phone_callback"),),
        subject_kind="call_back",
        subject_id=row.id,
        go="call_backs",
    )


def add_call_back(work: Work, actor: Actor, plan: rules.CallBackPlan) -> rows.CallBack:
    """Writes a call-back whose plan was found good; what the plan leaves open comes from its conversation."""
    assert plan.due_at is not None
    account_id, person_id = plan.account_id, plan.person_id
    if plan.conversation_id is not None:
        found = open_conversation(work, actor, plan.conversation_id)
        account_id, person_id = account_id or found.account_id, person_id or found.person_id
    refuse_own_person(work, actor, person_id)
    row = work.add(
        rows.CallBack(
            conversation_id=plan.conversation_id,
            person_id=person_id,
            account_id=account_id,
            phone=parse_phone(plan.phone),
            why=plan.why.strip(),
            due_at=plan.due_at,
            owner_id=plan.owner_id or actor.staff_id,
        )
    )
    call_back_event(work, actor, row, "call_back.planned")
    return row


def call_back_event(work: Work, actor: Actor, row: rows.CallBack, name: str) -> None:
    work.event(
        name,
        staff_id=actor.staff_id,
        subject_kind="call_back",
        subject_id=row.id,
        account_id=row.account_id,
        person_id=row.person_id,
        conversation_id=row.conversation_id,
        detail={"attempt": row.attempts},
    )


@command("callback.work")
def record_call_back(
    actor: Actor, work: Work, call_back_id: int, version: int, reached: bool, words: str = ""
) -> Receipt:
    """Records a try: reached, or no answer. Without an answer it comes up again later, and is given up after the last try."""
    row = core.lock(work.session, rows.CallBack, call_back_id)
    if row is None:
        raise Refused([Problem("", "This call-back is not on the list. Reload the page.")])
    if row.state_code != "open" or row.version != version:
        raise Refused([Problem("", "Somebody else has just worked on this call-back. Reload the page.")])
    refuse_own_person(work, actor, row.person_id)
    problem = rules.words_problem("words", "What was said", words, rules.WORDS_MOST)
    if problem:
        raise Refused([problem])
    row.attempts += 1
    row.version += 1
    row.outcome = words.strip() or row.outcome
    if reached:
        row.state_code, row.done_at = "reached", work.now
        call_back_event(work, actor, row, "call_back.reached")
        return Receipt(title="Call-back done", subject_kind="call_back", subject_id=row.id)
    policy = directory_rows.reference_row(work.session, "call_back_policy", "desk", today(work.now))
    attempts = rules.attempts_of(None if policy is None else policy.detail)
    if row.attempts >= attempts.most:
        row.state_code, row.done_at = "gave_up", work.now
        call_back_event(work, actor, row, "call_back.gave_up")
        return Receipt(
            title=f"No answer after {row.attempts} tries: given up", subject_kind="call_back", subject_id=row.id
        )
    row.due_at = work.now + dt.timedelta(minutes=attempts.retry_minutes)
    call_back_event(work, actor, row, "call_back.no_answer")
    again = relative_text(row.due_at, work.now, settings.current().zone)
    return Receipt(
        title=f"No answer: try {row.attempts} of {attempts.most}, again {again}",
        subject_kind="call_back",
        subject_id=row.id,
    )
