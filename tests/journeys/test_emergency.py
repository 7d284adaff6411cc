"""Danger first: one key from any page, the words at once, one stamp whatever the hand does."""

from __future__ import annotations

import re
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
    with walking.open_desk("sqlite", templates, tmp_path_factory.mktemp("emergency"), lambda: "") as opened:
        yield opened


def test_gas_odor_between_calls_is_stamped_once(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "articles")
    page.keyboard.press("Alt+E")
    expect(page.get_by_role("heading", name="Emergency")).to_be_visible()
    walking.settle(page)
    page.keyboard.press("Alt+1")
    # base/emergency/gas_odor.toml; the number is a setting
    expect(page.get_by_text("Leave the building now, and leave the door open.")).to_be_visible()
    walking.settle(page)
    said = walking.main_text(page)
    assert "911" in said
    assert "(800) 555-0111" in said

    page.get_by_label("Where is it?").fill("Corner of Ridge Rd and Market Sq")
    page.get_by_label("Number to call back").fill("850 555 0142")
    page.get_by_label("Number to call back").blur()
    walking.settle(page)
    walking.reconnect(page)  # the line breaks: the words, the place and the number are still there
    expect(page.get_by_text("Leave the building now, and leave the door open.")).to_be_visible()
    expect(page.get_by_label("Where is it?")).to_have_value("Corner of Ridge Rd and Market Sq")

    walking.double_click(page.get_by_role("button", name="Stamp and transfer"))
    expect(page.get_by_role("heading", name=re.compile("Gas odor:.*transfer now to"))).to_be_visible()
    # What to say stays in sight after the stamp.
    expect(page.get_by_text("Leave the building now, and leave the door open.")).to_be_visible()
    walking.reconnect(page)
    number = re.search(r"EM-26-\d+", walking.main_text(page))
    assert number is not None
    assert desk.rows("SELECT number, kind_code, place, callback_phone FROM emergency_call") == [
        (number[0], "gas_odor", "Corner of Ridge Rd and Market Sq", "8505550142")
    ]
    # Never a queue item.
    assert desk.count("service_request") == 0
    assert desk.count("work_order") == 0


def test_on_a_call_place_and_number_are_known(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.DANA)
    walking.go(page, desk, "call_desk")
    walking.take_call(page)
    walking.find(page, "100-2231-8").press("Alt+1")
    expect(page.get_by_role("heading", name="Marcus Ellison")).to_be_visible()
    page.get_by_role("button", name="Adjust bill").click()  # from the depth of another page
    expect(page.get_by_role("heading", name="Adjust a bill")).to_be_visible()
    walking.settle(page)
    page.keyboard.press("Alt+E")
    expect(page.get_by_role("heading", name="Emergency")).to_be_visible()
    walking.settle(page)
    page.keyboard.press("Alt+1")
    expect(page.get_by_label("Where is it?")).to_have_value("1418 Oakhaven Dr")
    expect(page.get_by_label("Number to call back")).to_have_value("(850) 555-0142")
    walking.settle(page)
    page.keyboard.press("Control+Enter")  # nothing to type: three keys from anywhere to the stamp
    expect(page.get_by_text("Stamped")).to_be_visible()
    walking.settle(page)
    assert desk.rows(
        "SELECT place, callback_phone, premise_id FROM emergency_call WHERE conversation_id IS NOT NULL"
    ) == [("1418 Oakhaven Dr", "8505550142", 1)]
