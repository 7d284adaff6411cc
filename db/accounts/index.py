"""The search index: what each entry is found by, kept in the writing transaction, and made anew in bulk.

Every entry's words and numbers follow from one `FindEntry` row alone (`words_of`, `keys_of`), so the index of an entry is
changed by comparing what its row said with what it says now: no list of postings is kept beside the postings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db import bulk, core
from db.accounts.tables import (
    Account,
    FindEntry,
    FindNumber,
    FindTerm,
    FindWord,
    OtherNumber,
    Person,
    Premise,
)
from db.folding import folded
from db.service_requests import index_all_words, index_words_of_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from db.core import Database

KINDS = ("account", "person", "premise")
SHORTEST_KEY = 4
"""A number is found by any run of so many of its characters."""
_LONGEST = 60

SHORT_FORMS = {
    "street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln", "court": "ct",
    "place": "pl", "circle": "cir", "boulevard": "blvd", "terrace": "ter", "trail": "trl", "highway": "hwy",
    "parkway": "pkwy", "square": "sq", "crossing": "xing", "point": "pt", "ridge": "rdg", "cove": "cv", "loop": "loop",
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se",
    "southwest": "sw", "saint": "st", "mount": "mt", "fort": "ft",
}  # fmt: skip
"""Words of an address as the post office shortens them (USPS Publication 28, appendices B and C1)."""
LONG_FORMS = {short: long for long, short in SHORT_FORMS.items() if len(long) > len(short)}
UNIT_WORDS = frozenset({"unit", "apt", "apartment", "suite", "ste", "lot", "room", "rm", "no"})
"""Say that a unit follows; the unit's own number is what tells one from another."""


# --- folding ------------------------------------------------------------------------------------------------------------


def squeezed(text: str) -> str:
    """A number or an e-mail address as it is searched: folded, with nothing between its characters."""
    return folded(text).replace(" ", "").replace(".", "")[:_LONGEST]


def place_words(address: str) -> str:
    """An address as it is searched: folded, street words in their short form, without the word before a unit's number."""
    words = [SHORT_FORMS.get(word, word) for word in folded(address).split()]
    return " ".join(word for word in words if word not in UNIT_WORDS)


# --- what an entry is found by ------------------------------------------------------------------------------------------


def entry_id(kind: str, subject_id: int) -> int:
    return subject_id * 4 + KINDS.index(kind)


def words_of(names: str, place: str) -> set[str]:
    return {word[:_LONGEST] for word in f"{names} {place}".split()}


def keys_of(numbers: str) -> dict[tuple[str, str], int]:
    """(key, kind) -> how many characters stand before it, for all the numbers of an entry."""
    keys: dict[tuple[str, str], int] = {}
    for number in numbers.split():
        kind, whole = number[0], number[1:]
        if kind == "m" and not whole[:1].isdigit():
            whole = whole.lstrip("abcdefghijklmnopqrstuvwxyz") or whole  # the letter of a meter says its kind only
        last = 0 if kind == "e" else max(0, len(whole) - SHORTEST_KEY)
        for skip in range(last + 1):
            place = (whole[skip:], kind)
            keys[place] = min(skip, keys.get(place, skip))
    return keys


@dataclass(frozen=True)
class NumberSource:
    """Numbers kept by a room above this one: `select` gives (number, premise_id)."""

    letter: str
    select: sa.Select[*tuple[Any, ...]]
    premise_id: sa.ColumnElement[Any]


_SOURCES: list[NumberSource] = []


def also_found_by(letter: str, select: sa.Select[*tuple[Any, ...]], premise_id: Any) -> None:
    """A higher room says by which numbers of its own a premise is found (`m`: meters); called once, when it is imported.

    That room then calls `index_premise` in the transaction that adds such a number.
    """
    _SOURCES.append(NumberSource(letter, select, premise_id))


Entry = dict[str, Any]


def entries_of_accounts(session: Session, where: sa.ColumnElement[bool], most: int | None = None) -> list[Entry]:
    """The entries of the accounts that fit, in order of their ids."""
    rows = session.execute(
        sa.select(
            Account.id, Account.number, Account.closed_on, Account.person_id, Account.premise_id,
            Person.number.label("person_number"), Person.name, Person.phone, Person.other_phone, Person.email,
            Premise.address, Premise.zip, Premise.number.label("premise_number"),
        )
        .join(Person, Person.id == Account.person_id)
        .outerjoin(Premise, Premise.id == Account.premise_id)
        .where(where)
        .order_by(Account.id)
        .limit(most)
    ).all()  # fmt: skip
    persons = {row.person_id for row in rows}
    open_premises = {row.premise_id for row in rows if row.premise_id is not None and row.closed_on is None}
    merged = _merged(session, persons)
    other = _other_numbers(session, "account", [row.id for row in rows])
    other_of_person = _other_numbers(session, "person", persons)
    other_of_premise = _other_numbers(
        session, "premise", {row.premise_id for row in rows if row.premise_id is not None}
    )
    of_premise = _source_numbers(session, open_premises)
    found = []
    for row in rows:
        names, numbers = _person_words(row, merged.get(row.person_id, ()), other_of_person.get(row.person_id, ()))
        numbers = ["a" + squeezed(row.number), *numbers, *other.get(row.id, ())]
        if row.premise_id is not None:
            numbers += ["n" + squeezed(row.premise_number), *other_of_premise.get(row.premise_id, ())]
            if row.closed_on is None:
                numbers += of_premise.get(row.premise_id, ())
        found.append(
            _entry(
                "account", row.id, names, row.address or "", row.zip or "", numbers, closed=row.closed_on is not None
            )
        )
    return found


def entries_of_persons(session: Session, where: sa.ColumnElement[bool], most: int | None = None) -> list[Entry]:
    """The entries of the persons that fit and have no account of their own, in order of their ids."""
    rows = session.execute(
        sa.select(
            Person.id, Person.id.label("person_id"), Person.number.label("person_number"),
            Person.name, Person.phone, Person.other_phone, Person.email,
        )
        .where(where, Person.merged_into_id.is_(None), ~sa.exists().where(Account.person_id == Person.id))
        .order_by(Person.id)
        .limit(most)
    ).all()  # fmt: skip
    persons = [row.id for row in rows]
    merged, other = _merged(session, persons), _other_numbers(session, "person", persons)
    found = []
    for row in rows:
        names, numbers = _person_words(row, merged.get(row.id, ()), other.get(row.id, ()))
        found.append(_entry("person", row.id, names, "", "", numbers))
    return found


def entries_of_premises(session: Session, where: sa.ColumnElement[bool], most: int | None = None) -> list[Entry]:
    """The entries of the premises that fit and have no open account, in order of their ids."""
    rows = session.execute(
        sa.select(Premise.id, Premise.number, Premise.address, Premise.zip)
        .where(where, ~sa.exists().where(Account.premise_id == Premise.id, Account.closed_on.is_(None)))
        .order_by(Premise.id)
        .limit(most)
    ).all()
    premises = [row.id for row in rows]
    other, of_premise = _other_numbers(session, "premise", premises), _source_numbers(session, premises)
    return [
        _entry(
            "premise", row.id, [], row.address, row.zip,
            ["n" + squeezed(row.number), *other.get(row.id, ()), *of_premise.get(row.id, ())],
        )
        for row in rows
    ]  # fmt: skip


def _entry(
    kind: str,
    subject_id: int,
    names: list[str],
    address: str,
    zip_code: str,
    numbers: list[str],
    *,
    closed: bool = False,
) -> Entry:
    return {
        "id": entry_id(kind, subject_id),
        "kind": kind,
        "subject_id": subject_id,
        "closed": closed,
        "names": "\n".join(dict.fromkeys(name for name in names if name)),
        "place": place_words(address),
        "zip": zip_code,
        "numbers": " ".join(dict.fromkeys(number for number in numbers if len(number) > 1)),
    }


def _person_words(row: Any, merged: Iterable[Any], other: Iterable[str]) -> tuple[list[str], list[str]]:
    names, numbers = [], []
    for person in (row, *merged):
        names.append(folded(person.name))
        numbers.append("n" + squeezed(person.person_number))
        numbers += ["p" + squeezed(phone) for phone in (person.phone, person.other_phone)]
        numbers.append("e" + squeezed(person.email))
    return names, [*numbers, *other]


def _merged(session: Session, persons: Iterable[int]) -> dict[int, list[Any]]:
    """The records merged into each person: their names and numbers still find the one that is left."""
    found: dict[int, list[Any]] = {}
    for ids in core.batched(persons, 500):
        for row in session.execute(
            sa.select(
                Person.merged_into_id, Person.number.label("person_number"),
                Person.name, Person.phone, Person.other_phone, Person.email,
            )
            .where(Person.merged_into_id.in_(ids))
            .order_by(Person.id)
        ):  # fmt: skip
            found.setdefault(row.merged_into_id, []).append(row)
    return found


def _other_numbers(session: Session, kind: str, subjects: Iterable[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for ids in core.batched(subjects, 500):
        for subject_id, value in session.execute(
            sa.select(OtherNumber.subject_id, OtherNumber.value)
            .where(OtherNumber.subject_kind == kind, OtherNumber.subject_id.in_(ids))
            .order_by(OtherNumber.id)
        ):
            found.setdefault(subject_id, []).append("o" + squeezed(value))
    return found


def _source_numbers(session: Session, premises: Iterable[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for ids in core.batched(premises, 500):
        for source in _SOURCES:
            for number, premise_id in session.execute(source.select.where(source.premise_id.in_(ids))):
                found.setdefault(premise_id, []).append(source.letter + squeezed(number))
    return {premise_id: sorted(numbers) for premise_id, numbers in found.items()}


# --- kept in the writing transaction ------------------------------------------------------------------------------------


def index_account(session: Session, account_id: int) -> None:
    """Brings the index up to an account as its rows now say, with its person and premise; call it after each change of them."""
    row = session.execute(
        sa.select(Account.person_id, Account.premise_id).where(Account.id == account_id)
    ).one_or_none()
    _reindex(
        session,
        accounts={account_id},
        persons=set() if row is None else {row.person_id},
        premises=set() if row is None or row.premise_id is None else {row.premise_id},
    )


def index_person(session: Session, person_id: int) -> None:
    """Brings the index up to a person (name, phones, e-mail, old numbers) on everything the person is found by, and the words
    by which the person's open requests are found."""
    index_words_of_person(session, person_id)
    accounts = set(session.scalars(sa.select(Account.id).where(Account.person_id == person_id)))
    _reindex(session, accounts=accounts, persons={person_id}, premises=set())


def index_premise(session: Session, premise_id: int) -> None:
    """Brings the index up to a premise (address, meters, who has an account there)."""
    accounts = set(session.scalars(sa.select(Account.id).where(Account.premise_id == premise_id)))
    _reindex(session, accounts=accounts, persons=set(), premises={premise_id})


def _reindex(session: Session, *, accounts: set[int], persons: set[int], premises: set[int]) -> None:
    session.flush()
    wanted: dict[int, Entry] = {}
    if accounts:
        wanted |= {entry["id"]: entry for entry in entries_of_accounts(session, Account.id.in_(accounts))}
    if persons:
        wanted |= {entry["id"]: entry for entry in entries_of_persons(session, Person.id.in_(persons))}
    if premises:
        wanted |= {entry["id"]: entry for entry in entries_of_premises(session, Premise.id.in_(premises))}
    ids = [
        entry_id(kind, subject_id)
        for kind, subjects in zip(KINDS, (accounts, persons, premises), strict=True)
        for subject_id in sorted(subjects)
    ]
    before = {
        row.id: row
        for row in session.execute(
            sa.select(FindEntry.id, FindEntry.names, FindEntry.place, FindEntry.numbers).where(FindEntry.id.in_(ids))
        )
    }
    words_gone, words_new, keys_gone, keys_new = [], [], [], []
    for one in ids:
        old, new = before.get(one), wanted.get(one)
        old_words = words_of(old.names, old.place) if old is not None else set()
        new_words = words_of(new["names"], new["place"]) if new is not None else set()
        old_keys = keys_of(old.numbers) if old is not None else {}
        new_keys = keys_of(new["numbers"]) if new is not None else {}
        words_gone += [{"w": word, "e": one} for word in sorted(old_words - new_words)]
        words_new += [{"word": word, "entry_id": one} for word in sorted(new_words - old_words)]
        keys_gone += [{"k": key, "c": kind, "e": one} for key, kind in sorted(old_keys.keys() - new_keys.keys())]
        keys_new += [
            {"key": key, "entry_id": one, "kind": kind, "skip": skip}
            for (key, kind), skip in sorted(new_keys.items())
            if old_keys.get((key, kind)) != skip
        ]
    if words_gone:
        session.execute(sa.text("DELETE FROM find_word WHERE word = :w AND entry_id = :e"), words_gone)
    if keys_gone:
        session.execute(sa.text("DELETE FROM find_number WHERE key = :k AND entry_id = :e AND kind = :c"), keys_gone)
    if gone := sorted(before.keys() - wanted.keys()):
        session.execute(sa.delete(FindEntry).where(FindEntry.id.in_(gone)))
    columns = ["kind", "subject_id", "closed", "names", "place", "zip", "numbers"]
    core.upsert(session, _table(FindEntry), [wanted[one] for one in sorted(wanted)], ["id"], columns)
    core.upsert(session, _table(FindWord), words_new, ["word", "entry_id"], [])
    core.upsert(session, _table(FindNumber), keys_new, ["key", "entry_id", "kind"], ["skip"])
    # In one order, so that two transactions with the same new words wait for each other and never both ways.
    terms = sorted({row["word"] for row in words_new})
    core.upsert(session, _table(FindTerm), [{"word": word, "entries": 1} for word in terms], ["word"], [])


# --- made anew ----------------------------------------------------------------------------------------------------------


def rebuild_find_index(db: Database, *, chunk: int = 4_000, progress: Callable[[int], None] | None = None) -> int:
    """Makes the whole index anew from the rows and returns how many entries it has, in bounded memory; and the words by which
    open work is found.

    For a city that was loaded in bulk (demo city, conversion of an old system): find answers nothing until it is done, and
    nobody may write meanwhile. `progress` hears the number of entries so far.
    """
    bulk.empty(db, [FindEntry, FindWord, FindTerm, FindNumber])
    count = 0
    for entries in _all_entries(db, chunk):
        words = [(word, entry["id"]) for entry in entries for word in words_of(entry["names"], entry["place"])]
        keys = [
            (key, entry["id"], kind, skip)
            for entry in entries
            for (key, kind), skip in keys_of(entry["numbers"]).items()
        ]
        # In the order of the keys, so that neighbours of the index are written together.
        words.sort()
        keys.sort()
        names = ("id", "kind", "subject_id", "closed", "names", "place", "zip", "numbers")
        bulk.load(
            db,
            FindEntry,
            names,
            [tuple(int(entry[n]) if n == "closed" else entry[n] for n in names) for entry in entries],
        )
        bulk.load(db, FindWord, ("word", "entry_id"), words)
        bulk.load(db, FindNumber, ("key", "entry_id", "kind", "skip"), keys)
        count += len(entries)
        if progress is not None:
            progress(count)
    count_terms(db)
    with db.writing() as session:
        index_all_words(session)
    return count


def count_terms(db: Database) -> None:
    """Counts anew in how many entries each word is; after a rebuilding, and from time to time in a growing city."""
    with db.writing() as session:
        # "WHERE true": SQLite's parser needs it between SELECT and ON CONFLICT.
        session.execute(
            sa.text(
                "INSERT INTO find_term (word, entries) SELECT word, COUNT(*) FROM find_word WHERE true GROUP BY word "
                "ON CONFLICT (word) DO UPDATE SET entries = excluded.entries"
            )
        )
    if not db.is_sqlite:
        with db.write_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE find_word, find_number, find_term, find_entry")


def _all_entries(db: Database, chunk: int) -> Iterator[Sequence[Entry]]:
    """Every entry there should be, in chunks; each read by its own short look, so that memory stays small."""
    for entries_of, ids in (
        (entries_of_accounts, Account.id),
        (entries_of_persons, Person.id),
        (entries_of_premises, Premise.id),
    ):
        last = 0
        while True:
            with db.reading() as session:
                entries = entries_of(session, ids > last, chunk)
            if not entries:
                break
            yield entries
            last = entries[-1]["subject_id"]


def _table(model: type[core.Base]) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table
