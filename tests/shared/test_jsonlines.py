"""The frame of the pure commands: one answer per line, whatever the line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from portal.shared.jsonlines import only_keys, refused, required, run, whole_number
from portal.shared.refusal import Refused


def echo(line: dict[str, Any]) -> dict[str, Any]:
    only_keys(line, ("a", "b"))
    return {"a": required(line, "a")}


def answers(text: str | bytes, handler: Any = echo) -> tuple[int, list[dict]]:
    out = io.BytesIO()
    code = run(handler, io.BytesIO(text if isinstance(text, bytes) else text.encode()), out)
    return code, [json.loads(line) for line in out.getvalue().decode("utf-8").splitlines()]


def test_one_answer_per_line_in_order_and_blank_lines_skipped() -> None:
    assert answers('{"a": 1}\n\n   \n{"a": 2}\r\n{"a": 3}') == (0, [{"a": 1}, {"a": 2}, {"a": 3}])
    assert answers("") == (0, [])


def test_a_bad_line_answers_its_error_and_the_rest_go_on() -> None:
    code, found = answers(
        b'{"a": 1}\n{"a": \xff}\nnot json\n[1]\n{"b": 1}\n{"a": 1, "c": 2}\n{"a": 1, "a": 2}\n{"a": NaN}\n{"a": 2}\n'
    )
    assert code == 1
    assert [line.get("error", {}).get("field") for line in found] == [
        None,
        "line",
        "line",
        "line",
        "a",
        "c",
        "a",
        "line",
        None,
    ]
    assert found[1]["error"]["message"].startswith("The line is not UTF-8 text.")
    assert found[5]["error"]["message"] == "This command does not know “c”. It takes a, b."
    assert found[6]["error"]["message"] == "“a” is given twice. Keep one of the two."
    for line in found:
        assert set(line) in ({"a"}, {"error"})
        assert set(line.get("error", {"field": 0, "message": 0})) == {"field", "message"}


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"a": ' + "9" * 5000 + "}", '{"a": 1e' + "9" * 30 + "}", '"x"', "1", "null"]
)
def test_hostile_lines(line: str) -> None:
    code, found = answers(line)
    assert (code, found[0]["error"]["field"]) == (1, "line")


def test_numbers_are_exact() -> None:
    seen = []
    answers('{"a": 0.10130}\n{"a": 7}\n{"a": 1e2}', lambda line: seen.append(line["a"]) or {})
    assert [(type(number), str(number)) for number in seen] == [(Decimal, "0.10130"), (int, "7"), (Decimal, "1E+2")]


def test_decimals_dates_and_instants_go_out_as_text() -> None:
    found = {
        "price": Decimal("0.10130"),
        "tiny": Decimal("1E-7"),
        "on": date(2026, 11, 24),
        "at": datetime(2026, 11, 24, tzinfo=UTC),
    }
    assert answers("{}", lambda _: found)[1] == [
        {"price": "0.10130", "tiny": "0.0000001", "on": "2026-11-24", "at": "2026-11-24T00:00:00Z"}
    ]


def test_text_of_any_kind_comes_back() -> None:
    assert answers('\ufeff{"a": "é😀"}\n{"a": "\\ud800"}')[1] == [{"a": "é😀"}, {"a": "\ud800"}]


def test_a_fault_of_ours_does_not_stop_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = answers('{"a": 0}\n{"a": 1}', lambda line: {"a": 1 // line["a"]})
    assert (code, found[1]) == (1, {"a": 1})
    assert found[0]["error"]["field"] == "line"
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_text_streams_work_as_well() -> None:
    out = io.StringIO()
    assert run(echo, io.StringIO('{"a": "é"}\n'), out) == 0
    assert out.getvalue() == '{"a": "é"}\n'


def test_each_answer_is_flushed_before_the_next_line_is_read() -> None:
    code = "from portal.shared.jsonlines import run; raise SystemExit(run(lambda line: line))"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(b'{"a": %d}\n' % number)
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"a": number}
        process.stdin.close()
        assert process.wait(10) == 0


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    code = "from portal.shared.jsonlines import run; raise SystemExit(run(lambda line: line))"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code], input=b'{"a": 1}\n' * 10, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_whole_numbers() -> None:
    assert whole_number(60, "target", "The target", 1, 100) == 60
    assert whole_number(Decimal("60.0"), "target", "The target", 1, 100) == 60
    for wrong in (0, 101, Decimal("1.5"), Decimal("1e999999"), Decimal("-1e999999"), True, "60", None, [1]):
        with pytest.raises(Refused, match="The target is a whole number from 1 to 100"):
            whole_number(wrong, "target", "The target", 1, 100)


def test_keys_inside_a_key_name_the_outer_one() -> None:
    with pytest.raises(Refused, match="“target” does not know “x”") as no:
        only_keys({"x": 1}, ("y",), "target")
    assert no.value.problems[0].field == "target"
    assert refused("a", "b").problems[0].message == "b"
