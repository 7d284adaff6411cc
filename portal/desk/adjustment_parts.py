"""What the pages of adjustments draw: the line of a bill, the consequences beside the form, one adjustment with its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from portal.billing import commands, views
from portal.billing.rules.adjustment import ACCOUNT_WHOLE, AMOUNT, PERCENT, AdjustmentForm
from portal.billing.rules.adjustment_effect import late_fee_words
from portal.desk import attempt, call, focus, go, who
from portal.desk.text import inert, moment, today, user_text
from portal.shared.money import format_cents
from portal.shared.text import count_text

if TYPE_CHECKING:
    from portal.billing.rules.adjustment import BillFacts, Item, Line
    from portal.billing.rules.adjustment_effect import Effect
    from portal.billing.rules.adjustment_type import AdjustmentType, Reason
    from portal.billing.views import AdjustmentLine, AdjustmentList, AdjustmentView, AdjustPage, Preview

MINUS = "\u2212"
WAYS = {AMOUNT: "Amount", PERCENT: "Percent"}


def signed(cents: int) -> str:
    """An amount with its sign, as a bill shows it."""
    return f"{MINUS if cents < 0 else ''}{format_cents(abs(cents))}"


def fact(label: str, value: str, *, strong: bool = False) -> None:
    """One line of a card: what it is at the left, its value at the right."""
    with st.container(horizontal=True, wrap=False, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f":gray[{inert(label)}]" if not strong else f"**{inert(label)}**", width="content")
        st.markdown(f"**{inert(value)}**" if strong else inert(value), width="content")


# --- the form -----------------------------------------------------------------------------------------------------------


def header(page: AdjustPage) -> tuple[str, dict[str, Any]]:
    """Back to the customer, where and which account, and what matters before adjusting; answers with the way back."""
    back: tuple[str, dict[str, Any]] = ("customer", {"account": page.account_id})
    here = call.context()
    owing = page.money.owed().on(page.today)
    with st.container(horizontal=True, vertical_alignment="center", key="about"):
        if st.button(
            inert(page.person_name), icon=":material/arrow_back:", type="tertiary", shortcut="Esc", key="adjust.back"
        ):
            go.to(back[0], **back[1])
        st.caption(inert(f"{page.address} · Account {page.account_number}".removeprefix(" · ")), width="content")
        if owing.past_due_cents:
            st.badge(f"Past due {inert(format_cents(owing.past_due_cents))}", color="orange")
        if here is not None and here.account_id == page.account_id and here.strength and here.checked_at is not None:
            st.badge(f"Identity checked {moment(here.checked_at)}", icon=":material/verified_user:", color="green")
        if page.closed:
            st.badge("Account closed", color="gray")
    return back


def questions(form: attempt.Attempt, page: AdjustPage, kind: AdjustmentType, reason: Reason) -> AdjustmentForm:
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
    service_kind: str | None = ACCOUNT_WHOLE
    if kind.needs_bill or kind.service_kinds:
        on, label = (second, "Line") if kind.needs_bill else (first, "Service")
        service_kind = form.choice("line", label, list(lines), on=on, format_func=lines.__getitem__, required=True)
    line = None if bill is None or service_kind is None else bill.line(service_kind)
    if bill is not None and line is not None:
        line_card(page, bill, line)
    way, much, back = st.columns([1, 1, 1], gap="medium")
    by = AMOUNT
    if kind.needs_bill:
        by = form.pick("by", "By", list(WAYS), AMOUNT, on=way, format_func=WAYS.__getitem__, required=True) or AMOUNT
    _propose(form, page.proposed(kind, bill, service_kind or "") if by == AMOUNT else "")
    word = "Credit" if kind.is_credit else "Charge"
    form.text("amount", f"{word}, {'$' if by == AMOUNT else '%'}", on=much if kind.needs_bill else way)
    if kind.months_back_most is not None:
        form.number("months", "Months back", on=back, min_value=1, max_value=120, step=1)
    needed = "" if reason.needs_note else " (optional)"
    form.area("note", f"Why, for the bill and the audit{needed}", height=90, placeholder=reason.evidence)
    return as_form(page, kind, reason, form.answers(tuple(form.drawn)))


def _propose(form: attempt.Attempt, offered: str) -> None:
    """Puts the amount the type's rule offers into the field, unless somebody has typed another."""
    last = st.session_state.get(f"{form.key}.offered", "")
    if offered != last and form.value("amount", "") in ("", None, last):
        form.set("amount", offered)
    st.session_state[f"{form.key}.offered"] = offered


def as_form(page: AdjustPage, kind: AdjustmentType, reason: Reason, v: attempt.Values) -> AdjustmentForm:
    """The form as its fields hold it."""
    here = call.context()
    return AdjustmentForm(
        account_id=page.account_id, type_code=kind.code, reason_code=reason.code,
        bill_id=v["bill"] if kind.needs_bill else None, service_kind=v["line"] or ACCOUNT_WHOLE, by=v["by"] or AMOUNT,
        amount=v["amount"] or "", note=v["note"] or "", months=v["months"],
        conversation_id=here.id if here is not None and here.account_id == page.account_id else None,
    )  # fmt: skip


def line_card(page: AdjustPage, bill: BillFacts, line: Line) -> None:
    """A line of a bill with its items, and what is usual there."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(inert(f"{line.name} on this bill"), width="content")
            st.caption(inert(bill.number), width="content")
        items_table(line)
        words = views.usual_words(page.usual(bill, line.service_kind))
        left = views.left_words(bill, line, page.earlier)
        for each in (words, left):
            if each:
                st.caption(inert(each))


def items_table(line: Line) -> None:
    """The items of a line as the bill has them."""
    st.table(
        [
            {
                "Item": inert(item.name),
                "Quantity": "" if item.quantity is None else f"{item.quantity:,f}",
                "Rate, $": _rate(item),
                "Amount, $": f"{item.cents / 100:,.2f}",
            }
            for item in line.items
        ],
        border="horizontal",
        hide_index=True,
        alt="The items of this line as the bill has them.",
    )


def _rate(item: Item) -> str:
    """A price with two decimal places at least, a tax as its percentage."""
    if item.price is None:
        return ""
    if item.tax:
        return f"{item.price.normalize():f}%"
    places = max(2, -int(item.price.normalize().as_tuple().exponent))
    return f"{item.price:,.{places}f}"


def consequences(page: AdjustPage, seen: Preview | None) -> None:
    """The right column: the balance before and after, whether somebody else must decide, how it was found, the letter."""
    if seen is None or seen.worked is None:
        with st.container(border=True):
            st.subheader("Effect on the balance")
            fact("Balance now", signed(page.money.balance_cents))
            if seen is not None and seen.in_the_way:
                for sentence in seen.in_the_way:
                    st.markdown(f":orange[:material/warning: {inert(sentence)}]")
            else:
                st.caption("Choose what it is for and how much: the effect stands here before anything is posted.")
        return
    effect_card(seen.changes, seen.shares, after="After approval" if not seen.at_once else "After posting")
    approval_card(page, seen)
    with st.container(border=True):
        with st.expander("How the amount was found", type="compact", expanded=True):
            for sentence in seen.worked.how:
                st.caption(inert(sentence))
            if seen.policy:
                st.caption(inert(seen.policy))
        if seen.letter is not None:
            with st.expander("The letter", type="compact"):
                st.caption("Goes out when it is posted, the way the bills do.")
                user_text(seen.letter.subject)
                user_text(seen.letter.body, grey=False)


def effect_card(changes: Effect, shares: tuple[tuple[str, int], ...], *, after: str) -> None:
    """The balance, the parts that move it, and what follows for the late fee and the cut-off."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Effect on the balance", width="content")
            st.caption("not posted yet", width="content")
        with st.container(gap=None):
            fact("Balance now", signed(changes.before.balance_cents))
            for words, cents in shares:
                fact(words, signed(cents))
        moved = changes.after.balance_cents - changes.before.balance_cents
        st.metric(after, signed(changes.after.balance_cents), signed(moved), delta_color="off", delta_arrow="off")
        with st.container(gap=None):
            _both("Past due", format_cents(changes.before.past_due_cents), format_cents(changes.after.past_due_cents))
            _both("Late fee", *(late_fee_words(side, today()) for side in (changes.before, changes.after)))
            _both("Cut-off", changes.before.stage, changes.after.stage)


def _both(label: str, before: str, after: str) -> None:
    """One fact before and after; once where nothing changes."""
    if before == after:
        fact(label, before)
        return
    with st.container(gap=None):
        fact(label, before)
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.markdown(f":green[:material/arrow_right_alt:] **{inert(after)}**", width="content")


def approval_card(page: AdjustPage, seen: Preview) -> None:
    """Whether it is posted at once, else who may decide, and what stands meanwhile."""
    with st.container(border=True, gap="small"):
        if seen.at_once:
            st.badge("Posted at once", icon=":material/check:", color="green")
        else:
            st.badge("Needs approval", icon=":material/approval:", color="orange")
        st.markdown(f"**{inert(seen.headline)}**")
        st.caption(inert(seen.used))
        if seen.at_once:
            return
        if seen.who:
            st.caption(inert(f"{names_words(seen.who)} can approve; you cannot approve your own."))
        else:
            st.markdown(":red[:material/error: Nobody’s limit is high enough. Ask an administrator to raise one.]")
        meanwhile = f"Until then the balance stays {format_cents(seen.changes.before.balance_cents)}"
        held = seen.changes.before.stage
        if seen.holds:
            st.markdown(f"{inert(meanwhile)} and :blue[:material/pause_circle:] **{inert(_held_words(held))}**.")
            st.caption(inert(page.policy.hold_basis))
        else:
            st.markdown(f"{inert(meanwhile)}.")


def _held_words(stage: str) -> str:
    return f"{stage[:1].lower()}{stage[1:]} is on hold"


def names_words(names: tuple[str, ...]) -> str:
    *before, last = names[:4]
    return f"{', '.join(before)} or {last}" if before else last


# --- lists and one of them ----------------------------------------------------------------------------------------------


def row(line: AdjustmentLine, *, chosen: bool, mine: bool) -> None:
    """One adjustment of a list: what and how much, who asked and when, and the way to it."""
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"row-aj-{line.id}"):
        with st.container(gap=None, width="stretch"):
            mark = ":material/arrow_right: " if chosen else ""
            state = "" if line.state_code == "pending" and not mine else f" {_state(line)}"
            st.markdown(f"{mark}**{inert(signed(line.amount_cents))}** {inert(line.name)}{state}")
            asked = line.asked if mine else f"{line.requester}, {line.asked}"
            st.caption(inert(" · ".join(part for part in (line.who, line.where, asked) if part)))
        if st.button("Open", key=f"open-aj-{line.id}", type="tertiary", disabled=chosen):
            go.to("approvals", id=line.id, scope=go.param("scope"), page=go.param("page"))


def _state(line: AdjustmentLine) -> str:
    color = {"pending": "orange", "posted": "green", "refused": "red"}.get(line.state_code, "gray")
    return f":{color}-badge[{inert(line.state.capitalize())}]"


def neighbors(found: AdjustmentList, at: int) -> None:
    """To the next and the one before, by key."""
    with st.container(horizontal=True, gap="small"):
        for label, key, step, icon in (
            ("Previous", "K", -1, "keyboard_arrow_up"),
            ("Next", "J", 1, "keyboard_arrow_down"),
        ):
            there = at + step
            if st.button(
                label, shortcut=key, key=f"aj.{key}", type="tertiary", icon=f":material/{icon}:",
                disabled=not 0 <= there < len(found.lines),
            ):  # fmt: skip
                go.to("approvals", id=found.lines[there].id, scope=found.scope, page=found.page)


def evidence(view: AdjustmentView) -> None:
    """What a decision needs: the account, the note, the line of the bill, how it was found, what came before."""
    line = view.line
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(f"{inert(signed(line.amount_cents))} {inert(line.name)}", width="content")
        st.caption(inert(line.number), width="content")
    with st.container(horizontal=True, gap="small"):
        st.markdown(_state(line))
        st.badge(inert(line.reason), color="gray")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{inert(line.who)} :gray[{inert(f'{line.where} · Account {line.account_number}')}]", width="content"
        )
        if who.actor().may("customer.read") and st.button(
            "Open the customer", type="tertiary", key="aj.customer", icon=":material/person:"
        ):
            go.to("customer", account=line.account_id)
    if view.note:
        with st.container(border=True, gap=None):
            st.caption(inert(f"{line.requester} wrote"))
            user_text(view.note)
            if view.conversation:
                st.caption(inert(f"In {view.conversation}"))
    if view.evidence:
        st.caption(inert(f"Should be seen: {view.evidence[:1].lower()}{view.evidence[1:]}."))
    with st.container(gap=None):
        for sentence in view.how:
            st.markdown(f":gray[:material/calculate:] {inert(sentence)}")
    if view.bill is not None and view.service_line is not None:
        with st.expander(
            inert(f"{view.service_line.name} on {view.bill.number}"), icon=":material/request_quote:", expanded=True
        ):
            items_table(view.service_line)
            words = views.usual_words(view.usual)
            if words:
                st.caption(inert(words))
    if view.policy:
        st.caption(inert(view.policy))
    if view.earlier:
        with st.expander(
            f"{count_text(len(view.earlier), 'adjustment')} in 12 months before", icon=":material/history:"
        ):
            for number, what, cents, when in view.earlier:
                fact(f"{number} · {what} · {when}", signed(cents))
    else:
        st.caption("No other adjustment on this account in 12 months.")


def decision(view: AdjustmentView) -> None:
    """Approve with one key, refuse with another and a reason; or why this person may not."""
    line = view.line
    if view.changes is not None:
        effect_card(view.changes, tuple((part.words, part.cents) for part in view.parts), after="After approval")
    if line.state_code != "pending":
        return
    with st.container(border=True, gap="small"):
        for sentence in view.limit_words:
            st.caption(inert(sentence))
        if view.holds:
            st.markdown(f":blue[:material/pause_circle:] {inert(view.hold_basis)}")
        if not view.may_decide:
            st.badge("Not yours to decide", icon=":material/lock:", color="gray")
            st.markdown(inert(view.why_not))
            if view.who:
                st.caption(inert(f"{names_words(view.who)} can decide."))
            return
        if view.decides_for:
            st.badge(inert(f"You stand in for {view.decides_for}"), icon=":material/group:", color="blue")
        amount = format_cents(abs(line.amount_cents))
        attempt.act(
            f"Approve {inert(amount)}", commands.approve_adjustment, line.id, line.version,
            key_parts=("aj.approve", line.id, line.version), spot=("aj.approve", line.id),
            primary=True, shortcut="A", icon=":material/task_alt:", width="stretch",
        )  # fmt: skip
        refuse(line)


def refuse(line: AdjustmentLine) -> None:
    """The reason first, then the refusal: the customer reads it."""
    asking, key = f"aj.refusing.{line.id}", f"aj.why.{line.id}"
    if not st.session_state.get(asking):
        st.button(
            "Refuse …", shortcut="X", key="aj.refuse", width="stretch", icon=":material/block:",
            on_click=_ask_why, args=(asking,),
        )  # fmt: skip
        return
    st.text_area("Reason, as the customer will read it", key=key, height=90, max_chars=None)
    attempt.act(
        "Refuse with this reason", commands.refuse_adjustment, line.id, line.version,
        lambda: st.session_state.get(key, ""),
        key_parts=("aj.refuse", line.id, line.version, st.session_state.get(key, "")), spot=("aj.refuse", line.id),
        clears=(key, asking), shortcut="Ctrl+Enter", icon=":material/block:", width="stretch",
    )  # fmt: skip


def _ask_why(asking: str) -> None:
    """The reason's field appears with the keyboard in it."""
    st.session_state[asking] = True
    focus.again()


def history(view: AdjustmentView) -> None:
    """How it stands and what came of it; withdrawing and taking back, where one may."""
    line = view.line
    with st.container(border=True, gap="small"):
        st.subheader("How it stands")
        for when, what, icon in view.history:
            with st.expander(inert(when), type="step", expanded=True, icon=f":material/{icon}:"):
                st.caption(inert(what))
        if line.state_code == "pending" and view.who:
            st.caption(inert(f"Waits for {names_words(view.who)}."))
        if view.may_withdraw:
            attempt.act(
                "Withdraw it", commands.withdraw_adjustment, line.id, line.version,
                key_parts=("aj.withdraw", line.id, line.version), spot=("aj.withdraw", line.id), icon=":material/undo:",
            )  # fmt: skip
        if view.may_reverse:
            with st.popover("Take it back …", icon=":material/undo:", key="aj.reverse.open"):
                key = f"aj.reverse.why.{line.id}"
                st.text_area("Why", key=key, height=90)
                attempt.act(
                    "Take it back", commands.reverse_adjustment, line.id, line.version,
                    lambda: st.session_state.get(key, ""),
                    key_parts=("aj.reverse", line.id, line.version, st.session_state.get(key, "")),
                    spot=("aj.reverse", line.id), clears=(key,),
                )  # fmt: skip


def empty(found: AdjustmentList) -> None:
    """Nothing is there: what that means, and what comes next."""
    title, hint = {
        "waiting": ("Nothing waits for a decision", "A credit or charge above somebody’s limit comes here, the oldest first."),
        "mine": ("You have asked for nothing", "What you adjust above your limit is listed here with how it stands."),
        "decided": ("You have decided nothing yet", "What you approve or refuse is listed here."),
    }[found.scope]  # fmt: skip
    with st.container(border=True):
        st.markdown(f":green[:material/check_circle:] **{title}**")
        st.caption(hint)
        if st.button("To the call desk", icon=":material/headset_mic:", key="aj.desk"):
            go.to("call_desk")
