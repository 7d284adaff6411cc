"""The schema's version: which one the database has, which one this program needs, and the way between them."""

from __future__ import annotations

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


def downgrade(database: Database, revision: str) -> None:
    with database.write_engine.connect() as connection:
        command.downgrade(_config(connection), revision)


def differences(connection: sa.Connection, metadata: sa.MetaData) -> list[Any]:
    """What the migrations made that the code does not speak of, and the other way round; empty when they agree."""

    def concerns(item: Any, _name: str | None, kind: str, _reflected: bool, _to: Any) -> bool:
        """An index may say that it is for one of the databases only: Alembic does not ask `ddl_if`."""
        return kind != "index" or item.info.get("only_on") in (None, connection.dialect.name)

    context = MigrationContext.configure(connection, opts={"include_object": concerns})
    return compare_metadata(context, metadata)
