"""Pricing one JSON line: the answer of `portal bill quote`. No database, no settings, no network."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from portal.billing.rules.bill import CompiledTariff, compile_tariff, compute_bill
from portal.billing.rules.tariff import Tariff
from portal.shared.problem import Problem

FORMATS = ("pack",)
_KEYS = frozenset({"tariff", "tariff_file", "format", "from", "to", "quantities", "attributes"})


def bill_quote(line: Mapping[str, Any]) -> dict[str, Any]:
    """The bill of one line, or why there is none.

    ``{"lines": [...], "total_cents", "problems"}``; a line that cannot be understood at all answers
    ``{"error": {"field", "message"}}``. Prices and quantities are texts; a line without a quantity (a monthly charge,
    a percentage) has null there.
    """
    error = _line_error(line)
    if error is not None:
        return {"error": {"field": error.field, "message": error.message}}
    tariff, problems = _tariff(line)
    days = {}
    for name in ("from", "to"):
        try:
            days[name] = date.fromisoformat(line[name])
        except (TypeError, ValueError):
            problems.append(Problem(name, f'{name} must be a date such as "2025-10-01".'))
    quantities, attributes = line.get("quantities", {}), line.get("attributes", {})
    for name, given in (("quantities", quantities), ("attributes", attributes)):
        if not isinstance(given, Mapping):
            problems.append(Problem(name, f"{name} must be an object."))
        elif name == "attributes":
            problems.extend(
                Problem(f"attributes.{key}", f"{key} must be a text or a number.")
                for key, value in given.items()
                if not isinstance(value, (str, int, Decimal))
            )
    if problems or tariff is None:
        return _answer((), None, problems)
    bill = compute_bill(tariff, days["from"], days["to"], quantities, attributes)
    rows = [
        {
            "code": one.code,
            "text": one.text,
            "quantity": None if one.quantity is None else f"{one.quantity:f}",
            "price": f"{one.price:f}",
            "amount_cents": one.amount_cents,
        }
        for one in bill.lines
    ]
    return _answer(rows, bill.total_cents, bill.problems)


def _answer(rows: Iterable[Mapping[str, Any]], total_cents: int | None, problems: Iterable[Problem]) -> dict[str, Any]:
    said = [{"field": problem.field, "message": problem.message} for problem in problems]
    return {"lines": list(rows), "total_cents": total_cents, "problems": said}


def _line_error(line: object) -> Problem | None:
    if not isinstance(line, Mapping):
        return Problem("line", "The line must be a JSON object.")
    for key in line:
        if key not in _KEYS:
            return Problem(str(key), f"{key} is not known here; remove it or check the spelling.")
    for key in ("format", "from", "to"):
        if key not in line:
            return Problem(key, f"{key} is missing.")
    if line["format"] not in FORMATS:
        return Problem("format", f'The format {line["format"]!r} is not supported; write "pack".')
    if ("tariff" in line) == ("tariff_file" in line):
        return Problem("tariff", "Give either tariff or tariff_file.")
    return None


def _tariff(line: Mapping[str, Any]) -> tuple[CompiledTariff | None, list[Problem]]:
    if "tariff" in line:
        return _compiled(line["tariff"])
    path = line["tariff_file"]
    try:
        pack = _read(str(path), Path(path).stat().st_mtime_ns)
    except (OSError, TypeError, ValueError) as reason:
        return None, [Problem("tariff_file", f"The file {path!r} cannot be read as a TOML tariff: {reason}.")]
    compiled, problems = pack
    return compiled, list(problems)


@lru_cache(maxsize=64)
def _read(path: str, changed: int) -> tuple[CompiledTariff | None, tuple[Problem, ...]]:
    """One file's tariff; `changed` makes an edited file a new one."""
    compiled, problems = _compiled(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    return compiled, tuple(problems)


def _compiled(pack: Any) -> tuple[CompiledTariff | None, list[Problem]]:
    tariff, problems = Tariff.from_pack(pack)
    problems = [
        Problem("tariff" if one.field == "the file" else f"tariff.{one.field}", one.message) for one in problems
    ]
    return (None if tariff is None else compile_tariff(tariff)), problems
