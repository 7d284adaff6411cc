"""What stands on a page and is not touched: facts, lists, small tables, drawn as one element however many lines they have.

Each element of a page costs the server more than the line it shows, so a card of eight facts is one piece of HTML instead of
thirty elements. Pieces are made here and nowhere else: every function takes plain text, escapes all of it, and answers with a
`Piece`; only `draw` hands HTML to the page, and it takes nothing but pieces. Text that people typed stays text.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLORS: Final = frozenset(("red", "orange", "green", "blue", "gray"))
_ICON: Final = re.compile(r"[a-z0-9_]+")


class Piece(str):
    """HTML that was made in this module."""

    __slots__ = ()


def draw(*pieces: Piece, on: Any = None) -> None:
    """Draws pieces below one another, as one element; nothing when there are none."""
    if not all(type(piece) is Piece for piece in pieces):
        raise TypeError("only what portal.desk.still has made may be drawn as HTML")
    if shown := "".join(pieces):
        (st if on is None else on).html(f'<div class="still">{shown}</div>')


def text(value: object) -> str:
    """`value` as HTML that shows exactly these characters."""
    return html.escape(str(value), quote=True)


def _color(name: str) -> str:
    return name if name in COLORS else "gray"


def _icon(name: str) -> str:
    """A Material symbol; the words beside it say what it says."""
    return f'<span class="icon" aria-hidden="true" translate="no">{name}</span>' if _ICON.fullmatch(name) else ""


# --- pieces -----------------------------------------------------------------------------------------------------------


def title(value: object, *marks: Piece) -> Piece:
    """The heading of the page, with badges behind it."""
    return Piece(f'<div class="marked"><h1>{text(value)}</h1>{"".join(marks)}</div>')


def card(*pieces: Piece) -> Piece:
    """A bordered box; nothing when it would be empty."""
    shown = "".join(pieces)
    return Piece(f'<section class="card">{shown}</section>' if shown else "")


def head(name: object, right: object = "") -> Piece:
    """The heading of a card, with a few gray words at its right end."""
    aside = f'<span class="aside">{text(right)}</span>' if right else ""
    return Piece(f'<div class="head"><h3>{text(name)}</h3>{aside}</div>')


def line(value: object, *, gray: bool = False, small: bool = False, strong: bool = False) -> Piece:
    """A paragraph; line breaks are kept."""
    looks = " ".join(name for name, on in (("gray", gray), ("small", small), ("strong", strong)) if on)
    return Piece(f'<p class="{looks}">{text(value)}</p>')


def badge(words: object, color: str = "gray", icon: str = "") -> Piece:
    """A few words on colored ground."""
    return Piece(f'<span class="badge {_color(color)}">{_icon(icon)}{text(words)}</span>')


def row(*marks: Piece) -> Piece:
    """Badges side by side."""
    return Piece(f'<div class="marked">{"".join(marks)}</div>' if marks else "")


def entry(
    name: object, second: object = "", *, number: object = "", note: object = "", marks: Iterable[Piece] = (),
    right: Piece | None = None, strong: bool = False,
) -> Piece:  # fmt: skip
    """A line of a list: its name with a gray number, badges and a small note, the gray line below, a badge at the right end."""
    first = f"<strong>{text(name)}</strong>" if strong else text(name)
    aside = f' <span class="gray">{text(number)}</span>' if number else ""
    behind = f' <span class="gray small">{text(note)}</span>' if note else ""
    below = f'<p class="gray small">{text(second)}</p>' if second else ""
    words = f"<div><p>{first}{aside} {' '.join(marks)}{behind}</p>{below}</div>"
    return Piece(f'<div class="entry">{words}{right or ""}</div>')


def together(*pieces: Piece) -> Piece:
    """Pieces below one another as one."""
    return Piece("".join(pieces))


def pairs(lines: Iterable[tuple[object, object]]) -> Piece:
    """Labels with their values; pairs without a value are left out."""
    shown = "".join(f"<div><dt>{text(label)}</dt><dd>{text(value)}</dd></div>" for label, value in lines if value)
    return Piece(f'<dl class="pairs">{shown}</dl>' if shown else "")


def figures(lines: Iterable[tuple[object, object, object]]) -> Piece:
    """(label, figure, words below) side by side: four on a desk, two on a phone."""
    shown = "".join(
        f"<div><dt>{text(label)}</dt><dd>{text(value)}</dd>{_below(below)}</div>" for label, value, below in lines
    )
    return Piece(f'<dl class="figures">{shown}</dl>')


def figure(value: object) -> Piece:
    """One figure under the heading of its card."""
    return Piece(f'<p class="figure">{text(value)}</p>')


def _below(words: object) -> str:
    return f'<dd class="below"><span class="pill">{text(words)}</span></dd>' if words else ""


def table(columns: Sequence[object], rows: Iterable[Sequence[object]], alt: str) -> Piece:
    """A small table; `alt` says to those who do not see it what it holds."""
    heads = "".join(f'<th scope="col">{text(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in cells)}</tr>" for cells in rows)
    return Piece(f"<table><caption>{text(alt)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")


def steps(lines: Iterable[tuple[str, object, object]]) -> Piece:
    """(icon, title, words) one after the other on a line: what happened, or what happens next."""
    shown = "".join(
        f'<li>{_icon(icon)}<div><p class="small">{text(name)}</p><p class="gray small">{text(words)}</p></div></li>'
        for icon, name, words in lines
    )
    return Piece(f'<ol class="steps">{shown}</ol>')


def bars(values: Sequence[tuple[object, float]], alt: str) -> Piece:
    """(what, how much): a bar each, as high as its share of the largest; `alt` says in words what they show."""
    most = max((value for _, value in values), default=0.0)
    shown = "".join(
        f'<span title="{text(what)}" style="height:{max(0.0, value) / most * 100 if most > 0 else 0.0:.1f}%"></span>'
        for what, value in values
    )
    return Piece(f'<div class="bars" role="img" aria-label="{text(alt)}">{shown}</div>')


def more(words: object, *pieces: Piece) -> Piece:
    """Words that open what stands below them."""
    return Piece(f"<details><summary>{text(words)}</summary>{''.join(pieces)}</details>")
