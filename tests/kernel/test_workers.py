"""Workers behind the screen as processes of their own: they deliver, several at once never double, kill -9 loses nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import time
import zoneinfo
from typing import TYPE_CHECKING, Any

import procrastinate
import pytest
import sqlalchemy as sa

from db import core, events, schema
from db.contacts import MessageCopy
from db.directory import ReferenceRow
from portal import upkeep
from portal.background import SCHEDULE, cron_of
from tests import running
from tests.receiving import MailBox, mail_server, receiver

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.city import City

pytestmark = pytest.mark.real_time  # workers are processes of their own

WEBHOOK_KEY = "k" * 32


def _environment(folder: Path, box: MailBox) -> dict[str, str]:
    url = core.database().url
    address = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)
    return running.environment(
        folder,
        address,
        PORTAL_DEMO="true",
        PORTAL_SMTP_HOST="127.0.0.1",
        PORTAL_SMTP_PORT=str(box.port),
        PORTAL_SMTP_SECURITY="none",
        PORTAL_SMTP_FROM="desk@city.example",
        PORTAL_WEBHOOK_KEY=WEBHOOK_KEY,
    )


@contextlib.contextmanager
def worker(folder: Path, environment: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal", "work"],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        running.stop(process)


def _reference(kind: str, code: str, **detail: object) -> None:
    with core.work() as work:
        full = {"code": code, "name": code} | detail
        work.add(ReferenceRow(kind=kind, code=code, name=code, effective_from=dt.date(2026, 1, 1), detail=full))


def _write(city: City, count: int) -> None:
    """`count` messages, e-mail and webhook in turn."""
    with core.work() as work:
        for number in range(count):
            if number % 2:
                work.message(
                    "field", template="work_order", recipient_kind="division", subject_kind="work_order", subject_id=number,
                    detail={"division": "recycling_contractor", "number": f"WO-{number}"},
                )  # fmt: skip
            else:
                work.message(
                    "email", template="request_opened", recipient_kind="person", recipient_id=city.person["marcus"],
                    subject_kind="service_request", subject_id=number, detail={"number": f"SR-{number}"},
                )  # fmt: skip


def _states() -> dict[str, int]:
    with core.read() as session:
        rows = session.execute(
            sa.select(events.OutboxMessage.delivery_state, sa.func.count()).group_by(
                events.OutboxMessage.delivery_state
            )
        )
        return {row[0]: row[1] for row in rows}


def _keys() -> set[str]:
    with core.read() as session:
        return set(session.scalars(sa.select(MessageCopy.handing_key)))


def _wait_until_sent(count: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _states().get("sent", 0) < count and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _states() == {"sent": count}


def test_two_workers_deliver_everything_once(city: City, tmp_path: Path) -> None:
    with mail_server() as mail, receiver() as hook:
        _reference("delivery_target", "recycling_contractor", by="webhook", url=hook.url)
        _write(city, 60)
        environment = _environment(tmp_path, mail)
        with worker(tmp_path, environment) as one, worker(tmp_path, environment) as other:
            _wait_until_sent(60, 60)
            other.send_signal(signal.SIGTERM)
            assert other.wait(30) == 0, "asked to end, it ends in order"
            assert one.poll() is None
    assert set(mail.keys().values()) | set(hook.keys().values()) == {1}
    assert set(mail.keys()) | set(hook.keys()) == _keys()
    assert (len(mail.keys()), len(hook.keys())) == (30, 30)


def kill_and_kill_again(city: City, folder: Path, kills: int, seed: int) -> tuple[int, int]:
    """Kills a delivering worker `kills` times at random moments, a new one after each; answers with how many messages there
    were and how many handings over, and asserts that each message arrived and none but those, told apart by key."""
    lot = random.Random(seed)
    count = 30 * kills
    with mail_server(MailBox(wait=0.02)) as mail, receiver() as hook:
        hook.wait = 0.02
        _reference("delivery_target", "recycling_contractor", by="webhook", url=hook.url)
        _reference("delivery_policy", "standard", lease_seconds=2, first_wait_seconds=1)
        _write(city, count)
        environment = _environment(folder, mail)
        for _ in range(kills):
            before = len(mail.taken) + len(hook.got)
            with worker(folder, environment) as process:
                deadline = time.monotonic() + 40
                while len(mail.taken) + len(hook.got) == before and time.monotonic() < deadline:
                    time.sleep(0.01)
                time.sleep(lot.uniform(0.0, 0.5))
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        with worker(folder, environment):
            _wait_until_sent(count, 120)
    arrived = mail.keys() + hook.keys()
    assert set(arrived) == _keys(), "all present, none extra by key"
    assert len(arrived) == count
    # What was handed over again was killed between acceptance and our commit: at most one message per kill and hand.
    handed = sum(arrived.values())
    assert handed - count <= 2 * kills
    return count, handed


def test_ten_kills_lose_nothing_and_double_nothing(city: City, tmp_path: Path) -> None:
    kill_and_kill_again(city, tmp_path, kills=10, seed=11)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_a_hundred_kills_lose_nothing_and_double_nothing(city: City, tmp_path: Path, seed: int) -> None:
    kill_and_kill_again(city, tmp_path, kills=100, seed=seed)


def test_a_portal_delivers_by_itself_unless_told_not_to(city: City, tmp_path: Path) -> None:
    with mail_server() as mail:
        _write(city, 1)
        environment = _environment(tmp_path, mail)
        mine: dict[str, Any] = {name: value for name, value in environment.items() if name.startswith("PORTAL_SMTP")}
        url = environment["PORTAL_DATABASE_URL"]
        with running.portal(tmp_path / "inside", url, PORTAL_WORK_INSIDE="false", **mine):
            assert not mail.arrived.wait(12)
        with running.portal(tmp_path / "outside", url, **mine):
            assert mail.arrived.wait(30)


def test_a_worker_refuses_what_a_portal_refuses(city: City, tmp_path: Path) -> None:
    environment = _environment(tmp_path, MailBox(port=25)) | {"PORTAL_SMTP_FROM": ""}
    done = running.command("work", env=environment, cwd=tmp_path)
    assert done.returncode == 2
    assert "PORTAL_SMTP_FROM is missing" in done.stderr


def test_the_secret_of_a_receiver_is_told_to_the_operator(city: City, tmp_path: Path) -> None:
    _reference("delivery_target", "acme", by="webhook", url="https://acme.example/hook")
    environment = _environment(tmp_path, MailBox(port=25))
    told = running.command("webhook-secret", "acme", env=environment, cwd=tmp_path)
    assert (told.returncode, len(told.stdout.strip())) == (0, 64)
    unknown = running.command("webhook-secret", "nobody", env=environment, cwd=tmp_path)
    assert unknown.returncode == 2
    assert "no delivery_target" in unknown.stderr


# --- the queue of PostgreSQL ------------------------------------------------------------------------------------------


def test_the_queue_has_a_schema_of_its_own_that_goes_and_comes_with_ours(db: core.Database) -> None:
    assert upkeep.schema_problem() is None
    if db.is_sqlite:
        return
    with db.write_engine.begin() as connection:
        assert sa.inspect(connection).has_table("procrastinate_jobs", schema=schema.QUEUE)
        connection.exec_driver_sql(f"COMMENT ON SCHEMA {schema.QUEUE} IS '0.1'")
    problem = upkeep.schema_problem()
    assert problem is not None
    assert "portal migrate" in problem
    schema.make_queue(db)
    assert upkeep.schema_problem() is None
    schema.downgrade(db, "base")
    with db.read_engine.connect() as connection:
        assert schema.QUEUE not in sa.inspect(connection).get_schema_names()
    schema.upgrade(db)
    assert upkeep.schema_problem() is None


def test_the_schedule_reads_the_same_as_cron() -> None:
    from croniter import croniter

    zone = zoneinfo.ZoneInfo("America/New_York")
    for _, every, _ in SCHEDULE:
        assert croniter.is_valid(cron_of(every, zone)), every
    assert cron_of(10, zone) == "* * * * * */10"
    assert cron_of(900, zone) == "*/15 * * * *"
    assert cron_of(86_400, zone) in ("15 7 * * *", "15 8 * * *"), "a quarter past three in the city"
    assert procrastinate.__version__.split(".")[0] == "3"
