"""The ledger's arithmetic: what moves for a bill, a payment, an adjustment; what is past due. Oracles are written out here."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from portal.billing.rules import ledger
from portal.billing.rules.ledger import BillSum, CutPolicy, LooseEntry, Move, PaymentFacts, PaymentForm, owed, standing

TODAY = dt.date(2026, 11, 24)
KINDS = st.sampled_from(["electric", "gas", "water", "sewer", "refuse"])
CENTS = st.integers(-50_000, 50_000)
LINES = st.lists(st.tuples(KINDS, st.sampled_from(["base", "energy", "utility_tax"]), st.just(""), st.just(""), CENTS))
TAXES = {"utility_tax": "tax.utility"}


def test_a_bill_moves_one_sum_per_service_and_taxes_apart() -> None:
    lines = [
        ["electric", "customer", "1", "7.77", 777],
        ["electric", "energy", "1000", "0.1013", 10_130],
        ["electric", "utility_tax", "", "0.1", 1_091],
        ["water", "base", "", "", 1_170],
        ["recycling", "base", "", "", 0],
        ["refuse", "credit", "", "", -300],
    ]
    assert ledger.bill_moves(lines, TAXES) == (
        Move("receivable", "revenue.electric", 10_907, "electric"),
        Move("receivable", "tax.utility", 1_091, "electric"),
        Move("receivable", "revenue.water", 1_170, "water"),
        Move("revenue.refuse", "receivable", 300, "refuse"),
    )


@given(LINES)
def test_a_bill_moves_its_total(lines: list[tuple[str, str, str, str, int]]) -> None:
    moves = ledger.bill_moves(lines, TAXES)
    assert ledger.receivable_effect(moves) == sum(line[4] for line in lines)
    assert all(move.amount_cents > 0 for move in moves)
    assert len({(move.service_kind, move.debit_code, move.credit_code) for move in moves}) == len(moves)


@given(st.lists(st.tuples(KINDS, CENTS)))
def test_taking_back_brings_everything_to_nothing(parts: list[tuple[str, int]]) -> None:
    moves = ledger.adjustment_moves(parts, "revenue.{service_kind}")
    assert ledger.receivable_effect(moves) == sum(cents for _, cents in parts)
    back = ledger.reversed_moves(moves)
    assert ledger.receivable_effect(back) == -ledger.receivable_effect(moves)
    sums: dict[str, int] = {}
    for move in (*moves, *back):
        sums[move.debit_code] = sums.get(move.debit_code, 0) + move.amount_cents
        sums[move.credit_code] = sums.get(move.credit_code, 0) - move.amount_cents
    assert not any(sums.values())
    assert ledger.reversed_moves(back) == moves


def test_a_payment_and_an_adjustment_move_the_customers_balance() -> None:
    assert ledger.payment_moves(2_500, "check") == (Move("cash.check", "receivable", 2_500),)
    assert ledger.payment_moves(0, "check") == ()
    assert ledger.adjustment_moves([("water", -1_200), ("sewer", -800)], "allowance.leak") == (
        Move("allowance.leak", "receivable", 1_200, "water"),
        Move("allowance.leak", "receivable", 800, "sewer"),
    )
    assert ledger.adjustment_moves([("water", -500), ("", 300)], "revenue.{service_kind}") == (
        Move("revenue.water", "receivable", 500, "water"),
        Move("receivable", "revenue.other", 300, ""),
    )


# --- what is past due ---------------------------------------------------------------------------------------------------


def by_hand(charges: list[tuple[dt.date, int]], paid: int, today: dt.date) -> tuple[int, dt.date | None, int]:
    """Pays cent by cent in spirit: walks the charges oldest first and keeps what is left of each."""
    left = []
    for due_on, cents in sorted(charges, key=lambda charge: charge[0]):
        here = min(cents, max(0, paid))
        paid -= here
        left.append((due_on, cents - here))
    late = [(due_on, cents) for due_on, cents in left if due_on < today and cents]
    return (
        sum(cents for _, cents in late),
        late[0][0] if late else None,
        sum(cents for due_on, cents in left if due_on >= today),
    )


DAYS = st.dates(dt.date(2026, 8, 1), dt.date(2027, 1, 31))
CHARGES = st.lists(st.tuples(DAYS, st.integers(0, 40_000)), max_size=8)


@given(CHARGES, st.integers(0, 200_000))
def test_credits_pay_the_oldest_first(charges: list[tuple[dt.date, int]], paid: int) -> None:
    found = standing(charges, paid, TODAY)
    assert tuple(found) == by_hand(charges, paid, TODAY)
    balance = sum(cents for _, cents in charges) - paid
    assert found.past_due_cents + found.not_yet_due_cents == max(0, balance)


@given(CHARGES, st.integers(0, 200_000))
def test_days_and_their_numbers_stand_the_same(charges: list[tuple[dt.date, int]], paid: int) -> None:
    found = standing(charges, paid, TODAY)
    numbered = standing([(day.toordinal(), cents) for day, cents in charges], paid, TODAY.toordinal())
    assert (found.past_due_cents, found.not_yet_due_cents) == (numbered.past_due_cents, numbered.not_yet_due_cents)
    assert (found.since_on and found.since_on.toordinal()) == numbered.since_on


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40_000)), max_size=8), st.integers(0, 200_000))
def test_it_stands_as_the_first_demo_city_had_it(steps: list[tuple[int, int]], paid: int) -> None:
    """The arithmetic that stood in the demo city before there was a ledger: bills in the order of their due days."""
    day, history = TODAY.toordinal() - 200, []
    for ahead, cents in steps:
        day += ahead
        history.append((day, cents))
    today = TODAY.toordinal()
    due_total = sum(cents for due_on, cents in history if due_on < today)
    past_due, since, running = max(0, due_total - paid), None, 0
    if past_due:
        for due_on, cents in history:
            running += cents
            if running > paid:
                since = due_on
                break
    assert standing(history, paid, today)[:2] == (past_due, since)


def bill(number: int, due_on: dt.date, cents: int, posted: int | None = None, *, in_ledger: bool = True) -> BillSum:
    return BillSum(number, due_on, cents, cents if posted is None else posted, in_ledger)


OCTOBER, NOVEMBER, DECEMBER = dt.date(2026, 10, 29), dt.date(2026, 11, 20), dt.date(2026, 12, 15)


def test_a_credit_on_a_bill_not_due_yet_leaves_what_is_late() -> None:
    """$218.40 is late, $143.78 is due in December; $40.00 off the latter."""
    before = owed([bill(1, OCTOBER, 21_840), bill(2, DECEMBER, 14_378)], 0, [], 30)
    after = owed([bill(1, OCTOBER, 21_840), bill(2, DECEMBER, 14_378, 10_378)], 0, [], 30)
    assert tuple(before.on(TODAY)) == (21_840, OCTOBER, 14_378)
    assert tuple(after.on(TODAY)) == (21_840, OCTOBER, 10_378)


def test_a_credit_on_the_late_bill_or_on_no_bill_lowers_what_is_late() -> None:
    on_it = owed([bill(1, OCTOBER, 21_840, 17_840), bill(2, DECEMBER, 14_378)], 0, [], 30)
    on_none = owed(
        [bill(1, OCTOBER, 21_840), bill(2, DECEMBER, 14_378)], 0, [LooseEntry(9, "adjustment", TODAY, -4_000)], 30
    )
    assert on_it.on(TODAY) == on_none.on(TODAY) == standing([(OCTOBER, 17_840), (DECEMBER, 14_378)], 0, TODAY)


def test_a_bill_credited_below_zero_pays_for_the_others_at_once() -> None:
    """$50.00 more than the December bill: the rest goes to what is late."""
    found = owed([bill(1, OCTOBER, 21_840), bill(2, DECEMBER, 14_378, -5_000)], 0, [], 30)
    assert tuple(found.on(TODAY)) == (16_840, OCTOBER, 0)


def test_a_fee_falls_due_with_the_next_bill_and_goes_when_it_is_taken_back() -> None:
    fee = LooseEntry(5, "adjustment", dt.date(2026, 11, 1), 1_000)
    assert owed([], 0, [fee], 30).charges == ((dt.date(2026, 12, 1), 1_000),)
    back = LooseEntry(6, "reversal", dt.date(2026, 11, 2), -1_000, 5)
    assert tuple(owed([], 0, [fee, back], 30).on(dt.date(2027, 1, 1))) == (0, None, 0)


def test_a_payment_taken_back_makes_the_bill_late_again() -> None:
    assert tuple(owed([bill(1, OCTOBER, 10_000)], 10_000, [], 30).on(TODAY)) == (0, None, 0)
    assert tuple(owed([bill(1, OCTOBER, 10_000)], 0, [], 30).on(TODAY)) == (10_000, OCTOBER, 0)


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=6), st.integers(0, 100_000))
def test_what_was_owed_before_the_ledger_stands_as_it_stood(totals: list[int], paid: int) -> None:
    """Bills of the old books and one opening balance give what is past due as the old books had it."""
    days = [TODAY + dt.timedelta(days=30 * (at - len(totals) + 1) + 5) for at in range(len(totals))]
    old = [bill(at, day, cents, 0, in_ledger=False) for at, (day, cents) in enumerate(zip(days, totals, strict=True))]
    balance = sum(totals) - paid
    opening = [LooseEntry(1, "opening", TODAY, balance)] if balance else []
    found = owed(old, 0, opening, 30).on(TODAY)
    assert found == standing(list(zip(days, totals, strict=True)), paid, TODAY)


def test_an_opening_balance_without_bills_is_a_charge_of_its_day() -> None:
    assert owed([], 0, [LooseEntry(1, "opening", OCTOBER, 700)], 30).charges == ((OCTOBER, 700),)
    assert owed([], 0, [LooseEntry(1, "opening", OCTOBER, -700)], 30).credits_cents == 700


# --- refusals -----------------------------------------------------------------------------------------------------------

DAY = dt.date(2026, 11, 2)


def test_what_may_not_be_taken_back_says_why() -> None:
    assert ledger.reversal_problem("payment", None, DAY, TODAY) is None
    for found in (
        ledger.reversal_problem("reversal", None, DAY, TODAY),
        ledger.reversal_problem("bill", DAY, DAY, TODAY),
        ledger.reversal_problem("bill", None, TODAY, DAY),
    ):
        assert found is not None
        assert found.message.endswith(".")


FACTS = PaymentFacts({"cash": "in cash", "check": "by check"}, 30, 100_000)


def refused(amount_cents: int = 2_500, method: str = "check", paid_on: dt.date = TODAY) -> set[str]:
    form = PaymentForm(1, amount_cents, method, paid_on)
    return {problem.field for problem in ledger.payment_problems(form, FACTS, 5_000, TODAY)}


def test_payments_that_cannot_be_are_refused_at_their_field() -> None:
    assert refused() == set()
    assert refused(amount_cents=0) == refused(amount_cents=-100) == {"amount"}
    assert refused(amount_cents=105_000) == set()
    assert refused(amount_cents=105_001) == {"amount"}
    assert refused(method="barter") == {"method"}
    assert refused(paid_on=TODAY + dt.timedelta(1)) == {"paid_on"}
    assert refused(paid_on=TODAY - dt.timedelta(30)) == set()
    assert refused(paid_on=TODAY - dt.timedelta(31)) == {"paid_on"}


def test_the_least_for_a_cut_comes_from_the_policy_row() -> None:
    assert CutPolicy.from_detail({"limits": {"past_due_least": "75.00", "charge_due_days": 30}}) == CutPolicy(7_500, 30)
    assert CutPolicy.from_detail({}) == CutPolicy(0, 0)
