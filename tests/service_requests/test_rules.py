"""The pure rules of requests: answers of each kind, conditions, moves, endings, routing, duplicates, calendars, pauses."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest

from portal.service_requests.rules import answer, case, due, duplicate, form, request_type, routing
from portal.shared.office import holidays_of
from portal.shared.refusal import Refused

PACKS = Path(__file__).resolve().parents[2] / "db" / "packs"
TODAY = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 15, 42, tzinfo=dt.UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def pack(path: str) -> dict[str, Any]:
    return tomllib.loads((PACKS / path).read_text("utf-8"))


def definition(*fields: dict[str, Any], **more: Any) -> request_type.Definition:
    """A small type with these questions."""
    return request_type.read_definition(
        {
            "code": "sample",
            "name": "Sample",
            "group": "Samples",
            "kind": "cars",
            "department": "solid_waste",
            "division": "collections",
            "disposition": [{"code": "done", "name": "Done"}],
            "field": list(fields),
        }
        | more
    )


def field(datatype: str, **more: Any) -> dict[str, Any]:
    return {"code": "it", "datatype": datatype, "description": "The question", "required": True} | more


YES_NO = [{"key": "yes", "name": "Yes"}, {"key": "no", "name": "No"}]


@pytest.mark.parametrize(
    ("question", "given", "value", "words"),
    [
        (field("string"), "  two  words ", "two words", "two words"),
        (field("text"), "first\r\nsecond", "first\nsecond", "first\nsecond"),
        (
            field("text"),
            '<script>alert(1)</script> 🚚 =HYPERLINK("http://x")',
            '<script>alert(1)</script> 🚚 =HYPERLINK("http://x")',
            None,
        ),
        (field("number"), "1,200", 1200, "1,200"),
        (field("number"), 2.5, "2.5", "2.5"),
        (field("datetime"), dt.date(2026, 11, 20), "2026-11-20", "Fri, Nov 20"),
        (field("datetime"), "2026-11-20T14:30", "2026-11-20T14:30", "Fri, Nov 20, 14:30"),
        (field("singlevaluelist", values=YES_NO), "yes", "yes", "Yes"),
        (field("multivaluelist", values=YES_NO), ["no", "yes"], ["yes", "no"], "Yes, No"),
        (field("address"), "Oak & 3rd", "Oak & 3rd", "Oak & 3rd"),
        (field("account"), " 100-2231-7 ", "100-2231-7", "100-2231-7"),
        (field("photo"), answer.Photo("cart.png", PNG), answer.Photo("cart.png", PNG), "cart.png"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_each_kind_of_field_keeps_a_typed_answer_with_its_question(
    question: dict[str, Any], given: Any, value: Any, words: str | None
) -> None:
    kept, problems = answer.check_answers(definition(question), {"it": given}, TODAY)
    assert problems == []
    assert kept["it"] == {"label": "The question", "value": value, "words": value if words is None else words}


@pytest.mark.parametrize(
    ("question", "given", "says"),
    [
        (field("string"), None, "“The question” has no answer yet. Ask the caller and fill it in."),
        (field("string"), "   ", "has no answer yet"),
        (field("string"), "x" * 10_000, "has 10,000 characters. Shorten it to 300."),
        (field("text"), "x" * 10_001, "has 10,001 characters. Shorten it to 10,000."),
        (field("text"), "card 4111 1111 1111 1111", "payment card number"),
        (field("string"), "123-45-6789", "Social Security number"),
        (field("string"), 5, "is written as text"),
        (field("number"), "many", "is a number, like 2"),
        (field("number"), float("nan"), "is a number, like 2"),
        (field("number"), "1e400", "is a number, like 2"),
        (field("number"), True, "is a number, like 2"),
        (field("number", minimum=1), 0, "is at least 1"),
        (field("number", maximum=4), 5, "is at most 4"),
        (field("datetime"), dt.date(1026, 11, 24), "cannot be in the year 1026"),
        (field("datetime"), dt.date(2199, 1, 1), "cannot be in the year 2199"),
        (field("datetime"), "yesterday", "is a day, like 11/24/2026"),
        (field("singlevaluelist", values=YES_NO), "maybe", "has no choice “maybe”"),
        (field("singlevaluelist", values=YES_NO), ["yes"], "has no choice"),
        (field("multivaluelist", values=YES_NO), ["yes", "maybe"], "has no choice “maybe”"),
        (field("multivaluelist", values=YES_NO), [], "Choose at least one."),
        (field("photo"), answer.Photo("x.png", b"GIF89a"), "no JPEG, PNG or WebP"),
        (field("photo"), answer.Photo("x.png", PNG + b"\0" * answer.PHOTO_MOST_BYTES), "larger than 10 MB"),
        (field("photo"), "x.png", "is a picture"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_each_bad_answer_is_refused_with_a_sentence_that_names_the_question(
    question: dict[str, Any], given: Any, says: str
) -> None:
    kept, problems = answer.check_answers(definition(question), {"it": given}, TODAY)
    assert kept == {}
    assert [problem.field for problem in problems] == ["it"]
    assert "“The question”" in problems[0].message
    assert says in problems[0].message


def test_an_optional_question_may_stay_open_and_an_unknown_answer_is_named() -> None:
    kept, problems = answer.check_answers(definition(field("string", required=False)), {"it": "", "other": "x"}, TODAY)
    assert kept == {}
    assert [problem.message for problem in problems] == ["“Sample” has no question “other”. Open the form again."]


CONDITIONAL = definition(
    {"code": "first", "datatype": "multivaluelist", "description": "First", "values": YES_NO},
    {"code": "second", "datatype": "singlevaluelist", "description": "Second", "required": True, "values": YES_NO,
     "show_when": {"field": "first", "is": "yes"}},
    {"code": "third", "datatype": "string", "description": "Third", "required": True, "show_when": {"field": "second", "is": ["no"]}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ({}, ["first"]),
        ({"first": ["no"]}, ["first"]),
        ({"first": ["no", "yes"]}, ["first", "second"]),
        ({"first": ["yes"], "second": "yes"}, ["first", "second"]),
        ({"first": ["yes"], "second": "no"}, ["first", "second", "third"]),
        ({"first": ["no"], "second": "no"}, ["first"]),  # what depends on a question not asked is not asked either
    ],
)
def test_a_question_is_asked_only_when_its_condition_holds(answers: dict[str, Any], shown: list[str]) -> None:
    assert [each.code for each in answer.shown_fields(CONDITIONAL, answers)] == shown


def test_the_answer_to_a_hidden_question_is_not_kept_and_not_required() -> None:
    kept, problems = answer.check_answers(CONDITIONAL, {"first": ["no"], "second": "no", "third": "left over"}, TODAY)
    assert problems == []
    assert list(kept) == ["first"]


def test_text_is_tidied_before_it_is_kept() -> None:
    assert answer.tidy(" a\x00b\x07\r\nc\ud800 ") == "ab\nc"


# --- states -----------------------------------------------------------------------------------------------------------

REQUEST = case.read_states(pack("base/state/request.toml"))
ORDER = case.read_states(pack("base/state/work_order.toml"))


@pytest.mark.parametrize("table", [REQUEST, ORDER], ids=["request", "work_order"])
def test_every_pair_of_states_is_either_in_the_table_or_refused(table: case.StateTable) -> None:
    for before in table.states:
        for after in table.states:
            problems = case.move_problems(table, before, after)
            plain = (
                after in table.after(before) and table.kind(before) != case.CLOSED and table.kind(after) != case.CLOSED
            )
            assert (problems == []) == plain, (before, after)
            assert all(problem.message.endswith(".") for problem in problems)


def test_a_refused_move_says_what_is_possible() -> None:
    (problem,) = case.move_problems(REQUEST, "in_progress", "new")
    assert problem.message == (
        "From “In progress” it cannot go to “New”. Possible: “Assigned”, “Waiting for the caller”, “Closed”."
    )
    assert case.move_problems(REQUEST, "new", "closed")[0].message == "Closing needs how it ended. Use Close."
    assert "Reopen it" in case.move_problems(REQUEST, "closed", "in_progress")[0].message
    assert "no state “elsewhere”" in case.move_problems(REQUEST, "new", "elsewhere")[0].message


ENDINGS = (request_type.Disposition("collected", "Collected"), request_type.Disposition("not_out", "Not out", True))


@pytest.mark.parametrize(
    ("before", "code", "note", "says"),
    [
        ("new", "collected", "", None),
        ("new", "not_out", "Curb was empty at 9:40", None),
        ("new", None, "", "“How it ended” has no answer yet"),
        ("new", "not_out", "  ", "“Not out” needs a note"),
        ("new", "vanished", "", "no ending of this kind"),
        ("closed", "collected", "", "closed already"),
        ("new", "collected", "x" * 2001, "has 2,001 characters"),
        ("new", "collected", "SSN 123-45-6789", "Social Security"),
    ],
)
def test_closing_needs_an_ending_of_the_type_and_its_note(
    before: str, code: str | None, note: str, says: str | None
) -> None:
    problems = case.closing_problems(REQUEST, before, ENDINGS, code, note)
    if says is None:
        assert problems == []
    else:
        assert says in problems[0].message


def test_a_reason_is_needed_to_reopen() -> None:
    assert "Write why" in case.reason_problems("reason", "Why is it not over?", " ")[0].message
    assert case.reason_problems("reason", "Why is it not over?", "Still full") == []


def test_a_table_of_states_that_contradicts_itself_is_refused() -> None:
    detail = pack("base/state/request.toml")
    with pytest.raises(ValueError, match="no state lost"):
        case.read_states(detail | {"move": [*detail["move"], {"from": "new", "to": ["lost"]}]})
    with pytest.raises(ValueError, match="none of open, waiting, closed"):
        case.read_states(detail | {"state": [*detail["state"], {"code": "odd", "name": "Odd", "kind": "odd"}]})


def at(hours: float) -> dt.datetime:
    return NOW + dt.timedelta(hours=hours)


def test_the_clock_stands_while_it_waits_and_while_it_was_closed() -> None:
    steps = [
        ("new", 0),
        ("waiting_customer", 1),
        ("in_progress", 2),
        ("closed", 3),
        ("in_progress", 10),
        ("waiting_customer", 11),
    ]
    pauses = case.pauses_of(REQUEST, [case.HistoryStep(code, at(hours)) for code, hours in steps])
    assert [(pause.start, pause.end) for pause in pauses] == [(at(1), at(2)), (at(3), at(10)), (at(11), None)]


def test_a_close_straight_from_waiting_is_one_pause() -> None:
    steps = [("new", 0), ("waiting_customer", 1), ("closed", 2), ("in_progress", 5)]
    pauses = case.pauses_of(REQUEST, [case.HistoryStep(code, at(hours)) for code, hours in steps])
    assert [(pause.start, pause.end) for pause in pauses] == [(at(1), at(5))]


# --- routing ----------------------------------------------------------------------------------------------------------

ROUTED = definition(
    {"code": "ground", "datatype": "singlevaluelist", "description": "Whose?", "values": YES_NO},
    routing=[
        {"district": "north", "when": {"field": "ground", "is": "yes"}, "division": "bulky", "why": "North, yes."},
        {"district": ["north", "east"], "division": "carts"},
        {"when": {"field": "ground", "is": "yes"}, "division": "commercial"},
    ],
)


@pytest.mark.parametrize(
    ("district", "answers", "division", "row"),
    [
        ("north", {"ground": "yes"}, "bulky", 1),
        ("North", {}, "carts", 2),
        ("east", {"ground": "yes"}, "carts", 2),
        ("south", {"ground": "yes"}, "commercial", 3),
        ("south", {}, "collections", None),
        ("", {}, "collections", None),
    ],
)
def test_the_first_row_that_fits_decides_and_says_why(
    district: str, answers: dict[str, Any], division: str, row: int | None
) -> None:
    found = routing.route(ROUTED, district, answers)
    assert (found.division, found.row) == (division, row)
    assert found.why.endswith(".")


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_distance_of_one_degree_of_latitude() -> None:
    # One degree of a sphere of the mean earth radius (IUGG 6,371,008.8 m): 111,195 m.
    assert duplicate.distance_metres((30.0, -84.0), (31.0, -84.0)) == pytest.approx(111_195, abs=1)
    assert duplicate.distance_text(2) == "at this spot"
    assert duplicate.distance_text(30.48) == "100 feet away"
    assert duplicate.distance_text(1609.344) == "1.0 miles away"


def test_the_box_holds_every_point_within_its_metres() -> None:
    south, north, west, east = duplicate.box(30.48, -84.28, 150)
    for bearing in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        lat, lon = 30.48 + bearing[0] * 149 / 111_195, -84.28 + bearing[1] * 149 / (111_195 * 0.8619)
        assert south <= lat <= north
        assert west <= lon <= east


def test_the_premise_comes_first_then_the_same_type_close_by() -> None:
    this = definition(duplicate={"scope": "premise", "metres": 100})
    candidates = [
        duplicate.Candidate(1, "sample", 9, 30.4805, -84.28),  # 56 m
        duplicate.Candidate(2, "other", 5, 30.48, -84.28),  # the premise, another type
        duplicate.Candidate(3, "sample", 5, 30.48, -84.28),  # the premise, the same type
        duplicate.Candidate(4, "other", 9, 30.4801, -84.28),  # close, another type: left out
        duplicate.Candidate(5, "sample", 9, 30.49, -84.28),  # 1.1 km: left out
        duplicate.Candidate(6, "sample", None, None, None),  # nowhere: left out
    ]
    found = duplicate.matches(this, 5, (30.48, -84.28), candidates)
    assert [match.request_id for match in found] == [3, 2, 1]
    assert found[2].metres == pytest.approx(55.6, abs=0.1)


# --- calendars --------------------------------------------------------------------------------------------------------


def test_office_holidays_are_moved_off_weekends_and_collection_holidays_only_off_sundays() -> None:
    office = holidays_of(pack("base/calendar/office.toml"), [2026, 2027])
    # 2026: July 4 is a Saturday, kept on Friday; 2027: July 4 is a Sunday, kept on Monday; New Year 2028 on a Saturday.
    assert office[dt.date(2026, 7, 3)] == "Independence Day"
    assert office[dt.date(2027, 7, 5)] == "Independence Day"
    assert office[dt.date(2027, 12, 31)] == "New Year’s Day"
    assert office[dt.date(2026, 11, 27)] == "Day after Thanksgiving"
    assert office[dt.date(2026, 12, 24)] == "Christmas Eve"
    collection = holidays_of(pack("tallahassee/calendar/collection.toml"), range(2017, 2028))
    # tallahassee.com 2021-12-27 and wctv.tv 2021-07-02: no slide for Dec 25 on a Saturday, Monday moved for July 4, 2021;
    # Veterans Day and the Friday after Thanksgiving are worked (2017-11, 2021-11-22).
    assert dt.date(2021, 12, 24) not in collection
    assert dt.date(2021, 7, 5) in collection
    assert dt.date(2017, 11, 10) not in collection
    assert dt.date(2021, 11, 26) not in collection
    assert len([on for on in collection if on.year == 2026]) == 7


def test_missed_recycling_before_thanksgiving_is_due_the_next_day_at_three() -> None:
    # The look's example: opened Tue, Nov 24, 10:42 am, due Wed, Nov 25, 3:00 pm: Thanksgiving does not move the date.
    detail = pack("base/request_type/missed_recycling.toml")
    calendar = due.calendar_of(pack("base/calendar/collection.toml"), "America/New_York", TODAY)
    found = due.due_of(request_type.read_definition(detail), calendar, NOW)
    assert found is not None
    assert found.due_at == dt.datetime(2026, 11, 25, 20, 0, tzinfo=dt.UTC)
    assert found.explanation[-1] == "Due Wed, Nov 25 at 3:00 pm."


def test_a_bad_calendar_is_named() -> None:
    assert due.calendar_problems({"code": "x", "hours": {}})[0].message == "x: give at least one weekday its hours."
    assert due.calendar_problems({"code": "x", "hours": {"moon": []}})
    assert due.calendar_problems(
        {"code": "x", "hours": {"mon": [["08:00", "17:00"]]}, "holiday_rule": [{"name": "Odd", "month": 1}]}
    )


# --- forms ------------------------------------------------------------------------------------------------------------


def test_a_type_that_belongs_to_an_address_needs_a_premise_and_a_spot_needs_words() -> None:
    at_premise, at_spot = definition(place="premise"), definition(place="place")
    assert "no premise yet" in form.place_problems(at_premise, form.RequestForm("sample"))[0].message
    assert "Give the address" in form.place_problems(at_spot, form.RequestForm("sample"))[0].message
    assert form.place_problems(at_spot, form.RequestForm("sample", address="Oak & 3rd")) == []
    assert form.place_problems(definition(place="none"), form.RequestForm("sample")) == []
    assert (
        "10,000 characters" in form.place_problems(at_spot, form.RequestForm("sample", address="x" * 10_000))[0].message
    )


def test_nobody_unknown_can_be_told() -> None:
    asked = form.RequestForm("sample", tell_by="text")
    assert "Nobody is named" in form.caller_problems(asked, person_known=False)[0].message
    assert form.caller_problems(asked, person_known=True) == []
    assert "is one of" in form.caller_problems(form.RequestForm("sample", tell_by="drum"), person_known=True)[0].message


def test_what_keeps_a_known_event_from_being_announced() -> None:
    good = form.KnownEventForm("main_break", "Main break on Oak St", "A crew is on it until noon.", ("north",))
    assert form.known_event_problems(good, {"main_break"}, {"north"}, NOW) == []
    bad = form.KnownEventForm("comet", "", "short", ("mars",), (), -1, NOW - dt.timedelta(days=1))
    fields = [problem.field for problem in form.known_event_problems(bad, {"main_break"}, {"north"}, NOW)]
    assert fields == ["kind_code", "title", "words", "area_codes", "premise_count", "next_word_at"]


def test_what_keeps_a_work_order_from_being_written() -> None:
    good = form.WorkOrderForm("Look at the valve", "water_distribution", planned_on=TODAY)
    assert form.work_order_problems(good, {"water_distribution"}, TODAY) == []
    bad = form.WorkOrderForm("", "moon", planned_on=dt.date(1926, 1, 1))
    assert [problem.field for problem in form.work_order_problems(bad, {"carts"}, TODAY)] == [
        "name",
        "division_code",
        "planned_on",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "wish"}, "“kind” is one of cars, action_order, work"),
        ({"colour": "red"}, "“colour” is not a key"),
        ({"code": "Has Blanks"}, "lower-case letters"),
        ({"name": ""}, "“name” is missing"),
        ({"field": [field("colour")]}, "“datatype” is one of"),
        ({"field": [field("string"), field("string")]}, "the code is there twice"),
        ({"field": [field("string", values=YES_NO)]}, "“values” is the list of choices of a list"),
        ({"field": [field("singlevaluelist")]}, "“values” is the list of choices of a list"),
        ({"field": [field("string", show_when={"field": "ghost", "is": "yes"})]}, "“ghost”, which is no list"),
        ({"field": [field("string", formula="1+1")]}, "“formula” is not a key of a field"),
        ({"sla": {"calendar": "office", "target": {"weeks": 1}, "rule": "One week"}}, "does not know “weeks”"),
        ({"sla": {"calendar": "moon", "target": {"business_days": 1}, "rule": "One day"}}, "no calendar “moon”"),
        ({"disposition": []}, "at least one [[disposition]]"),
        ({"duplicate": {"scope": "premise", "metres": 0}}, "from 1 to 2000"),
        ({"text": {"caller": "By {when}"}}, "not {when}"),
        ({"routing": [{"division": "moon"}]}, "no division “moon”"),
        ({"department": "moon"}, "no department “moon”"),
    ],
    ids=str,
)
def test_a_badly_written_type_is_told_what_to_correct(change: dict[str, Any], says: str) -> None:
    detail = pack("base/request_type/missed_garbage.toml") | change
    problems = request_type.definition_problems(
        detail, divisions={"collections": "solid_waste"}, calendars={"collection", "office"}
    )
    assert says in " ".join(problem.message for problem in problems)


def test_a_type_with_problems_cannot_be_read() -> None:
    with pytest.raises(Refused):
        request_type.read_definition({"code": "x"})
