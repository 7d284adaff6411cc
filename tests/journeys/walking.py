"""What the journeys share: a portal of the small city whose database a test may look into, and a hand at the desk.

Streamlit draws a page in runs; `settle` waits for the end of the one in progress. A double click is two clicks as the
browser's own events: Playwright's click would wait for the page to settle in between.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from playwright.sync_api import expect

from db import core
from tests import running

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Locator, Page

    from tests.conftest import Templates

DANA, LUIS, SAM, INGRID, ADA = 1, 2, 3, 4, 5
"""Staff of the small city, in the order of city.toml: representatives, supervisor, manager, administrator."""
MARCUS = 1
"""The account 100-2231-8, the first of city.toml."""
PALMETTO4 = 3
"""The premise 77 Palmetto Ct, Unit 4."""
RUN_MS = 20_000
"""How long a run of a page may take on a busy machine."""


@dataclass
class Desk:
    """A running portal of the small city, and its database."""

    served: running.Served
    database: core.Database
    folder: Path

    def rows(self, statement: str, **values: Any) -> list[tuple]:
        """What the database holds now."""
        with self.database.reading() as session:
            return [tuple(row) for row in session.execute(sa.text(statement), values)]

    def count(self, table: str, where: str = "1 = 1", **values: Any) -> int:
        return self.rows(f"SELECT count(*) FROM {table} WHERE {where}", **values)[0][0]

    def portal(self, *words: str) -> Any:
        """One `portal` command on this database, beside the running portal."""
        return running.command(*words, env=self.served.environment, cwd=self.folder)


@contextlib.contextmanager
def open_desk(kind: str, templates: Templates, folder: Path, postgres: Callable[[], str]) -> Generator[Desk]:
    """A portal of the small city on one kind of database."""
    url = templates.copy(kind, True, postgres)
    database = core.Database(url)
    try:
        with running.portal(folder, url, PORTAL_AS_OF="2026-11-24") as served:
            yield Desk(served, database, folder)
    finally:
        database.dispose()


def sit_down(context: BrowserContext, desk: Desk, staff_id: int) -> Page:
    """Signs a person in and opens a page for them, on nothing yet."""
    context.set_default_timeout(RUN_MS)
    expect.set_options(timeout=RUN_MS)
    running.sign_in(context, desk.served, staff_id)
    return context.new_page()


def go(page: Page, desk: Desk, address: str) -> None:
    """Opens an address of the portal and waits until it is drawn."""
    page.goto(f"{desk.served.url}/{address}")
    _drawn(page)


def _drawn(page: Page) -> None:
    """Waits for a page that is loaded anew: the menu's foot is drawn by its first run, before the page itself."""
    page.get_by_role("button", name="Sign out").wait_for(state="attached")  # on a phone the menu is folded away
    settle(page)


def settle(page: Page) -> None:
    """Waits until no run is in progress: what was typed has arrived, and the page shows what came of it."""
    page.wait_for_timeout(150)  # the message of the last event is on its way
    page.locator(
        "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
    ).wait_for()
    page.wait_for_timeout(50)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def double_click(button: Locator, apart_ms: int = 60) -> None:
    """Two clicks as a nervous hand does them."""
    button.evaluate("(button, delay) => { button.click(); setTimeout(() => button.click(), delay) }", apart_ms)


def reconnect(page: Page) -> None:
    """The line breaks and the page is loaded again."""
    page.reload()
    _drawn(page)


def take_call(page: Page) -> None:
    """Takes a call with the key that stands on the button."""
    page.get_by_role("button", name="Take a call").wait_for()
    page.keyboard.press("Alt+A")
    page.get_by_role("button", name="Wrap up").wait_for()
    settle(page)


def find(page: Page, words: str) -> Locator:
    """Types into the find box; answers with the box."""
    box = page.get_by_label("Find a customer")
    box.fill(words)
    page.wait_for_timeout(300)  # the box sends what was typed after a pause of 200 ms
    settle(page)
    return box


def main_text(page: Page) -> str:
    """All text of the page beside the menu, without the zero-width joiners that keep data from becoming Markdown."""
    return page.get_by_test_id("stMain").inner_text().replace("\u2060", "")


def choose(page: Page, label: str, words: str) -> None:
    """Types into a searchable list and takes its first match with Enter."""
    box = page.get_by_label(label)
    box.click()
    box.fill(words)
    # The list opens whole and is sifted a moment later: Enter before that takes another entry.
    first_word = re.compile(re.escape(words.partition(" ")[0]), re.IGNORECASE)
    expect(page.get_by_role("option").first).to_contain_text(first_word)
    box.press("Enter")
    settle(page)


def focused(page: Page) -> str:
    """The name of what has the keyboard: its label, else its words; "" on the page itself."""
    return page.evaluate(
        """() => {
            const at = document.activeElement;
            if (!at || at === document.body) return '';
            if (at.tagName === 'MAIN') return 'the page itself';
            const by = (at.getAttribute('aria-labelledby') || '').split(' ')
                .map(id => document.getElementById(id)?.innerText || '').join(' ').trim();
            const label = at.labels?.length ? at.labels[0].innerText : '';
            const name = at.getAttribute('aria-label') || by || label || at.innerText || at.title || at.tagName;
            return name.replace(/\\s+/g, ' ').replaceAll('\\u2060', '').trim();
        }"""
    )


def tab_to(page: Page, name: str, most: int = 60, key: str = "Tab") -> int:
    """Presses Tab until the control with this name has the keyboard; answers with how often (0: it has it already)."""
    if name in focused(page):
        return 0
    for pressed in range(1, most + 1):
        page.keyboard.press(key)
        if name in focused(page):
            return pressed
    raise AssertionError(f"{most} times {key} never reached “{name}”; the last was “{focused(page)}”")
