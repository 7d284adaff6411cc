"""What the page and the report say, on both databases, against figures worked out elsewhere."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from db import core
from db import service_requests as rows
from db.accounts import Account, Person
from portal import settings
from portal.reports import commands, rules, views
from portal.reports.views import Asked
from portal.service_requests.commands import importing
from portal.shared.actor import SYSTEM
from tests.reports import made
from tests.service_requests.test_import import BOSTON, SAMPLE, oracle

if TYPE_CHECKING:
    from tests.city import City

KEYS = [
    "opened", "closed", "with_target", "on_time", "on_time_share", "closed_with_target", "closed_on_time", "closed_on_time_share",
    "open_past_due", "p50_days", "p90_days",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _settings() -> None:
    settings.use(settings.load(demo=True))


def answer(
    capsys: pytest.CaptureFixture[str],
    *,
    by: str = "group",
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> list[dict[str, Any]]:
    """The rows of `portal report service-levels --json`."""
    assert commands.run_service_levels(by, source, since, until, json_answer=True) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]


def expected(truth: pd.DataFrame) -> dict[str, Any]:
    """The figures of some rows of the file, by pandas."""
    closed = truth[truth["closed"].notna()]
    target = truth[truth["due"].notna()]
    done = target[target["closed"].notna()]
    on_time = int((done["closed"] <= done["due"]).sum())
    return {
        "opened": len(truth), "closed": len(closed), "with_target": len(target), "on_time": on_time,
        "on_time_share": on_time / len(target) if len(target) else None, "closed_with_target": len(done), "closed_on_time": on_time,
        "closed_on_time_share": on_time / len(done) if len(done) else None, "open_past_due": int(target["closed"].isna().sum()),
        "p50_days": closed["days"].quantile(0.5) if len(closed) else None, "p90_days": closed["days"].quantile(0.9) if len(closed) else None,
    }  # fmt: skip


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for name, value in theirs.items():
        assert ours[name] == (value if value is None else pytest.approx(value, abs=1e-6)), name


def test_a_citys_file_gives_its_published_kind_of_figures(
    db: core.Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    importing.run_command(SAMPLE, BOSTON, tmp_path / "r.csv")
    capsys.readouterr()
    truth = oracle()
    found = answer(capsys, source="boston")
    assert [row["group"] for row in found] == sorted(truth["REASON"].unique())
    for row in found:
        assert list(row) == ["group", *KEYS]
        assert_same(row, expected(truth[truth["REASON"] == row["group"]]))
    by_two = answer(capsys, by="group,channel", source="boston", since="2015-02-01", until="2015-06-01")
    opened = pd.to_datetime(truth["OPEN_DT"])
    part = truth[(opened >= "2015-02-01") & (opened < "2015-06-01")]
    assert sum(row["opened"] for row in by_two) == len(part)
    phone = part[part["Source"] == "Constituent Call"]
    for row in by_two:
        if row["channel"] == "phone":
            assert_same(row, expected(phone[phone["REASON"] == row["group"]]))
    districts = {row["district"]: row["opened"] for row in answer(capsys, by="district")}
    assert districts == truth.groupby("neighborhood").size().to_dict()

    # The page of that year says the same, from the rollups and the index.
    known = views.names()
    board = views.board(known, Asked("2015"))
    whole = expected(truth)
    counts, days = board.counts, board.days
    assert (counts.opened, counts.closed, counts.with_target, counts.on_time) == tuple(
        whole[name] for name in ("opened", "closed", "with_target", "on_time")
    )
    assert days.half == pytest.approx(whole["p50_days"], abs=1e-9)
    assert days.ninety == pytest.approx(whole["p90_days"], abs=1e-9)
    assert board.open == whole["opened"] - whole["closed"]
    assert board.open_past_due == whole["open_past_due"]
    assert [moment.counts.opened for moment in board.moments[:8]] == truth.groupby(
        truth["OPEN_DT"].str[:7]
    ).size().to_list()
    january = truth[truth["OPEN_DT"].str.startswith("2015-01")]
    first = board.moments[0].days
    assert first is not None
    assert first.half == pytest.approx(january["days"].quantile(0.5), abs=1 / 1440)
    lamp = truth[(truth["TYPE"] == "Street Light Outages") & (truth["neighborhood"] == "Dorchester")]
    assert len(lamp) > 5
    chosen = Asked("2015", request_type="street_light_out", district="Dorchester")
    here = views.board(known, chosen)
    assert here.counts.opened == len(lamp)
    assert here.days.half == pytest.approx(lamp["days"].quantile(0.5), abs=1e-9)
    late = views.cases(known, Asked("2015"), "late")
    assert len(late) == views.CASE_ROWS
    assert all(case.days_late is not None for case in late)


def test_a_week_worked_out_by_hand(db: core.Database) -> None:
    made.add(made.twelve())
    known = views.names()
    board = views.board(known, Asked("13w"))
    assert board.counts == rules.Counts(opened=12, closed=10, with_target=12, closed_with_target=10, on_time=7)
    # 1 to 10 days: the middle lies between 5 and 6, the ninth tenth 0.1 of the way from 9 to 10.
    assert (board.days.half, board.days.ninety) == (pytest.approx(5.5), pytest.approx(9.1))
    assert (board.open, board.open_past_due) == (2, 1)
    assert [(age.name, age.total, age.past_due) for age in board.ages] == [
        ("0–2 days", 0, 0), ("3–7 days", 0, 0), ("8–30 days", 2, 1), ("31–90 days", 0, 0), ("over 90 days", 0, 0),
    ]  # fmt: skip
    assert board.before == rules.Counts()
    web = views.board(known, Asked("13w", channel="web"))
    assert (web.counts.opened, web.days, web.open) == (2, rules.Days(), 2)
    nobody = views.board(known, Asked("13w", division=views.NONE))
    assert (nobody.counts.opened, nobody.open) == (1, 1)
    assert views.opened(known, Asked("13w", district="old_town")) == 11
    assert views.opened(known, Asked("4w", district=views.NONE)) == 1


def test_a_comparison_obeys_all_filters_but_its_own(db: core.Database) -> None:
    made.add(
        [
            *made.twelve(),
            *(
                each | {"number": f"{each['number']}-B", "division_code": "recycling_contractor"}
                for each in made.twelve("lakeside")
            ),
        ]
    )
    known = views.names()
    levels = views.compared(known, Asked("13w", district="lakeside"), "district")
    assert {level.code: level.counts.opened for level in levels} == {"old_town": 11, "lakeside": 11, "": 2}
    assert {level.code: level.open_past_due for level in levels} == {"old_town": 1, "lakeside": 1, "": 0}
    divisions = views.compared(known, Asked("13w", district="lakeside"), "division")
    assert {level.code: level.counts.opened for level in divisions} == {"recycling_contractor": 11}
    contractors = views.compared(known, Asked("13w", division="residential"), "contractor")
    assert {level.code: level.counts.opened for level in contractors} == {"recycling_contractor": 12, views.OWN: 12}
    assert contractors[0].name in ("Recycling contractor", "The city’s own divisions")
    assert views.board(known, Asked("13w", who=views.CONTRACTORS)).counts.opened == 12
    city = views.board(known, Asked("13w", who=views.CITY))
    assert (city.counts.opened, city.open) == (12, 2), "those without a division are the city's"
    assert views.choices(known, Asked("13w"))["district"] == {
        "lakeside": "Lakeside",
        "old_town": "Old town",
        views.NONE: "No district",
    }


def test_the_cases_behind_a_figure_are_those_counted(db: core.Database) -> None:
    made.add(made.twelve())
    known = views.names()
    asked = Asked("13w")
    board = views.board(known, asked)
    for which in views.CASE_LISTS:
        assert len(views.cases(known, asked, which)) == min(
            views.CASE_ROWS, views.case_total(known, asked, board, which)
        ), which
    (late,) = views.cases(known, asked, "past_due")
    assert (late.number, late.days_late, late.channel) == ("SR-T-11", 4, "Web")
    assert [case.number for case in views.cases(known, asked, "late")] == ["SR-T-10", "SR-T-9", "SR-T-8"]
    for at, age in enumerate(board.ages):
        mark = views.Mark(age=at)
        listed = views.cases(known, asked, "open", mark=mark)
        assert len(listed) == age.total == views.case_total(known, asked, board, "open", mark)
    assert views.cases(known, asked, "opened", page=2) == ()
    assert [case.id for case in views.cases(known, asked, "opened", page=-3)] == [
        case.id for case in views.cases(known, asked, "opened")
    ]


def test_a_point_of_a_line_and_the_oldest_of_a_list_lead_to_their_cases(db: core.Database) -> None:
    made.add([*made.twelve(), made.request(20, "2026-11-02T07:00", due="2026-11-03T07:00"), made.request(21, "2026-06-01T07:00", due="2026-12-24T07:00")])  # fmt: skip
    known, asked = views.names(), Asked("13w")
    board = views.board(known, asked)
    week = views.Mark(at=dt.date(2026, 11, 9))
    for which, many in (("opened", 12), ("late", 3), ("open", 2), ("past_due", 1)):
        assert views.case_total(known, asked, board, which, week) == many, which
        assert len(views.cases(known, asked, which, mark=week)) == many, which
    oldest = {which: views.oldest_case(known, asked, which) for which in views.CASE_LISTS}
    assert {which: case and case.number for which, case in oldest.items()} == {
        "past_due": "SR-T-20", "open": "SR-T-21", "late": "SR-T-8", "opened": "SR-T-20",
    }  # fmt: skip
    assert views.oldest_case(known, asked, "past_due", views.Mark(at=dt.date(2026, 11, 16))) is None


DAYS = st.dates(dt.date(2014, 12, 20), dt.date(2015, 12, 20))


def test_any_two_days_give_the_figures_of_the_report_whatever_they_are_split_by(
    db: core.Database, tmp_path: Path
) -> None:
    importing.run_command(SAMPLE, BOSTON, tmp_path / "r.csv")
    known = views.names()

    @hypothesis.settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @hypothesis.example(dt.date(2015, 1, 1), dt.date(2015, 1, 1))
    @hypothesis.example(dt.date(2015, 2, 2), dt.date(2015, 2, 8))
    @hypothesis.example(dt.date(2015, 1, 15), dt.date(2015, 11, 3))
    @hypothesis.given(DAYS, DAYS)
    def same(one: dt.date, other: dt.date) -> None:
        since, last = sorted((one, other))
        asked = Asked(f"{since}_{last}")
        board = views.board(known, asked)
        until = last + dt.timedelta(days=1)
        for by, name in (
            ("division", "division"),
            ("request_type", "request_type"),
            ("district", "district"),
            ("channel", "channel"),
        ):
            told = views.level_rows([name], since=since, until=until)
            if by != "request_type":  # the report prints names of types as they were imported, the page codes of today
                page = {
                    level.code: (
                        level.counts.opened,
                        level.counts.closed,
                        level.counts.with_target,
                        level.counts.on_time,
                        level.open_past_due,
                    )
                    for level in views.compared(known, asked, by)
                }
                assert page == {
                    row[name]: (row["opened"], row["closed"], row["with_target"], row["on_time"], row["open_past_due"])
                    for row in told
                }
            assert (
                sum(row["opened"] for row in told)
                == board.counts.opened
                == sum(moment.counts.opened for moment in board.moments)
            )
        for moment in board.moments:
            first, end = views.moment_span(board.period, moment.start)
            assert _one_row(views.level_rows(["group"], since=first, until=end))[0] == moment.counts.opened
        whole = _one_row(views.level_rows(["group"], since=since, until=until))
        counts = board.counts
        assert (counts.opened, counts.closed, counts.with_target, counts.on_time, counts.closed_with_target) == whole
        length = until - since
        before = _one_row(views.level_rows(["group"], since=since - length, until=since))
        assert board.before is not None
        assert board.before.opened == before[0]
        assert board.before.on_time == before[3]
        if counts.closed:
            truth = oracle()
            days = truth[
                (truth["OPEN_DT"].str[:10] >= f"{since}")
                & (truth["OPEN_DT"].str[:10] <= f"{last}")
                & truth["closed"].notna()
            ]["days"]
            assert board.days.half == pytest.approx(days.quantile(0.5), abs=1e-9)
            assert board.days.ninety == pytest.approx(days.quantile(0.9), abs=1e-9)

    same()


def _one_row(rows: list[dict[str, Any]]) -> tuple[int, ...]:
    names = ("opened", "closed", "with_target", "on_time", "closed_with_target")
    return tuple(sum(row[name] for row in rows) for name in names)


def test_repeats_are_premises_with_three_in_ninety_days(city: City) -> None:
    premise_id = city.premise["tanner61"]
    made.add([
        made.request(at, f"2026-{month}T08:00", premise_id=premise_id) for at, month in enumerate(("11-20", "10-01", "08-27", "08-20"))
    ])  # fmt: skip
    total, found = views.repeats(views.names(), Asked())
    assert (total, [(each.premise_id, each.address, each.many) for each in found]) == (
        1,
        [(premise_id, "61 Tanner St", 3)],
    )
    assert views.repeats(views.names(), Asked(channel="web")) == (0, ())
    assert not found[0].exempt


def test_a_repeat_where_somebody_exempt_is_served_is_marked(city: City) -> None:
    account = city.account["marcus"]
    with core.work() as work:
        row = work.session.get(Account, account)
        assert row is not None
        person, premise = work.session.get(Person, row.person_id), row.premise_id
        assert person is not None
        person.exempt_from_public_records = True
        work.event("test.exempt", subject_kind="person", subject_id=person.id)
    made.add([made.request(at, f"2026-11-{10 + at}T08:00", premise_id=premise) for at in range(3)])
    total, found = views.repeats(views.names(), Asked())
    assert (total, found[0].premise_id, found[0].exempt) == (1, premise, True)


def test_days_are_elapsed_time_and_days_of_the_calendar_are_the_citys(
    db: core.Database, capsys: pytest.CaptureFixture[str]
) -> None:
    # The clocks go back at 2 am on November 1, 2026: that Sunday has 25 hours. The first opens on its eve in the city, though
    # it is November 1 already in Greenwich.
    made.add([
        made.request(1, "2026-10-31T23:30", closed="2026-11-01T23:30"), made.request(2, "2026-11-01T00:00", closed="2026-11-02T00:00"),
    ])  # fmt: skip
    october, november = (
        answer(capsys, since="2026-10-31", until="2026-11-01"),
        answer(capsys, since="2026-11-01", until="2026-11-02"),
    )
    assert [row["opened"] for row in (*october, *november)] == [1, 1]
    assert november[0]["p50_days"] == pytest.approx(25 / 24, abs=1e-6)
    assert november[0]["on_time_share"] is None
    known = views.names()
    months = {moment.start.month: moment.counts.opened for moment in views.board(known, Asked("2026")).moments}
    assert (months[10], months[11]) == (1, 1)
    weeks = {f"{moment.start}": moment.counts.opened for moment in views.board(known, Asked("13w")).moments}
    assert weeks["2026-10-26"] == 2


def test_the_report_refuses_what_it_cannot_answer(db: core.Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run_service_levels("color", "nowhere", "x", None, json_answer=True) == 2
    out, err = capsys.readouterr()
    assert [problem["field"] for problem in json.loads(out)["problems"]] == ["by", "from", "source"]
    assert err.count("\n") == 3
    assert "--source: No request came from “nowhere”." in err
    assert commands.run_service_levels("group", None, None, None, json_answer=True) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": []}
    made.add(made.twelve())
    assert commands.run_service_levels("group,division", "portal", None, None, json_answer=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "group",
        "division",
        "opened",
        "closed",
        "on",
        "time",
        "of",
        "closed",
        "on",
        "time",
        "of",
        "all",
        "open",
        "past",
        "due",
        "p50",
        "days",
        "p90",
        "days",
    ]
    assert "(none)" in lines[1]
    assert lines[2].split()[:4] == ["Collection", "residential", "11", "10"]
    assert "70.0% of 10" in lines[2]


def test_rebuilding_leaves_an_event_and_the_same_figures(db: core.Database) -> None:
    made.add(made.twelve())
    before = views.board(views.names(), Asked()).counts
    with core.work() as work:
        work.session.execute(sa.update(rows.RequestRollup).values(opened=99))
        work.event("test.broken", subject_kind="city", subject_id=0)
    assert views.board(views.names(), Asked()).counts != before
    assert commands.rebuild(SYSTEM) > 0
    assert views.board(views.names(), Asked()).counts == before


def test_every_figure_of_the_page_is_defined_and_dated(db: core.Database) -> None:
    found = {each.code: each for each in views.definitions()}
    assert {
        "opened",
        "closed",
        "on_time_of_closed",
        "on_time_of_all",
        "open_past_due",
        "half_closed_within",
        "nine_in_ten_closed_within",
    } <= set(found)
    assert found["on_time_of_closed"].goal == 0.8
    assert all(each.definition and each.since.year >= 2000 for each in found.values())
