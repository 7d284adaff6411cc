"""A missed collection from the call to its closure, on each kind of database: two people, two browsers, one case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.conftest import Templates
    from tests.journeys.walking import Desk

pytestmark = pytest.mark.browser

ODESSA = 7
"""The account 100-4410-3, next door to Marcus Ellison."""
WORDS = "The blue truck drove past, twice"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp(f"cars-{request.param}")
    with walking.open_desk(request.param, templates, folder, lambda: request.getfixturevalue("postgres_url")) as opened:
        yield opened


def answer(page: Page, question: str, choice: str) -> None:
    page.get_by_role("radiogroup", name=question).get_by_role("radio", name=choice, exact=True).click()


def answer_missed_garbage(page: Page) -> None:
    """The three questions that base/request_type/missed_garbage.toml requires."""
    answer(page, "Out by 6:30 am?", "Yes")
    answer(page, "How many carts?", "2")
    answer(page, "Neighbors missed too?", "Does not know")
    walking.settle(page)


def open_request(page: Page) -> str:
    """Two clicks on the one button; answers with the number to give."""
    walking.double_click(page.get_by_role("button", name="Open the request"))
    expect(page.get_by_role("heading", name="Missed garbage is taken")).to_be_visible()
    walking.settle(page)
    found = re.search(r"SR-26-\d+", walking.main_text(page))
    assert found is not None
    return found[0]


def test_from_the_call_to_the_closure(desk: Desk, browser_context: BrowserContext, chromium: Browser) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    # The neighbor has called before.
    walking.go(page, desk, f"service_request?account={ODESSA}&type=missed_garbage")
    answer_missed_garbage(page)
    neighbors = open_request(page)

    take_and_check(page, desk)
    number = enter(page, desk, neighbors)
    wrap_up(page, desk)

    supervisor = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    try:
        close(walking.sit_down(supervisor, desk, walking.SAM), desk, number)
    finally:
        supervisor.close()


def take_and_check(page: Page, desk: Desk) -> None:
    """Take the call, find the customer by a misspelt name, and check by PIN who is speaking."""
    walking.go(page, desk, "call_desk")
    walking.take_call(page)
    walking.find(page, "marcus elison").press("Alt+1")
    expect(page.get_by_role("heading", name="Marcus Ellison")).to_be_visible()
    page.get_by_role("button", name="ID 0 of 2").click()
    page.get_by_label("PIN or passphrase").fill("4711")  # city.toml
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stMain").get_by_text("Identity checked").first).to_be_visible()
    expect(page.get_by_role("button", name="ID 2 of 2")).to_be_visible()
    page.keyboard.press("Escape")
    assert desk.rows("SELECT method, passed, strength FROM identity_check") in (
        [("pin", True, 2)],
        [("pin", 1, 2)],  # the embedded database has no truth values
    )


def enter(page: Page, desk: Desk, neighbors: str) -> str:
    """The request: what is open nearby stands first, a reconnect loses nothing, two clicks open one."""
    page.keyboard.press("N")
    expect(page.get_by_role("heading", name="New request")).to_be_visible()
    walking.choose(page, "What is it about?", "garbage cart still full")
    nearby = page.get_by_text("Missed garbage, 1420 Oakhaven Dr")
    expect(nearby).to_be_visible()
    assert neighbors in walking.main_text(page)
    questions = page.get_by_text("Out by 6:30 am?")
    assert (nearby.bounding_box() or {"y": 0})["y"] < (questions.bounding_box() or {"y": 0})["y"]

    answer_missed_garbage(page)
    page.get_by_label("In the caller’s words").fill(WORDS)
    page.get_by_label("In the caller’s words").blur()
    walking.settle(page)
    walking.reconnect(page)
    expect(page.get_by_label("In the caller’s words")).to_have_value(WORDS)
    expect(page.get_by_role("radiogroup", name="How many carts?").get_by_role("radio", name="2")).to_be_checked()
    # base/request_type/missed_garbage.toml: one working day of the collection calendar, 3:00 pm
    expect(page.get_by_text("Why then?")).to_be_visible()
    expect(page.get_by_text("It is due 1 working day later.")).to_be_visible()
    assert desk.count("service_request") == 1

    number = open_request(page)
    assert number != neighbors
    assert re.search(r"due .*3:00 pm", walking.main_text(page))
    walking.reconnect(page)
    expect(page.get_by_role("heading", name="Missed garbage is taken")).to_be_visible()
    assert number in walking.main_text(page)
    [(account, conversation, words)] = desk.rows(
        "SELECT account_id, conversation_id, description FROM service_request WHERE number = :number", number=number
    )
    assert (account, words) == (walking.MARCUS, WORDS)
    assert conversation is not None
    assert desk.count("service_request") == 2
    return number


def wrap_up(page: Page, desk: Desk) -> None:
    """What was done is known already; one more key ends the call."""
    page.keyboard.press("Alt+W")
    expect(page.get_by_role("heading", name="Wrap up")).to_be_visible()
    walking.settle(page)
    assert "Opened a request: missed garbage" in walking.main_text(page)
    walking.double_click(page.get_by_role("button", name="Wrap up").and_(page.locator("[kind=primary]")).last)
    expect(page.get_by_role("button", name="Ready for the next call")).to_be_visible()
    [(ended, reason, disposition)] = desk.rows("SELECT ended_at, reason_code, disposition_code FROM conversation")
    assert ended is not None
    assert reason
    assert disposition == "case_opened"


def close(page: Page, desk: Desk, number: str) -> None:
    """The supervisor finds it in the queue by its number and closes it with what came of it."""
    walking.go(page, desk, "work_queue")
    expect(page.get_by_text("2 cases · overdue first")).to_be_visible()
    page.get_by_label("Filter").fill(number)
    page.keyboard.press("Enter")
    walking.settle(page)
    expect(page.get_by_text(WORDS)).to_be_visible()
    # Without what came of it nothing closes, and a sentence says so.
    page.get_by_role("button", name="Close it").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    assert desk.count("service_request", "closed_at IS NOT NULL") == 0
    walking.choose(page, "How it ended", "Collected")
    walking.double_click(page.get_by_role("button", name="Close it"))
    walking.settle(page)
    assert desk.count("service_request", "closed_at IS NOT NULL") == 1
    walking.go(page, desk, "work_queue")
    page.get_by_label("Filter").fill(number)
    page.keyboard.press("Enter")
    walking.settle(page)
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_text("What happened")).to_be_visible()
    walking.settle(page)
    case = walking.main_text(page)
    assert "Collected on return trip" in case
    assert "Opened" in case
    assert "Samira Reyes" in case  # who closed it
    walking.reconnect(page)
    assert "Collected on return trip" in walking.main_text(page)
    [(row,)] = desk.rows("SELECT id FROM service_request WHERE number = :number", number=number)
    events = [
        name
        for (name,) in desk.rows(
            "SELECT name FROM event WHERE subject_kind = 'service_request' AND subject_id = :id ORDER BY seq", id=row
        )
    ]
    assert sorted(events) == ["request.closed", "request.opened"]
    # On the customer's own timeline as well.
    walking.go(page, desk, f"customer?account={walking.MARCUS}")
    assert number in walking.main_text(page)


def test_a_second_caller_is_joined_in_one_key(desk: Desk, browser_context: BrowserContext) -> None:
    """After the journey above: the neighbor's request is the one that is still open."""
    page = walking.sit_down(browser_context, desk, walking.DANA)
    walking.go(page, desk, f"service_request?account={walking.MARCUS}&type=missed_garbage")
    expect(page.get_by_text("Open nearby")).to_be_visible()
    before = desk.count("service_request")
    page.keyboard.press("Alt+J")
    page.keyboard.press("Alt+J")
    expect(page.get_by_text("Number to give")).to_be_visible()
    walking.settle(page)
    assert desk.count("service_request") == before
    assert desk.count("event", "name = 'request.joined'") == 1
    assert desk.rows("SELECT joined_count FROM service_request WHERE account_id = :id", id=ODESSA) == [(1,)]
