"""Carts and containers at service points. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.accounts import ServicePoint
from db.core import Base, Id, prepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class Container(Id, Base):
    """A cart or container standing at a service point."""

    __tablename__ = "container"
    __table_args__ = (sa.Index(None, "service_point_id"),)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    service_point_id: Mapped[int] = mapped_column(sa.ForeignKey("service_point.id"))
    kind_code: Mapped[str] = mapped_column(sa.String(30))
    """cart-96, cart-64, fel-4."""
    delivered_on: Mapped[dt.date] = mapped_column(sa.Date)
    retrieved_on: Mapped[dt.date | None] = mapped_column(sa.Date)


# --- queries ----------------------------------------------------------------------------------------------------------


def standing(session: Session, point_id: int) -> Sequence[Container]:
    """Carts and containers that stand at a point now."""
    return session.scalars(
        sa.select(Container)
        .where(Container.service_point_id == point_id, Container.retrieved_on.is_(None))
        .order_by(Container.id)
    ).all()


def points_with_containers(session: Session, premise_id: int) -> set[int]:
    """The service points of a premise where a cart or container stands now."""
    return set(_points_with_containers(session, one=premise_id).scalars())


@prepared
def _points_with_containers(one: Any) -> Any:
    return (
        sa.select(Container.service_point_id)
        .join(ServicePoint, ServicePoint.id == Container.service_point_id)
        .where(ServicePoint.premise_id == one, Container.retrieved_on.is_(None))
    )
