"""The conversation in progress, as every page sees it: what is known of the caller is never asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from portal.contacts import commands, views
from portal.desk import contacts_parts, go, once, who

if TYPE_CHECKING:
    from portal.contacts.views import Call


def context() -> Call | None:
    """This person's open conversation; None between calls."""
    return once.ask("call.context", lambda: views.open_call(who.actor()))


def open_customer(
    account_id: int | None = None, *, person_id: int | None = None, premise_id: int | None = None
) -> NoReturn:
    """Opens a customer's summary; while a call is open, the call becomes about this customer."""
    here = context()
    if here is not None and (here.account_id, here.person_id, here.premise_id) != (account_id, person_id, premise_id):
        # A refusal (one's own record, a relative's) is shown in the call bar; looking is not acting.
        linked = contacts_parts.carry_out(
            "call_bar",
            (),
            lambda _key: commands.link_customer(
                who.actor(), here.id, account_id=account_id, person_id=person_id, premise_id=premise_id
            ),
        )
        if linked is not None:
            st.session_state.pop("call_bar.said")
    go.to(
        "customer",
        account=account_id,
        person=person_id if account_id is None else None,
        premise=premise_id if account_id is None and person_id is None else None,
    )
