"""Conversations from greeting to wrap-up, on both databases, in the small city."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import time_machine

from db import contacts as rows
from db import core
from db import events as event_rows
from db.core import Work
from db.staff import StaffRelative
from portal import settings
from portal.contacts import commands, rules, views
from portal.shared.refusal import Refused
from tests.city import NOW, City

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.shared.actor import Actor

LATER = NOW + dt.timedelta(hours=2)


@pytest.fixture(autouse=True)
def _plain_settings() -> None:
    settings.use(settings.Settings())


@pytest.fixture
def luis(actor: Callable[[str], Any]) -> Actor:
    return actor("luis")


@pytest.fixture
def sam(actor: Callable[[str], Any]) -> Actor:
    return actor("sam")


def _begin(actor: Actor) -> int:
    return commands.begin_conversation(actor, "phone").subject_id


def _on_call_with(actor: Actor, city: City, person: str) -> int:
    call_id = _begin(actor)
    commands.link_customer(actor, call_id, account_id=city.account[person])
    return call_id


def _call(actor: Actor) -> views.Call:
    call = views.open_call(actor)
    assert call is not None
    return call


def _events(conversation_id: int) -> list[str]:
    with core.read() as session:
        return [event.name for event in event_rows.events_of_conversation(session, conversation_id)]


def _reports() -> int:
    with core.read() as session:
        return session.scalar(sa.select(sa.func.count()).where(event_rows.Event.name == "refusal.reported")) or 0


# --- taking a call ----------------------------------------------------------------------------------------------------


def test_a_call_is_about_the_customer_that_was_opened(city: City, luis: Actor) -> None:
    assert views.open_call(luis) is None
    receipt = commands.begin_conversation(luis, "phone", key="k1")
    assert receipt.number.startswith("CV-26-")
    commands.link_customer(luis, receipt.subject_id, account_id=city.account["marcus"])
    call = _call(luis)
    assert (call.name, call.phone, call.address, call.account_number) == (
        "Marcus Ellison",
        "8505550142",
        "1418 Oakhaven Dr",
        "100-2231-8",
    )
    assert call.person_id == city.person["marcus"]
    assert call.premise_id == city.premise["oakhaven"]
    assert call.has_secret
    assert (call.strength, call.checks, call.methods) == (0, 0, ())
    assert _events(call.id) == ["conversation.begun", "conversation.linked"]


def test_opening_the_same_customer_again_changes_nothing(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    commands.link_customer(luis, call_id, account_id=city.account["marcus"])
    assert _events(call_id) == ["conversation.begun", "conversation.linked"]


def test_one_call_at_a_time_and_a_double_click_is_one_call(city: City, luis: Actor, sam: Actor) -> None:
    first = commands.begin_conversation(luis, "phone", key="same")
    again = commands.begin_conversation(luis, "phone", key="same")
    assert again.replayed
    assert again.number == first.number
    with pytest.raises(Refused, match="on a call already"):
        commands.begin_conversation(luis, "counter")
    assert commands.begin_conversation(sam, "counter").number != first.number


def test_two_pages_at_once_take_one_call(city: City, luis: Actor) -> None:
    outcomes: list[str] = []

    def take() -> None:
        try:
            outcomes.append(commands.begin_conversation(luis, "phone").number)
        except Refused:
            outcomes.append("refused")

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[1:] == ["refused"] * 3


@pytest.mark.parametrize("channel", ["", "fax", "<script>", "x" * 10_000])
def test_an_unknown_channel_is_refused(city: City, luis: Actor, channel: str) -> None:
    with pytest.raises(Refused, match="Choose one of Phone"):
        commands.begin_conversation(luis, channel)


def test_what_is_not_there_cannot_be_linked(city: City, luis: Actor) -> None:
    call_id = _begin(luis)
    for link in (
        lambda: commands.link_customer(luis, call_id, account_id=999_999),
        lambda: commands.link_customer(luis, call_id, person_id=999_999),
        lambda: commands.link_customer(luis, call_id, premise_id=999_999),
    ):
        with pytest.raises(Refused, match="There is no such"):
            link()


def test_nobody_works_on_another_persons_call(city: City, luis: Actor, sam: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    for act in (
        lambda: commands.link_customer(sam, call_id, account_id=city.account["priya"]),
        lambda: commands.check_identity(sam, rules.SecretCheck(call_id, "4711")),
        lambda: commands.wrap_up(sam, rules.WrapUp(call_id, "how_to", "answered")),
    ):
        with pytest.raises(Refused, match="not your conversation"):
            act()


def test_roles_without_the_permission_are_refused_and_reported(city: City, actor: Callable[[str], Any]) -> None:
    with pytest.raises(Refused, match="does not include"):
        commands.begin_conversation(actor("manager"), "phone")
    assert _reports() == 1


def test_ones_own_record_and_a_relatives_are_refused_and_reported(city: City, actor: Callable[[str], Any]) -> None:
    dana = actor("dana")
    call_id = _begin(dana)
    with core.work() as work:
        work.add(StaffRelative(staff_id=dana.staff_id, person_id=city.person["odessa"], declared_at=work.now))
        work.event("staff.relative_declared", subject_kind="staff", subject_id=dana.staff_id)
    for person in ("dana", "odessa"):
        with pytest.raises(Refused, match="your own record or a relative"):
            commands.link_customer(dana, call_id, account_id=city.account[person])
    assert _reports() == 2
    assert _call(dana).person_id is None


# --- the note ---------------------------------------------------------------------------------------------------------


def test_the_note_is_kept_as_typed_and_says_why_it_is_not(city: City, luis: Actor, sam: Actor) -> None:
    call_id = _begin(luis)
    assert commands.keep_note(luis, call_id, "Cart lid is broken <b>&amp; 🙂") is None
    assert _call(luis).note == "Cart lid is broken <b>&amp; 🙂"
    refused = commands.keep_note(luis, call_id, "Card 4111 1111 1111 1111")
    assert refused is not None
    assert "payment card" in refused.message
    too_long = commands.keep_note(luis, call_id, "x" * 10_000)
    assert too_long is not None
    assert "10,000 characters" in too_long.message
    commands.keep_note(sam, call_id, "not mine")
    assert _call(luis).note == "Cart lid is broken <b>&amp; 🙂"


# --- who is speaking --------------------------------------------------------------------------------------------------


def test_the_right_pin_proves_at_full_strength(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    assert (
        commands.check_identity(luis, rules.SecretCheck(call_id, " 4711 ")).title
        == "Identity checked: PIN or passphrase"
    )
    call = _call(luis)
    assert (call.strength, call.methods, call.checks) == (2, ("pin",), 1)
    assert _events(call_id)[-1] == "identity.passed"


def test_a_check_proves_one_customer_not_the_next(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    commands.check_identity(luis, rules.SecretCheck(call_id, "4711"))
    commands.link_customer(luis, call_id, account_id=city.account["priya"])
    assert (_call(luis).strength, _call(luis).methods) == (0, ())


def test_three_wrong_pins_lock_for_thirty_minutes_and_the_right_one_waits(city: City, luis: Actor, sam: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")

    def attempt(secret: str) -> str:
        return commands.check_identity(luis, rules.SecretCheck(call_id, secret)).title

    assert attempt("1") == "That does not match. 2 more tries, then checks are locked for 30 minutes."
    assert attempt("2") == "That does not match. 1 more try, then checks are locked for 30 minutes."
    assert attempt("3") == "That does not match. Checks are locked until 11:12 am."  # 10:42 and half an hour
    assert _call(luis).locked_until is not None
    with pytest.raises(Refused, match="locked until 11:12 am"):
        attempt("4711")
    assert _events(call_id)[-1] == "identity.locked"
    with time_machine.travel(NOW + dt.timedelta(minutes=31), tick=True):
        assert _call(luis).locked_until is None
        assert "2 more tries" in attempt("1"), "a lock that has run out begins a new count"
        assert attempt("4711").startswith("Identity checked")
        assert "2 more tries" in attempt("1"), "a right answer clears the count"


def test_a_supervisor_lifts_the_lock(city: City, luis: Actor, sam: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    for secret in "123":
        commands.check_identity(luis, rules.SecretCheck(call_id, secret))
    with pytest.raises(Refused, match="does not include"):
        commands.lift_lock(luis, city.person["marcus"])
    commands.lift_lock(sam, city.person["marcus"])
    assert commands.check_identity(luis, rules.SecretCheck(call_id, "4711")).title.startswith("Identity checked")
    with pytest.raises(Refused, match="not locked"):
        commands.lift_lock(sam, city.person["marcus"])


def test_two_clicks_on_one_wrong_pin_count_once(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    for _ in range(2):
        title = commands.check_identity(luis, rules.SecretCheck(call_id, "1"), key="try-0").title
    assert "2 more tries" in title


@pytest.mark.parametrize("secret", ["", "   ", "x" * 10_000])
def test_an_empty_or_absurd_pin_is_refused_without_a_try(city: City, luis: Actor, secret: str) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    with pytest.raises(Refused, match="Enter the PIN"):
        commands.check_identity(luis, rules.SecretCheck(call_id, secret))
    assert _call(luis).checks == 0


def test_a_customer_without_a_pin_is_asked_something_else(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "priya")
    with pytest.raises(Refused, match="no PIN yet"):
        commands.check_identity(luis, rules.SecretCheck(call_id, "4711"))


def test_a_call_without_a_customer_cannot_be_checked(city: City, luis: Actor) -> None:
    call_id = _begin(luis)
    with pytest.raises(Refused, match="Find the customer first"):
        commands.check_identity(luis, rules.SecretCheck(call_id, "4711"))


def test_a_call_to_the_number_on_file_proves_also_while_locked(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    for secret in "123":
        commands.check_identity(luis, rules.SecretCheck(call_id, secret))
    with pytest.raises(Refused, match=r"Call \(850\) 555-0142 first"):
        commands.confirm_call_back(luis, call_id, False)
    commands.confirm_call_back(luis, call_id, True)
    call = _call(luis)
    assert (call.strength, call.methods, call.locked_until) == (2, ("call_back",), None)


def test_facts_are_kept_as_codes_and_prove_by_their_number(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "priya")

    def by_facts(facts: tuple[str, ...], passed: bool) -> None:
        with core.work() as work:
            found = commands.caller_to_check(work, luis, call_id)
            commands.record_identity_check(
                work, luis, conversation=found, method="account_facts", passed=passed, facts=facts
            )

    by_facts(("house_number", "email"), True)
    assert _call(luis).strength == 1
    by_facts(("house_number", "email", "opened_year"), False)
    assert _call(luis).strength == 1
    by_facts(("house_number", "email", "opened_year"), True)
    assert _call(luis).strength == 2
    with core.read() as session:
        found = session.scalars(sa.select(rows.IdentityCheck).order_by(rows.IdentityCheck.id)).all()
    assert found[0].facts == "house_number,email"
    assert [check.passed for check in found] == [True, False, True]


def test_an_action_needs_the_strength_of_its_policy_row(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "marcus")
    person_id = city.person["marcus"]
    with core.work() as work:
        commands.require_identity(work, "request.open", conversation_id=None, person_id=None)
        commands.require_identity(work, "no.such_action", conversation_id=call_id, person_id=person_id)
        with pytest.raises(Refused, match="“Stop service” needs a check"):
            commands.require_identity(work, "move.stop", conversation_id=call_id, person_id=person_id)
    commands.check_identity(luis, rules.SecretCheck(call_id, "4711"))
    with core.work() as work:
        commands.require_identity(work, "move.stop", conversation_id=call_id, person_id=person_id)
        with pytest.raises(Refused):
            commands.require_identity(work, "move.stop", conversation_id=call_id, person_id=city.person["priya"])


def test_a_new_pin_needs_a_check_and_a_supervisor(city: City, luis: Actor, sam: Actor) -> None:
    call_id = _on_call_with(sam, city, "marcus")
    with pytest.raises(Refused, match="needs a check"):
        commands.set_secret(sam, call_id, "blue heron")
    commands.confirm_call_back(sam, call_id, True)
    with pytest.raises(Refused, match="too easy"):
        commands.set_secret(sam, call_id, "1111")
    commands.set_secret(sam, call_id, "blue heron")
    assert commands.check_identity(sam, rules.SecretCheck(call_id, "Blue Heron")).title.startswith("Identity checked")
    assert "does not match" in commands.check_identity(sam, rules.SecretCheck(call_id, "4711")).title


# --- wrapping up ------------------------------------------------------------------------------------------------------


def test_a_question_answered_from_an_article_is_a_full_outcome(city: City, luis: Actor) -> None:
    call_id = _begin(luis)
    commands.answer_from_article(luis, call_id, "bulky_items")
    form = views.wrap_up_form(luis)
    assert form is not None
    assert (form.reason_code, form.disposition_code) == ("how_to", "answered")
    assert "handed_over" not in form.dispositions
    assert [done.sentence for done in form.done] == [
        "Took the conversation by phone",
        "Answered from “Bulky items: what is taken”",
    ]
    receipt = commands.wrap_up(luis, rules.WrapUp(call_id, "how_to", "answered", note="Mattress"))
    assert receipt.title == "Wrapped up: Answered, no case needed"
    assert views.open_call(luis) is None
    with core.read() as session:
        row = rows.conversation(session, call_id)
    assert row is not None
    assert (row.reason_code, row.disposition_code, row.note, row.version) == ("how_to", "answered", "Mattress", 2)


def test_a_wrap_up_writes_opinion_call_back_and_promise_together(city: City, luis: Actor) -> None:
    call_id = _on_call_with(luis, city, "odessa")
    receipt = commands.wrap_up(
        luis,
        rules.WrapUp(
            call_id,
            "collection",
            "call_back",
            note="Cart late",
            opinions=(rules.Opinion("collection", "against", "Third time this month"), rules.Opinion("desk", "for")),
            call_back=rules.CallBackPlan("(850) 555-0166", "Tell her the cart is delivered", LATER),
            promises=(rules.PromisePlan("date", "Cart by Friday", NOW + dt.timedelta(days=3)),),
        ),
    )
    assert [step.when for step in receipt.steps] == ["today 12:42 pm", "Fri, Nov 27, 10:42 am"]
    (line,) = views.call_backs_due(luis)
    assert (line.name, line.phone, line.why, line.late) == (
        "Odessa Pratt",
        "8505550166",
        "Tell her the cart is delivered",
        False,
    )
    (promise,) = views.promises(luis)
    assert (promise.name, promise.words, promise.account_id) == (
        "Odessa Pratt",
        "Cart by Friday",
        city.account["odessa"],
    )
    with core.read() as session:
        heard = session.scalars(sa.select(rows.OpinionHeard).order_by(rows.OpinionHeard.id)).all()
    assert [(each.subject_code, each.stance, each.words) for each in heard] == [
        ("collection", "against", "Third time this month"),
        ("desk", "for", ""),
    ]
    assert _events(call_id)[-1] == "conversation.wrapped_up"


def test_a_refused_wrap_up_leaves_nothing_behind(city: City, luis: Actor) -> None:
    call_id = _begin(luis)
    with pytest.raises(Refused) as refused:
        commands.wrap_up(
            luis,
            rules.WrapUp(
                call_id,
                "how_to",
                "handed_over",
                note="fine",
                call_back=rules.CallBackPlan("(850) 555-0166", "x", NOW, owner_id=999),
            ),
        )
    assert [problem.field for problem in refused.value.problems] == ["disposition", "call_back_due", "owner"]
    assert views.call_backs_due(luis) == []
    assert _call(luis).note == ""


def test_a_call_is_wrapped_up_once(city: City, luis: Actor) -> None:
    call_id = _begin(luis)
    form = rules.WrapUp(call_id, "how_to", "answered")
    first = commands.wrap_up(luis, form, key="w1")
    assert commands.wrap_up(luis, form, key="w1").number == first.number
    with pytest.raises(Refused, match="wrapped up already"):
        commands.wrap_up(luis, form, key="w2")


# --- promises and call-backs ------------------------------------------------------------------------------------------


def test_a_promise_is_kept_or_broken_once(city: City, luis: Actor) -> None:
    commands.make_promise(
        luis, rules.PromisePlan("credit", "Late fee back", LATER, 2_500, account_id=city.account["marcus"])
    )
    (promise,) = views.promises(luis, account_id=city.account["marcus"])
    assert promise.amount_cents == 2_500
    with pytest.raises(Refused, match="The reason is empty"):
        commands.settle_promise(luis, promise.id, promise.version, False)
    commands.settle_promise(luis, promise.id, promise.version, False, "The bill was right after all")
    assert views.promises(luis) == []
    (settled,) = views.promises(luis, settled=True)
    assert (settled.outcome, settled.settled_words) == ("broken", "The bill was right after all")
    with pytest.raises(Refused, match="recorded as broken meanwhile"):
        commands.settle_promise(luis, promise.id, promise.version, True)


def test_a_thing_done_settles_the_promises_about_it(city: City, luis: Actor) -> None:
    def told(due_at: dt.datetime) -> None:
        with core.work() as work:
            commands.record_promise(
                work,
                luis,
                kind="date",
                words="Back by then",
                due_at=due_at,
                subject_kind="service_request",
                subject_id=7,
            )

    told(LATER)
    told(NOW + dt.timedelta(minutes=1))
    with time_machine.travel(NOW + dt.timedelta(hours=1), tick=True), core.work() as work:
        assert commands.settle_promises_about(work, luis, subject_kind="service_request", subject_id=7) == 2
        assert commands.settle_promises_about(work, luis, subject_kind="service_request", subject_id=7) == 0
    assert sorted(line.outcome for line in views.promises(luis, settled=True)) == ["broken", "kept"]


def test_a_call_back_is_tried_three_times_two_hours_apart(city: City, luis: Actor) -> None:
    plan = rules.CallBackPlan("850-555-0119", "Result of the re-read", LATER, person_id=city.person["samuel"])
    commands.plan_call_back(luis, plan)
    titles = []
    for _ in range(3):
        (line,) = views.call_backs(luis)
        titles.append(commands.record_call_back(luis, line.id, line.version, False).title)
    assert titles == [
        "No answer: try 1 of 3, again today 12:42 pm",
        "No answer: try 2 of 3, again today 12:42 pm",
        "No answer after 3 tries: given up",
    ]
    assert views.call_backs(luis) == []
    with pytest.raises(Refused, match="has just worked"):
        commands.record_call_back(luis, line.id, line.version, True)


def test_a_call_back_that_reached_is_done(city: City, luis: Actor) -> None:
    commands.plan_call_back(luis, rules.CallBackPlan("8505550119", "x", LATER))
    (line,) = views.call_backs(luis)
    with pytest.raises(Refused, match="Social Security"):
        commands.record_call_back(luis, line.id, line.version, True, "SSN 078-05-1120")
    commands.record_call_back(luis, line.id, line.version, True, "Told him")
    assert views.call_back_count(luis) == 0


def test_call_backs_of_today_and_late_ones_are_due_tomorrows_are_not(city: City, luis: Actor) -> None:
    for hours in (1, 13, 14):  # 14 hours later it is Wednesday in New York
        commands.plan_call_back(luis, rules.CallBackPlan("8505550119", f"in {hours}", NOW + dt.timedelta(hours=hours)))
    with time_machine.travel(NOW + dt.timedelta(hours=2), tick=True):
        assert [(line.why, line.late) for line in views.call_backs_due(luis)] == [("in 1", True), ("in 13", False)]


def test_scopes_show_ones_own_ones_division_and_everyones(
    city: City, luis: Actor, sam: Actor, actor: Callable[[str], Any]
) -> None:
    for who in (luis, sam, actor("dana")):
        commands.plan_call_back(who, rules.CallBackPlan("8505550119", who.name, LATER))
    assert [line.why for line in views.call_backs(luis)] == ["Luis Ortega"]
    assert {line.why for line in views.call_backs(luis, "division")} == {"Luis Ortega", "Dana Whitcomb"}
    assert views.call_back_count(luis, "all") == 3


# --- emergencies ------------------------------------------------------------------------------------------------------


def test_an_emergency_is_stamped_at_once_without_a_call(city: City, luis: Actor) -> None:
    receipt = commands.stamp_emergency(luis, rules.Emergency("gas_odor", " 12  Market Sq ", "850 555 0155"), key="e1")
    assert receipt.number.startswith("EM-26-")
    assert receipt.title == "Gas odor: transfer now to (800) 555-0111"
    assert "Leave the building" in receipt.say
    again = commands.stamp_emergency(luis, rules.Emergency("gas_odor", "12 Market Sq", "8505550155"), key="e1")
    assert again.number == receipt.number
    with core.read() as session:
        (row,) = rows.last_emergencies(session, NOW - dt.timedelta(hours=1))
        names = set(
            session.scalars(sa.select(event_rows.Event.name).where(event_rows.Event.subject_kind == "emergency_call"))
        )
    assert (row.place, row.callback_phone, row.transferred_to) == ("12 Market Sq", "8505550155", "(800) 555-0111")
    assert names == {"emergency.stamped"}


def test_an_emergency_is_linked_to_the_callers_conversation(city: City, luis: Actor, sam: Actor) -> None:
    call_id = _on_call_with(luis, city, "wei")
    place = rules.Emergency("main_break", "12 Market Sq", "", city.premise["market"], call_id)
    commands.stamp_emergency(luis, place)
    assert _events(call_id)[-1] == "emergency.stamped"
    commands.stamp_emergency(sam, place)
    assert _events(call_id).count("emergency.stamped") == 1, "somebody else's conversation stays theirs"


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (rules.Emergency("fire", "here"), ["kind"]),
        (rules.Emergency("gas_odor", ""), ["place"]),
        (rules.Emergency("gas_odor", "x" * 10_000), ["place"]),
        (rules.Emergency("gas_odor", "here", "<script>"), ["callback_phone"]),
    ],
)
def test_an_emergency_names_what_is_wrong(city: City, luis: Actor, form: rules.Emergency, fields: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        commands.stamp_emergency(luis, form)
    assert [problem.field for problem in refused.value.problems] == fields


# --- when somebody leaves ---------------------------------------------------------------------------------------------


def test_open_work_goes_to_a_colleague_and_a_broken_call_becomes_a_call_back(
    city: City, luis: Actor, sam: Actor
) -> None:
    commands.plan_call_back(luis, rules.CallBackPlan("8505550119", "Samuel waits", LATER))
    commands.make_promise(luis, rules.PromisePlan("visit", "Crew on Monday", LATER))
    call_id = _on_call_with(luis, city, "odessa")
    commands.keep_note(luis, call_id, "cart")

    def hand_over(work: Work) -> dict[str, int]:
        return commands.hand_over_contacts(work, sam, luis.staff_id, sam.staff_id)

    with core.work() as work:
        assert hand_over(work) == {"conversations": 1, "call_backs": 1, "promises": 1}
    with core.work() as work:
        assert hand_over(work) == {"conversations": 0, "call_backs": 0, "promises": 0}
    assert views.open_call(luis) is None
    assert views.open_call(sam) is None
    assert (views.call_backs(luis), views.promises(luis)) == ([], [])
    whys = [line.why for line in views.call_backs(sam)]
    assert whys[0] == "Samuel waits"
    assert whys[1].startswith("The call CV-26-")
    assert [line.words for line in views.promises(sam)] == ["Crew on Monday"]
