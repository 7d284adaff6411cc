"""Meters and their reads. Tables, then queries."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.accounts import ServicePoint, also_found_by
from db.core import Base, Id, Scaled, append_only


class Meter(Id, Base):
    """A device at a service point; its number is stamped on it."""

    __tablename__ = "meter"
    __table_args__ = (sa.Index(None, "service_point_id"),)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    service_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_point.id"))
    service_kind: Mapped[str] = mapped_column(sa.String(20))
    unit: Mapped[str] = mapped_column(sa.String(6))
    """kWh, ccf, cgal."""
    dials: Mapped[int] = mapped_column(sa.Integer)
    multiplier: Mapped[int] = mapped_column(sa.Integer, default=1)
    installed_on: Mapped[dt.date] = mapped_column(sa.Date)
    removed_on: Mapped[dt.date | None] = mapped_column(sa.Date)


class RegisterRead(Base):
    """What the dials said on a day, and how we know. Never changed: a correction is a further read."""

    __tablename__ = "register_read"
    meter_id: Mapped[int] = mapped_column(sa.ForeignKey("meter.id"), primary_key=True)
    read_on: Mapped[dt.date] = mapped_column(sa.Date, primary_key=True)
    seq: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, default=0)
    read: Mapped[int] = mapped_column(sa.BigInteger)
    how: Mapped[str] = mapped_column(sa.String(10))
    """regular, start, final, re_read, customer, estimated."""


class DayTemperature(Base):
    """The mean temperature of a day at the city's weather station, for degree days."""

    __tablename__ = "day_temperature"
    day: Mapped[dt.date] = mapped_column(sa.Date, primary_key=True)
    mean_f: Mapped[object] = mapped_column(Scaled(1))


append_only(RegisterRead)


# --- queries ----------------------------------------------------------------------------------------------------------

# A premise is found by the meters that hang there.
also_found_by(
    "m",
    sa.select(Meter.number, ServicePoint.premise_id).join(ServicePoint, ServicePoint.id == Meter.service_point_id),
    ServicePoint.premise_id,
)
