"""Words as Americans read them, and what must never be written down."""

from __future__ import annotations

import locale
import time as stopwatch
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.shared.number import make_account_number, make_number
from portal.shared.text import (
    clock_text,
    count_text,
    day_text,
    due_text,
    duration_text,
    fold,
    format_phone,
    looks_like_card_number,
    looks_like_licence,
    looks_like_ssn,
    moment_text,
    parse_phone,
    relative_text,
    safe_cell,
    sensitive_sentence,
)

ZONE = "America/New_York"
NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)  # 2:00 pm


# ----- search


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("José  O’Brien-Smith", "jose obrien smith"),
        ("O'BRIEN", "obrien"),
        ("St. Augustine N.E.", "st augustine ne"),
        ("1420 E. Park Ave., Apt #4-B", "1420 e park ave apt 4 b"),
        ("STRASSE Straße ﬁre", "strasse strasse fire"),
        ("Łódź Ørsted Þór Ægir İstanbul ısı", "lodz orsted thor aegir istanbul isi"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("a\u200bb\tc\nd\0e", "ab c d e"),
        ("🐕 <script>", "script"),
        ("東京 Ελλάδα", "東京 ελλαδα"),
        ("", ""),
        ("...", ""),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_fold_twice_is_fold_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert "  " not in fold(text)


# ----- telephone


@pytest.mark.parametrize(
    "typed",
    [
        "(850) 555-0142",
        "850-555-0142",
        "850.555.0142",
        "8505550142",
        "+1 850 555 0142",
        "1-850-555-0142",
        " 850 555 0142 ",
        "850–555–0142",
    ],
)
def test_phone(typed: str) -> None:
    assert parse_phone(typed) == "8505550142"
    assert format_phone(parse_phone(typed)) == "(850) 555-0142"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "is not a phone number. Enter ten digits"),
        ("call me", "is not a phone number"),
        ("555-0142", "has 7 digits. Enter ten, area code first"),
        ("850-555-01422", "has 11 digits"),
        ("850-555-0142 x12", "the extension in a note"),
        ("850-555-0142 ext. 12", "the extension in a note"),
        ("+44 20 7946 0958", "outside the US and Canada"),
        ("150-555-0142", "begin with 0 or 1"),
        ("850-155-0142", "begin with 0 or 1"),
        ("８５０", "has 3 digits"),
    ],
)
def test_no_phone(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_phone(typed)
    assert sentence in str(refused.value)


def test_what_is_not_ten_digits_is_shown_as_it_is() -> None:
    assert format_phone("5550142") == "5550142"


# ----- days and times


def test_days_and_clock_times() -> None:
    assert day_text(date(2026, 11, 24)) == "Tue, Nov 24"
    assert day_text(date(2026, 11, 4), today=date(2026, 1, 1)) == "Wed, Nov 4"
    assert day_text(date(2027, 1, 4), today=date(2026, 1, 1)) == "Mon, Jan 4, 2027"
    shown = {
        (0, 0): "12:00 am",
        (0, 5): "12:05 am",
        (11, 59): "11:59 am",
        (12, 0): "12:00 pm",
        (15, 0): "3:00 pm",
        (23, 1): "11:01 pm",
    }
    assert {clock: clock_text(time(*clock)) for clock in shown} == shown


def test_instants_are_shown_on_the_citys_clock() -> None:
    assert moment_text(datetime(2026, 11, 25, 20, 0, tzinfo=UTC), ZONE) == "Wed, Nov 25, 3:00 pm"
    assert moment_text(datetime(2027, 1, 1, 3, 0, tzinfo=UTC), ZONE, NOW) == "Thu, Dec 31, 10:00 pm"
    assert moment_text(datetime(2027, 1, 1, 6, 0, tzinfo=UTC), ZONE, NOW) == "Fri, Jan 1, 2027, 1:00 am"


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (1, "today 3:00 pm"),
        (9, "today 11:00 pm"),
        (10, "tomorrow 12:00 am"),
        (-15, "yesterday 11:00 pm"),
        (48, "Thu, Nov 26, 2:00 pm"),
    ],
)
def test_relative(hours: int, text: str) -> None:
    assert relative_text(NOW + timedelta(hours=hours), NOW, ZONE) == text


@pytest.mark.parametrize(
    ("late", "text"),
    [
        (timedelta(hours=-1), "today 3:00 pm"),
        (timedelta(0), "today 2:00 pm"),
        (timedelta(seconds=59), "just past due"),
        (timedelta(minutes=1), "1 minute late"),
        (timedelta(minutes=59), "59 minutes late"),
        (timedelta(hours=18), "18 hours late"),
        (timedelta(hours=24), "1 day late"),
        (timedelta(days=2, hours=23), "2 days late"),
        (timedelta(days=1200), "1,200 days late"),
    ],
)
def test_due(late: timedelta, text: str) -> None:
    assert due_text(NOW - late, NOW, ZONE) == text


def test_another_locale_changes_nothing() -> None:
    before = locale.setlocale(locale.LC_TIME)
    try:
        locale.setlocale(locale.LC_TIME, "C.UTF-8")
        assert day_text(date(2026, 11, 24)) == "Tue, Nov 24"
    finally:
        locale.setlocale(locale.LC_TIME, before)


def test_counts_and_durations() -> None:
    assert [count_text(count, "day") for count in (0, 1, 2, 1500)] == ["0 days", "1 day", "2 days", "1,500 days"]
    assert duration_text(timedelta(hours=1, minutes=30)) == "1 hour 30 minutes"
    assert duration_text(timedelta(minutes=45)) == "45 minutes"
    assert duration_text(timedelta(days=2)) == "48 hours"
    assert duration_text(timedelta(seconds=30)) == "30 seconds"
    assert duration_text(timedelta(0)) == "0 seconds"


# ----- exports


@pytest.mark.parametrize(
    "cell",
    [
        "=HYPERLINK(1)",
        "+1 850 555 0142",
        "-1+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        " =1+1",
        "\u200b=1",
        "＝1+1",
        "|x",
        "%0",
        "-",
        "\0=1",
    ],
)
def test_formulas_are_neutralised(cell: str) -> None:
    assert safe_cell(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "Main St",
        "-12.50",
        "+5",
        "-$1,234.56",
        "12%",
        "a=b",
        "SR-26-0004127",
        12,
        -1.5,
        Decimal(-2),
        True,
        date(2026, 1, 1),
    ],
)
def test_other_cells_stay(cell: object) -> None:
    assert safe_cell(cell) is cell


def test_nothing_is_an_empty_cell() -> None:
    assert safe_cell(None) == ""


# ----- what is never written down

# Test numbers that the card issuers publish for their merchants; none belongs to anybody.
CARDS = [
    "4111111111111111", "4012888888881881", "4222222222222", "5555555555554444", "5105105105105100", "2223003122003222",
    "378282246310005", "371449635398431", "6011111111111117", "30569309025904", "3530111333300000", "6200000000000005",
]  # fmt: skip


@pytest.mark.parametrize("digits", CARDS)
def test_cards_are_found_however_they_are_written(digits: str) -> None:
    fours = " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
    for written in (digits, fours, fours.replace(" ", "-"), fours.replace(" ", " - "), fours.replace(" ", ".")):
        assert looks_like_card_number(written)
        assert looks_like_card_number(f"Customer read card {written}, exp 12/27.")
        assert looks_like_card_number(f"visa#{written}exp")
    assert looks_like_card_number("".join(chr(ord("０") + int(digit)) for digit in digits))
    wrong = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    assert not looks_like_card_number(wrong)


def test_amex_and_diners_groups() -> None:
    assert looks_like_card_number("3782 822463 10005")
    assert looks_like_card_number("3056 930902 5904")
    assert looks_like_card_number("41 11 11 11 11 11 11 11")


@pytest.mark.parametrize("text", ["CVV 123", "cvv2: 1234", "the cvc is 999", "card security code 321"])
def test_security_codes(text: str) -> None:
    assert looks_like_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "gate code 1234",
        "read 48213 on 11/24/2026, before that 47990 on 10/23/2026",
        "0000000000000000",
        "paid 1,234.56 on 2026-11-24 at 09:12",
        "meter 4111111111",
        "352-855-0142 352-855-0143",
        "(850) 555-0142 or (850) 555-0199",
    ],
)
def test_other_figures_are_no_cards(text: str) -> None:
    assert sensitive_sentence(text, "Notes") is None


@given(
    st.integers(0, 9_999_999),
    st.integers(0, 9_999_999),
    st.integers(2_000_000_000, 9_999_999_999),
    st.integers(2_000_000_000, 9_999_999_999),
)
def test_our_own_numbers_and_phones_are_never_flagged(account: int, seq: int, phone: int, other: int) -> None:
    own = [
        make_account_number(account),
        make_number("SR", 2026, seq),
        format_phone(str(phone)),
        str(phone),
        f"1-{phone}",
    ]
    dashed = [f"{str(p)[:3]}-{str(p)[3:6]}-{str(p)[6:]}" for p in (phone, other)]
    for text in (
        *own,
        make_account_number(account).replace("-", ""),
        " ".join(dashed),
        ", ".join(own),
        f"{phone} {other}",
        " ".join(own),
        f"{own[0]} 32301",
        f"{own[0]} {own[0]}",
    ):
        assert sensitive_sentence(text, "Notes") is None


@pytest.mark.parametrize(
    "text",
    [
        "123-45-6789",
        "ssn 123 45 6789",
        "SSN: 123456789",
        "social security number is 123-45-6789",
        "912-70-1234",
        "SS# 123456789",
        "123–45–6789",
    ],
)
def test_ssn(text: str) -> None:
    assert looks_like_ssn(text)


@pytest.mark.parametrize(
    "text",
    [
        "32301-1234",
        "123456789",
        "000-12-3456",
        "666-12-3456",
        "123-00-4567",
        "123-45-0000",
        "850-555-0142",
        "1123-45-6789",
        "2026-11-24",
        "social services 850 555 0142",
        "123-45 6789",
    ],
)
def test_no_ssn(text: str) -> None:
    assert not looks_like_ssn(text)


@pytest.mark.parametrize(
    "text",
    [
        "F255-921-50-094-0",
        "f255921500940",
        "driver's license no. 1234567",
        "Drivers License: D1234567",
        "DL# D1234567",
        "driver’s license number is D123-4567",
        "driver license 12 345 678",
    ],
)
def test_licence(text: str) -> None:
    assert looks_like_licence(text)


@pytest.mark.parametrize(
    "text",
    [
        "license plate ABC1234",
        "meter K12345678",
        "needs her driver's license renewed in 2024",
        "SR-26-0004127",
        "dl the form",
        "business license 2024",
        "FEL-8-MWF-MSW",
    ],
)
def test_no_licence(text: str) -> None:
    assert not looks_like_licence(text)


def test_the_sentence_names_field_and_remedy() -> None:
    assert sensitive_sentence("card 4111 1111 1111 1111", "Notes") == (
        "Notes holds what looks like a payment card number. Take it out and save again: it is never kept here."
    )
    assert "a Social Security number" in (sensitive_sentence("123-45-6789", "Notes") or "")
    assert "a driver's license number" in (sensitive_sentence("F255-921-50-094-0", "Notes") or "")


@pytest.mark.parametrize(
    "text",
    [
        "1" * 10_000,
        "1 " * 5_000,
        "4-" * 5_000,
        "dl " * 3_500,
        "ssn" * 3_500,
        "A1" * 5_000,
        "cvv" + " " * 10_000,
        "\u0661" * 10_000,
    ],
)
def test_ten_thousand_characters_take_no_time(text: str) -> None:
    start = stopwatch.perf_counter()
    sensitive_sentence(text, "Notes")
    fold(text)
    assert stopwatch.perf_counter() - start < 1
