"""A command's no: what did not happen, and why, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.shared.problem import Problem


NOT_SAVED: Final = "Not saved yet"
"""The title of a refusal that needs no other."""


class Refused(Exception):
    """Raised by a command whose rules found problems; nothing was written."""

    def __init__(self, problems: Iterable[Problem], *, title: str = NOT_SAVED, report: str | None = None) -> None:
        self.problems = tuple(problems)
        self.title = title
        self.report = report
        super().__init__("; ".join(problem.message for problem in self.problems))
