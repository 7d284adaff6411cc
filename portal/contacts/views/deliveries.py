"""What the Deliveries page shows: what waits and why, what failed, what is to print; and a message exactly as it went out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from db import core
from db import directory as directory_rows
from db.contacts import delivery as rows
from portal import settings
from portal.contacts.rules import delivery
from portal.shared.text import relative_text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.settings import Settings
    from portal.shared.actor import Actor

TEXT_GATEWAY: Final = "text"
"""The code of the `delivery_target` that takes text messages."""
PAGE_SIZE: Final = 20
PRINT_SIZE: Final = 50
HIDDEN: Final = "Protected person"
LISTS: Final = {
    "people": ("For people", delivery.FOR_PEOPLE),
    "print": ("To print", ("to_print",)),
    "waiting": ("Waiting", ("waiting", "ready", "sending")),
    "gone": ("Gone", ("sent", "posted", "in_portal", "given_up")),
}
"""The lists of the page: title and states."""
_PAGES: Final = {"service_request": "case", "work_order": "work_order"}


@dataclass(frozen=True)
class Overview:
    """The head of the page: how many of each, and what keeps messages from leaving, a sentence each."""

    counts: dict[str, int]
    troubles: tuple[str, ...]
    demo: bool
    failed: int


@dataclass(frozen=True)
class MessageLine:
    """One message in a list."""

    message_id: int
    version: int
    way: str
    """“E-mail”."""
    title: str
    to: str
    """Whom it is for."""
    address: str
    state_code: str
    state: str
    reason: str
    when: str
    """“written today 9:10 am; next try 10:15 am”."""
    attempts: int
    page: str
    subject_id: int
    is_person: bool
    hidden: bool
    """Exempt from public records, and the reader may not see them."""


@dataclass(frozen=True)
class Try:
    when: str
    what: str


@dataclass(frozen=True)
class MessageView:
    """One message with its wording as it goes out, its hash and its tries."""

    line: MessageLine
    body: str
    body_hash: str
    key: str
    tries: tuple[Try, ...]


@dataclass(frozen=True)
class PrintBatch:
    """Letters in one file, a page each, and what to mark once they are posted."""

    text: str
    letters: tuple[tuple[int, int], ...]
    held_back: int
    """Letters to protected people that this reader may not print."""


def open_routes(session: Session, setting: Settings, on: dt.date) -> list[str]:
    """Ways out that are set up; messages for others wait untouched."""
    found = ["email"] if setting.smtp_host and setting.smtp_from else []
    if setting.webhook_key.get_secret_value():
        found.append("webhook")
        if text_gateway(session, on) is not None:
            found.append("text")
    return found


def text_gateway(session: Session, on: dt.date) -> delivery.Target | None:
    """Who takes text messages, if anybody."""
    row = directory_rows.reference_row(session, "delivery_target", TEXT_GATEWAY, on)
    if row is None or row.detail.get("by") != "webhook" or delivery.target_problems(TEXT_GATEWAY, row.detail):
        return None
    return delivery.target_of(TEXT_GATEWAY, row.detail)


def overview() -> Overview:
    setting = settings.current()
    with core.read() as session:
        now = core.now()
        today = now.astimezone(setting.time_zone).date()
        by_state = rows.message_counts(session)
        routes = open_routes(session, setting, today)
        trouble = rows.last_server_trouble(session, now - dt.timedelta(days=1))
        oldest = rows.oldest_waiting(session)
    counts = {
        code: sum(count for (state, _), count in by_state.items() if state in states)
        for code, (_, states) in LISTS.items()
        if code != "gone"
    }
    waits = {route: count for (state, route), count in by_state.items() if state == "ready"}
    troubles = []
    if "email" not in routes:
        troubles.append(
            f"E-mail does not leave: no mail server is set. {waits.get('email', 0):,} wait. Set PORTAL_SMTP_HOST and "
            "PORTAL_SMTP_FROM, and start the portal again."
        )
    elif trouble is not None:
        troubles.append(f"{trouble.words} Nothing is lost: it is tried again by itself.")
    if waits.get("webhook") and "webhook" not in routes:
        troubles.append(f"Webhooks do not leave: {waits['webhook']:,} wait. Set PORTAL_WEBHOOK_KEY.")
    if waits.get("text") and "text" not in routes:
        troubles.append(
            f"Text messages do not leave: {waits['text']:,} wait. Load a delivery_target “text” with the webhook of a gateway, "
            "and set PORTAL_WEBHOOK_KEY."
        )
    if oldest is not None and "email" in routes and now - oldest > dt.timedelta(hours=1):
        troubles.append(f"The oldest message that waits was written {relative_text(oldest, now, setting.zone)}.")
    failed = sum(count for (state, _), count in by_state.items() if state == "failed")
    return Overview(counts, tuple(troubles), setting.demo, failed)


def messages(actor: Actor, which: str, page: int) -> list[MessageLine]:
    """A page of one of the lists, from 1."""
    states = LISTS[which][1]
    with core.read() as session:
        found = rows.message_lines(
            session, states, most=PAGE_SIZE, skip=(page - 1) * PAGE_SIZE, newest_first=which == "gone"
        )
    return [_line(actor, row) for row in found]


def message(actor: Actor, message_id: int) -> MessageView | None:
    """One message; None when there is no such one. The wording of a protected person's needs “exempt.read”."""
    zone, now = settings.current().zone, core.now()
    with core.read() as session:
        row = rows.message_line(session, message_id, tuple(delivery.STATES))
        if row is None:
            return None
        line = _line(actor, row)
        copy = None if row.copy_id is None or line.hidden else rows.message_copy(session, row.copy_id)
        tries = tuple(
            Try(
                relative_text(each.begun_at, now, zone),
                "Cut off before an answer came; handed over again" if each.outcome == "begun" and row.delivery_state != "sending"
                else each.words or each.outcome,
            )
            for each in rows.attempts_of(session, message_id)
        )  # fmt: skip
    if copy is None:
        return MessageView(line, "", "", "", tries)
    return MessageView(line, copy.body, copy.body_hash, copy.handing_key, tries)


def print_batch(actor: Actor) -> PrintBatch:
    """The letters to print, the oldest first: each begins a new page (a form feed between them)."""
    setting = settings.current()
    with core.read() as session:
        found = rows.letters_to_print(session, PRINT_SIZE)
    mine = [row for row in found if not _is_hidden(actor, row.exempt)]
    pages = [
        "\n".join((setting.city_name, "", row.person_name or "", *_address_lines(row.address), "", "", row.title, "", row.body))
        for row in mine
    ]  # fmt: skip
    return PrintBatch("\f".join(pages), tuple((row.id, row.version) for row in mine), len(found) - len(mine))


def _address_lines(address: str) -> list[str]:
    return [part.strip() for part in address.split(",") if part.strip()]


def _is_hidden(actor: Actor, exempt: bool) -> bool:
    return exempt and not actor.may("exempt.read") and not actor.may("*")


def _line(actor: Actor, row: Any) -> MessageLine:
    zone, now = settings.current().zone, core.now()
    hidden = _is_hidden(actor, row.exempt)
    is_person = row.recipient_kind == "person"
    to = (row.person_name or "Nobody on record") if is_person else str(row.detail.get("division", ""))
    when = f"written {relative_text(row.created_at, now, zone)}"
    if row.delivered_at is not None:
        when = f"{delivery.STATES[row.delivery_state].lower()} {relative_text(row.delivered_at, now, zone)}"
    elif row.delivery_state == "ready" and row.attempts:
        when += f"; next try {relative_text(row.due_at, now, zone)}"
    return MessageLine(
        message_id=row.id,
        version=row.version,
        way=delivery.way_words(row.route, row.channel),
        title=delivery.told_words(row.title, row.template),
        to=HIDDEN if hidden else to,
        address="" if hidden else (row.sent_to or ""),
        state_code=row.delivery_state,
        state=delivery.STATES[row.delivery_state],
        reason=row.reason if not hidden else "",
        when=when,
        attempts=row.attempts,
        page=_PAGES.get(row.subject_kind, ""),
        subject_id=row.subject_id,
        is_person=is_person,
        hidden=hidden,
    )
