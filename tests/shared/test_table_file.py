"""Files that leave the desk: figures stay figures, days stay days, and nothing in them is run by a spreadsheet.

Workbooks are read back here as what they are, XML in a ZIP (ECMA-376), not by the library that wrote them.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.shared import table_file
from portal.shared.table_file import Share

NAMES = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
ATTACKS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "=cmd|' /C calc'!A0",
    ' =HYPERLINK("x")',
    "\u200b=1+1",
    "＝1+1",
]
Cell = tuple[str, object, str]
"""How it is stored (s text, n number, b yes or no), its value, its number format."""
EMPTY: Cell = ("", None, "")


def parsed(part: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(part)  # noqa: S314  # written by this test itself


def read(content: bytes) -> list[list[Cell]]:
    """The rows of the first sheet of a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = book.namelist()
        shared = []
        if "xl/sharedStrings.xml" in names:
            found = parsed(book.read("xl/sharedStrings.xml"))
            shared = ["".join(part.text or "" for part in each.iter(f"{{{NAMES['x']}}}t")) for each in found]
        styles = parsed(book.read("xl/styles.xml"))
        custom = {each.get("numFmtId"): each.get("formatCode") for each in styles.findall("x:numFmts/x:numFmt", NAMES)}
        formats = [
            custom.get(each.get("numFmtId"), each.get("numFmtId")) for each in styles.findall("x:cellXfs/x:xf", NAMES)
        ]
        sheet = parsed(book.read("xl/worksheets/sheet1.xml"))
    assert sheet.findall(".//x:f", NAMES) == []
    assert not any("hyperlink" in each.tag for each in sheet.iter())
    rows = []
    for row in sheet.findall(".//x:row", NAMES):
        cells: list[Cell] = []
        for each in row:
            column = ord((each.get("r") or "A")[0]) - ord("A")
            cells += [EMPTY] * (column - len(cells))
            kind, value = (
                each.get("t", "n"),
                each.findtext("x:v", "", NAMES),
            )
            told = shared[int(value)] if kind == "s" else float(value)
            cells.append((kind, told, str(formats[int(each.get("s", "0"))])))
        rows.append(cells)
    return rows


def test_figures_are_figures_and_days_are_days_in_a_workbook() -> None:
    row = (
        "Carts", 1234, 2.5, Share(0.743), Share(0.5, careful=True), dt.date(2026, 11, 24),
        dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC), True, "not shown: fewer than 10", None, "007",
    )  # fmt: skip
    cells = read(table_file.xlsx_bytes([f"Column {at}" for at in range(len(row))], [row]))[1]
    assert cells[0][:2] == ("s", "Carts")
    assert [each[1] for each in cells[1:5]] == [1234, 2.5, 0.743, 0.5]
    assert [each[0] for each in cells[1:7]] == ["n"] * 6
    assert cells[3][2] == "0%"
    assert cells[4][2] == '"("0%")"'
    # Day numbers count from Dec 30, 1899: Nov 24, 2026 is day 46,350 (difference of the two dates).
    assert cells[5][1] == (dt.date(2026, 11, 24) - dt.date(1899, 12, 30)).days
    assert cells[6][1] == pytest.approx(46350 + 9.5 / 24)
    assert cells[7][:2] == ("b", 1.0)
    assert cells[8][:2] == ("s", "not shown: fewer than 10")
    assert cells[9] == EMPTY
    assert cells[10][:2] == ("s", "007")


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_cell_is_a_formula_in_either_file(attack: str) -> None:
    text = table_file.csv_text(["Name", attack], [[attack, 1]])
    head, row = list(csv.reader(io.StringIO(text)))
    sheet = read(table_file.xlsx_bytes(["Name", attack], [[attack, 1]]))
    for cell in (head[1], row[0], str(sheet[0][1][1]), str(sheet[1][0][1])):
        assert cell.lstrip()[:1] not in {"=", "+", "-", "@", "\t", "\r"}
        assert cell.startswith("'")


def test_both_files_say_the_same() -> None:
    columns, rows = (
        ["Name", "Share", "n"],
        [["Old Town", Share(0.745), 40], ["Mill Creek", "not shown: fewer than 10", ""]],
    )
    assert table_file.csv_text(columns, rows).splitlines() == [
        "Name,Share,n", "Old Town,75%,40", "Mill Creek,not shown: fewer than 10,",
    ]  # fmt: skip
    found = read(table_file.xlsx_bytes(columns, rows))
    assert [[cell[1] for cell in row] for row in found] == [
        ["Name", "Share", "n"], ["Old Town", 0.745, 40.0], ["Mill Creek", "not shown: fewer than 10"],
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@example(["\0", "\ud800", "a\x01b", "\ufffe", "😀", "</t>"])
@example([float("nan"), float("inf"), 10**30, -(10**30), dt.date(1, 1, 1), dt.datetime(1600, 1, 1)])  # noqa: DTZ001  # no zone on purpose
@given(
    st.lists(
        st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.dates(), st.booleans(), st.none()),
        min_size=1,
        max_size=8,
    )
)
def test_any_cell_makes_a_workbook_that_can_be_read(row: list[object]) -> None:
    found = read(table_file.xlsx_bytes([f"c{at}" for at in range(len(row))], [row]))
    assert len(found) >= 1


def test_a_name_of_a_sheet_is_one_that_a_workbook_allows() -> None:
    for name in ("a/b:c*[d]", "'", "x" * 80, "", "\n"):
        assert read(table_file.xlsx_bytes(["A"], [[1]], name))[1][0][:2] == ("n", 1.0)


def test_a_long_list_ends_with_the_sentence_that_says_so() -> None:
    rows = [[at] for at in range(table_file.MOST_ROWS + 5)]
    found = list(table_file.limited(rows, len(rows)))
    assert len(found) == table_file.MOST_ROWS + 1
    assert found[-1] == ("Only the first 50,000 of 50,005 rows are in this file. Narrow the filters for the rest.",)
    assert table_file.missing_words(table_file.MOST_ROWS) == ""
    assert str(list(table_file.limited([[1]], total=90_000))[-1][0]).startswith("Only the first 50,000 of 90,000 rows")
