"""The facts a start or stop is decided by, from the rows of one moment."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db import core, moves
from portal import settings
from portal.billing.rules.deposit import ApplicantRecord, DepositDecision, deposit_for
from portal.billing.rules.fee import fee_cents
from portal.moves.rules import debt, form, turnover
from portal.moves.rules.order import earliest_visit_on
from portal.moves.views import policy as policy_rows
from portal.moves.views.book import Book, load_book
from portal.shared.text import parse_phone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.moves.rules.policy import MovePolicy
    from portal.shared.actor import Actor
    from portal.shared.calendar import BusinessCalendar

HISTORY_DAYS = 3 * 366
"""How far back bills are looked at for a deposit."""


@dataclass(frozen=True)
class StartContext:
    """Facts of a start with the rows behind them."""

    facts: form.StartFacts
    book: Book | None
    displaced: dict[str, turnover.Tenure]
    """By service kind: whose agreement the start ends."""


def local_today(now: dt.datetime) -> dt.date:
    """The civil day in the city."""
    return now.astimezone(settings.current().time_zone).date()


def start_context(session: Session, actor: Actor, asked: form.StartForm, now: dt.datetime) -> StartContext:
    """Everything a start is checked against."""
    today = local_today(now)
    policy = policy_rows.move_policy(session, today)
    calendar = policy_rows.work_calendar(session, policy.dates.calendar_code, today)
    visit_on = earliest_visit_on(now, policy.dates.same_day_until, calendar)
    premise = moves.premise(session, asked.premise_id) if asked.premise_id is not None else None
    known_id = applicant_id(session, asked)
    known = moves.person(session, known_id) if known_id is not None else None
    nowhere = form.StartFacts(
        today=today,
        premise_found=False,
        policy=policy,
        calendar=calendar,
        earliest_visit_on=visit_on,
        may_override=actor.may(policy.turnover.override_permission) or actor.may("*"),
        phone_on_file=known is not None and known.phone != "",
        email_on_file=known is not None and known.email != "",
    )
    if premise is None:
        return StartContext(nowhere, None, {})
    book = core.once(session, ("book", premise.id), lambda: load_book(session, premise, policy))
    on = asked.on or today
    displaced: dict[str, turnover.Tenure] = {}
    points: dict[str, form.OpenPoint] = {}
    contested_accounts: set[int] = set()
    person_id, account_problem = _applicant(session, asked)
    own_accounts = frozenset(moves.account_ids_of_person(session, person_id) if person_id is not None else ())
    holders = tuple(sorted({row.account_id for row in book.agreements}))
    billed = core.once(session, ("billed until", holders), lambda: moves.billed_until(session, list(holders)))
    for kind in book.points:
        points[kind], holder, contested = _point(book, kind, own_accounts, on, billed)
        if holder is not None:
            displaced[kind] = holder
        if kind in asked.service_kinds:
            contested_accounts |= contested
    debts = policy_rows.debt_policy(session, today)
    own = (
        [debt.OldDebt(*row) for row in moves.closed_account_debts(session, person_id)] if person_id is not None else []
    )
    other_cents = core.once(
        session, ("other debt", premise.id, person_id), lambda: moves.other_debt_cents(session, premise.id, person_id)
    )
    own_asked = debt.own_debt_asked(own, today, debts)
    if asked.benefited.strip() and other_cents > 0:
        # The exception of F.S. 180.135: who had the benefit of the service is asked for it like an own debt.
        own_asked.append(debt.OldDebt(f"at {premise.address}", other_cents, None))
    facts = dataclasses.replace(
        nowhere,
        premise_found=True,
        points=points,
        units=core.once(session, ("units", premise.id), lambda: tuple(moves.units_at(session, premise))),
        is_owner=person_id is not None and premise.owner_id == person_id,
        hold_reason=_hold_reason(
            session,
            book,
            [displaced[kind] for kind in asked.service_kinds if kind in displaced],
            bool(contested_accounts),
            today,
        ),
        own_debts=tuple(own_asked),
        debts=debts,
        other_debt_cents=other_cents,
        account_problem=account_problem,
    )
    return StartContext(facts, book, displaced)


def _point(
    book: Book, kind: str, own_accounts: frozenset[int], on: dt.date, billed: Mapping[int, dt.date]
) -> tuple[form.OpenPoint, turnover.Tenure | None, set[int]]:
    """A point as the applicant finds it, whose agreement the start ends, and the accounts that also want it."""
    order = book.succession(kind)
    tenures = book.tenures(kind)
    own = next((one for one in tenures if one.account_id in own_accounts), None)
    own_move = None if own is None else book.move_of(own.agreement_id) or book.stop_of(own.agreement_id)
    holder = None if own is not None else turnover.displaced_by(order, on)
    contested = {one.account_id for one in turnover.contested_by(order, tenures) if one.account_id not in own_accounts}
    since = None
    if holder is not None:
        since = max(holder.start_on, billed.get(holder.account_id, holder.start_on))
    needed = book.order_for(kind, starting=True, follows_someone=holder is not None)
    point = form.OpenPoint(
        service_kind=kind,
        people_needed=needed is not None and needed.how in ("visit", "appointment"),
        adult_needed=needed is not None and needed.adult_present,
        other_since_on=since,
        contested=bool(contested),
        own_state="" if own is None else own.state_code,
        own_number="" if own_move is None else own_move.number,
    )
    return point, holder, contested


def applicant_id(session: Session, asked: form.StartForm) -> int | None:
    """The person who applies: the account's holder, or the customer named; None for a new one."""
    return _applicant(session, asked)[0]


def new_contacts(session: Session, asked: form.StartForm, person_id: int | None) -> dict[str, str]:
    """What a start says anew about reaching a customer on record, by field; empty for a new customer and when all is as it
    was. A mailing address that is the account's own says nothing new about the person."""
    known = None if person_id is None else moves.person(session, person_id)
    if known is None:
        return {}
    account = None if asked.account_id is None else moves.account(session, asked.account_id)
    said = {
        "phone": _digits(asked.phone),
        "email": asked.email.strip(),
        "mailing_address": " ".join(asked.mailing_address.split()),
    }
    changed = {code: value for code, value in said.items() if value and value != getattr(known, code)}
    if account is not None and changed.get("mailing_address") == account.mailing_address:
        changed.pop("mailing_address", None)
    return changed


def new_phone(session: Session, asked: form.StopForm) -> str:
    """The number a stop leaves for afterwards; empty when it is the one on file, or none."""
    account = None if asked.account_id is None else moves.account(session, asked.account_id)
    known = None if account is None else moves.person(session, account.person_id)
    phone = _digits(asked.phone)
    return "" if known is None or phone == known.phone else phone


def _digits(phone: str) -> str:
    """Ten digits; as typed while it is no number yet."""
    try:
        return parse_phone(phone) if phone.strip() else ""
    except ValueError:
        return phone


def identity_actions(session: Session, asked: form.StartForm | form.StopForm, action: str) -> tuple[str, ...]:
    """The policy rows about who is speaking that a start, stop or transfer meets: its own, and that of changed contacts."""
    if isinstance(asked, form.StopForm):
        return (action, "customer.edit") if new_phone(session, asked) else (action,)
    return (action, "customer.edit") if new_contacts(session, asked, applicant_id(session, asked)) else (action,)


def _applicant(session: Session, asked: form.StartForm) -> tuple[int | None, str]:
    """The person who applies, and why the account or person named cannot be used."""
    if asked.account_id is not None:
        account = moves.account(session, asked.account_id)
        if account is None:
            return asked.person_id, "There is no such account. Choose the account again, or start on a new one."
        if account.closed_on is not None:
            return account.person_id, f"Account {account.number} is closed. Start on a new account."
        if asked.person_id is not None and asked.person_id != account.person_id:
            return account.person_id, f"Account {account.number} belongs to someone else. Start on a new account."
        return account.person_id, ""
    if asked.person_id is not None:
        person = moves.person(session, asked.person_id)
        if person is None:
            return None, "There is no such customer. Find the customer again, or enter a new one."
        if person.merged_into_id is not None:
            return (
                person.merged_into_id,
                "This customer's record was merged into another one. Open that one and start there.",
            )
    return asked.person_id, ""


def _hold_reason(
    session: Session, book: Book, holders: Sequence[turnover.Tenure], contested: bool, today: dt.date
) -> str:
    """Why a start is taken but held: two starts for one point, or a flag of the policy on who is there. Empty: not held."""
    if contested:
        return "dispute"
    if not holders:
        return ""
    subjects = [("premise", book.premise.id)]
    for account_id in {holder.account_id for holder in holders}:
        account = moves.account(session, account_id)
        if account is not None:
            subjects += [("account", account.id), ("person", account.person_id)]
    codes = moves.flag_codes(session, subjects, book.policy.turnover.hold_flags, today)
    return next((code for code in book.policy.turnover.hold_flags if code in codes), "")


# --- deposit and fees -------------------------------------------------------------------------------------------------


def deposit(session: Session, asked: form.StartForm, person_id: int | None, today: dt.date) -> DepositDecision:
    """The deposit by the rows of the policy, with its reasons."""
    return deposit_for(
        policy_rows.deposit_policy(session, today), asked.service_kinds, _record(session, asked, person_id, today)
    )


def deposit_reasons(decision: DepositDecision, policy: MovePolicy) -> tuple[str, ...]:
    """Each reason once: services that share one are named together, as the desk names them."""
    grouped: dict[str, list[str]] = {}
    for line in decision.lines:
        pattern = line.reason.replace(f"for {line.service_kind}", "for {kinds}")
        pattern = pattern.replace(
            f"monthly {line.service_kind} bill", f"monthly {policy.name_of(line.service_kind).lower()} bill"
        )
        grouped.setdefault(pattern, []).append(line.service_kind)
    reasons = []
    for pattern, kinds in grouped.items():
        # An amount that two services share is asked for each of them: it is not one amount for both.
        each = (
            pattern.replace(" for {kinds}", " each for {kinds}", 1) if pattern[0] == "$" and len(kinds) > 1 else pattern
        )
        reasons.append(each.replace("{kinds}", policy.names_of(policy.in_order(kinds))))
    return tuple(reasons)


def _record(session: Session, asked: form.StartForm, person_id: int | None, today: dt.date) -> ApplicantRecord:
    since = today - dt.timedelta(days=HISTORY_DAYS)
    year = today - dt.timedelta(days=366)
    own_ids = moves.account_ids_of_person(session, person_id) if person_id is not None else []
    premise_ids = moves.account_ids_of_premise(session, asked.premise_id) if asked.premise_id is not None else []
    own_months, own_average = _averages(session, own_ids, year)
    premise_months, premise_average = _averages(session, [one for one in premise_ids if one not in own_ids], year)
    return ApplicantRecord(
        customer_class=asked.customer_class,
        on_time_months=min(
            (_on_time_months(session, one, since, today) for one in _billed(session, own_ids, since)), default=0
        ),
        own_months=own_months,
        own_average_cents=own_average,
        premise_months=premise_months,
        premise_average_cents=premise_average,
        guarantee=asked.guarantee or None,
    )


def _billed(session: Session, account_ids: list[int], since: dt.date) -> list[int]:
    """Those accounts that had a bill since a day: an old closed one says nothing about how a customer pays today."""
    return sorted({bill.account_id for bill in moves.bills_since(session, account_ids, since)}) if account_ids else []


def _averages(session: Session, account_ids: list[int], since: dt.date) -> tuple[int, dict[str, int]]:
    """Months billed since a day and the average monthly bill in cents by service kind."""
    if not account_ids:
        return 0, {}
    months: set[str] = set()
    sums: dict[str, int] = {}
    for bill in moves.bills_since(session, account_ids, since):
        months.add(bill.billed_on.isoformat()[:7])
        for line in bill.lines:
            sums[line[0]] = sums.get(line[0], 0) + int(line[4])
    return len(months), {kind: cents // len(months) for kind, cents in sums.items()} if months else {}


def _on_time_months(session: Session, account_id: int, since: dt.date, today: dt.date) -> int:
    """How many of the latest bills in a row were fully paid when they fell due: payments so far cover bills so far."""
    bills, payments = moves.billed_and_paid(session, account_id)
    run, billed = 0, 0
    paid, at = 0, 0
    for due_on, cents in bills:
        billed += cents
        while at < len(payments) and payments[at][0] <= due_on:
            paid += payments[at][1]
            at += 1
        if due_on >= today and paid < billed:
            continue  # not due yet: says nothing
        run = run + 1 if paid >= billed else 0
    return run


@dataclass(frozen=True)
class FeeLine:
    """One fee of a move."""

    code: str
    name: str
    cents: int


def fees(session: Session, asked: form.StartForm, context: StartContext, on: dt.date | None) -> list[FeeLine]:
    """Connection per service kind that is turned on in a new name, and the same-day fee for a visit today."""
    facts, book = context.facts, context.book
    if book is None:
        return []
    lines = []
    connect = policy_rows.fee(session, "connect", facts.today)
    for kind in asked.service_kinds:
        cents = fee_cents(connect, facts.today, service_kind=kind) if connect is not None else None
        if cents and kind in book.points:
            lines.append(FeeLine("connect", f"Connection, {facts.policy.name_of(kind).lower()}", cents))
    visited = any(facts.points[kind].people_needed for kind in asked.service_kinds if kind in facts.points)
    if visited and on == facts.today:
        same_day = policy_rows.fee(session, "same_day", facts.today)
        cents = fee_cents(same_day, facts.today) if same_day is not None else None
        if cents:
            lines.append(FeeLine("same_day", "Same-day visit", cents))
    return lines


# --- stop -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StopContext:
    """Facts of a stop with the rows behind them."""

    facts: form.StopFacts
    book: Book | None
    continuity_kinds: tuple[str, ...]
    """Kinds the owner takes over."""


def stop_context(session: Session, asked: form.StopForm, now: dt.datetime) -> StopContext:
    """Everything a stop is checked against."""
    today = local_today(now)
    policy: MovePolicy = policy_rows.move_policy(session, today)
    calendar: BusinessCalendar = policy_rows.work_calendar(session, policy.dates.calendar_code, today)
    landlord = policy_rows.policy_detail(session, "landlord_stop", today)
    account = moves.account(session, asked.account_id) if asked.account_id is not None else None
    premise = moves.premise(session, asked.premise_id) if asked.premise_id is not None else None
    nothing = form.StopFacts(
        today=today,
        account_found=account is not None,
        premise_found=False,
        policy=policy,
        calendar=calendar,
        earliest_visit_on=earliest_visit_on(now, policy.dates.same_day_until, calendar),
        landlord_text=str(landlord.get("text", "")),
        landlord_citation=str(landlord.get("citation", "")),
    )
    if account is None or premise is None:
        return StopContext(nothing, None, ())
    book = load_book(session, premise, policy)
    billed = moves.billed_until(session, [account.id]).get(account.id)
    held = {}
    for kind, point in book.points.items():
        row = next(
            (one for one in book.agreements if one.service_point_id == point.id and one.account_id == account.id), None
        )
        if row is None:
            continue
        stop, order = book.stop_of(row.id), book.succession(kind)
        follower = order.next_after(row.id)
        needed = book.order_for(kind, starting=False, follows_someone=follower is not None)
        held[kind] = form.HeldPoint(
            service_kind=kind,
            state_code=row.state_code,
            start_on=row.start_on if billed is None or row.state_code == "pending_start" else max(row.start_on, billed),
            ends_on=order.ends_on if row.state_code != "pending_start" else None,
            own_stop_number="" if stop is None else stop.number,
            people_needed=needed is not None and needed.how in ("visit", "appointment"),
        )
    facts = dataclasses.replace(nothing, premise_found=bool(held), held=held)
    return StopContext(facts, book, continuity_kinds(book, account.person_id))


def continuity_kinds(book: Book, person_id: int) -> tuple[str, ...]:
    """The kinds the owner takes over when this person stops."""
    premise = book.premise
    if not premise.continuity or premise.owner_id is None or premise.owner_id == person_id:
        return ()
    return tuple(kind for kind in book.points if kind in book.policy.continuity.service_kinds)
