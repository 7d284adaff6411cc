"""Service levels: how much comes in, how much is closed, how much on time, how long it takes, what waits, and the cases behind it."""

import streamlit as st

from portal.desk import cached, reports_cases, reports_filters
from portal.desk import reports_parts as parts
from portal.desk.text import inert


def draw() -> None:
    """Filters, the lead sentence, six tiles, cards two by two, weekly counts by type, the cases."""
    known, meanings = parts.names_and_meanings()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("Service levels", width="content")
        if st.button("What the figures mean", icon=":material/help:", type="tertiary", shortcut="Alt+M"):
            parts.meanings_dialog(meanings)
    asked = reports_filters.filters(known)
    board = cached.board(asked)
    if not board.counts.opened and not board.open:
        parts.nothing(known, asked)
        return
    st.markdown(f"**{inert(parts.lead(known, asked, board))}**")
    reports_cases.selected(known, asked, board)
    parts.tiles(board, meanings)
    goal = meanings["on_time_of_closed"].goal if "on_time_of_closed" in meanings else None
    left, right = st.columns([1.25, 1], gap="medium")
    with left, st.container(border=True, height="stretch"):
        parts.comparison(known, asked, goal)
    with right:
        with st.container(border=True):
            parts.backlog(board)
        with st.container(border=True, height="stretch"):
            parts.repeats(known, asked)
    left, right = st.columns([1.25, 1], gap="medium")
    with left, st.container(border=True, height="stretch"):
        parts.times(board)
    with right, st.container(border=True, height="stretch"):
        parts.district_map(known, asked)
    parts.panels(known, asked, board)
    reports_cases.cases(known, asked, board)


draw()
