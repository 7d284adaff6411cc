"""What is asked once in a run of a page, however many of its parts want to know.

A run begins when the page, or one fragment of it, is drawn anew; clicks are carried out before that. Nothing is remembered
while a click is carried out, nor from one run to the next: whoever asks there asks the database.
"""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from streamlit.runtime.scriptrunner import get_script_run_ctx

from db import core

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Answer = TypeVar("Answer")

_answers: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()


def _of_this_run() -> dict[str, Any]:
    context = get_script_run_ctx(suppress_warning=True)
    # Streamlit makes this object for one run and lets it go with the run; outside of a run there is none.
    mark = getattr(context, "parallel_coordinator", None)
    if mark is None or not getattr(context, "has_script_started", False):
        return {}
    return _answers.setdefault(mark, {})


def keep(question: str, answer: Any) -> None:
    """Remembers an answer until the end of this run."""
    _of_this_run()[question] = answer


def kept(question: str) -> Any:
    """The answer of this run; None when nobody has asked yet, or while a click is carried out."""
    return _of_this_run().get(question)


def ask(question: str, find_out: Callable[[], Answer]) -> Answer:
    """The answer of this run, found out when nobody has asked yet. None is an answer too."""
    answers = _of_this_run()
    if question not in answers:
        answers[question] = find_out()
    return answers[question]


@contextmanager
def look() -> Generator[None]:
    """One moment for all the views that are asked inside: they see the same state, and the database is gone to once. Only
    for reading: a command's result shows in what is read after it, outside."""
    with core.read():
        yield
