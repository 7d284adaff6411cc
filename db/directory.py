"""Departments and divisions, policies and how-to articles, emergency scripts. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Id, Json, Versioned, kept, reference_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

Reference = TypeVar("Reference", bound=Base)


class Department(Base):
    """A department of the city, or a contractor standing in for one."""

    __tablename__ = "department"
    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    phone: Mapped[str] = mapped_column(sa.String(20), default="")
    email: Mapped[str] = mapped_column(sa.String(200), default="")


class Division(Base):
    """Who does the work inside a department: the unit a queue belongs to."""

    __tablename__ = "division"
    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    department_code: Mapped[str] = mapped_column(sa.ForeignKey("department.code"))
    name: Mapped[str] = mapped_column(sa.String(120))
    contractor: Mapped[bool] = mapped_column(sa.Boolean, default=False)


class KnowledgeArticle(Id, Versioned, Base):
    """A short answer the representative can read out: a policy, a how-to, opening hours."""

    __tablename__ = "knowledge_article"
    __table_args__ = (sa.UniqueConstraint("code", "effective_from"),)
    code: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(200))
    topic: Mapped[str] = mapped_column(sa.String(60))
    body: Mapped[str] = mapped_column(sa.Text)
    synonyms: Mapped[str] = mapped_column(sa.Text, default="")
    citation: Mapped[str] = mapped_column(sa.Text, default="")
    effective_from: Mapped[dt.date] = mapped_column(sa.Date)
    effective_to: Mapped[dt.date | None] = mapped_column(sa.Date)
    search_text: Mapped[str] = mapped_column(sa.Text)


class ReferenceRow(Id, Base):
    """A versioned row of reference data that has no table of its own: calendars, tariffs, policies, reasons, scripts.

    `kind` and `code` name it, `effective_from` picks the version in force, `detail` is the row as its pack file says it.
    Editing adds a version; a version is never changed.
    """

    __tablename__ = "reference_row"
    __table_args__ = (sa.UniqueConstraint("kind", "code", "effective_from"),)
    kind: Mapped[str] = mapped_column(sa.String(40))
    code: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(200))
    position: Mapped[int] = mapped_column(sa.Integer, default=0)
    effective_from: Mapped[dt.date] = mapped_column(sa.Date)
    detail: Mapped[dict[str, Any]] = mapped_column(Json)


reference_data(Department)
reference_data(Division)
reference_data(KnowledgeArticle)
reference_data(ReferenceRow)

# --- queries ----------------------------------------------------------------------------------------------------------


def departments(session: Session) -> Sequence[Department]:
    return session.scalars(sa.select(Department).order_by(Department.name)).all()


def division_names(session: Session) -> dict[str, str]:
    """Division code -> name, by name."""
    return kept(session, "division names", lambda: {row.code: row.name for row in divisions(session)})


def divisions(session: Session) -> Sequence[Division]:
    return session.scalars(sa.select(Division).order_by(Division.name)).all()


def unit(session: Session, division_code: str) -> Any:
    """A division with its department's e-mail address; None when there is none of this code."""
    return session.execute(
        sa.select(Division.code, Division.name, Division.contractor, Division.department_code, Department.email)
        .join(Department, Department.code == Division.department_code)
        .where(Division.code == division_code)
    ).first()


def reference(session: Session, kind: str, on: dt.date) -> Sequence[ReferenceRow]:
    """The rows of a kind in force on a day, one per code, in their order."""
    return kept(session, ("reference", kind, on), lambda: alone(session, _reference(session, kind, on)))


def alone(session: Session, rows: Sequence[Reference]) -> Sequence[Reference]:
    """Rows that are kept when the session that read them is gone; one that writes keeps its own."""
    if "kept" in session.info:
        for row in rows:
            session.expunge(row)
    return rows


def _reference(session: Session, kind: str, on: dt.date) -> Sequence[ReferenceRow]:
    newest = (
        sa.select(ReferenceRow.code, sa.func.max(ReferenceRow.effective_from).label("since"))
        .where(ReferenceRow.kind == kind, ReferenceRow.effective_from <= on)
        .group_by(ReferenceRow.code)
        .subquery()
    )
    return session.scalars(
        sa.select(ReferenceRow)
        .join(newest, sa.and_(newest.c.code == ReferenceRow.code, newest.c.since == ReferenceRow.effective_from))
        .where(ReferenceRow.kind == kind)
        .order_by(ReferenceRow.position, ReferenceRow.name)
    ).all()


def reference_row(session: Session, kind: str, code: str, on: dt.date) -> ReferenceRow | None:
    """The version of one row in force on a day."""
    versions = reference_versions(session, kind, code)
    return next((row for row in reversed(versions) if row.effective_from <= on), None)


def reference_versions(session: Session, kind: str, code: str) -> Sequence[ReferenceRow]:
    """All versions of one row, oldest first (a tariff needs those that touch a billing period)."""

    def ask() -> Sequence[ReferenceRow]:
        return session.scalars(
            sa.select(ReferenceRow)
            .where(ReferenceRow.kind == kind, ReferenceRow.code == code)
            .order_by(ReferenceRow.effective_from)
        ).all()

    return kept(session, ("reference versions", kind, code), lambda: alone(session, ask()))


def departments_by_code(session: Session) -> dict[str, Department]:
    return {row.code: row for row in departments(session)}


def _articles_in_force(on: dt.date) -> sa.Select[KnowledgeArticle]:
    """The newest version of each article on a day, unless it has ended."""
    newest = (
        sa.select(KnowledgeArticle.code, sa.func.max(KnowledgeArticle.effective_from).label("since"))
        .where(KnowledgeArticle.effective_from <= on)
        .group_by(KnowledgeArticle.code)
        .subquery()
    )
    return (
        sa.select(KnowledgeArticle)
        .join(
            newest, sa.and_(newest.c.code == KnowledgeArticle.code, newest.c.since == KnowledgeArticle.effective_from)
        )
        .where(sa.or_(KnowledgeArticle.effective_to.is_(None), KnowledgeArticle.effective_to > on))
        .order_by(KnowledgeArticle.topic, KnowledgeArticle.title)
    )


def articles(session: Session, on: dt.date) -> Sequence[KnowledgeArticle]:
    """All articles in force on a day, by topic and title."""
    return kept(session, ("articles", on), lambda: alone(session, session.scalars(_articles_in_force(on)).all()))


def articles_with_words(
    session: Session, words: Sequence[str], on: dt.date, *, every: bool = True
) -> Sequence[KnowledgeArticle]:
    """Articles in force on a day that hold these folded words (all of them, or any). Folded words hold letters and digits
    only, so the pattern needs no escape and both databases find the same."""
    holds = [KnowledgeArticle.search_text.like(f"%{word}%") for word in words]
    return session.scalars(_articles_in_force(on).where(sa.and_(*holds) if every else sa.or_(*holds))).all()


def article(session: Session, code: str, on: dt.date) -> KnowledgeArticle | None:
    return next((each for each in articles(session, on) if each.code == code), None)
