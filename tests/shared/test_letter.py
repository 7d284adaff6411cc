"""Letters: every template the code or a pack names has a text that renders, and nothing in a value is ever interpreted."""

from __future__ import annotations

import ast
import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.shared.letter import EVERYWHERE, BadLetter, LetterTemplate, read_letter, render, values_of

ROOT = Path(__file__).resolve().parents[2]
PACKS = ROOT / "db" / "packs"
LETTERS = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in (PACKS / "base" / "letter").glob("*.toml")}
TELLERS = {"tell", "_tell", "tell_holder"}
"""Functions of the house whose text argument is the name of a template."""


def _texts(node: ast.expr, assigned: dict[str, list[ast.expr]], depth: int = 0) -> list[str]:
    """The texts an expression can be: itself, either side of a choice, what a name was given in the same file."""
    match node:
        case ast.Constant():
            return [node.value] if isinstance(node.value, str) else []
        case ast.IfExp():
            sides = [node.body, node.orelse]
        case ast.BoolOp():
            sides = node.values
        case ast.Name():
            sides = assigned.get(node.id, []) if depth < 3 else []
        case _:
            sides = []
    return [text for side in sides for text in _texts(side, assigned, depth + 1)]


def templates_named_in_code() -> dict[str, str]:
    """Template -> where it is named: in a message, or handed to a function that writes one."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "portal").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        assigned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assigned.setdefault(node.targets[0].id, []).append(node.value)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given_to = [keyword.value for keyword in node.keywords if keyword.arg == "template"]
            if name in TELLERS:
                given_to += node.args[-1:]
            for text in [text for one in given_to for text in _texts(one, assigned) if text]:
                found[text] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def templates_named_in_packs() -> dict[str, str]:
    """Template -> the pack file that names it."""
    found: dict[str, str] = {}

    def walk(value: Any, where: str) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                if key in ("letter", "notice_template") and isinstance(each, str):
                    found[each] = where
                walk(each, where)
        elif isinstance(value, list):
            for each in value:
                walk(each, where)

    for path in PACKS.glob("*/*/*.toml"):
        if path.parent.name != "letter":
            walk(tomllib.loads(path.read_text("utf-8")), str(path.relative_to(PACKS)))
    return found


NAMED = {**templates_named_in_code(), **templates_named_in_packs()}
DETAIL = {
    "facts": "Place: 1418 Oakhaven Dr",
    "number": "SR-26-0004127",
    "on": "2026-11-30",
    "service_kinds": ["electric", "water"],
    "division": "collections",
    "amount_cents": -3648,
    "balance_cents": 30249,
    "what": "leak credit, water",
    "why": "No repair was shown.",
}
"""A detail with all that any message of the house knows."""


def test_templates_were_found_in_the_code_and_in_the_packs() -> None:
    assert {"request_opened", "welcome", "start_held", "service_stopped", "turnover_notice", "work_order"} <= set(NAMED)


@pytest.mark.parametrize("code", sorted(NAMED))
def test_every_template_that_is_named_has_a_letter_that_renders(code: str) -> None:
    assert code in LETTERS, f"{NAMED[code]} names the letter {code}, and db/packs/base/letter has none"
    values = values_of(
        DETAIL, name="Marcus Ellison", city="Sample City", phone="(800) 555-0100", today=dt.date(2026, 11, 24)
    )
    letter = render(read_letter(LETTERS[code]), values)
    assert "{" not in letter.subject + letter.body
    assert letter.subject
    assert "\n" not in letter.subject


@pytest.mark.parametrize("code", sorted(LETTERS))
def test_a_letter_lists_what_it_says_and_nothing_else(code: str) -> None:
    template = read_letter(LETTERS[code])
    said = f"{template.subject} {template.body}"
    assert template.code == code
    assert [each for each in template.placeholders if f"{{{each}}}" not in said] == []


@pytest.mark.parametrize("code", ["turnover_notice", "turnover_held", "turnover_withdrawn"])
def test_a_letter_about_a_turnover_never_names_the_other_party(code: str) -> None:
    assert set(read_letter(LETTERS[code]).placeholders) <= {"on", "services"}


def _template(subject: str = "About {number}", body: str = "Dear {name}, {number}.") -> dict[str, Any]:
    return {"code": "x", "name": "X", "subject": subject, "body": body, "placeholders": ["number"]}


def test_an_unknown_placeholder_is_refused_by_name() -> None:
    with pytest.raises(BadLetter, match=r"says \{secret\}"):
        read_letter(_template(body="Dear {secret}"))


@pytest.mark.parametrize("body", ["Dear {name", "{name.__class__}", "{0}", "{{name}}", "}"])
def test_a_brace_that_holds_no_placeholder_is_refused(body: str) -> None:
    with pytest.raises(BadLetter, match="brace"):
        read_letter(_template(body=body))


def test_a_value_that_is_missing_stops_the_letter() -> None:
    with pytest.raises(BadLetter, match="needs number"):
        render(read_letter(_template()), {"name": "Wei Chen"})


@given(st.text(), st.text())
def test_what_is_put_in_stays_as_it_is(name: str, number: str) -> None:
    template = read_letter(_template())
    letter = render(template, {"name": name, "number": number})
    assert letter.body == f"Dear {name}, {number}."
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject


def test_a_value_is_not_filled_in_again() -> None:
    template = LetterTemplate("x", "X", "{number}", "{number}", ("number",))
    assert render(template, {"number": "{name}", "name": "Wei"}).body == "{name}"


def test_details_become_words() -> None:
    values = values_of(
        DETAIL, name="Wei Chen", city="Sample City", phone="(800) 555-0100", today=dt.date(2026, 11, 24),
        service_names={"electric": "Electric", "water": "Water"},
    )  # fmt: skip
    assert values["amount"] == "$36.48"
    assert values["on"] == "November 30, 2026"
    assert values["services"] == "electric and water"
    assert values["today"] == "November 24, 2026"
    assert set(EVERYWHERE) <= set(values)
