"""When a version of a request type may be published."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.shared.problem import Problem
from portal.shared.text import day_text

if TYPE_CHECKING:
    from collections.abc import Mapping

YEARS_AHEAD = 2
ALWAYS = dt.date(2000, 1, 1)
"""The day from which a first version of a file without a day counts."""


@dataclass(frozen=True)
class PublishForm:
    """A version to be published: by a person on screen, or read from a file."""

    detail: Mapping[str, Any]
    effective_on: dt.date | None = None
    """The day from which it counts; None in a file that names none."""
    base: int | None = None
    """The newest version when the draft was begun, 0 for a new type; None for a file, which builds on whatever is there."""


@dataclass(frozen=True)
class Newest:
    """The newest version there is, and who published it."""

    version_no: int
    name: str
    who: str
    when: str


def problems(form: PublishForm, newest: Newest | None, today: dt.date) -> list[Problem]:
    """What keeps a person's version from being published, apart from its own mistakes."""
    found = []
    if form.effective_on is None:
        found.append(Problem("effective_on", "“Counts from” has no answer yet. Choose today or a later day."))
    elif form.effective_on < today:
        found.append(
            Problem(
                "effective_on",
                f"“Counts from” is {day_text(form.effective_on, today)}, in the past: requests of that day keep what they "
                "were opened with. Choose today or a later day.",
            )
        )
    elif form.effective_on > today.replace(month=1, day=1) + dt.timedelta(days=366 * (YEARS_AHEAD + 1)):
        found.append(Problem("effective_on", f"“Counts from” is more than {YEARS_AHEAD} years ahead. Check the year."))
    if newest is None:
        if form.base:
            found.append(Problem("code", "This request type is not there any more. Save it as a new type."))
    elif form.base == 0:
        found.append(
            Problem(
                "code",
                f"There is a request type with the code “{form.detail.get('code')}” already: {newest.name}. "
                "Open that one and change it, or give this one another code.",
            )
        )
    elif form.base != newest.version_no:
        by = f" by {newest.who}" if newest.who else ""
        found.append(
            Problem(
                "base",
                f"Version {newest.version_no} was published{by} {newest.when} while you worked on version {form.base}. "
                "Look at what changed, then continue on top of it; everything you typed is kept.",
            )
        )
    return found
