"""Files and descriptions as they come from people: each mistake has its sentence, nothing half-read stays, words stay words."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from portal.opinion import commands, views
from portal.shared.csv_rows import BadFile
from tests import running
from tests.opinion import made

if TYPE_CHECKING:
    from pathlib import Path

    from db.core import Database

HEAD = "id,wave,overall,snow,waste,district,mode,note"


def imported(folder: Path, content: bytes, description: str = "") -> tuple[commands.Outcome, list[dict[str, str]]]:
    """What became of a file, and its rejects."""
    _, spec = made.resident(folder)
    if description:
        spec.write_text(description, "utf-8")
    file = folder / "given.csv"
    file.write_bytes(content)
    outcome = commands.import_survey(file, spec)
    if outcome.rejects_file is None:
        return outcome, []
    with (folder / "given.rejects.csv").open(encoding="utf-8", newline="") as opened:
        return outcome, list(csv.DictReader(opened))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no header"),
        (b"\n\n\n", "has no header"),
        (f"{HEAD},snow\n1,w1,1,1,1,D1,web,,1\n".encode(), "has the column “snow” twice"),
        (HEAD.encode("utf-16"), "is not utf-8"),
        (f"{HEAD}\n1,w1,1,1,1,D1,web,caf\u00e9\n".encode("cp1252"), "line 2 holds the byte 0xE9"),
        (b"\x50\x4b\x03\x04\x14\x00\x00\x00\xff\xfe", "is not utf-8"),
        (b"id;wave;overall\n1;w1;3\n", "has no column “wave”"),
        (b"%PDF-1.7\n", "has no column “id”"),
    ],
    ids=["empty", "blank", "header twice", "utf-16", "cp1252", "a workbook", "semicolons", "a PDF"],
)
def test_a_file_that_is_none_is_refused_with_its_reason(
    db: Database, tmp_path: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(BadFile, match=sentence):
        imported(tmp_path, content)
    assert views.surveys() == []
    assert views.unfinished() == []


def test_rows_that_cannot_be_read_are_listed_and_the_others_count(db: Database, tmp_path: Path) -> None:
    rows = [
        "1,w1,4,4,4,D1,web,=HYPERLINK(\"http://x\")",  # an unquoted quotation mark is part of the cell
        "2,w1,4,4",
        "3,w1,4,4,4,D1,web,\0",
        "4,w1,=4,five,4.5,D1,web,fine",
        "5,w1,4,4,4,D1,web,\"never closed",
    ]  # fmt: skip
    good = [f"{at},w1,{3 + at % 3},4,4,D1,web,👍 thanks {at}" for at in range(10, 22)]
    outcome, listed = imported(tmp_path, ("\n".join([HEAD, *good, *rows]) + "\n").encode())
    assert outcome.read == outcome.imported + outcome.rejected
    assert outcome.imported == 14
    reasons = " ".join(each["reason"] for each in listed)
    for sentence in (
        "row has 4 cells",
        "NUL",
        "quotation mark",
        "answered with a number, 1 to 5",
        "4.5 is not on the scale",
    ):
        assert sentence in reasons, sentence
    assert "'=4" in [each["value"] for each in listed]
    words = [line.words for line in views.comments("resident", "w1", most=100).lines]
    assert "👍 thanks 10" in words
    assert '=HYPERLINK("http://x")' in words  # kept as it was written: what leaves the desk is neutralised there
    assert views.comments("resident", "w1", search="👍").total == 12


def test_a_byte_order_mark_and_windows_lines_are_no_mistake(db: Database, tmp_path: Path) -> None:
    text = "\r\n".join([HEAD, *(f"{at},w1,4,4,4,D1,web,Señal" for at in range(12))]) + "\r\n"
    outcome, listed = imported(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert (outcome.imported, listed) == (12, [])


def test_every_mistake_of_a_description_is_told_at_once(db: Database, tmp_path: Path) -> None:
    description = made.RESIDENT.replace("mode_column", "mod_column").replace("dont_know = [9]", "dont_know = [5]") + '[[item]]\ncode = "A B"\ncolumn = ""\nname = "x"\nscale = "ten"\nwieght = 1\n'  # fmt: skip
    with pytest.raises(BadFile) as told:
        imported(tmp_path, HEAD.encode(), description)
    problems = " ".join(told.value.problems)
    for sentence in (
        "there is no key “mod_column”",
        "5 cannot mean “don't know”",
        "code “A B” may hold small letters",
        "there is no key “wieght”",
        "column must be given",
        "scale must name one of the scales",
    ):
        assert sentence in problems, sentence


@pytest.mark.parametrize("content", [b"survey = ", b"\xff\xfe", b"[[wave]]\n[wave]\n", b"survey = 1\nsurvey = 2\n"])
def test_a_description_that_is_no_toml_says_so(db: Database, tmp_path: Path, content: bytes) -> None:
    file, spec = made.resident(tmp_path)
    spec.write_bytes(content)
    with pytest.raises(BadFile, match="is not TOML"):
        commands.import_survey(file, spec)


def test_the_command_names_what_is_wrong_and_ends_with_two(db: Database, tmp_path: Path) -> None:
    file, spec = made.resident(tmp_path)
    url = db.url.set(drivername=db.url.get_backend_name()).render_as_string(hide_password=False)
    env = running.environment(tmp_path, url)
    file.write_text("", "utf-8")
    done = running.command("import", "survey", str(file), "--spec", str(spec), "--json", env=env, cwd=tmp_path)
    assert done.returncode == 2
    assert "resident.csv has no header" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["problems"]
