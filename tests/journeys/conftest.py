"""For the tests in a real browser: Chromium, and a portal of the small city to open in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import running, tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

    from tests.conftest import Templates

# Maps need WebGL; without a graphics card Chromium draws it in software when told that this is meant.
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the whole run; each test gets a context (a browser profile) of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile: no cookies, desk-sized window."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-US", timezone_id="America/New_York"
    )
    yield context
    context.close()


@pytest.fixture(scope="module")
def demo_portal(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Served]:
    """A portal with demo sign-in over the small city, on the embedded database; shared by the tests of one file."""
    url = templates.copy("sqlite", True, lambda: "")
    with running.portal(tmp_path_factory.mktemp("portal"), url, PORTAL_AS_OF="2026-11-24") as served:
        yield served
