"""`portal sla due`, sentence by sentence of its contract."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time as stopwatch
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.service_requests.rules.clock import sla_due
from portal.shared.jsonlines import run
from portal.shared.refusal import Refused

SPLIT = {day: [["08:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
STRAIGHT = {day: [["08:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def ask(opened_at: str, target: dict, pauses: list | None = None, **more: Any) -> dict:
    """Thanksgiving week of 2026 in Tallahassee's zone: the 24th is a Tuesday, the 26th the holiday."""
    line = {
        "opened_at": opened_at,
        "zone": "America/New_York",
        "hours": SPLIT,
        "holidays": ["2026-11-26"],
        "target": target,
    }
    if pauses is not None:
        line["pauses"] = pauses
    return sla_due({key: value for key, value in (line | more).items() if value is not None})


def due(*args: Any, **more: Any) -> str:
    """The due time on the office's clock, to read the tests by."""
    at = datetime.fromisoformat(ask(*args, **more)["due_at"])
    return at.astimezone(ZoneInfo("America/New_York")).strftime("%a %m-%d %H:%M")


def problem(**line: Any) -> tuple[str, str]:
    known = {
        "opened_at": "2026-11-24T09:12",
        "zone": "America/New_York",
        "hours": SPLIT,
        "target": {"business_minutes": 60},
    }
    with pytest.raises(Refused) as no:
        sla_due({key: value for key, value in (known | line).items() if value != "absent"})
    return no.value.problems[0].field, no.value.problems[0].message


# ----- the answer


def test_answer_of_a_plain_case() -> None:
    assert ask("2026-11-24T09:12:00-05:00", {"working_days": 1, "at": "15:00"}) == {
        "due_at": "2026-11-25T20:00:00Z",
        "explanation": [
            "Opened Tue, Nov 24 at 9:12 am: the clock starts that day, and working days count from the day after.",
            "It is due 1 working day later.",
            "Counted: Wed, Nov 25 (day 1).",
            "Due Wed, Nov 25 at 3:00 pm.",
        ],
    }


def test_explanation_begins_with_the_start_and_ends_with_the_due_time() -> None:
    assert ask("2026-11-28T10:00", {"business_minutes": 240 + 60}, [["2026-11-30T09:00", "2026-11-30T10:00"]])[
        "explanation"
    ] == [
        (
            "Opened Sat, Nov 28 at 10:00 am, on a day when the office is closed: "
            "the clock starts at the next opening, Mon, Nov 30 at 8:00 am."
        ),
        "It is due after 5 hours of office time.",
        "Counted: Mon, Nov 30 (5 hours).",
        "Paused Mon, Nov 30 at 9:00 am until Mon, Nov 30 at 10:00 am: 1 hour of office time added.",
        "Due Mon, Nov 30 at 3:00 pm.",
    ]


@pytest.mark.parametrize(
    ("opened_at", "words"),
    [
        ("2026-11-24T09:12", "inside office hours: the clock starts then"),
        ("2026-11-24T07:00", "before the office opens: the clock starts at the next opening, Tue, Nov 24 at 8:00 am"),
        ("2026-11-24T12:00", "between office hours: the clock starts at the next opening, Tue, Nov 24 at 1:00 pm"),
        ("2026-11-24T17:00", "after the office closes: the clock starts at the next opening, Wed, Nov 25 at 8:00 am"),
        ("2026-11-26T09:00", "on a holiday: the clock starts at the next opening, Fri, Nov 27 at 8:00 am"),
        ("2026-11-29T09:00", "on a day when the office is closed: the clock starts at the next opening, Mon, Nov 30"),
    ],
)
def test_why_the_clock_starts_when_it_does(opened_at: str, words: str) -> None:
    assert words in ask(opened_at, {"business_minutes": 1})["explanation"][0]


def test_another_year_is_told() -> None:
    assert ask("2026-12-31T16:30", {"business_minutes": 60})["explanation"][-1] == "Due Fri, Jan 1, 2027 at 8:30 am."


def test_a_long_count_is_told_by_its_ends() -> None:
    lines = ask("2026-11-24T09:00", {"business_days": 30})["explanation"]
    assert lines[2].startswith("Counted: Wed, Nov 25 (day 1), Fri, Nov 27 (day 2), Mon, Nov 30 (day 3), 25 more days, ")
    assert lines[3].startswith(
        "Not counted: Thu, Nov 26 (holiday), Sat, Nov 28 (closed), Sun, Nov 29 (closed), 8 more days"
    )


# ----- instants


@pytest.mark.parametrize(
    ("opened_at", "answer"),
    [
        ("2026-11-24T09:12:00-05:00", "2026-11-24T15:12:00Z"),
        ("2026-11-24T14:12:00Z", "2026-11-24T15:12:00Z"),
        ("2026-11-24t14:12z", "2026-11-24T15:12:00Z"),
        ("2026-11-24 19:42:30.5+05:30", "2026-11-24T15:12:30.500000Z"),
        ("2026-11-24T09:12", "2026-11-24T15:12:00Z"),
        ("2026-11-24T09:12:00", "2026-11-24T15:12:00Z"),
    ],
)
def test_instants_with_offset_or_local_in_the_zone(opened_at: str, answer: str) -> None:
    assert ask(opened_at, {"business_minutes": 60})["due_at"] == answer


def test_local_instants_in_a_clock_change() -> None:
    # 2:30 am does not exist on March 8, 2026 (3:00 EDT counts); 1:30 am comes twice on November 1 (the first, EDT).
    assert ask("2026-03-08T02:30", {"business_minutes": 60}, hours=ALWAYS)["due_at"] == "2026-03-08T08:00:00Z"
    assert ask("2026-11-01T01:30", {"business_minutes": 60}, hours=ALWAYS)["due_at"] == "2026-11-01T06:30:00Z"


# ----- hours and holidays


def test_weekdays_left_out_and_holidays_are_closed() -> None:
    assert due("2026-11-25T16:30", {"business_minutes": 60}) == "Fri 11-27 08:30"
    assert due("2026-11-27T16:30", {"business_minutes": 60}) == "Mon 11-30 08:30"


def test_24_00_and_several_periods() -> None:
    assert (
        due(
            "2026-11-24T23:30",
            {"business_minutes": 60},
            hours={"tue": [["20:00", "24:00"]], "wed": [["00:00", "04:00"]]},
        )
        == "Wed 11-25 00:30"
    )
    assert due("2026-11-24T11:30", {"business_minutes": 60}) == "Tue 11-24 13:30"


def test_hours_may_be_absent_only_for_calendar_days() -> None:
    assert due("2026-11-24T09:12", {"calendar_days": 3}, hours=None) == "Fri 11-27 09:12"
    for target in ({"business_minutes": 60}, {"business_days": 1}, {"working_days": 1, "at": "15:00"}):
        assert problem(hours="absent", target=target)[0] == "hours"
        assert problem(hours={}, target=target)[0] == "hours"


# ----- the four targets


def test_business_minutes_ending_at_closing_are_due_at_closing() -> None:
    assert due("2026-11-24T16:00", {"business_minutes": 60}) == "Tue 11-24 17:00"
    assert due("2026-11-24T16:00", {"business_minutes": 61}) == "Wed 11-25 08:01"
    assert due("2026-11-24T11:00", {"business_minutes": 60}) == "Tue 11-24 12:00"
    assert (
        due("2026-11-23T00:00", {"business_minutes": 24 * 60}, hours={"mon": [["00:00", "24:00"]]}) == "Tue 11-24 00:00"
    )


def test_business_days_keep_the_clock_time() -> None:
    assert due("2026-11-24T09:12", {"business_days": 1}) == "Wed 11-25 09:12"
    assert due("2026-11-24T09:12", {"business_days": 2}) == "Fri 11-27 09:12"
    assert due("2026-11-24T19:00", {"business_days": 1}) == "Fri 11-27 08:00"  # from Wednesday's opening


def test_business_days_not_open_then_are_due_at_the_next_opening() -> None:
    short_wednesday = STRAIGHT | {"wed": [["08:00", "12:00"]]}
    assert due("2026-11-24T16:00", {"business_days": 1}, hours=short_wednesday) == "Fri 11-27 08:00"
    assert (
        due("2026-11-24T12:00", {"business_days": 1}, hours=short_wednesday) == "Fri 11-27 08:00"
    )  # closing is closed
    assert (
        due("2026-11-24T12:30", {"business_days": 1}, hours=SPLIT | {"tue": [["08:00", "17:00"]]}) == "Wed 11-25 13:00"
    )


def test_calendar_days_keep_the_clock_time_and_ignore_hours() -> None:
    assert due("2026-11-24T09:12", {"calendar_days": 2}) == "Thu 11-26 09:12"
    assert due("2026-11-24T22:00", {"calendar_days": 5}) == "Sun 11-29 22:00"


def test_calendar_days_in_a_clock_change() -> None:
    # The gap of March 8, 2026 is from 2:00 to 3:00; November 1 shows 1:00 to 2:00 twice.
    gap = ask("2026-03-05T02:30", {"calendar_days": 3})
    assert gap["due_at"] == "2026-03-08T07:00:00Z"
    assert (
        "Clocks go forward on Sun, Mar 8 and skip 2:30 am: the first moment after it counts, 3:00 am."
        in gap["explanation"]
    )
    overlap = ask("2026-10-31T01:30", {"calendar_days": 1})
    assert overlap["due_at"] == "2026-11-01T05:30:00Z"
    assert "Clocks go back on Sun, Nov 1 and 1:30 am comes twice: the first counts." in overlap["explanation"]
    assert overlap["explanation"][-1] == "Due Sun, Nov 1 at 1:30 am EDT."


def test_working_days_at_a_time() -> None:
    assert due("2026-11-24T09:12", {"working_days": 1, "at": "15:00"}) == "Wed 11-25 15:00"
    assert due("2026-11-25T23:00", {"working_days": 1, "at": "15:00"}) == "Fri 11-27 15:00"
    assert due("2026-11-28T09:00", {"working_days": 1, "at": "15:00"}) == "Mon 11-30 15:00"
    assert due("2026-11-24T09:12", {"working_days": 1, "at": "24:00"}) == "Thu 11-26 00:00"
    assert due("2026-11-24T09:12", {"working_days": 1, "at": "00:00"}) == "Wed 11-25 00:00"


# ----- pauses


def test_pauses_add_their_business_minutes() -> None:
    paused = [["2026-11-24T16:00", "2026-11-25T09:00"]]  # an hour on Tuesday, an hour on Wednesday
    assert due("2026-11-24T15:00", {"business_minutes": 120}, paused) == "Wed 11-25 10:00"


def test_pauses_add_their_elapsed_minutes_to_calendar_days() -> None:
    assert (
        due("2026-11-24T15:00", {"calendar_days": 1}, [["2026-11-24T16:00", "2026-11-25T09:00"]]) == "Thu 11-26 08:00"
    )
    # A clock change inside the pause: 23 hours that the wall shows as a day.
    assert (
        ask("2026-03-07T10:00", {"calendar_days": 1}, [["2026-03-07T12:00", "2026-03-08T12:00"]])["due_at"]
        == "2026-03-09T13:00:00Z"
    )


def test_until_no_pause_lies_before_due() -> None:
    # The second pause lies before the due time only because of the first, the third only because of the second.
    pauses = [
        ["2026-11-24T08:30", "2026-11-24T09:00"],
        ["2026-11-24T09:15", "2026-11-24T09:45"],
        ["2026-11-24T09:50", "2026-11-24T10:00"],
    ]
    assert due("2026-11-24T08:00", {"business_minutes": 60}, pauses) == "Tue 11-24 10:10"
    assert due("2026-11-24T08:00", {"business_minutes": 60}, pauses[::-1]) == "Tue 11-24 10:10"


def test_pauses_are_merged() -> None:
    overlapping = [
        ["2026-11-24T08:10", "2026-11-24T08:40"],
        ["2026-11-24T08:20", "2026-11-24T08:30"],
        ["2026-11-24T08:40", "2026-11-24T08:50"],
    ]
    answer = ask("2026-11-24T08:00", {"business_minutes": 60}, overlapping)
    assert answer["due_at"] == "2026-11-24T14:40:00Z"
    assert sum(line.startswith("Paused") for line in answer["explanation"]) == 1


def test_pauses_are_half_open() -> None:
    # One that ends as the clock starts, one that starts as it is due, one of no length.
    edges = [
        ["2026-11-24T07:00", "2026-11-24T08:00"],
        ["2026-11-24T09:00", "2026-11-24T10:00"],
        ["2026-11-24T08:30", "2026-11-24T08:30"],
    ]
    answer = ask("2026-11-24T08:00", {"business_minutes": 60}, edges)
    assert answer == ask("2026-11-24T08:00", {"business_minutes": 60})


def test_what_lies_before_the_opening_does_not_count() -> None:
    assert (
        due("2026-11-24T09:00", {"business_minutes": 60}, [["2026-11-20T09:00", "2026-11-24T09:30"]])
        == "Tue 11-24 10:30"
    )


def test_still_paused() -> None:
    answer = ask("2026-11-24T08:00", {"business_minutes": 60}, [["2026-11-24T08:30", None]])
    assert answer["due_at"] is None
    assert answer["paused"] is True
    assert (
        answer["explanation"][-1] == "Paused since Tue, Nov 24 at 8:30 am: there is no due time until the pause ends."
    )
    for target in ({"business_days": 1}, {"calendar_days": 1}, {"working_days": 1, "at": "15:00"}):
        assert ask("2026-11-24T08:00", target, [["2026-11-24T08:30", None]])["paused"] is True


def test_a_pause_at_or_after_due_changes_nothing() -> None:
    plain = ask("2026-11-24T08:00", {"business_minutes": 60})
    for start in ("2026-11-24T09:00", "2026-11-24T09:01"):
        assert ask("2026-11-24T08:00", {"business_minutes": 60}, [[start, None]]) == plain
    assert "paused" not in plain


def test_pauses_move_targets_in_days_by_office_time() -> None:
    # The contract leaves this open: a wait of three office hours moves a target in days by three office hours.
    pause = [["2026-11-24T14:00", "2026-11-24T17:00"]]
    assert due("2026-11-24T09:00", {"business_days": 1}, pause) == "Wed 11-25 12:00"
    assert due("2026-11-24T09:00", {"working_days": 1, "at": "15:00"}, pause) == "Fri 11-27 09:00"


# ----- bad lines


@pytest.mark.parametrize(
    ("line", "field", "words"),
    [
        ({"opened_at": "absent"}, "opened_at", "is missing"),
        ({"opened_at": None}, "opened_at", "is missing"),
        ({"opened_at": "2026-11-24"}, "opened_at", "is not an instant. Write it like"),
        ({"opened_at": "2026-02-30T09:00"}, "opened_at", "is not an instant"),
        ({"opened_at": "2026-11-24T25:00"}, "opened_at", "is not an instant"),
        ({"opened_at": "2026-11-24T09:00+99:00"}, "opened_at", "is not an instant"),
        ({"opened_at": "0001-01-01T00:00"}, "opened_at", "outside the years"),
        ({"opened_at": "9999-12-31T23:59-12:00"}, "opened_at", "outside the years"),
        ({"opened_at": 5}, "opened_at", "in quotes"),
        ({"zone": "absent"}, "zone", "is missing"),
        ({"zone": "Mars/Olympus"}, "zone", "is not a time zone"),
        ({"zone": "../../etc/passwd"}, "zone", "is not a time zone"),
        ({"zone": ["UTC"]}, "zone", "in quotes"),
        ({"hours": []}, "hours", "by weekday"),
        ({"hours": {"monday": []}}, "hours", "does not know “monday”"),
        ({"hours": {"mon": "08:00"}}, "hours", "list of periods"),
        ({"hours": {"mon": ["08:00", "17:00"]}}, "hours", "opening and a closing"),
        ({"hours": {"mon": [["08:00"]]}}, "hours", "opening and a closing"),
        ({"hours": {"mon": [["08:00", "24:01"]]}}, "hours", "is not a time of day"),
        ({"hours": {"mon": [["08:60", "17:00"]]}}, "hours", "is not a time of day"),
        ({"hours": {"mon": [["17:00", "08:00"]]}}, "hours", "Monday's hours from 17:00 to 08:00 end before they start"),
        ({"hours": {"mon": [["24:00", "24:00"]]}}, "hours", "opens before 24:00"),
        ({"hours": {"mon": [["00:00", "00:00"]]}}, "hours", "closes after 00:00"),
        ({"hours": {"mon": [["08:00", "12:00"], ["11:00", "17:00"]]}}, "hours", "overlap at 11:00"),
        ({"hours": {"mon": []}}, "hours", "never opens"),
        ({"holidays": "2026-11-26"}, "holidays", "list of days"),
        ({"holidays": ["11/26/2026"]}, "holidays", "is not a day. Write it like 2026-11-26"),
        ({"holidays": ["2026-02-30"]}, "holidays", "is not a day"),
        ({"holidays": [20261126]}, "holidays", "in quotes"),
        ({"target": "absent"}, "target", "is missing"),
        ({"target": 60}, "target", "is an object"),
        ({"target": {}}, "target", "exactly one of"),
        ({"target": {"business_minutes": 60, "calendar_days": 1}}, "target", "exactly one of"),
        ({"target": {"hours": 1}}, "target", "“target” does not know “hours”"),
        ({"target": {"business_minutes": -60}}, "target", "whole number from 1"),
        ({"target": {"business_minutes": 0}}, "target", "whole number from 1"),
        ({"target": {"business_days": "2"}}, "target", "whole number"),
        ({"target": {"business_days": True}}, "target", "whole number"),
        ({"target": {"calendar_days": 10**9}}, "target", "whole number from 1 to 3,660"),
        ({"target": {"working_days": 1}}, "target", "names its time of day"),
        ({"target": {"working_days": 1, "at": "3 pm"}}, "target", "is not a time of day"),
        ({"target": {"business_days": 1, "at": "15:00"}}, "target", "belongs to working_days"),
        ({"pauses": {}}, "pauses", "list of from and to"),
        ({"pauses": [["2026-11-24T10:00"]]}, "pauses", "its from and its to"),
        ({"pauses": [[None, "2026-11-24T10:00"]]}, "pauses", "in quotes"),
        ({"pauses": [["2026-11-24T11:00", "2026-11-24T10:00"]]}, "pauses", "ends before it starts"),
        ({"priority": 1}, "priority", "does not know “priority”. It takes opened_at, zone"),
    ],
)
def test_each_bad_line_has_its_field_and_sentence(line: dict, field: str, words: str) -> None:
    named, sentence = problem(**line)
    assert named == field
    assert words in sentence


def test_null_is_absent() -> None:
    assert ask("2026-11-24T09:12", {"business_minutes": 60}) == sla_due(
        {"opened_at": "2026-11-24T09:12", "zone": "America/New_York", "hours": SPLIT, "holidays": None, "pauses": None,
         "target": {"business_minutes": 60}}
    )  # fmt: skip


_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["08:00", "24:00", "2026-11-24T09:00", "UTC"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mon", "sun", "business_minutes", "calendar_days", "at", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["opened_at", "zone", "hours", "holidays", "target", "pauses", "x"]), _ANYTHING))
def test_anything_is_an_answer_or_a_sentence(line: dict) -> None:
    good = {"opened_at": "2026-11-24T09:00", "zone": "UTC", "hours": STRAIGHT, "target": {"business_minutes": 60}}
    out = io.StringIO()
    run(sla_due, io.StringIO(json.dumps(good | line) + "\n"), out)
    answer = json.loads(out.getvalue())
    assert "due_at" in answer or answer["error"]["message"].endswith((".", "]"))
    assert answer.get("error", {}).get("field") != "line"


# ----- the frame


def test_lines_in_lines_out() -> None:
    good = {
        "opened_at": "2026-11-24T09:12:00-05:00",
        "zone": "America/New_York",
        "hours": SPLIT,
        "target": {"business_minutes": 60},
    }
    lines = [json.dumps(good), "", json.dumps(good | {"target": {}}), json.dumps(good)]
    out = io.BytesIO()
    assert run(sla_due, io.BytesIO("\n".join(lines).encode()), out) == 1
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line.get("due_at") for line in found] == ["2026-11-24T15:12:00Z", None, "2026-11-24T15:12:00Z"]
    assert set(found[1]) == {"error"}
    assert found[1]["error"]["field"] == "target"


def test_pure_and_quick_to_start() -> None:
    code = (
        "import sys; from portal.service_requests.rules.clock import sla_due; from portal.shared.jsonlines import run;"
        "heavy = {'streamlit', 'sqlalchemy', 'pandas', 'plotly', 'db', 'numpy'} & set(sys.modules);"
        "raise SystemExit(f'imports {heavy}' if heavy else run(sla_due))"
    )
    good = {
        "opened_at": "2026-11-24T14:12:00Z",
        "zone": "America/New_York",
        "hours": SPLIT,
        "target": {"business_minutes": 60},
    }
    took = []
    # The best of three: the machine may be busy with other tests.
    for _ in range(3):
        start = stopwatch.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code], input=json.dumps(good).encode(), capture_output=True, check=False, timeout=30
        )
        took.append(stopwatch.perf_counter() - start)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["due_at"] == "2026-11-24T15:12:00Z"
    assert min(took) < 1
