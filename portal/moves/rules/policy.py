"""The rows a city decides for moves, read into typed values: service kinds, days, turnover, evidence, orders.

A row that cannot be read raises `BadPolicy` with a sentence that names the row and the key: a start must never be taken
under half a policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

DOES = ("on", "off", "turnover", "deliver", "leave", "retrieve")
HOW = ("remote", "visit", "appointment", "delivery")


class BadPolicy(ValueError):
    """A reference row that a move needs is missing or unreadable; `str()` names it and the remedy."""


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """One kind of service as the desk names it."""

    code: str
    name: str
    icon: str
    metered: bool
    follows: str
    """The kind whose reading starts and ends this one too (sewer follows water); empty: none."""
    spoken: str
    """How it is said to a caller: “your electric”."""


@dataclass(frozen=True, slots=True)
class DatePolicy:
    """Which days may be asked for."""

    calendar_code: str
    backdate_days: int
    ahead_days: int
    same_day_until: time
    """Local time until which a visit on the same day is still taken."""
    windows: tuple[tuple[str, str], ...]
    """(code, name) of the parts of a day a visit can be set to."""


@dataclass(frozen=True, slots=True)
class TurnoverPolicy:
    """What happens when someone else is still active."""

    text: str
    hold_flags: tuple[str, ...]
    notice_template: str
    override_permission: str
    """Who may decide an exception or release a held move."""


@dataclass(frozen=True, slots=True)
class ContinuityPolicy:
    """What happens between tenants."""

    text: str
    service_kinds: tuple[str, ...]
    carts_on_stop: str
    """retrieve, leave: what happens to carts when nobody follows."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One kind of evidence that the applicant has the place."""

    code: str
    name: str
    grade: int
    """3 a document, 2 the owner, 1 the caller alone."""
    notice_working_days: int
    """So many working days the other party gets before the start."""
    needs_note: bool
    ask: str


@dataclass(frozen=True, slots=True)
class OrderKind:
    """One kind of order a move can write."""

    code: str
    name: str
    service_kinds: tuple[str, ...]
    does: str
    how: str
    order_code: str
    """The division's own code; for carts the suffix after the point's service code."""
    division: str
    working_days_after: int
    adult_present: bool
    due_time: time
    step: str
    icon: str
    instructions: str
    remote_point: bool | None
    """Only at points that can, or cannot, be switched from the office; None: either."""


@dataclass(frozen=True, slots=True)
class MovePolicy:
    """Everything a city decides about moves, as it stands on one day."""

    kinds: Mapping[str, ServiceKind]
    dates: DatePolicy
    turnover: TurnoverPolicy
    continuity: ContinuityPolicy
    evidence: Mapping[str, EvidenceRow]
    orders: tuple[OrderKind, ...]

    def name_of(self, kind: str) -> str:
        """The name of a service kind; its code when no row names it."""
        return self.kinds[kind].name if kind in self.kinds else kind.capitalize()

    def names_of(self, kinds: Iterable[str]) -> str:
        """“electric, water and sewer”, as said in a sentence."""
        return listed([self.name_of(kind).lower() for kind in kinds])

    def in_order(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Kinds in the order the desk shows them."""
        place = {code: at for at, code in enumerate(self.kinds)}
        return tuple(sorted(set(kinds), key=lambda kind: (place.get(kind, len(place)), kind)))


Row = Mapping[str, Any]


def read_policy(
    kinds: Iterable[Row], moves: Mapping[str, Row], evidence: Iterable[Row], orders: Iterable[Row]
) -> MovePolicy:
    """The policy from its rows (`service_kind`, `move_policy` by code, `evidence`, `order_kind`)."""
    date, turnover, continuity = (_needed(moves, code) for code in ("date", "turnover", "continuity"))
    kind_rows = [
        ServiceKind(
            code=_text(row, "code"),
            name=_text(row, "name"),
            icon=_text(row, "icon", ""),
            metered=bool(row.get("metered", False)),
            follows=_text(row, "follows", ""),
            spoken=_text(row, "spoken", ""),
        )
        for row in kinds
    ]
    if not kind_rows:
        raise BadPolicy("There are no service kinds. Load the base pack, or add rows of the kind “service_kind”.")
    return MovePolicy(
        kinds={row.code: row for row in kind_rows},
        dates=DatePolicy(
            calendar_code=_text(date, "calendar"),
            backdate_days=_whole(date, "backdate_days"),
            ahead_days=_whole(date, "ahead_days"),
            same_day_until=_clock(date, "same_day_until"),
            windows=tuple((_text(row, "code"), _text(row, "name")) for row in date.get("window", ())),
        ),
        turnover=TurnoverPolicy(
            text=_text(turnover, "text"),
            hold_flags=tuple(turnover.get("hold_flags", ())),
            notice_template=_text(turnover, "notice_template"),
            override_permission=_text(turnover, "override_permission"),
        ),
        continuity=ContinuityPolicy(
            text=_text(continuity, "text"),
            service_kinds=tuple(continuity.get("service_kinds", ())),
            carts_on_stop=_choice(continuity, "carts_on_stop", ("retrieve", "leave")),
        ),
        evidence={
            _text(row, "code"): EvidenceRow(
                code=_text(row, "code"),
                name=_text(row, "name"),
                grade=_whole(row, "grade"),
                notice_working_days=_whole(row, "notice_working_days"),
                needs_note=bool(row.get("needs_note", False)),
                ask=_text(row, "ask"),
            )
            for row in evidence
        },
        orders=tuple(_order(row) for row in orders),
    )


def _order(row: Row) -> OrderKind:
    remote = row.get("remote_point")
    return OrderKind(
        code=_text(row, "code"),
        name=_text(row, "name"),
        service_kinds=tuple(row.get("service_kinds", ())),
        does=_choice(row, "does", DOES),
        how=_choice(row, "how", HOW),
        order_code=_text(row, "order_code"),
        division=_text(row, "division"),
        working_days_after=_whole(row, "working_days_after"),
        adult_present=bool(row.get("adult_present", False)),
        due_time=_clock(row, "due_at"),
        step=_text(row, "step"),
        icon=_text(row, "icon", "event"),
        instructions=_text(row, "instructions", ""),
        remote_point=None if remote is None else bool(remote),
    )


def listed(words: Iterable[str], last: str = "and") -> str:
    """“a”, “a and b”, “a, b and c”."""
    items = list(words)
    return f" {last} ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def _needed(rows: Mapping[str, Row], code: str) -> Row:
    if code not in rows:
        raise BadPolicy(f"The policy row move_policy/{code} is missing. Load the base pack, or add the row.")
    return rows[code]


def _text(row: Row, key: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str):
        raise BadPolicy(f"The row {row.get('code', '?')} needs the text “{key}”.")
    return value


def _whole(row: Row, key: str) -> int:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadPolicy(f"The row {row.get('code', '?')} needs “{key}” as a whole number of 0 or more.")
    return value


def _choice(row: Row, key: str, choices: tuple[str, ...]) -> str:
    value = _text(row, key)
    if value not in choices:
        raise BadPolicy(f"The row {row.get('code', '?')}: “{key}” is “{value}”; choose one of {', '.join(choices)}.")
    return value


def _clock(row: Row, key: str) -> time:
    try:
        return time.fromisoformat(_text(row, key))
    except ValueError as error:
        raise BadPolicy(f"The row {row.get('code', '?')} needs “{key}” as a time of day like 14:00.") from error
