"""Work queue: mine and my division's, the most overdue first, one open beside the list."""

import streamlit as st

from portal.desk import attempt, go, who
from portal.desk import service_requests_parts as parts
from portal.desk.text import inert
from portal.service_requests import commands, views
from portal.service_requests.views.queue import PAGE_ROWS, SCOPES


def draw() -> None:
    """Scopes and filter above, the list at the left, the chosen one at the right."""
    actor = who.actor()
    title, box = st.columns([1.75, 1], gap="large", vertical_alignment="center")
    title.title("Work queue")
    words = box.text_input(
        "Filter",
        key="queue.words",
        type="search",
        label_visibility="collapsed",
        placeholder="Filter by number, address, person or word",
    )
    view = views.queue(actor, go.param("scope") or "", words or "", go.param_int("page") or 1)
    names = {scope.code: f"{inert(scope.name)} {scope.count:,}" for scope in view.scopes}
    st.segmented_control(
        "Which work", SCOPES, default=view.scope, format_func=names.__getitem__, key=f"queue.scope.{view.scope}", on_change=_scope,
        args=(view.scope,), label_visibility="collapsed",
    )  # fmt: skip
    if not view.lines:
        parts.empty_queue(view, words or "")
        return
    chosen = next((at for at, line in enumerate(view.lines) if f"{line.what}-{line.row_id}" == go.param("open")), 0)
    left, right = st.columns([2.35, 1], gap="medium")
    with left:
        parts.queue_list(view, chosen, lambda at: _open(view.lines[at]))
        foot(view)
    with right, st.container(border=True, key="detail"):
        detail(view.lines[chosen])
        parts.open_button(view.lines[chosen].what, view.lines[chosen].row_id)


def _scope(before: str) -> None:
    """Another scope begins on its first page."""
    st.query_params["scope"] = st.session_state[f"queue.scope.{before}"] or before
    for name in ("page", "open"):
        st.query_params.pop(name, None)


def _open(line: views.QueueLine) -> None:
    st.query_params["open"] = f"{line.what}-{line.row_id}"


def _page(key: str) -> None:
    st.query_params["page"] = str(st.session_state[key])
    st.query_params.pop("open", None)


def foot(view: views.QueueView) -> None:
    """How much there is, and the pager when it is more than a page."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        if view.by_number:
            st.caption("Found by its number, in any queue, open or closed.", width="content")
        else:
            shown = f", {PAGE_ROWS} on a page; filter to see more" if view.total > view.pages * PAGE_ROWS else ""
            st.caption(f"{view.total:,} case{'' if view.total == 1 else 's'} · overdue first{shown}", width="content")
        if view.pages > 1:
            key = f"queue.page.{view.scope}.{view.page}"
            st.pagination(view.pages, default=view.page, key=key, on_change=_page, args=(key,))


def detail(line: views.QueueLine) -> None:
    """The chosen one, and closing it on the spot."""
    actor = who.actor()
    view = views.beside(line.what, line.row_id)
    if view is None:
        return
    parts.beside(view)
    if view.closed or view.what == "work_order":
        return
    if not view.assigned and actor.may("request.work"):
        attempt.act(
            "Take it",
            commands.take_request,
            view.row_id,
            view.version,
            key_parts=("take", view.row_id, view.version),
            spot=("take", view.row_id),
            icon=":material/back_hand:",
            width="stretch",
        )
    if actor.may("request.close"):
        told = "Close and tell the caller" if view.tell_by in ("text", "email", "letter") else "Close it"
        parts.close_act(view.row_id, view.version, view.dispositions, commands.close_request, what="queue", label=told)


draw()
