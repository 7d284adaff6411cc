"""A call in a real browser: taken once, its note never lost, an emergency stamped once and never queued."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from db import core
from tests import running
from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Locator, Page

    from tests.conftest import Templates
    from tests.journeys.walking import Desk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp(f"conversation-{request.param}")
    with walking.open_desk(request.param, templates, folder, lambda: request.getfixturevalue("postgres_url")) as opened:
        yield opened


def _note(page: Page) -> Locator:
    return page.get_by_placeholder("Note as you go, kept with the call")


def test_two_clicks_take_one_call_and_the_last_words_arrive(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    walking.go(page, desk, "articles")
    walking.double_click(page.get_by_role("button", name="Take a call"))
    page.get_by_role("button", name="Wrap up").wait_for()
    walking.settle(page)
    assert desk.count("conversation") == 1
    expect(page.get_by_text("on a call already")).to_have_count(0)

    # The shortcut comes right behind the last letter: a page that is left must not take the words with it.
    _note(page).click()
    page.keyboard.type("Couch on the wrong week", delay=20)
    page.keyboard.press("Alt+W")
    expect(page.get_by_role("heading", name="Wrap up")).to_be_visible()
    walking.settle(page)
    expect(page.get_by_label("Note")).to_have_value("Couch on the wrong week")

    walking.go(page, desk, "articles")
    expect(_note(page), "another page, a fresh load: the note is still there").to_have_value("Couch on the wrong week")
    page.get_by_placeholder("A word of the caller").fill("couch")
    walking.settle(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Wrap up")).to_be_visible()
    walking.settle(page)
    walking.double_click(page.get_by_role("button", name="Wrap up").first, 120)
    expect(page.get_by_role("heading", name=re.compile(r"Wrapped up:.*Answered, no case needed"))).to_be_visible()
    assert desk.rows("SELECT reason_code, disposition_code, note FROM conversation") == [
        ("how_to", "answered", "Couch on the wrong week")
    ]
    assert desk.count("event", "name = 'conversation.wrapped_up'") == 1


def test_an_emergency_is_two_keys_away_and_stamped_once(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.DANA)
    walking.go(page, desk, "help")
    page.keyboard.press("Alt+E")
    page.get_by_role("heading", name="Emergency").wait_for()
    walking.settle(page)
    page.keyboard.press("Alt+1")
    expect(page.get_by_text("Leave the building now, and leave the door open.")).to_be_visible()
    page.get_by_label("Where is it?").fill("12 Market Sq, <b>back</b> door")
    page.get_by_label("Number to call back").click()
    page.keyboard.type("850 555 0155", delay=20)
    page.keyboard.press("Control+Enter")  # from inside the field, twice
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="transfer now to (800) 555-0111")).to_be_visible()
    walking.reconnect(page)
    expect(page.get_by_role("heading", name="transfer now to (800) 555-0111")).to_be_visible()
    assert desk.rows("SELECT place, callback_phone, transferred_to FROM emergency_call") == [
        ("12 Market Sq, <b>back</b> door", "8505550155", "(800) 555-0111")
    ]
    assert desk.count("event", "name = 'emergency.stamped'") == 1
    assert desk.count("service_request") == 0, "never a queue item"


def test_a_note_outlives_the_server(templates: Templates, tmp_path: Path, browser_context: BrowserContext) -> None:
    url = templates.copy("sqlite", True, lambda: "")
    with running.portal(tmp_path, url, PORTAL_AS_OF="2026-11-24") as served:
        first = walking.Desk(served, core.Database(url), tmp_path)
        page = walking.sit_down(browser_context, first, walking.LUIS)
        walking.go(page, first, "help")
        walking.take_call(page)
        _note(page).click()
        page.keyboard.type("Gate code 12", delay=20)
        walking.settle(page)
        page.wait_for_timeout(2_500)  # words typed right behind others are kept a second later
        served.process.kill()
        served.process.wait()
        port = served.port
    with running.portal(tmp_path, url, port=port, PORTAL_AS_OF="2026-11-24") as served:
        second = walking.Desk(served, first.database, tmp_path)
        walking.go(page, second, "help")
        expect(_note(page)).to_have_value("Gate code 12")
    first.database.dispose()
