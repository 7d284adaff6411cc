"""What the reports ask: the rollups for counts, an index for exact times to close, the open work itself for the backlog.

No table of its own. Counts of weeks and months come from `request_rollup`; a median, a repeat and a list of cases read the
requests of a span from one index that holds all they need.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db.accounts import Account, Person, Premise, ServiceAgreement, ServiceArea, ServicePoint
from db.core import UtcTime, table_of
from db.service_requests import COARSE, RequestRollup, RequestType, ServiceRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

_ROLLUP = table_of(RequestRollup)
_REQUEST = table_of(ServiceRequest)
_OPEN = _REQUEST.c.closed == sa.false()
_IN_BACKLOG = sa.text("NOT service_request.closed")
"""Open, written as the index of the backlog is: that index, which holds the open ones only, is then the one that is read."""
MEASURES = ("opened", "closed", "with_target", "closed_with_target", "on_time")
DIMENSIONS = ("division_code", "request_type_code", "district", "channel")
LEVELS_BY = {
    "group": _REQUEST.c.group_name,
    "request_type": _REQUEST.c.request_type_name,
    "district": _REQUEST.c.district,
    "channel": _REQUEST.c.channel,
    "division": _REQUEST.c.division_code,
    "department": _REQUEST.c.department_code,
}
"""What a report may be split by, and the column behind it."""


@dataclass(frozen=True)
class Scope:
    """Which requests: each field narrows them, None leaves all. An empty code means those that have none."""

    division_codes: tuple[str, ...] | None = None
    request_type_code: str | None = None
    district: str | None = None
    channel: str | None = None
    not_divisions: bool = False
    """All divisions but these."""


@dataclass(frozen=True)
class Span:
    """Opened from one instant until before another."""

    since: dt.datetime
    until: dt.datetime


def _divisions(column: sa.ColumnElement[str], scope: Scope) -> sa.ColumnElement[bool]:
    codes = scope.division_codes or ()
    return column.not_in(codes) if scope.not_divisions else column.in_(codes)


def _rollup_terms(grain: str, since: dt.date, until: dt.date, scope: Scope, *by: str) -> list[sa.ColumnElement[bool]]:
    """The cells of a span of weeks or months: the few by division and type alone, unless the scope or `by` asks for more."""
    cell = _ROLLUP.c
    fine = scope.district is not None or scope.channel is not None or not {"district", "channel"}.isdisjoint(by)
    terms = [cell.grain == (grain if fine else COARSE[grain]), cell.period_on >= since, cell.period_on < until]
    if scope.division_codes is not None:
        terms.append(_divisions(cell.division_code, scope))
    for name in ("request_type_code", "district", "channel"):
        if (value := getattr(scope, name)) is not None:
            terms.append(cell[name] == value)
    return terms


def _span_terms(span: Span | sa.CTE, scope: Scope) -> list[sa.ColumnElement[bool]]:
    """Opened in a span, within a scope. The scope's columns are wrapped so that the span's own index is the one that is read:
    an index that begins with a division or a channel would touch ten years of rows to find three months of them."""
    bounds = span.c if isinstance(span, sa.CTE) else span
    terms = [_REQUEST.c.opened_at >= bounds.since, _REQUEST.c.opened_at < bounds.until]
    if scope.division_codes is not None:
        terms.append(_divisions(sa.func.coalesce(_REQUEST.c.division_code, ""), scope))
    for name in ("request_type_code", "district", "channel"):
        if (value := getattr(scope, name)) is not None:
            terms.append(sa.func.coalesce(_REQUEST.c[name], "") == value)
    return terms


def _request_terms(scope: Scope) -> list[sa.ColumnElement[bool]]:
    terms: list[sa.ColumnElement[bool]] = []
    if scope.division_codes is not None:
        plain = "" not in scope.division_codes and not scope.not_divisions
        terms.append(
            _divisions(_REQUEST.c.division_code if plain else sa.func.coalesce(_REQUEST.c.division_code, ""), scope)
        )
    for name in ("request_type_code", "district", "channel"):
        if (value := getattr(scope, name)) is not None:
            terms.append(_REQUEST.c[name] == value)
    return terms


def _sums() -> list[sa.Label[Any]]:
    return [sa.func.sum(_ROLLUP.c[name]).label(name) for name in MEASURES]


# --- counts from the rollups ------------------------------------------------------------------------------------------


def first_period(session: Session, grain: str) -> dt.date | None:
    """The first day of the earliest week or month with a request."""
    return session.scalar(sa.select(sa.func.min(_ROLLUP.c.period_on)).where(_ROLLUP.c.grain == grain))


def series(session: Session, grain: str, since: dt.date, until: dt.date, scope: Scope) -> Sequence[Any]:
    """(period_on, division_code, request_type_code, the measures) of each week or month from `since` until before `until`.

    In the order of the key: read in one go, nothing to sort."""
    by = (_ROLLUP.c.period_on, _ROLLUP.c.division_code, _ROLLUP.c.request_type_code)
    return session.execute(
        sa.select(*by, *_sums()).where(*_rollup_terms(grain, since, until, scope)).group_by(*by)
    ).all()


def counts_by(
    session: Session, dimension: str, grain: str, since: dt.date, until: dt.date, scope: Scope
) -> Sequence[Any]:
    """(value, the measures) for each value of one of `DIMENSIONS` in a span of whole weeks or months."""
    by = _ROLLUP.c[dimension]
    return session.execute(
        sa.select(by.label("value"), *_sums()).where(*_rollup_terms(grain, since, until, scope, dimension)).group_by(by)
    ).all()


def counts_of_span(session: Session, dimension: str, span: Span, scope: Scope) -> Sequence[Any]:
    """The same for a span of any length, counted from the requests: for the few days that make no whole week or month."""
    by = sa.func.coalesce(_REQUEST.c[dimension], "").label("value")
    return session.execute(
        sa.select(
            by, sa.func.count().label("opened"), _many(_REQUEST.c.closed == sa.true()).label("closed"),
            _many(_REQUEST.c.due_at.is_not(None)).label("with_target"), _many(_REQUEST.c.in_target.is_not(None)).label("closed_with_target"),
            _many(_REQUEST.c.in_target == sa.true()).label("on_time"),
        )
        .where(*_span_terms(span, scope))
        .group_by(sa.text("1"))
    ).all()  # fmt: skip


def _many(*terms: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """How many rows are so."""
    return sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*terms), 1), else_=0)), 0)


def values_of(session: Session, dimension: str, grain: str, since: dt.date, until: dt.date) -> list[str]:
    """The values of one of `DIMENSIONS` that occur in a span."""
    return list(
        session.scalars(
            sa.select(_ROLLUP.c[dimension]).where(*_rollup_terms(grain, since, until, Scope(), dimension)).distinct()
        )
    )


# --- names ------------------------------------------------------------------------------------------------------------


def type_names(session: Session) -> dict[str, str]:
    """The newest name of each request type, offered or not."""
    newest = sa.select(sa.func.max(RequestType.id)).group_by(RequestType.code)
    found = session.execute(sa.select(RequestType.code, RequestType.name).where(RequestType.id.in_(newest)))
    return {row.code: row.name for row in found}


def outlines(session: Session) -> Sequence[Any]:
    """(code, name, polygon) of each district that has an outline."""
    return session.execute(
        sa.select(ServiceArea.code, ServiceArea.name, ServiceArea.polygon).where(ServiceArea.kind == "district").order_by(ServiceArea.name)
    ).all()  # fmt: skip


# --- the open work ----------------------------------------------------------------------------------------------------


def backlog(session: Session, older_than: Sequence[dt.datetime], now: dt.datetime, scope: Scope) -> Sequence[Any]:
    """(bucket, due, many) of all open requests: bucket 0 was opened after the first of these instants (newest first), 1 after
    the second and so on; due is late, later or none."""
    bucket = sa.case(
        *((_REQUEST.c.opened_at > at, place) for place, at in enumerate(older_than)), else_=len(older_than)
    ).label("bucket")
    due = sa.case((_REQUEST.c.due_at.is_(None), "none"), (_REQUEST.c.due_at < now, "late"), else_="later").label("due")
    return session.execute(
        sa.select(bucket, due, sa.func.count().label("many"))
        .where(_IN_BACKLOG, *_request_terms(scope))
        .group_by(sa.text("1"), sa.text("2"))
    ).all()


def past_due_by(session: Session, dimension: str, span: Span, now: dt.datetime, scope: Scope) -> dict[str, int]:
    """How many of those opened in a span are open and past due now, by one of `DIMENSIONS`."""
    by = _REQUEST.c[dimension]
    found = session.execute(
        sa.select(by.label("value"), sa.func.count().label("many"))
        .where(_IN_BACKLOG, _REQUEST.c.due_at < now, *_span_terms(span, scope))
        .group_by(by)
    )
    return {row.value or "": row.many for row in found}


# --- times to close ---------------------------------------------------------------------------------------------------


def minutes_to_close(session: Session, spans: Sequence[Span], scope: Scope) -> dict[int, str]:
    """For each span, the minutes each of its closed requests took, as numbers with commas: one row a span.

    One text a span and no grouping: 25,000 requests in 2 ms, where a sort by span or a row each would take ten times that."""
    columns = (sa.column("n", sa.Integer), sa.column("since", UtcTime()), sa.column("until", UtcTime()))
    span = (
        sa.values(*columns, name="span")
        .data([(at, each.since, each.until) for at, each in enumerate(spans)])
        .cte("span")
    )
    minutes = sa.select(_joined(_REQUEST.c.minutes_to_close)).where(*_span_terms(span, scope)).scalar_subquery()
    return {row.n: row.minutes for row in session.execute(sa.select(span.c.n, minutes.label("minutes"))) if row.minutes}


def _joined(column: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    """All numbers of a column in one text, with commas."""
    return sa.func.aggregate_strings(sa.cast(column, sa.String), ",")


def instants_of_minutes(session: Session, span: Span, scope: Scope, minutes: Collection[int]) -> Sequence[Any]:
    """(minutes_to_close, opened_at, closed_at) of the requests opened in a span that took so many whole minutes."""
    return session.execute(
        sa.select(_REQUEST.c.minutes_to_close, _REQUEST.c.opened_at, _REQUEST.c.closed_at).where(
            *_span_terms(span, scope), _REQUEST.c.minutes_to_close.in_(sorted(minutes))
        )
    ).all()


# --- repeats ----------------------------------------------------------------------------------------------------------


def premises_with_requests(session: Session, span: Span, scope: Scope) -> str:
    """The premise of each request opened in a span, as numbers with commas; as often as it had requests."""
    return session.scalar(sa.select(_joined(_REQUEST.c.premise_id)).where(*_span_terms(span, scope))) or ""


def addresses(session: Session, premise_ids: Collection[int]) -> dict[int, str]:
    """The addresses of some premises."""
    premise = table_of(Premise)
    found = session.execute(sa.select(premise.c.id, premise.c.address).where(premise.c.id.in_(premise_ids)))
    return {row.id: row.address for row in found}


def exempt_premises(session: Session, premise_ids: Collection[int]) -> set[int]:
    """Those of some premises where somebody exempt from public records has an open account or service."""
    account, point, agreement = table_of(Account), table_of(ServicePoint), table_of(ServiceAgreement)
    exempt = sa.exists().where(Person.id == account.c.person_id, Person.exempt_from_public_records == sa.true())
    main = sa.select(account.c.premise_id).where(
        account.c.premise_id.in_(premise_ids), account.c.closed_on.is_(None), exempt
    )
    served = (
        sa.select(point.c.premise_id)
        .join(agreement, agreement.c.service_point_id == point.c.id)
        .join(account, account.c.id == agreement.c.account_id)
        .where(
            point.c.premise_id.in_(premise_ids),
            agreement.c.state_code.in_(("pending_start", "active", "pending_stop")),
            exempt,
        )
    )
    return set(session.scalars(sa.union(main, served)))


# --- the cases behind a figure ----------------------------------------------------------------------------------------

_CASE = tuple(
    _REQUEST.c[name]
    for name in (
        "id", "number", "external_id", "request_type_name", "division_code", "district", "channel", "opened_at", "due_at",
        "closed_at",
    )
)  # fmt: skip


def _case_terms(which: str, span: Span | None, now: dt.datetime, scope: Scope) -> list[sa.ColumnElement[bool]]:
    if which in ("past_due", "open"):
        terms = [_OPEN, *_request_terms(scope)]
        if span is not None:
            terms += [_REQUEST.c.opened_at >= span.since, _REQUEST.c.opened_at < span.until]
        return [*terms, _REQUEST.c.due_at < now] if which == "past_due" else terms
    assert span is not None  # what is closed or was opened is always of a period
    terms = _span_terms(span, scope)
    return [*terms, _REQUEST.c.in_target == sa.false()] if which == "late" else terms


def cases(
    session: Session,
    which: str,
    span: Span | None,
    now: dt.datetime,
    scope: Scope,
    limit: int,
    skip: int,
    *,
    oldest: bool = False,
) -> Sequence[Any]:
    """A page of cases: past_due (most days late first) or open (oldest first), all of them or those opened in a span; late
    (closed after their due time) or opened in a span, newest first. With `oldest`, each list by opening, the first one first."""
    order: dict[str, tuple[sa.ColumnElement[Any], ...]] = {
        "past_due": (_REQUEST.c.due_at, _REQUEST.c.id),
        "open": (_REQUEST.c.opened_at, _REQUEST.c.id),
    }
    newest = (_REQUEST.c.opened_at.desc(), _REQUEST.c.id.desc())
    return session.execute(
        sa.select(*_CASE)
        .where(*_case_terms(which, span, now, scope))
        .order_by(*(order["open"] if oldest else order.get(which, newest)))
        .limit(limit)
        .offset(skip)
    ).all()


def case_count(session: Session, which: str, span: Span | None, now: dt.datetime, scope: Scope) -> int:
    """How many cases such a list has."""
    found = sa.select(sa.func.count()).select_from(_REQUEST).where(*_case_terms(which, span, now, scope))
    return session.scalar(found) or 0


# --- the report for other programs ------------------------------------------------------------------------------------


def _level_terms(
    source: str | None, since: dt.datetime | None, until: dt.datetime | None
) -> list[sa.ColumnElement[bool]]:
    terms: list[sa.ColumnElement[bool]] = []
    if source is not None:
        terms.append(_REQUEST.c.source == source)
    if since is not None:
        terms.append(_REQUEST.c.opened_at >= since)
    if until is not None:
        terms.append(_REQUEST.c.opened_at < until)
    return terms


def levels(
    session: Session,
    by: Sequence[str],
    now: dt.datetime,
    *,
    source: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> Sequence[Any]:
    """Straight from the requests, for any span: the values of `by` (keys of `LEVELS_BY`), the measures, open_past_due, and the
    minutes of the closed ones as numbers with commas."""
    columns = [LEVELS_BY[name].label(name) for name in by]
    return session.execute(
        sa.select(
            *columns, sa.func.count().label("opened"), _many(_REQUEST.c.closed == sa.true()).label("closed"),
            _many(_REQUEST.c.due_at.is_not(None)).label("with_target"), _many(_REQUEST.c.in_target.is_not(None)).label("closed_with_target"),
            _many(_REQUEST.c.in_target == sa.true()).label("on_time"), _many(_OPEN, _REQUEST.c.due_at < now).label("open_past_due"),
            _joined(_REQUEST.c.minutes_to_close).label("minutes"),
        )
        .where(*_level_terms(source, since, until))
        .group_by(*columns)
    ).all()  # fmt: skip


def levels_instants(
    session: Session,
    by: Sequence[str],
    minutes: Collection[int],
    *,
    source: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> Sequence[Mapping[str, Any]]:
    """The values of `by`, minutes_to_close, opened_at and closed_at of the requests that took so many whole minutes."""
    columns = [LEVELS_BY[name].label(name) for name in by]
    return session.execute(
        sa.select(*columns, _REQUEST.c.minutes_to_close, _REQUEST.c.opened_at, _REQUEST.c.closed_at)
        .where(_REQUEST.c.minutes_to_close.in_(sorted(minutes)), *_level_terms(source, since, until))
    ).mappings().all()  # fmt: skip


def source_exists(session: Session, source: str) -> bool:
    """Whether any request came from there."""
    return session.scalar(sa.select(_REQUEST.c.id).where(_REQUEST.c.source == source).limit(1)) is not None
