"""Stop service: the agreements are to end, the owner takes over where agreed, the last bill has an address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db import accounts as account_rows
from db import moves
from portal.accounts.commands import refuse_own
from portal.contacts.commands import NOT_CHECKED
from portal.moves.commands import effect
from portal.moves.commands.confirm import confirm_at_once
from portal.moves.commands.premise import OpenPremise
from portal.moves.commands.promise import tell_dates, told_note
from portal.moves.commands.start import who_is_speaking
from portal.moves.rules import form, words
from portal.moves.views import facts, steps
from portal.shared.command import command
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.shared.text import day_text

if TYPE_CHECKING:
    from db.accounts import Account, ServiceAgreement
    from db.core import Work
    from db.moves import Move
    from portal.shared.actor import Actor


@dataclass
class Stopped:
    """A stop as written: what a receipt needs."""

    here: OpenPremise
    move: Move
    account: Account
    to_owner: list[str] = field(default_factory=list)
    at_once: list[ServiceAgreement] = field(default_factory=list)
    promised: int = 0
    """How many of the dates told are recorded as promises."""


@command("move.stop")
def stop_service(actor: Actor, work: Work, asked: form.StopForm) -> Receipt:
    """Stops services of an account at one premise; raises Refused with every problem at once."""
    stopped = write_stop(actor, work, asked)
    here, move = stopped.here, stopped.move
    here.event("move.stopped", move, asked_by=asked.asked_by, to_owner=stopped.to_owner)
    count = len(move.service_kinds)
    done = [row.service_kind for row in stopped.at_once if row.id in move.agreement_ids]
    return Receipt(
        title=f"Stop of {count} service{'' if count == 1 else 's'} is booked for {day_text(move.on, here.today)}"
        if len(done) < count
        else f"{here.policy.names_of(move.service_kinds).capitalize()} stopped {day_text(move.on, here.today)}",
        number=move.number,
        say=words.stop_said(
            here.policy,
            move,
            here.premise.address,
            stopped.at_once,
            to_owner=bool(stopped.to_owner),
            send_to=move.forwarding_address,
        ),
        steps=steps.stop_steps(
            work.session, here.book, steps.planned(here.book, here.opened), done, move.on, here.today, stopped.to_owner
        ),
        orders=tuple((row.number, f"{row.name} · {row.order_code}") for row in here.opened),
        subject_kind="move",
        subject_id=move.id,
        go="customer",
        go_query=(("account", str(stopped.account.id)),),
        notes=(f"Account {stopped.account.number}.",)
        + ((here.policy.continuity.text,) if stopped.to_owner else ())
        + told_note(stopped.promised),
    )


def write_stop(actor: Actor, work: Work, asked: form.StopForm, action: str = "move.stop") -> Stopped:
    """The rows of a stop; `action` names the policy row about who is speaking."""
    refuse_own(work, actor, account_id=asked.account_id)
    here = None
    if asked.premise_id is not None and moves.premise(work.session, asked.premise_id) is not None:
        here = OpenPremise(work, actor, asked.premise_id)
    context = facts.stop_context(work.session, asked, work.now)
    found = form.stop_problems(asked, context.facts)
    account = None if asked.account_id is None else moves.account(work.session, asked.account_id)
    unchecked = who_is_speaking(work, asked, action, None if account is None else account.person_id)
    if found or unchecked or here is None:
        raise Refused([*found, *unchecked], title="Not stopped" if found or here is None else NOT_CHECKED)
    assert asked.on is not None
    assert account is not None
    kinds = here.policy.in_order(asked.service_kinds)
    agreements = [
        row
        for kind in kinds
        for row in here.book.agreements
        if row.account_id == account.id and row.service_kind == kind and row.state_code in ("active", "pending_stop")
    ]
    move = here.add_move(
        "stop",
        account,
        asked.on,
        agreements,
        forwarding_address=" ".join(asked.forwarding_address.split()),
        conversation_id=asked.conversation_id,
        detail={"asked_by": asked.asked_by, "window": asked.window, "adult": asked.adult_present},
    )
    stopped = Stopped(here, move, account)
    stopped.to_owner = effect.keep_continuity(here)
    here.settle()
    stopped.at_once = confirm_at_once(here, here.today)
    stopped.promised = tell_dates(here, move)
    _where_to_reach(here, account, asked, closes=_closes(here, account, agreements))
    effect.tell(here, move, "stop_booked")
    return stopped


def _closes(here: OpenPremise, account: Account, agreements: list[ServiceAgreement]) -> bool:
    """Whether nothing is left on the account once these end: then its mail goes to the forwarding address."""
    ending = {row.id for row in agreements}
    left = moves.open_agreements_of_account(here.work.session, account.id)
    return all(row.id in ending for row in left)


def _where_to_reach(here: OpenPremise, account: Account, asked: form.StopForm, *, closes: bool) -> None:
    session = here.work.session
    changed = []
    if asked.forwarding_address.strip() and closes:
        account.mailing_address = " ".join(asked.forwarding_address.split())
        account.version += 1
        changed.append("mailing_address")
    person = moves.person(session, account.person_id)
    phone = facts.new_phone(session, asked)
    if person is not None and phone:
        person.phone = phone
        person.version += 1
        changed.append("phone")
    session.flush()
    account_rows.index_account(session, account.id)
    if changed and person is not None:
        account_rows.index_person(session, person.id)
        here.work.event(
            "account.reached_at",
            staff_id=here.actor.staff_id,
            subject_kind="account",
            subject_id=account.id,
            account_id=account.id,
            person_id=person.id,
            detail={"fields": changed},
        )
