"""Every request type, calendar and table of states of every pack; and a new type that is nothing but a new file."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from db import core, packs_io
from portal import upkeep
from portal.service_requests import commands, views
from portal.service_requests.rules import answer, case, due, request_type
from portal.service_requests.rules.form import CloseForm, RequestForm
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from portal.shared.actor import Actor
    from tests.city import City

FILES = packs_io.read_packs(["base"]) + [
    file for file in packs_io.read_packs(list(packs_io.pack_names())) if file.pack != "base"
]
TYPES = [file for file in FILES if file.kind == "request_type"]
OPENED_AT = dt.datetime(2026, 11, 24, 15, 42, tzinfo=dt.UTC)


def label(file: packs_io.PackFile) -> str:
    return f"{file.pack}/{file.kind}/{file.code}"


def divisions() -> dict[str, str]:
    return {
        part["code"]: file.code
        for file in FILES
        if file.kind == "department"
        for part in file.detail.get("division", ())
    }


def calendars() -> dict[str, dict[str, Any]]:
    return {file.code: file.detail for file in FILES if file.kind == "calendar"}


DUTIES = {
    "solid waste": "missed_garbage", "recycling": "recycling_question", "commercial containers": "container_new",
    "roll-off": "roll_off_removal", "electric": "power_out", "gas": "gas_appliance_check", "water": "water_main_leak",
    "sewer": "sewer_backup", "stormwater": "drainage_ditch", "street lights": "street_light_new", "high bill": "high_bill_review",
    "meter": "meter_damaged", "energy audits": "energy_audit", "water audits": "water_audit", "parks": "park_maintenance",
    "code enforcement": "code_enforcement", "animals": "stray_animal", "traffic signals": "traffic_signal",
    "sidewalks": "sidewalk", "trees": "public_tree", "complaints": "staff_complaint", "compliments": "compliment",
}  # fmt: skip
"""A type of the base pack for each duty of the desk."""


def test_the_base_pack_covers_every_duty_with_types_a_caller_can_answer() -> None:
    base = {file.code: file.detail for file in TYPES if file.pack == "base"}
    assert len(base) >= 60
    assert set(DUTIES.values()) <= set(base)
    assert {detail["kind"] for detail in base.values()} == set(request_type.KINDS)
    assert all(detail["synonyms"] for detail in base.values())
    for code, detail in base.items():
        assert sum(field["required"] for field in detail.get("field", ())) <= 4, f"{code} asks too much"
    assert sum("stop" in detail for detail in base.values()) >= 8


@pytest.mark.parametrize("file", TYPES, ids=label)
def test_every_type_has_no_problem_and_is_due_after_it_was_opened(file: packs_io.PackFile) -> None:
    assert request_type.definition_problems(file.detail, divisions=divisions(), calendars=calendars()) == []
    assert file.path.stem == file.code
    found = request_type.read_definition(file.detail)
    assert found.sla_calendar is not None
    calendar = due.calendar_of(calendars()[found.sla_calendar], "America/New_York", OPENED_AT.date())
    promised = due.due_of(found, calendar, OPENED_AT)
    assert promised is not None
    assert promised.due_at is not None
    assert promised.due_at > OPENED_AT
    assert promised.explanation


def sample_answer(field: request_type.FieldSpec) -> Any:
    return {
        "string": "Something",
        "text": "Something longer",
        "number": field.minimum or 1,
        "datetime": OPENED_AT.date(),
        "singlevaluelist": field.choices[0].key if field.choices else None,
        "multivaluelist": [choice.key for choice in field.choices],
        "address": "Oak & 3rd",
        "photo": answer.Photo("a.png", b"\x89PNG\r\n\x1a\n"),
        "account": "100-2231-8",
    }[field.datatype]


@pytest.mark.parametrize("file", TYPES, ids=label)
def test_every_type_can_be_answered_in_full(file: packs_io.PackFile) -> None:
    found = request_type.read_definition(file.detail)
    given = {field.code: sample_answer(field) for field in found.fields}
    kept, problems = answer.check_answers(found, given, OPENED_AT.date())
    assert problems == []
    assert list(kept) == [field.code for field in answer.shown_fields(found, given)]


@pytest.mark.parametrize("file", [file for file in FILES if file.kind == "calendar"], ids=label)
def test_every_calendar_can_be_counted_in(file: packs_io.PackFile) -> None:
    assert due.calendar_problems(file.detail) == []


@pytest.mark.parametrize("file", [file for file in FILES if file.kind == "state"], ids=label)
def test_every_table_of_states_leads_from_its_first_state_to_a_closed_one(file: packs_io.PackFile) -> None:
    table = case.read_states(file.detail)
    reached, ahead = {table.first}, [table.first]
    while ahead:
        for code in table.after(ahead.pop()):
            if code not in reached:
                reached.add(code)
                ahead.append(code)
    assert reached == set(table.states)
    assert table.of_kind(case.CLOSED)
    assert all(each.state in ("", *table.of_kind(case.CLOSED)) for each in table.dispositions)


def test_every_known_event_explains_types_that_exist() -> None:
    codes = {file.code for file in TYPES}
    kinds = [file for file in FILES if file.kind == "known_event_kind"]
    assert len(kinds) >= 6
    for file in kinds:
        assert set(file.detail["request_types"]) <= codes, file.code
        assert file.detail["words"].endswith(".")


NEW_TYPE = """
    code = "lost_kite"
    name = "Kite in a tree"
    group = "Parks"
    kind = "action_order"
    department = "parks"
    division = "park_maintenance"
    place = "place"
    synonyms = ["stuck toy", "drone in a tree"]

    [sla]
    calendar = "office"
    target = { business_days = 1 }
    rule = "One office day"

    [text]
    caller = "We fetch it by {due}."

    [[field]]
    code = "height"
    datatype = "number"
    required = true
    description = "How high, in feet?"
    minimum = 1
    maximum = 200

    [[field]]
    code = "owner"
    datatype = "singlevaluelist"
    required = true
    description = "Whose is it?"
    values = [{ key = "child", name = "A child’s" }, { key = "club", name = "The club’s" }]

    [[field]]
    code = "club"
    datatype = "string"
    required = true
    description = "Which club?"
    show_when = { field = "owner", is = "club" }

    [[disposition]]
    code = "fetched"
    name = "Fetched"

    [[disposition]]
    code = "left"
    name = "Left in the tree"
    requires_note = true
"""


def test_adding_a_type_is_adding_a_file(city: City, actor: Callable[[str], Actor], tmp_path: Path) -> None:
    """From a new file to a closed case without a line of Python: found, drawn, checked, timed, closed."""
    folder = tmp_path / "own" / "request_type"
    folder.mkdir(parents=True)
    (folder / "lost_kite.toml").write_text(textwrap.dedent(NEW_TYPE), "utf-8")
    with core.work():
        assert upkeep.load_packs(["own"], tmp_path) == {"request_type": 1}
    luis = actor("luis")
    assert any("drone in a tree" in choice.label for choice in views.request_types_for_entry(luis))
    form = views.request_form("lost_kite")
    assert form is not None
    assert [field.code for field in answer.shown_fields(form.definition, {"owner": "club"})] == [
        "height",
        "owner",
        "club",
    ]
    assert views.due_preview("lost_kite").text == "tomorrow 10:42 am"
    with pytest.raises(Refused) as bad:
        commands.open_request(luis, RequestForm("lost_kite", {"height": 900, "owner": "club"}, address="Lake park"))
    assert [problem.field for problem in bad.value.problems] == ["height", "club"]
    receipt = commands.open_request(
        luis, RequestForm("lost_kite", {"height": 30, "owner": "child"}, address="Lake park")
    )
    assert receipt.say == f"We fetch it by tomorrow 10:42 am. Your number is {receipt.number}."
    with pytest.raises(Refused, match="needs a note"):
        commands.close_request(luis, CloseForm(receipt.subject_id, 1, "left"))
    commands.close_request(luis, CloseForm(receipt.subject_id, 1, "fetched"))
    closed = views.case(receipt.subject_id)
    assert closed is not None
    assert (closed.closed, closed.ending, closed.name) == (True, "Fetched", "Kite in a tree")


def test_a_case_keeps_the_version_it_was_opened_with(city: City, actor: Callable[[str], Actor], tmp_path: Path) -> None:
    folder = tmp_path / "own" / "request_type"
    folder.mkdir(parents=True)
    text = textwrap.dedent(NEW_TYPE)
    (folder / "lost_kite.toml").write_text(text, "utf-8")
    with core.work():
        upkeep.load_packs(["own"], tmp_path)
    first = commands.open_request(
        actor("luis"), RequestForm("lost_kite", {"height": 30, "owner": "child"}, address="Lake park")
    )
    (folder / "lost_kite.toml").write_text(
        text.replace("How high, in feet?", "How high?").replace('"fetched"', '"brought"'), "utf-8"
    )
    with core.work():
        upkeep.load_packs(["own"], tmp_path)
    second = commands.open_request(
        actor("luis"), RequestForm("lost_kite", {"height": 30, "owner": "child"}, address="Lake park")
    )
    old, new = views.case(first.subject_id), views.case(second.subject_id)
    assert old is not None
    assert new is not None
    assert [each.label for each in old.answers] == ["How high, in feet?", "Whose is it?"]
    assert [each.label for each in new.answers] == ["How high?", "Whose is it?"]
    assert (old.dispositions[0].code, new.dispositions[0].code) == ("fetched", "brought")


def test_the_citys_pack_overrides_the_base_pack_by_code(db: core.Database) -> None:
    upkeep.load_packs(["base", "tallahassee"])
    form = views.request_form("missed_recycling")
    assert form is not None
    assert form.definition.division == "recycling_contractor"
    assert form.division == "Waste Pro"
