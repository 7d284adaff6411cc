"""The bar at the bottom of every page: take a call; on a call who it is, how long, who was checked, the note, the wrap-up.

It is a fragment of its own and moves every twenty seconds: minutes pass and the note is kept without a run of the page.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.errors import StreamlitAPIException

from db import core
from portal import settings
from portal.accounts.commands import check_identity_by_facts
from portal.contacts import commands, rules, views
from portal.desk import contacts_parts, go, who
from portal.desk.call import context as call_now
from portal.desk.text import inert
from portal.directory import views as directory
from portal.shared.text import clock_text, format_phone

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.contacts.views import Call
    from portal.shared.receipt import Receipt

CHANGED = "call_bar.changed"
"""Set by a click that changes the whole page: taking a call, a check of who is speaking."""
LEAVING = "call_bar.leaving"
KEPT_AT = "call_bar.kept_at"
PAUSE_MS = 250
"""A pause in typing after which the words so far are sent."""
KEPT_LAST = "call_bar.kept_last"
KEEP_EVERY_SECONDS = 1.0


def draw(page: str) -> None:
    """Draws the bar; called once by the front door, before the page. The wrap-up stands in its place while a call is open."""
    if page == "wrap_up" and call_now() is not None:
        return
    with st.bottom:
        _bar(page)


@who.fragment(run_every=20)
def _bar(page: str) -> None:
    if st.session_state.pop(CHANGED, False):
        if page == "wrap_up" and call_now() is not None:
            go.to("call_desk")  # the next call was taken on the receipt of the last one
        st.rerun()
    call = call_now()
    if call is None:
        _idle()
    else:
        _on_call(call)


def _idle() -> None:
    with st.container(key="call-bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Channel",
            list(rules.CHANNELS),
            default="phone",
            required=True,
            format_func=lambda code: f":material/{contacts_parts.CHANNEL_ICONS[code]}: {rules.CHANNELS[code]}",
            key="call_bar.channel",
            label_visibility="collapsed",
            on_change="ignore",
        )
        # The key is drawn with the button: two clicks before the bar changes are one call.
        st.button(
            "Take a call",
            key="call_bar.take",
            type="primary",
            icon=":material/call:",
            shortcut="Alt+A",
            on_click=_take,
            args=(uuid.uuid4().hex,),
        )
        contacts_parts.said("call_bar")


def _take(key: str) -> None:
    channel = st.session_state.get("call_bar.channel") or "phone"
    receipt = contacts_parts.carry_out(
        "call_bar", ("take", key), lambda key: commands.begin_conversation(who.actor(), channel, key=key)
    )
    if receipt is not None:
        st.session_state.pop("call_bar.said")  # the bar itself shows the call
    st.session_state[CHANGED] = True


def _on_call(call: Call) -> None:
    minutes = max(0, int((core.now() - call.started_at).total_seconds() // 60))
    icon = contacts_parts.CHANNEL_ICONS[call.channel]
    with st.container(key="call-bar", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(
            key="call-bar-who", horizontal=True, vertical_alignment="center", gap="small", width="content", wrap=False
        ):
            what = {"phone": "On a call", "counter": "At the counter", "letter": "Letter", "email": "E-mail"}[
                call.channel
            ]
            st.badge(f"{what} · {minutes} min", icon=f":material/{icon}:", color="green")
            _name(call)
            _identity(call)
        with st.container(
            key="call-bar-note", horizontal=True, vertical_alignment="center", gap="small", width="stretch", wrap=False
        ):
            problem = _note(call)
            st.button("Wrap up", key="call_bar.wrap_up", type="primary", shortcut="Alt+W", on_click=_ask_to_leave)
            _leave_when_typed()
        if problem:
            st.markdown(f":red[:material/error: {inert(problem)}]")
        contacts_parts.said("call_bar")


def _name(call: Call) -> None:
    if not call.name:
        st.markdown(":gray[Find the caller]", width="content")
    elif st.button(inert(call.name), key="call_bar.customer", type="tertiary", help="Back to this customer"):
        go.to(
            "customer",
            account=call.account_id,
            person=call.person_id if call.account_id is None else None,
            premise=call.premise_id if call.account_id is None and call.person_id is None else None,
        )


def _note(call: Call) -> str | None:
    """The note, kept in the session at each pause in typing and with the conversation every few seconds and before leaving;
    returns why it could not be kept."""
    key = f"call_bar.note.{call.id}"
    if key not in st.session_state:
        st.session_state[key] = call.note
    note = st.text_input(
        "Note",
        key=key,
        placeholder="Note as you go, kept with the call",
        label_visibility="collapsed",
        persist_state="session",
        live=f"{PAUSE_MS}ms",
    )
    if (note or "") == call.note:
        return None
    since_last = time.monotonic() - st.session_state.get(KEPT_AT, 0.0)
    if since_last < KEEP_EVERY_SECONDS and LEAVING not in st.session_state:
        _keep_soon(call.id, key)
        return None
    st.session_state[KEPT_AT] = time.monotonic()
    problem = commands.keep_note(who.actor(), call.id, note or "")
    return problem.message if problem else None


@who.fragment(run_every=KEEP_EVERY_SECONDS)
def _keep_soon(call_id: int, key: str) -> None:
    """Drawn while words are not kept yet, because others were a moment ago: keeps them although nothing more is typed."""
    if time.monotonic() - st.session_state.get(KEPT_AT, 0.0) < KEEP_EVERY_SECONDS:
        return
    note = st.session_state.get(key) or ""
    if (call_id, note) != st.session_state.get(KEPT_LAST):
        st.session_state[KEPT_AT], st.session_state[KEPT_LAST] = time.monotonic(), (call_id, note)
        commands.keep_note(who.actor(), call_id, note)  # a note that must not be kept says why at the bar's next run


def _ask_to_leave() -> None:
    st.session_state[LEAVING] = "asked"


def _leave_when_typed() -> None:
    """Goes to the wrap-up once the last words of the note have arrived: a keyboard shortcut reaches the server before what
    was typed just now does, and a page that is left takes what has not arrived with it."""
    if LEAVING not in st.session_state:
        return
    if st.session_state[LEAVING] == "asked":
        st.session_state[LEAVING] = "waited"
        time.sleep((PAUSE_MS + 60) / 1000)
        with contextlib.suppress(StreamlitAPIException):  # as part of a whole page's run there is nothing to wait for
            st.rerun(scope="fragment")  # the next run of the bar sees the words that came in meanwhile
    st.session_state.pop(LEAVING)
    go.to("wrap_up")


# --- who is speaking --------------------------------------------------------------------------------------------------


def _identity(call: Call) -> None:
    full = views.FULL_STRENGTH
    icon = "verified_user" if call.strength >= full else "shield" if call.strength == 0 else "gpp_maybe"
    with st.popover(f"ID {call.strength} of {full}", icon=f":material/{icon}:", key="call_bar.identity", wrap=False):
        _check(call)


def _check(call: Call) -> None:
    if call.person_id is None:
        st.text("Find the customer first; then check who is speaking.")
        return
    contacts_parts.said("identity")
    zone = settings.current().time_zone
    if call.checked_at is not None:
        at = clock_text(call.checked_at.astimezone(zone))
        st.markdown(
            f":green[:material/verified_user: Checked at {at}], strength {call.strength} of {views.FULL_STRENGTH}"
        )
        if call.strength >= views.FULL_STRENGTH:
            contacts_parts.new_secret(call)
            return
    ways = {"pin": "PIN", "facts": "Facts", "call_back": "Call back"}
    contacts_parts.lock_line(call.person_id, call.locked_until, "call_bar")
    if call.locked_until is not None:
        st.caption("Call the number on file.")
        ways = {"call_back": "Call back"}
    elif not call.has_secret:
        ways.pop("pin")
    way = st.segmented_control(
        "How", list(ways), default=next(iter(ways)), required=True, format_func=lambda code: ways.get(code, code),
        label_visibility="collapsed", key=f"call_bar.identity.way.{call.id}.{len(ways)}",
    )  # fmt: skip
    {"pin": _by_secret, "facts": _by_facts, "call_back": _by_call_back}[way or next(iter(ways))](call)
    st.caption("Never say which answer was wrong.")
    contacts_parts.new_secret(call)


def _by_secret(call: Call) -> None:
    with st.form("call_bar.secret", border=False, clear_on_submit=True):
        st.text_input("PIN or passphrase", key="call_bar.secret.typed", type="password", autocomplete="off")
        st.form_submit_button("Check", type="primary", on_click=_check_secret, args=(call,), icon=":material/key:")


def _by_facts(call: Call) -> None:
    facts = {choice.code: choice for choice in directory.choices("identity_fact")}
    asked = st.pills(
        "Ask two, or three to prove fully",
        list(facts),
        selection_mode="multi",
        default=list(facts)[:3],
        format_func=lambda code: facts[code].name,
        key=f"call_bar.facts.{call.id}",
    )
    with st.form("call_bar.facts", border=False, clear_on_submit=True):
        for code in asked:
            st.text_input(facts[code].detail["ask"], key=f"call_bar.fact.{code}", autocomplete="off")
        st.form_submit_button(
            "Check", type="primary", on_click=_check_facts, args=(call, tuple(asked)), icon=":material/fact_check:"
        )


def _by_call_back(call: Call) -> None:
    if not call.phone:
        st.text("There is no number on file.")
        return
    st.text("Hang up, call the number on file, and confirm when the customer answers there.")
    st.button(
        f"Answered at {format_phone(call.phone)}",
        key="call_bar.called_back",
        type="primary",
        icon=":material/phone_callback:",
        on_click=_confirm_call_back,
        args=(call,),
    )


def _check_secret(call: Call) -> None:
    secret = st.session_state.get("call_bar.secret.typed", "")
    _carry_out_check(
        call, "pin", lambda key: commands.check_identity(who.actor(), rules.SecretCheck(call.id, secret), key=key)
    )


def _check_facts(call: Call, codes: tuple[str, ...]) -> None:
    answers = tuple((code, st.session_state.get(f"call_bar.fact.{code}") or "") for code in codes)
    _carry_out_check(call, "facts", lambda key: check_identity_by_facts(who.actor(), call.id, answers, key=key))


def _confirm_call_back(call: Call) -> None:
    _carry_out_check(call, "call_back", lambda key: commands.confirm_call_back(who.actor(), call.id, True, key=key))


def _carry_out_check(call: Call, way: str, run: Callable[[str], Receipt]) -> None:
    # The number of checks so far names the try: two clicks on one answer count once.
    contacts_parts.carry_out("identity", (way, call.id, call.checks), run)
    st.session_state[CHANGED] = True
