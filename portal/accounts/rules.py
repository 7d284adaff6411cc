"""Decisions about persons and those who act for them: what a name, phone or e-mail may be, what may be merged, who is shown.

Pure: no database, no clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from portal.shared.problem import Problem
from portal.shared.text import parse_phone, sensitive_sentence

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from portal.shared.actor import Actor

PERSON, COMPANY = "person", "company"
KINDS: Final = {PERSON: "Person", COMPANY: "Company"}
POWERS: Final = {
    "ask": "Ask about the account",
    "pay": "Pay and arrange payment",
    "change": "Change services and details",
    "stop": "Stop service",
}
RELATIONS: Final = {
    "spouse": "Spouse or partner",
    "parent": "Parent",
    "child": "Son or daughter",
    "roommate": "Roommate",
    "caregiver": "Caregiver",
    "attorney": "Power of attorney",
    "manager": "Property manager",
    "employee": "Employee",
    "executor": "Executor of the estate",
    "other": "Other",
}
NAME_MOST = 160
WORDS_MOST = 200
HIDDEN_NAME = "Exempt from public records"


@dataclass(frozen=True)
class PersonForm:
    """A person or company as typed: who they are and how they are reached."""

    kind: str = PERSON
    name: str = ""
    phone: str = ""
    other_phone: str = ""
    email: str = ""
    mailing_address: str = ""
    language: str = ""
    exempt: bool = False
    person_id: int | None = None
    """The record changed; None adds one."""
    version: int = 0
    conversation_id: int | None = None
    """The conversation the change was asked for in."""


@dataclass(frozen=True)
class AuthorisedForm:
    """Somebody who may act for the customer: an existing record, or a new one from name and phone."""

    account_id: int
    person_id: int | None = None
    name: str = ""
    phone: str = ""
    relation: str = ""
    powers: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlagForm:
    """Something to know before acting."""

    subject_kind: str
    subject_id: int
    code: str
    words: str = ""
    until_on: dt.date | None = None


@dataclass(frozen=True)
class MergeSide:
    """One of two records of one person, as the rules of merging see it."""

    person_id: int
    number: str
    kind: str
    name: str
    exempt: bool = False
    merged_into_id: int | None = None


def tidy(text: str | None) -> str:
    """One line without spaces at the ends or doubled within."""
    return " ".join((text or "").split())


# --- persons ------------------------------------------------------------------------------------------------------------


def person_problems(form: PersonForm) -> list[Problem]:
    """Everything that keeps a person from being saved."""
    problems = []
    if form.kind not in KINDS:
        problems.append(Problem("kind", "Kind must be person or company. Choose one of the two."))
    problems += name_problems(form.name, form.kind)
    for field, label, value in (("phone", "Phone", form.phone), ("other_phone", "Other phone", form.other_phone)):
        problems += phone_problems(field, label, value)
    if not form.phone.strip() and form.other_phone.strip():
        problems.append(Problem("phone", "Phone is empty but the other phone is not. Enter the main number here."))
    problems += email_problems(form.email)
    for field, label, value, most in (
        ("mailing_address", "Mailing address", form.mailing_address, 300),
        ("language", "Interpreter", form.language, 40),
    ):
        problems += _text_problems(field, label, value, most)
    return problems


def name_problems(name: str, kind: str, field: str = "name") -> list[Problem]:
    """A name needs a letter, and a person's a given and a family name; neither holds a number that is never kept."""
    name = tidy(name)
    if not name:
        return [Problem(field, "Name is empty. Enter the name as it stands on the bill.")]
    found = _text_problems(field, "Name", name, NAME_MOST)
    if found:
        return found
    if not any(character.isalpha() for character in name):
        return [Problem(field, "Name has no letter in it. Enter the name as it stands on the bill.")]
    if re.search(r"[<>{}|\\^~\[\]=@]", name):
        return [Problem(field, "Name holds a sign that names do not have. Take out signs like < > = or @.")]
    if kind == PERSON and len(name.split()) < 2:
        return [
            Problem(field, "Name needs a given and a family name, like Marcus Ellison. For a business, choose company.")
        ]
    return []


def phone_problems(field: str, label: str, typed: str) -> list[Problem]:
    """A phone is empty or ten digits of the North American plan."""
    if not typed.strip():
        return []
    try:
        parse_phone(typed)
    except ValueError as error:
        return [Problem(field, f"{label}: {error}")]
    return []


_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+\.[A-Za-z]{2,24}")


def email_problems(typed: str, field: str = "email") -> list[Problem]:
    """An e-mail address is empty or has one @ and a domain with a dot."""
    text = typed.strip()
    if not text:
        return []
    if len(text) > NAME_MOST:
        return [Problem(field, f"E-mail is longer than {NAME_MOST} characters. Check that only the address is in it.")]
    if not _EMAIL.fullmatch(text) or ".." in text:
        return [Problem(field, "E-mail is not an address like name@example.org. Read it back to the caller.")]
    return []


def phone_digits(typed: str) -> str:
    """The ten digits as stored, empty for none. Only after `phone_problems` found nothing."""
    return parse_phone(typed) if typed.strip() else ""


def given_and_family(name: str, kind: str) -> tuple[str, str]:
    """(given, family) of a person's name by its first and last word; a company has neither."""
    words = tidy(name).split()
    if kind == COMPANY or not words:
        return "", ""
    return words[0][:80], words[-1][:80] if len(words) > 1 else ""


def _text_problems(field: str, label: str, value: str, most: int) -> list[Problem]:
    if len(value) > most:
        return [Problem(field, f"{label} has {len(value):,} characters. Shorten it to at most {most}.")]
    if any(ord(character) < 32 and character not in "\n\t" for character in value):
        return [Problem(field, f"{label} holds a character that cannot be shown. Type it anew instead of pasting it.")]
    sentence = sensitive_sentence(value, label)
    return [Problem(field, sentence)] if sentence else []


# --- who may act, and flags ---------------------------------------------------------------------------------------------


def authorised_problems(form: AuthorisedForm, *, is_customer: bool, already: bool) -> list[Problem]:
    """Everything that keeps somebody from being put down as acting for the customer."""
    problems = []
    if form.person_id is None:
        problems += name_problems(form.name, PERSON)
        problems += phone_problems("phone", "Phone", form.phone)
    if is_customer:
        problems.append(Problem("name", "This is the customer. Name somebody else who may act for them."))
    if already:
        problems.append(Problem("name", "This person may act on the account already. End that first to change it."))
    if form.relation not in RELATIONS:
        problems.append(Problem("relation", "Relation is empty. Choose how they are related to the customer."))
    if not form.powers:
        problems.append(Problem("powers", "Choose at least one thing this person may do."))
    elif not set(form.powers) <= set(POWERS):
        problems.append(Problem("powers", "One of the powers is not on the list. Choose again."))
    return problems


def flag_problems(form: FlagForm, allowed_on: Collection[str] | None, today: dt.date) -> list[Problem]:
    """`allowed_on`: the kinds of subject this flag may stand on; None when there is no such flag."""
    problems = []
    if allowed_on is None:
        problems.append(Problem("code", "This flag is not on the list. Choose one of the list."))
    elif form.subject_kind not in allowed_on:
        problems.append(Problem("code", f"This flag does not belong on a {form.subject_kind}. Choose another."))
    problems += _text_problems("words", "What to know", form.words, WORDS_MOST)
    if form.until_on is not None and form.until_on < today:
        problems.append(Problem("until_on", "The last day has passed already. Leave it empty or choose a later one."))
    return problems


# --- two records of one person ------------------------------------------------------------------------------------------


def merge_problems(old: MergeSide | None, kept: MergeSide | None) -> list[Problem]:
    """Why two records cannot become one; empty when they can."""
    if old is None or kept is None:
        missing = "old" if old is None else "kept"
        return [Problem(missing, "There is no such record. Find the person again.")]
    if old.person_id == kept.person_id:
        return [Problem("kept", "Both are the same record. Choose the other one.")]
    for field, side in (("old", old), ("kept", kept)):
        if side.merged_into_id is not None:
            return [Problem(field, f"{side.number} was merged before. Open the record it was merged into.")]
    if old.kind != kept.kind:
        return [Problem("kept", "One is a person and the other a company. Correct the kind of the wrong one first.")]
    return []


def merge_warnings(old: MergeSide, kept: MergeSide) -> list[str]:
    """What to look at twice before merging: nothing here refuses it."""
    warnings = []
    if tidy(old.name).casefold() != tidy(kept.name).casefold():
        warnings.append(f"The names differ: {old.name} and {kept.name}. The record that stays keeps its name.")
    if old.exempt != kept.exempt:
        warnings.append("Only one is exempt from public records. The record that stays will be exempt.")
    return warnings


# --- who is shown -------------------------------------------------------------------------------------------------------


def visible_name(name: str, *, exempt: bool, actor: Actor) -> str:
    """A name as it may leave the desk (exports, prints, outside links): hidden when exempt, unless the actor may see it.

    Florida Statutes 119.071(4)(d) and like laws exempt home addresses and names of protected persons.
    """
    return HIDDEN_NAME if exempt and not actor.may("exempt.read") and not actor.may("*") else name


def visible_place(address: str, *, exempt: bool, actor: Actor) -> str:
    """An address as it may leave the desk; see `visible_name`."""
    return "" if exempt and not actor.may("exempt.read") and not actor.may("*") else address


def powers_text(powers: Sequence[str]) -> str:
    """What somebody may do, in words: “ask, pay, change”."""
    return ", ".join(code for code in POWERS if code in powers) or "nothing"
