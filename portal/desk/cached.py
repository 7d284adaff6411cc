"""The only caching around views: reference data and the figures of dashboards, for a minute at most.

Accounts, cases and queues are never kept: an indexed read costs less than being wrong. What is kept is frozen, so nobody can
change what the next one sees; the database and the city's day are part of each key, and figures of a page name their minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from db import core
from portal.opinion import views as opinion
from portal.reports import views

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from portal.opinion.views import Board as OpinionBoard
    from portal.opinion.views import Heard, History, SurveyChoice
    from portal.reports.views import Asked, Board, Definition, Level, Names, Outline, Repeat

SECONDS = 60


@st.cache_resource(ttl=SECONDS, max_entries=32, show_spinner=False)
def _rarely(database: str, day: dt.date) -> tuple[Names, tuple[Outline, ...], Mapping[str, Definition]]:
    return views.names(), views.outlines(), {each.code: each for each in views.definitions()}


@st.cache_resource(ttl=SECONDS, max_entries=128, show_spinner=False)
def _offered(database: str, day: dt.date, period: str) -> dict[str, dict[str, str]]:
    return views.choices(_rarely(database, day)[0], views.Asked(period))


@st.cache_resource(ttl=SECONDS, max_entries=256, show_spinner=False)
def _board(database: str, day: dt.date, asked: str, _asked: Asked) -> Board:
    return views.board(_rarely(database, day)[0], _asked)


@st.cache_resource(ttl=SECONDS, max_entries=256, show_spinner=False)
def _compared(database: str, day: dt.date, asked: str, by: str, _asked: Asked) -> tuple[Level, ...]:
    return views.compared(_rarely(database, day)[0], _asked, by)


@st.cache_resource(ttl=SECONDS, max_entries=256, show_spinner=False)
def _repeats(database: str, day: dt.date, asked: str, _asked: Asked) -> tuple[int, tuple[Repeat, ...]]:
    return views.repeats(_rarely(database, day)[0], _asked)


@st.cache_resource(ttl=SECONDS, max_entries=32, show_spinner=False)
def _surveys(database: str, edition: str) -> tuple[tuple[SurveyChoice, ...], tuple[str, ...]]:
    return tuple(opinion.surveys()), tuple(opinion.unfinished())


@st.cache_resource(ttl=SECONDS, max_entries=256, show_spinner=False)
def _opinion(database: str, edition: str, survey: str, wave: str, district: str) -> OpinionBoard | None:
    return opinion.board(survey, wave, district)


@st.cache_resource(ttl=SECONDS, max_entries=256, show_spinner=False)
def _history(database: str, edition: str, survey: str, item: str) -> History | None:
    return opinion.history(survey, item)


@st.cache_resource(ttl=SECONDS, max_entries=32, show_spinner=False)
def _heard(database: str, day: dt.date) -> Heard:
    return opinion.heard()


def _here() -> tuple[str, dt.date]:
    # With the count of changes to reference data: a type or a division that was published a moment ago has its name at once.
    return f"{core.database().url} {core.database().kept.generation}", views.today()


def names() -> Names:
    """What the codes of divisions, types, districts and channels are called."""
    return _rarely(*_here())[0]


def outlines() -> tuple[Outline, ...]:
    """The districts' polygons."""
    return _rarely(*_here())[1]


def meanings() -> Mapping[str, Definition]:
    """What each figure means, by its code."""
    return _rarely(*_here())[2]


def offered(period: str) -> dict[str, dict[str, str]]:
    """The choices of each filter that have requests in a period."""
    return _offered(*_here(), period)


def board(asked: Asked) -> Board:
    """The figures of the service-level page for one choice of filters."""
    return _board(*_here(), repr(asked), asked)


def compared(asked: Asked, by: str) -> tuple[Level, ...]:
    """The service levels of each division, type, district, channel or contractor."""
    return _compared(*_here(), repr(asked), by, asked)


def repeats(asked: Asked) -> tuple[int, tuple[Repeat, ...]]:
    """How many premises keep having requests, and the worst of them."""
    return _repeats(*_here(), repr(asked), asked)


class Surveys:
    """The surveys as they stand at one look: an import that ends meanwhile is for the next one, and at once."""

    def __init__(self) -> None:
        self._key = _here()[0], opinion.edition()
        self.surveys, self.unfinished = _surveys(*self._key)

    def board(self, survey: str, wave: str, district: str = opinion.WHOLE_CITY) -> OpinionBoard | None:
        """The figures of the public-opinion page."""
        return _opinion(*self._key, survey, wave, district)

    def history(self, survey: str, item: str) -> History | None:
        """One question over the waves and by district."""
        return _history(*self._key, survey, item)


def heard() -> Heard:
    """What callers said of the city's matters."""
    return _heard(*_here())
