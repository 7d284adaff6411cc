"""One work order: the job, where, for whom, and what can be done with it now."""

import streamlit as st

from portal.desk import go, moves_parts, who
from portal.desk import service_requests_parts as parts
from portal.desk.text import inert, user_text
from portal.service_requests import commands, views


def draw() -> None:
    """Facts and timeline at the left, the acts at the right."""
    view = views.work_order(go.param_int("id") or 0)
    if view is None:
        st.title("No such work order")
        st.text("The address names no work order. Look for it by its number in the work queue.")
        if st.button("To the work queue", icon=":material/checklist:"):
            go.to("work_queue")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(inert(view.name), width="content")
        st.markdown(parts.state_badges(view), width="content")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.code(view.number, language=None, width="content")
        st.caption(inert(view.address or "no address"), width="content")
        if view.account_id is not None and st.button(
            "Customer", icon=":material/person:", type="tertiary", key="customer"
        ):
            go.to("customer", account=view.account_id)
        if view.request_id is not None and st.button(
            f"Request {view.request_number}", icon=":material/assignment:", type="tertiary", key="request"
        ):
            go.to("case", id=view.request_id)
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        with st.container(border=True, key="facts"):
            if view.instructions:
                user_text(view.instructions)
            parts.facts([(fact.label, fact.value) for fact in view.facts])
        st.subheader("What happened")
        parts.timeline(view.timeline)
    with right:
        if view.closed:
            with st.container(border=True):
                st.caption("How it ended")
                st.subheader(inert(view.ending or view.state))
                if view.resolution:
                    user_text(view.resolution)
        elif not who.actor().may("work_order.work"):
            st.info("You can read this order. The division works on it.", icon=":material/visibility:")
        else:
            acts(view)


def acts(view: views.WorkOrderView) -> None:
    """Only what the state allows."""
    if view.by_field_result and moves_parts.awaits_result(view.order_id):
        moves_parts.field_result(view.order_id)
    else:
        with st.container(border=True, key="close"):
            parts.close_act(view.order_id, view.version, view.dispositions, commands.close_work_order, what="order")
    with st.expander("Move to another state", icon=":material/arrow_forward:"):
        parts.move_act(view.order_id, view.version, view.moves, commands.move_work_order, what="order", note=False)
    with st.expander("Give to somebody", icon=":material/person:"):
        parts.give_act(view, view.order_id, commands.assign_work_order, what="order")


draw()
