"""Approvals: what waits for a decision with its evidence, what one asked for and how it stands, who stands in when one is away."""

import streamlit as st

from portal.billing import views
from portal.desk import adjustment_parts as parts
from portal.desk import focus, go, staff_parts, who


def draw() -> None:
    """Scopes above, the list at the left, the chosen one with its evidence at the right."""
    actor = who.actor()
    found = views.adjustment_list(actor, go.param("scope") or "", go.param_int("page") or 1)
    chosen = go.param_int("id")
    if chosen is None and found.lines:
        chosen = found.lines[0].id
    view = None if chosen is None else views.adjustment(chosen, actor)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("Approvals", width="content")
        st.segmented_control(
            "Which", list(found.counts), default=found.scope, required=True, label_visibility="collapsed",
            format_func=lambda code: f"{views.SCOPES[code]} {found.counts[code]}", key=f"aj.scope.{found.scope}",
            on_change=change_scope, args=(found.scope,),
        )  # fmt: skip
    if view is None:
        parts.empty(found)
        with st.container(width=620):
            staff_parts.own_absence(actor)
        return
    if st.session_state.get(f"aj.refusing.{view.line.id}"):
        focus.first(f"aj.why.{view.line.id}")
    listed, seen, decide = st.columns([1, 1.25, 1], gap="medium")
    with listed:
        listing(found, view.line.id)
        staff_parts.own_absence(actor)
    with seen, st.container(border=True, key="detail"):
        parts.evidence(view)
    with decide:
        parts.decision(view)
        parts.history(view)


def listing(found: views.AdjustmentList, chosen: int) -> None:
    """The list of the scope, the oldest first where something waits."""
    at = next((at for at, line in enumerate(found.lines) if line.id == chosen), -1)
    if not found.lines:
        parts.empty(found)
        return
    parts.neighbors(found, at)
    with st.container(border=True, gap=None):
        for line in found.lines:
            parts.row(line, chosen=line.id == chosen, mine=found.scope != "waiting")
    if found.pages > 1:
        key = f"aj.page.{found.scope}.{found.page}"
        st.pagination(found.pages, default=found.page, key=key, on_change=change_page, args=(key,))


def change_page(key: str) -> None:
    """Another page begins with its first line."""
    st.query_params["page"] = str(st.session_state[key])
    st.query_params.pop("id", None)


def change_scope(before: str) -> None:
    """Another scope begins on its first page."""
    st.query_params["scope"] = st.session_state[f"aj.scope.{before}"] or before
    for name in ("page", "id"):
        st.query_params.pop(name, None)


draw()
