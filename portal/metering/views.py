"""What screens show of meters: the last reading of each, what was used in thirteen months, and one sentence about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from db import core
from db import metering as rows
from portal import settings
from portal.metering.rules.use import PeriodUse, compare_with_last_year, usage_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

PERIODS = 13
_LOOK_BACK_DAYS = 440
"""Thirteen billing periods and the read before them."""
WEATHER = frozenset({"electric", "gas"})
"""Kinds whose use is compared per degree-day."""
# Meters count water in hundreds of gallons; people do not. Unit of the dials -> (unit people speak of, how many).
SPOKEN_UNITS = {"cgal": ("gal", 100)}


@dataclass(frozen=True)
class Month:
    """Use of one period."""

    label: str
    """“Nov 2026”, the month most of it lies in."""
    from_on: dt.date
    to_on: dt.date
    quantity: Decimal
    estimated: bool


@dataclass(frozen=True)
class MeterLine:
    """A meter with its last reading and the use of its last period."""

    meter_id: int
    number: str
    service_kind: str
    unit: str
    """What use is counted in: kWh, ccf, gal."""
    premise_id: int
    last_read: int | None
    """As the dials show it."""
    read_on: dt.date | None
    how: str
    """regular, estimated, customer, start, final, re_read; empty when never read."""
    last_use: Decimal | None
    months: tuple[Month, ...]
    """At most thirteen, oldest first; only what this account used."""
    sentence: str
    change: float | None
    """Share against the same period a year before: 0.09 = 9 % more."""
    compared_with: str = ""
    """“last November”."""


@dataclass(frozen=True)
class Use:
    """The meters of an account, the one worth drawing first."""

    meters: tuple[MeterLine, ...] = ()

    @property
    def main(self) -> MeterLine | None:
        """The meter whose chart is shown: electric where there is one with periods to show."""
        with_months = [meter for meter in self.meters if meter.months]
        order = {"electric": 0, "gas": 1, "water": 2}
        return min(with_months, key=lambda meter: order.get(meter.service_kind, 3), default=None)

    def of(self, service_kind: str, premise_id: int) -> MeterLine | None:
        return next((m for m in self.meters if m.service_kind == service_kind and m.premise_id == premise_id), None)


def use(account_id: int) -> Use:
    """The meters an account is served by, with its own use only: what others used before is not its business."""
    with core.read() as session:
        account = rows.account_tenure(session, account_id)
        if account is None:
            return Use()
        premises = rows.premises_of_account(session, account_id)
        if not premises and account.premise_id is not None:
            premises = {account.premise_id}
        until = account.closed_on or dt.date.max
        return _lines(session, premises, account.opened_on, until)


def use_at(premise_id: int) -> Use:
    """The meters of a premise with their last readings, whoever lives there."""
    with core.read() as session:
        return _lines(session, {premise_id}, dt.date.min, dt.date.max)


def _lines(session: Session, premises: set[int], since: dt.date, until: dt.date) -> Use:
    meters = rows.meters_at(session, premises) if premises else []
    if not meters:
        return Use()
    today = core.now().astimezone(settings.current().time_zone).date()
    last_day = min(today, until)
    earliest = max(since, last_day - dt.timedelta(days=_LOOK_BACK_DAYS))
    reads = rows.reads_since(session, [meter.id for meter in meters], earliest)
    degree_days: dict[tuple[dt.date, dt.date], tuple[float, float] | None] = {}
    lines = []
    for meter in meters:
        own = [read for read in reads.get(meter.id, []) if read.read_on <= until]
        last = own[-1] if own else rows.last_read(session, meter.id) if since == dt.date.min else None
        unit, size = SPOKEN_UNITS.get(meter.unit, (meter.unit, 1))
        months = _months(own, meter.dials, meter.multiplier * size)[-PERIODS:]
        sentence, change, with_what = _compare(session, meter.service_kind, unit, months, degree_days)
        lines.append(
            MeterLine(
                meter.id, meter.number, meter.service_kind, unit, meter.premise_id,
                None if last is None else last.read, None if last is None else last.read_on,
                "" if last is None else last.how, months[-1].quantity if months else None,
                tuple(months), sentence, change, with_what,
            )
        )  # fmt: skip
    return Use(tuple(lines))


def _months(reads: Sequence[Any], dials: int, multiplier: int) -> list[Month]:
    """The use between each read and the next; periods that no dial can explain are left out."""
    months = []
    for before, after in zip(reads, reads[1:], strict=False):
        quantity = usage_between(before.read, after.read, dials, multiplier).quantity
        if quantity is not None:
            months.append(
                Month(f"{after.read_on:%b %Y}", before.read_on, after.read_on, quantity, after.how == "estimated")
            )
    return months


def _compare(
    session: Session,
    service_kind: str,
    unit: str,
    months: Sequence[Month],
    known: dict[tuple[dt.date, dt.date], tuple[float, float] | None],
) -> tuple[str, float | None, str]:
    """The sentence about the last period against the same one a year before; change; with what it was compared."""
    if not months:
        return "No use is recorded on this account yet.", None, ""
    last = months[-1]
    year_before = last.to_on - dt.timedelta(days=365)
    before = min(months, key=lambda month: abs((month.to_on - year_before).days))
    same = abs((before.to_on - year_before).days) <= 20 and before is not last
    weather = service_kind in WEATHER

    def period(month: Month) -> PeriodUse:
        days = (month.from_on, month.to_on)
        if weather and days not in known:
            known[days] = rows.degree_days(session, *days)
        heating, cooling = (known.get(days) or (None, None)) if weather else (None, None)
        return PeriodUse(month.from_on, month.to_on, month.quantity, heating, cooling)

    compared = compare_with_last_year(period(last), period(before) if same else None, unit, weather=weather)
    return (
        compared.sentence,
        compared.total_change,
        f"last {before.from_on + (before.to_on - before.from_on) / 2:%B}" if same else "",
    )
