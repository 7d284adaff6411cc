"""The pure commands' frame: JSON lines in, one JSON line out for each, in order, flushed; a bad line answers its error.

A handler takes one object and returns one, or raises `Refused`, whose first problem becomes
`{"error": {"field": …, "message": …}}`. Whole numbers arrive as int, all others as Decimal, never as float.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from portal.shared.problem import Problem
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Handler = Callable[[dict[str, Any]], dict[str, Any]]

LINE = "line"
"""The field named when the line as a whole cannot be read."""


def run(handler: Handler, stdin: IO[bytes] | IO[str] | None = None, stdout: IO[bytes] | IO[str] | None = None) -> int:
    """Answers every line of standard input (or of `stdin`); 0 when all went well, 1 when some answered an error."""
    lines = stdin if stdin is not None else sys.stdin
    lines = getattr(lines, "buffer", lines)
    answers = stdout if stdout is not None else sys.stdout
    answers = getattr(answers, "buffer", answers)
    errors = False
    try:
        for line in lines:
            if line.strip():
                answer, is_error = _answer(handler, line)
                errors = errors or is_error
                _write(answers, answer)
    except BrokenPipeError:
        # Whoever read the answers went away (`| head`). What is left of them must not raise again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 1 if errors else 0


def _answer(handler: Handler, line: bytes | str) -> tuple[dict[str, Any], bool]:
    try:
        return handler(read_line(line)), False
    except Refused as refused:
        problem = refused.problems[0]
        return {"error": {"field": problem.field, "message": problem.message}}, True
    except Exception:  # noqa: BLE001  whatever one line brings about, the other lines are answered
        # A fault of ours in one line is told in full to whoever looks at standard error; the other lines still count.
        traceback.print_exc()
        message = "This line could not be worked out because of a fault in the program; standard error tells more."
        return {"error": {"field": LINE, "message": message}}, True


def read_line(line: bytes | str) -> dict[str, Any]:
    """The object of one line. Refused when it is not UTF-8, not JSON, not an object, or says one key twice."""
    try:
        # A Windows editor may put an invisible mark before the first line.
        text = (line.decode("utf-8") if isinstance(line, bytes) else line).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise refused(LINE, "The line is not UTF-8 text. Save the input as UTF-8.") from None
    try:
        found = json.loads(text, parse_float=_decimal, parse_constant=_no_number, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise refused(LINE, f"The line is not JSON: {error.msg} at character {error.pos + 1}.") from None
    except (ValueError, RecursionError):
        raise refused(
            LINE, "The line cannot be read as JSON: a number is too long, or it is nested too deep."
        ) from None
    if not isinstance(found, dict):
        raise refused(LINE, "The line is not a JSON object. Write one object with its keys on each line.")
    return found


def refused(field: str, message: str) -> Refused:
    """A refusal with one problem."""
    return Refused([Problem(field, message)])


def only_keys(found: dict[str, Any], known: Collection[str], field: str | None = None) -> None:
    """Refuses keys outside `known`; `field` is the key that holds the object, None for the line itself."""
    for key in found:
        if key not in known:
            inside = f"“{field}” does" if field else "This command does"
            raise refused(field or key, f"{inside} not know “{key[:60]}”. It takes {', '.join(known)}.")


def required(found: dict[str, Any], key: str) -> Any:
    """The value of a key that must be there and not null."""
    if found.get(key) is None:
        raise refused(key, f"“{key}” is missing. Give it a value.")
    return found[key]


def whole_number(value: object, field: str, name: str, least: int, most: int) -> int:
    """A whole number between two, both included; 60.0 is one, true is none."""
    number = value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
    # Compared before it is converted: 1e999999 would take minutes and gigabytes to write out.
    if number is None or not least <= number <= most or number != int(number):
        raise refused(field, f"{name} is a whole number from {least:,} to {most:,}.")
    return int(number)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise refused(twice, f"“{twice[:60]}” is given twice. Keep one of the two.")
    return found


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except ArithmeticError:
        raise ValueError(digits) from None


def _no_number(name: str) -> None:
    raise refused(LINE, f"The line is not JSON: {name} is not a number there.")


def _write(answers: Any, answer: dict[str, Any]) -> None:
    """One line, flushed at once: the reader may be waiting for it before it sends the next."""
    text = json.dumps(answer, ensure_ascii=False, default=_plain, allow_nan=False) + "\n"
    # Half of a surrogate pair is legal in JSON and not in UTF-8: it goes out as the escape that it came in as.
    line = text.encode("utf-8", errors="backslashreplace")
    try:
        answers.write(line)
    except TypeError:
        answers.write(line.decode("utf-8"))
    answers.flush()


def _plain(value: object) -> object:
    """Decimals as strings with all their places, instants with Z, dates as they are."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def instant_text(at: datetime) -> str:
    """An instant in UTC as RFC 3339 writes it: `2026-11-25T20:00:00Z`, with fractions of a second when there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
