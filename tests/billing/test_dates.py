"""Cycle dates: reads on working days, due 21 days after billing, and no cut on a day without cuts."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.billing.rules.dates import (
    CycleCalendar,
    cycle_dates,
    earliest_cutoff,
    next_dates,
    read_on,
    read_periods,
    why_no_cut,
)

PACK = Path(__file__).parents[2] / "db" / "packs" / "tallahassee" / "cycle" / "monthly.toml"
# Thanksgiving and the day after, Christmas, New Year's Day.
HOLIDAYS = frozenset({date(2026, 11, 26), date(2026, 11, 27), date(2026, 12, 25), date(2027, 1, 1)})


def pack(**changes: Any) -> dict[str, Any]:
    return {**tomllib.loads(PACK.read_text(encoding="utf-8")), **changes}


def calendar_of(**changes: Any) -> CycleCalendar:
    calendar, problems = CycleCalendar.from_pack(pack(**changes))
    assert problems == []
    assert calendar is not None
    return calendar


CALENDAR = calendar_of()


def test_there_are_twenty_cycles_read_in_order() -> None:
    assert CALENDAR.cycles == 20
    reads = [read_on(CALENDAR, cycle, 2026, 11, HOLIDAYS) for cycle in range(1, 21)]
    assert reads == sorted(reads)
    with pytest.raises(ValueError, match="cycle must be from 1 to 20"):
        read_on(CALENDAR, 21, 2026, 11)


def test_the_dates_of_one_bill_worked_by_hand() -> None:
    """Cycle 20 of Nov 2026: nominal day Fri Nov 27 is a holiday, so the read moves to Mon Nov 30."""
    dates = cycle_dates(CALENDAR, 20, 2026, 11, HOLIDAYS)
    assert dates.read_on == date(2026, 11, 30)
    assert dates.bill_on == date(2026, 12, 3)
    assert dates.due_on == date(2026, 12, 24)  # 21 days after billing
    assert dates.late_fee_on == date(2026, 12, 29)
    assert dates.notice_on == date(2026, 12, 31)
    # Sun Jan 10 is the tenth day after the notice; Monday is the first with cuts.
    assert dates.cutoff_on == date(2027, 1, 11)
    assert dates.collections_on == date(2027, 3, 24)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 21), "the office is closed"),  # a Saturday
        (date(2026, 11, 26), "the office is closed"),  # Thanksgiving
        (date(2026, 11, 20), "no cuts on a Friday"),
        (date(2026, 11, 25), "the day before a closed day"),
        (date(2026, 12, 22), "no cuts over the holidays"),
        (date(2027, 1, 2), "the office is closed"),
        (date(2026, 11, 18), "cuts are stopped for the day"),  # a weather stop
    ],
)
def test_a_day_without_cuts_says_why(day: date, words: str) -> None:
    reason = why_no_cut(CALENDAR, day, HOLIDAYS, {date(2026, 11, 18)})
    assert reason is not None
    assert words in reason


def test_the_earliest_cut_skips_all_of_them() -> None:
    assert why_no_cut(CALENDAR, date(2026, 11, 24), HOLIDAYS) is None
    # Wednesday before Thanksgiving to Sunday: nothing until Monday.
    assert earliest_cutoff(CALENDAR, date(2026, 11, 25), HOLIDAYS) == date(2026, 11, 30)
    assert earliest_cutoff(CALENDAR, date(2026, 12, 18), HOLIDAYS) == date(2027, 1, 4)


def test_a_calendar_that_never_allows_a_cut_says_so() -> None:
    never = calendar_of(no_cut=[{"first": "01-01", "last": "12-31", "reason": "never"}])
    with pytest.raises(ValueError, match="allows no cut within a year"):
        earliest_cutoff(never, date(2026, 1, 1))


@given(st.integers(1, 20), st.dates(date(2016, 1, 1), date(2030, 12, 31)))
def test_the_next_read_is_not_in_the_past_and_all_dates_follow_in_order(cycle: int, today: date) -> None:
    dates = next_dates(CALENDAR, cycle, today, HOLIDAYS)
    assert next_dates(CALENDAR, cycle, dates.read_on, HOLIDAYS) == dates
    assert today <= dates.read_on <= today + timedelta(days=38)
    assert dates.read_on < dates.bill_on < dates.due_on < dates.notice_on < dates.cutoff_on < dates.collections_on
    assert (dates.due_on - dates.bill_on).days >= 21
    assert why_no_cut(CALENDAR, dates.cutoff_on, HOLIDAYS) is None
    for day in (dates.read_on, dates.bill_on, dates.due_on):
        assert day.weekday() < 5
        assert day not in HOLIDAYS


@given(st.integers(1, 20))
def test_periods_adjoin_and_are_about_a_month(cycle: int) -> None:
    periods = list(read_periods(CALENDAR, cycle, date(2023, 11, 1), date(2026, 11, 30), HOLIDAYS))
    assert len(periods) >= 35
    assert all(a[1] == b[0] for a, b in zip(periods, periods[1:], strict=False))
    assert all(26 <= (to_on - from_on).days <= 36 for from_on, to_on in periods)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"read_days": []}, "read_days"),
        ({"read_days": [31]}, "read_days"),
        ({"due_after_bill": 0}, "due_after_bill"),
        ({"no_cut_weekdays": ["friday"]}, "no_cut_weekdays"),
        ({"no_cut_weekdays": ["mon", "tue", "wed", "thu", "fri"]}, "no_cut_weekdays"),
        ({"no_cut": [{"first": "13-01", "last": "01-02", "reason": "x"}]}, "no_cut[x].first"),
        ({"effective_from": "2026"}, "effective_from"),
        ({"weeks": 3}, "weeks"),
    ],
)
def test_a_mistake_in_the_calendar_is_refused(change: dict[str, Any], field: str) -> None:
    calendar, problems = CycleCalendar.from_pack(pack(**change))
    assert calendar is None
    assert [problem.field for problem in problems] == [field]
