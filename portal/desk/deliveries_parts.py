"""What the Deliveries page draws: a message in a list, and one message with its wording and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from portal.contacts import commands
from portal.contacts.rules.delivery import FOR_PEOPLE
from portal.desk import attempt, go
from portal.desk.text import inert, user_text

if TYPE_CHECKING:
    from portal.contacts.views.deliveries import MessageLine, MessageView

COLORS = {"failed": "red", "no_address": "orange", "sent": "green", "posted": "green", "sending": "blue"}


def row(line: MessageLine, *, opened: bool) -> None:
    """One message: state, title, for whom, why it waits."""
    with st.container(border=True, gap="small", key=f"message-{line.message_id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            color = COLORS.get(line.state_code, "gray")
            st.markdown(
                f":{color}-badge[{inert(line.state)}] {inert(line.way)} · **{inert(line.title)}**", width="content"
            )
            if not opened and st.button(
                "Open", key=f"open-{line.message_id}", help=None, icon=":material/open_in_new:"
            ):
                go.to("deliveries", id=line.message_id)
        tried = f" · {line.attempts} tr{'y' if line.attempts == 1 else 'ies'}" if line.attempts else ""
        st.caption(inert(f"To {line.to}{f', {line.address}' if line.address else ''} · {line.when}{tried}"))
        if line.reason:
            user_text(line.reason)


def one(view: MessageView, *, may_work: bool) -> None:
    """One message: acts first, then the wording exactly as it goes out, then its tries."""
    line = view.line
    row(line, opened=True)
    with st.container(horizontal=True):
        if st.button("Back to the list", key="back", icon=":material/arrow_back:"):
            go.to("deliveries")
        if line.page and st.button("What it is about", key="about", icon=":material/assignment:"):
            go.to(line.page, id=line.subject_id)
    if may_work and line.state_code in (*FOR_PEOPLE, "to_print"):
        _acts(line)
    if line.hidden:
        st.caption("The wording goes to a protected person. A supervisor may read it.")
    elif view.body:
        st.subheader("Exactly as it goes out")
        with st.container(border=True):
            user_text(view.body)
        st.caption(inert(f"{view.key} · SHA-256 {view.body_hash}"))
    else:
        st.caption("Its wording is written when it is sent on its way.")
    if view.tries:
        st.subheader("Tries")
        for each in view.tries:
            user_text(f"{each.when}: {each.what}")


def _acts(line: MessageLine) -> None:
    parts = (line.message_id, line.version)
    if line.state_code in FOR_PEOPLE:
        with st.container(horizontal=True):
            attempt.act(
                "Try again", commands.try_again, *parts,
                key_parts=("again", *parts), spot=("again", line.message_id), primary=True, icon=":material/replay:",
            )  # fmt: skip
            if line.is_person and line.way != "Letter":
                attempt.act(
                    "Send a letter instead", commands.send_as_letter, *parts,
                    key_parts=("letter", *parts), spot=("letter", line.message_id), icon=":material/mail:",
                )  # fmt: skip
    left, right = st.columns(2)
    if line.state_code in FOR_PEOPLE:
        with left.container(border=True):
            field = f"deliveries.address.{line.message_id}"
            st.text_input("Send it to another address", key=field, max_chars=300)
            attempt.act(
                "Send there", commands.change_address, *parts, lambda: st.session_state.get(field) or "",
                key_parts=("address", *parts), spot=("address", line.message_id), clears=(field,),
            )  # fmt: skip
    with right.container(border=True):
        why = f"deliveries.reason.{line.message_id}"
        st.text_input("Give it up, because", key=why, max_chars=500)
        attempt.act(
            "Give up", commands.give_up, *parts, lambda: st.session_state.get(why) or "",
            key_parts=("give_up", *parts), spot=("give_up", line.message_id), clears=(why,),
        )  # fmt: skip
