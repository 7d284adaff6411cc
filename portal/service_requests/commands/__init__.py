"""The verbs of this room, by topic: cases, work orders, known events."""

from portal.service_requests.commands.cases import (
    advise_caller,
    assign_request,
    close_request,
    join_request,
    move_request,
    open_request,
    reopen_request,
    take_request,
)
from portal.service_requests.commands.known_events import (
    end_known_event,
    join_known_event,
    start_known_event,
    update_known_event,
)
from portal.service_requests.commands.request_types import publish_request_type
from portal.service_requests.commands.work_orders import (
    assign_work_order,
    close_work_order,
    finish_work_order,
    hand_over_and_end_access,
    hand_over_work,
    move_work_order,
    open_work_order,
    write_work_order,
)

__all__ = [
    "advise_caller",
    "assign_request",
    "assign_work_order",
    "close_request",
    "close_work_order",
    "end_known_event",
    "finish_work_order",
    "hand_over_and_end_access",
    "hand_over_work",
    "join_known_event",
    "join_request",
    "move_request",
    "move_work_order",
    "open_request",
    "open_work_order",
    "publish_request_type",
    "reopen_request",
    "start_known_event",
    "take_request",
    "update_known_event",
    "write_work_order",
]
