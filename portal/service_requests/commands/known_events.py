"""Known events: one trouble many call about, announced once, joined in one key, ended with a word to each caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db import core, directory
from db import service_requests as rows
from portal.service_requests.commands.common import hold, next_number, refuse_own, when_text
from portal.service_requests.rules import answer, form
from portal.service_requests.views import in_force
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from db.core import Work
    from portal.shared.actor import Actor

SUBJECT = "known_event"


@command("known_event.edit")
def start_known_event(actor: Actor, work: Work, asked: form.KnownEventForm) -> Receipt:
    """Announces a known event: every desk sees it at once before a request is opened."""
    _check(work, asked)
    event = work.add(
        rows.KnownEvent(
            number=next_number(work, "KE"),
            kind_code=asked.kind_code,
            title=answer.tidy(asked.title),
            words=answer.tidy(asked.words),
            area_codes=list(asked.area_codes),
            request_type_codes=list(asked.request_type_codes),
            premise_count=asked.premise_count,
            started_at=work.now,
            next_word_at=asked.next_word_at,
        )
    )
    work.event(
        "known_event.started",
        staff_id=actor.staff_id,
        subject_kind=SUBJECT,
        subject_id=event.id,
        detail={"kind": event.kind_code, "areas": event.area_codes},
    )
    return _receipt(work, event, f"{event.title}: every desk sees it now")


@command("known_event.edit")
def update_known_event(actor: Actor, work: Work, asked: form.KnownEventForm) -> Receipt:
    """New words for callers, another area, the next time there is word."""
    event = hold(work, rows.KnownEvent, asked.event_id or 0, asked.version)
    if event.ended_at is not None:
        raise Refused([Problem("", "It has ended. Announce a new one.")])
    _check(work, asked)
    event.kind_code = asked.kind_code
    event.title, event.words = answer.tidy(asked.title), answer.tidy(asked.words)
    event.area_codes, event.request_type_codes = list(asked.area_codes), list(asked.request_type_codes)
    event.premise_count, event.next_word_at = asked.premise_count, asked.next_word_at
    event.version += 1
    work.event(
        "known_event.updated",
        staff_id=actor.staff_id,
        subject_kind=SUBJECT,
        subject_id=event.id,
        detail={"areas": event.area_codes},
    )
    return _receipt(work, event, f"{event.title}: the new words are out")


@command("known_event.edit")
def end_known_event(actor: Actor, work: Work, event_id: int, version: int) -> Receipt:
    """Ends a known event; callers who wanted to hear in writing are told."""
    event = hold(work, rows.KnownEvent, event_id, version)
    if event.ended_at is not None:
        raise Refused([Problem("", "It has ended already.")])
    event.ended_at = work.now
    event.version += 1
    told = 0
    for caller in rows.callers_of_known_event(work.session, event.id):
        if caller.tell_by in ("text", "email", "letter") and caller.person_id is not None:
            work.message(
                caller.tell_by,
                template="known_event_ended",
                recipient_kind="person",
                recipient_id=caller.person_id,
                subject_kind=SUBJECT,
                subject_id=event.id,
                detail={"number": event.number},
            )
            told += 1
    work.event(
        "known_event.ended", staff_id=actor.staff_id, subject_kind=SUBJECT, subject_id=event.id, detail={"told": told}
    )
    return Receipt(
        title=f"{event.title} has ended",
        number=event.number,
        notes=(f"{told:,} caller{'' if told == 1 else 's'} told in writing.",) if told else (),
        subject_kind=SUBJECT,
        subject_id=event.id,
    )


@command("request.open")
def join_known_event(
    actor: Actor, work: Work, event_id: int, asked: form.JoinForm, premise_id: int | None = None
) -> Receipt:
    """Counts a caller with a known event instead of opening a request; told when it ends, if they want. `asked.request_id`
    is not used."""
    event = core.lock(work.session, rows.KnownEvent, event_id)
    if event is None or event.ended_at is not None:
        raise Refused([Problem("", "This known event has ended. Open a request if the trouble goes on.")])
    refuse_own(work, actor, person_id=asked.person_id, account_id=asked.account_id, premise_id=premise_id)
    problems = form.caller_problems(asked, asked.person_id is not None)
    words = answer.tidy(asked.words)
    if (too_much := answer.text_problem("words", "In the caller’s words", words)) is not None:
        problems.append(too_much)
    if problems:
        raise Refused(problems)
    if rows.joined_known_event(work.session, event.id, person_id=asked.person_id, premise_id=premise_id):
        raise Refused([Problem("", f"This caller is already counted with {event.number}. Read out the words again.")])
    work.add(
        rows.RequestCaller(
            known_event_id=event.id,
            premise_id=premise_id,
            person_id=asked.person_id,
            account_id=asked.account_id,
            conversation_id=asked.conversation_id,
            tell_by=asked.tell_by,
            words=words,
            joined_at=work.now,
        )
    )
    work.event(
        "known_event.joined",
        staff_id=actor.staff_id,
        subject_kind=SUBJECT,
        subject_id=event.id,
        account_id=asked.account_id,
        person_id=asked.person_id,
        premise_id=premise_id,
        conversation_id=asked.conversation_id,
        detail={"tell_by": asked.tell_by},
    )
    return _receipt(work, event, f"The caller is counted with “{event.title}”")


def _check(work: Work, asked: form.KnownEventForm) -> None:
    on = in_force.local_day(work.now)
    kinds = [row.code for row in directory.reference(work.session, "known_event_kind", on)]
    problems = form.known_event_problems(asked, kinds, [area.code for area in rows.areas(work.session)], work.now)
    types = {row.code for row in rows.request_types_in_force(work.session, on)}
    if unknown := [code for code in asked.request_type_codes if code not in types]:
        problems.append(
            Problem("request_type_codes", f"There is no request type “{unknown[0][:40]}”. Choose from those offered.")
        )
    if problems:
        raise Refused(problems)


def _receipt(work: Work, event: rows.KnownEvent, title: str) -> Receipt:
    next_word = "" if event.next_word_at is None else when_text(work, event.next_word_at)
    return Receipt(
        title=title,
        number=event.number,
        say=f"{event.words}{f' The next word comes {next_word}.' if next_word else ''}",
        steps=(Step(next_word.capitalize(), "Next word to callers", "campaign"),) if next_word else (),
        subject_kind=SUBJECT,
        subject_id=event.id,
        go="known_events",
    )
