"""A request type published: on screen by an administrator, or from a file. One command and one set of rules for both."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from db import core
from db import service_requests as rows
from portal.service_requests.commands.common import when_text
from portal.service_requests.rules import design, design_change, publish
from portal.service_requests.views import in_force
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused
from portal.shared.text import day_text

if TYPE_CHECKING:
    from db.core import Work
    from portal.shared.actor import Actor

SUBJECT = "request_type"


@command("reference.edit")
def publish_request_type(actor: Actor, work: Work, asked: publish.PublishForm) -> Receipt:
    """Publishes a version of a request type that counts from a day; what is open keeps the version it was opened with.

    A file (no `base`) that says what some version said before changes nothing, so that loading the packs again leaves alone
    what an administrator has changed since.
    """
    session, today = work.session, in_force.local_day(work.now)
    detail = dict(asked.detail)
    named = detail.pop("effective_from", None)
    problems = in_force.definition_problems(session, dict(asked.detail), today)
    code = detail.get("code") if isinstance(detail.get("code"), str) else ""
    versions = rows.request_type_versions(session, code or "")
    if versions:
        core.lock(session, rows.RequestType, versions[0].id)  # two who publish at once stand in line
        versions = rows.request_type_versions(session, code or "")
    newest = versions[0] if versions else None
    if asked.base is not None:
        problems = publish.problems(asked, _newest(work, newest), today) + problems
        if newest is not None and not problems and design.same(newest.detail, detail):
            problems.append(
                Problem("", f"Nothing is different from version {newest.version_no}. Change something first.")
            )
    if problems:
        raise Refused(problems, title="Not published yet")
    if asked.base is None and any(design.same(each.detail, detail) for each in versions):
        return Receipt(title=f"{detail['name']}: nothing new", subject_kind=SUBJECT)
    since = asked.effective_on or _day(named) or (today if versions else publish.ALWAYS)
    row = work.add(
        rows.RequestType(
            code=code,
            version_no=1 if newest is None else newest.version_no + 1,
            effective_from=since,
            name=detail["name"],
            group_name=detail["group"],
            kind=detail["kind"],
            department_code=detail["department"],
            division_code=detail.get("division"),
            synonyms=", ".join(detail.get("synonyms", ())),
            active=bool(detail.get("active", True)),
            detail=detail,
        )
    )
    work.event(
        "request_type.published",
        staff_id=actor.staff_id or None,
        subject_kind=SUBJECT,
        subject_id=row.id,
        detail={"type": code, "version": row.version_no, "since": since.isoformat()},
    )
    return _receipt(row, versions, today)


def _receipt(row: rows.RequestType, versions: Any, today: dt.date) -> Receipt:
    from_day = "now" if row.effective_from <= today else day_text(row.effective_from, today)
    changes = design_change.differences(versions[0].detail if versions else None, row.detail)
    steps = [
        Step(
            "Now" if row.effective_from <= today else f"From {from_day}",
            f"{row.name} is offered for new requests."
            if row.active
            else f"{row.name} is not offered for new requests.",
            "add_task",
        )
    ]
    if versions:
        steps.append(
            Step("Until it is closed", "Every request that is open keeps the version it was opened with.", "history")
        )
    return Receipt(
        title=f"{row.name}: version {row.version_no} counts from {from_day}",
        steps=tuple(steps),
        notes=tuple(changes[:12]),
        subject_kind=SUBJECT,
        subject_id=row.id,
        go="request_type",
        go_query=(("code", row.code),),
    )


def _newest(work: Work, row: rows.RequestType | None) -> publish.Newest | None:
    if row is None:
        return None
    at, who = rows.publications(work.session, [row.id]).get(row.id, (None, ""))
    return publish.Newest(row.version_no, row.name, who, "" if at is None else when_text(work, at))


def _day(text: Any) -> dt.date | None:
    return dt.date.fromisoformat(text) if isinstance(text, str) else None
