"""Call desk: the one box that finds anybody, and beside it what is due today."""

import streamlit as st

from portal.contacts import views as contacts
from portal.desk import accounts_parts as parts
from portal.desk import attempt, call, focus, go, who
from portal.desk.text import due, inert, moment
from portal.service_requests import views as service_requests
from portal.shared.text import count_text
from portal.waste import views as waste


def draw() -> None:
    """The find box at the left, the day at the right."""
    st.title("Call desk")
    focus.first("find.text")
    left, right = st.columns([2.35, 1], gap="large")
    with left:
        find()
    with right:
        call_backs()
        not_finished()
        today_at_desk()


@who.fragment
def find() -> None:
    """Live search: typing reruns only this."""
    found = parts.find_box("find.text")
    if found.too_short:
        st.caption(
            "Typing mistakes, parts and any order of words are fine. Enter opens the first match, Alt+number any."
        )
    elif found.matches:
        st.caption(f"{found.how} · {found.took_ms} ms · Enter opens the first, Alt+number any")
        parts.match_rows(found, parts.open_match)
        parts.places(found)
    else:
        st.caption(f"No match · {found.took_ms} ms")
        parts.nothing_found(found)


def call_backs() -> None:
    """The next calls this person owes."""
    actor = who.actor()
    if not actor.may("callback.work"):
        return
    lines = contacts.call_backs_due(actor)
    with st.container(border=True, gap="small"):
        parts.card_head("Your call-backs", f"{len(lines)} open" if lines else "")
        if not lines:
            st.caption("Nobody is waiting for a call from you.")
        for line in lines[:3]:
            with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"row-callback-{line.id}"):
                with st.container(gap=None, width="stretch"):
                    color = "red" if line.late else "gray"
                    st.markdown(f":{color}-badge[{inert(due(line.due_at))}] **{inert(line.name or line.phone)}**")
                    st.caption(inert(line.why))
                opens = line.account_id is not None or line.person_id is not None
                if opens and st.button("Open", key=f"callback-{line.id}", type="tertiary"):
                    call.open_customer(line.account_id, person_id=line.person_id if line.account_id is None else None)
        if len(lines) > 3 and st.button(
            "All call-backs", key="callbacks.all", type="tertiary", icon=":material/phone_callback:"
        ):
            go.to("call_backs")


def not_finished() -> None:
    """Forms begun and not carried out: what was typed is kept."""
    drafts = attempt.drafts(who.actor())
    if not drafts:
        return
    with st.container(border=True, gap="small"):
        parts.card_head("Not finished", count_text(len(drafts), "draft"))
        for draft in drafts[:3]:
            with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"row-draft-{draft.key}"):
                with st.container(gap=None, width="stretch"):
                    st.markdown(f"**{inert(draft.title)}**")
                    st.caption(inert(f"saved {moment(draft.saved_at)}"))
                if st.button("Continue", key=f"draft-{draft.key}", type="tertiary", icon=":material/edit_note:"):
                    go.to(draft.page, **(draft.query | {attempt.PARAM: draft.key}))


def today_at_desk() -> None:
    """What callers will ask about today."""
    actor = who.actor()
    day = service_requests.today_at_desk(actor) if actor.may("request.read") else None
    slides = waste.slides_this_week()
    with st.container(border=True, gap="small"):
        parts.card_head("Today at the desk")
        if slides:
            head, _, days = slides.partition(": ")
            st.markdown(f"**{inert(head)}**: {inert(days)}")
        for _, title, next_word in day.known_events if day is not None else ():
            st.markdown(f"**{inert(title)}**" + (f", next word {inert(next_word)}" if next_word else ""))
        if day is not None and (day.mine or day.late):
            st.markdown(f"{count_text(day.mine, 'request')} with you, {day.late} late in your division.")
            if st.button("Work queue", key="desk.queue", type="tertiary", icon=":material/checklist:"):
                go.to("work_queue")
        if not slides and (day is None or not (day.known_events or day.mine or day.late)):
            st.caption("An ordinary day: nothing known that callers would ask about.")


draw()
