"""What the staff page draws: a person's line, and the card that changes roles and ends access."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from portal.desk import attempt, go, lists, who
from portal.desk.text import inert, moment, today
from portal.service_requests.commands import hand_over_and_end_access
from portal.shared.text import day_text
from portal.staff import commands, views
from portal.staff.rules import AbsenceForm

if TYPE_CHECKING:
    from portal.shared.actor import Actor


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
    if person.active:
        absence_card(person)
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


# --- absences -----------------------------------------------------------------------------------------------------------


def own_absence(actor: Actor) -> None:
    """One's own absence, folded away: declared from where the decisions are."""
    if not actor.may("absence.declare"):
        return
    lines = views.absences(actor.staff_id)
    label = "You are away soon or now" if lines else "Away? Name who stands in"
    with st.expander(label, icon=":material/beach_access:", expanded=bool(lines), key=f"absence.own.{len(lines)}"):
        absence_form(actor.staff_id, lines)


def absence_card(person: views.StaffLine) -> None:
    """The absences of one person, for who may edit staff."""
    with st.container(border=True):
        st.subheader("Absence")
        absence_form(person.staff_id, views.absences(person.staff_id))


def absence_form(staff_id: int, lines: list[views.AbsenceLine]) -> None:
    """What is declared, with the way to end it; and a further one."""
    for line in lines:
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"row-absence-{line.id}"):
            days = f"{day_text(line.from_on, today())} to {day_text(line.until_on, today())}"
            st.markdown(f"{inert(days)} :gray[{inert(line.stand_in)} stands in]", width="stretch")
            attempt.act(
                "End", commands.end_absence, line.id,
                key_parts=("absence.end", line.id), help=f"End the absence of {inert(days)}",
            )  # fmt: skip
    st.caption("A stand-in decides with the limit of who is away, never on their own requests or account.")
    colleagues = views.colleagues(who.actor()) | {who.actor().staff_id: who.actor().name}
    colleagues.pop(staff_id, None)
    keys = {name: f"absence.{name}.{staff_id}.{len(lines)}" for name in ("from_on", "until_on", "stand_in")}
    first, last = st.columns(2, gap="small")
    first.date_input("First day", value=None, format="MM/DD/YYYY", key=keys["from_on"])
    last.date_input("Last day", value=None, format="MM/DD/YYYY", key=keys["until_on"])
    st.selectbox("Stand-in", list(colleagues), index=None, format_func=colleagues.__getitem__, key=keys["stand_in"])
    held = {name: st.session_state.get(key) for name, key in keys.items()}

    def asked() -> AbsenceForm:
        return AbsenceForm(
            staff_id, *(st.session_state.get(keys[name]) for name in ("from_on", "until_on", "stand_in"))
        )

    attempt.act(
        "Save absence", commands.declare_absence, asked,
        key_parts=("absence", staff_id, *held.values(), len(lines)), spot=("absence", staff_id), clears=tuple(keys.values()),
    )  # fmt: skip
