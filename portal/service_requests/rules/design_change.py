"""What changed from one version of a request type to the next, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.service_requests.rules import design
from portal.service_requests.rules.request_type import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Detail = Mapping[str, Any]

_SCALARS = {
    "name": "Name",
    "group": "Group",
    "kind": "Kind",
    "department": "Department",
    "division": "Goes to",
    "priority": "Priority",
    "place": "Where",
    "opened_by": "Who may open it",
    "synonyms": "Words of the public",
}
_QUESTION = {
    "description": "the words",
    "datatype": "the kind",
    "required": "required",
    "help": "the help",
    "minimum": "the minimum",
    "maximum": "the maximum",
    "show_when": "when it is asked",
}


def differences(before: Detail | None, after: Detail) -> list[str]:
    """Each change as a sentence; the first version has one sentence, two that mean the same have none."""
    if before is None:
        return ["The first version."]
    old, new = design.plain(before), design.plain(after)
    found: list[str] = []
    if old.get("active", True) != new.get("active", True):
        found.append("Back in use." if new.get("active", True) else "Taken out of use.")
    for key, name in _SCALARS.items():
        if old.get(key) != new.get(key):
            found.append(f"{name}: {_words(old.get(key))} is now {_words(new.get(key))}.")
    found += _questions(old.get("field", ()), new.get("field", ()))
    found += _promise(old.get("sla"), new.get("sla"))
    for key, name in (("representative", "The text for the desk"), ("caller", "The text for the caller")):
        if (old.get("text") or {}).get(key) != (new.get("text") or {}).get(key):
            found.append(f"{name} was rewritten." if (new.get("text") or {}).get(key) else f"{name} was removed.")
    if old.get("duplicate") != new.get("duplicate"):
        found.append("What counts as the same trouble nearby was changed.")
    found += _rows("Stop", old.get("stop", ()), new.get("stop", ()), "code", lambda row: row.get("caller", ""))
    found += _rows("Ending", old.get("disposition", ()), new.get("disposition", ()), "code", lambda row: row["name"])
    found += _ordered("Routing", old.get("routing", ()), new.get("routing", ()))
    if old.get("reply") != new.get("reply"):
        found.append("The letters were changed.")
    known = {
        *_SCALARS,
        "active",
        "field",
        "sla",
        "text",
        "duplicate",
        "stop",
        "disposition",
        "routing",
        "reply",
        "code",
    }
    for key in sorted((set(old) | set(new)) - known):
        if old.get(key) != new.get(key):
            found.append(f"“{key}” was changed.")
    return found


def _words(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    if isinstance(value, list):
        return "“" + ", ".join(str(each) for each in value) + "”"
    return f"“{KINDS.get(value, value)}”"


def _questions(old: Sequence[Detail], new: Sequence[Detail]) -> list[str]:
    before, after = {each["code"]: each for each in old}, {each["code"]: each for each in new}
    found = [f"Question “{after[code]['description']}” was added." for code in after if code not in before]
    found += [f"Question “{before[code]['description']}” was removed." for code in before if code not in after]
    for code, field in after.items():
        was = before.get(code)
        if was is None:
            continue
        parts = [name for key, name in _QUESTION.items() if was.get(key) != field.get(key)]
        if parts == ["required"]:
            found.append(f"Question “{field['description']}” is {'required' if field['required'] else 'optional'} now.")
        elif parts:
            found.append(f"Question “{was['description']}”: {', '.join(parts)} changed.")
        found += _choices(field["description"], was.get("values", ()), field.get("values", ()))
    stayed = [code for code in before if code in after]
    if stayed != [code for code in after if code in before]:
        found.append("The order of the questions was changed.")
    return found


def _choices(question: str, old: Sequence[Detail], new: Sequence[Detail]) -> list[str]:
    before, after = {each["key"]: each["name"] for each in old}, {each["key"]: each["name"] for each in new}
    found = [f"“{question}”: the answer “{after[key]}” was added." for key in after if key not in before]
    found += [f"“{question}”: the answer “{before[key]}” was removed." for key in before if key not in after]
    found += [
        f"“{question}”: the answer “{before[key]}” is now “{after[key]}”."
        for key in after
        if key in before and before[key] != after[key]
    ]
    if not found and list(before) != list(after):
        found.append(f"“{question}”: the order of the answers was changed.")
    return found


def _promise(old: Detail | None, new: Detail | None) -> list[str]:
    if old == new:
        return []
    if new is None:
        return ["No time is promised any more."]
    rule = new.get("rule", "")
    return [f"Due: {rule}." if old is None else f"Due: “{old.get('rule', '')}” is now “{rule}”."]


def _rows(
    what: str, old: Sequence[Detail], new: Sequence[Detail], key: str, name: Callable[[Detail], str]
) -> list[str]:
    before, after = {each[key]: each for each in old}, {each[key]: each for each in new}
    found = [f"{what} “{name(after[code])}” was added." for code in after if code not in before]
    found += [f"{what} “{name(before[code])}” was removed." for code in before if code not in after]
    found += [
        f"{what} “{name(after[code])}” was changed." for code in after if code in before and before[code] != after[code]
    ]
    if not found and list(before) != list(after):
        found.append(f"{what}: the order was changed.")
    return found


def _ordered(what: str, old: Sequence[Detail], new: Sequence[Detail]) -> list[str]:
    if list(old) == list(new):
        return []
    if len(new) != len(old):
        return [f"{what}: {len(new)} row{'' if len(new) == 1 else 's'} instead of {len(old)}."]
    if sorted(map(str, old)) == sorted(map(str, new)):
        return [f"{what}: the order of the rows was changed."]
    return [f"{what}: a row was changed."]
