"""Request types as drafts, definitions and files: nothing is lost on the way, and what changed is said in words."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from db import packs_io
from portal.service_requests.rules import design, design_change, publish, request_type, routing, stop
from portal.shared.toml_text import read_toml, toml_text

TYPES = [file for name in packs_io.pack_names() for file in packs_io.read_packs([name]) if file.kind == "request_type"]
TODAY = dt.date(2026, 11, 24)


def label(file: packs_io.PackFile) -> str:
    return f"{file.pack}/{file.code}"


# --- made-up types ----------------------------------------------------------------------------------------------------

letters = some.text(some.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).filter(
    lambda text: text.strip() == text and "\u2028" not in text
)
nasty = some.sampled_from(
    [
        "<script>alert(1)</script>",
        '=HYPERLINK("http://x")',
        "🚚 très “lent”",
        'a "b" \\ c',
        "'''",
        "# no comment",
        "[x]",
        "é" * 40,
    ]
)
words = some.one_of(letters, nasty)
lines = some.lists(words, min_size=1, max_size=3).map("\n".join)
codes = some.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@some.composite
def types(draw: some.DrawFn) -> dict[str, Any]:
    """A request type without a problem, with everything a type can have."""
    fields: list[dict[str, Any]] = []
    lists: list[dict[str, Any]] = []
    for code in draw(some.lists(codes.filter(lambda each: each not in request_type.RESERVED), max_size=5, unique=True)):
        datatype = draw(some.sampled_from(request_type.DATATYPES))
        field: dict[str, Any] = {
            "code": code, "datatype": datatype, "required": draw(some.booleans()), "description": draw(words)
        }  # fmt: skip
        if draw(some.booleans()):
            field["help"] = draw(lines)
        if datatype == "number" and draw(some.booleans()):
            field |= {"minimum": draw(some.integers(-5, 5)), "maximum": draw(some.integers(6, 50))}
        if datatype in request_type.LISTS:
            keys = draw(some.lists(codes, min_size=1, max_size=4, unique=True))
            field["values"] = [{"key": key, "name": f"{draw(words)} {at}"} for at, key in enumerate(keys)]
        if lists and draw(some.booleans()):
            field["show_when"] = condition(draw, lists)
        fields.append(field)
        if datatype in request_type.LISTS:
            lists.append(field)
    endings = draw(some.lists(codes, min_size=1, max_size=4, unique=True))
    detail: dict[str, Any] = {
        "code": draw(codes), "name": draw(words), "group": draw(words),
        "kind": draw(some.sampled_from(list(request_type.KINDS))), "department": "solid_waste",
        "priority": draw(some.sampled_from(request_type.PRIORITIES)), "place": draw(some.sampled_from(request_type.PLACES)),
        "disposition": [
            {"code": code, "name": draw(words)} | ({"requires_note": True} if draw(some.booleans()) else {}) for code in endings
        ],
    }  # fmt: skip
    if fields:
        detail["field"] = fields
    if draw(some.booleans()):
        target: dict[str, Any] = draw(
            some.sampled_from(["business_minutes", "business_days", "calendar_days"]).map(lambda unit: {unit: 5})
        )
        detail["sla"] = {"calendar": "office", "target": target, "rule": draw(words)}
    else:
        detail["sla"] = {
            "calendar": "collection",
            "target": {"working_days": 1, "at": "15:00"},
            "rule": "Next day, 3:00 pm",
        }
    if draw(some.booleans()):
        detail["synonyms"] = draw(
            some.lists(
                words.filter(lambda each: "," not in each and "\n" not in each), min_size=1, max_size=4, unique=True
            )
        )
    if draw(some.booleans()):
        detail["text"] = {"representative": draw(lines), "caller": "We come by {due}."}
    if draw(some.booleans()):
        detail["opened_by"] = ["supervisor"]
    if draw(some.booleans()):
        detail["reply"] = [{"when": "closed", "letter": "request_closed", "disposition": endings[0]}]
    if lists:
        detail["stop"] = [
            {
                "code": "first",
                "when": condition(draw, lists),
                "outcome": "refused",
                "staff": draw(lines),
                "caller": draw(lines),
            }
        ]
        detail["routing"] = [
            {
                "division": "carts",
                "when": condition(draw, lists),
                "hours": {"calendar": "office", "is": "closed"},
                "why": draw(words),
            },
            {"division": "bulky", "district": ["north", "east"]},
        ]
    return detail


def condition(draw: some.DrawFn, lists: list[dict[str, Any]]) -> dict[str, Any]:
    field = draw(some.sampled_from(lists))
    keys = [value["key"] for value in field["values"]]
    chosen = draw(some.lists(some.sampled_from(keys), min_size=1, unique=True))
    return {"field": field["code"], "is": chosen[0] if len(chosen) == 1 else chosen}


# --- files ------------------------------------------------------------------------------------------------------------


@given(types())
def test_a_type_written_as_a_file_and_read_again_is_the_same(detail: dict[str, Any]) -> None:
    assert request_type.definition_problems(detail) == []
    text = toml_text(detail)
    assert read_toml(text) == detail
    assert toml_text(read_toml(text)) == text or read_toml(toml_text(read_toml(text))) == detail


@pytest.mark.parametrize("file", TYPES, ids=label)
def test_every_packs_type_written_as_a_file_is_the_same_after_reading(file: packs_io.PackFile) -> None:
    assert read_toml(toml_text(file.detail)) == file.detail
    assert read_toml(toml_text(design.plain(file.detail))) == design.plain(file.detail)
    assert request_type.read_definition(design.plain(file.detail)) == request_type.read_definition(file.detail)


@given(
    some.recursive(
        some.one_of(some.booleans(), some.integers(-(2**62), 2**62), some.text(some.characters(exclude_categories=["Cs"])), some.floats(allow_nan=False)),
        lambda inner: some.one_of(
            some.lists(inner, max_size=4), some.dictionaries(some.text(some.characters(exclude_categories=["Cs"])), inner, max_size=4)
        ),
        max_leaves=20,
    ).filter(lambda value: isinstance(value, dict))
)  # fmt: skip
def test_any_table_of_plain_values_reads_back(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(table)) == table


def test_what_toml_has_no_word_for_is_refused() -> None:
    with pytest.raises(ValueError, match="no word"):
        toml_text({"nothing": None})


# --- drafts -----------------------------------------------------------------------------------------------------------


@given(types())
def test_a_type_opened_and_saved_without_a_change_is_the_same(detail: dict[str, Any]) -> None:
    plain = design.plain(detail)
    assert request_type.read_definition(plain) == request_type.read_definition(detail)
    assert design.plain(plain) == plain
    assert design.same(plain, detail)
    assert design_change.differences(detail, plain) == []


def test_keys_this_room_does_not_know_survive_a_draft() -> None:
    detail: dict[str, Any] = sample() | {"warning": {"minutes": 30}}
    detail["disposition"][0]["tell"] = True
    plain = design.plain(detail)
    assert plain["warning"] == {"minutes": 30}
    assert plain["disposition"][0]["tell"] is True


def sample() -> dict[str, Any]:
    return {
        "code": "sample", "name": "Sample", "group": "Samples", "kind": "cars", "department": "solid_waste",
        "disposition": [{"code": "done", "name": "Done"}],
        "field": [
            {"code": "out", "datatype": "singlevaluelist", "required": True, "description": "Out?",
             "values": [{"key": "yes", "name": "Yes"}, {"key": "no", "name": "No"}]},
            {"code": "when", "datatype": "string", "required": False, "description": "Since when?",
             "show_when": {"field": "out", "is": "yes"}},
        ],
    }  # fmt: skip


def test_rows_are_added_moved_and_removed_without_losing_what_depends_on_them() -> None:
    draft = design.opened(sample(), 3)
    first, second = draft["question"]
    more = design.added(draft, "question")
    assert len(more["question"]) == 3
    moved = design.moved(more, "question", more["question"][2]["id"], -1)
    assert [row["id"] for row in moved["question"]][:2] == [first["id"], more["question"][2]["id"]]
    assert design.moved(draft, "question", first["id"], -1) == draft
    gone = design.written(design.removed(draft, "question", first["id"]))
    assert gone["field"][0]["show_when"]["field"] == ""
    assert "no list among the questions" in request_type.definition_problems(gone)[0].message
    assert design.written(draft) == design.plain(sample())
    assert second["question"] == first["id"]


def test_adding_twice_adds_one_empty_row() -> None:
    once = design.added(design.opened(sample()), "ending")
    assert design.added(once, "ending") == once


def test_a_question_made_circular_by_moving_it_is_named() -> None:
    draft = design.opened(sample())
    turned = design.moved(draft, "question", draft["question"][1]["id"], -1)
    (problem,) = request_type.definition_problems(design.written(turned))
    assert "must be asked before it" in problem.message
    assert design.on_screen(problem.message, turned).startswith("Question 1 “Since when?”: ")


def test_an_answer_that_is_reworded_keeps_its_key() -> None:
    before = [{"key": "yes", "name": "Yes"}, {"key": "no", "name": "No"}]
    assert design.values_of("Yes, certainly\nNo", before) == [
        {"key": "yes", "name": "Yes, certainly"}, {"key": "no", "name": "No"}
    ]  # fmt: skip
    assert [value["key"] for value in design.values_of("No\n\nPerhaps\nYes\nYes", before)] == ["no", "perhaps", "yes"]
    assert len({value["key"] for value in design.values_of("A b\nA-b\nA_b\n🚚\n🚛", [])}) == 5
    assert design.values_of("", before) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": 1, "unit": "working_days", "at": "15:00"}, "Next service day by 3:00 pm (City offices)"),
        ({"count": 2, "unit": "business_days"}, "2 working days (City offices)"),
        ({"count": 90, "unit": "business_minutes"}, "90 minutes while open (City offices)"),
        ({"count": 1, "unit": "calendar_days"}, "1 calendar day"),
    ],
)
def test_a_promise_nobody_worded_has_plain_words(change: dict[str, Any], words: str) -> None:
    assert design.promise_words(design.opened(design.NEW) | change, "City offices") == words


def test_a_copy_begins_without_the_code() -> None:
    draft = design.copied(sample())
    assert (draft["code"], draft["name"], draft["base"]) == ("", "Sample (copy)", 0)
    assert design.type_code(draft) == "sample_copy"


# --- what changed -----------------------------------------------------------------------------------------------------


def test_changes_are_said_in_words() -> None:
    after: dict[str, Any] = sample() | {"name": "Better sample", "active": False, "priority": "high"}
    after["field"][0] |= {
        "required": False,
        "values": [{"key": "yes", "name": "Certainly"}, {"key": "maybe", "name": "Maybe"}],
    }
    after["field"].append({"code": "who", "datatype": "string", "required": False, "description": "Who?"})
    after["sla"] = {"calendar": "office", "target": {"business_days": 1}, "rule": "One office day"}
    after["disposition"].append({"code": "not_ours", "name": "Not ours"})
    after["routing"] = [{"division": "carts"}]
    assert design_change.differences(sample(), after) == [
        "Taken out of use.",
        "Name: “Sample” is now “Better sample”.",
        "Priority: “normal” is now “high”.",
        "Question “Who?” was added.",
        "Question “Out?” is optional now.",
        "“Out?”: the answer “Maybe” was added.",
        "“Out?”: the answer “No” was removed.",
        "“Out?”: the answer “Yes” is now “Certainly”.",
        "Due: One office day.",
        "Ending “Not ours” was added.",
        "Routing: 1 row instead of 0.",
    ]
    assert design_change.differences(None, sample()) == ["The first version."]


@given(types(), types())
def test_what_means_something_else_is_never_called_the_same(left: dict[str, Any], right: dict[str, Any]) -> None:
    right = right | {"code": left["code"]}
    assert (design_change.differences(left, right) == []) == design.same(left, right)


# --- when it may be published, who gets it, what ends a call ------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "base", "newest", "says"),
    [
        (TODAY, 3, publish.Newest(3, "Sample", "Ada", "today"), ""),
        (TODAY + dt.timedelta(days=40), 0, None, ""),
        (None, 0, None, "“Counts from” has no answer yet"),
        (TODAY - dt.timedelta(days=1), 0, None, "in the past"),
        (TODAY.replace(year=2036), 0, None, "Check the year"),
        (TODAY, 0, publish.Newest(1, "Sample", "Ada", "today"), "already: Sample"),
        (TODAY, 2, publish.Newest(3, "Sample", "Ada", "today 9:00 am"), "published by Ada today 9:00 am"),
        (TODAY, 2, None, "not there any more"),
    ],
)
def test_when_a_version_may_be_published(
    on: dt.date | None, base: int, newest: publish.Newest | None, says: str
) -> None:
    found = publish.problems(publish.PublishForm({"code": "sample"}, on, base), newest, TODAY)
    assert [says in problem.message for problem in found] == ([True] if says else [])


def test_a_route_may_ask_for_the_hours() -> None:
    rows = [{"division": "bulky", "hours": {"calendar": "office", "is": "closed"}}, {"division": "carts"}]
    definition = request_type.read_definition(sample() | {"routing": rows})
    assert routing.route(definition, "", {}, lambda code: code == "office").division == "carts"
    assert routing.route(definition, "", {}, lambda code: False).why == "Sample goes there while it is closed."
    assert routing.route(definition, "", {}).division == "carts"


def test_an_answer_ends_a_call_only_when_its_question_is_asked() -> None:
    ends = {
        "code": "not_out",
        "when": {"field": "out", "is": "no"},
        "outcome": "advised",
        "staff": "Late.",
        "caller": "Put it out.",
    }
    definition = request_type.read_definition(sample() | {"stop": [ends]})
    found = stop.stop_of(definition, {"out": "no"})
    assert found is not None
    assert (found.code, found.outcome) == ("not_out", "advised")
    assert stop.stop_of(definition, {"out": "yes"}) is None
    assert stop.stop_of(definition, {}) is None


def test_the_letter_for_one_ending_goes_before_the_one_for_all() -> None:
    replies = [{"when": "closed", "letter": "all"}, {"when": "closed", "letter": "one", "disposition": "done"}]
    definition = request_type.read_definition(sample() | {"reply": replies})
    assert [definition.letter("closed", "done"), definition.letter("closed", "else"), definition.letter("opened")] == [
        "one",
        "all",
        "",
    ]


YES = {"field": "out", "is": "yes"}
STOP = {"code": "x", "when": YES, "outcome": "advised", "staff": "Because.", "caller": "Do this."}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"code": ""}, "the code is lower-case letters"),
        ({"name": "x" * 10_000}, "at most 120 characters"),
        ({"name": "a\x00b"}, "“name” is missing"),
        ({"group": "x" * 81}, "at most 80 characters"),
        ({"synonyms": "many"}, "“synonyms” is a list"),
        ({"opened_by": ["mayor"]}, "no role “mayor”"),
        ({"effective_from": "soon"}, "“effective_from” is a day"),
        ({"active": "yes"}, "“active” is true or false"),
        ({"position": "first"}, "“position” is a whole number"),
        ({"stop": [STOP | {"outcome": "shrug"}]}, "“outcome” (advised or refused)"),
        ({"stop": [STOP | {"caller": " "}]}, "Write what to say to the caller"),
        ({"stop": [STOP | {"when": {"field": "out", "is": []}}]}, "names no answer"),
        ({"stop": [STOP, STOP]}, "a code of its own"),
        ({"stop": "never"}, "[[stop]]"),
        ({"reply": [{"when": "closed", "letter": "no_such"}]}, "no letter “no_such”"),
        ({"reply": [{"when": "closed", "letter": "known", "disposition": "burnt"}]}, "no ending of this type"),
        ({"reply": [{"when": "closed", "letter": "known"}] * 2}, "two letters for the same moment"),
        ({"reply": [{"when": "noon", "letter": "known"}]}, "(opened or closed)"),
        ({"routing": [{"division": "carts", "district": "moon"}]}, "no area “moon”"),
        ({"routing": [{"division": "carts", "hours": {"calendar": "moon", "is": "open"}}]}, "no calendar “moon”"),
        ({"routing": [{"division": "carts", "hours": "always"}]}, "hours are written"),
        ({"routing": [{"division": "carts", "when": {"field": ["out"], "is": "yes"}}]}, "no list among the questions"),
        ({"field": [sample()["field"][0] | {"show_when": YES}]}, "must be asked before it"),
        (
            {"field": [{"code": "n", "datatype": "number", "description": "N", "minimum": 9, "maximum": 1}]},
            "Swap the two",
        ),
        ({"field": "none"}, "[[field]]"),
        ({"text": {"caller": "x" * 3000}}, "at most 2,000 characters"),
        ({"sla": "soon"}, "the promise in words"),
        ({"division": 7}, "no division “7”"),
    ],
    ids=str,
)
def test_each_mistake_is_named_with_its_remedy(change: dict[str, Any], says: str) -> None:
    found = request_type.definition_problems(
        sample() | change, divisions={"carts": "solid_waste"}, calendars={"office"}, districts={"north"},
        roles={"supervisor"}, letters={"known"},
    )  # fmt: skip
    assert says in " ".join(problem.message for problem in found)
    assert all(problem.field and problem.message.endswith((".", "…")) for problem in found)
