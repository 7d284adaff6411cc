"""Loading many rows at once: the same rows as one by one, on both databases, and nobody beside it waits long."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db import accounts, billing, bulk, core, metering, moves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERSON = ("number", "kind", "name", "exempt_from_public_records", "created_at")
AT = "2026-11-24T13:00:00.000000Z"


def people(count: int, first: int = 1) -> Iterator[tuple[Any, ...]]:
    for number in range(first, first + count):
        yield f"P-{number:06d}", "person", f"Name\t{number} \\ “x”", number % 2, AT


def test_rows_come_out_as_they_would_one_by_one(db: core.Database) -> None:
    assert bulk.load(db, accounts.Person, PERSON, people(3)) == 3
    with core.read() as session:
        rows = session.scalars(sa.select(accounts.Person).order_by(accounts.Person.id)).all()
    assert [row.name for row in rows] == ["Name\t1 \\ “x”", "Name\t2 \\ “x”", "Name\t3 \\ “x”"]
    assert [row.exempt_from_public_records for row in rows] == [True, False, True]
    assert rows[0].created_at == dt.datetime(2026, 11, 24, 13, tzinfo=dt.UTC)
    # Columns that are not given start with the default of the table.
    assert (rows[0].version, rows[0].phone) == (1, "")


def test_columns_may_come_in_any_order_and_by_attribute_name(db: core.Database) -> None:
    bulk.load(db, metering.DayTemperature, ("mean_f", "day"), [(615, "2026-11-23"), (-12, "2026-01-02")])
    with core.read() as session:
        found = dict(session.execute(sa.select(metering.DayTemperature.day, metering.DayTemperature.mean_f)).all())
    assert {day.isoformat(): str(mean) for day, mean in found.items()} == {"2026-11-23": "61.5", "2026-01-02": "-1.2"}
    assert sa.inspect(moves.Move).columns["on"].name == "on_date"  # an attribute whose column has another name


def test_the_next_row_gets_the_next_number(db: core.Database) -> None:
    bulk.load(db, accounts.Person, ("id", *PERSON), ((number, *row) for number, row in enumerate(people(5), 40)))
    bulk.set_sequences(db, [accounts.Person])
    with core.work() as work:
        row = work.add(accounts.Person(number="P-9", kind="person", name="Next", created_at=work.now))
    assert row.id == 45


def test_an_error_is_an_error(db: core.Database) -> None:
    with pytest.raises(Exception, match=r"(?i)unique"):
        bulk.load(db, accounts.Person, PERSON, [*people(2), *people(1)])
    with pytest.raises(Exception, match=r"(?i)foreign"):
        bulk.load(
            db, billing.Payment, ("account_id", "paid_on", "amount_cents", "method"), [(99, "2026-11-24", 1, "mail")]
        )


def test_indexes_come_back_even_after_an_error(db: core.Database) -> None:
    def plain() -> set[str | None]:
        return {index["name"] for index in sa.inspect(db.write_engine).get_indexes("premise")}

    before = plain()
    assert before
    with pytest.raises(ZeroDivisionError):
        _break_off(db, plain, before)
    assert plain() == before


def _break_off(db: core.Database, plain: Callable[[], set[str | None]], before: set[str | None]) -> None:
    with bulk.without_indexes(db, [accounts.Premise]):
        assert plain() < before
        raise ZeroDivisionError


def test_only_a_demo_city_is_ever_emptied_and_its_guards_stay(db: core.Database) -> None:
    bulk.load(db, accounts.Person, ("id", *PERSON), ((number, *row) for number, row in enumerate(people(2), 1)))
    account = ("id", "number", "person_id", "kind", "opened_on")
    bulk.load(db, accounts.Account, account, [(1, "1", 1, "residential", "2026-01-01")])
    bulk.load(
        db, billing.Payment, ("account_id", "paid_on", "amount_cents", "method"), [(1, "2026-11-24", 500, "mail")]
    )
    tables = (accounts.Person, accounts.Account, billing.Payment)
    bulk.empty(db, tables, keep={"person": accounts.Person.id == 2})
    assert [bulk.has_rows(db, model) for model in tables] == [True, False, False]
    bulk.load(db, accounts.Account, account, [(1, "1", 2, "residential", "2026-01-01")])
    bulk.load(
        db, billing.Payment, ("account_id", "paid_on", "amount_cents", "method"), [(1, "2026-11-24", 500, "mail")]
    )
    with pytest.raises(DBAPIError, match="append-only"), core.work() as work:
        work.session.execute(sa.delete(billing.Payment))


def test_a_writer_beside_a_load_is_served(db: core.Database) -> None:
    """Others get in between the transactions of a load; nothing of either is lost."""
    waits = []
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            began = time.perf_counter()
            core.use(db)
            with core.work() as work:
                number = len(waits)
                work.add(accounts.Person(number=f"W-{number}", kind="person", name="Writer", created_at=work.now))
            waits.append(time.perf_counter() - began)
            done.wait(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    loaded = bulk.load(db, accounts.Person, PERSON, people(40_000))
    done.set()
    writer.join()
    with core.read() as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(accounts.Person))
    assert count == loaded + len(waits)
    assert len(waits) >= 2
