"""What the desk hands to the commands of this room: values already typed, nothing looked up yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules.answer import STRING_MOST, text_problem, tidy
from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from portal.service_requests.rules.request_type import Definition

TELL_BY = {"none": "Not at all", "call": "By phone", "text": "By text", "email": "By e-mail", "letter": "By letter"}
CHANNELS = {"phone": "Phone", "counter": "Counter", "email": "E-mail", "letter": "Letter", "web": "Web"}
TITLE_MOST = 120


@dataclass(frozen=True)
class RequestForm:
    """A new request. `address` is free for a spot that is no premise; `description` holds the caller's words."""

    type_code: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    premise_id: int | None = None
    account_id: int | None = None
    person_id: int | None = None
    conversation_id: int | None = None
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    description: str = ""
    tell_by: str = "none"
    channel: str = "phone"
    known_event_id: int | None = None


@dataclass(frozen=True)
class JoinForm:
    """A further caller for a request that is open already."""

    request_id: int
    person_id: int | None = None
    account_id: int | None = None
    conversation_id: int | None = None
    tell_by: str = "none"
    words: str = ""


@dataclass(frozen=True)
class MoveForm:
    """A step in a request's or a work order's life."""

    row_id: int
    version: int
    to_code: str
    note: str = ""


@dataclass(frozen=True)
class AssignForm:
    """Who does it: a person, or another division; None takes it back to the queue."""

    row_id: int
    version: int
    staff_id: int | None = None
    division_code: str | None = None


@dataclass(frozen=True)
class CloseForm:
    """How it ended."""

    row_id: int
    version: int
    disposition_code: str | None
    note: str = ""


@dataclass(frozen=True)
class ReopenForm:
    """Why it is not over."""

    row_id: int
    version: int
    reason: str


@dataclass(frozen=True)
class WorkOrderForm:
    """A work order written by hand, usually for a request."""

    name: str
    division_code: str
    instructions: str = ""
    planned_on: dt.date | None = None
    request_id: int | None = None
    premise_id: int | None = None
    account_id: int | None = None
    kind_code: str = "field_work"


@dataclass(frozen=True)
class KnownEventForm:
    """One trouble many call about: where, what to tell callers, when there is next word."""

    kind_code: str
    title: str
    words: str
    area_codes: tuple[str, ...] = ()
    request_type_codes: tuple[str, ...] = ()
    premise_count: int = 0
    next_word_at: dt.datetime | None = None
    event_id: int | None = None
    version: int = 0


def place_problems(definition: Definition, form: RequestForm) -> list[Problem]:
    """Where it lies: at a premise where the type asks for one, at a premise or in words where a spot will do."""
    address = tidy(form.address)
    found = text_problem("address", "Where", address, STRING_MOST)
    if found is not None:
        return [found]
    if definition.place == "premise" and form.premise_id is None:
        return [
            Problem(
                "address",
                f"“Where” has no premise yet: {definition.name} belongs to an address we serve. Find it first.",
            )
        ]
    if definition.place == "place" and form.premise_id is None and len(address) < 3:
        return [Problem("address", "“Where” is empty. Give the address, the crossing or the nearest house number.")]
    return []


def caller_problems(form: RequestForm | JoinForm, person_known: bool) -> list[Problem]:
    """How the caller hears of it: only by a way we know, and only when we know whom to tell."""
    if form.tell_by not in TELL_BY:
        return [Problem("tell_by", f"“Tell the caller” is one of {', '.join(TELL_BY.values())}.")]
    if form.tell_by != "none" and not person_known:
        return [Problem("tell_by", "Nobody is named who could be told. Choose “Not at all”, or find the person first.")]
    return []


def known_event_problems(
    form: KnownEventForm, kinds: Collection[str], areas: Collection[str], now: dt.datetime
) -> list[Problem]:
    """What keeps a known event from being announced."""
    problems = []
    if form.kind_code not in kinds:
        problems.append(Problem("kind_code", "“Kind” has no answer yet. Choose one."))
    title, words = tidy(form.title), tidy(form.words)
    if len(title) < 3:
        problems.append(Problem("title", "“Title” is empty. Say in a few words what happened and where."))
    if len(words) < 10:
        problems.append(Problem("words", "“What to tell callers” is empty. Write a sentence that can be read aloud."))
    for field_code, name, text, most in (
        ("title", "Title", title, TITLE_MOST),
        ("words", "What to tell callers", words, 1000),
    ):
        found = text_problem(field_code, name, text, most)
        if found is not None:
            problems.append(found)
    unknown = [area for area in form.area_codes if area not in areas]
    if unknown:
        problems.append(
            Problem(
                "area_codes", f"There is no area “{unknown[0]}”. Choose from those offered, or none for the whole city."
            )
        )
    if not 0 <= form.premise_count <= 10_000_000:
        problems.append(Problem("premise_count", "“Premises touched” is a number from 0 to 10,000,000."))
    if form.next_word_at is not None and not now < form.next_word_at < now + dt.timedelta(days=60):
        problems.append(Problem("next_word_at", "“Next word” lies ahead, within 60 days. Correct the day or the time."))
    return problems


def work_order_problems(form: WorkOrderForm, divisions: Collection[str], today: dt.date) -> list[Problem]:
    """What keeps a work order from being written."""
    problems = []
    name = tidy(form.name)
    if len(name) < 3:
        problems.append(Problem("name", "“What is to be done” is empty. Write it in a few words."))
    for code, label, text, most in (
        ("name", "What is to be done", name, TITLE_MOST),
        ("instructions", "Instructions", tidy(form.instructions), 2000),
    ):
        found = text_problem(code, label, text, most)
        if found is not None:
            problems.append(found)
    if form.division_code not in divisions:
        problems.append(Problem("division_code", "“Division” has no answer yet. Choose who does it."))
    if form.planned_on is not None and not today <= form.planned_on <= today + dt.timedelta(days=366):
        problems.append(Problem("planned_on", "“Planned for” is a day from today to one year ahead. Correct the day."))
    return problems
