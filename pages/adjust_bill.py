"""Adjust a bill: what for, which line, how much; what it does to the balance and who must decide stands beside it."""

import streamlit as st

from portal.billing import commands, views
from portal.billing.rules.adjustment import AMOUNT, PERCENT, AdjustmentForm
from portal.billing.rules.adjustment_type import AdjustmentType, Reason
from portal.desk import adjustment_parts as parts
from portal.desk import attempt, call, focus, go, who
from portal.desk.text import inert

WAYS = {AMOUNT: "Amount", PERCENT: "Percent"}


def draw() -> None:
    """The account's line above, the form below."""
    account_id = go.param_int("account")
    page = None if account_id is None else views.adjust_page(account_id, who.actor())
    if page is None:
        st.title("No account is open")
        st.text("Find the customer first; the key B on their page leads here.")
        if st.button("Find a customer", type="primary", icon=":material/search:", key="adjust.find"):
            go.to("call_desk")
        return
    parts.header(page)
    focus.first(".what")
    entry(page.account_id)


@who.fragment
def entry(account_id: int) -> None:
    """The whole form, or its receipt; choices rerun only this."""
    form = attempt.begin("adjust_bill", commands.adjust_bill, title="Adjust a bill")
    if form.receipt:
        attempt.show_receipt(form.receipt, again="Another adjustment", back=("customer", {"account": account_id}))
        return
    page = views.adjust_page(account_id, form.actor)
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
        asked = questions(form, page, *chosen)
        seen = views.preview(page, asked, form.actor)
        with st.container(horizontal=True, vertical_alignment="center"):
            label = "Send for approval" if seen.worked and not seen.at_once else "Post it"
            form.submit(label, lambda v: (now(page, chosen, v),), draft_title=f"Adjust a bill: {chosen[0].name}")
            st.caption("What you type is kept as a draft.", width="content")
    with right:
        parts.consequences(page, seen)


def questions(form: attempt.Attempt, page: views.AdjustPage, kind: AdjustmentType, reason: Reason) -> AdjustmentForm:
    """The fields of one type, in the order they are answered; answers with the form as it stands."""
    st.caption(inert(kind.when))
    bill, first, second = None, *st.columns([1.4, 1], gap="medium")
    if kind.needs_bill:
        bills = {each.bill_id: views.bill_words(each, page.today) for each in page.fitting_bills(kind) or page.bills}
        # A bill that was chosen for another type may have no line for this one.
        if form.value("bill") not in bills:
            form.set("bill", page.first_bill(kind))
        bill = page.bill(
            form.choice("bill", "Bill", list(bills), on=first, format_func=bills.__getitem__, required=True)
        )
    lines = page.lines(kind, bill)
    if form.value("line") not in lines:
        form.set("line", next(iter(lines)) if len(lines) == 1 else None)
    label = "Line" if kind.needs_bill else "Service"
    service_kind = form.choice(
        "line", label, list(lines), on=second, format_func=lambda code: lines[code], required=True
    )
    line = None if bill is None or service_kind is None else bill.line(service_kind)
    if bill is not None and line is not None:
        parts.line_card(page, bill, line)
    way, much, back = st.columns([1, 1, 1], gap="medium", vertical_alignment="bottom")
    by = AMOUNT
    if kind.needs_bill:
        by = form.pick("by", "By", list(WAYS), AMOUNT, on=way, format_func=WAYS.__getitem__, required=True) or AMOUNT
    propose(form, page.proposed(kind, bill, service_kind or "") if by == AMOUNT else "")
    word = "Credit" if kind.is_credit else "Charge"
    form.text("amount", f"{word}, {'$' if by == AMOUNT else '%'}", on=much)
    if kind.months_back_most is not None:
        form.number("months", "Months back", on=back, min_value=1, max_value=120, step=1)
    needed = "" if reason.needs_note else " (optional)"
    form.area("note", f"Why, for the bill and the audit{needed}", height=90, placeholder=reason.evidence)
    return now(page, (kind, reason), form.answers(("bill", "line", "by", "amount", "note", "months")))


def propose(form: attempt.Attempt, offered: str) -> None:
    """Puts the amount the type's rule offers into the field, unless somebody has typed another."""
    last = st.session_state.get(f"{form.key}.offered", "")
    if offered != last and form.value("amount", "") in ("", None, last):
        form.set("amount", offered)
    st.session_state[f"{form.key}.offered"] = offered


def now(page: views.AdjustPage, chosen: tuple[AdjustmentType, Reason], v: attempt.Values) -> AdjustmentForm:
    """The form as its fields hold it."""
    kind, reason = chosen
    here = call.context()
    return AdjustmentForm(
        account_id=page.account_id, type_code=kind.code, reason_code=reason.code,
        bill_id=v["bill"] if kind.needs_bill else None, service_kind=v["line"] or "", by=v["by"] or AMOUNT,
        amount=v["amount"] or "", note=v["note"] or "", months=v["months"],
        conversation_id=here.id if here is not None and here.account_id == page.account_id else None,
    )  # fmt: skip


draw()
