"""Pricing one JSON line as `portal bill quote` does."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.billing.rules.quote import bill_quote

FILE = Path(__file__).parents[1] / "data" / "tariffs" / "published_electric_2015.toml"
LINE: dict[str, Any] = {
    "tariff_file": str(FILE),
    "format": "pack",
    "from": "2015-04-29",
    "to": "2015-05-30",
    "quantities": {"kwh": 903},
}


def test_a_published_bill_from_a_file_and_from_the_line_itself() -> None:
    """Gainesville Regional Utilities, $133.74 (expydoc 4135883)."""
    answer = bill_quote(LINE)
    assert (answer["total_cents"], answer["problems"]) == (13374, [])
    assert answer["lines"][1] == {
        "code": "energy_t0",
        "text": "Energy, first 250 kWh",
        "quantity": "250",
        "price": "0.031",
        "amount_cents": 775,
    }
    inline = {key: value for key, value in LINE.items() if key != "tariff_file"}
    inline["tariff"] = json.loads(json.dumps(tomllib.loads(FILE.read_text(encoding="utf-8")), default=str))
    assert bill_quote(inline) == answer


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "urdb"}, "format"),
        ({"format": "owrs"}, "format"),
        ({"colour": "red"}, "colour"),
        ({"tariff": {}}, "tariff"),
    ],
)
def test_a_line_that_cannot_be_understood_is_an_error(change: dict[str, Any], field: str) -> None:
    assert bill_quote({**LINE, **change})["error"]["field"] == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from": "soon"}, "from"),
        ({"to": 7}, "to"),
        ({"quantities": {"cgal": 80}}, "quantities.cgal"),
        ({"quantities": 5}, "quantities"),
        ({"attributes": {"location": ["inside"]}}, "attributes.location"),
        ({"attributes": {"moon": "full"}}, "attributes.moon"),
        ({"tariff_file": "/nowhere/at/all.toml"}, "tariff_file"),
        ({"tariff_file": 5.5}, "tariff_file"),
        ({"tariff_file": "a\0b"}, "tariff_file"),
        ({"tariff_file": __file__}, "tariff_file"),
    ],
)
def test_what_cannot_be_priced_is_a_problem_without_lines(change: dict[str, Any], field: str) -> None:
    answer = bill_quote({**LINE, **change})
    assert (answer["lines"], answer["total_cents"]) == ([], None)
    assert field in [problem["field"] for problem in answer["problems"]]


@pytest.mark.parametrize("tariff", [None, [], {}, {"version": 5}])
def test_a_tariff_that_is_none_is_a_problem(tariff: object) -> None:
    line = {key: value for key, value in LINE.items() if key != "tariff_file"}
    answer = bill_quote({**line, "tariff": tariff})
    assert answer["lines"] == []
    assert answer["problems"]


def test_decimal_quantities_stay_exact() -> None:
    answer = bill_quote({**LINE, "quantities": {"kwh": Decimal("0.1")}})
    assert answer["lines"][1]["quantity"] == "0.1"
