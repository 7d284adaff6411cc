"""What the history of an account's money draws: where it stands, the entries as a grid or list, one entry with its postings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from portal.desk import go, lists
from portal.desk.text import inert
from portal.shared.money import format_cents
from portal.shared.text import day_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.billing.views.history import EntryLine, MoneyHistory, PostingLine

MINUS = "\u2212"
GREEN, ORANGE = "green", "orange"


def signed(cents: int) -> str:
    """An amount with its sign."""
    return f"{MINUS if cents < 0 else ''}{format_cents(abs(cents))}"


def header(history: MoneyHistory) -> None:
    """Back to the customer, whose money it is, and where it stands."""
    with st.container(horizontal=True, vertical_alignment="center", key="about"):
        if st.button(
            inert(history.person_name), icon=":material/arrow_back:", type="tertiary", shortcut="Esc", key="money.back"
        ):
            go.to("customer", account=history.account_id)
        st.caption(inert(f"{history.address} · Account {history.account_number}".removeprefix(" · ")), width="content")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("Account history", width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.markdown(f":gray[Balance] **{inert(signed(history.balance_cents))}**", width="content")
            if history.past_due_cents:
                since = (
                    f" since {day_text(history.past_due_since_on, history.today)}" if history.past_due_since_on else ""
                )
                st.badge(inert(f"{format_cents(history.past_due_cents)} past due{since}"), color=ORANGE)


def moved() -> int:
    """How often one went to a neighbor by key: grid and list are then drawn anew with that entry chosen."""
    return int(st.session_state.get("money.moved", 0))


def neighbors(history: MoneyHistory, at: int) -> None:
    """To the next and the one before, by key."""
    with st.container(horizontal=True, gap="small"):
        for label, key, there, icon in (
            ("Newer", "K", at - 1, "keyboard_arrow_up"),
            ("Older", "J", at + 1, "keyboard_arrow_down"),
        ):
            if st.button(
                label, shortcut=key, key=f"money.{key}", type="tertiary", icon=f":material/{icon}:",
                disabled=not 0 <= there < len(history.lines),
            ):  # fmt: skip
                st.session_state["money.moved"] = moved() + 1
                go.to(
                    "account_ledger", account=history.account_id, entry=history.lines[there].entry_id, page=history.page
                )


def entries(history: MoneyHistory, chosen: int, choose: Callable[[int], None]) -> None:
    """The entries as a grid where there is room and as a list on a phone: the style sheet shows one of the two."""
    import pandas as pd

    lines = history.lines
    with st.container(key="queue-grid"):
        frame = pd.DataFrame(
            {
                "Day": [line.on for line in lines],
                "What": [mark(line) for line in lines],
                "Amount": [line.amount_cents / 100 for line in lines],
                "Balance after": [line.balance_cents / 100 for line in lines],
                "Posted by": [line.posted_by for line in lines],
            }
        )
        key = f"money-grid-{history.account_id}-{history.page}-{moved()}"

        def from_grid() -> None:
            picked: Any = st.session_state[key]["selection"]["rows"]
            if picked:
                choose(int(picked[0]))

        st.dataframe(
            frame, hide_index=True, key=key, row_height=38, height=38 * (len(lines) + 1) + 2, on_select=from_grid,
            selection_mode="single-row-required",
            selection_default={"selection": {"rows": [chosen], "columns": [], "cells": []}},
            column_config={
                "Day": st.column_config.DateColumn(format="MMM D, YYYY", width=110),
                "What": st.column_config.Column(width=330),
                "Amount": st.column_config.NumberColumn(format="dollar", width=100),
                "Balance after": st.column_config.NumberColumn(format="dollar", width=110),
                "Posted by": st.column_config.Column(width=130),
            },
            alt=f"{history.total} entries, the newest first, with the balance after each; the same follow as a list on a narrow screen",
        )  # fmt: skip
    with st.container(key="queue-list"):
        list_key = f"money-list-{history.account_id}-{history.page}-{moved()}"

        def from_list() -> None:
            picked = st.session_state[list_key]
            if isinstance(picked, int):
                choose(picked)

        st.radio(
            "Entries, the newest first",
            range(len(lines)),
            index=chosen,
            format_func=lambda at: f"**{inert(signed(lines[at].amount_cents))}** {inert(mark(lines[at]))}",
            captions=[
                inert(f"{day_text(line.on, history.today)} · balance after {signed(line.balance_cents)}")
                for line in lines
            ],
            key=list_key,
            on_change=from_list,
        )


def mark(line: EntryLine) -> str:
    """What it was, and that it no longer counts."""
    return line.words + (" (taken back)" if line.taken_back_by_id else "")


def one(line: EntryLine, history: MoneyHistory, postings: tuple[PostingLine, ...]) -> None:
    """One entry: the day, who posted it, what it takes back or what took it back, and each amount that moved."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(f":material/{line.icon}: {inert(signed(line.amount_cents))}", width="content")
        st.badge(inert(line.kind), color="gray")
    st.markdown(inert(line.words))
    by = "the portal" if line.posted_by == "The portal" else line.posted_by
    st.caption(
        inert(
            f"Counts from {day_text(line.on, history.today)}. Posted by {by}, {line.posted}. "
            f"Balance after: {signed(line.balance_cents)}."
        )
    )
    if line.taken_back_on is not None:
        st.badge(
            f"Taken back {inert(day_text(line.taken_back_on, history.today))}", icon=":material/undo:", color=ORANGE
        )
    other = line.taken_back_by_id or line.takes_back_id
    if other is not None:
        label = "Show what took it back" if line.taken_back_by_id else "Show what it takes back"
        if st.button(label, type="tertiary", icon=":material/link:", key=f"money.other.{line.entry_id}"):
            go.to("account_ledger", account=history.account_id, entry=other)
    with st.expander("Postings", icon=":material/account_tree:", key="money.postings"):
        if not postings:
            st.caption("Nothing moved: the amount is zero.")
        for posting in postings:
            with st.container(horizontal=True, wrap=False, horizontal_alignment="distribute", vertical_alignment="top"):
                sides = f"Debit {posting.debit}, credit {posting.credit}"
                lists.two_lines(inert(posting.service_kind or "The account as a whole"), sides)
                st.markdown(f"**{inert(format_cents(posting.amount_cents))}**", width="content")


def nothing(history: MoneyHistory) -> None:
    """No entry yet: what to expect."""
    with st.container(border=True, width=640):
        st.subheader("Nothing was billed or paid yet")
        st.caption("The first entry comes with the first bill, after the next read.")
        if st.button("Back to the customer", key="money.none", icon=":material/person:"):
            go.to("customer", account=history.account_id)
