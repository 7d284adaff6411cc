"""Bringing another system's requests in from a file, by a map: in a stream, in small committed steps, as often as one likes.

Not one command but many small transactions: each takes at most about a fifth of a second, so that a portal serving from the
same database goes on saving. What is committed stays; the same file again changes nothing that is the same, so an import that
was interrupted is finished by starting it again.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import sys
import time
import tomllib
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, Self

from sqlalchemy.exc import OperationalError

from db import core, directory
from db import service_requests as rows
from portal import settings
from portal.service_requests.rules import import_map, import_row
from portal.service_requests.views import in_force
from portal.shared import csv_lines
from portal.shared.actor import SYSTEM, authorize
from portal.shared.number import make_number
from portal.shared.problem import Problem
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from db.core import Work
    from portal.service_requests.rules.import_row import ImportedRow
    from portal.shared.actor import Actor

STEP_SECONDS = 0.1
"""What one transaction aims at; 0.2 s is the most another writer of an embedded database should have to wait for."""
FIRST_STEP, LEAST_STEP, MOST_STEP = 200, 25, 2_000
"""Rows of one transaction; the number follows the time it takes."""
PAUSE_SECONDS = 0.03
"""Between two transactions on an embedded database: whoever waits for it looks again after 0.1 s at the latest."""
ALWAYS = dt.date(2000, 1, 1)
"""The day from which a request type that came with a file counts."""
_FRESH: dict[str, Any] = {
    "version": 1, "priority": "normal", "answers": {}, "resolution": "", "reopened_count": 0, "joined_count": 0, "tell_by": "none",
}  # fmt: skip
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


class Unreadable(Exception):
    """The file cannot be read on; `str()` is the sentence."""


@dataclass
class Answer:
    """What became of the rows of a file: read = imported + updated + unchanged + rejected."""

    rejects_file: str
    read: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    flagged: int = 0
    skipped_times: int = 0
    double_times: int = 0

    def counts(self) -> dict[str, Any]:
        names = ("read", "imported", "updated", "unchanged", "rejected", "flagged", "rejects_file")
        return {name: getattr(self, name) for name in names}

    def sentences(self) -> list[str]:
        """The outcome in words."""
        said = [
            f"{self.read:,} rows read: {self.imported:,} new, {self.updated:,} changed, {self.unchanged:,} as before, {self.rejected:,} rejected."
        ]
        if self.rejected:
            said.append(f"The rejected rows and why: {self.rejects_file}")
        if self.flagged:
            said.append(f"{self.flagged:,} close before they open: taken as they are, and flagged.")
        if self.skipped_times:
            said.append(
                f"{self.skipped_times:,} times fall into an hour that the clocks skipped: read as the moment the clocks went forward."
            )
        if self.double_times:
            said.append(
                f"{self.double_times:,} times fall into an hour that the clocks showed twice: read as the first, or the one after the opening."
            )
        return said


# --- the command line -------------------------------------------------------------------------------------------------


def run_command(file: Path, map_file: Path, rejects: Path | None = None, *, json_answer: bool = False) -> int:
    """`portal import requests`: 0 when the file was read to its end, 2 when the map or the file cannot be used.

    1 when the database failed, 130 when somebody stopped it: in both cases the same command again goes on.
    """
    progress = _Progress(file) if sys.stderr.isatty() else None
    outcome: dict[str, Any]
    try:
        answer = import_requests(SYSTEM, file, map_file, rejects, progress=progress)
        said, outcome, code = answer.sentences(), answer.counts(), 0
    except Refused as refused:
        said = [f"{each.field}: {each.message}" if each.field else each.message for each in refused.problems]
        outcome = {"problems": [{"field": each.field, "message": each.message} for each in refused.problems]}
        code = 2
    except OperationalError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        said = [
            f"The database failed: {reason}. What was imported stays; the same command again goes on with the rest."
        ]
        outcome, code = {"problems": [{"field": "database", "message": said[0]}]}, 1
    except KeyboardInterrupt:
        said = ["Stopped. What was imported stays; the same command again goes on with the rest."]
        outcome, code = {"problems": [{"field": "", "message": said[0]}]}, 130
    if progress:
        progress.clear()
    sys.stderr.write("".join(f"{sentence}\n" for sentence in said))
    sys.stderr.flush()
    if json_answer:
        sys.stdout.write(json.dumps(outcome) + "\n")
        sys.stdout.flush()
    return code


class _Progress:
    """One line on a terminal that says how far the file is read."""

    def __init__(self, file: Path) -> None:
        self.began = self.told = time.monotonic()
        self.size = file.stat().st_size if file.is_file() else 0

    def __call__(self, read: int, at_byte: int) -> None:
        now = time.monotonic()
        if now - self.told < 0.2:
            return
        self.told = now
        share = f", {min(99, 100 * at_byte // self.size)} %" if self.size else ""
        sys.stderr.write(f"\r\x1b[K{read:,} rows{share}, {read / (now - self.began):,.0f} a second ")
        sys.stderr.flush()

    def clear(self) -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


# --- the import -------------------------------------------------------------------------------------------------------


def import_requests(
    actor: Actor,
    file: Path,
    map_file: Path,
    rejects: Path | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Answer:
    """Reads a file to its end. Refused, with every problem at once, when the map or the file cannot be used."""
    authorize(actor, "import.run")
    with core.read() as session:
        states = in_force.states(session)
        types = [import_row.TypeEntry(*tuple(row)) for row in rows.newest_request_types(session)]
        departments = {each.code: each.name for each in directory.departments(session)}
        divisions = {each.code: each.name for each in directory.divisions(session)}
    detail, problems = _toml(map_file)
    asked, found = import_map.read_map(detail, settings.current().zone, states, {each.code for each in types})
    if detail or not problems:
        problems += found
    with ExitStack() as stack:
        source = None
        header: list[str] = []
        try:
            source = stack.enter_context(_Source(file, asked))
            header = source.header()
            problems += import_map.header_problems(asked, header)
        except Unreadable as sentence:
            problems.append(Problem("file", str(sentence)))
        target = rejects if rejects is not None else _beside(file)
        if not problems:
            try:
                if target.exists() and target.samefile(file):
                    problems.append(
                        Problem(
                            "rejects",
                            f"The rejects cannot go to {target}: that is the file to import. Give another path with --rejects.",
                        )
                    )
                else:
                    opened = stack.enter_context(target.open("w", encoding="utf-8", newline=""))
            except OSError as error:
                problems.append(
                    Problem(
                        "rejects",
                        f"The rejects cannot be written to {target} ({error.strerror}). Give another path with --rejects.",
                    )
                )
        if problems or source is None:
            raise Refused(problems, title="Nothing was imported")
        catalog = import_row.Catalog(asked, types, departments, divisions)
        reader = import_row.RowReader(asked, header, states, catalog)
        seen = rows.SeenIds()
        stack.callback(seen.close)
        run = _Import(actor, asked, reader, catalog, seen, Answer(str(target)), csv_lines.RejectWriter(opened))
        run.begin(file.name)
        try:
            for step in run.steps(source):
                run.save(step)
                if progress:
                    progress(run.answer.read, source.at_byte())
        except Unreadable as sentence:
            said = f"{sentence} {run.answer.read:,} rows before it were read and what was imported stays; import the whole file again."
            raise Refused([Problem("file", said)], title="The file was not read to its end") from None
        run.end()
        return run.answer


class _Import:
    """One reading of one file: rows gathered to steps, each step one transaction."""

    def __init__(
        self, actor: Actor, asked: import_map.ImportMap, reader: import_row.RowReader, catalog: import_row.Catalog,
        seen: rows.SeenIds, answer: Answer, rejects: csv_lines.RejectWriter,
    ) -> None:  # fmt: skip
        self.actor, self.asked, self.reader, self.catalog = actor, asked, reader, catalog
        self.seen, self.answer, self.rejects = seen, answer, rejects
        self.size = FIRST_STEP
        self.run_id = 0
        self.kept = reader.kept_columns()
        self.zone = settings.current().time_zone

    def begin(self, file_name: str) -> None:
        with core.work() as work:
            run = work.add(
                rows.ImportRun(
                    kind="requests",
                    source=self.asked.source,
                    file_name=file_name[-300:],
                    started_at=work.now,
                    counts=self.answer.counts(),
                )
            )
            self.run_id = run.id
            self._event(work, "import.begun", {"source": self.asked.source})

    def end(self) -> None:
        self.answer.skipped_times, self.answer.double_times = self.reader.skipped_times, self.reader.double_times
        with core.work() as work:
            run = work.session.get(rows.ImportRun, self.run_id)
            assert run is not None
            run.ended_at, run.counts = work.now, self.answer.counts()
            self._event(work, "import.finished", self.answer.counts() | {"rejects_file": ""})

    def _event(self, work: Work, name: str, detail: dict[str, Any]) -> None:
        work.event(
            name, staff_id=self.actor.staff_id or None, subject_kind="import_run", subject_id=self.run_id, detail=detail
        )

    def steps(self, source: _Source) -> Iterator[list[ImportedRow]]:
        """The readable rows in steps; the others go to the rejects."""
        step: list[ImportedRow] = []
        answer, width = self.answer, source.width
        for line, cells in source.rows():
            answer.read += 1
            row = self._row(cells, width)
            if isinstance(row, import_row.Rejected):
                self.rejects.write(line, row.column, row.value, row.reason)
                answer.rejected += 1
                continue
            step.append(row)
            if len(step) >= self.size:
                yield step
                step = []
        if step:
            yield step

    def _row(self, cells: list[str] | csv_lines.Fault, width: int) -> ImportedRow | import_row.Rejected:
        if isinstance(cells, list):
            if len(cells) == width:
                return self.reader.read(cells)
            cells = csv_lines.ragged(cells, width, self.asked.delimiter)
        return import_row.Rejected("", cells.value, cells.reason)

    def save(self, step: list[ImportedRow]) -> None:
        """One transaction; none at all when everything stands here already as the file has it."""
        again = self.seen.add([row.external_id for row in step])
        ids = list(dict.fromkeys(row.external_id for row in step))
        with core.read() as session:
            judged = _judge(step, again, rows.imported_before(session, self.asked.source, ids))
        if judged.new or judged.changed:
            began = time.perf_counter()
            with core.work() as work:
                rows.stand_in_line_for_import(work.session)
                judged = _judge(step, again, rows.imported_before(work.session, self.asked.source, ids, hold=True))
                self._write(work, judged)
            self._pace(len(step), time.perf_counter() - began)
        self.answer.imported += judged.imported
        self.answer.updated += judged.updated
        self.answer.unchanged += judged.unchanged
        self.answer.flagged += sum(row.values["flagged"] for row in step)

    def _write(self, work: Work, judged: _Judged) -> None:
        self._write_new_reference(work.session)
        if judged.new:
            numbers = _numbers(work.session, judged.new)
            rows.add_imported(
                work.session,
                [
                    row.values
                    | _FRESH
                    | {
                        "number": numbers[row.external_id],
                        "source": self.asked.source,
                        "external_id": row.external_id,
                        "import_digest": row.digest,
                    }
                    for row in judged.new
                ],
            )
            rows.count_changes(
                work.session, [(None, rows.counted(SimpleNamespace(**row.values), self.zone)) for row in judged.new]
            )
        if judged.changed:
            columns = [name for name in judged.changed[0][1].values if name not in self.kept]
            rows.change_imported(
                work.session,
                [*columns, "import_digest"],
                [
                    {name: row.values[name] for name in columns} | {"row_id": before.id, "import_digest": row.digest}
                    for before, row in judged.changed
                ],
            )
            rows.count_changes(work.session, [self._recounted(before, row, columns) for before, row in judged.changed])
            if "state_code" in columns:
                work.session.add_all(
                    rows.RequestState(
                        request_id=before.id,
                        from_code=before.state_code,
                        to_code=row.values["state_code"],
                        at=row.values["closed_at"] or work.now,
                        note="",
                    )
                    for before, row in judged.changed
                    if before.state_code != row.values["state_code"]
                )
        self._event(
            work,
            "import.requests",
            {"source": self.asked.source, "imported": judged.imported, "updated": judged.updated},
        )

    def _recounted(self, before: Any, row: ImportedRow, columns: Sequence[str]) -> tuple[rows.Counted, rows.Counted]:
        was = rows.counted(before, self.zone)
        return was, rows.counted_with(was, {name: row.values[name] for name in columns}, self.zone)

    def _write_new_reference(self, session: Session) -> None:
        departments, types = self.catalog.take_new()
        for code, name in departments:
            if session.get(directory.Department, code) is None:
                session.add(directory.Department(code=code, name=name))
        session.flush()
        for entry in types:
            if rows.request_type_version(session, entry.code, entry.version_no) is None:
                session.add(
                    rows.RequestType(
                        code=entry.code, version_no=entry.version_no, effective_from=ALWAYS, name=entry.name, group_name=entry.group,
                        kind=entry.kind, department_code=entry.department, division_code=None, synonyms="", active=False,
                        detail=import_row.new_type_detail(entry),
                    )
                )  # fmt: skip
        session.flush()

    def _pace(self, count: int, took: float) -> None:
        self.size = max(LEAST_STEP, min(MOST_STEP, 2 * self.size, int(count * STEP_SECONDS / max(took, 0.001))))
        if core.database().is_sqlite:
            time.sleep(PAUSE_SECONDS)


@dataclass(frozen=True)
class _Judged:
    """What the rows of one step mean for the rows that stand here."""

    new: list[ImportedRow]
    changed: list[tuple[Any, ImportedRow]]
    """(what stands here, the row)"""
    imported: int
    updated: int
    unchanged: int


def _judge(step: Sequence[ImportedRow], again: Sequence[bool], before: dict[str, Any]) -> _Judged:
    """A number the file named before counts as updated, and its later row wins."""
    last: dict[str, ImportedRow] = {}
    imported = updated = unchanged = 0
    for row, named_before in zip(step, again, strict=True):
        key = row.external_id
        if named_before:
            updated += 1
        elif key not in before:
            imported += 1
        elif before[key].import_digest == row.digest:
            unchanged += 1
        else:
            updated += 1
        last[key] = row
    new = [row for key, row in last.items() if key not in before]
    changed = [
        (before[key], row) for key, row in last.items() if key in before and before[key].import_digest != row.digest
    ]
    return _Judged(new, changed, imported, updated, unchanged)


def _numbers(session: Session, new: Sequence[ImportedRow]) -> dict[str, str]:
    """Our number for each new request, from the sequence of the year it was opened in."""
    numbers = {}
    for year in sorted({row.year for row in new}):
        of_year = [row for row in new if row.year == year]
        first = core.next_sequence(session, "SR", year, len(of_year))
        numbers |= {row.external_id: make_number("SR", year, first + at) for at, row in enumerate(of_year)}
    return numbers


# --- files ------------------------------------------------------------------------------------------------------------


class _Source:
    """The file to import: plain or gzip, decoded in a stream."""

    def __init__(self, file: Path, asked: import_map.ImportMap) -> None:
        self.file, self.asked = file, asked
        self.width = 0
        self._stack = ExitStack()
        self._raw: IO[bytes] | None = None
        self._rows: Iterator[tuple[int, list[str] | csv_lines.Fault]] = iter(())

    def __enter__(self) -> Self:
        try:
            raw = self._stack.enter_context(self.file.open("rb"))
            self._raw = raw
            start = raw.peek(4)[:4]
            if start.startswith(_ZIP):
                raise Unreadable(
                    f"{self.file} is a ZIP archive or an Excel workbook. Save the sheet as CSV and import that."
                )
            plain: io.BufferedReader = raw
            if start.startswith(_GZIP):
                unpacked = self._stack.enter_context(gzip.GzipFile(fileobj=raw))
                plain = self._stack.enter_context(io.BufferedReader(unpacked))  # type: ignore[arg-type]  # a raw stream in all but name
            encoding = self._encoding(plain.peek(4)[:4])
        except _FAILURES as error:
            self._stack.close()
            raise Unreadable(self._sentence(error)) from None
        except Unreadable:
            self._stack.close()
            raise
        text = self._stack.enter_context(io.TextIOWrapper(plain, encoding, "surrogateescape", newline=""))
        self._rows = csv_lines.read_rows(self._lines(text), self.asked.encoding, self.asked.delimiter)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def header(self) -> list[str]:
        """The names of the columns."""
        found = next(self._rows, None)
        if found is None:
            raise Unreadable(f"{self.file} is empty: not even a first line with the names of the columns.")
        _, cells = found
        if isinstance(cells, csv_lines.Fault):
            hint = ' It looks like UTF-16: try encoding = "utf-16" in the map.' if "\0" in cells.value else ""
            raise Unreadable(f"The first line of {self.file} cannot be read. {cells.reason}{hint}")
        names = [cell.lstrip("\ufeff").strip() for cell in cells]
        self.width = len(names)
        return names

    def rows(self) -> Iterator[tuple[int, list[str] | csv_lines.Fault]]:
        """What follows the header: each row with its line."""
        return self._rows

    def at_byte(self) -> int:
        """How far the file is read."""
        return self._raw.tell() if self._raw else 0

    def _lines(self, text: IO[str]) -> Iterator[str]:
        try:
            yield from csv_lines.bounded(text)
        except _FAILURES as error:
            raise Unreadable(self._sentence(error)) from None

    def _encoding(self, start: bytes) -> str:
        encoding = self.asked.encoding
        for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
            if start.startswith(mark) and not encoding.startswith((name, name.replace("16", "32"))):
                raise Unreadable(
                    f'{self.file} begins with the mark of {name}, but the map says it is written in {encoding}. Set encoding = "{name}".'
                )
        return "utf-8-sig" if encoding == "utf-8" else encoding

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, FileNotFoundError):
            return f"There is no file {self.file}."
        if isinstance(error, UnicodeError):
            return f"{self.file} is not written in {self.asked.encoding} ({error.reason if isinstance(error, UnicodeDecodeError) else error}). Set the right encoding in the map."
        if isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile)):
            return f"{self.file} is packed with gzip and broken ({error}). Fetch it again."
        return f"{self.file} cannot be read ({getattr(error, 'strerror', None) or error})."


_FAILURES = (OSError, EOFError, zlib.error, UnicodeError)


def _beside(file: Path) -> Path:
    name = file.name
    for ending in (".gz", ".csv"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return file.with_name(f"{name}.rejects.csv")


def _toml(map_file: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The map as it stands in its file; or why it cannot be read."""
    try:
        return tomllib.loads(map_file.read_text("utf-8-sig")), []
    except OSError as error:
        return {}, [Problem("map", f"The map {map_file} cannot be read ({error.strerror}).")]
    except UnicodeDecodeError:
        return {}, [Problem("map", f"The map {map_file} is not written in UTF-8. Save it as UTF-8.")]
    except tomllib.TOMLDecodeError as error:
        return {}, [Problem("map", f"The map {map_file} is not TOML: {error}.")]
