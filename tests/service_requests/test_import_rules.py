"""Reading a file row by row and a row by its map: no database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import packs_io
from portal.service_requests.rules import case, import_map, import_row
from portal.service_requests.rules.request_type import definition_problems
from portal.shared import csv_lines

STATES = case.read_states(
    next(file.detail for file in packs_io.read_packs(["base"]) if file.kind == "state" and file.code == "request")
)
POTHOLE = import_row.TypeEntry("pothole", 3, "Pothole", "Streets", "action_order", "public_works", "streets")
MAP: dict[str, Any] = {
    "source": "elsewhere",
    "zone": "America/New_York",
    "datetime_formats": ["%Y-%m-%d %H:%M:%S"],
    "create_missing": True,
    "columns": {
        "external_id": "id",
        "opened": "from",
        "closed": "to",
        "due": "by",
        "request_type": "what",
        "status": "state",
    },
}
HEADER = ["id", "from", "to", "by", "what", "state"]


def read_map(**changes: Any) -> tuple[import_map.ImportMap, list[str]]:
    asked, problems = import_map.read_map(MAP | changes, "America/Chicago", STATES, {"pothole"})
    return asked, [problem.message for problem in problems]


def reader(header: list[str] = HEADER, **changes: Any) -> import_row.RowReader:
    asked, problems = read_map(**changes)
    assert not problems
    catalog = import_row.Catalog(asked, [POTHOLE], {"public_works": "Public Works"}, {"streets": "Street crews"})
    return import_row.RowReader(asked, header, STATES, catalog)


def row_of(found: import_row.ImportedRow | import_row.Rejected) -> dict[str, Any]:
    assert isinstance(found, import_row.ImportedRow), found
    return found.values


def reason_of(found: import_row.ImportedRow | import_row.Rejected) -> str:
    assert isinstance(found, import_row.Rejected), found
    return found.reason


# --- lines and rows


def rows_of(text: str) -> list[tuple[int, Any]]:
    return list(csv_lines.read_rows(iter(text.splitlines(keepends=True)), "utf-8"))


def test_a_quoted_line_break_belongs_to_its_cell_and_lines_are_counted_as_in_the_file() -> None:
    assert rows_of('a,b\n1,"two\nlines"\n\n2,x\n') == [(1, ["a", "b"]), (2, ["1", "two\nlines"]), (5, ["2", "x"])]


def test_a_quotation_mark_that_is_never_closed_costs_one_row() -> None:
    found = rows_of('a,b\n1,"open\n2,x\n3,"fine, really"\n')
    assert [(line, cells) for line, cells in found if isinstance(cells, list)] == [
        (1, ["a", "b"]),
        (3, ["2", "x"]),
        (4, ["3", "fine, really"]),
    ]
    (line, fault) = next((line, cells) for line, cells in found if isinstance(cells, csv_lines.Fault))
    assert line == 2
    assert "quotation mark" in fault.reason


def test_a_quotation_mark_open_to_the_end_of_the_file_costs_one_row() -> None:
    found = rows_of('a,b\n1,"open\n2,x\n3,y\n')
    assert [cells for _, cells in found if isinstance(cells, list)] == [["a", "b"], ["2", "x"], ["3", "y"]]
    assert "not closed before the file ends" in found[1][1].reason


def test_a_cell_without_end_costs_one_row() -> None:
    found = rows_of('a,b\n1,"' + "x\n" * 100_000 + "2,y\n")
    assert found[1][0] == 2
    assert "longer than 131,072 characters" in found[1][1].reason
    assert found[-1][1] == ["2", "y"]
    assert found[-1][0] == 100_002


@pytest.mark.parametrize(
    ("line", "words"), [("1,\0\n", "NUL"), ("1,\udce9\n", "byte 0xE9"), ("x" * 1_000_000, "1,000,000")]
)
def test_a_line_that_is_no_text_costs_itself(line: str, words: str) -> None:
    found = list(csv_lines.read_rows(iter(["a,b\n", line, "2,y\n"]), "utf-8"))
    fault = found[1][1]
    assert isinstance(fault, csv_lines.Fault)
    assert words in fault.reason
    assert found[2] == (3, ["2", "y"])


def test_a_ragged_row_says_how_many_cells_it_has() -> None:
    fault = csv_lines.ragged(["1"], 6, ",")
    assert fault.reason.startswith("This row has 1 cell, the header has 6.")


@given(st.text(alphabet='ab",\n\r', max_size=60))
def test_reading_ends_and_never_gives_a_line_out_of_order(text: str) -> None:
    lines = text.splitlines(keepends=True)
    found = list(csv_lines.read_rows(iter(lines), "utf-8"))
    numbers = [line for line, _ in found]
    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= len(lines) for number in numbers)


# --- the map


def test_all_that_is_wrong_with_a_map_is_said_at_once() -> None:
    asked, said = read_map(
        source="Portal City", zone="Mars/Base", encoding="klingon", datetime_formats=["%H:%M"], create_missing="yes", colums={},
        columns={"opend": "x", "address": 7}, status={"Open": "opn"}, channel={"Call": "By Phone"}, kind="wish",
    )  # fmt: skip
    text = "\n".join(said)
    for words in (
        "“source”", "Mars/Base", "klingon", "does not tell year, month and day", "“create_missing” is true or false", "Did you mean “columns”?",
        "Did you mean “opened”?", "“address” needs the file’s header", "“external_id” is missing", "“opened” is missing",
        "“opn” is no state", "“By Phone” is no code", "“kind”",
    ):  # fmt: skip
        assert words in text
    assert asked.zone == "America/Chicago"


def test_a_type_nobody_knows_is_a_problem_unless_types_may_be_made() -> None:
    assert read_map(request_type={"Hole": "pot_hole"})[1] == []
    said = read_map(request_type={"Hole": "pot_hole"}, create_missing=False)[1]
    assert len(said) == 1
    assert "Did you mean “pothole”?" in said[0]


def test_hours_of_twelve_need_am_or_pm() -> None:
    assert "Add %p" in read_map(datetime_formats=["%m/%d/%Y %I:%M:%S"])[1][0]
    assert read_map(datetime_formats=["%m/%d/%Y %I:%M:%S %p", "iso", "%d.%m.%Y"])[1] == []


def test_headers_that_are_missing_or_there_twice_are_named_with_what_is_near() -> None:
    asked, _ = read_map()
    said = [
        problem.message
        for problem in import_map.header_problems(asked, ["id", "from", "too", "by", "by", "what", "state"])
    ]
    assert len(said) == 2
    assert "no column “to”" in said[0]
    assert "Did you mean “too”?" in said[0]
    assert "stands there 2 times" in said[1]
    assert any("semicolons" in problem.message for problem in import_map.header_problems(asked, ["id;from;to"]))


# --- times


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def test_local_times_become_instants_of_the_maps_zone() -> None:
    found = row_of(
        reader().read(["1", "2015-01-01 00:20:09", "2015-07-02 09:08:42", "2015-07-03 00:00:00", "Hole", ""])
    )
    assert found["opened_at"] == at("2015-01-01T05:20:09")
    assert found["closed_at"] == at("2015-07-02T13:08:42")  # summer: four hours, not five
    assert found["minutes_to_close"] == (182 * 24 * 60 + 7 * 60 + 48)
    assert found["in_target"] is True
    assert found["opened_month"] == "2015-01"


def test_an_hour_the_clocks_skip_is_the_moment_they_went_forward() -> None:
    """March 8, 2015: 2 am became 3 am at 07:00 UTC."""
    asked = reader()
    found = row_of(asked.read(["1", "2015-03-08 02:30:00", "", "", "Hole", ""]))
    assert found["opened_at"] == at("2015-03-08T07:00:00")
    assert asked.skipped_times == 1


def test_an_hour_shown_twice_is_the_first_or_the_one_after_the_opening() -> None:
    """November 1, 2015: 1:00 to 2:00 am came at 05:00 and again at 06:00 UTC."""
    asked = reader()
    found = row_of(asked.read(["1", "2015-11-01 01:50:00", "2015-11-01 01:10:00", "", "Hole", ""]))
    assert found["opened_at"] == at("2015-11-01T05:50:00")
    assert found["closed_at"] == at("2015-11-01T06:10:00")
    assert found["minutes_to_close"] == 20
    assert not found["flagged"]
    assert asked.double_times == 2


def test_an_offset_in_the_file_is_honoured() -> None:
    asked = reader(datetime_formats=["iso"])
    assert row_of(asked.read(["1", "2015-12-31T23:30:00-08:00", "", "", "Hole", ""]))["opened_at"] == at(
        "2016-01-01T07:30:00"
    )
    found = asked.read(["1", "2015-12-31T23:30:00-08:00", "", "", "Hole", ""])
    assert isinstance(found, import_row.ImportedRow)
    assert found.year == 2016  # in New York it is past midnight


@given(st.datetimes(at("1970-01-02").replace(tzinfo=None), at("2069-12-30").replace(tzinfo=None)))
def test_the_quick_road_from_clock_to_instant_agrees_with_the_zone(local: dt.datetime) -> None:
    local = local.replace(microsecond=0)
    found = row_of(READER.read(["1", local.strftime("%Y-%m-%d %H:%M:%S"), "", "", "Hole", ""]))
    shown = found["opened_at"].astimezone(READER.zone).replace(tzinfo=None)
    assert shown == local or (shown > local and shown - local <= dt.timedelta(hours=1))


READER = reader()


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "1926-05-01 10:00:00",
        "2015-02-30 10:00:00",
        "tomorrow",
        "2015-01-01",
    ],
)
def test_an_absurd_time_rejects_the_row_and_says_which(text: str) -> None:
    found = reader().read(["1", text, "", "", "Hole", ""])
    assert isinstance(found, import_row.Rejected)
    assert (found.column, found.value) == ("from", text)
    assert "“from”" in found.reason


# --- states, types, places


def test_the_state_comes_from_the_map_else_from_the_closing_time() -> None:
    asked = reader(status={"Done": "closed", "Parked": "waiting_customer", "Open": "open"})
    opened, closed = "2015-01-01 00:00:00", "2015-01-02 00:00:00"
    assert row_of(asked.read(["1", opened, closed, "", "Hole", ""]))["state_code"] == "closed"
    assert row_of(asked.read(["1", opened, "", "", "Hole", ""]))["state_code"] == "new"
    assert row_of(asked.read(["1", opened, "", "", "Hole", "open"]))["state_code"] == "new"
    parked = row_of(asked.read(["1", opened, closed, "", "Hole", "parked"]))
    assert (parked["state_code"], parked["closed"], parked["closed_at"], parked["in_target"]) == (
        "waiting_customer",
        False,
        None,
        None,
    )
    done = row_of(asked.read(["1", opened, "", "", "Hole", "Done"]))
    assert (done["closed"], done["closed_at"], done["minutes_to_close"]) == (True, None, None)
    assert "not in the map’s [status]" in reason_of(asked.read(["1", opened, "", "", "Hole", "Mislaid"]))


def test_closing_before_opening_is_taken_and_flagged() -> None:
    found = row_of(
        reader().read(["1", "2015-01-02 00:00:00", "2015-01-01 23:00:30", "2015-01-01 00:00:00", "Hole", ""])
    )
    assert found["flagged"] is True
    assert found["minutes_to_close"] == -60
    assert found["in_target"] is False


def test_a_word_for_a_type_is_its_name_its_code_or_what_the_map_says() -> None:
    asked = reader(request_type={"Hole in road": "pothole"}, create_missing=False)
    for word in ("Hole in road", "HOLE  in road", "Pothole", "pothole"):
        found = row_of(asked.read(["1", "2015-01-01 00:00:00", "", "", word, ""]))
        assert (found["request_type_code"], found["request_type_version"], found["division_code"]) == (
            "pothole",
            3,
            "streets",
        )
    assert "no request type for “Sinkhole”" in reason_of(
        asked.read(["1", "2015-01-01 00:00:00", "", "", "Sinkhole", ""])
    )


def test_a_type_made_on_the_way_is_a_valid_definition_that_is_not_offered() -> None:
    asked = reader()
    row_of(asked.read(["1", "2015-01-01 00:00:00", "", "", "Sinkhole & Co. №7", ""]))
    departments, (entry,) = asked.catalog.take_new()
    assert departments == [("elsewhere", "elsewhere")]
    detail = import_row.new_type_detail(entry)
    assert definition_problems(detail) == []
    assert detail["active"] is False
    assert asked.catalog.take_new() == ([], [])


def test_a_file_of_nothing_but_new_types_is_stopped() -> None:
    asked = reader()
    found = [
        asked.read([str(at), "2015-01-01 00:00:00", "", "", f"Kind {at}", ""])
        for at in range(import_row.MOST_NEW_TYPES + 1)
    ]
    assert "right column" in reason_of(found[-1])
    assert isinstance(found[-2], import_row.ImportedRow)


@given(st.text(min_size=1, max_size=200))
def test_a_code_is_always_a_code(word: str) -> None:
    assert import_map._CODE.fullmatch(import_row.code_of(word))
    assert len(import_row.code_of(word, 20)) <= 20


PLACE = MAP["columns"] | {
    "latitude": "lat",
    "longitude": "lon",
    "address": "street",
    "description": "words",
    "channel": "by_what",
}
PLACE_HEADER = [*HEADER, "lat", "lon", "street", "words", "by_what"]


def place(
    lat: str, lon: str, street: str = "", words: str = "", channel: str = ""
) -> import_row.ImportedRow | import_row.Rejected:
    asked = reader(PLACE_HEADER, columns=PLACE, channel={"Call": "phone"})
    return asked.read(["1", "2015-01-01 00:00:00", "", "", "Hole", "", lat, lon, street, words, channel])


def test_a_place_is_whole_or_none() -> None:
    assert (row_of(place("42.3574", "-71.06"))["latitude"], row_of(place("42.3574", "-71.06"))["longitude"]) == (
        42.3574,
        -71.06,
    )
    for lat, lon in (("0", "0.0"), ("", "-71"), ("42", "")):
        assert row_of(place(lat, lon))["latitude"] is None
    for bad in ("91", "nan", "inf", "north"):
        assert "degrees" in reason_of(place(bad, "-71"))


def test_a_cell_of_ten_thousand_characters_is_kept_as_words_and_refused_as_an_address() -> None:
    assert len(row_of(place("", "", words="x" * 10_000))["description"]) == 10_000
    assert "has 10,000 characters; address has at most 300" in reason_of(place("", "", street="x" * 10_000))


def test_an_address_stands_on_one_line() -> None:
    assert row_of(place("", "", street="33 Beacon St  \n Boston\tMA"))["address"] == "33 Beacon St Boston MA"


def test_a_card_number_is_not_kept_nor_repeated() -> None:
    found = place("", "", words="paid with 4111 1111 1111 1111")
    assert isinstance(found, import_row.Rejected)
    assert found.value == ""
    assert "4111" not in found.reason


def test_a_channel_the_map_does_not_name_stays_readable() -> None:
    assert row_of(place("", "", channel="call"))["channel"] == "phone"
    assert row_of(place("", "", channel="Fax Machine"))["channel"] == "fax_machine"


def test_all_reasons_of_a_row_are_said() -> None:
    found = reader().read(["", "x", "y", "", "", ""])
    assert isinstance(found, import_row.Rejected)
    assert found.column == "id"
    for words in ("“id” is empty", "“what” is empty", "“from”: “x”", "“to”: “y”"):
        assert words in found.reason
