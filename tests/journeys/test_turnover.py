"""A tenant starts service where the last one never called: typed, clicked twice, cut off, and written once."""

from __future__ import annotations

import os
import sqlite3
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import running, tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from tests.conftest import Templates
    from tests.running import Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A portal of the small city on Tuesday, November 24, 2026, and the file of its database."""
    url = templates.copy("sqlite", True, lambda: "")
    with running.portal(tmp_path_factory.mktemp("turnover"), url, PORTAL_AS_OF="2026-11-24") as served:
        yield served, templates.folder / url.rsplit("/", 1)[1]


def rows(database: Path, statement: str, *values: object) -> list[tuple]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def picture(page: Page, name: str) -> None:
    """Keeps a picture where TEST_PICTURES says, for a look."""
    folder = os.environ.get("TEST_PICTURES")
    if folder:
        page.wait_for_timeout(600)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def accessibility(page: Page) -> list[str]:
    """What axe finds against WCAG 2.1 A and AA."""
    # Through the debugger: the content policy lets no script in by the page itself.
    page.evaluate((tools.node_part("axe-core") / "axe.min.js").read_text("utf-8"))
    # Upstream: the menu that Streamlit draws puts its section titles between the items of a list.
    found = page.evaluate(
        "axe.run({exclude: ['[data-testid=stSidebarNav]']}, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
    )
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found["violations"]]


def test_a_turnover_start_from_the_address_to_the_receipt(
    desk: tuple[Served, Path], browser_context: BrowserContext, templates: Templates
) -> None:
    served, database = desk
    city = templates.city("sqlite")
    running.sign_in(browser_context, served, city.staff["luis"])
    page = browser_context.new_page()
    key = uuid.uuid4().hex
    page.goto(f"{served.url}/start_service?form={key}")
    search = page.get_by_role("searchbox", name="Where does service start?")
    search.wait_for()
    search.press_sequentially("1420 oakhavn", delay=20)
    page.get_by_role("button", name="1420 Oakhaven Dr, 32303").click()
    page.get_by_text("Someone else is still active here").wait_for()
    assert page.get_by_text("Odessa").count() == 0  # the other party is never named
    page.get_by_role("textbox", name="Name on the bill").fill("Nora Quint")
    page.get_by_role("textbox", name="Mobile").fill("850 555 0191")
    page.get_by_role("button", name="Signed lease").or_(page.get_by_role("radio", name="Signed lease")).click()
    page.get_by_text("Ask for a copy of the lease").wait_for()
    picture(page, "start-turnover")
    # The connection is lost for a moment; what was typed is still there.
    page.get_by_role("heading", name="Read back").wait_for()
    page.wait_for_timeout(1000)  # the draft is written at the end of the run
    page.reload()
    expect(page.get_by_role("textbox", name="Name on the bill")).to_have_value("Nora Quint", timeout=20_000)
    page.get_by_role("button", name="Start 7 services").dblclick()
    page.get_by_text("Start of 7 services is booked for Wed, Nov 25").first.wait_for()
    page.get_by_text("Say to the caller").wait_for()
    picture(page, "start-turnover-receipt")
    assert page.get_by_text("Odessa").count() == 0
    assert page.get_by_text("RG96-LFT").count() == 1
    page.reload()
    page.get_by_text("Start of 7 services is booked for Wed, Nov 25").first.wait_for()
    moves = rows(database, "SELECT kind, state_code FROM move ORDER BY id")
    assert moves == [("start", "pending"), ("stop", "pending")]  # hers, and the end of the other on the same reading
    assert rows(database, "SELECT count(*) FROM submission WHERE key = ?", key) == [(1,)]
    states = rows(
        database,
        "SELECT state_code FROM service_agreement WHERE service_point_id = ? AND state_code <> 'stopped' ORDER BY id",
        city.point["neighbor", "water"],
    )
    assert states == [("pending_stop",), ("pending_start",)]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_moves_are_readable_by_all(
    desk: tuple[Served, Path], browser_context: BrowserContext, templates: Templates, theme: str, width: int
) -> None:
    served, _ = desk
    city = templates.city("sqlite")
    running.sign_in(browser_context, served, city.staff["luis"])
    page = browser_context.new_page()
    page.emulate_media(color_scheme=theme)  # ty: ignore[invalid-argument-type]  # "light" or "dark", as given above
    page.set_viewport_size({"width": width, "height": 900})
    addresses = {
        "start_service": f"account={city.account['priya']}&premise={city.premise['tanner61']}",
        "stop_service": f"account={city.account['marcella']}",
        "transfer_service": f"account={city.account['wei']}&premise={city.premise['tanner61']}",
    }
    found = {}
    for name, query in addresses.items():
        page.goto(f"{served.url}/{name}?{query}")
        page.get_by_role("heading", name="What happens next").wait_for()
        page.get_by_role("heading", name="Read back").wait_for()
        page.wait_for_timeout(300)
        picture(page, f"{name}-{width}-{theme}")
        found[name] = accessibility(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not any(found.values()), found
