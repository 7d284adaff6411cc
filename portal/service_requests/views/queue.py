"""The work queue: mine, my division's, late, waiting, unassigned; overdue first, one page at a time; and the desk's day."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import core
from db import service_requests as rows
from portal.service_requests.rules import case as case_rules
from portal.service_requests.rules.answer import tidy
from portal.service_requests.views import in_force
from portal.shared.number import parse_number
from portal.shared.text import due_text, fold, relative_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from portal.shared.actor import Actor

PAGE_ROWS = 14
"""As many as stand on a desk's screen at once: what comes after them is a page, not a scroll bar inside the page."""
PAGES_MOST = 72
"""Nobody works the thousandth case by paging: beyond this, filter."""
WORDS_MOST = 200
"""What is typed into the filter beyond this is left out."""


@dataclass(frozen=True)
class QueueLine:
    """A request or a work order in the queue."""

    what: str
    """request or work_order."""
    row_id: int
    number: str
    name: str
    address: str
    state: str
    due: str
    urgency: str
    """late, today, later, none: what the color stands for, beside its word."""
    with_whom: str
    source: str


@dataclass(frozen=True)
class Scope:
    """A view on the queue and how much it holds."""

    code: str
    name: str
    count: int


@dataclass(frozen=True)
class QueueView:
    """One page of a queue."""

    scopes: tuple[Scope, ...]
    scope: str
    lines: tuple[QueueLine, ...]
    total: int
    page: int
    pages: int
    by_number: bool
    """True when what was typed is a number: the lines are what it names, open or closed, in any queue."""


@dataclass(frozen=True)
class DeskDay:
    """What today holds for a person at the desk."""

    mine: int
    late: int
    following: int
    known_events: tuple[tuple[int, str, str], ...]
    """(id, title, next word) of the known events in force."""


SCOPES = ("mine", "following", "division", "late", "waiting", "unassigned")


def _asked(actor: Actor, scope: str, now: dt.datetime, waiting: tuple[str, ...], words: str = "") -> rows.QueueFilter:
    division = actor.division_code
    match scope:
        case "mine":
            return rows.QueueFilter(assigned_id=actor.staff_id, words=words)
        case "following":
            return rows.QueueFilter(owner_id=actor.staff_id, words=words)
        case "late":
            return rows.QueueFilter(division_code=division, late_at=now, words=words)
        case "waiting":
            return rows.QueueFilter(division_code=division, state_codes=waiting, words=words)
        case "unassigned":
            return rows.QueueFilter(division_code=division, unassigned=True, words=words)
        case _:
            return rows.QueueFilter(division_code=division, words=words)


def queue(actor: Actor, scope: str = "", words: str = "", page: int = 1) -> QueueView:
    """One page of the actor's queue. A number of ours, or of the system a case came from, finds it whatever the scope."""
    now, words = core.now(), tidy(words)[:WORDS_MOST]
    with core.read() as session:
        table, orders = in_force.states(session), in_force.states(session, in_force.WORK_ORDER)
        waiting = table.of_kind(case_rules.WAITING)
        divisions = rows.division_names(session)
        names = {
            "mine": "Mine",
            "following": "I follow up",
            "division": divisions.get(actor.division_code or "", "All open"),
            "late": "Late",
            "waiting": "Waiting for the caller",
            "unassigned": "Unassigned",
        }
        counts = _counts(session, actor, now, waiting)
        if scope not in SCOPES:
            scope = next((code for code in ("mine", "division") if counts[code]), "division")
        numbered = _by_number(session, words) if words else []
        by_number = bool(numbered)
        if by_number:
            total, page = len(numbered), 1
            chosen = rows.rows_for_queue(session, numbered)
        elif words:
            asked = _asked(actor, scope, now, waiting, fold(words))
            found = rows.queue_found(session, asked, PAGES_MOST * PAGE_ROWS) if asked.words else []
            total, page = len(found), _page_in(page, len(found))
            chosen = rows.rows_for_queue(session, found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS])
        else:
            total, page = counts[scope], _page_in(page, counts[scope])
            chosen = rows.queue_page(session, _asked(actor, scope, now, waiting), PAGE_ROWS, (page - 1) * PAGE_ROWS)
    return QueueView(
        scopes=tuple(Scope(code, names[code], counts[code]) for code in SCOPES),
        scope=scope,
        lines=tuple(_line(row, table if row.what == "request" else orders, divisions, now) for row in chosen),
        total=total,
        page=page,
        pages=min(PAGES_MOST, -(-total // PAGE_ROWS)),
        by_number=by_number,
    )


def _counts(session: Session, actor: Actor, now: dt.datetime, waiting: tuple[str, ...]) -> dict[str, int]:
    return rows.queue_counts(
        session, staff_id=actor.staff_id, division_code=actor.division_code, at=now, waiting=waiting
    )


def _page_in(page: int, total: int) -> int:
    """The page asked for, or the nearest there is."""
    return max(1, min(page, PAGES_MOST, -(-total // PAGE_ROWS) or 1))


def _by_number(session: Session, words: str) -> list[tuple[str, int]]:
    """(what, id) of what is called so."""
    ours, orders = [], []
    with contextlib.suppress(ValueError):
        ours.append(str(parse_number(words, "SR")))
    with contextlib.suppress(ValueError):
        orders.append(str(parse_number(words, "WO")))
    return [("request", each) for each in rows.ids_by_number(session, ours, words)] + [
        ("work_order", each) for each in rows.order_ids_by_number(session, orders)
    ]


def _line(row: Any, table: case_rules.StateTable, divisions: Mapping[str, str], now: dt.datetime) -> QueueLine:
    zone = in_force.zone()
    kind = table.kind(row.state_code)
    urgency = "none"
    if kind == case_rules.CLOSED:
        due = "closed"
    elif row.due_at is None:
        due = "clock stands" if kind == case_rules.WAITING else "no time promised"
    else:
        due = due_text(row.due_at, now, zone)
        today = in_force.local_day(now)
        urgency = "late" if row.due_at < now else "today" if in_force.local_day(row.due_at) == today else "later"
    if row.assigned_id:
        with_whom = row.assigned_name or ""
    elif kind == case_rules.WAITING:
        with_whom = "Caller"
    else:
        with_whom = row.crew or divisions.get(row.division_code or "", "—")
    return QueueLine(
        what=row.what,
        row_id=row.id,
        number=row.number,
        name=row.name,
        address=row.address,
        state=table.name(row.state_code),
        due=due,
        urgency=urgency,
        with_whom=with_whom,
        source=row.source,
    )


def find(words: str) -> tuple[tuple[str, int], ...]:
    """(what, id) of the requests and work orders with this number, ours or the original one of another system."""
    with core.read() as session:
        return tuple(_by_number(session, tidy(words)[:WORDS_MOST]))


def today_at_desk(actor: Actor) -> DeskDay:
    """Counts and known events for the call desk."""
    now = core.now()
    with core.read() as session:
        waiting = in_force.states(session).of_kind(case_rules.WAITING)
        counts = _counts(session, actor, now, waiting)
        known = tuple(
            (
                event.id,
                event.title,
                "" if event.next_word_at is None else relative_text(event.next_word_at, now, in_force.zone()),
            )
            for event in rows.active_known_events(session)
        )
    return DeskDay(counts["mine"], counts["late"], counts["following"], known)
