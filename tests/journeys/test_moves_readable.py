"""The pages of moves for everybody: axe finds nothing, and nothing is wider than the screen, light and dark, desk and phone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import running, tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from tests.conftest import Templates
    from tests.running import Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal of the small city on Tuesday, November 24, 2026."""
    url = templates.copy("sqlite", True, lambda: "")
    with running.portal(tmp_path_factory.mktemp("turnover"), url, PORTAL_AS_OF="2026-11-24") as served:
        yield served


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


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_moves_are_readable_by_all(
    desk: Served, browser_context: BrowserContext, templates: Templates, theme: str, width: int
) -> None:
    city = templates.city("sqlite")
    running.sign_in(browser_context, desk, city.staff["luis"])
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
        page.goto(f"{desk.url}/{name}?{query}")
        page.get_by_role("heading", name="What happens next").wait_for()
        page.get_by_role("heading", name="Read back").wait_for()
        page.wait_for_timeout(300)
        picture(page, f"{name}-{width}-{theme}")
        found[name] = accessibility(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not any(found.values()), found
