"""What the service-level page and its report show: counts from the rollups, exact times to close, the work that is open."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from db import core, directory
from db import reports as rows
from db import service_requests as requests
from portal import settings
from portal.reports import rules
from portal.reports.rules import Counts, Days, Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

NONE = "-"
"""How an address spells “has none”: no district, no division."""
CITY, CONTRACTORS = "city", "contractors"
OWN = "*city"
"""All divisions of the city itself, where contractors are compared."""
BY = {
    "division": "Division", "request_type": "Request type", "district": "District", "channel": "Channel", "contractor": "Contractor",
}  # fmt: skip
"""What the ranking compares."""
CASE_LISTS = {"past_due": "Past due", "open": "All open", "late": "Closed late", "opened": "All opened"}
CASE_ROWS = 12
REPEATS_SHOWN = 12
SPARK_WEEKS = 26
PANELS_MOST = 9


@dataclass(frozen=True)
class Asked:
    """The filters of the page; "" leaves all, “-” means those that have none."""

    period: str = "13w"
    division: str = ""
    request_type: str = ""
    district: str = ""
    channel: str = ""
    who: str = ""
    """city: done by the city itself; contractors."""

    def without(self, *names: str) -> Asked:
        return replace(self, **dict.fromkeys(names, ""))


@dataclass(frozen=True)
class Names:
    """What codes are called, and what there is to choose from."""

    periods: Mapping[str, Period]
    divisions: Mapping[str, str]
    contractors: frozenset[str]
    request_types: Mapping[str, str]
    districts: Mapping[str, str]

    def of(self, by: str, code: str) -> str:
        """The name of a code; what was imported without one keeps its own words."""
        if by == "contractor" and code == OWN:
            return "The city’s own divisions"
        named = {
            "division": self.divisions,
            "contractor": self.divisions,
            "request_type": self.request_types,
            "district": self.districts,
        }
        if not code:
            return f"No {BY[by].lower()}"
        return named.get(by, {}).get(code) or code.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Level:
    """One row of a comparison."""

    code: str
    name: str
    counts: Counts
    open_past_due: int
    """Of those opened in the period."""


@dataclass(frozen=True)
class Moment:
    """One week or month."""

    start: dt.date
    counts: Counts
    days: Days | None = None

    @property
    def open_share(self) -> float:
        """The share still open: while it is large, the slow ones are not in the times yet."""
        return 1 - self.counts.closed / self.counts.opened if self.counts.opened else 0.0


@dataclass(frozen=True)
class Age:
    """Open requests of one age."""

    name: str
    past_due: int = 0
    later: int = 0
    no_due: int = 0

    @property
    def total(self) -> int:
        return self.past_due + self.later + self.no_due


@dataclass(frozen=True)
class Board:
    """The page's figures for one choice of filters."""

    period: Period
    now: dt.datetime
    counts: Counts
    before: Counts | None
    days: Days
    days_before: Days | None
    moments: tuple[Moment, ...]
    """The weeks or months of the period, in order."""
    sparks: tuple[Moment, ...]
    """The weeks or months up to the end of the period, for the small lines."""
    by_type: tuple[tuple[str, tuple[int, ...]], ...]
    """Requests opened per week or month of `sparks`, by request type, most first."""
    ages: tuple[Age, ...]

    @property
    def open(self) -> int:
        return sum(age.total for age in self.ages)

    @property
    def open_past_due(self) -> int:
        return sum(age.past_due for age in self.ages)


@dataclass(frozen=True)
class Repeat:
    """A premise that keeps having requests."""

    premise_id: int
    address: str
    many: int


@dataclass(frozen=True)
class Case:
    """One case behind a figure."""

    id: int
    number: str
    request_type: str
    division: str
    district: str
    channel: str
    opened_on: dt.date
    due_on: dt.date | None
    days_late: int | None
    days_open: float


@dataclass(frozen=True)
class Outline:
    """A district on the map: its outer rings as (longitude, latitude)."""

    code: str
    name: str
    rings: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class Definition:
    """What a figure means, since when."""

    code: str
    name: str
    definition: str
    denominator: str
    leaves_out: str
    source: str
    since: dt.date
    goal: float | None


# --- names and filters ------------------------------------------------------------------------------------------------


def _zone() -> ZoneInfo:
    return settings.current().time_zone


def today() -> dt.date:
    """The city's civil date."""
    return core.now().astimezone(_zone()).date()


def names() -> Names:
    """What can be chosen and what it is called. Codes that came with an import are found by `choices`."""
    with core.read() as session:
        first = rows.first_period(session, "month")
        divisions = directory.divisions(session)
        return Names(
            rules.periods(today(), first),
            {row.code: row.name for row in divisions},
            frozenset(row.code for row in divisions if row.contractor),
            rows.type_names(session),
            {row.code: row.name for row in rows.outlines(session)},
        )


def choices(known: Names, asked: Asked) -> dict[str, dict[str, str]]:
    """For each filter, the codes that occur in the period, by name: nothing is offered that shows nothing."""
    period = known.periods[asked.period]
    found: dict[str, dict[str, str]] = {}
    with core.read() as session:
        for by, column in (
            ("division", "division_code"),
            ("request_type", "request_type_code"),
            ("district", "district"),
            ("channel", "channel"),
        ):
            codes = rows.values_of(session, column, period.grain, period.since, period.until)
            named = {code or NONE: known.of(by, code) for code in codes}
            found[by] = dict(sorted(named.items(), key=lambda pair: (pair[0] == NONE, pair[1].casefold())))
    return found


def opened(known: Names, asked: Asked) -> int:
    """How many requests were opened, for one choice of filters."""
    period = known.periods[asked.period]
    with core.read() as session:
        found = rows.counts_by(session, "channel", period.grain, period.since, period.until, _scope(known, asked))
    return sum(row.opened for row in found)


def _scope(known: Names, asked: Asked) -> rows.Scope:
    def one(code: str) -> str | None:
        return None if not code else "" if code == NONE else code

    division, codes = one(asked.division), None
    if division is not None:
        codes = (division,)
    elif asked.who:
        # All others are the city's own: those without a row among the divisions too.
        codes = tuple(sorted(known.contractors))
    return rows.Scope(
        codes,
        one(asked.request_type),
        one(asked.district),
        one(asked.channel),
        not_divisions=asked.who == CITY and division is None,
    )


def _span(period: Period) -> rows.Span:
    return rows.Span(requests.midnight(period.since, _zone()), requests.midnight(period.until, _zone()))


def _counts(row: Any) -> Counts:
    return Counts(row.opened, row.closed, row.with_target, row.closed_with_target, row.on_time)


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


# --- the board --------------------------------------------------------------------------------------------------------


def board(known: Names, asked: Asked) -> Board:
    """Everything of the page but the comparisons and the lists."""
    period = known.periods[asked.period]
    scope, now = _scope(known, asked), core.now()
    shown = rules.starts(period.grain, period.since, period.until)
    # The small lines go back half a year at least (26 weeks; 24 months) so that there is something to see.
    back = rules.starts(period.grain, _back(period), period.until)
    since = min(back[0], period.before or period.since)
    with core.read() as session:
        series = rows.series(session, period.grain, since, period.until, scope)
        times, days, days_before = _times(session, period, shown, scope)
        bounds = [now - dt.timedelta(days=most + 1) for most, _ in rules.AGES if most is not None]
        waiting = rows.backlog(session, bounds, now, scope)
    summed: dict[dt.date, list[int]] = {}
    by_type: dict[str, dict[dt.date, int]] = {}
    for start, _, code, *measures in series:
        so_far = summed.get(start)
        summed[start] = measures if so_far is None else [a + b for a, b in zip(so_far, measures, strict=True)]
        of_type = by_type.setdefault(code, {})
        of_type[start] = of_type.get(start, 0) + measures[0]
    by_period = {start: Counts(*measures) for start, measures in summed.items()}
    ordered = sorted(by_type.items(), key=lambda pair: (-sum(pair[1].get(start, 0) for start in shown), pair[0]))
    return Board(
        period, now,
        _sum(by_period.get(start, Counts()) for start in shown),
        None if period.before is None else _sum(counts for start, counts in by_period.items() if period.before <= start < period.since),
        days, days_before,
        tuple(Moment(start, by_period.get(start, Counts()), times.get(at)) for at, start in enumerate(shown)),
        tuple(Moment(start, by_period.get(start, Counts())) for start in back),
        tuple((code, tuple(counts.get(start, 0) for start in back)) for code, counts in ordered[:PANELS_MOST]),
        _ages(waiting),
    )  # fmt: skip


def _back(period: Period) -> dt.date:
    if period.grain == "week":
        return period.until - dt.timedelta(weeks=rules.BASE_WEEKS + rules.RECENT_WEEKS)
    return min(period.since, rules.month_before(period.until, 24))


def _times(
    session: Session, period: Period, shown: Sequence[dt.date], scope: rows.Scope
) -> tuple[dict[int, Days], Days, Days | None]:
    """The times to close of each week or month, to the minute; those of the whole period, exact; of the period before."""
    zone = _zone()
    spans = [
        rows.Span(requests.midnight(start, zone), requests.midnight(requests.next_start(period.grain, start), zone)) for start in shown
    ]  # fmt: skip
    if period.before is not None:
        spans.append(rows.Span(requests.midnight(period.before, zone), requests.midnight(period.since, zone)))
    found = {at: rules.numbers(text) for at, text in rows.minutes_to_close(session, spans, scope).items()}
    before = None if period.before is None else rules.days_to_the_minute(found.pop(len(shown), rules.numbers("")))
    whole = rules.merged(list(found.values()))
    exact: dict[int, list[float]] = {}
    needed = rules.minutes_needed(whole)
    if needed:
        for minutes, opened_at, closed_at in rows.instants_of_minutes(session, _span(period), scope, needed):
            exact.setdefault(minutes, []).append((closed_at - opened_at).total_seconds())
    return {at: rules.days_to_the_minute(ordered) for at, ordered in found.items()}, rules.days_of(whole, exact), before


def _ages(waiting: Iterable[Any]) -> tuple[Age, ...]:
    found = [Age(name) for _, name in rules.AGES]
    field = {"late": "past_due", "later": "later", "none": "no_due"}
    for row in waiting:
        found[row.bucket] = replace(found[row.bucket], **{field[row.due]: row.many})
    return tuple(found)


# --- comparisons ------------------------------------------------------------------------------------------------------


def compared(known: Names, asked: Asked, by: str) -> tuple[Level, ...]:
    """The levels by one thing, the best share first; it obeys all filters but its own, so that the others stay in sight."""
    period = known.periods[asked.period]
    own = {"contractor": ("division", "who"), "division": ("division", "who")}.get(by, (by,))
    scope, now = _scope(known, asked.without(*own)), core.now()
    column = {"request_type": "request_type_code", "district": "district", "channel": "channel"}.get(
        by, "division_code"
    )
    with core.read() as session:
        found = rows.counts_by(session, column, period.grain, period.since, period.until, scope)
        late = rows.past_due_by(session, column, _span(period), now, scope)
    counts: dict[str, Counts] = {}
    waiting: dict[str, int] = {}
    for row in found:
        code = OWN if by == "contractor" and row.value not in known.contractors else row.value
        counts[code] = counts.get(code, Counts()) + _counts(row)
        waiting[code] = waiting.get(code, 0) + late.get(row.value, 0)
    ordered = rules.best_first(list(counts.items()), lambda code: known.of(by, code))
    return tuple(Level(code, known.of(by, code), each, waiting[code]) for code, each in ordered)


def outlines() -> tuple[Outline, ...]:
    """The districts that have an outline."""
    with core.read() as session:
        found = rows.outlines(session)
    return tuple(Outline(row.code, row.name, rings) for row in found if (rings := _rings(row.polygon)))


def _rings(polygon: Mapping[str, Any]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The outer rings of a GeoJSON geometry."""
    kind, parts = polygon.get("type"), polygon.get("coordinates") or []
    polygons = [parts] if kind == "Polygon" else parts if kind == "MultiPolygon" else []
    return tuple(tuple((float(point[0]), float(point[1])) for point in each[0]) for each in polygons if each)


# --- repeats and cases ------------------------------------------------------------------------------------------------


def repeats(known: Names, asked: Asked) -> tuple[int, tuple[Repeat, ...]]:
    """How many premises had three or more requests in the last 90 days, and those that had most."""
    now = core.now()
    span = rows.Span(now - dt.timedelta(days=rules.REPEAT_DAYS), now)
    with core.read() as session:
        premises = rules.numbers(rows.premises_with_requests(session, span, _scope(known, asked)))
        total, most = rules.repeated(premises, rules.REPEAT_TIMES, REPEATS_SHOWN)
        places = rows.addresses(session, [premise_id for premise_id, _ in most])
    return total, tuple(Repeat(premise_id, places.get(premise_id, ""), many) for premise_id, many in most)


def cases(known: Names, asked: Asked, which: str, page: int = 1, age: int | None = None) -> tuple[Case, ...]:
    """A page of the cases behind the figures; `age` keeps the open ones of one bucket of `rules.AGES`."""
    now, zone = core.now(), _zone()
    span = _span(known.periods[asked.period]) if which in ("late", "opened") else None
    if span is None and age is not None:
        bounds = [now - dt.timedelta(days=most + 1) for most, _ in rules.AGES if most is not None]
        newest = now + dt.timedelta(days=36_500) if age == 0 else bounds[age - 1]
        oldest = bounds[age] if age < len(bounds) else dt.datetime(1, 1, 3, tzinfo=dt.UTC)
        # A bucket holds what was opened after its bound, up to and including the bound of the one before.
        moment = dt.timedelta(microseconds=1)
        span = rows.Span(oldest + moment, newest + moment)
    with core.read() as session:
        found = rows.cases(session, which, span, now, _scope(known, asked), CASE_ROWS, (max(1, page) - 1) * CASE_ROWS)
    return tuple(
        Case(
            row.id, row.external_id or row.number, row.request_type_name, known.of("division", row.division_code or ""),
            known.of("district", row.district) if row.district else "", known.of("channel", row.channel),
            row.opened_at.astimezone(zone).date(), row.due_at.astimezone(zone).date() if row.due_at else None,
            _days_late(row, now), ((row.closed_at or now) - row.opened_at).total_seconds() / rules.SECONDS_A_DAY,
        )
        for row in found
    )  # fmt: skip


def _days_late(row: Any, now: dt.datetime) -> int | None:
    if row.due_at is None:
        return None
    late = ((row.closed_at or now) - row.due_at).total_seconds() / rules.SECONDS_A_DAY
    return max(0, int(late))


def case_total(found: Board, which: str, age: int | None = None) -> int:
    """How many cases a list has: the figures say it already."""
    ages = found.ages if age is None else found.ages[age : age + 1]
    if which == "past_due":
        return sum(each.past_due for each in ages)
    if which == "open":
        return sum(each.total for each in ages)
    return found.counts.closed_with_target - found.counts.on_time if which == "late" else found.counts.opened


def definitions() -> tuple[Definition, ...]:
    """What each figure means, as the city has written it down."""
    with core.read() as session:
        found = directory.reference(session, "kpi", today())
    return tuple(
        Definition(
            row.code, row.name, str(row.detail.get("definition", "")), str(row.detail.get("denominator", "")),
            str(row.detail.get("leaves_out", "")), str(row.detail.get("source", "")), row.effective_from,
            row.detail["goal_percent"] / 100 if isinstance(row.detail.get("goal_percent"), (int, float)) else None,
        )
        for row in found
    )  # fmt: skip


# --- the report for other programs ------------------------------------------------------------------------------------


def level_rows(
    by: Sequence[str], source: str | None = None, since: dt.date | None = None, until: dt.date | None = None
) -> list[dict[str, Any]]:
    """`portal report service-levels`: straight from the requests opened in [since, until) on the city's calendar, exact."""
    zone = _zone()
    asked = {
        "source": source,
        "since": None if since is None else requests.midnight(since, zone),
        "until": None if until is None else requests.midnight(until, zone),
    }
    with core.read() as session:
        found = rows.levels(session, by, core.now(), **asked)
        minutes = {tuple(getattr(row, name) for name in by): rules.numbers(row.minutes) for row in found}
        needed = set().union(*map(rules.minutes_needed, minutes.values())) if minutes else set()
        exact: dict[tuple[Any, ...], dict[int, list[float]]] = {}
        for each in rows.levels_instants(session, by, needed, **asked) if needed else ():
            times = exact.setdefault(tuple(each[name] for name in by), {}).setdefault(each["minutes_to_close"], [])
            times.append((each["closed_at"] - each["opened_at"]).total_seconds())
    answer = []
    for row in found:
        key, counts = tuple(getattr(row, name) for name in by), _counts(row)
        days = rules.days_of(minutes[key], exact.get(key, {}))
        answer.append(
            {name: value or "" for name, value in zip(by, key, strict=True)}
            | {
                "opened": counts.opened, "closed": counts.closed, "with_target": counts.with_target, "on_time": counts.on_time,
                "on_time_share": counts.share_of_all, "closed_with_target": counts.closed_with_target, "closed_on_time": counts.on_time,
                "closed_on_time_share": counts.share_of_closed, "open_past_due": row.open_past_due, "p50_days": days.half,
                "p90_days": days.ninety,
            }
        )  # fmt: skip
    return sorted(answer, key=lambda row: tuple(row[name] for name in by))


def has_source(source: str) -> bool:
    """Whether any request came from there."""
    with core.read() as session:
        return rows.source_exists(session, source)
