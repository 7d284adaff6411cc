"""The city's decisions about moves, read from the reference rows of a day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from db import core, directory
from portal import settings
from portal.billing.rules.deposit import DepositPolicy
from portal.billing.rules.fee import Fee
from portal.moves.rules.debt import DebtPolicy, read_debt_policy
from portal.moves.rules.policy import BadPolicy, MovePolicy, read_policy
from portal.shared.calendar import BusinessCalendar
from portal.shared.collection import HolidayRule

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OFFICE_HOURS = dict.fromkeys(WEEKDAYS[:5], (("08:00", "17:00"),))


def move_policy(session: Session, on: dt.date) -> MovePolicy:
    """Service kinds, days, turnover, evidence and orders in force on a day. Raises `BadPolicy`."""
    return core.kept(
        session,
        ("moves.policy", on),
        lambda: read_policy(
            [row.detail for row in directory.reference(session, "service_kind", on)],
            {row.code: row.detail for row in directory.reference(session, "move_policy", on)},
            [row.detail for row in directory.reference(session, "evidence", on)],
            [row.detail for row in directory.reference(session, "order_kind", on)],
        ),
    )


def policy_detail(session: Session, code: str, on: dt.date) -> dict[str, Any]:
    """One row of the kind `policy`; empty when no pack has it."""
    row = directory.reference_row(session, "policy", code, on)
    return {} if row is None else row.detail


def debt_policy(session: Session, on: dt.date) -> DebtPolicy:
    """The rows on former occupants' debts, own debts and arrangements."""
    return core.kept(
        session,
        ("moves.debt_policy", on),
        lambda: read_debt_policy(
            policy_detail(session, "former_occupant_debt", on),
            policy_detail(session, "own_debt", on),
            policy_detail(session, "arrangement", on),
        ),
    )


def deposit_policy(session: Session, on: dt.date) -> DepositPolicy:
    """The deposit policy in force. Raises `BadPolicy` when there is none or it cannot be read."""
    return core.kept(session, ("moves.deposit_policy", on), lambda: _deposit_policy(session, on))


def _deposit_policy(session: Session, on: dt.date) -> DepositPolicy:
    row = directory.reference_row(session, "deposit", "utility", on)
    if row is None:
        raise BadPolicy("The row deposit/utility is missing. Load the base pack, or add the row.")
    # The loader keeps days of a file as text; the pack reader wants days.
    policy, problems = DepositPolicy.from_pack({**row.detail, "effective_from": row.effective_from})
    if policy is None:
        raise BadPolicy(f"The row deposit/utility cannot be read: {problems[0].message}")
    return policy


def fee(session: Session, code: str, on: dt.date) -> Fee | None:
    """A fee of the schedule; None when the city has none of that code."""
    return core.kept(session, ("moves.fee", code, on), lambda: _fee(session, code, on))


def _fee(session: Session, code: str, on: dt.date) -> Fee | None:
    row = directory.reference_row(session, "fee", code, on)
    if row is None:
        return None
    detail = dict(row.detail)
    detail["version"] = [
        {**version, "effective_from": _day(version["effective_from"])} for version in detail.get("version", ())
    ]
    found, problems = Fee.from_pack(detail)
    if found is None:
        raise BadPolicy(f"The row fee/{code} cannot be read: {problems[0].message}")
    return found


def _day(value: object) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def work_calendar(session: Session, code: str, on: dt.date) -> BusinessCalendar:
    """The hours and holidays of an office around a day, in the city's zone; Monday to Friday without a row."""
    question = ("moves.work_calendar", code, on, settings.current().zone)
    return core.kept(session, question, lambda: _work_calendar(session, code, on))


def _work_calendar(session: Session, code: str, on: dt.date) -> BusinessCalendar:
    row = directory.reference_row(session, "calendar", code, on)
    detail: dict[str, Any] = {} if row is None else row.detail
    hours = {
        WEEKDAYS.index(day): tuple(
            (dt.time.fromisoformat(opens), dt.time.fromisoformat(closes)) for opens, closes in spans
        )
        for day, spans in (detail.get("hours") or _OFFICE_HOURS).items()
    }
    holidays = {_day(one["on"]) for one in detail.get("holiday", ())}
    for year in range(on.year - 1, on.year + 3):
        holidays |= {_kept_on(one, year) for one in detail.get("holiday_rule", ())}
    return BusinessCalendar(settings.current().zone, hours, frozenset(holidays))


def _kept_on(rule: dict[str, Any], year: int) -> dt.date:
    """The day a holiday is kept: a Sunday on Monday; a Saturday on Friday where the rule says nearest."""
    weekday = WEEKDAYS.index(rule["weekday"]) if "weekday" in rule else None
    on = HolidayRule(str(rule.get("name", "")), int(rule["month"]), rule.get("day"), weekday, rule.get("nth")).in_year(
        year
    )
    on += dt.timedelta(days=int(rule.get("days_after", 0)))
    if on.weekday() == 6 and rule.get("observed"):
        return on + dt.timedelta(days=1)
    if on.weekday() == 5 and rule.get("observed") == "nearest":
        return on - dt.timedelta(days=1)
    return on
