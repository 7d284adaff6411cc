"""Bills: published ones to the cent, and what must hold for every bill."""

from __future__ import annotations

import copy
import tomllib
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.billing.rules.bill import CompiledTariff, ComputedBill, compile_tariff, compute_bill
from portal.billing.rules.tariff import Tariff

TESTS = Path(__file__).parents[1]
PACK = TESTS.parent / "db" / "packs" / "tallahassee" / "tariff"


def compiled(source: Path | dict[str, Any]) -> CompiledTariff:
    pack = tomllib.loads(source.read_text(encoding="utf-8")) if isinstance(source, Path) else source
    tariff, problems = Tariff.from_pack(pack)
    assert problems == []
    assert tariff is not None
    return compile_tariff(tariff)


def published(name: str) -> CompiledTariff:
    return compiled(TESTS / "data" / "tariffs" / f"{name}.toml")


def amounts(bill: ComputedBill) -> list[int]:
    assert bill.problems == ()
    return [line.amount_cents for line in bill.lines]


def month(year: int, number: int) -> tuple[date, date]:
    first = date(year, number, 1)
    return first, (first + timedelta(days=31)).replace(day=1)


# --- published figures ------------------------------------------------------------------------------------------------


def test_electric_bill_of_2015_to_the_cent() -> None:
    """Gainesville Regional Utilities, reads 73670 to 74573, printed total $133.74 (expydoc 4135883)."""
    bill = compute_bill(
        published("published_electric_2015"), date(2015, 4, 29), date(2015, 5, 30), {"kwh": 74573 - 73670}
    )
    assert amounts(bill) == [1275, 775, 2100, 1285, 7043, 320, 576]
    assert bill.total_cents == 13374


def test_gas_bill_of_2017_to_the_cent_with_therms_rounded_before_pricing() -> None:
    """Gainesville Regional Utilities, reads 3204 to 3221, printed total $29.37 (paperzz 7712276)."""
    factors = {"pressure_factor": "1.017", "heat_factor": "1.020"}
    bill = compute_bill(published("published_gas_2017"), date(2017, 4, 18), date(2017, 5, 19), {"ccf": 17}, factors)
    assert bill.lines[1].quantity == 18
    assert amounts(bill) == [975, 1134, 100, 414, 85, 229]
    assert bill.total_cents == 2937


def test_1000_kwh_of_2024() -> None:
    """JEA: $15.75 + 0.06821 + fuel 0.03476 = $118.72 before taxes (jea.com/rates, Nov 2024)."""
    bill = compute_bill(published("published_electric_2024"), *month(2024, 11), {"kwh": 1000})
    assert bill.total_cents == 11872


@pytest.mark.parametrize(
    ("first", "total"),
    [
        (date(2019, 10, 1), 9752),
        (date(2020, 4, 1), 9177),
        (date(2020, 5, 1), 8477),
        (date(2021, 4, 1), 9987),
        (date(2021, 10, 1), 10487),
    ],
)
def test_1000_kwh_by_version(first: date, total: int) -> None:
    """Lakeland Electric's own bill tables, 1,000 kWh."""
    bill = compute_bill(published("published_electric_lakeland"), *month(first.year, first.month), {"kwh": 1000})
    assert bill.total_cents == total
    if first >= date(2021, 4, 1):
        assert bill.cents_of("base") == 6487


def test_the_sample_city_bills_1000_kwh_at_the_published_figure() -> None:
    """test.talgov.com/you/you-account-plans-index: $7.77 + 1,000 x 0.10130 = $109.07 before taxes."""
    bill = compute_bill(
        compiled(PACK / "electric_residential.toml"), *month(2018, 11), {"kwh": 1000}, {"location": "inside"}
    )
    assert bill.cents_of("base", "fuel") == 10907


def test_the_sample_city_bills_gas_water_stormwater_and_refuse_at_the_published_figures() -> None:
    """Gas $9.77 + 1.07546 a ccf; water $11.70 + 50 x 0.174 + 30 x 0.238; stormwater $10.71 an ERU; refuse $19.91."""
    inside = {"location": "inside"}
    gas = compute_bill(compiled(PACK / "gas_residential.toml"), *month(2018, 11), {"ccf": 100}, inside)
    assert gas.cents_of("base", "fuel") == 977 + 6973 + 3782
    water = compute_bill(compiled(PACK / "water_residential.toml"), *month(2018, 11), {"cgal": 80}, inside)
    assert water.cents_of("base") == 1170 + 870 + 714
    assert compute_bill(compiled(PACK / "stormwater.toml"), *month(2018, 11), {"eru": 3}).total_cents == 3213
    refuse = compiled(PACK / "refuse_residential.toml")
    assert compute_bill(refuse, *month(2019, 9), {"cart-96": 1}).total_cents == 1837
    assert compute_bill(refuse, *month(2019, 10), {"cart-96": 2}).total_cents == 3982
    business = compiled(PACK / "refuse_commercial.toml")
    assert compute_bill(business, *month(2020, 1), {"fel-8": 1}, {"pickups_per_week": 2}).total_cents == 31200


def test_sewer_stops_at_its_cap() -> None:
    """JEA sewer: 6 x 5.31 + 14 x 6.39, nothing above 20 kgal (jea.com/rates); the base is made up."""
    tariff = published("published_water_sewer")
    at_cap, above = (
        compute_bill(tariff, *month(2024, 11), {"kgal": kgal}, {"meter_size": '5/8"'}) for kgal in (20, 25)
    )
    assert amounts(at_cap) == amounts(above) == [1400, 3186, 8946]
    assert "billed up to 20 kgal" in above.lines[-1].trace
    assert "billed up to" not in at_cap.lines[-1].trace


def test_a_flat_price_stops_at_its_cap() -> None:
    """The sample city's sewer: 120 cgal of the 170 through the water meter, at 0.59 (sample values)."""
    sewer = compiled(PACK / "sewer_residential.toml")
    bill = compute_bill(sewer, *month(2018, 11), {"cgal": 170}, {"location": "inside"})
    assert amounts(bill) == [1950, 7080]
    assert "billed up to 120 cgal" in bill.lines[1].trace


# --- single rules, on tariffs made up here ----------------------------------------------------------------------------


def tariff_of(*items: dict[str, Any], later: tuple[dict[str, Any], ...] = (), **version: Any) -> CompiledTariff:
    def full(number: int, item: dict[str, Any]) -> dict[str, Any]:
        return {"code": f"i{number}", "text": f"Item {number}", **item}

    def one(code: str, first: date, rows: tuple[dict[str, Any], ...]) -> dict[str, Any]:
        made = [full(number, copy.deepcopy(row)) for number, row in enumerate(rows)]
        return {"code": code, "effective_from": first, "source": "made up", "item": made, **version}

    versions = [one("a", date(2024, 10, 1), items)]
    if later:
        versions.append(one("b", date(2025, 4, 1), later))
    return compiled({"code": "t", "name": "Test", "service_kind": "water", "source": "made up", "version": versions})


FIXED = {"kind": "fixed", "price": "10.00", "tags": ["base"]}
USE = {"kind": "flat", "quantity": "kwh", "price": "0.10", "tags": ["use"]}


@pytest.mark.parametrize(
    ("prorate", "days", "cents"),
    [
        ("whole", 12, 1000),
        ("per_30_days", 12, 400),
        ("per_30_days", 31, 1033),
        ("per_cycle", 12, 387),
        ("outside_normal", 25, 1000),
        ("outside_normal", 24, 800),
        ("outside_normal", 36, 1200),
    ],
)
def test_a_monthly_charge_follows_the_days_by_its_mode(prorate: str, days: int, cents: int) -> None:
    tariff = tariff_of({**FIXED, "prorate": prorate}, normal_days=[25, 35])
    first = date(2025, 1, 1)
    bill = compute_bill(tariff, first, first + timedelta(days=days), {}, cycle_days=31)
    assert bill.total_cents == cents


def test_a_price_change_divides_the_period_by_days_and_says_so() -> None:
    dearer = ({**FIXED, "price": "12.00"}, {**USE, "price": "0.20"})
    tariff = tariff_of(FIXED, USE, later=dearer)
    bill = compute_bill(tariff, date(2025, 3, 22), date(2025, 4, 21), {"kwh": 901})
    assert [(part.days, part.period_days, part.version_code) for part in bill.parts] == [(10, 30, "a"), (20, 30, "b")]
    assert [line.quantity for line in bill.lines] == [None, Decimal("300.333"), None, Decimal("600.667")]
    assert amounts(bill) == [333, 3003, 800, 12013]
    assert bill.parts[0].text == "Mar 22, 2025 to Mar 31, 2025: 10 of 30 days at the rates then in force"
    assert bill.lines[0].trace == "Item 0: $10.00 × 10/30 days = $3.33"


def test_a_read_on_the_day_of_the_change_divides_the_use_instead_of_the_days() -> None:
    tariff = tariff_of(USE, later=({**USE, "price": "0.20"},))
    period = date(2025, 3, 22), date(2025, 4, 21)
    bill = compute_bill(tariff, *period, {"kwh": 900}, known_use={date(2025, 4, 1): {"kwh": 700}})
    assert [line.quantity for line in bill.lines] == [700, 200]
    # A read beside the change still says more than the days alone.
    near = compute_bill(tariff, *period, {"kwh": 900}, known_use={date(2025, 3, 27): {"kwh": 500}})
    assert [line.quantity for line in near.lines] == [580, 320]
    wrong = compute_bill(tariff, *period, {"kwh": 900}, known_use={date(2025, 4, 1): {"kwh": 901}})
    assert wrong.problems[0].field == "known_use.2025-04-01.kwh"


def test_an_item_may_be_billed_once_at_the_first_or_the_last_price() -> None:
    for on_change, cents in (("start", 1000), ("end", 1200)):
        item = {**FIXED, "on_change": on_change}
        tariff = tariff_of(item, later=({**item, "price": "12.00"},))
        assert amounts(compute_bill(tariff, date(2025, 3, 22), date(2025, 4, 21), {})) == [cents]
        # Billed once means all of the use, not the part before or after the change.
        use = tariff_of({**USE, "on_change": on_change}, later=({**USE, "on_change": on_change},))
        assert amounts(compute_bill(use, date(2025, 3, 22), date(2025, 4, 21), {"kwh": 900})) == [9000]


def test_a_converted_quantity_is_divided_like_the_measured_one() -> None:
    """The sample city's gas: 31 ccf are 3.1 Mcf for the tax, 16 days before and 15 days after the change."""
    gas = compiled(PACK / "gas_residential.toml")
    bill = compute_bill(gas, date(2024, 9, 15), date(2024, 10, 16), {"ccf": 31}, {"location": "inside"})
    found = [(line.item_code, line.quantity) for line in bill.lines if line.item_code in ("gas", "gross_receipts")]
    assert found == [("gas", 16), ("gross_receipts", Decimal("1.6")), ("gas", 15), ("gross_receipts", Decimal("1.5"))]


def test_use_exactly_at_a_block_limit_leaves_no_empty_line() -> None:
    water = compiled(PACK / "water_residential.toml")
    bill = compute_bill(water, *month(2018, 11), {"cgal": 50}, {"location": "inside"})
    assert [line.code for line in bill.lines] == ["customer", "water_t0", "utility_tax"]
    none = compute_bill(water, *month(2018, 11), {"cgal": 0}, {"location": "inside"})
    assert [line.code for line in none.lines] == ["customer", "water_t0", "utility_tax"]


def test_block_limits_are_divided_with_the_period_and_add_up_again() -> None:
    block = {
        "kind": "block",
        "block_rule": "marginal",
        "quantity": "cgal",
        "block": [{"up_to": 50, "price": "0.10"}, {"price": "0.20"}],
    }
    tariff = tariff_of(block, later=(block,))
    bill = compute_bill(tariff, date(2025, 3, 22), date(2025, 4, 21), {"cgal": 90})
    assert [line.quantity for line in bill.lines] == [
        Decimal("16.667"), Decimal("13.333"), Decimal("33.333"), Decimal("26.667"),
    ]  # fmt: skip
    assert bill.lines[0].text == "Item 0, first 16.667 cgal"


def test_block_limits_may_follow_the_days() -> None:
    block = {
        "kind": "block",
        "block_rule": "marginal",
        "block_days": 30,
        "quantity": "cgal",
        "block": [{"up_to": 60, "price": "1"}, {"price": "2"}],
    }
    bill = compute_bill(tariff_of(block), date(2025, 1, 1), date(2025, 1, 16), {"cgal": 40})
    assert [line.quantity for line in bill.lines] == [30, 10]


def test_a_season_begins_inside_the_period() -> None:
    summer = {"kind": "flat", "quantity": "kwh", "price": "0.20", "months": [5, 6, 7, 8, 9, 10]}
    winter = {"kind": "flat", "quantity": "kwh", "price": "0.10", "months": [11, 12, 1, 2, 3, 4]}
    bill = compute_bill(tariff_of(winter, summer), date(2025, 4, 21), date(2025, 5, 21), {"kwh": 300})
    assert [(line.item_code, line.quantity, line.amount_cents) for line in bill.lines] == [
        ("i0", 100, 1000),
        ("i1", 200, 4000),
    ]


def test_class_location_and_meter_size_choose_the_rows() -> None:
    tariff = tariff_of(
        {**FIXED, "customer_classes": ["residential"]},
        {**FIXED, "price": "30.00", "customer_classes": ["commercial"]},
        {"kind": "per_meter_size", "prices": {'5/8"': "3", '2"': "20"}, "tags": ["base"]},
        {"kind": "percent", "percent": "25", "of": ["base"], "locations": ["outside"]},
    )
    who = {"customer_class": "commercial", "location": "outside", "meter_size": '2"'}
    assert amounts(compute_bill(tariff, *month(2025, 1), {}, who)) == [3000, 2000, 1250]
    home = {"customer_class": "residential", "location": "inside", "meter_size": '5/8"'}
    assert amounts(compute_bill(tariff, *month(2025, 1), {}, home)) == [1000, 300]


def test_a_minimum_tops_up_only_what_is_missing() -> None:
    minimum = {"kind": "minimum", "price": "15.00", "of": ["base", "use"]}
    tariff = tariff_of(FIXED, USE, minimum)
    low = compute_bill(tariff, *month(2025, 1), {"kwh": 20})
    assert amounts(low) == [1000, 200, 300]
    assert low.lines[2].trace == "Item 2: minimum $15.00, less $12.00 billed above = $3.00"
    assert amounts(compute_bill(tariff, *month(2025, 1), {"kwh": 50})) == [1000, 500]
    assert amounts(compute_bill(tariff, *month(2025, 1), {"kwh": 60})) == [1000, 600]


def test_taxes_fall_out_of_the_row_order() -> None:
    """6.5574% = 6/(100-6-2.5), and the gross receipts tax on bill and fee is 2.7322% of the bill (jea.com/rates)."""
    fee = {"kind": "percent", "percent": "6.5574", "of": ["base"], "tags": ["fee"]}
    receipts = {"kind": "percent", "percent": "2.5641", "of": ["base", "fee"]}
    bill = compute_bill(tariff_of({**FIXED, "price": "10000.00"}, fee, receipts), *month(2025, 1), {})
    assert amounts(bill) == [1000000, 65574, 27322]


def test_a_line_with_two_tags_is_taxed_once() -> None:
    both = {**FIXED, "tags": ["base", "energy"]}
    tax = {"kind": "percent", "percent": "10", "of": ["base", "energy"]}
    assert amounts(compute_bill(tariff_of(both, tax), *month(2025, 1), {})) == [1000, 100]


def test_a_credit_rounds_half_a_cent_away_from_zero() -> None:
    credit = {"kind": "flat", "quantity": "kwh", "price": "-0.005"}
    assert amounts(compute_bill(tariff_of(credit), *month(2025, 1), {"kwh": 1})) == [-1]
    charge = {"kind": "flat", "quantity": "kwh", "price": "0.005"}
    assert amounts(compute_bill(tariff_of(charge), *month(2025, 1), {"kwh": 1})) == [1]


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantities", "attributes", "field"),
    [
        ({}, {}, "quantities.kwh"),
        ({"kwh": 1, "therms": 2}, {}, "quantities.therms"),
        ({"kwh": -1}, {}, "quantities.kwh"),
        ({"kwh": "many"}, {}, "quantities.kwh"),
        ({"kwh": "Infinity"}, {}, "quantities.kwh"),
        ({"kwh": "1e999999"}, {}, "quantities.kwh"),
        ({"kwh": 0.1}, {}, "quantities.kwh"),
        ({"kwh": True}, {}, "quantities.kwh"),
        ({"kwh": 10**13}, {}, "quantities.kwh"),
        ({"kwh": "0.0000001"}, {}, "quantities.kwh"),
        ({"kwh": 1}, {"location": "moon"}, "attributes.location"),
        ({"kwh": 1}, {"colour": "red"}, "attributes.colour"),
    ],
)
def test_a_bad_quantity_or_attribute_is_a_problem_and_no_bill(
    quantities: dict[str, Any], attributes: dict[str, Any], field: str
) -> None:
    bill = compute_bill(tariff_of(USE), *month(2025, 1), quantities, attributes)
    assert (bill.lines, bill.total_cents) == ((), None)
    assert [problem.field for problem in bill.problems] == [field]
    assert bill.problems[0].message.endswith(".")


def test_a_period_without_days_or_without_prices_is_refused() -> None:
    tariff = tariff_of(USE)
    assert compute_bill(tariff, date(2025, 1, 2), date(2025, 1, 2), {"kwh": 1}).problems[0].field == "to"
    assert compute_bill(tariff, date(2025, 1, 2), date(9999, 1, 2), {"kwh": 1}).problems[0].field == "to"
    early = compute_bill(tariff, date(2024, 9, 20), date(2024, 10, 20), {"kwh": 1}).problems[0]
    assert early.field == "from"
    assert "no prices in force on Sep 20, 2024" in early.message
    ended = tariff_of(USE, effective_to=date(2025, 1, 10))
    assert compute_bill(ended, date(2025, 1, 2), date(2025, 2, 2), {"kwh": 1}).problems[0].field == "to"


def test_what_the_prices_depend_on_must_be_given() -> None:
    sized = tariff_of({"kind": "per_meter_size", "prices": {'1"': "3"}})
    assert compute_bill(sized, *month(2025, 1), {}).problems[0].field == "attributes.meter_size"
    assert compute_bill(sized, *month(2025, 1), {}, {"meter_size": '9"'}).problems[0].field == "attributes.meter_size"
    placed = tariff_of({**FIXED, "locations": ["inside"]})
    assert compute_bill(placed, *month(2025, 1), {}).problems[0].field == "attributes.location"
    refuse = compiled(PACK / "refuse_commercial.toml")
    assert compute_bill(refuse, *month(2025, 1), {}, {"pickups_per_week": 1}).problems[0].field == "quantities"
    assert compute_bill(refuse, *month(2025, 1), {"fel-8": 1}).problems[0].field == "attributes.pickups_per_week"
    home = compiled(PACK / "electric_residential.toml")
    who = {"location": "inside", "customer_class": "commercial"}
    assert compute_bill(home, *month(2025, 1), {"kwh": 1}, who).problems[0].field == "attributes.customer_class"
    gas = published("published_gas_2017")
    bad = {"pressure_factor": "0", "heat_factor": "1"}
    assert compute_bill(gas, *month(2017, 5), {"ccf": 1}, bad).problems[0].field == "attributes.pressure_factor"


# --- what holds for every bill ----------------------------------------------------------------------------------------

prices = st.decimals(min_value=0, max_value=20, places=5).map(str)
quantities = st.decimals(min_value=0, max_value=50_000, places=3)
steps = st.lists(st.integers(1, 500), min_size=0, max_size=4)


@st.composite
def packs(draw: st.DrawFn, versions: int = 3) -> dict[str, Any]:
    """A tariff of a fixed charge, blocks, fuel, a minimum and two taxes, with one to three versions."""
    made = []
    for number in range(draw(st.integers(1, versions))):
        limits: list[int] = []
        for step in draw(steps):
            limits.append((limits[-1] if limits else 0) + step)
        blocks = [{"up_to": limit, "price": draw(prices)} for limit in limits] + [{"price": draw(prices)}]
        items = [
            {"code": "c", "text": "Customer", "kind": "fixed", "price": draw(prices), "tags": ["base"],
             "prorate": draw(st.sampled_from(["whole", "per_30_days", "per_cycle"]))},
            {"code": "b", "text": "Use", "kind": "block", "block_rule": "marginal", "quantity": "kwh", "block": blocks,
             "tags": ["base"]},
            {"code": "f", "text": "Fuel", "kind": "flat", "quantity": "kwh", "price": draw(prices), "tags": ["fuel"]},
            {"code": "m", "text": "Minimum", "kind": "minimum", "price": draw(prices), "of": ["base", "fuel"]},
            {"code": "t", "text": "Tax", "kind": "percent", "percent": "2.5641", "of": ["base", "fuel"], "tags": ["t"]},
            {"code": "u", "text": "Tax 2", "kind": "percent", "percent": "10", "of": ["base", "t"]},
        ]  # fmt: skip
        first = date(2024, 1, 1) + timedelta(days=20 * number)
        made.append({"code": f"v{number}", "effective_from": first, "source": "made up", "item": items})
    return {"code": "t", "name": "T", "service_kind": "electric", "source": "made up", "version": made}


def half_up(exact: Fraction) -> int:
    return int(exact * 2 + 1) // 2 if exact >= 0 else -half_up(-exact)


@given(packs(), st.integers(0, 40), st.integers(1, 70), quantities)
def test_the_total_is_the_sum_of_its_lines_and_each_line_is_its_own_arithmetic(
    pack: dict[str, Any], skip: int, days: int, kwh: Decimal
) -> None:
    first = date(2024, 1, 1) + timedelta(days=skip)
    bill = compute_bill(compiled(pack), first, first + timedelta(days=days), {"kwh": kwh})
    assert bill.problems == ()
    assert bill.total_cents == sum(line.amount_cents for line in bill.lines)
    assert sum(part.days for part in bill.parts) == days
    for name in ("b", "f"):
        assert sum(line.quantity or 0 for line in bill.lines if line.item_code == name) == kwh
    for line in bill.lines:
        share = Fraction(line.head.numerator, line.head.denominator)
        price = Fraction(line.price)
        if line.item_code == "c":
            expected = half_up(price * share * 100)
        elif line.item_code in ("b", "f"):
            expected = half_up(price * Fraction(line.quantity or 0) * 100)
        elif line.item_code == "m":
            expected = half_up(price * share * 100) - (line.base_cents or 0)
        else:
            expected = half_up(price * (line.base_cents or 0) / 100)
        assert line.amount_cents == expected
        assert line.text in line.trace


@given(packs(versions=1), st.integers(1, 60), st.integers(1, 59), quantities)
def test_dividing_a_period_at_unchanged_prices_moves_only_rounding(
    pack: dict[str, Any], days: int, cut: int, kwh: Decimal
) -> None:
    first = date(2024, 1, 1)
    to_on = first + timedelta(days=days)
    del pack["version"][0]["item"][3]  # a minimum for each part is more than one for the whole
    divided = copy.deepcopy(pack)
    divided["version"].append({**pack["version"][0], "code": "same", "effective_from": first + timedelta(days=cut)})
    one = compute_bill(compiled(pack), first, to_on, {"kwh": kwh})
    two = compute_bill(compiled(divided), first, to_on, {"kwh": kwh})
    assert one.total_cents is not None
    assert two.total_cents is not None
    # Half a cent for each rounded line, and a thousandth of a unit at the dearest price for each divided limit.
    limits = len(pack["version"][0]["item"][1]["block"]) + 1
    slack = (len(one.lines) + len(two.lines)) * Decimal("0.6") + limits * 2 * Decimal("0.001") * 2000 * Decimal("1.2")
    assert abs(one.total_cents - two.total_cents) <= slack


@given(packs(versions=1), quantities, quantities)
def test_more_use_never_costs_less(pack: dict[str, Any], one: Decimal, other: Decimal) -> None:
    tariff = compiled(pack)
    low, high = sorted((one, other))
    first = date(2024, 1, 1)
    totals = [compute_bill(tariff, first, first + timedelta(days=30), {"kwh": kwh}).total_cents for kwh in (low, high)]
    assert totals[0] is not None
    assert totals[1] is not None
    assert totals[0] <= totals[1]


@given(st.lists(quantities, min_size=2, max_size=2), st.integers(1, 29))
def test_a_known_read_divides_exactly(uses: list[Decimal], day: int) -> None:
    tariff = tariff_of(USE, later=(USE,))
    first = date(2025, 4, 1) - timedelta(days=day)
    known = {date(2025, 4, 1): {"kwh": uses[0]}}
    bill = compute_bill(tariff, first, first + timedelta(days=30), {"kwh": sum(uses)}, known_use=known)
    assert [line.quantity for line in bill.lines] == uses
