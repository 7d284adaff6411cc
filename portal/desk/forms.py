"""A question of a pack becomes a widget, its widget an answer: the closed list of nine kinds, and nothing else.

Answers start empty: a preselected “out by 6:30: yes” would invent facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from portal.service_requests.rules.answer import Photo, shown_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portal.desk.attempt import Attempt
    from portal.service_requests.rules.request_type import Definition, FieldSpec

IN_SIGHT_CHOICES, IN_SIGHT_LETTERS = 5, 44
"""A list is drawn as buttons while it has at most so many choices and letters; beyond, as a box to search in."""


def draw(form: Attempt, definition: Definition, own: Callable[[], Any] | None = None) -> dict[str, Any]:
    """Draws the questions that are asked, two beside each other where they are short, and returns the answers so far.

    `own` draws what stands below the questions in the same card.
    """
    beside: Any = None
    for field in shown_fields(definition, present(form, definition)):
        if _is_wide(field):
            beside = None
            _question(form, definition, field, st.container())
        elif beside is None:
            left, beside = st.columns(2, gap="medium")
            _question(form, definition, field, left)
        else:
            _question(form, definition, field, beside)
            beside = None
    if own is not None:
        own()
    return present(form, definition)


def code_of(definition: Definition, field: FieldSpec) -> str:
    """The field's code in the form: with its type's, so that two types with a question of one name share no answer."""
    return f"{definition.code}:{field.code}"


def present(form: Attempt, definition: Definition) -> dict[str, Any]:
    """What the form holds now, by the questions' own codes."""
    return {field.code: form.value(code_of(definition, field)) for field in definition.fields}


def answers_so_far(form: Attempt, type_code: str) -> dict[str, Any]:
    """What is answered of a type before its form is drawn, by the questions' own codes: it may decide where a request goes."""
    start = f"{type_code}:"
    held = {code: form.value(code) for code in form.held() if code.startswith(start)}
    return {code.removeprefix(start): value for code, value in held.items() if value not in (None, "", [])}


def answers(definition: Definition, values: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as the command takes them, from a form's values at the click."""
    found = {}
    for field in definition.fields:
        value = values.get(code_of(definition, field))
        if field.datatype == "photo" and value is not None:
            value = Photo(value.name, value.getvalue())
        if value not in (None, "", []):
            found[field.code] = value
    return found


def _is_wide(field: FieldSpec) -> bool:
    letters = sum(len(choice.name) for choice in field.choices)
    return field.datatype in ("text", "photo") or (field.datatype == "multivaluelist" and letters > IN_SIGHT_LETTERS)


def _question(form: Attempt, definition: Definition, field: FieldSpec, where: Any) -> None:
    """One question. A refusal names the question's own code, so its problem is drawn here."""
    code = code_of(definition, field)
    label = field.description if field.required else f"{field.description} (optional)"
    more: dict[str, Any] = {"help": field.help or None}
    box = where.container(gap=None)
    match field.datatype:
        case "text":
            form.area(code, label, on=box, **more)
        case "number":
            form.number(code, label, on=box, min_value=field.minimum, max_value=field.maximum, **_step(field), **more)
        case "datetime":
            form.date(code, label, on=box, **more)
        case "singlevaluelist":
            keys = [choice.key for choice in field.choices]
            letters = sum(len(choice.name) for choice in field.choices)
            ask = form.pick if len(keys) <= IN_SIGHT_CHOICES and letters <= IN_SIGHT_LETTERS else form.choice
            ask(code, label, keys, on=box, format_func=field.name_of, **more)
        case "multivaluelist":
            form.many(code, label, [choice.key for choice in field.choices], on=box, format_func=field.name_of, **more)
        case "photo":
            form.photo(code, label, on=box, type=["jpg", "jpeg", "png", "webp"], max_upload_size=10, **more)
        case "address":
            form.text(code, label, on=box, icon=":material/location_on:", **more)
        case "account":
            form.text(code, label, on=box, icon=":material/badge:", placeholder="100-2231-8", **more)
        case _:
            form.text(code, label, on=box, **more)
    form.problem(field.code, box)
    form.drawn.append(field.code)


def _step(field: FieldSpec) -> dict[str, Any]:
    """Whole numbers where the bounds are whole, which is always so far; typed in full all the same."""
    return {"step": 1} if field.minimum is not None or field.maximum is not None else {}
