"""Records of persons as forms show them: one to change, two to make one of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import accounts as rows
from db import core
from portal.accounts import rules
from portal.accounts.views.summary import _account_line, _today
from portal.shared.actor import authorize
from portal.shared.text import format_phone

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.shared.actor import Actor


@dataclass(frozen=True)
class RecordSide:
    """One of two records of what may be the same person."""

    person_id: int
    number: str
    kind: str
    name: str
    phone: str
    other_phone: str
    email: str
    mailing_address: str
    exempt: bool
    version: int
    accounts: tuple[str, ...]
    """“1418 Oakhaven Dr · Account 100-2231-8 · since Jun 3, 2019”."""
    acts_for: int
    old_numbers: tuple[str, ...]
    merged_into_id: int | None = None

    def as_side(self) -> rules.MergeSide:
        return rules.MergeSide(self.person_id, self.number, self.kind, self.name, self.exempt, self.merged_into_id)


@dataclass(frozen=True)
class MergeView:
    """Two records side by side, why they cannot become one, and what to look at twice."""

    old: RecordSide | None
    kept: RecordSide | None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def merge_view(old_id: int | None, kept_id: int | None, actor: Actor) -> MergeView:
    """Both sides of a merge as far as they are chosen."""
    authorize(actor, "customer.merge")
    with core.read() as session:
        old = None if old_id is None else _side(session, old_id)
        kept = None if kept_id is None else _side(session, kept_id)
    if old is None or kept is None:
        return MergeView(old, kept)
    sides = old.as_side(), kept.as_side()
    return MergeView(
        old,
        kept,
        tuple(problem.message for problem in rules.merge_problems(*sides)),
        tuple(rules.merge_warnings(*sides)),
    )


def person_form(person_id: int, actor: Actor) -> rules.PersonForm | None:
    """A person's record as a form to change."""
    authorize(actor, "customer.read")
    with core.read() as session:
        row = rows.person_row(session, person_id)
    if row is None:
        return None
    return rules.PersonForm(
        row.person_kind, row.name, format_phone(row.phone), format_phone(row.other_phone), row.email,
        row.person_mailing_address, row.language, row.exempt, row.person_id, row.person_version,
    )  # fmt: skip


def _side(session: Session, person_id: int) -> RecordSide | None:
    row: Any = rows.person_row(session, person_id)
    if row is None:
        return None
    today = _today()
    lines = [
        _account_line(each, each.address or "no address", today) for each in rows.accounts_of_person(session, person_id)
    ]
    return RecordSide(
        row.person_id, row.person_number, row.person_kind, row.name, format_phone(row.phone), format_phone(row.other_phone),
        row.email, row.person_mailing_address, row.exempt, row.person_version,
        tuple(f"{line.title} · {line.second}" for line in lines),
        len(rows.may_act_for(session, person_id, today)),
        tuple(each.value for each in rows.other_numbers_of(session, {("person", person_id)})),
        row.merged_into_id,
    )  # fmt: skip
