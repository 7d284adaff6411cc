"""What screens show of customers: matches of the find box, the summary of one customer, what happened, two records side by side."""

from portal.accounts.views.find import Badge, FindResult, Match, find
from portal.accounts.views.records import MergeView, RecordSide, merge_view, person_form
from portal.accounts.views.summary import (
    AccountLine,
    ActsFor,
    Alert,
    FlagLine,
    OrderLine,
    ServiceLine,
    Summary,
    for_person,
    for_premise,
    summary,
)
from portal.accounts.views.timeline import Happening, happenings

__all__ = [
    "AccountLine",
    "ActsFor",
    "Alert",
    "Badge",
    "FindResult",
    "FlagLine",
    "Happening",
    "Match",
    "MergeView",
    "OrderLine",
    "RecordSide",
    "ServiceLine",
    "Summary",
    "find",
    "for_person",
    "for_premise",
    "happenings",
    "merge_view",
    "person_form",
    "summary",
]
