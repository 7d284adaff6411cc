"""What must hold for every adjustment: parts add up, nothing is credited twice, a limit cannot be split, a new type is one file."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import core, packs_io
from portal.billing import views
from portal.billing.rules.adjustment import (
    AMOUNT,
    PERCENT,
    WHOLE_BILL,
    AdjustmentForm,
    BillFacts,
    Earlier,
    Facts,
    Item,
    Left,
    Line,
    Usual,
    WorkedOut,
    excess_of,
    fitting_lines,
    months_before,
    work_out,
)
from portal.billing.rules.adjustment_effect import AccountFacts, effect, holding
from portal.billing.rules.adjustment_type import AdjustmentPolicy, AdjustmentType, read_type
from portal.billing.rules.approval import Decider, authority, posts_at_once, rolling_cents, who_may_decide
from portal.billing.rules.fee import Fee
from portal.billing.rules.ledger import BillSum, LooseEntry
from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.city import City

TODAY = dt.date(2026, 11, 24)
POLICIES = {file.code: file.detail for file in packs_io.read_packs(["base"]) if file.kind == "policy"}
DETAILS = {file.code: file.detail for file in packs_io.read_packs(["base"]) if file.kind == "adjustment_type"}


def kind_of(code: str, **changes: Any) -> AdjustmentType:
    kind, problems = read_type(DETAILS[code] | changes, POLICIES.get(str(DETAILS[code].get("policy")), {}))
    assert kind is not None, problems
    return kind


KINDS = {code: kind_of(code) for code in DETAILS}


@st.composite
def bills(draw: st.DrawFn) -> BillFacts:
    """A bill with up to four services, each with one or two charges and perhaps a tax."""
    lines = []
    for kind in draw(
        st.lists(st.sampled_from(["electric", "water", "sewer", "refuse"]), min_size=1, max_size=4, unique=True)
    ):
        items = [Item("customer", "Customer charge", draw(st.integers(0, 5_000)))]
        if draw(st.booleans()):
            items.append(Item("use", "Use", draw(st.integers(0, 30_000)), Decimal(10), Decimal("0.5"), metered=True))
        if draw(st.booleans()):
            items.append(Item("utility_tax", "Tax", draw(st.integers(0, 3_000)), tax=True))
        if draw(st.booleans()):
            items.append(Item("late_fee", "Late fee", draw(st.integers(0, 1_000))))
        lines.append(Line(kind, kind.capitalize(), tuple(items)))
    return BillFacts(
        1, "BL-1", dt.date(2026, 10, 8), dt.date(2026, 10, 29), dt.date(2026, 9, 6), dt.date(2026, 10, 6), tuple(lines)
    )


def earlier_from(number: int, form: AdjustmentForm, worked: WorkedOut, kind: AdjustmentType, state: str) -> Earlier:
    return Earlier(
        f"AJ-{number}", kind.code, kind.limit_kind, worked.amount_cents, worked.parts, state, form.bill_id, TODAY
    )


@st.composite
def asked(draw: st.DrawFn, bill: BillFacts) -> tuple[AdjustmentType, AdjustmentForm]:
    """Any type of the pack on this bill, by amount or percent, on a line or the whole bill."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    service_kind = draw(st.sampled_from([WHOLE_BILL, "", *(line.service_kind for line in bill.lines)]))
    by = draw(st.sampled_from([AMOUNT, PERCENT]))
    cents = draw(st.integers(1, 40_000))
    amount = f"{cents / 100:.2f}" if by == AMOUNT else f"{draw(st.integers(1, 10_000)) / 100:.2f}"
    form = AdjustmentForm(
        1, kind.code, kind.reasons[0].code, 1, service_kind, by, amount, "seen", draw(st.integers(1, 12))
    )
    return kind, form


@given(st.data())
def test_no_sequence_of_credits_takes_more_than_a_bill_or_line_has(data: st.DataObject) -> None:
    bill = data.draw(bills())
    so_far: list[Earlier] = []
    for number in range(data.draw(st.integers(1, 7))):
        kind, form = data.draw(asked(bill))
        facts = Facts(kind, TODAY, bill if kind.needs_bill else None, so_far)
        worked, problems = work_out(form, facts)
        assert (worked is None) == bool(problems)
        if worked is None:
            assert all(problem.message.endswith((".", "?")) for problem in problems)
            continue
        assert worked.amount_cents == sum(part.cents for part in worked.parts)
        assert worked.parts
        assert all((part.cents < 0) == kind.is_credit for part in worked.parts)
        assert worked.how
        state = data.draw(st.sampled_from(["posted", "pending", "refused", "withdrawn", "reversed"]))
        if kind.needs_bill:
            so_far.append(earlier_from(number, form, worked, kind, state))
    counting = [one for one in so_far if one.state_code in ("posted", "pending")]
    credited = -sum(part.cents for one in counting for part in one.parts)
    assert credited <= bill.cents
    for line in bill.lines:
        of_line = -sum(part.cents for one in counting for part in one.parts if part.service_kind == line.service_kind)
        assert of_line <= line.cents
        for item in line.items:
            of_item = -sum(
                part.cents
                for one in counting
                for part in one.parts
                if part.service_kind == line.service_kind and part.item == item.code
            )
            assert of_item <= item.cents
    assert Left(bill, counting).whole() == bill.cents - credited


@given(bills(), st.sampled_from(sorted(KINDS)), st.data())
def test_all_of_a_line_is_all_of_it(bill: BillFacts, code: str, data: st.DataObject) -> None:
    """100 percent of a line with its taxes is the line, to the cent."""
    kind = KINDS[code]
    if not (kind.needs_bill and kind.is_credit and kind.taxes_follow and not kind.also):
        return
    fitting = fitting_lines(kind, bill)
    if not fitting:
        return
    line = data.draw(st.sampled_from(fitting))
    form = AdjustmentForm(1, code, kind.reasons[0].code, 1, line.service_kind, PERCENT, "100", "seen")
    worked, problems = work_out(form, Facts(kind, TODAY, bill))
    assert problems == []
    assert worked is not None
    assert worked.amount_cents == -line.cents


@given(st.integers(1, 10_000), st.integers(1, 3_000_000))
def test_a_percentage_is_rounded_half_up_once(hundredths: int, base: int) -> None:
    line = Line("water", "Water", (Item("customer", "Customer charge", base),))
    bill = BillFacts(1, "BL-1", TODAY, TODAY, TODAY, TODAY, (line,))
    kind = kind_of("wrong_charge", taxes_follow=False)
    form = AdjustmentForm(1, kind.code, "billed_twice", 1, "water", PERCENT, f"{Decimal(hundredths) / 100}", "seen")
    worked, _ = work_out(form, Facts(kind, TODAY, bill))
    exact = Decimal(hundredths) * base / 10_000
    expected = int((exact + Decimal("0.5")).to_integral_value("ROUND_FLOOR"))
    assert (0 if worked is None else -worked.amount_cents) == expected


# --- figures of the look ------------------------------------------------------------------------------------------------


def test_the_leak_of_the_look_is_found_to_the_cent() -> None:
    # shared look, adjustment: 11.70 + 5 x 1.74 + 15 x 2.38 + 11 x 3.82 = 98.12; 24 of 31 ccf are excess, half is 36.48.
    line = Line(
        "water", "Water",
        (
            Item("customer", "Customer charge", 1170, Decimal(1), Decimal("11.70")),
            Item("water_t1", "First 5 ccf", 870, Decimal(5), Decimal("1.74"), metered=True),
            Item("water_t2", "Next 15 ccf", 3570, Decimal(15), Decimal("2.38"), metered=True),
            Item("water_t3", "Above 20 ccf", 4202, Decimal(11), Decimal("3.82"), metered=True),
        ),
    )  # fmt: skip
    found = excess_of(line, Usual(Decimal(7), Decimal(31), "ccf"))
    # 11 x 3.82 + 13 x 2.38 = 42.02 + 30.94 = 72.96, as the look says.
    assert found == (Decimal(24), 7296)


def test_two_prices_of_one_use_are_each_cut_by_the_excess() -> None:
    line = Line(
        "electric", "Electric",
        (
            Item("energy", "Energy", 1000, Decimal(100), Decimal("0.10"), metered=True),
            Item("fuel", "Fuel", 500, Decimal(100), Decimal("0.05"), metered=True),
        ),
    )  # fmt: skip
    assert excess_of(line, Usual(Decimal(60), Decimal(100), "kWh")) == (Decimal(40), 600)
    assert excess_of(line, Usual(Decimal(100), Decimal(100), "kWh")) is None


# --- limits -------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 9_000), st.integers(0, 60)), min_size=1, max_size=12), st.integers(1, 9_000),
    st.integers(0, 2**16),
)  # fmt: skip
def test_a_limit_cannot_be_split_in_any_order(tries: list[tuple[int, int]], limit: int, seed: int) -> None:
    """Whoever enters what on which day: in any thirty days no more than the limit is posted without another person."""
    policy = AdjustmentPolicy.from_detail(POLICIES["adjustment"])
    random.Random(seed).shuffle(tries)
    so_far: list[Earlier] = []
    for number, (cents, day) in enumerate(sorted(tries, key=lambda each: each[1])):
        on = TODAY + dt.timedelta(days=day)
        rolling = rolling_cents(so_far, "goodwill", policy.counts_from(on))
        at_once = posts_at_once(limit, rolling, -cents, "")
        so_far.append(
            Earlier(f"AJ-{number}", "goodwill", "goodwill", -cents, (), "posted" if at_once else "refused", None, on)
        )
    posted = [(one.counted_on, -one.amount_cents) for one in so_far if one.state_code == "posted"]
    for first, _ in posted:
        window = [cents for on, cents in posted if first <= on <= first + dt.timedelta(days=policy.rolling_days - 1)]
        assert sum(window) <= limit


def decider(staff_id: int, limit: int = 0, **more: Any) -> Decider:
    return Decider(staff_id, f"P{staff_id}", limit > 0, {"leak": limit}, **more)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 500), st.sampled_from([1, 2, 3]), st.booleans())
def test_authority_is_ones_own_or_of_an_absent_one_who_named_the_actor(
    own: int, absent: int, total: int, requester: int, own_account: bool
) -> None:
    actor, away = decider(1, own, own_account=own_account), decider(2, absent)
    right, problem = authority(actor, [away], requester, "leak", total)
    may_own = own >= total
    may_for = absent >= total and requester != 2
    assert (right is not None) == (requester != 1 and not own_account and (may_own or may_for))
    assert (right is None) == (problem is not None)
    if right is not None:
        assert right.decided_for_id == (None if may_own else 2)
        assert right.limit_cents >= total


def test_who_may_decide_names_the_smallest_limit_first_and_stand_ins() -> None:
    people = [decider(1, 900), decider(2, 500), decider(3, 400), decider(4, 100), decider(5, 800, own_account=True)]
    assert who_may_decide(people, {}, 3, "leak", 300) == ("P2", "P1")
    assert who_may_decide(people, {2: (9, "Nina")}, 3, "leak", 300) == ("Nina for P2", "P1")
    assert who_may_decide(people, {2: (3, "P3")}, 3, "leak", 300) == ("P1",)  # the requester does not stand in
    assert who_may_decide(people, {2: (5, "P5")}, 3, "leak", 300) == ("P1",)  # nor whose account it is
    assert who_may_decide(people, {}, 3, "leak", 1000) == ()


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (dt.date(2026, 11, 24), 12, dt.date(2025, 11, 24)),
        (dt.date(2024, 2, 29), 12, dt.date(2023, 2, 28)),
        (dt.date(2026, 3, 31), 1, dt.date(2026, 2, 28)),
        (dt.date(2026, 1, 31), 2, dt.date(2025, 11, 30)),
    ],
)
def test_twelve_months_back_is_the_same_day(day: dt.date, months: int, before: dt.date) -> None:
    assert months_before(day, months) == before


def test_how_often_counts_a_rolling_year_to_the_day() -> None:
    kind = KINDS["leak_credit"]
    line = Line("water", "Water", (Item("customer", "Customer charge", 9_000),))
    bill = BillFacts(1, "BL-1", TODAY, TODAY, TODAY, TODAY, (line,))
    form = AdjustmentForm(1, "leak_credit", "leak_repaired", 1, "water", AMOUNT, "5", "seen")
    for on, exception in ((dt.date(2025, 11, 24), False), (dt.date(2025, 11, 25), True)):
        before = Earlier("AJ-1", "leak_credit", "leak", -100, (), "posted", 7, on)
        worked, _ = work_out(form, Facts(kind, TODAY, bill, [before]))
        assert worked is not None
        assert bool(worked.exception) == exception
    for state in ("refused", "withdrawn", "reversed"):
        before = Earlier("AJ-1", "leak_credit", "leak", -100, (), state, 7, TODAY)
        worked, _ = work_out(form, Facts(kind, TODAY, bill, [before]))
        assert worked is not None
        assert not worked.exception


def test_a_back_bill_reaches_twelve_months_and_no_further() -> None:
    # F.A.C. 25-6.106, as base/policy/back_billing says.
    kind = KINDS["back_bill"]
    for months, field in ((12, None), (13, "months"), (None, "months"), (0, "months")):
        form = AdjustmentForm(
            1, "back_bill", "not_billed", None, "water", AMOUNT, "120", "Meter not in the route", months
        )
        worked, problems = work_out(form, Facts(kind, TODAY))
        assert [problem.field for problem in problems] == ([] if field is None else [field])
        assert worked is None or worked.amount_cents == 12_000
    message = work_out(
        AdjustmentForm(1, "back_bill", "not_billed", None, "water", AMOUNT, "1", "x", 13), Facts(kind, TODAY)
    )[1][0].message
    assert "at most 12 may be billed (F.A.C. 25-6.106" in message


# --- the effect ---------------------------------------------------------------------------------------------------------

LATE = Fee.from_pack(
    next(file.detail for file in packs_io.read_packs(["base"]) if file.kind == "fee" and file.code == "late")
)[0]


def marcus(**changes: Any) -> AccountFacts:
    """The account of the small city: 218.40 due October 29 and not paid, 143.78 due November 27; cut on December 2."""
    fields: dict[str, Any] = {
        "balance_cents": 36_218,
        "bills": (
            BillSum(1, dt.date(2026, 9, 28), 12_000, 12_000, True),
            BillSum(2, dt.date(2026, 10, 29), 21_840, 21_840, True),
            BillSum(3, dt.date(2026, 11, 27), 14_378, 14_378, True),
        ),
        "paid_cents": 12_000,
        "loose": (),
        "charge_due_days": 30,
        "cut_least_cents": 7_500,
        "cutoff_on": dt.date(2026, 12, 2),
        "notice_after_due": 5,
        "late_fee": LATE,
        "late_fee_after_due": 5,
    }
    return AccountFacts(**(fields | changes))


def test_a_credit_moves_balance_past_due_and_the_late_fee() -> None:
    changes = effect(marcus(), -6_331, 2, TODAY)
    assert (changes.before.past_due_cents, changes.after.past_due_cents) == (21_840, 15_509)
    # base/fee/late: 2 percent of what is past due on December 2 (362.18, then 298.87), at least 5.00.
    assert (changes.before.late_fee_cents, changes.after.late_fee_cents) == (724, 598)
    assert changes.before.late_fee_on == dt.date(2026, 12, 2)
    assert changes.before.stage == changes.after.stage == "Cut scheduled for Wed, Dec 2"
    assert not changes.holds_cut


def test_a_credit_that_leaves_less_than_a_cut_needs_calls_it_off() -> None:
    for cents, holds in ((-14_340, False), (-14_341, True)):  # 218.40 - 143.40 = 75.00, the least for a cut
        changes = effect(marcus(), cents, 2, TODAY)
        assert changes.holds_cut == holds
        assert changes.after.stage_code == ("notice" if holds else "cut")
    assert effect(marcus(), -21_840, 2, TODAY).after.stage == "Current"


def test_a_credit_on_a_bill_that_is_not_due_leaves_what_is_late() -> None:
    changes = effect(marcus(), -14_378, 3, TODAY)
    assert changes.after.past_due_cents == 21_840
    assert not changes.holds_cut


def test_a_hold_is_the_policys() -> None:
    waiting = [("AJ-1", -100, None), ("AJ-2", -21_840, 2)]
    assert holding(marcus(), waiting, TODAY, by_policy=True) == "AJ-2"
    assert holding(marcus(), waiting, TODAY, by_policy=False) == ""
    assert holding(marcus(cutoff_on=None), waiting, TODAY, by_policy=True) == ""
    assert effect(marcus(), -5, None, TODAY, already_held=True).before.stage == "Cut of Wed, Dec 2 on hold"


@given(st.integers(-40_000, 40_000).filter(bool), st.sampled_from([None, 1, 2, 3]))
def test_the_balance_moves_by_the_amount_and_nothing_else(cents: int, bill_id: int | None) -> None:
    changes = effect(marcus(), cents, bill_id, TODAY)
    assert changes.after.balance_cents - changes.before.balance_cents == cents
    if cents < 0:
        assert changes.after.past_due_cents <= changes.before.past_due_cents
    later = marcus().with_adjustment(cents, bill_id, TODAY)
    assert sum(bill.posted_cents for bill in later.bills) + sum(one.cents for one in later.loose) == 48_218 + cents
    assert isinstance(later.loose, tuple)
    assert all(isinstance(one, LooseEntry) for one in later.loose)


# --- types as data ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(DETAILS))
def test_every_type_of_the_pack_reads_and_says_where_it_comes_from(code: str) -> None:
    kind = KINDS[code]
    assert kind.when.endswith(".")
    assert kind.text
    assert kind.source
    roles = [file.detail for file in packs_io.read_packs(["base"]) if file.kind == "role" and "limits" in file.detail]
    assert all(kind.limit_kind in role["limits"] for role in roles), f"{kind.limit_kind} has no limit in some role"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sign": "gift"}, "sign"),
        ({"needs_bill": True}, "covers"),
        ({"covers": ["line"]}, "covers"),
        ({"reason": []}, "reason"),
        ({"polocy": "x"}, "polocy"),
        ({"policy": "nobody"}, "policy"),
        ({"service_kinds": ["steam"]}, "service_kinds"),
        ({"limits": {"most_in_rolling_12_months": 0}}, "most_in_rolling_12_months"),
        ({"limits": {"month": 1}}, "month"),
    ],
)
def test_a_type_that_cannot_be_read_names_the_key(change: dict[str, Any], named: str) -> None:
    kind, problems = read_type(DETAILS["goodwill"] | change)
    assert kind is None
    assert any(named in problem.message for problem in problems if isinstance(problem, Problem))


NEW_TYPE = """
code = "storm_relief"
name = "Storm relief"
position = 20
sign = "credit"
limit = "goodwill"
needs_bill = true
covers = ["line", "bill"]
ledger_account = "revenue.{service_kind}"
taxes_follow = true
letter = "adjustment_credit"
when = "After a storm, for days without service."
text = "Days without service are credited."
source = "a test"

[[reason]]
code = "no_service"
name = "No service after the storm"
note_required = false
"""


def test_a_new_type_is_one_file_from_the_form_to_the_ledger(
    city: City, actor: Callable[[str], Any], open_page: Callable[..., Any], tmp_path: Path
) -> None:
    from db.billing import ledger
    from tests.billing.test_adjust import account, october
    from tests.billing.test_adjust_pages import plain, widget

    folder = tmp_path / "storm" / "adjustment_type"
    folder.mkdir(parents=True)
    (folder / "storm_relief.toml").write_text(NEW_TYPE, "utf-8")
    with core.work() as work:
        assert packs_io.load_packs(work.session, ["storm"], TODAY, tmp_path) == {"adjustment_type": 1}
    page = open_page("adjust_bill", "sam", account=city.account["marcus"])
    page = widget(page, "selectbox", "what").set_value("storm_relief:no_service").run()
    page = widget(page, "selectbox", "bill").set_value(october(city)).run()
    page = widget(page, "selectbox", "line").set_value(WHOLE_BILL).run()
    page = widget(page, "text_input", "amount").set_value("20.99").run()
    assert "Storm relief, electric" in plain(page)
    next(button for button in page.button if button.key == "adjust_bill.submit").click()
    page = page.run()
    assert not page.exception
    # city.toml: 35.94 + 85.08 + 88.87 before tax are 209.89; 10 percent of the tax of 8.51 follow 20.99.
    assert "$21.84 credited to the account: the balance is $340.34" in plain(page)
    assert account(city, "marcus").balance_cents == 36_218 - 2_184
    with core.read() as session:
        found = views.adjustment_list(actor("sam"), "mine", 1).lines[0]
        entry = ledger.entry_by_key(session, f"adjustment:{found.id}")
        moved = [(one.debit_code, one.service_kind, one.amount_cents) for one in ledger.postings(session, [entry.id])]
    # shares of 2,099 cents by 3594 : 8508 : 8887, odd cents to the largest fractions
    assert moved == [
        ("revenue.electric", "electric", 359), ("revenue.water", "water", 851), ("revenue.sewer", "sewer", 889),
        ("tax.utility", "water", 85),
    ]  # fmt: skip
