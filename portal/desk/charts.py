"""The one chart factory: each recipe answers with figure, sentence, table and files together, and `show` draws all of them.

Recipes build plain dictionaries: Plotly's own checking of a figure costs more than everything else on a page (12 ms for a chart of
twelve rows), so a test checks every recipe once instead. No gauges, pies, third dimension or second axis; colors tell nothing
that a shape or a word does not tell too; names stand at the marks, never in a legend; layouts hold at 390 px as at 1440.
"""

from __future__ import annotations

import functools
import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from portal.desk import lists, theme, who
from portal.desk.text import inert
from portal.shared import table_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Figure = dict[str, Any]

FONT: Final = '"Source Sans", "Source Sans 3", system-ui, sans-serif'
"""The face Streamlit ships: charts and page match without a download."""
CONFIG: Final = {
    "displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False, "responsive": True,
}  # fmt: skip
MOST_LINES: Final = 4
"""More lines in one figure cannot be followed: draw small multiples (`panel`)."""
WHISKERS_UP_TO: Final = 8
"""Points; a longer line has its interval as a band."""
LONGEST_NAME: Final = 36
"""Characters of a label inside a figure: more would meet the values at 390 px."""


@dataclass(frozen=True)
class Palette:
    """The colors of a figure, taken from the desk's theme."""

    page: str
    ink: str
    muted: str
    grid: str
    main: str
    attention: str
    attention_text: str
    better_text: str


def palette(*, dark: bool) -> Palette:
    """The light or the dark twin of every color."""
    colors = theme.DARK if dark else theme.LIGHT
    blue, vermilion, _, _, orange, sky = theme.CHART_COLORS
    return Palette(
        page=colors["backgroundColor"],
        ink=colors["textColor"],
        muted=colors["grayTextColor"],
        grid=colors["grayBackgroundColor"],
        main=sky if dark else blue,
        attention=orange if dark else vermilion,
        attention_text=colors["orangeTextColor"],
        better_text=colors["greenTextColor"],
    )


def palette_now() -> Palette:
    """The palette of the theme this page is shown in."""
    return palette(dark=st.context.theme.type == "dark")


@dataclass(frozen=True)
class Chart:
    """A finding: its sentence, how it was measured, the figure (None when there is nothing to draw), the table behind it."""

    title: str
    """The finding in a sentence, written from the numbers."""
    measure: str
    """What is measured, of whom, when, and how to read the marks."""
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    """What the table and the files hold: closed figures stand there as words, never as numbers."""
    figure: Figure | None = None
    note: str = ""
    file_name: str = "table.csv"

    @functools.cached_property
    def csv(self) -> str:
        """The table as CSV that no spreadsheet runs."""
        return table_file.csv_text(self.columns, self.rows)


@functools.cache
def _drawn_class() -> Any:
    from plotly.basedatatypes import BaseFigure

    class Drawn(BaseFigure):
        """A figure that was built right: hands its dictionary over without Plotly's checking."""

        def __init__(self, figure: Figure) -> None:
            self._figure = figure

        def to_dict(self) -> Figure:
            return self._figure

    return Drawn


def draw(figure: Figure, *, key: str, alt: str) -> None:
    """A figure alone, for a row of small ones whose sentence and table stand beside them."""
    st.plotly_chart(_drawn_class()(figure), theme=None, config=dict(CONFIG), key=key, alt=alt)


def pick(figure: Figure, *, key: str, alt: str, on_pick: Callable[[str], None]) -> None:
    """A figure whose marks can be selected: `on_pick` gets the `customdata` of the mark, in the click's callback.

    The key must hold whatever the click changes: else the old selection stays in the browser, and the same mark cannot be
    selected a second time.
    """

    def picked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            code = points[0].get("customdata")
            on_pick(str(code[0] if isinstance(code, list) else code))

    st.plotly_chart(
        _drawn_class()(figure),
        theme=None,
        config=dict(CONFIG),
        key=key,
        alt=alt,
        on_select=picked,
        selection_mode="points",
    )


@who.fragment
def show(chart: Chart, *, key: str) -> None:
    """Sentence, measure, figure, and the table in an expander that is filled when it is opened."""
    head(chart)
    if chart.figure is not None:
        draw(chart.figure, key=f"{key}.figure", alt=chart.title)
    foot(chart, key=key)


def head(chart: Chart) -> None:
    """The sentence and what is measured."""
    st.subheader(inert(chart.title), anchor=False)
    if chart.measure:
        st.caption(inert(chart.measure))


def foot(chart: Chart, *, key: str) -> None:
    """The note, the table and its files."""
    if chart.note:
        st.caption(inert(chart.note))
    with st.expander("Table and files", key=f"{key}.table", type="compact", on_change="rerun") as box:
        if not box.open:
            return
        lists.table(lists.shown(chart.rows, chart.columns), key=f"{key}.rows", alt=f"Table: {chart.title}")
        lists.export(
            chart.columns, lambda: chart.rows, total=len(chart.rows), file_name=chart.file_name, key=f"{key}.file"
        )


# --- parts of every figure --------------------------------------------------------------------------------------------


def plain(text: str, longest: int = LONGEST_NAME) -> str:
    """Data as a label inside a figure: Plotly reads tags, so they are taken apart; long names are cut."""
    shown = " ".join(text.split())
    return html.escape(shown if len(shown) <= longest else shown[: longest - 1].rstrip() + "…", quote=False)


def layout(look: Palette, height: int, **more: Any) -> Figure:
    return {
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 14, "color": look.ink},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "separators": ".,",
        "hoverlabel": {
            "bgcolor": look.ink, "bordercolor": look.ink, "align": "left",
            "font": {"family": FONT, "size": 13, "color": look.page},
        },
        **more,
    }  # fmt: skip


def axis(look: Palette, **more: Any) -> Figure:
    return {
        "showgrid": False, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True, "automargin": False,
        "tickangle": 0, "gridcolor": look.grid, "gridwidth": 1, "tickfont": {"size": 13, "color": look.muted}, **more,
    }  # fmt: skip


def percent_axis(look: Palette, ticks: Sequence[float] = (0, 0.25, 0.5, 0.75, 1), **more: Any) -> Figure:
    """0 to 100 %, always whole: an axis that changes between filters tells a different story each time."""
    labels = [f"{round(tick * 100)}%" for tick in ticks]
    return axis(look, range=[-0.01, 1.01], tickvals=list(ticks), ticktext=labels, showgrid=True, **more)


def annotation(look: Palette, text: str, **where: Any) -> Figure:
    return {"text": text, "showarrow": False, "font": {"size": 13.5, "color": look.ink}, "align": "left", **where}


def rule(look: Palette, at: float, color: str) -> Figure:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
        "line": {"color": color, "width": 2, "dash": "dot"},
    }  # fmt: skip


# --- shares with their intervals, ranked ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dot:
    """One row: a share with its interval, or the reason why it is not shown."""

    name: str
    value: str
    """In words: “74%”, “(67%)”, “not shown: fewer than 10”."""
    size: str = ""
    share: float | None = None
    low: float = 0.0
    high: float = 0.0
    before: float | None = None
    remark: str = ""
    better: bool | None = None
    """Whether the remark is a clear change for the better or the worse; None is no verdict."""
    careful: bool = False
    """Fewer than thirty answers: an open circle."""


ROW_PIXELS: Final = 48


def dots(rows: Sequence[Dot], *, before: str = "", look: Palette | None = None) -> Figure | None:
    """Shares from 0 to 100 % with 95 % intervals, one row each, names above, values at the right; a tick for the wave `before`."""
    look = look or palette_now()
    shown = [(-at, row) for at, row in enumerate(rows) if row.share is not None]
    if not rows:
        return None
    bars_x: list[float | None] = []
    bars_y: list[float | None] = []
    for y, row in shown:
        bars_x += [row.low, row.high, None]
        bars_y += [y, y, None]
    ticks = [(y, row.before) for y, row in shown if row.before is not None]
    traces: list[Figure] = [
        {
            "type": "scatter", "mode": "lines", "x": bars_x, "y": bars_y, "hoverinfo": "skip",
            "line": {"color": look.main, "width": 8}, "opacity": 0.3,
        },
        {
            "type": "scatter", "mode": "markers", "x": [x for _, x in ticks], "y": [y for y, _ in ticks], "cliponaxis": False,
            "marker": {"symbol": "line-ns", "size": 15, "line": {"color": look.muted, "width": 2}},
            "hovertemplate": f"{plain(before)}: %{{x:.0%}}<extra></extra>",
        },
        {
            "type": "scatter", "mode": "markers", "x": [row.share for _, row in shown], "y": [y for y, _ in shown],
            "cliponaxis": False,
            "marker": {
                "size": 11, "color": look.main, "symbol": ["circle-open" if row.careful else "circle" for _, row in shown],
                "line": {"color": [look.main if row.careful else look.page for _, row in shown], "width": 1.5},
            },
            "text": [
                f"<b>{plain(row.name, 90)}</b><br>{plain(row.value)} {plain(row.size)}<br>"
                f"95% interval {round(row.low * 100)}% to {round(row.high * 100)}%"
                for _, row in shown
            ],
            "hovertemplate": "%{text}<extra></extra>",
        },
    ]  # fmt: skip
    notes = []
    for at, row in enumerate(rows):
        beside = {"xref": "paper", "yref": "y", "y": -at}
        notes.append(
            annotation(look, plain(row.name), **beside, x=0, xanchor="left", yanchor="bottom", xshift=-12, yshift=8)
        )
        color = {True: look.better_text, False: look.attention_text, None: look.muted}[row.better]
        value = f"<b>{plain(row.value)}</b> {plain(row.size)}" if row.share is not None else plain(row.value)
        remark = f'<br><span style="color:{color}">{plain(row.remark)}</span>' if row.remark else ""
        if row.share is None:  # words instead of a mark, where the mark would be
            notes.append(
                annotation(look, f"<i>{value}</i>", **beside, x=0, xanchor="left", yanchor="middle", xshift=-12)
            )
        else:
            notes.append(
                annotation(look, value + remark, **beside, x=1, xanchor="left", yanchor="middle", xshift=12, yshift=2)
            )
    return {
        "data": traces if shown else traces[2:],
        "layout": layout(
            look,
            len(rows) * ROW_PIXELS + 46,
            margin={"l": 14, "r": 118, "t": 8, "b": 30},
            xaxis=percent_axis(look),
            yaxis=axis(look, range=[-len(rows) + 0.35, 0.75], showticklabels=False),
            annotations=notes,
        ),
    }


# --- lines over time --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """One moment of a line: a share with its interval, or None where nothing may be shown."""

    share: float | None
    low: float = 0.0
    high: float = 0.0
    value: str = ""
    careful: bool = False


@dataclass(frozen=True)
class Line:
    """A named line; `whole` is the line others are held against (the whole city), drawn in gray."""

    name: str
    points: tuple[Point, ...]
    whole: bool = False


@dataclass(frozen=True)
class Moments:
    """What all lines of a figure share: the moments, what is told under each, where nothing may be joined, what happened."""

    names: tuple[str, ...]
    under: tuple[str, ...] = ()
    breaks: frozenset[int] = frozenset()
    """Positions of moments that must not be joined to the one before: the sample or the way of asking changed."""
    events: tuple[tuple[float, str], ...] = field(default=())
    """(position, name) of what happened between moments: a rate change, a storm."""


_SHAPES: Final = ("circle", "square", "diamond", "triangle-up")


def series(lines: Sequence[Line], moments: Moments, *, look: Palette | None = None, height: int = 300) -> Figure | None:
    """Up to four lines from 0 to 100 % with intervals, named at their ends; never a line across a break.

    ValueError with more than four lines: draw a `panel` for each.
    """
    look = look or palette_now()
    if len(lines) > MOST_LINES:
        raise ValueError(f"{len(lines)} lines cannot be followed in one figure: draw small multiples")
    traces = _line_traces(lines, moments, look)
    if not traces:
        return None
    notes = [
        annotation(
            look,
            "≠",
            xref="x",
            yref="paper",
            x=at - 0.5,
            y=1,
            yanchor="bottom",
            font={"size": 17, "color": look.attention_text},
        )
        for at in sorted(moments.breaks)
    ]
    notes += [
        annotation(
            look,
            plain(name, 24),
            xref="x",
            yref="paper",
            x=at,
            y=1,
            yanchor="bottom",
            font={"size": 12.5, "color": look.muted},
        )
        for at, name in moments.events
    ]
    under = moments.under or ("",) * len(moments.names)
    labels = [
        f"<b>{plain(name, 18)}</b>" + (f"<br>{plain(text, 22)}" if text else "")
        for name, text in zip(moments.names, under, strict=True)
    ]
    return {
        "data": traces,
        "layout": layout(
            look,
            height,
            margin={"l": 44, "r": 24 if len(lines) == 1 else 110, "t": 26, "b": 46},
            xaxis=axis(
                look,
                range=[-0.6, len(moments.names) - 0.4],
                tickvals=list(range(len(labels))),
                ticktext=labels,
                tickfont={"size": 13, "color": look.ink},
            ),
            yaxis=percent_axis(look),
            shapes=[rule(look, at - 0.5, look.attention) for at in sorted(moments.breaks)]
            + [rule(look, at, look.muted) for at, _ in moments.events],
            annotations=notes,
        ),
    }


def panel(line: Line, whole: Line, moments: Moments, *, look: Palette | None = None) -> Figure | None:
    """One of many small figures on the same axes: a part, and the whole in gray behind it."""
    look = look or palette_now()
    traces = _line_traces([whole, line], moments, look, small=True)
    if not traces:
        return None
    last = len(moments.names) - 1
    return {
        "data": traces,
        "layout": layout(
            look,
            132,
            margin={"l": 36, "r": 44, "t": 10, "b": 22},
            xaxis=axis(
                look,
                range=[-0.35, last + 0.35],
                tickvals=sorted({0, last}),
                ticktext=[plain(moments.names[at], 12) for at in sorted({0, last})],
                tickfont={"size": 12, "color": look.muted},
            ),
            yaxis=percent_axis(look, (0, 0.5, 1), tickfont={"size": 12, "color": look.muted}),
            shapes=[rule(look, at - 0.5, look.attention) for at in sorted(moments.breaks)],
        ),
    }


def _line_traces(lines: Sequence[Line], moments: Moments, look: Palette, *, small: bool = False) -> list[Figure]:
    colors = {"main": look.main, "others": [look.main, look.attention, look.better_text, look.ink]}
    traces: list[Figure] = []
    place = 0
    for line in lines:
        color = look.muted if line.whole else colors["others"][place]
        shape = "circle" if line.whole else _SHAPES[place]
        place += not line.whole
        shown = [(at, point) for at, point in enumerate(line.points) if point.share is not None]
        if not shown:
            continue
        if not line.whole:
            traces.append(_interval_trace(line, moments, color))
        joined_x: list[float | None] = []
        joined_y: list[float | None] = []
        for at, point in enumerate(line.points):
            if at in moments.breaks:
                joined_x.append(None)
                joined_y.append(None)
            joined_x.append(at)
            joined_y.append(point.share)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": joined_x,
                "y": joined_y,
                "connectgaps": False,
                "hoverinfo": "skip",
                "line": {"color": color, "width": 1.5 if line.whole else 2.2},
            }
        )
        if line.whole and small:
            continue
        ends = len(lines) > 1 and not small
        text = [
            f"<b>{plain(point.value)}</b>" + (f" {plain(line.name, 16)}" if ends and at == shown[-1][0] else "")
            if not (ends or small) or at == shown[-1][0]
            else ""
            for at, point in shown
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": [at for at, _ in shown],
                "y": [point.share for _, point in shown],
                "text": text,
                "textposition": [_beside(at, line, moments) for at, _ in shown],
                "textfont": {"size": 13.5, "color": look.ink},
                "cliponaxis": False,
                "marker": {
                    "size": 9 if small else 11,
                    "color": color,
                    "symbol": [f"{shape}-open" if point.careful else shape for _, point in shown],
                    "line": {"color": [color if point.careful else look.page for _, point in shown], "width": 1.5},
                },
                "customdata": [
                    f"<b>{plain(line.name)}</b>, {plain(moments.names[at])}<br>{plain(point.value)}, 95% interval "
                    f"{round(point.low * 100)}% to {round(point.high * 100)}%"
                    for at, point in shown
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )
    return traces


def _beside(at: int, line: Line, moments: Moments) -> str:
    """Where a value stands so that the line does not run through it: at the side that is not joined, else above."""
    points = line.points
    left = at > 0 and points[at - 1].share is not None and at not in moments.breaks
    right = at + 1 < len(points) and points[at + 1].share is not None and at + 1 not in moments.breaks
    if not right:
        return "middle right"
    return "top center" if left else "middle left"


def _interval_trace(line: Line, moments: Moments, color: str) -> Figure:
    """Whiskers for a few points, a band for many; the band is broken where the line is."""
    runs: list[list[int]] = [[]]
    for at, point in enumerate(line.points):
        if at in moments.breaks or point.share is None:
            runs.append([])
        if point.share is not None:
            runs[-1].append(at)
    x: list[float | None] = []
    y: list[float | None] = []
    if len(line.points) <= WHISKERS_UP_TO:
        for at in (at for run in runs for at in run):
            x += [at, at, None]
            y += [line.points[at].low, line.points[at].high, None]
        return {
            "type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "opacity": 0.3,
            "line": {"color": color, "width": 9},
        }  # fmt: skip
    for run in (run for run in runs if run):
        x += [*run, *reversed(run), None]
        y += [*(line.points[at].high for at in run), *(line.points[at].low for at in reversed(run)), None]
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "opacity": 0.2, "fill": "toself",
        "fillcolor": color, "line": {"width": 0, "color": color},
    }  # fmt: skip


# --- counts in parts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bar:
    """One row of counts: what it is, its parts in the order of `bars`' names, and what is told at the right."""

    name: str
    parts: tuple[int, ...]
    value: str


def bars(rows: Sequence[Bar], names: Sequence[str], *, look: Palette | None = None) -> Figure | None:
    """Counts split into up to three parts (plain, hatched, hollow), one row each; every number is written, so there is no axis."""
    look = look or palette_now()
    if not rows:
        return None
    styles: Sequence[Mapping[str, Any]] = (
        {"color": look.main},
        {
            "color": look.main,
            "pattern": {"shape": "/", "fillmode": "overlay", "fgcolor": look.page, "fgopacity": 0.9, "size": 6},
        },
        {"color": look.grid, "line": {"color": look.muted, "width": 1}},
    )
    positions = [-at for at in range(len(rows))]
    traces = [
        {
            "type": "bar", "orientation": "h", "y": positions, "x": [row.parts[part] for row in rows], "width": 0.36,
            "marker": dict(style),
            "customdata": [f"<b>{plain(row.name, 90)}</b><br>{plain(name)}: {row.parts[part]:,}" for row in rows],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        for part, (name, style) in enumerate(zip(names, styles, strict=False))
    ]  # fmt: skip
    notes = []
    for at, row in enumerate(rows):
        beside = {"yref": "y", "y": -at, "yanchor": "bottom", "yshift": 10, "xref": "paper"}
        notes.append(annotation(look, plain(row.name), **beside, x=0, xanchor="left"))
        notes.append(
            annotation(look, plain(row.value), **beside, x=1, xanchor="right", font={"size": 13, "color": look.muted})
        )
    return {
        "data": traces,
        "layout": layout(
            look,
            len(rows) * 52 + 14,
            margin={"l": 2, "r": 2, "t": 6, "b": 2},
            barmode="stack",
            xaxis=axis(look, showticklabels=False, rangemode="tozero"),
            yaxis=axis(look, range=[-len(rows) + 0.6, 0.75], showticklabels=False),
            annotations=notes,
        ),
    }
