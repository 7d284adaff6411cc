"""Adjust a bill: what for, which line, how much; what it does to the balance and who must decide stands beside it."""

import streamlit as st

from portal.billing import commands, views
from portal.desk import adjustment_parts as parts
from portal.desk import attempt, focus, go, once, who
from portal.desk.text import inert


def draw() -> None:
    """The account's line above, the form below."""
    account_id = go.param_int("account")
    page = None if account_id is None else read(account_id)
    if page is None:
        st.title("No account is open")
        st.text("Find the customer first; the key B on their page leads here.")
        if st.button("Find a customer", type="primary", icon=":material/search:", key="adjust.find"):
            go.to("call_desk")
        return
    parts.header(page)
    focus.first(".what")
    entry(page.account_id)


def read(account_id: int) -> views.AdjustPage | None:
    """What the form is drawn from, once in a run."""
    return once.ask(f"adjust.{account_id}", lambda: views.adjust_page(account_id, who.actor()))


@who.fragment
def entry(account_id: int) -> None:
    """The whole form, or its receipt; choices rerun only this."""
    form = attempt.begin("adjust_bill", commands.adjust_bill, title="Adjust a bill")
    if form.receipt:
        attempt.show_receipt(form.receipt, again="Another adjustment", back=("customer", {"account": account_id}))
        return
    page = read(account_id)
    if page is None:
        return
    st.title("Adjust a bill")
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        choices = page.choices
        what = form.choice(
            "what", "What for?", list(choices), format_func=choices.__getitem__, icon=":material/search:", required=True,
            placeholder="Leak, late fee, missed, sorry …",
        )  # fmt: skip
        chosen = page.chosen(what)
        if chosen is None:
            st.caption(inert(page.policy.helper))
            with right:
                parts.consequences(page, None)
            return
        seen = views.preview(page, parts.questions(form, page, *chosen), form.actor)
        with st.container(horizontal=True, vertical_alignment="center"):
            form.submit(
                "Send for approval" if seen.worked and not seen.at_once else "Post it",
                lambda v: (parts.as_form(page, *chosen, v),),
                draft_title=f"Adjust a bill: {chosen[0].name}",
            )
            st.caption("What you type is kept as a draft.", width="content")
    with right:
        parts.consequences(page, seen)


draw()
