"""A start, stop or transfer is found by its number, typed in any way, and opens the customer it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db import core
from db.moves import Move
from portal.accounts import views
from portal.shared.number import make_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.shared.actor import Actor
    from tests.city import City


@pytest.mark.parametrize("spell", [str, str.lower, lambda number: number.replace("-", "")])
def test_a_move_is_found_by_its_number(city: City, actor: Callable[[str], Actor], spell: Callable[[str], str]) -> None:
    number = make_number("MV", 2026, 12)
    with core.work() as work:
        work.add(
            Move(
                number=number,
                kind="stop",
                state_code="pending",
                premise_id=city.premise["oakhaven"],
                account_id=city.account["100-2231-8"],
                person_id=city.person["marcus"],
                on=work.now.date(),
                service_kinds=["electric"],
                agreement_ids=[],
                created_at=work.now,
                staff_id=city.staff["luis"],
            )
        )
    first = views.find(spell(number), actor("representative")).matches[0]
    assert first.account_id == city.account["100-2231-8"]
    assert number in f"{first.title} {first.second} {first.note}"
