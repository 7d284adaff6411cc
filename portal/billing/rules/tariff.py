"""A tariff: what one service costs, by effective-dated versions of ordered price items.

Prices, fees and limits are a city's, so they live in packs; here is only their shape. Row order is the order of
the bill, and a percentage sees only the rows above it: a tax on a fee is a fee written before the tax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from portal.billing.rules.pack import QUANTITY_PLACES, PackTable
from portal.shared.problem import Problem

SERVICE_KINDS = ("electric", "gas", "water", "sewer", "stormwater", "refuse", "recycling", "trash")
LOCATIONS = ("inside", "outside")

# How a charge per month follows the days billed.
PRORATE_MODES = (
    "whole",  # one charge per bill, however long the period
    "per_30_days",  # days / 30
    "per_cycle",  # days / days of the cycle's full period
    "outside_normal",  # one charge when the days are in the version's normal_days, else days / 30
)
# What happens when prices change inside the period: share by days, or bill the item once at the first or last price.
ON_CHANGE = ("split", "start", "end")
BLOCK_RULES = ("marginal",)

_KIND_KEYS: Mapping[str, frozenset[str]] = {
    "fixed": frozenset({"price", "prorate"}),
    "per_meter_size": frozenset({"prices", "prorate"}),
    "flat": frozenset({"quantity", "unit", "price", "cap"}),
    "block": frozenset({"quantity", "unit", "block", "block_rule", "block_days", "cap"}),
    "per_eru": frozenset({"quantity", "unit", "price", "prorate"}),
    "per_container": frozenset({"prices", "prorate", "times_pickups"}),
    "minimum": frozenset({"price", "prorate", "of"}),
    "percent": frozenset({"percent", "of"}),
    "index_tax": frozenset({"quantity", "unit", "price", "percent"}),
}
KINDS = tuple(_KIND_KEYS)


@dataclass(frozen=True, slots=True)
class Block:
    """One step of a block price: ``price`` per unit up to the cumulative quantity ``up_to``; None = all the rest."""

    up_to: Decimal | None
    price: Decimal


@dataclass(frozen=True, slots=True)
class PriceItem:
    """One row of a tariff sheet.

    ``price`` is dollars per unit, per month or, for an index tax, the index price; ``percent`` is in percent.
    ``of`` names the tags whose lines above are added up for a percentage or a minimum. An empty class, location or
    month list means all of them.
    """

    code: str
    text: str
    kind: str
    quantity: str = ""
    unit: str = ""
    price: Decimal = Decimal(0)
    prices: tuple[tuple[str, Decimal], ...] = ()
    blocks: tuple[Block, ...] = ()
    block_days: int | None = None
    cap: Decimal | None = None
    percent: Decimal = Decimal(0)
    of: tuple[str, ...] = ()
    times_pickups: bool = False
    prorate: str = "whole"
    on_change: str = "split"
    tags: tuple[str, ...] = ()
    customer_classes: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    months: tuple[int, ...] = ()
    gl_code: str = ""
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A billed quantity made from a measured one, such as therms from ccf by the month's pressure and heat factors.

    ``factors`` name attributes that come with each bill; ``decimals`` None leaves the result unrounded (to a
    millionth).
    """

    code: str
    from_quantity: str
    times: Decimal = Decimal(1)
    factors: tuple[str, ...] = ()
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """The prices in force from ``effective_from`` until the next version, or before ``effective_to`` when given."""

    code: str
    effective_from: date
    effective_to: date | None
    source: str
    approved_by: str
    items: tuple[PriceItem, ...]
    normal_days: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """One rate plan of one service kind with all its versions, oldest first."""

    code: str
    name: str
    service_kind: str
    versions: tuple[TariffVersion, ...]
    customer_classes: tuple[str, ...] = ()
    conversions: tuple[Conversion, ...] = field(default=())
    source: str = ""

    @classmethod
    def from_pack(cls, pack: Mapping[str, Any]) -> tuple[Tariff | None, list[Problem]]:
        """Read a tariff from its TOML table: (tariff, []) or (None, every problem found)."""
        problems: list[Problem] = []
        table = PackTable(pack, "", problems)
        tariff = cls(
            code=table.text("code"),
            name=table.text("name"),
            service_kind=table.choice("service_kind", SERVICE_KINDS),
            customer_classes=table.texts("customer_classes"),
            source=table.text("source"),
            conversions=tuple(_conversion(row) for row in table.tables("convert", required=False)),
            versions=_versions(table),
        )
        table.close()
        problems.extend(_cross_problems(tariff))
        return (None, problems) if problems else (tariff, [])

    def version_on(self, day: date) -> TariffVersion | None:
        """The version whose prices are in force on that day, or None when there is none."""
        found = None
        for version in self.versions:
            if version.effective_from <= day:
                found = version
        if found is not None and found.effective_to is not None and day >= found.effective_to:
            return None
        return found


def _conversion(table: PackTable) -> Conversion:
    times = table.decimal("times", places=QUANTITY_PLACES, required=False)
    conversion = Conversion(
        code=table.text("code"),
        from_quantity=table.text("from"),
        times=Decimal(1) if times is None else times,
        factors=table.texts("factors"),
        decimals=table.whole("decimals", high=QUANTITY_PLACES, required=False),
    )
    table.close()
    return conversion


def _versions(tariff: PackTable) -> tuple[TariffVersion, ...]:
    versions = []
    for table in tariff.tables("version"):
        normal = table.wholes("normal_days", low=1, high=400)
        if normal and (len(normal) != 2 or normal[0] > normal[1]):
            table.refuse("normal_days", "must be the shortest and the longest normal number of days, such as [25, 35]")
        version = TariffVersion(
            code=table.text("code"),
            effective_from=table.day("effective_from") or date.min,
            effective_to=table.day("effective_to", required=False),
            source=table.text("source"),
            approved_by=table.text("approved_by", default=""),
            normal_days=(normal[0], normal[-1]) if normal else None,
            items=tuple(_item(row) for row in table.tables("item")),
        )
        table.close()
        for item in version.items:
            if item.prorate == "outside_normal" and version.normal_days is None:
                table.refuse("normal_days", f'is missing; item "{item.code}" is prorated outside the normal days')
        versions.append(version)
    return tuple(sorted(versions, key=lambda one: one.effective_from))


def _item(table: PackTable) -> PriceItem:
    kind = table.choice("kind", KINDS)
    allowed = _KIND_KEYS.get(kind, frozenset())
    for key in table.table:
        if kind and key not in allowed and key in frozenset().union(*_KIND_KEYS.values()):
            table.refuse(key, f'does not belong to an item of kind "{kind}"')
            table.read_keys.add(key)
    months = table.wholes("months", low=1, high=12)
    on_change = table.choice("on_change", ON_CHANGE, default="split")
    if months and on_change != "split":
        table.refuse("on_change", "must be split for an item with months, since a season also divides the period")
    quantity = _quantity(table, kind)
    item = PriceItem(
        code=table.text("code"),
        text=table.text("text"),
        kind=kind,
        quantity=quantity,
        unit=table.text("unit", default=quantity) if "unit" in allowed else "",
        price=_price(table, kind) if "price" in allowed else Decimal(0),
        prices=table.prices("prices") if "prices" in allowed else (),
        blocks=_blocks(table) if kind == "block" else (),
        block_days=table.whole("block_days", low=1, high=400, required=False) if kind == "block" else None,
        cap=table.decimal("cap", places=QUANTITY_PLACES, required=False) if "cap" in allowed else None,
        percent=(table.decimal("percent") or Decimal(0)) if "percent" in allowed else Decimal(0),
        of=table.texts("of") if "of" in allowed else (),
        times_pickups=table.truth("times_pickups") if "times_pickups" in allowed else False,
        prorate=table.choice("prorate", PRORATE_MODES, default="whole") if "prorate" in allowed else "whole",
        on_change=on_change,
        tags=table.texts("tags"),
        customer_classes=table.texts("customer_classes"),
        locations=table.texts("locations", LOCATIONS),
        months=months,
        gl_code=table.text("gl_code", default=""),
        source=table.text("source", default=""),
        note=table.text("note", default=""),
    )
    if "of" in allowed and not item.of:
        table.refuse("of", "is missing; name the tags whose lines are added up")
    table.close()
    return item


def _quantity(table: PackTable, kind: str) -> str:
    if "quantity" not in _KIND_KEYS.get(kind, ()):
        return ""
    return table.text("quantity", default="eru") if kind == "per_eru" else table.text("quantity")


def _price(table: PackTable, kind: str) -> Decimal:
    # Only a plain charge may be a credit: a fuel rider below its base, or a rebate per month.
    return table.decimal("price", negative=kind in ("fixed", "flat")) or Decimal(0)


def _blocks(table: PackTable) -> tuple[Block, ...]:
    # Marginal or whole-volume must be said, since "over 1,000 at 5.66" is read both ways in real tariff sheets.
    table.choice("block_rule", BLOCK_RULES)
    blocks = []
    for row in table.tables("block", name_key="up_to"):
        up_to = row.decimal("up_to", places=QUANTITY_PLACES, required=False)
        blocks.append(Block(up_to=up_to, price=row.decimal("price") or Decimal(0)))
        row.close()
    limits = [block.up_to for block in blocks]
    if blocks and (limits[-1] is not None or None in limits[:-1]):
        table.refuse("block", "must end with one block without up_to, for all further use")
    numbers = [limit for limit in limits if limit is not None]
    if any(b <= a for a, b in zip([Decimal(0), *numbers], numbers, strict=False)):
        table.refuse("block", "must have rising up_to limits above 0")
    return tuple(blocks)


def _cross_problems(tariff: Tariff) -> list[Problem]:
    problems = []

    def refuse(name: str, sentence: str) -> None:
        problems.append(Problem(name, f"{name} {sentence}."))

    derived = {conversion.code for conversion in tariff.conversions}
    for conversion in tariff.conversions:
        if conversion.from_quantity in derived:
            refuse(f"convert[{conversion.code}].from", "must be a measured quantity, not another converted one")
    for earlier, later in zip(tariff.versions, tariff.versions[1:], strict=False):
        if earlier.effective_from == later.effective_from:
            refuse(f"version[{later.code}].effective_from", f'is also the first day of version "{earlier.code}"')
        if earlier.effective_to is not None and earlier.effective_to > later.effective_from:
            refuse(f"version[{earlier.code}].effective_to", f'overlaps version "{later.code}"')
    if len({version.code for version in tariff.versions}) < len(tariff.versions):
        refuse("version", "codes must differ from each other")
    on_change: dict[str, str] = {}
    for version in tariff.versions:
        path = f"version[{version.code}]"
        if version.effective_to is not None and version.effective_to <= version.effective_from:
            refuse(f"{path}.effective_to", "must be after effective_from")
        if len({item.code for item in version.items}) < len(version.items):
            refuse(f"{path}.item", "codes must differ from each other")
        above: set[str] = set()
        for item in version.items:
            # "start" in one version and "end" in the next would bill the item twice, or never.
            if on_change.setdefault(item.code, item.on_change) != item.on_change:
                refuse(f"{path}.item[{item.code}].on_change", "must be the same in every version")
            for tag in item.of:
                if tag not in above:
                    refuse(f"{path}.item[{item.code}].of", f'names the tag "{tag}", which no row above carries')
            above.update(item.tags)
    return problems
