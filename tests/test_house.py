"""The rules of the house as programs: rooms, pages, commands, packs, words."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from db import packs_io, tables
from portal.desk.app import BY_NAME, PAGES
from portal.shared.command import COMMANDS
from portal.staff.rules import PERMISSIONS

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "directory",
    "staff",
    "contacts",
    "service_requests",
    "accounts",
    "metering",
    "billing",
    "waste",
    "moves",
    "opinion",
    "reports",
)
"""Bottom to top."""
FLOOR_FILES = {"core", "folding", "events", "schema", "bulk", "demo_city", "packs_io", "tables", "__init__"}
PAGE_FILES = sorted(path for path in (ROOT / "pages").glob("*.py") if path.name != "__init__.py")
PYTHON_FILES = sorted(path for floor in ("portal", "db", "pages") for path in (ROOT / floor).rglob("*.py"))


def _names(folder: Path) -> set[str]:
    return {
        path.stem
        for path in folder.iterdir()
        if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    }


def test_the_rooms_have_the_same_names_on_each_floor() -> None:
    assert set(ROOMS) <= _names(ROOT / "portal")
    assert _names(ROOT / "db") - FLOOR_FILES - {"migrations"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_holds_rules_commands_and_views_only(room: str) -> None:
    assert _names(ROOT / "portal" / room) <= {"__init__", "rules", "commands", "views"}
    doc = ast.get_docstring(ast.parse((ROOT / "portal" / room / "__init__.py").read_text("utf-8")))
    assert doc, f"portal/{room}/__init__.py says in one docstring what the room is for"


@pytest.mark.parametrize("path", PAGE_FILES, ids=lambda path: path.stem)
def test_a_page_is_thin(path: Path) -> None:
    source = path.read_text("utf-8")
    assert len(source.splitlines()) <= 120
    assert not re.search(r"\bselect\(|\bfrom db\b|\bimport db\b|sqlalchemy", source)


@pytest.mark.parametrize("path", PAGE_FILES, ids=lambda path: path.stem)
def test_a_page_stands_in_the_register(path: Path) -> None:
    assert path.stem in BY_NAME


def test_every_registered_page_has_a_file_and_a_permission_that_exists() -> None:
    for spec in PAGES:
        assert (ROOT / "pages" / f"{spec.name}.py").is_file(), spec.name
        assert spec.permission in PERMISSIONS, spec.permission


def _import_all_commands() -> None:
    import importlib

    for room in ROOMS:
        if "commands" in _names(ROOT / "portal" / room):
            importlib.import_module(f"portal.{room}.commands")


def test_every_command_takes_the_actor_first_and_needs_a_permission_that_exists() -> None:
    _import_all_commands()
    assert len(COMMANDS) > 30
    for spec in COMMANDS.values():
        assert spec.permission in PERMISSIONS, f"{spec.name} needs the unknown permission {spec.permission}"
        names = list(inspect.signature(inspect.unwrap(spec.function)).parameters)
        assert names[:2] == ["actor", "work"], spec.name


def test_every_permission_in_a_role_file_exists_and_every_permission_is_in_a_role() -> None:
    held = set()
    for file in packs_io.read_packs(["base"]):
        if file.kind == "role":
            unknown = set(file.detail["permissions"]) - set(PERMISSIONS)
            assert not unknown, f"{file.path.name}: {unknown}"
            held |= set(file.detail["permissions"])
    assert held == set(PERMISSIONS)


MARKDOWN_CALLS = {
    "markdown",
    "write",
    "title",
    "header",
    "subheader",
    "caption",
    "info",
    "error",
    "warning",
    "success",
    "badge",
    "button",
    "metric",
    "expander",
    "toast",
}
DATA_WORDS = re.compile(r"\b(name|note|words?|address|description|resolution|email|phone|comment|answer|label|title)\b")
INERT = re.compile(r"(inert|badge|_text$|moment|due|money|cents|count)")


def _unsafe(expression: ast.expr, assigned: dict[str, list[ast.expr]], depth: int = 0) -> str | None:
    """What in a piece of Markdown is data shown raw; None when all of it is constant, counted or made inert."""
    if isinstance(expression, ast.JoinedStr):
        holes = [part.value for part in expression.values if isinstance(part, ast.FormattedValue)]
        return next((found for hole in holes if (found := _unsafe(hole, assigned, depth))), None)
    if isinstance(expression, ast.IfExp):
        return _unsafe(expression.body, assigned, depth) or _unsafe(expression.orelse, assigned, depth)
    if isinstance(expression, ast.Call):
        called = (
            expression.func.attr if isinstance(expression.func, ast.Attribute) else getattr(expression.func, "id", "")
        )
        if INERT.search(called) or called in ("len", "str", "sum", "abs", "join", "date", "day", "when"):
            return None
    if isinstance(expression, ast.Name) and expression.id in assigned and depth < 4:
        return next(
            (found for value in assigned[expression.id] if (found := _unsafe(value, assigned, depth + 1))), None
        )
    source = ast.unparse(expression)
    return (
        source
        if isinstance(expression, (ast.Attribute, ast.Subscript)) and DATA_WORDS.search(source.rsplit(".", 1)[-1])
        else None
    )


def test_text_that_people_typed_never_becomes_markup() -> None:
    """No raw HTML, and no Markdown put together from data that `inert` has not passed."""
    for path in PYTHON_FILES:
        tree = ast.parse(path.read_text("utf-8"))
        assert "unsafe_allow_html" not in path.read_text("utf-8"), path
        for function in [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Module))]:
            assigned: dict[str, list[ast.expr]] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    assigned.setdefault(node.targets[0].id, []).append(node.value)
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in MARKDOWN_CALLS
                    and ast.unparse(node.func.value)
                    != "still"  # makes HTML and escapes all of it (tests/desk/test_still.py)
                    and node.args
                ):
                    found = (
                        _unsafe(node.args[0], assigned)
                        if isinstance(node.args[0], (ast.JoinedStr, ast.Attribute, ast.Subscript))
                        else None
                    )
                    assert found is None, f"{path.relative_to(ROOT)}:{node.lineno} shows {found} without inert()"


def test_the_markup_test_sees_raw_data() -> None:
    call = ast.parse('st.markdown(f"**{person.name}**")').body[0]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    assert _unsafe(call.value.args[0], {}) == "person.name"


def test_no_city_is_named_in_python() -> None:
    for path in PYTHON_FILES:
        found = re.findall(r"(?i)tallahassee|boston|kansas city|somerville|leon county", path.read_text("utf-8"))
        assert not found, f"{path}: {found}: a city's name is data"


def test_every_table_is_a_word_of_the_glossary() -> None:
    glossary = next(file for file in packs_io.read_packs(["base"]) if file.kind == "glossary")
    words = {entry["table"] for entry in glossary.detail["word"] if "table" in entry}
    missing = set(tables.Base.metadata.tables) - words
    assert not missing, f"tables without a word in db/packs/base/glossary: {sorted(missing)}"


def test_no_file_outgrows_its_room() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in PYTHON_FILES
        if (count := len(path.read_text("utf-8").splitlines())) > 700
    }
    assert not {name for name in long if "migrations" not in name}, long
