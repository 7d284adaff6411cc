"""The thread behind the screen: runs its tasks, survives their failures, stops when told; seals what happened."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from db import core, events, staff
from portal import background, settings, upkeep
from portal.background import SCHEDULE, Background
from tests.city import City

pytestmark = pytest.mark.real_time


def test_tasks_run_and_a_failing_one_does_not_stop_the_others() -> None:
    ran = threading.Event()

    def fail() -> None:
        raise RuntimeError("today it does not work")

    background = Background((("fail", 60, fail), ("run", 60, ran.set)))
    background.start()
    try:
        assert ran.wait(10)
    finally:
        background.stop()
    assert not background._thread.is_alive()


def test_sealing_twice_without_news_writes_one_seal(db: core.Database) -> None:
    upkeep.seal()
    upkeep.seal()
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(events.EventSeal)) == 1


def test_the_schedule_names_functions_that_run_on_an_empty_city(db: core.Database) -> None:
    settings.use(settings.load(demo=True))
    for _, _, task in SCHEDULE:
        task()


def test_sign_ins_nobody_came_back_to_end(city: City) -> None:
    settings.use(settings.load(demo=True, idle_minutes=30, absolute_hours=10))
    now = core.now()
    began = {
        "idle": (60, 31),
        "used": (60, 29),
        "old": (601, 1),
        "ended": (900, 800),
    }  # minutes since begun and since seen
    with core.work() as work:
        for name, (begun, seen) in began.items():
            work.session.add(
                staff.StaffSession(
                    id=name,
                    staff_id=city.staff["luis"],
                    started_at=now - dt.timedelta(minutes=begun),
                    seen_at=now - dt.timedelta(minutes=seen),
                    ended_at=now if name == "ended" else None,
                    ended_why="signed out" if name == "ended" else None,
                )
            )
    background.end_sign_ins()
    background.end_sign_ins()  # nothing is left to end
    with core.read() as session:
        ended = {row.id: row.ended_why for row in session.scalars(sa.select(staff.StaffSession))}
        said = session.scalars(sa.select(events.Event.detail).where(events.Event.name == "staff.signed_out")).all()
    assert ended == {"idle": "idle", "old": "absolute", "used": None, "ended": "signed out"}
    assert sorted(each["why"] for each in said) == ["absolute", "idle"]
