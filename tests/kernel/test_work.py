"""One transaction: all or nothing, in turn, without a lost update, on both databases."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db import core, events
from db.accounts import Account
from db.core import Cents, Scaled, UtcTime

if TYPE_CHECKING:
    from tests.city import City

THREADS = 32
HOT_ACCOUNTS = 200
ROUNDS = 25


def _move(account_ids: list[int], seed: int) -> tuple[int, list[str]]:
    """Money between random pairs of accounts, read then written, with an event each; returns moves done and errors met."""
    chance = random.Random(seed)  # which account, not a secret
    done, errors = 0, []
    for _ in range(ROUNDS):
        first, second = sorted(chance.sample(account_ids, 2))
        try:
            with core.work() as work:
                left, right = core.lock(work.session, Account, first), core.lock(work.session, Account, second)
                assert left is not None
                assert right is not None
                amount = chance.randint(1, 500)
                left.balance_cents -= amount
                right.balance_cents += amount
                work.event(
                    "test.moved", subject_kind="account", subject_id=first, account_id=first, detail={"cents": amount}
                )
            done += 1
        except Exception as error:  # the test counts every kind
            errors.append(f"{type(error).__name__}: {error}")
    return done, errors


def test_32_threads_on_200_hot_accounts_lose_nothing_and_meet_no_lock_error(city: City) -> None:
    with core.work() as work:
        person = city.person["marcus"]
        today = work.now.date()
        work.session.add_all(
            Account(
                number=f"HOT-{position}", person_id=person, kind="residential", opened_on=today, balance_cents=10_000
            )
            for position in range(HOT_ACCOUNTS)
        )
    with core.read() as session:
        ids = list(session.scalars(sa.select(Account.id).where(Account.number.like("HOT-%"))))
    barrier = threading.Barrier(THREADS)

    def run(seed: int) -> tuple[int, list[str]]:
        barrier.wait()
        return _move(ids, seed)

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(run, range(THREADS)))
    assert [error for _, errors in results for error in errors] == []
    with core.read() as session:
        total = session.scalar(sa.select(sa.func.sum(Account.balance_cents)).where(Account.number.like("HOT-%")))
        noted = session.execute(sa.select(events.Event.detail).where(events.Event.name == "test.moved")).all()
        assert total == HOT_ACCOUNTS * 10_000
        assert len(noted) == THREADS * ROUNDS == sum(done for done, _ in results)
        assert list(events.verify_chains(session, core.database().audit_key)) == []


def test_a_failed_transaction_leaves_no_row_no_event_and_no_message(db: core.Database) -> None:
    def fail() -> None:
        with core.work() as work:
            work.event("test.happened", subject_kind="test", subject_id=1)
            work.message("email", template="welcome", subject_kind="test", subject_id=1)
            core.next_sequence(work.session, "T", 2026)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail()
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(events.OutboxMessage)) == 0
        assert (
            session.scalar(
                sa.select(sa.func.count()).select_from(events.Event).where(events.Event.name == "test.happened")
            )
            == 0
        )
    with core.work() as work:
        assert core.next_sequence(work.session, "T", 2026) == 1


def test_inner_work_joins_the_outer_transaction(db: core.Database) -> None:
    def outer_fails() -> None:
        with core.work() as outer:
            with core.work() as inner:
                assert inner is outer
                inner.event("test.inner", subject_kind="test", subject_id=1)
            raise RuntimeError("after the inner one")

    with pytest.raises(RuntimeError):
        outer_fails()
    with core.read() as session:
        assert (
            session.scalar(
                sa.select(sa.func.count()).select_from(events.Event).where(events.Event.name == "test.inner")
            )
            == 0
        )


def test_a_number_is_given_once_under_contention(db: core.Database) -> None:
    def take(_: int) -> int:
        with core.work() as work:
            return core.next_sequence(work.session, "SR", 2026)

    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(take, range(200)))
    assert sorted(given) == list(range(1, 201))


def test_reading_cannot_write_on_postgresql_and_sees_one_moment(db: core.Database) -> None:
    with core.work() as work:
        core.next_sequence(work.session, "A", 0)
    with core.read() as session:
        before = session.scalar(sa.select(core.NumberSequence.last))
        with core.work() as work:
            core.next_sequence(work.session, "A", 0)
        assert session.scalar(sa.select(core.NumberSequence.last)) == before


def test_waiting_writers_are_served_in_the_order_they_came() -> None:
    lock = core.TicketLock()
    served: list[int] = []
    lock.acquire()
    threads = []
    for position in range(8):
        thread = threading.Thread(target=lambda turn=position: (lock.acquire(), served.append(turn), lock.release()))
        thread.start()
        while len(lock._queue) <= position:
            pass  # until this one stands in the line
        threads.append(thread)
    lock.release()
    for thread in threads:
        thread.join()
    assert served == list(range(8))


@pytest.mark.parametrize(
    ("column_type", "wrong"),
    [(Cents(), 1.5), (Scaled(2), 0.1), (UtcTime(), "2026-11-24")],
    ids=["money as a float", "a quantity as a float", "an instant as text"],
)
def test_a_column_refuses_what_would_lose_its_meaning(column_type: sa.types.TypeDecorator, wrong: object) -> None:
    from sqlalchemy.dialects import sqlite

    with pytest.raises((TypeError, ValueError, AttributeError)):
        column_type.process_bind_param(wrong, sqlite.dialect())


@pytest.mark.parametrize("table", core.APPEND_ONLY)
def test_append_only_tables_refuse_change_and_removal(db: core.Database, table: str) -> None:
    column = next(iter(core.Base.metadata.tables[table].columns)).name
    statements = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
    if db.is_sqlite:  # SQLite's triggers fire per row: there must be one
        with db.write_engine.connect() as connection:
            made = connection.exec_driver_sql(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
            ).scalar()
        assert made == 2
        return
    for statement in statements:
        with pytest.raises(DBAPIError, match="append-only"), core.work() as work:
            work.session.execute(sa.text(statement))
