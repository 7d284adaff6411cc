"""Importing surveys on both databases: once and again, what is left out, files that cannot be used, and an import that broke off."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from db import core
from db import opinion as rows
from portal.opinion import commands, views
from portal.shared.actor import Actor
from portal.shared.csv_rows import BadFile
from portal.shared.refusal import Refused
from tests import running
from tests.opinion import made

if TYPE_CHECKING:
    from db.core import Database


def stored() -> list[tuple[object, ...]]:
    """Every answer with its wave and respondent."""
    with core.read() as session:
        found = session.execute(
            sa.select(
                rows.SurveyWave.wave_code, rows.Respondent.external_id, rows.Respondent.district, rows.Respondent.comment,
                rows.SurveyAnswer.item_code, rows.SurveyAnswer.value,
            )
            .join(rows.Respondent, rows.Respondent.wave_id == rows.SurveyWave.id)
            .join(rows.SurveyAnswer, rows.SurveyAnswer.respondent_id == rows.Respondent.id)
        ).all()  # fmt: skip
    return sorted(tuple(row) for row in found)


def test_the_published_sizes_and_means_come_back(db: Database, tmp_path: Path) -> None:
    """n 6,167/193/185 and means 7.59/7.68/8.23: see `made.SIZES_AND_MEANS`."""
    outcome = commands.import_survey(*made.happiness(tmp_path, sizes=made.SIZES_AND_MEANS))
    assert outcome.waves == {"2011": 6167, "2013": 193, "2015": 185}
    assert (outcome.read, outcome.imported, outcome.rejects_file) == (6545, 6545, None)
    history = views.history("happiness", "place")
    assert history is not None
    assert [(each.figure.answers, round(each.figure.mean, 2)) for each in history.moments] == list(
        made.SIZES_AND_MEANS.values()
    )


def test_importing_again_changes_nothing(db: Database, tmp_path: Path) -> None:
    files = made.resident(tmp_path)
    commands.import_survey(*files)
    before = stored()
    again = commands.import_survey(*files)
    assert (again.read, again.imported, again.updated, again.unchanged) == (800, 0, 0, 800)
    assert stored() == before


def test_a_corrected_answer_is_an_update_and_the_counts_follow(db: Database, tmp_path: Path) -> None:
    files = made.happiness(tmp_path)
    commands.import_survey(*files)

    def corrected(lines: list[dict[str, object]]) -> None:
        lines[0] |= {"Place": "1", "Happy": "10"}

    again = commands.import_survey(*made.happiness(tmp_path, corrected))
    assert (again.imported, again.updated, again.unchanged) == (0, 1, 677)
    with core.read() as session:
        waves = rows.waves(session)
        kept = sorted(map(tuple, rows.counts(session, waves)))
        for wave in waves:
            assert wave.counted
            wave.counted = False
        assert kept == sorted(map(tuple, rows.counts(session, waves)))
        session.expunge_all()


def test_the_same_number_twice_keeps_the_later_row(db: Database, tmp_path: Path) -> None:
    def twice(lines: list[dict[str, object]]) -> None:
        lines.append(lines[0] | {"Place": "3.5"})

    files = made.happiness(tmp_path, twice)
    outcome = commands.import_survey(*files)
    assert (outcome.read, outcome.imported, outcome.updated) == (679, 678, 1)
    assert ("2011", "2011-0", "", "", "place", 3.5) in stored()
    assert commands.import_survey(*files).unchanged == 679


def test_answers_off_the_scale_are_listed_by_name_and_the_others_stay(db: Database, tmp_path: Path) -> None:
    """99 and 810 on a scale of 1 to 10, as they stand in the survey this one is shaped after."""

    def slips(lines: list[dict[str, object]]) -> None:
        lines[0]["Place"] = "99"
        lines[1]["Happy"] = "810"
        lines[2]["Year"] = "2012"
        lines[3]["ID"] = ""

    file, spec = made.happiness(tmp_path, slips)
    with file.open("a", encoding="utf-8") as more:
        more.write("only,three,cells\n")
    outcome = commands.import_survey(file, spec)
    assert outcome.read == outcome.imported + outcome.updated + outcome.unchanged + outcome.rejected == 679
    assert (outcome.imported, outcome.rejected, outcome.answers_rejected) == (676, 3, 2)
    assert outcome.rejects_file is not None
    with Path(outcome.rejects_file).open(encoding="utf-8", newline="") as opened:
        listed = list(csv.DictReader(opened))
    assert [(each["line"], each["column"], each["value"]) for each in listed] == [
        ("2", "Place", "99"), ("3", "Happy", "810"), ("4", "Year", "2012"), ("5", "ID", ""), ("680", "", ""),
    ]  # fmt: skip
    assert "“The city as a place to live”: 1 to 10" in listed[0]["reason"]
    # The slip in one answer did not take the other one with it.
    assert {row[4] for row in stored() if row[1] == "2011-0"} == {"happy"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no header"),
        (b"ID,Year,Ward,Place\n1,2011,,5\n", "no column “Happy”"),
        (b"ID,Year,Ward,Place,Happy\n1,2011,,5,caf\xe9\n", "is not utf-8"),
        ("ID,Year,Ward,Place,Happy\n".encode("utf-16le"), "NUL"),
    ],
)
def test_a_file_that_cannot_be_used_writes_nothing(db: Database, tmp_path: Path, content: bytes, sentence: str) -> None:
    _, spec = made.happiness(tmp_path)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(content)
    with pytest.raises(BadFile, match=sentence):
        commands.import_survey(bad, spec)
    assert views.surveys() == []
    assert views.unfinished() == []


def test_an_import_that_broke_off_is_not_shown_and_is_finished_by_running_it_again(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = made.resident(tmp_path)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(commands, "close_wave", dies)
        with pytest.raises(KeyboardInterrupt):
            commands.import_survey(*files)
    assert views.surveys() == []
    assert views.unfinished() == ["Resident survey, Sep 2025"]
    outcome = commands.import_survey(*files)
    assert (outcome.imported, outcome.unchanged) == (400, 400)
    assert [wave.code for wave in views.surveys()[0].waves] == ["w2", "w1"]
    assert views.unfinished() == []


def test_only_who_may_import_imports_and_each_step_is_in_the_audit_chain(db: Database, tmp_path: Path) -> None:
    files = made.resident(tmp_path)
    with pytest.raises(Refused):
        commands.import_survey(*files, actor=Actor(0, "nobody"))
    commands.import_survey(*files)
    with core.read() as session:
        names = set(session.execute(sa.text("SELECT name FROM event WHERE subject_kind = 'survey_wave'")).scalars())
    assert names == {"survey.opened", "survey.answers_recorded", "survey.imported"}


def test_respondents_are_only_added_to_a_wave_that_is_being_imported(db: Database, tmp_path: Path) -> None:
    files = made.resident(tmp_path)
    commands.import_survey(*files)
    with core.read() as session:
        wave_id = rows.waves(session)[0].id
    with pytest.raises(Refused, match="from its beginning"):
        commands.record_answers(commands.SYSTEM, wave_id, (), {}, commands.Outcome("resident"))


def test_the_command_answers_one_json_object(db: Database, tmp_path: Path) -> None:
    file, spec = made.resident(tmp_path)
    url = db.url.set(drivername=db.url.get_backend_name()).render_as_string(hide_password=False)
    env = running.environment(tmp_path, url)
    done = running.command("import", "survey", str(file), "--spec", str(spec), "--json", env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer | {"waves": None} == {
        "survey": "resident", "read": 800, "imported": 800, "updated": 0, "unchanged": 0, "rejected": 0,
        "answers_rejected": 0, "waves": None, "rejects_file": None,
    }  # fmt: skip
    spec.write_text("survey = 3", "utf-8")
    refused = running.command("import", "survey", str(file), "--spec", str(spec), env=env, cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "There is no [[item]]" in refused.stderr


def test_the_descriptions_that_ship_can_be_read() -> None:
    from db import packs_io

    found = [path for pack in packs_io.pack_names() for path in (packs_io.PACKS_DIR / pack / "survey").glob("*.toml")]
    assert len(found) >= 2
    for path in found:
        commands.load_spec(path)
