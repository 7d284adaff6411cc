"""What an import of another system's requests asks and writes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db.core import next_sequence, sqlite_driver, table_of
from db.service_requests.tables import RequestType, ServiceRequest
from db.service_requests.words import index_words, request_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class SeenIds:
    """Which original numbers a file has named so far: a private table on disk, so that memory does not grow with the file."""

    def __init__(self) -> None:
        self._connection = sqlite_driver.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, ids: Sequence[str]) -> list[bool]:
        """Notes these numbers; for each, whether the file had named it before."""
        self._connection.execute("BEGIN")
        insert = self._connection.execute
        again = [insert("INSERT OR IGNORE INTO seen VALUES (?)", (each,)).rowcount == 0 for each in ids]
        self._connection.execute("COMMIT")
        return again

    def close(self) -> None:
        self._connection.close()


def newest_request_types(session: Session) -> Sequence[Any]:
    """The newest version of each request type, whether offered or not."""
    newest = sa.select(sa.func.max(RequestType.id)).group_by(RequestType.code)
    return session.execute(
        sa.select(
            RequestType.code, RequestType.version_no, RequestType.name, RequestType.group_name, RequestType.kind,
            RequestType.department_code, RequestType.division_code,
        ).where(RequestType.id.in_(newest)).order_by(RequestType.active.desc(), RequestType.id)
    ).all()  # fmt: skip


def stand_in_line_for_import(session: Session) -> None:
    """One batch of an import at a time, whichever process writes it: held until the end of the transaction."""
    next_sequence(session, "import")


def imported_before(
    session: Session, source: str, external_ids: Sequence[str], *, hold: bool = False
) -> dict[str, Any]:
    """What stands here of these original numbers: (id, external_id, import_digest, state_code) and what the rollups count;
    held when they may change."""
    asked = (
        sa.select(
            ServiceRequest.id,
            ServiceRequest.external_id,
            ServiceRequest.import_digest,
            ServiceRequest.state_code,
            ServiceRequest.opened_at,
            ServiceRequest.due_at,
            ServiceRequest.closed,
            ServiceRequest.in_target,
            ServiceRequest.division_code,
            ServiceRequest.request_type_code,
            ServiceRequest.district,
            ServiceRequest.channel,
        )
        .where(ServiceRequest.source == source, ServiceRequest.external_id.in_(external_ids))
        .order_by(ServiceRequest.id)
    )
    return {row.external_id: row for row in session.execute(asked.with_for_update() if hold else asked)}


def add_imported(session: Session, values: Sequence[dict[str, Any]]) -> None:
    """New requests; each gives the same columns, and all that must not be empty."""
    values = [each | {"search_text": request_text(SimpleNamespace(**each))} for each in values]
    if session.get_bind().dialect.name != "postgresql":
        session.execute(sa.insert(table_of(ServiceRequest)), values)
        return
    # COPY takes less than half the time of as many INSERTs.
    names = list(values[0])
    as_text = [isinstance(ServiceRequest.__mapper__.columns[name].type, sa.JSON) for name in names]
    connection = session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor().copy(f"COPY service_request ({', '.join(names)}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(
                [
                    json.dumps(value) if text and value is not None else value
                    for value, text in zip(row.values(), as_text, strict=True)
                ]
            )


def change_imported(session: Session, columns: Sequence[str], values: Sequence[dict[str, Any]]) -> None:
    """Changes these columns of requests known by `row_id`; who looks at one of them is told that it changed."""
    table = table_of(ServiceRequest)
    session.execute(
        sa.update(table)
        .where(table.c.id == sa.bindparam("row_id"))
        .values({name: sa.bindparam(name) for name in columns} | {"version": table.c.version + 1}),
        values,
    )
    index_words(session, [each["row_id"] for each in values])
