"""Carts and containers at service points. Tables, then queries."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Id


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
