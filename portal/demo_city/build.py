"""Makes the demo city and loads it, table by table, in an order in which every reference already has what it points at."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from db import (
    accounts,
    billing,
    bulk,
    contacts,
    core,
    demo_city,
    directory,
    metering,
    moves,
    opinion,
    packs_io,
    service_requests,
    staff,
    waste,
)
from portal import upkeep
from portal.billing.rules.dates import CycleCalendar
from portal.billing.views.ledger import cut_policy, tax_accounts
from portal.demo_city import adjustments, bills, colleagues, rows, surveys, talks
from portal.demo_city.cases import (
    CALLER_COLUMNS,
    ORDER_COLUMNS,
    REQUEST_COLUMNS,
    STATE_COLUMNS,
    ActiveEvent,
    Cases,
    types_in_use,
)
from portal.demo_city.city import City, plan_city
from portal.demo_city.days import make_days
from portal.demo_city.draw import stream
from portal.demo_city.meters import read_cycle
from portal.demo_city.named import read_named
from portal.demo_city.prices import NoPrices, Pricing, read_tariffs, with_dates
from portal.demo_city.turnovers import MOVE_COLUMNS, MOVE_ORDER_COLUMNS, Turnovers
from portal.moves.views.policy import deposit_policy, move_policy
from portal.service_requests.rules.due import calendar_of
from portal.service_requests.rules.request_type import read_definition

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from portal.settings import Settings

MOST_MONTHS = 36
"""Reads, bills and payments go back so far; requests as many years as asked for."""
BLOCK = 500
"""Premises whose bills are in memory at once."""
LARGE = 20_000
"""From so many accounts on, plain indexes are made after the rows instead of with them."""


class NotADemo(Exception):
    """Why no city was made, in a sentence."""


@dataclass
class Counts:
    """How much of what was made."""

    accounts: int = 0
    premises: int = 0
    persons: int = 0
    agreements: int = 0
    meters: int = 0
    reads: int = 0
    bills: int = 0
    payments: int = 0
    ledger_entries: int = 0
    postings: int = 0
    requests: int = 0
    work_orders: int = 0
    conversations: int = 0
    respondents: int = 0
    adjustments: int = 0
    seconds: float = 0.0
    already_there: bool = False

    def __str__(self) -> str:
        if self.already_there:
            return "The demo city is already there; nothing was changed."
        parts = [
            f"{getattr(self, each.name):,} {each.name.replace('_', ' ')}"
            for each in fields(self)
            if each.name not in ("seconds", "already_there")
        ]
        return f"The demo city stands: {', '.join(parts)}, in {self.seconds:,.0f} s."


def build(
    setting: Settings | None = None,
    accounts: int = 2000,
    years: int = 3,
    seed: int = 1,
    as_of: dt.date | None = None,
    requests: int | None = None,
    if_empty: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> Counts:
    """Fills the connected database with a city of `accounts` open accounts as of a day (today unless given).

    `requests` is how many service requests, by default five for six account years. Raises NotADemo when the database
    holds rows that are not the demo city's, or holds one already (unless `if_empty`, which then does nothing).
    """
    began = time.perf_counter()
    db = core.database()
    zone = setting.zone if setting is not None else "America/New_York"
    today = as_of or core.now().astimezone(ZoneInfo(zone)).date()
    what = {"accounts": accounts, "years": years, "seed": seed, "as_of": today.isoformat()}
    if _is_there(if_empty=if_empty):
        return Counts(already_there=True)
    _load_packs()
    _mark({**what, "state": "building"})
    requests = round(accounts * years * 5 / 6) if requests is None else requests
    maker = _Maker(db, _plan(zone, today, accounts, years, seed), progress)
    large = accounts >= LARGE
    slow = (
        service_requests.ServiceRequest,
        service_requests.RequestState,
        service_requests.WorkOrder,
        contacts.Conversation,
    )
    others = (billing.Bill, billing.Payment, billing.JournalEntry, contacts.IdentityCheck) if large else ()
    if large:
        with bulk.without_indexes(db, (*slow, *others)):
            maker.make(requests)
            progress("indexes")
    else:
        maker.make(requests)
    maker.finish(progress)
    counts = maker.counts
    counts.adjustments = adjustments.ask(maker.city, maker.team)
    counts.seconds = time.perf_counter() - began
    _mark({**what, "requests": counts.requests, "state": "built"})
    with core.work() as work:
        detail = {
            each.name: getattr(counts, each.name)
            for each in fields(counts)
            if each.name not in ("seconds", "already_there")
        }
        work.event("demo_city.built", subject_kind="city", subject_id=0, at=maker.city.now, detail={**what, **detail})
    return counts


# --- may we? ------------------------------------------------------------------------------------------------------------


def marker() -> dict[str, Any] | None:
    """What the database says about its demo city (size, seed, as_of, state); None when it holds none."""
    with core.read() as session:
        return demo_city.marker(session)


def _is_there(*, if_empty: bool) -> bool:
    """Whether the demo city is there and that is fine. Clears one whose making was interrupted; raises NotADemo else."""
    db = core.database()
    found = marker()
    if found is None:
        table = demo_city.real_rows(db)
        if table is None:
            return False
        raise NotADemo(
            f"This database holds real rows ({table.replace('_', ' ')}), so no demo city is put into it. "
            "Set PORTAL_DATABASE_URL or PORTAL_DATA_DIR to a new one and try again."
        )
    if found.get("state") != "built":
        demo_city.clear(db)
        return False
    if if_empty:
        return True
    raise NotADemo(
        f"The demo city is already there (as of {found['as_of']}). Add --if-empty to leave it, or use a new database."
    )


def _mark(detail: dict[str, Any]) -> None:
    with core.work() as work:
        demo_city.put_marker(work.session, detail)


def _load_packs() -> None:
    """Into a database without any: the base pack and the sample city's beside it. Else the packs that are there count."""
    with core.read() as session:
        loaded = bool(staff.all_roles(session))
    if not loaded:
        upkeep.load_packs(["base", *[name for name in packs_io.pack_names() if name != "base"][:1]])


def _plan(zone: str, today: dt.date, accounts: int, years: int, seed: int) -> City:
    with core.read() as session:
        cycle_row = next(iter(directory.reference(session, "cycle", today)), None)
        office = directory.reference_row(session, "calendar", "office", today)
        if cycle_row is None or office is None:
            raise NotADemo("There is no cycle or office calendar in force. Load the base pack: portal packs base.")
        cycle_pack, problems = CycleCalendar.from_pack(with_dates(cycle_row.detail))
        if cycle_pack is None:
            raise NotADemo(f"The cycle calendar cannot be used: {problems[0].message}")
        days = make_days(seed, today, zone, min(12 * years, MOST_MONTHS), years, cycle_pack, office.detail)
    return plan_city(seed, days, years, accounts, read_named())


@contextlib.contextmanager
def _collector_off() -> Generator[None]:
    """Bills and postings are millions of tuples without a cycle among them: searching them for one took half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# --- make it ------------------------------------------------------------------------------------------------------------


class _Maker:
    """Loads a planned city."""

    def __init__(self, db: core.Database, city: City, progress: Callable[[str], None]) -> None:
        self.db, self.city, self.progress = db, city, progress
        self.counts = Counts()
        self.numbers = bills.Numbers()
        self.sequences: dict[tuple[str, int], int] = {}

    def load(self, model: type[core.Base], columns: tuple[str, ...], made: Iterable[tuple[Any, ...]]) -> int:
        return bulk.load(self.db, model, columns, made)

    def make(self, requests: int) -> None:
        city, load, counts = self.city, self.load, self.counts
        self.progress("streets and people")
        load(accounts.ServiceArea, rows.AREA_COLUMNS, rows.areas(city))
        counts.persons = load(accounts.Person, rows.PERSON_COLUMNS, rows.persons(city))
        counts.premises = load(accounts.Premise, rows.PREMISE_COLUMNS, rows.premises(city))
        self._hire()
        load(contacts.IdentityVerifier, rows.VERIFIER_COLUMNS, rows.verifiers(city))
        load(accounts.ServicePoint, rows.POINT_COLUMNS, rows.service_points(city))
        counts.meters = load(metering.Meter, rows.METER_COLUMNS, rows.meters(city))
        load(waste.Container, rows.CONTAINER_COLUMNS, rows.containers(city))
        load(metering.DayTemperature, rows.TEMPERATURE_COLUMNS, rows.temperatures(city))
        load(billing.CycleDate, bills.CYCLE_DATE_COLUMNS, bills.cycle_date_rows(city.days))
        with _collector_off():
            self._bill_everybody()
        self.progress("agreements")
        counts.agreements = load(accounts.ServiceAgreement, rows.AGREEMENT_COLUMNS, rows.agreements(city))
        load(accounts.AuthorisedPerson, rows.AUTHORISED_COLUMNS, rows.authorised(city))
        load(accounts.Flag, rows.FLAG_COLUMNS, rows.flags(city))
        load(accounts.OtherNumber, rows.OTHER_NUMBER_COLUMNS, rows.other_numbers(city))
        self._open_cases(requests)
        self.progress("surveys")
        load(opinion.SurveyWave, surveys.WAVE_COLUMNS, surveys.waves(city))
        counts.respondents = load(opinion.Respondent, surveys.RESPONDENT_COLUMNS, surveys.respondents(city))
        load(opinion.SurveyAnswer, surveys.ANSWER_COLUMNS, surveys.answers(city))
        with core.work() as work:
            for number in range(1, len(surveys.WAVES) + 1):
                opinion.recount(work.session, number)

    def _bill_everybody(self) -> None:
        """Cycle by cycle: reads, bills, payments, and the accounts with what they owe."""
        city, counts = self.city, self.counts
        with core.read() as session:
            tariffs = read_tariffs(session, city.days.today)
            taxes = tax_accounts(session, city.days.today)
            least_cents = cut_policy(session, city.days.today).least_cents
            deposits = rows.deposits(city, deposit_policy(session, city.days.today))
        coming = {int(city.held.premise[row]): row for row in city.held.coming}
        try:
            for cycle in city.days.cycles:
                self.progress(f"reads and bills of cycle {cycle.code}")
                premise_rows = np.flatnonzero(city.place.cycle == cycle.number - 1)
                reads = read_cycle(
                    city.seed, city.days, cycle, premise_rows, city.held, city.served, city.shapes, city.named
                )
                pricing = Pricing(tariffs, taxes)
                generator = stream(city.seed, "payments", cycle.number)
                for first in range(0, len(premise_rows), BLOCK):
                    block = slice(first, first + BLOCK)
                    made = bills.bill_cycle(
                        city.seed, city.days, cycle, city.place, city.held, city.served, reads, pricing, city.habit,
                        self.numbers, city.medical, least_cents, block, generator,
                    )  # fmt: skip
                    here = [
                        row
                        for premise in premise_rows[block].tolist()
                        for row in (
                            int(city.held.former[premise]),
                            int(city.held.present[premise]),
                            coming.get(premise, -1),
                        )
                        if row >= 0
                    ]
                    counts.accounts += self.load(
                        accounts.Account, rows.ACCOUNT_COLUMNS, rows.accounts(city, made.owing, here, deposits)
                    )
                    counts.reads += self.load(metering.RegisterRead, rows.READ_COLUMNS, rows.reads(city, reads, block))
                    counts.bills += self.load(billing.Bill, bills.BILL_COLUMNS, made.bills)
                    counts.payments += self.load(billing.Payment, bills.PAYMENT_COLUMNS, made.payments)
                    counts.ledger_entries += self.load(billing.JournalEntry, bills.ENTRY_COLUMNS, made.entries)
                    counts.postings += self.load(billing.Posting, bills.POSTING_COLUMNS, made.postings())
        except NoPrices as problem:
            raise NotADemo(str(problem)) from None

    def _hire(self) -> None:
        """The colleagues, with ids above those of people who were let in before."""
        with core.read() as session:
            divisions = {row.code for row in directory.divisions(session)}
        self.team = colleagues.colleagues(self.city, divisions, bulk.highest_id(self.db, staff.Staff) + 1)
        self.load(staff.Staff, colleagues.STAFF_COLUMNS, colleagues.staff_rows(self.city, self.team))
        self.load(staff.StaffRole, colleagues.ROLE_COLUMNS, colleagues.role_rows(self.team))

    def _open_cases(self, count: int) -> None:
        """Known events, requests with their conversations and orders, then the conversations that needed no request."""
        city, load, counts = self.city, self.load, self.counts
        today = city.days.today
        with core.read() as session:
            types = types_in_use(
                [
                    (read_definition(row.detail), row.version_no)
                    for row in service_requests.request_types_in_force(session, today)
                ]
            )
            calendars = {row.code: row.detail for row in directory.reference(session, "calendar", today)}
            departments = service_requests.division_departments(session)
            kinds = {row.code: row.detail for row in directory.reference(session, "known_event_kind", today)}
            policy = move_policy(session, today)
            subjects = [row.code for row in directory.reference(session, "opinion_subject", today)]
        desk = colleagues.Desk(self.team)
        events: dict[str, ActiveEvent] = {}
        cases = Cases(city, desk, types, calendars, departments, events)
        known = talks.known_events(city, cases, kinds)
        events |= talks.types_of_active(known)
        load(service_requests.KnownEvent, talks.EVENT_COLUMNS, known)
        self.progress("requests and orders")
        done = 0
        for first, last, many in cases.months(count) if types else []:
            month = cases.month(first, last, many)
            counts.conversations += load(contacts.Conversation, talks.CONVERSATION_COLUMNS, month.conversations)
            counts.requests += load(service_requests.ServiceRequest, REQUEST_COLUMNS, month.requests)
            load(service_requests.RequestState, STATE_COLUMNS, month.states)
            load(service_requests.RequestCaller, CALLER_COLUMNS, month.callers)
            counts.work_orders += load(service_requests.WorkOrder, ORDER_COLUMNS, month.orders)
            if counts.requests // 100_000 > done:
                done = counts.requests // 100_000
                self.progress(f"{counts.requests:,} requests")
        self.progress("conversations")
        for made in talks.talk_months(city, cases, desk, subjects):
            counts.conversations += load(contacts.Conversation, talks.CONVERSATION_COLUMNS, made.conversations)
            load(contacts.IdentityCheck, talks.CHECK_COLUMNS, made.checks)
            load(contacts.OpinionHeard, talks.OPINION_COLUMNS, made.opinions)
            load(contacts.Promise, talks.PROMISE_COLUMNS, made.promises)
            load(contacts.CallBack, talks.CALL_BACK_COLUMNS, made.call_backs)
        office = calendar_of(calendars["office"], city.days.zone, today)
        turned = Turnovers(city, cases, desk, policy, office, rows.first_agreements(city).tolist())
        turned.make()
        load(moves.Move, MOVE_COLUMNS, turned.moves)
        counts.work_orders += load(service_requests.WorkOrder, MOVE_ORDER_COLUMNS, turned.orders)
        self.sequences |= cases.sequences

    def finish(self, progress: Callable[[str], None]) -> None:
        """Sequences, the find index, the planner's counts."""
        city = self.city
        self.sequences["account", 0] = int(city.account_seq.max())
        self.sequences |= {("BL", year): last for year, last in self.numbers.last.items()}
        with core.work() as work:
            for (kind, year), last in sorted(self.sequences.items()):
                core.next_sequence(work.session, kind, year, take=last)
        bulk.set_sequences(self.db, demo_city.MODELS)
        service_requests.rebuild_rollups(self.db, ZoneInfo(city.days.zone), progress)
        progress("find index")
        accounts.rebuild_find_index(self.db)
        bulk.analyze(self.db)
