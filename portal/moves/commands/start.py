"""Start service: person, account, agreements that wait, deposit, fees, orders, letters; all of it in one transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db import accounts as account_rows
from db import moves
from portal.accounts.commands import add_person, refuse_own, update_person
from portal.accounts.rules import PersonForm, person_problems
from portal.contacts.commands import NOT_CHECKED, identity_problems, link_newcomer
from portal.moves.commands import effect
from portal.moves.commands.confirm import confirm_at_once
from portal.moves.commands.premise import OpenPremise
from portal.moves.commands.promise import tell_dates, told_note
from portal.moves.rules import form, words
from portal.moves.views import facts, steps
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.shared.text import day_text

if TYPE_CHECKING:
    from db.accounts import Account, Person, ServiceAgreement
    from db.core import Work
    from db.moves import Move
    from portal.moves.views.facts import StartContext
    from portal.shared.actor import Actor


@dataclass
class Started:
    """A start as written: what a receipt needs."""

    here: OpenPremise
    move: Move
    account: Account
    person: Person
    agreements: list[ServiceAgreement]
    context: StartContext
    at_once: list[ServiceAgreement] = field(default_factory=list)
    ended_accounts: list[int] = field(default_factory=list)
    promised: int = 0
    """How many of the dates told are recorded as promises."""


@command("move.start")
def start_service(actor: Actor, work: Work, asked: form.StartForm) -> Receipt:
    """Starts one or more services at a premise for a person or company; raises Refused with every problem at once."""
    started = write_start(actor, work, asked)
    started.here.event(
        "move.started",
        started.move,
        evidence=asked.evidence_code,
        held=started.move.hold_reason,
        turnover=bool(started.ended_accounts),
        deposit_cents=started.move.deposit_cents,
        fee_cents=started.move.fee_cents,
    )
    return start_receipt(started, asked)


def write_start(
    actor: Actor, work: Work, asked: form.StartForm, *, kept_deposit: bool = False, kind: str = "start"
) -> Started:
    """The rows of a start. `kept_deposit`: a transfer, where the deposit on the account stays with it."""
    refuse_own(work, actor, account_id=asked.account_id, person_id=asked.person_id)
    here = _hold_premise(work, actor, asked)
    context = facts.start_context(work.session, actor, asked, work.now)
    found = form.start_problems(asked, context.facts)
    if asked.account_id is not None and not found:
        found += _stale_account(work, asked.account_id)
    person_id = facts.applicant_id(work.session, asked)
    if person_id is None:
        found += _record_problems(asked, {problem.field for problem in found})
    if not found and not kept_deposit:
        found += facts.deposit(work.session, asked, person_id, context.facts.today).problems
    unchecked = who_is_speaking(work, asked, f"move.{kind}", person_id)
    if found or unchecked or here is None:
        raise Refused([*found, *unchecked], title="Not started" if found or here is None else NOT_CHECKED)
    asked_on = asked.on
    assert asked_on is not None
    # Deposit and fees are worked out before the rows of this start stand in the way.
    deposit_cents, deposit_reason = _deposit(work, asked, person_id, here, kept_deposit=kept_deposit)
    fee_lines = facts.fees(work.session, asked, context, asked_on)
    person = _person(here, asked, person_id)
    account = _account(here, asked, person, asked_on)
    kinds = here.policy.in_order(asked.service_kinds)
    agreements = [
        here.add_agreement(here.book.points[one], account.id, asked_on, asked.customer_class) for one in kinds
    ]
    move = here.add_move(
        kind,
        account,
        asked_on,
        agreements,
        state_code="held" if context.facts.hold_reason else "pending",
        hold_reason=context.facts.hold_reason,
        evidence_code=asked.evidence_code or None,
        conversation_id=asked.conversation_id,
        deposit_cents=deposit_cents,
        deposit_reason=deposit_reason,
        fee_cents=sum(line.cents for line in fee_lines),
        detail=_detail(asked, fee_lines, context),
    )
    started = Started(here, move, account, person, agreements, context)
    if move.state_code == "held":
        _tell_held(here, started)
    else:
        started.ended_accounts = effect.take_effect(here, move)
        started.at_once = confirm_at_once(here, here.today)
        started.promised = tell_dates(here, move)
    _welcome(here, started)
    link_newcomer(
        work, actor, asked.conversation_id, person_id=person.id, account_id=account.id, premise_id=here.premise.id
    )
    account_rows.index_account(work.session, account.id)
    return started


def _hold_premise(work: Work, actor: Actor, asked: form.StartForm) -> OpenPremise | None:
    """The premise, locked before anything about it is judged; None when none was chosen (the rules say so)."""
    if asked.premise_id is None or moves.premise(work.session, asked.premise_id) is None:
        return None
    return OpenPremise(work, actor, asked.premise_id)


def who_is_speaking(
    work: Work, asked: form.StartForm | form.StopForm, action: str, person_id: int | None
) -> list[Problem]:
    """What still has to be checked about the caller. Whoever has no record yet has nothing to be checked against; who may
    act for a customer is checked with the customer's own PIN and facts."""
    if person_id is None:
        return []
    actions = facts.identity_actions(work.session, asked, action)
    return identity_problems(work, *actions, conversation_id=asked.conversation_id, person_id=person_id)


def _new_entry(asked: form.StartForm) -> PersonForm:
    return PersonForm(
        kind=asked.person_kind,
        name=asked.name,
        phone=asked.phone,
        email=asked.email,
        mailing_address=asked.mailing_address,
    )


def _record_problems(asked: form.StartForm, said: set[str]) -> list[Problem]:
    """What keeps a new customer's record from being made, for fields about which nothing was said yet."""
    named = {"kind": "person_kind"}
    found = [Problem(named.get(one.field, one.field), one.message) for one in person_problems(_new_entry(asked))]
    return [problem for problem in found if problem.field not in said]


def _stale_account(work: Work, account_id: int) -> list[Problem]:
    account = moves.account(work.session, account_id)
    if account is None or account.closed_on is not None:
        return [Problem("account", "The account was closed meanwhile. Start on a new account.")]
    return []


def _deposit(
    work: Work, asked: form.StartForm, person_id: int | None, here: OpenPremise, *, kept_deposit: bool
) -> tuple[int, str]:
    if kept_deposit:
        return 0, words.deposit_kept(moves.account(work.session, asked.account_id or 0))
    decision = facts.deposit(work.session, asked, person_id, here.today)
    return decision.total_cents or 0, "\n".join(facts.deposit_reasons(decision, here.policy))


def _detail(asked: form.StartForm, fee_lines: list[facts.FeeLine], context: StartContext) -> dict[str, object]:
    """What the move keeps besides its columns: choices and amounts, and the words of the evidence."""
    detail: dict[str, object] = {
        "window": asked.window,
        "adult": asked.adult_present,
        "fees": [[line.code, line.name, line.cents] for line in fee_lines],
        "guarantee": asked.guarantee,
        "evidence_note": asked.evidence_note.strip(),
    }
    if context.facts.own_debts:
        detail["own_debt"] = {
            "choice": asked.own_debt,
            "cents": sum(one.cents for one in context.facts.own_debts),
            "accounts": [one.account_number for one in context.facts.own_debts],
            "months": asked.own_debt_months if asked.own_debt == "instalments" else None,
            "consent": asked.own_debt_consent,
        }
    if asked.benefited.strip():
        detail["benefited"] = asked.benefited.strip()
    return detail


def _person(here: OpenPremise, asked: form.StartForm, person_id: int | None) -> Person:
    """The customer: found and brought up to date, or new; the record is the accounts room's own doing."""
    session = here.work.session
    known = moves.person(session, person_id) if person_id is not None else None
    if known is None:
        added = moves.person(session, add_person(here.actor, _new_entry(asked)).subject_id)
        assert added is not None
        return added
    changed = facts.new_contacts(session, asked, known.id)
    if changed:
        entry = PersonForm(
            kind=known.kind,
            name=known.name,
            phone=changed.get("phone", known.phone),
            other_phone=known.other_phone,
            email=changed.get("email", known.email),
            mailing_address=changed.get("mailing_address", known.mailing_address),
            language=known.language,
            exempt=known.exempt_from_public_records,
            person_id=known.id,
            version=known.version,
            conversation_id=asked.conversation_id,
        )
        update_person(here.actor, entry)
        session.refresh(known)
    return known


def _account(here: OpenPremise, asked: form.StartForm, person: Person, on: dt.date) -> Account:
    account = moves.account(here.work.session, asked.account_id) if asked.account_id is not None else None
    if account is not None:
        return account
    return effect.open_account(
        here, person.id, asked.customer_class, on, asked.bill_by, " ".join(asked.mailing_address.split())
    )


def _tell_held(here: OpenPremise, started: Started) -> None:
    """The present party of a held start is asked to call; nothing of theirs changes."""
    for account_id in {
        started.context.displaced[kind].account_id
        for kind in started.move.service_kinds
        if kind in started.context.displaced
    }:
        account = moves.account(here.work.session, account_id)
        if account is not None:
            here.work.message(
                "letter",
                template="turnover_held",
                recipient_kind="person",
                recipient_id=account.person_id,
                subject_kind="move",
                subject_id=started.move.id,
                detail={"on": started.move.on.isoformat()},
            )


def _welcome(here: OpenPremise, started: Started) -> None:
    channel = "email" if started.account.bill_by == "email" else "letter"
    here.work.message(
        channel,
        template="welcome" if started.move.state_code == "pending" else "start_held",
        recipient_kind="person",
        recipient_id=started.person.id,
        subject_kind="move",
        subject_id=started.move.id,
        detail={"on": started.move.on.isoformat(), "service_kinds": list(started.move.service_kinds)},
    )


def start_receipt(started: Started, asked: form.StartForm) -> Receipt:
    """What the representative reads out and what happens when."""
    here, move = started.here, started.move
    held = move.state_code == "held"
    number_of = len(move.service_kinds)
    when = day_text(move.on, here.today)
    if held:
        title = f"Start of {number_of} service{'' if number_of == 1 else 's'} is taken and held"
    elif started.at_once and {row.id for row in started.agreements} <= {row.id for row in started.at_once}:
        title = f"{here.policy.names_of(move.service_kinds).capitalize()} started {when}"
    else:
        title = f"Start of {number_of} service{'' if number_of == 1 else 's'} is booked for {when}"
    plan = steps.start_steps(
        here.work.session, here.book, here.opened, started.at_once, move.on, here.today, move.service_kinds
    )
    return Receipt(
        title=title,
        number=move.number,
        say=words.start_said(
            here.policy,
            move,
            here.premise.address,
            here.today,
            started.at_once,
            own_debt=words.own_debt_said(started.context.facts, asked),
            turnover=bool(started.ended_accounts),
        ),
        steps=() if held else plan,
        orders=tuple((row.number, f"{row.name} · {row.order_code}") for row in here.opened),
        subject_kind="move",
        subject_id=move.id,
        go="customer",
        go_query=(("account", str(started.account.id)),),
        notes=words.start_notes(here.policy, move, started.account.number, started.context.facts)
        + told_note(started.promised),
    )
