"""The chart factory: every recipe is a figure Plotly accepts, no line crosses a break, nothing closed is in it, data stays text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.desk import charts, theme
from portal.desk.charts import Bar, Chart, Dot, Line, Moments, Point

LOOKS = [charts.palette(dark=False), charts.palette(dark=True)]
NASTY = '<img src=x onerror=alert(1)> & "quoted" $x^2$'
ROWS = [
    Dot("Solid waste", "56%", "n 953", 0.56, 0.53, 0.59, before=0.57, remark="no clear change"),
    Dot("Snow", "(64%)", "n 12", 0.64, 0.3, 0.9, before=0.4, remark="▲ 24 points", better=True, careful=True),
    Dot(NASTY, "not shown: fewer than 10"),
]
POINTS = (Point(0.6, 0.59, 0.61, "60%"), Point(0.62, 0.55, 0.69, "62%"), Point(0.74, 0.67, 0.8, "74%"))
WAVES = Moments(("2011", "2013", "2015"), ("n 5,898", "n 193", "n 185"), frozenset({1}), ((1.5, "Rates rose"),))


def recipes(look: charts.Palette) -> dict[str, Any]:
    line = Line("Place to live", POINTS)
    return {
        "dots": charts.dots(ROWS, before="2013", look=look),
        "series": charts.series([line], WAVES, look=look),
        "four lines": charts.series([Line(f"Line {at}", POINTS) for at in range(4)], WAVES, look=look),
        "band": charts.series([Line("Long", POINTS * 4)], Moments(tuple(map(str, range(12)))), look=look),
        "panel": charts.panel(Line("Ward 1", (*POINTS[:2], Point(None, value="held back"))), Line("City", POINTS, whole=True), WAVES, look=look),
        "bars": charts.bars([Bar(NASTY, (4, 22, 5), "31 calls")], ("for", "against", "mixed"), look=look),
    }  # fmt: skip


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark"])
@pytest.mark.parametrize("name", list(recipes(LOOKS[0])))
def test_every_recipe_is_a_figure_that_plotly_accepts(name: str, look: charts.Palette) -> None:
    """The pages skip Plotly's checking (the dear part of a chart); it happens here."""
    import plotly.graph_objects as go

    figure = recipes(look)[name]
    assert figure is not None
    go.Figure(figure)
    assert json.loads(go.Figure(figure).to_json())["data"]


def test_a_figure_goes_to_the_browser_as_it_was_built() -> None:
    from plotly.tools import return_figure_from_figure_or_data

    figure = recipes(LOOKS[0])["dots"]
    assert return_figure_from_figure_or_data(charts._drawn_class()(figure), validate_figure=True) is figure


@pytest.mark.parametrize("name", ["series", "panel"])
def test_no_line_crosses_a_break(name: str) -> None:
    for trace in recipes(LOOKS[0])[name]["data"]:
        if trace["mode"] == "lines" and trace["x"] == [0, None, 1, 2]:
            assert trace["y"][1] is None
            assert trace["connectgaps"] is False
            break
    else:
        pytest.fail("there is no line with a gap at the break")


def test_more_than_four_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="small multiples"):
        charts.series([Line(str(at), POINTS) for at in range(5)], WAVES, look=LOOKS[0])


def test_a_closed_row_is_words_and_no_mark() -> None:
    figure = recipes(LOOKS[0])["dots"]
    assert all(len(trace["x"]) == len(trace["y"]) for trace in figure["data"])
    assert len(figure["data"][2]["x"]) == 2
    assert any("fewer than 10" in note["text"] for note in figure["layout"]["annotations"])
    assert charts.dots([], look=LOOKS[0]) is None
    assert charts.series([Line("Closed", (Point(None),) * 3)], WAVES, look=LOOKS[0]) is None


@pytest.mark.parametrize("name", list(recipes(LOOKS[0])))
def test_data_is_never_markup_inside_a_figure(name: str) -> None:
    assert "<img" not in json.dumps(recipes(LOOKS[0])[name])


def test_nothing_forbidden_is_drawn_and_no_tool_bar_is_shown() -> None:
    for figure in recipes(LOOKS[0]).values():
        assert {trace["type"] for trace in figure["data"]} <= {"scatter", "bar"}
        assert "yaxis2" not in figure["layout"]
        assert figure["layout"]["showlegend"] is False
        assert figure["layout"]["xaxis"]["fixedrange"]
    assert charts.CONFIG["displayModeBar"] is False


def test_colors_are_those_of_the_desk() -> None:
    for look, colors in zip(LOOKS, (theme.LIGHT, theme.DARK), strict=True):
        assert look.main in theme.CHART_COLORS
        assert (look.ink, look.page) == (colors["textColor"], colors["backgroundColor"])


def test_the_csv_of_a_chart_runs_in_no_spreadsheet() -> None:
    chart = Chart("Title", "Measure", ("Name", "Value"), (("=1+1", "n<10"),))
    assert chart.csv == "Name,Value\r\n'=1+1,n<10\r\n"
