"""`still`: text stays text in every piece, and nothing but its own pieces is drawn."""

from __future__ import annotations

import ast
import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from portal.desk import still, theme

ROOT = Path(__file__).resolve().parents[2]
NASTY = '<img src=x onerror="alert(1)"> </p></div><script>&amp; \' " `:red[x]`'


def every_piece(value: str) -> list[still.Piece]:
    badge = still.badge(value, value, value)
    return [
        still.title(value, badge),
        still.card(still.head(value, value)),
        still.line(value, gray=True, small=True, strong=True),
        still.row(badge),
        still.entry(value, value, number=value, note=value, marks=[badge], right=badge, strong=True),
        still.pairs([(value, value)]),
        still.figures([(value, value, value)]),
        still.figure(value),
        still.table([value], [[value]], value),
        still.steps([(value, value, value)]),
        still.bars([(value, 1.0)], value),
        still.more(value, still.line(value)),
        still.together(badge, badge),
    ]


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(piece: str) -> Reader:
    reader = Reader()
    reader.feed(piece)
    reader.close()
    return reader


@given(st.text(min_size=1) | st.just(NASTY) | st.text(alphabet="<>&\"'/=a ", min_size=1))
def test_what_is_typed_adds_no_tag_and_no_attribute(value: str) -> None:
    for plain, typed in zip(every_piece("words"), every_piece(value), strict=True):
        # An icon's name that is none is left out.
        assert [each for each in read(typed).tags if "translate" not in each[1]] == [
            each for each in read(plain).tags if "translate" not in each[1]
        ]


def test_what_is_typed_is_shown_as_it_is() -> None:
    for piece in every_piece(NASTY):
        assert NASTY in html.unescape(piece)
        assert "<img" not in piece
        assert "<script" not in piece


def test_only_its_own_pieces_are_drawn() -> None:
    for other in ("<b>words</b>", still.line("a") + "<b>", f"{still.line('a')}"):
        with pytest.raises(TypeError):
            still.draw(other)  # ty: ignore[invalid-argument-type]


def test_a_page_gets_one_element_or_none() -> None:
    def page() -> None:
        from portal.desk import still

        still.draw()
        still.draw(still.card(), still.row(), still.pairs([("empty", "")]))
        still.draw(still.line("One"), still.line("Two"))

    shown = AppTest.from_function(page).run()
    assert [each.value for each in shown.html] == ['<div class="still"><p class="">One</p><p class="">Two</p></div>']


def test_nobody_else_hands_html_to_a_page() -> None:
    """Two style sheets, a fixed link of the sign-in page, a mark for the keyboard, and `still`."""
    found = set()
    for path in [*(ROOT / "portal").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = getattr(node, "func", None)
            if isinstance(called, ast.Attribute) and called.attr == "html" and path.name != "still.py":
                found.add((path.name, ast.unparse(node.args[0])))  # ty: ignore[missing-attribute]
    assert found == {
        ("app.py", "ASSETS / 'desk.css'"),
        ("app.py", "ASSETS / 'dark.css'"),
        ("who.py", "demo_sign_in.LINK"),
        # What was typed, as hexadecimal digits.
        ("focus.py", """f'<span hidden data-found="{words.encode().hex()}" data-first="{first}"></span>'"""),
    }


@pytest.mark.parametrize(("file", "colors"), [("desk.css", theme.LIGHT), ("dark.css", theme.DARK)])
def test_its_colors_are_those_of_the_theme(file: str, colors: dict[str, str]) -> None:
    css = (ROOT / "portal" / "desk" / "assets" / file).read_text("utf-8")
    found = dict(re.findall(r"--desk-([a-z-]+): (#[0-9A-F]{6})", css))
    names = {
        "line": colors["borderColor"],
        "gray": colors["grayTextColor"],
        "gray-ground": colors["grayBackgroundColor"],
    }
    for name in ("red", "orange", "green", "blue"):
        names |= {name: colors[f"{name}TextColor"], f"{name}-ground": colors[f"{name}BackgroundColor"]}
    assert found == names
