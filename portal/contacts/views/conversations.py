"""What screens show of conversations: the open call, call-backs, promises, what was done on a call."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from db import contacts as rows
from db import core
from db import directory as directory_rows
from db import events as event_rows
from portal import settings
from portal.contacts import rules
from portal.directory import views as directory
from portal.shared import sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.shared.actor import Actor

FULL_STRENGTH: Final = 2
PAGE_SIZE: Final = 25
SCOPES: Final = {"mine": "Mine", "division": "My division", "all": "Everyone"}


@dataclass(frozen=True)
class Call:
    """A person's open conversation, and what is known of its caller."""

    id: int
    number: str
    channel: str
    started_at: dt.datetime
    note: str
    person_id: int | None
    account_id: int | None
    premise_id: int | None
    name: str
    """The customer's name, else the address; empty until one is found."""
    phone: str
    """The number on file, ten digits."""
    address: str
    account_number: str
    strength: int
    """How strongly this customer's identity was checked in this conversation, 0 to 2."""
    methods: tuple[str, ...]
    """The methods that passed, in order."""
    checked_at: dt.datetime | None
    checks: int
    """Checks made in this conversation, passed or not: names the next try, so that two clicks are one."""
    has_secret: bool
    locked_until: dt.datetime | None

    @property
    def channel_name(self) -> str:
        return rules.CHANNELS[self.channel]


@dataclass(frozen=True)
class CallBackLine:
    """A call-back on a list."""

    id: int
    version: int
    name: str
    phone: str
    why: str
    due_at: dt.datetime
    late: bool
    attempts: int
    state_code: str
    outcome: str
    owner_name: str
    mine: bool
    person_id: int | None
    account_id: int | None


@dataclass(frozen=True)
class PromiseLine:
    """A promise on a list."""

    id: int
    version: int
    name: str
    kind: str
    words: str
    amount_cents: int | None
    due_at: dt.datetime
    late: bool
    outcome: str
    owner_name: str
    mine: bool
    person_id: int | None
    account_id: int | None
    settled_at: dt.datetime | None = None
    settled_words: str = ""
    """Why it was broken, or what came of it."""


@dataclass(frozen=True)
class Done:
    """One thing that happened, in words."""

    at: dt.datetime
    sentence: str
    icon: str


@dataclass(frozen=True)
class WrapUpForm:
    """What the wrap-up page shows: the call, what was done on it, the choices, and what those deeds suggest."""

    call: Call
    done: tuple[Done, ...]
    reasons: dict[str, str]
    """Names by code, in order."""
    dispositions: dict[str, str]
    subjects: dict[str, str]
    reason_code: str | None
    disposition_code: str | None


def open_call(actor: Actor) -> Call | None:
    """The person's open conversation; None between calls. One query: every run of every page asks."""
    with core.read() as session:
        found = rows.open_call(session, actor.staff_id)
    if not found:
        return None
    row = found[0]
    passed = [each for each in found if each.passed and each.checked_person_id == row.person_id]
    locked_until = row.locked_until if row.locked_until is not None and row.locked_until > core.now() else None
    return Call(
        id=row.id,
        number=row.number,
        channel=row.channel,
        started_at=row.started_at,
        note=row.note,
        person_id=row.person_id,
        account_id=row.account_id,
        premise_id=row.premise_id,
        name=row.name or row.address or "",
        phone=row.phone or "",
        address=row.address or "",
        account_number=row.account_number or "",
        strength=max((each.strength for each in passed), default=0),
        methods=tuple(dict.fromkeys(each.method for each in passed)),
        checked_at=passed[-1].checked_at if passed else None,
        checks=sum(each.check_id is not None for each in found),
        has_secret=bool(row.secret_hash),
        locked_until=locked_until,
    )


# --- who is speaking --------------------------------------------------------------------------------------------------


def identity_needs(
    session: Session, actions: Sequence[str], conversation_id: int | None, person_id: int | None, now: dt.datetime
) -> list[rules.IdentityNeed]:
    """What these actions ask about who is speaking, the one that asks most first. An action without a policy row asks nothing.

    Only a conversation that is still open counts. Where a row names channels in `signed_channels`, a signed letter on such a
    channel is proof enough.
    """
    found = None if conversation_id is None else rows.conversation(session, conversation_id)
    conversation = found if found is not None and found.ended_at is None else None
    reached = 0
    if conversation is not None and person_id is not None:
        reached = rows.strength_reached(session, conversation.id, person_id)
    about = "none" if conversation is None else "this" if conversation.person_id == person_id or reached else "other"
    needs = []
    for action in actions:
        policy = directory_rows.reference_row(session, "identity_policy", action, directory.today(now))
        needed = 0 if policy is None else int(policy.detail.get("strength", 0))
        if policy is None or not needed:
            continue
        signed = conversation is not None and conversation.channel in policy.detail.get("signed_channels", ())
        shown = max(reached, needed) if signed and about == "this" else reached
        needs.append(rules.IdentityNeed(action, policy.name, needed, shown, about))
    return sorted(needs, key=lambda need: need.reached - need.needed)


def identity_need(actions: Sequence[str], call: Call | None, person_id: int | None) -> rules.IdentityNeed | None:
    """What stands on a form before its button is pressed: the most demanding of the actions; None when nothing is asked."""
    if person_id is None:
        return None
    with core.read() as session:
        needs = identity_needs(session, actions, None if call is None else call.id, person_id, core.now())
    return needs[0] if needs else None


def locked_until(person_id: int | None) -> dt.datetime | None:
    """Until when checks of a person are locked after wrong answers; None when they are not."""
    if person_id is None:
        return None
    with core.read() as session:
        verifier = rows.verifier(session, person_id)
    until = None if verifier is None else verifier.locked_until
    return until if until is not None and until > core.now() else None


# --- call-backs and promises ------------------------------------------------------------------------------------------


def call_backs_due(actor: Actor, most: int = 8) -> list[CallBackLine]:
    """The person's own call-backs of today and before, the earliest first: the card on the call desk."""
    zone = settings.current().time_zone
    midnight = dt.datetime.combine(directory.today() + dt.timedelta(days=1), dt.time(0), tzinfo=zone)
    with core.read() as session:
        return [
            _call_back(row, actor)
            for row in rows.call_back_lines(
                session, staff_id=actor.staff_id, due_before=midnight.astimezone(dt.UTC), most=most
            )
        ]


def call_backs(actor: Actor, scope: str = "mine", page: int = 1) -> list[CallBackLine]:
    """Open call-backs of a scope, the earliest due first, a page at a time."""
    with core.read() as session:
        return [
            _call_back(row, actor)
            for row in rows.call_back_lines(
                session, **scope_terms(actor, scope), most=PAGE_SIZE, skip=(max(page, 1) - 1) * PAGE_SIZE
            )
        ]


def call_back_count(actor: Actor, scope: str = "mine") -> int:
    with core.read() as session:
        return rows.call_back_count(session, **scope_terms(actor, scope))


def promises(
    actor: Actor, scope: str = "mine", *, account_id: int | None = None, settled: bool = False, page: int = 1
) -> list[PromiseLine]:
    """Promises of a scope or of an account, a page at a time: open ones the earliest due first, settled ones the last first."""
    where: dict[str, Any] = {"account_id": account_id} if account_id is not None else scope_terms(actor, scope)
    with core.read() as session:
        return [
            _promise(row, actor)
            for row in rows.promise_lines(
                session,
                **where,
                outcomes=("kept", "broken") if settled else ("open",),
                most=PAGE_SIZE,
                skip=(max(page, 1) - 1) * PAGE_SIZE,
            )
        ]


def scopes(actor: Actor) -> dict[str, str]:
    """The scopes a person can choose from: a division only where they have one."""
    return {code: name for code, name in SCOPES.items() if code != "division" or actor.division_code}


def scope_terms(actor: Actor, scope: str) -> dict[str, Any]:
    """Whose call-backs and promises a scope holds, as the queries take it."""
    if scope == "division" and actor.division_code:
        return {"division_code": actor.division_code}
    return {} if scope == "all" else {"staff_id": actor.staff_id}


def _call_back(row: Any, actor: Actor) -> CallBackLine:
    return CallBackLine(
        id=row.id,
        version=row.version,
        name=row.name or "",
        phone=row.phone,
        why=row.why,
        due_at=row.due_at,
        late=row.state_code == "open" and row.due_at < core.now(),
        attempts=row.attempts,
        state_code=row.state_code,
        outcome=row.outcome,
        owner_name=row.owner_name,
        mine=row.owner_id == actor.staff_id,
        person_id=row.person_id,
        account_id=row.account_id,
    )


def _promise(row: Any, actor: Actor) -> PromiseLine:
    return PromiseLine(
        id=row.id,
        version=row.version,
        name=row.name or "",
        kind=row.kind,
        words=row.words,
        amount_cents=row.amount_cents,
        due_at=row.due_at,
        late=row.outcome == "open" and row.due_at < core.now(),
        outcome=row.outcome,
        owner_name=row.owner_name,
        mine=row.owner_id == actor.staff_id,
        person_id=row.person_id,
        account_id=row.account_id,
        settled_at=row.settled_at,
        settled_words=row.settled_words,
    )


# --- what was done ----------------------------------------------------------------------------------------------------


def what_was_done(conversation_id: int) -> list[Done]:
    """Everything that happened on a conversation, oldest first, in words."""
    with core.read() as session:
        return [_done(event) for event in event_rows.events_of_conversation(session, conversation_id)]


def _done(event: event_rows.Event) -> Done:
    return Done(event.at, sentences.sentence(event.name, event.detail), sentences.icon(event.name))


def wrap_up_form(actor: Actor) -> WrapUpForm | None:
    """What the wrap-up page needs; None when no conversation is open. What was done suggests the reason and the outcome."""
    call = open_call(actor)
    if call is None:
        return None
    with core.read() as session:
        happened = event_rows.events_of_conversation(session, call.id)
        reasons, dispositions, subjects = (
            directory.choices_in(session, kind, directory.today())
            for kind in ("wrap_up_reason", "disposition", "opinion_subject")
        )
    names = [name for event in happened for name in (event.name, f"{event.name}:{event.detail.get('type', '')}")]
    return WrapUpForm(
        call=call,
        done=tuple(_done(event) for event in happened),
        reasons=_names(reasons),
        dispositions=_names(dispositions),
        subjects=_names(subjects),
        reason_code=rules.suggested([{**choice.detail, "code": choice.code} for choice in reasons], names),
        disposition_code=rules.suggested([{**choice.detail, "code": choice.code} for choice in dispositions], names),
    )


def _names(choices: list[directory.Choice]) -> dict[str, str]:
    return {choice.code: choice.name for choice in choices if not choice.detail.get("hidden")}
