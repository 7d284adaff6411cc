"""The rollups kept in each writing transaction are those that counting all requests anew would give."""

from __future__ import annotations

import csv
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import core
from db import service_requests as rows
from portal import settings as portal_settings
from portal.service_requests.commands import importing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ZONE = portal_settings.load().time_zone


def cells() -> list[tuple[Any, ...]]:
    """Every cell of the rollups, in order."""
    with core.read() as session:
        table = core.table_of(rows.RequestRollup)
        return [tuple(row) for row in session.execute(sa.select(table).order_by(*table.primary_key.columns))]


def assert_rebuilt_is_maintained(database: core.Database) -> None:
    maintained = cells()
    rows.rebuild_rollups(database, ZONE)
    assert cells() == maintained


DIVISIONS = st.sampled_from([None, "carts", "street_lights"])
# The night the clocks go back, a month's end, a Sunday's end: where a civil date is easily counted wrong.
INSTANTS = st.sampled_from([
    dt.datetime(2026, 11, 1, 3, 59, tzinfo=dt.UTC), dt.datetime(2026, 11, 1, 4, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC), dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 2, 4, 59, 59, tzinfo=dt.UTC), dt.datetime(2026, 11, 2, 5, 0, tzinfo=dt.UTC),
    dt.datetime(2025, 12, 31, 23, 0, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, 5, 0, tzinfo=dt.UTC),
])  # fmt: skip
STATES = st.fixed_dictionaries({
    "division_code": DIVISIONS,
    "district": st.sampled_from(["", "old_town"]),
    "channel": st.sampled_from(["phone", "web"]),
    "request_type_code": st.sampled_from(["a", "b"]),
    "opened_at": INSTANTS,
    "due": st.booleans(),
    "closed": st.sampled_from([None, "in_time", "late", "no_time"]),
})  # fmt: skip
STEPS = st.lists(st.tuples(st.integers(0, 5), st.none() | STATES), max_size=14)


def columns(state: dict[str, Any]) -> dict[str, Any]:
    """The columns of a request in such a state."""
    opened = state["opened_at"]
    closed_at = {
        None: None,
        "in_time": opened + dt.timedelta(hours=2),
        "late": opened + dt.timedelta(days=9),
        "no_time": None,
    }[state["closed"]]
    due_at = opened + dt.timedelta(days=1) if state["due"] else None
    return {
        **{name: state[name] for name in ("division_code", "district", "channel", "request_type_code", "opened_at")},
        "due_at": due_at,
        "closed": state["closed"] is not None,
        "closed_at": closed_at,
        "in_target": None if closed_at is None or due_at is None else closed_at <= due_at,
        "minutes_to_close": None if closed_at is None else int((closed_at - opened).total_seconds() // 60),
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_to_requests_the_rollups_are_those_of_counting_anew(
    db: core.Database, steps: list[tuple[int, Any]]
) -> None:
    held: dict[int, int] = {}
    with core.work() as work:
        work.session.execute(sa.delete(rows.RequestRollup))
        work.session.execute(sa.delete(rows.ServiceRequest))
        work.event("test.emptied", subject_kind="city", subject_id=0)
    for place, state in steps:
        with core.work() as work:
            if place in held:
                row = rows.by_id(work.session, held[place])
                assert row is not None
                before = rows.counted(row, ZONE)
                if state is None:
                    work.session.delete(row)
                    work.session.flush()
                    del held[place]
                    rows.count_change(work.session, before, None)
                else:
                    for name, value in columns(state).items():
                        setattr(row, name, value)
                    rows.count_change(work.session, before, rows.counted(row, ZONE))
            elif state is not None:
                row = work.add(
                    rows.ServiceRequest(
                        number=f"SR-{place}-{core.next_sequence(work.session, 'test')}", kind="cars", request_type_name="A", group_name="G",
                        state_code="new", opened_month="2026-11", **columns(state),
                    )
                )  # fmt: skip
                held[place] = row.id
                rows.count_change(work.session, None, rows.counted(row, ZONE))
            work.event("test.changed", subject_kind="city", subject_id=0)
    assert_rebuilt_is_maintained(db)
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.coalesce(sa.func.sum(rows.RequestRollup.opened), 0))) == 4 * len(
            held
        )  # weeks and months, each twice


HEADER = ("id", "opened", "closed", "due", "type", "group", "district", "channel", "division")
MAP = """
source = "elsewhere"
zone = "America/New_York"
datetime_formats = ["%Y-%m-%d %H:%M"]
create_missing = true
[columns]
external_id = "id"
opened = "opened"
closed = "closed"
due = "due"
request_type = "type"
group = "group"
district = "district"
channel = "channel"
division = "division"
"""


def write(file: Path, lines: Sequence[tuple[str, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([HEADER, *lines])


def test_an_import_counts_what_it_adds_and_what_it_changes(db: core.Database, tmp_path: Path) -> None:
    file, map_file = tmp_path / "requests.csv", tmp_path / "map.toml"
    map_file.write_text(MAP, "utf-8")
    lines = [
        (str(at), f"2026-0{1 + at % 9}-11 10:{at % 60:02d}", f"2026-0{1 + at % 9}-13 10:00" if at % 3 else "",
         f"2026-0{1 + at % 9}-12 10:00" if at % 2 else "", "Lamp", "Lights", "north" if at % 5 else "", "Phone", "north crew")
        for at in range(120)
    ]  # fmt: skip
    write(file, lines)
    assert importing.run_command(file, map_file) == 0
    first = cells()
    assert sum(cell[6] for cell in first) == 480
    assert {cell[0] for cell in first} == {"month", "week", "m", "w"}
    assert {cell[4:6] for cell in first if cell[0] in ("m", "w")} == {("", "")}
    assert_rebuilt_is_maintained(db)
    # Another month, closed by now, another district, another division; and the same file once more.
    lines[:3] = [
        (
            "0",
            "2026-05-02 09:00",
            "2026-05-02 11:00",
            "2026-05-03 09:00",
            "Lamp",
            "Lights",
            "south",
            "Phone",
            "south crew",
        ),
        ("1", *lines[1][1:6], "south", *lines[1][7:]),
        ("2", *lines[2][1:4], "Pole", *lines[2][5:]),
    ]
    write(file, lines)
    assert importing.run_command(file, map_file) == 0
    assert cells() != first
    assert_rebuilt_is_maintained(db)
    assert importing.run_command(file, map_file) == 0
    assert_rebuilt_is_maintained(db)


@pytest.mark.parametrize("day", ["2026-11-23", "2026-11-24", "2026-11-29"])
def test_a_week_starts_on_monday(day: str) -> None:
    assert rows.start_of("week", dt.date.fromisoformat(day)) == dt.date(2026, 11, 23)
    assert rows.next_start("week", dt.date(2026, 12, 28)) == dt.date(2027, 1, 4)
    assert rows.next_start("month", dt.date(2026, 12, 1)) == dt.date(2027, 1, 1)
