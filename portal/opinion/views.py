"""What the public-opinion page shows: one wave with its change, one question over waves and districts, comments, what callers say.

Every figure of a district comes through `_cells`, so that a closed cell stays closed however the page is filtered.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from db import core, directory
from db import opinion as rows
from portal import settings
from portal.opinion.rules import closed, estimate, words
from portal.opinion.rules.spec import METHOD
from portal.opinion.rules.words import Change, Figure, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    Counts = dict[str, dict[str, dict[float, Tally]]]

COMMENT_ROWS = 8
SEARCH_WORDS = 8
"""So many words of a search count."""
WHOLE_CITY = ""
NO_DISTRICT = "No district given"
NO_MODE = "No way given"
HEARD_DAYS = 365
HEAVY = 3.0
"""A design effect above this says that a few answers outweigh the rest."""


@dataclass(frozen=True)
class WaveChoice:
    """A wave to choose, or to name."""

    code: str
    name: str


@dataclass(frozen=True)
class SurveyChoice:
    """A survey with its waves, the newest first."""

    code: str
    name: str
    waves: tuple[WaveChoice, ...]


@dataclass(frozen=True)
class ItemLine:
    """One question in one wave, and what became of it since the wave before."""

    code: str
    name: str
    wording: str
    topic: str
    main: bool
    figure: Figure
    before: Figure | None
    change: Change | None


@dataclass(frozen=True)
class MethodLine:
    """One entry of the method card; an empty answer is what the survey does not tell."""

    name: str
    answer: str


@dataclass(frozen=True)
class Board:
    """One wave of a survey, of the whole city or of one district."""

    survey_name: str
    wave: WaveChoice
    district_name: str
    """Empty: the whole city."""
    respondents: int
    since: WaveChoice | None
    """The newest earlier wave this one may be compared with."""
    apart: tuple[str, ...]
    """Earlier waves it must not be compared with, each with the reason in words."""
    weighted: bool
    """Shares are told by weight."""
    lead: str
    items: tuple[ItemLine, ...]
    """Every question of the wave, the most satisfying first; closed ones last."""
    compared: int
    in_order: tuple[str, ...]
    """Codes of the questions in the survey's own order."""
    topics: tuple[str, ...]
    districts: Mapping[str, str]
    """Name by value, in the survey's order."""
    method: tuple[MethodLine, ...]


@dataclass(frozen=True)
class Moment:
    """One wave of a question's history."""

    wave: WaveChoice
    figure: Figure
    apart: str
    """Why it must not be joined to the wave before; empty when it may."""


@dataclass(frozen=True)
class DistrictHistory:
    """One district of a question's history, a figure per wave."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class History:
    """One question over all waves that asked it, for the city and its districts."""

    name: str
    wording: str
    counts_as: str
    """Which answers count as satisfied: “4 to 5 of 5”."""
    moments: tuple[Moment, ...]
    districts: tuple[DistrictHistory, ...]
    equal_p: float | None
    """The chance of districts this far apart in the newest wave if all were the same; None with fewer than two open ones."""
    modes: Mapping[str, Figure]
    """By way of answering, in the newest wave and the whole city; empty where there is only one."""
    modes_p: float | None
    """The same chance for the ways of answering."""


@dataclass(frozen=True)
class Comment:
    """What somebody wrote, with the district where enough people of it answered."""

    words: str
    district_name: str


@dataclass(frozen=True)
class Comments:
    """A page of comments."""

    total: int
    lines: tuple[Comment, ...]
    closed: bool = False
    """The chosen district has too few respondents for their words to be shown apart."""


@dataclass(frozen=True)
class HeardLine:
    """What callers said of one matter; counts are None where fewer than ten spoke of it, or where they would tell of one."""

    name: str
    calls: int | None
    in_favor: int = 0
    against: int = 0
    mixed: int = 0
    why_closed: str = ""


@dataclass(frozen=True)
class Heard:
    """Opinions heard at wrap-up: a series of its own, from people who called, never mixed with a survey."""

    since: dt.date
    until: dt.date
    total: int
    lines: tuple[HeardLine, ...]


# --- surveys and waves ------------------------------------------------------------------------------------------------


def surveys() -> list[SurveyChoice]:
    """Surveys with at least one complete wave, the one asked last first."""
    with core.read() as session:
        found: dict[str, list[rows.SurveyWave]] = {}
        for wave in reversed(rows.waves(session)):
            if not wave.loading:
                found.setdefault(wave.survey_code, []).append(wave)
    return [
        SurveyChoice(code, waves[0].survey_name or waves[0].name, tuple(_choice(each) for each in waves))
        for code, waves in found.items()
    ]


def edition() -> str:
    """Says which imports the figures come from: another one after each import, so that they may be kept under it."""
    with core.read() as session:
        return repr([tuple(row) for row in rows.editions(session)])


def unfinished() -> list[str]:
    """Names of waves whose import runs or broke off."""
    with core.read() as session:
        return [f"{wave.survey_name or wave.survey_code}, {wave.name}" for wave in rows.waves(session) if wave.loading]


def _choice(wave: rows.SurveyWave) -> WaveChoice:
    """A wave by its short name: “2026” of the survey “Community survey”, when the wave is called “Community survey 2026”."""
    short = wave.name.removeprefix(wave.survey_name).strip(" ,:-–") if wave.survey_name else wave.name
    return WaveChoice(wave.wave_code, short or wave.name)


def _waves_of(session: Session, survey: str) -> list[rows.SurveyWave]:
    """The complete waves of a survey, the oldest first."""
    return [wave for wave in rows.waves(session) if wave.survey_code == survey and not wave.loading]


def _counts(session: Session, waves: Sequence[rows.SurveyWave]) -> dict[int, Counts]:
    """wave -> item -> district -> value -> answers."""
    found: dict[int, Counts] = {wave.id: {} for wave in waves}
    for wave_id, item, district, value, *sums in rows.counts(session, waves):
        found[wave_id].setdefault(item, {}).setdefault(district, {})[value] = Tally(*sums)
    return found


def _items(wave: rows.SurveyWave) -> dict[str, dict[str, Any]]:
    return {item["code"]: item for item in wave.items}


def _whole(by_district: Mapping[str, Mapping[float, Tally]], item: Mapping[str, Any], *, weighted: bool) -> Figure:
    """The whole city's figure."""
    total: dict[float, Tally] = {}
    for counts in by_district.values():
        for value, tally in counts.items():
            total[value] = tally.plus(total[value]) if value in total else tally
    return words.figure(total, item, weighted=weighted)


def _cells(
    groups: Mapping[str, Mapping[float, Tally]], item: Mapping[str, Any], *, weighted: bool
) -> dict[str, Figure]:
    """The figure of each group (of each district, or of each way of answering); those closed that are small or would tell of a
    small one."""
    figures = {group: words.figure(counts, item, weighted=weighted) for group, counts in groups.items()}
    seen = closed.row_seen({group: figure.answers for group, figure in figures.items()})
    return {group: _seen(figure, seen[group]) for group, figure in figures.items()}


def _seen(figure: Figure, how: closed.Seen) -> Figure:
    """The figure as it may be seen: a closed one loses its numbers here, not only on the screen."""
    if how in closed.OPEN:
        # The weights may have made a figure one to read with care that has answers enough.
        return replace(figure, seen="few" if figure.seen == "few" else how)
    return Figure(seen=how)


def _figure_of(counts: Counts, item: Mapping[str, Any], district: str, *, weighted: bool) -> Figure:
    by_district = counts.get(item["code"], {})
    if district == WHOLE_CITY:
        figure = _whole(by_district, item, weighted=weighted)
        return _seen(figure, figure.seen)
    return _cells(by_district, item, weighted=weighted).get(district, Figure())


def _why_apart(before: rows.SurveyWave, after: rows.SurveyWave) -> str:
    told = [
        {"comparable": each.comparable, "mode": each.mode, "population": each.population, "weighted": each.weighted}
        for each in (before, after)
    ]
    return words.why_not_comparable(*told)


def _district_names(wave: rows.SurveyWave, counts: Counts) -> dict[str, str]:
    """The districts people of a wave live in: as the survey names them, else as the answers have them."""
    values = sorted({district for by_district in counts.values() for district in by_district if district})
    names = {value: str(name) for value, name in wave.places.items() if value in values}
    return names | {value: value for value in values if value not in names}


# --- the board --------------------------------------------------------------------------------------------------------


def board(survey: str, wave_code: str, district: str = WHOLE_CITY) -> Board | None:
    """One wave; None when there is no such complete wave. A district nobody of the wave lives in shows no answers."""
    with core.read() as session:
        waves = _waves_of(session, survey)
        at = next((index for index, each in enumerate(waves) if each.wave_code == wave_code), None)
        if at is None:
            return None
        wave, earlier = waves[at], waves[:at]
        since = next((each for each in reversed(earlier) if not _why_apart(each, wave)), None)
        counts = _counts(session, [wave] if since is None else [wave, since])
        modes = rows.respondents_by_mode(session, [wave.id])
    lines = _item_lines(wave, counts[wave.id], since, counts[since.id] if since else {}, district)
    names = _district_names(wave, counts[wave.id])
    found = {line.code: line.change for line in lines if line.change}
    ordered = _in_order(wave, lines)
    first = next((line for line in ordered if line.main), ordered[0] if ordered else None)
    clear = sum(change.clear for change in found.values())
    respondents = sum(each.respondents for each in modes)
    return Board(
        survey_name=wave.survey_name or wave.name,
        wave=_choice(wave),
        district_name=names.get(district, district),
        respondents=respondents,
        since=_choice(since) if since else None,
        apart=tuple(f"{_choice(each).name}: {why}" for each in earlier if (why := _why_apart(each, wave))),
        weighted=wave.weighted,
        lead=""
        if first is None
        else words.lead(first.name, first.figure, len(found), clear, _choice(since).name if since else ""),
        items=tuple(
            sorted(
                lines, key=lambda line: (not line.figure.open, -line.figure.share if line.figure.open else 0, line.name)
            )
        ),
        compared=len(found),
        topics=tuple(dict.fromkeys(line.topic for line in ordered if line.topic)),
        in_order=tuple(line.code for line in ordered),
        districts=names,
        method=_method(wave, modes),
    )


def _in_order(wave: rows.SurveyWave, lines: Sequence[ItemLine]) -> list[ItemLine]:
    """Questions in the survey's own order."""
    place = {item["code"]: at for at, item in enumerate(wave.items)}
    return sorted(lines, key=lambda line: place[line.code])


def _item_lines(
    wave: rows.SurveyWave, counts: Counts, since: rows.SurveyWave | None, counts_before: Counts, district: str
) -> list[ItemLine]:
    items, items_before = _items(wave), _items(since) if since else {}
    asked = {code: item for code, item in items.items() if code in counts}
    figures = {code: _figure_of(counts, item, district, weighted=wave.weighted) for code, item in asked.items()}
    before = {
        code: _figure_of(counts_before, items_before[code], district, weighted=since is not None and since.weighted)
        for code, item in asked.items()
        if code in items_before and code in counts_before and words.same_question(items_before[code], item)
    }
    found = words.changes({code: (figure, figures[code]) for code, figure in before.items()})
    return [
        ItemLine(
            code,
            item.get("name") or item.get("wording") or code,
            item.get("wording", ""),
            item.get("topic", ""),
            bool(item.get("main")),
            figures[code],
            before.get(code),
            found.get(code),
        )
        for code, item in asked.items()
    ]


def _method(wave: rows.SurveyWave, answered: Sequence[Any]) -> tuple[MethodLine, ...]:
    """Who asked, how, when, how many: what a reader needs to judge the figures."""
    modes = {each.mode: each.respondents for each in answered}
    respondents = sum(modes.values())
    days = wave.asked_from_on, wave.asked_to_on
    when = " to ".join(f"{day:%b} {day.day}, {day.year}" for day in dict.fromkeys(days))
    # A way of answering that fewer than ten chose is told without its number, and another with it, as in any table.
    seen = closed.row_seen(modes)
    ways = sorted((mode for mode in modes if mode), key=lambda mode: -modes[mode])
    told = ", ".join(f"{mode} {modes[mode]:,}" if seen[mode] in closed.OPEN else mode for mode in ways)
    card = {key: str(wave.method.get(key, "")) for key in METHOD}
    return (
        MethodLine(METHOD["asked_by"], card["asked_by"]),
        MethodLine("Who was asked", wave.population),
        MethodLine(METHOD["chosen"], card["chosen"]),
        MethodLine("When", when),
        MethodLine("How they answered", f"{wave.mode}: {told}" if told and wave.mode else wave.mode or told),
        MethodLine("Answers (n)", f"{respondents:,}"),
        MethodLine(METHOD["response_rate"], card["response_rate"]),
        MethodLine(METHOD["weights"], card["weights"]),
        MethodLine("Precision", _precision(wave, respondents, answered)),
        MethodLine(METHOD["wording"], card["wording"]),
        MethodLine(METHOD["limits"], card["limits"]),
    )


def _precision(wave: rows.SurveyWave, respondents: int, answered: Sequence[Any]) -> str:
    """How sure the figures are at best, and what the weights cost."""
    if not respondents:
        return ""
    if not wave.weighted:
        margin = estimate.widest_margin(respondents)
        return f"95% Wilson intervals, as of a simple random sample: ±{margin:.1f} points for a share of half of all who answered"
    effective = estimate.effective(sum(each.weight for each in answered), sum(each.weight_squares for each in answered))
    effect = respondents / effective
    found = (
        f"95% Wilson intervals on the effective number of answers: design effect {effect:.2f} (Kish), so {respondents:,} answers "
        f"are as sure as {effective:,.0f} unweighted ones; ±{estimate.widest_margin(effective):.1f} points for a share of half"
    )
    return (
        f"{found}. The weights differ so much that most of the sample is lost: read with care"
        if effect > HEAVY
        else found
    )


# --- one question over time and districts -----------------------------------------------------------------------------


def history(survey: str, item_code: str) -> History | None:
    """One question in all waves that asked it; None when none did."""
    with core.read() as session:
        waves = [wave for wave in _waves_of(session, survey) if item_code in _items(wave)]
        counts = _counts(session, waves)
        waves = [wave for wave in waves if item_code in counts[wave.id]]
        by_mode = rows.counts_by_mode(session, waves[-1].id, item_code) if waves else []
    if not waves:
        return None
    moments, cells, names = [], [], {}
    for at, wave in enumerate(waves):
        item = _items(wave)[item_code]
        why = ""
        if at:
            why = _why_apart(waves[at - 1], wave)
            if not why and not words.same_question(_items(waves[at - 1])[item_code], item):
                why = "the question changed"
        moments.append(
            Moment(_choice(wave), _figure_of(counts[wave.id], item, WHOLE_CITY, weighted=wave.weighted), why)
        )
        cells.append(_cells(counts[wave.id][item_code], item, weighted=wave.weighted))
        names |= _district_names(wave, counts[wave.id])
    item = _items(waves[-1])[item_code]
    newest = [figure for district, figure in cells[-1].items() if district and figure.open]
    modes = _modes(by_mode, item, weighted=waves[-1].weighted)
    return History(
        name=item.get("name") or item.get("wording") or item_code,
        wording=item.get("wording", ""),
        counts_as=_counts_as(item),
        moments=tuple(moments),
        districts=tuple(
            DistrictHistory(name, tuple(each.get(district, Figure()) for each in cells))
            for district, name in names.items()
        ),
        equal_p=_equal_p(newest),
        modes=modes,
        modes_p=_equal_p([figure for mode, figure in modes.items() if mode and figure.open]),
    )


def _equal_p(figures: Sequence[Figure]) -> float | None:
    """The chance of shares this far apart if all were the same; None with fewer than two to compare."""
    return estimate.equal_shares_p([each.counted for each in figures]) if len(figures) > 1 else None


def _modes(by_mode: Sequence[Any], item: Mapping[str, Any], *, weighted: bool) -> dict[str, Figure]:
    """The figure of each way of answering, the largest first; nothing where all answered the same way."""
    groups: dict[str, dict[float, Tally]] = {}
    for mode, value, *sums in by_mode:
        groups.setdefault(mode, {})[value] = Tally(*sums)
    if len(groups) < 2:
        return {}
    found = _cells(groups, item, weighted=weighted)
    return dict(sorted(found.items(), key=lambda pair: (not pair[0], not pair[1].open, -pair[1].answers, pair[0])))


def _counts_as(item: Mapping[str, Any]) -> str:
    """“4 to 5 of 5”."""
    low, high = min(item["satisfied"]), max(item["satisfied"])
    top = (item.get("scale") or [0, high])[-1]
    return f"{low:g} to {high:g} of {top:g}" if low != high else f"{low:g} of {top:g}"


# --- comments ---------------------------------------------------------------------------------------------------------


def comments(
    survey: str, wave_code: str, district: str = WHOLE_CITY, page: int = 1, search: str = "", most: int = COMMENT_ROWS
) -> Comments:
    """What people wrote, a page at a time, with all words of `search` in it. A district is named, and may be chosen, when its number of respondents may be shown."""
    with core.read() as session:
        wave = rows.wave_by_code(session, survey, wave_code)
        if wave is None or wave.loading:
            return Comments(0, ())
        seen = closed.row_seen(rows.respondents_by_district(session, wave.id))
        if district and seen.get(district, "none") not in {*closed.OPEN, "none"}:
            return Comments(0, (), closed=True)
        chosen = [district] if district else None
        asked = search.replace("\0", " ").split()[:SEARCH_WORDS]
        total = rows.comment_count(session, wave.id, chosen, asked)
        skip = max(0, min(page, -(-total // most)) - 1) * most
        found = rows.comments(session, wave.id, chosen, asked, most=most, skip=skip)
        named = {
            value: str(wave.places.get(value, value)) for value, how in seen.items() if value and how in closed.OPEN
        }
    return Comments(total, tuple(Comment(line.comment, named.get(line.district, "")) for line in found))


# --- what callers say -------------------------------------------------------------------------------------------------


def heard(days: int = HEARD_DAYS) -> Heard:
    """Opinions noted at wrap-up in the last `days` days, by matter, those with most calls first."""
    until = core.now()
    since = until - dt.timedelta(days=days)
    zone = settings.current().time_zone
    with core.read() as session:
        names = {
            row.code: row.name for row in directory.reference(session, "opinion_subject", until.astimezone(zone).date())
        }
        found: dict[str, dict[str, int]] = {}
        for subject, stance, count in rows.heard(session, since, until + dt.timedelta(seconds=1)):
            found.setdefault(subject, {})[stance] = count
    calls = {subject: sum(stances.values()) for subject, stances in found.items()}
    seen = closed.row_seen(calls)
    lines = []
    for subject in sorted(found, key=lambda each: (seen[each] not in closed.OPEN, -calls[each], each)):
        stances, name = found[subject], names.get(subject, subject)
        if seen[subject] in closed.OPEN:
            told = (stances.get("for", 0), stances.get("against", 0), stances.get("mixed", 0))
            lines.append(HeardLine(name, calls[subject], *told))
        else:
            lines.append(HeardLine(name, None, why_closed=words.HIDDEN[seen[subject]]))
    return Heard(since.astimezone(zone).date(), until.astimezone(zone).date(), sum(calls.values()), tuple(lines))
