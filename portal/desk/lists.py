"""One list style and one export for the whole house."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import streamlit as st

from portal.desk.text import inert
from portal.shared import table_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from pandas.io.formats.style import Styler

PAGE_ROWS = 25


def table(
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
    *,
    key: str,
    alt: str,
    select: bool = False,
    height: int | str = "auto",
) -> int | None:
    """A grid of what a view returned; with `select`, answers with the position of the chosen row, or None.

    `alt` is a sentence for those who cannot see the grid.
    """
    import pandas as pd

    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    options: dict[str, Any] = {"hide_index": True, "key": key, "row_height": 38, "alt": alt, "height": height}
    days = [name for name in frame.columns if _of_days(frame[name])]
    if days:
        options["column_config"] = {name: st.column_config.DateColumn(format="MMM D, YYYY") for name in days}
    if not select:
        st.dataframe(frame, **options)
        return None
    chosen = st.dataframe(frame, on_select="rerun", selection_mode="single-row", **options)
    picked = chosen["selection"]["rows"]
    return int(picked[0]) if picked and picked[0] < len(frame) else None


def tinted(frame: pd.DataFrame, column: str, css: Sequence[str]) -> Styler:
    """A frame in which each cell of one column has a style of its own; "" leaves a cell as it is.

    Streamlit draws colors from a pandas Styler, which works through every cell three times: 3 ms for a page of a queue. The
    outcome is known here and is handed over at once. A release of either library that asks in another way draws no colors.
    """
    from pandas.io.formats.style import Styler

    at = frame.columns.get_loc(column)
    rows: dict[str, list[str]] = {}
    for row, each in enumerate(css):
        if each:
            rows.setdefault(each, []).append(f"row{row}_col{at}")
    cells = [
        {"props": [tuple(part.split(": ")) for part in each.split("; ")], "selectors": where}
        for each, where in rows.items()
    ]
    style = Styler(frame)
    vars(style).update(_compute=lambda: style, _translate=lambda *_args: {"cellstyle": cells})
    return style


def _of_days(column: pd.Series) -> bool:
    """Whether a column holds days (and nothing else but gaps)."""
    cells = [cell for cell in column if cell is not None and cell == cell]  # a gap is not equal to itself
    return bool(cells) and all(isinstance(cell, dt.date) and not isinstance(cell, dt.datetime) for cell in cells)


def two_lines(title: str, below: str) -> None:
    """A line of a list, in Markdown, and a small gray one of plain words under it. One element: in a list of twenty, a second
    one and a box around both would be most of what the page costs."""
    st.markdown(f"{title}  \n:small[:gray[{inert(below)}]]" if below else title, width="stretch")


def pager(total: int, *, key: str, rows: int = PAGE_ROWS) -> int:
    """The page of a list being looked at, from 1; draws the pager when there is more than one."""
    pages = max(1, -(-total // rows))
    return st.pagination(pages, key=key) if pages > 1 else 1


def export(
    columns: Sequence[str], rows: Callable[[], Sequence[Sequence[object]]], *, total: int, file_name: str, key: str
) -> None:
    """Two download buttons, CSV and XLSX, with the same cells. A file is written when it is asked for: until then `rows` reads
    nothing; of `total` rows it then answers with the first `table_file.MOST_ROWS` at least.
    """
    name = file_name.rpartition(".")[0] or file_name

    def as_csv() -> str:
        return table_file.csv_text(columns, table_file.limited(rows(), total))

    def as_xlsx() -> bytes:
        return table_file.xlsx_bytes(columns, table_file.limited(rows(), total), name.replace("-", " "))

    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.files"):
        for label, ending, written, mime in (
            ("CSV", "csv", as_csv, table_file.CSV_MIME), ("XLSX", "xlsx", as_xlsx, table_file.XLSX_MIME),
        ):  # fmt: skip
            st.download_button(
                label, written, file_name=f"{name}.{ending}", mime=mime, icon=":material/download:", key=f"{key}.{ending}",
                on_click="ignore",
            )  # fmt: skip
        if missing := table_file.missing_words(total):
            st.caption(missing)


def shown(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> list[dict[str, object]]:
    """Rows of an export as a grid shows them: a column that holds a word among its figures is all words there."""
    found: list[dict[str, object]] = [{} for _ in rows]
    for at, name in enumerate(columns):
        cells = [row[at] for row in rows]
        words = any(isinstance(cell, (str, table_file.Share)) and cell != "" for cell in cells)
        for row, cell in zip(found, cells, strict=True):
            row[name] = ("" if cell is None else str(cell)) if words else None if cell == "" else cell
    return found
