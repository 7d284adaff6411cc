"""The small city of `city.toml` as rows: the dozen people and places that all tests speak about."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db import accounts, billing, contacts, metering, staff
from portal.billing.commands import post
from portal.billing.rules.ledger import bill_moves, payment_moves
from portal.billing.views.ledger import tax_accounts
from portal.contacts.rules import hash_secret
from portal.shared.money import parse_money

if TYPE_CHECKING:
    from db.core import Work

CITY = tomllib.loads((Path(__file__).parent / "city.toml").read_text("utf-8"))
TODAY: dt.date = CITY["today"]
NOW = dt.datetime(2026, 11, 24, 15, 42, tzinfo=dt.UTC)
"""10:42 am in New York."""
METERED = {"electric": ("E", "kWh"), "gas": ("G", "ccf"), "water": ("W", "cgal")}


class City:
    """Row ids of the small city by their keys."""

    def __init__(self) -> None:
        self.person: dict[str, int] = {}
        self.premise: dict[str, int] = {}
        self.account: dict[str, int] = {}
        """By account number; the first account of a person also by the person's key."""
        self.staff: dict[str, int] = {}
        self.point: dict[tuple[str, str], int] = {}
        self.meter: dict[str, int] = {}


def build(work: Work) -> City:
    """Writes the small city into a database that holds the base pack."""
    city = City()
    _areas_people_premises(work, city)
    _accounts(work, city)
    _meters(work, city)
    for one in CITY["staff"]:
        row = work.add(
            staff.Staff(
                issuer="demo",
                subject=one["key"],
                name=one["name"],
                division_code=one.get("division"),
                person_id=city.person.get(one.get("person", "")),
                created_at=work.now,
            )
        )
        staff.set_roles(work.session, row.id, one["roles"])
        city.staff[one["key"]] = row.id
    return city


def _areas_people_premises(work: Work, city: City) -> None:
    for one in CITY["area"]:
        work.add(
            accounts.ServiceArea(
                code=one["code"], name=one["name"], polygon={"type": "Polygon", "coordinates": [one["polygon"]]}
            )
        )
    for position, one in enumerate(CITY["person"], 1):
        words = one["name"].split()
        company = one.get("kind") == "company"
        row = work.add(
            accounts.Person(
                number=f"P-{position:06d}",
                kind=one.get("kind", "person"),
                name=one["name"],
                given_name="" if company else words[0],
                family_name="" if company else words[-1],
                phone=one["phone"],
                email=one.get("email", ""),
                language=one.get("language", ""),
                exempt_from_public_records=one.get("exempt", False),
                created_at=work.now,
            )
        )
        city.person[one["key"]] = row.id
        if "pin" in one:
            work.add(contacts.IdentityVerifier(person_id=row.id, secret_hash=hash_secret(one["pin"]), set_at=work.now))
    for position, one in enumerate(CITY["premise"], 1):
        street, _, unit = one["address"].partition(", ")
        number, _, name = street.partition(" ")
        row = work.add(
            accounts.Premise(
                number=f"PR-{position:06d}",
                house_number=int(number),
                street=name,
                unit=unit,
                city="Sample City",
                zip="32303",
                address=one["address"],
                kind=one.get("kind", "house"),
                rental=one.get("rental", False),
                owner_id=city.person[one["owner"]],
                continuity=one.get("continuity", False),
                latitude=one["latitude"],
                longitude=one["longitude"],
                district="north" if one["latitude"] >= 30.45 else "south",
                read_cycle="04",
                collection_code=one["collection"],
                route_code="R14",
            )
        )
        city.premise[one["key"]] = row.id
        for kind in one["kinds"]:
            point = work.add(
                accounts.ServicePoint(
                    premise_id=row.id,
                    service_kind=kind,
                    remote=kind == "electric",
                    service_code={"refuse": "RG96", "recycling": "RR96", "trash": "YW"}.get(kind, ""),
                )
            )
            city.point[one["key"], kind] = point.id


def _accounts(work: Work, city: City) -> None:
    for one in CITY["account"]:
        bills = [(billed, due, parse_money(dollars)) for billed, due, dollars in one["bills"]]
        paid = [(on, parse_money(dollars)) for on, dollars in one["payments"]]
        until = one.get("until")
        account = work.add(
            accounts.Account(
                number=one["number"],
                person_id=city.person[one["person"]],
                premise_id=city.premise[one["premise"]],
                kind=one.get("kind", "residential"),
                bill_cycle="04",
                opened_on=one["since"],
                closed_on=until,
                balance_cents=0,
            )
        )
        city.account[one["number"]] = account.id
        city.account.setdefault(one["person"], account.id)
        premise = next(each for each in CITY["premise"] if each["key"] == one["premise"])
        for kind in premise["kinds"]:
            work.add(
                accounts.ServiceAgreement(
                    account_id=account.id,
                    service_point_id=city.point[one["premise"], kind],
                    service_kind=kind,
                    state_code="stopped" if until else "active",
                    start_on=one["since"],
                    stop_on=until,
                    rate_class=one.get("kind", "residential"),
                )
            )
        for position, (billed, due, cents) in enumerate(bills, 1):
            bill = work.add(
                billing.Bill(
                    number=f"BL-{account.id:05d}{position:02d}",
                    account_id=account.id,
                    from_on=billed - dt.timedelta(days=32),
                    to_on=billed - dt.timedelta(days=2),
                    billed_on=billed,
                    due_on=due,
                    total_cents=cents,
                    lines=one.get("lines", {}).get(
                        billed.isoformat(), [["electric", "customer", "1", str(cents), cents]]
                    ),
                )
            )
            post(
                work, key=f"bill:{bill.id}", kind_code="bill", account_id=account.id, moves=bill_moves(bill.lines, tax_accounts(work.session, billed)),
                business_on=billed, bill_id=bill.id,
            )  # fmt: skip
        for on, cents in paid:
            payment = work.add(billing.Payment(account_id=account.id, paid_on=on, amount_cents=cents, method="card"))
            post(
                work, key=f"payment:{payment.id}", kind_code="payment", account_id=account.id,
                moves=payment_moves(cents, "card"), business_on=on, payment_id=payment.id,
            )  # fmt: skip
        account.cutoff_on = one.get("cutoff")
        for who in one.get("authorised", ()):
            work.add(
                accounts.AuthorisedPerson(
                    account_id=account.id,
                    person_id=city.person[who["person"]],
                    relation=who["relation"],
                    powers=who["powers"],
                    since_on=one["since"],
                )
            )
        for flag in one.get("flags", ()):
            where = flag.get("on", "person")
            work.add(
                accounts.Flag(
                    subject_kind=where,
                    subject_id=city.premise[one["premise"]] if where == "premise" else city.person[one["person"]],
                    code=flag["code"],
                    words=flag["words"],
                    from_on=one["since"],
                )
            )
        if "other_number" in one:
            work.add(
                accounts.OtherNumber(
                    source="old billing",
                    value=one["other_number"],
                    value_folded=one["other_number"].casefold().replace("-", ""),
                    subject_kind="account",
                    subject_id=account.id,
                )
            )


def _meters(work: Work, city: City) -> None:
    work.add(
        billing.CycleDate(
            cycle_code="04",
            month="2026-12",
            read_on=dt.date(2026, 12, 4),
            bill_on=dt.date(2026, 12, 7),
            due_on=dt.date(2026, 12, 28),
            notice_on=dt.date(2027, 1, 4),
            cutoff_on=dt.date(2027, 1, 12),
            collections_on=dt.date(2027, 3, 12),
        )
    )
    for one in CITY["meter"]:
        meter = work.add(
            metering.Meter(
                number=one["number"],
                service_point_id=city.point[one["premise"], one["kind"]],
                service_kind=one["kind"],
                unit=one["unit"],
                dials=5,
                installed_on=dt.date(2019, 1, 1),
            )
        )
        city.meter[one["number"]] = meter.id
        read, uses = one["last"], list(one["use"])
        day: Any = dt.date(2026, 11, 4)
        for back in range(len(uses) + 1):
            work.add(metering.RegisterRead(meter_id=meter.id, read_on=day, read=read, how="regular"))
            if back < len(uses):
                read -= uses[-1 - back]
                day = (day.replace(day=1) - dt.timedelta(days=1)).replace(day=4)
