"""What screens show from the directory: articles, emergency scripts with the number to transfer to now, the words of the house."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import core
from db import directory as rows
from portal import settings
from portal.directory.rules import fit, transfer_at, transfer_number, words_of
from portal.shared.office import office_calendar
from portal.shared.text import format_phone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

SETTING_NUMBERS = (
    "phone",
    "emergency_phone",
    "gas_emergency_phone",
    "electric_emergency_phone",
    "water_emergency_phone",
    "sewer_emergency_phone",
)
MOST_FOUND = 20
ALWAYS = dt.date(2000, 1, 1)


@dataclass(frozen=True)
class Article:
    """A short answer the representative can read out."""

    code: str
    title: str
    topic: str
    body: str
    citation: str
    effective_from: dt.date
    dated: bool
    """Whether the pack gave it a day to begin; without one it has always been in force."""


@dataclass(frozen=True)
class EmergencyKind:
    """A kind of danger: what to ask, what to say, and whom to transfer to at this moment."""

    code: str
    name: str
    icon: str
    ask: tuple[str, ...]
    say: tuple[str, ...]
    transfer_name: str
    transfer_phone: str
    transfer_when: str
    """Why this number now: “Field crews are on duty until 4:00 pm.”"""
    life: bool
    """911 comes first when anyone is hurt or in danger."""


@dataclass(frozen=True)
class Choice:
    """A row of reference data to choose from."""

    code: str
    name: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Word:
    """A word of the house and what it means."""

    name: str
    meaning: str


def today(now: dt.datetime | None = None) -> dt.date:
    """The civil date in the city."""
    return (now or core.now()).astimezone(settings.current().time_zone).date()


# --- articles ---------------------------------------------------------------------------------------------------------


def search(text: str) -> list[Article]:
    """Articles for words typed, the best first: those with every word, else those with any. No words: all, by topic."""
    words = words_of(text)
    with core.read() as session:
        if not words:
            return [_article(row) for row in rows.articles(session, today())] if not text.strip() else []
        found = rows.articles_with_words(session, words, today())
        if not found:
            found = rows.articles_with_words(session, words, today(), every=False)
        best = sorted(found, key=lambda row: (-fit(row, words), row.title, row.code))
        return [_article(row) for row in best[:MOST_FOUND]]


def article(code: str) -> Article | None:
    """The article in force today; None when there is none of this code."""
    with core.read() as session:
        row = rows.article(session, code, today())
        return None if row is None else _article(row)


def _article(row: rows.KnowledgeArticle) -> Article:
    return Article(
        row.code, row.title, row.topic, row.body, row.citation, row.effective_from, row.effective_from > ALWAYS
    )


# --- emergencies ------------------------------------------------------------------------------------------------------


def emergency_kinds(now: dt.datetime | None = None) -> list[EmergencyKind]:
    """Every kind of emergency with the number that counts at this instant."""
    now = now or core.now()
    with core.read() as session:
        kinds = rows.reference(session, "emergency", today(now))
        calendars = {
            row.code: office_calendar(row.detail, settings.current().zone, today(now))
            for row in rows.reference(session, "calendar", today(now))
        }
        numbers = {name: getattr(settings.current(), name) for name in SETTING_NUMBERS}
        departments = {code: row.phone for code, row in rows.departments_by_code(session).items()}
        found = []
        for kind in kinds:
            detail = kind.detail
            row = transfer_at(detail.get("transfer", ()), now, calendars)
            found.append(
                EmergencyKind(
                    code=kind.code,
                    name=kind.name,
                    icon=detail.get("icon", "emergency_home"),
                    ask=tuple(detail.get("ask", ())),
                    say=tuple(detail.get("say", ())),
                    transfer_name=(row or {}).get("name", kind.name),
                    transfer_phone=format_phone(transfer_number(row, numbers, departments, detail.get("setting", ""))),
                    transfer_when=(row or {}).get("why", ""),
                    life=bool(detail.get("life")),
                )
            )
        return found


# --- reference data to choose from ------------------------------------------------------------------------------------


def choices(kind: str) -> list[Choice]:
    """The rows of a kind of reference data in force today, in their order."""
    with core.read() as session:
        return choices_in(session, kind, today())


def choices_in(session: Session, kind: str, on: dt.date) -> list[Choice]:
    return [Choice(row.code, row.name, row.detail) for row in rows.reference(session, kind, on)]


def words() -> list[Word]:
    """The glossary, in alphabetical order."""
    with core.read() as session:
        found = [
            Word(entry["name"], entry["meaning"])
            for row in rows.reference(session, "glossary", today())
            for entry in row.detail.get("word", ())
        ]
    return sorted(found, key=lambda word: word.name.casefold())


def shortcuts() -> list[tuple[str, str]]:
    """(keys, what they do), in order."""
    with core.read() as session:
        return [
            (entry["keys"], entry["does"])
            for row in rows.reference(session, "keyboard", today())
            for entry in row.detail.get("shortcut", ())
        ]
