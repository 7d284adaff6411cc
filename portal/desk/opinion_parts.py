"""What the public-opinion page draws: its charts as sentence, figure and table, its tiles, comments and the method card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from portal.desk import charts, lists, who
from portal.desk.text import inert, user_text
from portal.opinion import views
from portal.opinion.rules import words
from portal.shared import table_file
from portal.shared.text import count_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.opinion.rules.words import Figure
    from portal.opinion.views import Board, Heard, History, ItemLine

MAIN = ""
EVERY = "*"
TILES = 6
DIFFER_AT = 0.05
"""Groups differ by more than chance when equal ones would be this far apart at most this often."""
FEW_QUESTIONS = 16
"""So many are shown at once without choosing a topic."""
CAREFUL_NOTE = "In parentheses, open circle: fewer than 30 answers, read with care. Fewer than 10 are never shown."
HELD_BACK_NOTE = "Held back: with it, the figure of a smaller group could be worked out."
WEIGHTED_NOTE = "Weighted; intervals and tests take the effective number of answers, n counts people."


def nothing_yet() -> None:
    """What to do where no survey was imported, and what callers say meanwhile."""
    with st.container(border=True):
        st.subheader("No survey has been imported yet", anchor=False)
        st.text("An administrator brings one in with one command; the description says which column is which question:")
        st.code("portal import survey FILE.csv --spec SPEC.toml", language=None, wrap_lines=True)
    with st.container(border=True):
        heard(views.heard())


def topics_of(board: Board) -> dict[str, str]:
    """The choice of questions: the main ones, each topic, all of them; nothing to choose where there are few."""
    if len(board.items) <= FEW_QUESTIONS:
        return {}
    main = {MAIN: "Main questions"} if any(line.main for line in board.items) else {}
    return main | {topic: topic for topic in board.topics} | {EVERY: f"All {len(board.items)} questions"}


def of_topic(board: Board, topic: str) -> list[ItemLine]:
    """The questions of a topic, the most satisfying first."""
    if topic == EVERY or len(board.items) <= FEW_QUESTIONS:
        return list(board.items)
    if topic == MAIN:
        return [line for line in board.items if line.main] or list(board.items[:FEW_QUESTIONS])
    return [line for line in board.items if line.topic == topic]


def tiles(board: Board) -> None:
    """The main questions first: share, interval and number of answers, what became of it."""
    by_code = {line.code: line for line in board.items}
    ordered = sorted((by_code[code] for code in board.in_order), key=lambda line: not line.main)
    with st.container(horizontal=True):
        for line in ordered[:TILES]:
            with st.container(border=True, width="stretch", height="stretch", key=f"tile-{line.code}", gap="small"):
                figure = line.figure
                chip = f"{words.range_words(figure.interval)}, {figure.size_in_words()}" if figure.open else None
                value = figure.in_words() if figure.open else "–"
                st.markdown(inert(line.name))  # the metric's own label would be cut on a narrow tile
                st.metric(
                    inert(line.name), value, chip, delta_color="off", delta_arrow="off", label_visibility="collapsed"
                )
                st.caption(inert(_became(board, line)))


def _became(board: Board, line: ItemLine) -> str:
    if not line.figure.open:
        return line.figure.in_words().capitalize()
    if line.change is not None:
        return line.change.in_words()
    if board.since is None:
        return "No earlier wave to compare"
    if line.before is None:
        return f"Not asked like this in {board.since.name}"
    return "Too few answers to compare"


# --- questions, ranked ------------------------------------------------------------------------------------------------


def ranked(board: Board, topic: str) -> charts.Chart:
    """The questions of a topic with intervals, the most satisfying first; the tick is the wave before."""
    lines = of_topic(board, topic)
    since = board.since.name if board.since else ""
    measure = f"Share satisfied, {board.wave.name}{_where(board)}; “don't know” left out. Bar: 95% interval."
    if board.compared:
        measure += f" Tick: {since}. All {board.compared} questions of the two waves are tested together (Benjamini-Hochberg, 5%)."
    rows = [
        charts.Dot(
            name=line.name,
            **_of(line.figure),
            before=line.before.share if line.before and line.before.open and line.figure.open else None,
            remark=line.change.short() if line.change else "",
            better=(line.change.points > 0) if line.change and line.change.clear else None,
        )
        for line in lines
    ]
    columns = (
        "Question", "Satisfied", "95% from", "95% to", "Answers", *_weight_columns(board.weighted), "Don't know", "Mean points", "Before",
        "Change", "Wording",
    )  # fmt: skip
    table = tuple(
        (
            # How many of a district did not know would, taken from the city's number, tell of a closed district.
            line.name, *_table_cells(line.figure), *_weight_cells(line.figure, board.weighted), line.figure.dont_know if line.figure.open and not board.district_name else "",
            round(line.figure.mean, 2) if line.figure.open else "", _share_cell(line.before) if line.before else "",
            line.change.in_words() if line.change else "", line.wording,
        )
        for line in lines
    )  # fmt: skip
    notes = [WEIGHTED_NOTE] if board.weighted else []
    if board.compared:
        notes.append("Overlapping bars are no test: read the words at the right. Points come from unrounded shares.")
    notes += _seen_notes({line.figure.seen for line in lines})
    return charts.Chart(
        _ranked_title(board, lines), measure, columns, table,
        charts.dots(rows, before=since), " ".join(notes), f"questions-{board.wave.code}.csv",
    )  # fmt: skip


def _ranked_title(board: Board, lines: Sequence[ItemLine]) -> str:
    """The largest clear change among the questions shown; without one, which satisfies most and which least."""
    best = [line for line in lines if line.figure.open]
    if not best:
        return f"Too few people{' of ' + board.district_name if board.district_name else ''} answered to show figures"
    clear = [line for line in best if line.change and line.change.clear]
    if clear:
        line = max(clear, key=lambda each: abs(each.change.points) if each.change else 0.0)
        before = line.before.share if line.before else 0.0
        return f"{line.name}: the largest clear change, {words.percent(before)} to {words.percent(line.figure.share)}"
    if any(line.change for line in best):
        return "No clear change in these questions"
    if len(best) == 1:
        return f"{best[0].name}: {words.percent(best[0].figure.share)} satisfied"
    most, least = best[0], best[-1]
    return f"{most.name} satisfies most ({words.percent(most.figure.share)}), {least.name} least ({words.percent(least.figure.share)})"


def _where(board: Board) -> str:
    return f", {board.district_name}" if board.district_name else ""


def _of(figure: Figure) -> dict:
    """A figure as the parts of a dot or point."""
    if not figure.open:
        return {"value": figure.in_words()}
    interval = figure.interval
    return {
        "value": figure.in_words(), "size": figure.size_in_words(), "share": figure.share, "low": interval.low,
        "high": interval.high, "careful": figure.seen == "few",
    }  # fmt: skip


def _point(figure: Figure) -> charts.Point:
    parts = _of(figure)
    return charts.Point(
        parts.get("share"), parts.get("low", 0.0), parts.get("high", 0.0), parts["value"], parts.get("careful", False)
    )


def _table_cells(figure: Figure) -> tuple[object, ...]:
    """Share, interval and size for a table; a closed one only says why."""
    if not figure.open:
        return figure.in_words(), "", "", figure.size_in_words().removeprefix("n ")
    interval = figure.interval
    return _share_cell(figure), table_file.Share(interval.low), table_file.Share(interval.high), figure.answers


def _weight_columns(weighted: bool) -> tuple[str, ...]:
    """What a table says besides where answers have weights."""
    return ("Effective answers", "Design effect", "Unweighted") if weighted else ()


def _weight_cells(figure: Figure, weighted: bool) -> tuple[object, ...]:
    if not weighted:
        return ()
    if not figure.open or figure.weighing is None:
        return ("", "", "")
    careful = figure.seen == "few"
    return (
        round(figure.effective, 1),
        round(figure.design_effect, 2),
        table_file.Share(figure.unweighted_share, careful),
    )


def _seen_notes(seen: set[str]) -> list[str]:
    """What parentheses and closed figures mean, where there are any."""
    notes = [CAREFUL_NOTE] if seen & {"few", "closed", "held_back"} else []
    return [*notes, HELD_BACK_NOTE] if "held_back" in seen else notes


def _share_cell(figure: Figure) -> object:
    """A share as a table holds it: a figure, or why there is none."""
    return table_file.Share(figure.share, careful=figure.seen == "few") if figure.open else figure.in_words()


# --- one question over time -------------------------------------------------------------------------------------------


def over_time(history: History, board: Board, code: str) -> charts.Chart:
    """One question wave by wave, never joined where the sample or the way of asking changed."""
    moments = history.moments
    breaks = frozenset(at for at, moment in enumerate(moments) if moment.apart)
    change = _change_to_newest(history, board, code)
    if breaks:
        at = max(breaks)
        title = f"{moments[at - 1].wave.name} cannot be compared with {moments[at].wave.name}: {moments[at].apart}"
    elif change:
        title = f"{history.name}: {change}"
    elif moments[-1].figure.open:
        title = f"{history.name}: {words.percent(moments[-1].figure.share)} satisfied in {moments[-1].wave.name}"
    else:
        title = f"{history.name}: too few answers to show"
    measure = f"“{history.wording}” Share answering {history.counts_as}, whole city, with 95% intervals."
    if breaks:
        measure += " No line is drawn across ≠."
        measure += f" {history.name}: {change}." if change else ""
    figure = charts.series(
        [charts.Line(history.name, tuple(_point(moment.figure) for moment in moments))],
        charts.Moments(
            tuple(moment.wave.name for moment in moments),
            tuple(moment.figure.size_in_words() or moment.figure.in_words() for moment in moments),
            breaks,
        ),
    )
    table = tuple(
        (
            moment.wave.name,
            *_table_cells(moment.figure),
            round(moment.figure.mean, 2) if moment.figure.open else "",
            moment.apart,
        )
        for moment in moments
    )
    columns = (
        "Wave",
        "Satisfied",
        "95% from",
        "95% to",
        "Answers",
        "Mean points",
        "Not to be joined with the wave before",
    )
    return charts.Chart(title, measure.strip(), columns, table, figure, file_name="waves.csv")


def _change_to_newest(history: History, board: Board, code: str) -> str:
    """“up 12 points from 2013 to 2015, more than chance”: of the whole city's newest wave, judged with all its questions."""
    line = next((each for each in board.items if each.code == code), None)
    newest = history.moments[-1].wave
    if board.district_name or board.since is None or newest != board.wave or line is None or line.change is None:
        return ""
    sentence = line.change.in_words()
    return f"{board.since.name} to {newest.name} {sentence[:1].lower()}{sentence[1:]}"


# --- ways of answering ------------------------------------------------------------------------------------------------


def modes(history: History) -> None:
    """The newest wave by way of answering, where there is more than one: a change can come from how people were asked."""
    if not history.modes:
        return
    newest = history.moments[-1]
    shown = [(mode, figure) for mode, figure in history.modes.items() if mode and figure.open]
    if history.modes_p is None:
        title = f"{history.name}: too few answers to compare ways of answering"
    elif history.modes_p > DIFFER_AT:
        title = f"{history.name}: ways of answering do not differ by more than chance"
    else:
        best, worst = max(shown, key=lambda pair: pair[1].share), min(shown, key=lambda pair: pair[1].share)
        title = f"{history.name}: {words.percent(best[1].share)} by {best[0]}, {words.percent(worst[1].share)} by {worst[0]}"
    whole = newest.figure
    rows = [
        charts.Dot(
            name=mode or views.NO_MODE, **_of(figure), before=whole.share if whole.open and figure.open else None
        )
        for mode, figure in history.modes.items()
    ]
    charts.show(
        charts.Chart(
            title, f"Share satisfied by way of answering, {newest.wave.name}, whole city, with 95% intervals. Tick: all ways together.{_chance_words('Test of equal ways', history.modes_p)}",
            ("Way of answering", "Satisfied", "95% from", "95% to", "Answers", *_weight_columns(whole.weighing is not None)),
            tuple((mode or views.NO_MODE, *_table_cells(figure), *_weight_cells(figure, whole.weighing is not None)) for mode, figure in history.modes.items()),
            charts.dots(rows, before="All ways"), " ".join(_seen_notes({figure.seen for figure in history.modes.values()})), "ways-of-answering.csv",
        ),
        key="modes",
    )  # fmt: skip


# --- districts --------------------------------------------------------------------------------------------------------


def districts(history: History) -> None:
    """One question by district: small multiples over the waves, or one row each where a single wave tells districts."""
    told = [
        at
        for at in range(len(history.moments))
        if any(each.figures[at].answers or each.figures[at].seen != "none" for each in history.districts)
    ]
    if not told:
        st.subheader("No districts", anchor=False)
        st.caption("This survey does not tell where people live.")
    elif len(told) == 1:
        charts.show(_one_wave(history, told[0]), key="districts")
    else:
        _panels(history)


def _district_title(history: History, at: int) -> str:
    open_ones = [(each, each.figures[at]) for each in history.districts if each.figures[at].open]
    if len(open_ones) < 2:
        return f"{history.name}: too few answers to compare districts"
    if history.equal_p is None or history.equal_p > DIFFER_AT:
        return f"{history.name}: districts do not differ by more than chance"
    best = max(open_ones, key=lambda pair: pair[1].share)
    worst = min(open_ones, key=lambda pair: pair[1].share)
    return f"{history.name}: districts differ, {words.percent(best[1].share)} in {best[0].name}, {words.percent(worst[1].share)} in {worst[0].name}"


def _test_words(history: History) -> str:
    return _chance_words("Test of equal districts, newest wave", history.equal_p)


def _chance_words(test: str, chance: float | None) -> str:
    if chance is None:
        return ""
    return f" {test}: p {'under 0.001' if chance < 0.001 else f'= {chance:.3f}'}."


def _one_wave(history: History, at: int) -> charts.Chart:
    whole = history.moments[at].figure
    ranks = history.equal_p is not None and history.equal_p <= DIFFER_AT
    order = sorted(
        history.districts, key=lambda each: -each.figures[at].share if ranks and each.figures[at].open else 0
    )
    rows = [
        charts.Dot(
            name=each.name,
            **_of(each.figures[at]),
            before=whole.share if whole.open and each.figures[at].open else None,
        )
        for each in order
    ]
    measure = (
        f"Share satisfied, {history.moments[at].wave.name}, with 95% intervals. Tick: whole city.{_test_words(history)}"
    )
    return charts.Chart(
        _district_title(history, at), measure, ("District", "Satisfied", "95% from", "95% to", "Answers"),
        tuple((each.name, *_table_cells(each.figures[at])) for each in order),
        charts.dots(rows, before="Whole city"), _closed_note(history), "districts.csv",
    )  # fmt: skip


@who.fragment
def _panels(history: History) -> None:
    moments = charts.Moments(
        tuple(moment.wave.name for moment in history.moments),
        breaks=frozenset(at for at, moment in enumerate(history.moments) if moment.apart),
    )
    whole = charts.Line("Whole city", tuple(_point(moment.figure) for moment in history.moments), whole=True)
    measure = f"Share satisfied, with 95% intervals; gray: whole city; ≠ rule: not to be joined.{_test_words(history)}"
    chart = charts.Chart(
        _district_title(history, len(history.moments) - 1), measure,
        ("District", "Wave", "Satisfied", "95% from", "95% to", "Answers"),
        tuple(
            (each.name, moment.wave.name, *_table_cells(figure))
            for each in history.districts
            for moment, figure in zip(history.moments, each.figures, strict=True)
        ),
        note=_closed_note(history), file_name="districts.csv",
    )  # fmt: skip
    charts.head(chart)
    for across in _in_rows(history.districts, 3):
        for column, each in zip(st.columns(3), across, strict=False):
            with column:
                st.markdown(f"**{inert(each.name)}**")
                st.caption(inert(_panel_words(history, each)))
                figure = charts.panel(charts.Line(each.name, tuple(map(_point, each.figures))), whole, moments)
                if figure is not None:
                    charts.draw(figure, key=f"panel-{each.name}", alt=f"{each.name}: {_panel_words(history, each)}")
    charts.foot(chart, key="panels")


def _closed_note(history: History) -> str:
    return " ".join(_seen_notes({figure.seen for each in history.districts for figure in each.figures}))


def _panel_words(history: History, each: views.DistrictHistory) -> str:
    """“61% n 42 in 2015”."""
    newest = each.figures[-1]
    return (
        f"{newest.in_words()} {newest.size_in_words() if newest.open else ''}".strip()
        + f" in {history.moments[-1].wave.name}"
    )


def _in_rows(items: Sequence[views.DistrictHistory], across: int) -> list[Sequence[views.DistrictHistory]]:
    return [items[at : at + across] for at in range(0, len(items), across)]


# --- words ------------------------------------------------------------------------------------------------------------


@who.fragment
def comments(survey: str, wave: str, district: str, district_name: str) -> None:
    """What people wrote, a page at a time, searched by words."""
    box = st.container()
    search = st.text_input(
        "Search comments", key="comments_search", bind="query-params", placeholder="A word, or several that must all stand there", icon=":material/search:",
        max_chars=80, on_change=_first_comments,
    ) or ""  # fmt: skip
    page = int(st.session_state.get("comments_page", 1))
    found = views.comments(survey, wave, district, page, search)
    where = f", {district_name}" if district_name else ""
    with box:
        st.subheader(f"{count_text(found.total, 'comment')}" if found.total else "No comments", anchor=False)
        if found.total:
            st.caption(inert(f"In their own words{where}. Names of people are not asked for; report one you find."))
    if not found.total:
        st.text(
            "Too few people of this district answered: what they wrote is not shown apart."
            if found.closed
            else f"No comment{where} holds these words. Search for fewer of them."
            if search.strip()
            else f"Nobody{where} wrote anything."
        )
        return
    with st.container(gap=None):
        for at, line in enumerate(found.lines):
            with st.container(key=f"row-comment-{at}", gap=None):
                user_text(line.words)
                if line.district_name:
                    st.caption(inert(line.district_name))
    with st.container(horizontal=True, vertical_alignment="center"):
        lists.pager(found.total, key="comments_page", rows=views.COMMENT_ROWS)
        lists.export(
            ("Comment", "District"),
            lambda: [
                (line.words, line.district_name)
                for line in views.comments(survey, wave, district, 1, search, most=table_file.MOST_ROWS).lines
            ],
            total=found.total,
            file_name=f"comments-{wave}.csv",
            key="comments.file",
        )


def _first_comments() -> None:
    st.session_state["comments_page"] = 1


def heard(found: Heard) -> None:
    """What callers say, as the series of its own that it is."""
    shown = [line for line in found.lines if line.calls is not None]
    period = f"{found.since:%b} {found.since.day}, {found.since.year} to {found.until:%b} {found.until.day}, {found.until.year}"
    measure = (
        f"Noted at wrap-up, {period}. Plain: in favor; hatched: against; hollow: mixed. "
        "People who call are no sample of the city: no interval, and never mixed with a survey."
    )
    if not found.total:
        charts.show(charts.Chart("No opinions heard at wrap-up yet", measure, ("Matter", "Calls"), ()), key="heard")
        return
    title = (
        f"{shown[0].name} is what callers speak of most: {shown[0].against:,} of {shown[0].calls:,} against"
        if shown
        else "Too few opinions heard to show"
    )
    rows = [
        charts.Bar(
            line.name,
            (line.in_favor, line.against, line.mixed),
            f"{line.in_favor} for · {line.against} against · {line.mixed} mixed",
        )
        for line in shown
    ]
    away = ", ".join(line.name for line in found.lines if line.calls is None)
    table = tuple(
        (line.name, line.why_closed, "", "", "")
        if line.calls is None
        else (line.name, line.calls, line.in_favor, line.against, line.mixed)
        for line in found.lines
    )
    charts.show(
        charts.Chart(
            title, measure, ("Matter", "Calls", "In favor", "Against", "Mixed"), table, charts.bars(rows, ("in favor", "against", "mixed")),
            f"Not shown, fewer than 10 calls or held back with them: {away}." if away else "", "heard.csv",
        ),
        key="heard",
    )  # fmt: skip


def method(board: Board, *, across: int = 1) -> None:
    """Who asked, how, when, how many: beside every figure of the page; in one column or two."""
    st.subheader("How this was measured", anchor=False)
    st.caption(inert(f"{board.survey_name}, {board.wave.name}. What a survey must tell about itself; gaps are named."))
    each = -(-len(board.method) // across)
    for at, column in enumerate(st.columns(across)):
        with column:
            for line in board.method[at * each : (at + 1) * each]:
                with st.container(horizontal=True, wrap=False, key=f"method-{line.name}"):
                    st.markdown(f"**{inert(line.name)}**", width=150)
                    if line.answer:
                        st.text(line.answer, width="stretch")
                    else:
                        st.markdown(":orange-badge[:material/error: Not recorded]", width="stretch")
    for apart in board.apart:
        st.caption(inert(f"Not to be compared with {apart}."))
