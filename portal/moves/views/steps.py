"""What happens when, as steps: from the orders written, or from those a start or stop would write."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import moves
from portal.moves.rules.policy import listed
from portal.shared.receipt import Step
from portal.shared.text import day_text
from portal.waste import views as waste_views

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from db.accounts import ServiceAgreement
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


def order_steps(policy: MovePolicy, plans: Sequence[PlannedOrder], today: dt.date) -> list[Step]:
    """One step per day and sentence; carts of one day together."""
    grouped: dict[tuple[dt.date, str, str], list[str]] = {}
    for kind, service_kind, day in sorted(plans, key=lambda plan: plan[2]):
        grouped.setdefault((day, kind.step, kind.icon), []).append(service_kind)
    steps = []
    for (day, sentence, icon), kinds in grouped.items():
        what = sentence
        if len(kinds) > 1 or sentence.startswith(("Cart", "The cart")):
            what = f"{sentence} ({policy.names_of(policy.in_order(kinds))})"
        steps.append(Step(day_text(day, today), what, icon))
    return steps


def start_steps(
    session: Session,
    book: Book,
    policy: MovePolicy,
    orders: Iterable[WorkOrder],
    at_once: Iterable[ServiceAgreement],
    on: dt.date,
    today: dt.date,
    service_kinds: Sequence[str],
) -> tuple[Step, ...]:
    """After a start was saved: done now, orders by day, first collection, first bill."""
    now_on = policy.in_order(row.service_kind for row in at_once if row.state_code == "active")
    steps = [Step("Now", f"{policy.names_of(now_on).capitalize()} on, first reading taken", "bolt")] if now_on else []
    plans = planned(book, orders)
    steps += order_steps(policy, plans, today)
    return tuple(steps + _later_steps(session, book, plans, on, today, service_kinds))


def plan_steps(
    session: Session, book: Book, plans: Sequence[PlannedOrder], on: dt.date, today: dt.date, service_kinds: Sequence[str]
) -> tuple[Step, ...]:
    """Before a start is saved: the same, from what it would write."""
    return tuple(order_steps(book.policy, plans, today) + _later_steps(session, book, plans, on, today, service_kinds))


def _later_steps(
    session: Session, book: Book, plans: Sequence[PlannedOrder], on: dt.date, today: dt.date, service_kinds: Sequence[str]
) -> list[Step]:
    steps = []
    policy = book.policy
    # Nothing is collected before its cart stands there.
    ready = {service_kind: day for _, service_kind, day in plans}
    by_day: dict[dt.date, list[str]] = {}
    for kind in service_kinds:
        since = max(on, today, ready.get(kind, on))
        for one in waste_views.first_collections(session, (kind,), book.premise.collection_code, since):
            by_day.setdefault(one.on, []).append(kind)
    for day, kinds in sorted(by_day.items()):
        names = listed([policy.name_of(kind).lower() for kind in policy.in_order(kinds)])
        steps.append(Step(day_text(day, today), f"First collection of {names}, out by 6:30 am", "calendar_month"))
    cycle = moves.next_cycle_dates(session, book.premise.read_cycle, max(on, today))
    if cycle is not None:
        days = (cycle.read_on - on).days
        steps.append(Step(f"About {day_text(cycle.bill_on, today)}", f"First bill, {days} days; due {day_text(cycle.due_on, today)}", "receipt_long"))
    return steps


def stop_steps(
    session: Session, book: Book, plans: Sequence[PlannedOrder], at_once: Iterable[str], on: dt.date, today: dt.date, owner_kinds: Sequence[str]
) -> tuple[Step, ...]:
    """What happens at a stop: now, orders by day, the owner, the last bill."""
    policy = book.policy
    done = policy.in_order(at_once)
    steps = [Step("Now", f"{policy.names_of(done).capitalize()}: last reading taken", "bolt")] if done else []
    if owner_kinds:
        names = policy.names_of(policy.in_order(owner_kinds)).capitalize()
        goes = "goes" if len(owner_kinds) == 1 else "go"
        steps.append(Step(day_text(on, today), f"{names} {goes} back to the owner on the same reading", "real_estate_agent"))
    steps += order_steps(policy, plans, today)
    cycle = moves.next_cycle_dates(session, book.premise.read_cycle, max(on, today))
    if cycle is not None:
        steps.append(Step(f"By {day_text(cycle.bill_on, today)}", "Last bill; a deposit is set against it", "receipt_long"))
    return tuple(steps)
