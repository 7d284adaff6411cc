"""What is asked about request types themselves: their versions, who published them, how much is open of each."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db.events import Event
from db.service_requests.tables import RequestType, ServiceRequest
from db.staff import Staff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def request_type_versions(session: Session, code: str) -> Sequence[RequestType]:
    """Every version of a type, the newest first."""
    return session.scalars(
        sa.select(RequestType).where(RequestType.code == code).order_by(RequestType.version_no.desc())
    ).all()


def request_type_outlines(session: Session) -> Sequence[Any]:
    """(id, code, version_no, effective_from, name, group_name, kind, department_code, division_code, synonyms, active) of
    every version of every type, the newest of each first."""
    return session.execute(
        sa.select(
            RequestType.id, RequestType.code, RequestType.version_no, RequestType.effective_from, RequestType.name,
            RequestType.group_name, RequestType.kind, RequestType.department_code, RequestType.division_code,
            RequestType.synonyms, RequestType.active,
        ).order_by(RequestType.code, RequestType.version_no.desc())
    ).all()  # fmt: skip


def newest_version_id(session: Session) -> int:
    """A number that grows whenever a version of any type is published: what is remembered of types is true until then."""
    return session.scalar(sa.select(sa.func.max(RequestType.id))) or 0


def open_counts_by_type(session: Session) -> dict[str, int]:
    """How many requests of each type are open."""
    counted = sa.select(ServiceRequest.request_type_code, sa.func.count()).where(ServiceRequest.closed == sa.false())
    return {code: count for code, count in session.execute(counted.group_by(ServiceRequest.request_type_code))}  # noqa: C416  # rows are no pairs to the type checker


def publications(session: Session, version_ids: Sequence[int]) -> dict[int, tuple[dt.datetime, str]]:
    """(when, by whom) each of these versions was published; the name is empty for one read from a file."""
    return {
        subject: (at, name or "")
        for subject, at, name in session.execute(
            sa.select(Event.subject_id, Event.at, Staff.name)
            .outerjoin(Staff, Staff.id == Event.staff_id)
            .where(
                Event.subject_kind == "request_type",
                Event.name == "request_type.published",
                Event.subject_id.in_(version_ids),
            )
        )
    }
