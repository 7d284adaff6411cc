"""One request: what it is, what happened, and what can be done with it now."""

import streamlit as st

from portal.desk import attempt, case_parts, go, who
from portal.desk import service_requests_parts as parts
from portal.desk.text import inert
from portal.service_requests import commands, views


def draw() -> None:
    """Facts and timeline at the left, the acts at the right."""
    view = views.case(go.param_int("id") or 0)
    if view is None:
        st.title("No such request")
        st.text("The address names no request. Look for it by its number in the work queue.")
        if st.button("To the work queue", icon=":material/checklist:"):
            go.to("work_queue")
        return
    head(view)
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        case_parts.what(view)
        st.subheader("What happened")
        parts.timeline(view.timeline)
    with right:
        if view.closed:
            case_parts.ending(view)
        else:
            parts.due_card(view.due, view.due_steps, late=view.late)
        acts(view)


def head(view: views.CaseView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(inert(view.name), width="content")
        st.markdown(parts.state_badges(view), width="content")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.code(view.number, language=None, width="content")
        st.caption(
            inert(" · ".join(part for part in (view.kind, view.group, view.address or "no address") if part)),
            width="content",
        )
        if view.person_name and st.button(
            inert(view.person_name), icon=":material/person:", type="tertiary", key="customer"
        ):
            go.to("customer", account=view.account_id, person=view.person_id if view.account_id is None else None)
    if view.flagged:
        st.warning(
            "The other system says this was closed before it was opened. Its times are kept as they came.",
            icon=":material/report:",
        )


def acts(view: views.CaseView) -> None:
    """Only what this person may do, and only what the state allows."""
    actor = who.actor()
    row, version = view.request_id, view.version
    if view.closed:
        if actor.may("request.work"):
            with st.expander("Reopen", icon=":material/replay:"):
                parts.reopen_act(view)
        return
    if actor.may("request.close"):
        with st.container(border=True, key="close"):
            parts.close_act(row, version, view.dispositions, commands.close_request, what="case")
    if actor.may("request.work"):
        if view.assigned_id is None:
            attempt.act(
                "Take it",
                commands.take_request,
                row,
                version,
                key_parts=("take", row, version),
                spot=("take", row),
                icon=":material/back_hand:",
            )
        with st.expander("Move to another state", icon=":material/arrow_forward:"):
            parts.move_act(row, version, view.moves, commands.move_request, what="case")
    if actor.may("request.assign"):
        with st.expander("Give to somebody", icon=":material/person:"):
            parts.give_act(view, row, commands.assign_request, what="case")
    if actor.may("work_order.work"):
        with st.expander("Write a work order", icon=":material/build:"):
            parts.order_act(view)


draw()
