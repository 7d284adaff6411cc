"""Bringing a survey's file in: waves, respondents by their number in the file, their answers; the same file again changes nothing.

The rows go in in small transactions, so that a portal beside it goes on working. Until the last of them the wave is marked as
loading and is not shown: nobody reads half a wave, and an import that broke off is finished by running it again.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db import core
from db import opinion as rows
from portal.opinion.rules import spec as specs
from portal.shared.actor import SYSTEM
from portal.shared.command import command
from portal.shared.csv_rows import BadFile, Reject, Rejects, read_rows, rejects_path
from portal.shared.problem import Problem
from portal.shared.receipt import Receipt
from portal.shared.refusal import Refused
from portal.shared.text import count_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from db.core import Work
    from portal.opinion.rules.spec import Answers, Spec, Wave
    from portal.shared.actor import Actor

BATCH = 100
"""Respondents per transaction: at a hundred questions each, about a tenth of a second."""


@dataclass
class Outcome:
    """What became of a file. `read` = imported + updated + unchanged + rejected, all in rows of the file."""

    survey: str
    read: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    answers_rejected: int = 0
    """Cells left out of rows that were otherwise taken."""
    waves: dict[str, int] = field(default_factory=dict)
    """Respondents of the file by wave."""
    rejects_file: str | None = None


def load_spec(path: Path) -> Spec:
    """The description in a TOML file. Raises `BadFile` with every problem."""
    if not path.is_file():
        raise BadFile([f"There is no file {path}."])
    try:
        return specs.read_spec(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile([f"{path.name} is not TOML: {error}."]) from None


def import_survey(
    file: Path,
    spec_file: Path,
    rejects: Path | None = None,
    *,
    actor: Actor = SYSTEM,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Reads a survey's file by its description. Raises `BadFile` before anything is written when either cannot be used."""
    spec = load_spec(spec_file)
    outcome = Outcome(spec.survey)
    with Rejects(rejects_path(file, rejects)) as listed:
        people = _read(file, spec, listed, outcome)
    outcome.rejects_file = str(listed.path) if listed.count else None
    say(f"{count_text(outcome.read, 'row')} read, {count_text(listed.count, 'reject')}")
    for wave in spec.waves:
        of_wave = [person for person in people if person.wave == wave.code]
        if of_wave:
            _import_wave(actor, spec, wave, of_wave, outcome)
            say(f"{wave.name}: {count_text(outcome.waves[wave.code], 'respondent')}")
    return outcome


def _read(file: Path, spec: Spec, listed: Rejects, outcome: Outcome) -> list[Answers]:
    """Everybody in the file, in its order (a survey fits into memory: the largest here has 6,545 rows)."""
    people = []
    for row in read_rows(file, spec.encoding, spec.columns()):
        outcome.read += 1
        if row.problem:
            outcome.rejected += 1
            listed.add(Reject(row.line, "", "", row.problem))
            continue
        person, left = specs.read_answers(spec, row.cells)
        for each in left:
            listed.add(Reject(row.line, each.column, each.value, each.reason))
        if person is None:
            outcome.rejected += 1
        else:
            outcome.answers_rejected += len(left)
            people.append(person)
    return people


def _import_wave(actor: Actor, spec: Spec, wave: Wave, people: Sequence[Answers], outcome: Outcome) -> None:
    lines = Counter(person.external_id for person in people)
    last = {person.external_id: person for person in people}  # the same number twice: the later row wins
    wave_id = open_wave(actor, spec, wave).subject_id
    for batch in core.batched(last.values(), BATCH):
        record_answers(actor, wave_id, batch, lines, outcome)
    close_wave(actor, wave_id)
    outcome.waves[wave.code] = len(last)


@command("import.run")
def open_wave(actor: Actor, work: Work, spec: Spec, wave: Wave) -> Receipt:
    """Makes a wave, or brings its description up to date, and keeps it from the screens until it is complete."""
    row = rows.wave_by_code(work.session, spec.survey, wave.code)
    if row is None:
        row = rows.SurveyWave(survey_code=spec.survey, wave_code=wave.code)
        work.session.add(row)
    row.survey_name, row.name, row.mode, row.population = spec.survey_name, wave.name, wave.mode, wave.population
    row.asked_from_on, row.asked_to_on, row.comparable = wave.asked_from_on, wave.asked_to_on, wave.comparable
    row.method, row.places, row.items = dict(wave.method), dict(spec.districts), [item.stored() for item in spec.items]
    row.weighted, row.loading = bool(spec.weight_column), True
    work.session.flush()
    _event(actor, work, row.id, "survey.opened", {"survey": spec.survey, "wave": wave.code})
    return Receipt(title=f"{wave.name} is being imported", subject_kind="survey_wave", subject_id=row.id)


@command("import.run")
def record_answers(
    actor: Actor, work: Work, wave_id: int, people: Sequence[Answers], lines: Mapping[str, int], outcome: Outcome
) -> Receipt:
    """Writes some respondents of a wave and counts them in `outcome` (each as often as it has `lines` in the file)."""
    wave = core.lock(work.session, rows.SurveyWave, wave_id)
    if wave is None or not wave.loading:
        raise Refused([Problem("wave", "The wave is not being imported. Run the import again from its beginning.")])
    known = rows.respondents_of(work.session, wave_id, [person.external_id for person in people])
    before = rows.answers_of(work.session, [row.id for row in known.values()])
    written: dict[str, rows.Respondent] = {}
    for person in people:
        row = known.get(person.external_id)
        again = lines[person.external_id] - 1
        if row is None:
            row = rows.Respondent(wave_id=wave_id, external_id=person.external_id)
            work.session.add(row)
            outcome.imported += 1
            outcome.updated += again
        elif (row.district, row.mode, row.comment, row.weight, before[row.id]) == (
            person.district, person.mode, person.comment, person.weight, person.given,
        ):  # fmt: skip
            outcome.unchanged += 1 + again
            continue
        else:
            outcome.updated += 1 + again
        row.district, row.mode, row.comment, row.weight = person.district, person.mode, person.comment, person.weight
        written[person.external_id] = row
    work.session.flush()
    given = {written[person.external_id].id: person.given for person in people if person.external_id in written}
    rows.replace_answers(work.session, wave_id, given, [row.id for code, row in written.items() if code in known])
    if written:
        wave.counted = False
    detail = {"written": len(written), "unchanged": len(people) - len(written)}
    _event(actor, work, wave_id, "survey.answers_recorded", detail)
    return Receipt(
        title=f"{count_text(len(written), 'respondent')} written", subject_kind="survey_wave", subject_id=wave_id
    )


@command("import.run")
def close_wave(actor: Actor, work: Work, wave_id: int) -> Receipt:
    """Counts the answers of a complete wave and shows it."""
    wave = core.lock(work.session, rows.SurveyWave, wave_id)
    if wave is None:
        raise Refused([Problem("wave", "There is no such wave. Run the import again from its beginning.")])
    if not wave.counted:
        rows.recount(work.session, wave_id)
    wave.counted, wave.loading, wave.imported_at = True, False, work.now
    _event(actor, work, wave_id, "survey.imported", {"survey": wave.survey_code, "wave": wave.wave_code})
    return Receipt(title=f"{wave.name} is imported", subject_kind="survey_wave", subject_id=wave_id)


def _event(actor: Actor, work: Work, wave_id: int, name: str, detail: Mapping[str, object]) -> None:
    work.event(name, staff_id=actor.staff_id or None, subject_kind="survey_wave", subject_id=wave_id, detail=detail)
