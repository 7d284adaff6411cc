"""Charges: one per price item of a part, each turning use into lines of the bill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.billing.rules.line import (
    MICRO,
    PER_CENT,
    PRICE_SCALE,
    BillLine,
    BillPart,
    LineHead,
    half_up,
    on_step,
    units,
)
from portal.billing.rules.tariff import PriceItem
from portal.shared.problem import Problem


@dataclass(frozen=True, slots=True)
class Span:
    """Where a part lies in its period, in days since the first day."""

    before: int
    after: int
    period_days: int
    cycle_days: int | None
    normal_days: tuple[int, int] | None

    def of_limit(self, limit: Decimal, per_days: int | None) -> int:
        """A monthly block limit or cap, in micro units, for this part's days."""
        micro = int(limit * MICRO)
        days = per_days or self.period_days
        if self.before == 0 and self.after == days:
            return micro
        return on_step(micro * self.after, days) - on_step(micro * self.before, days)

    def share(self, mode: str) -> tuple[int, int]:
        """The part of a monthly charge that falls on this part's days, as a fraction."""
        days = self.after - self.before
        if mode == "per_30_days":
            return days, 30
        if mode == "per_cycle":
            return days, self.cycle_days or self.period_days
        if mode == "outside_normal" and self.normal_days is not None:
            low, high = self.normal_days
            if not low <= self.period_days <= high:
                return days, 30
        return days, self.period_days


# --- charges: one per price item of a part ---------------------------------------------------------------------------


class Charge:
    """A price item ready to be billed: appends its total to ``amounts`` and its lines to ``lines``."""

    __slots__ = ("whole_period",)

    def __init__(self) -> None:
        self.whole_period = False

    def bill(self, use: Mapping[str, int], amounts: list[int], lines: list[BillLine]) -> None:
        raise NotImplementedError


class Fixed(Charge):
    __slots__ = ("cents", "line")

    def __init__(self, head: LineHead) -> None:
        super().__init__()
        self.cents = half_up(head.price_e8 * head.numerator, head.denominator * (PRICE_SCALE // 100))
        self.line = BillLine(head, self.cents)

    def bill(self, use: Mapping[str, int], amounts: list[int], lines: list[BillLine]) -> None:
        amounts.append(self.cents)
        lines.append(self.line)


class PerUnit(Charge):
    """Flat price per unit, and an index tax: quantity x index price x percent."""

    __slots__ = ("bottom", "cap", "capped", "head", "quantity", "top")

    def __init__(self, head: LineHead, cap: int | None, capped: LineHead) -> None:
        super().__init__()
        self.head, self.cap, self.capped = head, cap, capped
        self.quantity = head.item.quantity
        self.top, self.bottom = head.price_e8, PER_CENT
        if head.item.kind == "index_tax":
            upper, lower = head.item.percent.as_integer_ratio()
            self.top, self.bottom = self.top * upper, PER_CENT * lower * 100

    def bill(self, use: Mapping[str, int], amounts: list[int], lines: list[BillLine]) -> None:
        quantity = use[self.quantity]
        head = self.head
        if self.cap is not None and quantity > self.cap:
            quantity, head = self.cap, self.capped
        cents = half_up(quantity * self.top, self.bottom)
        amounts.append(cents)
        lines.append(BillLine(head, cents, quantity))


class Blocks(Charge):
    """Marginal blocks: each price applies to the use between the limit below and its own."""

    __slots__ = ("cap", "quantity", "steps")

    def __init__(self, quantity: str, steps: list[tuple[int, int | None, LineHead, LineHead]], cap: int | None) -> None:
        super().__init__()
        self.quantity, self.steps, self.cap = quantity, steps, cap

    def bill(self, use: Mapping[str, int], amounts: list[int], lines: list[BillLine]) -> None:
        quantity = use[self.quantity]
        over_cap = self.cap is not None and quantity > self.cap
        if over_cap:
            quantity = self.cap or 0
        total = 0
        for low, high, head, capped in self.steps:
            if quantity <= low and low:
                break
            here = (quantity if high is None or quantity < high else high) - low
            cents = (2 * here * head.price_e8 + PER_CENT) // (2 * PER_CENT)
            total += cents
            last = over_cap and (high is None or quantity <= high)
            lines.append(BillLine(capped if last else head, cents, here))
        amounts.append(total)


class PerCount(Charge):
    """A monthly price per counted thing: units of runoff area, containers (times pickups a week)."""

    __slots__ = ("heads", "pickups")

    def __init__(self, heads: list[tuple[str, LineHead]], pickups: int | None) -> None:
        super().__init__()
        self.heads, self.pickups = heads, pickups

    def bill(self, use: Mapping[str, int], amounts: list[int], lines: list[BillLine]) -> None:
        total = 0
        for name, head in self.heads:
            count = use.get(name, 0)
            if count or len(self.heads) == 1:
                top = count * head.price_e8 * head.numerator * (1 if self.pickups is None else self.pickups)
                cents = half_up(top, head.denominator * PER_CENT)
                total += cents
                lines.append(BillLine(head, cents, count, None, self.pickups))
        amounts.append(total)


class Percent(Charge):
    __slots__ = ("bottom", "head", "rows", "top")

    def __init__(self, head: LineHead, rows: tuple[int, ...]) -> None:
        super().__init__()
        self.head, self.rows = head, rows
        self.top, self.bottom = head.item.percent.as_integer_ratio()
        self.bottom *= 100

    def bill(self, use: Mapping[str, int], amounts: list[int], lines: list[BillLine]) -> None:
        base = 0
        for row in self.rows:
            base += amounts[row]
        cents = half_up(base * self.top, self.bottom)
        amounts.append(cents)
        lines.append(BillLine(self.head, cents, None, base))


class Minimum(Charge):
    """Tops the lines it covers up to the minimum; no line when they reach it."""

    __slots__ = ("floor", "head", "rows")

    def __init__(self, head: LineHead, rows: tuple[int, ...]) -> None:
        super().__init__()
        self.head, self.rows = head, rows
        self.floor = half_up(head.price_e8 * head.numerator, head.denominator * (PRICE_SCALE // 100))

    def bill(self, use: Mapping[str, int], amounts: list[int], lines: list[BillLine]) -> None:
        base = sum(amounts[row] for row in self.rows)
        cents = max(self.floor - base, 0)
        amounts.append(cents)
        if cents:
            lines.append(BillLine(self.head, cents, None, base))


def charge_of(
    item: PriceItem,
    part: BillPart,
    span: Span,
    attributes: Mapping[str, Any],
    above: list[PriceItem],
    problems: list[Problem],
) -> Charge:
    top, bottom = span.share(item.prorate)

    def head(code: str, text: str, price: Decimal, unit: str = item.unit, cap: int | None = None) -> LineHead:
        return LineHead(item, part, code, text, unit, price, int(price * PRICE_SCALE), top, bottom, cap)

    rows = tuple(number for number, one in enumerate(above) if not set(item.of).isdisjoint(one.tags))
    cap = None if item.cap is None else span.of_limit(item.cap, None)
    if item.kind in ("flat", "index_tax"):
        plain = head(item.code, item.text, item.price)
        return PerUnit(plain, cap, head(item.code, item.text, item.price, cap=cap))
    if item.kind == "block":
        return Blocks(item.quantity, steps_of(item, span, cap, head), cap)
    if item.kind == "per_eru":
        return PerCount([(item.quantity, head(item.code, item.text, item.price))], None)
    if item.kind == "per_container":
        pickups = pickups_of(attributes, problems) if item.times_pickups else None
        heads = [(n, head(f"{item.code}_{n}", item.text, p, n.replace("_", " "))) for n, p in item.prices]
        return PerCount(heads, pickups)
    if item.kind == "percent":
        return Percent(head(item.code, item.text, item.percent), rows)
    if item.kind == "minimum":
        return Minimum(head(item.code, item.text, item.price), rows)
    price = item.price
    if item.kind == "per_meter_size":
        size = attributes.get("meter_size")
        sizes = dict(item.prices)
        if size not in sizes:
            known = ", ".join(sizes)
            said = "is missing" if size is None else f'"{size}" has no price'
            problems.append(Problem("attributes.meter_size", f"meter_size {said}; choose one of: {known}."))
        price = sizes.get(str(size), Decimal(0))
    return Fixed(head(item.code, item.text, price))


def steps_of(
    item: PriceItem, span: Span, cap: int | None, head: Any
) -> list[tuple[int, int | None, LineHead, LineHead]]:
    steps = []
    low = 0
    for number, block in enumerate(item.blocks):
        high = None if block.up_to is None else span.of_limit(block.up_to, item.block_days)
        if len(item.blocks) == 1:
            text = item.text
        elif high is None:
            text = f"{item.text}, over {units(low)} {item.unit}"
        else:
            text = f"{item.text}, {'next' if low else 'first'} {units(high - low)} {item.unit}"
        code = item.code if len(item.blocks) == 1 else f"{item.code}_t{number}"
        steps.append((low, high, head(code, text, block.price), head(code, text, block.price, cap=cap)))
        low = low if high is None else high
    return steps


def pickups_of(attributes: Mapping[str, Any], problems: list[Problem]) -> int | None:
    pickups = attributes.get("pickups_per_week")
    if type(pickups) is int and 1 <= pickups <= 14:
        return pickups
    sentence = "pickups_per_week must be a whole number from 1 to 14; the price is per weekly pickup."
    problems.append(Problem("attributes.pickups_per_week", sentence))
    return None
