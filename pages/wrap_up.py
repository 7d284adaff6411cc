"""Wrap up: why the caller came, how it ended, what the city owes, what the caller thought. What was done is already known."""

import streamlit as st

from portal.contacts import commands, rules, views
from portal.desk import attempt, contacts_parts, go, who
from portal.desk.text import inert
from portal.shared.text import count_text, format_phone


def _owed(form: attempt.Attempt, call: views.Call, subjects: dict[str, str]) -> None:
    """The three parts that only some calls need."""
    with st.expander("Call back", icon=":material/phone_callback:", key="wrap_up.call_back"):
        form.text("call_back_why", "What to tell them")
        with st.container(horizontal=True):
            form.phone("call_back_phone", "Number", default=format_phone(call.phone))
            form.date("call_back_due", "Day")
            form.time("call_back_time", "Time", step=900)
    with st.expander("Promise", icon=":material/handshake:", key="wrap_up.promise"):
        kind = form.pick(
            "promise_kind", "What was promised", list(rules.PROMISE_KINDS), format_func=rules.PROMISE_KINDS.get
        )
        form.text("promise_words", "In your words")
        with st.container(horizontal=True):
            form.date("promise_due", "By")
            form.time("promise_time", "Time", step=900)
            if kind == "credit":
                form.money("promise_amount", "Amount")
    with st.expander("Opinion heard", icon=":material/forum:", key="wrap_up.opinion"):
        form.choice("opinion_subject", "About", list(subjects), format_func=subjects.get)
        form.pick("opinion_stance", "The caller is", list(rules.STANCES), format_func=rules.STANCES.get)
        form.text("opinion_words", "In the caller's words")


@who.fragment
def draw() -> None:
    form = attempt.begin("wrap_up", commands.wrap_up, title="Wrap up")
    if form.receipt:
        attempt.show_receipt(form.receipt)
        if st.button("Ready for the next call", type="primary", shortcut="Ctrl+Enter", icon=":material/headset_mic:"):
            go.to("call_desk")
        return
    shown = views.wrap_up_form(who.actor())
    if shown is None:
        st.title("No call is open")
        st.text("Take a call in the bar below. When it ends, this page closes it.")
        if st.button("Call desk", type="primary", icon=":material/headset_mic:"):
            go.to("call_desk")
        return
    st.title("Wrap up")
    st.markdown(
        f":gray[{inert(' · '.join(part for part in (shown.call.name, shown.call.channel_name, shown.call.number) if part))}]"
    )
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        with st.container(border=True):
            form.choice(
                "reason", "Why they called", list(shown.reasons), shown.reason_code, format_func=shown.reasons.get
            )
            form.choice(
                "disposition",
                "How it ended",
                list(shown.dispositions),
                shown.disposition_code,
                format_func=shown.dispositions.get,
            )
            form.area("note", "Note", default=shown.call.note, height=110)
        _owed(form, shown.call, shown.subjects)
        with st.container(horizontal=True):
            form.submit(
                "Wrap up",
                lambda v: contacts_parts.wrap_up_of(v, shown.call),
                icon=":material/call_end:",
                draft_title=f"Wrap up, {shown.call.name}",
            )
            if st.button("Back to the call", icon=":material/arrow_back:"):
                go.to("customer" if shown.call.account_id else "call_desk", account=shown.call.account_id)
    with right, st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", wrap=False):
            st.subheader("On this call", width="content")
            st.caption(count_text(len(shown.done), "entry").replace("entrys", "entries"), width="content")
        contacts_parts.timeline(shown.done)


draw()
