"""Public opinion: how satisfied residents are, what changed by more than chance, where, in which words, and how it was measured."""

import streamlit as st

from portal.desk import cached, charts, opinion_parts, who
from portal.desk.text import inert
from portal.opinion import views

WHOLE = {views.WHOLE_CITY: "Whole city"}
FILTERS = ("survey", "wave", "district", "topic", "item", "comments_search")


def draw() -> None:
    """Filters, the lead sentence, tiles, and the cards two by two."""
    st.title("Public opinion")
    kept = cached.Surveys()
    for name in kept.unfinished:
        words = f"The import of {name} is not finished. Run it again to complete it: until then this wave is not shown."
        st.warning(inert(words), icon=":material/hourglass:")
    if not kept.surveys:
        opinion_parts.nothing_yet()
        return
    survey, board, topic = _filtered(kept)
    if board is None:
        st.info("This wave was taken away meanwhile. Choose another.", icon=":material/info:")
        return
    st.markdown(f"**{inert(board.lead)}**")
    opinion_parts.tiles(board)
    left, right = st.columns([1.05, 1], gap="medium")
    with left, st.container(border=True, height="stretch"):
        charts.show(opinion_parts.ranked(board, topic), key="ranked")
    with right, st.container(border=True, height="stretch"):
        opinion_parts.heard(cached.heard())
    with st.container(border=True):
        _one_question(kept, survey, board)
    if not views.comments(survey, board.wave.code).total:
        with st.container(border=True):
            opinion_parts.method(board, across=2)
        st.caption("Nobody wrote anything in this wave, or its description names no comment column.")
        return
    left, right = st.columns([1.05, 1], gap="medium")
    with left, st.container(border=True, height="stretch"):
        opinion_parts.comments(survey, board.wave.code, st.session_state["district"], board.district_name)
    with right, st.container(border=True, height="stretch"):
        opinion_parts.method(board)


def _filtered(kept: cached.Surveys) -> tuple[str, views.Board | None, str]:
    """The filter row: every choice stands in the address, so a link shows the same."""
    surveys = {each.code: each for each in kept.surveys}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        survey = surveys[_choose("Survey", "survey", {code: each.name for code, each in surveys.items()})]
        wave = _choose("Wave", "wave", {each.code: each.name for each in survey.waves})
        board = kept.board(survey.code, wave)
        district = _choose("District", "district", WHOLE | dict(board.districts if board else {}))
        if district and board:
            board = kept.board(survey.code, wave, district)
        topics = opinion_parts.topics_of(board) if board else {}
        topic = _choose("Questions", "topic", topics) if topics else ""
        st.button(
            "Clear",
            type="tertiary",
            icon=":material/close:",
            on_click=_forget,
            args=(FILTERS,),
            disabled=not any(name in st.query_params for name in FILTERS),
        )
    return survey.code, board, topic


def _choose(label: str, key: str, options: dict[str, str]) -> str:
    """A choice that stands in the address under `key`; what does not exist (any more) becomes the first."""
    first = next(iter(options))
    if st.session_state.get(key, first) not in options:
        st.session_state[key] = first
    return st.selectbox(
        label,
        list(options),
        format_func=lambda code: options[code],
        key=key,
        bind="query-params",
        width=230,
        on_change=_forget if key == "survey" else "rerun",
        args=(FILTERS[1:],) if key == "survey" else None,
    )


def _forget(names: tuple[str, ...]) -> None:
    """Another survey has other waves, districts and questions: these choices begin anew, also in the address."""
    for name in names:
        st.session_state[name] = None


@who.fragment
def _one_question(kept: cached.Surveys, survey: str, board: views.Board) -> None:
    """One question chosen from all: over the waves at the left, by district at the right."""
    by_code = {line.code: line for line in board.items}
    item = _choose("One question", "item", {code: by_code[code].name for code in board.in_order})
    history = kept.history(survey, item)
    if history is None:
        return
    left, right = st.columns([1, 1.35], gap="large")
    with left:
        charts.show(opinion_parts.over_time(history, board, item), key="waves")
        opinion_parts.modes(history)
    with right:
        opinion_parts.districts(history)


draw()
