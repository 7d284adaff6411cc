"""What people do about messages that did not go out by themselves: try again, correct the address, send a letter instead, give
up with a reason; and what is printed and posted. None of it touches the work the message is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from db import core, events
from db.contacts import delivery as rows
from portal.contacts.commands.identity import refuse_own_person
from portal.contacts.rules import delivery
from portal.shared.command import command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.core import Work
    from portal.shared.actor import Actor

SUBJECT: Final = "message"
AT_ONCE: Final = 200
"""How many letters or messages one click may move."""


@command("delivery.work")
def try_again(actor: Actor, work: Work, message_id: int, version: int) -> Receipt:
    """Puts a message back on its way, with the wording and address as the records say now, and all its tries before it."""
    row = _hold(work, actor, message_id, version, delivery.FOR_PEOPLE)
    _back(work, row)
    return _done(work, actor, row, "message.retried", "It is on its way again")


@command("delivery.work")
def try_all_again(actor: Actor, work: Work) -> Receipt:
    """Puts every failed message back on its way, as after a mail server was down; at most 200 at once, an event for each.
    A person's own messages stay."""
    own = {actor.person_id} if actor.person_id is not None else set()
    count = 0
    for row in rows.take_failed(work.session, AT_ONCE):
        if row.recipient_kind == "person" and row.recipient_id in own:
            continue
        _back(work, row)
        _note(work, actor, row, "message.retried")
        count += 1
    if not count:
        raise Refused([Problem("", "No message has failed; nothing is to be tried again.")])
    work.event(
        "message.all_retried",
        staff_id=actor.staff_id or None,
        subject_kind="message_run",
        subject_id=0,
        detail={"count": count},
    )
    return Receipt(title=f"{count:,} message{'' if count == 1 else 's'} on the way again")


@command("delivery.work")
def change_address(actor: Actor, work: Work, message_id: int, version: int, address: str) -> Receipt:
    """Sends one message to another address; the customer's record stays as it is."""
    row = _hold(work, actor, message_id, version, delivery.FOR_PEOPLE)
    route = row.route or ("email" if row.channel not in ("text", "letter") else row.channel)
    wanted = " ".join(address.split())
    problems = delivery.address_problems("email" if row.recipient_kind != "person" else route, wanted)
    if problems:
        raise Refused(problems)
    row.address = wanted
    _back(work, row)
    return _done(work, actor, row, "message.readdressed", "It goes to the new address")


@command("delivery.work")
def send_as_letter(actor: Actor, work: Work, message_id: int, version: int) -> Receipt:
    """Makes a letter of a message to a citizen that could not go out by e-mail or text."""
    row = _hold(work, actor, message_id, version, delivery.FOR_PEOPLE)
    if row.recipient_kind != "person" or row.channel == "letter":
        raise Refused([Problem("", "Only an e-mail or text to a citizen can become a letter.")])
    row.channel, row.address = "letter", ""
    _back(work, row)
    return _done(work, actor, row, "message.made_letter", "It becomes a letter to print")


@command("delivery.work")
def give_up(actor: Actor, work: Work, message_id: int, version: int, reason: str) -> Receipt:
    """Ends the delivery of a message for good, with a reason; it stays in the lists as given up."""
    row = _hold(work, actor, message_id, version, (*delivery.FOR_PEOPLE, "to_print"))
    problems = delivery.reason_problems(reason)
    if problems:
        raise Refused(problems)
    row.delivery_state, row.reason = "given_up", delivery.plain_line(reason, delivery.REASON_MOST)
    row.version += 1
    return _done(work, actor, row, "message.given_up", "The message is given up")


@command("delivery.work")
def mark_posted(actor: Actor, work: Work, letters: Sequence[tuple[int, int]]) -> Receipt:
    """Marks printed letters as posted: (id, version) of each as it was printed; one that has changed since stays."""
    wanted = dict(list(letters)[:AT_ONCE])
    count = 0
    for row in rows.messages_by_id(work.session, list(wanted)):
        if row.delivery_state != "to_print" or row.version != wanted[row.id]:
            continue
        row.delivery_state, row.delivered_at = "posted", work.now
        row.version += 1
        _note(work, actor, row, "message.posted")
        count += 1
    if not count:
        raise Refused(
            [Problem("", "These letters are no longer to be printed: somebody was faster. Open the list again.")]
        )
    work.event(
        "message.run_posted",
        staff_id=actor.staff_id or None,
        subject_kind="message_run",
        subject_id=0,
        detail={"count": count},
    )
    left = len(wanted) - count
    notes = (f"{left} had changed meanwhile and stay in the list.",) if left else ()
    return Receipt(title=f"{count:,} letter{'' if count == 1 else 's'} marked as posted", notes=notes)


def _hold(work: Work, actor: Actor, message_id: int, version: int, states: Sequence[str]) -> events.OutboxMessage:
    row = core.lock(work.session, events.OutboxMessage, message_id)
    if row is None:
        raise Refused([Problem("", "There is no such message. Open the list again.")])
    if row.version != version or row.delivery_state not in states:
        now = delivery.STATES.get(row.delivery_state, row.delivery_state)
        raise Refused(
            [Problem("", f"The message has changed since you opened it; it is now “{now}”. Open the list again.")],
            title="Somebody was faster",
        )
    if row.recipient_kind == "person":
        refuse_own_person(work, actor, row.recipient_id)
    return row


def _back(work: Work, row: events.OutboxMessage) -> None:
    """To the start of its way. Its age begins anew: somebody has looked at it and found it true."""
    row.delivery_state, row.due_at, row.looked_at = "waiting", work.now, work.now
    row.attempts, row.reason, row.route, row.copy_id = 0, "", "", None
    row.version += 1


def _note(work: Work, actor: Actor, row: events.OutboxMessage, name: str) -> None:
    work.event(
        name,
        staff_id=actor.staff_id or None,
        subject_kind=SUBJECT,
        subject_id=row.id,
        person_id=row.recipient_id if row.recipient_kind == "person" else None,
        detail={"template": row.template, "channel": row.channel},
    )


def _done(work: Work, actor: Actor, row: events.OutboxMessage, name: str, title: str) -> Receipt:
    _note(work, actor, row, name)
    return Receipt(
        title=title, subject_kind=SUBJECT, subject_id=row.id, go="deliveries", go_query=(("id", str(row.id)),)
    )
