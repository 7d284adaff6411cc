"""Codes of cart orders and collection days, against what the packs and the city's published weeks say."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import pytest

from portal.shared.collection import CollectionCalendar
from portal.waste import rules

BASE = Path(__file__).parents[2] / "db" / "packs" / "base"
CODES = rules.read_codes(
    tomllib.loads(path.read_text("utf-8")) for path in sorted((BASE / "waste_code").glob("*.toml"))
)
# The week of Sunday, November 22, 2020 was Blue (tallahassee.com 2020-11-23); Thanksgiving moved Thursday and Friday by a day.
CALENDAR = CollectionCalendar(
    dt.date(2020, 11, 22), ("blue", "red"), frozenset({dt.date(2020, 11, 26), dt.date(2026, 11, 26)})
)


@pytest.mark.parametrize(
    ("kind", "customer_class", "collection", "code"),
    [
        ("refuse", "residential", "THU-RED", "RG96"),
        ("recycling", "residential", "THU-RED", "RR96"),
        ("trash", "residential", "THU-RED", "YW-R"),
        ("trash", "commercial", "MON-BLUE", "YW-B"),
        ("trash", "residential", "", "YW"),
        ("refuse", "commercial", "MON-FRI", "CG96"),
        ("recycling", "industrial", "", "RR96"),
        ("electric", "residential", "", ""),
    ],
)
def test_code_by_kind_and_area(kind: str, customer_class: str, collection: str, code: str) -> None:
    assert rules.service_code(kind, customer_class, collection, CODES) == code


def test_order_codes() -> None:
    assert rules.order_code("RG96", "DEL") == "RG96-DEL"
    assert rules.order_code("RR96", "RET") == "RR96-RET"
    assert rules.order_code("", "LFT") == "LFT"


@pytest.mark.parametrize(
    ("code", "days", "color"),
    [
        ("THU-RED", (3,), "red"), ("mon-fri", (0, 4), ""), (" tue ", (1,), ""), ("", (), ""), ("RED", (), ""),
        ("MON-RED-BLUE", (), ""), ("<script>", (), ""),
    ],
)  # fmt: skip
def test_collection_codes(code: str, days: tuple[int, ...], color: str) -> None:
    assert rules.collection_days(code) == (days, color)


@pytest.mark.parametrize(
    ("kind", "code", "after", "first"),
    [
        # 2020-11-23 week, published: Thursday and Friday one day later
        ("refuse", "THU-RED", dt.date(2020, 11, 23), dt.date(2020, 11, 27)),
        ("refuse", "WED-RED", dt.date(2020, 11, 23), dt.date(2020, 11, 25)),
        ("trash", "WED-BLUE", dt.date(2020, 11, 23), dt.date(2020, 11, 25)),
        ("trash", "WED-RED", dt.date(2020, 11, 23), dt.date(2020, 12, 2)),
        ("refuse", "MON-FRI", dt.date(2020, 11, 24), dt.date(2020, 11, 28)),
        ("refuse", "", dt.date(2020, 11, 24), None),
        ("trash", "WED", dt.date(2020, 11, 24), None),
    ],
)
def test_first_collection(kind: str, code: str, after: dt.date, first: dt.date | None) -> None:
    assert rules.first_collection_on(kind, code, after, CALENDAR) == first


def test_without_a_calendar_no_day_is_promised() -> None:
    assert rules.first_collection_on("refuse", "THU-RED", dt.date(2020, 11, 24), None) is None
