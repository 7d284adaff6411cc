"""A row of another city's export as a request, by its map; or why it is not taken, in sentences.

Nothing is guessed: a time, place or state that cannot be read rejects the row, and the file can be read again once the map knows
better.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules import case
from portal.service_requests.rules.import_map import COLUMNS, ISO, PLAIN_STATES, one_line
from portal.shared.calendar import instant_of, zone_named
from portal.shared.text import fold, sensitive_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from portal.service_requests.rules.import_map import ImportMap

LONGEST = {
    "external_id": 60,
    "request_type": 120,
    "group": 80,
    "address": 300,
    "district": 60,
    "department": 120,
    "division": 80,
}
"""Characters of the columns that are kept on one line."""
_ISO_SECONDS = {"%Y-%m-%d %H:%M:%S": " ", "%Y-%m-%dT%H:%M:%S": "T"}
MOST_NEW_TYPES = 2_000
"""More kinds than this in one file mean that the wrong column is mapped."""
OTHER_GROUP = "Other"
OTHER_TYPE = "Other request"
FIRST_YEAR, LAST_YEAR = 1970, 2069
"""Opening years that a number can carry: it shows the last two digits."""


# --- what the words of a file mean here -------------------------------------------------------------------------------


@dataclass(frozen=True)
class TypeEntry:
    """A request type as far as an imported row takes it over."""

    code: str
    version_no: int
    name: str
    group: str
    kind: str
    department: str
    division: str | None


class Catalog:
    """Request types, departments and divisions that exist, and those a file makes on the way.

    What is new is handed out once by `take_new`, so that it is written before the first row that needs it.
    """

    def __init__(
        self, asked: ImportMap, types: Iterable[TypeEntry], departments: Mapping[str, str], divisions: Mapping[str, str]
    ) -> None:
        """`departments` and `divisions` are code -> name."""
        self.asked = asked
        self._types: dict[str, TypeEntry] = {}
        for entry in types:
            self._types.setdefault(fold(entry.name), entry)
            self._types[_code_key(entry.code)] = entry
        self._departments = {fold(name): code for code, name in departments.items()} | {
            _code_key(code): code for code in departments
        }
        self._divisions = {fold(name): code for code, name in divisions.items()} | {
            _code_key(code): code for code in divisions
        }
        self._mapped_types = {fold(theirs): ours for theirs, ours in asked.request_type.items()}
        self._type_cache: dict[str, TypeEntry] = {}
        self._department_cache: dict[str, str | None] = {}
        self._division_cache: dict[str, str] = {}
        self._new_types: list[TypeEntry] = []
        self._new_departments: list[tuple[str, str]] = []
        self.made = 0

    def type_of(self, word: str, group: str, department: str | None) -> TypeEntry | str:
        """The type a word means, made when the map allows it; else why not, in a sentence."""
        entry = self._type_cache.get(word)
        if entry is not None:
            return entry
        code = self.asked.request_type.get(word) or self._mapped_types.get(fold(word))
        entry = (
            self._types.get(_code_key(code))
            if code
            else self._types.get(fold(word)) or self._types.get(_code_key(code_of(word)))
        )
        if entry is None and self.asked.create_missing:
            if self.made >= MOST_NEW_TYPES:
                return f"More than {MOST_NEW_TYPES:,} request types would be made from this file. Look whether “request_type” is mapped to the right column."
            owner = department or self.department_of(self.asked.source)
            if owner is None:
                return f"More than {MOST_NEW_TYPES:,} departments would be made from this file. Look whether “department” is mapped to the right column."
            self.made += 1
            entry = TypeEntry(code or code_of(word), 1, word, group or OTHER_GROUP, self.asked.kind, owner, None)
            self._types[_code_key(entry.code)] = entry
            self._types.setdefault(fold(word), entry)
            self._new_types.append(entry)
        if entry is None:
            return f"There is no request type for “{_short(word)}”. Name one in the map’s [request_type], or set create_missing = true."
        # As many words as there are types and spellings of them; a file of nothing but new words ends at the limit above.
        self._type_cache[word] = entry
        return entry

    def department_of(self, word: str) -> str | None:
        """The code of a department by its code or name, made when the map allows it; None when nobody knows it."""
        if word in self._department_cache:
            return self._department_cache[word]
        code = self._departments.get(fold(word)) or self._departments.get(_code_key(code_of(word, 40)))
        if code is None and self.asked.create_missing:
            if len(self._new_departments) + len(self._departments) > MOST_NEW_TYPES:
                return None
            code = code_of(word, 40)
            self._departments[_code_key(code)] = code
            self._departments.setdefault(fold(word), code)
            self._new_departments.append((code, word))
        if len(self._department_cache) < 10_000:
            self._department_cache[word] = code
        return code

    def division_of(self, word: str) -> str:
        """The code of a division by its code or name; a division nobody here knows keeps its own word."""
        code = self._division_cache.get(word)
        if code is None:
            code = self._divisions.get(fold(word)) or self._divisions.get(_code_key(word)) or word
            if len(self._division_cache) < 10_000:
                self._division_cache[word] = code
        return code

    def take_new(self) -> tuple[list[tuple[str, str]], list[TypeEntry]]:
        """New departments (code, name) and request types since the last time."""
        taken = self._new_departments, self._new_types
        self._new_departments, self._new_types = [], []
        return taken


def _code_key(code: str) -> str:
    return f"={code}"


def code_of(word: str, most: int = 59) -> str:
    """A code made of a name: `Street Light Outages` is `street_light_outages`; what letters cannot tell apart gets a tail."""
    folded = fold(word)
    code = "_".join(re.findall(r"[a-z0-9]+", folded))
    if code and not code[0].isalpha():
        code = f"n_{code}"
    if not code or len(code) > most or not folded.isascii():
        tail = hashlib.sha256(folded.encode() if folded else word.encode()).hexdigest()[:8]
        code = f"{code[: most - 9] or 'other'}_{tail}"
    return code


def new_type_detail(entry: TypeEntry) -> dict[str, Any]:
    """The definition of a request type that came with a file. It is not offered for new requests until somebody decides so."""
    return {
        "code": entry.code,
        "name": entry.name,
        "group": entry.group,
        "kind": entry.kind,
        "department": entry.department,
        "place": "place",
        "active": False,
        "disposition": [
            {"code": "resolved", "name": "Done"},
            {"code": "referred", "name": "Referred elsewhere", "requires_note": True},
        ],
    }


# --- a row ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row of the file as a request: its key, the columns to store, and the digest of all that the map reads."""

    external_id: str
    year: int
    """Of opening, on the source's clock: the number is taken from that year's."""
    digest: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Rejected:
    """Why a row is not taken: the first column at fault, what stands there, and all reasons as sentences."""

    column: str
    value: str
    reason: str


class _Bad(ValueError):
    """A cell that cannot be read; `str()` is the sentence."""


class RowReader:
    """Reads the rows of one file by its map."""

    def __init__(self, asked: ImportMap, header: Sequence[str], states: case.StateTable, catalog: Catalog) -> None:
        self.asked = asked
        self.states = states
        self.catalog = catalog
        self.zone = zone_named(asked.zone)
        self.places = {ours: header.index(theirs) for ours, theirs in asked.columns.items()}
        self.skipped_times = 0
        """Clock times that never were: the clocks went forward over them."""
        self.double_times = 0
        """Clock times that were twice: the clocks went back over them."""
        self._days: dict[dt.date, dt.timedelta | None] = {}
        self._words = {
            name: {fold(theirs): ours for theirs, ours in getattr(asked, name).items()}
            for name in ("status", "channel")
        }
        self._mapped = tuple(ours for ours in COLUMNS if ours in asked.columns and ours != "external_id")
        self._has_state = "status" in self.places or "closed" in self.places
        closed = states.of_kind(case.CLOSED)
        self._closed_state = closed[0] if closed else "closed"
        self._due_words = [f"The time it is due came with the request from {asked.source}."]
        self._formats: list[Callable[[str], dt.datetime]] = [_reader_of(each) for each in asked.datetime_formats]

    def kept_columns(self) -> set[str]:
        """Columns of a request that this file says nothing about: an update leaves them as they are."""
        kept = set()
        for ours, columns in (
            ("description", ("description",)), ("address", ("address",)), ("latitude", ("latitude", "longitude")),
            ("district", ("district",)), ("channel", ("channel",)), ("due", ("due_at", "due_explanation")),
        ):  # fmt: skip
            if ours not in self.places:
                kept.update(columns)
        if not self._has_state:
            kept.update(("state_code", "closed", "closed_at", "minutes_to_close", "in_target", "flagged"))
        return kept

    def read(self, cells: Sequence[str]) -> ImportedRow | Rejected:
        """A row with as many cells as the header."""
        bad: list[Rejected] = []
        cell = {ours: cells[place].strip() for ours, place in self.places.items()}
        for ours, most in LONGEST.items():
            if ours in cell:
                cell[ours] = self._short_line(ours, cell[ours], most, bad)
        for ours in ("external_id", "opened", "request_type"):
            if ours in cell and not cell[ours]:
                bad.append(
                    Rejected(self.asked.columns[ours], "", f"“{self.asked.columns[ours]}” is empty. Each row needs it.")
                )
        opened = self._time("opened", cell, bad)
        due = self._time("due", cell, bad)
        closed = self._time("closed", cell, bad)
        if opened and not FIRST_YEAR <= opened.local.year <= LAST_YEAR:
            reason = f"“{self.asked.columns['opened']}”: {opened.local.year} is no year a request was opened in ({FIRST_YEAR} to {LAST_YEAR})."
            bad.append(Rejected(self.asked.columns["opened"], cell["opened"], reason))
        latitude, longitude = self._place(cell, bad)
        state = self._state(cell, closed is not None, bad)
        description = cell.get("description", "")
        if description and (sentence := sensitive_sentence(description, f"“{self.asked.columns['description']}”")):
            # The value is left out on purpose: the rejects file must not keep it either.
            bad.append(Rejected(self.asked.columns["description"], "", sentence))
        if bad or opened is None:
            return Rejected(bad[0].column, bad[0].value, " ".join(dict.fromkeys(each.reason for each in bad)))
        return self._made(cell, opened, due, closed, state, latitude, longitude, description)

    def _made(
        self, cell: Mapping[str, str], opened: _Instant, due: _Instant | None, closed: _Instant | None, state: str,
        latitude: float | None, longitude: float | None, description: str,
    ) -> ImportedRow | Rejected:  # fmt: skip
        asked, catalog = self.asked, self.catalog
        group = cell.get("group", "")
        word = cell.get("request_type") or group or OTHER_TYPE
        department = catalog.department_of(cell["department"]) if cell.get("department") else None
        entry = catalog.type_of(word, group, department)
        if isinstance(entry, str):
            return Rejected(asked.columns.get("request_type", asked.columns.get("group", "")), word, entry)
        is_closed = self.states.kind(state) == case.CLOSED
        opened_at, due_at = opened.at, due.at if due else None
        closed_at = None
        if is_closed and closed:
            # A closing time that the clock showed twice is the one after the opening, if only one of the two is.
            closed_at = closed.again if closed.again and closed.at < opened_at else closed.at
        channel = self._channel(cell.get("channel", ""))
        values: dict[str, Any] = {
            "kind": entry.kind,
            "request_type_code": entry.code,
            "request_type_version": entry.version_no,
            "request_type_name": entry.name,
            "group_name": group or entry.group,
            "department_code": department or entry.department,
            "division_code": catalog.division_of(cell["division"]) if cell.get("division") else entry.division,
            "channel": channel,
            "address": cell.get("address", ""),
            "district": cell.get("district", ""),
            "latitude": latitude,
            "longitude": longitude,
            "description": description,
            "state_code": state,
            "closed": is_closed,
            "opened_at": opened_at,
            "due_at": due_at,
            "due_explanation": self._due_words if due_at else None,
            "closed_at": closed_at,
            "opened_month": f"{opened.local.year:04d}-{opened.local.month:02d}",
            "minutes_to_close": None if closed_at is None else case.minutes_between(opened_at, closed_at),
            "in_target": None if closed_at is None or due_at is None else closed_at <= due_at,
            "flagged": closed_at is not None and closed_at < opened_at,
        }
        return ImportedRow(cell["external_id"], opened.local.year, self._digest(values), values)

    def _digest(self, values: Mapping[str, Any]) -> str:
        parts = [f"{ours}={values[stored]}" for ours in self._mapped for stored in _STORED[ours]]
        if self._has_state:
            parts += (f"state={values['state_code']}", f"closed={values['closed_at']}")
        return hashlib.sha1("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()

    def _short_line(self, ours: str, text: str, most: int, bad: list[Rejected]) -> str:
        if not text.isprintable() or "  " in text:
            text = one_line(text)
        if len(text) > most:
            column = self.asked.columns[ours]
            bad.append(
                Rejected(
                    column,
                    text,
                    f"“{column}” has {len(text):,} characters; {ours.replace('_', ' ')} has at most {most}. Shorten it.",
                )
            )
        return text

    def _time(self, ours: str, cell: Mapping[str, str], bad: list[Rejected]) -> _Instant | None:
        text = cell.get(ours, "")
        if not text:
            return None
        try:
            return self._instant(text)
        except _Bad as sentence:
            bad.append(Rejected(self.asked.columns[ours], text, f"“{self.asked.columns[ours]}”: {sentence}"))
            return None

    def _instant(self, text: str) -> _Instant:
        for read in self._formats:
            try:
                found = read(text)
            except (ValueError, OverflowError):
                continue
            break
        else:
            raise _Bad(
                f"“{_short(text)}” is no time as the map’s datetime_formats write it ({', '.join(self.asked.datetime_formats)})."
            )
        if not 1900 <= found.year <= 2199:
            raise _Bad(f"“{_short(text)}” lies outside the years 1900 to 2199.")
        if found.tzinfo is not None:
            at = found.astimezone(dt.UTC)
            return _Instant(at, at.astimezone(self.zone).replace(tzinfo=None))
        day = found.date()
        try:
            offset = self._days[day]
        except KeyError:
            if len(self._days) > 20_000:
                self._days.clear()
            offset = self._days[day] = _steady_offset(day, self.zone)
        if offset is not None:
            return _Instant((found - offset).replace(tzinfo=dt.UTC), found)
        at = instant_of(day, found.time(), self.zone)
        local = at.astimezone(self.zone).replace(tzinfo=None)
        if local != found:
            self.skipped_times += 1
            return _Instant(at, local)
        again = found.replace(tzinfo=self.zone, fold=1).astimezone(dt.UTC)
        if again != at:
            self.double_times += 1
            return _Instant(at, local, again)
        return _Instant(at, local)

    def _place(self, cell: Mapping[str, str], bad: list[Rejected]) -> tuple[float | None, float | None]:
        found: list[float | None] = []
        for ours, most in (("latitude", 90), ("longitude", 180)):
            text = cell.get(ours, "")
            number = None
            if text:
                try:
                    number = float(text)
                except ValueError:
                    number = math.nan
                if not abs(number) <= most:
                    column = self.asked.columns[ours]
                    bad.append(
                        Rejected(
                            column, text, f"“{column}”: “{_short(text)}” is no {ours} in degrees (at most {most})."
                        )
                    )
                    number = None
            found.append(number)
        latitude, longitude = found
        # Half a place is none, and exports write 0, 0 for a place nobody knows.
        if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
            return None, None
        return latitude, longitude

    def _state(self, cell: Mapping[str, str], has_closing_time: bool, bad: list[Rejected]) -> str:
        word = cell.get("status", "")
        if not word:
            return self._closed_state if has_closing_time else self.states.first
        state = self.asked.status.get(word) or self._words["status"].get(fold(word))
        if state is None and word.casefold() in (*self.states.states, *PLAIN_STATES):
            state = word.casefold()
        if state is None:
            column = self.asked.columns["status"]
            bad.append(
                Rejected(
                    column, word, f"“{column}”: “{_short(word)}” is not in the map’s [status]. Add what it means here."
                )
            )
            return self.states.first
        return self.states.first if state in PLAIN_STATES and state not in self.states.states else state

    def _channel(self, word: str) -> str:
        """Our channel; a word the map does not name stays what it is, as a code."""
        if not word:
            return "unknown"
        known = self.asked.channel.get(word)
        if known is None:
            words = self._words["channel"]
            known = words.get(fold(word)) or code_of(word, 20)
            if len(words) < 10_000:
                words[fold(word)] = known
        return known


_STORED = {
    "opened": ("opened_at",), "closed": (), "due": ("due_at",), "request_type": ("request_type_code",), "group": ("group_name",),
    "description": ("description",), "address": ("address",), "latitude": ("latitude",), "longitude": ("longitude",),
    "district": ("district",), "channel": ("channel",), "department": ("department_code",), "division": ("division_code",),
    "status": (),
}  # fmt: skip
"""What of a request the digest takes for each column of the map."""


@dataclass(frozen=True, slots=True)
class _Instant:
    """A time of the file: the instant, the clock at the source, and the later instant when that clock showed it twice."""

    at: dt.datetime
    local: dt.datetime
    again: dt.datetime | None = None


def _reader_of(form: str) -> Callable[[str], dt.datetime]:
    if form == ISO:
        return dt.datetime.fromisoformat
    between = _ISO_SECONDS.get(form)
    if between is None:
        return lambda text: dt.datetime.strptime(text, form)  # noqa: DTZ007  # the map's zone is added afterwards

    def quick(text: str) -> dt.datetime:
        # The common form, read ten times faster; whatever is not exactly in it takes the slow road.
        if len(text) == 19 and text[4] == text[7] == "-" and text[10] == between and text[13] == text[16] == ":":
            return dt.datetime.fromisoformat(text)
        return dt.datetime.strptime(text, form)  # noqa: DTZ007  # as above

    return quick


def _steady_offset(day: dt.date, zone: ZoneInfo) -> dt.timedelta | None:
    """The zone's offset from UTC on a day, None when it may change on it or right beside it."""
    noon = dt.datetime.combine(day, dt.time(12))
    around = {
        (noon + dt.timedelta(hours=hours)).replace(tzinfo=zone, fold=fold_).utcoffset()
        for hours in range(-18, 19, 3)
        for fold_ in (0, 1)
    }
    return around.pop() if len(around) == 1 else None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
