"""Request types: what citizens can ask for, found by any word, each a click away from being changed."""

import streamlit as st

from portal.desk import attempt, focus, go, who
from portal.desk import request_type_list as parts
from portal.service_requests.views import request_types as views
from portal.shared.text import fold


def draw() -> None:
    """The title with what can be begun, the search, the list by group."""
    focus.first("rt-find")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Request types", width="content")
        with st.container(horizontal=True, width="content"):
            if st.button("New request type", type="primary", icon=":material/add:", key="rt-new", shortcut="Alt+N"):
                go.to("request_type", part="basics")
            if st.button("Bring in a file", icon=":material/upload_file:", key="rt-import"):
                parts.bring_in(who.actor())
    parts.begun(who.actor(), [draft for draft in attempt.drafts(who.actor()) if draft.page == "request_type"])
    lines()


@who.fragment
def lines() -> None:
    """The list; the search reruns only this."""
    asked = st.text_input(
        "Find a request type",
        key="rt-find",
        icon=":material/search:",
        placeholder="A name, a department, a caller’s word",
    )
    words = fold(asked or "").split()
    found = [line for line in views.request_type_lines() if all(word in line.words for word in words)]
    if not found:
        st.caption("Nothing is found by these words. Try another word of the caller’s, or design a new request type.")
    parts.groups(found)


draw()
