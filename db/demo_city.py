"""The mark that says a database holds a demo city, and clearing one whose making was interrupted. The city is made in
`portal.demo_city`, which may look up at the rules; its statements are here and in `db.bulk`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db import (
    accounts,
    billing,
    bulk,
    contacts,
    directory,
    events,
    metering,
    moves,
    opinion,
    service_requests,
    staff,
    waste,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from db.core import Database

MARKER_KIND, MARKER_CODE = "database", "demo"
ISSUER = "demo"
"""Colleagues of the demo city have this issuer; nobody signs in with it but by choosing."""

MODELS = (
    accounts.ServiceArea, accounts.Person, accounts.Premise, staff.Staff, staff.StaffRole, contacts.IdentityVerifier,
    accounts.ServicePoint, metering.Meter, waste.Container, metering.DayTemperature, billing.CycleDate, accounts.Account,
    accounts.AuthorisedPerson, accounts.ServiceAgreement, accounts.Flag, accounts.OtherNumber, metering.RegisterRead,
    billing.Bill, billing.Payment, billing.JournalEntry, billing.Posting, contacts.Conversation, contacts.IdentityCheck, contacts.OpinionHeard,
    billing.Adjustment,
    service_requests.KnownEvent, service_requests.ServiceRequest, service_requests.RequestRollup, service_requests.RequestState,
    service_requests.RequestCaller, moves.Move, service_requests.WorkOrder, contacts.Promise, contacts.CallBack,
    opinion.SurveyWave, opinion.Respondent, opinion.SurveyAnswer, opinion.SurveyCount,
)  # fmt: skip
"""Every table the city fills, parents first."""
SIGNS_OF_LIFE = (
    accounts.Person, accounts.Premise, accounts.Account, service_requests.ServiceRequest, service_requests.WorkOrder,
    contacts.Conversation, contacts.EmergencyCall, moves.Move, opinion.SurveyWave,
)  # fmt: skip
"""Rows here mean that somebody works with the database. Colleagues and packs may be there before the city is made."""


def marker(session: Session) -> dict[str, Any] | None:
    """What the database says about its demo city (size, seed, as_of, state); None when it holds none."""
    row = directory.reference_row(session, MARKER_KIND, MARKER_CODE, dt.date.max)
    return None if row is None else dict(row.detail)


def put_marker(session: Session, detail: dict[str, Any]) -> None:
    """Writes the mark, or what it says now."""
    row = directory.reference_row(session, MARKER_KIND, MARKER_CODE, dt.date.max)
    if row is None:
        since = dt.date.fromisoformat(detail["as_of"])
        row = directory.ReferenceRow(
            kind=MARKER_KIND, code=MARKER_CODE, name="Demo city", effective_from=since, detail=detail
        )
        session.add(row)
    row.effective_from, row.detail = dt.date.fromisoformat(detail["as_of"]), detail
    session.flush()


def real_rows(db: Database) -> str | None:
    """The name of a table that holds rows already, None when nobody has worked here."""
    return next((model.__tablename__ for model in SIGNS_OF_LIFE if bulk.has_rows(db, model)), None)


def clear(db: Database) -> None:
    """Removes what an interrupted making left. Events stay: they are the audit chain's."""
    real = sa.select(staff.Staff.id).where(staff.Staff.issuer != ISSUER)
    keep = {
        staff.Staff.__tablename__: staff.Staff.issuer != ISSUER,
        staff.StaffRole.__tablename__: staff.StaffRole.staff_id.in_(real),
    }
    bulk.empty(db, MODELS, keep)
    bulk.restore_indexes(db, MODELS)
    with db.writing() as session:
        session.execute(sa.delete(events.Draft))
