"""A field result or a reading from the office makes pending agreements active or stopped: one reading for both sides."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import accounts as account_rows
from db import core, moves
from portal.moves.commands.premise import OpenPremise
from portal.moves.commands.promise import settle_dates
from portal.moves.rules.read import read_between, read_problem
from portal.shared.actor import SYSTEM
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.shared.text import day_text
from portal.waste import commands as waste_commands
from portal.waste import rules as waste_rules
from portal.waste import views as waste_views

if TYPE_CHECKING:
    from db.accounts import ServiceAgreement, ServicePoint
    from db.core import Work
    from db.moves import Move
    from portal.shared.actor import Actor


@command("work_order.work")
def confirm_agreement(
    actor: Actor, work: Work, agreement_id: int, on: dt.date | None, read: int | None = None, version: int | None = None
) -> Receipt:
    """Confirms a pending start or stop as of the day it was done, with the meter's reading where there is one.

    A start ends whoever had the point on the same reading; confirming the end of an agreement that someone follows is the
    same act. Services that follow this one (sewer follows water) are confirmed with it. Raises Refused.
    """
    agreement = moves.agreement(work.session, agreement_id)
    point = None if agreement is None else moves.point(work.session, agreement.service_point_id)
    if agreement is None or point is None:
        raise Refused([Problem("agreement", "There is no such agreement. Open the order again from the queue.")])
    here = OpenPremise(work, actor, point.premise_id)
    work.session.refresh(agreement)
    if version is not None and agreement.version != version:
        raise Refused(
            [
                Problem(
                    "agreement",
                    "Someone else changed this agreement meanwhile. Look at it again, then enter the result.",
                )
            ]
        )
    if on is None:
        raise Refused([Problem("on", "Enter the day the work was done.")])
    confirmed = confirm(here, agreement, on, read)
    names = here.policy.names_of(here.policy.in_order(row.service_kind for row in confirmed))
    state = "stopped" if all(row.state_code == "stopped" for row in confirmed) else "active"
    work.event(
        "agreement.confirmed",
        staff_id=actor.staff_id,
        subject_kind="service_agreement",
        subject_id=agreement.id,
        account_id=agreement.account_id,
        premise_id=here.premise.id,
        detail={"service_kinds": [row.service_kind for row in confirmed], "on": on.isoformat(), "state": state},
    )
    return Receipt(
        title=f"{names.capitalize()} {state} as of {day_text(on, here.today)}",
        say="",
        subject_kind="service_agreement",
        subject_id=agreement.id,
        go="customer",
        go_query=(("account", str(agreement.account_id)),),
    )


def confirm(here: OpenPremise, agreement: ServiceAgreement, on: dt.date, read: int | None) -> list[ServiceAgreement]:
    """The body of `confirm_agreement` for commands of this room; returns the agreements that began or ended."""
    done = _confirm_one(here, agreement, on, read)
    for follower in _followers(here, done):
        done += _confirm_one(here, follower, on, None)
    here.settle()
    settle_dates(here, on)
    _finish_moves(here, on)
    return done


def confirm_at_once(here: OpenPremise, until: dt.date) -> list[ServiceAgreement]:
    """Confirms what needs nobody on site and whose day has come: meters read from the office, services without an order."""
    done: list[ServiceAgreement] = []
    while (ready := _ready(here, until)) is not None:  # each round may make the next party's day come due
        agreement, on = ready
        point = here.book.points[agreement.service_kind]
        done += confirm(here, agreement, on, remote_read(here, point, on) if point.remote else None)
    return done


def _ready(here: OpenPremise, until: dt.date) -> tuple[ServiceAgreement, dt.date] | None:
    for kind, point in here.book.points.items():
        order = here.book.succession(kind)
        first = order.waiting[0] if order.waiting else None
        present = order.present
        if present is not None and order.ends_on is not None and (first is None or order.ends_on < first.start_on):
            agreement, on, starting = here.book.agreement(present.agreement_id), order.ends_on, False
        elif first is not None:
            agreement, on, starting = here.book.agreement(first.agreement_id), first.start_on, True
        else:
            continue
        on = max(on, point.off_since_on or on, on if present is None else present.start_on)
        if agreement is None or on > until:
            continue
        follows = order.before(agreement.id) is not None if starting else False
        needed = here.book.order_for(kind, starting=starting, follows_someone=follows)
        by_office = needed is None and not _led_by(here, kind, agreement, starting)
        if by_office or (needed is not None and needed.how == "remote" and point.remote):
            return agreement, on
    return None


def _led_by(here: OpenPremise, kind: str, agreement: ServiceAgreement, starting: bool) -> bool:
    """Whether another agreement of the same move leads this one (water leads sewer), so that it must wait for its reading."""
    leader = here.policy.kinds[kind].follows if kind in here.policy.kinds else ""
    if leader not in here.book.points:
        return False
    move = here.book.move_of(agreement.id) if starting else here.book.stop_of(agreement.id)
    state = "pending_start" if starting else "pending_stop"
    return move is not None and any(
        row.id in move.agreement_ids and row.service_kind == leader and row.state_code == state
        for row in here.book.agreements
    )


def _confirm_one(
    here: OpenPremise, agreement: ServiceAgreement, on: dt.date, read: int | None
) -> list[ServiceAgreement]:
    kind = agreement.service_kind
    name = here.policy.name_of(kind)
    point, order = here.book.points[kind], here.book.succession(kind)
    if on > here.today:
        raise Refused([Problem("on", f"{day_text(on, here.today)} is still to come. Enter the day the work was done.")])
    if agreement.state_code == "pending_stop":
        follower = (
            order.waiting[0] if order.waiting and order.waiting[0].start_on <= on else order.next_after(agreement.id)
        )
        if follower is not None:
            successor = here.book.agreement(follower.agreement_id)
            assert successor is not None
            return _confirm_one(here, successor, on, read)
        return _end(here, agreement, point, on, read)
    if agreement.state_code != "pending_start":
        raise Refused(
            [
                Problem(
                    "agreement",
                    f"{name} is {agreement.state_code.replace('_', ' ')}; nothing waits to be confirmed here.",
                )
            ]
        )
    if all(one.agreement_id != agreement.id for one in order.waiting):
        raise Refused(
            [Problem("agreement", f"The start of {name.lower()} is held. Release it first, then enter the result.")]
        )
    if order.waiting[0].agreement_id != agreement.id:
        first = day_text(order.waiting[0].start_on, here.today)
        raise Refused(
            [
                Problem(
                    "agreement",
                    f"An earlier start of {name.lower()} waits here, for {first}. Confirm or cancel that one first.",
                )
            ]
        )
    if on < agreement.start_on:
        booked = day_text(agreement.start_on, here.today)
        raise Refused(
            [Problem("on", f"The start of {name.lower()} is booked for {booked}. Enter that day or a later one.")]
        )
    if point.off_since_on is not None and on < point.off_since_on:
        off = day_text(point.off_since_on, here.today)
        raise Refused([Problem("on", f"{name} was turned off on {off}. Enter that day or a later one.")])
    present = None if order.present is None else here.book.agreement(order.present.agreement_id)
    if present is not None and on < present.start_on:
        began = day_text(present.start_on, here.today)
        raise Refused([Problem("on", f"The agreement before it began on {began}. Enter that day or a later one.")])
    _write_read(here, point, on, read, "start" if present is None else "final")
    done = [agreement]
    if present is not None:
        moves.end_agreement(here.work.session, present, on)
        done.append(present)
    moves.begin_agreement(here.work.session, agreement, on)
    point.off_since_on = None
    _carts_begin(here, agreement, point, on)
    _finish_orders(here, [row.id for row in done])
    return done


def _end(
    here: OpenPremise, agreement: ServiceAgreement, point: ServicePoint, on: dt.date, read: int | None
) -> list[ServiceAgreement]:
    """The agreement ends and nobody follows on the same reading: the point is off from now on."""
    name = here.policy.name_of(agreement.service_kind)
    booked = agreement.stop_on or agreement.start_on
    if on < booked:
        raise Refused(
            [
                Problem(
                    "on",
                    f"The stop of {name.lower()} is booked for {day_text(booked, here.today)}. Enter that day or a later one.",
                )
            ]
        )
    _write_read(here, point, on, read, "final")
    moves.end_agreement(here.work.session, agreement, on)
    point.off_since_on = on
    if point.id in here.book.carts and here.policy.continuity.carts_on_stop == "retrieve":
        waste_commands.retrieve_carts(here.work, point.id, on)
        here.book.carts.discard(point.id)
    _finish_orders(here, [agreement.id])
    return [agreement]


def _carts_begin(here: OpenPremise, agreement: ServiceAgreement, point: ServicePoint, on: dt.date) -> None:
    """Notes the carts that stand at the point from the day the order was done."""
    row = waste_rules.code_row(
        agreement.service_kind, agreement.rate_class, waste_views.codes(here.work.session, here.today)
    )
    if row is not None and row.container:
        waste_commands.deliver_carts(here.work, point.id, row.container, point.multiplicity, on)
        here.book.carts.add(point.id)


def _followers(here: OpenPremise, done: list[ServiceAgreement]) -> list[ServiceAgreement]:
    """Agreements of the same moves that are confirmed by this one's reading."""
    found = []
    for row in done:
        starting = row.state_code == "active"
        move = here.book.move_of(row.id) if starting else here.book.stop_of(row.id)
        if move is None or move.state_code != "pending":
            continue
        for other in here.book.agreements:
            kind = here.policy.kinds.get(other.service_kind)
            wanted = "pending_start" if starting else "pending_stop"
            led = kind is not None and kind.follows == row.service_kind and not _has_orders(here, other.service_kind)
            if led and other.id in move.agreement_ids and other.state_code == wanted and other not in found:
                found.append(other)
    return found


def _has_orders(here: OpenPremise, kind: str) -> bool:
    return any(kind in row.service_kinds for row in here.policy.orders)


def _finish_orders(here: OpenPremise, agreement_ids: list[int]) -> None:
    ours = {row.code for row in here.policy.orders}
    for row in [each for each in here.orders if each.agreement_id in agreement_ids and each.kind_code in ours]:
        here.close_order(row, "done", "Confirmed by the reading or the result entered.")


def _finish_moves(here: OpenPremise, on: dt.date) -> None:
    """Closes moves all of whose agreements are settled, and accounts that have none left."""
    states = {row.id: row.state_code for row in here.book.agreements}
    for move in list(here.book.moves):
        if move.state_code != "pending":
            continue
        open_states = ("pending_start",) if move.kind != "stop" else moves.OPEN_STATES
        if any(states.get(agreement_id) in open_states for agreement_id in move.agreement_ids):
            continue
        move.state_code = "done"
        move.version += 1
        here.book.moves.remove(move)
        here.work.message(
            "letter",
            template="service_stopped" if move.kind == "stop" else "service_started",
            recipient_kind="person",
            recipient_id=move.person_id,
            subject_kind="move",
            subject_id=move.id,
        )
    for account_id in {row.account_id for row in here.book.agreements if row.state_code == "stopped"}:
        _leave_premise(here, account_id, on)
    here.work.session.flush()


def _leave_premise(here: OpenPremise, account_id: int, on: dt.date) -> None:
    """An account without any agreement left is closed; one whose main premise is empty moves to where it is served."""
    session = here.work.session
    account = moves.account(session, account_id)
    if account is None or account.closed_on is not None:
        return
    left = moves.premises_of_account(session, account_id)
    if not left:
        account.closed_on = max(on, account.opened_on)
    elif account.premise_id == here.premise.id and all(premise.id != here.premise.id for premise in left):
        account.premise_id = left[0].id
    else:
        return
    account.version += 1
    session.flush()
    account_rows.index_account(session, account_id)


# --- readings ---------------------------------------------------------------------------------------------------------


def _write_read(here: OpenPremise, point: ServicePoint, on: dt.date, read: int | None, how: str) -> None:
    """Writes the reading of a metered point: the closing reading of one and the opening reading of the next are one row."""
    meter = moves.meters(here.work.session, here.premise.id).get(point.id)
    if meter is None:
        return
    before, after = moves.reads_around(here.work.session, meter.id, on)
    problem = read_problem(
        read,
        meter_number=meter.number,
        dials=meter.dials,
        unit=meter.unit,
        before=before[0].read if before else None,
        after=after.read if after is not None else None,
    )
    if problem is not None:
        raise Refused([problem])
    assert read is not None
    moves.add_read(here.work.session, meter.id, on, read, how)


def remote_read(here: OpenPremise, point: ServicePoint, on: dt.date) -> int | None:
    """The reading of a meter from the office as of a day; None without a meter.

    Where the metering system keeps no reading of that very day, it is worked out from its neighbours: between two in
    proportion to the days, after the last at the pace of the last period.
    """
    meter = moves.meters(here.work.session, here.premise.id).get(point.id)
    if meter is None:
        return None
    before, after = moves.reads_around(here.work.session, meter.id, on)
    return read_between(
        [(row.read_on, row.read) for row in before],
        None if after is None else (after.read_on, after.read),
        on,
        meter.dials,
    )


def confirm_due(on: dt.date, actor: Actor = SYSTEM) -> int:
    """Nightly: confirms at every premise what needs nobody on site and whose day has come; returns how many agreements.

    Each premise is a transaction of its own: one that fails keeps the others.
    """
    with core.read() as session:
        premise_ids = moves.premises_due(session, on)
    count = 0
    for premise_id in premise_ids:
        with core.work() as work:
            here = OpenPremise(work, actor, premise_id)
            due = {move.id: move for move in here.book.moves if move.state_code == "pending"}
            done = confirm_at_once(here, min(on, here.today))
            for move in {_move_behind(due, row): None for row in done if _move_behind(due, row) is not None}:
                if move is not None:
                    here.event("move.confirmed", move, by="office")
            count += len(done)
    return count


def _move_behind(due: dict[int, Move], agreement: ServiceAgreement) -> Move | None:
    return next((move for move in due.values() if agreement.id in move.agreement_ids), None)
