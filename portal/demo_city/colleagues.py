"""Who works at the desk of the demo city: the named colleagues of the tests, and enough others that queues have owners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.demo_city.people import named_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.demo_city.city import City

STAFF_COLUMNS = (
    "id",
    "version",
    "issuer",
    "subject",
    "name",
    "email",
    "division_code",
    "person_id",
    "active",
    "created_at",
)
ROLE_COLUMNS = ("staff_id", "role_code")

OTHERS = (
    ("noor", "Noor Haddad", ("representative",), "customer_desk"),
    ("calvin", "Calvin Brooks", ("representative",), "customer_desk"),
    ("yuki", "Yuki Amano", ("representative",), "billing_review"),
    ("terrell", "Terrell Moss", ("representative",), "field_services"),
    ("greta", "Greta Lindholm", ("supervisor",), "customer_desk"),
    ("omar", "Omar Bittner", ("representative",), "carts"),
)
"""Subject, name, roles, division."""


@dataclass(frozen=True)
class Colleague:
    id: int
    subject: str
    name: str
    roles: tuple[str, ...]
    division: str | None
    person_id: int | None


def colleagues(city: City, divisions: set[str], first_id: int) -> list[Colleague]:
    """The people of the desk; a division the packs do not have is left away."""
    person_of: dict[str, int] = {}
    for row, one in named_accounts(city.named, city.held):
        person_of[one["person"]] = int(city.held.holder[row]) + 1
    people: list[tuple[str, str, tuple[str, ...], str | None, int | None]] = [
        (one["key"], one["name"], tuple(one["roles"]), one.get("division"), person_of.get(one.get("person", "")))
        for one in city.named.staff
    ]
    people += [(subject, name, roles, division, None) for subject, name, roles, division in OTHERS]
    return [
        Colleague(first_id + at, subject, name, roles, division if division in divisions else None, person_id)
        for at, (subject, name, roles, division, person_id) in enumerate(people)
    ]


def staff_rows(city: City, team: list[Colleague]) -> Iterator[tuple[Any, ...]]:
    for one in team:
        email = f"{one.name.lower().replace(' ', '.')}@city.example"
        made = city.midday(city.days.today.toordinal() - 900)
        yield one.id, 1, "demo", one.subject, one.name, email, one.division, one.person_id, 1, made


def role_rows(team: list[Colleague]) -> Iterator[tuple[Any, ...]]:
    for one in team:
        for role in one.roles:
            yield one.id, role


class Desk:
    """Draws who took a call or has a case."""

    def __init__(self, team: list[Colleague]) -> None:
        self.team = team
        desk = [one for one in team if "representative" in one.roles and one.division in (None, "customer_desk")]
        self.representatives = np.array([one.id for one in desk or team])
        self._by_division: dict[str, list[int]] = {}
        for one in team:
            if one.division and one.person_id is None:
                self._by_division.setdefault(one.division, []).append(one.id)

    def of_division(self, code: str | None, which: int) -> int | None:
        """Somebody of a division; None where nobody of it uses the portal."""
        found = self._by_division.get(code or "")
        return found[which % len(found)] if found else None

    def own(self, person_id: int) -> set[int]:
        """Colleagues who are this customer: they never take their own case."""
        return {one.id for one in self.team if one.person_id == person_id}
