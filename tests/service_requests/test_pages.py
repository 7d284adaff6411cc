"""The pages of requests as people of the small city see them, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from db import core, packs_io
from db import service_requests as rows
from portal.service_requests import commands, views
from portal.service_requests.rules.form import CloseForm, KnownEventForm, RequestForm, WorkOrderForm
from tests.seen import still_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    from portal.shared.actor import Actor
    from tests.city import City

    Who = Callable[[str], Actor]
    OpenPage = Callable[..., AppTest]

ANSWERS = {"out_in_time": "yes", "carts": "1", "neighbors": "yes"}


def missed(city: City) -> RequestForm:
    return RequestForm(
        "missed_recycling",
        ANSWERS,
        city.premise["oakhaven"],
        city.account["marcus"],
        city.person["marcus"],
        description="<b>Whole street</b>",
        tell_by="text",
    )


def texts(page: AppTest) -> str:
    """Everything that can be read on a page, as a person reads it: without the escapes that keep data inert."""
    parts = [*page.title, *page.subheader, *page.markdown, *page.caption, *page.text, *page.error, *page.info]
    shown = [str(each.value) for each in parts] + [each.label for each in [*page.button, *page.expander]]
    return "\n".join([*shown, still_words(page)]).replace("\\", "").replace("\u2060", "")


def widget(page: AppTest, kind: str, code: str) -> Any:
    """The field of a form by its code (its key also holds the form's own key)."""
    return next(each for each in getattr(page, kind) if each.key and each.key.endswith(f".{code}"))


def press(page: AppTest, label: str) -> AppTest:
    return next(each for each in page.button if each.label == label).click().run()


def fill(page: AppTest) -> AppTest:
    for code, value in ANSWERS.items():
        widget(page, "segmented_control", f"missed_recycling:{code}").set_value(value)
    return page.run()


def count(model: Any) -> int:
    import sqlalchemy as sa

    with core.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


# --- the new request --------------------------------------------------------------------------------------------------


def test_a_request_from_the_search_box_to_its_receipt(city: City, open_page: OpenPage) -> None:
    page = open_page("service_request", account=city.account["marcus"])
    assert not page.exception
    assert "1418 Oakhaven Dr" in texts(page)
    assert "“mattress” finds Bulky item pickup" in texts(page)
    page = widget(page, "selectbox", "type_code").set_value("missed_recycling").run()
    assert not page.exception
    shown = texts(page)
    for words in (
        "Tomorrow 3:00 pm",
        "Leave the cart out until tomorrow 3:00 pm, lid closed.",
        "Rule: Next collection day, 3:00 pm",
    ):
        assert words in shown, words
    assert all(each.value in (None, []) for each in page.segmented_control)
    page = press(fill(page), "Open the request")
    assert not page.exception
    assert "Missed recycling is taken, due tomorrow 3:00 pm" in texts(page)
    assert [each.value for each in page.code] == ["SR-26-0000019"]
    assert count(rows.ServiceRequest) == 1
    page = press(page, "Another request")
    assert page.title[0].value == "New request"


def test_a_refused_form_keeps_what_was_typed_and_names_the_question(city: City, open_page: OpenPage) -> None:
    page = open_page("service_request", account=city.account["marcus"], type="missed_recycling")
    widget(page, "text_area", "description").set_value("<script>alert(1)</script> =HYPERLINK(1) 🚚")
    page = press(page, "Open the request")
    shown = texts(page)
    assert "Not saved yet.** Everything you typed is kept." in shown
    assert "“Out by 6:30 am?” has no answer yet. Choose one." in shown
    assert widget(page, "text_area", "description").value == "<script>alert(1)</script> =HYPERLINK(1) 🚚"
    assert count(rows.ServiceRequest) == 0
    page = press(fill(page), "Open the request")
    with core.read() as session:
        row = rows.by_id(session, 1)
    assert row is not None
    assert row.description == "<script>alert(1)</script> =HYPERLINK(1) 🚚"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("x" * 10_001, "has 10,001 characters"),
        ("card 4111 1111 1111 1111", "payment card number"),
        ("SSN 123-45-6789", "Social Security"),
    ],
)
def test_bad_words_of_the_caller_get_a_sentence(city: City, open_page: OpenPage, answer: str, says: str) -> None:
    page = fill(open_page("service_request", account=city.account["marcus"], type="missed_recycling"))
    widget(page, "text_area", "description").set_value(answer)
    page = press(page, "Open the request")
    assert not page.exception
    assert says in texts(page)
    assert count(rows.ServiceRequest) == 0


def test_what_is_open_is_shown_first_and_joined_in_one_key(city: City, actor: Who, open_page: OpenPage) -> None:
    row_id = commands.open_request(actor("luis"), missed(city)).subject_id
    commands.start_known_event(
        actor("sam"),
        KnownEventForm(
            "route_delay", "Route 14 is late", "The truck comes this evening.", ("north",), ("missed_recycling",)
        ),
    )
    page = open_page(
        "service_request", premise=city.premise["oakhaven"], person=city.person["odessa"], type="missed_recycling"
    )
    shown = texts(page)
    for words in (
        "Route 14 is late",
        "The truck comes this evening.",
        "Open here",
        "Missed recycling",
        "SR-26-0000019",
    ):
        assert words in shown, words
    page = press(page, "Join it")
    assert not page.exception
    assert "The caller joined Missed recycling" in texts(page)
    assert (count(rows.ServiceRequest), count(rows.RequestCaller)) == (1, 1)
    view = views.case(row_id)
    assert view is not None
    assert [each.what for each in view.callers] == ["Odessa Pratt"]


def test_a_refused_joining_says_so_once_beside_its_button(city: City, actor: Who, open_page: OpenPage) -> None:
    commands.open_request(actor("luis"), missed(city))
    page = open_page("service_request", account=city.account["marcus"], type="missed_recycling")
    page = press(page, "Join it")  # it is his own request
    assert not page.exception
    shown = texts(page)
    assert shown.count("This caller already belongs to SR-26-0000019. Give them that number.") == 1
    assert shown.lower().count("saved") == 1  # “Not saved yet.”
    assert len(page.error) == 1
    page = press(page, "Open the request")  # the primary button's refusal takes its place, at its own button
    shown = texts(page)
    assert "This caller already belongs" not in shown
    assert "“Out by 6:30 am?” has no answer yet" in shown


def test_a_spot_that_is_no_premise_is_written_in_words(city: City, open_page: OpenPage) -> None:
    page = open_page("service_request", type="pothole")
    widget(page, "segmented_control", "pothole:size").set_value("plate")
    widget(page, "segmented_control", "pothole:lane").set_value("edge")
    page = press(page, "Open the request")
    assert "Give the address, the crossing or the nearest house number." in texts(page)
    widget(page, "text_input", "address").set_value("Oak & 3rd")
    page = press(page, "Open the request")
    assert not page.exception
    assert "Pothole is taken" in texts(page)


def test_a_type_that_needs_an_address_leads_to_finding_it(city: City, open_page: OpenPage) -> None:
    page = open_page("service_request", type="missed_recycling")
    assert "this request belongs to an address we serve" in texts(page)
    page = press(fill(page), "Open the request")
    assert "has no premise yet" in texts(page)


# What is drawn comes from the pack and the rules, whatever the database: one is enough for each of the types.
@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    "code", sorted(file.code for file in packs_io.read_packs(["base"]) if file.kind == "request_type")
)
def test_every_type_draws(city: City, open_page: OpenPage, code: str) -> None:
    page = open_page("service_request", account=city.account["marcus"], type=code)
    assert not page.exception
    assert any(each.label == "Open the request" for each in page.button)


# --- the queue --------------------------------------------------------------------------------------------------------


def test_the_queue_shows_the_chosen_case_and_closes_it(city: City, actor: Who, open_page: OpenPage) -> None:
    row_id = commands.open_request(actor("luis"), missed(city)).subject_id
    commands.open_request(actor("luis"), RequestForm("pothole", {"size": "plate", "lane": "edge"}, address="Oak & 3rd"))
    page = open_page("work_queue", "luis", scope="following")
    assert not page.exception
    shown = texts(page)
    for words in (
        "Work queue",
        "2 cases · overdue first",
        "Missed recycling",
        "SR-26-0000019",
        "1418 Oakhaven Dr",
        "“<b>Whole street</b>”",
        "Marcus Ellison",
    ):
        assert words in shown, words
    frame = page.dataframe[0].value
    assert list(frame["Due"]) == ["Tomorrow 3:00 pm", "Tue, Dec 1, 10:42 am"]
    page = press(page, "Close and tell the caller")
    assert "“How it ended” has no answer yet. Choose one." in texts(page)
    next(each for each in page.selectbox if each.label == "How it ended").set_value("collected")
    page = press(page, "Close and tell the caller")
    assert not page.exception
    closed = views.case(row_id)
    assert closed is not None
    assert closed.ending == "Collected on return trip"
    assert "1 case · overdue first" in texts(page)
    assert "Pothole" in texts(page)


def test_the_list_chooses_another_case_and_the_filter_finds_a_number(
    city: City, actor: Who, open_page: OpenPage
) -> None:
    commands.open_request(actor("luis"), missed(city))
    commands.open_request(actor("luis"), RequestForm("pothole", {"size": "plate", "lane": "edge"}, address="Oak & 3rd"))
    page = open_page("work_queue", "luis", scope="following")
    page = page.radio[0].set_value(1).run()
    assert not page.exception
    assert any(each.value == "Pothole" for each in page.subheader)
    page.text_input[0].set_value("SR-26-0000019")
    page = page.run()
    assert "Found by its number" in texts(page)
    assert any(each.value == "Missed recycling" for each in page.subheader)
    page.text_input[0].set_value("no such thing anywhere")
    page = page.run()
    assert "Nothing here matches" in texts(page)


def test_an_empty_queue_says_what_to_do(city: City, actor: Who, open_page: OpenPage) -> None:
    page = open_page("work_queue", "luis", scope="mine")
    assert "Every case is closed" in texts(page)
    commands.open_request(actor("luis"), missed(city))
    page = open_page("work_queue", "luis", scope="mine")
    assert "Nothing is waiting here" in texts(page)
    assert "Look at “I follow up” (1)" in texts(page)


def test_taking_a_case_from_the_queue(city: City, actor: Who, open_page: OpenPage) -> None:
    row_id = commands.open_request(actor("luis"), missed(city)).subject_id
    page = press(open_page("work_queue", "luis", scope="following"), "Take it")
    assert not page.exception
    view = views.case(row_id)
    assert view is not None
    assert (view.assigned, view.state) == ("Luis Ortega", "Assigned")


# --- one case ---------------------------------------------------------------------------------------------------------


def test_a_case_from_its_page_to_its_end_and_back(city: City, actor: Who, open_page: OpenPage) -> None:
    row_id = commands.open_request(actor("luis"), missed(city)).subject_id
    page = open_page("case", "sam", id=row_id)
    assert not page.exception
    shown = texts(page)
    for words in (
        "Missed recycling",
        "“<b>Whole street</b>”",
        "Out by 6:30 am?",
        "Opened as “New”",
        "Why then?",
        "Marcus Ellison",
    ):
        assert words in shown, words
    next(each for each in page.selectbox if each.label == "Give to").set_value(actor("luis").staff_id)
    page = press(page, "Give it")
    assert "“New” to “Assigned”" in texts(page)
    next(each for each in page.selectbox if each.label == "Next").set_value("waiting_customer")
    page = press(page, "Move it")
    assert "Clock stands" in texts(page)
    next(each for each in page.selectbox if each.label == "How it ended").set_value("not_out")
    page = press(page, "Close it")
    assert "“Cart was not out” needs a note." in texts(page)
    next(each for each in page.text_area if each.label == "Note").set_value("Curb empty at 9:40, told by phone")
    page = press(page, "Close it")
    assert not page.exception
    shown = texts(page)
    assert "Cart was not out" in shown
    assert "Curb empty at 9:40, told by phone" in shown
    page = press(page, "Reopen it")
    assert "“Why is it not over?” is empty." in texts(page)
    next(each for each in page.text_area if each.label == "Why is it not over?").set_value("Still full")
    page = press(page, "Reopen it")
    view = views.case(row_id)
    assert view is not None
    assert (view.state, view.closed) == ("In progress", False)
    assert "Reopened, now “In progress”" in texts(page)


def test_a_case_that_is_not_there_leads_to_the_queue(city: City, open_page: OpenPage) -> None:
    for query in ({"id": 10**9}, {"id": "x"}, {}):
        page = open_page("case", **query)
        assert not page.exception
        assert page.title[0].value == "No such request"
    assert open_page("work_order", id=5).title[0].value == "No such work order"


def test_a_stale_page_is_told_who_was_faster(city: City, actor: Who, open_page: OpenPage) -> None:
    row_id = commands.open_request(actor("luis"), missed(city)).subject_id
    page = open_page("case", "luis", id=row_id)
    next(each for each in page.selectbox if each.label == "How it ended").set_value("collected")
    commands.take_request(actor("sam"), row_id, 1)
    page = press(page, "Close it")
    assert not page.exception
    view = views.case(row_id)
    assert view is not None
    assert not view.closed
    assert "Samira Reyes changed it today 10:42 am" in texts(page)


def test_a_work_order_from_the_case_to_its_end(city: City, actor: Who, open_page: OpenPage) -> None:
    row_id = commands.open_request(actor("luis"), missed(city)).subject_id
    page = open_page("case", "sam", id=row_id)
    next(each for each in page.text_input if each.label == "What is to be done").set_value("Send truck 14 back")
    page = press(page, "Write it")
    assert not page.exception
    assert "Send truck 14 back" in texts(page)
    page = press(page, "Close it")
    page = open_page("work_order", "sam", id=1)
    assert not page.exception
    assert "1418 Oakhaven Dr" in texts(page)
    next(each for each in page.selectbox if each.label == "How it ended").set_value("completed")
    page = press(page, "Close it")
    assert not page.exception
    assert "Completed" in texts(page)
    order = views.work_order(1)
    assert order is not None
    assert order.closed


def test_somebody_who_may_only_read_sees_no_buttons(city: City, actor: Who, open_page: OpenPage) -> None:
    row_id = commands.open_request(actor("luis"), missed(city)).subject_id
    commands.write_work_order(actor("sam"), WorkOrderForm("Look at it", "collections", request_id=row_id))
    page = open_page("work_order", "luis", id=1)
    assert "You can read this order." in texts(page)
    assert not any(each.label == "Close it" for each in page.button)


# --- known events -----------------------------------------------------------------------------------------------------


def test_a_known_event_is_announced_changed_and_ended(city: City, actor: Who, open_page: OpenPage) -> None:
    page = open_page("known_events", "sam")
    assert "Nothing is going on" in texts(page)
    page = press(page, "Announce it")
    assert "“Kind” has no answer yet. Choose one." in texts(page)
    page = widget(page, "selectbox", "kind_code").set_value("main_break").run()
    assert widget(page, "text_area", "words").value.startswith("A water main broke nearby")
    widget(page, "text_input", "title").set_value("Main break <i>Oak St</i>")
    page = press(page, "Announce it")
    assert not page.exception
    assert "Main break <i>Oak St</i>: every desk sees it now" in texts(page)
    page = open_page("known_events", "luis")
    assert "Main break <i>Oak St</i>" in texts(page)
    assert not any(each.label == "It is over" for each in page.button)
    page = open_page("known_events", "sam", id=1)
    widget(page, "text_area", "words").set_value("Water is back by 8 pm tonight.")
    page = press(page, "Save the change")
    assert "the new words are out" in texts(page)
    page = press(open_page("known_events", "sam"), "It is over")
    assert views.known_events().active == ()


def test_closing_form_is_not_shown_for_a_closed_case(city: City, actor: Who, open_page: OpenPage) -> None:
    row_id = commands.open_request(actor("luis"), missed(city)).subject_id
    commands.close_request(actor("luis"), CloseForm(row_id, 1, "collected"))
    page = open_page("case", "luis", id=row_id)
    assert not any(each.label == "Close it" for each in page.button)
    assert any(each.label == "Reopen it" for each in page.button)


def test_a_message_to_the_caller_stands_in_the_case(city: City, actor: Who) -> None:
    number = commands.open_request(actor("luis"), missed(city)).subject_id
    with core.work() as work:
        work.message(
            "email", template="request_closed", recipient_kind="person", recipient_id=city.person["marcus"],
            subject_kind="service_request", subject_id=number,
        )  # fmt: skip
    case = views.case(number)
    assert case is not None
    # The states' words are those of `portal/contacts/rules/delivery.py`; before it is written, a message has its letter's name.
    last = case.timeline[-1]
    assert (last.what, last.note) == ("E-mail to the customer: just written", "Request closed")
