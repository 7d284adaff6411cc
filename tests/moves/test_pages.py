"""The start, stop and transfer pages as people of each role see them, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from db import accounts, core, moves, service_requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    from tests.city import City
from tests.seen import still_words

PAGES = ("start_service", "stop_service", "transfer_service")
MONDAY = dt.date(2026, 11, 30)


def said(page: AppTest) -> str:
    """All words on the page, without what keeps data from becoming Markdown."""
    parts = [*page.markdown, *page.caption, *page.text, *page.title, *page.subheader, *page.error]
    return " ".join([*(str(part.value) for part in parts), still_words(page)]).replace("\\", "").replace("\u2060", "")


def field(page: AppTest, code: str) -> Any:
    """The widget of a form's field."""
    for kind in (
        "text_input",
        "date_input",
        "selectbox",
        "checkbox",
        "button_group",
        "number_input",
        "segmented_control",
        "pills",
    ):
        for one in page.get(kind):
            if str(one.key).endswith(f".{code}"):
                return one
    raise LookupError(code)


def submit(page: AppTest, name: str) -> AppTest:
    return page.button(key=f"{name}.submit").click().run()


def sound(page: AppTest) -> AppTest:
    assert not page.exception, page.exception[0].value
    return page


@pytest.mark.parametrize("role", ["manager", "administrator"])
@pytest.mark.parametrize("name", PAGES)
def test_roles_without_the_permission_see_the_refusal(
    open_page: Callable[..., AppTest], city: City, name: str, role: str
) -> None:
    page = sound(open_page(name, role, account=city.account["marcus"], premise=city.premise["tanner61"]))
    assert "not part of your role" in said(page)
    assert "Tanner" not in said(page)


@pytest.mark.parametrize("role", ["representative", "supervisor"])
def test_start_shows_what_the_premise_has_and_costs(open_page: Callable[..., AppTest], city: City, role: str) -> None:
    page = sound(open_page("start_service", role, account=city.account["priya"], premise=city.premise["tanner61"]))
    words = said(page)
    assert "61 Tanner St, 32303 · house, 2 meters" in words
    assert field(page, "name").value == "Priya Raman"
    assert field(page, "phone").value == "(850) 555-0163"
    # base/deposit: electric 175 + water 50 + sewer 50
    assert "$275.00" in words
    assert "Connection, electric" in words
    assert "I am starting electric, water, sewer, garbage and recycling at 61 Tanner St" in words
    assert "Start 5 services" in [button.label for button in page.button]


def test_start_saves_and_shows_the_receipt(
    open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
) -> None:
    on_call(actor("representative"), "priya")
    page = open_page("start_service", account=city.account["priya"], premise=city.premise["tanner61"])
    field(page, "on").set_value(MONDAY)
    page = sound(submit(page.run(), "start_service"))
    words = said(page)
    assert "Start of 5 services is booked for Mon, Nov 30" in words
    assert "Cart delivered (garbage and recycling)" in words
    with core.read() as session:
        move = session.scalars(sa.select(moves.Move)).one()
    assert move.number in [str(code.value) for code in page.code]
    assert move.account_id == city.account["priya"]


def test_the_check_that_is_needed_stands_there_before_the_button(
    open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
) -> None:
    query = {"account": city.account["priya"], "premise": city.premise["tanner61"]}
    page = sound(open_page("start_service", **query))
    assert "Take the call first (Alt+A). Ask for two account facts or the PIN. So far: strength 0 of 1" in said(page)
    # Refused: the day typed is kept.
    field(page, "on").set_value(MONDAY)
    page = sound(submit(page.run(), "start_service"))
    assert "Check who is speaking first" in said(page)
    assert field(page, "on").value == MONDAY
    # A changed number would open the next check: it asks for more.
    field(page, "phone").set_value("850 555 0102")
    assert "So far: strength 0 of 2, needed for “Change contact details”" in said(sound(page.run()))
    # A call that is about somebody else becomes one about this customer with one click.
    on_call(actor("representative"), "wei")
    page = sound(open_page("stop_service", account=city.account["priya"]))
    assert "The call is not about this customer yet." in said(page)
    page = sound(page.button(key="identity_need.link").click().run())
    assert "Ask for the PIN or passphrase, three account facts" in said(page)
    assert "not about this customer" not in said(page)
    on_call(actor("representative"), "priya")
    page = sound(open_page("stop_service", account=city.account["priya"]))
    assert "Identity checked" in said(page)


def test_start_for_a_newcomer_in_an_occupied_house(open_page: Callable[..., AppTest], city: City) -> None:
    page = sound(open_page("start_service", premise=city.premise["neighbor"]))
    words = said(page)
    assert "Someone else is still active here: their service will end on the same read." in words
    assert "Odessa" not in words
    assert "A former or other occupant owes $412.60." in words
    assert "F.S. 180.135" in words
    assert "The exception is a tenant or owner who had the benefit of that service directly" in words
    page = sound(submit(page, "start_service"))
    words = said(page)
    assert "Not started" in words
    assert "Choose the evidence" in words
    assert "Enter the customer's first and last name" in words
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(moves.Move)) == 0


def test_start_without_a_premise_searches_by_address(open_page: Callable[..., AppTest], city: City) -> None:
    page = sound(open_page("start_service", account=city.account["priya"]))
    page.text_input(key="move.premise.find").set_value("61 tanner").run()
    sound(page).button(key=f"move.premise.{city.premise['tanner61']}").click().run()
    assert "61 Tanner St, 32303" in said(sound(page))


BAD_TEXT = [
    ("name", "x" * 10_000, "10,000 characters; 160 is the most"),
    ("name", "12345", "has no letters"),
    ("name", "Nora\u200bQuint", "invisible characters"),
    ("phone", "555", "has 3 digits"),
    ("phone", "=HYPERLINK(1)", "is not a phone number"),
    ("email", "nora at example", "is not an e-mail address"),
    ("email", "x" * 10_000, "200 is the most"),
    ("mailing_address", "somewhere", "has no number"),
    ("mailing_address", "4111 1111 1111 1111", "payment card number"),
]
BAD_DAYS = [
    ("on", dt.date(1900, 1, 1), "too long ago"),
    ("on", dt.date(2199, 12, 31), "too far ahead"),
    ("on", None, "Enter the day of the start"),
    ("on", dt.date(2026, 11, 28), "no crew works on Sat, Nov 28"),
    ("on", dt.date(2026, 11, 20), "needs a visit; the first day is Tue, Nov 24"),
]


def refuses(page: AppTest, name: str, code: str, typed: Any, sentence: str) -> None:
    """One bad answer in one field: the sentence stands there, what was typed is kept; then the field is as before."""
    before = field(page, code).value
    field(page, code).set_value(typed)
    sound(submit(page.run(), name))
    assert sentence in said(page), (code, str(typed)[:60])
    assert field(page, code).value == typed
    field(page, code).set_value(before)
    page.run()


def test_bad_answers_are_sentences_at_their_fields(open_page: Callable[..., AppTest], city: City) -> None:
    page = open_page("start_service", account=city.account["priya"], premise=city.premise["tanner61"])
    for code, typed, sentence in [*BAD_TEXT, *BAD_DAYS]:
        refuses(page, "start_service", code, typed, sentence)
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(moves.Move)) == 0


def test_a_new_name_that_is_code_is_refused(open_page: Callable[..., AppTest], city: City) -> None:
    page = open_page("start_service", premise=city.premise["tanner61"])
    field(page, "phone").set_value("850 555 0191")
    for typed in ("<script>alert(1)</script> Nora", "=HYPERLINK(A1) Nora", "![x](http://x.example/a.png) Nora"):
        refuses(page, "start_service", "name", typed, "sign that names do not have")


@pytest.mark.parametrize(
    "typed", ["5 <b>Elm</b> St", '=HYPERLINK("http://x") 5', "🏠 5 Elm St", "![5](http://x.example/a.png)"]
)
def test_odd_addresses_are_kept_as_text(open_page: Callable[..., AppTest], city: City, typed: str) -> None:
    page = open_page("start_service", premise=city.premise["tanner61"])
    field(page, "name").set_value("Nora Quint")
    field(page, "phone").set_value("850 555 0191")
    field(page, "mailing_address").set_value(typed)
    page = sound(submit(page.run(), "start_service"))
    with core.read() as session:
        person = session.scalars(sa.select(accounts.Person).order_by(accounts.Person.id.desc())).first()
    assert person is not None
    assert person.mailing_address == typed


@pytest.mark.parametrize("name", PAGES)
def test_addresses_typed_by_anyone(open_page: Callable[..., AppTest], name: str) -> None:
    for query in ({"premise": "999999"}, {"account": "999999"}, {"person": "7777"}, {"premise": "x", "account": "<b>"}):
        sound(open_page(name, **query))


class TestStop:
    def test_shows_the_owner_and_what_happens(self, open_page: Callable[..., AppTest], city: City) -> None:
        page = sound(open_page("stop_service", account=city.account["marcella"]))
        words = said(page)
        assert "The owner takes over" in words
        assert "I am ending electric, water, sewer, garbage and recycling at 77 Palmetto Ct, Unit 4" in words
        assert "Palmetto Court Rentals" not in words

    def test_saves(
        self, open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        on_call(actor("representative"), "wei")
        page = open_page("stop_service", account=city.account["wei"])
        field(page, "on").set_value(MONDAY)
        field(page, "forwarding_address").set_value("8 Elm St, Ocala FL 34470")
        page = sound(submit(page.run(), "stop_service"))
        assert "Stop of 4 services is booked for Mon, Nov 30" in said(page)

    def test_landlord(self, open_page: Callable[..., AppTest], city: City) -> None:
        page = open_page("stop_service", account=city.account["marcella"])
        field(page, "asked_by").set_value("owner")
        page = sound(submit(page.run(), "stop_service"))
        assert "F.S. 83.67" in said(page)
        assert "Not stopped" in said(page)

    def test_bad_answers(self, open_page: Callable[..., AppTest], city: City) -> None:
        page = open_page("stop_service", account=city.account["wei"])
        for code, typed, sentence in (
            ("forwarding_address", "y" * 10_000, "300 is the most"),
            ("forwarding_address", "SSN 123-45-6789", "Social Security"),
            ("phone", "12", "has 2 digits"),
            ("on", dt.date(1900, 1, 1), "too long ago"),
            ("on", None, "Enter the day of the stop"),
        ):
            refuses(page, "stop_service", code, typed, sentence)

    def test_booked_moves_can_be_cancelled_with_a_reason(
        self, open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        on_call(actor("representative"), "wei")
        page = open_page("stop_service", account=city.account["wei"])
        field(page, "on").set_value(MONDAY)
        submit(page.run(), "stop_service")
        with core.read() as session:
            move = session.scalars(sa.select(moves.Move)).one()
        page = sound(open_page("stop_service", account=city.account["wei"]))
        page.button(key=f"cancel_move.{move.id}").click().run()
        assert "Enter the reason" in said(sound(page))
        page.text_input(key=f"move.{move.id}.reason").set_value("Stays after all").run()
        page.button(key=f"cancel_move.{move.id}").click().run()
        sound(page)
        with core.read() as session:
            assert session.scalars(sa.select(moves.Move.state_code)).one() == "cancelled"


class TestTransfer:
    def test_moves_the_account(
        self, open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        on_call(actor("representative"), "wei")
        page = sound(open_page("transfer_service", account=city.account["wei"], premise=city.premise["tanner61"]))
        words = said(page)
        assert "Carried over" in words
        field(page, "on").set_value(MONDAY)
        field(page, "stop_on").set_value(MONDAY)
        page = sound(submit(page.run(), "transfer_service"))
        assert "Transfer of 5 services is booked for Mon, Nov 30" in said(page)

    def test_problems_of_both_halves_at_once(self, open_page: Callable[..., AppTest], city: City) -> None:
        page = open_page("transfer_service", account=city.account["wei"], premise=city.premise["tanner61"])
        field(page, "on").set_value(dt.date(1900, 1, 1))
        field(page, "stop_on").set_value(dt.date(2199, 1, 1))
        page = sound(submit(page.run(), "transfer_service"))
        words = said(page)
        assert "too long ago" in words
        assert "too far ahead" in words


class TestFieldResult:
    """On the work order's page: what makes a pending agreement active."""

    def test_the_reading_closes_the_order_and_begins_the_service(
        self, open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        on_call(actor("representative"), "priya")
        page = open_page("start_service", account=city.account["priya"], premise=city.premise["tanner61"])
        field(page, "on").set_value(dt.date(2026, 11, 24))
        sound(submit(page.run(), "start_service"))
        with core.read() as session:
            order = session.scalars(
                sa.select(service_requests.WorkOrder).where(service_requests.WorkOrder.order_code == "W-ON")
            ).one()
        page = sound(open_page("work_order", "supervisor", id=order.id))
        assert "Water starts at 61 Tanner St, booked for Tue, Nov 24" in said(page)
        page = sound(submit(page, "work_order"))
        assert "Enter the reading of meter W-91061" in said(page)
        field(page, "read").set_value(905)
        sound(submit(page.run(), "work_order"))
        with core.read() as session:
            state = session.scalars(
                sa.select(accounts.ServiceAgreement.state_code).where(
                    accounts.ServiceAgreement.service_point_id == city.point["tanner61", "sewer"]
                )
            ).one()
            order = session.get_one(service_requests.WorkOrder, order.id)
        assert state == "active"  # sewer follows water
        assert (order.closed, order.state_code) == (True, "done")

    def test_a_representative_sees_the_order_and_enters_nothing(
        self, open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        on_call(actor("representative"), "wei")
        page = open_page("stop_service", account=city.account["wei"])
        sound(submit(page, "stop_service"))
        with core.read() as session:
            order = session.scalars(
                sa.select(service_requests.WorkOrder).where(service_requests.WorkOrder.order_code == "W-OFF")
            ).one()
        page = sound(open_page("work_order", "representative", id=order.id))
        assert "Confirm" not in [button.label for button in page.button]
