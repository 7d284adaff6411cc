"""What the room asks its tables: one customer from every side, and who is whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db import core
from db.accounts.tables import (
    Account,
    AuthorisedPerson,
    Flag,
    OtherNumber,
    Person,
    Premise,
    ServiceAgreement,
    ServicePoint,
)
from db.contacts import Conversation, IdentityCheck, MessageCopy, Promise
from db.events import Event, OutboxMessage
from db.service_requests import ServiceRequest, WorkOrder
from db.staff import Staff, StaffRelative

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

_PERSON = (
    Person.id.label("person_id"), Person.number.label("person_number"), Person.kind.label("person_kind"), Person.name,
    Person.phone, Person.other_phone, Person.email, Person.mailing_address.label("person_mailing_address"),
    Person.language, Person.exempt_from_public_records.label("exempt"), Person.household_key, Person.merged_into_id,
    Person.version.label("person_version"),
)  # fmt: skip
_PREMISE = (
    Premise.id.label("premise_id"), Premise.number.label("premise_number"), Premise.address, Premise.city, Premise.zip,
    Premise.kind.label("premise_kind"), Premise.rental, Premise.owner_id, Premise.continuity, Premise.district,
    Premise.inside_city, Premise.read_cycle, Premise.collection_code, Premise.route_code,
)  # fmt: skip
_ACCOUNT = (
    Account.id.label("account_id"), Account.number.label("account_number"), Account.kind.label("account_kind"),
    Account.bill_by, Account.mailing_address, Account.bill_cycle, Account.opened_on, Account.closed_on,
    Account.balance_cents, Account.past_due_cents, Account.past_due_since_on, Account.deposit_cents, Account.cutoff_on,
    Account.version.label("account_version"),
)  # fmt: skip


# --- one customer -------------------------------------------------------------------------------------------------------


@core.prepared
def _account_row(account_id: Any) -> Any:
    return (
        sa.select(*_ACCOUNT, *_PERSON, *_PREMISE)
        .join(Person, Person.id == Account.person_id)
        .outerjoin(Premise, Premise.id == Account.premise_id)
        .where(Account.id == account_id)
    )  # fmt: skip


def account_row(session: Session, account_id: int) -> Any:
    """An account with its person and main premise; None when there is no such account."""
    return _account_row(session, account_id=account_id).one_or_none()


@core.prepared
def _person_row(person_id: Any) -> Any:
    return (
        sa.select(*_PERSON).where(Person.id == person_id)
    )  # fmt: skip


def person_row(session: Session, person_id: int) -> Any:
    return _person_row(session, person_id=person_id).one_or_none()


@core.prepared
def _premise_row(premise_id: Any) -> Any:
    return (
        sa.select(*_PREMISE).where(Premise.id == premise_id)
    )  # fmt: skip


def premise_row(session: Session, premise_id: int) -> Any:
    return _premise_row(session, premise_id=premise_id).one_or_none()


def persons_by_number(session: Session, number: str) -> Person | None:
    return session.scalar(sa.select(Person).where(Person.number == number))


def person_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(sa.select(Person.id, Person.name).where(Person.id.in_(sorted(ids)))).all()
    return {row.id: row.name for row in rows}


@core.prepared
def _accounts_of_person(person_id: Any, most: Any) -> Any:
    return (
        sa.select(*_ACCOUNT, Account.premise_id, Premise.address)
        .outerjoin(Premise, Premise.id == Account.premise_id)
        .where(Account.person_id == person_id)
        .order_by(Account.closed_on.is_not(None), Account.opened_on.desc(), Account.id.desc())
        .limit(most)
    )  # fmt: skip


def accounts_of_person(session: Session, person_id: int, most: int = 50) -> Sequence[Any]:
    """A person's accounts, the open ones first, then the latest."""
    return _accounts_of_person(session, person_id=person_id, most=most).all()


@core.prepared
def _accounts_at_premise(premise_id: Any, most: Any) -> Any:
    return (
        sa.select(*_ACCOUNT, Account.premise_id, Person.id.label("person_id"), Person.name)
        .join(Person, Person.id == Account.person_id)
        .where(Account.premise_id == premise_id)
        .order_by(Account.closed_on.is_not(None), Account.opened_on.desc(), Account.id.desc())
        .limit(most)
    )  # fmt: skip


def accounts_at_premise(session: Session, premise_id: int, most: int = 20) -> Sequence[Any]:
    """Accounts at a premise with the names of their persons, the open ones first, then the latest."""
    return _accounts_at_premise(session, premise_id=premise_id, most=most).all()


@core.prepared
def _authorised_on(account_id: Any, on: Any) -> Any:
    return (
        sa.select(
            AuthorisedPerson.id, AuthorisedPerson.person_id, Person.name, Person.phone, AuthorisedPerson.relation,
            AuthorisedPerson.powers, AuthorisedPerson.since_on,
        )
        .join(Person, Person.id == AuthorisedPerson.person_id)
        .where(
            AuthorisedPerson.account_id == account_id,
            sa.or_(AuthorisedPerson.until_on.is_(None), AuthorisedPerson.until_on >= on),
        )
        .order_by(AuthorisedPerson.since_on, AuthorisedPerson.id)
    )  # fmt: skip


def authorised_on(session: Session, account_id: int, on: dt.date) -> Sequence[Any]:
    """Who may act for the customer on a day, longest first."""
    return _authorised_on(session, account_id=account_id, on=on).all()


@core.prepared
def _may_act_for(person_id: Any, on: Any) -> Any:
    return (
        sa.select(
            Account.id.label("account_id"), Account.number.label("account_number"), Person.name, Premise.address,
            AuthorisedPerson.relation, AuthorisedPerson.powers,
        )
        .join(Account, Account.id == AuthorisedPerson.account_id)
        .join(Person, Person.id == Account.person_id)
        .outerjoin(Premise, Premise.id == Account.premise_id)
        .where(
            AuthorisedPerson.person_id == person_id,
            sa.or_(AuthorisedPerson.until_on.is_(None), AuthorisedPerson.until_on >= on),
        )
        .order_by(Account.closed_on.is_not(None), Account.number)
        .limit(20)
    )  # fmt: skip


def may_act_for(session: Session, person_id: int, on: dt.date) -> Sequence[Any]:
    """The accounts a person may act on without being the customer."""
    return _may_act_for(session, person_id=person_id, on=on).all()


def authorisation(session: Session, account_id: int, person_id: int) -> AuthorisedPerson | None:
    return session.scalar(
        sa.select(AuthorisedPerson).where(
            AuthorisedPerson.account_id == account_id, AuthorisedPerson.person_id == person_id
        )
    )


_AGREEMENT = (
    ServiceAgreement.id, ServiceAgreement.account_id, ServiceAgreement.service_kind, ServiceAgreement.state_code,
    ServiceAgreement.start_on, ServiceAgreement.stop_on, ServiceAgreement.service_point_id, ServicePoint.premise_id,
    ServicePoint.remote, ServicePoint.multiplicity, ServicePoint.service_code, ServicePoint.off_since_on,
)  # fmt: skip


@core.prepared
def _agreements_of_account(account_id: Any) -> Any:
    return (
        sa.select(*_AGREEMENT)
        .join(ServicePoint, ServicePoint.id == ServiceAgreement.service_point_id)
        .where(ServiceAgreement.account_id == account_id)
        .order_by(
            ServiceAgreement.state_code.in_(("stopped", "cancelled")),
            ServiceAgreement.start_on.desc(),
            ServiceAgreement.id,
        )
        .limit(60)
    )  # fmt: skip


def agreements_of_account(session: Session, account_id: int) -> Sequence[Any]:
    """An account's agreements with their points: what runs first, then the latest."""
    return _agreements_of_account(session, account_id=account_id).all()


def points_of_premise(session: Session, premise_id: int) -> Sequence[ServicePoint]:
    return session.scalars(
        sa.select(ServicePoint).where(ServicePoint.premise_id == premise_id).order_by(ServicePoint.id)
    ).all()


def _of_subjects(model: Any, persons: Any, premises: Any, accounts: Any) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.and_(model.subject_kind == "person", model.subject_id.in_(persons)),
        sa.and_(model.subject_kind == "premise", model.subject_id.in_(premises)),
        sa.and_(model.subject_kind == "account", model.subject_id.in_(accounts)),
    )


def _by_kind(subjects: Collection[tuple[str, int]]) -> dict[str, list[int]]:
    return {f"{kind}s": sorted(one for of, one in subjects if of == kind) for kind in ("person", "premise", "account")}


@core.prepared
def _flags_on(persons: Any, premises: Any, accounts: Any, on: Any) -> Any:
    return (
        sa.select(Flag.id, Flag.subject_kind, Flag.subject_id, Flag.code, Flag.words, Flag.from_on, Flag.until_on)
        .where(
            _of_subjects(Flag, persons, premises, accounts),
            Flag.from_on <= on,
            sa.or_(Flag.until_on.is_(None), Flag.until_on >= on),
        )
        .order_by(Flag.id)
    )


def flags_on(session: Session, subjects: Collection[tuple[str, int]], on: dt.date) -> Sequence[Any]:
    """The flags of persons, premises and accounts that hold on a day."""
    return _flags_on(session, **_by_kind(subjects), on=on).all() if subjects else []


@core.prepared
def _other_numbers_of(persons: Any, premises: Any, accounts: Any) -> Any:
    return (
        sa.select(
            OtherNumber.id, OtherNumber.source, OtherNumber.value, OtherNumber.subject_kind, OtherNumber.subject_id
        )
        .where(_of_subjects(OtherNumber, persons, premises, accounts))
        .order_by(OtherNumber.id)
    )


def other_numbers_of(session: Session, subjects: Collection[tuple[str, int]]) -> Sequence[Any]:
    """What other systems call persons, premises and accounts."""
    return _other_numbers_of(session, **_by_kind(subjects)).all() if subjects else []


def last_check(session: Session, person_id: int, since: dt.datetime) -> Any:
    """The last passed identity check of a person since an instant."""
    return session.execute(
        sa.select(IdentityCheck.checked_at, IdentityCheck.method, IdentityCheck.strength)
        .where(IdentityCheck.person_id == person_id, IdentityCheck.passed, IdentityCheck.checked_at >= since)
        .order_by(IdentityCheck.checked_at.desc())
        .limit(1)
    ).one_or_none()


# --- what is open -------------------------------------------------------------------------------------------------------

_REQUEST = (
    sa.literal("service_request").label("kind"), ServiceRequest.id, ServiceRequest.number,
    ServiceRequest.request_type_name.label("name"), ServiceRequest.state_code, ServiceRequest.division_code,
    ServiceRequest.due_at, ServiceRequest.opened_at, sa.literal("").label("crew"), ServiceRequest.address,
)  # fmt: skip
_ORDER = (
    sa.literal("work_order").label("kind"), WorkOrder.id, WorkOrder.number, WorkOrder.name, WorkOrder.state_code,
    WorkOrder.division_code, WorkOrder.due_at, WorkOrder.opened_at, WorkOrder.crew, sa.literal("").label("address"),
)  # fmt: skip


@core.prepared
def _open_requests_of_account(one: Any, most: Any) -> Any:
    return (
        sa.select(*_REQUEST).where(ServiceRequest.account_id == one, core.among_few(ServiceRequest.closed)).limit(most)
    )


@core.prepared
def _open_requests_of_premise(one: Any, most: Any) -> Any:
    return (
        sa.select(*_REQUEST).where(ServiceRequest.premise_id == one, core.among_few(ServiceRequest.closed)).limit(most)
    )


@core.prepared
def _open_requests_of_person(one: Any, most: Any) -> Any:
    return (
        sa.select(*_REQUEST).where(ServiceRequest.person_id == one, core.among_few(ServiceRequest.closed)).limit(most)
    )


@core.prepared
def _open_orders_of_account(one: Any, most: Any) -> Any:
    return sa.select(*_ORDER).where(WorkOrder.account_id == one, core.among_few(WorkOrder.closed)).limit(most)


@core.prepared
def _open_orders_of_premise(one: Any, most: Any) -> Any:
    return sa.select(*_ORDER).where(WorkOrder.premise_id == one, core.among_few(WorkOrder.closed)).limit(most)


def open_orders(
    session: Session, *, account_id: int | None = None, premise_id: int | None = None, person_id: int | None = None,
    most: int = 20,
) -> list[Any]:  # fmt: skip
    """Open requests and work orders of an account, premise or person, each once; the earliest due first."""
    rows: dict[tuple[str, int], Any] = {}
    for ask, one in (
        (_open_requests_of_account, account_id), (_open_requests_of_premise, premise_id),
        (_open_requests_of_person, person_id), (_open_orders_of_account, account_id), (_open_orders_of_premise, premise_id),
    ):  # fmt: skip
        for row in ask(session, one=one, most=most) if one is not None else ():
            rows[row.kind, row.id] = row
    return sorted(rows.values(), key=lambda row: (row.due_at is None, row.due_at or row.opened_at, row.number))[:most]


def open_order_counts(session: Session, account_ids: Collection[int]) -> dict[int, int]:
    """How many requests and work orders are open on each account."""
    counts: dict[int, int] = {}
    for ask in (_open_requests_by_account, _open_work_orders_by_account):
        for account_id, count in ask(session, several=sorted(account_ids)):
            if account_id is not None:
                counts[account_id] = counts.get(account_id, 0) + count
    return counts


def _open_by_account(model: type[ServiceRequest | WorkOrder], several: Any) -> Any:
    return (
        sa.select(model.account_id, sa.func.count())
        .where(model.account_id.in_(several), core.among_few(model.closed))
        .group_by(model.account_id)
    )


@core.prepared
def _open_requests_by_account(several: Any) -> Any:
    return _open_by_account(ServiceRequest, several)


@core.prepared
def _open_work_orders_by_account(several: Any) -> Any:
    return _open_by_account(WorkOrder, several)


# --- what happened ------------------------------------------------------------------------------------------------------


def conversations(session: Session, *, account_id: int | None, person_id: int | None, most: int) -> Sequence[Any]:
    """The latest conversations about an account, or with a person, and who held them."""
    if account_id is not None:
        return _conversations_of_account(session, one=account_id, most=most).all()
    return _conversations_of_person(session, one=person_id, most=most).all()


def _conversations(where: sa.ColumnElement[bool], most: Any) -> Any:
    return (
        sa.select(
            Conversation.id, Conversation.number, Conversation.channel, Conversation.started_at, Conversation.ended_at,
            Conversation.note, Conversation.reason_code, Conversation.disposition_code, Staff.name.label("staff_name"),
        )
        .join(Staff, Staff.id == Conversation.staff_id)
        .where(where)
        .order_by(Conversation.started_at.desc(), Conversation.id.desc())
        .limit(most)
    )  # fmt: skip


@core.prepared
def _conversations_of_account(one: Any, most: Any) -> Any:
    return _conversations(Conversation.account_id == one, most)


@core.prepared
def _conversations_of_person(one: Any, most: Any) -> Any:
    return _conversations(Conversation.person_id == one, most)


def _messages(person: Any, most: Any) -> Any:
    return (
        sa.select(
            OutboxMessage.channel, OutboxMessage.route, OutboxMessage.template, OutboxMessage.delivery_state,
            OutboxMessage.created_at, OutboxMessage.delivered_at, MessageCopy.title,
        )
        .outerjoin(MessageCopy, MessageCopy.id == OutboxMessage.copy_id)
        .where(OutboxMessage.recipient_kind == "person", OutboxMessage.recipient_id == person)
        .order_by(OutboxMessage.id.desc())
        .limit(most)
    )  # fmt: skip


@core.prepared
def _messages_of_account(one: Any, most: Any) -> Any:
    return _messages(sa.select(Account.person_id).where(Account.id == one).scalar_subquery(), most)


@core.prepared
def _messages_of_person(one: Any, most: Any) -> Any:
    return _messages(one, most)


def messages(session: Session, *, account_id: int | None, person_id: int | None, most: int) -> Sequence[Any]:
    """The latest messages to a person, or to the holder of an account, with the title they go out under."""
    if account_id is not None:
        return _messages_of_account(session, one=account_id, most=most).all()
    return _messages_of_person(session, one=person_id, most=most).all()


_REQUESTS = (
    ServiceRequest.id, ServiceRequest.number, ServiceRequest.request_type_name, ServiceRequest.opened_at,
    ServiceRequest.closed_at, ServiceRequest.closed, ServiceRequest.due_at, ServiceRequest.state_code,
    ServiceRequest.disposition_code, ServiceRequest.channel,
)  # fmt: skip


@core.prepared
def _requests_of_account(one: Any, most: Any) -> Any:
    latest = ServiceRequest.opened_at.desc(), ServiceRequest.id.desc()
    return sa.select(*_REQUESTS).where(ServiceRequest.account_id == one).order_by(*latest).limit(most)


@core.prepared
def _requests_of_person(one: Any, most: Any) -> Any:
    latest = ServiceRequest.opened_at.desc(), ServiceRequest.id.desc()
    return sa.select(*_REQUESTS).where(ServiceRequest.person_id == one).order_by(*latest).limit(most)


@core.prepared
def _requests_of_premise(one: Any, most: Any) -> Any:
    return sa.select(*_REQUESTS).where(ServiceRequest.premise_id == one).order_by(ServiceRequest.id.desc()).limit(most)


def requests(
    session: Session, *, account_id: int | None, person_id: int | None, premise_id: int | None, most: int
) -> Sequence[Any]:
    """The latest requests of an account, a person or a premise, open or closed."""
    if account_id is not None:
        return _requests_of_account(session, one=account_id, most=most).all()
    if person_id is not None:
        return _requests_of_person(session, one=person_id, most=most).all()
    return _requests_of_premise(session, one=premise_id, most=most).all()


def _events(where: sa.ColumnElement[bool], without: Any, most: Any) -> Any:
    return (
        sa.select(
            Event.id, Event.at, Event.name, Event.detail, Event.subject_kind, Event.subject_id,
            Staff.name.label("staff_name"),
        )
        .outerjoin(Staff, Staff.id == Event.staff_id)
        .where(where, Event.name.not_in(without))
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(most)
    )  # fmt: skip


@core.prepared
def _events_of_account(one: Any, without: Any, most: Any) -> Any:
    return _events(Event.account_id == one, without, most)


@core.prepared
def _events_of_person(one: Any, without: Any, most: Any) -> Any:
    return _events(Event.person_id == one, without, most)


@core.prepared
def _events_of_premise(one: Any, without: Any, most: Any) -> Any:
    return _events(Event.premise_id == one, without, most)


def events(
    session: Session, *, account_id: int | None, person_id: int | None, premise_id: int | None,
    without: Collection[str], most: int,
) -> Sequence[Any]:  # fmt: skip
    """The latest events of an account, a person or a premise, except those of these names, and who did them."""
    names = sorted(without)
    if account_id is not None:
        return _events_of_account(session, one=account_id, without=names, most=most).all()
    if person_id is not None:
        return _events_of_person(session, one=person_id, without=names, most=most).all()
    return _events_of_premise(session, one=premise_id, without=names, most=most).all()


@core.prepared
def _open_promises(account_id: Any, most: Any) -> Any:
    return (
        sa.select(Promise.id, Promise.words, Promise.due_at, Promise.kind)
        .where(Promise.account_id == account_id, Promise.outcome == "open")
        .order_by(Promise.due_at)
        .limit(most)
    )  # fmt: skip


def open_promises(session: Session, account_id: int, most: int = 5) -> Sequence[Any]:
    return _open_promises(session, account_id=account_id, most=most).all()


def last_event(session: Session, subject_kind: str, subject_id: int) -> Any:
    """The last event about one thing, and who did it: whom to name when a stale form is refused."""
    return session.execute(
        sa.select(Event.at, Event.name, Staff.name.label("staff_name"))
        .outerjoin(Staff, Staff.id == Event.staff_id)
        .where(Event.subject_kind == subject_kind, Event.subject_id == subject_id)
        .order_by(Event.id.desc())
        .limit(1)
    ).one_or_none()


# --- whose is it --------------------------------------------------------------------------------------------------------


def persons_of(session: Session, *, account_id: int | None = None, premise_id: int | None = None) -> set[int]:
    """Whom an account belongs to; who has an open account at a premise."""
    found: set[int] = set()
    if account_id is not None:
        found |= set(session.scalars(sa.select(Account.person_id).where(Account.id == account_id)))
    if premise_id is not None:
        found |= set(
            session.scalars(
                sa.select(Account.person_id).where(Account.premise_id == premise_id, Account.closed_on.is_(None))
            )
        )
    return found


def household_of(session: Session, person_ids: Collection[int]) -> set[int]:
    """These persons, who shares a household with one of them, and who has an open account at the same premise."""
    if not person_ids:
        return set()
    found = set(person_ids)
    keys = set(
        session.scalars(
            sa.select(Person.household_key).where(Person.id.in_(sorted(person_ids)), Person.household_key != "")
        )
    )
    if keys:
        found |= set(session.scalars(sa.select(Person.id).where(Person.household_key.in_(sorted(keys)))))
    premises = sa.select(Account.premise_id).where(
        Account.person_id.in_(sorted(person_ids)), Account.closed_on.is_(None)
    )
    return found | set(
        session.scalars(
            sa.select(Account.person_id).where(Account.premise_id.in_(premises), Account.closed_on.is_(None))
        )
    )


# --- two records of one person ------------------------------------------------------------------------------------------


def repoint_person(session: Session, old_id: int, kept_id: int) -> set[int]:
    """Moves everything of one person's record to another's; returns the accounts that changed hands.

    Rows that tell what happened (checks, callers, conversations that ended) move too: they happened to the same person.
    """
    accounts = set(session.scalars(sa.select(Account.id).where(Account.person_id == old_id)))
    for table in _tables_naming_persons():
        for column in table.columns:
            if column.name == "merged_into_id" or not _names_person(column):
                continue
            if table.name == AuthorisedPerson.__tablename__:
                already = sa.select(AuthorisedPerson.account_id).where(AuthorisedPerson.person_id == kept_id)
                session.execute(
                    sa.delete(AuthorisedPerson).where(
                        AuthorisedPerson.person_id == old_id,
                        sa.or_(
                            AuthorisedPerson.account_id.in_(already),
                            AuthorisedPerson.account_id.in_(sa.select(Account.id).where(Account.person_id == kept_id)),
                        ),
                    )
                )
            session.execute(sa.update(table).where(column == old_id).values({column.name: kept_id}))
    declared = sa.select(StaffRelative.staff_id).where(StaffRelative.person_id == kept_id)
    session.execute(
        sa.delete(StaffRelative).where(StaffRelative.person_id == old_id, StaffRelative.staff_id.in_(declared))
    )
    session.execute(sa.update(StaffRelative).where(StaffRelative.person_id == old_id).values(person_id=kept_id))
    for model in (Flag, OtherNumber):
        session.execute(
            sa.update(model)
            .where(model.subject_kind == "person", model.subject_id == old_id)
            .values(subject_id=kept_id)
        )
    session.execute(sa.update(Person).where(Person.merged_into_id == old_id).values(merged_into_id=kept_id))
    return accounts


def _tables_naming_persons() -> list[sa.Table]:
    """Every table of the house that names a person by a foreign key and may be changed (facts of the past may not)."""
    return [
        table
        for table in sorted(core.Base.metadata.tables.values(), key=lambda each: each.name)
        if table.name not in core.APPEND_ONLY
        and table.name not in ("identity_verifier", "staff_relative")
        and any(_names_person(column) for column in table.columns)
    ]


def _names_person(column: sa.Column[Any]) -> bool:
    return any(key.target_fullname == "person.id" for key in column.foreign_keys)


# --- lines of the find box ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FindLines:
    """What the find box says about its matches, by id."""

    accounts: dict[int, Any]
    persons: dict[int, Any]
    premises: dict[int, Any]
    acts_for: dict[int, Any]
    """Person -> (name of one customer they may act for, how many accounts)."""
    spots: dict[int, str]
    """Request -> its address in words."""


def find_lines(
    session: Session,
    *,
    accounts: Collection[int],
    persons: Collection[int],
    premises: Collection[int],
    requests: Collection[int] = (),
) -> FindLines:
    """The rows behind the matches of the find box, one query per kind. `requests` lie at no premise: an address in words."""
    found = FindLines({}, {}, {}, {}, {})
    if accounts:
        for row in session.execute(
            sa.select(
                Account.id.label("account_id"), Account.number, Account.kind, Account.closed_on, Account.past_due_cents,
                Person.id.label("person_id"), Person.name, Person.phone, Person.exempt_from_public_records.label("exempt"),
                Premise.id.label("premise_id"), Premise.address,
            )
            .join(Person, Person.id == Account.person_id)
            .outerjoin(Premise, Premise.id == Account.premise_id)
            .where(Account.id.in_(sorted(accounts)))
        ):  # fmt: skip
            found.accounts[row.account_id] = row
    if persons:
        for row in session.execute(
            sa.select(
                Person.id.label("person_id"), Person.number, Person.kind, Person.name, Person.phone,
                Person.exempt_from_public_records.label("exempt"),
            ).where(Person.id.in_(sorted(persons)))
        ):  # fmt: skip
            found.persons[row.person_id] = row
        for row in session.execute(
            sa.select(
                AuthorisedPerson.person_id, sa.func.min(Person.name).label("name"), sa.func.count().label("count")
            )
            .join(Account, Account.id == AuthorisedPerson.account_id)
            .join(Person, Person.id == Account.person_id)
            .where(AuthorisedPerson.person_id.in_(sorted(persons)), AuthorisedPerson.until_on.is_(None))
            .group_by(AuthorisedPerson.person_id)
        ):
            found.acts_for[row.person_id] = row
    if premises:
        for row in session.execute(
            sa.select(Premise.id.label("premise_id"), Premise.number, Premise.kind, Premise.address, Premise.zip).where(
                Premise.id.in_(sorted(premises))
            )
        ):
            found.premises[row.premise_id] = row
    if requests:
        spots = sa.select(ServiceRequest.id, ServiceRequest.address).where(ServiceRequest.id.in_(sorted(requests)))
        for request_id, address in session.execute(spots):
            found.spots[request_id] = address
    return found
