"""Upkeep: migrate up, down, up; back up while others write; restore; refuse what would damage; load packs."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db import core, events, packs_io, schema, tables
from db.accounts import Person
from portal import serving, settings, upkeep

if TYPE_CHECKING:
    from portal.settings import Settings
    from tests.city import City
    from tests.conftest import Templates


def _settings(folder: Path) -> Settings:
    url = core.database().url
    address = url.render_as_string(hide_password=False)
    return settings.load(database_url=address.replace("postgresql+psycopg", "postgresql"), data_dir=folder)


def test_the_migrations_make_the_schema_the_code_speaks_of(db: core.Database) -> None:
    with db.write_engine.connect() as connection:
        assert schema.differences(connection, tables.Base.metadata) == []


def test_a_filled_database_goes_down_and_up_again(city: City) -> None:
    database = core.database()
    schema.downgrade(database, "base")
    assert schema.is_empty(database)
    schema.upgrade(database)
    assert upkeep.schema_problem() is None
    with database.write_engine.connect() as connection:
        assert schema.differences(connection, tables.Base.metadata) == []


def test_an_old_schema_is_refused_with_the_command_to_run(db: core.Database) -> None:
    assert upkeep.schema_problem() is None
    with db.write_engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    problem = upkeep.schema_problem()
    assert problem is not None
    assert "portal migrate" in problem
    with db.write_engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")
    problem = upkeep.schema_problem()
    assert problem is not None
    assert "newer portal" in problem


def test_migrate_backs_up_first_when_there_is_something_to_lose(city: City, tmp_path: Path) -> None:
    database = core.database()
    with database.write_engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    setting = _settings(tmp_path)
    with pytest.raises(DBAPIError):
        upkeep.migrate(setting)  # the tables are there already: the upgrade fails, and nothing of it stays
    assert list(tmp_path.glob("before-*.backup")), "the backup was made before the upgrade was tried"


def test_a_backup_made_while_others_write_is_restored_whole(city: City, tmp_path: Path) -> None:
    setting = _settings(tmp_path)
    stop = threading.Event()
    saved = []

    def keep_writing() -> None:
        while not stop.is_set():
            with core.work() as work:
                row = work.add(Person(number=f"X-{len(saved)}", kind="person", name="Somebody", created_at=work.now))
                work.event("person.added", subject_kind="person", subject_id=row.id)
            saved.append(1)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        while len(saved) < 20:
            pass
        before = len(saved)
        said = upkeep.backup(setting, tmp_path / "city.backup")
        after = len(saved)
    finally:
        stop.set()
        writer.join()
    assert "Backed up" in said
    assert not (tmp_path / "city.backup.partial").exists()

    with pytest.raises(upkeep.CannotRestore, match="--force"):
        upkeep.restore(setting, tmp_path / "city.backup")
    core.database().dispose()
    upkeep.restore(setting, tmp_path / "city.backup", force=True)
    database = core.connect(setting.database_address, audit_key=core.database().audit_key)
    with core.read() as session:
        kept = session.scalar(sa.select(sa.func.count()).select_from(Person).where(Person.number.like("X-%")))
        assert kept is not None
        assert before <= kept <= after + 1
        assert list(events.verify_chains(session, database.audit_key)) == []
        name = session.scalar(sa.select(Person.name).where(Person.id == city.person["marcus"]))
        assert name == "Marcus Ellison"
    assert upkeep.schema_problem() is None
    with core.work() as work:
        work.add(Person(number="after", kind="person", name="New", created_at=work.now))


def test_restore_refuses_a_file_that_is_no_backup(city: City, tmp_path: Path) -> None:
    setting = _settings(tmp_path)
    (tmp_path / "letter.txt").write_text("Dear city,")
    with pytest.raises(upkeep.CannotRestore, match="not a backup"):
        upkeep.restore(setting, tmp_path / "letter.txt", force=True)
    with pytest.raises(upkeep.CannotRestore, match="no file"):
        upkeep.restore(setting, tmp_path / "nothing", force=True)
    with core.read() as session:
        assert session.scalar(sa.select(Person.name).where(Person.id == city.person["marcus"])) == "Marcus Ellison"


@pytest.mark.parametrize("kind", ["sqlite"])  # a PostgreSQL server guards itself
def test_restore_refuses_while_a_server_holds_the_embedded_database(city: City, tmp_path: Path) -> None:
    database = core.database()
    setting = _settings(tmp_path)
    upkeep.backup(setting, tmp_path / "city.backup")
    with serving.hold(Path(str(database.url.database))), pytest.raises(upkeep.CannotRestore, match="not touched"):
        upkeep.restore(setting, tmp_path / "city.backup", force=True)


def test_packs_load_once_and_a_changed_file_makes_a_version(db: core.Database, tmp_path: Path) -> None:
    assert upkeep.load_packs(["base"]).keys() <= {"department"}, "loading again finds nothing new"
    shutil.copytree(packs_io.PACKS_DIR / "base", tmp_path / "base")
    file = tmp_path / "base" / "request_type" / "missed_garbage.toml"
    file.write_text(file.read_text("utf-8").replace('name = "', 'name = "Really ', 1), "utf-8")
    counts = upkeep.load_packs(["base"], tmp_path)
    assert counts["request_type"] == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("code = ", "base/article/bad.toml"),
        ('title = "no code"', "code and name must be given"),
        ("code = 3\nname = 4", "must be given as text"),
    ],
)
def test_a_pack_that_cannot_be_read_names_the_file_and_what_is_wrong(
    tmp_path: Path, content: str, sentence: str
) -> None:
    (tmp_path / "base" / "article").mkdir(parents=True)
    (tmp_path / "base" / "article" / "bad.toml").write_text(content)
    with pytest.raises(packs_io.BadPack, match=sentence):
        packs_io.read_packs(["base"], tmp_path)
    with pytest.raises(packs_io.BadPack, match="There is no pack"):
        packs_io.read_packs(["nowhere"], tmp_path)


def test_templates_are_of_this_schema(templates: Templates, kind: str, request: pytest.FixtureRequest) -> None:
    url = templates.copy(kind, False, lambda: request.getfixturevalue("postgres_url"))
    database = core.Database(url)
    assert schema.current_revision(database) == schema.newest_revision()
    assert database.check_health() == {"reachable": True, "writable": True, "migrations_current": True}
    database.dispose()
