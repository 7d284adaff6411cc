"""Imports a real city's whole 311 files and compares what the portal then says with the figures published for them.

    python -m tests.bench.check_boston FOLDER

FOLDER holds `boston_2015_core.csv.gz` (31,069 rows) and perhaps `boston_2015_other.csv.gz` (50,339), which are not part of the
project. A temporary database of each kind is filled and thrown away. Every figure is printed; exit 1 when one differs.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db import core, schema
from db import service_requests as rows
from portal import settings, upkeep
from portal.reports import commands as reports
from portal.service_requests.commands import importing
from tests import postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAPS = Path(__file__).resolve().parents[2] / "db" / "packs" / "boston" / "import_map"

# Computed from the file by others, with another program: opened, closed, median and 90th percentile of the days from opening to
# closing (elapsed real time), share closed by its target of those that have one.
PUBLISHED = {
    "Sanitation": (4_088, 4_088, 5.19, 19.96, 41.2, 626),
    "Recycling": (4_365, 4_363, 8.18, 51.00, 73.4, 4_253),
    "Street Lights": (6_256, 5_802, 2.12, 52.60, 70.8, 6_254),
    "Street Cleaning": (4_635, 4_608, 0.13, 3.89, 90.2, 3_945),
}
READ = {"core": 31_069, "other": 50_339}
FLAGGED = {"core": 3, "other": 172}
BY_PHONE = 17_128


def main(arguments: Sequence[str]) -> int:
    """Runs the check on both databases."""
    if len(arguments) != 1 or not (Path(arguments[0]) / "boston_2015_core.csv.gz").is_file():
        print(__doc__)
        print("Skipped: there is no boston_2015_core.csv.gz in the folder given.")
        return 2
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, url in _databases(Path(folder)):
            database = core.connect(url)
            schema.upgrade(database)
            upkeep.load_packs(["base"])
            print(f"\n{name}")
            wrong += _check(Path(arguments[0]), Path(folder))
            database.dispose()
            core.use(None)
    print(f"\npeak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    print("Every figure agrees." if not wrong else f"{wrong} figures differ.")
    return 1 if wrong else 0


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{folder / 'check.db'}"
    yield "PostgreSQL", postgres_server.create_database(postgres_server.start(), "test_check_boston")
    postgres_server.stop()


def _check(folder: Path, scratch: Path) -> int:
    wrong = 0
    for part, count in READ.items():
        file = folder / f"boston_2015_{part}.csv.gz"
        if not file.is_file():
            print(f"  {file.name}: not there, left out")
            continue
        answer, seconds = _import(file, part, scratch)
        print(f"  {file.name}: {answer['read']:,} rows in {seconds:.1f} s, {answer['read'] / seconds:,.0f} rows/s")
        expected = {"read": count, "imported": count, "rejected": 0, "flagged": FLAGGED[part]}
        for name, value in expected.items():
            wrong += _compare(name, answer[name], value)
        answer, seconds = _import(file, part, scratch)
        print(f"  again: {answer['read'] / seconds:,.0f} rows/s")
        wrong += _compare("unchanged", answer["unchanged"], count)
    with core.read() as session:
        for group, (opened, closed, p50, p90, share, with_target) in PUBLISHED.items():
            here = session.execute(
                sa.select(
                    rows.ServiceRequest.opened_at, rows.ServiceRequest.closed_at, rows.ServiceRequest.due_at, rows.ServiceRequest.in_target
                ).where(rows.ServiceRequest.source == "boston", rows.ServiceRequest.group_name == group)
            ).all()  # fmt: skip
            days = sorted((row.closed_at - row.opened_at).total_seconds() / 86_400 for row in here if row.closed_at)
            targets = [row for row in here if row.due_at]
            on_time = 100 * sum(row.in_target is True for row in targets) / len(targets)
            wrong += _compare(f"{group}, opened", len(here), opened)
            wrong += _compare(f"{group}, closed", len(days), closed)
            wrong += _compare(f"{group}, median days", round(statistics.median(days), 2), p50)
            wrong += _compare(f"{group}, 90th percentile", round(_quantile(days, 0.9), 2), p90)
            wrong += _compare(f"{group}, with a target", len(targets), with_target)
            wrong += _compare(f"{group}, on time %", round(on_time, 1), share)
        phone = session.scalar(
            sa.select(sa.func.count()).where(
                rows.ServiceRequest.channel == "phone", rows.ServiceRequest.group_name.in_(_core_groups(folder))
            )
        )
        wrong += _compare("by phone", phone, BY_PHONE)
    return wrong + _check_report()


def _check_report() -> int:
    """`portal report service-levels` says the published figures, and the rollups those of counting anew."""
    wrong = 0
    said = io.StringIO()
    began = time.perf_counter()
    with contextlib.redirect_stdout(said):
        assert reports.run_service_levels("group", "boston", None, None, json_answer=True) == 0
    print(f"  portal report service-levels --source boston --by group: {time.perf_counter() - began:.2f} s")
    found = {row["group"]: row for row in json.loads(said.getvalue())["rows"]}
    for group, (opened, closed, p50, p90, share, with_target) in PUBLISHED.items():
        row = found[group]
        here = (
            row["opened"], row["closed"], round(row["p50_days"], 2), round(row["p90_days"], 2), round(100 * row["on_time_share"], 1), row["with_target"],
        )  # fmt: skip
        wrong += _compare(f"report, {group}", here, (opened, closed, p50, p90, share, with_target))
    cells = _rollup()
    began = time.perf_counter()
    rows.rebuild_rollups(core.database(), settings.load().time_zone)
    print(f"  portal report rebuild: {time.perf_counter() - began:.1f} s, {len(cells):,} cells")
    return wrong + _compare("rollups as counted anew", _rollup() == cells, True)


def _rollup() -> list[tuple[Any, ...]]:
    table = core.table_of(rows.RequestRollup)
    with core.read() as session:
        return [tuple(row) for row in session.execute(sa.select(table).order_by(*table.primary_key.columns))]


def _core_groups(folder: Path) -> set[str]:
    import csv
    import gzip

    with gzip.open(folder / "boston_2015_core.csv.gz", "rt", encoding="utf-8", newline="") as opened:
        return {row["REASON"] for row in csv.DictReader(opened)}


def _import(file: Path, part: str, scratch: Path) -> tuple[dict[str, Any], float]:
    said = io.StringIO()
    began = time.perf_counter()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        code = importing.run_command(file, MAPS / f"{part}.toml", scratch / "rejects.csv", json_answer=True)
    assert code == 0
    return json.loads(said.getvalue().splitlines()[-1]), time.perf_counter() - began


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between the two nearest."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def _compare(what: str, here: object, published: object) -> int:
    same = here == published
    print(f"    {what:34} {here!s:>10} {published!s:>10} {'' if same else '  <- differs'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
