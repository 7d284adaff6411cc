"""Who has a service point, who comes next, and on which reading one follows the other.

At one point there is at most one present agreement (active, or active with its end asked for) and any number of starts that
wait. What a person asked for is kept on the move; when the present agreement ends is worked out from it here, so that
cancelling a move always leads back to what would have been without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

PRESENT = ("active", "pending_stop")


@dataclass(frozen=True, slots=True)
class Tenure:
    """One agreement at a point, present or waiting."""

    agreement_id: int
    account_id: int
    state_code: str
    start_on: date
    stop_on: date | None = None
    held: bool = False
    """Its move is held: it waits, but counts for nobody else."""
    automatic: bool = False
    """The owner's, made by continuity: it gives way to a tenant who comes on the same day or earlier."""


@dataclass(frozen=True, slots=True)
class Succession:
    """A point in order of time."""

    present: Tenure | None
    waiting: tuple[Tenure, ...]
    """Starts that wait and are not held, earliest first."""
    ends_on: date | None
    """When the present agreement ends; None: no end is known."""

    def next_after(self, agreement_id: int) -> Tenure | None:
        """Who takes the point over from this agreement on the same reading; None when it is turned off in between."""
        if self.present is not None and agreement_id == self.present.agreement_id:
            first = self.waiting[0] if self.waiting else None
            return first if first is not None and self.ends_on is not None and first.start_on <= self.ends_on else None
        ids = [tenure.agreement_id for tenure in self.waiting]
        at = ids.index(agreement_id) if agreement_id in ids else len(ids)
        return self.waiting[at + 1] if at + 1 < len(ids) else None

    def before(self, agreement_id: int) -> Tenure | None:
        """Whom this waiting agreement follows on the same reading; None when the point is off before it."""
        if self.waiting and self.waiting[0].agreement_id == agreement_id:
            present = self.present
            return present if present is not None and self.next_after(present.agreement_id) is not None else None
        ids = [tenure.agreement_id for tenure in self.waiting]
        return self.waiting[ids.index(agreement_id) - 1] if agreement_id in ids else None


def succession(tenures: Iterable[Tenure], stops_asked: Mapping[int, date]) -> Succession:
    """The point in order of time. `stops_asked`: agreement id -> day its holder asked to stop, of stops that still stand."""
    all_tenures = list(tenures)
    present = next((tenure for tenure in all_tenures if tenure.state_code in PRESENT), None)
    waiting = tuple(
        sorted(
            (tenure for tenure in all_tenures if tenure.state_code == "pending_start" and not tenure.held),
            key=lambda tenure: (tenure.start_on, tenure.agreement_id),
        )
    )
    return Succession(present, waiting, _ends_on(present, stops_asked, waiting))


def _ends_on(present: Tenure | None, stops_asked: Mapping[int, date], waiting: tuple[Tenure, ...]) -> date | None:
    """The earlier of what the holder asked for and the first start that waits; never before it began."""
    if present is None:
        return None
    days = [tenure.start_on for tenure in waiting[:1]]
    if present.agreement_id in stops_asked:
        days.append(stops_asked[present.agreement_id])
    return max(min(days), present.start_on) if days else None


def displaced_by(order: Succession, on: date) -> Tenure | None:
    """Whose agreement a start on `on` ends: the one that would have the point then. None: nobody."""
    earlier = [tenure for tenure in order.waiting if tenure.start_on < on]
    holder = earlier[-1] if earlier else order.present
    if holder is None:
        return None
    ended_before = not earlier and order.ends_on is not None and order.ends_on < on
    return None if ended_before else holder


def gives_way(order: Succession, on: date) -> list[Tenure]:
    """The owner's automatic starts that a tenant's start on `on` makes needless."""
    return [tenure for tenure in order.waiting if tenure.automatic and tenure.start_on >= on]


def contested_by(order: Succession, tenures: Iterable[Tenure]) -> list[Tenure]:
    """Starts of someone else that already wait, held or not: two people say the place is theirs."""
    waiting = {tenure.agreement_id for tenure in order.waiting}
    return [
        tenure
        for tenure in tenures
        if tenure.state_code == "pending_start"
        and not tenure.automatic
        and (tenure.held or tenure.agreement_id in waiting)
    ]
