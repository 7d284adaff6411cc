"""Files as cities send them: each way of being broken has its sentence, and the rows around it still count."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from portal.shared.csv_rows import BadFile, CsvRow, Reject, Rejects, read_header, read_rows, rejects_path

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, content: bytes, encoding: str = "utf-8", needed: tuple[str, ...] = ()) -> list[CsvRow]:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return list(read_rows(path, encoding, needed))


def refused(tmp_path: Path, content: bytes, encoding: str = "utf-8", needed: tuple[str, ...] = ()) -> str:
    with pytest.raises(BadFile) as caught:
        read(tmp_path, content, encoding, needed)
    return str(caught.value)


def test_rows_carry_the_line_they_begin_on_also_after_a_line_break_inside_quotes(tmp_path: Path) -> None:
    rows = read(tmp_path, b'a,b\n1,2\n\n"x\ny",5\n6,7')
    assert [(row.line, row.cells) for row in rows] == [
        (2, {"a": "1", "b": "2"}),
        (4, {"a": "x\ny", "b": "5"}),
        (6, {"a": "6", "b": "7"}),
    ]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read_and_so_is_the_mark_of_spreadsheets(tmp_path: Path, ends: str) -> None:
    assert [row.cells for row in read(tmp_path, ("\ufeffa,b" + ends + "1,é" + ends).encode())] == [{"a": "1", "b": "é"}]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a,b\n3\n4,5\n", "This row has 1 cell, the header has 2"),
        (b"a,b\n3,4,5\n4,5\n", "This row has 3 cells, the header has 2"),
        (b'a,b\n1,"2"3\n4,5\n', "Write it twice there"),
        (b"a,b\n1,\x002\n4,5\n", "NUL"),
        (b'a,b\n1,"' + b"x" * 200_000 + b"\n4,5\n", "never closed"),
    ],
)
def test_a_broken_row_says_why_and_the_next_one_is_read(tmp_path: Path, content: bytes, sentence: str) -> None:
    broken, good = read(tmp_path, content)
    assert sentence in broken.problem
    assert broken.line == 2
    assert good.cells == {"a": "4", "b": "5"}


def test_a_quotation_mark_that_is_never_closed_swallows_no_row_after_it(tmp_path: Path) -> None:
    first, broken, after = read(tmp_path, b'a,b\n1,2\n3,"4\n5,6\n')
    assert first.cells == {"a": "1", "b": "2"}
    assert (broken.line, broken.cells) == (3, {})
    assert "opens in this row and is not closed before the file ends" in broken.problem
    assert after.cells == {"a": "5", "b": "6"}


def test_a_file_of_another_encoding_is_refused_with_the_line_and_what_to_do(tmp_path: Path) -> None:
    said = refused(tmp_path, b"a,b\n1,2\n3,caf\xe9\n")
    assert "line 3 holds the byte 0xE9" in said
    assert "cp1252" in said
    assert read(tmp_path, b"a,b\n3,caf\xe9\n", "cp1252")[0].cells["b"] == "café"


def test_other_files_that_cannot_be_used_are_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="There is no file"):
        read_header(tmp_path / "none.csv")
    assert "no encoding" in refused(tmp_path, b"a\n1\n", "utf-13")
    assert "no header" in refused(tmp_path, b"")
    assert "no header" in refused(tmp_path, b"\n1,2\n")
    assert "NUL" in refused(tmp_path, "a,b\n1,2\n".encode("utf-16le"))
    assert "middle of a character" in refused(tmp_path, "a\né".encode()[:-1])
    assert "“a” twice" in refused(tmp_path, b"a,a\n1,2\n", needed=("a",))


def test_every_missing_column_is_named_at_once_with_those_that_are_there(tmp_path: Path) -> None:
    said = refused(tmp_path, b"a,b\n1,2\n", needed=("a", "ward", "year"))
    assert "“ward”" in said
    assert "“year”" in said
    assert "Its columns are: a, b." in said


def test_rejects_are_a_file_no_spreadsheet_runs_and_no_file_without_one(tmp_path: Path) -> None:
    path = rejects_path(tmp_path / "answers.csv", None)
    assert path.name == "answers.rejects.csv"
    with Rejects(path) as none:
        pass
    assert none.count == 0
    assert not path.exists()
    with Rejects(path) as rejects:
        rejects.add(Reject(7, "q1", '=HYPERLINK("x")', "not on the scale"))
        rejects.add(Reject(8, "q2", "9" * 300, "too long"))
    rows = list(csv.reader(path.read_text("utf-8").splitlines()))
    assert rows[0] == ["line", "column", "value", "reason"]
    assert rows[1] == ["7", "q1", '\'=HYPERLINK("x")', "not on the scale"]
    assert len(rows[2][2]) == 201


def test_rejects_never_go_over_the_input(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="the input itself"):
        rejects_path(tmp_path / "a.csv", tmp_path / "." / "a.csv")
    with pytest.raises(BadFile, match="no folder"):
        rejects_path(tmp_path / "a.csv", tmp_path / "none" / "a.csv")
