"""Emergency: what happened, what to say, whom to transfer to now, and one button that stamps it. No find, no queue."""

import streamlit as st

from portal import settings
from portal.contacts import commands
from portal.contacts.rules import Emergency
from portal.desk import attempt, call, go, who
from portal.desk.text import inert
from portal.directory import views
from portal.shared.text import format_phone


def _stamped(form: attempt.Attempt, kind: views.EmergencyKind | None) -> None:
    receipt = form.receipt
    assert receipt is not None
    st.title(f":green[:material/check_circle:] {inert(receipt.title)}")
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        if kind is not None:
            _script(kind)
        if st.button("Back to the desk", type="primary", shortcut="Alt+B", key="emergency.back"):
            go.to("call_desk")
    with right, st.container(border=True):
        st.subheader("Stamped")
        st.code(receipt.number, language=None, width="content")
        for note in receipt.notes:
            st.text(note)
        st.caption("Nothing waits in a queue: the transfer is yours to make now.")


def _script(kind: views.EmergencyKind) -> None:
    with st.container(border=True, gap="small"):
        st.subheader("Say to the caller")
        st.markdown("\n".join(f"{number}. {inert(line)}" for number, line in enumerate(kind.say, 1)))
    with st.container(border=True, gap="small"):
        st.subheader("Ask")
        st.markdown("\n".join(f"- {inert(line)}" for line in kind.ask))


def _number(kind: views.EmergencyKind) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="large"):
        if kind.life:
            st.metric("Anyone hurt or in danger", settings.current().emergency_phone, width="content")
        with st.container(gap="xsmall", width="content"):
            st.metric(f"Transfer to {kind.transfer_name}", kind.transfer_phone)
            st.caption(inert(kind.transfer_when))


@who.fragment
def draw() -> None:
    kinds = {kind.code: kind for kind in views.emergency_kinds()}
    chosen = kinds.get(go.param("kind") or "")
    form = attempt.begin("emergency", commands.stamp_emergency, title="Emergency")
    if form.receipt:
        _stamped(form, chosen)
        return
    st.title("Emergency")
    with st.container(key="emergency-kinds"), st.grid(len(kinds) or 1, min_column_width=150):
        for position, kind in enumerate(kinds.values(), 1):
            st.button(
                inert(kind.name),
                key=f"emergency.{kind.code}",
                icon=f":material/{kind.icon}:",
                type="primary" if kind is chosen else "secondary",
                shortcut=f"Alt+{position}",
                width="stretch",
                on_click=lambda code=kind.code: st.query_params.update(kind=code),
            )
    if chosen is None:
        st.text("Choose what happened. The number to transfer to and the words to say come up at once.")
        return
    _number(chosen)
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        _script(chosen)
    with right, st.container(border=True):
        _stamp(form, chosen)


def _stamp(form: attempt.Attempt, kind: views.EmergencyKind) -> None:
    here = call.context()
    place = form.text(
        "place", "Where is it?", default=here.address if here else "", placeholder="Address or nearest crossing"
    )
    form.phone(
        "callback_phone",
        "Number to call back",
        default=format_phone(here.phone) if here else "",
        placeholder="Empty when the caller gives none",
    )
    form.submit(
        "Stamp and transfer",
        lambda v: (
            Emergency(
                kind_code=kind.code,
                place=v["place"] or "",
                callback_phone=v["callback_phone"] or "",
                premise_id=here.premise_id if here and v["place"] == here.address else None,
                conversation_id=here.id if here else None,
            ),
        ),
        icon=":material/emergency_share:",
        draft_title=f"Emergency: {kind.name}, {place}",
    )
    st.caption("Stamped with this minute; nothing waits in a queue.")


draw()
