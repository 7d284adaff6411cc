"""Reading: reference data kept between transactions and forgotten when it is written, one moment for nested looks, statements
that are put together once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from db import core, directory
from db.directory import Department, ReferenceRow

DAY = dt.date(2026, 11, 24)


def add(name: str, since: dt.date = DAY, code: str = "kite") -> None:
    with core.work() as work:
        work.add(ReferenceRow(kind="toy", code=code, name=name, effective_from=since, detail={"code": code}))


def names() -> list[str]:
    with core.read() as session:
        return [row.name for row in directory.reference(session, "toy", DAY)]


def test_reference_data_is_read_once_and_anew_when_it_was_changed(db: core.Database) -> None:
    add("Kite", DAY - dt.timedelta(days=9))
    assert names() == ["Kite"]
    seen: list[str] = []
    look = lambda *args: seen.append(args[2])  # noqa: E731
    event.listen(db.read_engine, "before_cursor_execute", look)
    try:
        assert names() == ["Kite"]
        assert not seen
    finally:
        event.remove(db.read_engine, "before_cursor_execute", look)
    add("Kite with a tail")
    assert names() == ["Kite with a tail"]


def test_a_change_outside_of_a_command_is_seen_too(db: core.Database) -> None:
    add("Kite")
    assert names() == ["Kite"]
    with db.write_engine.begin() as connection:
        connection.execute(sa.update(ReferenceRow).where(ReferenceRow.kind == "toy").values(name="Ball"))
    assert names() == ["Ball"]


def test_what_was_taken_back_is_not_kept(db: core.Database) -> None:
    assert names() == []

    def fails() -> None:
        with core.work() as work:
            work.add(ReferenceRow(kind="toy", code="kite", name="Kite", effective_from=DAY, detail={}))
            assert [row.name for row in directory.reference(work.session, "toy", DAY)] == ["Kite"]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert names() == []


def test_a_look_that_began_before_a_change_keeps_nothing(db: core.Database) -> None:
    with db.reading() as before:
        before.execute(sa.text("SELECT count(*) FROM reference_row")).one()
        add("Kite")
        assert directory.reference(before, "toy", DAY) == []
    assert names() == ["Kite"]


def test_another_process_change_is_seen_after_a_while(db: core.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add("Kite")
    assert names() == ["Kite"]
    elsewhere = core.Database(db.url.render_as_string(hide_password=False))
    with elsewhere.write_engine.begin() as connection:
        connection.execute(sa.update(ReferenceRow).where(ReferenceRow.kind == "toy").values(name="Ball"))
    elsewhere.dispose()
    assert names() == ["Kite"]
    late = core.time.monotonic() + core.KEEP_SECONDS + 1
    monkeypatch.setattr(core.time, "monotonic", lambda: late)
    assert names() == ["Ball"]


def test_the_version_in_force_on_a_day(db: core.Database) -> None:
    add("Old kite", DAY - dt.timedelta(days=30))
    add("Kite", DAY)
    with core.read() as session:
        found = {
            days: directory.reference_row(session, "toy", "kite", DAY + dt.timedelta(days=days))
            for days in (-31, -30, -1, 0, 1)
        }
    assert {days: None if row is None else row.name for days, row in found.items()} == {
        -31: None,
        -30: "Old kite",
        -1: "Old kite",
        0: "Kite",
        1: "Kite",
    }


def test_a_look_inside_a_look_sees_the_same_moment(db: core.Database) -> None:
    with core.read() as outer:
        with core.read() as inner:
            assert inner is outer
        assert outer.scalar(sa.select(sa.func.count()).select_from(Department)) is not None
    with core.read() as later:
        assert later is not outer
    with core.work() as work, core.read() as session:
        assert session is work.session


@core.prepared
def _toys(code: Any, most: Any, kinds: Any) -> Any:
    return (
        sa.select(ReferenceRow.name, ReferenceRow.effective_from)
        .where(ReferenceRow.code == code, ReferenceRow.kind.in_(kinds), ReferenceRow.effective_from <= DAY)
        .order_by(ReferenceRow.effective_from)
        .limit(most)
    )


def test_a_prepared_statement_answers_as_a_fresh_one(db: core.Database) -> None:
    for back in (3, 2, 1):
        add(f"Kite {back}", DAY - dt.timedelta(days=back))
    with core.read() as session:
        rows = _toys(session, code="kite", most=2, kinds=["toy", "game"]).all()
        assert [(row.name, row.effective_from) for row in rows] == [
            ("Kite 3", dt.date(2026, 11, 21)),
            ("Kite 2", dt.date(2026, 11, 22)),
        ]
        assert _toys(session, code="kite", most=5, kinds=["game"]).all() == []
    with core.work() as work:
        # What was not written yet is, before a statement of the same transaction looks.
        work.session.add(ReferenceRow(kind="game", code="kite", name="Kites", effective_from=DAY, detail={}))
        assert [row.name for row in _toys(work.session, code="kite", most=5, kinds=["game"])] == ["Kites"]
