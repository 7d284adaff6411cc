"""Data written as Markdown that shows exactly these characters; the browser's side is tests/journeys/test_inert_text.py."""

from __future__ import annotations

import pytest

from portal.desk.text import inert


@pytest.mark.parametrize("value", ["3:00 pm", "Fri, Nov 27, 5:00 pm", "Note: dog", "ends with:"])
def test_a_colon_that_begins_nothing_stays(value: str) -> None:
    assert inert(value).replace("\\", "") == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (":smile:", "&#58;smile:"),
        (":red[x]", r"&#58;red\[x\]"),
        (":100:", "&#58;100:"),
        (":+1:", r"&#58;\+1:"),
        (":streamlit:", "&#58;s\u2060treamlit:"),
        ("a@b", "a@\u2060b"),
    ],
)
def test_what_would_become_an_icon_a_colour_or_a_link_does_not(value: str, written: str) -> None:
    assert inert(value) == written
