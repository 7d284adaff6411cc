"""Money: what people type, what they read, one way of rounding."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.shared.money import LARGEST_CENTS, format_cents, parse_money, price_cents, share_cents, to_cents, to_dollars


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("1,234.56", 123456),
        ("$1234.56", 123456),
        (" $ 12 ", 1200),
        ("12.5", 1250),
        ("5.", 500),
        (".05", 5),
        ("0", 0),
        ("-3.50", -350),
        ("-$3.50", -350),
        ("$-3.50", -350),
        ("−3.50", -350),
        ("(3.50)", -350),
        ("($1,000)", -100000),
        ("999,999,999.99", LARGEST_CENTS),
    ],
)
def test_amounts_as_people_type_them(typed: str, cents: int) -> None:
    assert parse_money(typed) == cents


@pytest.mark.parametrize(
    "typed",
    [
        "abc",
        "12.345",
        "1,23.4",
        "12,34",
        "1e5",
        ".",
        "$",
        "--3",
        "(-3)",
        "(3",
        "3)",
        "12.3.4",
        "NaN",
        "١٢",
        "=1+1",
        "12 USD",
    ],
)
def test_what_is_no_amount_is_refused_with_the_remedy(typed: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount of money\. Enter dollars and cents") as refused:
        parse_money(typed)
    assert typed in str(refused.value)


def test_nothing_typed_and_too_much_typed() -> None:
    with pytest.raises(ValueError, match="Enter an amount"):
        parse_money("  ")
    with pytest.raises(ValueError, match=r"too large an amount.*\$999,999,999\.99"):
        parse_money("1" * 5000)


@pytest.mark.parametrize(
    ("cents", "text"),
    [(123456, "$1,234.56"), (0, "$0.00"), (5, "$0.05"), (-5, "-$0.05"), (-123456789, "-$1,234,567.89")],
)
def test_format(cents: int, text: str) -> None:
    assert format_cents(cents) == text


@given(st.integers(-LARGEST_CENTS, LARGEST_CENTS))
def test_read_back_what_was_written(cents: int) -> None:
    assert parse_money(format_cents(cents)) == cents
    assert to_cents(to_dollars(cents)) == cents


@pytest.mark.parametrize(
    ("dollars", "cents"),
    [
        ("0.005", 1),
        ("0.0049999", 0),
        ("0.015", 2),
        ("0.025", 3),
        ("2.675", 268),
        ("-0.005", -1),
        ("-0.0049", 0),
        ("1e3", 100000),
    ],
)
def test_half_a_cent_rounds_away_from_zero(dollars: str, cents: int) -> None:
    assert to_cents(Decimal(dollars)) == cents


def test_price_is_rounded_once() -> None:
    # 903 kWh at 0.10130: 91.4739 dollars.
    assert price_cents(Decimal(903), Decimal("0.10130")) == 9147
    assert price_cents(Decimal("0.1"), Decimal("0.05")) == 1


def test_shares_add_up() -> None:
    assert share_cents(100, [1, 1, 1]) == [34, 33, 33]
    assert share_cents(-100, [1, 1, 1]) == [-34, -33, -33]
    assert share_cents(1000, [Decimal("0.5"), 0, Decimal("1.5")]) == [250, 0, 750]
    for wrong in ([], [0, 0], [1, -1, 3]):
        with pytest.raises(ValueError, match="weights of zero or more"):
            share_cents(100, wrong)


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_shares_add_up_and_are_fair(total: int, weights: list[int]) -> None:
    parts = share_cents(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Decimal(total) * weight / sum(weights)) < 1
