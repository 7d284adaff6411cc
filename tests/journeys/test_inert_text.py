"""Data in labels, badges, tables and sentences stays text in a real browser, and a copied time carries nothing along."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error as PlaywrightError

from tests import running
from tests.tools import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.browser

PLAIN = ("3:00 pm", "12:30:45", "Note: the dog", "“Out by 6:30 am?”", "by 3:00 pm: then", "1:1", "8:05:")
"""Ordinary writing: no invisible character in it."""
HOSTILE = (
    ":material/home:", "a:material/home:b", ":red[x]", ":red-badge[x]", ":small[x]", ":shortcut[Ctrl+K]", ":smile:", ":100:",
    ":+1:", ":-1:", ":1234:", ":8ball:", ":e-mail:", ":t-rex:", ":streamlit:", ":Streamlit:", ":::note x", "::x[a]", "é:é[x]",
    "http://a.example/x", "https://x.example:8080/a:b:", "www.example.com", "a@b.example", "mailto:a@b.example", "$x$",
    "&colon;", "<b>x</b>", "**x**", "[x](http://a.example)", "![x](http://a.example/x.png)", "=HYPERLINK(1)",
)  # fmt: skip
PAGE = """
import streamlit as st
from portal.desk.text import inert
for at, value in enumerate({values!r}):
    safe = inert(value)
    with st.container(key=f"markdown-{{at}}"):
        st.markdown(f"**{{safe}}** :gray[{{safe}}] :red-badge[{{safe}}]")
    with st.container(key=f"caption-{{at}}"):
        st.caption(safe)
    with st.container(key=f"button-{{at}}"):
        st.button(safe, key=f"b{{at}}")
    with st.container(key=f"expander-{{at}}"):
        st.expander(safe)
    with st.container(key=f"metric-{{at}}"):
        st.metric("Figure", safe)
    with st.container(key=f"table-{{at}}"):
        st.table([{{"Column": safe}}], hide_index=True)
st.text("the end")
"""


def test_data_is_shown_as_it_is_written(tmp_path: Path, browser_context: BrowserContext) -> None:
    values = PLAIN + HOSTILE
    script = tmp_path / "page.py"
    script.write_text(PAGE.format(values=values), encoding="utf-8")
    port = running.free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(script),
            "--server.port",
            str(port),
            "--server.headless",
            "true",
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT), "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        page = browser_context.new_page()
        for _ in range(100):
            with contextlib.suppress(PlaywrightError):
                page.goto(f"http://127.0.0.1:{port}")
                break
            page.wait_for_timeout(200)
        page.get_by_text("the end", exact=True).wait_for(timeout=60_000)
        page.locator("td").nth(
            len(values) - 1
        ).wait_for()  # tables are drawn by a part that is loaded when it is needed
        for at, value in enumerate(values):
            for kind in ("markdown", "caption", "button", "expander", "metric", "table"):
                drawn = page.locator(f".st-key-{kind}-{at}")
                text = drawn.text_content() or ""
                seen = text.replace("\u2060", "")
                assert seen.count(value) == (3 if kind == "markdown" else 1), (kind, value, seen)
                assert drawn.locator("a, img").count() == 0, (kind, value)
                assert value not in PLAIN or "\u2060" not in text, (kind, value)
    finally:
        process.terminate()
        process.wait()
