"""Decisions about the delivery of messages: which way one goes out, when it is tried again, what an answer means, where a
webhook may go and how it is signed. Pure: what was drawn by lot comes in as a number.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from portal.shared.problem import Problem

STATES: Final = {
    "waiting": "Just written",
    "ready": "Waits to go out",
    "sending": "Going out",
    "sent": "Handed over",
    "failed": "Could not be delivered",
    "no_address": "Needs an address",
    "to_print": "To print",
    "posted": "Posted",
    "in_portal": "Seen in the portal",
    "given_up": "Given up",
}
"""Every state of a delivery and its words. None of them is a state of the work the message is about."""
OPEN_STATES: Final = ("waiting", "ready", "sending", "failed", "no_address", "to_print")
FOR_PEOPLE: Final = ("failed", "no_address")
"""What somebody has to look at: nothing happens to these by itself."""
ROUTES: Final = {
    "email": "E-mail",
    "webhook": "Webhook",
    "text": "Text",
    "letter": "Letter",
    "portal": "Portal",
}
ICONS: Final = {"email": "outgoing_mail", "letter": "mark_email_read", "text": "sms", "webhook": "webhook"}
ADDRESS_MOST: Final = 254  # RFC 5321 4.5.3.1.3 less the angle brackets
REASON_MOST: Final = 500


def way_words(route: str, channel: str) -> str:
    """How a message goes out, or was asked to: “E-mail”, “Letter”, “Field order”."""
    return ROUTES.get(route or channel, "Field order")


def told_words(title: str | None, template: str) -> str:
    """What a message is about: the title it goes out under, or before it is written the letter's own name."""
    return title or template.replace("_", " ").capitalize()


# --- trying again -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RetryPolicy:
    """How patient the portal is; a row of reference data (`delivery_policy`)."""

    first_wait: dt.timedelta = dt.timedelta(minutes=1)
    factor: float = 2.0
    longest_wait: dt.timedelta = dt.timedelta(hours=6)
    most_attempts: int = 16
    jitter: float = 0.2
    """Share by which a wait is stretched or cut by lot, so that a thousand messages do not come back in one second."""
    lease: dt.timedelta = dt.timedelta(minutes=3)
    """How long a worker may hold a message; longer than any handing over is let to take."""
    stale_after: dt.timedelta = dt.timedelta(days=14)
    """A message that has waited longer than this goes to people instead: it may no longer be true."""


def policy_of(detail: Mapping[str, Any]) -> RetryPolicy:
    """The policy a row says; what it leaves out is as `RetryPolicy` has it."""
    plain = RetryPolicy()
    return RetryPolicy(
        first_wait=dt.timedelta(seconds=detail.get("first_wait_seconds", plain.first_wait.total_seconds())),
        factor=float(detail.get("factor", plain.factor)),
        longest_wait=dt.timedelta(seconds=detail.get("longest_wait_seconds", plain.longest_wait.total_seconds())),
        most_attempts=int(detail.get("most_attempts", plain.most_attempts)),
        jitter=float(detail.get("jitter", plain.jitter)),
        lease=dt.timedelta(seconds=detail.get("lease_seconds", plain.lease.total_seconds())),
        stale_after=dt.timedelta(days=detail.get("stale_days", plain.stale_after.days)),
    )


def wait_before_next(policy: RetryPolicy, attempts: int, draw: float) -> dt.timedelta | None:
    """How long to wait after `attempts` tries (1 or more); None when that was the last. `draw` is drawn from 0 to 1.

    Doubling with a ceiling, spread by lot: RFC 5321 4.5.4.1 asks to wait and to give up in the end, and
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ shows why the lot."""
    if attempts >= policy.most_attempts:
        return None
    seconds, ceiling = policy.first_wait.total_seconds(), policy.longest_wait.total_seconds()
    for _ in range(attempts - 1):
        if seconds >= ceiling:
            break
        seconds *= policy.factor
    spread = 1.0 - policy.jitter + 2.0 * policy.jitter * min(max(draw, 0.0), 1.0)
    return dt.timedelta(seconds=min(seconds, ceiling) * spread)


def is_stale(policy: RetryPolicy, created_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a message has waited so long that somebody must look at it before it goes out."""
    return now - created_at > policy.stale_after


def stale_words(policy: RetryPolicy, reason: str = "") -> str:
    words = f"It waited longer than {policy.stale_after.days} days. Decide whether it is still true."
    return plain_line(f"{words} {reason}", REASON_MOST)


# --- what the other side answered -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What came of handing a message over."""

    kind: str
    """sent; later (try again); refused (asking again changes nothing); no_server (it never got to the message)."""
    words: str = ""
    wait: dt.timedelta | None = None
    """The other side asked for so much patience."""


def smtp_outcome(code: int, answer: str) -> Outcome:
    """What a mail server's answer to one message means: 2xx taken, 4xx later, 5xx never (RFC 5321 4.2.1)."""
    words = f"The mail server answered {code}: {plain_line(answer, 300)}"
    if 200 <= code < 300:
        return Outcome("sent", words)
    return Outcome("later" if 400 <= code < 500 else "refused", words)


_HTTP_LATER: Final = frozenset({408, 423, 425, 429})


def http_outcome(code: int, answer: str, retry_after: str = "") -> Outcome:
    """What a webhook's answer means: 2xx taken, 408/423/425/429 and 5xx later, anything else never. A redirect is no answer:
    the receiver we know has not taken it, and where it points we were not told to go."""
    words = f"The receiver answered {code}" + (f": {plain_line(answer, 200)}" if answer.strip() else ".")
    if 200 <= code < 300:
        return Outcome("sent", words)
    if code in _HTTP_LATER or code >= 500:
        wait = dt.timedelta(seconds=int(retry_after)) if re.fullmatch(r"\d{1,6}", retry_after.strip()) else None
        return Outcome("later", words, wait)
    return Outcome("refused", words)


@dataclass(frozen=True)
class Next:
    """What becomes of a message after a try."""

    state: str
    wait: dt.timedelta = dt.timedelta()
    counts: bool = True
    """Whether the try counts: a server that could not be reached says nothing about the message."""
    reason: str = ""


def after(policy: RetryPolicy, attempts: int, outcome: Outcome, draw: float) -> Next:
    """The next state of a message that was tried `attempts` times, this one included."""
    if outcome.kind == "sent":
        return Next("sent")
    if outcome.kind == "refused":
        return Next("failed", reason=outcome.words)
    if outcome.kind == "no_server":
        return Next("ready", min(policy.first_wait, policy.longest_wait), counts=False, reason=outcome.words)
    wait = wait_before_next(policy, attempts, draw)
    if wait is None:
        return Next("failed", reason=f"Tried {attempts} times. {outcome.words}")
    if outcome.wait is not None:
        wait = min(max(wait, outcome.wait), policy.longest_wait)
    return Next("ready", wait, reason=outcome.words)


# --- addresses --------------------------------------------------------------------------------------------------------

# One mailbox and nothing else: no display name, no list, no comment, no source route, no quoted or bracketed part.
_MAILBOX = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[^\s@<>()\[\],;:\"\\.]+(?:\.[^\s@<>()\[\],;:\"\\.]+)*")


def is_mailbox(text: str) -> bool:
    """Whether this is one e-mail address that may stand in an envelope and a header as it is."""
    return (
        len(text.encode()) <= ADDRESS_MOST
        and _MAILBOX.fullmatch(text) is not None
        and not any(unicodedata.category(character)[0] in "CZ" for character in text)
    )


def plain_line(text: str, most: int = 200) -> str:
    """Text as one line for a header or a reason: no control character, no line break, single spaces."""
    spaced = "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in text
        if unicodedata.category(character) != "Cs"
    )
    line = " ".join(spaced.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def plain_text(text: str) -> str:
    """Text for the body of a message: one kind of line break, no other control character but the tab."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        character for character in lines if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    )


def address_problems(route: str, address: str) -> list[Problem]:
    """What is wrong with an address somebody typed for a message."""
    if not address:
        return [Problem("address", "Enter the address the message is to go to.")]
    if route == "email" and not is_mailbox(address):
        return [
            Problem(
                "address",
                f"“{address[:60]}” is not one e-mail address. Write it as name@example.com, nothing beside it.",
            )
        ]
    if route == "text" and not re.fullmatch(r"\d{10}", address):
        return [Problem("address", "The number needs ten digits, area code first.")]
    if len(address) > 300:
        return [Problem("address", f"The address has {len(address)} characters; 300 is the most.")]
    return []


def reason_problems(reason: str) -> list[Problem]:
    """What is wrong with the reason somebody gives for giving up."""
    if not reason.strip():
        return [Problem("reason", "Say why it is given up; whoever asks later reads this.")]
    if len(reason) > REASON_MOST:
        return [Problem("reason", f"The reason has {len(reason)} characters; {REASON_MOST} is the most.")]
    return []


# --- targets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """Where messages to a division, a department or a contractor go (`delivery_target`)."""

    code: str
    by: str
    """email, webhook, portal (they look here themselves)."""
    address: str = ""
    """The e-mail address or the webhook's URL."""
    key_version: int = 1
    contractor: bool = False


def target_of(code: str, detail: Mapping[str, Any], *, contractor: bool = False) -> Target:
    by = str(detail.get("by", "email"))
    address = str(detail.get("url" if by == "webhook" else "email", ""))
    return Target(code, by, address, int(detail.get("key_version", 1)), contractor)


def target_problems(code: str, detail: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a row of `delivery_target`."""
    by = detail.get("by")
    if by not in ("email", "webhook", "portal"):
        return [Problem("by", f"{code}: “by” is email, webhook or portal.")]
    if by == "email" and not is_mailbox(str(detail.get("email", ""))):
        return [Problem("email", f"{code}: “email” is one e-mail address such as name@example.com.")]
    if by == "webhook":
        return url_problems(code, str(detail.get("url", "")))
    return []


def url_problems(code: str, url: str) -> list[Problem]:
    """What is wrong with the address of a webhook, before anybody is asked where its name points."""
    parts = urlsplit(url)
    try:
        port_is_known = parts.port is None or parts.port > 0
    except ValueError:
        port_is_known = False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_known:
        return [Problem("url", f"{code}: “url” starts with https:// and names a host.")]
    if parts.username is not None or parts.password is not None:
        return [Problem("url", f"{code}: the url holds a name or password; each message is signed, so leave them out.")]
    if not url.isascii() or any(character.isspace() for character in url):
        return [Problem("url", f"{code}: the url holds a character that must be written as %XX.")]
    return []


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Reach:
    """Where webhooks may go."""

    public: bool = True
    """Addresses of the open internet (not in a demo: nothing leaves the machine)."""
    networks: tuple[Network, ...] = ()
    """The city's own networks, named in the settings; nothing else that is private is ever asked."""


def reach_problem(reach: Reach, scheme: str, addresses: Iterable[str]) -> str:
    """Why a webhook may not go where its name points, in a sentence; "" when it may. All the addresses of a name count: one
    that is private among public ones is how a name of the internet is made to point inside."""
    found = list(addresses)
    if not found:
        return "The name of the receiver points nowhere."
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped if mapped is not None else address
        if any(address.version == network.version and address in network for network in reach.networks):
            continue
        if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
            return (
                f"The receiver is at {address}, inside a private network. If it is the city's own, name the network in "
                "PORTAL_WEBHOOK_NETWORKS."
            )
        if not reach.public:
            return "This is a demo: nothing leaves the machine."
        if scheme != "https":
            return "The receiver is on the internet, where http can be read on the way. Use its https:// address."
    return ""


def webhook_secret(key: str, target: Target) -> str:
    """The secret shared with one receiver: derived, so that none knows another's and none stands in the database. A higher
    `key_version` in the target's row makes a new one."""
    content = f"webhook|{target.code}|{target.key_version}"
    return hmac.new(key.encode(), content.encode(), hashlib.sha256).hexdigest()


def signature(secret: str, key: str, timestamp: int, body: bytes) -> str:
    """The signature of one handing over as https://www.standardwebhooks.com writes it: HMAC-SHA-256 over id, time and body."""
    content = f"{key}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()


# --- which letter -----------------------------------------------------------------------------------------------------

GENERAL: Final = "general"


@dataclass(frozen=True)
class Wanted:
    """What a message is, as far as the choice of its letter goes."""

    template: str
    request_type: str = ""
    disposition: str = ""
    channel: str = ""
    otherwise: str = ""
    """The template where the first has no letter that can be used (a type's own letter that was taken away)."""


def letters_in_order(letters: Iterable[Mapping[str, Any]], wanted: Wanted) -> list[Mapping[str, Any]]:
    """The letters that fit, the most particular first, the general one last.

    A letter is for the template of its code, or the one it names; it may narrow itself to a `request_type`, a `disposition`, a
    `channel`. Type goes before disposition, disposition before channel: a letter for a type and an ending goes before one for
    the type alone, and that before one for the channel."""
    templates = [wanted.template, *filter(None, [wanted.otherwise]), GENERAL]
    ranked: list[tuple[tuple[int, ...], str, Mapping[str, Any]]] = []
    for letter in letters:
        code = str(letter.get("code", ""))
        template = str(letter.get("template", code))
        if template not in templates:
            continue
        asked = [
            (str(letter.get(name, "")), getattr(wanted, name)) for name in ("request_type", "disposition", "channel")
        ]
        if all(narrowed in ("", value) for narrowed, value in asked):
            rank = (templates.index(template), *(int(not narrowed) for narrowed, _ in asked))
            ranked.append((rank, code, letter))
    return [letter for _, _, letter in sorted(ranked, key=lambda each: each[:2])]


_FACTS: Final = (("order", "Work"), ("place", "Place"), ("planned", "Planned for"), ("instructions", "Instructions"))


def facts_words(values: Mapping[str, str]) -> str:
    """What a crew needs to know, a line each; what the message does not know is left out."""
    return "\n".join(f"{label}: {values[name]}" for name, label in _FACTS if values.get(name))


# --- names ------------------------------------------------------------------------------------------------------------


def handing_key(message_id: int, created_at: dt.datetime) -> str:
    """What tells a message apart for ever, from its row alone: the same in each handing over, also after a crash or a move to
    another machine; the instant keeps it apart from a message of the same number in a restored database."""
    return f"message-{message_id}-{created_at.astimezone(dt.UTC):%Y%m%dT%H%M%S%f}"


def message_id_header(key: str, sender: str) -> str:
    """The Message-ID of an e-mail, at the sender's domain."""
    domain = sender.rpartition("@")[2].strip().encode("idna").decode() or "localhost"
    return f"<{key}@{domain}>"


def body_hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
