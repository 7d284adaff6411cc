"""Events in English: the one place where the name of an event becomes a sentence a representative reads.

`{key}` is filled from the event's detail, codes spelled as words; a part in square brackets is left out when one of its keys is
missing. An event without an entry is still readable: its name, spelled out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SENTENCES: Final[dict[str, str]] = {
    # conversations
    "conversation.begun": "Took the conversation[ by {channel}]",
    "conversation.linked": "Opened the customer's record",
    "conversation.answered": "Answered from “{title}”",
    "conversation.wrapped_up": "Wrapped up[: {reason}][, {disposition}]",
    "conversation.handed_over": "Closed for a colleague who left; a call-back is planned",
    "identity.passed": "Identity checked[ by {method}]",
    "identity.failed": "Identity check did not match[ ({method})]",
    "identity.locked": "Identity checks locked after too many wrong answers",
    "identity.unlocked": "Lock on identity checks lifted",
    "identity.secret_set": "PIN or passphrase set",
    "opinion.heard": "Opinion heard[ on {subject}][: {stance}]",
    "promise.made": "Promised[ a {kind}]",
    "promise.kept": "Promise kept",
    "promise.broken": "Promise broken",
    "promise.handed_over": "Promise handed to a colleague",
    "call_back.planned": "Call-back planned",
    "call_back.reached": "Called back and reached",
    "call_back.no_answer": "Called back, no answer[ (try {attempt})]",
    "call_back.gave_up": "Gave up calling back[ after {attempt} tries]",
    "call_back.handed_over": "Call-back handed to a colleague",
    "emergency.stamped": "Emergency taken: {kind}",
    # requests and orders
    "request.opened": "Opened a request[: {type}]",
    "request.advised": "Advised, no request was needed[: {type}]",
    "request.turned_down": "Refused a request, with the reason[: {type}]",
    "request.joined": "Joined a caller to a request",
    "request.assigned": "Gave a request to somebody",
    "request.moved": "Moved a request to “{to}”",
    "request.closed": "Closed a request[: {disposition}]",
    "request.reopened": "Reopened a request",
    "request.handed_over": "Request handed to a colleague",
    "request.work_handed_over": "Open work handed to a colleague",
    "work_order.opened": "Work order written[: {kind}]",
    "work_order.moved": "Work order moved to “{to}”",
    "work_order.assigned": "Work order given to somebody",
    "work_order.closed": "Work order closed[: {disposition}]",
    "work_order.handed_over": "Work order handed to a colleague",
    "known_event.started": "Known event announced[: {kind}]",
    "known_event.updated": "Known event: new words for callers",
    "known_event.joined": "Counted with a known event",
    "known_event.ended": "Known event ended",
    # customers and their service
    "person.added": "Put a customer on record",
    "person.changed": "Changed contact details",
    "person.merged": "Made two records of one person one",
    "account.person_authorised": "Recorded who else may act",
    "account.authorisation_ended": "Ended somebody's right to act",
    "account.flag_added": "Added a flag",
    "account.flag_ended": "Took a flag away",
    "account.reached_at": "Noted where the customer is reached",
    "agreement.confirmed": "Service confirmed by the field or a read",
    "move.started": "Booked a start of service",
    "move.stopped": "Booked a stop of service",
    "move.transferred": "Booked a transfer of service",
    "move.held": "Start of service held for a decision",
    "move.released": "Start of service released",
    "move.confirmed": "Move confirmed by the field or a read",
    "move.cancelled": "Move canceled",
    # money
    "bill.issued": "Bill issued",
    "payment.recorded": "Payment recorded",
    "adjustment.posted": "Bill adjusted: {type}, {number}",
    "adjustment.asked": "Adjustment asked for: {type}, {number}",
    "adjustment.approved": "Adjustment approved: {type}, {number}",
    "adjustment.refused": "Adjustment refused: {type}, {number}",
    "adjustment.withdrawn": "Adjustment withdrawn: {type}, {number}",
    "adjustment.reversed": "Adjustment taken back: {type}, {number}",
    # messages
    "message.sent": "Message handed over[ by {route}]",
    "message.failed": "Message could not be delivered[ by {route}]",
    "message.retried": "Message sent on its way again",
    "message.readdressed": "Message sent to another address",
    "message.made_letter": "Message becomes a letter",
    "message.given_up": "Message given up",
    "message.posted": "Letter posted",
    "message.all_retried": "Sent failed messages on their way again[: {count}]",
    "message.run_posted": "Letters posted[: {count}]",
    # staff
    "staff.signed_in": "Signed in",
    "staff.signed_out": "Signed out",
    "staff.added": "Given access",
    "staff.roles_changed": "Roles changed",
    "staff.role_changed": "Role changed[: {role}]",
    "staff.access_ended": "Access ended",
    "staff.access_restored": "Access restored",
    "staff.relative_declared": "Relative declared",
    "staff.absence_declared": "Absence declared",
    "staff.absence_ended": "Absence ended",
    "refusal.reported": "Refused and reported[: {why}]",
    # reference data
    "request_type.published": "Request type published[: {type}][, version {version}]",
    "reference.packs_loaded": "Reference data loaded",
    "demo_city.built": "Demo city made",
}
"""Sentence by event name. The verb stands first and has no subject: who did it stands beside it."""

ICONS: Final[dict[str, str]] = {
    "conversation": "call",
    "identity": "verified_user",
    "opinion": "forum",
    "promise": "handshake",
    "call_back": "phone_callback",
    "emergency": "emergency_home",
    "known_event": "crisis_alert",
    "message": "outgoing_mail",
    "staff": "badge",
    "refusal": "block",
    "request": "assignment",
    "work_order": "build",
    "move": "swap_horiz",
    "person": "person",
    "account": "receipt_long",
    "agreement": "power",
    "bill": "request_quote",
    "payment": "payments",
    "adjustment": "price_change",
}
"""Icon by the part of an event's name before the dot."""

WORDS: Final[dict[str, str]] = {"pin": "PIN", "call_back": "a call to the number on file", "email": "e-mail"}
"""Codes that do not read well when merely spelled out."""

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_HOLE = re.compile(r"\{(\w+)\}")


def sentence(name: str, detail: Mapping[str, Any] | None = None) -> str:
    """What happened, in words; never fails, whatever the detail holds."""
    known: Mapping[str, Any] = detail or {}
    template = SENTENCES.get(name)
    if template is None:
        subject, _, verb = name.partition(".")
        words = f"{subject} {verb}".replace("_", " ").strip()
        return words[:1].upper() + words[1:]

    def optional(part: re.Match[str]) -> str:
        return part[1] if all(_word(known, hole) for hole in _HOLE.findall(part[1])) else ""

    return _HOLE.sub(lambda hole: _word(known, hole[1]) or "something", _OPTIONAL.sub(optional, template))


def icon(name: str) -> str:
    """The icon of an event."""
    return ICONS.get(name.partition(".")[0], "event_note")


def _word(detail: Mapping[str, Any], key: str) -> str:
    """A value of the detail as words: codes lose their underscores, numbers and names stay as they are."""
    value = detail.get(key)
    if value is None or isinstance(value, (dict, list)):
        return ""
    text = str(value)
    if text in WORDS:
        return WORDS[text]
    return text.replace("_", " ") if re.fullmatch(r"[a-z0-9_]+", text) else text
