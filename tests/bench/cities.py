"""The cities that are measured: made for the occasion in a temporary folder, or one that stands already."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from db import core
from tests import postgres_server, running

MB = 2**20


@dataclass(frozen=True)
class City:
    """A database with a city in it, and what making it took (0 when it stood already)."""

    url: str
    accounts: int
    requests: int
    database_mb: float
    made_seconds: float = 0.0
    made_mb: float = 0.0

    @property
    def kind(self) -> str:
        return kind_of(self.url)


def kind_of(url: str) -> str:
    return "SQLite" if url.startswith("sqlite") else "PostgreSQL"


def make(folder: Path, kind: str, name: str, accounts: int, years: int, requests: int) -> City:
    """Makes a demo city with the command anybody would use, and says what it took."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "SQLite":
        url = f"sqlite:///{folder / f'{name}.db'}"
    else:
        url = postgres_server.create_database(postgres_server.start(), f"test_bench_{name}")
    words = ["demo-city", "--accounts", str(accounts), "--years", str(years), "--requests", str(requests)]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal", *words],
            env=running.environment(folder, url),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, code, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(said.read().decode(errors="replace"))
    took = time.perf_counter() - began
    # Linux counts in KiB, macOS in bytes.
    peak = used.ru_maxrss / (MB if sys.platform == "darwin" else 1024)
    return look_at(url, took, peak)


def look_at(url: str, made_seconds: float = 0.0, made_mb: float = 0.0) -> City:
    """A city that is there; reads only."""
    database = core.Database(url)
    try:
        with database.reading() as session:
            accounts = session.scalar(sa.text("SELECT count(*) FROM account")) or 0
            requests = session.scalar(sa.text("SELECT count(*) FROM service_request")) or 0
            size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            if not database.is_sqlite:
                size = "SELECT pg_database_size(current_database())"
            database_mb = (session.scalar(sa.text(size)) or 0) / MB
    finally:
        database.dispose()
    return City(url, accounts, requests, database_mb, made_seconds, made_mb)


def beside(folder: Path, city: City) -> str:
    """A second database like a small one's, for a second server: an embedded file is served by one server only."""
    if city.kind != "SQLite":
        return city.url
    copy = folder / "beside.db"
    shutil.copyfile(city.url.removeprefix("sqlite:///"), copy)
    return f"sqlite:///{copy}"
