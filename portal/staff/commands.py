"""Verbs about staff: let in, change roles, end access, declare a relative; open and end sign-ins."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import core
from db import directory as directory_rows
from db import staff as rows
from portal import settings
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.shared.text import day_text
from portal.staff.rules import (
    AbsenceForm,
    Away,
    StaffForm,
    problems_of_absence,
    problems_of_permissions,
    problems_of_roles,
    problems_of_staff,
)

if TYPE_CHECKING:
    from db.core import Work
    from portal.shared.actor import Actor

ADMINISTRATOR = "administrator"


@command("staff.edit")
def add_staff(actor: Actor, work: Work, form: StaffForm) -> Receipt:
    """Lets a person in under an identity of the provider."""
    roles = frozenset(role.code for role in rows.all_roles(work.session))
    divisions = frozenset(division.code for division in directory_rows.divisions(work.session))
    found = problems_of_staff(form, roles, divisions)
    if not found and rows.by_identity(work.session, form.issuer.strip(), form.subject.strip()) is not None:
        found.append(Problem("subject", "This identity is already on the list; change that entry instead."))
    if found:
        raise Refused(found)
    person = work.add(
        rows.Staff(
            issuer=form.issuer.strip(),
            subject=form.subject.strip(),
            name=form.name.strip(),
            email=form.email.strip(),
            division_code=form.division_code,
            created_at=work.now,
        )
    )
    rows.set_roles(work.session, person.id, form.roles)
    work.event(
        "staff.added",
        staff_id=actor.staff_id or None,
        subject_kind="staff",
        subject_id=person.id,
        detail={"roles": list(form.roles)},
    )
    return Receipt(title=f"{person.name} can sign in now", subject_kind="staff", subject_id=person.id)


@command("staff.edit")
def change_roles(
    actor: Actor, work: Work, staff_id: int, roles: tuple[str, ...], division_code: str | None, version: int
) -> Receipt:
    """Gives a person other roles and another division; never takes the last administrator away."""
    person = _person(work, staff_id, version)
    found = problems_of_roles(roles, frozenset(role.code for role in rows.all_roles(work.session)))
    if found:
        raise Refused(found)
    if staff_id == actor.staff_id:
        raise Refused(
            [Problem("roles", "Nobody changes their own roles. Ask another administrator.")], report="own_roles"
        )
    if ADMINISTRATOR not in roles and rows.only_administrator(work.session, staff_id, ADMINISTRATOR):
        raise Refused([Problem("roles", "This is the last active administrator. Make somebody else one first.")])
    rows.set_roles(work.session, staff_id, roles)
    person.division_code = division_code
    person.version += 1
    work.event(
        "staff.roles_changed",
        staff_id=actor.staff_id,
        subject_kind="staff",
        subject_id=staff_id,
        detail={"roles": list(roles)},
    )
    return Receipt(title=f"Roles of {person.name} are changed", subject_kind="staff", subject_id=staff_id)


@command("staff.edit")
def change_role(actor: Actor, work: Work, role_code: str, permissions: tuple[str, ...]) -> Receipt:
    """Sets what a role allows. The administrator's role keeps the right to change roles."""
    found = problems_of_permissions(permissions)
    role = next((role for role in rows.all_roles(work.session) if role.code == role_code), None)
    if role is None:
        found.append(Problem("role", "This role is gone; reload the page."))
    elif role_code == ADMINISTRATOR and "staff.edit" not in permissions:
        found.append(
            Problem(
                "permissions",
                "The administrator's role must keep “staff.edit”, or nobody could ever change a role again.",
            )
        )
    if found or role is None:
        raise Refused(found)
    rows.set_role_permissions(work.session, role_code, permissions)
    work.event(
        "staff.role_changed",
        staff_id=actor.staff_id,
        subject_kind="role",
        subject_id=role.position,
        detail={"role": role_code, "permissions": sorted(permissions)},
    )
    return Receipt(title=f"The role “{role.name}” is changed")


@command("staff.edit")
def end_access(actor: Actor, work: Work, staff_id: int, stand_in_id: int, version: int) -> Receipt:
    """Ends a person's access and every sign-in of theirs, and names who stands in; their open work is handed over by
    `service_requests.commands.hand_over_and_end_access`, which calls this inside its own transaction."""
    person = _person(work, staff_id, version)
    if not person.active:
        raise Refused([Problem("", f"{person.name}'s access has already been ended.")])
    if staff_id == actor.staff_id:
        raise Refused([Problem("", "Nobody ends their own access. Ask another administrator.")])
    if stand_in_id == staff_id or not rows.is_active(work.session, stand_in_id):
        raise Refused([Problem("stand_in", "Choose an active colleague who takes the open work over.")])
    if rows.only_administrator(work.session, staff_id, ADMINISTRATOR):
        raise Refused([Problem("", "This is the last active administrator. Make somebody else one first.")])
    person.active = False
    person.stand_in_id = stand_in_id
    person.version += 1
    rows.end_sessions(work.session, staff_id, work.now, "deactivated")
    work.event(
        "staff.access_ended",
        staff_id=actor.staff_id,
        subject_kind="staff",
        subject_id=staff_id,
        detail={"stand_in": stand_in_id},
    )
    return Receipt(title=f"{person.name}'s access has ended", subject_kind="staff", subject_id=staff_id)


@command("staff.edit")
def restore_access(actor: Actor, work: Work, staff_id: int, version: int) -> Receipt:
    """Lets a person in again; work that was handed over stays where it is."""
    person = _person(work, staff_id, version)
    if person.active:
        raise Refused([Problem("", f"{person.name} already has access.")])
    person.active = True
    person.stand_in_id = None
    person.version += 1
    work.event("staff.access_restored", staff_id=actor.staff_id, subject_kind="staff", subject_id=staff_id)
    return Receipt(title=f"{person.name} can sign in again", subject_kind="staff", subject_id=staff_id)


@command("staff.edit")
def declare_relative(actor: Actor, work: Work, staff_id: int, person_id: int) -> Receipt:
    """Records a customer as a relative of a staff member: out of that member's reach from now on."""
    person = _person(work, staff_id)
    if person_id in rows.relatives(work.session, staff_id):
        raise Refused([Problem("person", "This customer is already declared.")])
    work.add(rows.StaffRelative(staff_id=staff_id, person_id=person_id, declared_at=work.now))
    work.event(
        "staff.relative_declared",
        staff_id=actor.staff_id,
        subject_kind="staff",
        subject_id=staff_id,
        person_id=person_id,
    )
    return Receipt(
        title=f"{person.name} can no longer act on this customer's account", subject_kind="staff", subject_id=staff_id
    )


@command("absence.declare")
def declare_absence(actor: Actor, work: Work, form: AbsenceForm) -> Receipt:
    """Says that somebody is away and who decides in their place meanwhile; for others than oneself, as who may edit staff."""
    person = _person(work, form.staff_id)
    _refuse_for_others(actor, form.staff_id)
    if form.staff_id != actor.staff_id and form.stand_in_id == actor.staff_id:
        raise Refused([Problem("stand_in", "Nobody names themselves as stand-in. Choose another, or ask a colleague.")])
    today = _today(work)
    stand_in = None if form.stand_in_id is None else rows.by_id(work.session, form.stand_in_id)
    problems = problems_of_absence(
        form,
        today,
        stand_in_name=stand_in.name if stand_in is not None and stand_in.active else None,
        own=_absences(work, form.staff_id, today),
        of_stand_in=[] if stand_in is None else _absences(work, stand_in.id, today),
    )
    if problems or stand_in is None or form.from_on is None or form.until_on is None:
        raise Refused(problems)
    row = work.add(
        rows.StaffAbsence(
            staff_id=form.staff_id,
            stand_in_id=stand_in.id,
            from_on=form.from_on,
            until_on=form.until_on,
            declared_at=work.now,
            declared_by_id=actor.staff_id,
        )
    )
    work.event(
        "staff.absence_declared",
        staff_id=actor.staff_id,
        subject_kind="staff",
        subject_id=form.staff_id,
        detail={"absence": row.id, "stand_in": stand_in.id},
    )
    until = day_text(form.until_on, today)
    return Receipt(
        title=f"{stand_in.name} stands in for {person.name} until {until}",
        subject_kind="staff",
        subject_id=form.staff_id,
    )


@command("absence.declare")
def end_absence(actor: Actor, work: Work, absence_id: int) -> Receipt:
    """Ends an absence: back earlier, or entered by mistake. What was decided meanwhile stays decided."""
    row = core.lock(work.session, rows.StaffAbsence, absence_id)
    if row is None or row.ended_at is not None or row.until_on < _today(work):
        raise Refused([Problem("", "This absence is over already. Reload the page.")])
    _refuse_for_others(actor, row.staff_id)
    row.ended_at = work.now
    work.event(
        "staff.absence_ended",
        staff_id=actor.staff_id,
        subject_kind="staff",
        subject_id=row.staff_id,
        detail={"absence": row.id},
    )
    return Receipt(title=f"{_person(work, row.staff_id).name} is back", subject_kind="staff", subject_id=row.staff_id)


def _absences(work: Work, staff_id: int, today: dt.date) -> list[Away]:
    return [Away(each.from_on, each.until_on) for each in rows.absences(work.session, staff_id, today)]


def _refuse_for_others(actor: Actor, staff_id: int) -> None:
    if staff_id != actor.staff_id and not actor.may("staff.edit"):
        raise Refused(
            [Problem("", "You can say when you are away yourself. An administrator does it for others.")],
            title="Not your own absence",
            report="permission",
        )


def _today(work: Work) -> dt.date:
    return work.now.astimezone(settings.current().time_zone).date()


def _person(work: Work, staff_id: int, version: int | None = None) -> rows.Staff:
    person = core.lock(work.session, rows.Staff, staff_id)
    if person is None:
        raise Refused([Problem("", "This person is not on the list. Reload the page.")])
    if version is not None and person.version != version:
        raise Refused(
            [Problem("", f"Somebody else has just changed {person.name}'s entry. Reload the page and look again.")]
        )
    return person


# --- sign-ins: facts of the desk's door, not changes to anybody's data ------------------------------------------------


def open_session(staff_id: int, session_id: str) -> None:
    """Opens a sign-in; opening the same one twice is one sign-in."""
    with core.work() as work:
        if rows.session_row(work.session, session_id) is not None:
            return
        work.session.add(rows.StaffSession(id=session_id, staff_id=staff_id, started_at=work.now, seen_at=work.now))
        work.event("staff.signed_in", staff_id=staff_id, subject_kind="staff", subject_id=staff_id)


def touch_session(session_id: str) -> None:
    """Notes that the person is still there."""
    with core.work() as work:
        row = rows.session_row(work.session, session_id)
        if row is not None and row.ended_at is None:
            row.seen_at = work.now


def end_session(session_id: str, *, why: str) -> None:
    with core.work() as work:
        row = rows.session_row(work.session, session_id)
        if row is not None and row.ended_at is None:
            row.ended_at, row.ended_why = work.now, why
            work.event(
                "staff.signed_out",
                staff_id=row.staff_id,
                subject_kind="staff",
                subject_id=row.staff_id,
                detail={"why": why},
            )


def end_sessions(staff_id: int, *, why: str) -> int:
    """Ends every sign-in of a person: each tab and each copied cookie."""
    with core.work() as work:
        ended = rows.end_sessions(work.session, staff_id, work.now, why)
        if ended:
            work.event(
                "staff.signed_out",
                staff_id=staff_id,
                subject_kind="staff",
                subject_id=staff_id,
                detail={"why": why, "sessions": ended},
            )
        return ended


def end_lapsed_sessions(idle: dt.timedelta, absolute: dt.timedelta) -> int:
    """Ends the sign-ins whose tabs were closed without signing out, once they are past the idle or the absolute limit: the
    next look at them would end them, and nobody will look. Returns how many."""
    with core.work() as work:
        found = rows.lapsed_sessions(work.session, work.now - idle, work.now - absolute)
        for row in found:
            why = "absolute" if work.now - row.started_at > absolute else "idle"
            row.ended_at, row.ended_why = work.now, why
            work.event(
                "staff.signed_out",
                staff_id=row.staff_id,
                subject_kind="staff",
                subject_id=row.staff_id,
                detail={"why": why},
            )
        return len(found)
