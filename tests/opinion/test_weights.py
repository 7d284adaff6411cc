"""Weighted estimates and what the weights cost, against figures published elsewhere and figures worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import core
from db import opinion as rows
from portal.opinion import commands, views
from portal.opinion.rules import estimate, words
from portal.opinion.rules.words import Tally
from tests.opinion import made

if TYPE_CHECKING:
    from pathlib import Path

    from db.core import Database

FIVE = {"satisfied": [4, 5], "dont_know": [9], "scale": [1, 5]}
RAKED = (
    (11, 50.3294), (132, 29.8707), (17, 36.7910), (8, 49.0691), (12, 39.8392), (3, 67.1255),
)  # fmt: skip
"""(schools, weight) by level and target met: the weights of the R package `survey` 4.1.1 after raking its cluster sample apiclus1."""


def weighed(counts: dict[float, tuple[int, float]]) -> dict[float, Tally]:
    """Answers by value, each with its number and the weight of one."""
    return {value: Tally(many, many * weight, many * weight * weight) for value, (many, weight) in counts.items()}


def test_the_effective_number_is_that_of_the_survey_package() -> None:
    """Kish's effective n 174.0112 and 1 + CV² 1.051657 of the raked weights, as R prints them."""
    weight, squares = sum(n * w for n, w in RAKED), sum(n * w * w for n, w in RAKED)
    assert estimate.effective(weight, squares) == pytest.approx(174.0112, abs=1e-3)
    figure = words.figure(weighed({4: RAKED[1], 1: (51, 1.0)}) | weighed({5: RAKED[0]}), FIVE, weighted=True)
    assert figure.answers == 194
    all_of_them = {float(at): Tally(n, n * w, n * w * w) for at, (n, w) in enumerate(RAKED)}
    whole = words.figure(all_of_them, {"satisfied": [4.0, 5.0]}, weighted=True)
    assert (whole.answers, round(whole.effective, 3), round(whole.design_effect, 6)) == (183, 174.011, 1.051656)


def test_a_weighted_mean_is_that_of_the_survey_package() -> None:
    """Mean 243.914 of ten rows (tests/deff.Rout.save of the R package `survey` 4.5)."""
    values = (
        15,
        143,
        21,
        51,
        337,
        50,
        274,
        145,
        15.5,
        86,
    )  # 15 stands there twice: told apart here, and put back in the sum
    weights = (20, 200, 11, 25, 550, 30, 250, 100, 10, 55)
    counts = {float(value): Tally(1, weight, weight * weight) for value, weight in zip(values, weights, strict=True)}
    figure = words.figure(counts, {"satisfied": [337]}, weighted=True)
    assert figure.mean - 0.5 * 10 / sum(weights) == pytest.approx(243.914, abs=5e-4)
    assert figure.share == pytest.approx(550 / 1251)
    assert figure.effective == pytest.approx(1251**2 / sum(weight * weight for weight in weights))


def test_a_figure_by_hand() -> None:
    """40 satisfied of weight 1 and 60 unsatisfied of weight 3: share 40/220; effective 220² / (40 + 540) = 83.45; deff 1.198."""
    figure = words.figure(weighed({5: (40, 1.0), 1: (60, 3.0), 9: (10, 2.0)}), FIVE, weighted=True)
    assert (figure.answers, figure.satisfied, figure.dont_know, figure.unweighted_share) == (100, 40, 10, 0.4)
    assert figure.share == pytest.approx(40 / 220)
    assert figure.effective == pytest.approx(220 * 220 / 580)
    assert figure.design_effect == pytest.approx(100 * 580 / 220 / 220)
    assert figure.interval == estimate.wilson(40 / 220 * (220 * 220 / 580), 220 * 220 / 580)
    assert figure.sureness_in_words() == "n 100, effective 83"
    plain = words.figure(weighed({5: (40, 1.0), 1: (60, 3.0)}), FIVE)
    assert (plain.share, plain.sureness_in_words()) == (0.4, "n 100")


@given(
    st.dictionaries(st.sampled_from([1.0, 2.0, 4.0, 5.0, 9.0]), st.integers(0, 300), min_size=1), st.floats(0.001, 1000)
)
def test_equal_weights_change_nothing(counts: dict[float, int], weight: float) -> None:
    plain = words.figure({value: words.unweighted(many) for value, many in counts.items()}, FIVE)
    same = words.figure(weighed({value: (many, weight) for value, many in counts.items()}), FIVE, weighted=True)
    assert (same.answers, same.seen) == (plain.answers, plain.seen)
    if plain.open:
        assert same.share == pytest.approx(plain.share)
        assert same.interval.low == pytest.approx(plain.interval.low, abs=1e-9)
        assert same.design_effect == pytest.approx(1)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60), st.floats(0.01, 500)), min_size=1, max_size=8))
def test_weights_only_ever_cost_precision(groups: list[tuple[bool, int, float]]) -> None:
    counts = {float(4 if good else 1) + at / 100: Tally(n, n * w, n * w * w) for at, (good, n, w) in enumerate(groups)}
    item = {"satisfied": [value for value in counts if value >= 4]}
    figure = words.figure(counts, item, weighted=True)
    assert 0 < figure.effective <= figure.answers
    assert 0 <= figure.interval.low <= figure.share + 1e-9
    assert figure.share - 1e-9 <= figure.interval.high <= 1
    plain = words.figure(counts, item)
    assert figure.open == plain.open  # who may be seen is decided by people, whatever they weigh


def test_heavy_weights_open_no_small_cell_and_ask_for_care() -> None:
    assert not words.figure(weighed({5: (9, 1000.0)}), FIVE, weighted=True).open
    lopsided = words.figure(weighed({5: (1, 1000.0), 1: (60, 1.0)}), FIVE, weighted=True)
    assert (lopsided.seen, lopsided.in_words()) == ("few", "(94%)")


def weighted(folder: Path) -> tuple[Path, Path]:
    """The resident survey with weights: in the second wave those of district D1 weigh 4, all others 1."""
    file, spec = made.resident(folder)
    spec.write_text(
        spec.read_text("utf-8").replace('mode_column = "mode"', 'mode_column = "mode"\nweight_column = "weight"'),
        "utf-8",
    )
    lines = file.read_text("utf-8").splitlines()
    lines[0] += ",weight"
    lines[1:] = [f"{line},{'4.0' if ',w2,' in line and ',D1,' in line else '1'}" for line in lines[1:]]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file, spec


def test_a_weighted_wave_is_told_by_weight_with_its_effective_number(db: Database, tmp_path: Path) -> None:
    files = weighted(tmp_path)
    assert commands.import_survey(*files).imported == 800
    board = views.board("resident", "w2")
    assert board is not None
    # Satisfied are the first 240 of 400; every fourth, 60 of them and 100 in all, is of D1 and weighs 4.
    snow = next(line for line in board.items if line.code == "snow")
    assert board.weighted
    assert snow.figure.share == pytest.approx((180 + 4 * 60) / (300 + 4 * 100))
    assert snow.figure.effective == pytest.approx(700**2 / (300 + 16 * 100))
    assert snow.figure.design_effect == pytest.approx(400 * 1900 / 700**2)
    assert snow.change is not None
    assert snow.change.clear
    assert "n 400, effective 258" in board.lead
    (precision,) = (line.answer for line in board.method if line.name == "Precision")
    assert "design effect 1.55 (Kish), so 400 answers are as sure as 258 unweighted ones" in precision
    district = views.board("resident", "w2", "D1")
    assert district is not None
    assert next(line for line in district.items if line.code == "snow").figure.effective == pytest.approx(100)
    assert commands.import_survey(*files).unchanged == 800
    with core.work() as work:  # counted anew from the answers: the same
        for wave in rows.waves(work.session):
            wave.counted = False
        work.event("test.uncounted", subject_kind="survey_wave", subject_id=0)
    assert views.board("resident", "w2") == board


def test_a_row_without_a_weight_is_left_out_by_name(db: Database, tmp_path: Path) -> None:
    file, spec = weighted(tmp_path)
    lines = file.read_text("utf-8").splitlines()
    for at, slip in enumerate(("", "0", "-1", "1e9", "NaN", "=2", "many"), 1):
        lines[at] = lines[at].rpartition(",")[0] + f",{slip}"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    outcome = commands.import_survey(file, spec)
    assert (outcome.imported, outcome.rejected) == (793, 7)
    assert outcome.rejects_file is not None
    told = (tmp_path / "resident.rejects.csv").read_text("utf-8")
    assert told.count("no weight above 0") == 7
    assert "'=2" in told


def test_a_weighted_wave_is_not_compared_with_an_unweighted_one() -> None:
    asked = {"comparable": "same", "mode": "mail", "population": "adults", "weighted": False}
    assert words.why_not_comparable(asked, asked | {"weighted": True}) == "only one of them is weighted"
    assert words.why_not_comparable(asked | {"weighted": True}, asked | {"weighted": True}) == ""


def test_a_missing_weight_column_is_named(db: Database, tmp_path: Path) -> None:
    file, spec = made.resident(tmp_path)
    spec.write_text(spec.read_text("utf-8").replace('mode_column = "mode"', 'weight_column = "wt"'), "utf-8")
    with pytest.raises(commands.BadFile, match="no column “wt”"):
        commands.import_survey(file, spec)
