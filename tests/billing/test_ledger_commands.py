"""Posting, taking back, bills and payments, on both databases. Amounts are worked out by hand beside each test."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from db import accounts, core
from db.billing import ledger as rows
from portal.billing import commands
from tests.city import TODAY

if TYPE_CHECKING:
    from tests.city import City

MARCUS = "marcus"
LINES = [
    ["electric", "energy", "900", "0.1", 9_000],
    ["electric", "utility_tax", "", "", 900],
    ["water", "base", "", "", 2_100],
]


def account_of(account_id: int) -> accounts.Account:
    with core.read() as session:
        row = session.get(accounts.Account, account_id)
        assert row is not None
        return row


def issue(account_id: int, due_on: dt.date, lines: list[list[Any]] | None = None) -> tuple[int, int]:
    with core.work() as work:
        return commands.issue_bill(
            work, account_id=account_id, from_on=due_on - dt.timedelta(50), to_on=due_on - dt.timedelta(22),
            billed_on=due_on - dt.timedelta(20), due_on=due_on, lines=lines or LINES,
        )  # fmt: skip


def test_a_bill_moves_its_lines_by_service_and_tax(city: City) -> None:
    account_id = city.account[MARCUS]
    before = account_of(account_id)
    bill_id, entry_id = issue(account_id, TODAY + dt.timedelta(20))
    after = account_of(account_id)
    assert after.balance_cents - before.balance_cents == 9_000 + 900 + 2_100
    with core.read() as session:
        found = [tuple(each) for each in rows.postings(session, [entry_id])]
        assert found == [
            (entry_id, 1, "receivable", "revenue.electric", "electric", 9_000),
            (entry_id, 2, "receivable", "tax.utility", "electric", 900),
            (entry_id, 3, "receivable", "revenue.water", "water", 2_100),
        ]
        assert rows.entry_row(session, entry_id).bill_id == bill_id
