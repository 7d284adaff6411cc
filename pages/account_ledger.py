"""Account history: every bill, payment, credit and charge of an account, the newest first, with the balance after each."""

import streamlit as st

from portal.billing import views
from portal.desk import go, ledger_parts, lists, who


def draw() -> None:
    """The entries at the left, the chosen one with its postings at the right."""
    account_id = go.param_int("account")
    actor = who.actor()
    entry_id = go.param_int("entry")
    page = go.param_int("page") or 1
    if account_id is not None and entry_id is not None and go.param("page") is None:
        page = views.page_of_entry(account_id, entry_id)
    history = None if account_id is None else views.money_history(account_id, actor, page)
    if history is None:
        nobody()
        return
    ledger_parts.header(history)
    if not history.lines:
        ledger_parts.nothing(history)
        return
    chosen = history.at(entry_id)
    left, right = st.columns([2.1, 1], gap="medium")
    with left:
        ledger_parts.entries(history, chosen, lambda at: choose(history, at))
        foot(history)
    with right, st.container(border=True, key="detail"):
        ledger_parts.neighbors(history, chosen)
        line = history.lines[chosen]
        ledger_parts.one(line, history, views.postings_of(line.entry_id, history.account_id))


def choose(history: views.MoneyHistory, at: int) -> None:
    """The address of the page names the entry that is looked at."""
    st.query_params["entry"] = str(history.lines[at].entry_id)
    st.query_params["page"] = str(history.page)


def foot(history: views.MoneyHistory) -> None:
    """How many there are, the pager, and the whole of it as a file."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{history.total:,} entries" if history.total != 1 else "1 entry", width="content")
        if history.pages > 1:
            key = f"money.page.{history.page}"
            st.pagination(history.pages, default=history.page, key=key, on_change=turn, args=(key,), width="content")
        lists.export(
            views.HISTORY_COLUMNS, lambda: views.all_entries(history.account_id, history.total), total=history.total,
            file_name=f"account-{history.account_number}.csv", key="money",
        )  # fmt: skip


def turn(key: str) -> None:
    """Another page begins with its first entry."""
    st.query_params["page"] = str(st.session_state[key])
    st.query_params.pop("entry", None)


def nobody() -> None:
    """The address of the page names no account."""
    st.title("No account is open")
    st.text("Find the customer by name, phone, address or account number; “Account history” is in the menu there.")
    if st.button("Find a customer", type="primary", icon=":material/search:", key="nobody.find"):
        go.to("call_desk")


draw()
