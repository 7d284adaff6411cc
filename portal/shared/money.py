"""Money as whole cents: read what people type, write what they read, round in one way only (half up)."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_CENTS = 99_999_999_999
"""$999,999,999.99: above it, what was typed is a slip of the finger."""

# Enough digits that a product of two entries is exact before the one rounding to cents.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_AMOUNT = re.compile(
    r"(?P<open>\()?(?P<sign>[-−]?)\$?(?P<inner>[-−]?)"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?:\.(?P<cents>[0-9]{1,2})?)?(?P<close>\))?"
)


def parse_money(text: str) -> int:
    """Cents of an amount as people type it: `1,234.56`, `$12`, `-$3.5`, `(3.50)`.

    ValueError holds the sentence to show.
    """
    typed = "".join(text.split())
    shown = text.strip()[:40]
    if not typed:
        raise ValueError("Enter an amount in dollars and cents, like 25.00.")
    match = _AMOUNT.fullmatch(typed)
    whole = match["whole"].replace(",", "") if match else ""
    cents = (match["cents"] or "") if match else ""
    balanced = match is not None and bool(match["open"]) == bool(match["close"])
    signs = sum(bool(match[name]) for name in ("open", "sign", "inner")) if match else 0
    if match is None or not balanced or signs > 1 or not (whole or cents):
        raise ValueError(f"“{shown}” is not an amount of money. Enter dollars and cents, like 1,234.56.")
    if len(whole) > 9:
        most = format_cents(LARGEST_CENTS)
        raise ValueError(f"“{shown}” is too large an amount. Check the digits: the most is {most}.")
    amount = int(whole or "0") * 100 + int(cents.ljust(2, "0"))
    return -amount if signs else amount


def format_cents(cents: int) -> str:
    """`$1,234.56`, with the minus before the dollar sign: `-$0.05`."""
    dollars, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${dollars:,}.{rest:02d}"


def to_cents(dollars: Decimal) -> int:
    """Whole cents of an amount in dollars, half a cent rounded away from zero (up, as a bill reader expects)."""
    return int(_EXACT.multiply(dollars, Decimal(100)).quantize(Decimal(1), rounding=ROUND_HALF_UP, context=_EXACT))


def to_dollars(cents: int) -> Decimal:
    """The exact amount in dollars, always with two places: `Decimal("12.50")`."""
    return Decimal(cents).scaleb(-2, context=_EXACT)


def price_cents(quantity: Decimal, price: Decimal) -> int:
    """Whole cents of `quantity` units at `price` dollars each, rounded once."""
    return to_cents(_EXACT.multiply(quantity, price))


def share_cents(total_cents: int, weights: Sequence[int | Decimal]) -> list[int]:
    """Splits an amount by weights so that the parts add up to it.

    Odd cents go to the largest fractions, among equal ones to the earlier. ValueError when no weight is above zero or
    one is below it.
    """
    exact = [Decimal(weight) for weight in weights]
    whole = sum(exact, Decimal(0))
    if whole <= 0 or any(weight < 0 for weight in exact):
        raise ValueError("An amount can only be shared among weights of zero or more, one of them above zero.")
    sign = -1 if total_cents < 0 else 1
    wanted = [_EXACT.divide(_EXACT.multiply(Decimal(abs(total_cents)), weight), whole) for weight in exact]
    parts = [int(part) for part in wanted]
    by_fraction = sorted(range(len(parts)), key=lambda at: (parts[at] - wanted[at], at))
    for at in by_fraction[: abs(total_cents) - sum(parts)]:
        parts[at] += 1
    return [sign * part for part in parts]
