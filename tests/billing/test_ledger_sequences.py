"""Whatever happens in whatever order, the ledger agrees: a machine of operations, many threads on few accounts, an upgrade."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import accounts, core, schema
from db.billing import ledger as rows
from portal.billing import commands
from portal.billing.rules.ledger import adjustment_moves, payment_moves, standing
from portal.billing.views.ledger import cut_policy, owed_by, prove, trial_balance
from portal.shared.refusal import Refused
from tests import postgres_server
from tests.city import NOW, TODAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.city import City

WHO = ("marcus", "priya", "samuel", "helen")


class Stop(Exception):
    """The power goes."""


def step(account_id: int, what: str, key: str, cents: int, bill: bool) -> None:
    """One operation; each draws its key from few, so that many are replays."""
    day = TODAY - dt.timedelta(days=cents % 40)
    with core.work() as work:
        if what in ("bill", "kill"):
            lines = [["electric", "energy", "", "", cents], ["water", "base", "", "", cents // 3 - 700]]
            commands.issue_bill(
                work, account_id=account_id, from_on=day - dt.timedelta(30), to_on=day, billed_on=day,
                due_on=day + dt.timedelta(20), lines=lines,
            )  # fmt: skip
        if what == "payment":
            commands.take_payment(work, account_id=account_id, amount_cents=cents + 1, method="check", paid_on=day)
        if what == "adjustment":
            newest = rows.sums_of_bills(work.session, account_id)[-1].id if bill else None
            commands.post(
                work, key=f"{account_id}:{key}", kind_code="adjustment", account_id=account_id, business_on=day,
                moves=adjustment_moves([("water", cents - 9_000)], "allowance.goodwill"), bill_id=newest,
            )  # fmt: skip
        if what == "reversal":
            found = rows.entries(work.session, account_id, 6)
            target = found[cents % len(found)]
            commands.reverse(work, target.id, key=f"r:{account_id}:{key}", business_on=TODAY)
        if what == "kill":
            raise Stop


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(WHO),
        st.sampled_from(["bill", "payment", "adjustment", "adjustment", "reversal", "reversal", "kill"]),
        st.sampled_from("abcde"),
        st.integers(0, 20_000),
        st.booleans(),
    ),
    max_size=14,
)


def everything_agrees() -> None:
    assert prove().differences == ()
    lines = trial_balance(TODAY)
    assert sum(line.net_cents for line in lines) == 0
    with core.read() as session:
        policy = cut_policy(session, TODAY)
        held = list(session.scalars(sa.select(accounts.Account)))
        for row in held:
            owed = owed_by(session, row.id, policy)
            assert sum(cents for _, cents in owed.charges) - owed.credits_cents == row.balance_cents
            now = owed.on(TODAY)
            assert (row.past_due_cents, row.past_due_since_on) == now[:2]
            assert now.past_due_cents + now.not_yet_due_cents == max(0, row.balance_cents)
            if row.cutoff_on is not None:
                assert row.past_due_cents >= policy.least_cents
        taken_back = session.execute(
            sa.select(rows.JournalEntry.reverses_id, sa.func.count())
            .where(rows.JournalEntry.reverses_id.is_not(None))
            .group_by(rows.JournalEntry.reverses_id)
            .having(sa.func.count() > 1)
        ).all()
    receivable = next(line.net_cents for line in lines if line.code == "receivable")
    assert receivable == sum(row.balance_cents for row in held)
    assert not taken_back


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPERATIONS)
def test_any_sequence_of_operations_leaves_the_ledger_in_agreement(
    city: City, operations: list[tuple[str, str, str, int, bool]]
) -> None:
    """The database goes on from example to example: what one leaves is where the next begins."""
    for who, what, key, cents, bill in operations:
        with contextlib.suppress(Stop, Refused):
            step(city.account[who], what, key, cents, bill)
    everything_agrees()


def test_many_threads_on_few_accounts_lose_nothing(city: City) -> None:
    """24 threads, 240 postings, each key tried by two of them: every key counts once."""
    ids = list(dict.fromkeys(city.account.values()))[:20]
    with core.read() as session:
        before = {one: session.get_one(accounts.Account, one).balance_cents for one in ids}
    chance = random.Random(7)
    jobs = [(chance.choice(ids), f"hot:{number}", chance.randint(1, 5_000)) for number in range(120)] * 2
    chance.shuffle(jobs)

    def work_one(job: tuple[int, str, int]) -> int:
        account_id, key, cents = job
        with core.work() as work:
            return commands.post(
                work, key=key, kind_code="payment", account_id=account_id, moves=payment_moves(cents, "online"),
                business_on=TODAY,
            )  # fmt: skip

    with ThreadPoolExecutor(24) as pool:
        entries = list(pool.map(work_one, jobs))
    assert len(set(entries)) == 120
    for one in ids:
        paid = sum(cents for account_id, _, cents in set(jobs) if account_id == one)
        with core.read() as session:
            assert session.get_one(accounts.Account, one).balance_cents == before[one] - paid
    everything_agrees()


# --- from the books before the ledger -----------------------------------------------------------------------------------


@pytest.fixture
def before(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[core.Database]:
    """A database to be made by the migrations, step by step."""
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/before.db"
    else:
        url = postgres_server.create_database(request.getfixturevalue("postgres_url"), f"test_{os.getpid()}_before")
    database = core.connect(url, audit_key=b"a key")
    yield database
    database.dispose()
    core.use(None)
    if not database.is_sqlite:
        postgres_server.drop_database(request.getfixturevalue("postgres_url"), str(database.url.database))


def test_what_was_owed_before_comes_in_and_stands_as_it_stood(before: core.Database) -> None:
    """Three accounts of the first schema: $50.00 late of two bills, a credit of $12.00, nothing owed."""
    schema.upgrade(before, "0001")
    with before.write_engine.begin() as connection:
        for statement in FILLED:
            connection.exec_driver_sql(statement)
    with time_machine.travel(NOW):
        schema.upgrade(before)
        assert prove().differences == ()
        with core.read() as session:
            found = session.execute(
                sa.select(rows.JournalEntry.account_id, rows.JournalEntry.receivable_cents).order_by(
                    rows.JournalEntry.account_id
                )
            ).all()
            assert [tuple(each) for each in found] == [(1, 15_000), (2, -1_200)]
            assert sum(line.net_cents for line in trial_balance(TODAY)) == 0
        with core.work() as work:
            for account_id in (1, 2, 3):
                commands.stand_anew(work, account_id)
        with core.read() as session:
            row = session.get_one(accounts.Account, 1)
            bills = [(dt.date(2026, 10, 29), 9_000), (dt.date(2026, 12, 1), 10_000)]
            assert (
                (row.past_due_cents, row.past_due_since_on) == standing(bills, 4_000, TODAY)[:2] == (5_000, bills[0][0])
            )


_ACCOUNT = (
    "INSERT INTO account (id, version, number, person_id, kind, bill_by, mailing_address, bill_cycle, opened_on, "
    "balance_cents, past_due_cents, deposit_cents) VALUES "
    "({0}, 1, '100-000{0}', 1, 'residential', 'letter', '', '04', '2020-01-01', {1}, {2}, 0)"
)
_BILL = (
    "INSERT INTO bill (number, account_id, from_on, to_on, billed_on, due_on, total_cents, lines) VALUES "
    "('BL-{0}', {1}, '2026-09-01', '2026-10-01', '2026-10-08', '{2}', {3}, '[]')"
)
FILLED = (
    (
        "INSERT INTO person (id, version, number, kind, name, given_name, family_name, phone, other_phone, email, "
        "mailing_address, language, household_key, exempt_from_public_records, created_at) VALUES (1, 1, 'P-1', 'person', "
        "'Ann Moss', 'Ann', 'Moss', '', '', '', '', '', '', '0', '2026-01-01T00:00:00.000000Z')"
    ),
    _ACCOUNT.format(1, 15_000, 5_000),
    _ACCOUNT.format(2, -1_200, 0),
    _ACCOUNT.format(3, 0, 0),
    _BILL.format(1, 1, "2026-10-29", 9_000),
    _BILL.format(2, 1, "2026-12-01", 10_000),
    _BILL.format(3, 3, "2026-10-29", 4_000),
)
