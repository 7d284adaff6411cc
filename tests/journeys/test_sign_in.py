"""Sign-in in a real browser: through a real identity provider (npm `oidc-provider`), and in a demo.

The provider's people: rosa and marcus work here, leaver did, nobody here knows stranger (tests/oidc/provider.mjs).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import queue
import subprocess
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from db import core
from db import staff as rows
from portal.desk import who
from tests import running, tools

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Locator, Page

    from tests.conftest import Templates

pytestmark = pytest.mark.browser

CLIENT_SECRET = "a-client-secret-of-the-tests-only-0123456789"
PASSWORD = "correct horse"
COVERED_WITHIN_MS = (who.WATCH_SECONDS + 15) * 1000
SUBJECTS = {"rosa": "sub-rosa-7f3k", "marcus": "sub-marcus-2c9d", "leaver": "sub-leaver-5e1a"}
NAMES = {"rosa": "Rosa Delgado", "marcus": "Marcus Webb", "leaver": "Lee Leaver"}


@dataclass
class Provider:
    """The running identity provider and what it was asked."""

    issuer: str
    redirect_uri: str
    asked: list[dict[str, Any]] = field(default_factory=list)


@contextlib.contextmanager
def provider(portal_port: int) -> Generator[Provider]:
    """The identity provider, registered for a portal on that port."""
    port = running.free_port()
    redirect_uri = f"http://127.0.0.1:{portal_port}/oauth2callback"
    process = subprocess.Popen(
        [*tools.node_command(), str(tools.ROOT / "tests" / "oidc" / "provider.mjs"), str(port), redirect_uri],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    found = Provider(f"http://127.0.0.1:{port}", redirect_uri)
    ready: queue.Queue[bool] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if said.get("ready"):
                ready.put(True)
            elif "auth" in said:
                found.asked.append(said["auth"])

    threading.Thread(target=listen, daemon=True).start()
    try:
        ready.get(timeout=60)
        yield found
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@dataclass
class City:
    """A portal that signs in through the provider, and its database."""

    served: running.Served
    provider: Provider
    database: core.Database

    def change(self, statement: sa.Update) -> None:
        """Changes rows behind the portal's back (moves time, for instance)."""
        with self.database.writing() as session:
            session.execute(statement)

    def staff_id(self, login: str) -> int:
        with self.database.reading() as session:
            return session.scalars(sa.select(rows.Staff.id).where(rows.Staff.subject == SUBJECTS[login])).one()

    def sign_ins(self, login: str) -> list[rows.StaffSession]:
        with self.database.reading() as session:
            return list(
                session.scalars(sa.select(rows.StaffSession).where(rows.StaffSession.staff_id == self.staff_id(login)))
            )


def _portal_with(folder: Path, url: str) -> Iterator[City]:
    port = running.free_port()
    with provider(port) as found:
        variables = {
            "PORTAL_OIDC_ISSUER": found.issuer,
            "PORTAL_OIDC_CLIENT_ID": "portal",
            "PORTAL_OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "PORTAL_OIDC_REDIRECT_URI": found.redirect_uri,
            "PORTAL_COOKIE_SECRET": "4f1c9a7be2d0835c6f9e1a2b3c4d5e6f",
        }
        env = running.environment(folder, url, **variables)
        for login, subject in SUBJECTS.items():
            done = running.command(
                *("staff", "add", "--issuer", found.issuer, "--subject", subject),
                *("--role", "representative", "--name", NAMES[login]),
                env=env,
                cwd=folder,
            )
            assert done.returncode == 0, done.stderr
        database = core.Database(url)
        with running.portal(folder, url, demo=False, port=port, **variables) as served:
            city = City(served, found, database)
            city.change(sa.update(rows.Staff).where(rows.Staff.id == city.staff_id("leaver")).values(active=False))
            yield city
        database.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def city(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[City]:
    """The portal with a provider, on each kind of database in turn."""
    url = templates.copy(request.param, False, lambda: request.getfixturevalue("postgres_url"))
    yield from _portal_with(tmp_path_factory.mktemp(f"oidc-{request.param}"), url)


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    return browser_context.new_page()


def sign_in(page: Page, city: City, login: str, password: str = PASSWORD) -> None:
    page.goto(city.served.url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()


def name_in_menu(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stSidebar").get_by_text(name, exact=True)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()


# --- through the provider ---------------------------------------------------------------------------------------------


def test_signing_in_with_pkce_opens_the_desk(page: Page, city: City) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    sign_in(page, city, "rosa")
    expect(name_in_menu(page, "Rosa Delgado")).to_be_visible(timeout=20_000)
    asked = city.provider.asked[-1]
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43  # 256 bits in base64url, RFC 7636 section 4.2
    assert asked["prompt"] == "login"
    assert asked["nonce"]
    assert asked["state"]
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(city.served.url)}
    assert cookies["_streamlit_user"]["httpOnly"]
    assert cookies["_streamlit_user"]["sameSite"] == "Lax"
    assert not errors
    assert len([one for one in city.sign_ins("rosa") if one.ended_at is None]) == 1


def test_after_signing_in_the_page_asked_for_opens(page: Page, city: City) -> None:
    page.goto(f"{city.served.url}/help?word=premise")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Login").fill("rosa")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(name_in_menu(page, "Rosa Delgado")).to_be_visible(timeout=20_000)
    assert page.url == f"{city.served.url}/help?word=premise"


def test_the_provider_turns_a_request_without_pkce_away(city: City) -> None:
    # Otherwise the test above would say nothing: the provider must be one that insists.
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
            return None

    query = urlencode(
        {
            "client_id": "portal",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": city.provider.redirect_uri,
        }
    )
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.build_opener(Stay).open(f"{city.provider.issuer}/auth?{query}")
    where = parse_qs(urlsplit(answer.value.headers["Location"]).query)
    assert where["error"] == ["invalid_request"]
    assert "PKCE" in where["error_description"][0]


def test_a_wrong_password_stays_with_the_provider(page: Page, city: City) -> None:
    sign_in(page, city, "rosa", password="wrong")
    expect(page.get_by_role("heading", name="Wrong login or password")).to_be_visible()


def test_somebody_unknown_learns_what_to_do(page: Page, city: City) -> None:
    sign_in(page, city, "stranger")
    expect(page.get_by_role("heading", name="You are not on the list yet")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("sub-stranger-0000")).to_be_visible()
    expect(page.get_by_text("Ask your administrator")).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
    sign_out(page)
    page.wait_for_url(f"{city.provider.issuer}/session/end*")


def test_somebody_whose_access_ended_learns_it(page: Page, city: City) -> None:
    sign_in(page, city, "leaver")
    expect(page.get_by_role("heading", name="Your access was ended")).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
    assert city.sign_ins("leaver") == []


def test_sign_out_ends_both_tabs_and_a_copied_cookie(page: Page, city: City, chromium: Browser) -> None:
    sign_in(page, city, "marcus")
    expect(name_in_menu(page, "Marcus Webb")).to_be_visible(timeout=20_000)
    other_tab = page.context.new_page()
    other_tab.goto(city.served.url)
    expect(name_in_menu(other_tab, "Marcus Webb")).to_be_visible(timeout=20_000)
    stolen = page.context.storage_state()

    sign_out(page)
    page.wait_for_url(f"{city.provider.issuer}/session/end*")  # the provider's own session ends as well
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=20_000)

    # Nobody touches the other tab.
    expect(other_tab.get_by_text("You signed out.")).to_be_visible(timeout=COVERED_WITHIN_MS)
    expect(name_in_menu(other_tab, "Marcus Webb")).to_have_count(0)

    thief = chromium.new_context(storage_state=stolen)
    stolen_tab = thief.new_page()
    stolen_tab.goto(city.served.url)
    expect(stolen_tab.get_by_text("You signed out.")).to_be_visible(timeout=20_000)
    expect(name_in_menu(stolen_tab, "Marcus Webb")).to_have_count(0)
    thief.close()

    sign_in(page, city, "marcus")
    expect(name_in_menu(page, "Marcus Webb")).to_be_visible(timeout=20_000)


@pytest.mark.parametrize(
    ("why", "column", "ago", "sentence"),
    [
        ("idle", "seen_at", dt.timedelta(minutes=31), "because nobody used the portal"),  # the limit is 30 minutes
        ("absolute", "started_at", dt.timedelta(hours=10, minutes=1), "one working day at most"),  # it is 10 hours
    ],
)
def test_a_sign_in_ends_by_itself(
    page: Page, city: City, why: str, column: str, ago: dt.timedelta, sentence: str
) -> None:
    sign_in(page, city, "rosa")
    expect(name_in_menu(page, "Rosa Delgado")).to_be_visible(timeout=20_000)
    newest = max(city.sign_ins("rosa"), key=lambda one: one.started_at).id
    at = dt.datetime.now(dt.UTC) - ago
    city.change(sa.update(rows.StaffSession).where(rows.StaffSession.id == newest).values({column: at}))
    page.goto(city.served.url)
    expect(page.get_by_text(sentence)).to_be_visible(timeout=20_000)
    expect(name_in_menu(page, "Rosa Delgado")).to_have_count(0)
    assert next(one for one in city.sign_ins("rosa") if one.id == newest).ended_why == why


def test_ended_access_ends_what_is_open(page: Page, city: City) -> None:
    sign_in(page, city, "rosa")
    expect(name_in_menu(page, "Rosa Delgado")).to_be_visible(timeout=20_000)
    staff_id = city.staff_id("rosa")
    city.change(sa.update(rows.Staff).where(rows.Staff.id == staff_id).values(active=False))
    try:
        page.goto(city.served.url)
        expect(page.get_by_role("heading", name="Your access was ended")).to_be_visible(timeout=20_000)
    finally:
        city.change(sa.update(rows.Staff).where(rows.Staff.id == staff_id).values(active=True))


# --- in a demo --------------------------------------------------------------------------------------------------------


def test_demo_choose_a_person_and_go_on_to_the_page_asked_for(page: Page, demo_portal: running.Served) -> None:
    page.goto(f"{demo_portal.url}/help")
    expect(page.get_by_role("heading", name="Who is at the desk?")).to_be_visible()
    first = page.get_by_role("button").first
    name = first.locator("strong").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(name_in_menu(page, name)).to_be_visible(timeout=20_000)
    assert urlsplit(page.url).path == "/help"
    cookie = next(one for one in page.context.cookies() if one["name"].startswith("portal_demo_"))
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"


def test_demo_sign_out_ends_the_other_tab_and_a_copied_cookie(
    page: Page, demo_portal: running.Served, chromium: Browser
) -> None:
    page.goto(demo_portal.url)
    name = page.get_by_role("button").first.locator("strong").inner_text()
    page.get_by_role("button").first.click()
    expect(name_in_menu(page, name)).to_be_visible(timeout=20_000)
    other_tab = page.context.new_page()
    other_tab.goto(demo_portal.url)
    expect(name_in_menu(other_tab, name)).to_be_visible(timeout=20_000)
    stolen = page.context.storage_state()
    sign_out(page)
    expect(page.get_by_text("You signed out.")).to_be_visible(timeout=20_000)
    expect(other_tab.get_by_text("You signed out.")).to_be_visible(timeout=COVERED_WITHIN_MS)
    thief = chromium.new_context(storage_state=stolen)
    stolen_tab = thief.new_page()
    stolen_tab.goto(demo_portal.url)
    expect(stolen_tab.get_by_text("You signed out.")).to_be_visible(timeout=20_000)
    thief.close()
    page.get_by_role("link", name="Choose who is at the desk").click()
    expect(page.get_by_role("heading", name="Who is at the desk?")).to_be_visible()


def test_demo_the_next_person_ends_the_one_before(page: Page, demo_portal: running.Served, chromium: Browser) -> None:
    page.goto(demo_portal.url)
    page.get_by_role("button").first.click()
    expect(page.get_by_test_id("stSidebar")).to_be_visible(timeout=20_000)
    before = page.context.storage_state()
    page.goto(f"{demo_portal.url}/sign-in")
    second = page.get_by_role("button").nth(1)
    name = second.locator("strong").inner_text()
    second.click()
    expect(name_in_menu(page, name)).to_be_visible(timeout=20_000)
    kept_aside = chromium.new_context(storage_state=before)
    old_page = kept_aside.new_page()
    old_page.goto(demo_portal.url)
    expect(old_page.get_by_text("You signed out.")).to_be_visible(timeout=20_000)
    kept_aside.close()


@pytest.mark.parametrize(
    ("form", "headers", "code"),
    [
        ({"staff": "1"}, {"Origin": "https://evil.example"}, 403),
        ({"staff": "1"}, {"Origin": "null"}, 403),
        ({"staff": "999999"}, {}, 409),
        ({"staff": "1 OR 1=1"}, {}, 409),
        ({"staff": "9" * 40}, {}, 409),
        ({"staff": "²"}, {}, 409),
        ({}, {}, 409),
        ({"staff": "1", "next": "x" * 10_000}, {}, 413),
    ],
)
def test_demo_bad_forms_sign_nobody_in(
    browser_context: BrowserContext,
    demo_portal: running.Served,
    form: dict[str, str],
    headers: dict[str, str],
    code: int,
) -> None:
    answer = browser_context.request.post(
        f"{demo_portal.url}/sign-in", form=dict(form), headers=headers, max_redirects=0
    )
    assert answer.status == code
    assert browser_context.cookies() == []


@pytest.mark.parametrize(
    "onward", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_demo_the_way_on_stays_inside(
    browser_context: BrowserContext, demo_portal: running.Served, onward: str
) -> None:
    answer = browser_context.request.post(
        f"{demo_portal.url}/sign-in", form={"staff": "1", "next": onward}, max_redirects=0
    )
    assert answer.status == 303
    assert answer.headers["location"] == "/"
