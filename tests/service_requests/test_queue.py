"""The work queue on both databases: scopes, order, pages, filter, numbers, imported cases, and the plans of its queries."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from db import accounts, core
from db import service_requests as rows
from portal.service_requests import commands, views
from portal.service_requests.rules.form import AssignForm, MoveForm, RequestForm

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.shared.actor import Actor
    from tests.city import City

    Who = Callable[[str], Actor]

NOW = dt.datetime(2026, 11, 24, 15, 42, tzinfo=dt.UTC)


def case(number: int, **more: Any) -> rows.ServiceRequest:
    """A case of the collections division, as an importer writes one."""
    given: dict[str, Any] = {
        "number": f"SR-20-{number:07d}",
        "source": "elsewhere",
        "external_id": f"101-{number}",
        "kind": "cars",
        "request_type_code": "missed_garbage",
        "request_type_name": "Missed garbage",
        "group_name": "Missed collection",
        "division_code": "collections",
        "address": f"{number} Bell St",
        "state_code": "new",
        "opened_at": NOW - dt.timedelta(days=3),
        "due_at": NOW + dt.timedelta(hours=number),
        "opened_month": "2026-11",
    }
    return rows.ServiceRequest(**(given | more))


def order(number: int, **more: Any) -> rows.WorkOrder:
    given: dict[str, Any] = {
        "number": f"WO-20-{number:07d}",
        "kind_code": "field_work",
        "name": "Cart delivery",
        "division_code": "collections",
        "address": "61 Tanner St",
        "state_code": "scheduled",
        "opened_at": NOW - dt.timedelta(days=1),
        "due_at": NOW + dt.timedelta(hours=number),
    }
    return rows.WorkOrder(**(given | more))


@pytest.fixture
def filled(city: City, actor: Who) -> City:
    """Requests due in -49, -3, 2, 5 hours, one waiting, one without a due time, one closed; two orders between them."""
    sam = actor("sam")
    with core.work() as work:
        for row in (
            case(1, due_at=NOW - dt.timedelta(hours=49)),
            case(2, due_at=NOW - dt.timedelta(hours=3), assigned_id=sam.staff_id, state_code="assigned"),
            case(3, due_at=NOW + dt.timedelta(hours=2), owner_id=sam.staff_id),
            case(4, due_at=NOW + dt.timedelta(days=1, hours=5), description="Größe = 100% of it_all"),
            case(5, due_at=None, state_code="waiting_customer"),
            case(6, due_at=None, person_id=city.person["marcus"]),
            case(7, closed=True, state_code="closed", due_at=NOW - dt.timedelta(days=9)),
            case(8, division_code="streets", due_at=NOW - dt.timedelta(hours=1)),
            order(1, due_at=NOW - dt.timedelta(hours=30)),
            order(2, due_at=NOW + dt.timedelta(hours=3), assigned_id=sam.staff_id, crew="Crew 5"),
            order(3, closed=True, state_code="done"),
        ):
            work.add(row)
        work.event("request.imported", subject_kind="import_run", subject_id=0)
    return city


def numbers(view: views.QueueView) -> list[str]:
    return [line.number.replace("0", "") for line in view.lines]


def test_the_most_overdue_come_first_and_what_has_no_due_time_last(filled: City, actor: Who) -> None:
    view = views.queue(actor("sam"), "division")
    assert numbers(view) == ["SR-2-1", "WO-2-1", "SR-2-2", "SR-2-3", "WO-2-2", "SR-2-4", "SR-2-5", "SR-2-6"]
    assert [(line.due, line.urgency) for line in view.lines[:4]] == [
        ("2 days late", "late"), ("1 day late", "late"), ("3 hours late", "late"), ("today 12:42 pm", "today"),
    ]  # fmt: skip
    assert [line.due for line in view.lines[-2:]] == ["clock stands", "no time promised"]
    assert [line.with_whom for line in view.lines] == [
        "Residential collections", "Residential collections", "Samira Reyes", "Residential collections", "Samira Reyes",
        "Residential collections", "Caller", "Residential collections",
    ]  # fmt: skip
    assert {line.source for line in view.lines if line.what == "request"} == {"elsewhere"}


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("mine", ["SR-2-2", "WO-2-2"]),
        ("following", ["SR-2-3"]),
        ("late", ["SR-2-1", "WO-2-1", "SR-2-2"]),
        ("waiting", ["SR-2-5"]),
        ("unassigned", ["SR-2-1", "WO-2-1", "SR-2-3", "SR-2-4", "SR-2-5", "SR-2-6"]),
    ],
)
def test_each_scope_holds_its_own(filled: City, actor: Who, scope: str, found: list[str]) -> None:
    view = views.queue(actor("sam"), scope)
    assert numbers(view) == found
    assert view.total == len(found)
    assert {each.code: each.count for each in view.scopes}[scope] == len(found)


def test_counts_and_names_of_the_scopes(filled: City, actor: Who) -> None:
    view = views.queue(actor("sam"))
    assert [(each.name, each.count) for each in view.scopes] == [
        ("Mine", 2), ("I follow up", 1), ("Residential collections", 8), ("Late", 3), ("Waiting for the caller", 1), ("Unassigned", 6),
    ]  # fmt: skip
    assert view.scope == "mine"
    # Somebody without a division sees the whole city: one case of Streets more.
    everything = views.queue(actor("ingrid"))
    assert (everything.scope, everything.total) == ("division", 9)
    assert everything.scopes[2].name == "All open"
    day = views.today_at_desk(actor("sam"))
    assert (day.mine, day.late, day.following, day.known_events) == (2, 3, 1, ())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("4 bell", ["SR-2-4"]),
        ("100% of", ["SR-2-4"]),
        ("it_all", ["SR-2-4"]),
        ("itXall", []),  # _ and % are letters here, not wild cards
        ("größe", ["SR-2-4"]),
        ("GRÖSSE", ["SR-2-4"]),  # neither database folds these by itself, SQLite not even Ö
        ("grosse", ["SR-2-4"]),
        ("100 %", ["SR-2-4"]),
        ("ellison", ["SR-2-6"]),
        ("TANNER", ["WO-2-1", "WO-2-2"]),
        ("cart", ["WO-2-1", "WO-2-2"]),
        ("' OR 1=1 --", []),
        ("x" * 10_000, []),
        ("a\x00b", []),
    ],
    ids=lambda each: str(each)[:20],
)
def test_the_filter_takes_words_of_the_address_the_type_the_text_or_the_person(
    filled: City, actor: Who, words: str, found: list[str]
) -> None:
    view = views.queue(actor("sam"), "division", words)
    assert numbers(view) == found
    assert view.total == len(found)


def test_the_words_follow_what_the_rows_say(filled: City, actor: Who) -> None:
    """Whatever writes a row: an object, another name of its person, an import, an ending."""
    sam = actor("sam")

    def found(words: str) -> list[str]:
        return numbers(views.queue(sam, "division", words))

    with core.work() as work:
        marcus = work.session.get(accounts.Person, city_person := filled.person["marcus"])
        assert marcus is not None
        marcus.name = "Marcus Núñez"
        accounts.index_person(work.session, city_person)
        row = work.session.scalars(
            sa.select(rows.ServiceRequest).where(rows.ServiceRequest.external_id == "101-3")
        ).one()
        row.address = "Łódź Sq"
        work.event("request.imported", subject_kind="import_run", subject_id=0)
    assert (found("ellison"), found("NUNEZ"), found("núñez")) == ([], ["SR-2-6"], ["SR-2-6"])
    assert (found("3 bell"), found("lodz sq")) == ([], ["SR-2-3"])
    with core.work() as work:
        row = work.session.scalars(
            sa.select(rows.ServiceRequest).where(rows.ServiceRequest.external_id == "101-3")
        ).one()
        row.closed, row.state_code = True, "closed"
        work.event("request.imported", subject_kind="import_run", subject_id=0)
    assert found("lodz") == []
    with core.work() as work:
        row = work.session.scalars(
            sa.select(rows.ServiceRequest).where(rows.ServiceRequest.external_id == "101-3")
        ).one()
        assert row.search_text == ""
        row.closed, row.state_code = False, "new"
        work.event("request.imported", subject_kind="import_run", subject_id=0)
    assert found("lodz") == ["SR-2-3"]
    with core.work() as work:
        for table in ("service_request", "work_order"):
            work.session.execute(sa.text(f"UPDATE {table} SET search_text = ''"))
        rows.index_all_words(work.session)
        work.event("request.imported", subject_kind="import_run", subject_id=0)
    assert (found("lodz"), found("nunez"), found("tanner")) == (["SR-2-3"], ["SR-2-6"], ["WO-2-1", "WO-2-2"])


def test_a_number_finds_its_case_in_any_scope_open_or_closed(filled: City, actor: Who) -> None:
    luis = actor("luis")
    for words in ("101-7", " 101-7 "):
        view = views.queue(luis, "mine", words)
        assert (numbers(view), view.by_number) == (["SR-2-7"], True)
        assert view.lines[0].due == "closed"
    receipt = commands.open_request(
        luis, RequestForm("pothole", {"size": "plate", "lane": "edge"}, address="Oak & 3rd")
    )
    for words in (receipt.number, receipt.number.lower().replace("-", " "), receipt.number.removeprefix("SR-")):
        assert [line.row_id for line in views.queue(luis, "mine", words).lines] == [receipt.subject_id]
        assert views.find(words) == (("request", receipt.subject_id),)
    assert views.find("SR-26-9999999") == ()


def test_pages_follow_one_another_without_a_gap(filled: City, actor: Who) -> None:
    with core.work() as work:
        for number in range(100, 160):
            work.add(case(number))
            work.add(order(number))
        work.event("request.imported", subject_kind="import_run", subject_id=0)
    sam = actor("sam")
    first = views.queue(sam, "division")
    assert (first.total, first.pages, len(first.lines)) == (128, 10, 14)
    pages = range(1, 11)
    seen = [(line.what, line.row_id) for page in pages for line in views.queue(sam, "division", page=page).lines]
    assert len(seen) == len(set(seen)) == 128
    assert views.queue(sam, "division", page=99).page == 10
    # What a word finds has the same pages: 61 cases on Bell St, of which the closed one is none, in the order of the queue.
    found = [line for page in pages[:5] for line in views.queue(sam, "division", "bell st", page).lines]
    assert len({line.row_id for line in found}) == len(found) == views.queue(sam, "division", "bell st").total == 66
    assert [line.row_id for line in found] == [row_id for what, row_id in seen if what == "request"]
    assert views.queue(sam, "division", page=-3).page == 1


def test_an_imported_case_opens_moves_and_closes_like_any_other(filled: City, actor: Who) -> None:
    sam = actor("sam")
    ((_, request_id),) = views.find("101-1")
    found = views.case(request_id)
    assert found is not None
    assert (found.source, found.external_id, found.late) == ("elsewhere", "101-1", True)
    assert ("Comes from", "elsewhere, number 101-1") in [(fact.label, fact.value) for fact in found.facts]
    assert [step.what for step in found.timeline] == ["Opened"]
    commands.assign_request(sam, AssignForm(request_id, 1, staff_id=sam.staff_id))
    commands.move_request(sam, MoveForm(request_id, 2, "in_progress"))
    after = views.case(request_id)
    assert after is not None
    assert after.due == found.due  # its due time is the other system's promise and stays


QUEUES = [
    rows.QueueFilter(assigned_id=7),
    rows.QueueFilter(division_code="collections"),
    rows.QueueFilter(division_code="collections", late_at=NOW),
    rows.QueueFilter(division_code="collections", state_codes=("waiting_customer",)),
    rows.QueueFilter(division_code="collections", unassigned=True),
    rows.QueueFilter(late_at=NOW),
    rows.QueueFilter(owner_id=7),
]


def plan(session: Any, statement: Any, kind: str) -> str:
    """How the database would carry a statement out, as text."""
    compiled = statement.compile(session.connection().engine, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
    return "\n".join(
        " ".join(map(str, row))
        for row in session.connection().exec_driver_sql(explain + str(compiled).replace("%", "%%"))
    )


def test_no_query_of_the_room_walks_through_the_whole_table(city: City, kind: str) -> None:
    """Plans are asked for on a table with many closed rows, as a city has them after years."""
    with core.work() as work:
        insert = sa.insert(rows.ServiceRequest)
        base = {column.name: None for column in rows.ServiceRequest.__table__.columns if column.name != "id"}
        for start in range(0, 20_000, 5_000):
            work.session.execute(
                insert,
                [
                    base
                    | {
                        "number": f"SR-{n}", "source": "elsewhere", "external_id": str(n), "kind": "cars", "version": 1,
                        "request_type_code": f"type{n % 9}", "request_type_version": 1, "request_type_name": "T",
                        "group_name": "G", "division_code": f"division{n % 20}", "priority": "normal", "channel": "web",
                        "address": "", "district": "", "description": "", "answers": {}, "resolution": "",
                        "state_code": "closed" if n % 12 else "new", "closed": bool(n % 12), "opened_at": NOW, "due_at": NOW,
                        "reopened_count": 0, "joined_count": 0, "tell_by": "none", "opened_month": "2026-11", "flagged": False,
                        "latitude": 30.4 + n % 997 / 10_000, "longitude": -84.3 + n % 991 / 10_000, "search_text": "",
                    }
                    for n in range(start, start + 5_000)
                ],
            )  # fmt: skip
        work.session.execute(sa.text("ANALYZE"))
        work.event("request.imported", subject_kind="import_run", subject_id=0)
    full_walk = re.compile(r"SCAN (service_request|work_order)(?! USING)|Seq Scan on service_request")
    with core.read() as session:
        for asked in QUEUES:
            text = plan(session, rows.queue_statement(asked, 25, 0), kind)
            assert not full_walk.search(text), f"{asked}\n{text}"
            assert "ix_service_request" in text
            text = plan(session, rows.found_statement(dataclasses.replace(asked, words="bell st"), 1_000), kind)
            assert not full_walk.search(text), f"{asked} with words\n{text}"
            if kind == "sqlite" and asked.division_code is not None:
                assert "COVERING INDEX ix_service_request_words" in text
        near = sa.select(rows.ServiceRequest.id).where(
            rows.ServiceRequest.closed == sa.false(),
            rows.ServiceRequest.latitude.between(30.45, 30.4501),
            rows.ServiceRequest.longitude.between(-84.25, -84.2499),
        )
        for statement in (
            near,
            sa.select(rows.ServiceRequest.id).where(rows.ServiceRequest.external_id == "77"),
            sa.select(rows.ServiceRequest.id).where(rows.ServiceRequest.number == "SR-77"),
            sa.select(rows.ServiceRequest.id).where(
                rows.ServiceRequest.premise_id == 5, rows.ServiceRequest.closed == sa.false()
            ),
            sa.select(rows.RequestState.id).where(rows.RequestState.request_id == 5).order_by(rows.RequestState.at),
        ):
            text = plan(session, statement, kind)
            assert not full_walk.search(text), text
