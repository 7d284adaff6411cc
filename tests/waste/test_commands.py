"""Carts at points, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from db import core, waste
from portal.waste import commands, views

if TYPE_CHECKING:
    from tests.city import City

ON = dt.date(2026, 11, 30)


def test_delivered_once_and_retrieved(city: City) -> None:
    point = city.point["tanner61", "refuse"]
    with core.work() as work:
        first = commands.deliver_carts(work, point, "cart-96", 2, ON)
        again = commands.deliver_carts(work, point, "cart-96", 2, ON)
    assert len(first) == 2
    assert again == []
    with core.read() as session:
        assert waste.points_with_containers(session, city.premise["tanner61"]) == {point}
    with core.work() as work:
        # A day before it came cannot be when it went.
        assert sorted(commands.retrieve_carts(work, point, ON - dt.timedelta(days=3))) == sorted(first)
        assert commands.retrieve_carts(work, point, ON) == []
    with core.read() as session:
        assert waste.points_with_containers(session, city.premise["tanner61"]) == set()


def test_first_collections_of_an_address(city: City) -> None:
    with core.read() as session:
        found = views.first_collections(session, ("electric", "refuse", "trash"), "THU-RED", dt.date(2026, 11, 24))
    # Thanksgiving Thursday moves to Friday; the week of November 22, 2026 is the 313th after the Blue week of
    # November 22, 2020, so Red.
    assert [(one.service_kind, one.on) for one in found] == [
        ("refuse", dt.date(2026, 11, 27)),
        ("trash", dt.date(2026, 11, 27)),
    ]
