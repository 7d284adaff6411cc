"""Takes the pictures of the README anew, from a demo city of its own: `python -m tests.screenshots`.

Every page at desk size goes to docs/; with `--all DIR` each page also at phone size, light and dark, for looking at.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests import running, tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

DOCS = tools.ROOT / "docs"
AS_OF = dt.date(2026, 11, 24)
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"]
REPRESENTATIVE, SUPERVISOR, MANAGER, ADMINISTRATOR = "Dana Whitcomb", "Samira Reyes", "Ingrid Vale", "Ada Okafor"


def _type(page: Page, words: str) -> None:
    page.get_by_placeholder("Name, phone, address").fill(words)
    page.get_by_text("Alt + 1").first.wait_for()


def _choose_type(page: Page) -> None:
    page.get_by_text("Why then?").first.wait_for()


def _try_a_type(page: Page) -> None:
    page.get_by_test_id("stExpander").filter(has_text="Out by 6:30 am?").first.locator("summary").click()
    page.get_by_role("radiogroup", name="Out by 6:30 am?").get_by_role("radio", name="No", exact=True).click()


def _leak_credit(page: Page) -> None:
    box = page.get_by_label("What for?")
    box.fill("leak rep")
    page.get_by_role("option").first.wait_for()
    box.press("Enter")
    page.get_by_text("Effect on the balance").first.wait_for()
    page.get_by_label("Why, for the bill").fill("Leak at the service line repaired Oct 12, plumber’s bill seen.")
    page.keyboard.press("Tab")


PICTURES: dict[str, tuple[str, str, Callable[[Page], None] | None]] = {
    "call-desk": (REPRESENTATIVE, "/call_desk", lambda page: _type(page, "elison oakhaven")),
    "customer": (REPRESENTATIVE, "/customer?account=1", None),
    "start-service": (REPRESENTATIVE, "/start_service?premise=6", None),
    "service-request": (REPRESENTATIVE, "/service_request?account=1&type=missed_recycling", _choose_type),
    "emergency": (REPRESENTATIVE, "/emergency", None),
    "adjust-bill": (REPRESENTATIVE, "/adjust_bill?account=1", _leak_credit),
    "approvals": (SUPERVISOR, "/approvals", None),
    "account-ledger": (REPRESENTATIVE, "/account_ledger?account=1", None),
    "work-queue": (SUPERVISOR, "/work_queue?scope=division", None),
    "service-levels": (SUPERVISOR, "/service_levels", None),
    "deliveries": (SUPERVISOR, "/deliveries", None),
    "request-type": (ADMINISTRATOR, "/request_type?code=missed_garbage&part=questions", _try_a_type),
    "public-opinion": (MANAGER, "/public_opinion", None),
}
"""Picture -> whose desk, which page, what is typed before it is taken."""


def take(
    browser: Browser, served: running.Served, folder: Path, width: int, height: int, scheme: str, suffix: str
) -> None:
    """One picture of each page, by people who see it."""
    for name, (person, path, prepare) in PICTURES.items():
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-US",
            timezone_id="America/New_York",
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = context.new_page()
        page.goto(f"{served.url}/sign-in")
        page.get_by_role("button", name=person).click()
        page.get_by_test_id("stSidebarNav").first.wait_for(state="attached")
        page.goto(f"{served.url}{path}")
        page.wait_for_timeout(3000)
        if prepare is not None:
            prepare(page)
            page.wait_for_timeout(1000)
        page.screenshot(path=folder / f"{name}{suffix}.png")
        context.close()


def main() -> None:
    """Builds the city, serves it, takes the pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="DIR", help="also phone size and dark, into this folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        url = f"sqlite:///{folder / 'city.sqlite3'}"
        env = running.environment(folder, url, PORTAL_AS_OF=AS_OF.isoformat())
        made = running.command("demo-city", "--as-of", AS_OF.isoformat(), env=env, cwd=folder)
        if made.returncode:
            raise SystemExit(made.stderr)
        with running.portal(folder, url, PORTAL_AS_OF=AS_OF.isoformat()) as served, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=tools.chromium(), args=FLAGS)
            DOCS.mkdir(exist_ok=True)
            take(browser, served, DOCS, 1440, 900, "light", "")
            if chosen.all is not None:
                chosen.all.mkdir(parents=True, exist_ok=True)
                for scheme in ("light", "dark"):
                    take(browser, served, chosen.all, 390, 844, scheme, f"-390-{scheme}")
                take(browser, served, chosen.all, 1440, 900, "dark", "-1440-dark")
            browser.close()


if __name__ == "__main__":
    main()
