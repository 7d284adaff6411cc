"""A move that is pending is cancelled, held on a dispute, or released: everybody gets back what they had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db import contacts, moves
from portal.accounts.commands import refuse_own
from portal.contacts.commands import NOT_CHECKED, identity_problems
from portal.moves.commands import effect
from portal.moves.commands.confirm import confirm_at_once
from portal.moves.commands.premise import OpenPremise
from portal.moves.commands.promise import tell_dates, withdraw_dates
from portal.moves.rules import form
from portal.moves.rules.turnover import contested_by
from portal.shared.actor import authorize
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from db.core import Work
    from db.moves import Move
    from portal.shared.actor import Actor


@command("move.stop")
def cancel_move(
    actor: Actor, work: Work, move_id: int, version: int, reason: str, conversation_id: int | None = None
) -> Receipt:
    """Cancels what of a move has not happened yet; the other half of a transfer is cancelled with it. Raises Refused."""
    move, here = _open(actor, work, move_id, version, reason)
    _check_who(here, move, "move.cancel", conversation_id)
    _refuse_tied(move)
    if move.kind != "stop":
        authorize(actor, "move.start")
    halves = [(move, here)]
    other = moves.move(work.session, move.other_move_id) if move.other_move_id is not None else None
    if other is not None and other.state_code in ("pending", "held") and "transfer" in (move.kind, other.kind):
        there = here if other.premise_id == move.premise_id else OpenPremise(work, actor, other.premise_id)
        halves.append((other, there))
    kept: list[str] = []
    for half, premise in halves:
        kept += _cancel_half(premise, half, reason)
    work.session.flush()
    names = here.policy.names_of(here.policy.in_order(kept))
    was = {"start": "start", "stop": "stop", "transfer": "transfer"}[move.kind]
    return Receipt(
        title=f"The {was} {move.number} is cancelled",
        number=move.number,
        say=f"Your {was}, number {move.number}, is cancelled. Nothing else changes."
        if not kept
        else f"What had not begun of your {was} is cancelled. {names.capitalize()} had already begun and stays in your name.",
        notes=(f"{names.capitalize()} had already begun: book a stop if it should end.",) if kept else (),
        subject_kind="move",
        subject_id=move.id,
        go="customer",
        go_query=(("account", str(move.account_id)),),
    )


def _cancel_half(here: OpenPremise, move: Move, reason: str) -> list[str]:
    """Cancels one move at its premise; returns the kinds of a start that had begun already and stay."""
    begun: list[str] = []
    rows = [moves.agreement(here.work.session, agreement_id) for agreement_id in move.agreement_ids]
    for row in rows:
        if row is None or move.kind == "stop":
            continue
        if row.state_code == "pending_start":
            moves.cancel_agreement(here.work.session, row)
        elif row.state_code in ("active", "pending_stop"):
            begun.append(row.service_kind)
    effect.close_move(here, move, "done" if begun else "cancelled")
    if move.kind == "stop":
        for tied in moves.moves_tied_to(here.work.session, move.id):
            if tied.detail.get("automatic") and tied.state_code == "pending":
                effect.cancel_automatic(
                    here,
                    [
                        row
                        for row in here.book.agreements
                        if row.id in tied.agreement_ids and row.state_code == "pending_start"
                    ],
                )
        here.settle()
    else:
        effect.undo_effect(here, move, "cancelled")
    withdraw_dates(here, move, f"Withdrawn, the move was cancelled: {reason.strip()}")
    move.detail = {**move.detail, "cancel_reason": reason.strip()}
    here.event("move.cancelled", move, begun=begun)
    effect.tell(here, move, "move_cancelled")
    return begun


@command("move.start")
def hold_move(
    actor: Actor, work: Work, move_id: int, version: int, reason: str, conversation_id: int | None = None
) -> Receipt:
    """Holds a start that someone disputes: nothing changes at the address until it is released. Raises Refused."""
    move, here = _open(actor, work, move_id, version, reason)
    _check_who(here, move, "move.hold", conversation_id)
    _refuse_tied(move)
    if move.kind == "stop" or move.state_code == "held":
        raise Refused(
            [Problem("", "Only a start that is not held yet can be held. Cancel the move, or release it.")],
            title="Not held",
        )
    states = {row.id: row.state_code for row in here.book.agreements}
    if any(states.get(one) != "pending_start" for one in move.agreement_ids):
        raise Refused(
            [
                Problem(
                    "", "Part of this start has already begun and cannot be held. Cancel what is left, or book a stop."
                )
            ],
            title="Not held",
        )
    move.state_code, move.hold_reason = "held", "dispute"
    move.version += 1
    move.detail = {**move.detail, "hold_note": reason.strip()}
    withdraw_dates(here, move, f"The start is held: {reason.strip()}", kept=False)
    effect.undo_effect(here, move, "held")
    here.event("move.held", move, why="dispute")
    effect.tell(here, move, "start_held")
    return Receipt(
        title=f"The start {move.number} is held",
        number=move.number,
        say="The start is held until the dispute is settled. Service at the address goes on as it was.",
        subject_kind="move",
        subject_id=move.id,
        go="customer",
        go_query=(("account", str(move.account_id)),),
    )


@command("move.start")
def release_move(
    actor: Actor, work: Work, move_id: int, version: int, reason: str, conversation_id: int | None = None
) -> Receipt:
    """Lets a held start go on, by someone who may decide exceptions; its day moves to today when it has passed."""
    move, here = _open(actor, work, move_id, version, reason)
    _check_who(here, move, "move.release", conversation_id)
    authorize(actor, here.policy.turnover.override_permission)
    if move.state_code != "held":
        raise Refused([Problem("", "This move is not held; nothing needs to be released.")], title="Not released")
    _refuse_rivals(here, move)
    move.state_code = "pending"
    move.version += 1
    move.detail = {**move.detail, "release_note": reason.strip()}
    if move.on < here.today:
        move.on = here.today
        for row in here.book.agreements:
            if row.id in move.agreement_ids:
                row.start_on = here.today
    work.session.flush()
    ended = effect.take_effect(here, move)
    confirm_at_once(here, here.today)
    tell_dates(here, move)
    here.event("move.released", move, turnover=bool(ended))
    effect.tell(here, move, "welcome")
    return Receipt(
        title=f"The start {move.number} goes on",
        number=move.number,
        say="The start goes on as booked.",
        orders=tuple((row.number, f"{row.name} · {row.order_code}") for row in here.opened),
        subject_kind="move",
        subject_id=move.id,
        go="customer",
        go_query=(("account", str(move.account_id)),),
    )


def _open(actor: Actor, work: Work, move_id: int, version: int, reason: str) -> tuple[Move, OpenPremise]:
    """The move and its premise, locked, if it is still as the form saw it."""
    move = moves.move(work.session, move_id)
    if move is None:
        raise Refused([Problem("", "There is no such move. Look the customer up again.")])
    refuse_own(work, actor, account_id=move.account_id, person_id=move.person_id)
    here = OpenPremise(work, actor, move.premise_id)
    work.session.refresh(move)
    if move.version != version:
        raise Refused(
            [Problem("", f"The move {move.number} was changed meanwhile. Look at it again before you go on.")],
            title="Somebody was faster",
        )
    if move.state_code not in ("pending", "held"):
        raise Refused([Problem("", f"The move {move.number} is {move.state_code}; nothing is left to change.")])
    if not reason.strip():
        raise Refused([Problem("reason", "Enter the reason in a few words.")])
    found = form.text_problems("reason", reason)
    if found:
        raise Refused(found)
    return move, here


def _check_who(here: OpenPremise, move: Move, action: str, conversation_id: int | None) -> None:
    """Refuses while the policy row of the action asks for a stronger check of who is speaking. A call in which the move was
    booked has met what the booking asked. A start is disputed, and what is held is settled, by either side: a check of
    anybody who has the address, or of its owner, is as good as one of the applicant."""
    if conversation_id is not None and conversation_id == move.conversation_id:
        booked_in = contacts.conversation(here.work.session, conversation_id)
        if booked_in is not None and booked_in.ended_at is None:
            return
    people = [move.person_id]
    if action != "move.cancel":
        people += moves.people_at(here.work.session, here.premise)
    found = [
        identity_problems(here.work, action, conversation_id=conversation_id, person_id=person_id)
        for person_id in people
    ]
    if all(found):
        raise Refused(found[0], title=NOT_CHECKED)


def _refuse_tied(move: Move) -> None:
    """A move that another one brought about ends with that one only."""
    if move.detail.get("turnover"):
        raise Refused(
            [Problem("", "This stop comes from a start at the same address. If it is disputed, hold that start.")]
        )
    if move.detail.get("automatic"):
        raise Refused(
            [
                Problem(
                    "",
                    "This start comes from the owner's agreement to take over. It ends with the stop it follows, or when a tenant starts.",
                )
            ]
        )


def _refuse_rivals(here: OpenPremise, move: Move) -> None:
    """Two live starts for one point cannot both go on."""
    for kind in move.service_kinds:
        if kind not in here.book.points:
            continue
        others = [tenure for tenure in here.book.tenures(kind) if tenure.agreement_id not in move.agreement_ids]
        live = [one for one in contested_by(here.book.succession(kind), others) if not one.held]
        if live:
            rival = here.book.move_of(live[0].agreement_id)
            number = "" if rival is None else f", number {rival.number}"
            raise Refused(
                [
                    Problem(
                        "",
                        f"Another start of {here.policy.names_of([kind])} is booked here{number}. Cancel or hold that one first.",
                    )
                ],
                title="Not released",
            )
