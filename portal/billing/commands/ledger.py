"""Posting: the one way money moves. An entry, its postings and the account's balance are written in one transaction, once per key.

`post` and `reverse` run inside another command, which checks the permission, refuses the actor's own account and leaves
its event. `record_payment` is a command of its own.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from db import billing as bills
from db import core
from db.billing import ledger as rows
from portal import settings
from portal.accounts.commands import refuse_own
from portal.billing.rules import ledger as rules
from portal.billing.rules.ledger import Move, day_words
from portal.billing.views.ledger import cut_policy, owed_by, payment_facts, tax_accounts
from portal.shared.command import command
from portal.shared.money import format_cents
from portal.shared.number import make_number
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from db.accounts import Account
    from db.core import Work
    from portal.shared.actor import Actor


def post(
    work: Work,
    *,
    key: str,
    kind_code: str,
    account_id: int,
    moves: Iterable[Move],
    business_on: dt.date,
    staff_id: int | None = None,
    bill_id: int | None = None,
    payment_id: int | None = None,
    reverses_id: int | None = None,
) -> int:
    """Writes an entry and returns its id; the same key again returns the first entry's id and changes nothing.

    Keeps the account's balance, what is past due and since when; where that no longer bears a cut, the cut is called off.
    Raises Refused for an account or ledger account that does not exist, ValueError when the key belongs to another account.
    """
    account = rows.locked_account(work.session, account_id)
    if account is None:
        raise Refused([Problem("account", "There is no such account. Search for it again.")])
    first = rows.entry_by_key(work.session, key)
    if first is not None:
        if first.account_id != account_id:
            raise ValueError(f"the key {key!r} was used on account {first.account_id}, not {account_id}")
        return first.id
    moves = tuple(moves)
    unknown = rows.unknown_codes(work.session, {code for move in moves for code in move[:2]})
    if unknown:
        raise Refused(
            [
                Problem(
                    "ledger_account",
                    f"The chart of accounts has no “{code}”. Ask an administrator to load a pack that has it.",
                )
                for code in sorted(unknown)
            ]
        )
    effect = rules.receivable_effect(moves)
    entry_id = rows.add_entry(
        work.session,
        rows.JournalEntry(
            key=key,
            kind_code=kind_code,
            account_id=account_id,
            business_on=business_on,
            posted_at=work.now,
            staff_id=staff_id,
            bill_id=bill_id,
            payment_id=payment_id,
            reverses_id=reverses_id,
            receivable_cents=effect,
        ),
        moves,
    )
    account.balance_cents += effect
    _stand(work, account)
    return entry_id


def _stand(work: Work, account: Account) -> None:
    """Puts what is past due on the account's row anew, and calls off a cut it no longer bears."""
    today = work.now.astimezone(settings.current().time_zone).date()
    policy = cut_policy(work.session, today)
    standing = owed_by(work.session, account.id, policy).on(today)
    account.past_due_cents, account.past_due_since_on = standing.past_due_cents, standing.since_on
    if account.cutoff_on is not None and standing.past_due_cents < policy.least_cents:
        account.cutoff_on = None
    work.session.flush()


def stand_anew(work: Work, account_id: int) -> None:
    """Works out again what is past due: days have passed since the last posting."""
    account = rows.locked_account(work.session, account_id)
    if account is not None:
        _stand(work, account)


def stand_due(today: dt.date, days: int = 7) -> int:
    """Accounts whose bills fell due in the last days stand anew, in small transactions; answers how many were looked at."""
    with core.read() as session:
        late = rows.accounts_with_bills_due(session, today - dt.timedelta(days=days), today)
    for some in core.batched(late, 50):
        with core.work() as work:
            for account_id in some:
                stand_anew(work, account_id)
    return len(late)


def reverse(work: Work, entry_id: int, *, key: str, business_on: dt.date, staff_id: int | None = None) -> int:
    """Takes an entry back, whole, and returns the id of the entry that does it; the same key again changes nothing.

    Raises Refused for an entry that does not exist, that was taken back already, that takes back another, or that counts
    from a later day.
    """
    entry = rows.entry_row(work.session, entry_id)
    if entry is None:
        raise Refused([Problem("entry", "There is no such entry. Open the account’s history again.")])
    rows.locked_account(work.session, entry.account_id)
    first = rows.entry_by_key(work.session, key)
    if first is not None:
        return first.id
    entry = rows.entry_row(work.session, entry_id)
    problem = rules.reversal_problem(entry.kind_code, entry.reversed_on, entry.business_on, business_on)
    if problem is not None:
        raise Refused([problem], title="Not taken back")
    moves = [
        Move(each.debit_code, each.credit_code, each.amount_cents, each.service_kind)
        for each in rows.postings(work.session, [entry_id])
    ]
    return post(
        work,
        key=key,
        kind_code="reversal",
        account_id=entry.account_id,
        moves=rules.reversed_moves(moves),
        business_on=business_on,
        staff_id=staff_id,
        bill_id=entry.bill_id,
        payment_id=entry.payment_id,
        reverses_id=entry_id,
    )


# --- bills and payments -------------------------------------------------------------------------------------------------


def issue_bill(
    work: Work,
    *,
    account_id: int,
    from_on: dt.date,
    to_on: dt.date,
    billed_on: dt.date,
    due_on: dt.date,
    lines: Sequence[Sequence[Any]],
    staff_id: int | None = None,
) -> tuple[int, int]:
    """Writes a bill, posts it and leaves its event; returns the ids of the bill and of its entry.

    `lines` as `Bill.lines` holds them. The total is their sum.
    """
    stored = [list(line) for line in lines]
    total = sum(int(line[4]) for line in stored)
    number = make_number("BL", billed_on.year, core.next_sequence(work.session, "BL", billed_on.year))
    bill = work.add(
        bills.Bill(
            number=number,
            account_id=account_id,
            from_on=from_on,
            to_on=to_on,
            billed_on=billed_on,
            due_on=due_on,
            total_cents=total,
            lines=stored,
        )
    )
    entry_id = post(
        work,
        key=f"bill:{bill.id}",
        kind_code="bill",
        account_id=account_id,
        moves=rules.bill_moves(stored, tax_accounts(work.session, billed_on)),
        business_on=billed_on,
        staff_id=staff_id,
        bill_id=bill.id,
    )
    work.event(
        "bill.issued",
        staff_id=staff_id,
        subject_kind="bill",
        subject_id=bill.id,
        account_id=account_id,
        detail={"number": number, "total_cents": total, "entry_id": entry_id},
    )
    return bill.id, entry_id


def take_payment(
    work: Work, *, account_id: int, amount_cents: int, method: str, paid_on: dt.date, staff_id: int | None = None
) -> tuple[int, int]:
    """Writes a payment, posts it and leaves its event; returns the ids of the payment and of its entry."""
    payment = work.add(bills.Payment(account_id=account_id, paid_on=paid_on, amount_cents=amount_cents, method=method))
    entry_id = post(
        work,
        key=f"payment:{payment.id}",
        kind_code="payment",
        account_id=account_id,
        moves=rules.payment_moves(amount_cents, method),
        business_on=paid_on,
        staff_id=staff_id,
        payment_id=payment.id,
    )
    work.event(
        "payment.recorded",
        staff_id=staff_id,
        subject_kind="payment",
        subject_id=payment.id,
        account_id=account_id,
        detail={"amount_cents": amount_cents, "method": method, "entry_id": entry_id},
    )
    return payment.id, entry_id


@command("payment.record")
def record_payment(actor: Actor, work: Work, form: rules.PaymentForm) -> Receipt:
    """Money that came in at the desk or by mail goes on the account at once."""
    refuse_own(work, actor, account_id=form.account_id)
    today = work.now.astimezone(settings.current().time_zone).date()
    account = rows.locked_account(work.session, form.account_id)
    if account is None:
        raise Refused([Problem("account", "There is no such account. Search for it again.")])
    facts = payment_facts(work.session, today)
    problems = rules.payment_problems(form, facts, account.balance_cents, today)
    if problems:
        raise Refused(problems)
    cut_on = account.cutoff_on
    payment_id, _ = take_payment(
        work,
        account_id=form.account_id,
        amount_cents=form.amount_cents,
        method=form.method,
        paid_on=form.paid_on,
        staff_id=actor.staff_id or None,
    )
    left = account.balance_cents
    amount, how = format_cents(form.amount_cents), facts.methods[form.method]
    owes = f"The balance is now {format_cents(left)}" if left >= 0 else f"The account is {format_cents(-left)} ahead"
    late = f", {format_cents(account.past_due_cents)} of it past due" if account.past_due_cents else ""
    called_off = cut_on is not None and account.cutoff_on is None
    steps = (
        Step("Now", f"{owes}{late}.", "account_balance"),
        *((Step("Now", f"The cut of {day_words(cut_on)} is called off.", "power"),) if cut_on and called_off else ()),
        *(
            (
                Step(
                    day_words(account.cutoff_on),
                    "The cut stays scheduled: what is past due still bears it.",
                    "power_off",
                ),
            )
            if account.cutoff_on
            else ()
        ),
    )
    return Receipt(
        title=f"A payment of {amount} {how} is recorded",
        say=f"I have recorded your payment of {amount}. {owes}{late}."
        + (" Your service will not be cut." if called_off else ""),
        steps=steps,
        subject_kind="payment",
        subject_id=payment_id,
        go="account_ledger",
        go_query=(("account", str(form.account_id)),),
    )
