import datetime as dt
from dataclasses import dataclass

import pytest

from db import packs_io
from portal.directory import rules
from portal.shared.office import office_calendar

ZONE = "America/New_York"
DETAIL = {file.code: file.detail for file in packs_io.read_packs(["base"]) if file.kind == "calendar"}
TRANSFERS = [
    {"calendar": "crew", "when": "open", "department": "water", "name": "Water dispatch"},
    {"setting": "water_emergency_phone", "name": "Water emergency line"},
]


def _transfer(local: str) -> str:
    at = dt.datetime.fromisoformat(local)
    calendars = {code: office_calendar(detail, ZONE, at.date()) for code, detail in DETAIL.items()}
    found = rules.transfer_at(TRANSFERS, at, calendars)
    assert found is not None
    return found["name"]


@pytest.mark.parametrize(
    ("local", "name"),
    [
        # Crews are on duty Monday to Friday 7 am to 4 pm, Saturday 8 am to noon (calendar “crew” of the base pack).
        ("2026-11-24T10:42:00-05:00", "Water dispatch"),
        ("2026-11-24T06:59:00-05:00", "Water emergency line"),
        ("2026-11-24T07:00:00-05:00", "Water dispatch"),
        ("2026-11-24T16:00:00-05:00", "Water emergency line"),
        ("2026-11-28T11:59:00-05:00", "Water dispatch"),
        ("2026-11-28T12:00:00-05:00", "Water emergency line"),
        ("2026-11-29T10:00:00-05:00", "Water emergency line"),
        # Thanksgiving, and July 4, 2027, a Sunday kept on Monday.
        ("2026-11-26T10:00:00-05:00", "Water emergency line"),
        ("2027-07-05T10:00:00-04:00", "Water emergency line"),
        # Clocks go back on November 1, 2026: 7 am on Monday is 7 am on the new clock.
        ("2026-11-02T06:30:00-05:00", "Water emergency line"),
        ("2026-11-02T07:00:00-05:00", "Water dispatch"),
    ],
)
def test_the_number_to_transfer_to_follows_hour_and_day(local: str, name: str) -> None:
    assert _transfer(local) == name


def test_a_row_for_closed_hours_counts_only_then() -> None:
    rows = [{"calendar": "crew", "when": "closed", "name": "Night"}]
    calendars = {"crew": office_calendar(DETAIL["crew"], ZONE, dt.date(2026, 11, 24))}
    assert rules.transfer_at(rows, dt.datetime(2026, 11, 24, 15, 42, tzinfo=dt.UTC), calendars) is None
    assert rules.transfer_at(rows, dt.datetime(2026, 11, 25, 3, 0, tzinfo=dt.UTC), calendars) == rows[0]


def test_a_calendar_that_is_gone_leaves_the_next_row() -> None:
    found = rules.transfer_at(TRANSFERS, dt.datetime(2026, 11, 24, 15, 42, tzinfo=dt.UTC), {})
    assert found == TRANSFERS[1]


def test_nobody_stands_without_a_number() -> None:
    numbers = {"water_emergency_phone": "(800) 555-0113", "emergency_phone": "911"}
    assert rules.transfer_number({"phone": "8505550100"}, numbers, {}, "water_emergency_phone") == "8505550100"
    assert rules.transfer_number({"department": "water"}, numbers, {"water": "8005550123"}, "") == "8005550123"
    assert rules.transfer_number({"department": "gone"}, numbers, {}, "water_emergency_phone") == "(800) 555-0113"
    assert rules.transfer_number(None, numbers, {}, "") == "911"


@dataclass
class _Article:
    code: str
    title: str
    synonyms: str
    search_text: str


def test_a_title_word_counts_more_than_citizens_words_and_those_more_than_the_text() -> None:
    title = _Article("a", "Bulky items", "", "bulky items")
    synonym = _Article("b", "Large things", "bulky, couch", "large things bulky couch")
    text = _Article("c", "Weeks", "", "weeks yard debris and bulky items")
    scores = [rules.fit(article, ["bulky"]) for article in (title, synonym, text)]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_small_words_do_not_count_unless_alone() -> None:
    assert rules.words_of("How do I pay the bill?") == ["pay", "bill"]
    assert rules.words_of("who") == ["who"]
    assert rules.words_of(" ,;% ") == []
    assert len(rules.words_of("x " * 10_000)) == 1
