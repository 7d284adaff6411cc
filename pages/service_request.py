"""New request: what it is about, where, what is open already, the questions of its type, and when it is due."""

from collections.abc import Collection

import streamlit as st

from portal.desk import attempt, focus, forms, go, request_stop, who
from portal.desk import service_requests_parts as parts
from portal.desk.text import inert
from portal.service_requests import commands, views
from portal.service_requests.rules.form import RequestForm


def draw() -> None:
    """The customer's line above, the form below."""
    subject = parts.about()
    parts.header(subject)
    if not go.param("type"):
        focus.first(".type_code")
    entry(subject)


@who.fragment
def entry(subject: parts.About) -> None:
    """The whole form, or its receipt; choices rerun only this."""
    form = attempt.begin("service_request", commands.open_request, title="New request")
    if form.receipt:
        back = ("customer", {"account": subject.account_id}) if subject.account_id is not None else None
        attempt.show_receipt(form.receipt, again="Another request", back=back)
        return
    st.title("New request")
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        types = {each.code: each for each in views.request_types_for_entry(form.actor)}
        code = form.choice(
            "type_code", "What is it about?", list(types), default=_asked(types), format_func=lambda each: types[each].label,
            icon=":material/search:", required=True, placeholder="Missed, broken, leaking, too high, dark …",
        )  # fmt: skip
        if code is None:
            st.caption("Type a word of the caller’s: “mattress” finds Bulky item pickup. The questions follow.")
            return
        view = views.request_form(code, subject.premise_id, subject.account_id, forms.answers_so_far(form, code))
        if view is None:
            st.error("This request type is no longer in use. Choose another.", icon=":material/block:")
            return
        at_premise = where(form, view, subject)
        premise_id = subject.premise_id if at_premise else None
        found = views.open_nearby(premise_id, code)
        below = st.container()
        with st.container(border=True, key="questions"):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.subheader(inert(view.definition.name), width="content")
                since = f", since {view.since_on:%b} {view.since_on.day}" if view.since_on else ""
                st.caption(f"form version {view.version_no}{since}", width="content")
            forms.draw(form, view.definition)
            # Below the questions: most calls leave them as they are, and the Tab key comes to the questions first.
            words, tell = st.columns([1.75, 1], gap="medium")
            form.area("description", "In the caller’s words (optional)", on=words, height=90)
            ways = parts.ways_to_tell(subject)
            form.choice("tell_by", "Tell the caller by", list(ways), "none", on=tell, required=True,
                        format_func=ways.__getitem__)  # fmt: skip
        with below:
            parts.nearby(form, found, subject)
        if view.stop is not None:
            request_stop.draw(form, view, subject, premise_id)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            form.submit(
                "Open the request",
                lambda v: (
                    RequestForm(
                        type_code=code, answers=forms.answers(view.definition, v), premise_id=premise_id,
                        account_id=subject.account_id, person_id=subject.person_id, conversation_id=subject.conversation_id,
                        address=v["address"] or "", description=v["description"] or "", tell_by=v["tell_by"] or "none",
                        channel=subject.channel,
                    ),
                ),
                draft_title=f"New request: {view.definition.name}",
            )  # fmt: skip
            st.caption(inert(f"Priority {view.definition.priority} · goes to {view.division or 'its department'}"))
    with right:
        parts.consequence(view)


def _asked(types: Collection[str]) -> str | None:
    """A type named in the address (a page that sends here), if it can be opened."""
    named = go.param("type")
    return named if named in types else None


def where(form: attempt.Attempt, view: views.RequestFormView, subject: parts.About) -> bool:
    """The premise, or a spot in words; answers whether it is the premise."""
    at_premise = subject.premise_id is not None
    if at_premise and view.definition.place != "premise":
        choices = {"premise": subject.address, parts.ANYWHERE: "Another spot"}
        at_premise = (
            form.choice("place", "Where", list(choices), "premise", required=True, format_func=choices.__getitem__)
            == "premise"
        )
    elif at_premise:
        st.markdown(f":gray[Where] :material/location_on: {inert(subject.address)}")
    if not at_premise and view.definition.place == "premise":
        st.markdown("**Where**: this request belongs to an address we serve.")
        form.problem("address")
        form.drawn.append("address")
        if st.button("Find the address", icon=":material/search:", key="find-address"):
            go.to("call_desk")
    elif not at_premise and view.definition.place == "place":
        form.text("address", "Address, crossing or nearest house number", icon=":material/location_on:")
    return at_premise


draw()
