"""Debts at a start: another occupant's never blocks a tenant (F.S. 180.135 by policy row); one's own, by policy row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from portal.shared.money import format_cents, to_cents
from portal.shared.problem import Problem

OWN_DEBT_CHOICES = {
    "paid": "Paid now",
    "transfer": "Move it to the new account",
    "instalments": "Pay in installments",
}


@dataclass(frozen=True, slots=True)
class OldDebt:
    """What one closed account still owes."""

    account_number: str
    cents: int
    since_on: date | None


@dataclass(frozen=True, slots=True)
class DebtPolicy:
    """The two policy rows on debts and the limits of instalments, as they stand on one day."""

    other_text: str
    other_citation: str
    own_text: str
    own_citation: str
    own_transfer_most_cents: int
    own_not_asked_after_years: int
    instalment_months_most: int
    instalment_most_cents: int
    instalment_down_percent: int


def read_debt_policy(other: Mapping[str, Any], own: Mapping[str, Any], arrangement: Mapping[str, Any]) -> DebtPolicy:
    """From the rows policy/former_occupant_debt, policy/own_debt and policy/arrangement; a missing limit is zero."""
    own_limits, limits = own.get("limits", {}), arrangement.get("limits", {})
    return DebtPolicy(
        other_text=str(other.get("text", "")),
        other_citation=str(other.get("citation", "")),
        own_text=str(own.get("text", "")),
        own_citation=str(own.get("citation", "")),
        own_transfer_most_cents=_cents(own_limits.get("move_to_new_account_most", "0")),
        own_not_asked_after_years=int(own_limits.get("older_than_years_not_asked", 100)),
        instalment_months_most=int(limits.get("months_most", 0)),
        instalment_most_cents=_cents(limits.get("balance_most", "0")),
        instalment_down_percent=int(limits.get("down_payment_percent", 0)),
    )


def _cents(dollars: object) -> int:
    return to_cents(Decimal(str(dollars)))


@dataclass(frozen=True, slots=True)
class OtherDebt:
    """What is said about the debt of someone else at the address."""

    cents: int
    headline: str
    sentence: str
    policy_text: str = ""
    """The rule with its exception, as the policy row words it."""


def other_debt(cents: int, *, rental: bool, policy: DebtPolicy) -> OtherDebt | None:
    """The note beside the form. It blocks nobody: the statute names rental units, practice follows it elsewhere too."""
    if cents <= 0:
        return None
    whose = f"It stays with that person and blocks no new customer ({policy.other_citation})."
    if not rental:
        whose = f"It stays with that person. {policy.other_citation} speaks of rental units; the desk treats all alike."
    return OtherDebt(
        cents,
        f"A former or other occupant owes {format_cents(cents)}.",
        f"{whose} Do not mention it to the caller.",
        policy.other_text,
    )


def own_debt_asked(debts: list[OldDebt], today: date, policy: DebtPolicy) -> list[OldDebt]:
    """The closed accounts whose debt is asked for: not those older than the policy's years."""
    oldest = today - timedelta(days=366 * policy.own_not_asked_after_years)
    return [debt for debt in debts if debt.cents > 0 and (debt.since_on is None or debt.since_on >= oldest)]


def own_debt_problems(
    debts: list[OldDebt], choice: str, consent: bool, months: int | None, policy: DebtPolicy
) -> list[Problem]:
    """What is missing about the applicant's own old debt; each sentence says the ways on."""
    total = sum(debt.cents for debt in debts)
    if total <= 0:
        return []
    owed = f"{format_cents(total)} from account {' and '.join(debt.account_number for debt in debts)}"
    if not choice:
        ways = "Choose whether it is paid now, moved to the new account, or paid in installments."
        return [Problem("own_debt", f"The applicant still owes {owed}. {ways}")]
    if choice not in OWN_DEBT_CHOICES:
        return [Problem("own_debt", "Choose what happens to the old debt from the list.")]
    if choice == "transfer":
        if total > policy.own_transfer_most_cents:
            most = format_cents(policy.own_transfer_most_cents)
            return [
                Problem(
                    "own_debt",
                    f"{format_cents(total)} is above {most}, the most that may move. Choose installments or payment.",
                )
            ]
        if not consent:
            return [
                Problem(
                    "own_debt_consent",
                    f"Ask the applicant whether {format_cents(total)} may move to the new account, and tick it.",
                )
            ]
    if choice == "instalments":
        if total > policy.instalment_most_cents:
            most = format_cents(policy.instalment_most_cents)
            return [
                Problem(
                    "own_debt", f"{format_cents(total)} is above {most}, the most for installments. Ask for payment."
                )
            ]
        if months is None or not 1 <= months <= policy.instalment_months_most:
            return [Problem("own_debt_months", f"Enter the number of months, 1 to {policy.instalment_months_most}.")]
    return []


def own_debt_sentence(debts: list[OldDebt], choice: str, months: int | None, policy: DebtPolicy) -> str:
    """What was agreed about the old debt, for the receipt."""
    total = sum(debt.cents for debt in debts)
    if total <= 0:
        return ""
    if choice == "transfer":
        return f"{format_cents(total)} of your own old balance moves to the new account; you agreed to it."
    if choice == "instalments" and months:
        down = -(-total * policy.instalment_down_percent // 100)
        rest = total - down
        return (
            f"Of your old balance, {format_cents(down)} is due first; the other {format_cents(rest)} in {months} "
            f"{'part' if months == 1 else 'parts'} beside the current bills."
        )
    return f"You pay the old balance of {format_cents(total)} now."
