"""Requests, citizen action orders and their work orders, with lives of their own: on time or late, waiting, reopened, double.

Due times come from the rules that promise them to callers (`service_requests.rules.due`). A month is made at a time, from
the seed and the month alone, so ten years of a large city need no more memory than one month of it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from db.bulk import json_text
from portal.demo_city.draw import chosen, stream
from portal.demo_city.people import NOBODY
from portal.demo_city.services import ELECTRIC, GAS, REFUSE, TRASH, WATER
from portal.demo_city.streets import BUSINESS
from portal.service_requests.rules.due import calendar_of, due_of
from portal.service_requests.rules.routing import route
from portal.shared.calendar import BusinessCalendar, Pause
from portal.shared.number import make_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portal.demo_city.city import City
    from portal.demo_city.colleagues import Desk
    from portal.service_requests.rules.request_type import Definition
    from portal.shared.calendar import Due

Row = tuple[Any, ...]
DAY = 24 * 60

REQUEST_COLUMNS = (
    "id", "version", "number", "source", "kind", "request_type_code", "request_type_version", "request_type_name", "group_name",
    "department_code", "division_code", "priority", "channel", "conversation_id", "person_id", "account_id", "premise_id",
    "address", "district", "latitude", "longitude", "description", "answers", "state_code", "closed", "opened_at", "due_at",
    "due_explanation", "closed_at", "disposition_code", "resolution", "reopened_count", "assigned_id", "owner_id",
    "duplicate_of_id", "known_event_id", "joined_count", "tell_by", "opened_month", "minutes_to_close", "in_target", "flagged",
)  # fmt: skip
STATE_COLUMNS = ("request_id", "from_code", "to_code", "at", "staff_id", "note")
CALLER_COLUMNS = ("request_id", "person_id", "account_id", "tell_by", "words", "joined_at")
ORDER_COLUMNS = (
    "id", "version", "number", "kind_code", "name", "request_id", "premise_id", "account_id", "address", "division_code", "crew",
    "state_code", "closed", "instructions", "planned_on", "opened_at", "due_at", "closed_at", "disposition_code", "resolution",
)  # fmt: skip

# How often people ask for what, and in which months more (a factor per month, January first). A type the packs have and
# this table does not know is asked for as often as the rarest here.
OFTEN = {
    "missed_garbage": 16.0, "missed_recycling": 8.5, "missed_yard_trash": 9.0, "missed_bulky": 6.0, "bulky_pickup": 12.0,
    "cart_repair": 5.0, "cart_swap": 3.0, "cart_deliver": 3.0, "cart_retrieve": 1.2, "missed_commercial": 2.0,
    "container_extra_lift": 1.2, "collection_complaint": 1.0, "high_bill_review": 4.0, "meter_reread": 2.2, "leak_at_meter": 3.0,
    "water_pressure": 1.4, "water_quality": 1.0, "street_light_out": 5.5, "pothole": 4.0, "code_enforcement": 3.5,
    "illegal_dumping": 2.5, "tree_on_line": 2.0, "storm_drain": 2.0, "dead_animal": 2.2, "stray_animal": 2.4, "noise": 1.2,
    "graffiti": 0.9, "sidewalk": 1.3, "traffic_signal": 1.8, "abandoned_vehicle": 1.2, "park_maintenance": 1.0,
    "compliment": 0.5, "complaint": 0.9, "energy_audit": 1.6, "water_audit": 1.2, "street_light_new": 1.2, "public_tree": 2.4,
    "water_main_leak": 1.5, "sewer_backup": 1.2, "power_out": 1.6, "payment_missing": 1.2, "electronics_pickup": 1.5,
    "drainage_ditch": 1.4, "crosswalk_marking": 1.0, "gas_appliance_check": 0.8,
}  # fmt: skip
SELDOM = 0.6
SEASONS = {
    "missed_yard_trash": (0.6, 0.8, 1.5, 1.5, 1.2, 1.0, 0.9, 1.1, 1.1, 1.0, 1.1, 0.8),
    "bulky_pickup": (0.9, 0.8, 1.0, 1.1, 1.3, 1.2, 1.2, 1.2, 0.9, 0.8, 0.8, 0.9),
    "tree_on_line": (0.6, 0.6, 0.8, 0.9, 1.0, 1.3, 1.4, 1.7, 1.6, 1.2, 0.6, 0.5),
    "storm_drain": (0.6, 0.7, 0.9, 0.9, 1.0, 1.5, 1.6, 1.6, 1.3, 0.9, 0.6, 0.5),
    "street_light_out": (1.3, 1.2, 0.9, 0.8, 0.7, 0.7, 0.7, 0.8, 0.9, 1.1, 1.4, 1.5),
    "high_bill_review": (1.5, 1.4, 0.9, 0.6, 0.6, 0.9, 1.3, 1.5, 1.3, 0.8, 0.5, 0.7),
}
WEEKDAYS = (1.35, 1.12, 1.02, 0.98, 0.93, 0.2, 0.1)
CHANNELS = ("phone", "email", "counter", "web", "letter")
CHANNEL_WEIGHTS = (0.69, 0.11, 0.05, 0.14, 0.01)
TELL_BY = ("none", "call", "text", "email", "letter")
TELL_WEIGHTS = (0.42, 0.2, 0.24, 0.13, 0.01)
TALK_DAYS = 730
"""Conversations are kept this long in the demo city; older requests stand without theirs."""
EXPLAIN_DAYS = 90
"""A due time older than this is kept without its sentences."""
WHEN_SAID = (
    "since this morning",
    "since yesterday",
    "for two days now",
    "again",
    "for about a week",
    "the second time this month",
)
JOIN_WORDS = ("Same here.", "Ours too, whole street.", "Calling about the same thing.")
DONE_NOTES = (
    "Seen on site, settled.", "Caller informed by phone.", "Crew report on file.", "Left a door hanger.", "Checked with the crew."
)  # fmt: skip
AGAIN_NOTES = ("Caller says it is not solved.", "Came back within a week.", "Only half of it was done.")
WAIT_NOTES = ("Asked the caller for a photo.", "Gate code needed.", "Waiting for the caller to choose a day.")


@dataclass(frozen=True)
class TypeInUse:
    """A request type of the packs with what is worked out of it once."""

    definition: Definition
    version: int
    season: tuple[float, ...]
    on_time: float
    """The share that is closed in time."""
    needs: int
    """The service kind a premise must have for somebody there to ask for this; -1 for any."""
    business: bool
    """Asked for by businesses only."""


@dataclass(frozen=True)
class ActiveEvent:
    """A known event that is on now, as far as requests ask."""

    id: int
    district: str
    started_at: str
    """As stored."""


@dataclass
class Month:
    """Rows of one month, ready to load: parents first."""

    conversations: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    states: list[Row] = field(default_factory=list)
    callers: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)


def types_in_use(found: list[tuple[Definition, int]]) -> list[TypeInUse]:
    """Shares that differ from type to type, as they do in every city: between 77 and 96 of a hundred in time."""
    made = []
    for place, (definition, version) in enumerate(found):
        needs = -1
        if definition.kind == "cars" and definition.place == "premise":
            needs = TRASH if "yard" in definition.code or "bulky" in definition.code else REFUSE
        elif "water" in definition.code or "leak" in definition.code:
            needs = WATER
        elif definition.kind == "work":
            needs = ELECTRIC
        season = SEASONS.get(definition.code, (1.0,) * 12)
        business = definition.division in ("commercial", "roll_off")
        made.append(TypeInUse(definition, version, season, 0.77 + 0.19 * ((place * 37) % 19) / 18, needs, business))
    return made


class Cases:
    """Makes requests month by month; keeps ids and numbers going."""

    def __init__(
        self,
        city: City,
        desk: Desk,
        types: list[TypeInUse],
        calendars: Mapping[str, Mapping[str, Any]],
        departments: Mapping[str, str],
        events: Mapping[str, ActiveEvent],
    ) -> None:
        """`calendars` and `departments` (by division) come from the packs; `events` says for a request type which known
        event is on now."""
        self.city, self.desk, self.types, self.calendars = city, desk, types, calendars
        self.departments, self.events = departments, events
        self.named_share = 0.0
        """The share of requests and conversations that concern the named people: a few dozen in any size of city."""
        self.zone = ZoneInfo(city.days.zone)
        self.now = _local_minutes(city.now, self.zone)
        self.sequences: dict[tuple[str, int], int] = {}
        self.request_id = self.order_id = self.conversation_id = 0
        self._calendars: dict[tuple[str, int], BusinessCalendar] = {}
        self._offsets: dict[int, int] = {}
        self._due_kept: dict[tuple[Any, ...], Due | None] = {}
        self._candidates: dict[tuple[int, bool], np.ndarray] = {}
        self._hot = self._hot_premises()

    # --- how many and when

    def months(self, count: int) -> list[tuple[int, int, int]]:
        """(first day, last day, how many) of each month, `count` in all, growing a little over the years."""
        today = self.city.days.today
        last = today.toordinal() - 1
        first = dt.date(today.year - self.city.years, today.month, min(today.day, 28)).toordinal()
        self.named_share = min(0.02, 40 / max(count, 1))
        spans = []
        start = first
        while start <= last:
            day = dt.date.fromordinal(start)
            end = dt.date(day.year + day.month // 12, day.month % 12 + 1, 1).toordinal() - 1
            spans.append((start, min(end, last)))
            start = end + 1
        if not spans or count <= 0:
            return []
        weights = np.array([(b - a + 1) * (1 + 0.25 * (a - first) / max(last - first, 1)) for a, b in spans])
        edges = np.rint(np.cumsum(weights) / weights.sum() * count).astype(int)
        counts = np.diff(np.concatenate(([0], edges)))
        return [(a, b, int(many)) for (a, b), many in zip(spans, counts, strict=True)]

    def month(self, first: int, last: int, count: int) -> Month:
        generator = stream(self.city.seed, "requests", first)
        days = np.arange(first, last + 1)
        weight = np.array([WEEKDAYS[(day - 1) % 7] for day in days.tolist()])  # day 1 of the calendar was a Monday
        weight *= np.array(
            [0.15 if dt.date.fromordinal(day) in self.city.days.holidays else 1.0 for day in days.tolist()]
        )
        day = days[chosen(generator, weight.tolist(), count)]
        minute = np.clip(np.rint(generator.normal(11.2 * 60, 150, count)), 8 * 60, 17 * 60 - 2).astype(np.int64)
        opened = np.sort(day * DAY + minute)
        month = dt.date.fromordinal(first).month
        weights = [OFTEN.get(each.definition.code, SELDOM) * each.season[month - 1] for each in self.types]
        which = chosen(generator, weights, count)
        made = Month()
        drawn = {
            "premise": generator.random(count), "hot": generator.random(count), "channel": chosen(generator, CHANNEL_WEIGHTS, count),
            "tell": chosen(generator, TELL_WEIGHTS, count), "life": generator.random((count, 10)),
            "answers": generator.integers(0, 1 << 30, (count, 2)), "late": generator.exponential(1.0, count),
            "staff": generator.integers(0, 1 << 30, count), "jitter": generator.normal(0, 0.0006, (count, 2)),
        }  # fmt: skip
        before: dict[int, tuple[int, int, int]] = {}
        for at in range(count):
            self._one(
                made, int(opened[at]), int(which[at]), {name: values[at] for name, values in drawn.items()}, before
            )
        return made

    # --- one request

    def _one(
        self, made: Month, opened: int, which: int, drawn: dict[str, Any], before: dict[int, tuple[int, int, int]]
    ) -> None:
        city, life = self.city, drawn["life"].tolist()
        kind = self.types[which]
        event = self.events.get(kind.definition.code)
        if event is not None and self._utc(opened) < event.started_at:
            event = None
        if event is not None:
            premise = self._premise_in(event.district, float(drawn["premise"]))
        else:
            premise = self._premise(kind, float(drawn["premise"]), float(drawn["hot"]))
        original = None
        if life[0] < 0.02 and which in before and opened - before[which][1] < 4 * DAY:
            # Somebody reports what a neighbour reported in the days before.
            original, _, premise = before[which]
        self.request_id += 1
        request_id = self.request_id
        definition = kind.definition
        here = definition.place == "premise"
        account = self._account(premise, opened // DAY) if definition.place != "none" else NOBODY
        person = int(city.held.holder[account]) + 1 if account != NOBODY else None
        channel = CHANNELS[drawn["channel"]]
        known = person is not None and (here or life[1] < 0.8)
        answers = _answers(
            definition, int(drawn["answers"][0]), opened // DAY, city.account_number(account) if known else ""
        )
        district = city.areas[int(city.place.district[premise])].code
        division = route(definition, district, {code: each["value"] for code, each in answers.items()}).division
        representative = int(self.desk.representatives[int(drawn["staff"]) % len(self.desk.representatives)])
        if person is not None and representative in self.desk.own(person):
            others = [one for one in self.desk.representatives.tolist() if one != representative]
            representative = int(others[int(drawn["staff"]) % len(others)]) if others else representative
        steps, due = self._life(
            kind,
            opened,
            division,
            life,
            float(drawn["late"]),
            original is not None,
            int(drawn["staff"]),
            representative,
        )
        past = [step for step in steps if step[1] <= self.now]
        state = past[-1][0]
        closed = state == "closed"
        closings = [step for step in past if step[0] == "closed"]
        closed_at = closings[-1][1] if closed else None
        due_minute = None if due is None or due.due_at is None else due.due_at
        conversation = None
        if known and channel in ("phone", "email", "counter", "letter") and self.now - opened < TALK_DAYS * DAY:
            conversation = self._conversation(
                made, opened, channel, representative, person, account, definition, life[2]
            )
        ending, resolution = None, ""
        if closed:
            endings = definition.dispositions
            pick = 0 if life[3] < 0.8 else int(life[3] * 1000) % len(endings)
            ending = endings[pick]
            resolution = (
                DONE_NOTES[int(life[3] * 10_000) % len(DONE_NOTES)] if ending.requires_note or life[3] > 0.6 else ""
            )
            if original is not None:
                resolution = "Same trouble as an earlier request; closed with it."
        joined = 2 if life[4] < 0.006 else 1 if life[4] < 0.03 else 0
        latitude, longitude = float(city.place.latitude[premise]), float(city.place.longitude[premise])
        address = city.place.address(premise)
        if definition.place == "place":
            latitude, longitude = round(latitude + drawn["jitter"][0], 6), round(longitude + drawn["jitter"][1], 6)
            address = f"Near {city.place.house_number[premise]} {city.place.street[premise]}"
        nowhere = definition.place == "none"
        assigned = next((step[2] for step in reversed(past) if step[0] == "assigned"), None)
        recent = self.now - opened < EXPLAIN_DAYS * DAY
        opened_on = dt.date.fromordinal(opened // DAY)
        made.requests.append(
            (
                request_id, len(past), self._number("SR", opened_on.year), "portal", definition.kind, definition.code,
                kind.version, definition.name, definition.group, self.departments.get(division or "", definition.department),
                division, definition.priority, channel, conversation, person if known else None,
                account + 1 if known and account != NOBODY else None, premise + 1 if here else None,
                "" if nowhere else address, "" if nowhere else district, None if nowhere else latitude,
                None if nowhere else longitude, _description(definition, int(drawn["answers"][1])), json_text(answers),
                state, int(closed), self._utc(opened), None if due_minute is None else _utc_text(due_minute),
                json_text([f"Rule: {definition.sla_rule}.", *due.explanation]) if due is not None and recent else None,
                None if closed_at is None else self._utc(closed_at), ending.code if ending else None, resolution,
                sum(1 for step in past if step[3] == "reopen"), assigned, representative,
                original, None if event is None else event.id, joined,
                TELL_BY[drawn["tell"]] if known else "none", f"{opened_on:%Y-%m}",
                None if closed_at is None else self._real_minutes(opened, closed_at),
                None if closed_at is None or due_minute is None else int(self._instant(closed_at) <= due_minute), 0,
            )
        )  # fmt: skip
        previous = ""
        for to_code, at, staff_id, why in past:
            note = ""
            if to_code == "closed":
                note = resolution if at == closed_at else DONE_NOTES[0]
            elif why == "reopen":
                note = AGAIN_NOTES[at % len(AGAIN_NOTES)]
            elif to_code == "waiting_customer":
                note = WAIT_NOTES[at % len(WAIT_NOTES)]
            who = representative if to_code == "new" else staff_id
            made.states.append((request_id, previous, to_code, self._utc(at), who, note))
            previous = to_code
        for number in range(joined):
            self._join(made, request_id, premise, opened, number)
        if division and (definition.kind != "action_order" or life[5] < 0.5) and original is None and life[6] < 0.8:
            self._order(
                made,
                request_id,
                kind,
                premise if here else NOBODY,
                account if known else NOBODY,
                address,
                division,
                past,
                due_minute,
                life[7],
            )
        if here and original is None:
            before[which] = (request_id, opened, premise)

    def _life(
        self,
        kind: TypeInUse,
        opened: int,
        division: str | None,
        life: list[float],
        late: float,
        double: bool,
        who: int,
        representative: int,
    ) -> tuple[list[tuple[str, int, int | None, str]], Due | None]:
        """Steps (state, local minute, colleague, why) to the end of its life, also those still to come, and when it is due."""
        worker = self.desk.of_division(division, who)
        if worker is None and who % 10 < 3:
            worker = (
                representative  # whoever took it keeps an eye on it, where the division does not work in the portal
            )
        steps: list[tuple[str, int, int | None, str]] = [("new", opened, None, "")]
        due = self._due(kind, opened, ())
        if double:
            steps.append(("closed", _in_hours(opened + 25 + int(life[8] * 200)), worker, ""))
            return steps, due
        span = 3 * DAY if due is None or due.due_at is None else max(60, _local_minutes(due.due_at, self.zone) - opened)
        in_time = life[8] < kind.on_time
        share = 0.15 + 0.8 * life[9]
        end = (
            opened + int(span * share)
            if in_time
            else opened + span + 45 + int(late * 2.4 * DAY * (14 if life[9] > 0.9 else 1))
        )
        last = opened
        pauses: list[tuple[int, int]] = []
        if worker is not None:
            last = _after(last, opened + int((end - opened) * 0.12))
            steps.append(("assigned", last, worker, ""))
        last = _after(last, opened + int((end - opened) * 0.4))
        steps.append(("in_progress", last, worker, ""))
        if life[4] > 0.96:
            wait = _after(last, last + 20)
            back = _after(wait, wait + int(DAY * (0.3 + 3 * life[9])))
            steps += [("waiting_customer", wait, worker, ""), ("in_progress", back, worker, "")]
            pauses.append((wait, back))
            end += back - wait
            last = back
        end = _after(last, end)
        due = self._due(kind, opened, pauses)
        if in_time and due is not None and due.due_at is not None:
            limit = _local_minutes(due.due_at, self.zone)
            if end > limit > last + 2:
                end = limit - 1
        steps.append(("closed", end, worker, ""))
        if life[5] > 0.968:
            again = _after(end, end + int(DAY * (0.5 + 9 * life[6])))
            done = _after(again, again + int(span * 0.35) + 60)
            steps += [("in_progress", again, worker, "reopen"), ("closed", done, worker, "")]
            pauses.append((end, again))
        # What is still to come does not move the due time; a wait that still lasts leaves it open.
        known = [
            (start, finish) for start, finish in pauses if finish <= self.now or (start <= self.now and start != end)
        ]
        return steps, self._due(kind, opened, known) if pauses else due

    def _due(self, kind: TypeInUse, opened: int, pauses: Any) -> Due | None:
        definition = kind.definition
        if definition.sla_target is None or definition.sla_calendar is None:
            return None
        # A target in working days looks only at the opening day: its answer serves all that opened on it.
        by_day = "working_days" in definition.sla_target and not pauses
        key = (definition.sla_calendar, tuple(definition.sla_target.items()), opened // DAY)
        old = self.now - opened >= EXPLAIN_DAYS * DAY
        if by_day and old and key in self._due_kept:
            return self._due_kept[key]
        stops = [
            Pause(self._instant(start), None if finish > self.now else self._instant(finish))
            for start, finish in pauses
        ]
        due = due_of(definition, self._calendar(definition.sla_calendar, opened), self._instant(opened), stops)
        if by_day and old:
            self._due_kept[key] = due
        return due

    def _calendar(self, code: str, opened: int) -> BusinessCalendar:
        year = dt.date.fromordinal(opened // DAY).year
        if (code, year) not in self._calendars:
            self._calendars[code, year] = calendar_of(self.calendars[code], self.city.days.zone, dt.date(year, 7, 1))
        return self._calendars[code, year]

    def _premise(self, kind: TypeInUse, drawn: float, hot: float) -> int:
        if hot > 1 - self.named_share:
            row = int(drawn * len(self.city.named.premises))
            if kind.needs < 0 or self.city.served.has[row, kind.needs]:
                return row
        key = (kind.needs, kind.business)
        if key not in self._candidates:
            has = self.city.served.has
            rows = np.arange(len(has)) if kind.needs < 0 else np.flatnonzero(has[:, kind.needs])
            if kind.business:
                rows = rows[self.city.place.kind[rows] == BUSINESS]
            self._candidates[key] = rows if len(rows) else np.arange(len(has))
        if hot < 0.12 and not kind.business:
            return int(self._hot[int(drawn * len(self._hot))])
        rows = self._candidates[key]
        return int(rows[int(drawn * len(rows))])

    def _premise_in(self, district: str, drawn: float) -> int:
        """Where an event is on, everybody who calls about it lives."""
        rows = np.flatnonzero(self.city.place.district == [area.code for area in self.city.areas].index(district))
        return int(rows[int(drawn * len(rows))])

    def _hot_premises(self) -> np.ndarray:
        """Where trouble comes again and again: one premise in sixty."""
        generator = stream(self.city.seed, "hot spots")
        has = np.flatnonzero(self.city.served.has[:, REFUSE])
        return generator.choice(has, max(1, len(has) // 60), replace=False)

    def _account(self, premise: int, day: int) -> int:
        """Who held a premise on a day; a request of the years before the window belongs to whoever was there first."""
        held = self.city.held
        former, present = int(held.former[premise]), int(held.present[premise])
        if former != NOBODY and day < held.left_on[premise]:
            return former if day >= held.opened[former] else NOBODY
        if present != NOBODY and day >= held.opened[present]:
            return present
        return NOBODY

    def _conversation(
        self, made: Month, opened: int, channel: str, staff_id: int, person: int | None, account: int, definition: Definition, drawn: float
    ) -> int:  # fmt: skip
        self.conversation_id += 1
        length = 2 + int(drawn * 6)
        reason = (
            "collection"
            if definition.kind == "cars"
            else "city_request"
            if definition.kind == "action_order"
            else "bill_question"
        )
        year = dt.date.fromordinal(opened // DAY).year
        premise = int(self.city.held.premise[account]) + 1 if account != NOBODY else None
        made.conversations.append(
            (
                self.conversation_id, 1, self._number("CV", year), channel, staff_id, person,
                account + 1 if account != NOBODY else None, premise, self._utc(opened - 1), self._utc(opened - 1 + length), "",
                reason, "case_opened",
            )
        )  # fmt: skip
        return self.conversation_id

    def _join(self, made: Month, request_id: int, premise: int, opened: int, number: int) -> None:
        neighbour = (premise + 1 + number) % self.city.place.count
        account = self._account(neighbour, opened // DAY)
        at = _in_hours(opened + 50 + number * 95)
        if account == NOBODY or at > self.now:
            account_id = person_id = None
            at = min(at, self.now)
        else:
            account_id, person_id = account + 1, int(self.city.held.holder[account]) + 1
        tell = "text" if person_id else "none"
        made.callers.append(
            (request_id, person_id, account_id, tell, JOIN_WORDS[number % len(JOIN_WORDS)], self._utc(at))
        )

    def _order(
        self, made: Month, request_id: int, kind: TypeInUse, premise: int, account: int, address: str, division: str,
        past: list[tuple[str, int, int | None, str]], due: dt.datetime | None, drawn: float,
    ) -> None:  # fmt: skip
        """The job for the division: written when somebody took the request on, done before it closed."""
        self.order_id += 1
        begun = next((step[1] for step in past if step[0] in ("assigned", "in_progress")), past[0][1])
        closing = past[-1] if past[-1][0] == "closed" else None
        state, done_at, ending = "new", None, None
        if closing is not None:
            done_at = max(begun, closing[1] - 4 - int(drawn * 40))
            state, ending = ("done", "completed") if drawn < 0.95 else ("cancelled", "not_needed")
        elif past[-1][0] == "in_progress":
            state = "dispatched" if drawn < 0.6 else "scheduled"
        year = dt.date.fromordinal(begun // DAY).year
        planned = None if state == "new" else dt.date.fromordinal((done_at or self.now) // DAY).isoformat()
        note = "Settled with the caller before the crew went out." if ending == "not_needed" else ""
        made.orders.append(
            (
                self.order_id, 1 + (state != "new"), self._number("WO", year), kind.definition.code, kind.definition.name, request_id,
                None if premise == NOBODY else premise + 1, None if account == NOBODY else account + 1, address, division,
                f"Crew {1 + self.order_id % 7}" if state not in ("new", "cancelled") else "", state, int(closing is not None), "",
                planned, self._utc(begun), None if due is None else _utc_text(due),
                None if done_at is None else self._utc(done_at), ending, note,
            )
        )  # fmt: skip

    # --- numbers and time

    def _number(self, kind: str, year: int) -> str:
        self.sequences[kind, year] = self.sequences.get((kind, year), 0) + 1
        return make_number(kind, year, self.sequences[kind, year])

    def number(self, kind: str, year: int) -> str:
        """The next number of a kind; other makers of rows share the sequences."""
        return self._number(kind, year)

    def _offset(self, day: int) -> int:
        """Minutes from local time to UTC on a day, during its office hours."""
        found = self._offsets.get(day)
        if found is None:
            noon = dt.datetime.combine(dt.date.fromordinal(day), dt.time(12), self.zone)
            shift = noon.utcoffset()
            assert shift is not None
            found = self._offsets[day] = -int(shift.total_seconds() // 60)
        return found

    def _instant(self, local: int) -> dt.datetime:
        day, minute = divmod(local, DAY)
        return dt.datetime.combine(dt.date.fromordinal(day), dt.time(), dt.UTC) + dt.timedelta(
            minutes=minute + self._offset(day)
        )

    def _utc(self, local: int) -> str:
        """A local minute as the stored text of its instant."""
        day, minute = divmod(local, DAY)
        minute += self._offset(day)
        day, minute = day + minute // DAY, minute % DAY
        return f"{self.city.days.iso(day)}T{minute // 60:02d}:{minute % 60:02d}:00.000000Z"

    def utc(self, local: int) -> str:
        """A local minute (day number times 1,440 plus minute of the day) as the stored text of its instant."""
        return self._utc(local)

    def _real_minutes(self, start: int, end: int) -> int:
        return end - start + self._offset(end // DAY) - self._offset(start // DAY)


def _utc_text(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _local_minutes(at: dt.datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.toordinal() * DAY + local.hour * 60 + local.minute


def _in_hours(local: int) -> int:
    """The same minute, or one of the next working hours when it lies at night or on a Sunday."""
    day, minute = divmod(local, DAY)
    if minute >= 17 * 60 + 30:
        day, minute = day + 1, 7 * 60 + local % 170
    elif minute < 7 * 60:
        minute = 7 * 60 + local % 170
    if day % 7 == 0:  # ordinals divisible by seven are Sundays
        day += 1
    return day * DAY + minute


def _after(last: int, wanted: int) -> int:
    """A working minute at or after `wanted`, and after `last` in any case."""
    return _in_hours(max(wanted, last + 3))


def _description(definition: Definition, drawn: int) -> str:
    """In the caller's words: one of the words the public uses for this, and since when."""
    if not definition.synonyms or drawn % 5 == 0:
        return ""
    said = definition.synonyms[drawn % len(definition.synonyms)]
    return f"{said[:1].upper()}{said[1:]}, {WHEN_SAID[drawn // 7 % len(WHEN_SAID)]}."


def _answers(definition: Definition, drawn: int, day: int, account_number: str) -> dict[str, dict[str, Any]]:
    """Answers as the form keeps them: each question that is asked, most of the voluntary ones left away."""
    kept: dict[str, dict[str, Any]] = {}
    given: dict[str, Any] = {}
    for place, question in enumerate(definition.fields):
        if question.show_when is not None and not question.show_when.holds(given):
            continue
        luck = (drawn >> (place % 13)) ^ (drawn * (place + 3) >> 7)
        if not question.required and luck % 3:
            continue
        value: Any
        if question.datatype == "singlevaluelist":
            # An answer that ends the call opens no request.
            ends = {key for stop in definition.stops if stop.when.field == question.code for key in stop.when.values}
            open_to = [each for each in question.choices if each.key not in ends] or question.choices
            choice = open_to[min(luck % (len(open_to) + 2), len(open_to) - 1) if luck % 2 else 0]
            value, said = choice.key, choice.name
        elif question.datatype == "multivaluelist":
            choice = question.choices[luck % len(question.choices)]
            value, said = [choice.key], choice.name
        elif question.datatype == "number":
            value = (question.minimum or 1) + luck % 2
            said = str(value)
        elif question.datatype == "datetime":
            on = dt.date.fromordinal(day - 1 - luck % 3)
            value, said = on.isoformat(), on.isoformat()
        elif question.datatype == "account" and account_number:
            value = said = account_number
        elif question.datatype in ("string", "text") and question.required:
            value = said = "Not known"
        else:
            continue
        given[question.code] = value
        kept[question.code] = {"label": question.description, "value": value, "words": said}
    return kept


def all_months(cases: Cases, count: int) -> Iterator[Month]:
    for first, last, many in cases.months(count):
        yield cases.month(first, last, many)


assert GAS != WATER
