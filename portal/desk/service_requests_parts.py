"""What the pages of requests share: who a form is about, what is open nearby, the due time and why, facts, timelines, acts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from portal import settings
from portal.desk import attempt, call, go, lists
from portal.desk.text import inert, user_text
from portal.service_requests import commands, views
from portal.service_requests.rules.form import (
    AssignForm,
    CloseForm,
    JoinForm,
    KnownEventForm,
    MoveForm,
    ReopenForm,
    WorkOrderForm,
)
from portal.shared.text import format_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.desk.attempt import Attempt
    from portal.service_requests.views import Beside, CaseView, Nearby, WorkOrderView
    from portal.shared.command import Command

URGENCY = {"late": "red", "today": "orange", "later": "gray", "none": "gray"}
ANYWHERE = "elsewhere"
WIDTHS = {"Due": 108, "Number": 116, "Request": 150, "Where": 156, "State": 100, "With": 116}
"""Of the grid's columns, in pixels: together they fit beside the detail at 1440."""


# --- whom and where ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class About:
    """Whom and where a form is about: from the address, else from the call."""

    conversation_id: int | None
    channel: str
    person_id: int | None
    name: str
    phone: str
    email: str
    account_id: int | None
    account_number: str
    premise_id: int | None
    address: str


def about() -> About:
    """The page's parameters win; what they leave open comes from the conversation in progress."""
    here = call.context()
    account, premise, person = go.param_int("account"), go.param_int("premise"), go.param_int("person")
    if account is None and premise is None and person is None and here is not None:
        account, premise, person = here.account_id, here.premise_id, here.person_id
    who = views.caller_of(person, account)
    place = views.premise_of(premise, account)
    return About(
        conversation_id=None if here is None else here.id,
        channel="phone" if here is None else here.channel,
        person_id=who.person_id,
        name=who.name,
        phone=who.phone,
        email=who.email,
        account_id=who.account_id,
        account_number=who.account_number,
        premise_id=None if place is None else place[0],
        address="" if place is None else place[1],
    )


def header(subject: About) -> None:
    """Back to the customer, and what is known of them, in one line."""
    if subject.person_id is None and subject.premise_id is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="about"):
        if st.button(
            inert(subject.name or "Back"),
            icon=":material/arrow_back:",
            type="tertiary",
            shortcut="Esc",
            key="about.back",
        ):
            if subject.account_id is not None:
                go.to("customer", account=subject.account_id)
            go.to("customer", person=subject.person_id, premise=None if subject.person_id else subject.premise_id)
        words = [subject.address, f"Account {subject.account_number}" if subject.account_number else ""]
        st.caption(inert(" · ".join(word for word in words if word)), width="content")


def ways_to_tell(subject: About) -> dict[str, str]:
    """How this caller can be told, with the number or address it goes to."""
    ways = {"none": "Not at all"}
    if subject.person_id is not None:
        if subject.phone:
            ways |= {"text": f"Text to {format_phone(subject.phone)}", "call": f"Call {format_phone(subject.phone)}"}
        if subject.email:
            ways["email"] = f"E-mail to {subject.email}"
        ways["letter"] = "Letter"
    return ways


# --- before a new request ---------------------------------------------------------------------------------------------


def nearby(form: Attempt, found: Nearby, subject: About) -> None:
    """Known events and open requests, each joined in one key instead of opening another request."""

    def caller(values: Any, request_id: int = 0) -> JoinForm:
        return JoinForm(
            request_id, subject.person_id, subject.account_id, subject.conversation_id,
            values["tell_by"] or "none", values["description"] or "",
        )  # fmt: skip

    shortcut = iter(("Alt+J",))
    for event in found.known:
        with st.container(border=True, key=f"known-{event.event_id}") as card:
            st.markdown(f":orange-badge[:material/crisis_alert: Known event] **{inert(event.title)}**")
            user_text(event.words)
            with st.container(horizontal=True, vertical_alignment="center"):
                said = f"since {event.started}" + (f", next word {event.next_word}" if event.next_word else "")
                st.caption(inert(f"{said} · {event.number}"), width="stretch")
                form.instead(
                    "Count the caller in", commands.join_known_event,
                    lambda v, event=event: (event.event_id, caller(v), subject.premise_id),
                    key=f"known-{event.event_id}", icon=":material/group_add:", shortcut=next(shortcut, None),
                    refusal_on=card,
                )  # fmt: skip
    for line in found.open:
        with (
            st.container(border=True, key=f"open-{line.request_id}") as card,
            st.container(horizontal=True, vertical_alignment="center", wrap=False),
        ):
            with st.container(gap=None, width="stretch"):
                badge = "Open here" if line.where == "at this address" else "Open nearby"
                st.markdown(
                    f":orange-badge[:material/content_copy: {badge}] **{inert(line.name)}**, {inert(line.address or 'no address')}"
                )
                due = f", due {line.due}" if line.due else ""
                st.caption(inert(f"{line.where.capitalize()}, opened {line.opened}{due}, {line.number}"))
            form.instead(
                "Join it", commands.join_request, lambda v, line=line: (caller(v, line.request_id),),
                key=f"open-{line.request_id}", icon=":material/group_add:", shortcut=next(shortcut, None),
                refusal_on=card,
            )  # fmt: skip


def due_card(text: str, steps: Sequence[str], rule: str = "", *, late: bool = False) -> None:
    """When it is due, and each step why then."""
    with st.container(border=True, key="due-card"):
        with st.container(gap=None):
            st.caption("Due")
            words = inert(text[:1].upper() + text[1:])
            st.subheader(f":red[{words}]" if late else words)
        if steps:
            with st.expander("Why then?", type="compact", expanded=True):
                lines = [f"Rule: {rule}", *steps] if rule else list(steps)
                for line in lines:
                    with st.expander(inert(line), type="step", expanded=False, icon=":material/radio_button_checked:"):
                        pass


# --- lists of facts ---------------------------------------------------------------------------------------------------


def consequence(view: views.RequestFormView) -> None:
    """What to say, what to know, when it is due and why."""
    due = views.due_preview(view.definition.code)
    if view.definition.text_caller:
        with st.container(border=True):
            st.subheader("Say to the caller")
            st.text(view.definition.text_caller.replace("{due}", due.text))
    if view.definition.text_representative:
        st.info(inert(view.definition.text_representative), icon=":material/lightbulb:")
    due_card(due.text, due.steps, due.rule)


def facts(lines: Sequence[tuple[str, str]]) -> None:
    """Label at the left, value at the right, one line each."""
    with st.container(gap=None):
        for label, value in lines:
            with st.container(horizontal=True, wrap=False, horizontal_alignment="distribute"):
                st.caption(inert(label), width="content")
                st.markdown(f":small[{inert(value or '—')}]", width="content", text_alignment="right")


def timeline(steps: Sequence[Any]) -> None:
    """What happened, oldest first."""
    for step in steps:
        who = f" · {step.who}" if step.who else ""
        with st.expander(inert(step.what), type="step", expanded=True, icon=f":material/{step.icon}:"):
            st.caption(inert(f"{step.when}{who}"))
            if step.note:
                user_text(step.note)


def state_badges(view: CaseView | WorkOrderView | Beside) -> str:
    """State and due time as badges; the word says what the color says."""
    color = "green" if view.closed else "blue"
    badges = f":{color}-badge[{inert(view.state)}]"
    if view.due:
        if view.late:
            badges += f" :red-badge[:material/schedule: {inert(view.due[:1].upper() + view.due[1:])}]"
        elif view.closed:
            badges += f" :gray-badge[{inert(view.due[:1].upper() + view.due[1:])}]"
        else:
            badges += f" :orange-badge[:material/schedule: Due {inert(view.due)}]"
    return badges.replace("Due clock stands", "Clock stands").replace("Due no time promised", "No time promised")


# --- acts on one row --------------------------------------------------------------------------------------------------


def typed(key: str) -> Callable[[], Any]:
    """What a field holds at the click, not when the page was drawn."""
    return lambda: st.session_state.get(key)


def close_act(
    row_id: int, version: int, endings: Sequence[Any], command: Command, *, what: str, label: str = "Close it"
) -> None:
    """How it ended, a note, and the one button that closes."""
    names = {each.code: each.name for each in endings}
    key = f"{what}.close.{row_id}"
    if st.session_state.get(f"{key}.ending") not in names:
        st.session_state.pop(f"{key}.ending", None)
    chosen = st.selectbox(
        "How it ended",
        list(names),
        index=None,
        format_func=names.__getitem__,
        key=f"{key}.ending",
        placeholder="Choose one",
    )
    needs = any(each.code == chosen and each.requires_note for each in endings)
    st.text_area(
        "Note" if needs else "Note (optional)",
        key=f"{key}.note",
        height=80,
        placeholder="What was found, what the caller was told",
    )
    attempt.act(
        label, command,
        lambda: CloseForm(row_id, version, typed(f"{key}.ending")(), typed(f"{key}.note")() or ""),
        key_parts=(what, "close", row_id, version), spot=(what, "close", row_id), clears=(f"{key}.ending", f"{key}.note"),
        primary=True, shortcut="Ctrl+Enter",
    )  # fmt: skip


def move_act(
    row_id: int, version: int, moves: Sequence[Any], command: Command, *, what: str, note: bool = True
) -> None:
    """The allowed next states, and nothing else."""
    names = {each.code: each.name for each in moves}
    key = f"{what}.move.{row_id}"
    if st.session_state.get(f"{key}.to") not in names:
        st.session_state.pop(f"{key}.to", None)  # somebody else moved it on: this step is no longer there
    st.selectbox(
        "Next",
        list(names),
        index=None,
        format_func=names.__getitem__,
        key=f"{key}.to",
        placeholder="Choose the next state",
    )
    if note:
        st.text_input("Note (optional)", key=f"{key}.note")
    attempt.act(
        "Move it", command, lambda: MoveForm(row_id, version, typed(f"{key}.to")() or "", typed(f"{key}.note")() or ""),
        key_parts=(what, "move", row_id, version), spot=(what, "move", row_id), clears=(f"{key}.to", f"{key}.note"),
    )  # fmt: skip


def give_act(view: CaseView | WorkOrderView, row_id: int, command: Command, *, what: str) -> None:
    """To a person, or to another division."""
    people, divisions = dict(view.staff), dict(view.divisions)
    key = f"{what}.give.{row_id}"
    with st.container(gap="small"):
        st.selectbox(
            "Give to",
            list(people),
            index=None,
            format_func=people.__getitem__,
            key=f"{key}.person",
            placeholder="Nobody: back to the queue",
        )
        codes = list(divisions)
        at = codes.index(view.division_code) if view.division_code in codes else None
        st.selectbox("Division", codes, index=at, format_func=divisions.__getitem__, key=f"{key}.division")

        def asked() -> AssignForm:
            division = typed(f"{key}.division")()
            return AssignForm(
                row_id, view.version, typed(f"{key}.person")(), division if division != view.division_code else None
            )

        attempt.act(
            "Give it", command, asked, key_parts=(what, "give", row_id, view.version), spot=(what, "give", row_id),
            clears=(f"{key}.person", f"{key}.division"),
        )  # fmt: skip


def reopen_act(view: CaseView) -> None:
    """A closed case opens again only with a reason."""
    key = f"case.reopen.{view.request_id}"
    st.text_area("Why is it not over?", key=f"{key}.reason", height=80)
    attempt.act(
        "Reopen it", commands.reopen_request,
        lambda: ReopenForm(view.request_id, view.version, typed(f"{key}.reason")() or ""),
        key_parts=("reopen", view.request_id, view.version), spot=("reopen", view.request_id), clears=(f"{key}.reason",), primary=True,
    )  # fmt: skip


def order_act(view: CaseView) -> None:
    """A work order for this request: what, by whom."""
    key, divisions = f"case.order.{view.request_id}", dict(view.divisions)
    codes = list(divisions)
    at = codes.index(view.division_code) if view.division_code in codes else None
    st.text_input("What is to be done", key=f"{key}.name")
    st.selectbox("Division", codes, index=at, format_func=divisions.__getitem__, key=f"{key}.division")
    st.text_area("Instructions (optional)", key=f"{key}.words", height=80)
    name, division, words = (typed(f"{key}.{part}") for part in ("name", "division", "words"))
    attempt.act(
        "Write it", commands.write_work_order,
        lambda: WorkOrderForm(name() or "", division() or "", words() or "", request_id=view.request_id),
        key_parts=("order", view.request_id, view.version, len(view.orders)), spot=("order", view.request_id),
        clears=(f"{key}.name", f"{key}.words"),
    )  # fmt: skip


# --- the queue --------------------------------------------------------------------------------------------------------


def queue_list(view: views.QueueView, chosen: int, choose: Callable[[int], None]) -> None:
    """The queue as a grid where there is room and as a list on a phone: the style sheet shows one of the two."""
    import pandas as pd

    lines = view.lines
    with st.container(key="queue-grid"):
        frame = pd.DataFrame(
            {
                "Due": [line.due[:1].upper() + line.due[1:] for line in lines],
                "Number": [line.number for line in lines],
                "Request": [line.name for line in lines],
                "Where": [line.address or "—" for line in lines],
                "State": [line.state for line in lines],
                "With": [line.with_whom for line in lines],
            }
        )
        dark = st.context.theme.type == "dark"
        colors = {"late": "#F4AFAC" if dark else "#9B2C2C", "today": "#F0B877" if dark else "#8A4B0F"}
        tints = [f"color: {colors[line.urgency]}; font-weight: 600" if line.urgency in colors else "" for line in lines]
        key = f"queue-grid-{view.scope}-{view.page}"

        def from_grid() -> None:
            picked = st.session_state[key]["selection"]["rows"]
            if picked:
                choose(int(picked[0]))

        st.dataframe(
            lists.tinted(frame, "Due", tints), hide_index=True, key=key, row_height=38, height=38 * (len(lines) + 1) + 2,
            on_select=from_grid,
            selection_mode="single-row-required", selection_default={"selection": {"rows": [chosen], "columns": [], "cells": []}},
            column_config={name: st.column_config.Column(width=width) for name, width in WIDTHS.items()},
            alt=f"{view.total} cases, the most overdue first; the same cases follow as a list on a narrow screen",
        )  # fmt: skip
    with st.container(key="queue-list"):
        # Other cases are another list: a choice among the last ones would come back as words that stand for none of these.
        list_key = (
            f"queue-list-{view.scope}-{view.page}-{hash(tuple((line.what, line.row_id, line.due) for line in lines))}"
        )

        def from_list() -> None:
            picked = st.session_state[list_key]
            if isinstance(picked, int):
                choose(picked)

        st.radio(
            "Cases, the most overdue first",
            range(len(lines)),
            index=chosen,
            format_func=lambda at: (
                f":{URGENCY[lines[at].urgency]}-badge[{inert(lines[at].due)}] **{inert(lines[at].name)}**"
            ),
            captions=[inert(f"{line.address or 'no address'} · {line.state} · {line.number}") for line in lines],
            key=list_key,
            on_change=from_list,
        )


def empty_queue(view: views.QueueView, words: str) -> None:
    """Good news, or nothing found; what to do next in both cases."""
    with st.container(border=True):
        if words:
            st.subheader("Nothing here matches")
            st.caption(
                "Only open work of this queue is filtered; a whole number finds any case. Try another word or queue."
            )
            return
        st.subheader("Nothing is waiting here")
        fuller = next((scope for scope in view.scopes if scope.count and scope.code != view.scope), None)
        if fuller is None:
            st.caption("Every case is closed. New ones come in by themselves.")
        elif st.button(f"Look at “{inert(fuller.name)}” ({fuller.count:,})", icon=":material/arrow_forward:"):
            go.to("work_queue", scope=fuller.code)


def beside(view: views.Beside) -> None:
    """A request or work order beside the queue: what it is, before what can be done without opening it."""
    st.markdown(state_badges(view))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(inert(view.name), width="content")
        st.caption(inert(view.number), width="content")
    st.text(view.address or "No address")
    if view.person:
        st.caption(inert(view.person))
    if view.words:
        words = view.words[:300]
        user_text(words if view.what == "work_order" else f"“{words}”")
    facts([(fact.label, fact.value) for fact in view.facts])


def open_button(what: str, row_id: int) -> None:
    """From the queue to the page of its own."""
    label, page = ("Open the order", "work_order") if what == "work_order" else ("Open the case", "case")
    if st.button(label, key=f"open-{what}-{row_id}", shortcut="O", icon=":material/open_in_new:", width="stretch"):
        go.to(page, id=row_id)


# --- known events -----------------------------------------------------------------------------------------------------


def known_event_form(form: Attempt, view: views.KnownEventsView, chosen: views.KnownEventLine | None) -> None:
    """What happened, where, what to tell callers, when there is next word. The kind fills in words to begin with."""
    kinds = {code: (name, words, types) for code, name, words, types in view.kinds}
    areas, types = dict(view.areas), dict(view.request_types)
    with st.container(border=True, key="announce"):
        st.subheader("Announce a known event" if chosen is None else f"Change {chosen.number}")
        kind = form.choice(
            "kind_code",
            "Kind",
            list(kinds),
            None if chosen is None else chosen.kind_code,
            format_func=lambda code: kinds[code][0],
        )
        if kind is not None and kind != form.value("words_of") and chosen is None:
            # The kind was just chosen: its words and types are a start, to be made true for today.
            form.set("words", kinds[kind][1])
            form.set("request_type_codes", [code for code in kinds[kind][2] if code in types])
            form.set("words_of", kind)
        form.text("title", "Title", "" if chosen is None else chosen.title, placeholder="Main break on Oak St")
        form.area("words", "What to tell callers", "" if chosen is None else chosen.words)
        form.many(
            "area_codes",
            "Areas (none: the whole city)",
            list(areas),
            () if chosen is None else list(chosen.area_codes),
            format_func=areas.__getitem__,
        )
        with st.expander("Requests it explains"):
            form.many(
                "request_type_codes", "Request types (none: any)", list(types),
                () if chosen is None else [code for code in chosen.request_type_codes if code in types], format_func=types.__getitem__,
            )  # fmt: skip
        next_word = None if chosen is None or chosen.next_word_at is None else local_time(chosen.next_word_at)
        day, clock = st.columns(2, gap="small")
        form.date("next_on", "Next word on (optional)", None if next_word is None else next_word.date(), on=day)
        form.time("next_clock", "At", None if next_word is None else next_word.time(), on=clock)
        form.problem("next_word_at")
        form.number(
            "premise_count",
            "Premises touched, about (optional)",
            None if chosen is None else chosen.premise_count,
            min_value=0,
            step=1,
        )
        form.submit(
            "Announce it" if chosen is None else "Save the change",
            lambda v: (
                KnownEventForm(
                    kind_code=v["kind_code"] or "", title=v["title"] or "", words=v["words"] or "",
                    area_codes=tuple(v["area_codes"] or ()), request_type_codes=tuple(v["request_type_codes"] or ()),
                    premise_count=int(v["premise_count"] or 0), next_word_at=instant(v["next_on"], v["next_clock"]),
                    event_id=None if chosen is None else chosen.event_id, version=0 if chosen is None else chosen.version,
                ),
            ),
        )  # fmt: skip


def local_time(at: dt.datetime) -> dt.datetime:
    """An instant on the city's clock."""
    return at.astimezone(settings.current().time_zone)


def instant(on: dt.date | None, clock: dt.time | None) -> dt.datetime | None:
    """A day and a time on the city's clock as an instant; noon when only the day is given."""
    if on is None:
        return None
    return dt.datetime.combine(on, clock or dt.time(12), settings.current().time_zone).astimezone(dt.UTC)
