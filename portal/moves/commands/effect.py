"""What a start, once it counts, does to others at the premise: the present party's end, the owner's start that gives way.

Used by starting, releasing, cancelling and holding alike, so that a cancelled or held move leaves no trace behind.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import accounts as account_rows
from db import core, moves
from portal.moves.rules.turnover import displaced_by, gives_way
from portal.moves.views.facts import continuity_kinds
from portal.shared.number import make_account_number

if TYPE_CHECKING:
    from db.accounts import Account, ServiceAgreement
    from db.moves import Move
    from portal.moves.commands.premise import OpenPremise


def take_effect(here: OpenPremise, move: Move) -> list[int]:
    """Makes a start count: who is present is to end on the same reading and is told. Returns the accounts that end."""
    replaced: list[ServiceAgreement] = []
    ended: dict[int, list[ServiceAgreement]] = {}
    own = [row for row in here.book.agreements if row.id in move.agreement_ids]
    for agreement in own:
        kind, own_id = agreement.service_kind, agreement.id
        giving = [
            tenure.agreement_id
            for tenure in gives_way(here.book.succession(kind, without={own_id}), agreement.start_on)
        ]
        replaced += [row for row in here.book.agreements if row.id in giving]
        holder = displaced_by(here.book.succession(kind, without={own_id, *giving}), agreement.start_on)
        row = None if holder is None else here.book.agreement(holder.agreement_id)
        if row is not None and row.account_id != agreement.account_id:
            ended.setdefault(row.account_id, []).append(row)
    cancel_automatic(here, replaced)
    for account_id, rows in ended.items():
        _end_on_same_read(here, move, account_id, rows)
    here.settle()
    return list(ended)


def _end_on_same_read(here: OpenPremise, move: Move, account_id: int, rows: list[ServiceAgreement]) -> None:
    """The stop of the party who was still active: a move of its own on their account, with a notice to them."""
    account = moves.account(here.work.session, account_id)
    assert account is not None
    stop = here.add_move("stop", account, move.on, rows, other_move_id=move.id, detail={"turnover": True})
    here.event("move.stopped", stop, why="turnover", cause_id=move.id)
    tell(here, stop, here.policy.turnover.notice_template)


def tell(here: OpenPremise, move: Move, template: str) -> None:
    """A letter to the holder of a move's account."""
    here.work.message(
        "letter",
        template=template,
        recipient_kind="person",
        recipient_id=move.person_id,
        subject_kind="move",
        subject_id=move.id,
        detail={"on": move.on.isoformat(), "service_kinds": list(move.service_kinds)},
    )


def undo_effect(here: OpenPremise, move: Move, why: str) -> None:
    """Takes back what `take_effect` did, after the move was cancelled or held: other parties keep what they had."""
    for tied in moves.moves_tied_to(here.work.session, move.id):
        if tied.kind == "stop" and tied.detail.get("turnover") and tied.state_code == "pending":
            close_move(here, tied, "cancelled")
            here.event("move.cancelled", tied, why=why)
            tell(here, tied, "turnover_withdrawn")
    keep_continuity(here)
    here.settle()


def close_move(here: OpenPremise, move: Move, state_code: str) -> None:
    """Takes a move out of those that count."""
    move.state_code = state_code
    move.version += 1
    here.work.session.flush()
    here.book.moves = [row for row in here.book.moves if row.id != move.id]


def cancel_automatic(here: OpenPremise, rows: list[ServiceAgreement]) -> None:
    """The owner's automatic start gives way; its move ends with the last of its services."""
    for row in rows:
        moves.cancel_agreement(here.work.session, row)
    for move in list(here.book.moves):
        if move.detail.get("automatic") and any(row.id in move.agreement_ids for row in rows):
            states = [row.state_code for row in here.book.agreements if row.id in move.agreement_ids]
            if all(state == "cancelled" for state in states):
                close_move(here, move, "cancelled")
                here.event("move.cancelled", move, why="continuity")
            elif not any(state == "pending_start" for state in states):
                close_move(here, move, "done")


def keep_continuity(here: OpenPremise) -> list[str]:
    """Where a tenant stops, nobody follows, and the owner has agreed to take over: the owner's start on the same reading.

    Returns the service kinds that go to the owner. Worked out anew after each change, never doubled.
    """
    wanted: dict[int, tuple[Move, list[str]]] = {}
    for kind in here.book.points:
        order = here.book.succession(kind)
        present = order.present
        stop = None if present is None else here.book.stop_of(present.agreement_id)
        if present is None or stop is None:
            continue
        followed = any(one.start_on <= stop.on for one in order.waiting)
        account = moves.account(here.work.session, present.account_id)
        if account is None or followed or kind not in continuity_kinds(here.book, account.person_id):
            continue
        wanted.setdefault(stop.id, (stop, []))[1].append(kind)
    taken: list[str] = []
    for stop, kinds in wanted.values():
        owner = _owner_account(here, stop.on)
        rows = []
        for kind in kinds:
            start_on = max(stop.on, here.book.points[kind].off_since_on or stop.on)
            rows.append(here.add_agreement(here.book.points[kind], owner.id, start_on, owner.kind))
        move = here.add_move("start", owner, stop.on, rows, other_move_id=stop.id, detail={"automatic": True})
        here.event("move.started", move, why="continuity", cause_id=stop.id)
        tell(here, move, "continuity_begins")
        taken += kinds
    return taken


def _owner_account(here: OpenPremise, on: dt.date) -> Account:
    """The owner's account at the premise, else any open one, else a new one."""
    owner_id = here.premise.owner_id
    assert owner_id is not None
    open_accounts = moves.open_accounts_of_person(here.work.session, owner_id)
    at_premise = [account for account in open_accounts if account.premise_id == here.premise.id]
    if at_premise or open_accounts:
        return (at_premise or list(open_accounts))[0]
    owner = moves.person(here.work.session, owner_id)
    return open_account(
        here, owner_id, "commercial" if owner is not None and owner.kind == "company" else "residential", on
    )


def open_account(
    here: OpenPremise, person_id: int, kind: str, on: dt.date, bill_by: str = "letter", mailing_address: str = ""
) -> Account:
    """A new account of a person with this premise as its main one, findable at once."""
    session = here.work.session
    row = here.work.add(
        account_rows.Account(
            number=make_account_number(core.next_sequence(session, "account")),
            person_id=person_id,
            premise_id=here.premise.id,
            kind=kind,
            bill_by=bill_by,
            mailing_address=mailing_address,
            bill_cycle=here.premise.read_cycle,
            opened_on=min(on, here.today),
        )
    )
    account_rows.index_account(session, row.id)
    return row
