"""Tariffs and fees as packs: what loads, what is refused and why, and that both cities' folders have one shape."""

from __future__ import annotations

import copy
import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from portal.billing.rules.dates import CycleCalendar
from portal.billing.rules.deposit import DepositPolicy
from portal.billing.rules.fee import Fee, fee_cents
from portal.billing.rules.tariff import SERVICE_KINDS, Tariff

PACKS = Path(__file__).parents[2] / "db" / "packs"
CITIES = ("base", "tallahassee")
READERS = {"tariff": Tariff, "fee": Fee, "deposit": DepositPolicy, "cycle": CycleCalendar}


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def files(city: str, kind: str) -> list[Path]:
    return sorted((PACKS / city / kind).glob("*.toml"))


ALL_FILES = [(kind, path) for city in CITIES for kind in READERS for path in files(city, kind)]


@pytest.mark.parametrize(("kind", "path"), ALL_FILES, ids=[f"{p.parts[-3]}-{p.stem}" for _, p in ALL_FILES])
def test_every_pack_file_loads_and_is_named_by_its_code(kind: str, path: Path) -> None:
    loaded, problems = READERS[kind].from_pack(read(path))
    assert problems == []
    assert loaded is not None
    assert loaded.code == path.stem


@pytest.mark.parametrize("city", CITIES)
def test_every_service_kind_has_prices_for_houses_and_businesses(city: str) -> None:
    covered = set()
    for path in files(city, "tariff"):
        tariff, _ = Tariff.from_pack(read(path))
        assert tariff is not None
        covered.update((tariff.service_kind, one) for one in tariff.customer_classes or ("residential", "commercial"))
    assert covered == {(kind, one) for kind in SERVICE_KINDS for one in ("residential", "commercial")}


@pytest.mark.parametrize("city", CITIES)
def test_prices_change_only_on_oct_1_and_apr_1_and_changed_at_least_once(city: str) -> None:
    for path in files(city, "tariff"):
        versions = read(path)["version"]
        assert len(versions) >= 2, path
        assert all((day.month, day.day) in {(10, 1), (4, 1)} for day in (one["effective_from"] for one in versions))


@pytest.mark.parametrize("city", CITIES)
def test_every_version_says_where_its_prices_come_from(city: str) -> None:
    for kind in ("tariff", "fee"):
        for path in files(city, kind):
            for version in read(path)["version"]:
                sample = version["source"] == "sample value, confirm with the city"
                assert sample or "used here as a sample" in version["source"] or "2019" in version["source"], path


def test_a_city_prices_all_that_the_base_does_and_words_its_policies_in_the_same_shape() -> None:
    def shape(city: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for kind in (*READERS, "policy"):
            for path in files(city, kind):
                pack = read(path)
                items = [
                    sorted((item["code"], item["kind"]) for item in version.get("item", ()))
                    for version in pack.get("version", ())
                ]
                found[f"{kind}/{path.stem}"] = (sorted(pack), items)
        return found

    base, other = (shape(city) for city in CITIES)
    # A policy the city says nothing of is the base pack's.
    own = {name: each for name, each in base.items() if name in other or not name.startswith("policy/")}
    assert own == other


@pytest.mark.parametrize("city", CITIES)
def test_every_policy_has_a_text_to_read_out_and_a_citation(city: str) -> None:
    for path in files(city, "policy"):
        policy = read(path)
        assert policy["code"] == path.stem
        assert isinstance(policy["effective_from"], date)
        assert policy["text"].endswith(".")
        assert policy["citation"]
        assert policy["source"]
        # Who may override must also say why.
        assert policy["override_needs_reason"] == bool(policy["override_role"])
    assert read(PACKS / city / "policy" / "former_occupant_debt.toml")["citation"] == "F.S. 180.135"


def test_dates_as_text_read_the_same_as_dates() -> None:
    """A stored row is JSON, where a date is ISO text."""
    pack = read(PACKS / "tallahassee" / "tariff" / "electric_residential.toml")
    assert Tariff.from_pack(json.loads(json.dumps(pack, default=date.isoformat))) == Tariff.from_pack(pack)


SMALL: dict[str, Any] = {
    "code": "small",
    "name": "Small tariff",
    "service_kind": "water",
    "source": "made up for this test",
    "version": [
        {
            "code": "a",
            "effective_from": date(2024, 10, 1),
            "source": "made up",
            "item": [
                {"code": "customer", "text": "Customer charge", "kind": "fixed", "price": "5.00", "tags": ["base"]},
                {
                    "code": "use",
                    "text": "Water",
                    "kind": "block",
                    "block_rule": "marginal",
                    "quantity": "cgal",
                    "block": [{"up_to": 50, "price": "0.1"}, {"price": "0.2"}],
                    "tags": ["base"],
                },
                {"code": "tax", "text": "Tax", "kind": "percent", "percent": "10", "of": ["base"]},
            ],
        }
    ],
}


def changed(place: str, value: object) -> dict[str, Any]:
    """SMALL with one value set; None takes the key out. Places: key, v.key or item number.key."""
    pack = copy.deepcopy(SMALL)
    where, _, key = place.rpartition(".")
    target = pack if not where else pack["version"][0] if where == "v" else pack["version"][0]["item"][int(where)]
    if value is None:
        del target[key]
    else:
        target[key] = value
    return pack


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        ("name", None, "name"),
        ("name", "  ", "name"),
        ("service_kind", "steam", "service_kind"),
        ("nmae", "Small", "nmae"),
        ("version", [], "version"),
        ("version", "soon", "version"),
        ("v.effective_from", "Oct 1, 2024", "version[a].effective_from"),
        ("v.effective_to", date(2024, 10, 1), "version[a].effective_to"),
        ("v.normal_days", [35, 25], "version[a].normal_days"),
        ("v.item", None, "version[a].item"),
        ("0.price", 5.0, "version[a].item[customer].price"),
        ("0.price", "five", "version[a].item[customer].price"),
        ("0.price", "NaN", "version[a].item[customer].price"),
        ("0.price", "1e999999", "version[a].item[customer].price"),
        ("0.price", "0.000000001", "version[a].item[customer].price"),
        ("0.price", True, "version[a].item[customer].price"),
        ("0.kind", "tou", "version[a].item[customer].kind"),
        ("0.prorate", "weekly", "version[a].item[customer].prorate"),
        ("0.prorate", "outside_normal", "version[a].normal_days"),
        ("0.block", [{"price": "1"}], "version[a].item[customer].block"),
        ("0.locations", ["moon"], "version[a].item[customer].locations"),
        ("0.months", [0, 13], "version[a].item[customer].months"),
        ("0.code", "use", "version[a].item"),
        ("1.block_rule", "whole_volume", "version[a].item[use].block_rule"),
        ("1.block_rule", None, "version[a].item[use].block_rule"),
        ("1.block", [{"up_to": 50, "price": "0.1"}], "version[a].item[use].block"),
        ("1.block", [{"up_to": 50, "price": "0.1"}, {"up_to": 40, "price": "1"}, {"price": "2"}],
         "version[a].item[use].block"),
        ("1.block", [{"price": "-0.1"}], "version[a].item[use].block[1].price"),
        ("1.quantity", None, "version[a].item[use].quantity"),
        ("2.of", ["fuel"], "version[a].item[tax].of"),
        ("2.of", None, "version[a].item[tax].of"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_tariff_is_refused_by_its_field(place: str, value: object, field: str) -> None:
    tariff, problems = Tariff.from_pack(changed(place, value))
    assert tariff is None
    assert field in [problem.field for problem in problems]
    assert all(problem.message.endswith(".") and problem.field in problem.message for problem in problems)


def test_all_mistakes_are_named_at_once() -> None:
    pack = changed("0.price", "five")
    pack["version"][0]["item"][2]["percent"] = "ten"
    del pack["source"]
    _, problems = Tariff.from_pack(pack)
    assert [problem.field for problem in problems] == [
        "source",
        "version[a].item[customer].price",
        "version[a].item[tax].percent",
    ]


def test_two_versions_may_not_start_on_one_day_nor_overlap() -> None:
    pack = copy.deepcopy(SMALL)
    pack["version"].append({**pack["version"][0], "code": "b"})
    assert "is also the first day" in Tariff.from_pack(pack)[1][0].message
    pack["version"][1]["effective_from"] = date(2025, 10, 1)
    pack["version"][0]["effective_to"] = date(2025, 11, 1)
    assert "overlaps" in Tariff.from_pack(pack)[1][0].message


def test_anything_at_all_is_read_without_a_traceback() -> None:
    for pack in ({}, {"version": [1]}, {"version": [{"item": ["x"]}]}, {"version": [{"item": [{"kind": []}]}]}):
        tariff, problems = Tariff.from_pack(pack)
        assert tariff is None
        assert problems


def test_the_version_in_force_is_the_last_one_begun() -> None:
    pack = copy.deepcopy(SMALL)
    pack["version"][0]["effective_to"] = date(2025, 10, 1)
    tariff, _ = Tariff.from_pack(pack)
    assert tariff is not None
    assert tariff.version_on(date(2024, 9, 30)) is None
    assert tariff.version_on(date(2024, 10, 1)) is tariff.versions[0]
    assert tariff.version_on(date(2025, 10, 1)) is None


def fee(pack: dict[str, Any]) -> Fee:
    found, problems = Fee.from_pack(pack)
    assert problems == []
    assert found is not None
    return found


def fee_pack(**version: Any) -> dict[str, Any]:
    first = {"code": "a", "effective_from": date(2024, 10, 1), "source": "made up", **version}
    return {"code": "f", "name": "Fee", "text": "For the test", "source": "made up", "version": [first]}


def test_a_fee_is_the_version_in_force_by_service_kind_or_by_percent() -> None:
    flat = fee(fee_pack(amount="12.50"))
    assert fee_cents(flat, date(2024, 9, 30)) is None
    assert fee_cents(flat, date(2024, 10, 1)) == 1250
    by_kind = fee(fee_pack(amounts={"gas": "40.00"}))
    assert fee_cents(by_kind, date(2025, 1, 1), service_kind="gas") == 4000
    assert fee_cents(by_kind, date(2025, 1, 1), service_kind="water") is None
    late = fee(fee_pack(percent="1.5", least="5.00"))
    assert fee_cents(late, date(2025, 1, 1), of_cents=100_00) == 500
    assert fee_cents(late, date(2025, 1, 1), of_cents=1000_33) == 1500
    assert fee_cents(late, date(2025, 1, 1), of_cents=0) == 0


@pytest.mark.parametrize(
    "version", [{}, {"amount": "1", "percent": "2"}, {"amount": "1.005"}, {"amounts": {"steam": "1"}}]
)
def test_a_mistake_in_a_fee_is_refused(version: dict[str, Any]) -> None:
    assert Fee.from_pack(fee_pack(**version))[1]
