"""The pages of adjustments as each role sees them: the form with its consequences, what waits, one's own requests."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from db import core
from db.billing import Adjustment
from portal.billing import commands
from portal.staff import commands as staff_commands
from portal.staff.rules import AbsenceForm
from tests.billing.test_adjust import ask, goodwill, leak, october, row
from tests.city import TODAY
from tests.test_pages_by_role import everything_shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.city import City


def plain(page: Any) -> str:
    """All the page says, without what keeps data from becoming Markdown."""
    return everything_shown(page).replace("\\", "").replace("\u2060", "")


def widget(page: Any, kind: str, code: str) -> Any:
    return next(each for each in getattr(page, kind) if each.key.endswith(f".{code}"))


def open_leak(open_page: Callable[..., Any], city: City, who: str = "luis") -> Any:
    page = open_page("adjust_bill", who, account=city.account["marcus"])
    return widget(page, "selectbox", "what").set_value("leak_credit:leak_repaired").run()


def test_the_form_proposes_the_bill_the_line_and_half_of_the_excess(open_page: Callable[..., Any], city: City) -> None:
    page = open_leak(open_page, city)
    assert not page.exception
    assert widget(page, "selectbox", "bill").value == october(city)
    assert widget(page, "selectbox", "line").value == "water"
    assert widget(page, "text_input", "amount").value == "29.52"  # half of the use above 6,200 gal, by city.toml
    assert "Usual here: 6,200 gal. This period: 23,200 gal." in plain(page)
    page = widget(page, "text_area", "note").set_value("Plumber’s bill seen").run()
    shown = plain(page)
    for words in (
        "Needs approval", "$63.31 is above your limit of $50.00.", "Samira Reyes or Ingrid Vale can approve",
        "Sewer follows water", "$298.87", "Cut scheduled for Wed, Dec 2", "Half of it: $29.52.",
        "$63.31 credit on your account",
    ):  # fmt: skip
        assert words in shown, words
    assert any(button.label == "Send for approval" for button in page.button)


def test_sending_it_shows_the_number_and_what_happens_next(open_page: Callable[..., Any], city: City) -> None:
    page = widget(open_leak(open_page, city), "text_area", "note").set_value("Plumber’s bill seen").run()
    next(button for button in page.button if button.label == "Send for approval").click()
    page = page.run()
    assert not page.exception
    shown = plain(page)
    assert "Leak credit of $63.31 waits for approval" in shown
    assert "AJ-26-" in shown
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Adjustment)) == 1


def test_a_refusal_stands_beside_its_field_and_nothing_is_lost(open_page: Callable[..., Any], city: City) -> None:
    page = open_leak(open_page, city)
    page = widget(page, "text_input", "amount").set_value("9000").run()
    assert "Only $85.08 of this line is left to credit before tax." in plain(page)  # said before anything is sent
    next(button for button in page.button if button.key == "adjust_bill.submit").click()
    page = page.run()
    shown = plain(page)
    assert "Why is empty, and this reason needs it." in shown
    assert widget(page, "text_input", "amount").value == "9000"
    page = widget(page, "text_area", "note").set_value("Plumber’s bill seen").run()
    next(button for button in page.button if button.key == "adjust_bill.submit").click()
    page = page.run()
    assert "Only $85.08 of this line is left to credit before tax. Enter at most $85.08." in plain(page)
    assert widget(page, "text_area", "note").value == "Plumber’s bill seen"


def test_a_typed_amount_stays_when_the_line_changes(open_page: Callable[..., Any], city: City) -> None:
    page = widget(open_leak(open_page, city), "text_input", "amount").set_value("12").run()
    page = widget(page, "selectbox", "what").set_value("wrong_charge:billed_twice").run()
    assert widget(page, "text_input", "amount").value == "12"
    page = widget(page, "selectbox", "what").set_value("goodwill:long_wait").run()
    assert not page.exception
    assert not [each for each in page.selectbox if each.key.endswith(".bill")]


@pytest.mark.parametrize(
    "note", ["<script>alert(1)</script>", "=HYPERLINK(1)", "🚰" * 50, "[x](http://x.example) :red[x] $a$", "x" * 10_000]
)
def test_what_is_typed_is_shown_as_it_is(open_page: Callable[..., Any], city: City, note: str) -> None:
    page = widget(open_leak(open_page, city), "text_area", "note").set_value(note).run()
    next(button for button in page.button if button.key == "adjust_bill.submit").click()
    page = page.run()
    assert not page.exception
    if len(note) > 1000:
        assert "Why has 10,000 characters. Shorten it to at most 1,000." in plain(page)
        return
    with core.read() as session:
        made = session.scalar(sa.select(Adjustment.id))
    page = open_page("approvals", "sam", id=made)
    assert not page.exception
    assert note in [text.value for text in page.text]


# --- approvals ----------------------------------------------------------------------------------------------------------


def test_a_supervisor_sees_the_evidence_and_approves_with_one_button(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any]
) -> None:
    made = commands.adjust_bill(actor("luis"), leak(city)).subject_id
    page = open_page("approvals", "sam")
    assert not page.exception
    shown = plain(page)
    for words in (
        "To decide 1", "Marcus Ellison", "Luis Ortega wrote", "plumber’s bill seen", "Usual here: 6,200 gal",
        "$63.31 here and $0.00 of its kind (leak) before it in 30 days: $63.31.", "Your limit is $500.00.",
        "No other adjustment on this account in 12 months.", "First 60 cgal",
    ):  # fmt: skip
        assert words in shown, words
    next(button for button in page.button if button.label.startswith("Approve")).click()
    page = page.run()
    assert not page.exception
    assert row(made).state_code == "posted"
    assert "Nothing waits for a decision" in plain(page)


def test_a_refusal_asks_for_the_reason_first(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any]
) -> None:
    made = ask(city, actor, 6000)
    page = open_page("approvals", "sam")
    next(button for button in page.button if button.label.startswith("Refuse")).click()
    page = page.run()
    reason = next(each for each in page.text_area if each.key == f"aj.why.{made}")
    next(button for button in page.button if button.label == "Refuse with this reason").click()
    page = page.run()
    assert "The reason is empty." in plain(page)
    reason = next(each for each in page.text_area if each.key == f"aj.why.{made}")
    page = reason.set_value("The cart came on the day promised.").run()
    next(button for button in page.button if button.label == "Refuse with this reason").click()
    page = page.run()
    assert not page.exception
    assert row(made).state_code == "refused"


def test_what_one_may_not_decide_says_why_and_who_may(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any]
) -> None:
    made = ask(city, actor, 50001)
    page = open_page("approvals", "sam", id=made)
    shown = plain(page)
    assert "Not yours to decide" in shown
    assert "$500.01 of goodwill on this account is above your limit of $500.00." in shown
    assert "Ingrid Vale can decide." in shown
    assert not [button for button in page.button if button.label.startswith("Approve")]


def test_a_representative_sees_what_they_asked_for_and_withdraws_it(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any]
) -> None:
    made = ask(city, actor, 6000)
    page = open_page("approvals", "luis")
    shown = plain(page)
    assert "Asked by me 1" in shown
    assert "To decide" not in shown
    assert "Waits for Samira Reyes or Ingrid Vale." in shown
    assert "You asked for this yourself. Somebody else decides it." in shown
    next(button for button in page.button if button.label == "Withdraw it").click()
    page = page.run()
    assert not page.exception
    assert row(made).state_code == "withdrawn"


def test_a_stand_in_finds_what_waits(open_page: Callable[..., Any], city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 6000, "odessa")
    until = TODAY + dt.timedelta(days=2)
    staff_commands.declare_absence(actor("sam"), AbsenceForm(city.staff["sam"], TODAY, until, city.staff["luis"]))
    page = open_page("approvals", "luis", scope="waiting")
    shown = plain(page)
    assert "To decide 1" in shown
    assert "You stand in for Samira Reyes" in shown
    next(button for button in page.button if button.label.startswith("Approve")).click()
    page = page.run()
    assert row(made).decided_for_id == city.staff["sam"]


def test_absence_is_declared_and_ended_on_the_page(open_page: Callable[..., Any], city: City) -> None:
    page = open_page("approvals", "sam")
    sam = city.staff["sam"]
    page.date_input(key=f"absence.from_on.{sam}.0").set_value(TODAY)
    page.date_input(key=f"absence.until_on.{sam}.0").set_value(TODAY)
    page.selectbox(key=f"absence.stand_in.{sam}.0").set_value(city.staff["luis"])
    page = page.run()
    next(button for button in page.button if button.label == "Save absence").click()
    page = page.run()
    assert not page.exception
    assert "Luis Ortega stands in" in plain(page)
    next(button for button in page.button if button.label == "End").click()
    page = page.run()
    assert "Luis Ortega stands in" not in plain(page)


@pytest.mark.parametrize("number", range(3))
def test_the_page_opens_on_many_and_on_anything_in_the_address(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any], number: int
) -> None:
    for at in range(27):
        commands.adjust_bill(actor("luis"), goodwill(city, f"{60 + at}"))
    query = [{}, {"page": 2, "scope": "waiting"}, {"id": 10**17, "scope": "<script>", "page": 999}][number]
    page = open_page("approvals", "ingrid", **query)
    assert not page.exception
    assert "To decide 27" in plain(page)


def test_the_customers_page_shows_what_waits_and_the_cut_on_hold(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any]
) -> None:
    from portal.billing.rules.adjustment import WHOLE_BILL, AdjustmentForm

    form = AdjustmentForm(
        city.account["marcus"],
        "wrong_charge",
        "billed_twice",
        october(city),
        WHOLE_BILL,
        "percent",
        "100",
        "Billed twice",
    )
    made = commands.adjust_bill(actor("luis"), form)
    page = open_page("customer", "luis", account=city.account["marcus"])
    shown = plain(page)
    assert f"Cut-off of Wed, Dec 2 is on hold: {made.number} waits for a decision" in shown
    assert "Wrong charge taken back of $218.40" in shown
    assert "$218.40 credit waits for approval" in shown
    commands.approve_adjustment(actor("sam"), made.subject_id, 1)
    shown = plain(open_page("customer", "luis", account=city.account["marcus"]))
    assert "is on hold" not in shown
    assert "$218.40 credit posted" in shown


def test_the_number_given_to_the_caller_is_found(city: City, actor: Callable[[str], Any]) -> None:
    from portal.accounts import views

    made = commands.adjust_bill(actor("luis"), goodwill(city, "60"))
    match = views.find(made.number, actor("luis")).matches[0]
    assert (match.page, dict(match.query)) == ("approvals", {"id": made.subject_id})


def test_the_timeline_counts_adjustments_into_the_balance_after_a_payment(
    city: City, actor: Callable[[str], Any]
) -> None:
    from portal.billing import views

    commands.adjust_bill(actor("luis"), goodwill(city, "20", account="samuel"))
    found = views.timeline(account_id=city.account["samuel"]).items
    assert [item.what for item in found if item.icon == "price_change"] == ["Goodwill credit, $20.00 credit posted"]
    # city.toml: 75.40 billed and paid on November 20; the credit came after it.
    paid = next(item for item in found if item.what == "Payment $75.40")
    assert paid.text == "Paid by card. Balance after: $0.00."


def test_the_call_it_was_asked_for_in_stands_with_the_evidence(
    open_page: Callable[..., Any], city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
) -> None:
    call_id = on_call(actor("luis"), "marcus")
    page = widget(open_leak(open_page, city), "text_area", "note").set_value("Plumber’s bill seen").run()
    assert "Identity checked" in plain(page)
    next(button for button in page.button if button.key == "adjust_bill.submit").click()
    page = page.run()
    with core.read() as session:
        [made] = session.execute(sa.select(Adjustment.id, Adjustment.conversation_id)).all()
    assert made.conversation_id == call_id
    assert "In CV-26-" in plain(open_page("approvals", "sam", id=made.id))
