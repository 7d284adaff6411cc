"""What counts today: the request types, states and calendars in force, as the rules take them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import core, directory
from db import service_requests as rows
from db import staff as staff_rows
from portal import settings
from portal.service_requests.rules import case, due, request_type
from portal.shared.calendar import Due, Pause
from portal.shared.problem import Problem
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy.orm import Session

    from portal.shared.actor import Actor
    from portal.shared.calendar import BusinessCalendar

REQUEST, WORK_ORDER = "request", "work_order"


@dataclass(frozen=True)
class TypeInForce:
    """A request type with the version a new case would keep."""

    definition: request_type.Definition
    version_no: int
    since: dt.date
    row_id: int


def zone() -> str:
    return settings.current().zone


def local_day(at: dt.datetime | None = None) -> dt.date:
    """The civil day in the city, now or at an instant."""
    return (at or core.now()).astimezone(settings.current().time_zone).date()


def type_in_force(session: Session, code: str, on: dt.date) -> TypeInForce | None:
    """The version of a request type that counts on a day; None when there is none or it was taken out of use."""
    row = rows.request_type_in_force(session, code, on)
    if row is None or not row.active:
        return None
    return TypeInForce(_definition(session, row), row.version_no, row.effective_from, row.id)


def definition_of(session: Session, request: rows.ServiceRequest) -> request_type.Definition | None:
    """The definition a case was opened with; None for a case of another system whose type is not ours."""
    row = rows.request_type_version(session, request.request_type_code, request.request_type_version)
    return None if row is None else _definition(session, row)


def _definition(session: Session, row: rows.RequestType) -> request_type.Definition:
    return core.kept(session, ("definition", row.id), lambda: request_type.read_definition(row.detail))


def states(session: Session, of: str = REQUEST, on: dt.date | None = None) -> case.StateTable:
    """The table of states and moves of requests or of work orders."""
    row = directory.reference_row(session, "state", of, on or local_day())
    if row is None:
        raise Refused([Problem("", f"There is no table of states for a {of.replace('_', ' ')}. Load the base pack.")])
    return core.kept(session, ("states", row.id), lambda: case.read_states(row.detail))


def calendar(session: Session, code: str, around: dt.date) -> BusinessCalendar:
    """A calendar in force on a day, with the holidays around it."""
    row = directory.reference_row(session, "calendar", code, around)
    if row is None:
        raise Refused([Problem("", f"There is no calendar “{code}”. Ask an administrator to load it.")])
    return core.kept(session, ("calendar", row.id, zone(), around), lambda: due.calendar_of(row.detail, zone(), around))


def definition_problems(session: Session, detail: Mapping[str, Any], today: dt.date) -> list[Problem]:
    """What is wrong with a definition, measured against the divisions, calendars, areas and roles there are."""
    return request_type.definition_problems(
        detail,
        divisions=rows.division_departments(session),
        calendars={row.code for row in directory.reference(session, "calendar", today)},
        districts=[area.code for area in rows.areas(session)] or None,
        roles={role.code for role in staff_rows.all_roles(session)},
        letters={row.code for row in directory.reference(session, "letter", today)},
    )


def open_at(session: Session, at: dt.datetime) -> Callable[[str], bool]:
    """Whether a calendar, by its code, is open at an instant; one that is not there is closed."""

    def is_open(code: str) -> bool:
        row = directory.reference_row(session, "calendar", code, local_day(at))
        return row is not None and due.calendar_of(row.detail, zone(), local_day(at)).is_open(at)

    return is_open


def roles_of(session: Session, actor: Actor) -> set[str]:
    """The codes of a person's roles; the portal itself has all of them."""
    if actor.may("*"):
        return {role.code for role in staff_rows.all_roles(session)}
    return {code for code, _, _ in staff_rows.roles_and_permissions(session, actor.staff_id)}


def due_of(
    session: Session, definition: request_type.Definition | None, opened_at: dt.datetime, pauses: Iterable[Pause] = ()
) -> Due | None:
    """When a request of this type opened then is due; None when no time is promised."""
    if definition is None or definition.sla_calendar is None:
        return None
    return due.due_of(definition, calendar(session, definition.sla_calendar, local_day(opened_at)), opened_at, pauses)


def dispositions(
    table: case.StateTable, definition: request_type.Definition | None
) -> tuple[request_type.Disposition, ...]:
    """How a case can end: its type's own ways first, then those every case has."""
    own = definition.dispositions if definition is not None else ()
    taken = {each.code for each in own}
    general = tuple(each for each in table.dispositions if each.code not in taken)
    if own:
        # “Done” and “Referred elsewhere” are for cases whose type brought no endings of its own.
        general = tuple(each for each in general if each.code not in ("resolved", "referred"))
    return own + general
