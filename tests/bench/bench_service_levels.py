"""Measures the service-level page over a database that is there: data per view, a refilter against a trivial page.

    python -m tests.bench.bench_service_levels DATABASE_URL

Nothing is written. Medians of several runs in one process, milliseconds; a refilter is a whole run of the page's script (views,
figures, messages to the browser) with another filter, in CPU time, beside a run of the page of words in the same process.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from functools import partial
from typing import TYPE_CHECKING
from unittest import mock

import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from db import core
from db.service_requests import ServiceRequest
from portal import settings
from portal.desk import who
from portal.reports import views
from portal.reports.views import Asked
from portal.shared.actor import Actor
from portal.staff.rules import PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNS = 9


def main(arguments: Sequence[str]) -> int:
    """Prints the figures of one database."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    core.connect(arguments[0])
    settings.use(settings.load(demo=True))
    with core.read() as session:
        many, last = session.execute(
            sa.select(sa.func.count(), sa.func.max(ServiceRequest.opened_at)).select_from(ServiceRequest)
        ).one()
    core.live_as_of(last.date())
    print(f"{many:,} requests, as of {last.date()}")
    known = views.names()
    division = next(iter(known.divisions))
    for period in ("13w", "4w", "12m", "all"):
        asked = Asked(period)
        _data(f"board, {period}", partial(views.board, known, asked))
        _data(f"compared by division, {period}", partial(views.compared, known, asked, "division"))
        _data(f"compared by district, {period}", partial(views.compared, known, asked, "district"))
        _data(f"choices, {period}", partial(views.choices, known, asked))
    asked = Asked("13w", division=division)
    _data("board, 13w, one division", partial(views.board, known, asked))
    _data("repeats", partial(views.repeats, known, Asked()))
    for which in views.CASE_LISTS:
        _data(f"cases, {which}", partial(views.cases, known, Asked(), which))
    _refilter(division)
    return 0


def _data(what: str, ask: Callable[[], object]) -> None:
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        ask()
        took.append(1_000 * (time.perf_counter() - began))
    print(f"  {what:34} {statistics.median(took):8.1f}   best {min(took):8.1f}")


def _refilter(division: str) -> None:
    """The CPU of a run of each page with the collector still, as the server keeps it."""
    actor = Actor(staff_id=0, name="Bench", permissions=frozenset(PERMISSIONS))
    with (
        mock.patch.object(who, "current_actor", return_value=actor),
        mock.patch.object(who, "still_signed_in", return_value=True),
    ):
        _run_pages(division)


def _run_pages(division: str) -> None:
    pages = {
        name: AppTest.from_string(f"from portal.desk import app\napp.draw_page({name!r})", default_timeout=60).run()
        for name in ("help", "service_levels")
    }
    for page in pages.values():
        assert not page.exception, page.exception
    gc.collect()
    gc.freeze()
    gc.disable()
    took: dict[str, list[float]] = {name: [] for name in pages}
    for run in range(RUNS):
        for name, page in pages.items():
            if name == "service_levels":
                page.session_state["division"] = "" if run % 2 else division
            began = time.process_time()
            page.run()
            took[name].append(1_000 * (time.process_time() - began))
    trivial, whole = (statistics.median(took[name]) for name in pages)
    print(f"  page of words {trivial:.0f} ms CPU, refilter {whole:.0f} ms CPU: {whole / trivial:.1f} times")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
