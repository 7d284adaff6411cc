"""A leak credit above the limit goes to another person and comes back; nobody approves their own; a stand-in decides."""

from __future__ import annotations

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


@pytest.fixture
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with walking.open_desk("sqlite", templates, tmp_path_factory.mktemp("adjust"), lambda: "") as opened:
        yield opened


@pytest.fixture
def second(chromium: Browser) -> Iterator[BrowserContext]:
    """Another person's browser."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    yield context
    context.close()


def balance(desk: Desk, account_id: int = walking.MARCUS) -> int:
    return desk.rows("SELECT balance_cents FROM account WHERE id = :id", id=account_id)[0][0]


def ask_for_leak_credit(page: Page, desk: Desk) -> None:
    """From the customer's page by keyboard: B, the type by a word, the reason, Ctrl+Enter."""
    walking.go(page, desk, "customer?account=1")
    page.keyboard.press("b")
    expect(page.get_by_role("heading", name="Adjust a bill")).to_be_visible()
    walking.settle(page)
    page.wait_for_function("document.activeElement && document.activeElement.getAttribute('role') === 'combobox'")
    page.keyboard.type("leak rep")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    walking.settle(page)
    expect(page.get_by_label("Credit, $")).to_have_value("29.52")  # half of the excess, by city.toml
    page.get_by_label("Why, for the bill").fill("Plumber’s bill seen, use normal")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Needs approval")).to_be_visible()
    expect(page.get_by_role("button", name="Send for approval")).to_be_visible()
    walking.settle(page)


def test_over_the_limit_to_approval_with_a_double_click_and_a_reconnect(
    desk: Desk, browser_context: BrowserContext, second: BrowserContext
) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    ask_for_leak_credit(page, desk)
    walking.double_click(page.get_by_role("button", name="Send for approval"))
    expect(page.get_by_role("heading", name="Leak credit of $63.31 waits for approval")).to_be_visible()
    walking.reconnect(page)
    expect(page.get_by_role("heading", name="Leak credit of $63.31 waits for approval")).to_be_visible()
    assert desk.count("adjustment") == 1
    assert balance(desk) == 36218
    assert desk.count("journal_entry", "kind_code = 'adjustment'") == 0

    page.get_by_role("button", name="Back to the customer").click()
    expect(page.get_by_text("waits for approval").first).to_be_visible()
    expect(page.get_by_text("Leak credit of $63.31").first).to_be_visible()

    sam = walking.sit_down(second, desk, walking.SAM)
    walking.go(sam, desk, "approvals")
    expect(sam.get_by_text("To decide 1")).to_be_visible()
    expect(sam.get_by_text("Plumber’s bill seen, use normal")).to_be_visible()
    expect(sam.get_by_text("Usual here: 6,200 gal.").first).to_be_visible()
    walking.settle(sam)
    walking.double_click(sam.get_by_role("button", name="Approve $63.31"))
    expect(sam.get_by_text("Nothing waits for a decision")).to_be_visible()
    walking.reconnect(sam)
    assert desk.count("journal_entry", "kind_code = 'adjustment'") == 1
    assert balance(desk) == 36218 - 6331

    walking.reconnect(page)
    expect(page.get_by_text("$298.87").first).to_be_visible()
    expect(page.get_by_text("$63.31 credit posted").first).to_be_visible()
    assert desk.portal("audit", "verify").returncode == 0


def test_a_supervisor_cannot_approve_their_own_and_the_key_does_nothing(
    desk: Desk, browser_context: BrowserContext
) -> None:
    page = walking.sit_down(browser_context, desk, walking.SAM)
    walking.go(page, desk, "adjust_bill?account=6")
    walking.choose(page, "What for?", "goodwill wait")
    page.get_by_label("Credit, $").fill("500.01")
    page.keyboard.press("Tab")
    page.get_by_label("Why, for the bill").fill("Waited two weeks for the cart")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Goodwill credit of $500.01 waits for approval")).to_be_visible()
    walking.settle(page)
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("You asked for this yourself. Somebody else decides it.")).to_be_visible()
    expect(page.get_by_text("Ingrid Vale can decide.")).to_be_visible()
    walking.settle(page)
    assert page.get_by_role("button", name="Approve").count() == 0
    page.keyboard.press("a")
    walking.settle(page)
    assert desk.rows("SELECT state_code FROM adjustment") == [("pending",)]


def test_a_stand_in_decides_by_key_and_it_is_written_down_for_whom(
    desk: Desk, browser_context: BrowserContext, second: BrowserContext
) -> None:
    page = walking.sit_down(browser_context, desk, walking.DANA)
    walking.go(page, desk, "adjust_bill?account=6")
    walking.choose(page, "What for?", "goodwill wait")
    page.get_by_label("Credit, $").fill("60")
    page.keyboard.press("Tab")
    page.get_by_label("Why, for the bill").fill("Waited two weeks for the cart")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("waits for approval").first).to_be_visible()

    sam = walking.sit_down(second, desk, walking.SAM)
    walking.go(sam, desk, "approvals")
    sam.get_by_text("Away? Name who stands in").click()
    for label in ("First day", "Last day"):
        sam.get_by_role("spinbutton", name=f"month, {label}", exact=True).click()
        sam.keyboard.type("11242026")
        sam.keyboard.press("Escape")
        walking.settle(sam)
    walking.choose(sam, "Stand-in", "Luis")
    sam.get_by_role("button", name="Save absence").click()
    expect(sam.get_by_text("Luis Ortega stands in").first).to_be_visible()
    assert desk.rows("SELECT stand_in_id FROM staff_absence") == [(walking.LUIS,)]

    walking.running.sign_in(browser_context, desk.served, walking.LUIS)
    walking.go(page, desk, "approvals?scope=waiting")
    expect(page.get_by_text("You stand in for Samira Reyes")).to_be_visible()
    walking.settle(page)
    page.keyboard.press("a")
    expect(page.get_by_text("Nothing waits for a decision")).to_be_visible()
    assert desk.rows("SELECT state_code, decided_by_id, decided_for_id FROM adjustment") == [
        ("posted", walking.LUIS, walking.SAM)
    ]


def test_a_refusal_goes_by_key_through_the_reason(
    desk: Desk, browser_context: BrowserContext, second: BrowserContext
) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    ask_for_leak_credit(page, desk)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("waits for approval").first).to_be_visible()
    sam = walking.sit_down(second, desk, walking.SAM)
    walking.go(sam, desk, "approvals")
    expect(sam.get_by_role("button", name="Refuse")).to_be_visible()
    walking.settle(sam)
    sam.keyboard.press("x")
    expect(sam.get_by_label("Reason, as the customer will read it")).to_be_focused()
    sam.keyboard.type("No bill of a plumber was shown.")
    sam.keyboard.press("Control+Enter")
    expect(sam.get_by_text("Nothing waits for a decision")).to_be_visible()
    assert desk.rows("SELECT state_code, decided_why FROM adjustment") == [
        ("refused", "No bill of a plumber was shown.")
    ]
    assert balance(desk) == 36218
