"""Who is at the desk, decided from claims and rows: which cookies count, whose authority, and what a page forgets."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import streamlit as st

from db import core
from db import staff as rows
from portal import settings
from portal.desk import demo_sign_in, who
from portal.shared.actor import Actor
from portal.staff import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ISSUER = "https://login.example.org"


@pytest.fixture(autouse=True)
def _a_provider() -> Iterator[None]:
    settings.use(settings.load(oidc_issuer=ISSUER))
    st.session_state.clear()
    yield
    settings.use(None)
    st.session_state.clear()


@pytest.fixture
def staff_id(db: core.Database) -> int:
    with core.work() as work:
        person = work.add(
            rows.Staff(issuer=ISSUER, subject="sub-1", name="Rosa Delgado", active=True, created_at=work.now)
        )
        rows.set_roles(work.session, person.id, ["representative"])
        return person.id


@pytest.fixture
def shows(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`shows(iat=…, sub=…)`: the browser shows a cookie with these claims."""

    def show(**claims: Any) -> None:
        known = {"is_logged_in": True, "iss": ISSUER, "sub": "sub-1", "nonce": "n-1", "iat": core.now().timestamp()}
        monkeypatch.setattr(who, "provider_claims", lambda: known | claims)

    return show


def _change(statement: sa.Update) -> None:
    with core.database().writing() as session:
        session.execute(statement)


def _sign_ins() -> list[rows.StaffSession]:
    with core.read() as session:
        return list(session.scalars(sa.select(rows.StaffSession)))


def test_nobody(db: core.Database, shows: Callable[..., None]) -> None:
    shows(is_logged_in=False)
    assert who.current_actor() == who.SignedOut()
    assert not who.still_signed_in()


def test_a_fresh_sign_in_opens_one_session_for_all_tabs(staff_id: int, shows: Callable[..., None]) -> None:
    shows()
    for _ in range(3):
        found = who.current_actor()
        assert isinstance(found, Actor)
        assert (found.staff_id, found.name) == (staff_id, "Rosa Delgado")
        assert found.may("customer.find")
    assert len(_sign_ins()) == 1
    assert who.still_signed_in()


def test_the_row_does_not_hold_what_the_cookie_holds(staff_id: int, shows: Callable[..., None]) -> None:
    shows(nonce="the-nonce")
    who.current_actor()
    (row,) = _sign_ins()
    assert len(row.id) == 64
    assert "the-nonce" not in row.id


@pytest.mark.parametrize("minutes", [29, 31])
def test_a_cookie_kept_aside_and_never_shown_counts_no_longer_than_an_idle_session(
    staff_id: int, shows: Callable[..., None], minutes: int
) -> None:
    shows(iat=(core.now() - dt.timedelta(minutes=minutes)).timestamp())
    found = who.current_actor()
    assert isinstance(found, Actor) if minutes < 30 else found == who.SignedOut("idle")


@pytest.mark.parametrize("iat", [None, "yesterday"])
def test_a_cookie_without_a_time_is_no_sign_in(staff_id: int, shows: Callable[..., None], iat: object) -> None:
    shows(iat=iat)
    assert who.current_actor() == who.SignedOut("idle")


def test_signed_out_stays_signed_out_and_the_next_sign_in_counts(staff_id: int, shows: Callable[..., None]) -> None:
    same_second = core.now().timestamp()
    shows(nonce="first", iat=same_second)
    who.current_actor()
    commands.end_sessions(staff_id, why="signed_out")
    assert who.current_actor() == who.SignedOut("signed_out")
    assert not who.still_signed_in()
    shows(nonce="second", iat=same_second)
    assert isinstance(who.current_actor(), Actor)


def test_the_subject_of_another_issuer_is_somebody_else(staff_id: int, shows: Callable[..., None]) -> None:
    shows(iss="https://login.evil.example")
    found = who.current_actor()
    assert isinstance(found, who.NotAdmitted)
    assert found.reason == "other_issuer"
    assert _sign_ins() == []


def test_unknown_and_inactive(staff_id: int, shows: Callable[..., None]) -> None:
    shows(sub="sub-2", name="Sam Stranger")
    found = who.current_actor()
    assert isinstance(found, who.NotAdmitted)
    assert (found.reason, found.name, found.subject) == ("unknown", "Sam Stranger", "sub-2")
    _change(sa.update(rows.Staff).values(active=False))
    shows()
    found = who.current_actor()
    assert isinstance(found, who.NotAdmitted)
    assert found.reason == "inactive"


def test_authority_comes_from_the_tables_on_each_run(staff_id: int, shows: Callable[..., None]) -> None:
    shows(roles=["administrator"], permissions=["staff.edit"])
    found = who.current_actor()
    assert isinstance(found, Actor)
    assert not found.may("staff.edit")
    with core.work() as work:
        rows.set_roles(work.session, staff_id, ["administrator"])
    found = who.current_actor()
    assert isinstance(found, Actor)
    assert found.may("staff.edit")


def test_only_use_puts_the_idle_limit_off_and_not_every_second(staff_id: int, shows: Callable[..., None]) -> None:
    shows()
    who.current_actor()
    before = core.now() - dt.timedelta(minutes=20)
    _change(sa.update(rows.StaffSession).values(seen_at=before))
    who.current_actor(in_use=False)
    who.still_signed_in()
    assert _sign_ins()[0].seen_at == before
    who.current_actor()
    touched = _sign_ins()[0].seen_at
    assert core.now() - touched < dt.timedelta(seconds=30)
    who.current_actor()
    assert _sign_ins()[0].seen_at == touched


def test_a_page_forgets_what_the_last_person_typed(staff_id: int, shows: Callable[..., None]) -> None:
    shows(nonce="first")
    who.current_actor()
    st.session_state["note"] = "about a customer"
    who.current_actor()
    assert st.session_state["note"] == "about a customer"
    shows(nonce="second")
    who.current_actor()
    assert "note" not in st.session_state


def test_a_signed_out_page_forgets_too(staff_id: int, shows: Callable[..., None]) -> None:
    shows()
    who.current_actor()
    st.session_state["note"] = "about a customer"
    commands.end_sessions(staff_id, why="signed_out")
    who.current_actor()
    assert "note" not in st.session_state


# --- demo -------------------------------------------------------------------------------------------------------------


def test_a_made_up_demo_cookie_is_nobody(staff_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.use(settings.load(demo=True))
    monkeypatch.setattr(who, "cookie", lambda name: "made-up" if name == "portal_demo_8501" else "")
    assert who.current_actor() == who.SignedOut("ended")
    commands.open_session(staff_id, demo_sign_in.session_id("made-up"))
    assert isinstance(who.current_actor(), Actor)


def test_a_demo_cookie_counts_for_nothing_with_a_provider(
    staff_id: int, monkeypatch: pytest.MonkeyPatch, shows: Callable[..., None]
) -> None:
    commands.open_session(staff_id, demo_sign_in.session_id("token"))
    monkeypatch.setattr(who, "cookie", lambda name: "token")
    shows(is_logged_in=False)
    assert who.current_actor() == who.SignedOut()


def test_names_on_the_sign_in_page_are_text() -> None:
    from portal.staff.views import PersonToChoose

    page = demo_sign_in.draw(
        [PersonToChoose(1, "<script>alert(1)</script>", "“R&D” <b>")], city="A & B", onward='/"><img src=x onerror=1>'
    )
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<img" not in page
    assert "A &amp; B" in page


@pytest.mark.parametrize(
    ("path", "goes_to"),
    [
        ("/customer?account=12", "/customer?account=12"),
        ("/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/sign-in?next=/sign-in", "/"),
        ("customer", "/"),
        ("", "/"),
    ],
)
def test_the_way_on_is_a_path_of_the_portal(path: str, goes_to: str) -> None:
    assert demo_sign_in.safe_path(path) == goes_to
