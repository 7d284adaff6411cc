"""Design a request type: one thing in each section, the representative's form beside it, published as a version from a day."""

import streamlit as st

from portal.desk import attempt, focus, go, request_type_trial, who
from portal.desk import request_type_parts as parts
from portal.desk.text import inert
from portal.service_requests import commands
from portal.service_requests.views import request_types as views


def draw() -> None:
    """The way back, and the form."""
    if st.button("Request types", icon=":material/arrow_back:", type="tertiary", shortcut="Esc", key="rt-back"):
        go.to("request_types")
    if not go.param("code"):
        focus.first("top:name")
    editor()


@who.fragment
def editor() -> None:
    """The whole form, or its receipt."""
    form = attempt.begin("request_type", commands.publish_request_type, title="Request type")
    if form.receipt:
        attempt.show_receipt(form.receipt)
        return
    design = parts.load(form, go.param("code"), go.param("copy"))
    if design is None:
        st.title("There is no such request type")
        st.caption("It may have been opened from an old address. Go back to the list and choose one.")
        return
    head(design)
    parts.stale(design)
    detail = parts.finished(design.draft)
    wrong = parts.problems(design, detail)
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        names = parts.SECTIONS
        named = go.param("part")
        chosen = st.segmented_control(
            "Section", list(names), default=named if named in names else "basics", required=True,
            format_func=names.__getitem__, key=f"{form.key}.part", label_visibility="collapsed", wrap=True,
        )  # fmt: skip
        if chosen and chosen != named:
            st.query_params["part"] = chosen
        with st.container(border=True, key="rt-section"):
            parts.section(design, chosen or "basics")
        parts.foot(design, detail, wrong)
    with right:
        request_type_trial.draw(design, detail, wrong)


def head(design: parts.Editor) -> None:
    """What it is, and what else can be done with it."""
    found = design.found
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(inert(found.name) if found is not None else "New request type", width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            if found is not None:
                if st.button("Copy as new type", icon=":material/content_copy:", key="rt-copy"):
                    go.to("request_type", copy=found.code)
                st.download_button(
                    "Save as file", views.exported(found.code), file_name=f"{found.code}.toml", mime="application/toml",
                    icon=":material/download:", key="rt-export", on_click="ignore",
                    help="The newest published version, as a file another city or a pack can read",
                )  # fmt: skip


draw()
