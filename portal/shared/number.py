"""Numbers that people read over the telephone: short, in sequence, the last digit a check on the others.

The check digit is Damm's (H. M. Damm, 2004): it finds every single wrong digit and every swap of two neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
_NUMBER = re.compile(r"(?P<prefix>[A-Z]{1,6})(?P<year>[0-9]{2})(?P<digits>[0-9]{7,13})")
_SEPARATORS = re.compile(r"[\s.\-‐-―−_/#]+")


@dataclass(frozen=True)
class HumanNumber:
    """A number taken apart: kind (`SR`), the year's last two digits, place in the year's sequence."""

    prefix: str
    year: int
    seq: int

    def __str__(self) -> str:
        return make_number(self.prefix, self.year, self.seq)


def check_digit(digits: str) -> str:
    """Damm's check digit of a run of digits."""
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return str(interim)


def make_number(prefix: str, year: int, seq: int) -> str:
    """`make_number("SR", 2026, 412)` is `SR-26-0004127`.

    Six digits of sequence (more when the year needs them), then the check digit.
    """
    if seq < 0:
        raise ValueError("A number's place in its sequence cannot be below zero.")
    digits = f"{seq:06d}"
    return f"{prefix.upper()}-{year % 100:02d}-{digits}{check_digit(f'{year % 100:02d}{digits}')}"


def parse_number(text: str, prefix: str | None = None) -> HumanNumber:
    """Takes apart what someone typed: any case, spaces or dashes or none.

    With `prefix`, it may be left out and must not differ. ValueError holds the sentence to show.
    """
    typed = _squeeze(text)
    if prefix and typed[:1].isdigit():
        typed = prefix.upper() + typed
    match = _NUMBER.fullmatch(typed)
    if match is None or (prefix and match["prefix"] != prefix.upper()):
        example = make_number(prefix or "SR", 26, 412)
        raise ValueError(f"“{text.strip()[:40]}” is not a number of this kind. It looks like {example}.")
    body, check = match["digits"][:-1], match["digits"][-1]
    if check_digit(match["year"] + body) != check:
        raise ValueError(_misread(text))
    return HumanNumber(match["prefix"], int(match["year"]), int(body))


def is_number(text: str, prefix: str | None = None) -> bool:
    """Whether `text` is one of our numbers with a right check digit."""
    try:
        parse_number(text, prefix)
    except ValueError:
        return False
    return True


def make_account_number(seq: int) -> str:
    """`make_account_number(1002231)` is `100-2231-8`: at least seven digits of sequence, one of check."""
    if seq < 0:
        raise ValueError("An account's place in the sequence cannot be below zero.")
    digits = f"{seq:07d}"
    return f"{digits[:-4]}-{digits[-4:]}-{check_digit(digits)}"


def parse_account_number(text: str) -> str:
    """The account number as we write it, from what someone typed: spaces or dashes or none.

    ValueError holds the sentence to show.
    """
    digits = _squeeze(text)
    if re.fullmatch(r"[0-9]{8,13}", digits) is None:
        example = make_account_number(1002231)
        raise ValueError(f"“{text.strip()[:40]}” is not an account number. It looks like {example}.")
    if check_digit(digits[:-1]) != digits[-1]:
        raise ValueError(_misread(text))
    return make_account_number(int(digits[:-1]))


def is_account_number(text: str) -> bool:
    """Whether `text` is an account number with a right check digit."""
    try:
        parse_account_number(text)
    except ValueError:
        return False
    return True


def _misread(text: str) -> str:
    return f"“{text.strip()[:40]}” has a wrong digit or two digits swapped. Read the number back to the caller."


def _squeeze(text: str) -> str:
    """Upper case, plain digits, nothing between them."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
