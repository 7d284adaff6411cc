"""Words and writing: folded text for search, telephone numbers, days and times as Americans read them, cells safe to
export, and what must never be written down (card, Social Security and licence numbers).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# ----- search

# Letters that Unicode does not take apart, as an American keyboard writes them.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
# An apostrophe or a dot stands inside one word (O'Brien, J.R., N.E.); every other mark stands between two.
_INSIDE_A_WORD = frozenset("'’‘ʼ`´.")


def fold(text: str) -> str:
    """Text as it is searched: no case, accents or punctuation, single spaces. Folding twice changes nothing."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN)
    kept = []
    for character in plain:
        kind = unicodedata.category(character)
        if kind[0] in "LN" or kind == "Mc":
            kept.append(character)
        elif kind not in ("Mn", "Me", "Cf") and character not in _INSIDE_A_WORD:
            kept.append(" ")
    return " ".join("".join(kept).split())


# ----- telephone

_PHONE_MARKS = re.compile(r"[\s().\-‐-―−/]+")


def parse_phone(text: str) -> str:
    """The ten digits of a telephone number of the North American plan, as stored.

    ValueError holds the sentence to show.
    """
    shown = text.strip()[:40]
    typed = _PHONE_MARKS.sub("", unicodedata.normalize("NFKC", text))
    if re.search(r"[0-9](x|ext|extension)\.?:?#?[0-9]+$", typed, re.IGNORECASE):
        raise ValueError(f"“{shown}” has an extension. Enter the ten digits here, the extension in a note.")
    digits = typed.removeprefix("+")
    if re.fullmatch(r"[0-9]+", digits, re.ASCII) is None:
        raise ValueError(f"“{shown}” is not a phone number. Enter ten digits, like (850) 555-0142.")
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    elif typed.startswith("+"):
        raise ValueError(f"“{shown}” is outside the US and Canada. Enter a US number here, this one in a note.")
    if len(digits) != 10:
        raise ValueError(f"“{shown}” has {len(digits)} digits. Enter ten, area code first, like (850) 555-0142.")
    if digits[0] in "01" or digits[3] in "01":
        raise ValueError(
            f"“{shown}” is not a US phone number: neither the area code nor the next three digits begin with 0 or 1. "
            "Read it back to the caller."
        )
    return digits


def format_phone(digits: str) -> str:
    """`(850) 555-0142`; anything but ten digits stays as it is."""
    if re.fullmatch(r"[0-9]{10}", digits) is None:
        return digits
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"


# ----- days and times

# Spelled out: strftime speaks the language of the machine's locale, and the desk speaks English.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def day_text(on: date, today: date | None = None) -> str:
    """`Tue, Nov 24`, with the year when it is not that of `today`: `Tue, Nov 24, 2026`."""
    year = f", {on.year}" if today is not None and today.year != on.year else ""
    return f"{_DAYS[on.weekday()]}, {_MONTHS[on.month - 1]} {on.day}{year}"


def clock_text(at: time | datetime) -> str:
    """`3:00 pm`, of a time as given: bring an instant into the city's zone first."""
    return f"{(at.hour + 11) % 12 + 1}:{at.minute:02d} {'am' if at.hour < 12 else 'pm'}"


def moment_text(at: datetime, zone: str, now: datetime | None = None) -> str:
    """An instant on the city's clock: `Tue, Nov 24, 3:00 pm`, with the year when it is not that of `now`."""
    local = at.astimezone(ZoneInfo(zone))
    today = None if now is None else now.astimezone(ZoneInfo(zone)).date()
    return f"{day_text(local.date(), today)}, {clock_text(local)}"


def relative_text(at: datetime, now: datetime, zone: str) -> str:
    """`today 3:00 pm`, `tomorrow 8:00 am`, `yesterday 4:15 pm`; farther off, the day: `Tue, Nov 24, 3:00 pm`."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    named = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((local.date() - today).days)
    return f"{named} {clock_text(local)}" if named else moment_text(at, zone, now)


def due_text(due_at: datetime, now: datetime, zone: str) -> str:
    """When something is due, or how late it is in whole days, hours or minutes: `today 3:00 pm`, `2 days late`."""
    late = now - due_at
    if late <= timedelta(0):
        return relative_text(due_at, now, zone)
    minutes = int(late.total_seconds() // 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            return f"{count_text(minutes // size, unit)} late"
    return "just past due"


def count_text(count: int, noun: str) -> str:
    """`1 day`, `2 days`, `1,200 minutes`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration_text(span: timedelta) -> str:
    """A length of time in hours and minutes: `1 hour 30 minutes`, `45 minutes`; under a minute in seconds."""
    seconds = int(span.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    parts = [count_text(size, noun) for size, noun in ((hours, "hour"), (minutes, "minute")) if size]
    return " ".join(parts) if parts else count_text(seconds, "second")


# ----- exports

_FORMULA = frozenset("=+-@＝＋－＠|%")
_PLAIN_FIGURE = re.compile(r"[+-]?\$?[0-9][0-9,]*(?:\.[0-9]+)?%?")


def safe_cell(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: such text gets a leading apostrophe.

    Figures stay figures; None becomes an empty cell.
    """
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return cell
    # Some programs skip spaces and invisible characters before they look for the sign.
    visible = "".join(c for c in cell if unicodedata.category(c) not in ("Cf", "Cc")).lstrip()
    if cell[:1] in ("\t", "\r", "\n", "\0") or (visible[:1] in _FORMULA and not _PLAIN_FIGURE.fullmatch(cell)):
        return "'" + cell
    return cell


# ----- what is never written down

_BETWEEN = r"[\s.\-‐-―−]{1,3}"
_DIGIT_RUN = re.compile(rf"[0-9]+(?:{_BETWEEN}[0-9]+)*")
_CARD_GROUPS = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 5), (4, 4, 4, 4, 3)})
_SSN = re.compile(r"(?<![\w-])([0-9]{3})([-‐-―− ])([0-9]{2})\2([0-9]{4})(?![\w-])")
_SSN_NAMED = re.compile(
    r"\b(?:ssn|ss#|social(?: security)?)(?![a-z])[^0-9\n]{0,20}([0-9]{3})[ -]?([0-9]{2})[ -]?([0-9]{4})\b",
    re.IGNORECASE,
)
_CVV = re.compile(
    r"\b(?:cvv2?|cvc2?|card (?:security|verification) code)\b[^0-9\n]{0,15}[0-9]{3,4}\b",
    re.IGNORECASE,
)
# One letter and eleven to thirteen digits (Florida, Illinois, Michigan, Maryland, Minnesota, Wisconsin and others), or any
# mixture of letters and digits that the writer calls a driver's licence.
_LICENCE = re.compile(
    r"(?<![\w-])[A-Z][0-9]{3}[- ]?[0-9]{3,4}[- ]?[0-9]{2,4}[- ]?[0-9]{2,4}(?:[- ]?[0-9]{1,2})?(?![\w-])",
    re.IGNORECASE,
)
_LICENCE_NAMED = re.compile(
    r"\b(?:driver'?s?'?[ -]?licen[cs]e|dl)\b(?:[ .:,=#]|\b(?:no|num|number|id|is|was)\b)*"
    r"([A-Z]{0,3}[ -]?[0-9](?:[ -]?[A-Z0-9]){4,18})",
    re.IGNORECASE,
)


def looks_like_card_number(text: str) -> bool:
    """Whether a payment card's number (issuer, length, Luhn's check) or its security code stands in the text."""
    plain = _ascii_digits(text)
    if _CVV.search(plain):
        return True
    runs = (re.findall(r"[0-9]+", run[0]) for run in _DIGIT_RUN.finditer(plain))
    return any(_is_card(digits) for groups in runs for digits in _card_candidates(groups))


def looks_like_ssn(text: str) -> bool:
    """Whether a Social Security number (or a taxpayer number in the same form) stands in the text."""
    plain = _ascii_digits(text)
    found = [(m[1], m[3], m[4]) for m in _SSN.finditer(plain)]
    found += [(m[1], m[2], m[3]) for m in _SSN_NAMED.finditer(plain)]
    return any(area not in ("000", "666") and group != "00" and serial != "0000" for area, group, serial in found)


def looks_like_licence(text: str) -> bool:
    """Whether a driver's licence number stands in the text."""
    plain = _ascii_digits(text).replace("’", "'")
    if any(12 <= sum(c.isalnum() for c in m[0]) <= 14 for m in _LICENCE.finditer(plain)):
        return True
    return any(sum(c.isdigit() for c in m[1]) >= 5 for m in _LICENCE_NAMED.finditer(plain))


def sensitive_sentence(text: str, field_name: str) -> str | None:
    """Why `text` must not be kept, as a sentence that names the field and the remedy; None when nothing stands in the way."""
    for looks, what in (
        (looks_like_card_number, "a payment card number"),
        (looks_like_ssn, "a Social Security number"),
        (looks_like_licence, "a driver's license number"),
    ):
        if looks(text):
            return f"{field_name} holds what looks like {what}. Take it out and save again: it is never kept here."
    return None


def _ascii_digits(text: str) -> str:
    """Digits of any script as 0-9, so that a number in another form is found too."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in unicodedata.normalize("NFKC", text))


def _card_candidates(groups: Sequence[str]) -> Iterator[str]:
    """The digit strings among neighbouring groups that could be one card number."""
    yield from (group for group in groups if 13 <= len(group) <= 19)
    sizes = tuple(len(group) for group in groups)
    for pattern in _CARD_GROUPS:
        for start in range(len(groups) - len(pattern) + 1):
            if sizes[start : start + len(pattern)] == pattern:
                yield "".join(groups[start : start + len(pattern)])
    # Any other way of grouping, when the run is nothing but those digits and holds no telephone or account number.
    holds_other = 10 in sizes or any(sizes[at : at + 3] in ((3, 3, 4), (3, 4, 1)) for at in range(len(sizes)))
    if len(groups) > 1 and not holds_other and 13 <= sum(sizes) <= 19:
        yield "".join(groups)


def _is_card(digits: str) -> bool:
    """Issuer range and length (Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay), then Luhn's check."""
    size, first, first3, first4 = (
        len(digits),
        int(digits[:2]),
        int(digits[:3]),
        int(digits[:4]),
    )
    known = (
        (digits[0] == "4" and size in (13, 16, 19))
        or ((51 <= first <= 55 or 2221 <= first4 <= 2720) and size == 16)
        or (first in (34, 37) and size == 15)
        or (
            (first4 == 6011 or 644 <= first3 <= 649 or first in (65, 62) or 3528 <= first4 <= 3589) and 16 <= size <= 19
        )
        or ((300 <= first3 <= 305 or first in (36, 38, 39)) and size in (14, 16))
    )
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return known and len(set(digits)) > 1 and total % 10 == 0
