"""One premise held for writing: who follows whom is worked out anew after each change, and the orders follow."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import accounts as account_rows
from db import core, moves
from portal.moves.rules.order import due_at, planned_on
from portal.moves.views import facts
from portal.moves.views import policy as policy_rows
from portal.moves.views.book import Book, load_book
from portal.service_requests.commands import finish_work_order, open_work_order
from portal.shared.number import make_number
from portal.shared.problem import Problem
from portal.shared.refusal import Refused
from portal.waste import rules as waste_rules
from portal.waste import views as waste_views

if TYPE_CHECKING:
    from db.accounts import Premise, ServiceAgreement, ServicePoint
    from db.core import Work
    from db.moves import Move
    from db.service_requests import WorkOrder
    from portal.moves.rules.policy import OrderKind
    from portal.shared.actor import Actor


class OpenPremise:
    """The rows of one premise, held against other writers until the transaction ends."""

    def __init__(self, work: Work, actor: Actor, premise_id: int) -> None:
        premise = core.lock(work.session, account_rows.Premise, premise_id)
        if premise is None:
            raise Refused([Problem("premise", "There is no such premise. Choose it again from the list.")])
        self.work = work
        self.actor = actor
        self.premise: Premise = premise
        self.today = facts.local_today(work.now)
        self.policy = policy_rows.move_policy(work.session, self.today)
        self.calendar = policy_rows.work_calendar(work.session, self.policy.dates.calendar_code, self.today)
        self.book: Book = load_book(work.session, premise, self.policy)
        self.orders: list[WorkOrder] = list(moves.open_orders(work.session, premise.id))
        self.opened: list[WorkOrder] = []
        """Orders this transaction wrote."""
        self._codes: list[waste_rules.WasteCode] | None = None

    # --- rows ---------------------------------------------------------------------------------------------------------

    def add_agreement(self, point: ServicePoint, account_id: int, on: dt.date, rate_class: str) -> ServiceAgreement:
        """A start that waits."""
        row = self.work.add(
            account_rows.ServiceAgreement(
                account_id=account_id,
                service_point_id=point.id,
                service_kind=point.service_kind,
                state_code="pending_start",
                start_on=on,
                rate_class=rate_class,
            )
        )
        self.book.agreements.append(row)
        return row

    def add_move(
        self, kind: str, account: account_rows.Account, on: dt.date, agreements: list[ServiceAgreement], **more: object
    ) -> Move:
        """A numbered move, pending unless said otherwise."""
        year = self.today.year
        row = self.work.add(
            moves.Move(
                number=make_number("MV", year, core.next_sequence(self.work.session, "MV", year)),
                kind=kind,
                premise_id=self.premise.id,
                account_id=account.id,
                person_id=account.person_id,
                on=on,
                service_kinds=[agreement.service_kind for agreement in agreements],
                agreement_ids=[agreement.id for agreement in agreements],
                created_at=self.work.now,
                staff_id=self.actor.staff_id,
                **{"state_code": "pending", "detail": {}, **more},
            )
        )
        self.book.moves.append(row)
        return row

    def event(self, name: str, move: Move, **detail: object) -> None:
        """The one event of a move."""
        self.work.event(
            name,
            staff_id=self.actor.staff_id,
            subject_kind="move",
            subject_id=move.id,
            account_id=move.account_id,
            premise_id=move.premise_id,
            person_id=move.person_id,
            conversation_id=move.conversation_id,
            detail={"service_kinds": list(move.service_kinds), "on": move.on.isoformat(), **detail},
        )

    # --- who follows whom ---------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Brings ends and orders of every point in line with the moves that stand."""
        for kind in self.book.points:
            order = self.book.succession(kind)
            if order.present is not None:
                present = self.book.agreement(order.present.agreement_id)
                assert present is not None
                moves.set_end(self.work.session, present, order.ends_on)
        for kind in self.book.points:
            self._settle_orders(kind)

    def _settle_orders(self, kind: str) -> None:
        point, order = self.book.points[kind], self.book.succession(kind)
        needed: dict[int, tuple[OrderKind, dt.date]] = {}
        for waiting in order.waiting:
            follows = order.before(waiting.agreement_id) is not None
            order_kind = self.book.order_for(kind, starting=True, follows_someone=follows)
            if order_kind is not None:
                needed[waiting.agreement_id] = (order_kind, waiting.start_on)
        if order.present is not None and order.ends_on is not None:
            followed = order.next_after(order.present.agreement_id) is not None
            order_kind = self.book.order_for(kind, starting=False, follows_someone=followed)
            if order_kind is not None:
                needed[order.present.agreement_id] = (order_kind, order.ends_on)
        ours = {row.code for row in self.policy.orders}
        standing: set[int] = set()
        for row in [each for each in self.orders if each.service_point_id == point.id and each.kind_code in ours]:
            wanted = needed.get(row.agreement_id or 0)
            if wanted is not None and row.agreement_id not in standing and self._same_order(row, *wanted):
                standing.add(row.agreement_id or 0)
            else:
                self.close_order(row, "cancelled", "The move it belonged to was changed.")
        for agreement_id, (order_kind, on) in needed.items():
            if agreement_id not in standing:
                self._open_order(point, agreement_id, order_kind, on)

    def close_order(self, row: WorkOrder, state_code: str, words: str) -> None:
        """Closes an order of ours: done or cancelled."""
        disposition = "completed" if state_code == "done" else "not_needed"
        finish_work_order(self.work, self.actor, row, disposition, words, state_code=state_code)
        self.orders.remove(row)
        if state_code == "cancelled" and row in self.opened:
            self.opened.remove(row)

    def _same_order(self, row: WorkOrder, order_kind: OrderKind, on: dt.date) -> bool:
        # One that is overdue keeps its planned day: the day asked for did not change.
        planned = planned_on(order_kind, on, facts.local_today(row.opened_at), self.calendar)
        return row.kind_code == order_kind.code and row.planned_on == planned

    def _open_order(self, point: ServicePoint, agreement_id: int, order_kind: OrderKind, on: dt.date) -> None:
        agreement = self.book.agreement(agreement_id)
        assert agreement is not None
        day = planned_on(order_kind, on, self.today, self.calendar)
        row = open_work_order(
            self.work,
            self.actor,
            kind_code=order_kind.code,
            name=order_kind.name,
            order_code=self._order_code(order_kind, point, agreement.rate_class),
            service_kind=point.service_kind,
            premise_id=self.premise.id,
            account_id=agreement.account_id,
            agreement_id=agreement.id,
            service_point_id=point.id,
            division_code=order_kind.division,
            planned_on=day,
            due_at=due_at(order_kind, day, self.calendar),
            instructions=self._instructions(order_kind, agreement_id),
        )
        self.orders.append(row)
        self.opened.append(row)

    def _order_code(self, order_kind: OrderKind, point: ServicePoint, rate_class: str) -> str:
        if order_kind.how != "delivery":
            return order_kind.order_code
        if self._codes is None:
            self._codes = waste_views.codes(self.work.session, self.today)
        code = point.service_code or waste_rules.service_code(
            point.service_kind, rate_class, self.premise.collection_code, self._codes
        )
        return waste_rules.order_code(code, order_kind.order_code)

    def _instructions(self, order_kind: OrderKind, agreement_id: int) -> str:
        move = self.book.move_of(agreement_id) or self.book.stop_of(agreement_id)
        window = dict(self.policy.dates.windows).get(str(move.detail.get("window", ""))) if move is not None else None
        said = [order_kind.instructions]
        if window and order_kind.how in ("visit", "appointment"):
            said.append(f"Time asked for: {window}.")
        if order_kind.adult_present:
            said.append(
                "An adult will be there."
                if move is not None and move.detail.get("adult")
                else "Call ahead: an adult must be there."
            )
        return " ".join(part for part in said if part)
