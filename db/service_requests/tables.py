"""Request types, CARS requests, citizen action orders, work orders, known events: the tables."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Id, Json, UtcTime, Versioned, append_only, reference_data


class RequestType(Id, Base):
    """One version of a kind of request: its form, clock, routing and closing rules, as its pack file says them."""

    __tablename__ = "request_type"
    __table_args__ = (sa.UniqueConstraint("code", "version_no"),)
    code: Mapped[str] = mapped_column(sa.String(60))
    version_no: Mapped[int] = mapped_column(sa.Integer)
    effective_from: Mapped[dt.date] = mapped_column(sa.Date)
    name: Mapped[str] = mapped_column(sa.String(120))
    group_name: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[str] = mapped_column(sa.String(20))
    """cars (solid waste), action_order (to another department), work (meter and field work)."""
    department_code: Mapped[str] = mapped_column(sa.ForeignKey("department.code"))
    division_code: Mapped[str | None] = mapped_column(sa.ForeignKey("division.code"))
    synonyms: Mapped[str] = mapped_column(sa.Text, default="")
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    """The whole definition: field, sla, disposition, text for representative and caller."""


reference_data(RequestType)


class ServiceRequest(Id, Versioned, Base):
    """A promise to a citizen that something will be done: opened, due, worked, closed with a recorded resolution."""

    __tablename__ = "service_request"
    __table_args__ = (
        sa.UniqueConstraint("source", "external_id"),
        # The queues: the last columns are there so that their counts read the index alone.
        sa.Index("ix_service_request_queue", "division_code", "closed", "due_at", "state_code", "assigned_id"),
        sa.Index("ix_service_request_assigned", "assigned_id", "closed", "due_at"),
        sa.Index("ix_service_request_owner", "owner_id", "closed", "due_at"),
        sa.Index("ix_service_request_due", "closed", "due_at", "state_code", "assigned_id"),
        sa.Index(None, "premise_id", "closed"),
        sa.Index(None, "account_id", "opened_at"),
        sa.Index(None, "person_id", "opened_at"),
        sa.Index(None, "external_id"),
        sa.Index(None, "known_event_id"),
        sa.Index("ix_service_request_near", "closed", "latitude", "longitude"),
        # The reports: what was opened in a span, with everything a median or a repeat asks; which took just so long; and the
        # open work by age.
        sa.Index(None, "minutes_to_close", "opened_at"),
        sa.Index(
            "ix_service_request_span",
            "opened_at",
            "minutes_to_close",
            "division_code",
            "request_type_code",
            "district",
            "channel",
            "premise_id",
        ),
        sa.Index(
            "ix_service_request_backlog",
            "opened_at",
            "due_at",
            "division_code",
            "request_type_code",
            "district",
            "channel",
            "closed",  # SQLite looks at it once more, and would read the row for it
            sqlite_where=sa.text("NOT closed"),
            postgresql_where=sa.text("NOT closed"),
        ),
        # The queue's filter reads the words of a division's open work from here alone. PostgreSQL's rows lie closer together
        # and its indexes hold no long texts: there it takes the queue's own index.
        sa.Index(
            "ix_service_request_words",
            "division_code",
            "due_at",
            "state_code",
            "assigned_id",
            "owner_id",
            "closed",
            "search_text",
            sqlite_where=sa.text("NOT closed"),
            info={"only_on": "sqlite"},
        ).ddl_if(dialect="sqlite"),
    )
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    source: Mapped[str] = mapped_column(sa.String(40), default="portal")
    external_id: Mapped[str | None] = mapped_column(sa.String(60))
    """The number in the system it came from; searchable."""
    kind: Mapped[str] = mapped_column(sa.String(20))
    request_type_code: Mapped[str] = mapped_column(sa.String(60))
    request_type_version: Mapped[int] = mapped_column(sa.Integer, default=1)
    request_type_name: Mapped[str] = mapped_column(sa.String(120))
    group_name: Mapped[str] = mapped_column(sa.String(80))
    department_code: Mapped[str | None] = mapped_column(sa.String(40))
    division_code: Mapped[str | None] = mapped_column(sa.String(80))
    priority: Mapped[str] = mapped_column(sa.String(12), default="normal")
    channel: Mapped[str] = mapped_column(sa.String(20), default="phone")
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    premise_id: Mapped[int | None] = mapped_column(sa.ForeignKey("premise.id"))
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    district: Mapped[str] = mapped_column(sa.String(60), default="")
    latitude: Mapped[float | None] = mapped_column(sa.Float)
    longitude: Mapped[float | None] = mapped_column(sa.Float)
    description: Mapped[str] = mapped_column(sa.Text, default="")
    answers: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Field code -> {label, value}: the wording that was answered stays with the case."""
    state_code: Mapped[str] = mapped_column(sa.String(24))
    """new, assigned, in_progress, waiting_customer, closed; labels are data."""
    closed: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    due_explanation: Mapped[list[str] | None] = mapped_column(Json)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    disposition_code: Mapped[str | None] = mapped_column(sa.String(60))
    resolution: Mapped[str] = mapped_column(sa.Text, default="")
    reopened_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    assigned_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    """Who owes the citizen the answer (apart from who does the work)."""
    duplicate_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_request.id"))
    known_event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("known_event.id"))
    joined_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    tell_by: Mapped[str] = mapped_column(sa.String(20), default="none")
    """How the caller wants to hear: call, text, email, letter, none."""
    opened_month: Mapped[str] = mapped_column(sa.String(7))
    minutes_to_close: Mapped[int | None] = mapped_column(sa.Integer)
    in_target: Mapped[bool | None] = mapped_column(sa.Boolean)
    flagged: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    """Imported with something odd (closed before it was opened)."""
    import_digest: Mapped[str | None] = mapped_column(sa.String(40))
    search_text: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    """While it is open: what the queue's filter looks in, folded (`db.service_requests.words`)."""


class RequestRollup(Base):
    """How many requests were opened in a week or month by division, type, district and channel, and what became of them so
    far. Kept in each writing transaction, so that a report of ten years reads a few thousand rows."""

    __tablename__ = "request_rollup"
    __table_args__ = ({"sqlite_with_rowid": False},)
    grain: Mapped[str] = mapped_column(sa.String(5), primary_key=True)
    """week (from Monday) or month, on the city's calendar; w and m: the same by division and type alone, in fewer cells."""
    period_on: Mapped[dt.date] = mapped_column(sa.Date, primary_key=True)
    """Its first day."""
    division_code: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    """Empty: none."""
    request_type_code: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    district: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    channel: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    opened: Mapped[int] = mapped_column(sa.Integer)
    closed: Mapped[int] = mapped_column(sa.Integer)
    """Of those opened: closed by now."""
    with_target: Mapped[int] = mapped_column(sa.Integer)
    closed_with_target: Mapped[int] = mapped_column(sa.Integer)
    on_time: Mapped[int] = mapped_column(sa.Integer)
    """Closed by their due time."""


class RequestState(Id, Base):
    """One step in a request's life: from, to, when, who, why. Pauses and reopenings are read from here."""

    __tablename__ = "request_state"
    __table_args__ = (sa.Index(None, "request_id", "at"),)
    request_id: Mapped[int] = mapped_column(sa.ForeignKey("service_request.id"))
    from_code: Mapped[str] = mapped_column(sa.String(24))
    to_code: Mapped[str] = mapped_column(sa.String(24))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    staff_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    note: Mapped[str] = mapped_column(sa.Text, default="")


class RequestCaller(Id, Base):
    """A further caller who joined a request, or a known event, instead of opening a second request; told when it is over."""

    __tablename__ = "request_caller"
    __table_args__ = (
        sa.Index(None, "request_id"),
        sa.Index(None, "known_event_id"),
        sa.Index(None, "person_id"),
        sa.CheckConstraint("request_id IS NOT NULL OR known_event_id IS NOT NULL", name="joined_something"),
    )
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_request.id"))
    known_event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("known_event.id"))
    premise_id: Mapped[int | None] = mapped_column(sa.ForeignKey("premise.id"))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    conversation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("conversation.id"))
    tell_by: Mapped[str] = mapped_column(sa.String(20), default="none")
    words: Mapped[str] = mapped_column(sa.Text, default="")
    joined_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class KnownEvent(Id, Versioned, Base):
    """One trouble many people call about, in an area: outage, main break, route delayed."""

    __tablename__ = "known_event"
    __table_args__ = (sa.Index(None, "ended_at"),)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    kind_code: Mapped[str] = mapped_column(sa.String(40))
    title: Mapped[str] = mapped_column(sa.String(200))
    words: Mapped[str] = mapped_column(sa.Text)
    """What to tell callers."""
    area_codes: Mapped[list[str]] = mapped_column(Json)
    """Districts it touches; empty: the whole city."""
    request_type_codes: Mapped[list[str]] = mapped_column(Json)
    premise_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    next_word_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class WorkOrder(Id, Versioned, Base):
    """A job for a division, crew or contractor: meter turned on, cart delivered, leak looked at."""

    __tablename__ = "work_order"
    __table_args__ = (
        sa.Index("ix_work_order_queue", "division_code", "closed", "due_at", "state_code", "assigned_id"),
        sa.Index("ix_work_order_assigned", "assigned_id", "closed", "due_at"),
        sa.Index("ix_work_order_due", "closed", "due_at", "state_code", "assigned_id"),
        sa.Index(None, "premise_id", "closed"),
        sa.Index(None, "account_id"),
        sa.Index(None, "request_id"),
        sa.Index(None, "agreement_id"),
        sa.Index(
            "ix_work_order_words",
            "division_code",
            "due_at",
            "state_code",
            "assigned_id",
            "closed",
            "search_text",
            sqlite_where=sa.text("NOT closed"),
            info={"only_on": "sqlite"},
        ).ddl_if(dialect="sqlite"),
    )
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    kind_code: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(120))
    order_code: Mapped[str] = mapped_column(sa.String(40), default="")
    """The division's own code for the job (RG96-DEL, E-ON)."""
    service_kind: Mapped[str | None] = mapped_column(sa.String(20))
    request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_request.id"))
    premise_id: Mapped[int | None] = mapped_column(sa.ForeignKey("premise.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    agreement_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_agreement.id"))
    service_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_point.id"))
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    """As it was when the order was written: the crew reads it, lists need no other table."""
    division_code: Mapped[str] = mapped_column(sa.String(40))
    crew: Mapped[str] = mapped_column(sa.String(60), default="")
    state_code: Mapped[str] = mapped_column(sa.String(24))
    """new, scheduled, dispatched, done, cancelled."""
    closed: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    instructions: Mapped[str] = mapped_column(sa.Text, default="")
    planned_on: Mapped[dt.date | None] = mapped_column(sa.Date)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    disposition_code: Mapped[str | None] = mapped_column(sa.String(60))
    resolution: Mapped[str] = mapped_column(sa.Text, default="")
    assigned_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    search_text: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    """While it is open: what the queue's filter looks in, folded."""


class ImportRun(Id, Base):
    """One reading of a file into the portal: counts, where the rejects went."""

    __tablename__ = "import_run"
    kind: Mapped[str] = mapped_column(sa.String(40))
    source: Mapped[str] = mapped_column(sa.String(40))
    file_name: Mapped[str] = mapped_column(sa.String(300))
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    counts: Mapped[dict[str, Any]] = mapped_column(Json)


append_only(RequestState)
