"""Roles: what each may do, as rows an administrator changes."""

import streamlit as st

from portal.desk import attempt, go, who
from portal.desk.text import inert
from portal.staff import commands, views


def draw() -> None:
    """The roles side by side; the chosen one opens with every permission in words."""
    st.title("Roles")
    roles = views.roles()
    words = views.permission_words()
    code = go.param("role") or roles[0].code
    role = next((each for each in roles if each.code == code), roles[0])
    with st.container(horizontal=True):
        for each in roles:
            kind = "primary" if each.code == role.code else "secondary"
            if st.button(f"{inert(each.name)} · {each.holders}", key=f"role-{each.code}", type=kind):
                go.to("roles", role=each.code)
    may_edit = who.actor().may("staff.edit")
    with st.container(border=True):
        st.subheader(inert(role.name))
        st.caption(f"{len(role.permissions)} of {len(words)} permissions · held by {role.holders}")
        chosen = []
        rooms: dict[str, list[str]] = {}
        for permission in words:
            rooms.setdefault(permission.split(".")[0], []).append(permission)
        for column, names in zip(st.columns(3, gap="large"), _thirds(list(rooms.values())), strict=True):
            with column:
                for permission in names:
                    on = st.checkbox(
                        words[permission],
                        value=permission in role.permissions,
                        key=f"{role.code}.{permission}.{hash(role.permissions)}",
                        disabled=not may_edit,
                        help=permission,
                    )
                    if on:
                        chosen.append(permission)
    if may_edit:
        attempt.act(
            "Save this role", commands.change_role, role.code, tuple(chosen),
            key_parts=("role", role.code, sorted(role.permissions), sorted(chosen)), primary=True,
            disabled=set(chosen) == role.permissions,
        )  # fmt: skip
    else:
        st.caption("An administrator changes roles.")


def _thirds(groups: list[list[str]]) -> list[list[str]]:
    """The permissions in three columns, rooms kept together."""
    columns: list[list[str]] = [[], [], []]
    for group in groups:
        min(columns, key=len).extend(group)
    return columns


draw()
