"""What deposit to ask for when service starts, and the reason to give.

A policy is an ordered list of rows; for each service kind the first row that applies decides. An applicant who is
new has no average bill, so the usual order is: waived on a good record, guarantee in lieu, twice the own average,
history at the address, and at last a flat amount by service kind or class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from portal.billing.rules.pack import PackTable
from portal.billing.rules.tariff import SERVICE_KINDS
from portal.shared.money import format_cents
from portal.shared.problem import Problem

RULES = (
    "waived_on_record",  # months of service, all of the last `months` paid on time
    "guarantee",  # a guarantor, surety bond or letter of credit stands in
    "own_average",  # times x the applicant's own average monthly bill
    "premise_history",  # times x the average monthly bill at the address
    "flat",  # one amount
)
GUARANTEES = ("guarantor", "surety_bond", "letter_of_credit")
_RULE_KEYS: Mapping[str, frozenset[str]] = {
    "waived_on_record": frozenset({"months"}),
    "guarantee": frozenset({"accepts"}),
    "own_average": frozenset({"months", "times", "least", "most", "round_to"}),
    "premise_history": frozenset({"months", "times", "least", "most", "round_to"}),
    "flat": frozenset({"amount"}),
}
_GUARANTEE_WORDS = {
    "guarantor": "a guarantor",
    "surety_bond": "a surety bond",
    "letter_of_credit": "a letter of credit",
}


@dataclass(frozen=True, slots=True)
class DepositRow:
    """One row of the policy. Empty service kinds or classes mean all. Amounts in cents."""

    code: str
    rule: str
    service_kinds: tuple[str, ...] = ()
    customer_classes: tuple[str, ...] = ()
    months: int = 0
    times: Decimal = Decimal(0)
    least_cents: int = 0
    most_cents: int | None = None
    round_to_cents: int = 1
    amount_cents: int = 0
    accepts: tuple[str, ...] = ()
    citation: str = ""


@dataclass(frozen=True, slots=True)
class DepositPolicy:
    code: str
    name: str
    effective_from: date
    source: str
    rows: tuple[DepositRow, ...]

    @classmethod
    def from_pack(cls, pack: Mapping[str, Any]) -> tuple[DepositPolicy | None, list[Problem]]:
        """Read a deposit policy from its TOML table: (policy, []) or (None, every problem found)."""
        problems: list[Problem] = []
        table = PackTable(pack, "", problems)
        policy = cls(
            code=table.text("code"),
            name=table.text("name"),
            effective_from=table.day("effective_from") or date.min,
            source=table.text("source"),
            rows=tuple(_row(row) for row in table.tables("row")),
        )
        table.close()
        return (None, problems) if problems else (policy, [])


def _row(table: PackTable) -> DepositRow:
    rule = table.choice("rule", RULES)
    allowed = _RULE_KEYS.get(rule, frozenset())
    for key in table.table:
        if rule and key not in allowed and key in frozenset().union(*_RULE_KEYS.values()):
            table.refuse(key, f'does not belong to a row with rule "{rule}"')
            table.read_keys.add(key)
    row = DepositRow(
        code=table.text("code"),
        rule=rule,
        service_kinds=table.texts("service_kinds", SERVICE_KINDS),
        customer_classes=table.texts("customer_classes"),
        months=(table.whole("months", low=1, high=120) or 0) if "months" in allowed else 0,
        times=(table.decimal("times", places=2) or Decimal(0)) if "times" in allowed else Decimal(0),
        least_cents=(table.cents("least", required=False) or 0) if "least" in allowed else 0,
        most_cents=table.cents("most", required=False) if "most" in allowed else None,
        round_to_cents=(table.cents("round_to", required=False) or 1) if "round_to" in allowed else 1,
        amount_cents=(table.cents("amount") or 0) if "amount" in allowed else 0,
        accepts=table.texts("accepts", GUARANTEES) if "accepts" in allowed else (),
        citation=table.text("citation", default=""),
    )
    if row.most_cents is not None and row.most_cents < row.least_cents:
        table.refuse("most", "must not be below least")
    table.close()
    return row


@dataclass(frozen=True, slots=True)
class ApplicantRecord:
    """What is known of the applicant and the address on the day service is asked for.

    Averages are cents per month by service kind. ``on_time_months`` counts back from now without a late payment or
    a cut for non-pay.
    """

    customer_class: str
    on_time_months: int = 0
    own_months: int = 0
    own_average_cents: Mapping[str, int] = field(default_factory=dict)
    premise_months: int = 0
    premise_average_cents: Mapping[str, int] = field(default_factory=dict)
    guarantee: str | None = None


@dataclass(frozen=True, slots=True)
class DepositLine:
    """The deposit of one service kind; ``reason`` is a sentence for the caller, ``row_code`` the policy row."""

    service_kind: str
    amount_cents: int
    row_code: str
    reason: str
    citation: str = ""


@dataclass(frozen=True, slots=True)
class DepositDecision:
    lines: tuple[DepositLine, ...]
    total_cents: int | None
    problems: tuple[Problem, ...] = ()


def deposit_for(policy: DepositPolicy, service_kinds: Iterable[str], applicant: ApplicantRecord) -> DepositDecision:
    """The deposit per service kind with its reason; a kind that no row covers is a problem, never zero."""
    lines: list[DepositLine] = []
    problems: list[Problem] = []
    for kind in service_kinds:
        decided = next((line for row in policy.rows if (line := _decide(row, kind, applicant)) is not None), None)
        if decided is None:
            sentence = f"The deposit policy has no row for {kind} and the class {applicant.customer_class}; add one."
            problems.append(Problem("service_kinds", sentence))
        else:
            lines.append(decided)
    if problems:
        return DepositDecision((), None, tuple(problems))
    return DepositDecision(tuple(lines), sum(line.amount_cents for line in lines))


def _decide(row: DepositRow, kind: str, applicant: ApplicantRecord) -> DepositLine | None:
    if row.service_kinds and kind not in row.service_kinds:
        return None
    if row.customer_classes and applicant.customer_class not in row.customer_classes:
        return None
    found = _RULES[row.rule](row, kind, applicant)
    return None if found is None else DepositLine(kind, found[0], row.code, found[1], row.citation)


def _waived(row: DepositRow, kind: str, applicant: ApplicantRecord) -> tuple[int, str] | None:
    if applicant.on_time_months < row.months:
        return None
    return (
        0,
        f"No deposit for {kind}: the last {applicant.on_time_months} months were paid on time ({row.months} needed).",
    )


def _guarantee(row: DepositRow, kind: str, applicant: ApplicantRecord) -> tuple[int, str] | None:
    if applicant.guarantee is None or applicant.guarantee not in row.accepts:
        return None
    return 0, f"No deposit for {kind}: {_GUARANTEE_WORDS[applicant.guarantee]} is accepted in its place."


def _own_average(row: DepositRow, kind: str, applicant: ApplicantRecord) -> tuple[int, str] | None:
    average = applicant.own_average_cents.get(kind)
    if average is None or applicant.own_months < row.months:
        return None
    return _multiple(row, kind, average, f"your own average monthly bill of {format_cents(average)}")


def _premise_history(row: DepositRow, kind: str, applicant: ApplicantRecord) -> tuple[int, str] | None:
    average = applicant.premise_average_cents.get(kind)
    if average is None or applicant.premise_months < row.months:
        return None
    # A neighbour can work out an average from a deposit: state that it is the address, never who lived there.
    return _multiple(row, kind, average, f"the average monthly {kind} bill at this address, {format_cents(average)}")


def _flat(row: DepositRow, kind: str, applicant: ApplicantRecord) -> tuple[int, str] | None:
    if row.amount_cents == 0:
        return 0, f"No deposit is asked for {kind}."
    return (
        row.amount_cents,
        f"{format_cents(row.amount_cents)} for {kind}: the set amount for {applicant.customer_class} service.",
    )


_RULES = {
    "waived_on_record": _waived,
    "guarantee": _guarantee,
    "own_average": _own_average,
    "premise_history": _premise_history,
    "flat": _flat,
}


def _multiple(row: DepositRow, kind: str, average: int, what: str) -> tuple[int, str]:
    step = row.round_to_cents
    amount = int((row.times * average / step).quantize(Decimal(1), ROUND_HALF_UP)) * step
    limit = ""
    if amount < row.least_cents:
        amount, limit = row.least_cents, f", raised to the least amount {format_cents(row.least_cents)}"
    if row.most_cents is not None and amount > row.most_cents:
        amount, limit = row.most_cents, f", held to the most allowed {format_cents(row.most_cents)}"
    rounded = f", rounded to {format_cents(step)}" if step > 1 and not limit else ""
    times = f"{row.times.normalize():f}"
    return amount, f"{format_cents(amount)} for {kind}: {times} times {what}{rounded}{limit}."
