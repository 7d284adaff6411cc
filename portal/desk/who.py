"""Who is at this desk: identity from the sign-in, authority from our own tables, asked again on every run.

Streamlit's own cookie cannot be taken back: a copy of it, or a second tab, stays signed in after `st.logout`. So each sign-in
has a row (`staff_session`) that the cookie only points at. The row ends by signing out, by idleness, by age, or because the
person was deactivated; from then on every tab and every copy of the cookie meets the sign-in page.

The row's key is a hash of what is unique in the cookie: with an identity provider the claims of that one sign-in (issuer,
subject, time, nonce), in a demo the random secret (`portal.desk.demo_sign_in`).
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from db import core
from portal import settings
from portal.desk import demo_sign_in, once
from portal.staff import commands, views

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.delta_generator import DeltaGenerator

    from portal.shared.actor import Actor

SIGNED_IN_AS: Final = "_sign_in"
"""Where this page remembers its sign-in, so that the next person never finds what the last one typed."""
ACTIVITY: Final = "_activity"
ACTOR: Final = "who.actor"
"""Under which name the person at the desk is remembered for one run."""
WATCH_SECONDS: Final = 20

WHY: Final = {
    "": "",
    "signed_out": "You signed out. Other tabs were signed out with this one.",
    "idle": "You were signed out because nobody used the portal here for a while.",
    "absolute": "You were signed out because a sign-in lasts one working day at most.",
    "deactivated": "Your access was ended. Ask your administrator if this is a mistake.",
    "ended": "This sign-in was ended.",
}


@dataclass(frozen=True)
class SignedOut:
    """Nobody is signed in here."""

    why: str = ""
    """A key of `WHY`; "" when there was no sign-in before."""


@dataclass(frozen=True)
class NotAdmitted:
    """The identity provider vouches for somebody whom our tables do not know, or no longer."""

    name: str
    subject: str
    issuer: str
    reason: str
    """`unknown`, `inactive` or `other_issuer`."""


@dataclass(frozen=True)
class _Claim:
    """What the browser brought: the session it belongs to, and with a provider whom it names."""

    session_id: str
    issuer: str = ""
    subject: str = ""
    name: str = ""
    issued_at: dt.datetime | None = None


def current_actor(*, in_use: bool = True) -> Actor | SignedOut | NotAdmitted:
    """The person at this desk, checked against the tables now. `in_use` says that this run is the person's doing (a run of
    the whole page is, a timer's is not) and so puts the idle limit off."""
    claim = _claim()
    found: Actor | SignedOut | NotAdmitted = SignedOut() if claim is None else _admit(claim, in_use=in_use)
    _forget_the_last_person(claim.session_id if claim is not None and not isinstance(found, SignedOut) else "")
    once.keep(ACTOR, found)
    return found


def actor() -> Actor:
    """The person at this desk, for a page, a fragment or a click; where nobody is signed in any more, the page is drawn
    again from the front door and shows the sign-in instead."""
    found = once.kept(ACTOR) or current_actor(in_use=False)
    if isinstance(found, (SignedOut, NotAdmitted)):
        st.rerun()
    return found


def still_signed_in() -> bool:
    """Whether the sign-in of this page still stands; reads only."""
    claim = _claim()
    if claim is None:
        return False
    row = views.sign_in(claim.session_id)
    return row is not None and _why_over(row) is None


def _claim() -> _Claim | None:
    setting = settings.current()
    if setting.demo:
        token = cookie(demo_sign_in.cookie_name(setting.port))
        return _Claim(demo_sign_in.session_id(token)) if token else None
    claims = provider_claims()
    if not claims.get("is_logged_in"):
        return None
    issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", ""))
    issued = claims.get("iat")
    # The nonce is drawn for one sign-in; the same person's next sign-in, in the same second, has another.
    unique = "\x1f".join((issuer, subject, str(issued), str(claims.get("nonce", ""))))
    return _Claim(
        session_id=hashlib.sha256(f"oidc\x1f{unique}".encode()).hexdigest(),
        issuer=issuer,
        subject=subject,
        name=str(claims.get("name") or claims.get("email") or subject),
        issued_at=dt.datetime.fromtimestamp(issued, dt.UTC) if isinstance(issued, (int, float)) else None,
    )


def cookie(name: str) -> str:
    """A cookie of this page's connection; "" without one. A function of its own so that tests can stand in for a browser."""
    return st.context.cookies.get(name) or ""


def provider_claims() -> dict[str, Any]:
    """What the identity provider said about the person, as Streamlit verified it; empty when nobody is signed in."""
    return dict(st.user.to_dict())


def _admit(claim: _Claim, *, in_use: bool) -> Actor | SignedOut | NotAdmitted:
    row = views.sign_in(claim.session_id)
    if row is not None and (over := _why_over(row)) is not None:
        if row.ended_at is None:
            commands.end_session(claim.session_id, why=over)
        return SignedOut(over)
    if not claim.subject:  # demo: the row is made when the person is chosen
        if row is None:
            return SignedOut("ended")
        actor = views.actor_for_staff(row.staff_id)
        if actor is None:
            return SignedOut("deactivated")
    else:
        refused = functools.partial(NotAdmitted, claim.name, claim.subject, claim.issuer)
        if claim.issuer.rstrip("/") != settings.current().oidc_issuer.rstrip("/"):
            return refused("other_issuer")
        actor = views.actor_for_identity(claim.issuer, claim.subject)
        if actor is None:
            return refused("inactive" if views.is_known(claim.issuer, claim.subject) else "unknown")
        if row is None:
            # A cookie nobody has shown before is a fresh sign-in or an old one kept aside; only the fresh one counts.
            age = None if claim.issued_at is None else core.now() - claim.issued_at
            if age is None or age > dt.timedelta(minutes=settings.current().idle_minutes):
                return SignedOut("idle")
            commands.open_session(actor.staff_id, claim.session_id)
            return actor
    if in_use:
        _note_use(claim, row)
    return actor


def _note_use(claim: _Claim, row: views.SignIn) -> None:
    """Puts the idle limit off; at most one write a minute."""
    if core.now() - row.seen_at > dt.timedelta(seconds=60):
        commands.touch_session(claim.session_id)


def _why_over(row: views.SignIn) -> str | None:
    """Why a sign-in no longer counts: a key of `WHY`, or None while it does."""
    if row.ended_at is not None:
        return row.ended_why if row.ended_why in WHY else "ended"
    now = core.now()
    if now - row.started_at > dt.timedelta(hours=settings.current().absolute_hours):
        return "absolute"
    if now - row.seen_at > dt.timedelta(minutes=settings.current().idle_minutes):
        return "idle"
    return None


def _forget_the_last_person(session_id: str) -> None:
    before = st.session_state.get(SIGNED_IN_AS, "")
    if before and before != session_id:
        st.session_state.clear()
    st.session_state[SIGNED_IN_AS] = session_id


def sign_out() -> None:
    """Ends this person's sign-ins: each tab, each copied cookie; then the one at the provider, where there is one."""
    claim = _claim()
    if claim is not None:
        row = views.sign_in(claim.session_id)
        if row is not None:
            commands.end_sessions(row.staff_id, why="signed_out")
    st.session_state.clear()
    if settings.current().demo:
        st.rerun()
    st.logout()
    st.stop()


# --- while a page is open ---------------------------------------------------------------------------------------------


@st.fragment(run_every=WATCH_SECONDS)
def watch() -> None:
    """Covers a page whose sign-in ended elsewhere or by itself, without a click; draws nothing.

    A timer is no use of the portal: only what the person changed since the last look moves the idle limit."""
    of_the_whole_page = once.kept(ACTOR) is not None  # then the front door has just asked
    if not of_the_whole_page and not still_signed_in():
        st.rerun()
    seen = _fingerprint()
    if not of_the_whole_page and st.session_state.get(ACTIVITY, seen) != seen:
        current_actor()
    st.session_state[ACTIVITY] = seen


def _fingerprint() -> int:
    """A number that changes when an answer on the page changes."""
    return hash(
        tuple(
            (str(name), value)
            for name, value in sorted(st.session_state.items(), key=lambda item: str(item[0]))
            if name not in (ACTIVITY, SIGNED_IN_AS) and isinstance(value, (str, int, float, bool, dt.date, type(None)))
        )
    )


def fragment(function: Callable[..., None] | None = None, *, run_every: float | str | None = None) -> Any:
    """`st.fragment`, with the sign-in checked before each run: part of a page never outlives the sign-in."""

    def wrap(inner: Callable[..., None]) -> Any:
        @functools.wraps(inner)
        def checked(*args: Any, **kwargs: Any) -> None:
            actor()
            inner(*args, **kwargs)

        return st.fragment(checked, run_every=run_every)

    return wrap if function is None else wrap(function)


# --- the pages of somebody who is not signed in -----------------------------------------------------------------------


def _narrow() -> DeltaGenerator:
    """A card in the middle, for the pages that have one thing to say."""
    middle = st.container(horizontal_alignment="center", key="sign-in-page")
    return middle.container(width=480, border=True, key="sign-in-card")


def draw_sign_in(found: SignedOut) -> None:
    """The page of nobody: why they were signed out, and one way in."""
    with _narrow():
        st.title("Sign in")
        if WHY.get(found.why):
            st.text(WHY[found.why])
        if settings.current().demo:
            st.text("Demonstration on this machine: made-up people, no password.")
            st.html(demo_sign_in.LINK)
            return
        st.text("You sign in with your city account. The portal never sees your password.")
        if st.button("Sign in", type="primary", icon=":material/login:", key="sign_in"):
            st.login()


def draw_not_admitted(found: NotAdmitted) -> None:
    """The page of somebody the provider knows and the portal does not: what to do, and what to tell the administrator."""
    with _narrow():
        if found.reason == "inactive":
            st.title("Your access was ended")
            st.text(
                "Your city account is fine, but it no longer opens the portal. If this is a mistake, ask your administrator."
            )
        elif found.reason == "other_issuer":
            st.title("You signed in somewhere else")
            st.text("This sign-in comes from another identity provider than the portal's. Sign out and sign in again.")
        else:
            st.title("You are not on the list yet")
            st.text(
                "Your city account is fine, but nobody has given it a role in the portal. "
                "Ask your administrator to add you, and give them this number:"
            )
            st.code(found.subject, language=None, width="content")
        if st.button("Sign out", icon=":material/logout:", key="sign_out_not_admitted"):
            st.session_state.clear()
            st.logout()
