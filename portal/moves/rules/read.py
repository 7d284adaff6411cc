"""The reading at a start, stop or turnover: whether it can be, and what it was on a day between two known ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from portal.shared.problem import Problem


def read_problem(
    read: int | None, *, meter_number: str, dials: int, unit: str, before: int | None, after: int | None
) -> Problem | None:
    """Why this reading cannot be taken, with the remedy; None when it can.

    A dial that has gone past its last figure reads less than before: taken when the use that means is under a tenth of the
    dial, asked again when it is more.
    """
    if read is None:
        return Problem("read", f"Enter the reading of meter {meter_number} in {unit}.")
    size = 10**dials
    if not 0 <= read < size:
        return Problem("read", f"{read} does not fit meter {meter_number}: it has {dials} dials. Check the digits.")
    if before is not None and read < before and read + size - before > size // 10:
        return Problem(
            "read", f"{read} is below the last reading {before} of meter {meter_number}. Ask for the reading again."
        )
    if after is not None and read > after and (before is None or after >= before):
        return Problem(
            "read", f"{read} is above the later reading {after} of meter {meter_number}. Check day and digits."
        )
    return None


def read_between(before: Sequence[tuple[date, int]], after: tuple[date, int] | None, on: date, dials: int) -> int:
    """The dial on a day: as read that day, else in proportion between the neighbours, else at the last period's pace.

    `before`: (day, reading), latest first, the last two up to that day. Whole units, rounded down.
    """
    size = 10**dials
    if not before:
        return 0 if after is None else after[1]
    day, read = before[0]
    if day == on:
        return read
    if after is not None:
        days, use = (after[0] - day).days, (after[1] - read) % size
        return (read + use * (on - day).days // days) % size
    if len(before) < 2:
        return read
    earlier_day, earlier = before[1]
    use = (read - earlier) % size
    return (read + use * (on - day).days // (day - earlier_day).days) % size
