"""Settings as TOML that a person can read: plain values first, tables after, short tables on one line.

The reverse of `tomllib.loads` for what JSON can hold: text, true and false, whole numbers and fractions, lists and tables.
Nothing is left out and nothing is added, so reading the text back gives what was written.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LINE_MOST = 118
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def toml_text(table: Mapping[str, Any]) -> str:
    """A table as the text of a TOML file. Raises ValueError for a value TOML has no words for (None)."""
    lines: list[str] = []
    _write(lines, table, "")
    return "\n".join(lines).strip("\n") + "\n"


def read_toml(text: str) -> dict[str, Any]:
    """The text of a TOML file as JSON values: days and times are ISO text. Raises `tomllib.TOMLDecodeError`."""
    return _plain(tomllib.loads(text))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else value


def _write(lines: list[str], table: Mapping[str, Any], path: str) -> None:
    for key, value in table.items():
        if not _has_header(value, path):
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in table.items():
        if not _has_header(value, path):
            continue
        name = f"{path}{_key(key)}"
        if isinstance(value, dict):
            lines += ["", f"[{name}]"]
            _write(lines, value, f"{name}.")
        else:
            for each in value:
                lines += ["", f"[[{name}]]"]
                _write(lines, each, f"{name}.")


def _has_header(value: Any, path: str) -> bool:
    """Whether a value stands under a header of its own: a table of the file, a deep table, a list of tables."""
    if isinstance(value, dict):
        deep = any(isinstance(each, (dict, list)) for each in value.values())
        return bool(value) and (not path or deep or len(value) > 2)
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return any(set(each) != {"key", "name"} for each in value)
    return False


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return _list(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    raise ValueError(f"TOML has no word for {value!r}.")


def _list(values: Sequence[Any]) -> str:
    parts = [_value(each) for each in values]
    flat = f"[{', '.join(parts)}]"
    if len(flat) <= LINE_MOST - 20:
        return flat
    return "[\n" + "".join(f"  {part},\n" for part in parts) + "]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    shown = "".join(
        _ESCAPES.get(letter) or (f"\\u{ord(letter):04x}" if ord(letter) < 32 or ord(letter) == 127 else letter)
        for letter in text
    )
    return f'"{shown}"'
