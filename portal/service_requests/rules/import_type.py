"""Request types of other cities: Open311 GeoReport service lists and definitions (JSON and XML), tables of types, our own files.

A file becomes proposals: what it says of each type, and nothing it does not say. What cannot be a type is refused by place,
field and remedy; the rest of the file goes on.
"""

from __future__ import annotations

import csv
import io
import json
import math
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules.answer import tidy
from portal.service_requests.rules.design import split_words
from portal.service_requests.rules.import_row import code_of
from portal.service_requests.rules.request_type import DATATYPES, LISTS, QUESTION_MOST, RESERVED, WORDS_MOST
from portal.shared.toml_text import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

FILE_MOST_BYTES = 20 * 1024 * 1024
TYPES_MOST = 5_000
TREE, TARGETS = ("TYPE", "REASON"), ("TYPE", "median_days")
"""Headers by which a table is known: a tree of types, and the days they took."""

NEW = {
    "kind": "action_order",
    "place": "place",
    "disposition": [
        {"code": "done", "name": "Done"},
        {"code": "not_needed", "name": "Nothing to do", "requires_note": True},
    ],
}
"""What a type that came without it begins with."""


class BadFile(ValueError):
    """A file that cannot be read at all; one sentence with the remedy."""


@dataclass(frozen=True)
class Proposal:
    """What a file says of one type."""

    where: str
    detail: Mapping[str, Any]
    whole: bool = False
    """A definition of our own, complete as it stands; otherwise what an existing type has is kept where the file is silent."""


@dataclass(frozen=True)
class Reject:
    """What could not be taken, where it stands, and why."""

    where: str
    field: str
    reason: str


@dataclass
class Proposals:
    """Everything found in the files."""

    found: dict[str, Proposal] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    read: int = 0

    def reject(self, where: str, field_name: str, reason: str) -> None:
        self.rejects.append(Reject(where, field_name, reason))

    def add(self, where: str, code: str, detail: Mapping[str, Any], *, whole: bool = False) -> None:
        if code in self.found:
            before = self.found[code]
            if before.whole or whole:
                self.reject(
                    where, "code", f"The code “{code}” is there already, in {before.where}. Give it another code."
                )
                return
            detail = {**before.detail, **detail}
            where = before.where
        self.found[code] = Proposal(where, detail, whole)


def read_files(files: Sequence[tuple[str, bytes]]) -> Proposals:
    """The proposals of some files together: a service list and its definitions belong to each other by their service code.
    Raises `BadFile` for a file nothing can be read from."""
    out = Proposals()
    services: dict[str, tuple[str, Mapping[str, Any]]] = {}
    definitions: list[tuple[str, Mapping[str, Any]]] = []
    for name, content in files:
        if len(content) > FILE_MOST_BYTES:
            raise BadFile(f"{name} has {len(content):,} bytes; {FILE_MOST_BYTES:,} is the most. Split it.")
        if not content.strip():
            raise BadFile(f"{name} is empty. Choose the file with the types.")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadFile(f"{name} is no text in UTF-8 (byte {error.start}). Save it as UTF-8.") from None
        if name.lower().endswith(".toml"):
            _own(out, name, text)
        elif text.lstrip()[:1] in ("[", "{"):
            _open311(out, name, _json(name, text), services, definitions)
        elif text.lstrip()[:1] == "<":
            _open311(out, name, _xml(name, text), services, definitions)
        else:
            _table(out, name, text)
    _join(out, services, definitions)
    if out.read > TYPES_MOST:
        raise BadFile(f"There are {out.read:,} types; {TYPES_MOST:,} is the most. Split the file.")
    return out


# --- our own files ----------------------------------------------------------------------------------------------------


def _own(out: Proposals, name: str, text: str) -> None:
    out.read += 1
    try:
        detail = read_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"{name} cannot be read: {error}. Correct that place.") from None
    code = detail.get("code")
    if not isinstance(code, str):
        out.reject(name, "code", "“code” is missing. Write it as lower-case letters, digits and _.")
        return
    out.add(name, code, detail, whole=True)


# --- Open311 ----------------------------------------------------------------------------------------------------------


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadFile(f"{name} is no JSON: {error}. Ask for the file again, or correct that place.") from None


def _xml(name: str, text: str) -> Any:
    from xml.etree import ElementTree

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadFile(
            f"{name} declares a document type or entities, which Open311 has none of. Remove the declaration."
        )
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  # entities were refused above, nothing outside is fetched
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise BadFile(f"{name} is no XML: {error}. Ask for the file again, or correct that place.") from None
    if root.tag == "service_definition":
        return [_definition_of(root)]
    if root.tag in ("services", "service_definitions"):
        return [_definition_of(each) if each.tag == "service_definition" else _plain(each) for each in root]
    raise BadFile(
        f"{name} begins with <{root.tag[:40]}>. An Open311 file begins with <services> or <service_definition>."
    )


def _plain(element: Element) -> dict[str, str]:
    return {child.tag: (child.text or "").strip() for child in element}


def _definition_of(element: Element) -> dict[str, Any]:
    attributes = []
    for attribute in element.iterfind("./attributes/attribute"):
        plain: dict[str, Any] = _plain(attribute)
        plain["values"] = [_plain(value) for value in attribute.iterfind("./values/value")]
        attributes.append(plain)
    return {"service_code": (element.findtext("service_code") or "").strip(), "attributes": attributes}


def _open311(
    out: Proposals,
    name: str,
    given: Any,
    services: dict[str, tuple[str, Mapping[str, Any]]],
    definitions: list[tuple[str, Mapping[str, Any]]],
) -> None:
    if isinstance(given, dict):
        given = given.get("services", given.get("service_definition", given))
    items = given if isinstance(given, list) else [given]
    for at, item in enumerate(items, start=1):
        where = f"{name}, service {at}"
        if not isinstance(item, dict):
            out.read += 1
            out.reject(
                where, "service_code", "This is no service. Each one is an object with service_code and service_name."
            )
            continue
        code = str(item.get("service_code") or "").strip()
        if item.get("service_name") is None:
            if "attributes" not in item:
                out.read += 1
                out.reject(where, "service_name", "“service_name” is missing. Give the service its name.")
            else:
                definitions.append((where, item))
            continue
        out.read += 1
        if not code:
            out.reject(where, "service_code", "“service_code” is missing. Give the service its code.")
        elif code in services:
            out.reject(where, "service_code", f"The service code “{code[:60]}” is there twice. Give each its own.")
        else:
            services[code] = (where, item)
            if "attributes" in item:
                definitions.append((where, item))


def _join(
    out: Proposals,
    services: Mapping[str, tuple[str, Mapping[str, Any]]],
    definitions: Sequence[tuple[str, Mapping[str, Any]]],
) -> None:
    fields: dict[str, tuple[list[dict[str, Any]], str]] = {}
    for where, item in definitions:
        code = str(item.get("service_code") or "").strip()
        if code not in services:
            out.read += 1
            out.reject(
                where, "service_code",
                f"The definition is of the service “{code[:60]}”, which no list here names. Give the list of services in the "
                "same command.",
            )  # fmt: skip
            continue
        fields[code] = _fields(item.get("attributes"))
    for code, (where, item) in services.items():
        name = " ".join(tidy(str(item["service_name"])).split())
        if not name:
            out.reject(where, "service_name", "“service_name” is empty. Give the service its name.")
            continue
        detail: dict[str, Any] = {"name": name}
        if group := tidy(str(item.get("group") or "")):
            detail["group"] = group
        keywords = item.get("keywords") or ""
        words = split_words(keywords if isinstance(keywords, str) else ",".join(map(str, keywords)))
        if words:
            detail["synonyms"] = [word[:60] for word in words][:60]
        asked, said = fields.get(code, ([], ""))
        hint = "\n".join(part for part in (tidy(str(item.get("description") or "")), said) if part)
        if hint and hint != name:
            detail["text"] = {"representative": hint[:WORDS_MOST]}
        if asked:
            detail["field"] = asked
        out.add(where, code_of(str(item.get("key") or name)), detail)


def _fields(given: Any) -> tuple[list[dict[str, Any]], str]:
    """(questions, text to show) of a definition's attributes; an attribute that is no variable is only text."""
    fields: list[dict[str, Any]] = []
    said: list[str] = []
    attributes = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    for attribute in sorted(attributes, key=_order):
        question = " ".join(tidy(str(attribute.get("description") or attribute.get("code") or "")).split())
        if not _true(attribute.get("variable", True)):
            said.append(question)
            continue
        code = code_of(str(attribute.get("code") or question), 50)
        taken = {each["code"] for each in fields}
        if code in RESERVED:
            code = f"{code}_asked"
        if code in taken:
            code = f"{code}_{len(fields) + 1}"
        datatype = str(attribute.get("datatype") or "string")
        one: dict[str, Any] = {
            "code": code,
            "datatype": datatype if datatype in DATATYPES else "string",
            "required": _true(attribute.get("required", False)),
            "description": question if len(question) <= QUESTION_MOST else question[: QUESTION_MOST - 1] + "…",
        }
        hint = tidy(str(attribute.get("datatype_description") or ""))
        if len(question) > QUESTION_MOST:
            hint = question
        if hint:
            one["help"] = hint[:300]
        if datatype in LISTS:
            values = [each for each in attribute.get("values") or () if isinstance(each, dict)]
            keys: dict[str, str] = {}
            for value in values:
                words = " ".join(tidy(str(value.get("name") or value.get("key") or "")).split())
                if words:
                    keys.setdefault(code_of(str(value.get("key") or words), 50), words[:80])
            one["values"] = [{"key": key, "name": words} for key, words in keys.items()]
        fields.append(one)
    return fields, "\n".join(said)


def _order(attribute: Mapping[str, Any]) -> float:
    try:
        return float(attribute.get("order") or 0)
    except (TypeError, ValueError):
        return 0


def _true(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("true", "1", "yes")


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(out: Proposals, name: str, text: str) -> None:
    if "\x00" in text:
        raise BadFile(f"{name} holds NUL characters. Save it as text.")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    headers = tuple(rows.fieldnames or ())
    if all(header in headers for header in TARGETS):
        _targets(out, name, rows)
    elif all(header in headers for header in TREE):
        _tree(out, name, rows)
    else:
        raise BadFile(
            f"{name} is neither an Open311 file nor a table of types. A table has the columns {' and '.join(TREE)}, or "
            f"{' and '.join(TARGETS)}."
        )


def _tree(out: Proposals, name: str, rows: csv.DictReader[str]) -> None:
    """A type may stand in several rows (one for each queue): its group is the one most of its requests had."""
    counted: dict[str, dict[str, int]] = {}
    names: dict[str, tuple[str, str]] = {}
    for row in rows:
        where = f"{name}, line {rows.line_num}"
        words, group = (" ".join(tidy(str(row.get(header) or "")).split()) for header in TREE)
        if not words or not group:
            out.read += 1
            out.reject(
                where,
                "REASON" if words else "TYPE",
                "A type needs its name in TYPE and its group in REASON. Fill both in.",
            )
            continue
        code = code_of(words)
        if code not in names:
            out.read += 1
            names[code] = (where, words)
        times = row.get("n") or "1"
        groups = counted.setdefault(code, {})
        groups[group] = groups.get(group, 0) + (int(times) if times.isdecimal() and len(times) < 12 else 1)
    for code, (where, words) in names.items():
        groups = counted[code]
        out.add(where, code, {"name": words, "group": max(groups, key=lambda group: groups[group])})


def _targets(out: Proposals, name: str, rows: csv.DictReader[str]) -> None:
    for row in rows:
        where = f"{name}, line {rows.line_num}"
        out.read += 1
        words = " ".join(tidy(str(row.get("TYPE") or "")).split())
        if not words:
            out.reject(where, "TYPE", "The type has no name. Fill it in.")
            continue
        try:
            days = float(row.get("median_days") or "")
        except ValueError:
            days = math.nan
        if not 0 <= days <= 3660:
            out.reject(
                where, "median_days", f"“{str(row.get('median_days'))[:40]}” is no number of days from 0 to 3,660."
            )
            continue
        count = max(1, math.ceil(days))
        rule = f"{count} calendar day{'' if count == 1 else 's'}"
        out.add(
            where, code_of(words),
            {"name": words, "sla": {"calendar": "office", "target": {"calendar_days": count}, "rule": rule}},
        )  # fmt: skip
