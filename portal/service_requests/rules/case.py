"""The life of a request and of a work order: states, allowed moves, closing, reopening, and the pauses of its clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules.answer import text_problem, tidy
from portal.service_requests.rules.request_type import Disposition
from portal.shared.calendar import Pause
from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OPEN, WAITING, CLOSED = "open", "waiting", "closed"
"""What a state is to the portal; its label is data."""

NOTE_MOST = 2000
REASON_LEAST = 3
ORDER_DONE = "done"
"""The state of a work order whose work was done."""


@dataclass(frozen=True)
class StateName:
    """One state: the code that is kept, the name that is read, the kind the portal reckons with."""

    code: str
    name: str
    kind: str


@dataclass(frozen=True)
class StateTable:
    """The states and the one table of what may follow what."""

    first: str
    states: Mapping[str, StateName]
    moves: Mapping[str, tuple[str, ...]]
    dispositions: tuple[Disposition, ...] = ()
    """Ways to end that each type has, beside its own."""

    def name(self, code: str) -> str:
        return self.states[code].name if code in self.states else code.replace("_", " ").capitalize()

    def kind(self, code: str) -> str:
        return self.states[code].kind if code in self.states else OPEN

    def after(self, code: str) -> tuple[str, ...]:
        """The states that may follow."""
        return self.moves.get(code, ())

    def of_kind(self, kind: str) -> tuple[str, ...]:
        return tuple(code for code, state in self.states.items() if state.kind == kind)


def read_states(detail: Mapping[str, Any]) -> StateTable:
    """The table a pack row of kind `state` holds. ValueError when it contradicts itself."""
    states = {row["code"]: StateName(row["code"], row["name"], row["kind"]) for row in detail["state"]}
    moves = {row["from"]: tuple(row["to"]) for row in detail["move"]}
    named = {detail["first"], *moves, *(code for to in moves.values() for code in to)}
    if unknown := named - set(states):
        raise ValueError(f"{detail['code']}: there is no state {', '.join(sorted(unknown))}.")
    if bad := [state.code for state in states.values() if state.kind not in (OPEN, WAITING, CLOSED)]:
        raise ValueError(f"{detail['code']}: the kind of {', '.join(bad)} is none of open, waiting, closed.")
    ends = tuple(
        Disposition(row["code"], row["name"], bool(row.get("requires_note", False)), row.get("state", ""))
        for row in detail.get("disposition", ())
    )
    return StateTable(detail["first"], states, moves, ends)


def move_problems(table: StateTable, from_code: str, to_code: str) -> list[Problem]:
    """Whether a plain move is allowed; closing and reopening have commands of their own."""
    if to_code not in table.states:
        return [Problem("to_code", f"There is no state “{to_code}”. Choose one that is offered.")]
    if table.kind(from_code) == CLOSED:
        return [Problem("to_code", f"It is {table.name(from_code).lower()}. Reopen it with a reason first.")]
    if to_code == from_code:
        return [Problem("to_code", f"It is already “{table.name(to_code)}”. Choose another state.")]
    if to_code not in table.after(from_code):
        allowed = ", ".join(f"“{table.name(code)}”" for code in table.after(from_code))
        return [
            Problem(
                "to_code",
                f"From “{table.name(from_code)}” it cannot go to “{table.name(to_code)}”. Possible: {allowed or 'none'}.",
            )
        ]
    if table.kind(to_code) == CLOSED:
        return [Problem("to_code", "Closing needs how it ended. Use Close.")]
    return []


def closing_problems(
    table: StateTable, from_code: str, dispositions: Sequence[Disposition], disposition_code: str | None, note: str
) -> list[Problem]:
    """What is missing to close: how it ended, from the list of its type, and a note where that ending asks for one."""
    if table.kind(from_code) == CLOSED:
        return [Problem("disposition", "It is closed already. Open it again to see how it ended.")]
    ending = next((each for each in dispositions if each.code == disposition_code), None)
    problems = []
    if not disposition_code:
        problems.append(Problem("disposition", "“How it ended” has no answer yet. Choose one."))
    elif ending is None:
        problems.append(
            Problem(
                "disposition",
                f"“{disposition_code[:40]}” is no ending of this kind of request. Choose one that is offered.",
            )
        )
    elif ending.requires_note and len(tidy(note)) < REASON_LEAST:
        problems.append(
            Problem("resolution", f"“{ending.name}” needs a note. Write what was found and what the caller was told.")
        )
    if (found := text_problem("resolution", "Note", tidy(note), NOTE_MOST)) is not None:
        problems.append(found)
    return problems


def evidence_problems(
    dispositions: Sequence[Disposition], disposition_code: str | None, orders: Sequence[str | None]
) -> list[Problem]:
    """An ending that stands for work done needs a work order that was done: `orders` are how its work orders ended."""
    ending = next((each for each in dispositions if each.code == disposition_code), None)
    if (
        ending is None
        or not ending.requires_order
        or any(code not in (None, "cancelled", "canceled") for code in orders)
    ):
        return []
    return [
        Problem(
            "disposition", f"“{ending.name}” needs a work order that was done. Write one, or choose how else it ended."
        )
    ]


def reason_problems(field: str, name: str, reason: str) -> list[Problem]:
    """A reason is a few words at least, and nothing that is never kept."""
    text = tidy(reason)
    if len(text) < REASON_LEAST:
        return [Problem(field, f"“{name}” is empty. Write why in a few words.")]
    found = text_problem(field, name, text, NOTE_MOST)
    return [found] if found else []


@dataclass(frozen=True)
class HistoryStep:
    """One step of a request's life as the clock reads it."""

    to_code: str
    at: dt.datetime


def pauses_of(table: StateTable, steps: Iterable[HistoryStep]) -> list[Pause]:
    """When the clock stood: while the request waited for the caller, and while it was closed before it was opened again."""
    found: list[Pause] = []
    since: dt.datetime | None = None
    for step in sorted(steps, key=lambda step: step.at):
        stands = table.kind(step.to_code) in (WAITING, CLOSED)
        if stands and since is None:
            since = step.at
        elif not stands and since is not None:
            found.append(Pause(since, step.at))
            since = None
    if since is not None:
        found.append(Pause(since, None))
    return found


def minutes_between(opened_at: dt.datetime, closed_at: dt.datetime) -> int:
    """Whole minutes from opening to closing, as elapsed real time; below zero when an import closes before it opens."""
    return int((closed_at - opened_at).total_seconds() // 60)


def stale_problem(what: str, who: str, when: str, did: str) -> Problem:
    """Somebody else was faster: who, when and what they did, so that nothing is overwritten unseen."""
    by = f"{who} changed it {when}" if who else f"It was changed {when}"
    return Problem(
        "", f"{what} is no longer as you saw it. {by}{f': {did}' if did else ''}. Look at it again, then save."
    )


DID = {
    "request.opened": "opened",
    "request.moved": "moved to another state",
    "request.assigned": "given to somebody",
    "request.closed": "closed",
    "request.reopened": "reopened",
    "request.joined": "a further caller joined",
    "work_order.opened": "written",
    "work_order.moved": "moved to another state",
    "work_order.closed": "closed",
    "work_order.assigned": "given to somebody",
    "work_order.handed_over": "handed over",
    "request.handed_over": "handed over",
    "known_event.started": "announced",
    "known_event.updated": "new words for callers",
    "known_event.joined": "a further caller joined",
    "known_event.ended": "ended",
}
"""Events of this room in plain words."""


def did(event_name: str) -> str:
    """An event of this room in plain words."""
    return DID.get(event_name, event_name.partition(".")[2].replace("_", " "))
