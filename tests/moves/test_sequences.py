"""Whatever is asked for in whatever order: never two present at one point, and after a turnover somebody has it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import accounts, core, moves
from portal.contacts import commands as contacts
from portal.contacts import views
from portal.moves import commands
from portal.moves.rules.form import StartForm, StopForm, TransferForm
from portal.shared.refusal import Refused
from portal.staff.views import actor_for_staff

if TYPE_CHECKING:
    from tests.city import City

NOON = dt.datetime(2026, 11, 30, 17, tzinfo=dt.UTC)  # Monday
TENANTS = ("samuel", "odessa", "priya", "wei")
KINDS = ("electric", "water", "sewer", "refuse")

step = st.one_of(
    st.tuples(
        st.just("start"),
        st.sampled_from(TENANTS),
        st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True),
        st.integers(0, 9),
    ),
    st.tuples(
        st.just("stop"),
        st.integers(0, 9),
        st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True),
        st.integers(0, 9),
    ),
    st.tuples(st.just("transfer"), st.sampled_from(TENANTS), st.integers(0, 9)),
    st.tuples(st.just("confirm"), st.integers(0, 9), st.integers(-3, 0)),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("hold"), st.integers(0, 9)),
    st.tuples(st.just("release"), st.integers(0, 9)),
    st.tuples(st.just("day"), st.integers(1, 4)),
    st.just(("night",)),
)


class Run:
    """One sequence at 77 Palmetto Ct, Unit 4, whose owner takes over between tenants."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.premise_id = city.premise["palmetto4"]
        self.actor: Any = actor_for_staff(city.staff["sam"])
        self.now = NOON
        self.done = 0
        self.refused = 0

    @property
    def today(self) -> dt.date:
        return self.now.date()

    def carry_out(self, what: tuple[Any, ...]) -> None:
        try:
            with time_machine.travel(self.now, tick=False):
                getattr(self, what[0])(*what[1:])
            self.done += 1
        except Refused:
            self.refused += 1

    def call(self, account_id: int | None, person_id: int | None = None) -> int:
        """A conversation with this customer, whose number on file was called."""
        here = views.open_call(self.actor)
        call_id = contacts.begin_conversation(self.actor, "phone").subject_id if here is None else here.id
        contacts.link_customer(self.actor, call_id, account_id=account_id, person_id=person_id)
        contacts.confirm_call_back(self.actor, call_id, True)
        return call_id

    def start(self, tenant: str, kinds: list[str], days: int) -> None:
        commands.start_service(
            self.actor,
            StartForm(
                self.premise_id,
                tuple(kinds),
                self.today + dt.timedelta(days=days),
                tenant.capitalize(),
                phone="8505550100",
                person_id=self.city.person[tenant],
                account_id=self.account_of(tenant),
                evidence_code="lease",
                conversation_id=self.call(self.account_of(tenant), self.city.person[tenant]),
            ),
        )

    def stop(self, at: int, kinds: list[str], days: int) -> None:
        """Somebody who has service here stops those of the kinds that are theirs."""
        present = [row for row in self.rows() if row.state_code in ("active", "pending_stop")]
        if present:
            account_id = present[at % len(present)].account_id
            theirs = tuple({row.service_kind for row in present if row.account_id == account_id} & set(kinds))
            on = self.today + dt.timedelta(days=days)
            call_id = self.call(account_id)
            commands.stop_service(
                self.actor, StopForm(account_id, self.premise_id, theirs, on, conversation_id=call_id)
            )

    def transfer(self, tenant: str, days: int) -> None:
        """From the tenant's home of before to this place."""
        account_id = self.account_of(tenant)
        with core.read() as session:
            account = moves.account(session, account_id or 0)
            home = None if account is None else account.premise_id
        on = self.today + dt.timedelta(days=days)
        start = StartForm(
            self.premise_id,
            KINDS,
            on,
            tenant.capitalize(),
            phone="8505550100",
            person_id=self.city.person[tenant],
            evidence_code="lease",
            conversation_id=self.call(account_id, self.city.person[tenant]),
        )
        commands.transfer_service(self.actor, TransferForm(account_id, home, on, start))

    def account_of(self, tenant: str) -> int | None:
        with core.read() as session:
            found = moves.open_accounts_of_person(session, self.city.person[tenant])
            return found[-1].id if found else None

    def confirm(self, at: int, days: int) -> None:
        waiting = [row for row in self.rows() if row.state_code in ("pending_start", "pending_stop")]
        if waiting:
            row = waiting[at % len(waiting)]
            on = self.today + dt.timedelta(days=days)
            commands.confirm_agreement(self.actor, row.id, on, self.reading(row, on))

    def reading(self, row: accounts.ServiceAgreement, on: dt.date) -> int | None:
        with core.read() as session:
            meter = moves.meters(session, self.premise_id).get(row.service_point_id)
            if meter is None:
                return None
            before, after = moves.reads_around(session, meter.id, on)
            return after.read if after is not None else before[0].read + 3

    def booked(self, *states: str) -> list[moves.Move]:
        with core.read() as session:
            return [row for row in moves.open_moves(session, self.premise_id) if row.state_code in states]

    def cancel(self, at: int) -> None:
        if found := self.booked("pending", "held"):
            row = found[at % len(found)]
            commands.cancel_move(self.actor, row.id, row.version, "Test", self.call(row.account_id))

    def hold(self, at: int) -> None:
        if found := self.booked("pending"):
            row = found[at % len(found)]
            commands.hold_move(self.actor, row.id, row.version, "Test", self.call(row.account_id))

    def release(self, at: int) -> None:
        if found := self.booked("held"):
            row = found[at % len(found)]
            commands.release_move(self.actor, row.id, row.version, "Test", self.call(row.account_id))

    def day(self, days: int) -> None:
        self.now += dt.timedelta(days=days)

    def night(self) -> None:
        commands.confirm_due(self.today)

    def rows(self) -> list[accounts.ServiceAgreement]:
        with core.read() as session:
            return list(
                session.scalars(
                    sa.select(accounts.ServiceAgreement)
                    .join(accounts.ServicePoint, accounts.ServicePoint.id == accounts.ServiceAgreement.service_point_id)
                    .where(accounts.ServicePoint.premise_id == self.premise_id)
                    .order_by(accounts.ServiceAgreement.id)
                )
            )

    def check(self) -> None:
        rows = self.rows()
        with core.read() as session:
            points = {row.id: row for row in moves.points(session, self.premise_id)}
            open_moves = moves.open_moves(session, self.premise_id)
            orders = moves.open_orders(session, self.premise_id)
        held = {one for move in open_moves if move.state_code == "held" for one in move.agreement_ids}
        for point_id, point in points.items():
            here = [row for row in rows if row.service_point_id == point_id]
            present = [row for row in here if row.state_code in ("active", "pending_stop")]
            waiting = [row for row in here if row.state_code == "pending_start" and row.id not in held]
            assert len(present) <= 1, f"two present at {point.service_kind}"
            # Spans of one point touch, and never overlap.
            spans = sorted(
                (row.start_on, row.stop_on or dt.date.max)
                for row in here
                if row.state_code in ("active", "pending_stop", "stopped")
            )
            assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
            # Unowned only while it is off: nobody uses service that nobody has.
            assert bool(present) != (point.off_since_on is not None), f"{point.service_kind} is on and nobody has it"
            if present and present[0].state_code == "active":
                assert not waiting, "a start waits and the present party does not know of an end"
            if present and waiting:
                assert present[0].stop_on is not None
                assert present[0].stop_on <= max(min(row.start_on for row in waiting), present[0].start_on)
            for row in here:
                mine = [each for each in orders if each.agreement_id == row.id]
                assert len(mine) <= 1, "two orders for one thing"
                assert not (mine and (row.state_code in ("stopped", "cancelled", "active") or row.id in held))
        for row in rows:
            assert row.stop_on is None or row.stop_on >= row.start_on
            if row.state_code == "pending_start":
                assert any(row.id in move.agreement_ids for move in open_moves), "a start waits that no move speaks of"


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(sequence=st.lists(step, min_size=2, max_size=14))
def test_any_sequence_keeps_every_point_owned_once(templates: Any, sequence: list[tuple[Any, ...]]) -> None:
    database = core.connect(templates.copy("sqlite", True, str), audit_key=b"key of the tests, of no installation")
    try:
        run = Run(templates.city("sqlite"))
        for what in sequence:
            run.carry_out(what)
            run.check()
    finally:
        database.dispose()
        core.use(None)
        Path(str(database.url.database)).unlink()
