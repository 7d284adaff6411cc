"""One reason why something was refused, tied to the field it concerns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A refusal in one sentence that a representative can read aloud; ``field`` names what to correct."""

    field: str
    message: str
