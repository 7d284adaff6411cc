"""What a role may carry, and what is wrong with a staff entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from portal.shared.problem import Problem

PERMISSIONS: Final[dict[str, str]] = {
    "customer.find": "Find people, addresses and accounts",
    "customer.read": "Read a customer's summary",
    "customer.edit": "Change contact details, authorized persons and flags",
    "customer.merge": "Merge two records of one person",
    "exempt.read": "See people who are exempt from public records",
    "conversation.work": "Take and wrap up conversations",
    "identity.check": "Check who is speaking",
    "identity.reset": "Reset a PIN and lift a lock",
    "emergency.take": "Stamp and transfer emergency calls",
    "callback.work": "Work the call-back list",
    "promise.settle": "Record promises as kept or broken",
    "article.read": "Search policies and how-to articles",
    "article.edit": "Edit articles",
    "request.read": "Read requests",
    "request.open": "Open requests and join callers to them",
    "request.work": "Move requests through their states",
    "request.assign": "Assign requests to people and divisions",
    "request.close": "Close and reopen requests",
    "known_event.edit": "Start, update and end known events",
    "work_order.read": "Read work orders",
    "work_order.work": "Enter results of work orders",
    "move.start": "Start and transfer service",
    "move.stop": "Stop service",
    "move.decide": "Release held moves and decide exceptions to their rules",
    "payment.record": "Record payments",
    "opinion.read": "Read public opinion",
    "report.read": "Read service-level reports",
    "delivery.read": "See which messages wait, failed or are to print",
    "delivery.work": "Send messages on, correct their address, give them up, print letters",
    "reference.edit": "Edit request types, calendars and policies",
    "import.run": "Import files of the city",
    "audit.read": "Read the audit chain",
    "adjustment.read": "See adjustments and what waits for approval",
    "adjustment.make": "Adjust bills within the limit, and ask for more",
    "adjustment.approve": "Decide adjustments others asked for",
    "absence.declare": "Say when one is away, and who stands in",
    "staff.read": "See staff and roles",
    "staff.edit": "Add people, change roles, end access",
}
"""Every permission of the house and what it means; roles are rows that name some of these."""


@dataclass(frozen=True)
class StaffForm:
    """A person to be let in: identity at the provider, name, roles."""

    issuer: str
    subject: str
    name: str
    roles: tuple[str, ...]
    email: str = ""
    division_code: str | None = None


def problems_of_staff(form: StaffForm, known_roles: frozenset[str], known_divisions: frozenset[str]) -> list[Problem]:
    """What keeps this entry from being saved."""
    found = []
    if not form.name.strip():
        found.append(Problem("name", "Enter the person's name as colleagues know it."))
    elif len(form.name) > 120:
        found.append(Problem("name", f"The name has {len(form.name)} characters; 120 is the most."))
    if not form.issuer.strip():
        found.append(Problem("issuer", "Enter the issuer, the address of the identity provider."))
    elif len(form.issuer) > 200:
        found.append(
            Problem("issuer", "The issuer is longer than 200 characters; copy it from the provider's configuration.")
        )
    if not form.subject.strip():
        found.append(Problem("subject", "Enter the subject, the number the identity provider has for this person."))
    elif len(form.subject) > 200:
        found.append(
            Problem("subject", "The subject is longer than 200 characters; copy it from the page the person was shown.")
        )
    if form.email and ("@" not in form.email or len(form.email) > 200):
        found.append(
            Problem("email", f"“{form.email[:60]}” is not an e-mail address; it needs a name, an @ and a domain.")
        )
    found.extend(problems_of_roles(form.roles, known_roles))
    if form.division_code and form.division_code not in known_divisions:
        found.append(Problem("division", f"There is no division “{form.division_code}”; choose one from the list."))
    return found


def problems_of_roles(roles: tuple[str, ...], known_roles: frozenset[str]) -> list[Problem]:
    if not roles:
        return [Problem("roles", "Choose at least one role; without one the person could not open a single page.")]
    return [
        Problem("roles", f"There is no role “{role}”; the roles are {', '.join(sorted(known_roles))}.")
        for role in roles
        if role not in known_roles
    ]


def problems_of_permissions(permissions: tuple[str, ...]) -> list[Problem]:
    return [
        Problem("permissions", f"There is no permission “{permission}”.")
        for permission in permissions
        if permission not in PERMISSIONS
    ]


# --- absences -----------------------------------------------------------------------------------------------------------

ABSENCE_DAYS_MOST: Final = 366


@dataclass(frozen=True)
class AbsenceForm:
    """Days somebody is away, both included, and who decides in their place."""

    staff_id: int
    from_on: dt.date | None
    until_on: dt.date | None
    stand_in_id: int | None


@dataclass(frozen=True)
class Away:
    """An absence there is already."""

    from_on: dt.date
    until_on: dt.date

    def meets(self, form: AbsenceForm) -> bool:
        """Whether a day is in both."""
        assert form.from_on is not None
        assert form.until_on is not None
        return self.from_on <= form.until_on and form.from_on <= self.until_on


def problems_of_absence(
    form: AbsenceForm,
    today: dt.date,
    *,
    stand_in_name: str | None,
    own: Sequence[Away] = (),
    of_stand_in: Sequence[Away] = (),
) -> list[Problem]:
    """What keeps an absence from being saved. `stand_in_name`: None when there is no such active colleague."""
    found = []
    if form.from_on is None:
        found.append(Problem("from_on", "The first day away is empty. Enter it."))
    if form.until_on is None:
        found.append(Problem("until_on", "The last day away is empty. Enter it."))
    elif form.until_on < today:
        found.append(Problem("until_on", "The last day away has passed. Enter today or a later day."))
    elif form.from_on is not None and form.until_on < form.from_on:
        found.append(Problem("until_on", "The last day away lies before the first. Enter the same day or a later one."))
    elif form.from_on is not None and (form.until_on - form.from_on).days >= ABSENCE_DAYS_MOST:
        found.append(Problem("until_on", f"That is longer than {ABSENCE_DAYS_MOST} days. Enter a nearer last day."))
    if stand_in_name is None or form.stand_in_id == form.staff_id:
        found.append(Problem("stand_in", "Stand-in is empty. Choose an active colleague."))
    if found:
        return found
    if any(each.meets(form) for each in own):
        found.append(Problem("from_on", "There is an absence on some of these days. End that one first."))
    if any(each.meets(form) for each in of_stand_in):
        found.append(
            Problem(
                "stand_in",
                f"{stand_in_name} is away on some of these days, and a stand-in does not pass on. Choose somebody else.",
            )
        )
    return found
