"""What the commands of this room share: holding a row, refusing a stale or an own one, the next number."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, TypeVar

from db import core
from db import service_requests as rows
from db import staff as staff_rows
from portal import settings
from portal.service_requests.rules import case
from portal.shared.number import make_number
from portal.shared.problem import Problem
from portal.shared.refusal import Refused
from portal.shared.text import relative_text

if TYPE_CHECKING:
    from db.core import Work
    from portal.shared.actor import Actor

Held = TypeVar("Held", rows.ServiceRequest, rows.WorkOrder, rows.KnownEvent)

_SUBJECT: dict[type, tuple[str, str]] = {
    rows.ServiceRequest: ("service_request", "This request"),
    rows.WorkOrder: ("work_order", "This work order"),
    rows.KnownEvent: ("known_event", "This known event"),
}


def when_text(work: Work, at: dt.datetime) -> str:
    """An instant as it is told to a caller: “today 3:00 pm”."""
    return relative_text(at, work.now, settings.current().zone)


def hold(work: Work, model: type[Held], row_id: int, version: int) -> Held:
    """The row for changing, held until the end of the transaction. Refused when it is gone or not as the form saw it."""
    kind, what = _SUBJECT[model]
    row = core.lock(work.session, model, row_id)
    if row is None:
        raise Refused([Problem("", f"{what} is not there. Go back to the list and open it again.")])
    if row.version != version:
        last = rows.last_event(work.session, kind, row_id)
        if last is None:
            raise Refused([case.stale_problem(what, "", "since you opened it", "")], title="Somebody was faster")
        did = case.did(last.name)
        raise Refused(
            [case.stale_problem(what, last.staff_name or "", when_text(work, last.at), did)],
            title="Somebody was faster",
        )
    return row


def refuse_own(
    work: Work,
    actor: Actor,
    *,
    person_id: int | None = None,
    account_id: int | None = None,
    premise_id: int | None = None,
) -> None:
    """Refused (and reported) when the request concerns the actor, their household or a declared relative."""
    own = set(staff_rows.relatives(work.session, actor.staff_id)) if actor.staff_id else set()
    if actor.person_id is not None:
        own |= rows.household_of(work.session, {actor.person_id})
    if not own:
        return
    concerned = rows.persons_behind(work.session, account_id=account_id, premise_id=premise_id)
    if person_id is not None:
        concerned.add(person_id)
    if concerned & own:
        raise Refused(
            [Problem("", "This is your own, your household’s or a relative’s. Ask a colleague to do it.")],
            title="Not your own account",
            report="own_account",
        )


def counted(row: rows.ServiceRequest) -> rows.Counted:
    """What a request counts as in the reports; taken before a change, for `recount` after it."""
    return rows.counted(row, settings.current().time_zone)


def recount(work: Work, before: rows.Counted | None, row: rows.ServiceRequest) -> None:
    """Keeps the rollups of the reports in step with a request that was opened (no before) or changed."""
    rows.count_change(work.session, before, counted(row))


def next_number(work: Work, prefix: str) -> str:
    """The next number of a kind in this year, with its check digit."""
    year = work.now.astimezone(settings.current().time_zone).year
    return make_number(prefix, year, core.next_sequence(work.session, prefix, year))
