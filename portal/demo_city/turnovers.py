"""Moves: the starts and stops of the last weeks, done, and those of the next days, with the orders they need."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from db.bulk import json_text
from db.core import utc_text
from portal.billing.rules.tariff import SERVICE_KINDS
from portal.demo_city.services import METERED
from portal.moves.rules.order import PointPlan, code_of, due_at, order_kind_for, planned_on

if TYPE_CHECKING:
    from portal.demo_city.cases import Cases
    from portal.demo_city.city import City
    from portal.demo_city.colleagues import Desk
    from portal.moves.rules.policy import MovePolicy
    from portal.shared.calendar import BusinessCalendar

Row = tuple[Any, ...]

MOVE_COLUMNS = (
    "id", "version", "number", "kind", "state_code", "premise_id", "account_id", "person_id", "on", "service_kinds",
    "agreement_ids", "other_move_id", "evidence_code", "detail", "created_at", "staff_id",
)  # fmt: skip
MOVE_ORDER_COLUMNS = (
    "id", "version", "number", "kind_code", "name", "order_code", "service_kind", "premise_id", "account_id", "agreement_id",
    "service_point_id", "address", "division_code", "state_code", "closed", "instructions", "planned_on", "opened_at", "due_at",
)  # fmt: skip
RECENT_DAYS = 75


class Turnovers:
    """Rows of `move`, and the work orders of the moves that are still to come."""

    def __init__(
        self,
        city: City,
        cases: Cases,
        desk: Desk,
        policy: MovePolicy,
        calendar: BusinessCalendar,
        first_agreement: list[int],
    ) -> None:
        self.city, self.cases, self.desk, self.policy, self.calendar = city, cases, desk, policy, calendar
        self.first_agreement = first_agreement
        self.moves: list[Row] = []
        self.orders: list[Row] = []

    def make(self) -> None:
        held, today = self.city.held, self.city.days.today.toordinal()
        asked: list[tuple[int, str, int, int, int | None]] = []
        for premise in range(self.city.place.count):
            left, came = int(held.left_on[premise]), int(held.came_on[premise])
            if came and today - came < RECENT_DAYS:
                asked.append((came, "start", int(held.present[premise]), came, None))
            if left and today - left < RECENT_DAYS and (not came or left < came):
                asked.append((left, "stop", int(held.former[premise]), left, None))
        # Booked in the last days, for the next ones.
        asked += [(today + 100, "start", row, on, on) for row, on in sorted(held.coming.items())]
        asked += [(today + 100, "stop", row, on, on) for row, on in sorted(held.going.items())]
        for _, kind, row, on, coming in sorted(asked):
            self._move(kind, row, on, pending=coming is not None)

    def _move(self, kind: str, row: int, on: int, *, pending: bool) -> None:
        city, held = self.city, self.city.held
        premise, person = int(held.premise[row]), int(held.holder[row])
        today = city.days.today.toordinal()
        asked_on = (
            min(today - 1 - row % 2, on - 3 - row % 6) if pending else max(on - 3 - row % 9, city.days.window_start)
        )
        while (asked_on - 1) % 7 >= 5:
            asked_on -= 1
        made_at = utc_text(dt.datetime.combine(dt.date.fromordinal(asked_on), dt.time(15, row % 60), dt.UTC))
        points = [(which, point) for which, point in enumerate(city.served.point_id[premise].tolist()) if point]
        agreements = [self.first_agreement[row] + place for place in range(len(points))]
        staff = self.desk.representatives.tolist()
        who = next(one for one in staff[row % len(staff) :] + staff if one not in self.desk.own(person + 1))
        evidence = ("lease" if city.people.rental[premise] else "closing") if kind == "start" else None
        self.moves.append(
            (
                len(self.moves) + 1, 1 if pending else 2, self.cases.number("MV", dt.date.fromordinal(asked_on).year), kind,
                "pending" if pending else "done", premise + 1, row + 1, person + 1, city.days.iso(on),
                json_text([SERVICE_KINDS[which] for which, _ in points]), json_text(agreements), None, evidence, "{}", made_at,
                who,
            )
        )  # fmt: skip
        if pending:
            for (which, point), agreement in zip(points, agreements, strict=True):
                self._order(kind, row, premise, on, which, point, agreement, made_at)

    def _order(
        self, kind: str, row: int, premise: int, on: int, which: int, point: int, agreement: int, made_at: str
    ) -> None:
        city = self.city
        plan = PointPlan(
            service_kind=SERVICE_KINDS[which],
            starting=kind == "start",
            follows_someone=False,
            remote=which in METERED and bool(city.served.remote[premise, METERED.index(which)]),
            carts_standing=True,
        )
        order_kind = order_kind_for(plan, self.policy)
        if order_kind is None:
            return
        day = planned_on(order_kind, dt.date.fromordinal(on), city.days.today, self.calendar)
        colour = city.place.collection[premise].rpartition("-")[2]
        self.cases.order_id += 1
        self.orders.append(
            (
                self.cases.order_id, 1, self.cases.number("WO", city.days.today.year), order_kind.code, order_kind.name,
                code_of(order_kind, city.served.service_code(premise, which, colour)), SERVICE_KINDS[which], premise + 1, row + 1,
                agreement, point, city.place.address(premise), order_kind.division, "scheduled", 0, order_kind.instructions,
                day.isoformat(), made_at, utc_text(due_at(order_kind, day, self.calendar)),
            )
        )  # fmt: skip
