"""What the screens of this room show: forms, nearby requests, due times, cases, queues, known events."""

from portal.service_requests.views.beside import Beside, beside
from portal.service_requests.views.cases import CaseView, WorkOrderView, case, work_order
from portal.service_requests.views.entry import (
    DuePreview,
    Nearby,
    RequestFormView,
    caller_of,
    due_preview,
    known_event_kinds,
    open_nearby,
    premise_of,
    request_form,
    request_types_for_entry,
)
from portal.service_requests.views.known_events import KnownEventLine, KnownEventsView, known_events
from portal.service_requests.views.photos import photo
from portal.service_requests.views.queue import DeskDay, QueueLine, QueueView, find, queue, today_at_desk

__all__ = [
    "Beside",
    "CaseView",
    "DeskDay",
    "DuePreview",
    "KnownEventLine",
    "KnownEventsView",
    "Nearby",
    "QueueLine",
    "QueueView",
    "RequestFormView",
    "WorkOrderView",
    "beside",
    "caller_of",
    "case",
    "due_preview",
    "find",
    "known_event_kinds",
    "known_events",
    "open_nearby",
    "photo",
    "premise_of",
    "queue",
    "request_form",
    "request_types_for_entry",
    "today_at_desk",
    "work_order",
]
