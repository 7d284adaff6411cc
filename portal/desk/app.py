"""The front door: who are you, and which pages are yours."""

from __future__ import annotations

import copy
import functools
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from portal import settings
from portal.desk import focus, go, who
from portal.shared.actor import Actor

ASSETS: Final = Path(__file__).resolve().parent / "assets"


@dataclass(frozen=True)
class PageSpec:
    """A page of the house: its file and address are its name; who lacks the permission meets the refusal, not the page."""

    name: str
    title: str
    icon: str
    permission: str
    section: str = ""
    """The menu section; "" keeps it out of the menu (an action page)."""


PAGES: Final = (
    PageSpec("call_desk", "Call desk", "headset_mic", "customer.find", "Desk"),
    PageSpec("work_queue", "Work queue", "checklist", "request.read", "Desk"),
    PageSpec("call_backs", "Call-backs", "phone_callback", "callback.work", "Desk"),
    PageSpec("approvals", "Approvals", "approval", "adjustment.read", "Desk"),
    PageSpec("emergency", "Emergency", "emergency_home", "emergency.take", "Desk"),
    PageSpec("articles", "Policies and how-to", "menu_book", "article.read", "Look up"),
    PageSpec("known_events", "Known events", "crisis_alert", "request.read", "Look up"),
    PageSpec("service_levels", "Service levels", "speed", "report.read", "Management"),
    PageSpec("public_opinion", "Public opinion", "forum", "opinion.read", "Management"),
    PageSpec("request_types", "Request types", "category", "reference.edit", "Administration"),
    PageSpec("deliveries", "Deliveries", "outgoing_mail", "delivery.read", "Management"),
    PageSpec("staff", "Staff", "group", "staff.read", "Administration"),
    PageSpec("roles", "Roles", "admin_panel_settings", "staff.read", "Administration"),
    PageSpec("help", "Help and words", "help", "article.read", "Look up"),
    PageSpec("customer", "Customer", "person", "customer.read"),
    PageSpec("merge_persons", "Merge two records", "merge", "customer.merge"),
    PageSpec("start_service", "Start service", "power", "move.start"),
    PageSpec("stop_service", "Stop service", "power_off", "move.stop"),
    PageSpec("transfer_service", "Transfer service", "swap_horiz", "move.start"),
    PageSpec("request_type", "Request type", "category", "reference.edit"),
    PageSpec("adjust_bill", "Adjust a bill", "price_change", "adjustment.make"),
    PageSpec("account_ledger", "Account history", "history", "customer.read"),
    PageSpec("service_request", "New request", "add_task", "request.open"),
    PageSpec("case", "Request", "assignment", "request.read"),
    PageSpec("work_order", "Work order", "build", "work_order.read"),
    PageSpec("wrap_up", "Wrap up", "call_end", "conversation.work"),
)
ANYWHERE: Final = (
    ("customer.find", "Find", "search", "Ctrl+K", "call_desk"),
    ("emergency.take", "Emergency", "emergency_home", "Alt+E", "emergency"),
)
"""Buttons that stand on every page: (permission, label, icon, key, page)."""
BY_NAME: Final = {spec.name: spec for spec in PAGES}


def refuse(spec: PageSpec) -> None:
    """What stands instead of a page that is not this person's: no row of its data is read."""
    st.title("This page is not part of your role")
    st.text(f"“{spec.title}” needs the permission {spec.permission}. Ask an administrator if your work needs it.")


def default_page(actor: Actor) -> str:
    """Where a person's day begins: the first page of the menu they may open."""
    return next((spec.name for spec in PAGES if spec.section and actor.may(spec.permission)), "help")


def main() -> None:
    """One run of the desk."""
    setting = settings.current()
    st.set_page_config(
        page_title=setting.city_name, page_icon=str(ASSETS / "icon.svg"), layout="wide", initial_sidebar_state=228
    )
    st.html(ASSETS / "desk.css")
    if st.context.theme.type == "dark":
        st.html(ASSETS / "dark.css")
    st.logo(str(setting.city_logo or ASSETS / "logo.svg"), size="medium")
    found = who.current_actor()
    if not isinstance(found, Actor):
        # Under the address that was asked for, so that it is opened once the person has signed in.
        addresses = ["sign_in", *BY_NAME]
        pages = [st.Page(lambda: _draw_outside(found), title="Sign in", url_path=address) for address in addresses]
        st.navigation(pages, position="hidden").run()
        return
    chosen = _navigate(found)
    if not chosen.url_path:
        chosen.run()  # the bare address: on to the page where this person's day begins
        return
    who.watch()
    _sidebar_foot(found)
    spec = BY_NAME[chosen.url_path]
    if not found.may(spec.permission):
        refuse(spec)
        return
    if found.may("conversation.work"):
        from portal.desk import call_bar

        call_bar.draw(spec.name)
    chosen.run()


def _navigate(actor: Actor) -> st.Page:
    sections: dict[str, list[st.Page]] = {}
    for spec in PAGES:
        visible = bool(spec.section) and actor.may(spec.permission)
        # A copy: Streamlit marks the one it chose as the page of this run.
        sections.setdefault(spec.section if visible else "", []).append(copy.copy(_page(spec, visible)))
    # The bare address is a page of its own: Streamlit knows its default page under no other address, and each role has another
    # first page, so that a bookmark of one person would be “not found” for the next.
    first = default_page(actor)
    start = st.Page(
        lambda: go.to(first, **st.query_params.to_dict()),
        title=settings.current().city_name,
        url_path="start",
        default=True,
        visibility="hidden",
    )
    hidden = [*sections.pop("", []), start]
    if not sections:
        sections["Desk"] = []
    next(iter(sections.values())).extend(hidden)
    return st.navigation(sections)


@functools.cache
def _page(spec: PageSpec, visible: bool) -> st.Page:
    """A page as Streamlit knows it, made once: it looks its file up on the disk, and twenty of them do in each run."""
    return st.Page(
        go.PAGES_DIR / f"{spec.name}.py",
        title=spec.title,
        icon=f":material/{spec.icon}:",
        url_path=spec.name,
        visibility="visible" if visible else "hidden",
    )


def _draw_outside(found: who.SignedOut | who.NotAdmitted) -> None:
    if isinstance(found, who.SignedOut):
        who.draw_sign_in(found)
    else:
        who.draw_not_admitted(found)


def _sidebar_foot(actor: Actor) -> None:
    with st.sidebar, st.container(key="sidebar-foot", gap="small"):
        for permission, label, icon, shortcut, page in ANYWHERE:
            if actor.may(permission) and st.button(
                label, key=f"anywhere-{page}", icon=f":material/{icon}:", shortcut=shortcut, width="stretch"
            ):
                focus.again()
                go.to(page)
        with st.container(gap=None):
            st.text(actor.name)
            st.caption(", ".join(actor.role_names) or "No role")
        if st.button("Sign out", key="sign_out", icon=":material/logout:", type="tertiary"):
            who.sign_out()
        focus.keys()


def draw_page(name: str) -> None:
    """One page with the same door in front of it, without the menu: how the page tests open it."""
    found = who.current_actor()
    if not isinstance(found, Actor):
        _draw_outside(found)
        return
    spec = BY_NAME[name]
    if not found.may(spec.permission):
        refuse(spec)
        return
    runpy.run_path(str(go.PAGES_DIR / f"{name}.py"), run_name="__main__")


if __name__ == "__main__":
    main()
