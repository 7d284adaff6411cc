"""The schema's version: which one the database has, which one this program needs, and the way between them."""

from __future__ import annotations

import contextlib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from db.core import Database

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def current_revision(database: Database) -> str | None:
    """The revision the database has; None when it was never migrated."""
    with database.read_engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """The revision this program needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def known_revisions() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def is_empty(database: Database) -> bool:
    """Whether the database has no table of ours yet."""
    with database.read_engine.connect() as connection:
        return not sa.inspect(connection).has_table("event")


def upgrade(database: Database, revision: str = "head") -> None:
    with database.write_engine.connect() as connection:
        command.upgrade(_config(connection), revision)
    if revision == "head":
        make_queue(database)


def downgrade(database: Database, revision: str) -> None:
    with database.write_engine.connect() as connection:
        command.downgrade(_config(connection), revision)
    if revision == "base" and not database.is_sqlite:
        with database.write_engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {QUEUE} CASCADE")


# --- the queue of PostgreSQL's workers --------------------------------------------------------------------------------

QUEUE = "procrastinate"
"""The schema Procrastinate's tables live in, apart from ours: Alembic and its comparisons do not see them."""


def queue_is_current(database: Database) -> bool:
    """Whether the queue's tables are those of the installed Procrastinate; always on SQLite, which has none."""
    if database.is_sqlite:
        return True
    with database.read_engine.connect() as connection:
        return _queue_version(connection) == metadata.version("procrastinate")


def _queue_version(connection: sa.Connection) -> str | None:
    return connection.scalar(
        sa.text("SELECT obj_description(to_regnamespace(:name)::oid, 'pg_namespace')"), {"name": QUEUE}
    )


def make_queue(database: Database) -> None:
    """Makes the queue's tables as the installed Procrastinate wants them. Jobs are reminders to look at rows of ours, so those
    of an older version are let go with their tables: the next turn of the schedule makes new ones."""
    if queue_is_current(database):
        return
    from procrastinate.schema import SchemaManager

    with database.write_engine.begin() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7_216_044)")  # two that migrate at once: one does it
        if _queue_version(connection) == metadata.version("procrastinate"):
            return
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {QUEUE} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {QUEUE}")
        connection.exec_driver_sql(f"SET LOCAL search_path TO {QUEUE}")
        # Straight through the driver: the text holds percent signs, which are no parameters.
        with contextlib.closing(connection.connection.cursor()) as cursor:
            cursor.execute(SchemaManager.get_schema())
        connection.exec_driver_sql(f"COMMENT ON SCHEMA {QUEUE} IS '{metadata.version('procrastinate')}'")


def differences(connection: sa.Connection, metadata: sa.MetaData) -> list[Any]:
    """What the migrations made that the code does not speak of, and the other way round; empty when they agree."""

    def concerns(item: Any, _name: str | None, kind: str, _reflected: bool, _to: Any) -> bool:
        """An index may say that it is for one of the databases only: Alembic does not ask `ddl_if`."""
        return kind != "index" or item.info.get("only_on") in (None, connection.dialect.name)

    context = MigrationContext.configure(connection, opts={"include_object": concerns})
    return compare_metadata(context, metadata)
