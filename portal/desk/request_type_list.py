"""What the list of request types draws: one line, and the dialog that brings a file in."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import streamlit as st

from portal.desk import go
from portal.desk.text import inert, moment
from portal.service_requests.rules import design
from portal.service_requests.views import request_types as views
from portal.shared import drafts
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.shared.actor import Actor

FILE_MOST_KB = 256


def begun(actor: Actor, found: Sequence[drafts.DraftLine]) -> None:
    """What this person began and did not publish: to continue, or to throw away."""
    if not found:
        return
    with st.container(border=True, gap=None, key="begun"):
        st.markdown("**Begun, not published**")
        for draft in found:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.caption(f"{inert(draft.title)}, saved {moment(draft.saved_at)}", width="content")
                with st.container(horizontal=True, width="content"):
                    if st.button("Continue", key=f"continue-{draft.key}", type="tertiary"):
                        go.to("request_type", form=draft.key, **draft.query)
                    st.button(
                        "Throw away", key=f"discard-{draft.key}", type="tertiary", on_click=drafts.discard,
                        args=(actor, draft.key),
                    )  # fmt: skip


def groups(lines: Sequence[views.TypeLine]) -> None:
    """The lines by group, in two columns of about the same length where there is room."""
    found: dict[str, list[views.TypeLine]] = {}
    for each in lines:
        found.setdefault(each.group if each.active else f"{each.group}, not in use", []).append(each)
    half, so_far = sum(len(each) + 2 for each in found.values()) / 2, 0
    columns = st.columns(2, gap="medium")
    for name, each in found.items():
        with columns[0 if so_far < half else 1], st.container(border=True, gap=None):
            st.markdown(f"**{inert(name)}**")
            for one in each:
                line(one)
        so_far += len(each) + 2


def line(each: views.TypeLine) -> None:
    """Name, whose it is, how much is open, which version."""
    with st.container(
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key=f"type-{each.code}",
        gap=None,
    ):
        if st.button(inert(each.name), key=f"open-{each.code}", type="tertiary", icon=":material/edit:"):
            go.to("request_type", code=each.code)
        planned = f" :orange-badge[{inert(each.planned)}]" if each.planned else ""
        since = f", since {each.since}" if each.since else ""
        whose = each.division or each.department
        open_now = f"{each.open:,} open · " if each.open else ""
        st.caption(f"{inert(whose)} · {open_now}version {each.version_no}{inert(since)}{planned}", width="content")


@st.dialog("Bring in a request type", width="large")
def bring_in(actor: Actor) -> None:
    """A file chosen or pasted becomes a draft in the editor; what is wrong with it is said, and nothing is saved."""
    st.caption(
        "A file that was saved here or in another city. It opens as a draft: nothing counts before you publish it."
    )
    chosen = st.file_uploader("A file (.toml)", type=["toml"], key="rt-file", max_upload_size=1)
    pasted = st.text_area("Or its text", key="rt-paste", height=180, placeholder='code = "missed_garbage" …')
    if not st.button("Open as a draft", type="primary", key="rt-read"):
        return
    content = chosen.getvalue() if chosen is not None else (pasted or "").encode("utf-8", "replace")
    try:
        found, version = views.read_file(content, FILE_MOST_KB * 1024)
    except Refused as refused:
        sentences = "".join(f"\n- {inert(problem.message)}" for problem in refused.problems)
        st.error(f"**{inert(refused.title)}.**{sentences}", icon=":material/block:")
        return
    draft = design.opened(found, version)
    key = uuid.uuid4().hex
    query = {"code": draft["code"]} if version else {}
    drafts.save(
        actor, key, "request_type", f"Request type: {draft['name']}, from a file", query, {"draft": json.dumps(draft)}
    )
    go.to("request_type", form=key, **query)
