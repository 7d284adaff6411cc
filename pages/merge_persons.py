"""Merge two records: both side by side, what to look at twice, and which one stays."""

import streamlit as st

from portal.accounts import commands, views
from portal.desk import accounts_parts as parts
from portal.desk import attempt, go, who
from portal.desk.text import inert


@who.fragment
def draw() -> None:
    """Choose the second record, compare, merge."""
    form = attempt.begin("merge_persons", commands.merge_persons, title="Merge two records")
    if form.receipt:
        attempt.show_receipt(form.receipt, back=("customer", {"person": form.receipt.subject_id}))
        return
    kept_id, old_id = go.param_int("kept"), go.param_int("old")
    view = views.merge_view(old_id, kept_id, who.actor())
    st.title("Merge two records")
    st.text(
        "Two records of one person become one. Accounts, powers, flags and numbers move; the old number still finds them."
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Stays")
        side(view.kept, "kept")
    with right:
        st.subheader("Goes into it")
        side(view.old, "old")
    kept, old = view.kept, view.old
    if kept is None or old is None:
        return
    for warning in view.warnings:
        st.markdown(f":orange[:material/warning: {inert(warning)}]")
    for problem in view.problems:
        st.markdown(f":red[:material/error: {inert(problem)}]")
    with st.container(horizontal=True):
        form.submit(
            f"Merge {old.number} into {kept.number}",
            lambda _: (old.person_id, kept.person_id, old.version, kept.version),
            icon=":material/merge:",
            disabled=bool(view.problems),
            draft_title="Merge two records",
        )
        if st.button("Swap sides", icon=":material/swap_horiz:", key="merge.swap"):
            st.query_params["kept"], st.query_params["old"] = str(old.person_id), str(kept.person_id)
            st.rerun(scope="fragment")


def side(record: views.RecordSide | None, param: str) -> None:
    """One record, or the box that finds it."""
    if record is None:
        found = parts.find_box(f"merge.{param}", label="Find the record", most=5)
        if found.matches:
            people = [match for match in found.matches if match.person_id is not None]
            parts.match_rows(
                views.FindResult(found.text, tuple(people)),
                lambda match: choose(param, match.person_id),
                label="Choose",
                key=f"merge-{param}",
            )
        elif not found.too_short:
            st.caption("Nothing fits. Try the person’s number, phone or an account.")
        return
    parts.facts(
        record.name,
        [
            ("Number", record.number),
            ("Kind", record.kind.capitalize()),
            ("Phone", record.phone or "none"),
            ("Other phone", record.other_phone),
            ("E-mail", record.email or "none"),
            ("Mailing address", record.mailing_address),
            ("May act on", f"{record.acts_for} accounts" if record.acts_for else ""),
            ("Old numbers", ", ".join(record.old_numbers)),
            ("Exempt", "from public records" if record.exempt else ""),
        ],
    )
    for line in record.accounts or ("No account.",):
        st.caption(inert(line))
    if st.button("Choose another", key=f"merge.{param}.other", type="tertiary"):
        st.query_params.pop(param, None)
        st.rerun(scope="fragment")


def choose(param: str, person_id: int | None) -> None:
    """Puts the chosen record into the address of the page."""
    st.query_params[param] = str(person_id)
    st.rerun(scope="fragment")


draw()
