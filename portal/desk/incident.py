"""What a bug looks like to the desk: a number to quote. The whole story goes to the log, never to the screen."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

log = logging.getLogger("portal.incident")

# No letters or digits that are mistaken for one another when read over the phone.
ALPHABET = "ACDEFHJKLMNPRTUVWXY3479"


def record(error: BaseException) -> str:
    """Logs an unexpected error with its traceback and returns the incident number it can be found by."""
    number = "".join(secrets.choice(ALPHABET) for _ in range(6))
    log.error("incident %s: %s", number, type(error).__name__, exc_info=error)
    return number


def sentence(error: BaseException) -> str:
    """Records an error and says what the person at the desk should do about it."""
    return (
        f"Something went wrong in the portal, and it was not you. Incident {record(error)}: "
        "give this number to your administrator. What was saved before is safe; reload the page to go on."
    )


def show(error: BaseException) -> bool:
    """Draws the incident number in place of a traceback; True tells Streamlit that the error has been shown."""
    st.error(sentence(error), icon=":material/report:")
    return True
