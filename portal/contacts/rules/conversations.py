"""Decisions about conversations: secrets and how strongly a check proves who speaks, locks, what is wrong with what was typed."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from portal.shared.problem import Problem
from portal.shared.text import parse_phone, sensitive_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CHANNELS: Final = {"phone": "Phone", "letter": "Letter", "email": "E-mail", "counter": "Counter"}
STANCES: Final = {"for": "In favor", "against": "Against", "mixed": "Mixed"}
PROMISE_KINDS: Final = {"date": "A date", "credit": "A credit", "visit": "A visit"}
METHODS: Final = ("pin", "account_facts", "call_back")
NOTE_MOST: Final = 4_000
WORDS_MOST: Final = 1_000
AHEAD_MOST: Final = dt.timedelta(days=366)

# --- secrets ----------------------------------------------------------------------------------------------------------

SCRYPT_N: Final = 2**14
SCRYPT_R: Final = 8
SCRYPT_P: Final = 1
"""Work of one hash: about 16 MB and 50 ms, so that a stolen table of four-digit PINs does not fall in a moment."""


def hash_secret(secret: str, salt: bytes | None = None) -> str:
    """A PIN or passphrase as stored: `scrypt$N$r$p$salt$hash` in hex, never the secret. `salt` (16 bytes) is drawn afresh
    unless given: only a demo city, the same for the same seed, gives one."""
    salt = secrets.token_bytes(16) if salt is None else salt
    return f"scrypt${SCRYPT_N}${SCRYPT_R}${SCRYPT_P}${salt.hex()}${_digest(secret, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)}"


def verify_secret(secret: str, stored: str) -> bool:
    """Whether `secret` is the one behind `stored`; takes the same time whichever character differs. "" stands for no secret
    and matches nothing."""
    kind, _, rest = stored.partition("$")
    parts = rest.split("$")
    if kind != "scrypt" or len(parts) != 5:
        return False
    n, r, p, salt, digest = parts
    return hmac.compare_digest(_digest(secret, bytes.fromhex(salt), int(n), int(r), int(p)), digest)


def _digest(secret: str, salt: bytes, n: int, r: int, p: int) -> str:
    return hashlib.scrypt(spoken(secret).encode(), salt=salt, n=n, r=r, p=p, dklen=32, maxmem=2**26).hex()


def spoken(secret: str) -> str:
    """A secret as it is heard on the phone: no case, single spaces, one form of each letter."""
    return " ".join(unicodedata.normalize("NFKC", secret).casefold().split())


def secret_problems(secret: str) -> list[Problem]:
    """What is wrong with a new PIN (4 to 8 digits) or passphrase (6 to 64 characters)."""
    said = spoken(secret)
    if not said:
        return [Problem("secret", "Enter the PIN or passphrase that the caller chose.")]
    found = sensitive_sentence(secret, "The PIN or passphrase")
    if found:
        return [Problem("secret", found)]
    if said.isdecimal():
        if not 4 <= len(said) <= 8:
            return [
                Problem("secret", f"This PIN has {len(said)} digits. A PIN has 4 to 8; ask the caller for another.")
            ]
        steps = {int(after) - int(before) for before, after in zip(said, said[1:], strict=False)}
        if steps in ({0}, {1}, {-1}):
            return [
                Problem(
                    "secret", "This PIN is too easy to guess: one digit repeated, or digits in a row. Ask for another."
                )
            ]
        return []
    if not 6 <= len(said) <= 64:
        return [Problem("secret", f"This passphrase has {len(said)} characters. It needs 6 to 64; ask for another.")]
    return []


# --- who is speaking --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SecretCheck:
    """A caller's PIN or passphrase, as heard."""

    conversation_id: int
    secret: str


@dataclass(frozen=True)
class Lock:
    """After how many wrong answers checks are locked, and for how long."""

    failures: int
    minutes: int


def lock_of(detail: Mapping[str, Any] | None) -> Lock:
    """The lock as its row says; without a row, three wrong answers and thirty minutes."""
    return Lock(int((detail or {}).get("failures", 3)), int((detail or {}).get("minutes", 30)))


def locked_until_after(failures: int, lock: Lock, now: dt.datetime) -> dt.datetime | None:
    """Until when checks are locked once the `failures`-th wrong answer was given; None while tries are left."""
    return now + dt.timedelta(minutes=lock.minutes) if failures >= lock.failures else None


def strength_of(method: Mapping[str, Any], facts: int = 0) -> int:
    """How strongly a passed check of this method proves who speaks; by `level` rows where it depends on the number of facts."""
    levels = method.get("level")
    if not levels:
        return int(method.get("strength", 0))
    return max((int(level["strength"]) for level in levels if facts >= int(level["facts"])), default=0)


def facts_needed(method: Mapping[str, Any]) -> int:
    """The fewest facts a check by facts asks."""
    return min((int(level["facts"]) for level in method.get("level", ())), default=2)


@dataclass(frozen=True)
class IdentityNeed:
    """What an action asks about who is speaking, and what this conversation has shown so far."""

    action: str
    name: str
    needed: int
    reached: int
    call: str = "this"
    """Whom the open conversation is about: `this` customer, an `other` one (or nobody yet), `none`: no conversation is open."""

    @property
    def enough(self) -> bool:
        return self.reached >= self.needed

    @property
    def ways(self) -> str:
        """What proves enough, as words after “ask for”."""
        if self.needed >= 2:
            return "the PIN or passphrase, three account facts, or a call to the number on file"
        return "two account facts or the PIN"


def identity_problem(need: IdentityNeed) -> Problem | None:
    """Why an action has to wait for a check of who is speaking; None when the check so far is enough."""
    if need.enough:
        return None
    what = f"“{need.name or need.action}” needs a check of who is speaking"
    if need.call == "none":
        return Problem(
            "identity", f"{what}. Take the call (Alt+A) and check who is speaking first: ask for {need.ways}."
        )
    if need.call == "other":
        return Problem(
            "identity",
            f"{what}, and the call is not about this customer yet. Open the customer, then ask for {need.ways}.",
        )
    return Problem("identity", f"{what} first: ask for {need.ways}.")


# --- conversations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opinion:
    """What a caller thought of something of the city."""

    subject_code: str
    stance: str
    words: str = ""


@dataclass(frozen=True)
class CallBackPlan:
    """A call the city owes: to which number, why, by when."""

    phone: str
    why: str
    due_at: dt.datetime | None
    owner_id: int | None = None
    """Who calls; None: the one who plans it."""
    conversation_id: int | None = None
    person_id: int | None = None
    account_id: int | None = None


@dataclass(frozen=True)
class PromisePlan:
    """A date, credit or visit told to a caller."""

    kind: str
    words: str
    due_at: dt.datetime | None
    amount_cents: int | None = None
    owner_id: int | None = None
    conversation_id: int | None = None
    person_id: int | None = None
    account_id: int | None = None


@dataclass(frozen=True)
class WrapUp:
    """How a conversation ended."""

    conversation_id: int
    reason_code: str | None
    disposition_code: str | None
    note: str = ""
    opinions: tuple[Opinion, ...] = ()
    call_back: CallBackPlan | None = None
    promises: tuple[PromisePlan, ...] = ()


@dataclass(frozen=True)
class Emergency:
    """A danger told to the desk."""

    kind_code: str
    place: str
    callback_phone: str = ""
    premise_id: int | None = None
    conversation_id: int | None = None


def words_problem(field: str, label: str, words: str, most: int, *, needed: bool = False) -> Problem | None:
    """What is wrong with words somebody typed: missing, too long, or holding what is never kept."""
    if needed and not words.strip():
        return Problem(field, f"{label} is empty. Write one sentence.")
    if len(words) > most:
        return Problem(field, f"{label} has {len(words):,} characters; {most:,} is the most. Shorten it.")
    if "\0" in words:
        return Problem(field, f"{label} holds a character that is no text. Type it again.")
    found = sensitive_sentence(words, label)
    return Problem(field, found) if found else None


def note_problem(note: str) -> Problem | None:
    """Why a note cannot be kept as it stands."""
    return words_problem("note", "The note", note, NOTE_MOST)


def phone_problem(field: str, phone: str) -> Problem | None:
    try:
        parse_phone(phone)
    except ValueError as error:
        return Problem(field, str(error))
    return None


def due_problem(field: str, label: str, due_at: dt.datetime | None, now: dt.datetime) -> Problem | None:
    """Why a due time cannot stand: missing, past, or more than a year off."""
    if due_at is None:
        return Problem(field, f"Enter the day and the time of {label}.")
    if due_at <= now:
        return Problem(field, f"The time of {label} has passed already. Choose a later one.")
    if due_at - now > AHEAD_MOST:
        return Problem(field, f"The time of {label} is more than a year away. Choose an earlier one.")
    return None


def call_back_problems(plan: CallBackPlan, now: dt.datetime) -> list[Problem]:
    """What is wrong with a call-back; fields are `phone`, `why`, `due`."""
    found = [
        Problem("phone", "Enter the number to call back.")
        if not plan.phone.strip()
        else phone_problem("phone", plan.phone),
        words_problem("why", "The reason for the call-back", plan.why, WORDS_MOST, needed=True),
        due_problem("due", "the call-back", plan.due_at, now),
    ]
    return [problem for problem in found if problem]


def promise_problems(plan: PromisePlan, now: dt.datetime) -> list[Problem]:
    """What is wrong with a promise; fields are `kind`, `words`, `due`, `amount`."""
    found = [
        None
        if plan.kind in PROMISE_KINDS
        else Problem("kind", "Choose what was promised: a date, a credit or a visit."),
        words_problem("words", "The promise", plan.words, WORDS_MOST, needed=True),
        due_problem("due", "the promise", plan.due_at, now),
    ]
    if plan.kind == "credit" and (plan.amount_cents is None or plan.amount_cents <= 0):
        found.append(Problem("amount", "Enter the amount of the credit that was promised, above zero."))
    return [problem for problem in found if problem]


def wrap_up_problems(
    form: WrapUp, reasons: frozenset[str], dispositions: frozenset[str], subjects: frozenset[str], now: dt.datetime
) -> list[Problem]:
    """What keeps a conversation from being wrapped up. Fields of its parts carry a prefix: `opinion_`, `call_back_`, `promise_`."""
    found: list[Problem | None] = []
    if form.reason_code not in reasons:
        found.append(Problem("reason", "Choose why the caller contacted the city."))
    if form.disposition_code not in dispositions:
        found.append(Problem("disposition", "Choose how it ended."))
    found.append(note_problem(form.note))
    for opinion in form.opinions:
        if opinion.subject_code not in subjects:
            found.append(Problem("opinion_subject", "Choose what the opinion was about."))
        if opinion.stance not in STANCES:
            found.append(Problem("opinion_stance", "Choose whether the caller was in favor, against, or mixed."))
        found.append(words_problem("opinion_words", "The caller's opinion", opinion.words, WORDS_MOST))
    if form.call_back is not None:
        found += prefixed("call_back_", call_back_problems(form.call_back, now))
    for promise in form.promises:
        found += prefixed("promise_", promise_problems(promise, now))
    return [problem for problem in found if problem]


def prefixed(prefix: str, problems: Iterable[Problem]) -> list[Problem]:
    return [Problem(prefix + problem.field, problem.message) for problem in problems]


def suggested(choices: Sequence[Mapping[str, Any]], happened: Iterable[str]) -> str | None:
    """The choice that fits best what happened in this conversation, and so need not be asked: the one whose `when` names the
    longest beginning of something that happened. What happened is the name of an event, and, with its type, a second time:
    “request.opened”, “request.opened:missed_garbage”. None when nothing points anywhere."""
    names = tuple(happened)
    best: tuple[int, str | None] = (0, None)
    for choice in choices:
        for beginning in choice.get("when", ()):
            if len(beginning) > best[0] and any(name.startswith(beginning) for name in names):
                best = (len(beginning), choice["code"])
    return best[1]


# --- call-backs -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attempts:
    """How often a call-back is tried, and how far apart."""

    most: int
    retry_minutes: int


def attempts_of(detail: Mapping[str, Any] | None) -> Attempts:
    """The rule of attempts as its row says; without a row, three, two hours apart."""
    return Attempts(int((detail or {}).get("attempts", 3)), int((detail or {}).get("retry_minutes", 120)))


# --- emergencies ------------------------------------------------------------------------------------------------------


def emergency_problems(form: Emergency, kinds: frozenset[str]) -> list[Problem]:
    """What keeps an emergency from being stamped: as little as possible. A caller without a number is no obstacle."""
    found = [
        None if form.kind_code in kinds else Problem("kind", "Choose what happened."),
        words_problem("place", "The place", form.place, 300, needed=False),
        None if form.place.strip() else Problem("place", "Enter where it is: the address or the nearest crossing."),
        phone_problem("callback_phone", form.callback_phone) if form.callback_phone.strip() else None,
    ]
    return [problem for problem in found if problem]
