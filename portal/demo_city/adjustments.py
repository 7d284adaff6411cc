"""Adjustments that wait for a decision: asked for by the real command, in the name of the colleagues, some hours ago."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db import billing, core
from portal.billing.commands import adjust_bill
from portal.billing.rules.adjustment import AMOUNT, PERCENT, WHOLE_BILL, AdjustmentForm
from portal.demo_city.draw import stream
from portal.staff.views import actor_for_staff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.demo_city.city import City
    from portal.demo_city.colleagues import Colleague

BILLED_DAYS = 45
"""The account has a bill no older than this."""


def ask(city: City, team: list[Colleague]) -> int:
    """Puts down what `adjustments.toml` says for accounts drawn from the city; returns how many."""
    asked: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "adjustments.toml").read_text("utf-8"))[
        "adjustment"
    ]
    ids = {each.subject: each.id for each in team}
    accounts = _accounts(city)
    done = 0
    for one in asked:
        actor = actor_for_staff(ids[one["by"]])
        account_id, bill_id = next(accounts, (0, 0))
        if actor is None or not account_id:
            continue
        form = AdjustmentForm(
            account_id,
            one["what"],
            one["reason"],
            bill_id=bill_id if one.get("whole_bill") else None,
            service_kind=WHOLE_BILL if one.get("whole_bill") else "",
            by=PERCENT if "percent" in one else AMOUNT,
            amount=one.get("percent") or one["dollars"],
            note=one["note"],
        )
        with core.work() as work:
            work.now = city.now - dt.timedelta(hours=one["hours"])
            adjust_bill(actor, form)
        done += 1
    return done


def _accounts(city: City) -> Iterator[tuple[int, int]]:
    """(account id, id of its latest bill) of present holders who were billed lately and are nobody's in `named.toml`."""
    since = city.days.today - dt.timedelta(days=BILLED_DAYS)
    rows = city.held.present[len(city.named.premises) :]
    for row in stream(city.seed, "adjustments").permutation(rows[rows >= 0]).tolist():
        with core.read() as session:
            latest = billing.bill_totals(session, row + 1, 1)
        if latest and latest[0].billed_on >= since:
            yield row + 1, latest[0].id
