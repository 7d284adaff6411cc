"""What an adjustment is worked out from, read from the rows of a moment: types, bills by lines, earlier adjustments, money, who
decides. Screens and commands read it here, so that what is shown is what is carried out.
"""

from __future__ import annotations

import datetime as dt
import statistics
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from db import accounts as account_rows
from db import billing as bill_rows
from db import core, directory
from db import staff as staff_rows
from db.billing import adjustment as rows
from db.billing import ledger as ledger_rows
from portal.accounts.views.summary import service_kinds
from portal.billing.rules.adjustment import PENDING, BillFacts, Earlier, Facts, Item, Line, Part, Usual
from portal.billing.rules.adjustment_effect import AccountFacts, holding
from portal.billing.rules.adjustment_type import AdjustmentPolicy, AdjustmentType, read_type
from portal.billing.rules.approval import Decider
from portal.billing.rules.fee import Fee, fee_cents
from portal.billing.rules.ledger import BillSum, LooseEntry
from portal.billing.views.ledger import cut_policy, tax_accounts
from portal.metering import views as metering

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.shared.actor import Actor

NEAR_DAYS = 7
"""A read so near to the end of a bill's period is the bill's."""
OTHERS_FEWEST = 3
"""With fewer other periods nobody can say what is usual."""


# --- reference rows -----------------------------------------------------------------------------------------------------


def kinds_on(session: Session, on: dt.date) -> dict[str, AdjustmentType]:
    """The types in force on a day that can be read, in their order."""
    return core.kept(session, ("adjustment kinds", on), lambda: _kinds_on(session, on))


def _kinds_on(session: Session, on: dt.date) -> dict[str, AdjustmentType]:
    policies = {row.code: row.detail for row in directory.reference(session, "policy", on)}
    found = {}
    for row in directory.reference(session, "adjustment_type", on):
        kind, _ = read_type(row.detail, policies.get(str(row.detail.get("policy", "")), {}))
        if kind is not None:
            found[row.code] = kind
    return found


def policy_on(session: Session, on: dt.date) -> AdjustmentPolicy:
    row = directory.reference_row(session, "policy", "adjustment", on)
    return AdjustmentPolicy.from_detail({} if row is None else row.detail)


def fee_on(session: Session, code: str, on: dt.date) -> Fee | None:
    """A fee of the schedule; None when there is none of this code or it cannot be read."""
    row = directory.reference_row(session, "fee", code, on)
    return None if row is None else Fee.from_pack(row.detail)[0]


def kind_names(session: Session, on: dt.date) -> dict[str, str]:
    return {code: name for code, (name, _) in service_kinds(session, on).items()}


# --- bills --------------------------------------------------------------------------------------------------------------


class ItemNames:
    """What the items of bills are called, by the tariffs of a day."""

    def __init__(self, session: Session, on: dt.date) -> None:
        self._tariffs = directory.reference(session, "tariff", on)
        self._metered = {
            row.code for row in directory.reference(session, "service_kind", on) if row.detail.get("metered")
        }
        self._taxes = tax_accounts(session, on)
        self._kinds = kind_names(session, on)

    def lines(self, stored: Sequence[Any], customer_class: str, on: dt.date) -> tuple[Line, ...]:
        """A bill's stored lines by service, each with its items as they stand on it."""
        by_kind: dict[str, list[Item]] = {}
        names: dict[str, dict[str, tuple[str, bool]]] = {}
        for kind, code, quantity, price, cents in stored:
            known = names.setdefault(kind, self._names(kind, customer_class, on))
            words, by_use = known.get(code, (code.replace("_", " ").capitalize(), False))
            many = _exact(quantity)
            metered = by_use and many is not None and kind in self._metered
            item = Item(code, words, int(cents), many, _exact(price), code in self._taxes, metered)
            by_kind.setdefault(kind, []).append(item)
        return tuple(
            Line(kind, self._kinds.get(kind, kind.replace("_", " ").capitalize()), tuple(items))
            for kind, items in by_kind.items()
        )

    def _names(self, kind: str, customer_class: str, on: dt.date) -> dict[str, tuple[str, bool]]:
        """Item code -> (words, priced by use), by the tariff of a service in force on a day."""
        found: dict[str, tuple[str, bool]] = {}
        for row in self._tariffs:
            classes = row.detail.get("customer_classes") or [customer_class]
            if row.detail.get("service_kind") != kind or customer_class not in classes:
                continue
            for version in sorted(row.detail.get("version", ()), key=lambda one: str(one["effective_from"])):
                if str(version["effective_from"]) <= on.isoformat():
                    for item in version.get("item", ()):
                        found |= _item_words(item)
        return found


def _item_words(item: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """An item's codes on a bill in words, the blocks of a price by how far they reach; and whether it is priced by use."""
    blocks, unit, by_use = item.get("block", ()), str(item.get("unit", "")), "quantity" in item
    if len(blocks) < 2:
        return {item["code"]: (str(item["text"]), by_use)}
    found, low = {}, Decimal(0)
    for at, block in enumerate(blocks, 1):
        top = None if block.get("up_to") is None else Decimal(str(block["up_to"]))
        if top is None:
            words = f"Above {low.normalize():f} {unit}"
        else:
            words = f"{'First' if at == 1 else 'Next'} {(top - low).normalize():f} {unit}"
            low = top
        found[f"{item['code']}_t{at}"] = words, by_use
    return found


def _exact(text: object) -> Decimal | None:
    return Decimal(str(text)) if str(text).strip() else None


def bill_facts(session: Session, bill_id: int | None, account_id: int, on: dt.date) -> BillFacts | None:
    """A bill of an account by its lines; None when the account has no such bill."""
    row = None if bill_id is None else rows.bill_row(session, bill_id, account_id)
    if row is None:
        return None
    account = account_rows.account_row(session, account_id)
    return as_facts(row, ItemNames(session, on), account.account_kind)


def as_facts(row: Any, names: ItemNames, customer_class: str) -> BillFacts:
    lines = names.lines(row.lines, customer_class, row.to_on)
    return BillFacts(row.id, row.number, row.billed_on, row.due_on, row.from_on, row.to_on, lines)


def recent_bills(session: Session, account_id: int, customer_class: str, on: dt.date) -> list[BillFacts]:
    """The latest bills by their lines, newest first."""
    names = ItemNames(session, on)
    return [as_facts(row, names, customer_class) for row in bill_rows.bills(session, account_id)]


def usual_of(use: metering.Use, service_kind: str, bill: BillFacts) -> Usual | None:
    """What the meter of a line showed in the bill's period, and what is usual there; None where it cannot be said."""
    months = list(
        next((meter.months for meter in use.meters if meter.service_kind == service_kind and meter.months), ())
    )
    unit = next((meter.unit for meter in use.meters if meter.service_kind == service_kind), "")
    this = next((month for month in months if abs((month.to_on - bill.to_on).days) <= NEAR_DAYS), None)
    others = [month.quantity for month in months if month is not this]
    if this is None or len(others) < OTHERS_FEWEST:
        return None
    middle, newest = Decimal(statistics.median_low(others)), months[-1]
    if newest.to_on <= this.to_on:
        return Usual(middle, this.quantity, unit)
    return Usual(middle, this.quantity, unit, newest.quantity, newest.label)


# --- earlier adjustments ------------------------------------------------------------------------------------------------


def counted_on(row: Any, zone: dt.tzinfo) -> dt.date:
    """The civil day an adjustment counts from: when it was taken back, else decided, else asked for."""
    return (row.reversed_at or row.decided_at or row.requested_at).astimezone(zone).date()


def earlier_of(session: Session, account_id: int, zone: dt.tzinfo, *, without: int | None = None) -> list[Earlier]:
    """The adjustments of an account, newest first, as the rules see them."""
    return [
        Earlier(
            row.number, row.adjustment_type, row.limit_kind, row.amount_cents, parts_of(row.lines), row.state_code,
            row.bill_id, counted_on(row, zone),
        )
        for row in rows.of_account(session, account_id)
        if row.id != without
    ]  # fmt: skip


def parts_of(stored: Sequence[Any]) -> tuple[Part, ...]:
    return tuple(Part(str(kind), item, str(words), int(cents)) for kind, item, words, cents in stored)


def facts_for(
    session: Session,
    kind: AdjustmentType,
    account_id: int,
    bill: BillFacts | None,
    service_kind: str,
    today: dt.date,
    zone: dt.tzinfo,
) -> Facts:
    """Everything one adjustment is worked out from."""
    usual = None
    if kind.share_of_excess is not None and bill is not None:
        usual = usual_of(metering.use(account_id), service_kind, bill)
    fee = fee_on(session, kind.fee_code, today) if kind.fee_code else None
    return Facts(
        kind,
        today,
        bill if kind.needs_bill else None,
        earlier_of(session, account_id, zone),
        kind_names(session, today),
        usual,
        None if fee is None else fee_cents(fee, today),
    )


# --- money --------------------------------------------------------------------------------------------------------------


def account_facts(session: Session, account_id: int, on: dt.date) -> AccountFacts | None:
    """An account's money out of the ledger, with the days of the collection policy; None when there is no such account."""
    row = bill_rows.money_of(session, account_id)
    if row is None:
        return None
    policy = cut_policy(session, on)
    cycle = next((each.detail for each in directory.reference(session, "cycle", on)), {})
    return AccountFacts(
        balance_cents=row.balance_cents,
        bills=tuple(
            BillSum(each.id, each.due_on, each.total_cents, int(each.posted_cents), each.entries > 0)
            for each in ledger_rows.sums_of_bills(session, account_id)
        ),
        paid_cents=int(ledger_rows.paid_cents(session, account_id)),
        loose=tuple(
            LooseEntry(each.id, each.kind_code, each.business_on, each.receivable_cents, each.reverses_id)
            for each in ledger_rows.loose_entries(session, account_id)
        ),
        charge_due_days=policy.grace_days,
        cut_least_cents=policy.least_cents,
        cutoff_on=row.cutoff_on,
        notice_after_due=int(cycle.get("notice_after_due", 0)),
        late_fee=fee_on(session, "late", on),
        late_fee_after_due=int(cycle.get("late_fee_after_due", 0)),
    )


def cut_hold(session: Session, account_id: int, on: dt.date, *, facts: AccountFacts | None = None) -> str:
    """The number of the credit for which an account's cut is held; empty when nothing holds it."""
    waiting = [
        (row.number, row.amount_cents, row.bill_id)
        for row in rows.waiting_on(session, [account_id])
        if row.amount_cents < 0
    ]
    if not waiting:
        return ""
    facts = facts or account_facts(session, account_id, on)
    return "" if facts is None else holding(facts, waiting, on, by_policy=policy_on(session, on).hold_cut_while_pending)


def cut_holds(session: Session, account_ids: Collection[int], on: dt.date) -> dict[int, str]:
    """Reasons not to cut by account, for those that have one: a credit that would clear the debt waits for a decision."""
    waiting = {row.account_id for row in rows.waiting_on(session, account_ids)}
    found = {account_id: cut_hold(session, account_id, on) for account_id in sorted(waiting)}
    return {
        account_id: f"A credit that would clear the debt waits for a decision ({number})."
        for account_id, number in found.items()
        if number
    }


# --- who decides --------------------------------------------------------------------------------------------------------


def deciders(session: Session, account_id: int) -> list[Decider]:
    """Everybody whose role may decide, with their limits, and whether the account is one of their own people's."""
    limits = staff_rows.limits_by_staff(session)
    owner = account_rows.persons_of(session, account_id=account_id)
    return [
        Decider(
            row.id, row.name, True, limits.get(row.id, {}), bool(owner & own_people(session, row.id, row.person_id))
        )
        for row in staff_rows.holders(session, "adjustment.approve")
    ]


def as_decider(session: Session, actor: Actor, account_id: int) -> Decider:
    """The actor as the rules of deciding see them."""
    own = own_people(session, actor.staff_id, actor.person_id)
    return Decider(
        actor.staff_id, actor.name, actor.may("adjustment.approve"), actor.limits,
        bool(account_rows.persons_of(session, account_id=account_id) & own),
    )  # fmt: skip


def own_people(session: Session, staff_id: int, person_id: int | None) -> set[int]:
    """A person at the desk as a customer, their household, and the relatives they declared."""
    found = staff_rows.relatives(session, staff_id)
    return found if person_id is None else found | account_rows.household_of(session, {person_id})


def stand_ins(session: Session, on: dt.date) -> dict[int, tuple[int, str]]:
    """Who is away -> (id, name) of who stands in."""
    found: dict[int, tuple[int, str]] = {}
    for row in staff_rows.away_on(session, on):
        found.setdefault(row.staff_id, (row.stand_in_id, row.stand_in_name))
    return found


def absent_for(people: Sequence[Decider], away: Mapping[int, tuple[int, str]], staff_id: int) -> list[Decider]:
    """Those who may decide, are away, and named this person."""
    return [one for one in people if one.staff_id in away and away[one.staff_id][0] == staff_id]


def is_pending(row: Any) -> bool:
    return row.state_code == PENDING
