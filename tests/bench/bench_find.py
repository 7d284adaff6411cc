"""Measures the find box: how often the right one is among the first five, and how long it takes.

    .venv/bin/python tests/bench/bench_find.py sqlite:////tmp/find.db --accounts 120000 --requests 1000000 --queries 1000

Fills an empty database with a synthetic city first. For each kind: so many queries, a third with one character wrong,
missing or too many, a third with two neighbours swapped, a third partial.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import sys
import tempfile
import time
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import sqlalchemy as sa

import db.tables  # noqa: F401 - all tables
from db import accounts, core
from db.metering import meters_at
from db.service_requests import ServiceRequest
from tests.bench.synthetic_city import City, Target, query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from db.accounts import Found

HOWS = ("edit", "swap", "partial")


class Outcome(NamedTuple):
    """One query: whether the right one was in the first five, milliseconds, and the answer."""

    kind: str
    how: str
    right: bool
    took_ms: float
    text: str
    target: Target
    answer: tuple[tuple[str, int], ...]


def is_right(session: Session, target: Target, found: Sequence[Found]) -> bool:
    """Whether a match among these opens what was meant. Two people of the very same name are equally right by name."""
    if target.kind == "order":
        return target.order in [(each.kind, each.subject_id) for each in found]
    ids = [each.subject_id for each in found if each.kind == "account"]
    if target.account_id in ids:
        return True
    if target.kind == "name" and ids:
        names = session.scalars(
            sa.select(accounts.Person.name)
            .join(accounts.Account, accounts.Account.person_id == accounts.Person.id)
            .where(accounts.Account.id.in_(ids))
        )
        return target.text in list(names)
    return False


def measure(session: Session, targets: Sequence[Target], queries: int, seed: int = 7) -> list[Outcome]:
    """Runs `queries` queries of each kind of target."""
    random_ = random.Random(seed)
    kinds: dict[str, list[Target]] = {}
    for target in targets:
        kinds.setdefault(target.kind, []).append(target)
    outcomes = []
    for kind, of_kind in kinds.items():
        for at in range(queries):
            target, how = random_.choice(of_kind), HOWS[at % 3]
            text = query(target, how, random_)
            began = time.perf_counter()
            found = accounts.find(session, text)
            took = (time.perf_counter() - began) * 1000
            answer = tuple((each.kind, each.subject_id) for each in found)
            outcomes.append(Outcome(kind, how, is_right(session, target, found[:5]), took, text, target, answer))
    return outcomes


def targets_of(session: Session, seed: int, most: int = 4_000) -> list[Target]:
    """Targets from the rows of a city that is there already (a demo city): open accounts and requests drawn by chance."""
    random_ = random.Random(seed)
    ids = list(session.scalars(sa.select(accounts.Account.id).where(accounts.Account.closed_on.is_(None))))
    found = []
    for account_id in sorted(random_.sample(ids, min(most, len(ids)))):
        row = accounts.account_row(session, account_id)
        phone = f"({row.phone[:3]}) {row.phone[3:6]}-{row.phone[6:]}" if row.phone else ""
        kinds = [
            ("name", row.name),
            ("phone", phone),
            ("address", row.address),
            ("account", row.account_number),
            ("e-mail", row.email),
        ]
        kinds += [("meter", meter.number) for meter in meters_at(session, {row.premise_id})[:1]]
        kinds += [
            ("old number", other.value) for other in accounts.other_numbers_of(session, {("account", account_id)})
        ]
        found += [Target(kind, text, account_id) for kind, text in kinds if text]
    requests = session.execute(
        sa.select(ServiceRequest.id, ServiceRequest.number).order_by(ServiceRequest.number)
    ).all()
    found += [
        Target("order", row.number, order=("service_request", row.id))
        for row in random_.sample(requests, min(most, len(requests)))
    ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--accounts", type=int, default=120_000)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", type=int, default=0, help="show so many misses of each kind")
    parser.add_argument("--there", action="store_true", help="measure the city that is in the database, a demo city")
    parser.add_argument("--rebuild", action="store_true")
    options = parser.parse_args()
    database = core.connect(options.url)
    kept = Path(
        tempfile.gettempdir(),
        f"bench_find_{options.accounts}_{options.requests}_{options.seed}{'_there' * options.there}.json",
    )
    if not options.there:
        database.create_schema()
    with database.reading() as session:
        filled = session.scalar(sa.select(sa.func.count()).select_from(accounts.Account)) or 0
    if options.there:
        with database.reading() as session:
            kept.write_text(json.dumps([astuple(target) for target in targets_of(session, options.seed)]))
    elif not filled:
        began = time.perf_counter()
        targets = City(options.accounts, options.requests, options.seed).fill(database)
        kept.write_text(json.dumps([astuple(target) for target in targets]))
        print(f"rows: {time.perf_counter() - began:.0f} s")
    targets = [Target(*each[:3], order=tuple(each[3])) for each in json.loads(kept.read_text())]
    if not filled or options.rebuild:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        count = accounts.rebuild_find_index(database)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"index: {count:,} entries in {time.perf_counter() - began:.0f} s, memory {before // 1024} to {peak // 1024} MB"
        )
    with database.reading() as session:
        measure(session, targets, 20, seed=1)
        outcomes = measure(session, targets, options.queries)
    print(f"{'kind':12}{'edit':>8}{'swap':>8}{'partial':>9}{'all':>8}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}")
    for kind in dict.fromkeys(each.kind for each in outcomes):
        of_kind = [each for each in outcomes if each.kind == kind]
        shares = [
            sum(each.right for each in part) / len(part)
            for part in ([each for each in of_kind if each.how == how] for how in HOWS)
        ]
        took = sorted(each.took_ms for each in of_kind)
        right = sum(each.right for each in of_kind) / len(of_kind)
        print(
            f"{kind:12}{shares[0]:8.1%}{shares[1]:8.1%}{shares[2]:9.1%}{right:8.1%}"
            f"{took[len(took) // 2]:9.1f}{took[len(took) * 95 // 100]:9.1f}{took[-1]:9.1f}"
        )
        for miss in [each for each in of_kind if not each.right][: options.misses]:
            print(f"    {miss.how}: {miss.text!r} meant {miss.target.text!r}, found {miss.answer}")
        for slow in sorted(of_kind, key=lambda each: -each.took_ms)[: options.misses]:
            print(f"    {slow.took_ms:.0f} ms: {slow.text!r}")
    fingerprint = hashlib.sha256(repr([(each.text, each.answer) for each in outcomes]).encode()).hexdigest()
    print("answers", fingerprint[:16])


if __name__ == "__main__":
    main()
