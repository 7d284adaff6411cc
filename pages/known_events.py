"""Known events: what is going on, what to tell callers, and the next word; supervisors announce, change and end them."""

import streamlit as st

from portal.desk import attempt, go, who
from portal.desk import service_requests_parts as parts
from portal.desk.text import inert, user_text
from portal.service_requests import commands, views


def draw() -> None:
    """In force at the left, the form at the right for those who announce."""
    st.title("Known events")
    view = views.known_events()
    may_edit = who.actor().may("known_event.edit")
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        if not view.active:
            with st.container(border=True):
                st.subheader("Nothing is going on")
                st.caption(
                    "No trouble is known that many would call about. What a supervisor announces stands here, and on each new request it explains."
                )
        for line in view.active:
            card(line, may_edit)
        if view.ended:
            with st.expander(f"Ended lately ({len(view.ended)})"):
                for line in view.ended:
                    st.markdown(f"**{inert(line.title)}** · ended {inert(line.ended)} · {line.callers:,} callers")
    with right:
        if may_edit:
            chosen = next((line for line in view.active if line.event_id == go.param_int("id")), None)
            announce(view, chosen)
        else:
            st.info(
                "Supervisors announce and end known events. Read the words to callers as they stand.",
                icon=":material/visibility:",
            )


def card(line: views.KnownEventLine, may_edit: bool) -> None:
    """One event: what, where, since when, and the words to read."""
    with st.container(border=True, key=f"event-{line.event_id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(
                f":orange-badge[:material/crisis_alert: {inert(line.kind)}] **{inert(line.title)}**", width="content"
            )
            st.caption(inert(line.number), width="content")
        user_text(line.words)
        said = [line.areas, f"since {line.started}", f"{line.callers:,} callers"]
        if line.premise_count:
            said.append(f"about {line.premise_count:,} premises")
        st.caption(inert(" · ".join(said)))
        if line.overdue:
            st.markdown(
                f":red[:material/schedule: The next word was promised for {inert(line.next_word)}. Give it, or a new time.]"
            )
        elif line.next_word:
            st.caption(inert(f"Next word {line.next_word}"))
        if may_edit:
            with st.container(horizontal=True):
                if st.button("Change", key=f"change-{line.event_id}", icon=":material/edit:"):
                    go.to("known_events", id=line.event_id)
                attempt.act(
                    "It is over", commands.end_known_event, line.event_id, line.version,
                    key_parts=("end", line.event_id, line.version), spot=("end", line.event_id), icon=":material/check:",
                )  # fmt: skip


@who.fragment
def announce(view: views.KnownEventsView, chosen: views.KnownEventLine | None) -> None:
    """The form for a new event, or for the one that is being changed."""
    command = commands.start_known_event if chosen is None else commands.update_known_event
    form = attempt.begin("known_events", command, title="Known event")
    if form.receipt:
        with st.container(border=True):
            st.subheader(f":green[:material/check_circle:] {inert(form.receipt.title)}")
            st.code(form.receipt.number, language=None, width="content")
            if st.button("Announce another", key="again"):
                go.to("known_events")
        return
    parts.known_event_form(form, view, chosen)
    if chosen is not None and st.button("Announce a new one instead", type="tertiary", key="new"):
        go.to("known_events")


draw()
