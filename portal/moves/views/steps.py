"""What happens when, as steps: from the orders written, or from those a start or stop would write."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import moves
from portal.moves.rules.policy import listed
from portal.shared.receipt import Step
from portal.shared.text import clock_text, count_text, day_text
from portal.waste import views as waste_views
from portal.waste.rules import COLLECTED, first_collection_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from db.accounts import ServiceAgreement
    from db.billing import CycleDate
    from db.service_requests import WorkOrder
    from portal.moves.rules.policy import MovePolicy, OrderKind
    from portal.moves.views.book import Book

PlannedOrder = tuple["OrderKind", str, dt.date]
"""(kind of order, service kind, day)."""


def planned(book: Book, orders: Iterable[WorkOrder]) -> list[PlannedOrder]:
    """Orders already written, as plans."""
    kinds = {row.code: row for row in book.policy.orders}
    return [
        (kinds[row.kind_code], row.service_kind or "", row.planned_on)
        for row in orders
        if row.kind_code in kinds and row.planned_on is not None
    ]


Dated = tuple[dt.date, "Step"]


def order_steps(policy: MovePolicy, plans: Sequence[PlannedOrder], today: dt.date) -> list[Dated]:
    """One step per day and sentence; carts of one day together."""
    grouped: dict[tuple[dt.date, str, str], list[str]] = {}
    for kind, service_kind, day in plans:
        grouped.setdefault((day, kind.step, kind.icon), []).append(service_kind)
    dated = []
    for (day, sentence, icon), kinds in grouped.items():
        what = sentence
        if len(kinds) > 1 or sentence.startswith(("Cart", "The cart")):
            what = f"{sentence} ({policy.names_of(policy.in_order(kinds))})"
        dated.append((day, Step(day_text(day, today), what, icon)))
    return dated


def start_steps(
    session: Session,
    book: Book,
    orders: Iterable[WorkOrder],
    at_once: Iterable[ServiceAgreement],
    on: dt.date,
    today: dt.date,
    service_kinds: Sequence[str],
) -> tuple[Step, ...]:
    """After a start was saved: done now, orders by day, first collection, first bill."""
    policy = book.policy
    now_on = policy.in_order(row.service_kind for row in at_once if row.state_code == "active")
    now = [Step("Now", f"{policy.names_of(now_on).capitalize()} on, first reading taken", "bolt")] if now_on else []
    return (*now, *plan_steps(session, book, planned(book, orders), on, today, service_kinds))


def plan_steps(
    session: Session,
    book: Book,
    plans: Sequence[PlannedOrder],
    on: dt.date,
    today: dt.date,
    service_kinds: Sequence[str],
) -> tuple[Step, ...]:
    """Before a start is saved: the same, from what it would write."""
    out_by = waste_views.out_by(session, today)
    dated = order_steps(book.policy, plans, today) + [
        (
            day,
            Step(
                day_text(day, today),
                first_collection(book.policy, kinds) + (f", out by {clock_text(out_by)}" if out_by is not None else ""),
                "calendar_month",
            ),
        )
        for day, kinds in collection_days(session, book, plans, on, today, service_kinds).items()
    ]
    cycle = bill_cycle(session, book, on, today)
    if cycle is not None:
        days = count_text((cycle.read_on - on).days, "day")
        what = f"First bill, {days}; due {day_text(cycle.due_on, today)}"
        dated.append((cycle.bill_on, Step(f"About {day_text(cycle.bill_on, today)}", what, "receipt_long")))
    return _in_order_of_days(dated)


def _in_order_of_days(dated: list[Dated]) -> tuple[Step, ...]:
    return tuple(step for _, step in sorted(dated, key=lambda one: one[0]))


def bill_cycle(session: Session, book: Book, on: dt.date, today: dt.date) -> CycleDate | None:
    """The dates of the first bill after a day; None when the premise's cycle has none."""
    return moves.next_cycle_dates(session, book.premise.read_cycle, max(on, today))


def first_collection(policy: MovePolicy, kinds: Iterable[str]) -> str:
    """“First collection of garbage and recycling”."""
    return f"First collection of {listed([policy.name_of(kind).lower() for kind in policy.in_order(kinds)])}"


def collection_days(
    session: Session,
    book: Book,
    plans: Sequence[PlannedOrder],
    on: dt.date,
    today: dt.date,
    service_kinds: Sequence[str],
) -> dict[dt.date, list[str]]:
    """The day of the first collection, with the kinds collected then; nothing is collected before its cart stands there."""
    ready = {service_kind: day for _, service_kind, day in plans}
    by_day: dict[dt.date, list[str]] = {}
    collected = [kind for kind in service_kinds if kind in COLLECTED]
    if not collected:
        return by_day
    calendar = waste_views.collection_calendar(session, today)
    for kind in collected:
        since = max(on, today, ready.get(kind, on))
        first_on = first_collection_on(kind, book.premise.collection_code, since, calendar)
        if first_on is not None:
            by_day.setdefault(first_on, []).append(kind)
    return by_day


def stop_steps(
    session: Session,
    book: Book,
    plans: Sequence[PlannedOrder],
    at_once: Iterable[str],
    on: dt.date,
    today: dt.date,
    owner_kinds: Sequence[str],
) -> tuple[Step, ...]:
    """What happens at a stop: now, the owner, orders by day, the last bill."""
    policy = book.policy
    done = policy.in_order(at_once)
    now = [Step("Now", f"{policy.names_of(done).capitalize()}: last reading taken", "bolt")] if done else []
    dated: list[Dated] = []
    if owner_kinds:
        names = policy.names_of(policy.in_order(owner_kinds)).capitalize()
        goes = "goes" if len(owner_kinds) == 1 else "go"
        what = f"{names} {goes} back to the owner on the same reading"
        dated.append((on, Step(day_text(on, today), what, "real_estate_agent")))
    dated += order_steps(policy, plans, today)
    cycle = bill_cycle(session, book, on, today)
    if cycle is not None:
        what = "Last bill; a deposit is set against it"
        dated.append((cycle.bill_on, Step(f"By {day_text(cycle.bill_on, today)}", what, "receipt_long")))
    return (*now, *_in_order_of_days(dated))
