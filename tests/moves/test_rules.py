"""The pure decisions of moves: succession, evidence, debts, days, orders, readings, words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.moves.rules import debt, form, order, read, turnover, words
from portal.moves.rules.policy import BadPolicy, MovePolicy, listed, read_policy
from portal.shared.calendar import BusinessCalendar

BASE = Path(__file__).parents[2] / "db" / "packs" / "base"
TODAY = dt.date(2026, 11, 24)
OFFICE = BusinessCalendar(
    "America/New_York",
    {day: ((dt.time(8), dt.time(17)),) for day in range(5)},
    frozenset({dt.date(2026, 11, 26), dt.date(2026, 11, 27)}),
)


def rows(kind: str) -> list[dict[str, Any]]:
    found = [tomllib.loads(path.read_text("utf-8")) for path in sorted((BASE / kind).glob("*.toml"))]
    return sorted(found, key=lambda row: row.get("position", 0))


@functools.cache
def base_policy() -> MovePolicy:
    return read_policy(
        rows("service_kind"), {row["code"]: row for row in rows("move_policy")}, rows("evidence"), rows("order_kind")
    )


@pytest.fixture
def policy() -> MovePolicy:
    return base_policy()


# --- succession


def tenure(agreement_id: int, state: str, start: int, **more: Any) -> turnover.Tenure:
    return turnover.Tenure(agreement_id, agreement_id, state, TODAY + dt.timedelta(days=start), **more)


def day(number: int) -> dt.date:
    return TODAY + dt.timedelta(days=number)


class TestSuccession:
    def test_alone_nobody_ends(self) -> None:
        found = turnover.succession([tenure(1, "active", -100)], {})
        assert (found.ends_on, found.next_after(1)) == (None, None)

    def test_a_start_ends_the_present_on_its_day(self) -> None:
        found = turnover.succession([tenure(1, "active", -100), tenure(2, "pending_start", 6)], {})
        assert found.ends_on == day(6)
        assert found.next_after(1) is not None
        assert found.before(2) is not None

    def test_an_earlier_stop_leaves_the_point_off_in_between(self) -> None:
        found = turnover.succession([tenure(1, "active", -100), tenure(2, "pending_start", 6)], {1: day(3)})
        assert found.ends_on == day(3)
        assert found.next_after(1) is None
        assert found.before(2) is None

    def test_a_later_stop_gives_way_to_the_start(self) -> None:
        assert turnover.succession(
            [tenure(1, "active", -9), tenure(2, "pending_start", 6)], {1: day(20)}
        ).ends_on == day(6)

    def test_a_held_start_counts_for_nobody(self) -> None:
        found = turnover.succession([tenure(1, "active", -9), tenure(2, "pending_start", 6, held=True)], {})
        assert (found.ends_on, found.waiting) == (None, ())

    def test_the_owner_gives_way_to_a_tenant_of_the_same_day_only(self) -> None:
        found = turnover.succession(
            [tenure(1, "active", -9), tenure(2, "pending_start", 6, automatic=True)], {1: day(6)}
        )
        assert [one.agreement_id for one in turnover.gives_way(found, day(6))] == [2]
        assert turnover.gives_way(found, day(7)) == []
        displaced = turnover.displaced_by(found, day(7))
        assert displaced is not None
        assert displaced.agreement_id == 2

    @given(
        starts=st.lists(st.tuples(st.integers(-30, 60), st.booleans(), st.booleans()), max_size=6),
        stop=st.none() | st.integers(-30, 60),
        began=st.integers(-300, -1),
    )
    def test_never_an_end_before_the_beginning(
        self, starts: list[tuple[int, bool, bool]], stop: int | None, began: int
    ) -> None:
        tenures = [tenure(1, "active", began)]
        tenures += [
            tenure(at, "pending_start", on, held=held, automatic=auto) for at, (on, held, auto) in enumerate(starts, 2)
        ]
        found = turnover.succession(tenures, {} if stop is None else {1: day(stop)})
        assert found.ends_on is None or found.ends_on >= day(began)
        assert [one.start_on for one in found.waiting] == sorted(one.start_on for one in found.waiting)
        for one in found.waiting[1:]:
            assert found.before(one.agreement_id) is not None  # each follows another on its reading


# --- debts


def debts(**limits: Any) -> debt.DebtPolicy:
    return debt.read_debt_policy(
        {"text": "x", "citation": "F.S. 180.135"},
        {"limits": {"move_to_new_account_most": "500.00", "older_than_years_not_asked": 5}, "text": "y"},
        {"limits": {"down_payment_percent": "33", "months_most": 6, "balance_most": "1000.00", **limits}},
    )


class TestDebt:
    def test_anothers_debt_is_a_note_and_blocks_nobody(self) -> None:
        note = debt.other_debt(41260, rental=True, policy=debts())
        assert note is not None
        assert note.headline == "A former or other occupant owes $412.60."
        assert "F.S. 180.135" in note.sentence
        assert debt.other_debt(0, rental=True, policy=debts()) is None

    @pytest.mark.parametrize(
        ("cents", "choice", "consent", "months", "field"),
        [
            (41260, "", False, None, "own_debt"),
            (41260, "forget it", False, None, "own_debt"),
            (41260, "transfer", False, None, "own_debt_consent"),
            (50001, "transfer", True, None, "own_debt"),
            (41260, "instalments", False, None, "own_debt_months"),
            (41260, "instalments", False, 7, "own_debt_months"),
            (100001, "instalments", False, 3, "own_debt"),
        ],
    )
    def test_own_debt_asks(self, cents: int, choice: str, consent: bool, months: int | None, field: str) -> None:
        found = debt.own_debt_problems([debt.OldDebt("100-1190-7", cents, TODAY)], choice, consent, months, debts())
        assert [problem.field for problem in found] == [field]

    @pytest.mark.parametrize(
        ("choice", "consent", "months"), [("paid", False, None), ("transfer", True, None), ("instalments", False, 6)]
    )
    def test_own_debt_settled(self, choice: str, consent: bool, months: int | None) -> None:
        assert debt.own_debt_problems([debt.OldDebt("1", 50000, TODAY)], choice, consent, months, debts()) == []

    def test_old_ones_are_not_asked_for(self) -> None:
        old = debt.OldDebt("1", 100, dt.date(2021, 1, 1))
        recent = debt.OldDebt("2", 100, dt.date(2022, 6, 1))
        assert debt.own_debt_asked([old, recent], TODAY, debts()) == [recent]

    def test_instalments_are_read_out_and_add_up(self) -> None:
        said = debt.own_debt_sentence([debt.OldDebt("1", 41260, None)], "instalments", 4, debts())
        # 33 % of 412.60 is 136.158: rounded up to 136.16; the rest 276.44
        assert "$136.16 is due first; the other $276.44 in 4 parts" in said


# --- days


def facts(policy: MovePolicy, **points: form.OpenPoint) -> form.StartFacts:
    return form.StartFacts(TODAY, True, policy, OFFICE, TODAY, points)


def asked(**more: Any) -> form.StartForm:
    return dataclasses.replace(
        form.StartForm(1, ("water",), dt.date(2026, 11, 30), "Nora Quint", phone="8505550191"), **more
    )


VISIT = form.OpenPoint("water", people_needed=True)
OFFICE_POINT = form.OpenPoint("electric")


class TestDays:
    def test_fine(self, policy: MovePolicy) -> None:
        assert form.start_problems(asked(), facts(policy, water=VISIT)) == []

    @pytest.mark.parametrize(
        "on", [dt.date.min, dt.date(1900, 1, 1), dt.date(2026, 11, 9), dt.date(2027, 3, 25), dt.date.max]
    )
    def test_absurd_or_out_of_reach(self, policy: MovePolicy, on: dt.date) -> None:
        found = form.start_problems(asked(on=on), facts(policy, water=VISIT))
        assert [problem.field for problem in found] == ["on"]

    def test_backdated_within_the_limit_without_a_visit(self, policy: MovePolicy) -> None:
        start = asked(service_kinds=("electric",), on=dt.date(2026, 11, 10))
        assert form.start_problems(start, facts(policy, electric=OFFICE_POINT)) == []

    def test_a_visit_is_never_on_a_holiday(self, policy: MovePolicy) -> None:
        found = form.start_problems(asked(on=dt.date(2026, 11, 26)), facts(policy, water=VISIT))
        assert "The next working day is Mon, Nov 30" in found[0].message

    def test_gas_needs_an_adult(self, policy: MovePolicy) -> None:
        gas = form.OpenPoint("gas", people_needed=True, adult_needed=True)
        found = form.start_problems(asked(service_kinds=("gas",)), facts(policy, gas=gas))
        assert [problem.field for problem in found] == ["adult_present"]
        assert form.start_problems(asked(service_kinds=("gas",), adult_present=True), facts(policy, gas=gas)) == []

    def test_never_before_the_other_agreement_began(self, policy: MovePolicy) -> None:
        taken = form.OpenPoint("electric", other_since_on=dt.date(2026, 11, 20))
        start = asked(service_kinds=("electric",), on=dt.date(2026, 11, 18), evidence_code="lease")
        found = form.start_problems(start, facts(policy, electric=taken))
        assert "Choose that day or a later one" in found[0].message

    def test_the_evidence_grades_the_notice(self, policy: MovePolicy) -> None:
        taken = facts(policy, electric=form.OpenPoint("electric", other_since_on=dt.date(2020, 1, 1)))
        start = asked(service_kinds=("electric",), on=TODAY, evidence_note="Ms. Ray, owner, 10:20 am")
        grades = {
            code: form.earliest_on(dataclasses.replace(start, evidence_code=code), taken) for code in policy.evidence
        }
        assert grades["owner_word"] == dt.date(2026, 11, 25)
        assert grades["own_word"] == dt.date(2026, 12, 1)
        assert form.start_problems(dataclasses.replace(start, evidence_code="lease"), taken) == []

    @pytest.mark.parametrize(
        ("now", "first"),
        [
            ("2026-11-24T15:42", dt.date(2026, 11, 24)),  # 10:42 am
            ("2026-11-24T19:01", dt.date(2026, 11, 25)),  # 2:01 pm, after the hour of the policy
            ("2026-11-25T20:00", dt.date(2026, 11, 30)),  # before Thanksgiving and the day after
            ("2026-11-28T15:00", dt.date(2026, 11, 30)),  # Saturday
        ],
    )
    def test_first_visit(self, policy: MovePolicy, now: str, first: dt.date) -> None:
        at = dt.datetime.fromisoformat(f"{now}+00:00")
        assert order.earliest_visit_on(at, policy.dates.same_day_until, OFFICE) == first


class TestForm:
    def test_everything_missing_is_said_at_once(self, policy: MovePolicy) -> None:
        nothing = form.StartForm(1, (), None, "", customer_class="", bill_by="")
        fields = {problem.field for problem in form.start_problems(nothing, facts(policy, water=VISIT))}
        assert fields == {"service_kinds", "on", "customer_class", "name", "phone", "bill_by"}

    def test_a_service_the_premise_lacks(self, policy: MovePolicy) -> None:
        found = form.start_problems(asked(service_kinds=("gas", "water")), facts(policy, water=VISIT))
        assert found[0].message == "This premise has no service point for gas; it has water."

    def test_a_building_asks_for_the_unit(self, policy: MovePolicy) -> None:
        found = form.start_problems(
            asked(), dataclasses.replace(facts(policy, water=VISIT), units=("Unit 1", "Unit 2"))
        )
        assert found[0].field == "premise"
        assert "Unit 1 or Unit 2" in found[0].message

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": "  "}, "name"),
            ({"name": "x" * 10_000}, "name"),
            ({"name": "\u202eNora"}, "name"),
            ({"phone": "911"}, "phone"),
            ({"phone": "☎ call me"}, "phone"),
            ({"email": "nora@"}, "email"),
            ({"bill_by": "email"}, "email"),
            ({"bill_by": "pigeon"}, "bill_by"),
            ({"customer_class": "royal"}, "customer_class"),
            ({"person_kind": "cat"}, "person_kind"),
            ({"guarantee": "my word"}, "guarantee"),
            ({"mailing_address": "nowhere"}, "mailing_address"),
            ({"mailing_address": "5" * 301}, "mailing_address"),
            ({"evidence_code": "hearsay"}, "evidence"),
            ({"evidence_note": "SSN 123-45-6789", "evidence_code": "lease"}, "evidence_note"),
            ({"window": "midnight"}, "window"),
            ({"benefited": "yes"}, "benefited"),
        ],
    )
    def test_bad_answers(self, policy: MovePolicy, change: dict[str, Any], field: str) -> None:
        found = form.start_problems(asked(**change), facts(policy, water=VISIT))
        assert field in [problem.field for problem in found]
        assert all(problem.message[-1] in ".!?" for problem in found)

    @given(st.text(max_size=400), st.text(max_size=40), st.text(max_size=250), st.text(max_size=350))
    def test_any_text_is_answered_with_sentences(self, name: str, phone: str, email: str, mailing: str) -> None:
        found = form.start_problems(
            asked(name=name, phone=phone, email=email, mailing_address=mailing), facts(base_policy(), water=VISIT)
        )
        assert all(problem.field and problem.message for problem in found)


# --- orders


class TestOrders:
    @pytest.mark.parametrize(
        ("kind", "starting", "follows", "remote", "carts", "expected"),
        [
            ("electric", True, False, True, False, "electric_on_remote"),
            ("electric", True, False, False, False, "electric_on"),
            ("electric", True, True, True, False, "electric_turnover_remote"),
            ("electric", False, True, True, False, None),
            ("water", False, False, False, False, "water_off"),
            ("gas", True, False, False, False, "gas_on"),
            ("sewer", True, False, False, False, None),
            ("stormwater", False, False, False, False, None),
            ("refuse", True, False, False, False, "cart_deliver"),
            ("refuse", True, False, False, True, "cart_leave"),
            ("recycling", True, True, False, False, "cart_leave"),
            ("refuse", False, False, False, True, "cart_retrieve"),
            ("trash", True, False, False, False, "route_add"),
        ],
    )
    def test_which_order(
        self,
        policy: MovePolicy,
        kind: str,
        starting: bool,
        follows: bool,
        remote: bool,
        carts: bool,
        expected: str | None,
    ) -> None:
        plan = order.PointPlan(kind, starting, follows, remote, carts)
        found = order.order_kind_for(plan, policy)
        assert (None if found is None else found.code) == expected

    def test_people_come_on_working_days_and_carts_the_day_after(self, policy: MovePolicy) -> None:
        by_code = {row.code: row for row in policy.orders}
        wednesday = dt.date(2026, 11, 25)
        assert order.planned_on(by_code["cart_deliver"], wednesday, TODAY, OFFICE) == dt.date(2026, 11, 30)
        assert order.planned_on(by_code["electric_on_remote"], dt.date(2026, 11, 28), TODAY, OFFICE) == dt.date(
            2026, 11, 28
        )
        assert order.planned_on(by_code["water_on"], dt.date(2026, 11, 1), TODAY, OFFICE) == TODAY
        assert order.due_at(by_code["water_on"], TODAY, OFFICE).isoformat() == "2026-11-24T22:00:00+00:00"


# --- readings


class TestReads:
    @pytest.mark.parametrize(
        ("value", "ok"), [(905, True), (900, True), (899, False), (100_000, False), (-1, False), (None, False)]
    )
    def test_must_fit_the_meter(self, value: int | None, ok: bool) -> None:
        problem = read.read_problem(value, meter_number="W-1", dials=5, unit="cgal", before=900, after=None)
        assert (problem is None) == ok

    def test_a_dial_may_go_round_once(self) -> None:
        assert read.read_problem(12, meter_number="E-1", dials=5, unit="kWh", before=99_990, after=None) is None
        assert read.read_problem(50_000, meter_number="E-1", dials=5, unit="kWh", before=99_990, after=None) is not None

    def test_between_two_days(self) -> None:
        # 560 in 31 days: 21 days are 379.35, so 12,379
        before = [(dt.date(2026, 11, 4), 12_000), (dt.date(2026, 10, 4), 11_440)]
        assert read.read_between(before, None, dt.date(2026, 11, 25), 5) == 12_379
        assert read.read_between(before, (dt.date(2026, 11, 14), 12_100), dt.date(2026, 11, 9), 5) == 12_050
        assert read.read_between(before, None, dt.date(2026, 11, 4), 5) == 12_000
        assert read.read_between([], None, TODAY, 5) == 0


# --- policy rows and words


def test_a_policy_row_that_is_missing_or_wrong_is_named(policy: MovePolicy) -> None:
    moves = {row["code"]: row for row in rows("move_policy")}
    with pytest.raises(BadPolicy, match="move_policy/date is missing"):
        read_policy(rows("service_kind"), {}, [], [])
    with pytest.raises(BadPolicy, match="backdate_days"):
        read_policy(rows("service_kind"), {**moves, "date": {**moves["date"], "backdate_days": "soon"}}, [], [])
    with pytest.raises(BadPolicy, match="same_day_until"):
        read_policy(rows("service_kind"), {**moves, "date": {**moves["date"], "same_day_until": "noon"}}, [], [])
    with pytest.raises(BadPolicy, match="choose one of"):
        read_policy(rows("service_kind"), moves, [], [{**rows("order_kind")[0], "does": "dance"}])


def test_words(policy: MovePolicy) -> None:
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert words.spoken_number("MV-26-0000014") == "M V, 2 6, 0 0 0 0 0 1 4"
    said = words.read_back(
        policy, ["water", "electric"], "61 Tanner St", dt.date(2026, 11, 30), " Nora  Quint ", 22500, 5600
    )
    assert said == (
        "I am starting electric and water at 61 Tanner St in the name of Nora Quint, on Monday, November 30. "
        "It comes with a deposit of $225.00 and fees of $56.00, on the first bill. Is that right?"
    )
