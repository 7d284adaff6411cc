"""Rows of the nouns: persons, premises, service points, meters, containers, accounts, agreements, flags, who may act for whom."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from db.bulk import json_text
from portal.billing.rules.deposit import ApplicantRecord, deposit_for
from portal.billing.rules.tariff import SERVICE_KINDS
from portal.contacts.rules import hash_secret, spoken
from portal.demo_city import words
from portal.demo_city.draw import stream
from portal.demo_city.meters import HOW
from portal.demo_city.people import NOBODY, PERSON, named_accounts
from portal.demo_city.services import (
    DIALS,
    ELECTRIC,
    GAS,
    METERED,
    RECYCLING,
    REFUSE,
    SEWER,
    STORMWATER,
    TRASH,
    UNITS,
    WATER,
)
from portal.demo_city.streets import BUSINESS, HOUSE, KIND_NAMES
from portal.shared.number import make_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.billing.rules.deposit import DepositPolicy
    from portal.demo_city.bills import Owing
    from portal.demo_city.city import City
    from portal.demo_city.meters import CycleReads

Row = tuple[Any, ...]
DEPOSIT_DAYS = 730

AREA_COLUMNS = ("code", "name", "kind", "polygon")
PERSON_COLUMNS = (
    "id", "version", "number", "kind", "name", "given_name", "family_name", "phone", "other_phone", "email",
    "mailing_address", "language", "household_key", "exempt_from_public_records", "created_at",
)  # fmt: skip
PREMISE_COLUMNS = (
    "id", "version", "number", "house_number", "street", "unit", "city", "zip", "address", "kind", "rental", "owner_id",
    "continuity", "latitude", "longitude", "district", "inside_city", "read_cycle", "collection_code", "route_code",
)  # fmt: skip
POINT_COLUMNS = ("id", "premise_id", "service_kind", "remote", "multiplicity", "service_code", "off_since_on")
METER_COLUMNS = ("id", "number", "service_point_id", "service_kind", "unit", "dials", "multiplier", "installed_on")
CONTAINER_COLUMNS = ("number", "service_point_id", "kind_code", "delivered_on")
ACCOUNT_COLUMNS = (
    "id", "version", "number", "person_id", "premise_id", "kind", "bill_by", "mailing_address", "bill_cycle", "opened_on",
    "closed_on", "balance_cents", "past_due_cents", "past_due_since_on", "deposit_cents", "cutoff_on",
)  # fmt: skip
AGREEMENT_COLUMNS = (
    "id", "version", "account_id", "service_point_id", "service_kind", "state_code", "start_on", "stop_on", "rate_class",
)  # fmt: skip
AUTHORISED_COLUMNS = ("account_id", "person_id", "relation", "powers", "since_on")
FLAG_COLUMNS = ("subject_kind", "subject_id", "code", "words", "from_on", "until_on")
VERIFIER_COLUMNS = ("person_id", "secret_hash", "set_at", "failures")
OTHER_NUMBER_COLUMNS = ("source", "value", "value_folded", "subject_kind", "subject_id")
READ_COLUMNS = ("meter_id", "read_on", "seq", "read", "how")
TEMPERATURE_COLUMNS = ("day", "mean_f")


def areas(city: City) -> Iterator[Row]:
    for area in city.areas:
        yield area.code, area.name, "district", json_text(area.polygon)


def persons(city: City) -> Iterator[Row]:
    folk = city.people
    second = stream(city.seed, "second phone").random(folk.count)
    for row in np.flatnonzero(folk.used).tolist():
        name, given, family = folk.names(row)
        known = folk.known.get(row)
        language = words.LANGUAGES[folk.language[row]] if folk.language[row] >= 0 else ""
        exempt = bool(folk.exempt[row])
        if known is not None:
            language, exempt = known.get("language", ""), known.get("exempt", False)
        company = folk.kind[row] != PERSON if known is None else known.get("kind") == "company"
        yield (
            row + 1,
            1,
            f"P-{row + 1:06d}",
            "company" if company else "person",
            name,
            given,
            family,
            folk.phone(row),
            folk.phone(row + folk.count) if second[row] < 0.2 and known is None else "",
            folk.email(row),
            f"PO Box {1000 + row * 7 % 9000}" if second[row] > 0.955 and known is None else "",
            language,
            f"H-{folk.household[row]}" if folk.household[row] else "",
            int(exempt),
            city.midday(int(min(folk.since[row], city.days.today.toordinal() - 1))),
        )


def premises(city: City) -> Iterator[Row]:
    place, folk = city.place, city.people
    codes = [area.code for area in city.areas]
    for row in range(place.count):
        yield (
            row + 1,
            1,
            f"PR-{row + 1:06d}",
            int(place.house_number[row]),
            place.street[row],
            place.unit[row],
            "",
            place.zip[row],
            place.address(row),
            KIND_NAMES[place.kind[row]],
            int(folk.rental[row]),
            int(folk.owner[row]) + 1,
            int(folk.continuity[row]),
            float(place.latitude[row]),
            float(place.longitude[row]),
            codes[place.district[row]],
            int(place.inside_city[row]),
            city.days.cycles[place.cycle[row]].code,
            place.collection[row],
            place.route[row],
        )


def service_points(city: City) -> Iterator[Row]:
    place, served, held = city.place, city.served, city.held
    for row, points in enumerate(served.point_id.tolist()):
        colour = place.collection[row].rpartition("-")[2]
        # Vacant: off since the last occupant left.
        off = city.days.iso(int(held.left_on[row])) if held.present[row] == NOBODY else None
        for kind, point in enumerate(points):
            if not point:
                continue
            remote = kind in METERED and bool(served.remote[row, METERED.index(kind)])
            units = int(served.units_of_runoff[row]) if kind == STORMWATER else 1
            yield point, row + 1, SERVICE_KINDS[kind], int(remote), units, served.service_code(row, kind, colour), off


def meters(city: City) -> Iterator[Row]:
    served = city.served
    age = stream(city.seed, "meter age").integers(200, 5200, served.meter_id.shape)
    start = city.days.window_start
    for row, ids in enumerate(served.meter_id.tolist()):
        for which, meter in enumerate(ids):
            if meter:
                kind = METERED[which]
                installed = max(start - int(age[row, which]), city.days.first_day)
                yield (
                    meter, served.meter_number(which, meter), int(served.point_id[row, kind]), SERVICE_KINDS[kind],
                    UNITS[which], DIALS[which], 1, city.days.iso(installed),
                )  # fmt: skip


def containers(city: City) -> Iterator[Row]:
    """Carts by pairs with refuse and recycling; numbers by the year of delivery."""
    served, held = city.served, city.held
    year_of: dict[int, int] = {}
    for row in range(city.place.count):
        for kind in (REFUSE, RECYCLING):
            if served.has[row, kind]:
                first = held.former[row] if held.former[row] != NOBODY else held.present[row]
                day = max(int(held.opened[first]), city.days.first_day)
                year = int(city.days.iso(day)[:4])
                year_of[year] = year_of.get(year, 0) + 1
                what = served.container_kind(row) if kind == REFUSE else "cart-96"
                yield make_number("CT", year, year_of[year]), int(served.point_id[row, kind]), what, city.days.iso(day)


def accounts(city: City, owing: dict[int, Owing], rows: list[int], deposits: dict[int, int]) -> Iterator[Row]:
    """Account rows with what they owe, in the order of `rows`."""
    held, place = city.held, city.place
    for row in rows:
        premise = int(held.premise[row])
        person = int(held.holder[row])
        owes = owing.get(row)
        closed = int(held.closed[row])
        yield (
            row + 1,
            1,
            city.account_number(row),
            person + 1,
            premise + 1,
            "commercial" if place.kind[premise] == BUSINESS else "residential",
            "email" if city.people.email(person) and row % 5 < 3 else "letter",
            "",
            city.days.cycles[place.cycle[premise]].code,
            day_text(city, int(held.opened[row])),
            city.days.iso(closed) if closed else None,
            owes.balance_cents if owes else 0,
            owes.past_due_cents if owes else 0,
            city.days.iso(owes.past_due_since) if owes and owes.past_due_since else None,
            deposits.get(row, 0),
            city.days.iso(owes.cutoff_on) if owes and owes.cutoff_on and not closed else None,
        )


def deposits(city: City, policy: DepositPolicy) -> dict[int, int]:
    """Cents held by account row: who came in the last two years gave the deposit of the policy's rows for a new customer."""
    held = city.held
    since = city.days.today.toordinal() - DEPOSIT_DAYS
    kept: dict[tuple[Any, ...], int] = {}
    found: dict[int, int] = {}
    for row in np.flatnonzero((held.opened > since) & (held.closed == 0)).tolist():
        premise = int(held.premise[row])
        kinds = tuple(SERVICE_KINDS[at] for at in np.flatnonzero(city.served.has[premise]).tolist())
        customer_class = "commercial" if city.place.kind[premise] == BUSINESS else "residential"
        if (kinds, customer_class) not in kept:
            decided = deposit_for(policy, kinds, ApplicantRecord(customer_class))
            kept[kinds, customer_class] = decided.total_cents or 0
        found[row] = kept[kinds, customer_class]
    return found


def day_text(city: City, ordinal: int) -> str:
    """A day that may lie before the city's calendar begins (accounts of thirty years)."""
    if ordinal >= city.days.first_day:
        return city.days.iso(ordinal)
    return type(city.days.today).fromordinal(ordinal).isoformat()


def agreements(city: City) -> Iterator[Row]:
    held, served = city.held, city.served
    number = 0
    for row in range(held.count):
        premise, closed = int(held.premise[row]), int(held.closed[row])
        rate_class = "commercial" if city.place.kind[premise] == BUSINESS else "residential"
        start = day_text(city, int(held.opened[row]))
        stop = city.days.iso(closed) if closed else None
        state = "stopped" if closed else "active"
        if row in held.coming:
            state, start = "pending_start", city.days.iso(held.coming[row])
        elif row in held.going:
            state, stop = "pending_stop", city.days.iso(held.going[row])
        for kind, point in enumerate(served.point_id[premise].tolist()):
            if point:
                number += 1
                yield number, 1, row + 1, point, SERVICE_KINDS[kind], state, start, stop, rate_class


def first_agreements(city: City) -> np.ndarray:
    """Per account row: the id of its first agreement; they count up from there in the order of service kinds."""
    per_account = city.served.has.sum(axis=1)[city.held.premise]
    return np.concatenate(([1], 1 + np.cumsum(per_account)[:-1]))


def authorised(city: City) -> Iterator[Row]:
    held, folk = city.held, city.people
    drawn = stream(city.seed, "powers").random(held.count)
    named = dict(named_accounts(city.named, held))
    for row, mate in enumerate(folk.partner.tolist()):
        if mate == NOBODY:
            continue
        relation, powers = "spouse", ["ask", "pay", "change", "stop"]
        if drawn[row] < 0.25:
            relation, powers = "household", ["ask", "pay"]
        elif drawn[row] < 0.45:
            relation, powers = "spouse", ["ask", "pay", "change"]
        if row in named:
            written = named[row]["authorised"][0]
            relation, powers = written["relation"], written["powers"]
        yield row + 1, mate + 1, relation, json_text(powers), day_text(city, int(held.opened[row]))


def flags(city: City) -> Iterator[Row]:
    held, place = city.held, city.place
    today = city.days.today.toordinal()
    drawn = stream(city.seed, "flags").random(max(held.count, place.count))
    named = dict(named_accounts(city.named, held))
    for row in sorted(city.medical):
        if row in named:
            continue
        since = max(int(held.opened[row]), today - 700 + int(drawn[row] * 500))
        what = ("Oxygen concentrator at home", "Home dialysis", "Ventilator at home")[row % 3]
        yield (
            "person",
            int(held.holder[row]) + 1,
            "medical",
            what,
            city.days.iso(since),
            city.days.iso(today + 200 + row % 120),
        )
    for row, one in sorted(named.items()):
        for flag in one.get("flags", ()):
            where = flag.get("on", "person")
            subject = int(held.premise[row]) + 1 if where == "premise" else int(held.holder[row]) + 1
            yield where, subject, flag["code"], flag["words"], day_text(city, int(held.opened[row])), None
    for row in range(len(city.named.premises), place.count):
        if place.kind[row] == HOUSE and drawn[row] < 0.035:
            what = ("Dog in the yard", "Large dog, side gate", "Two dogs, call ahead")[row % 3]
            yield "premise", row + 1, "dog", what, city.days.iso(today - 100 - row % 900), None
    for row in range(held.count):
        if drawn[row] > 0.993 and not held.closed[row] and row not in named:
            yield "account", row + 1, "mail_returned", "Last bill came back", city.days.iso(today - 5 - row % 40), None


def verifiers(city: City) -> Iterator[Row]:
    """One person in twenty has a PIN. The salt follows from the seed, so that the same city has the same hashes."""
    folk = city.people
    has = (stream(city.seed, "verifiers").random(folk.count) < 0.05) & folk.used & (folk.kind == PERSON)
    has[list(folk.known)] = False
    today = city.days.today.toordinal()
    for row in sorted({*np.flatnonzero(has).tolist(), *(at for at, one in folk.known.items() if "pin" in one)}):
        pin = folk.known[row]["pin"] if row in folk.known else f"{(row * 7919 + city.seed) % 10_000:04d}"
        salt = hashlib.blake2b(f"{city.seed}:{row}".encode(), digest_size=16).digest()
        set_on = max(min(int(folk.since[row]), today - 1), city.days.first_day)
        yield row + 1, hash_secret(pin, salt) if row in folk.known else _light_hash(pin, salt), city.midday(set_on), 0


def _light_hash(pin: str, salt: bytes) -> str:
    """As `hash_secret` stores it, with a smaller cost: ten thousand people who do not exist need no hour of hashing."""
    digest = hashlib.scrypt(spoken(pin).encode(), salt=salt, n=2**8, r=8, p=1, dklen=32).hex()
    return f"scrypt${2**8}$8$1${salt.hex()}${digest}"


def _old_number(row: int) -> int:
    """Eight digits, different for every row and far from the neighbour's: 7,654,321 and 90,000,000 share no divisor."""
    return 10_000_000 + row * 7_654_321 % 90_000_000


def other_numbers(city: City) -> Iterator[Row]:
    """Numbers of the old billing system: everybody's who was there before the window began."""
    held = city.held
    named = dict(named_accounts(city.named, held))
    old = np.flatnonzero(held.opened < city.days.window_start)
    for row in old.tolist():
        value = named[row].get("other_number") if row in named else f"OLD-{_old_number(row)}"
        if value:
            yield "old billing", value, value.casefold().replace("-", ""), "account", row + 1


def reads(city: City, cycle_reads: CycleReads, block: slice) -> Iterator[Row]:
    """Register reads of some premises, meter by meter, oldest first."""
    days = city.days
    rows = cycle_reads.rows[block]
    first, text = days.first_day, days.text
    for which in range(3):
        meter = city.served.meter_id[rows, which]
        real = cycle_reads.real[block] & (meter > 0)[:, None]
        at, _ = np.nonzero(real)
        yield from (
            (number, text[day - first], 0, dial, HOW[how])
            for number, day, dial, how in zip(
                meter[at].tolist(),
                cycle_reads.day[block][real].tolist(),
                cycle_reads.dial[which, block][real].tolist(),
                cycle_reads.how[block][real].tolist(),
                strict=True,
            )
        )


def temperatures(city: City) -> Iterator[Row]:
    days = city.days
    for place, tenths in enumerate(days.temperature.tolist()):
        yield days.text[place], tenths


assert (ELECTRIC, GAS, WATER) == METERED
assert len({REFUSE, RECYCLING, TRASH, SEWER, STORMWATER}) == 5
