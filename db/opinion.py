"""Surveys, their waves, respondents and answers; how often each answer was given. Tables, then queries.

A weight belongs to a respondent. Counts keep, beside the number of answers, the sum of their weights and of the squares of these:
from them come the weighted share and the effective number of answers, and the unweighted figure stays reproducible.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.contacts import OpinionHeard
from db.core import Base, BigId, Id, Json, UtcTime, table_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


class SurveyWave(Id, Base):
    """One asking of a survey: when, how, of whom."""

    __tablename__ = "survey_wave"
    __table_args__ = (sa.UniqueConstraint("survey_code", "wave_code"),)
    survey_code: Mapped[str] = mapped_column(sa.String(40))
    wave_code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(160))
    mode: Mapped[str] = mapped_column(sa.String(40))
    """How it was asked, in words: “web, mail and phone”."""
    population: Mapped[str] = mapped_column(sa.Text)
    """Whose opinion it stands for: “adult residents”."""
    asked_from_on: Mapped[dt.date] = mapped_column(sa.Date)
    asked_to_on: Mapped[dt.date] = mapped_column(sa.Date)
    items: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """code, name, wording, topic, scale [low, high], satisfied values, dont_know codes of each item."""
    survey_name: Mapped[str] = mapped_column(sa.String(160), default="", server_default="")
    comparable: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    """Waves of a survey with the same words here may be compared; empty means mode and population decide."""
    method: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default=sa.text("'{}'"))
    """What else a survey must disclose: who asked and paid, how people were chosen, response rate, weights, limits."""
    places: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default=sa.text("'{}'"))
    """Names of the districts by the value respondents carry, in their order."""
    weighted: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())
    """Every respondent carries a weight, and shares are told by it."""
    loading: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())
    """An import is running or broke off: the wave is not shown."""
    counted: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())
    """`survey_count` holds this wave; otherwise its answers are counted when asked for."""
    imported_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class Respondent(Id, Base):
    """One person who answered, without a name."""

    __tablename__ = "respondent"
    __table_args__ = (sa.Index(None, "wave_id", "district"), sa.UniqueConstraint("wave_id", "external_id"))
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey("survey_wave.id"))
    district: Mapped[str] = mapped_column(sa.String(40), default="")
    mode: Mapped[str] = mapped_column(sa.String(20), default="")
    comment: Mapped[str] = mapped_column(sa.Text, default="")
    weight: Mapped[float | None] = mapped_column(sa.Float)
    """How many of the population this one stands for, on any scale; None where the file has no weights."""
    external_id: Mapped[str | None] = mapped_column(sa.String(80))
    """The number of the answer in the file it came from; the same one again is the same respondent."""


class SurveyAnswer(Base):
    """One answer to one item."""

    __tablename__ = "survey_answer"
    __table_args__ = (sa.Index(None, "wave_id", "item_code", "value"),)
    respondent_id: Mapped[int] = mapped_column(sa.ForeignKey("respondent.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey("survey_wave.id"))
    value: Mapped[float] = mapped_column(sa.Float)
    """Points on the item's scale, or its code for “don't know”. Whole or half points, which a binary float holds exactly."""


class SurveyCount(Base):
    """How many respondents of a district gave an answer: what the dashboard reads, written when a wave is complete."""

    __tablename__ = "survey_count"
    wave_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("survey_wave.id"), primary_key=True)
    item_code: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    district: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    value: Mapped[float] = mapped_column(sa.Float, primary_key=True)
    answers: Mapped[int] = mapped_column(sa.Integer)
    weight: Mapped[float] = mapped_column(sa.Float, server_default=sa.text("0"))
    """The sum of their weights."""
    weight_squares: Mapped[float] = mapped_column(sa.Float, server_default=sa.text("0"))
    """The sum of the squares of their weights."""


# --- queries ----------------------------------------------------------------------------------------------------------


def wave_by_code(session: Session, survey_code: str, wave_code: str) -> SurveyWave | None:
    return session.scalar(
        sa.select(SurveyWave).where(SurveyWave.survey_code == survey_code, SurveyWave.wave_code == wave_code)
    )


def waves(session: Session) -> Sequence[SurveyWave]:
    """Every wave of every survey, the oldest first (a city has tens)."""
    return session.scalars(sa.select(SurveyWave).order_by(SurveyWave.asked_to_on, SurveyWave.id)).all()


def editions(session: Session) -> Sequence[Any]:
    """(id, loading, counted, imported_at) of every wave: as long as these stay, so do the figures."""
    wave = table_of(SurveyWave).c
    return session.execute(sa.select(wave.id, wave.loading, wave.counted, wave.imported_at).order_by(wave.id)).all()


_WEIGHT = sa.func.coalesce(Respondent.weight, 1.0)
_SUMS = (
    sa.func.count().label("answers"), sa.func.sum(_WEIGHT).label("weight"), sa.func.sum(_WEIGHT * _WEIGHT).label("weight_squares"),
)  # fmt: skip


def _live(wave_ids: Collection[int]) -> sa.Select[*tuple[Any, ...]]:
    """Counted from the answers themselves."""
    return (
        sa.select(
            SurveyAnswer.wave_id,
            SurveyAnswer.item_code,
            Respondent.district,
            SurveyAnswer.value,
            *_SUMS,
        )
        .join(Respondent, Respondent.id == SurveyAnswer.respondent_id)
        .where(SurveyAnswer.wave_id.in_(wave_ids))
        .group_by(SurveyAnswer.wave_id, SurveyAnswer.item_code, Respondent.district, SurveyAnswer.value)
    )


def counts(session: Session, waves: Iterable[SurveyWave]) -> Sequence[Row[*tuple[Any, ...]]]:
    """(wave_id, item_code, district, value, answers, weight, weight_squares) of these waves: from the kept counts, or counted now where there are none."""
    kept, uncounted = [], []
    for wave in waves:
        (kept if wave.counted else uncounted).append(wave.id)
    found: list[Row[*tuple[Any, ...]]] = []
    if kept:
        found += session.execute(
            sa.select(
                SurveyCount.wave_id,
                SurveyCount.item_code,
                SurveyCount.district,
                SurveyCount.value,
                SurveyCount.answers,
                SurveyCount.weight,
                SurveyCount.weight_squares,
            ).where(SurveyCount.wave_id.in_(kept))
        ).all()
    if uncounted:
        found += session.execute(_live(uncounted)).all()
    return found


def recount(session: Session, wave_id: int) -> None:
    """Writes the counts of a wave anew from its answers."""
    session.execute(sa.delete(SurveyCount).where(SurveyCount.wave_id == wave_id))
    columns = ["wave_id", "item_code", "district", "value", "answers", "weight", "weight_squares"]
    session.execute(sa.insert(SurveyCount).from_select(columns, _live([wave_id])))
    session.execute(sa.update(SurveyWave).where(SurveyWave.id == wave_id).values(counted=True))


def respondents_by_mode(session: Session, wave_ids: Collection[int]) -> Sequence[Row[*tuple[Any, ...]]]:
    """(wave_id, mode, respondents, weight, weight_squares): how many people answered, and which way."""
    return session.execute(
        sa.select(
            Respondent.wave_id, Respondent.mode, sa.func.count().label("respondents"), *_SUMS[1:],
        )
        .where(Respondent.wave_id.in_(wave_ids))
        .group_by(Respondent.wave_id, Respondent.mode)
    ).all()  # fmt: skip


def counts_by_mode(session: Session, wave_id: int, item_code: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """(mode, value, answers, weight, weight_squares) of one question, counted from its answers."""
    return session.execute(
        sa.select(Respondent.mode, SurveyAnswer.value, *_SUMS)
        .join(Respondent, Respondent.id == SurveyAnswer.respondent_id)
        .where(SurveyAnswer.wave_id == wave_id, SurveyAnswer.item_code == item_code)
        .group_by(Respondent.mode, SurveyAnswer.value)
    ).all()


def respondents_by_district(session: Session, wave_id: int) -> dict[str, int]:
    """How many people of each district answered."""
    found = session.execute(
        sa.select(Respondent.district, sa.func.count())
        .where(Respondent.wave_id == wave_id)
        .group_by(Respondent.district)
    )
    return {district: count for district, count in found}  # noqa: C416  # a row is no pair to the type checker


def _with_comment(wave_id: int, districts: Collection[str] | None, words: Sequence[str]) -> sa.Select[*tuple[Any, ...]]:
    written = sa.select(Respondent.id, Respondent.district, Respondent.comment).where(
        Respondent.wave_id == wave_id, Respondent.comment != ""
    )
    if districts is not None:
        written = written.where(Respondent.district.in_(districts))
    return written.where(*(Respondent.comment.icontains(word, autoescape=True) for word in words))


def comments(
    session: Session,
    wave_id: int,
    districts: Collection[str] | None,
    words: Sequence[str] = (),
    *,
    most: int,
    skip: int = 0,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """(id, district, comment) of people who wrote something; of these districts, or of all; with each of these words in it,
    whatever their case."""
    found = _with_comment(wave_id, districts, words)
    return session.execute(found.order_by(Respondent.id).limit(most).offset(skip)).all()


def comment_count(session: Session, wave_id: int, districts: Collection[str] | None, words: Sequence[str] = ()) -> int:
    found = _with_comment(wave_id, districts, words)
    return session.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0


def heard(session: Session, since: dt.datetime, until: dt.datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    """(subject_code, stance, heard): opinions noted at wrap-up in [since, until)."""
    return session.execute(
        sa.select(OpinionHeard.subject_code, OpinionHeard.stance, sa.func.count().label("heard"))
        .where(OpinionHeard.heard_at >= since, OpinionHeard.heard_at < until)
        .group_by(OpinionHeard.subject_code, OpinionHeard.stance)
    ).all()


# --- an import --------------------------------------------------------------------------------------------------------


def respondents_of(session: Session, wave_id: int, external_ids: Collection[str]) -> Mapping[str, Respondent]:
    """Those of these respondents who are there already, by their number in the file."""
    found = session.scalars(
        sa.select(Respondent).where(Respondent.wave_id == wave_id, Respondent.external_id.in_(external_ids))
    )
    return {row.external_id or "": row for row in found}


def answers_of(session: Session, respondent_ids: Collection[int]) -> dict[int, dict[str, float]]:
    """Answers by respondent and item."""
    found: dict[int, dict[str, float]] = {each: {} for each in respondent_ids}
    rows = session.execute(
        sa.select(SurveyAnswer.respondent_id, SurveyAnswer.item_code, SurveyAnswer.value).where(
            SurveyAnswer.respondent_id.in_(respondent_ids)
        )
    )
    for respondent_id, item_code, value in rows:
        found[respondent_id][item_code] = value
    return found


def replace_answers(
    session: Session, wave_id: int, answers: Mapping[int, Mapping[str, float]], changed: Collection[int]
) -> None:
    """Writes answers by respondent; what the `changed` ones had answered before goes first."""
    if changed:
        session.execute(sa.delete(SurveyAnswer).where(SurveyAnswer.respondent_id.in_(changed)))
    rows = [
        {"respondent_id": respondent_id, "item_code": code, "wave_id": wave_id, "value": value}
        for respondent_id, given in answers.items()
        for code, value in given.items()
    ]
    if rows:
        session.execute(sa.insert(SurveyAnswer), rows)
