"""What a role may carry, and what is wrong with a staff entry."""

from __future__ import annotations

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
    "reference.edit": "Edit request types, calendars and policies",
    "import.run": "Import files of the city",
    "audit.read": "Read the audit chain",
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
