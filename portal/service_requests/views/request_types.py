"""What an administrator sees of request types: the list, one with its versions, and what it would do if it counted now."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import core, directory
from db import service_requests as rows
from db import staff as staff_rows
from portal.service_requests.rules import design, design_change, request_type, routing, stop
from portal.service_requests.rules.answer import shown_fields
from portal.service_requests.rules.publish import ALWAYS
from portal.service_requests.views import in_force
from portal.shared.problem import Problem
from portal.shared.refusal import Refused
from portal.shared.text import day_text, fold, moment_text
from portal.shared.toml_text import read_toml, toml_text

if TYPE_CHECKING:
    from collections.abc import Mapping

BAD_FILE = "This is no request type yet"


@dataclass(frozen=True)
class TypeLine:
    """A request type in the list."""

    code: str
    name: str
    group: str
    kind: str
    department: str
    division: str
    open: int
    version_no: int
    since: str
    """The day from which the version in force counts, in words; empty when it always has."""
    planned: str
    """“version 4 from Dec 1”, when one is published that does not count yet."""
    active: bool
    words: str
    """Folded text it is found by."""


@dataclass(frozen=True)
class VersionLine:
    """One version in the history of a type."""

    version_no: int
    since: str
    who: str
    when: str
    state: str
    """In force, planned, or past."""
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Designed:
    """A request type as the page that designs it opens it."""

    code: str
    name: str
    detail: Mapping[str, Any]
    version_no: int
    """The newest version, on which a draft builds."""
    open: int
    versions: tuple[VersionLine, ...]


@dataclass(frozen=True)
class Offered:
    """What there is to choose from, each code with its name."""

    groups: tuple[str, ...]
    departments: Mapping[str, str]
    divisions: Mapping[str, str]
    """Division -> “Department · Division”."""
    department_of: Mapping[str, str]
    calendars: Mapping[str, str]
    areas: Mapping[str, str]
    roles: Mapping[str, str]
    letters: Mapping[str, str]


@dataclass(frozen=True)
class Trial:
    """What a request with some answers would become at some moment."""

    stop: request_type.Stop | None
    goes_to: str
    row: int | None
    why: str
    due: str
    steps: tuple[str, ...]
    due_problem: str = ""


def request_type_lines() -> tuple[TypeLine, ...]:
    """Every type there is, those in use first, by group and name."""
    today = in_force.local_day()
    with core.read() as session:
        outlines = rows.request_type_outlines(session)
        open_by_code = rows.open_counts_by_type(session)
        departments = {row.code: row.name for row in directory.departments(session)}
        divisions = rows.division_names(session)
    versions: dict[str, list[Any]] = {}
    for outline in outlines:
        versions.setdefault(outline.code, []).append(outline)
    lines = []
    for code, each in versions.items():
        counts = [row for row in each if row.effective_from <= today]
        now = max(counts or each, key=lambda row: (row.effective_from, row.version_no))
        later = [row for row in each if row.effective_from > max(today, now.effective_from)]
        lines.append(
            TypeLine(
                code=code,
                name=now.name,
                group=now.group_name,
                kind=request_type.KINDS.get(now.kind, now.kind),
                department=departments.get(now.department_code, now.department_code),
                division=divisions.get(now.division_code or "", ""),
                open=open_by_code.get(code, 0),
                version_no=now.version_no,
                since=_since(now.effective_from, today),
                planned=f"version {later[0].version_no} from {day_text(later[0].effective_from, today)}"
                if later
                else "",
                active=bool(now.active),
                words=fold(
                    " ".join((now.name, now.group_name, now.synonyms, code, departments.get(now.department_code, "")))
                ),
            )
        )
    return tuple(sorted(lines, key=lambda line: (not line.active, line.group.casefold(), line.name.casefold())))


def _since(on: dt.date, today: dt.date) -> str:
    return "" if on <= ALWAYS else day_text(on, today)


def designed(code: str) -> Designed | None:
    """A type with its whole history; None when there is none with this code."""
    now, today = core.now(), in_force.local_day()
    with core.read() as session:
        versions = rows.request_type_versions(session, code)
        if not versions:
            return None
        published = rows.publications(session, [row.id for row in versions])
        in_use = rows.request_type_in_force(session, code, today)
        open_by_code = rows.open_counts_by_type(session)
        lines = []
        for at, row in enumerate(versions):
            when, who = published.get(row.id, (None, ""))
            before = versions[at + 1].detail if at + 1 < len(versions) else None
            planned = row.effective_from > today
            lines.append(
                VersionLine(
                    version_no=row.version_no,
                    since=_since(row.effective_from, today) or "always",
                    who=who or "from a file",
                    when="" if when is None else moment_text(when, in_force.zone(), now),
                    state="planned"
                    if planned
                    else "in force"
                    if in_use is not None and row.id == in_use.id
                    else "past",
                    changes=tuple(design_change.differences(before, row.detail)),
                )
            )
        newest = versions[0]
        return Designed(
            code=code,
            name=newest.name,
            detail=newest.detail,
            version_no=newest.version_no,
            open=open_by_code.get(code, 0),
            versions=tuple(lines),
        )


def exported(code: str) -> str:
    """The newest version of a type as the text of a file, with the day from which it counts."""
    with core.read() as session:
        newest = next(iter(rows.request_type_versions(session, code)), None)
    if newest is None:
        return ""
    detail = dict(newest.detail)
    if newest.effective_from > ALWAYS:
        detail = {
            "code": detail.pop("code"),
            "name": detail.pop("name"),
            "effective_from": newest.effective_from.isoformat(),
        } | detail
    return toml_text(detail)


def offered() -> Offered:
    """What a type can name: departments, divisions, calendars, areas, roles, letters; and the groups in use."""
    today = in_force.local_day()
    with core.read() as session:
        departments = {row.code: row.name for row in directory.departments(session)}
        divisions = directory.divisions(session)
        calendars = {row.code: row.name for row in directory.reference(session, "calendar", today)}
        areas = {row.code: row.name for row in rows.areas(session)}
        roles = {row.code: row.name for row in staff_rows.all_roles(session)}
        letters = {row.code: row.name for row in directory.reference(session, "letter", today)}
        groups = {row.group_name for row in rows.request_types_in_force(session, today)}
    named = sorted(divisions, key=lambda row: (departments.get(row.department_code, ""), row.name))
    return Offered(
        groups=tuple(sorted(groups)),
        departments={row.department_code: departments[row.department_code] for row in named},
        divisions={row.code: f"{departments[row.department_code]} · {row.name}" for row in named},
        department_of={row.code: row.department_code for row in named},
        calendars=calendars,
        areas=areas,
        roles=roles,
        letters=letters,
    )


def problems_of(detail: Mapping[str, Any]) -> list[Problem]:
    """What keeps a definition from being published, as the command will see it."""
    with core.read() as session:
        return in_force.definition_problems(session, detail, in_force.local_day())


def trial(definition: request_type.Definition, answers: Mapping[str, Any], district: str, at: dt.datetime) -> Trial:
    """What a request of this definition would become: stopped, or routed and timed, each with its reason. Nothing is kept."""
    asked = {field.code for field in shown_fields(definition, answers)}
    given = {code: value for code, value in answers.items() if code in asked}
    with core.read() as session:
        goes_to = routing.route(definition, district, given, in_force.open_at(session, at))
        divisions = rows.division_names(session)
        departments = {row.code: row.name for row in directory.departments(session)}
        due, problem = None, ""
        try:
            due = in_force.due_of(session, definition, at)
        except ValueError as never:
            problem = str(never)
    division = divisions.get(goes_to.division or "", "")
    return Trial(
        stop=stop.stop_of(definition, given),
        goes_to=division or departments.get(goes_to.department, goes_to.department),
        row=goes_to.row,
        why=goes_to.why,
        due="" if due is None or due.due_at is None else moment_text(due.due_at, in_force.zone(), core.now()),
        steps=() if due is None else due.explanation,
        due_problem=problem,
    )


def new_draft(copy_of: str = "") -> dict[str, Any]:
    """The draft of a new type: empty, or beginning as a copy."""
    found = designed(copy_of) if copy_of else None
    return design.copied(found.detail) if found is not None else design.opened(design.NEW)


def read_file(content: bytes, most: int) -> tuple[dict[str, Any], int]:
    """(definition, newest version of its code or 0) of a file's bytes. Refused with every mistake, each with its remedy."""
    if not content.strip():
        raise Refused([Problem("file", "The file is empty. Choose one, or paste its text.")], title=BAD_FILE)
    if len(content) > most:
        raise Refused(
            [
                Problem(
                    "file", f"The file has {len(content):,} bytes; a request type has at most {most:,}. Choose another."
                )
            ],
            title=BAD_FILE,
        )
    try:
        detail = read_toml(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused([Problem("file", "The file is no text in UTF-8. Save it as UTF-8.")], title=BAD_FILE) from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(
            [Problem("file", f"The file cannot be read: {error}. Correct that place and bring it in again.")],
            title=BAD_FILE,
        ) from None
    with core.read() as session:
        problems = in_force.definition_problems(session, detail, in_force.local_day())
        if problems:
            raise Refused(problems, title=BAD_FILE)
        versions = rows.request_type_versions(session, detail["code"])
    return detail, versions[0].version_no if versions else 0
