"""Text that people typed, shown so that it stays text: never Markdown, never a link, never a remote picture."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import streamlit as st

from db import core
from portal import settings
from portal.shared.text import due_text, moment_text

if TYPE_CHECKING:
    import datetime as dt

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&^=])")
_JOINER = "\u2060"
"""Zero-width, unbreakable: put into what Markdown would turn into a link. Only there, since a copied text carries it along."""
_BEGINS = re.compile(r":(?=[^\W\d]|[:+\\-]|[0-9][\w+\\-]*:)")
"""A colon that may begin an icon, a colour or an emoji; one before a space, a figure or nothing never does: 3:00 pm, Note: …"""


def inert(value: object) -> str:
    """`value` as Markdown that shows exactly these characters: for labels, badges and sentences that carry data.

    Escaping alone is not enough: GitHub-flavoured Markdown links bare addresses after unescaping, and Streamlit turns
    `:name:` and `:colour[...]` into icons and colours, a backslash before the colon or not; a colon written as an entity is
    left alone. Its own sign, `:streamlit:`, is looked for in the finished text: there only the joiner helps.
    """
    text = str(value).replace("\r", " ").replace("\n", " ")
    text = _MARKDOWN.sub(r"\\\1", text)
    text = re.sub(r"(?i):streamlit:", lambda found: found[0][:2] + _JOINER + found[0][2:], text)
    text = _BEGINS.sub("&#58;", text).replace("@", f"@{_JOINER}")
    return re.sub(r"(?i)(www|http|https|ftp|mailto|xmpp)", lambda found: found[0][:1] + _JOINER + found[0][1:], text)


def user_text(value: object, *, on: Any = None, grey: bool = False) -> None:
    """Draws what a person typed: line breaks kept, nothing interpreted."""
    where = st if on is None else on
    if grey:
        where.caption(inert(value))
    else:
        where.text(str(value))


def moment(at: dt.datetime) -> str:
    """An instant as the city's clocks show it: “today 3:00 pm”, “Fri, Nov 27, 5:00 pm”."""
    return moment_text(at, settings.current().zone, core.now())


def due(at: dt.datetime) -> str:
    """A due time against now: “Today 3:00 pm”, “2 days late”."""
    return due_text(at, core.now(), settings.current().zone)


def today() -> dt.date:
    """The city's civil date now."""
    return core.now().astimezone(settings.current().time_zone).date()
