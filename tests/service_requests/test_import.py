"""Importing another city's requests into either database: counts, rejects, again, interrupted, beside a saving portal."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db import core, events
from db import service_requests as rows
from portal.service_requests.commands import importing
from portal.shared.number import is_number
from tests import running

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "data" / "boston_core_sample.csv"
BOSTON = ROOT / "db" / "packs" / "boston" / "import_map" / "core.toml"
KEYS = ["read", "imported", "updated", "unchanged", "rejected", "flagged", "rejects_file"]

MAP = """
source = "{source}"
zone = "America/New_York"
datetime_formats = ["%Y-%m-%d %H:%M:%S"]
create_missing = {create}
{more}
[columns]
external_id = "id"
opened = "from"
closed = "to"
due = "by"
request_type = "what"
description = "words"
[request_type]
"Hole" = "pothole"
"""
HEADER = "id,from,to,by,what,words\n"


@pytest.fixture
def bring(db: core.Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Imports a text (or bytes) as a file; answers with the JSON of the command, its exit code and what it said."""

    def run(
        content: str | bytes,
        *,
        source: str = "elsewhere",
        create: str = "true",
        more: str = "",
        name: str = "in.csv",
        given_map: str | None = None,
    ) -> dict[str, Any]:
        file, map_file = tmp_path / name, tmp_path / "map.toml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        map_file.write_text(
            MAP.format(source=source, create=create, more=more) if given_map is None else given_map, "utf-8"
        )
        capsys.readouterr()
        code = importing.run_command(file, map_file, None, json_answer=True)
        out, err = capsys.readouterr()
        answer = json.loads(out.splitlines()[-1])
        assert len(out.splitlines()) == 1
        return answer | {"code": code, "said": err, "keys": list(answer)}

    return run


def stored(columns: str = "*", source: str = "elsewhere") -> list[sa.RowMapping]:
    with core.read() as session:
        found = session.execute(
            sa.text(f"SELECT {columns} FROM service_request WHERE source = :source ORDER BY external_id"),
            {"source": source},
        )
        return list(found.mappings())


def rejects(answer: dict[str, Any]) -> list[dict[str, str]]:
    with Path(answer["rejects_file"]).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def audit_faults(db: core.Database) -> list[events.ChainFault]:
    with core.read() as session:
        return list(events.verify_chains(session, db.audit_key))


# --- a real file


def oracle() -> pd.DataFrame:
    """The sample as pandas reads it, independently of the importer: instants, days to close, on time."""
    frame = pd.read_csv(SAMPLE, dtype=str, keep_default_na=False)
    for ours, theirs in (("opened", "OPEN_DT"), ("closed", "CLOSED_DT"), ("due", "TARGET_DT")):
        frame[ours] = (
            pd.to_datetime(frame[theirs].replace("", None)).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
        )
    frame["days"] = (frame["closed"] - frame["opened"]).dt.total_seconds() / 86_400
    return frame


def test_a_citys_file_gives_the_figures_of_its_own_columns(
    db: core.Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rejects_file = tmp_path / "r.csv"
    assert importing.run_command(SAMPLE, BOSTON, rejects_file, json_answer=True) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out.splitlines()[-1])
    assert list(answer) == KEYS
    assert answer == dict(zip(KEYS, (1_483, 1_483, 0, 0, 0, 3, str(rejects_file)), strict=True))
    assert "3 close before they open" in err

    truth = oracle()
    with core.read() as session:
        here = pd.DataFrame(
            session.execute(
                sa.select(
                    rows.ServiceRequest.external_id, rows.ServiceRequest.group_name, rows.ServiceRequest.opened_at, rows.ServiceRequest.closed_at,
                    rows.ServiceRequest.due_at, rows.ServiceRequest.closed, rows.ServiceRequest.minutes_to_close, rows.ServiceRequest.in_target,
                    rows.ServiceRequest.channel, rows.ServiceRequest.opened_month, rows.ServiceRequest.district, rows.ServiceRequest.number,
                ).where(rows.ServiceRequest.source == "boston")
            ).mappings().all()
        )  # fmt: skip
    assert list(truth.groupby("REASON").size().items()) == list(here.groupby("group_name").size().items())
    for group, theirs in truth.groupby("REASON"):
        ours = here[here["group_name"] == group]
        done = ours[ours["closed"].astype(bool)]
        assert len(done) == theirs["closed"].notna().sum()
        days = (
            pd.to_datetime(done["closed_at"], utc=True) - pd.to_datetime(done["opened_at"], utc=True)
        ).dt.total_seconds() / 86_400
        for share in (0.5, 0.9):
            assert days.quantile(share) == pytest.approx(theirs["days"].quantile(share), abs=1e-9, nan_ok=True)
            assert done["minutes_to_close"].astype(float).quantile(share) / 1440 == pytest.approx(
                theirs["days"].quantile(share), abs=1 / 1440, nan_ok=True
            )
        with_target = theirs[theirs["TARGET_DT"] != ""]
        assert ours["due_at"].notna().sum() == len(with_target)
        assert (ours["in_target"] == True).sum() == (with_target["closed"] <= with_target["due"]).sum()  # noqa: E712  # None is neither
        # The city's own word for it differs only where a request is open and not yet due.
        still_open = with_target["closed"].isna()
        assert ((with_target["OnTime_Status"] == "ONTIME") == (with_target["closed"] <= with_target["due"]))[
            ~still_open
        ].all()
    assert (here["channel"] == "phone").sum() == (truth["Source"] == "Constituent Call").sum()
    assert set(here["opened_month"]) == set(truth["OPEN_DT"].str[:7])
    assert (here["district"] != "").sum() == (truth["neighborhood"] != "").sum()
    assert here["number"].is_unique
    assert all(is_number(number, "SR") and number.startswith("SR-15-") for number in here["number"])

    assert importing.run_command(SAMPLE, BOSTON, rejects_file, json_answer=True) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["imported"], again["updated"], again["unchanged"], again["flagged"]) == (0, 0, 1_483, 3)
    assert audit_faults(db) == []


def test_the_original_number_finds_the_request_and_what_was_missing_was_made(db: core.Database, tmp_path: Path) -> None:
    importing.run_command(SAMPLE, BOSTON, tmp_path / "r.csv")
    with core.read() as session:
        (found,) = rows.ids_by_number(session, [], "101001240734")
        row = rows.by_id(session, found)
        assert row is not None
        assert (row.request_type_code, row.request_type_name, row.group_name) == (
            "notification",
            "Notification",
            "Notification",
        )
        assert row.department_code == "mayors_24_hour_hotline"
        assert row.division_code == "INFO09_Current Events"
        made = rows.request_type_version(session, "notification", row.request_type_version)
        assert made is not None
        assert not made.active
        offered = {each.code for each in rows.request_types_in_force(session, core.now().date())}
        assert "notification" not in offered
        lights = session.scalars(
            sa.select(rows.ServiceRequest).where(rows.ServiceRequest.request_type_code == "street_light_out")
        ).all()
        assert {(light.kind, light.request_type_name, light.group_name) for light in lights} == {
            ("work", "Street light out", "Street Lights")
        }
        run = session.scalars(sa.select(rows.ImportRun)).one()
        assert run.ended_at is not None
        assert run.counts["imported"] == 1_483
        names = list(
            session.scalars(
                sa.select(events.Event.name).where(events.Event.subject_kind == "import_run").order_by(events.Event.seq)
            )
        )
        assert names[0] == "import.begun"
        assert names[-1] == "import.finished"
        assert set(names[1:-1]) == {"import.requests"}


def test_an_imported_request_opens_as_a_case_like_any_other(
    city: object, open_page: Callable[..., AppTest], tmp_path: Path
) -> None:
    """A street light of the sample that was closed after it was due."""
    file = tmp_path / "one.csv"
    with SAMPLE.open(encoding="utf-8") as opened:
        lines = opened.readlines()
    file.write_text(
        "".join(
            [lines[0], *(each for each in lines if ",Street Light Outages," in each and ",OVERDUE,Closed," in each)][:2]
        ),
        "utf-8",
    )
    assert importing.run_command(file, BOSTON, tmp_path / "r.csv") == 0
    (row,) = stored("id, number, external_id", "boston")
    page = open_page("case", "supervisor", id=row["id"])
    assert not page.exception
    assert [each.value for each in page.code] == [row["number"]]
    shown = " ".join(each.value for kind in (page.title, page.markdown, page.caption, page.text) for each in kind)
    assert "Street light out" in shown
    assert "Closed" in shown


# --- again, changed, twice, interrupted


def line(
    number: object,
    *,
    opened: str = "2015-01-05 08:00:00",
    closed: str = "",
    due: str = "",
    what: str = "Hole",
    words: str = "",
) -> str:
    return f'{number},{opened},{closed},{due},{what},"{words}"\n'


def test_a_changed_row_is_updated_and_its_step_is_kept(bring: Callable[..., dict[str, Any]]) -> None:
    assert bring(HEADER + line(1) + line(2))["imported"] == 2
    with core.work() as work:  # somebody works on it here meanwhile
        row = work.session.scalars(sa.select(rows.ServiceRequest).where(rows.ServiceRequest.external_id == "1")).one()
        row.priority, row.address = "high", "1418 Oakhaven Dr"
    answer = bring(HEADER + line(1, closed="2015-01-06 08:00:00") + line(2))
    assert (answer["imported"], answer["updated"], answer["unchanged"]) == (0, 1, 1)
    first, second = stored()
    assert (first["state_code"], first["minutes_to_close"], first["version"]) == ("closed", 1_440, 2)
    assert (first["priority"], first["address"]) == ("high", "1418 Oakhaven Dr"), (
        "what the map does not read stays as it is here"
    )
    assert (second["state_code"], second["version"]) == ("new", 1)
    with core.read() as session:
        (step,) = rows.history(session, first["id"])
        assert (step.from_code, step.to_code) == ("new", "closed")


@pytest.mark.parametrize("size", [1, 2, 200])
def test_the_same_number_twice_the_later_row_wins(
    bring: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Whether both rows come in one step or not."""
    for name in ("FIRST_STEP", "LEAST_STEP", "MOST_STEP"):
        monkeypatch.setattr(importing, name, size)
    answer = bring(HEADER + line(1, words="first") + line(2) + line(1, words="second") + line(2))
    assert (answer["imported"], answer["updated"], answer["unchanged"]) == (2, 2, 0)
    assert [row["description"] for row in stored()] == ["second", ""]


def test_another_source_may_use_the_same_numbers(bring: Callable[..., dict[str, Any]]) -> None:
    assert bring(HEADER + line(1))["imported"] == 1
    assert bring(HEADER + line(1), source="third")["imported"] == 1


def test_an_import_that_broke_off_is_finished_by_starting_it_again(
    db: core.Database, bring: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = HEADER + "".join(line(at) for at in range(700))
    real, calls = rows.add_imported, itertools.count()

    def breaks(session: Any, values: Any) -> None:
        real(session, values)
        if next(calls) == 1:
            raise OSError("the disk is gone")

    monkeypatch.setattr(rows, "add_imported", breaks)
    with pytest.raises(OSError, match="disk is gone"):
        bring(content)
    monkeypatch.setattr(rows, "add_imported", real)
    before = len(stored("id"))
    assert before == 200, "the first step is there whole, the second not at all"
    answer = bring(content)
    assert (answer["imported"], answer["unchanged"], answer["updated"]) == (500, 200, 0)
    assert len({row["external_id"] for row in stored()}) == len(stored()) == 700
    assert len({row["number"] for row in stored()}) == 700
    assert audit_faults(db) == []


# --- what cannot be taken


def test_rejected_rows_say_line_column_value_and_reason(bring: Callable[..., dict[str, Any]]) -> None:
    content = (
        HEADER + line(1) + line(2, opened="31/12/2015") + '3,"2015-01-05\n"\n' + line(4, what="") + line(5, words='=HYPERLINK(""http://x"")')
        + line(6, words="line\nbreak") + "7,2015-01-05 08:00:00,,,Hole,\0\n" + line("=1+1", opened="=cmd()") + line(9)
    )  # fmt: skip
    answer = bring(content)
    assert answer["code"] == 0
    assert (answer["read"], answer["imported"], answer["rejected"]) == (9, 4, 5)
    found = rejects(answer)
    assert [row["line"] for row in found] == ["3", "4", "6", "10", "11"]
    assert list(found[0]) == ["line", "column", "value", "reason"]
    assert found[0]["column"] == "from"
    assert found[0]["value"] == "31/12/2015"
    assert "datetime_formats" in found[0]["reason"]
    assert "2 cells, the header has 6" in found[1]["reason"]
    assert "“what” is empty" in found[2]["reason"]
    assert "NUL" in found[3]["reason"]
    assert found[4]["value"] == "'=cmd()", "a spreadsheet shows it and does not run it"
    assert {row["external_id"]: row["description"] for row in stored()} == {
        "1": "",
        "5": '=HYPERLINK("http://x")',
        "6": "line\nbreak",
        "9": "",
    }


def test_an_unknown_type_is_rejected_where_none_may_be_made(bring: Callable[..., dict[str, Any]]) -> None:
    answer = bring(HEADER + line(1) + line(2, what="Sinkhole") + line(3, what="Pothole"), create="false")
    assert (answer["imported"], answer["rejected"]) == (2, 1)
    assert rejects(answer)[0]["column"] == "what"


def test_bytes_in_another_encoding_cost_their_row_and_the_remedy_is_said(bring: Callable[..., dict[str, Any]]) -> None:
    content = (HEADER + line(1) + line(2, words="café") + line(3)).encode("cp1252")
    answer = bring(content)
    assert (answer["imported"], answer["rejected"]) == (2, 1)
    (found,) = rejects(answer)
    assert found["line"] == "3"
    assert "byte 0xE9" in found["reason"]
    assert "cp1252" in found["reason"]
    again = bring(content, more='encoding = "cp1252"')
    assert (again["imported"], again["unchanged"]) == (1, 2)
    assert stored()[1]["description"] == "café"


@pytest.mark.parametrize(
    ("pack", "more"),
    [
        (lambda text: b"\xef\xbb\xbf" + text.encode(), ""),
        (lambda text: gzip.compress(text.encode()), ""),
        (lambda text: text.encode("utf-16"), 'encoding = "utf-16"'),
        (lambda text: text.replace("\n", "\r\n").encode(), ""),
        (lambda text: text.replace("\n", "\r").encode(), ""),
        (lambda text: text.replace(",", ";").encode(), 'delimiter = ";"'),
        (lambda text: text.rstrip("\n").encode(), ""),
    ],
    ids=["bom", "gzip", "utf-16", "crlf", "cr", "semicolons", "no last line end"],
)
def test_files_come_in_many_wrappings(
    bring: Callable[..., dict[str, Any]], pack: Callable[[str], bytes], more: str
) -> None:
    answer = bring(pack(HEADER + line(1) + line(2, words="naïve 🚮")), more=more)
    assert (answer["code"], answer["imported"], answer["rejected"]) == (0, 2, 0)
    assert stored()[1]["description"] == "naïve 🚮"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"id,from,to,by,what\n1,,,,\n", "no column “words”"),
        (b"id,id,from,to,by,what,words\n", "stands there 2 times"),
        (b"id;from;to;by;what;words\n", "separated by semicolons"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (HEADER.encode("utf-16"), "Set encoding = \"utf-16\""),
        (b"\x1f\x8bnothing", "broken"),
        (b'id,"from\n1,2\n', "first line"),
        (b"id,fr\0om\n", "NUL"),
    ],
)  # fmt: skip
def test_an_unusable_file_is_refused_and_nothing_is_written(
    bring: Callable[..., dict[str, Any]], tmp_path: Path, content: bytes, words: str
) -> None:
    answer = bring(content)
    assert answer["code"] == 2
    assert answer["keys"] == ["problems"]
    assert words in answer["said"]
    assert not (tmp_path / "in.rejects.csv").exists()
    assert stored() == []


def test_a_file_that_breaks_off_keeps_what_came_before(bring: Callable[..., dict[str, Any]]) -> None:
    whole = gzip.compress(
        (HEADER + "".join(line(at, words=f"{at * 7919 % 10_007} words") for at in range(5_000))).encode(), 1
    )
    answer = bring(whole[: len(whole) // 2])
    assert answer["code"] == 2
    assert "packed with gzip and broken" in answer["said"]
    assert "import the whole file again" in answer["said"]
    assert 0 < len(stored("id")) < 5_000
    answer = bring(whole)
    assert (answer["code"], len(stored("id"))) == (0, 5_000)


def test_map_and_file_problems_are_told_together(bring: Callable[..., dict[str, Any]]) -> None:
    answer = bring(
        b"id,what\n",
        given_map='source = "Else where"\nzone = "Nowhere"\n[columns]\nexternal_id = "id"\nopened = "from"\nclosd = "to"\n',
    )
    assert answer["code"] == 2
    assert [problem["field"] for problem in answer["problems"]] == ["source", "columns", "zone", "opened"]
    answer = bring(b"id,what\n", given_map="source = \n")
    assert "is not TOML" in answer["said"]
    assert len(answer["problems"]) == 1


def test_missing_files_and_places_have_their_sentence(
    db: core.Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert importing.run_command(tmp_path / "no.csv", BOSTON, None) == 2
    assert "There is no file" in capsys.readouterr().err
    assert importing.run_command(tmp_path, BOSTON, None) == 2
    assert importing.run_command(SAMPLE, tmp_path / "no.toml", None) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert importing.run_command(SAMPLE, BOSTON, tmp_path / "no" / "r.csv") == 2
    assert "--rejects" in capsys.readouterr().err
    copy = tmp_path / "same.csv"
    copy.write_bytes(SAMPLE.read_bytes())
    assert importing.run_command(copy, BOSTON, copy) == 2
    assert copy.read_bytes() == SAMPLE.read_bytes()


# --- whatever a file holds

CELL = st.one_of(
    st.sampled_from(
        [
            "",
            "1",
            "2",
            "A-7",
            "2015-01-05 08:00:00",
            "2015-03-08 02:30:00",
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59",
            "Hole",
            "Pothole",
            "Sinkhole",
            "x" * 10_000,
        ]
        + [
            "=HYPERLINK(1)",
            "<script>alert(1)</script>",
            "🚮",
            "\0",
            '"',
            '""',
            "a\nb",
            "\r",
            "\ufeff",
            "4111 1111 1111 1111",
            "nan",
            "١٢",
            "𝟚𝟘",
        ]
    ),
    st.text(max_size=20),
)
NUMBERED = itertools.count()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    table=st.lists(st.tuples(st.integers(0, 9), st.lists(CELL, min_size=1, max_size=7), st.booleans()), max_size=12),
    raw=st.binary(max_size=60),
    encoding=st.sampled_from(["utf-8", "utf-8", "utf-16", "cp1252", "latin-1"]),
)
@example(table=[(0, [""], False), (0, ["00000\r0"], False)], raw=b"", encoding="utf-8")  # a carriage return in a cell
def test_whatever_a_file_holds_the_counts_add_up_and_again_nothing_is_new(
    bring: Callable[..., dict[str, Any]], table: list[tuple[int, list[str], bool]], raw: bytes, encoding: str
) -> None:
    source = f"fuzz{next(NUMBERED)}"
    text = HEADER
    for at, cells, well in table:
        shown = [f"N{at}", "2015-01-05 08:00:00", "", "", "Hole", cells[0]] if well else cells
        text += (
            ",".join('"' + cell.replace('"', '""') + '"' if well or len(cell) % 2 else cell for cell in shown) + "\n"
        )
    content = text.encode(encoding, "replace") + raw
    first = bring(content, source=source, more=f'encoding = "{encoding}"')
    assert first["code"] in (0, 2)
    if first["code"] == 2:
        assert first["keys"] == ["problems"]
        return
    assert first["keys"] == KEYS
    assert first["read"] == first["imported"] + first["updated"] + first["unchanged"] + first["rejected"]
    assert first["rejected"] == len(rejects(first))
    assert first["imported"] == len(stored("id", source))
    again = bring(content, source=source, more=f'encoding = "{encoding}"')
    assert (again["read"], again["imported"], again["rejected"]) == (first["read"], 0, first["rejected"])
    if not first["updated"]:
        assert again["unchanged"] == first["imported"]


# --- beside a portal that serves


def test_an_import_in_another_process_starves_nobody(db: core.Database, tmp_path: Path) -> None:
    """While `portal import requests` runs beside it, a saving process commits all the time."""
    file, map_file = tmp_path / "in.csv", tmp_path / "map.toml"
    file.write_text(HEADER + "".join(line(at, words="the cart was not emptied") for at in range(12_000)), "utf-8")
    map_file.write_text(MAP.format(source="elsewhere", create="true", more=""), "utf-8")
    env = running.environment(tmp_path, db.url.render_as_string(hide_password=False))
    process = subprocess.Popen(
        [sys.executable, "-m", "portal", "import", "requests", str(file), "--map", str(map_file), "--json"],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    waits, beside = [], []
    try:
        while process.poll() is None:
            began = time.perf_counter()
            with core.work() as work:
                here = work.session.scalar(
                    sa.select(sa.func.count())
                    .select_from(rows.ServiceRequest)
                    .where(rows.ServiceRequest.source == "elsewhere")
                )
                work.event("test.saved", subject_kind="test", subject_id=len(waits))
            waits.append(time.perf_counter() - began)
            beside.append(here)
            time.sleep(0.02)
    finally:
        process.kill()
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["imported"] == 12_000
    during = [wait for wait, here in zip(waits, beside, strict=True) if here and here < 12_000]
    print(
        f"{len(during)} saves during the import, longest {max(during):.3f} s, median {sorted(during)[len(during) // 2]:.3f} s"
    )
    assert len(during) >= 10
    assert max(during) < 2, "a save beside an import waits for one step of it, or two"
    assert audit_faults(db) == []
