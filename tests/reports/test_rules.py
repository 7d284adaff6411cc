"""Figures and sentences of the service levels."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.reports import rules
from portal.reports.rules import Counts

SECONDS = st.lists(st.integers(-7_200, 4_000_000) | st.floats(-90, 90_000, allow_nan=False), min_size=1, max_size=60)


@given(SECONDS)
def test_quantiles_from_whole_minutes_and_a_few_exact_times_are_those_of_all_exact_times(seconds: list[float]) -> None:
    minutes = [int(each // 60) for each in seconds]
    ordered = rules.numbers(",".join(map(str, minutes)))
    needed = rules.minutes_needed(ordered)
    asked = {minute: [each for each, its in zip(seconds, minutes, strict=True) if its == minute] for minute in needed}
    found = rules.days_of(ordered, asked)
    half, ninety = np.quantile(
        np.array(seconds, dtype=float) / 86_400, (0.5, 0.9)
    )  # linear interpolation is numpy's default
    assert found.closed == len(seconds)
    assert found.half == pytest.approx(half, abs=1e-9)
    assert found.ninety == pytest.approx(ninety, abs=1e-9)
    rough = rules.days_to_the_minute(ordered)
    assert rough.half is not None
    assert 0 <= half - rough.half < 1 / 1440 + 1e-9


def test_nothing_closed_has_no_quantile() -> None:
    assert rules.days_of(rules.numbers(None), {}) == rules.Days()
    assert rules.days_to_the_minute(rules.numbers("")) == rules.Days()
    assert rules.minutes_needed(rules.numbers("")) == set()


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score without continuity correction).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_the_published_ones(part: int, whole: int, low: float, high: float) -> None:
    assert rules.wilson(part, whole) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_an_interval_of_nothing_is_everything() -> None:
    assert rules.wilson(0, 0) == (0.0, 1.0)


def test_few_are_shown_with_care_and_fewer_not_at_all() -> None:
    assert rules.share_words(0, 0) == "none with a due date"
    assert rules.share_words(9, 9) == "not shown: fewer than 10"
    assert rules.share_words(7, 10) == "(70%)"
    assert rules.share_words(25, 30) == "83%"
    assert rules.percent(0.125) == "13%", "half up"


def test_both_shares_keep_their_denominators() -> None:
    counts = Counts(opened=12, closed=8, with_target=10, closed_with_target=6, on_time=3)
    assert (counts.share_of_closed, counts.share_of_all) == (0.5, 0.3)
    assert (Counts().share_of_closed, Counts().share_of_all) == (None, None)


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (Counts(0, 0, 0, 1000, 820), Counts(0, 0, 0, 1000, 740), "Up 8 points, more than chance"),
        (Counts(0, 0, 0, 100, 77), Counts(0, 0, 0, 100, 74), "Up 3 points: not distinguishable from chance"),
        (Counts(0, 0, 0, 100, 74), Counts(0, 0, 0, 100, 74), "No clear change"),
        (Counts(0, 0, 0, 9, 7), Counts(0, 0, 0, 100, 74), "Too few to compare"),
        (Counts(0, 0, 0, 100, 74), None, "No earlier period to compare"),
        (Counts(0, 0, 0, 1000, 739), Counts(0, 0, 0, 1000, 740), "No clear change"),
    ],
)
def test_a_change_is_claimed_only_beyond_chance(now: Counts, before: Counts | None, words: str) -> None:
    assert rules.share_change_words(now, before) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (None, "–"), (0.0001, "under a minute"), (0.0139, "20 min"), (0.5, "12.0 hours"), (2.94, "2.9 days"), (14.4, "14 days"),
        (1234.0, "1,234 days"), (9.97, "10 days"),
    ],
)  # fmt: skip
def test_days_are_said_as_people_say_them(days: float | None, words: str) -> None:
    assert rules.days_words(days) == words


def test_changes_of_counts_and_days() -> None:
    assert rules.change_words(11_891, 9_000) == "Up 32% from 9,000"
    assert rules.change_words(80, 100) == "Down 20% from 100"
    assert rules.change_words(105, 100) == "About the same: was 100"
    assert rules.change_words(5, None) == "No earlier period to compare"
    assert rules.change_words(5, 0) == "None before"
    assert rules.days_change_words(0.9, 1.2) == "Faster: was 1.2 days"
    assert rules.days_change_words(1.2, 0.5) == "Slower: was 12.0 hours"
    assert rules.days_change_words(1.21, 1.22) == "The same as before"


def test_periods_are_whole_weeks_and_months_and_name_what_to_compare_with() -> None:
    found = rules.periods(dt.date(2026, 11, 24), dt.date(2015, 1, 1))
    weeks = found["13w"]
    assert next(iter(found)) == "13w"
    assert (weeks.since, weeks.until, weeks.before) == (
        dt.date(2026, 8, 24),
        dt.date(2026, 11, 23),
        dt.date(2026, 5, 25),
    )
    assert weeks.words == "Aug 24, 2026 to Nov 22, 2026"
    months = found["12m"]
    assert (months.since, months.until, months.before) == (
        dt.date(2025, 11, 1),
        dt.date(2026, 11, 1),
        dt.date(2024, 11, 1),
    )
    assert (found["2026"].name, found["2026"].until, found["2026"].before) == (
        "2026 so far",
        dt.date(2026, 12, 1),
        None,
    )
    assert (found["2016"].until, found["2016"].before, found["2015"].before) == (
        dt.date(2017, 1, 1),
        dt.date(2015, 1, 1),
        None,
    )
    assert (found["all"].since, found["all"].until) == (dt.date(2015, 1, 1), dt.date(2026, 12, 1))
    assert len(rules.starts("month", dt.date(2015, 1, 1), dt.date(2016, 1, 1))) == 12
    assert rules.starts("week", weeks.since, weeks.until)[-1] == dt.date(2026, 11, 16)
    assert rules.periods(dt.date(2026, 12, 31), None)["2026"].until == dt.date(2027, 1, 1)


def test_a_usual_range_needs_twenty_weeks_of_at_least_five() -> None:
    assert rules.usual([4] * 28) is None
    assert rules.usual([50] * 27) is None
    steady = [50, 54] * 14
    found = rules.usual(steady)
    assert found is not None
    # Mean 52, each change 4: limits 52 plus and minus 2.66 times 4.
    assert (found.mean, found.low, found.high) == (52, pytest.approx(41.36), pytest.approx(62.64))
    assert (found.outside, found.run_at) == ((), None)
    assert rules.usual_words(steady, found) == "Within its usual range"


def test_weeks_outside_and_runs_are_found_and_told() -> None:
    counts = [50, 54] * 10 + [50, 54, 50, 90, 50, 54, 20, 54]
    found = rules.usual(counts)
    assert found is not None
    assert found.outside == (23, 26)
    assert rules.usual_words(counts, found) == "53 a week lately, usually 52; 2 weeks outside the range"
    above = [50, 54] * 10 + [55] * 8
    found = rules.usual(above)
    assert found is not None
    assert (found.outside, found.run_at) == ((), 20)
    assert rules.usual_words(above, found) == "55 a week lately, usually 52; above average eight weeks running"
    assert rules.usual_words([1] * 28, None) == "Too few a week, or a season: no usual range"


def test_repeats_are_counted_most_often_first() -> None:
    assert rules.repeated(rules.numbers("7,3,7,9,3,7,3,3,1"), 3, 10) == (2, [(3, 4), (7, 3)])
    assert rules.repeated(rules.numbers("7,3,7,9,3,7,3,3,1"), 3, 1) == (2, [(3, 4)])
    assert rules.repeated(rules.numbers(""), 3, 10) == (0, [])


KNOWN = ("group", "district")


@pytest.mark.parametrize(
    ("by", "since", "until", "fields"),
    [
        ("group", None, None, []),
        (" group , district", "2026-01-01", "2026-02-01", []),
        ("color", None, None, ["by"]),
        ("", None, None, ["by"]),
        ("group,group", None, None, ["by"]),
        ("group", "1/2/2026", "yesterday", ["from", "to"]),
        ("group", "2026-02-30", None, ["from"]),
        ("group", "20260101", None, ["from"]),
        ("group", "2026-02-01", "2026-02-01", ["to"]),
        ("nothing", "x", "y", ["by", "from", "to"]),
    ],
)
def test_what_a_program_asks_wrongly_is_told_all_at_once(
    by: str, since: str | None, until: str | None, fields: list[str]
) -> None:
    problems = rules.level_problems(by, since, until, KNOWN)
    assert [problem.field for problem in problems] == fields
    assert all(problem.message.endswith(".") for problem in problems)


def test_the_best_share_comes_first_and_too_few_last() -> None:
    rows = [
        ("c", Counts(0, 0, 0, 9, 9)),
        ("b", Counts(0, 0, 0, 20, 10)),
        ("a", Counts(0, 0, 0, 20, 19)),
        ("d", Counts()),
    ]
    assert [code for code, _ in rules.best_first(rows, str)] == ["a", "b", "c", "d"]


def test_an_address_anyone_can_type_chooses_only_what_is_offered() -> None:
    assert rules.chosen("x'; DROP", ["13w", "4w"], "13w") == "13w"
    assert rules.chosen(None, ["13w"], "13w") == "13w"
    assert rules.chosen("4w", ["13w", "4w"], "13w") == "4w"


@given(st.sampled_from(["week", "month"]), st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 900))
def test_pieces_of_a_span_are_whole_in_the_middle_and_leave_nothing_out(grain: str, since: dt.date, days: int) -> None:
    until = since + dt.timedelta(days=days)
    found = rules.pieces(grain, since, until)
    spans = sorted([span for span in (*found.edges, (found.since, found.until)) if span[0] < span[1]])
    assert sum((end - start).days for start, end in spans) == days
    assert all(one[1] == other[0] for one, other in zip(spans, spans[1:], strict=False))
    if found.since < found.until:
        assert rules.floor(grain, found.since) == found.since
        assert rules.floor(grain, found.until) == found.until
    assert all((end - start).days < 32 for start, end in found.edges)
    starts = rules.starts(grain, since, until)
    assert len(starts) == len(set(starts))
    assert {edge[0] for edge in found.edges} <= set(starts)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "_",
        "2026-02-30_2026-03-01",
        "2026-03-02_2026-03-01",
        "x_y",
        "2026-03-01",
        "0001-01-01_9999-12-31",
        "13w'; --",
    ],
)
def test_days_of_an_address_that_are_none_make_no_period(code: str) -> None:
    assert rules.period_of(code) is None


def test_two_days_are_a_period_with_both_of_them_and_as_many_before() -> None:
    found = rules.period_of("2026-06-01_2026-08-15")
    assert found is not None
    assert (found.since, found.until, found.before) == (dt.date(2026, 6, 1), dt.date(2026, 8, 16), dt.date(2026, 3, 17))
    assert (found.grain, found.length, found.words) == ("week", "76 days", "Jun 1, 2026 to Aug 15, 2026")
    long = rules.period_of("2024-06-03_2026-08-15")
    assert long is not None
    assert long.grain == "month"
