"""Adjustments end to end on both databases: posted, asked for, decided, withdrawn, taken back; who may, and up to what."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import time_machine

from db import core, staff
from db.accounts import Account, Person
from db.billing import Adjustment, Bill, JournalEntry, Posting
from db.events import Event, OutboxMessage
from db.staff import ApprovalLimit, Staff
from portal.billing import commands
from portal.billing.rules.adjustment import WHOLE_BILL, AdjustmentForm
from portal.shared.refusal import Refused
from portal.staff import commands as staff_commands
from portal.staff import views as staff_views
from portal.staff.rules import AbsenceForm
from tests.city import NOW, TODAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.city import City

LONG = "Leak at the service line repaired Oct 12, plumber’s bill seen."


def goodwill(city: City, amount: str, account: str = "wei", **more: Any) -> AdjustmentForm:
    return AdjustmentForm(
        city.account[account], "goodwill", "long_wait", amount=amount, note="Waited two weeks for a cart", **more
    )


def october(city: City, account: str = "marcus") -> int:
    with core.read() as session:
        found = session.scalar(
            sa.select(Bill.id).where(Bill.account_id == city.account[account], Bill.billed_on == dt.date(2026, 10, 8))
        )
    assert found is not None
    return found


def leak(city: City, amount: str = "29.52", **more: Any) -> AdjustmentForm:
    fields: dict[str, Any] = {"bill_id": october(city), "service_kind": "water", "amount": amount, "note": LONG}
    return AdjustmentForm(city.account["marcus"], "leak_credit", "leak_repaired", **(fields | more))


def row(number_or_id: int) -> Adjustment:
    with core.read() as session:
        found = session.get(Adjustment, number_or_id, populate_existing=True)
        assert found is not None
        session.expunge(found)
        return found


def account(city: City, key: str) -> Account:
    with core.read() as session:
        found = session.get(Account, city.account[key], populate_existing=True)
        assert found is not None
        session.expunge(found)
        return found


def messages(template: str) -> list[OutboxMessage]:
    with core.read() as session:
        return list(session.scalars(sa.select(OutboxMessage).where(OutboxMessage.template == template)))


def balanced(city: City) -> None:
    """Every balance is the sum of its entries, and every entry's effect that of its postings."""
    from db.billing import ledger

    with core.read() as session:
        assert list(ledger.unequal_balances(session)) == []
        assert list(ledger.unequal_entries(session)) == []


def somebody(city: City, name: str, role: str) -> Any:
    """One more person at the desk with a role."""
    with core.work() as work:
        person = work.add(Staff(issuer="demo", subject=name.casefold(), name=name, created_at=work.now))
        staff.set_roles(work.session, person.id, [role])
    found = staff_views.actor_for_staff(person.id)
    assert found is not None
    return found


# --- within the limit ---------------------------------------------------------------------------------------------------


def test_a_credit_within_the_limit_is_posted_at_once(city: City, actor: Callable[[str], Any]) -> None:
    receipt = commands.adjust_bill(actor("luis"), goodwill(city, "12.50"))
    assert receipt.number.startswith("AJ-26-")
    assert receipt.title == "$12.50 credited to the account: the balance is $58.27"  # city.toml: 70.77 billed
    made = row(receipt.subject_id)
    assert (made.state_code, made.amount_cents, made.requested_by_id) == ("posted", -1250, city.staff["luis"])
    assert account(city, "wei").balance_cents == 5827
    with core.read() as session:
        moved = session.execute(
            sa.select(Posting.debit_code, Posting.credit_code, Posting.amount_cents).where(
                Posting.entry_id == made.entry_id
            )
        ).all()
        events = session.scalars(sa.select(Event.name).where(Event.subject_kind == "adjustment")).all()
    assert [tuple(each) for each in moved] == [("allowance.goodwill", "receivable", 1250)]
    assert list(events) == ["adjustment.posted"]
    [letter] = messages("adjustment_credit")
    assert letter.channel == "letter"
    assert letter.detail["balance_cents"] == 5827
    balanced(city)


def test_the_letter_goes_the_way_the_bills_do(city: City, actor: Callable[[str], Any]) -> None:
    with core.work() as work:
        work.session.execute(sa.update(Account).where(Account.id == city.account["wei"]).values(bill_by="email"))
    commands.adjust_bill(actor("luis"), goodwill(city, "5"))
    assert messages("adjustment_credit")[0].channel == "email"


def test_the_same_form_twice_is_one_adjustment(city: City, actor: Callable[[str], Any]) -> None:
    first = commands.adjust_bill(actor("luis"), goodwill(city, "10"), key="f" * 32)
    again = commands.adjust_bill(actor("luis"), goodwill(city, "10"), key="f" * 32)
    assert again.number == first.number
    assert again.replayed
    assert account(city, "wei").balance_cents == 6077


# --- the leak, as a whole -----------------------------------------------------------------------------------------------


def test_a_leak_credit_takes_sewer_and_tax_along_and_waits_above_the_limit(
    city: City, actor: Callable[[str], Any]
) -> None:
    # city.toml: water 85.08 without tax, sewer 88.87, tax 8.51; half of the excess over 6,200 gal is 29.52.
    receipt = commands.adjust_bill(actor("luis"), leak(city))
    made = row(receipt.subject_id)
    assert [tuple(part) for part in made.lines] == [
        ("water", None, "Leak credit, water", -2952),
        ("sewer", None, "Sewer follows water", -3084),  # 88.87 x 29.52 / 85.08 = 30.835
        ("water", "utility_tax", "City utility tax, water", -295),  # 8.51 x 29.52 / 85.08 = 2.953
    ]
    assert (made.state_code, made.amount_cents) == ("pending", -6331)
    assert made.how[0] == ("Excess is 23,200 − 6,200 = 17,000 gal, $59.04 at the rates above. Half of it: $29.52.")
    assert made.how[-1] == "No other leak credit in 12 months."
    assert receipt.title == "Leak credit of $63.31 waits for approval"
    assert receipt.steps[0].what == "Samira Reyes or Ingrid Vale can decide."
    assert account(city, "marcus").balance_cents == 36218
    assert messages("adjustment_credit") == []

    done = commands.approve_adjustment(actor("sam"), made.id, made.version)
    assert done.title == "$63.31 credited to the account: the balance is $298.87"
    after = account(city, "marcus")
    assert (after.balance_cents, after.past_due_cents) == (36218 - 6331, 21840 - 6331)
    with core.read() as session:
        moved = session.execute(
            sa.select(Posting.debit_code, Posting.service_kind, Posting.amount_cents)
            .where(Posting.entry_id == row(made.id).entry_id)
            .order_by(Posting.position)
        ).all()
    assert [tuple(each) for each in moved] == [
        ("allowance.leak", "water", 2952),
        ("allowance.leak", "sewer", 3084),
        ("tax.utility", "water", 295),
    ]
    assert len(messages("adjustment_credit")) == 1
    balanced(city)


def test_a_second_leak_credit_in_12_months_is_an_exception_somebody_else_decides(
    city: City, actor: Callable[[str], Any]
) -> None:
    first = commands.adjust_bill(actor("luis"), leak(city, "5"))
    assert row(first.subject_id).state_code == "posted"
    second = commands.adjust_bill(actor("luis"), leak(city, "5"))
    assert row(second.subject_id).state_code == "pending"
    assert second.notes[0].startswith(f"An exception: leak credit is given once in 12 months, and {first.number} came")


def test_a_late_fee_is_waived_on_its_bill_and_only_once(city: City, actor: Callable[[str], Any]) -> None:
    from portal.billing import views

    page = views.adjust_page(city.account["marcella"], actor("luis"))
    assert page is not None
    kind = page.kinds["late_fee_waiver"]
    [bill] = page.fitting_bills(kind)  # city.toml: the late fee of 5.00 stands on the November bill
    assert page.lines(kind, bill) == {"electric": "Electric · $81.25"}
    assert page.proposed(kind, bill, "electric") == "5.00"
    form = AdjustmentForm(
        city.account["marcella"], "late_fee_waiver", "first_time", bill.bill_id, "electric", amount="5.00"
    )
    made = row(commands.adjust_bill(actor("luis"), form).subject_id)
    assert (made.state_code, made.lines) == ("posted", [["electric", "late_fee", "Late fee waived, electric", -500]])
    with core.read() as session:
        [moved] = session.execute(
            sa.select(Posting.debit_code, Posting.service_kind).where(Posting.entry_id == made.entry_id)
        )
    assert tuple(moved) == ("allowance.late_fee", "electric")
    with pytest.raises(Refused, match=r"Only \$0.00 of this line is left to credit, after \$5.00 as AJ-26-"):
        commands.adjust_bill(actor("luis"), form)


def test_a_charge_falls_due_later_and_its_letter_says_so(city: City, actor: Callable[[str], Any]) -> None:
    # base/fee/returned_payment: 28.00 since October 2025.
    form = AdjustmentForm(city.account["wei"], "returned_payment", "not_honored", amount="28.01")
    with pytest.raises(Refused, match=r"The fee schedule says \$28.00. Enter at most that."):
        commands.adjust_bill(actor("luis"), form)
    receipt = commands.adjust_bill(
        actor("luis"), AdjustmentForm(city.account["wei"], "returned_payment", "not_honored", amount="28")
    )
    assert receipt.title == "$28.00 charged to the account: the balance is $98.77"
    after = account(city, "wei")
    assert (after.balance_cents, after.past_due_cents) == (9877, 0)
    assert len(messages("adjustment_charge")) == 1
    balanced(city)


# --- the limit ----------------------------------------------------------------------------------------------------------


def test_the_limit_cannot_be_split_by_several_people_or_several_days(city: City, actor: Callable[[str], Any]) -> None:
    # base/role: a representative's goodwill limit is 50.00 on an account in 30 days.
    hour = dt.timedelta(hours=1)
    with time_machine.travel(NOW - dt.timedelta(days=29), tick=True):
        commands.adjust_bill(actor("luis"), goodwill(city, "30"))
    with time_machine.travel(NOW + hour, tick=True):
        over = commands.adjust_bill(actor("dana"), goodwill(city, "20.01"))
    assert row(over.subject_id).state_code == "pending"
    with time_machine.travel(NOW + 2 * hour, tick=True):
        withdrawn = commands.withdraw_adjustment(actor("dana"), over.subject_id, 1)
        assert withdrawn.title.endswith("is withdrawn")
        fits = commands.adjust_bill(actor("dana"), goodwill(city, "20.00"))
    assert row(fits.subject_id).state_code == "posted"


def test_two_at_the_same_moment_cannot_split_it_either(city: City, actor: Callable[[str], Any]) -> None:
    """Both have read that nothing was given; the account's row makes one wait for the other."""
    people, gate, made = [actor("luis"), actor("dana")], threading.Barrier(2), []

    def ask_for(who: Any) -> None:
        gate.wait()
        made.append(commands.adjust_bill(who, goodwill(city, "30")).subject_id)

    threads = [threading.Thread(target=ask_for, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row(one).state_code for one in made) == ["pending", "posted"]
    assert account(city, "wei").balance_cents == 4077
    balanced(city)


@pytest.mark.parametrize(("days", "state"), [(29, "pending"), (30, "posted")])
def test_what_was_given_counts_for_thirty_days_with_its_own(
    city: City, actor: Callable[[str], Any], days: int, state: str
) -> None:
    with time_machine.travel(NOW - dt.timedelta(days=days), tick=True):
        commands.adjust_bill(actor("luis"), goodwill(city, "50"))
    made = commands.adjust_bill(actor("luis"), goodwill(city, "0.01"))
    assert row(made.subject_id).state_code == state


def test_what_waits_counts_however_old_it_is(city: City, actor: Callable[[str], Any]) -> None:
    with time_machine.travel(NOW - dt.timedelta(days=90), tick=True):
        commands.adjust_bill(actor("luis"), goodwill(city, "50.01"))
    made = commands.adjust_bill(actor("luis"), goodwill(city, "0.01"))
    assert row(made.subject_id).state_code == "pending"


ROLES = ("representative", "supervisor", "manager", "administrator")


def limits_of_roles(city: City) -> dict[tuple[str, str], int]:
    with core.read() as session:
        return {
            (one.role_code, one.adjustment_kind): one.limit_cents for one in session.scalars(sa.select(ApprovalLimit))
        }


@pytest.mark.parametrize("role", ROLES)
def test_each_role_at_the_edge_of_its_limit(
    city: City, actor: Callable[[str], Any], role: str, subtests: pytest.Subtests
) -> None:
    """Role x permission x amount: making, at the cent below and above the limit; deciding, the same."""
    limit = limits_of_roles(city).get((role, "goodwill"), 0)
    who = actor(role)
    permissions = {
        "adjustment.make": role in ("representative", "supervisor"),
        "adjustment.approve": role in ("supervisor", "manager"),
        "adjustment.read": role != "administrator",
    }
    assert {name: who.may(name) for name in permissions} == permissions
    for cents, state in ((limit, "posted"), (limit + 1, "pending")):
        with subtests.test("make", cents=cents):
            if not permissions["adjustment.make"]:
                with pytest.raises(Refused, match="does not include"):
                    commands.adjust_bill(who, goodwill(city, "1"))
                continue
            made = commands.adjust_bill(who, goodwill(city, f"{cents / 100:.2f}", account="priya"))
            assert row(made.subject_id).state_code == state
            if state == "posted":
                commands.reverse_adjustment(actor("sam"), made.subject_id, 1, "Edge test")
    for cents, may in ((limit, permissions["adjustment.approve"]), (limit + 1, False)):
        with subtests.test("decide", cents=cents):
            asked = row(ask(city, actor, max(cents, 5001), "odessa"))
            if may and abs(asked.amount_cents) == cents:
                commands.approve_adjustment(who, asked.id, asked.version)
                assert row(asked.id).state_code == "posted"
                with core.work() as work:  # out of the rolling days, for the next amount
                    change = sa.update(Adjustment).where(Adjustment.id == asked.id)
                    work.session.execute(change.values(state_code="reversed"))
            else:
                with pytest.raises(Refused):
                    commands.approve_adjustment(who, asked.id, asked.version)
                commands.withdraw_adjustment(actor("dana"), asked.id, asked.version)


def ask(city: City, actor: Callable[[str], Any], cents: int, account_key: str = "wei") -> int:
    """A request above a representative's limit, by somebody who is not the decider."""
    by = "dana" if account_key == "odessa" else "luis"
    receipt = commands.adjust_bill(actor(by), goodwill(city, f"{cents / 100:.2f}", account=account_key))
    assert row(receipt.subject_id).state_code == "pending"
    return receipt.subject_id


# --- deciding -----------------------------------------------------------------------------------------------------------


def test_nobody_decides_what_they_asked_for_themselves(city: City, actor: Callable[[str], Any]) -> None:
    made = commands.adjust_bill(actor("sam"), goodwill(city, "500.01"))
    with pytest.raises(Refused, match="You asked for this yourself") as refused:
        commands.approve_adjustment(actor("sam"), made.subject_id, 1)
    assert refused.value.report == "own_request"
    with core.read() as session:
        [reported] = session.scalars(sa.select(Event.detail).where(Event.name == "refusal.reported"))
    assert reported["why"] == "own_request"
    assert account(city, "wei").balance_cents == 7077


def test_nobody_decides_on_their_own_account_or_a_relatives(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 6000)
    staff_commands.declare_relative(actor("ada"), city.staff["sam"], city.person["wei"])
    with pytest.raises(Refused, match="relative’s record"):
        commands.approve_adjustment(actor("sam"), made, 1)
    with pytest.raises(Refused, match="your household"):
        commands.adjust_bill(actor("dana"), goodwill(city, "5", account="dana"))
    assert row(made).state_code == "pending"


def test_two_decide_at_once_and_the_second_hears_it(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 6000)
    commands.approve_adjustment(actor("sam"), made, 1)
    with pytest.raises(Refused, match="is posted already") as refused:
        commands.refuse_adjustment(actor("ingrid"), made, 1, "Not this time")
    assert refused.value.title == "Somebody was faster"
    assert account(city, "wei").balance_cents == 1077


def test_a_refusal_needs_a_reason_and_changes_nothing(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 6000)
    with pytest.raises(Refused, match="reason is empty"):
        commands.refuse_adjustment(actor("sam"), made, 1, "  ")
    commands.refuse_adjustment(actor("sam"), made, 1, "The cart was delivered on the day promised.")
    assert row(made).state_code == "refused"
    assert account(city, "wei").balance_cents == 7077
    [letter] = messages("adjustment_refused")
    assert letter.detail["why"] == "The cart was delivered on the day promised."
    balanced(city)


def test_a_line_that_was_credited_meanwhile_is_not_credited_twice(city: City, actor: Callable[[str], Any]) -> None:
    whole = AdjustmentForm(
        city.account["marcus"], "wrong_charge", "billed_twice", october(city), "water", "percent", "100", "Billed twice"
    )
    made = commands.adjust_bill(actor("luis"), whole)
    assert row(made.subject_id).amount_cents == -(8508 + 851)  # city.toml: the line and its tax
    with core.work() as work:  # a correction from elsewhere, as a load of corrections would leave it
        work.add(
            Adjustment(
                number="AJ-26-9999990", account_id=city.account["marcus"], bill_id=october(city), state_code="posted",
                adjustment_type="leak_credit", limit_kind="leak", reason_code="leak_repaired", amount_cents=-100,
                lines=[["water", None, "Leak credit, water", -100]], how=[], note="", requested_by_id=city.staff["dana"],
                requested_at=work.now,
            )
        )  # fmt: skip
    with pytest.raises(
        Refused, match=r"Only \$92.59 of water .* is left to credit: \$1.00 as AJ-26-9999990 came meanwhile"
    ):
        commands.approve_adjustment(actor("sam"), made.subject_id, 1)
    assert row(made.subject_id).state_code == "pending"


def test_what_waits_cannot_be_asked_for_again(city: City, actor: Callable[[str], Any]) -> None:
    whole = AdjustmentForm(
        city.account["marcus"],
        "wrong_charge",
        "billed_twice",
        october(city),
        WHOLE_BILL,
        "percent",
        "100",
        "Billed twice",
    )
    first = commands.adjust_bill(actor("luis"), whole)
    assert row(first.subject_id).amount_cents == -21840
    with pytest.raises(Refused, match=r"Only \$0.00 of this line is left .* \(waits for approval\)") as refused:
        commands.adjust_bill(actor("luis"), leak(city))
    assert [problem.field for problem in refused.value.problems] == ["amount"]


# --- stand-ins ----------------------------------------------------------------------------------------------------------


def away(city: City, actor: Callable[[str], Any], who: str, stand_in: Any, days: int = 3) -> int:
    """Declares somebody's absence from today on."""
    until = TODAY + dt.timedelta(days=days)
    return staff_commands.declare_absence(actor("ada"), AbsenceForm(city.staff[who], TODAY, until, stand_in)).subject_id


def test_a_stand_in_decides_with_the_limit_of_the_absent(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 6000, "odessa")  # asked for by Dana
    with pytest.raises(Refused, match="is not part of your role"):
        commands.approve_adjustment(actor("luis"), made, 1)
    away(city, actor, "sam", city.staff["luis"])
    commands.approve_adjustment(actor("luis"), made, 1)
    decided = row(made)
    assert (decided.state_code, decided.decided_by_id, decided.decided_for_id) == (
        "posted", city.staff["luis"], city.staff["sam"],
    )  # fmt: skip


def test_a_stand_in_never_decides_more_than_the_absent_may(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 50001, "odessa")
    away(city, actor, "sam", city.staff["luis"])
    with pytest.raises(Refused, match="not part of your role"):
        commands.approve_adjustment(actor("luis"), made, 1)


def test_a_stand_in_does_not_decide_their_own_request(city: City, actor: Callable[[str], Any]) -> None:
    away(city, actor, "sam", city.staff["luis"])
    made = ask(city, actor, 6000)  # asked for by Luis
    with pytest.raises(Refused, match="You asked for this yourself"):
        commands.approve_adjustment(actor("luis"), made, 1)


def test_the_absent_persons_own_request_is_not_decided_by_their_own_limit(
    city: City, actor: Callable[[str], Any]
) -> None:
    limit = somebody(city, "Leon Ashe", "manager")
    made = commands.adjust_bill(actor("sam"), goodwill(city, "500.01"))
    away(city, actor, "sam", city.staff["luis"])
    with core.work() as work:  # a limit of Sam's that would cover it
        work.session.execute(
            sa.update(ApprovalLimit)
            .where(ApprovalLimit.role_code == "supervisor", ApprovalLimit.adjustment_kind == "goodwill")
            .values(limit_cents=90000)
        )
    with pytest.raises(Refused, match="not part of your role"):
        commands.approve_adjustment(actor("luis"), made.subject_id, 1)
    commands.approve_adjustment(limit, made.subject_id, 1)


def test_standing_in_does_not_pass_on(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 60000, "odessa")
    away(city, actor, "ingrid", city.staff["sam"], days=1)
    with time_machine.travel(NOW + dt.timedelta(days=1), tick=True):
        day = TODAY + dt.timedelta(days=1)
        with pytest.raises(Refused, match="does not pass on"):  # said at once, where both absences are known
            staff_commands.declare_absence(
                actor("luis"), AbsenceForm(city.staff["luis"], day, day, city.staff["ingrid"])
            )
        staff_commands.declare_absence(
            actor("sam"),
            AbsenceForm(city.staff["sam"], TODAY + dt.timedelta(1), TODAY + dt.timedelta(1), city.staff["luis"]),
        )
        with pytest.raises(Refused, match="not part of your role"):  # Luis for Samira for Ingrid
            commands.approve_adjustment(actor("luis"), made, 1)
        commands.approve_adjustment(actor("sam"), made, 1)
    assert row(made).decided_for_id == city.staff["ingrid"]


def test_a_stand_in_cannot_use_the_limit_of_whose_account_it_is(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 6000, "odessa")
    staff_commands.declare_relative(actor("ada"), city.staff["sam"], city.person["odessa"])
    away(city, actor, "sam", city.staff["luis"])
    with pytest.raises(Refused, match="not part of your role"):
        commands.approve_adjustment(actor("luis"), made, 1)


def test_an_absence_that_is_over_or_ended_gives_nothing(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 6000, "odessa")
    away(city, actor, "sam", city.staff["luis"], days=2)
    with time_machine.travel(NOW + dt.timedelta(days=3), tick=True), pytest.raises(Refused):
        commands.approve_adjustment(actor("luis"), made, 1)
    with core.read() as session:
        absence = staff.absences(session, city.staff["sam"], TODAY)[0].id
    staff_commands.end_absence(actor("sam"), absence)
    with pytest.raises(Refused):
        commands.approve_adjustment(actor("luis"), made, 1)


def test_absences_are_ones_own_or_the_administrators(city: City, actor: Callable[[str], Any]) -> None:
    form = AbsenceForm(city.staff["sam"], TODAY, TODAY, city.staff["luis"])
    with pytest.raises(Refused, match="when you are away yourself"):
        staff_commands.declare_absence(actor("luis"), form)
    with pytest.raises(Refused, match="names themselves"):
        staff_commands.declare_absence(actor("ada"), AbsenceForm(city.staff["sam"], TODAY, TODAY, city.staff["ada"]))
    receipt = staff_commands.declare_absence(actor("sam"), form)
    assert receipt.title == "Luis Ortega stands in for Samira Reyes until Tue, Nov 24"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ((None, TODAY, "luis"), "from_on"),
        ((TODAY, None, "luis"), "until_on"),
        ((TODAY, TODAY - dt.timedelta(days=1), "luis"), "until_on"),
        ((TODAY + dt.timedelta(days=2), TODAY + dt.timedelta(days=1), "luis"), "until_on"),
        ((TODAY, TODAY + dt.timedelta(days=366), "luis"), "until_on"),
        ((TODAY, TODAY, "sam"), "stand_in"),
        ((TODAY, TODAY, None), "stand_in"),
    ],
)
def test_an_absence_that_cannot_be_names_its_field(
    city: City, actor: Callable[[str], Any], form: tuple[Any, Any, str | None], field: str
) -> None:
    first, last, stand_in = form
    with pytest.raises(Refused) as refused:
        staff_commands.declare_absence(
            actor("sam"), AbsenceForm(city.staff["sam"], first, last, city.staff[stand_in] if stand_in else None)
        )
    assert [problem.field for problem in refused.value.problems] == [field]


# --- taking back --------------------------------------------------------------------------------------------------------


def test_taking_back_needs_a_reason_and_a_limit(city: City, actor: Callable[[str], Any]) -> None:
    made = ask(city, actor, 6000)
    commands.approve_adjustment(actor("sam"), made, 1)
    with pytest.raises(Refused, match="reason is empty"):
        commands.reverse_adjustment(actor("sam"), made, 2, "")
    with pytest.raises(Refused, match=r"\$60.00 is above your limit of \$50.00"):
        commands.reverse_adjustment(actor("luis"), made, 2, "Wrong account")
    commands.reverse_adjustment(actor("sam"), made, 2, "Wrong account")
    assert row(made).state_code == "reversed"
    assert account(city, "wei").balance_cents == 7077
    with pytest.raises(Refused, match="is taken back already"):
        commands.reverse_adjustment(actor("sam"), made, 3, "Once more")
    assert len(messages("adjustment_reversed")) == 1
    balanced(city)


def test_taking_back_cannot_be_split_either(city: City, actor: Callable[[str], Any]) -> None:
    made = [commands.adjust_bill(actor("luis"), goodwill(city, "25")).subject_id for _ in range(2)]
    commands.reverse_adjustment(actor("luis"), made[0], 1, "Wrong account")
    third = commands.adjust_bill(actor("luis"), goodwill(city, "25.00")).subject_id
    commands.reverse_adjustment(actor("luis"), made[1], 1, "Wrong account")
    with pytest.raises(Refused, match=r"\$75.00 is above your limit"):
        commands.reverse_adjustment(actor("luis"), third, 1, "Wrong account")


# --- the cut-off --------------------------------------------------------------------------------------------------------


def test_a_cut_is_held_while_a_credit_waits_that_would_clear_it_and_called_off_when_it_is_given(
    city: City, actor: Callable[[str], Any]
) -> None:
    from portal.billing.views import adjustment_facts

    whole = AdjustmentForm(
        city.account["marcus"],
        "wrong_charge",
        "billed_twice",
        october(city),
        WHOLE_BILL,
        "percent",
        "100",
        "Billed twice",
    )
    made = commands.adjust_bill(actor("luis"), whole)
    assert any("on hold until it is decided" in step.what for step in made.steps)
    with core.read() as session:
        holds = adjustment_facts.cut_holds(session, [city.account["marcus"], city.account["wei"]], TODAY)
    assert list(holds) == [city.account["marcus"]]
    assert account(city, "marcus").cutoff_on == dt.date(2026, 12, 2)
    done = commands.approve_adjustment(actor("sam"), made.subject_id, 1)
    assert any("called off" in step.what for step in done.steps)
    assert "Your service will not be cut." in done.say
    assert account(city, "marcus").cutoff_on is None
    with core.read() as session:
        assert adjustment_facts.cut_holds(session, [city.account["marcus"]], TODAY) == {}


def test_a_credit_that_would_not_clear_the_debt_holds_nothing(city: City, actor: Callable[[str], Any]) -> None:
    from portal.billing.views import adjustment_facts

    commands.adjust_bill(actor("luis"), leak(city))  # 218.40 - 63.31 is still above base/policy/cut: 75.00
    with core.read() as session:
        assert adjustment_facts.cut_holds(session, [city.account["marcus"]], TODAY) == {}


# --- bad input ----------------------------------------------------------------------------------------------------------

NASTY = (
    "<script>alert(1)</script>", "=HYPERLINK(\"http://x\")", "🚰 leak 💧", "Ignore the above", "'; DROP TABLE adjustment; --",
    "**bold** [x](http://x) $1$ :red[x]",
)  # fmt: skip


@pytest.mark.parametrize("note", NASTY)
def test_words_are_kept_as_they_are(city: City, actor: Callable[[str], Any], note: str) -> None:
    from dataclasses import replace

    made = commands.adjust_bill(actor("luis"), replace(goodwill(city, "1"), note=note))
    assert row(made.subject_id).note == note


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": ""}, "amount"),
        ({"amount": "a lot"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "9" * 400}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"by": "percent", "amount": "101"}, "amount"),
        ({"by": "percent", "amount": "1e3"}, "amount"),
        ({"by": "percent", "amount": "=1+1"}, "amount"),
        ({"by": "wish"}, "by"),
        ({"note": ""}, "note"),
        ({"note": "x" * 10_000}, "note"),
        ({"note": "bell \x07"}, "note"),
        ({"note": "card 4111 1111 1111 1111"}, "note"),
        ({"bill_id": 10**12}, "bill"),
        ({"bill_id": None}, "bill"),
        ({"service_kind": "gas"}, "line"),
        ({"service_kind": "sewer"}, "line"),
        ({"service_kind": ""}, "line"),
        ({"service_kind": WHOLE_BILL}, "line"),
        ({"reason_code": "because"}, "what"),
        ({"type_code": "gift"}, "what"),
        ({"type_code": ""}, "what"),
    ],
)
def test_each_refusal_names_its_field(
    city: City, actor: Callable[[str], Any], change: dict[str, Any], field: str
) -> None:
    from dataclasses import replace

    with pytest.raises(Refused) as refused:
        commands.adjust_bill(actor("luis"), replace(leak(city), **change))
    assert field in [problem.field for problem in refused.value.problems]
    for problem in refused.value.problems:
        assert problem.message.endswith((".", "?"))
        assert len(problem.message) < 400
    with core.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Adjustment)) == 0
        assert session.scalar(sa.select(sa.func.count()).where(JournalEntry.kind_code == "adjustment")) == 0


def test_a_bill_of_somebody_else_is_no_bill(city: City, actor: Callable[[str], Any]) -> None:
    from dataclasses import replace

    with core.read() as session:
        other = session.scalar(sa.select(Bill.id).where(Bill.account_id == city.account["wei"]))
    with pytest.raises(Refused, match="Choose the bill"):
        commands.adjust_bill(actor("luis"), replace(leak(city), bill_id=other))


def test_the_persons_record_is_untouched(city: City, actor: Callable[[str], Any]) -> None:
    commands.adjust_bill(actor("luis"), goodwill(city, "1"))
    with core.read() as session:
        assert session.scalar(sa.select(Person.version).where(Person.id == city.person["wei"])) == 1


def test_roles_of_a_portal_from_before_carry_adjustments_after_the_migration(city: City) -> None:
    from db import schema
    from db.staff import RolePermission

    def carried() -> tuple[set[tuple[str, str]], set[tuple[str, str, int]]]:
        with core.read() as session:
            return (
                {(one.role_code, one.permission) for one in session.scalars(sa.select(RolePermission))},
                {
                    (one.role_code, one.adjustment_kind, one.limit_cents)
                    for one in session.scalars(sa.select(ApprovalLimit))
                },
            )

    now = carried()
    schema.downgrade(core.database(), "0001")
    with core.database().write_engine.begin() as connection:
        new = ("adjustment.", "absence.", "payment.")
        for one in new:
            connection.execute(sa.delete(RolePermission).where(RolePermission.permission.startswith(one)))
        connection.execute(
            sa.delete(ApprovalLimit).where(ApprovalLimit.adjustment_kind.not_in(("goodwill", "late_fee")))
        )
        connection.execute(sa.delete(ApprovalLimit).where(ApprovalLimit.role_code == "manager"))
    schema.upgrade(core.database())
    assert carried() == now
