"""Reading one pack table: every value checked, every mistake a sentence that names the field.

A pack is TOML written by people. A reader collects all problems of a file at once, so the person who edits it
sees everything there is to correct, not only the first thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from portal.shared.problem import Problem

# Exactness of what a pack may say: prices to a millionth of a cent, quantities to a millionth of a unit.
PRICE_PLACES = 8
QUANTITY_PLACES = 6
LARGEST = Decimal(10) ** 9


class PackTable:
    """One TOML table being read; ``path`` is how its fields are named in problems."""

    def __init__(self, table: object, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        self.read_keys: set[str] = set()
        if isinstance(table, Mapping):
            self.table: Mapping[str, Any] = table
        else:
            self.table = {}
            self.refuse("", "must be a table of settings")

    def field(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def refuse(self, key: str, sentence: str) -> None:
        """Add a problem; the sentence follows the field's name."""
        name = self.field(key) or "the file"
        self.problems.append(Problem(name, f"{name} {sentence}."))

    def take(self, key: str) -> Any:
        self.read_keys.add(key)
        return self.table.get(key)

    def text(self, key: str, *, default: str | None = None) -> str:
        """A non-empty text; required unless a default is given."""
        value = self.take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            self.refuse(key, "is missing or empty; write a text in quotes")
            return default or ""
        return value

    def choice(self, key: str, choices: Sequence[str], *, default: str | None = None) -> str:
        value = self.text(key, default=default)
        if value and value not in choices:
            self.refuse(key, f'is "{value}", which is not supported; choose one of: {", ".join(choices)}')
            return default or ""
        return value

    def texts(self, key: str, choices: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of texts, empty when absent."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self.refuse(key, "must be a list of texts in quotes")
            return ()
        for one in value:
            if choices is not None and one not in choices:
                self.refuse(key, f'holds "{one}", which is not supported; choose from: {", ".join(choices)}')
        return tuple(value)

    def whole(
        self, key: str, *, default: int | None = None, low: int = 0, high: int = 100_000, required: bool = True
    ) -> int | None:
        value = self.take(key)
        if value is None and (default is not None or not required):
            return default
        if type(value) is not int or not low <= value <= high:
            self.refuse(key, f"must be a whole number from {low} to {high}")
            return default
        return value

    def wholes(self, key: str, *, low: int, high: int) -> tuple[int, ...]:
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(type(one) is int and low <= one <= high for one in value):
            self.refuse(key, f"must be a list of whole numbers from {low} to {high}")
            return ()
        return tuple(value)

    def truth(self, key: str) -> bool:
        value = self.take(key)
        if value is None:
            return False
        if not isinstance(value, bool):
            self.refuse(key, "must be true or false")
            return False
        return value

    def day(self, key: str, *, required: bool = True) -> date | None:
        """A civil date, as TOML has it or as ISO text, which is how it comes back from a stored row."""
        value = self.take(key)
        if value is None and not required:
            return None
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                value = None
        if not isinstance(value, date) or isinstance(value, datetime):
            self.refuse(key, "must be a date such as 2025-10-01")
            return None
        return value

    def decimal(
        self, key: str, *, places: int = PRICE_PLACES, required: bool = True, negative: bool = False
    ) -> Decimal | None:
        """An exact number. Text in quotes or a whole number; a bare 0.1 is refused, since it is not exact."""
        value = self.take(key)
        if value is None and not required:
            return None
        return self.exact(key, value, places, negative)

    def exact(self, key: str, value: object, places: int, negative: bool) -> Decimal | None:
        number = exact_decimal(value)
        if number is None:
            self.refuse(key, 'must be a number in quotes, for example "0.10130"')
        elif not negative and number < 0:
            self.refuse(key, "must not be negative")
            return None
        elif abs(number) >= LARGEST or round(number, places) != number:
            self.refuse(key, f"must be below {LARGEST:,} and have at most {places} decimal places")
            return None
        return number

    def prices(self, key: str) -> tuple[tuple[str, Decimal], ...]:
        """A table from a name to a price, such as prices by meter size."""
        value = self.take(key)
        if not isinstance(value, Mapping) or not value:
            self.refuse(key, "must be a table from a name to a price")
            return ()
        found = [(str(name), self.exact(f"{key}.{name}", price, PRICE_PLACES, False)) for name, price in value.items()]
        return tuple((name, price) for name, price in found if price is not None)

    def cents(self, key: str, *, required: bool = True) -> int | None:
        """Dollars and cents as integer cents."""
        number = self.decimal(key, places=2, required=required)
        return None if number is None else int(number * 100)

    def tables(self, key: str, name_key: str = "code", *, required: bool = True) -> list[PackTable]:
        """The rows of ``[[key]]``; each is named in problems by its own code, else by its place."""
        value = self.take(key)
        if value is None and not required:
            return []
        if not isinstance(value, list) or not value:
            self.refuse(key, f"is missing; write at least one [[{key}]]")
            return []
        rows = []
        for number, row in enumerate(value, start=1):
            name = row.get(name_key, number) if isinstance(row, Mapping) else number
            rows.append(PackTable(row, self.field(f"{key}[{name}]"), self.problems))
        return rows

    def close(self) -> None:
        """Refuse keys nobody asked for: a mistyped key must not silently change a bill."""
        for key in self.table:
            if key not in self.read_keys:
                self.refuse(key, "is not known here; check the spelling or remove it")


def exact_decimal(value: object) -> Decimal | None:
    """A finite Decimal of sensible length from a text, whole number or Decimal; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    # A text such as 1e999999 is a valid Decimal that no later step could handle.
    return number if number.is_finite() and (not number or -30 < number.adjusted() < 30) else None
