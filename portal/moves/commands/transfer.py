"""Transfer service: a stop at the old premise and a start at the new one on the same account, both or neither."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from db import moves
from portal.contacts.commands import NOT_CHECKED
from portal.moves.commands.premise import OpenPremise
from portal.moves.commands.start import start_receipt, who_is_speaking, write_start
from portal.moves.commands.stop import write_stop
from portal.moves.rules import form, words
from portal.moves.views import facts
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused
from portal.shared.text import day_text

if TYPE_CHECKING:
    from db.core import Work
    from portal.shared.actor import Actor


@command("move.start")
def transfer_service(actor: Actor, work: Work, asked: form.TransferForm) -> Receipt:
    """Moves a customer's services to another premise; raises Refused with the problems of both halves at once."""
    stop = _stop_form(work, asked)
    start = dataclasses.replace(asked.start, account_id=asked.account_id)
    _check(actor, work, asked, stop, start)
    # Two transfers between the same two premises in opposite directions must not wait for each other.
    for premise_id in sorted({one for one in (start.premise_id, stop.premise_id) if one is not None}):
        OpenPremise(work, actor, premise_id)
    stopped = write_stop(actor, work, stop, "move.transfer")
    started = write_start(actor, work, start, kept_deposit=True, kind="transfer")
    started.move.other_move_id, stopped.move.other_move_id = stopped.move.id, started.move.id
    work.session.flush()
    stopped.here.event("move.stopped", stopped.move, asked_by=asked.asked_by, to_owner=stopped.to_owner, why="transfer")
    started.here.event(
        "move.transferred",
        started.move,
        evidence=start.evidence_code,
        held=started.move.hold_reason,
        from_premise_id=stopped.here.premise.id,
        turnover=bool(started.ended_accounts),
    )
    started.promised += stopped.promised
    receipt = start_receipt(started, start)
    here, today = stopped.here, started.here.today
    ends = words.stop_said(
        here.policy,
        stopped.move,
        here.premise.address,
        stopped.at_once,
        to_owner=bool(stopped.to_owner),
        send_to="the new address",
    )
    said, _, number = receipt.say.rpartition(" Your number")
    leaving = Step(
        day_text(stopped.move.on, today),
        f"Last reading at {here.premise.address}: {here.policy.names_of(stopped.move.service_kinds)}",
        "logout",
    )
    return dataclasses.replace(
        receipt,
        title=receipt.title.replace("Start of", "Transfer of", 1),
        say=f"{said} {ends.rpartition(' Your number')[0]} Your number{number}",
        steps=(leaving, *receipt.steps),
        orders=receipt.orders + tuple((row.number, f"{row.name} · {row.order_code}") for row in here.opened),
    )


def _stop_form(work: Work, asked: form.TransferForm) -> form.StopForm:
    """The old half: everything the account has at the old premise; mail goes to the new one."""
    kinds: tuple[str, ...] = ()
    if asked.account_id is not None and asked.from_premise_id is not None:
        points = {row.id for row in moves.points(work.session, asked.from_premise_id)}
        kinds = tuple(
            row.service_kind
            for row in moves.open_agreements_of_account(work.session, asked.account_id)
            if row.service_point_id in points and row.state_code != "pending_start"
        )
    return form.StopForm(
        account_id=asked.account_id,
        premise_id=asked.from_premise_id,
        service_kinds=kinds,
        on=asked.stop_on,
        forwarding_address="",
        asked_by=asked.asked_by,
        conversation_id=asked.start.conversation_id,
    )


def _check(actor: Actor, work: Work, asked: form.TransferForm, stop: form.StopForm, start: form.StartForm) -> None:
    found = form.transfer_problems(asked)
    if not found:
        stop_context = facts.stop_context(work.session, stop, work.now)
        found += [
            Problem("stop_on" if problem.field == "on" else problem.field, problem.message)
            for problem in form.stop_problems(stop, stop_context.facts)
        ]
        found += form.start_problems(start, facts.start_context(work.session, actor, start, work.now).facts)
    account = None if asked.account_id is None else moves.account(work.session, asked.account_id)
    unchecked = who_is_speaking(work, start, "move.transfer", None if account is None else account.person_id)
    if found or unchecked:
        raise Refused([*found, *unchecked], title="Not transferred" if found else NOT_CHECKED)
