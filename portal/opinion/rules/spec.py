"""A survey's description: which column of the file is which question, on what scale, asked when, of whom and how.

The TOML file is described in `docs/import-survey.md`; the ones of known surveys ship as packs (`db/packs/<city>/survey/`).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from portal.shared.csv_rows import BadFile
from portal.shared.text import sensitive_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

METHOD: Final = {
    "asked_by": "Who asked and paid",
    "chosen": "How people were chosen",
    "response_rate": "Response rate",
    "weights": "Weights",
    "wording": "Question wording",
    "limits": "Limits",
}
"""What a survey must disclose besides its population, mode, dates and number of answers (after AAPOR's disclosure list)."""
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_NUMBER = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,3})?")
_WEIGHT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,15})?")
LONGEST_COMMENT: Final = 4000


@dataclass(frozen=True)
class Scale:
    """The points of a question, which of them count as satisfied, and which codes mean “don't know”."""

    low: float
    high: float
    satisfied: tuple[float, ...]
    step: float = 1.0
    dont_know: tuple[float, ...] = ()
    labels: Mapping[str, float] = field(default_factory=dict)
    """Words of the file that stand for points: “Very satisfied” = 5."""

    def holds(self, value: float) -> bool:
        """Whether a number is a point of this scale."""
        return self.low <= value <= self.high and (value - self.low) % self.step == 0

    def in_words(self) -> str:
        steps = "" if self.step == 1 else f" in steps of {self.step:g}"
        return f"{self.low:g} to {self.high:g}{steps}"


@dataclass(frozen=True)
class Item:
    """One question."""

    code: str
    column: str
    name: str
    wording: str
    topic: str
    main: bool
    scale: Scale

    def stored(self) -> dict[str, Any]:
        """As a wave keeps it."""
        return {
            "code": self.code,
            "name": self.name,
            "wording": self.wording,
            "topic": self.topic,
            "main": self.main,
            "scale": [self.scale.low, self.scale.high],
            "satisfied": list(self.scale.satisfied),
            "dont_know": list(self.scale.dont_know),
        }


@dataclass(frozen=True)
class Wave:
    """One asking: its value in the wave column, and its method card."""

    code: str
    value: str
    name: str
    mode: str
    population: str
    asked_from_on: dt.date
    asked_to_on: dt.date
    comparable: str
    method: Mapping[str, str]


@dataclass(frozen=True)
class Spec:
    """A survey's file in full."""

    survey: str
    survey_name: str
    encoding: str
    blank: frozenset[str]
    respondent_column: str
    wave_column: str
    district_column: str
    districts: Mapping[str, str]
    """Name by the file's value; empty: values are names."""
    mode_column: str
    weight_column: str
    """How many of the population each answer stands for; empty: each counts as one."""
    comments: Mapping[str, str]
    """Name by column."""
    waves: tuple[Wave, ...]
    items: tuple[Item, ...]

    def columns(self) -> list[str]:
        """Every column the file must have."""
        named = [
            self.respondent_column, self.wave_column, self.district_column, self.mode_column, self.weight_column,
        ]  # fmt: skip
        return [name for name in [*named, *(item.column for item in self.items), *self.comments] if name]


class _Reader:
    """Takes a table of the file apart and gathers what is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def text(
        self, table: Mapping[str, Any], key: str, where: str, default: str | None = None, longest: int = 2000
    ) -> str:
        value = table.get(key, default)
        if isinstance(value, str) and (value.strip() or default is not None) and len(value) <= longest:
            return value.strip()
        wanted = f"text of at most {longest} characters" if isinstance(value, str) and value.strip() else "text"
        self.problems.append(f"{where}: {key} must be given as {wanted}.")
        return ""

    def code(self, table: Mapping[str, Any], where: str, key: str = "code") -> str:
        value = self.text(table, key, where, longest=40)
        if value and not _CODE.fullmatch(value):
            self.problems.append(f"{where}: {key} “{value}” may hold small letters, digits, - and _ only.")
        return value

    def numbers(self, table: Mapping[str, Any], key: str, where: str) -> tuple[float, ...]:
        value = table.get(key, [])
        if isinstance(value, list) and all(_is_number(each) for each in value):
            return tuple(float(each) for each in value)
        self.problems.append(f"{where}: {key} must be a list of numbers, like [4, 5].")
        return ()

    def number(self, table: Mapping[str, Any], key: str, where: str, default: float | None = None) -> float:
        value = table.get(key, default)
        if _is_number(value):
            return float(value)
        self.problems.append(f"{where}: {key} must be a number.")
        return 0.0

    def day(self, table: Mapping[str, Any], key: str, where: str) -> dt.date:
        value = table.get(key)
        if isinstance(value, str):  # as packs hand it on
            try:
                value = dt.date.fromisoformat(value)
            except ValueError:
                value = None
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        self.problems.append(f"{where}: {key} must be a day, like 2026-03-31.")
        return dt.date.min

    def table(self, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = table.get(key, {})
        if isinstance(value, dict):
            return value
        self.problems.append(f"{key} must be a table.")
        return {}

    def tables(self, table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            return value
        self.problems.append(f"[[{key}]] must be tables.")
        return []

    def only(self, table: Mapping[str, Any], known: str, where: str) -> None:
        unknown = [key for key in table if key not in known.split()]
        self.problems += [f"{where}: there is no key “{key}”. Known are {', '.join(known.split())}." for key in unknown]

    def each_once(self, values: list[str], what: str) -> None:
        self.problems += [
            f"{what} “{value}” is there twice." for value in sorted({v for v in values if v and values.count(v) > 1})
        ]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read_spec(detail: Mapping[str, Any]) -> Spec:
    """The description as the import uses it. Raises `BadFile` with every problem at once."""
    read = _Reader()
    read.only(
        detail,
        "code name position effective_from survey survey_name encoding blank respondent_column wave_column district_column "
        "district mode_column weight_column scale wave item comment",
        "The file",
    )
    blank = detail.get("blank", [""])
    if not (isinstance(blank, list) and all(isinstance(each, str) for each in blank)):
        read.problems.append('blank must be a list of texts, like ["", "NA"].')
        blank = []
    scales = {name: _scale(read, table, f"[scale.{name}]") for name, table in read.table(detail, "scale").items()}
    districts = {str(value): str(name) for value, name in read.table(detail, "district").items()}
    wave_tables = read.tables(detail, "wave")
    spec = Spec(
        survey=read.code(detail, "The file", "survey"),
        survey_name=read.text(detail, "survey_name", "The file", longest=160),
        encoding=read.text(detail, "encoding", "The file", "utf-8"),
        blank=frozenset(["", *blank]),
        respondent_column=read.text(detail, "respondent_column", "The file"),
        wave_column=read.text(detail, "wave_column", "The file", ""),
        district_column=read.text(detail, "district_column", "The file", ""),
        districts=districts,
        mode_column=read.text(detail, "mode_column", "The file", ""),
        weight_column=read.text(detail, "weight_column", "The file", ""),
        comments=_comments(read, detail),
        waves=tuple(_wave(read, table, f"[[wave]] {at}") for at, table in enumerate(wave_tables, 1)),
        items=tuple(
            _item(read, table, scales, f"[[item]] {at}") for at, table in enumerate(read.tables(detail, "item"), 1)
        ),
    )
    if not spec.waves:
        read.problems.append("There is no [[wave]]: say when and how the survey was asked.")
    if not spec.items:
        read.problems.append("There is no [[item]]: name at least one question.")
    if len(spec.waves) > 1 and not spec.wave_column:
        read.problems.append("With several [[wave]] the file needs wave_column, the column that tells them apart.")
    read.each_once([wave.code for wave in spec.waves], "The wave")
    read.each_once([wave.value for wave in spec.waves], "The value of a wave")
    read.each_once([item.code for item in spec.items], "The item")
    read.each_once([item.column for item in spec.items], "The column of an item")
    # Names stand in addresses and choices: two alike could not be told apart there.
    read.each_once([item.name for item in spec.items], "The name of an item")
    read.each_once([wave.name for wave in spec.waves], "The name of a wave")
    read.each_once(list(spec.districts.values()), "The name of a district")
    if read.problems:
        raise BadFile(read.problems)
    return spec


def _scale(read: _Reader, table: Any, where: str) -> Scale:
    if not isinstance(table, dict):
        read.problems.append(f"{where} must be a table.")
        return Scale(0, 0, ())
    read.only(table, "low high step satisfied dont_know labels", where)
    labels = read.table(table, "labels")
    scale = Scale(
        low=read.number(table, "low", where),
        high=read.number(table, "high", where),
        step=read.number(table, "step", where, 1.0),
        satisfied=read.numbers(table, "satisfied", where),
        dont_know=read.numbers(table, "dont_know", where),
        labels={str(word): float(points) for word, points in labels.items() if _is_number(points)},
    )
    if scale.step not in (1.0, 0.5):
        read.problems.append(f"{where}: step must be 1 or 0.5.")
    elif scale.low >= scale.high:
        read.problems.append(f"{where}: low must be below high.")
    else:
        if not scale.satisfied:
            read.problems.append(f"{where}: satisfied must say which points count as satisfied, like [4, 5].")
        off = [value for value in scale.satisfied if not scale.holds(value)]
        read.problems += [
            f"{where}: satisfied holds {value:g}, which is not on the scale ({scale.in_words()})." for value in off
        ]
        both = [value for value in scale.dont_know if scale.holds(value)]
        read.problems += [f"{where}: {value:g} cannot mean “don't know”: it is a point of the scale." for value in both]
    if len(scale.labels) < len(labels):
        read.problems.append(f'{where}: labels must give a number for each word, like "Very satisfied" = 5.')
    return scale


def _wave(read: _Reader, table: Mapping[str, Any], where: str) -> Wave:
    read.only(table, "code value name mode population asked_from_on asked_to_on comparable method", where)
    method = read.table(table, "method")
    read.only(method, " ".join(METHOD), f"{where} method")
    wave = Wave(
        code=read.code(table, where),
        value=read.text(table, "value", where, ""),
        name=read.text(table, "name", where, longest=160),
        mode=read.text(table, "mode", where, longest=40),
        population=read.text(table, "population", where),
        asked_from_on=read.day(table, "asked_from_on", where),
        asked_to_on=read.day(table, "asked_to_on", where),
        comparable=read.text(table, "comparable", where, "", longest=200),
        method={key: read.text(method, key, f"{where} method", "") for key in method if key in METHOD},
    )
    if wave.asked_to_on < wave.asked_from_on:
        read.problems.append(f"{where}: asked_to_on lies before asked_from_on.")
    return wave


def _item(read: _Reader, table: Mapping[str, Any], scales: Mapping[str, Scale], where: str) -> Item:
    read.only(table, "code column name wording topic main scale", where)
    scale = table.get("scale")
    if isinstance(scale, dict):
        scale = _scale(read, scale, f"{where} scale")
    elif isinstance(scale, str) and scale in scales:
        scale = scales[scale]
    else:
        read.problems.append(
            f"{where}: scale must name one of the scales of the file ({', '.join(scales) or 'there is none'})."
        )
        scale = Scale(0, 1, ())
    name = read.text(table, "name", where, longest=160)
    return Item(
        code=read.code(table, where),
        column=read.text(table, "column", where),
        name=name,
        wording=read.text(table, "wording", where, name) or name,
        topic=read.text(table, "topic", where, "", longest=80),
        main=table.get("main") is True,
        scale=scale,
    )


def _comments(read: _Reader, detail: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for at, table in enumerate(read.tables(detail, "comment"), 1):
        where = f"[[comment]] {at}"
        read.only(table, "column name", where)
        column = read.text(table, "column", where)
        found[column] = read.text(table, "name", where, column)
    return found


# --- one row ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answers:
    """What one person answered, as it is kept."""

    external_id: str
    wave: str
    """The wave's code."""
    district: str
    mode: str
    comment: str
    given: Mapping[str, float]
    """Points (or the code of “don't know”) by item."""
    weight: float | None = None


@dataclass(frozen=True)
class Left:
    """A cell, or with an empty column the row, that is left out."""

    column: str
    value: str
    reason: str


def read_answers(spec: Spec, cells: Mapping[str, str]) -> tuple[Answers | None, list[Left]]:
    """One row of the file, and what of it is left out. A cell that cannot be right is left out by itself: a slip in one answer
    does not void the others. None when the row has no number or belongs to no wave."""
    left: list[Left] = []

    def cell(column: str) -> str:
        value = cells[column].strip() if column else ""
        return "" if value in spec.blank else value

    external_id, wave = cell(spec.respondent_column), _wave_of(spec, cells)
    if not external_id or len(external_id) > 80:
        return None, [
            Left(
                spec.respondent_column,
                external_id,
                "The row has no number of its answer (or one of more than 80 characters).",
            )
        ]
    if wave is None:
        value = cells[spec.wave_column].strip()
        known = ", ".join(each.value for each in spec.waves)
        return None, [Left(spec.wave_column, value, f"No wave of the description has this value; there are {known}.")]
    weight = None
    if spec.weight_column:
        written = cell(spec.weight_column)
        weight = float(Decimal(written)) if _WEIGHT.fullmatch(written) else 0.0
        if not weight:
            why = "The row has no weight above 0 (a plain number, like 1.25): without one it cannot be counted with the others."
            return None, [Left(spec.weight_column, written, why)]
    given: dict[str, float] = {}
    for item in spec.items:
        value = cell(item.column)
        if not value:
            continue
        points = item.scale.labels.get(value)
        if points is None and _NUMBER.fullmatch(value):
            points = float(Decimal(value))
        if points is None:
            left.append(Left(item.column, value, f"“{item.name}” is answered with a number, {item.scale.in_words()}."))
        elif points in item.scale.dont_know or item.scale.holds(points):
            given[item.code] = points
        else:
            left.append(
                Left(item.column, value, f"{value} is not on the scale of “{item.name}”: {item.scale.in_words()}.")
            )
    district = cell(spec.district_column)
    if district and (len(district) > 40 or (spec.districts and district not in spec.districts)):
        known = ", ".join(spec.districts) or "texts of at most 40 characters"
        left.append(Left(spec.district_column, district, f"There is no such district; the description has {known}."))
        district = ""
    mode = cell(spec.mode_column)
    if len(mode) > 20:
        left.append(Left(spec.mode_column, mode, "The way of answering is longer than 20 characters."))
        mode = ""
    return Answers(external_id, wave.code, district, mode, _comment_of(spec, cell, left), given, weight), left


def _wave_of(spec: Spec, cells: Mapping[str, str]) -> Wave | None:
    if not spec.wave_column:
        return spec.waves[0]
    value = cells[spec.wave_column].strip()
    return next((wave for wave in spec.waves if wave.value == value), None)


def _comment_of(spec: Spec, cell: Any, left: list[Left]) -> str:
    """What the person wrote, each column on a line of its own."""
    lines = []
    for column, name in spec.comments.items():
        words = " ".join(cell(column).replace("\0", "").split())
        if not words:
            continue
        sensitive = sensitive_sentence(words, f"“{name}”")
        if sensitive is not None:
            left.append(Left(column, "(not repeated here)", sensitive))
        elif len(words) > LONGEST_COMMENT:
            left.append(Left(column, words, f"“{name}” is longer than {LONGEST_COMMENT:,} characters."))
        else:
            lines.append(words if len(spec.comments) == 1 else f"{name}: {words}")
    return "\n".join(lines)
