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
    """city: done by the city itself; contractors: by any of them; or the division code of one."""

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

    def period(self, code: str) -> Period:
        """A period by its code: one of those offered, or two days of one’s own; the first for anything else."""
        return self.periods.get(code) or rules.period_of(code) or next(iter(self.periods.values()))

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
        words = code.replace("_", " ")
        return named.get(by, {}).get(code) or words[:1].upper() + words[1:]


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
    exempt: bool = False
    """Somebody exempt from public records is served there: the address leaves the desk in no file."""


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
class Mark:
    """A selected mark that narrows only the list: a bar of the backlog (a bucket of `rules.AGES`), or a point of a line (the first
    day of its week or month)."""

    age: int | None = None
    at: dt.date | None = None


NOTHING_MARKED = Mark()


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
    period = known.period(asked.period)
    found: dict[str, dict[str, str]] = {}
    with core.read() as session:
        for by, column in (
            ("division", "division_code"),
            ("request_type", "request_type_code"),
            ("district", "district"),
            ("channel", "channel"),
        ):
            codes = rows.values_of(session, column, period.grain, rules.floor(period.grain, period.since), period.until)
            named = {code or NONE: known.of(by, code) for code in codes}
            found[by] = dict(sorted(named.items(), key=lambda pair: (pair[0] == NONE, pair[1].casefold())))
    return found


def opened(known: Names, asked: Asked) -> int:
    """How many requests were opened, for one choice of filters."""
    with core.read() as session:
        found = _counts_by(session, "channel", known.period(asked.period), _scope(known, asked))
    return sum(counts.opened for counts in found.values())


def _scope(known: Names, asked: Asked) -> rows.Scope:
    def one(code: str) -> str | None:
        return None if not code else "" if code == NONE else code

    division, codes, others = one(asked.division), None, False
    if division is not None:
        codes = (division,) if _done_by(known, asked.who, division) else ()
    elif asked.who == CITY:
        # All others are the city's own: those without a row among the divisions too.
        codes, others = tuple(sorted(known.contractors)), True
    elif asked.who:
        codes = tuple(sorted(known.contractors)) if asked.who == CONTRACTORS else (asked.who,)
    return rows.Scope(
        codes,
        one(asked.request_type),
        one(asked.district),
        one(asked.channel),
        not_divisions=others,
    )


def _done_by(known: Names, asked_who: str, division: str) -> bool:
    """Whether a division belongs to those who are asked for."""
    contractor = division in known.contractors
    return {"": True, CITY: not contractor, CONTRACTORS: contractor}.get(asked_who, division == asked_who)


def _span(period: Period) -> rows.Span:
    return _days_span(period.since, period.until)


def _days_span(since: dt.date, until: dt.date) -> rows.Span:
    """From the beginning of one day until the beginning of another, on the city's calendar."""
    return rows.Span(requests.midnight(since, _zone()), requests.midnight(until, _zone()))


def _counts(row: Any) -> Counts:
    return Counts(row.opened, row.closed, row.with_target, row.closed_with_target, row.on_time)


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


def _counts_by(session: Session, column: str, period: Period, scope: rows.Scope) -> dict[str, Counts]:
    """The counts of each value of a column: whole weeks or months from the rollups, the days at the ends from the requests."""
    parts = rules.pieces(period.grain, period.since, period.until)
    found: list[Any] = []
    if parts.since < parts.until:
        found += rows.counts_by(session, column, period.grain, parts.since, parts.until, scope)
    for edge in parts.edges:
        found += rows.counts_of_span(session, column, _days_span(*edge), scope)
    summed: dict[str, Counts] = {}
    for row in found:
        summed[row.value] = summed.get(row.value, Counts()) + _counts(row)
    return summed


# --- the board --------------------------------------------------------------------------------------------------------


def board(known: Names, asked: Asked) -> Board:
    """Everything of the page but the comparisons and the lists."""
    period = known.period(asked.period)
    scope, now = _scope(known, asked), core.now()
    shown = rules.starts(period.grain, period.since, period.until)
    parts = rules.pieces(period.grain, period.since, period.until)
    # The small lines go back half a year at least (26 weeks; 24 months) so that there is something to see; whole ones only.
    end = rules.floor(period.grain, period.until)
    back = rules.starts(period.grain, _back(period, end), end)
    earlier = None if period.before is None else rules.pieces(period.grain, period.before, period.since)
    since = min([back[0], parts.since] + ([earlier.since] if earlier else []))
    with core.read() as session:
        series = rows.series(session, period.grain, since, end, scope)
        edges = {edge[0]: _edge(session, edge, scope) for edge in parts.edges}
        earlier_edges = [_edge(session, edge, scope) for edge in earlier.edges] if earlier else []
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
    whole = {start: Counts(*measures) for start, measures in summed.items()}
    counts = [edges.get(start, whole.get(start, Counts())) for start in shown]
    ordered = sorted(by_type.items(), key=lambda pair: (-sum(pair[1].get(start, 0) for start in shown), pair[0]))
    return Board(
        period, now, _sum(counts),
        None if earlier is None else _sum([*(each for start, each in whole.items() if earlier.since <= start < earlier.until), *earlier_edges]),
        days, days_before,
        tuple(Moment(start, each, times.get(at)) for at, (start, each) in enumerate(zip(shown, counts, strict=True))),
        tuple(Moment(start, whole.get(start, Counts())) for start in back),
        tuple((code, tuple(of_type.get(start, 0) for start in back)) for code, of_type in ordered[:PANELS_MOST]),
        _ages(waiting),
    )  # fmt: skip


def _edge(session: Session, edge: tuple[dt.date, dt.date], scope: rows.Scope) -> Counts:
    """The counts of a few days that make no whole week or month."""
    return _sum(_counts(row) for row in rows.counts_of_span(session, "channel", _days_span(*edge), scope))


def _back(period: Period, end: dt.date) -> dt.date:
    if period.grain == "week":
        return end - dt.timedelta(weeks=rules.BASE_WEEKS + rules.RECENT_WEEKS)
    return min(rules.floor("month", period.since), rules.month_before(end, 24))


def moment_span(period: Period, start: dt.date) -> tuple[dt.date, dt.date]:
    """One week or month of a period, cut off where the period is: its first day, and the first day after it."""
    return start, min(rules.next_start(period.grain, start), max(period.until, start + dt.timedelta(days=1)))


def _times(
    session: Session, period: Period, shown: Sequence[dt.date], scope: rows.Scope
) -> tuple[dict[int, Days], Days, Days | None]:
    """The times to close of each week or month, to the minute; those of the whole period, exact; of the period before."""
    spans = [_days_span(*moment_span(period, start)) for start in shown]
    if period.before is not None:
        spans.append(_days_span(period.before, period.since))
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
    period = known.period(asked.period)
    own = {"contractor": ("division", "who"), "division": ("division", "who")}.get(by, (by,))
    scope, now = _scope(known, asked.without(*own)), core.now()
    column = {"request_type": "request_type_code", "district": "district", "channel": "channel"}.get(
        by, "division_code"
    )
    with core.read() as session:
        found = _counts_by(session, column, period, scope)
        late = rows.past_due_by(session, column, _span(period), now, scope)
    counts: dict[str, Counts] = {}
    waiting: dict[str, int] = {}
    for value, each in found.items():
        code = OWN if by == "contractor" and value not in known.contractors else value
        counts[code] = counts.get(code, Counts()) + each
        waiting[code] = waiting.get(code, 0) + late.get(value, 0)
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
        found = [premise_id for premise_id, _ in most]
        places, exempt = rows.addresses(session, found), rows.exempt_premises(session, found)
    return total, tuple(Repeat(each, places.get(each, ""), many, each in exempt) for each, many in most)


def _list_span(known: Names, asked: Asked, which: str, mark: Mark, now: dt.datetime) -> rows.Span | None:
    """Which opening times a list is of: the chosen week or month, the chosen age, the period, or (open ones) all."""
    period = known.period(asked.period)
    if mark.at is not None:
        return _days_span(*moment_span(period, mark.at))
    if which in ("late", "opened"):
        return _span(period)
    if mark.age is None:
        return None
    bounds = [now - dt.timedelta(days=most + 1) for most, _ in rules.AGES if most is not None]
    newest = now + dt.timedelta(days=36_500) if mark.age == 0 else bounds[mark.age - 1]
    oldest = bounds[mark.age] if mark.age < len(bounds) else dt.datetime(1, 1, 3, tzinfo=dt.UTC)
    # A bucket holds what was opened after its bound, up to and including the bound of the one before.
    moment = dt.timedelta(microseconds=1)
    return rows.Span(oldest + moment, newest + moment)


def cases(
    known: Names, asked: Asked, which: str, page: int = 1, mark: Mark = NOTHING_MARKED, most: int = CASE_ROWS
) -> tuple[Case, ...]:
    """A page of the cases behind the figures, or of a selected mark."""
    now = core.now()
    span = _list_span(known, asked, which, mark, now)
    with core.read() as session:
        found = rows.cases(session, which, span, now, _scope(known, asked), most, (max(1, page) - 1) * most)
    return tuple(_case(known, row, now) for row in found)


def oldest_case(known: Names, asked: Asked, which: str, mark: Mark = NOTHING_MARKED) -> Case | None:
    """The one of a list that was opened first."""
    now = core.now()
    span = _list_span(known, asked, which, mark, now)
    with core.read() as session:
        found = rows.cases(session, which, span, now, _scope(known, asked), 1, 0, oldest=True)
    return _case(known, found[0], now) if found else None


def _case(known: Names, row: Any, now: dt.datetime) -> Case:
    zone = _zone()
    return Case(
        row.id, row.external_id or row.number, row.request_type_name, known.of("division", row.division_code or ""),
        known.of("district", row.district) if row.district else "", known.of("channel", row.channel),
        row.opened_at.astimezone(zone).date(), row.due_at.astimezone(zone).date() if row.due_at else None,
        _days_late(row, now), ((row.closed_at or now) - row.opened_at).total_seconds() / rules.SECONDS_A_DAY,
    )  # fmt: skip


def _days_late(row: Any, now: dt.datetime) -> int | None:
    if row.due_at is None:
        return None
    late = ((row.closed_at or now) - row.due_at).total_seconds() / rules.SECONDS_A_DAY
    return max(0, int(late))


def case_total(known: Names, asked: Asked, found: Board, which: str, mark: Mark = NOTHING_MARKED) -> int:
    """How many cases a list has: the figures say it already, but for one week or month."""
    if mark.at is not None:
        now = core.now()
        with core.read() as session:
            return rows.case_count(
                session, which, _list_span(known, asked, which, mark, now), now, _scope(known, asked)
            )
    ages = found.ages if mark.age is None else found.ages[mark.age : mark.age + 1]
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
