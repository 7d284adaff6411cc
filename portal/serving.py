"""One server per embedded database file: a lock the system lets go when the process ends, however it ends."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO


class AlreadyServed(Exception):
    """Another server process holds the database file."""


def hold(database: Path) -> TextIO:
    """Takes the lock that says "a server serves this database file"; the system lets it go when the process ends, however.

    Raises AlreadyServed. Other `portal` commands may run beside a server, a second server may not: uploads and the fair
    turn around writes live in the process."""
    database.parent.mkdir(parents=True, exist_ok=True)
    path = database.with_name(database.name + ".serving")
    file = path.open("a+", encoding="utf-8")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise AlreadyServed(
            f"Another portal{f' (process {holder})' if holder else ''} already serves {database}: stop that one, or set "
            f"PORTAL_DATABASE_URL to a PostgreSQL database to run several."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
