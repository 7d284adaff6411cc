"""The other side of a delivery, for tests: a real mail server and a real HTTP receiver that remember what they took.

Both can be told what to answer: a list of answers is used up one per message, then everything is taken.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email
import email.policy
import ipaddress
import json
import ssl
import threading
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Generator
    from email.message import EmailMessage
    from pathlib import Path


@dataclass
class MailBox:
    """What a mail server took, and how it is to behave."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """Said to the end of the next messages instead of taking them, such as `451 later`; `250` takes one."""
    to_recipients: list[str] = field(default_factory=list)
    """Said to RCPT TO."""
    wait: float = 0.0
    """Seconds between the end of a message and the answer."""
    signed_in: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def keys(self) -> Counter[str]:
        return Counter(message["Message-ID"] for message in self.taken)

    # --- what aiosmtpd calls, by names of its own ---

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.to_recipients:
            return self.to_recipients.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("250"):
                return answer
        self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.recipients.append(*envelope.rcpt_tos)
        self.encrypted.append(session.ssl is not None or bool(server.transport.get_extra_info("sslcontext")))
        self.arrived.set()
        if self.wait:
            import asyncio

            await asyncio.sleep(self.wait)
        return "250 taken"


@contextlib.contextmanager
def mail_server(
    box: MailBox | None = None,
    *,
    security: str = "none",
    login: tuple[str, str] | None = None,
    folder: Path | None = None,
) -> Generator[MailBox]:
    """A mail server on loopback that fills `box`. `security` is none, starttls or tls (certificate in `folder`/ca.pem)."""
    box = MailBox() if box is None else box
    context = None
    if security != "none":
        assert folder is not None
        context = certificate(folder)

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        box.signed_in.append(given.login.decode())
        return AuthResult(success=(given.login.decode(), given.password.decode()) == login, handled=False)

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=_free_port(),
        ssl_context=context if security == "tls" else None,
        tls_context=context if security == "starttls" else None,
        require_starttls=security == "starttls",
        authenticator=check if login else None,
        auth_required=login is not None,
        auth_require_tls=security == "starttls",
        enable_SMTPUTF8=True,
        data_size_limit=1_000_000,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a server for tests takes a password without TLS is meant
        controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


def _free_port() -> int:
    from tests.running import free_port

    return free_port()


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 and localhost, its own authority; `folder`/ca.pem is what a client must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=400))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


@dataclass
class Posted:
    """One request a receiver got."""

    key: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What a webhook's receiver got, and how it is to behave."""

    url: str = ""
    got: list[Posted] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    """(code, headers, body) for the next requests."""
    wait: float = 0.0
    drip: bool = False
    """Answers a byte a second, for ever."""
    arrived: threading.Event = field(default_factory=threading.Event)

    def keys(self) -> Counter[str]:
        return Counter(posted.key for posted in self.got)


@contextlib.contextmanager
def receiver(*, tls: ssl.SSLContext | None = None) -> Generator[Receiver]:
    """An HTTP receiver on loopback."""
    box = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = box.answers.pop(0) if box.answers else (200, {}, "taken")
            box.got.append(Posted(self.headers["Idempotency-Key"], dict(self.headers.items()), body))
            box.arrived.set()
            if box.wait:
                time.sleep(box.wait)
            if box.drip:
                with contextlib.suppress(OSError):
                    for _ in range(600):
                        self.wfile.write(b"X")
                        self.wfile.flush()
                        time.sleep(0.1)
                return
            code, headers, text = answer
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:  # the name it has there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    box.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}/portal"
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
