"""The server: one ASGI application (`st.App` around the desk, plus our own routes) and one process that serves it.

`serve()` is what `portal run` calls. It refuses to start where staff or citizens would be put at risk, each time with a
sentence that says what to set; then it sets every Streamlit option itself (a config file in some folder decides nothing),
connects the database, and hands over to uvicorn: one process, Nagle's algorithm off, a graceful end.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import hashlib
import importlib
import ipaddress
import logging
import os
import pkgutil
import re
import socket
import sys
import threading
import time
import tomllib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import quote, unquote, urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from db import core
from portal import settings as settings_module
from portal import upkeep
from portal.desk.theme import theme_options
from portal.serving import AlreadyServed, hold
from portal.settings import PREFIX, BadSetting, Settings, is_loopback
from portal.workers import behind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import TextIO

    import streamlit as st
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("portal.server")

DESK: Final = Path(__file__).resolve().parent / "desk" / "entry.py"
UPLOAD_MEGABYTES: Final = 10
LARGEST_MESSAGE_BYTES: Final = 32 * 2**20  # what a browser may send in one piece: the widgets of a page, never a file
SHUTDOWN_SECONDS: Final = 5
NETWORK_FILESYSTEMS: Final = frozenset(
    ("9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "drvfs", "fuse.ceph", "fuse.davfs2", "fuse.glusterfs")
    + ("fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4")
    + ("ocfs2", "smb", "smb2", "smb3", "smbfs", "vboxsf", "webdav")
)


# --- Streamlit's options ----------------------------------------------------------------------------------------------


def streamlit_options(settings: Settings) -> dict[str, Any]:
    """Every option the desk depends on. They win over each config file and are the same wherever the command starts."""
    public = urlsplit(settings.public_origin)
    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": public.hostname or settings.host,
        "browser.serverPort": public.port or (443 if settings.is_https else 80),
        "client.allowedOrigins": [],
        "client.disableDataExport": True,  # the grid's own CSV would carry formulas: exports go through one writer
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "global.developmentMode": False,
        "logger.enableRich": False,  # errors are logged once, by `portal.desk.incident`
        "runner.fastReruns": True,
        "runner.magicEnabled": False,
        "runner.postScriptGC": False,  # 75 ms of each interaction; the lifespan freezes what never dies instead
        "secrets.files": [],
        "server.address": settings.host,
        "server.port": settings.port,
        "server.allowedHosts": allowed_hosts(settings),
        "server.corsAllowedOrigins": [settings.public_origin],
        "server.enableAgentApi": False,
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": UPLOAD_MEGABYTES,
        "server.runOnSave": False,
        "server.scriptHealthCheckEnabled": False,
        "server.showEmailPrompt": False,
        "server.trustedUserHeaders": "{}",  # identity comes from the provider, never from a header anybody can send
        "ui.hideTopBar": False,
        **theme_options(),
        **({"server.cookieSecret": secret} if (secret := settings.cookie_secret.get_secret_value()) else {}),
    }


def set_streamlit_options(settings: Settings) -> None:
    """Sets `streamlit_options` for this process, above all config files."""
    from streamlit import config

    # As flags of `streamlit run` would be set: they outlive a config file that is read again.
    config.get_config_options(force_reparse=True, options_from_flags=streamlit_options(settings))


def sign_in_secrets(settings: Settings) -> dict[str, Any]:
    """What `st.login` needs to know, from the environment; nothing in a demo."""
    if settings.demo or not settings.has_provider:
        return {}
    return {
        "auth": {
            "redirect_uri": settings.oidc_redirect_uri,
            "cookie_secret": settings.cookie_secret.get_secret_value(),
            "client_id": settings.oidc_client_id,
            "client_secret": settings.oidc_client_secret.get_secret_value(),
            "server_metadata_url": settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
            "client_kwargs": {
                "scope": settings.oidc_scope,
                "prompt": settings.oidc_prompt,
                "code_challenge_method": "S256",  # PKCE always, also where the provider does not announce it
            },
        }
    }


# --- headers ----------------------------------------------------------------------------------------------------------

WAY_BACK_COOKIE: Final = "portal_way_back"
HOST_PATTERN: Final = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(?::\d{1,5})?")

PERMISSIONS_POLICY: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media"),
        *("geolocation", "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment"),
        *(
            "picture-in-picture",
            "publickey-credentials-get",
            "screen-wake-lock",
            "serial",
            "usb",
            "xr-spatial-tracking",
        ),
    )
)


def inline_script_hashes() -> list[str]:
    """The hashes, as the content policy wants them, of the scripts that stand inside Streamlit's index page.

    Computed from the installed page, so an upgrade of Streamlit needs no change here."""
    from streamlit import file_util

    page = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts]


def content_policy(host: str, *, https: bool, script_hashes: list[str]) -> str:
    """The Content-Security-Policy of a page served to `host`: nothing runs, loads or connects elsewhere.

    Older browsers do not count WebSockets as 'self', so the own origin's is named."""
    sockets = f"wss://{host}" if https else f"ws://{host} wss://{host}"
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(script_hashes)}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            f"connect-src 'self' {sockets}",
            "font-src 'self' data:",
            "worker-src blob:",
            "manifest-src 'self'",
            "frame-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "object-src 'none'",
            "base-uri 'self'",
        )
    )


def allowed_hosts(settings: Settings) -> list[str]:
    """Host names under which the portal answers; any other is a page elsewhere that points its name at us."""
    names = {"localhost", "127.0.0.1", "::1", urlsplit(settings.public_origin).hostname or "", settings.host}
    return sorted(name for name in names if name and not is_unspecified(name))


def is_unspecified(host: str) -> bool:
    """Whether an address to listen on means "every address of this machine"."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


class Shield:
    """Middleware around everything: who may ask (host, origin), and the headers of each answer."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.hosts = frozenset(allowed_hosts(settings))
        self.origin = settings.public_origin
        self.https = settings.is_https
        self.script_hashes = inline_script_hashes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        path = scope["path"]
        # A balancer that watches the server asks by address, so the health page answers under any name.
        if path != "/health" and not self._is_own(host):
            await self._refuse(scope, receive, send, "This portal does not answer under this name.", 421)
            return
        # Streamlit would look up the machine's outside address to judge a foreign origin: refused here, before that.
        if scope["type"] == "websocket":
            if not self._same_origin(headers.get("origin"), host):
                await self._refuse(scope, receive, send, "", 403)
                return
            await self.app(scope, receive, send)
            return
        if path.startswith(("/_stcore/metrics", "/_stcore/agent")):
            await self._refuse(scope, receive, send, "Not found.", 404)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message), host, path)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _is_own(self, host: str) -> bool:
        if not HOST_PATTERN.fullmatch(host):
            return False
        return (urlsplit(f"//{host}").hostname or "").rstrip(".") in self.hosts

    def _same_origin(self, origin: str | None, host: str) -> bool:
        return origin is not None and (origin == self.origin or urlsplit(origin).netloc == host)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, words: str, code: int) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        response = PlainTextResponse(words, code)
        self._add_headers(response.headers, "invalid", scope["path"])
        await response(scope, receive, send)

    def _add_headers(self, headers: MutableHeaders, host: str, path: str) -> None:
        safe_host = host if HOST_PATTERN.fullmatch(host) else "invalid"
        headers["Content-Security-Policy"] = content_policy(
            safe_host, https=self.https, script_hashes=self.script_hashes
        )
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = PERMISSIONS_POLICY
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if not path.startswith("/static/"):
            headers["X-Robots-Tag"] = "noindex, nofollow"
        if path.startswith("/media/"):
            headers["Cache-Control"] = "private, no-store"  # prints and exports hold citizens' data
        if self.https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
            self._secure_cookies(headers)

    @staticmethod
    def _secure_cookies(headers: MutableHeaders) -> None:
        cookies = headers.getlist("set-cookie")
        if not cookies:
            return
        del headers["set-cookie"]
        for cookie in cookies:
            attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
            headers.append("set-cookie", cookie if "secure" in attributes else f"{cookie}; Secure")


class WayBack:
    """Middleware: after the provider, on to the page that was asked for; Streamlit itself always goes to the first one.

    The page stands in a cookie of its own for the minutes a sign-in takes."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        from portal.desk.demo_sign_in import safe_path

        self.app = app
        self.secure = settings.is_https
        self.safe_path = safe_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in ("/auth/login", "/oauth2callback"):
            await self.app(scope, receive, send)
            return
        request = Request(scope)

        async def send_with_the_way(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"] == "/auth/login":
                    came_from = urlsplit(request.headers.get("referer", ""))
                    if came_from.netloc == request.headers.get("host") and len(came_from.path + came_from.query) < 1000:
                        page = came_from.path + (f"?{came_from.query}" if came_from.query else "")
                        headers.append("set-cookie", self._cookie(quote(page, safe=""), 900))
                elif WAY_BACK_COOKIE in request.cookies:
                    if headers.get("location") == "/":
                        headers["location"] = self.safe_path(unquote(request.cookies[WAY_BACK_COOKIE]))
                    headers.append("set-cookie", self._cookie("", 0))
            await send(message)

        await self.app(scope, receive, send_with_the_way)

    def _cookie(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self.secure else ""
        return f"{WAY_BACK_COOKIE}={value}; HttpOnly; Max-Age={seconds}; Path=/oauth2callback; SameSite=lax{secure}"


# --- health -----------------------------------------------------------------------------------------------------------

HEALTH_SECONDS: Final = 1.0


class Health:
    """The health page: asked at most once a second of the database, however often it is called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._answer: tuple[int, dict[str, str]] = (503, {})

    def answer(self) -> tuple[int, dict[str, str]]:
        """Status code and answer: 200 when the database is reachable, writable and of this program's schema."""
        with self._lock:
            if time.monotonic() - self._asked_at >= HEALTH_SECONDS:
                self._answer = self._ask()
                self._asked_at = time.monotonic()
            return self._answer

    @staticmethod
    def _ask() -> tuple[int, dict[str, str]]:
        try:
            health = core.database().check_health()
        except Exception:
            log.exception("the database does not answer")
            health = {"reachable": False}
        # Facts only: an error text could name the database's host or user to anybody who asks.
        facts = {
            name: "yes" if health.get(name) is True else "no"
            for name in ("reachable", "writable", "migrations_current")
        }
        well = all(value == "yes" for value in facts.values())
        return (200 if well else 503), {"status": "ok" if well else "unavailable"} | facts

    async def respond(self, _request: Request) -> Response:
        code, answer = await run_in_threadpool(self.answer)
        return JSONResponse(answer, code, headers={"Cache-Control": "no-store"})


# --- the application --------------------------------------------------------------------------------------------------


def warm_up() -> None:
    """Imports what each first visitor would otherwise wait for, then tells the garbage collector to leave it alone.

    Without the freeze a full collection after each script run walks all of it: most of the cost of an interaction."""
    for name in ("pandas", "plotly.graph_objects", "plotly.io", "sqlalchemy.orm", "streamlit.elements.plotly_chart"):
        importlib.import_module(name)
    import portal

    for module in pkgutil.walk_packages(portal.__path__, "portal.", onerror=lambda _name: None):
        # The command line and the maker of demo cities are no part of the desk.
        if module.name.startswith(("portal.__main__", "portal.demo_city", "portal.server")):
            continue
        try:
            importlib.import_module(module.name)
        except Exception:  # the pages of the other rooms still serve the callers who are waiting
            log.exception("%s cannot be imported; pages that need it will fail", module.name)
    import plotly.graph_objects as go

    go.Figure(go.Scatter(x=[0, 1], y=[0, 1])).to_json()
    database = core.database()
    with contextlib.ExitStack() as held:
        for _ in range(4):  # so many connections stand open before anybody asks
            held.enter_context(database.read_engine.connect())
    gc.collect()
    gc.freeze()


def build_app(settings: Settings) -> st.App:
    """The whole application for any ASGI server; the database must be connected (`db.core.connect`)."""
    set_streamlit_options(settings)
    import streamlit as st

    from portal.desk import demo_sign_in, incident

    settings_module.use(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncGenerator[dict[str, Any] | None]:
        await run_in_threadpool(warm_up)
        working = behind() if settings.work_inside else None
        if working is not None:
            working.start()
        yield {}
        if working is not None:
            await run_in_threadpool(working.stop)
        core.database().dispose()

    routes = [Route("/health", Health().respond, methods=["GET"])]
    middleware = [Middleware(Shield, settings=settings)]
    if settings.demo:
        routes += demo_sign_in.routes(settings)
        middleware.append(Middleware(demo_sign_in.Doorman, settings=settings))
    else:
        middleware.append(Middleware(WayBack, settings=settings))
    return st.App(
        DESK,
        secrets=sign_in_secrets(settings),
        lifespan=lifespan,
        routes=routes,
        middleware=middleware,
        on_script_error=incident.show,
    )


# --- start-up ---------------------------------------------------------------------------------------------------------


def refusals(settings: Settings) -> list[str]:
    """Reasons not to start, each a sentence that says what to set; empty when all is well. Touches no database."""
    found = _sign_in_refusals(settings) + mail_refusals(settings)
    off_in = _xsrf_off_in()
    if off_in:
        found.append(
            f"Protection against forged requests is off in {off_in}: remove the line server.enableXsrfProtection."
        )
    path = settings.database_path
    if path is not None:
        filesystem = filesystem_of(path)
        if filesystem in NETWORK_FILESYSTEMS:
            found.append(
                f"The database file {path} is on a network file system ({filesystem}), where SQLite loses data: set "
                f"{PREFIX}DATA_DIR to a folder of a local disk, or {PREFIX}DATABASE_URL to a PostgreSQL database."
            )
    elif settings.database_address.startswith("sqlite"):
        found.append(f"A database in memory is gone with the process: set {PREFIX}DATABASE_URL to sqlite:///FILE.")
    workers = os.environ.get("WEB_CONCURRENCY", "1")
    if workers not in ("", "1"):
        found.append(
            f"WEB_CONCURRENCY is {workers}, but one portal is one process (uploads and open pages live in it): unset it, and "
            "for more load start several portals on PostgreSQL behind a proxy that keeps each browser at one of them."
        )
    return found


def _sign_in_refusals(settings: Settings) -> list[str]:
    if settings.demo:
        if not is_loopback(settings.host):
            return [
                (
                    f"The demo sign-in asks for no password, so it serves this machine only: leave {PREFIX}HOST at 127.0.0.1 "
                    f"(it is {settings.host}), or sign in with an identity provider ({PREFIX}OIDC_ISSUER …) instead of --demo."
                )
            ]
        if settings.has_provider:
            return [
                (
                    "Both the demo sign-in and an identity provider are asked for: leave out --demo, or unset the "
                    f"{PREFIX}OIDC_ variables."
                )
            ]
        return []
    if not settings.has_provider:
        return [
            (
                "Nobody could sign in: start with --demo to try the portal on this machine, or name your identity provider in "
                f"{PREFIX}OIDC_ISSUER, {PREFIX}OIDC_CLIENT_ID, {PREFIX}OIDC_CLIENT_SECRET and {PREFIX}OIDC_REDIRECT_URI, with "
                f"{PREFIX}COOKIE_SECRET."
            )
        ]
    found = []
    missing = [
        f"{PREFIX}{name.upper()}"
        for name in ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_redirect_uri")
        if not _plain(getattr(settings, name))
    ]
    if missing:
        found.append(f"The identity provider is named only in part: set {', '.join(missing)} too.")
    secret = settings.cookie_secret.get_secret_value()
    if len(secret) < 32 or len(set(secret)) < 8:
        found.append(
            f"{PREFIX}COOKIE_SECRET is {'missing' if not secret else 'too weak'}: set it to 32 or more random characters, for "
            "example the output of: python3 -c 'import secrets; print(secrets.token_hex(32))'"
        )
    for name in ("oidc_redirect_uri", "oidc_issuer"):
        address = urlsplit(getattr(settings, name))
        if address.scheme == "http" and not is_loopback(address.hostname or ""):
            found.append(
                f"{PREFIX}{name.upper()} is plain http, so sign-ins could be read on the way: use an https:// address "
                "(http:// is for this machine only)."
            )
    return found


def mail_refusals(settings: Settings) -> list[str]:
    """Reasons not to send e-mail as the settings say, each a sentence; a portal that would lose or leak it does not start."""
    here = is_loopback(settings.smtp_host)
    if not settings.smtp_host:
        if settings.smtp_from or settings.smtp_login:
            return [
                f"The mail server is named only in part: set {PREFIX}SMTP_HOST too, or unset the other {PREFIX}SMTP_ variables."
            ]
        return []
    found = []
    if settings.demo and not here:
        found.append(
            f"This is a demo, and {PREFIX}SMTP_HOST is {settings.smtp_host}: made-up people must not get real mail. Unset it, or "
            "name a mail server on this machine."
        )
    if not settings.smtp_from:
        found.append(
            f"{PREFIX}SMTP_FROM is missing: set it to the address e-mail comes from, such as desk@city.example."
        )
    if settings.smtp_security == "none" and not here:
        found.append(
            f"{PREFIX}SMTP_SECURITY is none, so citizens' letters could be read on the way to {settings.smtp_host}: set it to "
            "starttls or tls (none is for a mail server on this machine)."
        )
    if bool(settings.smtp_login) != bool(settings.smtp_password.get_secret_value()):
        found.append(
            f"The sign-in at the mail server is named only in part: set both {PREFIX}SMTP_LOGIN and {PREFIX}SMTP_PASSWORD, or "
            "neither."
        )
    return found


def _plain(value: Any) -> str:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)


def _xsrf_off_in() -> Path | None:
    """The config file that asks for forged-request protection to be off, if one does.

    The option is set in code anyway; whoever wrote that line believes otherwise and should know."""
    from streamlit import config

    for name in config.get_config_files("config.toml"):
        with contextlib.suppress(OSError, tomllib.TOMLDecodeError):
            server = tomllib.loads(Path(name).read_text(encoding="utf-8")).get("server", {})
            if isinstance(server, dict) and server.get("enableXsrfProtection") is False:
                return Path(name)
    return None


def filesystem_of(path: Path, mounts: str | None = None) -> str:
    """Kind of the file system that holds `path` (or would), such as `ext4`; "" where the system does not tell.

    `mounts` stands for /proc/self/mountinfo in tests."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        except OSError:
            return ""
    target = path.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        # Spaces in a mount point are written as \040.
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        if target.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split(" ")[0]
    return kind


def port_is_taken(host: str, port: int) -> bool:
    """Whether another program listens there; found out before anything is opened, so the sentence can be a plain one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _refuse(*sentences: str) -> NoReturn:
    for sentence in sentences:
        print(f"portal: {sentence}", file=sys.stderr)
    raise SystemExit(2)


def serve(settings: Settings, demo: bool = False) -> None:
    """Serves the portal until it is stopped; refuses (exit code 2) with a sentence for each thing that must be set first."""
    if demo and not settings.demo:
        settings = settings.model_copy(update={"demo": True})
    found = refusals(settings)
    if found:
        _refuse(*found)
    if port_is_taken(settings.host, settings.port):
        _refuse(f"Port {settings.port} on {settings.host} is taken by another program: stop it, or set {PREFIX}PORT.")
    lock: TextIO | None = None
    if settings.database_path is not None:
        try:
            lock = hold(settings.database_path)
        except AlreadyServed as error:
            _refuse(str(error))
    core.live_as_of(settings.as_of if settings.demo else None)
    try:
        database = upkeep.connect(settings)
        problem = upkeep.schema_problem()
    except BadSetting as error:
        _refuse(str(error))
    except SQLAlchemyError as error:
        log.debug("the database does not answer", exc_info=error)
        _refuse(f"The database does not answer: start it, or correct {PREFIX}DATABASE_URL.")
    if problem:
        _refuse(problem)

    import uvicorn

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Authlib speaks through httpx and announces another client to come; nothing an operator can act on.
    warnings.filterwarnings("ignore", message="The httpx module is deprecated")
    config = uvicorn.Config(
        build_app(settings),
        host=settings.host,
        port=settings.port,
        workers=1,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE_BYTES,
        ws_ping_interval=30,
        ws_ping_timeout=30,
        ws_per_message_deflate=False,
        access_log=False,  # addresses of pages name customers
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        log_config=None,
        log_level="warning",
    )
    server = uvicorn.Server(config)
    announce(settings)
    try:
        server.run()
    except KeyboardInterrupt:
        pass  # the way to stop it; everything has been closed in order by now
    finally:
        database.dispose()
        if lock is not None:
            lock.close()
    if not server.started:
        raise SystemExit(3)


def announce(settings: Settings) -> None:
    """One line on standard output: where the portal is, and how one signs in."""
    where = (
        settings.public_origin
        if settings.oidc_redirect_uri or not is_unspecified(settings.host)
        else f"http://localhost:{settings.port}"
    )
    how = "demo sign-in: choose a person" if settings.demo else f"sign-in through {settings.oidc_issuer}"
    print(f"The portal is at {where} ({how}). Stop it with Ctrl+C.", flush=True)
