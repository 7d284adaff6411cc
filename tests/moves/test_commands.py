"""Starts, stops and transfers as transactions, on both databases: who has a point, which orders, which letters."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from db import accounts, billing, core, directory, events, metering, moves, service_requests, waste
from db import contacts as contact_rows
from portal.accounts.commands import check_identity_by_facts
from portal.contacts import commands as contacts
from portal.contacts import views as contact_views
from portal.contacts.rules import WrapUp
from portal.moves import commands
from portal.moves.rules.form import StartForm, StopForm, TransferForm
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.city import City

TODAY = dt.date(2026, 11, 24)  # Tuesday, 10:42 am; Thanksgiving is the 26th, the office is closed on the 27th too
MONDAY = dt.date(2026, 11, 30)
FOUR = ("electric", "water", "sewer", "refuse")


def newcomer(city: City, premise: str, kinds: tuple[str, ...] = FOUR, on: dt.date = MONDAY, **more: Any) -> StartForm:
    return StartForm(
        premise_id=city.premise[premise],
        service_kinds=kinds,
        on=on,
        name="Nora Quint",
        phone="(850) 555-0191",
        **more,
    )


def agreements_at(city: City, premise: str, kind: str) -> list[accounts.ServiceAgreement]:
    with core.read() as session:
        return list(
            session.scalars(
                sa.select(accounts.ServiceAgreement)
                .where(accounts.ServiceAgreement.service_point_id == city.point[premise, kind])
                .order_by(accounts.ServiceAgreement.id)
            )
        )


def states_at(city: City, premise: str, kind: str) -> list[str]:
    return [row.state_code for row in agreements_at(city, premise, kind)]


def open_orders(city: City, premise: str) -> dict[str, str]:
    """Order code -> service kind of the open orders at a premise."""
    with core.read() as session:
        rows = session.scalars(
            sa.select(service_requests.WorkOrder).where(
                service_requests.WorkOrder.premise_id == city.premise[premise],
                service_requests.WorkOrder.closed.is_(False),
            )
        )
        return {row.order_code: row.service_kind or "" for row in rows}


def move_row(number: str) -> moves.Move:
    with core.read() as session:
        row = moves.move_by_number(session, number)
    assert row is not None
    return row


def messages() -> list[tuple[str, int | None]]:
    with core.read() as session:
        rows = session.scalars(sa.select(events.OutboxMessage).order_by(events.OutboxMessage.id))
        return [(row.template, row.recipient_id) for row in rows if row.template != "work_order"]


def confirm(actor: Any, agreement: accounts.ServiceAgreement, on: dt.date, read: int | None = None) -> None:
    commands.confirm_agreement(actor, agreement.id, on, read)


def test_start_at_an_empty_house_writes_everything_at_once(city: City, actor: Callable[[str], Any]) -> None:
    receipt = commands.start_service(actor("representative"), newcomer(city, "tanner61"))
    assert receipt.title == "Start of 4 services is booked for Mon, Nov 30"
    assert open_orders(city, "tanner61") == {"E-ON-R": "electric", "W-ON": "water", "RG96-DEL": "refuse"}
    assert {what.rpartition(" · ")[2] for _, what in receipt.orders} == {"E-ON-R", "W-ON", "RG96-DEL"}
    move = move_row(receipt.number)
    # base/deposit: electric 175 + water 50 + sewer 50 flat, refuse none; base/fee: connection electric 28 + water 28
    assert (move.deposit_cents, move.fee_cents) == (27500, 5600)
    assert "$50.00 each for water and sewer: the set amount for residential service." in receipt.notes
    assert "No deposit is asked for garbage." in receipt.notes
    assert states_at(city, "tanner61", "electric") == ["pending_start"]
    with core.read() as session:
        account = moves.account(session, move.account_id)
        assert account is not None
        assert account.premise_id == city.premise["tanner61"]
        assert [each.subject_id for each in accounts.find(session, "Nora Quint") if each.kind == "account"] == [
            account.id
        ]
        named = [row.name for row in events.events_of_subject(session, "move", move.id)]
    assert named == ["move.started"]
    assert ("welcome", move.person_id) in messages()
    assert "M V, 2 6" in receipt.say


def test_field_results_make_it_active_and_sewer_follows_water(city: City, actor: Callable[[str], Any]) -> None:
    receipt = commands.start_service(actor("representative"), newcomer(city, "tanner61", on=dt.date(2026, 11, 25)))
    water = agreements_at(city, "tanner61", "water")[0]
    supervisor = actor("supervisor")
    with pytest.raises(Refused, match="still to come"):
        confirm(supervisor, water, dt.date(2026, 11, 25), 905)
    core.live_as_of(None)
    import time_machine

    with time_machine.travel(dt.datetime(2026, 11, 30, 20, tzinfo=dt.UTC)):
        with pytest.raises(Refused, match="Enter the reading of meter W-91061 in cgal"):
            confirm(supervisor, water, dt.date(2026, 11, 25))
        confirm(supervisor, water, dt.date(2026, 11, 25), 905)
        assert states_at(city, "tanner61", "sewer") == ["active"]
        assert commands.confirm_due(dt.date(2026, 11, 30)) == 1  # electric, read from the office
        confirm(supervisor, agreements_at(city, "tanner61", "refuse")[0], dt.date(2026, 11, 30))
    move = move_row(receipt.number)
    assert move.state_code == "done"
    assert open_orders(city, "tanner61") == {}
    with core.read() as session:
        assert len(waste.standing(session, city.point["tanner61", "refuse"])) == 1
        read = session.scalars(
            sa.select(metering.RegisterRead)
            .where(metering.RegisterRead.meter_id == city.meter["E-450061"])
            .order_by(metering.RegisterRead.read_on.desc())
        ).first()
    assert read is not None
    # 12,000 on Nov 4 and 560 in the 31 days before: 21 days later 12,000 + 560 * 21 / 31 = 12,379
    assert (read.read_on, read.read, read.how) == (dt.date(2026, 11, 25), 12379, "start")


def test_electric_from_the_office_is_on_at_once(city: City, actor: Callable[[str], Any]) -> None:
    receipt = commands.start_service(actor("representative"), newcomer(city, "tanner61", ("electric",), on=TODAY))
    assert receipt.title == "Electric started Tue, Nov 24"
    assert states_at(city, "tanner61", "electric") == ["active"]
    assert move_row(receipt.number).state_code == "done"
    assert open_orders(city, "tanner61") == {}


class TestTurnover:
    def test_one_read_ends_one_and_starts_the_other(self, city: City, actor: Callable[[str], Any]) -> None:
        receipt = commands.start_service(
            actor("representative"), newcomer(city, "market", ("electric", "water"), evidence_code="lease", on=MONDAY)
        )
        assert "Wei Chen" not in receipt.say + receipt.title + "".join(step.what for step in receipt.steps)
        assert states_at(city, "market", "water") == ["pending_stop", "pending_start"]
        # One order for both: read and leave on.
        assert open_orders(city, "market") == {"E-READ-R": "electric", "W-READ": "water"}
        assert ("turnover_notice", city.person["wei"]) in messages()
        old, new = agreements_at(city, "market", "water")
        import time_machine

        with time_machine.travel(dt.datetime(2026, 12, 1, 15, tzinfo=dt.UTC)):
            # Whoever enters the result on the old agreement confirms both.
            confirm(actor("supervisor"), old, dt.date(2026, 12, 1))
        old, new = agreements_at(city, "market", "water")
        assert (old.state_code, old.stop_on) == ("stopped", dt.date(2026, 12, 1))
        assert (new.state_code, new.start_on) == ("active", dt.date(2026, 12, 1))
        # Sewer was not asked for: it stays with the old party.
        assert states_at(city, "market", "sewer") == ["active"]

    def test_needs_evidence(self, city: City, actor: Callable[[str], Any]) -> None:
        with pytest.raises(Refused, match="Someone else is still active here for electric and water"):
            commands.start_service(actor("representative"), newcomer(city, "market", ("electric", "water")))
        assert states_at(city, "market", "water") == ["active"]

    def test_the_owner_needs_none(self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]) -> None:
        call_id = on_call(actor("representative"), "palmetto")
        asked = newcomer(city, "palmetto4", ("electric",), person_id=city.person["palmetto"], conversation_id=call_id)
        commands.start_service(actor("representative"), asked)
        assert states_at(city, "palmetto4", "electric") == ["pending_stop", "pending_start"]

    def test_cancelled_leaves_no_trace(self, city: City, actor: Callable[[str], Any]) -> None:
        representative = actor("representative")
        call_id = contacts.begin_conversation(representative, "phone").subject_id
        receipt = commands.start_service(
            representative, newcomer(city, "market", ("water",), evidence_code="closing", conversation_id=call_id)
        )
        move = move_row(receipt.number)
        commands.cancel_move(representative, move.id, move.version, "Changed her mind", call_id)  # in the same call
        assert states_at(city, "market", "water") == ["active", "cancelled"]
        assert agreements_at(city, "market", "water")[0].stop_on is None
        assert open_orders(city, "market") == {}
        assert ("turnover_withdrawn", city.person["wei"]) in messages()

    def test_held_where_someone_depends_on_medical_equipment(self, city: City, actor: Callable[[str], Any]) -> None:
        receipt = commands.start_service(
            actor("representative"), newcomer(city, "birch", ("electric", "water"), evidence_code="lease")
        )
        move = move_row(receipt.number)
        assert (move.state_code, move.hold_reason) == ("held", "medical")
        assert states_at(city, "birch", "electric") == ["active", "pending_start"]
        assert open_orders(city, "birch") == {}
        assert "oxygen" not in receipt.say.lower()
        with pytest.raises(Refused, match="held"):
            confirm(actor("supervisor"), agreements_at(city, "birch", "water")[1], TODAY)
        with pytest.raises(Refused, match="does not include"):
            commands.release_move(actor("representative"), move.id, move.version, "Talked to him")
        commands.release_move(actor("supervisor"), move.id, move.version, "Samuel moved to his daughter's")
        assert states_at(city, "birch", "electric") == ["pending_stop", "pending_start"]

    def test_two_starts_for_one_place_hold_the_second(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative, supervisor = actor("representative"), actor("supervisor")
        first = commands.start_service(representative, newcomer(city, "market", ("water",), evidence_code="lease"))
        second = commands.start_service(
            representative,
            dataclasses.replace(newcomer(city, "market", ("water",), evidence_code="lease"), name="Ida Vo"),
        )
        held = move_row(second.number)
        assert (held.state_code, held.hold_reason) == ("held", "dispute")
        with pytest.raises(Refused, match="Another start of water is booked"):
            commands.release_move(supervisor, held.id, held.version, "Lease seen")
        kept = move_row(first.number)
        old_tenant = on_call(representative, "wei")  # not the applicant: whoever has the address may dispute the start
        commands.hold_move(representative, kept.id, kept.version, "Old tenant says she stays", old_tenant)
        assert states_at(city, "market", "water") == ["active", "pending_start", "pending_start"]
        commands.release_move(supervisor, held.id, move_row(second.number).version, "Lease seen")
        assert states_at(city, "market", "water") == ["pending_stop", "pending_start", "pending_start"]

    def test_the_callers_word_alone_gives_the_other_party_notice(self, city: City, actor: Callable[[str], Any]) -> None:
        asked = newcomer(
            city, "market", ("electric",), on=TODAY, evidence_code="own_word", evidence_note="Bought it in October"
        )
        # Three working days after Tuesday the 24th, Thursday and Friday being holidays: the 25th, 30th, December 1.
        with pytest.raises(Refused, match="The first day is Tue, Dec 1"):
            commands.start_service(actor("representative"), asked)


class TestStop:
    def stop(
        self, city: City, account: str, premise: str, kinds: tuple[str, ...], on: dt.date, **more: Any
    ) -> StopForm:
        return StopForm(city.account[account], city.premise[premise], kinds, on, **more)

    def test_goes_back_to_the_owner_who_agreed_to_it(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        receipt = commands.stop_service(
            representative,
            self.stop(
                city,
                "marcella",
                "palmetto4",
                ("electric", "water", "sewer"),
                MONDAY,
                forwarding_address="PO Box 9, Tampa FL 33601",
                conversation_id=on_call(representative, "marcella"),
            ),
        )
        assert "goes back to the owner" in receipt.say
        old, new = agreements_at(city, "palmetto4", "electric")
        assert (old.state_code, new.state_code, new.start_on) == ("pending_stop", "pending_start", MONDAY)
        assert open_orders(city, "palmetto4") == {"E-READ-R": "electric", "W-READ": "water"}
        # A tenant who comes on the same day takes the owner's place, on the same reading.
        here = contact_views.open_call(representative)
        assert here is not None
        start = commands.start_service(
            representative,
            newcomer(city, "palmetto4", ("electric",), evidence_code="lease", conversation_id=here.id),
        )
        assert states_at(city, "palmetto4", "electric") == ["pending_stop", "cancelled", "pending_start"]
        assert states_at(city, "palmetto4", "water") == ["pending_stop", "pending_start"]
        # Cancelled, the owner takes over again.
        move = move_row(start.number)
        commands.cancel_move(representative, move.id, move.version, "Lease fell through", here.id)
        assert states_at(city, "palmetto4", "electric") == ["pending_stop", "cancelled", "cancelled", "pending_start"]

    def test_turns_off_where_nobody_follows(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        receipt = commands.stop_service(
            actor("representative"),
            self.stop(
                city,
                "wei",
                "market",
                FOUR,
                TODAY,
                forwarding_address="8 Elm St, Ocala FL 34470",
                conversation_id=on_call(actor("representative"), "wei"),
            ),
        )
        assert states_at(city, "market", "electric") == ["stopped"]  # from the office, at once
        assert open_orders(city, "market") == {"W-OFF": "water", "RG96-RET": "refuse"}
        water = agreements_at(city, "market", "water")[0]
        confirm(actor("supervisor"), water, TODAY)
        assert states_at(city, "market", "sewer") == ["stopped"]
        confirm(actor("supervisor"), agreements_at(city, "market", "refuse")[0], TODAY)
        with core.read() as session:
            account = moves.account(session, city.account["wei"])
            assert account is not None
            assert account.closed_on == TODAY
            assert account.mailing_address == "8 Elm St, Ocala FL 34470"
        assert move_row(receipt.number).state_code == "done"

    def test_a_landlord_may_not_stop_a_tenant(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        call_id = on_call(actor("representative"), "marcella")
        with pytest.raises(Refused, match=r"F\.S\. 83\.67"):
            commands.stop_service(
                actor("representative"),
                self.stop(
                    city, "marcella", "palmetto4", ("electric",), MONDAY, asked_by="owner", conversation_id=call_id
                ),
            )

    def test_cancelled_stop_takes_the_owners_start_with_it(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        call_id = on_call(representative, "marcella")
        receipt = commands.stop_service(
            representative,
            self.stop(city, "marcella", "palmetto4", ("electric",), MONDAY, conversation_id=call_id),
        )
        move = move_row(receipt.number)
        commands.cancel_move(representative, move.id, move.version, "Stays after all", call_id)
        assert states_at(city, "palmetto4", "electric") == ["active", "cancelled"]
        assert open_orders(city, "palmetto4") == {}

    def test_twice_is_said_with_the_number(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        call_id = on_call(actor("representative"), "wei")
        asked = self.stop(city, "wei", "market", ("water",), MONDAY, conversation_id=call_id)
        receipt = commands.stop_service(actor("representative"), asked)
        with pytest.raises(Refused, match=f"already booked, number {receipt.number}"):
            commands.stop_service(actor("representative"), asked)


class TestTransfer:
    def test_both_halves_on_one_account(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        asked = TransferForm(
            city.account["wei"],
            city.premise["market"],
            MONDAY,
            newcomer(
                city,
                "tanner61",
                on=MONDAY,
                person_id=city.person["wei"],
                conversation_id=on_call(representative, "wei"),
            ),
        )
        receipt = commands.transfer_service(
            representative, dataclasses.replace(asked, start=dataclasses.replace(asked.start, name="Wei Chen"))
        )
        assert receipt.title == "Transfer of 4 services is booked for Mon, Nov 30"
        move = move_row(receipt.number)
        assert (move.kind, move.deposit_cents) == ("transfer", 0)
        assert states_at(city, "market", "water") == ["pending_stop"]
        assert agreements_at(city, "tanner61", "water")[0].account_id == city.account["wei"]
        import time_machine

        with time_machine.travel(dt.datetime(2026, 11, 30, 20, tzinfo=dt.UTC)):
            commands.confirm_due(MONDAY)
            for kind in ("water", "refuse"):
                confirm(actor("supervisor"), agreements_at(city, "market", kind)[0], MONDAY)
        with core.read() as session:
            account = moves.account(session, city.account["wei"])
            assert account is not None
            assert account.closed_on is None
            assert account.premise_id == city.premise["tanner61"]

    def test_cancelling_one_half_cancels_the_other(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        start = dataclasses.replace(
            newcomer(city, "tanner61", on=MONDAY, conversation_id=on_call(representative, "wei")),
            name="Wei Chen",
            person_id=city.person["wei"],
        )
        receipt = commands.transfer_service(
            representative, TransferForm(city.account["wei"], city.premise["market"], MONDAY, start)
        )
        move = move_row(receipt.number)
        commands.cancel_move(representative, move.id, move.version, "Stays", start.conversation_id)
        assert states_at(city, "market", "water") == ["active"]
        assert states_at(city, "tanner61", "water") == ["cancelled"]
        assert open_orders(city, "market") == {}
        assert open_orders(city, "tanner61") == {}

    def test_to_the_same_place_is_refused(self, city: City, actor: Callable[[str], Any]) -> None:
        start = dataclasses.replace(newcomer(city, "market"), name="Wei Chen")
        with pytest.raises(Refused, match="The new premise is the old one"):
            commands.transfer_service(
                actor("representative"), TransferForm(city.account["wei"], city.premise["market"], MONDAY, start)
            )


class TestDebts:
    def test_a_former_occupants_debt_never_blocks(self, city: City, actor: Callable[[str], Any]) -> None:
        # Tomas Elison left 412.60 at 1420 Oakhaven; Odessa Pratt is there now.
        receipt = commands.start_service(
            actor("representative"), newcomer(city, "neighbor", ("electric",), evidence_code="lease")
        )
        assert "412" not in receipt.say

    def test_ones_own_is_asked_for(self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]) -> None:
        asked = dataclasses.replace(
            newcomer(city, "tanner61", ("electric",), conversation_id=on_call(actor("representative"), "tomas")),
            name="Tomas Elison",
            person_id=city.person["tomas"],
        )
        with pytest.raises(Refused, match=r"still owes \$412\.60 from account 100-1190-7"):
            commands.start_service(actor("representative"), asked)
        with pytest.raises(Refused, match="may move to the new account, and tick it"):
            commands.start_service(actor("representative"), dataclasses.replace(asked, own_debt="transfer"))
        receipt = commands.start_service(
            actor("representative"), dataclasses.replace(asked, own_debt="transfer", own_debt_consent=True)
        )
        assert move_row(receipt.number).detail["own_debt"] == {
            "choice": "transfer", "cents": 41260, "accounts": ["100-1190-7"], "months": None, "consent": True,
        }  # fmt: skip

    def test_direct_benefit_is_a_supervisors_exception_with_evidence(
        self, city: City, actor: Callable[[str], Any]
    ) -> None:
        asked = newcomer(
            city,
            "neighbor",
            ("electric",),
            evidence_code="lease",
            benefited="Lived there with him, 2023 lease names both",
        )
        with pytest.raises(Refused, match="Only a supervisor may decide"):
            commands.start_service(actor("representative"), asked)
        with pytest.raises(Refused, match=r"still owes \$412\.60"):
            commands.start_service(actor("supervisor"), asked)
        receipt = commands.start_service(actor("supervisor"), dataclasses.replace(asked, own_debt="paid"))
        assert move_row(receipt.number).detail["benefited"].startswith("Lived there")


def test_nobody_starts_on_their_own_account(city: City, actor: Callable[[str], Any]) -> None:
    asked = dataclasses.replace(newcomer(city, "tanner61"), name="Dana Whitcomb", account_id=city.account["dana"])
    with pytest.raises(Refused, match="your own"):
        commands.start_service(actor("dana"), asked)


def test_a_refused_start_writes_nothing(city: City, actor: Callable[[str], Any]) -> None:
    with core.read() as session:
        before = [
            session.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (accounts.Person, accounts.Account, moves.Move)
        ]
    with pytest.raises(Refused):
        commands.start_service(actor("representative"), newcomer(city, "tanner61", ("gas",)))
    with core.read() as session:
        after = [
            session.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (accounts.Person, accounts.Account, moves.Move)
        ]
    assert before == after


def test_the_same_form_twice_is_one_start(city: City, actor: Callable[[str], Any]) -> None:
    first = commands.start_service(actor("representative"), newcomer(city, "tanner61"), key="form-start-0001")
    again = commands.start_service(actor("representative"), newcomer(city, "tanner61"), key="form-start-0001")
    assert again.replayed
    assert again.number == first.number
    assert states_at(city, "tanner61", "water") == ["pending_start"]


def test_a_manager_may_not_start(city: City, actor: Callable[[str], Any]) -> None:
    with pytest.raises(Refused, match=r"move\.start"):
        commands.start_service(actor("manager"), newcomer(city, "tanner61"))


class TestWhoIsSpeaking:
    """base/identity_policy: a start in a known customer's name asks for strength 1, a stop or a transfer for 2."""

    def test_without_a_conversation_the_remedy_is_named(self, city: City, actor: Callable[[str], Any]) -> None:
        asked = StopForm(city.account["wei"], city.premise["market"], ("water",), MONDAY)
        with pytest.raises(Refused, match=r"Take the call \(Alt\+A\) and check who is speaking first") as caught:
            commands.stop_service(actor("representative"), asked)
        assert caught.value.title == "Check who is speaking first"
        assert states_at(city, "market", "water") == ["active"]

    def test_a_call_about_somebody_else_proves_nothing(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        call_id = on_call(actor("representative"), "priya")
        asked = StopForm(city.account["wei"], city.premise["market"], ("water",), MONDAY, conversation_id=call_id)
        with pytest.raises(Refused, match="not about this customer yet"):
            commands.stop_service(actor("representative"), asked)

    def test_all_that_is_wrong_is_said_at_once(self, city: City, actor: Callable[[str], Any]) -> None:
        asked = StopForm(city.account["wei"], city.premise["market"], ("water",), None)
        with pytest.raises(Refused) as caught:
            commands.stop_service(actor("representative"), asked)
        assert [problem.field for problem in caught.value.problems] == ["on", "identity"]

    def test_a_wrapped_up_call_counts_no_more(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        call_id = on_call(representative, "wei")
        contacts.wrap_up(representative, WrapUp(call_id, "start_stop", "answered"))
        asked = StopForm(city.account["wei"], city.premise["market"], ("water",), MONDAY, conversation_id=call_id)
        with pytest.raises(Refused, match="Take the call"):
            commands.stop_service(representative, asked)

    def test_two_facts_are_enough_to_start_and_not_to_change_the_number(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        call_id = on_call(representative, "priya", checked=False)
        asked = StartForm(
            city.premise["tanner61"],
            ("electric",),
            MONDAY,
            "Priya Raman",
            person_id=city.person["priya"],
            account_id=city.account["priya"],
            conversation_id=call_id,
        )
        with pytest.raises(Refused, match="“Start service” needs a check of who is speaking first: ask for two"):
            commands.start_service(representative, asked)
        facts = (("house_number", "903"), ("email", "priya.raman@example.org"))
        check_identity_by_facts(representative, call_id, facts)
        with pytest.raises(Refused, match="“Change contact details” needs a check of who is speaking first"):
            commands.start_service(representative, dataclasses.replace(asked, phone="850 555 0102"))
        commands.start_service(representative, asked)
        assert states_at(city, "tanner61", "electric") == ["pending_start"]

    def test_a_signed_letter_counts_where_the_row_says_so(self, city: City, actor: Callable[[str], Any]) -> None:
        representative = actor("representative")
        call_id = contacts.begin_conversation(representative, "letter").subject_id
        contacts.link_customer(representative, call_id, account_id=city.account["wei"])
        asked = StopForm(city.account["wei"], city.premise["market"], ("water",), MONDAY, conversation_id=call_id)
        with pytest.raises(Refused, match="needs a check"):
            commands.stop_service(representative, asked)
        with core.work() as work:
            row = directory.reference_row(work.session, "identity_policy", "move.stop", TODAY)
            assert row is not None
            row.detail = {**row.detail, "signed_channels": ["letter"]}
        commands.stop_service(representative, asked)
        assert states_at(city, "market", "water") == ["pending_stop"]


def work_of(number: str) -> list[tuple[str, str, str, dt.date]]:
    """The promises about the work of a move, without its first collection."""
    return [one for one in promises_of(number) if ": First collection" not in one[2]]


def promises_of(number: str, subject_kind: str = "move") -> list[tuple[str, str, str, dt.date]]:
    """(kind, outcome, words, the day it is due) of each promise about a move."""
    move = move_row(number)
    with core.read() as session:
        rows = session.scalars(
            sa.select(contact_rows.Promise)
            .where(contact_rows.Promise.subject_kind == subject_kind, contact_rows.Promise.subject_id == move.id)
            .order_by(contact_rows.Promise.due_at, contact_rows.Promise.kind)
        )
        return [
            (row.kind, row.outcome, row.words, row.due_at.astimezone(ZoneInfo("America/New_York")).date())
            for row in rows
        ]


class TestDatesTold:
    def test_each_date_is_a_promise_kept_or_broken_by_the_result(self, city: City, actor: Callable[[str], Any]) -> None:
        receipt = commands.start_service(actor("representative"), newcomer(city, "tanner61"))
        assert "The 5 dates told are on your list of promises until they are kept." in receipt.notes
        # base/order_kind: electric from the office and water by a visit on the day itself, the cart one working day later.
        tuesday = dt.date(2026, 12, 1)
        told = work_of(receipt.number)
        assert [(kind, outcome, on) for kind, outcome, _, on in told] == [
            ("date", "open", MONDAY),
            ("visit", "open", MONDAY),
            ("date", "open", tuesday),
        ]
        assert told[1][2] == f"61 Tanner St: Water on, first reading taken; all taps closed please ({receipt.number})"
        assert told[2][2].startswith("61 Tanner St: Cart delivered")
        import time_machine

        with time_machine.travel(dt.datetime(2026, 12, 3, 15, tzinfo=dt.UTC)):
            supervisor = actor("supervisor")
            # Entered on Thursday, done on Monday: kept. The cart came on Wednesday: broken.
            confirm(supervisor, agreements_at(city, "tanner61", "water")[0], MONDAY, 905)
            assert [outcome for _, outcome, _, _ in work_of(receipt.number)] == ["open", "kept", "open"]
            confirm(supervisor, agreements_at(city, "tanner61", "refuse")[0], dt.date(2026, 12, 2))
            commands.confirm_due(dt.date(2026, 12, 3))
        assert [outcome for _, outcome, _, _ in work_of(receipt.number)] == ["kept", "kept", "broken"]

    def test_a_cancelled_stop_leaves_none_open(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        call_id = on_call(representative, "wei")
        asked = StopForm(
            city.account["wei"], city.premise["market"], ("water", "sewer"), MONDAY, conversation_id=call_id
        )
        receipt = commands.stop_service(representative, asked)
        assert [(kind, outcome) for kind, outcome, _, _ in promises_of(receipt.number)] == [("visit", "open")]
        (line,) = [one for one in contact_views.promises(representative) if receipt.number in one.words]
        assert (line.name, line.account_id) == ("Wei Chen", city.account["wei"])
        move = move_row(receipt.number)
        commands.cancel_move(representative, move.id, move.version, "Stays after all", call_id)
        (settled,) = contact_views.promises(representative, settled=True)
        assert settled.settled_words == "Withdrawn, the move was cancelled: Stays after all"

    def test_what_is_held_breaks_and_what_is_released_is_told_anew(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        receipt = commands.start_service(representative, newcomer(city, "market", ("water",), evidence_code="lease"))
        move = move_row(receipt.number)
        old_tenant = on_call(representative, "wei")
        commands.hold_move(representative, move.id, move.version, "Old tenant says she stays", old_tenant)
        assert {outcome for _, outcome, _, _ in promises_of(receipt.number)} == {"broken"}
        assert {outcome for _, outcome, _, _ in promises_of(receipt.number, "first_bill")} == {"broken"}
        commands.release_move(actor("supervisor"), move.id, move_row(receipt.number).version, "Lease seen")
        assert sorted(outcome for _, outcome, _, _ in promises_of(receipt.number)) == ["broken", "open"]

    def test_the_first_collection_and_the_first_bill_are_promises(
        self, city: City, actor: Callable[[str], Any]
    ) -> None:
        representative = actor("representative")
        receipt = commands.start_service(representative, newcomer(city, "tanner61"))
        shown = {step.what: step.when for step in receipt.steps}
        (collection,) = [one for one in promises_of(receipt.number) if one[2].startswith("61 Tanner St: First coll")]
        # What is promised is what the receipt shows: the same day, the same words.
        assert collection[2] == f"61 Tanner St: First collection of garbage ({receipt.number})"
        said = next(when for what, when in shown.items() if what.startswith("First collection of garbage"))
        assert said == f"{collection[3]:%a}, {collection[3]:%b} {collection[3].day}"
        ((kind, outcome, words, on),) = promises_of(receipt.number, "first_bill")
        assert (kind, outcome, words) == ("date", "open", f"61 Tanner St: First bill ({receipt.number})")
        billed = next(when for what, when in shown.items() if what.startswith("First bill"))
        assert billed == f"About {on:%a}, {on:%b} {on.day}"
        mine = [line.words for line in contact_views.promises(representative)]
        assert words in mine
        assert collection[2] in mine

        assert commands.settle_first_bills() == 0  # no bill yet
        with core.work() as work:
            work.add(
                billing.Bill(
                    number="BL-26-9000001", account_id=move_row(receipt.number).account_id, from_on=MONDAY,
                    to_on=on, billed_on=on, due_on=on, total_cents=1200, lines=[],
                )
            )  # fmt: skip
        assert commands.settle_first_bills() == 1
        assert [one[1] for one in promises_of(receipt.number, "first_bill")] == ["kept"]
        assert commands.settle_first_bills() == 0


class TestWhoSpeaks:
    """base/identity_policy: cancel 2, hold 1 for either side, release 0."""

    def test_another_call_needs_a_check_before_a_move_is_cancelled(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        call_id = on_call(representative, "wei")
        asked = StopForm(city.account["wei"], city.premise["market"], ("water",), MONDAY, conversation_id=call_id)
        move = move_row(commands.stop_service(representative, asked).number)
        contacts.wrap_up(representative, WrapUp(call_id, "start_stop", "service_ordered"))
        for conversation_id in (None, call_id):  # none, and the one that is over
            with pytest.raises(Refused, match="Take the call") as refused:
                commands.cancel_move(representative, move.id, move.version, "Stays", conversation_id)
            assert refused.value.title == contacts.NOT_CHECKED
        again = on_call(representative, "wei", checked=False)
        with pytest.raises(Refused, match="“Cancel a booked move” needs a check of who is speaking first"):
            commands.cancel_move(representative, move.id, move.version, "Stays", again)
        other = on_call(representative, "marcella")
        with pytest.raises(Refused, match="not about this customer yet"):
            commands.cancel_move(representative, move.id, move.version, "Stays", other)
        commands.cancel_move(representative, move.id, move.version, "Stays", on_call(representative, "wei"))
        assert move_row(move.number).state_code == "cancelled"

    def test_a_start_is_held_on_no_strangers_word(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        receipt = commands.start_service(representative, newcomer(city, "market", ("water",), evidence_code="lease"))
        move = move_row(receipt.number)
        stranger = on_call(representative, "marcella")
        with pytest.raises(Refused, match="not about this customer yet"):
            commands.hold_move(representative, move.id, move.version, "Says it is hers", stranger)
        commands.hold_move(representative, move.id, move.version, "Still there", on_call(representative, "wei"))
        assert move_row(move.number).state_code == "held"

    def test_a_release_asks_what_its_row_asks(self, city: City, actor: Callable[[str], Any]) -> None:
        receipt = commands.start_service(
            actor("representative"), newcomer(city, "birch", ("water",), evidence_code="lease")
        )
        move = move_row(receipt.number)
        with core.work() as work:
            row = directory.reference_row(work.session, "identity_policy", "move.release", TODAY)
            assert row is not None
            row.detail = {**row.detail, "strength": 1}
        with pytest.raises(Refused, match="“Release a held start” needs a check"):
            commands.release_move(actor("supervisor"), move.id, move.version, "Lease seen")
        with core.work() as work:
            row = directory.reference_row(work.session, "identity_policy", "move.release", TODAY)
            assert row is not None
            row.detail = {**row.detail, "strength": 0}
        commands.release_move(actor("supervisor"), move.id, move.version, "Lease seen")

    def test_the_call_is_about_the_newcomer_from_the_start_on(self, city: City, actor: Callable[[str], Any]) -> None:
        representative = actor("representative")
        call_id = contacts.begin_conversation(representative, "phone").subject_id
        receipt = commands.start_service(representative, newcomer(city, "tanner61", conversation_id=call_id))
        here, move = contact_views.open_call(representative), move_row(receipt.number)
        assert here is not None
        assert (here.id, here.name, here.account_id) == (call_id, "Nora Quint", move.account_id)
        assert (here.person_id, here.premise_id) == (move.person_id, city.premise["tanner61"])
        assert here.strength == 0  # what was typed just now proves nothing

    def test_a_call_about_somebody_else_stays_about_them(
        self, city: City, actor: Callable[[str], Any], on_call: Callable[..., int]
    ) -> None:
        representative = actor("representative")
        call_id = on_call(representative, "wei")
        commands.start_service(representative, newcomer(city, "tanner61", conversation_id=call_id))
        here = contact_views.open_call(representative)
        assert here is not None
        assert (here.name, here.account_id) == ("Wei Chen", city.account["wei"])
