"""Request types of other cities: Open311 lists and definitions, tables, our own files; what is wrong is named by its place."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from db import core
from db import service_requests as rows
from portal import upkeep
from portal.service_requests import views
from portal.service_requests.commands import import_types
from portal.service_requests.rules import import_type, request_type
from portal.service_requests.views import request_types

if TYPE_CHECKING:
    from pathlib import Path

# After the samples of the GeoReport v2 specification (wiki.open311.org): a service list and a definition.
SERVICES = [
    {"service_code": "001", "service_name": "Cans left out 24x7", "description": "Garbage or recycling cans out too long.",
     "metadata": True, "type": "realtime", "keywords": "lorem, ipsum, dolor", "group": "sanitation"},
    {"service_code": "002", "service_name": "Construction plate shifted", "description": "Metal plates shifted.",
     "metadata": False, "type": "realtime", "keywords": "", "group": "street"},
]  # fmt: skip
DEFINITION = {
    "service_code": "001",
    "attributes": [
        {"variable": False, "code": "NOTE", "datatype": "string", "required": False, "order": 1,
         "description": "Cans may stand there from 7 pm on."},
        {"variable": True, "code": "WHISHETN", "datatype": "singlevaluelist", "required": True, "datatype_description": "Look at the lid.",
         "order": 2, "description": "What is the ticket/tag/DL number?",
         "values": [{"key": 123, "name": "Ford"}, {"key": 124, "name": "Chrysler"}]},
        {"variable": True, "code": "description", "datatype": "text", "required": "false", "order": 3, "description": "Anything else?"},
        {"variable": True, "code": "odd", "datatype": "colour", "required": False, "order": "last", "description": "x" * 200},
    ],
}  # fmt: skip
SERVICES_XML = """<?xml version="1.0" encoding="utf-8"?>
<services><service><service_code>001</service_code><service_name>Cans left out 24x7</service_name>
<description>Garbage or recycling cans out too long.</description><metadata>true</metadata><type>realtime</type>
<keywords>lorem, ipsum, dolor</keywords><group>sanitation</group></service></services>"""
DEFINITION_XML = """<service_definition><service_code>001</service_code><attributes><attribute><variable>true</variable>
<code>WHISHETN</code><datatype>singlevaluelist</datatype><required>true</required><order>1</order>
<description>What is the ticket/tag/DL number?</description><values><value><key>123</key><name>Ford</name></value>
<value><key>124</key><name>Chrysler</name></value></values></attribute></attributes></service_definition>"""


def as_file(name: str, content: Any) -> tuple[str, bytes]:
    return name, (content if isinstance(content, str) else json.dumps(content)).encode()


def bring(*files: tuple[str, bytes], department: str | None = "public_works", **more: Any) -> import_types.Outcome:
    return import_types.import_request_types(files, department, **more)


def test_a_service_list_and_its_definition_become_a_type_that_is_not_in_use_yet(db: core.Database) -> None:
    outcome = bring(as_file("services.json", SERVICES), as_file("001.json", DEFINITION))
    assert (outcome.read, outcome.created, outcome.rejected) == (2, 2, 0)
    assert "cans_left_out_24x7" not in {each.code for each in _in_use()}
    found = request_types.designed("cans_left_out_24x7")
    assert found is not None
    detail = found.detail
    assert (detail["name"], detail["group"], detail["synonyms"]) == (
        "Cans left out 24x7",
        "sanitation",
        ["lorem", "ipsum", "dolor"],
    )
    assert (
        detail["text"]["representative"]
        == "Garbage or recycling cans out too long.\nCans may stand there from 7 pm on."
    )
    odd, which, other = detail["field"]
    assert (which["code"], which["required"], which["help"]) == ("whishetn", True, "Look at the lid.")
    assert which["values"] == [{"key": "n_123", "name": "Ford"}, {"key": "n_124", "name": "Chrysler"}]
    assert (other["code"], other["datatype"], other["required"]) == ("description_asked", "text", False)
    assert (odd["datatype"], len(odd["description"]), odd["help"]) == ("string", 120, "x" * 200)
    assert request_type.definition_problems(detail) == []


def _in_use() -> list[rows.RequestType]:
    with core.read() as session:
        return list(rows.request_types_in_force(session, dt.date(2026, 11, 24)))


def test_xml_says_the_same_as_json(db: core.Database) -> None:
    bring(as_file("services.xml", SERVICES_XML), as_file("001.xml", DEFINITION_XML))
    found = request_types.designed("cans_left_out_24x7")
    assert found is not None
    assert found.detail["group"] == "sanitation"
    assert found.detail["field"][0]["values"][1] == {"key": "n_124", "name": "Chrysler"}


def test_importing_again_changes_nothing_and_a_change_makes_a_version(db: core.Database) -> None:
    bring(as_file("s.json", SERVICES))
    assert (again := bring(as_file("s.json", SERVICES))).unchanged == 2, again
    changed = [SERVICES[0] | {"group": "waste"}, SERVICES[1]]
    assert (then := bring(as_file("s.json", changed))).updated == 1, then
    found = request_types.designed("cans_left_out_24x7")
    assert found is not None
    assert found.version_no == 2


def test_what_is_in_use_here_is_left_alone_unless_asked(db: core.Database) -> None:
    pothole = [{"service_code": "7", "service_name": "Pothole", "group": "Elsewhere"}]
    assert bring(as_file("s.json", pothole)).existing == 1
    assert bring(as_file("s.json", pothole), department=None, update=True).updated == 1
    found = request_types.designed("pothole")
    assert found is not None
    assert (found.detail["group"], found.detail["department"], found.detail["division"]) == (
        "Elsewhere",
        "public_works",
        "streets",
    )
    assert found.detail["sla"]


def test_a_tree_of_types_and_the_days_they_took(db: core.Database) -> None:
    tree = "SUBJECT,REASON,TYPE,QUEUE,n\nWorks,Signs,Sign Repair,Q1,2\nWorks,Roads,Sign Repair,Q2,40\nWorks,,No group,Q,1\nWorks,Roads,🚧,Q,1\n"
    days = "TYPE,n,p10_days,median_days,p90_days\nSign Repair,5,1,2.4,9\nQuick,1,0,0,0\nOdd,1,0,soon,0\n,1,0,1,0\n"
    outcome = bring(as_file("tree.csv", tree), as_file("days.csv", days), in_use=True)
    assert (outcome.created, [each.where for each in outcome.rejects]) == (
        3,
        ["tree.csv, line 4", "days.csv, line 4", "days.csv, line 5"],
    )
    found = request_types.designed("sign_repair")
    assert found is not None
    assert (found.detail["group"], found.detail["sla"]["target"]) == ("Roads", {"calendar_days": 3})
    form = views.request_form("quick")
    assert form is not None
    assert form.definition.sla_rule == "1 calendar day"


def test_our_own_file_is_taken_whole_and_its_mistakes_are_named(db: core.Database) -> None:
    good = (
        'code = "kite"\nname = "Kite"\ngroup = "Parks"\nkind = "cars"\ndepartment = "parks"\n'
        '[[disposition]]\ncode = "done"\nname = "Done"\n'
    )
    outcome = bring(as_file("kite.toml", good), as_file("bad.toml", 'code = "b"\nname = "B"\n'), department=None)
    assert (outcome.read, outcome.created, outcome.rejected) == (2, 1, 1)
    assert {each.field for each in outcome.rejects} >= {"group", "department", "kind", "disposition"}
    assert all(each.where == "bad.toml" for each in outcome.rejects)


@pytest.mark.parametrize(
    ("item", "field", "says"),
    [
        ({"service_name": "No code"}, "service_code", "“service_code” is missing"),
        ({"service_code": "5"}, "service_name", "“service_name” is missing"),
        ({"service_code": "5", "service_name": "  "}, "service_name", "“service_name” is empty"),
        ({"service_code": "5", "service_name": "x" * 10_000}, "name", "at most 120 characters"),
        ({"service_code": "5", "attributes": []}, "service_code", "Give the list of services"),
        ("text", "service_code", "This is no service"),
    ],
)
def test_a_service_that_is_none_is_named_and_the_rest_goes_on(
    db: core.Database, item: Any, field: str, says: str
) -> None:
    outcome = bring(as_file("s.json", [item, SERVICES[1]]))
    assert (outcome.read, outcome.created, outcome.rejected) == (2, 1, 1)
    assert (outcome.rejects[0].where, outcome.rejects[0].field) == ("s.json, service 1", field)
    assert says in outcome.rejects[0].reason


def test_dangerous_words_stay_words(db: core.Database) -> None:
    nasty = '<script>alert(1)</script> =HYPERLINK("http://x")'
    bring(as_file("s.json", [{"service_code": "1", "service_name": nasty, "description": nasty}]))
    assert any(line.name == nasty for line in request_types.request_type_lines())


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b"", "is empty"),
        ("a.json", b"[{", "is no JSON"),
        ("a.json", b"[" * 100_000, "is no JSON"),
        ("a.xml", b"<services>", "is no XML"),
        ("a.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><services/>', "Remove the declaration"),
        ("a.xml", b"<rss/>", "begins with <rss>"),
        ("a.csv", b"A,B\n1,2\n", "neither an Open311 file nor a table"),
        ("a.csv", b"TYPE,REASON\n\x00,x\n", "NUL"),
        ("a.csv", b"\xff\xfe", "no text in UTF-8"),
        ("a.toml", b"code = ", "cannot be read"),
    ],
)
def test_a_file_nothing_can_be_read_from_says_why(name: str, content: bytes, says: str) -> None:
    with pytest.raises(import_type.BadFile, match=says):
        import_type.read_files([(name, content)])


def test_a_department_is_needed_and_must_be_one_of_ours(db: core.Database) -> None:
    with pytest.raises(import_type.BadFile, match="no department “moon”"):
        bring(as_file("s.json", SERVICES), department="moon")
    outcome = bring(as_file("s.json", SERVICES), department=None)
    assert {each.field for each in outcome.rejects} == {"department"}
    assert "public_works" in outcome.rejects[0].reason


def test_the_command_answers_with_one_json_object(
    db: core.Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "services.json"
    file.write_text(json.dumps([*SERVICES, {"service_code": "9"}]), "utf-8")
    run = {"in_use": False, "update": False, "json_answer": True}
    assert import_types.run_command([file], "public_works", **run) == 0
    said = capsys.readouterr()
    answer = json.loads(said.out.strip().splitlines()[-1])
    assert (answer["read"], answer["created"], answer["rejected"]) == (3, 2, 1)
    assert answer["read"] == sum(answer[key] for key in ("created", "updated", "unchanged", "existing", "rejected"))
    assert "Left out: services.json, service 3, service_name" in said.err
    assert import_types.run_command([tmp_path / "none.json"], "public_works", **run) == 2
    assert "No such file" in capsys.readouterr().err
    assert upkeep.audit_sentence(0).endswith("no fault.")
