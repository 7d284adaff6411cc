"""Work behind the screen of a city on PostgreSQL: the schedule as Procrastinate tasks, for any number of workers.

Each task is the same plain function the thread of one desk runs. Procrastinate fires a turn once however many workers there
are, hands it to one that is free, keeps tasks that must not overlap apart, and tells a killed worker by its heartbeat. Its
rows are reminders only; the truth stands in the outbox and in the tables of runs, so that nothing is lost with a job.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

from db import core, schema
from portal import settings
from portal.background import SCHEDULE, Background, cron_of, deliver_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    import procrastinate
    import sqlalchemy as sa

    from db.core import Database

log = logging.getLogger("portal.workers")

TASKS_AT_ONCE: Final = 2
GONE_AFTER_SECONDS: Final = 60


def make_app(url: sa.URL) -> procrastinate.App:
    """The tasks of the house on one database. One turn of each waits at most; tasks other than deliveries never overlap."""
    import procrastinate
    from procrastinate.jobs import Status

    connector = procrastinate.PsycopgConnector(
        conninfo=url.set(drivername="postgresql").render_as_string(hide_password=False),
        kwargs={"options": f"-c search_path={schema.QUEUE}"},
        min_size=1,
        max_size=TASKS_AT_ONCE + 3,
    )
    app = procrastinate.App(connector=connector)
    tasks: Any = app  # its decorators change the signatures of what they wrap in ways a type checker cannot follow
    zone = settings.current().time_zone
    for what, every, function in SCHEDULE:
        name = getattr(function, "__name__", what)
        lock = None if function is deliver_messages else name
        tasks.periodic(cron=cron_of(every, zone))(
            tasks.task(name=name, queueing_lock=name, lock=lock)(_turn(what, function))
        )

    async def forget_the_gone(timestamp: int) -> None:
        """A job whose worker was killed would hold its lock for ever; what it did half is done by the next turn."""
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=GONE_AFTER_SECONDS):
            log.warning("a worker is gone in the middle of %s; the next turn does it", job.task_name)
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)

    tasks.periodic(cron="* * * * *")(
        tasks.task(name="forget_the_gone", queueing_lock="forget_the_gone")(forget_the_gone)
    )
    return app


def _turn(what: str, function: Callable[[], None]) -> Callable[[int], None]:
    def turn(timestamp: int) -> None:
        try:
            function()
        except Exception:  # the next turn may go well
            log.exception("could not %s", what)

    return turn


class Workers:
    """A worker in a thread of its own, with the same two verbs as `portal.background.Background`."""

    def __init__(self, database: Database) -> None:
        self._app = make_app(database.url)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                asyncio.run(self._work())
            except asyncio.CancelledError:
                return
            except Exception:  # the database went away: come back when it does
                log.exception("the worker stopped; it begins again in ten seconds")
                self._stopped.wait(10)

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        async with self._app.open_async():
            await self._app.run_worker_async(
                concurrency=TASKS_AT_ONCE,
                delete_jobs="always",
                install_signal_handlers=False,
                shutdown_graceful_timeout=25,
            )


class Behind(Protocol):
    """Whoever does the work behind the screen of this process."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


def behind() -> Behind:
    """The thread of one desk on SQLite, a worker among others on PostgreSQL; not started yet."""
    database = core.database()
    if database.is_sqlite:
        return Background()
    return Workers(database)
