"""The dates of a move that were told to the caller are promises: kept when the work was done by then, broken when not."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from db import core, moves
from portal.contacts.commands import record_promise, settle_promises_about
from portal.moves.views import steps
from portal.shared.actor import SYSTEM
from portal.shared.calendar import instant_of

if TYPE_CHECKING:
    from db.moves import Move
    from portal.moves.commands.premise import OpenPremise
    from portal.moves.views.steps import PlannedOrder

SUBJECT: Final = "move"
FIRST_BILL: Final = "first_bill"
"""What a promise of a first bill is about: the move, in another sense. It is kept by the bill, not by the work."""
END_OF_DAY: Final = dt.time(23, 59)
"""By when a service without an order of its own begins or ends on its day."""
WAITING: Final = {"start": ("pending_start",), "transfer": ("pending_start",), "stop": ("active", "pending_stop")}
"""In which states an agreement of a move still waits for what was promised."""


def tell_dates(here: OpenPremise, move: Move) -> int:
    """Records what the caller was told about when: one promise for all that is due at the same instant. Which agreements it
    is about stays with the move. Returns how many promises."""
    if not here.actor.staff_id:
        return 0
    kinds = {row.code: row for row in here.policy.orders}
    due: dict[tuple[dt.datetime, str], tuple[list[int], list[PlannedOrder], list[str]]] = {}
    for row in here.book.agreements:
        if row.id not in move.agreement_ids or row.state_code not in WAITING[move.kind]:
            continue
        order = next(
            (each for each in here.orders if each.service_point_id == row.service_point_id and each.kind_code in kinds),
            None,
        )
        if order is not None and order.due_at is not None and order.planned_on is not None:
            kind = kinds[order.kind_code]
            visit = "visit" if kind.how in ("visit", "appointment") else "date"
            agreements, plans, _ = due.setdefault((order.due_at, visit), ([], [], []))
            plans.append((kind, row.service_kind, order.planned_on))
        elif here.policy.kinds[row.service_kind].follows in move.service_kinds:
            continue  # done by the order of the service it follows
        else:
            at = instant_of(move.on, END_OF_DAY, here.calendar.zone_info)
            agreements, _, names = due.setdefault((at, "date"), ([], [], []))
            names.append(f"{here.policy.name_of(row.service_kind)} {'ends' if move.kind == 'stop' else 'starts'}")
        agreements.append(row.id)
    promised = []
    for (due_at, kind_code), (agreements, plans, names) in sorted(due.items(), key=lambda one: one[0]):
        said = [step.what for _, step in steps.order_steps(here.policy, plans, here.today)] + names
        promise_id = record_promise(
            here.work,
            here.actor,
            kind=kind_code,
            words=f"{here.premise.address}: {'; '.join(said)} ({move.number})",
            due_at=due_at,
            conversation_id=move.conversation_id,
            account_id=move.account_id,
            person_id=move.person_id,
            subject_kind=SUBJECT,
            subject_id=move.id,
        )
        promised.append([promise_id, agreements])
    if promised:
        move.detail = {**move.detail, "promised": promised}
    return len(promised) + (0 if move.kind == "stop" else _tell_first(here, move))


def _tell_first(here: OpenPremise, move: Move) -> int:
    """The day of the first collection and of the first bill, as the receipt says them. A collection is kept or broken by
    whoever owns the promise: nobody writes down a cart that was emptied. Returns how many promises."""
    session, zone = here.work.session, here.calendar.zone_info
    days = steps.collection_days(
        session, here.book, steps.planned(here.book, here.opened), move.on, here.today, move.service_kinds
    )
    told = [(SUBJECT, on, steps.first_collection(here.policy, kinds)) for on, kinds in sorted(days.items())]
    cycle = steps.bill_cycle(session, here.book, move.on, here.today)
    if cycle is not None:
        told.append((FIRST_BILL, cycle.bill_on, "First bill"))
    for subject_kind, on, words in told:
        record_promise(
            here.work,
            here.actor,
            kind="date",
            words=f"{here.premise.address}: {words} ({move.number})",
            due_at=instant_of(on, END_OF_DAY, zone),
            conversation_id=move.conversation_id,
            account_id=move.account_id,
            person_id=move.person_id,
            subject_kind=subject_kind,
            subject_id=move.id,
        )
    return len(told)


def settle_first_bills() -> int:
    """Settles the promises of a first bill whose bill was made meanwhile: kept when it was made by the day told. Returns
    how many."""
    with core.read() as session:
        found = moves.first_bills_made(session, FIRST_BILL)
    for move_id, billed_on in found:
        with core.work() as work:
            settle_promises_about(work, SYSTEM, subject_kind=FIRST_BILL, subject_id=move_id, done_on=billed_on)
    return len(found)


def settle_dates(here: OpenPremise, on: dt.date) -> None:
    """Settles the promises all of whose agreements have begun or ended by now: kept when the day of the work, `on`, is not
    after the day that was told."""
    states = {row.id: row.state_code for row in here.book.agreements}
    for move in here.book.moves:
        left = []
        for promise_id, agreement_ids in move.detail.get("promised", ()):
            if any(states.get(one) in WAITING[move.kind] for one in agreement_ids):
                left.append([promise_id, agreement_ids])
                continue
            settle_promises_about(
                here.work, here.actor, subject_kind=SUBJECT, subject_id=move.id, only=(promise_id,), done_on=on
            )
        if left != move.detail.get("promised", []):
            move.detail = {**move.detail, "promised": left}


def withdraw_dates(here: OpenPremise, move: Move, words: str, *, kept: bool | None = None) -> None:
    """Settles what of a move's dates is still open, because the move is cancelled or held: `words` say so."""
    for subject_kind in (SUBJECT, FIRST_BILL):
        settle_promises_about(
            here.work, here.actor, subject_kind=subject_kind, subject_id=move.id, kept=kept, settled_words=words
        )
    if move.detail.get("promised"):
        move.detail = {**move.detail, "promised": []}


def told_note(count: int) -> tuple[str, ...]:
    """The receipt's line about the dates recorded; nothing when there are none."""
    if not count:
        return ()
    if count == 1:
        return ("The date told is on your list of promises until it is kept.",)
    return (f"The {count} dates told are on your list of promises until they are kept.",)
