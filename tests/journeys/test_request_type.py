"""Design a request type and use it a minute later: an administrator and a representative, two browsers, both databases."""

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

NASTY = '<script>alert("x")</script> =HYPERLINK("http://x") 🎈'


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp(f"types-{request.param}")
    with walking.open_desk(request.param, templates, folder, lambda: request.getfixturevalue("postgres_url")) as opened:
        yield opened


def section(page: Page, name: str) -> None:
    """Opens a section of the design, right after typing: what was typed goes along."""
    page.get_by_role("radiogroup", name="Section").get_by_role("radio", name=name, exact=True).click()
    walking.settle(page)


def fill(page: Page, label: str, words: str) -> None:
    page.get_by_label(label, exact=True).last.fill(words)


def open_row(page: Page, words: str) -> None:
    """Unfolds a row of a section."""
    page.get_by_test_id("stExpander").filter(has_text=words).first.locator("summary").click()
    walking.settle(page)


def test_design_a_type_and_use_it_a_minute_later(
    desk: Desk, browser_context: BrowserContext, chromium: Browser
) -> None:
    page = walking.sit_down(browser_context, desk, walking.ADA)
    design(page, desk)
    versions_are_kept(page, desk)
    luis = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    try:
        use(walking.sit_down(luis, desk, walking.LUIS), desk)
    finally:
        luis.close()


def design(page: Page, desk: Desk) -> None:
    walking.go(page, desk, "request_types")
    page.keyboard.press("Alt+N")
    expect(page.get_by_role("heading", name="New request type")).to_be_visible()
    walking.settle(page)
    expect(page.get_by_label("Name", exact=True)).to_be_focused()  # by keyboard alone so far
    page.keyboard.type("Balloon in a tree")
    walking.tab_to(page, "Group")
    page.keyboard.type("Parks")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    walking.settle(page)
    fill(page, "Words of the public", "zeppelin, lost balloon")
    section(page, "Questions")
    # A nervous hand: one question all the same.
    walking.double_click(page.get_by_role("button", name="Add a question"))
    walking.settle(page)
    expect(page.get_by_label("Question", exact=True)).to_have_count(1)
    fill(page, "Question", "Whose is it?")
    fill(page, "Answers, one to a line", "A child's\nNobody's")
    section(page, "No request needed")
    page.get_by_role("button", name="Add an answer that ends the call").click()
    walking.settle(page)
    walking.choose(page, "When the answer to", "Whose")
    page.get_by_role("toolbar", name="is any of").get_by_role("button", name="Nobody's").click()
    walking.settle(page)
    fill(page, "Say to the caller", "A balloon that is nobody's comes down by itself.")
    fill(page, "Reason for the desk", NASTY)
    section(page, "Due")
    # The line breaks: all of it is still there, in the section that was open.
    walking.reconnect(page)
    expect(page.get_by_label("How many days")).to_have_value("3")
    fill(page, "How many days", "1")
    section(page, "Goes to")
    walking.choose(page, "Department", "Parks and Recreation")
    walking.choose(page, "Goes to, unless a row below fits", "City foresters")
    expect(page.get_by_text("To be completed")).to_have_count(0)

    # Trying it writes nothing.
    page.get_by_role("radiogroup", name="Whose is it?").get_by_role("radio", name="Nobody's").click()
    walking.settle(page)
    trial = walking.main_text(page)
    assert "No request is opened." in trial
    assert "A balloon that is nobody's comes down by itself." in trial
    assert NASTY in trial
    page.get_by_role("radiogroup", name="Whose is it?").get_by_role("radio", name="A child's").click()
    walking.settle(page)
    assert "City foresters" in walking.main_text(page)
    assert "It is due 1 working day later." in walking.main_text(page)
    assert desk.count("request_type", "code = 'balloon_in_a_tree'") == 0
    assert desk.count("service_request") == 0

    walking.double_click(page.get_by_role("button", name="Publish version 1"))
    expect(page.get_by_role("heading", name="version 1 counts from now")).to_be_visible()
    walking.reconnect(page)
    expect(page.get_by_role("heading", name="version 1 counts from now")).to_be_visible()
    assert desk.count("request_type", "code = 'balloon_in_a_tree'") == 1
    assert desk.count("event", "name = 'request_type.published' AND staff_id = 5") == 1


def versions_are_kept(page: Page, desk: Desk) -> None:
    """A second version from tomorrow on; today the first one counts."""
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_role("heading", name="Balloon in a tree")).to_be_visible()
    walking.settle(page)
    fill(page, "Name", "Balloon or kite")
    # In the past: refused beside the day, although the keyboard is still in it, and the name is kept.
    day = page.get_by_role("spinbutton", name="day, Counts from")
    day.click()
    page.keyboard.type("23")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("in the past")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Balloon or kite")
    walking.settle(page)
    day.click()
    page.keyboard.type("25")
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_role("heading", name="version 2 counts from")).to_be_visible()
    walking.go(page, desk, "request_type?code=balloon_in_a_tree&part=versions")
    text = walking.main_text(page)
    assert "Name: “Balloon in a tree” is now “Balloon or kite”." in text
    assert "planned" in text
    assert "Ada Okafor" in text


def use(page: Page, desk: Desk) -> None:
    walking.go(page, desk, "call_desk")
    walking.take_call(page)
    walking.go(page, desk, "service_request")
    walking.choose(page, "What is it about?", "zeppelin")
    expect(page.get_by_role("heading", name="Balloon in a tree")).to_be_visible()
    answers = page.get_by_role("radiogroup", name="Whose is it?")
    answers.get_by_role("radio", name="Nobody's").click()
    walking.settle(page)
    assert "A balloon that is nobody's comes down by itself." in walking.main_text(page)
    expect(page.get_by_role("button", name="Open the request")).to_have_count(0)
    walking.double_click(page.get_by_role("button", name="Caller is advised, end here"))
    expect(page.get_by_role("heading", name="advised, no request was opened")).to_be_visible()
    assert desk.count("event", "name = 'request.advised' AND conversation_id IS NOT NULL") == 1
    assert desk.count("service_request") == 0

    walking.go(page, desk, "service_request?type=balloon_in_a_tree")
    page.get_by_role("radiogroup", name="Whose is it?").get_by_role("radio", name="A child's").click()
    walking.settle(page)
    page.get_by_label("Address, crossing or nearest house number").fill("Lake park, the big oak")
    page.keyboard.press("Tab")
    walking.settle(page)
    walking.double_click(page.get_by_role("button", name="Open the request"))
    expect(page.get_by_role("heading", name="Balloon in a tree is taken")).to_be_visible()
    [(division, version, name)] = desk.rows(
        "SELECT division_code, request_type_version, request_type_name FROM service_request"
    )
    assert (division, version, name) == ("urban_forestry", 1, "Balloon in a tree")
