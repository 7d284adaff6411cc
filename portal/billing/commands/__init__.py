"""The verbs of billing: what is posted to the ledger, what takes it back, payments as they come in, adjustments."""

from portal.billing.commands.adjust import (
    adjust_bill,
    approve_adjustment,
    refuse_adjustment,
    reverse_adjustment,
    withdraw_adjustment,
)
from portal.billing.commands.ledger import (
    issue_bill,
    post,
    record_payment,
    reverse,
    stand_anew,
    stand_due,
    take_payment,
)

__all__ = [
    "adjust_bill",
    "approve_adjustment",
    "issue_bill",
    "post",
    "record_payment",
    "refuse_adjustment",
    "reverse",
    "reverse_adjustment",
    "stand_anew",
    "stand_due",
    "take_payment",
    "withdraw_adjustment",
]
