"""Every page of the house for everybody: WCAG 2.1 A and AA by axe-core, light, dark and on a phone; nothing wider than the
phone, no error in the console, no request that leaves the portal."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from db import core
from portal.billing import commands as billing
from portal.billing.rules.adjustment import AdjustmentForm
from portal.contacts import commands as contacts
from portal.contacts.rules import CallBackPlan
from portal.desk.app import PAGES
from portal.service_requests import commands as service_requests
from portal.service_requests.rules.form import KnownEventForm, RequestForm, WorkOrderForm
from portal.staff import views as staff
from tests import tools
from tests.conftest import TEST_KEY
from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.conftest import Templates
    from tests.journeys.walking import Desk

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

UPSTREAM: dict[tuple[str, str], str] = {
    (
        "list",
        "stSidebarNav",
    ): "Streamlit 1.67 puts the menu's sections into its list as plain boxes; the links in them read and work.",
    ("listitem", "stSidebarNav"): "The same sections: each menu entry is a list item inside such a box.",
    (
        "svg-img-alt",
        "stMetric",
    ): "The bars under a figure carry an empty, unnamed mark of Vega; the sentence and the table below stand in.",
}
"""(rule, test id of Streamlit's own element around it) -> why it is upstream, and what the reader has instead."""

OWN_PROBES = re.compile(r"/[a-z_]+/_stcore/(health|host-config)$")
"""Opened at the address of a page, Streamlit first looks for its server below that address, gets a 404, and asks at the root."""

OPENED = {
    "customer": "customer?account=1",
    "start_service": "start_service?premise=3",
    "stop_service": "stop_service?account=1",
    "transfer_service": "transfer_service?account=3&premise=6",
    "service_request": "service_request?account=1&type=missed_garbage",
    "case": "case?id=1",
    "work_order": "work_order?id=1",
    "merge_persons": "merge_persons?kept=1",
    "emergency": "emergency?kind=gas_odor",
    "adjust_bill": "adjust_bill?account=1",
    "account_ledger": "account_ledger?account=1",
    "request_type": "request_type?code=missed_garbage&part=questions",
}
"""Pages that show something only with an address; the others are opened by their name."""
MORE = (
    "customer?account=1&do=edit",
    "customer?account=1&do=authorise",
    "customer?account=1&do=flag",
    "customer?account=1&do=bills",
    *(f"request_type?code=missed_garbage&part={part}" for part in ("routes", "due", "endings", "words", "versions")),
)
WHO = {
    "staff.read": walking.ADA,
    "reference.edit": walking.ADA,
    "opinion.read": walking.INGRID,
    "report.read": walking.INGRID,
    "customer.merge": walking.SAM,
    "adjustment.read": walking.SAM,
    "delivery.read": walking.SAM,
}
"""Who opens the pages that a representative may not."""
BY = {spec.name: WHO.get(spec.permission, walking.LUIS) for spec in PAGES}
ADDRESSES = [*(OPENED.get(spec.name, spec.name) for spec in PAGES), *MORE]


@pytest.fixture(scope="module")
def desk(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A portal where each page has something to show."""
    with walking.open_desk("sqlite", templates, tmp_path_factory.mktemp("axe"), lambda: "") as opened:
        furnish(opened)
        yield opened


def furnish(desk: Desk) -> None:
    """An open request with a work order, a known event, a call-back, a credit that waits, and a call in progress."""
    core.connect(desk.served.environment["PORTAL_DATABASE_URL"], audit_key=TEST_KEY)
    core.live_as_of(dt.date(2026, 11, 24))
    try:
        luis, sam = staff.actor_for_staff(walking.LUIS), staff.actor_for_staff(walking.SAM)
        assert luis is not None
        assert sam is not None
        answers = {"out_in_time": "yes", "carts": "1", "neighbors": "yes"}
        form = RequestForm(
            "missed_garbage", answers, premise_id=1, account_id=1, person_id=1, description="Skipped, twice"
        )
        opened = service_requests.open_request(luis, form)
        order = WorkOrderForm("Collect on the way back", "collections", request_id=opened.subject_id)
        service_requests.write_work_order(sam, order)
        service_requests.start_known_event(
            sam, KnownEventForm("main_break", "Main break on Oakhaven Dr", "Crews are on site.", ("north",))
        )
        billing.adjust_bill(
            luis,
            AdjustmentForm(1, "leak_credit", "leak_repaired", 2, "water", amount="29.52", note="Plumber’s bill seen"),
        )
        call = contacts.begin_conversation(luis, "phone")
        contacts.link_customer(luis, call.subject_id, account_id=1)
        in_an_hour = core.now() + dt.timedelta(hours=1)
        contacts.plan_call_back(
            luis, CallBackPlan("8505550142", "Tell him when the crew comes", in_an_hour, person_id=1)
        )
    finally:
        core.live_as_of(None)
        core.use(None)


class Watched:
    """A page of one person with one look, and what it said and asked for meanwhile."""

    def __init__(self, chromium: Browser, desk: Desk, staff_id: int, look: str) -> None:
        self.context = chromium.new_context(
            viewport={"width": 1440, "height": 900}, locale="en-US", color_scheme="dark" if look == "dark" else "light"
        )
        self.page = walking.sit_down(self.context, desk, staff_id)
        self.errors: list[str] = []
        self.abroad: list[str] = []
        home = desk.served.url
        own = (home, home.replace("http", "ws", 1), "data:", "blob:")
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda one: None if one.url.startswith(own) else self.abroad.append(one.url))

    def _said(self, message: Any) -> None:
        if message.type == "error" and not OWN_PROBES.search(message.location.get("url", "")):
            self.errors.append(f"{message.text} {message.location.get('url', '')}")


@pytest.fixture(scope="module")
def watched(desk: Desk, chromium: Browser) -> Iterator[Any]:
    """`watched(staff_id, look)`: one browser profile for each person and look, kept for the file."""
    kept: dict[tuple[int, str], Watched] = {}

    def get(staff_id: int, look: str) -> Watched:
        if (staff_id, look) not in kept:
            kept[staff_id, look] = Watched(chromium, desk, staff_id, look)
        return kept[staff_id, look]

    yield get
    for each in kept.values():
        each.context.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds, without what is upstream; its source is evaluated, which the content policy does not touch."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate((tools.node_part("axe-core") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate(
        """async tags => {
            const result = await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']});
            return result.violations.flatMap(rule => rule.nodes.map(node => {
                const around = [];
                for (let at = document.querySelector(node.target[0]); at; at = at.parentElement)
                    if (at.dataset && at.dataset.testid) around.push(at.dataset.testid);
                return {rule: rule.id, target: node.target.join(' '), html: node.html.slice(0, 300), why: node.failureSummary, around};
            }));
        }""",
        TAGS,
    )
    return [
        json.dumps(one)
        for one in found
        if not any(one["rule"] == rule and box in one["around"] for rule, box in UPSTREAM)
    ]


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_for_everybody(desk: Desk, watched: Any, address: str, look: str) -> None:
    seen: Watched = watched(BY[address.partition("?")[0]], look)
    seen.errors.clear()
    seen.abroad.clear()
    page = seen.page
    page.set_viewport_size({"width": 1440, "height": 900})
    walking.go(page, desk, address)
    assert "not part of your role" not in walking.main_text(page)
    assert "Something went wrong" not in walking.main_text(page)
    assert violations(page) == []
    if look == "light":
        page.set_viewport_size({"width": 390, "height": 844})
        walking.settle(page)
        width = page.evaluate(
            "[document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth]"
        )
        assert max(width) <= 390
        assert violations(page) == []
    assert seen.errors == []
    assert seen.abroad == []


@pytest.mark.parametrize("look", ["light", "dark"])
def test_an_adjustment_with_its_consequences_is_for_everybody(desk: Desk, watched: Any, look: str) -> None:
    """The form filled in: the line's items, the effect, who approves, the letter unfolded."""
    page = watched(walking.LUIS, look).page
    page.set_viewport_size({"width": 1440, "height": 900})
    walking.go(page, desk, "adjust_bill?account=3")
    walking.choose(page, "What for?", "goodwill wait")
    page.get_by_label("Credit, $").fill("60")
    page.keyboard.press("Tab")
    page.get_by_label("Why, for the bill").fill("Waited two weeks for the cart")
    page.keyboard.press("Tab")
    page.get_by_text("Needs approval").wait_for()
    page.get_by_text("The letter").click()
    walking.settle(page)
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    walking.settle(page)
    assert violations(page) == []
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 390


def test_what_opens_on_a_page_is_for_everybody_too(desk: Desk, watched: Any) -> None:
    """A list unfolded, the check of who is speaking, a refusal, and a receipt."""
    seen: Watched = watched(walking.LUIS, "light")
    page = seen.page
    page.set_viewport_size({"width": 1440, "height": 900})
    walking.go(page, desk, "service_request?account=1")
    page.get_by_label("What is it about?").fill("missed")
    page.get_by_role("option").first.wait_for()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="ID 0 of 2").click()
    page.get_by_label("PIN or passphrase").wait_for()
    assert violations(page) == []
    walking.go(page, desk, "emergency?kind=gas_odor")
    page.get_by_label("Where is it?").fill("")
    page.get_by_role("button", name="Stamp and transfer").click()
    page.get_by_role("alert").first.wait_for()
    walking.settle(page)
    assert violations(page) == []
    page.get_by_label("Where is it?").fill("Corner of Ridge Rd")
    page.get_by_role("button", name="Stamp and transfer").click()
    page.get_by_role("heading", name="Stamped").wait_for()
    walking.settle(page)
    assert violations(page) == []
