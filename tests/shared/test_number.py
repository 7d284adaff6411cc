"""Numbers with a check digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.shared.number import (
    HumanNumber,
    check_digit,
    is_account_number,
    is_number,
    make_account_number,
    make_number,
    parse_account_number,
    parse_number,
)


def test_damm_published_example() -> None:
    # H. M. Damm's dissertation (2004), and every description since: the check digit of 572 is 4.
    assert check_digit("572") == "4"


def test_numbers_as_they_are_written() -> None:
    assert make_number("SR", 2026, 412) == "SR-26-0004127"
    assert make_number("wo", 26, 999999)[:12] == "WO-26-999999"
    assert make_number("SR", 2026, 1_000_000)[:13] == "SR-26-1000000"
    assert make_account_number(1002231) == "100-2231-8"
    assert make_account_number(7)[:8] == "000-0007"


@pytest.mark.parametrize(
    "typed",
    [
        "SR-26-0004127",
        "sr-26-0004127",
        "sr260004127",
        " SR 26 0004127 ",
        "SR–26–0004127",
        "S R.26.000 4127",
        "ＳＲ-26-0004127",
    ],
)
def test_any_way_of_typing_it(typed: str) -> None:
    assert parse_number(typed) == HumanNumber("SR", 26, 412)
    assert str(parse_number(typed, "SR")) == "SR-26-0004127"


def test_prefix_may_be_left_out_where_it_is_known() -> None:
    assert parse_number("26-0004127", "SR").seq == 412
    with pytest.raises(ValueError, match="It looks like WO-26-"):
        parse_number("SR-26-0004127", "WO")
    with pytest.raises(ValueError, match="is not a number of this kind"):
        parse_number("26-0004127")


@pytest.mark.parametrize(
    "typed", ["", "SR", "SR-26-412", "hello", "SR-26-00041270000000000", "100-2231-8", "<script>", "٢٦"]
)
def test_what_is_no_number(typed: str) -> None:
    with pytest.raises(ValueError, match="It looks like SR-26-0004127"):
        parse_number(typed)
    assert not is_number(typed)


def test_misread_numbers_are_noticed() -> None:
    with pytest.raises(ValueError, match="wrong digit or two digits swapped"):
        parse_number("SR-26-0004172")
    with pytest.raises(ValueError, match="wrong digit or two digits swapped"):
        parse_account_number("100-2213-8")
    assert is_number("SR-26-0004127")
    assert is_account_number("10022318")
    assert not is_account_number("10022317")


@pytest.mark.parametrize("typed", ["100-2231-8", "10022318", " 100 2231 8", "100–2231–8"])
def test_any_way_of_typing_an_account(typed: str) -> None:
    assert parse_account_number(typed) == "100-2231-8"


@pytest.mark.parametrize("typed", ["", "100", "abc-defg-h", "SR-26-0004127", "1" * 40])
def test_what_is_no_account(typed: str) -> None:
    with pytest.raises(ValueError, match="It looks like 100-2231-8"):
        parse_account_number(typed)


def test_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="below zero"):
        make_number("SR", 2026, -1)
    with pytest.raises(ValueError, match="below zero"):
        make_account_number(-1)


@given(seq=st.integers(0, 10**9), year=st.integers(0, 99), at=st.integers(0, 20), digit=st.integers(0, 9))
def test_every_wrong_digit_and_every_neighbour_swap_is_noticed(seq: int, year: int, at: int, digit: int) -> None:
    number = make_number("SR", year, seq)
    assert parse_number(number) == HumanNumber("SR", year, seq)
    digits = number.replace("-", "")[2:]
    at %= len(digits)
    wrong = digits[:at] + str(digit) + digits[at + 1 :]
    swapped = digits[:at] + digits[at : at + 2][::-1] + digits[at + 2 :]
    for typed in (wrong, swapped):
        assert is_number("SR" + typed) is (typed == digits)
    account = make_account_number(seq)
    assert parse_account_number(account) == account
