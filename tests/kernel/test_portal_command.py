"""The `portal` command as an operator runs it: exit codes and sentences, on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from db import core
from tests import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.city import City

pytestmark = pytest.mark.real_time  # the commands run as processes of their own


def _env(folder: Path) -> dict[str, str]:
    url = core.database().url
    address = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)
    return running.environment(folder, address)


def test_audit_verify_is_quiet_when_all_is_well_and_exits_1_when_the_last_event_is_gone(
    city: City, tmp_path: Path
) -> None:
    env = _env(tmp_path)
    well = running.command("audit", "verify", env=env, cwd=tmp_path)
    assert (well.returncode, well.stdout) == (0, "")
    assert "no fault" in well.stderr
    database = core.database()
    with database.write_engine.begin() as connection:
        connection.exec_driver_sql(
            "DROP TRIGGER event_no_delete" if database.is_sqlite else "DROP TRIGGER event_no_change ON event"
        )
        connection.exec_driver_sql("DELETE FROM event WHERE id = (SELECT max(id) FROM event)")
    ill = running.command("audit", "verify", env=env, cwd=tmp_path)
    assert ill.returncode == 1
    assert "the last were removed" in ill.stdout


def test_an_old_schema_is_refused_with_the_command_to_run(city: City, tmp_path: Path) -> None:
    with core.database().write_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    done = running.command("backup", str(tmp_path / "b"), env=_env(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "newer portal" in done.stderr or "portal migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_backup_and_restore_from_the_command_line(city: City, tmp_path: Path) -> None:
    env = _env(tmp_path)
    made = running.command("backup", str(tmp_path / "city.backup"), env=env, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    refused = running.command("restore", str(tmp_path / "city.backup"), env=env, cwd=tmp_path)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    core.database().dispose()
    restored = running.command("restore", str(tmp_path / "city.backup"), "--force", env=env, cwd=tmp_path)
    assert restored.returncode == 0, restored.stderr
    assert running.command("audit", "verify", env=env, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--issuer", "https://login.example", "--subject", "1", "--role", "king"), "--roles: There is no role “king”"),
        (("--issuer", "", "--subject", "1", "--role", "manager"), "--issuer: Enter the issuer"),
    ],
)
def test_staff_add_names_the_option_that_is_wrong(
    city: City, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = running.command("staff", "add", *words, env=_env(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_sla_due_is_pure_and_quick_to_load(tmp_path: Path) -> None:
    line = {
        "opened_at": "2026-11-24T10:00:00-05:00",
        "zone": "America/New_York",
        "target": {"calendar_days": 3},
    }
    script = (
        "import sys\nsys.argv = ['portal', 'sla', 'due']\nfrom portal.__main__ import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "assert not {'streamlit', 'sqlalchemy', 'pandas'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(line) + "\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["due_at"] == "2026-11-27T15:00:00Z"
