"""Measures the portal and prints the tables of docs/performance.md.

    make bench                                                    # a small and a medium city, both made for the occasion
    make bench ARGS="--large sqlite:////data/big.db"              # against the largest city, which stands already
    make bench ARGS="--large postgresql://portal@db/big --rounds 40 --only pages,find"

Pages: each interaction is done in turn on four servers (the trivial page, the trivial page behind the front door, the small
city, the large city), so that whatever else the machine does touches all four alike; medians are compared. A database that is
named with --large is opened by a real server: sign-ins and one conversation are written into it, nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests import running
from tests.bench import cities, pages, rep_seconds, serving
from tests.bench.wire import NoSuchPart, ScriptFailed, Tab, sign_in

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.bench.cities import City
    from tests.bench.pages import Interaction
    from tests.bench.wire import Took

PARTS = ("pages", "find", "rep")
WARM_UPS = 5


@dataclass
class Line:
    """One interaction, measured on the four servers."""

    of: Interaction
    took: dict[str, list[Took]] = field(default_factory=lambda: defaultdict(list))
    problem: str = ""

    def cpu(self, where: str) -> float:
        return statistics.median(took.cpu_ms for took in self.took[where])

    def wall(self, where: str) -> float:
        return statistics.median(took.wall_ms for took in self.took[where])


# --- pages ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def tabs_of(served: running.Served) -> Generator[dict[int, Tab]]:
    """A tab for each person, of one server."""
    people = (pages.REPRESENTATIVE, pages.ON_A_CALL, pages.CART_SHOP, pages.MANAGER, pages.ADMINISTRATOR)
    with contextlib.ExitStack() as held:
        yield {
            staff_id: held.enter_context(Tab(served.url, sign_in(served.url, staff_id), served.process.pid))
            for staff_id in people
        }


def measure(folder: Path, small: City, large: City, rounds: int, chosen: str) -> list[Line]:
    """Every interaction, `rounds` times on each server."""
    with contextlib.ExitStack() as held:
        served = {
            "trivial": held.enter_context(
                serving.script(serving.TRIVIAL, folder / "trivial", f"sqlite:///{empty(folder)}")
            ),
            "door": held.enter_context(
                serving.script(serving.FRONT_DOOR, folder / "door", cities.beside(folder, small))
            ),
            "small": held.enter_context(running.portal(folder / "small", small.url)),
            "large": held.enter_context(running.portal(folder / "large", large.url)),
        }
        plain = held.enter_context(Tab(served["trivial"].url, "", served["trivial"].process.pid))
        door = held.enter_context(tabs_of(served["door"]))[pages.REPRESENTATIVE]
        tabs = {name: held.enter_context(tabs_of(served[name])) for name in ("small", "large")}
        todo = {name: pages.interactions(pages.sample(city.url)) for name, city in (("small", small), ("large", large))}
        plain.open()
        door.open("help")
        lines = []
        for each in zip(todo["small"], todo["large"], strict=True):
            if chosen.lower() not in each[0].name.lower():
                continue
            line = Line(each[0])
            lines.append(line)
            try:
                for name, interaction in zip(("small", "large"), each, strict=True):
                    interaction.first(tabs[name][interaction.staff_id])
                for number in range(WARM_UPS + rounds):
                    took = {
                        "trivial": plain.type("Say something", str(number)),
                        "door": door.type("Say something", str(number)),
                        "small": each[0].do(tabs["small"][each[0].staff_id]),
                        "large": each[1].do(tabs["large"][each[1].staff_id]),
                    }
                    if number >= WARM_UPS:
                        for name, one in took.items():
                            line.took[name].append(one)
            except (ScriptFailed, NoSuchPart) as problem:
                line.problem = str(problem)
                for name in ("small", "large"):
                    print(served[name].said()[-3000:], file=sys.stderr)
            print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return lines


def empty(folder: Path) -> Path:
    """A database with tables and nobody in it, for a server whose page asks for nothing."""
    file = folder / "trivial.db"
    env = running.environment(folder, f"sqlite:///{file}")
    done = running.command("migrate", env=env, cwd=folder)
    if done.returncode:
        raise RuntimeError(done.stderr or done.stdout)
    return file


def print_pages(lines: list[Line], small: City, large: City) -> None:
    """Milliseconds of each interaction, its multiples of the trivial page, and how it grows with the city."""
    trivial = Line(lines[0].of)
    for line in lines:
        for name in ("trivial", "door"):
            trivial.took[name] += line.took[name]
    print(f"\n### Pages on {small.kind}\n")
    print(
        f"Small city: {small.accounts:,} accounts, {small.requests:,} requests. Large city: {large.accounts:,} accounts, "
        f"{large.requests:,} requests. Median of {len(lines[0].took['small'])}, processor time / time until the script had "
        f"finished, in ms.\n\nThe trivial page alone: {trivial.cpu('trivial'):.1f} / {trivial.wall('trivial'):.1f} ms. Behind the front door "
        f"(sign-in, menu, call bar): {trivial.cpu('door'):.1f} / {trivial.wall('door'):.1f} ms.\n"
    )
    print(
        "| Interaction | Small city | Large city | x trivial page behind the front door | x trivial page alone | Budget | Growth | Within |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for line in lines:
        if line.problem:
            print(f"| {line.of.name} | **not measured**: {line.problem} | | | | | | |")
            continue
        door, alone = line.cpu("large") / line.cpu("door"), line.cpu("large") / line.cpu("trivial")
        door_wall, alone_wall = line.wall("large") / line.wall("door"), line.wall("large") / line.wall("trivial")
        growth, growth_wall = line.cpu("large") / line.cpu("small"), line.wall("large") / line.wall("small")
        misses = [] if max(door, door_wall) <= line.of.budget else ["budget"]
        misses += [] if max(growth, growth_wall) <= pages.GROWTH else ["growth"]
        print(
            f"| {line.of.name} | {line.cpu('small'):.0f} / {line.wall('small'):.0f} | {line.cpu('large'):.0f} / {line.wall('large'):.0f} "
            f"| {door:.1f} / {door_wall:.1f} | {alone:.1f} / {alone_wall:.1f} | {line.of.budget:g} | {growth:.2f} / {growth_wall:.2f} "
            f"| {'**no: ' + ', '.join(misses) + '**' if misses else 'yes'} |"
        )


# --- the rest ---------------------------------------------------------------------------------------------------------


def print_cities(found: list[City]) -> None:
    print("\n### Cities\n")
    print("| City | Made in | Peak memory | Database |")
    print("|---|---|---|---|")
    for city in found:
        took = f"{city.made_seconds:.0f} s" if city.made_seconds else "stood already"
        memory = f"{city.made_mb:.0f} MB" if city.made_mb else ""
        print(
            f"| {city.kind}, {city.accounts:,} accounts, {city.requests:,} requests | {took} | {memory} | {city.database_mb:,.0f} MB |"
        )


def print_find(large: City, queries: int) -> None:
    """Runs the find box's own measurement on a city."""
    print(f"\n### Find on {large.kind}, {large.accounts:,} accounts\n\n```", flush=True)
    script = Path(__file__).with_name("bench_find.py")
    subprocess.run(
        [sys.executable, str(script), large.url, "--there", "--queries", str(queries)], check=True, cwd=running.ROOT
    )
    print("```", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", help="a small city that stands already (default: one is made)")
    parser.add_argument("--large", help="the largest city, which stands already (default: a medium one is made)")
    parser.add_argument(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="where cities are made when --large is not given",
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--queries", type=int, default=300, help="of each kind, for the find box")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--page", default="", help="only interactions whose name contains this")
    options = parser.parse_args()
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; --only takes {', '.join(PARTS)}")
    print(
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        folder = Path(name)
        kind = (
            cities.kind_of(options.large)
            if options.large
            else {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[options.database]
        )
        small = cities.look_at(options.small) if options.small else cities.make(folder, kind, "small", 2_000, 3, 10_000)
        large = (
            cities.look_at(options.large) if options.large else cities.make(folder, kind, "medium", 10_000, 3, 100_000)
        )
        print_cities([small, large])
        sys.stdout.flush()
        if "pages" in wanted:
            print_pages(measure(folder, small, large, options.rounds, options.page), small, large)
            sys.stdout.flush()
        if "find" in wanted:
            print_find(large, options.queries)
        if "rep" in wanted:
            rep_seconds.run(folder / "rep", cities.beside(folder, small))


if __name__ == "__main__":
    main()
