"""The delivery of messages: the wording as it went out, each try, and every query that claims, closes or lists messages.

The outbox itself (`db.events.OutboxMessage`) belongs to the kernel, since every command may write to it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from db.core import Base, Id, UtcTime, prepared
from db.events import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


class MessageCopy(Id, Base):
    """The wording of a message exactly as it goes out, written before the first try; a new address makes a new copy."""

    __tablename__ = "message_copy"
    __table_args__ = (sa.Index(None, "message_id"),)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("outbox_message.id"))
    address: Mapped[str] = mapped_column(sa.String(300))
    """The e-mail address, the number, the mailing address in one line, or the code of the target."""
    title: Mapped[str] = mapped_column(sa.String(300))
    body: Mapped[str] = mapped_column(sa.Text)
    body_hash: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 of the body in UTF-8, hex."""
    handing_key: Mapped[str] = mapped_column(sa.String(200))
    """The Message-ID or idempotency key: the same in each handing over of this message."""
    letter_code: Mapped[str] = mapped_column(sa.String(120))
    """Which template the wording came from."""
    written_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class DeliveryAttempt(Id, Base):
    """One try of handing a message over."""

    __tablename__ = "delivery_attempt"
    __table_args__ = (sa.Index(None, "message_id"),)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("outbox_message.id"))
    lease: Mapped[str] = mapped_column(sa.String(40))
    begun_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    outcome: Mapped[str] = mapped_column(sa.String(12))
    """begun, sent, later, refused, no_server; one that stays begun was cut off and its message handed over again."""
    words: Mapped[str] = mapped_column(sa.String(500), default="")


# --- queries ----------------------------------------------------------------------------------------------------------

WAITING: Final = "waiting"
_UNDER_WAY: Final = ("ready", "sending")

_person = sa.table(
    "person",
    *(
        sa.column(name)
        for name in ("id", "number", "name", "phone", "email", "mailing_address", "language", "merged_into_id")
    ),
    sa.column("exempt_from_public_records", sa.Boolean),
)
_account = sa.table(
    "account", *(sa.column(name) for name in ("id", "person_id", "premise_id", "mailing_address", "closed_on"))
)
_premise = sa.table("premise", *(sa.column(name) for name in ("id", "address", "city", "zip")))


def take_unsorted(session: Session, now: dt.datetime, most: int) -> Sequence[OutboxMessage]:
    """New messages whose way out is not decided yet, held until the end of the transaction; another worker takes others."""
    return session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.delivery_state == WAITING, OutboxMessage.due_at <= now)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()


def claim(
    session: Session, now: dt.datetime, routes: Collection[str], lease: str, until: dt.datetime
) -> OutboxMessage | None:
    """The message that is due first on one of these routes, taken under a lease; None when nothing is due.

    One whose lease ran out is due again: whoever held it was killed or is too slow to be believed."""
    row = session.scalar(
        sa.select(OutboxMessage)
        .where(
            OutboxMessage.delivery_state.in_(_UNDER_WAY),
            OutboxMessage.route.in_(routes),
            OutboxMessage.due_at <= now,
        )
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.delivery_state, row.lease, row.due_at = "sending", lease, until
    row.attempts += 1
    row.version += 1
    session.add(DeliveryAttempt(message_id=row.id, lease=lease, begun_at=now, ended_at=None, outcome="begun", words=""))
    return row


def take_stale(
    session: Session, now: dt.datetime, routes: Collection[str], before: dt.datetime, most: int
) -> Sequence[OutboxMessage]:
    """Messages written before an instant that would go out now, held: news so old is for people first."""
    return session.scalars(
        sa.select(OutboxMessage)
        .where(
            OutboxMessage.delivery_state == "ready",
            OutboxMessage.route.in_(routes),
            OutboxMessage.due_at <= now,
            sa.func.coalesce(OutboxMessage.looked_at, OutboxMessage.created_at) < before,
        )
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()


def leased(session: Session, message_id: int, lease: str) -> OutboxMessage | None:
    """The message, held, if this lease is still the one it is under."""
    row = session.get(OutboxMessage, message_id, with_for_update=True, populate_existing=True)
    return row if row is not None and row.delivery_state == "sending" and row.lease == lease else None


def end_attempt(session: Session, lease: str, message_id: int, now: dt.datetime, outcome: str, words: str) -> None:
    session.execute(
        sa.update(DeliveryAttempt)
        .where(DeliveryAttempt.message_id == message_id, DeliveryAttempt.lease == lease)
        .values(ended_at=now, outcome=outcome, words=words[:500])
    )


def message_copy(session: Session, copy_id: int) -> MessageCopy | None:
    return session.get(MessageCopy, copy_id)


def person_to_reach(session: Session, person_id: int) -> Any:
    """Name, addresses and exemption of a person (of the record they were merged into); None when there is no such person."""
    for _ in range(10):  # a chain of merges is short; one that runs in a circle must not hang the queue
        found = session.execute(sa.select(_person).where(_person.c.id == person_id)).first()
        if found is None or found.merged_into_id is None:
            return found
        person_id = found.merged_into_id
    return found


def home_of(session: Session, person_id: int) -> str:
    """Where a person without a mailing address of their own gets post: their newest open account's address; "" without one."""
    found = session.execute(
        sa.select(_account.c.mailing_address, _premise.c.address, _premise.c.city, _premise.c.zip)
        .outerjoin(_premise, _premise.c.id == _account.c.premise_id)
        .where(_account.c.person_id == person_id)
        .order_by(_account.c.closed_on.is_(None).desc(), _account.c.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return ""
    if found.mailing_address:
        return str(found.mailing_address)
    return ", ".join(part for part in (found.address, found.city, found.zip) if part)


def exempt_at_premise(session: Session, premise_id: int) -> bool:
    """Whether somebody exempt from public records has an open account at a premise."""
    return (
        session.scalar(
            sa.select(_account.c.id)
            .join(_person, _person.c.id == _account.c.person_id)
            .where(
                _account.c.premise_id == premise_id,
                _account.c.closed_on.is_(None),
                _person.c.exempt_from_public_records == sa.true(),
            )
            .limit(1)
        )
        is not None
    )


# --- lists


def _lines(states: Sequence[str]) -> Any:
    return (
        sa.select(
            OutboxMessage.id,
            OutboxMessage.version,
            OutboxMessage.channel,
            OutboxMessage.route,
            OutboxMessage.template,
            OutboxMessage.recipient_kind,
            OutboxMessage.recipient_id,
            OutboxMessage.subject_kind,
            OutboxMessage.subject_id,
            OutboxMessage.detail,
            OutboxMessage.delivery_state,
            OutboxMessage.attempts,
            OutboxMessage.created_at,
            OutboxMessage.due_at,
            OutboxMessage.delivered_at,
            OutboxMessage.reason,
            OutboxMessage.copy_id,
            MessageCopy.title,
            MessageCopy.address.label("sent_to"),
            _person.c.name.label("person_name"),
            sa.func.coalesce(_person.c.exempt_from_public_records, sa.false()).label("exempt"),
        )
        .outerjoin(MessageCopy, MessageCopy.id == OutboxMessage.copy_id)
        .outerjoin(
            _person, sa.and_(OutboxMessage.recipient_kind == "person", _person.c.id == OutboxMessage.recipient_id)
        )
        .where(OutboxMessage.delivery_state.in_(states))
    )


def message_lines(
    session: Session, states: Sequence[str], *, most: int, skip: int = 0, newest_first: bool = False
) -> Sequence[Any]:
    """A page of messages in these states: those that wait the longest first, or the newest first."""
    order = (
        (OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
        if newest_first
        else (OutboxMessage.due_at, OutboxMessage.id)
    )
    return session.execute(_lines(states).order_by(*order).limit(most).offset(skip)).all()


def message_line(session: Session, message_id: int, states: Sequence[str]) -> Any:
    return session.execute(_lines(states).where(OutboxMessage.id == message_id)).first()


def message_counts(session: Session) -> dict[tuple[str, str], int]:
    """How many messages by (state, route), of those somebody may still have to look at."""
    return {
        (row.delivery_state, row.route): row.count
        for row in session.execute(
            sa.select(OutboxMessage.delivery_state, OutboxMessage.route, sa.func.count().label("count"))
            .where(OutboxMessage.delivery_state.in_(("waiting", *_UNDER_WAY, "failed", "no_address", "to_print")))
            .group_by(OutboxMessage.delivery_state, OutboxMessage.route)
        )
    }


def oldest_waiting(session: Session) -> dt.datetime | None:
    """Since when the oldest message that should have left waits."""
    return session.scalar(
        sa.select(sa.func.min(OutboxMessage.created_at)).where(
            OutboxMessage.delivery_state.in_(("waiting", *_UNDER_WAY))
        )
    )


def last_server_trouble(session: Session, since: dt.datetime) -> Any:
    """The newest try since an instant that did not get past the mail server's door; None when a later one went through."""
    newest = session.execute(
        sa.select(DeliveryAttempt.begun_at, DeliveryAttempt.outcome, DeliveryAttempt.words)
        .where(DeliveryAttempt.begun_at >= since, DeliveryAttempt.outcome.in_(("sent", "no_server")))
        .order_by(DeliveryAttempt.id.desc())
        .limit(1)
    ).first()
    return newest if newest is not None and newest.outcome == "no_server" else None


def attempts_of(session: Session, message_id: int, most: int = 20) -> Sequence[DeliveryAttempt]:
    """The tries of a message, the newest first."""
    return session.scalars(
        sa.select(DeliveryAttempt)
        .where(DeliveryAttempt.message_id == message_id)
        .order_by(DeliveryAttempt.id.desc())
        .limit(most)
    ).all()


def take_failed(session: Session, most: int) -> Sequence[OutboxMessage]:
    """Failed messages, the oldest first, held."""
    return session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.delivery_state == "failed")
        .order_by(OutboxMessage.id)
        .limit(most)
        .with_for_update()
    ).all()


def letters_to_print(session: Session, most: int) -> Sequence[Any]:
    """Letters that wait for the printer with their wording, the oldest first."""
    return session.execute(
        sa.select(
            OutboxMessage.id,
            OutboxMessage.version,
            OutboxMessage.recipient_kind,
            OutboxMessage.recipient_id,
            MessageCopy.address,
            MessageCopy.title,
            MessageCopy.body,
            MessageCopy.written_at,
            _person.c.name.label("person_name"),
            sa.func.coalesce(_person.c.exempt_from_public_records, sa.false()).label("exempt"),
        )
        .join(MessageCopy, MessageCopy.id == OutboxMessage.copy_id)
        .outerjoin(
            _person, sa.and_(OutboxMessage.recipient_kind == "person", _person.c.id == OutboxMessage.recipient_id)
        )
        .where(OutboxMessage.delivery_state == "to_print")
        .order_by(OutboxMessage.created_at, OutboxMessage.id)
        .limit(most)
    ).all()


@prepared
def _messages_about(kind: Any, one: Any, most: Any) -> Any:
    return (
        sa.select(
            OutboxMessage.channel,
            OutboxMessage.route,
            OutboxMessage.template,
            OutboxMessage.recipient_kind,
            OutboxMessage.delivery_state,
            OutboxMessage.created_at,
            OutboxMessage.delivered_at,
            MessageCopy.title,
        )
        .outerjoin(MessageCopy, MessageCopy.id == OutboxMessage.copy_id)
        .where(OutboxMessage.subject_kind == kind, OutboxMessage.subject_id == one)
        .order_by(OutboxMessage.id.desc())
        .limit(most)
    )


def messages_about(session: Session, subject_kind: str, subject_id: int, most: int = 50) -> Sequence[Any]:
    """Messages about one thing (a request, a move, an order), the newest first, with the title they go out under."""
    return _messages_about(session, kind=subject_kind, one=subject_id, most=most).all()


def messages_by_id(session: Session, message_ids: Collection[int]) -> Sequence[OutboxMessage]:
    """These messages, held, in the order of their ids (so that two batches never wait for one another)."""
    return session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.id.in_(message_ids))
        .order_by(OutboxMessage.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
