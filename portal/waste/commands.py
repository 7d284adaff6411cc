"""Carts at service points: delivered, retrieved. Both are steps of other rooms' commands and join their transaction."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import core
from db import waste as waste_rows
from portal.shared.number import make_number

if TYPE_CHECKING:
    from db.core import Work


def deliver_carts(work: Work, point_id: int, kind_code: str, count: int, on: dt.date) -> list[str]:
    """Notes carts as standing at a point up to `count`; returns the numbers of those that are new."""
    missing = count - len(waste_rows.standing(work.session, point_id))
    numbers = []
    for _ in range(max(0, missing)):
        number = make_number("CT", on.year, core.next_sequence(work.session, "CT", on.year))
        work.add(waste_rows.Container(number=number, service_point_id=point_id, kind_code=kind_code, delivered_on=on))
        numbers.append(number)
    return numbers


def retrieve_carts(work: Work, point_id: int, on: dt.date) -> list[str]:
    """Notes every cart at a point as picked up; returns their numbers."""
    numbers = []
    for cart in waste_rows.standing(work.session, point_id):
        cart.retrieved_on = max(on, cart.delivered_on)
        numbers.append(cart.number)
    work.session.flush()
    return numbers
