"""What is done to customers' records: add and change a person, make two records one, who may act, flags.

Each keeps the search index in its own transaction, and refuses what concerns the actor's own people.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from db import accounts as rows
from db import core
from db import directory as directory_rows
from db import staff as staff_rows
from portal import settings
from portal.accounts import rules
from portal.contacts import commands as contacts
from portal.contacts.rules import facts_needed
from portal.shared.command import command
from portal.shared.number import make_number
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.shared.text import fold, moment_text

if TYPE_CHECKING:
    from db.core import Work
    from portal.shared.actor import Actor

FIELDS = ("kind", "name", "phone", "other_phone", "email", "mailing_address", "language", "exempt_from_public_records")


def refuse_own(
    work: Work,
    actor: Actor,
    *,
    account_id: int | None = None,
    person_id: int | None = None,
    premise_id: int | None = None,
) -> None:
    """Refused and reported when this concerns the actor: own account, household, same premise, or a declared relative."""
    if not actor.staff_id:
        return
    session = work.session
    own = staff_rows.relatives(session, actor.staff_id)
    if actor.person_id is not None:
        own |= rows.household_of(session, {actor.person_id})
    if not own:
        return
    concerned = rows.persons_of(session, account_id=account_id, premise_id=premise_id)
    if person_id is not None:
        concerned.add(person_id)
    if concerned & own:
        raise Refused(
            [Problem("", "This is your own, your household’s or a relative’s record. Ask a colleague to do it.")],
            title="Not your own account",
            report="own_account",
        )


# --- persons ------------------------------------------------------------------------------------------------------------


@command("customer.edit")
def add_person(actor: Actor, work: Work, form: rules.PersonForm) -> Receipt:
    """Adds a person or company that has no account yet."""
    _refuse(rules.person_problems(form))
    if form.exempt and not actor.may("exempt.read"):
        _refuse([Problem("exempt", "Marking as exempt needs a supervisor. Save without it and ask one.")])
    row = _new_person(work, form)
    rows.index_person(work.session, row.id)
    work.event(
        "person.added", staff_id=actor.staff_id, subject_kind="person", subject_id=row.id, person_id=row.id,
        detail={"kind": row.kind},
    )  # fmt: skip
    contacts.link_newcomer(work, actor, form.conversation_id, person_id=row.id)
    return Receipt(
        f"{row.name} is on record", row.number, subject_kind="person", subject_id=row.id,
        go="customer", go_query=(("person", str(row.id)),),
    )  # fmt: skip


@command("customer.edit")
def update_person(actor: Actor, work: Work, form: rules.PersonForm) -> Receipt:
    """Changes name, phones, e-mail, mailing address, interpreter or the exemption of a person."""
    row = None if form.person_id is None else core.lock(work.session, rows.Person, form.person_id)
    if row is None or form.person_id is None:
        raise Refused([Problem("", "There is no such person. Find the customer again.")])
    refuse_own(work, actor, person_id=row.id)
    if row.merged_into_id is not None:
        raise Refused([Problem("", f"{row.number} was merged into another record. Open that one and change it there.")])
    _refuse_stale(work, "person", row.id, row.version, form.version)
    problems = rules.person_problems(form)
    if form.exempt != row.exempt_from_public_records and not actor.may("exempt.read"):
        problems.append(Problem("exempt", "Only a supervisor changes the exemption from public records. Ask one."))
    _refuse(problems)
    values = _values(form)
    changed = [name for name in FIELDS if getattr(row, name) != values[name]]
    if changed:
        contacts.require_identity(work, "customer.edit", conversation_id=form.conversation_id, person_id=row.id)
    for name, value in values.items():
        setattr(row, name, value)
    if changed:
        row.version += 1
        rows.index_person(work.session, row.id)
        work.event(
            "person.changed", staff_id=actor.staff_id, subject_kind="person", subject_id=row.id, person_id=row.id,
            conversation_id=form.conversation_id, detail={"fields": changed},
        )  # fmt: skip
    title = f"{row.name} is changed" if changed else "Nothing was different"
    return Receipt(
        title, row.number, subject_kind="person", subject_id=row.id, go="customer", go_query=(("person", str(row.id)),)
    )


@command("customer.merge")
def merge_persons(
    actor: Actor, work: Work, old_id: int | None, kept_id: int | None, old_version: int = 0, kept_version: int = 0
) -> Receipt:
    """Makes two records of one person one: accounts, powers, flags and numbers go to the kept one; the old number still finds it."""
    # In the order of their ids, so that two merges of the same records wait for each other and never both ways.
    locked = {one: core.lock(work.session, rows.Person, one) for one in sorted({old_id or 0, kept_id or 0}) if one}
    old, kept = locked.get(old_id or 0), locked.get(kept_id or 0)
    problems = rules.merge_problems(_side(old), _side(kept))
    if problems or old is None or kept is None:
        raise Refused(problems, title="These two cannot be merged")
    for row, version in ((old, old_version), (kept, kept_version)):
        refuse_own(work, actor, person_id=row.id)
        if version:
            _refuse_stale(work, "person", row.id, row.version, version)
    moved = rows.repoint_person(work.session, old.id, kept.id)
    # What the kept record lacks is taken over; nothing it says is overwritten.
    for phone in (old.phone, old.other_phone):
        if phone and phone not in (kept.phone, kept.other_phone):
            if not kept.phone:
                kept.phone = phone
            elif not kept.other_phone:
                kept.other_phone = phone
    kept.email = kept.email or old.email
    kept.mailing_address = kept.mailing_address or old.mailing_address
    kept.language = kept.language or old.language
    kept.household_key = kept.household_key or old.household_key
    kept.exempt_from_public_records = kept.exempt_from_public_records or old.exempt_from_public_records
    old.merged_into_id = kept.id
    old.version += 1
    kept.version += 1
    work.session.flush()
    rows.index_person(work.session, old.id)
    rows.index_person(work.session, kept.id)
    work.event(
        "person.merged", staff_id=actor.staff_id, subject_kind="person", subject_id=kept.id, person_id=kept.id,
        detail={"old": old.number, "accounts": len(moved)},
    )  # fmt: skip
    count = "1 account moved" if len(moved) == 1 else f"{len(moved)} accounts moved"
    return Receipt(
        f"{old.number} is now part of {kept.number}", kept.number, subject_kind="person", subject_id=kept.id,
        notes=(f"{count}. The old number {old.number} still finds {kept.name}.",),
        go="customer", go_query=(("person", str(kept.id)),),
    )  # fmt: skip


def _side(row: rows.Person | None) -> rules.MergeSide | None:
    if row is None:
        return None
    return rules.MergeSide(row.id, row.number, row.kind, row.name, row.exempt_from_public_records, row.merged_into_id)


def _new_person(work: Work, form: rules.PersonForm) -> rows.Person:
    year = _today(work).year
    number = make_number("P", year, core.next_sequence(work.session, "P", year))
    return work.add(rows.Person(number=number, created_at=work.now, **_values(form)))


def _values(form: rules.PersonForm) -> dict[str, Any]:
    """The columns of a person as a form says them; only after its problems were looked at."""
    name = rules.tidy(form.name)
    given, family = rules.given_and_family(name, form.kind)
    return {
        "kind": form.kind,
        "name": name,
        "given_name": given,
        "family_name": family,
        "phone": rules.phone_digits(form.phone),
        "other_phone": rules.phone_digits(form.other_phone),
        "email": form.email.strip(),
        "mailing_address": rules.tidy(form.mailing_address),
        "language": rules.tidy(form.language),
        "exempt_from_public_records": form.exempt,
    }


# --- who may act --------------------------------------------------------------------------------------------------------


@command("customer.edit")
def add_authorised_person(actor: Actor, work: Work, form: rules.AuthorisedForm) -> Receipt:
    """Puts down somebody who may act for the customer: a person on record, or a new one."""
    account = core.lock(work.session, rows.Account, form.account_id)
    if account is None:
        raise Refused([Problem("", "There is no such account. Find the customer again.")])
    refuse_own(work, actor, account_id=account.id, person_id=form.person_id)
    today = _today(work)
    existing = None
    if form.person_id is not None:
        if rows.person_row(work.session, form.person_id) is None:
            raise Refused([Problem("name", "There is no such person. Find them again, or enter a name.")])
        existing = rows.authorisation(work.session, account.id, form.person_id)
    already = existing is not None and (existing.until_on is None or existing.until_on >= today)
    _refuse(rules.authorised_problems(form, is_customer=form.person_id == account.person_id, already=already))
    person_id = form.person_id
    if person_id is None:
        person = _new_person(work, rules.PersonForm(rules.PERSON, form.name, form.phone))
        rows.index_person(work.session, person.id)
        person_id, name = person.id, person.name
    else:
        name = rows.person_names(work.session, {person_id})[person_id]
    powers = [code for code in rules.POWERS if code in form.powers]
    if existing is None:
        existing = work.add(
            rows.AuthorisedPerson(
                account_id=account.id, person_id=person_id, relation=form.relation, powers=powers, since_on=today
            )
        )
    else:  # once before, ended, and now again
        existing.relation, existing.powers, existing.since_on, existing.until_on = form.relation, powers, today, None
    work.event(
        "account.person_authorised", staff_id=actor.staff_id, subject_kind="authorised_person", subject_id=existing.id,
        account_id=account.id, premise_id=account.premise_id, person_id=person_id, detail={"relation": form.relation, "powers": powers},
    )  # fmt: skip
    return Receipt(
        f"{name} may {rules.powers_text(powers)} on account {account.number}", account.number,
        subject_kind="account", subject_id=account.id, go="customer", go_query=(("account", str(account.id)),),
    )  # fmt: skip


@command("customer.edit")
def end_authorised_person(actor: Actor, work: Work, authorised_id: int) -> Receipt:
    """From now on this person may not act for the customer any more; what they did stays theirs."""
    row = core.lock(work.session, rows.AuthorisedPerson, authorised_id)
    today = _today(work)
    if row is None or (row.until_on is not None and row.until_on < today):
        raise Refused([Problem("", "This person may not act on the account any more. Open the customer again.")])
    refuse_own(work, actor, account_id=row.account_id, person_id=row.person_id)
    row.until_on = _day_before(today)
    name = rows.person_names(work.session, {row.person_id})[row.person_id]
    work.event(
        "account.authorisation_ended", staff_id=actor.staff_id, subject_kind="authorised_person", subject_id=row.id,
        account_id=row.account_id, person_id=row.person_id,
    )  # fmt: skip
    return Receipt(
        f"{name} may not act on the account any more", subject_kind="account", subject_id=row.account_id,
        go="customer", go_query=(("account", str(row.account_id)),),
    )  # fmt: skip


# --- flags --------------------------------------------------------------------------------------------------------------


@command("customer.edit")
def add_flag(actor: Actor, work: Work, form: rules.FlagForm) -> Receipt:
    """Puts something to know on a person, premise or account."""
    where = _where(work, form.subject_kind, form.subject_id)
    refuse_own(work, actor, **{key: value for key, value in where.items() if value is not None})
    today = _today(work)
    kind = directory_rows.reference_row(work.session, "flag", form.code, today)
    _refuse(rules.flag_problems(form, None if kind is None else tuple(kind.detail.get("on", ())), today))
    for flag in rows.flags_on(work.session, {(form.subject_kind, form.subject_id)}, today):
        if flag.code == form.code and flag.words == rules.tidy(form.words):
            raise Refused([Problem("code", "This flag stands there already, in the same words. Nothing was added.")])
    row = work.add(
        rows.Flag(
            subject_kind=form.subject_kind, subject_id=form.subject_id, code=form.code, words=rules.tidy(form.words),
            from_on=today, until_on=form.until_on,
        )
    )  # fmt: skip
    work.event(
        "account.flag_added",
        staff_id=actor.staff_id,
        subject_kind="flag",
        subject_id=row.id,
        **where,
        detail={"flag": form.code},
    )
    name = form.code if kind is None else kind.name
    return Receipt(f"Flag added: {name}", subject_kind=form.subject_kind, subject_id=form.subject_id)


@command("customer.edit")
def end_flag(actor: Actor, work: Work, flag_id: int) -> Receipt:
    """Takes a flag away; that it stood, and until when, stays on record."""
    row = core.lock(work.session, rows.Flag, flag_id)
    today = _today(work)
    if row is None or (row.until_on is not None and row.until_on < today):
        raise Refused([Problem("", "This flag does not stand any more. Open the customer again.")])
    where = _where(work, row.subject_kind, row.subject_id)
    refuse_own(work, actor, **{key: value for key, value in where.items() if value is not None})
    row.until_on = _day_before(today)
    work.event(
        "account.flag_ended",
        staff_id=actor.staff_id,
        subject_kind="flag",
        subject_id=row.id,
        **where,
        detail={"flag": row.code},
    )
    return Receipt("Flag taken away", subject_kind=row.subject_kind, subject_id=row.subject_id)


# --- shared by these ----------------------------------------------------------------------------------------------------


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Refused(problems)


def _refuse_stale(work: Work, kind: str, row_id: int, now_version: int, seen_version: int) -> None:
    if now_version == seen_version:
        return
    last = rows.last_event(work.session, kind, row_id)
    if last is None:
        who, when = "Somebody", "since you opened it"
    else:
        who, when = last.staff_name or "The portal itself", moment_text(last.at, settings.current().zone, work.now)
    raise Refused(
        [Problem("", f"{who} changed this record ({when}). Open it again, compare, and save your change once more.")],
        title="Somebody was faster",
    )


def _where(work: Work, subject_kind: str, subject_id: int) -> dict[str, int | None]:
    """The ids an event about this subject carries; refuses when there is no such subject."""
    found: Any = None
    if subject_kind == "account":
        found = rows.account_row(work.session, subject_id)
        if found is not None:
            return {"account_id": subject_id, "person_id": found.person_id, "premise_id": found.premise_id}
    elif subject_kind == "person":
        found = rows.person_row(work.session, subject_id)
        if found is not None:
            return {"account_id": None, "person_id": subject_id, "premise_id": None}
    elif subject_kind == "premise":
        found = rows.premise_row(work.session, subject_id)
        if found is not None:
            return {"account_id": None, "person_id": None, "premise_id": subject_id}
    raise Refused([Problem("", "What the flag is for is not there any more. Find the customer again.")])


def _today(work: Work) -> dt.date:
    return work.now.astimezone(settings.current().time_zone).date()


def _day_before(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=1)


# --- who is speaking ----------------------------------------------------------------------------------------------------


@command("identity.check")
def check_identity_by_facts(
    actor: Actor, work: Work, conversation_id: int, answers: tuple[tuple[str, str], ...]
) -> Receipt:
    """Compares a caller's answers with what is on file. All of them must match; the record keeps which facts were asked,
    never an answer, and nobody is told which one was wrong. Empty answers count as not asked."""
    conversation = contacts.caller_to_check(work, actor, conversation_id)
    given = {code: answer for code, answer in answers if answer.strip()}
    method = directory_rows.reference_row(work.session, "identity_method", "account_facts", _today(work))
    fewest = facts_needed({} if method is None else method.detail)
    if len(given) < fewest:
        _refuse([Problem("facts", f"Ask at least {fewest} facts and enter the answers.")])
    on_file = _facts_on_file(work, conversation.account_id, conversation.person_id)
    names = {row.code: row.name for row in directory_rows.reference(work.session, "identity_fact", _today(work))}
    _refuse(
        [
            Problem("facts", f"There is nothing on file for “{names.get(code, code)}”. Ask another fact.")
            for code in given
            if not on_file.get(code)
        ]
    )
    passed = all(_said(code, answer) in on_file[code] for code, answer in given.items())
    return contacts.record_identity_check(
        work, actor, conversation=conversation, method="account_facts", passed=passed, facts=sorted(given)
    )


def _facts_on_file(work: Work, account_id: int | None, person_id: int | None) -> dict[str, set[str]]:
    """What a caller can be asked, by the code of the fact, written as `_said` writes an answer."""
    found: dict[str, set[str]] = {}
    account = None if account_id is None else rows.account_row(work.session, account_id)
    person = (
        account if account is not None else (None if person_id is None else rows.person_row(work.session, person_id))
    )
    if person is not None:
        found["phone_last4"] = {phone[-4:] for phone in (person.phone, person.other_phone) if phone}
        found["email"] = {_said("email", person.email)} if person.email else set()
    if account is not None:
        found["opened_year"] = {str(account.opened_on.year)}
        found["house_number"] = {_said("house_number", account.address)} if account.address else set()
        letters_to = account.mailing_address or account.person_mailing_address or account.zip or ""
        zips = re.findall(r"\b\d{5}(?=-\d{4}\b|\b)", letters_to)
        found["mailing_zip"] = set(zips[-1:])
        found["authorized_name"] = {
            _said("authorized_name", row.name)
            for row in rows.authorised_on(work.session, account.account_id, _today(work))
        }
    return found


def _said(code: str, answer: str) -> str:
    """An answer without what does not matter on the telephone: case, spaces, punctuation."""
    if code == "email":
        return "".join(answer.casefold().split())
    if code == "house_number":
        return re.split(r"[\s,]", answer.strip(), maxsplit=1)[0].casefold()
    if code == "authorized_name":
        return fold(answer)
    digits = "".join(re.findall(r"[0-9]", answer))
    return digits[:5] if code == "mailing_zip" else digits[-4:]
