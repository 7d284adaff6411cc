"""What screens show of adjustments: the form with its consequences, what waits for a decision with its evidence, one's own requests."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from db import accounts as account_rows
from db import billing as bill_rows
from db import contacts as contact_rows
from db import core, directory
from db.billing import adjustment as rows
from portal import settings
from portal.accounts.rules import visible_name, visible_place
from portal.accounts.views.summary import Alert, OrderLine, Summary
from portal.accounts.views.timeline import Happening
from portal.billing.rules import approval
from portal.billing.rules.adjustment import (
    ACCOUNT_WHOLE,
    PENDING,
    POSTED,
    STATES,
    WHOLE_BILL,
    AdjustmentForm,
    BillFacts,
    Earlier,
    Facts,
    Left,
    Line,
    Part,
    Usual,
    WorkedOut,
    excess_of,
    fitting_lines,
    of_12_months,
    proposal,
    work_out,
)
from portal.billing.rules.adjustment_effect import AccountFacts, Effect, effect
from portal.billing.rules.adjustment_type import AdjustmentPolicy, AdjustmentType, Reason
from portal.billing.views import adjustment_facts as facts_of
from portal.metering import views as metering
from portal.shared.letter import BadLetter, Letter, read_letter, render, values_of
from portal.shared.money import format_cents, to_dollars
from portal.shared.text import day_text, moment_text, relative_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.shared.actor import Actor
    from portal.shared.problem import Problem

PAGE_ROWS = 25
ADJUSTED = "price_change"
"""The icon of adjustments on a timeline."""
SCOPES = {"waiting": "To decide", "mine": "Asked by me", "decided": "Decided by me"}
COLORS = {"pending": "orange", "posted": "green", "refused": "red", "withdrawn": "gray", "reversed": "gray"}


# --- the form -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AdjustPage:
    """Everything the form of one account is drawn from, read at one moment."""

    account_id: int
    account_number: str
    person_name: str
    shown_name: str
    address: str
    closed: bool
    today: dt.date
    kinds: dict[str, AdjustmentType]
    bills: tuple[BillFacts, ...]
    names: dict[str, str]
    policy: AdjustmentPolicy
    money: AccountFacts
    earlier: tuple[Earlier, ...]
    use: metering.Use
    fees: dict[str, int | None]
    letters: dict[str, dict[str, Any]]
    deciders: tuple[approval.Decider, ...]
    stand_ins: dict[int, tuple[int, str]]
    held_for: str

    @property
    def choices(self) -> dict[str, str]:
        """“type:reason” -> what it is called, with the words a caller uses: one list, so that one word finds both."""
        found = {}
        for kind in self.kinds.values():
            for reason in kind.reasons:
                also = f" · {', '.join(kind.synonyms[:3])}" if kind.synonyms else ""
                found[f"{kind.code}:{reason.code}"] = f"{kind.name}: {reason.name[:1].lower()}{reason.name[1:]}{also}"
        return found

    def chosen(self, code: str | None) -> tuple[AdjustmentType, Reason] | None:
        kind_code, _, reason_code = (code or "").partition(":")
        kind = self.kinds.get(kind_code)
        reason = None if kind is None else kind.reason(reason_code)
        return None if kind is None or reason is None else (kind, reason)

    def bill(self, bill_id: int | None) -> BillFacts | None:
        return next((bill for bill in self.bills if bill.bill_id == bill_id), None)

    def fitting_bills(self, kind: AdjustmentType) -> tuple[BillFacts, ...]:
        return tuple(bill for bill in self.bills if fitting_lines(kind, bill))

    def first_bill(self, kind: AdjustmentType) -> int | None:
        """The bill it is likely about: the one with the greatest excess where that matters, else the newest that fits."""
        fitting = self.fitting_bills(kind)
        if kind.share_of_excess is not None:
            worst = [
                (found[1], bill.bill_id)
                for bill in fitting
                for line in fitting_lines(kind, bill)
                if (usual := facts_of.usual_of(self.use, line.service_kind, bill)) is not None
                and (found := excess_of(line, usual)) is not None
            ]
            if worst:
                return max(worst)[1]
        return fitting[0].bill_id if fitting else None

    def lines(self, kind: AdjustmentType, bill: BillFacts | None) -> dict[str, str]:
        """Service kind -> what the line is called, of a bill or of the account."""
        if not kind.needs_bill:
            whole = {} if kind.service_kinds else {ACCOUNT_WHOLE: "The account as a whole"}
            return whole | {code: self.names.get(code, code) for code in kind.service_kinds}
        if bill is None:
            return {}
        found = {}
        if "line" in kind.covers:
            found = {line.service_kind: line_words(line) for line in fitting_lines(kind, bill)}
        if "bill" in kind.covers:
            found[WHOLE_BILL] = f"Whole bill · {format_cents(bill.cents)}"
        return found

    def facts(self, kind: AdjustmentType, bill: BillFacts | None, service_kind: str) -> Facts:
        usual = None if bill is None else facts_of.usual_of(self.use, service_kind, bill)
        return Facts(
            kind, self.today, bill if kind.needs_bill else None, self.earlier, self.names,
            usual if kind.share_of_excess is not None else None, self.fees.get(kind.fee_code),
        )  # fmt: skip

    def proposed(self, kind: AdjustmentType, bill: BillFacts | None, service_kind: str) -> str:
        """The amount the type's own rule offers, as it is typed; empty where it offers none."""
        found = proposal(self.facts(kind, bill, service_kind), service_kind)
        return "" if found is None else f"{to_dollars(found[0])}"

    def usual(self, bill: BillFacts | None, service_kind: str) -> Usual | None:
        return None if bill is None else facts_of.usual_of(self.use, service_kind, bill)


@dataclass(frozen=True)
class Preview:
    """What would come of a form as it stands now."""

    worked: WorkedOut | None
    problems: tuple[Problem, ...]
    changes: Effect
    at_once: bool
    headline: str
    used: str
    who: tuple[str, ...]
    holds: bool
    letter: Letter | None
    shares: tuple[tuple[str, int], ...] = ()
    """(words, cents) of each part."""
    policy: str = ""
    """What the city decided about this type, and after what."""

    @property
    def in_the_way(self) -> tuple[str, ...]:
        """Why it cannot be as it stands, of what is filled in already."""
        return tuple(each.message for each in self.problems if " is empty." not in each.message)


def line_words(line: Line) -> str:
    """“Water, 232 cgal · $93.59”: what of it is use, and what it costs."""
    return f"{line.name} · {format_cents(line.cents)}"


def bill_words(bill: BillFacts, today: dt.date) -> str:
    """“Oct 8, $218.40, Sep 6 to Oct 6”."""
    days = " to ".join(f"{day:%b} {day.day}" for day in (bill.from_on, bill.to_on))
    year = "" if bill.billed_on.year == today.year else f", {bill.billed_on.year}"
    return f"{bill.billed_on:%b} {bill.billed_on.day}{year} · {format_cents(bill.cents)} · {days}"


def policy_words(kind: AdjustmentType) -> str:
    """The sentence a representative reads out, with where it comes from."""
    source = "; ".join(each for each in (kind.citation, kind.source) if each)
    return f"{kind.text} ({source})" if kind.text and source else kind.text


def usual_words(usual: Usual | None) -> str:
    """“Usual here: 6,200 gal. This period: 23,200 gal. 5,900 gal in Nov 2026.”"""
    if usual is None:
        return ""
    after = "" if usual.latest is None else f" {usual.latest:,f} {usual.unit} in {usual.latest_label}."
    return f"Usual here: {usual.quantity:,f} {usual.unit}. This period: {usual.this_period:,f} {usual.unit}.{after}"


def adjust_page(account_id: int, actor: Actor) -> AdjustPage | None:
    """What the form is drawn from; None when there is no such account."""
    with core.read() as session:
        row = account_rows.account_row(session, account_id)
        if row is None:
            return None
        today, zone = _today(), _zone()
        kinds = facts_of.kinds_on(session, today)
        money = facts_of.account_facts(session, account_id, today)
        assert money is not None
        fees = {
            kind.fee_code: facts_of.fee_on(session, kind.fee_code, today) for kind in kinds.values() if kind.fee_code
        }
        return AdjustPage(
            account_id=account_id,
            account_number=row.account_number,
            person_name=row.name,
            shown_name=visible_name(row.name, exempt=row.exempt, actor=actor),
            address=row.address or "",
            closed=row.closed_on is not None,
            today=today,
            kinds=kinds,
            bills=tuple(facts_of.recent_bills(session, account_id, row.account_kind, today)),
            names=facts_of.kind_names(session, today),
            policy=facts_of.policy_on(session, today),
            money=money,
            earlier=tuple(facts_of.earlier_of(session, account_id, zone)),
            use=metering.use(account_id),
            fees={code: None if fee is None else facts_of.fee_cents(fee, today) for code, fee in fees.items()},
            letters={each.code: each.detail for each in directory.reference(session, "letter", today)},
            deciders=tuple(facts_of.deciders(session, account_id)),
            stand_ins=facts_of.stand_ins(session, today),
            held_for=facts_of.cut_hold(session, account_id, today, facts=money),
        )


def preview(page: AdjustPage, form: AdjustmentForm, actor: Actor) -> Preview:
    """What would come of the form: the same rules as the command's, on the same facts."""
    kind = page.kinds[form.type_code]
    bill = page.bill(form.bill_id)
    facts = page.facts(kind, bill, form.service_kind)
    # What it does to the balance is shown before the note is written.
    worked, problems = work_out(replace(form, note=form.note if form.note.strip() else "…"), facts)
    amount = 0 if worked is None else worked.amount_cents
    bill_id = form.bill_id if kind.needs_bill else None
    changes = effect(page.money, amount, bill_id, page.today, already_held=bool(page.held_for))
    rolling = approval.rolling_cents(page.earlier, kind.limit_kind, page.policy.counts_from(page.today))
    limit = actor.limits.get(kind.limit_kind, 0)
    exception = "" if worked is None else worked.exception
    headline, used = approval.limit_sentences(
        kind.limit_kind, limit, rolling, amount, page.policy.rolling_days, exception
    )
    total = rolling + abs(amount)
    who = approval.who_may_decide(page.deciders, page.stand_ins, actor.staff_id, kind.limit_kind, total)
    letter = _letter(
        page.letters.get(kind.letter_code), page.shown_name, page.today,
        {
            "number": "AJ-…", "amount_cents": amount, "on": page.today.isoformat(), "balance_cents": changes.after.balance_cents,
            "what": "" if worked is None else worked.parts[0].words[:1].lower() + worked.parts[0].words[1:],
        },
    )  # fmt: skip
    return Preview(
        worked, tuple(problems), changes, approval.posts_at_once(limit, rolling, amount, exception), headline, used, who,
        changes.holds_cut and page.policy.hold_cut_while_pending, letter if worked else None,
        tuple((part.words, part.cents) for part in worked.parts) if worked else (), policy_words(kind),
    )  # fmt: skip


def _letter(detail: dict[str, Any] | None, name: str, today: dt.date, values: dict[str, Any]) -> Letter | None:
    """A letter as it would go out; None where the city has none of this code that can be read."""
    setting = settings.current()
    try:
        return (
            None
            if detail is None
            else render(
                read_letter(detail),
                values_of(values, name=name, city=setting.city_name, phone=setting.phone, today=today),
            )
        )
    except BadLetter:
        return None


# --- what waits, and what came of it ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AdjustmentLine:
    """One adjustment in a list."""

    id: int
    version: int
    number: str
    name: str
    """The type's name."""
    reason: str
    amount_cents: int
    who: str
    where: str
    account_id: int
    account_number: str
    requester: str
    asked: str
    state_code: str
    state: str


@dataclass(frozen=True)
class AdjustmentList:
    """A page of a scope."""

    scope: str
    counts: dict[str, int]
    lines: tuple[AdjustmentLine, ...]
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.counts[self.scope] // PAGE_ROWS))


@dataclass(frozen=True)
class AdjustmentView:
    """One adjustment with all that a decision needs."""

    line: AdjustmentLine
    note: str
    how: tuple[str, ...]
    parts: tuple[Part, ...]
    bill: BillFacts | None
    service_line: Line | None
    usual: Usual | None
    changes: Effect | None
    """Only while it waits."""
    holds: bool
    hold_basis: str
    limit_words: tuple[str, ...]
    """How the amounts of its kind add up on the account."""
    earlier: tuple[tuple[str, str, int, str], ...]
    """(number, what, cents, when and how it stands) of the last 12 months."""
    conversation: str
    evidence: str
    policy: str
    may_decide: bool
    why_not: str
    decides_for: str
    who: tuple[str, ...]
    may_withdraw: bool
    may_reverse: bool
    history: tuple[tuple[str, str, str], ...]
    """(when, what, icon)."""


def adjustment_list(actor: Actor, scope: str, page: int) -> AdjustmentList:
    """What waits for somebody else's decision, what one asked for oneself, or what one decided."""
    with core.read() as session:
        decides = may_decide_at_all(session, actor)
        scopes = [code for code in SCOPES if code == "mine" or decides]
        counts = {code: rows.count(session, code, actor.staff_id) for code in scopes}
        chosen = scope if scope in counts else scopes[0]
        pages = max(1, -(-counts[chosen] // PAGE_ROWS))
        at = min(max(1, page), pages)
        kinds = facts_of.kinds_on(session, _today())
        found = rows.page(session, chosen, actor.staff_id, PAGE_ROWS, (at - 1) * PAGE_ROWS)
        return AdjustmentList(chosen, counts, tuple(_line(row, kinds, actor) for row in found), at)


def may_decide_at_all(session: Session, actor: Actor) -> bool:
    """Whether deciding is the actor's, by role or because an absent colleague named them."""
    if actor.may("adjustment.approve"):
        return True
    return any(stand_in == actor.staff_id for stand_in, _ in facts_of.stand_ins(session, _today()).values())


def _line(row: Any, kinds: dict[str, AdjustmentType], actor: Actor) -> AdjustmentLine:
    kind = kinds.get(row.adjustment_type)
    reason = None if kind is None else kind.reason(row.reason_code)
    zone = settings.current().zone
    return AdjustmentLine(
        row.id, row.version, row.number,
        row.adjustment_type.replace("_", " ").capitalize() if kind is None else kind.name,
        row.reason_code.replace("_", " ").capitalize() if reason is None else reason.name,
        row.amount_cents,
        visible_name(row.person_name, exempt=row.exempt, actor=actor),
        visible_place(row.address or "", exempt=row.exempt, actor=actor),
        row.account_id, row.account_number, row.requester_name,
        relative_text(row.requested_at, core.now(), zone), row.state_code, STATES[row.state_code],
    )  # fmt: skip


def adjustment(adjustment_id: int, actor: Actor) -> AdjustmentView | None:
    """One adjustment with its evidence; None when there is none, or it is not for this person to see."""
    with core.read() as session:
        row = rows.line(session, adjustment_id)
        if row is None:
            return None
        today, zone = _today(), _zone()
        account_id = row.account_id
        kinds = facts_of.kinds_on(session, today)
        kind = kinds.get(row.adjustment_type)
        reason = None if kind is None else kind.reason(row.reason_code)
        line = _line(row, kinds, actor)
        bill = facts_of.bill_facts(session, row.bill_id, account_id, today)
        parts = facts_of.parts_of(row.lines)
        service_line = None if bill is None or not parts else bill.line(parts[0].service_kind)
        usual = None
        if bill is not None and service_line is not None:
            usual = facts_of.usual_of(metering.use(account_id), service_line.service_kind, bill)
        all_earlier = facts_of.earlier_of(session, account_id, zone)
        policy = facts_of.policy_on(session, today)
        pending = row.state_code == PENDING
        money = facts_of.account_facts(session, account_id, today) if pending else None
        changes = None
        if money is not None:
            held = bool(facts_of.cut_hold(session, account_id, today, facts=money))
            changes = effect(money, row.amount_cents, row.bill_id, today, already_held=held)
        total = approval.rolling_cents(all_earlier, row.limit_kind, policy.counts_from(today))
        people = facts_of.deciders(session, account_id)
        away = facts_of.stand_ins(session, today)
        right, problem = approval.authority(
            facts_of.as_decider(session, actor, account_id),
            facts_of.absent_for(people, away, actor.staff_id),
            row.requested_by_id,
            row.limit_kind,
            total,
        )
        own = facts_of.as_decider(session, actor, account_id).own_account
        reverse_total = abs(row.amount_cents) + approval.reversed_cents(
            all_earlier, row.limit_kind, policy.counts_from(today)
        )
        return AdjustmentView(
            line=line,
            note=row.note,
            how=tuple(row.how),
            parts=parts,
            bill=bill,
            service_line=service_line,
            usual=usual,
            changes=changes,
            holds=changes is not None and changes.holds_cut and policy.hold_cut_while_pending,
            hold_basis=policy.hold_basis,
            limit_words=_limit_words(row, total, policy, right, actor) if pending else (),
            earlier=_earlier_lines(all_earlier, row.number, kinds, today),
            conversation=_conversation(session, row.conversation_id),
            evidence="" if reason is None else reason.evidence,
            policy="" if kind is None else policy_words(kind),
            may_decide=pending and right is not None,
            why_not="" if not pending or problem is None else problem.message,
            decides_for="" if right is None else right.decided_for,
            who=approval.who_may_decide(people, away, row.requested_by_id, row.limit_kind, total),
            may_withdraw=pending and row.requested_by_id == actor.staff_id and not own,
            may_reverse=row.state_code == POSTED
            and actor.may("adjustment.make")
            and not own
            and reverse_total <= actor.limits.get(row.limit_kind, 0),
            history=_history(row),
        )


def _limit_words(
    row: Any, total: int, policy: AdjustmentPolicy, right: approval.Authority | None, actor: Actor
) -> tuple[str, ...]:
    name = approval.limit_words(row.limit_kind)
    this = abs(row.amount_cents)
    before = total - this
    first = (
        f"{format_cents(this)} here and {format_cents(before)} of its kind ({name}) before it in {policy.rolling_days} days: "
        f"{format_cents(total)}."
    )
    if right is None:
        return (first, f"Your limit is {format_cents(actor.limits.get(row.limit_kind, 0))}.")
    whose = f"{right.decided_for}’s limit" if right.decided_for else "Your limit"
    return (first, f"{whose} is {format_cents(right.limit_cents)}.")


def _earlier_lines(
    earlier: Sequence[Earlier], number: str, kinds: dict[str, AdjustmentType], today: dt.date
) -> tuple[tuple[str, str, int, str], ...]:
    since = today - dt.timedelta(days=365)
    return tuple(
        (
            one.number,
            kinds[one.type_code].name if one.type_code in kinds else one.type_code,
            one.amount_cents,
            f"{day_text(one.counted_on, today)}, {STATES[one.state_code]}",
        )
        for one in earlier
        if one.number != number and one.counted_on > since
    )


def _conversation(session: Session, conversation_id: int | None) -> str:
    """The call it was asked for in: “CV-26-…, phone, today 10:42 am”."""
    row = None if conversation_id is None else contact_rows.conversation(session, conversation_id)
    if row is None:
        return ""
    when = relative_text(row.started_at, core.now(), settings.current().zone)
    return f"{row.number}, {row.channel}, {when}"


def _history(row: Any) -> tuple[tuple[str, str, str], ...]:
    zone, now = settings.current().zone, core.now()
    found = [(moment_text(row.requested_at, zone, now), f"Asked for by {row.requester_name}", "edit_note")]
    if row.decided_at is not None:
        by = row.decider_name + (f" for {row.decided_for_name}" if row.decided_for_name else "")
        words = {"refused": "Refused", "withdrawn": "Withdrawn"}.get(row.state_code, "Approved")
        why = f": {row.decided_why}" if row.decided_why else ""
        icon = {"refused": "block", "withdrawn": "undo"}.get(row.state_code, "task_alt")
        found.append((moment_text(row.decided_at, zone, now), f"{words} by {by}{why}", icon))
    elif row.entry_id is not None:
        found[0] = (found[0][0], f"Posted at once by {row.requester_name}, within the limit", "task_alt")
    if row.reversed_at is not None:
        words = f"Taken back by {row.reverser_name}: {row.reversed_why}"
        found.append((moment_text(row.reversed_at, zone, now), words, "undo"))
    return tuple(found)


# --- on the customer's page ---------------------------------------------------------------------------------------------


def with_adjustments(customer: Summary) -> Summary:
    """A customer's summary with what waits for a decision: among the open items, and as a cut-off that is on hold."""
    account_id = customer.account_id
    if account_id is None:
        return customer
    with core.read() as session:
        waiting = rows.waiting_on(session, [account_id])
        if not waiting:
            return customer
        today = _today()
        kinds = facts_of.kinds_on(session, today)
        lines = [rows.line(session, one.id) for one in waiting]
        held = facts_of.cut_hold(session, account_id, today)
        cutoff = bill_rows.money_of(session, account_id).cutoff_on
    orders = tuple(
        OrderLine(
            "adjustment", row.id, row.number,
            f"{kinds[row.adjustment_type].name if row.adjustment_type in kinds else 'Adjustment'} of {format_cents(abs(row.amount_cents))}",
            f"Asked for by {row.requester_name}", "waits for approval", False, True, "approvals",
        )
        for row in lines
    )  # fmt: skip
    alerts = customer.alerts
    if held and cutoff is not None:
        text = f"Cut-off of {day_text(cutoff, today)} is on hold: {held} waits for a decision"
        alerts = (*alerts[:1], Alert(text, "blue", "pause_circle"), *alerts[1:])
    return replace(customer, orders=(*customer.orders, *orders), alerts=alerts)


def adjustment_happenings(session: Session, account_id: int, most: int) -> list[Happening]:
    """The adjustments of an account as lines of its timeline."""
    kinds = facts_of.kinds_on(session, _today())
    found = []
    for row in rows.of_account(session, account_id)[:most]:
        kind = kinds.get(row.adjustment_type)
        name = "Adjustment" if kind is None else kind.name
        sign = "credit" if row.amount_cents < 0 else "charge"
        state = STATES[row.state_code]
        note = f" {row.note}" if row.note else ""
        found.append(
            Happening(
                row.reversed_at or row.decided_at or row.requested_at,
                f"{name}, {format_cents(abs(row.amount_cents))} {sign} {state}",
                f"{row.number}, by {row.requester_name}.{note}",
                ADJUSTED,
                "approvals",
                (("id", row.id),),
            )
        )
    return found


def left_words(bill: BillFacts, line: Line, earlier: Sequence[Earlier]) -> str:
    """What of a line is left to credit, when something came before; empty otherwise."""
    left = Left(bill, earlier)
    before = left.words()
    return f"{format_cents(left.line(line))} of it is left to credit: {before}." if before else ""


def given_before(kind: AdjustmentType, earlier: Sequence[Earlier], today: dt.date) -> int:
    """How many of this type count in the last 12 months."""
    return len(of_12_months(kind.code, earlier, today))


def _today() -> dt.date:
    return core.now().astimezone(_zone()).date()


def _zone() -> dt.tzinfo:
    return settings.current().time_zone
