"""Reading a city's CSV file row by row under its column names, and the list of what was not taken from it.

A file that cannot be used as a whole is refused before anything is written, with all problems at once (`BadFile`). A row that
cannot be read arrives with its problem in a sentence, and the rows after it still count. Rows come as the file is read: memory
does not grow with the file.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

from portal.shared import csv_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_CHUNK = 1 << 20


class BadFile(ValueError):
    """Why a file (or what describes it) is unusable: one sentence per problem, all at once."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class CsvRow:
    """One row under the header. `line` is the line of the file on which it begins, the header being line 1."""

    line: int
    cells: dict[str, str]
    """By column name; empty when the row could not be read."""
    problem: str = ""
    """Why it could not be read, as a sentence."""


@dataclass(frozen=True)
class Reject:
    """One thing that was not taken from a file: where it stands, what stands there, and why it was not taken."""

    line: int
    column: str
    value: str
    reason: str


def read_header(path: Path, encoding: str = "utf-8", needed: Sequence[str] = ()) -> list[str]:
    """The column names of a file that can be read to its end. Raises `BadFile` with every reason why it cannot."""
    if not path.is_file():
        raise BadFile([f"There is no file {path}."])
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise BadFile(
            [f"“{encoding}” is no encoding. Use utf-8, or cp1252 for a file saved by an older Windows program."]
        ) from None
    problems = list(_unreadable(path, encoding))
    if problems:
        raise BadFile(problems)
    with path.open(encoding=_with_mark(encoding), newline="") as opened:
        header = _first_row(opened, encoding)
    names = [name.strip() for name in header]
    if not any(names):
        raise BadFile([f"{path.name} has no header: the first line must name the columns."])
    twice = sorted({name for name in names if name and names.count(name) > 1})
    problems += [f"{path.name} has the column “{name}” twice: rename one of them." for name in twice if name in needed]
    missing = [name for name in dict.fromkeys(needed) if name not in names]
    problems += [f"{path.name} has no column “{name}”." for name in missing]
    if missing:
        problems.append(f"Its columns are: {', '.join(name for name in names if name)[:2000]}.")
    if problems:
        raise BadFile(problems)
    return names


def _first_row(opened: IO[str], encoding: str) -> list[str]:
    line, cells = next(csv_lines.read_rows(csv_lines.bounded(opened), encoding), (0, []))
    return cells if line == 1 and isinstance(cells, list) else []


def _with_mark(encoding: str) -> str:
    """UTF-8 with or without the mark that some spreadsheets put first."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _unreadable(path: Path, encoding: str) -> Iterator[str]:
    """Reasons why the file as a whole cannot be read as text: read through once, before anything is written."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, held_nul = 1, False
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                bad = line + bytes(error.object[: error.start]).count(b"\n")
                yield (
                    f"{path.name} is not {encoding}: line {bad} holds the byte 0x{error.object[error.start]:02X}. "
                    "Say which encoding it has (often cp1252), or save it as UTF-8."
                )
                return
            if line == 1 and "\0" in text[:4096].split("\n", 1)[0]:
                held_nul = True
            line += text.count("\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        yield f"{path.name} ends in the middle of a character: it is not {encoding}, or it was cut off."
    if held_nul:
        yield f"The header of {path.name} holds NUL characters, as UTF-16 does when read as {encoding}. Save it as UTF-8."


def read_rows(path: Path, encoding: str = "utf-8", needed: Sequence[str] = ()) -> Iterator[CsvRow]:
    """Every row under the header, in the file's order; blank lines are passed over. Raises `BadFile` as `read_header` does."""
    names = read_header(path, encoding, needed)
    with path.open(encoding=_with_mark(encoding), newline="") as opened:
        rows = csv_lines.read_rows(csv_lines.bounded(opened), encoding)
        next(rows)
        for line, cells in rows:
            if isinstance(cells, list) and len(cells) != len(names):
                cells = csv_lines.ragged(cells, len(names), ",")  # noqa: PLW2901  # the row is a fault from here on
            if isinstance(cells, list):
                yield CsvRow(line, dict(zip(names, cells, strict=True)))
            else:
                yield CsvRow(line, {}, cells.reason)


class Rejects:
    """The rejects file, written as the rejects come; made only when there is one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._opened: IO[str] | None = None
        self._writer: Any = None

    def add(self, reject: Reject) -> None:
        """Writes one reject; cells that a spreadsheet would run are neutralised, long values cut."""
        if self._opened is None:
            self._opened = self.path.open("w", encoding="utf-8", newline="")
            self._writer = csv_lines.RejectWriter(self._opened)
        self.count += 1
        self._writer.write(reject.line, reject.column, reject.value, reject.reason)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)  # an older list would speak of rows that are right by now
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def rejects_path(file: Path, given: Path | None) -> Path:
    """Where rejects go: as given, else `NAME.rejects.csv` beside the input. Raises `BadFile` when that is no place for them."""
    path = given if given is not None else file.with_name(f"{file.stem}.rejects.csv")
    if path.resolve() == file.resolve():
        raise BadFile(["--rejects names the input itself. Name another file."])
    if not path.parent.is_dir():
        raise BadFile([f"--rejects: there is no folder {path.parent}."])
    return path
