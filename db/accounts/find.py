"""One search over everybody and everything the desk opens: names, addresses, phones, accounts, meters, orders, old numbers.

Both databases answer with the same list: each query fetches a bounded set of candidates by a rule that has no opinion of
its own (exact keys, ranges in byte order, whole-number scores), and the ranking happens here.

Words: every typed word is looked up among the words there are, with every spelling one slip away (a letter too many, too
few, wrong, or two swapped) and every word it begins. Numbers: the same one slip, any run of four characters, and for
numbers with a check digit only those slips that make the digit right.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from rapidfuzz.distance import OSA

from db import core
from db.accounts.index import LONG_FORMS, SHORT_FORMS, SHORTEST_KEY, UNIT_WORDS, folded, squeezed
from db.service_requests import ServiceRequest, WorkOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

LONGEST_QUERY = 100
MOST_WORDS = 8
CANDIDATES = 150
"""How many entries at most are read and ranked."""
BUDGET = 4_000
"""How many postings one typed word may touch."""
PREFIXES = 250
"""How many words that begin with the typed one are considered, the most frequent first."""
ENOUGH = 9
"""Below so many entries, spellings farther away are looked at too."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"

# What a spelling contributes before any entry is read; whole numbers, so that both databases add up the same.
_EXACT, _BEGINS, _SLIP, _FAR = 10, 8, 6, 4


@dataclass(frozen=True)
class Found:
    """One match: an entry to open, or an order."""

    kind: str
    """account, person, premise, or the order's kind: service_request, work_order, move, bill."""
    subject_id: int
    score: int
    """0 to 1000."""
    how: str = "exact"
    """exact, begins, near: how the text that was typed fits."""
    by: str = ""
    """What it was found by where that is not the name or address: phone, account, meter, order, old number, e-mail."""
    shown: str = ""
    """The number it was found by, as it is stored in the index."""
    account_id: int | None = None
    premise_id: int | None = None
    person_id: int | None = None
    label: str = ""
    closed: bool = False


@dataclass(frozen=True)
class Typed:
    """What was typed, taken apart."""

    text: str
    words: tuple[str, ...]
    whole: str
    """All letters and digits with nothing between."""
    digits: str

    @property
    def is_number(self) -> bool:
        """Whether it may be a number: one word with some digits, or several that are digits for the most part."""
        letters = len(self.whole) - len(self.digits)
        return len(self.digits) >= SHORTEST_KEY and (
            letters <= 3 or (" " not in self.text and letters <= len(self.digits))
        )

    @property
    def is_only_number(self) -> bool:
        """Whether it can hardly be a house number with something else."""
        return (
            self.is_number
            and len(self.digits) >= 6
            and not any(len(word) > 3 and word.isalpha() for word in self.words)
        )

    @property
    def is_email(self) -> bool:
        at_end = re.search(r"(com|net|org|edu|gov|us|info)$", self.whole) is not None
        return "@" in self.text or (len(self.words) <= 2 and " " not in self.text and (at_end or "." in self.text))


def take_apart(text: str) -> Typed:
    text = text.strip()[:LONGEST_QUERY]
    # "1418oakhaven": the space between house number and street is the one most often left out.
    apart = re.sub(r"\b([0-9]+)([^\W\d_]{3,})", r"\1 \2", folded(text))
    words = tuple(word for word in apart.split() if word not in UNIT_WORDS)[:MOST_WORDS]
    whole = squeezed(text)
    return Typed(text, words, whole, "".join(character for character in whole if character in DIGITS))


def find(session: Session, text: str, most: int = 9) -> list[Found]:
    """The best matches for what was typed, best first; empty when less than two characters were typed."""
    typed = take_apart(text)
    if len(typed.whole) < 2:
        return []
    found = _by_order_number(session, typed) if typed.is_number else []
    if typed.is_number or typed.is_email or len(typed.words) == 1:
        found += _by_number(session, typed)
    best = max((each.score for each in found), default=0)
    if best < (600 if typed.is_only_number else 700 if typed.is_email else 2000):
        found += _by_words(session, typed)
    found.sort(key=lambda each: (-each.score, each.closed, each.kind, each.subject_id))
    seen: set[tuple[str, int]] = set()
    kept: list[Found] = []
    for each in found:
        if (each.kind, each.subject_id) not in seen:
            seen.add((each.kind, each.subject_id))
            kept.append(each)
    return kept[:most]


# --- one slip -----------------------------------------------------------------------------------------------------------


def slips(text: str, alphabet: str) -> set[str]:
    """Every text that becomes `text` by one slip: a character too many, too few, wrong, or two neighbours swapped."""
    found = set()
    for at in range(len(text) + 1):
        head, tail = text[:at], text[at:]
        if tail:
            found.add(head + tail[1:])
            found.update([head + letter + tail[1:] for letter in alphabet])
        if len(tail) > 1:
            found.add(head + tail[1] + tail[0] + tail[2:])
        found.update([head + letter + tail for letter in alphabet])
    found.discard(text)
    return found


def _near(text: str, other: str) -> int:
    """How good a near number is, 0 to 100: swapped neighbours first, then one wrong, too many or too few."""
    if text == other:
        return 100
    if len(text) == len(other):
        return 90 if sorted(text) == sorted(other) else 86
    return 84


def _same_groups(typed: str, written: str, past: int = 0) -> int:
    """A little more when the dashes, too, are where they belong: they tell in which group the slip is."""
    return 5 if "-" in typed and OSA.distance(typed[past:].strip(), written[past:], score_cutoff=1) <= 1 else 0


# --- numbers ------------------------------------------------------------------------------------------------------------

_NUMBER_ROWS = "SELECT key, entry_id, kind, skip FROM find_number "
_BY = {"p": "phone", "a": "account", "m": "meter", "o": "old number", "n": "number", "e": "e-mail"}


def _by_number(session: Session, typed: Typed) -> list[Found]:
    """Entries by a phone, account, meter or other number or an e-mail address, whole, in part, or one slip away."""
    texts = {typed.whole}
    if typed.is_number:
        texts.add(typed.digits)
        if len(typed.digits) == 11 and typed.digits[0] == "1":
            texts.add(typed.digits[1:])
    best: dict[int, tuple[int, str, str, str]] = {}

    def note(entry: int, score: int, how: str, kind: str, key: str) -> None:
        if score > best.get(entry, (0,))[0]:
            best[entry] = (score, how, kind, key)

    for text in sorted(texts):
        if len(text) < SHORTEST_KEY:
            continue
        rows = session.execute(
            sa.text(_NUMBER_ROWS + "WHERE key >= :low AND key < :high ORDER BY key, entry_id, kind LIMIT 120"),
            {"low": text, "high": text[:-1] + chr(ord(text[-1]) + 1)},
        )
        for key, entry, kind, skip in rows:
            if key == text:
                score = 1000 if skip == 0 else 965 if kind == "p" and skip == 3 else 930
                note(entry, score, "exact" if skip == 0 else "begins", kind, key)
            elif kind != "e" or not typed.is_number:
                spread = 40 * len(text) // len(key)
                note(
                    entry,
                    (880 if skip == 0 else 860 if kind in "pa" and skip == 3 else 800) + spread,
                    "begins",
                    kind,
                    key,
                )
    slipped: dict[str, str] = {}
    for text in sorted(texts):
        if len(text) < 5 or (text == typed.whole and not (typed.is_number or typed.is_email)):
            continue
        for key in slips(text, DIGITS if text.isdecimal() else DIGITS + LETTERS):
            slipped.setdefault(key, text)
    if slipped:
        rows = _among(
            session, _NUMBER_ROWS + "WHERE key {among} AND (skip = 0 OR (kind = 'p' AND skip = 3)) "
            "ORDER BY skip, key, entry_id, kind LIMIT 300", sorted(slipped),
        )  # fmt: skip
        for key, entry, kind, skip in rows:
            score = 8 * _near(slipped[key], key) + (30 if skip == 0 else 0)
            if kind == "a" and skip == 0:
                score += _same_groups(typed.text, f"{key[:-5]}-{key[-5:-1]}-{key[-1]}")
            note(entry, score, "near", kind, key)
    rows = _among(
        session, "SELECT id, closed, numbers FROM find_entry WHERE id {among}", sorted(best), whole_numbers=True
    )  # fmt: skip
    found = []
    for row in rows:
        score, how, kind, key = best[row.id]
        score += _as_written(typed, kind, key, row.numbers) - (25 if row.closed else 0)
        found.append(Found(*_subject(row.id), score, how, _BY[kind], key, closed=bool(row.closed)))
    return found


def _as_written(typed: Typed, kind: str, key: str, numbers: str) -> int:
    """What the letters and marks around the digits add or take: E-448120 is a meter of kind E, (850) begins a phone."""
    if not typed.is_number:
        return 0
    letters = re.sub(r"[^a-z].*", "", typed.whole)
    if letters and key.isdecimal():
        if kind == "m" and len(letters) == 1:
            return 0 if f"m{letters}" in " ".join(each[:2] for each in numbers.split() if each.endswith(key)) else -60
        return -150
    if "(" in typed.text:
        return 0 if kind == "p" else -60
    return -30 if kind != "a" and re.search(r"[0-9]-[0-9]{3,5}-[0-9]{0,2}$", typed.text.strip()) else 0


def _subject(entry: int) -> tuple[str, int]:
    from db.accounts.index import KINDS

    return KINDS[entry % 4], entry // 4


# --- orders -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Numbered:
    """A kind of order with a number of its own (`SR-26-0004127`) that the find box opens.

    `select` gives number, id, account_id, premise_id, person_id, label, closed, in this order.
    """

    prefix: str
    kind: str
    select: sa.Select[*tuple[Any, ...]]
    number: sa.ColumnElement[Any]


_NUMBERED: dict[str, Numbered] = {}


def numbered(prefix: str, kind: str, number: Any, select: sa.Select[*tuple[Any, ...]]) -> None:
    """A room says that its numbers can be found: `number` is the indexed column (called once, when the room is imported)."""
    _NUMBERED[prefix] = Numbered(prefix, kind, select, number)


numbered(
    "SR", "service_request", ServiceRequest.number,
    sa.select(
        ServiceRequest.number, ServiceRequest.id, ServiceRequest.account_id, ServiceRequest.premise_id,
        ServiceRequest.person_id, ServiceRequest.request_type_name.label("label"), ServiceRequest.closed,
    ),
)  # fmt: skip
numbered(
    "WO", "work_order", WorkOrder.number,
    sa.select(
        WorkOrder.number, WorkOrder.id, WorkOrder.account_id, WorkOrder.premise_id,
        sa.null().label("person_id"), WorkOrder.name.label("label"), WorkOrder.closed,
    ),
)  # fmt: skip

# Damm's check digit, as portal.shared.number makes it: of all the slips, only those that make it right can be meant.
_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def is_checked(digits: str) -> bool:
    """Whether the last digit of a run of digits is right for the others."""
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return interim == 0


def _by_order_number(session: Session, typed: Typed) -> list[Found]:
    """Orders by their number, whole, in part, or one slip away; by the number of the system they came from, too."""
    match = re.fullmatch(r"([a-z]{0,3})([0-9]+)", typed.whole)
    letters = match[1].upper() if match else re.sub(r"[^a-z].*", "", typed.whole)[:3].upper()
    digits = typed.digits
    known = [_NUMBERED[letters]] if letters in _NUMBERED else [_NUMBERED[prefix] for prefix in sorted(_NUMBERED)]
    scores: dict[str, int] = {}
    if len(digits) >= 8:
        for other in slips(digits, DIGITS):
            if len(other) >= 9 and is_checked(other):
                scores[other] = 9 * _near(digits, other) + _same_groups(typed.text, f"XX-{other[:2]}-{other[2:]}", 3)
        if len(digits) >= 9:
            scores[digits] = 1000
    found: list[Found] = []
    for kind in known:
        certain = kind.prefix == letters
        texts = {f"{kind.prefix}-{other[:2]}-{other[2:]}": score for other, score in scores.items()}
        if certain and 3 <= len(digits) < 9:
            # The year and the last digits, as people write them: SR 26 4127.
            texts[f"{kind.prefix}-{digits[:2]}-{digits[2:].zfill(7)}"] = 940
        if len(digits) <= 7 and (certain or not letters):
            year = core.now().year
            for back in range(-5, 12):
                texts[f"{kind.prefix}-{(year - back) % 100:02d}-{digits.zfill(7)}"] = (900 if certain else 700) - back
        for row in session.execute(kind.select.where(kind.number.in_(sorted(texts)))):
            score = texts[row.number] - (0 if certain or not letters else 20) - (15 if row.closed else 0)
            how = "exact" if texts[row.number] == 1000 else "near" if len(digits) >= 8 else "begins"
            found.append(_order(kind.kind, row, score, how))
        if certain and 3 <= len(digits) < 9:
            start = f"{kind.prefix}-{digits[:2]}-{digits[2:]}"
            rows = session.execute(
                kind.select.where(kind.number >= start, kind.number < start[:-1] + chr(ord(start[-1]) + 1))
                .order_by(kind.number.desc())
                .limit(20)
            )
            found += [_order(kind.kind, row, 920 - (15 if row.closed else 0), "begins") for row in rows]
    return found + _by_foreign_number(session, typed)


def _by_foreign_number(session: Session, typed: Typed) -> list[Found]:
    """Requests by their number in the system they were imported from: as typed, or one slip away."""
    written = {typed.text, typed.text.upper(), typed.whole, typed.whole.upper(), typed.digits}
    kind = _NUMBERED["SR"]
    rows = session.execute(kind.select.where(ServiceRequest.external_id.in_(sorted(written))).limit(20)).all()
    if rows or len(typed.whole) < 6 or not typed.whole.isdecimal():
        return [_order(kind.kind, row, 990 - (15 if row.closed else 0), "exact", by="old number") for row in rows]
    near = sorted(slips(typed.whole, DIGITS))
    rows = session.execute(
        kind.select.where(ServiceRequest.external_id.in_(near)).order_by(ServiceRequest.id.desc()).limit(20)
    ).all()
    return [_order(kind.kind, row, 690, "near", by="old number") for row in rows]


def _order(kind: str, row: Any, score: int, how: str, by: str = "order") -> Found:
    return Found(
        kind, row.id, score, how, by, row.number,
        row.account_id, row.premise_id, row.person_id, row.label, bool(row.closed),
    )  # fmt: skip


# --- words --------------------------------------------------------------------------------------------------------------


@dataclass
class _Word:
    """A typed word and the words it may stand for."""

    text: str
    readings: tuple[str, ...]
    """The word itself and its short or long form."""
    weight: int
    stands_for: dict[str, int] = field(default_factory=dict)
    """Word -> how well it fits (`_EXACT` and below)."""


def _by_words(session: Session, typed: Typed) -> list[Found]:
    """Entries whose names and addresses fit the typed words best."""
    words = [_Word(text, _readings(text), _weight(text)) for text in typed.words]
    if not words:
        return []
    counts = _spellings(session, words)
    chosen: list[tuple[str, int, int]] = []
    rest: list[tuple[str, int, int]] = []
    for number, word in enumerate(words):
        left = BUDGET
        for text, fit in sorted(word.stands_for.items(), key=lambda each: (-each[1], counts.get(each[0], 1), each[0])):
            place = (text, number, fit * word.weight)
            if counts.get(text, 1) > left:
                rest.append(place)
                continue
            left -= counts.get(text, 1)
            chosen.append(place)
    if not chosen:
        chosen = rest[:1]
    if not chosen:
        return []
    entries = _candidates(session, chosen)
    if not entries:
        return []
    rank = _Ranking(typed, words)
    rows = _among(
        session, "SELECT id, kind, subject_id, closed, names, place, zip FROM find_entry WHERE id {among}",
        sorted(entries), whole_numbers=True,
    )  # fmt: skip
    found = []
    for row in rows:
        score, how = rank.score(row.names, row.place, row.zip)
        if score >= 450:
            found.append(
                Found(row.kind, row.subject_id, score - (25 if row.closed else 0), how, closed=bool(row.closed))
            )
    return found


def _readings(text: str) -> tuple[str, ...]:
    other = SHORT_FORMS.get(text) or LONG_FORMS.get(text)
    return (text, other) if other else (text,)


def _weight(text: str) -> int:
    """Longer words say more; a house number says much."""
    return 4 if text.isdecimal() else min(5, max(1, len(text) - 1))


def _spellings(session: Session, words: Sequence[_Word]) -> dict[str, int]:
    """Fills in what each typed word may stand for; returns in how many entries each such word is."""
    counts: dict[str, int] = {}
    asked: dict[str, list[tuple[_Word, int]]] = {}
    for number, word in enumerate(words):
        for text in word.readings:
            asked.setdefault(text, []).append((word, _EXACT))
            if len(text) >= 3 or text.isdecimal():
                for other in slips(text, DIGITS if text.isdecimal() else LETTERS):
                    asked.setdefault(other, []).append((word, _SLIP))
        text = word.text
        # A space too few: both halves may be words, with or without the character that stands in the space's place.
        for at in range(2, len(text) - 1):
            for half in (text[:at], text[at:], text[at + 1 :]):
                if len(half) >= 3 or half.isdecimal():
                    asked.setdefault(half, []).append((word, _FAR))
        # A space too many: the neighbours may be one word.
        if number + 1 < len(words):
            joined = text + words[number + 1].text
            asked.setdefault(joined, []).append((word, _SLIP))
            for other in slips(joined, LETTERS) if len(joined) >= 5 and joined.isalpha() and len(text) <= 3 else ():
                asked.setdefault(other, []).append((word, _FAR))
    for row in _among(session, "SELECT word, entries FROM find_term WHERE word {among}", sorted(asked)):
        counts[row.word] = row.entries
        for word, fit in asked[row.word]:
            word.stands_for[row.word] = max(fit, word.stands_for.get(row.word, 0))
    for number, word in enumerate(words):
        alone = len(words) == 1 or number == len(words) - 1
        if len(word.text) >= (2 if alone else 3):
            for text, entries in _beginning_with(session, word.text, PREFIXES):
                counts[text] = entries
                word.stands_for[text] = max(_BEGINS, word.stands_for.get(text, 0))
        if (
            len(word.text) >= 5
            and not word.text.isdecimal()
            # Counted until there is enough to choose from: a rare spelling typed whole still brings what sounds alike.
            and sum(counts.get(text, 1) for text, fit in word.stands_for.items() if fit >= _SLIP) < ENOUGH
        ):
            _far_spellings(session, word, counts)
    return counts


def _far_spellings(session: Session, word: _Word, counts: dict[str, int]) -> None:
    """A word that is nothing and near nothing: part of a word with a slip in it, or two slips."""
    for text, entries in _beginning_with(session, word.text[:2], 4_000):
        if _begins_nearly(word.text, text) or OSA.distance(word.text, text, score_cutoff=2) <= 2:
            counts[text] = entries
            word.stands_for[text] = max(_FAR, word.stands_for.get(text, 0))


def _beginning_with(session: Session, text: str, most: int) -> Sequence[tuple[str, int]]:
    rows = session.execute(
        sa.text(
            "SELECT word, entries FROM find_term WHERE word >= :low AND word < :high ORDER BY entries DESC, word LIMIT :most"
        ),
        {"low": text, "high": text[:-1] + chr(ord(text[-1]) + 1), "most": most},
    )
    return [(word, entries) for word, entries in rows]


def _begins_nearly(typed: str, word: str) -> bool:
    size = len(typed)
    return size >= 4 and any(
        OSA.distance(typed, word[:cut], score_cutoff=1) <= 1 for cut in (size, size + 1, size - 1) if cut <= len(word)
    )


# CROSS JOIN keeps the order: each chosen word, then its postings.
_CANDIDATES_SQLITE = """
    WITH x AS (
        SELECT json_extract(value, '$[0]') AS word, json_extract(value, '$[1]') AS number, json_extract(value, '$[2]') AS fit
        FROM json_each(:chosen)
    ), best AS (
        SELECT f.entry_id, x.number, MAX(x.fit) AS fit FROM x CROSS JOIN find_word f WHERE f.word = x.word
        GROUP BY f.entry_id, x.number
    )
    SELECT entry_id FROM best GROUP BY entry_id ORDER BY SUM(fit) DESC, entry_id LIMIT :most
"""
# OFFSET 0 keeps the order: otherwise the planner may read all postings to join them at once.
_CANDIDATES_POSTGRESQL = """
    WITH x AS (
        SELECT * FROM unnest(CAST(:words AS text[]), CAST(:numbers AS int[]), CAST(:fits AS int[])) AS t(word, number, fit)
    ), best AS (
        SELECT f.entry_id, x.number, MAX(x.fit) AS fit
        FROM x CROSS JOIN LATERAL (SELECT entry_id FROM find_word WHERE word = x.word OFFSET 0) f
        GROUP BY f.entry_id, x.number
    )
    SELECT entry_id FROM best GROUP BY entry_id ORDER BY SUM(fit) DESC, entry_id LIMIT :most
"""


def _candidates(session: Session, chosen: Sequence[tuple[str, int, int]]) -> list[int]:
    """The entries with the highest sum over the typed words of how well their best word fits; ids break ties."""
    values: dict[str, Any]
    if session.get_bind().dialect.name == "sqlite":
        statement, values = _CANDIDATES_SQLITE, {"chosen": json.dumps(list(chosen))}
    else:
        words, numbers, fits = zip(*chosen, strict=True)
        statement, values = _CANDIDATES_POSTGRESQL, {"words": list(words), "numbers": list(numbers), "fits": list(fits)}
    return list(session.scalars(sa.text(statement), values | {"most": CANDIDATES}))


class _Ranking:
    """How well an entry's words fit what was typed, 0 to 1000; remembers how each word of an entry fits each typed one."""

    def __init__(self, typed: Typed, words: Sequence[_Word]) -> None:
        self.words = words
        self.weights = [word.weight for word in words]
        self.whole = typed.whole
        self.total = sum(self.weights) or 1
        self._known: dict[str, list[float]] = {}

    def score(self, names: str, place: str, zip_code: str) -> tuple[int, str]:
        """The score of an entry, and how it fits."""
        at_place = place.split()
        by_place = self._best(at_place)
        for number, word in enumerate(self.words):
            if word.text == zip_code:
                by_place[number] = 1.0
        best, worst_of_best = -1.0, 0.0
        wholes = ["".join(at_place)]
        for name in names.split("\n"):
            of_name = name.split()
            fits = [max(fit, 0.98 * there) for fit, there in zip(self._best(of_name), by_place, strict=True)]
            total = sum([fit * weight for fit, weight in zip(fits, self.weights, strict=True)]) / self.total
            if total > best:
                best, worst_of_best = total, min(fits)
            if of_name:
                wholes += ["".join(of_name), "".join(of_name[-1:] + of_name[:-1])]
                if len(of_name) > 2:
                    wholes.append(of_name[0] + of_name[-1])
        how = "exact" if worst_of_best >= 0.98 else "begins" if worst_of_best >= 0.83 * 0.98 else "near"
        whole = max(map(self._whole_fit, wholes))
        # The words decide; the text as a whole repairs a misplaced space, and breaks ties by how much of the entry was said.
        return int(970 * max(best, 0.98 * whole if whole >= 0.8 else 0.0) + 30 * whole), how

    def _best(self, words: Sequence[str]) -> list[float]:
        """For each typed word how well the best of these words fits it."""
        if not words:
            return [0.0] * len(self.words)
        rows = [self._known.get(word) or self._compare(word) for word in words]
        return rows[0].copy() if len(rows) == 1 else [max(column) for column in zip(*rows, strict=True)]

    def _compare(self, other: str) -> list[float]:
        fits = [max([_word_fit(text, other) for text in word.readings]) for word in self.words]
        self._known[other] = fits
        return fits

    def _whole_fit(self, text: str) -> float:
        if text == self.whole:
            return 1.0
        if not text:
            return 0.0
        fit = OSA.normalized_similarity(self.whole, text, score_cutoff=0.6)
        if fit < 0.9 and text.startswith(self.whole):
            return 0.9
        return fit


@functools.lru_cache(maxsize=50_000)
def _word_fit(typed: str, word: str) -> float:
    """How well one typed word fits one word of an entry, 0 to 1."""
    if typed == word:
        return 1.0
    if word.startswith(typed):
        return 0.83 + 0.15 * len(typed) / len(word)
    longer = len(word) - len(typed)
    if min(len(typed), len(word)) < 2 or longer < -4:
        return 0.0
    if typed.isdecimal() or word.isdecimal():
        if abs(longer) > 1 or OSA.distance(typed, word, score_cutoff=1) != 1:
            return 0.0
        return 0.80 if longer == 0 and sorted(typed) == sorted(word) else 0.76
    # A slip changes or moves one character: one of the first two still stands among the other's first two.
    if typed[0] not in word[:2] and word[0] not in typed[:2] and typed[1] != word[1]:
        return 0.0
    distance = OSA.distance(typed, word, score_cutoff=2) if abs(longer) <= 2 else 3
    if distance == 1:
        return 0.82 if len(typed) >= 3 else 0.5
    if _begins_nearly(typed, word):
        return 0.72
    if distance == 2 and len(typed) >= 5:
        return 0.66
    if len(word) >= 3 and typed.startswith(word):
        return 0.6
    return 0.0


# --- asking -------------------------------------------------------------------------------------------------------------


def _among(session: Session, statement: str, values: Sequence[Any], *, whole_numbers: bool = False) -> Sequence[Any]:
    """Runs a statement in which `{among}` means "is one of `values`": one parameter however many there are."""
    if not values:
        return []
    if session.get_bind().dialect.name == "sqlite":
        text = statement.format(among="IN (SELECT value FROM json_each(:among))")
        return session.execute(sa.text(text), {"among": json.dumps(list(values))}).all()
    cast = "bigint[]" if whole_numbers else "text[]"
    text = statement.format(among=f"= ANY(CAST(:among AS {cast}))")
    return session.execute(sa.text(text), {"among": list(values)}).all()
