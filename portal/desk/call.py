"""The conversation in progress, as every page sees it: what is known of the caller is never asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from portal.contacts import commands, views
from portal.desk import go, who

if TYPE_CHECKING:
    from portal.contacts.views import Call


def context() -> Call | None:
    """This person's open conversation; None between calls."""
    return views.open_call(who.actor())


def open_customer(account_id: int | None = None, *, person_id: int | None = None, premise_id: int | None = None) -> NoReturn:
    """Opens a customer's summary; while a call is open, the call becomes about this customer."""
    here = context()
    if here is not None and (here.account_id, here.person_id, here.premise_id) != (account_id, person_id, premise_id):
        commands.link_customer(who.actor(), here.id, account_id=account_id, person_id=person_id, premise_id=premise_id)
    go.to("customer", account=account_id, person=person_id if account_id is None else None, premise=premise_id if account_id is None and person_id is None else None)
