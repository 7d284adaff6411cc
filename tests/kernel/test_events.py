"""The audit chain: whoever changes, inserts or removes an event is found, at the end of a chain too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from db import core, events

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def chain(db: core.Database) -> core.Database:
    """Ten events on account 5 (one shard) and three of the room `staff`, the guards of the table taken away."""
    for position in range(10):
        with core.work() as work:
            work.event(
                "test.happened",
                subject_kind="test",
                subject_id=position,
                account_id=5,
                detail={"position": position, "words": "é ü 漢"},
            )
    for position in range(3):
        with core.work() as work:
            work.event("staff.tested", subject_kind="staff", subject_id=position)
    with db.write_engine.begin() as connection:
        for table in ("event", "event_seal"):
            if db.is_sqlite:
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_update")
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
            else:
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_change ON {table}")
    assert faults(db) == []
    return db


def faults(db: core.Database) -> list[events.ChainFault]:
    with core.read() as session:
        return list(events.verify_chains(session, db.audit_key))


def run(db: core.Database, statement: str) -> None:
    with db.write_engine.begin() as connection:
        connection.exec_driver_sql(statement)


SHARD = "account-05"
TAMPERING: dict[str, tuple[Callable[[core.Database], None], str]] = {
    "a changed row": (
        lambda db: run(db, f"UPDATE event SET subject_id = 99 WHERE shard = '{SHARD}' AND seq = 4"),
        "changed",
    ),
    "a changed time": (
        lambda db: run(db, f"UPDATE event SET at = '2020-01-01T00:00:00.000000Z' WHERE shard = '{SHARD}' AND seq = 2"),
        "changed",
    ),
    "a removed row": (lambda db: run(db, f"DELETE FROM event WHERE shard = '{SHARD}' AND seq = 4"), "removed"),
    "two removed rows": (
        lambda db: run(db, f"DELETE FROM event WHERE shard = '{SHARD}' AND seq IN (4, 5)"),
        "events 4 to 5 are missing",
    ),
    "the first row removed": (lambda db: run(db, f"DELETE FROM event WHERE shard = '{SHARD}' AND seq = 1"), "removed"),
    "the last row removed": (
        lambda db: run(db, f"DELETE FROM event WHERE shard = '{SHARD}' AND seq = 10"),
        "last were removed",
    ),
    "a whole chain removed": (lambda db: run(db, f"DELETE FROM event WHERE shard = '{SHARD}'"), "last were removed"),
    "a head removed": (lambda db: run(db, f"DELETE FROM event_head WHERE shard = '{SHARD}'"), "no head"),
    "a head set back": (
        lambda db: run(db, f"UPDATE event_head SET count = 9 WHERE shard = '{SHARD}'"),
        "without the key",
    ),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_found(chain: core.Database, name: str) -> None:
    tamper, words = TAMPERING[name]
    tamper(chain)
    found = faults(chain)
    assert found, name
    assert any(words in fault.what for fault in found), found
    assert {fault.shard for fault in found} == {SHARD}


def test_an_inserted_row_is_found(chain: core.Database) -> None:
    with chain.write_engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO event (shard, seq, at, name, subject_kind, subject_id, account_id, detail, prev_hash, hash) "
            f"SELECT shard, 11, at, name, subject_kind, 77, account_id, detail, hash, hash FROM event WHERE shard = '{SHARD}' AND seq = 10"
        )
    found = faults(chain)
    assert any("inserted" in fault.what for fault in found), found


def test_a_chain_set_back_with_its_head_is_found_by_the_seal(chain: core.Database) -> None:
    """Somebody with a copy of an older head row can restore both; the seal over all heads remembers."""
    with core.read() as session:
        older = session.execute(
            sa.select(events.EventHead.count, events.EventHead.hash, events.EventHead.mac).where(
                events.EventHead.shard == SHARD
            )
        ).one()
    with core.work() as work:
        work.event("test.happened", subject_kind="test", subject_id=10, account_id=5)
    with core.work() as work:
        events.seal_heads(work)
    assert faults(chain) == []
    run(chain, f"DELETE FROM event WHERE shard = '{SHARD}' AND seq = 11")
    run(
        chain,
        f"UPDATE event_head SET count = {older.count}, hash = '{older.hash}', mac = '{older.mac}' WHERE shard = '{SHARD}'",
    )
    assert [fault.what for fault in faults(chain) if "set back" in fault.what]


def test_another_key_fits_nothing(chain: core.Database) -> None:
    with core.read() as session:
        assert list(events.verify_chains(session, b"another key"))


def test_a_seal_is_written_only_when_something_happened(chain: core.Database) -> None:
    for _ in range(3):
        with core.work() as work:
            events.seal_heads(work)
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(events.EventSeal)) == 1
