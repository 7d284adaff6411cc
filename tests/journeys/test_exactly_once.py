"""Whatever the mouse, the network and the server do, a form is carried out once, and its receipt can be seen."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests import postgres_server, running

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from tests.conftest import Templates
    from tests.running import Served

pytestmark = pytest.mark.browser

ADA, LUIS = 5, 2  # rows of the small city, in the order of city.toml
DELAYS_MS = (0, 60, 120, 300, 1000)


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A portal of the small city and the file of its database."""
    url = templates.copy("sqlite", True, lambda: "")
    folder = tmp_path_factory.mktemp("once")
    with running.portal(folder, url, PORTAL_AS_OF="2026-11-24") as served:
        yield served, templates.folder / url.rsplit("/", 1)[1]


def rows(database: Path, statement: str, *values: object) -> list[tuple]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def people(database: Path, subject: str) -> int:
    return rows(database, "SELECT count(*) FROM staff WHERE subject = ?", subject)[0][0]


def fill_staff_form(page: Page, served: Served, subject: str, key: str) -> None:
    page.goto(f"{served.url}/staff?form={key}")
    page.get_by_role("textbox", name="Name", exact=True).fill("Nora Quinn")
    page.get_by_role("textbox", name="Issuer").fill("https://login.example")
    page.get_by_role("textbox", name="Subject").fill(subject)
    page.get_by_role("button", name="Representative").click()
    page.get_by_role("button", name="Representative").and_(
        page.locator("[aria-checked=true], [aria-pressed=true], [kind=pillsActive]")
    ).wait_for()


def hold_the_writers(database: Path, seconds: float) -> threading.Thread:
    """Another process's transaction keeps every writer waiting: a slow commit without touching the portal."""

    def hold() -> None:
        connection = sqlite3.connect(database, timeout=30, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    time.sleep(0.05)
    return thread


@pytest.mark.parametrize("slow", [False, True], ids=["fast commit", "slow commit"])
@pytest.mark.parametrize("delay_ms", DELAYS_MS)
def test_two_clicks_make_one_row_and_a_visible_receipt(
    desk: tuple[Served, Path], browser_context: BrowserContext, delay_ms: int, slow: bool
) -> None:
    served, database = desk
    running.sign_in(browser_context, served, ADA)
    page = browser_context.new_page()
    subject, key = f"two-{delay_ms}-{slow}", uuid.uuid4().hex
    fill_staff_form(page, served, subject, key)
    holder = hold_the_writers(database, 1.5) if slow else None
    # Two clicks as the browser's own events: Playwright's click would wait for the page to settle in between.
    page.get_by_role("button", name="Let them in").evaluate(
        "(button, delay) => { button.click(); setTimeout(() => button.click(), delay) }", delay_ms
    )
    page.get_by_text("can sign in now").first.wait_for(timeout=20_000)
    if holder is not None:
        holder.join()
    page.wait_for_timeout(delay_ms + 300)
    assert page.get_by_text("can sign in now").first.is_visible()
    assert people(database, subject) == 1
    assert rows(database, "SELECT count(*) FROM submission WHERE key = ?", key) == [(1,)]


def test_a_reconnect_in_the_middle_keeps_the_words_and_shows_the_receipt(
    desk: tuple[Served, Path], browser_context: BrowserContext
) -> None:
    served, database = desk
    running.sign_in(browser_context, served, ADA)
    page = browser_context.new_page()
    key = uuid.uuid4().hex
    fill_staff_form(page, served, "reconnect", key)
    page.wait_for_timeout(600)  # the draft is kept on the rerun after the last field
    page.reload()
    page.get_by_role("textbox", name="Subject").wait_for()
    assert page.get_by_role("textbox", name="Subject").input_value() == "reconnect"
    assert page.get_by_role("textbox", name="Name", exact=True).input_value() == "Nora Quinn"
    page.get_by_role("button", name="Let them in").click()
    page.reload()
    page.get_by_text("can sign in now").first.wait_for(timeout=20_000)
    page.reload()
    page.get_by_text("can sign in now").first.wait_for(timeout=20_000)
    assert people(database, "reconnect") == 1


@dataclass(frozen=True)
class Sent:
    """A form that was clicked just before the server died."""

    key: str
    command: str
    staff_id: int
    path: str
    button: str
    receipt: str


@contextlib.contextmanager
def small_city(kind: str, templates: Templates, request: pytest.FixtureRequest) -> Generator[str]:
    """The address of a database of the small city, of one kind or the other."""
    url = templates.copy(kind, True, lambda: request.getfixturevalue("postgres_url"))
    yield url
    if kind == "postgresql":
        postgres_server.drop_database(request.getfixturevalue("postgres_url"), str(sa.make_url(url).database))


@dataclass
class Look:
    """What stands in a database, read beside the portal that serves it."""

    url: str

    def __call__(self, statement: str, **values: object) -> list[tuple]:
        address = sa.make_url(self.url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(address, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), values)]


def kill_loop(url: str, folder: Path, context: BrowserContext, kills: int, seed: int) -> None:
    """Real forms of two rooms; the server dies at a random moment between the click and the reply; then the key is asked again."""
    chance, look = random.Random(seed), Look(url)  # when to kill, not a secret
    port = running.free_port()
    sent: list[Sent] = []
    before = 0
    """How many were carried out before the kill: the others are carried out when the person comes back."""
    for turn in range(kills + 1):
        with running.portal(folder, url, port=port, PORTAL_AS_OF="2026-11-24") as served:
            if sent:
                before += bool(
                    look("SELECT 1 FROM submission WHERE key = :key AND result IS NOT NULL", key=sent[-1].key)
                )
                come_back(context, served, sent[-1])
            if turn < kills:
                sent.append(click_and_kill(context, served, look, turn, chance.uniform(0, 0.12)))
    stored = dict(look("SELECT key, command FROM submission WHERE result IS NOT NULL"))
    assert {one.key: stored.get(one.key) for one in sent} == {one.key: one.command for one in sent}
    staff_turns = sum(one.command == "staff.add_staff" for one in sent)
    assert look("SELECT count(*) FROM staff WHERE subject LIKE 'kill-%'") == [(staff_turns,)]
    requests = look("SELECT count(*) FROM service_request WHERE description = 'Skipped, kill test'")
    assert requests == [(kills - staff_turns,)]
    assert running.command("audit", "verify", env=running.environment(folder, url), cwd=folder).returncode == 0
    print(f"{kills} kills: {before} after the commit, {kills - before} before it; none lost, none doubled")


def click_and_kill(context: BrowserContext, served: Served, look: Look, turn: int, seconds: float) -> Sent:
    """Fills a form of one room or the other, clicks, and kills the server so many seconds later."""
    key, page = uuid.uuid4().hex, context.new_page()
    if turn % 2:
        sent = Sent(key, "staff.add_staff", ADA, "staff", "Let them in", "can sign in now")
        running.sign_in(context, served, ADA)
        fill_staff_form(page, served, f"kill-{turn}", key)
    else:
        sent = Sent(key, "service_requests.open_request", LUIS, "service_request", "Open the request", "Number to give")
        running.sign_in(context, served, LUIS)
        fill_request_form(page, served, key)
    wait_for_draft(look, key, f"kill-{turn}" if turn % 2 else "Skipped, kill test")
    page.get_by_role("button", name=sent.button).evaluate("button => button.click()")
    time.sleep(seconds)
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    page.close()
    return sent


def wait_for_draft(look: Look, key: str, words: str) -> None:
    """Until the last words typed are kept: what was kept must survive the kill, whatever is in the air may not."""
    deadline = time.monotonic() + 30
    kept = "SELECT 1 FROM draft WHERE key = :key AND CAST(answers AS TEXT) LIKE :words"
    while not look(kept, key=key, words=f"%{words}%"):
        assert time.monotonic() < deadline, f"the draft of {key} was not kept"
        time.sleep(0.05)


def come_back(context: BrowserContext, served: Served, sent: Sent) -> None:
    """The same person comes back to the same address: a receipt, or the form with what was typed, which is then sent again."""
    running.sign_in(context, served, sent.staff_id)
    page = context.new_page()
    page.goto(f"{served.url}/{sent.path}?form={sent.key}")
    receipt = page.get_by_text(sent.receipt).first
    button = page.get_by_role("button", name=sent.button)
    receipt.or_(button).first.wait_for(timeout=30_000)
    if not receipt.is_visible():
        button.click()
        receipt.wait_for(timeout=30_000)
    page.close()


def fill_request_form(page: Page, served: Served, key: str) -> None:
    """A compliment from Marcus Ellison's address, everything required answered."""
    page.goto(f"{served.url}/service_request?account=1&type=compliment&form={key}")
    page.get_by_role("textbox", name="What was good").fill("The driver waited")
    page.get_by_role("textbox", name="In the caller").fill("Skipped, kill test")
    page.get_by_role("textbox", name="In the caller").blur()


def test_ten_kills_lose_nothing_and_double_nothing(
    kind: str, templates: Templates, request: pytest.FixtureRequest, tmp_path: Path, browser_context: BrowserContext
) -> None:
    """Five on each database: a portal that starts again takes its seconds."""
    with small_city(kind, templates, request) as url:
        kill_loop(url, tmp_path, browser_context, kills=5, seed=7)


@pytest.mark.soak
def test_a_hundred_kills_lose_nothing_and_double_nothing(
    kind: str, templates: Templates, request: pytest.FixtureRequest, tmp_path: Path, browser_context: BrowserContext
) -> None:
    with small_city(kind, templates, request) as url:
        kill_loop(url, tmp_path, browser_context, kills=100, seed=8)
