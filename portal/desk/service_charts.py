"""Figures of the service levels: shares against a goal, backlog by age, days to close, districts on a map, weekly counts.

Plain dictionaries as in `portal.desk.charts`; marks that can be selected carry their code as `customdata`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from portal.desk.charts import annotation, axis, layout, palette_now, percent_axis, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.desk.charts import Figure, Palette

ROW_PIXELS: Final = 50
FADED: Final = 0.3
UNSEEN: Final = 0.01
"""Opacity of a mark that is only there to be pointed at."""
CLASSES: Final = (0.6, 0.7, 0.8, 0.9)
"""Bounds of the map's five classes, the same under all filters."""
CLASS_NAMES: Final = ("under 60%", "60–69", "70–79", "80–89", "90% +")
MAP_LIGHT: Final = ("#DCEAF4", "#A9CDE6", "#62A8D3", "#1F7DB8", "#084C7D")
MAP_DARK: Final = ("#17324A", "#1E5078", "#2F79AE", "#56A5DA", "#A9D6F5")


@dataclass(frozen=True)
class Share:
    """One row: of the closed ones on time, with its interval; `of_all` is the share of all with a due time."""

    code: str
    name: str
    value: str
    size: str = ""
    share: float | None = None
    low: float = 0.0
    high: float = 0.0
    of_all: float | None = None
    remark: str = ""
    careful: bool = False


def shares(
    rows: Sequence[Share], *, goal: float | None, chosen: str = "", look: Palette | None = None
) -> Figure | None:
    """Shares from 0 to 100 %, names above, values at the right. ● share of the closed, │ share of all with a due time; ▼ when
    the whole interval is below the goal, ○ when there are few. The chosen row stays strong, the others fade."""
    look = look or palette_now()
    shown = [(-at, row) for at, row in enumerate(rows) if row.share is not None]
    if not rows:
        return None

    def strength(row: Share) -> float:
        return 1.0 if not chosen or row.code == chosen else FADED

    def below(row: Share) -> bool:
        return goal is not None and row.high < goal and not row.careful

    def symbol(row: Share) -> str:
        return "circle-open" if row.careful else "triangle-down" if below(row) else "circle"

    colors = [look.attention if below(row) else look.muted if row.careful else look.main for _, row in shown]
    traces: list[Figure] = [
        {
            "type": "scatter", "mode": "lines", "x": [row.low, row.high], "y": [y, y], "hoverinfo": "skip",
            "line": {"color": color, "width": 7}, "opacity": 0.28 * strength(row),
        }
        for (y, row), color in zip(shown, colors, strict=True)
    ]  # fmt: skip
    traces += [
        {
            "type": "scatter", "mode": "markers", "x": [row.of_all for _, row in shown], "y": [y for y, _ in shown], "cliponaxis": False,
            "hoverinfo": "skip", "marker": {"symbol": "line-ns", "size": 14, "opacity": [strength(row) for _, row in shown], "line": {"color": look.muted, "width": 2}},
        },
        {
            "type": "scatter", "mode": "markers", "x": [row.share for _, row in shown], "y": [y for y, _ in shown], "cliponaxis": False,
            "customdata": [row.code for _, row in shown],
            "marker": {
                "size": 12, "symbol": [symbol(row) for _, row in shown], "color": colors, "opacity": [strength(row) for _, row in shown],
                "line": {"color": [color if row.careful else look.page for (_, row), color in zip(shown, colors, strict=True)], "width": 1.5},
            },
            "text": [
                f"<b>{plain(row.name, 90)}</b><br>{plain(row.value)} {plain(row.size)} closed<br>{plain(row.remark, 60)}<br>"
                f"95% interval {round(row.low * 100)}% to {round(row.high * 100)}%"
                for _, row in shown
            ],
            "hovertemplate": "%{text}<extra></extra>",
        },
    ]  # fmt: skip
    notes = []
    for at, row in enumerate(rows):
        beside = {"xref": "paper", "yref": "y", "y": -at}
        name = f"<b>{plain(row.name)}</b>" if row.code == chosen else plain(row.name)
        notes.append(annotation(look, name, **beside, x=0, xanchor="left", yanchor="bottom", xshift=-12, yshift=7))
        if row.share is None:
            words = f"<i>{plain(row.value)}</i>"
            notes.append(
                annotation(
                    look,
                    words,
                    **beside,
                    x=0,
                    xanchor="left",
                    yanchor="middle",
                    xshift=-12,
                    font={"size": 13, "color": look.muted},
                )
            )
        right = f"<b>{plain(row.value)}</b> {plain(row.size)}" if row.share is not None else plain(row.size)
        if row.remark:
            right += f'<br><span style="font-size:12px;color:{look.muted}">{plain(row.remark)}</span>'
        notes.append(annotation(look, right, **beside, x=1, xanchor="left", yanchor="middle", xshift=14, yshift=3))
    rules = []
    if goal is not None:
        rules.append(_dotted(look, goal))
        notes.append(
            annotation(
                look,
                f"goal {round(goal * 100)}%",
                xref="x",
                yref="paper",
                x=goal,
                y=1,
                yanchor="bottom",
                xanchor="center",
                font={"size": 12.5, "color": look.ink},
            )
        )
    return {
        "data": traces,
        "layout": layout(
            look, len(rows) * ROW_PIXELS + 52, margin={"l": 14, "r": 122, "t": 22, "b": 30}, xaxis=percent_axis(look),
            yaxis=axis(look, range=[-len(rows) + 0.4, 0.8], showticklabels=False), annotations=notes, shapes=rules,
        ),
    }  # fmt: skip


def _dotted(look: Palette, at: float) -> Figure:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1, "line": {"color": look.ink, "width": 1.5, "dash": "dot"},
    }  # fmt: skip


# --- backlog ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """Open requests of one age: past due, due later, without a due time."""

    code: str
    name: str
    past_due: int
    later: int
    no_due: int

    @property
    def total(self) -> int:
        return self.past_due + self.later + self.no_due


def backlog(rows: Sequence[Waiting], *, chosen: str = "", look: Palette | None = None) -> Figure | None:
    """Counts by age: hatched past due, plain later, gray without a due time; every number is written, so there is no axis."""
    look = look or palette_now()
    if not any(row.total for row in rows):
        return None
    at = [-place for place in range(len(rows))]
    hatched = {
        "color": look.attention,
        "pattern": {
            "shape": "/",
            "fillmode": "overlay",
            "fgcolor": look.page,
            "fgopacity": 0.55,
            "size": 7,
            "solidity": 0.25,
        },
    }
    parts: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("past due", "past_due", hatched), ("due later", "later", {"color": look.main}), ("no due date", "no_due", {"color": look.muted}),
    )  # fmt: skip
    strength = [1.0 if chosen in ("", row.code) else FADED for row in rows]
    traces = [
        {
            "type": "bar", "orientation": "h", "y": at, "x": [getattr(row, name) for row in rows], "width": 0.38,
            "customdata": [row.code for row in rows], "marker": style | {"opacity": strength, "line": {"color": look.page, "width": 1}},
            "text": [f"<b>{plain(row.name)}</b><br>{getattr(row, name):,} {words}" for row in rows], "textposition": "none",
            "hovertemplate": "%{text}<extra></extra>",
        }
        for words, name, style in parts
    ]  # fmt: skip
    notes = []
    for y, row in zip(at, rows, strict=True):
        beside = {"yref": "y", "y": y, "yanchor": "bottom", "yshift": 11, "xref": "paper"}
        name = f"<b>{plain(row.name)}</b>" if row.code == chosen else plain(row.name)
        late = (
            f'<b><span style="color:{look.attention_text}">{row.past_due:,} past due</span></b> of '
            if row.past_due
            else ""
        )
        notes.append(annotation(look, name, **beside, x=0, xanchor="left"))
        notes.append(annotation(look, f"{late}<b>{row.total:,}</b>", **beside, x=1, xanchor="right"))
    return {
        "data": traces,
        "layout": layout(
            look, len(rows) * 58 + 10, margin={"l": 2, "r": 2, "t": 10, "b": 0}, barmode="stack",
            xaxis=axis(look, showticklabels=False, rangemode="tozero"), yaxis=axis(look, range=[-len(rows) + 0.65, 0.8], showticklabels=False),
            annotations=notes,
        ),
    }  # fmt: skip


# --- days to close ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Took:
    """One week or month: half and nine in ten closed within so many days; None when too few are closed."""

    name: str
    half: float | None
    ninety: float | None
    settled: bool = True
    """Not settled: more than a tenth is still open, so that the slow ones can only rise."""
    told: str = ""
    code: str = ""


def days(
    moments: Sequence[Took], *, half: str, ninety: str, chosen: str = "", look: Palette | None = None
) -> Figure | None:
    """Two lines with the band between them, named at their ends; dotted where more than a tenth is still open. Each point can be
    selected; the chosen one is marked."""
    look = look or palette_now()
    shown = [(at, moment) for at, moment in enumerate(moments) if moment.half is not None]
    if len(shown) < 2:
        return None
    x = [at for at, _ in shown]
    top = max(moment.ninety or 0.0 for _, moment in shown) or 1.0
    line: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip"}
    traces: list[Figure] = [
        line | {"y": [moment.half for _, moment in shown], "line": {"color": look.main, "width": 2.8}},
        line
        | {
            "y": [moment.ninety for _, moment in shown],
            "line": {"width": 0, "color": look.main},
            "fill": "tonexty",
            "fillcolor": _faint(look.main),
        },
    ]
    for settled in (True, False):
        drawn = line | {"x": [], "y": []}
        for (a, one), (b, other) in zip(shown, shown[1:], strict=False):
            if (one.settled and other.settled) == settled:
                drawn["x"] += [a, b, None]
                drawn["y"] += [one.ninety, other.ninety, None]
        traces.append(drawn | {"line": {"color": look.main, "width": 1.5, "dash": "solid" if settled else "dot"}})
    traces.append(
        {
            "type": "scatter", "mode": "markers", "x": x + x, "y": [moment.half for _, moment in shown] + [moment.ninety for _, moment in shown],
            "marker": {"size": 14, "color": look.main, "opacity": [1.0 if chosen and moment.code == chosen else UNSEEN for _, moment in shown] * 2},
            "text": [f"<b>{plain(moment.name)}</b><br>{moment.told}" for _, moment in shown] * 2,
            "customdata": [moment.code for _, moment in shown] * 2, "hovertemplate": "%{text}<extra></extra>",
        }
    )  # fmt: skip
    _, last = shown[-1]
    low, high = last.half or 0.0, last.ninety or 0.0
    apart = (high - low) / (top * 1.08) * 210 >= 44
    ends = [
        annotation(
            look,
            f'<span style="color:{look.main}"><b>{name}</b> closed within<br>{words}</span>',
            xref="paper",
            x=1,
            yref="y",
            y=y,
            xanchor="left",
            xshift=8,
            yshift=shift,
        )
        for name, words, y, shift in (
            ("9 in 10", ninety, high, 0 if apart else 24),
            ("Half", half, low, 0 if apart else -14),
        )
    ]
    every = max(1, math.ceil(len(moments) / 4))
    ticks = list(range(0, len(moments), every))
    steps = _steps(top)
    return {
        "data": traces,
        "layout": layout(
            look, 290, margin={"l": 40, "r": 132, "t": 12, "b": 28},
            xaxis=axis(look, range=[-0.05 * len(moments), len(moments) - 0.7], tickvals=ticks, ticktext=[plain(moments[at].name, 12) for at in ticks]),
            yaxis=axis(look, range=[0, top * 1.08], tickvals=steps, ticktext=[f"{step:g}" for step in steps], showgrid=True),
            annotations=ends,
        ),
    }  # fmt: skip


def _steps(top: float) -> list[float]:
    """Three or four round numbers from 0 upwards."""
    rough = top / 3
    size = 10 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= rough)
    return [round(step * place, 6) for place in range(int(top / step) + 1)]


def _faint(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"


# --- map --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Area:
    """A district: its rings as (longitude, latitude), its share or None, and what is told of it."""

    code: str
    name: str
    rings: tuple[tuple[tuple[float, float], ...], ...]
    share: float | None
    value: str
    told: str = field(default="")


def district_map(areas: Sequence[Area], *, chosen: str = "", look: Palette | None = None) -> Figure | None:
    """Filled outlines in five fixed classes with name and share inside. Drawn as plain figures: no tiles, no fonts and no
    graphics card are asked for, so it looks the same offline and everywhere; the whole of a district can be selected."""
    look = look or palette_now()
    if not areas:
        return None
    dark = look.page != "#FFFFFF"
    colors = MAP_DARK if dark else MAP_LIGHT
    points = [point for area in areas for ring in area.rings for point in ring]
    squeeze = math.cos(math.radians(sum(latitude for _, latitude in points) / len(points)))
    traces: list[Figure] = []
    for area in sorted(
        areas, key=lambda each: each.code == chosen
    ):  # the chosen outline is drawn last, over its neighbors'
        fill = look.grid if area.share is None else colors[sum(area.share >= bound for bound in CLASSES)]
        x: list[float | None] = []
        y: list[float | None] = []
        for ring in area.rings:
            x += [*(longitude * squeeze for longitude, _ in ring), None]
            y += [*(latitude for _, latitude in ring), None]
        strong = area.code == chosen
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": x, "y": y, "fill": "toself", "fillcolor": fill, "hoverinfo": "skip",
                "line": {"color": look.ink if strong else look.page, "width": 3 if strong else 1.5},
            }
        )  # fmt: skip
    centers = [_center(area.rings) for area in areas]
    inside = []
    for area in areas:
        place = 0 if area.share is None else sum(area.share >= bound for bound in CLASSES)
        light_text = area.share is not None and (place < 3 if dark else place >= 3)
        color = ("#FFFFFF" if light_text else "#0E1620") if area.share is not None else look.ink
        inside.append(f'<span style="color:{color}"><b>{_two_lines(area.name)}</b><br>{plain(area.value)}</span>')
    traces.append(
        {
            "type": "scatter", "mode": "markers+text", "x": [x * squeeze for x, _ in centers], "y": [y for _, y in centers], "text": inside,
            "textposition": "middle center", "textfont": {"size": 13}, "marker": {"size": 44, "opacity": 0.01, "color": look.page},
            "customdata": [area.code for area in areas], "hovertext": [f"<b>{plain(area.name, 60)}</b><br>{area.told}" for area in areas],
            "hovertemplate": "%{hovertext}<extra></extra>", "selected": {"marker": {"opacity": 0.01}}, "unselected": {"marker": {"opacity": 0.01}},
        }
    )  # fmt: skip
    key = "  ".join(
        f'<span style="color:{color}">■</span> {name}' for color, name in zip(colors, CLASS_NAMES, strict=True)
    )
    return {
        "data": traces,
        "layout": layout(
            look, 380, margin={"l": 4, "r": 4, "t": 34, "b": 4}, hoverdistance=70, xaxis=axis(look, showticklabels=False),
            yaxis=axis(look, showticklabels=False, scaleanchor="x", scaleratio=1),
            annotations=[annotation(look, key, xref="paper", yref="paper", x=0, y=1, xanchor="left", yanchor="bottom", yshift=8, font={"size": 12.5, "color": look.muted})],
        ),
    }  # fmt: skip


def _two_lines(name: str) -> str:
    """A name of several words on two lines, so that it fits a small district on a phone."""
    first, _, rest = plain(name, 22).partition(" ")
    return f"{first}<br>{rest}" if rest and len(first) + len(rest) > 8 else f"{first} {rest}".strip()


def _center(rings: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """The center of area of the largest ring."""
    best = (0.0, rings[0][0][0], rings[0][0][1])
    for ring in rings:
        area = x = y = 0.0
        for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
            cross = x0 * y1 - x1 * y0
            area, x, y = area + cross, x + (x0 + x1) * cross, y + (y0 + y1) * cross
        if abs(area) > best[0]:
            best = (abs(area), x / (3 * area), y / (3 * area))
    return best[1], best[2]


# --- small lines ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """A usual range and what left it."""

    low: float
    mean: float
    high: float
    outside: tuple[int, ...]
    run_at: int | None


def weekly(
    counts: Sequence[int],
    names: Sequence[str],
    usual: Range | None,
    *,
    codes: Sequence[str] = (),
    chosen: str = "",
    look: Palette | None = None,
) -> Figure:
    """Counts by week in gray with the usual range behind: ▲ outside it, ◆ where a run on one side begins, the last named. With
    `codes` each week can be selected; the chosen one is marked."""
    look = look or palette_now()
    last = len(counts) - 1
    marks: list[tuple[int, str, str]] = []
    shapes, notes = [], []
    if usual is not None:
        marks += [(at, "triangle-up", look.attention) for at in usual.outside if at != last]
        marks += [(usual.run_at, "diamond", look.main)] if usual.run_at is not None else []
        shapes = [
            {"type": "rect", "layer": "below", "xref": "x", "yref": "y", "x0": 0, "x1": last, "y0": usual.low, "y1": usual.high, "fillcolor": look.grid, "line": {"width": 0}},
            {"type": "line", "layer": "below", "xref": "x", "yref": "y", "x0": 0, "x1": last, "y0": usual.mean, "y1": usual.mean, "line": {"color": look.muted, "width": 1, "dash": "dash"}},
        ]  # fmt: skip
    top = max(*counts, usual.high if usual else 1, 1)
    end = f"<b>{counts[last]:,}</b>"
    notes.append(annotation(look, end, xref="x", yref="y", x=last, y=counts[last], xanchor="left", xshift=8))
    if usual is not None and abs(usual.mean - counts[last]) / top > 0.17:
        notes.append(
            annotation(
                look,
                f"{usual.mean:,.0f} usual",
                xref="x",
                yref="y",
                x=last,
                y=usual.mean,
                xanchor="left",
                xshift=8,
                font={"size": 12, "color": look.muted},
            )
        )
    steps = [0, _steps(top)[-1]]
    ticks = [0, last // 2, last]
    told = [f"<b>{plain(name)}</b><br>{count:,} opened" for name, count in zip(names, counts, strict=True)]
    return {
        "data": [
            {
                "type": "scatter", "mode": "lines", "x": list(range(len(counts))), "y": list(counts), "line": {"color": look.muted, "width": 1.5},
                "text": told, "hovertemplate": "%{text}<extra></extra>", "hoverinfo": "skip" if codes else "text",
            },
            {
                "type": "scatter", "mode": "markers", "x": [at for at, _, _ in marks] + [last], "y": [counts[at] for at, _, _ in marks] + [counts[last]],
                "marker": {
                    "symbol": [shape for _, shape, _ in marks] + ["triangle-up" if usual and last in usual.outside else "circle"],
                    "color": [color for _, _, color in marks] + [look.attention if usual and last in usual.outside else look.ink],
                    "size": [10] * len(marks) + [8], "line": {"color": look.page, "width": 1},
                },
                "hoverinfo": "skip", "cliponaxis": False,
            },
            *([{
                "type": "scatter", "mode": "markers", "x": list(range(len(counts))), "y": list(counts), "customdata": list(codes), "cliponaxis": False,
                "marker": {"size": 13, "color": look.main, "opacity": [1.0 if code == chosen else UNSEEN for code in codes]},
                "text": told, "hovertemplate": "%{text}<extra></extra>",
            }] if codes else []),
        ],
        "layout": layout(
            look, 138, margin={"l": 34, "r": 64, "t": 10, "b": 22}, shapes=shapes, annotations=notes,
            xaxis=axis(look, range=[-0.07 * last, last * 1.02], tickvals=ticks, ticktext=[plain(names[at], 10) for at in ticks], tickfont={"size": 12, "color": look.muted}),
            yaxis=axis(look, range=[0, top * 1.12], tickvals=steps, ticktext=[f"{step:,.0f}" for step in steps], tickfont={"size": 12, "color": look.muted}),
        ),
    }  # fmt: skip


def spark(values: Sequence[float | None], *, look: Palette | None = None) -> Figure | None:
    """A line without axes, its end marked; nothing with fewer than six points."""
    look = look or palette_now()
    shown = [(at, value) for at, value in enumerate(values) if value is not None]
    if len(shown) < 6:
        return None
    x, y = [at for at, _ in shown], [value for _, value in shown]
    spread = (max(y) - min(y)) or 1.0
    return {
        "data": [
            {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": look.muted, "width": 1.5}, "hoverinfo": "skip"},
            {"type": "scatter", "mode": "markers", "x": x[-1:], "y": y[-1:], "marker": {"size": 8, "color": look.main}, "hoverinfo": "skip", "cliponaxis": False},
        ],
        "layout": layout(
            look, 46, margin={"l": 2, "r": 8, "t": 6, "b": 6}, xaxis=axis(look, showticklabels=False, range=[x[0], x[-1] + 0.05 * (x[-1] - x[0])]),
            yaxis=axis(look, showticklabels=False, range=[min(y) - 0.15 * spread, max(y) + 0.15 * spread]),
        ),
    }  # fmt: skip
