"""The history of an account's money on screen: Marcus's bills of $120.00, $218.40 and $143.78 and his payment of $120.00."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.billing import commands, views
from portal.billing.rules.ledger import PaymentForm
from portal.shared.actor import SYSTEM
from tests.billing.test_adjust import goodwill, row
from tests.billing.test_adjust_pages import plain
from tests.billing.test_ledger_commands import actor
from tests.city import TODAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.city import City


def test_the_newest_entry_comes_first_with_the_balance_after_each(open_page: Callable[..., Any], city: City) -> None:
    page = open_page("account_ledger", account=city.account["marcus"])
    assert not page.exception
    frame = page.dataframe[0].value
    assert frame["Amount"].tolist() == [143.78, 218.40, -120.00, 120.00]
    assert frame["Balance after"].tolist() == [362.18, 218.40, 0.00, 120.00]
    assert frame["What"].tolist()[2] == "Paid by card"
    shown = plain(page)
    for words in (
        "$362.18",
        "$218.40 past due since Thu, Oct 29",
        "4 entries",
        "Debit Customers owe, credit Electric revenue",
    ):
        assert words in shown, words


def test_a_credit_says_what_it_was_and_points_at_what_took_it_back(open_page: Callable[..., Any], city: City) -> None:
    account_id = city.account["marcus"]
    luis = actor(city, "luis")
    adjustment_id = commands.adjust_bill(luis, goodwill(city, "20.00", "marcus")).subject_id
    made = row(adjustment_id)
    history = views.money_history(account_id, luis)
    assert history is not None
    assert history.lines[0].words.startswith("Goodwill credit")
    assert history.lines[0].posted_by == luis.name
    sam = actor(city, "sam")
    commands.reverse_adjustment(sam, adjustment_id, made.version, "Given to the wrong customer", key="back")
    history = views.money_history(account_id, luis)
    assert history is not None
    back, first = history.lines[0], history.lines[1]
    assert (back.takes_back_id, first.taken_back_by_id) == (first.entry_id, back.entry_id)
    assert back.words.startswith("Goodwill credit")
    assert back.words.endswith("taken back")
    page = open_page("account_ledger", account=account_id, entry=first.entry_id)
    assert "Show what took it back" in plain(page)


def test_an_entry_of_another_account_shows_nothing_of_it(open_page: Callable[..., Any], city: City) -> None:
    other = views.money_history(city.account["priya"], SYSTEM)
    assert other is not None
    assert views.postings_of(other.lines[0].entry_id, city.account["marcus"]) == ()
    page = open_page("account_ledger", account=city.account["marcus"], entry=other.lines[0].entry_id)
    assert not page.exception
    assert "88.15" not in plain(page)


def test_many_entries_come_by_pages_and_all_in_a_file(city: City) -> None:
    account_id = city.account["marcus"]
    for number in range(40):
        commands.record_payment(SYSTEM, PaymentForm(account_id, 100 + number, "cash", TODAY), key=f"payment {number}")
    history = views.money_history(account_id, SYSTEM, 99)
    assert history is not None
    assert (history.total, history.pages, history.page, len(history.lines)) == (44, 3, 3, 4)
    assert history.lines[-1].balance_cents == 12_000
    assert views.page_of_entry(account_id, history.lines[0].entry_id) == 3
    rows = views.all_entries(account_id, history.total)
    assert len(rows) == 44
    assert rows[0][3] == -1.39
    assert rows[-1][4] == 120.00


def test_no_account_says_what_to_do(open_page: Callable[..., Any], city: City) -> None:
    for query in ({}, {"account": 999_999}, {"account": "x"}):
        assert "Find a customer" in plain(open_page("account_ledger", **query))
    assert city
