"""The server: what it refuses to start with, the headers of each answer, the health page, one server per database file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from db import core
from portal import server, settings
from portal.desk.theme import DARK, DARK_SIDEBAR, LIGHT, LIGHT_SIDEBAR, theme_options
from tests import running

if TYPE_CHECKING:
    from starlette.requests import Request

ROOT = Path(__file__).resolve().parent.parent
PROVIDER = {
    "oidc_issuer": "https://login.example.org",
    "oidc_client_id": "portal",
    "oidc_client_secret": "of the provider",
    "oidc_redirect_uri": "https://portal.example.org/oauth2callback",
    "cookie_secret": "4f1c9a7be2d0835c6f9e1a2b3c4d5e6f",
}


MAIL = {"smtp_host": "mail.city.example", "smtp_from": "desk@city.example"}


@pytest.fixture(autouse=True)
def _no_settings_of_the_tester(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for row in settings.settings_table():
        monkeypatch.delenv(row.variable, raising=False)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORTAL_PORT", "eighty", "PORTAL_PORT should be a whole number."),
        ("PORTAL_PORT", "0", "PORTAL_PORT should be greater than or equal to 1."),
        ("PORTAL_PORT", "", "PORTAL_PORT should be a whole number."),
        ("PORTAL_DEMO", "maybe", "PORTAL_DEMO should be true or false."),
        ("PORTAL_AS_OF", "11/24/2026", "PORTAL_AS_OF should be a date such as 2026-11-24."),
        ("PORTAL_ZONE", "Mars/Olympus", "no time zone 'Mars/Olympus'"),
        ("PORTAL_ZONE", "../../etc/passwd", "no time zone"),
        ("PORTAL_DATABASE_URL", "mysql://somewhere/city", "sqlite:///FILE or postgresql://"),
        ("PORTAL_DATABASE_URL", "portal.db", "sqlite:///FILE or postgresql://"),
        ("PORTAL_CITY_LOGO", "/nowhere/logo.svg", "PORTAL_CITY_LOGO"),
        ("PORTAL_OIDC_REDIRECT_URI", "https://portal.example.org/", "/oauth2callback"),
        ("PORTAL_OIDC_ISSUER", "login.example.org", "https://"),
        ("PORTAL_OIDC_SCOPE", "email", "openid"),
        ("PORTAL_AUDIT_KEY", "short", "32 characters"),
        ("PORTAL_IDLE_MINUTES", "100000", "PORTAL_IDLE_MINUTES"),
        ("PORTAL_SMTP_SECURITY", "ssl", "starttls, tls or none"),
        ("PORTAL_SMTP_FROM", "City <desk@city.example>", "desk@city.example"),
        ("PORTAL_SMTP_HOST", "mail.city.example/", "mail.city.example"),
        ("PORTAL_WEBHOOK_KEY", "short", "32 characters"),
        ("PORTAL_WEBHOOK_NETWORKS", "10.20.0.0/16, inside", "no network"),
        ("PORTAL_CA_FILE", "/nowhere/ca.pem", "PEM file"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        settings.load_or_exit()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert variable in said
    assert sentence in said
    assert said.count("\n") == 1


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORTAL_AUDIT_KEY", "hunter2")
    with pytest.raises(SystemExit):
        settings.load_or_exit()
    assert "hunter2" not in capsys.readouterr().err


def test_a_misspelt_name_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORTAL_PROT", "8600")
    assert settings.load_or_exit().port == 8501
    assert "PORTAL_PROT is not a setting and is ignored; PORTAL_PORT is." in capsys.readouterr().err


def test_no_secret_stands_in_the_text_of_the_settings() -> None:
    shown = repr(settings.load(**PROVIDER))
    assert PROVIDER["cookie_secret"] not in shown
    assert PROVIDER["oidc_client_secret"] not in shown


def test_the_audit_key_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    setting = settings.load(data_dir=tmp_path / "new")
    key = setting.audit_key_bytes()
    assert len(key) == 64
    assert settings.load(data_dir=tmp_path / "new").audit_key_bytes() == key
    assert (tmp_path / "new" / settings.AUDIT_KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_damaged_audit_key_is_refused_not_replaced(tmp_path: Path) -> None:
    (tmp_path / settings.AUDIT_KEY_FILE).write_text("cut o")
    with pytest.raises(settings.BadSetting, match="backup"):
        settings.load(data_dir=tmp_path).audit_key_bytes()


def test_readme_lists_every_setting() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [row.variable for row in settings.settings_table() if f"| `{row.variable}` |" not in readme]
    assert not missing, (
        "python -c 'from portal.settings import settings_markdown; print(settings_markdown())' has the table"
    )


# --- what it refuses to start with ------------------------------------------------------------------------------------


def _refusals(**values: Any) -> str:
    return " ".join(server.refusals(settings.load(**values)))


def test_a_complete_provider_starts() -> None:
    assert _refusals(**PROVIDER) == ""


def test_the_demo_starts_on_loopback() -> None:
    assert _refusals(demo=True) == ""
    assert _refusals(demo=True, **MAIL | {"smtp_host": "127.0.0.1", "smtp_security": "none"}) == ""
    assert _refusals(**PROVIDER, **MAIL) == ""
    assert _refusals(demo=True, host="::1") == ""


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "--demo"),
        ({}, "PORTAL_OIDC_ISSUER"),
        ({"demo": True, "host": "::"}, "PORTAL_HOST at 127.0.0.1"),
        ({"demo": True, "host": "192.168.1.20"}, "this machine only"),
        ({**PROVIDER, "demo": True}, "leave out --demo"),
        ({**PROVIDER, "cookie_secret": "short"}, "PORTAL_COOKIE_SECRET is too weak"),
        ({**PROVIDER, "cookie_secret": "a" * 64}, "PORTAL_COOKIE_SECRET is too weak"),
        ({**PROVIDER, "cookie_secret": ""}, "PORTAL_COOKIE_SECRET is missing"),
        ({**PROVIDER, "oidc_redirect_uri": "http://portal.example.org/oauth2callback"}, "plain http"),
        ({**PROVIDER, "oidc_issuer": "http://login.example.org"}, "PORTAL_OIDC_ISSUER is plain http"),
        ({**PROVIDER, "oidc_client_secret": ""}, "set PORTAL_OIDC_CLIENT_SECRET too"),
        ({"oidc_issuer": "https://login.example.org"}, "PORTAL_OIDC_CLIENT_ID, PORTAL_OIDC_CLIENT_SECRET"),
        ({"demo": True, "database_url": "sqlite://"}, "in memory"),
        ({**PROVIDER, "smtp_host": "mail.city.example"}, "PORTAL_SMTP_FROM is missing"),
        ({**PROVIDER, "smtp_from": "desk@city.example"}, "set PORTAL_SMTP_HOST too"),
        ({**PROVIDER, **MAIL, "smtp_security": "none"}, "PORTAL_SMTP_SECURITY is none"),
        ({**PROVIDER, **MAIL, "smtp_login": "desk"}, "both PORTAL_SMTP_LOGIN and PORTAL_SMTP_PASSWORD"),
        ({"demo": True, **MAIL}, "made-up people must not get real mail"),
    ],
)
def test_unsafe_starts_are_refused_with_what_to_set(values: dict[str, Any], sentence: str) -> None:
    assert sentence in _refusals(**values)


def test_plain_http_is_fine_on_this_machine() -> None:
    assert _refusals(**PROVIDER | {"oidc_redirect_uri": "http://localhost:8501/oauth2callback"}) == ""


def test_a_config_file_with_forged_request_protection_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text("[server]\nenableXsrfProtection = false\n")
    assert "enableXsrfProtection" in _refusals(demo=True)


def test_several_workers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    assert "one process" in _refusals(demo=True)


MOUNTS = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:40 / /srv/city\040files rw,relatime shared:1 - nfs4 server:/city rw
24 22 0:41 / /srv rw,relatime - xfs /dev/vdb rw
25 23 0:42 / /srv/city\040files/local rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "filesystem"),
    [
        ("/var/lib/portal/portal.sqlite3", "ext4"),
        ("/srv/portal.sqlite3", "xfs"),
        ("/srv/city files/portal.sqlite3", "nfs4"),
        ("/srv/city files/local/portal.sqlite3", "tmpfs"),
        ("/srv/city filesystem/portal.sqlite3", "xfs"),
    ],
)
def test_the_file_system_of_a_file_is_found(path: str, filesystem: str) -> None:
    assert server.filesystem_of(Path(path), MOUNTS) == filesystem


def test_a_network_file_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "filesystem_of", lambda path: "nfs4")
    assert "network file system (nfs4)" in _refusals(demo=True)
    assert _refusals(demo=True, database_url="postgresql://city@db/portal") == ""


def test_one_server_per_database_file(tmp_path: Path) -> None:
    database = tmp_path / "portal.sqlite3"
    first = server.hold(database)
    with pytest.raises(server.AlreadyServed, match=r"process \d+.*PORTAL_DATABASE_URL"):
        server.hold(database)
    first.close()
    server.hold(database).close()


@pytest.mark.parametrize(
    ("words", "variables", "sentence"),
    [
        (["run"], {}, "--demo"),
        (["run", "--demo"], {"PORTAL_HOST": "192.168.1.20"}, "PORTAL_HOST"),
        (["run", "--demo"], {}, "portal migrate"),
        (["run", "--demo"], {"PORTAL_PORT": "eighty"}, "PORTAL_PORT"),
        (["run", "--demo"], {"PORTAL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "PORTAL_DATABASE_URL"),
    ],
)
def test_portal_run_ends_with_two_and_one_sentence(
    tmp_path: Path, words: list[str], variables: dict[str, str], sentence: str
) -> None:
    env = running.environment(tmp_path, f"sqlite:///{tmp_path / 'empty.sqlite3'}", PORTAL_PORT=str(running.free_port()))
    ended = running.command(*words, env=env | variables, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("\n") == 1


# --- Streamlit's options ----------------------------------------------------------------------------------------------


def test_every_option_exists_in_this_streamlit() -> None:
    from streamlit import config

    known = config._config_options_template
    assert [name for name in server.streamlit_options(settings.load(**PROVIDER)) if name not in known] == []


def test_the_options_win_over_a_config_file(tmp_path: Path) -> None:
    from streamlit import config

    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(
        '[browser]\ngatherUsageStats = true\n[client]\nshowErrorDetails = "full"\n[server]\nmaxUploadSize = 4000\n'
        '[server.trustedUserHeaders]\n"X-User" = "email"\n'
    )
    server.set_streamlit_options(settings.load(demo=True))
    assert config.get_option("browser.gatherUsageStats") is False
    assert config.get_option("client.showErrorDetails") == "none"
    assert config.get_option("server.maxUploadSize") == 10
    assert config.get_option("server.trustedUserHeaders") == {}


def test_the_secrets_ask_for_pkce_and_stay_out_of_a_demo() -> None:
    auth = server.sign_in_secrets(settings.load(**PROVIDER))["auth"]
    assert auth["client_kwargs"]["code_challenge_method"] == "S256"
    assert auth["server_metadata_url"] == "https://login.example.org/.well-known/openid-configuration"
    assert server.sign_in_secrets(settings.load(demo=True)) == {}


def _luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("colors", "sidebar"), [(LIGHT, LIGHT_SIDEBAR), (DARK, DARK_SIDEBAR)], ids=["light", "dark"])
def test_text_of_the_theme_reaches_the_contrast_of_wcag_aa(colors: dict[str, str], sidebar: dict[str, str]) -> None:
    page = colors["backgroundColor"]
    for name in ("red", "orange", "green", "blue", "gray"):
        assert _contrast(colors[f"{name}TextColor"], colors[f"{name}BackgroundColor"]) >= 4.5, name
        assert _contrast(colors[f"{name}TextColor"], page) >= 4.5, name
    for ground in (page, colors["secondaryBackgroundColor"], sidebar["backgroundColor"]):
        assert _contrast(colors["textColor"], ground) >= 7
        assert _contrast(colors["grayTextColor"], ground) >= 4.5
        assert _contrast(colors["linkColor"], ground) >= 4.5
    assert "theme.dark.sidebar.backgroundColor" in theme_options()


# --- headers ----------------------------------------------------------------------------------------------------------


async def _page(_request: Request) -> PlainTextResponse:
    answer = PlainTextResponse("page")
    answer.set_cookie("_streamlit_user", "claims", httponly=True)
    answer.set_cookie("other", "1")
    return answer


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("open")
    await websocket.close()


def _client(**values: Any) -> TestClient:
    setting = settings.load(**values)
    paths = ("/", "/health", "/media/report.csv", "/_stcore/metrics", "/_stcore/agent/interact")
    app = Starlette(
        routes=[*(Route(path, _page) for path in paths), WebSocketRoute("/_stcore/stream", _socket)],
        middleware=[Middleware(server.Shield, settings=setting)],
    )
    return TestClient(app, base_url=setting.public_origin)


def test_every_answer_carries_the_headers() -> None:
    for answer in (_client(demo=True).get("/"), _client(demo=True).get("/nowhere")):
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "script-src 'self' 'sha256-" in policy
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
        assert "unsafe-eval" not in policy
        for part in ("frame-ancestors 'none'", "object-src 'none'", "base-uri 'self'", "form-action 'self'"):
            assert part in policy
        assert "connect-src 'self' ws://127.0.0.1:8501" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "strict-transport-security" not in headers


def test_off_loopback_cookies_are_secure_and_https_is_kept() -> None:
    answer = _client(**PROVIDER).get("/")
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all(cookie.endswith("; Secure") for cookie in cookies)
    assert "wss://portal.example.org" in answer.headers["content-security-policy"]
    assert " ws://" not in answer.headers["content-security-policy"]
    assert not any("Secure" in cookie for cookie in _client(demo=True).get("/").headers.get_list("set-cookie"))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:8501@evil.example", "a;b", ""])
def test_other_names_are_not_answered(host: str) -> None:
    answer = _client(demo=True).get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "evil" not in answer.headers["content-security-policy"]
    assert _client(demo=True).get("/health", headers={"host": "10.0.0.7"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", None])
def test_pages_elsewhere_cannot_open_a_connection(origin: str | None) -> None:
    client = _client(demo=True)
    with pytest.raises(WebSocketDisconnect):
        with client.websocket_connect(
            "ws://127.0.0.1:8501/_stcore/stream", headers={"origin": origin} if origin else {}
        ):
            pass


def test_the_portals_own_pages_can_open_a_connection() -> None:
    for values in ({"demo": True}, PROVIDER):
        client = _client(**values)
        origin = settings.load(**values).public_origin
        address = origin.replace("http", "ws", 1) + "/_stcore/stream"
        with client.websocket_connect(address, headers={"origin": origin}) as opened:
            assert opened.receive_text() == "open"


def test_inner_pages_of_streamlit_are_closed() -> None:
    client = _client(demo=True)
    assert client.get("/_stcore/metrics").status_code == 404
    assert client.get("/_stcore/agent/interact").status_code == 404
    assert client.get("/media/report.csv").headers["cache-control"] == "private, no-store"


def test_the_hash_is_of_the_script_that_stands_in_the_page() -> None:
    from streamlit import file_util

    page = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    assert len(server.inline_script_hashes()) == len(re.findall(r"<script>", page)) >= 1


# --- health -----------------------------------------------------------------------------------------------------------


def test_health_of_a_good_database(db: core.Database) -> None:
    assert server.Health().answer() == (
        200,
        {"status": "ok", "reachable": "yes", "writable": "yes", "migrations_current": "yes"},
    )


def test_health_of_an_old_schema(db: core.Database) -> None:
    with db.write_engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    code, answer = server.Health().answer()
    assert (code, answer["status"], answer["migrations_current"]) == (503, "unavailable", "no")


def test_health_of_a_database_that_takes_no_write(db: core.Database) -> None:
    with db.write_engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE number_sequence RENAME TO number_sequence_gone"))
    code, answer = server.Health().answer()
    assert (code, answer["writable"]) == (503, "no")


def test_health_of_no_database_tells_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "_database", core.Database("postgresql://secret_user@127.0.0.1:1/none"))
    code, answer = server.Health().answer()
    assert code == 503
    assert set(answer.values()) == {"unavailable", "no"}


def test_health_asks_the_database_once_a_second_at_most(db: core.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(core.Database, "check_health", lambda self: asked.append(1) or {})
    health = server.Health()
    for _ in range(50):
        health.answer()
    assert len(asked) == 1
