"""What is asked for at a start, stop or transfer, what is known at that moment, and what stands in the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from portal.moves.rules import debt
from portal.moves.rules.policy import MovePolicy, listed
from portal.shared.calendar import BusinessCalendar, add_working_days
from portal.shared.problem import Problem
from portal.shared.text import day_text, parse_phone, sensitive_sentence

CUSTOMER_CLASSES = {"residential": "Residential", "commercial": "Commercial"}
PERSON_KINDS = {"person": "Person", "company": "Company"}
BILL_BY = {"email": "E-mail", "letter": "Letter"}
GUARANTEES = {
    "": "None",
    "guarantor": "Guarantor",
    "surety_bond": "Surety bond",
    "letter_of_credit": "Letter of credit",
}
ASKED_BY = {
    "customer": "The customer",
    "authorised": "An authorized person",
    "executor": "Executor or family of a customer who died",
    "owner": "The owner or landlord",
}
LONGEST = {
    "name": 160,
    "email": 200,
    "mailing_address": 300,
    "forwarding_address": 300,
    "evidence_note": 300,
    "benefited": 300,
    "reason": 300,
}
_LABELS = {
    "name": "The name on the bill",
    "email": "The e-mail address",
    "mailing_address": "The mailing address",
    "forwarding_address": "The forwarding address",
    "evidence_note": "The note on the evidence",
    "benefited": "The evidence of benefit",
    "reason": "The reason",
}
_EMAIL = re.compile(r"[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+\.[^\s@<>,;:\"().]{2,}")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


@dataclass(frozen=True)
class StartForm:
    """A start as asked for. Texts as typed; empty texts mean not given."""

    premise_id: int | None
    service_kinds: tuple[str, ...]
    on: date | None
    name: str
    phone: str = ""
    email: str = ""
    mailing_address: str = ""
    """Empty: bills go to the premise."""
    person_kind: str = "person"
    customer_class: str = "residential"
    bill_by: str = "letter"
    person_id: int | None = None
    """A customer we know; None: a new one."""
    account_id: int | None = None
    """The account to put it on; None: a new one."""
    window: str = ""
    adult_present: bool = False
    evidence_code: str = ""
    evidence_note: str = ""
    own_debt: str = ""
    own_debt_consent: bool = False
    own_debt_months: int | None = None
    guarantee: str = ""
    benefited: str = ""
    """Evidence that the applicant had the benefit of a former occupant's service; a supervisor's exception."""
    conversation_id: int | None = None


@dataclass(frozen=True)
class StopForm:
    """A stop as asked for."""

    account_id: int | None
    premise_id: int | None
    service_kinds: tuple[str, ...]
    on: date | None
    forwarding_address: str = ""
    """Where the last bill goes; empty: to the mailing address on file."""
    phone: str = ""
    """A number to reach the customer on afterwards; empty: the one on file."""
    asked_by: str = "customer"
    window: str = ""
    adult_present: bool = False
    conversation_id: int | None = None


@dataclass(frozen=True)
class TransferForm:
    """A move from one premise to another on the same account."""

    account_id: int | None
    from_premise_id: int | None
    stop_on: date | None
    start: StartForm
    asked_by: str = "customer"


@dataclass(frozen=True)
class OpenPoint:
    """What stands at one service point, seen by the applicant's account."""

    service_kind: str
    people_needed: bool = False
    """The order it would need sends someone on that day."""
    adult_needed: bool = False
    other_since_on: date | None = None
    """Someone else has it (or will have it on that day) since then; None: nobody else."""
    contested: bool = False
    """Someone else's start already waits."""
    own_state: str = ""
    """The applicant's own agreement: active, pending_start, pending_stop; empty: none."""
    own_number: str = ""
    """The number of the move that the own pending agreement belongs to."""


@dataclass(frozen=True)
class StartFacts:
    """What is known when a start is checked."""

    today: date
    premise_found: bool
    policy: MovePolicy
    calendar: BusinessCalendar
    earliest_visit_on: date
    points: Mapping[str, OpenPoint] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    """Units at this street address, when the premise chosen is the whole building."""
    is_owner: bool = False
    hold_reason: str = ""
    own_debts: tuple[debt.OldDebt, ...] = ()
    debts: debt.DebtPolicy | None = None
    other_debt_cents: int = 0
    account_problem: str = ""
    """Why the account or person named cannot be used; empty: it can."""
    may_override: bool = False
    phone_on_file: bool = False
    email_on_file: bool = False


def occupied_kinds(form: StartForm, facts: StartFacts) -> tuple[str, ...]:
    """The chosen kinds that someone else still has."""
    return tuple(
        kind for kind in form.service_kinds if kind in facts.points and facts.points[kind].other_since_on is not None
    )


def earliest_on(form: StartForm, facts: StartFacts) -> date:
    """The first day this start can be had: visits, notice to the other party, backdating."""
    first = date.fromordinal(max(1, facts.today.toordinal() - facts.policy.dates.backdate_days))
    if any(facts.points[kind].people_needed for kind in form.service_kinds if kind in facts.points):
        first = max(first, facts.earliest_visit_on)
    occupied = occupied_kinds(form, facts)
    if occupied:
        for kind in occupied:
            since = facts.points[kind].other_since_on
            assert since is not None
            first = max(first, since)
        row = facts.policy.evidence.get(form.evidence_code)
        if row is not None and row.notice_working_days and not facts.is_owner:
            first = max(first, add_working_days(facts.today, row.notice_working_days, facts.calendar))
    return first


def start_problems(form: StartForm, facts: StartFacts) -> list[Problem]:
    """All that stands in the way of a start; each sentence names the field and the remedy."""
    found: list[Problem] = []
    if not facts.premise_found:
        found.append(
            Problem("premise", "Choose the premise: type the house number and street, and pick it from the list.")
        )
        return found + _person_problems(form, facts)
    if facts.units:
        found.append(
            Problem(
                "premise", f"This address has units. Ask which one and choose it: {listed(facts.units[:8], last='or')}."
            )
        )
    found += _kind_problems(form, facts)
    found += _date_problems(form, facts)
    found += _person_problems(form, facts)
    if facts.account_problem:
        found.append(Problem("account", facts.account_problem))
    found += _turnover_problems(form, facts)
    if facts.debts is not None:
        found += debt.own_debt_problems(
            list(facts.own_debts), form.own_debt, form.own_debt_consent, form.own_debt_months, facts.debts
        )
    if form.benefited and not facts.may_override:
        found.append(
            Problem(
                "benefited",
                "Only a supervisor may decide that the applicant had the benefit. Leave it empty, or ask one.",
            )
        )
    if form.benefited and facts.other_debt_cents <= 0:
        found.append(
            Problem("benefited", "Nobody else owes anything at this address. Leave the evidence of benefit empty.")
        )
    return found


def _kind_problems(form: StartForm, facts: StartFacts) -> list[Problem]:
    policy = facts.policy
    if not form.service_kinds:
        return [Problem("service_kinds", "Choose at least one service to start.")]
    found = []
    missing = [kind for kind in form.service_kinds if kind not in facts.points]
    if missing:
        offered = policy.names_of(policy.in_order(facts.points)) or "nothing"
        found.append(
            Problem(
                "service_kinds", f"This premise has no service point for {policy.names_of(missing)}; it has {offered}."
            )
        )
    for kind in form.service_kinds:
        point = facts.points.get(kind)
        if point is None or not point.own_state:
            continue
        if point.own_state == "pending_start":
            found.append(
                Problem(
                    "service_kinds",
                    f"The start of {policy.names_of([kind])} is already booked, number {point.own_number}. Leave it out.",
                )
            )
        elif point.own_state == "active":
            found.append(
                Problem("service_kinds", f"{policy.name_of(kind)} is already active on this account. Leave it out.")
            )
        else:
            found.append(
                Problem(
                    "service_kinds",
                    f"{policy.name_of(kind)} is about to stop, number {point.own_number}. Cancel that stop instead.",
                )
            )
    return found


def _date_problems(form: StartForm, facts: StartFacts) -> list[Problem]:
    return [
        *day_problems("on", "start", form.on, facts.today, facts.policy),
        *_visit_day_problems(form, facts),
    ]


def day_problems(field_name: str, what: str, on: date | None, today: date, policy: MovePolicy) -> list[Problem]:
    """Whether a day was given and lies within what the policy allows."""
    dates = policy.dates
    if on is None:
        return [Problem(field_name, f"Enter the day of the {what}.")]
    days = (on - today).days
    if days > dates.ahead_days:
        last = day_text(date.fromordinal(today.toordinal() + dates.ahead_days), today)
        return [Problem(field_name, f"{day_text(on, today)} is too far ahead. The latest day for a {what} is {last}.")]
    if -days > dates.backdate_days:
        first = day_text(date.fromordinal(max(1, today.toordinal() - dates.backdate_days)), today)
        return [
            Problem(field_name, f"{day_text(on, today)} is too long ago. The earliest day for a {what} is {first}.")
        ]
    return []


def _visit_day_problems(form: StartForm, facts: StartFacts) -> list[Problem]:
    if form.on is None or day_problems("on", "start", form.on, facts.today, facts.policy):
        return []
    policy, calendar, today = facts.policy, facts.calendar, facts.today
    visited = [kind for kind in form.service_kinds if kind in facts.points and facts.points[kind].people_needed]
    names = policy.names_of(visited)
    needs = "need" if len(visited) > 1 else "needs"
    first = earliest_on(form, facts)
    for kind in occupied_kinds(form, facts):
        since = facts.points[kind].other_since_on
        if since is not None and form.on < since:
            return [
                Problem("on", f"The agreement there began on {day_text(since, today)}. Choose that day or a later one.")
            ]
    if visited and form.on < facts.earliest_visit_on:
        return [
            Problem(
                "on",
                f"{names.capitalize()} {needs} a visit; the first day is {day_text(facts.earliest_visit_on, today)}. Choose it or a later one.",
            )
        ]
    if form.on < first:
        return [
            Problem(
                "on",
                f"With this evidence the other party gets notice first. The first day is {day_text(first, today)}; with a lease or closing statement it can be sooner.",
            )
        ]
    if visited and not calendar.is_working_day(form.on):
        later = form.on
        while not calendar.is_working_day(later):
            later = date.fromordinal(later.toordinal() + 1)
        return [
            Problem(
                "on",
                f"{names.capitalize()} {needs} a visit and no crew works on {day_text(form.on, today)}. The next working day is {day_text(later, today)}.",
            )
        ]
    if any(facts.points[kind].adult_needed for kind in visited) and not form.adult_present:
        asked = policy.names_of([kind for kind in visited if facts.points[kind].adult_needed])
        return [
            Problem(
                "adult_present",
                f"{asked.capitalize()} needs an adult at home for the appointment. Ask who will be there, and tick it.",
            )
        ]
    if form.window and form.window not in dict(policy.dates.windows):
        return [
            Problem(
                "window",
                f"Choose the time of the visit from the list: {listed([name for _, name in policy.dates.windows], 'or')}.",
            )
        ]
    return []


def _turnover_problems(form: StartForm, facts: StartFacts) -> list[Problem]:
    occupied = occupied_kinds(form, facts)
    found: list[Problem] = []
    row = facts.policy.evidence.get(form.evidence_code)
    if form.evidence_code and row is None:
        found.append(Problem("evidence", "Choose the evidence from the list."))
    elif occupied and row is None and not facts.is_owner:
        ways = listed([one.name.lower() for one in facts.policy.evidence.values()], "or")
        found.append(
            Problem(
                "evidence",
                f"Someone else is still active here for {facts.policy.names_of(occupied)}. Choose the evidence: {ways}.",
            )
        )
    elif row is not None and row.needs_note and not form.evidence_note.strip():
        found.append(Problem("evidence_note", f"{row.name}: write down what was said. {row.ask}"))
    for name, text in (("evidence_note", form.evidence_note), ("benefited", form.benefited)):
        found += text_problems(name, text)
    return found


def _person_problems(form: StartForm, facts: StartFacts) -> list[Problem]:
    found: list[Problem] = []
    if form.customer_class not in CUSTOMER_CLASSES:
        found.append(Problem("customer_class", "Choose residential or commercial."))
    if form.person_kind not in PERSON_KINDS:
        found.append(Problem("person_kind", "Choose person or company."))
    if not form.name.strip():
        who = "company's legal name" if form.person_kind == "company" else "customer's first and last name"
        found.append(Problem("name", f"Enter the {who}, as it goes on the bill."))
    elif not any(character.isalpha() for character in form.name):
        found.append(Problem("name", "The name on the bill has no letters. Ask how it is spelled."))
    else:
        found += text_problems("name", form.name)
    if form.phone.strip():
        found += phone_problems("phone", form.phone)
    elif not form.email.strip() and not facts.phone_on_file and not facts.email_on_file:
        found.append(
            Problem("phone", "Enter a mobile number, or an e-mail address: the crew must be able to reach someone.")
        )
    if form.email.strip():
        found += email_problems(form.email)
    if form.bill_by not in BILL_BY:
        found.append(Problem("bill_by", "Choose how the bill is sent: e-mail or letter."))
    elif form.bill_by == "email" and not form.email.strip() and not facts.email_on_file:
        found.append(Problem("email", "Bills by e-mail need an e-mail address. Enter it, or choose letter."))
    found += text_problems("mailing_address", form.mailing_address)
    if form.mailing_address.strip() and not re.search(r"\d", form.mailing_address):
        found.append(
            Problem(
                "mailing_address",
                "The mailing address has no number. Enter street or box, city, state and ZIP, or leave it empty.",
            )
        )
    if form.guarantee not in GUARANTEES:
        found.append(Problem("guarantee", "Choose the guarantee from the list, or none."))
    return found


def email_problems(email: str) -> list[Problem]:
    """Whether this can be an e-mail address at all."""
    found = text_problems("email", email)
    if not found and _EMAIL.fullmatch(email.strip()) is None:
        found.append(
            Problem("email", f"“{email.strip()[:60]}” is not an e-mail address. It looks like name@example.org.")
        )
    return found


def phone_problems(field_name: str, phone: str) -> list[Problem]:
    """The sentence of `parse_phone`, if it has one."""
    try:
        parse_phone(phone)
    except ValueError as error:
        return [Problem(field_name, str(error))]
    return []


def text_problems(field_name: str, text: str) -> list[Problem]:
    """Too long, invisible characters, or numbers that are never kept."""
    label, most = _LABELS[field_name], LONGEST[field_name]
    if len(text) > most:
        return [Problem(field_name, f"{label} has {len(text):,} characters; {most} is the most. Shorten it.")]
    if _UNSEEN.search(text):
        return [Problem(field_name, f"{label} holds invisible characters. Type it again instead of pasting it.")]
    sensitive = sensitive_sentence(text, label)
    return [Problem(field_name, sensitive)] if sensitive else []


# --- stop -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HeldPoint:
    """One agreement of the account at the premise, as a stop sees it."""

    service_kind: str
    state_code: str
    start_on: date
    ends_on: date | None
    """Its end as already known; None: none."""
    own_stop_number: str = ""
    """The number of the stop the customer already asked for; empty: none."""
    people_needed: bool = False


@dataclass(frozen=True)
class StopFacts:
    """What is known when a stop is checked."""

    today: date
    account_found: bool
    premise_found: bool
    policy: MovePolicy
    calendar: BusinessCalendar
    earliest_visit_on: date
    held: Mapping[str, HeldPoint] = field(default_factory=dict)
    landlord_text: str = ""
    landlord_citation: str = ""


def stop_problems(form: StopForm, facts: StopFacts) -> list[Problem]:
    """All that stands in the way of a stop."""
    if not facts.account_found:
        return [Problem("account", "Choose the account whose service stops: find the customer first.")]
    if not facts.premise_found:
        return [Problem("premise", "Choose the premise where service stops; the account has none there.")]
    policy, today = facts.policy, facts.today
    found: list[Problem] = []
    if form.asked_by not in ASKED_BY:
        found.append(Problem("asked_by", "Choose who asks for the stop."))
    elif form.asked_by == "owner":
        found.append(Problem("asked_by", f"{facts.landlord_text} ({facts.landlord_citation})"))
    if not form.service_kinds:
        found.append(Problem("service_kinds", "Choose at least one service to stop."))
    for kind in form.service_kinds:
        one = facts.held.get(kind)
        if one is None:
            found.append(
                Problem(
                    "service_kinds",
                    f"{policy.name_of(kind)} is not active on this account at this premise. Leave it out.",
                )
            )
        elif one.state_code == "pending_start":
            found.append(
                Problem("service_kinds", f"{policy.name_of(kind)} has not begun yet. Cancel the start instead.")
            )
        elif one.own_stop_number:
            found.append(
                Problem(
                    "service_kinds",
                    f"The stop of {policy.names_of([kind])} is already booked, number {one.own_stop_number}. Leave it out.",
                )
            )
        elif one.ends_on is not None and form.on is not None and form.on >= one.ends_on:
            ends = day_text(one.ends_on, today)
            found.append(
                Problem(
                    "on",
                    f"{policy.name_of(kind)} already ends on {ends}: nothing more is needed. To end it sooner, choose an earlier day.",
                )
            )
        elif form.on is not None and form.on < one.start_on:
            began = day_text(one.start_on, today)
            found.append(Problem("on", f"{policy.name_of(kind)} began on {began}. Choose that day or a later one."))
    found += day_problems("on", "stop", form.on, today, policy)
    visited = [kind for kind in form.service_kinds if kind in facts.held and facts.held[kind].people_needed]
    if form.on is not None and visited and not found:
        names = policy.names_of(visited).capitalize()
        if form.on < facts.earliest_visit_on:
            found.append(
                Problem(
                    "on",
                    f"{names} must be read by a visit; the first day is {day_text(facts.earliest_visit_on, today)}. Choose it or a later one.",
                )
            )
        elif not facts.calendar.is_working_day(form.on):
            later = add_working_days(form.on, 1, facts.calendar)
            found.append(
                Problem(
                    "on",
                    f"{names} must be read by a visit and no crew works on {day_text(form.on, today)}. The next working day is {day_text(later, today)}.",
                )
            )
    found += text_problems("forwarding_address", form.forwarding_address)
    if form.phone.strip():
        found += phone_problems("phone", form.phone)
    if form.window and form.window not in dict(policy.dates.windows):
        found.append(Problem("window", "Choose the time of the visit from the list."))
    return found


def transfer_problems(form: TransferForm) -> list[Problem]:
    """What concerns both halves of a transfer; each half is then checked as a start and as a stop."""
    if form.start.premise_id is not None and form.start.premise_id == form.from_premise_id:
        return [Problem("premise", "The new premise is the old one. Choose the address the customer moves to.")]
    return []
