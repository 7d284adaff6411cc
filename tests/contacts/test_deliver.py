"""Messages really leave: by a real mail server and a real receiver, from the rows of both databases."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import random
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import time_machine

from db import core, events
from db.contacts import DeliveryAttempt, MessageCopy
from db.directory import ReferenceRow
from portal import settings
from portal.contacts.commands import delivering
from portal.contacts.rules import delivery
from tests.receiving import MailBox, certificate, mail_server, receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.city import City

KEY = "k" * 32


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    yield
    settings.use(None)


def use_mail(box: MailBox, **more: Any) -> None:
    settings.use(
        settings.load(
            demo=True,
            smtp_host="127.0.0.1",
            smtp_port=box.port,
            **{"smtp_security": "none", "smtp_from": "desk@city.example", "smtp_seconds": 5} | more,
        )
    )


def write(person_id: int | None, channel: str = "email", template: str = "request_opened", **detail: Any) -> int:
    """Puts a message into the outbox as a command does; answers with its id."""
    with core.work() as work:
        work.message(
            channel,
            template=template,
            recipient_kind="person",
            recipient_id=person_id,
            subject_kind="service_request",
            subject_id=1,
            detail={"number": "SR-26-0000017"} | detail,
        )
    return newest()


def write_order(division: str, **detail: Any) -> int:
    with core.work() as work:
        work.message(
            "field",
            template="work_order",
            recipient_kind="division",
            subject_kind="work_order",
            subject_id=1,
            detail={"division": division, "number": "WO-26-0000017", "order": "Replace the cart", "place": "9 Elm St"}
            | detail,
        )
    return newest()


def newest() -> int:
    with core.read() as session:
        return session.scalar(sa.select(sa.func.max(events.OutboxMessage.id))) or 0


def message(message_id: int) -> events.OutboxMessage:
    with core.read() as session:
        row = session.get(events.OutboxMessage, message_id)
        assert row is not None
        return row


def sent_copy(message_id: int) -> MessageCopy:
    with core.read() as session:
        copy = session.get(MessageCopy, message(message_id).copy_id)
        assert copy is not None
        return copy


def outcomes(message_id: int) -> list[str]:
    with core.read() as session:
        return list(
            session.scalars(
                sa.select(DeliveryAttempt.outcome)
                .where(DeliveryAttempt.message_id == message_id)
                .order_by(DeliveryAttempt.id)
            )
        )


def target(code: str, **detail: Any) -> None:
    with core.work() as work:
        work.add(
            ReferenceRow(
                kind="delivery_target",
                code=code,
                name=code,
                effective_from=dt.date(2020, 1, 1),
                detail={"code": code, "name": code} | detail,
            )
        )


def patience(**detail: Any) -> None:
    """Another policy for this test."""
    with core.work() as work:
        work.add(
            ReferenceRow(
                kind="delivery_policy",
                code="standard",
                name="Of this test",
                effective_from=dt.date(2026, 1, 1),
                detail={"code": "standard", "name": "Of this test"} | detail,
            )
        )


@pytest.fixture
def later() -> Iterator[Callable[[float], None]]:
    """`later(seconds)`: time goes on."""
    stack: list[Any] = []

    def go_on(seconds: float) -> None:
        traveller = time_machine.travel(core.now() + dt.timedelta(seconds=seconds), tick=True)
        traveller.start()
        stack.append(traveller)

    yield go_on
    for traveller in reversed(stack):
        traveller.stop()


# --- e-mail -----------------------------------------------------------------------------------------------------------


def test_an_e_mail_leaves_once_and_is_kept_as_sent(city: City) -> None:
    with mail_server() as box:
        use_mail(box, smtp_reply_to="answers@city.example")
        sent = write(city.person["marcus"])
        assert delivering.deliver() == 1
        assert delivering.deliver() == 0
    assert box.recipients == ["m.ellison@example.org"]
    [taken] = box.taken
    row, copy = message(sent), sent_copy(sent)
    assert row.delivery_state == "sent"
    assert row.delivered_at is not None
    assert taken["Message-ID"] == copy.handing_key
    assert taken["Subject"] == copy.title
    assert "SR-26-0000017" in copy.title
    assert taken["Reply-To"] == "answers@city.example"
    assert taken["From"] == "City Services <desk@city.example>"
    assert taken.get_content_type() == "text/plain"
    body = taken.get_content().replace("\r\n", "\n").removesuffix("\n")
    assert body == copy.body
    assert hashlib.sha256(body.encode()).hexdigest() == copy.body_hash
    assert "Dear Marcus Ellison," in body
    assert outcomes(sent) == ["sent"]
    with core.read() as session:
        [event] = session.scalars(sa.select(events.Event).where(events.Event.name == "message.sent"))
        assert event.person_id == city.person["marcus"]
        assert "@" not in json.dumps(event.detail)


def test_the_same_message_has_the_same_id_in_each_handing_over(city: City) -> None:
    """Killed between acceptance and our commit: the lease runs out and it is handed over again, under the same Message-ID."""
    patience(lease_seconds=60)
    with mail_server() as box:
        use_mail(box)
        sent = write(city.person["marcus"])
        delivering.sort_messages()
        with delivering.Hands(settings.current()) as hands:
            taken = delivering._take(hands)
            assert taken is not None
            assert hands.hand_over(taken).kind == "sent"  # and here the process is killed
            assert delivering._take(hands) is None, "under lease"
            with time_machine.travel(core.now() + dt.timedelta(seconds=61), tick=True):
                again = delivering._take(hands)
                assert again is not None
                assert hands.hand_over(again).kind == "sent"
                assert delivering._settle(taken, delivery.Outcome("sent")) == 0, "the first worker woke up too late"
                assert delivering._settle(again, delivery.Outcome("sent")) == 1
    assert list(box.keys().values()) == [2]
    assert len(box.keys()) == 1
    assert box.taken[0].as_bytes() == box.taken[1].as_bytes()
    assert message(sent).delivery_state == "sent"
    assert message(sent).attempts == 2


@pytest.mark.parametrize("answer", ["451 4.3.0 try later", "452 4.2.2 full", "421 4.3.2 closing"])
def test_a_temporary_no_is_tried_again_later(city: City, later: Callable[[float], None], answer: str) -> None:
    patience(first_wait_seconds=60, jitter=0.0)
    with mail_server(MailBox(answers=[answer, answer])) as box:
        use_mail(box)
        sent = write(city.person["marcus"])
        assert delivering.deliver() == 0
        row = message(sent)
        assert (row.delivery_state, row.attempts) == ("ready", 1)
        assert answer[:3] in row.reason
        assert delivering.deliver() == 0
        assert message(sent).attempts == 1, "not before its time"
        later(61)
        assert delivering.deliver() == 0
        later(61)
        assert delivering.deliver() == 0, "the second wait is twice the first"
        later(61)
        assert delivering.deliver() == 1
    assert len(box.taken) == 1
    assert outcomes(sent) == ["later", "later", "sent"]
    assert message(sent).reason == ""


def test_after_the_last_try_it_is_for_people(city: City, later: Callable[[float], None]) -> None:
    patience(first_wait_seconds=1, most_attempts=3, jitter=0.0)
    with mail_server(MailBox(answers=["451 no"] * 9)) as box:
        use_mail(box)
        sent = write(city.person["marcus"])
        for _ in range(5):
            delivering.deliver()
            later(30)
    row = message(sent)
    assert (row.delivery_state, row.attempts) == ("failed", 3)
    assert row.reason.startswith("Tried 3 times. The mail server answered 451")
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(events.Event.name == "message.failed")) == 1


def test_a_permanent_no_is_for_people_at_once_and_stops_nobody_else(city: City) -> None:
    with mail_server(MailBox(to_recipients=["550 5.1.1 no such user"])) as box:
        use_mail(box)
        refused, taken = write(city.person["marcus"]), write(city.person["priya"])
        assert delivering.deliver() == 1
    assert message(refused).delivery_state == "failed"
    assert "550" in message(refused).reason
    assert message(taken).delivery_state == "sent"
    assert box.recipients == ["priya.raman@example.org"]


def test_a_server_that_cannot_be_reached_costs_no_try(city: City, later: Callable[[float], None]) -> None:
    with mail_server() as box:
        pass  # gone again: nobody listens on its port
    use_mail(box)
    waiting = [write(city.person["marcus"]) for _ in range(3)]
    for _ in range(4):
        assert delivering.deliver() == 0
        later(3600)
    assert {message(each).delivery_state for each in waiting} == {"ready"}
    assert {message(each).attempts for each in waiting} == {0}
    assert outcomes(waiting[0])[0] == "no_server"
    assert "cannot be reached" in message(waiting[0]).reason
    with mail_server() as back:
        use_mail(back)
        assert delivering.deliver() == 3


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_with_a_sign_in(city: City, tmp_path: Path, security: str) -> None:
    with mail_server(security=security, login=("desk", "secret"), folder=tmp_path) as box:
        more = {"smtp_security": security, "smtp_login": "desk", "ca_file": tmp_path / "ca.pem"}
        use_mail(box, **more, smtp_password="wrong")
        sent = write(city.person["marcus"])
        assert delivering.deliver() == 0
        assert "sign-in" in message(sent).reason
        with time_machine.travel(core.now() + dt.timedelta(minutes=5), tick=True):
            use_mail(box, **more, smtp_password="secret")
            assert delivering.deliver() == 1
    assert box.encrypted == [True]


def test_a_certificate_nobody_vouches_for_is_not_trusted(city: City, tmp_path: Path) -> None:
    with mail_server(security="starttls", folder=tmp_path) as box:
        use_mail(box, smtp_security="starttls")
        sent = write(city.person["marcus"])
        assert delivering.deliver() == 0
    assert box.taken == []
    assert "certificate" in message(sent).reason


def test_a_server_without_starttls_gets_nothing_in_the_clear(city: City) -> None:
    with mail_server() as box:
        use_mail(box, smtp_security="starttls")
        sent = write(city.person["marcus"])
        assert delivering.deliver() == 0
    assert box.taken == []
    assert "STARTTLS" in message(sent).reason


def test_a_slow_server_is_waited_for_and_then_tried_again(city: City) -> None:
    with mail_server(MailBox(wait=2.5)) as box:
        use_mail(box, smtp_seconds=1)
        sent = write(city.person["marcus"])
        assert delivering.deliver() == 0
        assert message(sent).delivery_state == "ready"
        box.wait = 0.0
        with time_machine.travel(core.now() + dt.timedelta(minutes=5), tick=True):
            assert delivering.deliver() == 1
    assert len(box.keys()) == 1, "however often it was taken, it is one message"


EVIL = 'Marcus\r\nBcc: evil@x.example\r\n\r\nBuy 😀 =HYPERLINK("http://x.example")'


def test_no_header_and_no_formula_comes_from_what_people_typed(city: City) -> None:
    with core.work() as work:
        work.session.execute(
            sa.text("UPDATE person SET name = :name WHERE id = :id"), {"name": EVIL, "id": city.person["marcus"]}
        )
    with mail_server() as box:
        use_mail(box)
        sent = write(city.person["marcus"], number="SR-1\r\nBcc: evil@x.example", what="x" * 10_000)
        assert delivering.deliver() == 1
    [taken] = box.taken
    assert box.recipients == ["m.ellison@example.org"]
    assert taken["Bcc"] is None
    assert taken["Subject"] == sent_copy(sent).title
    assert "\n" not in taken["Subject"]
    body = taken.get_content().replace("\r\n", "\n")
    assert "😀 =HYPERLINK" in body
    assert body.startswith("Dear Marcus\nBcc: evil@x.example\n\nBuy"), "in the body it is only words"


def test_ten_thousand_characters_arrive_whole(city: City) -> None:
    long = 'Straße 😀 =HYPERLINK("x") . ' * 400
    assert len(long) > 10_000
    with core.work() as work:
        work.add(
            ReferenceRow(
                kind="letter", code="long", name="Long", effective_from=dt.date(2020, 1, 1),
                detail={"code": "long", "name": "Long", "subject": "{what}", "body": ".\n{what}\n.\nFrom here", "placeholders": ["what"]},
            )
        )  # fmt: skip
    with mail_server() as box:
        use_mail(box)
        sent = write(city.person["marcus"], template="long", what=long)
        assert delivering.deliver() == 1
    [taken] = box.taken
    assert (
        taken.get_content().replace("\r\n", "\n").removesuffix("\n")
        == sent_copy(sent).body
        == f".\n{long}\n.\nFrom here"
    )
    assert len(taken["Subject"]) <= 200


# --- who, where, whether ----------------------------------------------------------------------------------------------


def test_without_a_mail_server_messages_wait_untouched(city: City) -> None:
    settings.use(settings.load(demo=True))
    sent = write(city.person["marcus"])
    for _ in range(3):
        assert delivering.deliver() == 0
    assert (message(sent).delivery_state, message(sent).attempts) == ("ready", 0)
    assert outcomes(sent) == []
    with mail_server() as box:
        use_mail(box)
        assert delivering.deliver() == 1


def test_somebody_without_an_address_is_for_people_not_a_loop(city: City) -> None:
    with core.work() as work:
        work.session.execute(
            sa.text("UPDATE person SET email = '', phone = '' WHERE id = :id"), {"id": city.person["marcus"]}
        )
    with mail_server() as box:
        use_mail(box)
        by_mail, by_text = write(city.person["marcus"]), write(city.person["marcus"], "text")
        gone = write(None)
        for _ in range(3):
            assert delivering.deliver() == 0
    for each, words in ((by_mail, "no e-mail address"), (by_text, "no telephone number"), (gone, "no record")):
        assert message(each).delivery_state == "no_address"
        assert words in message(each).reason
        assert outcomes(each) == []


def test_an_address_that_is_none_is_for_people(city: City) -> None:
    with core.work() as work:
        work.session.execute(
            sa.text("UPDATE person SET email = 'a@b.example, c@d.example' WHERE id = :id"),
            {"id": city.person["marcus"]},
        )
    with mail_server() as box:
        use_mail(box)
        sent = write(city.person["marcus"])
        assert delivering.deliver() == 0
    assert message(sent).delivery_state == "no_address"
    assert "not one e-mail address" in message(sent).reason


def test_a_letter_is_to_be_printed_with_the_address_on_file(city: City) -> None:
    settings.use(settings.load(demo=True))
    sent = write(city.person["marcus"], "letter")
    delivering.deliver()
    assert message(sent).delivery_state == "to_print"
    assert sent_copy(sent).address.startswith("1418 Oakhaven Dr")


def test_a_merged_record_is_written_to_where_it_went(city: City) -> None:
    with core.work() as work:
        work.session.execute(
            sa.text("UPDATE person SET merged_into_id = :to WHERE id = :id"),
            {"to": city.person["priya"], "id": city.person["marcus"]},
        )
    with mail_server() as box:
        use_mail(box)
        write(city.person["marcus"])
        assert delivering.deliver() == 1
    assert box.recipients == ["priya.raman@example.org"]


def test_what_has_waited_for_weeks_is_for_people(city: City, later: Callable[[float], None]) -> None:
    settings.use(settings.load(demo=True))
    sorted_before, new = write(city.person["marcus"]), 0
    delivering.sort_messages()
    new = write(city.person["marcus"])
    later(15 * 86_400)
    with mail_server() as box:
        use_mail(box)
        assert delivering.deliver() == 0
    assert box.taken == []
    for each in (sorted_before, new):
        assert message(each).delivery_state == "failed"
        assert "waited longer than 14 days" in message(each).reason


def test_a_letter_that_cannot_be_written_stops_nobody_else(city: City) -> None:
    with core.work() as work:
        for code in ("broken", "general"):
            work.add(
                ReferenceRow(
                    kind="letter", code=code, name="Broken", effective_from=dt.date(2026, 1, 1),
                    detail={"code": code, "name": "Broken", "subject": "{nothing}", "body": "x", "placeholders": ["nothing"]},
                )
            )  # fmt: skip
    with mail_server() as box:
        use_mail(box)
        broken, well = write(city.person["marcus"], template="broken"), write(city.person["marcus"])
        assert delivering.deliver() == 1
    assert message(broken).delivery_state == "failed"
    assert "nothing" in message(broken).reason
    assert message(well).delivery_state == "sent"


def test_an_order_goes_to_the_division_else_the_department(city: City) -> None:
    target("bulky", by="email", email="bulky@crew.example")
    target("commercial", by="portal")
    with mail_server() as box:
        use_mail(box)
        own, department, portal = write_order("bulky"), write_order("carts"), write_order("commercial")
        nobody = write_order("no_such_division")
        assert delivering.deliver() == 2
    assert box.recipients == ["bulky@crew.example", "solidwaste@city.example"]
    assert "Replace the cart" in sent_copy(own).body
    assert "9 Elm St" in sent_copy(department).body
    assert message(portal).delivery_state == "in_portal"
    assert message(nobody).delivery_state == "no_address"


# --- webhooks ---------------------------------------------------------------------------------------------------------


def use_webhooks(**more: Any) -> None:
    settings.use(settings.load(demo=True, webhook_key=KEY, **{"smtp_seconds": 5} | more))


def test_a_webhook_is_signed_and_says_what_is_to_do(city: City) -> None:
    with receiver() as box:
        target("recycling_contractor", by="webhook", url=box.url)
        use_webhooks()
        sent = write_order("recycling_contractor", premise=city.premise["oakhaven"])
        assert delivering.deliver() == 1
    [got] = box.got
    assert got.json()["subject"] == {"kind": "work_order", "id": 1, "number": "WO-26-0000017"}
    assert got.json()["detail"]["place"] == "9 Elm St"
    assert got.key == got.headers["Webhook-Id"] == got.json()["id"] == sent_copy(sent).handing_key
    secret = delivery.webhook_secret(KEY, delivery.Target("recycling_contractor", "webhook"))
    assert secret == delivering.webhook_secret(settings.current(), "recycling_contractor")
    timestamp = int(got.headers["Webhook-Timestamp"])
    assert got.headers["Webhook-Signature"] == delivery.signature(secret, got.key, timestamp, got.body)
    assert got.body.decode() == sent_copy(sent).body


def test_a_contractor_is_not_told_the_home_of_a_protected_person(city: City) -> None:
    with core.work() as work:
        work.session.execute(
            sa.text("UPDATE person SET exempt_from_public_records = :yes WHERE id = :id"),
            {"yes": True, "id": city.person["marcus"]},
        )
    with receiver() as box, mail_server() as mail:
        target("recycling_contractor", by="webhook", url=box.url)
        use_mail(mail, webhook_key=KEY)
        where = {"premise": city.premise["oakhaven"], "place": "1418 Oakhaven Dr", "instructions": "Beside 1418"}
        write_order("recycling_contractor", **where)
        own = write_order("carts", **where)
        assert delivering.deliver() == 2
    assert b"1418" not in box.got[0].body
    assert "kept back by law" in box.got[0].json()["text"]
    assert "1418 Oakhaven Dr" in sent_copy(own).body, "the city's own people see it"


def test_a_receiver_that_is_busy_gone_or_wrong(city: City) -> None:
    with receiver() as box:
        target("recycling_contractor", by="webhook", url=box.url)
        use_webhooks()
        box.answers = [(503, {"Retry-After": "7200"}, "busy"), (410, {}, "gone"), (302, {"Location": box.url}, "")]
        busy, gone, moved = (write_order("recycling_contractor") for _ in range(3))
        assert delivering.deliver() == 0
    assert message(busy).delivery_state == "ready"
    assert message(busy).due_at - core.now() > dt.timedelta(minutes=110)
    assert (message(gone).delivery_state, message(moved).delivery_state) == ("failed", "failed")
    assert len(box.got) == 3, "a redirect is not followed"


def test_a_receiver_that_answers_a_byte_at_a_time_is_cut_off(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering.handover, "HANDING_SECONDS", 1.0)
    with receiver() as box:
        box.drip = True
        target("recycling_contractor", by="webhook", url=box.url)
        use_webhooks()
        sent = write_order("recycling_contractor")
        assert delivering.deliver() == 0
    assert message(sent).delivery_state == "ready"


def test_https_with_the_city_s_own_authority(city: City, tmp_path: Path) -> None:
    with receiver(tls=certificate(tmp_path)) as box:
        target("recycling_contractor", by="webhook", url=box.url)
        use_webhooks()
        sent = write_order("recycling_contractor")
        assert delivering.deliver() == 0
        assert "certificate" in message(sent).reason
        use_webhooks(ca_file=tmp_path / "ca.pem")
        with time_machine.travel(core.now() + dt.timedelta(minutes=5), tick=True):
            assert delivering.deliver() == 1


def test_private_networks_are_not_asked_unless_named(city: City) -> None:
    with receiver() as box:
        target("recycling_contractor", by="webhook", url=box.url.replace("127.0.0.1", "localhost"))
        settings.use(settings.load(webhook_key=KEY))
        refused = write_order("recycling_contractor")
        assert delivering.deliver() == 0
        assert "PORTAL_WEBHOOK_NETWORKS" in message(refused).reason
        settings.use(settings.load(webhook_key=KEY, webhook_networks="127.0.0.0/8, ::1/128"))
        write_order("recycling_contractor")
        assert delivering.deliver() == 1
    assert len(box.got) == 1


def test_a_demo_asks_nobody_on_the_internet(city: City) -> None:
    target("recycling_contractor", by="webhook", url="https://93.184.216.34/hook")
    use_webhooks()
    sent = write_order("recycling_contractor")
    assert delivering.deliver() == 0
    assert "nothing leaves the machine" in message(sent).reason


def test_texts_wait_for_a_gateway(city: City) -> None:
    use_webhooks()
    sent = write(city.person["marcus"], "text")
    assert delivering.deliver() == 0
    assert (message(sent).delivery_state, message(sent).route) == ("ready", "text")
    with receiver() as box:
        target("text", by="webhook", url=box.url)
        assert delivering.deliver() == 1
    assert box.got[0].json()["to"].startswith("+1")
    assert len(box.got[0].json()["to"]) == 12


# --- several workers --------------------------------------------------------------------------------------------------


def test_two_workers_at_once_never_send_twice(city: City) -> None:
    with mail_server(MailBox(wait=0.02)) as box:
        use_mail(box)
        for _ in range(40):
            write(city.person["marcus"])
        failures: list[BaseException] = []

        def work() -> None:
            try:
                delivering.deliver(seconds=30)
            except BaseException as error:  # told to the test below
                failures.append(error)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
    assert failures == []
    assert len(box.taken) == len(box.keys()) == 40
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(DeliveryAttempt)) == 40
        assert session.scalar(sa.select(sa.func.count()).where(events.OutboxMessage.delivery_state == "sent")) == 40


def test_a_storm_of_answers_loses_and_doubles_nothing(city: City, later: Callable[[float], None]) -> None:
    """A server that says yes, later or nothing at all, by lot: in the end each message is there under one key."""
    lot = random.Random(7)
    patience(first_wait_seconds=1, jitter=0.5, most_attempts=50, lease_seconds=60)
    with mail_server(MailBox(answers=[lot.choice(["250", "451 later", "421 closing"]) for _ in range(120)])) as box:
        use_mail(box)
        ids = [write(city.person["marcus"]) for _ in range(30)]
        for _ in range(60):
            delivering.deliver()
            if all(message(each).delivery_state == "sent" for each in ids):
                break
            later(25_000)
    assert {message(each).delivery_state for each in ids} == {"sent"}
    assert set(box.keys()) == {sent_copy(each).handing_key for each in ids}
    assert set(box.keys().values()) == {1}, "nothing was killed, so nothing came twice"
