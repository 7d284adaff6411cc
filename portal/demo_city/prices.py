"""The city's tariffs out of its reference rows, compiled by the billing rules, and bills by the bill code itself.

Most bills of one cycle and month repeat one another: the same days, class and whole quantity give the same lines. Each
different case is computed once by `compute_bill` and kept as a total with its stored lines and moves; nothing else makes an amount.
"""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from db import directory
from db.bulk import json_text
from portal.billing.rules.bill import CompiledTariff, compile_tariff, compute_bill
from portal.billing.rules.ledger import bill_moves
from portal.billing.rules.tariff import SERVICE_KINDS, Tariff

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from portal.billing.rules.bill import BillLine
    from portal.billing.rules.ledger import Move

Segment = tuple[int, str, "tuple[Move, ...]"]
"""Cents of one service, its lines as stored without the outer brackets, and what they move in the ledger."""

METERED_UNITS = {"electric": "kwh", "gas": "ccf", "water": "cgal", "sewer": "cgal"}


class NoPrices(Exception):
    """Why bills cannot be computed, in a sentence."""


def with_dates(value: Any) -> Any:
    """A reference row's detail with its ISO days as dates again, as the pack file says them."""
    if isinstance(value, dict):
        return {
            key: dt.date.fromisoformat(each)
            if key in ("effective_from", "effective_to") and isinstance(each, str)
            else with_dates(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [with_dates(each) for each in value]
    return value


def read_tariffs(session: Session, on: dt.date) -> dict[tuple[str, str], CompiledTariff]:
    """Tariffs by (service kind, customer class), with every version; a tariff without classes serves both."""
    found: dict[tuple[str, str], CompiledTariff] = {}
    for row in directory.reference(session, "tariff", on):
        tariff, problems = Tariff.from_pack(with_dates(_with_all_versions(session, row)))
        if tariff is None:
            raise NoPrices(f"The tariff {row.code} cannot be used: {problems[0].message}")
        compiled = compile_tariff(tariff)
        for customer_class in tariff.customer_classes or ("residential", "commercial"):
            found[tariff.service_kind, customer_class] = compiled
    return found


def _with_all_versions(session: Session, row: directory.ReferenceRow) -> dict[str, Any]:
    """A tariff as one table: a row holds all its versions (as the file does), or each row of it holds one."""
    if len(row.detail["version"]) > 1:
        return row.detail
    versions = {
        version["code"]: version
        for stored in directory.reference_versions(session, "tariff", row.code)
        for version in stored.detail["version"]
    }
    return {**row.detail, "version": list(versions.values())}


def stored_line(service_kind: str, line: BillLine) -> list[Any]:
    """A bill line as `bill.lines` holds it: service kind, item code, quantity and price as exact text, cents."""
    quantity = line.quantity
    return [
        service_kind,
        line.code,
        "" if quantity is None else f"{quantity:f}",
        _price_text(line.price),
        line.amount_cents,
    ]


@functools.lru_cache(4096)
def _price_text(price: Decimal) -> str:
    return f"{price.normalize():f}"


class Pricing:
    """Computes segments, each different one once. One `Pricing` per read cycle keeps the memory small."""

    def __init__(self, tariffs: Mapping[tuple[str, str], CompiledTariff], taxes: Mapping[str, str]) -> None:
        self.tariffs, self.taxes = tariffs, taxes
        self._kept: dict[tuple[Any, ...], Segment] = {}
        self.computed = 0

    def segment(
        self, service_kind: str, customer_class: str, inside: bool, from_day: int, to_day: int,
        quantity: int, container: str = "", pickups: int = 0,
    ) -> Segment:  # fmt: skip
        """One service's lines for [from_day, to_day); `quantity` in the meter's unit, ERUs or containers."""
        key = (service_kind, customer_class, inside, from_day, to_day, quantity, container, pickups)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._compute(*key)
        return found

    def _compute(
        self, service_kind: str, customer_class: str, inside: bool, from_day: int, to_day: int,
        quantity: int, container: str, pickups: int,
    ) -> Segment:  # fmt: skip
        tariff = self.tariffs.get((service_kind, customer_class))
        if tariff is None:
            raise NoPrices(f"There is no {customer_class} tariff for {service_kind}. Load a pack that has one.")
        name = METERED_UNITS.get(service_kind) or ("eru" if service_kind == "stormwater" else container)
        attributes: dict[str, Any] = {"customer_class": customer_class, "location": "inside" if inside else "outside"}
        if pickups:
            attributes["pickups_per_week"] = pickups
        quantities = {name: quantity} if name in tariff.quantity_names else {}
        bill = compute_bill(tariff, dt.date.fromordinal(from_day), dt.date.fromordinal(to_day), quantities, attributes)
        if bill.total_cents is None:
            raise NoPrices(bill.problems[0].message)
        self.computed += 1
        lines = [stored_line(service_kind, line) for line in bill.lines]
        return bill.total_cents, json_text(lines)[1:-1], bill_moves(lines, self.taxes)


ORDER = SERVICE_KINDS
