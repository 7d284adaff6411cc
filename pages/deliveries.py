"""Deliveries: messages that wait, failed or are to print; what keeps them, and what people can do about it."""

import streamlit as st

from portal.contacts import commands
from portal.contacts.views import deliveries as views
from portal.desk import attempt, contacts_parts, go, lists, who
from portal.desk import deliveries_parts as parts
from portal.desk.text import inert, user_text

EMPTY = {
    "people": ("Nothing is left over", "A message that could not be delivered, or has no address, comes here."),
    "print": ("No letter is to be printed", "Letters to citizens come here a few seconds after they were decided."),
    "waiting": ("Nothing waits", "Every message that was written has left."),
    "gone": ("Nothing has left yet", "What was handed over, posted or given up is listed here, the newest first."),
}


def head(overview: views.Overview) -> None:
    """What keeps messages from leaving, said before anything else."""
    if overview.demo:
        st.info("This is a demo: nothing leaves this machine.", icon=":material/science:")
    for sentence in overview.troubles:
        with st.container(border=True):
            user_text(sentence)


def printing(may_work: bool) -> None:
    """The letters as one file, a page each, and the click after they were posted."""
    batch = views.print_batch(who.actor())
    if batch.held_back:
        st.caption(f"{batch.held_back} to protected people: somebody who may see them prints those.")
    if not batch.letters or not may_work:
        return
    with st.container(horizontal=True):
        st.download_button(
            f"Print {len(batch.letters)}", batch.text, file_name="letters.txt", mime="text/plain",
            icon=":material/print:", key="print", on_click="ignore",
        )  # fmt: skip
        attempt.act(
            "All of these are posted", commands.mark_posted, batch.letters,
            key_parts=("posted", batch.letters), spot=("posted",), icon=":material/mark_email_read:",
        )  # fmt: skip


@who.fragment
def draw() -> None:
    actor = who.actor()
    may_work = actor.may("delivery.work")
    st.title("Deliveries")
    contacts_parts.said("deliveries", toast=True)
    chosen = go.param_int("id")
    if chosen is not None:
        found = views.message(actor, chosen)
        if found is None:
            st.caption("There is no such message.")
        else:
            parts.one(found, may_work=may_work)
            return
    overview = views.overview()
    head(overview)
    names = {
        code: f"{title} · {overview.counts[code]:,}" if code in overview.counts else title
        for code, (title, _) in views.LISTS.items()
    }
    which = st.segmented_control(
        "Which", list(names), default="people", required=True, format_func=names.__getitem__,
        label_visibility="collapsed", key="deliveries.which",
    ) or "people"  # fmt: skip
    if which == "people" and may_work and overview.failed > 1:
        attempt.act(
            f"Try all {overview.failed:,} failed again", commands.try_all_again,
            key_parts=("all", overview.failed, overview.counts["waiting"]), spot=("all",), icon=":material/replay:",
        )  # fmt: skip
    if which == "print":
        printing(may_work)
    page = st.session_state.get(f"deliveries.page.{which}", 1)
    lines = views.messages(actor, which, page)
    if not lines:
        with st.container(border=True):
            title, hint = EMPTY[which]
            st.markdown(f":green[:material/check_circle:] **{inert(title)}**")
            st.caption(hint)
    for line in lines:
        parts.row(line, opened=False)
    total = overview.counts.get(which, page * views.PAGE_SIZE + (len(lines) == views.PAGE_SIZE))
    lists.pager(total, key=f"deliveries.page.{which}", rows=views.PAGE_SIZE)


draw()
