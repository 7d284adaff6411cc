"""An adjustment worked out: how much, on which parts of a bill, what is left to credit, and how the amount was found.

Pure: no database, no clock. Money is whole cents; a credit to the customer is below zero.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from portal.billing.rules.adjustment_type import AdjustmentType
from portal.shared.money import format_cents, parse_money, price_cents, share_cents
from portal.shared.problem import Problem
from portal.shared.text import sensitive_sentence

AMOUNT, PERCENT = "amount", "percent"
PENDING, POSTED, REFUSED, WITHDRAWN, REVERSED = "pending", "posted", "refused", "withdrawn", "reversed"
STATES: Final = {
    PENDING: "waits for approval",
    POSTED: "posted",
    REFUSED: "refused",
    WITHDRAWN: "withdrawn",
    REVERSED: "taken back",
}
COUNTS: Final = frozenset({PENDING, POSTED})
"""What has happened or may still: it counts against limits, and uses up what is left of a bill."""
NOTE_MOST, WHY_MOST = 1000, 500
WHOLE_BILL: Final = "*"
"""Stands where a line's service kind would, for the bill as a whole."""
ACCOUNT_WHOLE: Final = ""
"""The service kind of an adjustment on the account as a whole."""


@dataclass(frozen=True)
class AdjustmentForm:
    """An adjustment as asked for. `amount` is what was typed: dollars, or percent of the line or bill."""

    account_id: int
    type_code: str = ""
    reason_code: str = ""
    bill_id: int | None = None
    service_kind: str = ""
    """The bill's line; WHOLE_BILL for all of it; for an adjustment on no bill, the service it is for or empty."""
    by: str = AMOUNT
    amount: str = ""
    note: str = ""
    months: int | None = None
    """How far back a charge for the past reaches."""
    conversation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a bill."""

    code: str
    name: str
    cents: int
    quantity: Decimal | None = None
    price: Decimal | None = None
    tax: bool = False
    """Owed to somebody else: follows what it is taken of."""
    metered: bool = False
    """Its quantity is use, so that excess use can be priced by it."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a bill charges for one service."""

    service_kind: str
    name: str
    items: tuple[Item, ...]

    @property
    def cents(self) -> int:
        return sum(item.cents for item in self.items)


@dataclass(frozen=True, slots=True)
class BillFacts:
    """A bill as issued, by lines."""

    bill_id: int
    number: str
    billed_on: dt.date
    due_on: dt.date
    from_on: dt.date
    to_on: dt.date
    lines: tuple[Line, ...]

    @property
    def cents(self) -> int:
        return sum(line.cents for line in self.lines)

    def line(self, service_kind: str) -> Line | None:
        return next((line for line in self.lines if line.service_kind == service_kind), None)


@dataclass(frozen=True, slots=True)
class Part:
    """What an adjustment does to one service of a bill, or to one item of it."""

    service_kind: str
    item: str | None
    words: str
    cents: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """An adjustment there is already on the account."""

    number: str
    type_code: str
    limit_kind: str
    amount_cents: int
    parts: tuple[Part, ...]
    state_code: str
    bill_id: int | None
    counted_on: dt.date
    """The day it was posted; for one that waits, the day it was asked for."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The use a line's meter showed, as people speak of it."""

    quantity: Decimal
    """The median of the other periods."""
    this_period: Decimal
    unit: str
    latest: Decimal | None = None
    """The newest period, when it is later than the bill's."""
    latest_label: str = ""


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """An adjustment ready to be posted or asked for."""

    parts: tuple[Part, ...]
    how: tuple[str, ...]
    exception: str = ""
    """Why somebody else must decide whatever the amount; empty when nothing is out of the ordinary."""

    @property
    def amount_cents(self) -> int:
        return sum(part.cents for part in self.parts)


@dataclass(frozen=True)
class Facts:
    """What an adjustment is worked out from."""

    kind: AdjustmentType
    today: dt.date
    bill: BillFacts | None = None
    earlier: Sequence[Earlier] = ()
    """All earlier adjustments of the account, whatever became of them."""
    names: Mapping[str, str] | None = None
    """Service kinds by code."""
    usual: Usual | None = None
    fee_cents: int | None = None
    """What the fee schedule says today, for a type that is a fee."""

    def name(self, service_kind: str) -> str:
        return (self.names or {}).get(service_kind, service_kind.replace("_", " ").capitalize())


# --- what is left to credit ---------------------------------------------------------------------------------------------


class Left:
    """What of a bill can still be credited, after what was posted on it and what waits."""

    def __init__(self, bill: BillFacts, earlier: Iterable[Earlier]) -> None:
        self.bill = bill
        self.on_it = [one for one in earlier if one.bill_id == bill.bill_id and one.state_code in COUNTS]
        self._parts = [
            part for one in self.on_it for part in one.parts if one.state_code == POSTED or part.cents < 0
        ]  # a charge that waits adds nothing to what can be credited

    def whole(self) -> int:
        return max(0, self.bill.cents + sum(part.cents for part in self._parts))

    def line(self, line: Line) -> int:
        """Of everything a line charges."""
        used = sum(part.cents for part in self._parts if part.service_kind == line.service_kind)
        return max(0, min(line.cents + used, self.whole()))

    def items(self, line: Line, chosen: Sequence[Item]) -> int:
        """Of some items of a line. What was credited on the line without naming an item may have been any of them."""
        codes = {item.code for item in chosen}
        used = sum(
            part.cents
            for part in self._parts
            if part.service_kind == line.service_kind and (part.item is None or part.item in codes)
        )
        return max(0, min(sum(item.cents for item in chosen) + used, self.line(line)))

    def tax(self, line: Line, item: Item) -> int:
        """Of one tax of a line."""
        used = sum(
            part.cents for part in self._parts if part.service_kind == line.service_kind and part.item == item.code
        )
        return max(0, min(item.cents + used, self.line(line)))

    def words(self) -> str:
        """Which adjustments have used it up: “$36.48 as AJ-26-… (waits for approval)”."""
        return ", ".join(
            f"{format_cents(abs(one.amount_cents))} as {one.number}"
            + (" (waits for approval)" if one.state_code == PENDING else "")
            for one in self.on_it
            if one.amount_cents < 0
        )


def chosen_items(kind: AdjustmentType, line: Line) -> tuple[Item, ...]:
    """The items of a line that an amount or percentage is of: the type's own, and no tax where taxes follow by themselves."""
    if kind.item_codes:
        return tuple(item for item in line.items if item.code in kind.item_codes)
    if kind.taxes_follow:
        return tuple(item for item in line.items if not item.tax)
    return line.items


def fitting_lines(kind: AdjustmentType, bill: BillFacts) -> tuple[Line, ...]:
    """The lines of a bill the type can be made on, in the bill's order."""
    return tuple(
        line
        for line in bill.lines
        if kind.fits(line.service_kind) and sum(item.cents for item in chosen_items(kind, line)) > 0
    )


# --- a proposal ---------------------------------------------------------------------------------------------------------


def excess_of(line: Line, usual: Usual) -> tuple[Decimal, int] | None:
    """(excess use as people speak of it, what the bill charged for it): the highest-priced use is the excess. None without
    any excess or use on the bill."""
    if usual.this_period <= usual.quantity:
        return None
    excess = usual.this_period - usual.quantity
    groups: dict[str, list[Item]] = {}
    for item in line.items:
        if item.metered and item.quantity and item.price is not None:
            groups.setdefault(re.sub(r"_t\d+$", "", item.code), []).append(item)
    cents = 0
    for items in groups.values():  # each price of the use on its own; of a price by blocks the highest first
        rest = sum((item.quantity for item in items if item.quantity), Decimal(0)) * excess / usual.this_period
        for item in reversed(items):
            assert item.quantity is not None
            assert item.price is not None
            taken = min(rest, item.quantity)
            cents += price_cents(taken, item.price)
            rest -= taken
    return (excess, cents) if cents else None


def proposal(facts: Facts, service_kind: str) -> tuple[int, tuple[str, ...]] | None:
    """(cents, how they were found) the type's own rule offers for a line or fee; None where it offers nothing."""
    kind = facts.kind
    if kind.fee_code and facts.fee_cents is not None:
        return facts.fee_cents, (f"The fee schedule says {format_cents(facts.fee_cents)}.",)
    line = None if facts.bill is None else facts.bill.line(service_kind)
    if kind.item_codes and line is not None and facts.bill is not None:
        left = Left(facts.bill, facts.earlier).items(line, chosen_items(kind, line))
        return (left, (f"{format_cents(left)} of it stands on the bill.",)) if left else None
    if kind.share_of_excess is None or line is None or facts.usual is None:
        return None
    found = excess_of(line, facts.usual)
    if found is None:
        return None
    excess, cents = found
    offered = _half_up(Fraction(kind.share_of_excess) / 100 * cents)
    usual = facts.usual
    words = (
        f"Excess is {usual.this_period:,f} − {usual.quantity:,f} = {excess:,f} {usual.unit}, {format_cents(cents)} at the "
        f"rates above. {_share_words(kind.share_of_excess)} of it: {format_cents(offered)}."
    )
    return offered, (words,)


def _share_words(percent: Decimal) -> str:
    return "Half" if percent == 50 else f"{percent.normalize():f}%"


# --- working it out -----------------------------------------------------------------------------------------------------


def work_out(form: AdjustmentForm, facts: Facts) -> tuple[WorkedOut | None, list[Problem]]:
    """The parts of an adjustment and how they were found; or every problem, each with its field and remedy."""
    kind = facts.kind
    problems = [*_what_problems(form, kind), *note_problems(form, kind)]
    bill, line = facts.bill, None
    if kind.needs_bill:
        problems += _bill_problems(form, facts)
        line = None if bill is None else bill.line(form.service_kind)
    elif form.service_kind and not kind.fits(form.service_kind):
        problems.append(
            Problem("line", f"{kind.name} is not for {facts.name(form.service_kind).lower()}. Choose another service.")
        )
    elif kind.service_kinds and not form.service_kind:
        problems.append(Problem("line", "Service is empty. Choose the service the charge is for."))
    problems += _month_problems(form, kind)
    lines = () if bill is None else fitting_lines(kind, bill) if line is None else (line,)
    base = sum(item.cents for each in lines for item in chosen_items(kind, each))
    cents, typed_problems = typed_cents(form, base if kind.needs_bill else None)
    problems += typed_problems
    if problems or cents is None:
        return None, problems
    offered = proposal(facts, form.service_kind)
    if kind.fee_code and facts.fee_cents is not None and cents > facts.fee_cents:
        return None, [Problem("amount", f"The fee schedule says {format_cents(facts.fee_cents)}. Enter at most that.")]
    how = []
    if offered is not None and offered[0] == cents:
        how += offered[1]
    elif form.by == PERCENT:
        how.append(f"{_percent(form.amount):f}% of {format_cents(base)} is {format_cents(cents)}.")
    elif base:
        of_what = "the bill" if form.service_kind == WHOLE_BILL else "the line"
        how.append(f"{format_cents(cents)} of {of_what}’s {format_cents(base)}.")
    else:
        how.append(f"{format_cents(cents)} as typed.")
    if form.months:
        how.append(f"For {form.months} months back; at most {kind.months_back_most} may be billed.")
    if bill is None:
        words = kind.name if not form.service_kind else f"{kind.name}, {facts.name(form.service_kind).lower()}"
        parts: list[Part] = [Part(form.service_kind, None, words, kind.sign * cents)]
    else:
        parts, more, too_much = _parts_of_bill(form, facts, bill, lines, base, cents)
        if too_much:
            return None, too_much
        how += more
    exception = _exception(facts)
    how.append(exception or _how_often(facts))
    return WorkedOut(tuple(part for part in parts if part.cents), tuple(one for one in how if one), exception), []


def _parts_of_bill(
    form: AdjustmentForm, facts: Facts, bill: BillFacts, lines: Sequence[Line], base: int, cents: int
) -> tuple[list[Part], list[str], list[Problem]]:
    """The parts on a bill, sentences on what follows, and the refusal when more is asked for than is left."""
    kind, sign = facts.kind, facts.kind.sign
    left = Left(bill, facts.earlier)
    room = {line.service_kind: left.items(line, chosen_items(kind, line)) for line in lines}
    most = min(sum(room.values()), left.whole())
    if kind.is_credit and cents > most:
        return [], [], [_too_much(form, left, most, base, before_tax=kind.taxes_follow)]
    share = Fraction(cents, base)
    item = kind.item_codes[0] if len(kind.item_codes) == 1 else None
    parts, how = [], []
    if form.service_kind == WHOLE_BILL and "{service_kind}" not in kind.ledger_account:
        parts.append(Part("", None, f"{kind.name}, whole bill", sign * cents))
        weights: list[int] = []
    elif kind.is_credit:
        weights = share_cents(cents, [room[line.service_kind] for line in lines])
    else:
        weights = share_cents(cents, [sum(each.cents for each in chosen_items(kind, line)) for line in lines])
    for line, part_cents in zip(lines, weights, strict=False):
        parts.append(Part(line.service_kind, item, f"{kind.name}, {line.name.lower()}", sign * part_cents))
    touched = list(lines) if weights else []
    for also in kind.also:
        follower = bill.line(also.service_kind)
        if follower is None or follower in touched or (also.of and also.of != form.service_kind):
            continue
        of = sum(each.cents for each in chosen_items(kind, follower))
        followed = _half_up(share * of)
        if kind.is_credit:
            followed = min(followed, left.items(follower, chosen_items(kind, follower)))
        if followed:
            parts.append(Part(follower.service_kind, None, also.words, sign * followed))
            how.append(
                f"{also.words}: the same {_share_percent(share)} of {format_cents(of)} is {format_cents(followed)}."
            )
            touched.append(follower)
    if kind.taxes_follow:
        taxes = _taxes(kind, left, touched, share)
        if taxes:
            parts += taxes
            how.append(f"Taxes by the same share: {format_cents(abs(sum(part.cents for part in taxes)))}.")
    # Halves rounded up can add up to a cent more than the bill has left; the last parts give way.
    over = -sum(part.cents for part in parts) - left.whole() if kind.is_credit else 0
    for at in range(len(parts) - 1, 0, -1):
        give = min(max(over, 0), -parts[at].cents)
        if give > 0:
            was = parts[at]
            parts[at] = Part(was.service_kind, was.item, was.words, was.cents + give)
            over -= give
    return parts, how, []


def _taxes(kind: AdjustmentType, left: Left, lines: Iterable[Line], share: Fraction) -> list[Part]:
    """The taxes of these lines, by the same share."""
    found = []
    for line in lines:
        for item in line.items:
            if not item.tax:
                continue
            cents = _half_up(share * item.cents)
            if kind.is_credit:
                cents = min(cents, left.tax(line, item))
            if cents:
                found.append(Part(line.service_kind, item.code, f"{item.name}, {line.name.lower()}", kind.sign * cents))
    return found


def _too_much(form: AdjustmentForm, left: Left, most: int, base: int, *, before_tax: bool) -> Problem:
    what = "this bill" if form.service_kind == WHOLE_BILL else "this line"
    before = left.words()
    after = f", after {before}" if before and most < base else ""
    tax = " before tax" if before_tax else ""
    remedy = f"Enter at most {format_cents(most)}." if most else "Choose another line or bill."
    if form.by == PERCENT and most:
        remedy = f"Choose amount, and enter at most {format_cents(most)}."
    return Problem("amount", f"Only {format_cents(most)} of {what} is left to credit{tax}{after}. {remedy}")


def _share_percent(share: Fraction) -> str:
    return f"{round(Decimal(share.numerator) / Decimal(share.denominator) * 100, 2).normalize():f}%"


def _half_up(amount: Fraction) -> int:
    """Whole cents, half a cent up; amounts here are never below zero."""
    return int(amount + Fraction(1, 2))


# --- problems -----------------------------------------------------------------------------------------------------------


def _what_problems(form: AdjustmentForm, kind: AdjustmentType) -> list[Problem]:
    if kind.reason(form.reason_code) is None:
        return [Problem("what", "The reason is not one of this type. Choose what it is for again.")]
    return []


def note_problems(form: AdjustmentForm, kind: AdjustmentType) -> list[Problem]:
    reason = kind.reason(form.reason_code)
    note = form.note.strip()
    if not note:
        needed = (
            f" Write what you saw: {reason.evidence[:1].lower()}{reason.evidence[1:]}."
            if reason and reason.evidence
            else ""
        )
        return (
            [Problem("note", f"Why is empty, and this reason needs it.{needed}")]
            if reason and reason.needs_note
            else []
        )
    return words_problems("note", "Why", note, NOTE_MOST)


def words_problems(field: str, label: str, words: str, most: int) -> list[Problem]:
    """What keeps words from being stored: too long, unprintable, or holding a number that is never kept."""
    if len(words) > most:
        return [Problem(field, f"{label} has {len(words):,} characters. Shorten it to at most {most:,}.")]
    if any(ord(letter) < 32 and letter not in "\n\t\r" for letter in words):
        return [Problem(field, f"{label} holds a character that cannot be shown. Type it anew instead of pasting it.")]
    sentence = sensitive_sentence(words, label)
    return [Problem(field, sentence)] if sentence else []


def _bill_problems(form: AdjustmentForm, facts: Facts) -> list[Problem]:
    kind, bill = facts.kind, facts.bill
    if bill is None or form.bill_id != bill.bill_id:
        return [Problem("bill", "Bill is empty. Choose the bill this is about.")]
    fitting = fitting_lines(kind, bill)
    if not fitting:
        wanted = " or ".join(facts.name(each).lower() for each in kind.service_kinds) or "such"
        what = f"no {kind.item_codes[0].replace('_', ' ')}" if kind.item_codes else f"no {wanted} line"
        return [
            Problem("bill", f"This bill has {what} that {kind.name.lower()} could be made on. Choose another bill.")
        ]
    if form.service_kind == WHOLE_BILL:
        if "bill" not in kind.covers:
            return [Problem("line", f"{kind.name} is made on one line of a bill. Choose the line.")]
        return []
    line = bill.line(form.service_kind)
    if line is None:
        return [Problem("line", "Line is empty. Choose the line of the bill this is about.")]
    if line not in fitting:
        return [Problem("line", f"{kind.name} is not for {line.name.lower()}. Choose another line.")]
    if "line" not in kind.covers:
        return [Problem("line", f"{kind.name} is made on a whole bill. Choose the whole bill.")]
    return []


def _month_problems(form: AdjustmentForm, kind: AdjustmentType) -> list[Problem]:
    most = kind.months_back_most
    if most is None:
        return []
    if form.months is None or form.months < 1:
        return [Problem("months", "Months back is empty. Enter for how many months too little was billed.")]
    if form.months > most:
        source = f" ({kind.citation})" if kind.citation else ""
        return [
            Problem(
                "months",
                f"{form.months} months back is too far: at most {most} may be billed{source}. Enter {most} or fewer.",
            )
        ]
    return []


def typed_cents(form: AdjustmentForm, base_cents: int | None) -> tuple[int | None, list[Problem]]:
    """Cents of the amount or percentage typed, above zero. `base_cents`: what a percentage is of; None: percent has no sense."""
    typed = form.amount.strip()
    if form.by not in (AMOUNT, PERCENT):
        return None, [Problem("by", "Choose amount or percent.")]
    if form.by == PERCENT:
        if base_cents is None:
            return None, [Problem("by", "Percent needs a bill to be of. Choose amount instead.")]
        if not typed:
            return None, [Problem("amount", "Percent is empty. Enter how much of the line, like 50.")]
        percent = _percent(typed)
        if percent is None:
            return None, [Problem("amount", f"“{typed[:40]}” is not a percentage. Enter a number like 50 or 37.5.")]
        if not 0 < percent <= 100:
            return None, [Problem("amount", f"{percent:f}% is not possible. Enter more than 0 and at most 100.")]
        cents = _half_up(Fraction(percent) / 100 * base_cents)
        if not cents:
            return None, [
                Problem("amount", f"{percent:f}% of {format_cents(base_cents)} is less than a cent. Enter more.")
            ]
        return cents, []
    try:
        cents = parse_money(typed)
    except ValueError as error:
        return None, [
            Problem("amount", f"Amount: {error}" if typed else "Amount is empty. Enter dollars and cents, like 25.00.")
        ]
    if cents <= 0:
        return None, [Problem("amount", "Amount must be above zero; the type says whether it is a credit or a charge.")]
    return cents, []


def _percent(typed: str) -> Decimal | None:
    """A percentage as typed, with or without the sign, to a hundredth; None when it is not one."""
    text = typed.strip().removesuffix("%").strip()
    if len(text) > 12 or not text.replace(".", "", 1).isascii() or not text.replace(".", "", 1).isdigit():
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if round(number, 2) == number else None


# --- how often ----------------------------------------------------------------------------------------------------------


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day so many months before; the last day of a shorter month."""
    month = day.year * 12 + day.month - 1 - months
    year, month = month // 12, month % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month, min(last, day.day))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def of_12_months(kind_code: str, earlier: Iterable[Earlier], today: dt.date) -> list[Earlier]:
    """Adjustments of one type that count in the rolling 12 months, newest first."""
    since = months_before(today, 12)
    found = [
        one for one in earlier if one.type_code == kind_code and one.state_code in COUNTS and one.counted_on > since
    ]
    return sorted(found, key=lambda one: (one.counted_on, one.number), reverse=True)


def _exception(facts: Facts) -> str:
    """Why this one is more than the policy gives; empty when it is not."""
    most = facts.kind.most_in_12_months
    if most is None:
        return ""
    before = of_12_months(facts.kind.code, facts.earlier, facts.today)
    if len(before) < most:
        return ""
    numbers = ", ".join(one.number for one in before[:3])
    often = "once" if most == 1 else "twice" if most == 2 else f"{most} times"
    return (
        f"An exception: {facts.kind.name.lower()} is given {often} in 12 months, and {numbers} came before. "
        f"{facts.kind.text} Somebody else decides, whatever the amount."
    )


def _how_often(facts: Facts) -> str:
    if facts.kind.most_in_12_months is None:
        return ""
    before = of_12_months(facts.kind.code, facts.earlier, facts.today)
    name = facts.kind.name.lower()
    if not before:
        return f"No other {name} in 12 months."
    return f"{len(before)} of {facts.kind.most_in_12_months} {name}s in 12 months before this one."


def still_left(parts: Sequence[Part], bill: BillFacts | None, others: Iterable[Earlier]) -> Problem | None:
    """Why a credit asked for earlier can no longer be given: something else was credited on its bill meanwhile.

    `others`: the account's other adjustments. Those that wait were there to be seen; only what was posted takes away."""
    if bill is None:
        return None
    left = Left(bill, [one for one in others if one.state_code == POSTED])
    total = -sum(part.cents for part in parts)
    if total <= 0:
        return None
    by_kind: dict[str, int] = {}
    for part in parts:
        by_kind[part.service_kind] = by_kind.get(part.service_kind, 0) - part.cents
    for service_kind, cents in by_kind.items():
        line = bill.line(service_kind)
        if line is not None and cents > left.line(line):
            return Problem(
                "",
                f"Only {format_cents(left.line(line))} of {line.name.lower()} on {bill.number} is left to credit: "
                f"{left.words()} came meanwhile. Refuse this one, and ask for what is left.",
            )
    if total > left.whole():
        return Problem(
            "",
            f"Only {format_cents(left.whole())} of {bill.number} is left to credit: {left.words()} came meanwhile. "
            "Refuse this one, and ask for what is left.",
        )
    return None
