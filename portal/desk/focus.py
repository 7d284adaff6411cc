"""The keyboard goes into the first field of a page that somebody opens: the find box after Ctrl+K, the type of a new request.
And a few keys of our own: Ctrl+Enter and 1 to 9 in a row of answers, Enter in a find box for its first match.

Streamlit has no such options. Two small scripts of our own, served as files like the rest of the page (no inline script, as
the content policy demands), do it: the focus moves once for each visit and never away from somebody who types.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import streamlit as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest
from streamlit.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE: Final = "portal"
SCRIPTS: Final = ("focus", "keys")
FOLDER: Final = "assets/focus"
VISIT: Final = "focus.visit"


def first(field: str) -> None:
    """Puts the keyboard into the field whose widget key is, or ends in, `field` when the page has just been opened. Called
    outside of fragments, after everything else of the page or before it."""
    manager = _manager()
    if manager is None:
        return
    # Streamlit writes a widget's key into a class of its element, with hyphens for what a class cannot hold.
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in field)
    with st.sidebar:
        _script(manager, "focus")(
            key="focus",
            data={
                "visit": st.session_state.get(VISIT, 0),
                "field": f'[class*="st-key-"][class*="{name}"] :is(input, textarea)',
            },
            height=0,
        )


def again() -> None:
    """A person asked for a page by key or click, perhaps the one that is open: its first field gets the keyboard again."""
    st.session_state[VISIT] = st.session_state.get(VISIT, 0) + 1


def keys() -> None:
    """Makes our own keys work on this page; called once by the front door."""
    manager = _manager()
    if manager is not None:
        _script(manager, "keys")(key="keys", height=0)


def found(words: str, first: str) -> None:
    """Says that the matches on the screen are those of `words`, so that Enter in the find box presses the button `first`."""
    # Hexadecimal: what was typed never becomes part of the page's markup.
    st.html(f'<span hidden data-found="{words.encode().hex()}" data-first="{first}"></span>')


def _manager() -> BidiComponentManager | None:
    """None for a page drawn by a test, with no browser to put the keyboard anywhere."""
    manager = get_bidi_component_manager()
    return manager if Runtime.exists() and isinstance(manager, BidiComponentManager) else None


@functools.cache
def _script(manager: BidiComponentManager, name: str) -> Callable[..., Any]:
    parts = [ComponentConfig(each, FOLDER) for each in SCRIPTS]
    manager.register_from_manifest(ComponentManifest(PACKAGE, "1", parts), Path(__file__).resolve().parent)
    return st.components.v2.component(f"{PACKAGE}.{name}", js=f"{name}.js")
