"""How sure a share is, and whether two shares differ by more than chance.

Sources: E. B. Wilson, JASA 22 (1927) 209, the score interval; R. G. Newcombe, Statistics in Medicine 17 (1998) 857 and 873, its
comparison with others and the interval of a difference (his method 10); Y. Benjamini and Y. Hochberg, JRSS B 57 (1995) 289, tests
of many items at once; L. Kish, Survey Sampling (1965) 11.7, what unequal weights cost: the effective number of answers. Numbers
of answers may be fractions: with weights, the effective number stands in for the count, as AAPOR asks of a stated precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Z95: Final = NormalDist().inv_cdf(0.975)
FALSE_ALARMS: Final = 0.05
"""Of the items called changed, at most this share is expected to be chance."""


@dataclass(frozen=True)
class Interval:
    """Lower and upper end, as shares (0 to 1) or as a difference of shares (-1 to 1)."""

    low: float
    high: float


def effective(weight: float, squares: float) -> float:
    """How many unweighted answers are as sure as these (Kish): the squared sum of the weights by the sum of their squares. The
    design effect is the number of answers by this. ValueError without any weight."""
    if weight <= 0 or squares <= 0:
        raise ValueError("there is no answer with a weight")
    return weight * weight / squares


def widest_margin(answers: float) -> float:
    """Half the width of the 95 % interval of a share of one half, in points: the least precise figure of so many answers."""
    found = wilson(answers / 2, answers)
    return (found.high - found.low) / 2 * 100


def wilson(satisfied: float, answers: float, z: float = Z95) -> Interval:
    """The 95 % score interval of a share. ValueError without answers: there is nothing to be sure of."""
    if not 0 <= satisfied <= answers or answers <= 0:
        raise ValueError(f"{satisfied} of {answers} is not a share")
    share = satisfied / answers
    spread = z * math.sqrt(share * (1 - share) / answers + z * z / (4 * answers * answers))
    scale = 1 + z * z / answers
    middle = share + z * z / (2 * answers)
    # At the ends the formula gives 0 and 1 but for rounding.
    low = 0.0 if satisfied == 0 else (middle - spread) / scale
    high = 1.0 if satisfied == answers else (middle + spread) / scale
    return Interval(max(0.0, low), min(1.0, high))


def difference(before: tuple[float, float], after: tuple[float, float]) -> Interval:
    """The 95 % interval of a change (after minus before), each given as (satisfied, answers)."""
    first, second = wilson(*before), wilson(*after)
    share_before, share_after = before[0] / before[1], after[0] / after[1]
    change = share_after - share_before
    return Interval(
        change - math.hypot(share_after - second.low, first.high - share_before),
        change + math.hypot(second.high - share_after, share_before - first.low),
    )


def change_p(before: tuple[float, float], after: tuple[float, float]) -> float:
    """The chance of so large a change when nothing changed: pooled two-proportion test, and Fisher's exact test where it would
    not hold (an expected count under 5)."""
    (x1, n1), (x2, n2) = before, after
    pooled = (x1 + x2) / (n1 + n2)
    if min(n1, n2) * min(pooled, 1 - pooled) < 5:
        return _fisher(round(x1), round(n1), round(x2), round(n2))
    error = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return math.erfc(abs(x2 / n2 - x1 / n1) / error / math.sqrt(2))


def _fisher(x1: int, n1: int, x2: int, n2: int) -> float:
    """Two-sided: the summed chance of every table with these margins that is no likelier than the one seen."""
    total = x1 + x2

    def log_chance(first: int) -> float:
        return _log_choose(n1, first) + _log_choose(n2, total - first) - _log_choose(n1 + n2, total)

    seen = log_chance(x1) + 1e-9
    possible = range(max(0, total - n2), min(n1, total) + 1)
    return min(1.0, sum(math.exp(log) for log in map(log_chance, possible) if log <= seen))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def adjusted(chances: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's adjusted chances, in the order given: at most `FALSE_ALARMS` means changed."""
    count = len(chances)
    found = [0.0] * count
    least = 1.0
    for place, at in enumerate(sorted(range(count), key=lambda index: chances[index], reverse=True)):
        least = min(least, chances[at] * count / (count - place))
        found[at] = least
    return found


def equal_shares_p(cells: Iterable[tuple[float, float]]) -> float:
    """The chance of shares this far apart when all groups are the same: chi-square over (satisfied, answers) of each group."""
    groups = [(x, n) for x, n in cells if n > 0]
    answers = sum(n for _, n in groups)
    pooled = sum(x for x, _ in groups) / answers if answers else 0.0
    if len(groups) < 2 or pooled in (0.0, 1.0):
        return 1.0
    statistic = sum((x - n * pooled) ** 2 / (n * pooled * (1 - pooled)) for x, n in groups)
    return chi_square_above(statistic, len(groups) - 1)


def chi_square_above(statistic: float, freedom: int) -> float:
    """The chance that chi-square with `freedom` degrees exceeds `statistic`: the finite sums of Abramowitz and Stegun, 26.4.4-5."""
    half = statistic / 2
    if freedom % 2:
        above = math.erfc(math.sqrt(half))
        term = math.exp(-half) * math.sqrt(half) / math.gamma(1.5)
        for step in range(1, (freedom - 1) // 2 + 1):
            above += term
            term *= half / (step + 0.5)
        return min(1.0, above)
    term = total = math.exp(-half)
    for step in range(1, freedom // 2):
        term *= half / step
        total += term
    return min(1.0, total)
