"""What happened: append-only events in hash chains, the outbox, the keys of forms already carried out, drafts of forms.

Each event carries the keyed hash of the one before it in its shard (account id modulo 16, others by room), so a changed,
inserted or removed row breaks the chain; counts and head hashes are kept apart, so the last rows cannot vanish unseen either;
and all heads are sealed together from time to time, so one shard cannot be set back on its own.
Events hold ids, codes and field names: personal values stay in rows that retention can blank.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Id, Json, UtcTime, Versioned, append_only, prepared, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from db.core import Work

ACCOUNT_SHARDS = 16
NO_HASH = "0" * 64


class Event(Id, Base):
    """One thing that happened, by whom, to what. Never changed, never removed."""

    __tablename__ = "event"
    __table_args__ = (
        sa.UniqueConstraint("shard", "seq"),
        sa.Index(None, "account_id", "at"),
        sa.Index(None, "premise_id", "at"),
        sa.Index(None, "person_id", "at"),
        sa.Index(None, "subject_kind", "subject_id"),
        sa.Index(None, "conversation_id"),
    )
    shard: Mapped[str] = mapped_column(sa.String(24))
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    staff_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    name: Mapped[str] = mapped_column(sa.String(60))
    subject_kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    account_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    premise_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    person_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    conversation_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    prev_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))


class EventHead(Base):
    """Where each chain ends: kept apart from the events, so that cutting off the end is seen."""

    __tablename__ = "event_head"
    shard: Mapped[str] = mapped_column(sa.String(24), primary_key=True)
    count: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.String(64))
    mac: Mapped[str] = mapped_column(sa.String(64))


class EventSeal(Id, Base):
    """All heads at one moment under one keyed hash, chained to the seal before."""

    __tablename__ = "event_seal"
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    heads: Mapped[dict[str, Any]] = mapped_column(Json)
    mac: Mapped[str] = mapped_column(sa.String(64))


class OutboxMessage(Id, Versioned, Base):
    """Something to deliver (letter, e-mail, text, field order); its delivery is apart from the state of the work.

    The row is the truth about a delivery: whoever delivers takes it in a small committed step under a lease, hands it over,
    and commits what came of it. A lease that ran out (a worker was killed) is taken anew, with the same key.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        sa.Index(None, "delivery_state", "due_at"),
        sa.Index(None, "delivery_state", "route", "due_at"),
        sa.Index(None, "subject_kind", "subject_id"),
        sa.Index(None, "recipient_kind", "recipient_id"),
    )
    channel: Mapped[str] = mapped_column(sa.String(24))
    """What the recipient asked for: letter, email, text; field for a division."""
    template: Mapped[str] = mapped_column(sa.String(60))
    recipient_kind: Mapped[str] = mapped_column(sa.String(40))
    recipient_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    subject_kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    due_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    """When to look at it next: the first or the next try, or the end of the lease of the one that is under way."""
    delivery_state: Mapped[str] = mapped_column(sa.String(16), default="waiting")
    """waiting, ready, sending, sent, failed, no_address, to_print, posted, in_portal, given_up."""
    route: Mapped[str] = mapped_column(sa.String(12), default="")
    """How it goes out, once that is decided: email, webhook, text, letter, portal."""
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    """Where somebody here sent it to; empty: where the record of the recipient says."""
    copy_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The wording that goes out (`message_copy`), written before the first try and the same in each."""
    looked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    """When somebody last sent it on: from then on it is news again."""
    attempts: Mapped[int] = mapped_column(sa.Integer, default=0)
    lease: Mapped[str] = mapped_column(sa.String(40), default="")
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    """What kept it from going out, in words."""
    delivered_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class Submission(Base):
    """A form that was carried out, under the key it was drawn with: the same key again returns the first result."""

    __tablename__ = "submission"
    key: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    command: Mapped[str] = mapped_column(sa.String(60))
    staff_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    result: Mapped[dict[str, Any] | None] = mapped_column(Json)


class Draft(Base):
    """What a person has typed into a form so far: outlives the page, the session and the server."""

    __tablename__ = "draft"
    __table_args__ = (sa.Index(None, "staff_id", "saved_at"),)
    key: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.BigInteger)
    page: Mapped[str] = mapped_column(sa.String(60))
    title: Mapped[str] = mapped_column(sa.String(200), default="")
    query: Mapped[dict[str, Any]] = mapped_column(Json)
    answers: Mapped[dict[str, Any]] = mapped_column(Json)
    saved_at: Mapped[dt.datetime] = mapped_column(UtcTime)


append_only(Event)
append_only(EventSeal)


# --- writing ----------------------------------------------------------------------------------------------------------


def shard_of(name: str, account_id: int | None) -> str:
    """Which chain an event belongs to: an account's own of sixteen, else its room's (the part of the name before the dot)."""
    return f"account-{account_id % ACCOUNT_SHARDS:02d}" if account_id is not None else name.split(".", 1)[0][:24]


def event_hash(key: bytes, prev_hash: str, row: dict[str, Any]) -> str:
    """Keyed hash (HMAC-SHA-256) of an event's content and its predecessor's hash, in hex."""
    content = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key, (prev_hash + content).encode(), hashlib.sha256).hexdigest()


def head_mac(key: bytes, shard: str, count: int, head: str) -> str:
    return hmac.new(key, f"{shard}|{count}|{head}".encode(), hashlib.sha256).hexdigest()


def _content(row: dict[str, Any]) -> dict[str, Any]:
    """What of an event is hashed: everything but its own hashes and its row id."""
    return {
        name: utc_text(value) if isinstance(value, dt.datetime) else value
        for name, value in row.items()
        if name not in ("id", "prev_hash", "hash")
    }


def write_pending(work: Work) -> None:
    """Writes the events and messages a transaction has noted. Chains are locked in one order, so two commits never deadlock."""
    noted = [(shard_of(name, where.get("account_id")), name, where) for name, where in work.events]
    work.events = []
    for shard in sorted({shard for shard, _, _ in noted}):
        append_to_shard(work, shard, [(name, where) for s, name, where in noted if s == shard])
    for channel, what in work.messages:
        work.session.add(
            OutboxMessage(
                channel=channel,
                template=what["template"],
                recipient_kind=what.get("recipient_kind", "person"),
                recipient_id=what.get("recipient_id"),
                subject_kind=what["subject_kind"],
                subject_id=what["subject_id"],
                detail=what.get("detail", {}),
                created_at=work.now,
                due_at=what.get("due_at", work.now),
            )
        )
    work.messages = []


def append_to_shard(work: Work, shard: str, noted: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Appends events to one chain and moves its head."""
    session, key = work.session, work.db.audit_key
    head = session.execute(
        sa.select(EventHead.count, EventHead.hash).where(EventHead.shard == shard).with_for_update()
    ).first()
    if head is None:
        # The first event of a chain: the empty head is made once, whoever comes first, and then locked like any other.
        session.execute(
            sa.text(
                "INSERT INTO event_head (shard, count, hash, mac) VALUES (:shard, 0, :hash, :mac) "
                "ON CONFLICT (shard) DO NOTHING"
            ),
            {"shard": shard, "hash": NO_HASH, "mac": head_mac(key, shard, 0, NO_HASH)},
        )
        head = session.execute(
            sa.select(EventHead.count, EventHead.hash).where(EventHead.shard == shard).with_for_update()
        ).one()
    count, prev = head
    rows = []
    for name, where in noted:
        count += 1
        row = {
            "shard": shard,
            "seq": count,
            "at": where.get("at", work.now),
            "staff_id": where.get("staff_id"),
            "name": name,
            "subject_kind": where["subject_kind"],
            "subject_id": where["subject_id"],
            "account_id": where.get("account_id"),
            "premise_id": where.get("premise_id"),
            "person_id": where.get("person_id"),
            "conversation_id": where.get("conversation_id"),
            "detail": where.get("detail", {}),
        }
        row["prev_hash"], row["hash"] = prev, event_hash(key, prev, _content(row))
        prev = row["hash"]
        rows.append(row)
    session.execute(sa.insert(Event), rows)
    session.execute(
        sa.update(EventHead)
        .where(EventHead.shard == shard)
        .values(count=count, hash=prev, mac=head_mac(key, shard, count, prev))
    )


# --- checking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChainFault:
    """One thing wrong with a chain, in words, and where."""

    shard: str
    seq: int
    what: str


def verify_chains(session: Session, key: bytes) -> Iterator[ChainFault]:
    """Walks every chain and yields each fault: a changed, inserted or removed row, a head or a seal that does not fit."""
    heads = {head.shard: head for head in session.scalars(sa.select(EventHead))}
    columns = [column for column in Event.__table__.columns if column.name != "id"]
    shards = set(heads) | set(session.scalars(sa.select(Event.shard).distinct()))
    for shard in sorted(shards):
        prev, expected = NO_HASH, 1
        rows = session.execute(
            sa.select(*columns).where(Event.shard == shard).order_by(Event.seq).execution_options(yield_per=2000)
        ).mappings()
        for mapping in rows:
            row = dict(mapping)
            seq = row["seq"]
            if seq > expected:
                missing = f"event {expected} is" if seq == expected + 1 else f"events {expected} to {seq - 1} are"
                yield ChainFault(shard, expected, f"{missing} missing: removed")
            true_hash = event_hash(key, row["prev_hash"], _content(row))
            if true_hash != row["hash"]:
                yield ChainFault(
                    shard, seq, "the content does not match its hash: changed, or inserted without the key"
                )
            elif row["prev_hash"] != prev and seq == expected:
                yield ChainFault(
                    shard, seq, "does not follow the event before it: something was inserted or changed here"
                )
            prev, expected = row["hash"], seq + 1
        head = heads.get(shard)
        if head is None:
            yield ChainFault(shard, 0, "the chain has events but no head: the head row was removed")
        elif head.mac != head_mac(key, shard, head.count, head.hash):
            yield ChainFault(shard, head.count, "the head row was changed without the key")
        elif head.count > expected - 1:
            yield ChainFault(
                shard,
                head.count,
                f"the head counts {head.count} events, {expected - 1} are there: the last were removed",
            )
        elif head.count < expected - 1:
            yield ChainFault(
                shard,
                head.count + 1,
                f"the head counts {head.count} events, {expected - 1} are there: inserted at the end",
            )
        elif head.hash != prev:
            yield ChainFault(shard, head.count, "the last event is not the one the head remembers")
    prev_mac = NO_HASH
    for seal in session.scalars(sa.select(EventSeal).order_by(EventSeal.id)):
        if seal.mac != _seal_mac(key, prev_mac, seal.at, seal.heads):
            yield ChainFault("seal", seal.id, "the seal does not fit its content or the seal before it")
        prev_mac = seal.mac
        for shard, (count, sealed_hash) in seal.heads.items():
            head = heads.get(shard)
            if head is None or head.count < count:
                yield ChainFault(
                    shard, count, f"sealed with {count} events on {utc_text(seal.at)}, fewer are there now: set back"
                )
            elif (
                count
                and session.scalar(sa.select(Event.hash).where(Event.shard == shard, Event.seq == count)) != sealed_hash
            ):
                yield ChainFault(shard, count, f"event {count} is not the one sealed on {utc_text(seal.at)}")


def _seal_mac(key: bytes, prev_mac: str, at: dt.datetime, heads: dict[str, Any]) -> str:
    content = json.dumps([utc_text(at), heads], sort_keys=True, separators=(",", ":"))
    return hmac.new(key, (prev_mac + content).encode(), hashlib.sha256).hexdigest()


def seal_heads(work: Work) -> None:
    """Seals all chain heads together (at start, at backup and every few minutes while the server runs)."""
    heads = {
        head.shard: [head.count, head.hash]
        for head in work.session.scalars(sa.select(EventHead).order_by(EventHead.shard))
    }
    last = work.session.execute(
        sa.select(EventSeal.mac, EventSeal.heads).order_by(EventSeal.id.desc()).limit(1)
    ).first()
    if last is not None and last.heads == heads:
        return
    prev = last.mac if last is not None else NO_HASH
    work.session.add(EventSeal(at=work.now, heads=heads, mac=_seal_mac(work.db.audit_key, prev, work.now, heads)))


def event_count(session: Session) -> int:
    return session.scalar(sa.select(sa.func.coalesce(sa.func.sum(EventHead.count), 0))) or 0


# --- forms already carried out ----------------------------------------------------------------------------------------


def claim_submission(work: Work, key: str, command: str, staff_id: int | None) -> dict[str, Any] | None:
    """Takes a form's key for this transaction. Returns None if it was free, else the first result under it.

    Two at once: on PostgreSQL the second waits for the first to commit; on SQLite writers already stand in line.
    """
    taken = work.session.execute(
        sa.text(
            "INSERT INTO submission (key, command, staff_id, at) VALUES (:key, :command, :staff_id, :at) "
            "ON CONFLICT (key) DO NOTHING RETURNING key"
        ).bindparams(sa.bindparam("at", type_=UtcTime())),
        {"key": key, "command": command, "staff_id": staff_id, "at": work.now},
    ).first()
    if taken is not None:
        return None
    return submission_result(work.session, key) or {}


def record_result(work: Work, key: str, result: dict[str, Any]) -> None:
    work.session.execute(sa.update(Submission).where(Submission.key == key).values(result=result))


def submission_result(session: Session, key: str) -> dict[str, Any] | None:
    """The result stored under a form's key, or None if it was never carried out."""
    return _submission_result(session, one=key).scalar()


@prepared
def _submission_result(one: Any) -> Any:
    return sa.select(Submission.result).where(Submission.key == one)


def draft(session: Session, key: str, staff_id: int) -> Draft | None:
    """A person's own draft (never another's)."""
    return _draft.rows(session, one=key, owner=staff_id).first()


@prepared
def _draft(one: Any, owner: Any) -> Any:
    return sa.select(Draft).where(Draft.key == one, Draft.staff_id == owner)


def drafts_of(session: Session, staff_id: int, most: int = 5) -> Sequence[Draft]:
    return session.scalars(
        sa.select(Draft).where(Draft.staff_id == staff_id).order_by(Draft.saved_at.desc()).limit(most)
    ).all()


def save_draft(
    work: Work, key: str, staff_id: int, page: str, title: str, query: dict[str, Any], answers: dict[str, Any]
) -> None:
    """Keeps a draft; the draft of somebody else under the same key is left alone."""
    mine = draft(work.session, key, staff_id)
    if mine is not None:
        mine.title, mine.query, mine.answers, mine.saved_at = title, query, answers, work.now
    elif work.session.get(Draft, key) is None:
        work.session.add(
            Draft(key=key, staff_id=staff_id, page=page, title=title, query=query, answers=answers, saved_at=work.now)
        )


def delete_draft(session: Session, key: str) -> None:
    session.execute(sa.delete(Draft).where(Draft.key == key))


def events_of_account(session: Session, account_id: int, most: int = 30) -> Sequence[Event]:
    return session.scalars(
        sa.select(Event).where(Event.account_id == account_id).order_by(Event.at.desc(), Event.id.desc()).limit(most)
    ).all()


def events_of_subject(session: Session, subject_kind: str, subject_id: int, most: int = 100) -> Sequence[Event]:
    """Everything that happened to one thing, oldest first."""
    return session.scalars(
        sa.select(Event)
        .where(Event.subject_kind == subject_kind, Event.subject_id == subject_id)
        .order_by(Event.id)
        .limit(most)
    ).all()


def events_of_conversation(session: Session, conversation_id: int) -> Sequence[Event]:
    return session.scalars(sa.select(Event).where(Event.conversation_id == conversation_id).order_by(Event.id)).all()
