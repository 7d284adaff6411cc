"""What every test may ask for: a database of either kind with the base pack, the small city, a page as somebody."""

from __future__ import annotations

import os
import pickle
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import time_machine

import tests.tools  # noqa: F401  # points Playwright at the pinned Node before it starts
from db import core, schema
from portal import settings, upkeep
from tests import city as small_city
from tests import postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

KINDS = ("sqlite", "postgresql")
TEST_KEY = b"key of the tests, of no installation"


LONG = ("tests/kernel/test_workers.py", "tests/journeys/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes come first, so that none of them is left alone at the end while the other process waits."""
    items.sort(key=lambda item: next((at for at, part in enumerate(LONG) if part in item.nodeid), len(LONG)))


@pytest.fixture(autouse=True)
def _morning(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test begins on Tuesday, November 24, 2026, 10:42 am in New York; time goes on from there."""
    if request.node.get_closest_marker("browser") or request.node.get_closest_marker("real_time"):
        yield  # a browser and a server of its own live in real time
        return
    with time_machine.travel(small_city.NOW, tick=True):
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running PostgreSQL: the one of TEST_DATABASE_URL, else an embedded one for this run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    yield postgres_server.start()
    postgres_server.stop()


class Templates:
    """Databases made once per run and copied for each test: with the packs only, and with the small city."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[tuple[str, bool], str] = {}
        self.counter = 0

    def copy(self, kind: str, with_city: bool, server: Callable[[], str]) -> str:
        """The address of a fresh database."""
        template = self.made.get((kind, with_city)) or self._make(kind, with_city, server)
        self.counter += 1
        if kind == "sqlite":
            target = self.folder / f"test{self.counter}.db"
            shutil.copyfile(template.removeprefix("sqlite:///"), target)
            return f"sqlite:///{target}"
        name = f"test_{os.getpid()}_{self.counter}"
        return postgres_server.create_database(server(), name, template=template.rsplit("/", 1)[1].partition("?")[0])

    def _make(self, kind: str, with_city: bool, server: Callable[[], str]) -> str:
        label = "city" if with_city else "packs"
        if kind == "sqlite":
            url = f"sqlite:///{self.folder / f'{label}.db'}"
        else:
            url = postgres_server.create_database(server(), f"test_{os.getpid()}_{label}")
        database = core.connect(url, audit_key=TEST_KEY)
        with time_machine.travel(small_city.NOW, tick=True):
            schema.upgrade(database)
            upkeep.load_packs(["base"])
            if with_city:
                with core.work() as work:
                    city = small_city.build(work)
                    work.event("demo_city.built", subject_kind="city", subject_id=0)
                self._index(database)
                (self.folder / f"{kind}.city").write_bytes(pickle.dumps(city))
        database.dispose()
        core.use(None)
        if kind == "sqlite":
            connection = core.sqlite_driver.connect(url.removeprefix("sqlite:///"))
            connection.execute("PRAGMA journal_mode=DELETE")  # one file, so that copying it copies everything
            connection.close()
        self.made[kind, with_city] = url
        return url

    @staticmethod
    def _index(database: core.Database) -> None:
        from db import accounts

        accounts.rebuild_find_index(database)

    def city(self, kind: str) -> small_city.City:
        return pickle.loads((self.folder / f"{kind}.city").read_bytes())  # noqa: S301  # written by this very process


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("databases"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database this run of the test uses."""
    return request.param


def _open(kind: str, with_city: bool, templates: Templates, request: pytest.FixtureRequest) -> core.Database:
    url = templates.copy(kind, with_city, lambda: request.getfixturevalue("postgres_url"))
    return core.connect(url, audit_key=TEST_KEY)


def _close(database: core.Database, request: pytest.FixtureRequest) -> None:
    database.dispose()
    core.use(None)
    if not database.is_sqlite:
        postgres_server.drop_database(request.getfixturevalue("postgres_url"), str(database.url.database))


@pytest.fixture
def db(kind: str, templates: Templates, request: pytest.FixtureRequest) -> Iterator[core.Database]:
    """An empty city: schema and base pack, on each kind of database in turn."""
    database = _open(kind, False, templates, request)
    yield database
    _close(database, request)


@pytest.fixture
def city(kind: str, templates: Templates, request: pytest.FixtureRequest) -> Iterator[small_city.City]:
    """The small city of `city.toml`, on each kind of database in turn; answers with the ids of its rows by their keys."""
    database = _open(kind, True, templates, request)
    found = templates.city(kind)
    yield found
    _close(database, request)


STAFF_BY_ROLE = {"representative": "luis", "supervisor": "sam", "manager": "ingrid", "administrator": "ada"}


@pytest.fixture
def actor(city: small_city.City) -> Callable[[str], Any]:
    """`actor("representative")` or `actor("dana")`: somebody of the small city, with the authority their rows give."""
    from portal.staff import views

    return lambda who: views.actor_for_staff(city.staff[STAFF_BY_ROLE.get(who, who)])


@pytest.fixture
def on_call(city: small_city.City) -> Callable[..., int]:
    """`on_call(actor("luis"), "wei")`: a conversation with this customer whose identity was fully checked by calling the number
    on file; the same one, linked anew, while one is open. `checked=False` leaves the check out. Answers with its id."""
    from portal.contacts import commands, views

    def take(who: Any, key: str, *, checked: bool = True) -> int:
        here = views.open_call(who)
        call_id = commands.begin_conversation(who, "phone").subject_id if here is None else here.id
        commands.link_customer(who, call_id, account_id=city.account.get(key), person_id=city.person[key])
        if checked:
            commands.confirm_call_back(who, call_id, True)
        return call_id

    return take


@pytest.fixture
def open_page(city: small_city.City, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """`open_page("case", "supervisor", id=3)`: the page as that person sees it, behind the same door as in the portal."""
    from streamlit.testing.v1 import AppTest

    from portal.desk import who
    from portal.staff import views

    settings.use(settings.load(demo=True))

    def open_it(name: str, role: str = "representative", **query: object) -> AppTest:
        staff_id = city.staff[STAFF_BY_ROLE.get(role, role)]
        monkeypatch.setattr(who, "current_actor", lambda **_: views.actor_for_staff(staff_id))
        monkeypatch.setattr(who, "still_signed_in", lambda: True)
        page = AppTest.from_string(f"from portal.desk import app\napp.draw_page({name!r})", default_timeout=30)
        for key, value in query.items():
            page.query_params[key] = str(value)
        return page.run()

    return open_it
