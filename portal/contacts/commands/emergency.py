"""An emergency told to the desk: stamped at once, handed over by telephone, never queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db import contacts as rows
from db import core
from portal.contacts import rules
from portal.directory.views import emergency_kinds, today
from portal.shared.command import command
from portal.shared.number import make_number
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.shared.text import parse_phone

if TYPE_CHECKING:
    from db.core import Work
    from portal.shared.actor import Actor


@command("emergency.take")
def stamp_emergency(actor: Actor, work: Work, form: rules.Emergency) -> Receipt:
    """Stamps kind, place and call-back number with this instant, and says whom to transfer to. Needs no conversation and no
    customer; nothing waits in a queue afterwards."""
    kinds = {kind.code: kind for kind in emergency_kinds(work.now)}
    problems = rules.emergency_problems(form, frozenset(kinds))
    if problems:
        raise Refused(problems, title="Not stamped yet")
    kind = kinds[form.kind_code]
    conversation = None if form.conversation_id is None else rows.conversation(work.session, form.conversation_id)
    # A conversation that is not this person's, or over, is no reason to refuse: the danger is real either way.
    if conversation is not None and (conversation.staff_id != actor.staff_id or conversation.ended_at is not None):
        conversation = None
    premise_id = (
        form.premise_id if form.premise_id is not None and rows.premise_exists(work.session, form.premise_id) else None
    )
    year = today(work.now).year
    number = make_number("EM", year, core.next_sequence(work.session, "EM", year))
    row = work.add(
        rows.EmergencyCall(
            number=number,
            kind_code=kind.code,
            place=" ".join(form.place.split()),
            callback_phone=parse_phone(form.callback_phone) if form.callback_phone.strip() else "",
            transferred_to=kind.transfer_phone[:40],
            premise_id=premise_id,
            conversation_id=None if conversation is None else conversation.id,
            staff_id=actor.staff_id,
            stamped_at=work.now,
        )
    )
    work.event(
        "emergency.stamped",
        staff_id=actor.staff_id,
        subject_kind="emergency_call",
        subject_id=row.id,
        premise_id=premise_id,
        account_id=None if conversation is None else conversation.account_id,
        person_id=None if conversation is None else conversation.person_id,
        conversation_id=row.conversation_id,
        detail={"kind": kind.name, "transferred_to": kind.transfer_phone},
    )
    return Receipt(
        title=f"{kind.name}: transfer now to {kind.transfer_phone}",
        number=number,
        say=" ".join(kind.say),
        notes=(f"{kind.transfer_name}. {kind.transfer_when}".strip(),),
        subject_kind="emergency_call",
        subject_id=row.id,
    )
