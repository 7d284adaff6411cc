"""What the start, stop and transfer pages show: defaults before anything is typed, and the plan worked out from the answers."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db import accounts as account_rows
from db import core, moves
from portal.contacts.views import identity_needs
from portal.moves.rules import debt, form, order, words
from portal.moves.views import facts, steps
from portal.moves.views import policy as policy_rows
from portal.moves.views.book import load_book
from portal.shared.text import day_text, format_phone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.contacts.rules import IdentityNeed
    from portal.moves.views.facts import StartContext
    from portal.shared.actor import Actor
    from portal.shared.receipt import Step


@dataclass(frozen=True)
class KindChoice:
    """A service kind the premise has a point for."""

    code: str
    name: str
    icon: str
    preselected: bool


@dataclass(frozen=True)
class PlaceChoice:
    """A premise to choose from."""

    premise_id: int
    line: str
    """“61 Tanner St, 32303 · house, 2 meters”."""


@dataclass(frozen=True)
class Customer:
    """What is known of the person, to be typed by nobody."""

    person_id: int | None = None
    account_id: int | None = None
    account_number: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    mailing_address: str = ""
    person_kind: str = "person"
    customer_class: str = "residential"
    bill_by: str = "email"
    address: str = ""


@dataclass(frozen=True)
class StartScreen:
    """A start before it is planned: the choices and their defaults."""

    today: dt.date
    customer: Customer
    place: PlaceChoice | None
    address: str = ""
    customer_class: str = "residential"
    kinds: tuple[KindChoice, ...] = ()
    on: dt.date | None = None
    """The first day all preselected services can be had without a same-day fee."""
    last_on: dt.date | None = None
    windows: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    guarantees: Mapping[str, str] = field(default_factory=lambda: form.GUARANTEES)
    may_override: bool = False


@dataclass(frozen=True)
class DepositCard:
    """The deposit as the panel shows it."""

    cents: int | None
    badge: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class StartPlan:
    """A start as answered so far: what it costs, what happens next, what is still missing."""

    occupied: str
    """The sentence about who is still active; empty: nobody."""
    evidence_needed: bool
    evidence_ask: str
    evidence_note_needed: bool
    hold: str
    """Why it will be held; empty: it will not."""
    visit_needed: bool
    adult_needed: str
    """Which services need an adult at home, as a sentence; empty: none."""
    earliest_on: dt.date | None
    deposit: DepositCard
    fees: tuple[tuple[str, int], ...]
    fee_cents: int
    debt_note: debt.OtherDebt | None
    own_debt: str
    """What the applicant still owes, as a sentence; empty: nothing."""
    own_debt_choices: Mapping[str, str]
    own_debt_text: str
    steps: tuple[Step, ...]
    read_back: str
    units: tuple[str, ...] = ()
    identity: IdentityNeed | None = None
    """The check of who is speaking that it needs; None: none."""


@dataclass(frozen=True)
class StopScreen:
    """A stop before it is planned, and the plan for the answers so far."""

    today: dt.date
    customer: Customer
    places: tuple[PlaceChoice, ...]
    premise_id: int | None = None
    address: str = ""
    kinds: tuple[KindChoice, ...] = ()
    on: dt.date | None = None
    windows: Mapping[str, str] = field(default_factory=dict)
    asked_by: Mapping[str, str] = field(default_factory=lambda: form.ASKED_BY)
    landlord: str = ""
    continuity: str = ""
    """What the owner takes over, as a sentence; empty: service is turned off."""
    pending: str = ""
    """Ends that are already booked, as a sentence."""
    visit_needed: bool = False
    steps: tuple[Step, ...] = ()
    read_back: str = ""
    identity: IdentityNeed | None = None
    """The check of who is speaking that it needs; None: none."""


@dataclass(frozen=True)
class MoveCard:
    """A move in a customer's list."""

    id: int
    version: int
    number: str
    title: str
    state_code: str
    hold: str
    changeable: bool
    """Whether it can be cancelled on its own."""
    can_hold: bool
    person_id: int
    conversation_id: int | None
    """In which it was booked: while that call goes on, nobody is checked again."""


@dataclass(frozen=True)
class ResultScreen:
    """What the field result of an order is asked with."""

    agreement_id: int
    version: int
    what: str
    on: dt.date
    meter: str
    """The number and unit of the meter to read; empty: none."""
    last: str
    """The last reading; empty: none."""
    hold: str


# --- choosing ---------------------------------------------------------------------------------------------------------


def premise_choices(text: str, most: int = 9) -> list[PlaceChoice]:
    """Premises for an address as typed, best first."""
    with core.read() as session:
        today = facts.local_today(core.now())
        ids: list[int] = []
        for found in account_rows.find(session, text, most * 2):
            premise_id = found.subject_id if found.kind == "premise" else found.premise_id
            if found.kind == "account" and (account := moves.account(session, found.subject_id)) is not None:
                premise_id = account.premise_id  # somebody is there, or was: the place is found under their account
            if premise_id is not None and premise_id not in ids:
                ids.append(premise_id)
        return [choice for one in ids[:most] if (choice := _place(session, one, today)) is not None]


def _place(session: Session, premise_id: int, today: dt.date) -> PlaceChoice | None:
    premise = moves.premise(session, premise_id)
    if premise is None:
        return None
    meters = len(moves.meters(session, premise_id))
    counted = f", {meters} meter{'' if meters == 1 else 's'}" if meters else ""
    return PlaceChoice(premise.id, f"{premise.address}, {premise.zip} · {premise.kind}{counted}")


def stop_places(account_id: int) -> list[PlaceChoice]:
    """Where the account is served."""
    with core.read() as session:
        today = facts.local_today(core.now())
        return [
            choice
            for row in moves.premises_of_account(session, account_id)
            if (choice := _place(session, row.id, today)) is not None
        ]


def _customer(session: Session, account_id: int | None, person_id: int | None) -> Customer:
    account = moves.account(session, account_id) if account_id is not None else None
    person = moves.person(session, account.person_id if account is not None else person_id or 0)
    if person is None:
        return Customer(bill_by="letter")
    premise = (
        moves.premise(session, account.premise_id) if account is not None and account.premise_id is not None else None
    )
    is_open = account is not None and account.closed_on is None
    return Customer(
        person_id=person.id,
        account_id=account.id if account is not None and is_open else None,
        account_number=account.number if account is not None and is_open else "",
        name=person.name,
        phone=format_phone(person.phone),
        email=person.email,
        mailing_address=account.mailing_address
        if account is not None and account.mailing_address
        else person.mailing_address,
        person_kind=person.kind,
        customer_class=account.kind
        if account is not None
        else "commercial"
        if person.kind == "company"
        else "residential",
        bill_by=account.bill_by if account is not None and person.email else "email" if person.email else "letter",
        address="" if premise is None else premise.address,
    )


# --- start ------------------------------------------------------------------------------------------------------------


def start_form(
    actor: Actor, premise_id: int | None = None, account_id: int | None = None, person_id: int | None = None
) -> StartScreen:
    """Everything the form offers at a premise for a customer, with defaults that are right most of the time."""
    with core.read() as session:
        now = core.now()
        today = facts.local_today(now)
        customer = _customer(session, account_id, person_id)
        policy = policy_rows.move_policy(session, today)
        place = _place(session, premise_id, today) if premise_id is not None else None
        override = actor.may(policy.turnover.override_permission) or actor.may("*")
        screen = StartScreen(
            today,
            customer,
            place,
            customer_class=customer.customer_class,
            windows=dict(policy.dates.windows),
            evidence={row.code: row.name for row in policy.evidence.values()},
            last_on=today + dt.timedelta(days=policy.dates.ahead_days),
            may_override=override,
        )
        if place is None or premise_id is None:
            return screen
        asked = form.StartForm(
            premise_id, (), None, customer.name, account_id=customer.account_id, person_id=customer.person_id
        )
        context = facts.start_context(session, actor, asked, now)
        points = context.facts.points
        kinds = policy.in_order(points)
        chosen = tuple(kind for kind in kinds if not points[kind].own_state)
        first = max(today, form.earliest_on(dataclasses.replace(asked, service_kinds=chosen), context.facts))
        if first == today and any(points[kind].people_needed for kind in chosen):
            # A visit today costs the same-day fee: not what is offered first.
            first = today + dt.timedelta(days=1)
        premise = moves.premise(session, premise_id)
        assert premise is not None
        return dataclasses.replace(
            screen,
            address=premise.address,
            customer_class="commercial"
            if premise.kind == "business" or customer.customer_class == "commercial"
            else "residential",
            kinds=tuple(
                KindChoice(kind, policy.name_of(kind), policy.kinds[kind].icon, kind in chosen)
                for kind in kinds
                if kind in policy.kinds
            ),
            on=order.next_working_day(first, context.facts.calendar),
        )


def start_plan(actor: Actor, asked: form.StartForm, *, transfer: bool = False) -> StartPlan:
    """What the answers so far come to; worked out again whenever one of them changes."""
    with core.read() as session:
        now = core.now()
        context = facts.start_context(session, actor, asked, now)
        known = context.facts
        policy = known.policy
        occupied = form.occupied_kinds(asked, known)
        evidence = policy.evidence.get(asked.evidence_code)
        needed = bool(occupied) and not known.is_owner
        deposit = _deposit_card(session, asked, context, transfer=transfer)
        fee_lines = facts.fees(session, asked, context, asked.on) if asked.on is not None else []
        fee_cents = sum(line.cents for line in fee_lines)
        total_own = sum(one.cents for one in known.own_debts)
        adult = [kind for kind in asked.service_kinds if kind in known.points and known.points[kind].adult_needed]
        address = context.book.premise.address if context.book is not None else ""
        return StartPlan(
            occupied=words.SOMEONE_ACTIVE if occupied else "",
            evidence_needed=needed,
            evidence_ask="" if evidence is None or not needed else evidence.ask,
            evidence_note_needed=needed and evidence is not None and evidence.needs_note,
            hold=words.HOLD_REASONS.get(known.hold_reason, known.hold_reason),
            visit_needed=any(known.points[kind].people_needed for kind in asked.service_kinds if kind in known.points),
            adult_needed=f"An adult will be at home for {policy.names_of(adult)}" if adult else "",
            earliest_on=form.earliest_on(asked, known) if known.premise_found else None,
            deposit=deposit,
            fees=tuple((line.name, line.cents) for line in fee_lines),
            fee_cents=fee_cents,
            debt_note=_debt_note(context),
            own_debt=_own_debt(known) if total_own else "",
            own_debt_choices=debt.OWN_DEBT_CHOICES,
            own_debt_text=known.debts.own_text if known.debts is not None and total_own else "",
            steps=_plan(session, asked, context),
            read_back=words.read_back(
                policy, asked.service_kinds, address, asked.on, asked.name, deposit.cents, fee_cents
            ),
            units=known.units,
            identity=_identity(
                session, asked, "move.transfer" if transfer else "move.start", facts.applicant_id(session, asked), now
            ),
        )


def _identity(
    session: Session,
    asked: form.StartForm | form.StopForm,
    action: str,
    person_id: int | None,
    now: dt.datetime,
) -> IdentityNeed | None:
    """The most demanding check of who is speaking that the answers so far meet; a new customer has nothing to be checked."""
    if person_id is None:
        return None
    actions = facts.identity_actions(session, asked, action)
    needs = identity_needs(session, actions, asked.conversation_id, person_id, now)
    return needs[0] if needs else None


def _debt_note(context: StartContext) -> debt.OtherDebt | None:
    known = context.facts
    if known.debts is None or context.book is None:
        return None
    return debt.other_debt(known.other_debt_cents, rental=context.book.premise.rental, policy=known.debts)


def _own_debt(known: form.StartFacts) -> str:
    problems = (
        debt.own_debt_problems(list(known.own_debts), "", False, None, known.debts) if known.debts is not None else []
    )
    return problems[0].message if problems else ""


def _deposit_card(session: Session, asked: form.StartForm, context: StartContext, *, transfer: bool) -> DepositCard:
    if transfer and asked.account_id is not None:
        return DepositCard(0, "Carried over", (words.deposit_kept(moves.account(session, asked.account_id)),))
    if not asked.service_kinds:
        return DepositCard(None, "", ("Choose services to see the deposit.",))
    decision = facts.deposit(session, asked, facts.applicant_id(session, asked), context.facts.today)
    if decision.total_cents is None:
        return DepositCard(None, "", tuple(problem.message for problem in decision.problems))
    badge = ""
    if decision.total_cents == 0:
        rows = {line.row_code for line in decision.lines}
        badge = "Waived by rule" if len(rows) > 1 or rows != {"not_asked"} else "None asked"
    return DepositCard(decision.total_cents, badge, facts.deposit_reasons(decision, context.facts.policy))


def _plan(session: Session, asked: form.StartForm, context: StartContext) -> tuple[Step, ...]:
    if asked.on is None or context.book is None or not asked.service_kinds:
        return ()
    known, book = context.facts, context.book
    plans: list[steps.PlannedOrder] = []
    for kind in asked.service_kinds:
        if kind not in book.points:
            continue
        needed = book.order_for(kind, starting=True, follows_someone=kind in context.displaced)
        if needed is not None:
            plans.append((needed, kind, order.planned_on(needed, asked.on, known.today, known.calendar)))
    return steps.plan_steps(session, book, plans, asked.on, known.today, asked.service_kinds)


# --- stop -------------------------------------------------------------------------------------------------------------


def stop_form(account_id: int | None, premise_id: int | None = None, asked: form.StopForm | None = None) -> StopScreen:
    """The stop form of an account at one premise, and what the answers so far come to."""
    with core.read() as session:
        now = core.now()
        today = facts.local_today(now)
        customer = _customer(session, account_id, None)
        account = moves.account(session, account_id) if account_id is not None else None
        if account is None:
            return StopScreen(today, customer, ())
        served = moves.premises_of_account(session, account.id)
        places = tuple(choice for row in served if (choice := _place(session, row.id, today)) is not None)
        ids = [place.premise_id for place in places]
        chosen = premise_id if premise_id in ids else ids[0] if ids else None
        if chosen is None:
            return StopScreen(today, customer, places)
        empty = form.StopForm(account.id, chosen, (), None)
        context = facts.stop_context(session, asked or empty, now)
        known, book = context.facts, context.book
        assert book is not None
        policy = known.policy
        running = policy.in_order(kind for kind, one in known.held.items() if one.state_code == "active")
        booked = [kind for kind, one in known.held.items() if one.state_code == "pending_stop"]
        ends = {kind: one.ends_on for kind, one in known.held.items() if one.ends_on is not None and kind in booked}
        kinds = running if asked is None else asked.service_kinds
        owner = [kind for kind in kinds if kind in context.continuity_kinds]
        visited = any(known.held[kind].people_needed for kind in kinds if kind in known.held)
        first = known.earliest_visit_on if visited else today
        on = order.next_working_day(first, known.calendar)
        day = asked.on if asked is not None and asked.on is not None else on
        return StopScreen(
            today,
            customer,
            places,
            premise_id=chosen,
            address=book.premise.address,
            kinds=tuple(
                KindChoice(kind, policy.name_of(kind), policy.kinds[kind].icon, kind in running)
                for kind in policy.in_order(known.held)
                if kind in policy.kinds and known.held[kind].state_code != "pending_start"
            ),
            on=on,
            windows=dict(policy.dates.windows),
            landlord=f"{known.landlord_text} ({known.landlord_citation})" if known.landlord_text else "",
            continuity=f"{policy.continuity.text} ({policy.names_of(policy.in_order(owner)).capitalize()}.)"
            if owner
            else "",
            pending="; ".join(
                f"{policy.name_of(kind)} already ends on {day_text(on_day, today)}"
                for kind, on_day in ends.items()
                if on_day
            ),
            visit_needed=visited,
            steps=_stop_plan(session, context, kinds, day, owner),
            read_back=_stop_read_back(context, kinds, day, bool(owner)),
            identity=_identity(session, asked or empty, "move.stop", account.person_id, now),
        )


def _stop_plan(
    session: Session, context: facts.StopContext, kinds: Sequence[str], on: dt.date, owner: Sequence[str]
) -> tuple[Step, ...]:
    known, book = context.facts, context.book
    assert book is not None
    plans: list[steps.PlannedOrder] = []
    for kind in kinds:
        if kind not in book.points:
            continue
        # The owner's start on the same reading leaves the point on.
        needed = book.order_for(kind, starting=kind in owner, follows_someone=kind in owner)
        if needed is not None:
            plans.append((needed, kind, order.planned_on(needed, on, known.today, known.calendar)))
    return steps.stop_steps(session, book, plans, (), on, known.today, list(owner))


def _stop_read_back(context: facts.StopContext, kinds: Sequence[str], on: dt.date, to_owner: bool) -> str:
    policy, book = context.facts.policy, context.book
    if not kinds or book is None:
        return "Choose the services and the day; the words to read back appear here."
    after = "It stays on in the owner's name." if to_owner else "It is turned off that day."
    return f"I am ending {policy.names_of(policy.in_order(kinds))} at {book.premise.address} on {words.spoken_day(on)}. {after} Is that right?"


# --- moves of a customer ----------------------------------------------------------------------------------------------


def move_cards(account_id: int) -> list[MoveCard]:
    """An account's moves, newest first; the other party of a turnover is never named."""
    with core.read() as session:
        today = facts.local_today(core.now())
        policy = policy_rows.move_policy(session, today)
        cards = []
        for row in moves.moves_of_account(session, account_id):
            premise = moves.premise(session, row.premise_id)
            what = {"start": "Start", "stop": "Stop", "transfer": "Transfer"}[row.kind]
            tied = bool(row.detail.get("turnover") or row.detail.get("automatic"))
            open_ = row.state_code in ("pending", "held")
            cards.append(
                MoveCard(
                    row.id,
                    row.version,
                    row.number,
                    f"{what} of {policy.names_of(row.service_kinds)} at {'' if premise is None else premise.address}, {day_text(row.on, today)}",
                    row.state_code,
                    words.HOLD_REASONS.get(row.hold_reason, "") if row.state_code == "held" else "",
                    changeable=open_ and not tied,
                    can_hold=row.state_code == "pending" and row.kind != "stop" and not tied,
                    person_id=row.person_id,
                    conversation_id=row.conversation_id,
                )
            )
        return cards


def result_form(order_id: int) -> ResultScreen | None:
    """The agreement that waits for an order's result; None when nothing does."""
    with core.read() as session:
        today = facts.local_today(core.now())
        row = moves.agreement_of_order(session, order_id)
        point = None if row is None else moves.point(session, row.service_point_id)
        premise = None if point is None else moves.premise(session, point.premise_id)
        if row is None or point is None or premise is None or row.state_code not in ("pending_start", "pending_stop"):
            return None
        policy = policy_rows.move_policy(session, today)
        start = load_book(session, premise, policy).move_of(row.id)
        starts = row.state_code == "pending_start"
        day = row.start_on if starts else row.stop_on or today
        meter = moves.meters(session, premise.id).get(point.id)
        before = moves.reads_around(session, meter.id, today)[0] if meter is not None else []
        return ResultScreen(
            row.id,
            row.version,
            f"{policy.name_of(row.service_kind)} {'starts' if starts else 'ends'} at {premise.address}, booked for {day_text(day, today)}",
            today,
            "" if meter is None else f"{meter.number}, {meter.unit}",
            f"Last reading {before[0].read:,} on {day_text(before[0].read_on, today)}" if before else "",
            words.HOLD_REASONS.get(start.hold_reason, "") if start is not None and start.state_code == "held" else "",
        )
