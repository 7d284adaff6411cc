"""The cases behind the figures of the service-level page: what a selection holds, its oldest case, the list and its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from portal.desk import go, lists, reports_filters, who
from portal.desk.text import inert
from portal.reports import rules, views
from portal.shared import table_file
from portal.shared.text import count_text

if TYPE_CHECKING:
    from portal.reports.views import Asked, Board, Case, Mark, Names

CASE_COLUMNS: Final = ("Case", "Type", "Division", "District", "Opened", "Due", "Days late", "Days open", "Channel")
SELECTIONS: Final = (*reports_filters.FILTERS, *reports_filters.MARKS)


def selected(known: Names, asked: Asked, board: Board) -> None:
    """Once something is selected: how many cases it holds, the oldest of them one key away, and the way to the list."""
    if not any(go.param(name) for name in SELECTIONS):
        return
    which = rules.chosen(go.param("list"), views.CASE_LISTS, next(iter(views.CASE_LISTS)))
    mark = _mark(board, which)
    total = views.case_total(known, asked, board, which, mark)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="selected"):
        oldest = views.oldest_case(known, asked, which, mark) if total else None
        words = f"**{inert(_total_words(which, total))}** in this selection"
        if oldest is not None:
            words += f"; the oldest was opened {rules.day_words(oldest.opened_on)}"
        st.markdown(f"{words}. [See the list](#the-cases)", width="stretch")
        if oldest is not None and st.button("Open the oldest", icon=":material/folder_open:", key="oldest-selected", shortcut="Alt+O"):  # fmt: skip
            go.to("case", id=oldest.id)


def _total_words(which: str, total: int) -> str:
    name = {"past_due": "past due", "open": "open", "late": "closed late"}.get(which, "opened")
    return f"{total:,} {name}"


def _mark(board: Board, which: str) -> Mark:
    """The selected mark as far as a list obeys it: an age is one of open cases."""
    found = reports_filters.mark(board)
    return found if which in ("past_due", "open") else views.Mark(at=found.at)


@who.fragment
def cases(known: Names, asked: Asked, board: Board) -> None:
    """The cases, a page at a time; a row opens its case."""
    st.subheader("The cases behind this", anchor="the-cases")
    which = reports_filters.switch("Which cases", "list", views.CASE_LISTS)
    mark = _mark(board, which)
    total = views.case_total(known, asked, board, which, mark)
    if not total:
        st.text(
            {
                "past_due": f"Nothing is past due. {count_text(board.open, 'open request')} still {'has' if board.open == 1 else 'have'} time.",
                "late": "Nothing was closed late.",
            }.get(which, "Nothing here.")
            if mark == views.NOTHING_MARKED
            else "Nothing here in what was selected. Choose another list, or “Clear” at the top."
        )
        return
    page = min(int(st.session_state.get("cases_page", 1)), max(1, -(-total // views.CASE_ROWS)))
    found = views.cases(known, asked, which, page, mark)
    order = {"past_due": "most days late first", "open": "oldest first"}.get(which, "newest first")
    st.markdown(
        f"**{count_text(total, 'case')}**, {inert(f'{_scope_words(board, which, mark)}, {order}. Choose a row to open the case.')}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        lists.pager(total, key="cases_page", rows=views.CASE_ROWS)
        if st.button("Open the oldest", icon=":material/folder_open:", key="oldest"):
            oldest = views.oldest_case(known, asked, which, mark)
            if oldest is not None:
                go.to("case", id=oldest.id)
    at = lists.table(
        lists.shown([_row(case) for case in found], CASE_COLUMNS),
        key=f"cases-{which}-{page}-{asked}-{mark}",
        alt=f"{views.CASE_LISTS[which]}: {len(found)} of {total} cases",
        select=True,
    )
    lists.export(
        CASE_COLUMNS,
        lambda: [_row(case) for case in views.cases(known, asked, which, 1, mark, most=table_file.MOST_ROWS)],
        total=total,
        file_name=f"cases-{which.replace('_', '-')}.csv",
        key="cases.file",
    )
    if at is not None:
        go.to("case", id=found[at].id)


def _scope_words(board: Board, which: str, mark: Mark) -> str:
    if mark.at is not None:
        first, until = views.moment_span(board.period, mark.at)
        of = "week" if board.period.grain == "week" else "month"
        return f"opened in the {of} from {rules.day_words(first)} until before {rules.day_words(until)}"
    scope = "whenever they were opened" if which in ("past_due", "open") else f"opened {board.period.words}"
    return f"{scope}, {board.ages[mark.age].name} old" if mark.age is not None else scope


def _row(case: Case) -> tuple[object, ...]:
    return (
        case.number, case.request_type, case.division, case.district or "–", case.opened_on, case.due_on, case.days_late,
        round(case.days_open, 1), case.channel,
    )  # fmt: skip
