"""The known events as their page shows them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from db import core
from db import service_requests as rows
from portal.service_requests.views import in_force
from portal.service_requests.views.entry import known_event_kinds
from portal.shared.text import relative_text


@dataclass(frozen=True)
class KnownEventLine:
    """One known event, in force or ended."""

    event_id: int
    version: int
    number: str
    kind_code: str
    kind: str
    title: str
    words: str
    area_codes: tuple[str, ...]
    areas: str
    request_type_codes: tuple[str, ...]
    premise_count: int
    callers: int
    started: str
    next_word: str
    next_word_at: dt.datetime | None
    overdue: bool
    """The next word was promised for a time that has passed."""
    ended: str


@dataclass(frozen=True)
class KnownEventsView:
    """What is going on, what has ended, and what a new announcement can choose from."""

    active: tuple[KnownEventLine, ...]
    ended: tuple[KnownEventLine, ...]
    kinds: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    areas: tuple[tuple[str, str], ...]
    request_types: tuple[tuple[str, str], ...]


def known_events() -> KnownEventsView:
    """Everything of the page."""
    now, zone = core.now(), in_force.zone()
    with core.read() as session:
        active, ended = rows.active_known_events(session), rows.ended_known_events(session)
        callers = rows.callers_count_by_known_event(session, [event.id for event in [*active, *ended]])
        areas = {area.code: area.name for area in rows.areas(session)}
        types = [(row.code, row.name) for row in rows.request_types_in_force(session, in_force.local_day(now))]
    kinds = known_event_kinds()
    kind_names = {code: name for code, name, _, _ in kinds}

    def line(event: rows.KnownEvent) -> KnownEventLine:
        return KnownEventLine(
            event_id=event.id,
            version=event.version,
            number=event.number,
            kind_code=event.kind_code,
            kind=kind_names.get(event.kind_code, event.kind_code.replace("_", " ").capitalize()),
            title=event.title,
            words=event.words,
            area_codes=tuple(event.area_codes),
            areas=", ".join(areas.get(code, code) for code in event.area_codes) or "The whole city",
            request_type_codes=tuple(event.request_type_codes),
            premise_count=event.premise_count,
            callers=callers.get(event.id, 0),
            started=relative_text(event.started_at, now, zone),
            next_word="" if event.next_word_at is None else relative_text(event.next_word_at, now, zone),
            next_word_at=event.next_word_at,
            overdue=event.ended_at is None and event.next_word_at is not None and event.next_word_at < now,
            ended="" if event.ended_at is None else relative_text(event.ended_at, now, zone),
        )

    return KnownEventsView(
        active=tuple(line(event) for event in active),
        ended=tuple(line(event) for event in ended),
        kinds=kinds,
        areas=tuple(areas.items()),
        request_types=tuple(types),
    )
