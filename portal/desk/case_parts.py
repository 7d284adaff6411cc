"""What the page of one request draws of it: where, what was answered, who joined, its orders, how it ended."""

from __future__ import annotations

import streamlit as st

from portal.desk import go
from portal.desk import service_requests_parts as parts
from portal.desk.text import inert, user_text
from portal.service_requests import views


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
            st.markdown(
                f":blue-badge[{inert(order.state)}] **{inert(order.name)}** · {inert(order.division)}", width="stretch"
            )
            if st.button(order.number, key=f"order-{order.order_id}", icon=":material/build:"):
                go.to("work_order", id=order.order_id)


def ending(view: views.CaseView) -> None:
    with st.container(border=True):
        st.caption("How it ended")
        st.subheader(inert(view.ending or "Closed"))
        if view.resolution:
            user_text(view.resolution)
