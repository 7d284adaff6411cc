"""Transfer service: the old place ends, the new one begins, on the same account; both or neither."""

import streamlit as st

from portal.desk import attempt, moves_parts, who
from portal.moves import commands
from portal.moves.rules import form as asked_for
from portal.moves.views import form as views
from portal.shared.text import count_text


@who.fragment
def draw() -> None:
    form = attempt.begin("transfer_service", commands.transfer_service, title="Transfer service")
    account_id, _, premise_id = moves_parts.caller()
    if form.receipt:
        moves_parts.receipt(form.receipt)
        return
    old = views.stop_form(account_id)
    screen = views.start_form(who.actor(), premise_id, account_id)
    moves_parts.head("Transfer service", screen.customer)
    if old.premise_id is None:
        st.text(
            "Nothing is active on this account."
            if old.customer.name
            else "Find the customer first, then transfer service from there."
        )
        return
    if screen.place is None:
        moves_parts.choose_premise("Where does the customer move to?")
        return
    conversation = moves_parts.conversation_id()
    lines = {place.premise_id: place.line for place in old.places}
    left, right = st.columns([1.85, 1], gap="large")
    with left:
        st.subheader("From")
        place, day = st.columns([2, 1])
        form.choice("from_premise", "Old address", list(lines), old.premise_id, format_func=lines.get, on=place)
        form.date("stop_on", "Last day there", screen.on, on=day)
        st.subheader("To")
        moves_parts.place_line(form, screen)
        plan = moves_parts.start_fields(form, screen, conversation, transfer=True)
        leaving = asked_for.StopForm(
            screen.customer.account_id,
            form.value("from_premise"),
            tuple(kind.code for kind in old.kinds),
            form.value("stop_on"),
        )
        chosen = len(form.value("service_kinds") or ())
        form.submit(
            f"Transfer {count_text(chosen, 'service')}" if chosen else "Transfer service",
            lambda v: (
                asked_for.TransferForm(
                    account_id=screen.customer.account_id,
                    from_premise_id=v["from_premise"],
                    stop_on=v["stop_on"],
                    start=moves_parts.start_answers(v.__getitem__, screen, conversation),
                ),
            ),
            draft_title=f"Transfer service to {screen.address}",
        )
        moves_parts.booked(screen.customer.account_id)
    with right:
        ends = views.stop_form(account_id, form.value("from_premise"), leaving).read_back
        moves_parts.start_side(plan, screen.customer, before=ends.removesuffix(" Is that right?"))


draw()
