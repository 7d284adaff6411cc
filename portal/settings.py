"""Settings: everything that differs between two installations, read from the environment (`PORTAL_…`), in one table.

Nothing is read from a file in the current folder: a portal behaves the same wherever its command is started. A wrong
value is refused with one sentence that names the variable, and the command ends with exit code 2.
"""

from __future__ import annotations

import datetime as dt
import difflib
import ipaddress
import os
import re
import secrets
import ssl
import sys
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

PREFIX = "PORTAL_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
DATABASE_FILE = "portal.sqlite3"
AUDIT_KEY_FILE = "audit.key"


class BadSetting(ValueError):
    """A setting that cannot be used; `str()` is one sentence that names the variable and the remedy."""


class Settings(BaseSettings):
    """What one installation decides. Field order is the order of the README's table."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: str = Field(
        default="",
        description="Where the rows live: `sqlite:///FILE` for one desk, `postgresql://NAME:PASSWORD@HOST/DATABASE` for "
        "a city. Empty means `portal.sqlite3` in the data folder.",
    )
    host: str = Field(default="127.0.0.1", description="Address the server listens on.")
    port: int = Field(default=8501, ge=1, le=65535, description="Port the server listens on.")
    data_dir: Path = Field(
        default=Path("data"), description="Folder for the embedded database, uploads and the generated audit key."
    )

    packs: str = Field(
        default="base",
        description="Packs loaded into a fresh database, separated by commas; later ones override earlier ones.",
    )

    city_name: str = Field(default="City Services", max_length=60, description="Name shown on each page and print.")
    city_logo: Path | None = Field(default=None, description="SVG or PNG file shown above the menu. Empty: the name.")
    zone: str = Field(default="America/New_York", description="Time zone of the city, an IANA name.")
    phone: str = Field(default="(800) 555-0100", max_length=24, description="Number callers reach the desk on.")
    emergency_phone: str = Field(default="911", max_length=24, description="Police, fire and ambulance.")
    gas_emergency_phone: str = Field(
        default="(800) 555-0111", max_length=24, description="Transfer number for gas odor and gas leaks."
    )
    electric_emergency_phone: str = Field(
        default="(800) 555-0112", max_length=24, description="Transfer number for wires down and no power."
    )
    water_emergency_phone: str = Field(
        default="(800) 555-0113", max_length=24, description="Transfer number for main breaks and no water."
    )
    sewer_emergency_phone: str = Field(
        default="(800) 555-0114", max_length=24, description="Transfer number for sewer backups."
    )

    oidc_issuer: str = Field(
        default="",
        description="Issuer address of the identity provider; `/.well-known/openid-configuration` is read there.",
    )
    oidc_client_id: str = Field(default="", description="Client id the provider gave to the portal.")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="Client secret that goes with it.")
    oidc_redirect_uri: str = Field(
        default="",
        description="Address of the portal as the browser sees it, ending in `/oauth2callback`; `https` off loopback. "
        "Register it with the provider as redirect and as post-logout redirect.",
    )
    oidc_scope: str = Field(default="openid email profile", description="Scopes asked for; `openid` is needed.")
    oidc_prompt: str = Field(
        default="login", description="Prompt sent to the provider: `login` asks for the password at each sign-in."
    )
    cookie_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs the sign-in cookie: at least 32 random characters, the same after each restart. Needed with a provider.",
    )
    idle_minutes: int = Field(default=30, ge=1, le=480, description="A session ends after so many minutes without use.")
    absolute_hours: int = Field(default=10, ge=1, le=24, description="A session ends after so many hours, used or not.")

    smtp_host: str = Field(
        default="",
        description="Mail server that takes the portal's e-mail. Empty: e-mail waits, and the Deliveries page says so.",
    )
    smtp_port: int = Field(
        default=587, ge=1, le=65535, description="Its port: 587 for `starttls`, 465 for `tls` as a rule."
    )
    smtp_security: str = Field(
        default="starttls",
        description="`starttls` or `tls`; `none` is for a server on this machine only. Certificates are checked.",
    )
    smtp_login: str = Field(
        default="", description="Name the portal signs in with at the mail server. Empty: it does not."
    )
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password that goes with it.")
    smtp_from: str = Field(
        default="",
        description="Address e-mail comes from, at a domain whose mail the server may send. Needed with a server.",
    )
    smtp_reply_to: str = Field(default="", description="Address answers go to, if another.")
    smtp_seconds: int = Field(
        default=20,
        ge=1,
        le=50,
        description="How long to wait for each answer of a mail server or a webhook's receiver.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="PEM file of certificates trusted beside the system's, for a mail server or receiver of the city's own.",
    )
    webhook_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key from which each receiver's secret is made (`portal webhook-secret CODE`), at least 32 characters. "
        "Empty: messages for webhooks wait.",
    )
    webhook_networks: str = Field(
        default="",
        description="Private networks webhooks may reach, such as `10.20.0.0/16`, separated by commas. Empty: only the "
        "internet, by https.",
    )
    work_inside: bool = Field(
        default=True,
        description="Whether `portal run` also does the work behind the screen (deliveries, nightly work); `false` when "
        "`portal work` does it.",
    )

    audit_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key of the audit chain, at least 32 characters. Empty: made once and kept in the data folder "
        "(readable by the owner only). Several machines need the same one.",
    )
    demo: bool = Field(
        default=False, description="Sign in by choosing a person of the demo city, on loopback only; same as `--demo`."
    )
    as_of: dt.date | None = Field(default=None, description="Fixes today, for a demo city only: `YYYY-MM-DD`.")

    @field_validator("as_of", "city_logo", "ca_file", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value!r}; use an IANA name such as America/New_York") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database_is_known(cls, value: str) -> str:
        if value == "":
            return value
        backend, separator, rest = value.partition("://")
        if (
            not separator
            or backend.split("+")[0] not in ("sqlite", "postgresql")
            or (rest and backend == "sqlite" and rest[0] != "/")
        ):
            raise ValueError(
                "this is no database the portal knows; write sqlite:///FILE or postgresql://NAME:PASSWORD@HOST/DATABASE"
            )
        return value

    @field_validator("city_logo")
    @classmethod
    def _logo_is_a_picture(cls, value: Path | None) -> Path | None:
        if value is not None and (value.suffix.lower() not in (".svg", ".png") or not value.is_file()):
            raise ValueError(f"there is no SVG or PNG file {str(value)!r}")
        return value

    @field_validator("oidc_issuer", "oidc_redirect_uri")
    @classmethod
    def _address_is_absolute(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("this is no address; it starts with https:// (http:// on loopback only)")
        return value

    @field_validator("oidc_redirect_uri")
    @classmethod
    def _redirect_is_the_callback(cls, value: str) -> str:
        if value and not value.endswith("/oauth2callback"):
            raise ValueError("it must end in /oauth2callback, the path that answers the provider")
        return value

    @field_validator("oidc_scope")
    @classmethod
    def _scope_has_openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("it must contain openid, or the provider tells the portal nobody's identity")
        return value

    @field_validator("smtp_security")
    @classmethod
    def _security_is_known(cls, value: str) -> str:
        if value not in ("starttls", "tls", "none"):
            raise ValueError("it is starttls, tls or none")
        return value

    @field_validator("smtp_from", "smtp_reply_to")
    @classmethod
    def _sender_is_a_mailbox(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^\s@<>(),;:\"\\]+@[^\s@<>(),;:\"\\]+", value):
            raise ValueError("it is one e-mail address such as desk@city.example, without a name beside it")
        return value

    @field_validator("smtp_host")
    @classmethod
    def _host_is_a_name(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9.:_-]+", value):
            raise ValueError("it is the name or address of a mail server alone, such as mail.city.example")
        return value

    @field_validator("ca_file")
    @classmethod
    def _certificates_are_there(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                ssl.create_default_context().load_verify_locations(cafile=str(value))
            except OSError:  # missing, not readable, or no certificate in it (ssl.SSLError is one too)
                raise ValueError(f"there is no PEM file of certificates {str(value)!r}") from None
        return value

    @field_validator("webhook_networks")
    @classmethod
    def _networks_are_networks(cls, value: str) -> str:
        for part in filter(None, (each.strip() for each in value.split(","))):
            try:
                ipaddress.ip_network(part)
            except ValueError:
                raise ValueError(f"{part!r} is no network; write it as 10.20.0.0/16") from None
        return value

    @field_validator("audit_key", "webhook_key")
    @classmethod
    def _key_is_long(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 32:
            raise ValueError("it needs at least 32 characters, or to stay empty")
        return value

    # --- what follows from them ---

    @property
    def database_address(self) -> str:
        """The database's address, with the default filled in; relative SQLite paths stay relative to the current folder."""
        return self.database_url or f"sqlite:///{self.data_dir / DATABASE_FILE}"

    @property
    def database_path(self) -> Path | None:
        """The file of an embedded database; None on PostgreSQL."""
        backend, _, rest = self.database_address.partition("://")
        name = rest.partition("?")[0].removeprefix("/")
        if backend.split("+")[0] != "sqlite" or name in ("", ":memory:"):
            return None
        return Path(name)

    @property
    def time_zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.zone)

    @property
    def has_provider(self) -> bool:
        """Whether an identity provider is named (completely or not: start-up says what is missing)."""
        return bool(self.oidc_issuer or self.oidc_client_id or self.oidc_redirect_uri)

    @property
    def public_origin(self) -> str:
        """Scheme, host and port as the browser sees them."""
        if self.oidc_redirect_uri:
            parts = urlsplit(self.oidc_redirect_uri)
            return f"{parts.scheme}://{parts.netloc}"
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def is_https(self) -> bool:
        return self.public_origin.startswith("https://")

    @property
    def own_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The private networks webhooks may reach; in a demo this machine, and nothing else at all."""
        if self.demo:
            return (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
        return tuple(ipaddress.ip_network(part.strip()) for part in self.webhook_networks.split(",") if part.strip())

    def audit_key_bytes(self) -> bytes:
        """The key of the audit chain: the one that is set, else the one kept in the data folder, made at the first call."""
        if self.audit_key.get_secret_value():
            return self.audit_key.get_secret_value().encode()
        path = self.data_dir / AUDIT_KEY_FILE
        self.data_dir.mkdir(parents=True, exist_ok=True)
        # Written whole beside its place and then linked there: of two processes that start together one wins and both
        # read the same key, and none reads half of one.
        if not path.exists():
            fresh = path.with_name(f".{AUDIT_KEY_FILE}.{secrets.token_hex(8)}")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass  # the other process was first
            finally:
                fresh.unlink()
        key = path.read_text().strip().encode()
        if len(key) < 32:
            raise BadSetting(
                f"The audit key in {path} is damaged: put the file back from a backup, or set {PREFIX}AUDIT_KEY to the key."
            )
        return key


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine only."""
    return host.strip("[]").lower() in LOOPBACK or host.startswith("127.")


def load(**overrides: Any) -> Settings:
    """Reads the environment; `overrides` (from command-line options) win where they are not None.

    Raises BadSetting with all problems, one sentence each."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise BadSetting(" ".join(_sentence(problem) for problem in error.errors())) from None


def _sentence(problem: Any) -> str:
    name = PREFIX + str(problem["loc"][0]).upper() if problem["loc"] else PREFIX + "…"
    reason = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".")
    if problem["type"] == "value_error":
        return f"{name}: {reason}."
    if problem["type"].startswith(("int", "greater", "less")):
        return f"{name} should be {reason.replace('a valid integer, unable to parse string as an integer', 'a whole number')}."
    if problem["type"].startswith("date"):
        return f"{name} should be a date such as 2026-11-24."
    if problem["type"].startswith("bool"):
        return f"{name} should be true or false."
    return f"{name}: {reason}."


def load_or_exit(**overrides: Any) -> Settings:
    """`load()` for a command: a wrong value is one sentence on standard error and exit code 2; a misspelt name is a warning."""
    for warning in misspelt():
        print(f"portal: {warning}", file=sys.stderr)
    try:
        return load(**overrides)
    except BadSetting as error:
        print(f"portal: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def misspelt() -> list[str]:
    """Names in the environment that look like settings and are none: a typing mistake would otherwise stay silent."""
    known = [row.variable for row in settings_table()]
    warnings = []
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        nearest = difflib.get_close_matches(name, known, n=1)
        if nearest:
            warnings.append(f"{name} is not a setting and is ignored; {nearest[0]} is.")
    return warnings


@dataclass(frozen=True)
class SettingRow:
    """One line of the documented table."""

    variable: str
    default: str
    meaning: str


def settings_table() -> list[SettingRow]:
    """Every setting with its default and meaning, in order: the README's table is compared with this."""
    return [
        SettingRow(PREFIX + name.upper(), _default_text(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def settings_markdown() -> str:
    """The table as the README shows it."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for row in settings_table():
        default = f"`{row.default}`" if row.default else ""
        lines.append(f"| `{row.variable}` | {default} | {row.meaning} |")
    return "\n".join(lines)


def _default_text(field: FieldInfo) -> str:
    value = field.default
    if value is None or isinstance(value, SecretStr):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


_current: Settings | None = None


def use(settings: Settings | None) -> None:
    """Makes `settings` those of this process; None reads the environment again at the next call of `current()`."""
    global _current
    _current = settings


def current() -> Settings:
    """The settings of this process."""
    global _current
    if _current is None:
        _current = load()
    return _current
