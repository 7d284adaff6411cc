"""What the room of requests asks its tables; nobody else writes this SQL."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db import core
from db.directory import Division, alone
from db.events import Event
from db.service_requests.tables import KnownEvent, RequestCaller, RequestState, RequestType, ServiceRequest, WorkOrder
from db.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


# Requests name a premise, an account and a person of rooms above this one; these queries read the few columns they show of
# them and never the rows themselves.
_premise = sa.table(
    "premise", *(sa.column(name) for name in ("id", "address", "district", "latitude", "longitude", "unit", "zip"))
)
_account = sa.table("account", *(sa.column(name) for name in ("id", "number", "person_id", "premise_id", "closed_on")))
_person = sa.table(
    "person",
    *(sa.column(name) for name in ("id", "name", "phone", "email", "household_key", "exempt_from_public_records")),
)
_area = sa.table("service_area", *(sa.column(name) for name in ("code", "name", "kind")))
_agreement = sa.table(
    "service_agreement", *(sa.column(name) for name in ("id", "account_id", "service_point_id", "state_code"))
)
_point = sa.table("service_point", *(sa.column(name) for name in ("id", "premise_id")))

_OPEN = ServiceRequest.closed == sa.false()
_ORDER_OPEN = WorkOrder.closed == sa.false()


# --- request types


def request_types_in_force(session: Session, on: dt.date) -> Sequence[RequestType]:
    """The version of each active type that counts on a day, by group and name. Of two that begin on one day the later counts."""
    return core.kept(session, ("request types", on), lambda: alone(session, _request_types_in_force(session, on)))


def _request_types_in_force(session: Session, on: dt.date) -> Sequence[RequestType]:
    place = sa.func.row_number().over(
        partition_by=RequestType.code, order_by=(RequestType.effective_from.desc(), RequestType.version_no.desc())
    )
    ranked = sa.select(RequestType.id, place.label("place")).where(RequestType.effective_from <= on).subquery()
    return session.scalars(
        sa.select(RequestType)
        .join(ranked, ranked.c.id == RequestType.id)
        .where(ranked.c.place == 1, RequestType.active == sa.true())
        .order_by(RequestType.group_name, RequestType.name)
    ).all()


def request_type_in_force(session: Session, code: str, on: dt.date) -> RequestType | None:
    """The version of a type that counts on a day."""
    versions = _versions(session, code)
    return next((row for row in versions if row.effective_from <= on), None)


def request_type_version(session: Session, code: str, version_no: int) -> RequestType | None:
    """The version a case was opened with."""
    return next((row for row in _versions(session, code) if row.version_no == version_no), None)


def _versions(session: Session, code: str) -> Sequence[RequestType]:
    """All versions of a type, the one that counts last first."""

    def ask() -> Sequence[RequestType]:
        return session.scalars(
            sa.select(RequestType)
            .where(RequestType.code == code)
            .order_by(RequestType.effective_from.desc(), RequestType.version_no.desc())
        ).all()

    return core.kept(session, ("request type", code), lambda: alone(session, ask()))


# --- the nouns a request names


def premise_place(session: Session, premise_id: int) -> Any:
    """(id, address, district, latitude, longitude, unit, zip) of a premise."""
    return session.execute(sa.select(_premise).where(_premise.c.id == premise_id)).first()


def person_brief(session: Session, person_id: int) -> Any:
    """(id, name, phone, email, …) of a person."""
    return session.execute(sa.select(_person).where(_person.c.id == person_id)).first()


def account_brief(session: Session, account_id: int) -> Any:
    """(id, number, person_id, premise_id, closed_on) of an account."""
    return session.execute(sa.select(_account).where(_account.c.id == account_id)).first()


def account_by_number(session: Session, numbers: Sequence[str]) -> Any:
    return session.execute(sa.select(_account).where(_account.c.number.in_(numbers)).limit(1)).first()


def persons_behind(session: Session, *, account_id: int | None, premise_id: int | None) -> set[int]:
    """Whom an account belongs to and who is served at a premise."""
    found: set[int] = set()
    if account_id is not None:
        found |= set(session.scalars(sa.select(_account.c.person_id).where(_account.c.id == account_id)))
    if premise_id is not None:
        found |= set(
            session.scalars(
                sa.select(_account.c.person_id)
                .join(_agreement, _agreement.c.account_id == _account.c.id)
                .join(_point, _point.c.id == _agreement.c.service_point_id)
                .where(
                    _point.c.premise_id == premise_id,
                    _agreement.c.state_code.in_(("active", "pending_start", "pending_stop")),
                )
            )
        )
        found |= set(
            session.scalars(
                sa.select(_account.c.person_id).where(
                    _account.c.premise_id == premise_id, _account.c.closed_on.is_(None)
                )
            )
        )
    return found


def household_of(session: Session, person_ids: set[int]) -> set[int]:
    """These persons and all who share a household with one of them."""
    keys = set(
        session.scalars(
            sa.select(_person.c.household_key).where(_person.c.id.in_(person_ids), _person.c.household_key != "")
        )
    )
    if not keys:
        return set(person_ids)
    return set(person_ids) | set(session.scalars(sa.select(_person.c.id).where(_person.c.household_key.in_(keys))))


def areas(session: Session) -> Sequence[Any]:
    """(code, name) of each district."""
    return session.execute(
        sa.select(_area.c.code, _area.c.name).where(_area.c.kind == "district").order_by(_area.c.name)
    ).all()


# --- one request


def by_id(session: Session, request_id: int) -> ServiceRequest | None:
    return session.get(ServiceRequest, request_id)


def order_by_id(session: Session, order_id: int) -> WorkOrder | None:
    return session.get(WorkOrder, order_id)


def ids_by_number(session: Session, numbers: Sequence[str], external: str) -> list[int]:
    """Requests with one of our numbers, or with this number in the system they came from; newest first."""
    by_ours = (
        session.scalars(sa.select(ServiceRequest.id).where(ServiceRequest.number.in_(numbers))).all() if numbers else []
    )
    by_theirs = session.scalars(
        sa.select(ServiceRequest.id)
        .where(ServiceRequest.external_id == external)
        .order_by(ServiceRequest.id.desc())
        .limit(10)
    ).all()
    return list(dict.fromkeys([*by_ours, *by_theirs]))


def order_ids_by_number(session: Session, numbers: Sequence[str]) -> list[int]:
    return list(session.scalars(sa.select(WorkOrder.id).where(WorkOrder.number.in_(numbers)))) if numbers else []


def history(session: Session, request_id: int) -> Sequence[RequestState]:
    """Each step of a request's life, oldest first."""
    return session.scalars(
        sa.select(RequestState).where(RequestState.request_id == request_id).order_by(RequestState.at, RequestState.id)
    ).all()


def callers(session: Session, request_id: int) -> Sequence[RequestCaller]:
    """Those who joined a request, oldest first."""
    return session.scalars(
        sa.select(RequestCaller).where(RequestCaller.request_id == request_id).order_by(RequestCaller.id)
    ).all()


def caller_joined(session: Session, request_id: int, person_id: int) -> bool:
    return (
        session.scalar(
            sa.select(RequestCaller.id)
            .where(RequestCaller.request_id == request_id, RequestCaller.person_id == person_id)
            .limit(1)
        )
        is not None
    )


def callers_of_known_event(session: Session, event_id: int) -> Sequence[RequestCaller]:
    """Those who called about a known event, oldest first."""
    return session.scalars(
        sa.select(RequestCaller).where(RequestCaller.known_event_id == event_id).order_by(RequestCaller.id)
    ).all()


def callers_count_by_known_event(session: Session, event_ids: Sequence[int]) -> dict[int, int]:
    if not event_ids:
        return {}
    counted = session.execute(
        sa.select(RequestCaller.known_event_id.label("event_id"), sa.func.count().label("callers"))
        .where(RequestCaller.known_event_id.in_(event_ids))
        .group_by(RequestCaller.known_event_id)
    )
    return {row.event_id: row.callers for row in counted}


def joined_known_event(session: Session, event_id: int, *, person_id: int | None, premise_id: int | None) -> bool:
    """Whether this person, or this premise when nobody is named, has called about a known event before."""
    found = sa.select(RequestCaller.id).where(RequestCaller.known_event_id == event_id).limit(1)
    if person_id is not None:
        return session.scalar(found.where(RequestCaller.person_id == person_id)) is not None
    if premise_id is not None:
        return session.scalar(found.where(RequestCaller.premise_id == premise_id)) is not None
    return False


def last_event(session: Session, subject_kind: str, subject_id: int) -> Any:
    """(name, at, staff name) of the last thing that happened to a row: who was faster."""
    return session.execute(
        sa.select(Event.name, Event.at, Staff.name.label("staff_name"))
        .outerjoin(Staff, Staff.id == Event.staff_id)
        .where(Event.subject_kind == subject_kind, Event.subject_id == subject_id)
        .order_by(Event.id.desc())
        .limit(1)
    ).first()


def staff_names(session: Session, ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return {row.id: row.name for row in session.execute(sa.select(Staff.id, Staff.name).where(Staff.id.in_(ids)))}


def division_staff(session: Session, division_code: str | None) -> Sequence[Any]:
    """(id, name) of the active people who could take a case: those of a division, or everybody."""
    rows = sa.select(Staff.id, Staff.name).where(Staff.active == sa.true()).order_by(Staff.name)
    return session.execute(rows if division_code is None else rows.where(Staff.division_code == division_code)).all()


def division_departments(session: Session) -> dict[str, str]:
    return core.kept(
        session,
        "division departments",
        lambda: {
            row.code: row.department_code for row in session.execute(sa.select(Division.code, Division.department_code))
        },
    )


# --- nearby


_NEAR = (
    ServiceRequest.id,
    ServiceRequest.number,
    ServiceRequest.request_type_code,
    ServiceRequest.request_type_name,
    ServiceRequest.address,
    ServiceRequest.premise_id,
    ServiceRequest.latitude,
    ServiceRequest.longitude,
    ServiceRequest.opened_at,
    ServiceRequest.due_at,
    ServiceRequest.state_code,
    ServiceRequest.joined_count,
    ServiceRequest.version,
)


def open_at_premise(session: Session, premise_id: int, most: int = 20) -> Sequence[Any]:
    """What is open at a premise, newest first."""
    return session.execute(
        sa.select(*_NEAR)
        .where(ServiceRequest.premise_id == premise_id, core.among_few(ServiceRequest.closed))
        .order_by(ServiceRequest.opened_at.desc())
        .limit(most)
    ).all()


def open_in_box(
    session: Session, type_code: str, south: float, north: float, west: float, east: float, most: int = 200
) -> Sequence[Any]:
    """Open requests of one type inside a box on the map."""
    return session.execute(
        sa.select(*_NEAR)
        .where(
            _OPEN,
            ServiceRequest.latitude.between(south, north),
            ServiceRequest.longitude.between(west, east),
            ServiceRequest.request_type_code == type_code,
        )
        .limit(most)
    ).all()


def active_known_events(session: Session) -> Sequence[KnownEvent]:
    """Known events that have not ended, newest first."""
    return session.scalars(
        sa.select(KnownEvent).where(KnownEvent.ended_at.is_(None)).order_by(KnownEvent.started_at.desc())
    ).all()


def ended_known_events(session: Session, most: int = 20) -> Sequence[KnownEvent]:
    return session.scalars(
        sa.select(KnownEvent).where(KnownEvent.ended_at.is_not(None)).order_by(KnownEvent.ended_at.desc()).limit(most)
    ).all()


def requests_of_known_event(session: Session, event_id: int) -> int:
    return session.scalar(sa.select(sa.func.count()).where(ServiceRequest.known_event_id == event_id)) or 0


def work_orders_of_request(session: Session, request_id: int) -> Sequence[WorkOrder]:
    return session.scalars(sa.select(WorkOrder).where(WorkOrder.request_id == request_id).order_by(WorkOrder.id)).all()


# --- handing over


def open_of_staff(
    session: Session, staff_id: int
) -> tuple[Sequence[ServiceRequest], Sequence[ServiceRequest], Sequence[WorkOrder]]:
    """Open requests assigned to a person, open requests they owe the answer for, open work orders assigned to them."""
    assigned = session.scalars(sa.select(ServiceRequest).where(ServiceRequest.assigned_id == staff_id, _OPEN)).all()
    owned = session.scalars(sa.select(ServiceRequest).where(ServiceRequest.owner_id == staff_id, _OPEN)).all()
    orders = session.scalars(sa.select(WorkOrder).where(WorkOrder.assigned_id == staff_id, _ORDER_OPEN)).all()
    return assigned, owned, orders
