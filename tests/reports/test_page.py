"""The page as each role sees it, on both databases, with addresses as anyone may type them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from db import core
from db.accounts import Account, Person
from tests.reports import made
from tests.test_pages_by_role import everything_shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    from tests.city import City


def test_an_empty_city_says_that_nothing_came_yet(city: City, open_page: Callable[..., AppTest]) -> None:
    page = open_page("service_levels", "supervisor")
    assert not page.exception
    assert "There are no requests yet" in everything_shown(page)


@pytest.mark.parametrize("role", ["supervisor", "manager"])
def test_those_who_answer_for_the_work_see_its_figures(
    city: City, open_page: Callable[..., AppTest], role: str
) -> None:
    made.add(made.twelve())
    page = open_page("service_levels", role)
    assert not page.exception
    shown = everything_shown(page)
    lead = page.markdown[0].value.replace("\\", "").replace("\u2060", "")
    assert (
        "Only 10 closed requests with a due date in this selection, 70% of them on time (58% of all with one)" in lead
    )
    assert "1 of 2 open requests is past due" in lead
    assert {each.label: each.value for each in page.metric} == {
        "Opened": "12", "Closed": "10", "On time, of closed": "(70%)", "Open past due": "1", "Half closed in": "5.5 days",
        "9 in 10 closed in": "9.1 days",
    }  # fmt: skip
    assert "2 open requests, none older than 90 days" in shown


def test_a_representative_meets_the_refusal(city: City, open_page: Callable[..., AppTest]) -> None:
    made.add(made.twelve())
    page = open_page("service_levels", "representative")
    shown = everything_shown(page)
    assert "This page is not part of your role" in shown
    assert "closed on time" not in shown


def test_an_address_restores_the_filters_and_clear_takes_them_away(
    city: City, open_page: Callable[..., AppTest]
) -> None:
    made.add(made.twelve())
    page = open_page("service_levels", "supervisor", channel="web", period="4w", by="district", list="opened")
    assert not page.exception
    assert page.selectbox(key="channel").value == "web"
    assert page.selectbox(key="period").value == "4w"
    assert page.metric[0].value == "2"
    assert "2 cases" in everything_shown(page)
    next(button for button in page.button if button.label == "Clear").click().run()
    assert not page.exception
    assert page.metric[0].value == "12"
    assert not {"channel", "period"} & set(page.query_params)


@pytest.mark.parametrize(
    "query",
    [
        {"period": "1; DROP TABLE x"}, {"division": "<b>", "district": "'", "channel": "\x00", "who": "9"}, {"by": "[]", "list": "everything"},
        {"age": "-1"}, {"age": "99999999999999999999"}, {"age": "٣"}, {"cases_page": "NaN"}, {"at": "2026-02-30"}, {"at": "<b>"},
    ],
)  # fmt: skip
def test_what_an_address_does_not_offer_counts_as_absent(
    city: City, open_page: Callable[..., AppTest], query: dict[str, str]
) -> None:
    made.add(made.twelve())
    page = open_page("service_levels", "supervisor", **query)
    assert not page.exception
    assert page.metric[0].value == "12"


def test_two_days_of_an_address_are_the_period(city: City, open_page: Callable[..., AppTest]) -> None:
    made.add([*made.twelve(), made.request(30, "2026-11-15T23:59"), made.request(31, "2026-11-16T00:00")])
    page = open_page("service_levels", "supervisor", **{"from": "2026-11-10", "to": "2026-11-15"})
    assert not page.exception
    assert page.selectbox(key="period").value == "dates"
    assert page.metric[0].value == "3"
    assert "Nov 10, 2026 to Nov 15, 2026" in everything_shown(page)
    page.date_input(key="to").set_value(dt.date(2026, 11, 16)).run()
    assert page.metric[0].value == "4"
    assert page.query_params["to"] in ("2026-11-16", ["2026-11-16"])
    page.date_input(key="to").set_value(dt.date(2026, 11, 9)).run()
    assert not page.exception
    assert "lies before “From”" in page.warning[0].value
    next(button for button in page.button if button.label == "Clear").click().run()
    assert page.selectbox(key="period").value == "13w"
    assert not {"from", "to", "period"} & set(page.query_params)


@pytest.mark.parametrize(
    ("since", "last"), [("x", "y"), ("2026-02-30", ""), ("0001-01-01", "9999-12-31"), ("20261101", "'; --"), ("٢٠٢٦-١١-٠١", "2026-11-01")]
)  # fmt: skip
def test_days_that_are_none_count_as_absent(
    city: City, open_page: Callable[..., AppTest], since: str, last: str
) -> None:
    made.add(made.twelve())
    page = open_page("service_levels", "supervisor", period="dates", **{"from": since, "to": last})
    assert not page.exception


def test_a_selected_week_says_what_it_holds_and_its_oldest_case(city: City, open_page: Callable[..., AppTest]) -> None:
    made.add(made.twelve())
    page = open_page("service_levels", "supervisor", at="2026-11-09", list="open")
    shown = everything_shown(page)
    assert "2 open" in shown
    assert "the oldest was opened Nov 10, 2026" in shown
    assert "opened in the week from Nov 9, 2026 until before Nov 16, 2026" in shown.replace("\\", "").replace(
        "\u2060", ""
    )
    assert [button.label for button in page.button].count("Open the oldest") == 2


@pytest.mark.parametrize(("role", "sees"), [("supervisor", True), ("manager", False)])
def test_an_address_of_somebody_exempt_is_seen_by_few_and_leaves_in_no_file(
    city: City, open_page: Callable[..., AppTest], role: str, sees: bool
) -> None:
    with core.work() as work:
        account = work.session.get(Account, city.account["marcus"])
        assert account is not None
        person = work.session.get(Person, account.person_id)
        assert person is not None
        person.exempt_from_public_records = True
        premise = account.premise_id
        work.event("test.exempt", subject_kind="person", subject_id=person.id)
    made.add([made.request(at, f"2026-11-{10 + at}T08:00", premise_id=premise) for at in range(3)])
    page = open_page("service_levels", role)
    assert not page.exception
    assert "1 premise with 3 or more requests" in everything_shown(page)
    assert ("Oakhaven" in everything_shown(page)) is sees
    assert "stay out of the table and its files" in everything_shown(page)
    page.session_state["repeats.table"] = True
    page.run()
    assert not page.exception
    tables = [table.value for table in page.dataframe]
    assert any("Exempt from public records" in str(table) for table in tables)
    assert not any("Oakhaven" in str(table) for table in tables)


def test_filters_that_leave_nothing_lead_to_the_nearest_that_has_something(
    city: City, open_page: Callable[..., AppTest]
) -> None:
    made.add(
        [
            *made.twelve(),
            made.request(20, "2026-11-10T08:00", closed="2026-11-10T09:00", district="lakeside", channel="web"),
        ]
    )
    page = open_page("service_levels", "supervisor", channel="phone", district="lakeside")
    assert not page.exception
    assert "No requests match these filters" in everything_shown(page)
    button = next(button for button in page.button if button.label == "Any channel (1)")
    button.click().run()
    assert page.metric[0].value == "1"
    assert page.selectbox(key="district").value == "lakeside"


def test_the_definitions_are_one_key_away(city: City, open_page: Callable[..., AppTest]) -> None:
    page = open_page("service_levels", "supervisor")
    next(button for button in page.button if button.label == "What the figures mean").click().run()
    assert not page.exception
    said = [each.value for each in page.text]
    assert "Closed by their due time." in said
    assert "Of: All requests of the period with a due time, open ones included." in said
