"""Start service: where, which services, when, for whom; beside it what it costs and what happens next."""

import streamlit as st

from portal.desk import attempt, focus, moves_parts, once, who
from portal.moves import commands
from portal.moves.views import form as views
from portal.shared.text import count_text


@who.fragment
def draw() -> None:
    with once.look():
        show()


def show() -> None:
    form = attempt.begin("start_service", commands.start_service, title="Start service")
    account_id, person_id, premise_id = moves_parts.caller()
    screen = views.start_form(who.actor(), premise_id, account_id, person_id)
    if form.receipt:
        moves_parts.receipt(form.receipt, again="Start another")
        return
    moves_parts.head("Start service", screen.customer)
    if screen.place is None:
        moves_parts.choose_premise("Where does service start?")
        return
    conversation = moves_parts.conversation_id()
    left, right = st.columns([1.85, 1], gap="large")
    with left:
        st.subheader("Where")
        moves_parts.place_line(form, screen)
        plan = moves_parts.start_fields(form, screen, conversation)
        chosen = len(form.value("service_kinds") or ())
        form.submit(
            f"Start {count_text(chosen, 'service')}" if chosen else "Start service",
            lambda v: (moves_parts.start_answers(v.__getitem__, screen, conversation),),
            draft_title=f"Start service, {screen.address}",
        )
        moves_parts.booked(screen.customer.account_id)
    with right:
        moves_parts.start_side(plan, screen.customer)


focus.first("move.premise.find")  # there while no address is chosen
draw()
