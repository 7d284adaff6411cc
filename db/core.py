"""One way to reach the database: engines, column types, `work()` = one transaction, `read()` = one consistent look.

Same code on SQLite (one desk) and PostgreSQL (a city). Where the two differ (locking, upsert, triggers), this module hides it.
The write recipe was chosen under measured contention; the defaults of either driver lose updates or raise "database is locked".
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import inspect
import itertools
import re
import sqlite3
import threading
import time
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
    from decimal import Decimal

try:  # the SQLite inside Python 3.11-3.13 can corrupt a WAL file on reset (fixed in 3.51.3); this wheel carries a newer one
    sqlite_driver: Any = importlib.import_module("pysqlite3.dbapi2")
except ImportError:  # no wheel for this machine
    sqlite_driver = sqlite3

WAL_IS_SAFE = sqlite_driver.sqlite_version_info >= (3, 51, 3)
"""Whether write-ahead logging may be used; otherwise the rollback journal (slower, never corrupt)."""

Row = TypeVar("Row")
Item = TypeVar("Item")

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


# --- column types -----------------------------------------------------------------------------------------------------


class Cents(TypeDecorator[int]):
    """Money as integer cents. Refuses floats: a float has already lost the cent."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> int | None:
        if value is not None and type(value) is not int:
            raise TypeError(f"money is integer cents, not {value!r}")
        return value


class UtcTime(TypeDecorator[dt.datetime]):
    """An instant, always aware and in UTC: ISO text ending in Z on SQLite (sorts as time), timestamptz on PostgreSQL."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.String(27))

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"an instant needs a zone, got the naive {value!r}")
        value = value.astimezone(dt.UTC)
        return value if dialect.name == "postgresql" else utc_text(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return dt.datetime.fromisoformat(value)
        return value.astimezone(dt.UTC)


class Scaled(TypeDecorator["Decimal"]):
    """An exact decimal kept as an integer of 10**-places (SQLite would store NUMERIC as a float without a warning)."""

    impl = sa.BigInteger
    cache_ok = True

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places = places

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> int | None:
        from decimal import Decimal

        if value is None:
            return None
        if isinstance(value, float):
            raise TypeError(f"an exact quantity cannot be the float {value!r}")
        scaled = Decimal(value).scaleb(self.places)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.places} places")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:
        from decimal import Decimal

        return None if value is None else Decimal(value).scaleb(-self.places)


Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
"""Structured detail that is never searched by SQL."""

BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Row ids: SQLite only numbers rows by itself when the type is exactly INTEGER."""


def utc_text(instant: dt.datetime) -> str:
    """The one spelling of an instant in SQLite and in hashes: `2026-11-24T14:12:05.000000Z` (fixed width, sorts as time)."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Base(DeclarativeBase):
    """Every table of the house. Rooms reference one another by string foreign keys only."""

    metadata = sa.MetaData(naming_convention=NAMES)


class Id:
    """A surrogate key, numbered by the database."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)


class Versioned:
    """A row that people edit: its version makes a stale write visible instead of silent."""

    version: Mapped[int] = mapped_column(sa.Integer, default=1)


def table_of(model: type[Base]) -> sa.Table:
    """The table behind a row class."""
    table = model.__table__
    assert isinstance(table, sa.Table)  # every row class of the house maps to a table of its own
    return table


APPEND_ONLY: list[str] = []
"""Names of tables that may only grow; the triggers that enforce it are made with the tables and by the migrations."""


def append_only(model: type[Base]) -> None:
    """Makes a table refuse UPDATE and DELETE in both databases, whoever asks."""
    table = table_of(model)
    APPEND_ONLY.append(table.name)
    for statement in append_only_statements(table.name, "sqlite"):
        event.listen(table, "after_create", sa.DDL(statement).execute_if(dialect="sqlite"))
    for statement in append_only_statements(table.name, "postgresql"):
        event.listen(table, "after_create", sa.DDL(statement).execute_if(dialect="postgresql"))


def append_only_statements(table: str, dialect: str) -> list[str]:
    """The trigger statements behind `append_only`, for a dialect; used by the migrations as well."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("update", "delete")
        ]
    return [
        (
            f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        ),
        (
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
        ),
    ]


# --- reference data ---------------------------------------------------------------------------------------------------

KEEP_SECONDS = 60.0
"""How long another process's change of reference data may go unnoticed; one of this process is seen at once."""
KEEP_MOST = 2000

_reference_tables: list[str] = []
_writes_reference: re.Pattern[str] | None = None


def reference_data(model: type[Base]) -> None:
    """Marks a table as reference data: what is read from such tables alone may be kept between transactions (`kept`)."""
    global _writes_reference
    _reference_tables.append(table_of(model).name)
    _writes_reference = re.compile(
        rf"\s*(?:INSERT|UPDATE|DELETE)\b[^(=]*?\b(?:{'|'.join(_reference_tables)})\b", re.IGNORECASE
    )


class Kept:
    """Answers made from reference data alone, until some of it is written or `KEEP_SECONDS` have passed."""

    def __init__(self) -> None:
        self.answers: dict[Hashable, tuple[float, Any]] = {}
        self.generation = 0
        self.written = False
        """Whether a transaction has written reference data since the last time all was forgotten."""

    def forget(self) -> None:
        self.generation += 1
        self.written = False
        self.answers.clear()

    def watch(self, engine: sa.Engine) -> None:
        """Forgets what is kept whenever this engine writes reference data: at the statement, and again at the commit."""

        @event.listens_for(engine, "before_cursor_execute")
        def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if (
                not statement.startswith("SELECT")
                and _writes_reference is not None
                and _writes_reference.match(statement)
            ):
                self.forget()
                self.written = True

        @event.listens_for(engine, "commit")
        def committed(_connection: Any) -> None:
            self.after_commit()

    def after_commit(self) -> None:
        if self.written:
            self.forget()
            self.written = True  # the event comes just before the commit itself: `writing()` calls once more after it


def kept(session: Session, question: Hashable, ask: Callable[[], Item]) -> Item:
    """What `ask` finds in reference data alone, kept between the transactions that read; the answer must not be changed by
    whoever gets it. A transaction that writes asks for itself: it sees what it has written."""
    keep: Kept | None = session.info.get("kept")
    if keep is None:
        return ask()
    found = keep.answers.get(question)
    now = time.monotonic()
    if found is not None and now < found[0]:
        return found[1]
    answer = ask()
    if keep.generation == session.info["generation"]:  # else this session may see the moment before the last change
        if len(keep.answers) >= KEEP_MOST:
            keep.answers.clear()
        keep.answers[question] = (now + KEEP_SECONDS, answer)
    return answer


def once(session: Session, question: Hashable, ask: Callable[[], Item]) -> Item:
    """Asks once in a session that only reads: at one moment there is one answer. One that writes asks each time."""
    if "kept" not in session.info:
        return ask()
    answers: dict[Hashable, Any] = session.info.setdefault("answers", {})
    if question not in answers:
        answers[question] = ask()
    return answers[question]


# --- statements -------------------------------------------------------------------------------------------------------


class Prepared:
    """A SELECT that is put together once: building one anew costs more than the database takes to answer it."""

    def __init__(self, build: Callable[..., sa.Select[*tuple[Any, ...]]]) -> None:
        self._build = build
        self._statement: sa.Select[*tuple[Any, ...]] | None = None

    @property
    def statement(self) -> sa.Select[*tuple[Any, ...]]:
        if self._statement is None:  # not at import: the columns of other rooms may not be there yet
            self._statement = self._build(*(sa.bindparam(name) for name in inspect.signature(self._build).parameters))
        return self._statement

    def __call__(self, session: Session, **values: Any) -> sa.Result[*tuple[Any, ...]]:
        if "kept" in session.info:  # reads only: nothing waits to be flushed
            return session.connection().execute(self.statement, values)
        return session.execute(self.statement, values)

    def rows(self, session: Session, **values: Any) -> sa.ScalarResult[Any]:
        """The answers of a SELECT of whole rows, or of one column."""
        return session.scalars(self.statement, values)


def prepared(build: Callable[..., sa.Select[*tuple[Any, ...]]]) -> Prepared:
    """Makes a function that puts a SELECT together into a `Prepared` one; its parameters are the statement's. One of columns is
    called; one of whole rows is asked for its `rows`.

    @core.prepared
    def _tenure(account_id: Any) -> Any:
        return sa.select(Account.opened_on, Account.closed_on).where(Account.id == account_id)

    _tenure(session, account_id=12).one_or_none()
    """
    return Prepared(build)


def among_few(flag: Any) -> sa.ColumnElement[bool]:
    """“Not closed”, for a query whose other conditions find few rows. Said as a plain comparison, SQLite may take an index of
    `closed` and read all that is open in the city to find the two rows of an account (measured: 6 ms instead of 0.03)."""
    return sa.case((flag, 0), else_=1) == 1


# --- time -------------------------------------------------------------------------------------------------------------

_shift = dt.timedelta(0)


def now() -> dt.datetime:
    """This instant, UTC; shifted when a demo city runs as of another day."""
    return dt.datetime.now(dt.UTC) + _shift


def live_as_of(day: dt.date | None) -> None:
    """Makes `now()` fall on `day` (time of day as it is): a demo city looks the same whenever it is opened."""
    global _shift
    _shift = dt.timedelta(0) if day is None else dt.timedelta(days=(day - dt.datetime.now(dt.UTC).date()).days)


# --- engines ----------------------------------------------------------------------------------------------------------


class TicketLock:
    """A lock served in the order of asking: under contention nobody starves (a plain lock may let one thread win for ever)."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._held = False

    def acquire(self) -> None:
        with self._mutex:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._queue.append(turn)
        turn.acquire()

    def release(self) -> None:
        with self._mutex:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._held = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()


class Database:
    """One database and its two roads: writing (one at a time on SQLite) and reading (a consistent snapshot)."""

    def __init__(self, url: str, *, audit_key: bytes = b"embedded-demo-key", pool_size: int = 10) -> None:
        self.url = sa.make_url(url)
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.audit_key = audit_key
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.kept = Kept()
        self._turn: TicketLock | None = TicketLock() if self.is_sqlite else None
        if self.is_sqlite:
            self.write_engine = self._sqlite_engine("BEGIN IMMEDIATE", 2)
            self.read_engine = self._sqlite_engine("BEGIN", pool_size)
        else:
            self.write_engine = sa.create_engine(
                self.url,
                isolation_level="READ COMMITTED",
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_pre_ping=True,
            )
            self.read_engine = self.write_engine.execution_options(
                postgresql_readonly=True, isolation_level="REPEATABLE READ"
            )
        self.kept.watch(self.write_engine)

    def _sqlite_engine(self, begin: str, pool_size: int) -> sa.Engine:
        engine = sa.create_engine(
            self.url,
            module=sqlite_driver,
            poolclass=sa.QueuePool,
            pool_size=pool_size,
            max_overflow=20,
            connect_args={"timeout": 30, "check_same_thread": False, "isolation_level": None},
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # the driver must not begin transactions on its own
            for pragma in (
                f"journal_mode={'WAL' if WAL_IS_SAFE else 'DELETE'}",
                "synchronous=FULL",
                "busy_timeout=30000",
                "foreign_keys=ON",
                "cache_size=-65536",
                "temp_store=MEMORY",
                "mmap_size=268435456",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def begin_road(connection: sa.Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    @contextlib.contextmanager
    def writing(self) -> Generator[Session]:
        """A session whose transaction may write; commits at the end, rolls back on any error."""
        with self._turn or contextlib.nullcontext():
            with Session(self.write_engine, expire_on_commit=False) as session, session.begin():
                yield session
            if self.kept.written:
                self.kept.forget()

    @contextlib.contextmanager
    def reading(self) -> Generator[Session]:
        """A session that sees one consistent moment and cannot write (autoflush off; PostgreSQL: read only)."""
        info = {"kept": self.kept, "generation": self.kept.generation}
        with Session(self.read_engine, autoflush=False, expire_on_commit=False, info=info) as session:
            yield session

    def create_schema(self) -> None:
        """Makes every table straight from the code: for tests of a room; a real database is made by the migrations."""
        with self.write_engine.begin() as connection:
            for statement in before_tables(self.write_engine.dialect.name):
                connection.exec_driver_sql(statement)
            Base.metadata.create_all(connection)

    def check_health(self) -> dict[str, bool]:
        """Whether the database answers, takes a write (rolled back), and has the schema this program needs."""
        from db import schema

        health = {"reachable": False, "writable": False, "migrations_current": False}
        try:
            with self.read_engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
            health["reachable"] = True
            health["migrations_current"] = schema.current_revision(self) == schema.newest_revision()
            if not health["migrations_current"]:
                return health
            with self._turn or contextlib.nullcontext(), self.write_engine.connect() as connection:
                connection.execute(sa.insert(NumberSequence).values(kind="health", year=-1, last=0))
                connection.rollback()
            health["writable"] = True
        except SQLAlchemyError:
            pass
        return health

    def dispose(self) -> None:
        self.write_engine.dispose()
        if self.is_sqlite:
            self.read_engine.dispose()


def before_tables(dialect: str) -> list[str]:
    """What must exist before the tables do (PostgreSQL's trigram search)."""
    return ["CREATE EXTENSION IF NOT EXISTS pg_trgm"] if dialect == "postgresql" else []


_database: Database | None = None


def connect(url: str, **options: Any) -> Database:
    """Makes `url` the database of this process and returns it; an earlier one is let go."""
    global _database
    if _database is not None:
        _database.dispose()
    _database = Database(url, **options)
    return _database


def use(database: Database | None) -> None:
    """Makes an existing `Database` the one of this process (tests switch between two)."""
    global _database
    _database = database


def database() -> Database:
    if _database is None:
        raise RuntimeError("no database is connected: call db.core.connect(url) first")
    return _database


# --- one transaction --------------------------------------------------------------------------------------------------


class Work:
    """One transaction in progress. Rows go through `session`; `events` and `messages` are written just before the commit."""

    def __init__(self, db: Database, session: Session, at: dt.datetime) -> None:
        self.db = db
        self.session = session
        self.now = at
        """The instant of this transaction, the same for each row it writes."""
        self.events: list[Any] = []
        self.messages: list[Any] = []

    def add(self, row: Any) -> Any:
        """Adds a row and flushes it, so that its id is known to the next one."""
        self.session.add(row)
        self.session.flush()
        return row

    def event(self, name: str, **where: Any) -> None:
        """Notes what happened, for the audit chain: see `db.events.note`."""
        self.events.append((name, where))

    def message(self, channel: str, **what: Any) -> None:
        """Puts something into the outbox, delivered after (and only if) this transaction commits."""
        self.messages.append((channel, what))


_current: ContextVar[Work | None] = ContextVar("work", default=None)
_reading: ContextVar[Session | None] = ContextVar("reading", default=None)


def current_work() -> Work | None:
    """The transaction this thread is inside, if any."""
    return _current.get()


@contextlib.contextmanager
def work() -> Generator[Work]:
    """One transaction: all of it or nothing. Called inside another, it joins that one."""
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    from db import events  # the chain knows the tables of events; core does not need them otherwise

    db = database()
    with db.writing() as session:
        this = Work(db, session, now())
        token = _current.set(this)
        try:
            yield this
            session.flush()
            events.write_pending(this)
        finally:
            _current.reset(token)


@contextlib.contextmanager
def read() -> Generator[Session]:
    """A look at the database; inside a transaction, through that transaction's eyes. Inside another look, at its moment."""
    outer = _current.get()
    if outer is not None:
        yield outer.session
        return
    looking = _reading.get()
    if looking is not None:
        yield looking
        return
    with database().reading() as session:
        token = _reading.set(session)
        try:
            yield session
        finally:
            _reading.reset(token)


def lock(session: Session, model: type[Row], row_id: int) -> Row | None:
    """The row, held against other writers until the end of the transaction (SQLite: the whole database already is)."""
    return session.get(model, row_id, with_for_update=True, populate_existing=True)


def upsert(session: Session, table: sa.Table, rows: list[dict[str, Any]], key: list[str], update: list[str]) -> None:
    """INSERT, or UPDATE the `update` columns where `key` already stands; the same on both databases."""
    if not rows:
        return
    if session.get_bind().dialect.name == "postgresql":
        insert = postgresql.insert(table)
    else:
        from sqlalchemy.dialects import sqlite

        insert = sqlite.insert(table)
    if update:
        insert = insert.on_conflict_do_update(index_elements=key, set_={name: insert.excluded[name] for name in update})
    else:
        insert = insert.on_conflict_do_nothing(index_elements=key)
    session.execute(insert, rows)


# --- numbers people read aloud ----------------------------------------------------------------------------------------


class NumberSequence(Base):
    """The last number given out, per kind and year; the next one is taken inside the writing transaction."""

    __tablename__ = "number_sequence"
    kind: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    year: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    last: Mapped[int] = mapped_column(sa.BigInteger)


def next_sequence(session: Session, kind: str, year: int = 0, take: int = 1) -> int:
    """Takes the next `take` numbers of a kind and returns the first; a refused command gives them back (it rolls back)."""
    last = session.execute(
        sa.text(
            "INSERT INTO number_sequence (kind, year, last) VALUES (:kind, :year, :take) "
            "ON CONFLICT (kind, year) DO UPDATE SET last = number_sequence.last + :take RETURNING last"
        ),
        {"kind": kind, "year": year, "take": take},
    ).scalar_one()
    return last - take + 1


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """`items` in lists of at most `size`, read as they come (bounded memory)."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
