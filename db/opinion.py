"""Surveys, their waves, respondents and answers. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Id, Json


class SurveyWave(Id, Base):
    """One asking of a survey: when, how, of whom."""

    __tablename__ = "survey_wave"
    __table_args__ = (sa.UniqueConstraint("survey_code", "wave_code"),)
    survey_code: Mapped[str] = mapped_column(sa.String(40))
    wave_code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(160))
    mode: Mapped[str] = mapped_column(sa.String(40))
    population: Mapped[str] = mapped_column(sa.Text)
    asked_from_on: Mapped[dt.date] = mapped_column(sa.Date)
    asked_to_on: Mapped[dt.date] = mapped_column(sa.Date)
    items: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """code, wording, scale, satisfied values, don't-know codes of each item."""


class Respondent(Id, Base):
    """One person who answered, without a name."""

    __tablename__ = "respondent"
    __table_args__ = (sa.Index(None, "wave_id", "district"),)
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey("survey_wave.id"))
    district: Mapped[str] = mapped_column(sa.String(40), default="")
    mode: Mapped[str] = mapped_column(sa.String(20), default="")
    comment: Mapped[str] = mapped_column(sa.Text, default="")


class SurveyAnswer(Base):
    """One answer to one item."""

    __tablename__ = "survey_answer"
    __table_args__ = (sa.Index(None, "wave_id", "item_code", "value"),)
    respondent_id: Mapped[int] = mapped_column(sa.ForeignKey("respondent.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey("survey_wave.id"))
    value: Mapped[int] = mapped_column(sa.SmallInteger)


# --- queries ----------------------------------------------------------------------------------------------------------
