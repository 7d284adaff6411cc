"""A command: one verb, one transaction: permission, rules, rows, audit event, outbox message; all of it or nothing, once.

    @command("service_request.open")
    def open_request(actor: Actor, work: Work, form: RequestForm) -> Receipt: ...

is called as `open_request(actor, form, key=submission_key)`. The wrapper opens the transaction (or joins the one it is called
in), checks the permission, answers a key that was carried out before with its first result, and runs the body.
A refusal that should be known afterwards (acting on one's own account, a permission tried) is noted after the roll-back.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol

from db import core, events
from db import staff as staff_rows
from portal.shared.actor import authorize
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.core import Work
    from portal.shared.actor import Actor

P = ParamSpec("P")


@dataclass(frozen=True)
class CommandSpec:
    """A command as the house knows it: its name, the permission it needs, where it stands."""

    name: str
    permission: str
    function: Callable[..., Any]


COMMANDS: dict[str, CommandSpec] = {}
"""Every command by `room.verb_noun`; the house test walks it."""


class Command(Protocol):
    """The call of a command from outside."""

    def __call__(self, actor: Actor, *args: Any, key: str | None = None, **kwargs: Any) -> Receipt: ...


def command(permission: str) -> Callable[[Callable[Concatenate[Actor, Work, P], Receipt]], Command]:
    """Makes a function a command that needs `permission` (see the module's docstring)."""

    def wrap(function: Callable[Concatenate[Actor, Work, P], Receipt]) -> Command:
        room = function.__module__.split(".")[1]
        name = f"{room}.{getattr(function, '__name__', '')}"

        @functools.wraps(function)
        def run(actor: Actor, *args: Any, key: str | None = None, **kwargs: Any) -> Receipt:
            try:
                with core.work() as work:
                    authorize(actor, permission)
                    if actor.staff_id and not staff_rows.is_active(work.session, actor.staff_id):
                        raise Refused([Problem("", "Your access was ended. Sign out, and ask your administrator.")])
                    if key is not None:
                        first = events.claim_submission(work, key, name, actor.staff_id or None)
                        if first is not None:
                            return Receipt.from_stored(first)
                    receipt = function(actor, work, *args, **kwargs)
                    if key is not None:
                        events.record_result(work, key, receipt.stored())
                        events.delete_draft(work.session, key)
                    return receipt
            except Refused as refused:
                if refused.report and core.current_work() is None:
                    with core.work() as work:
                        work.event(
                            "refusal.reported",
                            staff_id=actor.staff_id or None,
                            subject_kind="staff",
                            subject_id=actor.staff_id,
                            detail={"command": name, "why": refused.report},
                        )
                raise

        COMMANDS[name] = CommandSpec(name, permission, run)
        return run

    return wrap
