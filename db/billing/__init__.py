"""Cycle dates, bills, payments, the ledger they live in, and adjustments.

`tables` holds bills and payments and `queries` what the room asks them; `ledger` and `adjustment` hold their tables first, then
their queries.
"""

from db.billing import adjustment, ledger
from db.billing.adjustment import Adjustment
from db.billing.ledger import JournalEntry, LedgerAccount, Posting
from db.billing.queries import adjustments_behind, bill_totals, bills, cycle_dates, money_of, payments
from db.billing.tables import Bill, CycleDate, Payment

__all__ = [
    "Adjustment",
    "Bill",
    "CycleDate",
    "JournalEntry",
    "LedgerAccount",
    "Payment",
    "Posting",
    "adjustment",
    "adjustments_behind",
    "bill_totals",
    "bills",
    "cycle_dates",
    "ledger",
    "money_of",
    "payments",
]
