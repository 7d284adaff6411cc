"""Stop service: which services end when, where the last bill goes, and whether the owner takes over."""

from typing import Any

import streamlit as st

from portal.desk import attempt, contacts_parts, moves_parts, who
from portal.desk.text import inert
from portal.moves import commands
from portal.moves.rules import form as asked_for
from portal.moves.views import form as views
from portal.shared.text import count_text


def _answers(get: Any, screen: views.StopScreen, conversation: int | None) -> asked_for.StopForm:
    return asked_for.StopForm(
        account_id=screen.customer.account_id,
        premise_id=screen.premise_id,
        service_kinds=tuple(get("service_kinds") or ()),
        on=get("on"),
        forwarding_address=get("forwarding_address") or "",
        phone=get("phone") or "",
        asked_by=get("asked_by") or "",
        window=get("window") or "",
        conversation_id=conversation,
    )


def _choose(form: attempt.Attempt, first: views.StopScreen, conversation: int | None) -> views.StopScreen:
    """Services and day; returns the screen for the answers as they are."""
    st.subheader("Services")
    kinds = moves_parts.services(form, first.kinds, f"Active at {first.address}".replace("*", ""))
    answers = {"service_kinds": kinds, "on": form.value("on", first.on), "phone": form.value("phone")}
    screen = views.stop_form(first.customer.account_id, first.premise_id, _answers(answers.get, first, conversation))
    if screen.pending:
        st.caption(inert(screen.pending))
    day, window = st.columns(2)
    form.date("on", "Last day", first.on, on=day)
    if screen.visit_needed:
        form.choice(
            "window",
            "Field visit",
            list(screen.windows),
            format_func=screen.windows.get,
            placeholder="Any time of day",
            on=window,
        )
    return screen


@who.fragment
def draw() -> None:
    form = attempt.begin("stop_service", commands.stop_service, title="Stop service")
    account_id, _, premise_id = moves_parts.caller()
    if form.receipt:
        moves_parts.receipt(form.receipt)
        return
    first = views.stop_form(account_id, premise_id)
    moves_parts.head("Stop service", first.customer)
    if first.premise_id is None:
        st.text(
            "Nothing is active on this account."
            if first.customer.name
            else "Find the customer first, then stop service from there."
        )
        return
    conversation = moves_parts.conversation_id()
    left, right = st.columns([1.85, 1], gap="large")
    with left:
        if len(first.places) > 1:
            lines = {place.premise_id: place.line for place in first.places}
            where = st.selectbox(
                "Where",
                list(lines),
                list(lines).index(first.premise_id),
                format_func=lambda one: lines[one],
                key="stop.where",
            )
            if where != first.premise_id:
                st.query_params["premise"] = str(where)
                st.rerun()
        screen = _choose(form, first, conversation)
        st.subheader("Who asks, and where the last bill goes")
        form.choice("asked_by", "Asked by", list(first.asked_by), "customer", format_func=first.asked_by.get)
        if form.value("asked_by") == "owner" and first.landlord:
            st.markdown(f":orange[:material/gavel: {inert(first.landlord)}]")
        form.text("forwarding_address", "Forwarding address", placeholder="Mailing address on file")
        form.phone("phone", "Number afterwards", placeholder=first.customer.phone)
        for name in ("premise", "account"):
            form.problem(name)
        chosen = len(form.value("service_kinds") or ())
        form.submit(
            f"Stop {count_text(chosen, 'service')}" if chosen else "Stop service",
            lambda v: (_answers(v.__getitem__, first, conversation),),
            draft_title=f"Stop service, {first.address}",
        )
        moves_parts.booked(first.customer.account_id)
    with right:
        customer = first.customer
        contacts_parts.identity_card(screen.identity, account_id=customer.account_id, person_id=customer.person_id)
        if screen.continuity:
            with st.container(border=True):
                st.subheader("The owner takes over")
                st.text(screen.continuity)
        moves_parts.next_steps(screen.steps)
        moves_parts.read_back(screen.read_back)


draw()
