"""Who lives, owns and trades in the city: persons, households, landlords, firms; and who held which premise from when to when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.demo_city import words
from portal.demo_city.draw import chosen, stream
from portal.demo_city.streets import APARTMENT, BUSINESS, HOUSE

if TYPE_CHECKING:
    from portal.demo_city.named import Named
    from portal.demo_city.streets import Premises

PERSON, FIRM, LANDLORD_FIRM = 0, 1, 2
NOBODY = -1
NAMED_AT_MOST = 20
"""So many first premises may be named ones; nobody moves between them and the others."""


@dataclass
class Holdings:
    """Who held which premise: one row per account, in the order of premises, a former occupant before the present one.

    Days are ordinals (`date.toordinal`); `closed` 0 means still open. `holder` is a row of `People`.
    """

    premise: np.ndarray
    holder: np.ndarray
    opened: np.ndarray
    closed: np.ndarray
    left_on: np.ndarray
    """Per premise: the day the former occupant left, 0 when there was no turnover."""
    came_on: np.ndarray
    """Per premise: the day the present occupant came after a turnover; 0 without one, or while it is vacant."""
    former: np.ndarray
    """Per premise: the account row of the former occupant, -1 for none."""
    present: np.ndarray
    """Per premise: the account row of the present occupant, -1 when vacant."""
    coming: dict[int, int]
    """Account rows at vacant premises whose start is booked, with its day."""
    going: dict[int, int]
    """Account rows of present occupants whose stop is booked, with its day."""

    @property
    def count(self) -> int:
        return len(self.premise)


@dataclass
class People:
    """Persons and firms as columns; a row number is a person, the id is the number plus one."""

    kind: np.ndarray
    given: np.ndarray
    family: list[str]
    firm: list[str]
    household: np.ndarray
    """A number shared by the people of one household, 0 for none."""
    language: np.ndarray
    """Position in the list of languages, -1 for English."""
    exempt: np.ndarray
    since: np.ndarray
    owner: np.ndarray
    """Per premise: the row of its owner."""
    rental: np.ndarray
    continuity: np.ndarray
    used: np.ndarray
    """False for the few rows that became another's second account."""
    known: dict[int, dict[str, Any]]
    """Rows of the named people, as their file says them."""
    partner: np.ndarray
    """Per account row: the row of the second adult who may act for it, -1 for none."""

    @property
    def count(self) -> int:
        return len(self.kind)

    def names(self, row: int) -> tuple[str, str, str]:
        """Name on the bill, given name, family name."""
        if row in self.known:
            one = self.known[row]
            words_of = one["name"].split()
            return (one["name"], "", "") if one.get("kind") == "company" else (one["name"], words_of[0], words_of[-1])
        if self.kind[row] != PERSON:
            return self.firm[row], "", ""
        given = words.GIVEN_NAMES[self.given[row]]
        return f"{given} {self.family[row]}", given, self.family[row]

    def phone(self, row: int) -> str:
        """Ten digits, different for every person until the area codes are used up."""
        if row in self.known:
            return str(self.known[row]["phone"])
        # 7,919 and 10,000 have no common divisor, so the last four digits do not count up from neighbour to neighbour.
        code, digits = words.AREA_CODES[row // 10_000 % len(words.AREA_CODES)], row * 7919 % 10_000
        if code == words.AREA_CODES[0] and 100 <= digits < 200:
            code = words.SPARE_AREA_CODE  # these are the named people's
        return f"{code}555{digits:04d}"

    def email(self, row: int) -> str:
        """An address in a domain reserved for examples; not everybody has one."""
        if row in self.known:
            return str(self.known[row].get("email", ""))
        if row % 10 >= 7:
            return ""
        name = re.sub(r"[^a-z]+", ".", self.names(row)[0].lower()).strip(".")
        return f"{name}{row % 97 + 1}@{words.MAIL_DOMAINS[row % 3]}"


def holdings(seed: int, place: Premises, named: Named, window_start: int, today: int) -> tuple[Holdings, np.ndarray]:
    """Who held what since `window_start`, and which premises are let. At most one turnover per premise in the window."""
    generator = stream(seed, "holdings")
    count = place.count
    share = np.choose(place.kind, (0.28, 0.97, 0.62))
    rental = generator.random(count) < share
    yearly = np.where(place.kind == BUSINESS, 0.09, np.where(rental, 0.27, 0.05))
    years = max((today - window_start) / 365.25, 0.1)
    turned = generator.random(count) < 1 - np.exp(-yearly * years)
    vacant = generator.random(count) < 0.022
    first, last = window_start + 70, today - 6
    came = generator.integers(first, max(last, first + 1), count)
    gap = np.where(generator.random(count) < 0.6, 0, generator.integers(1, 31, count))
    left = np.where(vacant, today - generator.integers(3, 120, count), came - gap)
    # Most have been there for years when the window begins.
    long_ago = window_start - 15 - (generator.exponential(2400, count)).astype(np.int64) % 14_000
    for row, one in enumerate(named.premises):
        rental[row] = one.get("rental", False)
        turned[row], vacant[row], left[row], came[row], long_ago[row] = _named_tenure(
            named, one["key"], window_start, today
        )
    turned |= vacant
    came = np.where(vacant | ~turned, 0, came)
    left = np.where(turned, np.maximum(left, window_start + 35), 0)
    rows_per = turned.astype(np.int64) + (~vacant).astype(np.int64)
    start = np.concatenate(([0], np.cumsum(rows_per)[:-1]))
    former = np.where(turned, start, NOBODY)
    present = np.where(vacant, NOBODY, start + turned)
    total = int(rows_per.sum())
    premise = np.repeat(np.arange(count), rows_per)
    opened, closed = np.zeros(total, dtype=np.int64), np.zeros(total, dtype=np.int64)
    opened[former[turned]], closed[former[turned]] = long_ago[turned], left[turned]
    stays = ~vacant
    opened[present[stays]] = np.where(turned, came, long_ago)[stays]
    # The next days: starts at vacant premises by people who are new, and stops of people who leave.
    lived_in = np.flatnonzero(stays & (place.kind != BUSINESS) & (np.arange(count) >= NAMED_AT_MOST))
    empty = np.flatnonzero(~stays & (place.kind != BUSINESS) & (np.arange(count) >= NAMED_AT_MOST))
    going_at = generator.permutation(lived_in)[: max(3, count // 500)]
    coming_at = generator.permutation(empty)[: max(2, count // 600)]
    premise = np.concatenate((premise, coming_at))
    opened = np.concatenate((opened, np.full(len(coming_at), today - 1)))
    closed = np.concatenate((closed, np.zeros(len(coming_at), dtype=np.int64)))
    coming = {total + at: today + 1 + at % 8 for at in range(len(coming_at))}
    going = {int(present[row]): today + 1 + at % 9 for at, row in enumerate(going_at.tolist())}
    total += len(coming_at)
    holder = np.arange(total)
    _moved_within(generator, place, holder, premise, opened, closed)
    return (
        Holdings(
            premise=premise, holder=holder, opened=opened, closed=closed,
            left_on=left, came_on=came, former=former, present=present, coming=coming, going=going,
        ),
        rental,
    )  # fmt: skip


def _named_tenure(named: Named, key: str, window_start: int, today: int) -> tuple[bool, bool, int, int, int]:
    """Turned over, vacant, left on, came on, held since: as the file says it, moved into the window where it must be."""
    tenures = [one for one in named.accounts if one["premise"] == key]
    before = next((one for one in tenures if "until" in one), None)
    now = next((one for one in tenures if "until" not in one), None)
    long_ago = window_start - 15
    if now is None:
        return True, True, today - 45, 0, long_ago
    since = now["since"].toordinal()
    if before is not None:
        left = min(max(before["until"].toordinal(), window_start + 35), today - 20)
        return True, False, left, min(max(since, left + 13), today - 6), min(before["since"].toordinal(), long_ago)
    if window_start + 60 < since < today - 6:
        return True, False, since - 2, since, long_ago  # somebody without a name was there before
    return False, False, 0, 0, min(since, long_ago)


def named_accounts(named: Named, held: Holdings) -> list[tuple[int, dict[str, Any]]]:
    """The account rows of the named accounts."""
    found = []
    for one in named.accounts:
        premise = named.premise_row(one["premise"])
        found.append((int((held.former if "until" in one else held.present)[premise]), one))
    return found


def _moved_within(
    generator: np.random.Generator,
    place: Premises,
    holder: np.ndarray,
    premise: np.ndarray,
    opened: np.ndarray,
    closed: np.ndarray,
) -> None:
    """Some who left one premise came to another in the same days: one person, two accounts."""
    lives = place.kind[premise] != BUSINESS
    lives &= premise >= NAMED_AT_MOST
    leavers = np.flatnonzero((closed > 0) & lives & (generator.random(len(closed)) < 0.3))
    leavers = leavers[np.argsort(closed[leavers], kind="stable")]
    comers = np.flatnonzero((closed == 0) & lives & (opened >= closed[leavers[0]] if len(leavers) else False))
    comers = comers[np.argsort(opened[comers], kind="stable")]
    next_comer = 0
    for leaver in leavers.tolist():
        while next_comer < len(comers) and opened[comers[next_comer]] < closed[leaver] - 2:
            next_comer += 1
        if next_comer == len(comers):
            return
        comer = comers[next_comer]
        if opened[comer] <= closed[leaver] + 9 and premise[comer] != premise[leaver]:
            holder[comer] = leaver
            next_comer += 1


def people(seed: int, place: Premises, named: Named, held: Holdings, rental: np.ndarray) -> People:
    """The persons behind the accounts: account holders first (row = account row), then landlords, then second adults."""
    generator = stream(seed, "people")
    kind_of_holder = place.kind[held.premise]
    holders = held.count
    with_partner = (kind_of_holder == HOUSE) & (generator.random(holders) < 0.42)
    with_partner |= (kind_of_holder == APARTMENT) & (generator.random(holders) < 0.18)
    with_partner &= held.holder == np.arange(holders)
    real_accounts = dict(named_accounts(named, held))
    first_rows = held.premise < len(named.premises)
    with_partner[first_rows] = False
    for row, one in real_accounts.items():
        with_partner[row] = bool(one.get("authorised"))
    let = np.flatnonzero(rental)
    landlords = max(2, len(let) // 9)
    partners = int(with_partner.sum())
    total = holders + landlords + partners

    kind = np.zeros(total, dtype=np.int64)
    kind[:holders][kind_of_holder == BUSINESS] = FIRM
    kind[holders : holders + landlords][generator.random(landlords) < 0.55] = LANDLORD_FIRM
    given = generator.integers(0, len(words.GIVEN_NAMES), total)
    starts = generator.integers(0, len(words.FAMILY_STARTS), total).tolist()
    ends = generator.integers(0, len(words.FAMILY_ENDS), total).tolist()
    rare = (generator.random(total) < 0.22).tolist()
    rare_name = generator.integers(0, len(words.FAMILY_NAMES), total).tolist()
    family = [
        words.FAMILY_NAMES[other] if odd else words.FAMILY_STARTS[a] + words.FAMILY_ENDS[b]
        for a, b, odd, other in zip(starts, ends, rare, rare_name, strict=True)
    ]
    kind[holders] = LANDLORD_FIRM  # the named landlord is the first of them
    firm = _firm_names(generator, kind, family)

    partner = np.full(holders, NOBODY)
    partner[with_partner] = np.arange(holders + landlords, total)
    household = np.zeros(total, dtype=np.int64)
    household[:holders][with_partner] = np.flatnonzero(with_partner) + 1
    household[holders + landlords :] = np.flatnonzero(with_partner) + 1
    same_name = generator.random(total) < 0.8
    for row, mate in enumerate(partner.tolist()):
        if mate != NOBODY and same_name[mate]:
            family[mate] = family[row]

    language = np.full(total, NOBODY)
    other = generator.random(total) < 0.045
    language[other] = chosen(generator, words.LANGUAGE_WEIGHTS, int(other.sum()))
    language[kind != PERSON] = NOBODY
    exempt = (generator.random(total) < 0.012) & (kind == PERSON)
    # Landlords own many: a few own hundreds of doors, most own a handful.
    owner = np.full(place.count, NOBODY)
    weights = 1 / (np.arange(landlords) + 3.0)
    block = np.repeat(np.arange(-(-len(let) // 4)), 4)[: len(let)]
    owner_of_block = chosen(generator, weights.tolist(), int(block[-1]) + 1 if len(block) else 0)
    owner[let] = holders + owner_of_block[block] if len(let) else owner[let]
    own = ~rental
    lives_there = np.where(held.present >= 0, held.present, held.former)
    owner[own] = held.holder[lives_there[own]]
    known: dict[int, dict[str, Any]] = {}
    for row, account in real_accounts.items():
        known[int(held.holder[row])] = named.person(account["person"])
        if account.get("authorised"):
            known[int(partner[row])] = named.person(account["authorised"][0]["person"])
    let_by_firm = [one for one in named.premises if one.get("rental")]
    for one in let_by_firm:
        owner[named.premise_row(one["key"])] = holders
        known[holders] = named.person(one["owner"])
    continuity = rental & (generator.random(place.count) < 0.4)
    for row, one in enumerate(named.premises):
        continuity[row] = one.get("continuity", False)
    since = np.empty(total, dtype=np.int64)
    since[:holders] = held.opened
    since[holders : holders + landlords] = held.opened.min()
    since[holders + landlords :] = held.opened[with_partner]
    used = np.ones(total, dtype=bool)
    used[:holders] = held.holder == np.arange(holders)
    return People(
        used=used, known=known, kind=kind, given=given, family=family, firm=firm, household=household, language=language, exempt=exempt,
        since=since, owner=owner, rental=rental, continuity=continuity, partner=partner,
    )  # fmt: skip


def _firm_names(generator: np.random.Generator, kind: np.ndarray, family: list[str]) -> list[str]:
    """“Bluewater Cafe LLC”; a name that comes again gets its number, as branches do."""
    total = len(kind)
    start = generator.integers(0, len(words.FIRM_STARTS), total).tolist()
    trade = generator.integers(0, len(words.FIRM_TRADES), total).tolist()
    form = generator.integers(0, len(words.FIRM_FORMS), total).tolist()
    by_family = (generator.random(total) < 0.4).tolist()
    seen: dict[str, int] = {}
    names = []
    for row, which in enumerate(kind.tolist()):
        if which == PERSON:
            names.append("")
            continue
        head = family[row] if by_family[row] else words.FIRM_STARTS[start[row]]
        trades = words.LANDLORD_TRADES if which == LANDLORD_FIRM else words.FIRM_TRADES
        name = f"{head} {trades[trade[row] % len(trades)]}"
        seen[name] = seen.get(name, 0) + 1
        number = f" No. {seen[name]}" if seen[name] > 1 else ""
        names.append(f"{name}{number} {words.FIRM_FORMS[form[row]]}")
    return names
