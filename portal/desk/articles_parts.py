"""What the pages of the directory share: an article's row and its body, drawn so that its text stays text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from portal.desk import lists
from portal.desk.text import inert

if TYPE_CHECKING:
    from portal.directory.views import Article

_ITEM = re.compile(r"^(-|[0-9]{1,2}\.)\s+(.*)$")


def row(article: Article, position: int, *, open_now: bool) -> None:
    """One article of a list: its title opens it."""
    with st.container(key=f"row-article-{article.code}", horizontal=True, vertical_alignment="center", wrap=False):
        lists.two_lines(f"**{inert(article.title)}**", article.topic)
        st.button(
            "Open",
            key=f"articles.open.{article.code}",
            type="secondary" if open_now else "tertiary",
            shortcut=f"Alt+{position}" if position < 10 else None,
            on_click=lambda: st.query_params.update(code=article.code),
        )


def body(text: str) -> None:
    """An article's body: paragraphs, and lines that begin with a dash or a number as a list. Nothing else is markup."""
    lines = []
    for line in text.splitlines():
        item = _ITEM.match(line.strip())
        lines.append(f"{item[1]} {inert(item[2])}" if item else inert(line.strip()))
    st.markdown("\n".join(lines))
