"""What a command answers: the outcome, the number to give, the words to say, what happens next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """One thing that will happen: when (already in words), what, and an icon name for it."""

    when: str
    what: str
    icon: str = "event"


@dataclass(frozen=True)
class Receipt:
    """The lasting answer of a command, stored under the form's key and shown instead of the form from then on."""

    title: str
    """The outcome in a sentence: “Start of 5 services is booked for Mon, Nov 30”."""
    number: str = ""
    """The number to give to the caller."""
    say: str = ""
    """Words to read aloud."""
    steps: tuple[Step, ...] = ()
    orders: tuple[tuple[str, str], ...] = ()
    """(number, what) of each order written."""
    subject_kind: str = ""
    subject_id: int = 0
    go: str = ""
    """The page that shows the thing made, as its URL path."""
    go_query: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    replayed: bool = False
    """True when this key had been carried out before and nothing was written now."""

    def stored(self) -> dict[str, Any]:
        return asdict(self) | {"replayed": False}

    @classmethod
    def from_stored(cls, stored: dict[str, Any]) -> Receipt:
        fields = dict(stored)
        fields["steps"] = tuple(Step(**step) for step in fields.get("steps", ()))
        fields["orders"] = tuple((number, what) for number, what in fields.get("orders", ()))
        fields["go_query"] = tuple((name, value) for name, value in fields.get("go_query", ()))
        fields["notes"] = tuple(fields.get("notes", ()))
        fields["replayed"] = True
        return cls(**fields)
