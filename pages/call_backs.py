"""Call-backs and promises: what the city owes callers, the most urgent first."""

import streamlit as st

from portal.contacts import views
from portal.desk import call, contacts_parts, go, lists, who
from portal.desk.text import inert


def _empty(title: str, hint: str) -> None:
    with st.container(border=True):
        st.markdown(f":green[:material/check_circle:] **{inert(title)}**")
        st.caption(hint)


def _call_backs(scope: str) -> None:
    actor = who.actor()
    total = views.call_back_count(actor, scope)
    st.subheader(f"Call-backs · {total}")
    if not total:
        _empty(
            "No call-back is open",
            "A call-back planned on a call, at wrap-up or above comes here and on the call desk.",
        )
        return
    page = st.session_state.get("call_backs.page", 1)
    with st.container(border=True, gap=None):
        for position, line in enumerate(views.call_backs(actor, scope, page), 1):
            contacts_parts.call_back_row(line, position=position, owner=scope != "mine")
    lists.pager(total, key="call_backs.page", rows=views.PAGE_SIZE)


def _promises(scope: str) -> None:
    actor = who.actor()
    open_ones = views.promises(actor, scope)
    st.subheader("Promises")
    if not open_ones:
        _empty(
            "No promise is open",
            "Every date, credit or visit told to a caller is listed here until it is kept or broken.",
        )
    else:
        with st.container(border=True, gap=None):
            for line in open_ones:
                contacts_parts.promise_row(line, owner=scope != "mine")
        if len(open_ones) == views.PAGE_SIZE:
            st.caption(f"The first {views.PAGE_SIZE}; settle these to see more.")
    settled = views.promises(actor, scope, settled=True)
    if settled:
        with st.expander("Kept and broken", icon=":material/history:"):
            for line in settled:
                contacts_parts.settled_row(line, owner=scope != "mine")


@who.fragment
def draw() -> None:
    actor = who.actor()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("Call-backs and promises", width="content")
        names = views.scopes(actor)
        asked = go.param("scope")
        first = asked if asked is not None and asked in names else "mine"
        scope = st.segmented_control(
            "Whose",
            list(names),
            default=first,
            required=True,
            format_func=names.__getitem__,
            label_visibility="collapsed",
            key="call_backs.scope",
        )
    contacts_parts.said("call_backs", toast=True)
    if actor.may("conversation.work"):
        with st.popover("Plan a call-back", icon=":material/add_call:", key="call_backs.plan_popover"):
            contacts_parts.plan_call_back(call.context(), "call_backs")
    _call_backs(scope or "mine")
    _promises(scope or "mine")


draw()
