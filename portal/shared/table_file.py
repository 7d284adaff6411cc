"""Tables as files that leave the desk: CSV and XLSX with the same cells, and no cell that a spreadsheet runs.

Figures are figures and days are days in both; a share is a number in a workbook and reads “74%” in a CSV file. What must stay
closed has to be words before it comes here: nothing is rounded or hidden by its looks alone.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from portal.shared.text import count_text, safe_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_ROWS: Final = 50_000
"""Rows of one file: more would keep the reader's own program busy for minutes; the last row then says how many are missing."""
LONGEST_CELL: Final = 32_767
"""Characters of one cell of a workbook."""
EXACT: Final = 2**53
"""Whole numbers above this are not exact in a workbook: they stay words."""
CSV_MIME: Final = "text/csv"
XLSX_MIME: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDEST, _LOOKED_AT = 60, 200
"""Characters of a column, and rows that are looked at for it."""


@dataclass(frozen=True)
class Share:
    """A share of a table: “74%”, in parentheses when it rests on a few."""

    value: float
    careful: bool = False

    def __str__(self) -> str:
        shown = f"{math.floor(self.value * 100 + 0.5)}%"
        return f"({shown})" if self.careful else shown


def limited(rows: Sequence[Sequence[object]], total: int) -> Iterator[Sequence[object]]:
    """The first `MOST_ROWS` of `total`, and then the sentence that says what is missing."""
    yield from rows[:MOST_ROWS]
    if sentence := missing_words(total):
        yield (sentence,)


def missing_words(total: int) -> str:
    """What a file of so many rows leaves out; nothing when it holds them all."""
    if total <= MOST_ROWS:
        return ""
    return (
        f"Only the first {MOST_ROWS:,} of {count_text(total, 'row')} are in this file. Narrow the filters for the rest."
    )


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV: cells that would start a formula are neutralised."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_cell(column) for column in columns])
    writer.writerows([safe_cell(str(cell) if isinstance(cell, Share) else cell) for cell in row] for row in rows)
    return out.getvalue()


def xlsx_bytes(columns: Sequence[str], rows: Iterable[Sequence[object]], sheet: str = "Table") -> bytes:
    """The same as a workbook of one sheet: a header that stays in sight and filters; text is stored as text, never as a formula,
    a link or a number that looks like one, and neutralised as in the CSV, for whoever saves it as one."""
    from xlsxwriter import Workbook

    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with Workbook(out, options) as book:
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            "whole": book.add_format({"num_format": "#,##0"}), "part": book.add_format({"num_format": "#,##0.00"}),
            "share": book.add_format({"num_format": "0%"}), "careful": book.add_format({"num_format": '"("0%")"'}),
            "day": book.add_format({"num_format": "mmm d, yyyy"}), "moment": book.add_format({"num_format": "mmm d, yyyy h:mm AM/PM"}),
        }  # fmt: skip
        page = book.add_worksheet(_sheet_name(sheet))
        widths = [min(_WIDEST, len(column)) for column in columns]
        for at, column in enumerate(columns):
            page.write_string(0, at, _text(column), formats["head"])
        last = 0
        for last, row in enumerate(rows, 1):
            for at, cell in enumerate(row):
                _write(page, last, at, cell, formats)
                if last <= _LOOKED_AT and at < len(widths):
                    widths[at] = max(widths[at], min(_WIDEST, len(str(cell))))
        for at, width in enumerate(widths):
            page.set_column(at, at, width + 3)
        page.freeze_panes(1, 0)
        if columns and last:
            page.autofilter(0, 0, last, len(columns) - 1)
    return out.getvalue()


def _write(page: Any, row: int, at: int, cell: object, formats: dict[str, Any]) -> None:
    """One cell as what it is."""
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        page.write_boolean(row, at, cell)
    elif isinstance(cell, Share):
        page.write_number(row, at, cell.value, formats["careful" if cell.careful else "share"])
    elif isinstance(cell, int) and abs(cell) < EXACT:
        page.write_number(row, at, cell, formats["whole"])
    elif isinstance(cell, float) and math.isfinite(cell):
        page.write_number(row, at, cell, formats["part"])
    elif isinstance(cell, dt.datetime) and cell.year >= 1900:
        # A workbook knows no zones: the moment stands as the clock it was given in showed it.
        page.write_datetime(row, at, cell.replace(tzinfo=None), formats["moment"])
    elif isinstance(cell, dt.date) and cell.year >= 1900:
        page.write_datetime(row, at, dt.datetime(cell.year, cell.month, cell.day), formats["day"])  # noqa: DTZ001  # no zone
    else:
        page.write_string(row, at, _text(cell))


def _text(cell: object) -> str:
    """Text that a workbook can hold."""
    text = str(safe_cell(str(cell))).encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def _sheet_name(name: str) -> str:
    """At most 31 characters, none of those a workbook forbids."""
    kept = "".join(" " if character in "[]:*?/\\'" or not character.isprintable() else character for character in name)
    return " ".join(kept.split())[:31].strip() or "Table"
