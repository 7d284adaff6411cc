"""What the find box answers: each match with what tells it from the others, and what to open."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import accounts as rows
from db import core
from portal.shared.actor import authorize
from portal.shared.money import format_cents
from portal.shared.text import count_text, format_phone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.shared.actor import Actor

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHORTEST = 2


@dataclass(frozen=True)
class Badge:
    """A word or two with a colour that means something: orange money or time at risk, red late, blue state, grey kind."""

    text: str
    color: str = "gray"
    icon: str = ""


@dataclass(frozen=True)
class Match:
    """One line of the find box."""

    kind: str
    """account, person, premise, service_request, work_order, move, bill, adjustment."""
    title: str
    second: str
    badges: tuple[Badge, ...] = ()
    note: str = ""
    """How it fits when that is not plain to see: sounds alike, the meter it was found by."""
    account_id: int | None = None
    person_id: int | None = None
    premise_id: int | None = None
    page: str = "customer"
    query: tuple[tuple[str, int], ...] = ()
    """Where opening it leads; a customer is opened by account, person or premise."""
    address: str = ""
    """Of the account or premise."""
    closed: bool = False


@dataclass(frozen=True)
class Place:
    """An address that was looked for: service can start there, whoever has it now."""

    premise_id: int
    address: str
    occupied: bool


@dataclass(frozen=True)
class FindResult:
    """The answer to what was typed."""

    text: str
    matches: tuple[Match, ...] = ()
    took_ms: int = 0
    how: str = ""
    """In words: “5 matches · best first”."""
    too_short: bool = False
    places: tuple[Place, ...] = ()
    """Addresses among the matches that were typed as such."""


MOST_PLACES = 2


def find(text: str, actor: Actor, most: int = 9) -> FindResult:
    """The best matches for a name, phone, address, account, meter, order number, old number or e-mail, best first."""
    authorize(actor, "customer.find")
    text = " ".join(text.split())
    if sum(character.isalnum() for character in text) < SHORTEST:
        return FindResult(text, too_short=True)
    began = time.perf_counter()
    with core.read() as session:
        found = rows.find(session, text, most)
        matches = _matches(session, found)
    took = max(1, round((time.perf_counter() - began) * 1000))
    if not matches:
        how = "No match"
    else:
        near = sum(each.how == "near" for each in found)
        how = "1 match" if len(matches) == 1 else f"{len(matches)} matches"
        how += ", all of them near" if near == len(matches) else " · best first" if len(matches) > 1 else ""
    return FindResult(text, tuple(matches), took, how, places=_places(text, matches))


def _places(text: str, matches: Sequence[Match]) -> tuple[Place, ...]:
    """The addresses that were looked for: those whose house number was typed, and those nobody has."""
    typed = set(text.casefold().replace(",", " ").split())
    found: dict[int, Place] = {}
    for match in matches:
        if match.premise_id is None or not match.address:
            continue
        number = match.address.split()[0].casefold()
        if match.kind == "premise" or (number[:1].isdigit() and number in typed):
            known = found.get(match.premise_id)
            occupied = match.kind == "account" and not match.closed
            found[match.premise_id] = Place(
                match.premise_id, match.address, occupied or (known is not None and known.occupied)
            )
    return tuple(found.values())[:MOST_PLACES]


def _matches(session: Session, found: Sequence[rows.Found]) -> list[Match]:
    accounts = {each.subject_id for each in found if each.kind == "account"}
    accounts |= {each.account_id for each in found if each.account_id is not None}
    lines = rows.find_lines(
        session,
        accounts=accounts,
        persons={each.subject_id for each in found if each.kind == "person"},
        premises={each.subject_id for each in found if each.kind == "premise"}
        | {each.premise_id for each in found if each.premise_id is not None},
        requests={each.subject_id for each in found if each.kind == "service_request" and each.premise_id is None},
    )
    orders = rows.open_order_counts(session, accounts)
    made = (_match(each, lines, orders) for each in found)
    return [match for match in made if match is not None]


def _match(found: rows.Found, lines: rows.FindLines, orders: dict[int, int]) -> Match | None:
    if found.kind == "account":
        row = lines.accounts.get(found.subject_id)
        return None if row is None else _account(found, row, orders.get(found.subject_id, 0))
    if found.kind == "person":
        row = lines.persons.get(found.subject_id)
        return None if row is None else _person(found, row, lines.acts_for.get(found.subject_id))
    if found.kind == "premise":
        row = lines.premises.get(found.subject_id)
        return None if row is None else _premise(found, row)
    return _order(found, lines)


def _account(found: rows.Found, row: Any, open_orders: int) -> Match:
    badges = []
    if row.past_due_cents > 0:
        badges.append(Badge(f"Past due {format_cents(row.past_due_cents)}", "orange"))
    if open_orders:
        badges.append(Badge(f"{open_orders} open", "blue"))
    if row.kind == "commercial":
        badges.append(Badge("Commercial"))
    if row.closed_on is not None:
        badges.append(Badge("Closed"))
    if row.exempt:
        badges.append(Badge("Exempt", "gray", "visibility_off"))
    second = [row.address or "no address"]
    if row.closed_on is not None:
        second.append(f"closed {_MONTHS[row.closed_on.month - 1]} {row.closed_on.year}")
    second.append(f"Account {row.number}")
    if row.phone:
        second.append(format_phone(row.phone))
    return Match(
        "account",
        f"Former: {row.name}" if row.closed_on is not None else row.name,
        " · ".join(second),
        tuple(badges),
        _note(found, row.phone),
        account_id=row.account_id,
        person_id=row.person_id,
        premise_id=row.premise_id,
        query=(("account", row.account_id),),
        address=row.address or "",
        closed=row.closed_on is not None,
    )


def _person(found: rows.Found, row: Any, acts_for: Any) -> Match:
    second = []
    if acts_for is not None:
        more = "" if acts_for.count == 1 else f" and {count_text(acts_for.count - 1, 'other')}"
        second.append(f"may act for {acts_for.name}{more}")
    else:
        second.append("no account")
    second.append(row.number)
    if row.phone:
        second.append(format_phone(row.phone))
    badges = [Badge("Company")] if row.kind == "company" else []
    if row.exempt:
        badges.append(Badge("Exempt", "gray", "visibility_off"))
    return Match(
        "person", row.name, " · ".join(second), tuple(badges), _note(found, row.phone),
        person_id=row.person_id, query=(("person", row.person_id),),
    )  # fmt: skip


def _premise(found: rows.Found, row: Any) -> Match:
    return Match(
        "premise", row.address, f"{row.kind} · {row.zip} · {row.number}", (Badge("No open account", "blue"),), _note(found, ""),
        premise_id=row.premise_id, query=(("premise", row.premise_id),), address=row.address,
    )  # fmt: skip


def _order(found: rows.Found, lines: rows.FindLines) -> Match:
    account = lines.accounts.get(found.account_id or 0)
    premise = lines.premises.get(found.premise_id or 0)
    second = [found.shown]
    if account is not None:
        second.append(account.name)
    if premise is not None:
        second.append(premise.address)
    elif found.kind == "service_request" and lines.spots.get(found.subject_id):
        second.append(lines.spots[found.subject_id])
    page, query = ORDER_PAGES.get(found.kind, ("customer", "account"))
    target = found.account_id if page == "customer" else found.subject_id
    return Match(
        found.kind,
        found.label or ORDER_NAMES.get(found.kind, "Order"),
        " · ".join(second),
        (Badge("Closed"),) if found.closed else (Badge("Open", "blue"),),
        "sounds alike" if found.how == "near" else "old number" if found.by == "old number" else "",
        account_id=found.account_id,
        person_id=found.person_id,
        premise_id=found.premise_id,
        page=page,
        query=((query, target),) if target is not None else (),
    )


ORDER_PAGES = {"service_request": ("case", "id"), "work_order": ("work_order", "id"), "adjustment": ("approvals", "id")}
ORDER_NAMES = {
    "service_request": "Request",
    "work_order": "Work order",
    "move": "Move",
    "bill": "Bill",
    "adjustment": "Adjustment",
}


def _note(found: rows.Found, phone: str) -> str:
    if found.how == "near":
        if not found.by:
            return "similar address" if found.kind == "premise" else "sounds alike"
        return f"near: {found.by} {_shown(found)}"
    if found.by == "phone" and not phone.endswith(found.shown):
        return f"other phone {_shown(found)}"
    if found.by in ("meter", "old number", "e-mail", "number"):
        return f"by {found.by} {_shown(found)}".rstrip()
    return ""


def _shown(found: rows.Found) -> str:
    if found.by == "phone":
        return format_phone(found.shown) if len(found.shown) == 10 else f"…{found.shown}"
    if found.by == "account" and len(found.shown) >= 7:
        return f"{found.shown[:-5]}-{found.shown[-5:-1]}-{found.shown[-1]}"
    return "" if found.by == "e-mail" else found.shown.upper()
