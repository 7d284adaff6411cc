"""The pages of the call as people of each role meet them, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from db import contacts as rows
from db import core
from portal import settings
from portal.contacts import commands, rules, views
from portal.shared.refusal import Refused
from tests.city import NOW, City

if TYPE_CHECKING:
    from collections.abc import Callable

OpenPage = "Callable[..., AppTest]"


def _texts(page: AppTest) -> str:
    """Everything a person reads on a page."""
    assert not page.exception
    kinds = ("title", "subheader", "markdown", "caption", "text", "success", "error", "info", "code")
    shown = [str(getattr(element, "value", "")) for kind in kinds for element in page.get(kind)]
    shown += [button.label for button in page.button] + [f"{metric.label} {metric.value}" for metric in page.metric]
    return "\n".join(shown).replace("\\", "").replace("\u2060", "")


@pytest.fixture
def on_call(city: City, actor: Callable[[str], Any]) -> int:
    """Luis is on a call with Marcus Ellison."""
    settings.use(settings.Settings())
    luis = actor("luis")
    call_id = commands.begin_conversation(luis, "phone").subject_id
    commands.link_customer(luis, call_id, account_id=city.account["marcus"])
    return call_id


# --- emergency --------------------------------------------------------------------------------------------------------


def test_the_emergency_page_asks_nothing_first(open_page: Callable[..., AppTest]) -> None:
    page = open_page("emergency")
    shown = _texts(page)
    for kind in ("Gas odor", "Wire down", "Main break", "Sewer backup", "No power"):
        assert kind in shown
    assert not page.text_input


def test_the_number_and_the_words_come_up_at_once(open_page: Callable[..., AppTest]) -> None:
    shown = _texts(open_page("emergency", kind="main_break"))
    assert "Transfer to Water dispatch (800) 555-0123" in shown  # crews are on duty on a Tuesday at 10:42 am
    assert "Keep away from the water" in shown


def test_place_and_number_come_from_the_call_and_are_stamped(
    open_page: Callable[..., AppTest], on_call: int, city: City
) -> None:
    page = open_page("emergency", kind="gas_odor")
    assert [field.value for field in page.text_input] == ["1418 Oakhaven Dr", "(850) 555-0142"]
    page.button(key="emergency.submit").click().run()
    shown = _texts(page)
    assert "Gas odor: transfer now to (800) 555-0111" in shown
    assert "Leave the building now" in shown, "the words stay in sight"
    with core.read() as session:
        (row,) = session.scalars(sa.select(rows.EmergencyCall)).all()
    assert (row.conversation_id, row.premise_id, row.callback_phone) == (
        on_call,
        city.premise["oakhaven"],
        "8505550142",
    )


def test_a_place_is_all_an_emergency_needs(open_page: Callable[..., AppTest]) -> None:
    page = open_page("emergency", kind="wire_down")
    page.button(key="emergency.submit").click().run()
    assert "Enter where it is" in _texts(page)
    page.text_input[0].set_value("Tanner St and Ellis Ave").run()
    page.button(key="emergency.submit").click().run()
    assert "Wire down: transfer now to (800) 555-0112" in _texts(page)


@pytest.mark.parametrize("kind", ["<script>", "nothing", "'; drop table"])
def test_an_odd_address_shows_the_choice(open_page: Callable[..., AppTest], kind: str) -> None:
    assert "Choose what happened" in _texts(open_page("emergency", kind=kind))


# --- wrapping up ------------------------------------------------------------------------------------------------------


def test_wrap_up_without_a_call_says_what_to_do(open_page: Callable[..., AppTest]) -> None:
    assert "No call is open" in _texts(open_page("wrap_up"))


def test_wrap_up_knows_what_was_done(
    open_page: Callable[..., AppTest], on_call: int, actor: Callable[[str], Any]
) -> None:
    luis = actor("luis")
    commands.keep_note(luis, on_call, "Couch, next red week")
    commands.answer_from_article(luis, on_call, "bulky_items")
    page = open_page("wrap_up")
    assert "Marcus Ellison" in _texts(page)
    assert [page.selectbox[0].value, page.selectbox[1].value] == ["how_to", "answered"]
    assert page.text_area[0].value == "Couch, next red week"
    page.button(key="wrap_up.submit").click().run()
    assert "Wrapped up: Answered, no case needed" in _texts(page)
    assert views.open_call(luis) is None


def test_wrap_up_asks_for_what_it_does_not_know_and_keeps_what_was_typed(
    open_page: Callable[..., AppTest], on_call: int, actor: Callable[[str], Any]
) -> None:
    page = open_page("wrap_up")
    page.text_area[0].set_value("Card 4111 1111 1111 1111").run()
    page.button(key="wrap_up.submit").click().run()
    shown = _texts(page)
    for sentence in ("Choose why the caller", "Choose how it ended", "payment card"):
        assert sentence in shown
    assert page.text_area[0].value == "Card 4111 1111 1111 1111"
    assert views.open_call(actor("luis")) is not None


def test_a_call_back_and_an_opinion_are_part_of_the_wrap_up(
    open_page: Callable[..., AppTest], on_call: int, actor: Callable[[str], Any]
) -> None:
    page = open_page("wrap_up")
    page.selectbox[0].set_value("bill_question")
    page.selectbox[1].set_value("call_back")
    _by_label(page.text_input, "What to tell them").set_value("Result of the re-read")
    _by_label(page.date_input, "Day").set_value(dt.date(2026, 11, 25))
    _by_label(page.time_input, "Time").set_value(dt.time(14, 30))
    _by_label(page.selectbox, "About").set_value("rates")
    page.run()
    page.button(key="wrap_up.submit").click().run()
    assert "in favor, against, or mixed" in _texts(page)
    _by_label(page.button_group, "The caller is").set_value("against")
    page.run()
    page.button(key="wrap_up.submit").click().run()
    assert "Wrapped up: Call-back planned" in _texts(page)
    (line,) = views.call_backs(actor("luis"))
    assert line.due_at == dt.datetime(2026, 11, 25, 19, 30, tzinfo=dt.UTC), "2:30 pm in New York"
    assert line.phone == "8505550142"


def _by_label(elements: Any, label: str) -> Any:
    return next(element for element in elements if element.label == label)


# --- call-backs and promises ------------------------------------------------------------------------------------------


def test_an_empty_list_is_good_news(open_page: Callable[..., AppTest]) -> None:
    shown = _texts(open_page("call_backs"))
    assert "No call-back and no promise is open" in shown
    assert "0 call-backs · 0 promises" in shown


def test_call_backs_and_promises_are_worked_from_the_list(
    open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any]
) -> None:
    settings.use(settings.Settings())
    luis = actor("luis")
    later = NOW + dt.timedelta(hours=3)
    who = {"person_id": city.person["odessa"], "account_id": city.account["odessa"]}
    commands.plan_call_back(luis, rules.CallBackPlan("8505550166", "Her *cart* is there", later, **who))
    commands.make_promise(luis, rules.PromisePlan("credit", "Late fee back", later, 2_500, **who))
    page = open_page("call_backs")
    assert "1 call-back · 1 promise" in _texts(page)
    (owed,) = page.radio
    first, second = owed.options
    assert "Odessa Pratt" in first
    assert "Late fee back" in second
    assert "$25.00" in second.replace("\\", "")
    shown = _texts(page)  # the call-back is open beside the list
    for part in ("Odessa Pratt", "(850) 555-0166", "Her *cart* is there", "today 1:42 pm"):
        assert part in shown
    next(button for button in page.button if button.label == "No answer").click().run()
    assert "try 2" in _texts(page)
    (owed,) = page.radio
    owed.set_value(1).run()
    assert [button.label for button in page.button if button.label in ("Kept", "Reached")] == ["Kept"]
    next(button for button in page.button if button.label == "Kept").click().run()
    next(button for button in page.button if button.label == "Reached").click().run()
    shown = _texts(page)
    assert "No call-back and no promise is open" in shown
    page.session_state["call_backs.settled"] = True
    page.run()
    assert "Late fee back" in _texts(page)
    assert "Kept" in _texts(page)


def test_a_broken_promise_keeps_its_reason(
    open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any]
) -> None:
    plan = rules.PromisePlan("date", "Cart by Friday", NOW + dt.timedelta(hours=3), account_id=city.account["odessa"])
    commands.make_promise(actor("luis"), plan)
    page = open_page("call_backs")
    next(button for button in page.button if button.label == "It is broken").click().run()
    assert "The reason is empty. Write one sentence." in _texts(page)
    next(box for box in page.text_input if box.label == "Why it could not be kept").set_value("No cart left").run()
    next(button for button in page.button if button.label == "It is broken").click().run()
    assert "no promise is open" in _texts(page)
    page.session_state["call_backs.settled"] = True
    page.run()
    assert "No cart left" in _texts(page)


def test_a_call_back_is_planned_from_the_list(open_page: Callable[..., AppTest], city: City) -> None:
    page = open_page("call_backs")

    def plan(**typed: Any) -> None:
        for box in (*page.text_input, *page.date_input, *page.time_input):
            if box.label in typed:
                box.set_value(typed[box.label])
        next(button for button in page.button if button.label == "Plan the call-back").click().run()

    plan(Number="12")
    assert "Enter the day and the time of the call-back." in _texts(page)
    assert next(box for box in page.text_input if box.label == "Number").value == "12"  # kept
    plan(**{"Number": "850 555 0166", "What to tell them": "Cart", "Day": NOW.date(), "Time": dt.time(16, 0)})
    assert "Call-back planned for today 4:00 pm" in _texts(page)
    assert "(850) 555-0166" in _texts(page)
    assert next(box for box in page.text_input if box.label == "Number").value == ""


def test_a_call_back_is_for_a_customer_that_is_found(open_page: Callable[..., AppTest], city: City) -> None:
    page = open_page("call_backs")

    def box(label: str) -> Any:
        return next(each for each in (*page.text_input, *page.date_input, *page.time_input) if each.label == label)

    box("Customer (optional)").set_value("zzqx").run()
    assert "No customer fits" in _texts(page)
    box("Customer (optional)").set_value("100-2231-8").run()
    next(each for each in page.button if "Marcus Ellison" in each.label).click().run()
    assert box("Number").value == "(850) 555-0142"  # city.toml
    box("What to tell them").set_value("w" * 1_001)
    box("Day").set_value(NOW.date())
    box("Time").set_value(dt.time(16, 0))
    next(each for each in page.button if each.label == "Plan the call-back").click().run()
    assert "has 1,001 characters; 1,000 is the most. Shorten it." in _texts(page)
    assert box("What to tell them").value == "w" * 1_001  # nothing pasted is lost
    assert "Marcus Ellison" in _texts(page)
    box("What to tell them").set_value("The cart is there")
    next(each for each in page.button if each.label == "Plan the call-back").click().run()
    assert "Call-back planned for today 4:00 pm" in _texts(page)
    with core.read() as session:
        row = session.scalars(sa.select(rows.CallBack).where(rows.CallBack.why == "The cart is there")).one()
    assert (row.person_id, row.account_id) == (city.person["marcus"], city.account["marcus"])
    box("Customer (optional)").set_value("odessa pratt").run()
    next(each for each in page.button if "Odessa Pratt" in each.label).click().run()
    next(each for each in page.button if each.label == "Somebody else").click().run()
    assert box("Customer (optional)")


def test_a_long_word_on_a_call_back_is_refused_and_kept(
    open_page: Callable[..., AppTest], actor: Callable[[str], Any]
) -> None:
    settings.use(settings.Settings())
    commands.plan_call_back(actor("luis"), rules.CallBackPlan("8505550166", "Cart", NOW + dt.timedelta(hours=3)))
    page = open_page("call_backs")
    next(each for each in page.text_input if each.label.startswith("What was said")).set_value("x" * 10_000).run()
    next(each for each in page.button if each.label == "Reached").click().run()
    assert "What was said has 10,000 characters; 1,000 is the most. Shorten it." in _texts(page)
    assert next(each for each in page.text_input if each.label.startswith("What was said")).value == "x" * 10_000


def test_a_supervisor_sees_everyones(open_page: Callable[..., AppTest], actor: Callable[[str], Any]) -> None:
    settings.use(settings.Settings())
    commands.plan_call_back(actor("luis"), rules.CallBackPlan("8505550166", "Luis's own", NOW + dt.timedelta(hours=3)))
    assert "Luis's own" not in _texts(open_page("call_backs", "supervisor"))
    page = open_page("call_backs", "supervisor", scope="all")
    assert "Luis's own" in _texts(page)
    assert "Luis Ortega" in _texts(page)


def test_what_is_owed_is_one_list_by_due_time_a_page_at_a_time(
    open_page: Callable[..., AppTest], actor: Callable[[str], Any]
) -> None:
    luis, dana = actor("luis"), actor("dana")
    for hours in range(1, 16):
        due = NOW + dt.timedelta(hours=hours)
        if hours % 2:
            commands.plan_call_back(luis, rules.CallBackPlan("8505550166", f"call {hours}", due))
        else:
            commands.make_promise(luis, rules.PromisePlan("date", f"promise {hours}", due))
    commands.make_promise(dana, rules.PromisePlan("date", "of Dana", NOW + dt.timedelta(hours=1)))
    pages = [views.owed(luis, "mine", page) for page in (1, 2, 9, -1)]
    assert [(found.page, found.total, found.call_backs, found.promises) for found in pages] == [
        (1, 15, 8, 7), (2, 15, 8, 7), (2, 15, 8, 7), (1, 15, 8, 7),
    ]  # fmt: skip
    words = [line.words for found in pages[:2] for line in found.lines]
    assert words == [f"{'call' if hours % 2 else 'promise'} {hours}" for hours in range(1, 16)]
    assert "of Dana" in [line.words for line in views.owed(luis, "division").lines]
    assert views.owed(luis, "all").total == 16
    shown = open_page("call_backs")
    assert len(shown.radio[0].options) == views.OWED_ROWS


# --- who may what -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["manager", "administrator"])
@pytest.mark.parametrize("name", ["emergency", "wrap_up", "call_backs"])
def test_a_page_outside_ones_role_shows_the_refusal_and_no_data(
    open_page: Callable[..., AppTest], actor: Callable[[str], Any], role: str, name: str
) -> None:
    settings.use(settings.Settings())
    commands.plan_call_back(actor("luis"), rules.CallBackPlan("8505550166", "Private", NOW + dt.timedelta(hours=3)))
    shown = _texts(open_page(name, role, scope="all", kind="gas_odor"))
    assert "not part of your role" in shown
    assert "Private" not in shown
    assert "Gas" not in shown


# --- the call bar -----------------------------------------------------------------------------------------------------


@pytest.fixture
def bar(city: City, actor: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The bar alone, as Luis sees it."""
    from portal.desk import who

    settings.use(settings.load(demo=True))
    luis = actor("luis")
    monkeypatch.setattr(who, "current_actor", lambda **_: luis)
    monkeypatch.setattr(who, "still_signed_in", lambda: True)
    return AppTest.from_string("from portal.desk import call_bar\ncall_bar.draw('call_desk')", default_timeout=30).run()


def test_the_bar_takes_a_call(bar: AppTest, actor: Callable[[str], Any]) -> None:
    bar.button(key="call_bar.take").click().run()
    assert "On a call · 0 min" in _texts(bar)
    assert "Find the caller" in _texts(bar)
    call = views.open_call(actor("luis"))
    assert call is not None
    assert call.channel == "phone"


def test_the_bar_keeps_the_note_and_checks_the_caller(bar: AppTest, on_call: int, actor: Callable[[str], Any]) -> None:
    bar.run()
    note = next(field for field in bar.text_input if field.label == "Note")
    note.set_value("Lid is broken").run()
    call = views.open_call(actor("luis"))
    assert call is not None
    assert call.note == "Lid is broken"
    _by_label(bar.text_input, "PIN or passphrase").set_value("0000")
    _by_label(bar.button, "Check").click().run()
    assert "That does not match. 2 more tries" in _texts(bar)
    _by_label(bar.text_input, "PIN or passphrase").set_value("4711")
    _by_label(bar.button, "Check").click().run()
    assert "Checked at 10:42 am], strength 2 of 2" in _texts(bar)


def test_a_note_that_must_not_be_kept_says_why(bar: AppTest, on_call: int, actor: Callable[[str], Any]) -> None:
    bar.run()
    next(field for field in bar.text_input if field.label == "Note").set_value("SSN 078-05-1120").run()
    assert "Social Security number" in _texts(bar)
    call = views.open_call(actor("luis"))
    assert call is not None
    assert call.note == ""


def test_a_supervisor_sets_a_new_pin_on_the_call(
    city: City, actor: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.desk import who

    settings.use(settings.load(demo=True))
    sam = actor("sam")
    monkeypatch.setattr(who, "current_actor", lambda **_: sam)
    monkeypatch.setattr(who, "still_signed_in", lambda: True)
    call_id = commands.begin_conversation(sam, "phone").subject_id
    commands.link_customer(sam, call_id, account_id=city.account["wei"])
    bar = AppTest.from_string("from portal.desk import call_bar\ncall_bar.draw('call_desk')", default_timeout=30).run()
    assert "First check who is speaking" in _texts(bar)
    commands.confirm_call_back(sam, call_id, True)
    bar.run()
    _by_label(bar.text_input, "As the caller chooses it").set_value("1111")
    _by_label(bar.button, "Set it").click().run()
    assert "too easy to guess" in _texts(bar)
    for secret in ("blue heron", "green heron"):  # a second change on the same call is a change of its own
        _by_label(bar.text_input, "As the caller chooses it").set_value(secret)
        _by_label(bar.button, "Set it").click().run()
        assert "counts from now on" in _texts(bar)
    commands.check_identity(sam, rules.SecretCheck(call_id, "green heron"))
    assert [check.passed for check in _checks()] == [True, True]


def _checks() -> list[rows.IdentityCheck]:
    with core.read() as session:
        return list(session.scalars(sa.select(rows.IdentityCheck).order_by(rows.IdentityCheck.id)))


def test_a_representative_sets_no_pin(bar: AppTest, on_call: int) -> None:
    assert "New PIN" not in [getattr(each, "label", "") for each in bar.run().get("expander")]
    assert not [each for each in bar.text_input if each.label == "As the caller chooses it"]


def test_the_customers_page_shows_the_lock_and_a_supervisor_lifts_it(
    open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any], on_call: int
) -> None:
    for _ in range(3):
        commands.check_identity(actor("luis"), rules.SecretCheck(on_call, "0000"))
    shown = open_page("customer", "luis", account=city.account["marcus"])
    assert "Checks locked until 11:1" in _texts(shown)  # 10:42 am and thirty minutes: base/identity_lock
    assert "Lift the lock" not in [button.label for button in shown.button]
    page = open_page("customer", "sam", account=city.account["marcus"])
    _by_label(page.button, "Lift the lock").click().run()
    assert "The lock is lifted" in _texts(page)
    assert "Checks locked" not in _texts(page)
    assert views.locked_until(city.person["marcus"]) is None


def test_the_bar_stands_on_the_receipt_of_a_wrap_up_and_not_beside_the_form(
    open_page: Callable[..., AppTest], bar: AppTest, on_call: int, actor: Callable[[str], Any]
) -> None:
    source = "from portal.desk import call_bar\ncall_bar.draw('wrap_up')"
    assert not AppTest.from_string(source, default_timeout=30).run().button
    commands.wrap_up(actor("luis"), rules.WrapUp(on_call, "how_to", "answered"))
    assert "Take a call" in _texts(AppTest.from_string(source, default_timeout=30).run())


def test_a_secret_changed_meanwhile_is_asked_again(city: City, actor: Callable[[str], Any], on_call: int) -> None:
    luis = actor("luis")
    with pytest.raises(Refused, match="changed a moment ago"):
        commands.record_secret_check(luis, rules.SecretCheck(on_call, "4711"), "scrypt$old", True)
    assert _checks() == []
