from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.service_requests import commands as requests
from portal.service_requests.rules.form import RequestForm
from tests.city import City
from tests.seen import still_words


def words(page: Any) -> str:
    """Everything that stands on a page, in one text; Markdown's escapes taken out."""
    assert not page.exception, page.exception
    parts: list[str] = []
    for kind in ("title", "header", "subheader", "markdown", "caption", "text", "error", "warning", "info"):
        parts += [str(element.value) for element in getattr(page, kind)]
    parts += [f"{metric.label} {metric.value} {metric.delta}" for metric in page.metric]
    parts += [str(button.label) for button in page.button]
    return "\n".join([*parts, still_words(page)]).replace("\\", "").replace("\u2060", "")


# --- call desk


def test_the_call_desk_finds_while_typing(open_page: Callable[..., Any]) -> None:
    page = open_page("call_desk")
    assert "Typing mistakes" in words(page)
    page.text_input(key="find.text").set_value("marcus elison").run()
    shown = words(page)
    assert "Marcus Ellison" in shown
    # tests/city.toml: the October bill of $218.40 is not paid.
    assert "Past due $218.40" in shown
    assert "1418 Oakhaven Dr · Account 100-2231-8 · (850) 555-0142" in shown


def test_service_can_start_at_an_address_that_was_looked_for(open_page: Callable[..., Any], city: City) -> None:
    page = open_page("call_desk")
    page.text_input(key="find.text").set_value("1418 oakhaven").run()
    shown = words(page)
    assert "Occupied: a start takes over on one reading · for somebody new" in shown
    assert shown.count("Start service here") == 1
    page.text_input(key="find.text").set_value("61 tanner").run()
    assert "Nobody has service in their name · for somebody new" in words(page)
    assert page.button(key=f"place.start.{city.premise['tanner61']}").label == "Start service here"
    for text in ("marcus ellison", "100-2231-8", "850 555 0142"):  # nobody looked for an address
        page = open_page("call_desk")
        page.text_input(key="find.text").set_value(text).run()
        assert "Start service here" not in words(page)


def test_the_call_decides_for_whom_service_starts(
    open_page: Callable[..., Any], actor: Callable[[str], Any], on_call: Callable[..., int]
) -> None:
    on_call(actor("representative"), "marcus")
    page = open_page("call_desk")
    page.text_input(key="find.text").set_value("61 tanner").run()
    assert "Nobody has service in their name · for Marcus Ellison" in words(page)


def test_nothing_found_offers_three_ways_on(open_page: Callable[..., Any]) -> None:
    page = open_page("call_desk")
    page.text_input(key="find.text").set_value("zzzzqqqq").run()
    shown = words(page)
    assert "Nothing fits “zzzzqqqq”" in shown
    for way in ("Start service", "Add a person", "Request without a customer"):
        assert way in shown


def test_the_desk_says_which_collections_slide(open_page: Callable[..., Any]) -> None:
    # Thanksgiving is November 26, 2026, a Thursday (5 U.S.C. 6103: the fourth Thursday in November).
    assert "Thursday → Friday, Friday → Saturday" in words(open_page("call_desk"))


def test_bad_input_in_the_find_box_is_harmless(open_page: Callable[..., Any]) -> None:
    page = open_page("call_desk")
    for text in ("<script>alert(1)</script>", "=HYPERLINK(1)", "😀😀😀", "x" * 10_000, "' OR 1=1 --", "\u202e\x00abc"):
        page.text_input(key="find.text").set_value(text).run()
        assert not page.exception, text


def test_a_request_without_a_premise_is_found_with_its_address(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any]
) -> None:
    form = RequestForm(
        "pothole", {"size": "plate", "lane": "edge"}, None, None, None, address="Oak St at 5th Ave, north side"
    )
    number = requests.open_request(actor("luis"), form).number
    page = open_page("call_desk")
    page.text_input(key="find.text").set_value(number).run()
    assert f"{number} · Oak St at 5th Ave, north side" in words(page)


# --- customer


def test_the_summary_shows_money_use_and_people(open_page: Callable[..., Any], city: City) -> None:
    shown = words(open_page("customer", account=city.account["marcus"]))
    # tests/city.toml: bills 120.00 + 218.40 + 143.78, paid 120.00.
    assert "Balance $362.18 $143.78 not yet due" in shown
    assert "Past due $218.40 26 days" in shown  # due October 29, today November 24
    assert "on the cut-off list for Wed, Dec 2" in shown
    assert "1,118 kWh" in shown  # the last of the thirteen periods
    assert "9% above last October" in shown  # 1,118 against 1,026
    assert "Rosa Ellison" in shown
    assert "Fri, Nov 27" in shown  # Thursday's collection, a day later
    assert "OLD-77123" in shown


@pytest.mark.parametrize("role", ["supervisor", "manager", "administrator"])
def test_other_roles_see_the_summary_or_a_refusal_without_a_row(
    open_page: Callable[..., Any], city: City, role: str
) -> None:
    shown = words(open_page("customer", role, account=city.account["marcus"]))
    assert ("Marcus Ellison" in shown) != ("This page is not part of your role" in shown)


def test_flags_stand_above_everything(open_page: Callable[..., Any], city: City) -> None:
    shown = words(open_page("customer", account=city.account["samuel"]))
    assert "Medical need at home: Oxygen concentrator at home" in shown
    assert "Dog: Large dog, side gate" in shown


def test_exempt_and_interpreter_are_said(open_page: Callable[..., Any], city: City) -> None:
    assert "Exempt from public records" in words(open_page("customer", account=city.account["helen"]))
    assert "Interpreter: Mandarin" in words(open_page("customer", account=city.account["wei"]))


def test_an_address_without_an_account_has_a_page(open_page: Callable[..., Any], city: City) -> None:
    shown = words(open_page("customer", premise=city.premise["tanner61"]))
    assert "61 Tanner St" in shown
    assert "owned by Palmetto Court Rentals LLC" in shown


def test_a_person_without_an_account_shows_for_whom_they_act(open_page: Callable[..., Any], city: City) -> None:
    shown = words(open_page("customer", person=city.person["rosa"]))
    assert "Marcus Ellison" in shown
    assert "may ask, pay, change" in shown


def test_an_address_that_names_nobody_says_what_to_do(open_page: Callable[..., Any]) -> None:
    for query in ({"account": "0"}, {"account": "abc"}, {"person": "99999999"}, {"account": "9" * 40}, {}):
        assert "No customer is open" in words(open_page("customer", **query)), query


def test_bills_stand_in_a_list(open_page: Callable[..., Any], city: City) -> None:
    page = open_page("customer", account=city.account["marcus"], do="bills")
    assert "Bills of Marcus Ellison" in words(page)
    assert "$143.78" in page.table[0].value.to_string().replace("\\", "")


def test_a_phone_is_changed_from_the_page(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
) -> None:
    on_call(actor("representative"), "marcus")
    page = open_page("customer", account=city.account["marcus"], do="edit")
    assert "Change Marcus Ellison" in words(page)
    field = next(each for each in page.text_input if each.label == "Phone")
    field.set_value("12345").run()
    page.button(key="customer.submit").click().run()
    assert "has 5 digits" in words(page)
    next(each for each in page.text_input if each.label == "Phone").set_value("850 555 0199").run()
    page.button(key="customer.submit").click().run()
    assert "Marcus Ellison is changed" in words(page)


def test_a_flag_and_who_may_act_have_forms(open_page: Callable[..., Any], city: City) -> None:
    assert "What to know about Marcus Ellison" in words(
        open_page("customer", account=city.account["marcus"], do="flag")
    )
    shown = words(open_page("customer", account=city.account["marcus"], do="authorise"))
    assert "Who may act for Marcus Ellison" in shown


# --- merging


def test_two_records_stand_side_by_side(open_page: Callable[..., Any], city: City) -> None:
    page = open_page("merge_persons", "supervisor", kept=city.person["marcus"], old=city.person["tomas"])
    shown = words(page)
    assert "The names differ: Tomas Elison and Marcus Ellison" in shown
    page.button(key="merge_persons.submit").click().run()
    assert "is now part of" in words(page)


def test_merging_is_not_for_everybody(open_page: Callable[..., Any], city: City) -> None:
    page = open_page("merge_persons", "representative", kept=city.person["marcus"], old=city.person["tomas"])
    shown = words(page)
    assert "Merge P-" in shown or "This page is not part of your role" in shown
