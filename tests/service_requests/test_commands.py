"""The verbs of requests, work orders and known events, on both databases, in the small city."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import time_machine

from db import contacts, core, events
from db import service_requests as rows
from portal import settings
from portal.service_requests import commands, views
from portal.service_requests.rules.answer import Photo
from portal.service_requests.rules.form import (
    AssignForm,
    CloseForm,
    JoinForm,
    KnownEventForm,
    MoveForm,
    ReopenForm,
    RequestForm,
    WorkOrderForm,
)
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from portal.shared.actor import Actor
    from portal.shared.receipt import Receipt
    from tests.city import City

    Who = Callable[[str], Actor]

ANSWERS = {"out_in_time": "yes", "carts": "1", "neighbors": "yes"}
NEXT_DAY_3PM = dt.datetime(2026, 11, 25, 20, 0, tzinfo=dt.UTC)
"""Wed, Nov 25, 2026, 3:00 pm in New York: the next collection day after the tests' Tuesday."""


def missed(city: City, **more: Any) -> RequestForm:
    asked: dict[str, Any] = {
        "type_code": "missed_recycling",
        "answers": ANSWERS,
        "premise_id": city.premise["oakhaven"],
        "account_id": city.account["marcus"],
        "person_id": city.person["marcus"],
        "description": "Whole street was skipped, truck turned round at the corner.",
        "tell_by": "text",
    } | more
    return RequestForm(**asked)


def opened(actor: Actor, city: City, **more: Any) -> rows.ServiceRequest:
    return request(commands.open_request(actor, missed(city, **more)).subject_id)


def request(request_id: int) -> rows.ServiceRequest:
    with core.read() as session:
        row = rows.by_id(session, request_id)
    assert row is not None
    return row


def event_names(kind: str, row_id: int) -> list[str]:
    with core.read() as session:
        return [event.name for event in events.events_of_subject(session, kind, row_id)]


def messages(template: str) -> list[tuple[str, int | None]]:
    with core.read() as session:
        found = sa.select(events.OutboxMessage.channel, events.OutboxMessage.recipient_id)
        return [tuple(row) for row in session.execute(found.where(events.OutboxMessage.template == template))]


def refused(call: Callable[[], Receipt]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


# --- opening ----------------------------------------------------------------------------------------------------------


def test_a_request_is_numbered_timed_routed_and_promised(city: City, actor: Who) -> None:
    receipt = commands.open_request(actor("luis"), missed(city), key="one")
    row = request(receipt.subject_id)
    assert receipt.number == row.number == "SR-26-0000019"
    assert receipt.title == "Missed recycling is taken, due tomorrow 3:00 pm"
    assert receipt.say == (
        "Leave the cart out until tomorrow 3:00 pm, lid closed. No need to stay at home. Your number is SR-26-0000019."
    )
    assert [step.when for step in receipt.steps] == ["Now", "Due tomorrow 3:00 pm", "When it is done"]
    assert (receipt.go, receipt.go_query) == ("case", (("id", str(row.id)),))
    assert (row.due_at, row.state_code, row.closed) == (NEXT_DAY_3PM, "new", False)
    assert row.due_explanation
    assert row.due_explanation[0] == "Rule: Next collection day, 3:00 pm."
    assert (row.address, row.district) == ("1418 Oakhaven Dr", "north")
    assert (row.latitude, row.longitude) == (30.480, -84.280)
    assert (row.department_code, row.division_code, row.kind) == ("solid_waste", "collections", "cars")
    assert row.answers["out_in_time"] == {"label": "Out by 6:30 am?", "value": "yes", "words": "Yes"}
    assert (row.opened_month, row.owner_id, row.assigned_id) == ("2026-11", actor("luis").staff_id, None)
    assert event_names("service_request", row.id) == ["request.opened"]
    assert messages("request_opened") == [("text", city.person["marcus"])]
    with core.read() as session:
        promise = session.scalars(sa.select(contacts.Promise)).one()
    assert (promise.due_at, promise.subject_id, promise.outcome) == (NEXT_DAY_3PM, row.id, "open")


def test_the_same_key_opens_one_request(city: City, actor: Who) -> None:
    first = commands.open_request(actor("luis"), missed(city), key="twice")
    second = commands.open_request(actor("luis"), missed(city), key="twice")
    assert (second.number, second.replayed) == (first.number, True)
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(rows.ServiceRequest)) == 1


def test_a_refused_request_writes_nothing_and_names_every_field(city: City, actor: Who) -> None:
    bad = missed(
        city, answers={"out_in_time": "maybe"}, premise_id=None, description="4111 1111 1111 1111", tell_by="drum"
    )
    found = refused(lambda: commands.open_request(actor("luis"), bad, key="again"))
    assert [problem.field for problem in found.problems] == [
        "address",
        "out_in_time",
        "carts",
        "tell_by",
        "description",
    ]
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(rows.ServiceRequest)) == 0
    assert commands.open_request(actor("luis"), missed(city), key="again").number == "SR-26-0000019"


def test_an_unknown_type_premise_or_event_is_refused(city: City, actor: Who) -> None:
    for asked, says in (
        (missed(city, type_code="wish"), "Choose a request type"),
        (missed(city, premise_id=10**9), "premise that is not there"),
        (missed(city, known_event_id=10**9), "known event is not there"),
        (missed(city, channel="smoke"), "“Channel”"),
    ):
        assert says in str(refused(lambda asked=asked: commands.open_request(actor("luis"), asked)))


def test_an_answer_decides_the_division_and_its_department(city: City, actor: Who) -> None:
    asked = RequestForm("illegal_dumping", {"what": ["tires"], "ground": "private"}, address="Old Mill Rd, behind 40")
    row = request(commands.open_request(actor("luis"), asked).subject_id)
    assert (row.division_code, row.department_code) == ("code_enforcement", "community_standards")
    assert (row.premise_id, row.address, row.district) == (None, "Old Mill Rd, behind 40", "")


def test_an_account_that_is_named_must_exist(city: City, actor: Who) -> None:
    answers = {"services": ["electric"], "bill_on": dt.date(2026, 11, 6)}
    asked = missed(city, type_code="high_bill_review", answers=answers | {"account": "999-9999-9"})
    assert "there is no account 999-9999-9" in str(refused(lambda: commands.open_request(actor("luis"), asked)))
    row = opened(actor("luis"), city, type_code="high_bill_review", answers=answers | {"account": "100-2231-8"})
    assert row.answers["account"]["value"] == "100-2231-8"


def test_a_picture_is_kept_under_a_random_name(city: City, actor: Who, tmp_path: Path) -> None:
    settings.use(settings.load(data_dir=tmp_path))
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
    answers = {"cart": "garbage", "damage": ["lid"], "picture": Photo("../../evil.png", png)}
    row = opened(actor("luis"), city, type_code="cart_repair", answers=answers)
    kept = row.answers["picture"]
    assert kept["words"] == "../../evil.png"
    assert kept["value"].endswith(".png")
    assert views.photo(kept["value"]) == png
    assert views.photo("../../evil.png") is None
    settings.use(None)


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", '=HYPERLINK("http://x")', "🚚 übergroß", "x" * 10_000, "a\x00b"]
)
def test_what_callers_say_is_kept_as_text(city: City, actor: Who, words: str) -> None:
    row = opened(actor("luis"), city, description=words)
    assert row.description == words.replace("\x00", "")


def test_nobody_opens_a_request_for_themselves_and_the_try_is_reported(city: City, actor: Who) -> None:
    found = refused(lambda: commands.open_request(actor("dana"), missed(city, person_id=city.person["dana"])))
    assert found.report == "own_account"
    with core.read() as session:
        reported = session.scalars(sa.select(events.Event).where(events.Event.name == "refusal.reported")).one()
    assert reported.detail == {"command": "service_requests.open_request", "why": "own_account"}


def test_without_the_permission_nothing_is_opened(city: City, actor: Who) -> None:
    manager = actor("ingrid")
    if manager.may("request.open"):
        pytest.fail("the manager's role changed: choose another role for this test")
    assert refused(lambda: commands.open_request(manager, missed(city))).title == "You may not do this"


# --- joining ----------------------------------------------------------------------------------------------------------


def test_a_further_caller_joins_once_and_is_told_at_the_end(city: City, actor: Who) -> None:
    row = opened(actor("luis"), city)
    join = JoinForm(row.id, person_id=city.person["odessa"], tell_by="email", words="Mine too")
    receipt = commands.join_request(actor("luis"), join, key="join")
    assert receipt.number == row.number
    assert receipt.say == f"We know of it already and it is due tomorrow 3:00 pm. Your number is {row.number}."
    assert "already belongs" in str(refused(lambda: commands.join_request(actor("luis"), join)))
    own = JoinForm(row.id, person_id=city.person["marcus"])
    assert "already belongs" in str(refused(lambda: commands.join_request(actor("luis"), own)))
    after = request(row.id)
    assert (after.joined_count, after.version) == (1, row.version)
    commands.close_request(actor("luis"), CloseForm(row.id, after.version, "collected"))
    assert sorted(messages("request_closed")) == sorted(
        [("email", city.person["odessa"]), ("text", city.person["marcus"])]
    )
    assert "closed by now" in str(refused(lambda: commands.join_request(actor("luis"), JoinForm(row.id))))


# --- moving -----------------------------------------------------------------------------------------------------------


def test_the_clock_stands_while_it_waits_and_runs_on_afterwards(city: City, actor: Who) -> None:
    # Four working hours from Tue 10:42 am (collection calendar 6:30 am to 5 pm): due 2:42 pm; one hour of waiting: 3:42 pm.
    sam = actor("sam")
    row = opened(sam, city, type_code="spill", answers={"what": "oil", "drain": "no"})
    assert row.due_at is not None
    assert row.due_at.replace(second=0, microsecond=0) == dt.datetime(2026, 11, 24, 19, 42, tzinfo=dt.UTC)
    commands.move_request(sam, MoveForm(row.id, row.version, "waiting_customer", "Which corner?"))
    waiting = request(row.id)
    assert (waiting.state_code, waiting.due_at) == ("waiting_customer", None)
    assert waiting.due_explanation
    with time_machine.travel(core.now() + dt.timedelta(hours=1), tick=True):
        commands.move_request(sam, MoveForm(row.id, waiting.version, "in_progress"))
    after = request(row.id)
    assert after.due_at is not None
    assert after.due_at.replace(second=0, microsecond=0) in (
        dt.datetime(2026, 11, 24, 20, 42, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 24, 20, 43, tzinfo=dt.UTC),
    )
    with core.read() as session:
        assert [(step.from_code, step.to_code) for step in rows.history(session, row.id)] == [
            ("", "new"),
            ("new", "waiting_customer"),
            ("waiting_customer", "in_progress"),
        ]
    assert event_names("service_request", row.id) == ["request.opened", "request.moved", "request.moved"]


def test_a_move_the_table_does_not_have_is_refused(city: City, actor: Who) -> None:
    row = opened(actor("sam"), city)
    assert "Nobody has it yet" in str(
        refused(lambda: commands.move_request(actor("sam"), MoveForm(row.id, 1, "assigned")))
    )
    assert "Use Close" in str(refused(lambda: commands.move_request(actor("sam"), MoveForm(row.id, 1, "closed"))))


def test_a_stale_write_is_refused_with_who_was_faster_and_when(city: City, actor: Who) -> None:
    row = opened(actor("luis"), city)
    commands.move_request(actor("sam"), MoveForm(row.id, row.version, "in_progress"))
    found = refused(lambda: commands.move_request(actor("luis"), MoveForm(row.id, row.version, "waiting_customer")))
    assert found.title == "Somebody was faster"
    assert found.problems[0].message == (
        "This request is no longer as you saw it. Samira Reyes changed it today 10:42 am: moved to another state. "
        "Look at it again, then save."
    )
    assert request(row.id).state_code == "in_progress"


# --- giving -----------------------------------------------------------------------------------------------------------


def test_a_request_is_given_taken_back_and_sent_to_another_division(city: City, actor: Who) -> None:
    sam, luis = actor("sam"), actor("luis")
    row = opened(luis, city)
    receipt = commands.assign_request(sam, AssignForm(row.id, row.version, staff_id=luis.staff_id))
    assert receipt.title == f"{row.number} is with Luis Ortega"
    row = request(row.id)
    assert (row.assigned_id, row.state_code) == (luis.staff_id, "assigned")
    commands.assign_request(sam, AssignForm(row.id, row.version))
    row = request(row.id)
    assert (row.assigned_id, row.state_code) == (None, "new")
    commands.assign_request(sam, AssignForm(row.id, row.version, division_code="streets"))
    row = request(row.id)
    assert (row.division_code, row.department_code) == ("streets", "public_works")
    assert "no such choice" in str(
        refused(lambda: commands.assign_request(sam, AssignForm(row.id, row.version, division_code="moon")))
    )
    assert "does not work here" in str(
        refused(lambda: commands.assign_request(sam, AssignForm(row.id, row.version, staff_id=10**9)))
    )


def test_taking_a_request_nobody_has(city: City, actor: Who) -> None:
    row = opened(actor("luis"), city)
    commands.take_request(actor("luis"), row.id, row.version)
    row = request(row.id)
    assert row.assigned_id == actor("luis").staff_id
    assert "Somebody has it" in str(refused(lambda: commands.take_request(actor("sam"), row.id, row.version)))


def test_nobody_is_given_a_request_of_their_own(city: City, actor: Who) -> None:
    row = opened(actor("luis"), city, person_id=city.person["dana"], account_id=None)
    give = AssignForm(row.id, row.version, staff_id=city.staff["dana"])
    assert "names the customer" in str(refused(lambda: commands.assign_request(actor("sam"), give)))


# --- closing and reopening --------------------------------------------------------------------------------------------


def test_closing_keeps_how_it_ended_and_whether_it_was_in_time(city: City, actor: Who) -> None:
    luis = actor("luis")
    row = opened(luis, city)
    assert "How it ended" in str(refused(lambda: commands.close_request(luis, CloseForm(row.id, row.version, None))))
    assert "needs a note" in str(
        refused(lambda: commands.close_request(luis, CloseForm(row.id, row.version, "not_out")))
    )
    with time_machine.travel(core.now() + dt.timedelta(minutes=90), tick=True):
        receipt = commands.close_request(luis, CloseForm(row.id, row.version, "not_out", "Curb empty at 11:50"))
    assert receipt.title == f"{row.number} is closed: Cart was not out"
    assert receipt.notes == ("The caller is told in writing.",)
    row = request(row.id)
    assert (row.closed, row.state_code, row.disposition_code) == (True, "closed", "not_out")
    assert (row.minutes_to_close, row.in_target, row.resolution) == (90, True, "Curb empty at 11:50")
    assert "closed already" in str(
        refused(lambda: commands.close_request(luis, CloseForm(row.id, row.version, "collected")))
    )
    with core.read() as session:
        assert session.scalars(sa.select(contacts.Promise)).one().outcome == "kept"


def test_closing_late_says_so_and_breaks_the_promise(city: City, actor: Who) -> None:
    row = opened(actor("luis"), city)
    with time_machine.travel(NEXT_DAY_3PM + dt.timedelta(minutes=1), tick=True):
        receipt = commands.close_request(actor("luis"), CloseForm(row.id, row.version, "collected"))
    assert "It was past due: the report counts it as late." in receipt.notes
    assert request(row.id).in_target is False
    with core.read() as session:
        assert session.scalars(sa.select(contacts.Promise)).one().outcome == "broken"


def test_closing_straight_from_waiting_counts_the_pause(city: City, actor: Who) -> None:
    luis = actor("luis")
    row = opened(luis, city, type_code="spill", answers={"what": "oil", "drain": "no"})
    commands.move_request(luis, MoveForm(row.id, row.version, "waiting_customer"))
    with time_machine.travel(core.now() + dt.timedelta(hours=5), tick=True):
        # Five hours later, but the clock stood: still in time.
        commands.close_request(luis, CloseForm(row.id, row.version + 1, "cleaned"))
    assert request(row.id).in_target is True


def test_reopening_needs_a_reason_is_counted_and_runs_the_clock_on(city: City, actor: Who) -> None:
    luis = actor("luis")
    row = opened(luis, city, type_code="spill", answers={"what": "oil", "drain": "no"})
    commands.close_request(luis, CloseForm(row.id, row.version, "cleaned"))
    row = request(row.id)
    assert "Write why" in str(refused(lambda: commands.reopen_request(luis, ReopenForm(row.id, row.version, ""))))
    with time_machine.travel(dt.datetime(2026, 11, 25, 15, 42, tzinfo=dt.UTC), tick=True):
        commands.reopen_request(luis, ReopenForm(row.id, row.version, "Oil is still there"))
    row = request(row.id)
    assert (row.closed, row.state_code, row.reopened_count, row.disposition_code) == (False, "in_progress", 1, None)
    assert (row.minutes_to_close, row.in_target, row.closed_at) == (None, None, None)
    # Closed within seconds, opened again Wed 10:42 am: its four hours end Wed about 2:42 pm.
    assert row.due_at is not None
    assert abs(row.due_at - dt.datetime(2026, 11, 25, 19, 42, tzinfo=dt.UTC)) < dt.timedelta(minutes=1)
    assert "open already" in str(
        refused(lambda: commands.reopen_request(luis, ReopenForm(row.id, row.version, "again")))
    )


def test_a_request_with_an_open_work_order_does_not_close(city: City, actor: Who) -> None:
    sam = actor("sam")
    row = opened(sam, city)
    order = commands.write_work_order(sam, WorkOrderForm("Send truck 14 back", "collections", request_id=row.id))
    assert f"{order.number} is still open" in str(
        refused(lambda: commands.close_request(sam, CloseForm(row.id, row.version, "collected")))
    )
    commands.close_work_order(sam, CloseForm(order.subject_id, 1, "completed"))
    commands.close_request(sam, CloseForm(row.id, row.version, "collected"))


# --- work orders ------------------------------------------------------------------------------------------------------


def test_a_work_order_goes_through_its_states(city: City, actor: Who) -> None:
    sam = actor("sam")
    row = opened(sam, city)
    form = WorkOrderForm("Send truck 14 back", "collections", "Both sides", dt.date(2026, 11, 25), row.id)
    receipt = commands.write_work_order(sam, form, key="order")
    assert receipt.number == "WO-26-0000019"  # first of the year with its check digit
    order_id = receipt.subject_id
    with core.read() as session:
        order = rows.order_by_id(session, order_id)
    assert order is not None
    assert (order.state_code, order.address, order.account_id) == (
        "scheduled",
        "1418 Oakhaven Dr",
        city.account["marcus"],
    )
    assert order.due_at == row.due_at
    assert messages("work_order") == [("field", None)]
    commands.move_work_order(sam, MoveForm(order_id, 1, "dispatched"))
    assert refused(lambda: commands.move_work_order(sam, MoveForm(order_id, 1, "new"))).title == "Somebody was faster"
    assert "cannot go to “New”" in str(refused(lambda: commands.move_work_order(sam, MoveForm(order_id, 2, "new"))))
    commands.assign_work_order(sam, AssignForm(order_id, 2, staff_id=sam.staff_id))
    assert "needs a note" in str(refused(lambda: commands.close_work_order(sam, CloseForm(order_id, 3, "not_needed"))))
    commands.close_work_order(sam, CloseForm(order_id, 3, "not_needed", "Caller cancelled"))
    with core.read() as session:
        order = rows.order_by_id(session, order_id)
    assert order is not None
    assert (order.state_code, order.closed, order.disposition_code) == ("cancelled", True, "not_needed")
    assert event_names("work_order", order_id) == [
        "work_order.opened", "work_order.moved", "work_order.assigned", "work_order.closed",
    ]  # fmt: skip


def test_an_order_that_starts_a_service_is_closed_by_its_field_result(city: City, actor: Who) -> None:
    sam = actor("sam")
    with core.work() as work:
        agreement_id = work.session.scalar(sa.text("SELECT min(id) FROM service_agreement"))
        order = commands.open_work_order(
            work, sam, kind_code="meter_on", name="Electric on", order_code="E-ON", service_kind="electric",
            premise_id=city.premise["oakhaven"], account_id=city.account["marcus"], agreement_id=agreement_id,
            service_point_id=None, division_code="field_services", planned_on=None, due_at=None, instructions="",
        )  # fmt: skip
    assert (order.state_code, order.address) == ("new", "1418 Oakhaven Dr")
    assert "field result" in str(refused(lambda: commands.close_work_order(sam, CloseForm(order.id, 1, "completed"))))


def test_a_person_who_leaves_hands_everything_over(city: City, actor: Who) -> None:
    luis, sam, ada = actor("luis"), actor("sam"), actor("ada")
    first, second = opened(luis, city), opened(luis, city, type_code="spill", answers={"what": "oil", "drain": "no"})
    commands.take_request(luis, first.id, first.version)
    with core.work() as work:
        version = work.session.scalar(sa.text("SELECT version FROM staff WHERE id = :id").bindparams(id=luis.staff_id))
    receipt = commands.hand_over_and_end_access(ada, luis.staff_id, sam.staff_id, version, key="leave")
    # Two requests, and the two promises made with them.
    assert receipt.notes == ("4 open cases went to Samira Reyes.",)
    assert (request(first.id).assigned_id, request(first.id).owner_id) == (sam.staff_id, sam.staff_id)
    assert request(second.id).owner_id == sam.staff_id
    assert event_names("service_request", first.id)[-1] == "request.handed_over"
    assert "access was ended" in str(refused(lambda: commands.take_request(luis, second.id, 2)))


def test_handing_over_to_nobody_is_refused(city: City, actor: Who) -> None:
    sam = actor("sam")
    assert "active colleague" in str(refused(lambda: commands.hand_over_work(sam, sam.staff_id, sam.staff_id)))
    receipt = commands.hand_over_work(sam, actor("luis").staff_id, sam.staff_id)
    assert receipt.title == "0 open cases of Luis Ortega went to Samira Reyes"


# --- known events -----------------------------------------------------------------------------------------------------


def broken_main(**more: Any) -> KnownEventForm:
    given: dict[str, Any] = {
        "kind_code": "main_break",
        "title": "Main break on Oak St",
        "words": "A crew is on it. Water is back by 6 pm.",
        "area_codes": ("north",),
        "request_type_codes": ("water_pressure",),
        "premise_count": 140,
        "next_word_at": core.now() + dt.timedelta(hours=2),
    }
    return KnownEventForm(**(given | more))


def test_a_known_event_from_its_announcement_to_its_end(city: City, actor: Who) -> None:
    sam, luis = actor("sam"), actor("luis")
    event = commands.start_known_event(sam, broken_main(), key="start")
    assert event.say == "A crew is on it. Water is back by 6 pm. The next word comes today 12:42 pm."
    marcus = JoinForm(0, person_id=city.person["marcus"], tell_by="text")
    joined = commands.join_known_event(luis, event.subject_id, marcus, city.premise["oakhaven"], key="join")
    assert joined.number == event.number
    assert "already counted" in str(refused(lambda: commands.join_known_event(luis, event.subject_id, marcus)))
    changed = broken_main(event_id=event.subject_id, version=1, words="The crew needs until 8 pm.")
    commands.update_known_event(sam, changed)
    assert refused(lambda: commands.update_known_event(sam, changed)).title == "Somebody was faster"
    view = views.known_events()
    assert [(line.title, line.callers, line.areas) for line in view.active] == [
        ("Main break on Oak St", 1, "North side")
    ]
    ended = commands.end_known_event(sam, event.subject_id, 2)
    assert ended.notes == ("1 caller told in writing.",)
    assert messages("known_event_ended") == [("text", city.person["marcus"])]
    assert views.known_events().active == ()
    assert "has ended" in str(refused(lambda: commands.join_known_event(luis, event.subject_id, JoinForm(0))))
    assert event_names("known_event", event.subject_id) == [
        "known_event.started", "known_event.joined", "known_event.updated", "known_event.ended",
    ]  # fmt: skip


def test_a_bad_known_event_is_refused(city: City, actor: Who) -> None:
    found = refused(
        lambda: commands.start_known_event(actor("sam"), broken_main(kind_code="comet", request_type_codes=("wish",)))
    )
    assert [problem.field for problem in found.problems] == ["kind_code", "request_type_codes"]
    assert refused(lambda: commands.start_known_event(actor("luis"), broken_main())).title == "You may not do this"


# --- what the form shows ----------------------------------------------------------------------------------------------


def test_the_premise_and_its_neighbors_are_shown_before_a_request_is_opened(city: City, actor: Who) -> None:
    luis = actor("luis")
    here = opened(luis, city)
    other = opened(luis, city, type_code="cart_repair", answers={"cart": "garbage", "damage": ["lid"]})
    next_door = opened(
        luis,
        city,
        premise_id=city.premise["neighbor"],
        account_id=None,
        person_id=city.person["odessa"],
        tell_by="none",
    )
    event = commands.start_known_event(
        actor("sam"), broken_main(kind_code="route_delay", request_type_codes=("missed_recycling",))
    )
    found = views.open_nearby(city.premise["oakhaven"], "missed_recycling")
    assert [line.event_id for line in found.known] == [event.subject_id]
    assert [(line.request_id, line.where) for line in found.open] == [
        (here.id, "at this address"),
        (other.id, "at this address"),
        (next_door.id, "80 feet away"),  # 1420 is 0.0002° of latitude and 0.0001° of longitude off: 24 m
    ]
    assert views.open_nearby(city.premise["oakhaven"], "street_light_out").known == ()
    assert views.open_nearby(None, "missed_recycling").open == ()


def test_the_list_finds_a_type_by_the_publics_words_and_the_form_is_prefilled(city: City, actor: Who) -> None:
    choices = views.request_types_for_entry(actor("luis"))
    assert len(choices) >= 24
    bulky = next(choice for choice in choices if choice.code == "bulky_pickup")
    assert bulky.label.startswith("Bulky item pickup · mattress, couch")
    assert views.request_types_for_entry(actor("ingrid")) == () or actor("ingrid").may("request.open")
    form = views.request_form("missed_recycling", city.premise["oakhaven"], city.account["marcus"])
    assert form is not None
    assert (form.address, form.district, form.account_number) == ("1418 Oakhaven Dr", "north", "100-2231-8")
    assert (form.division, form.version_no) == ("Residential collections", 1)
    assert views.request_form("wish") is None


def test_the_due_time_is_previewed_with_its_steps(city: City) -> None:
    preview = views.due_preview("missed_recycling")
    assert (preview.due_at, preview.text, preview.rule) == (
        NEXT_DAY_3PM,
        "tomorrow 3:00 pm",
        "Next collection day, 3:00 pm",
    )
    assert preview.steps[-1] == "Due Wed, Nov 25 at 3:00 pm."
    assert views.due_preview("wish").text == "No time is promised"


def test_the_case_shows_facts_answers_and_its_timeline(city: City, actor: Who) -> None:
    luis, sam = actor("luis"), actor("sam")
    row = opened(luis, city)
    commands.assign_request(sam, AssignForm(row.id, 1, staff_id=luis.staff_id))
    commands.join_request(luis, JoinForm(row.id, person_id=city.person["odessa"], words="<b>Mine</b>"))
    found = views.case(row.id)
    assert found is not None
    assert (found.name, found.state, found.due, found.late) == (
        "Missed recycling",
        "Assigned",
        "tomorrow 3:00 pm",
        False,
    )
    assert [(each.label, each.words) for each in found.answers] == [
        ("Out by 6:30 am?", "Yes"), ("How many carts?", "1"), ("Neighbors missed too?", "Yes"),
    ]  # fmt: skip
    assert [step.what for step in found.timeline] == [
        "Opened as “New”", "Text to the customer: just written", "“New” to “Assigned”", "Given to Luis Ortega",
        "A further caller joined",
    ]  # fmt: skip
    assert [(caller.what, caller.note) for caller in found.callers] == [("Odessa Pratt", "<b>Mine</b>")]
    assert [move.code for move in found.moves] == ["new", "in_progress", "waiting_customer"]
    assert [each.code for each in found.dispositions][:2] == ["collected", "not_out"]
    assert "resolved" not in [each.code for each in found.dispositions]
    assert views.case(10**9) is None
    assert views.work_order(10**9) is None
