"""What a request type is: its questions, clock, closing reasons and routing, as its pack file says them; and what is wrong
with a file that says them badly.

The field vocabulary is Open311's (`code`, `datatype`, `required`, `order`, `description`, `values`). There are nine kinds of
field and no expressions: a condition is only `show_when = {field, is}`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules import clock
from portal.shared.problem import Problem
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DATATYPES = (
    "string", "text", "number", "datetime", "singlevaluelist", "multivaluelist", "address", "photo", "account",
)  # fmt: skip
LISTS = ("singlevaluelist", "multivaluelist")
KINDS = {"cars": "CARS request", "action_order": "Citizen action order", "work": "Field and office work"}
PRIORITIES = ("urgent", "high", "normal", "low")
PLACES = ("premise", "place", "none")
"""Where a request of this type lies: at a premise, at a spot that may be none, or nowhere."""
SCOPES = ("premise", "metres")

OUTCOMES = {"advised": "No request needed: advise", "refused": "Refused, with the reason"}
"""What an answer can make of a call before a request is opened."""
MOMENTS = {"opened": "when it is opened", "closed": "when it is closed"}
"""When the citizen is written to."""
HOURS = ("open", "closed")

NAME_MOST, GROUP_MOST, QUESTION_MOST, WORDS_MOST = 120, 80, 120, 2000
"""The most characters of a name, a group, a question, and the words to say."""

RESERVED = ("type_code", "place", "address", "tell_by", "description", "channel")
"""Codes of the form's own fields: a question takes another."""

FIELDS_MOST, VALUES_MOST = 60, 200

_CODE = re.compile(r"[a-z][a-z0-9_]{0,58}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters no screen shows and no database keeps."""
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_TOP = {
    "code", "name", "group", "kind", "department", "division", "priority", "place", "synonyms", "position", "active",
    "effective_from", "sla", "duplicate", "text", "field", "disposition", "routing", "opened_by", "stop", "reply",
}  # fmt: skip
_FIELD = {"code", "datatype", "required", "order", "description", "help", "values", "show_when", "minimum", "maximum"}


@dataclass(frozen=True)
class Choice:
    """One value of a list: `key` is kept, `name` is read."""

    key: str
    name: str


@dataclass(frozen=True)
class Condition:
    """True when the answer to `field` is (or, for a list of answers, contains) one of `values`."""

    field: str
    values: tuple[str, ...]

    def holds(self, answers: Mapping[str, Any]) -> bool:
        given = answers.get(self.field)
        chosen = given if isinstance(given, (list, tuple)) else [given]
        return any(each in self.values for each in chosen if each is not None)


@dataclass(frozen=True)
class FieldSpec:
    """One question of a form."""

    code: str
    datatype: str
    description: str
    required: bool = False
    order: int = 0
    help: str = ""
    choices: tuple[Choice, ...] = ()
    show_when: Condition | None = None
    minimum: int | None = None
    maximum: int | None = None

    def name_of(self, key: str) -> str:
        """The words of a list's value; the key itself when it is not on the list."""
        return next((choice.name for choice in self.choices if choice.key == key), key)


@dataclass(frozen=True)
class Disposition:
    """How a request can end, and what that needs."""

    code: str
    name: str
    requires_note: bool = False
    state: str = ""
    """The closed state it leads to, where there is more than one."""
    requires_order: bool = False
    """Only after a work order of the request was done."""


@dataclass(frozen=True)
class RouteRow:
    """A row of the routing table: which division, where, for which answer and at which hours; nothing given means always."""

    division: str
    districts: tuple[str, ...] = ()
    when: Condition | None = None
    why: str = ""
    calendar: str | None = None
    """The row counts only while this calendar is open, or only while it is closed."""
    during: str = ""
    """`open` or `closed`, with a calendar."""


@dataclass(frozen=True)
class Stop:
    """An answer after which no request is opened: the caller is advised, or refused with a reason."""

    code: str
    when: Condition
    outcome: str
    """A key of `OUTCOMES`."""
    staff: str
    """The reason, for whoever sits at the desk."""
    caller: str
    """What to say."""


@dataclass(frozen=True)
class Reply:
    """Which letter goes out at a moment; of several the one that names the ending goes before the one for all."""

    moment: str
    """A key of `MOMENTS`."""
    letter: str
    """The code of the letter's template."""
    disposition: str = ""


@dataclass(frozen=True)
class Definition:
    """A request type in force, ready to be drawn, checked, routed and timed."""

    code: str
    name: str
    group: str
    kind: str
    department: str
    division: str | None
    priority: str
    place: str
    synonyms: tuple[str, ...]
    fields: tuple[FieldSpec, ...]
    dispositions: tuple[Disposition, ...]
    routes: tuple[RouteRow, ...]
    sla_calendar: str | None
    sla_target: Mapping[str, Any] | None
    sla_rule: str
    duplicate_scope: str
    duplicate_metres: int
    text_representative: str
    text_caller: str
    """May hold `{due}`, which becomes the due time in words."""
    opened_by: tuple[str, ...] = ()
    """The roles that may open one; none means everybody who opens requests."""
    stops: tuple[Stop, ...] = ()
    replies: tuple[Reply, ...] = ()

    def may_open(self, roles: Collection[str]) -> bool:
        """Whether somebody with these roles (codes) may open a request of this type."""
        return not self.opened_by or bool(set(self.opened_by) & set(roles))

    def letter(self, moment: str, disposition: str = "") -> str:
        """The letter for a moment: the one for this ending first, then the one for all; empty when there is none."""
        fits = [each for each in self.replies if each.moment == moment and each.disposition in ("", disposition)]
        return max(fits, key=lambda each: bool(each.disposition)).letter if fits else ""

    def field(self, code: str) -> FieldSpec | None:
        return next((field for field in self.fields if field.code == code), None)


def read_definition(detail: Mapping[str, Any]) -> Definition:
    """The definition a pack file holds. Refused with every problem when it holds none."""
    found = definition_problems(detail)
    if found:
        raise Refused(found, title="This request type cannot be used")
    sla, duplicate, text = detail.get("sla") or {}, detail.get("duplicate") or {}, detail.get("text") or {}
    fields = [_field(field, at) for at, field in enumerate(detail.get("field", ()))]
    return Definition(
        code=detail["code"],
        name=detail["name"],
        group=detail["group"],
        kind=detail["kind"],
        department=detail["department"],
        division=detail.get("division"),
        priority=detail.get("priority", "normal"),
        place=detail.get("place", "premise"),
        synonyms=tuple(detail.get("synonyms", ())),
        fields=tuple(sorted(fields, key=lambda field: field.order)),
        dispositions=tuple(
            Disposition(
                each["code"],
                each["name"],
                bool(each.get("requires_note", False)),
                requires_order=bool(each.get("requires_order", False)),
            )
            for each in detail["disposition"]
        ),
        routes=tuple(
            RouteRow(
                division=row["division"],
                districts=_several(row.get("district")),
                when=_condition(row.get("when")),
                why=row.get("why", ""),
                calendar=(row.get("hours") or {}).get("calendar"),
                during=(row.get("hours") or {}).get("is", ""),
            )
            for row in detail.get("routing", ())
        ),
        sla_calendar=sla.get("calendar"),
        sla_target=sla.get("target"),
        sla_rule=sla.get("rule", ""),
        duplicate_scope=duplicate.get("scope", "premise"),
        duplicate_metres=duplicate.get("metres", 50),
        text_representative=text.get("representative", ""),
        text_caller=text.get("caller", ""),
        opened_by=tuple(detail.get("opened_by", ())),
        stops=tuple(
            Stop(
                each["code"],
                Condition(each["when"]["field"], _several(each["when"]["is"])),
                each["outcome"],
                each["staff"],
                each["caller"],
            )
            for each in detail.get("stop", ())
        ),
        replies=tuple(
            Reply(each["when"], each["letter"], each.get("disposition", "")) for each in detail.get("reply", ())
        ),
    )


def _field(field: Mapping[str, Any], at: int) -> FieldSpec:
    return FieldSpec(
        code=field["code"],
        datatype=field["datatype"],
        description=field["description"],
        required=bool(field.get("required", False)),
        order=field.get("order", at + 1),
        help=field.get("help", ""),
        choices=tuple(Choice(value["key"], value["name"]) for value in field.get("values", ())),
        show_when=_condition(field.get("show_when")),
        minimum=field.get("minimum"),
        maximum=field.get("maximum"),
    )


def _several(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _condition(value: Mapping[str, Any] | None) -> Condition | None:
    return None if value is None else Condition(value["field"], _several(value["is"]))


# --- what is wrong with a file ----------------------------------------------------------------------------------------


def definition_problems(
    detail: Mapping[str, Any],
    *,
    divisions: Mapping[str, str] | None = None,
    calendars: Collection[str] | None = None,
    districts: Collection[str] | None = None,
    roles: Collection[str] | None = None,
    letters: Collection[str] | None = None,
) -> list[Problem]:
    """Each thing that keeps a file from being a request type, in words of the file; none when it is one.

    `divisions` maps every division's code to its department's, `calendars`, `districts`, `roles` and `letters` are those there are:
    each is checked when given. A problem's field is the key of the file at fault, or the code of the question.
    """
    code = detail.get("code")
    where = code if isinstance(code, str) and code else "this type"
    problems = [
        Problem(str(key), f"{where}: “{key}” is not a key of a request type. Remove it or correct its spelling.")
        for key in detail
        if key not in _TOP
    ]
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        problems.append(Problem("code", f"{where}: the code is lower-case letters, digits and _, at most 59."))
    for key, most in (("name", NAME_MOST), ("group", GROUP_MOST), ("department", 40)):
        if not _is_text(detail.get(key), most):
            problems.append(
                Problem(key, f"{where}: “{key}” is missing or too long. Write it as text of at most {most} characters.")
            )
    for key, allowed, given in (
        ("kind", tuple(KINDS), detail.get("kind")),
        ("priority", PRIORITIES, detail.get("priority", "normal")),
        ("place", PLACES, detail.get("place", "premise")),
    ):
        if given not in allowed:
            problems.append(Problem(key, f"{where}: “{key}” is one of {', '.join(allowed)}."))
    synonyms = detail.get("synonyms", [])
    if not isinstance(synonyms, list) or len(synonyms) > 60 or not all(_is_text(each, 60) for each in synonyms):
        problems.append(
            Problem("synonyms", f"{where}: “synonyms” is a list of words the public uses, at most 60 of 60 characters.")
        )
    problems += _field_problems(detail.get("field", []), where)
    problems += _clock_problems(detail.get("sla"), where, calendars)
    problems += _closing_problems(detail.get("disposition"), where)
    problems += _duplicate_problems(detail.get("duplicate"), where)
    problems += _text_problems(detail.get("text"), where)
    problems += _routing_problems(detail, where, divisions, calendars, districts)
    problems += _opener_problems(detail.get("opened_by"), where, roles)
    problems += _stop_problems(detail, where)
    problems += _reply_problems(detail, where, letters)
    if "effective_from" in detail:
        problems += _day_problems(detail["effective_from"], where)
    for key, kind in (("active", bool), ("position", int)):
        if key in detail and type(detail[key]) is not kind:
            words = "true or false" if kind is bool else "a whole number"
            problems.append(Problem(key, f"{where}: “{key}” is {words}."))
    return problems


def _day_problems(value: Any, where: str) -> list[Problem]:
    try:
        if isinstance(value, str) and 1900 <= dt.date.fromisoformat(value).year <= 2199:
            return []
    except ValueError:
        pass
    return [Problem("effective_from", f"{where}: “effective_from” is a day, like 2026-12-01.")]


def _opener_problems(given: Any, where: str, roles: Collection[str] | None) -> list[Problem]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        return [Problem("opened_by", f"{where}: “opened_by” is a list of roles; leave it out for everybody.")]
    known = f" Known are {', '.join(sorted(roles))}." if roles else ""
    return [
        Problem("opened_by", f"{where}: there is no role “{each[:60]}”.{known}")
        for each in given
        if roles is not None and each not in roles
    ]


def _stop_problems(detail: Mapping[str, Any], where: str) -> list[Problem]:
    rows = _tables(detail.get("stop", []))
    if rows is None:
        return [Problem("stop", f"{where}: answers that end a call are written as [[stop]] tables.")]
    problems: list[Problem] = []
    keys, seen = _value_keys(detail), set()
    for at, row in enumerate(rows, start=1):
        code, name = row.get("code"), f"{where}, stop {at}"
        if not isinstance(code, str) or not _CODE.fullmatch(code) or code in seen:
            problems.append(Problem("stop", f"{name}: give it a code of its own, lower-case letters, digits and _."))
        seen.add(code)
        if row.get("outcome") not in OUTCOMES or set(row) - {"code", "when", "outcome", "staff", "caller"}:
            problems.append(
                Problem(
                    "stop", f"{name}: has “code”, “when”, “outcome” ({' or '.join(OUTCOMES)}), “staff” and “caller”."
                )
            )
        for key, words in (("staff", "the reason for the desk"), ("caller", "what to say to the caller")):
            if not _is_text(row.get(key), 600):
                problems.append(Problem("stop", f"{name}: “{key}” is empty. Write {words}, at most 600 characters."))
        problems += _condition_problems(row.get("when"), keys, name, "stop")
    return problems


def _reply_problems(detail: Mapping[str, Any], where: str, letters: Collection[str] | None) -> list[Problem]:
    rows = _tables(detail.get("reply", []))
    if rows is None:
        return [Problem("reply", f"{where}: letters are written as [[reply]] tables.")]
    endings = {each.get("code") for each in _tables(detail.get("disposition", [])) or ()}
    problems: list[Problem] = []
    seen = set()
    for at, row in enumerate(rows, start=1):
        name = f"{where}, letter {at}"
        if row.get("when") not in MOMENTS or set(row) - {"when", "letter", "disposition"}:
            problems.append(
                Problem("reply", f"{name}: has “when” ({' or '.join(MOMENTS)}), “letter” and perhaps “disposition”.")
            )
        if not isinstance(row.get("letter"), str) or not _CODE.fullmatch(row["letter"]):
            problems.append(
                Problem("reply", f"{name}: “letter” is the code of a letter: lower-case letters, digits and _.")
            )
        elif letters is not None and row["letter"] not in letters:
            problems.append(
                Problem("reply", f"{name}: there is no letter “{row['letter']}”. Choose one that is there.")
            )
        ending = row.get("disposition", "")
        if ending and (row.get("when") != "closed" or ending not in endings):
            problems.append(
                Problem("reply", f"{name}: “{str(ending)[:60]}” is no ending of this type, or it is not for closing.")
            )
        if (row.get("when"), str(ending)) in seen:
            problems.append(Problem("reply", f"{name}: there are two letters for the same moment. Remove one."))
        seen.add((row.get("when"), str(ending)))
    return problems


def _value_keys(detail: Mapping[str, Any]) -> dict[str, set[Any]]:
    """The keys of each question's values; empty for a question that is no list."""
    return {
        field["code"]: {value.get("key") for value in field.get("values", ()) if isinstance(value, dict)}
        for field in _tables(detail.get("field", [])) or ()
        if isinstance(field.get("code"), str) and isinstance(field.get("values", []), list)
    }


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= most and not _CONTROL.search(value)


def _is_text_or_empty(value: Any, most: int) -> bool:
    return value == "" or _is_text(value, most)


def _tables(value: Any) -> list[Mapping[str, Any]] | None:
    return value if isinstance(value, list) and all(isinstance(each, dict) for each in value) else None


def _field_problems(given: Any, where: str) -> list[Problem]:
    fields = _tables(given)
    if fields is None:
        return [Problem("field", f"{where}: questions are written as [[field]] tables.")]
    problems: list[Problem] = []
    keys: dict[str, set[str]] = {}
    if len(fields) > FIELDS_MOST:
        problems.append(Problem("field", f"{where}: {len(fields)} questions are too many. Keep to {FIELDS_MOST}."))
    for field in fields:
        code = field.get("code")
        name = f"{where}, field {code if isinstance(code, str) else '?'}"
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            problems.append(Problem("field", f"{name}: the code is lower-case letters, digits and _, at most 59."))
            continue
        if code in RESERVED:
            problems.append(Problem(code, f"{name}: this code belongs to the form itself. Choose another."))
        if code in keys:
            problems.append(Problem(code, f"{name}: the code is there twice."))
        for key in field:
            if key not in _FIELD:
                problems.append(
                    Problem(code, f"{name}: “{key}” is not a key of a field. Remove it or correct its spelling.")
                )
        datatype = field.get("datatype")
        if datatype not in DATATYPES:
            problems.append(Problem(code, f"{name}: “datatype” is one of {', '.join(DATATYPES)}."))
        if not _is_text(field.get("description"), 120):
            problems.append(
                Problem(code, f"{name}: “description”, the question itself, is missing or over 120 characters.")
            )
        if not isinstance(field.get("required", False), bool) or not isinstance(field.get("order", 0), int):
            problems.append(Problem(code, f"{name}: “required” is true or false and “order” a whole number."))
        for key in ("minimum", "maximum"):
            if key in field and (datatype != "number" or not isinstance(field[key], int)):
                problems.append(Problem(code, f"{name}: “{key}” is a whole number and belongs to a number."))
        low, high = field.get("minimum"), field.get("maximum")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            problems.append(Problem(code, f"{name}: “minimum” is above “maximum”. Swap the two."))
        if not _is_text_or_empty(field.get("help", ""), 300):
            problems.append(Problem(code, f"{name}: “help” is text of at most 300 characters."))
        keys[code] = set()
        values = _tables(field.get("values", []))
        if values is None or (datatype in LISTS) != bool(values):
            problems.append(Problem(code, f"{name}: “values” is the list of choices of a list, and of no other kind."))
            continue
        if len(values) > VALUES_MOST:
            problems.append(Problem(code, f"{name}: {len(values)} choices are too many. Keep to {VALUES_MOST}."))
        for value in values:
            key, words = value.get("key"), value.get("name")
            if not isinstance(key, str) or not _KEY.fullmatch(key) or not _is_text(words, 80) or key in keys[code]:
                problems.append(
                    Problem(code, f"{name}: each value has a key of its own and a name of at most 80 characters.")
                )
            else:
                keys[code].add(key)
    order = {str(field.get("code")): field.get("order", at + 1) for at, field in enumerate(fields)}
    for field in fields:
        if "show_when" in field:
            problems += _condition_problems(
                field["show_when"], keys, f"{where}, field {field.get('code')}", str(field.get("code"))
            )
            asked = field["show_when"].get("field") if isinstance(field["show_when"], dict) else None
            this, other = order.get(str(field.get("code"))), order.get(str(asked))
            if isinstance(this, int) and isinstance(other, int) and other >= this:
                problems.append(
                    Problem(
                        str(field.get("code")),
                        f"{where}, field {field.get('code')}: “{asked}” must be asked before it.",
                    )
                )
    return problems


def _condition_problems(condition: Any, keys: Mapping[str, set[str]], name: str, field: str) -> list[Problem]:
    if not isinstance(condition, dict) or set(condition) != {"field", "is"}:
        return [Problem(field, f'{name}: a condition is written {{ field = "…", is = "…" }}.')]
    asked, values = condition["field"], condition["is"]
    if not isinstance(asked, str) or not keys.get(asked):
        return [Problem(field, f"{name}: the condition names “{asked}”, which is no list among the questions.")]
    values = [values] if isinstance(values, str) else values
    if not isinstance(values, list) or not values or not all(isinstance(each, str) for each in values):
        return [Problem(field, f"{name}: the condition names no answer. Choose at least one.")]
    unknown = [each for each in values if each not in keys[asked]]
    return [Problem(field, f"{name}: “{each}” is no value of “{asked}”.") for each in unknown]


def _clock_problems(sla: Any, where: str, calendars: Collection[str] | None) -> list[Problem]:
    if sla is None:
        return []
    if not isinstance(sla, dict) or set(sla) - {"calendar", "target", "rule"} or not _is_text(sla.get("rule"), 120):
        return [Problem("sla", f"{where}: [sla] has “calendar”, “target” and “rule”, the promise in words.")]
    problems = []
    if not isinstance(sla.get("calendar"), str) or (calendars is not None and sla["calendar"] not in calendars):
        known = f" Known are {', '.join(sorted(calendars))}." if calendars else ""
        problems.append(Problem("sla", f"{where}: there is no calendar “{sla.get('calendar')}”.{known}"))
    try:
        clock.read_target(sla.get("target"), "sla")
    except Refused as refused:
        problems += [Problem("sla", f"{where}: {problem.message}") for problem in refused.problems]
    return problems


def _closing_problems(given: Any, where: str) -> list[Problem]:
    rows = _tables(given)
    if not rows:
        return [Problem("disposition", f"{where}: give at least one [[disposition]], a way the request can end.")]
    problems, seen = [], set()
    for row in rows:
        code = row.get("code")
        if (
            not isinstance(code, str) or not _CODE.fullmatch(code) or code in seen or not _is_text(row.get("name"), 120)
            or not isinstance(row.get("requires_note", False), bool) or not isinstance(row.get("requires_order", False), bool)
            or set(row) - {"code", "name", "requires_note", "requires_order"}
        ):  # fmt: skip
            problems.append(
                Problem(
                    "disposition",
                    f"{where}: each [[disposition]] has a code of its own, a name and perhaps requires_note and requires_order.",
                )
            )
        seen.add(code)
    return problems


def _duplicate_problems(duplicate: Any, where: str) -> list[Problem]:
    if duplicate is None:
        return []
    metres = duplicate.get("metres") if isinstance(duplicate, dict) else None
    if not isinstance(duplicate, dict) or duplicate.get("scope") not in SCOPES or set(duplicate) - {"scope", "metres"}:
        return [Problem("duplicate", f"{where}: [duplicate] has “scope” ({' or '.join(SCOPES)}) and “metres”.")]
    if not isinstance(metres, int) or not 1 <= metres <= 2000:
        return [Problem("duplicate", f"{where}: “metres” is a whole number from 1 to 2000.")]
    return []


def _text_problems(text: Any, where: str) -> list[Problem]:
    if text is None:
        return []
    if (
        not isinstance(text, dict)
        or set(text) - {"representative", "caller"}
        or not all(_is_text_or_empty(each, WORDS_MOST) for each in text.values())
    ):
        return [
            Problem(
                "text",
                f"{where}: [text] has “representative” and “caller”, both as text of at most {WORDS_MOST:,} characters.",
            )
        ]
    holes = set(re.findall(r"\{([^}]*)\}", text.get("caller", ""))) - {"due"}
    return [
        Problem("text", f"{where}: in the caller’s words only {{due}} can be filled in, not {{{hole}}}.")
        for hole in sorted(holes)
    ]


def _routing_problems(
    detail: Mapping[str, Any],
    where: str,
    divisions: Mapping[str, str] | None,
    calendars: Collection[str] | None,
    districts: Collection[str] | None,
) -> list[Problem]:
    rows = _tables(detail.get("routing", []))
    if rows is None:
        return [Problem("routing", f"{where}: routes are written as [[routing]] tables.")]
    problems = []
    keys = _value_keys(detail)
    named = [str(detail["division"])[:60]] if detail.get("division") is not None else []
    for at, row in enumerate(rows, start=1):
        name = f"{where}, route {at}"
        if not isinstance(row.get("division"), str) or set(row) - {"division", "district", "when", "hours", "why"}:
            problems.append(
                Problem(
                    "routing",
                    f"{name}: each [[routing]] has “division” and may have “district”, “when”, “hours” and “why”.",
                )
            )
            continue
        named.append(row["division"])
        if not _is_text_or_empty(row.get("why", ""), 200):
            problems.append(Problem("routing", f"{name}: “why” is text of at most 200 characters."))
        if "when" in row:
            problems += _condition_problems(row["when"], keys, name, "routing")
        if "hours" in row:
            problems += _hours_problems(row["hours"], name, calendars)
        areas = row.get("district", [])
        areas = [areas] if isinstance(areas, str) else areas
        if not isinstance(areas, list) or not all(isinstance(each, str) for each in areas):
            problems.append(Problem("routing", f"{name}: “district” is an area or a list of areas."))
        elif districts is not None:
            known = {each.casefold() for each in districts}
            problems += [
                Problem("routing", f"{name}: there is no area “{each[:60]}”. Choose one that is there, or none.")
                for each in areas
                if each.casefold() not in known
            ]
    if divisions is not None:
        problems += [
            Problem("division", f"{where}: there is no division “{each}”. Choose one that is there.")
            for each in named
            if each not in divisions
        ]
        if _is_text(detail.get("department"), 40) and detail["department"] not in divisions.values():
            problems.append(
                Problem("department", f"{where}: there is no department “{detail.get('department')}” with a division.")
            )
    return problems


def _hours_problems(hours: Any, name: str, calendars: Collection[str] | None) -> list[Problem]:
    if not isinstance(hours, dict) or set(hours) != {"calendar", "is"} or hours["is"] not in HOURS:
        return [Problem("routing", f'{name}: hours are written {{ calendar = "office", is = "closed" }}.')]
    if not isinstance(hours["calendar"], str) or (calendars is not None and hours["calendar"] not in calendars):
        return [
            Problem(
                "routing", f"{name}: there is no calendar “{str(hours['calendar'])[:60]}”. Choose one that is there."
            )
        ]
    return []
