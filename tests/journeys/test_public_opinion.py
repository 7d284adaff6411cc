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
from tests import running, tools
from tests.opinion import made

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
    page.get_by_text("Table and files").first.click()
    with page.expect_download(timeout=LONG_MS) as taken:
        page.get_by_role("button", name="CSV", exact=True).first.click()
    text = Path(taken.value.path()).read_text("utf-8")
    assert text.splitlines()[0].startswith("Question,Satisfied,95% from,95% to,Answers")
    assert "Snow removal,60%,55%,65%,400" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_are_read_by_those_who_do_not_see_them(
    chromium: Any, served: tuple[running.Served, int], scheme: str
) -> None:
    """axe-core, WCAG 2 A to 2.2 AA, over the page itself (the menu is Streamlit's and the same everywhere)."""
    context = chromium.new_context(viewport={"width": 390, "height": 900}, color_scheme=scheme)
    page = opened(context, served)
    expect(page.get_by_label("Snow removal: the largest clear change, 40% to 60%").first).to_be_attached(
        timeout=LONG_MS
    )
    page.evaluate((tools.node_part("axe-core") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate(
        "axe.run('[data-testid=stMain]', {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    assert [each["id"] for each in found["violations"]] == []
    wide = page.evaluate(
        "(() => { const main = document.querySelector('[data-testid=stMain]'); return main.scrollWidth - main.clientWidth })()"
    )
    assert wide == 0
    context.close()
