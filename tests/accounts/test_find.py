from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import accounts as rows
from db import core, events
from db.accounts.find import is_checked, slips, take_apart
from db.accounts.index import folded, keys_of, words_of
from db.metering import Meter
from db.service_requests import ServiceRequest
from portal.accounts import views
from portal.shared.actor import Actor
from portal.shared.number import check_digit, make_number
from portal.shared.refusal import Refused
from portal.shared.text import fold
from tests.bench.bench_find import HOWS, is_right
from tests.bench.synthetic_city import City as Synthetic
from tests.bench.synthetic_city import Target, query
from tests.city import City

DESK = Actor(0, "the desk", permissions=frozenset({"customer.find", "customer.read"}))


def titles(text: str) -> list[str]:
    return [match.title for match in views.find(text, DESK).matches]


# --- the small city


FIRST = [
    ("marcus ellison", "Marcus Ellison"),
    ("Ellison, Marcus", "Marcus Ellison"),
    ("marcu elli", "Marcus Ellison"),
    ("mracus ellison", "Marcus Ellison"),  # two neighbours swapped
    ("marcus elison", "Marcus Ellison"),  # one letter missing, and another man's name
    ("marcusellison", "Marcus Ellison"),  # no space
    ("mar cus ellison", "Marcus Ellison"),  # a space too many
    ("1418 oakhaven", "Marcus Ellison"),
    ("1418 Oakhaven Drive", "Marcus Ellison"),  # the long form of the street word
    ("1418oakhaven dr", "Marcus Ellison"),
    ("77 palmetto unit 4", "Marcella Ellis"),
    ("77 Palmetto Court Apt 4", "Marcella Ellis"),
    ("(850) 555-0142", "Marcus Ellison"),
    ("18505550142", "Marcus Ellison"),
    ("555 0142", "Marcus Ellison"),
    ("0142", "Marcus Ellison"),
    ("100-2231-8", "Marcus Ellison"),
    ("10022318", "Marcus Ellison"),
    ("2231-8", "Marcus Ellison"),
    ("100-2213-8", "Marcus Ellison"),  # swapped digits
    ("E-448120", "Marcus Ellison"),
    ("448120", "Marcus Ellison"),
    ("e448210", "Marcus Ellison"),  # swapped digits
    ("old-77123", "Marcus Ellison"),
    ("77123", "Marcus Ellison"),
    ("m.ellison@example.org", "Marcus Ellison"),
    ("m.elison@example.org", "Marcus Ellison"),
    ("bluewater", "Bluewater Cafe LLC"),
    ("blue water cafe", "Bluewater Cafe LLC"),
    ("rosa ellison", "Rosa Ellison"),  # no account of her own: she may act for Marcus
    ("61 tanner", "61 Tanner St"),  # nobody has an account there
    ("wei chen", "Wei Chen"),
]


def test_the_right_one_comes_first(city: City) -> None:
    assert [(typed, titles(typed)[:1]) for typed, _ in FIRST] == [(typed, [first]) for typed, first in FIRST]


def test_a_former_customer_and_one_who_sounds_alike_are_marked(city: City) -> None:
    match = next(match for match in views.find("ellis", DESK).matches if "Elison" in match.title)
    assert match.title == "Former: Tomas Elison"
    assert [badge.text for badge in match.badges] == ["Past due $412.60", "Closed"]
    assert match.note == "sounds alike"


def test_a_match_carries_what_tells_it_from_others(city: City) -> None:
    match = views.find("100-2231-8", DESK).matches[0]
    assert match.second == "1418 Oakhaven Dr · Account 100-2231-8 · (850) 555-0142"
    assert [badge.text for badge in match.badges] == ["Past due $218.40"]
    assert match.query == (("account", city.account["marcus"]),)


def test_an_order_is_found_by_its_number_typed_in_any_way(city: City) -> None:
    number = make_number("SR", 2026, 412)
    with core.work() as work:
        row = work.add(
            ServiceRequest(
                number=number, kind="cars", request_type_code="missed", request_type_name="Missed collection", group_name="Carts",
                state_code="new", opened_at=work.now, opened_month="2026-11", account_id=city.account["marcus"],
                person_id=city.person["marcus"], premise_id=city.premise["oakhaven"], external_id="101000999111",
            )
        )  # fmt: skip
    digits = number.rsplit("-", 1)[1]
    slipped = f"SR-26-{digits[:4]}{(int(digits[4]) + 1) % 10}{digits[5:]}"
    for typed in (
        number,
        number.lower(),
        number.replace("-", " "),
        f"sr 26 {int(digits)}",
        f"SR{int(digits)}",
        digits,
        slipped,
        "101000999111",
    ):
        match = views.find(typed, DESK).matches[0]
        assert (match.kind, match.page, match.query) == ("service_request", "case", (("id", row.id),)), typed
    assert "1 open" in [badge.text for badge in views.find("marcus ellison", DESK).matches[0].badges]


def test_too_little_is_not_searched(city: City) -> None:
    for typed in ["", " ", "a", "-", "?!", "\x00", "😀"]:
        assert views.find(typed, DESK).too_short, typed


def test_odd_text_breaks_nothing(city: City) -> None:
    for typed in ["' OR 1=1 --", "%%%%", "[[[]]]", "a" * 5_000, "\u202e123", "ZZZ99-1", "1e999", "½½½", "٣٤٥٦٧٨"]:
        found = views.find(typed, DESK)
        assert all(match.note for match in found.matches), f"only what is near may answer to {typed!r}"


def test_finding_needs_its_permission(city: City) -> None:
    with pytest.raises(Refused):
        views.find("ellison", Actor(0, "nobody"))


def test_a_person_is_found_by_the_new_name_at_once(city: City) -> None:
    with core.work() as work:
        person = core.lock(work.session, rows.Person, city.person["priya"])
        assert person is not None
        person.name, person.phone = "Priya Venkataraman", "8505550999"
        rows.index_person(work.session, person.id)
    assert titles("venkataraman") == ["Priya Venkataraman"]
    assert titles("850 555 0999")[0] == "Priya Venkataraman"
    assert "Priya Venkataraman" not in titles("priya raman")[:0]
    assert "Priya Venkataraman" not in titles("8505550163")


def test_a_premise_is_found_by_a_meter_hung_today(city: City) -> None:
    with core.work() as work:
        point = city.point["tanner61", "electric"]
        work.add(
            Meter(
                number="E-990077",
                service_point_id=point,
                service_kind="electric",
                unit="kWh",
                dials=5,
                installed_on=work.now.date(),
            )
        )
        rows.index_premise(work.session, city.premise["tanner61"])
    assert titles("E-990077") == ["61 Tanner St"]


# --- the index


def snapshot() -> tuple[list[tuple[object, ...]], ...]:
    with core.read() as session:
        return tuple(
            sorted(tuple(row) for row in session.execute(table.select()))
            for table in (rows.FindEntry.__table__, rows.FindWord.__table__, rows.FindNumber.__table__)
        )


def test_the_index_kept_equals_the_index_rebuilt(city: City) -> None:
    with core.work() as work:
        marcus = core.lock(work.session, rows.Person, city.person["marcus"])
        account = core.lock(work.session, rows.Account, city.account["priya"])
        assert marcus is not None
        assert account is not None
        marcus.name, marcus.other_phone = "Marc Ellison-Reyes", "8505550777"
        account.closed_on = work.now.date()  # the address falls free and gets an entry of its own
        rows.index_person(work.session, marcus.id)
        rows.index_account(work.session, account.id)
    kept = snapshot()
    assert titles("903 ellis ave")[0] == "903 Ellis Ave"
    rows.rebuild_find_index(core.database())
    assert snapshot() == kept


def test_a_refused_command_leaves_no_trace_in_the_index(city: City) -> None:
    before = snapshot()

    def change_and_fail() -> None:
        with core.work() as work:
            person = core.lock(work.session, rows.Person, city.person["priya"])
            assert person is not None
            person.name = "Somebody Else"
            rows.index_person(work.session, person.id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    assert snapshot() == before


# --- parts


@given(st.text(max_size=40))
def test_text_is_folded_as_everywhere(text: str) -> None:
    assert folded(text) == fold(text)


@given(st.text("0123456789", min_size=2, max_size=12))
def test_the_check_digit_is_the_one_of_our_numbers(digits: str) -> None:
    assert is_checked(digits + check_digit(digits))
    assert not is_checked(digits + str((int(check_digit(digits)) + 1) % 10))


@given(st.text("abcdef", min_size=1, max_size=7), st.data())
def test_a_slip_can_be_taken_back(word: str, data: st.DataObject) -> None:
    slipped = data.draw(st.sampled_from(sorted(slips(word, "abcdef"))))
    assert word in slips(slipped, "abcdef") or slipped == word


def test_every_run_of_four_characters_of_a_number_is_a_key_or_begins_one() -> None:
    keys = {key for key, _ in keys_of("a10022318")}
    for start in range(5):
        for end in range(start + 4, 9):
            assert any(key.startswith("10022318"[start:end]) for key in keys)


def test_a_unit_word_is_not_a_word_to_find() -> None:
    assert take_apart("77 Palmetto Ct, Apt 4").words == ("77", "palmetto", "ct", "4")
    assert words_of("marcus ellison", "77 palmetto ct 4") == {"marcus", "ellison", "77", "palmetto", "ct", "4"}


# --- the same on both databases, and the right one in the first five

ACCOUNTS = 5_000


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str
) -> Iterator[tuple[list[Target], core.Database, core.Database]]:
    """The same synthetic city on SQLite and on PostgreSQL."""
    from tests import postgres_server

    made = []
    targets: list[Target] = []
    name = "test_find_both"
    for url in (
        f"sqlite:///{tmp_path_factory.mktemp('find') / 'find.db'}",
        postgres_server.create_database(postgres_url, name),
    ):
        database = core.Database(url)
        database.create_schema()
        targets = Synthetic(ACCOUNTS, 5_000, seed=3).fill(database)
        rows.rebuild_find_index(database)
        made.append(database)
    yield targets, made[0], made[1]
    for database in made:
        database.dispose()
    postgres_server.drop_database(postgres_url, name)


def answers(database: core.Database, text: str) -> list[rows.Found]:
    with database.reading() as session:
        return rows.find(session, text)


@pytest.mark.parametrize("kind", ["name", "phone", "address", "account", "meter", "old number", "e-mail", "order"])
def test_the_right_one_is_in_the_first_five(both: tuple[list[Target], core.Database, core.Database], kind: str) -> None:
    targets, sqlite, _ = both
    of_kind = [target for target in targets if target.kind == kind]
    random_ = random.Random(11)
    right, count = 0, 150
    with sqlite.reading() as session:
        for at in range(count):
            target = random_.choice(of_kind)
            found = rows.find(session, query(target, HOWS[at % 3], random_))
            right += is_right(session, target, found[:5])
    assert right / count >= 0.95


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_both_databases_give_the_same_list(
    both: tuple[list[Target], core.Database, core.Database], data: st.DataObject
) -> None:
    targets, sqlite, postgresql = both
    target = data.draw(st.sampled_from(targets))
    how = data.draw(st.sampled_from((*HOWS, "whole", "cut")))
    random_ = random.Random(data.draw(st.integers(0, 10**6)))
    if how == "whole":
        text = target.text
    elif how == "cut":
        text = target.text[: data.draw(st.integers(2, len(target.text)))]
    else:
        text = query(target, how, random_)
    assert answers(sqlite, text) == answers(postgresql, text)


def test_events_are_untouched_by_finding(city: City) -> None:
    with core.read() as session:
        before = events.event_count(session)
    titles("ellison")
    with core.read() as session:
        assert events.event_count(session) == before
