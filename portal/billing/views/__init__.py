"""What screens show of bills and money: balance and dates, the timeline of everything."""

from portal.billing.views.money import METHODS, BillLine, Money, Timeline, money, timeline

__all__ = ["METHODS", "BillLine", "Money", "Timeline", "money", "timeline"]
