"""What the pages of conversations share: one-button acts inside fragments, lines of call-backs and promises, a timeline."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING, Final

import streamlit as st

from db import core
from portal import settings
from portal.accounts import views as customers
from portal.contacts import commands, rules, views
from portal.desk import incident, who
from portal.desk.text import inert
from portal.service_requests.views import caller_of
from portal.shared.calendar import instant_of
from portal.shared.money import parse_money
from portal.shared.refusal import Refused
from portal.shared.text import clock_text, format_phone, relative_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.accounts.views import Match
    from portal.contacts.views import Call, Done
    from portal.desk.attempt import Values
    from portal.shared.receipt import Receipt

CHANNEL_ICONS: Final = {"phone": "call", "letter": "mail", "email": "alternate_email", "counter": "storefront"}


def carry_out(place: str, parts: Sequence[object], run: Callable[[str], Receipt]) -> Receipt | None:
    """Runs a command from a button's callback, once for the same `parts`. What came of it is kept for `said(place)`."""
    key = "act" + hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:40]
    try:
        receipt = run(key)
    except Refused as refused:
        st.session_state[f"{place}.said"] = (" ".join(problem.message for problem in refused.problems), "refused")
        return None
    except Exception as error:  # noqa: BLE001  # a bug: logged whole, shown as a number
        st.session_state[f"{place}.said"] = (incident.sentence(error), "refused")
        return None
    st.session_state[f"{place}.said"] = (receipt.title, "failed" if "failed" in receipt.notes else "done")
    return receipt


def said(place: str, *, toast: bool = False) -> None:
    """Shows, once, what came of the last `carry_out` here: what was refused or did not match stays in sight, what was done
    may be a toast."""
    message, outcome = st.session_state.pop(f"{place}.said", ("", ""))
    if not message:
        return
    if outcome == "done" and toast:
        st.toast(inert(message), icon=":material/check_circle:")
    elif outcome == "done":
        st.success(inert(message), icon=":material/check_circle:")
    else:
        st.error(inert(message), icon=":material/block:")


def timeline(done: Sequence[Done]) -> None:
    """What happened, oldest first, each with its time of day."""
    zone = settings.current().zone
    for each in done:
        with st.expander(inert(each.sentence), type="step", expanded=True, icon=f":material/{each.icon}:"):
            st.caption(inert(relative_text(each.at, core.now(), zone)))


# --- who is speaking --------------------------------------------------------------------------------------------------


def identity_card(
    need: rules.IdentityNeed | None, *, account_id: int | None, person_id: int | None, place: str = "identity_need"
) -> None:
    """Which check of who is speaking a form needs and how far it is, before its button is pressed; a call that is not about
    this customer yet becomes so with one click. Nothing where nothing is asked. `place` tells two cards of a page apart."""
    if need is None:
        return
    with st.container(border=True, key=place.replace("_", "-"), gap="small"):
        if need.enough:
            st.badge("Identity checked", icon=":material/verified_user:", color="green")
            return
        st.badge("Needs an identity check", icon=":material/shield_person:", color="orange")
        first = {"none": "Take the call first (Alt+A). ", "other": "The call is not about this customer yet. "}
        st.caption(
            f"{first.get(need.call, '')}Ask for {need.ways}. So far: strength {need.reached} of {need.needed}, "
            f"needed for “{inert(need.name)}”."
        )
        said(place)
        if need.call == "other" and st.button(
            "The call is about this customer",
            key=f"{place}.link",
            icon=":material/link:",
            on_click=_link_call,
            args=(account_id, person_id, place),
        ):
            st.rerun()  # the whole page: the call bar names the customer from now on


def lock_line(person_id: int | None, until: dt.datetime | None, place: str) -> None:
    """That checks of a person are locked, until when, and the way to lift it for who may; nothing while they are not."""
    said(f"{place}.lock")
    if person_id is None or until is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        at = clock_text(until.astimezone(settings.current().time_zone))
        st.badge(f"Checks locked until {at}", icon=":material/lock:", color="red")
        if who.actor().may("identity.reset") and st.button(
            "Lift the lock",
            key=f"{place}.lift_lock",
            type="tertiary",
            icon=":material/lock_open:",
            on_click=_lift_lock,
            args=(person_id, until, place),
        ):
            st.rerun()  # the whole page: the call bar and the customer's page both speak of it


def _lift_lock(person_id: int, until: dt.datetime, place: str) -> None:
    carry_out(
        f"{place}.lock",
        ("lift", person_id, until.isoformat()),
        lambda key: commands.lift_lock(who.actor(), person_id, key=key),
    )


def new_secret(call: Call) -> None:
    """A new PIN or passphrase for the caller, for who may set one; the command asks for a full check first."""
    if not who.actor().may("identity.reset"):
        return
    said("new_secret")
    with st.expander("New PIN or passphrase", icon=":material/password:", key="new_secret.expander"):
        need = views.identity_need(("identity.reset",), call, call.person_id)
        if need is not None and not need.enough:
            st.caption(f"First check who is speaking: ask for {need.ways}.")
            return
        turn = st.session_state.setdefault("new_secret.turn", 0)
        with st.form(f"new_secret.{call.id}.{turn}", border=False):
            st.text_input(
                "As the caller chooses it",
                key="new_secret.typed",
                type="password",
                autocomplete="new-password",
                help="A PIN has 4 to 8 digits, a passphrase 6 to 64 characters.",
            )
            st.form_submit_button(
                "Set it", type="primary", icon=":material/key:", on_click=_set_secret, args=(call, turn)
            )


def _set_secret(call: Call, turn: int) -> None:
    typed = st.session_state.pop("new_secret.typed", None) or ""  # a secret does not stay in the session
    receipt = carry_out(
        "new_secret",
        ("secret", call.id, turn, _session_mark()),
        lambda key: commands.set_secret(who.actor(), call.id, typed, key=key),
    )
    if receipt is not None:
        st.session_state["new_secret.turn"] = turn + 1


def _link_call(account_id: int | None, person_id: int | None, place: str) -> None:
    here = views.open_call(who.actor())
    if here is None:
        return
    linked = carry_out(
        place,
        ("link", here.id, account_id, person_id, here.account_id, here.person_id),
        lambda _key: commands.link_customer(who.actor(), here.id, account_id=account_id, person_id=person_id),
    )
    if linked is not None:
        st.session_state.pop(f"{place}.said")  # the badge itself shows it


# --- the wrap-up's answers ------------------------------------------------------------------------------------------


def _at(on: dt.date | None, clock: dt.time | None) -> dt.datetime | None:
    return None if on is None or clock is None else instant_of(on, clock, settings.current().time_zone)


def _cents(typed: str | None) -> int | None:
    try:
        return parse_money(typed) if typed else None
    except ValueError:
        return None


def wrap_up_of(v: Values, call: Call) -> tuple[rules.WrapUp]:
    """The answers of the wrap-up page as the command takes them; a part that was left empty is no part."""
    opinions = (rules.Opinion(v["opinion_subject"] or "", v["opinion_stance"] or "", v["opinion_words"] or ""),)
    call_back = rules.CallBackPlan(
        v["call_back_phone"] or "", v["call_back_why"] or "", _at(v["call_back_due"], v["call_back_time"])
    )
    promise = rules.PromisePlan(
        v["promise_kind"] or "",
        v["promise_words"] or "",
        _at(v["promise_due"], v["promise_time"]),
        _cents(v["promise_amount"]),
    )
    return (
        rules.WrapUp(
            conversation_id=call.id,
            reason_code=v["reason"],
            disposition_code=v["disposition"],
            note=v["note"] or "",
            opinions=opinions if v["opinion_subject"] or v["opinion_stance"] or v["opinion_words"] else (),
            call_back=call_back if v["call_back_why"] or v["call_back_due"] else None,
            promises=(promise,) if v["promise_kind"] or v["promise_words"] or v["promise_due"] else (),
        ),
    )


# --- planning a call-back ---------------------------------------------------------------------------------------------


def plan_call_back(call: Call | None, place: str) -> None:
    """Whom, number, why, day and time of a call the city owes, outside the wrap-up; on a call it is the customer of the call."""
    said(f"{place}.plan")
    # The number of those planned here names the form: a planned one leaves an empty form, a refused one keeps what was typed.
    turn = st.session_state.setdefault(f"{place}.plan.turn", 0)
    name = f"{place}.plan.{0 if call is None else call.id}.{turn}"
    if call is None and who.actor().may("customer.find"):
        _whom_to_call(name)
    with st.form(name, border=False):
        phone = st.text_input(
            "Number", format_phone(call.phone) if call is not None else "", key=f"{name}.phone", type="phone"
        )
        # No most of characters here: the field would swallow the end of a long paste; the command says what is too long.
        why = st.text_input("What to tell them", key=f"{name}.why")
        with st.container(horizontal=True):
            on = st.date_input("Day", None, key=f"{name}.on", format="MM/DD/YYYY")
            clock = st.time_input("Time", None, key=f"{name}.at", step=900)
        del phone, why, on, clock  # read at the click
        st.form_submit_button(
            "Plan the call-back",
            type="primary",
            icon=":material/phone_callback:",
            key=f"{name}.submit",
            on_click=_plan_call_back,
            args=(call, place, name),
        )


def _whom_to_call(name: str) -> None:
    """The customer a call-back is for, found like anywhere else; nobody is possible too."""
    chosen: Match | None = st.session_state.get(f"{name}.customer")
    if chosen is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f":material/person: **{inert(chosen.title)}**", width="content")
            st.button(
                "Somebody else", key=f"{name}.other", type="tertiary", on_click=_choose_customer, args=(name, None)
            )
        st.caption(inert(chosen.second))
        return
    typed = st.text_input(
        "Customer (optional)",
        key=f"{name}.find",
        type="search",
        live="200ms",
        placeholder="Name, phone, address or account",
    )
    found = customers.find(typed or "", who.actor(), 8)
    matches = [each for each in found.matches if each.account_id is not None or each.person_id is not None][:4]
    for position, match in enumerate(matches):
        st.button(
            f"**{inert(match.title)}** :gray[{inert(match.second)}]",
            key=f"{name}.choose.{position}",
            type="tertiary",
            on_click=_choose_customer,
            args=(name, match),
        )
    if typed and not matches and not found.too_short:
        st.caption("No customer fits. Type the account or phone number, or leave it empty.")


def _choose_customer(name: str, match: Match | None) -> None:
    st.session_state[f"{name}.customer"] = match
    if match is not None:
        caller = caller_of(match.person_id, match.account_id)
        if caller.phone:
            st.session_state[f"{name}.phone"] = format_phone(caller.phone)


def _plan_call_back(call: Call | None, place: str, name: str) -> None:
    state = st.session_state
    customer: Match | None = state.get(f"{name}.customer")
    whom = caller_of(customer.person_id, customer.account_id) if customer is not None else None
    plan = rules.CallBackPlan(
        state.get(f"{name}.phone") or "",
        state.get(f"{name}.why") or "",
        _at(state.get(f"{name}.on"), state.get(f"{name}.at")),
        conversation_id=None if call is None else call.id,
        person_id=None if whom is None else whom.person_id,
        account_id=None if whom is None else whom.account_id,
    )
    receipt = carry_out(
        f"{place}.plan", (name, _session_mark()), lambda key: commands.plan_call_back(who.actor(), plan, key=key)
    )
    if receipt is not None:
        state[f"{place}.plan.turn"] += 1


def _session_mark() -> str:
    """Tells the forms of one session from another's, so that the same turn in two sessions is two call-backs."""
    return str(st.session_state.setdefault("contacts.session_mark", secrets.token_hex(8)))
