"""How Alembic reaches the database: on the connection `db.schema` hands over, one transaction for all steps."""

from typing import Any, Literal

from alembic import context

from db import core
from db.tables import Base


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """How our own column types are written into a migration: by name where the databases differ, else as what they store."""
    if kind == "type":
        if item is core.Json:
            return "core.Json"
        if item is core.BigId:
            return "core.BigId"
        if isinstance(item, core.UtcTime):
            return "core.UtcTime()"
        if isinstance(item, (core.Cents, core.Scaled)):
            return "sa.BigInteger()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=False,
    render_item=render,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
