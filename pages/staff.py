"""Staff: who works here, with which roles; letting people in, and ending access with their work handed over."""

import streamlit as st

from portal.desk import attempt, go, staff_parts, who
from portal.staff import commands, views
from portal.staff.rules import StaffForm


def draw() -> None:
    """The list at the left, the chosen person or the form for a new one at the right."""
    st.title("Staff")
    actor = who.actor()
    people = views.staff_list()
    roles = views.role_names()
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        active = sum(person.active for person in people)
        st.caption(f"{active} people can sign in, {len(people) - active} no longer.")
        with st.container(border=True, gap=None):
            for person in people:
                staff_parts.row(person, may_edit=actor.may("staff.edit"))
    with right:
        chosen = next((person for person in people if person.staff_id == go.param_int("id")), None)
        if not actor.may("staff.edit"):
            st.info("You can read this list. An administrator changes it.", icon=":material/visibility:")
            staff_parts.own_absence(actor)
        elif chosen is None:
            add(roles)
        else:
            staff_parts.change(chosen, roles)


@who.fragment
def add(roles: dict[str, str]) -> None:
    """The form that lets somebody in."""
    form = attempt.begin("staff", commands.add_staff, title="Let somebody in")
    if form.receipt:
        attempt.show_receipt(form.receipt, again="Let somebody else in")
        return
    divisions = views.divisions()
    with st.container(border=True):
        st.subheader("Let somebody in")
        form.text("name", "Name")
        form.email("email", "E-mail (optional)")
        form.text("issuer", "Issuer", help="The address of the city's identity provider")
        form.text("subject", "Subject", help="The number the person was shown when they tried to sign in")
        form.many("roles", "Roles", list(roles), format_func=lambda code: roles[code])
        form.choice("division", "Division (optional)", list(divisions), format_func=lambda code: divisions[code])
        form.submit(
            "Let them in",
            lambda v: (
                StaffForm(
                    v["issuer"] or "",
                    v["subject"] or "",
                    v["name"] or "",
                    tuple(v["roles"] or ()),
                    v["email"] or "",
                    v["division"],
                ),
            ),
        )


draw()
