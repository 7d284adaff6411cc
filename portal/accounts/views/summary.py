"""The summary of one customer: everything a representative looks at before answering, on one screen.

Rooms above add their own cards beside it: metering the use, billing the money and the dates, waste the collections.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import accounts as rows
from db import core
from db import directory as directory_rows
from portal import settings
from portal.accounts import rules
from portal.service_requests.views import in_force
from portal.shared.actor import authorize
from portal.shared.money import format_cents
from portal.shared.text import day_text, due_text, format_phone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.orm import Session

    from portal.shared.actor import Actor

AGREEMENT_STATES = {
    "pending_start": "starts",
    "active": "active",
    "pending_stop": "stops",
    "stopped": "stopped",
    "cancelled": "cancelled",
}


@dataclass(frozen=True)
class Alert:
    """A sentence to see before acting."""

    text: str
    color: str
    icon: str


@dataclass(frozen=True)
class FlagLine:
    """Something to know, and on what it stands."""

    id: int
    code: str
    name: str
    words: str
    hint: str
    color: str
    icon: str
    subject_kind: str
    until_on: dt.date | None


@dataclass(frozen=True)
class ActsFor:
    """Somebody who may act for the customer."""

    id: int
    person_id: int
    name: str
    phone: str
    relation: str
    powers: str


@dataclass(frozen=True)
class AccountLine:
    """One account of a person, or at a premise."""

    account_id: int
    number: str
    title: str
    """The address of a person's account; the person's name at a premise."""
    second: str
    closed: bool
    balance_cents: int
    past_due_cents: int


@dataclass(frozen=True)
class ServiceLine:
    """One service as it runs, is about to start or to stop."""

    agreement_id: int | None
    service_kind: str
    name: str
    icon: str
    state_code: str
    words: str
    """“since Jun 3, 2019”, “starts Mon, Nov 30”."""
    code: str
    """The code by kind and area: RG96."""
    count: int
    premise_id: int
    service_point_id: int


@dataclass(frozen=True)
class OrderLine:
    """A request or work order that is open."""

    kind: str
    """service_request, work_order."""
    id: int
    number: str
    name: str
    second: str
    due: str
    late: bool
    soon: bool
    page: str


@dataclass(frozen=True)
class Summary:
    """One customer. Of the three ids those are set that are known: a premise without an account has no person."""

    title: str
    account_id: int | None = None
    person_id: int | None = None
    premise_id: int | None = None
    kind: str = ""
    """residential, commercial; person, company; house, apartment, business."""
    person_number: str = ""
    person_name: str = ""
    premise_number: str = ""
    account_number: str = ""
    phone: str = ""
    other_phone: str = ""
    email: str = ""
    address: str = ""
    place: str = ""
    """City and ZIP code of the premise."""
    premise_words: str = ""
    """“Owner”, “Rental, owned by …”, since when."""
    language: str = ""
    exempt: bool = False
    opened_on: dt.date | None = None
    closed_on: dt.date | None = None
    balance_cents: int = 0
    past_due_cents: int = 0
    past_due_days: int = 0
    deposit_cents: int = 0
    bills_go_to: str = ""
    mailing_address: str = ""
    bill_cycle: str = ""
    read_cycle: str = ""
    collection_code: str = ""
    route_code: str = ""
    district: str = ""
    rental: bool = False
    person_version: int = 0
    account_version: int = 0
    alerts: tuple[Alert, ...] = ()
    flags: tuple[FlagLine, ...] = ()
    people: tuple[ActsFor, ...] = ()
    accounts: tuple[AccountLine, ...] = ()
    """The person's other accounts; all accounts of a person without a chosen one, or at a premise."""
    acts_for: tuple[AccountLine, ...] = ()
    services: tuple[ServiceLine, ...] = ()
    orders: tuple[OrderLine, ...] = ()
    promises: tuple[tuple[str, str], ...] = ()
    """(words, due) of what was promised and is still owed."""
    old_numbers: tuple[tuple[str, str], ...] = ()
    """(system, number)."""
    merged_into_id: int | None = None
    today: dt.date = dt.date.min

    @property
    def second_line(self) -> str:
        """Address, account, phone and since when, as one line."""
        parts = [", ".join(part for part in (self.address, self.place) if part)]
        if self.account_number:
            parts.append(f"Account {self.account_number}")
        elif self.person_number:
            parts.append(self.person_number)
        if self.phone:
            parts.append(format_phone(self.phone))
        parts.append(self.premise_words)
        return " · ".join(part for part in parts if part)


def summary(account_id: int, actor: Actor) -> Summary | None:
    """The summary of an account; None when there is no such account."""
    authorize(actor, "customer.read")
    with core.read() as session:
        row = rows.account_row(session, account_id)
        if row is None:
            return None
        return _of_account(session, row)


def for_person(person_id: int, actor: Actor) -> Summary | None:
    """The summary of a person without a chosen account; a merged record answers with where it went."""
    authorize(actor, "customer.read")
    with core.read() as session:
        row = rows.person_row(session, person_id)
        if row is None:
            return None
        if row.merged_into_id is not None:
            row = rows.person_row(session, row.merged_into_id)
        today = _today()
        accounts = rows.accounts_of_person(session, row.person_id)
        flags = _flags(session, {("person", row.person_id)}, today)
        orders = _orders(session, rows.open_orders(session, person_id=row.person_id))
        return Summary(
            row.name,
            person_id=row.person_id,
            kind=row.person_kind,
            **_person_fields(row),
            accounts=tuple(_account_line(each, each.address or "no address", today) for each in accounts),
            acts_for=_acts_for(session, row.person_id, today),
            flags=flags,
            orders=orders,
            alerts=_alerts(row, flags, orders, None, today),
            old_numbers=_old_numbers(session, {("person", row.person_id)}),
            today=today,
        )


def for_premise(premise_id: int, actor: Actor) -> Summary | None:
    """The summary of an address: who has accounts there, what it is served with, what is open."""
    authorize(actor, "customer.read")
    with core.read() as session:
        row = rows.premise_row(session, premise_id)
        if row is None:
            return None
        today = _today()
        kinds = service_kinds(session, today)
        flags = _flags(session, {("premise", premise_id)}, today)
        orders = _orders(session, rows.open_orders(session, premise_id=premise_id))
        services = tuple(
            ServiceLine(
                None, point.service_kind, kinds.get(point.service_kind, (point.service_kind, ""))[0],
                kinds.get(point.service_kind, ("", "bolt"))[1], "off" if point.off_since_on else "",
                f"off since {day_text(point.off_since_on, today)}" if point.off_since_on else "",
                point.service_code, point.multiplicity, premise_id, point.id,
            )
            for point in rows.points_of_premise(session, premise_id)
        )  # fmt: skip
        return Summary(
            row.address,
            premise_id=premise_id,
            kind=row.premise_kind,
            **_premise_fields(session, row, None, None),
            accounts=tuple(
                _account_line(each, each.name, today) for each in rows.accounts_at_premise(session, premise_id)
            ),
            flags=flags,
            orders=orders,
            services=services,
            alerts=_alerts(None, flags, orders, None, today),
            old_numbers=_old_numbers(session, {("premise", premise_id)}),
            today=today,
        )


def _of_account(session: Session, row: Any) -> Summary:
    today, now = _today(), core.now()
    subjects = {("account", row.account_id), ("person", row.person_id)}
    if row.premise_id is not None:
        subjects.add(("premise", row.premise_id))
    flags = _flags(session, subjects, today)
    orders = _orders(session, rows.open_orders(session, account_id=row.account_id, premise_id=row.premise_id))
    days = 0 if row.past_due_since_on is None else max(0, (today - row.past_due_since_on).days)
    others = [each for each in rows.accounts_of_person(session, row.person_id) if each.account_id != row.account_id]
    mailing = row.mailing_address or row.person_mailing_address
    return Summary(
        row.name,
        account_id=row.account_id,
        person_id=row.person_id,
        premise_id=row.premise_id,
        kind=row.account_kind,
        account_number=row.account_number,
        **_person_fields(row),
        **_premise_fields(session, row, row.person_id, row.opened_on),
        opened_on=row.opened_on,
        closed_on=row.closed_on,
        balance_cents=row.balance_cents,
        past_due_cents=row.past_due_cents,
        past_due_days=days,
        deposit_cents=row.deposit_cents,
        bills_go_to="e-mail" if row.bill_by == "email" else "mail",
        mailing_address=mailing,
        bill_cycle=row.bill_cycle,
        account_version=row.account_version,
        alerts=_alerts(row, flags, orders, row, today),
        flags=flags,
        people=tuple(
            ActsFor(
                each.id, each.person_id, each.name, each.phone,
                rules.RELATIONS.get(each.relation, each.relation), rules.powers_text(each.powers),
            )
            for each in rows.authorised_on(session, row.account_id, today)
        ),
        accounts=tuple(_account_line(each, each.address or "no address", today) for each in others),
        acts_for=_acts_for(session, row.person_id, today),
        services=_services(session, rows.agreements_of_account(session, row.account_id), today),
        orders=orders,
        promises=tuple(
            (each.words, due_text(each.due_at, now, settings.current().zone))
            for each in rows.open_promises(session, row.account_id)
        ),
        old_numbers=_old_numbers(session, subjects),
        today=today,
    )  # fmt: skip


# --- parts --------------------------------------------------------------------------------------------------------------


def _today() -> dt.date:
    return core.now().astimezone(settings.current().time_zone).date()


def service_kinds(session: Session, on: dt.date) -> dict[str, tuple[str, str]]:
    """Service kind -> (name, icon), in the order of the pack."""
    return core.kept(
        session,
        ("service kinds", on),
        lambda: {
            row.code: (row.name, str(row.detail.get("icon", "bolt")))
            for row in directory_rows.reference(session, "service_kind", on)
        },
    )


def _person_fields(row: Any) -> dict[str, Any]:
    return {
        "person_number": row.person_number,
        "person_name": row.name,
        "phone": row.phone,
        "other_phone": row.other_phone,
        "email": row.email,
        "language": row.language,
        "exempt": row.exempt,
        "person_version": row.person_version,
    }


def _premise_fields(session: Session, row: Any, person_id: int | None, since: dt.date | None) -> dict[str, Any]:
    if row.premise_id is None:
        return {}
    if person_id is not None and row.owner_id == person_id:
        words = "Owner"
    elif row.rental:
        words = "Rents"
    else:
        words = ""
    if person_id is None and row.owner_id is not None:
        words = f"owned by {rows.person_names(session, {row.owner_id}).get(row.owner_id, 'unknown')}"
    if since is not None:
        words = f"{words}, since {since:%B %Y}" if words else f"since {since:%B %Y}"
    return {
        "address": row.address,
        "place": row.zip,
        "premise_number": row.premise_number,
        "premise_words": words,
        "read_cycle": row.read_cycle,
        "collection_code": row.collection_code,
        "route_code": row.route_code,
        "district": row.district,
        "rental": row.rental,
    }


def _account_line(row: Any, title: str, today: dt.date) -> AccountLine:
    if row.closed_on is not None:
        words = f"closed {day_text(row.closed_on, today)}"
    else:
        words = f"since {day_text(row.opened_on, today)}"
    return AccountLine(
        row.account_id, row.account_number, title, f"Account {row.account_number} · {words}",
        row.closed_on is not None, row.balance_cents, row.past_due_cents,
    )  # fmt: skip


def _acts_for(session: Session, person_id: int, today: dt.date) -> tuple[AccountLine, ...]:
    return tuple(
        AccountLine(
            each.account_id, each.account_number, each.name,
            f"{each.address or 'no address'} · Account {each.account_number} · may {rules.powers_text(each.powers)}", False, 0, 0,
        )
        for each in rows.may_act_for(session, person_id, today)
    )  # fmt: skip


def _services(session: Session, agreements: Iterable[Any], today: dt.date) -> tuple[ServiceLine, ...]:
    """What runs or is about to; of what has stopped, only where nothing newer is known of the same point."""
    kinds = service_kinds(session, today)
    order = list(kinds)
    found: dict[int, ServiceLine] = {}
    for row in agreements:
        if row.state_code == "cancelled" or row.service_point_id in found:
            continue
        name, icon = kinds.get(row.service_kind, (row.service_kind.capitalize(), "bolt"))
        if row.state_code in ("pending_stop", "stopped"):
            when = row.stop_on or row.start_on
        else:
            when = row.start_on
        words = (
            f"since {day_text(when, today)}"
            if row.state_code == "active"
            else f"{AGREEMENT_STATES[row.state_code]} {day_text(when, today)}"
        )
        found[row.service_point_id] = ServiceLine(
            row.id, row.service_kind, name, icon, row.state_code, words, row.service_code, row.multiplicity,
            row.premise_id, row.service_point_id,
        )  # fmt: skip
    return tuple(
        sorted(found.values(), key=lambda line: order.index(line.service_kind) if line.service_kind in order else 99)
    )


def _flags(session: Session, subjects: Collection[tuple[str, int]], today: dt.date) -> tuple[FlagLine, ...]:
    flags = rows.flags_on(session, subjects, today)
    if not flags:
        return ()
    kinds = {row.code: row for row in directory_rows.reference(session, "flag", today)}
    order = list(kinds)
    lines = []
    for flag in sorted(flags, key=lambda each: order.index(each.code) if each.code in kinds else 99):
        kind = kinds.get(flag.code)
        detail = {} if kind is None else kind.detail
        lines.append(
            FlagLine(
                flag.id, flag.code, flag.code.replace("_", " ").capitalize() if kind is None else kind.name, flag.words,
                str(detail.get("hint", "")), str(detail.get("tone", "gray")), str(detail.get("icon", "flag")),
                flag.subject_kind, flag.until_on,
            )
        )  # fmt: skip
    return tuple(lines)


def _orders(session: Session, found: list[Any]) -> tuple[OrderLine, ...]:
    if not found:
        return ()
    now, zone = core.now(), settings.current().zone
    divisions = directory_rows.division_names(session)
    tables = {kind: in_force.states(session, kind) for kind in {_state_table(row.kind) for row in found}}
    lines = []
    for row in found:
        state = tables[_state_table(row.kind)].name(row.state_code)
        who = divisions.get(row.division_code or "", row.division_code or "")
        with_whom = f"with {who}" if who else ""
        lines.append(
            OrderLine(
                row.kind, row.id, row.number, row.name,
                ", ".join(part for part in (state, with_whom, row.crew) if part),
                "no due time" if row.due_at is None else f"due {due_text(row.due_at, now, zone)}"
                if row.due_at >= now else due_text(row.due_at, now, zone),
                row.due_at is not None and row.due_at < now,
                row.due_at is not None and now <= row.due_at < now + dt.timedelta(hours=24),
                "case" if row.kind == "service_request" else "work_order",
            )
        )  # fmt: skip
    return tuple(lines)


def _state_table(kind: str) -> str:
    return in_force.REQUEST if kind == "service_request" else in_force.WORK_ORDER


def _old_numbers(session: Session, subjects: Collection[tuple[str, int]]) -> tuple[tuple[str, str], ...]:
    return tuple((each.source, each.value) for each in rows.other_numbers_of(session, subjects))


def _alerts(
    person: Any, flags: Iterable[FlagLine], orders: tuple[OrderLine, ...], account: Any, today: dt.date
) -> tuple[Alert, ...]:
    """What to see before acting, the gravest first."""
    found = []
    for flag in flags:
        if flag.color == "red":
            found.append(Alert(f"{flag.name}: {flag.words}" if flag.words else flag.name, "red", flag.icon))
    if account is not None:
        if account.past_due_cents > 0:
            text = f"Past due {format_cents(account.past_due_cents)}"
            if account.cutoff_on is not None:
                text += f", on the cut-off list for {day_text(account.cutoff_on, today)}"
            found.append(Alert(text, "orange", "warning"))
        elif account.cutoff_on is not None:
            found.append(Alert(f"Cut scheduled for {day_text(account.cutoff_on, today)}", "orange", "power_off"))
    if person is not None and person.language:
        found.append(Alert(f"Interpreter: {person.language}", "blue", "translate"))
    if person is not None and person.exempt:
        found.append(Alert("Exempt from public records: never give out name or address", "gray", "visibility_off"))
    if orders and (orders[0].late or orders[0].soon):
        first = orders[0]
        found.append(Alert(f"{first.name} is open, {first.due}", "red" if first.late else "blue", "assignment"))
    for flag in flags:
        if flag.color != "red":
            found.append(Alert(f"{flag.name}: {flag.words}" if flag.words else flag.name, flag.color, flag.icon))
    return tuple(found)
