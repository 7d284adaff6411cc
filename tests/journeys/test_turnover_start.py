"""A newcomer takes over an apartment where somebody else is still active: 77 Palmetto Ct, Unit 4, on each kind of database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page, WebSocket

    from tests.conftest import Templates
    from tests.journeys.walking import Desk

pytestmark = pytest.mark.browser

KINDS = ("electric", "water", "sewer", "refuse", "recycling")  # of the premise in city.toml
OTHER_PARTY = ("Marcella", "Ellis", "100-8810", "555-0177")  # the customer who is still active there, in arrears


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp(f"turnover-{request.param}")
    with walking.open_desk(request.param, templates, folder, lambda: request.getfixturevalue("postgres_url")) as opened:
        yield opened


def wire(page: Page) -> list[bytes]:
    """Everything the server sends to the page from now on, drawn or not."""
    sent: list[bytes] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: sent.append(frame if isinstance(frame, bytes) else frame.encode()))

    page.on("websocket", listen)
    return sent


def test_a_turnover_start_is_taken_once_and_names_nobody(desk: Desk, browser_context: BrowserContext) -> None:
    page = walking.sit_down(browser_context, desk, walking.LUIS)
    sent = wire(page)
    walking.go(page, desk, "call_desk")
    walking.take_call(page)

    # Nobody here knows the caller: the way on leads to the form.
    walking.find(page, "Nora Quint")
    expect(page.get_by_text("Nothing fits “Nora Quint”")).to_be_visible()
    page.get_by_role("button", name="Start service").click()
    page.get_by_label("Where does service start?").fill("77 palmeto 4")
    page.get_by_role("button", name="77 Palmetto Ct, Unit 4").click()
    page.get_by_label("Name on the bill").wait_for()
    walking.settle(page)

    expect(page.get_by_text("Someone else is still active here")).to_be_visible()
    # base/deposit: electric 175 + water 50 + sewer 50; base/fee: a connection of $28 each for electric and water
    said = walking.main_text(page)
    assert "$275.00" in said
    assert "deposit of $275.00 and fees of $56.00" in said
    # What the other party owes blocks nobody: F.S. 180.135. city.toml: $96.10 of it is past due.
    assert "blocks no new customer (F.S. 180.135)" in said

    page.get_by_label("Name on the bill").fill("Nora Quint")
    page.get_by_label("Mobile").fill("850 555 0199")
    page.get_by_text("Signed lease").click()
    walking.settle(page)

    # Reconnect in the middle: what was typed is there again, at the same address.
    before = page.url
    walking.reconnect(page)
    assert page.url == before
    expect(page.get_by_label("Name on the bill")).to_have_value("Nora Quint")
    expect(page.get_by_label("Mobile")).to_have_value("850 555 0199")
    expect(page.get_by_role("radio", name="Signed lease")).to_be_checked()
    assert desk.count("move") == 0

    walking.double_click(page.get_by_role("button", name="Start 5 services"))
    expect(page.get_by_role("heading", name="Start of 5 services is booked")).to_be_visible()
    walking.settle(page)
    receipt = walking.main_text(page)
    assert "one reading ends the earlier bill and starts yours" in receipt
    number = re.search(r"MV-26-\d+", receipt)
    assert number is not None

    walking.reconnect(page)
    expect(page.get_by_role("heading", name="Start of 5 services is booked")).to_be_visible()
    assert number[0] in walking.main_text(page)

    check_rows(desk, number[0], walking.main_text(page))

    # The other party reached neither the screen nor the wire, from the first page to the receipt.
    shown, carried = page.content(), b"".join(sent)
    assert b"77 Palmetto Ct" in carried  # what is sent can be read here
    for word in OTHER_PARTY:
        assert word not in shown
        assert word.encode() not in carried


def check_rows(desk: Desk, number: str, receipt: str) -> None:
    """One start and the stop it brings, agreements that wait for the read, the orders of the receipt, the notice."""
    [(start, account, state, evidence, hold)] = desk.rows(
        "SELECT id, account_id, state_code, evidence_code, hold_reason FROM move WHERE number = :number", number=number
    )
    assert (state, evidence, hold) == ("pending", "lease", "")
    assert desk.rows("SELECT kind, premise_id, other_move_id FROM move ORDER BY id") == [
        ("start", walking.PALMETTO4, None),
        ("stop", walking.PALMETTO4, start),
    ]
    [(name, phone)] = desk.rows(
        "SELECT person.name, person.phone FROM account JOIN person ON person.id = account.person_id WHERE account.id = :id",
        id=account,
    )
    assert (name, phone) == ("Nora Quint", "8505550199")
    at_the_place = desk.rows(
        "SELECT agreement.account_id, agreement.service_kind, agreement.state_code FROM service_agreement agreement "
        "JOIN service_point point ON point.id = agreement.service_point_id WHERE point.premise_id = :premise",
        premise=walking.PALMETTO4,
    )
    assert {(kind, code) for owner, kind, code in at_the_place if owner == account} == {
        (kind, "pending_start") for kind in KINDS
    }
    # Never two active: whoever was there waits to be stopped by the same read.
    assert {(kind, code) for owner, kind, code in at_the_place if owner != account} == {
        (kind, "pending_stop") for kind in KINDS
    }
    orders = desk.rows("SELECT number, account_id, order_code FROM work_order")
    assert orders
    for order, owner, _ in orders:
        assert owner == account
        assert order in receipt
    # Cart left for the next customer: base/waste_code, 96-gallon garbage and recycling carts
    assert {"RG96-LFT", "RR96-LFT"} <= {code for _, _, code in orders}
    # The other party hears of it: by letter, since that is how the bills of account 100-8810-9 go out.
    assert desk.rows(
        "SELECT person.name, message.subject_kind FROM outbox_message message "
        "JOIN person ON person.id = message.recipient_id WHERE message.template = 'turnover_notice'"
    ) == [("Marcella Ellis", "move")]
    assert desk.count("submission", "command = 'moves.start_service'") == 1
    # One event of the start, linked to the call it came in on.
    assert desk.rows(
        "SELECT count(*) FROM event WHERE subject_kind = 'move' AND subject_id = :id AND conversation_id IS NOT NULL",
        id=start,
    ) == [(1,)]
