"""Publishing request types: by command, from packs, on screen; and a call that ends without a request. On both databases."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import time_machine

from db import contacts, core, events, packs_io
from db import service_requests as rows
from portal import upkeep
from portal.reports import commands as reports
from portal.service_requests import commands, views
from portal.service_requests.rules import design
from portal.service_requests.rules.form import CloseForm, RequestForm, WorkOrderForm
from portal.service_requests.rules.publish import PublishForm
from portal.service_requests.rules.stop import AdviceForm
from portal.service_requests.views import request_types
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from portal.shared.actor import Actor
    from tests.city import City

    Who = Callable[[str], Actor]
    OpenPage = Callable[..., AppTest]

TODAY = dt.date(2026, 11, 24)
KITE: dict[str, Any] = {
    "code": "lost_kite", "name": "Kite in a tree", "group": "Parks", "kind": "action_order", "department": "parks",
    "division": "park_maintenance", "place": "place", "synonyms": ["stuck toy", "drone in a tree"],
    "sla": {"calendar": "office", "target": {"business_days": 1}, "rule": "One office day"},
    "text": {"caller": "We fetch it by {due}."},
    "field": [
        {"code": "owner", "datatype": "singlevaluelist", "required": True, "description": "Whose is it?",
         "values": [{"key": "child", "name": "A child’s"}, {"key": "club", "name": "The club’s"}, {"key": "drone", "name": "A drone"}]},
    ],
    "stop": [{"code": "drone", "when": {"field": "owner", "is": "drone"}, "outcome": "refused",
              "staff": "Drones are the pilot’s to fetch.", "caller": "The city does not fetch drones."}],
    "routing": [
        {"division": "urban_forestry", "when": {"field": "owner", "is": "club"}, "why": "The foresters know the club."},
        {"division": "streets", "hours": {"calendar": "office", "is": "closed"}},
    ],
    "disposition": [{"code": "fetched", "name": "Fetched", "requires_order": True}, {"code": "left", "name": "Left there"}],
    "reply": [{"when": "closed", "letter": "known_event_ended", "disposition": "left"}],
}  # fmt: skip


def publish(who: Actor, detail: dict[str, Any], base: int = 0, on: dt.date = TODAY) -> int:
    return commands.publish_request_type(who, PublishForm(detail, on, base)).subject_id


def asked(owner: str = "child", **more: Any) -> RequestForm:
    return RequestForm("lost_kite", {"owner": owner}, address="Lake park", **more)


def refusal(command: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        command()
    return " ".join(problem.message for problem in refused.value.problems)


# --- versions ---------------------------------------------------------------------------------------------------------


def test_a_type_published_now_can_be_opened_now(city: City, actor: Who) -> None:
    receipt = commands.publish_request_type(actor("ada"), PublishForm(KITE, TODAY, 0))
    assert receipt.title == "Kite in a tree: version 1 counts from now"
    assert receipt.go_query == (("code", "lost_kite"),)
    assert any("drone in a tree" in each.label for each in views.request_types_for_entry(actor("luis")))
    with core.read() as session:
        (event,) = events.events_of_subject(session, "request_type", receipt.subject_id)
    assert (event.name, event.staff_id, event.detail["version"]) == ("request_type.published", city.staff["ada"], 1)


def test_only_an_administrator_publishes(city: City, actor: Who) -> None:
    for role in ("representative", "supervisor"):
        assert "reference.edit" in refusal(lambda role=role: publish(actor(role), KITE))


def test_an_open_case_keeps_the_version_and_the_words_it_was_opened_with(city: City, actor: Who) -> None:
    publish(actor("ada"), KITE)
    luis = actor("luis")
    old = commands.open_request(luis, asked()).subject_id
    newer = json.loads(json.dumps(KITE))
    newer["name"], newer["field"][0]["description"] = "Kite or ball in a tree", "Who owns it?"
    newer["disposition"] = [{"code": "brought", "name": "Brought down"}]
    newer["reply"] = []
    newer["sla"] = {"calendar": "office", "target": {"business_days": 9}, "rule": "Nine office days"}
    publish(actor("ada"), newer, 1)
    new = commands.open_request(luis, asked()).subject_id
    was, now = views.case(old), views.case(new)
    assert was is not None
    assert now is not None
    assert (was.name, now.name) == ("Kite in a tree", "Kite or ball in a tree")
    assert ([each.label for each in was.answers], [each.label for each in now.answers]) == (
        ["Whose is it?"],
        ["Who owns it?"],
    )
    assert (was.dispositions[0].code, now.dispositions[0].code) == ("fetched", "brought")
    with core.read() as session:
        first, second = rows.by_id(session, old), rows.by_id(session, new)
    assert first is not None
    assert second is not None
    assert (first.request_type_version, second.request_type_version) == (1, 2)
    assert first.due_at is not None
    assert second.due_at is not None
    assert first.due_at < second.due_at
    commands.close_request(luis, CloseForm(old, 1, "left"))
    assert "no ending of this kind" in refusal(lambda: commands.close_request(luis, CloseForm(new, 1, "left")))


def test_a_planned_version_counts_from_its_day_and_one_of_today_until_then(city: City, actor: Who) -> None:
    ada = actor("ada")
    publish(ada, KITE)
    publish(ada, KITE | {"name": "Kite of December"}, 1, dt.date(2026, 12, 1))
    publish(ada, KITE | {"name": "Kite of November"}, 2)

    def name() -> str:
        form = views.request_form("lost_kite")
        assert form is not None
        assert any(each.name == form.definition.name for each in views.request_types_for_entry(actor("luis")))
        return form.definition.name

    assert name() == "Kite of November"
    line = next(each for each in request_types.request_type_lines() if each.code == "lost_kite")
    assert (line.version_no, line.planned) == (3, "version 2 from Tue, Dec 1")
    found = request_types.designed("lost_kite")
    assert found is not None
    assert [(each.version_no, each.state, each.who) for each in found.versions] == [
        (3, "in force", "Ada Okafor"), (2, "planned", "Ada Okafor"), (1, "past", "Ada Okafor"),
    ]  # fmt: skip
    assert found.versions[1].changes == ("Name: “Kite in a tree” is now “Kite of December”.",)
    with time_machine.travel(dt.datetime(2026, 12, 1, 15, tzinfo=dt.UTC), tick=True):
        core.database().kept.forget()
        assert name() == "Kite of December"


@pytest.mark.parametrize(
    ("change", "base", "on", "says"),
    [
        ({}, 0, TODAY, "a request type with the code “lost_kite” already: Kite in a tree"),
        ({}, 1, TODAY, "Nothing is different from version 1"),
        ({"name": "Other"}, 7, TODAY, "Version 1 was published by Ada Okafor"),
        ({"name": "Other"}, 1, dt.date(2026, 11, 23), "in the past"),
        ({"name": ""}, 1, TODAY, "“name” is missing"),
        ({"name": "x" * 10_000}, 1, TODAY, "at most 120 characters"),
        ({"code": ""}, 0, TODAY, "the code is lower-case letters"),
        ({"department": "moon"}, 1, TODAY, "no department “moon”"),
        ({"division": "moon"}, 1, TODAY, "no division “moon”"),
        ({"sla": {"calendar": "moon", "target": {"business_days": 1}, "rule": "x"}}, 1, TODAY, "no calendar “moon”"),
        ({"opened_by": ["mayor"]}, 1, TODAY, "no role “mayor”"),
        ({"reply": [{"when": "opened", "letter": "poem"}]}, 1, TODAY, "no letter “poem”"),
        ({"routing": [{"division": "streets", "district": ["moon"]}]}, 1, TODAY, "no area “moon”"),
    ],
)  # fmt: skip
def test_what_cannot_be_published_is_refused_and_nothing_is_written(
    city: City, actor: Who, change: dict[str, Any], base: int, on: dt.date, says: str
) -> None:
    publish(actor("ada"), KITE)
    assert says in refusal(lambda: publish(actor("ada"), KITE | change, base, on))
    with core.read() as session:
        assert len(rows.request_type_versions(session, "lost_kite")) == 1


def test_the_same_key_publishes_once(city: City, actor: Who) -> None:
    form = PublishForm(KITE, TODAY, 0)
    first = commands.publish_request_type(actor("ada"), form, key="k" * 12)
    again = commands.publish_request_type(actor("ada"), form, key="k" * 12)
    assert (first.subject_id, again.replayed) == (again.subject_id, True)
    with core.read() as session:
        assert len(rows.request_type_versions(session, "lost_kite")) == 1


def test_text_that_looks_dangerous_is_kept_as_text(city: City, actor: Who) -> None:
    nasty = '<script>alert(1)</script> =HYPERLINK("http://x") 🚚'
    publish(actor("ada"), KITE | {"name": nasty, "group": nasty})
    found = request_types.designed("lost_kite")
    assert found is not None
    assert found.name == nasty
    assert tomllib.loads(request_types.exported("lost_kite"))["name"] == nasty


# --- files ------------------------------------------------------------------------------------------------------------


def test_every_type_dumped_and_loaded_again_is_identical(db: core.Database, tmp_path: Path) -> None:
    """Each type in the database to a file, read into the same database (nothing new) and seen by the same rules."""
    upkeep.load_packs(["base", *[name for name in packs_io.pack_names() if name != "base"]])
    folder = tmp_path / "dumped" / "request_type"
    folder.mkdir(parents=True)
    before = {line.code: request_types.designed(line.code) for line in request_types.request_type_lines()}
    assert len(before) > 60
    for code in before:
        (folder / f"{code}.toml").write_text(request_types.exported(code), "utf-8")
    assert upkeep.load_packs(["dumped"], tmp_path) == {}
    assert {code: request_types.designed(code) for code in before} == before
    for code, found in before.items():
        assert found is not None
        detail, newest = request_types.read_file((folder / f"{code}.toml").read_bytes(), 100_000)
        assert {key: value for key, value in detail.items() if key != "effective_from"} == found.detail
        assert newest == found.version_no


def test_loading_packs_again_leaves_what_an_administrator_changed(city: City, actor: Who) -> None:
    found = request_types.designed("pothole")
    assert found is not None
    publish(actor("ada"), dict(found.detail) | {"name": "Hole in the road"}, found.version_no)
    assert "request_type" not in upkeep.load_packs(["base"])
    form = views.request_form("pothole")
    assert form is not None
    assert form.definition.name == "Hole in the road"


def test_a_bad_file_in_a_pack_is_named_with_every_problem_and_nothing_is_loaded(
    db: core.Database, tmp_path: Path
) -> None:
    folder = tmp_path / "own" / "request_type"
    folder.mkdir(parents=True)
    (folder / "kite.toml").write_text(
        'code = "kite"\nname = "Kite"\ngroup = "Parks"\nkind = "cars"\ndepartment = "moon"\n', "utf-8"
    )
    with pytest.raises(upkeep.BadPack) as bad:
        upkeep.load_packs(["own"], tmp_path)
    assert [line.partition(": ")[0] for line in bad.value.problems] == ["own/request_type/kite.toml"] * 2
    assert "no department “moon”" in str(bad.value)
    assert "at least one [[disposition]]" in str(bad.value)
    assert request_types.designed("kite") is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"name = ", "cannot be read"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"x" * 2000, "has 2,000 bytes"),
        (b'code = "x"\ncolour = 1\n', "“colour” is not a key"),
        (b'code = "x"\nfield = "none"\n', "[[field]]"),
    ],
)
def test_a_file_that_is_no_type_says_why(city: City, content: bytes, says: str) -> None:
    assert says in refusal(lambda: request_types.read_file(content, 1000))


# --- what a type decides ----------------------------------------------------------------------------------------------


def test_only_the_roles_named_may_open_it(city: City, actor: Who) -> None:
    publish(actor("ada"), KITE | {"opened_by": ["supervisor"]})
    assert "lost_kite" not in {each.code for each in views.request_types_for_entry(actor("luis"))}
    assert "lost_kite" in {each.code for each in views.request_types_for_entry(actor("sam"))}
    assert "opened by others" in refusal(lambda: commands.open_request(actor("luis"), asked()))
    assert commands.open_request(actor("sam"), asked()).subject_id


def test_answers_and_hours_decide_where_it_goes_and_why(city: City, actor: Who) -> None:
    publish(actor("ada"), KITE)

    def goes(owner: str) -> tuple[str | None, str]:
        receipt = commands.open_request(actor("luis"), asked(owner))
        with core.read() as session:
            row = rows.by_id(session, receipt.subject_id)
        assert row is not None
        return row.division_code, receipt.steps[0].what

    assert goes("club") == ("urban_forestry", "City foresters: The foresters know the club.")
    assert goes("child")[0] == "park_maintenance"  # Tuesday 10:42 am: the offices are open (calendar/office.toml)
    with time_machine.travel(dt.datetime(2026, 11, 25, 1, tzinfo=dt.UTC), tick=True):
        assert goes("child") == ("streets", "Street maintenance: Kite in a tree goes there while it is closed.")


def test_an_answer_that_ends_the_call_opens_no_request_and_the_conversation_keeps_it(
    city: City, actor: Who, on_call: Callable[..., int]
) -> None:
    publish(actor("ada"), KITE)
    luis = actor("luis")
    call = on_call(luis, "marcus")
    assert "The city does not fetch drones" in refusal(
        lambda: commands.open_request(luis, asked("drone", conversation_id=call))
    )
    form = views.request_form("lost_kite", answers={"owner": "drone"})
    assert form is not None
    assert form.stop is not None
    receipt = commands.advise_caller(luis, AdviceForm("lost_kite", {"owner": "drone"}, conversation_id=call))
    assert receipt.say == "The city does not fetch drones."
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(rows.ServiceRequest)) == 0
        event = next(
            each for each in events.events_of_conversation(session, call) if each.name == "request.turned_down"
        )
        assert session.get(contacts.Conversation, call) is not None
    assert event.subject_kind == "conversation"
    assert event.detail == {"type": "lost_kite", "version": 1, "reason": "drone"}
    assert "a request can be opened" in refusal(
        lambda: commands.advise_caller(luis, AdviceForm("lost_kite", {"owner": "child"}))
    )
    assert commands.advise_caller(luis, AdviceForm("lost_kite", {"owner": "drone"})).subject_kind == "request_type"


def test_an_ending_may_need_a_work_order_that_was_done(city: City, actor: Who) -> None:
    publish(actor("ada"), KITE)
    sam = actor("sam")
    case = commands.open_request(sam, asked()).subject_id
    assert "needs a work order that was done" in refusal(
        lambda: commands.close_request(sam, CloseForm(case, 1, "fetched"))
    )
    order = commands.write_work_order(sam, WorkOrderForm("Fetch it", "park_maintenance", request_id=case)).subject_id
    with core.read() as session:
        written = rows.order_by_id(session, order)
    assert written is not None
    commands.close_work_order(sam, CloseForm(order, written.version, "completed"))
    commands.close_request(sam, CloseForm(case, 1, "fetched"))


def test_the_letter_follows_the_ending(city: City, actor: Who) -> None:
    publish(actor("ada"), KITE)
    sam, marcus = actor("sam"), city.person["marcus"]
    case = commands.open_request(sam, asked(person_id=marcus, tell_by="email")).subject_id
    commands.close_request(sam, CloseForm(case, 1, "left"))
    with core.read() as session:
        sent = session.scalars(sa.select(events.OutboxMessage.template).order_by(events.OutboxMessage.id)).all()
    assert sent[-2:] == ["request_opened", "known_event_ended"]


# --- from an installed portal to the dashboard ------------------------------------------------------------------------


def test_a_type_drawn_on_screen_and_one_from_a_file_go_all_the_way(
    city: City, actor: Who, open_page: OpenPage, tmp_path: Path
) -> None:
    """Entry, routing, clock, closure and the dashboard; all that was added are rows."""
    page = open_page("request_type", "administrator")
    for code, value in (("name", "Lost balloon"), ("synonyms", "hot air balloon, zeppelin")):
        kind = "text_area" if code == "synonyms" else "text_input"
        field(page, kind, f"top:{code}").set_value(value)
    field(page, "selectbox", "top:group").set_value("Parks")
    page = part(page.run(), "questions")
    page = press(page, "Add a question")
    question = key_of(page, "text_input", ":description").rsplit(".", 1)[1]
    field(page, "text_input", question).set_value("What color?")
    field(page, "text_area", question.replace("description", "values")).set_value("Red\nBlue")
    page = part(page.run(), "routes")
    field(page, "selectbox", "top:department").set_value("parks")
    page = page.run()
    field(page, "selectbox", "top:division").set_value("park_maintenance")
    page = press(page.run(), "Publish version 1")
    assert not page.exception
    assert "Lost balloon: version 1 counts from now" in shown(page)

    folder = tmp_path / "own" / "request_type"
    folder.mkdir(parents=True)
    (folder / "lost_kite.toml").write_text(design_text(KITE), "utf-8")
    assert upkeep.load_packs(["own"], tmp_path) == {"request_type": 1}

    sam = actor("sam")
    balloon = RequestForm("lost_balloon", {"what_color": "red"}, address="Lake park")
    opened, due, zone = {}, {}, dt.timezone(dt.timedelta(hours=-5))
    for form in (balloon, asked()):
        receipt = commands.open_request(sam, form)
        with core.read() as session:
            row = rows.by_id(session, receipt.subject_id)
        assert row is not None
        assert row.division_code == "park_maintenance"
        assert row.due_at is not None
        assert row.due_explanation
        opened[form.type_code], due[form.type_code] = row, row.due_at.astimezone(zone).date()
    # On Tuesday 10:42 am: one office day is Wednesday (KITE), three pass Thanksgiving and the day after (rules.design.NEW).
    assert due == {"lost_kite": dt.date(2026, 11, 25), "lost_balloon": dt.date(2026, 12, 1)}
    commands.close_request(sam, CloseForm(opened["lost_balloon"].id, 1, "done"))
    commands.close_request(sam, CloseForm(opened["lost_kite"].id, 1, "left"))
    levels = {line["request_type"]: line for line in service_levels()}
    for name in ("Lost balloon", "Kite in a tree"):
        assert (levels[name]["opened"], levels[name]["closed"], levels[name]["closed_on_time"]) == (1, 1, 1)
    dashboard = open_page("service_levels", "manager", by="request_type")
    assert not dashboard.exception


def service_levels() -> list[dict[str, Any]]:
    """What `portal report service-levels --by request_type --json` answers."""
    import contextlib
    import io

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert reports.run_service_levels("request_type", None, None, None, json_answer=True) == 0
    return json.loads(said.getvalue().strip().splitlines()[-1])["rows"]


def design_text(detail: dict[str, Any]) -> str:
    from portal.shared.toml_text import toml_text

    return toml_text(design.plain(detail))


# --- the pages --------------------------------------------------------------------------------------------------------


def shown(page: AppTest) -> str:
    parts = [*page.title, *page.subheader, *page.markdown, *page.caption, *page.text, *page.error, *page.warning]
    text = "\n".join([str(each.value) for each in parts] + [each.label for each in [*page.button, *page.expander]])
    return text.replace("\\", "").replace("\u2060", "")


def field(page: AppTest, kind: str, code: str) -> Any:
    return next(each for each in getattr(page, kind) if each.key and each.key.endswith(f".{code}"))


def ends_in(page: AppTest, kind: str, ending: str) -> Any:
    """The first widget of a kind whose key ends so."""
    return next(each for each in getattr(page, kind) if (each.key or "").endswith(ending))


def key_of(page: AppTest, kind: str, ending: str) -> str:
    return ends_in(page, kind, ending).key


def press(page: AppTest, label: str) -> AppTest:
    return next(each for each in page.button if each.label == label).click().run()


def part(page: AppTest, name: str) -> AppTest:
    return ends_in(page, "segmented_control", ".part").set_value(name).run()


def test_the_list_finds_a_type_by_a_word_of_the_public(city: City, open_page: OpenPage) -> None:
    page = open_page("request_types", "administrator")
    assert "Missed garbage" in shown(page)
    page = page.text_input(key="rt-find").set_value("truck did not come").run()
    labels = [each.label.replace("\\", "") for each in page.button]
    assert "Missed garbage" in labels
    assert "Noise" not in labels
    page = page.text_input(key="rt-find").set_value("zzz").run()
    assert "Nothing is found by these words" in shown(page)


def test_what_was_typed_survives_another_section_and_a_reconnect(city: City, open_page: OpenPage) -> None:
    page = open_page("request_type", "administrator", code="missed_garbage")
    field(page, "text_input", "top:name").set_value("Missed trash")
    page = part(page.run(), "due")
    field(page, "number_input", "top:count").set_value(2)
    page = part(page.run(), "basics")
    assert field(page, "text_input", "top:name").value == "Missed trash"
    assert "Name: “Missed garbage” is now “Missed trash”." in shown(page)
    key = page.query_params["form"]
    again = open_page(
        "request_type", "administrator", code="missed_garbage", form=key[0] if isinstance(key, list) else key
    )
    assert field(again, "text_input", "top:name").value == "Missed trash"
    assert "2" in shown(part(again, "due"))
    begun = open_page("request_types", "administrator")
    assert "Request type: Missed trash, saved" in shown(begun)


def test_the_preview_is_the_representatives_form_and_writes_nothing(city: City, open_page: OpenPage) -> None:
    page = open_page("request_type", "administrator", code="missed_garbage", part="stops")
    before = everything_counted()
    trial = ends_in(page, "segmented_control", "missed_garbage:out_in_time")
    page = trial.set_value("no").run()
    text = shown(page)
    assert "No request is opened." in text
    assert "so a cart put out later may be passed" in text
    trial = ends_in(page, "segmented_control", "missed_garbage:out_in_time")
    page = trial.set_value("yes").run()
    assert "Residential collections" in shown(page)
    assert "It is due 1 working day later." in shown(page)
    assert everything_counted() == before


def everything_counted() -> int:
    with core.read() as session:
        return sum(
            session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
            for model in (rows.ServiceRequest, rows.RequestType, events.Event, events.Draft)
        )


def test_a_stale_draft_says_what_changed_and_goes_on_top_of_it(city: City, actor: Who, open_page: OpenPage) -> None:
    page = open_page("request_type", "administrator", code="pothole")
    field(page, "text_input", "top:name").set_value("Hole in the street")
    page.run()
    found = request_types.designed("pothole")
    assert found is not None
    publish(actor("ada"), dict(found.detail) | {"priority": "high"}, found.version_no)
    page = page.run()
    assert "Priority: “normal” is now “high”." in shown(page)
    page = press(page, "Publish version 3")
    assert "was published by Ada Okafor" in shown(page)
    page = press(page, "Continue with my draft on top of version 2")
    assert field(page, "text_input", "top:name").value == "Hole in the street"
    page = press(page, "Publish version 3")
    assert "Hole in the street: version 3 counts from now" in shown(page)


def test_the_stop_stands_in_the_representatives_form(city: City, open_page: OpenPage) -> None:
    page = open_page("service_request", account=city.account["marcus"], type="missed_garbage")
    answer = ends_in(page, "segmented_control", "missed_garbage:out_in_time")
    page = answer.set_value("no").run()
    assert not page.exception
    labels = [each.label for each in page.button]
    assert "Open the request" not in labels
    page = press(page, "Caller is advised, end here")
    assert "Missed garbage: advised, no request was opened" in shown(page)
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(rows.ServiceRequest)) == 0


def test_a_circular_condition_and_an_empty_name_are_said_in_words_of_the_page(city: City, open_page: OpenPage) -> None:
    page = open_page("request_type", "administrator", code="missed_garbage", part="questions")
    first = key_of(page, "selectbox", ":question")
    assert first.rsplit(":", 2)[1] != "1"  # the first question can depend on nothing
    page = press(part(page, "basics"), "Publish version 2")
    assert "Nothing is different from version 1" in shown(page)
    field(page, "text_input", "top:name").set_value("")
    assert "“Name” is empty or too long" in shown(page.run())


def test_there_is_no_page_for_a_type_that_is_not_there(city: City, open_page: OpenPage) -> None:
    assert "There is no such request type" in shown(open_page("request_type", "administrator", code="<b>"))
