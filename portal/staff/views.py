"""What screens show about staff: who is acting, who works here, what roles allow."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db import core
from db import directory as directory_rows
from db import staff as rows
from portal import settings
from portal.shared.actor import Actor
from portal.staff.rules import PERMISSIONS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

DEMO_ISSUER = "demo"


@dataclass(frozen=True)
class SignIn:
    """A sign-in as its row says."""

    staff_id: int
    started_at: dt.datetime
    seen_at: dt.datetime
    ended_at: dt.datetime | None
    ended_why: str | None


@dataclass(frozen=True)
class PersonToChoose:
    """A person of the demo city one can sign in as."""

    staff_id: int
    name: str
    roles: str


@dataclass(frozen=True)
class StaffLine:
    """A person on the staff page."""

    staff_id: int
    name: str
    email: str
    roles: tuple[str, ...]
    role_names: str
    division_code: str | None
    division_name: str
    active: bool
    subject: str
    version: int
    last_seen_at: dt.datetime | None


@dataclass(frozen=True)
class RoleLine:
    """A role and what it allows."""

    code: str
    name: str
    permissions: frozenset[str]
    holders: int


def sign_in(session_id: str) -> SignIn | None:
    with core.read() as session:
        row = rows.session_row(session, session_id)
        return None if row is None else SignIn(row.staff_id, row.started_at, row.seen_at, row.ended_at, row.ended_why)


def is_known(issuer: str, subject: str) -> bool:
    with core.read() as session:
        return rows.by_identity(session, issuer, subject) is not None


def actor_for_identity(issuer: str, subject: str) -> Actor | None:
    """The actor behind an identity of the provider; None when unknown or no longer active."""
    with core.read() as session:
        person = rows.by_identity(session, issuer, subject)
        return None if person is None else _actor(session, person)


def actor_for_staff(staff_id: int) -> Actor | None:
    with core.read() as session:
        person = rows.by_id(session, staff_id)
        return None if person is None else _actor(session, person)


def _actor(session: Session, person: rows.Staff) -> Actor | None:
    if not person.active:
        return None
    found = rows.roles_and_permissions(session, person.id)
    return Actor(
        staff_id=person.id,
        name=person.name,
        role_names=tuple(dict.fromkeys(name for _, name, _ in found)),
        permissions=frozenset(permission for _, _, permission in found if permission),
        division_code=person.division_code,
        person_id=person.person_id,
        limits=rows.limits(session, person.id),
    )


def people_to_choose() -> list[PersonToChoose]:
    """The people of the demo city, representatives first."""
    with core.read() as session:
        names = {role.code: (role.position, role.name) for role in rows.all_roles(session)}
        held = rows.role_codes_by_staff(session)
        people = [person for person in rows.everyone(session) if person.active and person.issuer == DEMO_ISSUER]
        people.sort(
            key=lambda person: (min((names[code][0] for code in held.get(person.id, [])), default=99), person.id)
        )
        return [
            PersonToChoose(person.id, person.name, ", ".join(names[code][1] for code in held.get(person.id, [])))
            for person in people
        ]


def staff_list() -> list[StaffLine]:
    with core.read() as session:
        names = {role.code: role.name for role in rows.all_roles(session)}
        divisions = directory_rows.division_names(session)
        held = rows.role_codes_by_staff(session)
        seen = rows.last_seen(session)
        return [
            StaffLine(
                person.id,
                person.name,
                person.email,
                tuple(held.get(person.id, ())),
                ", ".join(names[code] for code in held.get(person.id, ())),
                person.division_code,
                divisions.get(person.division_code or "", ""),
                person.active,
                person.subject,
                person.version,
                seen.get(person.id),
            )
            for person in rows.everyone(session)
        ]


def roles() -> list[RoleLine]:
    with core.read() as session:
        permissions = rows.permissions_by_role(session)
        held = rows.role_codes_by_staff(session)
        return [
            RoleLine(
                role.code,
                role.name,
                frozenset(permissions.get(role.code, ())),
                sum(role.code in codes for codes in held.values()),
            )
            for role in rows.all_roles(session)
        ]


def role_names() -> dict[str, str]:
    """Role names by code, in their order."""
    with core.read() as session:
        return {role.code: role.name for role in rows.all_roles(session)}


def divisions() -> dict[str, str]:
    """Division names by code."""
    with core.read() as session:
        return dict(directory_rows.division_names(session))


def colleagues(actor: Actor) -> dict[int, str]:
    """Active people by id, without the one asking."""
    with core.read() as session:
        return {
            person.id: person.name for person in rows.everyone(session) if person.active and person.id != actor.staff_id
        }


@dataclass(frozen=True)
class AbsenceLine:
    """Days somebody is away, and who stands in."""

    id: int
    from_on: dt.date
    until_on: dt.date
    stand_in: str


def absences(staff_id: int) -> list[AbsenceLine]:
    """A person's absences that are not over, the earliest first."""
    with core.read() as session:
        return [
            AbsenceLine(row.id, row.from_on, row.until_on, row.stand_in_name)
            for row in rows.absences(session, staff_id, _today())
        ]


def stands_in_for(staff_id: int) -> list[str]:
    """The names of those who are away today and named this person."""
    with core.read() as session:
        away = {row.staff_id for row in rows.away_on(session, _today()) if row.stand_in_id == staff_id}
        return [person.name for person in rows.everyone(session) if person.id in away]


def _today() -> dt.date:
    return core.now().astimezone(settings.current().time_zone).date()


def permission_words() -> dict[str, str]:
    return dict(PERMISSIONS)
