"""Fees of the schedule: what a single act costs (connection, second trip, late payment), by effective-dated versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from portal.billing.rules.pack import PackTable
from portal.billing.rules.tariff import SERVICE_KINDS
from portal.shared.problem import Problem


@dataclass(frozen=True, slots=True)
class FeeVersion:
    """One amount, or one per service kind, or a percentage with a least amount; in cents and percent."""

    code: str
    effective_from: date
    source: str
    amount_cents: int | None = None
    amounts_cents: tuple[tuple[str, int], ...] = ()
    percent: Decimal | None = None
    least_cents: int = 0


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee with its versions, oldest first; ``text`` tells the caller what it is for."""

    code: str
    name: str
    text: str
    source: str
    versions: tuple[FeeVersion, ...]

    @classmethod
    def from_pack(cls, pack: Mapping[str, Any]) -> tuple[Fee | None, list[Problem]]:
        """Read a fee from its TOML table: (fee, []) or (None, every problem found)."""
        problems: list[Problem] = []
        table = PackTable(pack, "", problems)
        versions = sorted((_version(row) for row in table.tables("version")), key=lambda one: one.effective_from)
        fee = cls(table.text("code"), table.text("name"), table.text("text"), table.text("source"), tuple(versions))
        if len({version.effective_from for version in versions}) < len(versions):
            table.refuse("version", "has two versions with the same effective_from")
        table.close()
        return (None, problems) if problems else (fee, [])


def _version(table: PackTable) -> FeeVersion:
    kinds = [key for key in ("amount", "amounts", "percent") if key in table.table]
    if len(kinds) != 1:
        table.refuse("amount", "must be given once: amount, amounts by service kind, or percent")
    amounts = table.prices("amounts") if "amounts" in table.table else ()
    for name, amount in amounts:
        if name not in SERVICE_KINDS:
            table.refuse(f"amounts.{name}", f"is not a service kind; choose from: {', '.join(SERVICE_KINDS)}")
        elif amount * 100 % 1:
            table.refuse(f"amounts.{name}", "must be dollars and cents")
    version = FeeVersion(
        code=table.text("code"),
        effective_from=table.day("effective_from") or date.min,
        source=table.text("source"),
        amount_cents=table.cents("amount", required=False),
        amounts_cents=tuple((name, int(amount * 100)) for name, amount in amounts),
        percent=table.decimal("percent", places=4, required=False),
        least_cents=table.cents("least", required=False) or 0,
    )
    table.close()
    return version


def fee_cents(fee: Fee, on: date, *, service_kind: str | None = None, of_cents: int = 0) -> int | None:
    """The fee on that day: by service kind where the schedule says so, a percentage of ``of_cents`` where it does.

    None when the schedule has no such fee (before its first version, or not for that service kind).
    """
    version = None
    for one in fee.versions:
        if one.effective_from <= on:
            version = one
    if version is None:
        return None
    if version.amounts_cents:
        return dict(version.amounts_cents).get(service_kind or "")
    if version.percent is not None:
        share = int((version.percent * of_cents / 100).quantize(Decimal(1), ROUND_HALF_UP))
        return max(share, version.least_cents) if of_cents > 0 else 0
    return version.amount_cents
