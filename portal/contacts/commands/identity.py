"""Who is speaking: checks by secret, by facts, by a call to the number on file; their lock; setting a new secret."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from db import contacts as rows
from db import core
from db import directory as directory_rows
from db import staff as staff_rows
from portal import settings
from portal.contacts import rules, views
from portal.directory.views import today
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.shared.text import clock_text, count_text, format_phone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.core import Work
    from portal.shared.actor import Actor

SECRET_MOST: Final = 64
"""The longest secret that is looked at."""
NOT_CHECKED: Final = "Check who is speaking first"
"""The title of a refusal that asks for a check and for nothing else."""


def refuse_own_person(work: Work, actor: Actor, person_id: int | None) -> None:
    """Refuses, and reports, when a person at the desk acts on their own record or a declared relative's."""
    if person_id is None or not actor.staff_id:
        return
    if person_id == actor.person_id or person_id in staff_rows.relatives(work.session, actor.staff_id):
        raise Refused(
            [Problem("", "This is your own record or a relative's. Ask a colleague to take this conversation.")],
            title="You may not act on this record",
            report="own_account",
        )


def open_conversation(work: Work, actor: Actor, conversation_id: int) -> rows.Conversation:
    """The actor's open conversation, held; refused when it is somebody else's or already wrapped up."""
    found = core.lock(work.session, rows.Conversation, conversation_id)
    if found is None or found.staff_id != actor.staff_id:
        raise Refused([Problem("", "This is not your conversation. Take a call of your own first.")])
    if found.ended_at is not None:
        raise Refused([Problem("", f"{found.number} was wrapped up already. Take a new call for anything more.")])
    return found


def caller_to_check(work: Work, actor: Actor, conversation_id: int) -> rows.Conversation:
    """The conversation whose caller is to be checked by secret or facts; refused without a customer, and while checks of
    this person are locked. The caller's verifier is held from here on, so that wrong answers given at once all count."""
    found = open_conversation(work, actor, conversation_id)
    if found.person_id is None:
        raise Refused([Problem("identity", "Find the customer first; then check who is speaking.")])
    refuse_own_person(work, actor, found.person_id)
    until = rows.locked_verifier(work.session, found.person_id, work.now).locked_until
    if until is not None and until > work.now:
        raise Refused(
            [
                Problem(
                    "identity",
                    f"After too many wrong answers, checks are locked until {_clock(until)}. "
                    "Call the number on file, or ask a supervisor to lift the lock.",
                )
            ],
            title="Checks are locked",
        )
    return found


def check_identity(actor: Actor, form: rules.SecretCheck, *, key: str | None = None) -> Receipt:
    """Checks a PIN or passphrase. A wrong one is an outcome, not a refusal: it is counted, and locks after a few.

    The slow comparison is made before the transaction, so that nobody waits to write meanwhile; the transaction takes its
    outcome only while the secret is still the one that was compared.
    """
    with core.read() as session:
        found = rows.conversation(session, form.conversation_id)
        verifier = None if found is None or found.person_id is None else rows.verifier(session, found.person_id)
        stored = "" if verifier is None else verifier.secret_hash
    passed = bool(stored) and 0 < len(form.secret) <= SECRET_MOST and rules.verify_secret(form.secret, stored)
    return record_secret_check(actor, form, stored, passed, key=key)


@command("identity.check")
def record_secret_check(actor: Actor, work: Work, form: rules.SecretCheck, compared: str, passed: bool) -> Receipt:
    """Records what came of comparing a secret with the stored one, `compared`; see `check_identity`."""
    found = caller_to_check(work, actor, form.conversation_id)
    assert found.person_id is not None
    if not form.secret.strip() or len(form.secret) > SECRET_MOST:
        raise Refused([Problem("secret", "Enter the PIN or passphrase as the caller says it, up to 64 characters.")])
    verifier = rows.verifier(work.session, found.person_id)
    if verifier is None or not verifier.secret_hash:
        raise Refused(
            [Problem("secret", "This customer has no PIN yet. Ask account facts, or call the number on file.")]
        )
    if verifier.secret_hash != compared:
        raise Refused([Problem("secret", "The PIN was changed a moment ago. Ask for it again, and check once more.")])
    return record_identity_check(work, actor, conversation=found, method="pin", passed=passed)


def record_identity_check(
    work: Work, actor: Actor, *, conversation: rows.Conversation, method: str, passed: bool, facts: Sequence[str] = ()
) -> Receipt:
    """Records one check as a fact and an event, counts wrong answers and locks after too many. `facts` are the codes asked,
    never their values; the answer says whether all of it matched, never which part did not.

    Rooms above compare what they know and call this inside their own command, after `caller_to_check`.
    """
    assert conversation.person_id is not None
    day = today(work.now)
    method_row = directory_rows.reference_row(work.session, "identity_method", method, day)
    strength = rules.strength_of(method_row.detail, len(facts)) if method_row is not None and passed else 0
    check = work.add(
        rows.IdentityCheck(
            conversation_id=conversation.id,
            person_id=conversation.person_id,
            method=method,
            passed=passed,
            strength=strength,
            facts=",".join(facts)[:200],
            checked_at=work.now,
            staff_id=actor.staff_id,
        )
    )
    where = {
        "staff_id": actor.staff_id,
        "subject_kind": "conversation",
        "subject_id": conversation.id,
        "person_id": conversation.person_id,
        "account_id": conversation.account_id,
        "conversation_id": conversation.id,
    }
    work.event(
        "identity.passed" if passed else "identity.failed", **where, detail={"method": method, "facts": list(facts)}
    )
    verifier = rows.locked_verifier(work.session, conversation.person_id, work.now)
    if passed:
        verifier.failures, verifier.locked_until = 0, None
        name = method_row.name if method_row is not None else method
        return Receipt(title=f"Identity checked: {name}", subject_kind="identity_check", subject_id=check.id)
    lock_row = directory_rows.reference_row(work.session, "identity_lock", "desk", day)
    lock = rules.lock_of(None if lock_row is None else lock_row.detail)
    # A lock that has run out begins a new count.
    verifier.failures = 1 if verifier.locked_until is not None else verifier.failures + 1
    verifier.locked_until = rules.locked_until_after(verifier.failures, lock, work.now)
    if verifier.locked_until is None:
        left = count_text(lock.failures - verifier.failures, "more try").replace("trys", "tries")
        return Receipt(
            title=f"That does not match. {left[:1].upper()}{left[1:]}, then checks are locked for {count_text(lock.minutes, 'minute')}.",
            notes=("failed",),
            subject_kind="identity_check",
            subject_id=check.id,
        )
    work.event("identity.locked", **where, detail={"minutes": lock.minutes})
    return Receipt(
        title=f"That does not match. Checks are locked until {_clock(verifier.locked_until)}.",
        notes=("failed", "locked"),
        subject_kind="identity_check",
        subject_id=check.id,
    )


@command("identity.check")
def confirm_call_back(actor: Actor, work: Work, conversation_id: int, answered: bool) -> Receipt:
    """Records that the representative called the number on file and the customer answered there. Also while checks are
    locked: whoever gave the wrong answers does not sit at that telephone."""
    found = open_conversation(work, actor, conversation_id)
    if found.person_id is None:
        raise Refused([Problem("identity", "Find the customer first; then check who is speaking.")])
    refuse_own_person(work, actor, found.person_id)
    person = rows.person_name_and_phone(work.session, found.person_id)
    if person is None or not person[1]:
        raise Refused(
            [Problem("call_back", "There is no number on file to call. Ask for the PIN or for account facts.")]
        )
    if not answered:
        raise Refused(
            [
                Problem(
                    "call_back", f"Call {format_phone(person[1])} first, and confirm when the customer answers there."
                )
            ]
        )
    return record_identity_check(work, actor, conversation=found, method="call_back", passed=True)


def identity_problems(work: Work, *actions: str, conversation_id: int | None, person_id: int | None) -> list[Problem]:
    """Which of these actions asks for a stronger check of who is speaking than this conversation has had, the most demanding
    one only: for a command that says all its problems at once. An action without a policy row needs none."""
    needs = views.identity_needs(work.session, actions, conversation_id, person_id, work.now)
    return [problem for need in needs[:1] if (problem := rules.identity_problem(need)) is not None]


def require_identity(work: Work, action: str, *, conversation_id: int | None, person_id: int | None) -> None:
    """Refuses an action whose policy row asks for a stronger check of who is speaking than this conversation has had. An
    action without a row needs none."""
    problems = identity_problems(work, action, conversation_id=conversation_id, person_id=person_id)
    if problems:
        raise Refused(problems, title=NOT_CHECKED)


def set_secret(actor: Actor, conversation_id: int, secret: str, *, key: str | None = None) -> Receipt:
    """Gives the caller of the open conversation a new PIN or passphrase, after a check of who is speaking. The slow hash is
    made before the transaction."""
    problems = tuple(rules.secret_problems(secret))
    return store_secret(actor, conversation_id, "" if problems else rules.hash_secret(secret), problems, key=key)


@command("identity.reset")
def store_secret(
    actor: Actor, work: Work, conversation_id: int, secret_hash: str, problems: tuple[Problem, ...] = ()
) -> Receipt:
    """Stores the hash of a new secret, or refuses it for `problems` once the actor may ask at all; see `set_secret`."""
    found = open_conversation(work, actor, conversation_id)
    if found.person_id is None:
        raise Refused([Problem("secret", "Find the customer first; then set the PIN.")])
    refuse_own_person(work, actor, found.person_id)
    if problems:
        raise Refused(problems)
    require_identity(work, "identity.reset", conversation_id=found.id, person_id=found.person_id)
    verifier = rows.locked_verifier(work.session, found.person_id, work.now)
    verifier.secret_hash, verifier.set_at = secret_hash, work.now
    verifier.failures, verifier.locked_until = 0, None
    work.event(
        "identity.secret_set",
        staff_id=actor.staff_id,
        subject_kind="person",
        subject_id=found.person_id,
        person_id=found.person_id,
        account_id=found.account_id,
        conversation_id=found.id,
    )
    return Receipt(
        title="The new PIN or passphrase counts from now on", subject_kind="person", subject_id=found.person_id
    )


@command("identity.reset")
def lift_lock(actor: Actor, work: Work, person_id: int) -> Receipt:
    """Lifts the lock that wrong answers put on checks of a person."""
    refuse_own_person(work, actor, person_id)
    verifier = rows.verifier(work.session, person_id)
    if verifier is None or verifier.locked_until is None or verifier.locked_until <= work.now:
        raise Refused([Problem("", "Checks of this customer are not locked.")])
    verifier = rows.locked_verifier(work.session, person_id, work.now)
    verifier.failures, verifier.locked_until = 0, None
    work.event(
        "identity.unlocked", staff_id=actor.staff_id, subject_kind="person", subject_id=person_id, person_id=person_id
    )
    return Receipt(title="The lock is lifted", subject_kind="person", subject_id=person_id)


def _clock(at: dt.datetime) -> str:
    return clock_text(at.astimezone(settings.current().time_zone))
