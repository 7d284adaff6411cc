"""What the staff page draws: a person's line, and the card that changes roles and ends access."""

from __future__ import annotations

import streamlit as st

from portal.desk import attempt, go, lists, who
from portal.desk.text import inert, moment
from portal.service_requests.commands import hand_over_and_end_access
from portal.staff import commands, views


def row(person: views.StaffLine, *, may_edit: bool) -> None:
    """One person of the list: name, roles, division, last seen, and for whom it is theirs, the way to change them."""
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"row-{person.staff_id}"):
        ended = "" if person.active else " :gray-badge[Access ended]"
        seen = f"last here {moment(person.last_seen_at)}" if person.last_seen_at else "never signed in"
        lists.two_lines(
            f"**{inert(person.name)}** :blue-badge[{inert(person.role_names or 'No role')}]{ended}",
            " · ".join(part for part in (person.division_name, person.email, seen) if part),
        )
        if may_edit and st.button(
            "Open", key=f"open-{person.staff_id}", type="tertiary", help=f"Change {inert(person.name)}"
        ):
            go.to("staff", id=person.staff_id)


def change(person: views.StaffLine, roles: dict[str, str]) -> None:
    """Roles, division and access of one person."""
    divisions = views.divisions()
    with st.container(border=True):
        st.subheader(inert(person.name))
        if st.button("Somebody new instead", icon=":material/person_add:", type="tertiary"):
            go.to("staff")
        chosen = st.pills(
            "Roles",
            list(roles),
            default=list(person.roles),
            selection_mode="multi",
            format_func=lambda code: roles[code],
            key=f"roles-{person.staff_id}-{person.version}",
        )
        codes = list(divisions)
        division = st.selectbox(
            "Division",
            codes,
            index=codes.index(person.division_code) if person.division_code in codes else None,
            format_func=lambda code: divisions[code],
            key=f"division-{person.staff_id}-{person.version}",
        )
        attempt.act(
            "Save roles", commands.change_roles, person.staff_id, tuple(chosen or ()), division, person.version,
            key_parts=("roles", person.staff_id, person.version, *sorted(chosen or ()), division), primary=True,
        )  # fmt: skip
    with st.container(border=True):
        st.subheader("Access")
        if not person.active:
            attempt.act(
                "Let them in again",
                commands.restore_access,
                person.staff_id,
                person.version,
                key_parts=("restore", person.staff_id, person.version),
            )
            return
        colleagues = views.colleagues(who.actor()) | {who.actor().staff_id: who.actor().name}
        colleagues.pop(person.staff_id, None)
        st.caption(
            "Ending access signs the person out everywhere. Their open requests, call-backs and promises go to the stand-in."
        )
        stand_in = st.selectbox(
            "Stand-in",
            list(colleagues),
            index=None,
            format_func=lambda code: colleagues[code],
            key=f"stand-in-{person.staff_id}",
        )
        attempt.act(
            "End access and hand over", hand_over_and_end_access, person.staff_id, stand_in or 0, person.version,
            key_parts=("end", person.staff_id, person.version, stand_in), icon=":material/person_off:",
        )  # fmt: skip
