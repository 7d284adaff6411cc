"""What the page is given: shares, verdicts, waves that are not joined, cells that stay closed however the page is filtered."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from db import contacts, core
from db import opinion as rows
from portal.opinion import commands, views
from tests.opinion import made

if TYPE_CHECKING:
    from pathlib import Path

    from db.core import Database
    from tests.city import City


def the_board(survey: str, wave: str, district: str = "") -> views.Board:
    found = views.board(survey, wave, district)
    assert found is not None
    return found


def test_two_waves_asked_alike_are_compared_question_by_question(db: Database, tmp_path: Path) -> None:
    """Snow removal rises from 160 to 240 of 400 (p < .001), overall from 200 to 204: see `made.resident`."""
    commands.import_survey(*made.resident(tmp_path))
    board = the_board("resident", "w2")
    assert board.since is not None
    assert board.since.code == "w1"
    told = {line.code: line.change.in_words() for line in board.items if line.change}
    assert told == {
        "overall": "Up 1 point: not distinguishable from chance",
        "snow": "Up 20 points, more than chance",
        "waste": "Unchanged: not distinguishable from chance",
    }
    assert board.lead == (
        "51% are satisfied with “Overall quality” (95% interval 46% to 56%, n 400). "
        "Since Sep 2025, 1 of 3 questions changed by more than chance explains; the other 2 are not distinguishable from chance."
    )
    waste = next(line for line in board.items if line.code == "waste")
    assert (waste.figure.answers, waste.figure.dont_know) == (380, 20)
    assert the_board("resident", "w1").since is None


def test_waves_of_another_sample_are_never_joined(db: Database, tmp_path: Path) -> None:
    commands.import_survey(*made.happiness(tmp_path))
    history = views.history("happiness", "place")
    assert history is not None
    assert [bool(moment.apart) for moment in history.moments] == [False, True, False]
    assert the_board("happiness", "2013").since is None
    assert the_board("happiness", "2013").apart == ("2011: the sample or the way of asking changed",)
    newest = the_board("happiness", "2015")
    assert newest.since is not None
    assert newest.since.code == "2013"


def test_a_question_asked_in_other_words_is_not_compared(db: Database, tmp_path: Path) -> None:
    commands.import_survey(*made.resident(tmp_path))
    with core.work() as work:
        wave = rows.wave_by_code(work.session, "resident", "w1")
        assert wave is not None
        wave.items = [item | ({"wording": "Another question"} if item["code"] == "snow" else {}) for item in wave.items]
    snow = next(line for line in the_board("resident", "w2").items if line.code == "snow")
    assert (snow.before, snow.change) == (None, None)
    history = views.history("resident", "snow")
    assert history is not None
    assert history.moments[1].apart == "the question changed"


def test_a_small_district_is_closed_and_cannot_be_found_by_subtraction(db: Database, tmp_path: Path) -> None:
    """Ward 3 has seven answers; the next smallest ward is held back with it, in every view alike."""
    commands.import_survey(*made.happiness(tmp_path))
    history = views.history("happiness", "place")
    assert history is not None
    newest = {each.name: each.figures[2] for each in history.districts}
    assert newest["Ward 3"].seen == "closed"
    assert sorted(figure.seen for figure in newest.values()) == ["closed", "held_back", "shown"]
    held = next(name for name, figure in newest.items() if figure.seen == "held_back")
    for name in ("Ward 3", held):
        figure = newest[name]
        assert (figure.answers, figure.satisfied, figure.dont_know, figure.points) == (0, 0, 0, 0.0)
        board = the_board("happiness", "2015", name.removeprefix("Ward "))
        assert not any(line.figure.open for line in board.items)
        assert not any(line.change for line in board.items)
        assert board.lead.startswith("Too few people answered")
    assert views.comments("happiness", "2015", "3").closed


def test_comments_come_in_pages_and_name_large_districts_only(db: Database, tmp_path: Path) -> None:
    commands.import_survey(*made.resident(tmp_path))
    first = views.comments("resident", "w1")
    assert (first.total, len(first.lines)) == (12, views.COMMENT_ROWS)
    assert first.lines[0] == views.Comment("Note 0 <b>of</b> w1", "D1")
    assert len(views.comments("resident", "w1", page=2).lines) == 4
    assert views.comments("resident", "w1", "D2").total == 3
    assert views.comments("resident", "w3").total == 0


def test_the_method_card_names_its_gaps(db: Database, tmp_path: Path) -> None:
    commands.import_survey(*made.resident(tmp_path))
    card = {line.name: line.answer for line in the_board("resident", "w1").method}
    assert card["Who was asked"] == "Adult residents"
    assert card["When"] == "Sep 1, 2025 to Sep 30, 2025"
    assert card["How they answered"] == "web and mail: web 266, mail 134"
    assert card["Answers (n)"] == "400"
    assert card["Response rate"] == ""


def test_waves_without_kept_counts_are_counted_when_asked_for(db: Database, tmp_path: Path) -> None:
    """Rows may come another way than by the import (a demo city): the same figures."""
    commands.import_survey(*made.resident(tmp_path))
    kept = the_board("resident", "w2")
    with core.work() as work:
        for wave in rows.waves(work.session):
            wave.counted = False
    assert the_board("resident", "w2") == kept


def test_an_unknown_wave_or_question_is_none(db: Database, tmp_path: Path) -> None:
    commands.import_survey(*made.resident(tmp_path))
    assert views.board("resident", "w9") is None
    assert views.board("none", "w1") is None
    assert views.history("resident", "none") is None


@pytest.fixture
def calls(city: City) -> None:
    """40 opinions on rates, 12 on collection, 3 on parks within the year; 50 older ones."""
    with core.work() as work:
        told = (
            [("rates", "against")] * 30
            + [("rates", "for")] * 10
            + [("collection", "mixed")] * 12
            + [("parks", "for")] * 3
        )
        for at, (subject, stance) in enumerate([*told, *[("outages", "for")] * 50]):
            age = dt.timedelta(days=10 if at < len(told) else 400)
            call = work.add(
                contacts.Conversation(
                    number=f"CV-{at}", channel="phone", staff_id=city.staff["luis"], started_at=work.now - age
                )
            )
            work.add(
                contacts.OpinionHeard(
                    conversation_id=call.id, subject_code=subject, stance=stance, heard_at=work.now - age
                )
            )


def test_opinions_heard_are_a_series_of_their_own(calls: None, tmp_path: Path) -> None:
    commands.import_survey(*made.resident(tmp_path))
    found = views.heard()
    assert found.total == 55
    assert found.lines[0] == views.HeardLine("Rates and bills", 40, 10, 30, 0)
    # Parks has three; collection is held back with it, else parks is 55 less the others.
    assert {line.name: line.calls for line in found.lines[1:]} == {
        "Garbage, recycling, yard waste": None,
        "Parks and trees": None,
    }
    assert the_board("resident", "w2").respondents == 400


def test_comments_are_searched_by_words_whatever_they_hold(db: Database, tmp_path: Path) -> None:
    commands.import_survey(*made.resident(tmp_path))
    assert views.comments("resident", "w2").total == 12
    assert views.comments("resident", "w2", search="NOTE 11").total == 1
    assert views.comments("resident", "w2", search="  w2   <b>of</b> ").total == 12
    for nothing in ("%", "_", "\\", "100% gone", "' OR 1=1 --", "\0%"):
        assert views.comments("resident", "w2", search=nothing).total == 0, nothing
    far = views.comments("resident", "w2", page=99)
    assert (far.total, len(far.lines)) == (12, 4)
    assert len(views.comments("resident", "w2", most=100).lines) == 12


def test_ways_of_answering_are_told_apart_and_small_ones_closed(db: Database, tmp_path: Path) -> None:
    """Of 400, every third answered by mail (134), the others on the web; then nine by phone, whom subtraction must not find."""

    def by_phone(text: str) -> str:
        head, *lines = text.splitlines()
        second = [at for at, line in enumerate(lines) if line.startswith("w2")][:9]
        for at in second:
            lines[at] = lines[at].replace(",web,", ",phone,").replace(",mail,", ",phone,")
        return "\n".join([head, *lines]) + "\n"

    file, spec = made.resident(tmp_path)
    commands.import_survey(file, spec)
    history = views.history("resident", "snow")
    assert history is not None
    assert {mode: figure.answers for mode, figure in history.modes.items()} == {"web": 266, "mail": 134}
    assert history.modes_p is not None
    file.write_text(by_phone(file.read_text("utf-8")), "utf-8")
    commands.import_survey(file, spec)
    history = views.history("resident", "snow")
    assert history is not None
    assert {mode: figure.seen for mode, figure in history.modes.items()} == {
        "web": "shown",
        "mail": "held_back",
        "phone": "closed",
    }
    assert history.modes["mail"].answers == history.modes["phone"].answers == 0
    assert history.modes_p is None


def test_nothing_that_is_told_gives_a_closed_cell_away(db: Database, tmp_path: Path) -> None:
    """Everything the page, its tables and files say of a question, put together as a curious reader would: the total, the open
    districts and ways of answering, the method card. What remains holds ten people at least, in two groups at least."""
    file, spec = made.happiness(tmp_path)
    commands.import_survey(file, spec)
    for wave in ("2013", "2015"):
        for item in ("place", "happy"):
            whole = views.board("happiness", wave)
            assert whole is not None
            total = next(line.figure for line in whole.items if line.code == item)
            shown, hidden = 0, 0
            for district in ("1", "2", "3"):
                board = views.board("happiness", wave, district)
                assert board is not None
                line = next(line for line in board.items if line.code == item)
                told = (line.figure.answers, line.figure.satisfied, line.figure.points, line.figure.dont_know)
                if line.figure.open:
                    shown += line.figure.answers
                else:
                    hidden += 1
                    assert told == (0, 0, 0.0, 0)
                    assert line.change is None
            assert hidden >= 2
            assert total.answers - shown >= 10
            assert not any(views.comments("happiness", wave, district).lines for district in ("3",))
