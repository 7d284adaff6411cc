"""How a request type looks and works before it counts: the representative's own form, drawn by the same code, and what would
become of the answers. Nothing here is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from db import core
from portal import settings
from portal.desk import forms
from portal.desk import service_requests_parts as parts
from portal.desk.attempt import Attempt
from portal.desk.text import inert, user_text
from portal.service_requests import commands
from portal.service_requests.rules import request_type
from portal.service_requests.views import request_types as views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.desk.request_type_parts import Editor


def draw(editor: Editor, detail: Mapping[str, Any], wrong: list[str]) -> None:
    """The form as the representative sees it, and what would happen with the answers given."""
    good = f"{editor.form.key}.good"
    shown = _named(detail)
    if not request_type.definition_problems(shown):
        st.session_state[good] = json.dumps(shown)
    with st.container(border=True, key="rt-trial"):
        st.subheader("As the representative sees it")
        kept = st.session_state.get(good)
        if kept is None:
            st.caption("The form appears here as soon as the type has a name, a group, a department and a way to end.")
            return
        if wrong and json.loads(kept) != shown:
            st.caption("As it was before the last change: something is to be completed first.")
        definition = request_type.read_definition(json.loads(kept))
        st.markdown(f"**{inert(definition.name)}** :gray-badge[Trial: nothing is saved]")
        shape = hashlib.sha256(repr(definition.fields).encode()).hexdigest()[:8]
        trial = Attempt(
            "request_type_trial", editor.form.key + shape, commands.publish_request_type, "", editor.form.actor
        )
        answers = forms.draw(trial, definition)
        if not definition.fields:
            st.caption("No questions: the representative only says where, and adds the caller’s words.")
        _outcome(editor, definition, answers)


def _named(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with words in place of those nobody wrote yet, so that a type can be seen from its first question on."""
    words = {"code": "new_type", "name": "New request type", "group": "New group", "department": "new"}
    return dict(detail) | {key: text for key, text in words.items() if not detail.get(key)}


def _outcome(editor: Editor, definition: request_type.Definition, answers: Mapping[str, Any]) -> None:
    zone = settings.current().time_zone
    now = core.now().astimezone(zone)
    key = f"rt-trial-{editor.form.key}"
    st.subheader("What would become of it")
    areas = editor.offered.areas
    place, day, clock = st.columns([1.2, 1, 1], gap="small")
    district = ""
    if areas:
        district = place.selectbox(
            "In the area", list(areas), index=None, format_func=areas.__getitem__, key=f"{key}.area", placeholder="Any"
        ) or ""  # fmt: skip
    on = day.date_input("Opened on", now.date(), key=f"{key}.on", format="MM/DD/YYYY")
    at = clock.time_input("At", now.time().replace(second=0, microsecond=0), key=f"{key}.at", format="12h")
    moment = dt.datetime.combine(on or now.date(), at or now.time(), zone).astimezone(dt.UTC)
    found = views.trial(definition, answers, district, moment)
    if found.stop is not None:
        st.warning(
            f"**{request_type.OUTCOMES[found.stop.outcome]}.** No request is opened.", icon=":material/pan_tool:"
        )
        st.caption("Say to the caller")
        user_text(found.stop.caller)
        st.caption("Reason for the desk")
        user_text(found.stop.staff)
        return
    if not editor.draft["department"]:
        st.caption("Nobody gets it yet: choose a department under “Goes to”.")
    else:
        row = f"Row {found.row}: " if found.row is not None else "No row fits: " if definition.routes else ""
        st.markdown(f":material/alt_route: **{inert(found.goes_to)}**")
        st.caption(inert(f"{row}{found.why}"))
    if found.due_problem:
        st.error(inert(found.due_problem), icon=":material/error:")
    elif found.due:
        parts.due_card(found.due, found.steps, definition.sla_rule)
    else:
        st.caption("No time is promised.")
    if definition.text_caller:
        st.caption("Say to the caller")
        user_text(definition.text_caller.replace("{due}", found.due or "the day we tell you"))
