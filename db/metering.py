"""Meters and their reads. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db import core
from db.accounts import Account, ServiceAgreement, ServicePoint, also_found_by
from db.core import Base, Id, Scaled, append_only

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


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


@core.prepared
def _meters_at(premise_ids: Any) -> Any:
    return (
        sa.select(
            Meter.id, Meter.number, Meter.service_kind, Meter.unit, Meter.dials, Meter.multiplier, Meter.installed_on,
            Meter.service_point_id, ServicePoint.premise_id, ServicePoint.remote,
        )
        .join(ServicePoint, ServicePoint.id == Meter.service_point_id)
        .where(ServicePoint.premise_id.in_(premise_ids), Meter.removed_on.is_(None))
        .order_by(Meter.service_kind, Meter.id)
    )  # fmt: skip


def meters_at(session: Session, premise_ids: Collection[int]) -> Sequence[Any]:
    """The meters that hang at some premises now, by kind of service."""
    return _meters_at(session, premise_ids=sorted(premise_ids)).all()


@core.prepared
def _reads_since(meter_ids: Any, since: Any) -> Any:
    return (
        sa.select(RegisterRead.meter_id, RegisterRead.read_on, RegisterRead.read, RegisterRead.how)
        .where(RegisterRead.meter_id.in_(meter_ids), RegisterRead.read_on >= since)
        .order_by(RegisterRead.meter_id, RegisterRead.read_on, RegisterRead.seq)
    )


def reads_since(session: Session, meter_ids: Collection[int], since: dt.date) -> dict[int, list[Any]]:
    """(read_on, read, how) of each meter from a day on, oldest first; of several reads of one day the last."""
    found: dict[int, dict[dt.date, Any]] = {}
    for row in _reads_since(session, meter_ids=sorted(meter_ids), since=since):
        found.setdefault(row.meter_id, {})[row.read_on] = row
    return {meter_id: list(by_day.values()) for meter_id, by_day in found.items()}


@core.prepared
def _last_read(meter_id: Any) -> Any:
    return (
        sa.select(RegisterRead.read_on, RegisterRead.read, RegisterRead.how)
        .where(RegisterRead.meter_id == meter_id)
        .order_by(RegisterRead.read_on.desc(), RegisterRead.seq.desc())
        .limit(1)
    )  # fmt: skip


def last_read(session: Session, meter_id: int) -> Any:
    """(read_on, read, how) of the latest read of a meter; None when it was never read."""
    return _last_read(session, meter_id=meter_id).one_or_none()


@core.prepared
def _degree_days(from_on: Any, to_on: Any) -> Any:
    tenths = sa.type_coerce(DayTemperature.mean_f, sa.Integer)
    zero = sa.literal(0)
    return sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((tenths < 650, 650 - tenths), else_=zero)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((tenths > 650, tenths - 650), else_=zero)), 0),
    ).where(DayTemperature.day >= from_on, DayTemperature.day < to_on)


def degree_days(session: Session, from_on: dt.date, to_on: dt.date) -> tuple[float, float] | None:
    """Heating and cooling degree days (65 °F) from a day until before another; None unless each day's mean is known."""
    days, heating, cooling = _degree_days(session, from_on=from_on, to_on=to_on).one()
    return (float(heating) / 10, float(cooling) / 10) if days == (to_on - from_on).days > 0 else None


@core.prepared
def _account_tenure(account_id: Any) -> Any:
    return (
        sa.select(Account.premise_id, Account.opened_on, Account.closed_on).where(Account.id == account_id)
    )  # fmt: skip


def account_tenure(session: Session, account_id: int) -> Any:
    """(premise_id, opened_on, closed_on) of an account: whose use it is; None when there is no such account."""
    return _account_tenure(session, account_id=account_id).one_or_none()


@core.prepared
def _premises_of_account(account_id: Any) -> Any:
    return (
        sa.select(ServicePoint.premise_id)
        .join(ServiceAgreement, ServiceAgreement.service_point_id == ServicePoint.id)
        .where(ServiceAgreement.account_id == account_id, ServiceAgreement.state_code != "cancelled")
    )


def premises_of_account(session: Session, account_id: int) -> set[int]:
    """The premises an account is served at."""
    return set(_premises_of_account(session, account_id=account_id).scalars())
