"""What open work is found by in the queue's filter: one folded text a row, kept whenever the row is written.

Closed work has none: a number finds it, the filter does not look for it, and the index of the words stays as small as the open
work is. Rows written as objects are kept up by themselves; who writes rows in bulk or renames a person says so here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from db.core import batched, table_of
from db.folding import folded
from db.service_requests.tables import ServiceRequest, WorkOrder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Mapper, Session

REQUEST_WORDS = ("number", "address", "request_type_name", "description")
ORDER_WORDS = ("number", "address", "name", "order_code")
_BATCH = 500
_PERSON = sa.table("person", sa.column("id"), sa.column("name"))


def search_text(*parts: str | None) -> str:
    """Each part folded, on a line of its own: what is looked for never runs from one part into the next."""
    return "\n".join(folded(part) for part in parts if part)


def request_text(values: Any, person_name: str = "") -> str:
    """The text of a request, or of a row with its columns; empty for a closed one."""
    return "" if values.closed else search_text(*(getattr(values, name) for name in REQUEST_WORDS), person_name)


def order_text(values: Any) -> str:
    """The text of a work order, or of a row with its columns; empty for a closed one."""
    return "" if values.closed else search_text(*(getattr(values, name) for name in ORDER_WORDS))


def _changed(row: ServiceRequest | WorkOrder, names: tuple[str, ...]) -> bool:
    attributes = sa.inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in (*names, "closed"))


@event.listens_for(ServiceRequest, "before_insert")
@event.listens_for(ServiceRequest, "before_update")
def _keep_request(_mapper: Mapper[ServiceRequest], connection: sa.Connection, row: ServiceRequest) -> None:
    if not _changed(row, (*REQUEST_WORDS, "person_id")):
        return
    name = ""
    if row.person_id is not None and not row.closed:
        name = connection.scalar(sa.select(_PERSON.c.name).where(_PERSON.c.id == row.person_id)) or ""
    row.search_text = request_text(row, name)


@event.listens_for(WorkOrder, "before_insert")
@event.listens_for(WorkOrder, "before_update")
def _keep_order(_mapper: Mapper[WorkOrder], _connection: sa.Connection, row: WorkOrder) -> None:
    if _changed(row, ORDER_WORDS):
        row.search_text = order_text(row)


def index_words(session: Session, request_ids: Iterable[int]) -> None:
    """Brings the words of these requests up to what their rows, and the names of their persons, now say."""
    _index(session, ServiceRequest, request_ids)


def index_words_of_person(session: Session, person_id: int) -> None:
    """The same for the open requests of a person: after a change of name, or when two records became one."""
    session.flush()
    request = table_of(ServiceRequest)
    where = (request.c.person_id == person_id, request.c.closed == sa.false())
    _index(session, ServiceRequest, session.scalars(sa.select(request.c.id).where(*where)).all())


def index_all_words(session: Session) -> None:
    """All open work, after rows were loaded in bulk."""
    for model in (ServiceRequest, WorkOrder):
        table = table_of(model)
        _index(session, model, session.scalars(sa.select(table.c.id).where(table.c.closed == sa.false())).all())


def _index(session: Session, model: type[ServiceRequest | WorkOrder], ids: Iterable[int]) -> None:
    table = table_of(model)
    is_request = model is ServiceRequest
    columns = [table.c[name] for name in ("id", "closed", *(REQUEST_WORDS if is_request else ORDER_WORDS))]
    # Closed work has no words and needs none: most of what an import changes.
    asked = sa.select(*columns).where(sa.or_(table.c.closed == sa.false(), table.c.search_text != ""))
    if is_request:
        asked = asked.add_columns(_PERSON.c.name.label("person_name")).outerjoin(
            _PERSON, _PERSON.c.id == table.c.person_id
        )
    change = sa.update(table).where(table.c.id == sa.bindparam("row_id")).values(search_text=sa.bindparam("words"))
    for some in batched(ids, _BATCH):
        changed = [
            {"row_id": row.id, "words": request_text(row, row.person_name or "") if is_request else order_text(row)}
            for row in session.execute(asked.where(table.c.id.in_(some)))
        ]
        if changed:
            session.connection().execute(change, changed)
