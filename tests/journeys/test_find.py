"""Find with the keyboard alone, however the name is spelt: type, Alt+1, and the customer's money is on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext

    from tests.conftest import Templates
    from tests.journeys.walking import Desk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with walking.open_desk("sqlite", templates, tmp_path_factory.mktemp("find"), lambda: "") as opened:
        yield opened


@pytest.mark.parametrize(
    "typed",
    [
        "Markus Elisson",  # misspelt, both words
        "Ellison Marcsu",  # the other way round, two letters swapped
        "1418 oakhvaen",  # a part of the address, two letters swapped
        "5550142",  # a phone number without its area
        "old 77123",  # the number of another system
    ],
)
def test_keyboard_only_to_the_balance(desk: Desk, browser_context: BrowserContext, typed: str) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "help")
    page.keyboard.press("Control+K")  # from any page
    expect(page.get_by_role("heading", name="Call desk")).to_be_visible()
    walking.settle(page)
    expect(page.get_by_label("Find a customer")).to_be_focused()  # the keyboard is in the box, with no Tab
    page.keyboard.type(typed, delay=20)
    expect(page.get_by_text("Marcus Ellison").first).to_be_visible()
    walking.settle(page)
    page.keyboard.press("Alt+1")
    expect(page.get_by_role("heading", name="Marcus Ellison")).to_be_visible()
    walking.settle(page)
    # city.toml: 120.00 + 218.40 + 143.78 billed, 120.00 paid; the October bill is past due
    expect(page.get_by_text("$362.18").first).to_be_visible()
    expect(page.get_by_text("$218.40").first).to_be_visible()


def test_a_reconnect_keeps_the_customer_and_two_keys_open_one(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "call_desk")
    walking.take_call(page)
    walking.find(page, "helen mrash")
    page.keyboard.press("Alt+1")
    page.keyboard.press("Alt+1")
    expect(page.get_by_role("heading", name="Helen Marsh")).to_be_visible()
    walking.settle(page)
    walking.reconnect(page)
    expect(page.get_by_role("heading", name="Helen Marsh")).to_be_visible()
    # The call is about her now, once.
    assert desk.count("event", "name = 'conversation.linked'") == 1


def test_nothing_fits_says_what_to_do(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.DANA)
    walking.go(page, desk, "call_desk")
    walking.find(page, "zzyzx quorum 99999")
    said = walking.main_text(page)
    assert "Nothing fits “zzyzx quorum 99999”" in said
    assert "Ask for the house number and street" in said
    for way in ("Start service", "Add a person", "Request without a customer"):
        expect(page.get_by_role("button", name=way)).to_be_visible()
