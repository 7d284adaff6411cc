"""Moving between pages inside the running session (a link that reloads costs a second; this costs a blink)."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import streamlit as st

PAGES_DIR = Path(__file__).resolve().parents[2] / "pages"


def to(name: str, **query: object) -> NoReturn:
    """Opens the page `name` with these query parameters (None is left out)."""
    st.switch_page(
        st.Page(PAGES_DIR / f"{name}.py", url_path=name),
        query_params={key: str(value) for key, value in query.items() if value is not None},
    )


def param(name: str) -> str | None:
    """A query parameter of this page, or None."""
    value = st.query_params.get(name)
    return value or None


def param_int(name: str) -> int | None:
    """A query parameter as a row id; anything else counts as absent (an address can be typed by anyone)."""
    value = st.query_params.get(name, "")
    return int(value) if value.isdecimal() and len(value) <= 18 else None
