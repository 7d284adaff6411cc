"""Adjustments: made at once within a limit, asked for above it, decided by another person, withdrawn, taken back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from db import accounts as account_rows
from db import core
from db.billing import Adjustment
from db.billing import adjustment as rows
from db.billing import ledger as ledger_rows
from portal import settings
from portal.accounts.commands import refuse_own
from portal.billing.commands import ledger
from portal.billing.rules import approval
from portal.billing.rules.adjustment import (
    PENDING,
    POSTED,
    REFUSED,
    REVERSED,
    STATES,
    WHY_MOST,
    WITHDRAWN,
    AdjustmentForm,
    Part,
    WorkedOut,
    still_left,
    words_problems,
    work_out,
)
from portal.billing.rules.adjustment_effect import AccountFacts, Effect, Side, effect
from portal.billing.rules.ledger import Move, adjustment_moves
from portal.billing.views import adjustment_facts as views
from portal.billing.views.ledger import tax_accounts
from portal.shared.actor import Actor, authorize
from portal.shared.command import command
from portal.shared.money import format_cents
from portal.shared.number import make_number
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused
from portal.shared.text import day_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from db.core import Work
    from portal.billing.rules.adjustment_type import AdjustmentType

SUBJECT = "adjustment"


@command("adjustment.make")
def adjust_bill(actor: Actor, work: Work, form: AdjustmentForm) -> Receipt:
    """Posts an adjustment within the actor's limit, or puts it down for somebody else to decide."""
    refuse_own(work, actor, account_id=form.account_id)
    today = _today(work)
    account = ledger_rows.locked_account(work.session, form.account_id)
    if account is None:
        raise Refused([Problem("", "There is no such account. Find the customer again.")])
    kind = views.kinds_on(work.session, today).get(form.type_code)
    if kind is None:
        raise Refused([Problem("what", "What for is empty. Choose the kind of adjustment and its reason.")])
    bill = views.bill_facts(work.session, form.bill_id, form.account_id, today)
    facts = views.facts_for(work.session, kind, form.account_id, bill, form.service_kind, today, _zone())
    worked, problems = work_out(form, facts)
    if worked is None:
        raise Refused(problems)
    policy = views.policy_on(work.session, today)
    rolling = approval.rolling_cents(facts.earlier, kind.limit_kind, policy.counts_from(today))
    limit = actor.limits.get(kind.limit_kind, 0)
    money = _money(work, form.account_id)
    bill_id = form.bill_id if kind.needs_bill else None
    changes = effect(money, worked.amount_cents, bill_id, today)
    row = work.add(
        Adjustment(
            number=make_number("AJ", today.year, core.next_sequence(work.session, "AJ", today.year)),
            account_id=form.account_id,
            bill_id=bill_id,
            adjustment_type=kind.code,
            limit_kind=kind.limit_kind,
            reason_code=form.reason_code,
            amount_cents=worked.amount_cents,
            lines=[[part.service_kind, part.item, part.words, part.cents] for part in worked.parts],
            how=list(worked.how),
            note=form.note.strip(),
            state_code=PENDING,
            conversation_id=form.conversation_id,
            requested_by_id=actor.staff_id,
            requested_at=work.now,
        )
    )
    if approval.posts_at_once(limit, rolling, worked.amount_cents, worked.exception):
        row.state_code = POSTED
        _post(work, actor, row, worked.parts, kind, today)
        _note(work, actor, row, "adjustment.posted")
        _write(work, row, kind.letter_code, today, balance_cents=changes.after.balance_cents)
        return _posted_receipt(row, kind, changes, today, kind.after)
    total = rolling + abs(worked.amount_cents)
    names = approval.who_may_decide(
        views.deciders(work.session, form.account_id),
        views.stand_ins(work.session, today),
        actor.staff_id,
        kind.limit_kind,
        total,
    )
    _note(work, actor, row, "adjustment.asked")
    held = changes.holds_cut and policy.hold_cut_while_pending
    return _asked_receipt(row, kind, worked, changes, names, today, held=held)


@command("adjustment.read")
def approve_adjustment(actor: Actor, work: Work, adjustment_id: int, version: int, why: str = "") -> Receipt:
    """Decides for a request: it is posted as it was asked for, if the bill still bears it. One's own limit, or that of an
    absent colleague who named the actor; never one's own request."""
    row = _held(work, actor, adjustment_id, version, POSTED)
    problems = words_problems("why", "The reason", why.strip(), WHY_MOST)
    if problems:
        raise Refused(problems)
    today = _today(work)
    right = _authority(work, actor, row, today)
    parts = views.parts_of(row.lines)
    bill = views.bill_facts(work.session, row.bill_id, row.account_id, today)
    problem = still_left(parts, bill, views.earlier_of(work.session, row.account_id, _zone(), without=row.id))
    if problem is not None:
        raise Refused([problem], title="The bill has changed meanwhile")
    kind = _kind(work, row, today)
    changes = effect(_money(work, row.account_id), row.amount_cents, row.bill_id, today)
    row.state_code, row.decided_at, row.decided_why = POSTED, work.now, why.strip()
    row.decided_by_id, row.decided_for_id = actor.staff_id, right.decided_for_id
    row.version += 1
    _post(work, actor, row, parts, kind, today)
    _note(work, actor, row, "adjustment.approved", decided_for=right.decided_for_id)
    _write(work, row, kind.letter_code, today, balance_cents=changes.after.balance_cents)
    return _posted_receipt(row, kind, changes, today, f"Decided for {right.decided_for}." if right.decided_for else "")


@command("adjustment.read")
def refuse_adjustment(actor: Actor, work: Work, adjustment_id: int, version: int, why: str) -> Receipt:
    """Decides against a request, with the reason as the customer will read it. Nothing of the account changes."""
    row = _held(work, actor, adjustment_id, version, REFUSED)
    _refuse_reason(why, "The customer reads it in the letter.")
    today = _today(work)
    right = _authority(work, actor, row, today)
    row.state_code, row.decided_at, row.decided_why = REFUSED, work.now, why.strip()
    row.decided_by_id, row.decided_for_id = actor.staff_id, right.decided_for_id
    row.version += 1
    _note(work, actor, row, "adjustment.refused", decided_for=right.decided_for_id)
    if row.amount_cents < 0:  # of a charge that never came, the customer knows nothing
        _write(work, row, "adjustment_refused", today, why=why.strip())
    return _receipt(row, f"{row.number} is refused", notes=("The balance has not changed; the letter says why.",))


@command("adjustment.read")
def withdraw_adjustment(actor: Actor, work: Work, adjustment_id: int, version: int) -> Receipt:
    """Takes back a request of one's own that nobody has decided yet."""
    row = _held(work, actor, adjustment_id, version, WITHDRAWN)
    if row.requested_by_id != actor.staff_id:
        raise Refused([Problem("", "Only who asked for it withdraws it. Refuse it instead, if you may decide it.")])
    row.state_code, row.decided_at, row.decided_by_id = WITHDRAWN, work.now, actor.staff_id
    row.version += 1
    _note(work, actor, row, "adjustment.withdrawn")
    return _receipt(row, f"{row.number} is withdrawn", notes=("The balance has not changed.",))


@command("adjustment.make")
def reverse_adjustment(actor: Actor, work: Work, adjustment_id: int, version: int, why: str) -> Receipt:
    """Takes a posted adjustment back, whole, with a reason. What was taken back lately of its kind counts against the limit."""
    row = _held(work, actor, adjustment_id, version, REVERSED)
    _refuse_reason(why, "It stays with the adjustment.")
    today = _today(work)
    earlier = views.earlier_of(work.session, row.account_id, _zone())
    since = views.policy_on(work.session, today).counts_from(today)
    total = abs(row.amount_cents) + approval.reversed_cents(earlier, row.limit_kind, since)
    authorize(actor, "adjustment.make", total, row.limit_kind)
    assert row.entry_id is not None
    ledger.reverse(
        work, row.entry_id, key=f"reversal:{row.entry_id}", business_on=today, staff_id=actor.staff_id or None
    )
    row.state_code, row.reversed_at, row.reversed_why = REVERSED, work.now, why.strip()
    row.reversed_by_id = actor.staff_id
    row.version += 1
    _note(work, actor, row, "adjustment.reversed")
    balance = _money(work, row.account_id).balance_cents
    _write(work, row, "adjustment_reversed", today, balance_cents=balance)
    return _receipt(
        row,
        f"{row.number} is taken back: the balance is {format_cents(balance)}",
        say=f"We have taken back {format_cents(abs(row.amount_cents))}. Your balance is {format_cents(balance)}.",
    )


# --- shared by these ----------------------------------------------------------------------------------------------------


def _today(work: Work) -> dt.date:
    return work.now.astimezone(_zone()).date()


def _zone() -> dt.tzinfo:
    return settings.current().time_zone


def _money(work: Work, account_id: int) -> AccountFacts:
    work.session.flush()
    found = views.account_facts(work.session, account_id, _today(work))
    assert found is not None
    return found


def _kind(work: Work, row: Adjustment, today: dt.date) -> AdjustmentType:
    """The type of a request as it stands; a type that was withdrawn meanwhile cannot be decided for."""
    kind = views.kinds_on(work.session, today).get(row.adjustment_type)
    if kind is None:
        raise Refused([Problem("", "This kind of adjustment is no longer in use. Refuse it, and ask for another.")])
    return kind


def _held(work: Work, actor: Actor, adjustment_id: int, version: int, to: str) -> Adjustment:
    """The adjustment, held with its account against other writers; refused when it is the actor's own account, when somebody
    was faster, or when it cannot go to this state."""
    found = rows.line(work.session, adjustment_id)
    if found is None:
        raise Refused([Problem("", "There is no such adjustment. Reload the page.")])
    refuse_own(work, actor, account_id=found.account_id)
    ledger_rows.locked_account(work.session, found.account_id)
    row = core.lock(work.session, Adjustment, adjustment_id)
    assert row is not None
    problem = approval.move_problem(row.number, row.state_code, to, STATES[row.state_code])
    if problem is not None:
        raise Refused([problem], title="Somebody was faster" if version != row.version else "Not possible any more")
    if version != row.version:
        last = account_rows.last_event(work.session, SUBJECT, row.id)
        who = "Somebody" if last is None else last.staff_name or "The portal itself"
        when = "" if last is None else f" ({moment_text(last.at, settings.current().zone, work.now)})"
        raise Refused(
            [Problem("", f"{who} changed {row.number}{when}. Look at it again, then decide.")],
            title="Somebody was faster",
        )
    return row


def _authority(work: Work, actor: Actor, row: Adjustment, today: dt.date) -> approval.Authority:
    """By which right the actor decides this request; refused when by none, and reported when it is their own."""
    earlier = views.earlier_of(work.session, row.account_id, _zone())
    since = views.policy_on(work.session, today).counts_from(today)
    people = views.deciders(work.session, row.account_id)
    right, problem = approval.authority(
        views.as_decider(work.session, actor, row.account_id),
        views.absent_for(people, views.stand_ins(work.session, today), actor.staff_id),
        row.requested_by_id,
        row.limit_kind,
        approval.rolling_cents(earlier, row.limit_kind, since),
    )
    if right is None:
        own = row.requested_by_id == actor.staff_id
        raise Refused(
            [] if problem is None else [problem],
            title="Not yours to decide",
            report="own_request" if own else None,
        )
    return right


def _refuse_reason(why: str, reader: str) -> None:
    words = why.strip()
    if not words:
        raise Refused([Problem("why", f"The reason is empty. Write it in a sentence. {reader}")])
    problems = words_problems("why", "The reason", words, WHY_MOST)
    if problems:
        raise Refused(problems)


def _moves(work: Work, parts: Iterable[Part], kind: AdjustmentType, today: dt.date) -> tuple[Move, ...]:
    """What moves in the ledger: taxes come out of what is owed to others, the rest out of where the type says."""
    taxes = tax_accounts(work.session, today)
    moves: tuple[Move, ...] = ()
    sides: dict[str, list[tuple[str, int]]] = {}
    for part in parts:
        sides.setdefault(taxes.get(part.item or "", kind.ledger_account), []).append((part.service_kind, part.cents))
    for code, amounts in sides.items():
        moves += adjustment_moves(amounts, code)
    return moves


def _post(
    work: Work, actor: Actor, row: Adjustment, parts: Iterable[Part], kind: AdjustmentType, today: dt.date
) -> None:
    row.entry_id = ledger.post(
        work,
        key=f"adjustment:{row.id}",
        kind_code="adjustment",
        account_id=row.account_id,
        moves=_moves(work, parts, kind, today),
        business_on=today,
        staff_id=actor.staff_id or None,
        bill_id=row.bill_id,
    )


def _note(work: Work, actor: Actor, row: Adjustment, name: str, **more: Any) -> None:
    account = account_rows.account_row(work.session, row.account_id)
    detail = {"number": row.number, "type": row.adjustment_type, "amount_cents": row.amount_cents, "bill": row.bill_id}
    work.event(
        name,
        staff_id=actor.staff_id or None,
        subject_kind=SUBJECT,
        subject_id=row.id,
        account_id=row.account_id,
        premise_id=account.premise_id,
        person_id=account.person_id,
        conversation_id=row.conversation_id,
        detail=detail | {key: value for key, value in more.items() if value is not None},
    )


def _write(work: Work, row: Adjustment, template: str, today: dt.date, **more: Any) -> None:
    """A letter to the customer, by the way their bills come."""
    account = account_rows.account_row(work.session, row.account_id)
    work.message(
        "email" if account.bill_by == "email" else "letter",
        template=template,
        recipient_kind="person",
        recipient_id=account.person_id,
        subject_kind=SUBJECT,
        subject_id=row.id,
        detail={
            "number": row.number,
            "amount_cents": row.amount_cents,
            "what": what_words(row),
            "on": today.isoformat(),
        }
        | more,
    )


def what_words(row: Any) -> str:
    """What an adjustment is, as a letter says it: its first part's words."""
    words = str(row.lines[0][2]) if row.lines else ""
    return words[:1].lower() + words[1:]


def _posted_receipt(row: Adjustment, kind: AdjustmentType, changes: Effect, today: dt.date, note: str) -> Receipt:
    amount = format_cents(abs(row.amount_cents))
    done = "credited to" if row.amount_cents < 0 else "charged to"
    balance = format_cents(changes.after.balance_cents)
    return _receipt(
        row,
        f"{amount} {done} the account: the balance is {balance}",
        say=f"I have {'credited' if row.amount_cents < 0 else 'charged'} {amount}. Your new balance is {balance}."
        f"{_cut_said(changes.before, changes.after)}",
        steps=(
            Step("Now", f"{kind.name}, {amount}. {_standing_words(changes.after, today)}", "account_balance"),
            *_cut_steps(changes),
            Step("Next", "A letter goes out the way the bills do.", "mail"),
        ),
        notes=(note,) if note else (),
    )


def _asked_receipt(
    row: Adjustment,
    kind: AdjustmentType,
    worked: WorkedOut,
    changes: Effect,
    names: tuple[str, ...],
    today: dt.date,
    *,
    held: bool,
) -> Receipt:
    amount = format_cents(abs(row.amount_cents))
    who = _either(names) if names else "Nobody yet: no limit is high enough. Ask an administrator to raise one."
    steps = [
        Step("Waits for approval", f"{who}{' can decide.' if names else ''}", "approval"),
        Step("Until then", f"The balance stays {format_cents(changes.before.balance_cents)}.", "account_balance"),
    ]
    if held:
        steps.append(Step("Cut-off", f"{changes.before.stage}: on hold until it is decided.", "pause_circle"))
    steps.append(Step("When it is decided", "A letter goes out the way the bills do.", "mail"))
    notes = (worked.exception,) if worked.exception else ()
    return _receipt(
        row,
        f"{kind.name} of {amount} waits for approval",
        say=f"I have put down {amount} for you. A supervisor has to approve it; we write to you when it is decided. "
        f"The number is {row.number}." + (" You will not be cut off meanwhile." if held else ""),
        steps=tuple(steps),
        notes=notes,
    )


def _either(names: tuple[str, ...]) -> str:
    *before, last = names[:4]
    return f"{', '.join(before)} or {last}" if before else last


def _standing_words(after: Side, today: dt.date) -> str:
    if after.past_due_cents:
        return f"{format_cents(after.past_due_cents)} is past due."
    fee = (
        f" {format_cents(after.late_fee_cents)} late fee on {day_text(after.late_fee_on, today)}, if nothing is paid."
        if (after.late_fee_on is not None and after.late_fee_cents)
        else ""
    )
    return f"Nothing is past due.{fee}"


def _cut_steps(changes: Effect) -> tuple[Step, ...]:
    if changes.before.stage_code != changes.after.stage_code and changes.holds_cut:
        return (Step("Cut-off", f"{changes.before.stage}: called off.", "power"),)
    if changes.after.stage_code in ("cut", "cut_held"):
        return (Step("Cut-off", f"{changes.after.stage}: what is past due still bears it.", "power_off"),)
    return ()


def _cut_said(before: Side, after: Side) -> str:
    return " Your service will not be cut." if before.stage_code == "cut" and after.stage_code != "cut" else ""


def _receipt(
    row: Adjustment, title: str, *, say: str = "", steps: tuple[Step, ...] = (), notes: tuple[str, ...] = ()
) -> Receipt:
    return Receipt(
        title=title,
        number=row.number,
        say=say,
        steps=steps,
        notes=notes,
        subject_kind=SUBJECT,
        subject_id=row.id,
        go="approvals",
        go_query=(("id", str(row.id)),),
    )
