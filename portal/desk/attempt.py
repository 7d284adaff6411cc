"""Every form of the house: drawn once, carried out once, never losing what was typed.

Two clicks a moment apart reach the server as two runs, and a rerun can cut the script off after the commit and before the
message. So: each drawn form has a key, which stands in the URL and is the id of its draft; the command stores the key with its
result in its own transaction; and each run first asks whether the key was carried out, and then shows the receipt, not the form.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from portal.desk import go, incident, who
from portal.desk.text import inert
from portal.shared import drafts as draft_rows
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import NOT_SAVED, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.shared.actor import Actor
    from portal.shared.command import Command

PARAM = "form"


class Values(dict[str, Any]):
    """Answers by field code; a field that was not drawn answers None."""

    def __missing__(self, code: str) -> None:
        return None


@dataclass
class Attempt:
    """One form on one page: draws its fields, keeps its draft, carries its command out once."""

    page: str
    key: str
    command: Command
    title: str
    actor: Actor
    receipt: Receipt | None = None
    saved: dict[str, Any] = field(default_factory=dict)
    saved_at: dt.datetime | None = None
    drawn: list[str] = field(default_factory=list)
    touched: bool = False

    # --- fields -------------------------------------------------------------------------------------------------------

    def text(self, code: str, label: str, default: str = "", *, on: Any = None, **options: Any) -> str:
        """One line of text."""
        return self._draw("text_input", code, label, default, on, options) or ""

    def email(self, code: str, label: str, default: str = "", *, on: Any = None, **options: Any) -> str:
        return self.text(code, label, default, on=on, type="email", **options)

    def phone(self, code: str, label: str, default: str = "", *, on: Any = None, **options: Any) -> str:
        return self.text(code, label, default, on=on, type="phone", **options)

    def area(self, code: str, label: str, default: str = "", *, on: Any = None, **options: Any) -> str:
        """Several lines of text."""
        return self._draw("text_area", code, label, default, on, options) or ""

    def choice(
        self, code: str, label: str, options: Sequence[Any], default: Any = None, *, on: Any = None, **more: Any
    ) -> Any:
        """One of a searchable list; empty unless a default is given."""
        return self._draw("selectbox", code, label, default, on, {"options": options, **more}, options)

    def pick(
        self, code: str, label: str, options: Sequence[Any], default: Any = None, *, on: Any = None, **more: Any
    ) -> Any:
        """One of a few, all in sight."""
        return self._draw("segmented_control", code, label, default, on, {"options": options, **more}, options)

    def many(
        self, code: str, label: str, options: Sequence[Any], default: Sequence[Any] = (), *, on: Any = None, **more: Any
    ) -> list[Any]:
        """Any number of a few, all in sight."""
        return list(
            self._draw(
                "pills",
                code,
                label,
                list(default),
                on,
                {"options": options, "selection_mode": "multi", **more},
                options,
            )
            or []
        )

    def date(
        self, code: str, label: str, default: dt.date | None = None, *, on: Any = None, **more: Any
    ) -> dt.date | None:
        """A civil date, typed or picked, written as Americans write it."""
        more.setdefault("format", "MM/DD/YYYY")
        more.setdefault("min_value", dt.date(1900, 1, 1))
        more.setdefault("max_value", dt.date(2199, 12, 31))
        return self._draw("date_input", code, label, default, on, {"value": None, **more})

    def time(
        self, code: str, label: str, default: dt.time | None = None, *, on: Any = None, **more: Any
    ) -> dt.time | None:
        return self._draw("time_input", code, label, default, on, {"value": None, **more})

    def number(self, code: str, label: str, default: float | None = None, *, on: Any = None, **more: Any) -> Any:
        return self._draw("number_input", code, label, default, on, {"value": None, **more})

    def money(self, code: str, label: str, default: str = "", *, on: Any = None, **more: Any) -> str:
        """An amount as typed; the page's builder parses it with `portal.shared.money.parse_money`."""
        return self.text(code, label, default, on=on, icon=":material/attach_money:", **more)

    def check(self, code: str, label: str, default: bool = False, *, on: Any = None, **more: Any) -> bool:
        return bool(self._draw("checkbox", code, label, default, on, more))

    def photo(self, code: str, label: str, *, on: Any = None, **more: Any) -> Any:
        """A picture to be uploaded; it lives in the session until the form is carried out and is no part of the draft."""
        box = (st if on is None else on).container(gap=None)
        answer = box.file_uploader(label, key=self._widget(code), **more)
        self.problem(code, box)
        self.drawn.append(code)
        return answer

    def value(self, code: str, default: Any = None) -> Any:
        """What a field holds now, also before it is drawn on this run."""
        widget = self._widget(code)
        if widget in st.session_state:
            return st.session_state[widget]
        return self.saved.get(code, default)

    def held(self) -> list[str]:
        """The codes of all fields this form holds something for, drawn on this run or not."""
        start = self._widget("")
        present = [
            key.removeprefix(start) for key in st.session_state if isinstance(key, str) and key.startswith(start)
        ]
        return [*present, *(code for code in self.saved if code not in present)]

    def set(self, code: str, value: Any) -> None:
        """Puts a value into a field before it is drawn (a choice elsewhere decided it)."""
        st.session_state[self._widget(code)] = value

    def problem(self, code: str, on: Any = None) -> None:
        """The refusal that belongs to a field, under it; for parts of a form that draw their own widgets."""
        for found in self.problems():
            if found.field == code:
                (st if on is None else on).markdown(f":red[:material/error: {inert(found.message)}]")

    def problems(self) -> Sequence[Problem]:
        """What the primary button was refused for; a refusal of `instead` stands beside its own button."""
        refused = self._refusal("")
        return refused.problems if refused else ()

    def _refusal(self, button: str) -> Refused | None:
        refused = st.session_state.get(f"{self.key}.refused")
        return refused if refused and st.session_state.get(f"{self.key}.refused_by", "") == button else None

    # --- carrying out -------------------------------------------------------------------------------------------------

    def submit(
        self,
        label: str,
        build: Callable[[Values], tuple[Any, ...]],
        *,
        shortcut: str | None = "Ctrl+Enter",
        on: Any = None,
        disabled: bool = False,
        icon: str | None = None,
        draft_title: str = "",
    ) -> None:
        """The one primary button. `build` turns the answers, as they are at the click, into the command's arguments."""
        where = st if on is None else on
        others = [problem for problem in self.problems() if problem.field not in self.drawn]
        refused = self._refusal("")
        if refused:
            box = where.container(key=f"refused-{self.page}")
            lines = "".join(f"\n- {inert(problem.message)}" for problem in others)
            kept = "Everything" if refused.title == NOT_SAVED else "Nothing was saved; everything"
            box.error(f"**{inert(refused.title)}.** {kept} you typed is kept.{lines}", icon=":material/block:")
        where.button(
            label,
            key=f"{self.page}.submit",
            type="primary",
            shortcut=shortcut,
            disabled=disabled,
            icon=icon,
            on_click=_carry_out,
            args=(self, build, tuple(self.drawn)),
        )
        self._keep_draft(draft_title)

    def instead(
        self,
        label: str,
        command: Command,
        build: Callable[[Values], tuple[Any, ...]],
        *,
        key: str,
        on: Any = None,
        refusal_on: Any = None,
        **options: Any,
    ) -> None:
        """Another outcome of this form (joining a request instead of opening one): the same key, so only one of them happens,
        and its receipt stands where the form stood. Call it after the fields `build` reads. A refusal stands beside the
        button, in `refusal_on` where the button's own place is too narrow."""
        other = replace(self, command=command)
        where = st if on is None else on
        where.button(
            label,
            key=f"{self.page}.instead.{key}",
            on_click=_carry_out,
            args=(other, build, tuple(self.drawn), key),
            **options,
        )
        refused = self._refusal(key)
        if refused:
            sentences = " ".join(problem.message for problem in refused.problems)
            (where if refusal_on is None else refusal_on).error(
                f"**{inert(refused.title)}.** {inert(sentences)}", icon=":material/block:"
            )

    def _draw(
        self,
        kind: str,
        code: str,
        label: str,
        default: Any,
        on: Any,
        options: dict[str, Any],
        allowed: Sequence[Any] | None = None,
    ) -> Any:
        widget = self._widget(code)
        if widget not in st.session_state:
            initial = self.saved.get(code, default)
            if allowed is not None and initial is not None:
                # A draft may name a choice that is no longer offered.
                if isinstance(initial, list):
                    initial = [each for each in initial if each in allowed]
                elif initial not in allowed:
                    initial = None
            st.session_state[widget] = initial
        if kind == "selectbox":
            options["index"] = None  # empty until chosen: a preselected answer would invent a fact
        where = st if on is None else on
        # A box around each field would be a third of what a form draws: only a refusal needs one, to stand close below.
        box = where.container(gap=None) if any(found.field == code for found in self.problems()) else where
        answer = getattr(box, kind)(label, key=widget, **options)
        self.problem(code, box)
        self.drawn.append(code)
        if answer not in (default, None, "", []) and answer != default:
            self.touched = True
        return answer

    def _widget(self, code: str) -> str:
        return f"{self.page}.{self.key}.{code}"

    def answers(self, codes: Sequence[str]) -> Values:
        return Values({code: st.session_state.get(self._widget(code)) for code in codes})

    def _keep_draft(self, title: str) -> None:
        """Saves what was typed whenever it changed; nothing is saved before the first keystroke."""
        answers = draft_rows.encode({code: st.session_state.get(self._widget(code)) for code in self.drawn})
        if not self.touched or answers == st.session_state.get(f"{self.key}.kept"):
            return
        query = {name: value for name, value in st.query_params.items() if name != PARAM}
        draft_rows.save(self.actor, self.key, self.page, title or self.title, query, answers)
        st.session_state[f"{self.key}.kept"] = answers


def begin(page: str, command: Command, *, title: str) -> Attempt:
    """The form of this page: its key from the URL (a new one is put there), its receipt if it was carried out, else its draft."""
    actor = who.actor()
    key = st.query_params.get(PARAM, "")
    if not (8 <= len(key) <= 64 and key.isalnum()):
        key = uuid.uuid4().hex
        st.query_params[PARAM] = key
    found = draft_rows.load(actor, key)
    this = Attempt(
        page, key, command, title, actor, receipt=found.receipt, saved=found.answers, saved_at=found.saved_at
    )
    if this.receipt is not None and st.session_state.pop(f"{key}.just_done", False):
        st.rerun()  # the whole page once: menu counts and the call bar show the new state too
    return this


def _carry_out(
    attempt: Attempt, build: Callable[[Values], tuple[Any, ...]], codes: tuple[str, ...], button: str = ""
) -> None:
    """The click: runs before the page is drawn again, so a rerun cannot cut it off. `button`: which one, "" the primary."""
    key = attempt.key
    st.session_state.pop(f"{key}.refused", None)
    st.session_state[f"{key}.refused_by"] = button
    if draft_rows.was_carried_out(key):
        return
    try:
        receipt = attempt.command(who.actor(), *build(attempt.answers(codes)), key=key)
        st.session_state[f"{key}.just_done"] = not receipt.replayed
    except Refused as refused:
        st.session_state[f"{key}.refused"] = refused
    except Exception as error:  # noqa: BLE001  # a bug: logged whole, shown as a number
        st.session_state[f"{key}.refused"] = _as_refusal(error)


def _as_refusal(error: Exception) -> Refused:
    return Refused([Problem("", incident.sentence(error))], title="That did not work")


def act(
    label: str,
    command: Command,
    *args: Any,
    key_parts: Sequence[object],
    on: Any = None,
    primary: bool = False,
    spot: Sequence[object] | None = None,
    clears: Sequence[str] = (),
    **options: Any,
) -> None:
    """A button that carries one command out, once for the same `key_parts` (include the row's version in them). An argument
    that is a function is called at the click: it sees what was typed a moment ago. `spot` names the button's place without
    the version, so that a refusal is shown although the row has changed meanwhile; fields named in `clears` are emptied
    after a success and kept after a refusal."""
    where = st if on is None else on
    key = _act_key(key_parts)
    shown = key if spot is None else _act_key(spot)
    where.button(
        label, key=f"{shown}.button", type="primary" if primary else "secondary", on_click=_act,
        args=(key, shown, command, args, tuple(clears)), **options,
    )  # fmt: skip
    refused = st.session_state.pop(f"{shown}.refused", None)
    if refused:
        message = " ".join(problem.message for problem in refused.problems)
        where.error(f"**{inert(refused.title)}.** {inert(message)}", icon=":material/block:")


def _act_key(parts: Sequence[object]) -> str:
    return "act" + hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:40]


def _act(key: str, shown: str, command: Command, args: tuple[Any, ...], clears: tuple[str, ...]) -> None:
    try:
        receipt = command(who.actor(), *(each() if callable(each) else each for each in args), key=key)
        st.toast(inert(receipt.title), icon=":material/check_circle:")
        for name in clears:
            st.session_state.pop(name, None)
    except Refused as refused:
        st.session_state[f"{shown}.refused"] = refused
    except Exception as error:  # noqa: BLE001  # a bug: logged whole, shown as a number
        st.session_state[f"{shown}.refused"] = _as_refusal(error)


def show_receipt(receipt: Receipt, *, again: str | None = None, back: tuple[str, dict[str, Any]] | None = None) -> None:
    """What stands where the form stood: the outcome, the number to give, the words to say, what happens next."""
    st.title(f":green[:material/check_circle:] {inert(receipt.title)}")
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        if receipt.number:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown("Number to give", width="content")
                st.code(receipt.number, language=None, width="content")
        if receipt.say:
            with st.container(border=True):
                st.subheader("Say to the caller")
                st.text(receipt.say)
        for note in receipt.notes:
            st.markdown(f":material/info: {inert(note)}")
        with st.container(horizontal=True):
            if receipt.go and st.button("Open it", type="primary", icon=":material/open_in_new:", key="receipt.open"):
                go.to(receipt.go, **dict(receipt.go_query))
            if back is not None and st.button("Back to the customer", icon=":material/arrow_back:", key="receipt.back"):
                go.to(back[0], **back[1])
            if again and st.button(again, key="receipt.again", icon=":material/add:"):
                st.query_params.pop(PARAM, None)
                st.rerun()
    with right:
        if receipt.steps:
            with st.container(border=True):
                st.subheader("What happens next")
                for step in receipt.steps:
                    with st.expander(inert(step.when), type="step", expanded=True, icon=f":material/{step.icon}:"):
                        st.caption(inert(step.what))
        if receipt.orders:
            with st.container(border=True):
                st.subheader("Orders written")
                for number, what in receipt.orders:
                    with st.container(horizontal=True, horizontal_alignment="distribute"):
                        st.markdown(inert(what), width="content")
                        st.caption(inert(number), width="content")


def drafts(actor: Actor) -> Sequence[draft_rows.DraftLine]:
    """The forms this person began and did not finish, newest first."""
    return draft_rows.unfinished(actor)
