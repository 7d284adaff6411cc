"""What the service-level page draws: filters, lead, tiles, the cards with sentence, figure and table, and the cases behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from portal.desk import cached, charts, go, reports_filters, service_charts, who
from portal.desk.text import inert
from portal.reports import rules, views
from portal.shared import table_file
from portal.shared.text import count_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from portal.reports.views import Asked, Board, Definition, Level, Names

    Meanings = Mapping[str, Definition]

EXEMPT: Final = "Exempt from public records"
REPEATS_DRAWN: Final = 6
FEW_DRAWN: Final = 3
"""Rows without a share that a comparison draws: more of them would only push the rest away."""
ROWS_MOST: Final = 12
"""So many rows a comparison draws; the table holds all."""


def names_and_meanings() -> tuple[Names, Meanings]:
    """What codes are called, and what each figure means."""
    return cached.names(), cached.meanings()


# --- lead and tiles ---------------------------------------------------------------------------------------------------


def lead(known: Names, asked: Asked, board: Board) -> str:
    """The page in three sentences."""
    counts, place = board.counts, f"{reports_filters.where_words(known, asked)}, {board.period.words}."
    waiting = f"{board.open_past_due:,} of {count_text(board.open, 'open request')} {'is' if board.open_past_due == 1 else 'are'} past due."
    if counts.closed_with_target < rules.FEWEST:
        return f"Fewer than {rules.FEWEST} requests with a due date are closed in this selection: no share on time is shown. {waiting} {place}"
    share, of_all = rules.percent(counts.share_of_closed or 0), rules.percent(counts.share_of_all or 0)
    if counts.closed_with_target < rules.CAREFUL:
        few = f"Only {counts.closed_with_target} closed requests with a due date in this selection, {share} of them on time ({of_all} of all with one)"
        return f"{few}: read it with care. {waiting} {place}"
    change = rules.share_change_words(counts, board.before)
    told = "" if "compare" in change else f"; {change[:1].lower()}{change[1:]} against the {board.period.length} before"
    return f"{share} of closed requests with a due date were closed on time ({of_all} of all with one){told}. {waiting} {place}"


def tiles(board: Board, meanings: Meanings) -> None:
    """Six figures: what, of how many, which way."""
    counts, before, sparks = board.counts, board.before, board.sparks
    weeks = max(1, round((board.period.until - board.period.since).days / 7))
    with st.container(horizontal=True):
        _tile(
            meanings,
            "opened",
            f"{counts.opened:,}",
            _a_week(counts.opened / weeks),
            [m.counts.opened for m in sparks],
            rules.change_words(counts.opened, before.opened if before else None),
        )
        _tile(
            meanings,
            "closed",
            f"{counts.closed:,}",
            f"{_part(counts.closed, counts.opened)} of those opened",
            [m.counts.closed for m in sparks],
            rules.change_words(counts.closed, before.closed if before else None),
        )
        _tile(
            meanings,
            "on_time_of_closed",
            rules.share_words(counts.on_time, counts.closed_with_target)
            if counts.closed_with_target >= rules.FEWEST
            else "–",
            f"of {counts.closed_with_target:,} closed",
            [m.counts.share_of_closed if m.counts.closed_with_target >= rules.FEWEST else None for m in sparks],
            f"{rules.share_words(counts.on_time, counts.with_target)} of all {counts.with_target:,}. {rules.share_change_words(counts, before)}"
            if counts.closed_with_target >= rules.FEWEST
            else f"Not shown: fewer than {rules.FEWEST}",
        )
        _tile(
            meanings,
            "open_past_due",
            f"{board.open_past_due:,}",
            f"of {board.open:,} open",
            [],
            "Now, whenever they were opened" if board.open else "Nothing is open",
        )
        for code, name in (("half_closed_within", "half"), ("nine_in_ten_closed_within", "ninety")):
            took = getattr(board.days, name)
            was = getattr(board.days_before, name) if board.days_before else None
            line = [getattr(m.days, name) if m.days else None for m in board.moments]
            _tile(
                meanings,
                code,
                rules.days_words(took),
                f"of {board.days.closed:,} closed",
                line,
                rules.days_change_words(took, was),
            )
    grain = "weeks" if board.period.grain == "week" else "months"
    st.caption(
        f"Small lines: {len(sparks)} {grain} for counts and shares, the period’s {grain} for days; each on its own scale."
    )


def _a_week(many: float) -> str:
    return f"{many:,.0f} a week" if many >= 10 else f"{many:.1f} a week"


def _part(part: int, whole: int) -> str:
    return rules.percent(part / whole) if whole else "–"


def _tile(meanings: Meanings, code: str, value: str, of: str, line: Sequence[float | None], change: str) -> None:
    meaning = meanings.get(code)
    name = meaning.name if meaning else code.replace("_", " ").capitalize()
    with st.container(border=True, width="stretch", height="stretch", key=f"tile-{code}", gap="small"):
        st.markdown(
            inert(name), help=inert(f"{meaning.definition} Of: {meaning.denominator or 'a count'}") if meaning else None
        )
        st.metric(inert(name), value, of, delta_color="off", delta_arrow="off", label_visibility="collapsed")
        figure = service_charts.spark(line)
        if figure is not None:
            charts.draw(figure, key=f"spark-{code}", alt=f"{name} over time, the last point marked; {value} now")
        st.caption(inert(change))


@st.dialog("What the figures mean", width="large")
def meanings_dialog(meanings: Meanings) -> None:
    """Each figure's definition, its denominator, what it leaves out, since when."""
    st.caption("A city writes its own in the files of its pack; each version counts from its day.")
    for each in meanings.values():
        with st.container(gap=None):
            st.markdown(f"**{inert(each.name)}** :gray[since {rules.day_words(each.since)}]")
            st.text(each.definition)
            if each.denominator:
                st.text(f"Of: {each.denominator}")
            st.caption(
                inert(
                    " ".join(
                        part
                        for part in (
                            f"Leaves out: {each.leaves_out}" if each.leaves_out else "",
                            f"From: {each.source}." if each.source else "",
                        )
                        if part
                    )
                )
            )


# --- nothing here -----------------------------------------------------------------------------------------------------


def nothing(known: Names, asked: Asked) -> None:
    """Names the filters, why, and the nearest selection that has something."""
    period = known.period(asked.period)
    with st.container(border=True):
        st.subheader("No requests match these filters", anchor=False)
        st.text(f"{reports_filters.where_words(known, asked)} had no requests from {period.words}.")
        with st.container(horizontal=True):
            for name, label in reports_filters.FILTERS.items():
                without = asked.without(name)
                many = views.opened(known, without) if getattr(asked, name) else 0
                if many:
                    st.button(
                        f"Any {label.lower()} ({many:,})",
                        key=f"any-{name}",
                        on_click=reports_filters.filter_by,
                        args=(name, "", ""),
                    )
            if not any(getattr(asked, name) for name in reports_filters.FILTERS):
                many = views.opened(known, views.Asked("all"))
                if many and asked.period != "all":
                    st.button(f"All years ({many:,})", on_click=reports_filters.every_year)
                elif not many:
                    st.text("There are no requests yet. The first one opened, or an import, shows here at once.")
            st.button("Clear filters", key="clear-nothing", type="tertiary", on_click=reports_filters.clear)


# --- cards ------------------------------------------------------------------------------------------------------------


def comparison(known: Names, asked: Asked, goal: float | None) -> None:
    """The levels by one thing: the sentence, the shares with intervals and both denominators, the table."""
    by = reports_filters.switch("Compare by", "by", views.BY)
    levels = cached.compared(asked, by)
    now = (views.OWN if asked.who == views.CITY else asked.who) if by == "contractor" else getattr(asked, by)
    enough = [level for level in levels if level.counts.closed_with_target >= rules.FEWEST][:ROWS_MOST]
    few = [level for level in levels if level.counts.closed_with_target < rules.FEWEST]
    shown = [*enough, *few[: min(FEW_DRAWN, ROWS_MOST - len(enough))]]
    figure = service_charts.shares([_share(level, level.code or views.NONE) for level in shown], goal=goal, chosen=now)
    chart = charts.Chart(
        _comparison_title(levels, by, goal),
        f"Share closed by their due time, opened {known.period(asked.period).words}. ● of the closed, bar: 95% interval; │ of all with a due time."
        + (" ▼ the whole interval is below the goal." if goal is not None else "")
        + f" ○ fewer than {rules.CAREFUL}.",
        (views.BY[by], "Opened", "Closed", "On time, of closed", "95% from", "95% to", "Closed with due", "On time, of all", "With due", "Still open past due"),
        tuple(_level_row(level) for level in levels),
        note="Select a dot to filter the page and see its cases; select it again to let go."
        + (f" {len(levels) - len(shown)} more in the table." if len(levels) > len(shown) else ""),
        file_name=f"service-levels-by-{by}.csv",
    )  # fmt: skip
    charts.head(chart)
    if figure is not None:
        picked = (
            (lambda code: reports_filters.filter_contractor(asked, code))
            if by == "contractor"
            else (lambda code: reports_filters.filter_by(by, now, code))
        )
        charts.pick(figure, key=f"compared.{by}.{now}", alt=chart.title, on_pick=picked)
    charts.foot(chart, key="compared")


def _share(level: Level, code: str) -> service_charts.Share:
    counts = level.counts
    value = rules.share_words(counts.on_time, counts.closed_with_target)
    if counts.closed_with_target < rules.FEWEST:
        return service_charts.Share(code, level.name, value, f"n {counts.closed_with_target}")
    low, high = rules.wilson(counts.on_time, counts.closed_with_target)
    return service_charts.Share(
        code, level.name, value, f"of {counts.closed_with_target:,}", counts.share_of_closed, low, high, counts.share_of_all,
        f"{rules.share_words(counts.on_time, counts.with_target)} of all {counts.with_target:,}", counts.closed_with_target < rules.CAREFUL,
    )  # fmt: skip


def _level_row(level: Level) -> tuple[object, ...]:
    counts = level.counts
    seen = counts.closed_with_target >= rules.FEWEST
    low, high = rules.wilson(counts.on_time, counts.closed_with_target)
    return (
        level.name, counts.opened, counts.closed, _share_cell(counts.on_time, counts.closed_with_target), table_file.Share(low) if seen else "",
        table_file.Share(high) if seen else "", counts.closed_with_target, _share_cell(counts.on_time, counts.with_target), counts.with_target,
        level.open_past_due,
    )  # fmt: skip


def _share_cell(part: int, whole: int) -> object:
    """A share as a table holds it: a figure, or why there is none."""
    if whole < rules.FEWEST:
        return rules.share_words(part, whole)
    return table_file.Share(part / whole, careful=whole < rules.CAREFUL)


def _comparison_title(levels: Sequence[Level], by: str, goal: float | None) -> str:
    """The lowest share and how many are clearly below the goal, among those with enough cases."""
    enough = [level for level in levels if level.counts.closed_with_target >= rules.CAREFUL]
    kind = views.BY[by].lower()
    if not enough:
        return f"Too few closed requests with a due date to compare by {kind}"
    worst = min(enough, key=lambda level: level.counts.share_of_closed or 0.0)
    share = rules.percent(worst.counts.share_of_closed or 0.0)
    if len(enough) == 1:
        return f"{worst.name}: {share} closed on time"
    if goal is None:
        return f"{worst.name} closes fewest on time: {share}"
    below = sum(rules.wilson(level.counts.on_time, level.counts.closed_with_target)[1] < goal for level in enough)
    if not below:
        return f"No {kind} is clearly below the goal; the lowest is {worst.name} with {share}"
    return f"{worst.name} closes {share} on time; {below} of {len(enough)} with enough requests {'is' if below == 1 else 'are'} clearly below the goal"


def backlog(board: Board) -> None:
    """Open requests by age."""
    ages = board.ages
    age = rules.chosen(go.param("age"), [str(at) for at in range(len(ages))])
    old = ages[-1].total
    if not board.open:
        title = "Nothing is open"
    elif old:
        title = f"{old:,} of {count_text(board.open, 'open request')} {'is' if old == 1 else 'are'} older than 90 days"
    else:
        title = f"{count_text(board.open, 'open request')}, none older than 90 days"
    chart = charts.Chart(
        title, f"All open now ({rules.day_words(views.today())}), by days since opening, whenever that was. Hatched: past due; plain: due later; gray: no due date.",
        ("Age", "Open", "Past due", "Due later", "No due date"), tuple((each.name, each.total, each.past_due, each.later, each.no_due) for each in ages),
        note="Select a bar to list its cases. Without a due date nothing counts as late.", file_name="backlog.csv",
    )  # fmt: skip
    charts.head(chart)
    rows = [
        service_charts.Waiting(str(at), each.name, each.past_due, each.later, each.no_due)
        for at, each in enumerate(ages)
    ]
    figure = service_charts.backlog(rows, chosen=age)
    if figure is not None:
        charts.pick(
            figure, key=f"backlog.{age}", alt=chart.title, on_pick=lambda code: reports_filters.list_age(age, code)
        )
    charts.foot(chart, key="backlog")


def repeats(known: Names, asked: Asked) -> None:
    """Premises that keep having requests. Where somebody exempt from public records is served, the address leaves the desk in no
    file, and stands on the screen only of those who may see it."""
    total, found = cached.repeats(asked)
    title = (
        f"{count_text(total, 'premise')} with {rules.REPEAT_TIMES} or more requests in {rules.REPEAT_DAYS} days"
        if total
        else "No repeats"
    )
    may_see = who.actor().may("exempt.read")
    shown = found[:REPEATS_DRAWN]
    bars = [
        charts.Bar(EXEMPT if each.exempt and not may_see else each.address or "A premise without an address", (each.many,), f"{each.many:,}")
        for each in shown
    ]  # fmt: skip
    hidden = any(each.exempt for each in found)
    chart = charts.Chart(
        title, f"{reports_filters.where_words(known, asked)}, the last {rules.REPEAT_DAYS} days, whatever the period.", ("Address", "Requests"),
        tuple((EXEMPT if each.exempt else each.address or "–", each.many) for each in found),
        charts.bars(bars, ("requests",)),
        note=" ".join(
            part for part in (
                f"The {len(found)} with most are in the table." if len(found) > len(shown) else "",
                "Addresses of people exempt from public records stay out of the table and its files." if hidden else "",
            ) if part
        ),
        file_name="repeats.csv",
    )  # fmt: skip
    charts.show(chart, key="repeats")


def times(board: Board) -> None:
    """Days to close over the period; a point lists the cases opened in its week or month."""
    at = reports_filters.mark(board).at
    chosen = at.isoformat() if at else ""
    moments, grain = board.moments, board.period.grain
    took = [
        service_charts.Took(
            _moment_name(moment.start, grain, len(moments)),
            moment.days.half if moment.days and moment.days.closed >= rules.FEWEST else None,
            moment.days.ninety if moment.days and moment.days.closed >= rules.FEWEST else None,
            moment.open_share <= 0.1,
            f"half within {rules.days_words(moment.days.half)}<br>9 in 10 within {rules.days_words(moment.days.ninety)}<br>"
            f"{moment.counts.closed:,} of {moment.counts.opened:,} closed" if moment.days else "",
            moment.start.isoformat(),
        )
        for moment in moments
    ]  # fmt: skip
    last = next((each for each in reversed(took) if each.half is not None), None)
    figure = None
    if last is None or sum(each.half is not None for each in took) < 2:
        title = f"Too few closed requests for a line by {grain}"
    else:
        title = f"Half closed within {rules.days_words(board.days.half)}, 9 in 10 within {rules.days_words(board.days.ninety)}"
        slow = max((each for each in took if each.ninety is not None), key=lambda each: each.ninety or 0.0)
        if (slow.ninety or 0) > 1.5 * (board.days.ninety or 0):
            title = f"The slow tenth took {rules.days_words(slow.ninety)} or more in {'the week of ' if grain == 'week' else ''}{slow.name}; half of all took {rules.days_words(board.days.half)}"
        figure = service_charts.days(
            took, half=rules.days_words(last.half), ninety=rules.days_words(last.ninety), chosen=chosen
        )
    chart = charts.Chart(
        title, f"Days from opening to closing, by {grain} opened; closed requests only. Dotted: more than a tenth of that {grain} is still open, so the line can only rise.",
        (f"{grain.capitalize()} of", "Opened", "Closed", "On time, of closed", "On time, of all", "Half within (days)", "9 in 10 within (days)"),
        tuple(
            (
                moment.start, moment.counts.opened, moment.counts.closed, _share_cell(moment.counts.on_time, moment.counts.closed_with_target),
                _share_cell(moment.counts.on_time, moment.counts.with_target), *_days_cells(moment.days),
            )
            for moment in moments
        ),
        note=(f"Select a point to see the cases opened in its {grain}. " if figure else "")
        + (f"{grain.capitalize()}s with fewer than {rules.FEWEST} closed requests are left out." if any(each.half is None for each in took) else ""),
        file_name=f"days-to-close-by-{grain}.csv",
    )  # fmt: skip
    charts.head(chart)
    if figure is not None:
        charts.pick(
            figure,
            key=f"times.{chosen}",
            alt=chart.title,
            on_pick=lambda code: reports_filters.list_moment(chosen, code),
        )
    charts.foot(chart, key="times")


def _days_cells(days: rules.Days | None) -> tuple[object, object]:
    if days is None or days.half is None or days.ninety is None:
        return "", ""
    return round(days.half, 2), round(days.ninety, 2)


def _moment_name(start: dt.date, grain: str, many: int) -> str:
    if grain == "week":
        return f"{start:%b} {start.day}"
    return f"{start:%b %Y}" if many > 12 else f"{start:%b}"


def district_map(known: Names, asked: Asked) -> None:
    """On time by district, as a map where outlines are known."""
    levels = {level.code: level for level in cached.compared(asked, "district")}
    outlines = cached.outlines()
    if not any(each.code in levels for each in outlines):
        outlines = ()
    areas = [_area(each, levels.get(each.code)) for each in outlines]
    told = [level for level in levels.values() if level.code and level.counts.closed_with_target >= rules.FEWEST]
    if not told:
        title = "Too few closed requests with a due date to compare districts"
    elif len(told) == 1:
        title = f"Only {told[0].name} has enough closed requests to show: {rules.percent(_share_of(told[0]))} on time"
    else:
        best, worst = max(told, key=_share_of), min(told, key=_share_of)
        same = not rules.differ(*((level.counts.on_time, level.counts.closed_with_target) for level in (best, worst)))
        title = (
            f"Districts do not differ by more than chance: {rules.percent(_share_of(worst))} to {rules.percent(_share_of(best))}"
            if same
            else f"On time runs from {rules.percent(_share_of(worst))} in {worst.name} to {rules.percent(_share_of(best))} in {best.name}"
        )
    missing = (
        ""
        if outlines
        else "The outlines of these districts are not known: “District” under the comparison shows the same. "
    )
    none = levels.get("")
    chart = charts.Chart(
        title, "Share of the closed that were closed by their due time, in five fixed classes.",
        ("District", "Opened", "Closed", "On time, of closed", "95% from", "95% to", "Closed with due", "On time, of all", "With due", "Still open past due"),
        tuple(_level_row(level) for level in levels.values()),
        note=f"{missing}{'Select a district to filter the page and see its cases. ' if outlines else ''}"
        + (f"{none.counts.opened:,} requests name no district." if none else ""),
        file_name="districts.csv",
    )  # fmt: skip
    charts.head(chart)
    figure = service_charts.district_map(areas, chosen=asked.district)
    if figure is not None:
        charts.pick(
            figure,
            key=f"map.{asked.district}",
            alt=chart.title,
            on_pick=lambda code: reports_filters.filter_by("district", asked.district, code),
        )
    charts.foot(chart, key="map")


def _share_of(level: Level) -> float:
    return level.counts.share_of_closed or 0.0


def _area(outline: views.Outline, level: Level | None) -> service_charts.Area:
    counts = level.counts if level else rules.Counts()
    seen = counts.closed_with_target >= rules.FEWEST
    return service_charts.Area(
        outline.code, outline.name, outline.rings, counts.share_of_closed if seen else None,
        rules.share_words(counts.on_time, counts.closed_with_target) if seen else f"n {counts.closed_with_target}",
        f"{rules.share_words(counts.on_time, counts.closed_with_target)} of {counts.closed_with_target:,} closed<br>{counts.opened:,} opened",
    )  # fmt: skip


def panels(known: Names, asked: Asked, board: Board) -> None:
    """Requests a week, by type: which left their usual range."""
    grain = board.period.grain
    starts = [
        f"{moment.start:%b} {moment.start.day}" if grain == "week" else f"{moment.start:%b %Y}"
        for moment in board.sparks
    ]
    at = reports_filters.mark(board).at
    chosen = at.isoformat() if at else ""
    found = [
        (code, known.of("request_type", code), counts, rules.usual(counts) if grain == "week" else None)
        for code, counts in board.by_type
    ]
    many = sum(usual is not None for *_, usual in found)
    if grain == "week":  # those that can be judged, and full rows
        found = sorted(found, key=lambda each: each[3] is None)[: max(3, -(-many // 3) * 3)]
    st.subheader(f"Requests a {grain}, by type", anchor=False)
    if grain == "week":
        judged = [each for each in found if each[3] is not None]
        left = sum(bool(usual and (usual.outside or usual.run_at is not None)) for *_, usual in judged)
        if judged:
            st.markdown(
                f"**{left} of {count_text(len(judged), 'type')} with a usual range left it in the last {rules.RECENT_WEEKS} weeks.** Shaded: usual range of the {rules.BASE_WEEKS} weeks before. ▲ outside it · ◆ eight weeks in a row on one side."
            )
        else:
            st.caption(f"No type has {rules.LEAST_A_WEEK} requests a week: a usual range needs that.")
    else:
        st.caption("A usual range is drawn for weeks: choose 13 or 4 weeks.")
    for row in range(0, len(found), 3):
        for column, (code, name, counts, usual) in zip(st.columns(3), found[row : row + 3], strict=False):
            with column, st.container(border=True, height="stretch", gap="small", key=f"panel-{row}-{name}"):
                words = rules.usual_words(counts, usual) if grain == "week" else f"{counts[-1]:,} in {starts[-1]}"
                st.markdown(f"**{inert(name)}**")
                st.caption(inert(words))
                limits = (
                    None
                    if usual is None
                    else service_charts.Range(usual.low, usual.mean, usual.high, usual.outside, usual.run_at)
                )
                codes = [f"{code}|{moment.start}" for moment in board.sparks]
                here = f"{code}|{chosen}" if chosen and asked.request_type == code else ""
                charts.pick(
                    service_charts.weekly(counts, starts, limits, codes=codes, chosen=here), key=f"weekly-{code}-{here}", alt=f"{name}: {words}",
                    on_pick=lambda picked: reports_filters.list_type_moment(asked, chosen, picked),
                )  # fmt: skip
    if found:
        _panels_foot(found, board)


@who.fragment
def _panels_foot(found: Sequence[tuple[str, str, tuple[int, ...], rules.Usual | None]], board: Board) -> None:
    """The table behind the small figures."""
    grain = board.period.grain
    chart = charts.Chart(
        f"Requests a {grain}, by type", "", ("Type", f"{grain.capitalize()} of", "Opened", "Usual from", "Usual to"),
        tuple(
            (name, moment.start, count, round(usual.low, 1) if usual else "", round(usual.high, 1) if usual else "")
            for _, name, counts, usual in found
            for moment, count in zip(board.sparks, counts, strict=True)
        ),
        note=f"Select a point to see the cases of that type opened in that {grain}.", file_name=f"requests-by-{grain}-and-type.csv",
    )  # fmt: skip
    charts.foot(chart, key="panels")
