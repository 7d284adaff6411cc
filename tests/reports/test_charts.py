"""The figures of the service levels: each is one that Plotly accepts, in both themes, with names that try to be more than text."""

from __future__ import annotations

import json

import pytest

from portal.desk import charts, service_charts
from portal.desk.service_charts import Area, Range, Share, Took, Waiting

LOOKS = (charts.palette(dark=False), charts.palette(dark=True))
NASTY = "<a href='javascript:x'>Ward & </a> with a name longer than any label may be"
SQUARE = (((-84.3, 30.4), (-84.2, 30.4), (-84.2, 30.5), (-84.3, 30.5)),)
ROWS = (
    Share("a", NASTY, "74%", "of 2,395", 0.74, 0.72, 0.76, 0.7, "70% of all 2,500"),
    Share("b", "Few", "(67%)", "of 12", 0.67, 0.4, 0.9, 0.6, "60% of all 13", careful=True),
    Share("c", "None", "not shown: fewer than 10", "n 3"),
)


def recipes(look: charts.Palette) -> dict[str, charts.Figure | None]:
    return {
        "shares": service_charts.shares(ROWS, goal=0.8, look=look),
        "shares chosen": service_charts.shares(ROWS, goal=None, chosen="b", look=look),
        "shares of nothing": service_charts.shares(ROWS[2:], goal=0.8, look=look),
        "backlog": service_charts.backlog([Waiting("0", "0–2 days", 3, 4, 1), Waiting("1", "3–7 days", 0, 0, 0)], chosen="0", look=look),
        "days": service_charts.days(
            [Took("Aug 24", 2.0, 14.0), Took("Aug 31", None, None), Took("Sep 7", 2.5, 9.0, settled=False, told="half"), Took("Sep 14", 0.01, 0.02)],
            half="2 days", ninety="9 days", look=look,
        ),
        "map": service_charts.district_map(
            [Area("a", NASTY, SQUARE, 0.91, "91%"), Area("b", "Old Town", SQUARE, None, "n 3"), Area("c", "X", SQUARE, 0.1, "10%")], chosen="b", look=look
        ),
        "weekly": service_charts.weekly([5, 0, 9, 7], ["a", "b", "c", "d"], Range(2, 5, 8, (2, 3), 1), look=look),
        "weekly of nothing": service_charts.weekly([0, 0, 0], ["a", "b", "c"], None, look=look),
        "spark": service_charts.spark([1, 2, None, 3, 3, 3, 4], look=look),
        "flat spark": service_charts.spark([1] * 7, look=look),
    }  # fmt: skip


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark"])
@pytest.mark.parametrize("name", list(recipes(LOOKS[0])))
def test_every_recipe_is_a_figure_that_plotly_accepts(name: str, look: charts.Palette) -> None:
    import plotly.graph_objects as go

    figure = recipes(look)[name]
    assert figure is not None
    assert json.loads(go.Figure(figure).to_json())["data"]
    assert "<a href" not in json.dumps(figure)


def test_with_nothing_to_draw_there_is_no_figure() -> None:
    look = LOOKS[0]
    assert service_charts.shares((), goal=None, look=look) is None
    assert service_charts.backlog([Waiting("0", "0–2 days", 0, 0, 0)], look=look) is None
    assert service_charts.days([Took("a", 1.0, 2.0)], half="", ninety="", look=look) is None
    assert service_charts.district_map((), look=look) is None
    assert service_charts.spark([1, 2, 3], look=look) is None


def test_marks_that_can_be_selected_carry_their_code() -> None:
    figures = recipes(LOOKS[0])
    for name, codes in (("shares", ["a", "b"]), ("backlog", ["0", "1"]), ("map", ["a", "b", "c"])):
        figure = figures[name]
        assert figure is not None
        assert [trace["customdata"] for trace in figure["data"] if "customdata" in trace][-1] == codes


def test_a_whole_interval_below_the_goal_has_a_shape_of_its_own() -> None:
    figure = service_charts.shares(ROWS, goal=0.8, look=LOOKS[0])
    assert figure is not None
    assert figure["data"][-1]["marker"]["symbol"] == ["triangle-down", "circle-open"]
