"""Who works here: people, roles, permissions, approval limits, sign-in sessions, declared relatives. Tables, then queries."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column

from db.core import Base, Cents, Id, UtcTime, Versioned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class Staff(Id, Versioned, Base):
    """A person who works at the desk. Identity is (issuer, subject) of the city's identity provider."""

    __tablename__ = "staff"
    __table_args__ = (sa.UniqueConstraint("issuer", "subject"),)
    issuer: Mapped[str] = mapped_column(sa.String(200))
    subject: Mapped[str] = mapped_column(sa.String(200))
    name: Mapped[str] = mapped_column(sa.String(120))
    email: Mapped[str] = mapped_column(sa.String(200), default="")
    division_code: Mapped[str | None] = mapped_column(sa.String(40))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    """The same human as a customer: their account and household are out of their own reach."""
    stand_in_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class Role(Base):
    """A named bundle of permissions; an administrator edits it."""

    __tablename__ = "role"
    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    position: Mapped[int] = mapped_column(sa.Integer, default=0)


class RolePermission(Base):
    """A permission a role carries."""

    __tablename__ = "role_permission"
    role_code: Mapped[str] = mapped_column(sa.ForeignKey("role.code"), primary_key=True)
    permission: Mapped[str] = mapped_column(sa.String(60), primary_key=True)


class StaffRole(Base):
    """A role a person holds."""

    __tablename__ = "staff_role"
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"), primary_key=True)
    role_code: Mapped[str] = mapped_column(sa.ForeignKey("role.code"), primary_key=True)


class ApprovalLimit(Base):
    """Up to how much a role may decide alone, by kind of adjustment."""

    __tablename__ = "approval_limit"
    role_code: Mapped[str] = mapped_column(sa.ForeignKey("role.code"), primary_key=True)
    adjustment_kind: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    limit_cents: Mapped[int] = mapped_column(Cents)


class StaffSession(Base):
    """A sign-in: checked on every run, ended from anywhere. The id is a hash; the secret itself is only in the cookie."""

    __tablename__ = "staff_session"
    __table_args__ = (sa.Index(None, "staff_id", "ended_at"),)
    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    started_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_why: Mapped[str | None] = mapped_column(sa.String(40))


class StaffRelative(Id, Base):
    """A customer a staff member has declared as a relative: also out of their reach."""

    __tablename__ = "staff_relative"
    __table_args__ = (sa.UniqueConstraint("staff_id", "person_id"),)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    declared_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class StaffAbsence(Id, Base):
    """Days a staff member is away, and who decides in their place meanwhile."""

    __tablename__ = "staff_absence"
    __table_args__ = (sa.Index(None, "staff_id", "until_on"), sa.Index(None, "stand_in_id", "until_on"))
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    stand_in_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    from_on: Mapped[dt.date] = mapped_column(sa.Date)
    until_on: Mapped[dt.date] = mapped_column(sa.Date)
    """The last day away."""
    declared_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    declared_by_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    """Came back earlier, or the entry was a mistake."""


# --- queries ----------------------------------------------------------------------------------------------------------


def is_active(session: Session, staff_id: int) -> bool:
    return bool(session.scalar(sa.select(Staff.active).where(Staff.id == staff_id)))


def by_identity(session: Session, issuer: str, subject: str) -> Staff | None:
    return session.scalar(sa.select(Staff).where(Staff.issuer == issuer, Staff.subject == subject))


def by_id(session: Session, staff_id: int) -> Staff | None:
    return session.get(Staff, staff_id)


def roles_and_permissions(session: Session, staff_id: int) -> list[tuple[str, str, str | None]]:
    """(role code, role name, permission) for all the roles of a person; a role without permissions gives one row with None."""
    return [
        (code, name, permission)
        for code, name, permission in session.execute(
            sa.select(Role.code, Role.name, RolePermission.permission)
            .join(StaffRole, StaffRole.role_code == Role.code)
            .outerjoin(RolePermission, RolePermission.role_code == Role.code)
            .where(StaffRole.staff_id == staff_id)
            .order_by(Role.position)
        )
    ]


def limits(session: Session, staff_id: int) -> dict[str, int]:
    """The highest approval limit in cents of a person's roles, by adjustment kind."""
    found = session.execute(
        sa.select(ApprovalLimit.adjustment_kind, sa.func.max(ApprovalLimit.limit_cents))
        .join(StaffRole, StaffRole.role_code == ApprovalLimit.role_code)
        .where(StaffRole.staff_id == staff_id)
        .group_by(ApprovalLimit.adjustment_kind)
    )
    return {row[0]: row[1] for row in found}


def everyone(session: Session) -> Sequence[Staff]:
    return session.scalars(sa.select(Staff).order_by(Staff.active.desc(), Staff.name)).all()


def role_codes_by_staff(session: Session) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for staff_id, code in session.execute(sa.select(StaffRole.staff_id, StaffRole.role_code)):
        found.setdefault(staff_id, []).append(code)
    return found


def all_roles(session: Session) -> Sequence[Role]:
    return session.scalars(sa.select(Role).order_by(Role.position)).all()


def permissions_by_role(session: Session) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for code, permission in session.execute(sa.select(RolePermission.role_code, RolePermission.permission)):
        found.setdefault(code, set()).add(permission)
    return found


def set_roles(session: Session, staff_id: int, role_codes: Sequence[str]) -> None:
    session.execute(sa.delete(StaffRole).where(StaffRole.staff_id == staff_id))
    if role_codes:
        session.execute(sa.insert(StaffRole), [{"staff_id": staff_id, "role_code": code} for code in role_codes])


def set_role_permissions(session: Session, role_code: str, permissions: Sequence[str]) -> None:
    session.execute(sa.delete(RolePermission).where(RolePermission.role_code == role_code))
    if permissions:
        session.execute(
            sa.insert(RolePermission), [{"role_code": role_code, "permission": code} for code in permissions]
        )


def session_row(session: Session, session_id: str) -> StaffSession | None:
    return session.get(StaffSession, session_id)


def open_sessions(session: Session, staff_id: int) -> Sequence[StaffSession]:
    return session.scalars(
        sa.select(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
    ).all()


def end_sessions(session: Session, staff_id: int, at: dt.datetime, why: str) -> int:
    """Ends every open sign-in of a person; returns how many."""
    ended = session.execute(
        sa.update(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
        .values(ended_at=at, ended_why=why)
        .returning(StaffSession.id)
    )
    return len(ended.all())


def lapsed_sessions(session: Session, unseen_since: dt.datetime, open_since: dt.datetime) -> Sequence[StaffSession]:
    """Open sign-ins that nobody has used since one moment, or that were begun before another; held for ending."""
    return session.scalars(
        sa.select(StaffSession)
        .where(
            StaffSession.ended_at.is_(None),
            sa.or_(StaffSession.seen_at < unseen_since, StaffSession.started_at < open_since),
        )
        .order_by(StaffSession.id)
        .with_for_update(skip_locked=True)
    ).all()


def last_ended_at(session: Session, staff_id: int) -> dt.datetime | None:
    return session.scalar(sa.select(sa.func.max(StaffSession.ended_at)).where(StaffSession.staff_id == staff_id))


def relatives(session: Session, staff_id: int) -> set[int]:
    """Persons a staff member has declared as relatives."""
    return set(session.scalars(sa.select(StaffRelative.person_id).where(StaffRelative.staff_id == staff_id)))


def last_seen(session: Session) -> dict[int, dt.datetime]:
    """When each person was last at the desk."""
    found = session.execute(
        sa.select(StaffSession.staff_id, sa.func.max(StaffSession.seen_at, type_=UtcTime)).group_by(
            StaffSession.staff_id
        )
    )
    return {row[0]: row[1] for row in found}


def only_administrator(session: Session, staff_id: int, role_code: str) -> bool:
    """Whether this person is the only active holder of a role."""
    holders = session.scalars(
        sa.select(StaffRole.staff_id)
        .join(Staff, Staff.id == StaffRole.staff_id)
        .where(StaffRole.role_code == role_code, Staff.active)
    ).all()
    return list(holders) == [staff_id]


# --- absences and those who decide --------------------------------------------------------------------------------------


def away_on(session: Session, on: dt.date) -> Sequence[Any]:
    """(id, staff_id, stand_in_id, stand_in_name) of everybody who is away on a day; the newest entry of each first."""
    stand_in = aliased(Staff)
    return session.execute(
        sa.select(
            StaffAbsence.id, StaffAbsence.staff_id, StaffAbsence.stand_in_id, stand_in.name.label("stand_in_name")
        )
        .join(stand_in, stand_in.id == StaffAbsence.stand_in_id)
        .where(
            StaffAbsence.ended_at.is_(None), StaffAbsence.from_on <= on, StaffAbsence.until_on >= on, stand_in.active
        )
        .order_by(StaffAbsence.staff_id, StaffAbsence.id.desc())
    ).all()


def absences(session: Session, staff_id: int, since: dt.date) -> Sequence[Any]:
    """A person's absences that are not over on a day, with who stands in, the earliest first."""
    stand_in = aliased(Staff)
    return session.execute(
        sa.select(
            StaffAbsence.id, StaffAbsence.staff_id, StaffAbsence.stand_in_id, StaffAbsence.from_on, StaffAbsence.until_on,
            stand_in.name.label("stand_in_name"),
        )
        .join(stand_in, stand_in.id == StaffAbsence.stand_in_id)
        .where(StaffAbsence.staff_id == staff_id, StaffAbsence.ended_at.is_(None), StaffAbsence.until_on >= since)
        .order_by(StaffAbsence.from_on, StaffAbsence.id)
    ).all()  # fmt: skip


def limits_by_staff(session: Session) -> dict[int, dict[str, int]]:
    """The highest approval limit in cents of each active person's roles, by adjustment kind."""
    found: dict[int, dict[str, int]] = {}
    for staff_id, kind, cents in session.execute(
        sa.select(StaffRole.staff_id, ApprovalLimit.adjustment_kind, sa.func.max(ApprovalLimit.limit_cents))
        .join(StaffRole, StaffRole.role_code == ApprovalLimit.role_code)
        .join(Staff, Staff.id == StaffRole.staff_id)
        .where(Staff.active)
        .group_by(StaffRole.staff_id, ApprovalLimit.adjustment_kind)
    ):
        found.setdefault(staff_id, {})[kind] = cents
    return found


def holders(session: Session, permission: str) -> Sequence[Any]:
    """(id, name, person_id) of the active people one of whose roles carries a permission, by name."""
    return session.execute(
        sa.select(Staff.id, Staff.name, Staff.person_id)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .join(RolePermission, RolePermission.role_code == StaffRole.role_code)
        .where(Staff.active, RolePermission.permission == permission)
        .distinct()
        .order_by(Staff.name, Staff.id)
    ).all()
