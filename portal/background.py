"""Work behind the screen: plain functions of the house and how often each is due, run in one thread of an embedded portal;
on PostgreSQL the same schedule runs as tasks of any number of workers (`portal.workers`).

Rows are the truth: a run that is lost, repeated or killed loses and doubles nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from db import accounts, core
from portal import settings, upkeep
from portal.billing.commands import ledger
from portal.billing.views.ledger import prove
from portal.contacts.commands import delivering
from portal.moves.commands import confirm_due, settle_first_bills
from portal.staff.commands import end_lapsed_sessions

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("portal.background")


def confirm_moves() -> None:
    """Starts and stops that nobody needs to visit (remote meters) take effect when their day comes."""
    confirm_due(core.now().astimezone(settings.current().time_zone).date())


def end_sign_ins() -> None:
    """Sign-ins that nobody came back to end by themselves."""
    setting = settings.current()
    end_lapsed_sessions(dt.timedelta(minutes=setting.idle_minutes), dt.timedelta(hours=setting.absolute_hours))


def settle_bills_told() -> None:
    """The dates of first bills that were told to callers are kept or broken once the bill is made."""
    settle_first_bills()


def count_words() -> None:
    """How common each word is, for the ranking of what is found: counted anew as the city grows."""
    accounts.count_terms(core.database())


def deliver_messages() -> None:
    """Messages that are due leave, or wait for their next try."""
    delivering.deliver()


def stand_due() -> None:
    """What fell due yesterday is past due today."""
    ledger.stand_due(core.now().astimezone(settings.current().time_zone).date())


def prove_the_ledger() -> None:
    """Every balance against its entries, every entry against its postings; a difference is an error in the log."""
    for difference in prove().differences:
        log.error("the ledger does not agree: %s", difference)


SCHEDULE: Final[tuple[tuple[str, float, Callable[[], None]], ...]] = (
    # The heads of the audit chains, sealed together: what vanished since the last seal is then found.
    ("seal the audit chains", 300.0, upkeep.seal),
    ("count the words people are found by", 86_400.0, count_words),
    ("confirm starts and stops whose day has come", 900.0, confirm_moves),
    ("end the sign-ins nobody came back to", 300.0, end_sign_ins),
    ("settle the promises of first bills", 900.0, settle_bills_told),
    ("find what fell due", 86_400.0, stand_due),
    ("prove the ledger", 86_400.0, prove_the_ledger),
    ("hand messages over", 10.0, deliver_messages),
)
"""(what, every so many seconds, function)."""


def cron_of(every: float, zone: dt.tzinfo) -> str:
    """“Every so many seconds” as the schedule of Procrastinate says it (UTC; a sixth field counts seconds): what runs once a
    day runs at a quarter past three in the city's night."""
    seconds = int(every)
    if seconds < 60:
        return f"* * * * * */{seconds}"
    if seconds < 3600:
        return f"*/{seconds // 60} * * * *"
    hour = core.now().astimezone(zone).replace(hour=3).astimezone(dt.UTC).hour
    return f"15 {hour} * * *" if seconds >= 86_400 else f"15 */{seconds // 3600} * * *"


class Background:
    """One thread that runs the schedule until it is stopped; a failing task is logged and tried again next time."""

    def __init__(self, schedule: tuple[tuple[str, float, Callable[[], None]], ...] = SCHEDULE) -> None:
        self._schedule = schedule
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        # What runs once a day waits for the night after the start, not for the first caller.
        due = {what: time.monotonic() + (every if every > 3600 else 0) for what, every, _ in self._schedule}
        while not self._stop.is_set():
            for what, every, task in self._schedule:
                if time.monotonic() >= due[what] and not self._stop.is_set():
                    try:
                        task()
                    except Exception:  # the next turn may go well; the desk must not notice
                        log.exception("could not %s", what)
                    due[what] = time.monotonic() + every
            self._stop.wait(1.0)
