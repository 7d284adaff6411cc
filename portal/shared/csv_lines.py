"""A delimited file as a stream of rows: line by line, in bounded memory, so that one broken row never takes its neighbours along.

A row may span several lines inside quotation marks. A quotation mark that is never closed would swallow the rest of the file:
then only the line on which it opens is given up, and reading goes on with the next line.

Every importer reads with this: requests row by row with faults of encoding as rejects, surveys by column name on top of it
(`csv_rows`). What was not taken is listed by `Rejects`.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from portal.shared.text import safe_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 1_000_000
"""Characters. Whoever reads lines gives at most so many of one line; such a line is not taken."""
LONGEST_ROW = 1_000_000
REJECT_COLUMNS = ("line", "column", "value", "reason")
SHOWN_OF_A_VALUE = 200
"""Characters of a rejected cell that the rejects file repeats."""
_UNREADABLE = re.compile("[\ud800-\udfff]")
"""What Python's `surrogateescape` leaves of bytes that are no characters in the file's encoding."""


@dataclass(frozen=True)
class Fault:
    """A row that cannot be taken apart: what it begins with, and why in a sentence."""

    value: str
    reason: str


class _TooLong(Exception):
    """A row went on for longer than any row may."""


class _Feed:
    """Lines for the parser, remembering those of the row in hand, so that they can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.returned: deque[str] = deque()
        self.taken: list[str] = []
        self.size = 0
        self.line = 0
        """The line last handed out; the first is 1."""

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.size > LONGEST_ROW:
            raise _TooLong
        line = self.returned.popleft() if self.returned else next(self.lines)
        self.taken.append(line)
        self.size += len(line)
        self.line += 1
        return line

    def begin(self) -> int:
        """A new row; returns the line it begins on."""
        self.taken.clear()
        self.size = 0
        return self.line + 1

    def give_back(self) -> None:
        """All lines of the row in hand but its first will be read again."""
        again = self.taken[1:]
        self.returned.extendleft(reversed(again))
        self.line -= len(again)


def read_rows(lines: Iterator[str], encoding: str, delimiter: str = ",") -> Iterator[tuple[int, list[str] | Fault]]:
    """Each row with the line it begins on, blank lines left out; the header is a row like any other.

    `lines` keep their line ends; bytes that are no characters stand in them as `surrogateescape` writes them.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        at = feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            first = feed.taken[0]
            feed.give_back()
            yield at, Fault(first, _unreadable(first, encoding) or _not_a_row(str(error)))
            continue
        except _TooLong:
            first = feed.taken[0]
            feed.give_back()
            yield at, Fault(first, _not_a_row("field larger"))
            continue
        reason = next((found for line in feed.taken if (found := _unreadable(line, encoding))), None)
        if reason is not None:
            yield at, Fault(feed.taken[0], reason)
        elif cells and (len(cells) > 1 or cells[0].strip()):
            yield at, cells


def bounded(text: IO[str]) -> Iterator[str]:
    """The lines of a file opened with `newline=""`; of one that is too long only the beginning, which is not taken."""
    read = partial(text.readline, LONGEST_LINE)
    while line := read():
        yield line
        while len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
            line = read()  # the rest of a line that is given up
            if not line:
                return


def ragged(cells: list[str], expected: int, delimiter: str) -> Fault:
    """The fault of a row with more or fewer cells than the header."""
    return Fault(
        delimiter.join(cells),
        f"This row has {len(cells)} cell{'' if len(cells) == 1 else 's'}, the header has {expected}. "
        "Put cells that hold the separator into quotation marks, and leave none out.",
    )


def _unreadable(line: str, encoding: str) -> str | None:
    if len(line) >= LONGEST_LINE:
        return f"This line is longer than {LONGEST_LINE:,} characters. Break the file into lines, one per row."
    if "\0" in line:
        return "This row holds a NUL character (a zero byte). Export the file again as plain text."
    if line.isascii():
        return None
    bad = _UNREADABLE.search(line)
    if bad is None:
        return None
    return (
        f"This row is not written in {encoding}: byte 0x{ord(bad[0]) & 0xFF:02X} is no character there. "
        "Export the file as UTF-8, or set “encoding” in the map to the one it is written in (often cp1252)."
    )


def _not_a_row(error: str) -> str:
    if "expected after" in error:
        return "A quotation mark stands inside a quoted cell. Write it twice there, and close the cell before the separator."
    if "unexpected end" in error:
        return "A quotation mark opens in this row and is not closed before the file ends. Close it, or write it twice if it belongs to the text."
    if "field larger" in error:
        return (
            f"A cell that begins in this row is longer than {csv.field_size_limit():,} characters; most often a quotation mark "
            "was opened and never closed. Close it, or write it twice if it belongs to the text."
        )
    return f"This row cannot be taken apart into cells ({error}). Export it again."


class RejectWriter:
    """Writes what was not taken: line (1 is the header), column, value, reason. Nothing in it is taken for a formula."""

    def __init__(self, opened: IO[str]) -> None:
        self._writer = csv.writer(opened, lineterminator="\n")
        self._writer.writerow(REJECT_COLUMNS)

    def write(self, line: int, column: str, value: str, reason: str) -> None:
        shown = value.strip("\r\n")
        if len(shown) > SHOWN_OF_A_VALUE:
            shown = f"{shown[:SHOWN_OF_A_VALUE]}…"
        self._writer.writerow((line, safe_cell(_spelled(column)), safe_cell(_spelled(shown)), _spelled(reason)))


def _spelled(text: str) -> str:
    """Bytes that are no characters, NULs and carriage returns (before Python 3.13 no writer quotes those) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00").replace("\r", "\\r")
