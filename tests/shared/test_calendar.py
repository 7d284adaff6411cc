"""Business time against published cases and against a walker that counts every minute."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal.shared.calendar import (
    END_OF_DAY,
    BusinessCalendar,
    NeverOpen,
    Pause,
    Target,
    add_working_days,
    advance,
    business_minutes_between,
    due_at,
    elapsed,
    instant_of,
    merge_pauses,
    open_time_between,
    remaining,
    working_days_between,
)
from portal.shared.collection import (
    CollectionCalendar,
    HolidayRule,
    closed_days,
    collection_on,
    collection_week,
    holidays_in,
    next_collections,
    regular_weekday_of,
    week_colour,
)

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "clock_vectors.json").read_text(encoding="utf-8"))
EASTERN = "America/New_York"


def weekdays(opens: int, closes: int, zone: str = EASTERN, holidays: tuple[date, ...] = ()) -> BusinessCalendar:
    return BusinessCalendar(zone, {day: [(time(opens), time(closes))] for day in range(5)}, frozenset(holidays))


def local(text: str, zone: str = EASTERN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


# ----- published cases


@pytest.mark.parametrize("row", VECTORS["zammad"]["rows"], ids=lambda row: str(row["minutes"]))
def test_zammad_due(row: dict) -> None:
    due = due_at(utc(row["created"]), weekdays(9, 17, row["zone"]), Target(business_minutes=row["minutes"]))
    assert due.due_at == utc(row["due"])


@pytest.mark.parametrize("row", VECTORS["zammad"]["elapsed"], ids=lambda row: str(row["margin"]))
def test_zammad_elapsed_and_margin(row: dict) -> None:
    calendar = weekdays(8, 18, "Europe/Berlin")
    assert elapsed(utc(row["created"]), utc(row["at"]), calendar) == row["minutes"]
    assert remaining(utc(row["created"]), utc(row["at"]), calendar, row["target"]) == row["margin"]


@pytest.mark.parametrize("row", VECTORS["zammad"]["pause_24x7"]["rows"], ids=lambda row: str(row["start"]))
def test_zammad_pause(row: dict) -> None:
    calendar = BusinessCalendar("UTC", {day: [(time(0), END_OF_DAY)] for day in range(7)})
    zero = utc("2026-06-01T00:00Z")
    at = {minute: zero + timedelta(minutes=minute) for minute in (0, 60, 90, 120)}
    due = due_at(
        zero + timedelta(minutes=row["start"]), calendar, Target(business_minutes=row["span"]), [Pause(at[90], at[120])]
    )
    assert due.due_at == zero + timedelta(minutes=row["due"])


# 2026-06-01 is a Monday; the cases name weekdays only.
_DAY = {"Mon": "2026-06-08", "Wed": "2026-06-03", "Fri": "2026-06-05"}


@pytest.mark.parametrize("row", VECTORS["chatwoot"]["rows"], ids=lambda row: row["created"])
def test_chatwoot(row: dict) -> None:
    created, due = (local(f"{_DAY[text[:3]]}T{text[4:]}") for text in (row["created"], row["due"]))
    assert due_at(created, weekdays(9, 17), Target(business_minutes=row["hours"] * 60)).due_at == due


def test_osticket() -> None:
    row, default = VECTORS["osticket"]["rows"]
    created, due = (local(f"{_DAY[row[key][:3]]}T{row[key][4:]}") for key in ("created", "due"))
    assert due_at(created, weekdays(8, 18), Target(business_minutes=row["hours"] * 60)).due_at == due
    # Its shipped default of 18 hours on 8-5 means two business days.
    created = local("2026-06-02T10:00")
    by_hours = due_at(created, weekdays(8, 17), Target(business_minutes=default["hours"] * 60)).due_at
    assert by_hours == due_at(created, weekdays(8, 17), Target(business_days=2)).due_at == local("2026-06-04T10:00")


# ----- the calendar itself


def test_open_is_half_open() -> None:
    calendar = BusinessCalendar(EASTERN, {0: [(time(8), time(12)), (time(13), time(17))]})
    for clock, is_open in (
        ("07:59", False),
        ("08:00", True),
        ("11:59:59", True),
        ("12:00", False),
        ("13:00", True),
        ("17:00", False),
    ):
        assert calendar.is_open(local(f"2026-06-01T{clock}")) is is_open
    assert calendar.next_opening(local("2026-06-01T12:00")) == local("2026-06-01T13:00")
    assert calendar.next_opening(local("2026-06-01T14:30")) == local("2026-06-01T14:30")
    assert calendar.next_opening(local("2026-06-01T17:00")) == local("2026-06-08T08:00")


def test_holiday_is_closed() -> None:
    calendar = weekdays(8, 17, holidays=(date(2026, 11, 26),))
    assert not calendar.is_open(local("2026-11-26T10:00"))
    assert not calendar.is_working_day(date(2026, 11, 26))
    assert calendar.next_opening(local("2026-11-25T17:00")) == local("2026-11-27T08:00")


def test_until_midnight_and_on() -> None:
    calendar = BusinessCalendar(EASTERN, {0: [(time(20), END_OF_DAY)], 1: [(time(0), time(4))]})
    assert calendar.is_open(local("2026-06-01T23:59"))
    assert calendar.is_open(local("2026-06-02T00:00"))
    assert business_minutes_between(local("2026-06-01T00:00"), local("2026-06-03T00:00"), calendar) == 8 * 60
    assert due_at(local("2026-06-01T22:00"), calendar, Target(business_minutes=150)).due_at == local("2026-06-02T00:30")


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ({0: [(time(17), time(8))]}, "Monday's hours from 17:00 to 08:00 end before they start"),
        ({0: [(time(8), time(8))]}, "end before they start"),
        ({6: [(time(8), time(12)), (time(11), time(17))]}, "Sunday's hours overlap at 11:00"),
        ({6: [(time(8), END_OF_DAY), (time(11), time(17))]}, "Sunday's hours overlap at 11:00"),
    ],
)
def test_hours_that_cannot_be(hours: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        BusinessCalendar(EASTERN, hours)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "America", "x" * 300])
def test_unknown_zone(zone: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time zone\. Give its full name"):
        BusinessCalendar(zone, {})


def test_touching_periods_and_any_order_are_one_opening() -> None:
    calendar = BusinessCalendar(EASTERN, {0: [(time(12), time(17)), (time(8), time(12))]})
    assert calendar.is_open(local("2026-06-01T12:00"))
    assert due_at(local("2026-06-01T11:00"), calendar, Target(business_minutes=120)).due_at == local("2026-06-01T13:00")


def test_calendar_can_be_cached_and_stored() -> None:
    calendar = weekdays(8, 17)
    assert hash(calendar) == hash(weekdays(8, 17))
    stored = pickle.dumps(calendar)
    assert pickle.loads(stored) == copy.deepcopy(calendar) == calendar  # noqa: S301  our own bytes


@pytest.mark.parametrize("hours", [{}, {0: []}])
def test_never_open(hours: dict) -> None:
    calendar = BusinessCalendar(EASTERN, hours)
    at = local("2026-06-01T10:00")
    for target in (Target(business_minutes=1), Target(business_days=1), Target(working_days=1, at=time(15))):
        with pytest.raises(NeverOpen, match="Give at least one weekday its hours"):
            due_at(at, calendar, target)
    with pytest.raises(NeverOpen):
        calendar.next_opening(at)
    assert not calendar.is_open(at)
    assert due_at(at, calendar, Target(calendar_days=1)).due_at == local("2026-06-02T10:00")


def test_a_row_of_holidays_is_waited_out() -> None:
    mondays = tuple(date(2026, 6, 1) + timedelta(weeks=week) for week in range(60))
    calendar = BusinessCalendar(EASTERN, {0: [(time(8), time(17))]}, frozenset(mondays))
    assert calendar.next_opening(local("2026-05-31T10:00")) == local("2027-07-26T08:00")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"business_minutes": 1, "calendar_days": 1},
        {"business_minutes": 0},
        {"calendar_days": -3},
        {"working_days": 1},
        {"business_days": 1, "at": time(15)},
    ],
)
def test_targets_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(ValueError):
        Target(**wrong)


def test_negative_spans_are_refused() -> None:
    a, b = local("2026-06-01T10:00"), local("2026-06-01T09:00")
    with pytest.raises(ValueError, match="cannot be before the start"):
        open_time_between(a, b, weekdays(8, 17))
    with pytest.raises(ValueError, match="cannot end before it starts"):
        Pause(a, b)
    with pytest.raises(ValueError, match="cannot be before the start"):
        working_days_between(date(2026, 6, 2), date(2026, 6, 1), weekdays(8, 17))


def test_seconds_are_kept() -> None:
    due = due_at(local("2026-06-01T16:59:30.250000"), weekdays(8, 17), Target(business_minutes=1)).due_at
    assert due == local("2026-06-02T08:00:30.250000")


# ----- clock changes


@pytest.mark.parametrize(
    ("zone", "on", "clock", "answer"),
    [
        (EASTERN, date(2026, 3, 8), time(2, 30), "2026-03-08T07:00Z"),  # skipped: 3:00 EDT
        (EASTERN, date(2026, 3, 8), time(2, 0), "2026-03-08T07:00Z"),
        (EASTERN, date(2026, 3, 8), time(1, 59), "2026-03-08T06:59Z"),
        (EASTERN, date(2026, 11, 1), time(1, 30), "2026-11-01T05:30Z"),  # twice: EDT first
        (EASTERN, date(2026, 11, 1), time(2, 0), "2026-11-01T07:00Z"),
        ("America/Sao_Paulo", date(2018, 11, 4), time(0, 0), "2018-11-04T03:00Z"),  # the day starts at 1:00
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03T15:30Z"),  # half an hour
        ("Pacific/Apia", date(2011, 12, 30), time(12, 0), "2011-12-30T10:00Z"),  # a day that never was
    ],
)
def test_instant_of(zone: str, on: date, clock: time, answer: str) -> None:
    assert instant_of(on, clock, ZoneInfo(zone)) == utc(answer)


def test_hours_across_a_clock_change_are_real_hours() -> None:
    nights = BusinessCalendar(EASTERN, {6: [(time(0), time(6))]})
    assert business_minutes_between(local("2026-03-08T00:00"), local("2026-03-08T12:00"), nights) == 5 * 60
    assert business_minutes_between(local("2026-11-01T00:00"), local("2026-11-01T12:00"), nights) == 7 * 60


def test_next_day_opens_before_the_clock_has_settled_on_it() -> None:
    # Newfoundland put its clocks back at 0:01: a minute past midnight it was 23:01 again. Who opened at midnight is open.
    calendar = BusinessCalendar("America/St_Johns", {6: [(time(0), time(6))]})
    assert calendar.local(utc("2006-10-29T02:45Z")).isoformat() == "2006-10-28T23:15:00-03:30"
    assert calendar.is_open(utc("2006-10-29T02:45Z"))
    assert not calendar.is_open(utc("2006-10-29T02:29Z"))


# ----- the walker: every minute of sixteen days, one after the other

_CHANGES = [
    (EASTERN, date(2026, 3, 8)),
    (EASTERN, date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("America/Havana", date(2026, 11, 1)),  # 1:00 goes back to 0:00
    ("America/Sao_Paulo", date(2018, 11, 4)),  # 0:00 goes on to 1:00
    ("America/Sao_Paulo", date(2018, 2, 18)),  # 24:00 goes back to 23:00
    ("America/St_Johns", date(2006, 10, 29)),  # 0:01 goes back to 23:01 of the day before
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ("Pacific/Apia", date(2011, 12, 30)),  # a whole day is skipped
    ("America/Phoenix", date(2026, 3, 8)),  # nothing happens
]
_MINUTES = 16 * 1440


@lru_cache
def wall_clock(zone: str, change_on: date) -> tuple[datetime, list[datetime], list[datetime]]:
    """The first instant, what the clock shows at each minute, and the latest it has shown by then.

    An office that opens at nine opens when its clock first shows nine or more, and closes likewise: clocks put back do
    not close or open it again. So openness follows the latest time shown.
    """
    first = datetime(change_on.year, change_on.month, change_on.day, tzinfo=UTC) - timedelta(days=5)
    shown = [
        (first + timedelta(minutes=minute)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        for minute in range(_MINUTES)
    ]
    latest, top = [], shown[0]
    for wall in shown:
        top = max(top, wall)
        latest.append(top)
    return first, shown, latest


class Walker:
    def __init__(self, change: tuple[str, date], hours: dict[int, list[tuple[int, int]]], holidays: set[date]) -> None:
        self.first, self.shown, self.latest = wall_clock(*change)
        self.hours, self.holidays = hours, holidays
        self.open = [self.opens(wall) for wall in self.latest]

    def opens(self, wall: datetime) -> bool:
        minute = wall.hour * 60 + wall.minute
        periods = self.hours.get(wall.weekday(), []) if wall.date() not in self.holidays else []
        return any(start <= minute < end for start, end in periods)

    def instant(self, minute: int) -> datetime:
        return self.first + timedelta(minutes=minute)

    def next_open(self, minute: int) -> int:
        while not self.at(self.open, minute):
            minute += 1
        return minute

    def when_shown(self, wall: datetime) -> int:
        assume(wall <= self.latest[-1])
        return next(minute for minute, latest in enumerate(self.latest) if latest >= wall)

    def nth_working_day(self, on: date, count: int) -> date:
        while count:
            on += timedelta(days=1)
            count -= bool(self.hours.get(on.weekday())) and on not in self.holidays
        return on

    @staticmethod
    def at(row: list[bool], minute: int) -> bool:
        assume(minute < _MINUTES)
        return row[minute]

    def due(self, opened: int, target: dict, pauses: list[tuple[int, int | None]]) -> int | None:
        """The minute when it is due, None while paused."""
        paused = [
            any(start <= minute < (_MINUTES if end is None else end) for start, end in pauses)
            for minute in range(_MINUTES)
        ]
        forever = min((max(start, opened) for start, end in pauses if end is None), default=None)
        if forever is not None:
            # A pause that others touch starts with the first of them.
            while forever > opened and paused[forever - 1]:
                forever -= 1
        if "business_minutes" in target:
            return self.count(
                opened,
                target["business_minutes"],
                forever,
                [o and not p for o, p in zip(self.open, paused, strict=True)],
            )
        if "calendar_days" in target:
            wall = self.shown[opened] + timedelta(days=target["calendar_days"])
            return self.count(opened, self.when_shown(wall) - opened, forever, [not p for p in paused])
        if "business_days" in target:
            start = self.next_open(opened)
            on = self.nth_working_day(self.shown[start].date(), target["business_days"])
            unpaused = self.next_open(self.when_shown(datetime.combine(on, self.shown[start].time())))
        else:
            on = self.nth_working_day(self.shown[opened].date(), target["working_days"])
            unpaused = self.when_shown(datetime.combine(on, time(0)) + timedelta(minutes=target["at"]))
        # The opening time of every run of paused minutes that starts before it is due, until none is left.
        due, seen = unpaused, -1
        while True:
            lost, minute = 0, opened
            while minute < due or (minute < _MINUTES and paused[minute] and minute > opened and paused[minute - 1]):
                lost += self.at(paused, minute) and self.open[minute]
                minute += 1
            if lost == seen:
                break
            seen, due = lost, unpaused
            for _ in range(lost):
                due = self.next_open(due) + 1
        return None if forever is not None and forever < due else due

    def count(self, minute: int, left: int, forever: int | None, counts: list[bool]) -> int | None:
        while left:
            if forever is not None and minute >= forever:
                return None
            left -= self.at(counts, minute)
            minute += 1
        return minute


@st.composite
def cases(draw: st.DrawFn) -> tuple:
    change = draw(st.sampled_from(_CHANGES))
    hours: dict[int, list[tuple[int, int]]] = {}
    for weekday in range(7):
        edges = sorted(draw(st.lists(st.integers(0, 48), max_size=6, unique=True)))
        pairs = zip(edges, edges[1:], strict=False)  # touching periods
        if draw(st.booleans()):
            pairs = zip(edges[::2], edges[1::2], strict=False)
        hours[weekday] = [(start * 30, end * 30) for start, end in pairs]
    assume(any(hours.values()))
    holidays = {change[1] + timedelta(days=days) for days in draw(st.lists(st.integers(-3, 7), max_size=3))}
    opened = draw(st.integers(3 * 1440, 7 * 1440))
    pauses: list[tuple[int, int | None]] = []
    for _ in range(draw(st.integers(0, 4))):
        touching = pauses and pauses[-1][1] is not None and draw(st.booleans())
        start = pauses[-1][1] if touching else opened + draw(st.integers(-600, 4000))
        ends = draw(
            st.one_of(
                st.integers(0, 2000), st.integers(0, 60), st.none() if draw(st.integers(0, 5)) == 0 else st.just(30)
            )
        )
        pauses.append((start or 0, None if ends is None else (start or 0) + ends))
    return change, hours, holidays, opened, draw(st.permutations(pauses))


def clock_of(minute: int) -> time:
    return END_OF_DAY if minute == 1440 else time(minute // 60, minute % 60)


def calendar_of(change: tuple[str, date], hours: dict, holidays: set[date]) -> BusinessCalendar:
    periods = {day: [(clock_of(start), clock_of(end)) for start, end in found] for day, found in hours.items()}
    return BusinessCalendar(change[0], periods, frozenset(holidays))


targets = st.one_of(
    st.fixed_dictionaries({"business_minutes": st.integers(1, 900)}),
    st.fixed_dictionaries({"business_days": st.integers(1, 3)}),
    st.fixed_dictionaries({"calendar_days": st.integers(1, 5)}),
    st.fixed_dictionaries(
        {"working_days": st.integers(1, 3), "at": st.integers(0, 96).map(lambda quarter: quarter * 15)}
    ),
)


@settings(max_examples=250, deadline=None)
@given(case=cases(), target=targets)
def test_due_is_what_the_walker_finds(case: tuple, target: dict) -> None:
    change, hours, holidays, opened, pauses = case
    walker = Walker(change, hours, holidays)
    expected = walker.due(opened, target, pauses)
    wanted: dict[str, Any] = {key: clock_of(value) if key == "at" else value for key, value in target.items()}
    due = due_at(
        walker.instant(opened),
        calendar_of(change, hours, holidays),
        Target(**wanted),
        [Pause(walker.instant(start), None if end is None else walker.instant(end)) for start, end in pauses],
    )
    assert due.due_at == (None if expected is None else walker.instant(expected))
    assert due.paused is (expected is None)
    assert due.explanation[0].startswith("Opened ")
    assert "the clock starts" in due.explanation[0]
    assert due.explanation[-1].startswith("Paused since " if due.paused else "Due ")


@settings(max_examples=100, deadline=None)
@given(case=cases(), length=st.integers(0, 5000))
def test_minutes_between_are_what_the_walker_counts(case: tuple, length: int) -> None:
    change, hours, holidays, opened, pauses = case
    walker, calendar = Walker(change, hours, holidays), calendar_of(change, hours, holidays)
    paused = [Pause(walker.instant(a), None if b is None else walker.instant(b)) for a, b in pauses]
    a, b = walker.instant(opened), walker.instant(opened + length)
    assert business_minutes_between(a, b, calendar) == sum(walker.open[opened : opened + length])
    running = [
        walker.open[minute] and not any(start <= minute and (end is None or minute < end) for start, end in pauses)
        for minute in range(opened, opened + length)
    ]
    assert elapsed(a, b, calendar, paused) == sum(running)
    assert remaining(a, b, calendar, 60, paused) == 60 - sum(running)
    assert calendar.is_open(b) is walker.open[opened + length]


@settings(max_examples=100, deadline=None)
@given(case=cases(), minutes=st.integers(1, 600))
def test_advancing_and_counting_back_agree(case: tuple, minutes: int) -> None:
    change, hours, holidays, opened, _ = case
    calendar = calendar_of(change, hours, holidays)
    at = wall_clock(*change)[0] + timedelta(minutes=opened)
    assert business_minutes_between(at, advance(at, timedelta(minutes=minutes), calendar), calendar) == minutes


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_merged_pauses_are_apart_and_cover_the_same(case: tuple) -> None:
    _, _, _, opened, pauses = case
    zero, since = utc("2026-06-01T00:00Z"), opened - 100
    minutes = {minute: zero + timedelta(minutes=minute) for minute in range(-1, 20000)}
    merged = merge_pauses(
        [Pause(minutes[a], None if b is None else minutes[b]) for a, b in pauses], since=minutes[since]
    )
    for before, after in zip(merged, merged[1:], strict=False):
        assert before.end is not None
        assert before.end < after.start
    for minute in {edge + step for pair in pauses for edge in pair if edge is not None for step in (-1, 0, 1)} | {
        since
    }:
        covered = minute >= since and any(a <= minute and (b is None or minute < b) for a, b in pauses)
        at = minutes[minute]
        assert covered == any(p.start <= at and (p.end is None or at < p.end) for p in merged)


# ----- civil days


def test_working_days() -> None:
    calendar = weekdays(8, 17, holidays=(date(2026, 11, 26), date(2026, 11, 27)))
    assert add_working_days(date(2026, 11, 25), 1, calendar) == date(2026, 11, 30)
    assert add_working_days(date(2026, 11, 30), -1, calendar) == date(2026, 11, 25)
    assert add_working_days(date(2026, 11, 28), 0, calendar) == date(2026, 11, 28)
    assert working_days_between(date(2026, 11, 25), date(2026, 12, 1), calendar) == 2


@given(start=st.dates(date(2020, 1, 1), date(2030, 1, 1)), days=st.integers(1, 60))
def test_working_days_there_and_back(start: date, days: int) -> None:
    calendar = weekdays(8, 17, holidays=(date(2026, 11, 26),))
    end = add_working_days(start, days, calendar)
    assert calendar.is_working_day(end)
    assert working_days_between(start, end, calendar) == days


# ----- collection weeks

_WEEKS = VECTORS["published_weeks"]
_RULES = [HolidayRule(**rule) for rule in _WEEKS["holiday_rules"]]
COLLECTION = CollectionCalendar(
    anchor_on=date.fromisoformat(_WEEKS["anchor"]["on"]),
    colours=("blue", "red"),
    holidays=holidays_in(range(2012, 2035), _RULES),
)
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri")


@pytest.mark.parametrize("row", _WEEKS["rows"], ids=lambda row: row["week_sunday"])
def test_published_weeks(row: dict) -> None:
    sunday = date.fromisoformat(row["week_sunday"])
    assert week_colour(sunday, COLLECTION) == row["colour"]
    assert week_colour(sunday + timedelta(days=6), COLLECTION) == row["colour"]
    week = collection_week(sunday + timedelta(days=3), COLLECTION)
    assert {_NAMES[weekday]: on.isoformat() for weekday, on in week.items()} == row["collection"]
    for weekday, on in week.items():
        assert regular_weekday_of(on, COLLECTION) == weekday


@pytest.mark.parametrize("row", _WEEKS["slides"], ids=lambda row: row["week_sunday"])
def test_published_slides(row: dict) -> None:
    sunday = date.fromisoformat(row["week_sunday"])
    for weekday, shift in enumerate(row["shift"]):
        regular_on = sunday + timedelta(days=1 + weekday)
        assert collection_on(regular_on, COLLECTION) == regular_on + timedelta(days=shift)


def test_anchor_of_another_week_gives_the_same_colours() -> None:
    # The same alternation told from red 2021-05-30; it runs on through years of 53 weeks.
    other = CollectionCalendar(anchor_on=date(2021, 5, 30), colours=("red", "blue"))
    sundays = [date(2013, 1, 6) + timedelta(weeks=week) for week in range(1100)]
    colours = [week_colour(sunday, COLLECTION) for sunday in sundays]
    assert colours == [week_colour(sunday, other) for sunday in sundays]
    assert all(a != b for a, b in zip(colours, colours[1:], strict=False))


def test_two_holidays_in_a_week_never_share_a_day() -> None:
    calendar = CollectionCalendar(date(2026, 6, 7), holidays=frozenset({date(2026, 6, 8), date(2026, 6, 10)}))
    week = collection_week(date(2026, 6, 8), calendar)
    assert list(week.values()) == [date(2026, 6, day) for day in (9, 11, 12, 13, 14)]
    assert regular_weekday_of(date(2026, 6, 14), calendar) == 4
    assert regular_weekday_of(date(2026, 6, 10), calendar) is None


def test_sunday_holiday_moves_only_where_the_city_says_so() -> None:
    sunday = frozenset({date(2021, 7, 4)})
    assert closed_days(sunday) == sunday | {date(2021, 7, 5)}
    assert closed_days(sunday, sunday_moves=False) == sunday


def test_next_collections() -> None:
    assert next_collections(date(2021, 11, 20), 3, COLLECTION, count=2) == [date(2021, 11, 26), date(2021, 12, 2)]
    assert next_collections(date(2021, 11, 26), 3, COLLECTION, colour="blue") == [date(2021, 12, 9)]
    # Friday's customers of a holiday week are collected on the Saturday still to come.
    assert next_collections(date(2021, 11, 26), 4, COLLECTION) == [date(2021, 11, 27)]
    with pytest.raises(ValueError, match="no regular collection"):
        next_collections(date(2021, 11, 26), 6, COLLECTION)
    with pytest.raises(ValueError, match=r"green is none of the calendar's colors\. Choose blue or red"):
        next_collections(date(2021, 11, 26), 1, COLLECTION, colour="green")
    with pytest.raises(ValueError, match="no regular collection"):
        collection_on(date(2021, 11, 27), COLLECTION)


# US federal almanac: the third Monday of January 2026 is the 19th, the last of May the 25th, Thanksgiving November 26.
@pytest.mark.parametrize(("name", "on"), [("Martin Luther King Jr. Day", date(2026, 1, 19)), ("Memorial Day", date(2026, 5, 25)),
                                           ("Labor Day", date(2026, 9, 7)), ("Thanksgiving", date(2026, 11, 26)), ("Christmas", date(2026, 12, 25))])  # fmt: skip
def test_holiday_rules(name: str, on: date) -> None:
    assert next(rule for rule in _RULES if rule.name == name).in_year(2026) == on


def test_last_weekday_of_december() -> None:
    assert HolidayRule("Year's end", 12, weekday=3, nth=-1).in_year(2026) == date(2026, 12, 31)


@pytest.mark.parametrize(
    "wrong", [{}, {"day": 1, "nth": 1}, {"weekday": 0}, {"weekday": 0, "nth": 5}, {"day": 1, "weekday": 0, "nth": 1}]
)
def test_holiday_rules_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(ValueError, match="Field day"):
        HolidayRule("Field day", 5, **wrong)
