"""Loading very many rows at once, the same on both databases: COPY on PostgreSQL, short transactions on SQLite.

Rows are tuples of values as they are stored: civil dates and instants as ISO text (`day_text`, `db.core.utc_text`), money
and scaled quantities as whole numbers, truth as 0 or 1, JSON as text. What a type decorator would do per value is done once
by whoever makes the rows; the same tuples give the same rows on both databases.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from db.core import APPEND_ONLY, Base, append_only_statements, batched

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from db.core import Database

    Model = type[Base]

LONGEST_SECONDS = 0.2
"""How long one transaction of a load may keep other writers of an embedded database waiting."""
_PAUSE_SECONDS = 0.01
_FIRST_BATCH = 1_000
_LARGEST_BATCH = 100_000


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
# One encoder for all: json.dumps would make a new one for every value of a load.


def json_text(value: object) -> str:
    """JSON as it is stored: no spaces, real letters."""
    return _encode(value)


def load(db: Database, model: Model, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
    """Appends rows to a table and returns how many; `columns` are attribute names in the order of the tuples.

    On SQLite it commits at least every 0.2 s and lets others write in between, so a running server stays usable; on
    PostgreSQL it is one COPY. An error leaves what was committed before it.
    """
    table = _table(model)
    attributes = sa.inspect(model).columns
    names = [attributes[name].name for name in columns]
    defaults = _defaults(table, names)
    if defaults:
        names += list(defaults)
        more = tuple(defaults.values())
        rows = (row + more for row in rows)
    if db.is_sqlite:
        return _load_sqlite(db, table, names, rows)
    return _load_postgresql(db, table, names, rows)


def _defaults(table: sa.Table, names: Sequence[str]) -> dict[str, Any]:
    """What the columns that are not given start with, as stored: the fixed defaults of the tables."""
    found: dict[str, Any] = {}
    for column in table.columns:
        if column.name not in names and isinstance(column.default, ScalarElementColumnDefault):
            value = column.default.arg
            found[column.name] = int(value) if isinstance(value, bool) else value
    return found


def _load_sqlite(db: Database, table: sa.Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
    # Written out: SQLAlchemy's own INSERT names the columns in the table's order, not in that of the tuples.
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.name} ({_quoted(names)}) VALUES ({marks})"  # noqa: S608 - names of our own tables
    count, size = 0, _FIRST_BATCH
    iterator = iter(rows)
    while True:
        batch = next(batched(iterator, size), None)
        if batch is None:
            return count
        began = time.perf_counter()
        with db.writing() as session:
            session.connection().exec_driver_sql(statement, batch)
        took = time.perf_counter() - began
        count += len(batch)
        # Towards three quarters of the longest time, and never more than double: a batch may be slower than the last.
        size = max(100, min(_LARGEST_BATCH, 2 * size, int(len(batch) * 0.75 * LONGEST_SECONDS / max(took, 1e-4))))
        if took > LONGEST_SECONDS / 4:
            time.sleep(_PAUSE_SECONDS)


def _load_postgresql(db: Database, table: sa.Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    with db.writing() as session:
        connection = session.connection().connection.driver_connection
        assert connection is not None
        with connection.cursor().copy(f"COPY {table.name} ({_quoted(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
    return count


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _table(model: Model) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table


# --- before and after a large load --------------------------------------------------------------------------------------


@contextlib.contextmanager
def without_indexes(db: Database, models: Sequence[Model]) -> Generator[None]:
    """Takes the plain indexes of some tables away and makes them again at the end: a million rows load several times faster.

    For a database nobody else uses yet: meanwhile every query by these indexes is slow. Unique ones stay. If the process
    dies in between, `restore_indexes` brings back what is missing.
    """
    with db.write_engine.begin() as connection:
        for model in models:
            for index in _plain_indexes(model):
                index.drop(connection, checkfirst=True)
    try:
        yield
    finally:
        restore_indexes(db, models)


def restore_indexes(db: Database, models: Sequence[Model]) -> None:
    """Makes every plain index of these tables that is missing, one transaction each."""
    for model in models:
        for index in _plain_indexes(model):
            with db.write_engine.begin() as connection:
                index.create(connection, checkfirst=True)


def _plain_indexes(model: Model) -> list[sa.Index]:
    return sorted((index for index in _table(model).indexes if not index.unique), key=lambda index: index.name or "")


def set_sequences(db: Database, models: Sequence[Model]) -> None:
    """After rows came with their own ids: the next row gets the next number (SQLite does this by itself)."""
    if db.is_sqlite:
        return
    with db.writing() as session:
        for model in models:
            table = _table(model)
            if "id" in table.columns:
                highest = session.scalar(sa.select(sa.func.max(table.c.id)))
                if highest is not None:
                    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
                    session.execute(sa.select(sa.func.setval(sequence, highest)))


def highest_id(db: Database, model: Model) -> int:
    """The highest row id of a table, 0 when it is empty."""
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.coalesce(sa.func.max(_table(model).c.id), 0))) or 0


def has_rows(db: Database, model: Model) -> bool:
    with db.reading() as session:
        return session.scalar(sa.select(sa.literal(1)).select_from(_table(model)).limit(1)) is not None


def empty(db: Database, models: Sequence[Model], keep: Mapping[str, sa.ColumnElement[bool]] | None = None) -> None:
    """Removes the rows of these tables, of append-only ones too (their triggers are lifted inside the transaction); of a
    table named in `keep`, all but the rows of that condition. Tables come in the order of making: the last is emptied first.

    Only for a demo city whose making was interrupted: `portal.demo_city` asks for it and for nothing else.
    """
    dialect = db.write_engine.dialect.name
    with db.writing() as session:
        connection = session.connection()
        if db.is_sqlite:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for model in reversed(models):
            table = _table(model)
            guards = append_only_statements(table.name, dialect) if table.name in APPEND_ONLY else []
            if guards and db.is_sqlite:
                for guard in guards:
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {guard.split()[2]}")
            elif guards:
                connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
            gone = sa.delete(table)
            if keep and table.name in keep:
                gone = gone.where(sa.not_(keep[table.name]))
            connection.execute(gone)
            if guards and db.is_sqlite:
                for guard in guards:
                    connection.exec_driver_sql(guard)
            elif guards:
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")


def analyze(db: Database) -> None:
    """Lets the planner count the rows anew; on SQLite from samples, which is enough and takes seconds."""
    with db.write_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if db.is_sqlite:
            connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        connection.exec_driver_sql("ANALYZE")
