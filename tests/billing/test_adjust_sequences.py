"""Any order of asking, deciding, withdrawing, taking back and replaying, by several people on several days, keeps the books."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import core, staff
from db.accounts import Account
from db.billing import Adjustment, ledger
from portal.billing import commands
from portal.billing.rules.adjustment import WHOLE_BILL, AdjustmentForm
from portal.billing.views.ledger import cut_policy, owed_by
from portal.shared.refusal import Refused
from portal.staff import commands as staff_commands
from portal.staff.rules import AbsenceForm
from tests.billing.test_adjust import october
from tests.city import NOW, TODAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.city import City

WHO = ("luis", "dana", "sam", "ingrid")
ACCOUNTS = ("marcus", "wei")
AMOUNTS = ("0.01", "10", "25", "49.99", "50", "50.01", "120", "500", "500.01")

OPERATIONS = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(WHO), st.sampled_from(ACCOUNTS), st.sampled_from(AMOUNTS)),
    st.tuples(st.just("leak"), st.sampled_from(WHO), st.sampled_from(("5", "29.52", "85.08"))),
    st.tuples(st.just("whole"), st.sampled_from(WHO), st.sampled_from(("10", "100"))),
    st.tuples(st.just("charge"), st.sampled_from(WHO), st.sampled_from(AMOUNTS)),
    st.tuples(st.sampled_from(("approve", "refuse", "withdraw", "reverse")), st.sampled_from(WHO), st.integers(0, 30)),
    st.tuples(st.just("replay"), st.integers(0, 30)),
    st.tuples(st.just("away"), st.sampled_from(WHO), st.sampled_from(WHO), st.integers(0, 3)),
    st.tuples(st.just("days"), st.integers(1, 20)),
)


class Desk:
    """The small city's desk on which operations are tried; what was done under which key."""

    def __init__(self, city: City, actor: Callable[[str], Any], began: int) -> None:
        self.city, self.actor = city, actor
        self.days = began
        self.done: list[tuple[str, Any, AdjustmentForm, str]] = []

    def form(self, operation: tuple[Any, ...]) -> AdjustmentForm:
        match operation:
            case ("ask", _, account, amount):
                return AdjustmentForm(self.city.account[account], "goodwill", "long_wait", amount=amount, note="Waited")
            case ("leak", _, amount):
                return AdjustmentForm(
                    self.city.account["marcus"], "leak_credit", "leak_repaired", october(self.city), "water",
                    amount=amount, note="Repaired",
                )  # fmt: skip
            case ("whole", _, percent):
                return AdjustmentForm(
                    self.city.account["marcus"], "wrong_charge", "billed_twice", october(self.city), WHOLE_BILL,
                    "percent", percent, "Twice",
                )  # fmt: skip
        return AdjustmentForm(self.city.account["wei"], "other_charge", "damage", amount=operation[2], note="A cart")

    def carry_out(self, operation: tuple[Any, ...]) -> None:
        match operation:
            case ("days", days):
                self.days += days
            case ("replay", number) if self.done:
                key, who, form, said = self.done[number % len(self.done)]
                assert commands.adjust_bill(who, form, key=key).number == said
            case ("away", who, stand_in, days):
                today = TODAY + dt.timedelta(days=self.days)
                until = today + dt.timedelta(days=days)
                form = AbsenceForm(self.city.staff[who], today, until, self.city.staff[stand_in])
                staff_commands.declare_absence(self.actor("ada"), form)
            case ("ask" | "leak" | "whole" | "charge", who, *_):
                key, form = f"{len(self.done):04d}{id(self):x}".ljust(16, "k"), self.form(operation)
                receipt = commands.adjust_bill(self.actor(who), form, key=key)
                self.done.append((key, self.actor(who), form, receipt.number))
            case (verb, who, number):
                with core.read() as session:
                    found = session.execute(sa.select(Adjustment.id, Adjustment.version)).all()
                if not found:
                    return
                one = found[number % len(found)]
                run = getattr(commands, f"{verb}_adjustment")
                run(self.actor(who), one.id, one.version, *(("because",) if verb in ("refuse", "reverse") else ()))


def check(city: City, before: dict[int, int], limits: dict[int, dict[str, int]], today: dt.date) -> None:
    """What must hold at every moment."""
    with core.read() as session:
        assert list(ledger.unequal_balances(session)) == []
        assert list(ledger.unequal_entries(session)) == []
        made = session.scalars(sa.select(Adjustment)).all()
        for account in session.scalars(sa.select(Account).where(Account.id.in_(before))):
            posted = sum(
                one.amount_cents for one in made if one.account_id == account.id and one.state_code == "posted"
            )
            assert account.balance_cents == before[account.id] + posted
            standing = owed_by(session, account.id, cut_policy(session, today)).on(today)
            assert standing.past_due_cents >= 0
            if account.cutoff_on is not None:
                assert account.past_due_cents >= cut_policy(session, today).least_cents
        for one in made:
            assert one.amount_cents == sum(part[3] for part in one.lines)
            assert (one.entry_id is not None) == (one.state_code in ("posted", "reversed"))
            if one.state_code == "pending":
                assert one.decided_by_id is None
            if one.decided_by_id is not None and one.state_code != "withdrawn":
                assert one.decided_by_id != one.requested_by_id
                assert one.decided_for_id != one.requested_by_id
                if one.state_code in ("posted", "reversed"):
                    right = one.decided_for_id or one.decided_by_id
                    assert limits[right][one.limit_kind] >= abs(one.amount_cents)
        # What anybody posted alone, in any thirty days on an account, is within the highest limit of those who did.
        alone = [one for one in made if one.state_code == "posted" and one.decided_by_id is None]
        for first in alone:
            window = [
                one
                for one in alone
                if (one.account_id, one.limit_kind) == (first.account_id, first.limit_kind)
                and 0 <= (one.requested_at.date() - first.requested_at.date()).days < 30
            ]
            highest = max(limits[one.requested_by_id][one.limit_kind] for one in window)
            assert sum(abs(one.amount_cents) for one in window) <= highest


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(OPERATIONS, min_size=1, max_size=14))
def test_any_order_keeps_every_account_balanced_and_every_limit_obeyed(
    city: City, actor: Callable[[str], Any], operations: list[tuple[Any, ...]]
) -> None:
    with core.read() as session:
        posted = sa.select(sa.func.coalesce(sa.func.sum(Adjustment.amount_cents), 0)).where(
            Adjustment.account_id == Account.id, Adjustment.state_code == "posted"
        )
        before = {
            row.id: row.balance_cents - int(row.posted)
            for row in session.execute(
                sa.select(Account.id, Account.balance_cents, posted.scalar_subquery().label("posted"))
            )
        }
        limits = staff.limits_by_staff(session)
        last = session.scalar(sa.select(sa.func.max(Adjustment.requested_at, type_=Adjustment.requested_at.type)))
    began = 0 if last is None else max(0, (last.date() - TODAY).days) + 40  # each run begins where no limit is used up
    desk, said = Desk(city, actor, began), ["."]
    for step, operation in enumerate(operations):
        with time_machine.travel(NOW + dt.timedelta(days=desk.days, seconds=step), tick=False):
            try:
                desk.carry_out(operation)
            except Refused as refused:
                said += [problem.message for problem in refused.problems] or [""]
            check(city, before, limits, TODAY + dt.timedelta(days=desk.days))
    assert all(sentence.endswith((".", "?")) for sentence in said)
