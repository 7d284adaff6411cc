"""What screens show of bills and money: balance and dates, the timeline of everything, adjustments and what waits for approval."""

from portal.billing.views.adjustments import (
    SCOPES,
    AdjustmentLine,
    AdjustmentList,
    AdjustmentView,
    AdjustPage,
    Preview,
    adjust_page,
    adjustment,
    adjustment_list,
    bill_words,
    left_words,
    preview,
    usual_words,
    with_adjustments,
)
from portal.billing.views.history import COLUMNS as HISTORY_COLUMNS
from portal.billing.views.history import MoneyHistory, all_entries, money_history, page_of_entry, postings_of
from portal.billing.views.money import METHODS, BillLine, Money, Timeline, money, timeline

__all__ = [
    "HISTORY_COLUMNS",
    "METHODS",
    "SCOPES",
    "AdjustPage",
    "AdjustmentLine",
    "AdjustmentList",
    "AdjustmentView",
    "BillLine",
    "Money",
    "MoneyHistory",
    "Preview",
    "Timeline",
    "adjust_page",
    "adjustment",
    "adjustment_list",
    "all_entries",
    "bill_words",
    "left_words",
    "money",
    "money_history",
    "page_of_entry",
    "postings_of",
    "preview",
    "timeline",
    "usual_words",
    "with_adjustments",
]
