"""What happened to a customer as far as this room and the ones below know: conversations, requests, events.

Billing adds bills and payments and merges it all (`portal.billing.views.timeline`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import accounts as rows
from db import core
from portal import settings
from portal.contacts import rules as contact_rules
from portal.contacts.rules import delivery
from portal.shared import sentences
from portal.shared.text import moment_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

# These events say what a conversation or a request of the list says already.
TOLD_ELSEWHERE = frozenset(
    {
        "conversation.begun",
        "conversation.linked",
        "conversation.wrapped_up",
        "conversation.noted",
        "request.opened",
        "request.closed",
        "request.imported",
        "refusal.reported",
    }
)


@dataclass(frozen=True)
class Happening:
    """One line of a timeline."""

    at: dt.datetime
    what: str
    """“Call, Dana Whitcomb”, “Bill $143.78”."""
    text: str
    """What it was about; may hold words that people typed."""
    icon: str
    page: str = ""
    query: tuple[tuple[str, int], ...] = ()
    whole_day: bool = False
    """Known by the day only, like a bill."""


def happenings(
    session: Session | None = None,
    *,
    account_id: int | None = None,
    person_id: int | None = None,
    premise_id: int | None = None,
    most: int = 12,
) -> list[Happening]:
    """The latest happenings, newest first, at most `most`; by the first of the three ids that is given."""
    if session is None:
        with core.read() as own:
            return happenings(own, account_id=account_id, person_id=person_id, premise_id=premise_id, most=most)
    found: list[Happening] = []
    if account_id is not None or person_id is not None:
        found += map(_conversation, rows.conversations(session, account_id=account_id, person_id=person_id, most=most))
        found += map(_message, rows.messages(session, account_id=account_id, person_id=person_id, most=most))
    ids = {"account_id": account_id, "person_id": person_id, "premise_id": premise_id}
    found += _requests(rows.requests(session, **ids, most=most))
    found += map(_event, rows.events(session, **ids, without=TOLD_ELSEWHERE, most=most))
    return newest(found, most)


def newest(found: Iterable[Happening], most: int) -> list[Happening]:
    return sorted(found, key=lambda each: (each.at, each.what, each.text), reverse=True)[:most]


def _conversation(row: Any) -> Happening:
    channel = "Call" if row.channel == "phone" else contact_rules.CHANNELS.get(row.channel, row.channel)
    parts = [row.note.strip()]
    if row.ended_at is None:
        parts.append("Still open.")
    elif row.reason_code:
        parts.append(row.reason_code.replace("_", " ").capitalize() + ".")
    icon = {"phone": "call", "letter": "mail", "email": "alternate_email", "counter": "storefront"}.get(
        row.channel, "forum"
    )
    return Happening(row.started_at, f"{channel}, {row.staff_name}", " ".join(part for part in parts if part), icon)


def _message(row: Any) -> Happening:
    return Happening(
        row.delivered_at or row.created_at,
        f"{delivery.way_words(row.route, row.channel)}, {delivery.STATES[row.delivery_state].lower()}",
        delivery.told_words(row.title, row.template),
        delivery.ICONS.get(row.route or row.channel, "mail"),
    )


def _requests(found: Iterable[Any]) -> list[Happening]:
    zone, now = settings.current().zone, core.now()
    lines = []
    for row in found:
        where: dict[str, Any] = {"page": "case", "query": (("id", row.id),)}
        due = "" if row.closed or row.due_at is None else f", due {moment_text(row.due_at, zone, now)}"
        lines.append(
            Happening(
                row.opened_at, f"Request, {row.request_type_name}", f"{row.number} opened{due}.", "assignment", **where
            )
        )
        if row.closed_at is not None:
            how = (row.disposition_code or "").replace("_", " ")
            lines.append(
                Happening(
                    row.closed_at,
                    f"Closed, {row.request_type_name}",
                    f"{row.number}{f': {how}' if how else ''}.",
                    "task_alt",
                    **where,
                )
            )
    return lines


def _event(row: Any) -> Happening:
    words = sentences.sentence(row.name, row.detail)
    page = {"service_request": "case", "work_order": "work_order"}.get(row.subject_kind, "")
    return Happening(
        row.at, words, f"by {row.staff_name}" if row.staff_name else "by the portal itself", sentences.icon(row.name),
        page, (("id", row.subject_id),) if page else (),
    )  # fmt: skip
