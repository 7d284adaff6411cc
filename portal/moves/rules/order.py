"""Which orders a move needs at each point, on which day, with which code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from portal.moves.rules.policy import MovePolicy, OrderKind
from portal.shared.calendar import BusinessCalendar, add_working_days, instant_of


@dataclass(frozen=True, slots=True)
class PointPlan:
    """What happens at one point for one agreement."""

    service_kind: str
    starting: bool
    """True: this agreement begins; False: it ends."""
    follows_someone: bool
    """On the same reading as another agreement: the point stays on."""
    remote: bool
    carts_standing: bool = False
    carts_on_stop: str = "retrieve"


def does_needed(plan: PointPlan, *, has_cart: bool) -> str | None:
    """What has to be done: on, off, turnover; deliver, leave, retrieve. None: the other side's order does it."""
    if has_cart:
        if plan.starting:
            return "leave" if plan.follows_someone or plan.carts_standing else "deliver"
        return None if plan.follows_someone else plan.carts_on_stop
    if plan.starting:
        return "turnover" if plan.follows_someone else "on"
    return None if plan.follows_someone else "off"


def order_kind_for(plan: PointPlan, policy: MovePolicy) -> OrderKind | None:
    """The order a plan needs; None when its kind has no orders of its own (sewer follows water) or nothing is to be done."""
    rows = [row for row in policy.orders if plan.service_kind in row.service_kinds]
    has_cart = any(row.does in ("deliver", "leave", "retrieve") for row in rows)
    does = does_needed(plan, has_cart=has_cart)
    for row in rows:
        if row.does == does and row.remote_point in (None, plan.remote):
            return row
    return None


def code_of(kind: OrderKind, service_code: str) -> str:
    """The division's code of an order: E-ON as it stands, RG96-DEL from the point's code and the suffix."""
    if kind.how != "delivery":
        return kind.order_code
    return f"{service_code}-{kind.order_code}" if service_code else kind.order_code


def planned_on(kind: OrderKind, on: date, today: date, calendar: BusinessCalendar) -> date:
    """The day an order is planned for: from the office on the day itself, by people on a working day from then on."""
    on = max(on, today)
    if kind.how == "remote":
        return on
    day = on
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return add_working_days(day, kind.working_days_after, calendar) if kind.working_days_after else day


def due_at(kind: OrderKind, day: date, calendar: BusinessCalendar) -> datetime:
    """The instant by which it must be done: the row's time of day on the planned day, on the city's clock."""
    return instant_of(day, kind.due_time, calendar.zone_info)


def needs_people(kinds: Iterable[OrderKind | None]) -> list[OrderKind]:
    """The orders that send someone on the very day asked for: visits and appointments."""
    return [kind for kind in kinds if kind is not None and kind.how in ("visit", "appointment")]


def earliest_visit_on(now: datetime, same_day_until: time, calendar: BusinessCalendar) -> date:
    """The first day a visit can still be had: today until the hour of the policy, else the next working day."""
    local = calendar.local(now)
    today = local.date()
    if calendar.is_working_day(today) and local.time() < same_day_until:
        return today
    return add_working_days(today, 1, calendar)


def next_working_day(day: date, calendar: BusinessCalendar) -> date:
    """`day` itself when it is one."""
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return day
