"""Drafts of forms and the receipts of forms carried out: what a page asks before it draws a form."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from db import core, events
from portal.shared.receipt import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.shared.actor import Actor


@dataclass(frozen=True)
class FormState:
    """How far a form has come: carried out (receipt), begun (answers), or fresh."""

    receipt: Receipt | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    saved_at: dt.datetime | None = None


@dataclass(frozen=True)
class DraftLine:
    """An unfinished form, to continue."""

    key: str
    page: str
    title: str
    query: dict[str, str]
    saved_at: dt.datetime


def load(actor: Actor, key: str) -> FormState:
    with core.read() as session:
        result = events.submission_result(session, key)
        if result:
            return FormState(receipt=Receipt.from_stored(result))
        draft = events.draft(session, key, actor.staff_id)
        if draft is None:
            return FormState()
        return FormState(answers=decode(draft.answers), saved_at=draft.saved_at)


def was_carried_out(key: str) -> bool:
    with core.read() as session:
        return events.submission_result(session, key) is not None


def save(actor: Actor, key: str, page: str, title: str, query: dict[str, str], answers: dict[str, Any]) -> None:
    """Keeps a form's answers. Not a command: nothing happened yet, so nothing is audited."""
    with core.work() as work:
        events.save_draft(work, key, actor.staff_id, page, title[:200], query, answers)


def discard(actor: Actor, key: str) -> None:
    with core.work() as work:
        if events.draft(work.session, key, actor.staff_id) is not None:
            events.delete_draft(work.session, key)


def unfinished(actor: Actor, most: int = 5) -> Sequence[DraftLine]:
    with core.read() as session:
        return [
            DraftLine(draft.key, draft.page, draft.title, draft.query, draft.saved_at)
            for draft in events.drafts_of(session, actor.staff_id, most)
        ]


def encode(answers: dict[str, Any]) -> dict[str, Any]:
    """Answers as JSON: dates and times are tagged, so that they come back as what they were."""
    return {code: _encode(value) for code, value in answers.items()}


def decode(stored: dict[str, Any]) -> dict[str, Any]:
    return {code: _decode(value) for code, value in stored.items()}


def _encode(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, dt.time):
        return {"time": value.isoformat()}
    if isinstance(value, (list, tuple)):
        return [_encode(each) for each in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return None  # an uploaded file lives in the session until the form is carried out


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if "instant" in value:
            return dt.datetime.fromisoformat(value["instant"])
        if "date" in value:
            return dt.date.fromisoformat(value["date"])
        return dt.time.fromisoformat(value["time"])
    if isinstance(value, list):
        return [_decode(each) for each in value]
    return value
