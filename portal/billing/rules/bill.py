"""Computing one service's bill for one period, with every line able to say how it came about.

All arithmetic is exact in scaled integers: prices in units of 10^-8 dollars, quantities in units of 10^-6. Each line
is rounded once, half up, to the cent; the total is the sum of the lines and is never computed again.
A period is half-open: the first day is billed, the last day is not, so that adjoining bills never share a day.
Where prices change inside a period, or a season begins, the period is divided there: use goes by days (unless a read
for that day is known), block limits and caps go with it, and the division is part of the result.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from portal.billing.rules.charge import Charge, Span, charge_of
from portal.billing.rules.line import MICRO, BillLine, BillPart, day_words, half_up, on_step
from portal.billing.rules.pack import exact_decimal
from portal.billing.rules.tariff import LOCATIONS, Conversion, PriceItem, Tariff, TariffVersion
from portal.shared.problem import Problem

_LARGEST_QUANTITY = 10**12
_LONGEST_DAYS = 3660
_PLANS_KEPT = 4096

Quantity = int | Decimal | str
_PLAN_ATTRIBUTES = frozenset({"customer_class", "location", "meter_size", "pickups_per_week"})
_NO_ATTRIBUTES: Mapping[str, Any] = {}


class ComputedBill(NamedTuple):
    """A bill, or the problems that prevent one: then no lines and ``total_cents`` None."""

    lines: tuple[BillLine, ...]
    total_cents: int | None
    problems: tuple[Problem, ...] = ()
    parts: tuple[BillPart, ...] = ()

    def cents_of(self, *tags: str) -> int:
        """The sum of the lines that carry any of the tags."""
        return sum(line.amount_cents for line in self.lines if not set(tags).isdisjoint(line.tags))


class CompiledTariff:
    """A tariff made ready for many bills; share it freely between threads.

    What depends only on dates and attributes (versions in force, block limits, prorated charges) is worked out once
    per combination and kept: the accounts of one cycle share it.
    """

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff
        self.conversions = tariff.conversions
        self.factor_names = {name for conversion in tariff.conversions for name in conversion.factors}
        self.attribute_names = _PLAN_ATTRIBUTES | self.factor_names
        derived = {conversion.code for conversion in tariff.conversions}
        used = {name for version in tariff.versions for item in version.items for name in _quantities(item)}
        self.quantity_names = (used - derived) | {conversion.from_quantity for conversion in tariff.conversions}
        self._starts = [version.effective_from for version in tariff.versions]
        self._plans: dict[tuple[object, ...], _Plan] = {}

    def plan(self, from_on: date, to_on: date, attributes: Mapping[str, Any], cycle_days: int | None) -> _Plan:
        get = attributes.get
        key = (from_on, to_on, cycle_days, *map(get, ("customer_class", "location", "meter_size", "pickups_per_week")))
        found = self._plans.get(key)
        if found is None:
            found = _make_plan(self, from_on, to_on, attributes, cycle_days)
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            self._plans[key] = found
        return found

    def versions_between(self, from_on: date, to_on: date) -> list[TariffVersion]:
        first = max(bisect_right(self._starts, from_on) - 1, 0)
        return [one for one in self.tariff.versions[first:] if one.effective_from < to_on]


def compile_tariff(tariff: Tariff) -> CompiledTariff:
    """Prepare a tariff for `compute_bill`; keep the result as long as the tariff does not change."""
    return CompiledTariff(tariff)


def compute_bill(
    tariff: CompiledTariff,
    from_on: date,
    to_on: date,
    quantities: Mapping[str, Quantity],
    attributes: Mapping[str, Any] = _NO_ATTRIBUTES,
    *,
    cycle_days: int | None = None,
    known_use: Mapping[date, Mapping[str, Quantity]] | None = None,
) -> ComputedBill:
    """The bill of one service for [from_on, to_on).

    ``quantities`` by name in the tariff's units ("kwh", "cgal", "eru", a container kind …); ``attributes``:
    customer_class, location (inside or outside), meter_size, pickups_per_week and the factors the tariff converts
    with. ``cycle_days``: days of the cycle's full period. ``known_use``: use since from_on as read on days within
    the period; a price change on such a day divides the use by the read instead of by days.
    """
    problems: list[Problem] = []
    if not attributes.keys() <= tariff.attribute_names:
        for name in sorted(attributes.keys() - tariff.attribute_names):
            known = ", ".join(sorted(tariff.attribute_names))
            problems.append(Problem(f"attributes.{name}", f"{name} is not used by this tariff; it knows {known}."))
    use = _use(tariff, quantities, "quantities", problems)
    plan = tariff.plan(from_on, to_on, attributes, cycle_days)
    if plan.problems or problems:
        return ComputedBill((), None, (*plan.problems, *problems))
    if tariff.conversions:
        for conversion in tariff.conversions:
            _convert(conversion, use, attributes, problems)
    if not plan.needs <= use.keys() or plan.one_of:
        _missing(plan, use, problems)
    if problems:
        return ComputedBill((), None, tuple(problems))
    lines: list[BillLine] = []
    if len(plan.parts) == 1:
        amounts: list[int] = []
        for charge in plan.charges[0]:
            charge.bill(use, amounts, lines)
        return ComputedBill(tuple(lines), sum(amounts), (), plan.parts)
    divided = _divide(tariff, plan, use, known_use, problems)
    if problems:
        return ComputedBill((), None, tuple(problems))
    total = 0
    for charges, part_use in zip(plan.charges, divided, strict=True):
        amounts = []
        for charge in charges:
            charge.bill(use if charge.whole_period else part_use, amounts, lines)
        total += sum(amounts)
    return ComputedBill(tuple(lines), total, (), plan.parts)


# --- quantities ---------------------------------------------------------------------------------------------------


def _use(
    tariff: CompiledTariff, quantities: Mapping[str, Quantity], where: str, problems: list[Problem]
) -> dict[str, int]:
    use: dict[str, int] = {}
    for name, value in quantities.items():
        if name not in tariff.quantity_names:
            known = ", ".join(sorted(tariff.quantity_names)) or "no quantity"
            problems.append(Problem(f"{where}.{name}", f"{name} is not billed by this tariff; it bills {known}."))
        elif type(value) is int and 0 <= value < _LARGEST_QUANTITY:
            use[name] = value * MICRO
        else:
            use[name] = _micro(value, f"{where}.{name}", problems)
    return use


def _micro(value: object, name: str, problems: list[Problem]) -> int:
    number = exact_decimal(value)
    if number is None:
        problems.append(Problem(name, f"{name} must be a whole number, or a decimal number in quotes."))
        return 0
    if not 0 <= number < _LARGEST_QUANTITY:
        problems.append(Problem(name, f"{name} must be from 0 to below {_LARGEST_QUANTITY:,}."))
        return 0
    top, bottom = number.as_integer_ratio()
    scaled, left = divmod(top * MICRO, bottom)
    if left:
        problems.append(Problem(name, f"{name} must have at most 6 decimal places."))
    return scaled


def _convert(
    conversion: Conversion, use: dict[str, int], attributes: Mapping[str, Any], problems: list[Problem]
) -> None:
    measured = use.get(conversion.from_quantity)
    if measured is None:
        name = conversion.from_quantity
        problems.append(
            Problem(f"quantities.{name}", f"{name} is missing; this tariff bills {conversion.code} from it.")
        )
        return
    top, bottom = conversion.times.as_integer_ratio()
    top *= measured
    for name in conversion.factors:
        factor = exact_decimal(attributes.get(name))
        if factor is None or not 0 < factor < 1000:
            sentence = f"{name} must be a number above 0, in quotes; {conversion.code} are computed with it."
            problems.append(Problem(f"attributes.{name}", sentence))
            return
        upper, lower = factor.as_integer_ratio()
        top, bottom = top * upper, bottom * lower
    step = 1 if conversion.decimals is None else 10 ** (6 - conversion.decimals)
    use[conversion.code] = half_up(top, bottom * step) * step


def _missing(plan: _Plan, use: dict[str, int], problems: list[Problem]) -> None:
    problems.extend(
        Problem(f"quantities.{name}", f"{name} is missing; this tariff bills by it.")
        for name in sorted(plan.needs - use.keys())
    )
    for names in plan.one_of:
        if use.keys().isdisjoint(names):
            choices = ", ".join(sorted(names))
            problems.append(Problem("quantities", f"No container is named; give a count for one of: {choices}."))


def _divide(
    tariff: CompiledTariff,
    plan: _Plan,
    use: dict[str, int],
    known_use: Mapping[date, Mapping[str, Quantity]] | None,
    problems: list[Problem],
) -> list[dict[str, int]]:
    """The use of each part. Divided by cumulative rounding, so that the parts always add up to the whole."""
    start, days = plan.parts[0].from_on, plan.parts[0].period_days
    ends = [(part.to_on - start).days for part in plan.parts]
    sums: dict[str, list[int]] = {}
    for name, whole in use.items():
        if name in tariff.quantity_names:
            points = _points(name, whole, start, days, known_use, problems)
            sums[name] = [_sum_at(points, end) for end in ends]
    for conversion in tariff.conversions:
        measured, whole = use[conversion.from_quantity], use[conversion.code]
        cumulative = sums[conversion.from_quantity]
        sums[conversion.code] = [on_step(whole * one, measured) if measured else 0 for one in cumulative[:-1]] + [whole]
    shares = {name: [b - a for a, b in zip([0, *running], running, strict=False)] for name, running in sums.items()}
    # What is counted, not measured (units of runoff area, containers), is not divided: its monthly price is.
    shares |= {name: [use[name]] * len(ends) for name in plan.counted & use.keys()}
    return [{name: share[number] for name, share in shares.items()} for number in range(len(ends))]


def _points(
    name: str,
    whole: int,
    start: date,
    days: int,
    known_use: Mapping[date, Mapping[str, Quantity]] | None,
    problems: list[Problem],
) -> list[tuple[int, int]]:
    """Use since the first day, as (days, micro units): nothing at the start, what was read between, all at the end."""
    points = [(0, 0)]
    for day in sorted(known_use or ()):
        if known_use and name in known_use[day]:
            where = f"known_use.{day.isoformat()}.{name}"
            value = _micro(known_use[day][name], where, problems)
            if not 0 < (day - start).days < days or not points[-1][1] <= value <= whole:
                sentence = f"The read of {day_words(day)} must lie within the period and between the uses around it."
                problems.append(Problem(where, sentence))
            points.append(((day - start).days, value))
    points.append((days, whole))
    return points


def _sum_at(points: list[tuple[int, int]], day: int) -> int:
    for (day_a, sum_a), (day_b, sum_b) in pairwise(points):
        if day == day_b:
            return sum_b
        if day_a < day < day_b:
            return sum_a + on_step((sum_b - sum_a) * (day - day_a), day_b - day_a)
    return points[-1][1]


# --- the plan: everything that depends on dates and attributes only -------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    parts: tuple[BillPart, ...] = ()
    charges: tuple[tuple[Charge, ...], ...] = ()
    needs: frozenset[str] = frozenset()
    one_of: tuple[frozenset[str], ...] = ()
    counted: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def _make_plan(
    tariff: CompiledTariff, from_on: date, to_on: date, attributes: Mapping[str, Any], cycle_days: int | None
) -> _Plan:
    problems = _plan_problems(tariff, from_on, to_on, attributes, cycle_days)
    if problems:
        return _Plan(problems=tuple(problems))
    period_days = (to_on - from_on).days
    versions = tariff.versions_between(from_on, to_on)
    cuts = _cuts(versions, from_on, to_on)
    parts: list[BillPart] = []
    charges: list[tuple[Charge, ...]] = []
    items: list[PriceItem] = []
    for number, (start, end) in enumerate(pairwise(cuts)):
        version = tariff.tariff.version_on(start)
        if version is None:
            sentence = (
                f"{tariff.tariff.name} has no prices in force on {day_words(start)}; choose another tariff or date."
            )
            return _Plan(problems=(Problem("from" if number == 0 else "to", sentence),))
        part = BillPart(version.code, version.source, start, end, (end - start).days, period_days)
        before, after = (start - from_on).days, (end - from_on).days
        parts.append(part)
        position = {"split": True, "start": number == 0, "end": number == len(cuts) - 2}
        made: list[Charge] = []
        made_items: list[PriceItem] = []
        for item in version.items:
            if not position[item.on_change] or not _applies(item, attributes, start.month):
                continue
            whole = item.on_change != "split"
            span = Span(
                0 if whole else before, period_days if whole else after, period_days, cycle_days, version.normal_days
            )
            charge = charge_of(item, part, span, attributes, made_items, problems)
            charge.whole_period = whole
            made.append(charge)
            made_items.append(item)
        charges.append(tuple(made))
        items.extend(made_items)
    if problems:
        return _Plan(problems=tuple(problems))
    containers = [item for item in items if item.kind == "per_container"]
    return _Plan(
        parts=tuple(parts),
        charges=tuple(charges),
        needs=frozenset(item.quantity for item in items if item.quantity),
        one_of=tuple({item.code: frozenset(_quantities(item)) for item in containers}.values()),
        counted=frozenset(
            name for item in items if item.kind in ("per_eru", "per_container") for name in _quantities(item)
        ),
    )


def _plan_problems(
    tariff: CompiledTariff, from_on: date, to_on: date, attributes: Mapping[str, Any], cycle_days: int | None
) -> list[Problem]:
    problems = []
    if not from_on < to_on:
        problems.append(Problem("to", "to must be after from; the period excludes its last day."))
    elif (to_on - from_on).days > _LONGEST_DAYS:
        problems.append(Problem("to", f"to must be within {_LONGEST_DAYS:,} days of from."))
    if cycle_days is not None and not 1 <= cycle_days <= 400:
        problems.append(Problem("cycle_days", "cycle_days must be from 1 to 400."))
    customer_class = attributes.get("customer_class")
    allowed = tariff.tariff.customer_classes
    if customer_class is not None and allowed and customer_class not in allowed:
        sentence = f'{tariff.tariff.name} is for the class {" or ".join(allowed)}, not for "{customer_class}".'
        problems.append(Problem("attributes.customer_class", sentence))
    location = attributes.get("location")
    if location is not None and location not in LOCATIONS:
        problems.append(Problem("attributes.location", f"location must be one of: {', '.join(LOCATIONS)}."))
    for version in tariff.tariff.versions:
        if any(item.customer_classes for item in version.items) and customer_class is None:
            problems.append(_needed("customer_class"))
            break
    for version in tariff.tariff.versions:
        if any(item.locations for item in version.items) and location is None:
            problems.append(_needed("location"))
            break
    return problems


def _needed(name: str) -> Problem:
    return Problem(f"attributes.{name}", f"{name} is missing; the prices of this tariff depend on it.")


def _cuts(versions: Iterable[TariffVersion], from_on: date, to_on: date) -> list[date]:
    """The days on which a part begins: price changes and seasons, with both ends of the period."""
    days = {from_on, to_on}
    seasons = set()
    for version in versions:
        days.update(day for day in (version.effective_from, version.effective_to) if day and from_on < day < to_on)
        seasons.update(item.months for item in version.items if item.months)
    month = from_on.replace(day=1)
    while seasons and month < to_on:
        previous = 12 if month.month == 1 else month.month - 1
        if month > from_on and any((month.month in months) != (previous in months) for months in seasons):
            days.add(month)
        month = (month + timedelta(days=31)).replace(day=1)
    return sorted(days)


def _applies(item: PriceItem, attributes: Mapping[str, Any], month: int) -> bool:
    return (
        (not item.customer_classes or attributes.get("customer_class") in item.customer_classes)
        and (not item.locations or attributes.get("location") in item.locations)
        and (not item.months or month in item.months)
    )


def _quantities(item: PriceItem) -> tuple[str, ...]:
    if item.kind == "per_container":
        return tuple(name for name, _ in item.prices)
    return (item.quantity,) if item.quantity else ()
