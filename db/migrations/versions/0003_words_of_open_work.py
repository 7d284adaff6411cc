"""The words open work is found by; its index by age"""

import sqlalchemy as sa
from alembic import op

from db.folding import folded

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = {
    "service_request": ("number", "address", "request_type_name", "description"),
    "work_order": ("number", "address", "name", "order_code"),
}


BACKLOG = "ix_service_request_backlog"
BACKLOG_COLUMNS = ("opened_at", "due_at", "division_code", "request_type_code", "district", "channel")


def upgrade() -> None:
    for table in COLUMNS:
        op.add_column(table, sa.Column("search_text", sa.Text(), server_default="", nullable=False))
    _write_the_words()
    if op.get_bind().dialect.name == "sqlite":
        shared = ["division_code", "due_at", "state_code", "assigned_id"]
        for table, columns in (
            ("service_request", [*shared, "owner_id", "closed", "search_text"]),
            ("work_order", [*shared, "closed", "search_text"]),
        ):
            op.create_index(f"ix_{table}_words", table, columns, sqlite_where=sa.text("NOT closed"))
    _make_backlog_index([*BACKLOG_COLUMNS, "closed"])


def _make_backlog_index(columns: list[str]) -> None:
    """With `closed` among its columns the index alone answers on SQLite too."""
    op.drop_index(BACKLOG, "service_request")
    only = sa.text("NOT closed")
    op.create_index(BACKLOG, "service_request", columns, sqlite_where=only, postgresql_where=only)


def _write_the_words() -> None:
    """As the code of this revision writes them."""
    bind = op.get_bind()
    person = sa.table("person", sa.column("id"), sa.column("name"))
    for name, columns in COLUMNS.items():
        table = sa.table(name, *(sa.column(each) for each in ("id", "closed", "person_id", "search_text", *columns)))
        asked = sa.select(table.c.id, *(table.c[each] for each in columns)).where(sa.text("NOT closed"))
        if name == "service_request":
            asked = asked.add_columns(person.c.name.label("person_name")).outerjoin(
                person, person.c.id == table.c.person_id
            )
        words = [
            {"row_id": row[0], "words": "\n".join(folded(each) for each in row[1:] if each)}
            for row in bind.execute(asked)
        ]
        if words:
            change = sa.update(table).where(table.c.id == sa.bindparam("row_id"))
            bind.execute(change.values(search_text=sa.bindparam("words")), words)


def downgrade() -> None:
    _make_backlog_index(list(BACKLOG_COLUMNS))
    for table in COLUMNS:
        if op.get_bind().dialect.name == "sqlite":
            op.drop_index(f"ix_{table}_words", table)
        op.drop_column(table, "search_text")
