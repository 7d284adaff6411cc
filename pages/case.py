"""One request: what it is, what happened, and what can be done with it now."""

import streamlit as st

from portal.desk import attempt, go, who
from portal.desk import service_requests_parts as parts
from portal.desk.text import inert, user_text
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
        what(view)
        st.subheader("What happened")
        parts.timeline(view.timeline)
    with right:
        if view.closed:
            ending(view)
        else:
            parts.due_card(view.due, view.due_steps, late=view.late)
        acts(view)


def head(view: views.CaseView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(inert(view.name), width="content")
        st.markdown(parts.state_badges(view), width="content")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.code(view.number, language=None, width="content")
        st.caption(inert(" · ".join(part for part in (view.kind, view.group, view.address or "no address") if part)), width="content")
        if view.person_name and st.button(inert(view.person_name), icon=":material/person:", type="tertiary", key="customer"):
            go.to("customer", account=view.account_id, person=view.person_id if view.account_id is None else None)
    if view.flagged:
        st.warning("The other system says this was closed before it was opened. Its times are kept as they came.", icon=":material/report:")


def what(view: views.CaseView) -> None:
    with st.container(border=True, key="facts"):
        if view.description:
            user_text(f"“{view.description}”")
        known = [(fact.label, fact.value) for fact in view.facts]
        for column, lines in zip(st.columns(2, gap="large"), (known[::2], known[1::2]), strict=True):
            with column:
                parts.facts(lines)
    if view.answers:
        with st.container(border=True, key="answers"):
            st.subheader("Answers")
            parts.facts([(each.label, each.words) for each in view.answers if not each.photo])
            for each in (each for each in view.answers if each.photo):
                picture = views.photo(each.photo)
                if picture is None:
                    st.caption(inert(f"{each.label}: the picture is not here any more."))
                else:
                    st.image(picture, caption=inert(f"{each.label}: {each.words}"), width=320)
    if view.callers:
        with st.container(border=True, key="callers"):
            st.subheader("Further callers")
            for caller in view.callers:
                st.markdown(f"**{inert(caller.what)}** · {inert(caller.when)} · {inert(caller.who)}")
                if caller.note:
                    user_text(f"“{caller.note}”")
    for order in view.orders:
        with st.container(horizontal=True, vertical_alignment="center", key=f"row-order-{order.order_id}"):
            st.markdown(f":blue-badge[{inert(order.state)}] **{inert(order.name)}** · {inert(order.division)}", width="stretch")
            if st.button(order.number, key=f"order-{order.order_id}", icon=":material/build:"):
                go.to("work_order", id=order.order_id)


def ending(view: views.CaseView) -> None:
    with st.container(border=True):
        st.caption("How it ended")
        st.subheader(inert(view.ending or "Closed"))
        if view.resolution:
            user_text(view.resolution)


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
            attempt.act("Take it", commands.take_request, row, version, key_parts=("take", row, version), spot=("take", row), icon=":material/back_hand:")
        with st.expander("Move to another state", icon=":material/arrow_forward:"):
            parts.move_act(row, version, view.moves, commands.move_request, what="case")
    if actor.may("request.assign"):
        with st.expander("Give to somebody", icon=":material/person:"):
            parts.give_act(view, row, commands.assign_request, what="case")
    if actor.may("work_order.work"):
        with st.expander("Write a work order", icon=":material/build:"):
            parts.order_act(view)


draw()
