"""Brings every table of the house together: whoever makes, migrates or checks a schema imports this."""

from db import (
    accounts,
    billing,
    contacts,
    directory,
    events,
    metering,
    moves,
    opinion,
    service_requests,
    staff,
    waste,
)
from db.core import Base

ROOMS = (staff, directory, contacts, service_requests, accounts, metering, billing, waste, moves, opinion, events)

__all__ = ["ROOMS", "Base"]
