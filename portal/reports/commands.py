"""Counting the rollups anew, and the report other programs read."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Any

from db import core
from db import reports as rows
from db import service_requests as requests
from portal import settings
from portal.reports import rules, views
from portal.shared.actor import authorize
from portal.shared.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.shared.actor import Actor

PLACES = 6
"""Decimal places of shares and days: a millionth of a day is less than a tenth of a second."""


def rebuild(actor: Actor, said: Callable[[str], None] = lambda line: None) -> int:
    """Counts all requests anew, in many small transactions while the desk goes on working; returns how many cells there are.

    Not one command: a million requests take longer than one transaction may hold an embedded database.
    """
    authorize(actor, "import.run")
    cells = requests.rebuild_rollups(core.database(), settings.current().time_zone, said)
    with core.work() as work:
        work.event(
            "report.rebuilt",
            staff_id=actor.staff_id or None,
            subject_kind="report",
            subject_id=0,
            detail={"cells": cells},
        )
    return cells


def run_service_levels(by: str, source: str | None, since: str | None, until: str | None, *, json_answer: bool) -> int:
    """`portal report service-levels`: 0 when it was answered, 2 when it cannot be as asked (all problems at once)."""
    problems = rules.level_problems(by, since, until, tuple(rows.LEVELS_BY))
    if source is not None and not views.has_source(source):
        problems.append(
            Problem(
                "source",
                f"No request came from “{source}”. The name is the `source` of the map it was imported by; “portal” is the desk itself.",
            )
        )
    if problems:
        sys.stderr.write("".join(f"--{problem.field}: {problem.message}\n" for problem in problems))
        if json_answer:
            _print_json({"problems": [{"field": problem.field, "message": problem.message} for problem in problems]})
        return 2
    names = [name.strip() for name in by.split(",")]
    found = views.level_rows(names, source, _day(since), _day(until))
    if json_answer:
        _print_json({"rows": [{name: _rounded(value) for name, value in row.items()} for row in found]})
    else:
        _print_table(names, found)
    return 0


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def _rounded(value: Any) -> Any:
    return round(value, PLACES) if isinstance(value, float) else value


def _print_json(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _print_table(names: Sequence[str], found: Sequence[dict[str, Any]]) -> None:
    """The same for people: shares in percent beside their denominators, days with two decimals."""
    head = [*names, "opened", "closed", "on time of closed", "on time of all", "open past due", "p50 days", "p90 days"]
    lines = [head]
    for row in found:
        lines.append(
            [
                *(row[name] or "(none)" for name in names), f"{row['opened']:,}", f"{row['closed']:,}",
                _share(row["closed_on_time_share"], row["closed_with_target"]), _share(row["on_time_share"], row["with_target"]),
                f"{row['open_past_due']:,}", _days(row["p50_days"]), _days(row["p90_days"]),
            ]
        )  # fmt: skip
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    for line in lines:
        cells = [
            cell.ljust(width) if at < len(names) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.flush()


def _share(share: float | None, whole: int) -> str:
    return "–" if share is None else f"{100 * share:.1f}% of {whole:,}"


def _days(days: float | None) -> str:
    return "–" if days is None else f"{days:.2f}"
