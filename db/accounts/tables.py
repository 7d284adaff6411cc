"""Persons, premises, service points, accounts, service agreements, flags, and the index by which one search finds them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Cents, Id, Json, UtcTime, Versioned


class ServiceArea(Base):
    """A district of the city as a polygon: routes, crews and known events speak of it."""

    __tablename__ = "service_area"
    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(20), default="district")
    polygon: Mapped[dict[str, Any]] = mapped_column(Json)
    """GeoJSON geometry, longitude first."""


class Person(Id, Versioned, Base):
    """Whom we serve: a person or a company."""

    __tablename__ = "person"
    __table_args__ = (sa.Index(None, "merged_into_id"), sa.Index(None, "household_key"))
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    """person, company."""
    name: Mapped[str] = mapped_column(sa.String(160))
    """As written on the bill: “Marcus Ellison”, “Bluewater Cafe LLC”."""
    given_name: Mapped[str] = mapped_column(sa.String(80), default="")
    family_name: Mapped[str] = mapped_column(sa.String(80), default="")
    phone: Mapped[str] = mapped_column(sa.String(20), default="")
    """Ten digits."""
    other_phone: Mapped[str] = mapped_column(sa.String(20), default="")
    email: Mapped[str] = mapped_column(sa.String(200), default="")
    mailing_address: Mapped[str] = mapped_column(sa.String(300), default="")
    language: Mapped[str] = mapped_column(sa.String(40), default="")
    """The interpreter needed; empty: English."""
    household_key: Mapped[str] = mapped_column(sa.String(60), default="")
    exempt_from_public_records: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class Premise(Id, Versioned, Base):
    """The address served, with its unit and its place on the map."""

    __tablename__ = "premise"
    __table_args__ = (sa.Index(None, "street", "house_number"), sa.Index(None, "latitude", "longitude"))
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    house_number: Mapped[int] = mapped_column(sa.Integer)
    street: Mapped[str] = mapped_column(sa.String(120))
    unit: Mapped[str] = mapped_column(sa.String(20), default="")
    city: Mapped[str] = mapped_column(sa.String(80), default="")
    zip: Mapped[str] = mapped_column(sa.String(10), default="")
    address: Mapped[str] = mapped_column(sa.String(300))
    """In one line: “77 Palmetto Ct, Unit 4”."""
    kind: Mapped[str] = mapped_column(sa.String(20))
    """house, apartment, business."""
    rental: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    continuity: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    """The owner takes service over between tenants."""
    latitude: Mapped[float] = mapped_column(sa.Float)
    longitude: Mapped[float] = mapped_column(sa.Float)
    district: Mapped[str] = mapped_column(sa.String(40), default="")
    inside_city: Mapped[bool] = mapped_column(sa.Boolean, default=True)
    read_cycle: Mapped[str] = mapped_column(sa.String(10), default="")
    collection_code: Mapped[str] = mapped_column(sa.String(40), default="")
    """Collection day and colour of the week, “THU-RED”."""
    route_code: Mapped[str] = mapped_column(sa.String(20), default="")


class Account(Id, Versioned, Base):
    """Groups service agreements for one bill."""

    __tablename__ = "account"
    __table_args__ = (sa.Index(None, "person_id"), sa.Index(None, "premise_id", "closed_on"))
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    premise_id: Mapped[int | None] = mapped_column(sa.ForeignKey("premise.id"))
    """The main premise of the account."""
    kind: Mapped[str] = mapped_column(sa.String(12))
    """residential, commercial."""
    bill_by: Mapped[str] = mapped_column(sa.String(10), default="letter")
    mailing_address: Mapped[str] = mapped_column(sa.String(300), default="")
    bill_cycle: Mapped[str] = mapped_column(sa.String(10), default="")
    opened_on: Mapped[dt.date] = mapped_column(sa.Date)
    closed_on: Mapped[dt.date | None] = mapped_column(sa.Date)
    balance_cents: Mapped[int] = mapped_column(Cents, default=0)
    """Bills less payments, kept in the writing transaction; tests prove it equal to the sum."""
    past_due_cents: Mapped[int] = mapped_column(Cents, default=0)
    past_due_since_on: Mapped[dt.date | None] = mapped_column(sa.Date)
    deposit_cents: Mapped[int] = mapped_column(Cents, default=0)
    cutoff_on: Mapped[dt.date | None] = mapped_column(sa.Date)
    """A cut for non-pay is scheduled on this day."""


class AuthorisedPerson(Id, Base):
    """Someone who may act for the customer, and in what."""

    __tablename__ = "authorised_person"
    __table_args__ = (sa.UniqueConstraint("account_id", "person_id"), sa.Index(None, "person_id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    relation: Mapped[str] = mapped_column(sa.String(40))
    powers: Mapped[list[str]] = mapped_column(Json)
    """ask, pay, change, stop."""
    since_on: Mapped[dt.date] = mapped_column(sa.Date)
    until_on: Mapped[dt.date | None] = mapped_column(sa.Date)


class ServicePoint(Id, Base):
    """The place on a premise where one kind of service is delivered."""

    __tablename__ = "service_point"
    __table_args__ = (sa.UniqueConstraint("premise_id", "service_kind"),)
    premise_id: Mapped[int] = mapped_column(sa.ForeignKey("premise.id"))
    service_kind: Mapped[str] = mapped_column(sa.String(20))
    remote: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    """Can be switched and read from the office."""
    multiplicity: Mapped[int] = mapped_column(sa.Integer, default=1)
    """Billing units where they count: ERUs of stormwater, carts of refuse."""
    service_code: Mapped[str] = mapped_column(sa.String(40), default="")
    """The code by kind and area: RG96, YW-R."""
    off_since_on: Mapped[dt.date | None] = mapped_column(sa.Date)


class ServiceAgreement(Id, Versioned, Base):
    """The contract for one service kind at one point on one account, pending until the field or a remote read confirms it."""

    __tablename__ = "service_agreement"
    __table_args__ = (
        sa.Index(None, "account_id", "state_code"),
        sa.Index(None, "service_point_id", "state_code"),
        # Never two active on one point: the database itself refuses it.
        sa.Index(
            "uq_service_agreement_one_active",
            "service_point_id",
            unique=True,
            sqlite_where=sa.text("state_code IN ('active', 'pending_stop')"),
            postgresql_where=sa.text("state_code IN ('active', 'pending_stop')"),
        ),
        sa.CheckConstraint("stop_on IS NULL OR stop_on >= start_on", name="stop_after_start"),
    )
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    service_point_id: Mapped[int] = mapped_column(sa.ForeignKey("service_point.id"))
    service_kind: Mapped[str] = mapped_column(sa.String(20))
    state_code: Mapped[str] = mapped_column(sa.String(16))
    """pending_start, active, pending_stop, stopped, cancelled."""
    start_on: Mapped[dt.date] = mapped_column(sa.Date)
    stop_on: Mapped[dt.date | None] = mapped_column(sa.Date)
    rate_class: Mapped[str] = mapped_column(sa.String(30), default="residential")


class Flag(Id, Base):
    """Something to know before acting: medical need, dog, cut scheduled, mail returned. On a person, premise or account."""

    __tablename__ = "flag"
    __table_args__ = (sa.Index(None, "subject_kind", "subject_id"),)
    subject_kind: Mapped[str] = mapped_column(sa.String(12))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    code: Mapped[str] = mapped_column(sa.String(30))
    words: Mapped[str] = mapped_column(sa.String(200), default="")
    from_on: Mapped[dt.date] = mapped_column(sa.Date)
    until_on: Mapped[dt.date | None] = mapped_column(sa.Date)


class OtherNumber(Id, Base):
    """A number from an older system by which a person, premise or account is still asked for."""

    __tablename__ = "other_number"
    __table_args__ = (
        sa.UniqueConstraint("source", "value", "subject_kind"),
        sa.Index(None, "value_folded"),
        sa.Index(None, "subject_kind", "subject_id"),
    )
    source: Mapped[str] = mapped_column(sa.String(40))
    value: Mapped[str] = mapped_column(sa.String(60))
    value_folded: Mapped[str] = mapped_column(sa.String(60))
    subject_kind: Mapped[str] = mapped_column(sa.String(12))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)


# --- the index of the one search: derived from the rows above, see db/accounts/find.py ----------------------------------

Folded = sa.String(80).with_variant(sa.String(80, collation="C"), "postgresql")
"""Folded text that both databases sort and compare byte by byte, so that a range of prefixes is the same on both."""


class FindEntry(Base):
    """One thing the find box can open: an account, a person without an account, an address without an open account."""

    __tablename__ = "find_entry"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    """Made from kind and subject, so that it is the same in each database and after each rebuilding."""
    kind: Mapped[str] = mapped_column(sa.String(8))
    """account, person, premise."""
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    closed: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    names: Mapped[str] = mapped_column(sa.Text, default="")
    """Folded names, one a line: the person's own and those of records merged into it."""
    place: Mapped[str] = mapped_column(sa.Text, default="")
    """Folded address, street words in their short form."""
    zip: Mapped[str] = mapped_column(sa.String(10), default="")
    numbers: Mapped[str] = mapped_column(sa.Text, default="")
    """Kind letter and squeezed number of each, apart by spaces: `p8505550142 a10022317 me448120`."""


class FindWord(Base):
    """A word of a name or an address, and an entry that has it."""

    __tablename__ = "find_word"
    __table_args__ = ({"sqlite_with_rowid": False},)
    word: Mapped[str] = mapped_column(Folded, primary_key=True)
    entry_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


class FindTerm(Base):
    """Each word there is, once: near spellings of a typed word are looked up here before any entry is read."""

    __tablename__ = "find_term"
    __table_args__ = ({"sqlite_with_rowid": False},)
    word: Mapped[str] = mapped_column(Folded, primary_key=True)
    entries: Mapped[int] = mapped_column(sa.Integer, default=1)
    """In how many entries at the last rebuilding: words that nearly everybody has choose nobody."""


class FindNumber(Base):
    """A number, whole and from each later place on, and an entry that has it: any run of its characters is a range here."""

    __tablename__ = "find_number"
    __table_args__ = ({"sqlite_with_rowid": False},)
    key: Mapped[str] = mapped_column(Folded, primary_key=True)
    entry_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(sa.String(1), primary_key=True)
    """p phone, a account, m meter, o an old system's number, n a person's or premise's number, e e-mail."""
    skip: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    """How many characters of the number stand before `key`; 0: the whole number."""
