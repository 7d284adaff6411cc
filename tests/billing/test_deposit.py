"""Deposits by rule, each with the reason a representative gives."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.billing.rules.deposit import ApplicantRecord, DepositDecision, DepositPolicy, deposit_for
from portal.billing.rules.tariff import SERVICE_KINDS

PACKS = Path(__file__).parents[2] / "db" / "packs"


def policy_of(*rows: dict[str, Any]) -> DepositPolicy:
    pack = {"code": "p", "name": "Policy", "effective_from": date(2024, 1, 1), "source": "made up", "row": list(rows)}
    policy, problems = DepositPolicy.from_pack(pack)
    assert problems == []
    assert policy is not None
    return policy


POLICY = policy_of(
    {"code": "none", "rule": "flat", "service_kinds": ["stormwater"], "amount": "0.00"},
    {"code": "record", "rule": "waived_on_record", "months": 24},
    {"code": "bond", "rule": "guarantee", "accepts": ["surety_bond"], "customer_classes": ["commercial"]},
    {"code": "own", "rule": "own_average", "months": 12, "times": "2", "round_to": "5.00"},
    {"code": "address", "rule": "premise_history", "months": 6, "times": "2", "least": "50.00", "most": "300.00"},
    {"code": "home", "rule": "flat", "service_kinds": ["electric"], "customer_classes": ["residential"],
     "amount": "200.00"},
    {"code": "shop", "rule": "flat", "service_kinds": ["electric"], "customer_classes": ["commercial"],
     "amount": "500.00"},
)  # fmt: skip


def decide(
    kinds: tuple[str, ...] = ("electric",), customer_class: str = "residential", **record: Any
) -> DepositDecision:
    return deposit_for(POLICY, kinds, ApplicantRecord(customer_class, **record))


@pytest.mark.parametrize(
    ("record", "row", "cents", "words"),
    [
        ({}, "home", 20000, "the set amount for residential service"),
        ({"customer_class": "commercial"}, "shop", 50000, "the set amount for commercial service"),
        ({"on_time_months": 24}, "record", 0, "the last 24 months were paid on time"),
        ({"on_time_months": 23}, "home", 20000, "$200.00 for electric"),
        ({"customer_class": "commercial", "guarantee": "surety_bond"}, "bond", 0, "a surety bond is accepted"),
        ({"guarantee": "surety_bond"}, "home", 20000, "the set amount"),
        # Twice the average monthly bill, F.A.C. 25-6.097: 2 x 101.23 = 202.46, to the nearest 5.
        ({"own_months": 12, "own_average_cents": {"electric": 10123}}, "own", 20000, "2 times your own average"),
        ({"own_months": 11, "own_average_cents": {"electric": 10123}}, "home", 20000, "the set amount"),
        ({"premise_months": 6, "premise_average_cents": {"electric": 9001}}, "address", 18002, "at this address, $90.01"),
        ({"premise_months": 6, "premise_average_cents": {"electric": 900}}, "address", 5000, "raised to the least"),
        ({"premise_months": 6, "premise_average_cents": {"electric": 90000}}, "address", 30000, "held to the most"),
    ],
)  # fmt: skip
def test_the_first_row_that_applies_decides_and_says_why(
    record: dict[str, Any], row: str, cents: int, words: str
) -> None:
    decision = decide(**record)
    (line,) = decision.lines
    assert (line.row_code, line.amount_cents, decision.total_cents) == (row, cents, cents)
    assert words in line.reason
    assert line.reason.endswith(".")


def test_each_service_kind_has_its_own_line_and_the_total_is_their_sum() -> None:
    decision = decide(("stormwater", "electric"))
    assert [(line.service_kind, line.amount_cents) for line in decision.lines] == [
        ("stormwater", 0),
        ("electric", 20000),
    ]
    assert decision.lines[0].reason == "No deposit is asked for stormwater."
    assert decision.total_cents == 20000


def test_a_kind_without_a_row_is_a_problem_never_zero() -> None:
    decision = decide(("electric", "gas"))
    assert decision.lines == ()
    assert decision.total_cents is None
    assert "no row for gas" in decision.problems[0].message


@pytest.mark.parametrize("city", ["base", "tallahassee"])
@pytest.mark.parametrize("customer_class", ["residential", "commercial"])
def test_the_packs_decide_for_every_kind_and_class(city: str, customer_class: str) -> None:
    policy, _ = DepositPolicy.from_pack(tomllib.loads((PACKS / city / "deposit" / "utility.toml").read_text("utf-8")))
    assert policy is not None
    decision = deposit_for(policy, SERVICE_KINDS, ApplicantRecord(customer_class))
    assert decision.problems == ()
    assert len(decision.lines) == len(SERVICE_KINDS)
    waived = deposit_for(policy, SERVICE_KINDS, ApplicantRecord(customer_class, on_time_months=24))
    assert waived.total_cents == 0


@pytest.mark.parametrize(
    "row",
    [
        {"code": "x", "rule": "guess"},
        {"code": "x", "rule": "flat"},
        {"code": "x", "rule": "flat", "amount": "1.005"},
        {"code": "x", "rule": "flat", "amount": "5.00", "months": 3},
        {"code": "x", "rule": "premise_history", "months": 6, "times": "2", "least": "9.00", "most": "8.00"},
        {"code": "x", "rule": "guarantee", "accepts": ["handshake"]},
    ],
)
def test_a_mistake_in_a_row_is_refused(row: dict[str, Any]) -> None:
    pack = {"code": "p", "name": "P", "effective_from": date(2024, 1, 1), "source": "made up", "row": [row]}
    policy, problems = DepositPolicy.from_pack(pack)
    assert policy is None
    assert all(problem.field.startswith("row[x]") for problem in problems)


@given(st.integers(0, 1_000_000), st.integers(0, 60), st.integers(0, 60))
def test_a_deposit_is_never_negative_nor_above_its_limit(average: int, own: int, premise: int) -> None:
    averages = {"electric": average}
    decision = decide(
        own_months=own, own_average_cents=averages, premise_months=premise, premise_average_cents=averages
    )
    (line,) = decision.lines
    assert line.amount_cents >= 0
    if line.row_code == "address":
        assert 5000 <= line.amount_cents <= 30000
    if line.row_code == "own":
        assert abs(line.amount_cents - 2 * average) <= 250
