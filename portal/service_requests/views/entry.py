"""What the form for a new request shows: the searchable list, the questions, what is open nearby, the due time and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import core, directory
from db import service_requests as rows
from portal.service_requests.rules import duplicate, request_type, routing, stop
from portal.service_requests.views import in_force
from portal.shared.text import relative_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.shared.actor import Actor

EVENTS_MOST = 3
NEARBY_MOST = 5


@dataclass(frozen=True)
class TypeChoice:
    """One line of the searchable list: its label holds the public's words, so that “mattress” finds Bulky item pickup."""

    code: str
    name: str
    label: str
    group: str
    kind: str


@dataclass(frozen=True)
class RequestFormView:
    """The form of one type, with where and for whom filled in."""

    definition: request_type.Definition
    version_no: int
    since_on: dt.date | None
    """None when the first version has always counted."""
    premise_id: int | None
    address: str
    district: str
    account_number: str
    division: str
    route_why: str
    stop: request_type.Stop | None = None
    """The answer after which no request is opened, as soon as it is given."""


@dataclass(frozen=True)
class OpenNearby:
    """An open request that may be the same trouble."""

    request_id: int
    number: str
    name: str
    address: str
    where: str
    """“at this address”, or how far away."""
    opened: str
    due: str
    state: str
    same_type: bool
    callers: int
    version: int


@dataclass(frozen=True)
class KnownNearby:
    """A known event in force here."""

    event_id: int
    number: str
    title: str
    words: str
    next_word: str
    started: str
    about_this: bool
    """Whether the chosen type is one of those it explains."""
    version: int


@dataclass(frozen=True)
class Nearby:
    """Everything to see before a new request is opened; known events first."""

    known: tuple[KnownNearby, ...]
    open: tuple[OpenNearby, ...]


@dataclass(frozen=True)
class DuePreview:
    """When a request opened now would be due, in words, and each step why."""

    due_at: dt.datetime | None
    text: str
    rule: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Caller:
    """The person and account a form is about, as far as they are known."""

    person_id: int | None
    name: str
    phone: str
    email: str
    account_id: int | None
    account_number: str


def request_types_for_entry(actor: Actor) -> tuple[TypeChoice, ...]:
    """Every type that can be opened today, CARS requests first; none for somebody who may not open requests."""
    if not (actor.may("request.open") or actor.may("*")):
        return ()
    with core.read() as session:
        found = rows.request_types_in_force(session, in_force.local_day())
        if any(row.detail.get("opened_by") for row in found):
            roles = in_force.roles_of(session, actor)
            found = [row for row in found if not row.detail.get("opened_by") or roles & set(row.detail["opened_by"])]
    order = list(request_type.KINDS)
    choices = [
        TypeChoice(
            row.code, row.name, f"{row.name} · {row.synonyms}" if row.synonyms else row.name, row.group_name, row.kind
        )
        for row in found
    ]
    return tuple(sorted(choices, key=lambda each: (order.index(each.kind), each.group, each.name)))


def request_form(
    type_code: str,
    premise_id: int | None = None,
    account_id: int | None = None,
    answers: Mapping[str, Any] | None = None,
) -> RequestFormView | None:
    """The form of a type in force; None when there is no such type. `answers` so far decide where it would go."""
    with core.read() as session:
        found = in_force.type_in_force(session, type_code, in_force.local_day())
        if found is None:
            return None
        place = None if premise_id is None else rows.premise_place(session, premise_id)
        account = None if account_id is None else rows.account_brief(session, account_id)
        district = place.district if place is not None else ""
        goes_to = routing.route(found.definition, district, answers or {}, in_force.open_at(session, core.now()))
        division = rows.division_names(session).get(goes_to.division or "", "")
    return RequestFormView(
        definition=found.definition,
        version_no=found.version_no,
        since_on=None if found.since.year <= 2000 else found.since,
        premise_id=None if place is None else place.id,
        address="" if place is None else place.address,
        district=district,
        account_number="" if account is None else account.number,
        division=division,
        route_why=goes_to.why,
        stop=stop.stop_of(found.definition, answers or {}),
    )


def caller_of(person_id: int | None, account_id: int | None) -> Caller:
    """Whom a form is about: the person, or the account's holder."""
    with core.read() as session:
        account = None if account_id is None else rows.account_brief(session, account_id)
        who = person_id if person_id is not None or account is None else account.person_id
        person = None if who is None else rows.person_brief(session, who)
    return Caller(
        person_id=None if person is None else person.id,
        name="" if person is None else person.name,
        phone="" if person is None else person.phone,
        email="" if person is None else person.email,
        account_id=None if account is None else account.id,
        account_number="" if account is None else account.number,
    )


def premise_of(premise_id: int | None, account_id: int | None) -> tuple[int, str] | None:
    """(id, address) of the premise a form is about: the one given, else the account's."""
    with core.read() as session:
        if premise_id is None and account_id is not None:
            account = rows.account_brief(session, account_id)
            premise_id = None if account is None else account.premise_id
        place = None if premise_id is None else rows.premise_place(session, premise_id)
    return None if place is None else (place.id, place.address)


def open_nearby(premise_id: int | None, type_code: str) -> Nearby:
    """Known events here, what is open at the premise, then the same type close by."""
    now, zone = core.now(), in_force.zone()
    with core.read() as session:
        found = in_force.type_in_force(session, type_code, in_force.local_day(now))
        place = None if premise_id is None else rows.premise_place(session, premise_id)
        events = rows.active_known_events(session)
        table = in_force.states(session)
        near: dict[int, Any] = {}
        if place is not None:
            near |= {row.id: row for row in rows.open_at_premise(session, place.id)}
        if place is not None and found is not None:
            south, north, west, east = duplicate.box(place.latitude, place.longitude, found.definition.duplicate_metres)
            near |= {row.id: row for row in rows.open_in_box(session, type_code, south, north, west, east)}
    matches = []
    if found is not None:
        spot = None if place is None else (place.latitude, place.longitude)
        candidates = [
            duplicate.Candidate(row.id, row.request_type_code, row.premise_id, row.latitude, row.longitude)
            for row in near.values()
        ]
        matches = duplicate.matches(found.definition, premise_id, spot, candidates)
    return Nearby(
        known=tuple(
            KnownNearby(
                event_id=event.id,
                number=event.number,
                title=event.title,
                words=event.words,
                next_word="" if event.next_word_at is None else relative_text(event.next_word_at, now, zone),
                started=relative_text(event.started_at, now, zone),
                about_this=type_code in event.request_type_codes,
                version=event.version,
            )
            for event in _relevant(events, "" if place is None else place.district, type_code)
        ),
        open=tuple(
            OpenNearby(
                request_id=match.request_id,
                number=row.number,
                name=row.request_type_name,
                address=row.address,
                where="at this address" if match.same_premise else duplicate.distance_text(match.metres),
                opened=relative_text(row.opened_at, now, zone),
                due="" if row.due_at is None else relative_text(row.due_at, now, zone),
                state=table.name(row.state_code),
                same_type=match.same_type,
                callers=row.joined_count + 1,
                version=row.version,
            )
            for match in matches[:NEARBY_MOST]
            for row in (near[match.request_id],)
        ),
    )


def _relevant(events: Any, district: str, type_code: str) -> list[Any]:
    """Events that touch this district (or the whole city) and explain this type, or any type when none is named."""
    return [
        event
        for event in events
        if (not event.area_codes or not district or district in event.area_codes)
        and (not event.request_type_codes or type_code in event.request_type_codes)
    ][:EVENTS_MOST]


def due_preview(type_code: str, at: dt.datetime | None = None) -> DuePreview:
    """When a request of this type opened at `at` (now) would be due, and why then."""
    now = core.now()
    with core.read() as session:
        found = in_force.type_in_force(session, type_code, in_force.local_day(at or now))
        due = None if found is None else in_force.due_of(session, found.definition, at or now)
    if found is None or due is None or due.due_at is None:
        return DuePreview(None, "No time is promised", "", ())
    return DuePreview(
        due.due_at, relative_text(due.due_at, now, in_force.zone()), found.definition.sla_rule, due.explanation
    )


def known_event_kinds() -> tuple[tuple[str, str, str, tuple[str, ...]], ...]:
    """(code, name, words to begin with, request types it explains) of each kind of known event."""
    with core.read() as session:
        found = directory.reference(session, "known_event_kind", in_force.local_day())
    return tuple(
        (row.code, row.name, row.detail.get("words", ""), tuple(row.detail.get("request_types", ()))) for row in found
    )
