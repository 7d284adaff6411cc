"""What the start, stop and transfer pages share: choosing a premise, services and days, and the plan beside the form."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from portal.contacts.views import identity_need
from portal.desk import attempt, call, go, still, who
from portal.desk.contacts_parts import carry_out, identity_card, said
from portal.desk.text import inert
from portal.moves import commands
from portal.moves.rules import form as asked_for
from portal.moves.views import form as views
from portal.shared.money import format_cents
from portal.shared.text import day_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.desk.attempt import Attempt
    from portal.shared.receipt import Receipt, Step

ACCOUNT_CHOICES: Final = ("this", "new")


# --- who and where ----------------------------------------------------------------------------------------------------


def caller() -> tuple[int | None, int | None, int | None]:
    """(account, person, premise) from the address, else from the open call."""
    account, person, premise = go.param_int("account"), go.param_int("person"), go.param_int("premise")
    here = call.context()
    if here is not None and account is None and person is None and premise is None:
        return here.account_id, here.person_id, here.premise_id if here.account_id is None else None
    return account, person, premise


def conversation_id() -> int | None:
    here = call.context()
    return None if here is None else here.id


def head(title: str, customer: views.Customer) -> None:
    """Back to the customer, who it is, and the title."""
    if customer.name:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(inert(customer.name), icon=":material/arrow_back:", type="tertiary", key="move.back"):
                go.to(
                    "customer", account=customer.account_id, person=None if customer.account_id else customer.person_id
                )
            line = [customer.address, f"Account {customer.account_number}" if customer.account_number else ""]
            st.markdown(f":gray[{inert(' · '.join(part for part in line if part))}]", width="content")
    st.title(title)


def choose_premise(label: str = "Address", *, param: str = "premise") -> None:
    """A search by address; choosing one puts it into the address of the page."""
    column, _ = st.columns([1.85, 1])
    typed = column.text_input(
        label,
        key=f"move.{param}.find",
        type="search",
        live="300ms",
        placeholder="House number and street",
        icon=":material/search:",
    )
    if not typed.strip():
        column.caption("Type the house number and a part of the street; with apartments, the unit too.")
        return
    found = views.premise_choices(typed)
    if not found:
        column.text("No address fits. Check the house number, try fewer letters, or ask for the nearest cross street.")
    for position, place in enumerate(found, 1):
        if column.button(
            inert(place.line),
            key=f"move.{param}.{place.premise_id}",
            icon=":material/home_pin:",
            width="stretch",
            shortcut=f"Alt+{position}" if position < 10 else None,
        ):
            st.query_params[param] = str(place.premise_id)
            st.rerun()


def place_line(form: Attempt, screen: views.StartScreen, *, param: str = "premise") -> None:
    """The premise chosen with the way to another one, and the kind of customer there."""
    if screen.place is None:
        return
    left, right = st.columns([2.2, 1], vertical_alignment="bottom")
    with left.container(
        border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
    ):
        st.markdown(f":material/home_pin: {inert(screen.place.line)}", width="content")
        if st.button("Another address", type="tertiary", key=f"move.{param}.change"):
            st.query_params.pop(param, None)
            st.rerun()
    form.problem("premise", left)
    classes = asked_for.CUSTOMER_CLASSES
    form.pick(
        "customer_class", "Kind of customer", list(classes), screen.customer_class, format_func=classes.get, on=right
    )


def services(form: Attempt, kinds: Sequence[views.KindChoice], label: str) -> tuple[str, ...]:
    """The service kinds as pills, preselected."""
    by_code = {kind.code: kind for kind in kinds}
    chosen = form.many(
        "service_kinds",
        label,
        list(by_code),
        [kind.code for kind in kinds if kind.preselected],
        format_func=lambda code: f":material/{by_code[code].icon}: {by_code[code].name}",
    )
    return tuple(code for code in by_code if code in chosen)


# --- start and transfer -----------------------------------------------------------------------------------------------


def start_answers(
    get: Callable[[str], Any], screen: views.StartScreen, conversation: int | None
) -> asked_for.StartForm:
    """The answers as a start, from the fields as they are (`get` answers None for a field that was not drawn)."""
    customer = screen.customer
    this_account = customer.account_id is not None and (get("account_choice") or "this") == "this"
    months = get("own_debt_months")
    return asked_for.StartForm(
        premise_id=screen.place.premise_id if screen.place is not None else None,
        service_kinds=tuple(get("service_kinds") or ()),
        on=get("on"),
        name=get("name") or "",
        phone=get("phone") or "",
        email=get("email") or "",
        mailing_address=get("mailing_address") or "",
        person_kind=get("person_kind") or customer.person_kind,
        customer_class=get("customer_class") or "",
        bill_by=get("bill_by") or "",
        person_id=customer.person_id,
        account_id=customer.account_id if this_account else None,
        window=get("window") or "",
        adult_present=bool(get("adult_present")),
        evidence_code=get("evidence") or "",
        evidence_note=get("evidence_note") or "",
        own_debt=get("own_debt") or "",
        own_debt_consent=bool(get("own_debt_consent")),
        own_debt_months=int(months) if months is not None else None,
        guarantee=get("guarantee") or "",
        benefited=get("benefited") or "",
        conversation_id=conversation,
    )


def present(form: Attempt, screen: views.StartScreen) -> Callable[[str], Any]:
    """What the fields hold now, with the defaults of those not drawn yet."""
    customer = screen.customer
    defaults = {
        "service_kinds": [kind.code for kind in screen.kinds if kind.preselected],
        "on": screen.on,
        "name": customer.name,
        "phone": customer.phone,
        "email": customer.email,
        "mailing_address": customer.mailing_address,
        "customer_class": screen.customer_class,
        "bill_by": customer.bill_by,
    }
    return lambda code: form.value(code, defaults.get(code))


def start_fields(
    form: Attempt, screen: views.StartScreen, conversation: int | None, *, transfer: bool = False
) -> views.StartPlan:
    """The left side: where, services, day, evidence, person and bill. Returns the plan for the answers as they are."""
    st.subheader("Services")
    services(form, screen.kinds, "Preselected from what the premise has")
    plan = views.start_plan(who.actor(), start_answers(present(form, screen), screen, conversation), transfer=transfer)
    _day(form, screen, plan)
    if plan.occupied:
        _turnover(form, screen, plan)
    st.subheader("Person and bill")
    if screen.customer.person_id is None:
        kinds = asked_for.PERSON_KINDS
        form.pick("person_kind", "Person or company", list(kinds), screen.customer.person_kind, format_func=kinds.get)
    elif screen.customer.account_id is not None and not transfer:
        names = {"this": f"Account {screen.customer.account_number}", "new": "A new account"}
        form.pick("account_choice", "Put it on", list(ACCOUNT_CHOICES), "this", format_func=names.get)
    _reach(form, screen)
    _money(form, screen, plan)
    return plan


def _day(form: Attempt, screen: views.StartScreen, plan: views.StartPlan) -> None:
    first, second, third = st.columns(3)
    form.date("on", "Start on", screen.on, on=first)
    if plan.earliest_on is not None:
        first.caption(f"Earliest: {day_text(max(plan.earliest_on, screen.today), screen.today)}")
    if plan.visit_needed:
        form.choice(
            "window",
            "Field visit",
            list(screen.windows),
            format_func=screen.windows.get,
            placeholder="Any time of day",
            on=second,
        )
    if plan.adult_needed:
        form.check("adult_present", plan.adult_needed, on=third)


def _turnover(form: Attempt, screen: views.StartScreen, plan: views.StartPlan) -> None:
    with st.container(border=True):
        st.markdown(f":orange[:material/group: **{inert(plan.occupied)}**]")
        if plan.hold:
            st.markdown(f":orange-badge[:material/pause_circle: It will be held] {inert(plan.hold)}")
        if plan.evidence_needed:
            form.pick(
                "evidence",
                "Evidence that the place is the caller's",
                list(screen.evidence),
                format_func=screen.evidence.get,
            )
            if plan.evidence_ask:
                st.caption(inert(plan.evidence_ask))
            if plan.evidence_note_needed or form.value("evidence_note"):
                form.text("evidence_note", "What was said, by whom")


def _reach(form: Attempt, screen: views.StartScreen) -> None:
    customer = screen.customer
    side_by_side = st.grid(3, min_column_width=180)
    form.text("name", "Name on the bill", customer.name, on=side_by_side)
    form.phone("phone", "Mobile", customer.phone, on=side_by_side)
    form.email("email", "E-mail", customer.email, on=side_by_side)
    first, second = st.columns([1, 2])
    ways = asked_for.BILL_BY
    form.pick("bill_by", "Bill by", list(ways), customer.bill_by, format_func=ways.get, on=first)
    form.text(
        "mailing_address", "Mailing address", customer.mailing_address, placeholder="Same as the premise", on=second
    )


def _money(form: Attempt, screen: views.StartScreen, plan: views.StartPlan) -> None:
    if plan.own_debt:
        with st.container(border=True):
            st.markdown(f":orange[:material/account_balance_wallet: **{inert(plan.own_debt)}**]")
            choices = dict(plan.own_debt_choices)
            chosen = form.pick("own_debt", "What happens to it", list(choices), format_func=choices.get)
            if chosen == "transfer":
                form.check("own_debt_consent", "The applicant agrees that it moves to the new account")
            if chosen == "instalments":
                form.number("own_debt_months", "Months", min_value=1, max_value=60, step=1)
            st.caption(inert(plan.own_debt_text))
    if (plan.deposit.cents or form.value("guarantee")) and screen.guarantees:
        form.choice(
            "guarantee", "In place of the deposit", list(screen.guarantees), "", format_func=screen.guarantees.get
        )
    if screen.may_override and plan.debt_note is not None:
        form.text(
            "benefited", "Exception: evidence that the applicant had the benefit of the former occupant's service"
        )


def start_side(plan: views.StartPlan, customer: views.Customer, before: str = "") -> None:
    """The right side: who has to be checked, deposit and fees, what happens next, what to read back (`before`: words ahead of
    it), the former occupant."""
    identity_card(plan.identity, account_id=customer.account_id, person_id=customer.person_id)
    deposit = [still.head("Deposit")]
    if plan.deposit.cents is not None:
        deposit.append(still.figure(format_cents(plan.deposit.cents)))
    if plan.deposit.badge:
        deposit.append(still.row(still.badge(plan.deposit.badge, "green", "check")))
    deposit += [still.line(line) for line in plan.deposit.lines]
    deposit.append(still.pairs((name, format_cents(cents)) for name, cents in plan.fees))
    note = plan.debt_note
    owed = () if note is None else (note.sentence, *((note.policy_text,) if note.policy_text else ()))
    still.draw(
        still.card(*deposit),
        _next_steps(plan.steps),
        _read_back(f"{before} {plan.read_back}".strip()),
        still.card()
        if note is None
        else still.card(still.head(note.headline), *(still.line(line, gray=True, small=True) for line in owed)),
    )


def next_steps(steps: Sequence[Step]) -> None:
    """What happens when, day by day."""
    still.draw(_next_steps(steps))


def _next_steps(steps: Sequence[Step]) -> still.Piece:
    head = still.head("What happens next")
    if not steps:
        return still.card(head, still.line("Choose services and a day.", gray=True, small=True))
    return still.card(head, still.steps((step.icon, step.when, step.what) for step in steps))


def read_back(words: str) -> None:
    """The words to read to the caller before saving."""
    still.draw(_read_back(words))


def _read_back(words: str) -> still.Piece:
    return still.card(still.head("Read back"), still.line(words))


def receipt(done: Receipt, *, again: str | None = None) -> None:
    """The receipt of a move, the way back to the customer, and what can still be changed about it."""
    attempt.show_receipt(dataclasses.replace(done, go=""), again=again, back=("customer", dict(done.go_query)))
    account = dict(done.go_query).get("account", "")
    booked(int(account) if account.isdecimal() else None)


# --- what is booked ---------------------------------------------------------------------------------------------------


def booked(account_id: int | None) -> None:
    """The account's moves that can still be changed: cancel, hold; release for who may decide exceptions."""
    cards = [card for card in views.move_cards(account_id) if card.changeable] if account_id is not None else []
    if not cards:
        return
    with st.expander(f"Booked moves of this account ({len(cards)})", icon=":material/event_available:"):
        said("moves.booked")
        here, person_id = call.context(), cards[0].person_id
        if here is None or any(card.conversation_id != here.id for card in cards):
            identity_card(
                identity_need(("move.cancel", "move.hold"), here, person_id),
                account_id=account_id,
                person_id=person_id,
                place="booked_need",
            )
        for card in cards:
            with st.container(border=True):
                st.markdown(f"**{inert(card.title)}** :gray[{inert(card.number)}]")
                if card.hold:
                    st.markdown(f":orange-badge[:material/pause_circle: Held] {inert(card.hold)}")
                reason = st.text_input("Reason", key=f"move.{card.id}.reason", placeholder="In a few words")
                with st.container(horizontal=True):
                    _act("Cancel it", "undo", commands.cancel_move, card, reason)
                    if card.can_hold:
                        _act("Hold, it is disputed", "pause_circle", commands.hold_move, card, reason)
                    if card.hold and who.actor().may("move.decide"):
                        _act("Release", "play_circle", commands.release_move, card, reason)


def _act(label: str, icon: str, command: Any, card: views.MoveCard, reason: str) -> None:
    name, here = command.__name__, conversation_id()

    def click() -> None:
        typed = st.session_state.get(f"move.{card.id}.reason", reason)
        carry_out(
            "moves.booked",
            (name, card.id, card.version),
            lambda key: command(who.actor(), card.id, card.version, typed, here, key=key),
        )

    st.button(label, key=f"{name}.{card.id}", icon=f":material/{icon}:", on_click=click)


# --- the result of a visit --------------------------------------------------------------------------------------------


def awaits_result(order_id: int) -> bool:
    """Whether an agreement waits for this order's result."""
    return views.result_form(order_id) is not None


@who.fragment
def field_result(order_id: int) -> None:
    """For an order that starts or stops a service: the day it was done and the reading, which close it."""
    form = attempt.begin("work_order", commands.confirm_agreement, title="Field result")
    screen = views.result_form(order_id)
    if screen is None:
        st.info(
            "Nothing waits for this order any more. Close the page and look at the customer.", icon=":material/bolt:"
        )
        return
    with st.container(border=True, key="field-result"):
        st.subheader("Field result")
        st.caption(inert(screen.what))
        if screen.hold:
            st.markdown(f":orange-badge[:material/pause_circle: Held] {inert(screen.hold)}")
        form.date("on", "Done on", screen.on)
        if screen.meter:
            form.number(
                "read", f"Reading of meter {inert(screen.meter)}", min_value=0, step=1, help=screen.last or None
            )
        form.problem("agreement")
        form.submit(
            "Confirm",
            lambda v: (screen.agreement_id, v["on"], None if v["read"] is None else int(v["read"]), screen.version),
            icon=":material/check:",
        )
