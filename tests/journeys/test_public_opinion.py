"""A manager reads a change of opinion, narrows it to a district, hands the address on, and takes the table along."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from db import core
from db.staff import Staff
from portal.opinion import commands
from tests import running
from tests.journeys.test_axe import violations
from tests.journeys.walking import settle
from tests.opinion import made
from tests.shared.test_table_file import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from tests.conftest import Templates

pytestmark = pytest.mark.browser
LONG_MS = 30_000


@pytest.fixture(scope="module")
def served(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[running.Served, int]]:
    """A portal with the made resident survey, and the manager's id."""
    folder = tmp_path_factory.mktemp("opinion")
    url = templates.copy("sqlite", True, lambda: "")
    database = core.connect(url, audit_key=running.AUDIT_KEY.encode())
    commands.import_survey(*made.resident(folder))
    with core.read() as session:
        manager = session.scalar(sa.select(Staff.id).where(Staff.subject == "ingrid"))
    database.dispose()
    core.use(None)
    assert manager is not None
    with running.portal(folder / "portal", url, PORTAL_AS_OF="2026-11-24") as portal:
        yield portal, manager


def opened(context: BrowserContext, served: tuple[running.Served, int], query: str = "") -> Page:
    portal, manager = served
    running.sign_in(context, portal, manager)
    page = context.new_page()
    page.goto(f"{portal.url}/public_opinion{query}")
    expect(page.get_by_role("heading", name="How this was measured")).to_be_visible(timeout=LONG_MS)
    return page


def choose(page: Page, label: str, value: str) -> None:
    box = page.get_by_role("combobox", name=label)
    box.click()
    box.fill(value)
    page.get_by_role("option", name=value, exact=True).click()


def open_table(page: Page) -> None:
    """Opens the table of the ranked questions: its files stand before those of the comments."""
    page.get_by_text("Table and files").first.click()
    expect(page.get_by_role("button", name="XLSX", exact=True)).to_have_count(2, timeout=LONG_MS)


def test_read_a_change_narrow_it_to_a_district_and_hand_the_address_on(
    browser_context: BrowserContext, served: tuple[running.Served, int]
) -> None:
    page = opened(browser_context, served)
    expect(
        page.get_by_role("heading", name=re.compile("^Snow removal:.? the largest clear change, 40% to 60%"))
    ).to_be_visible()
    choose(page, "District", "D2")
    expect(page).to_have_url(re.compile(r"\?district=D2$"), timeout=LONG_MS)
    expect(page.get_by_text("n 100", exact=False).first).to_be_visible(timeout=LONG_MS)
    choose(page, "One question", "Solid waste")
    expect(page.get_by_role("heading", name=re.compile("^Solid waste:")).first).to_be_visible(timeout=LONG_MS)
    again = browser_context.new_page()
    again.goto(page.url)
    expect(again.get_by_role("combobox", name="District")).to_have_value("D2", timeout=LONG_MS)
    expect(again.get_by_role("combobox", name="One question")).to_have_value("Solid waste", timeout=LONG_MS)
    again.get_by_role("button", name="Clear").click()
    expect(again.get_by_role("combobox", name="District")).to_have_value("Whole city", timeout=LONG_MS)
    expect(again).to_have_url(re.compile(r"public_opinion$"), timeout=LONG_MS)


def test_the_table_of_a_chart_is_taken_along(
    browser_context: BrowserContext, served: tuple[running.Served, int]
) -> None:
    page = opened(browser_context, served)
    open_table(page)
    with page.expect_download(timeout=LONG_MS) as taken:
        page.get_by_role("button", name="CSV", exact=True).first.click()
    text = Path(taken.value.path()).read_text("utf-8")
    assert text.splitlines()[0].startswith("Question,Satisfied,95% from,95% to,Answers")
    assert "Snow removal,60%,55%,65%,400" in text


def test_a_workbook_holds_figures_and_comments_are_found_by_a_word(
    browser_context: BrowserContext, served: tuple[running.Served, int]
) -> None:
    page = opened(browser_context, served)
    open_table(page)
    with page.expect_download(timeout=LONG_MS) as taken:
        page.get_by_role("button", name="XLSX", exact=True).first.click()
    rows = read(Path(taken.value.path()).read_bytes())
    snow = next(row for row in rows if row[0][1] == "Snow removal")
    assert [cell[:2] for cell in snow[1:5]] == [("n", 0.6), ("n", pytest.approx(0.5513, abs=1e-3)), ("n", pytest.approx(0.6468, abs=1e-3)), ("n", 400)]  # fmt: skip
    box = page.get_by_role("textbox", name="Search comments")
    box.fill("note 11")
    box.press("Enter")
    expect(page.get_by_role("heading", name="1 comment")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("Note 11 <b>of</b> w2")).to_be_visible(timeout=LONG_MS)
    box.fill("%")
    box.press("Enter")
    expect(page.get_by_text("No comment holds these words.")).to_be_visible(timeout=LONG_MS)


@pytest.mark.parametrize(("look", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_charts_are_read_by_those_who_do_not_see_them(
    chromium: Any, served: tuple[running.Served, int], look: str, width: int
) -> None:
    """axe-core over the filled page, tables opened; nothing asked for from elsewhere."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=look, locale="en-US")
    outside: list[str] = []
    home = served[0].url
    context.on("request", lambda asked: None if asked.url.startswith((home, "data:", "blob:")) else outside.append(asked.url))  # fmt: skip
    page = opened(context, served)
    expect(page.get_by_label("Snow removal: the largest clear change, 40% to 60%").first).to_be_attached(
        timeout=LONG_MS
    )
    open_table(page)
    settle(page)
    assert violations(page) == []
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert outside == []
    context.close()
