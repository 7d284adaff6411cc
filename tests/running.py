"""A portal of its own for a test: `portal run` as a process on a free port, over a database the test may look into.

    with portal(folder, database_url, PORTAL_IDLE_MINUTES="5") as served:
        page.goto(served.url)

The process is asked to end as an operator would ask it, and its log is shown when it does not start.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import BrowserContext

STARTS_WITHIN_SECONDS = 90.0
STOPS_WITHIN_SECONDS = 20.0
AUDIT_KEY = "key of the tests, of no installation"  # the one the template databases were made with


@dataclass
class Served:
    """A running portal."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    environment: dict[str, str]

    def said(self) -> str:
        """Everything the process has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, database_url: str, **settings: str) -> dict[str, str]:
    """The environment of a portal that keeps everything in `folder`: none of the tester's own settings reach it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "STREAMLIT_"))}
    return inherited | {
        "PORTAL_DATABASE_URL": database_url,
        "PORTAL_DATA_DIR": str(folder),
        "PORTAL_AUDIT_KEY": AUDIT_KEY,
        "PYTHONPATH": str(ROOT),
        **settings,
    }


def command(*words: str, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """One `portal` command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "portal", *words],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@contextlib.contextmanager
def portal(
    folder: Path, database_url: str, *, demo: bool = True, port: int | None = None, **settings: str
) -> Generator[Served]:
    """A portal that serves until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = port or free_port()
    env = environment(folder, database_url, PORTAL_PORT=str(chosen), **settings)
    log = folder / f"portal-{chosen}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal", "run", *(["--demo"] if demo else [])],
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    served = Served(f"http://127.0.0.1:{chosen}", chosen, process, log, env)
    try:
        wait_until_healthy(served)
        yield served
    finally:
        stop(process)


def wait_until_healthy(served: Served) -> None:
    """Waits for the health page; raises with the process's own words when it does not come."""
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline and served.process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError):
            with urllib.request.urlopen(f"{served.url}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        time.sleep(0.1)
    raise RuntimeError(f"the portal did not start:\n{served.said()}")


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ends a portal as Ctrl+C would; returns its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def sign_in(context: BrowserContext, served: Served, staff_id: int) -> None:
    """Signs a person of the demo city in for this browser profile, without the page where people choose."""
    answer = context.request.post(f"{served.url}/sign-in", form={"staff": str(staff_id)}, max_redirects=0)
    if answer.status != 303:
        raise RuntimeError(f"{staff_id} could not sign in: {answer.text()}")
