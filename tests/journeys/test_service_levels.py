"""A supervisor finds the worst district on the map and opens its oldest late case; the address alone shows the same again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from db import core
from db.accounts import ServiceArea
from db.staff import Staff
from tests import running
from tests.journeys.test_axe import violations
from tests.journeys.walking import settle
from tests.reports import made
from tests.shared.test_table_file import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from tests.conftest import Templates

pytestmark = pytest.mark.browser
LONG_MS = 30_000


@pytest.fixture(scope="module")
def served(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[running.Served, int]]:
    """A portal of the small city with requests in two districts, one of them mostly late; and the supervisor's id."""
    folder = tmp_path_factory.mktemp("levels")
    url = templates.copy("sqlite", True, lambda: "")
    database = core.connect(url, audit_key=running.AUDIT_KEY.encode())
    with core.work() as work:
        for place, code in enumerate(("west_end", "east_end")):
            left = -84.3 + place * 0.05
            ring = [[left, 30.4], [left + 0.05, 30.4], [left + 0.05, 30.45], [left, 30.45], [left, 30.4]]
            if work.session.get(ServiceArea, code) is None:
                work.add(
                    ServiceArea(
                        code=code,
                        name=code.replace("_", " ").title(),
                        polygon={"type": "Polygon", "coordinates": [ring]},
                    )
                )
        work.event("test.areas", subject_kind="city", subject_id=0)
    made.add(
        [
            *(
                made.request(
                    100 + at, "2026-11-09T08:00", due="2026-11-16T08:00", closed="2026-11-10T08:00", district="west_end"
                )
                for at in range(40)
            ),
            *(
                made.request(
                    200 + at, "2026-11-09T08:00", due="2026-11-10T08:00", closed="2026-11-12T08:00", district="east_end"
                )
                for at in range(40)
            ),
            made.request(300, "2026-10-09T08:00", due="2026-10-12T08:00", district="east_end"),
            made.request(301, "2026-11-09T08:00", due="2026-11-12T08:00", district="east_end"),
            made.request(302, "2026-08-09T08:00", due="2026-08-12T08:00", district="west_end"),
        ]
    )
    with core.read() as session:
        supervisor = session.scalar(sa.select(Staff.id).where(Staff.subject == "sam"))
    database.dispose()
    core.use(None)
    assert supervisor is not None
    with running.portal(folder / "portal", url, PORTAL_AS_OF="2026-11-24") as portal:
        yield portal, supervisor


def opened(context: BrowserContext, served: tuple[running.Served, int], query: str = "") -> Page:
    portal, supervisor = served
    running.sign_in(context, portal, supervisor)
    page = context.new_page()
    page.goto(f"{portal.url}/service_levels{query}")
    expect(page.get_by_role("heading", name="The cases behind this")).to_be_visible(timeout=LONG_MS)
    return page


def test_the_worst_district_leads_to_its_oldest_case(
    browser_context: BrowserContext, served: tuple[running.Served, int]
) -> None:
    outside: list[str] = []
    browser_context.on(
        "request",
        lambda asked: (
            outside.append(asked.url) if not asked.url.startswith((served[0].url, "data:", "blob:")) else None
        ),
    )
    page = opened(browser_context, served)
    expect(page.get_by_role("heading", name="On time runs from 0% in East End to 100% in West End")).to_be_visible(
        timeout=LONG_MS
    )
    label = (
        page.locator("svg.main-svg text.annotation-text, svg.main-svg .textpoint text").filter(has_text="East").first
    )
    label.scroll_into_view_if_needed()
    box = label.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)  # the figure notes what is under the pointer before a click counts
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile("district=east_end"), timeout=LONG_MS)
    expect(page.get_by_text("2 cases")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("2 past due in this selection; the oldest was opened Oct 9, 2026")).to_be_visible(
        timeout=LONG_MS
    )
    address = page.url
    page.get_by_role("button", name="Open the oldest").first.click()
    expect(page).to_have_url(re.compile(r"/case\?id=\d+"), timeout=LONG_MS)
    expect(page.get_by_text("SR-T-300").first).to_be_visible(timeout=LONG_MS)
    page.goto(address)  # the list leads to the same case, row by row
    expect(page.get_by_text("2 cases")).to_be_visible(timeout=LONG_MS)
    grid = page.locator('[data-testid="stDataFrame"]').last
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 38 + 18)
    expect(page).to_have_url(re.compile(r"/case\?id=\d+"), timeout=LONG_MS)
    expect(page.get_by_text("SR-T-300").first).to_be_visible(timeout=LONG_MS)
    assert outside == []


def test_the_oldest_case_is_reached_by_keys_alone(
    browser_context: BrowserContext, served: tuple[running.Served, int]
) -> None:
    page = opened(browser_context, served)
    settle(page)
    box = page.get_by_role("combobox", name="District")
    for _ in range(60):  # from the top of the page, key by key
        if box.evaluate("each => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type("East", delay=40)
    page.get_by_role("option", name="East End").wait_for(timeout=LONG_MS)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("district=east_end"), timeout=LONG_MS)
    expect(page.get_by_text("2 past due in this selection")).to_be_visible(timeout=LONG_MS)
    settle(page)
    page.keyboard.press("Alt+o")
    expect(page).to_have_url(re.compile(r"/case\?id=\d+"), timeout=LONG_MS)
    expect(page.get_by_text("SR-T-300").first).to_be_visible(timeout=LONG_MS)


def test_two_days_of_an_address_a_point_of_a_line_and_the_files(
    browser_context: BrowserContext, served: tuple[running.Served, int]
) -> None:
    page = opened(browser_context, served, "?from=2026-11-09&to=2026-11-15&at=2026-11-09&list=late")
    expect(page.get_by_text("All divisions, Nov 9, 2026 to Nov 15, 2026.")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("40 cases")).to_be_visible(timeout=LONG_MS)
    with page.expect_download(timeout=LONG_MS) as taken:
        page.get_by_role("button", name="CSV", exact=True).last.click()
    lines = Path(taken.value.path()).read_text("utf-8").splitlines()
    assert lines[0] == "Case,Type,Division,District,Opened,Due,Days late,Days open,Channel"
    assert len(lines) == 41
    assert "East end,2026-11-09,2026-11-10,2,3.0,Phone" in lines[1].replace("East End", "East end")
    with page.expect_download(timeout=LONG_MS) as taken:
        page.get_by_role("button", name="XLSX", exact=True).last.click()
    assert taken.value.suggested_filename == "cases-late.xlsx"
    assert len(read(Path(taken.value.path()).read_bytes())) == 41


@pytest.mark.parametrize(("look", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_filled_figures_are_for_everybody(
    chromium: Any, served: tuple[running.Served, int], look: str, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=look, locale="en-US")
    page = opened(context, served, "?district=east_end&by=district")
    page.get_by_text("Table and files").first.click()
    expect(page.get_by_role("button", name="XLSX", exact=True)).to_have_count(2, timeout=LONG_MS)
    settle(page)
    assert violations(page) == []
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    context.close()


def test_an_address_shows_the_same_to_a_colleague_and_one_key_tells_what_figures_mean(
    browser_context: BrowserContext, served: tuple[running.Served, int]
) -> None:
    page = opened(browser_context, served, "?district=west_end&by=channel")
    expect(page.get_by_text("40 closed requests").or_(page.get_by_text("100% of closed requests")).first).to_be_visible(
        timeout=LONG_MS
    )
    settle(page)
    meaning = page.get_by_role("dialog").get_by_text("All requests of the period with a due time, open ones included.")
    page.keyboard.press("Alt+m")
    try:
        meaning.wait_for(timeout=10_000)
    except PlaywrightTimeout:  # on a crowded machine the page may still be drawing what `settle` cannot see
        page.keyboard.press("Alt+m")
    expect(meaning).to_be_visible(timeout=LONG_MS)
