"""What is said to the caller about a move: the read-back before, the sentences after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from portal.moves.rules.debt import own_debt_sentence
from portal.moves.rules.form import StartFacts, StartForm
from portal.moves.rules.policy import MovePolicy, listed
from portal.shared.money import format_cents
from portal.shared.text import format_phone

if TYPE_CHECKING:
    from db.accounts import Account, ServiceAgreement
    from db.moves import Move

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
SOMEONE_ACTIVE = "Someone else is still active here: their service will end on the same read."
HOLD_REASONS = {
    "medical": "Someone there depends on medical equipment.",
    "dispute": "The move is disputed, or a second start for the same place is booked.",
}


def spoken_day(on: date) -> str:
    """“Monday, November 30”."""
    return f"{_DAYS[on.weekday()]}, {_MONTHS[on.month - 1]} {on.day}"


def spoken_number(number: str) -> str:
    """A number as it is read over the telephone: letters and digits one by one, a pause at each dash."""
    return ", ".join(" ".join(part) for part in number.split("-"))


def read_back(
    policy: MovePolicy,
    kinds: Sequence[str],
    address: str,
    on: date | None,
    name: str,
    deposit_cents: int | None,
    fee_cents: int,
) -> str:
    """What the representative reads to the caller before the start is saved."""
    if not kinds or on is None:
        return "Choose the services and the day; the words to read back appear here."
    money = []
    if deposit_cents:
        money.append(f"a deposit of {format_cents(deposit_cents)}")
    if fee_cents:
        money.append(f"fees of {format_cents(fee_cents)}")
    cost = f"It comes with {listed(money)}, on the first bill." if money else "There is no deposit and no fee."
    who = f" in the name of {' '.join(name.split())}" if name.strip() else ""
    return f"I am starting {policy.names_of(policy.in_order(kinds))} at {address}{who}, on {spoken_day(on)}. {cost} Is that right?"


def start_said(
    policy: MovePolicy,
    move: Move,
    address: str,
    today: date,
    at_once: Iterable[ServiceAgreement],
    *,
    own_debt: str,
    turnover: bool,
) -> str:
    """What to say once a start is saved. Nobody else at the address is ever named."""
    on_now = {row.service_kind for row in at_once if row.id in move.agreement_ids}
    if move.state_code == "held":
        return (
            f"I have taken your start at {address}, number {spoken_number(move.number)}. We have to look into something "
            "at the address first and will call you. Nothing there changes until then."
        )
    later = [kind for kind in move.service_kinds if kind not in on_now]
    parts = []
    if on_now:
        parts.append(
            f"{policy.names_of(policy.in_order(on_now)).capitalize()} at {address} {'is' if len(on_now) == 1 else 'are'} on in your name as of {spoken_day(move.on)}."
        )
    if later:
        parts.append(
            f"{policy.names_of(policy.in_order(later)).capitalize()} at {address} {'is' if len(later) == 1 else 'are'} booked for {spoken_day(move.on)}."
        )
    if turnover:
        parts.append("Service stays on: one reading ends the earlier bill and starts yours.")
    parts.append(
        f"The deposit is {format_cents(move.deposit_cents)}, on your first bill."
        if move.deposit_cents
        else "No deposit is needed."
    )
    if move.fee_cents:
        parts.append(f"Fees come to {format_cents(move.fee_cents)}.")
    if own_debt:
        parts.append(own_debt)
    parts.append(f"Your number is {spoken_number(move.number)}.")
    return " ".join(parts)


def own_debt_said(facts: StartFacts, asked: StartForm) -> str:
    """What was agreed about the applicant's old debt; empty when there is none."""
    if facts.debts is None:
        return ""
    return own_debt_sentence(list(facts.own_debts), asked.own_debt, asked.own_debt_months, facts.debts)


def start_notes(policy: MovePolicy, move: Move, account_number: str, facts: StartFacts) -> tuple[str, ...]:
    """What the representative should know besides, not for the caller."""
    notes = [f"Account {account_number}."]
    if move.state_code == "held":
        notes.append(
            f"{HOLD_REASONS.get(move.hold_reason, 'Held.')} A supervisor releases it; nothing changes at the address until then."
        )
    if facts.is_owner:
        notes.append("The applicant is the owner on file; no other evidence was needed.")
    if move.deposit_reason:
        notes += move.deposit_reason.split("\n")
    return tuple(notes)


def deposit_kept(account: Account | None) -> str:
    """Why a transfer asks for no deposit."""
    if account is not None and account.deposit_cents:
        return f"The deposit of {format_cents(account.deposit_cents)} on account {account.number} stays with it."
    return "No deposit: the account goes on and what was decided for it stays."


def stop_said(
    policy: MovePolicy, move: Move, address: str, at_once: Iterable[ServiceAgreement], *, to_owner: bool, send_to: str
) -> str:
    """What to say once a stop is saved."""
    done = {row.service_kind for row in at_once if row.id in move.agreement_ids}
    later = [kind for kind in move.service_kinds if kind not in done]
    parts = []
    if done:
        parts.append(
            f"{policy.names_of(policy.in_order(done)).capitalize()} at {address} {'is' if len(done) == 1 else 'are'} out of your name as of {spoken_day(move.on)}."
        )
    if later:
        parts.append(
            f"{policy.names_of(policy.in_order(later)).capitalize()} at {address} end{'s' if len(later) == 1 else ''} on {spoken_day(move.on)}, with a last reading."
        )
    if to_owner:
        parts.append("Service stays on and goes back to the owner.")
    parts.append(
        f"The last bill goes to {send_to}." if send_to else "The last bill goes to the mailing address on file."
    )
    parts.append(f"Your number is {spoken_number(move.number)}.")
    return " ".join(parts)


def phone_text(digits: str) -> str:
    """A number as shown in a form."""
    return format_phone(digits) if digits else ""
