"""Answers to a form: typed, checked and kept with the wording that was answered."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from portal.shared.problem import Problem
from portal.shared.text import day_text, sensitive_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.service_requests.rules.request_type import Definition, FieldSpec

STRING_MOST = 300
TEXT_MOST = 10_000
YEARS_BACK, YEARS_AHEAD = 10, 2
PHOTO_MOST_BYTES = 10 * 1024 * 1024
_MAGIC = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"))


@dataclass(frozen=True)
class Photo:
    """A picture as it was uploaded: its name on the sender's machine (only shown) and its bytes."""

    name: str
    content: bytes

    @property
    def extension(self) -> str | None:
        """`jpg`, `png` or `webp` by the first bytes, never by the name; None for anything else."""
        for magic, extension in _MAGIC:
            if self.content.startswith(magic):
                return extension
        return "webp" if self.content[:4] == b"RIFF" and self.content[8:12] == b"WEBP" else None


def tidy(text: str) -> str:
    """Text as it is kept: ends trimmed, invisible control characters and broken characters gone, one kind of line end."""
    whole = text.encode("utf-8", "ignore").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in whole if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127)).strip()


def text_problem(field: str, name: str, text: str, most: int = TEXT_MOST) -> Problem | None:
    """What keeps free text from being saved, if anything: its length, or a number that is never kept here."""
    if len(text) > most:
        return Problem(field, f"“{name}” has {len(text):,} characters. Shorten it to {most:,}.")
    sentence = sensitive_sentence(text, f"“{name}”")
    return Problem(field, sentence) if sentence else None


def shown_fields(definition: Definition, answers: Mapping[str, Any]) -> list[FieldSpec]:
    """The questions that are asked, given the answers so far: a question whose condition does not hold is not asked,
    nor one that depends on a question not asked."""
    shown: list[FieldSpec] = []
    asked: dict[str, Any] = {}
    for field in definition.fields:
        if field.show_when is None or field.show_when.holds(asked):
            shown.append(field)
            asked[field.code] = answers.get(field.code)
    return shown


def check_answers(
    definition: Definition, answers: Mapping[str, Any], today: dt.date
) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    """The answers as they are kept (`{code: {label, value, words}}`), and every problem.

    Answers to questions that are not asked are left out; an answer to a question the form does not have is a problem.
    A photo stays a `Photo` in `value` until the command has stored it.
    """
    kept: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for field in shown_fields(definition, answers):
        given = answers.get(field.code)
        if _is_empty(given):
            if field.required:
                problems.append(Problem(field.code, f"“{field.description}” has no answer yet. {_remedy(field)}"))
            continue
        value, words, problem = _typed(field, given, today)
        if problem is not None:
            problems.append(Problem(field.code, problem))
        else:
            kept[field.code] = {"label": field.description, "value": value, "words": words}
    for code in answers:
        if definition.field(code) is None:
            problems.append(Problem(code, f"“{definition.name}” has no question “{code}”. Open the form again."))
    return kept, problems


def _is_empty(given: Any) -> bool:
    return (
        given is None
        or (isinstance(given, str) and not tidy(given))
        or (isinstance(given, (list, tuple)) and not given)
    )


def _remedy(field: FieldSpec) -> str:
    return {
        "singlevaluelist": "Choose one.",
        "multivaluelist": "Choose at least one.",
        "datetime": "Give the day.",
        "photo": "Add a picture.",
    }.get(field.datatype, "Ask the caller and fill it in.")


def _typed(field: FieldSpec, given: Any, today: dt.date) -> tuple[Any, str, str | None]:
    """(value, words, what is wrong) of one answer."""
    name = field.description
    match field.datatype:
        case "string" | "text" | "address" | "account":
            if not isinstance(given, str):
                return None, "", f"“{name}” is written as text."
            text = tidy(given)
            if field.datatype != "text":
                text = " ".join(text.split())
            most = {"text": TEXT_MOST, "account": 20}.get(field.datatype, STRING_MOST)
            found = text_problem(field.code, name, text, most)
            return text, text, found.message if found else None
        case "number":
            return _number(field, given)
        case "datetime":
            return _day(field, given, today)
        case "singlevaluelist":
            if not isinstance(given, str) or given not in {choice.key for choice in field.choices}:
                return None, "", f"“{name}” has no choice “{str(given)[:40]}”. Choose one that is offered."
            return given, field.name_of(given), None
        case "multivaluelist":
            keys = [given] if isinstance(given, str) else list(given) if isinstance(given, (list, tuple)) else [given]
            offered = [choice.key for choice in field.choices]
            for key in keys:
                if key not in offered:
                    return None, "", f"“{name}” has no choice “{str(key)[:40]}”. Choose from those offered."
            chosen = [key for key in offered if key in keys]
            return chosen, ", ".join(field.name_of(key) for key in chosen), None
        case _:
            return _photo(field, given)


def _number(field: FieldSpec, given: Any) -> tuple[Any, str, str | None]:
    name = field.description
    try:
        number = Decimal(str(given).replace(",", "").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(given, bool) or not number.is_finite() or abs(number) >= Decimal(10) ** 12:
        return None, "", f"“{name}” is a number, like 2; “{str(given)[:40]}” is not one that can be kept."
    if field.minimum is not None and number < field.minimum:
        return None, "", f"“{name}” is at least {field.minimum:,}."
    if field.maximum is not None and number > field.maximum:
        return (
            None,
            "",
            f"“{name}” is at most {field.maximum:,}. Open a second request for more, or correct the number.",
        )
    if number == number.to_integral_value():
        return int(number), f"{int(number):,}", None
    if number != round(number, 6):
        return None, "", f"“{name}” has more than six decimal places. Round it."
    return str(number.normalize()), f"{number.normalize():f}", None


def _day(field: FieldSpec, given: Any, today: dt.date) -> tuple[Any, str, str | None]:
    name = field.description
    if isinstance(given, str):
        try:
            given = dt.datetime.fromisoformat(given.strip())
        except ValueError:
            return None, "", f"“{name}” is a day, like 11/24/2026; “{given[:40]}” is not one."
    if not isinstance(given, dt.date):
        return None, "", f"“{name}” is a day, like 11/24/2026."
    on = given.date() if isinstance(given, dt.datetime) else given
    if not today.year - YEARS_BACK <= on.year <= today.year + YEARS_AHEAD:
        return None, "", f"“{name}” cannot be in the year {on.year}. Check the year."
    has_clock = isinstance(given, dt.datetime) and given.time() != dt.time(0)
    if has_clock:
        return given.isoformat(timespec="minutes"), f"{day_text(on, today)}, {given:%H:%M}", None
    return on.isoformat(), day_text(on, today), None


def _photo(field: FieldSpec, given: Any) -> tuple[Any, str, str | None]:
    name = field.description
    if not isinstance(given, Photo):
        return None, "", f"“{name}” is a picture. Choose a file."
    if len(given.content) > PHOTO_MOST_BYTES:
        return None, "", f"“{name}” is larger than 10 MB. Send a smaller picture."
    if given.extension is None:
        return None, "", f"“{name}” is no JPEG, PNG or WebP picture. Choose another file."
    return given, tidy(given.name)[:100], None
