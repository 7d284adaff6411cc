"""Letters and e-mails from templates: a subject, a body, and the closed list of what may be filled in. Plain text only.

What a message knows of itself is its detail (codes, days, cents); `values_of` turns that into words, `render` puts them in.
A template that names something it does not list, or is given too little, is a mistake of ours and never goes out half filled.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.shared.money import format_cents

EVERYWHERE: Final = ("name", "city", "phone", "today")
"""What every letter may say: the recipient's name, the city, the desk's number, the day it was written."""
_HOLE = re.compile(r"\{([a-z_]+)\}")
_BRACE = re.compile(r"[{}]")


class BadLetter(ValueError):
    """A template that cannot be used; `str()` names it and says what to correct."""


@dataclass(frozen=True)
class LetterTemplate:
    """A letter as its row says it."""

    code: str
    name: str
    subject: str
    body: str
    placeholders: tuple[str, ...]
    """All that may stand in braces, besides what every letter may say."""


@dataclass(frozen=True)
class Letter:
    """A letter as it goes out."""

    subject: str
    body: str


def read_letter(detail: Mapping[str, Any]) -> LetterTemplate:
    """Reads a template. Raises BadLetter when a part is missing or something unknown stands in braces."""
    code = str(detail.get("code", ""))
    for part in ("code", "name", "subject", "body"):
        if not isinstance(detail.get(part), str) or not detail[part].strip():
            raise BadLetter(f"The letter “{code}” has no {part}. Write one in quotes.")
    listed = detail.get("placeholders", [])
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise BadLetter(f"The letter “{code}” must list its placeholders as texts in quotes.")
    found = LetterTemplate(code, detail["name"], detail["subject"].strip(), detail["body"].strip(), tuple(listed))
    for text in (found.subject, found.body):
        unknown = set(_HOLE.findall(text)) - set(found.placeholders) - set(EVERYWHERE)
        if unknown:
            raise BadLetter(
                f"The letter “{code}” says {{{min(unknown)}}}, which is not on its list of placeholders. "
                "Put it on the list, or take it out of the text."
            )
        if _BRACE.search(_HOLE.sub("", text)):
            raise BadLetter(f"The letter “{code}” has a brace that holds no placeholder. Take it out.")
    if "\n" in found.subject:
        raise BadLetter(f"The subject of the letter “{code}” must be one line.")
    return found


def render(template: LetterTemplate, values: Mapping[str, str]) -> Letter:
    """The letter with its values put in, as text: nothing in them is interpreted. Raises BadLetter when one is missing."""
    missing = {hole for text in (template.subject, template.body) for hole in _HOLE.findall(text)} - set(values)
    if missing:
        raise BadLetter(
            f"The letter “{template.code}” needs {', '.join(sorted(missing))}, which the message does not know."
        )

    def fill(text: str) -> str:
        return _HOLE.sub(lambda hole: values[hole[1]], text)

    # A line break in a value could add a header to an e-mail: a subject is one line whatever is put into it.
    return Letter(" ".join(fill(template.subject).split()), fill(template.body))


def values_of(
    detail: Mapping[str, Any],
    *,
    name: str,
    city: str,
    phone: str,
    today: dt.date,
    service_names: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """A message's detail in words: `amount_cents` becomes amount, an ISO day a date, service kinds their names."""
    found = {"name": name, "city": city, "phone": phone, "today": date_words(today)}
    for key, value in detail.items():
        if key.endswith("_cents") and isinstance(value, int):
            found[key.removesuffix("_cents")] = format_cents(abs(value))
        elif key == "service_kinds" and isinstance(value, (list, tuple)):
            found["services"] = listed_words((service_names or {}).get(each, str(each)).lower() for each in value)
        elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            found[key] = date_words(dt.date.fromisoformat(value))
        elif isinstance(value, (str, int)) and not isinstance(value, bool):
            found[key] = str(value)
    return found


def date_words(day: dt.date) -> str:
    """“November 30, 2026”."""
    return f"{day:%B} {day.day}, {day.year}"


def listed_words(words: Iterable[str]) -> str:
    """“electric, water and sewer”."""
    *before, last = list(words) or ["service"]
    return f"{', '.join(before)} and {last}" if before else last
