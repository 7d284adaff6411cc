"""Usage between reads, expected use, and the comparison with last year."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.metering.rules.use import PeriodUse, compare_with_last_year, expected_daily_use, usage_between


@pytest.mark.parametrize(
    ("previous", "current", "dials", "multiplier", "quantity", "rolled_over"),
    [
        (73670, 74573, 5, 1, 903, False),  # the reads printed on a bill of 2015 (expydoc 4135883)
        (3204, 3221, 4, 1, 17, False),  # the reads printed on a gas bill of 2017 (paperzz 7712276)
        (99900, 150, 5, 1, 250, True),
        (9990, 10, 4, 40, 800, True),
        (5, 5, 4, 1, 0, False),
    ],
)
def test_usage_is_the_difference_of_the_dials_times_the_multiplier(
    previous: int, current: int, dials: int, multiplier: int, quantity: int, rolled_over: bool
) -> None:
    usage = usage_between(previous, current, dials, multiplier)
    assert (usage.quantity, usage.rolled_over, usage.problems) == (quantity, rolled_over, ())


@given(st.integers(1, 9), st.data(), st.integers(1, 400))
def test_roll_over_gives_back_what_went_through(dials: int, data: st.DataObject, multiplier: int) -> None:
    turns = 10**dials
    previous, went = data.draw(st.integers(0, turns - 1)), data.draw(st.integers(0, turns - 1))
    usage = usage_between(previous, (previous + went) % turns, dials, multiplier)
    assert usage.quantity == went * multiplier
    assert usage.rolled_over == (previous + went >= turns)


@pytest.mark.parametrize(
    ("previous", "current", "dials", "multiplier", "field"),
    [
        (0, 100000, 5, 1, "current"),
        (-1, 5, 5, 1, "previous"),
        (0, 5, 0, 1, "dials"),
        (0, 5, 5, 0, "multiplier"),
        (0, 5, 5, Decimal("NaN"), "multiplier"),
    ],
)
def test_a_read_that_cannot_be_is_refused(
    previous: int, current: int, dials: int, multiplier: int | Decimal, field: str
) -> None:
    usage = usage_between(previous, current, dials, multiplier)
    assert usage.quantity is None
    assert [problem.field for problem in usage.problems] == [field]


def test_each_service_kind_follows_its_own_weather() -> None:
    cold, hot = {"hdd": 20.0, "cdd": 0.0}, {"hdd": 0.0, "cdd": 15.0}
    assert expected_daily_use("electric", 10, 0.5, 1.0, **cold) == 20
    assert expected_daily_use("electric", 10, 0.5, 1.0, **hot) == 25
    assert expected_daily_use("gas", 0.2, 0.1, 1.0, **hot) == 0.2
    assert expected_daily_use("water", 2, 0.5, 0.1, **cold) == 2
    assert expected_daily_use("water", 2, 0.5, 0.1, **hot) == 3.5
    assert expected_daily_use("electric", -5, 0, 0, **cold) == 0


def period(year: int, quantity: int, days: int = 30, heat: float | None = None, cool: float | None = None) -> PeriodUse:
    first = date(year, 11, 1)
    return PeriodUse(first, date.fromordinal(first.toordinal() + days), Decimal(quantity), heat, cool)


@pytest.mark.parametrize(
    ("now", "before", "sentence"),
    [
        (
            period(2026, 981, heat=327, cool=0),
            period(2025, 900, heat=300, cool=0),
            "981 kWh in 30 days: 9% above last November; per degree-day it is the usual.",
        ),
        (
            period(2026, 1200, heat=300, cool=0),
            period(2025, 900, heat=300, cool=0),
            "1,200 kWh in 30 days: 33% above last November; per degree-day it is 33% above last year.",
        ),
        (
            period(2026, 990, days=33),
            period(2025, 900),
            (
                "990 kWh in 33 days: 10% above last November; the period is 3 days longer; "
                "use per day is about the same as last year."
            ),
        ),
        (
            period(2026, 700, days=29),
            period(2025, 900),
            (
                "700 kWh in 29 days: 22% below last November; the period is 1 day shorter; "
                "use per day is 20% below last year."
            ),
        ),
        (period(2026, 900), period(2025, 900), "900 kWh in 30 days: about the same as last November."),
        (period(2026, 900), period(2025, 0), "900 kWh in 30 days; none was used last November."),
        (period(2026, 0), period(2025, 0), "0 kWh in 30 days, and none last November either."),
        (
            period(2026, 900),
            None,
            "900 kWh in 30 days; there is no bill for the same time last year to compare with.",
        ),
    ],
)
def test_the_comparison_is_one_true_sentence(now: PeriodUse, before: PeriodUse | None, sentence: str) -> None:
    assert compare_with_last_year(now, before, "kWh", weather=True).sentence == sentence


def test_without_weather_degree_days_are_left_out() -> None:
    now, before = period(2026, 981, heat=327, cool=0), period(2025, 900, heat=300, cool=0)
    comparison = compare_with_last_year(now, before, "cgal", weather=False)
    assert comparison.per_degree_day_change is None
    assert comparison.sentence == "981 cgal in 30 days: 9% above last November."
