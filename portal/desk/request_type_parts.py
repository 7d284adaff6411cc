"""The page that designs a request type: one thing in each section, everything typed kept in one draft.

The draft is one value of the form (`rules.design`). Only the section in sight draws its fields; what they hold goes into the
draft at the beginning of each run and at each click, so that changing the section, a reconnect or a refusal loses nothing.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from portal.desk.text import inert, today, user_text
from portal.service_requests.rules import design, design_change, request_type
from portal.service_requests.rules.publish import PublishForm
from portal.service_requests.views import request_types as views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.desk.attempt import Attempt, Values

SECTIONS = {
    "basics": "Basics",
    "questions": "Questions",
    "stops": "No request needed",
    "routes": "Goes to",
    "due": "Due",
    "endings": "Closing",
    "words": "Words",
    "versions": "Versions",
}
PLACES = {"premise": "At an address we serve", "place": "At any spot", "none": "Nowhere"}
SCOPES = {"metres": "The same type close by", "premise": "The same address", "none": "Do not look"}
PRIORITIES = {each: each.capitalize() for each in request_type.PRIORITIES}
DURING = {"open": "while open", "closed": "while closed"}
NOTHING = 0
"""The question a row does not depend on."""


@dataclass
class Editor:
    """One run of the page: the form, the draft as it is now, and what there is to choose from."""

    form: Attempt
    draft: dict[str, Any]
    found: views.Designed | None
    offered: views.Offered

    def at(self, code: str) -> str:
        return f"top:{code}"

    def text(self, code: str, label: str, **more: Any) -> None:
        self.form.text(self.at(code), label, self.draft[code], **more)

    def area(self, code: str, label: str, **more: Any) -> None:
        self.form.area(self.at(code), label, self.draft[code], **more)

    def choice(self, code: str, label: str, names: Mapping[str, str], **more: Any) -> None:
        self.form.choice(
            self.at(code),
            label,
            list(names),
            self.draft[code] or None,
            format_func=lambda each: names.get(each, each),
            **more,
        )

    def pick(self, code: str, label: str, names: Mapping[str, str], **more: Any) -> None:
        self.form.pick(
            self.at(code), label, list(names), self.draft[code], format_func=names.__getitem__, required=True, **more
        )


def load(form: Attempt, code: str | None, copy_of: str | None) -> Editor | None:
    """The draft of this form, begun from the newest version, a copy or nothing; None when there is no such type."""
    found = None if code is None else views.designed(code)
    if code is not None and found is None:
        return None
    fresh = views.new_draft(copy_of or "") if found is None else design.opened(found.detail, found.version_no)
    draft = _present(form, fresh)
    form.set("draft", json.dumps(draft))
    form.drawn.append("draft")
    form.touched = draft != fresh
    return Editor(form, draft, found, views.offered())


def _present(form: Attempt, fresh: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The draft with everything that stands in the fields now."""
    kept = form.value("draft")
    draft = json.loads(kept) if kept else dict(fresh or {})
    start = f"{form.page}.{form.key}."
    for key in [key for key in st.session_state if isinstance(key, str) and key.startswith(start)]:
        place, _, rest = key.removeprefix(start).partition(":")
        value = st.session_state[key]
        if place == "top" and rest in draft:
            draft[rest] = _plain(value, draft[rest])
        elif place in design.SECTIONS:
            row_id, _, code = rest.partition(":")
            row = next((row for row in draft[place] if str(row["id"]) == row_id), None)
            if row is not None and code in row:
                row[code] = (
                    design.values_of(value or "", row[code]) if code == "values" else _plain(value, row[code], code)
                )
    return draft


def _plain(value: Any, before: Any, code: str = "") -> Any:
    """A field's value as a draft holds it: nothing chosen is empty text, no question or an empty list."""
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    if value is None:
        return (
            ""
            if isinstance(before, str)
            else []
            if isinstance(before, list)
            else NOTHING
            if code in ("question", "ending")
            else None
        )
    return list(value) if isinstance(value, (list, tuple)) else value


def change(form: Attempt, how: Callable[..., dict[str, Any]], *args: Any) -> None:
    """A click that changes the draft's lists, with what was typed a moment ago in it."""
    form.set("draft", json.dumps(how(_present(form), *args)))


def build(form: Attempt) -> Callable[[Values], tuple[Any, ...]]:
    """The draft as the command takes it, read at the click."""

    def built(values: Values) -> tuple[Any, ...]:
        draft = _present(form)
        return (PublishForm(finished(draft), values["effective_on"], draft["base"]),)

    return built


def finished(draft: dict[str, Any]) -> dict[str, Any]:
    """The definition a draft says; a promise nobody put into words gets the plainest ones."""
    detail = design.written(draft)
    if "sla" in detail and not detail["sla"]["rule"]:
        calendar = views.offered().calendars.get(draft["calendar"], draft["calendar"])
        detail["sla"]["rule"] = design.promise_words(draft, calendar)[:120]
    return detail


# --- what stands around the sections ----------------------------------------------------------------------------------


def problems(editor: Editor, detail: Mapping[str, Any]) -> list[str]:
    """What is to be corrected before it can be published, in words of the page."""
    named = bool(design.type_code(editor.draft))
    found = [problem for problem in views.problems_of(detail) if named or problem.field != "code"]
    return list(dict.fromkeys(design.on_screen(problem.message, editor.draft) for problem in found))


def stale(editor: Editor) -> None:
    """Somebody published a version meanwhile: what changed, and the way to continue."""
    found, draft = editor.found, editor.draft
    if found is None or draft["base"] == found.version_no:
        return
    newer = [line for line in found.versions if line.version_no > draft["base"]]
    lines = "".join(f"\n- {inert(change)}" for line in newer for change in line.changes)
    st.warning(
        f"Version {found.version_no} was published by {inert(newer[0].who)} {inert(newer[0].when)}, after you began:{lines}",
        icon=":material/history:",
    )
    st.button(
        f"Continue with my draft on top of version {found.version_no}",
        on_click=change,
        args=(editor.form, lambda draft: draft | {"base": found.version_no}),
        key="rt-rebase",
    )


def foot(editor: Editor, detail: Mapping[str, Any], wrong: Sequence[str]) -> None:
    """What changes, from when, and the one button that publishes it."""
    form, found = editor.form, editor.found
    changed = design_change.differences(found.detail if found is not None else None, detail)
    with st.container(border=True, key="rt-publish"):
        if wrong:
            lines = "".join(f"\n- {inert(sentence)}" for sentence in wrong[:12])
            more = f"\n- and {len(wrong) - 12} more" if len(wrong) > 12 else ""
            st.markdown(f":orange-badge[:material/edit_note: To be completed]{lines}{more}")
        elif found is not None and not changed:
            st.caption("Nothing is different from the version in force yet.")
        elif found is not None:
            st.markdown(
                f"**What changes in version {found.version_no + 1}**"
                + "".join(f"\n- {inert(each)}" for each in changed)
            )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            form.date("effective_on", "Counts from", today(), on=st.container(width=180))
            version = 1 if found is None else found.version_no + 1
            form.submit(
                f"Publish version {version}", build(form), icon=":material/publish:",
                draft_title=f"Request type: {editor.draft['name'].strip() or 'a new one'}",
            )  # fmt: skip
        open_now = 0 if found is None else found.open
        if open_now:
            st.caption(
                f"{open_now} open {'request keeps' if open_now == 1 else 'requests keep'} the version and the words it was opened with."
            )


def section(editor: Editor, name: str) -> None:
    """The section in sight."""
    _DRAW[name](editor)


# --- the sections -----------------------------------------------------------------------------------------------------


def _basics(editor: Editor) -> None:
    form, draft, offered = editor.form, editor.draft, editor.offered
    left, right = st.columns([1.6, 1], gap="medium")
    editor.text("name", "Name", on=left, placeholder="Missed garbage", max_chars=200)
    if editor.found is None:
        editor.text("code", "Code (optional)", on=right, placeholder=design.type_code(draft) or "made from the name",
                    help="A short name for files and reports; it never changes. Left empty, it is made from the name.")  # fmt: skip
    else:
        with right:
            st.markdown(f"**Code**  \n{inert(editor.found.code)}")
    form.choice(
        editor.at("group"), "Group", list(dict.fromkeys([*offered.groups, *([draft["group"]] if draft["group"] else [])])),
        draft["group"] or None, on=left, accept_new_options=True, placeholder="Choose one, or type a new one",
    )  # fmt: skip
    editor.choice("kind", "Kind", request_type.KINDS, on=right, required=True)
    editor.area("synonyms", "Words of the public", height=80, placeholder="dark street, lamp post, light on all day",
                help="What callers say, with commas between. The search for a type finds it by each of them.")  # fmt: skip
    left, right = st.columns(2, gap="medium")
    editor.choice("place", "Where is it?", PLACES, on=left, required=True)
    editor.choice("priority", "Priority", PRIORITIES, on=right, required=True)
    form.many(
        editor.at("opened_by"), "Who may open it (none: everybody who opens requests)", list(offered.roles),
        [role for role in draft["opened_by"] if role in offered.roles], format_func=offered.roles.__getitem__,
    )  # fmt: skip
    left, right = st.columns(2, gap="medium")
    editor.choice("scope", "The same trouble, reported already?", SCOPES, on=left, required=True)
    if draft["scope"] != "none":
        form.number(
            editor.at("metres"), "Within meters", draft["metres"], on=right, min_value=1, max_value=2000, step=1
        )
    form.check(editor.at("active"), "In use: offered for new requests", draft["active"])


def _questions(editor: Editor) -> None:
    form, rows = editor.form, editor.draft["question"]
    if not rows:
        st.caption("No questions yet. Ask only what the crew needs: each question is asked while the caller waits.")
    for at, row in enumerate(rows):
        kind = design.DATATYPES.get(row["datatype"], row["datatype"])
        words = row["description"].strip() or "New question"
        needs = " · required" if row["required"] else ""
        with st.expander(
            f"{at + 1}. {inert(words)} · {kind}{needs}", expanded=not row["description"], key=f"rt-q-{row['id']}"
        ):
            code = _row_code("question", row)
            form.text(code("description"), "Question", row["description"], placeholder="How many carts?")
            left, right = st.columns([1.4, 1], gap="medium", vertical_alignment="bottom")
            form.choice(code("datatype"), "Kind of answer", list(design.DATATYPES), row["datatype"], on=left,
                        format_func=design.DATATYPES.__getitem__, required=True)  # fmt: skip
            form.check(code("required"), "Required", row["required"], on=right)
            if row["datatype"] in request_type.LISTS:
                form.area(
                    code("values"),
                    "Answers, one to a line",
                    design.values_text(row["values"]),
                    height=110,
                    placeholder="Yes\nNo",
                )
            if row["datatype"] == "number":
                left, right = st.columns(2, gap="medium")
                form.number(code("minimum"), "At least (optional)", row["minimum"], on=left, step=1)
                form.number(code("maximum"), "At most (optional)", row["maximum"], on=right, step=1)
            form.text(code("help"), "Help (optional)", row["help"])
            _condition(editor, "question", row, "Asked only when (optional)", before=row["id"])
            form.text(code("code"), "Code (optional)", row["code"],
                      placeholder=design.question_codes(editor.draft)[row["id"]],
                      help="For files and reports. Left empty, it is made from the question.")  # fmt: skip
            _row_buttons(editor, "question", row, at, len(rows), words)
    _add(editor, "question", "Add a question")


def _stops(editor: Editor) -> None:
    form, rows = editor.form, editor.draft["stop"]
    st.caption(
        "When an answer is given, no request is opened: the caller is told why, and the conversation keeps it. "
        "“Cart was not out by 6:30” may end with advice; “not our street” with a refusal."
    )
    for at, row in enumerate(rows):
        code = _row_code("stop", row)
        words = row["caller"].strip()[:50] or "New answer"
        with st.expander(f"{at + 1}. {inert(words)}", expanded=not row["caller"], key=f"rt-s-{row['id']}"):
            _condition(editor, "stop", row, "When the answer to")
            form.pick(code("outcome"), "Then", list(request_type.OUTCOMES), row["outcome"], required=True,
                      format_func=request_type.OUTCOMES.__getitem__)  # fmt: skip
            form.area(code("caller"), "Say to the caller", row["caller"], height=80)
            form.area(code("staff"), "Reason for the desk", row["staff"], height=80)
            _row_buttons(editor, "stop", row, at, len(rows), words)
    _add(editor, "stop", "Add an answer that ends the call")


def _routes(editor: Editor) -> None:
    form, draft, offered = editor.form, editor.draft, editor.offered
    left, right = st.columns(2, gap="medium")
    editor.choice("department", "Department", offered.departments, on=left)
    names = {
        code: name for code, name in offered.divisions.items() if offered.department_of[code] == draft["department"]
    }
    editor.choice("division", "Goes to, unless a row below fits", names or offered.divisions, on=right)
    st.caption("Rows are read from the top: the first that fits decides. A row without conditions always fits.")
    for at, row in enumerate(draft["route"]):
        code = _row_code("route", row)
        words = offered.divisions.get(row["division"], "New row")
        with st.expander(f"{at + 1}. {inert(words)}", expanded=not row["division"], key=f"rt-r-{row['id']}"):
            form.choice(code("division"), "Goes to", list(offered.divisions), row["division"] or None,
                        format_func=offered.divisions.__getitem__)  # fmt: skip
            if offered.areas:
                form.many(code("areas"), "Only in these areas (none: everywhere)", list(offered.areas),
                          [each for each in row["areas"] if each in offered.areas],
                          format_func=offered.areas.__getitem__)  # fmt: skip
            _condition(editor, "route", row, "Only when (optional)")
            left, right = st.columns(2, gap="medium")
            form.choice(code("calendar"), "Only by these hours (optional)", list(offered.calendars), row["calendar"] or None,
                        on=left, format_func=offered.calendars.__getitem__, placeholder="At any time")  # fmt: skip
            if row["calendar"]:
                form.pick(code("during"), "and only", list(DURING), row["during"], on=right, required=True,
                          format_func=DURING.__getitem__)  # fmt: skip
            form.text(code("why"), "Why there (shown on the request, optional)", row["why"])
            _row_buttons(editor, "route", row, at, len(draft["route"]), words)
    _add(editor, "route", "Add a row")


def _due(editor: Editor) -> None:
    form, draft, offered = editor.form, editor.draft, editor.offered
    form.check(editor.at("promise"), "A time is promised", draft["promise"])
    if not draft["promise"]:
        st.caption("Requests of this type have no due time: nothing is late, nothing is promised.")
        return
    editor.choice("unit", "Counted in", design.TARGETS, required=True)
    left, right = st.columns(2, gap="medium")
    labels = {"working_days": "How many service days later", "business_minutes": "How many minutes"}
    form.number(
        editor.at("count"), labels.get(draft["unit"], "How many days"), draft["count"], on=left, min_value=1, step=1
    )
    if draft["unit"] == "working_days":
        form.time(editor.at("at"), "By what time", _time(draft["at"]), on=right, format="12h")
    editor.choice("calendar", "Whose days and hours", offered.calendars, required=True)
    suggested = design.promise_words(draft, offered.calendars.get(draft["calendar"], draft["calendar"]))
    editor.text("rule", "The promise in words (optional)", placeholder=suggested)


def _endings(editor: Editor) -> None:
    form, rows = editor.form, editor.draft["ending"]
    st.caption("The ways a request of this type can end. Closing always asks for one of them.")
    for at, row in enumerate(rows):
        code = _row_code("ending", row)
        words = row["name"].strip() or "New ending"
        with st.expander(f"{at + 1}. {inert(words)}", expanded=not row["name"], key=f"rt-e-{row['id']}"):
            form.text(code("name"), "How it ended", row["name"], placeholder="Collected on return trip")
            left, right = st.columns(2, gap="medium")
            form.check(code("requires_note"), "Needs a note", row["requires_note"], on=left)
            form.check(code("requires_order"), "Needs a work order that was done", row["requires_order"], on=right)
            _row_buttons(editor, "ending", row, at, len(rows), words)
    _add(editor, "ending", "Add an ending")


def _words(editor: Editor) -> None:
    form, draft, offered = editor.form, editor.draft, editor.offered
    editor.area("caller", "Say to the caller", height=100, help="{due} becomes the due time in words.",
                placeholder="We look into it by {due}.")  # fmt: skip
    editor.area("representative", "For the representative (optional)", height=100,
                placeholder="What to ask first, what not to promise.")  # fmt: skip
    st.subheader("Letters")
    st.caption("Which letter, text or e-mail goes out. Without a row here the city’s usual one does.")
    endings = {row["id"]: row["name"].strip() or "New ending" for row in draft["ending"]}
    for at, row in enumerate(draft["letter"]):
        code = _row_code("letter", row)
        with st.expander(
            f"{at + 1}. {inert(offered.letters.get(row['letter'], 'New letter'))}",
            expanded=not row["letter"],
            key=f"rt-l-{row['id']}",
        ):
            form.pick(code("moment"), "When", list(request_type.MOMENTS), row["moment"], required=True,
                      format_func=request_type.MOMENTS.__getitem__)  # fmt: skip
            if row["moment"] == "closed":
                form.choice(code("ending"), "Only for this ending (optional)", list(endings), row["ending"] or None,
                            format_func=endings.__getitem__, placeholder="However it ended")  # fmt: skip
            form.choice(
                code("letter"), "Letter", list(offered.letters), row["letter"] or None, format_func=offered.letters.__getitem__
            )  # fmt: skip
            _row_buttons(editor, "letter", row, at, len(draft["letter"]), offered.letters.get(row["letter"], "letter"))
    _add(editor, "letter", "Add a letter")


def _versions(editor: Editor) -> None:
    if editor.found is None:
        st.caption("A new type has no versions yet.")
        return
    for line in editor.found.versions:
        with st.container(border=True, gap="small"):
            color = {"in force": "green", "planned": "orange"}.get(line.state, "gray")
            st.markdown(f"**Version {line.version_no}** :{color}-badge[{line.state}]")
            counts = "has always counted" if line.since == "always" else f"counts from {line.since}"
            st.caption(inert(f"{counts} · {line.who}" + (f", {line.when}" if line.when else "")))
            for each in line.changes:
                user_text(each)


_DRAW: dict[str, Callable[[Editor], None]] = {
    "basics": _basics, "questions": _questions, "stops": _stops, "routes": _routes, "due": _due, "endings": _endings,
    "words": _words, "versions": _versions,
}  # fmt: skip


# --- parts of rows ----------------------------------------------------------------------------------------------------


def _row_code(section: str, row: Mapping[str, Any]) -> Callable[[str], str]:
    return lambda code: f"{section}:{row['id']}:{code}"


def _condition(editor: Editor, section: str, row: Mapping[str, Any], label: str, before: int | None = None) -> None:
    """A question that is a list, and which of its answers; `before` allows only questions asked earlier than that one."""
    asked = []
    for each in editor.draft["question"]:
        if before is not None and each["id"] == before:
            break
        if each["datatype"] in request_type.LISTS:
            asked.append(each)
    names = {each["id"]: each["description"].strip() or "New question" for each in asked}
    if not names and not row["question"]:
        if section == "stop":
            st.caption("It needs a question with a list of answers. Add one under Questions first.")
        return
    code = _row_code(section, row)
    left, right = st.columns([1.2, 1], gap="medium")
    editor.form.choice(code("question"), label, list(names), row["question"] or None, on=left,
                       format_func=names.__getitem__, placeholder="Any answer")  # fmt: skip
    chosen = next((each for each in asked if each["id"] == row["question"]), None)
    if chosen is not None:
        answers = {value["key"]: value["name"] for value in chosen["values"]}
        editor.form.many(code("is"), "is any of", list(answers), [each for each in row["is"] if each in answers], on=right,
                         format_func=answers.__getitem__)  # fmt: skip


def _row_buttons(editor: Editor, section: str, row: Mapping[str, Any], at: int, total: int, words: str) -> None:
    with st.container(horizontal=True):
        for label, icon, by, off in (
            ("Up", "arrow_upward", -1, at == 0),
            ("Down", "arrow_downward", 1, at == total - 1),
        ):
            st.button(
                label, icon=f":material/{icon}:", key=f"rt-{label}-{section}-{row['id']}", type="tertiary", disabled=off,
                help=f"Move “{inert(words)}” {label.lower()}", on_click=change,
                args=(editor.form, design.moved, section, row["id"], by),
            )  # fmt: skip
        st.button(
            "Remove", icon=":material/delete:", key=f"rt-remove-{section}-{row['id']}", type="tertiary",
            help=f"Remove “{inert(words)}”", on_click=change, args=(editor.form, design.removed, section, row["id"]),
        )  # fmt: skip


def _add(editor: Editor, section: str, label: str) -> None:
    st.button(label, icon=":material/add:", key=f"rt-add-{section}", on_click=change,
              args=(editor.form, design.added, section))  # fmt: skip


def _time(text: str) -> dt.time | None:
    try:
        return dt.time.fromisoformat(text)
    except ValueError:
        return None
