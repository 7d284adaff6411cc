"""A request type while somebody designs it: a draft of plain values that a form can hold, and back to the definition.

A draft may be unfinished in any way; only `written` of a finished one is a definition. Reading a definition and writing it
again gives the same one in its plainest form (`plain`), so that a form opened and saved without a change changes nothing.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules.answer import tidy
from portal.service_requests.rules.import_row import code_of
from portal.service_requests.rules.request_type import LISTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Draft = dict[str, Any]
    Row = dict[str, Any]

SECTIONS = ("question", "route", "stop", "ending", "letter")
"""The lists of a draft. Each row has an `id` of its own, so that moving and renaming loses nothing."""

TARGETS = {
    "business_days": "Working days, same time of day",
    "working_days": "Next service day, by a time",
    "business_minutes": "Minutes while open",
    "calendar_days": "Calendar days",
}
"""The kinds of target, as an administrator chooses them."""

DATATYPES = {
    "singlevaluelist": "One of a list",
    "multivaluelist": "Any of a list",
    "string": "One line of text",
    "text": "Several lines of text",
    "number": "A number",
    "datetime": "A day",
    "address": "An address or place",
    "photo": "A photo",
    "account": "An account number",
}

NEW: dict[str, Any] = {
    "code": "",
    "name": "",
    "group": "",
    "kind": "action_order",
    "department": "",
    "place": "place",
    "sla": {"calendar": "office", "target": {"business_days": 3}, "rule": ""},
    "duplicate": {"scope": "metres", "metres": 100},
    "text": {"caller": "We look into it by {due}."},
    "disposition": [
        {"code": "done", "name": "Done"},
        {"code": "not_needed", "name": "Nothing to do", "requires_note": True},
    ],
}
"""A new type before anybody typed a word: what most types want."""

_TOP = {
    "code", "name", "group", "kind", "department", "division", "priority", "place", "synonyms", "active", "sla",
    "duplicate", "text", "field", "disposition", "routing", "opened_by", "stop", "reply", "effective_from",
}  # fmt: skip


# --- from a definition to a draft -------------------------------------------------------------------------------------


def opened(detail: Mapping[str, Any], base: int = 0) -> Draft:
    """The draft of a definition; `base` is the version it was read from, 0 for a new type."""
    sla, text = detail.get("sla") or {}, detail.get("text") or {}
    duplicate = detail.get("duplicate") or {}
    target = dict(sla.get("target") or {})
    unit = next((each for each in TARGETS if each in target), "business_days")
    draft: Draft = {
        "base": base,
        "next": 1,
        "code": str(detail.get("code", "")),
        "name": str(detail.get("name", "")),
        "group": str(detail.get("group", "")),
        "kind": detail.get("kind", "action_order"),
        "department": detail.get("department", "") or "",
        "division": detail.get("division") or "",
        "priority": detail.get("priority", "normal"),
        "place": detail.get("place", "premise"),
        "active": bool(detail.get("active", True)),
        "opened_by": list(detail.get("opened_by", ())),
        "synonyms": ", ".join(detail.get("synonyms", ())),
        "representative": text.get("representative", ""),
        "caller": text.get("caller", ""),
        "scope": duplicate.get("scope", "none" if "duplicate" not in detail else "premise"),
        "metres": duplicate.get("metres", 50),
        "promise": bool(sla),
        "calendar": sla.get("calendar") or "office",
        "unit": unit,
        "count": target.get(unit, 3),
        "at": target.get("at", "15:00"),
        "rule": sla.get("rule", ""),
        "rest": {key: value for key, value in detail.items() if key not in _TOP},
        **{section: [] for section in SECTIONS},
    }
    ids: dict[str, int] = {}
    fields = list(detail.get("field", ()))
    order = {id(field): field.get("order", at) for at, field in enumerate(fields, start=1)}
    for field in sorted(fields, key=lambda each: order[id(each)]):
        row = _row(draft, "question", field, {"code", "description", "datatype", "required", "help", "values", "minimum",
                                              "maximum", "show_when", "order"})  # fmt: skip
        row |= {
            "code": str(field.get("code", "")),
            "description": str(field.get("description", "")),
            "datatype": field.get("datatype", "string"),
            "required": bool(field.get("required", False)),
            "help": field.get("help", ""),
            "values": [dict(value) for value in field.get("values", ())],
            "minimum": field.get("minimum"),
            "maximum": field.get("maximum"),
            "show_when": field.get("show_when"),
        }
        ids.setdefault(row["code"], row["id"])
    for row in draft["question"]:
        row["question"], row["is"] = _asked(ids, row.pop("show_when"))
    for route in detail.get("routing", ()):
        row = _row(draft, "route", route, {"division", "district", "when", "hours", "why"})
        hours = route.get("hours") or {}
        question, answers = _asked(ids, route.get("when"))
        row |= {
            "division": route.get("division", ""),
            "areas": _several(route.get("district")),
            "question": question,
            "is": answers,
            "calendar": hours.get("calendar", ""),
            "during": hours.get("is", "open"),
            "why": route.get("why", ""),
        }
    for stop in detail.get("stop", ()):
        row = _row(draft, "stop", stop, {"code", "when", "outcome", "staff", "caller"})
        question, answers = _asked(ids, stop.get("when"))
        row |= {
            "code": stop.get("code", ""),
            "question": question,
            "is": answers,
            "outcome": stop.get("outcome", "advised"),
            "staff": stop.get("staff", ""),
            "caller": stop.get("caller", ""),
        }
    for ending in detail.get("disposition", ()):
        row = _row(draft, "ending", ending, {"code", "name", "requires_note", "requires_order"})
        row |= {
            "code": ending.get("code", ""),
            "name": ending.get("name", ""),
            "requires_note": bool(ending.get("requires_note", False)),
            "requires_order": bool(ending.get("requires_order", False)),
        }
    endings = {row["code"]: row["id"] for row in draft["ending"]}
    for reply in detail.get("reply", ()):
        row = _row(draft, "letter", reply, {"when", "letter", "disposition"})
        row |= {
            "moment": reply.get("when", "closed"),
            "letter": reply.get("letter", ""),
            "ending": endings.get(reply.get("disposition"), 0),
        }
    return draft


def _row(draft: Draft, section: str, given: Mapping[str, Any], known: set[str]) -> Row:
    row = {"id": draft["next"], "rest": {key: value for key, value in given.items() if key not in known}}
    draft["next"] += 1
    draft[section].append(row)
    return row


def _asked(ids: Mapping[str, int], condition: Any) -> tuple[int, list[str]]:
    """A condition as (id of the question, answers); an unknown question is -1, none is 0."""
    if not isinstance(condition, dict):
        return 0, []
    return ids.get(condition.get("field", ""), -1), _several(condition.get("is"))


def _several(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


# --- from a draft to a definition -------------------------------------------------------------------------------------


def written(draft: Draft) -> dict[str, Any]:
    """The definition a draft says, in its plainest form: what is not said is left out."""
    codes = question_codes(draft)
    detail: dict[str, Any] = {"code": type_code(draft), "name": tidy(draft["name"]), "group": tidy(draft["group"])}
    detail |= {"kind": draft["kind"], "department": draft["department"]}
    if draft["division"]:
        detail["division"] = draft["division"]
    detail |= {"priority": draft["priority"], "place": draft["place"]}
    if not draft["active"]:
        detail["active"] = False
    if draft["opened_by"]:
        detail["opened_by"] = list(draft["opened_by"])
    if words := split_words(draft["synonyms"]):
        detail["synonyms"] = words
    detail |= draft["rest"]
    if draft["promise"]:
        detail["sla"] = {"calendar": draft["calendar"], "target": target(draft), "rule": tidy(draft["rule"])}
    if draft["scope"] != "none":
        detail["duplicate"] = {"scope": draft["scope"], "metres": draft["metres"]}
    texts = {key: tidy(draft[key]) for key in ("representative", "caller") if tidy(draft[key])}
    if texts:
        detail["text"] = texts
    endings = {row["id"]: _coded(row["code"], row["name"], "ending", row["id"]) for row in draft["ending"]}
    lists = {
        "field": [_question(row, codes) for row in draft["question"]],
        "stop": [_stop(row, codes) for row in draft["stop"]],
        "routing": [_route(row, codes) for row in draft["route"]],
        "disposition": [_ending(row, endings) for row in draft["ending"]],
        "reply": [_letter(row, endings) for row in draft["letter"]],
    }
    return detail | {key: rows for key, rows in lists.items() if rows}


def type_code(draft: Draft) -> str:
    """The code of a type: the one it has, else one made of its name."""
    return draft["code"].strip() or (code_of(draft["name"]) if draft["name"].strip() else "")


def question_codes(draft: Draft) -> dict[int, str]:
    """Each question's code by its id: the one it has, else one made of its words that no other question has."""
    found: dict[int, str] = {row["id"]: row["code"].strip() for row in draft["question"] if row["code"].strip()}
    for row in draft["question"]:
        if row["id"] not in found:
            code = code_of(row["description"], 40) if row["description"].strip() else f"question_{row['id']}"
            found[row["id"]] = code if code not in found.values() else f"{code}_{row['id']}"
    return found


def _coded(code: str, name: str, what: str, at: int) -> str:
    return code.strip() or (code_of(name, 40) if name.strip() else f"{what}_{at}")


def target(draft: Draft) -> dict[str, Any]:
    """The target as the clock reads it."""
    count = draft["count"]
    if draft["unit"] == "working_days":
        return {"working_days": count, "at": draft["at"]}
    return {draft["unit"]: count}


def split_words(text: str) -> list[str]:
    """Words of the public, typed with commas or one to a line, each once."""
    parts = [" ".join(part.split()) for part in tidy(text).replace("\n", ",").split(",")]
    return list(dict.fromkeys(part for part in parts if part))


def _question(row: Row, codes: Mapping[int, str]) -> dict[str, Any]:
    field: dict[str, Any] = {
        "code": codes[row["id"]],
        "datatype": row["datatype"],
        "required": row["required"],
        "description": tidy(row["description"]),
    }
    if tidy(row["help"]):
        field["help"] = tidy(row["help"])
    if row["datatype"] == "number":
        field |= {key: row[key] for key in ("minimum", "maximum") if row[key] is not None}
    if row["datatype"] in LISTS and row["values"]:
        field["values"] = [dict(value) for value in row["values"]]
    if row["question"]:
        field["show_when"] = _condition(row, codes)
    return field | row["rest"]


def _condition(row: Row, codes: Mapping[int, str]) -> dict[str, Any]:
    answers = list(row["is"])
    return {"field": codes.get(row["question"], ""), "is": answers[0] if len(answers) == 1 else answers}


def _route(row: Row, codes: Mapping[int, str]) -> dict[str, Any]:
    route: dict[str, Any] = {"division": row["division"]}
    if row["areas"]:
        route["district"] = list(row["areas"])
    if row["question"]:
        route["when"] = _condition(row, codes)
    if row["calendar"]:
        route["hours"] = {"calendar": row["calendar"], "is": row["during"]}
    if tidy(row["why"]):
        route["why"] = tidy(row["why"])
    return route | row["rest"]


def _stop(row: Row, codes: Mapping[int, str]) -> dict[str, Any]:
    return {
        "code": row["code"].strip() or f"stop_{row['id']}",
        "when": _condition(row, codes),
        "outcome": row["outcome"],
        "staff": tidy(row["staff"]),
        "caller": tidy(row["caller"]),
    } | row["rest"]


def _ending(row: Row, endings: Mapping[int, str]) -> dict[str, Any]:
    ending: dict[str, Any] = {"code": endings[row["id"]], "name": tidy(row["name"])}
    ending |= {key: True for key in ("requires_note", "requires_order") if row[key]}
    return ending | row["rest"]


def _letter(row: Row, endings: Mapping[int, str]) -> dict[str, Any]:
    reply: dict[str, Any] = {"when": row["moment"], "letter": row["letter"].strip()}
    if row["ending"]:
        reply["disposition"] = endings.get(row["ending"], "")
    return reply | row["rest"]


def plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    """A definition in its plainest form: two that mean the same are equal."""
    return written(opened(detail))


def same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Whether two definitions mean the same."""
    return json.dumps(plain(left), sort_keys=True) == json.dumps(plain(right), sort_keys=True)


# --- changes to a draft -----------------------------------------------------------------------------------------------

_FRESH: dict[str, dict[str, Any]] = {
    "question": {
        "code": "", "description": "", "datatype": "singlevaluelist", "required": False, "help": "", "minimum": None,
        "maximum": None, "question": 0, "is": [], "values": [],
    },
    "route": {"division": "", "areas": [], "question": 0, "is": [], "calendar": "", "during": "open", "why": ""},
    "stop": {"code": "", "question": 0, "is": [], "outcome": "advised", "staff": "", "caller": ""},
    "ending": {"code": "", "name": "", "requires_note": False, "requires_order": False},
    "letter": {"moment": "closed", "letter": "", "ending": 0},
}  # fmt: skip


def added(draft: Draft, section: str) -> Draft:
    """The draft with one more row at the end of a list; a row nobody has begun to fill in is enough."""
    new = copy.deepcopy(draft)
    last = new[section][-1] if new[section] else {}
    if last | {"id": 0} == {"id": 0, "rest": {}} | _FRESH[section]:
        return new
    new[section].append({"id": new["next"], "rest": {}} | copy.deepcopy(_FRESH[section]))
    new["next"] += 1
    return new


def removed(draft: Draft, section: str, row_id: int) -> Draft:
    """The draft without a row. What depended on it stands and says so, rather than being lost with it."""
    new = copy.deepcopy(draft)
    new[section] = [row for row in new[section] if row["id"] != row_id]
    return new


def moved(draft: Draft, section: str, row_id: int, by: int) -> Draft:
    """The draft with a row one place earlier (-1) or later (1)."""
    new = copy.deepcopy(draft)
    rows = new[section]
    at = next((at for at, row in enumerate(rows) if row["id"] == row_id), None)
    if at is not None and 0 <= at + by < len(rows):
        rows[at], rows[at + by] = rows[at + by], rows[at]
    return new


def copied(detail: Mapping[str, Any]) -> Draft:
    """The draft of a new type that begins as a copy of another."""
    draft = opened(detail)
    draft["code"], draft["name"] = "", f"{draft['name']} (copy)"[:120]
    return draft


def values_text(values: Sequence[Mapping[str, str]]) -> str:
    """The answers of a list as they are typed: one to a line."""
    return "\n".join(value.get("name", "") for value in values)


def values_of(text: str, before: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The answers typed, one to a line, each with its key: an answer keeps the key it had, also when it was only reworded,
    so that conditions which name it go on working."""
    names = list(dict.fromkeys(" ".join(line.split()) for line in tidy(text).split("\n") if line.strip()))
    keys = {value.get("name", ""): value.get("key", "") for value in before}
    found: list[dict[str, str]] = []
    for at, name in enumerate(names):
        key = keys.get(name, "")
        if not key and len(names) == len(before) and before[at].get("name", "") not in names:
            key = before[at].get("key", "")
        if not key:
            taken = {value["key"] for value in found} | set(keys.values())
            key = code_of(name, 40)
            while key in taken:
                key = f"{key[:36]}_{len(taken) + 1}"
        found.append({"key": key, "name": name})
    return found


def promise_words(draft: Draft, calendar: str) -> str:
    """The promise in words, when nobody wrote it better: “3 working days (City offices)”."""
    count = draft["count"] or 0
    match draft["unit"]:
        case "working_days":
            day = "Next service day" if count == 1 else f"{count} service days later"
            return f"{day} by {_clock_words(draft['at'])} ({calendar})"
        case "business_minutes":
            return f"{count} minutes while open ({calendar})"
        case "calendar_days":
            return f"{count} calendar day{'' if count == 1 else 's'}"
        case _:
            return f"{count} working day{'' if count == 1 else 's'} ({calendar})"


def _clock_words(at: str) -> str:
    hour, _, minute = at.partition(":")
    if not (hour.isdecimal() and minute.isdecimal()):
        return at
    return f"{(int(hour) + 11) % 12 + 1}:{minute} {'am' if int(hour) % 24 < 12 else 'pm'}"


_SPOKEN = {
    "“description”, the question itself,": "the question",
    "“values” is the list of choices of a list, and of no other kind.": "give at least one answer, one to a line.",
    "“group” is missing or too long. Write it as text": "“Group” is empty. Choose one, or type a new one",
    "“name” is missing or too long. Write it as text": "“Name” is empty or too long. Write it in a few words",
    "“department” is missing or too long. Write it as text of at most 40 characters.": (
        "“Department” is empty. Choose one under “Goes to”."
    ),
    "“synonyms” is a list of words": "“Words of the public” is a list of words",
    "[sla] has “calendar”, “target” and “rule”, the promise in words.": "say the promise in words.",
    "give at least one [[disposition]], a way the request can end.": "give at least one way it can end.",
    "each [[disposition]] has a code of its own, a name and perhaps requires_note and requires_order.": (
        "each way it can end needs a name of its own, at most 120 characters."
    ),
    "“staff”": "“Reason for the desk”",
    "“caller”": "“Say to the caller”",
    "“help”": "“Help”",
    "“minimum”": "“At least”",
    "“maximum”": "“At most”",
    "“letter”": "“Letter”",
    "each [[routing]] has “division” and may have “district”, “when”, “hours” and “why”.": "choose who gets it.",
    "there is no division “”.": "choose who gets it.",
    "the condition names “”, which is no list among the questions.": "choose the question it depends on.",
}


def on_screen(message: str, draft: Draft) -> str:
    """A problem of a definition as the page says it: by what stands on the page instead of the words of the file."""
    code, text = type_code(draft), message
    for start in (code, "this type"):
        if start and text.startswith((f"{start}: ", f"{start}, ")):
            text = text[len(start) + 2 :]
            break
    if text.startswith("field "):
        named, _, rest = text.removeprefix("field ").partition(": ")
        codes = question_codes(draft)
        at = next((at for at, row in enumerate(draft["question"], start=1) if codes[row["id"]] == named), None)
        words = next((tidy(row["description"]) for row in draft["question"] if codes[row["id"]] == named), "")
        text = (f"question {at}" if at else "a question") + (f" “{words[:60]}”" if words else "") + f": {rest}"
    for file_words, page_words in _SPOKEN.items():
        text = text.replace(file_words, page_words)
    return text[:1].upper() + text[1:]
