"""Demo sign-in: choose a person of the demo city, no password. Served on loopback with `--demo` only.

A plain page of our own beside the desk, because only an answer of the server can set a cookie that scripts cannot read.
The cookie holds a random secret; the database knows its hash, so ending the session there ends every copy of the cookie.
"""

from __future__ import annotations

import hashlib
import html
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route
from streamlit import file_util

from portal.desk.theme import DARK, LIGHT, ON_PRIMARY
from portal.staff import commands, views

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from portal.settings import Settings

PATH: Final = "/sign-in"
# A link of our own: Streamlit's link button would open a second tab.
LINK: Final = (
    f'<a href="{PATH}" target="_self" style="display: inline-block; padding: .4rem .9rem; border: 1px solid currentColor; '
    'border-radius: .45rem; color: inherit; text-decoration: none; font-weight: 600">Choose who is at the desk</a>'
)
LARGEST_FORM_BYTES: Final = 4096


def cookie_name(port: int) -> str:
    """Browsers share cookies between ports of one machine, so two portals side by side need two names."""
    return f"portal_demo_{port}"


def session_id(token: str) -> str:
    """The session a cookie belongs to: its hash, so that a look at the table signs nobody in."""
    return hashlib.sha256(f"demo\x1f{token}".encode()).hexdigest()


def routes(settings: Settings) -> list[Route]:
    """GET shows the people, POST signs one in."""

    async def choose(request: Request) -> Response:
        people = await run_in_threadpool(views.people_to_choose)
        page = draw(people, city=settings.city_name, onward=safe_path(request.query_params.get("next", "/")))
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    async def sign_in(request: Request) -> Response:
        # A page elsewhere may not sign anybody in; browsers always say where a form comes from.
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return PlainTextResponse("This form does not come from the portal.", 403)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_FORM_BYTES:
                return PlainTextResponse("This form is too long.", 413)
        answers = parse_qs(body.decode("utf-8", "replace"))
        chosen = answers.get("staff", [""])[0]
        token = secrets.token_urlsafe(32)
        before = request.cookies.get(cookie_name(settings.port))
        opened = chosen.isdecimal() and len(chosen) < 18
        if opened:
            opened = await run_in_threadpool(_change_person, int(chosen), token, before)
        if not opened:
            return PlainTextResponse("This person does not work here any more. Go back and choose another.", 409)
        answer = RedirectResponse(safe_path(answers.get("next", ["/"])[0]), status_code=303)
        answer.set_cookie(
            cookie_name(settings.port), token, httponly=True, samesite="strict", path="/", secure=settings.is_https
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return [Route(PATH, choose, methods=["GET"]), Route(PATH, sign_in, methods=["POST"])]


class Doorman:
    """Middleware: who opens a page of the desk without a cookie is shown the people first, and then that page."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.cookie = cookie_name(settings.port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            headers = Headers(scope=scope)
            path = scope["path"]
            opens_page = "text/html" in headers.get("accept", "") and not path.startswith(
                (PATH, "/health", "/_stcore", "/media")
            )
            if opens_page and f"{self.cookie}=" not in headers.get("cookie", ""):
                query = scope["query_string"].decode("latin-1")
                onward = quote(f"{path}?{query}" if query else path, safe="")
                await RedirectResponse(f"{PATH}?next={onward}", status_code=303)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _change_person(staff_id: int, token: str, before: str | None) -> bool:
    if not any(person.staff_id == staff_id for person in views.people_to_choose()):
        return False
    if before:
        commands.end_session(session_id(before), why="signed_out")
    commands.open_session(staff_id, session_id(token))
    return True


def safe_path(path: str) -> str:
    """A path inside the portal to go on to; anything that could lead elsewhere becomes the first page."""
    return path if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20]*", path) and not path.startswith(PATH) else "/"


def draw(people: list[views.PersonToChoose], *, city: str, onward: str) -> str:
    """The page, whole: no script, both themes, 390 px and up. Every value that is not ours is escaped."""
    rows = "\n".join(
        f'<li><button name="staff" value="{person.staff_id}">'
        f"<strong>{html.escape(person.name)}</strong><span>{html.escape(person.roles)}</span></button></li>"
        for person in people
    )
    nobody = "<p>Nobody works here yet. Fill the demo city first: <code>portal demo-city --accounts 2000 --years 3 --seed 1</code></p>"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · {html.escape(city)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<p class="city">{html.escape(city)}</p>
<h1>Who is at the desk?</h1>
<p class="second">Demonstration on this machine: made-up people, no password. Choose one to see the portal with their role.</p>
<form method="post" action="{PATH}">
<input type="hidden" name="next" value="{html.escape(onward)}">
{f"<ul>{rows}</ul>" if people else nobody}
</form>
</main>
</body>
</html>
"""


def _tokens(colors: dict[str, str], on_primary: str) -> str:
    return (
        f"--page:{colors['backgroundColor']};--card:{colors['secondaryBackgroundColor']};--text:{colors['textColor']};"
        f"--second:{colors['grayTextColor']};--line:{colors['borderColor']};--accent:{colors['primaryColor']};--on:{on_primary}"
    )


def _font_face() -> str:
    """The desk's own type, from the file that Streamlit serves anyway; its name changes with each version."""
    found = sorted(Path(file_util.get_static_dir(), "static", "media").glob("SourceSansVF-Upright*.woff2"))
    if not found:
        return ""
    return (
        f'@font-face {{ font-family: "Source Sans"; src: url("/static/media/{found[0].name}") format("woff2"); '
        "font-weight: 200 900; font-display: swap; }"
    )


STYLE: Final = f"""
{_font_face()}
:root {{ color-scheme: light dark; {_tokens(LIGHT, ON_PRIMARY["light"])} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_tokens(DARK, ON_PRIMARY["dark"])} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 "Source Sans", "Source Sans 3", system-ui, sans-serif; }}
main {{ max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem; }}
h1 {{ font-size: 1.75rem; font-weight: 650; line-height: 1.2; margin: 0 0 .5rem; }}
.city {{ color: var(--accent); font-weight: 600; margin: 0 0 .25rem; }}
.second {{ color: var(--second); margin: 0 0 1.5rem; }}
ul {{ list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }}
button {{ width: 100%; min-height: 3.75rem; padding: .6rem .9rem; text-align: left; font: inherit; color: inherit; cursor: pointer;
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }}
button strong {{ display: block; font-weight: 600; }}
button span {{ display: block; color: var(--second); font-size: .9rem; }}
button:hover {{ border-color: var(--accent); }}
button:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
"""
