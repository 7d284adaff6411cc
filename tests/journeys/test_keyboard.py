"""The main forms without a mouse: Tab reaches each control, in the order in which the page reads, and nothing holds it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from tests.conftest import Templates
    from tests.journeys.walking import Desk

pytestmark = pytest.mark.browser

FORMS = (
    "start_service?premise=3",
    "stop_service?account=1",
    "transfer_service?account=3&premise=6",
    "service_request?account=1&type=missed_garbage",
    "emergency?kind=gas_odor",
    "customer?account=1&do=edit",
    "customer?account=1&do=authorise",
    "known_events",
    "wrap_up",
)
STEP = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const again = at.hasAttribute('data-walked');
    at.setAttribute('data-walked', '');
    const before = window.walkedLast;
    window.walkedLast = at;
    const box = at.getBoundingClientRect();
    return {
        again, left: box.left, top: box.top + document.querySelector('[data-testid=stMain]').scrollTop,
        forward: !before || !!(before.compareDocumentPosition(at) & Node.DOCUMENT_POSITION_FOLLOWING),
        inMain: !!at.closest('[data-testid=stMainBlockContainer]'),
    };
}"""
MISSED = """() => [...document.querySelectorAll(
        '[data-testid=stMainBlockContainer] :is(a[href], button, input, select, textarea, [tabindex])')]
    .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({visibilityProperty: true}))
    .filter(one => one.getAttribute('aria-hidden') !== 'true' && !one.closest('[aria-hidden=true], [inert]'))
    .filter(one => !one.hasAttribute('data-walked'))
    .filter(one => !one.closest('[role=radiogroup], [role=toolbar], [role=group]')?.querySelector('[data-walked]'))
    .map(one => one.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with walking.open_desk("sqlite", templates, tmp_path_factory.mktemp("keyboard"), lambda: "") as opened:
        yield opened


def walk(page: Page, key: str = "Tab") -> list[dict[str, Any]]:
    """Presses the key until the keyboard has left the page or comes to a control for the second time."""
    stops: list[dict[str, Any]] = []
    for _ in range(120):
        page.keyboard.press(key)
        stop = page.evaluate(STEP)
        if stop is None or stop["again"]:
            return stops
        stops.append(stop | {"name": walking.focused(page)})
    raise AssertionError(f"{key} never came to an end; the last were {[stop['name'] for stop in stops[-5:]]}")


@pytest.mark.parametrize("address", FORMS)
def test_tab_reaches_each_control_in_reading_order(desk: Desk, browser_context: BrowserContext, address: str) -> None:
    page = walking.sit_down(browser_context, desk, walking.SAM)
    walking.go(page, desk, "call_desk")
    if page.get_by_role("button", name="Take a call").is_visible():
        walking.take_call(page)
    walking.go(page, desk, address)
    stops = walk(page)
    assert page.evaluate(MISSED) == []
    inside = [stop for stop in stops if stop["inMain"]]
    assert inside
    assert "Link to heading" not in [stop["name"] for stop in inside]
    assert [stop["name"] for stop in stops if not stop["name"]] == []  # each says what it is
    for one, following in pairwise(stops):
        assert following["forward"], f"after “{one['name']}” the keyboard goes back to “{following['name']}”"
    for one, following in pairwise(inside):
        up_and_left = following["top"] < one["top"] - 60 and following["left"] < one["left"] - 60
        assert not up_and_left, f"“{following['name']}” stands above and left of “{one['name']}” and comes after it"


def test_a_request_without_a_mouse(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "customer?account=1")
    page.keyboard.press("N")
    expect(page.get_by_role("heading", name="New request")).to_be_visible()
    walking.settle(page)
    expect(page.get_by_label("What is it about?")).to_be_focused()
    page.keyboard.type("garbage cart still full", delay=10)
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Out by 6:30 am?")).to_be_visible()
    walking.settle(page)
    for question in ("Out by 6:30 am?", "How many carts?", "Neighbors missed too?"):
        group = page.get_by_role("radiogroup", name=question)
        for _ in range(12):
            page.keyboard.press("Tab")
            if group.locator(":focus").count():
                break
        page.keyboard.press("Space")
        expect(group.get_by_role("radio", checked=True)).to_have_count(1)
        walking.settle(page)
        assert group.locator(":focus").count() == 1  # a run of the page does not take the keyboard away
    walking.tab_to(page, "In the caller’s words")
    page.keyboard.type("Typed to the last letter", delay=5)
    page.keyboard.press("Control+Enter")  # straight from the field: the words arrive with it
    expect(page.get_by_role("heading", name="Missed garbage is taken")).to_be_visible()
    walking.settle(page)
    assert re.search(r"SR-26-\d+", walking.main_text(page))
    assert desk.rows("SELECT description FROM service_request") == [("Typed to the last letter",)]


def test_backwards_is_no_trap_either(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "service_request?account=1&type=missed_garbage")
    assert len(walk(page, "Shift+Tab")) > 10


def test_answers_by_number_and_the_form_sent_from_a_row_of_answers(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "service_request?account=1&type=missed_garbage")
    before = desk.count("service_request")
    out, carts = (page.get_by_role("radiogroup", name=name) for name in ("Out by 6:30 am?", "How many carts?"))
    walking.tab_to(page, "Yes")
    page.keyboard.press("3")
    expect(out.get_by_role("radio", name="Not sure", exact=True)).to_be_checked()
    page.keyboard.press("3")  # a second press does not take the answer back
    page.keyboard.press("9")  # there is no ninth answer
    walking.settle(page)
    expect(out.get_by_role("radio", name="Not sure", exact=True)).to_be_checked()

    page.keyboard.press("Control+Enter")  # refused: one answer is missing, and the row keeps its own
    expect(page.get_by_text("“How many carts?” has no answer yet")).to_be_visible()
    walking.settle(page)
    expect(out.get_by_role("radio", name="Not sure", exact=True)).to_be_checked()
    assert desk.count("service_request") == before

    page.keyboard.press("Tab")
    assert carts.locator(":focus").count() == 1
    page.keyboard.press("3")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Missed garbage is taken")).to_be_visible()
    walking.settle(page)
    assert desk.count("service_request") == before + 1
    page.keyboard.press("Control+K")  # no key is thought to be held down still
    expect(page.get_by_label("Find a customer")).to_be_focused()


def test_skipped_is_missed_garbage_first(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    for words, first in (("skipped", "Missed garbage"), ("recycling skipped", "Missed recycling"), ("blue cart", "")):
        walking.go(page, desk, "service_request?account=1")
        page.get_by_label("What is it about?").fill(words)
        page.get_by_role("option").first.wait_for()
        assert page.get_by_role("option").first.inner_text().startswith(first), words


def test_enter_opens_the_first_match_once_it_is_that_of_the_words(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "call_desk")
    expect(page.get_by_label("Find a customer")).to_be_focused()
    page.keyboard.type("marcus")
    expect(page.get_by_text("Enter opens the first")).to_be_visible()
    page.keyboard.type(" ellison 1418 oak")
    page.keyboard.press("Enter")  # what is on the screen answers other words: this looks for the new ones
    walking.settle(page)
    expect(page.get_by_label("Find a customer")).to_have_value("marcus ellison 1418 oak")
    page.wait_for_timeout(300)
    walking.settle(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Marcus Ellison")).to_be_visible()


def test_enter_opens_nothing_where_nothing_fits(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "call_desk")
    page.keyboard.type('"><script>zzqx')
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    walking.settle(page)
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    assert page.url.split("?")[0].endswith("/call_desk")
