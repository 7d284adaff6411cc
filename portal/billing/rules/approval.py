"""Who may decide an adjustment: limits that count what came before, deciders other than the requester, stand-ins of the absent.

Pure: no database, no clock. Money is whole cents.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from portal.billing.rules.adjustment import COUNTS, PENDING, POSTED, REFUSED, REVERSED, WITHDRAWN, Earlier
from portal.shared.money import format_cents
from portal.shared.problem import Problem

MOVES: Final[Mapping[str, frozenset[str]]] = {
    PENDING: frozenset({POSTED, REFUSED, WITHDRAWN}),
    POSTED: frozenset({REVERSED}),
    REFUSED: frozenset(),
    WITHDRAWN: frozenset(),
    REVERSED: frozenset(),
}
"""From which state to which an adjustment may go."""


@dataclass(frozen=True)
class Decider:
    """A person and what they may decide alone."""

    staff_id: int
    name: str
    may_approve: bool
    limits: Mapping[str, int] = field(default_factory=dict)
    own_account: bool = False
    """The account is their own, their household's or a declared relative's."""

    def covers(self, limit_kind: str, cents: int) -> bool:
        return self.may_approve and not self.own_account and self.limits.get(limit_kind, 0) >= cents


@dataclass(frozen=True)
class Authority:
    """By which right somebody decides."""

    decided_for_id: int | None
    """The absent person whose limit is used; None: their own."""
    decided_for: str
    limit_cents: int


def limit_words(limit_kind: str) -> str:
    """A limit's code in words: “late fee”."""
    return limit_kind.replace("_", " ")


def rolling_cents(earlier: Iterable[Earlier], limit_kind: str, since: dt.date) -> int:
    """What of a kind counts against limits: all that waits, and what was posted from `since` on, whoever entered it."""
    return sum(
        abs(one.amount_cents)
        for one in earlier
        if one.limit_kind == limit_kind
        and one.state_code in COUNTS
        and (one.state_code == PENDING or one.counted_on >= since)
    )


def reversed_cents(earlier: Iterable[Earlier], limit_kind: str, since: dt.date) -> int:
    """What of a kind was taken back from `since` on: taking back counts against limits as giving does."""
    return sum(
        abs(one.amount_cents)
        for one in earlier
        if one.limit_kind == limit_kind and one.state_code == REVERSED and one.counted_on >= since
    )


def posts_at_once(limit_cents: int, rolling: int, amount_cents: int, exception: str) -> bool:
    """Whether an adjustment is within the limit of who enters it, with all that counts on the account."""
    return not exception and rolling + abs(amount_cents) <= limit_cents


def limit_sentences(
    limit_kind: str, limit_cents: int, rolling: int, amount_cents: int, rolling_days: int, exception: str
) -> tuple[str, str]:
    """(the headline, how the limit counts) of an adjustment about to be entered."""
    amount, limit = format_cents(abs(amount_cents)), format_cents(limit_cents)
    name = limit_words(limit_kind)
    used = (
        f"{format_cents(rolling)} of this kind ({name}) is posted or waits on this account in the last {rolling_days} days."
        if rolling
        else f"Nothing of this kind ({name}) was given on this account in the last {rolling_days} days."
    )
    if exception:
        return exception, used
    if posts_at_once(limit_cents, rolling, amount_cents, exception):
        return f"{amount} is within your limit of {limit}.", used
    if rolling:
        return f"{amount} and the {format_cents(rolling)} before it are above your limit of {limit}.", used
    return f"{amount} is above your limit of {limit}.", used


def authority(
    actor: Decider, absent: Sequence[Decider], requester_id: int, limit_kind: str, rolling_total: int
) -> tuple[Authority | None, Problem | None]:
    """By which right `actor` may decide a request whose kind adds up to `rolling_total` on the account; else why not.

    `absent` are those who named the actor as their stand-in for today. A stand-in uses the limit of the absent person itself,
    never one that person holds for somebody else; and not the limit of who made the request.
    """
    if actor.staff_id == requester_id:
        return None, Problem("", "You asked for this yourself. Somebody else decides it.")
    if actor.own_account:
        return None, Problem("", "This is your own, your household’s or a relative’s account. Leave it to a colleague.")
    if actor.covers(limit_kind, rolling_total):
        return Authority(None, "", actor.limits[limit_kind]), None
    standing_in = sorted(absent, key=lambda one: (one.limits.get(limit_kind, 0), one.staff_id))
    for one in standing_in:
        if one.staff_id not in (requester_id, actor.staff_id) and one.covers(limit_kind, rolling_total):
            return Authority(one.staff_id, one.name, one.limits[limit_kind]), None
    total, name = format_cents(rolling_total), limit_words(limit_kind)
    if actor.may_approve:
        limit = format_cents(actor.limits.get(limit_kind, 0))
        return None, Problem("", f"{total} of {name} on this account is above your limit of {limit}.")
    return None, Problem(
        "", f"Deciding {total} of {name} is not part of your role, and nobody it is part of named you."
    )


def who_may_decide(
    people: Sequence[Decider],
    stand_ins: Mapping[int, tuple[int, str]],
    requester_id: int,
    limit_kind: str,
    rolling_total: int,
) -> tuple[str, ...]:
    """The names of those who may decide, smallest sufficient limit first; an absent one with who stands in: “Leon Ashe for Ruth Vance”.

    `stand_ins`: absent person -> (stand-in, their name).
    """
    fit = [one for one in people if one.staff_id != requester_id and one.covers(limit_kind, rolling_total)]
    barred = {one.staff_id for one in people if one.own_account} | {requester_id}
    able = {one.staff_id for one in fit}
    names: list[str] = []
    for one in sorted(fit, key=lambda each: (each.limits.get(limit_kind, 0), each.name)):
        if one.staff_id not in stand_ins:
            names.append(one.name)
            continue
        stand_in_id, stand_in = stand_ins[one.staff_id]
        if stand_in_id not in barred and stand_in_id not in able:
            names.append(f"{stand_in} for {one.name}")
    return tuple(names)


def move_problem(number: str, state_code: str, to: str, state_words: str) -> Problem | None:
    """Why an adjustment cannot go from one state to another; None when it can."""
    if to in MOVES[state_code]:
        return None
    return Problem("", f"{number} is {state_words} already. Open it again to see by whom and when.")
