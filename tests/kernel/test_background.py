"""The thread behind the screen: runs its tasks, survives their failures, stops when told; seals what happened."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from db import core, events
from portal import settings, upkeep
from portal.background import SCHEDULE, Background

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
