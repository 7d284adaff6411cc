"""What really leaves: new messages are sorted (which way, to what address, in which words), then handed over one by one.

These are plain functions for whoever works behind the screen: the thread of one desk, a worker of many. Rows are the truth.
A message is taken under a lease in a small transaction, handed over with no transaction open, and what came of it is written
in another. Killed before the other side accepted it, it is still there when the lease runs out; killed between that and our
commit, it is handed over once more under the same Message-ID or idempotency key; nothing else is ever sent twice.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import random
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from db import core, events
from db import directory as directory_rows
from db.contacts import delivery as rows
from portal import settings
from portal.contacts.commands import handover
from portal.contacts.rules import delivery
from portal.contacts.rules.delivery import Outcome
from portal.contacts.views import deliveries as views
from portal.shared import letter as letters
from portal.shared.text import parse_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from db.core import Work
    from portal.settings import Settings

log = logging.getLogger("portal.deliveries")

SORTED_AT_ONCE: Final = 25


def policy(session: Session, on: dt.date) -> delivery.RetryPolicy:
    """How patient the portal is on a day."""
    row = directory_rows.reference_row(session, "delivery_policy", "standard", on)
    return delivery.policy_of({} if row is None else row.detail)


def deliver(seconds: float = 20.0, stopped: Callable[[], bool] = lambda: False) -> int:
    """Sorts what is new and hands over what is due, for at most about `seconds`; returns how many messages left.

    Any number of these may run at once, on any number of machines."""
    until = time.monotonic() + seconds
    while sort_messages() and time.monotonic() < until and not stopped():
        pass
    count = 0
    with Hands(settings.current()) as hands:
        while _retire(hands) and time.monotonic() < until:
            pass
        while time.monotonic() < until and not stopped():
            taken = _take(hands)
            if taken is None:
                break
            outcome = hands.hand_over(taken)
            count += _settle(taken, outcome)
            if outcome.kind == "no_server":
                hands.closed.add(taken.route)  # its door is shut: asking again for each message would help nobody
    return count


# --- sorting ----------------------------------------------------------------------------------------------------------


def sort_messages(most: int = SORTED_AT_ONCE) -> int:
    """Decides for new messages which way they go, to what address and in which words; returns how many there were."""
    with core.work() as work:
        found = rows.take_unsorted(work.session, work.now, most)
        if not found:
            return 0
        desk = _Desk(work, settings.current())
        for row in found:
            desk.sort(row)
        return len(found)


@dataclass(frozen=True)
class _Way:
    """Which way a message goes: the route, the address as far as it is known, who is spoken to."""

    route: str
    address: str
    name: str
    problem: str = ""
    target: delivery.Target | None = None


class _Desk:
    """The sorting of one batch, in one transaction: looks reference data up once."""

    def __init__(self, work: Work, setting: Settings) -> None:
        self.work, self.setting = work, setting
        self.today = work.now.astimezone(setting.time_zone).date()
        self.policy = policy(work.session, self.today)
        self.letters = [row.detail for row in directory_rows.reference(work.session, "letter", self.today)]
        kinds = directory_rows.reference(work.session, "service_kind", self.today)
        self.service_names = {row.code: row.name for row in kinds}

    def sort(self, row: events.OutboxMessage) -> None:
        """Sends one message on its way, or to the people who look after those that have none."""
        row.version += 1
        if delivery.is_stale(self.policy, row.looked_at or row.created_at, self.work.now):
            self._stop(row, "failed", delivery.stale_words(self.policy))
            return
        way = self._way(row)
        row.route = way.route
        if way.problem:
            self._stop(row, "no_address", way.problem)
            return
        try:
            self._write(row, way)
        except letters.BadLetter as problem:
            self._stop(row, "failed", f"It could not be written. {problem}")
            return
        row.reason = ""
        row.delivery_state = {"letter": "to_print", "portal": "in_portal"}.get(way.route, "ready")
        row.due_at = self.work.now

    @staticmethod
    def _stop(row: events.OutboxMessage, state: str, reason: str) -> None:
        row.delivery_state, row.reason = state, delivery.plain_line(reason, 500)

    def _way(self, row: events.OutboxMessage) -> _Way:
        if row.recipient_kind == "person":
            return self._way_to_person(row)
        return self._way_to_division(row)

    def _way_to_person(self, row: events.OutboxMessage) -> _Way:
        route = row.channel if row.channel in ("email", "text", "letter") else "letter"
        person = None if row.recipient_id is None else rows.person_to_reach(self.work.session, row.recipient_id)
        if person is None:
            return _Way(route, "", "", "There is no record of this person any more. Give up, or enter an address.")
        if route == "email":
            address = row.address or person.email.strip()
            if not address:
                return _Way(route, "", person.name, "There is no e-mail address on file. Enter one, or send a letter.")
            if not delivery.is_mailbox(address):
                problem = f"“{address[:60]}” is not one e-mail address. Correct it, or send a letter."
                return _Way(route, address, person.name, problem)
        elif route == "text":
            try:
                address = parse_phone(row.address or person.phone)
            except ValueError:
                address = ""
            if not address:
                return _Way(
                    route, "", person.name, "There is no telephone number on file. Enter one, or send a letter."
                )
        else:
            address = row.address or person.mailing_address.strip() or rows.home_of(self.work.session, person.id)
            if not address:
                return _Way(route, "", person.name, "There is no mailing address on file. Enter one.")
        return _Way(route, address, person.name)

    def _way_to_division(self, row: events.OutboxMessage) -> _Way:
        """A division's own target, else its department's, else the department's e-mail address."""
        code = str(row.detail.get("division", ""))
        unit = directory_rows.unit(self.work.session, code)
        if unit is None:
            return _Way("email", "", code, f"There is no division “{code}” any more. Give up, or enter an address.")
        target = find_target(self.work.session, unit, self.today)
        if row.address:
            target = delivery.Target(code, "email", row.address, contractor=unit.contractor)
        if target.by == "portal":
            return _Way("portal", code, unit.name, target=target)
        if not target.address:
            return _Way(target.by, "", unit.name, f"{unit.name} has no address to write to. Enter one.", target)
        return _Way(target.by, target.address, unit.name, target=target)

    def _write(self, row: events.OutboxMessage, way: _Way) -> None:
        """Keeps the wording, once and for all tries."""
        code, written = self._compose(row, way)
        key = delivery.handing_key(row.id, row.created_at)
        body = delivery.plain_text(written.body)
        if way.route in ("webhook", "text"):
            body = json.dumps(self._facts(row, way, key, written), ensure_ascii=False, indent=1)
        copy = self.work.add(
            rows.MessageCopy(
                message_id=row.id,
                address=way.address,
                title=delivery.plain_line(written.subject, 300),
                body=body,
                body_hash=delivery.body_hash(body),
                handing_key=delivery.message_id_header(key, self.setting.smtp_from) if way.route == "email" else key,
                letter_code=code,
                written_at=self.work.now,
            )
        )
        row.copy_id = copy.id

    def _compose(self, row: events.OutboxMessage, way: _Way) -> tuple[str, letters.Letter]:
        """The first letter that fits and can be filled, the most particular first."""
        values = letters.values_of(
            self._visible(row, way),
            name=way.name,
            city=self.setting.city_name,
            phone=self.setting.phone,
            today=self.today,
            service_names=self.service_names,
        )
        if way.target is not None:
            values |= {"division": way.name, "facts": delivery.facts_words(values)}
        wanted = delivery.Wanted(
            template=row.template,
            request_type=str(row.detail.get("request_type", "")),
            disposition=str(row.detail.get("disposition", "")),
            channel=row.channel,
            otherwise=str(row.detail.get("otherwise", "")),
        )
        problem: letters.BadLetter | None = None
        for detail in delivery.letters_in_order(self.letters, wanted):
            try:
                template = letters.read_letter(detail)
                return template.code, letters.render(template, values)
            except letters.BadLetter as found:
                log.warning("a letter cannot be used: %s", found)
                problem = problem or found
        raise problem or letters.BadLetter("There is no letter “general”. Load the base pack.")

    def _visible(self, row: events.OutboxMessage, way: _Way) -> Mapping[str, Any]:
        """What the message knows; where it goes to a contractor, the home of somebody exempt from public records is kept back
        (F.S. 119.071(4)(d))."""
        detail = dict(row.detail)
        premise_id = detail.pop("premise", None)
        if (
            way.target is not None
            and way.target.contractor
            and isinstance(premise_id, int)
            and rows.exempt_at_premise(self.work.session, premise_id)
        ):
            kept_back = f"kept back by law; call {self.setting.phone}"
            detail |= {"place": kept_back, "instructions": kept_back}
        return detail

    def _facts(self, row: events.OutboxMessage, way: _Way, key: str, written: letters.Letter) -> dict[str, Any]:
        """The body of a webhook: ids, codes and the words; no name, number or address of a citizen beyond the place of work."""
        facts: dict[str, Any] = {
            "id": key,
            "kind": row.template,
            "written_at": core.utc_text(self.work.now),
            "subject": {"kind": row.subject_kind, "id": row.subject_id, "number": row.detail.get("number", "")},
            "title": delivery.plain_line(written.subject, 300),
            "text": delivery.plain_text(written.body),
        }
        if way.route == "text":
            return facts | {"to": f"+1{way.address}"}
        return facts | {"division": row.detail.get("division", ""), "detail": self._visible(row, way)}


def find_target(session: Session, unit: Any, on: dt.date) -> delivery.Target:
    """Where messages to a division go: its own target, else its department's, else the department's e-mail address."""
    for code in (unit.code, unit.department_code):
        row = directory_rows.reference_row(session, "delivery_target", code, on)
        if row is not None and not delivery.target_problems(code, row.detail):
            return delivery.target_of(code, row.detail, contractor=unit.contractor)
    return delivery.Target(unit.department_code, "email", unit.email, contractor=unit.contractor)


# --- handing over -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Taken:
    """A message under our lease."""

    message_id: int
    lease: str
    route: str
    attempts: int
    created_at: dt.datetime
    division: str
    envelope: handover.Envelope


class Hands:
    """What this installation can hand messages over to: its mail server, its receivers; read from the settings once a run."""

    def __init__(self, setting: Settings) -> None:
        self.setting = setting
        self.closed: set[str] = set()
        """Routes whose server did not let us in during this run."""
        self.mail: handover.Mail | None = None
        if setting.smtp_host and setting.smtp_from:
            self.mail = handover.Mail(
                handover.MailServer(
                    host=setting.smtp_host,
                    port=setting.smtp_port,
                    security=setting.smtp_security,
                    sender=setting.smtp_from,
                    sender_name=setting.city_name,
                    reply_to=setting.smtp_reply_to,
                    login=setting.smtp_login,
                    password=setting.smtp_password.get_secret_value(),
                    seconds=setting.smtp_seconds,
                    ca_file=setting.ca_file,
                )
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.mail is not None:
            self.mail.__exit__()

    def routes(self, session: Session, on: dt.date) -> list[str]:
        """Ways out that are set up and not found shut in this run; messages for others wait untouched."""
        found = views.open_routes(session, self.setting, on)
        return [route for route in found if route not in self.closed]

    def hand_over(self, taken: _Taken) -> Outcome:
        """Hands one message over; whatever goes wrong is an outcome, so that one message never stops the others."""
        try:
            if taken.route == "email":
                assert self.mail is not None
                return self.mail.hand_over(taken.envelope)
            return self._post(taken)
        except Exception as error:
            log.exception("message %s could not be handed over", taken.message_id)
            return Outcome("later", f"An error on our side: {type(error).__name__}. The log says more.")

    def _post(self, taken: _Taken) -> Outcome:
        """The receiver as its row says now, not as when the message was written: a corrected address helps what waits."""
        today = core.now().astimezone(self.setting.time_zone).date()
        with core.read() as session:
            if taken.route == "text":
                target = views.text_gateway(session, today)
            else:
                unit = directory_rows.unit(session, taken.division)
                target = None if unit is None else find_target(session, unit, today)
        if target is None or target.by != "webhook":
            return Outcome(
                "refused", "It was written for a webhook, and there is none any more. Try again to write it anew."
            )
        return handover.post(
            handover.Webhook(
                url=target.address,
                secret=delivery.webhook_secret(self.setting.webhook_key.get_secret_value(), target),
                reach=delivery.Reach(public=not self.setting.demo, networks=self.setting.own_networks),
                seconds=self.setting.smtp_seconds,
                ca_file=self.setting.ca_file,
            ),
            taken.envelope,
        )


def _retire(hands: Hands, most: int = 100) -> int:
    """Messages that could go out at last, but are old news by now, go to people instead; returns how many."""
    with core.work() as work:
        today = work.now.astimezone(hands.setting.time_zone).date()
        routes, patience = hands.routes(work.session, today), policy(work.session, today)
        if not routes:
            return 0
        found = rows.take_stale(work.session, work.now, routes, work.now - patience.stale_after, most)
        for row in found:
            row.delivery_state, row.reason = "failed", delivery.stale_words(patience, row.reason)
            row.version += 1
            _note(work, row, "failed")
        return len(found)


def _take(hands: Hands) -> _Taken | None:
    """The next message that is due, under a lease of ours; committed before anything is handed over."""
    with core.work() as work:
        today = work.now.astimezone(hands.setting.time_zone).date()
        routes = hands.routes(work.session, today)
        if not routes:
            return None
        lease = secrets.token_hex(12)
        row = rows.claim(work.session, work.now, routes, lease, work.now + policy(work.session, today).lease)
        if row is None:
            return None
        assert row.copy_id is not None
        copy = rows.message_copy(work.session, row.copy_id)
        assert copy is not None
        envelope = handover.Envelope(copy.handing_key, copy.address, copy.title, copy.body, copy.written_at)
        division = str(row.detail.get("division", ""))
        return _Taken(row.id, lease, row.route, row.attempts, row.created_at, division, envelope)


def _settle(taken: _Taken, outcome: Outcome) -> int:
    """Writes down what came of a try; 1 when the message has left. When the lease ran out meanwhile, somebody else has it."""
    with core.work() as work:
        rows.end_attempt(work.session, taken.lease, taken.message_id, work.now, outcome.kind, outcome.words)
        row = rows.leased(work.session, taken.message_id, taken.lease)
        if row is None:
            log.warning("message %s took longer than its lease; another worker has it", taken.message_id)
            return 0
        patience = policy(work.session, work.now.astimezone(settings.current().time_zone).date())
        step = delivery.after(patience, row.attempts, outcome, random.random())  # noqa: S311  # spreads tries, guards nothing
        if not step.counts:
            row.attempts -= 1
        row.delivery_state, row.lease = step.state, ""
        row.due_at = work.now + step.wait
        row.reason = delivery.plain_line(step.reason, 500)
        row.version += 1
        if step.state != "ready":
            _note(work, row, "sent" if step.state == "sent" else "failed")
        if step.state == "sent":
            row.delivered_at = work.now
            return 1
        return 0


def _note(work: Work, row: events.OutboxMessage, what: str) -> None:
    work.event(
        f"message.{what}",
        subject_kind="message",
        subject_id=row.id,
        person_id=row.recipient_id if row.recipient_kind == "person" else None,
        detail={"route": row.route, "template": row.template, "about": row.subject_kind, "id": row.subject_id},
    )


def webhook_secret(setting: Settings, code: str) -> str:
    """The secret to give to the receiver of a target, for the `portal` command; raises LookupError in a sentence."""
    key = setting.webhook_key.get_secret_value()
    if not key:
        raise LookupError("PORTAL_WEBHOOK_KEY is not set: set it to 32 or more random characters first.")
    with core.read() as session:
        today = core.now().astimezone(setting.time_zone).date()
        row = directory_rows.reference_row(session, "delivery_target", code, today)
    if row is None or row.detail.get("by") != "webhook":
        raise LookupError(f'There is no delivery_target “{code}” with by = "webhook".')
    return delivery.webhook_secret(key, delivery.target_of(code, row.detail))
