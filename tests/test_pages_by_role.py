"""Every page as every role: who may see it sees a known sentence of the small city; who may not meets the refusal and no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.desk.app import PAGES
from portal.staff import views

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    from tests.city import City

ROLES = ("representative", "supervisor", "manager", "administrator")

KNOWN: dict[str, tuple[dict[str, str], str]] = {
    "call_desk": ({}, "Call desk"),
    "work_queue": ({}, "Work queue"),
    "call_backs": ({}, "Call-backs"),
    "approvals": ({}, "Approvals"),
    "adjust_bill": ({"account": "@100-2231-8"}, "Effect on the balance"),
    "emergency": ({}, "Gas odor"),
    "articles": ({}, "Policies and how-to"),
    "known_events": ({}, "Known events"),
    "deliveries": ({}, "Deliveries"),
    "service_levels": ({}, "Clear filters"),
    "public_opinion": ({}, "portal import survey"),
    "request_types": ({}, "Missed garbage"),
    "request_type": ({"code": "missed_garbage"}, "Publish version 2"),
    "staff": ({}, "Dana Whitcomb"),
    "roles": ({}, "Representative"),
    "help": ({}, "premise"),
    "customer": ({"account": "@100-2231-8"}, "$362.18"),
    "merge_persons": ({}, "Merge"),
    "start_service": ({"premise": "#tanner61"}, "61 Tanner St"),
    "stop_service": ({"account": "@100-2231-8"}, "1418 Oakhaven Dr"),
    "transfer_service": ({"account": "@100-2231-8"}, "1418 Oakhaven Dr"),
    "account_ledger": ({"account": "@100-2231-8"}, "Paid by card"),
    "service_request": ({"account": "@100-2231-8"}, "1418 Oakhaven Dr"),
    "case": ({}, "request"),
    "work_order": ({}, "order"),
    "wrap_up": ({}, "No call is open"),
}
"""Page -> its address (@ an account, # a premise of the small city) and a figure or sentence of city.toml or of the page."""

CITY_DATA = ("Marcus", "Ellison", "Oakhaven", "362.18", "8505550142", "Whitcomb")


def everything_shown(page: AppTest) -> str:
    """All the text a page holds, whatever element it stands in."""
    return " ".join(str(block) for block in _texts(page.main)) + " ".join(str(block) for block in _texts(page.sidebar))


def _texts(block: object) -> list[str]:
    found = []
    for child in getattr(block, "children", {}).values():
        for name in ("value", "label", "body", "options", "icon", "proto"):
            part = getattr(child, name, None)
            if part is not None and not callable(part):
                found.append(str(part))
        found.extend(_texts(child))
    return found


def _query(city: City, query: dict[str, str]) -> dict[str, object]:
    ids = {"@": city.account, "#": city.premise}
    return {name: ids[value[0]][value[1:]] if value[0] in ids else value for name, value in query.items()}


def test_each_page_has_a_known_sentence() -> None:
    assert set(KNOWN) == {spec.name for spec in PAGES}


@pytest.mark.parametrize("role", ROLES)
def test_each_page_opens_for_who_may_see_it_and_refuses_the_rest(
    city: City, open_page: Callable[..., AppTest], actor: Callable, role: str, subtests: pytest.Subtests
) -> None:
    somebody = actor(role)
    for spec in PAGES:
        with subtests.test(spec.name):
            query, sentence = KNOWN[spec.name]
            page = open_page(spec.name, role, **_query(city, query))
            assert not page.exception, page.exception
            shown = everything_shown(page)
            if somebody.may(spec.permission):
                assert sentence.casefold() in shown.casefold(), f"{spec.name} as {role} does not show “{sentence}”"
                assert "not part of your role" not in shown
            else:
                assert "This page is not part of your role" in shown
                assert spec.permission in shown
                for word in CITY_DATA:
                    assert word not in shown, f"the refusal of {spec.name} shows {word}"


def test_a_person_without_a_role_is_let_in_nowhere(
    city: City, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from portal.desk import who

    luis = views.actor_for_staff(city.staff["luis"])
    assert luis is not None
    nobody = replace(luis, permissions=frozenset())
    open_page("help")
    monkeypatch.setattr(who, "current_actor", lambda **_: nobody)
    from streamlit.testing.v1 import AppTest

    for spec in PAGES:
        page = AppTest.from_string(
            f"from portal.desk import app\napp.draw_page({spec.name!r})", default_timeout=30
        ).run()
        assert "This page is not part of your role" in everything_shown(page), spec.name
