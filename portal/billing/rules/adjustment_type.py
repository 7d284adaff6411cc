"""Types of adjustment as a city's rows say them: what each is for, what it covers, where the money goes, how often, why.

Nothing else in the house knows a type by its name: a new file in a pack is a new type.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from portal.billing.rules.pack import PackTable
from portal.billing.rules.tariff import SERVICE_KINDS
from portal.shared.problem import Problem

CREDIT, CHARGE = "credit", "charge"
LINE, BILL, ACCOUNT = "line", "bill", "account"
SAME_SHARE: Final = "same_share"
NO_POLICY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an adjustment of a type is made, and what the record needs for it."""

    code: str
    name: str
    needs_note: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Also:
    """Another service of the same bill that is credited with the first one, by the same share of its line."""

    service_kind: str
    of: str
    """The service it follows; empty: whichever was chosen."""
    words: str


@dataclass(frozen=True, slots=True)
class AdjustmentType:
    """One type, as its row and the policy it names say it on a day."""

    code: str
    name: str
    synonyms: tuple[str, ...]
    sign: int
    """-1 a credit to the customer, 1 a charge."""
    limit_kind: str
    needs_bill: bool
    covers: tuple[str, ...]
    """Of a bill: "line", "bill" or both; of the account as a whole: "account"."""
    service_kinds: tuple[str, ...]
    """The services it is for; empty: any."""
    item_codes: tuple[str, ...]
    """Only these items of a bill; empty: all of a line."""
    ledger_account: str
    """The other side of what the customer owes; may hold {service_kind}."""
    taxes_follow: bool
    also: tuple[Also, ...]
    reasons: tuple[Reason, ...]
    letter_code: str
    when: str
    """One sentence that helps to decide: this, or something else."""
    after: str
    """A sentence on what the customer may expect afterwards; may be empty."""
    text: str
    citation: str
    source: str
    most_in_12_months: int | None
    share_of_excess: Decimal | None
    """Percent of the use above the usual that is offered as a credit."""
    months_back_most: int | None
    """A charge for the past reaches back at most so many months."""
    fee_code: str

    @property
    def is_credit(self) -> bool:
        return self.sign < 0

    def reason(self, code: str) -> Reason | None:
        return next((each for each in self.reasons if each.code == code), None)

    def fits(self, service_kind: str) -> bool:
        """Whether it can be made on a line of this service."""
        return not self.service_kinds or service_kind in self.service_kinds


def read_type(
    detail: Mapping[str, Any], policy: Mapping[str, Any] = NO_POLICY
) -> tuple[AdjustmentType | None, list[Problem]]:
    """Reads a type: (type, []) or (None, every problem found). `policy` is the row of the policy it names; what the type does
    not say itself (its text, source and limits) is taken from there."""
    problems: list[Problem] = []
    table = PackTable(detail, "", problems)
    code, name = table.text("code"), table.text("name")
    table.take("position")
    table.take("effective_from")
    sign = table.choice("sign", (CREDIT, CHARGE))
    needs_bill = table.truth("needs_bill")
    covers = table.texts("covers", (LINE, BILL))
    if needs_bill and not covers:
        table.refuse("covers", 'must say "line", "bill" or both, since the type needs a bill')
    if not needs_bill and covers:
        table.refuse("covers", "belongs to a type that needs a bill; set needs_bill or remove it")
    policy_code = table.text("policy", default="")
    if policy_code and not policy:
        table.refuse("policy", f'names "{policy_code}", and there is no such policy in force; load a pack that has it')
    also = tuple(_also(row) for row in table.tables("also", "service_kind", required=False))
    reasons = tuple(_reason(row) for row in table.tables("reason"))
    if len({reason.code for reason in reasons}) < len(reasons):
        table.refuse("reason", "has two reasons with one code")
    own = table.take("limits")
    limits = PackTable(own if isinstance(own, Mapping) else {}, "limits", problems)
    inherited = PackTable(policy.get("limits", {}), f"policy {policy_code}: limits", problems)
    found = AdjustmentType(
        code=code,
        name=name,
        synonyms=table.texts("synonyms"),
        sign=-1 if sign == CREDIT else 1,
        limit_kind=table.text("limit"),
        needs_bill=needs_bill,
        covers=covers if needs_bill else (ACCOUNT,),
        service_kinds=table.texts("service_kinds", SERVICE_KINDS),
        item_codes=table.texts("item_codes"),
        ledger_account=table.text("ledger_account"),
        taxes_follow=table.truth("taxes_follow"),
        also=also,
        reasons=reasons,
        letter_code=table.text("letter"),
        when=table.text("when"),
        after=table.text("after", default=""),
        text=table.text("text", default="") or str(policy.get("text", "")),
        citation=table.text("citation", default="") or str(policy.get("citation", "")),
        source=table.text("source", default="") or str(policy.get("source", "")),
        most_in_12_months=_first_whole("most_in_rolling_12_months", limits, inherited),
        share_of_excess=limits.decimal("share_of_excess_percent", places=2, required=False)
        or inherited.decimal("share_of_excess_percent", places=2, required=False),
        months_back_most=_first_whole("months_most", limits, inherited) if sign == CHARGE else None,
        fee_code=table.text("fee", default=""),
    )
    limits.take("months_most")
    limits.close()
    table.close()
    return (None, problems) if problems else (found, [])


def _first_whole(key: str, *tables: PackTable) -> int | None:
    """The number the first of these tables gives."""
    found = [table.whole(key, low=1, high=120, required=False) for table in tables]
    return next((number for number in found if number is not None), None)


def _also(row: PackTable) -> Also:
    row.choice("by", (SAME_SHARE,), default=SAME_SHARE)
    found = Also(row.choice("service_kind", SERVICE_KINDS), row.text("of", default=""), row.text("words"))
    row.close()
    return found


def _reason(row: PackTable) -> Reason:
    found = Reason(row.text("code"), row.text("name"), row.truth("note_required"), row.text("evidence", default=""))
    row.close()
    return found


@dataclass(frozen=True, slots=True)
class AdjustmentPolicy:
    """What a city decides about adjustments as a whole."""

    helper: str
    """Which to choose: an adjustment, or canceling and rebilling."""
    citation: str
    source: str
    rolling_days: int
    """An adjustment counts against a limit on its day and so many days less one after it."""
    hold_cut_while_pending: bool
    hold_basis: str

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> AdjustmentPolicy:
        """Reads the row; what it does not say is the stricter of two ways."""
        limits = detail.get("limits", {})
        return cls(
            helper=str(detail.get("text", "")),
            citation=str(detail.get("citation", "")),
            source=str(detail.get("source", "")),
            rolling_days=int(limits.get("rolling_days", 30)),
            hold_cut_while_pending=bool(limits.get("hold_cut_while_pending", True)),
            hold_basis=str(detail.get("hold_basis", "")),
        )

    def counts_from(self, today: dt.date) -> dt.date:
        """The first day that still counts against a limit today."""
        return today - dt.timedelta(days=self.rolling_days - 1)
