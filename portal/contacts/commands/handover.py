"""Handing one message over: e-mail by SMTP, webhooks by HTTP. Says what came of it and never raises for what the other
side did; knows no rows.

Plain blocking calls from the standard library: they run in the background thread of one desk and in the threads of a worker
alike, and each try ends within `HANDING_SECONDS`, whatever the other side does, which is less than the lease of its message.
"""

from __future__ import annotations

import contextlib
import email.policy
import email.utils
import http.client
import smtplib
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from portal.contacts.rules import delivery
from portal.contacts.rules.delivery import Outcome

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Generator, Mapping
    from pathlib import Path

HANDING_SECONDS: Final = 60.0
ANSWER_MOST: Final = 4_096
"""How much of a receiver's answer is read: a reason fits in, a flood does not."""


@dataclass(frozen=True)
class MailServer:
    """The mail server of the settings."""

    host: str
    port: int
    security: str
    """starttls, tls, none."""
    sender: str
    sender_name: str
    reply_to: str = ""
    login: str = ""
    password: str = ""
    seconds: float = 20.0
    ca_file: Path | None = None


@dataclass(frozen=True)
class Envelope:
    """What is handed over: the copy that is kept, word for word."""

    key: str
    """The Message-ID or the idempotency key."""
    address: str
    title: str
    body: str
    written_at: dt.datetime


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are checked, always; `ca_file` adds the city's own authority to the system's."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


@contextlib.contextmanager
def _within(seconds: float, connection: Any) -> Generator[None]:
    """Cuts a connection off after `seconds`: a time limit of each read alone can be stretched for ever, a byte at a time."""

    def cut() -> None:
        opened = getattr(connection, "sock", None)
        if opened is not None:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


# --- e-mail -----------------------------------------------------------------------------------------------------------


def email_of(server: MailServer, envelope: Envelope) -> EmailMessage:
    """The e-mail as it goes out: plain text, one recipient; no header can be made of what people typed."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["Message-ID"] = envelope.key
    message["Date"] = email.utils.format_datetime(envelope.written_at)
    message["From"] = _mailbox(server.sender, server.sender_name)
    message["To"] = _mailbox(envelope.address)
    if server.reply_to:
        message["Reply-To"] = _mailbox(server.reply_to)
    message["Subject"] = delivery.plain_line(envelope.title)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, no loops
    message.set_content(envelope.body, subtype="plain", charset="utf-8")
    return message


def _mailbox(address: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    return Address(delivery.plain_line(name), local, domain)


class Mail:
    """A connection to the mail server, opened at the first message and kept for the next ones."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._drop()

    def hand_over(self, envelope: Envelope) -> Outcome:
        """Hands one e-mail over. `no_server` means that nothing was said about this message: the server could not be reached,
        or does not let us in."""
        if not delivery.is_mailbox(envelope.address):
            return Outcome("refused", f"“{envelope.address[:80]}” is not one e-mail address.")
        try:
            smtp = self._open()
        except smtplib.SMTPAuthenticationError as error:
            self._drop()
            return Outcome("no_server", f"The mail server does not take our sign-in ({error.smtp_code}).")
        except smtplib.SMTPNotSupportedError:
            self._drop()
            return Outcome(
                "no_server", "The mail server does not offer what the settings ask for (STARTTLS or a sign-in)."
            )
        except ssl.SSLCertVerificationError:
            self._drop()
            return Outcome("no_server", "The mail server's certificate is not trusted, or not for its name.")
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Outcome("no_server", f"The mail server cannot be reached: {delivery.plain_line(str(error), 200)}")
        try:
            with _within(HANDING_SECONDS, smtp):
                return self._send(smtp, envelope)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            # Perhaps it has taken the message and we missed the answer: the next try carries the same Message-ID.
            self._drop()
            return Outcome("later", f"The connection broke: {delivery.plain_line(str(error), 200)}")

    def _send(self, smtp: smtplib.SMTP, envelope: Envelope) -> Outcome:
        options = []
        policy = email.policy.SMTP
        if not envelope.address.isascii() or not self.server.sender.isascii():
            if not smtp.has_extn("smtputf8"):
                return Outcome("refused", "The mail server cannot write to an address with such letters.")
            policy, options = email.policy.SMTPUTF8, ["SMTPUTF8", "BODY=8BITMIME"]
        raw = email_of(self.server, envelope).as_bytes(policy=policy)
        try:
            smtp.sendmail(self.server.sender, [envelope.address], raw, mail_options=options)
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code == 552:  # told the size with the sender, it finds this one message too large
                return self._answered(error.smtp_code, error.smtp_error)
            self._drop()
            return Outcome(
                "no_server", f"The mail server does not take mail from {self.server.sender} ({error.smtp_code})."
            )
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            return self._answered(code, answer)
        except smtplib.SMTPResponseException as error:
            return self._answered(error.smtp_code, error.smtp_error)
        return Outcome("sent", "The mail server has taken it.")

    def _answered(self, code: int, answer: bytes | str) -> Outcome:
        if code in (-1, 421):
            self._drop()  # it is closing the connection
        text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
        return delivery.smtp_outcome(code if code > 0 else 421, text)

    def _open(self) -> smtplib.SMTP:
        if self._smtp is not None:
            # It may have been closed while nothing was to do: asked first, so that no message pays for it with a try.
            try:
                if self._smtp.noop()[0] == 250:
                    return self._smtp
            except (OSError, smtplib.SMTPException):
                pass
            self._drop()
        server = self.server
        options: dict[str, Any] = {"timeout": server.seconds, "local_hostname": _own_name(server)}
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, context=tls_context(server.ca_file), **options
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, **options)
        self._smtp = smtp
        with _within(HANDING_SECONDS, smtp):
            smtp.ehlo_or_helo_if_needed()
            if server.security == "starttls":
                smtp.starttls(context=tls_context(server.ca_file))
                smtp.ehlo_or_helo_if_needed()
            if server.login:
                smtp.login(server.login, server.password)
        return smtp

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _own_name(server: MailServer) -> str:
    """What we greet with: the sender's domain. Asking the system for this machine's full name can take seconds."""
    return server.sender.rpartition("@")[2].encode("idna").decode() or "localhost"


# --- webhooks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Webhook:
    """One receiver, its secret, and where webhooks may go at all."""

    url: str
    secret: str
    reach: delivery.Reach
    seconds: float = 20.0
    ca_file: Path | None = None


def post(webhook: Webhook, envelope: Envelope) -> Outcome:
    """Hands one message to a webhook: a signed POST of its JSON, to an address that was looked at before it was asked."""
    parts = urlsplit(webhook.url)
    if problems := delivery.url_problems("The receiver", webhook.url):
        return Outcome("refused", problems[0].message)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        return Outcome("later", f"The name {host} cannot be looked up: {delivery.plain_line(str(error), 120)}")
    if problem := delivery.reach_problem(webhook.reach, parts.scheme, addresses):
        return Outcome("refused", problem)
    connection = _Pinned(host, port, addresses[0], webhook, https=parts.scheme == "https")
    try:
        with _within(HANDING_SECONDS, connection):
            body = envelope.body.encode()
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, _headers(webhook, envelope, body))
            answer = connection.getresponse()
            said = answer.read(ANSWER_MOST).decode(errors="replace")
            return delivery.http_outcome(answer.status, said, answer.headers.get("Retry-After", ""))
    except ssl.SSLCertVerificationError:
        return Outcome("later", "The receiver's certificate is not trusted, or not for its name.")
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Perhaps it has taken the message and we missed the answer: the next try carries the same key.
        words = delivery.plain_line(str(error), 160) or type(error).__name__
        return Outcome("later", f"The receiver could not be reached, or its answer broke off: {words}")
    finally:
        connection.close()


def _headers(webhook: Webhook, envelope: Envelope, body: bytes) -> Mapping[str, str]:
    timestamp = int(
        time.time()
    )  # the receiver compares it with the clock on its wall, so ours is not shifted by a demo
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "citizen-services-portal",
        "Idempotency-Key": envelope.key,
        "Webhook-Id": envelope.key,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": delivery.signature(webhook.secret, envelope.key, timestamp, body),
    }


class _Pinned(http.client.HTTPConnection):
    """A connection to the very address that was looked at: a second look-up could answer with another."""

    def __init__(self, host: str, port: int, address: str, webhook: Webhook, *, https: bool) -> None:
        super().__init__(host, port, timeout=webhook.seconds)
        self._address = address
        self._context = tls_context(webhook.ca_file) if https else None

    def connect(self) -> None:
        opened = socket.create_connection((self._address, self.port), self.timeout)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = opened  # known from here on, so that a handshake that hangs is cut off too
        if self._context is not None:
            self.sock = self._context.wrap_socket(opened, server_hostname=self.host)
