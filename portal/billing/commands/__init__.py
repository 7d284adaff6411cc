"""The verbs of billing: what is posted to the ledger, what takes it back, payments as they come in."""

from portal.billing.commands.ledger import (
    issue_bill,
    post,
    record_payment,
    reverse,
    stand_anew,
    take_payment,
)

__all__ = ["issue_bill", "post", "record_payment", "reverse", "stand_anew", "take_payment"]
