"""The history of an account's money: every entry of the ledger in words, with the balance after it and what moved behind it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db import accounts as account_rows
from db import billing, core, directory
from db.billing import ledger as rows
from portal import settings
from portal.accounts.rules import visible_name
from portal.accounts.views.summary import service_kinds
from portal.billing.views.money import METHODS
from portal.shared.text import day_text, moment_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.shared.actor import Actor

PAGE_ROWS = 20
KINDS = {
    "bill": ("Bill", "request_quote"),
    "payment": ("Payment", "payments"),
    "adjustment": ("Adjustment", "price_change"),
    "reversal": ("Taken back", "undo"),
    "opening": ("Opening balance", "flag"),
}
"""Kind of an entry -> its name and icon."""
COLUMNS = ("Day", "Kind", "What", "Amount", "Balance after", "Posted by", "Posted at")


@dataclass(frozen=True)
class EntryLine:
    """An entry as a line of the history."""

    entry_id: int
    on: dt.date
    kind: str
    icon: str
    words: str
    amount_cents: int
    balance_cents: int
    posted_by: str
    posted_at: dt.datetime
    posted: str
    """When it was posted, in words."""
    taken_back_on: dt.date | None = None
    taken_back_by_id: int | None = None
    takes_back_id: int | None = None

    def cells(self) -> tuple[object, ...]:
        """As a row of an export: amounts in dollars."""
        return (
            self.on, self.kind, self.words, self.amount_cents / 100, self.balance_cents / 100, self.posted_by,
            self.posted_at,
        )  # fmt: skip


@dataclass(frozen=True)
class PostingLine:
    """An amount that moved, by the names of the ledger accounts."""

    service_kind: str
    debit: str
    credit: str
    amount_cents: int


@dataclass(frozen=True)
class MoneyHistory:
    """A page of the history, newest first."""

    account_id: int
    account_number: str
    shown_name: str
    """As it may leave the desk."""
    person_name: str
    address: str
    today: dt.date
    balance_cents: int
    past_due_cents: int
    past_due_since_on: dt.date | None
    total: int
    page: int
    lines: tuple[EntryLine, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_ROWS))

    def at(self, entry_id: int | None) -> int:
        """Where an entry stands on this page; the first when it is not here."""
        return next((at for at, line in enumerate(self.lines) if line.entry_id == entry_id), 0)


def money_history(account_id: int, actor: Actor, page: int = 1) -> MoneyHistory | None:
    """A page of an account's entries; None when there is no such account. A page too far is the last."""
    with core.read() as session:
        account = account_rows.account_row(session, account_id)
        money = billing.money_of(session, account_id)
        if account is None or money is None:
            return None
        total = rows.entry_count(session, account_id)
        page = min(max(1, page), max(1, -(-total // PAGE_ROWS)))
        today = core.now().astimezone(settings.current().time_zone).date()
        lines = _lines(session, account_id, today, PAGE_ROWS, (page - 1) * PAGE_ROWS)
    return MoneyHistory(
        account_id,
        account.account_number,
        visible_name(account.name, exempt=account.exempt, actor=actor),
        account.name,
        account.address or "",
        today,
        money.balance_cents,
        money.past_due_cents,
        money.past_due_since_on,
        total,
        page,
        lines,
    )


def page_of_entry(account_id: int, entry_id: int) -> int:
    """The page an entry stands on, from 1; the first for one of another account."""
    with core.read() as session:
        return rows.entries_newer(session, account_id, entry_id) // PAGE_ROWS + 1


def all_entries(account_id: int, most: int) -> list[tuple[object, ...]]:
    """The rows of an export, newest first."""
    with core.read() as session:
        today = core.now().astimezone(settings.current().time_zone).date()
        return [line.cells() for line in _lines(session, account_id, today, most, 0)]


def postings_of(entry_id: int, account_id: int) -> tuple[PostingLine, ...]:
    """What an entry of this account moved; nothing for an entry of another one."""
    with core.read() as session:
        entry = rows.entry_row(session, entry_id)
        if entry is None or entry.account_id != account_id:
            return ()
        today = core.now().astimezone(settings.current().time_zone).date()
        names = {row.code: row.name for row in directory.reference(session, "ledger_account", today)}
        kinds = {code: name for code, (name, _) in service_kinds(session, today).items()}
        return tuple(
            PostingLine(
                kinds.get(each.service_kind, each.service_kind.replace("_", " ").capitalize()),
                names.get(each.debit_code, each.debit_code),
                names.get(each.credit_code, each.credit_code),
                each.amount_cents,
            )
            for each in rows.postings(session, [entry_id])
        )


def _lines(session: Any, account_id: int, today: dt.date, most: int, skip: int) -> tuple[EntryLine, ...]:
    found = rows.entries(session, account_id, most, skip)
    wanted = {each.reverses_id or each.id for each in found if "adjustment" in (each.kind_code, each.reverses_kind)}
    behind = {each.entry_id: each for each in billing.adjustments_behind(session, account_id, wanted)} if wanted else {}
    types = {row.code: row.name for row in directory.reference(session, "adjustment_type", today)} if behind else {}
    names = {code: name for code, (name, _) in service_kinds(session, today).items()} if behind else {}
    zone, now = settings.current().zone, core.now()
    return tuple(
        EntryLine(
            each.id,
            each.business_on,
            KINDS.get(each.kind_code, (each.kind_code.capitalize(), "receipt"))[0],
            KINDS.get(each.kind_code, ("", "receipt"))[1],
            _words(each, behind.get(each.reverses_id or each.id), types, names, today),
            each.receivable_cents,
            each.balance_cents,
            each.staff_name or "The portal",
            each.posted_at,
            moment_text(each.posted_at, zone, now),
            each.reversed_on,
            each.reversed_by_id,
            each.reverses_id,
        )
        for each in found
    )


def _words(each: Any, adjustment: Any, types: dict[str, str], names: dict[str, str], today: dt.date) -> str:
    """“Bill BL-26-…, due Nov 27”, “Paid by autopay”, “Leak credit, water, approved by Samira Reyes”."""
    if each.kind_code == "reversal":
        on = f" of {day_text(each.reverses_on, today)}" if each.reverses_on else ""
        return f"{_what(each.reverses_kind, each, adjustment, types, names, today)}{on}, taken back"
    return _what(each.kind_code, each, adjustment, types, names, today)


def _what(
    kind_code: str, each: Any, adjustment: Any, types: dict[str, str], names: dict[str, str], today: dt.date
) -> str:
    if kind_code == "bill":
        due = f", due {day_text(each.due_on, today)}" if each.kind_code == "bill" and each.due_on else ""
        return f"Bill {each.bill_number or ''}".rstrip() + due
    if kind_code == "payment":
        return (
            f"Paid {METHODS.get(each.method or '', f'by {each.method}')}"
            if each.receivable_cents < 0 or (each.kind_code == "reversal")
            else "Money given back"
        )
    if kind_code == "opening":
        return "What was owed when the ledger began"
    if adjustment is None:
        return "Credit" if each.receivable_cents < 0 else "Charge"
    what = types.get(adjustment.adjustment_type, adjustment.adjustment_type.replace("_", " ").capitalize())
    parts = [what, *_kinds(adjustment.lines, names)]
    if adjustment.decided_by_id and adjustment.decided_by_id != adjustment.requested_by_id:
        parts.append(f"approved by {adjustment.decider_name}")
    about = f" on {each.bill_number}" if each.bill_number else ""
    return ", ".join(parts) + about


def _kinds(lines: Sequence[Any], names: dict[str, str]) -> Iterable[str]:
    """The services an adjustment is for, in small letters, each once."""
    codes = dict.fromkeys(str(line[0]) for line in lines if line[0])
    return [names.get(code, code).lower() for code in codes if code != "account"]
