"""A command: permission, once, refusals that are reported, drafts and receipts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from db import core, events, staff
from portal.shared import drafts
from portal.shared.command import COMMANDS, command
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt, Step
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from db.core import Work
    from portal.shared.actor import Actor
    from portal.shared.command import Command
    from tests.city import City


@pytest.fixture
def count_one() -> Iterator[Command]:
    """A command that takes the next number of a kind: running it twice shows."""

    @command("request.open")
    def count_one(actor: Actor, work: Work) -> Receipt:
        value = core.next_sequence(work.session, "TEST", 0)
        work.event("test.counted", staff_id=actor.staff_id, subject_kind="test", subject_id=value)
        return Receipt(
            title="Counted",
            number=str(value),
            steps=(Step("now", "nothing"),),
            orders=(("WO-1", "a job"),),
            go_query=(("id", "1"),),
        )

    yield count_one
    COMMANDS.pop("kernel.count_one")


def _events(name: str) -> int:
    with core.read() as session:
        return (
            session.scalar(sa.select(sa.func.count()).select_from(events.Event).where(events.Event.name == name)) or 0
        )


def test_the_same_key_again_returns_the_first_result(
    city: City, actor: Callable[[str], Actor], count_one: Command
) -> None:
    first = count_one(actor("representative"), key="a" * 32)
    again = count_one(actor("representative"), key="a" * 32)
    assert (first.number, again.number) == ("1", "1")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.steps == first.steps
    assert again.orders == first.orders
    assert _events("test.counted") == 1


def test_one_key_at_once_from_sixteen_sides_is_carried_out_once(
    city: City, actor: Callable[[str], Actor], count_one: Command
) -> None:
    somebody = actor("representative")
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda _: count_one(somebody, key="b" * 32), range(16)))
    assert {receipt.number for receipt in receipts} == {"1"}
    assert sum(not receipt.replayed for receipt in receipts) == 1
    assert _events("test.counted") == 1


def test_a_refused_form_keeps_its_key_free(city: City, actor: Callable[[str], Actor]) -> None:
    answers = iter([Refused([Problem("name", "Enter a name.")]), None])

    @command("request.open")
    def fussy(actor: Actor, work: Work) -> Receipt:
        problem = next(answers)
        if problem:
            raise problem
        work.event("test.fussy", subject_kind="test", subject_id=1)
        return Receipt(title="Done")

    try:
        with pytest.raises(Refused):
            fussy(actor("representative"), key="c" * 32)
        assert fussy(actor("representative"), key="c" * 32).title == "Done"
    finally:
        COMMANDS.pop("kernel.fussy", None)


def test_without_the_permission_nothing_happens_and_the_try_is_reported(
    city: City, actor: Callable[[str], Actor], count_one: Command
) -> None:
    with pytest.raises(Refused) as refused:
        count_one(actor("manager"), key="d" * 32)
    assert "request.open" in str(refused.value)
    assert _events("test.counted") == 0
    assert _events("refusal.reported") == 1


def test_a_person_whose_access_ended_a_moment_ago_does_nothing_more(
    city: City, actor: Callable[[str], Actor], count_one: Command
) -> None:
    somebody = actor("representative")
    with core.work() as work:
        row = staff.by_id(work.session, somebody.staff_id)
        assert row is not None
        row.active = False
    with pytest.raises(Refused, match="access was ended"):
        count_one(somebody)
    assert _events("test.counted") == 0


def test_a_draft_outlives_everything_but_the_form_carried_out(
    city: City, actor: Callable[[str], Actor], count_one: Command
) -> None:
    import datetime as dt

    me, other = actor("representative"), actor("supervisor")
    answers = {"name": "Ann <b>", "on": dt.date(2026, 12, 1), "at": dt.time(8, 30), "kinds": ["electric"], "many": 3}
    drafts.save(me, "e" * 32, "start_service", "Start service, 61 Tanner St", {"premise": "6"}, drafts.encode(answers))
    assert drafts.load(me, "e" * 32).answers == answers
    assert drafts.load(other, "e" * 32).answers == {}, "nobody reads another person's draft"
    drafts.save(other, "e" * 32, "start_service", "", {}, {"name": "stolen"})
    assert drafts.load(me, "e" * 32).answers == answers, "nobody overwrites it either"
    assert [line.title for line in drafts.unfinished(me)] == ["Start service, 61 Tanner St"]
    count_one(me, key="e" * 32)
    state = drafts.load(me, "e" * 32)
    assert state.receipt is not None
    assert drafts.unfinished(me) == []
