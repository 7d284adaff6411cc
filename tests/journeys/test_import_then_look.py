"""Another city's requests come in beside the serving portal; then the queue shows them, also by their original number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import tools
from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from tests.conftest import Templates
    from tests.journeys.walking import Desk

pytestmark = pytest.mark.browser

HEADER = "id,from,to,by,what,words,at\n"
ROWS = """A-1001,2026-11-16 09:00:00,,2026-11-18 17:00:00,Hole,"Deep, axle high",55 Elm St
A-1002,2026-11-17 10:30:00,2026-11-19 08:00:00,2026-11-20 17:00:00,Hole,,57 Elm St
A-1003,2026-11-20 11:00:00,,2026-12-04 17:00:00,Lamp out,<b>dark</b> corner,59 Elm St
A-1004,not a day,,,Hole,,61 Elm St
"""
MAP = """
source = "elmtown"
zone = "America/New_York"
datetime_formats = ["%Y-%m-%d %H:%M:%S"]
create_missing = true
[columns]
external_id = "id"
opened = "from"
closed = "to"
due = "by"
request_type = "what"
description = "words"
address = "at"
[request_type]
"Hole" = "pothole"
"""


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with walking.open_desk("sqlite", templates, tmp_path_factory.mktemp("import"), lambda: "") as opened:
        yield opened


def test_import_beside_the_portal_then_look(desk: Desk, browser_context: BrowserContext, tmp_path: Path) -> None:
    page = walking.sit_down(browser_context, desk, walking.SAM)
    walking.go(page, desk, "work_queue")
    assert "Nothing is waiting here" in walking.main_text(page)

    file, map_file = tmp_path / "elmtown.csv", tmp_path / "elmtown.toml"
    file.write_text(HEADER + ROWS, "utf-8")
    map_file.write_text(MAP, "utf-8")
    answers = []
    for _ in range(2):  # twice: the second run changes nothing
        done = desk.portal("import", "requests", str(file), "--map", str(map_file), "--json")
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout.splitlines()[-1]))
    assert [(one["read"], one["imported"], one["unchanged"], one["rejected"]) for one in answers] == [
        (4, 3, 0, 1),
        (4, 0, 3, 1),
    ]
    assert desk.count("service_request") == 3

    # The page that was open all along: a reconnect, and the original number finds the case, open or closed.
    walking.reconnect(page)
    for original, words in (("A-1001", "Deep, axle high"), ("A-1003", "<b>dark</b> corner")):
        page.get_by_label("Filter").fill(original)
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"“{words}”")).to_be_visible()
    page.get_by_label("Filter").fill("A-1002")
    page.keyboard.press("Enter")
    expect(page.get_by_text("57 Elm St").locator("visible=true").first).to_be_visible()
    walking.settle(page)

    page.get_by_label("Filter").fill("A-1001")
    page.keyboard.press("Enter")
    expect(page.get_by_text("“Deep, axle high”")).to_be_visible()
    walking.settle(page)
    walking.double_click(page.get_by_role("button", name="Open the case"))
    expect(page.get_by_text("What happened")).to_be_visible()
    walking.settle(page)
    case = walking.main_text(page)
    assert "A-1001" in case
    assert "55 Elm St" in case
    assert "late" in case  # due on November 18, and today is the 24th

    # The find box of the desk knows the original number as well.
    clerk = browser_context.new_page()
    walking.go(clerk, desk, "call_desk")
    walking.find(clerk, "a-1003").press("Alt+1")
    expect(clerk.get_by_text("59 Elm St").first).to_be_visible()
    expect(clerk.get_by_text("“<b>dark</b> corner”")).to_be_visible()  # what another system sends is text, too


def test_boston_as_published(desk: Desk, browser_context: BrowserContext) -> None:
    """The shipped map on a sample of Boston's open 311 file (tests/data/README.md)."""
    sample = tools.ROOT / "tests" / "data" / "boston_core_sample.csv"
    with sample.open(encoding="utf-8") as lines:
        rows = sum(1 for _ in lines) - 1
    done = desk.portal(
        *("import", "requests", str(sample)),
        *("--map", str(tools.ROOT / "db" / "packs" / "boston" / "import_map" / "core.toml"), "--json"),
        *("--rejects", str(desk.folder / "rejects.csv")),
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["read"] == rows
    page = walking.sit_down(browser_context, desk, walking.SAM)
    walking.go(page, desk, "work_queue")
    page.get_by_label("Filter").fill("101001240734")  # the first row of the file: closed on January 2, 2015
    page.keyboard.press("Enter")
    expect(page.get_by_text("33 Beacon St").locator("visible=true").first).to_be_visible()
