"""Portals to be measured: the real one, and two that serve the trivial page with the same server.

Run as a command it serves another script in place of the desk, with the portal's own options and middleware:

    .venv/bin/python -m tests.bench.serving tests/bench/trivial.py

With BENCH_PROFILE=FILE every run of a script is profiled, and FILE holds the sums (pstats) since the server last got SIGUSR1.
"""

from __future__ import annotations

import contextlib
import cProfile
import functools
import os
import pstats
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests import running
from tests.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator

BENCH = Path(__file__).resolve().parent
TRIVIAL = BENCH / "trivial.py"
FRONT_DOOR = BENCH / "front_door.py"


@contextlib.contextmanager
def script(script: Path, folder: Path, database_url: str, **settings: str) -> Generator[running.Served]:
    """A portal whose desk is another script, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    port = running.free_port()
    env = running.environment(folder, database_url, PORTAL_PORT=str(port), **settings)
    log = folder / f"portal-{port}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.serving", str(script)],
            env=env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    served = running.Served(f"http://127.0.0.1:{port}", port, process, log, env)
    try:
        running.wait_until_healthy(served)
        yield served
    finally:
        running.stop(process)


def profile_scripts(file: Path) -> None:
    """Profiles each run of a script, on the thread it runs on, and keeps the sum in a file."""
    from streamlit.runtime.scriptrunner.script_runner import ScriptRunner

    run = ScriptRunner._run_script
    sums: list[pstats.Stats] = []
    signal.signal(signal.SIGUSR1, lambda *_: sums.clear())

    @functools.wraps(run)
    def profiled(self: ScriptRunner, *args: object) -> None:
        profile = cProfile.Profile()
        profile.enable()
        try:
            run(self, *args)  # ty: ignore[invalid-argument-type]
        finally:
            profile.disable()
            found = pstats.Stats(profile)
            if sums:
                sums[0].add(found)
            else:
                sums.append(found)
            sums[0].dump_stats(file)

    ScriptRunner._run_script = profiled  # ty: ignore[invalid-assignment]


def main() -> None:
    """Serves the script named on the command line until it is stopped."""
    from portal import server, settings

    server.DESK = Path(sys.argv[1]).resolve()
    if os.environ.get("BENCH_PROFILE"):
        profile_scripts(Path(os.environ["BENCH_PROFILE"]))
    server.serve(settings.load_or_exit(demo=True), demo=True)


if __name__ == "__main__":
    main()
