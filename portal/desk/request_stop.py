"""What stands instead of “Open the request” when an answer ends the call: what to say, why, and the one button that keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from portal.desk import forms
from portal.desk.text import user_text
from portal.service_requests import commands
from portal.service_requests.rules.request_type import OUTCOMES
from portal.service_requests.rules.stop import AdviceForm

if TYPE_CHECKING:
    from portal.desk.attempt import Attempt
    from portal.desk.service_requests_parts import About
    from portal.service_requests.views import RequestFormView


def draw(form: Attempt, view: RequestFormView, subject: About, premise_id: int | None) -> None:
    """No request is opened: the caller is advised, or refused with the reason; another answer brings the form back."""
    ends = view.stop
    if ends is None:
        return
    definition = view.definition
    with st.container(border=True, key="stopped"):
        st.markdown(f":orange-badge[:material/pan_tool: No request is opened] **{OUTCOMES[ends.outcome]}**")
        st.subheader("Say to the caller")
        user_text(ends.caller)
        st.caption("Why, for the desk")
        user_text(ends.staff, grey=True)
        replace(form, command=commands.advise_caller).submit(
            "Caller is refused, end here" if ends.outcome == "refused" else "Caller is advised, end here",
            lambda v: (
                AdviceForm(
                    definition.code, forms.answers(definition, v), premise_id, subject.account_id, subject.person_id,
                    subject.conversation_id,
                ),
            ),
            draft_title=f"New request: {definition.name}",
        )  # fmt: skip
