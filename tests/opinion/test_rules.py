"""Intervals and tests against published figures, closed cells against subtraction, descriptions with every kind of mistake."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.opinion.rules import closed, estimate, spec, words
from portal.shared.csv_rows import BadFile
from tests.opinion.made import HAPPINESS, WAVES

# --- intervals and tests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("satisfied", "answers", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_of_newcombe_1998(satisfied: int, answers: int, low: float, high: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3."""
    found = estimate.wilson(satisfied, answers)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
        ((0, 29), (5, 56), -0.0381, 0.1926),
    ],
)
def test_the_interval_of_a_change_is_that_of_newcombe_1998(
    before: tuple[int, int], after: tuple[int, int], low: float, high: float
) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10."""
    found = estimate.difference(before, after)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_turns_with_it(counts: tuple[int, int]) -> None:
    satisfied, answers = counts
    found = estimate.wilson(satisfied, answers)
    assert 0 <= found.low <= satisfied / answers <= found.high <= 1
    mirror = estimate.wilson(answers - satisfied, answers)
    assert math.isclose(found.low, 1 - mirror.high, abs_tol=1e-12)


def test_a_share_of_nobody_has_no_interval() -> None:
    with pytest.raises(ValueError, match="not a share"):
        estimate.wilson(0, 0)


def test_benjamini_and_hochbergs_own_example_keeps_four_of_fifteen() -> None:
    """JRSS B 57 (1995) 289, section 3.2: fifteen tests of a heart study; four are kept at 5 %, three by Bonferroni."""
    chances = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    assert sum(chance <= 0.05 for chance in estimate.adjusted(chances)) == 4
    assert estimate.adjusted(list(reversed(chances))) == list(reversed(estimate.adjusted(chances)))


@given(st.lists(st.floats(0, 1), max_size=30))
def test_adjusted_chances_never_fall_and_keep_their_order(chances: list[float]) -> None:
    found = estimate.adjusted(chances)
    assert all(one >= other - 1e-12 for one, other in zip(found, chances, strict=True))
    pairs = sorted(zip(chances, found, strict=True))
    assert [after for _, after in pairs] == pytest.approx(sorted(found))


def test_fishers_tea_is_fishers_own_figure() -> None:
    """R. A. Fisher, The Design of Experiments (1935), chapter II: 3 of 4 cups told right, two-sided 34/70."""
    assert math.isclose(estimate.change_p((1, 4), (3, 4)), 34 / 70, rel_tol=1e-9)


def test_chi_square_has_the_quantiles_of_the_tables() -> None:
    """Abramowitz and Stegun, table 26.8: 5 % points for 1, 4, 5 and 6 degrees of freedom."""
    for statistic, freedom in ((3.84146, 1), (9.48773, 4), (11.0705, 5), (12.5916, 6)):
        assert math.isclose(estimate.chi_square_above(statistic, freedom), 0.05, rel_tol=1e-4)


def test_two_groups_give_the_same_chance_by_both_tests() -> None:
    """Chi-square of two groups is the square of the pooled z."""
    one, other = (120, 400), (150, 410)
    assert math.isclose(estimate.equal_shares_p([one, other]), estimate.change_p(one, other), rel_tol=1e-9)
    assert estimate.equal_shares_p([one]) == 1.0
    assert estimate.equal_shares_p([(10, 10), (20, 20)]) == 1.0


# --- closed cells -----------------------------------------------------------------------------------------------------

ROWS = st.dictionaries(st.text("abcdefgh", max_size=2), st.integers(0, 60), max_size=9)


@given(ROWS)
def test_no_small_cell_is_shown_and_none_can_be_found_by_subtraction(answers: dict[str, int]) -> None:
    seen = closed.row_seen(answers)
    for group, how in seen.items():
        if how in closed.OPEN:
            assert answers[group] >= closed.SMALLEST
    away = [group for group, how in seen.items() if how in ("closed", "held_back")]
    if not away:
        return
    # All that taking the shown cells from the total can tell is what the closed ones hold together.
    together = sum(answers[group] for group in away)
    everything = sum(answers.values())
    if together < everything:
        assert len(away) >= 2
        assert together >= closed.SMALLEST


@given(ROWS)
def test_nothing_is_held_back_without_need(answers: dict[str, int]) -> None:
    seen = closed.row_seen(answers)
    small = [group for group, count in answers.items() if 0 < count < closed.SMALLEST]
    held = [group for group, how in seen.items() if how == "held_back"]
    if not small:
        assert not held
    # One fewer held back would leave a single closed cell, or closed ones of fewer than ten answers together.
    if held:
        largest = max(held, key=lambda group: answers[group])
        rest = [*small, *(group for group in held if group != largest)]
        assert len(rest) < 2 or sum(answers[group] for group in rest) < closed.SMALLEST


def test_cells_by_size() -> None:
    assert [closed.size_seen(count) for count in (0, 1, 9, 10, 29, 30)] == [
        "none",
        "closed",
        "closed",
        "few",
        "few",
        "shown",
    ]
    assert closed.row_seen({"1": 200, "2": 9, "3": 40}) == {"1": "shown", "2": "closed", "3": "held_back"}


# --- figures, changes, sentences --------------------------------------------------------------------------------------


def counted(answers: dict[float, int], item: dict[str, Any]) -> words.Figure:
    """The figure of so many answers, each counting as one."""
    return words.figure({value: words.unweighted(count) for value, count in answers.items()}, item)


FIVE = {"satisfied": [4, 5], "dont_know": [9], "scale": [1, 5]}


def test_a_figure_keeps_dont_know_apart() -> None:
    found = counted({1: 10, 4: 20, 5: 20, 9: 50}, FIVE)
    assert (found.answers, found.satisfied, found.dont_know, found.share, found.mean) == (50, 40, 50, 0.8, 3.8)
    assert found.in_words() == "80%"
    assert counted({4: 9}, FIVE).in_words() == "not shown: fewer than 10"
    assert counted({4: 6, 1: 6}, FIVE).in_words() == "(50%)"
    assert counted({9: 40}, FIVE).in_words() == "no answers"


def pair(before: int, after: int, answers: int = 400) -> tuple[words.Figure, words.Figure]:
    return counted({4: before, 1: answers - before}, FIVE), counted({4: after, 1: answers - after}, FIVE)


def test_a_change_is_said_plainly() -> None:
    found = words.changes(
        {"up": pair(160, 240), "down": pair(240, 160), "same": pair(200, 204), "none": pair(200, 200)}
    )
    assert found["up"].in_words() == "Up 20 points, more than chance"
    assert found["down"].in_words() == "Down 20 points, more than chance"
    assert found["same"].in_words() == "Up 1 point: not distinguishable from chance"
    assert found["none"].in_words() == "Unchanged: not distinguishable from chance"
    assert (found["up"].short(), found["same"].short()) == ("▲ 20 points", "no clear change")


def test_many_questions_make_one_lucky_change_no_news() -> None:
    """p = .024 alone; among twenty questions one such is expected by chance."""
    lucky = pair(180, 212)
    assert words.changes({"a": lucky})["a"].clear
    many = {"a": lucky} | {f"q{at}": pair(200, 200) for at in range(19)}
    assert not words.changes(many)["a"].clear


def test_a_closed_side_gives_no_verdict() -> None:
    assert words.changes({"a": (counted({4: 5}, FIVE), counted({4: 300}, FIVE))}) == {}


def test_waves_are_joined_only_when_asked_alike() -> None:
    letter = {"comparable": "", "mode": "letter", "population": "adults"}
    assert words.why_not_comparable(letter, letter) == ""
    assert words.why_not_comparable(letter, letter | {"mode": "web"}) == "the way of asking changed"
    assert "whom it was asked of" in words.why_not_comparable(letter, letter | {"population": "customers"})
    assert words.why_not_comparable(letter | {"comparable": "a"}, letter | {"comparable": "b"})
    assert words.why_not_comparable(letter | {"comparable": "a"}, letter)
    assert not words.why_not_comparable(letter | {"comparable": "a"}, letter | {"comparable": "a", "mode": "web"})


# --- descriptions -----------------------------------------------------------------------------------------------------


def described(change: str = "", to: str = "") -> spec.Spec:
    return spec.read_spec(tomllib.loads((HAPPINESS + WAVES).replace(change, to, 1)))


def test_a_description_is_read() -> None:
    found = described()
    assert [wave.code for wave in found.waves] == ["2011", "2013", "2015"]
    assert found.columns() == ["ID", "Year", "Ward", "Place", "Happy"]
    assert found.items[0].scale.holds(7.5)
    assert not found.items[0].scale.holds(7.25)


@pytest.mark.parametrize(
    ("change", "to", "sentence"),
    [
        ('respondent_column = "ID"', "", "respondent_column must be given"),
        ('wave_column = "Year"', "", "the file needs wave_column"),
        ('wave_column = "Year"', 'wave_colum = "Year"', "there is no key “wave_colum”"),
        ("satisfied = [8, 8.5, 9, 9.5, 10]", "satisfied = [8, 11]", "satisfied holds 11"),
        ("satisfied = [8, 8.5, 9, 9.5, 10]", "", "satisfied must say"),
        ("satisfied = [8, 8.5, 9, 9.5, 10]", 'satisfied = "8-10"', "must be a list of numbers"),
        ("step = 0.5", "step = 0.3", "step must be 1 or 0.5"),
        ("high = 10", "high = 1", "low must be below high"),
        ("step = 0.5", "step = 0.5\ndont_know = [9]", "9 cannot mean “don't know”"),
        ('scale = "ten"', 'scale = "eleven"', "scale must name one of the scales of the file (ten)"),
        ('code = "happy"', 'code = "place"', "The item “place” is there twice"),
        ('code = "happy"', 'code = "Happy Now"', "small letters"),
        ("asked_from_on = 2011-03-01", 'asked_from_on = "in March"', "must be a day"),
        ("asked_from_on = 2011-03-01", "asked_from_on = 2012-03-01", "before asked_from_on"),
        ('asked_by = "The city"', 'asked_of = "x"', "there is no key “asked_of”"),
        ('blank = ["", "NA"]', "blank = 9", "blank must be a list"),
    ],
)
def test_each_mistake_of_a_description_has_its_sentence(change: str, to: str, sentence: str) -> None:
    with pytest.raises(BadFile) as caught:
        described(change, to)
    assert sentence in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(BadFile) as caught:
        spec.read_spec({"survey": 3, "wave": "x", "item": [{}], "scale": {"a": 1}})
    assert len(caught.value.problems) > 5


def answers(**cells: str) -> tuple[spec.Answers | None, list[spec.Left]]:
    return spec.read_answers(described(), {"ID": "7", "Year": "2013", "Ward": "2", "Place": "", "Happy": "", **cells})


@pytest.mark.parametrize(
    "value", ["99", "810", "0", "-1", "10.5", "7.25", "1e3", "seven", "٩٩٩", "nan", "=1+1", " 42 "]
)
def test_an_answer_off_its_scale_is_left_out_by_name_and_the_others_count(value: str) -> None:
    found, left = answers(Happy=value, Place="8.5")
    assert found is not None
    assert found.given == {"place": 8.5}
    assert [(each.column, each.value) for each in left] == [("Happy", value.strip())]
    assert "“Happy right now”" in left[0].reason
    assert "1 to 10 in steps of 0.5" in left[0].reason


def test_blank_is_no_answer_and_an_unknown_ward_is_left_out() -> None:
    found, left = answers(Happy="NA", Place=" 7 ", Ward="12")
    assert found is not None
    assert (found.given, found.district) == ({"place": 7.0}, "")
    assert [each.column for each in left] == ["Ward"]


def test_a_row_without_number_or_wave_is_left_out_whole() -> None:
    assert answers(ID=" ")[0] is None
    found, left = answers(Year="2012")
    assert found is None
    assert "2011, 2013, 2015" in left[0].reason


def test_words_may_stand_for_points_and_comments_never_hold_card_numbers() -> None:
    detail = tomllib.loads(HAPPINESS + WAVES + '\n[[comment]]\ncolumn = "Note"\n')
    detail["scale"]["ten"]["labels"] = {"Very": 10}
    read = spec.read_spec(detail)
    row = {"ID": "7", "Year": "2013", "Ward": "", "Place": "Very", "Happy": "", "Note": "line one\nline two"}
    found, left = spec.read_answers(read, row)
    assert found is not None
    assert (found.given, found.comment, left) == ({"place": 10.0}, "line one line two", [])
    found, left = spec.read_answers(read, row | {"Note": "my card is 4111 1111 1111 1111"})
    assert found is not None
    assert found.comment == ""
    assert left[0].value == "(not repeated here)"
