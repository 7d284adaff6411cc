"""A city for measuring the search: made-up people at made-up addresses, as many as asked, the same for the same seed."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from db import accounts as rows
from db import bulk
from db.core import utc_text
from db.metering import Meter
from db.service_requests import ServiceRequest
from portal.shared.number import check_digit, make_account_number, make_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from db.core import Base, Database

ONSETS = [
    "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "br", "ch", "cl", "cr",
    "dr", "fl", "gr", "kn", "pr", "sh", "sl", "st", "th", "tr",
]  # fmt: skip
VOWELS = [
    "a", "e", "i", "o", "u", "ai", "ea", "ee", "ie", "oa", "ou",
]  # fmt: skip
CODAS = [
    "n", "l", "r", "s", "t", "m", "d", "ck", "ll", "nd", "ng", "rd", "rn", "rt", "ss", "st", "son", "ton", "man",
    "ley", "wood", "field", "worth", "berg",
]  # fmt: skip
NOW = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
SUFFIXES = [
    "St", "Ave", "Rd", "Dr", "Ln", "Ct", "Pl", "Cir", "Blvd", "Ter", "Trl", "Way",
]  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One thing a query of some kind is meant to find."""

    kind: str
    text: str
    account_id: int = 0
    order: tuple[str, int] = ("", 0)


class City:
    """Rows of a synthetic city, made one by one from a seed; `targets` are what queries are generated from."""

    def __init__(self, accounts: int, requests: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.accounts, self.requests = accounts, requests
        self.given = self._words(1, 420)
        self.family = self._words(2, max(400, min(6_000, accounts // 8)))
        self.streets = self._words(2, max(60, min(1_500, accounts // 60)))
        # A few family names are common and most are rare, as anywhere.
        self.family_weights = [1 / (at + 20) ** 0.7 for at in range(len(self.family))]

    def _words(self, syllables: int, count: int) -> list[str]:
        """So many different made-up names."""
        words: dict[str, None] = {}
        while len(words) < count:
            words[self._word(syllables)] = None
        return list(words)

    def _word(self, syllables: int) -> str:
        random_ = self.random
        text = "".join(random_.choice(ONSETS) + random_.choice(VOWELS) for _ in range(syllables)) + random_.choice(
            CODAS
        )
        return text.capitalize()

    def person(self, number: int) -> tuple[str, str, str]:
        """(name, phone, e-mail); one in twelve is a company."""
        random_ = self.random
        family = random_.choices(self.family, cum_weights=None, weights=self.family_weights)[0]
        phone = (
            f"{random_.choice(['850', '229', '352', '904'])}{random_.randrange(2, 10)}{random_.randrange(10**6):06d}"
        )
        if number % 12 == 0:
            name = f"{family} {random_.choice(self.streets)} {random_.choice(['LLC', 'Inc', 'Cafe', 'Properties', 'Dental'])}"
            return name, phone, f"office{number}@{family.lower()}.example.com"
        given = random_.choice(self.given)
        return f"{given} {family}", phone, f"{given}.{family}{number % 1000}@example.com".lower()

    def fill(self, db: Database) -> list[Target]:
        """Writes the rows and returns the targets of every kind, at most 20,000 each, spread over the city."""
        random_ = self.random
        today = dt.date(2026, 11, 24)
        persons, premises, points, accounts, meters, others = [], [], [], [], [], []
        targets: list[Target] = []
        every = max(1, self.accounts // 20_000)
        places: set[tuple[int, str, str]] = set()
        old_numbers = random_.sample(range(10**7), self.accounts)
        at = 0
        while at < self.accounts:
            street = random_.choice(self.streets)
            suffix = SUFFIXES[len(street) * 7 % len(SUFFIXES)]
            house = random_.randrange(1, 4_000)
            units = (
                [f"{random_.randrange(1, 4)}{random_.randrange(1, 40):02d}" for _ in range(12)]
                if random_.random() < 0.04
                else [""]
            )
            for unit in sorted(set(units)):
                if at >= self.accounts or (house, street, unit) in places:
                    continue
                places.add((house, street, unit))
                at += 1
                name, phone, email = self.person(at)
                address = f"{house} {street} {suffix}" + (f", Unit {unit}" if unit else "")
                persons.append(
                    (
                        at,
                        f"P-{100_000 + at}",
                        "company" if at % 12 == 0 else "person",
                        name,
                        phone,
                        email,
                        utc_text(NOW),
                    )
                )
                premises.append(
                    (at, f"PR-{100_000 + at}", house, street, unit, f"323{at % 20:02d}", address, "house", 30.4, -84.2)
                )
                number = make_account_number(1_000_000 + at)
                accounts.append((at, number, at, at, "residential", "2020-01-01"))
                points.append((at, at, "electric"))
                meter = f"E-{400_000 + at * 7}{check_digit(str(400_000 + at * 7))}"
                meters.append((at, meter, at, "electric", "kWh", 5, today.isoformat()))
                scattered = old_numbers[at - 1]
                old = f"{scattered + 2 * 10**7}" if at % 2 else f"CIS{scattered:07d}{random_.choice('ABCDEF')}"
                others.append((at, "old-billing", f"{old}", old.lower(), "account", at))
                if at % every == 0:
                    targets += [
                        Target(kind, text, at)
                        for kind, text in (
                            ("name", name), ("phone", f"({phone[:3]}) {phone[3:6]}-{phone[6:]}"), ("address", address),
                            ("account", number), ("meter", meter), ("old number", old), ("e-mail", email),
                        )
                    ]  # fmt: skip
        load(db, rows.Person, ("id", "number", "kind", "name", "phone", "email", "created_at"), persons)
        load(
            db, rows.Premise,
            ("id", "number", "house_number", "street", "unit", "zip", "address", "kind", "latitude", "longitude"), premises,
        )  # fmt: skip
        load(db, rows.ServicePoint, ("id", "premise_id", "service_kind"), points)
        load(db, rows.Account, ("id", "number", "person_id", "premise_id", "kind", "opened_on"), accounts)
        load(db, Meter, ("id", "number", "service_point_id", "service_kind", "unit", "dials", "installed_on"), meters)
        load(db, rows.OtherNumber, ("id", "source", "value", "value_folded", "subject_kind", "subject_id"), others)
        targets += self._requests(db)
        return targets

    def _requests(self, db: Database) -> list[Target]:
        targets: list[Target] = []
        every = max(1, self.requests // 5_000)

        def lines() -> Iterator[tuple[object, ...]]:
            for at in range(1, self.requests + 1):
                year = 2017 + at % 10
                number = make_number("SR", year, at // 10 + 1)
                account = self.random.randrange(1, self.accounts + 1)
                if at % every == 0:
                    targets.append(Target("order", number, order=("service_request", at)))
                opened = utc_text(dt.datetime(year, 6, 1, tzinfo=dt.UTC))
                closed = int(at % 20 != 0)
                yield (
                    at,
                    number,
                    "cars",
                    "missed",
                    "Missed",
                    "Carts",
                    account,
                    account,
                    "closed",
                    closed,
                    opened,
                    f"{year}-06",
                )

        load(
            db, ServiceRequest,
            ("id", "number", "kind", "request_type_code", "request_type_name", "group_name", "account_id", "premise_id",
             "state_code", "closed", "opened_at", "opened_month"), lines(),
        )  # fmt: skip
        return targets


def load(db: Database, model: type[Base], columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """`bulk.load` with the defaults of the columns that are not given."""
    missing: dict[str, object] = {}
    for name, column in sa.inspect(model).columns.items():
        if name not in columns and not column.nullable:
            default = getattr(column.default, "arg", "{}")
            if callable(default):
                default = "{}"
            missing[name] = int(default) if isinstance(default, bool) else default
    tail = tuple(missing.values())
    bulk.load(db, model, (*columns, *missing), (row + tail for row in rows))


# --- queries ------------------------------------------------------------------------------------------------------------


def query(target: Target, how: str, random_: random.Random) -> str:
    """What somebody types who means `target`: `how` is edit (one character wrong, missing or too many), swap or partial."""
    text = target.text
    numeric = target.kind in ("phone", "account", "meter", "order", "old number")
    if how == "partial":
        return _partial(target, random_)
    if how == "swap":
        places = [
            at
            for at in range(len(text) - 1)
            if text[at] != text[at + 1] and text[at].isalnum() and text[at + 1].isalnum()
        ]
        at = random_.choice(places)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    at = random_.randrange(len(text))
    letter = random_.choice("0123456789" if numeric else "abcdefghijklmnopqrstuvwxyz")
    return random_.choice(
        (text[:at] + text[at + 1 :], text[:at] + letter + text[at + 1 :], text[:at] + letter + text[at:])
    )


def _partial(target: Target, random_: random.Random) -> str:
    text = target.text
    if target.kind == "name":
        first, *rest = text.split()
        if not rest:
            return text[: max(4, len(text) - 2)]
        last = rest[0]
        return f"{first[: random_.randrange(min(3, len(first)), len(first) + 1)]} {last[: random_.randrange(min(4, len(last)), len(last) + 1)]}"
    if target.kind == "address":
        street, _, unit = text.partition(", ")
        house, _, name = street.partition(" ")
        cut = random_.randrange(min(4, len(name)), len(name) + 1)
        return f"{house} {name[:cut]}" + (f" {unit.split()[-1]}" if unit else "")
    if target.kind == "phone":
        return random_.choice((text[6:], text[6:].replace("-", ""), text[:-1]))
    if target.kind == "account":
        return random_.choice(
            (text[:-2], text.replace("-", ""), text[4:].replace("-", ""), text[:-2].replace("-", " "))
        )
    if target.kind == "order":
        prefix, year, digits = text.split("-")
        return random_.choice((f"{prefix} {year} {int(digits)}", text[:-1], text.lower().replace("-", "")))
    if target.kind == "e-mail":
        return text[: random_.randrange(text.index("@") - 1, len(text))]
    if target.kind == "meter":
        return random_.choice((text[2:], text[:-1], text[3:]))
    size = len(text) - 2
    start = random_.choice((0, 1, 2))
    return text[start : start + size]
