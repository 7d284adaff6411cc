"""Call-backs and promises: what the city owes callers, the most urgent first, one open beside the list."""

import streamlit as st

from portal.contacts import views
from portal.desk import call, contacts_parts, go, lists, who
from portal.desk import call_backs_parts as parts
from portal.shared.text import count_text


def _nothing() -> None:
    with st.container(border=True):
        st.markdown(":green[:material/check_circle:] **No call-back and no promise is open**")
        st.caption(
            "A call-back planned on a call, at wrap-up or above, and every date, credit or visit told to a caller is "
            "listed here until it is done."
        )


def _settled(scope: str) -> None:
    """Read when it is opened: it is looked at now and then, and is as long as the list itself."""
    history = st.expander(
        "Kept and broken", icon=":material/history:", key="call_backs.settled", on_change="rerun", width="stretch"
    )
    if history.open:
        with history:
            found = views.promises(who.actor(), scope, settled=True)
            parts.settled(found, owner=scope != "mine")
            if not found:
                st.caption("No promise has been settled yet.")


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
    scope = scope or "mine"
    found = views.owed(actor, scope, st.session_state.get("call_backs.page", 1))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        if actor.may("conversation.work"):
            with st.popover("Plan a call-back", icon=":material/add_call:", key="call_backs.plan_popover"):
                contacts_parts.plan_call_back(call.context(), "call_backs")
        counts = f"{count_text(found.call_backs, 'call-back')} · {count_text(found.promises, 'promise')}"
        st.caption(counts, width="content")
    if not found.lines:
        _nothing()
    else:
        left, right = st.columns([1.6, 1], gap="medium")
        with left, st.container(border=True):
            chosen = parts.owed_list(found.lines, owner=scope != "mine")
            lists.pager(found.total, key="call_backs.page", rows=views.OWED_ROWS)
        with right:
            parts.opened(chosen, owner=scope != "mine")
    _settled(scope)


draw()
