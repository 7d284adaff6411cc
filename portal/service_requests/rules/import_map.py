"""The map of an import: which column of any city's export is what, how it writes times, what its words mean here.

A map is checked as a whole, all problems at once. What it makes of a row stands in `import_row`.
"""

from __future__ import annotations

import codecs
import datetime as dt
import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules import case
from portal.service_requests.rules.request_type import KINDS
from portal.shared.calendar import zone_named
from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

COLUMNS = (
    "external_id", "opened", "closed", "due", "request_type", "group", "description", "address", "latitude", "longitude",
    "district", "channel", "department", "division", "status",
)  # fmt: skip
"""What a column can be."""
NEEDED = ("external_id", "opened")
TABLES = ("status", "channel", "request_type")
_KEYS = (
    "code", "name", "source", "zone", "encoding", "delimiter", "datetime_formats", "create_missing", "kind", "columns", *TABLES,
)  # fmt: skip
ISO = "iso"
"""A format: RFC 3339 and its relatives, with or without an offset."""
_SOURCE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,58}")
_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,19}")
PLAIN_STATES = {"open": "new"}
"""Words for a state that need no map: our own codes, and this one."""


@dataclass(frozen=True)
class ImportMap:
    """How one source writes its requests."""

    source: str
    zone: str
    encoding: str = "utf-8"
    delimiter: str = ","
    datetime_formats: tuple[str, ...] = (ISO,)
    create_missing: bool = False
    kind: str = "action_order"
    """What a request type that is made on the way becomes."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Ours -> the file's header."""
    status: Mapping[str, str] = field(default_factory=dict)
    channel: Mapping[str, str] = field(default_factory=dict)
    request_type: Mapping[str, str] = field(default_factory=dict)


def read_map(
    detail: Mapping[str, Any], zone: str, states: case.StateTable, type_codes: Collection[str]
) -> tuple[ImportMap, list[Problem]]:
    """The map a TOML file holds and all that is wrong with it; what is wrong is left at its default, so that the file can still
    be looked at and every problem be told at once. `zone` is the city's own, `type_codes` the request types that exist.
    """
    problems = [
        Problem(key, f"“{key}” is not a key of a map.{_close(key, _KEYS)} Remove it or correct its spelling.")
        for key in detail
        if key not in _KEYS
    ]
    source = detail.get("source")
    if not isinstance(source, str) or not _SOURCE.fullmatch(source) or source == "portal":
        problems.append(
            Problem(
                "source",
                "“source” names where the requests come from: lower-case letters, digits, _ and -, at most 40, not “portal”.",
            )
        )
        source = "unnamed"
    columns, found = _columns(detail.get("columns"))
    problems += found
    tables: dict[str, dict[str, str]] = {}
    for name in TABLES:
        tables[name], found = _table(name, detail.get(name))
        problems += found
    create = detail.get("create_missing", False)
    if not isinstance(create, bool):
        problems.append(Problem("create_missing", "“create_missing” is true or false, without quotation marks."))
        create = True
    problems += _status_problems(tables["status"], states)
    problems += [
        Problem(
            "channel",
            f"[channel]: “{ours}” is no code: lower-case letters, digits and _, at most 20, such as phone, counter, email, letter or web.",
        )
        for ours in sorted(set(tables["channel"].values()))
        if not _CHANNEL.fullmatch(ours)
    ]
    problems += _type_problems(tables["request_type"], type_codes, create)
    kind = detail.get("kind", "action_order")
    if kind not in KINDS:
        problems.append(Problem("kind", f"“kind”, what a new request type becomes, is one of {', '.join(KINDS)}."))
        kind = "action_order"
    values: dict[str, Any] = {}
    for name, read in (
        ("zone", _zone),
        ("encoding", _encoding),
        ("delimiter", _delimiter),
        ("datetime_formats", _formats),
    ):
        if name in detail:
            values[name], problem = read(detail[name])
            if problem:
                problems.append(Problem(name, problem))
    made = ImportMap(
        source=source,
        zone=values.get("zone") or zone,
        encoding=values.get("encoding") or "utf-8",
        delimiter=values.get("delimiter") or ",",
        datetime_formats=values.get("datetime_formats") or (ISO,),
        create_missing=create,
        kind=kind,
        columns=columns,
        status=tables["status"],
        channel=tables["channel"],
        request_type=tables["request_type"],
    )
    return made, problems


def header_problems(asked: ImportMap, header: Sequence[str]) -> list[Problem]:
    """Columns the map names that the file does not have, or has twice."""
    problems = []
    for ours, theirs in asked.columns.items():
        count = header.count(theirs)
        if count == 1:
            continue
        if count:
            problems.append(
                Problem(
                    ours,
                    f"The header “{theirs}” stands there {count} times, so it is not clear which column is “{ours}”. Rename all but one.",
                )
            )
        else:
            near = _close(theirs, [each for each in header if each])
            problems.append(
                Problem(
                    ours,
                    f"The file has no column “{theirs}”, which the map gives for “{ours}”.{near} Correct the map or the file’s first line.",
                )
            )
    if problems and len(header) == 1:
        for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if mark in header[0]:
                problems.append(
                    Problem(
                        "delimiter",
                        f"The first line is one single column; it seems to be separated by {name}. Set delimiter = {_toml(mark)} in the map.",
                    )
                )
    return problems


def _columns(given: Any) -> tuple[dict[str, str], list[Problem]]:
    if not isinstance(given, dict):
        return {}, [
            Problem(
                "columns",
                'The map has no [columns] table. Write there which header of the file is what, such as external_id = "CASE_ID".',
            )
        ]
    problems, columns = [], {}
    for ours, theirs in given.items():
        if ours not in COLUMNS:
            problems.append(
                Problem(
                    "columns",
                    f"[columns]: “{ours}” is nothing a column can be.{_close(ours, COLUMNS)} Possible are {', '.join(COLUMNS)}.",
                )
            )
        elif not isinstance(theirs, str) or not theirs.strip():
            problems.append(Problem(ours, f"[columns]: “{ours}” needs the file’s header as text."))
        else:
            columns[ours] = theirs.strip()
    problems += [
        Problem(
            ours,
            f"[columns]: “{ours}” is missing. Without it a request cannot be {'told from others' if ours == 'external_id' else 'dated'}.",
        )
        for ours in NEEDED
        if ours not in given
    ]
    return columns, problems


def _table(name: str, given: Any) -> tuple[dict[str, str], list[Problem]]:
    if given is None:
        return {}, []
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        return {}, [Problem(name, f'[{name}] maps the file’s words to ours, text to text: "Their word" = "our_code".')]
    return {one_line(theirs): ours.strip() for theirs, ours in given.items()}, []


def _status_problems(table: Mapping[str, str], states: case.StateTable) -> list[Problem]:
    known = [*states.states, *PLAIN_STATES]
    return [
        Problem(
            "status",
            f"[status]: “{ours}” is no state of a request.{_close(ours, known)} Possible are {', '.join(states.states)}.",
        )
        for ours in sorted(set(table.values()))
        if ours not in known
    ]


def _type_problems(table: Mapping[str, str], known: Collection[str], create: bool) -> list[Problem]:
    problems = []
    for ours in sorted(set(table.values())):
        if not _CODE.fullmatch(ours):
            problems.append(
                Problem(
                    "request_type",
                    f"[request_type]: “{ours}” is no code: lower-case letters, digits and _, at most 59.",
                )
            )
        elif not create and ours not in known:
            problems.append(
                Problem(
                    "request_type",
                    f"[request_type]: there is no request type “{ours}”.{_close(ours, known)} Load its pack, or set create_missing = true.",
                )
            )
    return problems


def _zone(given: Any) -> tuple[str | None, str]:
    try:
        zone_named(given)
    except Exception:  # noqa: BLE001  # whatever the text does to the zone files, it is no zone
        return None, f"“zone”: there is no time zone “{str(given)[:60]}”. Use an IANA name such as America/New_York."
    return given, ""


def _encoding(given: Any) -> tuple[str | None, str]:
    try:
        name = codecs.lookup(given).name
        "aä".encode(name, "replace").decode(name, "replace")
    except (LookupError, TypeError, ValueError):
        return None, f"“encoding”: there is no encoding “{str(given)[:60]}”. Common ones are utf-8, cp1252 and latin-1."
    return name, ""


def _delimiter(given: Any) -> tuple[str | None, str]:
    if not isinstance(given, str) or len(given) != 1 or given in '\r\n\0"' or given.isalnum():
        return None, '“delimiter” is the one character between cells: ",", ";", "|" or "\\t".'
    return given, ""


_SAMPLE = dt.datetime(2015, 10, 31, 13, 45, 59)  # noqa: DTZ001  # a clock time to try a format on


def _formats(given: Any) -> tuple[tuple[str, ...] | None, str]:
    if not isinstance(given, list) or not given or not all(isinstance(each, str) for each in given):
        return None, f'“datetime_formats” is a list of formats, such as ["%m/%d/%Y %I:%M:%S %p"], or ["{ISO}"].'
    for each in given:
        if each == ISO:
            continue
        try:
            read = dt.datetime.strptime(_SAMPLE.strftime(each), each)  # noqa: DTZ007  # as above
        except ValueError:
            return (
                None,
                f"“datetime_formats”: “{each[:60]}” is not a format Python can read times by. Its parts are %Y %m %d %H %M %S, %I with %p, %z.",
            )
        if read.date() != _SAMPLE.date():
            return (
                None,
                f"“datetime_formats”: “{each[:60]}” does not tell year, month and day. Write all three, such as %Y-%m-%d.",
            )
        if "%I" in each and "%p" not in each:
            return (
                None,
                f"“datetime_formats”: “{each[:60]}” has hours of twelve (%I) without am or pm (%p). Add %p, or use %H.",
            )
    return tuple(given), ""


def _close(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1, 0.6)
    return f" Did you mean “{near[0]}”?" if near else ""


def _toml(text: str) -> str:
    return '"\\t"' if text == "\t" else f'"{text}"'


def one_line(text: str) -> str:
    """Text on one line, single spaces."""
    return " ".join(text.split())
