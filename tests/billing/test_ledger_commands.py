"""Posting, taking back, bills and payments, on both databases. Amounts are worked out by hand beside each test.

Marcus owes $362.18: $218.40 of October, due October 29 and late, and $143.78 due November 27; he is to be cut on December 2.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db import accounts, billing, core, directory, events, packs_io
from db.billing import ledger as rows
from portal.billing import commands
from portal.billing.rules.ledger import PaymentForm, adjustment_moves, payment_moves
from portal.billing.views.ledger import prove, trial_balance
from portal.shared.refusal import Refused
from portal.staff import views as staff_views
from tests.city import TODAY

if TYPE_CHECKING:
    from pathlib import Path

    from portal.shared.actor import Actor
    from tests.city import City

MARCUS = "marcus"
LINES = [
    ["electric", "energy", "900", "0.1", 9_000],
    ["electric", "utility_tax", "", "", 900],
    ["water", "base", "", "", 2_100],
]
LATE = dt.date(2026, 10, 29)


def account_of(account_id: int) -> accounts.Account:
    with core.read() as session:
        row = session.get(accounts.Account, account_id)
        assert row is not None
        return row


def late(account_id: int) -> tuple[int, int, dt.date | None, dt.date | None]:
    """(balance, past due, since, cut on)."""
    row = account_of(account_id)
    return row.balance_cents, row.past_due_cents, row.past_due_since_on, row.cutoff_on


def issue(account_id: int, due_on: dt.date, lines: list[list[Any]] | None = None) -> tuple[int, int]:
    with core.work() as work:
        return commands.issue_bill(
            work, account_id=account_id, from_on=due_on - dt.timedelta(50), to_on=due_on - dt.timedelta(22),
            billed_on=due_on - dt.timedelta(20), due_on=due_on, lines=LINES if lines is None else lines,
        )  # fmt: skip


def credit(account_id: int, cents: int, key: str, bill_id: int | None = None) -> int:
    with core.work() as work:
        return commands.post(
            work, key=key, kind_code="adjustment", account_id=account_id, bill_id=bill_id, business_on=TODAY,
            moves=adjustment_moves([("electric", -cents)], "allowance.goodwill"),
        )  # fmt: skip


def bills_of(account_id: int) -> list[int]:
    with core.read() as session:
        return [each.id for each in rows.sums_of_bills(session, account_id)]


def actor(city: City, who: str = "luis") -> Actor:
    found = staff_views.actor_for_staff(city.staff[who])
    assert found is not None
    return found


def test_a_bill_moves_its_lines_by_service_and_tax(city: City) -> None:
    account_id = city.account[MARCUS]
    before = account_of(account_id)
    bill_id, entry_id = issue(account_id, TODAY + dt.timedelta(20))
    assert account_of(account_id).balance_cents - before.balance_cents == 9_000 + 900 + 2_100
    with core.read() as session:
        assert [tuple(each) for each in rows.postings(session, [entry_id])] == [
            (entry_id, 1, "receivable", "revenue.electric", "electric", 9_000),
            (entry_id, 2, "receivable", "tax.utility", "electric", 900),
            (entry_id, 3, "receivable", "revenue.water", "water", 2_100),
        ]
        assert rows.entry_row(session, entry_id).bill_id == bill_id
        happened = session.scalars(sa.select(events.Event.name).where(events.Event.subject_kind == "bill")).all()
    assert happened == ["bill.issued"]


def test_the_small_city_stands_as_it_is_written(city: City) -> None:
    assert late(city.account[MARCUS]) == (36_218, 21_840, LATE, dt.date(2026, 12, 2))
    assert prove().differences == ()


def test_a_payment_that_leaves_little_calls_the_cut_off(city: City) -> None:
    """$150.00 leaves $68.40 late: below the $75.00 of the policy row."""
    account_id = city.account[MARCUS]
    receipt = commands.record_payment(actor(city), PaymentForm(account_id, 15_000, "check", TODAY), key="a payment")
    assert late(account_id) == (21_218, 6_840, LATE, None)
    assert "will not be cut" in receipt.say
    again = commands.record_payment(actor(city), PaymentForm(account_id, 15_000, "check", TODAY), key="a payment")
    assert again.replayed
    assert late(account_id)[0] == 21_218


def test_a_payment_that_leaves_enough_keeps_the_cut(city: City) -> None:
    """$143.40 leaves exactly $75.00 late."""
    account_id = city.account[MARCUS]
    receipt = commands.record_payment(actor(city), PaymentForm(account_id, 14_340, "cash", TODAY), key="a payment")
    assert late(account_id) == (21_878, 7_500, LATE, dt.date(2026, 12, 2))
    assert "will not be cut" not in receipt.say


def test_a_payment_on_ones_own_account_or_above_measure_is_refused(city: City) -> None:
    with pytest.raises(Refused) as refused:
        commands.record_payment(actor(city), PaymentForm(city.account[MARCUS], 500_000, "cash", TODAY), key="k")
    assert [problem.field for problem in refused.value.problems] == ["amount"]
    with pytest.raises(Refused):
        commands.record_payment(actor(city), PaymentForm(999_999, 100, "cash", TODAY), key="k2")
    with pytest.raises(Refused):
        commands.record_payment(actor(city, "ada"), PaymentForm(city.account[MARCUS], 100, "cash", TODAY), key="k3")
    assert late(city.account[MARCUS])[0] == 36_218


def test_a_credit_on_the_bill_not_due_yet_leaves_what_is_late(city: City) -> None:
    account_id = city.account[MARCUS]
    newest = bills_of(account_id)[-1]
    credit(account_id, 4_000, "adjustment:1", newest)
    assert late(account_id) == (32_218, 21_840, LATE, dt.date(2026, 12, 2))
    credit(account_id, 21_000, "adjustment:2", bills_of(account_id)[-2])
    assert late(account_id) == (11_218, 840, LATE, None)


def test_the_same_key_posts_once(city: City) -> None:
    account_id = city.account[MARCUS]
    first = credit(account_id, 1_000, "adjustment:1")
    stood = late(account_id)
    assert credit(account_id, 2_500, "adjustment:1") == first
    assert late(account_id) == stood
    with pytest.raises(ValueError, match="was used on account"):
        credit(city.account["priya"], 1_000, "adjustment:1")


def test_taking_back_is_whole_once_and_final(city: City) -> None:
    account_id = city.account[MARCUS]
    before = late(account_id)[:3]
    entry_id = credit(account_id, 30_000, "adjustment:1")
    with core.work() as work:
        back = commands.reverse(work, entry_id, key="reversal:1", business_on=TODAY)
    assert late(account_id)[:3] == before
    with core.work() as work:
        assert commands.reverse(work, entry_id, key="reversal:1", business_on=TODAY) == back
    for number, target in enumerate((entry_id, back)):
        with pytest.raises(Refused), core.work() as work:
            commands.reverse(work, target, key=f"reversal:again{number}", business_on=TODAY)
    with pytest.raises(Refused), core.work() as work:
        commands.reverse(work, 999_999, key="reversal:nothing", business_on=TODAY)
    assert prove().differences == ()


def test_a_payment_taken_back_makes_the_bill_late_again(city: City) -> None:
    """Samuel paid $75.40 for the bill due November 26; without it the bill is owed again, and late from the 27th on."""
    account_id = city.account["samuel"]
    with core.read() as session:
        entry_id = session.scalar(sa.select(rows.JournalEntry.id).where(
            rows.JournalEntry.account_id == account_id, rows.JournalEntry.kind_code == "payment"))  # fmt: skip
    assert entry_id is not None
    with core.work() as work:
        commands.reverse(work, entry_id, key="reversal:payment", business_on=TODAY)
    assert late(account_id) == (7_540, 0, None, None)


def test_what_cannot_be_posted_is_refused_and_writes_nothing(city: City) -> None:
    account_id = city.account[MARCUS]
    for number, moves in ((999_999, payment_moves(100, "cash")), (account_id, payment_moves(100, "barter"))):
        with pytest.raises(Refused), core.work() as work:
            commands.post(work, key="x", kind_code="payment", account_id=number, moves=moves, business_on=TODAY)
    with core.read() as session:
        assert rows.entry_by_key(session, "x") is None


def test_what_fell_due_since_is_found_at_night(city: City) -> None:
    """Priya's $88.15 is due on November 26: nothing is late on the 24th, all of it on the 27th."""
    import time_machine

    account_id = city.account["priya"]
    assert late(account_id)[1] == 0
    with time_machine.travel(dt.datetime(2026, 11, 27, 15, tzinfo=dt.UTC)):
        assert commands.stand_due(dt.date(2026, 11, 27)) > 0
        assert late(account_id) == (8_815, 8_815, dt.date(2026, 11, 26), None)


def test_history_runs_newest_first_with_the_balance_after_each(city: City) -> None:
    account_id = city.account[MARCUS]
    credit(account_id, 1_000, "adjustment:1")
    with core.read() as session:
        found = rows.entries(session, account_id, 2)
        rest = rows.entries(session, account_id, 10, 2)
        assert rows.entry_count(session, account_id) == 5
    assert [(each.kind_code, each.receivable_cents, each.balance_cents) for each in (*found, *rest)] == [
        ("adjustment", -1_000, 35_218),
        ("bill", 14_378, 36_218),
        ("bill", 21_840, 21_840),
        ("payment", -12_000, 0),
        ("bill", 12_000, 12_000),
    ]


# --- what may not be ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["ledger_account", "journal_entry", "posting"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_nothing_in_the_ledger_changes(city: City, table: str, verb: str) -> None:
    column = {"ledger_account": "name", "journal_entry": "kind_code", "posting": "service_kind"}[table]
    with pytest.raises(DBAPIError, match="append-only"), core.work() as work:
        work.session.execute(sa.text(verb.format(table, column, column)))
    assert city


def tamper(statement: str, table: str) -> None:
    """Changes a row behind the portal's back: lifts the guard first, as a thief would."""
    guard = (
        f"DROP TRIGGER {table}_no_update" if core.database().is_sqlite else f"DROP TRIGGER {table}_no_change ON {table}"
    )
    with core.work() as work:
        if table != "account":
            work.session.execute(sa.text(guard))
        work.session.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("statement", "table", "named"),
    [
        ("UPDATE account SET balance_cents = balance_cents + 1 WHERE number = '100-2231-8'", "account", "100-2231-8"),
        ("UPDATE posting SET amount_cents = amount_cents + 1 WHERE entry_id = 1", "posting", "bill:1"),
        ("UPDATE journal_entry SET receivable_cents = 5 WHERE id = 1", "journal_entry", "bill:1"),
    ],
)
def test_a_planted_difference_is_named(
    city: City, statement: str, table: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from portal.billing.commands import proof

    assert proof.run_verify() == 0
    tamper(statement, table)
    assert proof.run_verify(json_answer=False) == 1
    assert named in capsys.readouterr().out
    assert city


def test_both_sides_of_the_trial_balance_are_equal(city: City) -> None:
    lines = {line.code: line for line in trial_balance(TODAY)}
    assert sum(line.net_cents for line in lines.values()) == 0
    with core.read() as session:
        owed = session.scalar(sa.select(sa.func.sum(accounts.Account.balance_cents)))
    assert lines["receivable"].net_cents == owed
    assert city


# --- the chart of accounts ----------------------------------------------------------------------------------------------


def test_the_chart_grows_and_takes_new_names_but_no_other_side(db: core.Database, tmp_path: Path) -> None:
    folder = tmp_path / "more" / "ledger_account"
    folder.mkdir(parents=True)
    file = folder / "fee_late.toml"

    def load(text: str) -> None:
        file.write_text(text, "utf-8")
        with core.work() as work:
            packs_io.load_packs(work.session, ["more"], TODAY, tmp_path)

    load('code = "fee.late"\nname = "Late payment fees"\nkind = "income"\ngl_code = "4999"\n')
    assert {line.code: (line.name, line.gl_code) for line in trial_balance(TODAY)}["fee.late"] == (
        "Late payment fees",
        "4999",
    )
    load('code = "fee.new"\nname = "New"\nkind = "income"\n')
    with pytest.raises(packs_io.BadPack, match="cannot become expense"):
        load('code = "fee.late"\nname = "Late fees"\nkind = "expense"\n')
    with pytest.raises(packs_io.BadPack, match="kind must be one of"):
        load('code = "fee.other2"\nname = "x"\nkind = "wish"\n')
    with core.read() as session:
        assert session.get(rows.LedgerAccount, "fee.new") is not None
        assert directory.reference_row(session, "ledger_account", "fee.late", TODAY) is not None
        assert not session.scalar(sa.select(sa.func.count()).select_from(billing.JournalEntry))
    assert db
