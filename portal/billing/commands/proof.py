"""`portal ledger`: the proof of the ledger and its trial balance, for people and for programs."""

from __future__ import annotations

import dataclasses
import json
import sys

from db import core
from portal import settings
from portal.billing.views.ledger import prove, trial_balance
from portal.shared.money import format_cents
from portal.shared.table_file import csv_text

COLUMNS = ("code", "name", "kind", "gl_code", "debit_cents", "credit_cents", "net_cents")


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")


def run_verify(*, json_answer: bool = False) -> int:
    """Names what does not agree, one a line; answers with the exit code, 1 when anything does not."""
    proof = prove()
    if json_answer:
        _say(json.dumps({**dataclasses.asdict(proof), "agrees": not proof.differences}))
    else:
        for difference in proof.differences:
            _say(difference)
    sys.stderr.write(f"{proof.sentence}\n")
    return 1 if proof.differences else 0


def run_trial_balance(form: str = "table") -> int:
    """Writes the trial balance as a table, JSON or CSV; answers with the exit code, 1 when the two sides differ."""
    lines = trial_balance(core.now().astimezone(settings.current().time_zone).date())
    debit, credit = sum(line.debit_cents for line in lines), sum(line.credit_cents for line in lines)
    if form == "json":
        found = [{name: getattr(line, name) for name in COLUMNS} for line in lines]
        _say(json.dumps({"accounts": found, "debit_cents": debit, "credit_cents": credit}))
    elif form == "csv":
        sys.stdout.write(csv_text(COLUMNS, [[getattr(line, name) for name in COLUMNS] for line in lines]))
    else:
        for line in lines:
            _say(
                f"{line.code:<22} {line.name:<34.34} {line.gl_code:<8} {format_cents(line.debit_cents):>18} "
                f"{format_cents(line.credit_cents):>18} {format_cents(line.net_cents):>18}"
            )
        _say(
            f"{'Together':<66} {format_cents(debit):>18} {format_cents(credit):>18} {format_cents(debit - credit):>18}"
        )
    return 0 if debit == credit else 1
