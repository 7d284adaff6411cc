"""The rollups behind the reports: counts by week and month, kept with each change of a request and made anew when asked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from db.core import table_of
from db.service_requests.tables import RequestRollup, ServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from db.core import Database

COARSE = {"month": "m", "week": "w"}
"""The same weeks and months by division and type alone, district and channel empty: a tenth of the cells, for what asks no more."""
GRAINS = ("month", "week", *COARSE.values())
KEY = ("grain", "period_on", "division_code", "request_type_code", "district", "channel")
MEASURES = ("opened", "closed", "with_target", "closed_with_target", "on_time")
_ROLLUP = table_of(RequestRollup)


@dataclass(frozen=True)
class Counted:
    """What a request counts as: where it stands in the rollups and what it adds there."""

    opened_on: dt.date
    """The city's civil date of its opening."""
    division_code: str
    request_type_code: str
    district: str
    channel: str
    closed: bool
    with_target: bool
    on_time: bool | None
    """Whether it was closed by its due time; None while that cannot be said."""


def counted(row: Any, zone: ZoneInfo) -> Counted:
    """What a request, or a row with its columns, counts as."""
    return Counted(
        row.opened_at.astimezone(zone).date(), row.division_code or "", row.request_type_code, row.district, row.channel,
        bool(row.closed), row.due_at is not None, row.in_target,
    )  # fmt: skip


def counted_with(before: Counted, values: dict[str, Any], zone: ZoneInfo) -> Counted:
    """What it counts as once these columns hold these values."""
    found: dict[str, Any] = {
        name: values[name] for name in ("request_type_code", "district", "channel") if name in values
    }
    if "division_code" in values:
        found["division_code"] = values["division_code"] or ""
    if "opened_at" in values:
        found["opened_on"] = values["opened_at"].astimezone(zone).date()
    if "closed" in values:
        found |= {"closed": bool(values["closed"]), "on_time": values["in_target"]}
    if "due_at" in values:
        found["with_target"] = values["due_at"] is not None
    return replace(before, **found)


def start_of(grain: str, day: dt.date) -> dt.date:
    """The first day of the week (Monday) or month a day belongs to."""
    return day - dt.timedelta(days=day.weekday()) if grain in ("week", "w") else day.replace(day=1)


def next_start(grain: str, start: dt.date) -> dt.date:
    """The first day of the week or month after."""
    return start + dt.timedelta(days=7) if grain in ("week", "w") else (start + dt.timedelta(days=31)).replace(day=1)


def count_change(session: Session, before: Counted | None, after: Counted | None) -> None:
    """Tells the rollups that a request was opened (no before), changed, or taken away (no after)."""
    count_changes(session, [(before, after)])


def count_changes(session: Session, changes: Iterable[tuple[Counted | None, Counted | None]]) -> None:
    """The same for many at once. Cells are always written in the same order, so that no two writers wait for each other."""
    cells: dict[tuple[Any, ...], list[int]] = {}
    for before, after in changes:
        if before == after:
            continue
        for each, sign in ((before, -1), (after, 1)):
            if each is None:
                continue
            adds = (1, each.closed, each.with_target, each.on_time is not None, each.on_time is True)
            for grain in GRAINS:
                place = ("", "") if grain in COARSE.values() else (each.district, each.channel)
                key = (grain, start_of(grain, each.opened_on), each.division_code, each.request_type_code, *place)
                cell = cells.setdefault(key, [0] * len(MEASURES))
                for at, add in enumerate(adds):
                    cell[at] += sign * add
    moved = [(key, cell) for key, cell in sorted(cells.items()) if any(cell)]
    rows = [dict(zip(KEY + MEASURES, (*key, *cell), strict=True)) for key, cell in moved]
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    if rows:
        insert = dialect.insert(_ROLLUP)
        added = {name: _ROLLUP.c[name] + insert.excluded[name] for name in MEASURES}
        session.execute(insert.on_conflict_do_update(index_elements=KEY, set_=added), rows)
    for key, cell in moved:
        if cell[0] < 0:  # its last request may have left it
            here = [_ROLLUP.c[name] == value for name, value in zip(KEY, key, strict=True)]
            session.execute(sa.delete(_ROLLUP).where(*here, _ROLLUP.c.opened == 0))


def rebuild_rollups(db: Database, zone: ZoneInfo, said: Callable[[str], None] = lambda line: None) -> int:
    """Counts all requests anew, one week or month a transaction, while others go on writing; returns how many cells there are.

    A period is counted and its old cells removed in one transaction that no other change of the rollups can enter.
    """
    with db.reading() as session:
        first, last = session.execute(
            sa.select(sa.func.min(ServiceRequest.opened_at), sa.func.max(ServiceRequest.opened_at))
        ).one()
    for grain in GRAINS:
        if first is not None:
            for start, end in _periods(grain, first.astimezone(zone).date(), last.astimezone(zone).date()):
                with db.writing() as session:
                    _count_period(session, grain, start, end, zone)
        with db.writing() as session:  # what stands where no request is any more
            _alone(session)
            outside = [_ROLLUP.c.grain == grain]
            if first is not None:
                outside.append(
                    sa.or_(
                        _ROLLUP.c.period_on < start_of(grain, first.astimezone(zone).date()),
                        _ROLLUP.c.period_on > start_of(grain, last.astimezone(zone).date()),
                    )
                )
            gone = sa.delete(_ROLLUP).where(*outside)
            if first is None or not _newer(session, first, last):
                session.execute(gone)
        if grain not in COARSE.values():
            said(f"counted by {grain}")
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(_ROLLUP)) or 0


def _newer(session: Session, first: dt.datetime, last: dt.datetime) -> bool:
    """Whether requests came in meanwhile that lie outside what was counted: then their cells are right as they are."""
    outside = sa.or_(ServiceRequest.opened_at < first, ServiceRequest.opened_at > last)
    return session.scalar(sa.select(ServiceRequest.id).where(outside).limit(1)) is not None


def _periods(grain: str, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    start = start_of(grain, first)
    while start <= last:
        end = next_start(grain, start)
        yield start, end
        start = end


def midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The instant a civil day begins in the city."""
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def _alone(session: Session) -> None:
    """Keeps other writers out of the rollups until the end of the transaction (on SQLite they are out already)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE request_rollup IN EXCLUSIVE MODE"))


def _count_period(session: Session, grain: str, start: dt.date, end: dt.date, zone: ZoneInfo) -> None:
    request = table_of(ServiceRequest)

    def many(term: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((term, 1), else_=0))

    _alone(session)
    session.execute(sa.delete(_ROLLUP).where(_ROLLUP.c.grain == grain, _ROLLUP.c.period_on == start))
    division = sa.func.coalesce(request.c.division_code, "").label("division")
    by: list[sa.ColumnElement[Any]] = [division, request.c.request_type_code]
    place: list[sa.ColumnElement[Any]] = [request.c.district, request.c.channel]
    if grain in COARSE.values():
        place = [sa.literal("", sa.String()), sa.literal("", sa.String())]
    else:
        by += place
    session.execute(
        sa.insert(_ROLLUP).from_select(
            [*KEY, *MEASURES],
            sa.select(
                sa.literal(grain, sa.String()), sa.literal(start, sa.Date()), division, request.c.request_type_code, *place,
                sa.func.count(), many(request.c.closed == sa.true()), many(request.c.due_at.is_not(None)),
                many(request.c.in_target.is_not(None)), many(request.c.in_target == sa.true()),
            )
            .where(request.c.opened_at >= midnight(start, zone), request.c.opened_at < midnight(end, zone))
            .group_by(*by),
        )
    )  # fmt: skip
