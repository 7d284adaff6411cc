"""The list of what the city owes callers, the one that is open beside it, and what has been settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from db import core
from portal import settings
from portal.contacts import commands
from portal.desk import contacts_parts, go, lists, who
from portal.desk.text import inert
from portal.shared.money import format_cents
from portal.shared.text import due_text, format_phone, relative_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.contacts.views import OwedLine, PromiseLine

PLACE = "call_backs"
ICONS = {"call_back": "phone_callback", "promise": "handshake"}


def _due(line: OwedLine) -> str:
    words = due_text(line.due_at, core.now(), settings.current().zone)
    return f":{'red' if line.late else 'gray'}-badge[{inert(words)}]"


def _title(line: OwedLine) -> str:
    """Whom to call, or what was promised."""
    if line.what == "call_back":
        return line.name or "No name on file"
    return line.words + (f" · {format_cents(line.amount_cents)}" if line.amount_cents else "")


def _below(line: OwedLine, *, owner: bool) -> str:
    if line.what == "call_back":
        tries = f"try {line.attempts + 1}" if line.attempts else ""
        parts = [format_phone(line.phone), line.words, tries, line.owner_name if owner else ""]
    else:
        parts = [line.name or "No name on file", line.owner_name if owner else ""]
    return " · ".join(part for part in parts if part)


def owed_list(lines: Sequence[OwedLine], *, owner: bool) -> OwedLine:
    """One line each, a choice among them; answers with the chosen one, at first the most urgent."""
    # Other lines are another list: a choice among the last ones would come back as words that stand for none of these.
    key = f"owed-{hash(tuple((line.what, line.id, line.version, line.late) for line in lines))}"
    at = st.radio(
        "The most urgent first",
        range(len(lines)),
        format_func=lambda at: f"{_due(lines[at])} :material/{ICONS[lines[at].what]}: **{inert(_title(lines[at]))}**",
        captions=[inert(_below(line, owner=owner)) for line in lines],
        key=key,
        label_visibility="collapsed",
    )
    return lines[at if at is not None and at < len(lines) else 0]


def opened(line: OwedLine, *, owner: bool) -> None:
    """The chosen one with what can be done about it."""
    with st.container(border=True, key="detail"):
        st.markdown(f"{_due(line)} :blue-badge[{'Call-back' if line.what == 'call_back' else 'Promise'}]")
        st.subheader(inert(_title(line)))
        if line.what == "call_back":
            _call_back(line, owner=owner)
        else:
            _promise(line, owner=owner)
        if (line.account_id or line.person_id) and st.button(
            "Open the customer", key=f"{PLACE}.open", icon=":material/open_in_new:", shortcut="O", width="stretch"
        ):
            go.to("customer", account=line.account_id, person=line.person_id if line.account_id is None else None)


def _call_back(line: OwedLine, *, owner: bool) -> None:
    st.markdown(f"**{inert(format_phone(line.phone))}**")
    st.text(line.words)
    _small(f"try {line.attempts + 1}" if line.attempts else "", line.owner_name if owner else "")
    words = f"call-back.{line.id}.words"
    st.text_input("What was said (optional)", key=words, on_change="ignore")
    with st.container(horizontal=True, gap="small"):
        for label, reached, icon in (("Reached", True, "check"), ("No answer", False, "phone_missed")):
            st.button(
                label,
                key=f"call-back.{line.id}.{line.version}.{reached}",
                icon=f":material/{icon}:",
                type="primary" if reached else "secondary",
                shortcut="Ctrl+Enter" if reached else "Alt+N",
                on_click=_call_back_done,
                args=(line, reached, words),
            )


def _promise(line: OwedLine, *, owner: bool) -> None:
    _small(line.name or "No name on file", line.owner_name if owner else "")
    words = f"promise.{line.id}.words"
    st.text_input("Why it could not be kept", key=words, on_change="ignore")
    with st.container(horizontal=True, gap="small"):
        for label, kept, icon in (("Kept", True, "check"), ("It is broken", False, "heart_broken")):
            st.button(
                label,
                key=f"promise.{line.id}.{line.version}.{kept}",
                icon=f":material/{icon}:",
                type="primary" if kept else "secondary",
                shortcut="Ctrl+Enter" if kept else "Alt+B",
                on_click=_promise_settled,
                args=(line, kept, words),
            )


def _small(*parts: str) -> None:
    if words := " · ".join(part for part in parts if part):
        st.caption(inert(words))


def _call_back_done(line: OwedLine, reached: bool, words: str) -> None:
    said = st.session_state.get(words) or ""
    contacts_parts.carry_out(
        PLACE,
        ("call_back", line.id, line.version, reached),
        lambda key: commands.record_call_back(who.actor(), line.id, line.version, reached, said, key=key),
    )


def _promise_settled(line: OwedLine, kept: bool, words: str) -> None:
    said = st.session_state.get(words) or ""
    contacts_parts.carry_out(
        PLACE,
        ("promise", line.id, line.version, kept),
        lambda key: commands.settle_promise(who.actor(), line.id, line.version, kept, said, key=key),
    )


def settled(lines: Sequence[PromiseLine], *, owner: bool) -> None:
    """What was kept or broken, when, and why."""
    for line in lines:
        colour, icon = ("green", "check") if line.outcome == "kept" else ("red", "heart_broken")
        when = "" if line.settled_at is None else relative_text(line.settled_at, core.now(), settings.current().zone)
        parts = (when, line.name, line.owner_name if owner else "", line.settled_words)
        lists.two_lines(
            f":{colour}-badge[:material/{icon}: {inert(line.outcome.capitalize())}] {inert(line.words)}",
            " · ".join(part for part in parts if part),
        )
