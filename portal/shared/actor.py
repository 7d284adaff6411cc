"""Who is acting: the person at the desk as each command sees them, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.shared.problem import Problem
from portal.shared.refusal import Refused


@dataclass(frozen=True)
class Actor:
    """A staff member on one run of a page: identity from the sign-in, authority from our own tables."""

    staff_id: int
    name: str
    role_names: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    division_code: str | None = None
    person_id: int | None = None
    """The staff member as a customer of the city, where known: nobody acts on their own account."""
    limits: dict[str, int] = field(default_factory=dict)
    """Approval limits in cents by adjustment kind."""

    def may(self, permission: str) -> bool:
        return permission in self.permissions


SYSTEM = Actor(staff_id=0, name="the portal itself", permissions=frozenset({"*"}))
"""Work nobody asked for by hand: imports, nightly checks. Commands take it like any other actor."""


def authorize(actor: Actor, permission: str, amount_cents: int | None = None, limit: str | None = None) -> None:
    """Refuses unless `actor` holds `permission` and, with an amount, an approval limit of that kind that covers it."""
    if "*" in actor.permissions:
        return
    if permission not in actor.permissions:
        raise Refused(
            [
                Problem(
                    "",
                    f"Your role does not include “{permission}”. Ask a supervisor, or an administrator to change your role.",
                )
            ],
            title="You may not do this",
            report="permission",
        )
    if amount_cents is not None and limit is not None and abs(amount_cents) > actor.limits.get(limit, 0):
        from portal.shared.money import format_cents

        raise Refused(
            [
                Problem(
                    "amount",
                    f"{format_cents(abs(amount_cents))} is above your limit of {format_cents(actor.limits.get(limit, 0))}.",
                )
            ],
            title="Above your limit",
        )
