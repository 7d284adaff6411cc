"""What the service-level page is narrowed by. Every choice stands in the address, so that a link or a reload shows the same."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import streamlit as st

from portal.desk import cached, go
from portal.reports import rules, views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.reports.views import Asked, Board, Names

FILTERS: Final = {
    "division": "Division", "request_type": "Request type", "district": "District", "channel": "Channel", "who": "Done by",
}  # fmt: skip
WHO: Final = {"": "Anyone", views.CITY: "The city", views.CONTRACTORS: "All contractors"}
DATES: Final = "dates"
"""The period of two days of one’s own: `from` and `to` of the address, both included."""
MARKS: Final = ("age", "at")
"""Selected marks that narrow the list of cases only."""


def filters(known: Names) -> Asked:
    """The filter row."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if "period" not in st.session_state and not go.param("period") and (go.param("from") or go.param("to")):
            st.session_state["period"] = DATES  # an address with days and no period means the days
        named = {code: each.name for code, each in known.periods.items()}
        period = _choose("Period", "period", named | {DATES: "From – to"}, width=132)
        if period == DATES:
            period = _two_days(known)
        offered = cached.offered(period) | {"who": _who(known)}
        found = {
            name: _choose(label, name, {"": WHO[""] if name == "who" else "All"} | offered[name], width=158)
            for name, label in FILTERS.items()
        }
        nothing = not any(found.values()) and period == next(iter(known.periods)) and not any(map(go.param, MARKS))
        st.button("Clear", type="tertiary", icon=":material/close:", on_click=clear, disabled=nothing)
    return views.Asked(period, **found)


def _who(known: Names) -> dict[str, str]:
    """The city, all contractors, or one of them."""
    each = {code: known.of("division", code) for code in known.contractors}
    return {code: name for code, name in WHO.items() if code} | dict(sorted(each.items(), key=lambda pair: pair[1].casefold()))  # fmt: skip


def _two_days(known: Names) -> str:
    """The days from and to, as the code of a period."""
    first = next(iter(known.periods.values()))
    since = _day("From", "from", first.since)
    last = _day("To", "to", first.until - dt.timedelta(days=1))
    if last < since:
        st.warning(
            f"“To” ({rules.day_words(last)}) lies before “From” ({rules.day_words(since)}): only {rules.day_words(since)} "
            "is counted. Choose a later “To”.",
            icon=":material/event_busy:",
        )
        last = since
    return rules.span_period(since, last).code


def _day(label: str, key: str, otherwise: dt.date) -> dt.date:
    """A day that stands in the address; what is no day there counts as absent."""
    if not isinstance(st.session_state.get(key), dt.date):
        st.session_state[key] = rules.day_of(go.param(key) or "") or otherwise
    return st.date_input(
        label, key=key, width=136, format="MM/DD/YYYY", min_value=rules.EARLIEST, max_value=rules.LATEST,
        on_change=_day_changed, args=(key,),
    ) or otherwise  # fmt: skip


def _day_changed(key: str) -> None:
    value = st.session_state[key]
    if isinstance(value, dt.date):
        st.query_params[key] = value.isoformat()
    st.query_params["period"] = DATES
    first_page()


def _choose(label: str, key: str, options: Mapping[str, str], *, width: int) -> str:
    """A choice that stands in the address under `key`, as a code: a name may change, a link must not."""
    first = _begin(key, options)
    return st.selectbox(
        label, list(options), format_func=options.__getitem__, key=key, width=width, on_change=_changed, args=(key, first)
    )  # fmt: skip


def switch(label: str, key: str, options: Mapping[str, str]) -> str:
    """The same with all choices in sight."""
    first = _begin(key, options)
    chosen = st.segmented_control(
        label, list(options), format_func=options.__getitem__, key=key, label_visibility="collapsed", on_change=_changed,
        args=(key, first),
    )  # fmt: skip
    return chosen or first


def _begin(key: str, options: Mapping[str, str]) -> str:
    """Before a choice is drawn: what the address says, if it is offered, else the first, which it answers with."""
    first = next(iter(options))
    if key not in st.session_state:
        st.session_state[key] = rules.chosen(go.param(key), options, first)
    elif st.session_state[key] is not None and st.session_state[key] not in options:
        put(key, first)
    return first


def put(key: str, value: str) -> None:
    """Puts a choice into its widget and into the address; "" leaves the address."""
    st.session_state[key] = value
    if value:
        st.query_params[key] = value
    else:
        st.query_params.pop(key, None)


def _changed(key: str, first: str) -> None:
    value = st.session_state[key] or first
    put(key, value if value != first else "")
    st.session_state[key] = value
    if key == "period" and value != DATES:
        for name in ("from", "to", "at"):
            _forget(name)
    first_page()


def _forget(key: str) -> None:
    st.session_state.pop(key, None)
    st.query_params.pop(key, None)


def clear() -> None:
    """Back to everything in the last 13 weeks."""
    for name in FILTERS:
        put(name, "")
    for name in ("period", "from", "to", *MARKS):
        _forget(name)
    first_page()


def every_year() -> None:
    """All years, where the chosen period holds nothing."""
    for name in ("from", "to"):
        _forget(name)
    put("period", "all")
    first_page()


def first_page() -> None:
    """Another selection begins with its first page."""
    st.session_state["cases_page"] = 1


def filter_by(name: str, now: str, code: str) -> None:
    """Selecting a mark keeps only it; selecting it again lets go."""
    put(name, "" if code == now else code)
    first_page()


def filter_contractor(asked: Asked, code: str) -> None:
    """Selecting one contractor, or all divisions of the city itself."""
    filter_by("who", asked.who, views.CITY if code == views.OWN else code)


def list_age(now: str, code: str) -> None:
    """Selecting a bar of the backlog lists its open cases."""
    _forget("at")
    filter_by("age", now, code)
    put("list", "open")


def list_moment(now: str, code: str) -> None:
    """Selecting a point of a line lists the cases opened in its week or month."""
    _forget("age")
    filter_by("at", now, code)
    put("list", "opened")


def list_type_moment(asked: Asked, now: str, code: str) -> None:
    """The same for the line of one request type, which is then the only one."""
    request_type, _, at = code.rpartition("|")
    put("request_type", request_type)
    list_moment(now if asked.request_type == request_type else "", at)


def mark(board: Board) -> views.Mark:
    """The selected mark, as the address has it."""
    age = rules.chosen(go.param("age"), [str(at) for at in range(len(board.ages))])
    return views.Mark(int(age) if age else None, rules.day_of(go.param("at") or ""))


def where_words(known: Names, asked: Asked) -> str:
    """“Carts, Old Town, by phone”, “All divisions”."""
    found = []
    if not asked.division:
        whole = {"": "All divisions", views.CITY: "City divisions", views.CONTRACTORS: "Contractors"}
        found.append(whole.get(asked.who) or known.of("division", asked.who))
    for by in ("division", "request_type", "district", "channel"):
        if code := getattr(asked, by):
            found.append(known.of(by, "" if code == views.NONE else code))
    return ", ".join(found)
