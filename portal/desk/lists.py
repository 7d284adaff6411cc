"""One list style and one export for the whole house."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import streamlit as st

from portal.shared.text import safe_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

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
    if not select:
        st.dataframe(frame, **options)
        return None
    chosen = st.dataframe(frame, on_select="rerun", selection_mode="single-row", **options)
    picked = chosen["selection"]["rows"]
    return int(picked[0]) if picked and picked[0] < len(frame) else None


def pager(total: int, *, key: str, rows: int = PAGE_ROWS) -> int:
    """The page of a list being looked at, from 1; draws the pager when there is more than one."""
    pages = max(1, -(-total // rows))
    return st.pagination(pages, key=key) if pages > 1 else 1


def csv_text(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV that no spreadsheet runs: cells that would start a formula are neutralised."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def export(label: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, file_name: str, key: str) -> None:
    """A download button for a list as CSV."""
    st.download_button(
        label,
        csv_text(columns, rows),
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        key=key,
        on_click="ignore",
    )
