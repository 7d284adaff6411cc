"""Usage between two reads, what use to expect from the weather, and one sentence that compares two periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.shared.problem import Problem

# Which weather moves which service: heating for gas; heat pumps and cooling for electricity; lawns for water.
_HEATED = frozenset({"electric", "gas"})
_COOLED = frozenset({"electric", "water"})
# Per degree-day use within this share of last year's counts as the usual.
_USUAL = 0.05


@dataclass(frozen=True, slots=True)
class Usage:
    """What went through the meter; ``quantity`` None when a read is not possible on this meter."""

    quantity: Decimal | None
    rolled_over: bool = False
    problems: tuple[Problem, ...] = ()


def usage_between(previous: int, current: int, dials: int, multiplier: Decimal | int = 1) -> Usage:
    """Usage from one dial read to the next: (current - previous) x multiplier.

    A lower current read is taken as one roll-over past the last dial; whether that is believable is a question for
    read checking.
    """
    problems = []
    if not 1 <= dials <= 12:
        problems.append(Problem("dials", "dials must be from 1 to 12."))
    elif not all(0 <= read < 10**dials for read in (previous, current)):
        for name, read in (("previous", previous), ("current", current)):
            if not 0 <= read < 10**dials:
                sentence = f"The {name} read {read} does not fit a meter with {dials} dials; check the digits."
                problems.append(Problem(name, sentence))
    # A NaN cannot be compared, so it is asked for first.
    if not Decimal(multiplier).is_finite() or multiplier <= 0:
        problems.append(Problem("multiplier", "multiplier must be above 0."))
    if problems:
        return Usage(None, problems=tuple(problems))
    rolled_over = current < previous
    turned = current - previous + (10**dials if rolled_over else 0)
    return Usage(Decimal(turned) * multiplier, rolled_over)


def expected_daily_use(
    service_kind: str, base: float, heat_slope: float, cool_slope: float, hdd: float, cdd: float
) -> float:
    """Mean daily use from the weather: base + slopes x heating and cooling degree days per day, never below 0.

    Units are the service's own (kWh, ccf, cgal …) per day and per degree-day. A slope that the service kind does
    not have (cooling for gas, heating for water) is left out.
    """
    use = base
    if service_kind in _HEATED:
        use += heat_slope * hdd
    if service_kind in _COOLED:
        use += cool_slope * cdd
    return max(use, 0.0)


@dataclass(frozen=True, slots=True)
class PeriodUse:
    """Use of one billing period (``to_on`` excluded) with the degree days that fell in it, when known."""

    from_on: date
    to_on: date
    quantity: Decimal
    heating_degree_days: float | None = None
    cooling_degree_days: float | None = None

    @property
    def days(self) -> int:
        return (self.to_on - self.from_on).days

    @property
    def daily(self) -> float:
        return float(self.quantity) / self.days

    @property
    def degree_days(self) -> float | None:
        if self.heating_degree_days is None or self.cooling_degree_days is None:
            return None
        return self.heating_degree_days + self.cooling_degree_days


@dataclass(frozen=True, slots=True)
class UseComparison:
    """A period beside the same one a year before; changes are shares (0.09 = 9 % more), None when not comparable."""

    sentence: str
    total_change: float | None = None
    daily_change: float | None = None
    per_degree_day_change: float | None = None


def compare_with_last_year(now: PeriodUse, before: PeriodUse | None, unit: str, *, weather: bool) -> UseComparison:
    """The sentence for the summary page. ``weather``: the service's use follows degree days."""
    said = f"{_whole(now.quantity)} {unit} in {now.days} days"
    if before is None:
        return UseComparison(f"{said}; there is no bill for the same time last year to compare with.")
    month = f"last {_middle(before):%B}"
    if before.quantity == 0:
        if now.quantity == 0:
            return UseComparison(f"{said}, and none {month} either.", 0.0)
        return UseComparison(f"{said}; none was used {month}.")
    total = float(now.quantity / before.quantity) - 1
    daily = now.daily / before.daily - 1
    sentence = f"{said}: {_change(total, month)}"
    reasons = []
    if now.days != before.days:
        longer = now.days - before.days
        days = "1 day" if abs(longer) == 1 else f"{abs(longer)} days"
        reasons.append(f"the period is {days} {'longer' if longer > 0 else 'shorter'}")
        reasons.append(f"use per day is {_change(daily, 'last year')}")
    per_degree_day = None
    if weather and now.degree_days and before.degree_days:
        per_degree_day = (float(now.quantity) / now.degree_days) / (float(before.quantity) / before.degree_days) - 1
        usual = abs(per_degree_day) <= _USUAL
        reasons.append(f"per degree-day it is {'the usual' if usual else _change(per_degree_day, 'last year')}")
    return UseComparison("; ".join([sentence, *reasons]) + ".", total, daily, per_degree_day)


def _middle(period: PeriodUse) -> date:
    return period.from_on + (period.to_on - period.from_on) / 2


def _change(share: float, than: str) -> str:
    percent = round(abs(share) * 100)
    if percent == 0:
        return f"about the same as {than}"
    return f"{percent}% {'above' if share > 0 else 'below'} {than}"


def _whole(quantity: Decimal) -> str:
    text = f"{quantity:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
