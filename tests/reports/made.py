"""A few requests whose figures can be worked out by hand; test time is Tuesday, November 24, 2026."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from db import core
from db import service_requests as rows
from portal import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

ZONE = settings.load().time_zone


def local(text: str) -> dt.datetime:
    """A time of day on the city's clocks as an instant."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(dt.UTC)


def request(
    number: int, opened: str, *, due: str | None = None, closed: str | None = None, **more: Any
) -> dict[str, Any]:
    """The columns of a request; times are local."""
    opened_at, due_at, closed_at = local(opened), local(due) if due else None, local(closed) if closed else None
    return {
        "number": f"SR-T-{number}", "kind": "cars", "request_type_code": "missed_garbage", "request_type_name": "Missed garbage",
        "group_name": "Collection", "division_code": "residential", "department_code": "solid_waste", "district": "", "channel": "phone",
        "state_code": "closed" if closed else "new", "closed": closed is not None, "opened_at": opened_at, "due_at": due_at,
        "closed_at": closed_at, "opened_month": opened[:7],
        "minutes_to_close": None if closed_at is None else int((closed_at - opened_at).total_seconds() // 60),
        "in_target": None if closed_at is None or due_at is None else closed_at <= due_at,
    } | more  # fmt: skip


def add(requests: Sequence[dict[str, Any]]) -> None:
    """Adds them as a command would, rollups and all."""
    with core.work() as work:
        for values in requests:
            row = work.add(rows.ServiceRequest(**values))
            rows.count_change(work.session, None, rows.counted(row, ZONE))
        work.event("test.added", subject_kind="city", subject_id=0)


def twelve(district: str = "old_town") -> list[dict[str, Any]]:
    """Twelve of one week: ten closed after 1 to 10 days, the first seven in time; two open, one of them past due."""
    closed = [
        request(at, "2026-11-09T08:00", due="2026-11-16T08:00", closed=f"2026-11-{9 + at:02d}T08:00", district=district)
        for at in range(1, 11)
    ]
    return [
        *closed,
        request(11, "2026-11-10T08:00", due="2026-11-20T08:00", channel="web", district=district),
        request(12, "2026-11-11T08:00", due="2026-12-20T08:00", channel="web", division_code=None),
    ]
