"""One premise as moves see it: its points, the agreements there, the open moves, who follows whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db import moves, waste
from portal.moves.rules.order import PointPlan, order_kind_for
from portal.moves.rules.turnover import Succession, Tenure, succession

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from db.accounts import Premise, ServiceAgreement, ServicePoint
    from db.moves import Move
    from portal.moves.rules.policy import MovePolicy, OrderKind


@dataclass
class Book:
    """The rows of one premise, read once and kept up while a command changes them."""

    premise: Premise
    policy: MovePolicy
    points: dict[str, ServicePoint]
    """By service kind."""
    agreements: list[ServiceAgreement]
    moves: list[Move]
    carts: set[int] = field(default_factory=set)
    """Points where a cart stands."""

    def move_of(self, agreement_id: int) -> Move | None:
        """The open move by which an agreement begins."""
        return next((row for row in self.moves if row.kind != "stop" and agreement_id in row.agreement_ids), None)

    def stop_of(self, agreement_id: int) -> Move | None:
        """The stop its own holder asked for, if one is open (not the one a turnover brought)."""
        return next(
            (
                row
                for row in self.moves
                if row.kind == "stop" and agreement_id in row.agreement_ids and not row.detail.get("turnover")
            ),
            None,
        )

    def agreement(self, agreement_id: int) -> ServiceAgreement | None:
        return next((row for row in self.agreements if row.id == agreement_id), None)

    def tenures(self, kind: str) -> list[Tenure]:
        """The agreements at one point, as the rules see them."""
        point_id = self.points[kind].id
        found = []
        for row in self.agreements:
            if row.service_point_id != point_id or row.state_code not in moves.OPEN_STATES:
                continue
            start = self.move_of(row.id)
            held = start is not None and start.state_code == "held" and row.state_code == "pending_start"
            automatic = start is not None and bool(start.detail.get("automatic"))
            found.append(Tenure(row.id, row.account_id, row.state_code, row.start_on, row.stop_on, held, automatic))
        return found

    def succession(self, kind: str, without: Collection[int] = ()) -> Succession:
        """Who has the point, who comes next; `without` some agreements: as if they had never been asked for."""
        asked: dict[int, dt.date] = {}
        for tenure in self.tenures(kind):
            stop = self.stop_of(tenure.agreement_id)
            if stop is not None:
                asked[tenure.agreement_id] = stop.on
        return succession([tenure for tenure in self.tenures(kind) if tenure.agreement_id not in without], asked)

    def order_for(self, kind: str, *, starting: bool, follows_someone: bool) -> OrderKind | None:
        """The order that an agreement at a point needs."""
        point = self.points[kind]
        plan = PointPlan(
            kind,
            starting=starting,
            follows_someone=follows_someone,
            remote=point.remote,
            carts_standing=point.id in self.carts,
            carts_on_stop=self.policy.continuity.carts_on_stop,
        )
        return order_kind_for(plan, self.policy)


def load_book(session: Session, premise: Premise, policy: MovePolicy) -> Book:
    """The premise as it stands."""
    return Book(
        premise=premise,
        policy=policy,
        points={row.service_kind: row for row in moves.points(session, premise.id)},
        agreements=list(moves.open_agreements(session, premise.id)),
        moves=list(moves.open_moves(session, premise.id)),
        carts=waste.points_with_containers(session, premise.id),
    )
