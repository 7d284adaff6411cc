"""Conversations that needed no case, and what was left of them: identity checks, opinions heard, promises, call-backs; and the
known events of the city.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from db.bulk import json_text
from portal.demo_city.cases import DAY, TALK_DAYS, WEEKDAYS, ActiveEvent
from portal.demo_city.draw import chosen, stream
from portal.demo_city.people import named_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portal.demo_city.cases import Cases
    from portal.demo_city.city import City
    from portal.demo_city.colleagues import Desk

Row = tuple[Any, ...]

CONVERSATION_COLUMNS = (
    "id", "version", "number", "channel", "staff_id", "person_id", "account_id", "premise_id", "started_at", "ended_at", "note",
    "reason_code", "disposition_code",
)  # fmt: skip
CHECK_COLUMNS = ("conversation_id", "person_id", "method", "passed", "strength", "facts", "checked_at", "staff_id")
OPINION_COLUMNS = ("conversation_id", "subject_code", "stance", "words", "heard_at")
PROMISE_COLUMNS = (
    "version", "conversation_id", "kind", "words", "amount_cents", "due_at", "owner_id", "person_id", "account_id", "made_at",
    "outcome", "settled_at",
)  # fmt: skip
CALL_BACK_COLUMNS = (
    "version", "conversation_id", "person_id", "account_id", "phone", "why", "due_at", "owner_id", "state_code", "attempts",
    "outcome", "done_at",
)  # fmt: skip
EVENT_COLUMNS = (
    "id", "version", "number", "kind_code", "title", "words", "area_codes", "request_type_codes", "premise_count", "started_at",
    "next_word_at", "ended_at",
)  # fmt: skip

PER_ACCOUNT_AND_YEAR = 0.9
REASONS = (
    # reason, disposition, weight, needs an identity check, note
    ("bill_question", "answered", 0.25, True, "Went through the lines; most of it is the weather."),
    ("payment", "answered", 0.19, True, "Gave balance and due date."),
    ("how_to", "answered", 0.15, False, ""),
    ("start_stop", "service_ordered", 0.09, True, "Dates read back."),
    ("request_follow_up", "case_updated", 0.1, False, "Gave the due date again."),
    ("outage", "referred", 0.05, False, ""),
    ("account_change", "record_changed", 0.06, True, "New phone number."),
    ("bill_question", "call_back", 0.035, True, "Wants to hear how the read came about."),
    ("collection", "answered", 0.04, False, "Holiday week explained."),
    ("complaint", "referred", 0.015, False, "Passed on to the supervisor."),
    ("opinion", "answered", 0.01, False, ""),
    ("praise", "answered", 0.005, False, "Thanks for the crew on Tuesday."),
    ("wrong_number", "cut_off", 0.005, False, ""),
)
CALL_BACK_REASON = next(each for each in REASONS if each[1] == "call_back")
METHODS = (
    ("account_facts", 2, "house_number,phone_last4,opened_year"),
    ("account_facts", 1, "house_number,phone_last4"),
    ("pin", 2, ""),
    ("call_back", 2, ""),
)
OPINION_WORDS = {
    "for": ("Glad the crews came so fast.", "Keep the rates where they are.", "The new carts are good.", ""),
    "against": (
        "Bills go up every year.",
        "Too long on hold.",
        "Trucks leave half of it.",
        "Street is dark at night.",
        "",
    ),
    "mixed": ("Good people, slow system.", "Fine most weeks.", ""),
}
PROMISES = (
    ("date", "We call with the result of the bill review."),
    ("visit", "A meter reader comes by; no need to be at home."),
    ("credit", "The late fee is taken off the next bill."),
    ("date", "The due date is kept open until then."),
)
FORGOTTEN_DAYS = 8
"""An open promise is at most so late: then somebody noticed."""
PROMISED_CREDIT_CENTS = (500, 1_000, 2_500)


@dataclass
class Talks:
    conversations: list[Row] = field(default_factory=list)
    checks: list[Row] = field(default_factory=list)
    opinions: list[Row] = field(default_factory=list)
    promises: list[Row] = field(default_factory=list)
    call_backs: list[Row] = field(default_factory=list)


def talk_months(city: City, cases: Cases, desk: Desk, subjects: Sequence[str]) -> Iterator[Talks]:
    """The conversations of the last two years, a month at a time."""
    today = city.days.today.toordinal()
    span = min(TALK_DAYS, city.years * 365)
    open_now = int((city.held.closed == 0).sum())
    start = today - span
    while start < today:
        end = min(start + 30, today)
        count = max(1, round(open_now * PER_ACCOUNT_AND_YEAR * (end - start) / 365.25))
        yield _month(city, cases, desk, subjects, start, end, count)
        start = end


def _month(city: City, cases: Cases, desk: Desk, subjects: Sequence[str], start: int, end: int, count: int) -> Talks:
    generator = stream(city.seed, "talks", start)
    days = np.arange(start, end)
    weight = np.array([WEEKDAYS[(day - 1) % 7] if (day - 1) % 7 < 5 else 0.0 for day in days.tolist()])
    weight *= np.array([0.0 if dt.date.fromordinal(day) in city.days.holidays else 1.0 for day in days.tolist()])
    if not weight.sum():
        return Talks()
    minute = np.clip(np.rint(generator.normal(11.5 * 60, 140, count)), 8 * 60, 16 * 60 + 40).astype(np.int64)
    begun = np.sort(days[chosen(generator, weight.tolist(), count)] * DAY + minute).tolist()
    accounts = np.flatnonzero(city.held.closed == 0)
    account = accounts[generator.integers(0, len(accounts), count)].tolist()
    named = [row for row, _ in named_accounts(city.named, city.held) if not city.held.closed[row]]
    for at in np.flatnonzero(generator.random(count) < cases.named_share).tolist():
        account[at] = named[at % len(named)]
    reason = chosen(generator, [each[2] for each in REASONS], count).tolist()
    luck = generator.random((count, 8)).tolist()
    who = generator.integers(0, 1 << 30, count).tolist()
    made = Talks()
    representatives = desk.representatives.tolist()
    for at in range(count):
        day = begun[at] // DAY
        row = account[at] if city.held.opened[account[at]] <= day else None
        code, ending, _, check, note = REASONS[reason[at]]
        if end - day <= 2 and at % 4 == 0 and end == city.days.today.toordinal():
            code, ending, _, check, note = CALL_BACK_REASON  # so that the desk has calls to make this morning
        if row is None and check:
            code, ending, check, note = "how_to", "answered", False, ""
        person = int(city.held.holder[row]) + 1 if row is not None else None
        own = desk.own(person) if person is not None else set()
        staff = next(
            one for one in representatives[who[at] % len(representatives) :] + representatives if one not in own
        )
        length = 1 + int(luck[at][0] * 9)
        cases.conversation_id += 1
        talk = cases.conversation_id
        said = cases.utc(begun[at])
        over = cases.utc(begun[at] + length)
        channel = ("phone", "counter", "email", "letter")[
            0 if luck[at][1] < 0.86 else 1 if luck[at][1] < 0.93 else 2 if luck[at][1] < 0.99 else 3
        ]
        made.conversations.append(
            (
                talk, 1, cases.number("CV", dt.date.fromordinal(day).year), channel, staff, person,
                None if row is None else row + 1, None if row is None else int(city.held.premise[row]) + 1, said, over,
                note if luck[at][2] < 0.5 else "", code, ending,
            )
        )  # fmt: skip
        if check and channel in ("phone", "counter"):
            method, strength, facts = METHODS[
                0 if luck[at][3] < 0.4 else 1 if luck[at][3] < 0.65 else 2 if luck[at][3] < 0.88 else 3
            ]
            passed = luck[at][4] < 0.965
            made.checks.append(
                (talk, person, method, int(passed), strength if passed else 0, facts, cases.utc(begun[at] + 1), staff)
            )
        if subjects and luck[at][5] < 0.055:
            stance = "against" if luck[at][6] < 0.52 else "for" if luck[at][6] < 0.83 else "mixed"
            words = OPINION_WORDS[stance]
            made.opinions.append(
                (talk, subjects[who[at] // 7 % len(subjects)], stance, words[who[at] // 91 % len(words)], over)
            )
        if row is not None and ending == "call_back":
            made.call_backs.append(_call_back(city, cases, staff, row, talk, begun[at], luck[at]))
        elif row is not None and check and luck[at][7] < 0.09:
            made.promises.append(_promise(cases, staff, row, int(person or 0), talk, begun[at], luck[at]))
    return made


def _due(begun: int, days: int) -> int:
    """Three in the afternoon, so many working days later."""
    day = begun // DAY
    while days:
        day += 1
        days -= (day - 1) % 7 < 5
    return day * DAY + 15 * 60


def _call_back(city: City, cases: Cases, staff: int, row: int, talk: int, begun: int, luck: list[float]) -> Row:
    person = int(city.held.holder[row])
    due = _due(begun, 1 + int(luck[3] * 2))
    done = due - int(luck[4] * 240) if luck[5] < 0.88 else due + int(luck[4] * 900)
    state, attempts, outcome, done_at = "open", 0, "", None
    if done <= cases.now:
        reached = luck[6] < 0.88
        state, attempts = ("reached", 1 + int(luck[6] * 2)) if reached else ("gave_up", 3)
        outcome = "Explained; satisfied." if reached else "No answer three times; letter sent."
        done_at = cases.utc(done)
    elif due < cases.now and luck[6] < 0.5:
        attempts = 1
    return (
        1 + attempts, talk, person + 1, row + 1, city.people.phone(person), "How the last bill came about", cases.utc(due), staff,
        state, attempts, outcome, done_at,
    )  # fmt: skip


def _promise(cases: Cases, staff: int, row: int, person: int, talk: int, begun: int, luck: list[float]) -> Row:
    kind, words = PROMISES[int(luck[3] * len(PROMISES))]
    due = _due(begun, 2 + int(luck[4] * 6))
    outcome, settled = "open", None
    forgotten = luck[5] >= 0.9 and cases.now - due < FORGOTTEN_DAYS * DAY
    if due <= cases.now and not forgotten:
        outcome = "kept" if luck[6] < 0.92 else "broken"
        settled = cases.utc(due - int(luck[6] * 300))
    amount = PROMISED_CREDIT_CENTS[int(luck[5] * len(PROMISED_CREDIT_CENTS))] if kind == "credit" else None
    return (
        1 + (outcome != "open"), talk, kind, words, amount, cases.utc(due), staff, person, row + 1, cases.utc(begun + 4), outcome, settled,
    )  # fmt: skip


# --- known events -------------------------------------------------------------------------------------------------------


def known_events(city: City, cases: Cases, kinds: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Two that are on now (a delayed route, a main break), and the ended ones of the last two years."""
    generator = stream(city.seed, "known events")
    names = [area.name for area in city.areas]
    codes = [area.code for area in city.areas]
    in_area = np.bincount(city.place.district, minlength=len(codes)).tolist()
    made: list[Row] = []

    def add(kind: str, area: int, begun: int, ended: int | None, following: int | None) -> None:
        detail = kinds[kind]
        made.append(
            (
                len(made) + 1, 1, cases.number("KE", dt.date.fromordinal(begun // DAY).year), kind, f"{detail['name']} in {names[area]}",
                detail["words"], json_text([codes[area]]), json_text(list(detail.get("request_types", ()))),
                max(1, in_area[area] // 3), cases.utc(begun), None if following is None else cases.utc(following),
                None if ended is None else cases.utc(ended),
            )
        )  # fmt: skip

    past = sorted(kinds)
    today = city.days.today.toordinal()
    for back in sorted(
        generator.choice(np.arange(6, min(700, city.years * 365)), 9, replace=False).tolist(), reverse=True
    ):
        begun = (today - back) * DAY + 8 * 60 + int(generator.integers(0, 500))
        kind = past[int(generator.integers(0, len(past)))]
        add(kind, int(generator.integers(0, len(codes))), begun, begun + 90 + int(generator.integers(0, 1500)), None)
    for kind, area, hours in (("route_delay", 1, 24), ("main_break", 4, 20)):
        if kind in kinds:
            add(kind, area % len(codes), cases.now - hours * 60, None, cases.now + 150)
    return made


def types_of_active(rows: list[Row]) -> dict[str, ActiveEvent]:
    """For a request type, the event that is on now."""
    found: dict[str, ActiveEvent] = {}
    for row in rows:
        if row[-1] is None:
            for code in json.loads(row[7]):
                found[code] = ActiveEvent(row[0], json.loads(row[6])[0], row[9])
    return found
