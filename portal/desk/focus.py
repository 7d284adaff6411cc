"""The keyboard goes into the first field of a page that somebody opens: the find box after Ctrl+K, the type of a new request.

Streamlit has no such option. A small script of our own, served as a file like the rest of the page (no inline script, as the
content policy demands), moves the focus once for each visit and never away from somebody who types.
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
NAME: Final = "focus"
VISIT: Final = "focus.visit"


def first(field: str) -> None:
    """Puts the keyboard into the field whose widget key is, or ends in, `field` when the page has just been opened. Called
    outside of fragments, after everything else of the page or before it."""
    manager = get_bidi_component_manager()
    if not Runtime.exists() or not isinstance(manager, BidiComponentManager):
        return  # a page drawn by a test, with no browser to put the keyboard anywhere
    # Streamlit writes a widget's key into a class of its element, with hyphens for what a class cannot hold.
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in field)
    with st.sidebar:
        _script(manager)(
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


@functools.cache
def _script(manager: BidiComponentManager) -> Callable[..., Any]:
    manifest = ComponentManifest(PACKAGE, "1", [ComponentConfig(NAME, f"assets/{NAME}")])
    manager.register_from_manifest(manifest, Path(__file__).resolve().parent)
    return st.components.v2.component(f"{PACKAGE}.{NAME}", js=f"{NAME}.js")
