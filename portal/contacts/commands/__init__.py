"""The verbs of conversations: take, link, note, check who speaks, promise, call back, wrap up; emergencies; handing over."""

from portal.contacts.commands.conversation import (
    answer_from_article,
    begin_conversation,
    hand_over_contacts,
    keep_note,
    link_customer,
    link_newcomer,
    wrap_up,
)
from portal.contacts.commands.emergency import stamp_emergency
from portal.contacts.commands.identity import (
    NOT_CHECKED,
    caller_to_check,
    check_identity,
    confirm_call_back,
    identity_problems,
    lift_lock,
    record_identity_check,
    record_secret_check,
    refuse_own_person,
    require_identity,
    set_secret,
    store_secret,
)
from portal.contacts.commands.promise import (
    make_promise,
    plan_call_back,
    record_call_back,
    record_promise,
    settle_promise,
    settle_promises_about,
)

__all__ = [
    "NOT_CHECKED",
    "answer_from_article",
    "begin_conversation",
    "caller_to_check",
    "check_identity",
    "confirm_call_back",
    "hand_over_contacts",
    "identity_problems",
    "keep_note",
    "lift_lock",
    "link_customer",
    "link_newcomer",
    "make_promise",
    "plan_call_back",
    "record_call_back",
    "record_identity_check",
    "record_promise",
    "record_secret_check",
    "refuse_own_person",
    "require_identity",
    "set_secret",
    "settle_promise",
    "settle_promises_about",
    "stamp_emergency",
    "store_secret",
    "wrap_up",
]
