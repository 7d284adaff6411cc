"""What people do about messages: the commands and the Deliveries page, by role, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from db import core, events
from portal import settings
from portal.contacts import commands
from portal.contacts.commands import delivering
from portal.contacts.views import deliveries as views
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streamlit.testing.v1 import AppTest

    from tests.city import City


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    settings.use(settings.load(demo=True))
    yield
    settings.use(None)


def write(city: City, key: str = "rosa", channel: str = "email") -> int:
    """Rosa Ellison has no e-mail address: a message to her is for people."""
    with core.work() as work:
        work.message(
            channel, template="request_opened", recipient_kind="person", recipient_id=city.person[key],
            subject_kind="service_request", subject_id=1, detail={"number": "SR-26-0000017"},
        )  # fmt: skip
    delivering.deliver()
    with core.read() as session:
        return session.scalar(sa.select(sa.func.max(events.OutboxMessage.id))) or 0


def row(message_id: int) -> events.OutboxMessage:
    with core.read() as session:
        found = session.get(events.OutboxMessage, message_id)
        assert found is not None
        return found


def names() -> list[str]:
    with core.read() as session:
        found = session.scalars(
            sa.select(events.Event.name).where(events.Event.name.like("message.%")).order_by(events.Event.id)
        )
        return list(found)


def refusal(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return str(refused.value)


def test_an_address_entered_by_hand_sends_it_on(city: City, actor: Callable[[str], Any]) -> None:
    sam, mid = actor("supervisor"), write(city)
    assert row(mid).delivery_state == "no_address"
    version = row(mid).version
    assert "not one e-mail address" in refusal(lambda: commands.change_address(sam, mid, version, "a@b, c@d"))
    commands.change_address(sam, mid, version, "rosa@example.org")
    delivering.deliver()
    assert row(mid).delivery_state == "ready"
    view = views.message(sam, mid)
    assert view is not None
    assert view.line.address == "rosa@example.org"
    assert "Dear Rosa Ellison" in view.body
    assert "changed" in refusal(lambda: commands.change_address(sam, mid, version, "other@example.org"))
    assert names() == ["message.readdressed"]


def test_an_e_mail_becomes_a_letter_that_is_printed_and_posted(city: City, actor: Callable[[str], Any]) -> None:
    sam, mid = actor("supervisor"), write(city)
    with core.work() as work:
        work.session.execute(
            sa.text("UPDATE person SET mailing_address = 'PO Box 7, Quincy, FL' WHERE id = :id"),
            {"id": city.person["rosa"]},
        )
    commands.send_as_letter(sam, mid, row(mid).version)
    delivering.deliver()
    batch = views.print_batch(sam)
    assert batch.letters == ((mid, row(mid).version),)
    assert "Rosa Ellison\nPO Box 7\nQuincy\nFL" in batch.text
    commands.mark_posted(sam, batch.letters)
    assert row(mid).delivery_state == "posted"
    assert "somebody was faster" in refusal(lambda: commands.mark_posted(sam, batch.letters))
    assert names() == ["message.made_letter", "message.posted", "message.run_posted"]


def test_giving_up_needs_a_reason_and_is_the_end(city: City, actor: Callable[[str], Any]) -> None:
    sam, mid = actor("supervisor"), write(city)
    assert "Say why" in refusal(lambda: commands.give_up(sam, mid, row(mid).version, "  "))
    commands.give_up(sam, mid, row(mid).version, "Told by phone\r\ntoday")
    assert (row(mid).delivery_state, row(mid).reason) == ("given_up", "Told by phone today")
    delivering.deliver()
    assert row(mid).delivery_state == "given_up"
    assert "Given up" in refusal(lambda: commands.try_again(sam, mid, row(mid).version))


def test_trying_again_reads_the_record_anew(city: City, actor: Callable[[str], Any]) -> None:
    sam, mid = actor("supervisor"), write(city)
    with core.work() as work:
        work.session.execute(
            sa.text("UPDATE person SET email = 'rosa@example.org' WHERE id = :id"), {"id": city.person["rosa"]}
        )
    commands.try_again(sam, mid, row(mid).version)
    delivering.deliver()
    assert row(mid).delivery_state == "ready"


def test_all_failed_go_on_together_with_an_event_each(city: City, actor: Callable[[str], Any]) -> None:
    sam, ids = actor("supervisor"), [write(city, "marcus") for _ in range(3)]
    assert "nothing is to be tried again" in refusal(lambda: commands.try_all_again(sam))
    with core.work() as work:
        work.session.execute(sa.update(events.OutboxMessage).values(delivery_state="failed"))
    commands.try_all_again(sam)
    assert {row(each).delivery_state for each in ids} == {"waiting"}
    assert names() == ["message.retried"] * 3 + ["message.all_retried"]


def test_the_wording_for_a_protected_person_is_kept_from_who_may_not_see_it(
    city: City, actor: Callable[[str], Any]
) -> None:
    mid = write(city, "marcus", "letter")
    with core.work() as work:
        work.session.execute(
            sa.text("UPDATE person SET exempt_from_public_records = :yes WHERE id = :id"),
            {"yes": True, "id": city.person["marcus"]},
        )
    ada, sam = actor("administrator"), actor("supervisor")
    hidden, shown = views.message(ada, mid), views.message(sam, mid)
    assert hidden is not None
    assert shown is not None
    assert (hidden.body, hidden.line.to, hidden.line.address) == ("", "Protected person", "")
    assert "Marcus Ellison" in shown.body
    assert (views.print_batch(ada).letters, views.print_batch(ada).held_back) == ((), 1)
    assert len(views.print_batch(sam).letters) == 1


@pytest.mark.parametrize("role", ["supervisor", "manager", "administrator"])
def test_the_page_says_what_waits_and_what_to_set(city: City, open_page: Callable[..., AppTest], role: str) -> None:
    write(city)
    write(city, "marcus")
    page = open_page("deliveries", role)
    assert not page.exception
    said = " ".join(each.value for each in (*page.text, *page.caption, *page.markdown, *page.info))
    assert "nothing leaves this machine" in said
    assert "PORTAL_SMTP_HOST" in said
    assert "There is no e-mail address on file" in said


def test_the_page_is_not_a_representative_s(city: City, open_page: Callable[..., AppTest]) -> None:
    page = open_page("deliveries", "representative")
    assert page.title[0].value == "This page is not part of your role"


def test_a_message_is_given_up_on_its_page(city: City, open_page: Callable[..., AppTest]) -> None:
    mid = write(city)
    page = open_page("deliveries", "supervisor", id=mid)
    page.text_input(key=f"deliveries.reason.{mid}").set_value("Moved away").run()
    next(button for button in page.button if button.label == "Give up").click().run()
    assert not page.exception
    assert row(mid).delivery_state == "given_up"
    seen = open_page("deliveries", "manager", id=mid)
    assert not [button for button in seen.button if button.label in ("Give up", "Try again")]
