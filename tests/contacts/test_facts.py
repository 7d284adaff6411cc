"""Who is speaking, by facts of the account: the accounts room compares, the conversation keeps the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from db import core
from db import events as event_rows
from portal import settings
from portal.accounts.commands import check_identity_by_facts
from portal.contacts import commands, views
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.city import City


@pytest.fixture
def check(city: City, actor: Callable[[str], Any]) -> Callable[..., tuple[str, int]]:
    """Asks facts of Marcus Ellison's account (1418 Oakhaven Dr, since 2019, spouse Rosa); answers with title and strength."""
    settings.use(settings.Settings())
    luis = actor("luis")
    call_id = commands.begin_conversation(luis, "phone").subject_id
    commands.link_customer(luis, call_id, account_id=city.account["marcus"])

    def ask(**answers: str) -> tuple[str, int]:
        title = check_identity_by_facts(luis, call_id, tuple(answers.items())).title
        call = views.open_call(luis)
        assert call is not None
        return title, call.strength

    return ask


def test_two_facts_prove_half_and_three_prove_fully(check: Callable[..., tuple[str, int]]) -> None:
    assert check(phone_last4="0142", house_number="1418 Oakhaven") == ("Identity checked: Account facts", 1)
    assert check(phone_last4="0142", house_number="1418", opened_year="2019") == ("Identity checked: Account facts", 2)


def test_an_answer_is_heard_not_spelled(check: Callable[..., tuple[str, int]]) -> None:
    title, _ = check(
        email=" M.Ellison@Example.org",
        authorized_name="rosa  ELLISON",
        phone_last4="(850) 555-0142",
        mailing_zip="32303-1234",
    )
    assert title.startswith("Identity checked")


@pytest.mark.parametrize(
    "answers",
    [
        {"phone_last4": "0143", "house_number": "1418"},
        {"phone_last4": "0142", "house_number": "1420"},
        {"phone_last4": "0142", "house_number": "1418", "opened_year": "2020"},
        {"phone_last4": "0142", "authorized_name": "<script>"},
        {"phone_last4": "🙂" * 10_000, "house_number": "1418"},
    ],
)
def test_one_wrong_answer_fails_all_and_is_not_named(
    check: Callable[..., tuple[str, int]], answers: dict[str, str]
) -> None:
    title, strength = check(**answers)
    assert title == "That does not match. 2 more tries, then checks are locked for 30 minutes."
    assert strength == 0
    with core.read() as session:
        kept = [event.detail for event in event_rows.events_of_conversation(session, 1)]
    assert not any(answer in str(kept) for answer in answers.values()), "no answer is kept, right or wrong"


def test_one_fact_is_too_little_and_costs_no_try(check: Callable[..., tuple[str, int]]) -> None:
    for answers in ({}, {"phone_last4": "0142"}, {"phone_last4": "0142", "email": "  "}):
        with pytest.raises(Refused, match="at least 2 facts"):
            check(**answers)
    assert check(phone_last4="1", house_number="1")[0].startswith("That does not match. 2 more tries")


def test_a_fact_that_is_not_on_file_is_not_asked(check: Callable[..., tuple[str, int]]) -> None:
    with pytest.raises(Refused, match="nothing on file for “no_such_fact”"):
        check(phone_last4="0142", no_such_fact="x")


def test_wrong_facts_and_wrong_pins_are_counted_together(
    check: Callable[..., tuple[str, int]], actor: Callable[[str], Any]
) -> None:
    from portal.contacts.rules import SecretCheck

    luis = actor("luis")
    call = views.open_call(luis)
    assert call is not None
    commands.check_identity(luis, SecretCheck(call.id, "1"))
    check(phone_last4="1", house_number="1")
    assert "locked until" in commands.check_identity(luis, SecretCheck(call.id, "2")).title
    with pytest.raises(Refused, match="locked until"):
        check(phone_last4="0142", house_number="1418")
