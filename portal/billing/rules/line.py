"""A bill's parts and lines: what each says about itself, and the exact numbers and words they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from portal.billing.rules.tariff import PriceItem
from portal.shared.money import format_cents

MICRO = 10**6
PRICE_SCALE = 10**8
# A price times a quantity is in 10^-14 dollars; this many of them are one cent.
PER_CENT = PRICE_SCALE * MICRO // 100
# Divided quantities are published, and therefore priced, to a thousandth of a unit.
SPLIT_STEP = MICRO // 1000


@dataclass(frozen=True, slots=True)
class BillPart:
    """The stretch of a period under one version of the prices; ``quantities`` are the use billed in it."""

    version_code: str
    source: str
    from_on: date
    to_on: date
    days: int
    period_days: int

    @property
    def text(self) -> str:
        last = self.to_on - timedelta(days=1)
        return f"{day_words(self.from_on)} to {day_words(last)}: {self.days} of {self.period_days} days at the rates then in force"


@dataclass(frozen=True, slots=True)
class LineHead:
    """What is fixed about a bill line before the quantity is known: whose price, for which days, in which block."""

    item: PriceItem
    part: BillPart
    code: str
    text: str
    unit: str = ""
    price: Decimal = Decimal(0)
    price_e8: int = 0
    numerator: int = 1
    denominator: int = 1
    cap_micro: int | None = None


# A named tuple: a dataclass costs three times as much to make, and a billing run makes millions of lines.
class BillLine(NamedTuple):
    """One line of a bill. ``base_cents`` is what a percentage or a minimum was taken of."""

    head: LineHead
    amount_cents: int
    quantity_micro: int | None = None
    base_cents: int | None = None
    pickups: int | None = None

    @property
    def code(self) -> str:
        return self.head.code

    @property
    def text(self) -> str:
        return self.head.text

    @property
    def item_code(self) -> str:
        return self.head.item.code

    @property
    def tags(self) -> tuple[str, ...]:
        return self.head.item.tags

    @property
    def gl_code(self) -> str:
        return self.head.item.gl_code

    @property
    def unit(self) -> str:
        return self.head.unit

    @property
    def from_on(self) -> date:
        return self.head.part.from_on

    @property
    def to_on(self) -> date:
        return self.head.part.to_on

    @property
    def version_code(self) -> str:
        return self.head.part.version_code

    @property
    def quantity(self) -> Decimal | None:
        return None if self.quantity_micro is None else plain(Decimal(self.quantity_micro).scaleb(-6))

    @property
    def price(self) -> Decimal:
        """Dollars per unit or per month, as the tariff writes it; for a percentage, the percent."""
        return self.head.price

    @property
    def trace(self) -> str:
        """How the amount came about, in one sentence that can be read aloud."""
        item = self.head.item
        result = f" = {format_cents(self.amount_cents)}"
        share = ""
        if self.head.numerator != self.head.denominator and item.kind not in ("flat", "block", "index_tax", "percent"):
            share = f" × {self.head.numerator}/{self.head.denominator} days"
        price = price_text(self.price)
        if item.kind == "percent":
            return f"{self.text}: {trim(item.percent)}% of {format_cents(self.base_cents or 0)}{result}"
        if item.kind == "minimum":
            return (
                f"{self.text}: minimum {price}{share}, less {format_cents(self.base_cents or 0)} billed above{result}"
            )
        if self.quantity is None:
            return f"{self.text}: {price}{share}{result}"
        amount = f"{trim(self.quantity)} {self.unit}".rstrip()
        if item.kind == "index_tax":
            return f"{self.text}: {amount} × index price {price} × {trim(item.percent)}%{result}"
        pickups = "" if self.pickups is None else f" × {self.pickups} pickups a week"
        capped = ""
        if self.head.cap_micro is not None:
            capped = f" (billed up to {trim(Decimal(self.head.cap_micro).scaleb(-6))} {self.unit})"
        return f"{self.text}: {amount}{capped} × {price}{pickups}{share}{result}"


# --- numbers and words -------------------------------------------------------------------------------------------------


def half_up(top: int, bottom: int) -> int:
    """top / bottom to the nearest whole, halves away from zero, as on every bill (bottom above 0)."""
    if top >= 0:
        return (2 * top + bottom) // (2 * bottom)
    return -((bottom - 2 * top) // (2 * bottom))


def on_step(top: int, bottom: int) -> int:
    return half_up(top, bottom * SPLIT_STEP) * SPLIT_STEP


def plain(number: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent."""
    return Decimal(trim(number).replace(",", ""))


def trim(number: Decimal) -> str:
    text = f"{number:,f}" if abs(number) >= 1000 else f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_text(price: Decimal) -> str:
    """All the digits a price has, and never fewer than the cents."""
    whole, _, rest = trim(price).partition(".")
    return f"${whole}.{rest.ljust(2, '0')}"


def units(micro: int) -> str:
    return trim(Decimal(micro).scaleb(-6))


def day_words(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"
